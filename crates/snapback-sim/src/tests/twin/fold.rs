//! What a record says happened, done to the state before it.

use snapback_engine::change::{DeletedRef, Edit, GroupRef, RuleRef};
use snapback_model::*;
use std::collections::BTreeMap;

fn group_of(group: &GroupRef) -> SecurityGroupId {
    match group {
        GroupRef::Id(id) => id.clone(),
        GroupRef::Name(name) => panic!("{name}: only ids here"),
    }
}

fn rules<'a>(
    state: &'a mut Snapshot,
    id: &SecurityGroupId,
) -> &'a mut BTreeMap<RuleKey, RuleDetail> {
    match state.resources.get_mut(&id.clone().into()) {
        Some(Resource::SecurityGroup(group)) => &mut group.rules,
        _ => panic!("no {id}"),
    }
}

fn acl<'a>(state: &'a mut Snapshot, id: &NetworkAclId) -> &'a mut NetworkAcl {
    match state.resources.get_mut(&id.clone().into()) {
        Some(Resource::NetworkAcl(acl)) => acl,
        _ => panic!("no {id}"),
    }
}

fn table<'a>(state: &'a mut Snapshot, id: &RouteTableId) -> &'a mut RouteTable {
    match state.resources.get_mut(&id.clone().into()) {
        Some(Resource::RouteTable(table)) => table,
        _ => panic!("no {id}"),
    }
}

fn by_ref(state: &Snapshot, rule: &RuleRef) -> RuleKey {
    match rule {
        RuleRef::Key(key) => key.clone(),
        RuleRef::Id(id) => state.handles.rules[id].rule.clone(),
    }
}

fn detach(state: &mut Snapshot, association: &AssociationId) -> AssociationSubject {
    let handle = state.handles.associations[association].clone();
    match (&handle.resource, &handle.subject) {
        (ResourceId::NetworkAcl(id), AssociationSubject::Subnet(subnet)) => {
            acl(state, id).subnets.remove(subnet);
        }
        (ResourceId::RouteTable(id), AssociationSubject::Subnet(subnet)) => {
            table(state, id).subnets.remove(subnet);
        }
        (ResourceId::RouteTable(id), AssociationSubject::Main(_)) => table(state, id).main = false,
        other => panic!("{other:?}"),
    }
    handle.subject
}

fn attach(state: &mut Snapshot, id: &RouteTableId, subject: AssociationSubject) {
    match subject {
        AssociationSubject::Subnet(subnet) => {
            table(state, id).subnets.insert(subnet);
        }
        AssociationSubject::Main(_) => table(state, id).main = true,
        AssociationSubject::Gateway(gateway) => panic!("{gateway}"),
    }
}

/// What a record says happened, done to the state before it.
pub(super) fn edit(state: &mut Snapshot, edit: &Edit) {
    match edit {
        Edit::RuleAdded {
            group,
            rule,
            detail,
            ..
        } => {
            let detail = RuleDetail {
                tags: detail.tags.clone().or(Some(Tags::new())),
                ..detail.clone()
            };
            rules(state, &group_of(group)).insert(rule.clone(), detail);
        }
        Edit::RuleRemoved { group, rule } => {
            let key = by_ref(state, rule);
            rules(state, &group_of(group)).remove(&key);
        }
        Edit::RuleModified {
            group,
            id,
            traffic,
            peer,
            description,
        } => {
            let old = state.handles.rules[id].rule.clone();
            let key = RuleKey {
                direction: old.direction,
                traffic: *traffic,
                peer: peer.clone(),
            };
            let held = rules(state, &group_of(group));
            let tags = held.remove(&old).unwrap().tags;
            held.insert(
                key,
                RuleDetail {
                    description: description.clone(),
                    tags,
                },
            );
        }
        Edit::RuleDescribed {
            group,
            rule,
            description,
        } => {
            let key = by_ref(state, rule);
            rules(state, &group_of(group))
                .get_mut(&key)
                .unwrap()
                .description = description.clone();
        }
        Edit::EntrySet {
            acl: id,
            key,
            entry,
        } => {
            acl(state, id).entries.insert(*key, entry.clone());
        }
        Edit::EntryRemoved { acl: id, key } => {
            acl(state, id).entries.remove(key);
        }
        Edit::AclReassociated {
            association,
            acl: id,
            ..
        } => {
            let AssociationSubject::Subnet(subnet) = detach(state, association) else {
                panic!("no subnet")
            };
            acl(state, id).subnets.insert(subnet);
        }
        Edit::RouteSet {
            table: id,
            destination,
            target,
        } => {
            let held = &mut table(state, id).routes;
            let origin = held
                .get(destination)
                .map_or(RouteOrigin::Created, |route| route.origin);
            held.insert(
                destination.clone(),
                Route {
                    target: target.clone(),
                    origin,
                    blackhole: false,
                },
            );
        }
        Edit::RouteRemoved {
            table: id,
            destination,
        } => {
            table(state, id).routes.remove(destination);
        }
        Edit::TableAssociated {
            table: id, subject, ..
        } => attach(state, id, subject.clone()),
        Edit::TableDisassociated { association } => {
            detach(state, association);
        }
        Edit::TableReassociated {
            association,
            table: id,
            ..
        } => {
            let subject = detach(state, association);
            attach(state, id, subject);
        }
        Edit::PropagationSet {
            table: id,
            gateway,
            enabled,
        } => {
            let table = table(state, id);
            if *enabled {
                table.propagating.insert(gateway.clone())
            } else {
                table.propagating.remove(gateway)
            };
        }
        // Only the sweep asks for records that tell of tags.
        Edit::TagSet { .. } | Edit::TagRemoved { .. } => panic!("no event tells of tags: {edit:?}"),
        Edit::Created { resource } => {
            let mut resource = Resource::clone(resource);
            if let Resource::SecurityGroup(group) = &mut resource {
                // The response of CreateSecurityGroup does not tell whether the VPC has IPv6.
                let egress = "egress all ::/0".parse().unwrap();
                group.rules.insert(egress, RuleDetail::default());
            }
            state.resources.insert(resource.id(), resource);
        }
        Edit::Deleted {
            resource: DeletedRef::Id(id),
        } => {
            state.resources.remove(id);
        }
        Edit::Deleted {
            resource: DeletedRef::GroupNamed(name),
        } => panic!("{name}: only ids here"),
    }
}
