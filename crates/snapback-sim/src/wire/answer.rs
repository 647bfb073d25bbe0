//! What a successful write answers, in the SDK's member names.

use super::describe;
use crate::account::{Account, Response, Rule};
use crate::call::{Call, Provide};
use serde_json::{Map, Value, json};
use snapback_model::*;

/// The members of the answer beside `requestId`.
pub(super) fn body(call: &Call, response: &Response, account: &Account) -> Value {
    match call {
        Call::Idempotent { token, call } => {
            let mut body = body(call, response, account);
            if let Value::Object(members) = &mut body {
                members.insert("ClientToken".into(), json!(token));
            }
            body
        }
        Call::Provide(provide) => provided(provide, response, account),
        Call::DeleteSecurityGroup { group } => json!({"Return": true, "GroupId": group.as_str()}),
        Call::ReplaceNetworkAclAssociation { .. } => match response {
            Response::Association(id) => json!({"NewAssociationId": id}),
            _ => json!({"Return": true}),
        },
        Call::ReplaceRouteTableAssociation { .. } => associated("NewAssociationId", response),
        Call::AssociateRouteTable { .. } => associated("AssociationId", response),
        _ => made(response, account),
    }
}

fn associated(member: &str, response: &Response) -> Value {
    match response {
        Response::Association(id) => {
            json!({ member: id, "AssociationState": {"State": "associated"} })
        }
        _ => json!({"Return": true}),
    }
}

/// The answer that shows what was made.
fn made(response: &Response, account: &Account) -> Value {
    match response {
        Response::Authorized(rules) => {
            let shown = rules.iter().map(|(id, rule)| {
                let holder = account
                    .groups
                    .values()
                    .find(|group| group.rules.contains_key(id));
                holder.map_or(Value::Null, |group| {
                    describe::rule(account, group, id, rule)
                })
            });
            json!({"Return": true, "SecurityGroupRules": shown.collect::<Value>()})
        }
        Response::Revoked {
            group,
            removed,
            unknown,
        } => revoked(group, removed, unknown),
        Response::Group(id) => {
            let tags = account.groups.get(id).map(|group| group.tags.clone());
            json!({
                "Return": true,
                "GroupId": id,
                "SecurityGroupArn": format!("arn:aws:ec2:{}:{}:security-group/{id}", account.region, account.id),
                "Tags": describe::tag_list(&tags.unwrap_or_default()),
            })
        }
        Response::Acl(id) => {
            let held = account.acls.get(id);
            json!({"NetworkAcl": held.map(|held| describe::acl(account, held))})
        }
        Response::Table(id) => {
            let held = account.tables.get(id);
            json!({"RouteTable": held.map(|held| describe::table(account, held))})
        }
        Response::Subnet(id) => {
            let held = account.topology.subnets.get(id);
            json!({"Subnet": held.map(|held| describe::subnet(account, held))})
        }
        Response::Interface(id) => {
            let held = account.topology.interfaces.get(id);
            json!({"NetworkInterface": held.map(|held| describe::interface(account, held))})
        }
        // A gateway on its way out is named, a new one shown.
        Response::Nat(id) => {
            let state = account.topology.gateways.get(id);
            match state.and_then(|gateway| gateway.state.as_deref()) {
                Some("pending" | "available") => {
                    json!({"NatGateway": describe::gateway(account, id)})
                }
                _ => json!({"NatGatewayId": id}),
            }
        }
        Response::PrefixList { id, .. } => {
            let held = account.topology.prefix_lists.get(id);
            json!({"PrefixList": held.map(|held| describe::list(account, held))})
        }
        Response::Done
        | Response::Association(_)
        | Response::Vpc(_)
        | Response::Gateway(_)
        | Response::Address(_)
        | Response::FlowLogs(_) => json!({"Return": true}),
    }
}

fn revoked(
    group: &SecurityGroupId,
    removed: &[(SecurityGroupRuleId, Rule)],
    unknown: &[RuleKey],
) -> Value {
    let mut body = Map::from_iter([("Return".to_owned(), json!(true))]);
    if !removed.is_empty() {
        let shown = removed
            .iter()
            .map(|(id, rule)| revoked_rule(group, id, rule));
        body.insert("RevokedSecurityGroupRules".into(), shown.collect());
    }
    if !unknown.is_empty() {
        let shown = unknown.iter().map(unknown_permission);
        body.insert("UnknownIpPermissions".into(), shown.collect());
    }
    Value::Object(body)
}

