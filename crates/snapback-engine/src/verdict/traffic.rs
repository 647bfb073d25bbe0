//! Whether a difference moves a packet, by packet sets and next hops, whatever kind it is of.

use crate::diff::{Delta, Difference, ResourceDiff, Side};
use snapback_model::*;
use snapback_reach::{
    NextHops, OverBound, PacketSet, bound, next_hops, permitted_by_acl, permitted_by_group,
    permitted_by_rules,
};

/// What one resource permits or routes, as approved and as found.
pub(super) struct Traffic<'a> {
    baselines: &'a Baselines,
    live: &'a Snapshot,
    vpc: Option<&'a VpcId>,
    is_acl: bool,
    /// Prefix lists as far as they are known, one version for both sides.
    lists: Topology,
    states: States<'a>,
}

/// Both states, with what was computed from them once.
enum States<'a> {
    /// What the approved rules permit, and those of them that are still there; by direction.
    Group([RuleSets; 2]),
    Acl {
        good: &'a Resource,
        found: &'a Resource,
        permitted: [Sides<PacketSet>; 2],
    },
    Table {
        good: &'a Resource,
        found: &'a Resource,
        hops: Sides<NextHops>,
    },
    /// One of the two is absent: it came or went.
    Unpaired,
}

struct RuleSets {
    approved: PacketSet,
    kept: PacketSet,
}

struct Sides<T> {
    good: T,
    found: T,
}

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

impl<'a> Traffic<'a> {
    pub(super) fn of(
        baselines: &'a Baselines,
        live: &'a Snapshot,
        diff: &'a ResourceDiff,
    ) -> Result<Self, OverBound> {
        let lists = Topology {
            prefix_lists: baselines.context().prefix_lists.clone(),
            ..Topology::default()
        };
        let lists = lists.with_lists_of(&live.topology);
        let pair = baselines
            .state(&diff.resource)
            .zip(live.resources.get(&diff.resource));
        if let Some((good, found)) = pair {
            bound::check_pair(good, found, &lists)?;
        }
        let states = match pair {
            Some((Resource::SecurityGroup(good), Resource::SecurityGroup(found))) => {
                States::Group(DIRECTIONS.map(|direction| {
                    let kept = good
                        .rules
                        .keys()
                        .filter(|key| key.direction == direction && found.rules.contains_key(*key));
                    RuleSets {
                        approved: permitted_by_group(good, direction, &lists),
                        kept: permitted_by_rules(kept, &lists),
                    }
                }))
            }
            Some((good @ Resource::NetworkAcl(was), found @ Resource::NetworkAcl(is))) => {
                States::Acl {
                    good,
                    found,
                    permitted: DIRECTIONS.map(|direction| Sides {
                        good: permitted_by_acl(was, direction),
                        found: permitted_by_acl(is, direction),
                    }),
                }
            }
            Some((good @ Resource::RouteTable(was), found @ Resource::RouteTable(is))) => {
                let hops = Sides {
                    good: next_hops(was, &lists),
                    found: next_hops(is, &lists),
                };
                States::Table { good, found, hops }
            }
            _ => States::Unpaired,
        };
        Ok(Self {
            baselines,
            live,
            vpc: diff.vpc.as_ref(),
            is_acl: diff.resource.kind() == Kind::NetworkAcl,
            lists,
            states,
        })
    }

    /// Whether a difference moves a packet: whether it permits, forbids or routes anything otherwise.
    ///
    /// - A rule: an approved one that is gone moves what no approved rule that is still there permits
    ///   (what only a stranger's rule lets pass was cut); an added one what the approved ones do not.
    /// - An entry or a route: what it does to the baseline by itself, or what live would do without it.
    /// - A subnet or the main table: what the two holders do differently, to whom it concerns.
    /// - Text and tags move nothing. What was not read, and what only BGP tells, may move anything.
    ///
    /// # Errors
    /// The holder of a subnet whose sets are too large to be built.
    pub(super) fn moves(&self, difference: &Difference) -> Result<bool, OverBound> {
        Ok(match difference {
            Difference::Tag { .. } => false,
            Difference::Rule { rule, delta } => self.rule(rule, delta),
            Difference::Entry { key, .. } => self.entry(key.direction, difference),
            Difference::Route { .. } => self.route(difference),
            Difference::Association {
                subnet: _,
                baseline,
                live,
            } => self.holder(baseline.as_ref(), live.as_ref())?,
            Difference::Main {
                vpc,
                baseline,
                live,
            } => self.main(vpc, baseline, live.as_ref())?,
            Difference::Edge { delta, .. } => self.edge(delta),
            Difference::Propagation { .. }
            | Difference::Deleted { .. }
            | Difference::Unreviewed { .. } => true,
        })
    }

    fn rule(&self, rule: &RuleKey, delta: &Delta<RuleDetail>) -> bool {
        let known = match (delta, &self.states) {
            (Delta::Changed { .. }, _) => return false,
            (_, States::Unpaired | States::Acl { .. } | States::Table { .. }) => return true,
            (Delta::Added(_), States::Group(sets)) => &in_direction(sets, rule.direction).approved,
            (Delta::Removed(_), States::Group(sets)) => &in_direction(sets, rule.direction).kept,
        };
        !permitted_by_rules([rule], &self.lists).is_subset(known)
    }

