#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;

fn record(id: &str) -> Value {
    json!({
        "eventVersion": "1.08", "eventTime": "2026-02-03T04:05:06Z", "eventSource": "ec2.amazonaws.com", "eventName": "DeleteRoute",
        "awsRegion": "eu-central-1", "eventID": id, "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "userName": "ann\u{1b}[2J"},
        "requestParameters": {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}, "responseElements": {"_return": true}
    })
}

fn outcomes(input: &str) -> Vec<String> {
    events(input.as_bytes())
        .into_iter()
        .enumerate()
        .map(|(index, found)| match found {
            Ok(record) => record.id.to_string(),
            Err(failure) => place("f", index, &failure),
        })
        .collect()
}

#[test]
fn every_container_of_events_is_opened() {
    let (one, two) = (record("e-1"), record("e-2"));
    let envelope = json!({"id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": one});
    assert_eq!(outcomes(&one.to_string()), ["e-1"]);
    assert_eq!(
        outcomes(&serde_json::to_string_pretty(&envelope).unwrap()),
        ["e-1"]
    );
    assert_eq!(
        outcomes(&json!({"Records": [one, two]}).to_string()),
        ["e-1", "e-2"]
    );
    assert_eq!(
        outcomes(&json!([one, envelope]).to_string()),
        ["e-1", "e-1"]
    );
    assert_eq!(outcomes(&format!("{one}\n\n{two}\r\n")), ["e-1", "e-2"]);
    assert_eq!(outcomes(&format!("\u{feff}{one}")), ["e-1"]);
    assert_eq!(
        outcomes(&json!({"Records": []}).to_string()),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_no_event_is_told_with_its_spot_and_the_rest_is_read() {
    let good = record("e-1");
    assert_eq!(
        outcomes("{\"eventName\":\n  x}"),
        ["f:2:3: not JSON: expected value"]
    );
    assert_eq!(
        outcomes(&format!("{good}\n{{oops\n{good}")),
        ["e-1", "f:2:2: not JSON: key must be a string", "e-1"]
    );
    assert_eq!(
        outcomes(&json!({"Records": [good, {"eventName": "X"}]}).to_string()),
        [
            "e-1",
            "f: event 1 is no CloudTrail event: `Records[1].eventSource` is missing"
        ]
    );
    assert_eq!(
        outcomes("[7]"),
        ["f: event 0 is no CloudTrail event: `[0]` is a number, not an object"]
    );
    assert_eq!(outcomes(""), ["f:1:0: not JSON: EOF while parsing a value"]);
    let compressed = place(
        "f",
        0,
        events(&[0x1f, 0x8b, 8]).remove(0).as_ref().unwrap_err(),
    );
    assert!(compressed.contains("gunzip"), "{compressed}");
}

#[test]
fn json_names_file_index_event_and_interpretation() {
    let found = Found {
        file: "f".into(),
        index: 3,
        record: Ok(Box::new(event::from_value(record("e-1")).unwrap())),
    };
    let value = as_json(&found, &Own::default());
    assert_eq!(
        (&value["file"], &value["index"], &value["event"]["id"]),
        (&json!("f"), &json!(3), &json!("e-1"))
    );
    assert_eq!(
        value["interpretation"]["change"]["edits"]["known"][0]["route-removed"]["destination"],
        "0.0.0.0/0"
    );
    let other = Own {
        region: Some("us-east-1".into()),
        ..Own::default()
    };
    assert_eq!(
        as_json(&found, &other)["interpretation"]["ignored"],
        json!({"reason": "other-region", "region": "eu-central-1"})
    );
}

#[test]
fn text_tells_who_and_what_without_steering_the_terminal() {
    let record = event::from_value(record("e-1")).unwrap();
    let text = as_text("f", 0, &record, &interpret(&record, &Own::default()));
    assert!(text.contains("rtb-1: route removed: 0.0.0.0/0"), "{text}");
    assert!(
        text.contains("ann\u{fffd}[2J as arn:aws:iam::111122223333:user/ann, from 198.51.100.7"),
        "{text}"
    );
}
