//! How few calls any plan can have.

use super::draft::Draft;
use super::{association, group, make_again};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// A number of calls that no plan from `live` to `goal` goes below, whatever it cuts on the way: each
/// entry, each route and each association is written by its own call; rules of one direction are
/// added together and revoked together. It holds for plans that leave nothing undone.
pub fn lower_bound(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    baselines: &Baselines,
) -> usize {
    let (births, made) = make_again(&mut Draft::default(), live, goal);
    let live = made.as_ref().unwrap_or(live);
    let mut goal = goal.clone();
    association::settle(&mut goal, live, baselines);
    let mut calls = births.steps.len();
    let (mut acls, mut tables) = (BTreeMap::new(), BTreeMap::new());
    let (mut any_set, mut any_taken) = (false, false);
    let mut endpoints = BTreeSet::new();
    for (id, wanted) in &goal {
        let Some(now) = live.resources.get(id) else {
            continue;
        };
        let more = match (now, wanted) {
            (Resource::SecurityGroup(now), Resource::SecurityGroup(wanted)) => {
                group::fewest(now, wanted)
            }
            (Resource::NetworkAcl(now), Resource::NetworkAcl(wanted)) => {
                acls.insert(id.clone(), (now, wanted));
                differing(&now.entries, &wanted.entries)
            }
            (Resource::RouteTable(now), Resource::RouteTable(wanted)) => {
                tables.insert(id.clone(), (now, wanted));
                let (own, served) = routes(now, wanted);
                endpoints.extend(served);
                own.saturating_add(
                    now.propagating
                        .symmetric_difference(&wanted.propagating)
                        .count(),
                )
            }
            _ => 0,
        };
        calls = calls.saturating_add(more);
        let (set, taken) = tag_calls(now.tags(), wanted.tags());
        any_set |= set;
        any_taken |= taken;
    }
    let moves = association::acl_moves(live, &acls).moves.len();
    let binds = association::table_moves(live, &tables).moves.len();
    let tags = usize::from(any_set).saturating_add(usize::from(any_taken));
    [moves, binds, endpoints.len(), tags]
        .into_iter()
        .fold(calls, usize::saturating_add)
}

fn differing<K: Ord, V: PartialEq>(one: &BTreeMap<K, V>, other: &BTreeMap<K, V>) -> usize {
    let keys: BTreeSet<&K> = one.keys().chain(other.keys()).collect();
    keys.into_iter()
        .filter(|key| one.get(*key) != other.get(*key))
        .count()
}

/// Routes that a route call of their own must write, and the endpoints that serve differently.
fn routes(now: &RouteTable, wanted: &RouteTable) -> (usize, BTreeSet<String>) {
    let written = |table: &RouteTable| -> BTreeMap<Destination, RouteTarget> {
        let routes = table.routes.iter();
        routes
            .filter(|(_, route)| route.origin != RouteOrigin::Propagated)
            .map(|(destination, route)| (destination.clone(), route.target.clone()))
            .collect()
    };
    let is_endpoint = |target: &RouteTarget| matches!(target, RouteTarget::GatewayEndpoint(_));
    let (now, wanted) = (written(now), written(wanted));
    let mut served = BTreeSet::new();
    let mut own = 0_usize;
    let all: BTreeSet<&Destination> = now.keys().chain(wanted.keys()).collect();
    for destination in all {
        let (held, due) = (now.get(destination), wanted.get(destination));
        if held == due {
            continue;
        }
        let endpoint = held
            .into_iter()
            .chain(due)
            .find(|target| is_endpoint(target));
        match endpoint {
            Some(target) => {
                served.insert(target.id().to_owned());
            }
            None => own = own.saturating_add(1),
        }
    }
    (own, served)
}

/// Whether tags must be set, and whether some must be taken away.
fn tag_calls(now: Option<&Tags>, wanted: Option<&Tags>) -> (bool, bool) {
    let (Some(now), Some(wanted)) = (now, wanted) else {
        return (false, false);
    };
    let ours = |key: &str| !key.starts_with(super::tag::RESERVED) && !is_lineage_tag(key);
    let set = wanted
        .iter()
        .any(|(key, value)| ours(key) && now.get(key) != Some(value));
    let taken = now.keys().any(|key| ours(key) && !wanted.contains_key(key));
    (set, taken)
}
