//! Random accounts small enough that parts overlap, shadow and collide.

use super::*;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

const TRAFFIC: [&str; 8] = [
    "all",
    "tcp:22",
    "tcp:443",
    "tcp:0-1024",
    "tcp:all",
    "udp:53",
    "icmp:8",
    "protocol:50",
];
const NETWORKS: [&str; 6] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "::/0",
    "2001:db8::/32",
];
const PEERS: [&str; 4] = ["sg-1", "sg-2", "sg-3@222222222222", "pl-1"];
const DESTINATIONS: [&str; 9] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "172.16.0.0/12",
    "172.16.0.0/16",
    "172.16.1.0/24",
    "192.168.0.0/16",
    "::/0",
    "2001:db8::/32",
];
const TARGETS: [&str; 4] = ["igw-1", "nat-1", "pcx-1", "tgw-1"];
pub(super) const SUBNETS: [&str; 5] = ["subnet-1", "subnet-2", "subnet-3", "subnet-4", "subnet-5"];

fn tags() -> impl Strategy<Value = Tags> {
    prop::collection::btree_map(select(vec!["Owner", "Stage"]), select(vec!["a", "b"]), 0..3)
        .prop_map(|tags| {
            tags.into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        })
}

fn rule() -> impl Strategy<Value = (RuleKey, RuleDetail)> {
    let peers: Vec<&str> = NETWORKS.into_iter().chain(PEERS).collect();
    let named = (
        select(vec!["ingress", "egress"]),
        select(TRAFFIC.to_vec()),
        select(peers),
    );
    let detail = (prop::option::of(select(vec!["web", "ssh"])), tags());
    (named, detail).prop_map(|((direction, traffic, peer), (description, tags))| {
        let detail = RuleDetail {
            description: description.map(str::to_owned),
            tags: Some(tags),
        };
        (key(&format!("{direction} {traffic} {peer}")), detail)
    })
}

fn any_group(id: &'static str) -> impl Strategy<Value = Resource> {
    (prop::collection::vec(rule(), 0..9), tags()).prop_map(move |(rules, tags)| {
        let mut group = super::group(id, &[]);
        group.rules = rules.into_iter().collect();
        group.tags = Some(tags);
        Resource::SecurityGroup(group)
    })
}

/// A few groups, whose rules keep or change their ids at random between the two states.
pub(super) fn groups() -> impl Strategy<Value = (Snapshot, Snapshot)> {
    let state = || (any_group("sg-1"), any_group("sg-2"));
    (state(), state(), any::<bool>()).prop_map(|((live1, live2), (good1, good2), shifted)| {
        let live = snapshot([live1, live2]);
        let mut good = snapshot([good1, good2]);
        if shifted {
            // Ids that name other rules in live than they did: rules changed in place.
            let rules: Vec<RuleHandle> = good.handles.rules.values().rev().cloned().collect();
            good.handles.rules = live.handles.rules.keys().cloned().zip(rules).collect();
        }
        (live, good)
    })
}

pub(super) fn entries(numbers: usize) -> impl Strategy<Value = Vec<(EntryKey, NetworkAclEntry)>> {
    let line = (
        select(vec!["ingress", "egress"]),
        1..=numbers,
        select(vec!["allow", "deny"]),
        select(TRAFFIC.to_vec()),
        select(NETWORKS.to_vec()),
    );
    let line = line.prop_map(|(direction, number, action, traffic, network)| {
        let key = entry_key(&format!("{direction} {}", number * 10));
        (key, entry(&format!("{action} {traffic} {network}")))
    });
    prop::collection::vec(line, 0..14)
}

fn placed(count: usize) -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), count)
}

fn acl_state() -> impl Strategy<Value = Snapshot> {
    let ids = ["acl-1", "acl-2", "acl-3"];
    (
        prop::collection::vec((entries(6), tags()), 3),
        placed(SUBNETS.len()),
    )
        .prop_map(move |(contents, places)| {
            let acls =
                ids.iter()
                    .zip(contents)
                    .enumerate()
                    .map(|(index, (id, (entries, tags)))| {
                        let here = SUBNETS
                            .iter()
                            .zip(&places)
                            .filter(|(_, place)| place.index(ids.len()) == index);
                        let subnets: Vec<&str> = here.map(|(subnet, _)| *subnet).collect();
                        let mut acl = super::acl(id, &subnets, &[]);
                        acl.entries = entries.into_iter().collect();
                        acl.tags = tags;
                        Resource::NetworkAcl(acl)
                    });
            snapshot(acls)
        })
}

