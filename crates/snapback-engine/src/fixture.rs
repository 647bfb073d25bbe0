//! A small account for the tests of diff and verdict, and random ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use crate::diff::{Difference, Side};
use proptest::prelude::*;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

pub const WEB: &str = "sg-web";
pub const ACL: &str = "acl-1";
pub const OTHER_ACL: &str = "acl-2";
pub const MAIN: &str = "rtb-main";
pub const PRIVATE: &str = "rtb-private";

/// Seconds after the fixture's beginning.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub fn rule(text: &str) -> RuleKey {
    text.parse().unwrap()
}

pub fn detail(description: Option<&str>) -> RuleDetail {
    RuleDetail {
        description: description.map(Into::into),
        tags: Some(Tags::new()),
    }
}

pub fn key(text: &str) -> EntryKey {
    text.parse().unwrap()
}

pub fn entry(text: &str) -> NetworkAclEntry {
    let mut parts = text.split(' ');
    let action = if parts.next() == Some("allow") {
        RuleAction::Allow
    } else {
        RuleAction::Deny
    };
    NetworkAclEntry::new(
        action,
        parts.next().unwrap().parse().unwrap(),
        parts.next().unwrap().parse().unwrap(),
    )
}

pub fn to(text: &str) -> Destination {
    text.parse().unwrap()
}

pub fn local() -> Route {
    Route {
        target: RouteTarget::Local,
        origin: RouteOrigin::Table,
        blackhole: false,
    }
}

pub fn propagated(gateway: &str) -> Route {
    Route {
        target: RouteTarget::VpnGateway(gateway.into()),
        origin: RouteOrigin::Propagated,
        blackhole: false,
    }
}

pub fn group(id: &str, rules: &[&str]) -> Resource {
    Resource::SecurityGroup(SecurityGroup {
        id: id.into(),
        name: None,
        description: Some("d".into()),
        vpc: Some("vpc-1".into()),
        owner: Some("123456789012".into()),
        tags: Some(Tags::new()),
        rules: rules
            .iter()
            .map(|text| (rule(text), detail(None)))
            .collect(),
    })
}

fn acl_of(id: &str, is_default: bool, entries: &[(&str, &str)], subnets: &[&str]) -> Resource {
    Resource::NetworkAcl(NetworkAcl {
        id: id.into(),
        vpc: "vpc-1".into(),
        owner: None,
        is_default,
        tags: Tags::new(),
        entries: entries
            .iter()
            .map(|(number, text)| (key(number), entry(text)))
            .collect(),
        subnets: subnets.iter().map(|id| (*id).into()).collect(),
    })
}

fn table_of(id: &str, main: bool, routes: &[(&str, Route)], subnets: &[&str]) -> RouteTable {
    RouteTable {
        id: id.into(),
        vpc: "vpc-1".into(),
        owner: None,
        tags: Tags::new(),
        main,
        routes: routes
            .iter()
            .map(|(text, route)| (to(text), route.clone()))
            .collect(),
        subnets: subnets.iter().map(|id| (*id).into()).collect(),
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    }
}

/// A VPC with a web group, two ACLs, a main and a private table; subnet-1 is private, subnet-2 implicit.
pub fn account() -> Snapshot {
    let nat = RouteTarget::NatGateway("nat-1".into());
    let mut web = group(WEB, &["egress all 0.0.0.0/0"]);
    if let Resource::SecurityGroup(group) = &mut web {
        group
            .rules
            .insert(rule("ingress tcp:443 0.0.0.0/0"), detail(Some("shop")));
    }
    let everything = [
        ("ingress 100", "allow all 0.0.0.0/0"),
        ("egress 100", "allow all 0.0.0.0/0"),
    ];
    let main = table_of(MAIN, true, &[("10.0.0.0/16", local())], &[]);
    let mut private = table_of(
        PRIVATE,
        false,
        &[
            ("10.0.0.0/16", local()),
            ("0.0.0.0/0", Route::created(nat)),
            (
                "10.50.0.0/16",
                Route::created(RouteTarget::VpcPeeringConnection("pcx-1".into())),
            ),
            ("172.16.0.0/12", propagated("vgw-1")),
        ],
        &["subnet-1"],
    );
    private.propagating.insert("vgw-1".into());
    snapshot([
        web,
        acl_of(ACL, true, &everything, &["subnet-1", "subnet-2"]),
        acl_of(OTHER_ACL, false, &[], &[]),
        Resource::RouteTable(main),
        Resource::RouteTable(private),
    ])
}

