//! Whatever goes wrong: nothing is lost, nothing is done twice, the end is right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod associations;
mod calls;
mod channels;
mod interruptions;
mod temporaries;

use snapback_sim::Call;
use snapback_tests::*;

/// A deletion that cuts off. Unlike ingress 100, no other entry permits what this one permits.
fn entry(setting: &Setting) -> Call {
    delete_entry(&setting.layout.db_acl, "egress 110".parse().unwrap())
}

/// Several groups of steps: two additions in two families, a removal.
fn many(setting: &Setting) -> Vec<Call> {
    vec![
        authorize(setting, &[SSH, "ingress tcp:3389 ::/0"]),
        Call::revoke(
            &setting.layout.app,
            [rule("ingress tcp:22 198.51.100.0/24")],
        ),
    ]
}

/// The account is as it was, no story is open, and the guard accused nobody of its own calls.
#[track_caller]
fn is_right(setting: &Setting, before: &State, case: &str) {
    setting.is_as(before, case);
    setting.nothing_open(case);
    setting.accused_nobody(case);
}
