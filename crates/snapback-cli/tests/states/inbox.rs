//! Messages of a person to the guard.

use crate::world::*;

fn printed(arguments: &[&str]) -> serde_json::Value {
    let run = snapback(arguments);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert_eq!(run.out.lines().count(), 1, "{}", run.out);
    run.json()
}

#[test]
fn a_release_is_printed_as_the_guard_reads_it() {
    let rest = ["--why", "the script is stopped", "--by", "ann", "--print"];
    for (what, expected) in [
        ("account", serde_json::json!("account")),
        (
            "sg-0a1b2c3d",
            serde_json::json!({"resource": "sg-0a1b2c3d"}),
        ),
    ] {
        let message = printed(&[&["release", what], &rest[..]].concat());
        assert_eq!(
            message,
            serde_json::json!({
                "snapback": "release", "what": expected, "by": "ann", "why": "the script is stopped"
            })
        );
        let read: snapback_app::port::Command = serde_json::from_value(message).unwrap();
        assert!(matches!(read, snapback_app::port::Command::Release { .. }));
    }
}

#[test]
fn a_recheck_is_printed_as_the_guard_reads_it() {
    let message = printed(&[
        "recheck",
        "acl-0a1b2c3d",
        "--why",
        "the right is given",
        "--by",
        "ann",
        "--print",
    ]);
    let read: snapback_app::port::Command = serde_json::from_value(message.clone()).unwrap();
    let snapback_app::port::Command::Recheck { resource, why, .. } = read else {
        panic!("{message}");
    };
    assert_eq!(resource.as_str(), "acl-0a1b2c3d");
    let snapback_app::port::RecheckReason::Asked(words) = why else {
        panic!("{message}");
    };
    assert_eq!(words, "ann asked: the right is given");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (arguments, word) in [
        (
            &["release", "everything", "--why", "x", "--print"][..],
            "neither `account` nor",
        ),
        (&["release", "account", "--print"], "--why"),
        (&["release", "account", "--why", " ", "--print"], "in words"),
        (&["recheck", "account", "--why", "x", "--print"], "account"),
        (
            &["recheck", "nat-0a1b2c3d", "--why", "x", "--print"],
            "nat-0a1b2c3d",
        ),
    ] {
        let run = snapback(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.contains(word), "{arguments:?}: {}", run.err);
    }
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_that_cannot_send_says_that_nothing_was_sent() {
    for arguments in [["release", "account"], ["recheck", "sg-0a1b2c3d"]] {
        let run = snapback(&[&arguments[..], &["--why", "x"]].concat());
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        for word in ["nothing was sent", "--print", "--features aws"] {
            assert!(run.err.contains(word), "{}", run.err);
        }
    }
}
