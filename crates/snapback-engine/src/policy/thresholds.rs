//! From which harm on `enforce` acts.

use crate::finding::Severity;
use serde::{Deserialize, Serialize};
use snapback_model::Kind;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Gives an enum of words its text forms: `ALL`, `as_str`, `Display`, and a strict `FromStr`.
macro_rules! words {
    ($name:ident, $what:literal, [$($variant:ident = $text:literal),+ $(,)?]) => {
        impl $name {
            /// Every value, the one that takes back least first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in a policy.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    format!("{text:?} is no threshold of {}; allowed: {}", $what, [$($text),+].join(", "))
                })
            }
        }
    };
}

/// From which severity on `enforce` takes back traffic that became possible. Each value takes back
/// all that the one before it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Openings {
    /// None is taken back.
    #[serde(rename = "none")]
    Never,
    /// What is dangerous now.
    Critical,
    /// What is dangerous. The default.
    #[default]
    High,
    /// What should be looked at.
    Medium,
    /// Whatever is found to open something.
    Low,
}
words!(
    Openings,
    "openings",
    [
        Never = "none",
        Critical = "critical",
        High = "high",
        Medium = "medium",
        Low = "low"
    ]
);

impl Openings {
    /// The line in words, for the reasons of a judgement.
    pub fn line(self) -> String {
        match self {
            Self::Never => "openings are not taken back".to_owned(),
            from => format!("openings from {from}"),
        }
    }

    /// Whether an opening of this severity is taken back.
    pub fn takes(self, severity: Severity) -> bool {
        match self {
            Self::Never => false,
            Self::Critical => severity >= Severity::Critical,
            Self::High => severity >= Severity::High,
            Self::Medium => severity >= Severity::Medium,
            Self::Low => true,
        }
    }
}

/// What `enforce` takes back of changes that cut approved traffic or lead it elsewhere. Each value
/// takes back all that the one before it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Closings {
    /// None is taken back.
    #[serde(rename = "none")]
    Never,
    /// Cuts that are critical.
    Critical,
    /// Cuts of severity high and worse.
    High,
    /// Besides, every approved rule, entry, route or association that is gone, rewritten or moved,
    /// as soon as that moves a packet, whatever its severity. The default.
    #[default]
    Approved,
    /// Besides, every addition that takes any approved traffic, such as a longer route within the
    /// default route.
    Any,
}
words!(
    Closings,
    "closings",
    [
        Never = "none",
        Critical = "critical",
        High = "high",
        Approved = "approved",
        Any = "any"
    ]
);

impl Closings {
    /// The line in words, for the reasons of a judgement.
    pub fn line(self) -> String {
        match self {
            Self::Never => "closings are not taken back".to_owned(),
            Self::Critical | Self::High => format!("closings from {self}"),
            Self::Approved => "closings of approved traffic".to_owned(),
            Self::Any => "any closing".to_owned(),
        }
    }

    /// Whether a cut of this severity is taken back, whoever's element makes it.
    pub fn takes(self, severity: Severity) -> bool {
        match self {
            Self::Never => false,
            Self::Critical => severity >= Severity::Critical,
            Self::High | Self::Approved => severity >= Severity::High,
            Self::Any => true,
        }
    }

    /// Whether an approved element that is gone, rewritten or moved is put back because of that alone.
    pub fn restores_approved(self) -> bool {
        self >= Self::Approved
    }
}

/// The harm that `enforce` takes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Of what became possible.
    pub openings: Openings,
    /// Of approved traffic that was cut or led elsewhere.
    pub closings: Closings,
}

/// Thresholds of one kind; `None` inherits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindThresholds {
    /// Of what became possible.
    #[serde(
        default,
        deserialize_with = "super::given",
        skip_serializing_if = "Option::is_none"
    )]
    pub openings: Option<Openings>,
    /// Of approved traffic that was cut or led elsewhere.
    #[serde(
        default,
        deserialize_with = "super::given",
        skip_serializing_if = "Option::is_none"
    )]
    pub closings: Option<Closings>,
}

/// What the mode `enforce` takes back, for the account and by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enforce {
    /// For every kind without its own.
    #[serde(default)]
    pub openings: Openings,
    /// For every kind without its own.
    #[serde(default)]
    pub closings: Closings,
    /// By kind.
    #[serde(default)]
    pub kinds: BTreeMap<Kind, KindThresholds>,
}

impl Enforce {
    /// The thresholds for a kind.
    pub fn of(&self, kind: Kind) -> Thresholds {
        let own = self.kinds.get(&kind).copied().unwrap_or_default();
        Thresholds {
            openings: own.openings.unwrap_or(self.openings),
            closings: own.closings.unwrap_or(self.closings),
        }
    }
}
