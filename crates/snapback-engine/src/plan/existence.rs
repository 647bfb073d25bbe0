//! Making again what was deleted: how a resource that is made is found again, how ids follow.
//!
//! A create call names the resource by the id it had (or by a made-up one, where it is temporary);
//! later calls of the plan name it the same way. When the call is made EC2 gives the new id, and
//! every following call is renamed by the [`Lineage`] of the story. The tags [`SUCCESSOR_OF`] and
//! [`INCIDENT`] go with the create call, so that a half-finished making is found again and never
//! doubled.

use super::tag::RESERVED;
use super::{Action, nat};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// The call that makes a resource again, as it was.
///
/// # Errors
/// What stands in the way, in words.
pub(super) fn create(wanted: &Resource, live: &Snapshot) -> Result<Action, String> {
    let tags = |tags: Option<&Tags>, id: &str| {
        let mut tags = tags.cloned().unwrap_or_default();
        tags.retain(|key, _| !key.starts_with(RESERVED));
        tags.insert(SUCCESSOR_OF.to_owned(), id.to_owned());
        tags
    };
    Ok(match wanted {
        Resource::SecurityGroup(group) => {
            let unknown =
                |what: &str| format!("its {what} was never read: it cannot be made again");
            let name = group.name.clone().ok_or_else(|| unknown("name"))?;
            let vpc = group.vpc.clone().ok_or_else(|| unknown("VPC"))?;
            let description = group
                .description
                .clone()
                .ok_or_else(|| unknown("description"))?;
            let taken = live.resources.values().find(|other| matches!(other, Resource::SecurityGroup(other) if other.name.as_ref() == Some(&name) && other.vpc.as_ref() == Some(&vpc)));
            if let Some(other) = taken {
                return Err(format!("{} has its name {name:?} now", other.id()));
            }
            Action::CreateSecurityGroup {
                group: group.id.clone(),
                name,
                description,
                vpc,
                tags: tags(group.tags.as_ref(), group.id.as_str()),
            }
        }
        Resource::NetworkAcl(acl) if acl.is_default => {
            return Err("a default ACL is made by EC2 only".to_owned());
        }
        Resource::NetworkAcl(acl) => Action::CreateNetworkAcl {
            acl: acl.id.clone(),
            vpc: acl.vpc.clone(),
            tags: tags(Some(&acl.tags), acl.id.as_str()),
            token: None,
        },
        Resource::RouteTable(table) => Action::CreateRouteTable {
            table: table.id.clone(),
            vpc: table.vpc.clone(),
            tags: tags(Some(&table.tags), table.id.as_str()),
            token: None,
        },
    })
}

/// What a create call made, if a snapshot has it: of its kind, with both its tags. A NAT gateway is the
/// same for every story: it is found by its first tag, its place and its addresses.
pub fn born(action: &Action, live: &Snapshot) -> Option<CreatedId> {
    let (kind, tags) = match action {
        Action::CreateNatGateway { request, .. } => return nat::born(request, live),
        Action::CreateSecurityGroup { tags, .. } => (Kind::SecurityGroup, tags),
        Action::CreateNetworkAcl { tags, .. } => (Kind::NetworkAcl, tags),
        Action::CreateRouteTable { tags, .. } => (Kind::RouteTable, tags),
        _ => return None,
    };
    let marks = [SUCCESSOR_OF, INCIDENT];
    let wanted: Vec<(&str, &String)> = marks
        .into_iter()
        .filter_map(|mark| Some((mark, tags.get(mark)?)))
        .collect();
    if wanted.is_empty() {
        return None;
    }
    let marked = |resource: &&Resource| {
        resource.kind() == kind
            && resource.tags().is_some_and(|found| {
                wanted
                    .iter()
                    .all(|(mark, value)| found.get(*mark) == Some(*value))
            })
    };
    let found = live.resources.values().find(marked)?;
    Some(CreatedId::new(found.id().as_str()))
}

impl Action {
    /// The id that what a create call makes is known by in its plan.
    pub fn makes(&self) -> Option<CreatedId> {
        let id = match self {
            Self::CreateSecurityGroup { group, .. } => group.as_str(),
            Self::CreateNetworkAcl { acl, .. } => acl.as_str(),
            Self::CreateRouteTable { table, .. } => table.as_str(),
            Self::CreateNatGateway { gateway, .. } => gateway.as_str(),
            _ => return None,
        };
        Some(CreatedId::new(id))
    }

    /// Whether this is a create call that knows what it makes by this id.
    pub fn makes_as(&self, id: &str) -> bool {
        self.makes().is_some_and(|made| made.as_str() == id)
    }

    /// The kind of the guarded resource that a create call makes.
    pub fn makes_kind(&self) -> Option<Kind> {
        match self {
            Self::CreateSecurityGroup { .. } => Some(Kind::SecurityGroup),
            Self::CreateNetworkAcl { .. } => Some(Kind::NetworkAcl),
            Self::CreateRouteTable { .. } => Some(Kind::RouteTable),
            _ => None,
        }
    }

    /// A create call that knows what it makes by the id that EC2 gave it.
    #[must_use]
    pub fn made_as(&self, id: &CreatedId) -> Self {
        let mut action = self.clone();
        match &mut action {
            Self::CreateSecurityGroup { group, .. } => *group = SecurityGroupId::new(id.as_str()),
            Self::CreateNetworkAcl { acl, .. } => *acl = NetworkAclId::new(id.as_str()),
            Self::CreateRouteTable { table, .. } => *table = RouteTableId::new(id.as_str()),
            Self::CreateNatGateway { gateway, .. } => *gateway = GatewayId::new(id.as_str()),
            _ => {}
        }
        action
    }

