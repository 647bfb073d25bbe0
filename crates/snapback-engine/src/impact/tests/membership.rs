//! Access without any rule change (semantics A1).

use super::*;
use crate::impact::membership;

#[test]
fn a_group_moved_onto_an_interface_opens_for_it_and_for_those_who_name_it() {
    let mut good = account();
    let app = group(
        "sg-app",
        &["ingress tcp:8080 sg-web", "egress all 0.0.0.0/0"],
    );
    good.resources.insert("sg-app".parse().unwrap(), app);
    carry(&mut good, "eni-1", "subnet-1", &[WEB], false);
    carry(&mut good, "eni-2", "subnet-2", &["sg-app"], false);
    carry(&mut good, "eni-3", "subnet-2", &[], false);
    let baselines = captured(&good);
    assert_eq!(membership(&baselines, &good), Membership::default());
    let mut live = good.clone();
    let eni = live.topology.interfaces.get_mut(&"eni-3".into()).unwrap();
    eni.groups.insert(WEB.into());
    let told = membership(&baselines, &live);
    let [regrouped] = told.interfaces.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(regrouped.gained, [WEB.into()].into());
    assert!(regrouped.closed.is_empty());
    let lines: Vec<&str> = regrouped
        .opened
        .iter()
        .map(|shift| shift.text.as_str())
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("ingress tcp 443"), "{lines:?}");
    let [referrer] = told.referrers.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (referrer.group.as_str(), referrer.named.as_str()),
        ("sg-app", WEB)
    );
    assert!(referrer.joined.contains_key(&"eni-3".into()) && referrer.left.is_empty());
    assert_eq!(referrer.carriers, 1);
}

#[test]
fn a_group_taken_off_closes_and_rules_that_changed_beside_are_not_counted() {
    let mut good = account();
    carry(&mut good, "eni-1", "subnet-1", &[WEB], false);
    let baselines = captured(&good);
    let mut live = good.clone();
    rules(&mut live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
    assert!(membership(&baselines, &live).interfaces.is_empty());
    let eni = live.topology.interfaces.get_mut(&"eni-1".into()).unwrap();
    eni.groups.clear();
    let told = membership(&baselines, &live);
    let regrouped = &told.interfaces[0];
    assert!(regrouped.opened.is_empty());
    assert!(!regrouped.closed.is_empty());
    assert_eq!(regrouped.lost, [WEB.into()].into());
}

#[test]
fn interfaces_made_since_are_no_change_of_membership() {
    let good = account();
    let baselines = captured(&good);
    let mut live = good.clone();
    carry(&mut live, "eni-9", "subnet-1", &[WEB], false);
    assert_eq!(membership(&baselines, &live), Membership::default());
}
