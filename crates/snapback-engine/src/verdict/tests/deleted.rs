//! What was deleted: made again, or told with the reason why not.

use super::deciding::{Case, verdicts};
use crate::fixture::*;
use crate::policy::Mode;
use crate::verdict::Verdict;
use snapback_model::*;

/// The account with a name on its group and no default ACL: as they are they cannot be made again.
fn named(mode: Mode) -> Case {
    let mut case = Case::new(mode);
    if let Some(Resource::SecurityGroup(group)) = case.live.resources.get_mut(&WEB.parse().unwrap())
    {
        group.name = Some("web".into());
    }
    acl(&mut case.live, ACL).is_default = false;
    case.baselines = captured(&case.live);
    case
}

#[test]
fn what_was_deleted_is_to_be_as_it_was() {
    for id in [WEB, ACL, PRIVATE] {
        for (mode, verdict) in [
            (Mode::Observe, Verdict::Alert),
            (Mode::Enforce, Verdict::Revert),
            (Mode::Strict, Verdict::Revert),
        ] {
            let mut case = named(mode);
            let lost = case.live.resources.remove(&id.parse().unwrap());
            let decision = case.decide(id);
            assert_eq!(verdicts(&decision), [verdict], "{id} {mode}");
            assert_eq!(decision.goal, lost, "{id} {mode}");
            let reasons = decision.judgements[0].reasons.join("\n");
            assert!(!reasons.contains("it is not put back"), "{reasons}");
        }
    }
}

#[test]
fn what_cannot_be_made_again_as_it_was_is_told_with_the_reason() {
    type Change = fn(&mut SecurityGroup);
    let table: [(&str, Change); 4] = [
        ("its name was never read", |group| group.name = None),
        ("its description was never read", |group| {
            group.description = None
        }),
        ("its VPC was never read", |group| group.vpc = None),
        ("made by EC2 only", |group| {
            group.name = Some("default".into())
        }),
    ];
    for (why, change) in table {
        let mut case = named(Mode::Enforce);
        let id = WEB.parse().unwrap();
        case.live.resources.remove(&id);
        let Some(Resource::SecurityGroup(lost)) =
            &mut case.baselines.by_id.get_mut(&id).unwrap().state
        else {
            panic!("a group")
        };
        change(lost);
        let decision = case.decide(WEB);
        assert_eq!(verdicts(&decision), [Verdict::Alert], "{why}");
        let reasons = decision.judgements[0].reasons.join("\n");
        assert!(reasons.contains(why), "{why}: {reasons}");
    }
    let mut case = named(Mode::Enforce);
    let Some(Resource::SecurityGroup(mut thief)) =
        case.live.resources.remove(&WEB.parse().unwrap())
    else {
        panic!("a group")
    };
    thief.id = "sg-thief".into();
    case.live
        .resources
        .insert(thief.id.clone().into(), Resource::SecurityGroup(thief));
    let reasons = case.decide(WEB).judgements[0].reasons.join("\n");
    assert!(reasons.contains("sg-thief has its name"), "{reasons}");
}

#[test]
fn the_egress_that_a_group_made_again_is_born_with_is_taken_back() {
    let every = rule("egress all 0.0.0.0/0");
    for (origin, verdict) in [
        (Origin::Captured, Verdict::Alert),
        (Origin::Recreated, Verdict::Revert),
    ] {
        let mut case = Case::new(Mode::Enforce);
        let id = WEB.parse().unwrap();
        let baseline = case.baselines.by_id.get_mut(&id).unwrap();
        baseline.provenance.origin = origin;
        if let Some(Resource::SecurityGroup(group)) = &mut baseline.state {
            group
                .rules
                .retain(|rule, _| rule.direction == Direction::Ingress);
        }
        let live = rules(&mut case.live, WEB);
        live.retain(|rule, _| rule.direction == Direction::Ingress);
        live.insert(every.clone(), detail(None));
        assert_eq!(verdicts(&case.decide(WEB)), [verdict], "{origin}");
    }
}

/// The private table leads to nat-1, which is gone.
fn without_its_gateway(mode: Mode) -> Case {
    let mut case = Case::new(mode);
    let nat = NatDetail {
        connectivity: Connectivity::Public,
        regional: false,
        zone: None,
        addresses: [].into(),
        failure: None,
    };
    let gateway = Gateway {
        nat: Some(nat),
        ..Gateway::new("nat-1", GatewayKind::Nat)
    };
    case.baselines
        .topology
        .gateways
        .insert("nat-1".into(), gateway);
    let routes = &mut table(&mut case.live, PRIVATE).routes;
    for route in routes.values_mut() {
        route.blackhole |= route.target.id() == "nat-1";
    }
    case
}

#[test]
fn a_route_whose_nat_gateway_is_gone_is_put_back_only_where_the_policy_has_it_made_again() {
    for (mode, allowed, verdict) in [
        (Mode::Strict, false, Verdict::Alert),
        (Mode::Strict, true, Verdict::Revert),
    ] {
        let mut case = without_its_gateway(mode);
        case.policy.recreate.nat = allowed;
        let decision = case.decide(PRIVATE);
        assert_eq!(verdicts(&decision), [verdict], "{mode} {allowed}");
        let reasons = decision.judgements[0].reasons.join("\n");
        assert_eq!(
            reasons.contains("recreate: { nat: false }"),
            !allowed,
            "{reasons}"
        );
        assert_eq!(decision.goal.is_some(), allowed, "{mode} {allowed}");
    }
    // What no capture tells is not guessed.
    let mut case = without_its_gateway(Mode::Strict);
    case.policy.recreate.nat = true;
    case.baselines.topology.gateways.remove("nat-1");
    let decision = case.decide(PRIVATE);
    assert_eq!(verdicts(&decision), [Verdict::Alert]);
    let reasons = decision.judgements[0].reasons.join("\n");
    assert!(reasons.contains("no capture tells"), "{reasons}");
}
