//! What the engine claims to know of the past, held against what truly was.

use super::mallory;
use super::twin::pool::Pool;
use crate::{Builder, World};
use fastrand::Rng;
use snapback_engine::change::{Interpretation, Own, interpret};
use snapback_engine::history::{Past, Step, View, in_order};
use snapback_model::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// A random story: its changes, what was true before each second of it, and in the end.
struct Story {
    steps: Vec<Step>,
    truth: BTreeMap<i64, Snapshot>,
    end: Snapshot,
}

fn steps_of(bodies: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    for body in bodies {
        let record = snapback_engine::event::parse(body.as_bytes()).unwrap();
        if let Interpretation::Change(change) = interpret(&record, &Own::default()) {
            steps.push(Step::of(&record, *change));
        }
    }
    steps
}

fn told(world: &World) -> Vec<Step> {
    let mut steps = Vec::new();
    while world.pending() > 0 {
        steps.extend(steps_of(&world.deliver_next()));
    }
    steps
}

fn story(seed: u64, calls: usize, seconds_between: u64) -> Story {
    let (world, layout) = Builder::new(seed).build();
    let mut rng = Rng::with_seed(seed);
    let mut truth = BTreeMap::new();
    let mut steps = Vec::new();
    for _ in 0..calls {
        let before = world.snapshot();
        truth
            .entry(before.observed_at.as_second())
            .or_insert(before);
        let call = Pool::of(&world, &layout).call(&mut rng);
        let _either_way = world.call(&mallory(), call);
        world.advance(Duration::from_millis(rng.u64(0..=seconds_between * 1000)));
    }
    steps.extend(told(&world));
    world.advance(Duration::from_secs(5));
    Story {
        steps: in_order(steps),
        truth,
        end: world.snapshot(),
    }
}

/// What of a truth a view can be held against: no texts, no propagated routes, no dead targets.
fn parts(resource: &Resource) -> BTreeMap<Element, String> {
    let mut parts = BTreeMap::new();
    match resource {
        Resource::SecurityGroup(group) => {
            parts.extend(
                group
                    .rules
                    .keys()
                    .map(|rule| (Element::Rule(rule.clone()), String::new())),
            );
        }
        Resource::NetworkAcl(acl) => {
            parts.extend(
                acl.entries
                    .iter()
                    .map(|(key, entry)| (Element::Entry(*key), entry.to_string())),
            );
            parts.extend(
                acl.subnets
                    .iter()
                    .map(|subnet| (Element::Subnet(subnet.clone()), String::new())),
            );
        }
        Resource::RouteTable(table) => {
            parts.extend(
                table
                    .routes
                    .iter()
                    .filter(|(_, route)| route.origin != RouteOrigin::Propagated)
                    .map(|(to, route)| (Element::Route(to.clone()), route.target.to_string())),
            );
            parts.extend(
                table
                    .subnets
                    .iter()
                    .map(|subnet| (Element::Subnet(subnet.clone()), String::new())),
            );
            parts.extend(
                table
                    .propagating
                    .iter()
                    .map(|gateway| (Element::Propagation(gateway.clone()), String::new())),
            );
            if table.main {
                parts.insert(Element::Main, String::new());
            }
        }
    }
    parts
}

/// How many parts a view claims to know, all of them held against the truth.
fn hold_against(view: &View, truth: Option<&Resource>, what: &str) -> (u32, u32) {
    let (mut known, mut unknown) = (0, 0);
    if let Ok(exists) = view.exists {
        assert_eq!(exists, truth.is_some(), "{what}: existence");
    }
    let true_parts = truth.map(parts).unwrap_or_default();
    let claimed = view.state.as_ref().map(parts).unwrap_or_default();
    for (element, told) in &view.parts {
        match told {
            Ok(there) => {
                known += 1;
                assert_eq!(
                    *there,
                    true_parts.contains_key(element),
                    "{what}: {element}"
                );
                if *there {
                    assert_eq!(
                        claimed.get(element),
                        true_parts.get(element),
                        "{what}: {element}"
                    );
                }
            }
            Err(_) => unknown += 1,
        }
    }
    if view.rest.is_none() {
        known += 1;
        for element in true_parts.keys() {
            let endpoint = matches!(element, Element::Route(Destination::PrefixList(_)));
            let named = view.parts.contains_key(element);
            // Places are told by subnet, not by what holds them.
            let place = matches!(element, Element::Subnet(_) | Element::Main);
            assert!(
                named || endpoint || place,
                "{what}: nothing said of {element}"
            );
        }
    }
    (known, unknown)
}

fn check(story: &Story, live: Option<&Snapshot>, what: &str) -> (u32, u32) {
    let past = Past::of(&story.steps, live);
    let (mut known, mut unknown) = (0, 0);
    for (index, step) in story.steps.iter().enumerate() {
        let second = step.change.at.as_second();
        for id in past.edited(index) {
            let truth = story.truth[&second].resources.get(id);
            let view = past.view(id, second, false);
            let what = format!("{what}, step {index} {} of {id}", step.change.api);
            let (more, less) = hold_against(&view, truth, &what);
            known += more;
            unknown += less;
        }
    }
    (known, unknown)
}

#[test]
fn what_is_claimed_of_the_past_was_true() {
    let (mut known, mut unknown) = (0, 0);
    for seed in 0..40 {
        let story = story(seed, 60, 3);
        let (more, less) = check(&story, Some(&story.end), &format!("seed {seed}"));
        known += more;
        unknown += less;
    }
    assert!(
        known > unknown * 4,
        "too little is claimed: {known} parts known, {unknown} not"
    );
}

#[test]
fn what_is_claimed_without_a_state_was_true() {
    let mut known = 0;
    for seed in 100..130 {
        let story = story(seed, 60, 3);
        known += check(&story, None, &format!("seed {seed}")).0;
    }
    assert!(known > 1000, "too little is claimed: {known} parts");
}

#[test]
fn a_state_from_the_middle_tells_both_ways() {
    let (mut known, mut unknown) = (0, 0);
    for seed in 200..220 {
        let story = story(seed, 60, 3);
        let middle = story.truth.values().nth(story.truth.len() / 2).unwrap();
        let (more, less) = check(&story, Some(middle), &format!("seed {seed}"));
        known += more;
        unknown += less;
    }
    assert!(
        known > unknown * 4,
        "too little is claimed: {known} parts known, {unknown} not"
    );
}

#[test]
fn what_happens_within_one_second_is_never_guessed() {
    for seed in 300..330 {
        let story = story(seed, 60, 0);
        check(&story, Some(&story.end), &format!("seed {seed}"));
    }
}

#[test]
fn an_event_that_never_came_is_seen_or_harmless() {
    // With events missing, claims may be wrong only where nothing contradicts them; nothing panics,
    // and contradictions are named.
    let mut contradictions = 0;
    for seed in 400..420 {
        let mut story = story(seed, 60, 3);
        let mut rng = Rng::with_seed(seed);
        story.steps.retain(|_| rng.f64() > 0.2);
        let policy = snapback_engine::policy::Policy::from_yaml("mode: enforce", "p").unwrap();
        let told = snapback_engine::history::retell(&story.steps, Some(&story.end), &policy);
        assert_eq!(told.len(), story.steps.len());
        contradictions += told
            .iter()
            .filter(|told| {
                told.outcome
                    == snapback_engine::history::Outcome::NotKnown(
                        snapback_engine::history::Reason::Contradiction,
                    )
            })
            .count();
    }
    assert!(contradictions > 20, "{contradictions}");
}
