//! What must be true of a world after its storm, and on the way. Each letter is one of the invariants
//! that docs/SIMULATOR.md lists.

mod brake;
mod end;
mod gone;
mod path;
mod told;
mod writes;

use super::stage::Played;
use serde::{Deserialize, Serialize};
use snapback_engine::incident::Entry;
use snapback_model::IncidentId;
use std::collections::BTreeMap;
use std::fmt;

/// An invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// It comes to rest.
    Rest,
    /// No deviation stays that nobody was told of.
    NoLostIncident,
    /// The baselines are what an omniscient fold of trusted changes gives, or it was told why not.
    RightBaseline,
    /// Harm that stays was tried and told.
    RightEnd,
    /// Nothing is made twice, nothing half made stays in silence.
    NoDoubleCreation,
    /// No write without the lease.
    Lease,
    /// No write outside the journalled plan.
    Planned,
    /// Every story is complete.
    WholeStory,
    /// Every channel showed every told story, and once.
    ToldOnce,
    /// No write leaves the safe path.
    SafePath,
    /// No story accuses ourselves.
    NoSelfAccusation,
    /// The breaker opens where it must and only there; nothing is written over a budget, or while a
    /// brake is on; a brake is told once; nothing waits for quiet too long.
    Restraint,
    /// The simulator itself holds what EC2 always holds.
    Simulator,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

/// What the oracles looked at: so that one sees that they looked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Looked(pub BTreeMap<String, u64>);

impl Looked {
    fn at(&mut self, what: &str) {
        self.times(what, 1);
    }

    fn times(&mut self, what: &str, times: usize) {
        let count = self.0.entry(what.to_owned()).or_default();
        *count = count.saturating_add(u64::try_from(times).unwrap_or(u64::MAX));
    }
}

/// One bench of judges: collects what it sees.
struct Bench<'a> {
    played: &'a Played,
    journal: Vec<Entry>,
    violations: Vec<Violation>,
    looked: Looked,
}

impl Bench<'_> {
    fn violated(&mut self, invariant: Invariant, what: impl Into<String>) {
        self.violations.push(Violation {
            invariant,
            what: what.into(),
        });
    }

    fn stories(&self) -> BTreeMap<IncidentId, Vec<&Entry>> {
        let mut stories: BTreeMap<IncidentId, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.journal {
            let story = stories.entry(entry.incident.clone()).or_default();
            story.push(entry);
        }
        stories
    }
}

/// Judges a played world.
pub fn judge(played: &Played) -> (Vec<Violation>, Looked) {
    let mut bench = Bench {
        played,
        journal: played.world.journal(),
        violations: Vec::new(),
        looked: Looked::default(),
    };
    if let Some(why) = &played.restless {
        bench.violated(Invariant::Rest, why.clone());
        return (bench.violations, bench.looked);
    }
    for lie in played.world.inconsistencies() {
        bench.violated(Invariant::Simulator, lie);
    }
    bench.end();
    bench.told();
    bench.writes();
    bench.path();
    bench.restraint();
    (bench.violations, bench.looked)
}
