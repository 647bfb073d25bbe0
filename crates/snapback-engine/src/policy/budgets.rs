//! How much Snapback may write, when it gives up a fight, and how long it waits for quiet.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as people write it: `45s`, `10m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

/// Longest span that a policy may set.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Span {
    /// A span of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds % 3600, seconds % 60) {
            (0, _) => write!(f, "{}h", seconds / 3600),
            (_, 0) => write!(f, "{}m", seconds / 60),
            _ => write!(f, "{seconds}s"),
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [('s', 1_u64), ('m', 60), ('h', 3600)];
        let known = units.iter().find_map(|(unit, seconds)| {
            let number = text.strip_suffix(*unit)?;
            let digits = number.chars().all(|c| c.is_ascii_digit());
            number
                .parse::<u64>()
                .ok()
                .filter(|_| digits)?
                .checked_mul(*seconds)
        });
        known
            .map(Duration::from_secs)
            .filter(|span| !span.is_zero() && *span <= LONGEST)
            .map(Self)
            .ok_or_else(|| {
                format!("{text:?} is no span of time; allowed: 1s to 24h, as in 45s, 10m, 1h")
            })
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

const fn count(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// How much is written before a person must look (anchors.md rule 10). Over a budget Snapback stops
/// writing and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budgets {
    /// EC2 calls of one plan.
    pub calls_a_plan: NonZeroU32,
    /// Reverts of one resource within an hour.
    pub reverts_of_a_resource_an_hour: NonZeroU32,
    /// Resources of the account and Region reverted within ten minutes.
    pub resources_reverted_in_ten_minutes: NonZeroU32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            calls_a_plan: count(100),
            reverts_of_a_resource_an_hour: count(5),
            resources_reverted_in_ten_minutes: count(25),
        }
    }
}

/// When a fight with a controller is given up (semantics C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaker {
    /// How often one identity may put the same change back before the breaker opens.
    pub rounds: NonZeroU32,
    /// Rounds further apart than this are no fight.
    pub window: Span,
    /// How long nothing may come from that identity before the breaker closes by itself.
    pub quiet: Span,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            rounds: count(3),
            window: Span::seconds(3600),
            quiet: Span::seconds(1800),
        }
    }
}

/// When a change is not taken back at once but when its author is quiet (semantics C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quiet {
    /// An author is quiet when nothing came from it for this long.
    pub after: Span,
    /// Nothing is held longer than this.
    pub longest: Span,
    /// So many changes by one author, each within `after` of the one before, are a mass change.
    pub changes: NonZeroU32,
}

impl Default for Quiet {
    fn default() -> Self {
        Self {
            after: Span::seconds(60),
            longest: Span::seconds(600),
            changes: count(10),
        }
    }
}
