#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::files::Found;
use super::gather::gather;
use super::stream::{self, Broken};
use super::tally::{Period, report};
use flate2::Compression;
use flate2::write::GzEncoder;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use snapback_engine::change::Own;
use snapback_engine::history;
use snapback_engine::policy::Policy;
use std::io::Write as _;
use std::path::PathBuf;

fn elements(bytes: &[u8], gz: bool) -> (Vec<(String, String)>, Vec<Broken>) {
    let mut found = Vec::new();
    let broken = stream::read(bytes, gz, &mut |raw, place| {
        found.push((place(), raw.split_whitespace().collect()));
    });
    (found, broken)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

fn pairs(items: &[(&str, &str)]) -> Vec<(String, String)> {
    items
        .iter()
        .map(|(place, raw)| ((*place).to_owned(), (*raw).to_owned()))
        .collect()
}

#[test]
fn every_form_gives_its_elements_one_by_one() {
    let list = pairs(&[("Records[0]", r#"{"a":1}"#), ("Records[1]", r#"{"b":2}"#)]);
    let cases: Vec<(&str, Vec<(String, String)>)> = vec![
        (r#"{"Records":[{"a":1},{"b":2}]}"#, list.clone()),
        (
            "{\n \"Records\": [\n {\"a\": 1},\n {\"b\": 2}\n ]\n}\n",
            list.clone(),
        ),
        (
            "\u{feff}{\"Records\":[{\"a\":1},{\"b\":2}]}\n",
            pairs(&[
                ("line 1, Records[0]", r#"{"a":1}"#),
                ("line 1, Records[1]", r#"{"b":2}"#),
            ]),
        ),
        (
            r#"{"NextToken":"x","Events":[{"a":1}]}"#,
            pairs(&[("Events[0]", r#"{"a":1}"#)]),
        ),
        (r#"[{"a":1}]"#, pairs(&[("[0]", r#"{"a":1}"#)])),
        (
            r#"{"a":1,"b":{"Records":[1]}}"#,
            pairs(&[("", r#"{"a":1,"b":{"Records":[1]}}"#)]),
        ),
        ("{}", pairs(&[("", "{}")])),
        (
            "{\"a\":1}\n\n{\"b\":2}\n",
            pairs(&[("line 1", r#"{"a":1}"#), ("line 3", r#"{"b":2}"#)]),
        ),
        (
            "{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":2}]}",
            pairs(&[
                ("line 1, Records[0]", r#"{"a":1}"#),
                ("line 2, Records[0]", r#"{"b":2}"#),
            ]),
        ),
        (
            "{\n\"a\":1}\n{\n\"b\":2}",
            pairs(&[("", r#"{"a":1}"#), ("document 2", r#"{"b":2}"#)]),
        ),
        (r#"{"Records":[]}"#, Vec::new()),
    ];
    for (text, expected) in cases {
        assert_eq!(
            elements(text.as_bytes(), false),
            (expected.clone(), vec![]),
            "{text}"
        );
        assert_eq!(
            elements(&gzip(text), true),
            (expected, vec![]),
            "gzip: {text}"
        );
    }
}

#[test]
fn a_gzip_of_several_members_is_read_whole() {
    let mut bytes = gzip("{\"a\":1}\n");
    bytes.extend(gzip("{\"b\":2}\n"));
    assert_eq!(elements(&bytes, true).0.len(), 2);
}

#[test]
fn what_is_broken_is_named_with_its_spot_and_the_rest_is_given() {
    let (found, broken) = elements(br#"{"Records":[{"a":1},{"b":"#, false);
    assert_eq!(found.len(), 1);
    assert_eq!(broken[0].spot, "line 1, column 25");
    assert!(
        broken[0].message.starts_with("the JSON is cut off"),
        "{broken:?}"
    );

    let (found, broken) = elements(b"{\"a\":1}\n{\"b\":\n{\"c\":3}\n", false);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (broken.len(), broken[0].spot.as_str()),
        (1, "line 2, column 5")
    );

    let (found, broken) = elements(br#"{"Records":{"a":1}}"#, false);
    assert!(found.is_empty());
    assert!(
        broken[0]
            .message
            .contains("expected `Records` to be an array"),
        "{broken:?}"
    );

    for text in ["7", "null", "hello", ""] {
        let (found, broken) = elements(text.as_bytes(), false);
        assert_eq!((found.len(), broken.len()), (0, 1), "{text}: {broken:?}");
    }

    let (_, broken) = elements(b"{\"Records\":[]}", true);
    assert_eq!(broken[0].message, "is named .gz but is not gzip");

    let many: String = (0..400).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let whole = gzip(&many);
    let (found, broken) = elements(&whole[..whole.len() / 2], true);
    assert!(!found.is_empty() && found.len() < 400, "{}", found.len());
    assert!(
        broken
            .iter()
            .any(|broken| broken.message == "the gzip stream is cut off"),
        "{broken:?}"
    );
    let mut bent = whole;
    let middle = bent.len() / 2;
    bent[middle..middle + 8].fill(0xff);
    assert!(!elements(&bent, true).1.is_empty());
}

fn record(second: u32, name: &str, request: &Value) -> Value {
    json!({
        "eventTime": format!("2026-02-03T04:05:{second:02}Z"), "eventSource": "ec2.amazonaws.com",
        "eventName": name, "awsRegion": "eu-central-1", "eventID": format!("e-{second}"),
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "userName": "ann"},
        "requestParameters": request, "responseElements": {"_return": true}, "readOnly": false,
    })
}

fn open(second: u32) -> Value {
    record(
        second,
        "AuthorizeSecurityGroupIngress",
        &json!({"groupId": format!("sg-{second}"), "ipPermissions": {},
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"}),
    )
}

/// A folder with one file for each text.
fn folder(name: &str, files: &[(&str, Vec<u8>)]) -> Found {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/tmp")
        .join(name);
    let _absent = std::fs::remove_dir_all(&home);
    for (file, bytes) in files {
        let path = home.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    super::files::find(&[home])
}

#[test]
fn each_event_counts_once_in_whatever_form_it_comes() {
    let envelope = json!({"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2",
        "account": "111122223333", "time": "2026-02-03T04:05:06Z", "region": "eu-central-1", "detail": open(3)});
    let lookup = json!({"Events": [{"EventId": "e-4", "CloudTrailEvent": open(4).to_string()}, {"CloudTrailEvent": open(1).to_string()}]});
    let reads = json!({"eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "eventTime": "2026-01-01T00:00:00Z"});
    let found = folder(
        "backtest-forms",
        &[
            (
                "AWSLogs/1/CloudTrail/eu-central-1/2026/02/03/a.json.gz",
                gzip(&json!({"Records": [open(1), open(2), reads]}).to_string()),
            ),
            (
                "AWSLogs/1/CloudTrail-Digest/eu-central-1/d.json.gz",
                b"no gzip at all".to_vec(),
            ),
            ("b.json", envelope.to_string().into_bytes()),
            ("c/lookup.json", serde_json::to_vec_pretty(&lookup).unwrap()),
            (
                "d.jsonl",
                format!(
                    "{}\n{}\n",
                    open(5),
                    record(6, "DescribeRouteTables", &json!({}))
                )
                .into_bytes(),
            ),
            ("readme.txt", b"hello".to_vec()),
            ("one.json", open(2).to_string().into_bytes()),
        ],
    );
    let gathered = gather(&found, &Own::default(), &ProgressBar::hidden());
    assert_eq!(gathered.bad, vec![]);
    let ids: Vec<&str> = gathered
        .steps
        .iter()
        .map(|step| step.change.event.as_str())
        .collect();
    assert_eq!(ids, ["e-1", "e-2", "e-3", "e-4", "e-5"]);
    let counts = &gathered.counts;
    assert_eq!(
        (
            counts.files,
            counts.skipped_files,
            counts.records,
            counts.duplicates,
            counts.other_services,
            counts.ec2_other
        ),
        (5, 1, 9, 2, 1, 1)
    );
    assert_eq!(counts.first.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(counts.last.as_deref(), Some("2026-02-03T04:05:06Z"));
}

#[test]
fn a_bad_file_is_named_and_the_others_count() {
    let cut = gzip(&json!({"Records": [open(1), open(2)]}).to_string());
    let found = folder(
        "backtest-bad",
        &[
            ("1.json.gz", cut[..cut.len() - 12].to_vec()),
            ("2.json.gz", b"plain".to_vec()),
            (
                "3.json",
                br#"{"Records":[{"eventSource":"ec2.amazonaws.com","eventName":"CreateRoute"}]}"#
                    .to_vec(),
            ),
            ("4.json", br#"{"Records":[{"hello":1},"#.to_vec()),
            (
                "5.json",
                json!({"Records": [open(5)]}).to_string().into_bytes(),
            ),
        ],
    );
    let gathered = gather(&found, &Own::default(), &ProgressBar::hidden());
    let bad: Vec<(String, &str)> = gathered
        .bad
        .iter()
        .map(|bad| {
            let file = PathBuf::from(&bad.file)
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned();
            (file, bad.message.as_str())
        })
        .collect();
    assert_eq!(bad.len(), 5, "{bad:#?}");
    assert_eq!(bad[0], ("1.json.gz".into(), "the gzip stream is cut off"));
    assert_eq!(bad[1], ("2.json.gz".into(), "is named .gz but is not gzip"));
    assert_eq!(
        bad[2],
        (
            "3.json".into(),
            "not a CloudTrail record: `eventTime` is missing"
        )
    );
    assert!(
        gathered
            .steps
            .iter()
            .any(|step| step.change.event.as_str() == "e-5")
    );
}

#[test]
fn every_run_gives_the_same_report() {
    let files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|n| {
            (
                format!("{n}.json.gz"),
                gzip(&json!({"Records": [open(n % 30), open((n * 7) % 50)]}).to_string()),
            )
        })
        .collect();
    let files: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.clone()))
        .collect();
    let found = folder("backtest-same", &files);
    let policy = Policy::from_yaml("mode: enforce", "policy").unwrap();
    let run = || {
        let gathered = gather(&found, &Own::default(), &ProgressBar::hidden());
        let told = history::retell(&gathered.steps, None, &policy);
        serde_json::to_string(&report(&gathered, &told, None, &policy, Period::default())).unwrap()
    };
    let first = run();
    assert!((0..5).all(|_| run() == first));
}

#[test]
fn the_real_events_are_read_and_counted() {
    let events =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/realdata/events");
    let shared = PathBuf::from("/work/shared/realdata/events");
    let Some(events) = [events, shared].into_iter().find(|path| path.is_dir()) else {
        return;
    };
    let found = super::files::find(&[events]);
    let gathered = gather(&found, &Own::default(), &ProgressBar::hidden());
    assert_eq!(gathered.bad, vec![]);
    let counts = &gathered.counts;
    let changes = u64::try_from(gathered.steps.len()).unwrap();
    assert_eq!((counts.files, counts.records, changes), (36, 36, 30));
    let ignored: u64 = counts.ignored.values().sum();
    assert_eq!(
        changes + ignored + counts.other_services + counts.ec2_other + counts.duplicates,
        36
    );
    let policy = Policy::from_yaml("mode: enforce", "policy").unwrap();
    let told = history::retell(&gathered.steps, None, &policy);
    let report = report(&gathered, &told, None, &policy, Period::default());
    assert_eq!(report.outcomes.changes, 30);
    // Two of the set open ssh to the world, one makes a default route to an internet gateway.
    assert!(
        report.findings["SG-WORLD-SENSITIVE"] >= 2,
        "{:?}",
        report.findings
    );
    assert!(report.outcomes.reverted >= 3 && report.outcomes.unknown() > 0);
}

#[test]
fn who_is_suggested_never_did_unseen_harm() {
    let who = |kind: &str, arn: &str, agent: &str, record: Value| {
        let mut record = record;
        record["userIdentity"] =
            json!({"type": kind, "arn": arn, "sessionContext": {"sessionIssuer": {"arn": arn}}});
        record["userAgent"] = json!(agent);
        record
    };
    let harmless = |n: u32, file: u32| {
        let mut record = record(
            n,
            "AuthorizeSecurityGroupIngress",
            &json!({"groupId": format!("sg-{file}{n}"), "ipPermissions": {},
            "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8"}),
        );
        record["eventID"] = json!(format!("e-{file}-{n}"));
        record
    };
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let mut lines = Vec::new();
    for n in 0..8 {
        lines.push(who(
            "AssumedRole",
            &role("terraform"),
            "HashiCorp Terraform/1.9",
            harmless(n, 1),
        ));
        lines.push(who(
            "AssumedRole",
            &role("steady"),
            "aws-sdk-go",
            harmless(n, 2),
        ));
        lines.push(who(
            "Root",
            "arn:aws:iam::111122223333:root",
            "aws-cli",
            harmless(n, 3),
        ));
        lines.push(who(
            "AssumedRole",
            &role("console"),
            "Mozilla/5.0",
            harmless(n, 4),
        ));
        lines.push(who(
            "IAMUser",
            "arn:aws:iam::111122223333:user/bob",
            "aws-cli",
            harmless(n, 5),
        ));
    }
    for (n, kind, arn, agent) in [
        (
            30,
            "AssumedRole",
            role("terraform"),
            "HashiCorp Terraform/1.9",
        ),
        (
            31,
            "IAMUser",
            "arn:aws:iam::111122223333:user/bob".to_owned(),
            "aws-cli",
        ),
    ] {
        lines.push(who(kind, &arn, agent, open(n)));
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let found = folder("backtest-trust", &[("all.jsonl", text.into_bytes())]);
    let gathered = gather(&found, &Own::default(), &ProgressBar::hidden());
    let suggested = |policy: &str| {
        let policy = Policy::from_yaml(policy, "policy").unwrap();
        let told = history::retell(&gathered.steps, None, &policy);
        let report = report(&gathered, &told, None, &policy, Period::default());
        let suggestions = report.suggestions.into_iter();
        suggestions
            .map(|one| (one.pattern, one.harmful))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        suggested("mode: enforce"),
        [(role("terraform"), 1), (role("steady"), 0)]
    );
    let trusting = format!("mode: enforce\ntrusted: [\"{}\"]", role("steady"));
    assert_eq!(suggested(&trusting), [(role("terraform"), 1)]);
}
