//! What stands in for others while they are repaired: one is enough, and none stays.

use super::*;

const LEFT: &str = "acl-99";

/// The same by the id and with the tags that EC2 would give it.
fn born_in_ec2(state: &mut Snapshot, incident: &str) {
    let left = ResourceId::from(NetworkAclId::from(LEFT));
    let names: Vec<ResourceId> = state
        .resources
        .values()
        .filter(|resource| Temporary::of(resource).is_some())
        .map(Resource::id)
        .collect();
    for name in names {
        let Some(Resource::NetworkAcl(mut acl)) = state.resources.remove(&name) else {
            panic!("{name}");
        };
        acl.id = LEFT.into();
        acl.tags.insert(INCIDENT.to_owned(), incident.to_owned());
        state.resources.insert(left.clone(), acl.into_resource());
        for handle in state.handles.associations.values_mut() {
            if handle.resource == name {
                handle.resource = left.clone();
            }
        }
    }
}

fn tagged(name: &str, tags: &[&str]) -> Tags {
    let of = |key: &&str| {
        let value = if *key == SUCCESSOR_OF { name } else { "inc-1" };
        ((*key).to_owned(), value.to_owned())
    };
    tags.iter().map(of).collect()
}

/// A list without room in which no single call leads back: two of twenty have changed places.
fn full(swapped: bool) -> Vec<String> {
    let line = |(index, port): (usize, usize)| {
        format!("ingress {} allow tcp:{port} 10.0.0.0/16", (index + 1) * 10)
    };
    let mut ports: Vec<usize> = (21..41).collect();
    if swapped {
        ports.swap(0, 1);
    }
    ports.into_iter().enumerate().map(line).collect()
}

fn guarded_by(swapped: bool) -> Snapshot {
    let lines = full(swapped);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let other = ["ingress 100 allow tcp:443 0.0.0.0/0"];
    snapshot([
        acl("acl-1", &["subnet-1", "subnet-2"], &lines).into_resource(),
        acl("acl-2", &["subnet-3"], &other).into_resource(),
    ])
}

/// Two ACLs that have changed roles: who leaves the first waits.
fn exchanged(swapped: bool) -> Snapshot {
    let (web, ssh) = (
        "ingress 100 allow tcp:443 0.0.0.0/0",
        "ingress 100 allow tcp:22 10.0.0.0/8",
    );
    let (one, other) = if swapped { (web, ssh) } else { (ssh, web) };
    let (here, there) = if swapped {
        ("subnet-1", "subnet-2")
    } else {
        ("subnet-2", "subnet-1")
    };
    snapshot([
        acl("acl-1", &[here], &[one]).into_resource(),
        acl("acl-2", &[there], &[other]).into_resource(),
    ])
}

fn count(plan: &Plan, api: &str) -> usize {
    apis(plan).iter().filter(|made| **made == api).count()
}

#[test]
fn whoever_plans_after_a_crash_makes_no_other_and_leaves_none() {
    for (live, good) in [
        (guarded_by(true), guarded_by(false)),
        (exchanged(true), exchanged(false)),
    ] {
        let whole = plan_between(&live, &good);
        assert_eq!(whole.notes, []);
        assert_eq!(
            (
                count(&whole, "CreateNetworkAcl"),
                count(&whole, "DeleteNetworkAcl")
            ),
            (1, 1)
        );
        assert_eq!(apis(&whole).last(), Some(&"DeleteNetworkAcl"));
        let mut state = live.clone();
        for (made, step) in whole.steps.iter().enumerate() {
            let mut crashed = state.clone();
            born_in_ec2(&mut crashed, "inc-1");
            let rest = plan_between(&crashed, &good);
            let words = format!("after {made} calls: {:#?}", apis(&rest));
            assert_eq!(rest.notes, [], "{words}");
            assert!(
                safety(&crashed, &rest)
                    .iter()
                    .all(|step| *step == StepSafety::Safe),
                "{words}"
            );
            let creates = count(&rest, "CreateNetworkAcl") + usize::from(made > 0);
            assert!(creates <= 1, "{words}");
            assert!(made + rest.steps.len() <= whole.steps.len(), "{words}");
            assert_eq!(folded(&crashed, &rest).resources, good.resources, "{words}");
            apply(&step.action, &mut state).unwrap();
        }
        assert_eq!(state.resources, good.resources);
    }
}

