//! The nouns of Snapback: canonical values for everything it guards and everything around it.
//!
//! - Owns: ids, security groups, network ACLs, route tables, topology, snapshots, baselines, the
//!   describe-JSON reader.
//! - Takes: `aws ec2 describe-*` JSON (or the same shapes filled by the AWS adapter).
//! - Gives: values that compare equal when they mean the same, with one canonical byte form.
//! - Must not: do I/O, read a clock or the environment, decide anything.

mod baseline;
pub mod describe;
mod id;
mod lineage;
mod network_acl;
mod resource;
mod route_table;
mod security_group;
mod snapshot;
mod succession;
mod temporary;
#[cfg(test)]
mod tests;
mod text;
mod topology;
mod traffic;

pub use baseline::*;
pub use id::*;
pub use lineage::*;
pub use network_acl::*;
pub use resource::*;
pub use route_table::*;
pub use security_group::*;
pub use snapshot::*;
pub use succession::Succession;
pub use temporary::{StandIn, TEMPORARY_ACL, TEMPORARY_TABLE, Temporary};
pub use text::ParseError;
pub use topology::*;
pub use traffic::*;

/// The time type of every room: an instant, UTC, from `jiff`.
pub use jiff::Timestamp;

/// AWS resource tags: key to value.
pub type Tags = std::collections::BTreeMap<String, String>;
