//! Routes and propagation of one table (semantics C3).
//!
//! Creates and replaces go most specific first, then foreign routes go least specific first. Then
//! every address leads, after each call, where live or the goal leads it: while approved routes are
//! written, the longest match of an address is either its longest match in live, unchanged, or its
//! longest match in the goal, written before anything shorter; while foreign routes are deleted, it
//! is the goal's or the foreign route that was its longest match in live. A full table has to lose
//! some of them before (`route/room.rs`).

mod room;

use super::Action;
use super::draft::Draft;
use super::quota::ROUTES_MAX;
use super::target::{Dead, Health, health};
use room::Turn;
use snapback_model::*;
use std::collections::BTreeSet;

/// An approved route to write.
struct Set {
    length: u8,
    action: Action,
    why: String,
}

/// A foreign route that goes.
struct Delete {
    length: u8,
    destination: Destination,
    from: RouteTarget,
}

/// What is done about one destination.
enum Write {
    Create(RouteTarget),
    Replace(RouteTarget, RouteTarget),
    Delete(RouteTarget),
    /// By its gateway endpoint.
    Serve(String),
    /// Away by its gateway endpoint.
    Unserve(String),
    Nothing,
    Cannot(String),
    /// Once its target is there again.
    Needs(Dead),
}

/// What is to be done about a table's routes.
#[derive(Default)]
struct Writes {
    /// Most specific first.
    sets: Vec<Set>,
    /// Least specific first.
    deletes: Vec<Delete>,
    /// Gateway endpoints that are not to serve it.
    unserved: Vec<String>,
}

/// Sorts out what is to be done; what cannot be is told.
fn writes(
    draft: &mut Draft,
    (live, goal): (&RouteTable, &RouteTable),
    topology: &Topology,
    carries: bool,
) -> Writes {
    let table = &live.id;
    let destinations: BTreeSet<&Destination> =
        live.routes.keys().chain(goal.routes.keys()).collect();
    let Writes {
        mut sets,
        mut deletes,
        mut unserved,
    } = Writes::default();
    let mut unrestorable = BTreeSet::new();
    for destination in destinations {
        let length = specificity(destination, topology);
        match write(
            live.routes.get(destination),
            goal.routes.get(destination),
            &live.vpc,
            topology,
        ) {
            Write::Nothing => {}
            Write::Cannot(why) => {
                unrestorable.insert(destination);
                draft.cannot(table.clone(), format!("route {destination}: {why}"));
            }
            Write::Needs(Dead { why, needs }) => {
                unrestorable.insert(destination);
                draft.needs(table.clone(), format!("route {destination}: {why}"), needs);
            }
            Write::Delete(from) => deletes.push(Delete {
                length,
                destination: destination.clone(),
                from,
            }),
            Write::Serve(endpoint) => sets.push(Set {
                length,
                why: format!("put back: {endpoint} serves {table}"),
                action: Action::ModifyVpcEndpoint {
                    endpoint,
                    add: BTreeSet::from([table.clone()]),
                    remove: BTreeSet::new(),
                },
            }),
            Write::Unserve(endpoint) => unserved.push(endpoint),
            Write::Create(target) => sets.push(Set {
                length,
                why: format!("put back: {destination} leads to {target}"),
                action: Action::CreateRoute {
                    table: table.clone(),
                    destination: destination.clone(),
                    target,
                },
            }),
            Write::Replace(from, target) => sets.push(Set {
                length,
                why: format!("lead {destination} to {target} again, not to {from}"),
                action: Action::ReplaceRoute {
                    table: table.clone(),
                    destination: destination.clone(),
                    from,
                    target,
                },
            }),
        }
    }
    deletes.retain(|Delete { destination, from, .. }| {
        let under = covering(destination, goal)
            .filter(|under| carries && unrestorable.contains(under));
        if let Some(under) = under {
            let what = format!(
                "route {destination} to {from} stays: without it its traffic would follow {under}, which cannot be put back"
            );
            draft.cannot(table.clone(), what);
        }
        under.is_none()
    });
    sets.sort_by_key(|set| std::cmp::Reverse(set.length));
    deletes.sort_by_key(|delete| delete.length);
    Writes {
        sets,
        deletes,
        unserved,
    }
}

