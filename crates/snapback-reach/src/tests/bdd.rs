//! A second opinion on whole sets: the same random expressions as binary decision diagrams over a
//! small world (16 addresses of each family, 16 L4 points, 8 protocol numbers).

use super::random;
use crate::*;
use biodivine_lib_bdd::{Bdd, BddVariable, BddVariableSet};
use fastrand::Rng;
use ipnet::IpNet;
use snapback_model::*;

const PROTOCOLS: [u8; 8] = [6, 17, 1, 58, 50, 47, 0, 255];

/// Twelve variables: family, protocol, the low bits of the address, the low bits of the point.
struct World {
    set: BddVariableSet,
    variables: Vec<BddVariable>,
}

impl World {
    fn new() -> Self {
        let set = BddVariableSet::new_anonymous(12);
        let variables = set.variables();
        Self { set, variables }
    }

    /// The assignments whose bits from `first` on spell a number in `low..=high`.
    fn number(&self, first: usize, bits: usize, low: u32, high: u32) -> Bdd {
        let one = |number: u32| {
            (0..bits).fold(self.set.mk_true(), |all, bit| {
                let set = number >> (bits - 1 - bit) & 1 == 1;
                all.and(&self.set.mk_literal(self.variables[first + bit], set))
            })
        };
        (low..=high.min((1 << bits) - 1))
            .fold(self.set.mk_false(), |any, number| any.or(&one(number)))
    }

    fn family(&self, v6: bool) -> Bdd {
        self.number(0, 1, v6.into(), v6.into())
    }

    fn protocols(&self, holds: impl Fn(u8) -> bool) -> Bdd {
        let numbers = (0..8).filter(|index| holds(PROTOCOLS[*index as usize]));
        numbers.fold(self.set.mk_false(), |any, index| {
            any.or(&self.number(1, 3, index, index))
        })
    }

    fn traffic(&self, traffic: &Traffic) -> Bdd {
        let points = |low: u16, high: u16| self.number(8, 4, low.into(), high.into());
        let icmp = |icmp: &IcmpMatch| match icmp {
            IcmpMatch::Any => self.set.mk_true(),
            // Points are type × 256 + code: in this world the codes 0 to 15 of type 0.
            IcmpMatch::Type(0) => self.set.mk_true(),
            IcmpMatch::TypeCode(0, code) => points((*code).into(), (*code).into()),
            IcmpMatch::Type(_) | IcmpMatch::TypeCode(..) => self.set.mk_false(),
        };
        let only = |number: u8, points: Bdd| self.protocols(|other| other == number).and(&points);
        match traffic {
            Traffic::All => self.set.mk_true(),
            Traffic::Tcp(range) => only(6, points(range.from(), range.to())),
            Traffic::Udp(range) => only(17, points(range.from(), range.to())),
            Traffic::Icmp(kind) => only(1, icmp(kind)),
            Traffic::Icmpv6(kind) => only(58, icmp(kind)),
            Traffic::Protocol(number) => only(*number, self.set.mk_true()),
        }
    }

    fn network(&self, network: IpNet) -> Bdd {
        let (v6, last) = match network {
            IpNet::V4(net) => (false, u32::from(net.network()) & 15),
            IpNet::V6(net) => (true, u128::from(net.network()) as u32 & 15),
        };
        let free = (network.max_prefix_len() - network.prefix_len()).min(4);
        self.family(v6)
            .and(&self.number(4, 4, last, last + (1 << free) - 1))
    }
}

fn traffic(rng: &mut Rng) -> Traffic {
    let (a, b) = (rng.u16(0..16), rng.u16(0..16));
    let ports = PortRange::new(a.min(b), a.max(b)).unwrap();
    let icmp = match rng.u8(0..4) {
        0 => IcmpMatch::Any,
        1 => IcmpMatch::Type(rng.u8(0..2)),
        _ => IcmpMatch::TypeCode(0, rng.u8(0..16)),
    };
    match rng.u8(0..8) {
        0 => Traffic::All,
        1..=3 => Traffic::Tcp(ports),
        4 => Traffic::Udp(ports),
        5 => Traffic::Icmp(icmp),
        6 => Traffic::Icmpv6(icmp),
        _ => Traffic::Protocol(*rng.choice(&PROTOCOLS).unwrap()),
    }
}

fn network(rng: &mut Rng) -> IpNet {
    let (base, whole) = if rng.bool() {
        ("10.0.0.0", 28)
    } else {
        ("2001:db8::", 124)
    };
    let address: std::net::IpAddr = base.parse().unwrap();
    let length = whole + rng.u8(0..=4);
    let last = rng.u8(0..16);
    let address = match address {
        std::net::IpAddr::V4(at) => (u32::from(at) | u32::from(last)).to_be_bytes().into(),
        std::net::IpAddr::V6(at) => (u128::from(at) | u128::from(last)).to_be_bytes().into(),
    };
    IpNet::new(address, length).unwrap().trunc()
}

