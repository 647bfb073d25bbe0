//! Baselines that follow what was made again: the new id takes the place of the old one everywhere.

use crate::{
    BASELINE_SCHEMA, Baseline, Baselines, Element, Generation, Handles, IncidentId, Lineage, Mark,
    Origin, Provenance, Renamed, ResourceId, Timestamp,
};
use std::collections::BTreeMap;

/// What a succession is written down with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession<'a> {
    /// Old ids with the new ones.
    pub lineage: &'a Lineage,
    /// The story in which they were made.
    pub incident: &'a IncidentId,
    /// When.
    pub at: Timestamp,
}

impl Succession<'_> {
    fn provenance(&self, origin: Origin, what: &str) -> Provenance {
        Provenance {
            origin,
            by: "Snapback".to_owned(),
            why: format!("{what} ({})", self.incident),
            at: self.at,
            event: None,
        }
    }

    /// The next generation of a baseline, which keeps since when it knows its resource.
    fn next(&self, before: &Baseline, what: &str) -> Baseline {
        // What nobody reviewed stays so under another id.
        let origin = match before.provenance.origin {
            Origin::Unreviewed => Origin::Unreviewed,
            Origin::Captured | Origin::Accepted | Origin::Recreated | Origin::Promoted => {
                Origin::Recreated
            }
        };
        let mut next = before.clone();
        next.generation = before.generation.next();
        next.parent = Some(before.digest());
        next.provenance = self.provenance(origin, what);
        next.keep_capture(before);
        next
    }

    /// The end of an id: its successor stands in its place.
    fn end(&self, old: &Baseline, new: &ResourceId) -> Baseline {
        let mut end = self.next(old, &format!("{} is {new} now", old.id));
        end.state = None;
        end.successor = Some(new.clone());
        end.marks.clear();
        end.keep_capture(old);
        end
    }

    /// The end of what was made in the place of `first` and never had a baseline of its own.
    fn end_of_unknown(&self, id: &ResourceId, first: &Baseline, new: &ResourceId) -> Baseline {
        let unknown = Baseline {
            schema: BASELINE_SCHEMA,
            id: id.clone(),
            handles: Handles::default(),
            generation: Generation::default(),
            predecessor: Some(first.id.clone()),
            ..first.clone()
        };
        let mut end = self.end(&unknown, new);
        end.parent = None;
        end
    }
}

impl Baselines {
    /// The baselines to write once resources were made again, each on the generation before:
    ///
    /// - the old id ends: no state, and its provenance names its successor. So does what was made in
    ///   its place and is gone itself by now: a late event may name it;
    /// - the new id has the state that the old one had, unless its own deletion was accepted since;
    /// - every other baseline that names an old id names the new one, unless the deletion of the old
    ///   one was accepted since: what was made too late takes nobody's place.
    ///
    /// What has followed already is left out, so it may be asked again after a crash or a conflict.
    /// These baselines must hold every one that may name an old id.
    pub fn succeeded(&self, succession: &Succession<'_>) -> Vec<Baseline> {
        let lineage = succession.lineage;
        let mut written: BTreeMap<ResourceId, Baseline> = BTreeMap::new();
        let lost = self.lost_again(lineage);
        let named = &self.in_their_places(lineage);
        for (id, first) in &lost {
            let new = lineage.current_resource(id);
            let end = match (self.by_id.get(id), self.by_id.get(*first)) {
                (Some(known), _) if known.state.is_some() => Baseline {
                    predecessor: Some((*first).clone()),
                    ..succession.end(known, &new)
                },
                (None, Some(first)) => succession.end_of_unknown(id, first, &new),
                // Its end is known.
                (_, _) => continue,
            };
            written.insert(id.clone(), end);
        }
        for (id, old) in self.by_id.iter().filter(|(id, _)| !lost.contains_key(*id)) {
            let new = lineage.current_resource(id);
            let Some(state) = old.state.as_ref().filter(|_| new != *id) else {
                continue;
            };
            written.insert(id.clone(), succession.end(old, &new));
            let standing = self.by_id.get(&new);
            if standing.is_some_and(Baseline::is_tombstone) {
                continue;
            }
            let mut heir = succession.next(old, &format!("made again in the place of {id}"));
            heir.schema = BASELINE_SCHEMA;
            heir.id = new.clone();
            heir.predecessor = Some(id.clone());
            heir.state = Some(state.renamed(named));
            heir.generation = standing
                .map_or(Generation(0), |standing| standing.generation)
                .next();
            heir.handles = standing.map_or_else(Handles::default, |known| known.handles.clone());
            heir.marks = renamed_marks(&heir.marks, named);
            written.insert(new, heir);
        }
        for (id, before) in &self.by_id {
            let Some(state) = before.state.as_ref().filter(|_| !written.contains_key(id)) else {
                continue;
            };
            let renamed = state.renamed(named);
            if renamed == *state {
                continue;
            }
            let names = named.iter().map(|(old, new)| format!("{old} is {new} now"));
            let what = names.collect::<Vec<_>>().join(", ");
            let mut next = succession.next(before, &what);
            next.state = Some(renamed);
            next.marks = renamed_marks(&next.marks, named);
            written.insert(id.clone(), next);
        }
        written.into_values().collect()
    }

