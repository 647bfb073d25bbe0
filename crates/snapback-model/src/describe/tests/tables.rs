//! Route tables: the traps of real outputs.

use super::{snapshot, unknown};
use crate::*;
use serde_json::{Value, json};

fn table(routes: Value, associations: Value) -> Snapshot {
    snapshot(&[json!({ "RouteTables": [{
        "RouteTableId": "rtb-1", "VpcId": "vpc-1", "OwnerId": "111122223333",
        "Routes": routes, "Associations": associations, "PropagatingVgws": [{ "GatewayId": "vgw-1" }],
    }] })])
}

fn found(snapshot: &Snapshot) -> &RouteTable {
    match &snapshot.resources[&"rtb-1".parse().unwrap()] {
        Resource::RouteTable(table) => table,
        other => panic!("{other:?}"),
    }
}

fn target(route: Value) -> (RouteTarget, Vec<String>) {
    let read = table(json!([route]), json!([]));
    (
        found(&read).routes.values().next().unwrap().target.clone(),
        unknown(&read),
    )
}

#[test]
fn targets_are_told_apart_by_member_and_prefix() {
    use RouteTarget::*;
    let owned = str::to_owned;
    let core = "arn:aws:networkmanager::111122223333:core-network/core-network-1";
    for (member, id, expected) in [
        ("GatewayId", "local", Local),
        ("GatewayId", "igw-1", InternetGateway(owned("igw-1"))),
        ("GatewayId", "vgw-1", VpnGateway(owned("vgw-1"))),
        (
            "GatewayId",
            "vpce-1",
            GatewayLoadBalancerEndpoint(owned("vpce-1")),
        ),
        (
            "VpcEndpointId",
            "vpce-1",
            GatewayLoadBalancerEndpoint(owned("vpce-1")),
        ),
        ("NatGatewayId", "nat-1", NatGateway(owned("nat-1"))),
        (
            "EgressOnlyInternetGatewayId",
            "eigw-1",
            EgressOnlyInternetGateway(owned("eigw-1")),
        ),
        (
            "NetworkInterfaceId",
            "eni-1",
            NetworkInterface(owned("eni-1")),
        ),
        (
            "VpcPeeringConnectionId",
            "pcx-1",
            VpcPeeringConnection(owned("pcx-1")),
        ),
        ("TransitGatewayId", "tgw-1", TransitGateway(owned("tgw-1"))),
        (
            "CarrierGatewayId",
            "cagw-1",
            CarrierGateway(owned("cagw-1")),
        ),
        ("LocalGatewayId", "lgw-1", LocalGateway(owned("lgw-1"))),
        ("CoreNetworkArn", core, CoreNetwork(owned(core))),
    ] {
        let (target, unknown) = target(json!({ "DestinationCidrBlock": "10.0.0.0/8", member: id }));
        assert_eq!((target, unknown), (expected, vec![]), "{member} {id}");
    }
    let (endpoint, _) = target(json!({ "DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1" }));
    assert_eq!(endpoint, GatewayEndpoint(owned("vpce-1")));
}

