//! Comparing two states of one resource, element by element.

use super::{Delta, Difference};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// Who should hold what can only be held once: a subnet by an ACL, a subnet by an explicit table,
/// being the main table by one table of a VPC.
pub(super) struct Claims<'a> {
    subnets: BTreeMap<(Kind, &'a SubnetId), (Standing, &'a ResourceId)>,
    mains: BTreeMap<&'a VpcId, (Standing, &'a RouteTableId)>,
}

/// Whether somebody said that it is good, and since when: what the sweep merely found takes nothing
/// from what was approved.
type Standing = (bool, Timestamp);

impl<'a> Claims<'a> {
    /// The claims of all baselines; the newer one counts where two claim the same, an approved one
    /// before one that nobody reviewed.
    pub(super) fn of(baselines: &'a Baselines) -> Self {
        let mut claims = Self {
            subnets: BTreeMap::new(),
            mains: BTreeMap::new(),
        };
        for (id, baseline) in &baselines.by_id {
            let subnets = match &baseline.state {
                Some(Resource::NetworkAcl(acl)) => &acl.subnets,
                Some(Resource::RouteTable(table)) => {
                    if table.main {
                        let at = standing(baseline, &Element::Main);
                        let claim = claims.mains.entry(&table.vpc).or_insert((at, &table.id));
                        *claim = (*claim).max((at, &table.id));
                    }
                    &table.subnets
                }
                Some(Resource::SecurityGroup(_)) | None => continue,
            };
            for subnet in subnets {
                let at = standing(baseline, &Element::Subnet(subnet.clone()));
                let claim = claims
                    .subnets
                    .entry((id.kind(), subnet))
                    .or_insert((at, id));
                *claim = (*claim).max((at, id));
            }
        }
        claims
    }

    fn holder(&self, kind: Kind, subnet: &SubnetId) -> Option<&'a ResourceId> {
        self.subnets.get(&(kind, subnet)).map(|(_, id)| *id)
    }
}

fn standing(baseline: &Baseline, element: &Element) -> Standing {
    let found = baseline.provenance.origin == Origin::Unreviewed;
    let is_approved = !found || baseline.marks.contains_key(element);
    (is_approved, since(baseline, element))
}

/// Since when a baseline says what it says of an element.
fn since(baseline: &Baseline, element: &Element) -> Timestamp {
    baseline
        .marks
        .get(element)
        .or_else(|| baseline.marks.get(&Element::Existence))
        .map_or(baseline.provenance.at, |mark| mark.at)
}

/// Every element in which the two states differ, in no order.
pub(super) fn compare(
    good: &Resource,
    found: &Resource,
    live: &Snapshot,
    claims: &Claims<'_>,
) -> Vec<Difference> {
    let mut differences = match (good, found) {
        (Resource::SecurityGroup(good), Resource::SecurityGroup(found)) => groups(good, found),
        (Resource::NetworkAcl(good), Resource::NetworkAcl(found)) => {
            let mut differences = acls(good, found);
            let id = ResourceId::from(good.id.clone());
            differences.extend(subnets(
                &id,
                &good.subnets,
                &found.subnets,
                claims,
                |subnet| live.acl_of(subnet).cloned().map(ResourceId::from),
            ));
            differences
        }
        (Resource::RouteTable(good), Resource::RouteTable(found)) => {
            let mut differences = tables(good, found);
            let id = ResourceId::from(good.id.clone());
            differences.extend(subnets(
                &id,
                &good.subnets,
                &found.subnets,
                claims,
                |subnet| {
                    live.explicit_table_of(subnet)
                        .cloned()
                        .map(ResourceId::from)
                },
            ));
            differences.extend(main(good, found, live, claims));
            differences
        }
        // The kind is part of the id, so both sides of one id are of one kind.
        (_, _) => Vec::new(),
    };
    if let (Some(good), Some(found)) = (good.tags(), found.tags()) {
        differences.extend(
            deltas(&foreign(good), &foreign(found))
                .into_iter()
                .map(|(key, delta)| Difference::Tag { key, delta }),
        );
    }
    differences
}

