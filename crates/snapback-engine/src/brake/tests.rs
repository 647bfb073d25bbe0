#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::change::Actor;
use crate::policy::{Breaker, Quiet, Span};
use proptest::prelude::*;
use snapback_model::{Digest, Element, SecurityGroupId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn group(number: u32) -> ResourceId {
    SecurityGroupId::new(format!("sg-{number}")).into()
}

fn recent(number: u32, every: i64, now: i64) -> BTreeMap<ResourceId, Timestamp> {
    (0..number)
        .map(|index| (group(index), at(now - i64::from(index) * every)))
        .collect()
}

#[test]
fn the_budget_of_a_resource_counts_an_hour_and_names_what_it_comes_to() {
    let budgets = Budgets::default();
    let none = BTreeMap::new();
    let ask = |times: &[Timestamp], now| {
        let recent = Recent {
            of_resource: times,
            of_account: &none,
        };
        permit(&budgets, recent, &group(1), at(now))
    };
    let five: Vec<Timestamp> = (0..5).map(|minute| at(minute * 60)).collect();
    assert_eq!(ask(&five[..4], 300), Permit::Go);
    let Permit::Stop(stop) = ask(&five, 300) else {
        panic!("the sixth within an hour");
    };
    assert_eq!((stop.count, stop.limit), (6, 5));
    assert!(
        stop.to_string()
            .contains("budgets.reverts-of-a-resource-an-hour")
    );
    assert!(!stop.budget.is_of_account());
    assert_eq!(ask(&five, 3600), Permit::Go, "the first is an hour ago");
    // A clock that is behind does not make a revert uncounted.
    assert!(matches!(ask(&five, -30), Permit::Stop(_)));
}

#[test]
fn the_budget_of_the_account_counts_resources_and_the_same_one_once() {
    let budgets = Budgets::default();
    let ask = |of_account: &BTreeMap<_, _>, resource: u32| {
        let recent = Recent {
            of_resource: &[],
            of_account,
        };
        permit(&budgets, recent, &group(resource), at(0))
    };
    assert_eq!(ask(&recent(24, 1, 0), 99), Permit::Go);
    let Permit::Stop(stop) = ask(&recent(25, 1, 0), 99) else {
        panic!("the 26th resource");
    };
    assert_eq!((stop.count, stop.limit), (26, 25));
    assert!(stop.budget.is_of_account());
    assert_eq!(ask(&recent(25, 1, 0), 3), Permit::Go, "one of them again");
    assert_eq!(ask(&recent(40, 60, 0), 99), Permit::Go, "one a minute");
}

#[test]
fn a_plan_may_be_as_large_as_the_budget_or_as_a_person_allowed() {
    let budgets = Budgets::default();
    assert_eq!(permit_plan(&budgets, 100, None), Permit::Go);
    assert!(matches!(permit_plan(&budgets, 101, None), Permit::Stop(_)));
    assert_eq!(permit_plan(&budgets, 130, Some(130)), Permit::Go);
    assert!(matches!(
        permit_plan(&budgets, 131, Some(130)),
        Permit::Stop(_)
    ));
    assert_eq!(permit_plan(&budgets, 90, Some(5)), Permit::Go, "never less");
}

fn differences(numbers: &[u32]) -> BTreeMap<Element, Digest> {
    let rule = |number: &u32| -> Element {
        Element::Rule(format!("ingress tcp:{number} 0.0.0.0/0").parse().unwrap())
    };
    numbers
        .iter()
        .map(|number| (rule(number), Digest::of(number)))
        .collect()
}

fn by(principal: &str) -> Controller {
    Controller {
        principal: principal.into(),
        via: None,
    }
}

fn undone(minute: i64, principal: &str, numbers: &[u32]) -> Undone {
    Undone {
        at: at(minute * 60),
        incident: format!("inc-{minute}").as_str().into(),
        by: by(principal),
        differences: differences(numbers),
    }
}

#[test]
fn the_same_change_by_the_same_identity_is_a_fight_after_so_many_rounds() {
    let terms = Breaker::default();
    let history = [
        undone(0, "terraform", &[22]),
        undone(1, "ann", &[22]),
        undone(2, "terraform", &[22, 80]),
        undone(3, "terraform", &[443]),
        undone(4, "terraform", &[22]),
    ];
    let ask = |history: &[Undone], who: &str, numbers: &[u32], minute: i64| {
        fight(
            &terms,
            history,
            &by(who),
            &differences(numbers),
            at(minute * 60),
        )
    };
    let found = ask(&history, "terraform", &[22, 8080], 5).unwrap();
    assert_eq!(found.rounds, 3);
    assert_eq!(found.times, [at(0), at(120), at(240)]);
    assert_eq!(
        found.differences,
        differences(&[22]),
        "only what came again"
    );
    assert_eq!(
        ask(&history[..4], "terraform", &[22], 5),
        None,
        "two rounds"
    );
    assert_eq!(ask(&history, "ann", &[22], 5), None, "another identity");
    assert_eq!(
        ask(&history, "terraform", &[443], 5),
        None,
        "another change"
    );
    assert_eq!(
        ask(&history, "terraform", &[22], 60),
        None,
        "the first is no more in the window"
    );
    let changed = BTreeMap::from_iter(
        differences(&[22])
            .into_keys()
            .map(|element| (element, Digest::of(&"another way"))),
    );
    assert_eq!(
        fight(&terms, &history, &by("terraform"), &changed, at(300)),
        None
    );
}

#[test]
fn a_breaker_closes_only_after_a_quiet_time() {
    let terms = Breaker::default();
    let history = [0, 1, 2].map(|minute| undone(minute, "x", &[22]));
    let mut open = fight(&terms, &history, &by("x"), &differences(&[22]), at(200)).unwrap();
    assert!(!open.is_over(&terms, at(200 + 1799)));
    assert!(open.is_over(&terms, at(200 + 1800)));
    open.seen = at(1000);
    assert!(!open.is_over(&terms, at(200 + 1800)));
}

fn actor(agent: &str, via: Option<&str>) -> Actor {
    Actor {
        principal: "arn:aws:iam::1:role/x".into(),
        kind: "AssumedRole".into(),
        session: None,
        person: None,
        on_behalf_via: via.map(Into::into),
        console: false,
        source_ip: None,
        user_agent: Some(agent.into()),
    }
}

#[test]
fn who_applies_or_changes_much_waits_and_who_changes_one_thing_does_not() {
    let terms = Quiet::default();
    let many = Pulse {
        began: at(0),
        last: at(30),
        changes: 10,
    };
    let one = Pulse::new(at(30));
    let cloudformation = "cloudformation.amazonaws.com";
    let cases = [
        (actor("aws-cli/2", None), one, None),
        (actor("aws-cli/2", None), many, Some(Hold::Mass)),
        (
            actor("APN/1.0 HashiCorp/1.0 Terraform/1.9", None),
            one,
            Some(Hold::Apply),
        ),
        (actor("Pulumi/3", None), one, Some(Hold::Apply)),
        (
            actor(cloudformation, Some(cloudformation)),
            one,
            Some(Hold::Stack),
        ),
    ];
    for (actor, pulse, expected) in cases {
        let found = hold(&terms, &actor, &pulse, at(30), at(31));
        assert_eq!(found.map(|(why, _)| why), expected, "{actor:?}");
        if let Some((_, wait)) = found {
            assert_eq!(wait, Duration::from_secs(59));
        }
        assert_eq!(hold(&terms, &actor, &pulse, at(30), at(90)), None, "quiet");
        assert_eq!(
            hold(&terms, &actor, &pulse, at(31 - 600), at(31)),
            None,
            "long enough"
        );
    }
}

#[test]
fn nobody_waits_past_the_longest_even_where_changes_go_on() {
    let terms = Quiet::default();
    let pulse = Pulse {
        began: at(0),
        last: at(580),
        changes: 500,
    };
    let (_, wait) = hold(&terms, &actor("terraform", None), &pulse, at(0), at(580)).unwrap();
    assert_eq!(wait, Duration::from_secs(20));
}

proptest! {
    /// A run of changes is counted alike in whatever order its events come, as long as no event is
    /// later than the quiet time.
    #[test]
    fn a_run_is_counted_in_any_order(mut seconds in prop::collection::vec(0_i64..60, 1..12)) {
        let terms = Quiet { after: Span::seconds(60), ..Quiet::default() };
        let fold = |seconds: &[i64]| {
            let (first, rest) = seconds.split_first().unwrap();
            rest.iter().fold(Pulse::new(at(*first)), |pulse, second| pulse.beaten(at(*second), &terms))
        };
        let given = fold(&seconds);
        prop_assert_eq!(given.changes as usize, seconds.len());
        seconds.sort_unstable();
        prop_assert_eq!(given, fold(&seconds));
    }

    /// More that was reverted never turns a stop into a permit, and counting one more begun revert
    /// moves each count by at most one.
    #[test]
    fn a_stop_stays_with_more_reverts(times in prop::collection::vec(0_i64..3600, 0..12), more in 0_i64..3600) {
        let budgets = Budgets::default();
        let none = BTreeMap::new();
        let ask = |times: &[Timestamp]| {
            permit(&budgets, Recent { of_resource: times, of_account: &none }, &group(1), at(3600))
        };
        let mut times: Vec<Timestamp> = times.into_iter().map(at).collect();
        let before = ask(&times);
        times.push(at(more));
        prop_assert!(before == Permit::Go || ask(&times) != Permit::Go);
    }
}