/// An ACL of these entries that guards these subnets, left by an earlier run for `acl-1`.
fn with_left(mut state: Snapshot, subnets: &[&str], entries: &[&str], tags: Tags) -> Snapshot {
    let mut left = acl(LEFT, subnets, entries);
    left.tags = tags;
    for other in state.resources.values_mut() {
        if let Resource::NetworkAcl(other) = other {
            other.subnets.retain(|id| !left.subnets.contains(id));
        }
    }
    state
        .resources
        .insert(LEFT.parse().unwrap(), left.into_resource());
    state
}

const BOTH: [&str; 2] = [SUCCESSOR_OF, INCIDENT];
const OF_ACL_1: &str = "acl-stand-in-for-1";

#[test]
fn what_is_left_is_put_right_where_it_guards_nobody_and_not_written_where_it_does() {
    let good = guarded_by(false);
    let entries = ["ingress 100 allow all 0.0.0.0/0"];
    let tags = tagged(OF_ACL_1, &BOTH);
    let idle = with_left(guarded_by(true), &[], &entries, tags.clone());
    let plan = plan_between(&idle, &good);
    assert_eq!(plan.notes, []);
    assert_eq!(count(&plan, "CreateNetworkAcl"), 0, "{:?}", apis(&plan));
    assert_eq!(folded(&idle, &plan).resources, good.resources);
    // Somebody rewrote it under a subnet.
    let used = with_left(guarded_by(true), &["subnet-2"], &entries, tags);
    let plan = plan_between(&used, &good);
    let writes_it = |step: &Step| {
        matches!(&step.action,
        Action::CreateNetworkAclEntry { acl, .. }
        | Action::DeleteNetworkAclEntry { acl, .. }
        | Action::ReplaceNetworkAclEntry { acl, .. } if acl.as_str() == LEFT)
    };
    assert!(!plan.steps.iter().any(writes_it), "{:?}", apis(&plan));
    assert_eq!(count(&plan, "CreateNetworkAcl"), 0);
    assert_eq!(folded(&used, &plan).resources, good.resources);
}

#[test]
fn any_plan_of_the_vpc_removes_what_is_left_there_and_nothing_else() {
    let good = guarded_by(false);
    let deny = |mut state: Snapshot| {
        if let Some(Resource::NetworkAcl(acl)) = state.resources.get_mut(&"acl-2".parse().unwrap())
        {
            acl.entries
                .insert(entry_key("ingress 50"), entry("deny all 10.0.0.0/8"));
        }
        state
    };
    let planned = |subnets: &[&str], tags: Tags, away: bool| {
        let mut live = with_left(deny(guarded_by(false)), subnets, &[], tags);
        if let Some(Resource::NetworkAcl(left)) = live.resources.get_mut(&LEFT.parse().unwrap())
            && away
        {
            left.vpc = "vpc-2".into();
        }
        let goal = BTreeMap::from([(
            "acl-2".parse().unwrap(),
            good.resources[&"acl-2".parse().unwrap()].clone(),
        )]);
        apis(&plan(&live, &goal, &baselines(&good)))
    };
    let both = tagged(OF_ACL_1, &BOTH);
    assert_eq!(
        planned(&[], both.clone(), false),
        ["DeleteNetworkAclEntry", "DeleteNetworkAcl"]
    );
    for (subnets, tags, away) in [
        (&["subnet-9"][..], both.clone(), false),
        (&[], both, true),
        (&[], Tags::new(), false),
        (&[], tagged(OF_ACL_1, &[SUCCESSOR_OF]), false),
        (&[], tagged(OF_ACL_1, &[INCIDENT]), false),
        // One that was made again.
        (&[], tagged("acl-7", &BOTH), false),
        (&[], tagged("rtb-stand-in-for-1", &BOTH), false),
    ] {
        assert_eq!(
            planned(subnets, tags.clone(), away),
            ["DeleteNetworkAclEntry"],
            "{subnets:?} {tags:?}"
        );
    }
}