/// Tags that people set. Those of AWS (`aws:…`) cannot be written and follow no person's call; ours
/// only tell that a resource was made again.
fn foreign(tags: &Tags) -> Tags {
    tags.iter()
        .filter(|(key, _)| !key.starts_with("aws:") && !is_lineage_tag(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Where two maps differ.
fn deltas<K: Ord + Clone, V: Clone + PartialEq>(
    good: &BTreeMap<K, V>,
    found: &BTreeMap<K, V>,
) -> Vec<(K, Delta<V>)> {
    let keys: BTreeSet<&K> = good.keys().chain(found.keys()).collect();
    keys.into_iter()
        .filter_map(|key| {
            let delta = match (good.get(key), found.get(key)) {
                (Some(good), Some(found)) if good == found => return None,
                (Some(good), Some(found)) => Delta::Changed {
                    baseline: good.clone(),
                    live: found.clone(),
                },
                (Some(good), None) => Delta::Removed(good.clone()),
                (None, Some(found)) => Delta::Added(found.clone()),
                (None, None) => return None,
            };
            Some((key.clone(), delta))
        })
        .collect()
}

/// Where two sets differ.
fn memberships<'a, T: Ord + Clone>(
    good: &'a BTreeSet<T>,
    found: &'a BTreeSet<T>,
) -> impl Iterator<Item = (T, Delta<()>)> + 'a {
    let removed = good
        .difference(found)
        .map(|item| (item.clone(), Delta::Removed(())));
    let added = found
        .difference(good)
        .map(|item| (item.clone(), Delta::Added(())));
    removed.chain(added)
}

fn groups(good: &SecurityGroup, found: &SecurityGroup) -> Vec<Difference> {
    deltas(&good.rules, &found.rules)
        .into_iter()
        .filter(|(_, delta)| match delta {
            Delta::Changed { baseline, live } => text_differs(baseline, live),
            Delta::Added(_) | Delta::Removed(_) => true,
        })
        .map(|(rule, delta)| Difference::Rule { rule, delta })
        .collect()
}

fn text_differs(good: &RuleDetail, found: &RuleDetail) -> bool {
    good.description != found.description
        || good
            .tags
            .as_ref()
            .zip(found.tags.as_ref())
            .is_some_and(|(good, found)| foreign(good) != foreign(found))
}

fn acls(good: &NetworkAcl, found: &NetworkAcl) -> Vec<Difference> {
    deltas(&good.entries, &found.entries)
        .into_iter()
        .map(|(key, delta)| Difference::Entry { key, delta })
        .collect()
}

fn tables(good: &RouteTable, found: &RouteTable) -> Vec<Difference> {
    let routes = deltas(&comparable(good), &comparable(found))
        .into_iter()
        .filter(|(_, delta)| match delta {
            Delta::Added(route) | Delta::Removed(route) => !is_plain_local(route),
            Delta::Changed { baseline, live } => {
                baseline.target != live.target || baseline.blackhole != live.blackhole
            }
        })
        .map(|(destination, delta)| Difference::Route { destination, delta });
    let propagation = memberships(&good.propagating, &found.propagating)
        .map(|(gateway, delta)| Difference::Propagation { gateway, delta });
    let edges = memberships(&good.gateways, &found.gateways)
        .map(|(gateway, delta)| Difference::Edge { gateway, delta });
    routes.chain(propagation).chain(edges).collect()
}

fn comparable(table: &RouteTable) -> BTreeMap<Destination, Route> {
    table
        .routes
        .iter()
        .filter(|(_, route)| route.origin != RouteOrigin::Propagated)
        .map(|(destination, route)| (destination.clone(), route.clone()))
        .collect()
}

/// The local route of a network of the VPC: it comes and goes with that network alone.
fn is_plain_local(route: &Route) -> bool {
    route.origin == RouteOrigin::Table && route.target == RouteTarget::Local
}

fn subnets(
    id: &ResourceId,
    good: &BTreeSet<SubnetId>,
    found: &BTreeSet<SubnetId>,
    claims: &Claims<'_>,
    holder: impl Fn(&SubnetId) -> Option<ResourceId>,
) -> Vec<Difference> {
    let kind = id.kind();
    let lost = good
        .difference(found)
        .filter(|subnet| claims.holder(kind, subnet) == Some(id))
        .map(|subnet| Difference::Association {
            subnet: subnet.clone(),
            baseline: Some(id.clone()),
            live: holder(subnet),
        });
    let gained = found
        .difference(good)
        .filter(|subnet| claims.holder(kind, subnet).is_none())
        .map(|subnet| Difference::Association {
            subnet: subnet.clone(),
            baseline: None,
            live: Some(id.clone()),
        });
    lost.chain(gained).collect()
}

fn main(
    good: &RouteTable,
    found: &RouteTable,
    live: &Snapshot,
    claims: &Claims<'_>,
) -> Option<Difference> {
    let rightful = claims.mains.get(&good.vpc).map(|(_, id)| *id) == Some(&good.id);
    (good.main && !found.main && rightful).then(|| Difference::Main {
        vpc: good.vpc.clone(),
        baseline: good.id.clone(),
        live: live.main_table_of(&good.vpc).cloned(),
    })
}
