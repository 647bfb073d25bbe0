//! Stage `diff`: every atomic element in which live and baseline differ.
//!
//! - Owns: [`Difference`], its words for people, applying one to a state.
//! - Takes: baselines and a fresh snapshot.
//! - Gives: one [`ResourceDiff`] for each resource that differs.
//! - Must not: judge.

use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::BTreeSet;

/// How one element differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delta<T> {
    /// Live has it, the baseline does not.
    Added(T),
    /// The baseline has it, live does not.
    Removed(T),
    /// Both have it, with other content.
    Changed {
        /// The good content.
        baseline: T,
        /// The content found.
        live: T,
    },
}

/// One atomic difference between baseline and live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// A security group rule; `Changed` is description or tags only.
    Rule {
        /// Which rule.
        rule: RuleKey,
        /// How it differs.
        delta: Delta<RuleDetail>,
    },
    /// A network ACL entry.
    Entry {
        /// Which entry.
        key: EntryKey,
        /// How it differs.
        delta: Delta<NetworkAclEntry>,
    },
    /// A route; `Changed` with equal targets is a state change (blackhole).
    Route {
        /// Which route.
        destination: Destination,
        /// How it differs.
        delta: Delta<Route>,
    },
    /// Propagation from a VPN gateway.
    Propagation {
        /// Which gateway.
        gateway: GatewayId,
        /// How it differs.
        delta: Delta<()>,
    },
    /// The ACL or explicit table of a subnet. `None` is: no explicit table (the main one applies),
    /// or a subnet the baseline did not know.
    Association {
        /// The subnet.
        subnet: SubnetId,
        /// Where the baseline has it.
        baseline: Option<ResourceId>,
        /// Where live has it; `None` may also mean that the read did not cover the other holder.
        live: Option<ResourceId>,
    },
    /// An edge association of this table.
    Edge {
        /// The gateway.
        gateway: GatewayId,
        /// How it differs.
        delta: Delta<()>,
    },
    /// The main table of the VPC is another one. Told on the table that should be main.
    Main {
        /// The VPC.
        vpc: VpcId,
        /// The table that should be main.
        baseline: RouteTableId,
        /// The table that is.
        live: Option<RouteTableId>,
    },
    /// A tag of the resource.
    Tag {
        /// The key.
        key: String,
        /// How it differs.
        delta: Delta<String>,
    },
    /// The resource is gone; everything that was lost.
    Deleted {
        /// Its good state.
        lost: Box<Resource>,
    },
    /// The resource exists and no baseline knows it, or an accepted deletion is undone.
    Unreviewed {
        /// Its state.
        found: Box<Resource>,
    },
}

/// All differences of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDiff {
    /// The resource.
    pub resource: ResourceId,
    /// For people.
    pub label: String,
    /// Its VPC, where known.
    pub vpc: Option<VpcId>,
    /// The differences, in a canonical order.
    pub differences: Vec<Difference>,
}

/// Which of a difference's two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The baseline's.
    Baseline,
    /// Live's.
    Live,
}

/// Compares what the snapshot covers with the baselines, for the resources named (all of both where `None`).
///
/// Associations are told once: on the resource that should hold the subnet, else on the one that does.
/// Text a read did not tell (`None` names, rule tags) is no difference.
pub fn diff(baselines: &Baselines, live: &Snapshot, only: Option<&BTreeSet<ResourceId>>) -> Vec<ResourceDiff> {
    let _skeleton = (baselines, live, only);
    todo!("skeleton")
}

impl Difference {
    /// Which element differs.
    pub fn element(&self) -> Element {
        match self {
            Self::Rule { rule, .. } => Element::Rule(rule.clone()),
            Self::Entry { key, .. } => Element::Entry(*key),
            Self::Route { destination, .. } => Element::Route(destination.clone()),
            Self::Propagation { gateway, .. } => Element::Propagation(gateway.clone()),
            Self::Association { subnet, .. } => Element::Subnet(subnet.clone()),
            Self::Edge { gateway, .. } => Element::Edge(gateway.clone()),
            Self::Main { .. } => Element::Main,
            Self::Tag { key, .. } => Element::Tag(key.clone()),
            Self::Deleted { .. } | Self::Unreviewed { .. } => Element::Existence,
        }
    }

    /// Makes one element of `state` what the given side has. The state is the resource that the
    /// difference is told on.
    pub fn apply(&self, state: &mut Resource, side: Side) {
        let _skeleton = (state, side);
        todo!("skeleton")
    }

    /// One line for a person: `added: ingress tcp 22 from 0.0.0.0/0 (anyone, IPv4)`.
    pub fn describe(&self) -> String {
        todo!("skeleton")
    }
}
