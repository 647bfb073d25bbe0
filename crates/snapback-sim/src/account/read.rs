//! What describe calls show: snapshots with exactly the coverage of the read.

use super::{Account, Acl, Group, Table};
use snapback_app::port::Scope;
use snapback_engine::execution::ErrorClass;
use snapback_model::*;

impl Account {
    fn group_state(&self, group: &Group) -> SecurityGroup {
        SecurityGroup {
            id: group.id.clone(),
            name: Some(group.name.clone()),
            description: Some(group.description.clone()),
            vpc: Some(group.vpc.clone()),
            owner: Some(self.id.clone()),
            tags: Some(group.tags.clone()),
            rules: group
                .rules
                .values()
                .map(|rule| {
                    let detail = RuleDetail {
                        description: rule.description.clone(),
                        tags: Some(rule.tags.clone()),
                    };
                    (rule.key.clone(), detail)
                })
                .collect(),
        }
    }

    fn acl_state(&self, acl: &Acl) -> NetworkAcl {
        NetworkAcl {
            id: acl.id.clone(),
            vpc: acl.vpc.clone(),
            owner: Some(self.id.clone()),
            is_default: acl.is_default,
            tags: acl.tags.clone(),
            entries: acl.entries.clone(),
            subnets: acl.associations.values().cloned().collect(),
        }
    }

    pub(crate) fn table_state(&self, table: &Table) -> RouteTable {
        let mut state = RouteTable {
            id: table.id.clone(),
            vpc: table.vpc.clone(),
            owner: Some(self.id.clone()),
            tags: table.tags.clone(),
            main: table.is_main(),
            routes: Default::default(),
            subnets: Default::default(),
            gateways: Default::default(),
            propagating: table.propagating.clone(),
        };
        for (destination, route) in &table.routes {
            let blackhole = !self.is_alive(&route.target, &table.vpc);
            let route = Route {
                target: route.target.clone(),
                origin: route.origin,
                blackhole,
            };
            state.routes.insert(destination.clone(), route);
        }
        for gateway in table
            .propagating
            .iter()
            .filter_map(|id| self.topology.gateways.get(id.as_str()))
        {
            for net in gateway
                .peer_cidrs
                .iter()
                .filter(|_| gateway.vpcs.contains(&table.vpc))
            {
                // A static route wins over a propagated one (semantics A4).
                let target = RouteTarget::VpnGateway(gateway.id.clone());
                let route = Route {
                    target,
                    origin: RouteOrigin::Propagated,
                    blackhole: false,
                };
                state.routes.entry(Destination::cidr(*net)).or_insert(route);
            }
        }
        for subject in table.associations.values() {
            match subject {
                AssociationSubject::Subnet(subnet) => {
                    state.subnets.insert(subnet.clone());
                }
                AssociationSubject::Gateway(gateway) => {
                    state.gateways.insert(gateway.clone());
                }
                AssociationSubject::Main(_) => {}
            }
        }
        state
    }

    fn show_group(&self, snapshot: &mut Snapshot, group: &Group) {
        for (id, rule) in &group.rules {
            let handle = RuleHandle {
                group: group.id.clone(),
                rule: rule.key.clone(),
            };
            snapshot.handles.rules.insert(id.clone(), handle);
        }
        snapshot.resources.insert(
            group.id.clone().into(),
            Resource::SecurityGroup(self.group_state(group)),
        );
    }

    fn show_acl(&self, snapshot: &mut Snapshot, acl: &Acl) {
        for (id, subnet) in &acl.associations {
            let subject = AssociationSubject::Subnet(subnet.clone());
            snapshot.handles.associations.insert(
                id.clone(),
                AssociationHandle {
                    resource: acl.id.clone().into(),
                    subject,
                },
            );
        }
        snapshot.resources.insert(
            acl.id.clone().into(),
            Resource::NetworkAcl(self.acl_state(acl)),
        );
    }

