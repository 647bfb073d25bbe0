//! An AWS account in memory behind the ports of the flow: behaves as semantics.md A–C and E say.
//!
//! - Owns: the EC2 model with its refusals and quotas, CloudTrail records of every call, delivery,
//!   the state table and journal, channels, a simulated clock, faults; all by seed.
//! - Takes: calls of people ([`World::call`]), calls of the flow through the ports, faults to inject.
//! - Gives: [`World`], which implements every port; events to deliver; views for tests and the demo.
//! - Must not: decide anything, use real time, be linked into a Lambda.

mod account;
mod buckets;
mod build;
mod call;
mod channel;
mod crash;
mod delivery;
mod events;
mod faults;
mod ports;
mod principal;
mod process;
pub mod station;
mod store;
pub mod story;
mod successors;
mod trail;
mod views;
pub mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use account::Quotas;
pub use build::{Builder, Layout};
pub use call::{
    Call, EndpointRequest, GroupBy, NatPlace, NatRequest, Permission, Provide, Revoked, RuleBy,
    RuleChange,
};
pub use channel::{Shown, SimChannel};
pub use delivery::EventFaults;
pub use faults::{Chaos, Fault, Staleness, When};
pub use principal::{Identity, Principal};
pub use successors::{successors, under_old_ids};
pub use trail::{HeldLease, Hold, Planned, Written};
pub use views::{Logged, OurWrite};
pub use world::{CallOutcome, Latency, World};

/// Our account.
pub const ACCOUNT: &str = "111122223333";
/// Our Region.
pub const REGION: &str = "eu-central-1";
/// The role of the guard function.
pub const GUARD_ROLE: &str = "arn:aws:iam::111122223333:role/snapback-guard";
