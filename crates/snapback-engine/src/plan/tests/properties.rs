use super::arbitrary::{SUBNETS, acls, groups, mixed, tables};
use super::*;
use crate::execution::{Verification, verify};
use proptest::prelude::*;
use snapback_reach::{Flow, Host, Symbol, naive};
use std::net::IpAddr;

/// Packets on and beside every edge of the rules that the generators make.
fn flows() -> Vec<Flow> {
    let addresses = [
        "9.9.9.9",
        "10.0.0.1",
        "10.1.0.1",
        "10.1.2.3",
        "2600::1",
        "2001:db8::1",
    ];
    let hosts = addresses
        .iter()
        .map(|text| Host::Address(text.parse().unwrap()));
    let group = |id: &str, owner: Option<&str>| {
        Host::Symbol(Symbol::SecurityGroup {
            id: id.into(),
            owner: owner.map(Into::into),
        })
    };
    let symbols = [
        group("sg-1", None),
        group("sg-2", None),
        group("sg-3", Some("222222222222")),
        Host::Symbol(Symbol::PrefixList("pl-1".into())),
    ];
    let points = [
        (6, 22),
        (6, 443),
        (6, 80),
        (6, 5000),
        (17, 53),
        (17, 54),
        (1, 8 * 256),
        (1, 0),
        (50, 0),
        (99, 0),
    ];
    let hosts: Vec<Host> = hosts.chain(symbols).collect();
    let all = hosts.iter().flat_map(|peer| {
        points.iter().map(|(protocol, point)| Flow {
            peer: peer.clone(),
            protocol: *protocol,
            point: *point,
        })
    });
    all.collect()
}

fn permits(resource: &Resource, direction: Direction, flow: &Flow, topology: &Topology) -> bool {
    match resource {
        Resource::SecurityGroup(group) => naive::permits_group(group, direction, topology, flow),
        Resource::NetworkAcl(acl) => naive::permits_acl(acl, direction, flow),
        Resource::RouteTable(_) => no_policy(),
    }
}

fn no_policy() -> bool {
    panic!("tables permit nothing")
}

/// Steps that the plan itself says interrupt something.
fn declared(plan: &Plan) -> BTreeSet<usize> {
    let steps = plan.notes.iter().filter_map(|note| match note {
        Note::Interrupts { step, .. } => Some(*step),
        Note::Cannot { .. } | Note::Needs { .. } => None,
    });
    steps.collect()
}

/// From the first declared step on, prefixes are not held to the invariant; before it, each is.
fn undeclared(plan: &Plan) -> usize {
    declared(plan)
        .into_iter()
        .next()
        .unwrap_or(plan.steps.len())
}

/// Every prefix cuts nothing that both ends permit and opens nothing that neither does, for groups
/// as such and for every subnet by the ACL that holds it.
fn assert_policy_prefixes(live: &Snapshot, plan: &Plan) {
    let flows = flows();
    let mut state = live.clone();
    for step in plan.steps.iter().take(undeclared(plan)) {
        apply(&step.action, &mut state).unwrap();
        for direction in [Direction::Ingress, Direction::Egress] {
            // An ACL decides for the subnets that it holds then: they are looked at below.
            let bounded = plan
                .goal
                .iter()
                .filter(|(id, _)| id.kind() == Kind::SecurityGroup);
            let own = bounded.map(|(id, goal)| {
                (
                    id.to_string(),
                    &live.resources[id],
                    goal,
                    &state.resources[id],
                )
            });
            let subnets = SUBNETS.iter().filter_map(|subnet| {
                let subnet = SubnetId::from(*subnet);
                let holds = |resource: &&Resource| matches!(resource, Resource::NetworkAcl(acl) if acl.subnets.contains(&subnet));
                let before = live.resources.values().find(holds)?;
                let after = plan.goal.values().find(holds)?;
                Some((subnet.to_string(), before, after, state.resources.values().find(holds)?))
            });
            for (who, before, after, now) in own.chain(subnets) {
                for flow in &flows {
                    let [before, after, now] = [before, after, now]
                        .map(|state| permits(state, direction, flow, &live.topology));
                    let words = || {
                        format!(
                            "{who} {direction} {flow:?} after {}\n{plan:#?}",
                            step.action.describe()
                        )
                    };
                    assert!(now || !(before && after), "cut: {}", words());
                    assert!(!now || before || after, "opened: {}", words());
                }
            }
        }
    }
}

/// Every prefix sends every address of every subnet where live or the goal sends it.
fn assert_route_prefixes(live: &Snapshot, plan: &Plan, end: &Snapshot) {
    let addresses = [
        "9.9.9.9",
        "200.1.1.1",
        "172.17.0.1",
        "172.16.0.1",
        "172.16.1.1",
        "192.168.0.1",
        "10.0.0.1",
        "2600::1",
        "2001:db8::1",
    ];
    let hop = |state: &Snapshot, subnet: &SubnetId, address: IpAddr| {
        let (table, _) = state.table_of(subnet)?;
        match state.resources.get(&table.clone().into())? {
            Resource::RouteTable(table) => naive::next_hop(table, &state.topology, address),
            _ => None,
        }
    };
    let mut state = live.clone();
    for step in plan.steps.iter().take(undeclared(plan)) {
        apply(&step.action, &mut state).unwrap();
        for subnet in SUBNETS.map(SubnetId::from) {
            for address in addresses.map(|text| text.parse().unwrap()) {
                let now = hop(&state, &subnet, address);
                let ends = [hop(live, &subnet, address), hop(end, &subnet, address)];
                assert!(
                    ends.contains(&now),
                    "{subnet} {address}: {now:?} is none of {ends:?} after {}\n{plan:#?}",
                    step.action.describe()
                );
            }
        }
    }
}

