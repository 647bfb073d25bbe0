//! Stage `diff`: every atomic element in which live and baseline differ.
//!
//! - Owns: [`Difference`], its words for people, applying one to a state.
//! - Takes: baselines and a fresh snapshot.
//! - Gives: one [`ResourceDiff`] for each resource that differs.
//! - Must not: judge.

mod compare;
#[cfg(test)]
mod tests;
mod words;

use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

use compare::Claims;

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
/// `baselines` must hold every ACL (table) of the VPCs of the ACLs (tables) named: who should hold a
/// subnet, and which table should be the main one, is known only from all of them.
///
/// Associations are told once: on the resource that should hold the subnet, else on the one that does.
/// Where two baselines claim one subnet (captured at different times), the newer claim counts.
///
/// No difference is:
/// - text a read did not tell (`None` names, tags of rules or groups), and tags of AWS (`aws:…`);
/// - a propagated route: they come and go without an event and are not ours to write (semantics A4, E);
///   what can be changed, the set of propagating gateways, is compared. A created route in the place
///   of a propagated one is an added route, a propagated one in the place of a created one a removed route;
/// - a local route that came or went with a network of the VPC. One that leads elsewhere is a difference;
/// - `Origin` by itself.
pub fn diff(
    baselines: &Baselines,
    live: &Snapshot,
    only: Option<&BTreeSet<ResourceId>>,
) -> Vec<ResourceDiff> {
    let claims = Claims::of(baselines);
    let ids: BTreeSet<&ResourceId> = match only {
        Some(only) => only.iter().collect(),
        None => baselines
            .by_id
            .keys()
            .chain(live.resources.keys())
            .collect(),
    };
    ids.into_iter()
        .filter_map(|id| diff_one(baselines, live, &claims, id))
        .collect()
}

fn diff_one(
    baselines: &Baselines,
    live: &Snapshot,
    claims: &Claims<'_>,
    id: &ResourceId,
) -> Option<ResourceDiff> {
    let baseline = baselines.by_id.get(id);
    let good = baseline.and_then(|baseline| baseline.state.as_ref());
    let found = live.resources.get(id);
    let vpc = baseline
        .and_then(|baseline| baseline.vpc.as_ref())
        .or_else(|| good.and_then(Resource::vpc))
        .or_else(|| found.and_then(Resource::vpc));
    let mut differences = match (good, found) {
        (None, None) => Vec::new(),
        (None, Some(found)) => vec![Difference::Unreviewed {
            found: Box::new(found.clone()),
        }],
        (Some(lost), None) if live.covers(id, vpc) => vec![Difference::Deleted {
            lost: Box::new(lost.clone()),
        }],
        (Some(_), None) => Vec::new(),
        (Some(good), Some(found)) => compare::compare(good, found, live, claims),
    };
    differences.sort_by_cached_key(Difference::element);
    (!differences.is_empty()).then(|| ResourceDiff {
        resource: id.clone(),
        label: good
            .or(found)
            .map_or_else(|| id.to_string(), Resource::label),
        vpc: vpc.cloned(),
        differences,
    })
}

impl<T: Clone> Delta<T> {
    /// What one side has.
    pub fn on(&self, side: Side) -> Option<&T> {
        match (self, side) {
            (Self::Added(value), Side::Live) | (Self::Removed(value), Side::Baseline) => {
                Some(value)
            }
            (Self::Added(_), Side::Baseline) | (Self::Removed(_), Side::Live) => None,
            (Self::Changed { baseline, .. }, Side::Baseline) => Some(baseline),
            (Self::Changed { live, .. }, Side::Live) => Some(live),
        }
    }
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
    /// difference is told on; on another kind of resource nothing happens. Text the side does not
    /// know (rule tags) stays. A resource that a side does not have at all leaves the state as it is.
    pub fn apply(&self, state: &mut Resource, side: Side) {
        match (self, state) {
            (Self::Deleted { lost }, state) if side == Side::Baseline => *state = (**lost).clone(),
            (Self::Unreviewed { found }, state) if side == Side::Live => *state = (**found).clone(),
            (Self::Rule { rule, delta }, Resource::SecurityGroup(group)) => {
                let untold = group.rules.remove(rule).and_then(|detail| detail.tags);
                if let Some(detail) = delta.on(side) {
                    let tags = detail.tags.clone().or(untold);
                    let description = detail.description.clone();
                    group
                        .rules
                        .insert(rule.clone(), RuleDetail { description, tags });
                }
            }
            (Self::Entry { key, delta }, Resource::NetworkAcl(acl)) => {
                set(&mut acl.entries, key, delta.on(side));
            }
            (Self::Route { destination, delta }, Resource::RouteTable(table)) => {
                // A propagated route under the same destination is nobody's to take away.
                let propagated = |route: &Route| route.origin == RouteOrigin::Propagated;
                let side = delta.on(side);
                if side.is_some() || !table.routes.get(destination).is_some_and(propagated) {
                    set(&mut table.routes, destination, side);
                }
            }
            (Self::Propagation { gateway, delta }, Resource::RouteTable(table)) => {
                hold(&mut table.propagating, gateway, delta.on(side).is_some());
            }
            (Self::Edge { gateway, delta }, Resource::RouteTable(table)) => {
                hold(&mut table.gateways, gateway, delta.on(side).is_some());
            }
            (
                Self::Association {
                    subnet,
                    baseline,
                    live,
                },
                state,
            ) => {
                let holder = match side {
                    Side::Baseline => baseline,
                    Side::Live => live,
                };
                let here = holder.as_ref() == Some(&state.id());
                match state {
                    Resource::NetworkAcl(acl) => hold(&mut acl.subnets, subnet, here),
                    Resource::RouteTable(table) => hold(&mut table.subnets, subnet, here),
                    Resource::SecurityGroup(_) => {}
                }
            }
            (Self::Main { baseline, live, .. }, Resource::RouteTable(table)) => {
                table.main = match side {
                    Side::Baseline => *baseline == table.id,
                    Side::Live => live.as_ref() == Some(&table.id),
                };
            }
            (Self::Tag { key, delta }, state) => {
                let tags = match state {
                    Resource::SecurityGroup(group) => group.tags.get_or_insert_default(),
                    Resource::NetworkAcl(acl) => &mut acl.tags,
                    Resource::RouteTable(table) => &mut table.tags,
                };
                set(tags, key, delta.on(side));
            }
            (_, _) => {}
        }
    }

    /// One line for a person: `added: ingress tcp 22 from 0.0.0.0/0 (anyone, IPv4)`. Text that
    /// somebody else chose (descriptions, tags) is quoted and escaped.
    pub fn describe(&self) -> String {
        words::describe(self)
    }
}

fn set<K: Ord + Clone, V: Clone>(map: &mut BTreeMap<K, V>, key: &K, value: Option<&V>) {
    match value {
        Some(value) => {
            map.insert(key.clone(), value.clone());
        }
        None => {
            map.remove(key);
        }
    }
}

fn hold<T: Ord + Clone>(set: &mut BTreeSet<T>, item: &T, here: bool) {
    if here {
        set.insert(item.clone());
    } else {
        set.remove(item);
    }
}
