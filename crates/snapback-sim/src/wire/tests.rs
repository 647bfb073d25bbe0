//! Tests of the wire face.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod answers;
mod control;
mod encode;
mod pages;
mod requests;
mod twin;

use super::{Answer, Callers, Credentials, answer};
use crate::World;
use snapback_model::Timestamp;

/// A request signed with the key of `alice`.
fn ask(world: &World, body: &str) -> Answer {
    let credentials = Credentials {
        authorization: Some(
            "AWS4-HMAC-SHA256 Credential=alice/20260302/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0",
        ),
        user_agent: Some("Boto3/1.43"),
        ..Credentials::default()
    };
    let now = world.with(|inner| inner.now);
    answer(world, &Callers::default(), &credentials, body, now)
}

/// A request for an action with its parameters, and what an answer says between two tags.
fn act(world: &World, action: &str, parameters: &[(&str, &str)]) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action)
        .append_pair("Version", "2016-11-15")
        .extend_pairs(parameters);
    ask(world, &form.finish())
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from}: {text}"));
    rest.split_once(to).unwrap().0
}

/// EC2's code of a refusal; `ok` of a success.
fn code(answer: &Answer) -> &str {
    if answer.status == 200 {
        "ok"
    } else {
        between(&answer.body, "<Code>", "</Code>")
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