    fn show_table(&self, snapshot: &mut Snapshot, table: &Table) {
        for (id, subject) in &table.associations {
            let handle = AssociationHandle {
                resource: table.id.clone().into(),
                subject: subject.clone(),
            };
            snapshot.handles.associations.insert(id.clone(), handle);
        }
        snapshot.resources.insert(
            table.id.clone().into(),
            Resource::RouteTable(self.table_state(table)),
        );
    }

    /// The answer to a read that began at `at`.
    pub(crate) fn read(&self, scope: &Scope, at: Timestamp) -> Snapshot {
        let mut snapshot = Snapshot::empty(at);
        snapshot.account = Some(self.id.clone());
        snapshot.region = Some(self.region.clone());
        match scope {
            Scope::Everything => {
                snapshot.coverage.extend(Kind::ALL.map(Coverage::Kind));
                snapshot.coverage.insert(Coverage::Subnets);
                self.groups
                    .values()
                    .for_each(|group| self.show_group(&mut snapshot, group));
                self.acls
                    .values()
                    .for_each(|acl| self.show_acl(&mut snapshot, acl));
                self.tables
                    .values()
                    .for_each(|table| self.show_table(&mut snapshot, table));
                snapshot.topology = self.topology.clone();
                snapshot.topology.read = ContextKind::ALL.into();
            }
            Scope::Group(id) => self.read_group(&mut snapshot, id),
            Scope::GroupNamed(name) => {
                for group in self.groups.values().filter(|group| group.name == *name) {
                    snapshot
                        .coverage
                        .insert(Coverage::Resource(group.id.clone().into()));
                    self.show_group(&mut snapshot, group);
                }
            }
            Scope::AclsOf(vpc) => {
                snapshot.coverage.insert(Coverage::AclsOf(vpc.clone()));
                self.acls
                    .values()
                    .filter(|acl| acl.vpc == *vpc)
                    .for_each(|acl| self.show_acl(&mut snapshot, acl));
            }
            Scope::Acl(id) => {
                snapshot
                    .coverage
                    .insert(Coverage::Resource(id.clone().into()));
                self.acls
                    .get(id)
                    .into_iter()
                    .for_each(|acl| self.show_acl(&mut snapshot, acl));
            }
            Scope::TablesOf(vpc) => {
                snapshot.coverage.insert(Coverage::TablesOf(vpc.clone()));
                self.tables
                    .values()
                    .filter(|table| table.vpc == *vpc)
                    .for_each(|table| self.show_table(&mut snapshot, table));
            }
            Scope::NatGatewaysOf(vpc) => {
                let gateways = self.topology.gateways.iter();
                let here = gateways.filter(|(_, gateway)| {
                    gateway.kind == GatewayKind::Nat && gateway.vpcs.contains(vpc)
                });
                snapshot.topology.gateways = here
                    .map(|(id, gateway)| (id.clone(), gateway.clone()))
                    .collect();
                snapshot.topology.addresses = Some(self.elastic_addresses());
            }
            Scope::Table(id) => {
                snapshot
                    .coverage
                    .insert(Coverage::Resource(id.clone().into()));
                self.tables
                    .get(id)
                    .into_iter()
                    .for_each(|table| self.show_table(&mut snapshot, table));
            }
            Scope::Lists(ids) => {
                let known = &self.topology.prefix_lists;
                let found = ids.iter().filter_map(|id| known.get(id));
                let found = found.map(|list| (list.id.clone(), list.clone()));
                snapshot.topology.prefix_lists.extend(found);
            }
        }
        snapshot
    }

