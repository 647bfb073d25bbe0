//! Who waits on a temporary table, and where nobody can.

use super::across::safe_plan;
use super::*;

#[test]
fn tables_that_exchange_subnets_and_routes_use_a_temporary_table() {
    // Each subnet keeps its way: the tables have changed roles.
    let (out, in_) = ("0.0.0.0/0 igw-1", "0.0.0.0/0 tgw-1");
    let live = snapshot([
        table("rtb-1", &["subnet-1"], &[out]).into_resource(),
        table("rtb-2", &["subnet-2"], &[in_]).into_resource(),
    ]);
    let good = snapshot([
        table("rtb-1", &["subnet-2"], &[in_]).into_resource(),
        table("rtb-2", &["subnet-1"], &[out]).into_resource(),
    ]);
    let plan = safe_plan(&live, &good);
    assert_eq!(
        apis(&plan),
        [
            "CreateRouteTable",
            "CreateRoute",
            "ReplaceRouteTableAssociation",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
            "DeleteRouteTable",
        ]
    );
    assert_eq!(folded(&live, &plan).resources, good.resources);
}

/// The table that an earlier run left is used while it leads as theirs does, and nobody waits where that is
/// not known: on routes to what is dead, or that a gateway tells.
#[test]
fn who_cannot_wait_on_a_temporary_table_is_told() {
    let (out, in_) = ("0.0.0.0/0 igw-1", "0.0.0.0/0 tgw-1");
    let mut live = snapshot([
        table("rtb-1", &["subnet-1"], &[out]).into_resource(),
        table("rtb-2", &["subnet-2"], &[in_]).into_resource(),
    ]);
    let good = snapshot([
        table("rtb-1", &["subnet-2"], &[in_]).into_resource(),
        table("rtb-2", &["subnet-1"], &[out]).into_resource(),
    ]);
    let temporary = Temporary {
        of: "rtb-1".parse().unwrap(),
        says: StandIn::Before,
    };
    let mut left = table("rtb-9", &[], &[out]);
    left.tags = temporary.tags();
    left.tags.insert(INCIDENT.to_owned(), "inc-1".to_owned());
    let mut with = live.clone();
    with.resources
        .extend([(left.id.clone().into(), left.into_resource())]);
    let plan = plan_between(&with, &good);
    assert!(
        !apis(&plan).contains(&"CreateRouteTable"),
        "{:?}",
        apis(&plan)
    );
    assert_eq!(apis(&plan).last(), Some(&"DeleteRouteTable"));
    assert_eq!(folded(&with, &plan).resources, good.resources);

    // Half made, by a run that died.
    crate::fixture::table(&mut with, "rtb-9")
        .routes
        .retain(|_, route| route.target == RouteTarget::Local);
    let plan = safe_plan(&with, &good);
    assert!(
        !apis(&plan).contains(&"CreateRouteTable"),
        "{:?}",
        apis(&plan)
    );
    assert_eq!(folded(&with, &plan).resources, good.resources);

    for id in ["rtb-1", "rtb-2"] {
        let table = crate::fixture::table(&mut live, id);
        let dead = table
            .routes
            .values_mut()
            .find(|route| route.target != RouteTarget::Local);
        dead.unwrap().blackhole = true;
    }
    let plan = plan_between(&live, &good);
    assert!(
        !apis(&plan).contains(&"CreateRouteTable"),
        "{:?}",
        apis(&plan)
    );
}

/// Who comes from the main table, and who returns to it.
#[test]
fn subnets_wait_on_a_temporary_table_on_their_way_from_and_to_the_main_one() {
    let (out, in_) = ("0.0.0.0/0 igw-1", "0.0.0.0/0 tgw-1");
    // The first in order is the one that is left.
    for (main, waits) in [
        ("rtb-1", "AssociateRouteTable"),
        ("rtb-9", "ReplaceRouteTableAssociation"),
    ] {
        let state = |bound: &str, by_main: &str, by_own: &str| {
            let mut main = table(main, &[], &[by_main]);
            main.main = true;
            snapshot([
                main.into_resource(),
                table("rtb-2", &[bound], &[by_own]).into_resource(),
            ])
        };
        let mut live = state("subnet-1", out, in_);
        let mut good = state("subnet-2", in_, out);
        for state in [&mut live, &mut good] {
            for id in ["subnet-1", "subnet-2"] {
                let subnet = Subnet::new(id, vpc());
                state.topology.subnets.insert(id.into(), subnet);
            }
        }
        let plan = safe_plan(&live, &good);
        let calls = apis(&plan);
        assert_eq!(calls[0], "CreateRouteTable", "{main}: {calls:?}");
        assert_eq!(calls[2], waits, "{main}: {calls:?}");
        assert_eq!(calls.last(), Some(&"DeleteRouteTable"), "{main}: {calls:?}");
        assert_eq!(folded(&live, &plan).resources, good.resources, "{main}");
    }
}

/// Routes that a gateway tells are not known to come: nobody waits for them.
#[test]
fn nobody_waits_where_routes_propagate() {
    let (out, in_) = ("0.0.0.0/0 igw-1", "0.0.0.0/0 tgw-1");
    let state = |first: &str, second: &str, [one, other]: [&str; 2]| {
        let mut tables = [
            table("rtb-1", &[first], &[one]),
            table("rtb-2", &[second], &[other]),
        ];
        for table in &mut tables {
            table.propagating.insert("vgw-1".into());
        }
        snapshot(tables.map(RouteTable::into_resource))
    };
    let live = state("subnet-1", "subnet-2", [out, in_]);
    let good = state("subnet-2", "subnet-1", [in_, out]);
    let plan = plan_between(&live, &good);
    assert!(
        !apis(&plan).contains(&"CreateRouteTable"),
        "{:?}",
        apis(&plan)
    );
    assert!(matches!(plan.notes[..], [Note::Interrupts { .. }, ..]));

    // What an earlier run left is no place to wait either while something propagates into it.
    let state = |first: &str, second: &str, [one, other]: [&str; 2]| {
        snapshot([
            table("rtb-1", &[first], &[one]).into_resource(),
            table("rtb-2", &[second], &[other]).into_resource(),
        ])
    };
    let mut live = state("subnet-1", "subnet-2", [out, in_]);
    let good = state("subnet-2", "subnet-1", [in_, out]);
    let temporary = Temporary {
        of: "rtb-1".parse().unwrap(),
        says: StandIn::Before,
    };
    let mut left = table("rtb-9", &[], &[out]);
    left.tags = temporary.tags();
    left.tags.insert(INCIDENT.to_owned(), "inc-1".to_owned());
    left.propagating.insert("vgw-1".into());
    live.resources
        .insert(left.id.clone().into(), left.into_resource());
    let plan = safe_plan(&live, &good);
    assert_eq!(apis(&plan)[0], "DisableVgwRoutePropagation");
}
