//! The guard's Lambda: a batch of the inbox to `snapback_app::guard`.
//!
//! - Owns: reading settings once, clients once, how a batch is handled, what is given back to the queue.
//! - Takes: `SqsEvent`.
//! - Gives: the messages that must come again.
//! - Must not: decide anything.

use anyhow::Context as _;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, service_fn};
use snapback_app::guard::{Guard, GuardError, Handled, Message};
use snapback_app::rights::GuardPorts;
use snapback_aws::{GuardConfig, GuardWorld, InboxQueue, config, log, sdk};
use snapback_model::Timestamp;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Tries before the queue gives a message up: `maxReceiveCount` of the inbox in template.yaml.
const TRIES: u32 = 5;
/// Messages of one batch that are handled side by side.
const SIDE_BY_SIDE: usize = 4;
/// First wait before a message comes again; four times as long each time, up to SQS's own time-out.
const AGAIN_FIRST: i32 = 10;
/// Longest wait.
const AGAIN_MAX: i32 = 900;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log::install();
    let config = match GuardConfig::from_variables(&config::environment()) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "guard does not start: nothing is processed, messages wait in the inbox");
            return ExitCode::FAILURE;
        }
    };
    let sdk = sdk::load().await;
    let inbox = InboxQueue::new(&sdk, &config.inbox_url);
    let world = GuardWorld::new(&sdk, &config);
    let guard = Arc::new(Guard::new(world, config.policy, config.own, config.holder));
    let handler = service_fn(|event: LambdaEvent<SqsEvent>| {
        let (guard, inbox) = (guard.clone(), inbox.clone());
        async move {
            let (batch, context) = event.into_parts();
            // Boxed: the flow over the SDK is a future of many layers.
            let failed = Box::pin(batch_of(&guard, &batch, deadline(context.deadline)?)).await;
            give_back(&inbox, &failed).await;
            answer(&failed)
        }
    });
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API went away");
            ExitCode::FAILURE
        }
    }
}

/// Lambda's deadline.
fn deadline(millisecond: u64) -> anyhow::Result<Timestamp> {
    let millisecond = i64::try_from(millisecond).context("the deadline is no time")?;
    Timestamp::from_millisecond(millisecond).context("the deadline is no time")
}

/// Handles the messages of a batch side by side; gives those that must come again. Messages that met
/// each other on one resource are tried once more one after the other: mostly nothing is left to do.
async fn batch_of<P>(
    guard: &Arc<Guard<P>>,
    batch: &SqsEvent,
    deadline: Timestamp,
) -> Vec<SqsMessage>
where
    P: GuardPorts + 'static,
{
    let mut waiting: BTreeMap<usize, SqsMessage> =
        batch.records.iter().cloned().enumerate().collect();
    let mut met = Vec::new();
    let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut running = JoinSet::new();
    for (index, message) in waiting.clone() {
        let (guard, places) = (guard.clone(), places.clone());
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            (index, handle(&guard, &message, deadline).await)
        });
    }
    while let Some(joined) = running.join_next().await {
        match joined {
            Ok((index, Ok(_))) => drop(waiting.remove(&index)),
            Ok((index, Err(error))) if is_meeting(&error) => met.push(index),
            Ok((_, Err(_))) => {}
            // Its message stays among the waiting ones and comes again.
            Err(panic) => tracing::error!(%panic, "a message ended in a panic"),
        }
    }
    for index in met {
        let Some(message) = waiting.get(&index) else {
            continue;
        };
        if handle(guard, message, deadline).await.is_ok() {
            waiting.remove(&index);
        }
    }
    waiting.into_values().collect()
}

/// Whether another message was in the way.
fn is_meeting(error: &GuardError) -> bool {
    match error {
        GuardError::Busy { .. }
        | GuardError::LeaseLost { .. }
        | GuardError::Contended { .. }
        | GuardError::Early { .. }
        | GuardError::PerhapsOwn { .. } => true,
        GuardError::Interrupted { .. } | GuardError::Call(_) | GuardError::Store(_) => false,
    }
}

async fn handle<P: GuardPorts>(
    guard: &Guard<P>,
    message: &SqsMessage,
    deadline: Timestamp,
) -> Result<Handled, GuardError> {
    let message = Message {
        body: message.body.as_deref().unwrap_or_default(),
        arrived: guard.ports.now(),
        deadline,
        last_try: receives(message) >= TRIES,
    };
    Box::pin(guard.handle_message(message)).await
}

/// How often the queue has handed the message out.
fn receives(message: &SqsMessage) -> u32 {
    message
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

/// How long a message waits after this many tries.
fn wait_after(receives: u32) -> i32 {
    let times = 4_i32.saturating_pow(receives.saturating_sub(1));
    AGAIN_FIRST.saturating_mul(times).min(AGAIN_MAX)
}

/// Lets failed messages come again soon. Where that fails they come after the visibility time-out.
async fn give_back(inbox: &InboxQueue, failed: &[SqsMessage]) {
    for message in failed {
        let Some(receipt) = message.receipt_handle.as_deref() else {
            continue;
        };
        if let Err(error) = inbox.release(receipt, wait_after(receives(message))).await {
            tracing::warn!(%error, "the message comes again after the visibility time-out");
        }
    }
}

/// Names the failed messages; a message without an id fails the whole batch.
fn answer(failed: &[SqsMessage]) -> anyhow::Result<SqsBatchResponse> {
    let mut answer = SqsBatchResponse::default();
    for message in failed {
        answer.add_failure(
            message
                .message_id
                .as_deref()
                .context("a message without an id was not handled")?,
        );
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
