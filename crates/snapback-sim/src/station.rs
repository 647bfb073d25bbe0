//! A deployed Snapback in a simulated account: inbox → guard → journal → notify, driven step by step.
//!
//! - Owns: the order in which messages reach the guard, redelivery, what listeners hear.
//! - Takes: a [`World`], a policy.
//! - Gives: [`Station`]; [`Moment`]s as they happen.
//! - Must not: decide anything; use real time.

use crate::{
    ACCOUNT, Builder, Call, CallOutcome, GUARD_ROLE, Layout, Principal, REGION, SimChannel, World,
};
use snapback_app::guard::{Ending, Guard, Handled, Message};
use snapback_app::port::{Clock, DeadLetter};
use snapback_app::sweep::{self, Sweep, Terms};
use snapback_app::{capture, notify};
use snapback_engine::change::Own;
use snapback_engine::execution::Limits;
use snapback_engine::incident::{Body, Entry, Report};
use snapback_engine::policy::Policy;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Something worth telling, at the moment it happens.
#[derive(Debug, Clone)]
pub enum Moment {
    /// Somebody made a call.
    Did {
        /// Who, for people.
        who: String,
        /// What, in plain words.
        what: String,
        /// The API.
        api: String,
        /// When.
        at: Timestamp,
    },
    /// Something happened to the world or was said by it (an event was lost, the sweep ran).
    Noted(String),
    /// A message reached the guard.
    Arrived {
        /// The API of the event, or the command.
        what: String,
        /// When.
        at: Timestamp,
    },
    /// A message was no news: our own call, a duplicate.
    Quiet(String),
    /// A story was closed.
    Closed(Box<Report>),
    /// A message reached people.
    Told {
        /// `sns` or `slack`.
        channel: &'static str,
        /// Its subject.
        subject: String,
    },
}

/// Hears moments.
pub type Listener<'a> = &'a mut dyn FnMut(&Moment);

/// How long one invocation of the guard may take.
const INVOCATION: Duration = Duration::from_secs(60);
/// How long one sweep may take.
const SWEEP: Duration = Duration::from_secs(300);
/// How long a message that failed stays hidden.
const VISIBILITY: Duration = Duration::from_secs(30);
/// Receives before the queue gives a message up.
const RECEIVES_MAX: u32 = 5;
/// Rounds of [`Station::settle`]: more means that Snapback talks to itself.
const ROUNDS_MAX: u32 = 500;

/// A running deployment.
pub struct Station<'a> {
    /// The account.
    pub world: World,
    /// Its ids.
    pub layout: Layout,
    /// The guard's policy and limits may be changed between calls.
    pub guard: Guard<World>,
    listener: Listener<'a>,
    runtime: tokio::runtime::Runtime,
    receives: BTreeMap<String, u32>,
    outbox: [(SimChannel, VecDeque<Entry>); 2],
}

impl<'a> Station<'a> {
    /// A realistic account with everything captured as good, under `policy`.
    ///
    /// # Errors
    /// What kept the capture from being made, in words.
    pub fn start(seed: u64, policy: Policy, listener: Listener<'a>) -> Result<Self, String> {
        let mut station = Self::bare(seed, policy, listener)?;
        station.capture("first deployment")?;
        Ok(station)
    }

    /// Takes the account as it is for the baseline; what was done before is of no interest any more.
    ///
    /// # Errors
    /// What kept it from being captured.
    pub fn capture(&mut self, why: &str) -> Result<(), String> {
        while !self.world.deliver_next().is_empty() {}
        self.runtime
            .block_on(capture::run(
                &self.world,
                "operator",
                why,
                &self.guard.policy,
            ))
            .map(drop)
            .map_err(|error| format!("capture: {error}"))
    }

    /// The same without a capture.
    ///
    /// # Errors
    /// No runtime could be made.
    pub fn bare(seed: u64, policy: Policy, listener: Listener<'a>) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        let (world, layout) = Builder::new(seed).build();
        let own = Own {
            account: Some(ACCOUNT.into()),
            region: Some(REGION.into()),
            roles: BTreeSet::from([GUARD_ROLE.to_owned()]),
            ..Own::default()
        };
        let outbox = ["sns", "slack"].map(|name| (SimChannel::new(&world, name), VecDeque::new()));
        let guard = Guard::new(world.clone(), policy, own, "station");
        Ok(Self {
            world,
            layout,
            guard,
            listener,
            runtime,
            receives: BTreeMap::new(),
            outbox,
        })
    }

    /// Somebody makes a call; its event goes on its way.
    ///
    /// # Errors
    /// EC2's refusal, in words.
    pub fn act(
        &mut self,
        who: &Principal,
        name: &str,
        what: &str,
        call: Call,
    ) -> Result<CallOutcome, String> {
        let (api, at) = (call.api().to_owned(), self.world.now());
        let outcome = self
            .world
            .call(who, call)
            .map_err(|error| error.to_string())?;
        (self.listener)(&Moment::Did {
            who: name.into(),
            what: what.into(),
            api,
            at,
        });
        Ok(outcome)
    }

