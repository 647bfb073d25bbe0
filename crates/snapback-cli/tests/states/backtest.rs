//! `snapback backtest` from outside: arguments, both forms of output, exit codes.

use crate::world::{Folder, snapback};
use serde_json::json;

fn open(second: u32) -> String {
    json!({
        "eventTime": format!("2026-0{}-03T04:05:06Z", 1 + second % 9), "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-central-1", "eventID": format!("e-{second}"),
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann\u{1b}[31m", "userName": "ann"},
        "requestParameters": {"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22 + second,
            "toPort": 22 + second, "cidrIp": "0.0.0.0/0"},
        "responseElements": {"_return": true}, "readOnly": false,
    })
    .to_string()
}

#[test]
fn a_policy_is_tried_on_the_past() {
    let folder = Folder::new("backtest");
    let policy = folder.write("policy.yaml", "mode: observe\n");
    folder.write("events/a.jsonl", &format!("{}\n{}\n", open(0), open(1)));
    let events = folder.path("events");
    let run = snapback(&["backtest", "--policy", &policy, "--events", &events]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("2 network changes"), "{}", run.out);
    assert!(
        run.out
            .contains("In the mode `enforce` 2 would have been taken back"),
        "{}",
        run.out
    );
    assert!(
        !run.out.contains('\u{1b}'),
        "an escape from an event reached the terminal"
    );
    assert_eq!(run.err, "", "no bar where stderr is no terminal");

    let args = [
        "backtest", "--policy", &policy, "--events", &events, "--format", "json",
    ];
    let all = snapback(&args).json();
    assert_eq!(all["outcomes"]["alerted"], 2);
    assert_eq!(all["enforced"]["reverted"], 2);
    assert_eq!(all["acts"][0]["findings"][0], "SG-WORLD-SENSITIVE");
    let later = snapback(&[&args[..], &["--since", "2026-02-01T00:00:00Z"]].concat()).json();
    assert_eq!(
        (&later["outcomes"]["changes"], &later["acts"][0]["event"]),
        (&json!(1), &json!("e-1"))
    );
}

#[test]
fn bad_input_is_told_with_its_place_and_ends_in_two() {
    let folder = Folder::new("backtest-bad");
    let policy = folder.write("policy.yaml", "mode: enforce\n");
    folder.write("events/good.json", &open(0));
    folder.write("events/bad.json", "{\"Records\":[{\"eventName\":");
    folder.write("events/bad.json.gz", "plain");
    let events = folder.path("events");
    let run = snapback(&["backtest", "--policy", &policy, "--events", &events]);
    assert_eq!(run.code, 2);
    assert!(
        run.out.contains("would have been taken back"),
        "{}",
        run.out
    );
    assert!(
        run.out
            .contains("bad.json: line 1, column 25 the JSON is cut off"),
        "{}",
        run.out
    );
    assert!(
        run.out
            .contains("bad.json.gz: byte 0 is named .gz but is not gzip"),
        "{}",
        run.out
    );

    let empty = folder.write("empty/readme.txt", "x");
    let nothing = snapback(&[
        "backtest",
        "--policy",
        &policy,
        "--events",
        empty.trim_end_matches("/readme.txt"),
    ]);
    assert_eq!(nothing.code, 2);
    assert!(
        nothing.err.contains("no files with events in it"),
        "{}",
        nothing.err
    );
    let broken = folder.write("broken.yaml", "mode: enforced\n");
    let policy = snapback(&["backtest", "--policy", &broken, "--events", &events]);
    assert_eq!(policy.code, 2);
    assert!(policy.err.contains("broken.yaml"), "{}", policy.err);
}