/// Appends the calls that make the routes and propagation of `live` what `goal` says. `carries` tells
/// whether anybody goes by the table before and after the plan: only then is traffic cut by a route
/// that goes without the one that is to lead it instead.
pub(super) fn routes(
    draft: &mut Draft,
    (live, goal): (&RouteTable, &RouteTable),
    topology: &Topology,
    carries: bool,
) {
    let table = &live.id;
    let Writes {
        sets,
        deletes,
        unserved,
    } = writes(draft, (live, goal), topology, carries);
    let order = room::order((live, goal), &sets, &deletes, topology, ROUTES_MAX);
    let late = (0..deletes.len()).map(Turn::Delete);
    let late: Vec<Turn> = late.filter(|turn| !order.contains(turn)).collect();
    let make = |draft: &mut Draft, turn| match turn {
        Turn::Set(index) => {
            if let Some(Set { action, why, .. }) = sets.get(index) {
                draft.step(table.clone(), action.clone(), why.clone());
            }
        }
        Turn::Delete(index) => delete(draft, table, deletes.get(index)),
    };
    order.into_iter().for_each(|turn| make(draft, turn));
    enable(draft, live, goal, topology);
    late.into_iter().for_each(|turn| make(draft, turn));
    for endpoint in unserved {
        let why = format!("take back: {endpoint} must not serve {table}");
        let action = Action::ModifyVpcEndpoint {
            endpoint,
            add: BTreeSet::new(),
            remove: BTreeSet::from([table.clone()]),
        };
        draft.step(table.clone(), action, why);
    }
    for gateway in live.propagating.difference(&goal.propagating) {
        let why = format!("take back: routes of {gateway} must not propagate into {table}");
        let action = Action::DisableVgwRoutePropagation {
            table: table.clone(),
            gateway: gateway.clone(),
        };
        draft.step(table.clone(), action, why);
    }
}

fn delete(draft: &mut Draft, table: &RouteTableId, route: Option<&Delete>) {
    let Some(Delete {
        destination, from, ..
    }) = route
    else {
        return;
    };
    let action = Action::DeleteRoute {
        table: table.clone(),
        destination: destination.clone(),
        from: from.clone(),
    };
    let why = format!("take back: {destination} must not lead to {from}");
    draft.step(table.clone(), action, why);
}

fn enable(draft: &mut Draft, live: &RouteTable, goal: &RouteTable, topology: &Topology) {
    for gateway in goal.propagating.difference(&live.propagating) {
        let target = RouteTarget::VpnGateway(gateway.as_str().to_owned());
        if let Health::Dead(Dead { why, needs }) = health(&target, &live.vpc, topology) {
            let what = format!("propagation from {gateway}: {why}");
            draft.needs(live.id.clone(), what, needs);
            continue;
        }
        let why = format!("let routes of {gateway} propagate into {} again", live.id);
        let action = Action::EnableVgwRoutePropagation {
            table: live.id.clone(),
            gateway: gateway.clone(),
        };
        draft.step(live.id.clone(), action, why);
    }
}

