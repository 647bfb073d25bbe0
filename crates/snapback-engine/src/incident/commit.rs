//! One conditional write: what is written together or not at all.

use super::{AccountRecord, Activity, Entry, Lease, ResourceRecord};

/// What is written all or nothing. Each record on the condition that the stored version is the one
/// before its own (0: none is stored), the entries on the condition that their numbers are free.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Commit<'a> {
    /// The record of a resource.
    pub record: Option<&'a ResourceRecord>,
    /// The lease of its VPC.
    pub lease: Option<&'a Lease>,
    /// What is counted for the whole account and Region.
    pub account: Option<&'a AccountRecord>,
    /// What is counted for one author of changes.
    pub activity: Option<&'a Activity>,
    /// Entries to append.
    pub entries: &'a [Entry],
}

impl<'a> Commit<'a> {
    /// Entries alone.
    pub fn entries(entries: &'a [Entry]) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }

    /// A record with entries.
    pub fn of(record: &'a ResourceRecord, entries: &'a [Entry]) -> Self {
        Self {
            record: Some(record),
            entries,
            ..Self::default()
        }
    }
}
