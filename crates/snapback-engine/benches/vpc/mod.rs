//! A generated VPC of any number of interfaces, and one change of each kind in it.

use snapback_engine::diff::{ResourceDiff, diff};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// A change, ready to be weighed.
pub struct Change {
    /// What it is.
    pub name: &'static str,
    /// The good state.
    pub baselines: Baselines,
    /// What was read.
    pub live: Snapshot,
    /// What differs.
    pub diff: ResourceDiff,
}

const VPC: &str = "vpc-1";
const ACLS: usize = 6;
const TABLES: usize = 10;
const GROUPS: usize = 200;

fn detail() -> RuleDetail {
    RuleDetail {
        description: None,
        tags: Some(Tags::new()),
    }
}

fn group(index: usize) -> SecurityGroup {
    let name = format!("sg-{index}");
    let own = (0..18).map(|n| format!("ingress tcp:{} 10.{}.0.0/16", 7000 + index * 20 + n, n));
    let peer = format!("ingress tcp:5432 sg-{}", (index + 1) % GROUPS);
    let rules = own.chain([peer, "egress all 0.0.0.0/0".to_owned()]);
    SecurityGroup {
        id: name.as_str().into(),
        name: Some(name),
        description: None,
        vpc: Some(VPC.into()),
        owner: Some("111122223333".into()),
        tags: Some(Tags::new()),
        rules: rules
            .map(|text| (text.parse().expect("a rule"), detail()))
            .collect(),
    }
}

fn acl(index: usize, subnets: BTreeSet<SubnetId>) -> NetworkAcl {
    let mut entries = BTreeMap::new();
    for direction in ["ingress", "egress"] {
        for number in 0..19 {
            let key = format!("{direction} {}", 100 + number * 10);
            let action = if number % 4 == 0 {
                RuleAction::Deny
            } else {
                RuleAction::Allow
            };
            let traffic = format!("tcp:{}-{}", 300 + number * 40, 400 + number * 50);
            let cidr = format!("10.{}.0.0/16", 200 + number);
            let entry = NetworkAclEntry::new(
                action,
                traffic.parse().expect("traffic"),
                cidr.parse().expect("a network"),
            );
            entries.insert(key.parse().expect("a key"), entry);
        }
        let all = NetworkAclEntry::new(
            RuleAction::Allow,
            Traffic::All,
            "0.0.0.0/0".parse().expect("a network"),
        );
        entries.insert(format!("{direction} 900").parse().expect("a key"), all);
    }
    NetworkAcl {
        id: NetworkAclId::new(format!("acl-{index}")),
        vpc: VPC.into(),
        owner: None,
        is_default: index == 0,
        tags: Tags::new(),
        entries,
        subnets,
    }
}

fn table(index: usize, subnets: BTreeSet<SubnetId>) -> RouteTable {
    let local = Route {
        target: RouteTarget::Local,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    let out = if index.is_multiple_of(3) {
        RouteTarget::InternetGateway("igw-1".into())
    } else {
        RouteTarget::NatGateway("nat-1".into())
    };
    let mut routes = BTreeMap::from([
        ("10.0.0.0/8".parse().expect("a network"), local),
        ("0.0.0.0/0".parse().expect("a network"), Route::created(out)),
    ]);
    for far in 0..48 {
        let network = format!("172.16.{far}.0/24");
        let peering = RouteTarget::VpcPeeringConnection(format!("pcx-{}", far % 8));
        routes.insert(network.parse().expect("a network"), Route::created(peering));
    }
    RouteTable {
        id: RouteTableId::new(format!("rtb-{index}")),
        vpc: VPC.into(),
        owner: None,
        tags: Tags::new(),
        main: index == 0,
        routes,
        subnets,
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    }
}

fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::from((10 << 24) + u32::try_from(index).expect("few") + 4)
}

