//! `guard`: one message from the inbox, from its bytes to a verified end.
//!
//! - Owns: what a message is, the order of its handling, when it must come again.
//! - Takes: an EventBridge envelope, a bare CloudTrail record, or a [`Command`].
//! - Gives: [`Handled`], or [`GuardError`]: deliver it again.
//! - Must not: decide what is harmful, lose a message, act on an event's word.

mod accept;
mod attend;
mod context;
mod early;
mod experiment;
mod gateways;
pub(crate) mod halt;
mod lists;
mod locate;
mod look;
mod newborn;
mod notices;
mod origin;
mod outcome;
mod quiet;
mod release;

pub(crate) use locate::{Focus, Spot};
pub(crate) use look::{Rights, Scene};
pub use outcome::{Ended, Ending, GuardError, Handled};

use crate::patience::{Pace, between, millis};
use crate::port::{Command, Metric, RecheckReason};
use crate::rights::GuardPorts;
use snapback_engine::change::{self, Change, IgnoreReason, Interpretation, Own, Touched};
use snapback_engine::event;
use snapback_engine::execution::Limits;
use snapback_engine::incident::{Cause, Entry};
use snapback_engine::policy::Policy;
use snapback_model::{Digest, IncidentId, ResourceId, Timestamp, VpcId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The guard: its ports, and what it goes by.
#[derive(Debug, Clone)]
pub struct Guard<P> {
    /// The world.
    pub ports: P,
    /// The account's rules.
    pub policy: Policy,
    /// Who we are.
    pub own: Own,
    /// Limits of one revert.
    pub limits: Limits,
    /// Who holds leases: this process, or this Lambda instance.
    pub holder: String,
}

/// One delivery of one message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its bytes.
    pub body: &'a str,
    /// When it was received.
    pub arrived: Timestamp,
    /// When the time of this invocation is over.
    pub deadline: Timestamp,
    /// Whether the queue gives it up after this try.
    pub last_try: bool,
}

/// The handling of one message.
pub(crate) struct Visit<'g, P> {
    pub guard: &'g Guard<P>,
    pub holder: String,
    pub arrived: Timestamp,
    pub deadline: Timestamp,
    pub last_try: bool,
    /// Whether a read shows all: where no fresh event tells what to look for, and where people know
    /// of a difference that a quick read would miss.
    thorough: AtomicBool,
    /// Whether a person runs it, not the guard.
    pub by_person: bool,
    listener: Option<Listener<'g>>,
    agenda: Mutex<Agenda>,
}

/// Hears each journal entry of a person's story once it is written.
pub type Listener<'a> = &'a (dyn Fn(&Entry) + Send + Sync);

/// Places to look at in this visit once what is looked at now is done.
#[derive(Debug, Default)]
struct Agenda {
    next: BTreeMap<Spot, Focus>,
    /// After all of those.
    later: BTreeMap<Spot, Focus>,
    /// Which incident led to a resource.
    whole: BTreeMap<ResourceId, IncidentId>,
    /// Gateways that an event of this visit tells of: what is known of them may be over.
    doubted: BTreeSet<String>,
    /// A command asks for another look: nothing that is remembered counts.
    doubts_all: bool,
}

impl Agenda {
    fn take(&mut self) -> BTreeMap<Spot, Focus> {
        if self.next.is_empty() {
            std::mem::take(&mut self.later)
        } else {
            std::mem::take(&mut self.next)
        }
    }
}

/// Places that lead to further places are followed this often in one visit.
const FOLLOWED_MAX: usize = 8;

/// What made us look.
#[derive(Debug, Clone)]
pub(crate) struct Matter {
    pub cause: Cause,
    pub change: Option<Box<Change>>,
    pub trusted: bool,
    /// Its author is quiet, or a person asked: nothing waits.
    pub settled: bool,
}

impl Matter {
    /// The change to judge by: a trusted one is part of the baseline and judges nothing.
    pub fn stranger(&self) -> Option<&Change> {
        self.change.as_deref().filter(|_| !self.trusted)
    }
}

fn is_context(touched: &Touched) -> bool {
    matches!(touched, Touched::Context { .. })
}

enum Inbound {
    Command(Command),
    Event(Interpretation),
    Malformed(String),
}

impl<P: GuardPorts> Guard<P> {
    /// A guard with the default limits.
    pub fn new(ports: P, policy: Policy, own: Own, holder: impl Into<String>) -> Self {
        Self {
            ports,
            policy,
            own,
            limits: Limits::default(),
            holder: holder.into(),
        }
    }

    /// Handles one message that the queue will bring again on an error.
    ///
    /// # Errors
    /// [`GuardError`]: the message must be delivered again.
    pub async fn handle(
        &self,
        body: &str,
        arrived: Timestamp,
        deadline: Timestamp,
    ) -> Result<Handled, GuardError> {
        self.handle_message(Message {
            body,
            arrived,
            deadline,
            last_try: false,
        })
        .await
    }

