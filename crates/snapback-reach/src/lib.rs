//! Packet sets and what a state permits (semantics A, F).
//!
//! - Owns: [`PacketSet`] and its algebra, the naive evaluator it is tested against.
//! - Takes: canonical states of `snapback-model`, and topology to expand prefix lists.
//! - Gives: the exact set of packets a group or ACL permits in a direction; witnesses; minimal words.
//! - Must not: know about events, policies or plans.