/// A VPC of so many interfaces, 250 in a subnet, each with the group `sg-0` and one or two of 200
/// others (fifty of a kind stand together, as autoscaling makes them), a third of them public.
pub fn account(interfaces: usize) -> Snapshot {
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    snapshot.coverage = Kind::ALL.into_iter().map(Coverage::Kind).collect();
    snapshot.coverage.insert(Coverage::Subnets);
    let topology = &mut snapshot.topology;
    topology.read = ContextKind::ALL.into_iter().collect();
    let subnets = interfaces / 250 + 1;
    let name = |n: usize| SubnetId::new(format!("subnet-{n}"));
    for n in 0..subnets {
        let mut subnet = Subnet::new(name(n), VPC);
        let network = ipnet::Ipv4Net::new(address(n * 250), 24).expect("a length");
        subnet.cidrs = BTreeSet::from([network.trunc().into()]);
        topology.subnets.insert(name(n), subnet);
    }
    for n in 0..interfaces {
        let id = format!("eni-{n}");
        let mut interface = NetworkInterface::new(id.as_str(), VPC, name(n / 250));
        let others = [1 + n / 50 % (GROUPS - 1), 1 + n / 500 % (GROUPS - 1)];
        let carried = others.into_iter().take(1 + n / 25 % 2).chain([0]);
        interface.groups = carried
            .map(|n| SecurityGroupId::new(format!("sg-{n}")))
            .collect();
        interface.addresses = BTreeSet::from([address(n).into()]);
        if n.is_multiple_of(3) {
            let public = Ipv4Addr::from((52 << 24) + u32::try_from(n).expect("few"));
            interface.public_addresses = BTreeSet::from([public.into()]);
        }
        topology.interfaces.insert(id.as_str().into(), interface);
    }
    let of = |index: usize, count: usize| {
        (0..subnets)
            .filter(move |n| n % count == index)
            .map(name)
            .collect()
    };
    let groups = (0..GROUPS).map(|n| Resource::SecurityGroup(group(n)));
    let acls = (0..ACLS).map(|n| Resource::NetworkAcl(acl(n, of(n, ACLS))));
    let tables = (0..TABLES).map(|n| Resource::RouteTable(table(n, of(n, TABLES))));
    let resources = groups.chain(acls).chain(tables);
    snapshot.resources = resources.map(|one| (one.id(), one)).collect();
    snapshot
}

fn change(name: &'static str, good: &Snapshot, id: &str, edit: impl Fn(&mut Resource)) -> Change {
    let id: ResourceId = id.parse().expect("an id");
    let baselines = Baselines::captured(good, "bench", "bench");
    let mut live = good.clone();
    edit(live.resources.get_mut(&id).expect("it is there"));
    let diffs = diff(&baselines, &live, Some(&BTreeSet::from([id])));
    let diff = diffs.into_iter().next().expect("it differs");
    Change {
        name,
        baselines,
        live,
        diff,
    }
}

/// One change of each kind; `sg-0` is carried by every interface.
pub fn changes(interfaces: usize) -> Vec<Change> {
    let good = account(interfaces);
    let rule = |text: &'static str| {
        move |resource: &mut Resource| {
            if let Resource::SecurityGroup(group) = resource {
                group.rules.insert(text.parse().expect("a rule"), detail());
            }
        }
    };
    let mut changes = vec![
        change(
            "ssh opened on the group of all",
            &good,
            "sg-0",
            rule("ingress tcp:22 0.0.0.0/0"),
        ),
        change(
            "a reference opened on the group of all",
            &good,
            "sg-0",
            rule("ingress tcp:9999 sg-1"),
        ),
        change("a deny first in an ACL", &good, "acl-0", |resource| {
            if let Resource::NetworkAcl(acl) = resource {
                let all = "0.0.0.0/0".parse().expect("a network");
                let deny = NetworkAclEntry::new(RuleAction::Deny, Traffic::All, all);
                acl.entries
                    .insert("ingress 1".parse().expect("a key"), deny);
            }
        }),
        change("a default route led away", &good, "rtb-0", |resource| {
            if let Resource::RouteTable(table) = resource {
                let away = Route::created(RouteTarget::NetworkInterface("eni-1".into()));
                let everywhere = "0.0.0.0/0".parse().expect("a network");
                table.routes.insert(everywhere, away);
            }
        }),
    ];
    // As the guard sees it: one resource read, all else as captured.
    let mut seen = change(
        "ssh opened, seen by the guard",
        &good,
        "sg-0",
        rule("ingress tcp:22 0.0.0.0/0"),
    );
    let id = seen.diff.resource.clone();
    seen.live.topology = Topology::default();
    seen.live.resources.retain(|known, _| *known == id);
    seen.live.coverage = BTreeSet::from([Coverage::Resource(id)]);
    changes.push(seen);
    changes
}
