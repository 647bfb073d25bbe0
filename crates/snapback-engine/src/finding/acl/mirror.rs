//! NACL-MIRROR: of two subnets whose hosts are meant to talk, one ACL lets the packet pass and the
//! other stops it (semantics A6).
//!
//! Known flows are those that groups name: a group whose rules let the members of another in.

use super::super::world::World;
use super::gaps::Gap;
use crate::finding::{FindingCode, Severity};
use crate::impact::opposite;
use snapback_model::*;
use snapback_reach::{AddressSet, PacketSet};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Replies: what clients of either system choose from.
const CLIENT_PORTS: (u16, u16) = (32768, 60999);

/// Rules that are looked at for one ACL; a state with more is past what one person groups by name.
const MOST_FLOWS: usize = 4096;

pub(super) fn gap(
    world: &World<'_>,
    acl: &NetworkAcl,
    sets: (&PacketSet, &PacketSet),
) -> Option<Gap> {
    if world.topology.interfaces.is_empty() || world.acls().nth(1).is_none() {
        return None;
    }
    let named = world.groups().flat_map(|group| {
        let rules = group.rules.keys();
        rules.filter_map(move |rule| match (&rule.peer, rule.direction) {
            (Peer::SecurityGroup { id, .. }, Direction::Ingress) => Some((group, id, rule)),
            _ => None,
        })
    });
    let (mut passes, mut stops) = (Passes::of(world), Stops::default());
    for (server, client, rule) in named.take(MOST_FLOWS) {
        let hosts = |group| world.hosts_by_acl(group);
        let (Some(servers), Some(clients)) = (hosts(&server.id), hosts(client)) else {
            continue;
        };
        let words = || format!("{client} to {} {}", server.id, rule.traffic);
        let others = |all| elsewhere(all, &acl.id);
        if let Some(here) = servers.get(&acl.id) {
            for (at, there) in others(clients) {
                let ends = Ends { rule, here, there };
                stops.look(&ends, (&acl.id, at), Direction::Ingress, &mut passes, words);
            }
        }
        if let Some(here) = clients.get(&acl.id) {
            for (at, there) in others(servers) {
                let ends = Ends { rule, here, there };
                stops.look(&ends, (&acl.id, at), Direction::Egress, &mut passes, words);
            }
        }
    }
    stops.lines.sort();
    stops.lines.dedup();
    let (ingress, egress) = sets;
    (!stops.lines.is_empty()).then(|| Gap {
        code: FindingCode::NaclMirror,
        severity: Severity::Medium,
        ingress: all_of(&stops.ingress).difference(ingress),
        egress: all_of(&stops.egress).difference(egress),
        meaning: "groups let hosts of two subnets talk and the ACL of the other subnet lets it pass; this ACL does not"
            .to_owned(),
        evidence: stops.lines,
    })
}

fn elsewhere<'s>(
    hosts: &'s BTreeMap<&NetworkAclId, AddressSet>,
    here: &NetworkAclId,
) -> impl Iterator<Item = (&'s NetworkAclId, &'s AddressSet)> {
    let others = hosts.iter().map(|(at, hosts)| (*at, hosts));
    others.filter(move |(at, _)| *at != here)
}

/// Whose packets of some traffic an ACL lets pass, all of them. Many rules of many groups name the
/// same few ports.
struct Passes<'w, 'a> {
    world: &'w World<'a>,
    known: BTreeMap<(NetworkAclId, Direction, Traffic), AddressSet>,
}

impl<'w, 'a> Passes<'w, 'a> {
    fn of(world: &'w World<'a>) -> Self {
        let known = BTreeMap::new();
        Self { world, known }
    }

    /// Whether all packets of some traffic with these peers pass.
    fn all(
        &mut self,
        acl: &NetworkAclId,
        direction: Direction,
        traffic: Traffic,
        peers: &AddressSet,
    ) -> bool {
        let known = match self.known.entry((acl.clone(), direction, traffic)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let everything = PacketSet::of_peers(&traffic, &AddressSet::everybody());
                let stopped = match (self.world.acl_sets(acl), direction) {
                    (Some((ingress, _)), Direction::Ingress) => everything.difference(ingress),
                    (Some((_, egress)), Direction::Egress) => everything.difference(egress),
                    (None, _) => everything,
                };
                new.insert(stopped.peers().complement())
            }
        };
        peers.is_subset(known)
    }
}

/// A flow that a rule names, with the addresses of the hosts here and of those at the other end.
struct Ends<'e> {
    rule: &'e RuleKey,
    here: &'e AddressSet,
    there: &'e AddressSet,
}

impl Ends<'_> {
    /// What comes back to who asked.
    fn reply(&self) -> Option<Traffic> {
        let ports = PortRange::new(CLIENT_PORTS.0, CLIENT_PORTS.1).unwrap_or(PortRange::ALL);
        match self.rule.traffic {
            Traffic::Tcp(_) => Some(Traffic::Tcp(ports)),
            Traffic::Udp(_) => Some(Traffic::Udp(ports)),
            Traffic::All | Traffic::Icmp(_) | Traffic::Icmpv6(_) | Traffic::Protocol(_) => None,
        }
    }
}

/// Whose packets are stopped here, by traffic, and in words.
#[derive(Default)]
struct Stops {
    ingress: BTreeMap<Traffic, AddressSet>,
    egress: BTreeMap<Traffic, AddressSet>,
    lines: Vec<String>,
}

impl Stops {
    /// Looks at a flow whose request goes `toward` the hosts here, in or out, and at what comes back.
    fn look(
        &mut self,
        ends: &Ends<'_>,
        (here, there): (&NetworkAclId, &NetworkAclId),
        toward: Direction,
        passes: &mut Passes<'_, '_>,
        words: impl Fn() -> String,
    ) {
        let legs = [
            ("request", Some(ends.rule.traffic), toward),
            ("reply", ends.reply(), opposite(toward)),
        ];
        for (name, traffic, direction) in legs {
            let Some(traffic) = traffic else {
                continue;
            };
            let stopped_here_only = !passes.all(here, direction, traffic, ends.there)
                && passes.all(there, opposite(direction), traffic, ends.here);
            if !stopped_here_only {
                continue;
            }
            let words = words();
            let (stopped, what) = match direction {
                Direction::Ingress => (&mut self.ingress, "leave there and not come in here"),
                Direction::Egress => (&mut self.egress, "come in there and not leave here"),
            };
            note(stopped, traffic, ends.there);
            self.lines.push(format!("{words}: the {name} may {what}"));
        }
    }
}

fn note(stopped: &mut BTreeMap<Traffic, AddressSet>, traffic: Traffic, peers: &AddressSet) {
    let known = stopped.entry(traffic).or_default();
    if !peers.is_subset(known) {
        *known = known.union(peers);
    }
}

fn all_of(stopped: &BTreeMap<Traffic, AddressSet>) -> PacketSet {
    let of = |(traffic, peers)| PacketSet::of_peers(traffic, peers);
    PacketSet::union_of(stopped.iter().map(of))
}
