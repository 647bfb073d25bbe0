//! Chains: what hangs on a thing goes first, then the thing.

use super::{Deed, Ground};
use crate::storm::stroke::Stroke;
use snapback_model::*;

impl Ground<'_> {
    fn references(&self, group: &SecurityGroupId) -> Option<Stroke> {
        self.live.resources.values().find_map(|resource| {
            let Resource::SecurityGroup(other) = resource else {
                return None;
            };
            let names = |rule: &&RuleKey| {
                matches!(&rule.peer, Peer::SecurityGroup { id, .. } if id == group)
            };
            let rule = other.rules.keys().find(names)?;
            (other.id != *group).then(|| Stroke::Revoke(other.id.clone(), rule.clone()))
        })
    }
}

impl Deed {
    /// The group that step 0 chose stays the one: it is told by what the deed did before.
    pub(super) fn delete_group(
        &self,
        step: usize,
        chosen: SecurityGroupId,
        ground: &Ground<'_>,
    ) -> Option<Stroke> {
        let group = match step {
            0 => chosen,
            _ => SecurityGroupId::new(ground.made),
        };
        let there = ground.live.resources.contains_key(&group.clone().into());
        let revoke = ground.references(&group);
        (there && step < 12).then(|| revoke.unwrap_or(Stroke::DeleteGroup(group)))
    }

    pub(super) fn delete_acl(step: usize, number: u16, ground: &Ground<'_>) -> Option<Stroke> {
        let acl = match step {
            0 => ground.acl(number)?,
            _ => match ground
                .live
                .resources
                .get(&NetworkAclId::new(ground.made).into())?
            {
                Resource::NetworkAcl(acl) => acl,
                _ => return None,
            },
        };
        if acl.is_default || step > 8 {
            return None;
        }
        let is_default = |resource: &&Resource| matches!(resource, Resource::NetworkAcl(other) if other.is_default && other.vpc == acl.vpc);
        let default = ground.live.resources.values().find(is_default)?.id();
        Some(match acl.subnets.first() {
            Some(subnet) => Stroke::MoveToAcl(subnet.clone(), NetworkAclId::new(default.as_str())),
            None => Stroke::DeleteAcl(acl.id.clone()),
        })
    }

    pub(super) fn delete_table(step: usize, number: u16, ground: &Ground<'_>) -> Option<Stroke> {
        let table = match step {
            0 => ground.table(number)?,
            _ => match ground
                .live
                .resources
                .get(&RouteTableId::new(ground.made).into())?
            {
                Resource::RouteTable(table) => table,
                _ => return None,
            },
        };
        if table.main || step > 8 {
            return None;
        }
        Some(match table.subnets.first() {
            Some(subnet) => Stroke::MoveToTable(AssociationSubject::Subnet(subnet.clone()), None),
            None => Stroke::DeleteTable(table.id.clone()),
        })
    }

    /// The resource that a deed of several steps is about, once its first step is known.
    pub fn about(&self, ground: &Ground<'_>) -> Option<String> {
        Some(match *self {
            Self::DeleteGroup { group } => ground.group(group)?.id.to_string(),
            Self::DeleteAcl { acl } => ground.acl(acl)?.id.to_string(),
            Self::DeleteTable { table } => ground.table(table)?.id.to_string(),
            _ => return None,
        })
    }

    /// The deletion of what the deed is about.
    pub fn end_of_it(&self) -> Option<Self> {
        Some(match *self {
            Self::OpenPort { group, .. }
            | Self::AddRule { group, .. }
            | Self::RevokeRule { group, .. }
            | Self::WidenRule { group, .. }
            | Self::DescribeRule { group, .. }
            | Self::SwapGroups { group }
            | Self::DeleteGroup { group } => Self::DeleteGroup { group },
            Self::AddEntry { acl, .. }
            | Self::DropEntry { acl, .. }
            | Self::RewriteEntry { acl, .. }
            | Self::MoveSubnet { acl, .. }
            | Self::DeleteAcl { acl } => Self::DeleteAcl { acl },
            Self::AddRoute { table, .. }
            | Self::DropRoute { table, .. }
            | Self::Redirect { table, .. }
            | Self::MoveTable { table, .. }
            | Self::PropagationOff { table }
            | Self::DeleteTable { table } => Self::DeleteTable { table },
            Self::Disassociate { subnet } => Self::DeleteTable { table: subnet },
            Self::CutSubnet { subnet } => Self::DeleteAcl { acl: subnet },
            Self::NewGroup { .. }
            | Self::MainTable { .. }
            | Self::EndpointOff
            | Self::Tag { .. }
            | Self::DeleteNat => return None,
        })
    }
}
