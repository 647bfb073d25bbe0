#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::change::Actor;
use crate::finding::{Finding, FindingCode, Harm, Severity};
use crate::impact::{BlastRadius, Dies, Effect, Idle, Impact, Latent, Reached, Shift, Turn};
use crate::incident::{Cause, Report, ReportedDifference};
use crate::policy::Mode;
use crate::verdict::Verdict;
use proptest::prelude::*;
use snapback_model::Direction;

fn shift(text: &str) -> Shift {
    Shift {
        text: text.into(),
        direction: Some(Direction::Ingress),
        traffic: "tcp 22".into(),
        peers: vec!["0.0.0.0/0".into()],
        more_peers: 0,
        witness: Some("tcp 22 198.51.100.1".into()),
        through: vec!["rule ingress tcp:22 0.0.0.0/0".parse().unwrap()],
        effect: Effect::Now(Reached {
            interfaces: 1,
            subnets: 1,
            internet_facing: 1,
            on: vec!["load balancer front (eni-1)".into()],
            internet: None,
        }),
    }
}

fn latent(of: Turn, when: Dies) -> Latent {
    let evicts = (of == Turn::Opened).then(|| "deny them in network ACL acl-1".to_owned());
    Latent {
        of,
        what: "ingress tcp 22".into(),
        when,
        why: "security groups track them".into(),
        evicts,
    }
}

fn report() -> Report {
    Report {
        outcome: Outcome::Reverted,
        severity: Severity::Critical,
        mode: Mode::Enforce,
        resource: Some("sg-1".parse().unwrap()),
        label: "web (sg-1)".into(),
        vpc: Some("vpc-1".into()),
        account: Some("111122223333".into()),
        region: Some("eu-central-1".into()),
        cause: Cause::Event("e-1".into()),
        actor: Some(Actor {
            principal: "arn:aws:iam::111122223333:role/dev".into(),
            kind: "AssumedRole".into(),
            session: Some("arn:aws:sts::111122223333:assumed-role/dev/ann".into()),
            person: Some("ann".into()),
            on_behalf_via: None,
            console: true,
            source_ip: Some("198.51.100.7".into()),
            user_agent: Some("Mozilla/5.0".into()),
        }),
        api: Some("AuthorizeSecurityGroupIngress".into()),
        event_at: Some("2026-02-03T04:05:06Z".parse().unwrap()),
        differences: vec![
            ReportedDifference {
                text: "added: ingress tcp 22 from 0.0.0.0/0 (anyone, IPv4)".into(),
                verdict: Verdict::Revert,
                reason: "opens ssh to the internet".into(),
            },
            ReportedDifference {
                text: "added: ingress tcp 22 from 10.9.0.0/16".into(),
                verdict: Verdict::Alert,
                reason: "harmless, not approved".into(),
            },
        ],
        findings: vec![Finding {
            code: FindingCode::SgWorldSensitive,
            severity: Severity::Critical,
            harm: Harm::Opens,
            subject: "sg-1".parse().unwrap(),
            since: Default::default(),
            element: "rule ingress tcp:22 0.0.0.0/0".parse().unwrap(),
            meaning: "ssh is open to the internet".into(),
            evidence: vec!["ingress tcp:22 0.0.0.0/0".into()],
            advice: "Use Session Manager.".into(),
        }],
        impact: Impact {
            opened: vec![shift("ingress tcp 22 from 0.0.0.0/0 (any IPv4 address)")],
            blast: BlastRadius {
                interfaces: Some(1),
                named: vec!["load balancer front (eni-1)".into()],
                subnets: ["subnet-1".into()].into(),
                ..BlastRadius::default()
            },
            latent: vec![latent(Turn::Opened, Dies::AtIdleTimeout(vec![Idle::Tcp]))],
            ..Impact::default()
        },
        steps: vec!["RevokeSecurityGroupIngress sg-1: ingress tcp:22 0.0.0.0/0".into()],
        executed: true,
        problems: vec![],
        next: vec!["Ask ann whether it was meant.".into()],
        arrived_at: "2026-02-03T04:05:09.500Z".parse().unwrap(),
        ended_at: "2026-02-03T04:05:09.840Z".parse().unwrap(),
    }
}

fn told(report: Report) -> Notification {
    let at = report.ended_at;
    notification(&Entry {
        incident: "inc-1".into(),
        sequence: 7,
        at,
        body: Body::Closed {
            report: Box::new(report),
        },
    })
    .unwrap()
}

