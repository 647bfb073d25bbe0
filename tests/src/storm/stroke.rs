//! One edit of somebody, in terms of content: which call makes it now, whether it stands, and what it
//! does to a state. The same edit is made in the account and, where a trusted hand makes it, in the
//! ideal that the end is judged by.

use snapback_model::*;
use snapback_sim::{Call, GroupBy, RuleChange};
use std::collections::{BTreeMap, BTreeSet};

/// The good states of an omniscient fold: what was captured and every trusted edit since.
pub type Ideal = BTreeMap<ResourceId, Resource>;

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Stroke {
    Authorize(SecurityGroupId, RuleKey),
    Revoke(SecurityGroupId, RuleKey),
    Rewrite(SecurityGroupId, RuleKey, RuleKey),
    Describe(SecurityGroupId, RuleKey, String),
    PutEntry(NetworkAclId, EntryKey, NetworkAclEntry),
    DropEntry(NetworkAclId, EntryKey),
    PutRoute(RouteTableId, Destination, RouteTarget),
    DropRoute(RouteTableId, Destination),
    MoveToAcl(SubnetId, NetworkAclId),
    /// Without a table: the explicit association is taken away.
    MoveToTable(AssociationSubject, Option<RouteTableId>),
    Propagate(RouteTableId, GatewayId, bool),
    Tag(ResourceId, String, String),
    MakeGroup(VpcId, String),
    MakeAcl(VpcId),
    DeleteGroup(SecurityGroupId),
    DeleteAcl(NetworkAclId),
    DeleteTable(RouteTableId),
    Carry(NetworkInterfaceId, Vec<SecurityGroupId>),
    Serve(String, RouteTableId, bool),
    DeleteNat(String),
}

fn group<'a>(live: &'a Ideal, id: &SecurityGroupId) -> Option<&'a SecurityGroup> {
    match live.get(&id.clone().into())? {
        Resource::SecurityGroup(group) => Some(group),
        _ => None,
    }
}

fn acl<'a>(live: &'a Ideal, id: &NetworkAclId) -> Option<&'a NetworkAcl> {
    match live.get(&id.clone().into())? {
        Resource::NetworkAcl(acl) => Some(acl),
        _ => None,
    }
}

fn table<'a>(live: &'a Ideal, id: &RouteTableId) -> Option<&'a RouteTable> {
    match live.get(&id.clone().into())? {
        Resource::RouteTable(table) => Some(table),
        _ => None,
    }
}

impl Stroke {
    /// The call that makes it on the account as it is; `None` where there is nothing to make it on.
    pub fn call(&self, live: &Snapshot) -> Option<Call> {
        let all = &live.resources;
        Some(match self.clone() {
            Self::Authorize(group, rule) => Call::authorize(&group, [(rule, None)]),
            Self::Revoke(group, rule) => Call::revoke(&group, [rule]),
            Self::Rewrite(group, from, to) => Call::ModifySecurityGroupRules {
                changes: vec![RuleChange {
                    id: live.handles.rule_id(&group, &from)?.clone(),
                    traffic: to.traffic,
                    peer: to.peer,
                    description: None,
                }],
                group,
            },
            Self::Describe(group, rule, text) => Call::UpdateSecurityGroupRuleDescriptions {
                group: GroupBy::Id(group),
                direction: rule.direction,
                descriptions: vec![(snapback_sim::RuleBy::Key(rule), Some(text))],
            },
            Self::PutEntry(id, key, entry) => match acl(all, &id)?.entries.contains_key(&key) {
                true => Call::ReplaceNetworkAclEntry {
                    acl: id,
                    key,
                    entry,
                },
                false => Call::CreateNetworkAclEntry {
                    acl: id,
                    key,
                    entry,
                },
            },
            Self::DropEntry(acl, key) => Call::DeleteNetworkAclEntry { acl, key },
            Self::PutRoute(id, destination, target) => {
                match table(all, &id)?.routes.contains_key(&destination) {
                    true => Call::ReplaceRoute {
                        table: id,
                        destination,
                        target,
                    },
                    false => Call::CreateRoute {
                        table: id,
                        destination,
                        target,
                    },
                }
            }
            Self::DropRoute(table, destination) => Call::DeleteRoute { table, destination },
            Self::MoveToAcl(subnet, acl) => {
                let subject = AssociationSubject::Subnet(subnet);
                let handles = &live.handles;
                let association = handles.association_id(Kind::NetworkAcl, &subject)?.clone();
                Call::ReplaceNetworkAclAssociation { association, acl }
            }
            Self::MoveToTable(subject, table) => {
                let handles = &live.handles;
                let known = handles.association_id(Kind::RouteTable, &subject).cloned();
                match (known, table) {
                    (Some(association), Some(table)) => {
                        Call::ReplaceRouteTableAssociation { association, table }
                    }
                    (Some(association), None) => Call::DisassociateRouteTable { association },
                    (None, Some(table)) => Call::AssociateRouteTable { table, subject },
                    (None, None) => return None,
                }
            }
            Self::Propagate(table, gateway, true) => {
                Call::EnableVgwRoutePropagation { table, gateway }
            }
            Self::Propagate(table, gateway, false) => {
                Call::DisableVgwRoutePropagation { table, gateway }
            }
            Self::Tag(resource, key, value) => Call::CreateTags {
                targets: vec![resource.to_string()],
                tags: Tags::from([(key, value)]),
            },
            Self::MakeGroup(vpc, name) => Call::CreateSecurityGroup {
                description: format!("{name} of a storm"),
                name,
                vpc: Some(vpc),
                tags: Tags::new(),
            },
            Self::MakeAcl(vpc) => Call::CreateNetworkAcl {
                vpc,
                tags: Tags::new(),
            },
            Self::DeleteGroup(group) => Call::DeleteSecurityGroup {
                group: GroupBy::Id(group),
            },
            Self::DeleteAcl(acl) => Call::DeleteNetworkAcl { acl },
            Self::DeleteTable(table) => Call::DeleteRouteTable { table },
            Self::Carry(interface, groups) => {
                Call::ModifyNetworkInterfaceGroups { interface, groups }
            }
            Self::Serve(endpoint, table, on) => Call::ModifyVpcEndpoint {
                endpoint,
                add_tables: on.then(|| table.clone()).into_iter().collect(),
                remove_tables: (!on).then_some(table).into_iter().collect(),
                add_subnets: Vec::new(),
                remove_subnets: Vec::new(),
                add_groups: Vec::new(),
                remove_groups: Vec::new(),
            },
            Self::DeleteNat(gateway) => Call::DeleteNatGateway { gateway },
        })
    }