fn snapshot(resources: impl IntoIterator<Item = Resource>) -> Snapshot {
    let mut snapshot = Snapshot::empty(at(0));
    snapshot.coverage = Kind::ALL
        .into_iter()
        .map(Coverage::Kind)
        .chain([Coverage::Subnets])
        .collect();
    snapshot.resources = resources
        .into_iter()
        .map(|resource| (resource.id(), resource))
        .collect();
    for id in ["subnet-1", "subnet-2", "subnet-3"] {
        let subnet = Subnet::new(id, "vpc-1");
        snapshot.topology.subnets.insert(id.into(), subnet);
    }
    snapshot
}

/// The baseline that a capture of one resource makes.
pub fn baseline_of(snapshot: &Snapshot, id: &ResourceId) -> Baseline {
    let state = snapshot.resources[id].clone();
    Baseline {
        schema: BASELINE_SCHEMA,
        id: id.clone(),
        vpc: state.vpc().cloned(),
        state: Some(state),
        handles: snapshot.handles.of(id),
        generation: Generation(1),
        parent: None,
        provenance: Provenance {
            origin: Origin::Captured,
            by: "somebody".into(),
            why: "test".into(),
            at: snapshot.observed_at,
            event: None,
        },
        marks: BTreeMap::new(),
        predecessor: None,
        successor: None,
    }
}

/// The baselines that a capture makes.
pub fn captured(snapshot: &Snapshot) -> Baselines {
    Baselines {
        by_id: snapshot
            .resources
            .keys()
            .map(|id| (id.clone(), baseline_of(snapshot, id)))
            .collect(),
        topology: snapshot.topology.clone(),
        seen: None,
    }
}

pub fn rules<'a>(snapshot: &'a mut Snapshot, id: &str) -> &'a mut BTreeMap<RuleKey, RuleDetail> {
    match snapshot.resources.get_mut(&id.parse().unwrap()) {
        Some(Resource::SecurityGroup(group)) => &mut group.rules,
        other => panic!("{id} is {other:?}"),
    }
}

pub fn acl<'a>(snapshot: &'a mut Snapshot, id: &str) -> &'a mut NetworkAcl {
    match snapshot.resources.get_mut(&id.parse().unwrap()) {
        Some(Resource::NetworkAcl(acl)) => acl,
        other => panic!("{id} is {other:?}"),
    }
}

pub fn table<'a>(snapshot: &'a mut Snapshot, id: &str) -> &'a mut RouteTable {
    match snapshot.resources.get_mut(&id.parse().unwrap()) {
        Some(Resource::RouteTable(table)) => table,
        other => panic!("{id} is {other:?}"),
    }
}

pub fn move_subnet(snapshot: &mut Snapshot, subnet: &str, from: Option<&str>, to: Option<&str>) {
    for (holder, here) in [(from, false), (to, true)] {
        let Some(holder) = holder else { continue };
        let subnets = match snapshot.resources.get_mut(&holder.parse().unwrap()) {
            Some(Resource::NetworkAcl(acl)) => &mut acl.subnets,
            Some(Resource::RouteTable(table)) => &mut table.subnets,
            other => panic!("{holder} is {other:?}"),
        };
        if here {
            subnets.insert(subnet.into());
        } else {
            subnets.remove(&subnet.into());
        }
    }
}

/// Gives an account one side of a difference, as the calls of EC2 would: what one holder gains, another loses.
pub fn take(snapshot: &mut Snapshot, id: &ResourceId, difference: &Difference, side: Side) {
    match difference {
        Difference::Deleted { lost } => {
            snapshot.resources.insert(id.clone(), (**lost).clone());
        }
        Difference::Unreviewed { .. } => {
            snapshot.resources.remove(id);
        }
        _ => {}
    }
    for resource in snapshot
        .resources
        .values_mut()
        .filter(|resource| resource.kind() == id.kind())
    {
        let shared = matches!(
            difference,
            Difference::Association { .. } | Difference::Main { .. }
        );
        if shared || resource.id() == *id {
            difference.apply(resource, side);
        }
    }
}

