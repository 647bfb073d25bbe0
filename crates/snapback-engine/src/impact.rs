//! Stage `impact`: the packets that a diff opened and closed, for whom, and whether that counts now.
//!
//! - Owns: opened and closed traffic of a resource, what stands around it (interfaces, other groups,
//!   ACLs, routes), the blast radius, what becomes of existing connections (semantics A1–A6), the
//!   words for packet sets and rerouted networks.
//! - Takes: baselines, a fresh snapshot, the diff of one resource.
//! - Gives: [`Impact`].
//! - Must not: name a risk (that is `finding`).

mod acls;
mod around;
mod blast;
mod groups;
mod latent;
mod membership;
mod routes;
mod scale;
mod sets;
mod shift;
#[cfg(test)]
mod tests;
mod tracking;
mod weigh;
mod words;
mod work;

pub use around::Surroundings;
pub use blast::{BlastRadius, Peers};
pub use latent::{Dies, Idle, Latent};
pub use membership::{Membership, Referrer, Regrouped, membership};
pub use routes::route_line;
pub(crate) use sets::opposite;
pub use shift::{Effect, Reached, Shift, Turn, Why};
pub use tracking::is_untracked;
pub use words::{bounded, traffic_lines};
pub(crate) use words::{item_words, peer_words};

use crate::diff::ResourceDiff;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use snapback_reach::{AddressSet, Exactness, Network, bound};
use std::collections::BTreeMap;

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
    /// The same as [`Impact::inexact`] for the stages that follow, not stored.
    #[serde(skip)]
    pub exactness: Exactness,
}

/// What one difference does to packets; both `None`: it moves none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// What it opens, if anything.
    pub opens: Option<Effect>,
    /// What it closes, if anything.
    pub closes: Option<Effect>,
}

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// The impact on one resource of what differs in it, for the interfaces and subnets behind it.
///
/// A group or ACL that is absent permits nothing; a table that is absent routes nothing. What stands
/// around the resource is live where it was read, else as the last sweep or capture saw it: then the
/// impact says so. `baselines` holds all ACLs (tables) of a VPC or none.
pub fn impact(baselines: &Baselines, live: &Snapshot, diff: &ResourceDiff) -> Impact {
    let around = around::merged(baselines, live);
    let network = Network::with_context(&around, baselines.context());
    let lists = Topology {
        prefix_lists: baselines.context().prefix_lists.clone(),
        ..Topology::default()
    };
    let lists = lists.with_lists_of(&live.topology);
    let good = baselines.state(&diff.resource);
    let found = live.resources.get(&diff.resource);
    let nowhere = VpcId::new(String::new());
    let vpc = good.or(found).and_then(Resource::vpc);
    let vpc = vpc.or(diff.vpc.as_ref()).unwrap_or(&nowhere);
    let access = live.topology.block_public_access.as_ref();
    let mut work = work::Work {
        baselines,
        live,
        diff,
        sets: sets::Sets::new(&network, &lists, vpc),
        access: access.or(baselines.context().block_public_access.as_ref()),
        is_known: around::knows_interfaces(baselines, live),
        is_old: around::interfaces_are_old(live),
        peers: AddressSet::empty(),
        impact: Impact::default(),
    };
    let bounded = match (good, found) {
        (Some(good), Some(found)) => bound::check_pair(good, found, &lists),
        (Some(one), None) | (None, Some(one)) => bound::check(one, &lists),
        (None, None) => Ok(()),
    };
    if let Err(over) = bounded {
        work.over_bound(&over);
        return work.finish();
    }
    match good.or(found) {
        Some(Resource::SecurityGroup(_)) => {
            groups::group(&mut work, as_group(good), as_group(found));
        }
        Some(Resource::NetworkAcl(_)) => acls::acl(&mut work, as_acl(good), as_acl(found)),
        Some(Resource::RouteTable(_)) => routes::table(&mut work, as_table(good), as_table(found)),
        None => {}
    }
    work.finish()
}

fn as_group(resource: Option<&Resource>) -> Option<&SecurityGroup> {
    match resource? {
        Resource::SecurityGroup(group) => Some(group),
        Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
    }
}

fn as_acl(resource: Option<&Resource>) -> Option<&NetworkAcl> {
    match resource? {
        Resource::NetworkAcl(acl) => Some(acl),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    }
}

fn as_table(resource: Option<&Resource>) -> Option<&RouteTable> {
    match resource? {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Impact {
    /// What a difference does to packets now, beside the others; nothing where it moves none. Two that
    /// undo each other move none together: whether one may stay is another question, which the verdict
    /// asks of each by itself.
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

    /// The lines for people of one side, at most `most`: traffic, peers, and whether it counts now.
    pub fn lines(&self, turn: Turn, most: usize) -> Vec<String> {
        let (shifts, more) = match turn {
            Turn::Opened => (&self.opened, self.more_opened),
            Turn::Closed => (&self.closed, self.more_closed),
        };
        let mut lines: Vec<String> = shifts
            .iter()
            .take(most)
            .map(|shift| shift.line(turn))
            .collect();
        let more = shifts.len().saturating_sub(most).saturating_add(more);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines
    }

    /// Adds what a later impact on the same resource tells: of the same story.
    pub fn absorb(&mut self, later: &Self) {
        join(&mut self.opened, &later.opened, |one, other| {
            one.text == other.text
        });
        join(&mut self.closed, &later.closed, |one, other| {
            one.text == other.text
        });
        self.more_opened = self.more_opened.max(later.more_opened);
        self.more_closed = self.more_closed.max(later.more_closed);
        if later.blast != BlastRadius::default() {
            self.blast = later.blast.clone();
        }
        join(&mut self.latent, &later.latent, PartialEq::eq);
        join(&mut self.inexact, &later.inexact, PartialEq::eq);
        for (element, moves) in &later.moves {
            self.moves.insert(element.clone(), moves.clone());
        }
        self.exactness.merge(&later.exactness);
    }
}

/// Appends what is not there yet.
fn join<T: Clone>(into: &mut Vec<T>, more: &[T], same: impl Fn(&T, &T) -> bool) {
    for one in more {
        if !into.iter().any(|known| same(known, one)) {
            into.push(one.clone());
        }
    }
}
