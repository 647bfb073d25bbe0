//! Records of calls that an account is built from (cloudtrail-shapes.md 2 tells which are wrapped).

use super::topology::{values, wrapped_tags};
use super::{XMLNS, guessed, tagged, with_tag_specification, wrapped};
use crate::account::{Account, Response};
use crate::call::Provide;
use serde_json::{Map, Value, json};
use snapback_model::*;

fn one_or_more<T: serde::Serialize>(list: &[T]) -> Value {
    tagged(values(list))
}

/// A wrapped request: its members, those that are empty left out, and its tags.
fn wrap(provide: &Provide, members: Vec<(&str, Value)>, kind: &str, tags: &Tags) -> Value {
    let kept = members
        .into_iter()
        .filter(|(_, value)| !matches!(value, Value::Array(list) if list.is_empty()))
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.to_owned(), value));
    let mut body: Map<String, Value> = kept.collect();
    body.extend(wrapped_tags(kind, tags));
    wrapped(provide.api(), "Request", Value::Object(body))
}

fn mode(mode: BlockMode) -> &'static str {
    match mode {
        BlockMode::Off => "off",
        BlockMode::Bidirectional => "block-bidirectional",
        BlockMode::Ingress => "block-ingress",
    }
}

fn traffic(traffic: FlowLogTraffic) -> &'static str {
    match traffic {
        FlowLogTraffic::Accept => "ACCEPT",
        FlowLogTraffic::Reject => "REJECT",
        FlowLogTraffic::All => "ALL",
    }
}

pub(super) fn request(provide: &Provide) -> Value {
    let none = Tags::new();
    match provide {
        Provide::CreateVpc { cidr, tags } => with_tag_specification(
            json!({"cidrBlock": cidr.to_string(), "instanceTenancy": "default", "amazonProvidedIpv6CidrBlock": false}),
            "vpc",
            tags,
        ),
        Provide::DeleteVpc { vpc } => json!({"vpcId": vpc}),
        Provide::DeleteSubnet { subnet } => json!({"subnetId": subnet}),
        Provide::CreateInternetGateway { tags } => {
            with_tag_specification(json!({}), "internet-gateway", tags)
        }
        Provide::CreateEgressOnlyInternetGateway { vpc, tags } => wrap(
            provide,
            vec![("VpcId", json!(vpc))],
            "egress-only-internet-gateway",
            tags,
        ),
        Provide::CreateVpnGateway { tags } => {
            with_tag_specification(json!({"type": "ipsec.1"}), "vpn-gateway", tags)
        }
        Provide::AttachVpnGateway { gateway, vpc } | Provide::DetachVpnGateway { gateway, vpc } => {
            json!({"vpcId": vpc, "vpnGatewayId": gateway})
        }
        Provide::AllocateAddress { tags } => {
            with_tag_specification(json!({"domain": "vpc"}), "elastic-ip", tags)
        }
        Provide::ReleaseAddress { allocation } => json!({"allocationId": allocation}),
        Provide::CreateVpcPeeringConnection {
            vpc,
            peer,
            owner,
            region,
            tags,
        } => {
            let mut body = json!({"vpcId": vpc, "peerVpcId": peer});
            if let Value::Object(members) = &mut body {
                members.extend(
                    owner
                        .as_ref()
                        .map(|owner| ("peerOwnerId".to_owned(), json!(owner))),
                );
                members.extend(
                    region
                        .as_ref()
                        .map(|region| ("peerRegion".to_owned(), json!(region))),
                );
            }
            with_tag_specification(body, "vpc-peering-connection", tags)
        }
        Provide::AcceptVpcPeeringConnection { peering } => {
            json!({"vpcPeeringConnectionId": peering})
        }
        Provide::CreateVpcEndpoint(asked) => {
            let kind = match asked.kind {
                EndpointKind::Gateway => "Gateway",
                EndpointKind::GatewayLoadBalancer => "GatewayLoadBalancer",
                EndpointKind::Interface | EndpointKind::Other => "Interface",
            };
            let members = vec![
                ("VpcEndpointType", json!(kind)),
                ("VpcId", json!(asked.vpc)),
                ("ServiceName", json!(asked.service)),
                ("RouteTableId", one_or_more(&asked.tables)),
                ("SubnetId", one_or_more(&asked.subnets)),
                ("SecurityGroupId", one_or_more(&asked.groups)),
            ];
            wrap(provide, members, "vpc-endpoint", &asked.tags)
        }
        Provide::DeleteVpcEndpoints { endpoints } => {
            let members = vec![("VpcEndpointId", one_or_more(endpoints))];
            wrap(provide, members, "", &none)
        }
        Provide::CreateManagedPrefixList {
            name,
            max_entries,
            is_v6,
            entries,
        } => {
            let entries = entries
                .iter()
                .map(|net| json!({"Cidr": net.to_string()}))
                .collect();
            let members = vec![
                ("PrefixListName", guessed(name)),
                ("MaxEntries", json!(max_entries)),
                ("AddressFamily", json!(if *is_v6 { "IPv6" } else { "IPv4" })),
                ("Entry", tagged(entries)),
            ];
            wrap(provide, members, "", &none)
        }
        Provide::DeleteManagedPrefixList { list } => {
            wrap(provide, vec![("PrefixListId", json!(list))], "", &none)
        }
        Provide::CreateFlowLogs {
            resources,
            traffic: which,
            tags,
        } => {
            let members = vec![
                ("ResourceId", one_or_more(resources)),
                ("TrafficType", json!(traffic(*which))),
            ];
            wrap(provide, members, "vpc-flow-log", tags)
        }
        Provide::DeleteFlowLogs { logs } => {
            wrap(provide, vec![("FlowLogId", one_or_more(logs))], "", &none)
        }
        Provide::ModifyVpcBlockPublicAccessOptions { mode: to } => {
            let members = vec![("InternetGatewayBlockMode", json!(mode(*to)))];
            wrap(provide, members, "", &none)
        }
    }
}

