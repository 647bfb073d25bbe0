//! What is left to happen once somebody did something, and whether the account rests after it.

use crate::{Setting, outcomes};
use snapback_engine::incident::Outcome;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Every guarded resource of an account.
pub type State = BTreeMap<ResourceId, Resource>;

/// Lets messages, sweeps and streams have their time.
pub async fn rest(setting: &mut Setting) {
    for _ in 0..4 {
        Box::pin(setting.settle()).await;
        setting.world.advance(Duration::from_secs(300));
        Box::pin(setting.sweep()).await;
    }
    setting.settle().await;
    setting.notify_again(120).await;
}

/// What was told, and what became of each message, in short.
pub fn told(setting: &Setting) -> String {
    let mut lines = Vec::new();
    for report in setting.reports() {
        let differences: Vec<_> = report.differences.iter().map(|line| &line.text).collect();
        lines.push(format!(
            "{:?} {} {:?} {:?} {differences:?} {:?} {:?}",
            report.outcome, report.label, report.cause, report.mode, report.steps, report.problems
        ));
    }
    for delivered in &setting.delivered {
        let words = match &delivered.result {
            Ok(handled) => format!("{handled:?}"),
            Err(error) => format!("{error}"),
        };
        lines.push(format!("{}: {words}", delivered.at));
    }
    lines.join("\n")
}

/// What two states do not have in common.
pub fn unlike(found: &State, wanted: &State) -> Vec<String> {
    let ids: BTreeSet<_> = found.keys().chain(wanted.keys()).collect();
    let differ = ids
        .into_iter()
        .filter(|id| found.get(*id) != wanted.get(*id));
    differ
        .map(|id| format!("{:?}\n  wanted {:?}", found.get(id), wanted.get(id)))
        .collect()
}

/// Nobody has anything to say or do any more: no story is open, no call is made, nothing differs.
///
/// # Panics
/// Where somebody has.
pub async fn is_quiet(setting: &mut Setting, case: &str) {
    let (writes, tellings) = (setting.world.our_writes().len(), outcomes(setting).len());
    rest(setting).await;
    let show = |setting: &Setting| format!("{case}: {}", told(setting));
    assert_eq!(
        setting.world.our_writes().len(),
        writes,
        "{}",
        show(setting)
    );
    assert_eq!(outcomes(setting).len(), tellings, "{}", show(setting));
    assert!(!outcomes(setting).contains(&Outcome::Impostor), "{case}");
    let baselines = Baselines {
        by_id: setting.world.stored_baselines(),
        ..Baselines::default()
    };
    let left = snapback_engine::diff::diff(&baselines, &setting.world.snapshot(), None);
    assert_eq!(left, [], "{case}");
    nothing_open(setting, case);
}

/// No story is open.
///
/// # Panics
/// Where one is.
pub fn nothing_open(setting: &Setting, case: &str) {
    let records = setting.world.stored_records().into_values();
    let open: Vec<_> = records.filter(|record| record.open.is_some()).collect();
    assert!(open.is_empty(), "{case}: {open:?}");
}
