//! Each call and the event that it makes: known by all that they have in common, and by no less.

use super::*;

/// One action for each kind of event, and the event's edit.
fn pairs() -> Vec<(Action, Edit)> {
    let (from, to): (RuleKey, RuleKey) = (
        "ingress tcp:22 0.0.0.0/0".parse().unwrap(),
        "ingress tcp:22 10.0.0.0/8".parse().unwrap(),
    );
    let key: EntryKey = "ingress 100".parse().unwrap();
    let entry = NetworkAclEntry::new(
        RuleAction::Allow,
        Traffic::All,
        "10.0.0.0/8".parse().unwrap(),
    );
    let destination: Destination = "10.9.0.0/16".parse().unwrap();
    let target = RouteTarget::InternetGateway("igw-1".into());
    let subnet = AssociationSubject::Subnet("subnet-1".into());
    let group = || GroupRef::Id("sg-1".into());
    vec![
        (
            Action::AuthorizeSecurityGroupRules {
                group: "sg-1".into(),
                direction: Direction::Ingress,
                rules: BTreeMap::from([(to.clone(), RuleDetail::default())]),
            },
            Edit::RuleAdded {
                group: group(),
                rule: to.clone(),
                detail: RuleDetail::default(),
                id: None,
            },
        ),
        (
            Action::ModifySecurityGroupRule {
                group: "sg-1".into(),
                id: "sgr-1".into(),
                from,
                to: to.clone(),
                description: None,
            },
            Edit::RuleModified {
                group: group(),
                id: "sgr-1".into(),
                traffic: to.traffic,
                peer: to.peer.clone(),
                description: None,
            },
        ),
        (
            Action::UpdateSecurityGroupRuleDescriptions {
                group: "sg-1".into(),
                direction: Direction::Ingress,
                rules: BTreeMap::from([(to, Some("office".into()))]),
            },
            Edit::RuleDescribed {
                group: group(),
                rule: RuleRef::Id("sgr-1".into()),
                description: Some("office".into()),
            },
        ),
        (
            Action::ReplaceNetworkAclEntry {
                acl: "acl-1".into(),
                key,
                from: entry.clone(),
                entry: entry.clone(),
            },
            Edit::EntrySet {
                acl: "acl-1".into(),
                key,
                entry: entry.clone(),
            },
        ),
        (
            Action::DeleteNetworkAclEntry {
                acl: "acl-1".into(),
                key,
                entry,
            },
            Edit::EntryRemoved {
                acl: "acl-1".into(),
                key,
            },
        ),
        (
            Action::CreateRoute {
                table: "rtb-1".into(),
                destination: destination.clone(),
                target: target.clone(),
            },
            Edit::RouteSet {
                table: "rtb-1".into(),
                destination: destination.clone(),
                target: target.clone(),
            },
        ),
        (
            Action::DeleteRoute {
                table: "rtb-1".into(),
                destination: destination.clone(),
                from: target,
            },
            Edit::RouteRemoved {
                table: "rtb-1".into(),
                destination,
            },
        ),
        (
            Action::AssociateRouteTable {
                table: "rtb-1".into(),
                subject: subnet.clone(),
            },
            Edit::TableAssociated {
                table: "rtb-1".into(),
                subject: subnet.clone(),
                association: None,
            },
        ),
        (
            Action::ReplaceRouteTableAssociation {
                subject: subnet.clone(),
                from: None,
                table: "rtb-1".into(),
            },
            Edit::TableReassociated {
                association: "rtbassoc-1".into(),
                table: "rtb-1".into(),
                new_association: None,
            },
        ),
        (
            Action::DisassociateRouteTable {
                subject: subnet,
                from: "rtb-1".into(),
            },
            Edit::TableDisassociated {
                association: "rtbassoc-1".into(),
            },
        ),
        (
            Action::EnableVgwRoutePropagation {
                table: "rtb-1".into(),
                gateway: "vgw-1".into(),
            },
            Edit::PropagationSet {
                table: "rtb-1".into(),
                gateway: "vgw-1".into(),
                enabled: true,
            },
        ),
    ]
}

/// What the ids of the events name, of one subnet and one rule.
fn handles(subnet: &str, rule: &str) -> Handles {
    let mut handles = Handles::default();
    let association = AssociationHandle {
        resource: ResourceId::RouteTable("rtb-0".into()),
        subject: AssociationSubject::Subnet(subnet.into()),
    };
    handles
        .associations
        .insert("rtbassoc-1".into(), association);
    let rule = RuleHandle {
        group: "sg-1".into(),
        rule: rule.parse().unwrap(),
    };
    handles.rules.insert("sgr-1".into(), rule);
    handles
}

/// The edit as JSON, with one id or word in another's place.
fn altered(edit: &Edit, from: &str, to: &str) -> Option<Edit> {
    let text = serde_json::to_string(edit).unwrap();
    let other = text.replace(from, to);
    (other != text).then(|| serde_json::from_str(&other).unwrap())
}

#[test]
fn each_call_knows_its_own_event_and_no_other() {
    let known = handles("subnet-1", "ingress tcp:22 10.0.0.0/8");
    let pairs = pairs();
    for (number, (action, edit)) in pairs.iter().enumerate() {
        let is_ours = |edit: &Edit, handles: &Handles| {
            let edits = Edits::Known(vec![edit.clone()]);
            matches(action, &change(action.api(), edits), handles)
        };
        assert!(is_ours(edit, &known), "{edit:?}");
        for (other, (_, theirs)) in pairs.iter().enumerate() {
            assert!(other == number || !is_ours(theirs, &known), "{theirs:?}");
        }
        // Whatever the event names is what we named.
        let mut tried = 0;
        for (from, to) in [
            ("sg-1", "sg-2"),
            ("acl-1", "acl-2"),
            ("rtb-1", "rtb-2"),
            ("igw-1", "igw-2"),
            ("vgw-1", "vgw-2"),
            ("subnet-1", "subnet-2"),
            ("rtbassoc-1", "rtbassoc-2"),
            ("10.0.0.0/8", "10.0.0.0/9"),
            ("10.9.0.0/16", "10.9.0.0/17"),
            ("office", "home"),
        ] {
            let Some(other) = altered(edit, from, to) else {
                continue;
            };
            tried += 1;
            assert!(!is_ours(&other, &known), "{other:?}");
        }
        assert!(tried > 0, "{edit:?}");
    }
}

#[test]
fn an_id_is_what_the_call_was_made_with() {
    let others = handles("subnet-2", "ingress tcp:23 10.0.0.0/8");
    for (action, edit) in pairs() {
        let by_id = matches!(
            edit,
            Edit::RuleDescribed { .. }
                | Edit::TableReassociated { .. }
                | Edit::TableDisassociated { .. }
        );
        let event = change(action.api(), Edits::Known(vec![edit]));
        assert_eq!(matches(&action, &event, &others), !by_id, "{action:?}");
    }
}
