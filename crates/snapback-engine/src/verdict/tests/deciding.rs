//! What is done about a difference, and why.

use super::*;
use crate::change::{GroupRef, RuleRef};
use crate::diff::{self, Difference, ResourceDiff, Side};
use crate::finding::{Finding, FindingCode, Harm, Severity};
use crate::fixture::*;
use crate::policy::{Mode, Policy, TagMatch};
use crate::verdict::{Decision, Verdict, decide};
use proptest::prelude::*;

/// A decision about one resource: baselines of the fixture, what was done since, findings by hand.
pub(super) struct Case {
    pub(super) baselines: Baselines,
    pub(super) live: Snapshot,
    pub(super) policy: Policy,
    pub(super) findings: Vec<(Element, Severity, Harm)>,
}

impl Case {
    pub(super) fn new(mode: Mode) -> Self {
        let live = account();
        Self {
            baselines: captured(&live),
            live,
            policy: Policy {
                mode,
                ..Policy::default()
            },
            findings: Vec::new(),
        }
    }

    pub(super) fn diff(&self, id: &str) -> ResourceDiff {
        let only = BTreeSet::from([id.parse().unwrap()]);
        diff::diff(&self.baselines, &self.live, Some(&only)).remove(0)
    }

    pub(super) fn decide(&self, id: &str) -> Decision {
        let diff = self.diff(id);
        let finding = |(element, severity, harm): &(Element, Severity, Harm)| Finding {
            code: FindingCode::SgWorldSensitive,
            severity: *severity,
            harm: *harm,
            subject: diff.resource.clone().into(),
            since: Default::default(),
            element: element.clone(),
            meaning: "somebody gets in".into(),
            evidence: vec![],
            advice: String::new(),
        };
        let findings: Vec<Finding> = self.findings.iter().map(finding).collect();
        decide(
            &diff,
            &findings,
            &self.baselines,
            &self.live,
            None,
            &self.policy,
        )
    }

    fn harm(&mut self, element: Element) {
        self.findings
            .push((element, Severity::Critical, Harm::Opens));
    }
}

pub(super) fn verdicts(decision: &Decision) -> Vec<Verdict> {
    decision
        .judgements
        .iter()
        .map(|judgement| judgement.verdict)
        .collect()
}

const SSH: &str = "ingress tcp:22 0.0.0.0/0";
const HARMLESS: &str = "ingress tcp:22 10.9.0.0/16";

fn opened(mode: Mode) -> Case {
    let mut case = Case::new(mode);
    rules(&mut case.live, WEB).insert(rule(SSH), detail(None));
    case.harm(Element::Rule(rule(SSH)));
    case
}

#[test]
fn harm_is_reverted_and_the_goal_is_the_baseline() {
    let case = opened(Mode::Enforce);
    let decision = case.decide(WEB);
    assert_eq!(verdicts(&decision), [Verdict::Revert]);
    assert_eq!(decision.judgements[0].reasons[0], "somebody gets in");
    assert_eq!(
        decision.goal.as_ref(),
        case.baselines.state(&WEB.parse().unwrap())
    );
    assert_eq!((decision.fallback, decision.mode), (None, Mode::Enforce));
}

#[test]
fn a_harmless_addition_is_told_and_stays_also_when_harm_is_taken_back_later() {
    let mut case = Case::new(Mode::Enforce);
    rules(&mut case.live, WEB).insert(rule(HARMLESS), detail(None));
    let alone = case.decide(WEB);
    assert_eq!(
        (verdicts(&alone), alone.goal.clone()),
        (vec![Verdict::Alert], None)
    );
    assert_eq!(alone.outstanding().len(), 1);
    rules(&mut case.live, WEB).insert(rule(SSH), detail(None));
    case.harm(Element::Rule(rule(SSH)));
    let later = case.decide(WEB);
    assert_eq!(verdicts(&later), [Verdict::Revert, Verdict::Alert]);
    assert_eq!(
        later.outstanding(),
        alone.outstanding(),
        "told before, not told again"
    );
    let Some(Resource::SecurityGroup(goal)) = later.goal else {
        panic!("goal")
    };
    assert!(goal.rules.contains_key(&rule(HARMLESS)) && !goal.rules.contains_key(&rule(SSH)));
}

