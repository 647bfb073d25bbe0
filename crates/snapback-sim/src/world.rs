//! The world: one account with its clock, faults, store and the calls made on it.

use crate::Quotas;
use crate::account::{Account, ApiError, Response};
use crate::call::Call;
use crate::delivery::{Delivery, EventFaults};
use crate::events::{Recorded, envelope};
use crate::faults::{Chaos, Fault, Faults, Interleaved, PlannedFault, Staleness, When};
use crate::principal::Principal;
use crate::process::Process;
use crate::store::Store;
use crate::trail::Written;
use crate::views::Logged;
use jiff::SignedDuration;
use snapback_app::port::{CallError, Metric};
use snapback_engine::execution::classify;
use snapback_model::*;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How much simulated time port calls take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// One describe call.
    pub read: Duration,
    /// One mutating call.
    pub write: Duration,
    /// One store operation.
    pub store: Duration,
    /// One message to a channel.
    pub channel: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            read: Duration::from_millis(45),
            write: Duration::from_millis(110),
            store: Duration::from_millis(6),
            channel: Duration::from_millis(80),
        }
    }
}

/// What a successful call gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOutcome {
    /// EC2's request id.
    pub request: RequestId,
    /// The id of its CloudTrail event.
    pub event: EventId,
    /// Ids that it made: rule ids, an association id, or the id of a new resource.
    pub made: Vec<String>,
}

/// How a mutating call ended, with EC2's whole answer.
pub(crate) struct Performed {
    pub request: RequestId,
    pub event: EventId,
    pub result: Result<Response, ApiError>,
}

impl CallOutcome {
    /// The first id made; empty where the call makes none.
    pub fn first(&self) -> &str {
        self.made.first().map_or("", String::as_str)
    }
}

/// An AWS account in memory with everything around it. Clones share it.
#[derive(Clone)]
pub struct World {
    pub(crate) inner: Arc<Mutex<Inner>>,
    pub(crate) process: Process,
    /// Whose credentials the flow's calls are made with.
    pub(crate) caller: Arc<Principal>,
}

pub(crate) struct Inner {
    pub account: Arc<Account>,
    /// Earlier states with the time until which they were true; kept while reads may be stale.
    pub history: Vec<(Timestamp, Arc<Account>)>,
    pub now: Timestamp,
    pub rng: fastrand::Rng,
    pub delivery: Delivery,
    pub faults: Faults,
    pub store: Store,
    pub latency: Latency,
    pub log: Vec<Logged>,
    pub buried: Vec<(String, String)>,
    pub measured: Vec<(Metric, f64)>,
    pub shown: Vec<crate::channel::Shown>,
    /// Each write that we tried, with the states before and after.
    pub trail: Vec<Written>,
    /// The account when a plan was journalled.
    pub planned: Vec<crate::trail::Planned>,
    /// What waited for its author to be quiet.
    pub holds: Vec<crate::trail::Hold>,
    /// Whether several processes share the world: waiting is then left to who runs them.
    pub shared: bool,
    /// When the first of what the polled process waits for may go on.
    pub wake: Option<Timestamp>,
    /// What the caller is still to wait for: an answer that does not come.
    pub owed: Duration,
    pub buckets: Option<crate::buckets::Buckets>,
    /// Reads that showed an earlier state.
    pub stale_reads: u64,
}

/// The instant at which every world begins: 2026-03-02T09:00:00Z.
const BEGIN: i64 = 1_772_442_000;

impl World {
    pub(crate) fn from_account(account: Account, seed: u64) -> Self {
        let inner = Inner {
            account: Arc::new(account),
            history: Vec::new(),
            now: Timestamp::from_second(BEGIN).unwrap_or_default(),
            rng: fastrand::Rng::with_seed(seed),
            delivery: Delivery::default(),
            faults: Faults::default(),
            store: Store::default(),
            latency: Latency::default(),
            log: Vec::new(),
            buried: Vec::new(),
            measured: Vec::new(),
            shown: Vec::new(),
            trail: Vec::new(),
            planned: Vec::new(),
            holds: Vec::new(),
            shared: false,
            wake: None,
            owed: Duration::ZERO,
            buckets: None,
            stale_reads: 0,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            process: Process {
                name: "world".into(),
                skew: SignedDuration::ZERO,
            },
            caller: Arc::new(Principal::guard()),
        }
    }

