//! What is too large to be judged is said to be so, at once, and nothing is planned for it.

use super::*;
use crate::plan::{self, Note};
use std::collections::BTreeMap;

/// Many ports of a wide network beside many hosts inside it: their sets are ports times hosts.
fn huge() -> Snapshot {
    let mut state = account();
    let wide = (0..3_000).map(|n| format!("ingress tcp:{} 10.0.0.0/8", 2 * n + 1));
    let hosts = (0..3_000).map(|n| format!("ingress udp:53 10.9.{}.{}/32", n / 125, 2 * (n % 125)));
    let tcp_hosts =
        (0..3_000).map(|n| format!("ingress tcp:1 10.9.{}.{}/32", n / 125, 2 * (n % 125)));
    for text in wide.chain(hosts).chain(tcp_hosts) {
        rules(&mut state, WEB).insert(rule(&text), detail(None));
    }
    state
}

#[test]
fn a_change_of_a_resource_over_the_bound_is_unjudged_and_unplanned() {
    let good = captured(&account());
    let live = huge();
    let id: ResourceId = WEB.parse().unwrap();
    let only = std::collections::BTreeSet::from([id.clone()]);
    let diff = crate::diff::diff(&good, &live, Some(&only)).remove(0);
    let impact = crate::impact::impact(&good, &live, &diff);
    assert!(!impact.exactness.is_exact());
    let findings = assess(&good, &live, &diff, &impact);
    assert_eq!(findings.len(), diff.differences.len());
    assert!(
        findings
            .iter()
            .all(|finding| finding.code == FindingCode::Unjudged
                && finding.harm == Harm::None
                && finding.severity == Severity::High)
    );
    let goal = BTreeMap::from([(id.clone(), good.state(&id).unwrap().clone())]);
    let plan = plan::plan(&live, &goal, &good);
    assert_eq!(plan.steps, []);
    assert!(
        matches!(&plan.notes[..], [Note::Cannot { resource, .. }] if *resource == id),
        "{:?}",
        plan.notes
    );
}

#[test]
fn an_audit_of_a_resource_over_the_bound_says_so() {
    let findings = audit(&huge(), &HouseRules::default());
    assert!(findings.iter().any(|finding| finding.code == FindingCode::Unjudged
        && finding.subject.as_str() == WEB));
}
