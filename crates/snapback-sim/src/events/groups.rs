//! Security group records (cloudtrail-shapes.md 3).

use super::{guessed, items, tagged, with_tag_specification, wrapped};
use crate::account::{Account, Response, Rule};
use crate::call::{Call, GroupBy, Permission, Revoked, RuleBy};
use serde_json::{Map, Value, json};
use snapback_model::*;

fn named(group: &GroupBy) -> Map<String, Value> {
    let member = match group {
        GroupBy::Id(id) => ("groupId".to_owned(), json!(id)),
        GroupBy::Name(name) => ("groupName".to_owned(), json!(name)),
    };
    Map::from_iter([member])
}

fn described(mut value: Value, description: Option<&String>) -> Value {
    if let (Value::Object(members), Some(text)) = (&mut value, description) {
        members.insert("description".into(), Value::String(text.clone()));
    }
    value
}

fn permission(permission: &Permission) -> Value {
    let (mut groups, mut v4, mut v6, mut lists) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (peer, text) in &permission.peers {
        match peer {
            Peer::Ipv4(net) => {
                v4.push(described(json!({"cidrIp": net.to_string()}), text.as_ref()))
            }
            Peer::Ipv6(net) => v6.push(described(
                json!({"cidrIpv6": net.to_string()}),
                text.as_ref(),
            )),
            Peer::PrefixList(id) => {
                lists.push(described(json!({"prefixListId": id}), text.as_ref()))
            }
            Peer::SecurityGroup { id, owner } => {
                let reference = match owner {
                    Some(owner) => json!({"groupId": id, "userId": owner}),
                    None => json!({"groupId": id}),
                };
                groups.push(described(reference, text.as_ref()));
            }
        }
    }
    let mut item = Map::from_iter([(
        "ipProtocol".to_owned(),
        json!(permission.traffic.protocol_name()),
    )]);
    if let Some((from, to)) = permission.traffic.from_to() {
        item.insert("fromPort".into(), from.into());
        item.insert("toPort".into(), to.into());
    }
    for (key, list) in [
        ("groups", groups),
        ("ipRanges", v4),
        ("ipv6Ranges", v6),
        ("prefixListIds", lists),
    ] {
        item.insert(key.into(), items(list));
    }
    Value::Object(item)
}

fn permissions(body: &mut Map<String, Value>, permissions: &[Permission], short: bool) {
    let single = permissions
        .first()
        .and_then(|item| item.peers.first().map(|(peer, _)| (item.traffic, peer)));
    match single.filter(|_| short) {
        Some((traffic, peer)) => {
            body.insert("ipPermissions".into(), json!({}));
            body.insert("ipProtocol".into(), json!(traffic.protocol_name()));
            if let Some((from, to)) = traffic.from_to() {
                body.insert("fromPort".into(), from.into());
                body.insert("toPort".into(), to.into());
            }
            match peer {
                Peer::SecurityGroup { id, .. } => {
                    body.insert("sourceSecurityGroupName".into(), json!(id))
                }
                Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::PrefixList(_) => {
                    body.insert("cidrIp".into(), json!(peer.to_string()))
                }
            };
        }
        None => {
            body.insert(
                "ipPermissions".into(),
                items(permissions.iter().map(permission).collect()),
            );
        }
    }
}

fn wrapped_peer(peer: &Peer) -> (&'static str, Value) {
    match peer {
        Peer::Ipv4(net) => ("CidrIpv4", json!(net.to_string())),
        Peer::Ipv6(net) => ("CidrIpv6", json!(net.to_string())),
        Peer::PrefixList(id) => ("PrefixListId", json!(id)),
        Peer::SecurityGroup { id, .. } => ("ReferencedGroupId", json!(id)),
    }
}

fn wrapped_traffic(traffic: Traffic) -> Map<String, Value> {
    let mut rule = Map::from_iter([("IpProtocol".to_owned(), guessed(&traffic.protocol_name()))]);
    if let Some((from, to)) = traffic.from_to() {
        rule.insert("FromPort".into(), from.into());
        rule.insert("ToPort".into(), to.into());
    }
    rule
}

