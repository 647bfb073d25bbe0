//! The inbox and its readers: messages come again after the visibility timeout, die after some
//! receives; the sweep and the notifiers start when they are due.

use super::super::plan::Process;
use super::{Done, INVOCATION, SWEEP, Stage, Task, after};
use snapback_app::guard::Message;
use snapback_app::notify;
use snapback_app::port::Clock;
use snapback_app::sweep::{self, Sweep, Terms};
use snapback_engine::execution::Limits;
use snapback_model::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// When a message that was not handled comes again, and how often it comes (template.yaml).
const VISIBILITY: Duration = Duration::from_secs(360);
const RECEIVES_MAX: u32 = 5;

/// A message in the inbox.
pub(in super::super) struct Letter {
    body: Arc<str>,
    /// The event that it tells of.
    pub event: Option<String>,
    pub visible: Timestamp,
    received: Timestamp,
    receives: u32,
}

impl Letter {
    fn new(body: String, now: Timestamp) -> Self {
        let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let event = value
            .pointer("/detail/eventID")
            .or_else(|| value.get("eventID"))
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned);
        Self {
            body: body.into(),
            event,
            visible: now,
            received: now,
            receives: 0,
        }
    }

    /// What it is about, for the story.
    fn subject(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let api = value
            .pointer("/detail/eventName")
            .or_else(|| value.get("eventName"));
        match (api, value.get("resource")) {
            (Some(api), _) => api.as_str().unwrap_or_default().to_owned(),
            (None, Some(resource)) => format!("recheck of {resource}"),
            (None, None) => "a message".into(),
        }
    }
}

impl Stage<'_> {
    pub(super) fn receive(&mut self) {
        let now = self.world.now();
        for body in self.world.deliver() {
            self.letters.push(Letter::new(body, now));
        }
    }

    /// Gives a message back to the queue.
    pub(super) fn redeliver(&mut self, mut letter: Letter) {
        if letter.receives >= RECEIVES_MAX {
            self.played.dead = self.played.dead.saturating_add(1);
            self.say(|| format!("the queue gives up: {}", letter.subject()));
            return;
        }
        letter.visible = after(letter.received, VISIBILITY);
        self.letters.push(letter);
    }

    pub(super) fn start_guards(&mut self) {
        let now = self.world.now();
        loop {
            let busy = |task: &&Task| task.process == Process::Guard;
            let at_work = self.tasks.iter().filter(busy).count();
            if at_work >= usize::from(self.storm.guards) {
                return;
            }
            let visible: Vec<usize> = self
                .letters
                .iter()
                .enumerate()
                .filter(|(_, letter)| letter.visible <= now)
                .map(|(index, _)| index)
                .collect();
            let Some(index) = self.rng.choice(visible) else {
                return;
            };
            let mut letter = self.letters.swap_remove(index);
            letter.receives = letter.receives.saturating_add(1);
            letter.received = now;
            self.start_guard(letter, at_work);
        }
    }

    fn start_guard(&mut self, letter: Letter, other: usize) {
        self.played.invocations = self.played.invocations.saturating_add(1);
        let name = self.start(Process::Guard);
        let ahead = self.storm.ahead.get(other.min(1)).copied().unwrap_or(0);
        let guard = self.guard(&name, ahead);
        let body = Arc::clone(&letter.body);
        let last_try = letter.receives >= RECEIVES_MAX;
        let arrived = guard.ports.now();
        self.say(|| {
            format!(
                "{name} takes {}, receive {}",
                letter.subject(),
                letter.receives
            )
        });
        let work = Box::pin(async move {
            let message = Message {
                body: &body,
                arrived,
                deadline: after(arrived, INVOCATION),
                last_try,
            };
            let handled = guard.handle_message(message).await;
            Done::Handled(handled.map(|_| ()).map_err(|error| error.to_string()))
        });
        self.push(Process::Guard, name, work, INVOCATION);
        if let Some(task) = self.tasks.last_mut() {
            task.letter = Some(letter);
        }
    }

    fn push(&mut self, process: Process, name: Arc<str>, work: super::Work, limit: Duration) {
        let now = self.world.now();
        self.tasks.push(Task {
            process,
            name,
            work,
            wake: now,
            ends: after(now, limit),
            turns: 0,
            letter: None,
            channel: None,
        });
    }

    pub(super) fn start_sweep(&mut self) {
        let now = self.world.now();
        let at_work = self.tasks.iter().any(|task| task.process == Process::Sweep);
        if at_work || now < self.next_sweep {
            return;
        }
        self.next_sweep = match self.weather.is_over() {
            true => Timestamp::MAX,
            false => after(now, Duration::from_millis(self.storm.sweep_every.into())),
        };
        let name = self.start(Process::Sweep);
        let [_, _, ahead] = self.storm.ahead;
        let ports = self.world.seen_by(&name, ahead.into());
        let terms = Terms {
            policy: self.policy.clone(),
            own: self.own.clone(),
            limits: Limits::default(),
            holder: name.to_string(),
            deadline: after(ports.now(), SWEEP),
        };
        self.say(|| format!("{name} begins"));
        let work = Box::pin(async move {
            let swept = sweep::run(&ports, &terms).await;
            let calm = |swept: Sweep| {
                swept.missed.is_empty()
                    && swept.unfinished.is_empty()
                    && swept.unreviewed.is_empty()
                    && swept.calm.is_empty()
            };
            Done::Swept(swept.map(calm).map_err(|error| error.to_string()))
        });
        self.push(Process::Sweep, name, work, SWEEP);
    }

    pub(super) fn start_notify(&mut self) {
        let fresh = self.world.journal_stream();
        for entry in &fresh {
            self.tell_entry(entry);
        }
        let now = self.world.now();
        for index in 0..self.channels.len() {
            let at_work = self.tasks.iter().any(|task| task.channel == Some(index));
            let Some((channel, queue, retry)) = self.channels.get_mut(index) else {
                continue;
            };
            // Entries that tell nobody anything need no process.
            queue.extend(fresh.iter().filter(|entry| is_told(entry)).cloned());
            let Some(entry) = queue.front().filter(|_| !at_work && *retry <= now) else {
                continue;
            };
            let (channel, entry) = (channel.clone(), entry.clone());
            let name = self.start(Process::Notify);
            let world = self.world.seen_by(&name, 0);
            let deadline = after(now, INVOCATION);
            let work = Box::pin(async move {
                let told =
                    notify::deliver(&channel, &world, &world, &world, &entry, deadline).await;
                Done::Told(told.map(|_| ()).map_err(|error| error.to_string()))
            });
            self.push(Process::Notify, name, work, INVOCATION);
            if let Some(task) = self.tasks.last_mut() {
                task.channel = Some(index);
            }
        }
    }
}

fn is_told(entry: &snapback_engine::incident::Entry) -> bool {
    matches!(entry.body, snapback_engine::incident::Body::Closed { .. })
}
