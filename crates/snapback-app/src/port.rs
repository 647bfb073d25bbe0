//! The ports: what the flow needs from the world. Split by capability, so that a function's bounds
//! are its rights: code that cannot name [`Actuate`] cannot change EC2.

use serde::{Deserialize, Serialize};
use snapback_engine::execution::ErrorClass;
use snapback_engine::incident::{
    AccountRecord, Activity, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_engine::notification::Notification;
use snapback_engine::plan::Action;
use snapback_model::*;
use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

/// Bytes that an entry of the journal may have: DynamoDB takes items of 400 KB; keys and conditions need
/// some of it.
pub const ITEM_MAX: usize = 350_000;

/// A failed call to a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} on {resource}: {code}: {message}")]
pub struct CallError {
    /// The API (`DescribeSecurityGroupRules`).
    pub operation: String,
    /// What it was about.
    pub resource: String,
    /// The service's code (`UnauthorizedOperation`), or `Timeout`, `Dispatch` where none came.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// What it means.
    pub class: ErrorClass,
    /// EC2's request id, where one came.
    pub request: Option<RequestId>,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything of the account and Region, with context.
    Everything,
    /// Rules (with ids, tags, descriptions) of one group in one call; the group itself only where it has no rules.
    Group(SecurityGroupId),
    /// A group by name (any VPC), with its rules.
    GroupNamed(String),
    /// All ACLs of a VPC with their associations, one call.
    AclsOf(VpcId),
    /// One ACL by id: its VPC is not known.
    Acl(NetworkAclId),
    /// All route tables of a VPC with their associations, one call.
    TablesOf(VpcId),
    /// One table by id: its VPC is not known.
    Table(RouteTableId),
    /// Managed prefix lists with their entries, of those that people keep. A list that is not shared
    /// with us any more is absent.
    Lists(BTreeSet<PrefixListId>),
    /// The NAT gateways of a VPC, those deleted within the hour too, and the account's Elastic
    /// addresses where they may be read.
    NatGatewaysOf(VpcId),
}

/// Reads EC2. Pages to the end; retries are the flow's.
pub trait Observe {
    /// Reads fresh. Coverage in the snapshot tells what was read completely. A resource that is
    /// gone is absent from a covered snapshot, not an error.
    fn observe(&self, scope: &Scope) -> impl Future<Output = Result<Snapshot, CallError>> + Send;
}

/// What EC2 said to a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// EC2's request id.
    pub request: Option<RequestId>,
    /// The id of what a create call made.
    pub created: Option<CreatedId>,
    /// The id of the association that the call made: each replace gives a new one.
    pub association: Option<AssociationId>,
}

/// Writes EC2: one call, no retry of its own.
pub trait Actuate {
    /// Makes one call. `handles` are fresh and hold the association ids that the action needs.
    fn act(
        &self,
        action: &Action,
        handles: &Handles,
    ) -> impl Future<Output = Result<Receipt, CallError>> + Send;
}

/// What a decision needs from the state table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Baselines by id.
    pub resources: BTreeSet<ResourceId>,
    /// Baselines that know these association ids.
    pub associations: BTreeSet<AssociationId>,
    /// All ACL or table baselines of VPCs.
    pub vpcs: BTreeSet<(Kind, VpcId)>,
    /// All baselines of a kind, or everything.
    pub everything: bool,
    /// Without the topology: it is known already.
    pub only_states: bool,
}

/// A failed storage operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first: read again.
    #[error("{what} was changed meanwhile")]
    Conflict {
        /// Which record.
        what: String,
    },
    /// The store did not do it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A stored record does not read back.
    #[error("stored record {what} does not read back: {message}")]
    Corrupt {
        /// Which record.
        what: String,
        /// Why.
        message: String,
    },
}

/// Reads baselines.
pub trait BaselineRead {
    /// The baselines wanted, with the captured topology of their VPCs (`everything`: all of it) and
    /// what the last sweep since saw of them.
    /// `None` when nothing was ever captured in this account and Region.
    fn baselines(
        &self,
        wanted: &Wanted,
    ) -> impl Future<Output = Result<Option<Baselines>, StoreError>> + Send;
}

