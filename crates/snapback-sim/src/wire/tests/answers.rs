//! XML, errors, dry runs, tokens, faults, events, identities.

use super::{act, ask, between, code, instant};
use crate::tests::shop;
use crate::wire::{Callers, Credentials, FaultSpec, answer, xml};
use crate::{Builder, EventFaults, Fault, World};
use serde_json::{Value, json};
use snapback_model::*;
use std::time::Duration;

#[test]
fn an_answer_is_ec2s_xml_and_text_is_escaped() {
    let body = json!({
        "SecurityGroups": [{"Description": "a & b < c > \"d\"\r\n\u{1}", "IpPermissions": [], "OwnerId": "1"}],
        "NetworkAcls": [{"IsDefault": true}], "Vpcs": [{"IsDefault": false}], "NextToken": "t",
    });
    assert_eq!(
        xml::response("Describe", "r-1", &body),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r-1</requestId><networkAclSet><item><default>true</default></item></networkAclSet><nextToken>t</nextToken><securityGroupInfo><item><groupDescription>a &amp; b &lt; c &gt; &quot;d&quot;&#13;\n\u{fffd}</groupDescription><ipPermissions/><ownerId>1</ownerId></item></securityGroupInfo><vpcSet><item><isDefault>false</isDefault></item></vpcSet></DescribeResponse>\n"
    );
}

#[test]
fn a_refusal_has_ec2s_form_and_status() {
    let (world, layout) = shop();
    let gone = act(
        &world,
        "DeleteRouteTable",
        &[("RouteTableId", "rtb-<gone>")],
    );
    assert_eq!(gone.status, 400);
    assert_eq!(
        gone.body,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>InvalidRouteTableID.NotFound</Code><Message>The routeTable ID 'rtb-&lt;gone&gt;' does not exist</Message></Error></Errors><RequestID>{}</RequestID></Response>\n",
            gone.request
        )
    );
    let fault = |fault, times| {
        world.fail("DeleteRoute", fault, times);
        let table = layout.private_table.as_str();
        let answer = act(
            &world,
            "DeleteRoute",
            &[
                ("RouteTableId", table),
                ("DestinationCidrBlock", "10.77.0.0/16"),
            ],
        );
        (answer.status, code(&answer).to_owned())
    };
    assert_eq!(
        fault(Fault::Throttled, 1),
        (503, "RequestLimitExceeded".into())
    );
    assert_eq!(fault(Fault::ServerError, 1), (500, "InternalError".into()));
    assert_eq!(
        fault(Fault::Denied, 1),
        (403, "UnauthorizedOperation".into())
    );
    assert_eq!(
        fault(Fault::Refused("Unavailable"), 1),
        (503, "Unavailable".into())
    );
    let status = |body: &str| {
        (
            ask(&world, body).status,
            code(&ask(&world, body)).to_owned(),
        )
    };
    assert_eq!(status("Action=RunInstances"), (400, "InvalidAction".into()));
    assert_eq!(status("Version=2016-11-15"), (400, "MissingAction".into()));
    assert_eq!(
        status("Action=DescribeVpcs&Version=2014-01-01"),
        (400, "NoSuchVersion".into())
    );
    assert_eq!(
        status("Action=DescribeVpcs&Colour=blue"),
        (400, "UnknownParameter".into())
    );
}

#[test]
fn a_dry_run_is_recorded_and_changes_nothing() {
    let (world, layout) = shop();
    let before = world.snapshot();
    let entry = [
        ("NetworkAclId", layout.db_acl.as_str()),
        ("RuleNumber", "100"),
        ("Egress", "false"),
        ("DryRun", "true"),
    ];
    let dry = act(&world, "DeleteNetworkAclEntry", &entry);
    assert_eq!((dry.status, code(&dry)), (412, "DryRunOperation"));
    assert_eq!(
        code(&act(&world, "DescribeVpcs", &[("DryRun", "true")])),
        "DryRunOperation"
    );
    assert_eq!(world.snapshot(), before);
    let event: Value = serde_json::from_str(&world.deliver_next()[0]).unwrap();
    assert_eq!(event["detail"]["errorCode"], "Client.DryRunOperation");
    assert_eq!(event["detail"]["requestID"], json!(dry.request));
}

