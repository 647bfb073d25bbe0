//! Security groups and their rules.

use super::{Ids, Listing, PAGE, shown, tag_list};
use crate::account::{Account, Group, Rule};
use serde_json::{Value, json};
use snapback_model::*;
use std::collections::BTreeMap;

pub(super) const GROUPS: Listing = Listing {
    action: "DescribeSecurityGroups",
    member: "SecurityGroups",
    key: &["GroupId"],
    ids: &[
        Ids {
            parameter: "GroupId",
            member: "GroupId",
            code: "InvalidGroup.NotFound",
            what: "security group",
        },
        Ids {
            parameter: "GroupName",
            member: "GroupName",
            code: "InvalidGroup.NotFound",
            what: "security group",
        },
    ],
    sizes: PAGE,
    filters: &[
        ("description", "Description"),
        ("group-id", "GroupId"),
        ("group-name", "GroupName"),
        ("owner-id", "OwnerId"),
        ("vpc-id", "VpcId"),
        ("ip-permission.cidr", "IpPermissions.IpRanges.CidrIp"),
        ("ip-permission.from-port", "IpPermissions.FromPort"),
        (
            "ip-permission.group-id",
            "IpPermissions.UserIdGroupPairs.GroupId",
        ),
        (
            "ip-permission.ipv6-cidr",
            "IpPermissions.Ipv6Ranges.CidrIpv6",
        ),
        (
            "ip-permission.prefix-list-id",
            "IpPermissions.PrefixListIds.PrefixListId",
        ),
        ("ip-permission.protocol", "IpPermissions.IpProtocol"),
        ("ip-permission.to-port", "IpPermissions.ToPort"),
        (
            "ip-permission.user-id",
            "IpPermissions.UserIdGroupPairs.UserId",
        ),
        (
            "egress.ip-permission.cidr",
            "IpPermissionsEgress.IpRanges.CidrIp",
        ),
        (
            "egress.ip-permission.from-port",
            "IpPermissionsEgress.FromPort",
        ),
        (
            "egress.ip-permission.group-id",
            "IpPermissionsEgress.UserIdGroupPairs.GroupId",
        ),
        (
            "egress.ip-permission.ipv6-cidr",
            "IpPermissionsEgress.Ipv6Ranges.CidrIpv6",
        ),
        (
            "egress.ip-permission.prefix-list-id",
            "IpPermissionsEgress.PrefixListIds.PrefixListId",
        ),
        (
            "egress.ip-permission.protocol",
            "IpPermissionsEgress.IpProtocol",
        ),
        ("egress.ip-permission.to-port", "IpPermissionsEgress.ToPort"),
    ],
    items: groups,
};

pub(super) const RULES: Listing = Listing {
    action: "DescribeSecurityGroupRules",
    member: "SecurityGroupRules",
    key: &["SecurityGroupRuleId"],
    ids: &[Ids {
        parameter: "SecurityGroupRuleId",
        member: "SecurityGroupRuleId",
        code: "InvalidSecurityGroupRuleId.NotFound",
        what: "security group rule",
    }],
    sizes: PAGE,
    filters: &[
        ("group-id", "GroupId"),
        ("security-group-rule-id", "SecurityGroupRuleId"),
    ],
    items: rules,
};

/// The peer of a rule as a permission lists it: the list, and the element.
fn peer(account: &Account, holder: &Group, rule: &Rule) -> (&'static str, Value) {
    let text = &rule.description;
    match &rule.key.peer {
        Peer::Ipv4(net) => (
            "IpRanges",
            json!({"CidrIp": net.to_string(), "Description": text}),
        ),
        Peer::Ipv6(net) => (
            "Ipv6Ranges",
            json!({"CidrIpv6": net.to_string(), "Description": text}),
        ),
        Peer::PrefixList(id) => (
            "PrefixListIds",
            json!({"PrefixListId": id, "Description": text}),
        ),
        Peer::SecurityGroup { id, owner } => {
            let mut pair = reference(account, holder, id, owner.as_ref());
            if let Value::Object(members) = &mut pair {
                members.insert("Description".into(), json!(text));
            }
            ("UserIdGroupPairs", pair)
        }
    }
}

