//! Who depends on a thing around the guarded resources, as the baseline has it: evidence for an event
//! that touches it, without another read.

use crate::finding::world::World;
use snapback_model::*;

/// One line for each use: routes with the subnets behind them, rules, groups, the public access block.
pub(in super::super) fn of(world: &World<'_>, id: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for table in world.tables() {
        let leads = table.routes.iter().filter(|(destination, route)| {
            route.target.id() == id
                || matches!(destination, Destination::PrefixList(list) if list.as_str() == id)
        });
        let routes: Vec<String> = leads
            .map(|(destination, route)| format!("{destination} to {}", route.target))
            .collect();
        if routes.is_empty() {
            continue;
        }
        let subnets: Vec<&str> = world
            .subnets_of(table)
            .into_iter()
            .map(SubnetId::as_str)
            .collect();
        let behind = if subnets.is_empty() {
            "no subnet".to_owned()
        } else {
            crate::impact::bounded(subnets.iter().map(ToString::to_string).collect(), 4).join(", ")
        };
        lines.push(format!(
            "{}: route {}, used by {behind}",
            table.id,
            routes.join(", ")
        ));
    }
    for group in world.groups() {
        let named = group
            .rules
            .keys()
            .filter(|rule| matches!(&rule.peer, Peer::PrefixList(list) if list.as_str() == id));
        lines.extend(named.map(|rule| format!("{}: rule {rule}", group.id)));
    }
    if let Some(interface) = world.topology.interfaces.get(&NetworkInterfaceId::new(id)) {
        lines.extend(carried(world, interface));
    }
    let serves = |gateway: &Gateway| {
        let service = gateway.service.as_ref()?;
        Some(format!(
            "{id} serves {service} in {}",
            gateway.vpcs.first()?
        ))
    };
    lines.extend(world.topology.gateways.get(id).and_then(serves));
    if let Some(log) = world.topology.flow_logs.get(id) {
        lines.push(format!("{id} watches {}", log.resource));
    }
    lines
}

/// The groups an interface should carry, and what other groups let in by them.
fn carried(world: &World<'_>, interface: &NetworkInterface) -> Vec<String> {
    let groups: Vec<&str> = interface
        .groups
        .iter()
        .map(SecurityGroupId::as_str)
        .collect();
    let mut lines = vec![format!(
        "{} should carry {}",
        interface.id,
        groups.join(", ")
    )];
    for group in world.groups() {
        let by_membership = group.rules.keys().filter(|rule| {
            matches!(&rule.peer, Peer::SecurityGroup { id, .. } if interface.groups.contains(id))
        });
        lines.extend(
            by_membership.map(|rule| format!("{} knows it by its groups: {rule}", group.id)),
        );
    }
    lines
}