/// The end is the goal, again a plan from it is empty, and what the goal does not name is as it was.
fn assert_end(live: &Snapshot, plan: &Plan, good: &Baselines) -> Snapshot {
    let cannot: Vec<&Note> = plan
        .notes
        .iter()
        .filter(|note| note.left_undone().is_some())
        .collect();
    assert!(cannot.is_empty(), "{cannot:?}");
    let end = folded(live, plan);
    assert_eq!(verify(&plan.goal, &end), Verification::Equal, "{plan:#?}");
    let again = super::super::plan(&end, &plan.goal, good);
    assert!(
        again.steps.is_empty() && again.notes.is_empty(),
        "{again:#?}"
    );
    for (id, before) in live
        .resources
        .iter()
        .filter(|(id, _)| !plan.goal.contains_key(id))
    {
        let mut before = before.clone();
        match (&mut before, &end.resources[id]) {
            // What a goal claims leaves, and nothing else happens.
            (Resource::NetworkAcl(before), Resource::NetworkAcl(after)) => {
                before.subnets.clone_from(&after.subnets)
            }
            (Resource::RouteTable(before), Resource::RouteTable(after)) => {
                before.subnets.clone_from(&after.subnets);
                before.gateways.clone_from(&after.gateways);
                before.main = after.main;
            }
            _ => {}
        }
        assert_eq!(before, end.resources[id]);
    }
    end
}

/// No call is made twice on one element, and nothing is taken away to be put back.
fn assert_each_element_once(plan: &Plan) {
    let mut routes = BTreeSet::new();
    let mut rules = BTreeSet::new();
    for step in &plan.steps {
        match &step.action {
            Action::CreateRoute {
                table, destination, ..
            }
            | Action::ReplaceRoute {
                table, destination, ..
            }
            | Action::DeleteRoute {
                table, destination, ..
            } => {
                assert!(
                    routes.insert((table.clone(), destination.clone())),
                    "{destination} twice"
                );
            }
            Action::AuthorizeSecurityGroupRules {
                group, rules: keys, ..
            } => {
                assert!(
                    keys.keys()
                        .all(|key| rules.insert((group.clone(), key.clone())))
                );
            }
            Action::RevokeSecurityGroupRules {
                group, rules: keys, ..
            } => {
                assert!(
                    keys.keys()
                        .all(|key| rules.insert((group.clone(), key.clone())))
                );
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn groups_reach_the_goal_and_cut_nothing_on_the_way((live, good) in groups()) {
        let plan = plan_between(&live, &good);
        prop_assert_eq!(declared(&plan), BTreeSet::new());
        assert_end(&live, &plan, &baselines(&good));
        assert_policy_prefixes(&live, &plan);
        assert_each_element_once(&plan);
    }

    #[test]
    fn acls_reach_the_goal_and_interrupt_only_what_they_declare((live, good) in acls()) {
        let plan = plan_between(&live, &good);
        assert_end(&live, &plan, &baselines(&good));
        assert_policy_prefixes(&live, &plan);
    }

    #[test]
    fn tables_reach_the_goal_and_every_address_goes_where_an_end_sends_it((live, good) in tables()) {
        let plan = plan_between(&live, &good);
        let end = assert_end(&live, &plan, &baselines(&good));
        assert_each_element_once(&plan);
        assert_route_prefixes(&live, &plan, &end);
    }

    #[test]
    fn a_table_that_gives_and_takes_no_subnet_never_strays((live, good) in tables()) {
        // Associations are as they should be; only routes differ.
        let mut live = live;
        for (id, resource) in &mut live.resources {
            if let (Resource::RouteTable(now), Some(Resource::RouteTable(wanted))) = (resource, good.resources.get(id)) {
                now.subnets.clone_from(&wanted.subnets);
                now.main = wanted.main;
            }
        }
        let live = snapshot(live.resources.into_values());
        let plan = plan_between(&live, &good);
        prop_assert_eq!(declared(&plan), BTreeSet::new());
        let end = assert_end(&live, &plan, &baselines(&good));
        assert_route_prefixes(&live, &plan, &end);
    }

    #[test]
    fn a_subnet_that_moves_to_an_untouched_table_never_strays((live, good) in tables()) {
        // The tables' routes are as they should be; only associations differ.
        let mut live = live;
        for (id, resource) in &mut live.resources {
            if let (Resource::RouteTable(now), Some(Resource::RouteTable(wanted))) = (resource, good.resources.get(id)) {
                now.routes.clone_from(&wanted.routes);
            }
        }
        let plan = plan_between(&live, &good);
        prop_assert_eq!(declared(&plan), BTreeSet::new());
        let end = assert_end(&live, &plan, &baselines(&good));
        assert_route_prefixes(&live, &plan, &end);
    }

    #[test]
    fn a_goal_of_some_resources_leaves_the_others_alone((live, good, some) in mixed()) {
        let goal = good.resources.iter().filter(|(id, _)| some.contains(id));
        let goal = goal.map(|(id, resource)| (id.clone(), resource.clone())).collect();
        let plan = super::super::plan(&live, &goal, &baselines(&good));
        assert_end(&live, &plan, &baselines(&good));
    }

    #[test]
    fn a_state_needs_no_plan_to_itself((live, _, _) in mixed()) {
        let plan = plan_between(&live, &live);
        prop_assert!(plan.steps.is_empty() && plan.notes.is_empty(), "{:#?}", plan);
    }
}
