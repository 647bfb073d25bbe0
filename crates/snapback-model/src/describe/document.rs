//! From the text of one describe output to its items.

use super::{Described, PrefixList};
use crate::Unknown;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;

/// The top-level key of get-managed-prefix-list-entries, which does not name its list.
pub(super) const ENTRIES: &str = "Entries";

/// Members that wrap or follow a describe output and say nothing about the network.
const ENVELOPE: [&str; 6] = [
    "ResponseMetadata",
    "$metadata",
    "MaxResults",
    "status_code",
    "RequestId",
    "requestId",
];

/// The top-level key that holds one object and not a list.
const BLOCK_OPTIONS: &str = "VpcBlockPublicAccessOptions";

/// Describe outputs that are left aside, with what is thereby not known; nothing where they have no
/// say in which packets pass.
const ASIDE: [(&str, Option<&str>); 12] = [
    // An address that is mapped is told by its interface, one that is not carries nothing.
    ("Addresses", None),
    ("AvailabilityZones", None),
    ("DhcpOptions", None),
    ("KeyPairs", None),
    ("NetworkInterfacePermissions", None),
    ("TransitGatewayPropagations", Some(BEYOND_TRANSIT)),
    ("TransitGatewayRouteTables", Some(BEYOND_TRANSIT)),
    ("TransitGatewayRouteTablePropagations", Some(BEYOND_TRANSIT)),
    ("TransitGatewayStaticRoutes", Some(BEYOND_TRANSIT)),
    ("VpnConnections", Some(BEYOND_VPN)),
    ("CustomerGateways", Some(BEYOND_VPN)),
    (
        "ClientVpnEndpoints",
        Some("what clients of a VPN reach is not modelled"),
    ),
];
const BEYOND_TRANSIT: &str = "routing within a transit gateway is not modelled: what passes behind an attachment is not known";
const BEYOND_VPN: &str =
    "what lies behind a VPN gateway is not modelled: its routes are told by the route tables";

/// Members that tell that more pages follow.
const TOKENS: [&str; 3] = ["NextToken", "nextToken", "NextMarker"];

/// A describe output that cannot be read. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct DescribeError {
    /// The file, as the caller names it.
    pub place: String,
    /// What is wrong, and where in it.
    pub problem: Problem,
}

/// What is wrong with a describe output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The text is no JSON.
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A member has a type that EC2 never gives it.
    Member {
        /// Where (`SecurityGroups[3].IpPermissions[0].FromPort`).
        path: String,
        /// What the parser says.
        message: String,
    },
    /// No member of the object is a describe key.
    NotDescribe {
        /// What it is instead.
        found: String,
    },
    /// One id is described twice, with different content.
    Contradiction {
        /// The top-level key.
        key: String,
        /// The id.
        id: String,
    },
    /// Outputs of several accounts or Regions.
    Mixed {
        /// `accounts` or `Regions`.
        what: &'static str,
        /// Each with an example (`111122223333 (sg-1)`).
        found: Vec<String>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax {
                line,
                column,
                message,
            } => write!(f, "line {line}, column {column}: {message}"),
            Self::Member { path, message } => write!(f, "member {path}: {message}"),
            Self::NotDescribe { found } => {
                write!(f, "this is no output of `aws ec2 describe-…`: {found}")
            }
            Self::Contradiction { key, id } => {
                write!(
                    f,
                    "{key}: {id} is described twice with different content: keep the newer output only"
                )
            }
            Self::Mixed { what, found } => {
                write!(
                    f,
                    "outputs of several {what} are mixed: {}; describe one at a time",
                    found.join(", ")
                )
            }
        }
    }
}

impl Described {
    /// Reads one describe output. Its kinds are its top-level keys, whatever the file is called;
    /// `place` names it in errors (and names the prefix list of bare `Entries`, whose output does not).
    /// A recorded response (`{"status_code": 200, "data": {…}}`) is unwrapped.
    ///
    /// # Errors
    /// Text that is no JSON, no describe output, or has a member of the wrong type.
    pub fn from_json(text: &str, place: &str) -> Result<Self, DescribeError> {
        let fail = |problem| DescribeError {
            place: place.to_owned(),
            problem,
        };
        let value: Value = serde_json::from_str(text).map_err(|error| {
            fail(Problem::Syntax {
                line: error.line(),
                column: error.column(),
                message: plain(&error),
            })
        })?;
        let object =
            unwrap_recorded(value).map_err(|found| fail(Problem::NotDescribe { found }))?;
        let mut described = Self::default();
        let mut foreign = Vec::new();
        let truncated = object
            .iter()
            .any(|(key, value)| TOKENS.contains(&key.as_str()) && !is_empty(value));
        let named_list = object
            .get("PrefixListId")
            .and_then(Value::as_str)
            .map(str::to_owned);
        for (key, items) in object {
            if ENVELOPE.contains(&key.as_str())
                || TOKENS.contains(&key.as_str())
                || key == "PrefixListId"
            {
                continue;
            }
            let items = match items {
                Value::Object(_) if key == BLOCK_OPTIONS => Value::Array(vec![items]),
                items => items,
            };
            if key == ENTRIES {
                described.entries(items, named_list.as_deref(), truncated, place)?;
            } else if !described.section(&key, items.clone(), place)? {
                foreign.push((key, items));
                continue;
            }
            if truncated {
                described.truncated.insert(key.clone());
            }
            described.present.insert(key);
        }
        described.foreign(foreign, place)?;
        Ok(described)
    }

