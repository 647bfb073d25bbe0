//! What looks at the packet itself on a path: groups, ACLs, the protocols of a NAT gateway. Each
//! answers twice: for one packet with the rule that decides, and for all packets as a set.

use crate::address::AddressSet;
use crate::exactness::{Answer, Errs, Exactness, Gap, Unknowns};
use crate::flow::{ICMP, ICMPV6, Points, TCP, UDP, has_points, protocol_and_points};
use crate::network::{Network, is_without_groups, unread_group};
use crate::packet_set::{Cell, PacketSet};
use crate::path::{ClientRange, L4, Stage, Step, Verdict, Way};
use crate::pieces::{Pieces, Region};
use ipnet::IpNet;
use snapback_model::{
    Direction, NetworkInterface, Peer, PortRange, ResourceId, RuleAction, RuleKey, SubnetId,
    Traffic,
};
use std::net::IpAddr;
use std::sync::Arc;

/// Whose address a filter sees as the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyed {
    /// The source of the request, as its sender has it.
    Source,
    /// The destination of the request.
    Destination,
    /// An address that stands for one of them on this stretch: after translation.
    Fixed(IpAddr),
}

/// What filters.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    /// The groups of an interface.
    Groups(&'a NetworkInterface, Direction),
    /// The ACL of a subnet.
    Acl(&'a SubnetId, Direction),
    /// A NAT gateway: TCP, UDP and ICMP only (semantics A5).
    NatProtocols(&'a str),
}

/// Who waits for replies on a stretch of a path: one client port is used along all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// Behind how many translations.
    pub(crate) stretch: u8,
    /// The ports it may use.
    pub(crate) ranges: Vec<ClientRange>,
}

impl Client {
    /// The one who sends the request.
    pub(crate) fn sender(ranges: Vec<ClientRange>) -> Self {
        Self { stretch: 0, ranges }
    }

    /// A NAT gateway in its place.
    pub(crate) fn nat_gateway() -> Self {
        Self {
            stretch: 1,
            ranges: vec![ClientRange::Service],
        }
    }
}

/// A filter on a path.
#[derive(Debug, Clone)]
pub(crate) struct Filter<'a> {
    pub(crate) what: What<'a>,
    pub(crate) keyed: Keyed,
    /// For the way back: to whom it goes on this stretch. `None` on the way there.
    pub(crate) reply: Option<Client>,
}

impl<'a> Filter<'a> {
    pub(crate) fn request(what: What<'a>, keyed: Keyed) -> Self {
        Self {
            what,
            keyed,
            reply: None,
        }
    }

    pub(crate) fn direction(&self) -> Direction {
        match self.what {
            What::Groups(_, direction) | What::Acl(_, direction) => direction,
            What::NatProtocols(_) => Direction::Egress,
        }
    }

    /// What decides, and the AWS ids of it.
    pub(crate) fn names(&self, network: &Network<'a>) -> (Stage, String) {
        match self.what {
            What::Groups(interface, _) => {
                let groups: Vec<&str> = interface.groups.iter().map(|id| id.as_str()).collect();
                (Stage::Groups, groups.join(", "))
            }
            What::Acl(subnet, _) => {
                let acl = network.acl_of(subnet);
                let id = acl.map_or(subnet.as_str(), |acl| acl.id.as_str());
                (Stage::Acl, id.to_owned())
            }
            What::NatProtocols(id) => (Stage::Gateway, id.to_owned()),
        }
    }

    /// All that it lets pass, by the peer it sees.
    pub(crate) fn permits(&self, network: &Network<'a>) -> Arc<Answer<PacketSet>> {
        match self.what {
            What::Groups(interface, direction) => {
                network.permitted_by_interface(interface, direction)
            }
            What::Acl(subnet, direction) => network.permitted_by_subnet(subnet, direction),
            What::NatProtocols(_) => Arc::new(Answer::exact(nat_protocols())),
        }
    }

    /// What it does with one packet of the way there.
    pub(crate) fn decide(&self, network: &Network<'a>, peer: IpAddr, l4: L4) -> Step {
        match self.what {
            What::Groups(interface, direction) => {
                groups_decide(network, interface, direction, peer, l4)
            }
            What::Acl(subnet, direction) => acl_decides(network, subnet, direction, peer, l4),
            What::NatProtocols(id) => {
                let passes = matches!(l4.protocol, TCP | UDP | ICMP);
                let verdict = if passes {
                    Verdict::Passes
                } else {
                    Verdict::Blocked
                };
                let words = if passes {
                    format!("{id} translates it")
                } else {
                    format!("{id} translates TCP, UDP and ICMP only")
                };
                Step::new(Way::Request, Stage::Gateway, id, verdict, words)
            }
        }
    }
}

