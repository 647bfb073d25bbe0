//! Stage `policy`: the account's rules.
//!
//! - Owns: the policy file, its strict reading, the environment form of the template's parameters.
//! - Takes: YAML text, or named values from the shell.
//! - Gives: [`Policy`], or [`PolicyError`] with line and column.
//! - Must not: read files or the environment itself.

use serde::{Deserialize, Serialize};
use snapback_model::{Kind, Tags, VpcId};
use std::collections::{BTreeMap, BTreeSet};

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

/// A principal pattern: an ARN in which `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrincipalPattern(String);

/// A tag that exempts a resource (`snapback:exempt=true`; without a value, any value).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagMatch {
    /// Key.
    pub key: String,
    /// Value; `None` matches any.
    pub value: Option<String>,
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
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, PolicyError> {
        let _skeleton = (text, origin);
        todo!("skeleton")
    }

    /// Reads the environment form that `template.yaml` fills:
    /// `SNAPBACK_MODE`, `SNAPBACK_MODE_SECURITY_GROUP`, `SNAPBACK_MODE_NETWORK_ACL`, `SNAPBACK_MODE_ROUTE_TABLE`
    /// (empty inherits), `SNAPBACK_TRUSTED_PRINCIPALS` and `SNAPBACK_VPCS` (comma lists),
    /// `SNAPBACK_OPT_OUT_TAG` (`key` or `key=value`), or `SNAPBACK_POLICY` (the YAML itself, alone).
    /// Any other variable that begins with `SNAPBACK_MODE`, `SNAPBACK_TRUST…` and is unknown is an error.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, PolicyError> {
        let _skeleton = variables;
        todo!("skeleton")
    }

    /// The mode for a kind.
    pub fn mode_of(&self, kind: Kind) -> Mode {
        self.kinds.get(&kind).copied().unwrap_or(self.mode)
    }

    /// Whether changes by this principal ARN are trusted.
    pub fn trusts(&self, principal: &str) -> bool {
        let _skeleton = principal;
        todo!("skeleton")
    }

    /// Whether a VPC is guarded. A resource whose VPC is unknown is.
    pub fn guards(&self, vpc: Option<&VpcId>) -> bool {
        vpc.is_none_or(|vpc| self.vpcs.is_empty() || self.vpcs.contains(vpc))
    }

    /// Whether a resource with these (baseline) tags is exempt.
    pub fn exempts(&self, tags: Option<&Tags>) -> bool {
        let _skeleton = tags;
        todo!("skeleton")
    }
}
