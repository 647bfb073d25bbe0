//! The flow over ports: guard, sweep, capture, notify, rollback. Async, no SDK, no AWS types.
//!
//! - Owns: the order of reads, decisions and writes; leases; retries; time limits.
//! - Takes: port implementations (AWS, simulator) and messages.
//! - Gives: an outcome for each message.
//! - Must not: decide (that is the engine), name an SDK, read clock or environment but through ports.

pub mod assessment;
pub mod capture;
mod execute;
pub mod guard;
mod ledger;
pub mod notify;
pub mod patience;
pub mod port;
pub mod rights;
pub mod rollback;
pub mod sweep;
