//! Risks of the routes, propagation and edge associations of a route table.

use super::route::{Effects, RouteSides};
use super::scene::{Scene, as_table};
use super::{FindingCode, Harm, Severity};
use crate::diff::{Delta, Difference, Side};
use snapback_model::*;
use snapback_reach::{Family, NextHops, next_hops, permitted_by_group};

pub(super) fn assess(scene: &mut Scene<'_>, good: &RouteTable, found: &RouteTable) {
    let sides = RouteSides {
        good: next_hops(good, &scene.lists),
        found: next_hops(found, &scene.lists),
    };
    for difference in scene.differences() {
        let Difference::Route { destination, delta } = difference else {
            continue;
        };
        let alone = with(scene, good, difference, Side::Live);
        let undone = with(scene, found, difference, Side::Baseline);
        let effects = Effects::of_one(&sides, &alone, &undone);
        match delta {
            Delta::Added(route) => added(scene, destination, route, &effects),
            Delta::Removed(route) => removed(scene, destination, route, &effects),
            Delta::Changed { baseline, live } => {
                changed(scene, destination, baseline, live, &effects)
            }
        }
        reach(
            scene,
            good,
            found,
            Element::Route(destination.clone()),
            &effects,
        );
        if matches!(delta, Delta::Added(_) | Delta::Changed { .. }) {
            ambiguous(scene, destination, &sides);
        }
    }
}

/// Where a table sends addresses with one side of a difference.
fn with(scene: &Scene<'_>, table: &RouteTable, difference: &Difference, side: Side) -> NextHops {
    let mut state = Resource::RouteTable(table.clone());
    difference.apply(&mut state, side);
    next_hops(as_table(&state).unwrap_or(table), &scene.lists)
}

fn added(scene: &mut Scene<'_>, destination: &Destination, route: &Route, effects: &Effects) {
    if !effects.cuts() {
        return;
    }
    let element = Element::Route(destination.clone());
    let target = &route.target;
    let (code, severity, meaning) = if effects.cuts_local() {
        let meaning =
            format!("traffic inside the VPC for {destination} is led to {target} by a new route");
        (FindingCode::RtLocalReplaced, Severity::High, meaning)
    } else if route.blackhole {
        let meaning = format!(
            "a new route for {destination} leads to {target}, which is dead: its traffic is dropped"
        );
        (FindingCode::RtBlackhole, Severity::High, meaning)
    } else {
        let meaning = format!(
            "a new route for {destination} captures traffic that approved routes carried: it goes to {target}"
        );
        (
            FindingCode::RtHijack,
            capture_severity(destination, target),
            meaning,
        )
    };
    scene.tell(
        code,
        (severity, Harm::Cuts),
        element,
        meaning,
        effects.lines(),
    );
}

/// Targets by which somebody else sees the traffic weigh more than ways out of the VPC (semantics D).
fn capture_severity(destination: &Destination, target: &RouteTarget) -> Severity {
    match target {
        _ if destination.is_default() => Severity::High,
        RouteTarget::NatGateway(_)
        | RouteTarget::InternetGateway(_)
        | RouteTarget::EgressOnlyInternetGateway(_)
        | RouteTarget::GatewayEndpoint(_)
        | RouteTarget::CarrierGateway(_)
        | RouteTarget::LocalGateway(_)
        | RouteTarget::Local => Severity::Medium,
        RouteTarget::NetworkInterface(_)
        | RouteTarget::VpcPeeringConnection(_)
        | RouteTarget::TransitGateway(_)
        | RouteTarget::VpnGateway(_)
        | RouteTarget::GatewayLoadBalancerEndpoint(_)
        | RouteTarget::CoreNetwork(_)
        | RouteTarget::Unrecognized(_) => Severity::High,
    }
}

