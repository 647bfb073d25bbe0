//! The model's state: the store, EC2, the queue, two guards, and what must never be true of them.

use super::real::Real;
use super::search::Without;

/// One entry, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Said {
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
pub struct Slip {
    pub version: u64,
    pub holder: Option<u8>,
    pub until: Option<i64>,
    pub fencing: u64,
    pub open: Option<u64>,
}

/// What one conditional write holds, and where its guard goes on after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Draft {
    pub record: Slip,
    pub lease: Slip,
    pub said: Vec<Said>,
    pub then: Pc,
}

/// Where a guard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pc {
    /// About to read the record and the lease.
    Load,
    /// About to read EC2 and to write what follows.
    Look,
    /// About to make the call of a step.
    Ready(u8),
    /// Waiting for EC2.
    Await(u8),
    /// No answer came.
    Resolve(u8),
    Done,
}

/// One invocation of a guard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Work {
    pub message: usize,
    pub holder: u8,
    pub pc: Pc,
    /// The record and the lease as it knows them.
    pub record: Slip,
    pub lease: Slip,
    /// Whether they are held in its name.
    pub claimed: bool,
    /// To be written with the next commit.
    pub carried: Vec<Said>,
    /// A commit whose answer was lost.
    pub doubt: Option<Draft>,
}

/// A message in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    Waiting,
    With(usize),
    Handled,
}

/// A call on its way to EC2 or in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pending {
    pub guard: usize,
    pub fencing: u64,
    pub step: u8,
    pub ends: i64,
}

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// In ticks.
    pub now: i64,
    /// How far the second guard's clock is ahead of the first's.
    pub ahead: i64,
    pub record: Slip,
    pub lease: Slip,
    pub entries: Vec<(u64, Said)>,
    /// How often the group was made, and whether its rule is on it.
    pub made: u8,
    pub filled: bool,
    pub messages: [Message; 2],
    pub pending: Vec<Pending>,
    /// The newest number under which a call was begun.
    pub newest: u64,
    pub guards: [Option<Work>; 2],
    pub crashes: u8,
    pub losses: u8,
}

impl State {
    pub fn new(ahead: i64) -> Self {
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

    /// What a guard's own clock says.
    pub fn clock(&self, guard: usize) -> i64 {
        self.now + if guard == 1 { self.ahead } else { 0 }
    }

    /// What the story of this number says.
    pub fn said(&self, number: u64) -> Vec<Said> {
        let of = self.entries.iter().filter(|(of, _)| *of == number);
        of.map(|(_, said)| *said).collect()
    }

    /// The group is back with its rule.
    pub fn is_whole(&self) -> bool {
        self.made > 0 && self.filled
    }

    /// All is done and nobody has anything left to do.
    pub fn is_good(&self) -> bool {
        self.is_whole()
            && self.record.open.is_none()
            && self.guards.iter().all(Option::is_none)
            && self.messages.iter().all(|of| *of == Message::Handled)
            && self.pending.is_empty()
    }

    /// A name that stands nowhere: each invocation has its own.
    pub fn fresh_holder(&self) -> u8 {
        let named = |holder: u8| {
            let works = self.guards.iter().flatten();
            works.clone().any(|work| work.holder == holder)
                || [self.record.holder, self.lease.holder].contains(&Some(holder))
        };
        (0..).find(|holder| !named(*holder)).unwrap()
    }

    /// The conditional write of the store.
    pub fn commit(&mut self, number: u64, draft: &Draft, without: Without) -> bool {
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
    pub fn check(&self, real: &Real) -> Result<(), String> {
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