#[test]
fn nothing_is_deleted_that_was_not_made_to_stand_in() {
    let both = |name: &str| tagged(name, &BOTH);
    let table_of = |tags: Tags, subnets: &[&str], main: bool| {
        let mut found = table("rtb-7", subnets, &[]);
        (found.main, found.tags) = (main, tags);
        found.into_resource()
    };
    let acl_of = |tags: Tags, subnets: &[&str], is_default: bool| {
        let mut found = acl("acl-7", subnets, &[]);
        (found.is_default, found.tags) = (is_default, tags);
        found.into_resource()
    };
    let rtb = "rtb-stand-in-for-1";
    let table_action = Action::DeleteRouteTable {
        table: "rtb-7".into(),
    };
    let acl_action = Action::DeleteNetworkAcl {
        acl: "acl-7".into(),
    };
    let subnet = ["subnet-a"];
    for (action, resource, words) in [
        (
            &table_action,
            table_of(Tags::new(), &[], false),
            "was not made",
        ),
        (
            &table_action,
            table_of(both("rtb-1"), &[], false),
            "was not made",
        ),
        (
            &table_action,
            table_of(tagged(rtb, &[SUCCESSOR_OF]), &[], false),
            "was not made",
        ),
        (
            &table_action,
            table_of(both(rtb), &subnet, false),
            "routes subnet-a",
        ),
        (&table_action, table_of(both(rtb), &[], true), "main table"),
        (&acl_action, acl_of(Tags::new(), &[], false), "was not made"),
        (
            &acl_action,
            acl_of(both("acl-1"), &[], false),
            "was not made",
        ),
        (&acl_action, acl_of(both(rtb), &[], false), "was not made"),
        (
            &acl_action,
            acl_of(tagged(OF_ACL_1, &[SUCCESSOR_OF]), &[], false),
            "was not made",
        ),
        (
            &acl_action,
            acl_of(both(OF_ACL_1), &subnet, false),
            "guards subnet-a",
        ),
        (
            &acl_action,
            acl_of(both(OF_ACL_1), &[], true),
            "default ACL",
        ),
    ] {
        let state = snapshot([resource]);
        let refused = apply(action, &mut state.clone()).unwrap_err();
        assert!(refused.contains(words), "{refused}");
        assert_eq!(readiness(action, &state), Readiness::Changed(refused));
    }
    for (action, resource) in [
        (&table_action, table_of(both(rtb), &[], false)),
        (&acl_action, acl_of(both(OF_ACL_1), &[], false)),
        (
            &acl_action,
            acl_of(both("acl-stand-in-for-1-before"), &[], false),
        ),
    ] {
        let mut state = snapshot([resource]);
        assert_eq!(readiness(action, &state), Readiness::Ready);
        apply(action, &mut state).unwrap();
        assert_eq!(readiness(action, &state), Readiness::AlreadyInPlace);
    }
}

#[test]
fn what_is_still_there_is_told_by_what_it_stands_in_for() {
    let live = with_left(
        guarded_by(false),
        &["subnet-1"],
        &[],
        tagged("acl-stand-in-for-1-before", &BOTH),
    );
    let told = |of: &str| still_there(&live, &BTreeSet::from([of.parse().unwrap()]));
    assert!(told("acl-1")[0].contains("acl-99 was made to stand in for acl-1"));
    assert_eq!(told("acl-2"), Vec::<String>::new());
}
