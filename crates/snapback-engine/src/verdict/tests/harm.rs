//! What moves no packet, and that only what was judged goes (the cases of peers.md).

use super::deciding::{Case, verdicts};
use crate::finding;
use crate::fixture::*;
use crate::impact::Impact;
use crate::policy::Mode;
use crate::verdict::{Decision, Verdict, decide};
use snapback_model::*;

const HTTPS: &str = "ingress tcp:443 0.0.0.0/0";
const SSH: &str = "ingress tcp:22 0.0.0.0/0";

/// Judges with the findings that the catalogue has.
fn found(case: &Case, id: &str) -> Decision {
    let diff = case.diff(id);
    let findings = finding::assess(&case.baselines, &case.live, &diff, &Impact::default());
    decide(
        &diff,
        &findings,
        &case.baselines,
        &case.live,
        None,
        &case.policy,
    )
}

fn of<'a>(decision: &'a Decision, element: &str) -> &'a crate::verdict::Judgement {
    let is = |judgement: &&crate::verdict::Judgement| {
        judgement
            .difference
            .element()
            .to_string()
            .ends_with(element)
    };
    decision
        .judgements
        .iter()
        .find(is)
        .unwrap_or_else(|| panic!("{element}: {decision:?}"))
}

fn nat() -> Route {
    Route::created(RouteTarget::NatGateway("nat-1".into()))
}

fn twin(snapshot: &mut Snapshot, of: &str, id: &str) {
    let mut resource = snapshot.resources[&of.parse().unwrap()].clone();
    match &mut resource {
        Resource::NetworkAcl(acl) => {
            acl.id = id.into();
            acl.is_default = false;
            acl.subnets.clear();
        }
        Resource::RouteTable(table) => {
            table.id = id.into();
            table.main = false;
            table.subnets.clear();
        }
        Resource::SecurityGroup(_) => panic!("{of}"),
    }
    snapshot.resources.insert(id.parse().unwrap(), resource);
}

type Do = Box<dyn Fn(&mut Snapshot)>;

/// What is approved besides the fixture, what was done, and the element that was touched.
struct Still(&'static str, &'static str, Do, Do);

