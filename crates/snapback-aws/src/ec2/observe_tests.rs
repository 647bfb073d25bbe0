//! Which describe calls a scope takes and how their XML is read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::Ec2;
use crate::wire::{Answer, Wire};
use snapback_app::port::{CallError, Observe, Scope};
use snapback_engine::execution::ErrorClass;
use snapback_model::*;

fn observe(wire: &Wire, scope: &Scope) -> Result<Snapshot, CallError> {
    let ec2 = Ec2::new(&wire.sdk(), "123456789012".into(), "eu-central-1".into());
    wire.block_on(ec2.observe(scope))
}

fn reply(api: &str, body: &str) -> Answer {
    Answer::xml(
        200,
        &format!("<{api}Response><requestId>r</requestId>{body}</{api}Response>"),
    )
}

const RULE: &str = "<item><securityGroupRuleId>sgr-1</securityGroupRuleId><groupId>sg-1</groupId>\
    <groupOwnerId>123456789012</groupOwnerId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>\
    <fromPort>22</fromPort><toPort>22</toPort><cidrIpv4>10.0.0.0/8</cidrIpv4><description>ssh</description>\
    <tagSet><item><key>Owner</key><value>ops</value></item></tagSet></item>";
const PEER_RULE: &str = "<item><securityGroupRuleId>sgr-2</securityGroupRuleId><groupId>sg-1</groupId>\
    <groupOwnerId>123456789012</groupOwnerId><isEgress>true</isEgress><ipProtocol>-1</ipProtocol>\
    <fromPort>-1</fromPort><toPort>-1</toPort><referencedGroupInfo><groupId>sg-2</groupId>\
    <userId>123456789012</userId></referencedGroupInfo><tagSet/></item>";

fn rules(items: &str, token: &str) -> Answer {
    reply(
        "DescribeSecurityGroupRules",
        &format!(
            "<securityGroupRuleSet>{items}</securityGroupRuleSet><nextToken>{token}</nextToken>"
        ),
    )
}

#[test]
fn a_group_is_one_call_page_by_page() {
    let wire = Wire::new([rules(RULE, "more"), rules(PEER_RULE, "")]);
    let snapshot = observe(&wire, &Scope::Group("sg-1".into())).unwrap();
    let Some(Resource::SecurityGroup(group)) = snapshot.resources.values().next() else {
        panic!("{snapshot:?}")
    };
    let keys: Vec<String> = group.rules.keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["ingress tcp:22 10.0.0.0/8", "egress all sg-2"]);
    let ssh = &group.rules[&"ingress tcp:22 10.0.0.0/8".parse().unwrap()];
    assert_eq!(ssh.description.as_deref(), Some("ssh"));
    assert_eq!(ssh.tags.as_ref().unwrap()["Owner"], "ops");
    assert_eq!(
        snapshot
            .handles
            .rule_id(&group.id, &"egress all sg-2".parse().unwrap())
            .unwrap()
            .as_str(),
        "sgr-2"
    );
    assert!(snapshot.covers(&group.id.clone().into(), None));
    assert_eq!(snapshot.account.as_ref().unwrap().as_str(), "123456789012");
    assert_eq!(
        wire.requests()[0].form().join(" "),
        "Action=DescribeSecurityGroupRules Filter.1.Name=group-id Filter.1.Value.1=sg-1 MaxResults=1000"
    );
    assert!(
        wire.requests()[1]
            .form()
            .contains(&"NextToken=more".to_owned())
    );
    assert_eq!(wire.requests().len(), 2);
}

