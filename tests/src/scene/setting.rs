//! An account under guard: the real flow on a simulated world, message by message. Unlike
//! `snapback_sim::station` it runs inside the test's own runtime, so that crashes and concurrent
//! deliveries can be played, and it keeps what became of each delivery.

use snapback_app::capture::{self, CaptureError, Captured};
use snapback_app::guard::{Guard, GuardError, Handled, Message};
use snapback_app::notify;
use snapback_app::port::{Channel, Clock};
use snapback_app::sweep::{self, Sweep, SweepError, Terms};
use snapback_engine::change::Own;
use snapback_engine::incident::Entry;
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{
    ACCOUNT, Builder, Chaos, EventFaults, GUARD_ROLE, Layout, REGION, Shown, SimChannel, Staleness,
    World, story,
};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Steps of a scenario's time.
pub const MINUTE: Duration = Duration::from_secs(60);
/// How long one Lambda invocation lasts at most.
const INVOCATION: Duration = Duration::from_secs(120);
/// When a message that was not handled comes again.
pub(super) const VISIBILITY: Duration = Duration::from_secs(30);
/// How often it comes.
const RECEIVES_MAX: usize = 6;
/// When the stream brings an entry again.
const STREAM_RETRY: Duration = Duration::from_secs(60);
/// More messages than this in one story mean that it fights with itself.
const MESSAGES_MAX: usize = 400;

/// The stories' policy in another mode.
///
/// # Panics
/// Where it is not accepted.
pub fn policy(mode: Mode) -> Policy {
    story::policy(mode).unwrap()
}

/// A strict policy that trusts nobody, with these keys beside the mode.
///
/// # Panics
/// Where it is not accepted.
pub fn strict(keys: &str) -> Policy {
    Policy::from_yaml(&format!("mode: strict\n{keys}"), "test").unwrap()
}

/// The realistic account, captured, under guard.
///
/// # Panics
/// Where it cannot be captured.
pub async fn guarded(seed: u64, mode: Mode) -> Setting {
    guarded_by(seed, policy(mode)).await
}

/// The realistic account, captured, under guard by a policy of the test's own.
///
/// # Panics
/// Where it cannot be captured.
pub async fn guarded_by(seed: u64, policy: Policy) -> Setting {
    let mut setting = Setting::new(seed, policy);
    setting.capture().await.unwrap();
    setting
}

/// One delivery of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// When it arrived.
    pub at: Timestamp,
    /// What became of it.
    pub result: Result<Handled, GuardError>,
}

/// A world with guard, sweep and notifier.
pub struct Setting {
    /// The account.
    pub world: World,
    /// Its ids.
    pub layout: Layout,
    /// The guard.
    pub guard: Guard<World>,
    /// Each delivery.
    pub delivered: Vec<Delivered>,
    /// Each sweep.
    pub sweeps: Vec<Result<Sweep, SweepError>>,
    /// Messages that the queue gave up.
    pub dead: Vec<String>,
    retried: Vec<String>,
    outbox: Vec<(SimChannel, VecDeque<Entry>)>,
}

impl Setting {
    /// The realistic account, not captured yet.
    pub fn new(seed: u64, policy: Policy) -> Self {
        let (world, layout) = Builder::new(seed).with_default_vpc().build();
        Self::of(world, layout, policy)
    }

    /// A world under guard.
    pub fn of(world: World, layout: Layout, policy: Policy) -> Self {
        let own = Own {
            account: Some(ACCOUNT.into()),
            region: Some(REGION.into()),
            roles: BTreeSet::from([GUARD_ROLE.to_owned()]),
            ..Own::default()
        };
        let outbox = ["sns", "slack"]
            .map(|name| (SimChannel::new(&world, name), VecDeque::new()))
            .into();
        Self {
            guard: Guard::new(world.clone(), policy, own, "guard-1"),
            world,
            layout,
            delivered: Vec::new(),
            sweeps: Vec::new(),
            dead: Vec::new(),
            retried: Vec::new(),
            outbox,
        }
    }

    /// Captures the baseline. Events of what was done before are not delivered any more.
    ///
    /// # Errors
    /// What kept it from being captured.
    pub async fn capture(&mut self) -> Result<Captured, CaptureError> {
        self.lose_messages();
        // Captured later than whatever was done before, also in whole seconds.
        self.world.advance(Duration::from_secs(5));
        let captured =
            capture::run(&self.world, "admin", "first capture", &self.guard.policy).await;
        self.world.advance(Duration::from_secs(60));
        captured
    }