#[test]
fn an_event_tells_who_called_with_what_and_carries_the_id_of_the_answer() {
    let (world, layout) = shop();
    let mut callers = Callers::default();
    callers
        .know(
            "deployer",
            "arn:aws:sts::111122223333:assumed-role/deploy/run-42",
        )
        .unwrap();
    let credentials = Credentials {
        authorization: Some(
            "AWS4-HMAC-SHA256 Credential=deployer/20260302/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0",
        ),
        has_token: true,
        user_agent: Some("Terraform/1.9"),
        source_ip: Some("127.0.0.1"),
    };
    let body = format!(
        "Action=DeleteRoute&RouteTableId={}&DestinationCidrBlock=10.20.0.0/16",
        layout.private_table
    );
    let at = world.with(|inner| inner.now);
    let done = answer(&world, &callers, &credentials, &body, at);
    assert_eq!(done.status, 200);
    assert_eq!(
        between(&done.body, "<requestId>", "</requestId>"),
        done.request.as_str()
    );
    let event: Value = serde_json::from_str(&world.deliver_next()[0]).unwrap();
    let detail = &event["detail"];
    assert_eq!(detail["requestID"], json!(done.request));
    assert_eq!(detail["responseElements"]["requestId"], json!(done.request));
    assert_eq!(
        detail["userIdentity"]["arn"],
        "arn:aws:sts::111122223333:assumed-role/deploy/run-42"
    );
    assert_eq!(
        detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"],
        "arn:aws:iam::111122223333:role/deploy"
    );
    assert_eq!(detail["userAgent"], "Terraform/1.9");
    assert_eq!(
        detail["requestParameters"]["destinationCidrBlock"],
        "10.20.0.0/16"
    );
    assert_eq!(done.told.by, "arn:aws:iam::111122223333:role/deploy");
    let unsigned = answer(&world, &callers, &Credentials::default(), &body, at);
    assert_eq!((unsigned.status, code(&unsigned)), (401, "AuthFailure"));
    for wrong in [
        "alice",
        "arn:aws:s3:::bucket",
        "arn:aws:iam::1:group/x",
        "arn:aws:sts::1:assumed-role/x",
    ] {
        assert!(callers.know("key", wrong).is_err(), "{wrong}");
    }
}

fn made(world: &World, vpc: &VpcId, token: &str, name: &str) -> (String, String) {
    let answer = act(
        world,
        "CreateNetworkAcl",
        &[
            ("VpcId", vpc.as_str()),
            ("ClientToken", token),
            ("TagSpecification.1.ResourceType", "network-acl"),
            ("TagSpecification.1.Tag.1.Key", "Name"),
            ("TagSpecification.1.Tag.1.Value", name),
        ],
    );
    let id = if answer.status == 200 {
        between(&answer.body, "<networkAclId>", "<").to_owned()
    } else {
        String::new()
    };
    (code(&answer).to_owned(), id)
}

#[test]
fn a_client_token_makes_a_call_once_and_never_another() {
    let (world, layout) = shop();
    let (ok, first) = made(&world, &layout.vpc, "t", "x");
    assert_eq!(ok, "ok");
    assert_eq!(
        made(&world, &layout.vpc, "t", "x"),
        ("ok".into(), first.clone())
    );
    assert_eq!(
        made(&world, &layout.vpc, "t", "y").0,
        "IdempotentParameterMismatch"
    );
    assert_ne!(made(&world, &layout.vpc, "u", "x").1, first);
    // A lost answer and its retry make one ACL.
    let count = || world.with(|inner| inner.account.acls.len());
    let before = count();
    world.fail("CreateNetworkAcl", Fault::LostResponse, 1);
    let lost = act(
        &world,
        "CreateNetworkAcl",
        &[("VpcId", layout.vpc.as_str()), ("ClientToken", "v")],
    );
    assert!(lost.lost);
    assert_eq!(lost.told.outcome, "lost-response");
    let again = act(
        &world,
        "CreateNetworkAcl",
        &[("VpcId", layout.vpc.as_str()), ("ClientToken", "v")],
    );
    assert_eq!(code(&again), "ok");
    assert_eq!(count(), before + 1);
    // What is gone is made anew.
    act(&world, "DeleteNetworkAcl", &[("NetworkAclId", &first)]);
    assert_ne!(made(&world, &layout.vpc, "t", "x").1, first);
}

