//! The internet's part of the naive judge: gateways, NAT, block public access.

use super::super::next_hop;
use super::{Judge, Says, hosts, public, says};
use crate::path::{ClientRange, Place, Spot};
use Says::{No, Unknown, Yes};
use snapback_model::*;
use std::net::IpAddr;

impl Judge<'_> {
    fn ask_attached(&mut self, id: &str, vpc: &VpcId) {
        let kind = if id.starts_with("eigw") {
            ContextKind::EgressOnlyGateways
        } else {
            ContextKind::InternetGateways
        };
        if self.ask_exists(id, kind) {
            let attached = self
                .topology()
                .gateways
                .get(id)
                .is_some_and(|one| one.vpcs.contains(vpc));
            self.answers.push(says(attached));
        }
    }

    fn ask_public_address(&mut self, spot: &Spot<'_>) {
        let answer = match (spot.address, spot.interface) {
            (IpAddr::V6(_), _) => says(public(spot.address)),
            (IpAddr::V4(_), None) => Unknown,
            (IpAddr::V4(_), Some(one)) if one.public_addresses.is_empty() => No,
            (IpAddr::V4(_), Some(one)) => {
                let own = one
                    .addresses
                    .iter()
                    .filter(|address| address.is_ipv4())
                    .count();
                if own <= one.public_addresses.len() {
                    Yes
                } else {
                    Unknown
                }
            }
        };
        self.answers.push(answer);
    }

    /// What block public access says of a subnet for who only answers (`in`), who has an address of
    /// its own (`out`), and who lets only connections from within begin (`only`).
    fn block(&self, vpc: &VpcId, subnet: &SubnetId, crossing: &str) -> Says {
        let Some(block) = &self.topology().block_public_access else {
            let told = self
                .topology()
                .subnets
                .get(subnet)
                .and_then(|one| one.block);
            let told = told.or_else(|| self.topology().vpcs.get(vpc)?.block);
            return match told {
                None => Unknown,
                Some(BlockMode::Off) => Yes,
                Some(BlockMode::Ingress) => says(crossing == "only"),
                Some(BlockMode::Bidirectional) => No,
            };
        };
        let excluded = |mode: ExclusionMode| {
            block.exclusions.values().any(|one| {
                one.active
                    && one.mode == mode
                    && (one.resource == vpc.as_str() || one.resource == subnet.as_str())
            })
        };
        if block.mode == BlockMode::Off || excluded(ExclusionMode::Bidirectional) {
            return Yes;
        }
        if block.mode == BlockMode::Ingress {
            return says(crossing == "only");
        }
        match (excluded(ExclusionMode::Egress), crossing) {
            (true, "only") => Yes,
            (true, "out") => Unknown,
            _ => No,
        }
    }

    pub(super) fn out_by_gateway(&mut self, from: &Spot<'_>, to: &Place<'_>, id: &str) {
        let called = to.called();
        let eigw = id.starts_with("eigw");
        self.answers.push(says(public(called)));
        self.ask_attached(id, from.vpc);
        let answer = self.block(from.vpc, from.subnet, if eigw { "only" } else { "out" });
        self.answers.push(answer);
        if eigw {
            self.answers.push(says(from.address.is_ipv6()));
        }
        self.ask_public_address(from);
        if let Place::Inside(to) = to {
            let seen = match from.address {
                IpAddr::V6(own) => Some(IpAddr::V6(own)),
                IpAddr::V4(_) => from
                    .interface
                    .and_then(|one| one.public_addresses.first().copied()),
            };
            match seen {
                Some(seen) => self.comes_from_internet(seen, to, hosts(from)),
                None => self.answers.push(Unknown),
            }
        }
        let answer = self.edge(id, from.address);
        self.reply_route.push(answer);
        self.client_again(
            from,
            vec![(from.subnet.clone(), Direction::Ingress, called)],
        );
    }

    /// The same client's replies meet more ACLs.
    fn client_again(&mut self, from: &Spot<'_>, acls: Vec<super::Guard>) {
        match self.stretches.first_mut() {
            Some((_, known)) => known.extend(acls),
            None => self.client(hosts(from), acls),
        }
    }

    fn edge(&self, gateway: &str, address: IpAddr) -> Says {
        let table = self
            .snapshot
            .resources
            .values()
            .find_map(|resource| match resource {
                Resource::RouteTable(table)
                    if table.gateways.iter().any(|one| one.as_str() == gateway) =>
                {
                    Some(table)
                }
                _ => None,
            });
        match table.map(|table| next_hop(table, self.topology(), address)) {
            None | Some(Some(RouteTarget::Local)) => Yes,
            Some(None) => No,
            Some(Some(_)) => Unknown,
        }
    }

    pub(super) fn out_by_nat(&mut self, from: &Spot<'_>, to: &Place<'_>, id: &str) {
        let called = to.called();
        let inner = (from.subnet.clone(), Direction::Ingress, called);
        if !self.ask_exists(id, ContextKind::NatGateways) {
            return self.client(hosts(from), vec![inner]);
        }
        let Some(nat) = self.topology().gateways.get(id) else {
            return;
        };
        let state = nat.state.as_deref();
        self.answers.push(match state {
            Some("available") => Yes,
            Some(_) => No,
            None => Unknown,
        });
        if state == Some("available") {
            let nat64 = matches!(called, IpAddr::V6(at) if at.segments().starts_with(&[0x64, 0xff9b, 0, 0, 0, 0]));
            self.answers.push(says(called.is_ipv4() || nat64));
            self.answers
                .push(says(nat.vpcs.is_empty() || nat.vpcs.contains(from.vpc)));
        }
        self.answers
            .push(says(matches!(self.l4.protocol, 1 | 6 | 17)));
        let regional = nat.nat.as_ref().is_some_and(|detail| detail.regional);
        let nat64 = matches!(called, IpAddr::V6(at) if at.segments().starts_with(&[0x64, 0xff9b, 0, 0, 0, 0]));
        let Some(subnet) = nat.subnets.first().filter(|_| !regional && !nat64) else {
            self.answers.push(Unknown);
            return self.client(hosts(from), vec![inner]);
        };
        if subnet != from.subnet {
            self.ask_acl(subnet, Direction::Ingress, from.address);
            self.ask_acl(subnet, Direction::Egress, called);
        }
        match self.ask_route(subnet, called, false) {
            None => return,
            Some(RouteTarget::InternetGateway(igw)) => {
                self.nat_to_internet(from, to, nat, subnet, &igw)
            }
            Some(_) => self.answers.push(Unknown),
        }
        // A server in the state has begun the stretch with its own ACL.
        let outer = (subnet.clone(), Direction::Ingress, called);
        match self.stretches.first_mut() {
            Some((_, known)) => known.push(outer),
            None => self.client(vec![ClientRange::Service], vec![outer]),
        }
        if subnet != from.subnet {
            if let Some(back) = self.ask_route(subnet, from.address, true) {
                let answer = self.crosses(from.vpc, &back, Some(from.vpc), from.address);
                self.reply_route.push(answer);
            }
            self.client(
                hosts(from),
                vec![(subnet.clone(), Direction::Egress, from.address), inner],
            );
        }
    }

    fn nat_to_internet(
        &mut self,
        from: &Spot<'_>,
        to: &Place<'_>,
        nat: &Gateway,
        subnet: &SubnetId,
        igw: &str,
    ) {
        self.answers
            .push(match nat.nat.as_ref().map(|detail| detail.connectivity) {
                Some(Connectivity::Public) => Yes,
                Some(Connectivity::Private) => No,
                None if nat.public_addresses.is_empty() => Unknown,
                None => Yes,
            });
        self.answers.push(says(public(to.called())));
        self.ask_attached(igw, from.vpc);
        let of_nat = self.block(from.vpc, subnet, "only");
        let of_sender = self.block(from.vpc, from.subnet, "only");
        let differs = matches!((of_nat, of_sender), (Yes, No) | (No, Yes));
        self.answers.push(if differs { Unknown } else { of_nat });
        if let Place::Inside(to) = to {
            let one = nat
                .public_addresses
                .first()
                .filter(|_| nat.public_addresses.len() == 1);
            match one {
                Some(seen) => self.comes_from_internet(*seen, to, vec![ClientRange::Service]),
                None => self.answers.push(Unknown),
            }
        }
    }

    /// From a public address to an interface: internet exposure, and the way back.
    fn comes_from_internet(&mut self, seen: IpAddr, to: &Spot<'_>, clients: Vec<ClientRange>) {
        self.ask_public_address(to);
        let gateways = self.topology().gateways.values();
        let attached = gateways
            .clone()
            .find(|one| one.kind == GatewayKind::Internet && one.vpcs.contains(to.vpc));
        let read = self.topology().has_read(ContextKind::InternetGateways);
        match attached {
            None => self.answers.push(if read { No } else { Unknown }),
            Some(igw) => {
                let block = self.block(to.vpc, to.subnet, "in");
                let edge = self.edge(&igw.id, to.address);
                self.answers.extend([block, edge]);
            }
        }
        self.ask_acl(to.subnet, Direction::Ingress, seen);
        self.ask_host(to);
        self.ask_groups(to, Direction::Ingress, seen);
        if let Some(back) = self.ask_route(to.subnet, seen, true) {
            self.reply_route.push(match (&back, attached) {
                (RouteTarget::InternetGateway(id), Some(igw)) => says(*id == igw.id),
                (RouteTarget::InternetGateway(_), None) => Unknown,
                (
                    RouteTarget::NetworkInterface(_)
                    | RouteTarget::GatewayLoadBalancerEndpoint(_)
                    | RouteTarget::Unrecognized(_),
                    _,
                ) => Unknown,
                _ => No,
            });
        }
        self.client(clients, vec![(to.subnet.clone(), Direction::Egress, seen)]);
    }

    pub(super) fn come_in(&mut self, source: IpAddr, to: &Spot<'_>) {
        let clients = vec![
            ClientRange::Linux,
            ClientRange::Windows,
            ClientRange::Service,
        ];
        if public(source) {
            return self.comes_from_internet(source, to, clients);
        }
        self.answers.push(Unknown);
        self.ask_acl(to.subnet, Direction::Ingress, source);
        self.ask_host(to);
        self.ask_groups(to, Direction::Ingress, source);
        if let Some(back) = self.ask_route(to.subnet, source, true) {
            let lost = matches!(
                back,
                RouteTarget::Local
                    | RouteTarget::InternetGateway(_)
                    | RouteTarget::EgressOnlyInternetGateway(_)
            );
            self.reply_route.push(says(!lost));
        }
        self.client(
            clients,
            vec![(to.subnet.clone(), Direction::Egress, source)],
        );
    }
}
