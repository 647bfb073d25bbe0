//! NACL-EPH-OUT and NACL-EPH-IN: an ACL is stateless, so replies need entries of their own for the
//! ports that the asking side chose (semantics A3).
//!
//! A request is traffic that the ACL lets pass and, where the interfaces of its subnets and their
//! groups are known, that some of these groups allow too. A range of ports as wide as what clients
//! choose from is taken for a path of replies, and only what lies below 1024 in it for requests: an
//! ACL that lets 1024-65535 in for replies offers no service on them.

use super::super::world::{World, is_wide};
use super::gaps::{Evidence, Gap, everyone};
use crate::finding::{FindingCode, Severity};
use crate::impact::peer_words;
use snapback_model::*;
use snapback_reach::{AddressSet, Family, PacketSet, Pieces};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// The first and last port that clients choose from, by who they are (semantics A3).
const RANGES: [(&str, u16, u16); 4] = [
    ("NAT, ELB, Lambda", 1024, 65535),
    ("Linux", 32768, 60999),
    ("Windows", 49152, 65535),
    ("Windows 2003 and older", 1025, 5000),
];

/// What any client may choose: those behind a NAT, a load balancer or Lambda.
const WIDE: (u16, u16) = (1024, 65535);
/// What instances choose, whichever their system: Linux and Windows.
const HOSTS: (u16, u16) = (32768, 65535);

/// Who is in the subnets of an ACL.
struct Hosts {
    /// What the groups of some interface allow; `None` where that is not known.
    served: Option<PacketSet>,
    asked: Option<PacketSet>,
    /// Interfaces that choose from all of 1024-65535, by id.
    wide: Vec<String>,
    /// The subnet's own networks where there is but one: an ACL does not see what stays inside.
    inside: AddressSet,
}

impl Hosts {
    fn of(world: &World<'_>, acl: &NetworkAcl) -> Self {
        let mut groups = std::collections::BTreeSet::new();
        let mut wide = Vec::new();
        let mut without_groups = false;
        for interface in world.interfaces_in(&acl.subnets) {
            if is_wide(interface) {
                wide.push(interface.id.to_string());
            }
            without_groups |= interface.groups.is_empty();
            groups.extend(&interface.groups);
        }
        // A NAT gateway or a network load balancer has no group: all that the ACL lets pass is theirs.
        let known = |direction| {
            (!groups.is_empty() && !without_groups)
                .then(|| world.permitted_by_all(groups.iter().copied(), direction))
                .flatten()
        };
        let only: Vec<&SubnetId> = acl.subnets.iter().take(2).collect();
        let inside = match only.as_slice() {
            [one] => world
                .topology
                .subnets
                .get(*one)
                .map(|subnet| subnet.cidrs.clone()),
            _ => None,
        };
        Self {
            served: known(Direction::Ingress),
            asked: known(Direction::Egress),
            wide,
            inside: AddressSet::of(inside.unwrap_or_default()),
        }
    }
}

pub(super) fn gaps(
    world: &World<'_>,
    acl: &NetworkAcl,
    (ingress, egress): (&PacketSet, &PacketSet),
    evidence: Evidence,
) -> Vec<Gap> {
    // The usual ACL lets all replies pass: nothing about hosts need be known for that.
    let all = |permitted: &PacketSet| {
        Family::ALL.into_iter().all(|family| {
            let any = PacketSet::of(&Traffic::All, everyone(family));
            let silent = !ingress.intersects(&any) && !egress.intersects(&any);
            silent || whole(family).is_subset(permitted)
        })
    };
    let (all_in, all_out) = (all(ingress), all(egress));
    if all_in && all_out {
        return Vec::new();
    }
    let hosts = Hosts::of(world, acl);
    let within = |permitted: &PacketSet, groups: Option<&PacketSet>| {
        groups.map_or_else(
            || permitted.clone(),
            |groups| permitted.intersection(groups),
        )
    };
    let mut gaps = Vec::new();
    if !all_out {
        let requests = within(ingress, hosts.served.as_ref());
        gaps.extend(out(&requests, egress, &hosts, evidence));
    }
    if !all_in {
        let requests = within(egress, hosts.asked.as_ref());
        gaps.extend(back_in(&requests, ingress, &hosts, evidence));
    }
    gaps
}

