//! After the storm: everything is whole again, sweeps come until nothing is left to do.

use super::Stage;
use snapback_app::port::Clock;
use snapback_engine::incident::ResourceRecord;
use snapback_model::Timestamp;
use std::time::Duration;

/// Sweeps after the storm until all must be quiet.
const ROUNDS_MAX: u32 = 24;
/// From one of them to the next.
const ROUND: Duration = Duration::from_secs(300);
/// A breaker that closes by itself within this time is waited for.
const BREAKER_SOON: Duration = Duration::from_secs(900);

impl Stage<'_> {
    /// Everything is whole again: sweeps come until nothing is left to do.
    pub(super) fn rest(&mut self) {
        self.say(|| "-- the storm is over: faults heal, sweeps follow --".into());
        self.weather.clear();
        self.world.heal();
        self.world.set_token_buckets(false);
        self.world
            .set_event_faults(snapback_sim::EventFaults::default());
        self.next_sweep = Timestamp::MAX;
        let (mut calm, mut last_release) = (0, self.storm.released_at_end);
        for _ in 0..ROUNDS_MAX {
            self.next_sweep = self.world.now();
            self.calm = false;
            while !self.is_idle() {
                if !self.turn(None) {
                    return;
                }
            }
            let is_calm = self.calm && !self.is_waiting();
            calm = if is_calm { calm + 1 } else { 0 };
            if calm >= 2 && std::mem::take(&mut last_release) && self.release() {
                calm = 0;
            }
            if calm >= 2 {
                return;
            }
            self.world.advance(ROUND);
        }
        let open: Vec<String> = self
            .world
            .stored_records()
            .into_values()
            .filter(|record| record.open.is_some())
            .map(|record| record.resource.to_string())
            .collect();
        let activities = self.world.stored_activities().into_values();
        let held: Vec<String> = activities
            .filter(|activity| !activity.held.is_empty())
            .map(|activity| format!("{} of {}", activity.held.len(), activity.principal))
            .collect();
        self.played.restless = Some(format!(
            "not quiet after {ROUNDS_MAX} sweeps; open: {}; held: {}",
            open.join(", "),
            held.join(", ")
        ));
    }

    /// Whether a story is open, something is held, or a breaker that closes soon is open.
    fn is_waiting(&self) -> bool {
        let now = self.world.now();
        let terms = &self.policy.breaker;
        let soon = terms.quiet.duration() <= BREAKER_SOON;
        let waits = |record: &ResourceRecord| {
            let fights = record.fight.as_ref();
            record.open.is_some()
                || record.waits_until.is_some_and(|until| until > now)
                || fights.is_some_and(|fight| soon && !fight.is_over(terms, now))
        };
        let held = self.world.stored_activities();
        self.world.stored_records().values().any(waits)
            || held.values().any(|activity| !activity.held.is_empty())
    }
}
