//! Prints canonical values as EC2 does: the inverse of the reader, for properties.

use crate::*;
use serde_json::{Map, Value, json};

fn tags(tags: &Tags) -> Value {
    tags.iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

fn ports(traffic: &Traffic) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("IpProtocol".into(), json!(traffic.protocol_name()));
    if let Some((from, to)) = traffic.from_to() {
        members.insert("FromPort".into(), json!(from));
        members.insert("ToPort".into(), json!(to));
    }
    members
}

/// `SecurityGroups[]`, one permission a rule, in the order given.
pub(super) fn group<'a>(group: &SecurityGroup, order: impl Iterator<Item = &'a RuleKey>) -> Value {
    let mut ingress = Vec::new();
    let mut egress = Vec::new();
    for key in order {
        let mut permission = ports(&key.traffic);
        let description = &group.rules[key].description;
        let (list, peer) = match &key.peer {
            Peer::Ipv4(net) => (
                "IpRanges",
                json!({ "CidrIp": net, "Description": description }),
            ),
            Peer::Ipv6(net) => (
                "Ipv6Ranges",
                json!({ "CidrIpv6": net, "Description": description }),
            ),
            Peer::PrefixList(id) => (
                "PrefixListIds",
                json!({ "PrefixListId": id, "Description": description }),
            ),
            Peer::SecurityGroup { id, owner } => {
                let user = owner.as_ref().or(group.owner.as_ref());
                (
                    "UserIdGroupPairs",
                    json!({ "GroupId": id, "UserId": user, "Description": description }),
                )
            }
        };
        permission.insert(list.into(), json!([peer]));
        if key.direction.is_egress() {
            &mut egress
        } else {
            &mut ingress
        }
        .push(Value::Object(permission));
    }
    json!({
        "GroupId": group.id, "GroupName": group.name, "Description": group.description, "OwnerId": group.owner,
        "VpcId": group.vpc, "Tags": tags(group.tags.as_ref().unwrap()),
        "IpPermissions": ingress, "IpPermissionsEgress": egress,
    })
}

/// `SecurityGroupRules[]`: ports -1 for protocols without them.
pub(super) fn rules(group: &SecurityGroup) -> Vec<Value> {
    let rule = |(index, (key, detail)): (usize, (&RuleKey, &RuleDetail))| {
        let (from, to) = key.traffic.from_to().unwrap_or((-1, -1));
        let mut rule = json!({
            "SecurityGroupRuleId": format!("sgr-{index}"), "GroupId": group.id, "GroupOwnerId": group.owner,
            "IsEgress": key.direction.is_egress(), "IpProtocol": key.traffic.protocol_name(),
            "FromPort": from, "ToPort": to, "Tags": tags(detail.tags.as_ref().unwrap()),
        });
        if let Some(text) = &detail.description {
            rule["Description"] = json!(text);
        }
        match &key.peer {
            Peer::Ipv4(net) => rule["CidrIpv4"] = json!(net),
            Peer::Ipv6(net) => rule["CidrIpv6"] = json!(net),
            Peer::PrefixList(id) => rule["PrefixListId"] = json!(id),
            Peer::SecurityGroup { id, owner } => {
                let user = owner.as_ref().or(group.owner.as_ref());
                rule["ReferencedGroupInfo"] = json!({ "GroupId": id, "UserId": user });
            }
        }
        rule
    };
    group.rules.iter().enumerate().map(rule).collect()
}