fn write(live: Option<&Route>, goal: Option<&Route>, vpc: &VpcId, topology: &Topology) -> Write {
    // What propagation brings or takes is not written by route calls (semantics B1).
    let live = live.filter(|route| route.origin != RouteOrigin::Propagated);
    let goal = goal.filter(|route| route.origin != RouteOrigin::Propagated);
    match (live, goal) {
        (None, None) => Write::Nothing,
        (Some(live), Some(goal)) if live.target == goal.target => {
            if live.blackhole && !goal.blackhole {
                Write::Needs(match health(&live.target, vpc, topology) {
                    Health::Dead(dead) => dead,
                    Health::Alive | Health::Unknown => Dead {
                        why: format!("its target {} is dead (blackhole)", live.target),
                        needs: format!("{} in service again", live.target),
                    },
                })
            } else {
                Write::Nothing
            }
        }
        (Some(live), None) if endpoint_of(live).is_some() => {
            endpoint_of(live).map_or(Write::Nothing, Write::Unserve)
        }
        (None, Some(goal)) if endpoint_of(goal).is_some() => {
            match (endpoint_of(goal), endpoint_health(goal, topology)) {
                (Some(endpoint), None) => Write::Serve(endpoint),
                (_, Some(dead)) => Write::Needs(dead),
                (None, None) => Write::Nothing,
            }
        }
        (Some(live), None) => match foreign(live) {
            None if live.origin == RouteOrigin::Table && live.target == RouteTarget::Local => {
                Write::Nothing
            }
            None if live.origin == RouteOrigin::Table => Write::Cannot(
                "it belongs to a network of the VPC that the goal does not know".into(),
            ),
            None => Write::Delete(live.target.clone()),
            Some(why) => Write::Cannot(why),
        },
        (live, Some(goal)) => {
            let unwritable = foreign(goal).or_else(|| live.and_then(foreign));
            if let (None, Some(dead)) = (&unwritable, dead(goal, vpc, topology)) {
                return Write::Needs(dead);
            }
            match (unwritable, live) {
                (Some(why), _) => Write::Cannot(why),
                (None, None) if goal.origin == RouteOrigin::Table => {
                    Write::Cannot("its network is no longer one of the VPC".into())
                }
                (None, None) => Write::Create(goal.target.clone()),
                (None, Some(live))
                    if goal.target == RouteTarget::Local && live.origin != RouteOrigin::Table =>
                {
                    Write::Cannot("its network is no longer one of the VPC".into())
                }
                (None, Some(live)) => Write::Replace(live.target.clone(), goal.target.clone()),
            }
        }
    }
}

fn endpoint_of(route: &Route) -> Option<String> {
    match &route.target {
        RouteTarget::GatewayEndpoint(id) => Some(id.clone()),
        _ => None,
    }
}

/// Why a gateway endpoint cannot serve a table, if it cannot.
fn endpoint_health(route: &Route, topology: &Topology) -> Option<Dead> {
    let id = route.target.id();
    let listed = topology
        .gateways
        .values()
        .any(|gateway| gateway.kind == GatewayKind::Endpoint);
    match topology.gateways.get(id) {
        Some(gateway) => gateway.dead_state().map(|state| Dead::in_state(id, state)),
        None if listed => Some(Dead::gone(id)),
        None => None,
    }
}

/// Why route calls cannot write this route, if they cannot.
fn foreign(route: &Route) -> Option<String> {
    match &route.target {
        RouteTarget::GatewayEndpoint(id) => Some(format!(
            "only ModifyVpcEndpoint changes routes to the gateway endpoint {id}"
        )),
        RouteTarget::Unrecognized(id) => Some(format!(
            "{id} is a kind of target this version does not know"
        )),
        _ => None,
    }
}

fn dead(goal: &Route, vpc: &VpcId, topology: &Topology) -> Option<Dead> {
    match health(&goal.target, vpc, topology) {
        Health::Dead(dead) => Some(dead),
        Health::Unknown if goal.blackhole => Some(Dead {
            why: format!("{} was dead when it was captured", goal.target),
            needs: format!("{} in service again", goal.target),
        }),
        Health::Unknown | Health::Alive => None,
    }
}

/// How specific a destination is: its prefix length, of a prefix list its longest.
fn specificity(destination: &Destination, topology: &Topology) -> u8 {
    match destination {
        Destination::Ipv4(net) => net.prefix_len(),
        Destination::Ipv6(net) => net.prefix_len(),
        Destination::PrefixList(id) => {
            let entries = topology
                .prefix_lists
                .get(id)
                .and_then(|list| list.entries.as_ref());
            entries
                .and_then(|nets| nets.iter().map(ipnet::IpNet::prefix_len).max())
                .unwrap_or(u8::MAX)
        }
    }
}

/// The longest route of the goal that covers the whole destination.
fn covering<'a>(destination: &Destination, goal: &'a RouteTable) -> Option<&'a Destination> {
    let net = destination.as_cidr()?;
    let covers = goal
        .routes
        .keys()
        .filter(|other| other.as_cidr().is_some_and(|other| other.contains(&net)));
    covers.max_by_key(|other| other.as_cidr().map(|other| other.prefix_len()))
}
