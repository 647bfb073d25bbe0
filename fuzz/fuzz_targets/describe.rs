//! Any text as describe output: never a panic; the snapshot survives being stored; its text forms
//! read back as themselves; an audit and a diff with itself go through.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapback_engine::diff;
use snapback_model::describe::Described;
use snapback_model::{Baselines, Snapshot, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(described) = Described::from_json(text, "fuzz") else {
        return;
    };
    let coverage = described.coverage();
    let snapshot = described.into_snapshot(Timestamp::UNIX_EPOCH, coverage, None, None);
    let stored = serde_json::to_string(&snapshot).expect("a snapshot can be stored");
    let back: Snapshot = serde_json::from_str(&stored).expect("and read back");
    assert_eq!(back, snapshot, "{stored}");
    let baselines = Baselines::captured(&snapshot, "fuzz", "fuzz");
    assert_eq!(diff::diff(&baselines, &snapshot, None), vec![]);
});