#[test]
fn a_group_without_rules_is_asked_for_itself() {
    let group = "<item><ownerId>123456789012</ownerId><groupId>sg-1</groupId><groupName>web</groupName>\
        <groupDescription>d</groupDescription><ipPermissions/><ipPermissionsEgress/><vpcId>vpc-1</vpcId><tagSet/></item>";
    let groups = |items: &str| {
        reply(
            "DescribeSecurityGroups",
            &format!("<securityGroupInfo>{items}</securityGroupInfo>"),
        )
    };
    let empty = Wire::new([rules("", ""), groups(group)]);
    let snapshot = observe(&empty, &Scope::Group("sg-1".into())).unwrap();
    let Some(Resource::SecurityGroup(group)) = snapshot.resources.values().next() else {
        panic!("{snapshot:?}")
    };
    assert!(group.rules.is_empty());
    assert_eq!(group.name.as_deref(), Some("web"));

    let gone = Wire::new([rules("", ""), groups("")]);
    let snapshot = observe(&gone, &Scope::Group("sg-1".into())).unwrap();
    assert!(snapshot.resources.is_empty());
    assert!(
        snapshot.covers(&"sg-1".parse().unwrap(), None),
        "absence proves that it is gone"
    );
}

#[test]
fn acls_keep_entries_of_both_families_icmp_and_associations() {
    let entry =
        |number: u32, rest: &str| format!("<item><ruleNumber>{number}</ruleNumber>{rest}</item>");
    let entries = [
        entry(100, "<protocol>6</protocol><ruleAction>allow</ruleAction><egress>false</egress><cidrBlock>10.0.0.0/8</cidrBlock><portRange><from>22</from><to>23</to></portRange>"),
        entry(110, "<protocol>58</protocol><ruleAction>deny</ruleAction><egress>true</egress><ipv6CidrBlock>::/0</ipv6CidrBlock><icmpTypeCode><code>-1</code><type>128</type></icmpTypeCode>"),
        entry(32767, "<protocol>-1</protocol><ruleAction>deny</ruleAction><egress>false</egress><cidrBlock>0.0.0.0/0</cidrBlock>"),
    ]
    .concat();
    let acl = format!(
        "<networkAclSet><item><networkAclId>acl-1</networkAclId><vpcId>vpc-1</vpcId><default>true</default>\
         <entrySet>{entries}</entrySet><associationSet><item><networkAclAssociationId>aclassoc-1</networkAclAssociationId>\
         <networkAclId>acl-1</networkAclId><subnetId>subnet-1</subnetId></item></associationSet><tagSet/></item></networkAclSet>"
    );
    let wire = Wire::new([reply("DescribeNetworkAcls", &acl)]);
    let snapshot = observe(&wire, &Scope::AclsOf("vpc-1".into())).unwrap();
    let Some(Resource::NetworkAcl(acl)) = snapshot.resources.values().next() else {
        panic!("{snapshot:?}")
    };
    let lines: Vec<String> = acl
        .entries
        .iter()
        .map(|(key, entry)| format!("{key} {entry}"))
        .collect();
    assert_eq!(
        lines,
        [
            "ingress 100 allow tcp:22-23 10.0.0.0/8",
            "egress 110 deny icmpv6:128 ::/0"
        ]
    );
    assert_eq!(
        snapshot.acl_of(&"subnet-1".into()).unwrap().as_str(),
        "acl-1"
    );
    assert!(acl.is_default);
    assert_eq!(
        snapshot
            .handles
            .association_id(
                Kind::NetworkAcl,
                &AssociationSubject::Subnet("subnet-1".into())
            )
            .unwrap()
            .as_str(),
        "aclassoc-1"
    );
    assert!(snapshot.covers(&"acl-7".parse().unwrap(), Some(&"vpc-1".into())));
}

