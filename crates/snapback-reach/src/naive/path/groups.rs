//! What the groups of an interface say, rule by rule (semantics A1).

use super::{Judge, No, Says, Unknown, Yes, says};
use crate::path::{L4, Spot};
use ipnet::IpNet;
use snapback_model::*;
use std::net::IpAddr;

impl Judge<'_> {
    /// The groups of an interface: some rule of some group.
    pub(super) fn ask_groups(&mut self, spot: &Spot<'_>, direction: Direction, peer: IpAddr) {
        let Some(interface) = spot.interface else {
            return;
        };
        if interface.kind.as_deref() == Some("nat_gateway") && interface.groups.is_empty() {
            return;
        }
        let mut answer = if interface.groups.is_empty() {
            Unknown
        } else {
            No
        };
        for id in &interface.groups {
            let Some(Resource::SecurityGroup(group)) = self
                .snapshot
                .resources
                .get(&ResourceId::SecurityGroup(id.clone()))
            else {
                if answer == No {
                    answer = Unknown;
                }
                continue;
            };
            for rule in group
                .rules
                .keys()
                .filter(|rule| rule.direction == direction)
            {
                match self.rule_allows(rule, &interface.vpc, peer) {
                    Yes => answer = Yes,
                    Unknown if answer == No => answer = Unknown,
                    Unknown | No => {}
                }
            }
        }
        self.answers.push(answer);
    }

    fn rule_allows(&self, rule: &RuleKey, vpc: &VpcId, peer: IpAddr) -> Says {
        let L4 { protocol, point } = self.l4;
        let icmp = |wanted: &IcmpMatch| match wanted {
            IcmpMatch::Any => true,
            IcmpMatch::Type(kind) => u16::from(*kind) == point / 256,
            IcmpMatch::TypeCode(kind, code) => u16::from(*kind) * 256 + u16::from(*code) == point,
        };
        let fits = match &rule.traffic {
            Traffic::All => true,
            Traffic::Tcp(ports) => protocol == 6 && ports.contains(point),
            Traffic::Udp(ports) => protocol == 17 && ports.contains(point),
            Traffic::Icmp(wanted) => protocol == 1 && icmp(wanted),
            Traffic::Icmpv6(wanted) => protocol == 58 && icmp(wanted),
            Traffic::Protocol(number) => protocol == *number,
        };
        if !fits {
            return No;
        }
        match &rule.peer {
            Peer::Ipv4(net) => says(IpNet::V4(*net).contains(&peer)),
            Peer::Ipv6(net) => says(IpNet::V6(*net).contains(&peer)),
            Peer::PrefixList(id) => {
                let list = self.topology().prefix_lists.get(id);
                match list.and_then(|list| list.entries.as_ref()) {
                    Some(entries) => says(entries.iter().any(|entry| entry.contains(&peer))),
                    None => Unknown,
                }
            }
            Peer::SecurityGroup { id, owner } => {
                self.reference(id, owner.is_some(), rule.direction, vpc, peer)
            }
        }
    }

    fn reference(
        &self,
        id: &SecurityGroupId,
        foreign: bool,
        direction: Direction,
        vpc: &VpcId,
        peer: IpAddr,
    ) -> Says {
        let mut doubt = foreign || !self.topology().has_read(ContextKind::Interfaces);
        for carrier in self.topology().interfaces.values() {
            if !carrier.groups.contains(id) {
                continue;
            }
            let joins = |gateway: &&Gateway| {
                gateway.vpcs.contains(vpc) && gateway.vpcs.contains(&carrier.vpc)
            };
            let joined: Vec<&Gateway> = self.topology().gateways.values().filter(joins).collect();
            let peered = joined.iter().any(|one| {
                one.kind == GatewayKind::Peering && one.state.as_deref() == Some("active")
            });
            let maybe = joined.iter().any(|one| {
                (one.kind == GatewayKind::Peering && one.state.is_none())
                    || (one.kind == GatewayKind::Transit && direction == Direction::Ingress)
            });
            if carrier.vpc == *vpc || peered {
                if carrier.addresses.contains(&peer) {
                    // That IPv6 addresses match is not proved.
                    return if peer.is_ipv6() { Unknown } else { Yes };
                }
            } else {
                doubt |= maybe;
            }
        }
        if doubt { Unknown } else { No }
    }
}
