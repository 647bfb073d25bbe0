//! Structured states: the laws of the packet-set algebra, and the naive evaluator's word on every
//! packet that is tried.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use snapback_model::*;
use snapback_reach::{
    Flow, Host, PacketSet, naive, next_hops, permitted_by_acl, permitted_by_group,
};
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Debug)]
struct Net(IpNet);

impl<'a> Arbitrary<'a> for Net {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (address, most) = match bool::arbitrary(input)? {
            true => (IpAddr::from(u32::arbitrary(input)?.to_be_bytes()), 32),
            false => (IpAddr::from(u128::arbitrary(input)?.to_be_bytes()), 128),
        };
        let length = input.int_in_range(0..=most)?;
        IpNet::new(address, length)
            .map(|net| Self(net.trunc()))
            .map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

#[derive(Debug, Arbitrary)]
enum Match {
    All,
    Tcp(u16, u16),
    Udp(u16, u16),
    Icmp(Option<u8>, Option<u8>),
    Icmpv6(Option<u8>, Option<u8>),
    Other(u8),
}

impl Match {
    fn traffic(&self) -> Option<Traffic> {
        let icmp = |kind: &Option<u8>, code: &Option<u8>| {
            let number = |value: &Option<u8>| Some(value.map_or(-1, i64::from));
            match kind {
                Some(_) => (number(kind), number(code)),
                None => (Some(-1), Some(-1)),
            }
        };
        let (protocol, (from, to)) = match self {
            Self::All => ("-1".to_owned(), (None, None)),
            Self::Tcp(a, b) => (
                "tcp".into(),
                (Some(i64::from(*a.min(b))), Some(i64::from(*a.max(b)))),
            ),
            Self::Udp(a, b) => (
                "udp".into(),
                (Some(i64::from(*a.min(b))), Some(i64::from(*a.max(b)))),
            ),
            Self::Icmp(kind, code) => ("icmp".into(), icmp(kind, code)),
            Self::Icmpv6(kind, code) => ("icmpv6".into(), icmp(kind, code)),
            Self::Other(number) => (number.to_string(), (None, None)),
        };
        Traffic::new(&protocol, from, to).ok()
    }
}

#[derive(Debug, Arbitrary)]
struct Input {
    rules: [Vec<(Match, Net)>; 3],
    entries: Vec<(u16, bool, Match, Net)>,
    routes: Vec<(Net, u8)>,
    flows: Vec<(Net, u8, u16)>,
}

/// More of each says nothing new and takes time.
const MOST: usize = 8;

fn group(rules: &[(Match, Net)]) -> SecurityGroup {
    let rules = rules.iter().take(MOST).filter_map(|(matches, net)| {
        Some(RuleKey {
            direction: Direction::Ingress,
            traffic: matches.traffic()?,
            peer: Peer::cidr(net.0),
        })
    });
    SecurityGroup {
        id: SecurityGroupId::from("sg-1"),
        name: None,
        description: None,
        vpc: None,
        owner: None,
        tags: None,
        rules: rules.map(|key| (key, RuleDetail::default())).collect(),
    }
}

fn acl(entries: &[(u16, bool, Match, Net)]) -> NetworkAcl {
    let entries = entries
        .iter()
        .take(MOST)
        .filter_map(|(number, allow, matches, net)| {
            let key = EntryKey {
                direction: Direction::Ingress,
                number: RuleNumber::new(i64::from(*number))?,
            };
            let action = match allow {
                true => RuleAction::Allow,
                false => RuleAction::Deny,
            };
            Some((key, NetworkAclEntry::new(action, matches.traffic()?, net.0)))
        });
    NetworkAcl {
        id: NetworkAclId::from("acl-1"),
        vpc: VpcId::from("vpc-1"),
        owner: None,
        is_default: false,
        tags: Tags::new(),
        entries: entries.collect(),
        subnets: Default::default(),
    }
}

fn table(routes: &[(Net, u8)]) -> RouteTable {
    let routes: BTreeMap<_, _> = routes
        .iter()
        .take(MOST)
        .map(|(net, target)| {
            let target = RouteTarget::TransitGateway(format!("tgw-{}", target % 4));
            (Destination::cidr(net.0), Route::created(target))
        })
        .collect();
    RouteTable {
        id: RouteTableId::from("rtb-1"),
        vpc: VpcId::from("vpc-1"),
        owner: None,
        tags: Tags::new(),
        main: false,
        routes,
        subnets: Default::default(),
        gateways: Default::default(),
        propagating: Default::default(),
    }
}

/// Packets at the edges of everything the input names.
fn flows(input: &Input) -> Vec<Flow> {
    let named = input.rules.iter().flatten().map(|(_, net)| net);
    let nets = named
        .chain(input.entries.iter().map(|(_, _, _, net)| net))
        .chain(input.routes.iter().map(|(net, _)| net))
        .chain(input.flows.iter().map(|(net, _, _)| net))
        .take(3 * MOST);
    let points = [0, 22, u16::MAX]
        .into_iter()
        .chain(input.flows.iter().take(3).map(|(_, _, point)| *point));
    let protocols = [1, 6, 17, 58, 50]
        .into_iter()
        .chain(input.flows.iter().take(3).map(|(_, protocol, _)| *protocol));
    let (points, protocols): (Vec<u16>, Vec<u8>) = (points.collect(), protocols.collect());
    let mut flows = Vec::new();
    for (at, net) in nets.enumerate() {
        for (address, more) in [(net.0.network(), 0), (net.0.broadcast(), 1)] {
            for (step, protocol) in protocols.iter().enumerate() {
                // All combinations would be too many: each address meets each protocol, at one point.
                let point = points[(at + step + more) % points.len()];
                flows.push(Flow {
                    peer: Host::Address(address),
                    protocol: *protocol,
                    point,
                });
            }
        }
    }
    flows
}

fn laws(a: &PacketSet, b: &PacketSet, c: &PacketSet) {
    let (or, and) = (a.union(b), a.intersection(b));
    assert_eq!(or, b.union(a));
    assert_eq!(and, b.intersection(a));
    assert_eq!(or.union(c), a.union(&b.union(c)));
    assert_eq!(and.intersection(c), a.intersection(&b.intersection(c)));
    assert_eq!(a.intersection(&b.union(c)), and.union(&a.intersection(c)));
    assert_eq!(a.difference(b).union(&and), *a);
    assert!(!a.difference(b).intersects(b));
    assert!(and.is_subset(a) && a.is_subset(&or));
    let all = PacketSet::everything();
    assert_eq!(all.difference(&all.difference(a)), *a);
    assert_eq!(
        all.difference(&or),
        all.difference(a).intersection(&all.difference(b))
    );
    for set in [a, b, c, &or, &and] {
        assert_eq!(set.is_empty(), set.witness().is_none());
        if let Some(witness) = set.witness() {
            assert!(set.contains(&witness), "{witness:?}");
        }
    }
}

fuzz_target!(|input: Input| {
    let topology = Topology::default();
    let groups = input.rules.each_ref().map(|rules| group(rules));
    let sets = groups
        .each_ref()
        .map(|group| permitted_by_group(group, Direction::Ingress, &topology));
    let [a, b, c] = &sets;
    laws(a, b, c);
    let acl = acl(&input.entries);
    let admitted = permitted_by_acl(&acl, Direction::Ingress);
    laws(a, &admitted, b);
    let table = table(&input.routes);
    let hops = next_hops(&table, &topology);
    for flow in flows(&input) {
        for (group, set) in groups.iter().zip(&sets) {
            let naive = naive::permits_group(group, Direction::Ingress, &topology, &flow);
            assert_eq!(set.contains(&flow), naive, "{flow:?}");
        }
        let naive = naive::permits_acl(&acl, Direction::Ingress, &flow);
        assert_eq!(admitted.contains(&flow), naive, "{flow:?}");
        let Host::Address(address) = flow.peer else {
            continue;
        };
        let naive = naive::next_hop(&table, &topology, address);
        assert_eq!(hops.at(address).delivers().cloned(), naive, "{address}");
    }
});
