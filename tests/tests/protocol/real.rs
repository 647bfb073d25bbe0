//! What the model asks of the functions that the flow uses: the real records, leases, entries and stories
//! that the small ones stand for.

use super::search::{Bounds, SKEW, Without};
use super::state::{Said, Slip};
use snapback_engine::execution::StepOutcome;
use snapback_engine::incident::{
    Body, Cause, Entry, Lease, LeaseScope, Outcome, Place, ResourceRecord, Story,
};
use snapback_engine::plan::{self, Plan};
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_tests::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// What a story's entries say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub created: bool,
    pub unanswered: bool,
    pub closed: bool,
}

/// The real things that the small ones stand for.
pub struct Real {
    pub resource: ResourceId,
    pub new: CreatedId,
    pub plan: Plan,
    pub gone: Snapshot,
    pub without: Without,
    pub bounds: Bounds,
    pub facts: RefCell<HashMap<Vec<Said>, Facts>>,
    pub found: RefCell<HashMap<(u64, Vec<Said>), bool>>,
}

pub fn at(tick: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + tick).unwrap()
}

pub fn tick(at: Timestamp) -> i64 {
    at.as_second() - 1_790_000_000
}

pub fn seconds(ticks: i64) -> Duration {
    Duration::from_secs(ticks.unsigned_abs())
}

impl Real {
    pub fn new(without: Without, bounds: Bounds) -> Self {
        run(async {
            let mut setting = Setting::new(1, policy(Mode::Strict));
            let group = setting.make_group("made", &["ingress tcp:443 10.0.0.0/16"]);
            setting.capture().await.unwrap();
            let resource: ResourceId = group.into();
            let mut gone = setting.world.snapshot();
            let state = gone.resources.remove(&resource).unwrap();
            let baselines = Baselines {
                topology: gone.topology.clone(),
                ..setting.baselines()
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

    pub fn record(&self, slip: Slip) -> ResourceRecord {
        let mut record = ResourceRecord::new(self.resource.clone());
        record.version = slip.version;
        record.holder = slip.holder.map(|holder| holder.to_string());
        record.lease_until = slip.until.map(at);
        record.fencing = slip.fencing;
        record.open = slip.open.map(|number| self.incident(number));
        record
    }

    pub fn slip_of_record(&self, record: &ResourceRecord) -> Slip {
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

    pub fn lease(&self, slip: Slip) -> Lease {
        Lease {
            scope: LeaseScope::Vpc("vpc-1".into()),
            version: slip.version,
            holder: slip.holder.map(|holder| holder.to_string()),
            until: slip.until.map(at),
            fencing: slip.fencing,
        }
    }

    pub fn slip_of_lease(lease: &Lease) -> Slip {
        Slip {
            version: lease.version,
            holder: lease.holder.as_ref().map(|holder| holder.parse().unwrap()),
            until: lease.until.map(tick),
            fencing: lease.fencing,
            open: None,
        }
    }

    /// By how much clocks differ, as far as the protocol knows.
    pub fn skew(&self) -> Duration {
        if self.without == Without::Skew {
            Duration::ZERO
        } else {
            seconds(SKEW)
        }
    }

    /// Nobody else holds the record or the lease, by this holder's clock.
    pub fn is_free(&self, record: Slip, lease: Slip, holder: u8, clock: i64) -> bool {
        let (holder, now) = (holder.to_string(), at(clock));
        !self
            .record(record)
            .is_held_against(&holder, now, self.skew())
            && !self.lease(lease).is_held_against(&holder, now, self.skew())
    }

    fn entry(&self, number: u64, sequence: usize, said: Said) -> Entry {
        Entry {
            incident: self.incident(number),
            sequence: u32::try_from(sequence).unwrap(),
            at: at(0),
            body: self.body(number, said),
        }
    }

    fn body(&self, number: u64, said: Said) -> Body {
        let ended = |step: u8, outcome| Body::StepEnded {
            step: step.into(),
            outcome,
        };
        let created = |step: u8| (step == 0).then(|| self.new.clone());
        match said {
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
            Said::Applied(step) => {
                let (request, created) = (None, created(step));
                ended(step, StepOutcome::Applied { request, created })
            }
            Said::Unknown(step) => {
                let what = "no answer".into();
                ended(step, StepOutcome::Unknown { what })
            }
            Said::InPlace(step) => {
                let created = created(step);
                ended(step, StepOutcome::AlreadyInPlace { created })
            }
            Said::Closed => self.closed(number),
        }
    }

    fn closed(&self, number: u64) -> Body {
        let (incident, resource) = (self.incident(number), self.resource.clone());
        let story = Story::new(incident, resource, Cause::Missed, None, at(0));
        let (place, states) = (Place::default(), BTreeMap::new());
        let report = story.report(Outcome::Reverted, &place, &states, at(0));
        Body::Closed {
            report: Box::new(report),
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

    /// What the flow reads from a story's entries.
    pub fn facts(&self, number: u64, said: &[Said]) -> Facts {
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
    pub fn finds(&self, number: u64, said: &[Said]) -> bool {
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
