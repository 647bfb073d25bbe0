//! Whole paths judged packet by packet, straight from the text of semantics A1, A3, A4, A5 and A6.
//!
//! Slow, and with nothing in common with `path` but the types: property tests hold the two against
//! each other.

mod groups;
mod internet;

use super::{next_hop, permits_acl};
use crate::flow::{Flow, Host};
use crate::path::{ClientRange, L4, Outcome, Place, Spot};
use ipnet::IpNet;
use snapback_model::*;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Yes, no, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Yes,
    No,
    Unknown,
}
use Says::{No, Unknown, Yes};

fn says(holds: bool) -> Says {
    if holds { Yes } else { No }
}

/// An ACL on the way back: of which subnet, which list, and the peer it sees.
type Guard = (SubnetId, Direction, IpAddr);

/// One asked question after the other; what is not asked any more was decided before.
struct Judge<'a> {
    snapshot: &'a Snapshot,
    l4: L4,
    answers: Vec<Says>,
    /// For each stretch with a client of its own: its ranges, and the ACLs that its replies meet
    /// with the peer that each sees.
    stretches: Vec<(Vec<ClientRange>, Vec<Guard>)>,
    reply_route: Vec<Says>,
}

/// What becomes of a packet and its reply.
pub fn fate(snapshot: &Snapshot, from: &Place<'_>, to: &Place<'_>, l4: L4) -> Outcome {
    let mut judge = Judge {
        snapshot,
        l4,
        answers: Vec::new(),
        stretches: Vec::new(),
        reply_route: Vec::new(),
    };
    match (from, to) {
        (Place::Outside(_), Place::Outside(_)) => return Outcome::Blocked,
        (Place::Inside(from), to) => judge.out(from, to),
        (Place::Outside(source), Place::Inside(to)) => judge.come_in(*source, to),
    }
    judge.outcome()
}

fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V6(at) => at
            .segments()
            .first()
            .is_some_and(|first| first & 0xe000 == 0x2000),
        IpAddr::V4(at) => {
            let [a, b, c, _] = at.octets();
            !(a == 0
                || a == 10
                || a == 127
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 169 && b == 254)
                || (a == 172 && (16..32).contains(&b))
                || (a == 192 && b == 168)
                || (a == 192 && b == 0 && (c == 0 || c == 2))
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19))
                || (a == 198 && b == 51 && c == 100)
                || (a == 203 && b == 0 && c == 113))
        }
    }
}