    /// Handles one message.
    ///
    /// # Errors
    /// [`GuardError`]: the message must be delivered again; on the last try it goes to the
    /// dead-letter queue, and people were told where nothing could be read.
    pub async fn handle_message(&self, message: Message<'_>) -> Result<Handled, GuardError> {
        let token = Digest::of(&(message.body, message.arrived));
        let inbound = self.inbound(message.body);
        let visit = Visit {
            guard: self,
            thorough: AtomicBool::new(!is_fresh(message.body)),
            holder: format!("{}/{}", self.holder, token.short()),
            arrived: message.arrived,
            deadline: message.deadline,
            last_try: message.last_try,
            by_person: false,
            listener: None,
            agenda: Mutex::default(),
        };
        let handled = match inbound {
            Inbound::Malformed(reason) => visit.bury(message.body, reason).await,
            Inbound::Command(command) => visit.command(command).await,
            Inbound::Event(Interpretation::Ignored(reason)) => Ok(Handled::Ignored(reason)),
            Inbound::Event(Interpretation::Change(change)) => visit.change(change, false).await,
            Inbound::Event(Interpretation::WithOurRole(change)) => visit.change(change, true).await,
        };
        match &handled {
            Ok(handled) => tracing::info!(?handled, "handled"),
            Err(error) => tracing::warn!(%error, "not handled"),
        }
        handled
    }

    fn inbound(&self, body: &str) -> Inbound {
        let is_command = serde_json::from_str::<serde_json::Value>(body)
            .is_ok_and(|value| value.get("snapback").is_some());
        if is_command {
            return match serde_json::from_str(body) {
                Ok(command) => Inbound::Command(command),
                Err(error) => Inbound::Malformed(format!("not a command: {error}")),
            };
        }
        match event::parse(body.as_bytes()) {
            Ok(record) => Inbound::Event(self.interpret(&record)),
            Err(error) => Inbound::Malformed(error.to_string()),
        }
    }
}

impl<P> Guard<P> {
    /// What the sweep brings may also be about tags: it asks who set one that differs.
    fn interpret(&self, record: &event::Record) -> Interpretation {
        let brought = record.envelope.is_none();
        let retagged = || change::retagged(record, &self.own).filter(|_| brought);
        match change::interpret(record, &self.own) {
            passed @ Interpretation::Ignored(IgnoreReason::NotNetwork { .. }) => {
                retagged().map_or(passed, Interpretation::Change)
            }
            other => other,
        }
    }
}

/// Whether the event bus brought it; the sweep sends commands and bare records.
fn is_fresh(body: &str) -> bool {
    let value = serde_json::from_str::<serde_json::Value>(body);
    value.is_ok_and(|value| value.get("detail").is_some())
}

impl<'g, P: GuardPorts> Visit<'g, P> {
    /// A visit without a message: a person's.
    pub(crate) fn of_person(
        guard: &'g Guard<P>,
        deadline: Timestamp,
        listener: Listener<'g>,
    ) -> Self {
        Self {
            holder: guard.holder.clone(),
            arrived: guard.ports.now(),
            guard,
            deadline,
            last_try: false,
            by_person: true,
            thorough: AtomicBool::new(true),
            listener: Some(listener),
            agenda: Mutex::default(),
        }
    }

    /// The resources that the work asked a look for.
    pub(crate) fn asked_for(&self) -> BTreeSet<ResourceId> {
        let agenda = self.agenda();
        let focuses = agenda.next.values().chain(agenda.later.values());
        focuses.flat_map(|focus| focus.resources.clone()).collect()
    }

    pub(crate) fn tell_listener(&self, entry: &Entry) {
        if let Some(listener) = self.listener {
            listener(entry);
        }
    }
}

