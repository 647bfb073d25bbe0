//! Stage `policy`: the account's rules.
//!
//! - Owns: the policy file, its strict reading, the environment form of the template's parameters.
//! - Takes: YAML text, or named values from the shell.
//! - Gives: [`Policy`], or [`PolicyError`] with line and column.
//! - Must not: read files or the environment itself.

mod pattern;
#[cfg(test)]
mod tests;
mod variables;
mod yaml;

use serde::{Deserialize, Serialize};
use snapback_model::{Kind, Tags, VpcId};
use std::collections::{BTreeMap, BTreeSet};

pub use pattern::PrincipalPattern;

/// What Snapback does about an untrusted difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Changes nothing; shows the plan. The default.
    #[default]
    Observe,
    /// Takes back harm, alerts the rest.
    Enforce,
    /// Takes back every untrusted difference.
    Strict,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
            Self::Strict => "strict",
        })
    }
}

/// A tag that exempts a resource (`snapback:exempt=true`; without a value, any value).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagMatch {
    /// Key.
    pub key: String,
    /// Value; `None` matches any.
    pub value: Option<String>,
}

impl TagMatch {
    /// Whether these tags carry it.
    pub fn matches(&self, tags: &Tags) -> bool {
        tags.get(&self.key)
            .is_some_and(|found| self.value.as_ref().is_none_or(|value| value == found))
    }

    /// A key and a value as people set them.
    fn new(key: &str, value: Option<&str>) -> Result<Self, String> {
        if key.is_empty() || key.trim() != key {
            return Err(format!(
                "{key:?} is no tag key; allowed: a key without blanks around it"
            ));
        }
        if key.starts_with("aws:") {
            return Err(format!(
                "{key:?} is a tag of AWS, nobody can set it; allowed: a key of your own"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.map(ToOwned::to_owned),
        })
    }
}

impl std::fmt::Display for TagMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

/// A VPC id as people write it.
fn vpc_id(text: &str) -> Result<VpcId, String> {
    let known = text
        .strip_prefix("vpc-")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric()));
    if known {
        Ok(VpcId::new(text))
    } else {
        Err(format!("{text:?} is no VPC id; allowed: vpc-…"))
    }
}

/// The account's rules. `Policy::default()` observes everything and trusts nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Mode for every kind without its own.
    pub mode: Mode,
    /// Modes by kind.
    pub kinds: BTreeMap<Kind, Mode>,
    /// Principals whose changes become baseline.
    pub trusted: Vec<PrincipalPattern>,
    /// VPCs guarded; empty guards all.
    pub vpcs: BTreeSet<VpcId>,
    /// Resources whose baseline carries this tag are left alone.
    pub opt_out: Option<TagMatch>,
}

/// Why a policy was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The YAML does not fit.
    #[error("policy {origin}: line {line}, column {column}: {message}")]
    Yaml {
        /// File name or variable.
        origin: String,
        /// One-based.
        line: u64,
        /// One-based.
        column: u64,
        /// What is wrong, and what is allowed there.
        message: String,
    },
    /// A value in the environment does not fit.
    #[error("{variable}: {message}")]
    Variable {
        /// The environment variable.
        variable: String,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

impl Policy {
    /// Reads a policy file strictly: unknown keys and bad values are errors with line and column.
    /// `origin` is the file name (or variable) that errors name.
    ///
    /// ```yaml
    /// mode: enforce            # observe | enforce | strict
    /// kinds: { security-group: enforce, network-acl: observe }
    /// trusted: ["arn:aws:iam::*:role/deploy-*"]
    /// vpcs: [vpc-1]
    /// opt-out: { key: snapback, value: exempt }
    /// ```
    ///
    /// # Errors
    /// [`PolicyError::Yaml`] with the first spot that does not fit and what is allowed there.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, PolicyError> {
        yaml::read(text, origin)
    }

    /// Reads the environment form that `template.yaml` fills:
    /// `SNAPBACK_MODE`, `SNAPBACK_MODE_SECURITY_GROUP`, `SNAPBACK_MODE_NETWORK_ACL`, `SNAPBACK_MODE_ROUTE_TABLE`
    /// (empty inherits), `SNAPBACK_TRUSTED_PRINCIPALS` and `SNAPBACK_VPCS` (comma lists),
    /// `SNAPBACK_OPT_OUT_TAG` (`key` or `key=value`), or `SNAPBACK_POLICY` (the YAML itself, alone).
    /// An empty variable is as good as none. Any other variable that begins like one of these
    /// (`SNAPBACK_MODE…`, `SNAPBACK_TRUST…`, `SNAPBACK_VPC…`, `SNAPBACK_OPT…`, `SNAPBACK_POLIC…`,
    /// in any case) is taken for a typo: an error. Variables beyond are not the policy's business.
    ///
    /// # Errors
    /// [`PolicyError::Variable`], or [`PolicyError::Yaml`] for `SNAPBACK_POLICY`.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, PolicyError> {
        variables::read(variables)
    }

    /// The mode for a kind.
    pub fn mode_of(&self, kind: Kind) -> Mode {
        self.kinds.get(&kind).copied().unwrap_or(self.mode)
    }

    /// Whether changes by this principal are trusted: the role ARN (with its path) behind a session,
    /// or a user's ARN ([`crate::change::Actor::principal`]).
    pub fn trusts(&self, principal: &str) -> bool {
        self.trusted
            .iter()
            .any(|pattern| pattern.matches(principal))
    }

    /// Whether a VPC is guarded. A resource whose VPC is unknown is.
    pub fn guards(&self, vpc: Option<&VpcId>) -> bool {
        vpc.is_none_or(|vpc| self.vpcs.is_empty() || self.vpcs.contains(vpc))
    }

    /// Whether a resource with these (baseline) tags is exempt.
    pub fn exempts(&self, tags: Option<&Tags>) -> bool {
        self.opt_out
            .as_ref()
            .zip(tags)
            .is_some_and(|(tag, tags)| tag.matches(tags))
    }
}