#[test]
fn tables_keep_targets_and_what_is_not_understood() {
    let route = |destination: &str, rest: &str| {
        format!(
            "<item><destinationCidrBlock>{destination}</destinationCidrBlock>{rest}<origin>CreateRoute</origin><state>active</state></item>"
        )
    };
    let routes = [
        "<item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state><origin>CreateRouteTable</origin></item>".to_owned(),
        route("0.0.0.0/0", "<natGatewayId>nat-1</natGatewayId>"),
        route("10.9.0.0/16", "<odbNetworkArn>arn:aws:odb:eu-central-1:1:odb-network/o</odbNetworkArn>"),
    ]
    .concat();
    let table = format!(
        "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet>{routes}</routeSet>\
         <associationSet><item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>rtb-1</routeTableId>\
         <main>true</main><associationState><state>associated</state></associationState></item></associationSet>\
         <propagatingVgwSet><item><gatewayId>vgw-1</gatewayId></item></propagatingVgwSet><tagSet/></item></routeTableSet>"
    );
    let wire = Wire::new([reply("DescribeRouteTables", &table)]);
    let snapshot = observe(&wire, &Scope::Table("rtb-1".into())).unwrap();
    let Some(Resource::RouteTable(table)) = snapshot.resources.values().next() else {
        panic!("{snapshot:?}")
    };
    assert_eq!(
        table.routes[&"0.0.0.0/0".parse().unwrap()].target,
        RouteTarget::NatGateway("nat-1".into())
    );
    assert!(table.main);
    assert_eq!(table.propagating.len(), 1);
    let told = |unknown: &Unknown| {
        unknown.member.contains("OdbNetworkArn") || unknown.value.contains("odb-network")
    };
    assert!(snapshot.unknown.iter().any(told), "{:?}", snapshot.unknown);
    assert!(
        wire.requests()[0]
            .form()
            .contains(&"Filter.1.Name=route-table-id".to_owned())
    );
}

const INTERFACE: &str = "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><vpcId>vpc-1</vpcId>\
    <subnetId>subnet-1</subnetId><availabilityZone>eu-central-1a</availabilityZone><status>in-use</status>\
    <attachment><instanceId>i-1</instanceId><status>attached</status></attachment>\
    <ipv4PrefixSet><item><ipv4Prefix>10.0.0.16/28</ipv4Prefix></item></ipv4PrefixSet></item></networkInterfaceSet>";

/// One call of the whole read, by the request it answers.
fn everything() -> Vec<(&'static str, Answer)> {
    let empty = |part: &'static str| {
        let api = part.trim_start_matches("Action=").trim_end_matches('&');
        (part, reply(api, ""))
    };
    let list = "<prefixListSet><item><prefixListId>pl-1</prefixListId><ownerId>123456789012</ownerId><version>3</version>\
        <maxEntries>5</maxEntries></item><item><prefixListId>pl-aws</prefixListId><ownerId>AWS</ownerId></item></prefixListSet>";
    let entries = "<entrySet><item><cidr>192.0.2.0/24</cidr></item></entrySet>";
    let vpc = "<vpcSet><item><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/16</cidrBlock><isDefault>false</isDefault></item></vpcSet>";
    vec![
        empty("Action=DescribeSecurityGroups&"),
        empty("Action=DescribeSecurityGroupRules&"),
        empty("Action=DescribeNetworkAcls&"),
        empty("Action=DescribeRouteTables&"),
        ("Action=DescribeVpcs&", reply("DescribeVpcs", vpc)),
        empty("Action=DescribeSubnets&"),
        (
            "Action=DescribeNetworkInterfaces&",
            reply("DescribeNetworkInterfaces", INTERFACE),
        ),
        empty("Action=DescribeVpcEndpoints&"),
        empty("Action=DescribeInternetGateways&"),
        empty("Action=DescribeEgressOnlyInternetGateways&"),
        empty("Action=DescribeNatGateways&"),
        empty("Action=DescribeVpnGateways&"),
        empty("Action=DescribeVpcPeeringConnections&"),
        empty("Action=DescribeTransitGatewayAttachments&"),
        (
            "Action=DescribeFlowLogs&",
            reply(
                "DescribeFlowLogs",
                "<flowLogSet><item><flowLogId>fl-1</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>vpc-1</resourceId>\
                 <trafficType>ALL</trafficType><deliverLogsStatus>SUCCESS</deliverLogsStatus></item></flowLogSet>",
            ),
        ),
        (
            "Action=DescribeVpcBlockPublicAccessOptions&",
            reply(
                "DescribeVpcBlockPublicAccessOptions",
                "<vpcBlockPublicAccessOptions><awsAccountId>123456789012</awsAccountId><awsRegion>eu-central-1</awsRegion>\
                 <state>update-complete</state><internetGatewayBlockMode>block-ingress</internetGatewayBlockMode>\
                 </vpcBlockPublicAccessOptions>",
            ),
        ),
        (
            "Action=DescribeVpcBlockPublicAccessExclusions&",
            reply(
                "DescribeVpcBlockPublicAccessExclusions",
                "<vpcBlockPublicAccessExclusionSet><item><exclusionId>vpcbpa-exclude-1</exclusionId>\
                 <internetGatewayExclusionMode>allow-egress</internetGatewayExclusionMode>\
                 <resourceArn>arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1</resourceArn><state>create-complete</state></item>\
                 </vpcBlockPublicAccessExclusionSet>",
            ),
        ),
        (
            "Action=DescribeStaleSecurityGroups&",
            reply(
                "DescribeStaleSecurityGroups",
                "<staleSecurityGroupSet><item><groupId>sg-1</groupId><vpcId>vpc-1</vpcId><staleIpPermissions><item>\
                 <groups><item><groupId>sg-9</groupId></item></groups></item></staleIpPermissions></item></staleSecurityGroupSet>",
            ),
        ),
        (
            "Action=DescribeTags&",
            reply(
                "DescribeTags",
                "<tagSet><item><key>Name</key><value>web-1</value><resourceId>i-1</resourceId><resourceType>instance</resourceType>\
                 </item></tagSet>",
            ),
        ),
        (
            "Action=DescribeManagedPrefixLists&",
            reply("DescribeManagedPrefixLists", list),
        ),
        (
            "Action=GetManagedPrefixListEntries&",
            reply("GetManagedPrefixListEntries", entries),
        ),
    ]
}

