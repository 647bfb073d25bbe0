//! Records of calls around the guarded kinds (cloudtrail-shapes.md 6, 7).

use super::{XMLNS, guessed, items, tag_items, tagged, with_tag_specification, wrapped};
use crate::account::{Account, Response};
use crate::call::{Call, NatPlace};
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use snapback_model::*;

fn group_set(groups: &[SecurityGroupId]) -> Value {
    items(groups.iter().map(|id| json!({"groupId": id})).collect())
}

fn entries(list: &[IpNet]) -> Value {
    tagged(
        list.iter()
            .map(|net| json!({"Cidr": net.to_string()}))
            .collect(),
    )
}

fn connectivity(connectivity: Connectivity) -> &'static str {
    match connectivity {
        Connectivity::Public => "public",
        Connectivity::Private => "private",
    }
}

pub(super) fn values<T: serde::Serialize>(list: &[T]) -> Vec<Value> {
    list.iter().map(|element| json!(element)).collect()
}

/// `TagSpecification` of a wrapped request.
pub(super) fn wrapped_tags(kind: &str, tags: &Tags) -> Option<(String, Value)> {
    let list = tags
        .iter()
        .map(|(key, value)| json!({"Key": guessed(key), "Value": guessed(value)}));
    (!tags.is_empty()).then(|| {
        let specification = json!({"ResourceType": kind, "tag": 1, "Tag": tagged(list.collect())});
        ("TagSpecification".to_owned(), specification)
    })
}

pub(super) fn request(call: &Call) -> Value {
    match call {
        Call::CreateTags { targets, tags } => {
            let resources = targets.iter().map(|id| json!({"resourceId": id})).collect();
            json!({"resourcesSet": items(resources), "tagSet": items(tag_items(tags))})
        }
        Call::DeleteTags { targets, tags } => {
            let resources = targets.iter().map(|id| json!({"resourceId": id})).collect();
            let tags = tags.iter().map(|(key, value)| match value {
                Some(value) => json!({"key": key, "value": value}),
                None => json!({"key": key}),
            });
            json!({"resourcesSet": items(resources), "tagSet": items(tags.collect())})
        }
        Call::CreateSubnet {
            vpc,
            cidr,
            zone,
            tags,
        } => {
            let key = if matches!(cidr, IpNet::V4(_)) {
                "cidrBlock"
            } else {
                "ipv6CidrBlock"
            };
            let mut body = json!({"vpcId": vpc, "availabilityZone": zone});
            if let Value::Object(members) = &mut body {
                members.insert(key.into(), json!(cidr.to_string()));
            }
            with_tag_specification(body, "subnet", tags)
        }
        Call::CreateNetworkInterface {
            subnet,
            groups,
            description,
            tags,
        } => with_tag_specification(
            json!({
                "subnetId": subnet, "description": description, "groupSet": group_set(groups), "privateIpAddressesSet": {},
            }),
            "network-interface",
            tags,
        ),
        Call::DeleteNetworkInterface { interface } => json!({"networkInterfaceId": interface}),
        Call::ModifyNetworkInterfaceGroups { interface, groups } => {
            json!({"networkInterfaceId": interface, "groupSet": group_set(groups)})
        }
        Call::ModifyNetworkInterfaceSourceDestCheck { interface, check } => {
            json!({"networkInterfaceId": interface, "sourceDestCheck": {"value": check}})
        }
        Call::AttachInternetGateway { gateway, vpc }
        | Call::DetachInternetGateway { gateway, vpc } => {
            json!({"internetGatewayId": gateway, "vpcId": vpc})
        }
        Call::DeleteInternetGateway { gateway } => json!({"internetGatewayId": gateway}),
        Call::CreateNatGateway(request) => {
            let mut body = json!({"ConnectivityType": connectivity(request.connectivity)});
            if let Value::Object(members) = &mut body {
                match &request.place {
                    NatPlace::Subnet(subnet) => {
                        members.insert("SubnetId".to_owned(), json!(subnet));
                    }
                    NatPlace::Regional { vpc, .. } => {
                        members.insert("VpcId".to_owned(), json!(vpc));
                        members.insert("AvailabilityMode".to_owned(), json!("regional"));
                    }
                }
                let more = [
                    ("AllocationId", request.allocation.clone()),
                    (
                        "PrivateIpAddress",
                        request.private.map(|address| address.to_string()),
                    ),
                ];
                for (key, value) in more {
                    members.extend(value.map(|value| (key.to_owned(), Value::String(value))));
                }
                members.extend(wrapped_tags("natgateway", &request.tags));
            }
            wrapped(call.api(), "Request", body)
        }
        Call::DeleteNatGateway { gateway } => {
            wrapped(call.api(), "Request", json!({"NatGatewayId": gateway}))
        }
        Call::AssociateNatGatewayAddress {
            gateway,
            allocations,
            private,
        } => {
            let mut body = Map::from_iter([("NatGatewayId".to_owned(), json!(gateway))]);
            body.insert("AllocationId".into(), tagged(values(allocations)));
            if !private.is_empty() {
                body.insert("PrivateIpAddress".into(), tagged(values(private)));
            }
            wrapped(call.api(), "Request", Value::Object(body))
        }
        Call::AssignPrivateNatGatewayAddress { gateway, private } => wrapped(
            call.api(),
            "Request",
            json!({"NatGatewayId": gateway, "PrivateIpAddress": tagged(values(private))}),
        ),
        Call::DeleteVpcPeeringConnection { peering } => json!({"vpcPeeringConnectionId": peering}),
        Call::ModifyVpcEndpoint {
            endpoint,
            add_tables,
            remove_tables,
            add_subnets,
            remove_subnets,
            add_groups,
            remove_groups,
        } => {
            let mut body = Map::from_iter([("VpcEndpointId".to_owned(), json!(endpoint))]);
            let mut put = |key: &str, ids: Vec<Value>| {
                if !ids.is_empty() {
                    body.insert(key.into(), tagged(ids));
                }
            };
            put("AddRouteTableId", values(add_tables));
            put("RemoveRouteTableId", values(remove_tables));
            put("AddSubnetId", values(add_subnets));
            put("RemoveSubnetId", values(remove_subnets));
            put("AddSecurityGroupId", values(add_groups));
            put("RemoveSecurityGroupId", values(remove_groups));
            wrapped(call.api(), "Request", Value::Object(body))
        }
        Call::ModifyManagedPrefixList {
            list,
            current_version,
            add,
            remove,
        } => {
            let mut body = Map::from_iter([("PrefixListId".to_owned(), json!(list))]);
            body.extend(
                current_version.map(|version| ("CurrentVersion".to_owned(), json!(version))),
            );
            for (key, nets) in [("AddEntry", add), ("RemoveEntry", remove)] {
                if !nets.is_empty() {
                    body.insert(key.into(), entries(nets));
                }
            }
            wrapped(call.api(), "Request", Value::Object(body))
        }
        _ => Value::Null,
    }
}

