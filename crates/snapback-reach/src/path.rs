//! Whole paths: would a packet pass from here to there, and would its reply come back (semantics A6).
//!
//! - Owns: [`Endpoint`], [`Path`] with its steps, which rule decides at each, client port ranges.
//! - Takes: a [`Network`], two endpoints, a protocol and port.
//! - Gives: the path hop by hop; the same question answered for all packets at once
//!   ([`Network::passes`]).
//! - Must not: guess what an appliance, a transit gateway or a network beyond does: that is a gap.

mod course;
mod filter;
mod gateway;
mod internet;
mod nat;
mod passes;
mod place;
mod public_access;
mod service;
mod step;
mod trace;

pub use place::{Endpoint, Place, Spot, Unresolved};
pub use service::Service;
pub use step::{ClientRange, Outcome, Stage, Step, Verdict, Way};

pub(crate) use course::{Check, Course, is_public};
pub(crate) use filter::{Client, Filter, Keyed, What};
pub(crate) use passes::{Stop, Varying};

use crate::address::AddressSet;
use crate::exactness::Exactness;
use std::fmt;
use std::net::IpAddr;

/// What a packet carries on top of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct L4 {
    /// IP protocol number.
    pub protocol: u8,
    /// Destination port of tcp and udp; type × 256 + code of ICMP; 0 for the rest.
    pub point: u16,
}

impl fmt::Display for L4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::flow::l4_words(self.protocol, self.point))
    }
}

/// A packet on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Where it comes from, as its sender has it.
    pub source: IpAddr,
    /// Where it is sent to.
    pub destination: IpAddr,
    /// The rest.
    pub l4: L4,
}

/// What became of a packet and of its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Where it starts, in words.
    pub source: String,
    /// Where it should arrive, in words.
    pub destination: String,
    /// The packet that was followed.
    pub packet: Packet,
    /// Its steps and those of its reply, in order. After a step that blocks, the later ones are
    /// still told: more than one may have to change.
    pub steps: Vec<Step>,
    /// What comes of it.
    pub outcome: Outcome,
    /// Where one end is the internet: the part of it for which the same packet passes, where that is
    /// not all of it.
    pub part: Option<AddressSet>,
    /// What was not known.
    pub exactness: Exactness,
}

impl Path {
    /// The first step that does not let it pass, where one does not.
    pub fn blocked_at(&self) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| step.verdict == Verdict::Blocked)
    }
}
