//! The keys that say which states are no deviation.

use super::*;
use crate::change::{Actor, Change, Edits};
use snapback_model::{EventId, Region, Route, RouteTarget};

const ALLOWED: &str = "allowed-targets:
  - { tables: [rtb-1, rtb-2], destination: 0.0.0.0/0, targets: [nat-1, eni-2] }
  - { tag: { key: tier, value: private }, destination: '64:ff9b::/96', targets: [nat-1] }
";

#[test]
fn allowed_targets_name_tables_by_id_or_by_tag() {
    let policy = Policy::from_yaml(ALLOWED, "p").unwrap();
    let [by_id, by_tag] = policy.allowed_targets.as_slice() else {
        panic!("{:?}", policy.allowed_targets);
    };
    let all = "0.0.0.0/0".parse().unwrap();
    let tags = Tags::from([("tier".to_owned(), "private".to_owned())]);
    assert!(by_id.covers(&"rtb-2".into(), None, &all));
    assert!(!by_id.covers(&"rtb-3".into(), Some(&tags), &all));
    assert!(!by_id.covers(&"rtb-2".into(), None, &"10.0.0.0/8".parse().unwrap()));
    let nat64 = "64:ff9b::/96".parse().unwrap();
    assert!(by_tag.covers(&"rtb-3".into(), Some(&tags), &nat64));
    assert!(!by_tag.covers(&"rtb-3".into(), Some(&Tags::new()), &nat64));
    assert_eq!(by_id.to_string(), "0.0.0.0/0 to eni-2, nat-1");
    let mut route = Route::created(RouteTarget::NatGateway("nat-1".into()));
    assert!(by_id.allows(&route));
    route.blackhole = true;
    assert!(!by_id.allows(&route), "a dead target is no allowed state");
    let other = Route::created(RouteTarget::NatGateway("nat-2".into()));
    assert!(!by_id.allows(&other));
}

#[test]
fn a_slip_in_these_keys_is_told_with_its_spot() {
    let head = "allowed-targets:\n  - ";
    let table = [
        (
            "{ destination: 0.0.0.0/0, targets: [nat-1] }",
            "line 2, column 5",
            "names no table",
        ),
        (
            "{ tables: [rtb-1], destination: 0.0.0.0/0, targets: [] }",
            "line 2, column 5",
            "allows nothing",
        ),
        (
            "{ tables: [acl-1], destination: 0.0.0.0/0, targets: [nat-1] }",
            "line 2, column 16",
            "rtb-…",
        ),
        (
            "{ tables: [rtb-1], destination: all, targets: [nat-1] }",
            "line 2, column 37",
            "0.0.0.0/0",
        ),
        (
            "{ tables: [rtb-1], destination: 0.0.0.0/0, targets: [i-1] }",
            "line 2, column 58",
            "eni-…",
        ),
        (
            "{ tables: [rtb-1], destination: 0.0.0.0/0, target: nat-1 }",
            "line 2",
            "targets",
        ),
        (
            "{ tables: [rtb-1, rtb-1], destination: 0.0.0.0/0, targets: [nat-1] }",
            "line 2, column 23",
            "twice",
        ),
        (
            "{ tag: { key: aws:x }, destination: 0.0.0.0/0, targets: [nat-1] }",
            "line 2, column 19",
            "AWS",
        ),
    ];
    let experiments = [
        ("experiments: { tag: managedByFIS }", "line 1", "longest"),
        ("experiments: { longest: 2d }", "line 1, column 25", "1h"),
        (
            "experiments: { tag: 'aws:fis', longest: 1h }",
            "line 1, column 21",
            "AWS",
        ),
        (
            "experiments: { longest: 1h, role: x }",
            "line 1, column 29",
            "role",
        ),
    ];
    let allowed = table.map(|(text, spot, word)| (format!("{head}{text}"), spot, word));
    let experiments = experiments.map(|(text, spot, word)| (text.to_owned(), spot, word));
    for (text, spot, word) in allowed.into_iter().chain(experiments) {
        let told = refusal(&text);
        assert!(told.contains(spot) && told.contains(word), "{text}: {told}");
    }
}

fn made(principal: &str, via: Option<&str>) -> Change {
    Change {
        event: EventId::new("event-1"),
        request: None,
        at: Timestamp::UNIX_EPOCH,
        account: None,
        region: Region::new("eu-central-1"),
        api: "ReplaceNetworkAclAssociation".into(),
        actor: Actor {
            principal: principal.into(),
            kind: "AssumedRole".into(),
            session: None,
            person: None,
            on_behalf_via: via.map(str::to_owned),
            console: false,
            source_ip: None,
            user_agent: Some("fis.amazonaws.com".into()),
        },
        touched: BTreeSet::new(),
        edits: Edits::Context,
    }
}

#[test]
fn an_experiment_is_never_accepted_whoever_runs_it() {
    let role = "arn:aws:iam::111122223333:role/experiments";
    let text = format!("trusted: ['{role}']\nexperiments: {{ longest: 90m }}");
    let policy = Policy::from_yaml(&text, "p").unwrap();
    let experiments = policy.experiments.clone().unwrap();
    assert_eq!(experiments.tag.to_string(), "managedByFIS=true");
    assert_eq!(experiments.longest, Span::seconds(5400));
    let fis = made(role, Some("fis.amazonaws.com"));
    assert!(experiments.made(&fis) && !policy.accepts(&fis));
    // A user agent is the caller's word.
    let by_hand = made(role, None);
    assert!(!experiments.made(&by_hand) && policy.accepts(&by_hand));
    let plain = Policy {
        experiments: None,
        ..policy
    };
    assert!(
        plain.accepts(&fis),
        "without the key it is a role like any other"
    );
}
