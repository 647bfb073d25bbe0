#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::change::{Actor, Change, Edit, Edits, GroupRef, RuleRef};
use crate::plan::Action;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

mod own_events;

#[test]
fn every_code_of_the_rules_has_its_class() {
    let table: [(ErrorClass, &[&str]); 7] = [
        (
            ErrorClass::AlreadyAsWanted,
            &[
                "InvalidPermission.Duplicate",
                "InvalidPermission.NotFound",
                "InvalidSecurityGroupRuleId.NotFound",
                "NetworkAclEntryAlreadyExists",
                "InvalidNetworkAclEntry.NotFound",
                "RouteAlreadyExists",
                "InvalidRoute.NotFound",
                "Resource.AlreadyAssociated",
                "InvalidAssociationID.NotFound",
                "InvalidGroup.Duplicate",
                "Client.InvalidPermission.Duplicate",
            ],
        ),
        (
            ErrorClass::Transient,
            &[
                "RequestLimitExceeded",
                "Client.RequestLimitExceeded",
                "EC2ThrottledException",
                "Unavailable",
                "Server.Unavailable",
                "InternalError",
                "Server.InternalError",
                "ServiceUnavailable",
                "Throttling",
            ],
        ),
        (
            ErrorClass::Denied,
            &[
                "UnauthorizedOperation",
                "Client.UnauthorizedOperation",
                "AuthFailure",
                "AccessDenied",
            ],
        ),
        (
            ErrorClass::Gone,
            &[
                "InvalidGroup.NotFound",
                "InvalidNetworkAclID.NotFound",
                "InvalidRouteTableID.NotFound",
                "InvalidSubnetID.NotFound",
                "NatGatewayNotFound",
                "InvalidPrefixListID.NotFound",
            ],
        ),
        (
            ErrorClass::Quota,
            &[
                "RulesPerSecurityGroupLimitExceeded",
                "NetworkAclEntryLimitExceeded",
                "RouteLimitExceeded",
                "ResourceCountLimitExceeded",
            ],
        ),
        (ErrorClass::Lost, &["Timeout", "Dispatch", "RequestTimeout"]),
        (
            ErrorClass::Invalid,
            &[
                "InvalidParameterValue",
                "MissingParameter",
                "DependencyViolation",
                "InvalidGroupId.Malformed",
                "",
                "SomethingNew",
            ],
        ),
    ];
    for (class, codes) in table {
        for code in codes {
            assert_eq!(classify(code), class, "{code}");
        }
    }
}

fn group(rules: &[(&str, Option<&str>)]) -> Resource {
    let rules = rules.iter().map(|(rule, description)| {
        let detail = RuleDetail {
            description: description.map(str::to_owned),
            tags: None,
        };
        (rule.parse().unwrap(), detail)
    });
    Resource::SecurityGroup(SecurityGroup {
        id: "sg-1".into(),
        name: None,
        description: None,
        vpc: None,
        owner: None,
        tags: None,
        rules: rules.collect(),
    })
}

fn table(routes: &[(&str, Route)], subnets: &[&str]) -> Resource {
    Resource::RouteTable(RouteTable {
        id: "rtb-1".into(),
        vpc: "vpc-1".into(),
        owner: None,
        tags: Tags::new(),
        main: false,
        routes: routes
            .iter()
            .map(|(at, route)| (at.parse().unwrap(), route.clone()))
            .collect(),
        subnets: subnets
            .iter()
            .map(|subnet| SubnetId::from(*subnet))
            .collect(),
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    })
}

fn acl(subnets: &[&str], tags: &[(&str, &str)]) -> Resource {
    Resource::NetworkAcl(NetworkAcl {
        id: "acl-1".into(),
        vpc: "vpc-1".into(),
        owner: None,
        is_default: false,
        tags: tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        entries: BTreeMap::new(),
        subnets: subnets
            .iter()
            .map(|subnet| SubnetId::from(*subnet))
            .collect(),
    })
}

