use super::*;

fn ok() -> Value {
    json!({"requestId": "r-1", "_return": true})
}

fn route(extra: Value) -> Value {
    let mut request = json!({"routeTableId": "rtb-1"});
    for (name, value) in extra.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

#[test]
fn every_destination_and_target_is_read() {
    use RouteTarget::*;
    let v4 =
        |member: &str, id: &str| route(json!({"destinationCidrBlock": "0.0.0.0/0", member: id}));
    let cases = [
        (
            v4("gatewayId", "igw-1"),
            "0.0.0.0/0",
            InternetGateway("igw-1".into()),
        ),
        (
            v4("gatewayId", "vgw-1"),
            "0.0.0.0/0",
            VpnGateway("vgw-1".into()),
        ),
        (
            v4("gatewayId", "vpce-1"),
            "0.0.0.0/0",
            GatewayLoadBalancerEndpoint("vpce-1".into()),
        ),
        (v4("gatewayId", "local"), "0.0.0.0/0", Local),
        (
            v4("gatewayId", "odb-1"),
            "0.0.0.0/0",
            Unrecognized("odb-1".into()),
        ),
        (
            v4("natGatewayId", "nat-1"),
            "0.0.0.0/0",
            NatGateway("nat-1".into()),
        ),
        (
            v4("networkInterfaceId", "eni-1"),
            "0.0.0.0/0",
            NetworkInterface("eni-1".into()),
        ),
        (
            v4("transitGatewayId", "tgw-1"),
            "0.0.0.0/0",
            TransitGateway("tgw-1".into()),
        ),
        (
            v4("vpcPeeringConnectionId", "pcx-1"),
            "0.0.0.0/0",
            VpcPeeringConnection("pcx-1".into()),
        ),
        (
            v4("vpcEndpointId", "vpce-1"),
            "0.0.0.0/0",
            GatewayLoadBalancerEndpoint("vpce-1".into()),
        ),
        (
            v4("localGatewayId", "lgw-1"),
            "0.0.0.0/0",
            LocalGateway("lgw-1".into()),
        ),
        (
            v4("carrierGatewayId", "cagw-1"),
            "0.0.0.0/0",
            CarrierGateway("cagw-1".into()),
        ),
        (
            v4("coreNetworkArn", "arn:aws:networkmanager::1:core-network/c"),
            "0.0.0.0/0",
            CoreNetwork("arn:aws:networkmanager::1:core-network/c".into()),
        ),
        (
            v4("odbNetworkArn", "arn:aws:odb:x"),
            "0.0.0.0/0",
            Unrecognized("arn:aws:odb:x".into()),
        ),
        (
            route(
                json!({"destinationIpv6CidrBlock": "2001:DB8::1/32", "egressOnlyInternetGatewayId": "eigw-1"}),
            ),
            "2001:db8::/32",
            EgressOnlyInternetGateway("eigw-1".into()),
        ),
        (
            route(json!({"destinationPrefixListId": "pl-1", "transitGatewayId": "tgw-1"})),
            "pl-1",
            TransitGateway("tgw-1".into()),
        ),
        (
            route(json!({"destinationPrefixListId": "pl-1", "gatewayId": "vpce-1"})),
            "pl-1",
            GatewayEndpoint("vpce-1".into()),
        ),
        (
            route(json!({"destinationCidrBlock": "10.0.5.9/16", "localTarget": true})),
            "10.0.0.0/16",
            Local,
        ),
        (
            route(
                json!({"destinationCidrBlock": "10.0.0.0/16", "instanceId": "i-1", "networkInterfaceId": "eni-1"}),
            ),
            "10.0.0.0/16",
            NetworkInterface("eni-1".into()),
        ),
    ];
    for (request, to, next) in cases {
        for name in ["CreateRoute", "ReplaceRoute"] {
            let change = change(name, request.clone(), ok());
            let [
                Edit::RouteSet {
                    table,
                    destination,
                    target,
                },
            ] = known(&change)
            else {
                panic!()
            };
            assert_eq!(
                (table.as_str(), destination.to_string().as_str(), target),
                ("rtb-1", to, &next)
            );
        }
        let gone = change("DeleteRoute", request, ok());
        let [Edit::RouteRemoved { destination, .. }] = known(&gone) else {
            panic!()
        };
        assert_eq!(destination.to_string(), to);
        assert_eq!(resources(&gone), ["rtb-1"]);
    }
}

#[test]
fn a_route_that_does_not_tell_all_is_unknown() {
    let cases = [
        (
            route(json!({"destinationCidrBlock": "0.0.0.0/0", "instanceId": "i-1"})),
            "network interface",
        ),
        (
            route(json!({"destinationCidrBlock": "0.0.0.0/0"})),
            "target is missing",
        ),
        (
            route(json!({"gatewayId": "igw-1"})),
            "destination is missing",
        ),
        (
            route(json!({"destinationCidrBlock": "nowhere", "gatewayId": "igw-1"})),
            "not a network",
        ),
    ];
    for (request, why) in cases {
        let change = change("CreateRoute", request, ok());
        assert!(unknown(&change).contains(why), "{}", unknown(&change));
        assert_eq!(resources(&change), ["rtb-1"]);
    }
}

#[test]
fn associations_are_read_with_and_without_their_table() {
    let associated = change(
        "AssociateRouteTable",
        json!({"routeTableId": "rtb-1", "subnetId": "subnet-1"}),
        json!({"requestId": "r", "associationId": "rtbassoc-1", "associationState": {"state": "associated"}}),
    );
    assert_eq!(
        known(&associated),
        [Edit::TableAssociated {
            table: "rtb-1".into(),
            subject: AssociationSubject::Subnet("subnet-1".into()),
            association: Some("rtbassoc-1".into())
        }]
    );
    let edge = change(
        "AssociateRouteTable",
        json!({"routeTableId": "rtb-1", "gatewayId": "igw-1"}),
        ok(),
    );
    assert_eq!(
        known(&edge),
        [Edit::TableAssociated {
            table: "rtb-1".into(),
            subject: AssociationSubject::Gateway("igw-1".into()),
            association: None
        }]
    );
    let gone = change(
        "DisassociateRouteTable",
        json!({"associationId": "rtbassoc-1"}),
        json!({"associationState": {"state": "disassociating"}, "_return": true}),
    );
    assert_eq!(
        known(&gone),
        [Edit::TableDisassociated {
            association: "rtbassoc-1".into()
        }]
    );
    assert_eq!(resources(&gone), ["rtbassoc-1"]);
    let moved = change(
        "ReplaceRouteTableAssociation",
        json!({"associationId": "rtbassoc-1", "routeTableId": "rtb-2"}),
        json!({"newAssociationId": "rtbassoc-2"}),
    );
    assert_eq!(
        known(&moved),
        [Edit::TableReassociated {
            association: "rtbassoc-1".into(),
            table: "rtb-2".into(),
            new_association: Some("rtbassoc-2".into())
        }]
    );
    assert_eq!(resources(&moved), ["rtb-2", "rtbassoc-1"]);
}

#[test]
fn propagation_is_switched_on_and_off() {
    for (name, enabled) in [
        ("EnableVgwRoutePropagation", true),
        ("DisableVgwRoutePropagation", false),
    ] {
        let change = change(
            name,
            json!({"routeTableId": "rtb-1", "gatewayId": "vgw-1"}),
            ok(),
        );
        assert_eq!(
            known(&change),
            [Edit::PropagationSet {
                table: "rtb-1".into(),
                gateway: "vgw-1".into(),
                enabled
            }]
        );
    }
}

#[test]
fn a_table_is_born_with_its_local_route_and_dies_by_id() {
    let response = json!({"routeTable": {"routeTableId": "rtb-1", "vpcId": "vpc-1", "ownerId": ACCOUNT,
        "routeSet": {"items": [{"destinationCidrBlock": "10.0.0.0/16", "gatewayId": "local", "state": "active", "origin": "CreateRouteTable"}]},
        "associationSet": {}, "propagatingVgwSet": {}, "tagSet": {"items": [{"key": "Name", "value": "public"}]}}});
    let created = change("CreateRouteTable", json!({"vpcId": "vpc-1"}), response);
    let [Edit::Created { resource }] = known(&created) else {
        panic!()
    };
    let Resource::RouteTable(table) = &**resource else {
        panic!()
    };
    let local = Route {
        target: RouteTarget::Local,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    assert_eq!(
        table.routes,
        [("10.0.0.0/16".parse().unwrap(), local)].into()
    );
    assert_eq!((table.tags["Name"].as_str(), table.main), ("public", false));
    let deleted = change("DeleteRouteTable", json!({"routeTableId": "rtb-1"}), ok());
    assert_eq!(
        known(&deleted),
        [Edit::Deleted {
            resource: DeletedRef::Id("rtb-1".parse().unwrap())
        }]
    );
}
