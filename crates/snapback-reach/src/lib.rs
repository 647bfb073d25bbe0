//! Packet sets and what a state permits (semantics A, F).
//!
//! - Owns: [`PacketSet`] and its algebra, next hops, the naive evaluator both are tested against.
//! - Takes: canonical states of `snapback-model`, and topology to expand prefix lists.
//! - Gives: the exact set of packets a group or ACL permits in a direction; where a table sends each
//!   address; witnesses; minimal words.
//! - Must not: know about events, policies or plans.
//!
//! Not modelled (semantics F): source ports, TCP flags, fragments, payload. Connection tracking is
//! told beside a set, never inside it.

mod address;
mod exactness;
mod flow;
pub mod naive;
mod network;
mod packet_set;
mod permit;
mod pieces;
mod render;
mod route;

#[cfg(test)]
mod tests;

pub use address::{AddressSet, Family};
pub use exactness::{Answer, Errs, Exactness, Gap, Unknowns};
pub use flow::{Flow, Host, Symbol, protocol_name};
pub use network::Network;
pub use packet_set::PacketSet;
pub use permit::{
    dead_entries, effective_entries, permitted_by_acl, permitted_by_group, permitted_by_rules,
    unread_prefix_lists,
};
pub use pieces::{Coordinate, Pieces, Region, SetOperation};
pub use render::{Item, Protocols};
pub use route::{Hop, NextHops, RouteRegion, next_hops};