fn differences(wanted: Resource, found: Resource) -> Vec<String> {
    let mut live = Snapshot::empty(Timestamp::UNIX_EPOCH);
    live.resources.insert(found.id(), found);
    match verify(&BTreeMap::from([(wanted.id(), wanted)]), &live) {
        Verification::Equal => Vec::new(),
        Verification::Differs(words) => words,
    }
}

#[test]
fn what_a_read_did_not_tell_and_what_is_not_ours_is_no_difference() {
    let rule = "ingress tcp:22 10.0.0.0/8";
    let mut named = group(&[(rule, None)]);
    if let Resource::SecurityGroup(group) = &mut named {
        group.name = Some("web".into());
        group.tags = Some(Tags::from([("Name".to_owned(), "web".to_owned())]));
    }
    assert_eq!(differences(named, group(&[(rule, None)])), [""; 0]);
    assert_eq!(
        differences(
            acl(&["subnet-1"], &[]),
            acl(&["subnet-1", "subnet-2"], &[("aws:x", "y")])
        ),
        [""; 0]
    );
    let propagated = Route {
        target: RouteTarget::VpnGateway("vgw-1".into()),
        origin: RouteOrigin::Propagated,
        blackhole: false,
    };
    assert_eq!(
        differences(table(&[("10.0.0.0/8", propagated)], &[]), table(&[], &[])),
        [""; 0]
    );
}

#[test]
fn every_remaining_difference_is_named() {
    let nat = Route::created(RouteTarget::NatGateway("nat-1".into()));
    let dead = Route {
        blackhole: true,
        ..nat.clone()
    };
    let cases = [
        (
            group(&[("ingress tcp:22 10.0.0.0/8", None)]),
            group(&[]),
            "missing",
        ),
        (
            group(&[]),
            group(&[("ingress tcp:22 0.0.0.0/0", None)]),
            "still there",
        ),
        (
            group(&[("ingress all ::/0", Some("a"))]),
            group(&[("ingress all ::/0", None)]),
            "differs",
        ),
        (
            acl(&["subnet-1"], &[]),
            acl(&[], &[]),
            "subnet-1 is not in it",
        ),
        (
            acl(&[], &[("Owner", "web")]),
            acl(&[], &[]),
            "tag: Owner is missing",
        ),
        (table(&[], &["subnet-1"]), table(&[], &[]), "not associated"),
        (
            table(&[], &[]),
            table(&[], &["subnet-1"]),
            "still associated",
        ),
        (
            table(&[("0.0.0.0/0", nat.clone())], &[]),
            table(&[("0.0.0.0/0", dead.clone())], &[]),
            "0.0.0.0/0 differs",
        ),
    ];
    for (wanted, found, words) in cases {
        let told = differences(wanted, found);
        assert!(
            told.len() == 1 && told[0].contains(words),
            "{told:?} lacks `{words}`"
        );
    }
    assert_eq!(
        differences(
            table(&[("0.0.0.0/0", dead)], &[]),
            table(&[("0.0.0.0/0", nat)], &[])
        ),
        [""; 0]
    );
}

#[test]
fn a_missing_resource_is_gone_only_where_the_read_covers_it() {
    let wanted = BTreeMap::from([("acl-1".parse().unwrap(), acl(&[], &[]))]);
    let mut live = Snapshot::empty(Timestamp::UNIX_EPOCH);
    assert_eq!(
        verify(&wanted, &live),
        Verification::Differs(vec!["acl-1 was not read".into()])
    );
    live.coverage.insert(Coverage::AclsOf("vpc-1".into()));
    assert_eq!(
        verify(&wanted, &live),
        Verification::Differs(vec!["acl-1 is gone".into()])
    );
}

fn change(api: &str, edits: Edits) -> Change {
    Change {
        event: "event-1".into(),
        request: None,
        at: Timestamp::UNIX_EPOCH,
        account: None,
        region: "eu-central-1".into(),
        api: api.into(),
        actor: Actor {
            principal: "arn:aws:iam::111111111111:role/snapback".into(),
            kind: "AssumedRole".into(),
            session: None,
            person: None,
            on_behalf_via: None,
            console: false,
            source_ip: None,
            user_agent: None,
        },
        touched: BTreeSet::new(),
        edits,
    }
}

