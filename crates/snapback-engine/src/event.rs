//! Stage `event`: bytes to a CloudTrail record.
//!
//! - Owns: the envelope, the record head, the two parameter styles (cloudtrail-shapes.md 1, 2, 8).
//! - Takes: an EventBridge envelope or a bare CloudTrail record, as JSON bytes.
//! - Gives: [`Record`], or [`EventError`] with the spot.
//! - Must not: judge whether the record matters; that is `change`.

use serde_json::Value;
use snapback_model::{AccountId, EventId, Region, RequestId, Timestamp};

/// The head of a CloudTrail record and its two parameter objects, as far as every real record has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// `eventID`.
    pub id: EventId,
    /// `eventTime`, one-second resolution.
    pub at: Timestamp,
    /// `eventSource`, `ec2.amazonaws.com`.
    pub source: String,
    /// `eventName`.
    pub name: String,
    /// `awsRegion`.
    pub region: Region,
    /// `recipientAccountId`, else the envelope's account, else the identity's.
    pub account: Option<AccountId>,
    /// `eventType`; `AwsApiCall` when absent in old records.
    pub kind: Option<String>,
    /// `readOnly`; absent in old records.
    pub read_only: Option<bool>,
    /// `errorCode`, without the `Client.` prefix.
    pub error: Option<String>,
    /// `errorMessage`.
    pub error_message: Option<String>,
    /// `requestID`.
    pub request: Option<RequestId>,
    /// `userIdentity`, as it came.
    pub identity: Value,
    /// `sourceIPAddress`.
    pub source_ip: Option<String>,
    /// `userAgent`.
    pub user_agent: Option<String>,
    /// `sessionCredentialFromConsole` is true.
    pub from_console: bool,
    /// `requestParameters`, unwrapped (section 2); `Null` when absent or omitted.
    pub request_parameters: Value,
    /// `responseElements`, unwrapped; `Null` when absent or omitted.
    pub response_elements: Value,
    /// The envelope's `time`, when EventBridge had it; for bare records none.
    pub arrived: Option<Timestamp>,
}

/// Why bytes are no CloudTrail record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not JSON, with the place.
    #[error("not JSON at line {line}, column {column}: {message}")]
    NotJson {
        /// One-based.
        line: usize,
        /// One-based.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// A member is missing or of the wrong type.
    #[error("not a CloudTrail record: `{path}` {problem}")]
    Malformed {
        /// The member's path, `detail.eventTime`.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}
