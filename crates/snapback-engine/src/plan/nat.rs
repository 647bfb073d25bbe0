//! NAT gateways that are gone: made again with the address they had, before a route leads to them
//! (semantics A5, B1 `DeleteNatGateway`, C3).
//!
//! EC2 gives the new gateway a new id. Until then the plan knows it by [`successor_name`]: the route
//! still names the old one. A gateway made in the place of another carries [`SUCCESSOR_OF`]; whoever
//! plans again, after a wait or a crash, finds it by that tag, so it is never made twice. That the tag
//! is ours is for the shell to prove before it plans.

mod order;
mod ready;
mod recovery;

pub(super) use ready::{address_readiness, birth_readiness, target_readiness};
pub use recovery::{recovery, recovery_goal};

use super::draft::Draft;
use super::target::{Health, health};
use super::{Action, Step};
use order::Order;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What the name of a successor ends with until EC2 gives it an id.
const AGAIN: &str = "-again";

/// What `CreateNatGateway` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatRequest {
    /// Its VPC.
    pub vpc: VpcId,
    /// Where it stands; `None`: it is regional.
    pub subnet: Option<SubnetId>,
    /// Whether it leads to the internet.
    pub connectivity: Connectivity,
    /// Of a public zonal one: the Elastic address, fixed for its life.
    pub allocation: Option<String>,
    /// What the world sees of that address: for people.
    pub public: Option<IpAddr>,
    /// Its address in the subnet; EC2 chooses where none is named.
    pub private: Option<IpAddr>,
    /// Of a regional one: the Elastic addresses of each availability zone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub zones: BTreeMap<String, BTreeSet<String>>,
    /// Its tags, [`SUCCESSOR_OF`] among them.
    pub tags: Tags,
    /// Makes the call idempotent: the same for every story that makes this gateway again.
    pub token: Option<String>,
}

impl NatRequest {
    /// The gateway in whose place it is made.
    pub fn predecessor(&self) -> Option<&str> {
        self.tags.get(SUCCESSOR_OF).map(String::as_str)
    }

    fn allocations(&self) -> impl Iterator<Item = &String> {
        self.allocation.iter().chain(self.zones.values().flatten())
    }

    /// Whether a gateway is what this call asks for: its place and, where it tells them, its addresses.
    fn fits(&self, gateway: &Gateway) -> bool {
        let subnet: BTreeSet<&SubnetId> = self.subnet.iter().collect();
        let held = |allocation: &String| {
            gateway.nat.as_ref().is_none_or(|nat| {
                let mut told = nat
                    .addresses
                    .iter()
                    .filter_map(|one| one.allocation.as_ref());
                nat.addresses.is_empty() || told.any(|one| one == allocation)
            })
        };
        gateway.kind == GatewayKind::Nat
            && gateway.vpcs.contains(&self.vpc)
            && gateway.subnets.iter().collect::<BTreeSet<_>>() == subnet
            && self.allocations().all(held)
    }

    /// The gateway as it is right after the call.
    pub(super) fn made(&self, id: &GatewayId) -> Gateway {
        let primary = NatAddress {
            allocation: self.allocation.clone(),
            public: self.public,
            private: self.private,
            primary: true,
            interface: None,
            zone: None,
        };
        let of_zones = self.zones.iter().flat_map(|(zone, allocations)| {
            allocations.iter().map(|allocation| NatAddress {
                allocation: Some(allocation.clone()),
                public: None,
                private: None,
                primary: false,
                interface: None,
                zone: Some(zone.clone()),
            })
        });
        let zonal = self.subnet.is_some();
        Gateway {
            vpcs: BTreeSet::from([self.vpc.clone()]),
            state: Some("pending".to_owned()),
            subnets: self.subnet.iter().cloned().collect(),
            public_addresses: self.public.into_iter().collect(),
            nat: Some(NatDetail {
                connectivity: self.connectivity,
                regional: !zonal,
                zone: None,
                addresses: Some(primary)
                    .into_iter()
                    .filter(|_| zonal)
                    .chain(of_zones)
                    .collect(),
                failure: None,
            }),
            tags: self.tags.clone(),
            ..Gateway::new(id.as_str(), GatewayKind::Nat)
        }
    }
}

