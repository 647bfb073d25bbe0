//! Stored forms: what was written reads back, and equal values are equal bytes.

use super::arbitrary::*;
use crate::*;
use proptest::prelude::*;

fn resource() -> impl Strategy<Value = Resource> {
    prop_oneof![
        security_group().prop_map(Resource::SecurityGroup),
        network_acl().prop_map(Resource::NetworkAcl),
        route_table().prop_map(Resource::RouteTable),
    ]
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    proptest::collection::vec(resource(), 0..4).prop_map(|resources| Snapshot {
        coverage: [
            Coverage::Kind(Kind::NetworkAcl),
            Coverage::Subnets,
            Coverage::TablesOf("vpc-1".into()),
        ]
        .into(),
        resources: resources
            .into_iter()
            .map(|resource| (resource.id(), resource))
            .collect(),
        ..Snapshot::empty(Timestamp::UNIX_EPOCH)
    })
}

proptest! {
    #[test]
    fn resources_read_back(resource in resource()) {
        let text = serde_json::to_string(&resource).unwrap();
        let back: Resource = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &resource);
        prop_assert_eq!(Digest::of(&back), Digest::of(&resource));
    }

    #[test]
    fn different_resources_have_different_digests(a in resource(), b in resource()) {
        prop_assert_eq!(a == b, Digest::of(&a) == Digest::of(&b));
    }

    #[test]
    fn snapshots_read_back(snapshot in snapshot()) {
        let text = serde_json::to_string(&snapshot).unwrap();
        prop_assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
    }

    #[test]
    fn captured_baselines_read_back_and_hold_the_state(snapshot in snapshot()) {
        let baselines = Baselines::captured(&snapshot, "ops", "first deployment");
        let text = serde_json::to_string(&baselines).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Baselines>(&text).unwrap(), &baselines);
        prop_assert!(snapshot.resources.iter().all(|(id, resource)| baselines.state(id) == Some(resource)));
        prop_assert!(baselines.by_id.values().all(|one| one.generation == Generation(1) && one.parent.is_none()));
    }

    #[test]
    fn merging_a_snapshot_with_itself_changes_nothing(snapshot in snapshot()) {
        let mut merged = snapshot.clone();
        merged.merge(snapshot.clone());
        prop_assert_eq!(merged, snapshot);
    }

    /// What a later read covers is as it says; what it does not cover stays.
    #[test]
    fn a_later_read_decides_on_what_it_covers(before in snapshot(), later in snapshot()) {
        let mut merged = before.clone();
        merged.merge(later.clone());
        for (id, resource) in &merged.resources {
            prop_assert_eq!(Some(resource), later.resources.get(id).or(before.resources.get(id)));
            prop_assert!(later.resources.contains_key(id) || !later.covers(id, resource.vpc()));
        }
        for (id, resource) in &before.resources {
            prop_assert!(merged.resources.contains_key(id) || later.covers(id, resource.vpc()));
        }
    }
}