/// A group that a rule names; of one behind a peering EC2 tells where it lives.
fn reference(
    account: &Account,
    holder: &Group,
    id: &SecurityGroupId,
    owner: Option<&AccountId>,
) -> Value {
    let far = account
        .groups
        .get(id)
        .filter(|group| group.vpc != holder.vpc)
        .map(|group| &group.vpc);
    let peering = far.and_then(|vpc| {
        account.topology.gateways.values().find(|gateway| {
            gateway.kind == GatewayKind::Peering
                && gateway.vpcs.contains(vpc)
                && gateway.vpcs.contains(&holder.vpc)
        })
    });
    json!({
        "GroupId": id,
        "UserId": owner.unwrap_or(&account.id),
        "VpcId": far,
        "VpcPeeringConnectionId": peering.map(|gateway| &gateway.id),
        "PeeringStatus": peering.and_then(|gateway| gateway.state.as_ref()),
    })
}

/// Rules of equal traffic share one permission, as EC2 prints them.
fn permissions(account: &Account, group: &Group, direction: Direction) -> Value {
    let mut by_traffic: BTreeMap<Traffic, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
    for rule in group
        .rules
        .values()
        .filter(|rule| rule.key.direction == direction)
    {
        let (list, element) = peer(account, group, rule);
        by_traffic
            .entry(rule.key.traffic)
            .or_default()
            .entry(list)
            .or_default()
            .push(element);
    }
    by_traffic
        .into_iter()
        .map(|(traffic, mut lists)| {
            let ports = traffic.from_to();
            let mut list = |name| lists.remove(name).unwrap_or_default();
            json!({
                "IpProtocol": traffic.protocol_name(),
                "FromPort": ports.map(|(from, _)| from),
                "ToPort": ports.map(|(_, to)| to),
                "IpRanges": list("IpRanges"),
                "Ipv6Ranges": list("Ipv6Ranges"),
                "PrefixListIds": list("PrefixListIds"),
                "UserIdGroupPairs": list("UserIdGroupPairs"),
            })
        })
        .collect()
}

fn arn(account: &Account, kind: &str, id: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{kind}/{id}", account.region, account.id)
}

fn groups(account: &Account) -> Vec<Value> {
    let group = |group: &Group| {
        shown(json!({
            "GroupId": group.id,
            "GroupName": group.name,
            "Description": group.description,
            "OwnerId": account.id,
            "VpcId": group.vpc,
            "SecurityGroupArn": arn(account, "security-group", group.id.as_str()),
            "IpPermissions": permissions(account, group, Direction::Ingress),
            "IpPermissionsEgress": permissions(account, group, Direction::Egress),
            "Tags": tag_list(&group.tags),
        }))
    };
    account.groups.values().map(group).collect()
}

/// One rule under its id.
pub(in crate::wire) fn rule(
    account: &Account,
    group: &Group,
    id: &SecurityGroupRuleId,
    rule: &Rule,
) -> Value {
    let (from, to) = rule.key.traffic.from_to().unwrap_or((-1, -1));
    let (v4, v6, list, referenced) = match &rule.key.peer {
        Peer::Ipv4(net) => (Some(net.to_string()), None, None, None),
        Peer::Ipv6(net) => (None, Some(net.to_string()), None, None),
        Peer::PrefixList(id) => (None, None, Some(id), None),
        Peer::SecurityGroup { id, owner } => {
            let referenced = reference(account, group, id, owner.as_ref());
            (None, None, None, Some(referenced))
        }
    };
    shown(json!({
        "SecurityGroupRuleId": id,
        "GroupId": group.id,
        "GroupOwnerId": account.id,
        "IsEgress": rule.key.direction.is_egress(),
        "IpProtocol": rule.key.traffic.protocol_name(),
        "FromPort": from,
        "ToPort": to,
        "CidrIpv4": v4,
        "CidrIpv6": v6,
        "PrefixListId": list,
        "ReferencedGroupInfo": referenced,
        "Description": rule.description,
        "Tags": tag_list(&rule.tags),
        "SecurityGroupRuleArn": arn(account, "security-group-rule", id.as_str()),
    }))
}

fn rules(account: &Account) -> Vec<Value> {
    let groups = account.groups.values();
    groups
        .flat_map(|group| {
            group
                .rules
                .iter()
                .map(move |(id, held)| rule(account, group, id, held))
        })
        .collect()
}
