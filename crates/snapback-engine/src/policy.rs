//! Stage `policy`: the account's rules.
//!
//! - Owns: the policy file, its strict reading, the environment form of the template's parameters.
//! - Takes: YAML text, or named values from the shell.
//! - Gives: [`Policy`], or [`PolicyError`] with line and column.
//! - Must not: read files or the environment itself.

mod allowed;
mod budgets;
mod effective;
mod exception;
mod experiments;
mod pattern;
#[cfg(test)]
mod tests;
mod thresholds;
mod variables;
mod yaml;

use crate::change::Change;
use crate::finding::HouseRules;
use serde::{Deserialize, Serialize};
use snapback_model::{Kind, Tags, Timestamp, VpcId};
use std::collections::{BTreeMap, BTreeSet};

pub use allowed::AllowedTargets;
pub use budgets::{Breaker, Budgets, Quiet, Span};
pub use effective::Setting;
pub(crate) use effective::word;
pub use exception::Exception;
pub use experiments::Experiments;
pub use pattern::PrincipalPattern;
pub use thresholds::{Closings, Enforce, KindThresholds, Openings, Thresholds};
pub use variables::VARIABLES;

/// What Snapback does about an untrusted difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Changes nothing; shows the plan. The default.
    #[default]
    Observe,
    /// Takes back harm ([`Enforce`] says which), alerts the rest.
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
        Ok(Self {
            key: tag_key(key)?,
            value: value.map(ToOwned::to_owned),
        })
    }
}

/// A tag key as people write it.
fn tag_key(key: &str) -> Result<String, String> {
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
    Ok(key.to_owned())
}

impl std::fmt::Display for TagMatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.key),
            None => f.write_str(&self.key),
        }
    }
}

/// A value that is either left out or there: a key with nothing behind it is a slip, and must not
/// widen what the other keys say.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
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
    /// The harm that the mode `enforce` takes back.
    #[serde(default)]
    pub enforce: Enforce,
    /// What is told and not acted on for a while.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// Tags that every guarded resource should carry; whose absence is found (`TAG-MISSING`).
    #[serde(default)]
    pub required_tags: BTreeSet<String>,
    /// What is made again where it was deleted.
    #[serde(default)]
    pub recreate: Recreate,
    /// Whether a plan that interrupts traffic on its way runs without a person.
    #[serde(default)]
    pub interruptions: Interruptions,
    /// How much is written before a person must look.
    #[serde(default)]
    pub budgets: Budgets,
    /// When a fight with a controller is given up.
    #[serde(default)]
    pub breaker: Breaker,
    /// When a change is taken back only once its author is quiet.
    #[serde(default)]
    pub quiet: Quiet,
    /// Routes with several allowed states.
    #[serde(default)]
    pub allowed_targets: Vec<AllowedTargets>,
    /// Fault injections that are left alone while they run; `None` leaves none alone.
    #[serde(default)]
    pub experiments: Option<Experiments>,
}

/// What becomes of a plan for which no safe path exists (design.md principle 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interruptions {
    /// It does not run: the alert holds it with what it would interrupt, a person runs it. The default.
    #[default]
    Forbid,
    /// It runs.
    Allow,
}

impl Interruptions {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Forbid, Self::Allow];
}

impl std::fmt::Display for Interruptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Forbid => "forbid",
            Self::Allow => "allow",
        })
    }
}

impl std::str::FromStr for Interruptions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|value| value.to_string() == text).ok_or_else(|| {
            format!("{text:?} says nothing of interruptions; allowed: forbid, allow")
        })
    }
}

/// What is made again where it was deleted, where the mode takes back. All guarded kinds, unless the
/// policy says otherwise: who enforces expects what was deleted to come back. NAT gateways only where
/// the policy says so: they cost money by the hour, and take minutes to come up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recreate {
    /// Security groups.
    pub security_group: bool,
    /// Network ACLs.
    pub network_acl: bool,
    /// Route tables.
    pub route_table: bool,
    /// NAT gateways that good routes lead to.
    pub nat: bool,
}

impl Default for Recreate {
    fn default() -> Self {
        Self {
            security_group: true,
            network_acl: true,
            route_table: true,
            nat: false,
        }
    }
}

