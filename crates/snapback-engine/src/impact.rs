//! Stage `impact`: the packets that a diff opened and closed, in words and as sets.
//!
//! - Owns: opened and closed traffic of a resource, the words for packet sets and rerouted networks.
//! - Takes: a baseline state and a live state of one resource.
//! - Gives: [`Impact`].
//! - Must not: name a risk (that is `finding`).

mod routes;
#[cfg(test)]
mod tests;
mod words;

pub use routes::route_line;
pub(crate) use words::peer_words;
pub use words::{bounded, traffic_lines};

use serde::{Deserialize, Serialize};
use snapback_model::{
    Direction, NetworkAcl, Resource, RouteTable, SecurityGroup, SubnetId, Topology,
};
use snapback_reach::{PacketSet, permitted_by_acl, permitted_by_group, unread_prefix_lists};
use std::collections::BTreeSet;

/// What changed for packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Newly permitted traffic, one line each (`ingress tcp 22 from 0.0.0.0/0 (any IPv4 address)`).
    pub opened: Vec<String>,
    /// No longer permitted traffic, and traffic that arrives elsewhere.
    pub closed: Vec<String>,
    /// What could not be computed, and in which direction the answer may err. Empty is exact.
    pub inexact: Vec<String>,
}

/// Lines of each list of an [`Impact`]; what is beyond is counted.
const MOST_LINES: usize = 12;

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// The impact on one resource of going from `baseline` to `live`; `None` is absence.
///
/// A group or ACL that is absent permits nothing; a table that is absent routes nothing. What an
/// association means for its subnet depends on two resources: the lines name it, the findings
/// compare both.
pub fn impact(baseline: Option<&Resource>, live: Option<&Resource>, topology: &Topology) -> Impact {
    let mut impact = Impact::default();
    match baseline.or(live) {
        Some(Resource::SecurityGroup(_)) => {
            impact.group(as_group(baseline), as_group(live), topology);
        }
        Some(Resource::NetworkAcl(_)) => impact.acl(as_acl(baseline), as_acl(live)),
        Some(Resource::RouteTable(_)) => {
            impact.table(as_table(baseline), as_table(live), topology);
        }
        None => {}
    }
    impact.opened = bounded(impact.opened, MOST_LINES);
    impact.closed = bounded(impact.closed, MOST_LINES);
    impact
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

impl Impact {
    fn group(
        &mut self,
        baseline: Option<&SecurityGroup>,
        live: Option<&SecurityGroup>,
        topology: &Topology,
    ) {
        for direction in DIRECTIONS {
            let permitted = |group: Option<&SecurityGroup>| {
                group.map_or_else(PacketSet::empty, |group| {
                    permitted_by_group(group, direction, topology)
                })
            };
            self.packets(direction, &permitted(baseline), &permitted(live));
        }
        let lists: BTreeSet<_> = baseline
            .into_iter()
            .chain(live)
            .flat_map(|group| unread_prefix_lists(group, topology))
            .collect();
        self.inexact.extend(lists.into_iter().map(|list| {
            format!(
                "the entries of prefix list {list} were not read: rules that name it are told by name, and may \
                 overlap other rules, so what is listed as opened or closed for it may be less in truth"
            )
        }));
    }

    fn acl(&mut self, baseline: Option<&NetworkAcl>, live: Option<&NetworkAcl>) {
        for direction in DIRECTIONS {
            let permitted = |acl: Option<&NetworkAcl>| {
                acl.map_or_else(PacketSet::empty, |acl| permitted_by_acl(acl, direction))
            };
            self.packets(direction, &permitted(baseline), &permitted(live));
        }
        let none = BTreeSet::new();
        self.subnets(
            "guarded by this ACL",
            baseline.map_or(&none, |acl| &acl.subnets),
            live.map_or(&none, |acl| &acl.subnets),
        );
    }

    fn packets(&mut self, direction: Direction, baseline: &PacketSet, live: &PacketSet) {
        self.opened
            .extend(traffic_lines(direction, &live.difference(baseline)));
        self.closed
            .extend(traffic_lines(direction, &baseline.difference(live)));
    }

    fn subnets(&mut self, words: &str, baseline: &BTreeSet<SubnetId>, live: &BTreeSet<SubnetId>) {
        let lost = baseline.difference(live);
        self.closed
            .extend(lost.map(|subnet| format!("{subnet} is no longer {words}")));
        let gained = live.difference(baseline);
        self.opened
            .extend(gained.map(|subnet| format!("{subnet} is now {words}")));
    }
}
