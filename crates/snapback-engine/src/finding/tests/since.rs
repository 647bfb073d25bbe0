//! New harm is told apart from what was there before; severity is weighed by effect.

use super::*;
use crate::finding::weigh::{Weight, weighed};

fn openings(approved: &[&str], added: &[&str]) -> Vec<(Since, String)> {
    let findings = found(
        |good| rules(good, WEB).extend(approved.iter().map(|text| (rule(text), detail(None)))),
        |live| rules(live, WEB).extend(added.iter().map(|text| (rule(text), detail(None)))),
    );
    findings
        .into_iter()
        .map(|finding| (finding.since, finding.code.to_string()))
        .collect()
}

#[test]
fn a_group_that_was_open_already_is_made_worse() {
    let ssh = "ingress tcp:22 0.0.0.0/0";
    let rdp = "ingress tcp:3389 0.0.0.0/0";
    let sensitive = || "SG-WORLD-SENSITIVE".to_owned();
    assert_eq!(openings(&[], &[ssh]), [(Since::New, sensitive())]);
    assert_eq!(openings(&[rdp], &[ssh]), [(Since::Worse, sensitive())]);
}

#[test]
fn what_stands_is_told_with_when_it_came() {
    let mut good = account();
    rules(&mut good, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
    let mut live = good.clone();
    rules(&mut live, WEB).insert(rule("ingress tcp:3389 0.0.0.0/0"), detail(None));
    let id: ResourceId = WEB.parse().unwrap();
    let standing = standing(&captured(&good), &live, &id, &HouseRules::default());
    let told: Vec<(String, Since)> = standing
        .iter()
        .map(|finding| (finding.element.to_string(), finding.since))
        .collect();
    assert_eq!(
        told,
        [
            ("rule ingress tcp:22 0.0.0.0/0".to_owned(), Since::Before),
            ("rule ingress tcp:3389 0.0.0.0/0".to_owned(), Since::Worse)
        ]
    );
}

#[test]
fn a_dormant_danger_is_one_step_less_and_never_less_than_high() {
    let finding = |severity, harm| {
        Finding::new(
            FindingCode::SgWorldSensitive,
            (severity, harm),
            Subject::Vpc("vpc-1".into()),
            Element::Existence,
            "m".into(),
            Vec::new(),
        )
    };
    let dormant = Weight::Dormant("opens nothing now".into());
    let inside = Weight::Inside("now, on eni-1, not from the internet".into());
    use Harm::{Cuts, None, Opens};
    use Severity::{Critical, High, Info, Medium};
    for (severity, harm, weight, expected) in [
        (Critical, Opens, &Weight::Full, Critical),
        (Critical, Opens, &inside, High),
        (Critical, Opens, &dormant, High),
        (Critical, Cuts, &inside, Critical),
        (Critical, Cuts, &dormant, High),
        (High, Opens, &dormant, High),
        (Medium, Cuts, &dormant, Medium),
        (Info, None, &dormant, Info),
    ] {
        let weighed = weighed(finding(severity, harm), weight);
        assert_eq!(weighed.severity, expected, "{severity} {harm:?} {weight:?}");
        assert_eq!(weighed.harm, harm);
        let told = *weight != Weight::Full && harm != None;
        assert_eq!(weighed.evidence.len(), usize::from(told));
    }
}

#[test]
fn the_impact_of_an_opening_weighs_it() {
    let severity = |prepare: fn(&mut Snapshot)| {
        let mut good = super::site::site();
        prepare(&mut good);
        let mut live = good.clone();
        rules(&mut live, WEB).insert(rule("ingress tcp:22 0.0.0.0/0"), detail(None));
        let baselines = captured(&good);
        let diffs = diff(&baselines, &live, None);
        let impact = crate::impact::impact(&baselines, &live, &diffs[0]);
        let findings = assess(&baselines, &live, &diffs[0], &impact);
        (
            findings[0].severity,
            findings[0].evidence.last().cloned().unwrap(),
        )
    };
    let (nobody, why) = severity(|good| good.topology.interfaces.clear());
    assert_eq!(nobody, Severity::High);
    assert!(
        why.contains("no network interface carries this group"),
        "{why}"
    );
    let (inside, why) = severity(nothing);
    assert_eq!(inside, Severity::High, "{why}");
    let (facing, why) = severity(|good| {
        let eni = super::site::eni(good, "eni-web");
        eni.public_addresses.insert("198.51.100.9".parse().unwrap());
        let target = RouteTarget::InternetGateway("igw-1".into());
        table(good, MAIN)
            .routes
            .insert(to("0.0.0.0/0"), Route::created(target));
        good.topology.block_public_access.as_mut().unwrap().mode = BlockMode::Off;
    });
    assert_eq!(facing, Severity::Critical, "{why}");
}

#[test]
fn a_finding_is_stored_with_its_subject_as_resource() {
    for id in [
        "sg-1",
        "acl-1",
        "rtb-1",
        "vpc-1",
        "subnet-1",
        "eni-1",
        "nat-1",
        "igw-1",
        "pcx-1",
        "pl-1",
        "vpce-1",
        "vgw-1",
        "123456789012",
        "account",
    ] {
        let subject: Subject = id.parse().unwrap();
        assert_eq!(subject.to_string(), id);
        let text = serde_json::to_string(&subject).unwrap();
        assert_eq!(serde_json::from_str::<Subject>(&text).unwrap(), subject);
    }
    for odd in ["", "-", "i-1", "nonsense", "12345678901é"] {
        assert!(odd.parse::<Subject>().is_err(), "{odd}");
    }
    // As it was stored before findings had a subject.
    let old = serde_json::json!({
        "code": "SG-WORLD-ANY", "severity": "high", "harm": "opens", "resource": "sg-1", "element": "existence",
        "meaning": "m", "evidence": [], "advice": "a"
    });
    let read: Finding = serde_json::from_value(old).unwrap();
    assert_eq!(read.subject, "sg-1".parse::<Subject>().unwrap());
    assert_eq!(serde_json::to_value(&read).unwrap()["resource"], "sg-1");
}
