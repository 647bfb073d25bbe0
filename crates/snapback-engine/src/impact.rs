//! Stage `impact`: the packets that a diff opened and closed, in words and as sets.
//!
//! - Owns: opened and closed traffic of a difference and of a resource, with example packets.
//! - Takes: a baseline state and a live state of one resource.
//! - Gives: [`Impact`].
//! - Must not: name a risk (that is `finding`).

use serde::{Deserialize, Serialize};
use snapback_model::{Resource, Topology};

/// What changed for packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Newly permitted traffic, one line each (`ingress tcp 22 from 0.0.0.0/0 (any IPv4 address)`).
    pub opened: Vec<String>,
    /// No longer permitted traffic.
    pub closed: Vec<String>,
    /// What could not be computed, and in which direction the answer may err. Empty is exact.
    pub inexact: Vec<String>,
}

/// The impact on one resource of going from `baseline` to `live`; `None` is absence.
pub fn impact(baseline: Option<&Resource>, live: Option<&Resource>, topology: &Topology) -> Impact {
    let _skeleton = (baseline, live, topology);
    todo!("skeleton")
}