#[test]
fn the_whole_account_is_read_with_its_context() {
    let wire = Wire::matching(everything());
    let snapshot = observe(&wire, &Scope::Everything).unwrap();
    for kind in Kind::ALL {
        assert!(snapshot.coverage.contains(&Coverage::Kind(kind)));
    }
    assert!(snapshot.coverage.contains(&Coverage::Subnets));
    assert_eq!(snapshot.topology.vpcs.len(), 1);
    let list = |id: &str| &snapshot.topology.prefix_lists[&PrefixListId::from(id)];
    assert_eq!(list("pl-1").entries.as_ref().unwrap().len(), 1);
    assert_eq!(
        list("pl-aws").entries,
        None,
        "not read, hence unknown, not empty"
    );
    let asked = wire.requests();
    assert_eq!(asked.len(), 21);
    let tables = asked
        .iter()
        .find(|sent| sent.body.contains("DescribeRouteTables"))
        .unwrap();
    assert!(tables.form().contains(&"MaxResults=100".to_owned()));
}

#[test]
fn prefix_lists_are_read_by_id_with_the_entries_of_those_that_people_keep() {
    let wire = Wire::matching(everything());
    let ids = ["pl-1", "pl-aws"].map(PrefixListId::from);
    let snapshot = observe(&wire, &Scope::Lists(ids.into())).unwrap();
    let entries = |id: &str| {
        snapshot.topology.prefix_lists[&PrefixListId::from(id)]
            .entries
            .clone()
    };
    assert_eq!(entries("pl-1").unwrap().len(), 1);
    assert_eq!(entries("pl-aws"), None);
    assert!(snapshot.coverage.is_empty() && snapshot.topology.read.is_empty());
    let asked = wire.requests();
    assert_eq!(asked.len(), 2, "one call, and one for the entries of pl-1");
    let form = asked[0].form();
    assert!(
        form.contains(&"Filter.1.Name=prefix-list-id".to_owned()),
        "{form:?}"
    );
}

