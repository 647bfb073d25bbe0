//! Why a difference cannot be put back.

use super::judge::Bench;
use crate::diff::{Delta, Difference, ResourceDiff};
use crate::policy;
use snapback_model::*;

impl Bench<'_> {
    /// What stands in the way of putting a difference back; nothing where a call of this version can.
    pub(super) fn obstacle(&self, diff: &ResourceDiff, difference: &Difference) -> Option<String> {
        let baseline = self.baselines.by_id.get(&diff.resource);
        if matches!(difference, Difference::Unreviewed { .. }) {
            let made = self.live.resources.get(&diff.resource);
            if let Some(made) = made.and_then(Temporary::of) {
                return Some(format!(
                    "by its tags it is Snapback's stand-in for {}: it goes with the next repair in its VPC once nothing is bound to it, or delete it by hand then",
                    made.of
                ));
            }
            return Some(match baseline {
                Some(_) => {
                    "its deletion was accepted, yet it exists: there is no state to put back".into()
                }
                None => "no baseline knows it: a person has to review it".into(),
            });
        }
        if baseline.is_some_and(|baseline| baseline.provenance.origin == Origin::Unreviewed) {
            return Some("its baseline was found by the sweep and never reviewed, so nobody said it was good".into());
        }
        match difference {
            Difference::Deleted { lost } => self.birth_obstacle(lost),
            Difference::Rule {
                rule,
                delta: Delta::Removed(_),
            } => self.lost_peer(&rule.peer),
            Difference::Route { delta, .. } => self.route_obstacle(diff, delta),
            Difference::Propagation {
                gateway,
                delta: Delta::Removed(()),
            }
            | Difference::Edge {
                gateway,
                delta: Delta::Removed(()),
            } => self.dead_gateway(diff.vpc.as_ref(), gateway.as_str()),
            Difference::Association {
                subnet,
                baseline,
                live,
            } => self.association_obstacle(diff, subnet, baseline.as_ref(), live.as_ref()),
            _ => None,
        }
    }

    /// What stands in the way of making a deleted resource again (semantics B1).
    fn birth_obstacle(&self, lost: &Resource) -> Option<String> {
        let kind = lost.kind();
        if !self.policy.recreate.of(kind) {
            return Some(format!(
                "the policy says that a deleted {kind} is not made again (recreate: {{ {}: false }})",
                policy::word(kind)
            ));
        }
        match lost {
            Resource::NetworkAcl(acl) if acl.is_default => {
                Some("a default ACL is made by EC2 only".into())
            }
            Resource::NetworkAcl(_) | Resource::RouteTable(_) => None,
            Resource::SecurityGroup(group) => self.group_obstacle(group),
        }
    }

    fn group_obstacle(&self, lost: &SecurityGroup) -> Option<String> {
        let unknown = |what: &str| {
            Some(format!(
                "its {what} was never read, so it cannot be made again as it was"
            ))
        };
        let Some(name) = &lost.name else {
            return unknown("name");
        };
        if name == "default" {
            return Some("a default group is made by EC2 only".into());
        }
        if lost.description.is_none() {
            return unknown("description");
        }
        let Some(vpc) = &lost.vpc else {
            return unknown("VPC");
        };
        let holder = self.live.resources.values().find_map(|other| match other {
            Resource::SecurityGroup(other)
                if other.name.as_ref() == Some(name) && other.vpc.as_ref() == Some(vpc) =>
            {
                Some(&other.id)
            }
            _ => None,
        })?;
        Some(format!(
            "{holder} has its name {name:?} now, and a name is unique in its VPC"
        ))
    }

    fn lost_peer(&self, peer: &Peer) -> Option<String> {
        let Peer::SecurityGroup { id, owner: None } = peer else {
            return None;
        };
        let id = ResourceId::from(id.clone());
        (self.live.covers(&id, None) && !self.live.resources.contains_key(&id))
            .then(|| format!("the group {id} that the rule refers to is gone"))
    }

    fn route_obstacle(&self, diff: &ResourceDiff, delta: &Delta<Route>) -> Option<String> {
        let endpoint = |route: &Route| match &route.target {
            RouteTarget::GatewayEndpoint(id) => Some(format!(
                "only calls to the gateway endpoint {id} (ModifyVpcEndpoint) change this route"
            )),
            _ => None,
        };
        let unwritable = |route: &Route| match &route.target {
            RouteTarget::Unrecognized(text) => Some(format!(
                "the target {text:?} is of a kind that this version does not know"
            )),
            _ => endpoint(route),
        };
        match delta {
            Delta::Added(found) => unwritable(found).or_else(|| {
                (found.origin == RouteOrigin::Table)
                    .then(|| "the local route of a network made since cannot be deleted".into())
            }),
            Delta::Removed(good) => unwritable(good)
                .or_else(|| {
                    (good.origin == RouteOrigin::Table).then(|| {
                        "the local route went with its network, no route call brings it back".into()
                    })
                })
                .or_else(|| self.dead_target(diff.vpc.as_ref(), good)),
            Delta::Changed { baseline, live } if baseline.target == live.target => {
                let nat = match &baseline.target {
                    RouteTarget::NatGateway(id) if live.blackhole => Some(self.nat_obstacle(id)),
                    _ => None,
                };
                nat.unwrap_or_else(|| Some(
                    "only the state of its target changed (blackhole); the route itself is as approved"
                        .into(),
                ))
            }
            Delta::Changed { baseline, live } => unwritable(baseline)
                .or_else(|| endpoint(live))
                .or_else(|| self.dead_target(diff.vpc.as_ref(), baseline)),
        }
    }

    /// A dead target is never restored (design.md 3).
    fn dead_target(&self, vpc: Option<&VpcId>, good: &Route) -> Option<String> {
        if good.target == RouteTarget::Local {
            return None;
        }
        let id = good.target.id();
        if good.blackhole {
            return Some(format!(
                "its target {id} was dead already when the route was approved"
            ));
        }
        if let RouteTarget::NatGateway(nat) = &good.target
            && self.nat_obstacle(nat).is_none()
        {
            return None;
        }
        let leads_nowhere = self.live.resources.values().any(|resource| match resource {
            Resource::RouteTable(table) => table
                .routes
                .values()
                .any(|route| route.target == good.target && route.blackhole),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => false,
        });
        if leads_nowhere {
            return Some(format!(
                "its target {id} is dead: a route to it is a blackhole now"
            ));
        }
        self.dead_gateway(vpc, id)
    }

    /// What stands in the way of making a NAT gateway again, where it is gone. Whose its address is now
    /// is asked when it is planned.
    fn nat_obstacle(&self, id: &str) -> Option<String> {
        if !self.policy.recreate.nat {
            return Some(format!(
                "its target {id} is gone, and the policy leaves it to a person to make a NAT gateway again (recreate: {{ nat: false }}); the plan shows the whole recovery"
            ));
        }
        let captured = self.baselines.topology.gateways.get(id);
        captured
            .is_none_or(|captured| captured.nat.is_none())
            .then(|| format!("its target {id} is gone, and no capture tells what it was made of"))
    }

    fn dead_gateway(&self, vpc: Option<&VpcId>, id: &str) -> Option<String> {
        let gateway = self.live.topology.gateways.get(id)?;
        if let Some(state) = gateway.dead_state() {
            return Some(format!(
                "{id} is dead (state {})",
                state.to_ascii_lowercase()
            ));
        }
        let attaches = matches!(
            gateway.kind,
            GatewayKind::Internet | GatewayKind::EgressOnlyInternet | GatewayKind::Vpn
        );
        let elsewhere = vpc.is_some_and(|vpc| !gateway.vpcs.contains(vpc));
        (attaches && elsewhere).then(|| format!("{id} is not attached to the VPC"))
    }

    fn association_obstacle(
        &self,
        diff: &ResourceDiff,
        subnet: &SubnetId,
        baseline: Option<&ResourceId>,
        live: Option<&ResourceId>,
    ) -> Option<String> {
        let is_acl = diff.resource.kind() == Kind::NetworkAcl;
        let read_all = self.live.coverage.contains(&Coverage::Subnets);
        // Every subnet has an ACL (semantics A3): one that no ACL of a full read holds does not exist.
        let all_acls = self
            .live
            .coverage
            .contains(&Coverage::Kind(Kind::NetworkAcl))
            || diff
                .vpc
                .clone()
                .is_some_and(|vpc| self.live.coverage.contains(&Coverage::AclsOf(vpc)));
        let gone = (read_all && !self.live.topology.subnets.contains_key(subnet))
            || (is_acl && live.is_none() && all_acls);
        if gone {
            return Some(format!("{subnet} does not exist any more"));
        }
        match baseline {
            Some(_) => None,
            None if !self.knew(subnet) => Some(format!(
                "{subnet} was made after the capture: no baseline says where it belongs"
            )),
            None if is_acl => Some(format!("no baseline says which ACL {subnet} belongs to")),
            None => None,
        }
    }
}