    /// A world with the account that a snapshot shows (`snapback_model` reads describe output).
    pub fn from_snapshot(snapshot: &Snapshot, seed: u64) -> Self {
        Self::from_account(Account::load(snapshot, seed), seed)
    }

    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        use_it(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a call as somebody. It succeeds or fails as on EC2, and CloudTrail tells of it.
    ///
    /// # Errors
    /// EC2's refusal. Injected faults strike only the flow's own calls.
    pub fn call(&self, principal: &Principal, call: Call) -> Result<CallOutcome, CallError> {
        self.with(|inner| inner.perform(principal, &call, None))
    }

    /// Lets simulated time pass.
    pub fn advance(&self, duration: Duration) {
        self.with(|inner| inner.pass(duration));
    }

    /// Takes the messages that have arrived in the inbox: events and commands, in order of arrival.
    pub fn deliver(&self) -> Vec<String> {
        self.with(|inner| inner.delivery.due(inner.now))
    }

    /// Lets time pass to the next message on its way and takes what has arrived then; nothing when
    /// no message is on its way.
    pub fn deliver_next(&self) -> Vec<String> {
        self.with(|inner| {
            if let Some(next) = inner.delivery.next() {
                let wait = Duration::try_from(next.duration_since(inner.now)).unwrap_or_default();
                inner.pass(wait);
            }
            inner.delivery.due(inner.now)
        })
    }

    /// How many messages are on their way to the inbox.
    pub fn pending(&self) -> usize {
        self.with(|inner| inner.delivery.pending())
    }

    /// Puts any message into the inbox after a while: a redelivery, a forgery.
    pub fn post(&self, body: impl Into<String>, after: Duration) {
        self.with(|inner| {
            let due = inner.now.checked_add(after).unwrap_or(inner.now);
            inner.delivery.send(body.into(), due);
        });
    }

    /// Sets how events travel from now on.
    pub fn set_event_faults(&self, faults: EventFaults) {
        self.with(|inner| inner.delivery.faults = faults);
    }

    /// Loses the next events.
    pub fn lose_next_events(&self, events: u32) {
        self.with(|inner| inner.delivery.lose_next = events);
    }

    /// Delivers the next event this often more.
    pub fn duplicate_next_event(&self, copies: u32) {
        self.with(|inner| inner.delivery.copies_next = copies);
    }

    /// Makes the next `times` operations that match fail (patterns: see [`Fault`]).
    pub fn fail(&self, pattern: &str, fault: Fault, times: u32) {
        self.fail_later(pattern, 0, fault, times);
    }

    /// Lets `skip` matching operations through first.
    pub fn fail_later(&self, pattern: &str, skip: u32, fault: Fault, times: u32) {
        let planned = PlannedFault {
            pattern: pattern.into(),
            fault,
            skip,
            left: Some(times),
            until: None,
        };
        self.with(|inner| inner.faults.planned.push(planned));
    }

    /// Makes every matching operation fail for a while of simulated time.
    pub fn outage(&self, pattern: &str, fault: Fault, duration: Duration) {
        self.with(|inner| {
            let until = inner.now.checked_add(duration).ok();
            inner.faults.planned.push(PlannedFault {
                pattern: pattern.into(),
                fault,
                skip: 0,
                left: None,
                until,
            });
        });
    }

    /// Ends every planned fault, chance and staleness.
    pub fn heal(&self) {
        self.with(|inner| {
            inner.faults.planned.clear();
            inner.faults.chaos = Chaos::default();
            inner.faults.staleness = None;
        });
    }

    /// Lets every read show the truth again.
    pub fn clear_staleness(&self) {
        self.with(|inner| inner.faults.staleness = None);
    }

    /// Lets faults strike by chance.
    pub fn set_chaos(&self, chaos: Chaos) {
        self.with(|inner| inner.faults.chaos = chaos);
    }

    /// Makes reads lag behind writes.
    pub fn set_staleness(&self, staleness: Staleness) {
        self.with(|inner| inner.faults.staleness = Some(staleness));
    }

    /// Runs a user's call between two of ours.
    pub fn interleave(&self, when: When, principal: Principal, call: Call) {
        self.with(|inner| {
            let when = match when {
                When::BeforeAct(n) => When::BeforeAct(inner.faults.acts.saturating_add(n)),
                When::AfterAct(n) => When::AfterAct(inner.faults.acts.saturating_add(n)),
                When::AfterObserve(n) => {
                    When::AfterObserve(inner.faults.observes.saturating_add(n))
                }
            };
            inner.faults.interleaved.push(Interleaved {
                when,
                principal,
                call,
            });
        });
    }

    /// Changes the account's quotas.
    pub fn set_quotas(&self, quotas: Quotas) {
        self.with(|inner| Arc::make_mut(&mut inner.account).quotas = quotas);
    }

    /// Whether CreateRoute of a route that is there already, target and all, succeeds
    /// (semantics.md G2 leaves it open; refused unless set).
    pub fn set_identical_route_succeeds(&self, succeeds: bool) {
        self.with(|inner| Arc::make_mut(&mut inner.account).identical_route_succeeds = succeeds);
    }

    /// Turns EC2's own throttling (token buckets, semantics E) on or off; off at the beginning.
    pub fn set_token_buckets(&self, on: bool) {
        self.with(|inner| inner.buckets = on.then(Default::default));
    }

    /// Sets how long a NAT gateway is `pending` or `deleting`; 90 s at the beginning.
    pub fn set_nat_settles(&self, after: Duration) {
        self.with(|inner| Arc::make_mut(&mut inner.account).nat_settles = after);
    }

    /// Puts the account that a snapshot shows in the place of this one: quotas stay, history does not.
    pub fn load(&self, snapshot: &Snapshot) {
        self.with(|inner| {
            let mut loaded = Account::load(snapshot, inner.rng.u64(..));
            loaded.quotas = inner.account.quotas;
            loaded.nat_settles = inner.account.nat_settles;
            loaded.identical_route_succeeds = inner.account.identical_route_succeeds;
            inner.account = Arc::new(loaded);
            inner.history.clear();
        });
    }

    /// Sets the world's clock, back too: for a world that goes by a watcher's clock from its beginning.
    pub fn begin_at(&self, instant: Timestamp) {
        self.with(|inner| inner.now = instant);
    }

    /// Lets time pass up to an instant; an earlier one changes nothing. A world that is watched from
    /// outside goes by its watcher's clock.
    pub fn advance_to(&self, instant: Timestamp) {
        self.with(|inner| inner.pass_to(instant));
    }

    /// When the next message is due, where one is on its way.
    pub fn next_message(&self) -> Option<Timestamp> {
        self.with(|inner| inner.delivery.next())
    }

    /// Sets how long port calls take.
    pub fn set_latency(&self, latency: Latency) {
        self.with(|inner| inner.latency = latency);
    }
}

impl Inner {
    pub fn pass(&mut self, duration: Duration) {
        self.now = self.now.checked_add(duration).unwrap_or(self.now);
        if self
            .account
            .transitions
            .iter()
            .any(|(at, _, _)| *at <= self.now)
        {
            let mut account = Account::clone(&self.account);
            account.settle(self.now);
            self.replace_account(account);
        }
    }

