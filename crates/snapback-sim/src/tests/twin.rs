//! Random calls, seed in every message: the account stays consistent, a record tells exactly what
//! its call did, and the engine's pure twin (`plan::apply`) foresees what EC2 does.

mod action;
mod fold;
pub(crate) mod pool;

use super::mallory;
use crate::{Builder, World};
use action::as_action;
use fastrand::Rng;
use fold::edit;
use pool::Pool;
use snapback_engine::change::{Edits, Interpretation, Own, interpret};
use snapback_engine::plan::apply;
use snapback_model::*;
use std::collections::BTreeMap;

/// What an event cannot tell and propagation brings by itself is left out of the comparison.
fn comparable(state: &Snapshot) -> BTreeMap<ResourceId, Resource> {
    let mut resources = state.resources.clone();
    for resource in resources.values_mut() {
        match resource {
            Resource::RouteTable(table) => {
                table
                    .routes
                    .retain(|_, route| route.origin != RouteOrigin::Propagated);
                // Whether a route stands in the local one's place or before it, no record tells.
                let others = table
                    .routes
                    .values_mut()
                    .filter(|route| route.target != RouteTarget::Local);
                others.for_each(|route| route.origin = RouteOrigin::Created);
            }
            Resource::SecurityGroup(group) => group
                .rules
                .values_mut()
                .for_each(|detail| detail.tags = None),
            Resource::NetworkAcl(_) => {}
        }
        // Whether a response names the owner is the record's business.
        match resource {
            Resource::SecurityGroup(group) => (group.owner, group.tags) = (None, None),
            Resource::NetworkAcl(acl) => acl.owner = None,
            Resource::RouteTable(table) => table.owner = None,
        }
    }
    resources
}

/// Fails with only the resources that differ.
fn assert_same(left: &Snapshot, right: &Snapshot, what: &str) {
    let (mut left, mut right) = (comparable(left), comparable(right));
    let same: Vec<_> = left
        .keys()
        .filter(|id| left.get(id) == right.get(id))
        .cloned()
        .collect();
    for id in same {
        left.remove(&id);
        right.remove(&id);
    }
    assert_eq!(left, right, "{what}");
}

fn record_agrees(world: &World, before: &Snapshot, after: &Snapshot, what: &str) {
    let bodies = world.deliver_next();
    let record = snapback_engine::event::parse(bodies[0].as_bytes()).unwrap();
    let Interpretation::Change(change) = interpret(&record, &Own::default()) else {
        panic!("{what}: no change")
    };
    let Edits::Known(edits) = &change.edits else {
        panic!("{what}: {:?}", change.edits)
    };
    let mut told = before.clone();
    edits
        .iter()
        .for_each(|told_edit| edit(&mut told, told_edit));
    assert_same(&told, after, &format!("{what}: {edits:?}"));
}

#[test]
fn a_record_tells_exactly_what_its_call_did() {
    let mut succeeded = BTreeMap::<&str, u32>::new();
    for seed in 0..25 {
        let (world, layout) = Builder::new(seed).build();
        let mut rng = Rng::with_seed(seed);
        for step in 0..60 {
            let call = Pool::of(&world, &layout).call(&mut rng);
            let what = format!("seed {seed}, step {step}, {call:?}");
            let before = world.snapshot();
            match world.call(&mallory(), call.clone()) {
                Ok(_) => {
                    *succeeded.entry(call.api()).or_default() += 1;
                    record_agrees(&world, &before, &world.snapshot(), &what);
                }
                Err(_) => {
                    assert_eq!(
                        world.snapshot().resources,
                        before.resources,
                        "{what}: refused, yet changed"
                    );
                    world.deliver_next();
                }
            }
            assert_eq!(world.inconsistencies(), Vec::<String>::new(), "{what}");
        }
    }
    assert!(
        succeeded.len() >= 25,
        "too few kinds of calls succeed: {succeeded:?}"
    );
}

#[test]
fn what_succeeds_on_ec2_is_foreseen_by_the_engine() {
    let mut compared = BTreeMap::<&str, u32>::new();
    for seed in 1000..1030 {
        let (world, layout) = Builder::new(seed).build();
        let mut rng = Rng::with_seed(seed);
        for step in 0..40 {
            let call = Pool::of(&world, &layout).call(&mut rng);
            let what = format!("seed {seed}, step {step}, {call:?}");
            let before = world.snapshot();
            let Some(action) = as_action(&call, &before) else {
                continue;
            };
            if world.call(&mallory(), call).is_err() {
                continue;
            }
            let mut foreseen = before;
            if let Err(why) = apply(&action, &mut foreseen) {
                panic!("{what}: EC2 did it, the engine says: {why}");
            }
            assert_same(&foreseen, &world.snapshot(), &what);
            *compared.entry(action.api()).or_default() += 1;
        }
    }
    assert!(
        compared.len() >= 14,
        "too few kinds of calls compared: {compared:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let run = |seed| {
        let (world, layout) = Builder::new(seed).build();
        let mut rng = Rng::with_seed(seed);
        for _ in 0..50 {
            let call = Pool::of(&world, &layout).call(&mut rng);
            let _either_way = world.call(&mallory(), call);
        }
        (world.snapshot(), world.ec2_calls(), world.deliver_next())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5).1, run(6).1);
}
