//! States that are no deviation: allowed targets of a route, experiments that run.

use super::deciding::{Case, verdicts};
use super::*;
use crate::change::Touched;
use crate::fixture::*;
use crate::policy::{Mode, Policy};
use crate::verdict::{Decision, Experiment, Verdict, decide_during};
use std::collections::BTreeMap;

fn failing_over(mode: Mode, target: RouteTarget) -> Case {
    let mut case = Case::new(mode);
    // The id of the fixture is none of EC2's: it is put in afterwards.
    let text =
        "allowed-targets: [{ tables: [rtb-1], destination: 0.0.0.0/0, targets: [nat-1, nat-2] }]";
    case.policy.allowed_targets = Policy::from_yaml(text, "p").unwrap().allowed_targets;
    case.policy.allowed_targets[0].tables = [PRIVATE.into()].into();
    let routes = &mut table(&mut case.live, PRIVATE).routes;
    routes.insert(to("0.0.0.0/0"), Route::created(target));
    case
}

fn nat(id: &str) -> RouteTarget {
    RouteTarget::NatGateway(id.into())
}

#[test]
fn a_route_in_an_allowed_state_is_left_alone_in_every_mode_and_kept_by_the_goal() {
    for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
        let mut case = failing_over(mode, nat("nat-2"));
        let decision = case.decide(PRIVATE);
        assert_eq!(verdicts(&decision), [Verdict::Ignore], "{mode}");
        assert_eq!(decision.goal, None);
        assert!(
            decision.judgements[0].reasons[0]
                .contains("allowed-targets: 0.0.0.0/0 to nat-1, nat-2")
        );
        // Something else is taken back: the goal keeps the fail-over.
        let routes = &mut table(&mut case.live, PRIVATE).routes;
        routes.remove(&to("10.50.0.0/16"));
        let Some(Resource::RouteTable(goal)) = case.decide(PRIVATE).goal else {
            panic!("a goal");
        };
        assert_eq!(goal.routes[&to("0.0.0.0/0")].target, nat("nat-2"));
        assert!(goal.routes.contains_key(&to("10.50.0.0/16")));
    }
}

#[test]
fn a_route_in_no_allowed_state_is_judged_as_ever() {
    let case = failing_over(Mode::Enforce, nat("nat-3"));
    assert_eq!(verdicts(&case.decide(PRIVATE)), [Verdict::Revert]);
    let mut dead = failing_over(Mode::Enforce, nat("nat-2"));
    let routes = &mut table(&mut dead.live, PRIVATE).routes;
    routes.get_mut(&to("0.0.0.0/0")).unwrap().blackhole = true;
    assert_eq!(verdicts(&dead.decide(PRIVATE)), [Verdict::Revert]);
    let mut gone = failing_over(Mode::Enforce, nat("nat-2"));
    table(&mut gone.live, PRIVATE)
        .routes
        .remove(&to("0.0.0.0/0"));
    assert_eq!(verdicts(&gone.decide(PRIVATE)), [Verdict::Revert]);
}

#[test]
fn a_tag_that_only_live_carries_allows_nothing() {
    let mut case = failing_over(Mode::Enforce, nat("nat-2"));
    let allowed = &mut case.policy.allowed_targets[0];
    allowed.tables.clear();
    allowed.tag = Some(crate::policy::TagMatch {
        key: "tier".into(),
        value: None,
    });
    let tag = || Tags::from([("tier".to_owned(), "private".to_owned())]);
    table(&mut case.live, PRIVATE).tags = tag();
    let route = |case: &Case| {
        let judgements = case.decide(PRIVATE).judgements.into_iter();
        let mut of_route = judgements
            .filter(|judgement| judgement.difference.element() == Element::Route(to("0.0.0.0/0")));
        of_route.next().unwrap().verdict
    };
    assert_eq!(route(&case), Verdict::Revert);
    let mut good = account();
    table(&mut good, PRIVATE).tags = tag();
    case.baselines = captured(&good);
    assert_eq!(route(&case), Verdict::Ignore);
}

const HOUR: i64 = 3600;
const FIS: &str = "acl-fis";

