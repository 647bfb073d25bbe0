//! Network ACLs from describe-network-acls.

use super::reading::{Reading, said};
use super::shape;
use crate::{
    AssociationHandle, AssociationSubject, Direction, EntryKey, Handles, Kind, NetworkAcl,
    NetworkAclEntry, NetworkAclId, ResourceId, RuleAction, RuleNumber, SubnetId, Traffic,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// Numbers of the fixed denies, IPv4 and IPv6 (semantics A3).
const FIXED: [i64; 2] = [32767, 32768];

/// One ACL in canonical form.
pub(super) fn network_acl(
    described: &shape::NetworkAcl,
    reading: &mut Reading<'_>,
) -> Option<(NetworkAcl, Handles)> {
    reading.members("", described);
    let id = reading.guarded("NetworkAclId", &described.network_acl_id, Kind::NetworkAcl)?;
    let Some(vpc) = said(&described.vpc_id) else {
        reading.tell("VpcId", "null");
        return None;
    };
    let id = NetworkAclId::from(id.as_str());
    let mut entries: BTreeMap<EntryKey, NetworkAclEntry> = BTreeMap::new();
    for (index, entry) in described.entries.iter().enumerate() {
        let path = format!("Entries[{index}]");
        let Some((key, entry)) = self::entry(&path, entry, reading) else {
            continue;
        };
        if entries.get(&key).is_some_and(|before| *before != entry) {
            reading.tell(path, format!("{key} is there twice: {entry}"));
        } else {
            entries.insert(key, entry);
        }
    }
    let (subnets, handles) = associations(&id, &described.associations, reading);
    let acl = NetworkAcl {
        id,
        vpc: vpc.into(),
        owner: said(&described.owner_id).map(Into::into),
        is_default: described.is_default.unwrap_or(false),
        tags: reading.tags(&described.tags),
        entries,
        subnets,
    };
    Some((acl, handles))
}

fn associations(
    acl: &NetworkAclId,
    described: &[shape::NetworkAclAssociation],
    reading: &mut Reading<'_>,
) -> (BTreeSet<SubnetId>, Handles) {
    let mut subnets = BTreeSet::new();
    let mut handles = Handles::default();
    for (index, association) in described.iter().enumerate() {
        let path = format!("Associations[{index}]");
        reading.members(&path, association);
        let Some(subnet) = said(&association.subnet_id).map(SubnetId::from) else {
            reading.tell(format!("{path}.SubnetId"), "null");
            continue;
        };
        if let Some(id) = said(&association.network_acl_association_id) {
            let resource = ResourceId::from(acl.clone());
            let subject = AssociationSubject::Subnet(subnet.clone());
            handles
                .associations
                .insert(id.into(), AssociationHandle { resource, subject });
        }
        subnets.insert(subnet);
    }
    (subnets, handles)
}

fn entry(
    path: &str,
    described: &shape::NetworkAclEntry,
    reading: &mut Reading<'_>,
) -> Option<(EntryKey, NetworkAclEntry)> {
    reading.members(path, described);
    if described
        .rule_number
        .is_some_and(|number| FIXED.contains(&number))
    {
        return None;
    }
    let Some(number) = described.rule_number.and_then(RuleNumber::new) else {
        reading.tell(
            format!("{path}.RuleNumber"),
            format!("{:?}", described.rule_number),
        );
        return None;
    };
    let Some(egress) = described.egress else {
        reading.tell(format!("{path}.Egress"), "null");
        return None;
    };
    let action = match described.rule_action.as_deref() {
        Some("allow") => RuleAction::Allow,
        Some("deny") => RuleAction::Deny,
        other => {
            reading.tell(format!("{path}.RuleAction"), other.unwrap_or("null"));
            return None;
        }
    };
    let cidr: IpNet = match (
        said(&described.cidr_block),
        said(&described.ipv6_cidr_block),
    ) {
        (Some(cidr), None) => reading.parse(&format!("{path}.CidrBlock"), cidr)?,
        (None, Some(cidr)) => reading.parse(&format!("{path}.Ipv6CidrBlock"), cidr)?,
        (first, _) => {
            reading.tell(
                format!("{path}.CidrBlock"),
                if first.is_some() {
                    "two networks"
                } else {
                    "no network"
                },
            );
            return None;
        }
    };
    let traffic = traffic(path, described, &cidr, reading)?;
    Some((
        EntryKey {
            direction: Direction::from_egress(egress),
            number,
        },
        NetworkAclEntry::new(action, traffic, cidr),
    ))
}

/// Ports of tcp and udp, type and code of ICMP. ICMPv6 with an IPv4 network matches every type (semantics A3).
fn traffic(
    path: &str,
    described: &shape::NetworkAclEntry,
    cidr: &IpNet,
    reading: &mut Reading<'_>,
) -> Option<Traffic> {
    let protocol = described.protocol.as_deref().unwrap_or_default();
    if let Some(ports) = &described.port_range {
        reading.members(&format!("{path}.PortRange"), ports);
    }
    if let Some(icmp) = &described.icmp_type_code {
        reading.members(&format!("{path}.IcmpTypeCode"), icmp);
    }
    let icmp = described
        .icmp_type_code
        .as_ref()
        .map(|icmp| (icmp.r#type, icmp.code));
    let ports = described
        .port_range
        .as_ref()
        .map(|ports| (ports.from, ports.to));
    let (from, to) = match protocol {
        "58" | "icmpv6" if matches!(cidr, IpNet::V4(_)) => (None, None),
        "1" | "icmp" | "58" | "icmpv6" => icmp.unwrap_or_default(),
        _ => ports.unwrap_or_default(),
    };
    Traffic::new(protocol, from, to)
        .map_err(|error| reading.tell(format!("{path}.Protocol"), error))
        .ok()
}
