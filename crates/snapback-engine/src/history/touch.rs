//! What the edits of each change, and the live state, say of which part.

mod association;
mod rules;

use super::names::Names;
use super::told::{Atom, Content, Thing, Told, Touch};
use super::{Reason, Step};
use crate::change::{DeletedRef, Edit, Edits, GroupRef, Touched};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// What a word covers that names no single part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wide {
    /// Every part of one resource.
    Resource(ResourceId),
    /// The prefix-list routes of one table.
    EndpointRoutes(RouteTableId),
    /// The prefix-list routes of every table.
    AllEndpointRoutes,
    /// Every subnet's place, every edge, every main table, of ACLs or tables.
    Holders(Kind),
}

/// Everything said, by part.
#[derive(Default)]
pub(super) struct Touches {
    pub(super) single: BTreeMap<Atom, Vec<Touch>>,
    pub(super) wide: BTreeMap<Wide, Vec<Touch>>,
    /// The resources that each step edits.
    pub(super) edited: BTreeMap<usize, BTreeSet<ResourceId>>,
    /// Steps of which an id or name stays unexplained.
    pub(super) unexplained: BTreeSet<usize>,
}

/// One step being read.
pub(super) struct Reader<'a> {
    pub(super) touches: &'a mut Touches,
    pub(super) names: &'a Names,
    pub(super) shells: &'a BTreeMap<ResourceId, Resource>,
    pub(super) live: Option<&'a Snapshot>,
    pub(super) index: usize,
    pub(super) step: &'a Step,
}