impl Recreate {
    /// Whether a deleted resource of this kind is made again.
    pub fn of(self, kind: Kind) -> bool {
        match kind {
            Kind::SecurityGroup => self.security_group,
            Kind::NetworkAcl => self.network_acl,
            Kind::RouteTable => self.route_table,
        }
    }
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
    /// enforce:
    ///   openings: high         # critical | high | medium | low | none
    ///   closings: approved     # critical | high | approved | any | none
    ///   kinds: { route-table: { openings: medium } }
    /// exceptions:
    ///   - { code: SG-WORLD-ANY, resource: sg-1, until: 2026-12-31, why: the partner moves }
    /// required-tags: [Owner]
    /// recreate: { route-table: false, nat: true }   # each kind is true unless told otherwise, nat is false
    /// interruptions: forbid    # forbid | allow: a plan that cuts approved traffic on its way
    /// budgets:
    ///   calls-a-plan: 100
    ///   reverts-of-a-resource-an-hour: 5
    ///   resources-reverted-in-ten-minutes: 25
    /// breaker: { rounds: 3, window: 1h, quiet: 30m }
    /// quiet: { after: 60s, longest: 10m, changes: 10 }
    /// allowed-targets:                   # several allowed states of a route: nobody fights a fail-over
    ///   - { tables: [rtb-1], destination: 0.0.0.0/0, targets: [nat-1, nat-2] }
    ///   - { tag: { key: tier, value: private }, destination: 0.0.0.0/0, targets: [nat-1, eni-1] }
    /// experiments: { tag: managedByFIS=true, longest: 1h }   # what AWS FIS does, while it runs
    /// ```
    ///
    /// # Errors
    /// [`PolicyError::Yaml`] with the first spot that does not fit and what is allowed there.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, PolicyError> {
        yaml::read(text, origin)
    }

    /// Reads the environment form that `template.yaml` fills:
    /// `SNAPBACK_MODE`, `SNAPBACK_MODE_SECURITY_GROUP`, `SNAPBACK_MODE_NETWORK_ACL`, `SNAPBACK_MODE_ROUTE_TABLE`
    /// (empty inherits), `SNAPBACK_ENFORCE_OPENINGS`, `SNAPBACK_ENFORCE_CLOSINGS`,
    /// `SNAPBACK_INTERRUPTIONS`, `SNAPBACK_TRUSTED_PRINCIPALS`, `SNAPBACK_VPCS` and `SNAPBACK_REQUIRED_TAGS` (comma lists),
    /// `SNAPBACK_OPT_OUT_TAG` (`key` or `key=value`), `SNAPBACK_BUDGET_CALLS_A_PLAN`,
    /// `SNAPBACK_BUDGET_REVERTS_OF_A_RESOURCE_AN_HOUR`,
    /// `SNAPBACK_BUDGET_RESOURCES_REVERTED_IN_TEN_MINUTES`, `SNAPBACK_BREAKER_ROUNDS`,
    /// `SNAPBACK_BREAKER_WINDOW`, `SNAPBACK_BREAKER_QUIET`, `SNAPBACK_QUIET_AFTER`,
    /// `SNAPBACK_QUIET_LONGEST`, `SNAPBACK_QUIET_CHANGES`, or `SNAPBACK_POLICY` (the YAML itself, alone:
    /// the only way to set thresholds by kind and exceptions).
    /// An empty variable is as good as none. Any other variable that begins like one of these
    /// (`SNAPBACK_MODE…`, `SNAPBACK_ENFORCE…`, `SNAPBACK_TRUST…`, `SNAPBACK_VPC…`, `SNAPBACK_OPT…`,
    /// `SNAPBACK_REQUIRE…`, `SNAPBACK_INTERRUPT…`, `SNAPBACK_EXCEPT…`, `SNAPBACK_POLIC…`,
    /// `SNAPBACK_BUDGET…`, `SNAPBACK_BREAKER…`, `SNAPBACK_QUIET…`, in any case) is taken for a typo:
    /// an error. Variables beyond are not the policy's business.
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

    /// Whether a change becomes baseline: its principal is trusted. What an experiment does never
    /// does: it is to be undone, whatever role it runs with.
    pub fn accepts(&self, change: &Change) -> bool {
        let experiments = self.experiments.as_ref();
        self.trusts(&change.actor.principal)
            && !experiments.is_some_and(|experiments| experiments.made(change))
    }

    /// Whether a VPC is guarded. A resource whose VPC is unknown is.
    pub fn guards(&self, vpc: Option<&VpcId>) -> bool {
        vpc.is_none_or(|vpc| self.vpcs.is_empty() || self.vpcs.contains(vpc))
    }

    /// What the house asks of tags, with the moment that expiries are compared with.
    pub fn house(&self, now: Timestamp) -> HouseRules {
        HouseRules {
            required_tags: self.required_tags.clone(),
            now: Some(now),
        }
    }

    /// Whether a resource with these (baseline) tags is exempt.
    pub fn exempts(&self, tags: Option<&Tags>) -> bool {
        self.opt_out
            .as_ref()
            .zip(tags)
            .is_some_and(|(tag, tags)| tag.matches(tags))
    }
}
