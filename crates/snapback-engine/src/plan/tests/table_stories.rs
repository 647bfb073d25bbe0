//! The stories of route tables.

use super::*;

/// The plan of one table.
fn table_plan(live: &[&str], good: &[&str]) -> Plan {
    let live = snapshot([table("rtb-1", &["subnet-1"], live).into_resource()]);
    let good = snapshot([table("rtb-1", &["subnet-1"], good).into_resource()]);
    let plan = plan_between(&live, &good);
    assert_eq!(folded(&live, &plan).resources, good.resources);
    assert_eq!(plan.notes, []);
    plan
}

#[test]
fn a_default_route_comes_back_and_a_redirected_one_is_replaced() {
    let good = ["0.0.0.0/0 igw-1"];
    assert_eq!(apis(&table_plan(&[], &good)), ["CreateRoute"]);
    let redirected = table_plan(&["0.0.0.0/0 eni-evil"], &good);
    assert_eq!(
        redirected.steps[0].action.describe(),
        "ReplaceRoute rtb-1: 0.0.0.0/0 → igw-1 (was eni-evil)"
    );
    assert_eq!(apis(&redirected), ["ReplaceRoute"]);
}

#[test]
fn approved_routes_are_written_most_specific_first_and_foreign_ones_deleted_least_specific_first() {
    let plan = table_plan(
        &[
            "0.0.0.0/1 eni-evil",
            "128.0.0.0/1 eni-evil",
            "10.9.0.0/24 eni-evil",
            "0.0.0.0/0 eni-evil",
        ],
        &["0.0.0.0/0 igw-1", "10.9.0.0/24 pcx-1", "10.9.1.0/24 pcx-1"],
    );
    let lines: Vec<String> = plan
        .steps
        .iter()
        .map(|step| step.action.describe())
        .collect();
    assert_eq!(
        lines,
        [
            "ReplaceRoute rtb-1: 10.9.0.0/24 → pcx-1 (was eni-evil)",
            "CreateRoute rtb-1: 10.9.1.0/24 → pcx-1",
            "ReplaceRoute rtb-1: 0.0.0.0/0 → igw-1 (was eni-evil)",
            "DeleteRoute rtb-1: 0.0.0.0/1 → eni-evil",
            "DeleteRoute rtb-1: 128.0.0.0/1 → eni-evil",
        ]
    );
}

#[test]
fn a_redirected_local_route_is_local_again() {
    let good = table("rtb-1", &[], &[]);
    let mut live = good.clone();
    live.routes
        .get_mut(&"10.0.0.0/16".parse().unwrap())
        .unwrap()
        .target = target("eni-evil");
    let live = snapshot([live.into_resource()]);
    let plan = plan_between(&live, &snapshot([good.into_resource()]));
    assert_eq!(
        plan.steps[0].action.parameters(&live.handles)["LocalTarget"],
        true
    );
}

/// A gateway of live.
pub(super) fn gateway(
    id: &str,
    kind: GatewayKind,
    state: Option<&str>,
    attached: bool,
) -> (String, Gateway) {
    let gateway = Gateway {
        vpcs: attached.then(vpc).into_iter().collect(),
        state: state.map(str::to_owned),
        ..Gateway::new(id, kind)
    };
    (id.to_owned(), gateway)
}

/// Of a NAT gateway (see `nat.rs`).
fn tells_why_not_made(note: &Note) -> bool {
    matches!(note, Note::Cannot { what, .. } if what.contains("cannot be made again"))
}

#[test]
fn a_dead_target_is_never_restored() {
    let cases = [
        ("nat-1", GatewayKind::Nat, Some("deleted"), true),
        ("pcx-1", GatewayKind::Peering, Some("failed"), true),
        ("igw-1", GatewayKind::Internet, None, false),
        ("nat-other", GatewayKind::Nat, Some("available"), true),
    ];
    for (id, kind, state, attached) in cases {
        let wanted = if id == "nat-other" { "nat-1" } else { id };
        let found = ["0.0.0.0/0 tgw-1", "0.0.0.0/1 tgw-1"];
        let mut live = snapshot([table("rtb-1", &["subnet-1"], &found).into_resource()]);
        live.topology
            .gateways
            .extend([gateway(id, kind, state, attached)]);
        let wanted_routes = format!("0.0.0.0/0 {wanted}");
        let good = snapshot([table("rtb-1", &["subnet-1"], &[&wanted_routes]).into_resource()]);
        let mut plan = plan_between(&live, &good);
        plan.notes.retain(|note| !tells_why_not_made(note));
        assert_eq!(plan.steps, [], "{id}");
        // Neither is the more specific route deleted: its traffic would fall on what cannot be put back.
        assert_eq!(plan.notes.len(), 2, "{id}: {:?}", plan.notes);
        let first = if id == "igw-1" {
            "igw-1 attached to vpc-1 again".to_owned()
        } else {
            format!("{wanted} made again")
        };
        let Note::Needs { needs, .. } = &plan.notes[0] else {
            panic!("{:?}", plan.notes)
        };
        assert_eq!(*needs, first);
        assert!(matches!(&plan.notes[1], Note::Cannot { .. }));
    }
}

