#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod acl_paths;
mod across;
mod arbitrary;
mod calls;
mod emergency;
mod fewest;
mod full;
mod minimal;
mod nat;
mod parameters;
mod properties;
mod recreation;
mod stories;
mod table_stories;
mod temporary;
mod waiting;
mod weave;

use super::*;
use std::collections::BTreeSet;

pub(super) const VPC: &str = "vpc-1";

pub(super) fn vpc() -> VpcId {
    VPC.into()
}

pub(super) fn key(text: &str) -> RuleKey {
    text.parse().unwrap()
}

pub(super) fn described(text: &str) -> RuleDetail {
    RuleDetail {
        description: Some(text.into()),
        tags: Some(Tags::new()),
    }
}

/// A group with rules without description, tags read.
pub(super) fn group(id: &str, rules: &[&str]) -> SecurityGroup {
    let plain = RuleDetail {
        description: None,
        tags: Some(Tags::new()),
    };
    SecurityGroup {
        id: id.into(),
        name: Some(format!("name of {id}")),
        description: Some("a group".into()),
        vpc: Some(vpc()),
        owner: None,
        tags: Some(Tags::new()),
        rules: rules
            .iter()
            .map(|rule| (key(rule), plain.clone()))
            .collect(),
    }
}

pub(super) fn entry_key(text: &str) -> EntryKey {
    text.parse().unwrap()
}

/// `allow tcp:443 0.0.0.0/0`
pub(super) fn entry(text: &str) -> NetworkAclEntry {
    let parts: Vec<&str> = text.split(' ').collect();
    let action = if parts[0] == "allow" {
        RuleAction::Allow
    } else {
        RuleAction::Deny
    };
    NetworkAclEntry::new(action, parts[1].parse().unwrap(), parts[2].parse().unwrap())
}

/// An ACL from lines `ingress 100 allow tcp:443 0.0.0.0/0`.
pub(super) fn acl(id: &str, subnets: &[&str], entries: &[&str]) -> NetworkAcl {
    let line = |text: &&str| {
        let mut parts = text.splitn(3, ' ');
        let at = format!("{} {}", parts.next().unwrap(), parts.next().unwrap());
        (entry_key(&at), entry(parts.next().unwrap()))
    };
    NetworkAcl {
        id: id.into(),
        vpc: vpc(),
        owner: None,
        is_default: false,
        tags: Tags::new(),
        entries: entries.iter().map(line).collect(),
        subnets: subnets
            .iter()
            .map(|subnet| SubnetId::from(*subnet))
            .collect(),
    }
}

pub(super) fn target(text: &str) -> RouteTarget {
    let id = text.to_owned();
    match text.split('-').next().unwrap() {
        "local" => RouteTarget::Local,
        "igw" => RouteTarget::InternetGateway(id),
        "vgw" => RouteTarget::VpnGateway(id),
        "nat" => RouteTarget::NatGateway(id),
        "eigw" => RouteTarget::EgressOnlyInternetGateway(id),
        "eni" => RouteTarget::NetworkInterface(id),
        "pcx" => RouteTarget::VpcPeeringConnection(id),
        "tgw" => RouteTarget::TransitGateway(id),
        "vpce" => RouteTarget::GatewayLoadBalancerEndpoint(id),
        other => panic!("{other}"),
    }
}

