//! The parameters of a call as `aws ec2 … --cli-input-json` and boto3 take them.

use super::{Action, NatRequest};
use serde_json::{Map, Value, json};
use snapback_model::*;
use std::collections::BTreeMap;

impl Action {
    /// The parameters as the AWS CLI (`--cli-input-json`) and boto3 take them. Association ids come
    /// from `handles`; where they are not known yet, the string `<association of subnet-…>` stands.
    /// Names are those of the EC2 API reference; rules of one protocol and port range share one
    /// `IpPermission`, as EC2 itself prints them.
    pub fn parameters(&self, handles: &Handles) -> Value {
        match self {
            Self::AuthorizeSecurityGroupRules { group, rules, .. } => authorize(group, rules),
            Self::RevokeSecurityGroupRules { group, rules, .. } => revoke(group, rules),
            Self::ModifySecurityGroupRule {
                group,
                id,
                to,
                description,
                ..
            } => json!({
                "GroupId": group,
                "SecurityGroupRules": [{
                    "SecurityGroupRuleId": id,
                    "SecurityGroupRule": rule_request(to, description.as_deref()),
                }],
            }),
            Self::UpdateSecurityGroupRuleDescriptions { group, rules, .. } => json!({
                "GroupId": group,
                "IpPermissions": permissions(rules.iter().map(|(key, text)| (key, text.as_deref()))),
            }),
            Self::CreateNetworkAclEntry { acl, key, entry }
            | Self::ReplaceNetworkAclEntry {
                acl, key, entry, ..
            } => acl_entry(acl, *key, entry),
            Self::DeleteNetworkAclEntry { acl, key, .. } => {
                json!({ "NetworkAclId": acl, "RuleNumber": key.number.get(), "Egress": key.direction.is_egress() })
            }
            Self::ReplaceNetworkAclAssociation { subnet, acl, .. } => json!({
                "AssociationId": association(Kind::NetworkAcl, &AssociationSubject::Subnet(subnet.clone()), handles),
                "NetworkAclId": acl,
            }),
            Self::CreateRoute {
                table,
                destination,
                target,
            }
            | Self::ReplaceRoute {
                table,
                destination,
                target,
                ..
            } => route(table, destination, Some(target)),
            Self::DeleteRoute {
                table, destination, ..
            } => route(table, destination, None),
            Self::AssociateRouteTable { table, subject } => match subject {
                AssociationSubject::Subnet(subnet) => {
                    json!({ "RouteTableId": table, "SubnetId": subnet })
                }
                AssociationSubject::Gateway(gateway) => {
                    json!({ "RouteTableId": table, "GatewayId": gateway })
                }
                AssociationSubject::Main(_) => json!({ "RouteTableId": table }),
            },
            Self::ReplaceRouteTableAssociation { subject, table, .. } => json!({
                "AssociationId": association(Kind::RouteTable, subject, handles),
                "RouteTableId": table,
            }),
            Self::DisassociateRouteTable { subject, .. } => {
                json!({ "AssociationId": association(Kind::RouteTable, subject, handles) })
            }
            Self::EnableVgwRoutePropagation { table, gateway }
            | Self::DisableVgwRoutePropagation { table, gateway } => {
                json!({ "RouteTableId": table, "GatewayId": gateway })
            }
            Self::CreateTags { target, tags } | Self::DeleteTags { target, tags } => {
                json!({ "Resources": [target], "Tags": tag_list(tags) })
            }
            Self::CreateSecurityGroup {
                name,
                description,
                vpc,
                tags,
                ..
            } => {
                let mut parameters = born_in(vpc, "security-group", tags, None);
                parameters.insert("GroupName".into(), json!(name));
                parameters.insert("Description".into(), json!(description));
                Value::Object(parameters)
            }
            Self::CreateNetworkAcl {
                vpc, tags, token, ..
            } => Value::Object(born_in(vpc, "network-acl", tags, token.as_deref())),
            Self::CreateRouteTable {
                vpc, tags, token, ..
            } => Value::Object(born_in(vpc, "route-table", tags, token.as_deref())),
            Self::CreateNatGateway { request, .. } => nat_gateway(request),
            Self::AssociateNatGatewayAddress { gateway, addresses } => {
                let mut parameters = Map::new();
                parameters.insert("NatGatewayId".into(), json!(gateway));
                parameters.insert(
                    "AllocationIds".into(),
                    json!(addresses.keys().collect::<Vec<_>>()),
                );
                // EC2 takes one for each allocation, or none.
                if let Some(private) = addresses.values().copied().collect::<Option<Vec<_>>>() {
                    parameters.insert("PrivateIpAddresses".into(), json!(private));
                }
                Value::Object(parameters)
            }
            Self::AssignPrivateNatGatewayAddress { gateway, addresses } => {
                json!({ "NatGatewayId": gateway, "PrivateIpAddresses": addresses })
            }
            Self::DeleteNetworkAcl { acl } => json!({ "NetworkAclId": acl }),
            Self::DeleteRouteTable { table } => json!({ "RouteTableId": table }),
            Self::ModifyVpcEndpoint {
                endpoint,
                add,
                remove,
            } => {
                let mut parameters = Map::new();
                parameters.insert("VpcEndpointId".into(), json!(endpoint));
                for (member, tables) in [("AddRouteTableIds", add), ("RemoveRouteTableIds", remove)]
                {
                    if !tables.is_empty() {
                        parameters.insert(member.into(), json!(tables));
                    }
                }
                Value::Object(parameters)
            }
        }
    }
}