/// What a plan calls the gateway that is made in the place of another, until EC2 names it.
pub fn successor_name(id: &str) -> String {
    format!("{id}{AGAIN}")
}

/// The gateway in whose place a plan's gateway is made, where the name is one of
/// [`successor_name`].
pub fn predecessor(name: &str) -> Option<&str> {
    name.strip_suffix(AGAIN)
}

/// The gateway in the state in which a call may find it, where it is listed.
fn listed<'a>(live: &'a Snapshot, id: &str) -> Option<(&'a Gateway, &'a str)> {
    let gateway = live.topology.gateways.get(id)?;
    Some((gateway, gateway.state.as_deref().unwrap_or("available")))
}

fn successors<'a>(live: &'a Snapshot, id: &'a str) -> impl Iterator<Item = &'a Gateway> {
    let gateways = live.topology.gateways.values();
    gateways.filter(move |gateway| gateway.predecessor() == Some(id))
}

fn is_alive(gateway: &Gateway) -> bool {
    gateway.dead_state().is_none()
}

/// The gateway that this create call made, in live: by its tag, its place and its addresses.
pub(super) fn born(request: &NatRequest, live: &Snapshot) -> Option<CreatedId> {
    let mut found = successors(live, request.predecessor()?)
        .filter(|gateway| is_alive(gateway) && request.fits(gateway));
    let first = found.next()?;
    // Which of two is ours cannot be known.
    found.next().is_none().then(|| CreatedId::new(&first.id))
}

/// The gateways that took the place of others and carry their routes: these are the good state now.
pub fn successions(live: &Snapshot) -> Lineage {
    let mut lineage = Lineage::default();
    for gateway in live.topology.gateways.values() {
        let available = gateway.state.as_deref() == Some("available");
        let Some(old) = gateway.predecessor().filter(|_| available) else {
            continue;
        };
        let routed = tables(live.resources.values())
            .flat_map(|table| table.routes.values())
            .any(|route| route.target == RouteTarget::NatGateway(gateway.id.clone()));
        if routed {
            lineage.record(old, &gateway.id);
        }
    }
    lineage
}

fn tables<'a>(
    resources: impl Iterator<Item = &'a Resource>,
) -> impl Iterator<Item = &'a RouteTable> {
    resources.filter_map(|resource| match resource {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    })
}

/// Why a gateway carries nothing any more, where it does not: as it is listed, else as a route to it
/// tells.
fn gone(id: &str, vpc: &VpcId, live: &Snapshot) -> Option<String> {
    let target = RouteTarget::NatGateway(id.to_owned());
    if let Some((gateway, state)) = listed(live, id) {
        return (!is_alive(gateway)).then(|| format!("{id} is {state}"));
    }
    let blackhole = tables(live.resources.values())
        .flat_map(|table| table.routes.values())
        .any(|route| route.target == target && route.blackhole);
    match health(&target, vpc, &live.topology) {
        _ if blackhole => Some(format!("{id} is gone: a route to it is a blackhole")),
        Health::Dead(dead) => Some(dead.why),
        Health::Alive | Health::Unknown => None,
    }
}

/// The NAT gateways that good tables lead to and that carry nothing any more, with the tables.
fn lost<'a>(
    live: &Snapshot,
    good: impl Iterator<Item = &'a RouteTable>,
) -> BTreeMap<String, (VpcId, BTreeSet<RouteTableId>)> {
    let mut lost: BTreeMap<String, (VpcId, BTreeSet<RouteTableId>)> = BTreeMap::new();
    for table in good {
        for route in table.routes.values().filter(|route| !route.blackhole) {
            let RouteTarget::NatGateway(id) = &route.target else {
                continue;
            };
            if gone(id, &table.vpc, live).is_some() {
                let (_, tables) = lost
                    .entry(id.clone())
                    .or_insert_with(|| (table.vpc.clone(), BTreeSet::new()));
                tables.insert(table.id.clone());
            }
        }
    }
    lost
}