    fn entry(&self, direction: Direction, difference: &Difference) -> bool {
        let States::Acl {
            good,
            found,
            permitted,
        } = &self.states
        else {
            return true;
        };
        let sides = in_direction(permitted, direction);
        let permits = |state: &Resource| match state {
            Resource::NetworkAcl(acl) => permitted_by_acl(acl, direction),
            Resource::SecurityGroup(_) | Resource::RouteTable(_) => PacketSet::empty(),
        };
        permits(&with(good, difference, Side::Live)) != sides.good
            || permits(&with(found, difference, Side::Baseline)) != sides.found
    }

    fn route(&self, difference: &Difference) -> bool {
        let States::Table { good, found, hops } = &self.states else {
            return true;
        };
        let leads = |state: &Resource| match state {
            Resource::RouteTable(table) => next_hops(table, &self.lists),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => NextHops::default(),
        };
        differ(&hops.good, &leads(&with(good, difference, Side::Live)))
            || differ(
                &hops.found,
                &leads(&with(found, difference, Side::Baseline)),
            )
    }

    /// Whether the approved holder of a subnet and the one found treat its packets otherwise. A
    /// subnet without a table of its own is routed by the main one.
    fn holder(
        &self,
        good: Option<&ResourceId>,
        live: Option<&ResourceId>,
    ) -> Result<bool, OverBound> {
        let was = match good {
            Some(id) => self.baselines.state(id),
            None if self.is_acl => None,
            None => self.good_main(),
        };
        let is = match live {
            Some(id) => self.live.resources.get(id),
            None if self.is_acl => None,
            None => self.live_main(),
        };
        self.serve_otherwise(was, is)
    }

    fn main(
        &self,
        vpc: &VpcId,
        good: &RouteTableId,
        live: Option<&RouteTableId>,
    ) -> Result<bool, OverBound> {
        let was = self.baselines.state(&good.clone().into());
        let is = live.and_then(|id| self.live.resources.get(&ResourceId::from(id.clone())));
        let (then, now) = (
            &self.baselines.topology.subnets,
            &self.live.topology.subnets,
        );
        let mut subnets = then
            .values()
            .chain(self.baselines.context().subnets.values())
            .chain(now.values())
            .filter(|subnet| subnet.vpc == *vpc)
            .map(|subnet| &subnet.id)
            .peekable();
        // Where no subnet is known, somebody may follow the main table.
        let followed = subnets.peek().is_none()
            || subnets.any(|subnet| {
                self.live.explicit_table_of(subnet).is_none() || !self.is_explicit(subnet)
            });
        Ok(followed && self.serve_otherwise(was, is)?)
    }

    /// Whether a baseline gives the subnet a table of its own.
    fn is_explicit(&self, subnet: &SubnetId) -> bool {
        let mut states = self
            .baselines
            .by_id
            .values()
            .filter_map(|it| it.state.as_ref());
        states.any(
            |state| matches!(state, Resource::RouteTable(table) if table.subnets.contains(subnet)),
        )
    }

    /// A table of nothing but local routes leads what enters by a gateway where it would go anyway.
    fn edge(&self, delta: &Delta<()>) -> bool {
        let States::Table { good, found, .. } = &self.states else {
            return true;
        };
        let table = match delta {
            Delta::Added(()) => found,
            Delta::Removed(()) | Delta::Changed { .. } => good,
        };
        match table {
            Resource::RouteTable(table) => table
                .routes
                .values()
                .any(|route| route.target != RouteTarget::Local),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => true,
        }
    }

    /// Whether two ACLs permit, or two tables route, anything differently. What was not read may.
    fn serve_otherwise(
        &self,
        was: Option<&Resource>,
        is: Option<&Resource>,
    ) -> Result<bool, OverBound> {
        let (Some(was), Some(is)) = (was, is) else {
            return Ok(true);
        };
        bound::check_pair(was, is, &self.lists)?;
        Ok(match (was, is) {
            (Resource::RouteTable(was), Resource::RouteTable(is)) => {
                differ(&next_hops(was, &self.lists), &next_hops(is, &self.lists))
            }
            (Resource::NetworkAcl(was), Resource::NetworkAcl(is)) => DIRECTIONS
                .iter()
                .any(|side| permitted_by_acl(was, *side) != permitted_by_acl(is, *side)),
            (_, _) => true,
        })
    }

    fn good_main(&self) -> Option<&'a Resource> {
        let vpc = self.vpc?;
        let mut states = self
            .baselines
            .by_id
            .values()
            .filter_map(|it| it.state.as_ref());
        states.find(
            |state| matches!(state, Resource::RouteTable(table) if table.main && table.vpc == *vpc),
        )
    }

    fn live_main(&self) -> Option<&'a Resource> {
        let main = self.live.main_table_of(self.vpc?)?;
        self.live.resources.get(&ResourceId::from(main.clone()))
    }
}

fn in_direction<T>([ingress, egress]: &[T; 2], direction: Direction) -> &T {
    match direction {
        Direction::Ingress => ingress,
        Direction::Egress => egress,
    }
}

/// A state with one side of a difference.
fn with(state: &Resource, difference: &Difference, side: Side) -> Resource {
    let mut state = state.clone();
    difference.apply(&mut state, side);
    state
}

/// Whether two tables send some packet different ways, or pick at random between different ones.
fn differ(one: &NextHops, other: &NextHops) -> bool {
    !one.difference(other).is_empty() || one.ambiguous() != other.ambiguous()
}