#[test]
fn over_what_cannot_be_put_back_a_foreign_route_goes_where_nobody_is_carried_by_it() {
    // Who goes by rtb-1 in live and at the goal, whether it is the main table, and what is called.
    type Case<'a> = (&'a [&'a str], &'a [&'a str], bool, &'a [&'a str]);
    let cases: [Case<'_>; 5] = [
        (&[], &[], false, &["DeleteRoute"]),
        (
            &[],
            &["subnet-1"],
            false,
            &["DeleteRoute", "ReplaceRouteTableAssociation"],
        ),
        (
            &["subnet-1"],
            &[],
            false,
            &["ReplaceRouteTableAssociation", "DeleteRoute"],
        ),
        (&["subnet-1"], &["subnet-1"], false, &[]),
        // Not all subnets are known: some may have no table of their own.
        (&[], &[], true, &[]),
    ];
    for (now, then, main, calls) in cases {
        let other = |subnets: &[&str]| {
            let elsewhere = if subnets.is_empty() {
                &["subnet-1"][..]
            } else {
                &[]
            };
            table("rtb-2", elsewhere, &["0.0.0.0/0 tgw-1"]).into_resource()
        };
        let of = |subnets: &[&str], routes: &[&str]| {
            let mut table = table("rtb-1", subnets, routes);
            table.main = main;
            table.into_resource()
        };
        let stray = ["10.9.0.0/24 eni-evil"];
        let mut live = snapshot([of(now, &stray), other(now)]);
        let good = snapshot([of(then, &["0.0.0.0/0 nat-1"]), other(then)]);
        live.topology
            .gateways
            .extend([gateway("nat-1", GatewayKind::Nat, Some("deleted"), true)]);
        if main {
            live.coverage.remove(&Coverage::Subnets);
        }
        let plan = plan_between(&live, &good);
        assert_eq!(apis(&plan), calls, "{now:?} {then:?} main: {main}");
        let safe = safety(&live, &plan);
        let is_safe = |step: &StepSafety| *step == StepSafety::Safe;
        assert!(safe.iter().all(is_safe), "{safe:?}");
    }
}

/// The stray route stays for who goes by it already; who comes to the table was never to be led by it.
#[test]
fn who_comes_to_a_table_with_a_stray_route_that_stays_is_told_to_be_led_astray() {
    let of = |first: &[&str], second: &[&str], routes: &[&str]| {
        snapshot([
            table("rtb-1", first, routes).into_resource(),
            table("rtb-2", second, &["0.0.0.0/0 tgw-1"]).into_resource(),
        ])
    };
    let mut live = of(&["subnet-1"], &["subnet-2"], &["10.9.0.0/24 eni-evil"]);
    let good = of(&["subnet-1", "subnet-2"], &[], &["0.0.0.0/0 nat-1"]);
    live.topology
        .gateways
        .extend([gateway("nat-1", GatewayKind::Nat, Some("deleted"), true)]);
    let plan = plan_between(&live, &good);
    assert_eq!(apis(&plan), ["ReplaceRouteTableAssociation"]);
    let told = safety(&live, &plan);
    let [StepSafety::Interrupts { what, .. }] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        what.contains("subnet-2") && what.contains("10.9.0.0/24"),
        "{what}"
    );
    assert!(!what.contains("subnet-1"), "{what}");
    assert!(
        what.ends_with("is led astray by a route that stays"),
        "{what}"
    );
}

#[test]
fn a_living_target_is_restored() {
    let mut live = snapshot([table("rtb-1", &[], &[]).into_resource()]);
    live.topology
        .gateways
        .extend([gateway("nat-1", GatewayKind::Nat, Some("available"), true)]);
    let plan = plan_between(
        &live,
        &snapshot([table("rtb-1", &[], &["0.0.0.0/0 nat-1"]).into_resource()]),
    );
    assert_eq!(apis(&plan), ["CreateRoute"]);
}

#[test]
fn a_blackhole_is_told_and_a_foreign_endpoint_route_goes_by_its_endpoint() {
    let good = table("rtb-1", &[], &["0.0.0.0/0 nat-1"]);
    let mut live = good.clone();
    live.routes
        .get_mut(&"0.0.0.0/0".parse().unwrap())
        .unwrap()
        .blackhole = true;
    let endpoint = Route::created(RouteTarget::GatewayEndpoint("vpce-1".into()));
    live.routes
        .insert(Destination::PrefixList("pl-1".into()), endpoint);
    let mut plan = plan_between(
        &snapshot([live.into_resource()]),
        &snapshot([good.into_resource()]),
    );
    plan.notes.retain(|note| !tells_why_not_made(note));
    assert_eq!(apis(&plan), ["ModifyVpcEndpoint"]);
    assert_eq!(plan.notes.len(), 1, "{:?}", plan.notes);
}

#[test]
fn propagated_routes_are_left_alone_and_propagation_is_put_back() {
    let mut good = table("rtb-1", &[], &[]);
    good.propagating.insert("vgw-1".into());
    let propagated = Route {
        target: target("vgw-1"),
        origin: RouteOrigin::Propagated,
        blackhole: false,
    };
    good.routes
        .insert("192.168.0.0/16".parse().unwrap(), propagated);
    let live = snapshot([table("rtb-1", &[], &[]).into_resource()]);
    let plan = plan_between(&live, &snapshot([good.into_resource()]));
    assert_eq!(apis(&plan), ["EnableVgwRoutePropagation"]);
}

#[test]
fn a_subnet_cut_from_its_table_is_bound_again() {
    let main = || {
        let mut main = table("rtb-main", &[], &[]);
        main.main = true;
        main.into_resource()
    };
    let mut live = snapshot([
        main(),
        table("rtb-1", &[], &["0.0.0.0/0 igw-1"]).into_resource(),
    ]);
    let good = snapshot([
        main(),
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 igw-1"]).into_resource(),
    ]);
    live.topology.clone_from(&good.topology);
    let plan = plan_between(&live, &good);
    assert_eq!(apis(&plan), ["AssociateRouteTable"]);
    // And the other way: bound by a stranger where the main table should rule.
    let back = plan_between(&good, &live);
    assert_eq!(apis(&back), ["DisassociateRouteTable"]);
    assert_eq!(
        back.steps[0].action.parameters(&good.handles)["AssociationId"],
        "rtbassoc-1"
    );
}

#[test]
fn a_subnet_that_another_table_has_in_its_baseline_is_not_this_plans_to_release() {
    let live = snapshot([
        table("rtb-1", &["subnet-1"], &[]).into_resource(),
        table("rtb-2", &[], &[]).into_resource(),
    ]);
    let good = snapshot([
        table("rtb-1", &[], &[]).into_resource(),
        table("rtb-2", &["subnet-1"], &[]).into_resource(),
    ]);
    let only = goal([table("rtb-1", &[], &[]).into_resource()]);
    let alone = plan(&live, &only, &baselines(&good));
    assert_eq!(alone.steps, []);
    assert_eq!(
        crate::execution::verify(&alone.goal, &live),
        crate::execution::Verification::Equal
    );
    assert_eq!(
        apis(&plan_between(&live, &good)),
        ["ReplaceRouteTableAssociation"]
    );
}

#[test]
fn the_main_table_is_main_again_after_it_is_whole_and_after_explicit_subnets_are_bound() {
    let tables = |main: &str, subnets: &[&str], routes: &[&str]| {
        let of = |id: &str, subnets: &[&str], routes: &[&str]| {
            let mut table = table(id, subnets, routes);
            table.main = id == main;
            table.into_resource()
        };
        snapshot([
            of("rtb-1", &[], routes),
            of("rtb-2", subnets, &["0.0.0.0/0 igw-1"]),
            of("rtb-evil", &[], &[]),
        ])
    };
    let good = tables("rtb-1", &["subnet-2"], &["0.0.0.0/0 nat-1"]);
    let mut live = tables("rtb-evil", &[], &[]);
    live.topology.clone_from(&good.topology);
    let plan = plan_between(&live, &good);
    assert_eq!(
        apis(&plan),
        [
            "CreateRoute",
            "AssociateRouteTable",
            "ReplaceRouteTableAssociation"
        ]
    );
    assert_eq!(plan.notes, []);
    assert_eq!(folded(&live, &plan).resources, good.resources);
}

#[test]
fn the_main_tables_of_two_vpcs_change_by_themselves() {
    let of = |id: &str, vpc: &str, main: bool, gateways: &[&str]| {
        let mut table = table(id, &[], &[]);
        table.vpc = vpc.into();
        table.main = main;
        table.gateways = gateways.iter().map(|id| GatewayId::from(*id)).collect();
        table.into_resource()
    };
    let live = snapshot([
        of("rtb-1", "vpc-1", true, &[]),
        of("rtb-2", "vpc-1", false, &["igw-1"]),
        of("rtb-3", "vpc-2", true, &[]),
        of("rtb-4", "vpc-2", false, &["igw-2"]),
    ]);
    let good = snapshot([
        of("rtb-1", "vpc-1", false, &["igw-1"]),
        of("rtb-2", "vpc-1", true, &[]),
        of("rtb-3", "vpc-2", false, &["igw-2"]),
        of("rtb-4", "vpc-2", true, &[]),
    ]);
    assert_eq!(
        folded(&live, &plan_between(&live, &good)).resources,
        good.resources
    );
    // That the main table of one changes does not free that of the other.
    let mut part = good.clone();
    part.resources.remove(&"rtb-4".parse().unwrap());
    let plan = plan_between(&live, &part);
    let told: Vec<String> = plan.notes.iter().filter_map(Note::left_undone).collect();
    assert!(
        told.iter()
            .any(|line| line.contains("needs: another main table of vpc-2")),
        "{told:?}"
    );
}