    /// Time passes, a sweep runs, what it asks for is handled.
    pub async fn later(&mut self, time: Duration) {
        self.world.advance(time);
        self.sweep().await;
        self.settle().await;
    }

    /// Lets messages, sweeps and streams have their time until everything had its chance: NAT gateways take
    /// minutes, and so do messages that come again.
    pub async fn rest(&mut self) {
        for _ in 0..4 {
            Box::pin(self.settle()).await;
            self.world.advance(5 * MINUTE);
            Box::pin(self.sweep()).await;
        }
        self.settle().await;
        self.notify_again(120).await;
    }

    /// From now on everything goes wrong by chance, each thing now and then, until the world heals: calls,
    /// the store, channels, reads, events.
    pub fn goes_wrong_by_chance(&self) {
        self.world.set_chaos(Chaos {
            throttled: 0.08,
            server_error: 0.05,
            lost_response: 0.05,
            lost_request: 0.03,
            store_error: 0.04,
            store_lost: 0.04,
            channel_error: 0.2,
        });
        self.world.set_staleness(Staleness {
            window: Duration::from_millis(800),
            chance: 0.3,
        });
        self.world.set_event_faults(EventFaults {
            delay_max: Duration::from_secs(20),
            late: 0.1,
            late_by: 5 * MINUTE,
            duplicate: 0.3,
            lose: 0.15,
            ..EventFaults::default()
        });
    }

    /// Handles messages until none is on its way, and tells people.
    pub async fn settle(&mut self) {
        for _ in 0..MESSAGES_MAX {
            let bodies = self.world.deliver_next();
            if bodies.is_empty() {
                break;
            }
            for body in bodies {
                self.handle(body).await;
            }
            self.notify().await;
        }
        self.notify().await;
    }

    /// Handles one message as the queue would: again later where it fails, dead in the end.
    pub async fn handle(&mut self, body: String) {
        let tries = self.retried.iter().filter(|seen| **seen == body).count();
        let at = self.world.now();
        let handled = self.guard.handle_message(Message {
            body: &body,
            arrived: at,
            deadline: at.checked_add(INVOCATION).unwrap_or(at),
            last_try: tries.saturating_add(1) >= RECEIVES_MAX,
        });
        // Whoever waits for it would be as large as it, and tests wait in many places.
        let result = Box::pin(handled).await;
        let failed = result.is_err();
        self.delivered.push(Delivered { at, result });
        if failed {
            self.again(body, tries);
        }
    }

    /// Gives a message back to the queue after `tries` earlier ones.
    pub fn again(&mut self, body: String, tries: usize) {
        self.retried.push(body.clone());
        if tries.saturating_add(1) >= RECEIVES_MAX {
            self.dead.push(body);
        } else {
            self.world.post(body, VISIBILITY);
        }
    }

    /// Runs the sweep; what it asks for is on its way to the guard then.
    pub async fn sweep(&mut self) {
        let now = self.world.now();
        let terms = Terms {
            policy: self.guard.policy.clone(),
            own: self.guard.own.clone(),
            limits: self.guard.limits,
            holder: format!("sweep-{}", self.sweeps.len()),
            deadline: now.checked_add(Duration::from_secs(300)).unwrap_or(now),
        };
        let swept = Box::pin(sweep::run(&self.world, &terms)).await;
        self.sweeps.push(swept);
    }

    /// Drains the journal's stream to every channel; what fails waits at its place.
    pub async fn notify(&mut self) {
        let fresh = self.world.journal_stream();
        for (channel, queue) in &mut self.outbox {
            queue.extend(fresh.iter().cloned());
            while let Some(entry) = queue.front() {
                let now = self.world.now();
                let deadline = now.checked_add(Duration::from_secs(30)).unwrap_or(now);
                let world = &self.world;
                let result = notify::deliver(channel, world, world, world, entry, deadline).await;
                if result.is_err() {
                    break;
                }
                queue.pop_front();
            }
        }
    }

    /// Lets the streams try again until all is told or `tries` are used up.
    pub async fn notify_again(&mut self, tries: u32) {
        for _ in 0..tries {
            if self.outbox.iter().all(|(_, queue)| queue.is_empty()) {
                break;
            }
            self.world.advance(STREAM_RETRY);
            self.notify().await;
        }
    }

    /// What a channel showed.
    pub fn shown(&self, channel: &str) -> Vec<Shown> {
        self.outbox
            .iter()
            .filter(|(known, _)| known.name() == channel)
            .flat_map(|(known, _)| known.shown())
            .collect()
    }
}