    /// Says something.
    pub fn note(&mut self, words: impl Into<String>) {
        (self.listener)(&Moment::Noted(words.into()));
    }

    /// Brings every message to the guard, and every alert to people, until nothing is on its way.
    ///
    /// # Errors
    /// It never became quiet.
    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let messages = self.world.deliver_next();
            if messages.is_empty() && self.world.pending() == 0 {
                return self.tell();
            }
            for body in messages {
                self.receive(&body);
                self.tell()?;
            }
        }
        Err(format!("not quiet after {ROUNDS_MAX} deliveries"))
    }

    /// Brings what has arrived by now to the guard, and every alert to people; waits for nothing.
    ///
    /// # Errors
    /// It never became quiet.
    pub fn catch_up(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let messages = self.world.deliver();
            if messages.is_empty() {
                return self.tell();
            }
            for body in messages {
                self.receive(&body);
                self.tell()?;
            }
        }
        Err(format!("not quiet after {ROUNDS_MAX} deliveries"))
    }

    /// Runs the sweep, then settles.
    ///
    /// # Errors
    /// The sweep did not end, or it never became quiet.
    pub fn sweep(&mut self) -> Result<Sweep, String> {
        let terms = Terms {
            policy: self.guard.policy.clone(),
            own: self.guard.own.clone(),
            limits: Limits::default(),
            holder: "sweep".into(),
            deadline: self
                .world
                .now()
                .checked_add(SWEEP)
                .unwrap_or_else(|_| self.world.now()),
        };
        let swept = self
            .runtime
            .block_on(sweep::run(&self.world, &terms))
            .map_err(|error| error.to_string())?;
        self.settle()?;
        Ok(swept)
    }

    fn receive(&mut self, body: &str) {
        let arrived = self.world.now();
        (self.listener)(&Moment::Arrived {
            what: subject(body),
            at: arrived,
        });
        let receives = self.receives.entry(body.to_owned()).or_default();
        *receives = receives.saturating_add(1);
        let last_try = *receives >= RECEIVES_MAX;
        let deadline = arrived.checked_add(INVOCATION).unwrap_or(arrived);
        let message = Message {
            body,
            arrived,
            deadline,
            last_try,
        };
        match self.runtime.block_on(self.guard.handle_message(message)) {
            Ok(Handled::Ignored(reason)) => (self.listener)(&Moment::Quiet(ignored(&reason))),
            Ok(handled) => {
                if handled.endings().iter().all(|ending| {
                    matches!(ending, Ending::Nothing | Ending::AlreadyTold | Ending::Held)
                }) {
                    (self.listener)(&Moment::Quiet(
                        "nothing to do: live is as it should be, or was told".into(),
                    ));
                }
            }
            Err(error) if last_try => {
                let _kept = self
                    .runtime
                    .block_on(self.world.bury(body, &error.to_string()));
            }
            Err(error) => {
                (self.listener)(&Moment::Quiet(format!("comes again: {error}")));
                self.world.post(body, VISIBILITY);
            }
        }
    }

    /// Drains the journal's stream into both channels; each keeps its own place in it.
    fn tell(&mut self) -> Result<(), String> {
        for entry in self.world.journal_stream() {
            if let Body::Closed { report } = &entry.body {
                (self.listener)(&Moment::Closed(report.clone()));
            }
            for (_, waiting) in &mut self.outbox {
                waiting.push_back(entry.clone());
            }
        }
        let now = self.world.now();
        let deadline = now.checked_add(INVOCATION).unwrap_or(now);
        for (channel, waiting) in &mut self.outbox {
            while let Some(entry) = waiting.front() {
                let sent = notify::deliver(
                    channel,
                    &self.world,
                    &self.world,
                    &self.world,
                    entry,
                    deadline,
                );
                match self.runtime.block_on(sent) {
                    Ok(delivered) => {
                        if delivered == notify::Delivered::Now
                            && let Some(shown) = channel.last_shown()
                        {
                            (self.listener)(&Moment::Told {
                                channel: shown.channel,
                                subject: shown.message.subject,
                            });
                        }
                        waiting.pop_front();
                    }
                    Err(_) => break,
                }
            }
        }
        Ok(())
    }

    /// How many alerts a channel showed.
    pub fn shown(&self, channel: &str) -> usize {
        self.outbox
            .iter()
            .flat_map(|(of, _)| of.shown())
            .filter(|shown| shown.channel == channel)
            .count()
    }

    /// The writes that succeeded with our role.
    pub fn our_apis(&self) -> Vec<String> {
        self.world.our_apis()
    }
}

fn ignored(reason: &snapback_engine::change::IgnoreReason) -> String {
    use snapback_engine::change::IgnoreReason;
    match reason {
        IgnoreReason::OwnCall => {
            "the echo of Snapback's own call: known by its request id, ignored".into()
        }
        other => format!("no change: {other:?}"),
    }
}

/// What a message is about, for people.
fn subject(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let api = value
        .pointer("/detail/eventName")
        .or_else(|| value.get("eventName"));
    let command = value.get("snapback");
    api.or(command)
        .and_then(serde_json::Value::as_str)
        .map_or_else(|| "a message that is no event".into(), str::to_owned)
}
