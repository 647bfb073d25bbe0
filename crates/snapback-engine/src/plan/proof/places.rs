//! Which ACL and which table hold whom: in live, now, and at the end.

use super::super::{Action, Step};
use super::behind::filters;
use super::names;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

/// Who is led by a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Traveller {
    Subnet(SubnetId),
    /// What enters by a gateway.
    Edge(GatewayId),
    /// Subnets without an explicit table, those that were not read among them.
    Main(VpcId),
}

impl fmt::Display for Traveller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subnet(id) => id.fmt(f),
            Self::Edge(id) => write!(f, "what enters by {id}"),
            Self::Main(vpc) => write!(f, "subnets on the main table of {vpc}"),
        }
    }
}

/// The ACLs of some subnets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Filtered {
    pub(super) live: NetworkAclId,
    pub(super) now: NetworkAclId,
    pub(super) goal: NetworkAclId,
}

/// The tables of some travellers; a gateway may have none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Routed {
    pub(super) live: Option<RouteTableId>,
    pub(super) now: Option<RouteTableId>,
    pub(super) end: Option<RouteTableId>,
}

type Acls = BTreeMap<SubnetId, NetworkAclId>;
type Tables = BTreeMap<Traveller, RouteTableId>;

/// Everybody's places. Empty where the plan touches no ACL, or no table.
#[derive(Clone)]
pub(super) struct Places {
    /// Subnets and VPCs that are known to have implicit subnets.
    homes: Rc<BTreeMap<SubnetId, VpcId>>,
    acls: [Rc<Acls>; 3],
    tables: [Rc<Tables>; 3],
}

impl Places {
    pub(super) fn new(
        live: &Snapshot,
        goal: &BTreeMap<ResourceId, Resource>,
        start: &Snapshot,
        end: &Snapshot,
        steps: &[Step],
    ) -> Self {
        let mut places = Self {
            homes: Rc::default(),
            acls: Default::default(),
            tables: Default::default(),
        };
        if steps.iter().any(|step| filters(&step.action)) {
            let before = acls(live);
            let mut wanted = before.clone();
            for acl in goal.values().filter_map(as_acl) {
                wanted.extend(
                    acl.subnets
                        .iter()
                        .map(|subnet| (subnet.clone(), acl.id.clone())),
                );
            }
            places.acls = [before.clone(), before, wanted].map(Rc::new);
        }
        if steps.iter().any(|step| routes(&step.action)) {
            let vpcs: BTreeSet<&VpcId> = start
                .resources
                .values()
                .filter_map(as_table)
                .map(|table| &table.vpc)
                .collect();
            let subnets = live.topology.subnets.values();
            let mut homes: BTreeMap<SubnetId, VpcId> = subnets
                .filter(|subnet| vpcs.contains(&subnet.vpc))
                .map(|subnet| (subnet.id.clone(), subnet.vpc.clone()))
                .collect();
            for table in start
                .resources
                .values()
                .chain(end.resources.values())
                .filter_map(as_table)
            {
                let explicit = table.subnets.iter();
                homes.extend(explicit.map(|subnet| (subnet.clone(), table.vpc.clone())));
            }
            places.homes = Rc::new(homes);
            let [before, after] = [start, end].map(|state| Rc::new(places.tables_in(state)));
            places.tables = [Rc::clone(&before), before, after];
        }
        places
    }

    /// Takes up which ACL holds which subnet now.
    pub(super) fn filter(&mut self, state: &Snapshot) {
        let [live, now, _] = &mut self.acls;
        // What the reduced state does not hold is where it was.
        let mut found = Acls::clone(live);
        found.extend(acls(state));
        *now = Rc::new(found);
    }

    /// Takes up which table leads whom now.
    pub(super) fn route(&mut self, state: &Snapshot) {
        let found = self.tables_in(state);
        let [_, now, _] = &mut self.tables;
        *now = Rc::new(found);
    }

    /// The subnets by their ACLs, with their names.
    pub(super) fn filtered(&self) -> Vec<(Filtered, String)> {
        let [live, now, goal] = &self.acls;
        let mut by: BTreeMap<Filtered, Vec<Traveller>> = BTreeMap::new();
        for (subnet, live) in live.iter() {
            if let (Some(now), Some(goal)) = (now.get(subnet), goal.get(subnet)) {
                let place = Filtered {
                    live: live.clone(),
                    now: now.clone(),
                    goal: goal.clone(),
                };
                let of = by.entry(place).or_default();
                of.push(Traveller::Subnet(subnet.clone()));
            }
        }
        named(by)
    }

    /// The travellers by their tables, with their names.
    pub(super) fn routed(&self) -> Vec<(Routed, String)> {
        let [live, now, end] = &self.tables;
        let mut by: BTreeMap<Routed, Vec<Traveller>> = BTreeMap::new();
        let all: BTreeSet<&Traveller> = live.keys().chain(now.keys()).chain(end.keys()).collect();
        for who in all {
            let place = Routed {
                live: live.get(who).cloned(),
                now: now.get(who).cloned(),
                end: end.get(who).cloned(),
            };
            // A subnet whose place is not known at an end is not judged.
            let known =
                matches!(who, Traveller::Edge(_)) || place.live.is_some() && place.end.is_some();
            if known {
                by.entry(place).or_default().push(who.clone());
            }
        }
        named(by)
    }

    fn tables_in(&self, state: &Snapshot) -> Tables {
        let mut tables = Tables::new();
        for table in state.resources.values().filter_map(as_table) {
            let subnets = table.subnets.iter().cloned().map(Traveller::Subnet);
            let edges = table.gateways.iter().cloned().map(Traveller::Edge);
            let main = table.main.then(|| Traveller::Main(table.vpc.clone()));
            let held = subnets.chain(edges).chain(main);
            tables.extend(held.map(|who| (who, table.id.clone())));
        }
        for (subnet, vpc) in self.homes.iter() {
            let who = Traveller::Subnet(subnet.clone());
            if tables.contains_key(&who) {
                continue;
            }
            if let Some(main) = tables.get(&Traveller::Main(vpc.clone())).cloned() {
                tables.insert(who, main);
            }
        }
        tables
    }
}

fn named<P>(by: BTreeMap<P, Vec<Traveller>>) -> Vec<(P, String)> {
    by.into_iter()
        .map(|(place, who)| (place, names(&who.iter().collect::<Vec<_>>())))
        .collect()
}

fn as_acl(resource: &Resource) -> Option<&NetworkAcl> {
    match resource {
        Resource::NetworkAcl(acl) => Some(acl),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    }
}

fn as_table(resource: &Resource) -> Option<&RouteTable> {
    match resource {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    }
}

fn acls(state: &Snapshot) -> Acls {
    let all = state.resources.values().filter_map(as_acl);
    all.flat_map(|acl| {
        acl.subnets
            .iter()
            .map(|subnet| (subnet.clone(), acl.id.clone()))
    })
    .collect()
}

fn routes(action: &Action) -> bool {
    matches!(
        action,
        Action::CreateRoute { .. }
            | Action::ReplaceRoute { .. }
            | Action::DeleteRoute { .. }
            | Action::AssociateRouteTable { .. }
            | Action::ReplaceRouteTableAssociation { .. }
            | Action::DisassociateRouteTable { .. }
            | Action::ModifyVpcEndpoint { .. }
            | Action::DisableVgwRoutePropagation { .. }
    )
}