fn cidrs() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.9.0.0/16",
        "::/0",
        "fd00::/8",
    ])
}

fn traffics() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "all",
        "tcp:22",
        "tcp:443",
        "tcp:0-1023",
        "udp:53",
        "icmp:8/0",
        "protocol:50",
    ])
}

fn directions() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["ingress", "egress"])
}

pub fn rule_keys() -> impl Strategy<Value = RuleKey> {
    (
        directions(),
        traffics(),
        prop_oneof![cidrs(), Just("sg-web"), Just("pl-1")],
    )
        .prop_map(|(direction, traffic, peer)| rule(&format!("{direction} {traffic} {peer}")))
}

pub fn details() -> impl Strategy<Value = RuleDetail> {
    proptest::option::of(proptest::sample::select(vec!["a", "b"])).prop_map(detail)
}

pub fn entry_keys() -> impl Strategy<Value = EntryKey> {
    (directions(), 1..6u8).prop_map(|(direction, number)| key(&format!("{direction} {number}")))
}

pub fn entries() -> impl Strategy<Value = NetworkAclEntry> {
    (any::<bool>(), traffics(), cidrs()).prop_map(|(allow, traffic, cidr)| {
        entry(&format!(
            "{} {traffic} {cidr}",
            if allow { "allow" } else { "deny" }
        ))
    })
}

pub fn destinations() -> impl Strategy<Value = Destination> {
    prop_oneof![cidrs(), Just("10.50.0.0/16"), Just("pl-1")].prop_map(to)
}

pub fn targets() -> impl Strategy<Value = RouteTarget> {
    prop_oneof![
        Just(RouteTarget::NatGateway("nat-1".into())),
        Just(RouteTarget::InternetGateway("igw-1".into())),
        Just(RouteTarget::NetworkInterface("eni-1".into())),
    ]
}

fn routes() -> impl Strategy<Value = Route> {
    (targets(), any::<bool>(), any::<bool>()).prop_map(|(target, blackhole, is_propagated)| Route {
        target,
        origin: if is_propagated {
            RouteOrigin::Propagated
        } else {
            RouteOrigin::Created
        },
        blackhole,
    })
}

prop_compose! {
    /// Accounts of one group, two ACLs and three tables over three subnets.
    pub fn snapshots()(
        group_rules in proptest::collection::btree_map(rule_keys(), details(), 0..8),
        acl_entries in proptest::collection::btree_map(entry_keys(), entries(), 0..8),
        table_routes in proptest::collection::btree_map(destinations(), routes(), 0..5),
        acl_holders in proptest::collection::vec(0..2usize, 3),
        table_holders in proptest::collection::vec(0..4usize, 3),
        main in 0..3usize,
        edge in any::<bool>(),
        propagates in any::<bool>(),
        name in proptest::option::of("[ab]"),
    ) -> Snapshot {
        let mut web = group(WEB, &[]);
        if let Resource::SecurityGroup(group) = &mut web {
            group.rules = group_rules;
            group.tags.as_mut().unwrap().extend(name.map(|name| ("Name".to_owned(), name)));
        }
        let acls = [ACL, OTHER_ACL];
        let tables = [MAIN, PRIVATE, "rtb-other"];
        let held = |holders: &[usize], index: usize| -> Vec<&'static str> {
            let subnets = ["subnet-1", "subnet-2", "subnet-3"];
            subnets.into_iter().zip(holders).filter(|(_, holder)| **holder == index).map(|(subnet, _)| subnet).collect()
        };
        let mut snapshot = snapshot(
            acls.iter()
                .enumerate()
                .map(|(index, id)| acl_of(id, index == 0, &[], &held(&acl_holders, index)))
                .chain(tables.iter().enumerate().map(|(index, id)| {
                    Resource::RouteTable(table_of(id, index == main, &[("10.0.0.0/16", local())], &held(&table_holders, index)))
                }))
                .chain([web]),
        );
        acl(&mut snapshot, ACL).entries = acl_entries;
        let private = table(&mut snapshot, PRIVATE);
        private.routes.extend(table_routes);
        if edge {
            private.gateways.insert("igw-1".into());
        }
        if propagates {
            private.propagating.insert("vgw-1".into());
        }
        snapshot
    }
}
