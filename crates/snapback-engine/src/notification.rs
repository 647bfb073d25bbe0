//! Stage `notification`: a closed story in the words of each channel.
//!
//! - Owns: the message text, the machine JSON beside it, Slack's Block Kit form, their limits.
//! - Takes: a journal entry.
//! - Gives: [`Notification`], or nothing when nobody need be told.
//! - Must not: send.

use crate::incident::Entry;
use serde::{Deserialize, Serialize};

/// One message, ready for any channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Identity for at-most-once display: incident and sequence.
    pub key: String,
    /// At most 100 printable ASCII characters (SNS subject).
    pub subject: String,
    /// The message for a person, plain text, at most 200 KB.
    pub text: String,
    /// The same for machines; top-level keys are stable: `outcome`, `severity`, `resource`, `incident`, ….
    pub json: serde_json::Value,
    /// Slack's payload (`blocks`, `text`), untrusted strings escaped, limits kept.
    pub slack: serde_json::Value,
}

/// The message of an entry; `None` unless it closes a story that people are to be told of.
pub fn notification(entry: &Entry) -> Option<Notification> {
    let _skeleton = entry;
    todo!("skeleton")
}