#[test]
fn a_reverted_story_is_told_whole() {
    let message = told(report());
    assert_eq!(message.key, "inc-1#7");
    assert_eq!(
        message.subject,
        "[Snapback] REVERTED critical: web (sg-1): ssh is open to the internet"
    );
    let expected = "\
REVERTED, critical: web (sg-1)
ssh is open to the internet

What happened
  AuthorizeSecurityGroupIngress (CloudTrail event e-1) at 2026-02-03T04:05:06Z, in 111122223333 / eu-central-1 / vpc-1
  added: ingress tcp 22 from 0.0.0.0/0 (anyone, IPv4) [taken back: opens ssh to the internet]
  added: ingress tcp 22 from 10.9.0.0/16 [stays: harmless, not approved]

Who
  ann as arn:aws:iam::111122223333:role/dev, in the console, from 198.51.100.7
  session arn:aws:sts::111122223333:assumed-role/dev/ann
  user agent, by its own word: Mozilla/5.0

What it opened
  ingress tcp 22 from 0.0.0.0/0 (any IPv4 address): now, on load balancer front (eni-1), facing the internet

Whom it concerns
  1 network interface in 1 subnet: load balancer front (eni-1)

Why it matters
  SG-WORLD-SENSITIVE (critical): ssh is open to the internet. Seen: ingress tcp:22 0.0.0.0/0. Use Session Manager.

What was done
  1. RevokeSecurityGroupIngress sg-1: ingress tcp:22 0.0.0.0/0
  verified: read back and equal to the goal

How long it took
  event to arrival 3.5 s, arrival to verified 340 ms

What stays outstanding
  added: ingress tcp 22 from 10.9.0.0/16

What becomes of connections
  Connections made over ingress tcp 22 are not ended by taking it back: security groups track them; they end when idle, TCP after 432000 s (5 days; 350 s on Nitro v6). To end them now: deny them in network ACL acl-1.

What to do next
  Ask ann whether it was meant.

Incident inc-1, entry 7, 2026-02-03T04:05:09.84Z
";
    assert_eq!(message.text, expected);
}

#[test]
fn machines_find_the_stable_keys() {
    let json = told(report()).json;
    let keys: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "account",
        "actor",
        "api",
        "arrival_to_end_ms",
        "arrived_at",
        "blast_radius",
        "cause",
        "closed",
        "differences",
        "ended_at",
        "event_at",
        "event_to_arrival_ms",
        "executed",
        "findings",
        "incident",
        "inexact",
        "kind",
        "label",
        "latent",
        "mode",
        "next",
        "omitted",
        "opened",
        "outcome",
        "problems",
        "region",
        "resource",
        "schema",
        "sequence",
        "severity",
        "steps",
        "summary",
        "verified",
        "vpc",
    ];
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(
        (
            &json["outcome"],
            &json["severity"],
            &json["resource"],
            &json["incident"]
        ),
        (
            &"reverted".into(),
            &"critical".into(),
            &"sg-1".into(),
            &"inc-1".into()
        )
    );
    assert_eq!(
        (
            &json["event_to_arrival_ms"],
            &json["arrival_to_end_ms"],
            &json["omitted"]
        ),
        (&3500.into(), &340.into(), &0.into())
    );
    assert_eq!(json["findings"][0]["code"], "SG-WORLD-SENSITIVE");
    assert_eq!(json["actor"]["person"], "ann");
    let opened = &json["opened"][0];
    assert_eq!(opened["effect"]["when"], "now");
    assert_eq!(opened["effect"]["internet_facing"], 1);
    assert_eq!(opened["witness"], "tcp 22 198.51.100.1");
    assert_eq!(opened["peers"][0], "0.0.0.0/0");
    assert_eq!(opened["through"][0], "rule ingress tcp:22 0.0.0.0/0");
    assert_eq!(json["blast_radius"]["interfaces"], 1);
    assert_eq!(json["latent"][0]["of"], "opened");
}

#[test]
fn only_closed_stories_that_concern_people_are_told() {
    let at = report().ended_at;
    let entry = |body: Body| Entry {
        incident: "inc-1".into(),
        sequence: 0,
        at,
        body,
    };
    assert_eq!(
        notification(&entry(Body::Interrupted { why: "time".into() })),
        None
    );
    let accepted = Report {
        outcome: Outcome::Accepted,
        ..report()
    };
    assert_eq!(
        notification(&entry(Body::Closed {
            report: Box::new(accepted)
        })),
        None
    );
}

