//! The incident and lease protocol, searched exhaustively: two guards, one message and its duplicate,
//! crashes anywhere, answers and requests that are lost, clocks that differ.
//!
//! What is modelled is the order of steps in `snapback_app::execute`. What a record or a lease becomes,
//! who is held off, whether a call may begin, and what a story's entries say, is asked of the functions
//! that the flow uses: [`ResourceRecord`], [`Lease`], [`Story`]. The work is the making again of a deleted
//! group: a call that is not idempotent, then one that is.
//!
//! Reading EC2 and writing what follows is one step here: a record that was written after the read sends
//! the flow back to read again, so a call of another guard in between makes the write fail as well.
//!
//! Left out, because no protocol can hold it: a call that EC2 carries out after its time-out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{
    Body, Cause, Entry, Lease, LeaseScope, Outcome, Place, ResourceRecord, Story,
};
use snapback_engine::plan::{self, Plan};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::Call;
use snapback_tests::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// One tick is one second.
const LEASE: i64 = 2;
const CALL: i64 = 1;
const SKEW: i64 = 1;

/// How far the search goes.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The last tick.
    horizon: i64,
    crashes: u8,
    /// Answers and requests that are lost.
    losses: u8,
}

/// What the test command has time for.
const USUAL: Bounds = Bounds {
    horizon: 5,
    crashes: 1,
    losses: 1,
};

impl Bounds {
    /// `SNAPBACK_PROTOCOL=horizon,crashes,losses` searches further.
    fn asked() -> Self {
        let Ok(text) = std::env::var("SNAPBACK_PROTOCOL") else {
            return USUAL;
        };
        let numbers: Vec<u8> = text
            .split(',')
            .map(|number| number.parse().unwrap())
            .collect();
        Self {
            horizon: numbers[0].into(),
            crashes: numbers[1],
            losses: numbers[2],
        }
    }

    /// From any state until then somebody must be able to bring it to a good end: a lease of a dead
    /// guard runs out in time.
    fn enough(self) -> i64 {
        self.horizon - LEASE - 2 * SKEW - 1
    }
}

/// What is taken away from the protocol, to see that the search finds what that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Nothing,
    /// A call begins however little is left of the lease.
    Cover,
    /// Others take a lease over the moment it ends by their own clock.
    Skew,
    /// A step is written without the lease's condition.
    Condition,
    /// Nobody looks for what a call without an answer made.
    HalfMade,
    /// An unfinished story is not asked for by the sweep.
    Sweep,
}

/// One entry, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Said {
    Opened,
    Planned,
    Started(u8, u64),
    Applied(u8),
    Unknown(u8),
    InPlace(u8),
    Closed,
}