fn whole(family: Family) -> PacketSet {
    let everyone = everyone(family);
    let (low, high) = WIDE;
    of_ports(&Traffic::Tcp, low, high, everyone).union(&of_ports(
        &Traffic::Udp,
        low,
        high,
        everyone,
    ))
}

fn of_ports(
    traffic: &impl Fn(PortRange) -> Traffic,
    low: u16,
    high: u16,
    network: ipnet::IpNet,
) -> PacketSet {
    PortRange::new(low, high).map_or_else(PacketSet::empty, |range| {
        PacketSet::of(&traffic(range), network)
    })
}

/// The replies that are stopped for one protocol.
struct Stopped {
    protocol: u8,
    /// Replies that should pass.
    missing: PacketSet,
    /// Whom none of them reaches.
    silent: AddressSet,
}

/// What of the replies to some requests does not pass, where the asking side chooses from `range`.
fn stopped(
    requests: &PacketSet,
    replies: &PacketSet,
    inside: &AddressSet,
    protocol: u8,
    (low, high): (u16, u16),
) -> Option<Stopped> {
    let traffic = |low, high| {
        let range = PortRange::new(low, high)?;
        Some(if protocol == TCP {
            Traffic::Tcp(range)
        } else {
            Traffic::Udp(range)
        })
    };
    let of = |low, high, peers: &AddressSet| {
        traffic(low, high).map_or_else(PacketSet::empty, |ports| PacketSet::of_peers(&ports, peers))
    };
    let everyone = |low, high| {
        Family::ALL
            .into_iter()
            .fold(PacketSet::empty(), |sum, family| {
                let part = traffic(low, high).map(|ports| PacketSet::of(&ports, everyone(family)));
                part.map_or(sum.clone(), |part| sum.union(&part))
            })
    };
    let asking = requests.intersection(&everyone(0, u16::MAX)).peers();
    if asking.is_empty() {
        return None;
    }
    let below = requests.intersection(&everyone(0, 1023)).peers();
    let above = requests.intersection(&everyone(1024, u16::MAX)).peers();
    // Peers whose ports are a client range throughout: what lies in it is a path of replies.
    let client_ranges = RANGES.iter().skip(1).filter(|_| !above.is_empty());
    let paths = client_ranges.fold(AddressSet::empty(), |sum, (_, low, high)| {
        let lacking = of(*low, *high, &above).difference(requests).peers();
        sum.union(&above.difference(&lacking))
    });
    let peers = below.union(&above.difference(&paths)).difference(inside);
    let needed = of(low, high, &peers);
    let missing = needed.difference(replies);
    if missing.is_empty() {
        return None;
    }
    let silent = peers.difference(&needed.intersection(replies).peers());
    Some(Stopped {
        protocol,
        missing,
        silent,
    })
}

impl Stopped {
    /// Whom no reply reaches, what share of each range reaches the others, an example.
    fn lines(&self, replies: &PacketSet) -> Vec<String> {
        let name = if self.protocol == TCP { "tcp" } else { "udp" };
        let partly = self.missing.peers().difference(&self.silent);
        let mut lines = Vec::new();
        if !self.silent.is_empty() {
            let peers = peer_words(&self.silent);
            lines.push(format!("{name}: no reply passes to or from {peers}"));
        }
        if !partly.is_empty() {
            let passing = replies.with_peers(&partly).by_point(self.protocol);
            let shares = RANGES.iter().map(|(who, low, high)| {
                let share = share(&passing, &partly, (*low, *high));
                format!("{share} % of {low}-{high} ({who})")
            });
            lines.push(format!(
                "{name}: of the replies to or from {} pass {}",
                peer_words(&partly),
                shares.collect::<Vec<_>>().join(", ")
            ));
        }
        let example = self.missing.witness();
        lines.extend(example.map(|packet| format!("for example, {packet} is dropped")));
        lines
    }
}