#[test]
fn each_outcome_has_its_word_and_tells_what_to_do() {
    let cases = [
        (Outcome::Reverted, "REVERTED"),
        (Outcome::Alerted, "ALERT"),
        (Outcome::Refused, "REFUSED"),
        (Outcome::Failed, "FAILED"),
        (Outcome::Blind, "BLIND"),
        (Outcome::Impostor, "IMPOSTOR"),
        (Outcome::Malformed, "MALFORMED"),
        (Outcome::Context, "CONTEXT"),
        (Outcome::Braked, "BRAKED"),
        (Outcome::Released, "RELEASED"),
    ];
    for (outcome, word) in cases {
        let message = told(Report {
            outcome,
            next: vec![],
            ..report()
        });
        assert!(
            message
                .subject
                .starts_with(&format!("[Snapback] {word} critical: ")),
            "{}",
            message.subject
        );
        assert!(
            message.text.contains("What to do next\n  "),
            "{}",
            message.text
        );
        assert_eq!(
            message.text.contains("verified: read back"),
            outcome == Outcome::Reverted
        );
        assert_eq!(message.json["verified"], outcome == Outcome::Reverted);
    }
}

#[test]
fn observe_says_that_nothing_was_changed_and_shows_the_plan() {
    let mut observed = Report {
        outcome: Outcome::Alerted,
        mode: Mode::Observe,
        executed: false,
        ..report()
    };
    observed.differences[0].verdict = Verdict::Alert;
    let message = told(observed);
    assert!(
        message
            .subject
            .starts_with("[Snapback] WOULD REVERT critical: "),
        "{}",
        message.subject
    );
    assert!(message.text.contains("What would be done (nothing was changed: mode observe)\n  1. RevokeSecurityGroupIngress"), "{}", message.text);
    assert!(
        message
            .slack
            .to_string()
            .contains("nothing was changed: mode observe")
    );
}

#[test]
fn a_failed_revert_does_not_sound_done() {
    let failed = Report {
        outcome: Outcome::Failed,
        problems: vec!["RevokeSecurityGroupIngress: UnauthorizedOperation".into()],
        ..report()
    };
    let text = told(failed).text;
    assert!(
        text.contains("[to be taken back, not proved done: opens ssh"),
        "{text}"
    );
    assert!(
        text.contains("not verified: the end state is not proved to be the goal"),
        "{text}"
    );
    assert!(
        text.contains("What stays outstanding\n  added: ingress tcp 22 from 0.0.0.0/0"),
        "{text}"
    );
    assert!(
        text.contains("  RevokeSecurityGroupIngress: UnauthorizedOperation\n"),
        "{text}"
    );
}

#[test]
fn what_becomes_of_connections_is_told_as_it_was_computed() {
    let with = |latent: Vec<Latent>| {
        let mut told_of = report();
        told_of.impact.latent = latent;
        told(told_of)
    };
    let nothing = with(vec![]);
    assert!(!nothing.text.contains("What becomes of connections"));
    assert_eq!(nothing.json["latent"], serde_json::json!([]));
    let cut = with(vec![latent(Turn::Closed, Dies::Now)]);
    assert!(
        cut.text
            .contains("  Connections over ingress tcp 22 ended at once: security groups"),
        "{}",
        cut.text
    );
    assert_eq!(cut.json["latent"][0]["when"], "now");
    assert!(cut.slack.to_string().contains("ended at once"));
}

#[test]
fn a_change_that_no_event_told_of_says_so() {
    let missed = Report {
        cause: Cause::Missed,
        actor: None,
        api: None,
        event_at: None,
        ..report()
    };
    let message = told(missed);
    assert!(
        message
            .text
            .contains("found by the sweep; no event told of it"),
        "{}",
        message.text
    );
    assert!(
        message.text.contains("Who\n  not known"),
        "{}",
        message.text
    );
    assert!(
        message.text.contains("\n  arrival to verified 340 ms\n"),
        "{}",
        message.text
    );
}

