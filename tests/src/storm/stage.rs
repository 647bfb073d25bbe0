//! One world in a storm: guards, sweep and notifiers are polled by hand, in an order that the seed
//! decides, while the clock goes from one thing that is due to the next.
//!
//! - Owns: the clock's steps, who is polled next, redelivery, the time limits of invocations, crashes.
//! - Takes: a [`Storm`].
//! - Gives: [`Played`]: all that an oracle may ask for.
//! - Must not: judge; use real time or any chance that is not the seed's.

mod inbox;
mod people;
mod rest;
mod weather;

pub use people::Trusted;

use super::plan::{Crash, Process, Storm};
use super::stroke::Ideal;
use inbox::Letter;
use people::People;
use snapback_app::capture;
use snapback_app::guard::Guard;
use snapback_app::port::Clock;
use snapback_engine::change::Own;
use snapback_engine::incident::Entry;
use snapback_engine::policy::Policy;
use snapback_model::*;
use snapback_sim::{ACCOUNT, Builder, GUARD_ROLE, Layout, REGION, SimChannel, World};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How long one invocation lasts (template.yaml: Timeout of the guard and of notify).
const INVOCATION: Duration = Duration::from_secs(60);
/// The same of the sweep.
const SWEEP: Duration = Duration::from_secs(300);
/// When the journal's stream tries a delivery again.
const STREAM_RETRY: Duration = Duration::from_secs(30);
/// Turns of one world: more means that it never rests.
const TURNS_MAX: u64 = 200_000;

/// What became of a process.
pub(super) enum Done {
    /// A message was handled, or must come again.
    Handled(Result<(), String>),
    /// A sweep ended; whether it found nothing to do.
    Swept(Result<bool, String>),
    /// An entry was delivered, or must come again.
    Told(Result<(), String>),
}

type Work = Pin<Box<dyn Future<Output = Done>>>;

struct Task {
    process: Process,
    name: Arc<str>,
    work: Work,
    wake: Timestamp,
    ends: Timestamp,
    turns: u32,
    letter: Option<Letter>,
    channel: Option<usize>,
}

/// A world after its storm.
pub struct Played {
    /// The account, the journal, what people saw.
    pub world: World,
    /// The end that an omniscient fold gives, by the ids of the capture.
    pub ideal: Ideal,
    /// What trusted hands did, with whether a guard heard of it.
    pub trusted: Vec<Trusted>,
    /// Messages that the queue gave up.
    pub dead: u64,
    /// Processes that died.
    pub crashed: u64,
    /// Invocations that ran out of time.
    pub timed_out: u64,
    /// Sweeps that ended.
    pub sweeps: u64,
    /// Invocations of the guard.
    pub invocations: u64,
    /// Edits of people that EC2 took.
    pub changes: u64,
    /// How often a controller did its edit again.
    pub fought: u64,
    /// Whether it came to rest; the reason where it did not.
    pub restless: Option<String>,
    /// What happened, line by line; empty unless asked for.
    pub story: Vec<String>,
    /// The policy that applied.
    pub policy: Policy,
    /// Turns of all processes.
    pub turns: u64,
}

/// The world while it is played.
pub(super) struct Stage<'s> {
    storm: &'s Storm,
    world: World,
    layout: Layout,
    rng: fastrand::Rng,
    policy: Policy,
    own: Own,
    began: Timestamp,
    tasks: Vec<Task>,
    letters: Vec<Letter>,
    channels: [(SimChannel, VecDeque<Entry>, Timestamp); 2],
    next_sweep: Timestamp,
    starts: BTreeMap<Process, u16>,
    taken: BTreeMap<Process, u16>,
    people: People<'s>,
    /// Ids of what was made again, seen so far, to the ids of before.
    origins: Lineage,
    weather: weather::Weather,
    /// Events that a guard handled to their end, and when.
    handled: BTreeMap<String, Timestamp>,
    calm: bool,
    played: Played,
    tell: bool,
}

/// Plays a storm.
///
/// # Errors
/// The world could not be set up.
pub fn play(storm: &Storm, tell: bool) -> Result<Played, String> {
    let mut stage = Stage::new(storm, tell)?;
    stage.set_up()?;
    stage.rage();
    stage.rest();
    Ok(stage.end())
}

