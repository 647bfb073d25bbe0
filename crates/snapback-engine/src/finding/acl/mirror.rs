//! NACL-MIRROR: of two subnets whose hosts are meant to talk, one ACL lets the packet pass and the
//! other stops it (semantics A6).
//!
//! Known flows are those that groups name: a group whose rules let the members of another in.

use super::super::world::{AclSets, World};
use super::gaps::Gap;
use crate::finding::{FindingCode, Severity};
use snapback_model::*;
use snapback_reach::{AddressSet, PacketSet};
use std::collections::BTreeMap;

/// Replies: what clients of either system choose from.
const CLIENT_PORTS: (u16, u16) = (32768, 60999);

/// Rules that are looked at for one ACL; a state with more is past what one person groups by name.
const MOST_FLOWS: usize = 4096;

struct Stops {
    ingress: PacketSet,
    egress: PacketSet,
    lines: Vec<String>,
}

pub(super) fn gap(
    world: &World<'_>,
    acl: &NetworkAcl,
    sets: (&PacketSet, &PacketSet),
) -> Option<Gap> {
    let mut stops = Stops {
        ingress: PacketSet::empty(),
        egress: PacketSet::empty(),
        lines: Vec::new(),
    };
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
    let mut known = BTreeMap::new();
    for (server, client, rule) in named.take(MOST_FLOWS) {
        for group in [&server.id, client] {
            known.entry(group).or_insert_with(|| by_acl(world, group));
        }
        let (Some(servers), Some(clients)) = (known.get(&server.id), known.get(client)) else {
            continue;
        };
        if !servers.contains_key(&acl.id) && !clients.contains_key(&acl.id) {
            continue;
        }
        for (at_server, servers) in servers {
            for (at_client, clients) in clients.iter().filter(|(id, _)| *id != at_server) {
                let ends = Ends {
                    rule,
                    servers,
                    clients,
                };
                let words = format!("{client} to {} {}", server.id, rule.traffic);
                if *at_server == &acl.id {
                    let other = world.acls().find(|other| other.id == **at_client);
                    let other = other.map(|other| world.acl_sets(other));
                    stops.at_server(&ends, sets, other.as_ref(), &words);
                } else if *at_client == &acl.id {
                    let other = world.acls().find(|other| other.id == **at_server);
                    let other = other.map(|other| world.acl_sets(other));
                    stops.at_client(&ends, sets, other.as_ref(), &words);
                }
            }
        }
    }
    stops.lines.sort();
    stops.lines.dedup();
    (!stops.lines.is_empty()).then(|| Gap {
        code: FindingCode::NaclMirror,
        severity: Severity::Medium,
        ingress: stops.ingress,
        egress: stops.egress,
        meaning: "groups let hosts of two subnets talk and the ACL of the other subnet lets it pass; this ACL does not"
            .to_owned(),
        evidence: stops.lines,
    })
}

/// The addresses of those that carry a group, by the ACL of their subnet.
fn by_acl<'w>(
    world: &'w World<'_>,
    group: &SecurityGroupId,
) -> BTreeMap<&'w NetworkAclId, AddressSet> {
    let mut addresses: BTreeMap<&NetworkAclId, Vec<ipnet::IpNet>> = BTreeMap::new();
    for interface in world.carriers(group) {
        if let Some(acl) = world.acl_of(&interface.subnet) {
            let own = interface.addresses.iter().copied().map(ipnet::IpNet::from);
            addresses.entry(&acl.id).or_default().extend(own);
        }
    }
    addresses
        .into_iter()
        .map(|(acl, networks)| (acl, AddressSet::of(networks)))
        .collect()
}

/// A flow that a rule names, with the addresses of both ends.
struct Ends<'a> {
    rule: &'a RuleKey,
    servers: &'a AddressSet,
    clients: &'a AddressSet,
}

impl Ends<'_> {
    /// The request, as the ACL at the server (peer: the client) or at the client sees it.
    fn request(&self, peer: &AddressSet) -> PacketSet {
        PacketSet::of_peers(&self.rule.traffic, peer)
    }

    fn reply(&self, peer: &AddressSet) -> PacketSet {
        let ports = PortRange::new(CLIENT_PORTS.0, CLIENT_PORTS.1).unwrap_or(PortRange::ALL);
        match self.rule.traffic {
            Traffic::Tcp(_) => PacketSet::of_peers(&Traffic::Tcp(ports), peer),
            Traffic::Udp(_) => PacketSet::of_peers(&Traffic::Udp(ports), peer),
            Traffic::All | Traffic::Icmp(_) | Traffic::Icmpv6(_) | Traffic::Protocol(_) => {
                PacketSet::empty()
            }
        }
    }
}

impl Stops {
    fn at_server(
        &mut self,
        ends: &Ends<'_>,
        (ingress, egress): (&PacketSet, &PacketSet),
        other: Option<&AclSets>,
        words: &str,
    ) {
        let Some((other_in, other_out)) = other else {
            return;
        };
        let request = ends.request(ends.clients).difference(ingress);
        if !request.is_empty() && ends.request(ends.servers).is_subset(other_out) {
            self.lines.push(format!(
                "{words}: the request may leave there and not come in here"
            ));
            self.ingress = self.ingress.union(&request);
        }
        let reply = ends.reply(ends.clients).difference(egress);
        if !reply.is_empty() && ends.reply(ends.servers).is_subset(other_in) {
            self.lines.push(format!(
                "{words}: the reply may come in there and not leave here"
            ));
            self.egress = self.egress.union(&reply);
        }
    }

    fn at_client(
        &mut self,
        ends: &Ends<'_>,
        (ingress, egress): (&PacketSet, &PacketSet),
        other: Option<&AclSets>,
        words: &str,
    ) {
        let Some((other_in, other_out)) = other else {
            return;
        };
        let request = ends.request(ends.servers).difference(egress);
        if !request.is_empty() && ends.request(ends.clients).is_subset(other_in) {
            self.lines.push(format!(
                "{words}: the request may come in there and not leave here"
            ));
            self.egress = self.egress.union(&request);
        }
        let reply = ends.reply(ends.servers).difference(ingress);
        if !reply.is_empty() && ends.reply(ends.clients).is_subset(other_out) {
            self.lines.push(format!(
                "{words}: the reply may leave there and not come in here"
            ));
            self.ingress = self.ingress.union(&reply);
        }
    }
}
