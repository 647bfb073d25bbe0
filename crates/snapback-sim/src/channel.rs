//! Channels to people: they remember what they showed, and can be down.

use crate::faults::{Family, Fault};
use crate::world::World;
use snapback_app::port::{Channel, DeliverError};
use snapback_engine::notification::Notification;
use snapback_model::Timestamp;
use std::time::Duration;

/// A message that people saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Which channel.
    pub channel: &'static str,
    /// When.
    pub at: Timestamp,
    /// What.
    pub message: Notification,
}

/// A channel of a world.
#[derive(Clone)]
pub struct SimChannel {
    world: World,
    name: &'static str,
}

impl SimChannel {
    /// A channel by name: `sns`, `slack`. Faults strike it under this name.
    pub fn new(world: &World, name: &'static str) -> Self {
        Self {
            world: world.clone(),
            name,
        }
    }

    /// What it showed, oldest first.
    pub fn shown(&self) -> Vec<Shown> {
        self.world.with(|inner| {
            inner
                .shown
                .iter()
                .filter(|shown| shown.channel == self.name)
                .cloned()
                .collect()
        })
    }

    /// What it showed last.
    pub fn last_shown(&self) -> Option<Shown> {
        self.world.with(|inner| {
            let mut shown = inner.shown.iter().rev();
            shown.find(|shown| shown.channel == self.name).cloned()
        })
    }

    fn error(&self, message: &str, retry: bool, retry_after: Option<Duration>) -> DeliverError {
        DeliverError {
            channel: self.name,
            message: message.into(),
            retry,
            retry_after,
        }
    }
}

/// What a 429 asks for.
const RETRY_AFTER: Duration = Duration::from_secs(2);

impl Channel for SimChannel {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn deliver(&self, message: &Notification) -> Result<(), DeliverError> {
        let latency = self.world.with(|inner| inner.latency.channel);
        self.world.enter(latency).await;
        self.world.with(|inner| {
            inner.lapse(latency);
            let (now, channel) = (inner.now, self.name);
            let fault = inner
                .faults
                .strike(channel, Family::Channel, now, &mut inner.rng);
            if matches!(fault, None | Some(Fault::LostResponse)) {
                inner.shown.push(Shown {
                    channel,
                    at: now,
                    message: message.clone(),
                });
            }
            match fault {
                None => Ok(()),
                Some(Fault::Throttled) => {
                    Err(self.error("429 Too Many Requests", true, Some(RETRY_AFTER)))
                }
                Some(Fault::Denied) => Err(self.error("403 Forbidden", false, None)),
                Some(Fault::ServerError | Fault::Refused(_)) => {
                    Err(self.error("503 Service Unavailable", true, None))
                }
                Some(Fault::LostResponse | Fault::LostRequest) => {
                    Err(self.error("no answer within 10 s", true, None))
                }
            }
        })
    }
}