/// Runs a future that only passes by: the capture, before the world is shared.
fn at_once<F: Future>(work: F) -> F::Output {
    let mut work = std::pin::pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = work.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl<'s> Stage<'s> {
    fn new(storm: &'s Storm, tell: bool) -> Result<Self, String> {
        let builder = Builder::new(storm.seed);
        let builder = match storm.default_vpc {
            true => builder.with_default_vpc(),
            false => builder,
        };
        let (world, layout) = builder.build();
        let mode = if storm.strict { "strict" } else { "enforce" };
        let trusted = snapback_sim::story::PIPELINE;
        let limits = storm.limits.map(|limits| limits.yaml()).unwrap_or_default();
        let nat = storm.recreate_nat;
        let text =
            format!("mode: {mode}\ntrusted: [\"{trusted}\"]\nrecreate: {{ nat: {nat} }}\n{limits}");
        let policy = Policy::from_yaml(&text, "storm").map_err(|error| error.to_string())?;
        let own = Own {
            account: Some(ACCOUNT.into()),
            region: Some(REGION.into()),
            roles: BTreeSet::from([GUARD_ROLE.to_owned()]),
            ..Own::default()
        };
        let channels = ["sns", "slack"].map(|name| {
            (
                SimChannel::new(&world, name),
                VecDeque::new(),
                Timestamp::MIN,
            )
        });
        let began = world.now();
        Ok(Self {
            rng: fastrand::Rng::with_seed(storm.seed ^ 0x0a0b_0c0d),
            played: Played {
                world: world.clone(),
                ideal: Ideal::new(),
                trusted: Vec::new(),
                dead: 0,
                crashed: 0,
                timed_out: 0,
                sweeps: 0,
                invocations: 0,
                changes: 0,
                fought: 0,
                restless: None,
                story: Vec::new(),
                policy: policy.clone(),
                turns: 0,
            },
            storm,
            world,
            layout,
            policy,
            own,
            began,
            tasks: Vec::new(),
            letters: Vec::new(),
            channels,
            next_sweep: Timestamp::MAX,
            starts: BTreeMap::new(),
            taken: BTreeMap::new(),
            people: People::default(),
            origins: Lineage::default(),
            weather: weather::Weather::default(),
            handled: BTreeMap::new(),
            calm: false,
            tell,
        })
    }

    fn set_up(&mut self) -> Result<(), String> {
        self.furnish()?;
        while !self.world.deliver_next().is_empty() {}
        self.world.advance(Duration::from_secs(5));
        at_once(capture::run(
            &self.world,
            "admin",
            "before the storm",
            &self.policy,
        ))
        .map_err(|error| format!("capture: {error}"))?;
        self.world.advance(Duration::from_secs(60));
        self.played.ideal = self.world.snapshot().resources;
        self.world.share();
        self.began = self.world.now();
        self.next_sweep = self.at(self.storm.sweep_every);
        self.people.start(self.storm, self.began);
        self.weather.start(self.storm, self.began);
        Ok(())
    }

    fn at(&self, offset_ms: u32) -> Timestamp {
        after(self.began, Duration::from_millis(offset_ms.into()))
    }

    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if self.tell {
            let since = self.world.now().duration_since(self.began);
            let line = format!("{:>9.3} s  {}", since.as_secs_f64(), line());
            self.played.story.push(line);
        }
    }

    /// The storm itself, until the last of its mishaps is done and its time is over.
    fn rage(&mut self) {
        let over = self.at(self.storm.lasts);
        while self.world.now() < over || !self.people.is_done() {
            if !self.turn(Some(over)) {
                return;
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.tasks.is_empty()
            && self.letters.is_empty()
            && self.world.pending() == 0
            && self.next_sweep == Timestamp::MAX
            && self.channels.iter().all(|(_, queue, _)| queue.is_empty())
            && self.people.is_done()
    }

    /// One turn: what is due is done, then one process goes on, or time passes. `false` ends the world.
    fn turn(&mut self, over: Option<Timestamp>) -> bool {
        self.played.turns = self.played.turns.saturating_add(1);
        if self.played.turns > TURNS_MAX {
            self.played.restless = Some(format!("not over after {TURNS_MAX} turns"));
            return false;
        }
        self.change_weather();
        self.let_people_act();
        self.receive();
        self.start_guards();
        self.start_sweep();
        self.start_notify();
        let now = self.world.now();
        let ready: Vec<usize> = self
            .tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| task.wake <= now)
            .map(|(index, _)| index)
            .collect();
        match self.rng.choice(ready) {
            Some(index) => self.poll(index),
            None => self.pass(over),
        }
        true
    }

    /// Lets time pass to the next thing that is due.
    fn pass(&mut self, over: Option<Timestamp>) {
        let now = self.world.now();
        let wakes = self.tasks.iter().map(|task| task.wake.min(task.ends));
        let letters = self.letters.iter().map(|letter| letter.visible);
        let retries = self
            .channels
            .iter()
            .filter(|(_, queue, _)| !queue.is_empty())
            .map(|(_, _, retry)| *retry);
        let next = wakes
            .chain(letters)
            .chain(retries)
            .chain(self.world.next_message())
            .chain(self.people.next())
            .chain(self.weather.next())
            .chain([self.next_sweep])
            .chain(over)
            .filter(|at| *at > now)
            .min();
        match next {
            Some(next) if next < Timestamp::MAX => self.world.advance_to(next),
            // Whatever waits waits for a process that is at work; let it go on.
            _ => self.world.advance(Duration::from_millis(50)),
        }
    }

    fn poll(&mut self, index: usize) {
        let now = self.world.now();
        let Some(task) = self.tasks.get_mut(index) else {
            return;
        };
        if now >= task.ends {
            self.played.timed_out = self.played.timed_out.saturating_add(1);
            return self.drop_task(index, "ran out of time");
        }
        let taken = self.taken.entry(task.process).or_default();
        *taken = taken.saturating_add(1);
        let dies = |crash: &Crash| crash.process == task.process && crash.turn == *taken;
        if self.storm.crashes.iter().any(dies) {
            self.played.crashed = self.played.crashed.saturating_add(1);
            return self.drop_task(index, "died");
        }
        task.turns = task.turns.saturating_add(1);
        let mut context = Context::from_waker(Waker::noop());
        match task.work.as_mut().poll(&mut context) {
            Poll::Ready(done) => self.finish(index, done),
            Poll::Pending => {
                let wake = self.world.take_wake();
                if let Some(task) = self.tasks.get_mut(index) {
                    task.wake = wake.unwrap_or(now);
                }
            }
        }
    }

    fn drop_task(&mut self, index: usize, why: &str) {
        let task = self.tasks.swap_remove(index);
        let _forgotten = self.world.take_wake();
        self.say(|| format!("{} {why} after {} turns", task.name, task.turns));
        if let Some(letter) = task.letter {
            self.redeliver(letter);
        }
        if let Some(channel) = task.channel {
            self.try_again(channel);
        }
    }

    fn finish(&mut self, index: usize, done: Done) {
        let task = self.tasks.swap_remove(index);
        let _forgotten = self.world.take_wake();
        match done {
            Done::Handled(result) => {
                let Some(letter) = task.letter else { return };
                match result {
                    Ok(()) => {
                        self.say(|| format!("{}: done", task.name));
                        if let Some(event) = letter.event.clone() {
                            let now = self.world.now();
                            self.handled.entry(event).or_insert(now);
                        }
                    }
                    Err(why) => {
                        self.say(|| format!("{}: {why}", task.name));
                        self.redeliver(letter);
                    }
                }
            }
            Done::Swept(result) => {
                self.played.sweeps = self.played.sweeps.saturating_add(1);
                self.calm = result == Ok(true);
                self.say(|| format!("{}: calm {result:?}", task.name));
            }
            Done::Told(result) => {
                let Some(channel) = task.channel else { return };
                match result {
                    Ok(()) => {
                        if let Some((_, queue, _)) = self.channels.get_mut(channel) {
                            queue.pop_front();
                        }
                    }
                    Err(why) => {
                        self.say(|| format!("{}: {why}", task.name));
                        self.try_again(channel);
                    }
                }
            }
        }
    }

    fn try_again(&mut self, channel: usize) {
        let retry = after(self.world.now(), STREAM_RETRY);
        if let Some((_, _, at)) = self.channels.get_mut(channel) {
            *at = retry;
        }
    }

    /// The name of the next process of a kind.
    fn start(&mut self, process: Process) -> Arc<str> {
        let number = self.starts.entry(process).or_default();
        let this = *number;
        *number = number.saturating_add(1);
        let word = match process {
            Process::Guard => "guard",
            Process::Sweep => "sweep",
            Process::Notify => "notify",
        };
        format!("{word}-{this}").into()
    }

    fn guard(&self, name: &str, ahead: i16) -> Guard<World> {
        let ports = self.world.seen_by(name, ahead.into());
        Guard::new(ports, self.policy.clone(), self.own.clone(), name)
    }

    fn end(mut self) -> Played {
        for trusted in &mut self.played.trusted {
            trusted.heard = self.handled.get(trusted.event.as_str()).copied();
        }
        self.played
    }
}