fn nat_protocols() -> PacketSet {
    let of = |number| {
        PacketSet::of_peers(
            &match number {
                TCP => Traffic::Tcp(PortRange::ALL),
                UDP => Traffic::Udp(PortRange::ALL),
                _ => Traffic::Icmp(snapback_model::IcmpMatch::Any),
            },
            &everyone(),
        )
    };
    [TCP, UDP, ICMP]
        .into_iter()
        .fold(PacketSet::empty(), |sum, number| sum.union(&of(number)))
}

/// Every address of both families.
pub(crate) fn everyone() -> AddressSet {
    AddressSet {
        v4: Pieces::full(),
        v6: Pieces::full(),
        ..AddressSet::default()
    }
}

/// Whether traffic as a rule has it matches a packet.
fn matches(traffic: &Traffic, l4: L4) -> bool {
    let (protocol, points) = protocol_and_points(traffic);
    protocol.is_none_or(|number| number == l4.protocol)
        && (points.contains(l4.point) || !has_points(l4.protocol))
}

fn groups_decide<'a>(
    network: &Network<'a>,
    interface: &'a NetworkInterface,
    direction: Direction,
    peer: IpAddr,
    l4: L4,
) -> Step {
    let resources: Vec<ResourceId> = interface.groups.iter().cloned().map(Into::into).collect();
    let step = |verdict, words: String| Step {
        resources: resources.clone(),
        ..Step::new(
            Way::Request,
            Stage::Groups,
            interface.id.as_str(),
            verdict,
            words,
        )
    };
    if is_without_groups(interface) {
        let words = format!("{} carries no groups: nothing filters there", interface.id);
        return step(Verdict::Passes, words);
    }
    let mut exactness = Exactness::exact();
    if interface.groups.is_empty() {
        exactness.merge(
            &network
                .permitted_by_interface(interface, direction)
                .exactness,
        );
    }
    for id in &interface.groups {
        let Some(group) = network.group(id) else {
            exactness.add(unread_group(id));
            continue;
        };
        let rules = group
            .rules
            .keys()
            .filter(|rule| rule.direction == direction && matches(&rule.traffic, l4));
        for rule in rules {
            let (fits, gaps) = peer_fits(network, rule, interface, direction, peer);
            if fits && gaps.is_exact() {
                return Step {
                    rule: Some(rule.to_string()),
                    ..step(Verdict::Passes, format!("{id} allows it: {rule}"))
                };
            }
            exactness.merge(&gaps);
        }
    }
    let groups: Vec<&str> = interface.groups.iter().map(|id| id.as_str()).collect();
    let what = format!(
        "no {direction} rule of {} allows {l4} {} {peer}",
        groups.join(", "),
        if direction.is_egress() { "to" } else { "from" },
    );
    if exactness.is_exact() {
        return step(Verdict::Blocked, what);
    }
    Step {
        exactness,
        ..step(Verdict::Unknown, format!("{what}, as far as was read"))
    }
}

/// Whether the peer of a rule holds an address, and what is not known about that.
fn peer_fits<'a>(
    network: &Network<'a>,
    rule: &'a RuleKey,
    interface: &'a NetworkInterface,
    direction: Direction,
    address: IpAddr,
) -> (bool, Exactness) {
    match &rule.peer {
        Peer::Ipv4(_) | Peer::Ipv6(_) => {
            let holds = rule
                .peer
                .as_cidr()
                .is_some_and(|net| net.contains(&address));
            (holds, Exactness::exact())
        }
        Peer::PrefixList(id) => {
            let list = network.lists.prefix_lists.get(id);
            match list.and_then(|list| list.entries.as_ref()) {
                Some(entries) => {
                    let holds = entries.iter().any(|entry| entry.contains(&address));
                    (holds, Exactness::exact())
                }
                None => (
                    false,
                    Exactness::gap(Gap::new(
                        Unknowns::PrefixList(id.clone()),
                        Errs::MayPermitMore,
                        format!("the entries of {id} were not read"),
                    )),
                ),
            }
        }
        Peer::SecurityGroup { id, owner } => {
            let members = network.members(id, owner.as_ref(), &interface.vpc, direction);
            let holds = members.value.contains(address);
            let matters = |gap: &&Gap| {
                if holds {
                    gap.errs.less() && address.is_ipv6()
                } else {
                    gap.errs.more()
                }
            };
            let gaps = members.exactness.gaps().filter(matters).cloned().collect();
            (holds, gaps)
        }
    }
}