#[test]
fn observe_changes_nothing_and_shows_the_goal() {
    let decision = opened(Mode::Observe).decide(WEB);
    assert_eq!(verdicts(&decision), [Verdict::Alert]);
    assert_eq!(
        decision.judgements[0].reasons[0],
        "observe mode: would revert because somebody gets in"
    );
    assert!(decision.goal.is_some());
}

#[test]
fn strict_takes_back_everything_that_can_be() {
    let mut case = Case::new(Mode::Strict);
    rules(&mut case.live, WEB).insert(rule(HARMLESS), detail(None));
    rules(&mut case.live, WEB).insert(rule("ingress tcp:443 0.0.0.0/0"), detail(Some("mine")));
    let decision = case.decide(WEB);
    assert_eq!(verdicts(&decision), [Verdict::Revert, Verdict::Revert]);
    assert_eq!(
        decision.goal.as_ref(),
        case.baselines.state(&WEB.parse().unwrap())
    );
}

#[test]
fn a_mode_of_a_kind_counts_for_that_kind() {
    let mut case = opened(Mode::Observe);
    case.policy.kinds = [(Kind::SecurityGroup, Mode::Enforce)].into();
    assert_eq!(case.decide(WEB).verdict(), Verdict::Revert);
}

#[test]
fn a_finding_below_high_or_without_harm_leaves_an_addition() {
    for (severity, harm) in [
        (Severity::Medium, Harm::Opens),
        (Severity::Critical, Harm::None),
    ] {
        let mut case = opened(Mode::Enforce);
        case.findings = vec![(Element::Rule(rule(SSH)), severity, harm)];
        let decision = case.decide(WEB);
        assert_eq!(verdicts(&decision), [Verdict::Alert]);
        assert_eq!(decision.judgements[0].findings.len(), 1);
    }
}

#[test]
fn an_approved_element_taken_away_or_changed_comes_back_without_any_finding() {
    type Change = Box<dyn Fn(&mut Snapshot)>;
    let table: Vec<(&str, Change)> = vec![
        (
            WEB,
            Box::new(|live| {
                rules(live, WEB).remove(&rule("ingress tcp:443 0.0.0.0/0"));
            }),
        ),
        (
            ACL,
            Box::new(|live| {
                acl(live, ACL).entries.remove(&key("ingress 100"));
            }),
        ),
        (
            ACL,
            Box::new(|live| {
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 100"), entry("allow tcp:443 0.0.0.0/0"));
            }),
        ),
        (
            ACL,
            Box::new(|live| move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL))),
        ),
        (
            PRIVATE,
            Box::new(|live| {
                table(live, PRIVATE).routes.remove(&to("0.0.0.0/0"));
            }),
        ),
        (
            PRIVATE,
            Box::new(|live| {
                let route = Route::created(RouteTarget::InternetGateway("igw-1".into()));
                table(live, PRIVATE).routes.insert(to("0.0.0.0/0"), route);
            }),
        ),
        (
            PRIVATE,
            Box::new(|live| move_subnet(live, "subnet-1", Some(PRIVATE), None)),
        ),
        (
            PRIVATE,
            Box::new(|live| move_subnet(live, "subnet-2", None, Some(PRIVATE))),
        ),
        (
            PRIVATE,
            Box::new(|live| {
                table(live, PRIVATE).propagating.clear();
            }),
        ),
        (
            PRIVATE,
            Box::new(|live| {
                table(live, PRIVATE).gateways.insert("igw-1".into());
            }),
        ),
        (
            MAIN,
            Box::new(|live| {
                table(live, MAIN).main = false;
                table(live, PRIVATE).main = true;
            }),
        ),
    ];
    for (id, change) in table {
        let mut case = Case::new(Mode::Enforce);
        change(&mut case.live);
        let decision = case.decide(id);
        assert_eq!(
            verdicts(&decision),
            [Verdict::Revert],
            "{:?}",
            decision.judgements
        );
        let goal = decision.goal.unwrap();
        assert_eq!(Some(&goal), case.baselines.state(&id.parse().unwrap()));
    }
}

