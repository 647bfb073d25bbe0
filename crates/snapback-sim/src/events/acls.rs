//! Network ACL records (cloudtrail-shapes.md 4): all flat.

use super::{items, tag_items, with_tag_specification};
use crate::account::Account;
use crate::call::Call;
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use snapback_model::*;

fn entry(number: u16, direction: Direction, entry: &NetworkAclEntry) -> Map<String, Value> {
    let cidr = if matches!(entry.cidr, IpNet::V4(_)) {
        "cidrBlock"
    } else {
        "ipv6CidrBlock"
    };
    let (mut ports, mut icmp) = (json!({}), json!({}));
    match entry.traffic {
        Traffic::Tcp(range) | Traffic::Udp(range) => {
            ports = json!({"from": range.from(), "to": range.to()})
        }
        Traffic::Icmp(_) | Traffic::Icmpv6(_) => {
            let (kind, code) = entry.traffic.from_to().unwrap_or((-1, -1));
            icmp = json!({"type": kind, "code": code});
        }
        Traffic::All | Traffic::Protocol(_) => {}
    }
    Map::from_iter([
        ("ruleNumber".to_owned(), json!(number)),
        ("egress".to_owned(), json!(direction.is_egress())),
        ("ruleAction".to_owned(), json!(entry.action)),
        (
            "aclProtocol".to_owned(),
            json!(entry.traffic.protocol_number()),
        ),
        (cidr.to_owned(), json!(entry.cidr.to_string())),
        ("icmpTypeCode".to_owned(), icmp),
        ("portRange".to_owned(), ports),
    ])
}

pub(super) fn request(call: &Call) -> Value {
    match call {
        Call::CreateNetworkAclEntry {
            acl,
            key,
            entry: body,
        }
        | Call::ReplaceNetworkAclEntry {
            acl,
            key,
            entry: body,
        } => {
            let mut body = entry(key.number.get(), key.direction, body);
            body.insert("networkAclId".into(), json!(acl));
            Value::Object(body)
        }
        Call::DeleteNetworkAclEntry { acl, key } => {
            json!({"networkAclId": acl, "ruleNumber": key.number.get(), "egress": key.direction.is_egress()})
        }
        Call::ReplaceNetworkAclAssociation { association, acl } => {
            json!({"associationId": association, "networkAclId": acl})
        }
        Call::CreateNetworkAcl { vpc, tags } => {
            with_tag_specification(json!({"vpcId": vpc}), "network-acl", tags)
        }
        Call::DeleteNetworkAcl { acl } => json!({"networkAclId": acl}),
        _ => Value::Null,
    }
}

/// The response of CreateNetworkAcl: the fixed denies are in it.
pub(super) fn created(id: &NetworkAclId, account: &Account, request: &RequestId) -> Value {
    let Some(acl) = account.acls.get(id) else {
        return Value::Null;
    };
    let networks = account.topology.vpcs.get(&acl.vpc).map(|vpc| &vpc.cidrs);
    let has_v6 =
        networks.is_some_and(|networks| networks.iter().any(|net| matches!(net, IpNet::V6(_))));
    let mut entries = Vec::new();
    for direction in [Direction::Egress, Direction::Ingress] {
        let deny = |net: IpNet| NetworkAclEntry::new(RuleAction::Deny, Traffic::All, net);
        entries.push(Value::Object(entry(
            32767,
            direction,
            &deny(IpNet::V4(Default::default())),
        )));
        if has_v6 {
            entries.push(Value::Object(entry(
                32768,
                direction,
                &deny(IpNet::V6(Default::default())),
            )));
        }
    }
    json!({"requestId": request, "networkAcl": {
        "networkAclId": id,
        "vpcId": acl.vpc,
        "isDefault": acl.is_default,
        "entrySet": items(entries),
        "associationSet": {},
        "tagSet": items(tag_items(&acl.tags)),
        "ownerId": account.id,
    }})
}
