//! From a bag of describe outputs to one canonical snapshot.

use super::reading::{Reading, said};
use super::{Described, network_acl, route_table, security_group, topology};
use crate::{
    AccountId, Coverage, Handles, Region, Resource, ResourceId, SecurityGroupId, Snapshot,
    Timestamp, Unknown,
};
use std::collections::{BTreeMap, BTreeSet};

impl Described {
    /// The canonical snapshot. `coverage` is what the caller knows to have read completely (from
    /// files: [`Described::coverage`]); `account` also tells own group peers from foreign ones where
    /// a group's owner is not told.
    pub fn into_snapshot(
        mut self,
        observed_at: Timestamp,
        coverage: BTreeSet<Coverage>,
        account: Option<AccountId>,
        region: Option<Region>,
    ) -> Snapshot {
        let mut parts = Parts {
            unknown: std::mem::take(&mut self.unknown),
            ..Parts::default()
        };
        for key in &self.truncated {
            let place = "describe output".to_owned();
            let value = "there are more pages (NextToken): absence proves nothing".to_owned();
            parts.unknown.push(Unknown {
                place,
                member: key.clone(),
                value,
            });
        }
        let of_rules_only = parts.groups(&self, account.as_ref());
        parts.acls(&self);
        parts.tables(&self);
        let topology = topology::topology(&self, &mut parts.unknown);
        let Parts {
            resources,
            handles,
            mut unknown,
        } = parts;
        let key = |unknown: &Unknown| {
            (
                unknown.place.clone(),
                unknown.member.clone(),
                unknown.value.clone(),
            )
        };
        unknown.sort_by_cached_key(key);
        unknown.dedup();
        // A group of which only a broken or cut-off list of rules is known was not read.
        let unread =
            |one: &Coverage| matches!(one, Coverage::Resource(id) if of_rules_only.contains(id));
        let coverage = coverage.into_iter().filter(|one| !unread(one)).collect();
        Snapshot {
            account,
            region,
            coverage,
            resources,
            handles,
            topology,
            unknown,
            ..Snapshot::empty(observed_at)
        }
    }
}

#[derive(Default)]
struct Parts {
    resources: BTreeMap<ResourceId, Resource>,
    handles: Handles,
    unknown: Vec<Unknown>,
}

impl Parts {
    fn add(&mut self, resource: Resource, handles: Handles) {
        self.handles.extend(handles);
        self.resources.insert(resource.id(), resource);
    }

    /// Groups, with their rules from either call. Gives the groups whose rules alone were read, and
    /// not whole: they are left out.
    fn groups(
        &mut self,
        described: &Described,
        account: Option<&AccountId>,
    ) -> BTreeSet<ResourceId> {
        let owners: BTreeMap<SecurityGroupId, AccountId> = described
            .security_groups
            .iter()
            .filter_map(|group| {
                Some((said(&group.group_id)?.into(), said(&group.owner_id)?.into()))
            })
            .collect();
        let mut rules = security_group::rules(
            &described.security_group_rules,
            &owners,
            account,
            &mut self.unknown,
        );
        let rules_key = "SecurityGroupRules";
        let cut_off = described.truncated.contains(rules_key) || described.lost.contains(rules_key);
        for (index, group) in described.security_groups.iter().enumerate() {
            let place = said(&group.group_id)
                .map_or_else(|| format!("SecurityGroups[{index}]"), str::to_owned);
            let read = said(&group.group_id).and_then(|id| rules.remove(&id.into()));
            let read = read.map(|read| if cut_off { read.not_whole() } else { read });
            let mut reading = Reading::new(place, &mut self.unknown);
            if let Some((group, handles)) =
                security_group::group(group, read, account, &mut reading)
            {
                self.add(Resource::SecurityGroup(group), handles);
            }
        }
        let mut unread = BTreeSet::new();
        for (id, read) in rules {
            if self.resources.contains_key(&ResourceId::from(id.clone())) {
                continue;
            }
            let read = if cut_off { read.not_whole() } else { read };
            match security_group::group_of_rules(id.clone(), read) {
                Some((group, handles)) => self.add(Resource::SecurityGroup(group), handles),
                None => {
                    let mut reading = Reading::new(&id, &mut self.unknown);
                    reading.tell(
                        "SecurityGroupRules",
                        "not all rules of the group could be read: left out",
                    );
                    unread.insert(ResourceId::from(id));
                }
            }
        }
        unread
    }

    fn acls(&mut self, described: &Described) {
        for (index, acl) in described.network_acls.iter().enumerate() {
            let place = said(&acl.network_acl_id)
                .map_or_else(|| format!("NetworkAcls[{index}]"), str::to_owned);
            let read = network_acl::network_acl(acl, &mut Reading::new(place, &mut self.unknown));
            if let Some((acl, handles)) = read {
                self.add(Resource::NetworkAcl(acl), handles);
            }
        }
    }

    fn tables(&mut self, described: &Described) {
        for (index, table) in described.route_tables.iter().enumerate() {
            let place = said(&table.route_table_id)
                .map_or_else(|| format!("RouteTables[{index}]"), str::to_owned);
            let read = route_table::route_table(table, &mut Reading::new(place, &mut self.unknown));
            if let Some((table, handles)) = read {
                self.add(Resource::RouteTable(table), handles);
            }
        }
    }
}