#[test]
fn one_denied_read_is_no_half_snapshot() {
    let mut answers = everything();
    answers[6].1 = Answer::ec2_error(403, "UnauthorizedOperation");
    let error = observe(&Wire::matching(answers), &Scope::Everything).unwrap_err();
    assert_eq!(error.class, ErrorClass::Denied);
    assert_eq!(error.operation, "DescribeNetworkInterfaces");
}

#[test]
fn what_watches_the_network_is_read_with_it() {
    let wire = Wire::matching(everything());
    let topology = observe(&wire, &Scope::Everything).unwrap().topology;
    assert_eq!(topology.read, ContextKind::ALL.into());
    assert!(topology.flow_logs["fl-1"].active);
    let block = topology.block_public_access.unwrap();
    assert_eq!(block.mode, BlockMode::Ingress);
    assert_eq!(block.exclusions["vpcbpa-exclude-1"].resource, "vpc-1");
    let stale = &topology.stale_references[&"sg-1".into()];
    assert_eq!(*stale, ["sg-9".into()].into());
    let interface = &topology.interfaces[&"eni-1".into()];
    assert_eq!(interface.instance_name.as_deref(), Some("web-1"));
    assert_eq!(interface.attached, Some(true));
    assert_eq!(interface.prefixes.len(), 1);
    let sent = |api: &str| {
        let part = format!("Action={api}&");
        let asked = wire.requests();
        asked
            .iter()
            .find(|sent| sent.body.contains(&part))
            .unwrap()
            .form()
            .join(" ")
    };
    assert!(sent("DescribeStaleSecurityGroups").contains("MaxResults=255"));
    assert!(sent("DescribeTags").contains("Filter.2.Name=key Filter.2.Value.1=Name"));
}

#[test]
fn context_that_is_denied_or_not_known_here_is_a_gap() {
    for (part, status, code, gap) in [
        (
            "DescribeFlowLogs&",
            403,
            "UnauthorizedOperation",
            Some(ContextKind::FlowLogs),
        ),
        (
            "DescribeVpcBlockPublicAccessOptions&",
            400,
            "UnsupportedOperation",
            Some(ContextKind::BlockPublicAccess),
        ),
        (
            "DescribeVpcBlockPublicAccessExclusions&",
            400,
            "InvalidAction",
            Some(ContextKind::BlockPublicAccess),
        ),
        (
            "DescribeStaleSecurityGroups&",
            503,
            "RequestLimitExceeded",
            Some(ContextKind::StaleReferences),
        ),
        ("DescribeTags&", 403, "UnauthorizedOperation", None),
    ] {
        let mut answers = everything();
        let answer = answers
            .iter_mut()
            .find(|(wanted, _)| wanted.ends_with(part));
        answer.unwrap().1 = Answer::ec2_error(status, code);
        let snapshot = observe(&Wire::matching(answers), &Scope::Everything).unwrap();
        let read = &snapshot.topology.read;
        let missing: Vec<ContextKind> = ContextKind::ALL
            .into_iter()
            .filter(|kind| !read.contains(kind))
            .collect();
        assert_eq!(missing, gap.into_iter().collect::<Vec<_>>(), "{part}");
        assert!(
            snapshot
                .coverage
                .contains(&Coverage::Kind(Kind::SecurityGroup))
        );
    }
    let mut answers = everything();
    let logs = answers
        .iter_mut()
        .find(|(part, _)| part.ends_with("DescribeFlowLogs&"));
    logs.unwrap().1 = Answer::ec2_error(503, "RequestLimitExceeded");
    let error = observe(&Wire::matching(answers), &Scope::Everything).unwrap_err();
    assert_eq!(
        error.class,
        ErrorClass::Transient,
        "for the moment is no gap: it is tried again"
    );
}

#[test]
fn one_group_of_the_guard_is_still_one_call_and_proves_no_context() {
    let wire = Wire::new([rules(RULE, "")]);
    let snapshot = observe(&wire, &Scope::Group("sg-1".into())).unwrap();
    assert_eq!(wire.requests().len(), 1);
    assert_eq!(snapshot.topology, Topology::default());
}