impl<'a> Judge<'a> {
    fn topology(&self) -> &'a Topology {
        &self.snapshot.topology
    }

    fn outcome(&self) -> Outcome {
        let one_way = match self.l4.protocol {
            1 => self.l4.point >> 8 != 8,
            58 => self.l4.point >> 8 != 128,
            _ => false,
        };
        let mut answers = self.answers.clone();
        let mut partly = false;
        if !one_way {
            answers.extend(&self.reply_route);
            for (ranges, acls) in &self.stretches {
                answers.extend(
                    acls.iter()
                        .filter(|(subnet, ..)| self.acl(subnet).is_none())
                        .map(|_| Unknown),
                );
                let shares: Vec<(usize, usize)> = ranges
                    .iter()
                    .map(|range| self.share(*range, acls))
                    .collect();
                if shares.iter().all(|(open, _)| *open == 0) {
                    answers.push(No);
                }
                partly |= shares.iter().any(|(open, of)| open < of);
            }
        }
        if answers.contains(&No) {
            Outcome::Blocked
        } else if answers.contains(&Unknown) {
            Outcome::Unknown
        } else if partly {
            Outcome::Partly
        } else {
            Outcome::Passes
        }
    }

    /// Of the ports of a range at which some ACL may change its mind: how many get a reply through
    /// all ACLs, of how many.
    fn share(&self, range: ClientRange, acls: &[Guard]) -> (usize, usize) {
        let (low, high) = range.ports();
        let mut ports = BTreeSet::from([low, high]);
        for (subnet, ..) in acls {
            for entry in self
                .acl(subnet)
                .into_iter()
                .flat_map(|acl| acl.entries.values())
            {
                if let Traffic::Tcp(known) | Traffic::Udp(known) = entry.traffic {
                    ports.extend([known.from(), known.to().saturating_add(1)]);
                }
            }
        }
        let asked: Vec<u16> = match self.l4.protocol {
            6 | 17 => ports
                .into_iter()
                .filter(|port| (low..=high).contains(port))
                .collect(),
            1 => vec![0],
            58 => vec![0x8100],
            _ => vec![0],
        };
        let open = asked.iter().filter(|point| {
            acls.iter().all(|(subnet, direction, peer)| {
                let flow = Flow {
                    peer: Host::Address(*peer),
                    protocol: self.l4.protocol,
                    point: **point,
                };
                self.acl(subnet)
                    .is_none_or(|acl| permits_acl(acl, *direction, &flow))
            })
        });
        (open.count(), asked.len())
    }

    fn acl(&self, subnet: &SubnetId) -> Option<&'a NetworkAcl> {
        self.snapshot
            .resources
            .values()
            .find_map(|resource| match resource {
                Resource::NetworkAcl(acl) if acl.subnets.contains(subnet) => Some(acl),
                _ => None,
            })
    }

    fn table(&self, subnet: &SubnetId) -> Option<&'a RouteTable> {
        let tables = || {
            self.snapshot
                .resources
                .values()
                .filter_map(|resource| match resource {
                    Resource::RouteTable(table) => Some(table),
                    _ => None,
                })
        };
        let vpc = &self.topology().subnets.get(subnet)?.vpc;
        tables()
            .find(|table| table.subnets.contains(subnet))
            .or_else(|| tables().find(|table| table.main && table.vpc == *vpc))
    }

    fn ask_acl(&mut self, subnet: &SubnetId, direction: Direction, peer: IpAddr) {
        let flow = Flow {
            peer: Host::Address(peer),
            protocol: self.l4.protocol,
            point: self.l4.point,
        };
        let answer = self
            .acl(subnet)
            .map_or(Unknown, |acl| says(permits_acl(acl, direction, &flow)));
        self.answers.push(answer);
    }

    fn client(&mut self, ranges: Vec<ClientRange>, acls: Vec<Guard>) {
        self.stretches.push((ranges, acls));
    }

    /// From an interface to wherever.
    fn out(&mut self, from: &Spot<'_>, to: &Place<'_>) {
        let called = to.called();
        if self.is_service(from.vpc, called) {
            return;
        }
        if let Place::Inside(to) = to
            && from.interface.is_some()
            && from.interface.map(|one| &one.id) == to.interface.map(|one| &one.id)
        {
            return;
        }
        self.ask_groups(from, Direction::Egress, called);
        match to {
            Place::Inside(to) if to.subnet == from.subnet && to.called == to.address => {
                self.ask_host(to);
                self.ask_groups(to, Direction::Ingress, from.address);
                return;
            }
            _ => {}
        }
        self.ask_acl(from.subnet, Direction::Egress, called);
        let Some(target) = self.ask_route(from.subnet, called, false) else {
            return;
        };
        match (&target, to) {
            (RouteTarget::InternetGateway(id) | RouteTarget::EgressOnlyInternetGateway(id), _) => {
                self.out_by_gateway(from, to, id);
            }
            (RouteTarget::NatGateway(id), _) => self.out_by_nat(from, to, id),
            (RouteTarget::GatewayEndpoint(id), _) => {
                self.ask_exists(id, ContextKind::Endpoints);
                self.client(
                    hosts(from),
                    vec![(from.subnet.clone(), Direction::Ingress, called)],
                );
            }
            (target, Place::Inside(to)) => {
                let answer = self.crosses(from.vpc, target, Some(to.vpc), called);
                self.answers.push(answer);
                self.ask_acl(to.subnet, Direction::Ingress, from.address);
                self.ask_host(to);
                self.ask_groups(to, Direction::Ingress, from.address);
                if let Some(back) = self.ask_route(to.subnet, from.address, true) {
                    let answer = self.crosses(to.vpc, &back, Some(from.vpc), from.address);
                    self.reply_route.push(answer);
                }
                self.client(
                    hosts(from),
                    vec![
                        (to.subnet.clone(), Direction::Egress, from.address),
                        (from.subnet.clone(), Direction::Ingress, called),
                    ],
                );
            }
            (RouteTarget::Local, Place::Outside(_)) => {
                let read = self.topology().has_read(ContextKind::Subnets);
                self.answers.push(if read { No } else { Unknown });
            }
            (target, Place::Outside(address)) => {
                let answer = self.crosses(from.vpc, target, None, *address);
                self.answers.push(answer);
                self.client(
                    hosts(from),
                    vec![(from.subnet.clone(), Direction::Ingress, called)],
                );
            }
        }
    }

    fn is_service(&self, vpc: &VpcId, address: IpAddr) -> bool {
        let text = address.to_string();
        let fixed = [
            "169.254.169.253",
            "169.254.169.254",
            "169.254.169.123",
            "169.254.170.2",
            "169.254.169.250",
            "169.254.169.251",
            "fd00:ec2::253",
            "fd00:ec2::254",
            "fd00:ec2::123",
        ];
        let IpAddr::V4(at) = address else {
            return fixed.contains(&text.as_str());
        };
        let at = u32::from(at);
        let starts = |cidrs: &BTreeSet<IpNet>, offset: u32| {
            cidrs.iter().any(|net| matches!(net, IpNet::V4(net) if u32::from(net.network()).wrapping_add(offset) == at))
        };
        fixed.contains(&text.as_str())
            || self
                .topology()
                .vpcs
                .get(vpc)
                .is_some_and(|vpc| starts(&vpc.cidrs, 2))
            || self
                .topology()
                .subnets
                .values()
                .any(|subnet| subnet.vpc == *vpc && starts(&subnet.cidrs, 1))
    }

    fn ask_host(&mut self, to: &Spot<'_>) {
        let known = self.topology().interfaces.values().any(|one| {
            one.addresses.contains(&to.address) || one.public_addresses.contains(&to.address)
        });
        if to.interface.is_none() && !known && to.called == to.address {
            let read = self.topology().has_read(ContextKind::Interfaces);
            self.answers.push(if read { No } else { Unknown });
        }
    }

    /// The route of a subnet for an address; `None` when it is dropped or the table was not read.
    fn ask_route(
        &mut self,
        subnet: &SubnetId,
        address: IpAddr,
        reply: bool,
    ) -> Option<RouteTarget> {
        let (answer, target) = match self.table(subnet) {
            None => (Unknown, None),
            Some(_) if never_forwarded(address) => (No, None),
            Some(table) => {
                let target = next_hop(table, self.topology(), address);
                if self.is_unsure(table, address, target.as_ref()) || self.is_random(table, address)
                {
                    (Unknown, target)
                } else {
                    (says(target.is_some()), target)
                }
            }
        };
        if reply {
            self.reply_route.push(answer);
        } else {
            self.answers.push(answer);
        }
        target
    }

    /// Whether the longest network that holds an address is named by two lists with different
    /// targets, and by no route of its own.
    fn is_random(&self, table: &RouteTable, address: IpAddr) -> bool {
        let mut named: Vec<(IpNet, bool, &RouteTarget)> = Vec::new();
        for (destination, route) in &table.routes {
            if let Destination::PrefixList(id) = destination {
                let list = self.topology().prefix_lists.get(id);
                let entries = list.and_then(|list| list.entries.as_ref());
                named.extend(
                    entries
                        .into_iter()
                        .flatten()
                        .map(|net| (*net, true, &route.target)),
                );
            } else if let Some(net) = destination.as_cidr() {
                named.push((net, route.origin == RouteOrigin::Propagated, &route.target));
            }
        }
        named.retain(|(net, ..)| net.contains(&address));
        let Some(longest) = named.iter().map(|(net, ..)| net.prefix_len()).max() else {
            return false;
        };
        named.retain(|(net, ..)| net.prefix_len() == longest);
        let lists = table.routes.iter().filter(|(destination, _)| {
            let Destination::PrefixList(id) = destination else {
                return false;
            };
            let list = self.topology().prefix_lists.get(id);
            let entries = list.and_then(|list| list.entries.as_ref());
            entries.is_some_and(|all| {
                all.iter()
                    .any(|net| net.prefix_len() == longest && net.contains(&address))
            })
        });
        let targets: BTreeSet<&RouteTarget> = lists.map(|(_, route)| &route.target).collect();
        targets.len() > 1 && named.iter().all(|(_, weak, _)| *weak)
    }

    /// Whether a prefix list with unread entries could send an address elsewhere.
    fn is_unsure(&self, table: &RouteTable, address: IpAddr, target: Option<&RouteTarget>) -> bool {
        table.routes.iter().any(|(destination, route)| {
            let Destination::PrefixList(id) = destination else {
                return false;
            };
            let known = self
                .topology()
                .prefix_lists
                .get(id)
                .is_some_and(|list| list.entries.is_some());
            let there = (!route.blackhole).then_some(&route.target);
            let service = matches!(route.target, RouteTarget::GatewayEndpoint(_));
            !known && there != target && (public(address) || !service)
        })
    }

    /// Private legs: the same VPC, a peering, or something that only its owner knows.
    fn crosses(
        &self,
        vpc: &VpcId,
        target: &RouteTarget,
        to: Option<&VpcId>,
        address: IpAddr,
    ) -> Says {
        match target {
            RouteTarget::Local => says(to == Some(vpc)),
            RouteTarget::VpcPeeringConnection(id) => {
                let Some(peering) = self.topology().gateways.get(id) else {
                    return if self.topology().has_read(ContextKind::Peerings) {
                        No
                    } else {
                        Unknown
                    };
                };
                match peering.state.as_deref() {
                    None => return Unknown,
                    Some("active") => {}
                    Some(_) => return No,
                }
                if !peering.vpcs.contains(vpc) {
                    return No;
                }
                match to {
                    Some(to) => says(to != vpc && peering.vpcs.contains(to)),
                    None if peering.peer_cidrs.is_empty() => Unknown,
                    None if peering.peer_cidrs.iter().any(|net| net.contains(&address)) => Unknown,
                    None => No,
                }
            }
            RouteTarget::InternetGateway(_)
            | RouteTarget::EgressOnlyInternetGateway(_)
            | RouteTarget::NatGateway(_)
            | RouteTarget::GatewayEndpoint(_) => No,
            _ => Unknown,
        }
    }

    fn ask_exists(&mut self, id: &str, kind: ContextKind) -> bool {
        if self.topology().gateways.contains_key(id) {
            return true;
        }
        let read = self.topology().has_read(kind);
        self.answers.push(if read { No } else { Unknown });
        false
    }
}

fn never_forwarded(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(at) => matches!(at.octets(), [169, 254, 168..=171, _]),
        IpAddr::V6(at) => matches!(at.segments(), [0xfd00, 0x0ec2, ..]),
    }
}

fn hosts(spot: &Spot<'_>) -> Vec<ClientRange> {
    let kind = spot.interface.and_then(|one| one.kind.as_deref());
    match kind {
        Some(
            "nat_gateway"
            | "lambda"
            | "network_load_balancer"
            | "gateway_load_balancer"
            | "load_balancer",
        ) => {
            vec![ClientRange::Service]
        }
        _ => vec![ClientRange::Linux, ClientRange::Windows],
    }
}