#[test]
fn faults_are_read_as_people_write_them_and_strike_in_order() {
    let (world, layout) = shop();
    let plan = |text: &str| text.parse::<FaultSpec>().map(|fault| fault.apply(&world));
    plan("throttle:DeleteRoute*:2:1").unwrap();
    let delete = || {
        let table = layout.private_table.as_str();
        let answer = act(
            &world,
            "DeleteRoute",
            &[
                ("RouteTableId", table),
                ("DestinationCidrBlock", "10.77.0.0/16"),
            ],
        );
        code(&answer).to_owned()
    };
    let ended: Vec<_> = (0..4).map(|_| delete()).collect();
    assert_eq!(
        ended,
        [
            "InvalidRoute.NotFound",
            "RequestLimitExceeded",
            "RequestLimitExceeded",
            "InvalidRoute.NotFound"
        ]
    );
    plan("RouteAlreadyExists:DeleteRoute").unwrap();
    assert_eq!(delete(), "RouteAlreadyExists");
    plan("lost-request:DeleteRoute").unwrap();
    let before = world.ec2_calls().len();
    assert_eq!(delete(), "RequestLost");
    assert_eq!(world.ec2_calls().len(), before, "it never came");
    for wrong in [
        "throttle",
        "slow:X",
        "throttle:X:many",
        "throttle:X:1:2:3",
        "denied:5%",
        "throttle:101%",
        "stale:3s",
        "stale:3x:5%",
        "NoSuchCode:X",
    ] {
        assert!(plan(wrong).is_err(), "{wrong}");
    }
    for right in [
        "throttle:5%",
        "stale:3s:50%",
        "buckets",
        "lost-response:*:always",
    ] {
        assert!(plan(right).is_ok(), "{right}");
    }
}

#[test]
fn events_travel_as_they_are_told_to() {
    let faults = crate::wire::event_faults("50ms-2s,duplicate=10%,lose=5%,late=20%/1m").unwrap();
    let expected = EventFaults {
        delay_min: Duration::from_millis(50),
        delay_max: Duration::from_secs(2),
        late: 0.2,
        late_by: Duration::from_secs(60),
        duplicate: 0.1,
        lose: 0.05,
    };
    assert_eq!(faults, expected);
    for wrong in ["2s-1s", "soon", "lose=5", "early=5%", "late=5%"] {
        assert!(crate::wire::event_faults(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_nat_gateway_goes_through_its_states_and_holds_its_address_until_it_is_deleted() {
    let (world, layout) = Builder::new(3).build();
    let spare = layout.spare_address.as_str();
    let create = |subnet: &SubnetId, allocation: &str| {
        let answer = act(
            &world,
            "CreateNatGateway",
            &[("SubnetId", subnet.as_str()), ("AllocationId", allocation)],
        );
        between(&answer.body, "<natGatewayId>", "<").to_owned()
    };
    let state = |id: &str| {
        let body = act(&world, "DescribeNatGateways", &[("NatGatewayId.1", id)]).body;
        (between(&body, "<state>", "<").to_owned(), body)
    };
    let first = create(&layout.public_a, spare);
    let second = create(&layout.public_a, spare);
    let third = create(&layout.public_a, "eipalloc-0123456789abcdef0");
    assert_eq!(state(&first).0, "pending");
    world.advance(Duration::from_secs(100));
    assert_eq!(state(&first).0, "available");
    let (failed, body) = state(&second);
    assert_eq!(failed, "failed");
    assert_eq!(
        between(&body, "<failureCode>", "<"),
        "Resource.AlreadyAssociated"
    );
    assert!(state(&third).1.contains("InvalidAllocationID.NotFound"));
    assert_eq!(
        code(&act(&world, "ReleaseAddress", &[("AllocationId", spare)])),
        "InvalidIPAddress.InUse"
    );
    assert_eq!(
        code(&act(
            &world,
            "DeleteNatGateway",
            &[("NatGatewayId", &first)]
        )),
        "ok"
    );
    assert_eq!(state(&first).0, "deleting");
    let waiting = create(&layout.public_b, spare);
    world.advance(Duration::from_secs(100));
    assert_eq!(state(&first).0, "deleted");
    assert!(
        state(&waiting).1.contains("Resource.AlreadyAssociated"),
        "while the old one is deleting"
    );
    let next = create(&layout.public_b, spare);
    world.advance(Duration::from_secs(100));
    assert_eq!(state(&next).0, "available");
    let both = [
        ("SubnetId", layout.public_a.as_str()),
        ("ConnectivityType", "private"),
        ("AllocationId", spare),
    ];
    assert_eq!(
        code(&act(&world, "CreateNatGateway", &both)),
        "InvalidParameter"
    );
}

#[test]
fn the_worlds_clock_goes_by_the_watcher_and_never_back() {
    let (world, _) = shop();
    world.begin_at(instant("2026-11-25T22:00:00Z"));
    let credentials = Credentials::default();
    let at = |text: &str| {
        answer(
            &world,
            &Callers::default(),
            &credentials,
            "Action=DescribeVpcs",
            instant(text),
        )
        .told
        .at
    };
    assert_eq!(at("2026-11-25T22:00:05Z"), instant("2026-11-25T22:00:05Z"));
    assert_eq!(at("2026-11-25T21:00:00Z"), instant("2026-11-25T22:00:05Z"));
}