#[test]
fn an_instance_route_is_its_interface() {
    let (target, unknown) = target(json!({
        "DestinationCidrBlock": "0.0.0.0/0", "InstanceId": "i-1", "InstanceOwnerId": "111122223333",
        "NetworkInterfaceId": "eni-1",
    }));
    assert_eq!(target, RouteTarget::NetworkInterface("eni-1".to_owned()));
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn targets_of_no_known_kind_are_kept_and_told() {
    for (route, expected, told) in [
        (
            json!({ "GatewayId": "warp-1" }),
            "warp-1",
            "rtb-1 Routes[0].GatewayId",
        ),
        (
            json!({ "OdbNetworkArn": "arn:odb" }),
            "arn:odb",
            "rtb-1 Routes[0].OdbNetworkArn",
        ),
        (
            json!({ "InstanceId": "i-1" }),
            "i-1",
            "rtb-1 Routes[0].InstanceId",
        ),
        (json!({}), "none", "rtb-1 Routes[0].target"),
        (
            json!({ "GatewayId": "igw-1", "NatGatewayId": "nat-1" }),
            "igw-1 and nat-1",
            "rtb-1 Routes[0].GatewayId, NatGatewayId",
        ),
    ] {
        let mut route = route;
        route["DestinationCidrBlock"] = json!("10.0.0.0/8");
        let (target, unknown) = target(route);
        assert_eq!(target, RouteTarget::Unrecognized(expected.to_owned()));
        assert_eq!(unknown, [told]);
    }
}

#[test]
fn origin_and_state_are_kept() {
    let read = table(
        json!([
            { "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active" },
            { "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "Origin": "CreateRoute", "State": "blackhole" },
            { "DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "Origin": "CreateRoute" },
            { "DestinationCidrBlock": "192.168.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation" },
            { "DestinationCidrBlock": "192.169.0.0/16", "NetworkInterfaceId": "eni-1", "Origin": "Advertisement" },
            { "DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "vgw-1", "Origin": "Divination", "State": "filtered" },
            { "DestinationCidrBlock": "10.5.0.0/16", "GatewayId": "local" },
            { "DestinationCidrBlock": "10.6.0.0/16", "NatGatewayId": "nat-1" },
        ]),
        json!([]),
    );
    let route = |text: &str| {
        let route = &found(&read).routes[&text.parse::<Destination>().unwrap()];
        (route.origin, route.blackhole)
    };
    assert_eq!(route("10.0.0.0/16"), (RouteOrigin::Table, false));
    assert_eq!(route("0.0.0.0/0"), (RouteOrigin::Created, true));
    assert_eq!(route("::/0"), (RouteOrigin::Created, false));
    assert_eq!(route("192.168.0.0/16"), (RouteOrigin::Propagated, false));
    assert_eq!(route("192.169.0.0/16"), (RouteOrigin::Propagated, false));
    assert_eq!(route("10.9.0.0/16"), (RouteOrigin::Propagated, false));
    assert_eq!(route("10.5.0.0/16"), (RouteOrigin::Table, false));
    assert_eq!(route("10.6.0.0/16"), (RouteOrigin::Created, false));
    assert_eq!(
        unknown(&read),
        ["rtb-1 Routes[5].Origin", "rtb-1 Routes[5].State"]
    );
}

#[test]
fn a_static_route_decides_over_a_propagated_one_and_the_other_is_told() {
    let fixed = json!({ "DestinationCidrBlock": "10.0.0.0/8", "NatGatewayId": "nat-1", "Origin": "CreateRoute" });
    let learned = json!({ "DestinationCidrBlock": "10.0.0.0/8", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation" });
    for routes in [json!([fixed, learned]), json!([learned, fixed])] {
        let read = table(routes, json!([]));
        let route = found(&read).routes.values().next().unwrap();
        assert_eq!(route.target, RouteTarget::NatGateway("nat-1".to_owned()));
        assert_eq!(unknown(&read), ["rtb-1 Routes 10.0.0.0/8"]);
    }
}

#[test]
fn associations_on_their_way_out_are_none() {
    let association = |id: &str, subnet: &str, state: &str| json!({ "RouteTableAssociationId": id, "SubnetId": subnet, "Main": false, "AssociationState": { "State": state } });
    let read = table(
        json!([]),
        json!([
            association("rtbassoc-1", "subnet-1", "associated"),
            association("rtbassoc-2", "subnet-2", "associating"),
            association("rtbassoc-3", "subnet-3", "disassociating"),
            association("rtbassoc-4", "subnet-4", "disassociated"),
            association("rtbassoc-5", "subnet-5", "failed"),
            { "RouteTableAssociationId": "rtbassoc-6", "SubnetId": "subnet-6", "Main": false },
            { "RouteTableAssociationId": "rtbassoc-7", "GatewayId": "igw-1", "Main": false },
            { "RouteTableAssociationId": "rtbassoc-8", "Main": true, "AssociationState": { "State": "associated" } },
            { "RouteTableAssociationId": "rtbassoc-9", "Main": false, "PublicIpv4Pool": "ipv4pool-ec2-1" },
        ]),
    );
    let table = found(&read);
    let subnets: Vec<&str> = table.subnets.iter().map(SubnetId::as_str).collect();
    assert_eq!(subnets, ["subnet-1", "subnet-2", "subnet-6"]);
    assert_eq!(table.gateways, ["igw-1".into()].into());
    assert_eq!(table.propagating, ["vgw-1".into()].into());
    assert!(table.main);
    let handles = &read.handles.associations;
    assert_eq!(handles.len(), 5);
    assert_eq!(
        handles[&AssociationId::new("rtbassoc-8")].subject,
        AssociationSubject::Main("vpc-1".into())
    );
    assert_eq!(
        unknown(&read),
        [
            "rtb-1 Associations[8]",
            "rtb-1 Associations[8].PublicIpv4Pool"
        ]
    );
}
