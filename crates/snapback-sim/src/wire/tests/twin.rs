//! The same random calls over the wire and directly on the account: the same state, the same refusals.

use super::encode::encode;
use super::{ask, code};
use crate::tests::twin::pool::Pool;
use crate::{Builder, Call, Principal};
use fastrand::Rng;
use snapback_model::describe::Described;
use snapback_model::*;
use std::collections::BTreeMap;

#[test]
fn over_the_wire_and_directly_calls_end_the_same() {
    let alice = Principal::user("alice");
    let mut compared = BTreeMap::<String, u32>::new();
    for seed in 0..20 {
        let (direct, layout) = Builder::new(seed).build();
        let (wired, _) = Builder::new(seed).build();
        let mut rng = Rng::with_seed(seed);
        for step in 0..60 {
            let call = Pool::of(&direct, &layout).call(&mut rng);
            if let Call::AssociateRouteTable {
                subject: AssociationSubject::Main(_),
                ..
            } = call
            {
                // No client can say this.
                continue;
            }
            let body = encode(&call);
            let what = format!("seed {seed}, step {step}: {body}");
            let ended = direct.call(&alice, call);
            let answer = ask(&wired, &body);
            let expected = ended
                .as_ref()
                .map_or_else(|error| error.code.as_str(), |_| "ok");
            assert_eq!(code(&answer), expected, "{what}\n{}", answer.body);
            assert_eq!(direct.snapshot(), wired.snapshot(), "{what}");
            for id in ended.iter().flat_map(|outcome| &outcome.made) {
                assert!(
                    answer.body.contains(id.as_str()),
                    "{what}: {id} is not in the answer"
                );
            }
            *compared.entry(answer.told.action).or_default() += u32::from(ended.is_ok());
        }
    }
    let succeeded = compared.values().filter(|count| **count > 0).count();
    assert!(
        succeeded >= 25,
        "too few kinds of calls succeed: {compared:?}"
    );
}

#[test]
fn our_own_reader_gets_the_account_back_from_its_describe_outputs() {
    for seed in 0..10 {
        let (world, layout) = Builder::new(seed).with_default_vpc().build();
        let mut rng = Rng::with_seed(seed);
        for _ in 0..60 {
            let call = Pool::of(&world, &layout).call(&mut rng);
            let _either_way = world.call(&Principal::user("alice"), call);
        }
        let truth = world.snapshot();
        let mut told = world.with(|inner| crate::wire::describe::state(&inner.account));
        told.as_object_mut().unwrap().remove("Addresses");
        let described = Described::from_json(&told.to_string(), "state").unwrap();
        let coverage = described.coverage();
        let read = described.into_snapshot(
            truth.observed_at,
            coverage,
            truth.account.clone(),
            truth.region.clone(),
        );
        assert_eq!(read.unknown, Vec::new(), "seed {seed}");
        assert_eq!(read.resources, truth.resources, "seed {seed}");
        assert_eq!(read.handles, truth.handles, "seed {seed}");
        assert_eq!(read.coverage, truth.coverage, "seed {seed}");
        assert_eq!(read.topology.vpcs, truth.topology.vpcs, "seed {seed}");
        assert_eq!(read.topology.subnets, truth.topology.subnets, "seed {seed}");
        let alive =
            |topology: &Topology| -> Vec<String> { topology.gateways.keys().cloned().collect() };
        assert_eq!(alive(&read.topology), alive(&truth.topology), "seed {seed}");
        assert_eq!(
            read.topology.prefix_lists.len(),
            truth.topology.prefix_lists.len()
        );
        for (id, list) in &truth.topology.prefix_lists {
            assert_eq!(
                read.topology.prefix_lists[id].entries, list.entries,
                "seed {seed}: {id}"
            );
        }
    }
}
