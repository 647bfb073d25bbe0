//! What people do to an account.

use super::account::Home;
use super::world::{
    announced, destination, detail, entry, entry_key, pick, rule, served, tags, target,
};
use fastrand::Rng;
use snapback_model::*;

/// One thing done to live.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mutation {
    AddRule,
    DropRule,
    ModifyRule,
    Redescribe,
    SetEntry,
    DropEntry,
    SetRoute,
    DropRoute,
    Serve,
    MoveToAcl,
    MoveToTable,
    SwapMain,
    MoveEdge,
    Propagate,
    Announce,
    Tag,
    DeleteGroup,
    DeleteAcl,
    DeleteTable,
}

impl Mutation {
    pub(super) fn any(rng: &mut Rng) -> Self {
        *pick(
            rng,
            &[
                Self::AddRule,
                Self::AddRule,
                Self::DropRule,
                Self::ModifyRule,
                Self::Redescribe,
                Self::SetEntry,
                Self::SetEntry,
                Self::DropEntry,
                Self::SetRoute,
                Self::SetRoute,
                Self::DropRoute,
                Self::Serve,
                Self::MoveToAcl,
                Self::MoveToTable,
                Self::SwapMain,
                Self::MoveEdge,
                Self::Propagate,
                Self::Announce,
                Self::Tag,
            ],
        )
    }

    pub(super) fn deletion(rng: &mut Rng) -> Self {
        *pick(
            rng,
            &[Self::DeleteGroup, Self::DeleteAcl, Self::DeleteTable],
        )
    }

    pub(super) fn apply(self, live: &mut Snapshot, rng: &mut Rng) {
        match self {
            Self::AddRule | Self::DropRule | Self::ModifyRule | Self::Redescribe => {
                self.edit_group(live, rng)
            }
            Self::SetEntry | Self::DropEntry | Self::MoveToAcl | Self::DeleteAcl => {
                self.edit_acl(live, rng)
            }
            Self::DeleteGroup => delete_group(live, rng),
            Self::Tag => retag(live, rng),
            _ => self.edit_table(live, rng),
        }
    }

    fn edit_group(self, live: &mut Snapshot, rng: &mut Rng) {
        let Some(ResourceId::SecurityGroup(id)) = any_of(live, rng, Kind::SecurityGroup) else {
            return;
        };
        let Some(Resource::SecurityGroup(group)) = live.resources.get_mut(&id.clone().into())
        else {
            return;
        };
        let home = Home::of(group.vpc.as_ref());
        let held: Vec<RuleKey> = group.rules.keys().cloned().collect();
        let one = (!held.is_empty()).then(|| pick(rng, &held).clone());
        let handle = |rule: &RuleKey| RuleHandle {
            group: id.clone(),
            rule: rule.clone(),
        };
        match (self, one) {
            (Self::AddRule, _) => {
                let new = rule(rng, home);
                group.rules.entry(new).or_insert_with(|| detail(rng));
            }
            (Self::DropRule, Some(old)) => {
                group.rules.remove(&old);
                live.handles.rules.retain(|_, of| *of != handle(&old));
            }
            (Self::ModifyRule, Some(old)) => {
                let mut new = rule(rng, home);
                new.direction = old.direction;
                let same = std::mem::discriminant(&new.peer) == std::mem::discriminant(&old.peer);
                if same && !group.rules.contains_key(&new) {
                    let kept = group.rules.remove(&old).unwrap_or_default();
                    group.rules.insert(new.clone(), kept);
                    for of in live
                        .handles
                        .rules
                        .values_mut()
                        .filter(|of| **of == handle(&old))
                    {
                        of.rule = new.clone();
                    }
                }
            }
            (Self::Redescribe, Some(old)) => {
                group.rules.insert(old, detail(rng));
            }
            _ => {}
        }
    }