    /// Whether it stands in the account: a controller that fights looks at this.
    pub fn stands(&self, live: &Snapshot) -> bool {
        let all = &live.resources;
        match self {
            Self::Authorize(id, rule) | Self::Rewrite(id, _, rule) => {
                group(all, id).is_none_or(|group| group.rules.contains_key(rule))
            }
            Self::Revoke(id, rule) => {
                group(all, id).is_none_or(|group| !group.rules.contains_key(rule))
            }
            Self::PutEntry(id, key, entry) => {
                acl(all, id).is_none_or(|acl| acl.entries.get(key) == Some(entry))
            }
            Self::DropEntry(id, key) => {
                acl(all, id).is_none_or(|acl| !acl.entries.contains_key(key))
            }
            Self::PutRoute(id, to, target) => table(all, id).is_none_or(|table| {
                table
                    .routes
                    .get(to)
                    .is_some_and(|route| route.target == *target)
            }),
            Self::DropRoute(id, to) => {
                table(all, id).is_none_or(|table| !table.routes.contains_key(to))
            }
            Self::MoveToAcl(subnet, id) => live.acl_of(subnet) == Some(id),
            Self::MoveToTable(AssociationSubject::Subnet(subnet), to) => {
                live.explicit_table_of(subnet) == to.as_ref()
            }
            // What is made, deleted or described once is not done again.
            _ => true,
        }
    }

    /// Makes it in the ideal. What the ideal does not know (somebody's new group) is left out.
    pub fn fold(&self, ideal: &mut Ideal) {
        let mut on_group = |id: &SecurityGroupId, edit: &dyn Fn(&mut SecurityGroup)| {
            if let Some(Resource::SecurityGroup(group)) = ideal.get_mut(&id.clone().into()) {
                edit(group);
            }
        };
        match self {
            Self::Authorize(id, rule) => on_group(id, &|group| {
                let detail = RuleDetail {
                    description: None,
                    tags: Some(Tags::new()),
                };
                group.rules.insert(rule.clone(), detail);
            }),
            Self::Revoke(id, rule) => on_group(id, &|group| {
                group.rules.remove(rule);
            }),
            Self::PutEntry(id, key, entry) => {
                if let Some(Resource::NetworkAcl(acl)) = ideal.get_mut(&id.clone().into()) {
                    acl.entries.insert(*key, entry.clone());
                }
            }
            Self::DropEntry(id, key) => {
                if let Some(Resource::NetworkAcl(acl)) = ideal.get_mut(&id.clone().into()) {
                    acl.entries.remove(key);
                }
            }
            Self::PutRoute(id, destination, target) => {
                if let Some(Resource::RouteTable(table)) = ideal.get_mut(&id.clone().into()) {
                    let route = Route::created(target.clone());
                    table.routes.insert(destination.clone(), route);
                }
            }
            Self::DropRoute(id, destination) => {
                if let Some(Resource::RouteTable(table)) = ideal.get_mut(&id.clone().into()) {
                    table.routes.remove(destination);
                }
            }
            Self::MoveToTable(AssociationSubject::Subnet(subnet), to) => {
                for (id, resource) in ideal.iter_mut() {
                    if let Resource::RouteTable(table) = resource {
                        table.subnets.remove(subnet);
                        if to.as_ref().is_some_and(|to| *id == to.clone().into()) {
                            table.subnets.insert(subnet.clone());
                        }
                    }
                }
            }
            Self::Tag(id, key, value) => match ideal.get_mut(id) {
                Some(Resource::SecurityGroup(group)) => {
                    let tags = group.tags.get_or_insert_default();
                    tags.insert(key.clone(), value.clone());
                }
                Some(Resource::NetworkAcl(acl)) => {
                    acl.tags.insert(key.clone(), value.clone());
                }
                Some(Resource::RouteTable(table)) => {
                    table.tags.insert(key.clone(), value.clone());
                }
                None => {}
            },
            Self::MoveToAcl(subnet, to) => {
                for (id, resource) in ideal.iter_mut() {
                    if let Resource::NetworkAcl(acl) = resource {
                        acl.subnets.remove(subnet);
                        if *id == to.clone().into() {
                            acl.subnets.insert(subnet.clone());
                        }
                    }
                }
            }
            Self::DeleteGroup(id) => drop(ideal.remove(&id.clone().into())),
            Self::DeleteAcl(id) => drop(ideal.remove(&id.clone().into())),
            Self::DeleteTable(id) => drop(ideal.remove(&id.clone().into())),
            Self::DeleteNat(id) => {
                for resource in ideal.values_mut() {
                    if let Resource::RouteTable(table) = resource {
                        let mut routes = table.routes.values_mut();
                        let leads = |route: &&mut Route| route.target.id() == id;
                        routes
                            .by_ref()
                            .filter(leads)
                            .for_each(|route| route.blackhole = true);
                    }
                }
            }
            // No trusted hand does these.
            _ => {}
        }
    }

