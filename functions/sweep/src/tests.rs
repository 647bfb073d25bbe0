//! What an invocation asks for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;

#[test]
fn anything_but_a_capture_is_a_sweep() {
    let scheduled = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    for payload in [Value::Null, json!({}), json!([1]), scheduled] {
        assert_eq!(wish(&payload).unwrap(), Wish::Sweep);
    }
}

#[test]
fn a_capture_has_a_name_and_a_reason() {
    let asked = json!({"capture": {"by": "ann", "why": "first deployment"}});
    assert_eq!(
        wish(&asked).unwrap(),
        Wish::Capture(Capture {
            by: "ann".into(),
            why: "first deployment".into()
        })
    );
    for bad in [
        json!({"capture": true}),
        json!({"capture": {"by": "ann"}}),
        json!({"capture": {"by": " ", "why": "x"}}),
        json!({"capture": {"by": "ann", "why": ""}}),
        json!({"capture": {"by": "ann", "why": "x", "force": true}}),
    ] {
        assert!(wish(&bad).is_err(), "{bad}");
    }
}
