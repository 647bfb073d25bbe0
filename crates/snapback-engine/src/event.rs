//! Stage `event`: bytes to a CloudTrail record.
//!
//! - Owns: the envelope, the record head, the two parameter styles (cloudtrail-shapes.md 1, 2, 8).
//! - Takes: an EventBridge envelope or a bare CloudTrail record, as JSON bytes.
//! - Gives: [`Record`], or [`EventError`] with the spot.
//! - Must not: judge whether the record matters; that is `change`.

use serde_json::{Map, Value};
use snapback_model::{AccountId, EventId, Region, RequestId, Timestamp};

#[cfg(test)]
mod tests;

/// The `detail-type` under which EventBridge carries CloudTrail's API calls.
pub const API_CALL_DETAIL_TYPE: &str = "AWS API Call via CloudTrail";

/// What EventBridge wrote around a record. It sets these members itself, unlike the detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `detail-type`.
    pub detail_type: String,
    /// `source`, `aws.ec2`; nobody but AWS can send a source that begins with `aws.`.
    pub source: String,
    /// `account` whose bus took the event first.
    pub account: Option<AccountId>,
    /// `region`.
    pub region: Option<Region>,
}

/// The head of a CloudTrail record and its two parameter objects, as far as every real record has them.
///
/// An envelope of another `detail-type` is a record too: its members fall back to the envelope's
/// (`id`, `time`, `source`, `detail-type` as the name), and `change` ignores it by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// `eventID`; for a re-delivery with an `addendum` the id of the original event.
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
    /// `eventType`; absent in reduced exports, then an API call is meant.
    pub kind: Option<String>,
    /// `readOnly`; absent in old records.
    pub read_only: Option<bool>,
    /// `errorCode`, without the `Client.` prefix.
    pub error: Option<String>,
    /// `errorMessage`.
    pub error_message: Option<String>,
    /// `requestID`; for a re-delivery with an `addendum` that of the original event.
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
    /// `addendum.reason` of a late or corrected re-delivery (`DELIVERY_DELAY`, `UPDATED_DATA`, …).
    pub addendum: Option<String>,
    /// The envelope's `time`; for bare records none. For CloudTrail's events EventBridge repeats the
    /// event time there: when a message really arrived, the queue knows (`SentTimestamp`).
    pub arrived: Option<Timestamp>,
    /// What EventBridge wrote around the record; for bare records none.
    pub envelope: Option<Envelope>,
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
        /// The member's path, `detail.eventTime`; `$` is the document itself.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl EventError {
    /// Where JSON text stopped being JSON.
    pub fn not_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self::NotJson {
            line: error.line(),
            column: error.column(),
            message,
        }
    }

    fn malformed(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.into(),
            problem: problem.into(),
        }
    }
}

/// Reads an EventBridge envelope or a bare CloudTrail record.
///
/// # Errors
/// Bytes that are no JSON, with line and column; JSON that is no record, with the member's path.
pub fn parse(bytes: &[u8]) -> Result<Record, EventError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    from_value(serde_json::from_slice(bytes).map_err(|error| EventError::not_json(&error))?)
}

/// As [`parse`], from JSON that was read already (an element of a log file's `Records`).
///
/// # Errors
/// JSON that is no record, with the member's path.
pub fn from_value(value: Value) -> Result<Record, EventError> {
    let Value::Object(mut map) = value else {
        return Err(EventError::malformed(
            "$",
            format!("is {}, not an object", noun(&value)),
        ));
    };
    if !map.contains_key("detail-type") && !map.contains_key("detail") {
        return Head {
            path: "",
            envelope: None,
            arrived: None,
        }
        .read(map);
    }
    let detail_type = required(&map, "", "detail-type")?;
    let envelope = Envelope {
        source: required(&map, "", "source")?,
        account: map.get("account").and_then(account),
        region: map.get("region").and_then(text).map(Region::new),
        detail_type,
    };
    let arrived = map
        .get("time")
        .and_then(text)
        .and_then(|time| time.parse().ok());
    let detail = map.remove("detail");
    if envelope.detail_type != API_CALL_DETAIL_TYPE {
        return foreign(envelope, arrived, &map, detail);
    }
    match detail {
        Some(Value::Object(record)) => Head {
            path: "detail.",
            envelope: Some(envelope),
            arrived,
        }
        .read(record),
        Some(other) => Err(EventError::malformed(
            "detail",
            format!("is {}, not an object", noun(&other)),
        )),
        None => Err(EventError::malformed("detail", "is missing")),
    }
}