fn lines(stopped: &[Stopped], replies: &PacketSet, evidence: Evidence) -> Vec<String> {
    match evidence {
        Evidence::Wanted => stopped.iter().flat_map(|one| one.lines(replies)).collect(),
        Evidence::Unwanted => Vec::new(),
    }
}

/// How many of a hundred ports of a range pass for every one of some peers, rounded down.
fn share(by_point: &Pieces<u16, AddressSet>, peers: &AddressSet, (low, high): (u16, u16)) -> u32 {
    let ports: u32 = by_point
        .segments()
        .filter(|(_, _, reached)| peers.is_subset(reached))
        .map(|(first, last, _)| {
            let (first, last) = (first.max(low), last.min(high));
            u32::from(last)
                .saturating_add(1)
                .saturating_sub(first.into())
        })
        .sum();
    let all = u32::from(high.saturating_sub(low)).saturating_add(1);
    ports.saturating_mul(100).checked_div(all).unwrap_or(0)
}

fn both(
    requests: &PacketSet,
    replies: &PacketSet,
    hosts: &Hosts,
    range: (u16, u16),
) -> Vec<Stopped> {
    [TCP, UDP]
        .into_iter()
        .filter_map(|protocol| stopped(requests, replies, &hosts.inside, protocol, range))
        .collect()
}

fn severity(stopped: &[Stopped]) -> Severity {
    if stopped.iter().any(|one| !one.silent.is_empty()) {
        Severity::High
    } else {
        Severity::Medium
    }
}

fn names(stopped: &[Stopped]) -> &'static str {
    match stopped {
        [one] if one.protocol == TCP => "tcp",
        [one] if one.protocol == UDP => "udp",
        _ => "tcp and udp",
    }
}

/// Clients that may come in, and what is said to them does not go out.
fn out(requests: &PacketSet, egress: &PacketSet, hosts: &Hosts, evidence: Evidence) -> Option<Gap> {
    let stopped = both(requests, egress, hosts, WIDE);
    if stopped.is_empty() {
        return None;
    }
    let severity = severity(&stopped);
    let extent = if severity == Severity::High {
        "nothing"
    } else {
        "only a part"
    };
    Some(Gap {
        code: FindingCode::NaclEphemeralOut,
        severity,
        ingress: PacketSet::empty(),
        egress: sum(&stopped),
        meaning: format!(
            "{} clients may come in, and {extent} of the replies can go out to some of them: an ACL is stateless, \
             replies need an egress entry for the clients' ports (1024-65535)",
            names(&stopped)
        ),
        evidence: lines(&stopped, egress, evidence),
    })
}

/// What goes out and is not answered, because answers do not come in.
fn back_in(
    requests: &PacketSet,
    ingress: &PacketSet,
    hosts: &Hosts,
    evidence: Evidence,
) -> Option<Gap> {
    let range = if hosts.wide.is_empty() { HOSTS } else { WIDE };
    let stopped = both(requests, ingress, hosts, range);
    if stopped.is_empty() {
        return None;
    }
    let severity = match severity(&stopped) {
        Severity::Medium if !hosts.wide.is_empty() => Severity::High,
        other => other,
    };
    let who = if hosts.wide.is_empty() {
        String::new()
    } else {
        format!(
            "{} choose from all of 1024-65535",
            crate::impact::bounded(hosts.wide.clone(), 3).join(", ")
        )
    };
    let lines = lines(&stopped, ingress, evidence).into_iter();
    Some(Gap {
        code: FindingCode::NaclEphemeralIn,
        severity,
        ingress: sum(&stopped),
        egress: PacketSet::empty(),
        meaning: format!(
            "{} connections may go out, and replies cannot all come in: an ACL is stateless, replies need an ingress \
             entry for the ports that hosts here choose ({}-{})",
            names(&stopped),
            range.0,
            range.1
        ),
        evidence: lines.chain((!who.is_empty()).then_some(who)).collect(),
    })
}

fn sum(stopped: &[Stopped]) -> PacketSet {
    stopped
        .iter()
        .fold(PacketSet::empty(), |sum, one| sum.union(&one.missing))
}
