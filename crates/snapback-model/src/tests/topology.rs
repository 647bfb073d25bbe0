//! Parts of a context, and a later one over an earlier one.

use crate::*;

fn of(kinds: &[ContextKind], vpcs: &[&str]) -> Topology {
    let mut topology = Topology {
        read: kinds.iter().copied().collect(),
        ..Topology::default()
    };
    for vpc in vpcs {
        let id = VpcId::from(*vpc);
        topology.vpcs.insert(id.clone(), Vpc::new(id.clone()));
        let eni = NetworkInterface::new(format!("eni-{vpc}").as_str(), id.clone(), "subnet-1");
        topology.interfaces.insert(eni.id.clone(), eni);
        let nat = Gateway {
            vpcs: [id].into(),
            ..Gateway::new(format!("nat-{vpc}"), GatewayKind::Nat)
        };
        topology.gateways.insert(nat.id.clone(), nat);
    }
    topology
}

fn ids(topology: &Topology) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    (
        topology.vpcs.keys().map(VpcId::as_str).collect(),
        topology
            .interfaces
            .keys()
            .map(NetworkInterfaceId::as_str)
            .collect(),
        topology.gateways.keys().map(String::as_str).collect(),
    )
}

#[test]
fn what_a_later_read_does_not_list_is_gone_where_it_read_the_kind() {
    let mut merged = of(&[ContextKind::Vpcs], &["a", "b"]);
    merged.merge(of(&[ContextKind::Interfaces], &["b", "c"]));
    assert_eq!(
        ids(&merged),
        (
            vec!["a", "b", "c"],
            vec!["eni-b", "eni-c"],
            vec!["nat-a", "nat-b", "nat-c"]
        )
    );
    assert!(merged.has_read(ContextKind::Vpcs) && merged.has_read(ContextKind::Interfaces));
    merged.merge(of(&[ContextKind::Vpcs, ContextKind::NatGateways], &[]));
    assert_eq!(ids(&merged), (vec![], vec!["eni-b", "eni-c"], vec![]));
}

#[test]
fn a_part_proves_absence_in_its_vpcs_only() {
    let mut merged = of(&[], &["a", "b"]);
    let later = Topology {
        part: Some(["a".into()].into()),
        ..of(&[ContextKind::Interfaces, ContextKind::NatGateways], &[])
    };
    assert!(later.has_read_in(ContextKind::Interfaces, &"a".into()));
    assert!(!later.has_read_in(ContextKind::Interfaces, &"b".into()));
    assert!(!later.has_read(ContextKind::Interfaces));
    merged.merge(later);
    assert_eq!(ids(&merged), (vec!["a", "b"], vec!["eni-b"], vec!["nat-b"]));
}

#[test]
fn entries_of_a_list_stay_known_while_its_version_stands() {
    let list = |version, entries: Option<&str>| {
        let list = PrefixList {
            id: "pl-1".into(),
            name: None,
            version: Some(version),
            max_entries: None,
            entries: entries.map(|net| [net.parse().unwrap()].into()),
        };
        Topology {
            read: [ContextKind::PrefixLists].into(),
            prefix_lists: [(list.id.clone(), list)].into(),
            ..Topology::default()
        }
    };
    let after = |later: Topology| {
        let mut merged = list(3, Some("10.0.0.0/8"));
        merged.merge(later);
        merged.prefix_lists[&"pl-1".into()].entries.clone()
    };
    let known = |net: &str| Some([net.parse().unwrap()].into());
    assert_eq!(after(list(3, None)), known("10.0.0.0/8"));
    assert_eq!(
        after(list(4, None)),
        None,
        "of the new version nothing is known"
    );
    assert_eq!(after(list(4, Some("10.1.0.0/16"))), known("10.1.0.0/16"));
}

#[test]
fn every_kind_of_gateway_belongs_to_a_kind_of_context_of_its_own() {
    let kinds = [
        GatewayKind::Internet,
        GatewayKind::EgressOnlyInternet,
        GatewayKind::Nat,
        GatewayKind::Vpn,
        GatewayKind::Peering,
        GatewayKind::Transit,
        GatewayKind::Endpoint,
    ];
    let contexts: std::collections::BTreeSet<ContextKind> =
        kinds.into_iter().map(GatewayKind::context).collect();
    assert_eq!(contexts.len(), kinds.len());
    assert!(contexts.iter().all(|kind| ContextKind::ALL.contains(kind)));
}
