//! The pipeline, one pure module a stage:
//! `event → change → diff → impact → finding → policy → verdict → plan → brake → execution → incident → notification → history`.
//!
//! - Owns: every decision Snapback makes.
//! - Takes: bytes of events, baselines, snapshots, policies, outcomes of calls, the time as an argument.
//! - Gives: changes, diffs, findings, judgements, plans, next steps, journal entries, messages.
//! - Must not: do I/O, read a clock, the environment or randomness. A stage imports only stages to
//!   its left, `snapback-model` and `snapback-reach`.

pub mod brake;
pub mod change;
pub mod diff;
pub mod event;
pub mod execution;
pub mod finding;
#[cfg(test)]
mod fixture;
pub mod history;
pub mod impact;
pub mod incident;
pub mod notification;
pub mod plan;
pub mod policy;
pub mod verdict;
