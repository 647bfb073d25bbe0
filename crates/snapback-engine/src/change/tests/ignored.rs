use super::*;

fn own() -> Own {
    Own {
        account: Some(ACCOUNT.into()),
        region: Some("eu-central-1".into()),
        roles: ["arn:aws:iam::111122223333:role/guard".into()].into(),
        sources: BTreeSet::new(),
    }
}

fn base() -> Value {
    json_record(
        "DeleteRoute",
        json!({"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}),
        json!({"_return": true}),
    )
}

fn with(pairs: &[(&str, Value)]) -> Value {
    let mut record = base();
    for (name, value) in pairs {
        record[*name] = value.clone();
    }
    record
}

fn envelope(detail: Value, pairs: &[(&str, &str)]) -> Value {
    let mut envelope = json!({"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2",
        "account": ACCOUNT, "time": "2026-02-03T04:05:09Z", "region": "eu-central-1", "resources": [], "detail": detail});
    for (name, value) in pairs {
        envelope[*name] = json!(value);
    }
    envelope
}

fn reason(value: Value) -> Option<IgnoreReason> {
    match interpret(&event::from_value(value).unwrap(), &own()) {
        Interpretation::Ignored(reason) => Some(reason),
        _ => None,
    }
}

#[test]
fn what_is_no_change_has_a_named_reason() {
    use IgnoreReason::*;
    let cases = [
        (
            with(&[("errorCode", json!("Client.UnauthorizedOperation"))]),
            Failed {
                code: "UnauthorizedOperation".into(),
            },
        ),
        (
            with(&[("errorCode", json!("Client.DryRunOperation"))]),
            DryRun,
        ),
        (with(&[("readOnly", json!(true))]), ReadOnly),
        (
            with(&[
                ("eventName", json!("DescribeRouteTables")),
                ("readOnly", Value::Null),
            ]),
            ReadOnly,
        ),
        (
            with(&[("recipientAccountId", json!("999988887777"))]),
            OtherAccount {
                account: "999988887777".into(),
            },
        ),
        (
            with(&[("awsRegion", json!("us-east-1"))]),
            OtherRegion {
                region: "us-east-1".into(),
            },
        ),
        (
            with(&[("eventSource", json!("apigateway.amazonaws.com"))]),
            OtherSource {
                source: "apigateway.amazonaws.com".into(),
            },
        ),
        (
            with(&[("eventType", json!("AwsServiceEvent"))]),
            NotAnApiCall {
                kind: "AwsServiceEvent".into(),
            },
        ),
        (
            with(&[("eventType", json!("AwsVpceEvent"))]),
            NotAnApiCall {
                kind: "AwsVpceEvent".into(),
            },
        ),
        (
            with(&[("eventName", json!("CreateVolume"))]),
            NotNetwork {
                api: "CreateVolume".into(),
            },
        ),
        (
            envelope(
                base(),
                &[("detail-type", "EC2 Instance State-change Notification")],
            ),
            OtherDetailType {
                detail_type: "EC2 Instance State-change Notification".into(),
            },
        ),
        (
            envelope(base(), &[("source", "my.app")]),
            OtherSource {
                source: "my.app".into(),
            },
        ),
        (
            envelope(base(), &[("account", "999988887777")]),
            OtherAccount {
                account: "999988887777".into(),
            },
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(reason(value.clone()), Some(expected), "{value}");
    }
    assert_eq!(reason(base()), None);
    assert_eq!(reason(envelope(base(), &[])), None);
    assert_eq!(
        reason(with(&[
            ("errorCode", Value::Null),
            ("eventType", Value::Null),
            ("readOnly", Value::Null)
        ])),
        None
    );
}

#[test]
fn a_record_without_any_account_is_not_ours() {
    let mut value = base();
    value.as_object_mut().unwrap().remove("recipientAccountId");
    value.as_object_mut().unwrap().remove("userIdentity");
    assert_eq!(
        reason(value.clone()),
        Some(IgnoreReason::OtherAccount {
            account: "not told".into()
        })
    );
    assert!(matches!(
        interpret(&event::from_value(value).unwrap(), &Own::default()),
        Interpretation::Change(_)
    ));
}

#[test]
fn an_emulators_source_is_taken_only_where_it_is_named() {
    let record = event::from_value(envelope(base(), &[("source", "test.ec2")])).unwrap();
    let named = Own {
        sources: ["test.ec2".to_owned()].into(),
        ..own()
    };
    assert!(matches!(
        interpret(&record, &named),
        Interpretation::Change(_)
    ));
    assert!(matches!(
        interpret(&record, &own()),
        Interpretation::Ignored(IgnoreReason::OtherSource { .. })
    ));
}

#[test]
fn a_call_with_our_role_is_told_apart_and_a_role_that_looks_alike_is_not() {
    let session = |role: &str| {
        let issuer = json!({"type": "Role", "principalId": "AROA1", "arn": role, "accountId": ACCOUNT, "userName": "guard"});
        with(&[(
            "userIdentity",
            json!({"type": "AssumedRole", "principalId": "AROA1:guard", "arn": "arn:aws:sts::111122223333:assumed-role/guard/guard",
            "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": issuer, "attributes": {}}}),
        )])
    };
    let read = |role: &str| interpret(&event::from_value(session(role)).unwrap(), &own());
    assert!(matches!(
        read("arn:aws:iam::111122223333:role/guard"),
        Interpretation::WithOurRole(_)
    ));
    assert!(matches!(
        read("arn:aws:iam::111122223333:role/other/guard"),
        Interpretation::Change(_)
    ));
    assert!(matches!(
        read("arn:aws:iam::999988887777:role/guard"),
        Interpretation::Change(_)
    ));
}