    /// What was made in the place of a good resource and was made again itself, with that resource: a
    /// story may have been at work on both, and no baseline followed in between.
    fn lost_again(&self, lineage: &Lineage) -> BTreeMap<ResourceId, &ResourceId> {
        let good = self.by_id.iter().filter(|(_, it)| it.state.is_some());
        let heirs = good.flat_map(|(first, _)| {
            let heirs = lineage.heirs(first.as_str());
            heirs.map(move |heir| (heir, first))
        });
        heirs
            .filter(|(heir, _)| lineage.current(heir) != *heir)
            .filter_map(|(heir, first)| Some((heir.parse().ok()?, first)))
            .collect()
    }

    /// By which ids resources are named now: what a trusted hand deleted for good is named as it was.
    fn in_their_places(&self, lineage: &Lineage) -> Lineage {
        let is_accepted = |old: &str| {
            let known = old
                .parse()
                .ok()
                .and_then(|old: ResourceId| self.by_id.get(&old));
            known.is_some_and(Baseline::is_tombstone)
        };
        let mut named = Lineage::default();
        for (old, _) in lineage.iter().filter(|(old, _)| !is_accepted(old)) {
            named.record(old, lineage.current(old));
        }
        named
    }

    /// These baselines with newer ones in their places.
    #[must_use]
    pub fn with(mut self, newer: Vec<Baseline>) -> Self {
        let newer = newer.into_iter().map(|newer| (newer.id.clone(), newer));
        self.by_id.extend(newer);
        self
    }
}

