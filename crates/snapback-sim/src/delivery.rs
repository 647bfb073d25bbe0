//! The way from CloudTrail to the inbox: delayed, doubled, out of order, lost (semantics E).

use serde_json::Value;
use snapback_model::Timestamp;
use std::time::Duration;

/// How events travel. All chances are probabilities for each event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventFaults {
    /// The shortest way.
    pub delay_min: Duration,
    /// The longest usual way; with a wide range events overtake each other.
    pub delay_max: Duration,
    /// The chance that an event is late.
    pub late: f64,
    /// How late at most.
    pub late_by: Duration,
    /// The chance of each further copy.
    pub duplicate: f64,
    /// The chance that an event never comes.
    pub lose: f64,
}

impl Default for EventFaults {
    fn default() -> Self {
        Self {
            delay_min: Duration::from_millis(700),
            delay_max: Duration::from_millis(1500),
            late: 0.0,
            late_by: Duration::ZERO,
            duplicate: 0.0,
            lose: 0.0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Queued {
    due: Timestamp,
    number: u64,
    body: String,
}

/// How many events went wrong on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Troubled {
    pub lost: u64,
    pub doubled: u64,
    pub late: u64,
}

/// What is on its way to the inbox.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub faults: EventFaults,
    /// The next events are lost.
    pub lose_next: u32,
    /// The next event comes this often more.
    pub copies_next: u32,
    /// Every record that CloudTrail keeps, whatever became of its event.
    pub history: Vec<(Timestamp, String)>,
    /// Events that were lost, doubled, late.
    pub troubled: Troubled,
    queued: Vec<Queued>,
    sent: u64,
}

/// More copies than this of one event are not made.
const COPIES_MAX: u32 = 5;

fn between(rng: &mut fastrand::Rng, from: Duration, to: Duration) -> Duration {
    let span = u64::try_from(to.saturating_sub(from).as_millis()).unwrap_or(u64::MAX);
    from.saturating_add(Duration::from_millis(rng.u64(0..=span)))
}

impl Delivery {
    /// Puts a message on its way.
    pub fn send(&mut self, body: String, due: Timestamp) {
        self.sent += 1;
        self.queued.push(Queued {
            due,
            number: self.sent,
            body,
        });
    }

    /// Puts an event on its way as the faults have it.
    pub fn publish(&mut self, event: &Value, now: Timestamp, rng: &mut fastrand::Rng) {
        let faults = self.faults;
        if let Some(record) = event.get("detail") {
            self.history.push((now, record.to_string()));
        }
        if self.lose_next > 0 {
            self.lose_next -= 1;
            self.troubled.lost += 1;
            return;
        }
        if faults.lose > 0.0 && rng.f64() < faults.lose {
            self.troubled.lost += 1;
            return;
        }
        let mut copies = 1_u32.saturating_add(std::mem::take(&mut self.copies_next));
        while copies < COPIES_MAX && faults.duplicate > 0.0 && rng.f64() < faults.duplicate {
            copies += 1;
        }
        self.troubled.doubled += u64::from(copies.saturating_sub(1));
        for _ in 0..copies {
            let mut delay = between(rng, faults.delay_min, faults.delay_max);
            if faults.late > 0.0 && rng.f64() < faults.late {
                delay = delay.saturating_add(between(rng, Duration::ZERO, faults.late_by));
                self.troubled.late += 1;
            }
            self.send(event.to_string(), now.checked_add(delay).unwrap_or(now));
        }
    }

    /// Takes what is due, in the order of arrival.
    pub fn due(&mut self, now: Timestamp) -> Vec<String> {
        let (mut due, later): (Vec<_>, Vec<_>) =
            self.queued.drain(..).partition(|queued| queued.due <= now);
        self.queued = later;
        due.sort();
        due.into_iter().map(|queued| queued.body).collect()
    }

    /// When the next message is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.queued.iter().map(|queued| queued.due).min()
    }

    /// How many messages are on their way.
    pub fn pending(&self) -> usize {
        self.queued.len()
    }
}
