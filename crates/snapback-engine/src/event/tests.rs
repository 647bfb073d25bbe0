#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn bare() -> Value {
    json!({
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "accountId": "111122223333"},
        "eventTime": "2026-02-03T04:05:06Z", "eventSource": "ec2.amazonaws.com", "eventName": "DeleteRoute",
        "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2",
        "requestParameters": {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"},
        "responseElements": {"requestId": "r-1", "_return": true},
        "requestID": "r-1", "eventID": "e-1", "readOnly": false, "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333"
    })
}

fn envelope(detail: Value) -> Value {
    json!({
        "version": "0", "id": "env-1", "detail-type": API_CALL_DETAIL_TYPE, "source": "aws.ec2",
        "account": "111122223333", "time": "2026-02-03T04:05:09Z", "region": "eu-central-1",
        "resources": [], "detail": detail
    })
}

fn with(mut value: Value, member: &str, to: Value) -> Value {
    value[member] = to;
    value
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

fn read(value: &Value) -> Record {
    parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn a_bare_record_and_its_envelope_give_the_same_record() {
    let (bare_record, enveloped) = (read(&bare()), read(&envelope(bare())));
    assert_eq!(bare_record.arrived, None);
    assert_eq!(
        enveloped.arrived.unwrap().to_string(),
        "2026-02-03T04:05:09Z"
    );
    assert_eq!(
        Record {
            arrived: None,
            envelope: None,
            ..enveloped
        },
        bare_record
    );
    assert_eq!(bare_record.name, "DeleteRoute");
    assert_eq!(bare_record.request_parameters["routeTableId"], "rtb-1");
}

#[test]
fn a_byte_order_mark_is_no_obstacle() {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(bare().to_string().bytes());
    assert_eq!(parse(&bytes), parse(bare().to_string().as_bytes()));
}

#[test]
fn old_and_reduced_records_need_only_the_first_block() {
    let mut record = bare();
    for member in [
        "eventVersion",
        "userIdentity",
        "sourceIPAddress",
        "userAgent",
        "requestID",
        "readOnly",
        "eventType",
        "recipientAccountId",
    ] {
        record = without(record, member);
    }
    let record = read(&with(record, "errorCode", Value::Null));
    assert_eq!(
        (
            record.account,
            record.kind,
            record.read_only,
            record.error,
            record.request
        ),
        (None, None, None, None, None)
    );
}

#[test]
fn every_spelling_of_a_head_member_is_read() {
    let code = |code: Value| read(&with(bare(), "errorCode", code)).error;
    assert_eq!(
        code(json!("Client.UnauthorizedOperation")).as_deref(),
        Some("UnauthorizedOperation")
    );
    assert_eq!(
        code(json!("UnauthorizedOperation")).as_deref(),
        Some("UnauthorizedOperation")
    );
    assert_eq!(code(Value::Null), None);
    assert_eq!(code(json!("")), None);
    let console =
        |flag: Value| read(&with(bare(), "sessionCredentialFromConsole", flag)).from_console;
    assert!(
        console(json!("true"))
            && console(json!(true))
            && !console(json!("false"))
            && !console(json!({}))
    );
    let account = |account: Value| {
        read(&with(bare(), "recipientAccountId", account))
            .account
            .unwrap()
            .to_string()
    };
    assert_eq!(account(json!(12_345_678_912_u64)), "012345678912");
    assert_eq!(account(json!("012345678912")), "012345678912");
}

#[test]
fn the_account_falls_back_to_the_envelope_then_the_identity() {
    let record = without(bare(), "recipientAccountId");
    let other = with(envelope(record.clone()), "account", json!(222));
    assert_eq!(read(&other).account.unwrap().as_str(), "000000000222");
    assert_eq!(read(&record).account.unwrap().as_str(), "111122223333");
}

#[test]
fn a_corrected_redelivery_keeps_the_original_ids() {
    let addendum = json!({"reason": "UPDATED_DATA", "updatedFields": "responseElements", "originalEventID": "e-0", "originalRequestID": "r-0"});
    let record = read(&with(bare(), "addendum", addendum));
    assert_eq!(
        (record.id.as_str(), record.request.unwrap().as_str()),
        ("e-0", "r-0")
    );
    assert_eq!(record.addendum.as_deref(), Some("UPDATED_DATA"));
    let late = read(&with(
        bare(),
        "addendum",
        json!({"reason": "DELIVERY_DELAY"}),
    ));
    assert_eq!(
        (late.id.as_str(), late.request.unwrap().as_str()),
        ("e-1", "r-1")
    );
}

#[test]
fn parameters_are_unwrapped_by_their_only_upper_case_key() {
    let parameters =
        |value: Value| read(&with(bare(), "requestParameters", value)).request_parameters;
    let inner = json!({"NatGatewayId": "nat-1"});
    assert_eq!(parameters(json!({"DeleteNatGatewayRequest": inner})), inner);
    assert_eq!(parameters(json!({"DelTGwVpcAttachReq": inner})), inner);
    assert_eq!(
        parameters(json!({"CreateDefaultVpcRequest": ""})),
        json!({})
    );
    assert_eq!(parameters(json!("")), json!({}));
    assert_eq!(parameters(json!({})), json!({}));
    assert_eq!(
        parameters(json!({"vpcId": "vpc-1"})),
        json!({"vpcId": "vpc-1"})
    );
    assert_eq!(
        parameters(json!({"A": {"x": 1}, "B": {}})),
        json!({"A": {"x": 1}, "B": {}})
    );
    assert_eq!(parameters(json!({"Ids": ["a"]})), json!({"Ids": ["a"]}));
    assert_eq!(parameters(Value::Null), Value::Null);
    assert_eq!(
        parameters(json!("cut off {")),
        Value::Null,
        "what was cut off is unknown, not empty"
    );
    assert_eq!(
        read(&without(bare(), "requestParameters")).request_parameters,
        Value::Null
    );
}

#[test]
fn an_envelope_of_another_kind_is_a_record_with_its_name() {
    let scheduled = json!({
        "version": "0", "id": "env-2", "detail-type": "Scheduled Event", "source": "aws.events", "account": "111122223333",
        "time": "2026-02-03T04:05:09Z", "region": "eu-central-1", "resources": ["arn:…"], "detail": {}
    });
    let record = read(&scheduled);
    assert_eq!(
        (
            record.name.as_str(),
            record.source.as_str(),
            record.id.as_str()
        ),
        ("Scheduled Event", "aws.events", "env-2")
    );
    assert_eq!(record.envelope.unwrap().detail_type, "Scheduled Event");
}

#[test]
fn what_is_no_event_is_named_with_its_spot() {
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!([]), "$", "is an array, not an object"),
        (json!({"hello": 1}), "eventName", "is missing"),
        (without(bare(), "eventID"), "eventID", "is missing"),
        (
            with(bare(), "eventTime", json!("yesterday")),
            "eventTime",
            "is `yesterday`, not a time like 2026-01-31T12:00:00Z",
        ),
        (
            with(bare(), "eventName", json!({})),
            "eventName",
            "is an object, not text",
        ),
        (
            with(bare(), "awsRegion", json!("")),
            "awsRegion",
            "is empty, not text",
        ),
        (
            envelope(without(bare(), "eventSource")),
            "detail.eventSource",
            "is missing",
        ),
        (envelope(json!("x")), "detail", "is text, not an object"),
        (without(envelope(bare()), "detail"), "detail", "is missing"),
        (
            without(envelope(bare()), "detail-type"),
            "detail-type",
            "is missing",
        ),
        (without(envelope(bare()), "source"), "source", "is missing"),
    ];
    for (value, path, problem) in cases {
        let expected = EventError::Malformed {
            path: path.into(),
            problem: problem.into(),
        };
        assert_eq!(
            parse(value.to_string().as_bytes()),
            Err(expected),
            "{value}"
        );
    }
    let error = parse(b"{\"eventName\":\n \"x\",}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "not JSON at line 2, column 6: trailing comma"
    );
    assert!(matches!(
        parse(b""),
        Err(EventError::NotJson {
            line: 1,
            column: 0,
            ..
        })
    ));
    assert!(matches!(
        parse(&[0xff, 0xfe]),
        Err(EventError::NotJson { .. })
    ));
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _any = parse(&bytes);
    }
}
