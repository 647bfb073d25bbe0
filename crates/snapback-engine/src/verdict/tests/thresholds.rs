//! Severity, harm, mode and thresholds against each other, and what holds for every account.

use super::deciding::{Case, verdicts};
use crate::diff::{self, Difference, ResourceDiff};
use crate::finding::{self, Finding, Harm, Severity, Since};
use crate::fixture::*;
use crate::impact::Impact;
use crate::policy::{Closings, Exception, KindThresholds, Mode, Openings, Policy};
use crate::verdict::{Decision, Verdict, decide};
use proptest::prelude::*;
use snapback_model::*;
use std::collections::BTreeSet;

const SEVERITIES: [Severity; 5] = [
    Severity::Info,
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];
const SSH: &str = "ingress tcp:22 0.0.0.0/0";
const HTTPS: &str = "ingress tcp:443 0.0.0.0/0";

/// An entry that a stranger added before what was approved: it moves packets, whatever is found.
fn added_entry(mode: Mode, severity: Severity, harm: Harm) -> Case {
    let mut case = Case::new(mode);
    acl(&mut case.live, ACL)
        .entries
        .insert(key("ingress 50"), entry("deny tcp:22 0.0.0.0/0"));
    case.findings = vec![(Element::Entry(key("ingress 50")), severity, harm)];
    case
}

/// The rank of the lowest severity that is taken back, by the words of the policy.
fn floor(word: &str) -> usize {
    match word {
        "any" | "low" => 0,
        "medium" => 2,
        "high" | "approved" => 3,
        "critical" => 4,
        "none" => 5,
        other => panic!("{other}"),
    }
}

