//! The notify Lambda: the journal's stream to one channel.
//!
//! - Owns: reading settings once, clients once, what is given back to the stream, what is buried.
//! - Takes: a batch of stream records; the channel by `SNAPBACK_CHANNEL`: each channel is a function of
//!   its own, so that one's failure never holds up the other.
//! - Gives: the first record that must come again.
//! - Must not: decide what is told, log a payload or a secret.

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use snapback_app::notify::{NotifyError, deliver};
use snapback_app::port::{Channel, Clock as _, DeadLetter, Deliveries};
use snapback_aws::config::ChannelConfig;
use snapback_aws::stream::{Answer, Batch, Record};
use snapback_aws::{
    DeadLetterQueue, Emf, NotifyConfig, Slack, Sns, SystemClock, Tables, config, log, sdk,
};
use snapback_model::Timestamp;
use std::process::ExitCode;
use std::time::Duration;

/// No delivery begins with less than this left.
const RESERVE: Duration = Duration::from_secs(5);

/// What a notify function works with.
struct Notify<Ch, D, L> {
    channel: Ch,
    deliveries: D,
    dead_letters: L,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log::install();
    let config = match NotifyConfig::from_variables(&config::environment()) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "notify does not start: entries wait in the stream");
            return ExitCode::FAILURE;
        }
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "notify ends");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: NotifyConfig) -> anyhow::Result<()> {
    let sdk = sdk::load().await;
    let deliveries = Tables::new(&sdk, config.state_table, config.journal_table);
    let dead_letters = DeadLetterQueue::new(&sdk, config.dead_letter_url);
    match config.channel {
        ChannelConfig::Sns(topic) => {
            run(&Notify {
                channel: Sns::new(&sdk, topic),
                deliveries,
                dead_letters,
            })
            .await
        }
        ChannelConfig::Slack(secret) => {
            run(&Notify {
                channel: Slack::new(&sdk, secret)?,
                deliveries,
                dead_letters,
            })
            .await
        }
    }
}

async fn run<Ch, D, L>(notify: &Notify<Ch, D, L>) -> anyhow::Result<()>
where
    Ch: Channel + Sync,
    D: Deliveries + Sync,
    L: DeadLetter + Sync,
{
    let handler = service_fn(|event: LambdaEvent<Batch>| async move {
        let (batch, context) = event.into_parts();
        let deadline = i64::try_from(context.deadline).context("the deadline is no time")?;
        let deadline = Timestamp::from_millisecond(deadline).context("the deadline is no time")?;
        // Boxed: the flow over the SDK is a future of many layers.
        Box::pin(notify.batch(&batch, deadline)).await
    });
    lambda_runtime::run(handler)
        .await
        .map_err(|error| anyhow::anyhow!("the Runtime API went away: {error}"))
}

impl<Ch, D, L> Notify<Ch, D, L>
where
    Ch: Channel + Sync,
    D: Deliveries + Sync,
    L: DeadLetter + Sync,
{
    /// Delivers in order. The first record that was not delivered ends the batch and comes again with
    /// all after it; what a channel refuses for good is buried, so that it holds up nothing.
    async fn batch(&self, batch: &Batch, deadline: Timestamp) -> anyhow::Result<Answer> {
        for record in &batch.records {
            let left = deadline.duration_since(SystemClock.now());
            let in_time = Duration::try_from(left).is_ok_and(|left| left > RESERVE);
            if in_time && self.one(record, deadline).await {
                continue;
            }
            let sequence = Record::sequence(record)
                .context("a record without a sequence number was not delivered")?;
            return Ok(Answer::again_from(sequence));
        }
        Ok(Answer::default())
    }

    /// Whether the record is done with.
    async fn one(&self, record: &Value, deadline: Timestamp) -> bool {
        let entry = match Record::read(record) {
            Record::Closing(entry) => entry,
            Record::Other => return true,
            Record::Unreadable { why } => return self.bury(record, &why).await,
        };
        let meter = Emf::new("notify");
        match deliver(
            &self.channel,
            &self.deliveries,
            &SystemClock,
            &meter,
            &entry,
            deadline,
        )
        .await
        {
            Ok(_) => true,
            Err(NotifyError::Channel { error, .. }) if !error.retry => {
                self.bury(record, &error.to_string()).await
            }
            Err(error) => {
                tracing::warn!(%error, incident = %entry.incident, "not delivered");
                false
            }
        }
    }

    async fn bury(&self, record: &Value, reason: &str) -> bool {
        match self.dead_letters.bury(&record.to_string(), reason).await {
            Ok(()) => {
                tracing::error!(reason, "an entry was buried: the dead-letter queue has it");
                true
            }
            Err(error) => {
                tracing::error!(%error, reason, "an entry was not buried");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