pub(super) fn acls() -> impl Strategy<Value = (Snapshot, Snapshot)> {
    (acl_state(), acl_state())
}

fn routes() -> impl Strategy<Value = Vec<(Destination, Route)>> {
    let route = (select(DESTINATIONS.to_vec()), select(TARGETS.to_vec()));
    let route = route
        .prop_map(|(destination, to)| (destination.parse().unwrap(), Route::created(target(to))));
    prop::collection::vec(route, 0..9)
}

fn table_state() -> impl Strategy<Value = Snapshot> {
    let ids = ["rtb-1", "rtb-2", "rtb-3"];
    let contents = (
        routes(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        tags(),
    );
    let places = (placed(SUBNETS.len()), placed(2), any::<Index>());
    (prop::collection::vec(contents, 3), places).prop_map(
        move |(contents, (places, edges, main))| {
            let tables = ids.iter().zip(contents).enumerate().map(
                |(index, (id, (routes, local, propagating, tags)))| {
                    // One more place than tables: no explicit table.
                    let here = SUBNETS
                        .iter()
                        .zip(&places)
                        .filter(|(_, place)| place.index(ids.len() + 1) == index);
                    let subnets: Vec<&str> = here.map(|(subnet, _)| *subnet).collect();
                    let mut table = super::table(id, &subnets, &[]);
                    table.routes.extend(routes);
                    if local {
                        table
                            .routes
                            .get_mut(&"10.0.0.0/16".parse().unwrap())
                            .unwrap()
                            .target = target("eni-1");
                    }
                    if propagating {
                        table.propagating.insert("vgw-1".into());
                    }
                    table.tags = tags;
                    // The main table takes no edge association: keep them apart.
                    table.main = main.index(2) == index;
                    if index == 2 {
                        let here = ["igw-1", "vgw-1"]
                            .iter()
                            .zip(&edges)
                            .filter(|(_, edge)| edge.index(2) == 0);
                        table.gateways =
                            here.map(|(gateway, _)| GatewayId::from(*gateway)).collect();
                    }
                    Resource::RouteTable(table)
                },
            );
            let mut state = snapshot(tables);
            for id in SUBNETS {
                let subnet = Subnet::new(id, vpc());
                state.topology.subnets.insert(id.into(), subnet);
            }
            state
        },
    )
}

pub(super) fn tables() -> impl Strategy<Value = (Snapshot, Snapshot)> {
    (table_state(), table_state())
}

/// All kinds at once; the goal names some of the resources only.
pub(super) fn mixed() -> impl Strategy<Value = (Snapshot, Snapshot, BTreeSet<ResourceId>)> {
    let ids = [
        "sg-1", "sg-2", "acl-1", "acl-2", "acl-3", "rtb-1", "rtb-2", "rtb-3",
    ];
    let some = subsequence(ids.to_vec(), 0..=ids.len());
    (groups(), acls(), tables(), some).prop_map(|(groups, acls, tables, some)| {
        let both = |group: Snapshot, acl: Snapshot, table: Snapshot| {
            let mut state = group;
            state.merge(acl);
            state.merge(renumbered(table));
            state
        };
        let live = both(groups.0, acls.0, tables.0);
        let good = both(groups.1, acls.1, tables.1);
        (
            live,
            good,
            some.into_iter().map(|id| id.parse().unwrap()).collect(),
        )
    })
}

/// Association ids of tables and ACLs never collide; the two snapshots counted each from 0.
fn renumbered(state: Snapshot) -> Snapshot {
    assert!(
        state
            .handles
            .associations
            .keys()
            .all(|id| id.as_str().starts_with("rtbassoc"))
    );
    state
}