fn stills() -> Vec<Still> {
    let nothing = || -> Do { Box::new(|_| {}) };
    vec![
        Still(
            WEB,
            "a description",
            nothing(),
            Box::new(|live| {
                rules(live, WEB).insert(rule(HTTPS), detail(Some("mine")));
            }),
        ),
        Still(
            WEB,
            "a tag",
            nothing(),
            Box::new(|live| {
                let Some(Resource::SecurityGroup(group)) =
                    live.resources.get_mut(&WEB.parse().unwrap())
                else {
                    panic!()
                };
                group
                    .tags
                    .get_or_insert_default()
                    .insert("Owner".into(), "eve".into());
            }),
        ),
        Still(
            WEB,
            "a rule that an approved one covers",
            nothing(),
            Box::new(|live| {
                rules(live, WEB).insert(rule("ingress tcp:443 10.0.0.0/8"), detail(None));
            }),
        ),
        Still(
            WEB,
            "a rule for a list that an approved one covers",
            Box::new(|good| {
                let list = PrefixList {
                    entries: Some(["192.0.2.0/24".parse().unwrap()].into()),
                    ..list("pl-1")
                };
                good.topology.prefix_lists.insert("pl-1".into(), list);
            }),
            Box::new(|live| {
                rules(live, WEB).insert(rule("ingress tcp:443 pl-1"), detail(None));
            }),
        ),
        Still(
            WEB,
            "an approved rule whose traffic another approved one carries",
            Box::new(|good| {
                rules(good, WEB).insert(rule("ingress tcp:443 10.0.0.0/8"), detail(None));
            }),
            Box::new(|live| {
                rules(live, WEB).remove(&rule("ingress tcp:443 10.0.0.0/8"));
            }),
        ),
        Still(
            WEB,
            "an approved rule whose traffic two approved ones carry together",
            Box::new(|good| {
                for text in [
                    "ingress tcp:22 10.0.0.0/8",
                    "ingress tcp:22 10.0.0.0/9",
                    "ingress tcp:22 10.128.0.0/9",
                ] {
                    rules(good, WEB).insert(rule(text), detail(None));
                }
            }),
            Box::new(|live| {
                rules(live, WEB).remove(&rule("ingress tcp:22 10.0.0.0/8"));
            }),
        ),
        Still(
            ACL,
            "an entry behind one that decides everything",
            nothing(),
            Box::new(|live| {
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 200"), entry("deny all 0.0.0.0/0"));
            }),
        ),
        Still(
            ACL,
            "an entry that says what the next one does",
            nothing(),
            Box::new(|live| {
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 50"), entry("allow tcp:22 0.0.0.0/0"));
            }),
        ),
        Still(
            ACL,
            "an approved entry that decided nothing",
            Box::new(|good| {
                acl(good, ACL)
                    .entries
                    .insert(key("ingress 200"), entry("deny tcp:22 0.0.0.0/0"));
            }),
            Box::new(|live| {
                acl(live, ACL).entries.remove(&key("ingress 200"));
            }),
        ),
        Still(
            PRIVATE,
            "a route with the next hop of the one around it",
            nothing(),
            Box::new(|live| {
                table(live, PRIVATE)
                    .routes
                    .insert(to("192.0.2.0/24"), nat());
            }),
        ),
        Still(
            PRIVATE,
            "an approved route with the next hop of the one around it",
            Box::new(|good| {
                table(good, PRIVATE)
                    .routes
                    .insert(to("192.0.2.0/24"), nat());
            }),
            Box::new(|live| {
                table(live, PRIVATE).routes.remove(&to("192.0.2.0/24"));
            }),
        ),
        Still(
            ACL,
            "a subnet on an ACL that permits the same",
            Box::new(|good| twin(good, ACL, "acl-3")),
            Box::new(|live| move_subnet(live, "subnet-1", Some(ACL), Some("acl-3"))),
        ),
        Still(
            PRIVATE,
            "a subnet on a table that routes the same",
            Box::new(|good| twin(good, PRIVATE, "rtb-3")),
            Box::new(|live| move_subnet(live, "subnet-1", Some(PRIVATE), Some("rtb-3"))),
        ),
        Still(
            MAIN,
            "another main table that routes the same",
            Box::new(|good| twin(good, MAIN, "rtb-3")),
            Box::new(|live| {
                table(live, MAIN).main = false;
                table(live, "rtb-3").main = true;
            }),
        ),
        Still(
            MAIN,
            "another main table that no subnet follows",
            Box::new(|good| {
                for subnet in ["subnet-2", "subnet-3"] {
                    move_subnet(good, subnet, None, Some(PRIVATE));
                }
            }),
            Box::new(|live| {
                table(live, MAIN).main = false;
                table(live, PRIVATE).main = true;
            }),
        ),
        Still(
            MAIN,
            "an edge association of a table that has only local routes",
            nothing(),
            Box::new(|live| {
                table(live, MAIN).gateways.insert("igw-1".into());
            }),
        ),
    ]
}

fn list(id: &str) -> PrefixList {
    serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
}

#[test]
fn what_moves_no_packet_is_told_not_fought_and_strict_is_strict() {
    for Still(id, what, approve, touch) in stills() {
        for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
            let mut case = Case::new(mode);
            approve(&mut case.live);
            case.baselines = captured(&case.live);
            touch(&mut case.live);
            let decision = found(&case, id);
            let expected = if mode == Mode::Strict {
                Verdict::Revert
            } else {
                Verdict::Alert
            };
            assert_eq!(
                verdicts(&decision),
                [expected],
                "{what} {mode}: {decision:?}"
            );
            let reasons = decision.judgements[0].reasons.join("; ");
            if mode == Mode::Strict {
                assert_eq!(
                    decision.goal.as_ref(),
                    case.baselines.state(&id.parse().unwrap()),
                    "{what}"
                );
            } else {
                assert!(reasons.contains("moves no packet"), "{what}: {reasons}");
                assert!(!reasons.contains("would revert"), "{what}: {reasons}");
                assert_eq!(decision.goal, None, "{what}");
            }
        }
    }
}

