//! Pages and filters.

use super::{act, between, code};
use crate::Builder;
use crate::tests::shop;

fn ids(body: &str, tag: &str) -> Vec<String> {
    let open = format!("<{tag}>");
    body.split(&open)
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

#[test]
fn pages_show_everything_once_whatever_is_deleted_between_them() {
    let (world, layout) = shop();
    for number in 0..23 {
        let name = format!("g{number}");
        let parameters = [
            ("GroupName", name.as_str()),
            ("GroupDescription", "d"),
            ("VpcId", layout.vpc.as_str()),
        ];
        assert_eq!(code(&act(&world, "CreateSecurityGroup", &parameters)), "ok");
    }
    let whole = act(&world, "DescribeSecurityGroups", &[]).body;
    let (everything, of_all) = (ids(&whole, "groupName"), ids(&whole, "groupName").len());
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("MaxResults", "10")];
        parameters.extend(token.iter().map(|token| ("NextToken", token.as_str())));
        let page = act(&world, "DescribeSecurityGroups", &parameters).body;
        let names = ids(&page, "groupName");
        sizes.push(names.len());
        if seen.is_empty() {
            // A group that was shown goes before the second page is asked for.
            let gone = names.iter().find(|name| name.starts_with('g')).unwrap();
            let by_name = [("Filter.1.Name", "group-name"), ("Filter.1.Value.1", gone)];
            let shown = act(&world, "DescribeSecurityGroups", &by_name).body;
            let id = ids(&shown, "securityGroupArn").remove(0);
            let id = id.rsplit('/').next().unwrap();
            assert_eq!(
                code(&act(&world, "DeleteSecurityGroup", &[("GroupId", id)])),
                "ok"
            );
        }
        seen.extend(names);
        if !page.contains("<nextToken>") {
            break;
        }
        token = Some(between(&page, "<nextToken>", "</nextToken>").to_owned());
    }
    assert_eq!(sizes, [10, 10, of_all - 20]);
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(seen), sorted(everything));
}

#[test]
fn page_sizes_and_tokens_are_ec2s() {
    let (world, _) = shop();
    let size =
        |action: &str, size: &str| code(&act(&world, action, &[("MaxResults", size)])).to_owned();
    assert_eq!(size("DescribeSecurityGroups", "4"), "InvalidParameterValue");
    assert_eq!(size("DescribeSecurityGroups", "5"), "ok");
    assert_eq!(size("DescribeSecurityGroups", "1000"), "ok");
    assert_eq!(
        size("DescribeSecurityGroups", "1001"),
        "InvalidParameterValue"
    );
    assert_eq!(size("DescribeRouteTables", "101"), "InvalidParameterValue");
    assert_eq!(size("DescribeManagedPrefixLists", "1"), "ok");
    assert_eq!(size("DescribeVpnGateways", "5"), "UnknownParameter");
    let first = act(&world, "DescribeManagedPrefixLists", &[("MaxResults", "1")]).body;
    let token = between(&first, "<nextToken>", "</nextToken>");
    let elsewhere = act(&world, "DescribeSecurityGroups", &[("NextToken", token)]);
    assert_eq!(code(&elsewhere), "InvalidPaginationToken");
    let broken = act(&world, "DescribeManagedPrefixLists", &[("NextToken", "zz")]);
    assert_eq!(code(&broken), "InvalidPaginationToken");
}

#[test]
fn filters_look_into_lists_and_know_wildcards() {
    let (world, layout) = Builder::new(7).with_default_vpc().build();
    let found = |action: &str, tag: &str, name: &str, value: &str| {
        let parameters = [("Filter.1.Name", name), ("Filter.1.Value.1", value)];
        ids(&act(&world, action, &parameters).body, tag)
    };
    let one = |id: &str| vec![id.to_owned()];
    assert_eq!(
        found(
            "DescribeNetworkAcls",
            "networkAclId",
            "association.subnet-id",
            layout.db_a.as_str()
        )[0],
        layout.db_acl.to_string()
    );
    assert_eq!(
        found("DescribeSecurityGroups", "groupName", "group-name", "w?b"),
        one("web")
    );
    assert_eq!(
        found("DescribeVpcs", "vpcId", "is-default", "false"),
        one(layout.vpc.as_str())
    );
    assert_eq!(
        found("DescribeSecurityGroups", "groupName", "tag:Name", "d*b"),
        one("db")
    );
    assert_eq!(
        found("DescribeSecurityGroups", "groupName", "tag:Name", "d\\*b"),
        Vec::<String>::new()
    );
    let main = found(
        "DescribeRouteTables",
        "routeTableId",
        "association.main",
        "true",
    );
    assert!(main.contains(&layout.main_table.to_string()));
    let both = [
        ("Filter.1.Name", "vpc-id"),
        ("Filter.1.Value.1", "vpc-none"),
        ("Filter.1.Value.2", layout.vpc.as_str()),
        ("Filter.2.Name", "default"),
        ("Filter.2.Value.1", "true"),
    ];
    let acls = act(&world, "DescribeNetworkAcls", &both).body;
    assert!(acls.contains(layout.default_acl.as_str()) && !acls.contains(layout.db_acl.as_str()));
    let unknown = act(
        &world,
        "DescribeVpcs",
        &[("Filter.1.Name", "colour"), ("Filter.1.Value.1", "x")],
    );
    assert_eq!(code(&unknown), "InvalidParameterValue");
}
