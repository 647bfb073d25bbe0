//! What an ACL as a whole stops that belongs to what it lets pass: replies, path MTU discovery, the
//! other end of a path, IPv6 (semantics A3, D).

use super::super::world::World;
use super::{mirror, replies};
use crate::finding::{FindingCode, Severity};
use crate::impact::traffic_lines;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use snapback_reach::{Family, PacketSet};

/// Something that an ACL lets pass in one way and stops in another.
pub(in super::super) struct Gap {
    pub(in super::super) code: FindingCode,
    pub(in super::super) severity: Severity,
    /// What is stopped and should not be.
    pub(super) ingress: PacketSet,
    pub(super) egress: PacketSet,
    pub(in super::super) meaning: String,
    pub(in super::super) evidence: Vec<String>,
}

impl Gap {
    pub(super) fn missing(&self, direction: Direction) -> &PacketSet {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    pub(super) fn is_about_replies(&self) -> bool {
        matches!(
            self.code,
            FindingCode::NaclEphemeralIn | FindingCode::NaclEphemeralOut
        )
    }
}

/// Whether evidence is wanted, or only what is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Evidence {
    Wanted,
    Unwanted,
}

/// The gaps of an ACL. One without subnets stops nothing.
pub(in super::super) fn gaps(world: &World<'_>, acl: &NetworkAcl, evidence: Evidence) -> Vec<Gap> {
    if acl.subnets.is_empty() {
        return Vec::new();
    }
    let Some((ingress, egress)) = world.acl_sets(&acl.id) else {
        return Vec::new();
    };
    let mut gaps = replies::gaps(world, acl, (ingress, egress), evidence);
    gaps.extend(pmtud(ingress, egress));
    gaps.extend(default_v6(world, acl, (ingress, egress)));
    gaps.extend(mirror::gap(world, acl, (ingress, egress)));
    gaps
}

/// Every address of a family.
pub(super) fn everyone(family: Family) -> IpNet {
    match family {
        Family::V4 => IpNet::V4(Ipv4Net::default()),
        Family::V6 => IpNet::V6(Ipv6Net::default()),
    }
}

/// NACL-PMTUD: hosts that may talk TCP do not get "too big" (ICMP 3/4, ICMPv6 type 2), or cannot
/// send it. Connections open, then large packets vanish.
fn pmtud(ingress: &PacketSet, egress: &PacketSet) -> Option<Gap> {
    let mut needed = PacketSet::empty();
    for family in Family::ALL {
        let tcp = PacketSet::of(&Traffic::Tcp(PortRange::ALL), everyone(family));
        let peers = ingress.union(egress).intersection(&tcp).peers();
        let too_big = match family {
            Family::V4 => Traffic::Icmp(IcmpMatch::TypeCode(3, 4)),
            Family::V6 => Traffic::Icmpv6(IcmpMatch::Type(2)),
        };
        needed = needed.union(&PacketSet::of_peers(&too_big, &peers));
    }
    let (no_in, no_out) = (needed.difference(ingress), needed.difference(egress));
    if no_in.is_empty() && no_out.is_empty() {
        return None;
    }
    let lines = traffic_lines(Direction::Ingress, &no_in)
        .into_iter()
        .chain(traffic_lines(Direction::Egress, &no_out));
    let evidence = lines.map(|line| format!("denied: {line}")).collect();
    Some(Gap {
        code: FindingCode::NaclPmtud,
        severity: Severity::Medium,
        ingress: no_in,
        egress: no_out,
        meaning: "the messages by which hosts learn that a packet is too big (ICMP type 3 code 4, ICMPv6 type 2) do \
                  not pass both ways: connections open and then hang where a path takes smaller packets"
            .to_owned(),
        evidence,
    })
}

/// NACL-DEFAULT-V6: AWS adds its IPv6 allows to a default ACL only where nobody has changed it.
fn default_v6(
    world: &World<'_>,
    acl: &NetworkAcl,
    (ingress, egress): (&PacketSet, &PacketSet),
) -> Option<Gap> {
    let is_v6 = |network: &IpNet| matches!(network, IpNet::V6(_));
    let vpc = world.topology.vpcs.get(&acl.vpc)?;
    if !acl.is_default || !vpc.cidrs.iter().any(is_v6) {
        return None;
    }
    let all = PacketSet::of(&Traffic::All, everyone(Family::V6));
    if ingress.intersects(&all) || egress.intersects(&all) {
        return None;
    }
    let with_v6: Vec<String> = acl
        .subnets
        .iter()
        .filter(|id| {
            let subnet = world.topology.subnets.get(*id);
            subnet.is_some_and(|subnet| subnet.cidrs.iter().any(is_v6))
        })
        .map(|id| format!("{id} has IPv6 addresses"))
        .collect();
    let networks = vpc.cidrs.iter().filter(|network| is_v6(network));
    Some(Gap {
        code: FindingCode::NaclDefaultV6,
        severity: Severity::Medium,
        ingress: all.clone(),
        egress: all,
        meaning: format!(
            "{} has IPv6, and its default ACL lets none of it pass: AWS adds the IPv6 entries only to a default ACL \
             that nobody has changed",
            acl.vpc
        ),
        evidence: networks
            .map(|network| format!("network {network} of the VPC"))
            .chain(with_v6)
            .collect(),
    })
}
