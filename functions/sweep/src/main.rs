//! The sweep's Lambda: a schedule to `snapback_app::sweep`, or on request `snapback_app::capture`.
//!
//! - Owns: reading settings once, clients once, what an invocation asks for.
//! - Takes: any JSON; `{"capture": {"by": …, "why": …}}` stores the good state.
//! - Gives: what was found, for the one who asked.
//! - Must not: decide anything, change EC2.

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use snapback_app::capture::{self, Captured};
use snapback_app::sweep::{self, Sweep, Terms};
use snapback_aws::{SweepConfig, SweepWorld, config, log, sdk};
use snapback_engine::execution::Limits;
use snapback_model::{Kind, Timestamp};
use std::process::ExitCode;

/// What an invocation asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    /// Compare everything.
    Sweep,
    /// Store the good state.
    Capture(Capture),
}

/// Who captures, and why.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capture {
    by: String,
    why: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    log::install();
    let config = match SweepConfig::from_variables(&config::environment()) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "sweep does not start: nothing is compared");
            return ExitCode::FAILURE;
        }
    };
    let sdk = sdk::load().await;
    let world = SweepWorld::new(&sdk, &config);
    // Boxed: the read of everything is a future of many layers.
    let handler = service_fn(|event: LambdaEvent<Value>| Box::pin(handle(&world, &config, event)));
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API went away");
            ExitCode::FAILURE
        }
    }
}

async fn handle(
    world: &SweepWorld,
    config: &SweepConfig,
    event: LambdaEvent<Value>,
) -> anyhow::Result<Value> {
    let (payload, context) = event.into_parts();
    match wish(&payload)? {
        Wish::Capture(Capture { by, why }) => {
            let captured = capture::run(world, &by, &why, &config.policy)
                .await
                .inspect_err(|error| tracing::error!(%error, "not captured"))?;
            Ok(captured_json(&captured))
        }
        Wish::Sweep => {
            let terms = Terms {
                policy: config.policy.clone(),
                own: config.own.clone(),
                limits: Limits::default(),
                holder: config.holder.clone(),
                deadline: deadline(context.deadline)?,
            };
            let sweep = sweep::run(world, &terms)
                .await
                .inspect_err(|error| tracing::error!(%error, "not swept"))?;
            Ok(sweep_json(&sweep))
        }
    }
}

/// A schedule's event, an empty one, anything without `capture` is a sweep.
fn wish(payload: &Value) -> anyhow::Result<Wish> {
    let Some(capture) = payload.get("capture") else {
        return Ok(Wish::Sweep);
    };
    let capture: Capture = Capture::deserialize(capture)
        .context(r#"a capture is asked for as {"capture": {"by": "who", "why": "the reason"}}"#)?;
    anyhow::ensure!(
        !capture.by.trim().is_empty(),
        "a capture needs a name: `by` is empty"
    );
    anyhow::ensure!(
        !capture.why.trim().is_empty(),
        "a capture needs a reason: `why` is empty"
    );
    Ok(Wish::Capture(capture))
}

fn deadline(millisecond: u64) -> anyhow::Result<Timestamp> {
    let millisecond = i64::try_from(millisecond).context("the deadline is no time")?;
    Timestamp::from_millisecond(millisecond).context("the deadline is no time")
}

/// Numbers first; the resources behind them beside.
fn sweep_json(sweep: &Sweep) -> Value {
    json!({
        "has_baselines": sweep.captured,
        "compared": sweep.compared,
        "missed": sweep.missed.len(),
        "unreviewed": sweep.unreviewed.len(),
        "unfinished": sweep.unfinished.len(),
        "resources": {
            "missed": sweep.missed,
            "unreviewed": sweep.unreviewed,
            "unfinished": sweep.unfinished,
        },
    })
}

fn captured_json(captured: &Captured) -> Value {
    let written = |kind: Kind| captured.written.get(&kind).copied().unwrap_or_default();
    json!({
        "at": captured.at,
        "captured": captured.written.values().sum::<usize>(),
        "written": {
            "security-groups": written(Kind::SecurityGroup),
            "network-acls": written(Kind::NetworkAcl),
            "route-tables": written(Kind::RouteTable),
        },
        "gone": captured.gone,
        "findings": captured.findings,
        "unknown": captured.unknown,
    })
}

#[cfg(test)]
mod tests;
