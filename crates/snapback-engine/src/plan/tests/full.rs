//! Full resources in plans of several.

use super::*;
use crate::plan::{apply, quota};

/// Found by the prover (seed 2032193): the search over the calls of two ACLs that exchange subnets
/// made an entry before the one went whose place in the full list it takes.
#[test]
fn acls_that_exchange_subnets_are_never_fuller_than_their_quota() {
    let shared = [
        "ingress 30 allow tcp:22 2001:db8:1::/48",
        "ingress 50 allow tcp:22 10.1.0.0/16",
        "ingress 60 allow tcp:all 0.0.0.0/0",
        "ingress 70 allow tcp:22 10.1.2.0/24",
        "ingress 80 deny udp:53 10.1.2.0/24",
        "ingress 90 deny icmp:8 0.0.0.0/0",
        "ingress 100 deny tcp:all 10.0.0.0/8",
        "ingress 110 deny tcp:0-1024 2001:db8::/32",
        "ingress 120 deny tcp:all 0.0.0.0/0",
        "ingress 130 deny all 0.0.0.0/0",
        "ingress 140 allow protocol:50 2001:db8::/32",
        "ingress 150 deny tcp:all 10.1.0.0/16",
        "ingress 160 deny tcp:0-1024 10.0.0.0/8",
        "ingress 170 allow tcp:443 2001:db8:1::/48",
        "ingress 180 deny tcp:22 2001:db8::/32",
        "ingress 190 deny tcp:22 10.0.0.0/8",
        "ingress 200 allow tcp:22 ::/0",
        "ingress 210 allow tcp:443 0.0.0.0/0",
        "ingress 220 allow all 10.1.0.0/16",
    ];
    let mut approved = vec!["ingress 10 deny tcp:22 10.0.0.0/8"];
    approved.extend(shared);
    let found = [
        "ingress 10 allow tcp:0-1024 ::/0",
        "ingress 20 allow tcp:443 0.0.0.0/0",
    ];
    let live = snapshot([
        acl("acl-1", &["subnet-1", "subnet-3", "subnet-5"], &[]).into_resource(),
        acl("acl-2", &["subnet-2", "subnet-4"], &found).into_resource(),
    ]);
    let good = snapshot([
        acl(
            "acl-1",
            &["subnet-4", "subnet-5"],
            &["ingress 40 allow protocol:50 2001:db8::/32"],
        )
        .into_resource(),
        acl("acl-2", &["subnet-1", "subnet-2", "subnet-3"], &approved).into_resource(),
    ]);
    let plan = plan_between(&live, &good);
    assert_eq!(plan.notes, []);
    let mut state = live.clone();
    for step in &plan.steps {
        apply(&step.action, &mut state).unwrap();
        let now = state.resources.get(&step.resource);
        let ends = [&live, &good].map(|end| end.resources.get(&step.resource));
        let is_over = now.is_some_and(|now| quota::is_over(now, ends, &live.topology));
        assert!(!is_over, "{}", step.action.describe());
    }
    assert_eq!(state.resources, good.resources);
}

/// Found by the prover (seeds 10052787, 10057708): a rule was changed in place into one of a larger
/// prefix list, as if that took no more room.
#[test]
fn a_rule_is_not_changed_into_one_of_a_larger_prefix_list_where_there_is_no_room() {
    let shared: Vec<String> = (0..52)
        .map(|index| format!("ingress tcp:443 10.0.{index}.0/24"))
        .collect();
    let foreign: Vec<String> = (0..6)
        .map(|index| format!("ingress tcp:443 10.9.{index}.0/24"))
        .collect();
    let rules = |others: &[&str]| -> SecurityGroup {
        let shared = shared.iter().map(String::as_str);
        group(
            "sg-1",
            &shared.chain(others.iter().copied()).collect::<Vec<_>>(),
        )
    };
    let mut found: Vec<&str> = foreign.iter().map(String::as_str).collect();
    found.push("ingress tcp:22 pl-small");
    let mut live = snapshot([rules(&found).into_resource()]);
    let good = snapshot([rules(&["ingress tcp:22 pl-large"]).into_resource()]);
    let sizes = BTreeMap::from([("pl-small", 1), ("pl-large", 8)]);
    for (id, most) in &sizes {
        let list = PrefixList {
            id: (*id).into(),
            name: None,
            version: None,
            max_entries: Some(*most),
            entries: None,
        };
        live.topology.prefix_lists.insert((*id).into(), list);
    }
    let plan = plan_between(&live, &good);
    let mut state = live.clone();
    for step in &plan.steps {
        apply(&step.action, &mut state).unwrap();
        let Some(Resource::SecurityGroup(now)) = state.resources.get(&step.resource) else {
            panic!("no group");
        };
        let cost = |key: &RuleKey| match &key.peer {
            Peer::PrefixList(id) => sizes[id.as_str()],
            _ => 1,
        };
        let holds: u32 = now.rules.keys().map(cost).sum();
        assert!(holds <= 60, "{holds} after {}", step.action.describe());
    }
    assert_eq!(state.resources, good.resources);
    assert_eq!(plan.notes, []);
}