fn removed(scene: &mut Scene<'_>, destination: &Destination, route: &Route, effects: &Effects) {
    let target = &route.target;
    let (code, severity) = match target {
        RouteTarget::GatewayEndpoint(_) => (FindingCode::VpceGatewayOff, Severity::Medium),
        _ if destination.is_default() => (FindingCode::RtDefaultGone, Severity::High),
        _ => (FindingCode::RtRouteGone, Severity::High),
    };
    let element = Element::Route(destination.clone());
    if effects.is_empty() {
        let meaning = format!(
            "the approved route {destination} to {target} is gone; approved routes treat its traffic alike"
        );
        scene.tell(
            code,
            (Severity::Low, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
    } else if effects.cuts() {
        let end = if effects.moved.is_empty() {
            "its traffic is dropped"
        } else {
            "its traffic falls to other routes and goes elsewhere"
        };
        let meaning = format!("the approved route {destination} to {target} is gone: {end}");
        let evidence = effects
            .lines()
            .into_iter()
            .chain(dead(scene, target))
            .collect();
        scene.tell(code, (severity, Harm::Cuts), element, meaning, evidence);
    }
}

fn changed(
    scene: &mut Scene<'_>,
    destination: &Destination,
    was: &Route,
    is: &Route,
    effects: &Effects,
) {
    let (from, to) = (&was.target, &is.target);
    let element = Element::Route(destination.clone());
    let evidence = || {
        effects
            .lines()
            .into_iter()
            .chain(dead(scene, from))
            .collect::<Vec<_>>()
    };
    let blackhole = is.blackhole && !was.blackhole;
    if effects.cuts_local() {
        let meaning = format!(
            "the local route {destination} leads to {to}: traffic inside the VPC is redirected"
        );
        let evidence = evidence();
        scene.tell(
            FindingCode::RtLocalReplaced,
            (Severity::High, Harm::Cuts),
            element,
            meaning,
            evidence,
        );
    } else if effects.cuts() && blackhole {
        let meaning =
            format!("the target {to} of the route {destination} is dead: its traffic is dropped");
        let evidence = evidence();
        scene.tell(
            FindingCode::RtBlackhole,
            (Severity::High, Harm::Cuts),
            element,
            meaning,
            evidence,
        );
    } else if effects.cuts() {
        let meaning = format!("the approved route {destination} leads to {to} instead of {from}");
        let (code, severity, evidence) = match replaced_nat(scene, from, to) {
            Some(addresses) => (
                FindingCode::NatReplaced,
                Severity::High,
                evidence().into_iter().chain(addresses).collect(),
            ),
            None => (
                FindingCode::RtHijack,
                capture_severity(destination, to),
                evidence(),
            ),
        };
        scene.tell(code, (severity, Harm::Cuts), element, meaning, evidence);
    } else if effects.is_empty() && blackhole {
        let meaning = format!(
            "the target {to} of the route {destination} is dead; no traffic uses this route"
        );
        scene.tell(
            FindingCode::RtBlackhole,
            (Severity::Low, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
    } else if effects.is_empty() && from != to {
        let meaning = format!(
            "the approved route {destination} leads to {to} instead of {from}; no traffic uses this route"
        );
        scene.tell(
            FindingCode::RtHijack,
            (Severity::Low, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
    }
}

/// NAT-REPLACED: both targets are NAT gateways. The addresses that the world sees, before and after.
fn replaced_nat(scene: &Scene<'_>, from: &RouteTarget, to: &RouteTarget) -> Option<Vec<String>> {
    let (RouteTarget::NatGateway(from), RouteTarget::NatGateway(to)) = (from, to) else {
        return None;
    };
    let seen = |id: &String| {
        let known = [&scene.live.topology, &scene.baselines.topology]
            .into_iter()
            .find_map(|topology| topology.gateways.get(id));
        let addresses: Vec<String> = known
            .into_iter()
            .flat_map(|gateway| &gateway.public_addresses)
            .map(ToString::to_string)
            .collect();
        if addresses.is_empty() {
            format!("the public addresses of {id} are not known")
        } else {
            format!("the world sees {id} as {}", addresses.join(", "))
        }
    };
    Some(vec![seen(from), seen(to)])
}

/// A word that the approved target is dead, where the read tells.
fn dead(scene: &Scene<'_>, target: &RouteTarget) -> Option<String> {
    let gateway = scene.live.topology.gateways.get(target.id())?;
    let state = gateway.dead_state()?;
    Some(format!("the approved target {} is {state}", target.id()))
}

/// RT-IGW-PRIVATE and RT-NEW-REACH: networks that were not reachable, or not by the internet.
pub(super) fn reach(
    scene: &mut Scene<'_>,
    good: &RouteTable,
    found: &RouteTable,
    element: Element,
    effects: &Effects,
) {
    let has_internet = good
        .routes
        .values()
        .any(|route| matches!(route.target, RouteTarget::InternetGateway(_)));
    if effects.reaches_internet() && !has_internet {
        let hosts = match &element {
            Element::Subnet(subnet) => exposed_hosts(scene, |id| id == subnet),
            _ => exposed_hosts(scene, |id| {
                scene
                    .live
                    .table_of(id)
                    .is_some_and(|(table, _)| *table == found.id)
            }),
        };
        let (severity, extent) = match hosts.len() {
            0 => (Severity::High, String::new()),
            1 => (
                Severity::Critical,
                "; a host there has a public address and a group open to the internet".to_owned(),
            ),
            count => (
                Severity::Critical,
                format!(
                    "; {count} hosts there have public addresses and groups open to the internet"
                ),
            ),
        };
        let meaning = format!("an internet route where there was none{extent}");
        let evidence = effects
            .lines()
            .into_iter()
            .chain(crate::impact::bounded(hosts, 6))
            .collect();
        scene.tell(
            FindingCode::RtIgwPrivate,
            (severity, Harm::Opens),
            element,
            meaning,
            evidence,
        );
    } else if !effects.gained.is_empty() {
        let targets: std::collections::BTreeSet<&str> = effects
            .gained
            .iter()
            .filter_map(|region| region.hops.last()?.delivers())
            .map(RouteTarget::id)
            .collect();
        let targets: Vec<&str> = targets.into_iter().collect();
        let meaning = format!(
            "networks that had no route can be reached by {}",
            targets.join(", ")
        );
        scene.tell(
            FindingCode::RtNewReach,
            (Severity::Medium, Harm::Opens),
            element,
            meaning,
            effects.lines(),
        );
    }
}

/// Interfaces of some subnets with a public address and a group that the internet may enter.
fn exposed_hosts(scene: &Scene<'_>, in_subnet: impl Fn(&SubnetId) -> bool) -> Vec<String> {
    let open = |group: &SecurityGroupId| match scene
        .live
        .resources
        .get(&ResourceId::from(group.clone()))
    {
        Some(Resource::SecurityGroup(group)) => {
            let permitted = permitted_by_group(group, Direction::Ingress, &scene.lists).peers();
            Family::ALL
                .into_iter()
                .any(|family| permitted.covers_internet(family))
        }
        _ => false,
    };
    let is_public = |address: &std::net::IpAddr| match address {
        std::net::IpAddr::V4(_) => false,
        std::net::IpAddr::V6(_) => {
            snapback_reach::AddressSet::internet(Family::V6).contains(*address)
        }
    };
    scene
        .live
        .topology
        .interfaces
        .values()
        .filter(|interface| in_subnet(&interface.subnet))
        .filter(|interface| {
            !interface.public_addresses.is_empty() || interface.addresses.iter().any(is_public)
        })
        .filter(|interface| interface.groups.iter().any(open))
        .map(|interface| {
            format!(
                "{} in {} can be reached from the internet",
                interface.id, interface.subnet
            )
        })
        .collect()
}

/// RT-PL-AMBIG of a new or changed prefix-list route.
fn ambiguous(scene: &mut Scene<'_>, destination: &Destination, sides: &RouteSides) {
    if !matches!(destination, Destination::PrefixList(_)) {
        return;
    }
    let new = sides
        .found
        .ambiguous()
        .iter()
        .filter(|(network, _)| !sides.good.ambiguous().contains_key(*network));
    let networks: Vec<String> = new.map(|(network, _)| network.to_string()).collect();
    if !networks.is_empty() {
        let meaning =
            "prefix lists send the same networks to different targets; AWS picks one at random"
                .to_owned();
        let element = Element::Route(destination.clone());
        scene.tell(
            FindingCode::RtPrefixListAmbiguous,
            (Severity::Medium, Harm::None),
            element,
            meaning,
            crate::impact::bounded(networks, 6),
        );
    }
}

/// RT-PROPAGATION-OFF, and RT-NEW-REACH of propagation turned on.
pub(super) fn propagation(scene: &mut Scene<'_>, gateway: &GatewayId, delta: &Delta<()>) {
    let element = Element::Propagation(gateway.clone());
    match delta {
        Delta::Removed(()) | Delta::Changed { .. } => {
            let meaning = format!(
                "routes that {gateway} learns (VPN, Direct Connect) no longer come into this table"
            );
            scene.tell(
                FindingCode::RtPropagationOff,
                (Severity::High, Harm::Cuts),
                element,
                meaning,
                Vec::new(),
            );
        }
        Delta::Added(()) => {
            let meaning = format!(
                "whatever {gateway} learns (VPN, Direct Connect) becomes a route of this table"
            );
            scene.tell(
                FindingCode::RtNewReach,
                (Severity::Medium, Harm::Opens),
                element,
                meaning,
                Vec::new(),
            );
        }
    }
}

/// RT-EDGE: what enters by a gateway is routed otherwise.
pub(super) fn edge(scene: &mut Scene<'_>, gateway: &GatewayId, delta: &Delta<()>) {
    let id = &scene.diff.resource;
    let (table, harm, meaning) = match delta {
        Delta::Added(()) => (
            scene.live_table(id),
            Harm::Cuts,
            format!("what enters by {gateway} is now led by this table's routes"),
        ),
        Delta::Removed(()) | Delta::Changed { .. } => (
            scene.good_table(id),
            Harm::Opens,
            format!(
                "what enters by {gateway} is no longer led by this table's routes: an inspection on the way is passed by"
            ),
        ),
    };
    // A table of nothing but local routes leads packets where they would go anyway.
    let leads: Vec<String> = table.map_or_else(Vec::new, |table| {
        let routes = table
            .routes
            .iter()
            .filter(|(_, route)| route.target != RouteTarget::Local);
        routes
            .map(|(destination, route)| format!("{destination} goes to {}", route.target))
            .collect()
    });
    let inert = table.is_some() && leads.is_empty();
    let (severity, harm) = if inert {
        (Severity::Low, Harm::None)
    } else {
        (Severity::High, harm)
    };
    let evidence = crate::impact::bounded(leads, 6);
    scene.tell(
        FindingCode::RtEdge,
        (severity, harm),
        Element::Edge(gateway.clone()),
        meaning,
        evidence,
    );
}
