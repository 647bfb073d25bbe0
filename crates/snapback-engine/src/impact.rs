//! Stage `impact`: the packets that a diff opened and closed, for whom, and whether that counts now.
//!
//! - Owns: opened and closed traffic of a resource, what stands around it (interfaces, other groups,
//!   ACLs, routes), the blast radius, what becomes of existing connections (semantics A1–A6), the
//!   words for packet sets and rerouted networks.
//! - Takes: baselines, a fresh snapshot, the diff of one resource.
//! - Gives: [`Impact`].
//! - Must not: name a risk (that is `finding`).

mod blast;
mod latent;
mod routes;
mod shift;
#[cfg(test)]
mod tests;
mod words;

pub use blast::{BlastRadius, Peers};
pub use latent::{Dies, Idle, Latent};
pub use routes::route_line;
pub use shift::{Effect, Reached, Shift, Turn, Why};
pub use words::{bounded, traffic_lines};

use serde::{Deserialize, Serialize};
use snapback_model::{
    Direction, Element, NetworkAcl, Resource, RouteTable, SecurityGroup, SubnetId, Topology,
};
use snapback_reach::{PacketSet, permitted_by_acl, permitted_by_group, unread_prefix_lists};
use std::collections::{BTreeMap, BTreeSet};

/// What changed for packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Traffic that became possible.
    pub opened: Vec<Shift>,
    /// Traffic that became impossible or arrives elsewhere.
    pub closed: Vec<Shift>,
    /// Opened shifts beyond those listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_opened: usize,
    /// Closed shifts beyond those listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_closed: usize,
    /// Whom it concerns.
    #[serde(default)]
    pub blast: BlastRadius,
    /// What becomes of existing connections.
    #[serde(default)]
    pub latent: Vec<Latent>,
    /// What could not be computed, and in which direction the answer may err. Empty is exact.
    pub inexact: Vec<String>,
    /// What each difference does by itself; for the stages that follow, not stored.
    #[serde(skip)]
    pub moves: BTreeMap<Element, Moves>,
}

/// What one difference does to packets; both `None`: it moves none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// What it opens, if anything.
    pub opens: Option<Effect>,
    /// What it closes, if anything.
    pub closes: Option<Effect>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Impact {
    /// What a difference does by itself; nothing where it moves no packet.
    pub fn moves_of(&self, element: &Element) -> Moves {
        self.moves.get(element).cloned().unwrap_or_default()
    }

    /// The effect of a difference that counts most; `None` where it moves no packet.
    pub fn effect_of(&self, element: &Element) -> Option<&Effect> {
        let moves = self.moves.get(element)?;
        let both = moves.opens.iter().chain(&moves.closes);
        both.max_by_key(|effect| effect.weight())
    }

    /// The effect of what was opened or closed that counts most; `None` where no packet moved.
    pub fn worst_effect(&self, turn: Turn) -> Option<&Effect> {
        let shifts = match turn {
            Turn::Opened => &self.opened,
            Turn::Closed => &self.closed,
        };
        shifts
            .iter()
            .map(|shift| &shift.effect)
            .max_by_key(|effect| effect.weight())
    }
}