/// Writes baselines.
pub trait BaselineWrite {
    /// Writes each on the condition that the stored generation is the one before (0: none stored).
    /// All or none for up to 50; beyond that, in order, stopping at the first conflict.
    fn put_baselines(
        &self,
        baselines: &[Baseline],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Stores the topology seen at a capture. What was seen before it counts no longer.
    fn put_topology(
        &self,
        topology: &Topology,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Stores the topology seen by a sweep beside the captured one, until the next capture. A
    /// conflict is a sweep beside this one that was quicker.
    fn put_seen(&self, topology: &Topology) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Generations of one page of [`Generations::generations`] at most.
pub const GENERATIONS_PAGE: usize = 50;

/// Reads what baselines were: [`BaselineWrite::put_baselines`] keeps every generation that it writes, in
/// the same transaction, and none is ever changed or deleted.
pub trait Generations {
    /// The generations of a resource, newest first: one page, of at most [`GENERATIONS_PAGE`] of those
    /// before `before`. An empty page is the end. What was written before generations were kept is
    /// not there.
    fn generations(
        &self,
        resource: &ResourceId,
        before: Option<Generation>,
    ) -> impl Future<Output = Result<Vec<Baseline>, StoreError>> + Send;
    /// The baseline that stood at a moment: the newest generation whose provenance is not later.
    fn generation_at(
        &self,
        resource: &ResourceId,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Baseline>, StoreError>> + Send;
}

/// The journal and the records that guard it.
pub trait Journal {
    /// The record of a resource, a new one where none is stored.
    fn record(
        &self,
        resource: &ResourceId,
    ) -> impl Future<Output = Result<ResourceRecord, StoreError>> + Send;
    /// The lease of a scope, a new one where none is stored.
    fn lease(&self, scope: &LeaseScope) -> impl Future<Output = Result<Lease, StoreError>> + Send;
    /// What is counted for the account and Region.
    fn account(&self) -> impl Future<Output = Result<AccountRecord, StoreError>> + Send;
    /// What is counted for an author of changes, a new one where nothing is stored.
    fn activity(
        &self,
        principal: &str,
    ) -> impl Future<Output = Result<Activity, StoreError>> + Send;
    /// Writes each record on the condition that its stored version is the one before, and appends
    /// the entries on the condition that their numbers are free: all or nothing, one round trip.
    /// Request ids of ended steps become known to [`Journal::is_ours`] with it.
    fn commit(&self, commit: &Commit<'_>) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The entries of a story in order.
    fn entries(
        &self,
        incident: &IncidentId,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;
    /// Whether a request id is one of our calls.
    fn is_ours(&self, request: &RequestId)
    -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Records with an open story.
    fn unfinished(&self) -> impl Future<Output = Result<Vec<ResourceRecord>, StoreError>> + Send;
}

/// A command to the guard through its inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "snapback")]
pub enum Command {
    /// Look at a resource again.
    Recheck {
        /// Which.
        resource: ResourceId,
        /// Why: `missed`, `unfinished`, or a person's words.
        why: RecheckReason,
        /// When the sweep saw it.
        asked_at: Timestamp,
    },
    /// A person takes the brake off: counting begins anew, and what waited is looked at.
    Release {
        /// What.
        what: Braked,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// An author whose changes wait may be quiet now.
    Quiet {
        /// The author.
        principal: String,
        /// The moment it was asked for, as the author's activity names it: by the clock of who asked.
        due: Timestamp,
    },
}

/// What a brake may be on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Braked {
    /// The account in this Region.
    Account,
    /// One resource: its brake, and its breaker.
    Resource(ResourceId),
}

/// Why a resource is looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecheckReason {
    /// Drift that no event told of.
    Missed,
    /// An open story without a holder.
    Unfinished,
    /// A person asked, in their words.
    Asked(String),
    /// Its breaker may close: the controller was quiet.
    Calm,
}

/// The longest delay of a message (SQS).
pub const DELAY_MAX: Duration = Duration::from_secs(900);

/// Sends to the guard's inbox.
pub trait Inbox {
    /// Sends one command, to arrive after `delay` (at most [`DELAY_MAX`]; zero: at once).
    fn send(
        &self,
        command: &Command,
        delay: Duration,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
    /// Sends an event that never came by itself: a bare CloudTrail record.
    fn forward(&self, record: &str) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Takes messages that are no event and no command.
pub trait DeadLetter {
    /// Puts the raw message away with the reason.
    fn bury(&self, body: &str, reason: &str) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{channel}: {message}")]
pub struct DeliverError {
    /// `sns` or `slack`.
    pub channel: &'static str,
    /// What happened, no secrets.
    pub message: String,
    /// Whether trying again can help.
    pub retry: bool,
    /// When the channel asked to come back.
    pub retry_after: Option<Duration>,
}

/// A channel to people.
pub trait Channel {
    /// `sns` or `slack`.
    fn name(&self) -> &'static str;
    /// Sends one message; retries are the flow's.
    fn deliver(
        &self,
        message: &Notification,
    ) -> impl Future<Output = Result<(), DeliverError>> + Send;
}

/// Remembers what each channel has shown.
pub trait Deliveries {
    /// Whether this message was shown on this channel.
    fn was_delivered(
        &self,
        channel: &str,
        key: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Notes that it was.
    fn mark_delivered(
        &self,
        channel: &str,
        key: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The account's own history of events, for drift that no event told of. Slow, shared by the whole
/// account and best effort: never on the guard's path.
pub trait EventHistory {
    /// Bare CloudTrail records that name the resource, newest first, as the `event` stage reads
    /// them. Bounded: the newest hundred or so. Events appear some minutes after their calls.
    fn events_about(
        &self,
        resource: &ResourceId,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
}

/// Numbers for dashboards and alarms (CloudWatch EMF on stdout in Lambdas).
pub trait Meter {
    /// Counts or times something: `Reverted` 1, `GuardMillis` 84.
    fn measure(&self, metric: Metric, value: f64);
}

/// The metrics, names fixed here and used by template alarms and dashboards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Stories that ended reverted.
    Reverted,
    /// Stories that ended with an alert.
    Alerted,
    /// Stories that ended failed, refused or blind.
    Failed,
    /// Drift found by the sweep that no event told of.
    MissedEvents,
    /// Messages buried as malformed.
    Malformed,
    /// Calls with our role that are not in the journal.
    Impostor,
    /// A sweep ended (its absence is the alarm).
    Heartbeat,
    /// Milliseconds from event time to arrival.
    EventAgeMillis,
    /// Milliseconds from arrival to verified.
    GuardMillis,
    /// Messages not delivered to a channel.
    NotDelivered,
    /// Brakes put on and breakers opened.
    Braked,
}