/// The near misses of the cases above: each moves a packet, and comes back.
#[test]
fn what_moves_a_packet_of_what_was_approved_comes_back() {
    let table: Vec<(&str, &str, Do, Do)> = vec![
        (
            WEB,
            "ingress tcp:443 0.0.0.0/0",
            Box::new(|_| {}),
            Box::new(|live| {
                rules(live, WEB).remove(&rule(HTTPS));
                for half in ["ingress tcp:443 0.0.0.0/1", "ingress tcp:443 128.0.0.0/1"] {
                    rules(live, WEB).insert(rule(half), detail(None));
                }
            }),
        ),
        (
            WEB,
            "ingress tcp:443 pl-1",
            Box::new(|good| {
                rules(good, WEB).insert(rule("ingress tcp:443 pl-1"), detail(None));
            }),
            Box::new(|live| {
                rules(live, WEB).remove(&rule("ingress tcp:443 pl-1"));
            }),
        ),
        (
            ACL,
            "ingress 110",
            Box::new(|good| {
                acl(good, ACL).entries.remove(&key("ingress 100"));
                acl(good, ACL)
                    .entries
                    .insert(key("ingress 110"), entry("allow tcp:443 10.0.0.0/8"));
            }),
            Box::new(|live| {
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 110"), entry("allow tcp:443 10.0.0.0/7"));
                acl(live, ACL)
                    .entries
                    .insert(key("ingress 120"), entry("allow tcp:443 10.0.0.0/7"));
            }),
        ),
        (
            PRIVATE,
            "192.0.2.0/24",
            Box::new(|good| {
                let peer = Route::created(RouteTarget::VpcPeeringConnection("pcx-1".into()));
                table(good, PRIVATE).routes.insert(to("192.0.2.0/24"), peer);
            }),
            Box::new(|live| {
                table(live, PRIVATE).routes.remove(&to("192.0.2.0/24"));
            }),
        ),
    ];
    for (id, element, approve, touch) in table {
        let mut case = Case::new(Mode::Enforce);
        approve(&mut case.live);
        case.baselines = captured(&case.live);
        touch(&mut case.live);
        let decision = found(&case, id);
        let own = element.strip_prefix("route ").unwrap_or(element);
        let back = decision
            .judgements
            .iter()
            .find(|judgement| judgement.difference.element().to_string().ends_with(own));
        assert_eq!(
            back.map(|judgement| judgement.verdict),
            Some(Verdict::Revert),
            "{element}: {decision:?}"
        );
        let goal = decision.goal.unwrap();
        let approved = case.baselines.state(&id.parse().unwrap()).unwrap();
        assert!(permits_again(&goal, approved, own), "{element}");
    }
}

/// Whether the goal has the approved element as it was.
fn permits_again(goal: &Resource, approved: &Resource, element: &str) -> bool {
    match (goal, approved) {
        (Resource::SecurityGroup(goal), Resource::SecurityGroup(good)) => {
            goal.rules.get(&rule(element)) == good.rules.get(&rule(element))
        }
        (Resource::NetworkAcl(goal), Resource::NetworkAcl(good)) => {
            goal.entries.get(&key(element)) == good.entries.get(&key(element))
        }
        (Resource::RouteTable(goal), Resource::RouteTable(good)) => {
            goal.routes.get(&to(element)) == good.routes.get(&to(element))
        }
        _ => false,
    }
}

/// peers.md 4: "two items, one benign"; "port 22 open to 0.0.0.0/0 and to 10.0.0.0/8 in one permission".
#[test]
fn of_what_came_together_only_the_risky_rule_goes() {
    let mut case = Case::new(Mode::Enforce);
    for text in [SSH, "ingress tcp:22 10.0.0.0/8", "ingress all sg-web"] {
        rules(&mut case.live, WEB).insert(rule(text), detail(None));
    }
    let decision = found(&case, WEB);
    assert_eq!(of(&decision, SSH).verdict, Verdict::Revert);
    assert_eq!(
        of(&decision, "ingress tcp:22 10.0.0.0/8").verdict,
        Verdict::Alert
    );
    assert_eq!(of(&decision, "ingress all sg-web").verdict, Verdict::Alert);
    let Some(Resource::SecurityGroup(goal)) = decision.goal else {
        panic!("goal")
    };
    assert!(!goal.rules.contains_key(&rule(SSH)));
    assert!(goal.rules.contains_key(&rule("ingress tcp:22 10.0.0.0/8")));
    assert!(goal.rules.contains_key(&rule("ingress all sg-web")));
}