    /// Top-level keys that are none of ours: named where they hold a list, as describe keys do.
    fn foreign(&mut self, foreign: Vec<(String, Value)>, place: &str) -> Result<(), DescribeError> {
        let names: Vec<&str> = foreign.iter().map(|(key, _)| key.as_str()).collect();
        let is_described = |(key, value): &(String, Value)| {
            value.is_array()
                && key
                    .chars()
                    .next()
                    .is_some_and(|first| first.is_ascii_uppercase())
        };
        let is_trail = |key: &&str| ["Records", "Events"].contains(key);
        let trail = names.iter().any(is_trail) && self.present.is_empty();
        if self.present.is_empty() && (trail || !foreign.iter().any(is_described)) {
            let found = if names.is_empty() {
                "an object without members".to_owned()
            } else if trail {
                "CloudTrail events, which tell of changes and not of a state".to_owned()
            } else {
                format!("its members are {}", names.join(", "))
            };
            return Err(DescribeError {
                place: place.to_owned(),
                problem: Problem::NotDescribe { found },
            });
        }
        for (key, value) in foreign.into_iter().filter(|(_, value)| !is_empty(value)) {
            let aside = ASIDE.iter().find(|(known, _)| *known == key);
            let value = match aside {
                Some((_, None)) => continue,
                Some((_, Some(gap))) => (*gap).to_owned(),
                None => excerpt(&value),
            };
            self.unknown.push(Unknown {
                place: place.to_owned(),
                member: key,
                value,
            });
        }
        Ok(())
    }

    /// Entries of one prefix list; without its id they belong to nothing and stay unknown.
    fn entries(
        &mut self,
        items: Value,
        named: Option<&str>,
        truncated: bool,
        place: &str,
    ) -> Result<(), DescribeError> {
        let kept = excerpt(&items);
        let entries = self::items::<super::PrefixListEntry>(ENTRIES, items, place)?;
        match named.map(str::to_owned).or_else(|| prefix_list_id(place)) {
            Some(id) if !truncated => self.prefix_lists.push(PrefixList {
                prefix_list_id: Some(id),
                entries: Some(entries),
                ..PrefixList::default()
            }),
            Some(_) | None => {
                self.unknown.push(Unknown {
                    place: place.to_owned(),
                    member: ENTRIES.to_owned(),
                    value: kept,
                });
            }
        }
        Ok(())
    }
}

/// The items below a top-level key; errors name the member by its path.
pub(super) fn items<T: DeserializeOwned>(
    key: &str,
    items: Value,
    place: &str,
) -> Result<Vec<T>, DescribeError> {
    serde_path_to_error::deserialize::<_, Option<Vec<T>>>(items)
        .map(Option::unwrap_or_default)
        .map_err(|error| {
            let path = match error.path().to_string().as_str() {
                "." => key.to_owned(),
                path => format!("{key}{path}"),
            };
            let problem = Problem::Member {
                path,
                message: error.inner().to_string(),
            };
            DescribeError {
                place: place.to_owned(),
                problem,
            }
        })
}

/// The object that holds the describe keys: the document, or the `data` of a recorded response.
fn unwrap_recorded(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(mut object) => match object.remove("data") {
            Some(Value::Object(data)) if object.contains_key("status_code") => Ok(data),
            Some(data) => {
                object.insert("data".to_owned(), data);
                Ok(object)
            }
            None => Ok(object),
        },
        Value::Array(_) => {
            Err("a bare list; leave `--query` away, the top-level key tells the kind".to_owned())
        }
        other => Err(format!("only {}", excerpt(&other))),
    }
}

/// The prefix list a file names, where it does (`entries-pl-0123456789abcdef0.json`).
fn prefix_list_id(place: &str) -> Option<String> {
    let (_, tail) = place.rsplit_once("pl-")?;
    let hex: String = tail.chars().take_while(char::is_ascii_hexdigit).collect();
    (hex.len() >= 8).then(|| format!("pl-{hex}"))
}

/// Members that hold nothing say nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// JSON text of a value, cut to what a person reads in an alert.
pub(super) fn excerpt(value: &Value) -> String {
    const MOST: usize = 400;
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain("…".chars()).collect()
}

/// The parser's message without its position, which is told beside it.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ")
        .map_or(text.clone(), |(message, _)| message.to_owned())
}
