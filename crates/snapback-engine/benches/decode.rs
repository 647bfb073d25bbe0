//! Decode: bytes of an EventBridge event to a change, for one rule and for sixty.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench; its macros make undocumented functions"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use snapback_engine::change::{Own, interpret};
use snapback_engine::event;
use std::hint::black_box;

fn envelope(rules: u8) -> Vec<u8> {
    let numbers = || 0..rules;
    let ranges: Vec<Value> = numbers()
        .map(|n| json!({"cidrIp": format!("10.{n}.0.0/16"), "description": "office"}))
        .collect();
    let answered: Vec<Value> = numbers()
        .map(|n| {
            json!({"groupOwnerId": "111122223333", "groupId": "sg-1", "securityGroupRuleId": format!("sgr-{n}"), "isEgress": false,
                "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": format!("10.{n}.0.0/16"), "description": "office"})
        })
        .collect();
    let record = json!({
        "eventVersion": "1.11", "eventTime": "2026-02-03T04:05:06Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-central-1", "eventID": "e-1", "requestID": "r-1",
        "eventType": "AwsApiCall", "readOnly": false, "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "userName": "ann"},
        "requestParameters": {"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
            "groups": {}, "ipRanges": {"items": ranges}, "ipv6Ranges": {}, "prefixListIds": {}}]}},
        "responseElements": {"_return": true, "securityGroupRuleSet": {"items": answered}}
    });
    let envelope = json!({"id": "x", "detail-type": event::API_CALL_DETAIL_TYPE, "source": "aws.ec2", "account": "111122223333",
        "region": "eu-central-1", "time": "2026-02-03T04:05:06Z", "detail": record});
    envelope.to_string().into_bytes()
}

fn decode(criterion: &mut Criterion) {
    for rules in [1, 60] {
        let bytes = envelope(rules);
        criterion.bench_function(&format!("decode/{rules} rules"), |bencher| {
            bencher.iter(|| {
                let record = event::parse(black_box(&bytes)).unwrap();
                interpret(&record, &Own::default())
            });
        });
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
