//! The end: nothing deviates in silence, the baselines are right, nothing was made twice.

use super::{Bench, Invariant};
use snapback_app::assessment::assess_diff;
use snapback_engine::diff::{self, Difference};
use snapback_engine::execution::{Verification, verify};
use snapback_engine::incident::{Body, Cause, Outcome, Report};
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

impl Bench<'_> {
    pub(super) fn reports(&self) -> Vec<&Report> {
        let closed = self.journal.iter().filter_map(|entry| match &entry.body {
            Body::Closed { report } => Some(report.as_ref()),
            _ => None,
        });
        closed.collect()
    }

    pub(super) fn end(&mut self) {
        let world = &self.played.world;
        let live = world.snapshot();
        let baselines = Baselines {
            by_id: world.stored_baselines(),
            topology: world.stored_topology().unwrap_or_default(),
            seen: world.stored_seen(),
        };
        let lineage = self.lineage(&baselines, &live);
        self.deviations(&baselines, &live, &lineage);
        self.baselines(&baselines, &live, &lineage);
        self.doubles(&baselines, &live);
        self.gone(&baselines, &live, &lineage);
        self.gateways(&baselines, &live, &lineage);
        let accused = self
            .reports()
            .iter()
            .filter(|report| report.outcome == Outcome::Impostor)
            .count();
        if accused > 0 {
            self.violated(Invariant::NoSelfAccusation, format!("{accused} times"));
        }
    }

    fn deviations(&mut self, baselines: &Baselines, live: &Snapshot, lineage: &Lineage) {
        let records = self.played.world.stored_records();
        for diff in diff::diff(baselines, live, None) {
            let record = records.get(&diff.resource);
            let running = record.map(|record| record.experiments.clone());
            let running = running.unwrap_or_default();
            let policy = &self.played.policy;
            let assessment = assess_diff(baselines, live, &diff, None, policy, &running);
            let told = record.map(|record| &record.told);
            let is_halted = self.is_halted(&diff.resource);
            for judgement in &assessment.decision.judgements {
                if judgement.verdict == Verdict::Ignore {
                    continue;
                }
                self.looked.at("deviations at the end");
                let element = judgement.difference.element();
                let is_told = told
                    .and_then(|told| told.get(&element))
                    .is_some_and(|told| judgement.is_known_by(told));
                if !is_told && !matches!(judgement.difference, Difference::Unreviewed { .. }) {
                    let what = format!("{}: {}", diff.resource, judgement.text);
                    self.violated(Invariant::NoLostIncident, what);
                } else if is_halted {
                    self.looked.at("deviations that a brake or breaker leaves");
                } else if judgement.verdict == Verdict::Revert
                    && !self.was_tried(&diff.resource, lineage)
                {
                    let what = format!("{}: {} stands", diff.resource, judgement.text);
                    self.violated(Invariant::RightEnd, what);
                }
            }
        }
    }

    /// Whether a brake or breaker is on there: nothing is written until a person releases it, and they
    /// were told so.
    pub(super) fn is_halted(&self, resource: &ResourceId) -> bool {
        let world = &self.played.world;
        let records = world.stored_records();
        let record = records.get(resource);
        world.stored_account().brake.is_some()
            || record.is_some_and(|record| record.brake.is_some() || record.fight.is_some())
    }

    /// Whether the last thing that people were told of a resource is that it could not be put back.
    pub(super) fn was_tried(&self, resource: &ResourceId, lineage: &Lineage) -> bool {
        let of_deviations = |report: &&Report| {
            let of = report.resource.as_ref();
            of.is_some_and(|of| of.renamed(lineage) == *resource)
                && !matches!(
                    report.outcome,
                    Outcome::Context | Outcome::Accepted | Outcome::Blind
                )
        };
        let last = self.reports().into_iter().rfind(of_deviations);
        last.is_some_and(|report| {
            matches!(report.outcome, Outcome::Failed | Outcome::Refused)
                && !report.problems.is_empty()
        })
    }

    /// What stands in the place of what, by the tags of all that is there or was good.
    fn lineage(&self, baselines: &Baselines, live: &Snapshot) -> Lineage {
        let mut lineage = Lineage::default();
        let makes = self.journal.iter().any(|entry| match &entry.body {
            Body::Planned { plan } => plan.steps.iter().any(|step| step.action.makes().is_some()),
            _ => false,
        });
        if !makes {
            return lineage;
        }
        let good = baselines.by_id.values().filter_map(|it| it.state.as_ref());
        for resource in good.chain(live.resources.values()) {
            if let Some(old) = resource.tags().and_then(|tags| tags.get(SUCCESSOR_OF)) {
                lineage.record(old, resource.id().as_str());
            }
        }
        lineage.extend(&super::gone::led(baselines, live));
        // A closed story's own word, where neither tag is left.
        for story in self.stories().keys() {
            lineage.extend(&self.made_by(story));
        }
        lineage
    }

    fn made_by(&self, incident: &IncidentId) -> Lineage {
        let entries: Vec<_> = self
            .journal
            .iter()
            .filter(|entry| entry.incident == *incident)
            .cloned()
            .collect();
        snapback_engine::incident::Story::read(&entries)
            .map(|story| story.lineage)
            .unwrap_or_default()
    }

    fn baselines(&mut self, baselines: &Baselines, live: &Snapshot, lineage: &Lineage) {
        let goal: BTreeMap<ResourceId, Resource> = self
            .played
            .ideal
            .values()
            .map(|resource| resource.renamed(lineage))
            .map(|resource| (resource.id(), resource))
            .collect();
        let mut good = Snapshot::empty(live.observed_at);
        good.coverage.clone_from(&live.coverage);
        good.topology.clone_from(&live.topology);
        good.resources = baselines
            .by_id
            .iter()
            .filter_map(|(id, baseline)| Some((id.clone(), baseline.state.clone()?)))
            .collect();
        for (id, wanted) in &goal {
            self.looked.at("baselines at the end");
            let only = BTreeMap::from([(id.clone(), wanted.clone())]);
            let Verification::Differs(lines) = verify(&only, &good) else {
                continue;
            };
            if self.names_the_deleted(id, &good, lineage) {
                self.looked
                    .at("baselines that name what a trusted hand deleted");
                continue;
            }
            if self.is_tag_told(id, &lines, lineage) {
                self.looked.at("trusted tags that are told as drift");
            } else if !self.is_explained(id, lineage) {
                let what = format!("{id}: {}", lines.join("; "));
                self.violated(Invariant::RightBaseline, what);
            } else {
                self.looked
                    .at("baselines that a lost or refused event explains");
            }
        }
    }

    /// Whether a baseline is right but for peers that a trusted hand deleted: what was made in their
    /// place before that was heard is not good, so nothing need name it.
    fn names_the_deleted(&self, id: &ResourceId, good: &Snapshot, lineage: &Lineage) -> bool {
        let deleted = || self.played.trusted.iter();
        let mut spared = Lineage::default();
        for (old, new) in lineage.iter() {
            let is_old = |deleted: Option<&String>| deleted.is_some_and(|id| id == old);
            if !deleted().any(|trusted| is_old(trusted.deletes.as_ref())) {
                spared.record(old, new);
            }
        }
        let ideal = self.played.ideal.values();
        let named = ideal.map(|resource| resource.renamed(&spared));
        named
            .filter(|resource| resource.id() == *id)
            .any(|resource| {
                let only = BTreeMap::from([(id.clone(), resource)]);
                verify(&only, good) == Verification::Equal
            })
    }

    /// The events of trusted changes that were told as refused, or as not understood: they name an
    /// id that nobody knows.
    pub(super) fn refused(&self) -> BTreeSet<&EventId> {
        let refused = self.reports().into_iter().filter(|report| {
            let of_nothing = report.resource.is_none() && report.outcome == Outcome::Alerted;
            report.outcome == Outcome::Refused || of_nothing
        });
        let events = refused.filter_map(|report| match &report.cause {
            Cause::Event(event) => Some(event),
            _ => None,
        });
        events.collect()
    }

    /// No event tells of a trusted tag, and the history that the sweep asks knows it some minutes later:
    /// until then it is told as what nobody is known to have done (`no-lost-incident` looks at that).
    fn is_tag_told(&self, id: &ResourceId, lines: &[String], lineage: &Lineage) -> bool {
        let tags = lines.iter().all(|line| line.contains(" tag: "));
        tags && self.played.trusted.iter().any(|trusted| {
            let mut edits = trusted.edits.iter();
            trusted.what.starts_with("Tag(") && edits.any(|edit| edit.renamed(lineage) == *id)
        })
    }

    /// Whether a trusted change of the resource was never heard of, or told as refused.
    fn is_explained(&self, id: &ResourceId, lineage: &Lineage) -> bool {
        let refused = self.refused();
        let mut touching = self.played.trusted.iter().filter(|trusted| {
            trusted
                .edits
                .iter()
                .any(|edit| edit.renamed(lineage) == *id)
        });
        touching.any(|trusted| trusted.heard.is_none() || refused.contains(&trusted.event))
    }

    fn doubles(&mut self, baselines: &Baselines, live: &Snapshot) {
        let mut made: BTreeMap<&str, Vec<ResourceId>> = BTreeMap::new();
        for (id, resource) in &live.resources {
            let Some(tags) = resource.tags() else {
                continue;
            };
            if let Some(old) = tags.get(SUCCESSOR_OF) {
                made.entry(old).or_default().push(id.clone());
            }
            let ours = tags.contains_key(INCIDENT);
            if !ours {
                continue;
            }
            self.looked.at("resources made again");
            let known = baselines.state(id).is_some();
            let told = tags.get(INCIDENT).is_some_and(|incident| {
                self.journal.iter().any(|entry| {
                    entry.incident.as_str() == incident
                        && matches!(&entry.body, Body::Closed { report } if report.outcome != Outcome::Reverted)
                })
            });
            if !known && !told {
                self.violated(Invariant::NoDoubleCreation, format!("{id} is half made"));
            }
        }
        for (old, new) in made {
            if new.len() > 1 {
                let what = format!("{old} was made again as {new:?}");
                self.violated(Invariant::NoDoubleCreation, what);
            }
        }
    }
}