#[test]
fn a_rule_rewritten_in_place_goes_back_even_if_its_new_form_is_harmless() {
    let mut case = Case::new(Mode::Enforce);
    let (old, new) = (
        rule("ingress tcp:443 0.0.0.0/0"),
        rule("ingress tcp:443-444 10.0.0.0/8"),
    );
    let handle = |rule: &RuleKey| RuleHandle {
        group: WEB.into(),
        rule: rule.clone(),
    };
    let baseline = case.baselines.by_id.get_mut(&WEB.parse().unwrap()).unwrap();
    baseline.handles.rules.insert("sgr-1".into(), handle(&old));
    let detail = rules(&mut case.live, WEB).remove(&old).unwrap();
    rules(&mut case.live, WEB).insert(new.clone(), detail);
    case.live.handles.rules.insert("sgr-1".into(), handle(&new));
    let decision = case.decide(WEB);
    assert_eq!(verdicts(&decision), [Verdict::Revert, Verdict::Revert]);
    case.live.handles.rules.clear();
    assert_eq!(
        case.decide(WEB)
            .judgements
            .iter()
            .filter(|j| j.verdict == Verdict::Alert)
            .count(),
        1
    );
}

#[test]
fn text_is_told_and_never_fought_also_when_its_group_is_put_back() {
    let mut case = Case::new(Mode::Enforce);
    rules(&mut case.live, WEB).insert(rule("ingress tcp:443 0.0.0.0/0"), detail(Some("mine")));
    assert_eq!(verdicts(&case.decide(WEB)), [Verdict::Alert]);
    rules(&mut case.live, WEB).insert(rule(SSH), detail(None));
    case.harm(Element::Rule(rule(SSH)));
    let decision = case.decide(WEB);
    assert_eq!(verdicts(&decision), [Verdict::Revert, Verdict::Alert]);
    let Some(Resource::SecurityGroup(goal)) = decision.goal else {
        panic!("goal")
    };
    let kept = &goal.rules[&rule("ingress tcp:443 0.0.0.0/0")];
    assert_eq!(kept.description.as_deref(), Some("mine"));
}

