//! `notify`: one journal entry to one channel; the journal's stream is the outbox.
//!
//! - Owns: what is told where, once each; retries within the time; what is given back to the stream.
//! - Takes: a channel, the memory of deliveries, an entry.
//! - Gives: [`Delivered`], or [`NotifyError`]: the stream brings the entry again.
//! - Must not: let one channel wait for another, drop a message, log a payload.

use crate::patience::{Pace, backoff, later};
use crate::port::{Channel, Clock, DeliverError, Deliveries, Meter, Metric, StoreError};
use snapback_engine::execution::Limits;
use snapback_engine::incident::Entry;
use snapback_engine::notification::notification;
use snapback_model::Timestamp;

/// What became of an entry on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Nobody need be told.
    Silent,
    /// It was shown before.
    Before,
    /// It was shown now.
    Now,
}

/// Why the stream must bring an entry again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// The channel did not take it.
    #[error("{key}: {error}; the stream brings it again")]
    Channel {
        /// The message.
        key: String,
        /// What the channel said.
        error: DeliverError,
    },
    /// The memory of deliveries did not answer.
    #[error("{0}; the stream brings the entry again")]
    Store(#[from] StoreError),
}

/// Delivers the message of an entry on one channel, if it has one and it was not shown there before.
///
/// # Errors
/// [`NotifyError`]: keep the entry. A refusal for good is one too: the stream's dead-letter queue
/// takes the entry in the end, nothing is lost in silence.
pub async fn deliver<Ch, D, C, M>(
    channel: &Ch,
    deliveries: &D,
    clock: &C,
    meter: &M,
    entry: &Entry,
    deadline: Timestamp,
) -> Result<Delivered, NotifyError>
where
    Ch: Channel + Sync,
    D: Deliveries + Sync,
    C: Clock + Sync,
    M: Meter + Sync,
{
    let Some(message) = notification(entry) else {
        return Ok(Delivered::Silent);
    };
    let name = channel.name();
    let limits = Limits::default();
    let pace = Pace {
        clock,
        limits: &limits,
        deadline,
        seed: &message.key,
    };
    if pace
        .retried(|| deliveries.was_delivered(name, &message.key))
        .await?
    {
        return Ok(Delivered::Before);
    }
    let mut attempt = 0;
    loop {
        let error = match channel.deliver(&message).await {
            Ok(()) => break,
            Err(error) => error,
        };
        tracing::warn!(channel = name, key = message.key, attempt, retry = error.retry, %error, "not delivered");
        let pause = error
            .retry_after
            .unwrap_or_else(|| backoff(&limits, attempt, &message.key));
        attempt = attempt.saturating_add(1);
        let more =
            error.retry && attempt < limits.attempts_max && later(clock.now(), pause) < deadline;
        if !more {
            meter.measure(Metric::NotDelivered, 1.0);
            return Err(NotifyError::Channel {
                key: message.key,
                error,
            });
        }
        clock.sleep(pause).await;
    }
    pace.retried(|| deliveries.mark_delivered(name, &message.key))
        .await?;
    tracing::info!(channel = name, key = message.key, incident = %entry.incident, "delivered");
    Ok(Delivered::Now)
}
