//! What a run of storms amounts to.

use super::oracle::{Looked, Violation};
use super::stage::Played;
use serde::{Deserialize, Serialize};
use snapback_engine::incident::Body;
use std::collections::BTreeMap;

/// Sums over worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tally {
    /// Worlds played.
    pub worlds: u64,
    /// Worlds in which an invariant did not hold.
    pub failed: u64,
    /// Edits of people and machines that EC2 took.
    pub changes: u64,
    /// EC2 calls, reads and refused ones too.
    pub calls: u64,
    /// Writes that we tried.
    pub writes: u64,
    /// Messages that people saw.
    pub alerts: u64,
    /// Invocations of the guard.
    pub invocations: u64,
    /// Sweeps.
    pub sweeps: u64,
    /// Processes that died between two effects, or ran out of time.
    pub crashes: u64,
    /// Edits that a controller did again.
    pub fought: u64,
    /// Messages that the queue gave up.
    pub dead: u64,
    /// Closed stories by outcome.
    pub stories: BTreeMap<String, u64>,
    /// Faults that struck.
    pub faults: BTreeMap<String, u64>,
    /// What the oracles looked at.
    pub looked: Looked,
    /// Invariants that did not hold, by name.
    pub violations: BTreeMap<String, u64>,
}

fn count(into: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    let sum = into.entry(name.to_owned()).or_default();
    *sum = sum.saturating_add(by);
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Tally {
    /// The figures of one world.
    pub fn of(played: &Played, violations: &[Violation], looked: &Looked) -> Self {
        let world = &played.world;
        let mut tally = Self {
            worlds: 1,
            failed: u64::from(!violations.is_empty()),
            changes: played.changes,
            calls: long(world.ec2_calls().len()),
            writes: long(world.tried().len()),
            invocations: played.invocations,
            sweeps: played.sweeps,
            crashes: played.crashed.saturating_add(played.timed_out),
            fought: played.fought,
            dead: played.dead,
            faults: world.struck(),
            looked: looked.clone(),
            ..Self::default()
        };
        for name in ["sns", "slack"] {
            let shown = snapback_sim::SimChannel::new(world, name).shown();
            tally.alerts = tally.alerts.saturating_add(long(shown.len()));
        }
        for entry in world.journal() {
            if let Body::Closed { report } = &entry.body {
                let outcome = format!("{:?}", report.outcome).to_lowercase();
                count(&mut tally.stories, &outcome, 1);
            }
        }
        for violation in violations {
            let name = format!("{:?}", violation.invariant);
            count(&mut tally.violations, &name, 1);
        }
        count(&mut tally.faults, "process died", played.crashed);
        count(
            &mut tally.faults,
            "process ran out of time",
            played.timed_out,
        );
        tally
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.worlds, other.worlds),
            (&mut self.failed, other.failed),
            (&mut self.changes, other.changes),
            (&mut self.calls, other.calls),
            (&mut self.writes, other.writes),
            (&mut self.alerts, other.alerts),
            (&mut self.invocations, other.invocations),
            (&mut self.sweeps, other.sweeps),
            (&mut self.crashes, other.crashes),
            (&mut self.fought, other.fought),
            (&mut self.dead, other.dead),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (into, from) in [
            (&mut self.stories, &other.stories),
            (&mut self.faults, &other.faults),
            (&mut self.looked.0, &other.looked.0),
            (&mut self.violations, &other.violations),
        ] {
            from.iter().for_each(|(name, by)| count(into, name, *by));
        }
    }
}
