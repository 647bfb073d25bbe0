//! JSON log lines that Lambda's log pipeline understands.
//!
//! - Owns: the subscriber: one JSON object a line on standard output with `timestamp`, `level`, `message`.
//! - Takes: `AWS_LAMBDA_LOG_LEVEL`, else `SNAPBACK_LOG_LEVEL`, else `RUST_LOG`; `info` where none is set.
//! - Gives: nothing.
//! - Must not: drop the timestamp: Lambda reads a line without one as INFO, and level filters then lie.

use crate::config::variable;
use tracing_subscriber::EnvFilter;

/// Installs the subscriber. A second call changes nothing.
pub fn install() {
    let named = ["AWS_LAMBDA_LOG_LEVEL", variable::LOG_LEVEL, "RUST_LOG"];
    let filter = named
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|level| !level.is_empty()))
        .and_then(|level| EnvFilter::try_new(level.to_ascii_lowercase()).ok())
        .unwrap_or_else(|| EnvFilter::new("info"));
    let installed = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(true)
        .with_ansi(false)
        .with_env_filter(filter)
        .try_init();
    if installed.is_err() {
        tracing::debug!("a log subscriber is already installed");
    }
}