#[test]
fn what_cannot_be_put_back_is_told_with_the_reason_in_every_mode() {
    type Change = Box<dyn Fn(&mut Case)>;
    let default_gone = |case: &mut Case| {
        table(&mut case.live, PRIVATE)
            .routes
            .remove(&to("0.0.0.0/0"));
    };
    let gateway = |case: &mut Case, id: &str, kind, state: Option<&str>| {
        let gateway = Gateway {
            state: state.map(Into::into),
            ..Gateway::new(id, kind)
        };
        case.live.topology.gateways.insert(id.into(), gateway);
    };
    let table: Vec<(&str, &str, Change)> = vec![
        (
            WEB,
            "recreate: { security-group: false }",
            Box::new(|case| {
                case.live.resources.remove(&WEB.parse().unwrap());
                case.policy.recreate.security_group = false;
            }),
        ),
        (
            WEB,
            "no baseline knows it",
            Box::new(|case| {
                case.baselines.by_id.remove(&WEB.parse().unwrap());
            }),
        ),
        (
            WEB,
            "its deletion was accepted",
            Box::new(|case| {
                case.baselines
                    .by_id
                    .get_mut(&WEB.parse().unwrap())
                    .unwrap()
                    .state = None;
            }),
        ),
        (
            WEB,
            "never reviewed",
            Box::new(|case| {
                let baseline = case.baselines.by_id.get_mut(&WEB.parse().unwrap()).unwrap();
                baseline.provenance.origin = Origin::Unreviewed;
                rules(&mut case.live, WEB).clear();
            }),
        ),
        (
            WEB,
            "the group sg-gone that the rule refers to is gone",
            Box::new(|case| {
                let key = rule("ingress all sg-gone");
                rules(&mut case.live, WEB).insert(key.clone(), detail(None));
                case.baselines = captured(&case.live);
                rules(&mut case.live, WEB).remove(&key);
            }),
        ),
        (
            PRIVATE,
            "only the state of its target",
            Box::new(|case| {
                table(&mut case.live, PRIVATE)
                    .routes
                    .get_mut(&to("10.50.0.0/16"))
                    .unwrap()
                    .blackhole = true;
            }),
        ),
        (
            PRIVATE,
            "nat-1 is dead (state deleted)",
            Box::new(move |case| {
                default_gone(case);
                gateway(case, "nat-1", GatewayKind::Nat, Some("deleted"));
            }),
        ),
        (
            PRIVATE,
            "a route to it is a blackhole now",
            Box::new(move |case| {
                default_gone(case);
                let dead = Route {
                    blackhole: true,
                    ..Route::created(RouteTarget::NatGateway("nat-1".into()))
                };
                table(&mut case.live, MAIN)
                    .routes
                    .insert(to("192.0.2.0/24"), dead);
            }),
        ),
        (
            PRIVATE,
            "dead already when the route was approved",
            Box::new(move |case| {
                table(&mut case.live, PRIVATE)
                    .routes
                    .get_mut(&to("0.0.0.0/0"))
                    .unwrap()
                    .blackhole = true;
                case.baselines = captured(&case.live);
                default_gone(case);
            }),
        ),
        (
            PRIVATE,
            "vgw-1 is not attached",
            Box::new(move |case| {
                table(&mut case.live, PRIVATE).propagating.clear();
                gateway(case, "vgw-1", GatewayKind::Vpn, Some("available"));
            }),
        ),
        (
            PRIVATE,
            "ModifyVpcEndpoint",
            Box::new(|case| {
                let route = Route::created(RouteTarget::GatewayEndpoint("vpce-1".into()));
                table(&mut case.live, PRIVATE)
                    .routes
                    .insert(to("pl-1"), route);
            }),
        ),
        (
            PRIVATE,
            "does not know",
            Box::new(|case| {
                let route = Route::created(RouteTarget::Unrecognized("odb".into()));
                table(&mut case.live, PRIVATE)
                    .routes
                    .insert(to("192.0.2.0/24"), route);
            }),
        ),
        (
            PRIVATE,
            "made after the capture",
            Box::new(|case| {
                move_subnet(&mut case.live, "subnet-2", None, Some(PRIVATE));
                case.baselines.topology.subnets.remove(&"subnet-2".into());
            }),
        ),
        (
            ACL,
            "subnet-1 does not exist any more",
            Box::new(|case| {
                move_subnet(&mut case.live, "subnet-1", Some(ACL), None);
                case.live.topology.subnets.clear();
                case.live.coverage.remove(&Coverage::Subnets);
            }),
        ),
        (
            PRIVATE,
            "subnet-1 does not exist any more",
            Box::new(|case| {
                move_subnet(&mut case.live, "subnet-1", Some(PRIVATE), None);
                case.live.topology.subnets.clear();
            }),
        ),
    ];
    for (id, why, change) in table {
        for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
            let mut case = Case::new(mode);
            change(&mut case);
            let decision = case.decide(id);
            assert!(
                verdicts(&decision)
                    .iter()
                    .all(|verdict| *verdict == Verdict::Alert),
                "{why}: {decision:?}"
            );
            let first = &decision.judgements[0].reasons[0];
            assert!(first.contains(why), "{why}: {first}");
            assert_eq!(decision.goal, None);
        }
    }
}