/// What the calls that make a resource of a VPC share.
fn born_in(vpc: &VpcId, kind: &str, tags: &Tags, token: Option<&str>) -> Map<String, Value> {
    let mut parameters = Map::new();
    parameters.insert("VpcId".into(), json!(vpc));
    if let Some(token) = token {
        parameters.insert("ClientToken".into(), json!(token));
    }
    if !tags.is_empty() {
        let specification = json!([{ "ResourceType": kind, "Tags": tag_list(tags) }]);
        parameters.insert("TagSpecifications".into(), specification);
    }
    parameters
}

fn nat_gateway(request: &NatRequest) -> Value {
    let mut parameters = born_in(
        &request.vpc,
        "natgateway",
        &request.tags,
        request.token.as_deref(),
    );
    let connectivity = match request.connectivity {
        Connectivity::Public => "public",
        Connectivity::Private => "private",
    };
    parameters.insert("ConnectivityType".into(), json!(connectivity));
    match &request.subnet {
        Some(subnet) => {
            // A zonal gateway is placed by its subnet alone.
            parameters.remove("VpcId");
            parameters.insert("SubnetId".into(), json!(subnet));
        }
        None => {
            let zones = request.zones.iter().map(|(zone, allocations)| {
                json!({ "AvailabilityZone": zone, "AllocationIds": allocations })
            });
            parameters.insert("AvailabilityMode".into(), json!("regional"));
            parameters.insert("AvailabilityZoneAddresses".into(), zones.collect());
        }
    }
    if let Some(allocation) = &request.allocation {
        parameters.insert("AllocationId".into(), json!(allocation));
    }
    if let Some(private) = request.private {
        parameters.insert("PrivateIpAddress".into(), json!(private));
    }
    Value::Object(parameters)
}

/// The tags of a new rule: one set for the whole call (semantics B1).
fn authorize(group: &SecurityGroupId, rules: &BTreeMap<RuleKey, RuleDetail>) -> Value {
    let mut parameters = Map::new();
    parameters.insert("GroupId".into(), json!(group));
    let described = rules
        .iter()
        .map(|(key, detail)| (key, detail.description.as_deref()));
    parameters.insert("IpPermissions".into(), permissions(described));
    let tags = rules
        .values()
        .find_map(|detail| detail.tags.as_ref())
        .filter(|tags| !tags.is_empty());
    if let Some(tags) = tags {
        let specification =
            json!([{ "ResourceType": "security-group-rule", "Tags": tag_list(tags) }]);
        parameters.insert("TagSpecifications".into(), specification);
    }
    Value::Object(parameters)
}

/// By id where every id is known: by content, a default VPC answers a mismatch with success (semantics B1).
fn revoke(
    group: &SecurityGroupId,
    rules: &BTreeMap<RuleKey, Option<SecurityGroupRuleId>>,
) -> Value {
    match rules
        .values()
        .map(Option::as_ref)
        .collect::<Option<Vec<_>>>()
    {
        Some(ids) => json!({ "GroupId": group, "SecurityGroupRuleIds": ids }),
        None => {
            json!({ "GroupId": group, "IpPermissions": permissions(rules.keys().map(|key| (key, None))) })
        }
    }
}

/// One `IpPermission` for each traffic, its peers in EC2's four lists.
fn permissions<'a>(rules: impl Iterator<Item = (&'a RuleKey, Option<&'a str>)>) -> Value {
    let mut by_traffic: BTreeMap<Traffic, BTreeMap<&'static str, Vec<Value>>> = BTreeMap::new();
    for (key, description) in rules {
        let (list, mut peer) = peer_member(&key.peer);
        if let Some(text) = description {
            peer.insert("Description".into(), json!(text));
        }
        by_traffic
            .entry(key.traffic)
            .or_default()
            .entry(list)
            .or_default()
            .push(Value::Object(peer));
    }
    let permission = |(traffic, lists): (Traffic, BTreeMap<&'static str, Vec<Value>>)| {
        let mut permission = traffic_members(&traffic);
        permission.extend(
            lists
                .into_iter()
                .map(|(list, peers)| (list.to_owned(), Value::Array(peers))),
        );
        Value::Object(permission)
    };
    Value::Array(by_traffic.into_iter().map(permission).collect())
}

fn traffic_members(traffic: &Traffic) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("IpProtocol".into(), json!(traffic.protocol_name()));
    if let Some((from, to)) = traffic.from_to() {
        members.insert("FromPort".into(), json!(from));
        members.insert("ToPort".into(), json!(to));
    }
    members
}

