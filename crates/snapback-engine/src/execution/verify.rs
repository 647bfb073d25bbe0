//! Whether live equals the goal.

use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Whether live equals the goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// Every goal resource is as wanted.
    Equal,
    /// Differences remain, in words.
    Differs(Vec<String>),
}

/// Compares a fresh snapshot with the goal. No difference is: text a read did not tell; a
/// propagated route (not ours to write, semantics B1); a tag of AWS's own (`aws:`); a subnet in
/// an ACL whose goal does not know it (semantics A3: it must be somewhere); a goal's blackhole that is alive.
pub fn verify(goal: &BTreeMap<ResourceId, Resource>, live: &Snapshot) -> Verification {
    let mut differences = Differences(Vec::new());
    for (id, wanted) in goal {
        match (wanted, live.resources.get(id)) {
            (Resource::SecurityGroup(wanted), Some(Resource::SecurityGroup(found))) => {
                differences.group(wanted, found)
            }
            (Resource::NetworkAcl(wanted), Some(Resource::NetworkAcl(found))) => {
                differences.acl(wanted, found)
            }
            (Resource::RouteTable(wanted), Some(Resource::RouteTable(found))) => {
                differences.table(wanted, found)
            }
            (_, Some(_)) => differences.0.push(format!("{id} is of another kind")),
            (_, None) if live.covers(id, wanted.vpc()) => {
                differences.0.push(format!("{id} is gone"))
            }
            (_, None) => differences.0.push(format!("{id} was not read")),
        }
    }
    if differences.0.is_empty() {
        Verification::Equal
    } else {
        Verification::Differs(differences.0)
    }
}

struct Differences(Vec<String>);

impl Differences {
    fn maps<K: Ord + Display, V>(
        &mut self,
        place: impl Display,
        wanted: &BTreeMap<K, V>,
        found: &BTreeMap<K, V>,
        same: impl Fn(&V, &V) -> bool,
    ) {
        for (key, value) in wanted {
            match found.get(key) {
                None => self.0.push(format!("{place}: {key} is missing")),
                Some(other) if !same(value, other) => {
                    self.0.push(format!("{place}: {key} differs"))
                }
                Some(_) => {}
            }
        }
        let foreign = found.keys().filter(|key| !wanted.contains_key(key));
        self.0
            .extend(foreign.map(|key| format!("{place}: {key} is still there")));
    }

    fn sets<T: Ord + Display>(
        &mut self,
        table: &RouteTableId,
        wanted: &BTreeSet<T>,
        found: &BTreeSet<T>,
    ) {
        self.0.extend(
            wanted
                .difference(found)
                .map(|item| format!("{table}: {item} is not associated with it")),
        );
        self.0.extend(
            found
                .difference(wanted)
                .map(|item| format!("{table}: {item} is still associated with it")),
        );
    }

    fn tags(&mut self, place: impl Display, wanted: Option<&Tags>, found: Option<&Tags>) {
        if let (Some(wanted), Some(found)) = (wanted, found) {
            let ours = |tags: &Tags| -> Tags {
                tags.iter()
                    .filter(|(key, _)| !key.starts_with("aws:") && !is_lineage_tag(key))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            };
            self.maps(
                format!("{place} tag"),
                &ours(wanted),
                &ours(found),
                |left, right| left == right,
            );
        }
    }

    fn group(&mut self, wanted: &SecurityGroup, found: &SecurityGroup) {
        let same = |left: &RuleDetail, right: &RuleDetail| left.description == right.description;
        self.maps(&wanted.id, &wanted.rules, &found.rules, same);
        for (key, detail) in &wanted.rules {
            if let Some(other) = found.rules.get(key) {
                self.tags(
                    format!("{} {key}", wanted.id),
                    detail.tags.as_ref(),
                    other.tags.as_ref(),
                );
            }
        }
        self.tags(&wanted.id, wanted.tags.as_ref(), found.tags.as_ref());
    }

    fn acl(&mut self, wanted: &NetworkAcl, found: &NetworkAcl) {
        self.maps(
            &wanted.id,
            &wanted.entries,
            &found.entries,
            |left, right| left == right,
        );
        let missing = wanted.subnets.difference(&found.subnets);
        self.0
            .extend(missing.map(|subnet| format!("{}: {subnet} is not in it", wanted.id)));
        self.tags(&wanted.id, Some(&wanted.tags), Some(&found.tags));
    }

    fn table(&mut self, wanted: &RouteTable, found: &RouteTable) {
        let ours = |table: &RouteTable| -> BTreeMap<Destination, Route> {
            let written = table
                .routes
                .iter()
                .filter(|(_, route)| route.origin != RouteOrigin::Propagated);
            written
                .map(|(destination, route)| (destination.clone(), route.clone()))
                .collect()
        };
        let same = |left: &Route, right: &Route| {
            left.target == right.target && (left.blackhole || !right.blackhole)
        };
        self.maps(&wanted.id, &ours(wanted), &ours(found), same);
        self.sets(&wanted.id, &wanted.subnets, &found.subnets);
        self.sets(&wanted.id, &wanted.gateways, &found.gateways);
        let propagation = wanted.propagating.symmetric_difference(&found.propagating);
        self.0.extend(
            propagation.map(|gateway| format!("{}: propagation from {gateway} differs", wanted.id)),
        );
        if wanted.main && !found.main {
            self.0.push(format!("{} is not the main table", wanted.id));
        }
        self.tags(&wanted.id, Some(&wanted.tags), Some(&found.tags));
    }
}