#[test]
fn what_is_out_of_scope_is_ignored_with_the_reason() {
    let mut case = opened(Mode::Strict);
    case.policy.vpcs = ["vpc-2".into()].into();
    let decision = case.decide(WEB);
    assert_eq!(
        (verdicts(&decision), decision.goal.clone()),
        (vec![Verdict::Ignore], None)
    );
    assert!(decision.judgements[0].reasons[0].contains("vpc-1 is not among"));
}

#[test]
fn only_an_approved_opt_out_tag_exempts() {
    let tagged = |resource: &mut Resource| {
        let Resource::SecurityGroup(group) = resource else {
            panic!("group")
        };
        group
            .tags
            .get_or_insert_default()
            .insert("snapback".into(), "exempt".into());
    };
    let mut case = opened(Mode::Enforce);
    case.policy.opt_out = Some(TagMatch {
        key: "snapback".into(),
        value: Some("exempt".into()),
    });
    tagged(case.live.resources.get_mut(&WEB.parse().unwrap()).unwrap());
    let decision = case.decide(WEB);
    assert_eq!(decision.verdict(), Verdict::Revert);
    assert!(
        decision.judgements[0]
            .reasons
            .iter()
            .any(|reason| reason.contains("exempts nothing"))
    );
    let baseline = case.baselines.by_id.get_mut(&WEB.parse().unwrap()).unwrap();
    tagged(baseline.state.as_mut().unwrap());
    let exempt = case.decide(WEB);
    assert_eq!(exempt.verdict(), Verdict::Ignore);
    assert!(exempt.judgements[0].reasons[0].contains("snapback=exempt"));
}

#[test]
fn who_made_it_is_told_where_the_event_names_it() {
    let mut case = opened(Mode::Enforce);
    rules(&mut case.live, WEB).insert(rule(HARMLESS), detail(None));
    let edit = Edit::RuleRemoved {
        group: GroupRef::Id(WEB.into()),
        rule: RuleRef::Key(rule(SSH)),
    };
    let event = change(3, vec![edit]);
    let diff = case.diff(WEB);
    let decision = decide(
        &diff,
        &[],
        &case.baselines,
        &case.live,
        Some(&event),
        &case.policy,
    );
    let told: Vec<bool> = decision
        .judgements
        .iter()
        .map(|judgement| {
            judgement
                .reasons
                .iter()
                .any(|reason| reason.contains("role/deploy"))
        })
        .collect();
    assert_eq!(told, [true, false], "10.9.0.0/16 was somebody else");
}

#[test]
fn an_entry_that_would_keep_the_harm_by_its_order_is_taken_back_too() {
    // The deny is invisible in live behind the harmful entry, and would cut without it.
    let mut case = Case::new(Mode::Enforce);
    let entries = &mut acl(&mut case.live, ACL).entries;
    entries.insert(key("ingress 50"), entry("allow tcp:443 0.0.0.0/0"));
    entries.insert(key("ingress 60"), entry("deny tcp:443 0.0.0.0/0"));
    case.harm(Element::Entry(key("ingress 50")));
    let decision = case.decide(ACL);
    assert_eq!(verdicts(&decision), [Verdict::Revert, Verdict::Revert]);
    let fallback = decision.fallback.unwrap();
    assert!(
        fallback.contains("approved traffic would stay cut"),
        "{fallback}"
    );
    assert_eq!(
        decision.goal.as_ref(),
        case.baselines.state(&ACL.parse().unwrap())
    );
}