#[test]
fn severity_harm_mode_and_thresholds_decide_about_an_addition() {
    let words = Openings::ALL.iter().flat_map(|openings| {
        Closings::ALL
            .iter()
            .map(move |closings| (openings, closings))
    });
    for (openings, closings) in words {
        for (rank, severity) in SEVERITIES.into_iter().enumerate() {
            for harm in [Harm::Opens, Harm::Cuts, Harm::None] {
                for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
                    let mut case = added_entry(mode, severity, harm);
                    case.policy.enforce.openings = *openings;
                    case.policy.enforce.closings = *closings;
                    let decision = case.decide(ACL);
                    let taken = match harm {
                        Harm::Opens => rank >= floor(openings.as_str()),
                        Harm::Cuts => rank >= floor(closings.as_str()),
                        Harm::None => false,
                    };
                    let expected = match mode {
                        Mode::Strict => Verdict::Revert,
                        Mode::Enforce if taken => Verdict::Revert,
                        Mode::Enforce | Mode::Observe => Verdict::Alert,
                    };
                    let told = format!("{openings} {closings} {severity} {harm:?} {mode}");
                    assert_eq!(verdicts(&decision), [expected], "{told}");
                    let reasons = &decision.judgements[0].reasons;
                    let would = reasons[0].starts_with("observe mode: would revert because");
                    assert_eq!(would, mode == Mode::Observe && taken, "{told}: {reasons:?}");
                    let line = reasons.iter().any(|reason| reason.starts_with("policy: "));
                    assert_eq!(
                        line,
                        mode == Mode::Strict || harm != Harm::None,
                        "{told}: {reasons:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_reasons_name_the_line_of_the_policy_that_decided() {
    let mut case = added_entry(Mode::Enforce, Severity::High, Harm::Opens);
    let reasons = |case: &Case| case.decide(ACL).judgements[0].reasons.clone();
    assert_eq!(
        reasons(&case),
        ["somebody gets in", "policy: openings from high"]
    );
    case.policy.enforce.openings = Openings::Critical;
    assert_eq!(
        reasons(&case),
        [
            "somebody gets in",
            "policy: openings from critical, and this is high",
            "it stays until it is accepted or taken back"
        ]
    );
    case.policy.mode = Mode::Strict;
    assert_eq!(
        reasons(&case),
        [
            "somebody gets in",
            "strict mode takes back every untrusted difference",
            "policy: mode strict"
        ]
    );
}

#[test]
fn a_kind_has_thresholds_of_its_own() {
    let mut case = added_entry(Mode::Enforce, Severity::High, Harm::Opens);
    let own = KindThresholds {
        openings: Some(Openings::Never),
        closings: None,
    };
    case.policy.enforce.kinds = [(Kind::RouteTable, own)].into();
    assert_eq!(case.decide(ACL).verdict(), Verdict::Revert);
    case.policy.enforce.kinds = [(Kind::NetworkAcl, own)].into();
    assert_eq!(case.decide(ACL).verdict(), Verdict::Alert);
}

#[test]
fn an_approved_rule_comes_back_by_the_line_of_closings_whatever_its_severity() {
    for closings in Closings::ALL {
        let mut case = Case::new(Mode::Enforce);
        rules(&mut case.live, WEB).remove(&rule(HTTPS));
        case.findings = vec![(Element::Rule(rule(HTTPS)), Severity::Low, Harm::Cuts)];
        case.policy.enforce.closings = *closings;
        let decision = case.decide(WEB);
        let expected = match closings {
            Closings::Approved | Closings::Any => Verdict::Revert,
            Closings::Never | Closings::Critical | Closings::High => Verdict::Alert,
        };
        assert_eq!(verdicts(&decision), [expected], "{closings}");
        let line = format!("policy: {}", closings.line());
        let reasons = &decision.judgements[0].reasons;
        assert!(
            reasons.iter().any(|reason| reason.starts_with(&line)),
            "{reasons:?}"
        );
    }
}

fn exception(code: Option<&str>, resource: Option<&str>, until: &str) -> Exception {
    let (code, resource) = (
        code.map_or(String::new(), |code| format!("code: {code}, ")),
        resource.map_or(String::new(), |id| format!("resource: {id}, ")),
    );
    let yaml =
        format!("exceptions: [{{ {code}{resource}until: {until}, why: the partner moves }}]");
    Policy::from_yaml(&yaml, "p").unwrap().exceptions.remove(0)
}

/// The fixture's time is 2023-11-14; the findings of its cases are SG-WORLD-SENSITIVE.
#[test]
fn what_is_excepted_is_told_and_left_alone_in_every_mode_until_its_day_is_over() {
    let table = [
        (Some("SG-WORLD-SENSITIVE"), None, "2023-11-14", true),
        (Some("SG-WORLD-SENSITIVE"), Some(WEB), "2023-11-14", true),
        (None, Some(WEB), "2023-11-14", true),
        (Some("SG-WORLD-SENSITIVE"), None, "2023-11-13", false),
        (None, Some(WEB), "2023-11-13", false),
        (Some("SG-WORLD-ANY"), None, "2023-11-14", false),
        (
            Some("SG-WORLD-SENSITIVE"),
            Some("sg-other"),
            "2023-11-14",
            false,
        ),
        (None, Some("sg-other"), "2023-11-14", false),
    ];
    for (code, resource, until, holds) in table {
        for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
            let mut case = Case::new(mode);
            rules(&mut case.live, WEB).insert(rule(SSH), detail(None));
            case.findings = vec![(Element::Rule(rule(SSH)), Severity::Critical, Harm::Opens)];
            case.policy.exceptions = vec![exception(code, resource, until)];
            let decision = case.decide(WEB);
            let told = format!("{code:?} {resource:?} {until} {mode}");
            let acts = !holds && mode != Mode::Observe;
            assert_eq!(decision.verdict() == Verdict::Revert, acts, "{told}");
            let reasons = decision.judgements[0].reasons.join("; ");
            assert_eq!(
                reasons.contains("policy: left alone: "),
                holds,
                "{told}: {reasons}"
            );
            assert!(!holds || reasons.contains("the partner moves"), "{reasons}");
            assert!(!reasons.contains("would revert") || !holds, "{reasons}");
            let about_it = !holds && until == "2023-11-13";
            assert_eq!(
                reasons.contains("policy: an exception is over"),
                about_it,
                "{told}: {reasons}"
            );
        }
    }
}

#[test]
fn an_exception_of_one_finding_does_not_excuse_another() {
    let mut case = Case::new(Mode::Enforce);
    rules(&mut case.live, WEB).insert(rule("ingress tcp:20-6000 0.0.0.0/0"), detail(None));
    rules(&mut case.live, WEB).insert(rule("ingress all 0.0.0.0/1"), detail(None));
    case.policy.exceptions = vec![exception(Some("SG-WORLD-SENSITIVE"), None, "2023-12-31")];
    let decision = judged(&case.baselines, &case.live, &case.diff(WEB), &case.policy);
    assert_eq!(
        verdicts(&decision),
        [Verdict::Revert, Verdict::Alert],
        "{decision:?}"
    );
}

#[test]
fn what_was_there_before_is_no_reason_to_take_a_change_back() {
    let mut case = Case::new(Mode::Enforce);
    rules(&mut case.live, WEB).insert(rule(SSH), detail(None));
    let diff = case.diff(WEB);
    let mut findings = finding::assess(&case.baselines, &case.live, &diff, &Impact::default());
    let verdict = |findings: &[Finding]| {
        decide(
            &diff,
            findings,
            &case.baselines,
            &case.live,
            None,
            &case.policy,
        )
        .verdict()
    };
    assert_eq!(verdict(&findings), Verdict::Revert);
    for finding in &mut findings {
        finding.since = Since::Before;
    }
    assert_eq!(verdict(&findings), Verdict::Alert);
}

#[test]
fn harm_below_the_threshold_stays_when_harm_above_it_goes() {
    let other = "ingress tcp:8081 0.0.0.0/0";
    let mut case = Case::new(Mode::Enforce);
    case.policy.enforce.openings = Openings::Critical;
    for text in [SSH, other] {
        rules(&mut case.live, WEB).insert(rule(text), detail(None));
    }
    let decision = judged(&case.baselines, &case.live, &case.diff(WEB), &case.policy);
    assert_eq!(
        verdicts(&decision),
        [Verdict::Revert, Verdict::Alert],
        "{decision:?}"
    );
    assert_eq!(decision.fallback, None);
    let Some(Resource::SecurityGroup(goal)) = decision.goal else {
        panic!("goal")
    };
    assert!(goal.rules.contains_key(&rule(other)) && !goal.rules.contains_key(&rule(SSH)));
}

fn judged(
    baselines: &Baselines,
    live: &Snapshot,
    diff: &ResourceDiff,
    policy: &Policy,
) -> Decision {
    let findings: Vec<Finding> = finding::assess(baselines, live, diff, &Impact::default());
    decide(diff, &findings, baselines, live, None, policy)
}

/// The elements that a policy takes back, without those that only the goal's harm took along.
fn taken(
    baselines: &Baselines,
    live: &Snapshot,
    policy: &Policy,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut own, mut along) = (BTreeSet::new(), BTreeSet::new());
    for diff in diff::diff(baselines, live, None) {
        for judgement in judged(baselines, live, &diff, policy).judgements {
            if judgement.verdict == Verdict::Revert {
                let element = format!("{} {}", diff.resource, judgement.difference.element());
                let falls_back = judgement.reasons[0].starts_with("harmless by itself");
                if falls_back { &mut along } else { &mut own }.insert(element);
            }
        }
    }
    (own, along)
}

fn policy(mode: Mode, openings: Openings, closings: Closings) -> Policy {
    let mut policy = Policy {
        mode,
        ..Policy::default()
    };
    policy.enforce.openings = openings;
    policy.enforce.closings = closings;
    policy
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_lower_threshold_never_takes_back_less(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        let of = |openings: Openings, closings: Closings| taken(&baselines, &live, &policy(Mode::Enforce, openings, closings)).0;
        for pair in Openings::ALL.windows(2) {
            let (less, more) = (of(pair[0], Closings::High), of(pair[1], Closings::High));
            prop_assert!(less.is_subset(&more), "{pair:?}: {less:?} {more:?}");
        }
        for pair in Closings::ALL.windows(2) {
            let (less, more) = (of(Openings::High, pair[0]), of(Openings::High, pair[1]));
            prop_assert!(less.is_subset(&more), "{pair:?}: {less:?} {more:?}");
        }
    }

    #[test]
    fn observe_takes_back_nothing_and_strict_all_that_enforce_does(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        for (openings, closings) in [(Openings::High, Closings::Approved), (Openings::Low, Closings::Any)] {
            let of = |mode| {
                let (own, along) = taken(&baselines, &live, &policy(mode, openings, closings));
                own.union(&along).cloned().collect::<BTreeSet<String>>()
            };
            prop_assert_eq!(of(Mode::Observe), BTreeSet::new());
            let (enforce, strict) = (of(Mode::Enforce), of(Mode::Strict));
            prop_assert!(enforce.is_subset(&strict), "{enforce:?} {strict:?}");
        }
    }

    /// Nothing that is said to move no packet does, by the naive evaluator; and it is not fought.
    #[test]
    fn what_moves_no_packet_is_not_fought(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        for diff in diff::diff(&baselines, &live, None) {
            let decision = judged(&baselines, &live, &diff, &policy(Mode::Enforce, Openings::Low, Closings::Any));
            for judgement in decision.judgements {
                let still = judgement.reasons.iter().any(|reason| reason.starts_with("it moves no packet"));
                if still {
                    prop_assert_eq!(judgement.verdict, Verdict::Alert);
                    prop_assert!(!naively_moves(&baselines, &live, &diff.resource, &judgement.difference), "{:?}", judgement);
                }
            }
        }
    }
}

/// Whether some packet of a few is treated otherwise by the baseline with this difference alone.
fn naively_moves(
    baselines: &Baselines,
    live: &Snapshot,
    id: &ResourceId,
    difference: &Difference,
) -> bool {
    use snapback_reach::naive::{next_hop, permits_acl, permits_group};
    let good = baselines.state(id).unwrap();
    let mut alone = good.clone();
    difference.apply(&mut alone, diff::Side::Live);
    let lists = &live.topology;
    let addresses = [
        "10.0.0.1",
        "10.9.1.1",
        "10.50.1.1",
        "11.0.0.1",
        "192.0.2.1",
        "fd00::1",
        "2001:db8::1",
    ];
    let addresses = addresses.map(|text| text.parse::<std::net::IpAddr>().unwrap());
    let points = [
        (6, 22),
        (6, 443),
        (6, 1023),
        (6, 1024),
        (17, 53),
        (17, 54),
        (1, 8 * 256),
        (1, 0),
        (50, 0),
        (47, 0),
    ];
    addresses.into_iter().any(|address| {
        let flows = points.map(|(protocol, point)| snapback_reach::Flow {
            peer: snapback_reach::Host::Address(address),
            protocol,
            point,
        });
        match (good, &alone) {
            (Resource::SecurityGroup(was), Resource::SecurityGroup(is)) => {
                flows.iter().any(|flow| {
                    [Direction::Ingress, Direction::Egress]
                        .into_iter()
                        .any(|side| {
                            // A rule that only another approved one excuses: what is gone besides is not there to excuse it.
                            permits_group(was, side, lists, flow)
                                != permits_group(is, side, lists, flow)
                        })
                })
            }
            (Resource::NetworkAcl(was), Resource::NetworkAcl(is)) => flows.iter().any(|flow| {
                [Direction::Ingress, Direction::Egress]
                    .into_iter()
                    .any(|side| permits_acl(was, side, flow) != permits_acl(is, side, flow))
            }),
            (Resource::RouteTable(was), Resource::RouteTable(is)) => {
                next_hop(was, lists, address) != next_hop(is, lists, address)
            }
            _ => false,
        }
    })
}
