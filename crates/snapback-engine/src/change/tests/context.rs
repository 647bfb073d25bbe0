use super::*;

#[test]
fn context_calls_point_at_what_they_name() {
    let ok = || json!({"requestId": "r-1", "_return": true});
    let wrapped = |name: &str, request: Value| json!({name: request});
    let cases: Vec<(&str, Value, Value, Vec<&str>)> = vec![
        (
            "DetachInternetGateway",
            json!({"internetGatewayId": "igw-1", "vpcId": "vpc-1"}),
            ok(),
            vec!["internet-gateway igw-1", "vpc vpc-1"],
        ),
        (
            "CreateNatGateway",
            wrapped(
                "CreateNatGatewayRequest",
                json!({"AllocationId": "eipalloc-1", "SubnetId": "subnet-1", "ClientToken": "vpc-9",
            "TagSpecification": {"ResourceType": "natgateway", "tag": 1, "Tag": {"Key": "vpc-7", "Value": "vpc-8", "tag": 1}}}),
            ),
            wrapped(
                "CreateNatGatewayResponse",
                json!({"natGateway": {"natGatewayId": "nat-1", "vpcId": "vpc-1"}}),
            ),
            vec![
                "elastic-ip eipalloc-1",
                "nat-gateway nat-1",
                "subnet subnet-1",
                "vpc vpc-1",
            ],
        ),
        (
            "DeleteNatGateway",
            wrapped("DeleteNatGatewayRequest", json!({"NatGatewayId": "nat-1"})),
            wrapped("DeleteNatGatewayResponse", json!({"natGatewayId": "nat-1"})),
            vec!["nat-gateway nat-1"],
        ),
        (
            "DeleteFlowLogs",
            wrapped(
                "DeleteFlowLogsRequest",
                json!({"FlowLogId": {"content": "fl-1", "tag": 1}}),
            ),
            wrapped("DeleteFlowLogsResponse", json!({"unsuccessful": ""})),
            vec!["flow-log fl-1"],
        ),
        (
            "CreateFlowLogs",
            wrapped(
                "CreateFlowLogsRequest",
                json!({"ResourceType": "VPC", "ResourceId": {"tag": 1, "content": "vpc-1"}}),
            ),
            wrapped(
                "CreateFlowLogsResponse",
                json!({"flowLogIdSet": "", "unsuccessful": {"item": {"resourceId": "vpc-1", "error": {"code": "400", "message": "no"}}}}),
            ),
            vec!["flow-log 111122223333", "vpc vpc-1"],
        ),
        (
            "DeleteTransitGatewayVpcAttachment",
            wrapped(
                "DelTGwVpcAttachReq",
                json!({"TransitGatewayAttachmentId": "tgw-attach-1"}),
            ),
            wrapped(
                "DeleteTransitGatewayVpcAttachmentResponse",
                json!({"transitGatewayVpcAttachment": {"transitGatewayId": "tgw-1", "vpcId": "vpc-1"}}),
            ),
            vec![
                "transit-gateway tgw-1",
                "transit-gateway-attachment tgw-attach-1",
                "vpc vpc-1",
            ],
        ),
        (
            "ModifyManagedPrefixList",
            wrapped(
                "ModifyManagedPrefixListRequest",
                json!({"PrefixListId": "pl-1", "AddEntry": {"tag": 1, "Cidr": "71.131.0.0/16"}}),
            ),
            Value::Null,
            vec!["prefix-list pl-1"],
        ),
        (
            "AcceptVpcPeeringConnection",
            json!({"vpcPeeringConnectionId": "pcx-1"}),
            json!({"vpcPeeringConnection": {"requesterVpcInfo": {"vpcId": "vpc-2"}}}),
            vec!["vpc vpc-2", "vpc-peering-connection pcx-1"],
        ),
        (
            "ModifyNetworkInterfaceAttribute",
            json!({"networkInterfaceId": "eni-1", "groupSet": {"items": [{"groupId": "sg-1"}]}}),
            ok(),
            vec!["network-interface eni-1", "security-group sg-1"],
        ),
        (
            "ModifyNetworkInterfaceAttribute",
            json!({"networkInterfaceId": "eni-1", "sourceDestCheck": {"value": false}}),
            ok(),
            vec!["network-interface eni-1"],
        ),
        (
            "ModifyInstanceAttribute",
            json!({"instanceId": "i-1", "groupSet": {"items": [{"groupId": "sg-1"}]}}),
            ok(),
            vec!["instance i-1", "security-group sg-1"],
        ),
        (
            "ModifyInstanceAttribute",
            Value::Null,
            ok(),
            vec!["instance 111122223333"],
        ),
        (
            "ModifySubnetAttribute",
            json!({"subnetId": "subnet-1", "mapPublicIpOnLaunch": {"value": true}}),
            ok(),
            vec!["subnet subnet-1"],
        ),
        (
            "ModifyVpcBlockPublicAccessOptions",
            wrapped(
                "ModifyVpcBlockPublicAccessOptionsRequest",
                json!({"InternetGatewayBlockMode": "off"}),
            ),
            Value::Null,
            vec!["vpc-block-public-access 111122223333"],
        ),
        (
            "AssociateSecurityGroupVpc",
            wrapped(
                "AssociateSecurityGroupVpcRequest",
                json!({"GroupId": "sg-1", "VpcId": "vpc-2"}),
            ),
            wrapped(
                "AssociateSecurityGroupVpcResponse",
                json!({"state": "associating"}),
            ),
            vec!["sg-1", "vpc vpc-2"],
        ),
        (
            "DeleteVpcEndpoints",
            wrapped(
                "DeleteVpcEndpointsRequest",
                json!({"VpcEndpointId": [{"content": "vpce-1", "tag": 1}, {"content": "vpce-2", "tag": 2}]}),
            ),
            Value::Null,
            vec!["vpc-endpoint vpce-1", "vpc-endpoint vpce-2"],
        ),
        (
            "DisassociateVpcCidrBlock",
            wrapped(
                "DisassociateVpcCidrBlockRequest",
                json!({"AssociationId": "vpc-cidr-assoc-1"}),
            ),
            wrapped(
                "DisassociateVpcCidrBlockResponse",
                json!({"vpcId": "vpc-1"}),
            ),
            vec!["vpc vpc-1", "vpc-cidr-association vpc-cidr-assoc-1"],
        ),
    ];
    for (name, request, response, expected) in cases {
        let change = change(name, request, response);
        assert_eq!(resources(&change), expected, "{name}");
        assert_eq!(change.edits, Edits::Context, "{name}");
    }
}

