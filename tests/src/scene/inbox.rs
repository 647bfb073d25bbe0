//! Messages by hand: which of them are handled, by whom, how long that may last and where it dies.

use super::setting::VISIBILITY;
use super::{MINUTE, Setting};
use snapback_app::guard::{Guard, Message};
use snapback_app::port::{Braked, Clock, Command, Inbox};
use snapback_model::*;
use snapback_sim::World;
use std::time::Duration;

/// A person's wish that the guard looks at a resource again, as the queue brings it.
pub fn recheck(resource: &ResourceId) -> String {
    format!(
        r#"{{"snapback":"recheck","resource":"{resource}","why":{{"asked":"again"}},"asked_at":"2026-03-02T10:00:00Z"}}"#
    )
}

impl Setting {
    /// Waits for the next messages until so many have arrived; nobody has handled them.
    pub fn arriving(&self, count: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        while bodies.len() < count {
            bodies.extend(self.world.deliver_next());
        }
        bodies
    }

    /// Waits for every message that is on its way.
    pub fn all_arriving(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        while self.world.pending() > 0 {
            bodies.extend(self.world.deliver_next());
        }
        bodies
    }

    /// Handles messages one after the other.
    pub async fn handle_all(&mut self, bodies: Vec<String>) {
        for body in bodies {
            self.handle(body).await;
        }
    }

    /// Waits for the next messages and handles them.
    pub async fn handle_next(&mut self) {
        let bodies = self.world.deliver_next();
        self.handle_all(bodies).await;
    }

    /// Handles what has arrived by now, without waiting for more.
    pub async fn handle_due(&mut self) {
        let bodies = self.world.deliver();
        self.handle_all(bodies).await;
    }

    /// Messages that are on their way are lost.
    pub fn lose_messages(&self) {
        while !self.world.deliver_next().is_empty() {}
    }

    /// A delivery of now, to an invocation that lasts so long; the queue would bring it again.
    pub fn invocation<'a>(&self, body: &'a str, lasts: Duration) -> Message<'a> {
        let now = self.world.now();
        Message {
            body,
            arrived: now,
            deadline: now.checked_add(lasts).unwrap_or(now),
            last_try: false,
        }
    }

    /// Another guard of the same account.
    pub fn another(&self, holder: &str) -> Guard<World> {
        Guard {
            holder: holder.into(),
            ..self.guard.clone()
        }
    }

    /// Kills the guard after so many port calls of an invocation of two minutes; whether it died before
    /// it had ended. Nobody brings the message again.
    pub async fn dies_handling(&self, body: &str, calls: u64) -> bool {
        self.world.kill_after(calls);
        let handled = self.guard.handle_message(self.invocation(body, 2 * MINUTE));
        self.world
            .run_until_crash(Box::pin(handled))
            .await
            .is_none()
    }

    /// The queue brings messages again that were not deleted.
    pub fn come_again(&self, bodies: Vec<String>) {
        for body in bodies {
            self.world.post(body, VISIBILITY);
        }
    }

    /// Sends the guard a command, as the command line does.
    ///
    /// # Panics
    /// Where the queue does not take it.
    pub async fn send(&self, command: Command) {
        self.world.send(&command, Duration::ZERO).await.unwrap();
    }

    /// Takes a brake off in a person's name, with everything that follows.
    pub async fn release(&mut self, what: Braked) {
        let command = Command::Release {
            what,
            by: "ann".into(),
            why: "looked at it".into(),
        };
        self.send(command).await;
        self.settle().await;
    }
}