pub(super) fn response(
    call: &Call,
    response: &Response,
    account: &Account,
    request: &RequestId,
) -> Value {
    match (call, response) {
        (Call::CreateNatGateway(asked), Response::Nat(id)) => {
            let (subnet, vpc) = match &asked.place {
                NatPlace::Subnet(subnet) => {
                    let held = account.topology.subnets.get(subnet);
                    (Some(subnet), held.map(|held| &held.vpc))
                }
                NatPlace::Regional { vpc, .. } => (None, Some(vpc)),
            };
            let nat = json!({
                "natGatewayId": id, "vpcId": vpc, "subnetId": subnet, "state": "pending",
                "connectivityType": connectivity(asked.connectivity), "tagSet": "",
            });
            wrapped(
                call.api(),
                "Response",
                json!({"xmlns": XMLNS, "requestId": request, "natGateway": nat}),
            )
        }
        (_, Response::Nat(id)) => wrapped(
            call.api(),
            "Response",
            json!({"xmlns": XMLNS, "requestId": request, "natGatewayId": id}),
        ),
        (_, Response::PrefixList { id, version }) => {
            // The wrapped style reads the owner as a number: a leading zero is lost.
            let owner = guessed(account.id.as_str());
            let list = json!({"prefixListId": id, "state": "modify-in-progress", "version": version, "ownerId": owner});
            wrapped(
                call.api(),
                "Response",
                json!({"xmlns": XMLNS, "requestId": request, "prefixList": list}),
            )
        }
        (_, Response::Subnet(id)) => {
            let vpc = account.topology.subnets.get(id).map(|subnet| &subnet.vpc);
            json!({"requestId": request, "subnet": {"subnetId": id, "vpcId": vpc, "state": "available"}})
        }
        (_, Response::Interface(id)) => {
            let interface = account.topology.interfaces.get(id);
            let groups: Vec<_> = interface
                .iter()
                .flat_map(|interface| interface.groups.iter().cloned())
                .collect();
            let place = interface.map(|interface| (&interface.subnet, &interface.vpc));
            json!({"requestId": request, "networkInterface": {
                "networkInterfaceId": id, "subnetId": place.map(|(subnet, _)| subnet), "vpcId": place.map(|(_, vpc)| vpc),
                "groupSet": group_set(&groups), "status": "pending",
            }})
        }
        _ => json!({"requestId": request, "_return": true}),
    }
}
