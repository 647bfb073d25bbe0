//! Stage `notification`: a closed story in the words of each channel.
//!
//! - Owns: the message text, the machine JSON beside it, Slack's Block Kit form, their limits.
//! - Takes: a journal entry.
//! - Gives: [`Notification`], or nothing when nobody need be told.
//! - Must not: send.

use crate::incident::{Body, Entry, Outcome, Report};
use serde::{Deserialize, Serialize};

mod machine;
mod plain;
mod slack;
mod story;
#[cfg(test)]
mod tests;
mod text;

/// One message, ready for any channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Identity for at-most-once display: incident and sequence.
    pub key: String,
    /// At most 100 printable ASCII characters (SNS subject).
    pub subject: String,
    /// The message for a person, plain text, at most 64 KB; with the JSON it fits one SNS message.
    pub text: String,
    /// The same for machines, at most 64 KB; top-level keys are stable: `outcome`, `severity`, `resource`, `incident`, ….
    pub json: serde_json::Value,
    /// Slack's payload (`blocks`, `text`), untrusted strings escaped, limits kept.
    pub slack: serde_json::Value,
}

/// The message of an entry; `None` unless it closes a story that people are to be told of.
///
/// Every string of the report may come from whoever made the change (descriptions, names, user
/// agents, session names): no channel gets one that could start a line, a link or a mention of its own.
pub fn notification(entry: &Entry) -> Option<Notification> {
    let report = told(entry)?;
    let story = story::Story::new(entry, report);
    Some(Notification {
        key: key_of(entry),
        subject: text::subject(&story),
        text: text::text(&story),
        json: machine::json(&story),
        slack: slack::payload(&story),
    })
}

/// The key of the notification that an entry gives; `None` where it tells nobody anything.
pub fn key(entry: &Entry) -> Option<String> {
    told(entry).map(|_| key_of(entry))
}

fn told(entry: &Entry) -> Option<&Report> {
    match &entry.body {
        Body::Closed { report } if report.outcome != Outcome::Accepted => Some(report),
        _ => None,
    }
}

fn key_of(entry: &Entry) -> String {
    format!("{}#{}", entry.incident, entry.sequence)
}
