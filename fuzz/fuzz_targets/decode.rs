//! Any bytes as an event: never a panic; what is read once is read the same again; what is a change
//! survives being stored, and can be judged as history.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapback_engine::change::{Interpretation, Own, interpret};
use snapback_engine::history::{self, Step};
use snapback_engine::{event, policy::Policy};

fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = event::parse(bytes) else {
        return;
    };
    assert_eq!(event::parse(bytes).as_ref(), Ok(&record));
    let meant = interpret(&record, &Own::default());
    let stored = serde_json::to_string(&meant).expect("an interpretation can be stored");
    let back: Interpretation = serde_json::from_str(&stored).expect("and read back");
    assert_eq!(back, meant, "{stored}");
    let (Interpretation::Change(change) | Interpretation::WithOurRole(change)) = meant else {
        return;
    };
    let steps = history::in_order(vec![Step::of(&record, *change)]);
    assert_eq!(history::retell(&steps, None, &Policy::default()).len(), 1);
});