/// peers.md 4: "protocol -1", "IPv4 + IPv6", "0-65535 or 20-25", "/1 + /1".
#[test]
fn every_way_of_opening_to_the_world_goes() {
    for together in [
        vec!["ingress all 0.0.0.0/0"],
        vec![SSH, "ingress tcp:22 ::/0"],
        vec!["ingress tcp:20-25 0.0.0.0/0"],
        vec!["ingress tcp:0-65535 0.0.0.0/0"],
        vec!["ingress tcp:22 0.0.0.0/1", "ingress tcp:22 128.0.0.0/1"],
    ] {
        let mut case = Case::new(Mode::Enforce);
        for text in &together {
            rules(&mut case.live, WEB).insert(rule(text), detail(None));
        }
        let decision = found(&case, WEB);
        assert_eq!(
            verdicts(&decision),
            vec![Verdict::Revert; together.len()],
            "{together:?}"
        );
        assert_eq!(
            decision.goal.as_ref(),
            case.baselines.state(&WEB.parse().unwrap())
        );
    }
}

/// Rewrites an approved rule in place: the same rule id, another content.
fn rewritten(approved: &[&str], old: &str, new: &str) -> Decision {
    let mut case = Case::new(Mode::Enforce);
    for text in approved {
        rules(&mut case.live, WEB).insert(rule(text), detail(None));
    }
    let handle = |text: &str| RuleHandle {
        group: WEB.into(),
        rule: rule(text),
    };
    case.live.handles.rules.insert("sgr-1".into(), handle(old));
    case.baselines = captured(&case.live);
    let detail = rules(&mut case.live, WEB).remove(&rule(old)).unwrap();
    rules(&mut case.live, WEB).insert(rule(new), detail);
    case.live.handles.rules.insert("sgr-1".into(), handle(new));
    found(&case, WEB)
}

/// peers.md 4: "`ModifySecurityGroupRules` widens an existing rule in place".
#[test]
fn a_rule_rewritten_in_place_and_what_it_became_are_judged_as_one() {
    let (narrow, wide) = ("ingress tcp:22 10.9.0.0/16", "ingress tcp:22 10.0.0.0/8");
    let widened = rewritten(&[narrow], narrow, wide);
    assert_eq!(
        verdicts(&widened),
        [Verdict::Revert, Verdict::Revert],
        "{widened:?}"
    );
    let narrowed = rewritten(&[wide], wide, narrow);
    assert_eq!(
        verdicts(&narrowed),
        [Verdict::Revert, Verdict::Revert],
        "{narrowed:?}"
    );
    // The old one was redundant, the new one is not: one change, both go back.
    let moved = rewritten(&[narrow, wide], narrow, "ingress tcp:8443 10.9.0.0/16");
    assert_eq!(
        verdicts(&moved),
        [Verdict::Revert, Verdict::Revert],
        "{moved:?}"
    );
    let still = rewritten(&[narrow, wide], narrow, "ingress tcp:22 10.8.0.0/16");
    assert_eq!(
        verdicts(&still),
        [Verdict::Alert, Verdict::Alert],
        "{still:?}"
    );
}

#[test]
fn what_is_too_large_to_be_known_is_told_and_never_written_to() {
    for mode in [Mode::Observe, Mode::Enforce, Mode::Strict] {
        let mut case = Case::new(mode);
        // Every rule cuts the addresses and the ports anew, in many protocols: far beyond what is computed.
        let huge = |snapshot: &mut Snapshot| {
            for number in 0..1600_u32 {
                let text = format!(
                    "ingress tcp:{}-{} {}.{}.0.0/{}",
                    number,
                    60000 - number,
                    1 + number % 200,
                    number / 200,
                    9 + number % 8
                );
                rules(snapshot, WEB).insert(rule(&text), detail(None));
            }
            for number in 0..3000_u32 {
                let text = format!("ingress tcp:{number} 0.0.0.0/0");
                rules(snapshot, WEB).insert(rule(&text), detail(None));
            }
        };
        huge(&mut case.live);
        case.baselines = captured(&case.live);
        rules(&mut case.live, WEB).remove(&rule(HTTPS));
        let diff = case.diff(WEB);
        let decision = decide(&diff, &[], &case.baselines, &case.live, None, &case.policy);
        assert_eq!(verdicts(&decision), [Verdict::Alert], "{mode}");
        let first = &decision.judgements[0].reasons[0];
        assert!(
            first.contains("is unknown") && first.contains("not written to"),
            "{first}"
        );
        assert_eq!(decision.goal, None);
    }
}