/// The member that names what was made, in the style of the call.
pub(super) fn response(
    provide: &Provide,
    response: &Response,
    account: &Account,
    request: &RequestId,
) -> Value {
    let flat = |name: &str, made: Value| json!({"requestId": request, name: made});
    let whole = |members: Value| {
        let mut body = Map::from_iter([
            ("xmlns".to_owned(), json!(XMLNS)),
            ("requestId".to_owned(), json!(request)),
        ]);
        if let Value::Object(members) = members {
            body.extend(members);
        }
        wrapped(provide.api(), "Response", Value::Object(body))
    };
    match (provide, response) {
        (_, Response::Vpc(id)) => flat(
            "vpc",
            json!({"vpcId": id, "state": "pending", "isDefault": false}),
        ),
        (Provide::CreateInternetGateway { .. }, Response::Gateway(id)) => flat(
            "internetGateway",
            json!({"internetGatewayId": id, "attachmentSet": {}}),
        ),
        (Provide::CreateVpnGateway { .. }, Response::Gateway(id)) => flat(
            "vpnGateway",
            json!({"vpnGatewayId": id, "state": "available"}),
        ),
        (Provide::AttachVpnGateway { vpc, .. }, Response::Gateway(_)) => {
            flat("attachment", json!({"vpcId": vpc, "state": "attaching"}))
        }
        (
            Provide::CreateVpcPeeringConnection { .. } | Provide::AcceptVpcPeeringConnection { .. },
            Response::Gateway(id),
        ) => flat("vpcPeeringConnection", peering(account, id)),
        (Provide::CreateEgressOnlyInternetGateway { .. }, Response::Gateway(id)) => whole(json!({
            "egressOnlyInternetGateway": {"egressOnlyInternetGatewayId": id},
        })),
        (Provide::CreateVpcEndpoint(asked), Response::Gateway(id)) => whole(json!({
            "vpcEndpoint": {"vpcEndpointId": id, "vpcId": asked.vpc, "state": "available", "ownerId": guessed(account.id.as_str())},
        })),
        (_, Response::Address(id)) => {
            let public = account
                .addresses
                .get(id)
                .map(|address| address.public.to_string());
            json!({"requestId": request, "allocationId": id, "publicIp": public, "domain": "vpc"})
        }
        (_, Response::PrefixList { id, version }) => whole(json!({
            "prefixList": {"prefixListId": id, "version": version, "state": "create-in-progress", "ownerId": guessed(account.id.as_str())},
        })),
        (_, Response::FlowLogs(ids)) => {
            let item = match ids.as_slice() {
                [one] => json!(one),
                several => json!(several),
            };
            whole(json!({"flowLogIdSet": {"item": item}, "unsuccessful": ""}))
        }
        (Provide::DeleteFlowLogs { .. } | Provide::DeleteVpcEndpoints { .. }, _) => {
            whole(json!({"unsuccessful": ""}))
        }
        (Provide::ModifyVpcBlockPublicAccessOptions { mode: to }, _) => whole(json!({
            "vpcBlockPublicAccessOptions": {"internetGatewayBlockMode": mode(*to), "state": "update-in-progress"},
        })),
        _ => json!({"requestId": request, "_return": true}),
    }
}

fn peering(account: &Account, id: &str) -> Value {
    let gateway = account.topology.gateways.get(id);
    let side = |side: &PeeringSide| json!({"ownerId": side.owner, "vpcId": side.vpc, "region": side.region});
    let detail = gateway.and_then(|gateway| gateway.peering.as_ref());
    json!({
        "vpcPeeringConnectionId": id,
        "requesterVpcInfo": detail.map(|detail| side(&detail.requester)),
        "accepterVpcInfo": detail.map(|detail| side(&detail.accepter)),
        "status": {"code": gateway.and_then(|gateway| gateway.state.clone())},
    })
}