/// A table with the local route and routes `0.0.0.0/0 igw-1`.
pub(super) fn table(id: &str, subnets: &[&str], routes: &[&str]) -> RouteTable {
    let local = Route {
        target: RouteTarget::Local,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    let line = |text: &&str| {
        let (destination, to) = text.split_once(' ').unwrap();
        (
            destination.parse::<Destination>().unwrap(),
            Route::created(target(to)),
        )
    };
    let mut held: BTreeMap<Destination, Route> =
        BTreeMap::from([("10.0.0.0/16".parse().unwrap(), local)]);
    held.extend(routes.iter().map(line));
    RouteTable {
        id: id.into(),
        vpc: vpc(),
        owner: None,
        tags: Tags::new(),
        main: false,
        routes: held,
        subnets: subnets
            .iter()
            .map(|subnet| SubnetId::from(*subnet))
            .collect(),
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    }
}

/// The guarded kinds as resources.
pub(super) trait IntoResource {
    fn into_resource(self) -> Resource;
}

impl IntoResource for SecurityGroup {
    fn into_resource(self) -> Resource {
        Resource::SecurityGroup(self)
    }
}

impl IntoResource for NetworkAcl {
    fn into_resource(self) -> Resource {
        Resource::NetworkAcl(self)
    }
}

impl IntoResource for RouteTable {
    fn into_resource(self) -> Resource {
        Resource::RouteTable(self)
    }
}

/// A snapshot of everything, with an id for every part and every subnet of its resources known.
pub(super) fn snapshot(resources: impl IntoIterator<Item = Resource>) -> Snapshot {
    let mut state = Snapshot::empty("2026-11-23T12:00:00Z".parse().unwrap());
    state.coverage = Kind::ALL
        .into_iter()
        .map(Coverage::Kind)
        .chain([Coverage::Subnets])
        .collect();
    for resource in resources {
        add_handles(&mut state.handles, &resource);
        let subnets: Vec<SubnetId> = match &resource {
            Resource::SecurityGroup(_) => Vec::new(),
            Resource::NetworkAcl(acl) => acl.subnets.iter().cloned().collect(),
            Resource::RouteTable(table) => table.subnets.iter().cloned().collect(),
        };
        for id in subnets {
            let subnet = Subnet::new(id.clone(), vpc());
            state.topology.subnets.insert(id, subnet);
        }
        state.resources.insert(resource.id(), resource);
    }
    state
}

fn add_handles(handles: &mut Handles, resource: &Resource) {
    let subjects: Vec<AssociationSubject> = match resource {
        Resource::SecurityGroup(group) => {
            for rule in group.rules.keys() {
                let id = SecurityGroupRuleId::new(format!("sgr-{}", handles.rules.len()));
                handles.rules.insert(
                    id,
                    RuleHandle {
                        group: group.id.clone(),
                        rule: rule.clone(),
                    },
                );
            }
            Vec::new()
        }
        Resource::NetworkAcl(acl) => acl
            .subnets
            .iter()
            .cloned()
            .map(AssociationSubject::Subnet)
            .collect(),
        Resource::RouteTable(table) => {
            let subnets = table
                .subnets
                .iter()
                .cloned()
                .map(AssociationSubject::Subnet);
            let gateways = table
                .gateways
                .iter()
                .cloned()
                .map(AssociationSubject::Gateway);
            let main = table
                .main
                .then(|| AssociationSubject::Main(table.vpc.clone()));
            subnets.chain(gateways).chain(main).collect()
        }
    };
    for subject in subjects {
        let prefix = if resource.kind() == Kind::NetworkAcl {
            "aclassoc"
        } else {
            "rtbassoc"
        };
        let id = AssociationId::new(format!("{prefix}-{}", handles.associations.len()));
        handles.associations.insert(
            id,
            AssociationHandle {
                resource: resource.id(),
                subject,
            },
        );
    }
}

pub(super) fn goal(
    resources: impl IntoIterator<Item = Resource>,
) -> BTreeMap<ResourceId, Resource> {
    resources
        .into_iter()
        .map(|resource| (resource.id(), resource))
        .collect()
}

/// A baseline of a state with the ids that its parts had.
pub(super) fn baselines(state: &Snapshot) -> Baselines {
    let baseline = |(id, resource): (&ResourceId, &Resource)| {
        let baseline = Baseline {
            schema: BASELINE_SCHEMA,
            id: id.clone(),
            vpc: resource.vpc().cloned(),
            state: Some(resource.clone()),
            handles: state.handles.of(id),
            generation: Generation(1),
            parent: None,
            provenance: Provenance {
                origin: Origin::Captured,
                by: "test".into(),
                why: "test".into(),
                at: state.observed_at,
                event: None,
            },
            marks: BTreeMap::new(),
            predecessor: None,
            successor: None,
        };
        (id.clone(), baseline)
    };
    Baselines {
        by_id: state.resources.iter().map(baseline).collect(),
        topology: state.topology.clone(),
        seen: None,
    }
}

/// The plan from one state to another, with the other's ids known.
pub(super) fn plan_between(live: &Snapshot, good: &Snapshot) -> Plan {
    plan(live, &good.resources, &baselines(good))
}

pub(super) fn apis(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|step| step.action.api()).collect()
}

/// Folds a plan over live; every step must find what it expects.
pub(super) fn folded(live: &Snapshot, plan: &Plan) -> Snapshot {
    let mut state = live.clone();
    for step in &plan.steps {
        assert_eq!(
            readiness(&step.action, &state),
            Readiness::Ready,
            "{}",
            step.action.describe()
        );
        apply(&step.action, &mut state)
            .unwrap_or_else(|why| panic!("{}: {why}", step.action.describe()));
        assert_eq!(
            readiness(&step.action, &state),
            Readiness::AlreadyInPlace,
            "{}",
            step.action.describe()
        );
    }
    state
}