fn peer_member(peer: &Peer) -> (&'static str, Map<String, Value>) {
    let mut member = Map::new();
    let list = match peer {
        Peer::Ipv4(net) => {
            member.insert("CidrIp".into(), json!(net.to_string()));
            "IpRanges"
        }
        Peer::Ipv6(net) => {
            member.insert("CidrIpv6".into(), json!(net.to_string()));
            "Ipv6Ranges"
        }
        Peer::PrefixList(id) => {
            member.insert("PrefixListId".into(), json!(id));
            "PrefixListIds"
        }
        Peer::SecurityGroup { id, owner } => {
            member.insert("GroupId".into(), json!(id));
            if let Some(owner) = owner {
                member.insert("UserId".into(), json!(owner));
            }
            "UserIdGroupPairs"
        }
    };
    (list, member)
}

/// `SecurityGroupRuleRequest`: one rule with exactly one peer; the owner of a referenced group is
/// not part of it.
fn rule_request(key: &RuleKey, description: Option<&str>) -> Value {
    let mut request = traffic_members(&key.traffic);
    match &key.peer {
        Peer::Ipv4(net) => request.insert("CidrIpv4".into(), json!(net.to_string())),
        Peer::Ipv6(net) => request.insert("CidrIpv6".into(), json!(net.to_string())),
        Peer::PrefixList(id) => request.insert("PrefixListId".into(), json!(id)),
        Peer::SecurityGroup { id, .. } => request.insert("ReferencedGroupId".into(), json!(id)),
    };
    if let Some(text) = description {
        request.insert("Description".into(), json!(text));
    }
    Value::Object(request)
}

fn acl_entry(acl: &NetworkAclId, key: EntryKey, entry: &NetworkAclEntry) -> Value {
    let mut parameters = Map::new();
    parameters.insert("NetworkAclId".into(), json!(acl));
    parameters.insert("RuleNumber".into(), json!(key.number.get()));
    parameters.insert("Protocol".into(), json!(entry.traffic.protocol_number()));
    parameters.insert("RuleAction".into(), json!(entry.action));
    parameters.insert("Egress".into(), json!(key.direction.is_egress()));
    let family = if entry.cidr.addr().is_ipv4() {
        "CidrBlock"
    } else {
        "Ipv6CidrBlock"
    };
    parameters.insert(family.into(), json!(entry.cidr.to_string()));
    if let Some((from, to)) = entry.traffic.from_to() {
        match entry.traffic {
            Traffic::Icmp(_) | Traffic::Icmpv6(_) => {
                parameters.insert("IcmpTypeCode".into(), json!({ "Type": from, "Code": to }))
            }
            Traffic::All | Traffic::Tcp(_) | Traffic::Udp(_) | Traffic::Protocol(_) => {
                parameters.insert("PortRange".into(), json!({ "From": from, "To": to }))
            }
        };
    }
    Value::Object(parameters)
}

fn route(table: &RouteTableId, destination: &Destination, target: Option<&RouteTarget>) -> Value {
    let mut parameters = Map::new();
    parameters.insert("RouteTableId".into(), json!(table));
    let kind = match destination {
        Destination::Ipv4(_) => "DestinationCidrBlock",
        Destination::Ipv6(_) => "DestinationIpv6CidrBlock",
        Destination::PrefixList(_) => "DestinationPrefixListId",
    };
    parameters.insert(kind.into(), json!(destination.to_string()));
    if let Some((member, value)) = target.and_then(target_member) {
        parameters.insert(member.into(), value);
    }
    Value::Object(parameters)
}

/// The request member of a target; none for targets that route calls cannot write (semantics A4).
fn target_member(target: &RouteTarget) -> Option<(&'static str, Value)> {
    let member = match target {
        RouteTarget::Local => return Some(("LocalTarget", json!(true))),
        RouteTarget::InternetGateway(_) | RouteTarget::VpnGateway(_) => "GatewayId",
        RouteTarget::NatGateway(_) => "NatGatewayId",
        RouteTarget::EgressOnlyInternetGateway(_) => "EgressOnlyInternetGatewayId",
        RouteTarget::NetworkInterface(_) => "NetworkInterfaceId",
        RouteTarget::VpcPeeringConnection(_) => "VpcPeeringConnectionId",
        RouteTarget::TransitGateway(_) => "TransitGatewayId",
        RouteTarget::GatewayLoadBalancerEndpoint(_) => "VpcEndpointId",
        RouteTarget::CarrierGateway(_) => "CarrierGatewayId",
        RouteTarget::LocalGateway(_) => "LocalGatewayId",
        RouteTarget::CoreNetwork(_) => "CoreNetworkArn",
        RouteTarget::GatewayEndpoint(_) | RouteTarget::Unrecognized(_) => return None,
    };
    Some((member, json!(target.id())))
}

fn association(kind: Kind, subject: &AssociationSubject, handles: &Handles) -> String {
    handles.association_id(kind, subject).map_or_else(
        || format!("<association of {subject}>"),
        ToString::to_string,
    )
}

fn tag_list(tags: &Tags) -> Value {
    Value::Array(
        tags.iter()
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect(),
    )
}
