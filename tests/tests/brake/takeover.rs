//! A guard that stood still at one of its port calls while another took its lease over.

use snapback_engine::incident::Outcome;
use snapback_tests::*;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// How a guard stood that stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stood {
    /// Between two calls of its plan.
    Between,
    /// Inside a call: its step is in the journal, EC2 has not got it yet.
    Inside,
    /// It had ended.
    Ended,
}

/// Three entries of an ACL are gone: a plan of three calls. The first guard stands still after so many
/// of its port calls, until its lease is over and another guard has put all back; then it goes on.
async fn stands_still(calls: u32) -> Stood {
    let mut setting = guarded_by(5, strict("")).await;
    let before = setting.live();
    let acl = setting.acl(&setting.layout.db_acl);
    for key in acl.entries.keys().take(3) {
        setting.does(&stranger(), delete_entry(&acl.id, *key));
    }
    let body = setting.world.deliver_next().remove(0);
    let first = setting.another("guard-1");
    // Its invocation lasts long enough: what stops it is the lease and nothing else.
    let given = setting.invocation(&body, 60 * MINUTE);
    let mut still = pin!(first.handle_message(given));
    for _ in 0..calls {
        let polled = poll_fn(|context| Poll::Ready(still.as_mut().poll(context))).await;
        if polled.is_ready() {
            return Stood::Ended;
        }
    }
    let begun_by_first = setting.steps_begun();
    let tried_by_first = setting.world.our_write_attempts();
    setting.world.advance(Duration::from_secs(70));
    let second = setting.another("guard-2");
    let given = setting.invocation(&body, 2 * MINUTE);
    let done = second.handle_message(given).await;
    assert!(done.is_ok(), "after {calls}: {done:?}");
    setting.is_as(&before, &format!("after {calls}"));
    let (begun_by_both, tried) = (setting.steps_begun(), setting.world.our_write_attempts());
    let inside = begun_by_first.len() > tried_by_first;
    let ended = still.await;
    // A call that it was in cannot be called back. None begins.
    assert_eq!(
        setting.steps_begun(),
        begun_by_both,
        "after {calls}: {ended:?}"
    );
    let more = setting.world.our_write_attempts() - tried;
    assert!(
        more <= usize::from(inside),
        "after {calls}: {more} calls, {ended:?}"
    );
    assert!(
        begun_by_both.is_sorted_by_key(|(_, fencing)| *fencing),
        "{begun_by_both:?}"
    );
    setting.settle().await;
    setting.later(10 * MINUTE).await;
    setting.is_as(&before, &format!("after {calls}"));
    setting.nothing_open(&format!("after {calls}"));
    setting.all_ended_as(Outcome::Reverted, &format!("after {calls}"));
    if inside {
        Stood::Inside
    } else {
        Stood::Between
    }
}

#[test]
fn a_guard_that_stood_still_while_its_lease_was_taken_over_begins_no_further_call() {
    let mut seen = Vec::new();
    for calls in 1..200 {
        let stood = run(stands_still(calls));
        seen.push(stood);
        if stood == Stood::Ended {
            break;
        }
    }
    let count = |stood| seen.iter().filter(|seen| **seen == stood).count();
    assert_eq!(count(Stood::Ended), 1, "{seen:?}");
    assert!(count(Stood::Inside) >= 3, "in each of its calls: {seen:?}");
    assert!(count(Stood::Between) >= 8, "{seen:?}");
}