    fn edit_acl(self, live: &mut Snapshot, rng: &mut Rng) {
        let Some(id) = any_of(live, rng, Kind::NetworkAcl) else {
            return;
        };
        if matches!(self, Self::MoveToAcl | Self::DeleteAcl) {
            let subnets = match live.resources.get(&id) {
                Some(Resource::NetworkAcl(acl)) => acl.subnets.clone(),
                _ => return,
            };
            let vpc = |id: &ResourceId| live.resources.get(id).and_then(Resource::vpc).cloned();
            let Some(other) = any_of(live, rng, Kind::NetworkAcl)
                .filter(|other| *other != id && vpc(other) == vpc(&id))
            else {
                return;
            };
            let is_deletion = matches!(self, Self::DeleteAcl);
            let default = matches!(live.resources.get(&id), Some(Resource::NetworkAcl(acl)) if acl.is_default);
            if is_deletion && default {
                return;
            }
            for subnet in subnets.into_iter().filter(|_| is_deletion || rng.bool()) {
                if let Some(Resource::NetworkAcl(acl)) = live.resources.get_mut(&id) {
                    acl.subnets.remove(&subnet);
                }
                if let Some(Resource::NetworkAcl(acl)) = live.resources.get_mut(&other) {
                    acl.subnets.insert(subnet);
                }
            }
            if is_deletion {
                live.resources.remove(&id);
            }
            return;
        }
        let Some(Resource::NetworkAcl(acl)) = live.resources.get_mut(&id) else {
            return;
        };
        if matches!(self, Self::SetEntry) {
            acl.entries.insert(entry_key(rng, 7), entry(rng));
        } else if let Some(key) = acl
            .entries
            .keys()
            .nth(rng.usize(..acl.entries.len().max(1)))
            .copied()
        {
            acl.entries.remove(&key);
        }
    }

    fn edit_table(self, live: &mut Snapshot, rng: &mut Rng) {
        let Some(id) = any_of(live, rng, Kind::RouteTable) else {
            return;
        };
        let Some(vpc) = live.resources.get(&id).and_then(Resource::vpc).cloned() else {
            return;
        };
        let home = Home::of(Some(&vpc));
        if let Self::SwapMain = self {
            let edge = matches!(live.resources.get(&id), Some(Resource::RouteTable(table)) if !table.gateways.is_empty());
            if !edge {
                for table in tables(live).filter(|table| table.vpc == vpc) {
                    table.main = ResourceId::from(table.id.clone()) == id;
                }
            }
            return;
        }
        if let Self::MoveToTable | Self::MoveEdge = self {
            let subnet = pick(rng, &home.subnets()).clone();
            let edge: &str = if rng.bool() { "igw" } else { "vgw" };
            let gateway = GatewayId::new(home.id(edge, 1));
            let is_edge = matches!(self, Self::MoveEdge);
            let leaves_only = rng.u8(..3) == 0;
            for table in tables(live) {
                let here = !leaves_only && ResourceId::from(table.id.clone()) == id;
                if is_edge {
                    table.gateways.remove(&gateway);
                    if here && !table.main {
                        table.gateways.insert(gateway.clone());
                    }
                } else {
                    table.subnets.remove(&subnet);
                    if here {
                        table.subnets.insert(subnet.clone());
                    }
                }
            }
            return;
        }
        let Some(Resource::RouteTable(table)) = live.resources.get_mut(&id) else {
            return;
        };
        match self {
            Self::SetRoute => {
                table
                    .routes
                    .insert(destination(rng), Route::created(target(rng, home)));
            }
            Self::DropRoute => {
                let created = table
                    .routes
                    .iter()
                    .filter(|(_, route)| route.origin == RouteOrigin::Created);
                let held: Vec<Destination> = created
                    .map(|(destination, _)| destination.clone())
                    .collect();
                if !held.is_empty() {
                    table.routes.remove(pick(rng, &held));
                }
            }
            Self::Serve => {
                let (destination, route) = served(home);
                if table.routes.remove(&destination).is_none() {
                    table.routes.insert(destination, route);
                }
            }
            Self::Propagate => {
                let gateway = GatewayId::new(home.id("vgw", 1));
                if table.propagating.remove(&gateway) {
                    table
                        .routes
                        .retain(|_, route| route.origin != RouteOrigin::Propagated);
                } else {
                    table.propagating.insert(gateway);
                    let (destination, route) = announced(rng, home);
                    table.routes.entry(destination).or_insert(route);
                }
            }
            Self::Announce if !table.propagating.is_empty() => {
                let (destination, route) = announced(rng, home);
                let held = table.routes.get(&destination).map(|held| held.origin);
                match held {
                    None => {
                        table.routes.insert(destination, route);
                    }
                    Some(RouteOrigin::Propagated) => {
                        table.routes.remove(&destination);
                    }
                    Some(_) => {}
                }
            }
            Self::DeleteTable if !table.main => {
                live.resources.remove(&id);
            }
            _ => {}
        }
    }
}

