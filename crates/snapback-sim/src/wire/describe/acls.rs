//! Network ACLs.

use super::{Ids, Listing, PAGE, shown, tag_list};
use crate::account::{Account, Acl};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::{Value, json};
use snapback_model::*;

pub(super) const ACLS: Listing = Listing {
    action: "DescribeNetworkAcls",
    member: "NetworkAcls",
    key: &["NetworkAclId"],
    ids: &[Ids {
        parameter: "NetworkAclId",
        member: "NetworkAclId",
        code: "InvalidNetworkAclID.NotFound",
        what: "networkAcl",
    }],
    sizes: PAGE,
    filters: &[
        (
            "association.association-id",
            "Associations.NetworkAclAssociationId",
        ),
        ("association.network-acl-id", "Associations.NetworkAclId"),
        ("association.subnet-id", "Associations.SubnetId"),
        ("default", "IsDefault"),
        ("entry.cidr", "Entries.CidrBlock"),
        ("entry.egress", "Entries.Egress"),
        ("entry.icmp.code", "Entries.IcmpTypeCode.Code"),
        ("entry.icmp.type", "Entries.IcmpTypeCode.Type"),
        ("entry.ipv6-cidr", "Entries.Ipv6CidrBlock"),
        ("entry.port-range.from", "Entries.PortRange.From"),
        ("entry.port-range.to", "Entries.PortRange.To"),
        ("entry.protocol", "Entries.Protocol"),
        ("entry.rule-action", "Entries.RuleAction"),
        ("entry.rule-number", "Entries.RuleNumber"),
        ("network-acl-id", "NetworkAclId"),
        ("owner-id", "OwnerId"),
        ("vpc-id", "VpcId"),
    ],
    items: acls,
};

fn entry(number: u32, direction: Direction, entry: &NetworkAclEntry) -> Value {
    let (v4, v6) = match entry.cidr {
        IpNet::V4(net) => (Some(net.to_string()), None),
        IpNet::V6(net) => (None, Some(net.to_string())),
    };
    let pair = entry.traffic.from_to();
    let (icmp, ports) = match entry.traffic {
        Traffic::Icmp(_) | Traffic::Icmpv6(_) => (
            pair.map(|(kind, code)| json!({"Type": kind, "Code": code})),
            None,
        ),
        Traffic::All | Traffic::Tcp(_) | Traffic::Udp(_) | Traffic::Protocol(_) => {
            (None, pair.map(|(from, to)| json!({"From": from, "To": to})))
        }
    };
    json!({
        "RuleNumber": number,
        "Egress": direction.is_egress(),
        "RuleAction": entry.action,
        "Protocol": entry.traffic.protocol_number(),
        "CidrBlock": v4,
        "Ipv6CidrBlock": v6,
        "IcmpTypeCode": icmp,
        "PortRange": ports,
    })
}

/// The denies that end every list: 32767, and 32768 where the VPC has IPv6 (semantics A3).
fn fixed(account: &Account, acl: &Acl) -> Vec<(u32, NetworkAclEntry)> {
    let deny = |net| NetworkAclEntry::new(RuleAction::Deny, Traffic::All, net);
    let has_v6 = account.topology.vpcs.get(&acl.vpc).is_some_and(|vpc| {
        let mut networks = vpc.cidrs.iter();
        networks.any(|net| matches!(net, IpNet::V6(_)))
    });
    let mut fixed = vec![(32767, deny(IpNet::V4(Ipv4Net::default())))];
    fixed.extend(has_v6.then(|| (32768, deny(IpNet::V6(Ipv6Net::default())))));
    fixed
}

fn entries(account: &Account, acl: &Acl) -> Value {
    let mut list = Vec::new();
    for direction in [Direction::Egress, Direction::Ingress] {
        let own = acl
            .entries
            .iter()
            .filter(|(key, _)| key.direction == direction);
        list.extend(own.map(|(key, held)| entry(key.number.get().into(), direction, held)));
        let fixed = fixed(account, acl);
        list.extend(
            fixed
                .iter()
                .map(|(number, held)| entry(*number, direction, held)),
        );
    }
    Value::Array(list)
}

/// One ACL.
pub(in crate::wire) fn acl(account: &Account, acl: &Acl) -> Value {
    let associations: Vec<_> = acl
        .associations
        .iter()
        .map(|(id, subnet)| {
            json!({"NetworkAclAssociationId": id, "NetworkAclId": acl.id, "SubnetId": subnet})
        })
        .collect();
    shown(json!({
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc,
        "OwnerId": account.id,
        "IsDefault": acl.is_default,
        "Entries": entries(account, acl),
        "Associations": associations,
        "Tags": tag_list(&acl.tags),
    }))
}

fn acls(account: &Account) -> Vec<Value> {
    account
        .acls
        .values()
        .map(|held| acl(account, held))
        .collect()
}