fn wrapped_description(rule: &RuleBy, description: Option<&String>) -> Value {
    let text = description.map(|text| guessed(text));
    match rule {
        RuleBy::Id(id) => {
            let mut body = Map::from_iter([("SecurityGroupRuleId".to_owned(), json!(id))]);
            body.extend(text.map(|text| ("Description".to_owned(), text)));
            Value::Object(body)
        }
        RuleBy::Key(key) => {
            let (set, member) = match &key.peer {
                Peer::Ipv4(_) => ("IpRanges", "CidrIp"),
                Peer::Ipv6(_) => ("Ipv6Ranges", "CidrIpv6"),
                Peer::PrefixList(_) => ("PrefixListIds", "PrefixListId"),
                Peer::SecurityGroup { .. } => ("Groups", "GroupId"),
            };
            let (_, id) = wrapped_peer(&key.peer);
            let mut range = Map::from_iter([(member.to_owned(), id)]);
            range.extend(text.map(|text| ("Description".to_owned(), text)));
            let mut body = wrapped_traffic(key.traffic);
            body.insert(set.into(), tagged(vec![Value::Object(range)]));
            Value::Object(body)
        }
    }
}

pub(super) fn request(call: &Call) -> Value {
    match call {
        Call::AuthorizeSecurityGroup {
            group,
            permissions: asked,
            short,
            tags,
            ..
        } => {
            let mut body = named(group);
            permissions(&mut body, asked, *short);
            with_tag_specification(Value::Object(body), "security-group-rule", tags)
        }
        Call::RevokeSecurityGroup { group, rules, .. } => {
            let mut body = named(group);
            match rules {
                Revoked::Ids(ids) => {
                    let ids = ids
                        .iter()
                        .map(|id| json!({"securityGroupRuleId": id}))
                        .collect();
                    body.insert("ipPermissions".into(), json!({}));
                    body.insert("securityGroupRuleIds".into(), items(ids));
                }
                Revoked::Content {
                    permissions: asked,
                    short,
                } => permissions(&mut body, asked, *short),
            }
            Value::Object(body)
        }
        Call::ModifySecurityGroupRules { group, changes } => {
            let rules = changes
                .iter()
                .map(|change| {
                    let mut rule = wrapped_traffic(change.traffic);
                    let (key, value) = wrapped_peer(&change.peer);
                    rule.insert(key.into(), value);
                    rule.extend(
                        change
                            .description
                            .as_ref()
                            .map(|text| ("Description".to_owned(), guessed(text))),
                    );
                    json!({"SecurityGroupRuleId": change.id, "SecurityGroupRule": rule})
                })
                .collect();
            wrapped(
                call.api(),
                "Request",
                json!({"GroupId": group, "SecurityGroupRule": tagged(rules)}),
            )
        }
        Call::UpdateSecurityGroupRuleDescriptions {
            group,
            descriptions,
            ..
        } => {
            let by_id = descriptions
                .iter()
                .any(|(rule, _)| matches!(rule, RuleBy::Id(_)));
            let member = if by_id {
                "SecurityGroupRuleDescription"
            } else {
                "IpPermissions"
            };
            let list = descriptions
                .iter()
                .map(|(rule, text)| wrapped_description(rule, text.as_ref()))
                .collect();
            let name = if matches!(group, GroupBy::Id(_)) {
                "GroupId"
            } else {
                "GroupName"
            };
            let body = Map::from_iter([
                (name.to_owned(), json!(group.as_str())),
                (member.to_owned(), tagged(list)),
            ]);
            wrapped(call.api(), "Request", Value::Object(body))
        }
        Call::CreateSecurityGroup {
            name,
            description,
            vpc,
            tags,
        } => {
            let mut body = json!({"groupName": name, "groupDescription": description});
            if let (Value::Object(members), Some(vpc)) = (&mut body, vpc) {
                members.insert("vpcId".into(), json!(vpc));
            }
            with_tag_specification(body, "security-group", tags)
        }
        Call::DeleteSecurityGroup { group } => Value::Object(named(group)),
        _ => Value::Null,
    }
}