#[test]
fn the_event_of_our_own_call_is_told_from_one_that_does_less_more_or_other() {
    let rule = |text: &str| text.parse::<RuleKey>().unwrap();
    let (ssh, web) = (
        rule("ingress tcp:22 0.0.0.0/0"),
        rule("ingress tcp:443 0.0.0.0/0"),
    );
    let ours = Action::RevokeSecurityGroupRules {
        group: "sg-1".into(),
        direction: Direction::Ingress,
        rules: BTreeMap::from([
            (ssh.clone(), Some("sgr-1".into())),
            (web.clone(), Some("sgr-2".into())),
        ]),
    };
    let removed = |group: &str, rule: RuleRef| Edit::RuleRemoved {
        group: GroupRef::Id(group.into()),
        rule,
    };
    let whole = vec![
        removed("sg-1", RuleRef::Id("sgr-1".into())),
        removed("sg-1", RuleRef::Key(web.clone())),
    ];
    let api = "RevokeSecurityGroupIngress";
    let is_ours = |api: &str, edits: Vec<Edit>| {
        matches(
            &ours,
            &change(api, Edits::Known(edits)),
            &Handles::default(),
        )
    };
    assert!(is_ours(api, whole.clone()));
    assert!(!is_ours("RevokeSecurityGroupEgress", whole.clone()));
    assert!(!is_ours(api, whole[..1].to_vec()));
    let other = removed("sg-1", RuleRef::Id("sgr-3".into()));
    assert!(!is_ours(api, vec![whole[0].clone(), other.clone()]));
    assert!(!is_ours(
        api,
        vec![whole[0].clone(), whole[1].clone(), other]
    ));
    assert!(!is_ours(
        api,
        vec![whole[0].clone(), removed("sg-2", RuleRef::Key(web))]
    ));
    assert!(!matches(
        &ours,
        &change(
            api,
            Edits::Unknown {
                why: "omitted".into()
            }
        ),
        &Handles::default()
    ));
}

#[test]
fn an_association_event_is_ours_only_by_the_id_we_called_with() {
    let ours = Action::ReplaceNetworkAclAssociation {
        subnet: "subnet-1".into(),
        from: None,
        acl: "acl-1".into(),
    };
    let mut handles = Handles::default();
    let handle = AssociationHandle {
        resource: ResourceId::NetworkAcl("acl-evil".into()),
        subject: AssociationSubject::Subnet("subnet-1".into()),
    };
    handles.associations.insert("aclassoc-1".into(), handle);
    let moved = |association: &str, acl: &str| {
        let edit = Edit::AclReassociated {
            association: association.into(),
            acl: acl.into(),
            new_association: None,
        };
        matches(
            &ours,
            &change("ReplaceNetworkAclAssociation", Edits::Known(vec![edit])),
            &handles,
        )
    };
    assert!(moved("aclassoc-1", "acl-1"));
    assert!(!moved("aclassoc-1", "acl-evil"));
    assert!(!moved("aclassoc-2", "acl-1"));
}

/// What is removed leaves no tag by which its event could lead to its story.
#[test]
fn the_event_of_a_removal_is_ours_only_by_its_id() {
    let acl = Action::DeleteNetworkAcl {
        acl: "acl-9".into(),
    };
    let table = Action::DeleteRouteTable {
        table: "rtb-9".into(),
    };
    let deleted = |action: &Action, api: &str, id: &str| {
        let resource = crate::change::DeletedRef::Id(id.parse().unwrap());
        let edits = Edits::Known(vec![Edit::Deleted { resource }]);
        matches(action, &change(api, edits), &Handles::default())
    };
    assert!(deleted(&acl, "DeleteNetworkAcl", "acl-9"));
    assert!(!deleted(&acl, "DeleteNetworkAcl", "acl-8"));
    assert!(deleted(&table, "DeleteRouteTable", "rtb-9"));
    assert!(!deleted(&table, "DeleteRouteTable", "rtb-8"));
    assert!(!deleted(&acl, "DeleteRouteTable", "rtb-9"));
}

