//! What is left alone for a while, and why.

use crate::finding::FindingCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use snapback_model::{ResourceId, Timestamp};
use std::fmt;

/// A finding, a resource, or a finding on a resource that is told but not acted on until a day, in
/// every mode. When the day is over it counts no longer, and every judgement that it would have
/// changed says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exception {
    /// Only findings with this code; `None` is every difference.
    pub code: Option<FindingCode>,
    /// Only on this resource; `None` is on every resource.
    pub resource: Option<ResourceId>,
    /// The last day on which it holds (UTC).
    pub until: Date,
    /// Why, in the words of whoever made it.
    pub why: String,
}

impl Exception {
    /// Whether it still holds.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        TimeZone::UTC.to_datetime(now).date() <= self.until
    }

    /// Whether it is about whatever happens to a resource.
    pub fn covers_resource(&self, resource: &ResourceId) -> bool {
        self.code.is_none() && self.resource.as_ref() == Some(resource)
    }

    /// Whether it is about a finding with this code on a resource.
    pub fn covers_finding(&self, code: FindingCode, resource: &ResourceId) -> bool {
        self.code == Some(code)
            && self
                .resource
                .as_ref()
                .is_none_or(|excepted| excepted == resource)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            resource,
            until,
            why,
        } = self;
        match (code, resource) {
            (Some(code), Some(resource)) => write!(f, "{code} on {resource}")?,
            (Some(code), None) => write!(f, "{code}")?,
            (None, Some(resource)) => write!(f, "{resource}")?,
            (None, None) => f.write_str("nothing")?,
        }
        write!(f, " until {until} ({why:?})")
    }
}
