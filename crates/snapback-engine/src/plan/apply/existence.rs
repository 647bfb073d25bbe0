//! Resources that are made and deleted, and what hangs on them.

use super::super::Action;
use super::super::temporary::kept;
use super::{fresh, table_mut};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// Makes what a create call asks for, under the id that the plan knows it by.
pub(super) fn create(state: &mut Snapshot, action: &Action) -> Result<(), String> {
    let made = match action {
        Action::CreateSecurityGroup {
            group,
            name,
            description,
            vpc,
            tags,
        } => {
            let taken = state.resources.values().any(|other| matches!(other, Resource::SecurityGroup(other) if other.name.as_ref() == Some(name) && other.vpc.as_ref() == Some(vpc)));
            if taken {
                return Err(format!("{vpc} has a group called {name:?} already"));
            }
            Resource::SecurityGroup(SecurityGroup {
                id: group.clone(),
                name: Some(name.clone()),
                description: Some(description.clone()),
                vpc: Some(vpc.clone()),
                owner: None,
                tags: Some(tags.clone()),
                rules: born_rules(state, vpc),
            })
        }
        Action::CreateNetworkAcl { acl, vpc, tags, .. } => Resource::NetworkAcl(NetworkAcl {
            id: acl.clone(),
            vpc: vpc.clone(),
            owner: None,
            is_default: false,
            tags: tags.clone(),
            entries: BTreeMap::new(),
            subnets: BTreeSet::new(),
        }),
        Action::CreateRouteTable {
            table, vpc, tags, ..
        } => Resource::RouteTable(RouteTable {
            id: table.clone(),
            vpc: vpc.clone(),
            owner: None,
            tags: tags.clone(),
            main: false,
            routes: local_routes(state, vpc),
            subnets: BTreeSet::new(),
            gateways: BTreeSet::new(),
            propagating: BTreeSet::new(),
        }),
        other => return Err(format!("{} makes no resource", other.api())),
    };
    let id = made.id();
    if state.resources.contains_key(&id) {
        return Err(format!("{id} exists"));
    }
    if let Resource::SecurityGroup(group) = &made {
        for key in group.rules.keys() {
            let rule = fresh("sgr", (&group.id, key), |text| {
                state
                    .handles
                    .rules
                    .contains_key(&SecurityGroupRuleId::new(text))
            });
            let handle = RuleHandle {
                group: group.id.clone(),
                rule: key.clone(),
            };
            state
                .handles
                .rules
                .insert(SecurityGroupRuleId::new(rule), handle);
        }
    }
    state.resources.insert(id, made);
    Ok(())
}

/// The egress rules that a new group is born with (semantics A1): all IPv4, and all IPv6 where the
/// VPC has an IPv6 network.
fn born_rules(state: &Snapshot, vpc: &VpcId) -> BTreeMap<RuleKey, RuleDetail> {
    let v6 = networks(state, vpc).any(|net| matches!(net, IpNet::V6(_)));
    let peers = [IpNet::V4(Ipv4Net::default())]
        .into_iter()
        .chain(v6.then(|| IpNet::V6(Ipv6Net::default())));
    let rule = |net| RuleKey {
        direction: Direction::Egress,
        traffic: Traffic::All,
        peer: Peer::cidr(net),
    };
    let detail = RuleDetail {
        description: None,
        tags: Some(Tags::new()),
    };
    peers.map(|net| (rule(net), detail.clone())).collect()
}

fn networks<'a>(state: &'a Snapshot, vpc: &VpcId) -> impl Iterator<Item = &'a IpNet> {
    let vpc = state.topology.vpcs.get(vpc);
    vpc.into_iter().flat_map(|vpc| &vpc.cidrs)
}

/// One local route for each network of the VPC (semantics A4); where the VPC was not read, those of
/// another of its tables.
fn local_routes(state: &Snapshot, vpc: &VpcId) -> BTreeMap<Destination, Route> {
    let route = Route {
        target: RouteTarget::Local,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    let known: BTreeMap<Destination, Route> = networks(state, vpc)
        .map(|net| (Destination::cidr(*net), route.clone()))
        .collect();
    if !known.is_empty() {
        return known;
    }
    let siblings = state
        .resources
        .values()
        .filter_map(|resource| match resource {
            Resource::RouteTable(table) if table.vpc == *vpc => Some(table),
            Resource::RouteTable(_) | Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        });
    siblings
        .flat_map(|table| &table.routes)
        .filter(|(_, found)| found.origin == RouteOrigin::Table)
        .map(|(destination, _)| (destination.clone(), route.clone()))
        .collect()
}

/// Deletes an ACL that stands in for another; EC2 would delete others as well, Snapback never asks.
pub(super) fn delete_acl(state: &mut Snapshot, id: &NetworkAclId) -> Result<(), String> {
    remove(state, &id.clone().into())
}

/// The same of a table.
pub(super) fn delete_table(state: &mut Snapshot, id: &RouteTableId) -> Result<(), String> {
    remove(state, &id.clone().into())?;
    for gateway in state.topology.gateways.values_mut() {
        gateway.route_tables.remove(id);
    }
    Ok(())
}

fn remove(state: &mut Snapshot, id: &ResourceId) -> Result<(), String> {
    let found = state.resources.get(id);
    let found = found.ok_or_else(|| format!("{id} is not in the snapshot"))?;
    if let Some(why) = kept(found) {
        return Err(why);
    }
    state.resources.remove(id);
    Ok(())
}

/// Adds and takes away the routes of a gateway endpoint. The route names the service's prefix list.
pub(super) fn serve(
    state: &mut Snapshot,
    endpoint: &str,
    add: &BTreeSet<RouteTableId>,
    remove: &BTreeSet<RouteTableId>,
) -> Result<(), String> {
    let list = prefix_list_of(state, endpoint)
        .ok_or_else(|| format!("which prefix list {endpoint} serves is not known"))?;
    for table in add {
        let route = Route::created(RouteTarget::GatewayEndpoint(endpoint.to_owned()));
        let routes = &mut table_mut(state, table)?.routes;
        routes.insert(Destination::PrefixList(list.clone()), route);
    }
    for table in remove {
        let routes = &mut table_mut(state, table)?.routes;
        routes.retain(|_, route| route.target.id() != endpoint);
    }
    if let Some(gateway) = state.topology.gateways.get_mut(endpoint) {
        gateway.route_tables.extend(add.iter().cloned());
        gateway.route_tables.retain(|table| !remove.contains(table));
    }
    Ok(())
}

/// The prefix list of a gateway endpoint: from a route to it, else as it tells itself, else by the name
/// of its service.
fn prefix_list_of(state: &Snapshot, endpoint: &str) -> Option<PrefixListId> {
    let routed = state
        .resources
        .values()
        .find_map(|resource| match resource {
            Resource::RouteTable(table) => table.routes.iter().find_map(|(to, route)| match to {
                Destination::PrefixList(list) if route.target.id() == endpoint => {
                    Some(list.clone())
                }
                _ => None,
            }),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        });
    let gateway = state.topology.gateways.get(endpoint);
    let told = gateway.and_then(|gateway| gateway.endpoint.as_ref()?.prefix_list.clone());
    routed.or(told).or_else(|| {
        let service = gateway?.service.as_ref()?;
        let lists = &state.topology.prefix_lists;
        let named = lists
            .values()
            .find(|list| list.name.as_ref() == Some(service));
        named.map(|list| list.id.clone())
    })
}