fn renamed_marks(marks: &BTreeMap<Element, Mark>, lineage: &Lineage) -> BTreeMap<Element, Mark> {
    let renamed = |element: &Element| match element {
        Element::Rule(key) => Element::Rule(key.renamed(lineage)),
        Element::Route(to) => Element::Route(to.renamed(lineage)),
        Element::Propagation(gateway) => Element::Propagation(gateway.renamed(lineage)),
        Element::Edge(gateway) => Element::Edge(gateway.renamed(lineage)),
        Element::Existence
        | Element::Entry(_)
        | Element::Subnet(_)
        | Element::Main
        | Element::Tag(_) => element.clone(),
    };
    let marks = marks.iter();
    marks
        .map(|(element, mark)| (renamed(element), mark.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]

    use super::*;
    use crate::{Resource, RuleDetail, SecurityGroup, Snapshot};

    fn group(id: &str, rules: &[&str]) -> Resource {
        let detail = RuleDetail {
            description: None,
            tags: None,
        };
        Resource::SecurityGroup(SecurityGroup {
            id: id.into(),
            name: Some(format!("name of {id}")),
            description: None,
            vpc: Some("vpc-1".into()),
            owner: None,
            tags: None,
            rules: rules
                .iter()
                .map(|rule| (rule.parse().unwrap(), detail.clone()))
                .collect(),
        })
    }

    fn baselines() -> Baselines {
        let mut seen = Snapshot::empty(Timestamp::from_second(1_700_000_000).unwrap());
        for resource in [
            group("sg-1", &["ingress tcp:443 sg-1"]),
            group("sg-2", &["ingress tcp:22 sg-1"]),
            group("sg-3", &["ingress tcp:22 10.0.0.0/8"]),
        ] {
            seen.resources.insert(resource.id(), resource);
        }
        Baselines::captured(&seen, "admin", "first")
    }

    fn follow(baselines: &Baselines, lineage: &Lineage) -> Vec<Baseline> {
        baselines.succeeded(&Succession {
            lineage,
            incident: &"inc-1".into(),
            at: Timestamp::from_second(1_700_000_100).unwrap(),
        })
    }

    #[test]
    fn the_new_id_takes_the_place_of_the_old_one_everywhere_and_only_once() {
        let before = baselines();
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-9");
        let written = follow(&before, &lineage);
        let ids: Vec<&str> = written
            .iter()
            .map(|baseline| baseline.id.as_str())
            .collect();
        assert_eq!(ids, ["sg-1", "sg-2", "sg-9"]);
        assert_eq!(written[0].state, None);
        assert!(written[0].provenance.why.contains("sg-1 is sg-9 now"));
        let state = |index: usize| written[index].state.clone().unwrap();
        let named = |resource: Resource| match resource {
            Resource::SecurityGroup(group) => group
                .rules
                .keys()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(named(state(1)), ["ingress tcp:22 sg-9"]);
        assert_eq!(named(state(2)), ["ingress tcp:443 sg-9"]);
        let generations: Vec<u64> = written
            .iter()
            .map(|baseline| baseline.generation.0)
            .collect();
        assert_eq!(generations, [2, 2, 1]);
        assert_eq!(
            written[2].parent,
            Some(before.by_id[&"sg-1".parse().unwrap()].digest())
        );
        let after = before.with(written);
        assert_eq!(follow(&after, &lineage), []);
    }

    /// Found by storm 5004072: a guard died before the baselines followed, and what it had made was
    /// deleted.
    #[test]
    fn what_was_lost_before_the_baselines_followed_has_the_last_for_its_successor() {
        let before = baselines();
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-0");
        lineage.record("sg-0", "sg-9");
        let after = before.clone().with(follow(&before, &lineage));
        let named = |id: &str| &after.by_id[&id.parse().unwrap()];
        let (first, lost, last) = (named("sg-1"), named("sg-0"), named("sg-9"));
        for end in [first, lost] {
            assert_eq!(
                (&end.state, &end.successor),
                (&None, &Some(last.id.clone()))
            );
            assert!(!end.is_tombstone());
        }
        assert_eq!((lost.generation.0, &lost.parent), (1, &None));
        assert_eq!(lost.vpc, first.vpc);
        assert_eq!(last.predecessor, Some(first.id.clone()));
        assert_eq!(follow(&after, &lineage), []);
    }

    #[test]
    fn what_the_sweep_found_of_a_lost_link_is_not_handed_on() {
        let mut before = baselines();
        let mut found = before.by_id[&"sg-3".parse().unwrap()].clone();
        found.id = "sg-0".parse().unwrap();
        found.provenance.origin = Origin::Unreviewed;
        before.by_id.insert(found.id.clone(), found);
        let good = before.state(&"sg-1".parse().unwrap()).cloned();
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-0");
        lineage.record("sg-0", "sg-9");
        let after = before.clone().with(follow(&before, &lineage));
        let lost = &after.by_id[&"sg-0".parse().unwrap()];
        let last = &after.by_id[&"sg-9".parse().unwrap()];
        assert_eq!(
            (&lost.state, &lost.successor),
            (&None, &Some(last.id.clone()))
        );
        assert_eq!(lost.predecessor, Some("sg-1".parse().unwrap()));
        assert_eq!(last.state, good.map(|good| good.renamed(&lineage)));
        assert_eq!(last.provenance.origin, Origin::Recreated);
    }

    #[test]
    fn what_was_made_again_and_deleted_by_a_trusted_hand_stays_gone() {
        let mut before = baselines();
        let gone: ResourceId = "sg-9".parse().unwrap();
        let mut end = before.by_id[&"sg-3".parse().unwrap()].clone();
        end.id = gone.clone();
        end.state = None;
        let event = "deleted".into();
        let at = Timestamp::from_second(1_700_000_050).unwrap();
        end.marks.insert(Element::Existence, Mark::new(at, event));
        before = before.with(vec![end]);
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-9");
        let after = before.clone().with(follow(&before, &lineage));
        assert_eq!(after.by_id[&gone].state, None);
        let old = &after.by_id[&"sg-1".parse().unwrap()];
        assert_eq!((&old.state, &old.successor), (&None, &Some(gone)));
        assert_eq!(follow(&after, &lineage), []);
    }

    /// Found by storm 40010064.
    #[test]
    fn who_refers_to_what_a_trusted_hand_deleted_names_it_as_it_was() {
        let mut before = baselines();
        let gone = before.by_id.get_mut(&"sg-1".parse().unwrap()).unwrap();
        gone.state = None;
        let event = "deleted".into();
        let at = Timestamp::from_second(1_700_000_050).unwrap();
        gone.marks.insert(Element::Existence, Mark::new(at, event));
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-9");
        assert_eq!(follow(&before, &lineage), []);
    }

    #[test]
    fn what_follows_keeps_since_when_it_knows_its_resource() {
        let before = baselines();
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-9");
        for baseline in follow(&before, &lineage) {
            assert_eq!(
                baseline.known_since(),
                Timestamp::from_second(1_700_000_000).ok()
            );
            assert_eq!(baseline.provenance.origin, Origin::Recreated);
        }
    }

    #[test]
    fn a_baseline_that_the_sweep_made_of_the_new_id_is_replaced() {
        let mut before = baselines();
        let mut early = before.by_id[&"sg-3".parse().unwrap()].clone();
        early.id = "sg-9".parse().unwrap();
        early.provenance.origin = Origin::Unreviewed;
        before.by_id.insert(early.id.clone(), early);
        let mut lineage = Lineage::default();
        lineage.record("sg-1", "sg-9");
        let written = follow(&before, &lineage);
        let heir = written
            .iter()
            .find(|baseline| baseline.id.as_str() == "sg-9")
            .unwrap();
        assert_eq!(
            (heir.generation.0, heir.provenance.origin),
            (2, Origin::Recreated)
        );
    }
}