pub(super) fn tables(live: &mut Snapshot) -> impl Iterator<Item = &mut RouteTable> {
    live.resources
        .values_mut()
        .filter_map(|resource| match resource {
            Resource::RouteTable(table) => Some(table),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        })
}

pub(super) fn any_of(live: &Snapshot, rng: &mut Rng, kind: Kind) -> Option<ResourceId> {
    let of: Vec<ResourceId> = live
        .resources
        .keys()
        .filter(|id| id.kind() == kind)
        .cloned()
        .collect();
    (!of.is_empty()).then(|| pick(rng, &of).clone())
}

/// EC2 deletes no group that another names (semantics B1): those rules went first.
pub(super) fn delete_group(live: &mut Snapshot, rng: &mut Rng) {
    let Some(ResourceId::SecurityGroup(id)) = any_of(live, rng, Kind::SecurityGroup) else {
        return;
    };
    live.resources.remove(&id.clone().into());
    for resource in live.resources.values_mut() {
        if let Resource::SecurityGroup(group) = resource {
            group.rules.retain(|key, _| !matches!(&key.peer, Peer::SecurityGroup { id: peer, owner: None } if *peer == id));
        }
    }
    let kept = |handle: &RuleHandle| match live.resources.get(&handle.group.clone().into()) {
        Some(Resource::SecurityGroup(group)) => group.rules.contains_key(&handle.rule),
        _ => false,
    };
    live.handles.rules.retain(|_, handle| kept(handle));
}

fn retag(live: &mut Snapshot, rng: &mut Rng) {
    let kind = *pick(rng, &Kind::ALL);
    let Some(id) = any_of(live, rng, kind) else {
        return;
    };
    match live.resources.get_mut(&id) {
        Some(Resource::SecurityGroup(group)) => group.tags = Some(tags(rng)),
        Some(Resource::NetworkAcl(acl)) => acl.tags = tags(rng),
        Some(Resource::RouteTable(table)) => table.tags = tags(rng),
        None => {}
    }
}

/// A NAT gateway is deleted, or is about to be; its addresses are free, somebody else's, or gone.
pub(super) fn lose_nat(live: &mut Snapshot, rng: &mut Rng) {
    let topology = &mut live.topology;
    let ids: Vec<String> = topology
        .gateways
        .values()
        .filter(|gateway| gateway.kind == GatewayKind::Nat)
        .map(|gateway| gateway.id.clone())
        .collect();
    let id = pick(rng, &ids).clone();
    let deleting = match rng.u8(..6) {
        0 => {
            topology.gateways.remove(&id);
            false
        }
        one => {
            let deleting = one == 1;
            if let Some(gateway) = topology.gateways.get_mut(&id) {
                let state = if deleting { "deleting" } else { "deleted" };
                gateway.state = Some(state.to_owned());
            }
            deleting
        }
    };
    if deleting {
        return;
    }
    let fate = rng.u8(..8);
    if fate == 0 {
        topology.addresses = None;
    }
    for address in topology
        .addresses
        .iter_mut()
        .flat_map(|all| all.values_mut())
    {
        address.holder = (fate == 1).then(|| "eni-77".to_owned());
    }
    if let (2, Some(addresses)) = (fate, &mut topology.addresses) {
        addresses.pop_last();
    }
}