fn revoked_rule(group: &SecurityGroupId, id: &SecurityGroupRuleId, rule: &Rule) -> Value {
    let (from, to) = rule.key.traffic.from_to().unwrap_or((-1, -1));
    let (member, peer) = match &rule.key.peer {
        Peer::Ipv4(net) => ("CidrIpv4", net.to_string()),
        Peer::Ipv6(net) => ("CidrIpv6", net.to_string()),
        Peer::PrefixList(list) => ("PrefixListId", list.to_string()),
        Peer::SecurityGroup { id, .. } => ("ReferencedGroupId", id.to_string()),
    };
    describe::shown(json!({
        "SecurityGroupRuleId": id,
        "GroupId": group,
        "IsEgress": rule.key.direction.is_egress(),
        "IpProtocol": rule.key.traffic.protocol_name(),
        "FromPort": from,
        "ToPort": to,
        member: peer,
        "Description": rule.description,
    }))
}

fn unknown_permission(key: &RuleKey) -> Value {
    let ports = key.traffic.from_to();
    let (list, peer) = match &key.peer {
        Peer::Ipv4(net) => ("IpRanges", json!({"CidrIp": net.to_string()})),
        Peer::Ipv6(net) => ("Ipv6Ranges", json!({"CidrIpv6": net.to_string()})),
        Peer::PrefixList(id) => ("PrefixListIds", json!({"PrefixListId": id})),
        Peer::SecurityGroup { id, .. } => ("UserIdGroupPairs", json!({"GroupId": id})),
    };
    describe::shown(json!({
        "IpProtocol": key.traffic.protocol_name(),
        "FromPort": ports.map(|(from, _)| from),
        "ToPort": ports.map(|(_, to)| to),
        list: [peer],
    }))
}

fn provided(provide: &Provide, response: &Response, account: &Account) -> Value {
    let gateway = |member: &str, id: &str| json!({ member: describe::gateway(account, id) });
    match (provide, response) {
        (_, Response::Vpc(id)) => {
            let held = account.topology.vpcs.get(id);
            json!({"Vpc": held.map(|held| describe::vpc(account, held))})
        }
        (Provide::CreateInternetGateway { .. }, Response::Gateway(id)) => {
            gateway("InternetGateway", id)
        }
        (Provide::CreateEgressOnlyInternetGateway { .. }, Response::Gateway(id)) => {
            gateway("EgressOnlyInternetGateway", id)
        }
        (Provide::CreateVpnGateway { .. }, Response::Gateway(id)) => gateway("VpnGateway", id),
        (Provide::AttachVpnGateway { vpc, .. }, _) => {
            json!({"VpcAttachment": {"VpcId": vpc, "State": "attached"}})
        }
        (
            Provide::CreateVpcPeeringConnection { .. } | Provide::AcceptVpcPeeringConnection { .. },
            Response::Gateway(id),
        ) => gateway("VpcPeeringConnection", id),
        (Provide::CreateVpcEndpoint(_), Response::Gateway(id)) => gateway("VpcEndpoint", id),
        (_, Response::Address(id)) => {
            let held = account.addresses.get(id);
            json!({
                "AllocationId": id,
                "PublicIp": held.map(|held| held.public),
                "Domain": "vpc",
                "NetworkBorderGroup": account.region,
                "PublicIpv4Pool": "amazon",
            })
        }
        (Provide::DeleteManagedPrefixList { .. }, Response::PrefixList { id, version }) => {
            json!({"PrefixList": {"PrefixListId": id, "Version": version, "State": "delete-in-progress"}})
        }
        (_, Response::FlowLogs(ids)) => json!({"FlowLogIds": ids, "Unsuccessful": []}),
        (Provide::DeleteFlowLogs { .. } | Provide::DeleteVpcEndpoints { .. }, _) => {
            json!({"Unsuccessful": []})
        }
        (Provide::ModifyVpcBlockPublicAccessOptions { .. }, _) => {
            describe::block_public_access(account)
        }
        (_, other) => made(other, account),
    }
}