/// A record or a lease, small: incidents by the number under which they began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Slip {
    version: u64,
    holder: Option<u8>,
    until: Option<i64>,
    fencing: u64,
    open: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Draft {
    record: Slip,
    lease: Slip,
    said: Vec<Said>,
    then: Pc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Pc {
    Load,
    Look,
    /// About to make the call of a step.
    Ready(u8),
    /// Waiting for EC2.
    Await(u8),
    /// No answer came.
    Resolve(u8),
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Work {
    message: usize,
    holder: u8,
    pc: Pc,
    record: Slip,
    lease: Slip,
    claimed: bool,
    /// To be written with the next commit.
    carried: Vec<Said>,
    /// A commit whose answer was lost.
    doubt: Option<Draft>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Message {
    Waiting,
    With(usize),
    Handled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Pending {
    guard: usize,
    fencing: u64,
    step: u8,
    ends: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    now: i64,
    /// How far the second guard's clock is ahead of the first's.
    ahead: i64,
    record: Slip,
    lease: Slip,
    entries: Vec<(u64, Said)>,
    made: u8,
    filled: bool,
    messages: [Message; 2],
    pending: Vec<Pending>,
    /// The newest number under which a call was begun.
    newest: u64,
    guards: [Option<Work>; 2],
    crashes: u8,
    losses: u8,
}

/// What a story's entries say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    created: bool,
    unanswered: bool,
    closed: bool,
}

/// The real things that the small ones stand for.
struct Real {
    resource: ResourceId,
    new: CreatedId,
    plan: Plan,
    gone: Snapshot,
    without: Without,
    bounds: Bounds,
    facts: RefCell<HashMap<Vec<Said>, Facts>>,
    found: RefCell<HashMap<(u64, Vec<Said>), bool>>,
}

fn at(tick: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + tick).unwrap()
}

fn tick(at: Timestamp) -> i64 {
    at.as_second() - 1_790_000_000
}

fn seconds(ticks: i64) -> Duration {
    Duration::from_secs(ticks.unsigned_abs())
}

impl Real {
    fn new(without: Without, bounds: Bounds) -> Self {
        run(async {
            let mut setting = Setting::new(1, policy(Mode::Strict));
            let make = Call::CreateSecurityGroup {
                name: "made".into(),
                description: "again".into(),
                vpc: Some(setting.layout.vpc.clone()),
                tags: Tags::new(),
            };
            let made = setting.world.call(&deployment(), make).unwrap();
            let group = SecurityGroupId::new(made.first());
            let rules = [(rule("ingress tcp:443 10.0.0.0/16"), None)];
            does(&setting, &deployment(), Call::authorize(&group, rules));
            setting.capture().await.unwrap();
            let resource: ResourceId = group.into();
            let mut gone = setting.world.snapshot();
            let state = gone.resources.remove(&resource).unwrap();
            let baselines = Baselines {
                by_id: setting.world.stored_baselines(),
                topology: gone.topology.clone(),
                ..Baselines::default()
            };
            let goal = BTreeMap::from([(resource.clone(), state)]);
            let plan = plan::plan(&gone, &goal, &baselines);
            assert!(plan.steps[0].action.makes_as(resource.as_str()));
            assert!(plan.steps.len() >= 2, "{:?}", plan.steps);
            Self {
                resource,
                new: CreatedId::new("sg-0123456789abcdef0"),
                plan,
                gone,
                without,
                bounds,
                facts: RefCell::default(),
                found: RefCell::default(),
            }
        })
    }

    fn incident(&self, number: u64) -> IncidentId {
        let mut before = ResourceRecord::new(self.resource.clone());
        before.fencing = number.saturating_sub(1);
        before.next_incident()
    }

    fn record(&self, slip: Slip) -> ResourceRecord {
        let mut record = ResourceRecord::new(self.resource.clone());
        record.version = slip.version;
        record.holder = slip.holder.map(|holder| holder.to_string());
        record.lease_until = slip.until.map(at);
        record.fencing = slip.fencing;
        record.open = slip.open.map(|number| self.incident(number));
        record
    }

    fn slip_of_record(&self, record: &ResourceRecord) -> Slip {
        let open = record.open.as_ref().map(|incident| {
            (1..=record.fencing)
                .find(|number| self.incident(*number) == *incident)
                .unwrap()
        });
        Slip {
            version: record.version,
            holder: record.holder.as_ref().map(|holder| holder.parse().unwrap()),
            until: record.lease_until.map(tick),
            fencing: record.fencing,
            open,
        }
    }

    fn lease(&self, slip: Slip) -> Lease {
        Lease {
            scope: LeaseScope::Vpc("vpc-1".into()),
            version: slip.version,
            holder: slip.holder.map(|holder| holder.to_string()),
            until: slip.until.map(at),
            fencing: slip.fencing,
        }
    }

    fn slip_of_lease(lease: &Lease) -> Slip {
        Slip {
            version: lease.version,
            holder: lease.holder.as_ref().map(|holder| holder.parse().unwrap()),
            until: lease.until.map(tick),
            fencing: lease.fencing,
            open: None,
        }
    }

    fn skew(&self) -> Duration {
        if self.without == Without::Skew {
            Duration::ZERO
        } else {
            seconds(SKEW)
        }
    }

    fn is_free(&self, record: Slip, lease: Slip, holder: u8, clock: i64) -> bool {
        let (holder, now) = (holder.to_string(), at(clock));
        !self
            .record(record)
            .is_held_against(&holder, now, self.skew())
            && !self.lease(lease).is_held_against(&holder, now, self.skew())
    }

    fn entry(&self, number: u64, sequence: usize, said: Said) -> Entry {
        let ended = |step: u8, outcome| Body::StepEnded {
            step: step.into(),
            outcome,
        };
        let created = |step: u8| (step == 0).then(|| self.new.clone());
        let body = match said {
            Said::Opened => Body::Opened {
                resource: self.resource.clone(),
                cause: Cause::Missed,
                change: None,
                part_of: None,
            },
            Said::Planned => Body::Planned {
                plan: Box::new(self.plan.clone()),
            },
            Said::Started(step, fencing) => Body::StepStarted {
                step: step.into(),
                handles: Handles::default(),
                fencing,
            },
            Said::Applied(step) => ended(
                step,
                StepOutcome::Applied {
                    request: None,
                    created: created(step),
                },
            ),
            Said::Unknown(step) => ended(
                step,
                StepOutcome::Unknown {
                    what: "no answer".into(),
                },
            ),
            Said::InPlace(step) => ended(
                step,
                StepOutcome::AlreadyInPlace {
                    created: created(step),
                },
            ),
            Said::Closed => {
                let story = Story::new(
                    self.incident(number),
                    self.resource.clone(),
                    Cause::Missed,
                    None,
                    at(0),
                );
                let report = story.report(
                    Outcome::Reverted,
                    &Place::default(),
                    &BTreeMap::new(),
                    at(0),
                );
                Body::Closed {
                    report: Box::new(report),
                }
            }
        };
        Entry {
            incident: self.incident(number),
            sequence: u32::try_from(sequence).unwrap(),
            at: at(0),
            body,
        }
    }

    fn story(&self, number: u64, said: &[Said]) -> Option<Story> {
        let entries: Vec<Entry> = said
            .iter()
            .enumerate()
            .map(|(sequence, said)| self.entry(number, sequence, *said))
            .collect();
        Story::read(&entries)
    }

    fn facts(&self, number: u64, said: &[Said]) -> Facts {
        if let Some(known) = self.facts.borrow().get(said) {
            return *known;
        }
        let story = self.story(number, said);
        let facts = Facts {
            created: story.as_ref().is_some_and(|story| {
                story.lineage.current_resource(&self.resource) != self.resource
            }),
            unanswered: story.as_ref().is_some_and(|story| {
                let mut calls = story.unsettled.iter();
                calls.any(|call| call.action.makes_as(self.resource.as_str()))
            }),
            closed: story.is_some_and(|story| story.closed),
        };
        self.facts.borrow_mut().insert(said.to_vec(), facts);
        facts
    }

    /// Whether the story finds what its call without an answer made, by the marks on it.
    fn finds(&self, number: u64, said: &[Said]) -> bool {
        if self.without == Without::HalfMade {
            return false;
        }
        let key = (number, said.to_vec());
        if let Some(known) = self.found.borrow().get(&key) {
            return *known;
        }
        let mut live = self.gone.clone();
        let make = &self.plan.steps[0].action;
        let make = make.for_incident(&self.incident(number)).made_as(&self.new);
        plan::apply(&make, &mut live).unwrap();
        let found = self
            .story(number, said)
            .and_then(|story| story.half_made(self.resource.as_str(), &live));
        let found = found == Some((0, self.new.clone()));
        self.found.borrow_mut().insert(key, found);
        found
    }
}

impl State {
    fn new(ahead: i64) -> Self {
        Self {
            now: 0,
            ahead,
            record: Slip::default(),
            lease: Slip::default(),
            entries: Vec::new(),
            made: 0,
            filled: false,
            messages: [Message::Waiting; 2],
            pending: Vec::new(),
            newest: 0,
            guards: [None, None],
            crashes: 0,
            losses: 0,
        }
    }

    fn clock(&self, guard: usize) -> i64 {
        self.now + if guard == 1 { self.ahead } else { 0 }
    }

    fn said(&self, number: u64) -> Vec<Said> {
        let of = self.entries.iter().filter(|(of, _)| *of == number);
        of.map(|(_, said)| *said).collect()
    }

    fn is_whole(&self) -> bool {
        self.made > 0 && self.filled
    }

    fn is_good(&self) -> bool {
        self.is_whole()
            && self.record.open.is_none()
            && self.guards.iter().all(Option::is_none)
            && self.messages.iter().all(|of| *of == Message::Handled)
            && self.pending.is_empty()
    }

    /// A name that stands nowhere: each invocation has its own.
    fn fresh_holder(&self) -> u8 {
        let named = |holder: u8| {
            let works = self.guards.iter().flatten();
            works.clone().any(|work| work.holder == holder)
                || [self.record.holder, self.lease.holder].contains(&Some(holder))
        };
        (0..).find(|holder| !named(*holder)).unwrap()
    }

    /// The conditional write of the store.
    fn commit(&mut self, number: u64, draft: &Draft, without: Without) -> bool {
        let follows = |stored: Slip, next: Slip| stored.version + 1 == next.version;
        let lease = follows(self.lease, draft.lease) || without == Without::Condition;
        // The record stands for the story, whose numbers must be free as well.
        let record = follows(self.record, draft.record) || without == Without::Condition;
        if lease && record {
            self.record = draft.record;
            self.lease = draft.lease;
            let said = draft.said.iter().map(|said| (number, *said));
            self.entries.extend(said);
        }
        lease && record
    }

    /// What must never be.
    fn check(&self, real: &Real) -> Result<(), String> {
        if self.made > 1 {
            return Err("made twice".into());
        }
        let quiet = self.guards.iter().all(Option::is_none) && self.pending.is_empty();
        let handled = self.messages.iter().all(|of| *of == Message::Handled);
        if quiet && handled && self.record.open.is_none() && !self.is_whole() {
            return Err("lost: nobody knows of it".into());
        }
        if quiet && self.record.open.is_none() {
            for number in 1..=self.record.fencing {
                let said = self.said(number);
                if !said.is_empty() && !real.facts(number, &said).closed {
                    return Err(format!("a story without an end: {said:?}"));
                }
            }
        }
        Ok(())
    }
}

fn give_back(state: &mut State, guard: usize) {
    if let Some(work) = state.guards[guard].take() {
        state.messages[work.message] = Message::Waiting;
    }
}

/// Tries a commit in every way that it can end.
fn commit(real: &Real, state: &State, guard: usize, draft: Draft, next: &mut Vec<State>) {
    let number = draft
        .record
        .open
        .or(state.guards[guard].as_ref().unwrap().record.open);
    let number = number.unwrap_or(draft.record.fencing);
    let mut told = state.clone();
    let done = told.commit(number, &draft, real.without);
    if done && state.losses < real.bounds.losses {
        let mut unheard = told.clone();
        unheard.losses += 1;
        unheard.guards[guard].as_mut().unwrap().doubt = Some(draft.clone());
        next.push(unheard);
    }
    settle(&mut told, guard, draft, done);
    next.push(told);
}

fn settle(state: &mut State, guard: usize, draft: Draft, done: bool) {
    let work = state.guards[guard].as_mut().unwrap();
    work.doubt = None;
    if done {
        work.claimed = true;
        work.record = draft.record;
        work.lease = draft.lease;
        work.carried.clear();
        work.pc = draft.then;
        if draft.then == Pc::Done {
            state.messages[work.message] = Message::Handled;
            state.guards[guard] = None;
        }
    } else if work.claimed {
        give_back(state, guard);
    } else {
        work.pc = Pc::Load;
        work.carried.clear();
    }
}

/// The record and the lease as the next write has them.
fn written(real: &Real, state: &State, guard: usize) -> (ResourceRecord, Lease) {
    let work = state.guards[guard].as_ref().unwrap();
    let until = at(state.clock(guard) + LEASE);
    let (record, lease) = (real.record(work.record), real.lease(work.lease));
    if work.claimed {
        let mut kept = record;
        kept.version += 1;
        kept.lease_until = Some(until);
        return (kept, lease.renewed(until));
    }
    let holder = work.holder.to_string();
    (
        record.claimed(&holder, until),
        lease.claimed(&holder, until),
    )
}

fn guard_steps(real: &Real, state: &State, guard: usize, next: &mut Vec<State>) {
    let Some(work) = &state.guards[guard] else {
        // The two are alike: which of them is taken makes no difference.
        let waiting = |message: &Message| *message == Message::Waiting;
        if let Some(index) = state.messages.iter().position(waiting) {
            let mut taken = state.clone();
            taken.messages[index] = Message::With(guard);
            taken.guards[guard] = Some(Work {
                message: index,
                holder: state.fresh_holder(),
                pc: Pc::Load,
                record: Slip::default(),
                lease: Slip::default(),
                claimed: false,
                carried: Vec::new(),
                doubt: None,
            });
            next.push(taken);
        }
        return;
    };
    if state.crashes < real.bounds.crashes {
        let mut dead = state.clone();
        dead.crashes += 1;
        give_back(&mut dead, guard);
        if dead.record.open.is_some() {
            // The queue gives the message up: only the open story tells of it.
            let mut forgotten = dead.clone();
            forgotten.messages[work.message] = Message::Handled;
            next.push(forgotten);
        }
        next.push(dead);
    }
    if let Some(draft) = &work.doubt {
        // The repeat meets the first try: the stored record tells whether it was that.
        let mut resolved = state.clone();
        let done = state.record == draft.record;
        settle(&mut resolved, guard, draft.clone(), done);
        next.push(resolved);
        return;
    }
    match work.pc {
        Pc::Load => {
            let mut loaded = state.clone();
            if real.is_free(state.record, state.lease, work.holder, state.clock(guard)) {
                let of = loaded.guards[guard].as_mut().unwrap();
                (of.record, of.lease, of.pc) = (state.record, state.lease, Pc::Look);
            } else {
                give_back(&mut loaded, guard);
            }
            next.push(loaded);
        }
        Pc::Look => look(real, state, guard, work, next),
        Pc::Ready(step) => {
            let covers = real
                .lease(work.lease)
                .covers(at(state.clock(guard)), seconds(CALL));
            if covers || real.without == Without::Cover {
                let mut called = state.clone();
                called.newest = called.newest.max(work.lease.fencing);
                called.pending.push(Pending {
                    guard,
                    fencing: work.lease.fencing,
                    step,
                    ends: state.now + CALL,
                });
                called.guards[guard].as_mut().unwrap().pc = Pc::Await(step);
                next.push(called);
            } else {
                let (record, lease) = written(real, state, guard);
                let draft = Draft {
                    record: real.slip_of_record(&record),
                    lease: Real::slip_of_lease(&lease),
                    said: Vec::new(),
                    then: Pc::Ready(step),
                };
                commit(real, state, guard, draft, next);
            }
        }
        Pc::Await(_) | Pc::Done => {}
        Pc::Resolve(step) => {
            let mut resolved = state.clone();
            let of = resolved.guards[guard].as_mut().unwrap();
            let in_place = if step == 0 {
                state.made > 0
            } else {
                state.filled
            };
            if in_place {
                of.carried
                    .extend([Said::Unknown(step), Said::InPlace(step)]);
                of.pc = Pc::Look;
            } else {
                of.pc = Pc::Ready(step);
            }
            next.push(resolved);
        }
    }
}

/// Reads EC2 and writes what comes next.
fn look(real: &Real, state: &State, guard: usize, work: &Work, next: &mut Vec<State>) {
    let open = work.record.open;
    if open.is_none() && state.is_whole() {
        let mut done = state.clone();
        done.messages[work.message] = Message::Handled;
        done.guards[guard] = None;
        next.push(done);
        return;
    }
    let (record, lease) = written(real, state, guard);
    let number = real.slip_of_record(&record).open.unwrap();
    let mut said = state.said(number);
    said.extend(&work.carried);
    let mut bodies = work.carried.clone();
    let facts = real.facts(number, &said);
    let mut created = facts.created;
    if open.is_none() {
        bodies.extend([Said::Opened, Said::Planned]);
    } else if !created && facts.unanswered && state.made > 0 && real.finds(number, &said) {
        bodies.push(Said::InPlace(0));
        created = true;
    }
    let draft = if created && state.is_whole() {
        bodies.push(Said::Closed);
        let versions = (record.version, lease.version);
        let (mut record, mut lease) = (record.closed(BTreeMap::new(), false), lease.released());
        (record.version, lease.version) = versions;
        Draft {
            record: real.slip_of_record(&record),
            lease: Real::slip_of_lease(&lease),
            said: bodies,
            then: Pc::Done,
        }
    } else {
        let step = u8::from(created);
        bodies.push(Said::Started(step, lease.fencing));
        Draft {
            record: real.slip_of_record(&record),
            lease: Real::slip_of_lease(&lease),
            said: bodies,
            then: Pc::Ready(step),
        }
    };
    commit(real, state, guard, draft, next);
}

/// EC2 carries a call out before its time is over, or never got it.
fn call_ends(
    bounds: Bounds,
    state: &State,
    index: usize,
    next: &mut Vec<State>,
) -> Result<(), String> {
    let call = state.pending[index];
    let waits = |state: &State| {
        let work = state.guards[call.guard].as_ref();
        work.is_some_and(|work| {
            work.pc == Pc::Await(call.step) && work.lease.fencing == call.fencing
        })
    };
    let answered = |mut state: State, pc: Pc, said: Option<Said>| {
        if waits(&state) {
            let work = state.guards[call.guard].as_mut().unwrap();
            work.pc = pc;
            work.carried.extend(said);
        }
        state
    };
    if call.fencing < state.newest {
        return Err(format!(
            "written under {} after {} began",
            call.fencing, state.newest
        ));
    }
    if state
        .pending
        .iter()
        .any(|other| other.fencing != call.fencing)
    {
        return Err("two holders write at the same time".into());
    }
    let mut done = state.clone();
    done.pending.remove(index);
    let mut lost = done.clone();
    if call.step == 0 {
        done.made += 1;
    } else {
        done.filled = true;
    }
    if state.losses < bounds.losses && waits(state) {
        for mut unheard in [done.clone(), lost.clone()] {
            unheard.losses += 1;
            next.push(answered(unheard, Pc::Resolve(call.step), None));
        }
    } else if !waits(state) {
        // Its guard died: the request may never have left.
        lost.losses = state.losses;
        next.push(lost);
    }
    next.push(answered(done, Pc::Look, Some(Said::Applied(call.step))));
    Ok(())
}

fn successors(real: &Real, state: &State) -> Result<Vec<State>, String> {
    let mut next = Vec::new();
    for guard in 0..2 {
        guard_steps(real, state, guard, &mut next);
    }
    for index in 0..state.pending.len() {
        call_ends(real.bounds, state, index, &mut next)?;
    }
    if state.now < real.bounds.horizon && state.pending.iter().all(|call| call.ends > state.now) {
        let mut later = state.clone();
        later.now += 1;
        next.push(later);
    }
    let handled = state.messages.iter().all(|of| *of == Message::Handled);
    let held = real
        .record(state.record)
        .is_held_against("sweep", at(state.now), real.skew());
    if handled && state.record.open.is_some() && !held && real.without != Without::Sweep {
        let mut asked = state.clone();
        asked.messages[0] = Message::Waiting;
        next.push(asked);
    }
    Ok(next)
}

/// How many states there are, or the first that must not be.
fn search(without: Without, ahead: i64, bounds: Bounds) -> Result<usize, String> {
    let real = Real::new(without, bounds);
    let first = Rc::new(State::new(ahead));
    let mut known = HashMap::from([(first.clone(), 0_usize)]);
    let mut states = vec![first];
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut waiting = VecDeque::from([0_usize]);
    while let Some(index) = waiting.pop_front() {
        let state = states[index].clone();
        state
            .check(&real)
            .map_err(|why| format!("{why}: {state:#?}"))?;
        let next = successors(&real, &state).map_err(|why| format!("{why}: {state:#?}"))?;
        for state in next.into_iter().map(Rc::new) {
            let number = *known.entry(state.clone()).or_insert_with(|| {
                states.push(state);
                before.push(Vec::new());
                waiting.push_back(states.len() - 1);
                states.len() - 1
            });
            before[number].push(index);
        }
    }
    // From where a good end can be reached.
    let mut good: Vec<bool> = states.iter().map(|state| state.is_good()).collect();
    let mut reached: VecDeque<usize> = (0..good.len()).filter(|index| good[*index]).collect();
    while let Some(index) = reached.pop_front() {
        for earlier in &before[index] {
            if !std::mem::replace(&mut good[*earlier], true) {
                reached.push_back(*earlier);
            }
        }
    }
    let stuck =
        (0..states.len()).find(|index| !good[*index] && states[*index].now <= bounds.enough());
    match stuck {
        Some(index) => Err(format!("no good end from here: {:#?}", states[index])),
        None => Ok(states.len()),
    }
}

#[test]
fn no_interleaving_of_two_guards_breaks_the_protocol() {
    for ahead in -SKEW..=SKEW {
        let states =
            search(Without::Nothing, ahead, Bounds::asked()).unwrap_or_else(|why| panic!("{why}"));
        println!("clock ahead by {ahead}: {states} states");
        assert!(
            states > 10_000,
            "the search is too small to prove anything: {states}"
        );
    }
}

#[test]
fn the_search_finds_what_each_part_of_the_protocol_is_for() {
    let wide = Bounds {
        horizon: 6,
        ..USUAL
    };
    let small = Bounds {
        horizon: 5,
        crashes: 1,
        losses: 0,
    };
    let cases = [
        (Without::Cover, 0, wide, "written under"),
        (Without::Skew, SKEW, wide, "written under"),
        (Without::Condition, 0, wide, ""),
        (Without::HalfMade, 0, wide, "made twice"),
        (Without::Sweep, 0, small, "no good end"),
    ];
    for (without, ahead, bounds, words) in cases {
        let found = search(without, ahead, bounds).expect_err(&format!("{without:?}"));
        let why = found.lines().next().unwrap_or_default();
        println!("{without:?}: {why}");
        assert!(
            words.is_empty() || why.starts_with(words) || why.starts_with("two holders"),
            "{without:?}: {why}"
        );
    }
}
