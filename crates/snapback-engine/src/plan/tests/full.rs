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
