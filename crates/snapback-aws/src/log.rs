//! JSON log lines that Lambda's log pipeline understands.
//!
//! - Owns: the subscriber: one JSON object a line on standard output with `timestamp`, `level`, `message`.
//! - Takes: `AWS_LAMBDA_LOG_LEVEL`, else `RUST_LOG`; `info` where neither is set.
//! - Gives: nothing.
//! - Must not: drop the timestamp: Lambda reads a line without one as INFO, and level filters then lie.

use tracing_subscriber::EnvFilter;

/// Installs the subscriber. A second call changes nothing.
pub fn install() {
    let wanted = std::env::var("AWS_LAMBDA_LOG_LEVEL").or_else(|_| std::env::var("RUST_LOG"));
    let filter = wanted
        .ok()
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