#[test]
fn an_entry_that_would_open_without_the_harm_is_taken_back_too() {
    let mut case = Case::new(Mode::Enforce);
    acl(&mut case.live, ACL)
        .entries
        .insert(key("ingress 100"), entry("allow tcp:443 0.0.0.0/0"));
    case.baselines = captured(&case.live);
    acl(&mut case.live, ACL)
        .entries
        .insert(key("ingress 40"), entry("deny all 0.0.0.0/0"));
    acl(&mut case.live, ACL)
        .entries
        .insert(key("ingress 45"), entry("allow tcp:22 0.0.0.0/0"));
    case.harm(Element::Entry(key("ingress 40")));
    let decision = case.decide(ACL);
    assert_eq!(verdicts(&decision), [Verdict::Revert, Verdict::Revert]);
    assert!(decision.fallback.unwrap().contains("traffic would open"));
}

#[test]
fn a_longer_prefix_that_would_keep_the_harm_is_taken_back_too() {
    let mut case = Case::new(Mode::Enforce);
    let routes = &mut table(&mut case.live, PRIVATE).routes;
    routes.remove(&to("10.50.0.0/16"));
    routes.insert(
        to("10.50.1.0/24"),
        Route::created(RouteTarget::TransitGateway("tgw-1".into())),
    );
    let decision = case.decide(PRIVATE);
    assert_eq!(verdicts(&decision), [Verdict::Revert, Verdict::Revert]);
    assert!(decision.fallback.unwrap().contains("10.50.1.0/24"));
    assert_eq!(
        decision.goal.as_ref(),
        case.baselines.state(&PRIVATE.parse().unwrap())
    );
}

proptest! {
    #[test]
    fn in_strict_mode_the_goals_leave_only_what_cannot_be_put_back(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        let policy = Policy { mode: Mode::Strict, ..Policy::default() };
        let mut reached = live.clone();
        let mut stays = Vec::new();
        for diff in diff::diff(&baselines, &live, None) {
            let decision = decide(&diff, &[], &baselines, &live, None, &policy);
            for judgement in decision.judgements {
                if judgement.verdict == Verdict::Alert {
                    stays.push(judgement.difference);
                } else {
                    prop_assert_eq!(judgement.verdict, Verdict::Revert);
                    let element = judgement.difference.element();
                    if matches!(element, Element::Subnet(_) | Element::Main) {
                        take(&mut reached, &diff.resource, &judgement.difference, Side::Baseline);
                    }
                }
            }
            if let Some(Resource::SecurityGroup(goal)) = &decision.goal {
                prop_assert_eq!(Some(&Resource::SecurityGroup(goal.clone())), baselines.state(&diff.resource));
            }
            if let Some(goal) = decision.goal {
                reached.resources.insert(diff.resource.clone(), goal);
            }
        }
        let rest: Vec<Difference> =
            diff::diff(&baselines, &reached, None).into_iter().flat_map(|diff| diff.differences).collect();
        prop_assert_eq!(rest, stays);
    }
}

/// A repair that stopped in the middle left the subnet there: it goes back though no packet moves.
#[test]
fn a_subnet_that_waits_in_a_stand_in_is_taken_back_by_enforce() {
    let decided = |mode: Mode, tags: Tags| {
        let mut case = Case::new(mode);
        let like = acl(&mut case.live, ACL).entries.clone();
        move_subnet(&mut case.live, "subnet-1", Some(ACL), Some(OTHER_ACL));
        let holder = acl(&mut case.live, OTHER_ACL);
        (holder.entries, holder.tags) = (like, tags);
        case.decide(ACL).judgements.remove(0)
    };
    let ours = Tags::from([
        (SUCCESSOR_OF.to_owned(), "acl-stand-in-for-1".to_owned()),
        (INCIDENT.to_owned(), "inc-1".to_owned()),
    ]);
    let judged = decided(Mode::Enforce, ours.clone());
    assert_eq!(judged.verdict, Verdict::Revert, "{judged:?}");
    assert!(judged.reasons[0].contains("stand-in for acl-1"));
    assert_eq!(decided(Mode::Observe, ours).verdict, Verdict::Alert);
    let strange = decided(Mode::Enforce, Tags::new());
    assert_eq!(strange.verdict, Verdict::Alert, "{strange:?}");
}