fn acl_decides(
    network: &Network<'_>,
    subnet: &SubnetId,
    direction: Direction,
    peer: IpAddr,
    l4: L4,
) -> Step {
    let Some(acl) = network.acl_of(subnet) else {
        let answer = network.permitted_by_subnet(subnet, direction);
        return Step {
            exactness: answer.exactness.clone(),
            ..Step::new(
                Way::Request,
                Stage::Acl,
                subnet.as_str(),
                Verdict::Unknown,
                format!("the ACL of {subnet} was not read"),
            )
        };
    };
    let deciding = acl.entries.iter().find(|(key, entry)| {
        // 58 with an IPv4 network matches every type (semantics A3).
        let any_type = matches!(
            (&entry.traffic, entry.cidr),
            (Traffic::Icmpv6(_), IpNet::V4(_))
        );
        key.direction == direction
            && entry.cidr.contains(&peer)
            && (matches(&entry.traffic, l4) || (any_type && l4.protocol == ICMPV6))
    });
    let (verdict, rule, words) = match deciding {
        Some((key, entry)) => {
            let allows = entry.action == RuleAction::Allow;
            let verdict = if allows {
                Verdict::Passes
            } else {
                Verdict::Blocked
            };
            let verb = if allows { "allows" } else { "denies" };
            (
                verdict,
                Some(format!("{key} {entry}")),
                format!("{} {verb} it: {key} {entry}", acl.id),
            )
        }
        None => (
            Verdict::Blocked,
            None,
            format!(
                "no {direction} entry of {} matches {l4} {} {peer}: denied",
                acl.id,
                if direction.is_egress() { "to" } else { "from" },
            ),
        ),
    };
    Step {
        rule,
        ..Step::new(Way::Request, Stage::Acl, acl.id.as_str(), verdict, words)
    }
}

/// The points of a protocol that a set has for one peer.
pub(crate) fn points_for(set: &PacketSet, peer: IpAddr, protocol: u8) -> Points {
    let cell = set.cells().at(&protocol);
    let found = match peer {
        IpAddr::V4(at) => cell.v4.at(at.into()),
        IpAddr::V6(at) => cell.v6.at(at.into()),
    };
    found.cloned().unwrap_or_default()
}

/// What a set permits for one peer, said of every address in a scope.
pub(crate) fn readdressed(set: &PacketSet, peer: IpAddr, scope: &AddressSet) -> PacketSet {
    let of = |cell: &Cell| {
        let points = match peer {
            IpAddr::V4(at) => cell.v4.at(at.into()),
            IpAddr::V6(at) => cell.v6.at(at.into()),
        };
        let points = points.cloned().unwrap_or_default();
        let give = |inside: &bool| {
            if *inside {
                points.clone()
            } else {
                Points::default()
            }
        };
        Cell {
            v4: scope.v4.map(give),
            v6: scope.v6.map(give),
            ..Cell::default()
        }
    };
    let cells = set.cells();
    PacketSet::from_cells(
        cells
            .named()
            .iter()
            .map(|(number, cell)| (*number, of(cell))),
        of(cells.rest()),
    )
}

/// The packets for which a reply is let pass to some port of these, where `replies` are the packets
/// that are let pass on the way back: the same protocol to a client's port for tcp and udp, the
/// echo reply for an echo request, no reply at all for other ICMP, and the same protocol for the rest.
pub(crate) fn answerable(replies: &PacketSet, ranges: &[ClientRange]) -> PacketSet {
    let clients = ClientRange::all_ports(ranges);
    let cells = replies.cells();
    let of = |number: u8, cell: &Cell| match number {
        TCP | UDP => cell.map(|points| full_if(!points.intersection(&clients).is_empty())),
        ICMP | ICMPV6 => {
            let (request, reply) = echo(number);
            cell.map(|points| {
                if points.contains(reply) {
                    Points::full()
                } else {
                    Points::full().difference(&Points::span(request, request | 0xff, true))
                }
            })
        }
        _ => cell.map(|points| full_if(!points.is_empty())),
    };
    let known = [TCP, UDP, ICMP, ICMPV6];
    let numbers = cells.named().keys().copied().chain(known);
    let numbers: std::collections::BTreeSet<u8> = numbers.collect();
    PacketSet::from_cells(
        numbers
            .into_iter()
            .map(|number| (number, of(number, cells.at(&number)))),
        of(crate::packet_set::REST, cells.rest()),
    )
}

fn full_if(condition: bool) -> Points {
    if condition {
        Points::full()
    } else {
        Points::default()
    }
}

/// The points of an echo request (code 0) and of its reply.
pub(crate) fn echo(protocol: u8) -> (u16, u16) {
    if protocol == ICMP {
        (0x0800, 0x0000)
    } else {
        (0x8000, 0x8100)
    }
}