/// All of the small world.
fn universe() -> PacketSet {
    let peers = ["10.0.0.0/28", "2001:db8::/124"].map(|net| net.parse().unwrap());
    let ports = PortRange::new(0, 15).unwrap();
    let points = PROTOCOLS.into_iter().flat_map(|number| match number {
        6 => vec![Traffic::Tcp(ports)],
        17 => vec![Traffic::Udp(ports)],
        1 => (0..16)
            .map(|code| Traffic::Icmp(IcmpMatch::TypeCode(0, code)))
            .collect(),
        58 => (0..16)
            .map(|code| Traffic::Icmpv6(IcmpMatch::TypeCode(0, code)))
            .collect(),
        number => vec![Traffic::Protocol(number)],
    });
    points.fold(PacketSet::empty(), |sum, traffic| {
        sum.union(&PacketSet::of_peers(&traffic, &AddressSet::of(peers)))
    })
}

/// How many packets of the small world are in a set, a protocol without ports counted 16 times as
/// the diagrams do.
fn count(set: &PacketSet) -> u128 {
    let counted = PROTOCOLS.into_iter().map(|number| {
        let by_point = set.by_point(number);
        let points = by_point.segments().map(|(low, high, peers)| {
            let peers: u128 = Family::ALL
                .iter()
                .map(|family| peers.address_count(*family))
                .sum();
            let points = u128::from(high - low) + 1;
            peers * if points == 65_536 { 16 } else { points }
        });
        points.sum::<u128>()
    });
    counted.sum()
}

/// A random expression both ways.
fn expression(world: &World, rng: &mut Rng, depth: u8) -> (PacketSet, Bdd) {
    if depth == 0 || rng.u8(0..6) == 0 {
        let (traffic, network) = (traffic(rng), network(rng));
        let diagram = world.traffic(&traffic).and(&world.network(network));
        return (PacketSet::of(&traffic, network), diagram);
    }
    let (set, diagram) = expression(world, rng, depth - 1);
    if rng.u8(0..7) == 0 {
        return (set.complement(), diagram.not());
    }
    let (other, other_diagram) = expression(world, rng, depth - 1);
    match rng.u8(0..4) {
        0 => (set.intersection(&other), diagram.and(&other_diagram)),
        1 => (set.difference(&other), diagram.and_not(&other_diagram)),
        _ => (set.union(&other), diagram.or(&other_diagram)),
    }
}

#[test]
fn sets_and_decision_diagrams_agree_on_every_verdict() {
    let (world, universe) = (World::new(), universe());
    assert_eq!(count(&universe), 1 << 12);
    let first = random::seed();
    let mut equal = 0;
    for number in 0..800 {
        let seed = first.wrapping_add(number);
        let mut rng = Rng::with_seed(seed);
        let (a, a_diagram) = expression(&world, &mut rng, 5);
        let (mut b, mut b_diagram) = expression(&world, &mut rng, 4);
        // Random sets are rarely equal or nested: make some that are, by another way.
        match number % 4 {
            0 => {
                b = a.difference(&b).union(&b.intersection(&a));
                b_diagram = a_diagram.and_not(&b_diagram).or(&b_diagram.and(&a_diagram));
            }
            1 => {
                b = b.intersection(&a);
                b_diagram = b_diagram.and(&a_diagram);
            }
            _ => {}
        }
        let (a, b) = (a.intersection(&universe), b.intersection(&universe));
        equal += u32::from(a == b);
        assert_eq!(a == b, a_diagram == b_diagram, "equality, seed {seed}");
        assert_eq!(a.is_empty(), a_diagram.is_false(), "emptiness, seed {seed}");
        let outside = a_diagram.and_not(&b_diagram);
        assert_eq!(a.is_subset(&b), outside.is_false(), "subset, seed {seed}");
        let common = a_diagram.and(&b_diagram);
        assert_eq!(
            a.intersects(&b),
            !common.is_false(),
            "common packets, seed {seed}"
        );
        let models = a_diagram.exact_cardinality();
        assert_eq!(
            count(&a).to_string(),
            models.to_string(),
            "size, seed {seed}"
        );
    }
    assert!(equal > 180, "equality was tried where it holds: {equal}");
}

/// An ACL as a diagram: from the last entry to the first, each on top of those behind it.
#[test]
fn first_match_and_decision_diagrams_agree() {
    let (world, universe) = (World::new(), universe());
    let first = random::seed();
    for number in 0..400 {
        let seed = first.wrapping_add(number);
        let mut rng = Rng::with_seed(seed);
        let entries = (1..=rng.i64(1..12)).map(|number| {
            let action = if rng.bool() {
                RuleAction::Allow
            } else {
                RuleAction::Deny
            };
            let entry = NetworkAclEntry::new(action, traffic(&mut rng), network(&mut rng));
            (super::arbitrary::key(Direction::Ingress, number), entry)
        });
        let acl = super::arbitrary::acl_of(entries.collect());
        let diagram = acl
            .entries
            .values()
            .rev()
            .fold(world.set.mk_false(), |behind, entry| {
                let traffic = match (entry.traffic, entry.cidr) {
                    (Traffic::Icmpv6(_), IpNet::V4(_)) => Traffic::Icmpv6(IcmpMatch::Any),
                    (traffic, _) => traffic,
                };
                let matched = world.traffic(&traffic).and(&world.network(entry.cidr));
                match entry.action {
                    RuleAction::Allow => behind.or(&matched),
                    RuleAction::Deny => behind.and_not(&matched),
                }
            });
        let permitted = permitted_by_acl(&acl, Direction::Ingress).intersection(&universe);
        assert_eq!(
            count(&permitted).to_string(),
            diagram.exact_cardinality().to_string(),
            "seed {seed}\n{acl:#?}"
        );
    }
}
