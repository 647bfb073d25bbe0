//! One output as a text: wrappers, pages, mistakes.

use super::{snapshot, unknown};
use crate::describe::{DescribeError, Described, Problem};
use crate::*;
use serde_json::json;

fn read(text: &str) -> Result<Described, DescribeError> {
    Described::from_json(text, "x.json")
}

fn fails(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_kind_is_the_top_level_key() {
    let text = json!({
        "SecurityGroups": [{ "GroupId": "sg-1" }], "Vpcs": [], "ResponseMetadata": { "RequestId": "1" },
        "$metadata": {}, "NextToken": null,
    });
    let described = Described::from_json(&text.to_string(), "RouteTables.json").unwrap();
    assert_eq!(described.security_groups.len(), 1);
    assert_eq!(
        described.present,
        ["SecurityGroups".to_owned(), "Vpcs".to_owned()].into()
    );
    assert!(described.truncated.is_empty() && described.unknown.is_empty());
}

#[test]
fn recorded_responses_are_unwrapped() {
    let text = json!({ "status_code": 200, "data": { "NetworkAcls": [{ "NetworkAclId": "acl-1", "VpcId": "vpc-1" }] } });
    assert_eq!(read(&text.to_string()).unwrap().network_acls.len(), 1);
}

#[test]
fn syntax_errors_tell_line_and_column() {
    assert_eq!(
        fails("{\n \"Vpcs\": [\n  }"),
        "x.json: line 3, column 3: expected value"
    );
    assert_eq!(
        fails(""),
        "x.json: line 1, column 0: EOF while parsing a value"
    );
}

#[test]
fn members_of_the_wrong_type_are_named_by_path() {
    let text = json!({ "SecurityGroups": [{}, { "IpPermissions": [{ "FromPort": "ssh" }] }] });
    let DescribeError {
        problem: Problem::Member { path, .. },
        ..
    } = read(&text.to_string()).unwrap_err()
    else {
        panic!()
    };
    assert_eq!(path, "SecurityGroups[1].IpPermissions[0].FromPort");
    assert!(fails(r#"{"Vpcs": 3}"#).starts_with("x.json: member Vpcs: invalid type"));
}

#[test]
fn what_is_no_describe_output_is_refused_with_what_it_is() {
    for (text, expected) in [
        ("{}", "an object without members"),
        (
            r#"{"name": "x", "version": 1}"#,
            "its members are name, version",
        ),
        (r#"[{"GroupId": "sg-1"}]"#, "a bare list"),
        ("3", "only 3"),
    ] {
        assert!(fails(text).contains(expected), "{text}: {}", fails(text));
    }
}

#[test]
fn describe_outputs_this_version_does_not_read_are_named() {
    let read = snapshot(&[json!({
        "ReservedInstances": [{ "Id": "1" }], "DhcpOptions": [{ "DhcpOptionsId": "dopt-1" }],
        "TransitGatewayRouteTables": [{ "TransitGatewayRouteTableId": "tgw-rtb-1" }],
    })]);
    assert_eq!(
        unknown(&read),
        [
            "test.json ReservedInstances",
            "test.json TransitGatewayRouteTables"
        ],
        "options of DHCP have no say in which packets pass"
    );
    assert!(read.unknown[1].value.contains("not modelled"));
}

#[test]
fn events_are_no_state() {
    assert!(fails(r#"{"Records": [{"eventName": "DeleteRoute"}]}"#).contains("CloudTrail events"));
}

#[test]
fn a_page_proves_only_what_it_lists() {
    let read = snapshot(&[
        json!({ "NetworkAcls": [{ "NetworkAclId": "acl-1", "VpcId": "vpc-1" }], "NextToken": "more" }),
        json!({ "RouteTables": [], "NextToken": "" }),
        json!({ "Subnets": [] }),
    ]);
    let expected = [
        Coverage::Resource("acl-1".parse().unwrap()),
        Coverage::Kind(Kind::RouteTable),
        Coverage::Subnets,
    ];
    assert_eq!(read.coverage, expected.into());
    assert_eq!(unknown(&read), ["describe output NetworkAcls"]);
}

#[test]
fn account_and_region_are_found() {
    let mut described = read(
        &json!({
            "SecurityGroups": [{ "GroupId": "sg-1", "OwnerId": "111122223333",
                "SecurityGroupArn": "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1" }],
            "VpcPeeringConnections": [{ "VpcPeeringConnectionId": "pcx-1",
                "AccepterVpcInfo": { "OwnerId": "999988887777", "Region": "us-east-1", "VpcId": "vpc-9" } }],
            "TransitGateways": [{ "TransitGatewayId": "tgw-1", "OwnerId": "999988887777" }],
            "PrefixLists": [{ "PrefixListId": "pl-1", "OwnerId": "AWS" }],
            "Subnets": [{ "SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-central-1a" }],
        })
        .to_string(),
    )
    .unwrap();
    let scope = described.scope(None, "x").unwrap();
    assert_eq!(scope.account.unwrap().as_str(), "111122223333");
    assert_eq!(scope.region.unwrap().as_str(), "eu-central-1");
    for (zone, region) in [
        ("us-west-2-lax-1a", "us-west-2"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
    ] {
        described.security_groups.clear();
        described.subnets[0].availability_zone = Some(zone.to_owned());
        assert_eq!(
            described.scope(None, "x").unwrap().region.unwrap().as_str(),
            region
        );
    }
}

#[test]
fn mixed_accounts_and_regions_are_named() {
    let mixed = json!({
        "SecurityGroups": [{ "GroupId": "sg-1", "OwnerId": "111122223333" }],
        "RouteTables": [{ "RouteTableId": "rtb-1", "VpcId": "vpc-1", "OwnerId": "444455556666" }],
    });
    let described = read(&mixed.to_string()).unwrap();
    let error = described.scope(None, "folder").unwrap_err().to_string();
    assert!(
        error.contains("accounts") && error.contains("111122223333 (sg-1), 444455556666 (rtb-1)"),
        "{error}"
    );
    let mine = AccountId::new("111122223333");
    assert_eq!(
        described.scope(Some(&mine), "folder").unwrap().account,
        Some(mine),
        "shared resources are allowed"
    );
    let subnet = |id: &str, zone: &str| json!({ "SubnetId": id, "VpcId": "vpc-1", "AvailabilityZone": zone });
    let mixed = json!({ "Subnets": [subnet("subnet-1", "eu-central-1a"), subnet("subnet-2", "eu-west-1b")] });
    let error = read(&mixed.to_string())
        .unwrap()
        .scope(None, "folder")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("Regions") && error.contains("eu-west-1 (subnet-2)"),
        "{error}"
    );
}

#[test]
fn one_id_with_two_contents_is_taken_out_and_a_repeated_one_is_not() {
    let group = |id: &str, name: &str| {
        json!({ "SecurityGroups": [{ "GroupId": id, "GroupName": name }] }).to_string()
    };
    let mut described = read(&group("sg-1", "a")).unwrap();
    described.merge(read(&group("sg-1", "a")).unwrap());
    described.merge(read(&group("sg-2", "a")).unwrap());
    assert_eq!(described.settle(), []);
    assert!(
        described
            .coverage()
            .contains(&Coverage::Kind(Kind::SecurityGroup))
    );
    described.merge(read(&group("sg-1", "b")).unwrap());
    assert!(described.describes("sg-1"));
    let problem = Problem::Contradiction {
        key: "SecurityGroups".to_owned(),
        id: "sg-1".to_owned(),
    };
    assert_eq!(described.settle(), [problem]);
    let left = Coverage::Resource("sg-2".parse().unwrap());
    assert_eq!(described.coverage(), [left].into());
}

#[test]
fn what_is_lost_with_a_broken_text_is_what_it_names_or_anything() {
    let lost = |text: &str| {
        let error = read(text).unwrap_err();
        Described::keys_lost_with(&error.problem, text)
    };
    assert_eq!(
        lost(r#"{"NetworkAcls": [{"Tags": ["#),
        ["NetworkAcls", "Tags"].into()
    );
    assert_eq!(lost(r#"{"name": "package"}"#), [].into());
    for anything in [
        "",
        "GroupId,VpcId",
        r#"{"Tags": ["#,
        r#"[{"GroupId": "sg-1"}]"#,
    ] {
        assert_eq!(lost(anything).len(), Described::KEYS.len(), "{anything}");
    }
    let mut whole = read(r#"{"NetworkAcls": [], "Vpcs": []}"#).unwrap();
    whole.lose(["NetworkAcls", "Vpcs"]);
    assert_eq!((whole.coverage(), whole.context_read()), Default::default());
}