#[test]
fn a_making_is_ours_by_the_id_it_was_found_under_and_a_group_by_the_marks_it_was_asked_for_with() {
    let story = IncidentId::new("inc-1");
    let marks = |of: &str, incident: &str| {
        Tags::from([
            (SUCCESSOR_OF.to_owned(), of.to_owned()),
            (INCIDENT.to_owned(), incident.to_owned()),
        ])
    };
    let group = |name: &str, tags: Tags| {
        Resource::SecurityGroup(SecurityGroup {
            id: "sg-2".into(),
            name: Some(name.into()),
            description: None,
            vpc: Some("vpc-1".into()),
            owner: None,
            tags: Some(tags),
            rules: BTreeMap::new(),
        })
    };
    let ours = Action::CreateSecurityGroup {
        group: "sg-1".into(),
        name: "web".into(),
        description: "the web".into(),
        vpc: "vpc-1".into(),
        tags: Tags::from([(SUCCESSOR_OF.to_owned(), "sg-1".to_owned())]),
    };
    let is_ours = |resource: Resource, lineage: &Lineage| {
        let edit = Edit::Created {
            resource: Box::new(resource),
        };
        let change = change("CreateSecurityGroup", Edits::Known(vec![edit]));
        made(&ours, &change, &story, lineage)
    };
    let mut found = Lineage::default();
    found.record("sg-1", "sg-2");
    let none = Lineage::default();
    assert!(is_ours(group("web", Tags::new()), &found));
    assert!(is_ours(group("web", marks("sg-1", "inc-1")), &none));
    for stranger in [
        group("web", Tags::new()),
        group("web", marks("sg-1", "inc-2")),
        group("web", marks("sg-3", "inc-1")),
        group("other", marks("sg-1", "inc-1")),
    ] {
        assert!(!is_ours(stranger, &none));
    }
}

/// The second try of a create call makes another where the first one's was deleted meanwhile: the story
/// then found that one alone.
#[test]
fn what_the_first_try_made_is_ours_by_its_marks_though_the_story_found_the_second() {
    let story = IncidentId::new("inc-1");
    let marks = |incident: &str| {
        Tags::from([
            (SUCCESSOR_OF.to_owned(), "rtb-1".to_owned()),
            (INCIDENT.to_owned(), incident.to_owned()),
        ])
    };
    let table = |id: &str, tags: Tags| {
        let table = RouteTable {
            id: id.into(),
            vpc: "vpc-1".into(),
            owner: None,
            tags,
            main: false,
            routes: BTreeMap::new(),
            subnets: BTreeSet::new(),
            gateways: BTreeSet::new(),
            propagating: BTreeSet::new(),
        };
        Resource::RouteTable(table)
    };
    let ours = Action::CreateRouteTable {
        table: "rtb-1".into(),
        vpc: "vpc-1".into(),
        tags: Tags::from([(SUCCESSOR_OF.to_owned(), "rtb-1".to_owned())]),
        token: None,
    };
    let mut found = Lineage::default();
    found.record("rtb-1", "rtb-3");
    let is_ours = |resource: Resource, api: &str| {
        let edit = Edit::Created {
            resource: Box::new(resource),
        };
        made(
            &ours,
            &change(api, Edits::Known(vec![edit])),
            &story,
            &found,
        )
    };
    assert!(is_ours(table("rtb-3", Tags::new()), "CreateRouteTable"));
    assert!(is_ours(table("rtb-2", marks("inc-1")), "CreateRouteTable"));
    assert!(!is_ours(table("rtb-2", Tags::new()), "CreateRouteTable"));
    assert!(!is_ours(table("rtb-2", marks("inc-2")), "CreateRouteTable"));
    assert!(!is_ours(table("rtb-2", marks("inc-1")), "CreateNetworkAcl"));
}