impl<P: GuardPorts> Visit<'_, P> {
    /// Whether reads are to show text and tags too.
    pub(crate) fn is_thorough(&self) -> bool {
        self.thorough.load(Ordering::Relaxed)
    }

    /// Reads show text and tags too from now on.
    pub(crate) fn be_thorough(&self) {
        self.thorough.store(true, Ordering::Relaxed);
    }

    pub(crate) fn pace(&self) -> Pace<'_, P> {
        Pace {
            clock: &self.guard.ports,
            limits: &self.guard.limits,
            deadline: self.deadline,
            seed: &self.holder,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.guard.ports.now()
    }

    /// Whether events that may explain a trusted change can still be waited for.
    pub(crate) fn is_early(&self, change: &Change, window: Duration) -> bool {
        !self.last_try && between(change.at, self.now()) < window
    }

    pub(crate) fn time_left(&self) -> Duration {
        between(self.now(), self.deadline)
    }

    async fn command(&self, command: Command) -> Result<Handled, GuardError> {
        self.agenda().doubts_all = true;
        let (resource, why) = match command {
            Command::Recheck { resource, why, .. } => (resource, why),
            Command::Release { what, by, why } => return self.release(&what, &by, &why).await,
            Command::Quiet { principal, due } => return self.quiet(&principal, due).await,
        };
        let settled = matches!(why, RecheckReason::Asked(_));
        let cause = match why {
            RecheckReason::Missed => Cause::Missed,
            RecheckReason::Calm => Cause::Asked("the breaker's quiet time is over".into()),
            RecheckReason::Asked(words) => Cause::Asked(words),
            RecheckReason::Unfinished => {
                let record = self.record(&resource).await?;
                record.open.map_or(Cause::Missed, Cause::Unfinished)
            }
        };
        let matter = Matter {
            cause,
            change: None,
            trusted: false,
            settled,
        };
        self.follow(&BTreeSet::from([Touched::Resource(resource)]), &matter)
            .await
    }

    async fn change(
        &self,
        change: Box<Change>,
        with_our_role: bool,
    ) -> Result<Handled, GuardError> {
        let ports = &self.guard.ports;
        ports.measure(
            Metric::EventAgeMillis,
            millis(between(change.at, self.arrived)),
        );
        let mut ended = Vec::new();
        if with_our_role {
            match self.origin(&change).await? {
                origin::Origin::Ours => return Ok(Handled::Ignored(IgnoreReason::OwnCall)),
                origin::Origin::Stranger => ended.push(self.accuse(&change).await?),
            }
        } else if change.touched.iter().any(is_context) && self.is_known(&change).await? {
            // A call of a person's rollback, made with their own credentials.
            return Ok(Handled::Ignored(IgnoreReason::OwnCall));
        }
        let matter = Matter {
            cause: Cause::Event(change.event.clone()),
            trusted: !with_our_role && self.guard.policy.accepts(&change),
            change: Some(change.clone()),
            settled: false,
        };
        match self.follow(&change.touched, &matter).await? {
            Handled::Judged(more) => ended.extend(more),
            other @ (Handled::Ignored(_) | Handled::Malformed(_)) => return Ok(other),
        }
        Ok(Handled::Judged(ended))
    }

    /// Looks wherever a message points; one look that fails does not keep the others back.
    async fn follow(
        &self,
        touched: &BTreeSet<Touched>,
        matter: &Matter,
    ) -> Result<Handled, GuardError> {
        let Some(mut located) = self.locate(touched).await? else {
            return Ok(Handled::Judged(vec![self.uncaptured().await?]));
        };
        let mut ended = Vec::new();
        let mut failed = BTreeMap::new();
        if !located.unresolved.is_empty() {
            self.wait_for_what_it_names(&located.unresolved, matter)?;
            ended.push(self.unresolved(&located.unresolved, matter).await?);
        }
        if !located.context.is_empty() {
            let (told, spots) = self.context(&located.context, matter).await?;
            ended.extend(told);
            for (spot, focus) in spots {
                located.point(spot, focus);
            }
        }
        let mut spots = located.spots;
        let mut matter = matter.clone();
        for _ in 0..FOLLOWED_MAX {
            for (spot, mut focus) in spots {
                self.agenda().later.remove(&spot);
                focus.lists = lists::hinted(&matter);
                match Box::pin(self.look(&spot, &focus, &matter)).await {
                    Ok(more) => {
                        ended.extend(more);
                        failed.remove(&spot);
                    }
                    Err(error) => {
                        failed.insert(spot, error);
                    }
                }
            }
            spots = self.agenda().take();
            if spots.is_empty() {
                break;
            }
            // The event was about what was looked at first.
            matter = Matter {
                change: None,
                trusted: false,
                ..matter
            };
        }
        match failed.into_values().next() {
            Some(error) => Err(error),
            None => Ok(Handled::Judged(ended)),
        }
    }

    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The incident that led to a resource in this visit.
    pub(crate) fn whole_of(&self, resource: &ResourceId) -> Option<IncidentId> {
        self.agenda().whole.get(resource).cloned()
    }

    /// Asks for a look at a resource in this visit, after what is looked at now. What is found there
    /// is told as part of `whole`.
    pub(crate) fn look_at(&self, resource: &ResourceId, vpc: Option<&VpcId>, whole: &IncidentId) {
        let spot = Spot::of(resource, vpc);
        let mut agenda = self.agenda();
        let led = agenda.whole.entry(resource.clone());
        led.or_insert_with(|| whole.clone());
        let focus = agenda.next.entry(spot).or_default();
        focus.extend(Focus::on(resource.clone()));
    }

    /// Notes what an event tells of: its state is read, not remembered.
    pub(crate) fn doubt(&self, ids: impl IntoIterator<Item = String>) {
        self.agenda().doubted.extend(ids);
    }

    pub(crate) fn is_doubted(&self, id: &str) -> bool {
        let agenda = self.agenda();
        agenda.doubts_all || agenda.doubted.contains(id)
    }

    /// Asks for another look at a place, after all that is asked for now.
    pub(crate) fn come_back(&self, spot: &Spot, focus: &Focus) {
        let mut agenda = self.agenda();
        let again = agenda.later.entry(spot.clone()).or_default();
        again.extend(focus.clone());
    }
}