    /// The call as it is made in an incident: what is made is tagged with it, and the client token is
    /// the same at every try of the same making (semantics E, idempotency).
    #[must_use]
    pub fn for_incident(&self, incident: &IncidentId) -> Self {
        let mut action = self.clone();
        let seed = self.makes().map(|id| Digest::of(&(incident, &id)));
        match &mut action {
            Self::CreateSecurityGroup { tags, .. } => {
                tags.insert(INCIDENT.to_owned(), incident.to_string());
            }
            Self::CreateNetworkAcl { tags, token, .. }
            | Self::CreateRouteTable { tags, token, .. } => {
                tags.insert(INCIDENT.to_owned(), incident.to_string());
                *token = seed.map(|digest| digest.as_str().to_owned());
            }
            Self::CreateNatGateway { request, .. } => {
                // One gateway serves many tables, each with its own story: none of them makes another.
                let seed = Digest::of(&request);
                request.token.get_or_insert(seed.as_str().to_owned());
                let tags = &mut request.tags;
                tags.insert(INCIDENT.to_owned(), incident.to_string());
            }
            _ => {}
        }
        action
    }
}

fn rules<T: Clone>(rules: &BTreeMap<RuleKey, T>, lineage: &Lineage) -> BTreeMap<RuleKey, T> {
    rules
        .iter()
        .map(|(key, value)| (key.renamed(lineage), value.clone()))
        .collect()
}

fn ids<T: Renamed + Ord>(ids: &BTreeSet<T>, lineage: &Lineage) -> BTreeSet<T> {
    ids.iter().map(|id| id.renamed(lineage)).collect()
}

impl Renamed for Action {
    /// The call with the ids of now. A create call keeps the id its resource is known by.
    fn renamed(&self, lineage: &Lineage) -> Self {
        let mut action = self.clone();
        match &mut action {
            Self::AuthorizeSecurityGroupRules {
                group, rules: of, ..
            } => {
                *group = group.renamed(lineage);
                *of = rules(of, lineage);
            }
            Self::RevokeSecurityGroupRules {
                group, rules: of, ..
            } => {
                *group = group.renamed(lineage);
                *of = rules(of, lineage);
            }
            Self::UpdateSecurityGroupRuleDescriptions {
                group, rules: of, ..
            } => {
                *group = group.renamed(lineage);
                *of = rules(of, lineage);
            }
            Self::ModifySecurityGroupRule {
                group, from, to, ..
            } => {
                *group = group.renamed(lineage);
                *from = from.renamed(lineage);
                *to = to.renamed(lineage);
            }
            Self::CreateNetworkAclEntry { acl, .. }
            | Self::ReplaceNetworkAclEntry { acl, .. }
            | Self::DeleteNetworkAclEntry { acl, .. }
            | Self::DeleteNetworkAcl { acl } => *acl = acl.renamed(lineage),
            Self::ReplaceNetworkAclAssociation { from, acl, .. } => {
                *from = from.as_ref().map(|id| id.renamed(lineage));
                *acl = acl.renamed(lineage);
            }
            Self::ModifyVpcEndpoint {
                endpoint,
                add,
                remove,
            } => {
                *endpoint = lineage.current(endpoint).to_owned();
                *add = ids(add, lineage);
                *remove = ids(remove, lineage);
            }
            Self::AssociateNatGatewayAddress { gateway, .. }
            | Self::AssignPrivateNatGatewayAddress { gateway, .. } => {
                *gateway = gateway.renamed(lineage);
            }
            Self::CreateTags { target, .. } | Self::DeleteTags { target, .. } => {
                *target = lineage.current(target).to_owned();
            }
            Self::CreateSecurityGroup { .. }
            | Self::CreateNetworkAcl { .. }
            | Self::CreateRouteTable { .. }
            | Self::CreateNatGateway { .. } => {}
            other => other.rename_routing(lineage),
        }
        action
    }
}

impl Action {
    fn rename_routing(&mut self, lineage: &Lineage) {
        match self {
            Self::CreateRoute {
                table,
                destination,
                target,
            } => {
                *table = table.renamed(lineage);
                *destination = destination.renamed(lineage);
                *target = target.renamed(lineage);
            }
            Self::ReplaceRoute {
                table,
                destination,
                from,
                target,
            } => {
                *table = table.renamed(lineage);
                *destination = destination.renamed(lineage);
                *from = from.renamed(lineage);
                *target = target.renamed(lineage);
            }
            Self::DeleteRoute {
                table,
                destination,
                from,
            } => {
                *table = table.renamed(lineage);
                *destination = destination.renamed(lineage);
                *from = from.renamed(lineage);
            }
            Self::AssociateRouteTable { table, subject } => {
                *table = table.renamed(lineage);
                *subject = subject.renamed(lineage);
            }
            Self::ReplaceRouteTableAssociation {
                subject,
                from,
                table,
            } => {
                *subject = subject.renamed(lineage);
                *from = from.as_ref().map(|id| id.renamed(lineage));
                *table = table.renamed(lineage);
            }
            Self::DisassociateRouteTable { subject, from } => {
                *subject = subject.renamed(lineage);
                *from = from.renamed(lineage);
            }
            Self::DeleteRouteTable { table } => *table = table.renamed(lineage),
            Self::EnableVgwRoutePropagation { table, gateway }
            | Self::DisableVgwRoutePropagation { table, gateway } => {
                *table = table.renamed(lineage);
                *gateway = gateway.renamed(lineage);
            }
            _ => {}
        }
    }
}