    /// Time that a call takes: it passes here unless the world is shared, where its caller waits.
    pub fn lapse(&mut self, duration: Duration) {
        if !self.shared {
            self.pass(duration);
        }
    }

    /// The time until a caller gives an answer up.
    pub fn no_answer(&mut self, patience: Duration) {
        if self.shared {
            self.owed = self.owed.saturating_add(patience);
        } else {
            self.pass(patience);
        }
    }

    pub fn pass_to(&mut self, instant: Timestamp) {
        let ahead = Duration::try_from(instant.duration_since(self.now)).unwrap_or_default();
        self.pass(ahead);
    }

    pub fn replace_account(&mut self, account: Account) {
        let old = std::mem::replace(&mut self.account, Arc::new(account));
        match self.faults.staleness {
            Some(staleness) => {
                let now = self.now;
                self.history.retain(|(until, _)| {
                    until
                        .checked_add(staleness.window)
                        .is_ok_and(|end| end >= now)
                });
                self.history.push((now, old));
            }
            None => self.history.clear(),
        }
    }

    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        let bits = (u128::from(high) << 64) | u128::from(low);
        let text = format!("{bits:032x}");
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-4{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    }

    /// One mutating call: effect, log, event. `refusal` refuses it before EC2 looks at it.
    pub fn perform(
        &mut self,
        principal: &Principal,
        call: &Call,
        refusal: Option<ApiError>,
    ) -> Result<CallOutcome, CallError> {
        let performed = self.perform_whole(principal, call, refusal);
        match performed.result {
            Ok(response) => Ok(CallOutcome {
                request: performed.request,
                event: performed.event,
                made: made(&response),
            }),
            Err(error) => Err(CallError {
                operation: call.api().to_owned(),
                resource: call.subject(),
                class: classify(error.code),
                code: error.code.to_owned(),
                message: error.message,
                request: Some(performed.request),
            }),
        }
    }

