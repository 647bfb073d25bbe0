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
mod attribution;
pub mod bound;
mod exactness;
mod expand;
mod exposure;
mod first_match;
mod flow;
pub mod naive;
mod nest;
mod network;
mod packet_set;
pub mod path;
mod permit;
mod pieces;
mod redundancy;
mod render;
mod route;
mod shadow;

#[cfg(test)]
mod tests;

pub use address::{AddressSet, Family};
pub use attribution::{
    Redecided, deciding_entries, deciding_entry, deciding_rules, matching_rules, redecided_entries,
};
pub use bound::OverBound;
pub use exactness::{Answer, Errs, Exactness, Gap, Unknowns};
pub use expand::Expansion;
pub use exposure::{Exit, Exposure, Outbound, Stopped};
pub use first_match::{
    Shadowed, dead_entries, effective_entries, permitted_by_acl, shadowed_entries,
};
pub use flow::{Flow, Host, Symbol, protocol_name};
pub use network::Network;
pub use packet_set::PacketSet;
pub use permit::{permitted_by_group, permitted_by_rules, unread_prefix_lists};
pub use pieces::{Coordinate, Pieces, Region, SetOperation};
pub use redundancy::{Redundant, redundant_rules};
pub use render::{Item, Protocols};
pub use route::{Hop, NextHops, RouteRegion, next_hops};
pub use shadow::{ShadowedRoute, deciding_route, shadowed_routes};