/// An ACL under the tag of FIS holds subnet-1; live was read `second` seconds after the beginning.
fn disrupted(second: i64) -> Case {
    let mut case = Case::new(Mode::Enforce);
    let read = Policy::from_yaml("experiments: { longest: 1h }", "p").unwrap();
    case.policy.experiments = read.experiments;
    let mut made = acl(&mut case.live, OTHER_ACL).clone();
    made.id = FIS.into();
    made.tags = Tags::from([("managedByFIS".to_owned(), "true".to_owned())]);
    case.live
        .resources
        .insert(made.id.clone().into(), Resource::NetworkAcl(made));
    move_subnet(&mut case.live, "subnet-1", Some(ACL), Some(FIS));
    case.live.observed_at = at(second);
    case
}

fn event(second: i64, via: Option<&str>) -> Change {
    let mut event = change(second, Vec::new());
    event.actor.on_behalf_via = via.map(str::to_owned);
    event.touched = [Touched::Resource(FIS.parse().unwrap())].into();
    event
}

fn judged(
    case: &Case,
    change: Option<&Change>,
    running: &BTreeMap<Element, Experiment>,
) -> Decision {
    let diff = case.diff(ACL);
    decide_during(
        &diff,
        &[],
        &case.baselines,
        &case.live,
        change,
        &case.policy,
        running,
    )
}

#[test]
fn what_fis_is_known_to_have_done_is_left_alone_for_as_long_as_the_policy_says() {
    let fis = event(10, Some("fis.amazonaws.com"));
    let first = judged(&disrupted(20), Some(&fis), &BTreeMap::new());
    assert_eq!(verdicts(&first), [Verdict::Ignore]);
    assert_eq!(first.goal, None);
    let known = first.experiments;
    assert_eq!(known.values().next().unwrap().since, at(10));
    // Later no event tells of it.
    let later = judged(&disrupted(10 + HOUR), None, &known);
    assert_eq!(
        (verdicts(&later), later.experiments),
        (vec![Verdict::Ignore], known.clone())
    );
    let over = judged(&disrupted(11 + HOUR), None, &known);
    assert_eq!(
        (verdicts(&over), over.experiments.len()),
        (vec![Verdict::Revert], 0)
    );
    // Nor does a later call of the same experiment make it any longer.
    let again = event(HOUR, Some("fis.amazonaws.com"));
    let over = judged(&disrupted(11 + HOUR), Some(&again), &known);
    assert_eq!(verdicts(&over), [Verdict::Revert]);
    let told = over.judgements[0].reasons.join("; ");
    assert!(told.contains("lasted longer than 1h"), "{told}");
}

#[test]
fn what_only_looks_like_an_experiment_is_judged_as_ever() {
    let fis = event(10, Some("fis.amazonaws.com"));
    let known = judged(&disrupted(20), Some(&fis), &BTreeMap::new()).experiments;
    let nothing = BTreeMap::new();
    let revert = |case: &Case, change: Option<&Change>, running: &BTreeMap<_, _>| {
        let decision = judged(case, change, running);
        assert_eq!(verdicts(&decision), [Verdict::Revert]);
        assert_eq!(decision.experiments, BTreeMap::new());
    };
    revert(&disrupted(20), None, &nothing);
    revert(&disrupted(20), Some(&event(10, None)), &nothing);
    revert(
        &disrupted(20),
        Some(&event(10, Some("cloudformation.amazonaws.com"))),
        &nothing,
    );
    // A stranger had a hand in it, by the event or by what the ACL says now.
    revert(&disrupted(30), Some(&event(25, None)), &known);
    let mut opened = disrupted(30);
    let entries = &mut acl(&mut opened.live, FIS).entries;
    entries.insert(key("ingress 1"), entry("allow all 0.0.0.0/0"));
    revert(&opened, None, &known);
    let mut untagged = disrupted(20);
    acl(&mut untagged.live, FIS).tags.clear();
    revert(&untagged, Some(&fis), &nothing);
    let mut unheard = disrupted(20);
    unheard.policy.experiments = None;
    revert(&unheard, Some(&fis), &nothing);
    // An ACL that was there when it was captured is none that an experiment made.
    let mut old = disrupted(20);
    let id: ResourceId = FIS.parse().unwrap();
    let mut approved = baseline_of(&old.live, &id);
    if let Some(Resource::NetworkAcl(acl)) = &mut approved.state {
        acl.subnets.clear();
    }
    old.baselines.by_id.insert(id, approved);
    revert(&old, Some(&fis), &nothing);
}