/// What is done about a gateway that is gone.
enum Remedy {
    /// The routes are led to another one, by these calls first.
    Lead {
        /// The name by which the plan knows it.
        name: String,
        calls: Vec<(Action, String)>,
        /// What does not come back with it.
        told: Vec<String>,
    },
    /// The policy leaves it to a person.
    Person,
    /// Nothing can be done here, and why.
    Nothing(String),
}

fn remedy(
    id: &str,
    vpc: &VpcId,
    live: &Snapshot,
    captured: Option<&Gateway>,
    allowed: bool,
) -> Remedy {
    let order = match captured {
        Some(captured) => Order::of(captured, vpc, live),
        None => Err("no capture tells what it was".to_owned()),
    };
    let (alive, failed): (Vec<&Gateway>, Vec<&Gateway>) =
        successors(live, id).partition(|one| is_alive(one));
    if let [heir] = alive.as_slice() {
        let order = order.ok().filter(|_| allowed);
        return Remedy::Lead {
            name: heir.id.clone(),
            calls: order
                .as_ref()
                .map_or_else(Vec::new, |order| order.secondary(heir)),
            told: order.map_or_else(Vec::new, |order| order.told),
        };
    }
    if !alive.is_empty() {
        return Remedy::Nothing(format!(
            "{} say that they stand in the place of {id}: which one does is not known",
            words(alive.iter().map(|one| &one.id))
        ));
    }
    if !allowed {
        return Remedy::Person;
    }
    if !failed.is_empty() {
        return Remedy::Nothing(format!(
            "{}, made in the place of {id}: look into it, delete it, then ask for another look",
            words(failed.into_iter().map(told_failure))
        ));
    }
    match order {
        Err(why) => Remedy::Nothing(format!("{id} is gone and cannot be made again: {why}")),
        Ok(order) => {
            let name = successor_name(id);
            let gateway = GatewayId::new(&name);
            let request = Box::new(order.request.clone());
            let secondary = order.secondary(&request.made(&gateway));
            let create = Action::CreateNatGateway { gateway, request };
            let calls = std::iter::once((create, order.why(id))).chain(secondary);
            Remedy::Lead {
                name,
                calls: calls.collect(),
                told: order.told,
            }
        }
    }
}

/// The calls that make again what the goal's routes lead to, and under which name the plan knows it.
/// One gateway is made once, whatever the number of tables. What cannot be made is told, and its
/// routes stay as they are.
pub(super) fn recover(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    baselines: &Baselines,
    allowed: bool,
) -> (Draft, Lineage) {
    let mut draft = Draft::default();
    let mut names = Lineage::default();
    for (id, (vpc, tables)) in lost(live, tables(goal.values())) {
        let captured = baselines.topology.gateways.get(&id);
        let captured = captured.or_else(|| live.topology.gateways.get(&id));
        match remedy(&id, &vpc, live, captured, allowed) {
            Remedy::Lead { name, calls, told } => {
                names.record(&id, &name);
                for table in &tables {
                    for what in &told {
                        draft.cannot(table.clone(), format!("{id}: {what}"));
                    }
                }
                for (action, why) in calls {
                    draft.steps.extend(tables.first().map(|table| Step {
                        resource: table.clone().into(),
                        action,
                        why,
                    }));
                }
            }
            Remedy::Person => {
                for table in &tables {
                    draft.needs(
                        table.clone(),
                        format!("{id} is gone, and the policy leaves it to a person to make it again (recreate: {{ nat: false }})"),
                        format!("{id} made again"),
                    );
                }
            }
            Remedy::Nothing(why) => {
                for table in &tables {
                    draft.cannot(table.clone(), why.clone());
                }
            }
        }
    }
    (draft, names)
}

fn told_failure(gateway: &Gateway) -> String {
    let state = gateway.state.as_deref().unwrap_or("gone");
    let failure = gateway.nat.as_ref().and_then(|nat| nat.failure.as_deref());
    match failure {
        Some(why) => format!("{} is {state} ({why})", gateway.id),
        None => format!("{} is {state}", gateway.id),
    }
}

fn words(parts: impl Iterator<Item = impl ToString>) -> String {
    let parts: Vec<String> = parts.map(|part| part.to_string()).collect();
    parts.join(", ")
}