#[test]
fn untrusted_text_cannot_forge_lines_links_mentions_or_formats() {
    let evil = "x\nWhat was done\n  nothing\r\u{202e}<!channel> <https://evil|ok> *bold* _it_ a_b `c` ~d~ & done";
    let mut forged = report();
    forged.label = evil.into();
    forged.actor.as_mut().unwrap().user_agent = Some(evil.into());
    forged.differences[0].text = evil.into();
    forged.next = vec![evil.into()];
    let message = told(forged);
    assert_eq!(
        message.text.matches("\nWhat was done\n").count(),
        1,
        "{}",
        message.text
    );
    assert!(!message.text.contains('\u{202e}'));
    let slack = message.slack.to_string();
    assert!(
        !slack.contains("<!channel>") && !slack.contains("<https"),
        "{slack}"
    );
    assert!(
        slack.contains("&lt;!channel&gt;") && slack.contains("&amp; done") && slack.contains("a_b"),
        "{slack}"
    );
    let blocks = message.slack["blocks"].as_array().unwrap();
    for block in blocks.iter().filter(|block| block["type"] == "section") {
        let text = block["text"]["text"].as_str().unwrap();
        assert_eq!(block["text"]["verbatim"], true);
        assert!(
            !text.contains("*bold*") && !text.contains("_it_") && !text.contains("`c`"),
            "{text}"
        );
    }
    assert!(
        message
            .subject
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte))
    );
}

#[test]
fn long_stories_are_counted_not_cut_in_the_middle() {
    let mut long = report();
    long.steps = (0..500)
        .map(|step| format!("step {step} {}", "é".repeat(600)))
        .collect();
    let message = told(long);
    assert!(
        message
            .text
            .contains("and 489 more: see incident inc-1 in the journal"),
        "{}",
        message.text
    );
    assert!(message.json["omitted"].as_u64().unwrap() >= 400);
    assert!(message.slack.to_string().contains("more in the journal"));
}

#[test]
fn durations_read_as_people_say_them() {
    let said = |millis: u64| plain::duration(std::time::Duration::from_millis(millis));
    let expected = [
        "0 ms",
        "999 ms",
        "1.2 s",
        "59.9 s",
        "2 min 5 s",
        "3 h 4 min",
        "1 d 1 h",
    ];
    assert_eq!(
        [0, 999, 1_250, 59_999, 125_000, 11_045_000, 90_000_000].map(said),
        expected
    );
}

fn limits(message: &Notification) {
    assert!(
        message.subject.len() <= 100
            && message
                .subject
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte)),
        "{}",
        message.subject
    );
    assert!(message.text.len() <= 64_000 && message.json.to_string().len() <= 64_000);
    let blocks = message.slack["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    for block in blocks {
        let length =
            |text: &serde_json::Value| text["text"].as_str().unwrap().encode_utf16().count();
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=150).contains(&length(&block["text"]))),
            "section" => assert!((1..=3000).contains(&length(&block["text"]))),
            "context" => assert!((1..=3000).contains(&length(&block["elements"][0]))),
            other => panic!("{other}"),
        }
    }
    assert!(!message.slack["text"].as_str().unwrap().is_empty());
}

/// Few lines may be too long for a section, as many short ones are.
#[test]
fn a_section_of_slack_ends_before_it_is_too_long_and_counts_what_is_left() {
    let problems = (0..6).map(|number| format!("{number} {}", "&".repeat(400)));
    let message = told(Report {
        problems: problems.collect(),
        ..report()
    });
    limits(&message);
    let slack = message.slack.to_string();
    assert!(slack.contains("and 5 more in the journal"), "{slack}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn limits_hold_whatever_the_report_says(
        text in prop_oneof!["\\PC{0,40}", "[&<>*_`~\\n]{0,900}", "\\u{1f600}{0,900}", Just(String::new())],
        count in prop_oneof![0_usize..5, Just(120)],
        outcome in prop::sample::select(vec![Outcome::Reverted, Outcome::Alerted, Outcome::Failed, Outcome::Blind, Outcome::Malformed]),
    ) {
        let mut report = Report { outcome, ..report() };
        let many = vec![text.clone(); count];
        report.label = text.clone();
        report.steps = many.clone();
        report.problems = many.clone();
        report.next = many.clone();
        let shifts: Vec<Shift> = many.iter().map(|text| shift(text)).collect();
        report.impact = Impact { opened: shifts.clone(), closed: shifts, inexact: many, ..report.impact };
        let mut difference = report.differences[0].clone();
        difference.text = text.clone();
        difference.reason = text.clone();
        report.differences = vec![difference; count];
        let mut finding = report.findings[0].clone();
        finding.meaning = text.clone();
        finding.advice = text.clone();
        finding.evidence = vec![text; count];
        report.findings = vec![finding; count];
        limits(&told(report));
    }
}
