//! `sim serve`: an account in memory that speaks EC2's protocol on loopback.
//!
//! - Owns: arguments, the state to begin with, the end on Ctrl-C.
//! - Takes: describe outputs, a capture, faults, who the access keys are.
//! - Gives: one line a call on stdout, events where they were asked for.
//! - Must not: listen on anything but 127.0.0.1; know what a call does.

use super::deliver::{self, Sink};
use super::listen::{Listener, Serving};
use crate::outcome::Outcome;
use crate::source::{self, Choice};
use crate::style;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::ValueEnum;
use serde_json::json;
use snapback_model::{AccountId, Region, Timestamp};
use snapback_sim::wire::{Callers, FaultSpec, duration, event_faults};
use snapback_sim::{Builder, EventFaults, World};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Serve a simulated EC2 on 127.0.0.1, with the CloudTrail events of its calls.
///
/// Point a client at it with `--endpoint-url` or AWS_ENDPOINT_URL_EC2. Keys are not checked: the
/// access key only tells who calls. The first line on stdout is JSON with the URL; then each call is
/// one line. It ends on Ctrl-C.
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The account to begin with (see below); without it, a new account with a default VPC.
    #[arg(long, value_name = "STATE")]
    from: Vec<PathBuf>,
    /// Begin with the account of the demo.
    #[arg(long, conflicts_with = "from")]
    demo: bool,
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Append each event to this file, one JSON object a line.
    #[arg(long, value_name = "FILE", group = "events")]
    events_to: Option<PathBuf>,
    /// Run this command (`sh -c`) for each event, the event on its standard input.
    #[arg(long, value_name = "COMMAND", group = "events")]
    events_command: Option<String>,
    /// Send each event to this queue of an SQS on loopback.
    #[arg(long, value_name = "URL", group = "events")]
    events_sqs: Option<String>,
    /// How long events travel.
    #[arg(long, value_name = "FROM-TO", default_value = "700ms-1500ms")]
    event_delay: String,
    /// What goes wrong with events: `duplicate=10%,lose=5%,late=20%/60s`.
    #[arg(long, value_name = "FAULTS", default_value = "")]
    event_faults: String,
    /// What goes wrong with calls, separated by commas (see below).
    #[arg(long, value_name = "FAULTS", value_delimiter = ',')]
    faults: Vec<FaultSpec>,
    /// Whose an access key is: a user, a role, an assumed role or root.
    #[arg(long, value_name = "KEY=ARN")]
    principal: Vec<String>,
    /// Chances of the simulated account; the same calls with the same seed end the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    choice: Choice,
    /// How long a NAT gateway is pending or deleting.
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = duration)]
    nat_settles: Duration,
    /// How calls are told.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For machines: one object a line with `at`, `by`, `action`, `resource`, `outcome`, `request`.
    Json,
}

const AFTER: &str = "\
A state is what `snapback diff` takes: a capture, a snapshot, describe outputs, a folder of them.

Faults of calls: FAULT:OPERATION[:TIMES[:SKIP]], the operation by its EC2 name or the beginning of it with `*`, once or so \
many times or `always`, after so many calls let through. FAULT is throttle, denied, server-error, lost-response (the call \
takes effect, the connection breaks), lost-request, or one of EC2's codes (RouteAlreadyExists). FAULT:5% strikes by chance \
(throttle, server-error, lost-response, lost-request). `stale:3s:50%` lets reads lag; `buckets` throttles as EC2 does.
  --faults throttle:RevokeSecurityGroupIngress:2,lost-response:ReplaceRoute

Beside EC2, on the same port: GET /snapback/state, GET /snapback/calls, POST /snapback/load, POST and DELETE \
/snapback/faults, POST /snapback/principals (docs/SIMULATOR.md).";

fn known_callers(arguments: &Arguments) -> Result<Callers> {
    let mut callers = Callers::default();
    for principal in &arguments.principal {
        let (key, arn) = principal
            .split_once('=')
            .ok_or_else(|| anyhow!("--principal {principal}: written KEY=ARN"))?;
        callers
            .know(key, arn)
            .map_err(|why| anyhow!("--principal {key}: {why}"))?;
    }
    Ok(callers)
}

fn travel(arguments: &Arguments) -> Result<EventFaults> {
    let text = format!("{},{}", arguments.event_delay, arguments.event_faults);
    event_faults(&text).map_err(|why| anyhow!("--event-delay, --event-faults: {why}"))
}

/// The account to begin with.
fn world(arguments: &Arguments) -> Result<(World, AccountId, Region)> {
    let account = arguments.choice.account.as_deref();
    let account = AccountId::from(account.unwrap_or(snapback_sim::ACCOUNT));
    let region = arguments.choice.region.as_deref();
    let region = Region::from(region.unwrap_or(snapback_sim::REGION));
    if arguments.demo {
        let (world, _) = Builder::new(arguments.seed).build();
        let demo = AccountId::from(snapback_sim::ACCOUNT);
        return Ok((world, demo, Region::from(snapback_sim::REGION)));
    }
    if arguments.from.is_empty() {
        let world = World::fresh(account.clone(), region.clone(), arguments.seed);
        return Ok((world, account, region));
    }
    let state = source::read_all(&arguments.from, &arguments.choice)?;
    if let Some(problem) = state.problems.first() {
        bail!("{problem}");
    }
    let mut snapshot = state.snapshot;
    source::tell_unknown("--from", &snapshot);
    let account = snapshot.account.get_or_insert(account).clone();
    let region = snapshot.region.get_or_insert(region).clone();
    let world = World::from_snapshot(&snapshot, arguments.seed);
    Ok((world, account, region))
}

fn sink(arguments: &Arguments) -> Result<Sink> {
    if let Some(file) = &arguments.events_to {
        return Sink::file(file);
    }
    if let Some(command) = &arguments.events_command {
        return Ok(Sink::Command(command.clone()));
    }
    match &arguments.events_sqs {
        Some(url) => Sink::queue(url),
        None => Ok(Sink::Nowhere),
    }
}

/// Serves until Ctrl-C.
///
/// # Errors
/// Bad arguments or state; a port that is taken; standard output is closed.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let callers = known_callers(arguments)?;
    let travel = travel(arguments)?;
    let sink = sink(arguments)?;
    let (world, account, region) = world(arguments)?;
    world.begin_at(Timestamp::now());
    world.set_event_faults(travel);
    world.set_nat_settles(arguments.nat_settles);
    arguments
        .faults
        .iter()
        .for_each(|fault| fault.apply(&world));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime")?;
    runtime.block_on(async {
        let listener = Listener::bind(arguments.port).await?;
        let first = json!({
            "listening": format!("http://127.0.0.1:{}", listener.port()),
            "port": listener.port(),
            "account": account,
            "region": region,
            "seed": arguments.seed,
        });
        let mut out = std::io::stdout();
        writeln!(out, "{first}")?;
        out.flush()?;
        let serving = Arc::new(Serving {
            world: world.clone(),
            callers: Mutex::new(callers),
            format: arguments.format,
            called: tokio::sync::Notify::new(),
        });
        let events = tokio::spawn(deliver::run(Arc::clone(&serving), sink));
        let ended = tokio::select! {
            ended = listener.serve(serving) => ended,
            stopped = stopped() => stopped,
        };
        events.abort();
        ended
    })?;
    style::note("ended");
    Ok(Outcome::Clean)
}

/// Waits for Ctrl-C or a request to terminate.
async fn stopped() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("signals")?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.context("signals"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("signals")
}