fn rule_item(
    account: &Account,
    group: Option<&SecurityGroupId>,
    id: &SecurityGroupRuleId,
    rule: &Rule,
) -> Map<String, Value> {
    let (from, to) = rule.key.traffic.from_to().unwrap_or((-1, -1));
    let mut item = Map::from_iter([
        ("securityGroupRuleId".to_owned(), json!(id)),
        ("isEgress".to_owned(), json!(rule.key.direction.is_egress())),
        (
            "ipProtocol".to_owned(),
            json!(rule.key.traffic.protocol_name()),
        ),
        ("fromPort".to_owned(), json!(from)),
        ("toPort".to_owned(), json!(to)),
    ]);
    item.extend(group.map(|group| ("groupId".to_owned(), json!(group))));
    item.extend(
        rule.description
            .as_ref()
            .map(|text| ("description".to_owned(), json!(text))),
    );
    let (key, value) = match &rule.key.peer {
        Peer::Ipv4(net) => ("cidrIpv4", json!(net.to_string())),
        Peer::Ipv6(net) => ("cidrIpv6", json!(net.to_string())),
        Peer::PrefixList(list) => ("prefixListId", json!(list)),
        Peer::SecurityGroup { id, owner } => (
            "referencedGroupInfo",
            json!({"groupId": id, "userId": owner.as_ref().unwrap_or(&account.id)}),
        ),
    };
    item.insert(key.into(), value);
    item
}

/// The group that holds a rule which a call just added.
fn holder<'a>(account: &'a Account, id: &SecurityGroupRuleId) -> Option<&'a SecurityGroupId> {
    account
        .groups
        .values()
        .find(|group| group.rules.contains_key(id))
        .map(|group| &group.id)
}

pub(super) fn response(response: &Response, account: &Account, request: &RequestId) -> Value {
    match response {
        Response::Authorized(rules) => {
            let list = rules
                .iter()
                .map(|(id, rule)| {
                    let mut item = rule_item(account, holder(account, id), id, rule);
                    let arn = format!(
                        "arn:aws:ec2:{}:{}:security-group-rule/{id}",
                        account.region, account.id
                    );
                    item.insert("groupOwnerId".into(), json!(account.id));
                    item.insert("securityGroupRuleArn".into(), json!(arn));
                    if !rule.tags.is_empty() {
                        item.insert("tagSet".into(), items(super::tag_items(&rule.tags)));
                    }
                    Value::Object(item)
                })
                .collect();
            json!({"requestId": request, "_return": true, "securityGroupRuleSet": items(list)})
        }
        Response::Revoked {
            group,
            removed,
            unknown,
        } => {
            let mut body = Map::from_iter([
                ("requestId".to_owned(), json!(request)),
                ("_return".to_owned(), json!(true)),
            ]);
            let list: Vec<_> = removed
                .iter()
                .map(|(id, rule)| Value::Object(rule_item(account, Some(group), id, rule)))
                .collect();
            if !list.is_empty() {
                body.insert("revokedSecurityGroupRuleSet".into(), items(list));
            }
            if !unknown.is_empty() {
                let list = unknown
                    .iter()
                    .map(|key| {
                        permission(&Permission {
                            traffic: key.traffic,
                            peers: vec![(key.peer.clone(), None)],
                        })
                    })
                    .collect();
                body.insert("unknownIpPermissionSet".into(), items(list));
            }
            Value::Object(body)
        }
        Response::Group(id) => json!({"requestId": request, "_return": true, "groupId": id}),
        _ => json!({"requestId": request, "_return": true}),
    }
}
