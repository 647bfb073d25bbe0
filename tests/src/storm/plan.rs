//! The whole of one storm, from one number: a value that can be printed, shrunk and played again.

mod draw;
mod hard;

use super::deed::Deed;
use serde::{Deserialize, Serialize};

/// Everything that happens in one world. Times are milliseconds from the beginning, chances are
/// thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Storm {
    /// Where every chance of the world comes from.
    pub seed: u64,
    /// Whether every untrusted difference is taken back, or harm alone.
    pub strict: bool,
    /// How many guards work side by side.
    pub guards: u8,
    /// How far the clocks of the guards and of the sweep go before the true one.
    pub ahead: [i16; 3],
    /// A default VPC beside the realistic one.
    pub default_vpc: bool,
    /// Groups that nothing carries, beside those of the layout.
    pub spare_groups: u8,
    /// An ACL and a table that guard and route nothing yet.
    pub spare_acl: bool,
    /// The same for tables.
    pub spare_table: bool,
    /// Room that the quotas leave over what is there.
    pub room: Option<u8>,
    /// How long it lasts.
    pub lasts: u32,
    /// When the first sweep comes, and how often.
    pub sweep_every: u32,
    /// What people and machines do.
    pub mishaps: Vec<Mishap>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// Processes that die.
    pub crashes: Vec<Crash>,
    /// Tight limits instead of the default ones.
    #[serde(default)]
    pub limits: Option<Limits>,
    /// When a person releases every brake and breaker that is on.
    #[serde(default)]
    pub releases: Vec<u32>,
    /// Whether a person does so once more when all is quiet.
    #[serde(default)]
    pub released_at_end: bool,
    /// Whether a deleted NAT gateway is made again.
    #[serde(default)]
    pub recreate_nat: bool,
}

/// The policy's budgets, breaker and quiet; times are seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the policy's keys")]
pub struct Limits {
    pub calls: u8,
    pub reverts: u8,
    pub resources: u8,
    pub rounds: u8,
    pub window: u16,
    pub quiet: u16,
    pub after: u16,
    pub longest: u16,
    pub changes: u8,
}

impl Limits {
    /// The keys of the policy.
    pub fn yaml(&self) -> String {
        let Self {
            calls,
            reverts,
            resources,
            rounds,
            window,
            quiet,
            after,
            longest,
            changes,
        } = self;
        format!(
            "budgets: {{ calls-a-plan: {calls}, reverts-of-a-resource-an-hour: {reverts}, resources-reverted-in-ten-minutes: {resources} }}\n\
             breaker: {{ rounds: {rounds}, window: {window}s, quiet: {quiet}s }}\n\
             quiet: {{ after: {after}s, longest: {longest}s, changes: {changes} }}\n"
        )
    }
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hand {
    /// Somebody whom the policy does not trust.
    Stranger,
    /// A machine that does it again when it is taken back.
    Controller,
    /// The pipeline, which the policy trusts.
    Trusted,
    /// A deployment tool that nobody trusts: what it does may wait for quiet.
    Tool,
}

/// One thing that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mishap {
    /// When.
    pub at: u32,
    /// By whom.
    pub by: Hand,
    /// What.
    pub deed: Deed,
    /// How often it is done again after it was taken back.
    pub again: u8,
    /// From one call of it to the next.
    #[serde(default = "usual_pace")]
    pub pace: u16,
}

/// As quick as a script.
const fn usual_pace() -> u16 {
    400
}

/// A time in which something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trouble {
    /// From when.
    pub from: u32,
    /// How long.
    pub lasts: u32,
    /// What.
    pub what: Wrong,
}

/// What is wrong for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Wrong {
    Throttled(u16),
    ServerErrors(u16),
    AnswersLost(u16),
    RequestsLost(u16),
    StoreErrors(u16),
    StoreAnswersLost(u16),
    ChannelErrors(u16),
    /// Reads of up to so many milliseconds ago.
    Stale {
        window: u16,
        chance: u16,
    },
    EventsLost(u16),
    EventsDoubled(u16),
    EventsLate {
        chance: u16,
        by: u32,
    },
    /// A wide way: events overtake each other.
    EventsSlow(u32),
    /// The right to an API is withdrawn: one of a list.
    Denied(u8),
    /// EC2 refuses everything by throttling.
    Ec2Down,
    StoreDown,
    InboxDown,
    SnsDown,
    SlackDown,
    /// EC2's own token buckets, from here on.
    Buckets,
}

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Process {
    /// An invocation of the guard.
    Guard,
    /// A sweep.
    Sweep,
    /// A delivery to a channel.
    Notify,
}

/// A process that dies between two of its effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Crash {
    /// Which.
    pub process: Process,
    /// At which of the turns that processes of its kind take.
    pub turn: u16,
}
