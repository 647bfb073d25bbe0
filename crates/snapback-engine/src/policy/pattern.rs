//! Patterns of principals.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A principal pattern: an ARN in which `*` stands for any characters (none, `:` and `/` included)
/// and everything else for itself, case-sensitive, over the whole ARN.
///
/// It is matched against the role behind a session, never the session, so a pattern of a session
/// (`assumed-role/…`) is refused, as is one whose resource is only `*`: it would trust everybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrincipalPattern(String);

impl PrincipalPattern {
    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for this principal.
    pub fn matches(&self, principal: &str) -> bool {
        matches(&self.0, principal)
    }
}

/// Greedy matching: each piece between stars at its first place, the last piece at the end. Linear
/// in the pieces, so a pattern cannot be made to take long.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        match text.split_once(piece) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(tail)
}

impl FromStr for PrincipalPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const ALLOWED: &str = "allowed: the ARN of a role or user, `*` for any characters, as in arn:aws:iam::123456789012:role/deploy-*";
        let refuse = |why: &str| Err(format!("{text:?} {why}; {ALLOWED}"));
        if text.is_empty() || text.chars().all(|c| c == '*') {
            return refuse("would trust everybody");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return refuse("contains blanks");
        }
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, _region, account, resource] = fields.as_slice() else {
            return refuse("is no ARN (six fields)");
        };
        if *arn != "arn" || partition.is_empty() || service.is_empty() || resource.is_empty() {
            return refuse("is no ARN");
        }
        let is_account = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
        if !is_account && !account.contains('*') {
            return refuse("names no account of twelve digits");
        }
        if resource.chars().all(|c| c == '*') {
            return refuse("would trust everybody of the account");
        }
        if *service == "sts" && resource.starts_with("assumed-role/") {
            return refuse(
                "is the ARN of a session, which is never matched: name the role behind it",
            );
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for PrincipalPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PrincipalPattern> for String {
    fn from(pattern: PrincipalPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