/// An envelope of another detail type: a valid event of somebody else's.
fn foreign(
    envelope: Envelope,
    arrived: Option<Timestamp>,
    map: &Map<String, Value>,
    detail: Option<Value>,
) -> Result<Record, EventError> {
    let detail = match detail {
        Some(Value::Object(detail)) => detail,
        _ => Map::new(),
    };
    let told = |member: &str| detail.get(member).and_then(text);
    let at = told("eventTime")
        .and_then(|time| time.parse().ok())
        .or(arrived);
    let id = match told("eventID") {
        Some(id) => id,
        None => required(map, "", "id")?,
    };
    Ok(Record {
        id: EventId::new(id),
        at: at.ok_or_else(|| {
            EventError::malformed("time", "is not a time like 2026-01-31T12:00:00Z")
        })?,
        source: told("eventSource").unwrap_or_else(|| envelope.source.clone()),
        name: told("eventName").unwrap_or_else(|| envelope.detail_type.clone()),
        region: told("awsRegion")
            .map(Region::new)
            .or_else(|| envelope.region.clone())
            .unwrap_or_else(|| Region::new("")),
        account: detail
            .get("recipientAccountId")
            .and_then(account)
            .or_else(|| envelope.account.clone()),
        kind: told("eventType"),
        read_only: None,
        error: None,
        error_message: None,
        request: told("requestID").map(RequestId::new),
        identity: Value::Null,
        source_ip: None,
        user_agent: None,
        from_console: false,
        request_parameters: Value::Null,
        response_elements: Value::Null,
        addendum: None,
        arrived,
        envelope: Some(envelope),
    })
}

/// The record's own head, below `path`.
struct Head {
    path: &'static str,
    envelope: Option<Envelope>,
    arrived: Option<Timestamp>,
}

impl Head {
    fn read(self, mut map: Map<String, Value>) -> Result<Record, EventError> {
        let path = self.path;
        let name = required(&map, path, "eventName")?;
        let source = required(&map, path, "eventSource")?;
        let time = required(&map, path, "eventTime")?;
        let at = time.parse().map_err(|_| {
            EventError::malformed(
                format!("{path}eventTime"),
                format!("is `{time}`, not a time like 2026-01-31T12:00:00Z"),
            )
        })?;
        let region = Region::new(required(&map, path, "awsRegion")?);
        let id = required(&map, path, "eventID")?;
        let identity = map.remove("userIdentity").unwrap_or_default();
        let member = |name: &str| map.get(name).and_then(text);
        let addendum = |name: &str| {
            map.get("addendum")
                .and_then(|addendum| addendum.get(name))
                .and_then(text)
        };
        let account = map
            .get("recipientAccountId")
            .and_then(account)
            .or_else(|| {
                self.envelope
                    .as_ref()
                    .and_then(|envelope| envelope.account.clone())
            })
            .or_else(|| identity.get("accountId").and_then(account));
        Ok(Record {
            id: EventId::new(addendum("originalEventID").unwrap_or(id)),
            at,
            source,
            name,
            region,
            account,
            kind: member("eventType"),
            read_only: map.get("readOnly").and_then(flag),
            error: member("errorCode").map(|code| {
                code.strip_prefix("Client.")
                    .map(str::to_owned)
                    .unwrap_or(code)
            }),
            error_message: member("errorMessage"),
            request: addendum("originalRequestID")
                .or_else(|| member("requestID"))
                .map(RequestId::new),
            source_ip: member("sourceIPAddress"),
            user_agent: member("userAgent"),
            from_console: map
                .get("sessionCredentialFromConsole")
                .and_then(flag)
                .unwrap_or(false),
            addendum: addendum("reason"),
            request_parameters: unwrapped(map.remove("requestParameters")),
            response_elements: unwrapped(map.remove("responseElements")),
            identity,
            arrived: self.arrived,
            envelope: self.envelope,
        })
    }
}

/// Descends into the wrapper of the newer operations: the only key, upper-case first letter, found
/// so because not every wrapper is named after its event (`DelTGwVpcAttachReq`). An empty wrapped
/// request is `""`. What is no object counts as omitted.
fn unwrapped(value: Option<Value>) -> Value {
    let mut map = match value {
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) if text.is_empty() => return Value::Object(Map::new()),
        _ => return Value::Null,
    };
    let wrapper = match map.keys().next() {
        Some(key)
            if map.len() == 1 && key.starts_with(|first: char| first.is_ascii_uppercase()) =>
        {
            key.clone()
        }
        _ => return Value::Object(map),
    };
    match map.remove(&wrapper) {
        Some(Value::Object(inner)) => Value::Object(inner),
        Some(Value::String(text)) if text.is_empty() => Value::Object(Map::new()),
        Some(Value::Null) | None => Value::Object(Map::new()),
        Some(other) => Value::Object(Map::from_iter([(wrapper, other)])),
    }
}

fn required(map: &Map<String, Value>, path: &str, member: &str) -> Result<String, EventError> {
    match map.get(member) {
        None => Err(EventError::malformed(
            format!("{path}{member}"),
            "is missing",
        )),
        Some(value) => text(value).ok_or_else(|| {
            EventError::malformed(
                format!("{path}{member}"),
                format!("is {}, not text", noun(value)),
            )
        }),
    }
}

/// Non-empty text; numbers as they are written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An account id; one that was guessed to be a number has lost its leading zeros.
fn account(value: &Value) -> Option<AccountId> {
    match value {
        Value::Number(number) => Some(AccountId::new(format!("{:0>12}", number.to_string()))),
        other => text(other).map(AccountId::new),
    }
}

fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "empty",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
