//! An account from a snapshot (describe output): ids that the snapshot does not tell are made.

use super::{Account, Acl, Group, Rule, StoredRoute, Table};
use snapback_model::*;

impl Account {
    /// Loads a snapshot. Propagated routes are not stored: they follow from what the
    /// gateways announce.
    pub(crate) fn load(snapshot: &Snapshot, seed: u64) -> Self {
        let id = snapshot
            .account
            .clone()
            .unwrap_or_else(|| AccountId::from(crate::ACCOUNT));
        let region = snapshot
            .region
            .clone()
            .unwrap_or_else(|| Region::from(crate::REGION));
        let mut account = Self::new(id, region, seed);
        account.topology = snapshot.topology.clone();
        account.adopt_addresses();
        for resource in snapshot.resources.values() {
            match resource {
                Resource::SecurityGroup(group) => account.load_group(group, &snapshot.handles),
                Resource::NetworkAcl(acl) => account.load_acl(acl, &snapshot.handles),
                Resource::RouteTable(table) => account.load_table(table, &snapshot.handles),
            }
        }
        account
    }

    fn load_group(&mut self, group: &SecurityGroup, handles: &Handles) {
        let mut loaded = Group {
            id: group.id.clone(),
            name: group.name.clone().unwrap_or_else(|| group.id.to_string()),
            description: group.description.clone().unwrap_or_default(),
            vpc: group
                .vpc
                .clone()
                .unwrap_or_else(|| VpcId::from("vpc-unknown")),
            tags: group.tags.clone().unwrap_or_default(),
            rules: Default::default(),
        };
        for (key, detail) in &group.rules {
            let known = handles.rule_id(&group.id, key).cloned();
            let id = known.unwrap_or_else(|| SecurityGroupRuleId::new(self.mint.id("sgr")));
            let tags = detail.tags.clone().unwrap_or_default();
            loaded.rules.insert(
                id,
                Rule {
                    key: key.clone(),
                    description: detail.description.clone(),
                    tags,
                },
            );
        }
        self.groups.insert(group.id.clone(), loaded);
    }

    fn association(
        &mut self,
        kind: Kind,
        prefix: &str,
        subject: &AssociationSubject,
        handles: &Handles,
    ) -> AssociationId {
        let known = handles.association_id(kind, subject).cloned();
        known.unwrap_or_else(|| AssociationId::new(self.mint.id(prefix)))
    }

    fn load_acl(&mut self, acl: &NetworkAcl, handles: &Handles) {
        let mut loaded = Acl {
            id: acl.id.clone(),
            vpc: acl.vpc.clone(),
            is_default: acl.is_default,
            tags: acl.tags.clone(),
            entries: acl.entries.clone(),
            associations: Default::default(),
        };
        for subnet in &acl.subnets {
            let subject = AssociationSubject::Subnet(subnet.clone());
            loaded.associations.insert(
                self.association(Kind::NetworkAcl, "aclassoc", &subject, handles),
                subnet.clone(),
            );
        }
        self.acls.insert(acl.id.clone(), loaded);
    }

    /// What a VPN gateway announces is told by the routes it propagated, and by nothing else.
    fn learn_announced(&mut self, table: &RouteTable) {
        let propagated = table
            .routes
            .iter()
            .filter(|(_, route)| route.origin == RouteOrigin::Propagated);
        for (destination, route) in propagated {
            if let Some(gateway) = self.topology.gateways.get_mut(route.target.id()) {
                gateway.peer_cidrs.extend(destination.as_cidr());
            }
        }
    }

    fn load_table(&mut self, table: &RouteTable, handles: &Handles) {
        self.learn_announced(table);
        let routes = table
            .routes
            .iter()
            .filter(|(_, route)| route.origin != RouteOrigin::Propagated);
        let mut loaded = Table {
            id: table.id.clone(),
            vpc: table.vpc.clone(),
            tags: table.tags.clone(),
            routes: routes
                .map(|(destination, route)| {
                    (
                        destination.clone(),
                        StoredRoute {
                            target: route.target.clone(),
                            origin: route.origin,
                        },
                    )
                })
                .collect(),
            associations: Default::default(),
            propagating: table.propagating.clone(),
        };
        let mut subjects: Vec<AssociationSubject> = table
            .subnets
            .iter()
            .cloned()
            .map(AssociationSubject::Subnet)
            .collect();
        subjects.extend(
            table
                .gateways
                .iter()
                .cloned()
                .map(AssociationSubject::Gateway),
        );
        if table.main {
            subjects.push(AssociationSubject::Main(table.vpc.clone()));
        }
        for subject in subjects {
            let id = self.association(Kind::RouteTable, "rtbassoc", &subject, handles);
            loaded.associations.insert(id, subject);
        }
        self.tables.insert(table.id.clone(), loaded);
    }
}
