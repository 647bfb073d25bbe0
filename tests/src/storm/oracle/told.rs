//! The stories: without gaps, ended, and shown on every channel once.

use super::{Bench, Invariant};
use snapback_engine::incident::Body;
use snapback_engine::notification;
use snapback_sim::SimChannel;
use std::collections::BTreeMap;

impl Bench<'_> {
    pub(super) fn told(&mut self) {
        let stories = self.stories();
        let mut wrong = Vec::new();
        let mut looked = 0_usize;
        for (incident, entries) in &stories {
            looked = looked.saturating_add(1);
            let mut numbers: Vec<u32> = entries.iter().map(|entry| entry.sequence).collect();
            numbers.sort_unstable();
            let whole = numbers
                .iter()
                .copied()
                .eq(0..u32::try_from(numbers.len()).unwrap_or(0));
            if !whole {
                wrong.push(format!("{incident}: entries {numbers:?}"));
            }
            let closed = |body: &Body| matches!(body, Body::Closed { .. });
            let ends = entries.iter().filter(|entry| closed(&entry.body)).count();
            let last = entries.iter().max_by_key(|entry| entry.sequence);
            if ends != 1 || !last.is_some_and(|entry| closed(&entry.body)) {
                wrong.push(format!(
                    "{incident}: {ends} ends in {} entries",
                    entries.len()
                ));
            }
            let first = entries.iter().find(|entry| entry.sequence == 0);
            let opens = |body: &Body| matches!(body, Body::Opened { .. } | Body::Closed { .. });
            if !first.is_some_and(|entry| opens(&entry.body)) {
                wrong.push(format!("{incident}: does not begin with its opening"));
            }
        }
        self.looked.times("stories", looked);
        for what in wrong {
            self.violated(Invariant::WholeStory, what);
        }
        self.shown();
    }

    fn shown(&mut self) {
        let entries = self.journal.iter();
        let keys: Vec<String> = entries.filter_map(notification::key).collect();
        for name in ["sns", "slack"] {
            let shown = SimChannel::new(&self.played.world, name).shown();
            let mut times: BTreeMap<&str, usize> = BTreeMap::new();
            for shown in &shown {
                let count = times.entry(&shown.message.key).or_default();
                *count = count.saturating_add(1);
            }
            self.looked.times("messages shown", shown.len());
            let missing: Vec<&String> = keys
                .iter()
                .filter(|key| !times.contains_key(key.as_str()))
                .collect();
            if !missing.is_empty() {
                self.violated(
                    Invariant::ToldOnce,
                    format!("{name} never showed {missing:?}"),
                );
            }
            // A channel whose answer is lost, or whose note of it fails, shows a message again: no
            // protocol can know. Without such a fault nothing is shown twice.
            let again = shown.len().saturating_sub(times.len());
            let excuses =
                self.played.world.struck().into_iter().filter(|(fault, _)| {
                    fault.starts_with("channels") || fault.starts_with("store")
                });
            let excuses: u64 = excuses.map(|(_, count)| count).sum();
            let excused = u64::try_from(again).unwrap_or(u64::MAX)
                <= excuses
                    .saturating_add(self.played.crashed)
                    .saturating_add(self.played.timed_out);
            if !excused {
                self.violated(
                    Invariant::ToldOnce,
                    format!("{name} showed {again} messages again"),
                );
            }
        }
    }
}
