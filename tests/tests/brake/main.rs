//! What keeps Snapback from doing too much: leases, budgets, the breaker, quiet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod breaker;
mod budgets;
mod lease;
mod midway;
mod quiet;
mod stored;
mod takeover;

/// A rule that moves packets and opens nothing to the internet: it may wait for quiet.
const WITHIN: &str = "ingress tcp:8443 10.9.0.0/16";