    /// DescribeSecurityGroupRules tells rules and owner, not the group; only an empty answer is
    /// followed by DescribeSecurityGroups, which tells whether the group exists.
    fn read_group(&self, snapshot: &mut Snapshot, id: &SecurityGroupId) {
        snapshot
            .coverage
            .insert(Coverage::Resource(id.clone().into()));
        let Some(group) = self.groups.get(id) else {
            return;
        };
        self.show_group(snapshot, group);
        if !group.rules.is_empty()
            && let Some(Resource::SecurityGroup(state)) =
                snapshot.resources.get_mut(&ResourceId::from(id.clone()))
        {
            (state.name, state.description, state.vpc, state.tags) = (None, None, None, None);
        }
    }
}

/// The describe calls that a scope makes, in order.
pub(crate) fn apis(account: &Account, scope: &Scope) -> &'static [&'static str] {
    match scope {
        Scope::Everything => &[
            "DescribeVpcs",
            "DescribeSubnets",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSecurityGroupRules",
            "DescribeNetworkAcls",
            "DescribeRouteTables",
            "DescribeInternetGateways",
            "DescribeNatGateways",
            "DescribeVpcPeeringConnections",
            "DescribeVpcEndpoints",
            "DescribeManagedPrefixLists",
            "DescribeFlowLogs",
            "DescribeVpcBlockPublicAccessOptions",
            "DescribeVpcBlockPublicAccessExclusions",
            "DescribeStaleSecurityGroups",
            "DescribeTags",
        ],
        Scope::Group(id)
            if account
                .groups
                .get(id)
                .is_none_or(|group| group.rules.is_empty()) =>
        {
            &["DescribeSecurityGroupRules", "DescribeSecurityGroups"]
        }
        Scope::Group(_) => &["DescribeSecurityGroupRules"],
        Scope::GroupNamed(_) => &["DescribeSecurityGroups", "DescribeSecurityGroupRules"],
        Scope::AclsOf(_) | Scope::Acl(_) => &["DescribeNetworkAcls"],
        Scope::TablesOf(_) | Scope::Table(_) => &["DescribeRouteTables"],
        Scope::Lists(_) => &["DescribeManagedPrefixLists", "GetManagedPrefixListEntries"],
        Scope::NatGatewaysOf(_) => &["DescribeNatGateways", "DescribeAddresses"],
    }
}

/// What a read does without where this call is refused for good; nothing where it is needed. The
/// adapter of AWS does so too.
pub(crate) fn gap_of(api: &str) -> Option<Gap> {
    match api {
        "DescribeFlowLogs" => Some(Gap::Kind(ContextKind::FlowLogs)),
        "DescribeVpcBlockPublicAccessOptions" | "DescribeVpcBlockPublicAccessExclusions" => {
            Some(Gap::Kind(ContextKind::BlockPublicAccess))
        }
        "DescribeStaleSecurityGroups" => Some(Gap::Kind(ContextKind::StaleReferences)),
        "DescribeTags" => Some(Gap::Names),
        "DescribeAddresses" => Some(Gap::Addresses),
        _ => None,
    }
}

/// A part of the context that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// A whole kind.
    Kind(ContextKind),
    /// The names of instances.
    Names,
    /// The account's Elastic addresses.
    Addresses,
}

impl Gap {
    /// Whether a refusal of this class is a gap and no failure of the read.
    pub(crate) fn takes(self, class: ErrorClass) -> bool {
        matches!(class, ErrorClass::Denied | ErrorClass::Invalid)
            || self == Self::Kind(ContextKind::StaleReferences)
    }

    /// Takes the part out.
    pub(crate) fn withhold(self, topology: &mut Topology) {
        match self {
            Self::Kind(kind) => {
                topology.read.remove(&kind);
                match kind {
                    ContextKind::FlowLogs => topology.flow_logs.clear(),
                    ContextKind::BlockPublicAccess => topology.block_public_access = None,
                    ContextKind::StaleReferences => topology.stale_references.clear(),
                    _ => {}
                }
            }
            Self::Addresses => topology.addresses = None,
            Self::Names => topology
                .interfaces
                .values_mut()
                .for_each(|interface| interface.instance_name = None),
        }
    }
}