impl Reader<'_> {
    fn say(&mut self, atom: Atom, before: Told, after: Told) {
        let touch = Touch {
            second: self.step.second(),
            step: Some(self.index),
            before,
            after,
        };
        self.touches.single.entry(atom).or_default().push(touch);
    }

    fn say_wide(&mut self, wide: Wide, before: Told, after: Told) {
        let touch = Touch {
            second: self.step.second(),
            step: Some(self.index),
            before,
            after,
        };
        self.touches.wide.entry(wide).or_default().push(touch);
    }

    fn lose(&mut self, wide: Wide, reason: Reason) {
        self.say_wide(wide, Told::Unknown(reason), Told::Unknown(reason));
    }

    /// An edit of a resource that succeeded proves that it existed.
    fn edits(&mut self, id: &ResourceId) {
        self.touches
            .edited
            .entry(self.index)
            .or_default()
            .insert(id.clone());
    }

    fn witness(&mut self, id: &ResourceId) {
        let exists = Told::there(Thing::Set);
        self.say(Atom::Existence(id.clone()), exists.clone(), exists);
    }

    fn part(&mut self, id: ResourceId, element: Element, before: Told, after: Told) {
        self.edits(&id);
        self.witness(&id);
        self.say(Atom::Part(id, element), before, after);
    }

    pub(super) fn read(&mut self) {
        match &self.step.change.edits {
            Edits::Known(edits) => {
                self.rules_modified(edits);
                for edit in edits {
                    self.edit(edit);
                }
            }
            Edits::Unknown { .. } => self.untold(),
            Edits::Context => self.context(),
        }
    }

    /// An event that does not carry its edits: what it points at may have become anything.
    fn untold(&mut self) {
        let of_endpoint = self.step.change.api.contains("VpcEndpoint");
        for touched in &self.step.change.touched {
            match touched {
                Touched::Resource(id) => {
                    self.edits(id);
                    match id {
                        ResourceId::RouteTable(table) if of_endpoint => {
                            self.lose(Wide::EndpointRoutes(table.clone()), Reason::EditsUntold);
                        }
                        id => self.lose(Wide::Resource(id.clone()), Reason::EditsUntold),
                    }
                }
                Touched::GroupNamed { name } => {
                    self.group(&GroupRef::Name(name.clone()), Reason::EditsUntold);
                }
                Touched::Association(_) => {
                    self.lose(Wide::Holders(Kind::NetworkAcl), Reason::EditsUntold);
                    self.lose(Wide::Holders(Kind::RouteTable), Reason::EditsUntold);
                }
                Touched::Context { .. } => {}
            }
        }
    }

    /// Context calls that alter guarded resources by themselves.
    fn context(&mut self) {
        let change = &self.step.change;
        if change.api == "DeleteVpcEndpoints" {
            self.lose(Wide::AllEndpointRoutes, Reason::EditsUntold);
        }
        let (before, after) = match change.api.as_str() {
            // A new subnet takes the default ACL and no table of its own (semantics B1).
            "CreateSubnet" => (Told::ABSENT, false),
            "DeleteSubnet" => (Told::Unknown(Reason::OldUntold), true),
            _ => return,
        };
        for touched in &change.touched {
            let Touched::Context { what, id } = touched else {
                continue;
            };
            if what != "subnet" {
                continue;
            }
            let subnet = SubnetId::new(id.as_str());
            let acl = match after {
                true => Told::ABSENT,
                false => Told::Unknown(Reason::OldUntold),
            };
            self.say(
                Atom::Holder(Kind::NetworkAcl, subnet.clone()),
                before.clone(),
                acl,
            );
            self.say(
                Atom::Holder(Kind::RouteTable, subnet),
                before.clone(),
                Told::ABSENT,
            );
        }
    }

    /// The group that an edit names; where it may mean several, all of them are lost.
    fn group(&mut self, named: &GroupRef, reason: Reason) -> Option<SecurityGroupId> {
        match self.names.group(named) {
            Ok(group) => Some(group),
            Err(candidates) => {
                self.touches.unexplained.insert(self.index);
                for group in candidates {
                    self.lose(Wide::Resource(group.into()), reason);
                }
                None
            }
        }
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::RuleAdded { group, rule, .. } => {
                if let Some(group) = self.group(group, Reason::IdUnexplained) {
                    let after = Told::there(Thing::Set);
                    self.part(
                        group.into(),
                        Element::Rule(rule.clone()),
                        Told::ABSENT,
                        after,
                    );
                }
            }
            Edit::RuleRemoved { group, rule } => self.rule_removed(group, rule),
            Edit::RuleDescribed { group, .. } => {
                if let Some(group) = self.group(group, Reason::IdUnexplained) {
                    let group = group.into();
                    self.edits(&group);
                    self.witness(&group);
                }
            }
            // All of a call at once: `rules_modified`.
            Edit::RuleModified { .. } => {}
            Edit::EntrySet { acl, key, entry } => {
                let thing = Thing::Entry(entry.clone());
                let before = self.found(&thing, "CreateNetworkAclEntry");
                self.part(
                    acl.clone().into(),
                    Element::Entry(*key),
                    before,
                    Told::there(thing),
                );
            }
            Edit::EntryRemoved { acl, key } => {
                let before = Told::Something(Reason::OldUntold);
                self.part(
                    acl.clone().into(),
                    Element::Entry(*key),
                    before,
                    Told::ABSENT,
                );
            }
            Edit::RouteSet {
                table,
                destination,
                target,
            } => {
                let thing = Thing::Route(target.clone());
                let before = match self.may_be_local(table, destination) {
                    true => Told::Unknown(Reason::OldUntold),
                    false => self.found(&thing, "CreateRoute"),
                };
                let element = Element::Route(destination.clone());
                self.part(table.clone().into(), element, before, Told::there(thing));
            }
            Edit::RouteRemoved { table, destination } => {
                let before = Told::Something(Reason::OldUntold);
                let after = match self.may_be_local(table, destination) {
                    true => Told::Unknown(Reason::OldUntold),
                    false => Told::ABSENT,
                };
                let element = Element::Route(destination.clone());
                self.part(table.clone().into(), element, before, after);
            }
            Edit::PropagationSet {
                table,
                gateway,
                enabled,
            } => {
                let after = match enabled {
                    true => Told::there(Thing::Set),
                    false => Told::ABSENT,
                };
                let before = Told::Unknown(Reason::OldUntold);
                let element = Element::Propagation(gateway.clone());
                self.part(table.clone().into(), element, before, after);
            }
            Edit::AclReassociated { .. }
            | Edit::TableAssociated { .. }
            | Edit::TableDisassociated { .. }
            | Edit::TableReassociated { .. } => self.associate(edit),
            // What moves no packet is not looked back at.
            Edit::TagSet { .. } | Edit::TagRemoved { .. } => {}
            Edit::Created { resource } => self.created(resource),
            Edit::Deleted { resource } => self.deleted(resource),
        }
    }

    /// Whether the local route may have this destination: it gives way to a created one and comes
    /// back when that is deleted (semantics B1 `?`), and no event tells.
    fn may_be_local(&self, table: &RouteTableId, destination: &Destination) -> bool {
        if destination.is_default() || matches!(destination, Destination::PrefixList(_)) {
            return false;
        }
        match self.shells.get(&table.clone().into()) {
            Some(Resource::RouteTable(table)) => {
                table.routes.get(destination).is_some_and(|route| {
                    route.origin == RouteOrigin::Table || route.target == RouteTarget::Local
                })
            }
            _ => true,
        }
    }

    /// A Create of an entry or route that is there already in the same form succeeds too
    /// (semantics B1); a Replace finds something.
    fn found(&self, thing: &Thing, create: &str) -> Told {
        if self.step.change.api == create {
            Told::AbsentOr(thing.clone())
        } else {
            Told::Something(Reason::OldUntold)
        }
    }

    fn created(&mut self, resource: &Resource) {
        let id = resource.id();
        let no = || Told::Known(Content::NoResource);
        self.edits(&id);
        self.say(Atom::Existence(id.clone()), no(), Told::there(Thing::Set));
        self.say_wide(Wide::Resource(id.clone()), no(), Told::ABSENT);
        for (element, thing) in parts(resource) {
            self.say(Atom::Part(id.clone(), element), no(), Told::there(thing));
        }
        if let Resource::SecurityGroup(group) = resource
            && self.may_have_ipv6(group.vpc.as_ref())
        {
            // EC2 adds the rule's IPv6 twin where the VPC has IPv6, and no event tells (semantics A1).
            let twin = RuleKey {
                direction: Direction::Egress,
                traffic: Traffic::All,
                peer: Peer::cidr(ipnet::Ipv6Net::default().into()),
            };
            self.say(
                Atom::Part(id, Element::Rule(twin)),
                no(),
                Told::Unknown(Reason::OldUntold),
            );
        }
    }

    fn may_have_ipv6(&self, vpc: Option<&VpcId>) -> bool {
        let known = self
            .live
            .zip(vpc)
            .and_then(|(live, vpc)| live.topology.vpcs.get(vpc));
        known.is_none_or(|vpc| {
            vpc.cidrs
                .iter()
                .any(|net| matches!(net, ipnet::IpNet::V6(_)))
        })
    }

    fn deleted(&mut self, named: &DeletedRef) {
        let id = match named {
            DeletedRef::Id(id) => id.clone(),
            DeletedRef::GroupNamed(name) => {
                match self.group(&GroupRef::Name(name.clone()), Reason::IdUnexplained) {
                    Some(group) => group.into(),
                    None => return,
                }
            }
        };
        let no = || Told::Known(Content::NoResource);
        self.edits(&id);
        self.say(Atom::Existence(id.clone()), Told::there(Thing::Set), no());
        self.say_wide(Wide::Resource(id), Told::Unknown(Reason::OldUntold), no());
    }
}

/// The parts of a resource that events name one by one: no text, no tags, no propagated routes.
pub(super) fn parts(resource: &Resource) -> Vec<(Element, Thing)> {
    match resource {
        Resource::SecurityGroup(group) => group
            .rules
            .keys()
            .map(|key| (Element::Rule(key.clone()), Thing::Set))
            .collect(),
        Resource::NetworkAcl(acl) => acl
            .entries
            .iter()
            .map(|(key, entry)| (Element::Entry(*key), Thing::Entry(entry.clone())))
            .collect(),
        Resource::RouteTable(table) => {
            let routes = table
                .routes
                .iter()
                .filter(|(_, route)| route.origin != RouteOrigin::Propagated)
                .map(|(to, route)| {
                    (
                        Element::Route(to.clone()),
                        Thing::Route(route.target.clone()),
                    )
                });
            let propagations = table
                .propagating
                .iter()
                .map(|gateway| (Element::Propagation(gateway.clone()), Thing::Set));
            let edges = table
                .gateways
                .iter()
                .map(|gateway| (Element::Edge(gateway.clone()), Thing::Set));
            routes.chain(propagations).chain(edges).collect()
        }
    }
}