    /// What it deletes.
    pub fn deletes(&self) -> Option<String> {
        match self {
            Self::DeleteGroup(id) => Some(id.to_string()),
            Self::DeleteAcl(id) => Some(id.to_string()),
            Self::DeleteTable(id) => Some(id.to_string()),
            Self::DeleteNat(id) => Some(id.clone()),
            _ => None,
        }
    }

    /// The resources whose states it edits.
    pub fn edits(&self, live: &Snapshot) -> BTreeSet<ResourceId> {
        match self {
            Self::Authorize(id, _) | Self::Revoke(id, _) => BTreeSet::from([id.clone().into()]),
            Self::PutEntry(id, ..) | Self::DropEntry(id, _) => BTreeSet::from([id.clone().into()]),
            Self::PutRoute(id, ..) | Self::DropRoute(id, _) => BTreeSet::from([id.clone().into()]),
            Self::Tag(id, ..) => BTreeSet::from([id.clone()]),
            Self::DeleteGroup(id) => BTreeSet::from([id.clone().into()]),
            Self::DeleteAcl(id) => BTreeSet::from([id.clone().into()]),
            Self::DeleteTable(id) => BTreeSet::from([id.clone().into()]),
            Self::MoveToAcl(subnet, to) => {
                let from = live.acl_of(subnet);
                let both = from.into_iter().chain([to]);
                both.map(|id| id.clone().into()).collect()
            }
            Self::MoveToTable(AssociationSubject::Subnet(subnet), to) => {
                let from = live.explicit_table_of(subnet);
                let both = from.into_iter().chain(to);
                both.map(|id| id.clone().into()).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// The same edit by the ids that the ideal knows.
    #[must_use]
    pub fn renamed(&self, names: &Lineage) -> Self {
        match self {
            Self::Authorize(id, rule) => Self::Authorize(id.renamed(names), rule.renamed(names)),
            Self::Revoke(id, rule) => Self::Revoke(id.renamed(names), rule.renamed(names)),
            Self::PutEntry(id, key, entry) => {
                Self::PutEntry(id.renamed(names), *key, entry.clone())
            }
            Self::DropEntry(id, key) => Self::DropEntry(id.renamed(names), *key),
            Self::PutRoute(id, to, target) => {
                Self::PutRoute(id.renamed(names), to.clone(), target.clone())
            }
            Self::DropRoute(id, to) => Self::DropRoute(id.renamed(names), to.clone()),
            Self::MoveToTable(subject, to) => {
                let to = to.as_ref().map(|to| to.renamed(names));
                Self::MoveToTable(subject.clone(), to)
            }
            Self::MoveToAcl(subnet, to) => Self::MoveToAcl(subnet.clone(), to.renamed(names)),
            Self::DeleteGroup(id) => Self::DeleteGroup(id.renamed(names)),
            Self::DeleteAcl(id) => Self::DeleteAcl(id.renamed(names)),
            Self::DeleteTable(id) => Self::DeleteTable(id.renamed(names)),
            Self::DeleteNat(id) => Self::DeleteNat(names.current(id).to_owned()),
            Self::Tag(id, key, value) => Self::Tag(id.renamed(names), key.clone(), value.clone()),
            other => other.clone(),
        }
    }
}