/// `NetworkAcls[]`, the fixed denies included.
pub(super) fn acl(acl: &NetworkAcl) -> Value {
    let entry = |(key, entry): (&EntryKey, &NetworkAclEntry)| {
        let mut shape = json!({
            "RuleNumber": key.number.get(), "Egress": key.direction.is_egress(), "RuleAction": entry.action,
            "Protocol": entry.traffic.protocol_number(),
        });
        let family = if entry.cidr.addr().is_ipv4() {
            "CidrBlock"
        } else {
            "Ipv6CidrBlock"
        };
        shape[family] = json!(entry.cidr);
        if let Some((from, to)) = entry.traffic.from_to() {
            match entry.traffic {
                Traffic::Icmp(_) | Traffic::Icmpv6(_) => {
                    shape["IcmpTypeCode"] = json!({ "Type": from, "Code": to })
                }
                _ => shape["PortRange"] = json!({ "From": from, "To": to }),
            }
        }
        shape
    };
    let fixed = [(32767, true, "CidrBlock", "0.0.0.0/0"), (32768, false, "Ipv6CidrBlock", "::/0")].map(
        |(number, egress, family, cidr)| {
            json!({ "RuleNumber": number, "Egress": egress, "RuleAction": "deny", "Protocol": "-1", family: cidr })
        },
    );
    let associations = acl.subnets.iter().map(|subnet| {
        json!({ "NetworkAclAssociationId": format!("aclassoc-{subnet}"), "NetworkAclId": acl.id, "SubnetId": subnet })
    });
    json!({
        "NetworkAclId": acl.id, "VpcId": acl.vpc, "OwnerId": acl.owner, "IsDefault": acl.is_default,
        "Tags": tags(&acl.tags), "Entries": acl.entries.iter().map(entry).chain(fixed).collect::<Vec<_>>(),
        "Associations": associations.collect::<Vec<_>>(),
    })
}

/// `RouteTables[]`.
pub(super) fn table(table: &RouteTable) -> Value {
    let route = |(destination, route): (&Destination, &Route)| {
        let target = match &route.target {
            RouteTarget::Local
            | RouteTarget::InternetGateway(_)
            | RouteTarget::VpnGateway(_)
            | RouteTarget::GatewayEndpoint(_)
            | RouteTarget::GatewayLoadBalancerEndpoint(_) => "GatewayId",
            RouteTarget::NatGateway(_) => "NatGatewayId",
            RouteTarget::EgressOnlyInternetGateway(_) => "EgressOnlyInternetGatewayId",
            RouteTarget::NetworkInterface(_) => "NetworkInterfaceId",
            RouteTarget::VpcPeeringConnection(_) => "VpcPeeringConnectionId",
            RouteTarget::TransitGateway(_) => "TransitGatewayId",
            RouteTarget::CarrierGateway(_) => "CarrierGatewayId",
            RouteTarget::LocalGateway(_) => "LocalGatewayId",
            RouteTarget::CoreNetwork(_) => "CoreNetworkArn",
            RouteTarget::Unrecognized(_) => "InstanceId",
        };
        let from = match destination {
            Destination::Ipv4(_) => "DestinationCidrBlock",
            Destination::Ipv6(_) => "DestinationIpv6CidrBlock",
            Destination::PrefixList(_) => "DestinationPrefixListId",
        };
        let origin = match route.origin {
            RouteOrigin::Table => "CreateRouteTable",
            RouteOrigin::Created => "CreateRoute",
            RouteOrigin::Propagated => "EnableVgwRoutePropagation",
        };
        let state = if route.blackhole {
            "blackhole"
        } else {
            "active"
        };
        json!({ from: destination, target: route.target.id(), "Origin": origin, "State": state })
    };
    let association = |member: &str, id: &str| {
        json!({
            "RouteTableAssociationId": format!("rtbassoc-{id}"), "RouteTableId": table.id, "Main": member == "Main",
            member: id, "AssociationState": { "State": "associated" },
        })
    };
    let mut associations: Vec<Value> = Vec::new();
    associations.extend(
        table
            .subnets
            .iter()
            .map(|subnet| association("SubnetId", subnet.as_str())),
    );
    associations.extend(
        table
            .gateways
            .iter()
            .map(|gateway| association("GatewayId", gateway.as_str())),
    );
    if table.main {
        associations.push(json!({ "RouteTableAssociationId": "rtbassoc-main", "Main": true }));
    }
    let propagating: Vec<Value> = table
        .propagating
        .iter()
        .map(|id| json!({ "GatewayId": id }))
        .collect();
    json!({
        "RouteTableId": table.id, "VpcId": table.vpc, "OwnerId": table.owner, "Tags": tags(&table.tags),
        "Routes": table.routes.iter().map(route).collect::<Vec<_>>(), "Associations": associations,
        "PropagatingVgws": propagating,
    })
}
