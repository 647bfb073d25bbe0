//! The webhook against a local server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::wire::{Answer, Wire, serve};

fn message() -> Notification {
    Notification {
        key: "inc-1#4".into(),
        subject: "s".into(),
        text: "t".into(),
        json: serde_json::json!({}),
        slack: serde_json::json!({"text": "hello"}),
    }
}

fn secret(url: &str) -> Answer {
    Answer::json(
        200,
        &serde_json::json!({"SecretString": url, "Name": "hook"}).to_string(),
    )
}

/// Posts to a local server that gives `answers` in turn; the results and what the server was sent.
fn deliveries(
    answers: &[&str],
    secrets: usize,
) -> (Vec<Result<(), DeliverError>>, Vec<String>, usize) {
    let (address, seen) = serve(answers);
    let wire = Wire::new(
        std::iter::repeat_with(|| secret(&format!("http://{address}/hook/T0P"))).take(secrets),
    );
    let slack = Slack::new(
        &wire.sdk(),
        "arn:aws:secretsmanager:eu-central-1:1:secret:hook",
    )
    .unwrap();
    let results = wire.block_on(async {
        let mut results = Vec::new();
        for _ in answers {
            results.push(slack.deliver(&message()).await);
        }
        results
    });
    (results, seen.join().unwrap(), wire.requests().len())
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

#[test]
fn the_secret_is_fetched_once_and_the_payload_is_posted_as_it_is() {
    let (results, seen, fetched) = deliveries(&[OK, OK], 1);
    assert_eq!(results, [Ok(()), Ok(())]);
    assert_eq!(fetched, 1);
    assert!(
        seen[0].starts_with("POST /hook/T0P HTTP/1.1"),
        "{}",
        seen[0]
    );
    assert!(seen[0].ends_with(r#"{"text":"hello"}"#), "{}", seen[0]);
}

#[test]
fn slack_says_when_to_come_back() {
    let throttled = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (results, _, _) = deliveries(&[throttled], 1);
    let error = results[0].clone().unwrap_err();
    assert!(error.retry);
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn a_fault_of_slack_is_tried_again_and_a_fault_of_ours_is_not() {
    let status = |code: u16| {
        refusal(StatusCode::from_u16(code).unwrap(), None, "no_text")
            .error
            .retry
    };
    assert!(status(500) && status(503) && status(408));
    assert!(!status(400) && !status(404) && !status(410));
}

#[test]
fn the_url_is_in_no_error_and_no_debug_output() {
    let wire = Wire::new([secret("http://127.0.0.1:1/hook/T0P")]);
    let slack = Slack::new(&wire.sdk(), "arn").unwrap();
    let error = wire.block_on(slack.deliver(&message())).unwrap_err();
    assert!(error.retry, "{error}");
    assert!(!error.to_string().contains("T0P"), "{error}");
    assert!(slack.cached().is_some());
    assert!(!format!("{slack:?}").contains("T0P"));
}

#[test]
fn a_url_may_stand_alone_or_in_an_object_but_must_be_one() {
    let read = |text: &str| webhook(text).map(|url| url.expose_secret().to_owned());
    assert_eq!(
        read(" https://hooks.slack.com/services/T/B/x \n").as_deref(),
        Some("https://hooks.slack.com/services/T/B/x")
    );
    assert_eq!(
        read(r#"{"url":"https://hooks.slack.com/x"}"#).as_deref(),
        Some("https://hooks.slack.com/x")
    );
    assert_eq!(read("http://hooks.slack.com/x"), None);
    assert_eq!(read("xoxb-token"), None);
    assert_eq!(read(""), None);
}