    /// The same, with everything that EC2 gives back.
    pub fn perform_whole(
        &mut self,
        principal: &Principal,
        call: &Call,
        refusal: Option<ApiError>,
    ) -> Performed {
        let request = RequestId::new(self.uuid());
        let event = self.uuid();
        let mut account = Account::clone(&self.account);
        let result = match refusal {
            Some(refusal) => Err(refusal),
            None => account.execute(call, self.now),
        };
        if result.is_ok() {
            self.replace_account(account);
        }
        let recorded = Recorded {
            principal,
            call,
            result: result.as_ref(),
            request: &request,
            event: event.clone(),
            at: self.now,
            account: &Arc::clone(&self.account),
        };
        let envelope_id = self.uuid();
        let message = envelope(&recorded, &envelope_id);
        self.delivery.publish(&message, self.now, &mut self.rng);
        self.log.push(Logged {
            at: self.now,
            by: principal.arn(),
            api: call.api().to_owned(),
            resource: call.subject(),
            error: result.as_ref().err().map(|error| error.code.to_owned()),
            read: false,
            request: Some(request.clone()),
        });
        Performed {
            request,
            event: EventId::new(event),
            result,
        }
    }

    /// What a read may see now: the truth, or an earlier state.
    pub fn visible(&mut self) -> Arc<Account> {
        let Some(staleness) = self.faults.staleness else {
            return Arc::clone(&self.account);
        };
        if self.rng.f64() >= staleness.chance {
            return Arc::clone(&self.account);
        }
        let window = u64::try_from(staleness.window.as_millis()).unwrap_or(u64::MAX);
        let age = Duration::from_millis(self.rng.u64(0..=window));
        let seen = self.now.checked_sub(age).unwrap_or(self.now);
        let old = self
            .history
            .iter()
            .find(|(until, _)| *until > seen)
            .map(|(_, account)| Arc::clone(account));
        if old.is_some() {
            self.stale_reads = self.stale_reads.saturating_add(1);
        }
        old.unwrap_or_else(|| Arc::clone(&self.account))
    }

    pub fn run_interleaved(&mut self, when: When) {
        for waiting in self.faults.due(when) {
            // A user's failed call is in the log and in CloudTrail like any other.
            let _told_there = self.perform(&waiting.principal, &waiting.call, None);
        }
    }
}

fn made(response: &Response) -> Vec<String> {
    match response {
        Response::Done | Response::Revoked { .. } => Vec::new(),
        Response::Authorized(rules) => rules.iter().map(|(id, _)| id.to_string()).collect(),
        Response::Group(id) => vec![id.to_string()],
        Response::Acl(id) => vec![id.to_string()],
        Response::Table(id) => vec![id.to_string()],
        Response::Association(id) => vec![id.to_string()],
        Response::Subnet(id) => vec![id.to_string()],
        Response::Interface(id) => vec![id.to_string()],
        Response::Vpc(id) => vec![id.to_string()],
        Response::Nat(id) | Response::Gateway(id) | Response::Address(id) => vec![id.clone()],
        Response::FlowLogs(ids) => ids.clone(),
        Response::PrefixList { id, .. } => vec![id.to_string()],
    }
}
