//! Subnets of ACLs; routes, associations and propagation of tables.

use super::{acl_mut, fresh, table_mut};
use snapback_model::*;

pub(super) fn move_to_acl(
    state: &mut Snapshot,
    subnet: &SubnetId,
    from: Option<&NetworkAclId>,
    to: &NetworkAclId,
) -> Result<(), String> {
    let now = state.acl_of(subnet).cloned();
    if let (Some(now), Some(from)) = (&now, from)
        && now != from
    {
        return Err(format!("{subnet} is in {now}, not in {from}"));
    }
    if now.is_none() && from.is_some_and(|from| acl_mut(state, from).is_ok()) {
        return Err(format!("{subnet} is in no ACL of the snapshot"));
    }
    if now.as_ref() == Some(to) {
        return Err(format!("{subnet} is in {to} already"));
    }
    let vpc = acl_mut(state, to)?.vpc.clone();
    if let Some(now) = &now {
        let acl = acl_mut(state, now)?;
        if acl.vpc != vpc {
            return Err(format!("{now} and {to} are in different VPCs"));
        }
        acl.subnets.remove(subnet);
    }
    acl_mut(state, to)?.subnets.insert(subnet.clone());
    rebind(
        state,
        Kind::NetworkAcl,
        &AssociationSubject::Subnet(subnet.clone()),
        Some(to.clone().into()),
    );
    Ok(())
}

pub(super) fn create_route(
    state: &mut Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    target: &RouteTarget,
) -> Result<(), String> {
    writable(target)?;
    if *target == RouteTarget::Local {
        return Err("a local route is made with its table only".into());
    }
    let table = table_mut(state, id)?;
    // A propagated route of the same destination does not block a static one (semantics B1).
    if let Some(found) = table
        .routes
        .get(destination)
        .filter(|found| found.origin != RouteOrigin::Propagated)
    {
        return Err(format!(
            "{id} already has a route {destination} to {}",
            found.target
        ));
    }
    table
        .routes
        .insert(destination.clone(), Route::created(target.clone()));
    Ok(())
}

pub(super) fn replace_route(
    state: &mut Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    (from, to): (&RouteTarget, &RouteTarget),
) -> Result<(), String> {
    writable(to)?;
    let table = table_mut(state, id)?;
    let found = found_route(table, destination, from)?;
    if *to == RouteTarget::Local && found.origin != RouteOrigin::Table {
        return Err(format!(
            "{id} {destination} is no network of the VPC: it cannot be local"
        ));
    }
    found.target = to.clone();
    found.blackhole = false;
    Ok(())
}

pub(super) fn delete_route(
    state: &mut Snapshot,
    id: &RouteTableId,
    destination: &Destination,
    from: &RouteTarget,
) -> Result<(), String> {
    let table = table_mut(state, id)?;
    if found_route(table, destination, from)?.origin == RouteOrigin::Table {
        return Err(format!(
            "{id} {destination} is the VPC's own route: it cannot be deleted"
        ));
    }
    table.routes.remove(destination);
    Ok(())
}

fn found_route<'a>(
    table: &'a mut RouteTable,
    destination: &Destination,
    target: &RouteTarget,
) -> Result<&'a mut Route, String> {
    let id = table.id.clone();
    let found = table
        .routes
        .get_mut(destination)
        .ok_or_else(|| format!("{id} has no route {destination}"))?;
    if found.origin == RouteOrigin::Propagated {
        return Err(format!(
            "{id} {destination} is propagated: route calls do not write it"
        ));
    }
    writable(&found.target)?;
    if found.target != *target {
        return Err(format!(
            "{id} {destination} leads to {}, not to {target}",
            found.target
        ));
    }
    Ok(found)
}

fn writable(target: &RouteTarget) -> Result<(), String> {
    match target {
        RouteTarget::GatewayEndpoint(id) => Err(format!(
            "a route to the gateway endpoint {id} is changed by ModifyVpcEndpoint only"
        )),
        RouteTarget::Unrecognized(id) => Err(format!(
            "{id} is a kind of target this version does not know"
        )),
        _ => Ok(()),
    }
}

/// The table that a subnet or gateway is explicitly on, or the main table of a VPC.
pub(in crate::plan) fn holder(
    state: &Snapshot,
    subject: &AssociationSubject,
) -> Option<RouteTableId> {
    state
        .resources
        .values()
        .find_map(|resource| match resource {
            Resource::RouteTable(table) if holds(table, subject) => Some(table.id.clone()),
            Resource::RouteTable(_) | Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        })
}

pub(in crate::plan) fn holds(table: &RouteTable, subject: &AssociationSubject) -> bool {
    match subject {
        AssociationSubject::Subnet(subnet) => table.subnets.contains(subnet),
        AssociationSubject::Gateway(gateway) => table.gateways.contains(gateway),
        AssociationSubject::Main(vpc) => table.main && table.vpc == *vpc,
    }
}