#[test]
fn a_gateway_endpoint_touches_the_tables_that_ec2_edits_for_it() {
    let create = json!({"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "VpcEndpointType": "Gateway", "RouteTableId": [{"content": "rtb-1", "tag": 1}, {"content": "rtb-2", "tag": 2}]}});
    let modify = json!({"ModifyVpcEndpointRequest": {"VpcEndpointId": "vpce-1", "RemoveRouteTableId": {"tag": 1, "content": "rtb-1"}, "PolicyDocument": "rtb-9"}});
    let created = change(
        "CreateVpcEndpoint",
        create,
        json!({"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": "vpce-1", "ownerId": 200_802_171_337_u64}}}),
    );
    assert_eq!(
        resources(&created),
        ["rtb-1", "rtb-2", "vpc vpc-1", "vpc-endpoint vpce-1"]
    );
    assert!(unknown(&created).contains("by itself"));
    let modified = change("ModifyVpcEndpoint", modify, Value::Null);
    assert_eq!(resources(&modified), ["rtb-1", "vpc-endpoint vpce-1"]);
    assert!(unknown(&modified).contains("ModifyVpcEndpoint"));
}

#[test]
fn attributes_without_meaning_for_the_network_are_no_change() {
    let cases = [
        (
            "ModifyInstanceAttribute",
            json!({"instanceId": "i-1", "disableApiTermination": {"value": false}}),
        ),
        (
            "ModifyInstanceAttribute",
            json!({"instanceId": "i-1", "userData": "<sensitiveDataRemoved>"}),
        ),
        (
            "ModifyInstanceAttribute",
            json!({"instanceId": "i-1", "attribute": "userData", "value": "<sensitiveDataRemoved>"}),
        ),
        (
            "ModifyNetworkInterfaceAttribute",
            json!({"networkInterfaceId": "eni-1", "groupSet": {}, "description": {"value": "x"}}),
        ),
        (
            "ModifySubnetAttribute",
            json!({"subnetId": "subnet-1", "enableDns64": {"value": true}}),
        ),
        (
            "RunInstances",
            json!({"groupSet": {"items": [{"groupId": "sg-1"}]}}),
        ),
        (
            "CreateTags",
            json!({"resourcesSet": {"items": [{"resourceId": "sg-1"}]}}),
        ),
    ];
    for (name, request) in cases {
        let expected = Interpretation::Ignored(IgnoreReason::NotNetwork { api: name.into() });
        assert_eq!(
            interpret(&record(name, request, Value::Null), &Own::default()),
            expected
        );
    }
}

#[test]
fn every_named_event_is_a_change_even_when_nothing_is_told() {
    for name in EVENT_NAMES {
        let change = change(name, Value::Null, Value::Null);
        assert!(
            matches!(change.edits, Edits::Unknown { .. } | Edits::Context),
            "{name}: {:?}",
            change.edits
        );
    }
    let mut unique = EVENT_NAMES.to_vec();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), EVENT_NAMES.len());
}
