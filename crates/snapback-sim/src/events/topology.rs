//! Records of calls around the guarded kinds (cloudtrail-shapes.md 6, 7).

use super::{XMLNS, items, tag_items, tagged, wrapped};
use crate::account::{Account, Response};
use crate::call::Call;
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

pub(super) fn request(call: &Call) -> Value {
    match call {
        Call::CreateTags { targets, tags } | Call::DeleteTags { targets, tags } => {
            let resources = targets.iter().map(|id| json!({"resourceId": id})).collect();
            json!({"resourcesSet": items(resources), "tagSet": items(tag_items(tags))})
        }
        Call::CreateSubnet { vpc, cidr, zone } => {
            let key = if matches!(cidr, IpNet::V4(_)) {
                "cidrBlock"
            } else {
                "ipv6CidrBlock"
            };
            let mut body = json!({"vpcId": vpc, "availabilityZone": zone});
            if let Value::Object(members) = &mut body {
                members.insert(key.into(), json!(cidr.to_string()));
            }
            body
        }
        Call::CreateNetworkInterface {
            subnet,
            groups,
            description,
        } => json!({
            "subnetId": subnet, "description": description, "groupSet": group_set(groups), "privateIpAddressesSet": {},
        }),
        Call::DeleteNetworkInterface { interface } => json!({"networkInterfaceId": interface}),
        Call::ModifyNetworkInterfaceGroups { interface, groups } => {
            json!({"networkInterfaceId": interface, "groupSet": group_set(groups)})
        }
        Call::AttachInternetGateway { gateway, vpc }
        | Call::DetachInternetGateway { gateway, vpc } => {
            json!({"internetGatewayId": gateway, "vpcId": vpc})
        }
        Call::DeleteInternetGateway { gateway } => json!({"internetGatewayId": gateway}),
        Call::CreateNatGateway { subnet, allocation } => wrapped(
            call.api(),
            "Request",
            json!({"ConnectivityType": "public", "AllocationId": allocation, "SubnetId": subnet}),
        ),
        Call::DeleteNatGateway { gateway } => {
            wrapped(call.api(), "Request", json!({"NatGatewayId": gateway}))
        }
        Call::DeleteVpcPeeringConnection { peering } => json!({"vpcPeeringConnectionId": peering}),
        Call::ModifyVpcEndpoint {
            endpoint,
            add_tables,
            remove_tables,
        } => {
            let mut body = Map::from_iter([("VpcEndpointId".to_owned(), json!(endpoint))]);
            for (key, tables) in [
                ("AddRouteTableId", add_tables),
                ("RemoveRouteTableId", remove_tables),
            ] {
                if !tables.is_empty() {
                    body.insert(
                        key.into(),
                        tagged(tables.iter().map(|id| json!(id)).collect()),
                    );
                }
            }
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
        (Call::CreateNatGateway { subnet, .. }, Response::Nat(id)) => {
            let vpc = account
                .topology
                .subnets
                .get(subnet)
                .map(|subnet| &subnet.vpc);
            let nat = json!({
                "natGatewayId": id, "vpcId": vpc, "subnetId": subnet, "state": "pending", "connectivityType": "public", "tagSet": "",
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
            let owner = super::guessed(account.id.as_str());
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