/// Moves a subnet or gateway: from nowhere (associate), to nowhere (disassociate) or between tables.
pub(super) fn reassociate(
    state: &mut Snapshot,
    subject: &AssociationSubject,
    from: Option<&RouteTableId>,
    to: Option<&RouteTableId>,
) -> Result<(), String> {
    let now = holder(state, subject);
    if now.as_ref() != from {
        let now = now.map_or_else(|| "no table".to_owned(), |table| table.to_string());
        return Err(format!("{subject} is explicitly on {now}"));
    }
    if from == to {
        return Err(format!("{subject} is there already"));
    }
    let receiver = to
        .map(|id| table_mut(state, id).map(|table| (table.main, table.vpc.clone())))
        .transpose()?;
    if let Some((true, _)) = receiver
        && matches!(subject, AssociationSubject::Gateway(_))
    {
        return Err("the main table takes no edge association".into());
    }
    if let Some(from) = from {
        let table = table_mut(state, from)?;
        if receiver.is_some_and(|(_, vpc)| vpc != table.vpc) {
            return Err(format!("{subject} cannot leave its VPC"));
        }
        set_held(table, subject, false)?;
    }
    if let Some(to) = to {
        set_held(table_mut(state, to)?, subject, true)?;
    }
    rebind(
        state,
        Kind::RouteTable,
        subject,
        to.cloned().map(ResourceId::RouteTable),
    );
    Ok(())
}

fn set_held(
    table: &mut RouteTable,
    subject: &AssociationSubject,
    held: bool,
) -> Result<(), String> {
    match (subject, held) {
        (AssociationSubject::Subnet(subnet), true) => table.subnets.insert(subnet.clone()),
        (AssociationSubject::Subnet(subnet), false) => table.subnets.remove(subnet),
        (AssociationSubject::Gateway(gateway), true) => table.gateways.insert(gateway.clone()),
        (AssociationSubject::Gateway(gateway), false) => table.gateways.remove(gateway),
        (AssociationSubject::Main(_), _) => {
            return Err("the main association can only be replaced".into());
        }
    };
    Ok(())
}

pub(super) fn swap_main(
    state: &mut Snapshot,
    vpc: &VpcId,
    from: Option<&RouteTableId>,
    to: &RouteTableId,
) -> Result<(), String> {
    let subject = AssociationSubject::Main(vpc.clone());
    let now = holder(state, &subject);
    if from.is_some() && now.as_ref() != from || now.as_ref() == Some(to) {
        let now = now.map_or_else(|| "not known".to_owned(), |table| table.to_string());
        return Err(format!("the main table of {vpc} is {now}"));
    }
    let receiver = table_mut(state, to)?;
    if receiver.vpc != *vpc {
        return Err(format!("{to} is not in {vpc}"));
    }
    if !receiver.gateways.is_empty() {
        return Err(format!("{to} has an edge association: it cannot be main"));
    }
    receiver.main = true;
    if let Some(now) = &now {
        table_mut(state, now)?.main = false;
    }
    rebind(state, Kind::RouteTable, &subject, Some(to.clone().into()));
    Ok(())
}

pub(super) fn set_propagation(
    state: &mut Snapshot,
    id: &RouteTableId,
    gateway: &GatewayId,
    enabled: bool,
) -> Result<(), String> {
    let table = table_mut(state, id)?;
    if table.propagating.contains(gateway) == enabled {
        let word = if enabled { "on" } else { "off" };
        return Err(format!(
            "propagation from {gateway} into {id} is {word} already"
        ));
    }
    if enabled {
        table.propagating.insert(gateway.clone());
    } else {
        table.propagating.remove(gateway);
        let target = RouteTarget::VpnGateway(gateway.as_str().to_owned());
        table
            .routes
            .retain(|_, route| route.origin != RouteOrigin::Propagated || route.target != target);
    }
    Ok(())
}

/// Gives a subject a new association id, or none: every replace gives a new one (semantics B1).
fn rebind(
    state: &mut Snapshot,
    kind: Kind,
    subject: &AssociationSubject,
    resource: Option<ResourceId>,
) {
    state
        .handles
        .associations
        .retain(|_, handle| handle.subject != *subject || handle.resource.kind() != kind);
    if let Some(resource) = resource {
        let prefix = if kind == Kind::NetworkAcl {
            "aclassoc"
        } else {
            "rtbassoc"
        };
        let taken = |text: &str| {
            state
                .handles
                .associations
                .contains_key(&AssociationId::new(text))
        };
        let id = fresh(prefix, (&resource, subject), taken);
        let handle = AssociationHandle {
            resource,
            subject: subject.clone(),
        };
        state
            .handles
            .associations
            .insert(AssociationId::new(id), handle);
    }
}
