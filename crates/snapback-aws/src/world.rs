//! The ports of each function in one value.
//!
//! - Owns: which adapter serves which port of which function. Only [`GuardWorld`] and
//!   a person's [`PersonWorld`] have `Actuate`.
//! - Takes: the SDK configuration and a function's settings.
//! - Gives: values that satisfy the bounds of `snapback_app::rights`.
//! - Must not: add behaviour.

use crate::call::not_sent;
use crate::config::{GuardConfig, SweepConfig};
use crate::{CloudTrail, DeadLetterQueue, Ec2, Emf, InboxQueue, SystemClock, Tables};
use aws_config::SdkConfig;
use snapback_app::port::*;
use snapback_engine::change::Own;
use snapback_engine::incident::{
    AccountRecord, Activity, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_engine::plan::Action;
use snapback_model::*;
use std::time::Duration;

/// What the guard works with.
#[derive(Debug, Clone)]
pub struct GuardWorld {
    ec2: Ec2,
    tables: Tables,
    inbox: InboxQueue,
    dead_letters: DeadLetterQueue,
    clock: SystemClock,
    meter: Emf,
}

/// What the sweep works with: no way to change EC2.
#[derive(Debug, Clone)]
pub struct SweepWorld {
    ec2: Ec2,
    tables: Tables,
    inbox: InboxQueue,
    history: CloudTrail,
    clock: SystemClock,
    meter: Emf,
}

/// What a person works with at the command line, with their own credentials: `rollback`, `undo`,
/// `history`. It changes EC2 as far as their rights go.
#[derive(Debug, Clone)]
pub struct PersonWorld {
    ec2: Ec2,
    tables: Tables,
    clock: SystemClock,
    meter: Unmeasured,
}

/// A person's run is measured by nobody.
#[derive(Debug, Clone, Copy)]
struct Unmeasured;

impl Meter for Unmeasured {
    fn measure(&self, _: Metric, _: f64) {}
}

fn ec2(sdk: &SdkConfig, own: &Own) -> Ec2 {
    let account = own.account.clone().unwrap_or_else(|| AccountId::new(""));
    let region = own.region.clone().unwrap_or_else(|| Region::new(""));
    Ec2::new(sdk, account, region)
}

impl GuardWorld {
    /// Clients for the guard.
    pub fn new(sdk: &SdkConfig, config: &GuardConfig) -> Self {
        Self {
            ec2: ec2(sdk, &config.own),
            tables: Tables::new(sdk, &config.state_table, &config.journal_table),
            inbox: InboxQueue::new(sdk, &config.inbox_url),
            dead_letters: DeadLetterQueue::new(sdk, &config.dead_letter_url),
            clock: SystemClock,
            meter: Emf::new("guard"),
        }
    }
}

impl SweepWorld {
    /// Clients for the sweep.
    pub fn new(sdk: &SdkConfig, config: &SweepConfig) -> Self {
        Self {
            ec2: ec2(sdk, &config.own),
            tables: Tables::new(sdk, &config.state_table, &config.journal_table),
            inbox: InboxQueue::new(sdk, &config.inbox_url),
            history: CloudTrail::new(sdk),
            clock: SystemClock,
            meter: Emf::new("sweep"),
        }
    }
}

impl PersonWorld {
    /// Clients for a person, who is of `own`'s account and Region.
    pub fn new(sdk: &SdkConfig, own: &Own, state_table: &str, journal_table: &str) -> Self {
        Self {
            ec2: ec2(sdk, own),
            tables: Tables::new(sdk, state_table, journal_table),
            clock: SystemClock,
            meter: Unmeasured,
        }
    }
}

impl Actuate for PersonWorld {
    async fn act(&self, action: &Action, handles: &Handles) -> Result<Receipt, CallError> {
        self.ec2.act(action, handles).await
    }
}

impl DeadLetter for PersonWorld {
    /// A person's run takes no messages, so it has none to bury.
    async fn bury(&self, _: &str, reason: &str) -> Result<(), CallError> {
        Err(not_sent("SendMessage", "dead letters", "NoQueue", reason))
    }
}

impl Generations for PersonWorld {
    async fn generations(
        &self,
        resource: &ResourceId,
        before: Option<Generation>,
    ) -> Result<Vec<Baseline>, StoreError> {
        self.tables.generations(resource, before).await
    }

    async fn generation_at(
        &self,
        resource: &ResourceId,
        at: Timestamp,
    ) -> Result<Option<Baseline>, StoreError> {
        self.tables.generation_at(resource, at).await
    }
}

impl Actuate for GuardWorld {
    async fn act(&self, action: &Action, handles: &Handles) -> Result<Receipt, CallError> {
        self.ec2.act(action, handles).await
    }
}

impl DeadLetter for GuardWorld {
    async fn bury(&self, body: &str, reason: &str) -> Result<(), CallError> {
        self.dead_letters.bury(body, reason).await
    }
}

impl EventHistory for SweepWorld {
    async fn events_about(
        &self,
        resource: &ResourceId,
        since: Timestamp,
    ) -> Result<Vec<String>, CallError> {
        self.history.events_about(resource, since).await
    }
}

/// The ports that all have.
macro_rules! shared_ports {
    ($($world:ty),+) => {$(
        impl Observe for $world {
            async fn observe(&self, scope: &Scope) -> Result<Snapshot, CallError> {
                self.ec2.observe(scope).await
            }
        }

        impl BaselineRead for $world {
            async fn baselines(&self, wanted: &Wanted) -> Result<Option<Baselines>, StoreError> {
                self.tables.baselines(wanted).await
            }
        }

        impl BaselineWrite for $world {
            async fn put_baselines(&self, baselines: &[Baseline]) -> Result<(), StoreError> {
                self.tables.put_baselines(baselines).await
            }

            async fn put_topology(&self, topology: &Topology) -> Result<(), StoreError> {
                self.tables.put_topology(topology).await
            }

            async fn put_seen(&self, topology: &Topology) -> Result<(), StoreError> {
                self.tables.put_seen(topology).await
            }
        }

        impl Journal for $world {
            async fn record(&self, resource: &ResourceId) -> Result<ResourceRecord, StoreError> {
                self.tables.record(resource).await
            }

            async fn lease(&self, scope: &LeaseScope) -> Result<Lease, StoreError> {
                self.tables.lease(scope).await
            }

            async fn account(&self) -> Result<AccountRecord, StoreError> {
                self.tables.account().await
            }

            async fn activity(&self, principal: &str) -> Result<Activity, StoreError> {
                self.tables.activity(principal).await
            }

            async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
                self.tables.commit(commit).await
            }

            async fn entries(&self, incident: &IncidentId) -> Result<Vec<Entry>, StoreError> {
                self.tables.entries(incident).await
            }

            async fn is_ours(&self, request: &RequestId) -> Result<bool, StoreError> {
                self.tables.is_ours(request).await
            }

            async fn unfinished(&self) -> Result<Vec<ResourceRecord>, StoreError> {
                self.tables.unfinished().await
            }
        }

        impl Clock for $world {
            fn now(&self) -> Timestamp {
                self.clock.now()
            }

            async fn sleep(&self, duration: Duration) {
                self.clock.sleep(duration).await;
            }
        }

        impl Meter for $world {
            fn measure(&self, metric: Metric, value: f64) {
                self.meter.measure(metric, value);
            }
        }
    )+};
}

shared_ports!(GuardWorld, SweepWorld, PersonWorld);

/// The functions that send to the guard.
macro_rules! inboxes {
    ($($world:ty),+) => {$(
        impl Inbox for $world {
            async fn send(&self, command: &Command, delay: Duration) -> Result<(), CallError> {
                self.inbox.send(command, delay).await
            }

            async fn forward(&self, record: &str) -> Result<(), CallError> {
                self.inbox.forward(record).await
            }
        }
    )+};
}

inboxes!(GuardWorld, SweepWorld);

impl Inbox for PersonWorld {
    /// A person waits for nobody: nothing of their run is asked for later.
    async fn send(&self, _: &Command, _: Duration) -> Result<(), CallError> {
        Err(not_sent(
            "SendMessage",
            "inbox",
            "NoQueue",
            "a person's run has no inbox",
        ))
    }

    async fn forward(&self, _: &str) -> Result<(), CallError> {
        Err(not_sent(
            "SendMessage",
            "inbox",
            "NoQueue",
            "a person's run has no inbox",
        ))
    }
}
