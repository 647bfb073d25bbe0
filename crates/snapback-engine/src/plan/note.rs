//! What a plan says of itself beside its calls, and whether policy lets it run.

use super::{Action, Plan};
use crate::policy::{Interruptions, Policy};
use serde::{Deserialize, Serialize};
use snapback_model::{NetworkInterface, ResourceId, SecurityGroupId, Topology};

/// Groups on one interface unless the quota was raised (semantics A1).
const GROUPS_MAX: usize = 5;

/// What a plan cannot do, what it waits for, or what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// A difference no call of this version can undo: told, not tried.
    Cannot {
        /// The resource.
        resource: ResourceId,
        /// What and why.
        what: String,
    },
    /// A difference that can be undone once something else is there again: told, not tried. A route
    /// is never written to a target that is dead (semantics B1).
    Needs {
        /// The resource.
        resource: ResourceId,
        /// What is not put back, and why.
        what: String,
        /// What has to be there first: `nat-1 made again`.
        needs: String,
    },
    /// A step from which on traffic that both ends allow is cut, traffic neither allows is open, or
    /// it is not proved that neither happens.
    Interrupts {
        /// Index of the step.
        step: usize,
        /// Index of the step after which it is over; `None` where it is not, or not known to be.
        #[serde(default)]
        until: Option<usize>,
        /// Which packets.
        what: String,
        /// Why there is no better way.
        #[serde(default)]
        why: String,
    },
}

impl Note {
    /// The note in one line.
    pub fn words(&self) -> String {
        match self {
            Self::Cannot { resource, what } => format!("not in this plan: {resource}: {what}"),
            Self::Needs {
                resource,
                what,
                needs,
            } => format!("not in this plan: {resource}: {what}; needs: {needs}"),
            Self::Interrupts {
                step,
                until,
                what,
                why,
            } => {
                let until = match until {
                    Some(until) => format!("until step {} is made", until.saturating_add(1)),
                    None => "to the end of the plan".to_owned(),
                };
                let why = if why.is_empty() {
                    String::new()
                } else {
                    format!("; {why}")
                };
                format!("at step {}, {until}: {what}{why}", step.saturating_add(1))
            }
        }
    }

    /// What the plan does not do, with its resource; `None` for what it does at a price.
    pub fn left_undone(&self) -> Option<String> {
        match self {
            Self::Cannot { resource, what } => Some(format!("{resource}: {what}")),
            Self::Needs {
                resource,
                what,
                needs,
            } => Some(format!("{resource}: {what}; needs: {needs}")),
            Self::Interrupts { .. } => None,
        }
    }
}

/// What the state after a step does to traffic, as far as it is proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepSafety {
    /// Nothing that both ends allow is cut, nothing that neither allows is open, and every address
    /// is led where an end leads it (design.md principle 4).
    Safe,
    /// Something is cut, open or led astray.
    Interrupts {
        /// Which packets.
        what: String,
        /// Why there is no better way.
        why: String,
    },
    /// Not shown to be safe.
    Unproved {
        /// Why not.
        why: String,
    },
}

/// Whether a plan may run without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// It may.
    Granted,
    /// It may not; what it would interrupt, one line each.
    Refused(Vec<String>),
}

/// Whether policy lets this plan run: one that interrupts, or is not proved not to, only where
/// `interruptions` is `allow`.
pub fn permission(plan: &Plan, policy: &Policy) -> Permission {
    let price: Vec<String> = plan
        .notes
        .iter()
        .filter(|note| matches!(note, Note::Interrupts { .. }))
        .map(Note::words)
        .collect();
    if price.is_empty() || policy.interruptions == Interruptions::Allow {
        Permission::Granted
    } else {
        let told = price.into_iter().map(|line| {
            format!("the plan interrupts, which the policy forbids (interruptions: forbid): {line}")
        });
        Permission::Refused(told.collect())
    }
}

/// Why no better way was found, by the call that interrupts.
pub(super) fn no_better_way(action: &Action, topology: &Topology) -> String {
    let why = match action {
        Action::AuthorizeSecurityGroupRules { group, .. }
        | Action::RevokeSecurityGroupRules { group, .. }
        | Action::ModifySecurityGroupRule { group, .. } => return full_group(group, topology),
        Action::CreateNetworkAclEntry { .. }
        | Action::ReplaceNetworkAclEntry { .. }
        | Action::DeleteNetworkAclEntry { .. } => {
            "no order of single entries avoids it, the list has no room for a block before it, and no temporary ACL can be made"
        }
        Action::ReplaceNetworkAclAssociation { .. } => {
            "ACLs exchange subnets while their entries change, and no temporary ACL can be made"
        }
        Action::DeleteRoute { .. } => {
            "the table is full and no foreign route can go first, or tables exchange subnets while their routes change, and no temporary table can be made"
        }
        Action::CreateRoute { .. }
        | Action::ReplaceRoute { .. }
        | Action::AssociateRouteTable { .. }
        | Action::ReplaceRouteTableAssociation { .. }
        | Action::DisassociateRouteTable { .. }
        | Action::ModifyVpcEndpoint { .. }
        | Action::EnableVgwRoutePropagation { .. }
        | Action::DisableVgwRoutePropagation { .. } => {
            "tables exchange subnets while their routes change, and no temporary table can be made"
        }
        Action::UpdateSecurityGroupRuleDescriptions { .. }
        | Action::CreateSecurityGroup { .. }
        | Action::CreateNetworkAcl { .. }
        | Action::DeleteNetworkAcl { .. }
        | Action::CreateRouteTable { .. }
        | Action::DeleteRouteTable { .. }
        | Action::CreateNatGateway { .. }
        | Action::AssociateNatGatewayAddress { .. }
        | Action::AssignPrivateNatGatewayAddress { .. }
        | Action::CreateTags { .. }
        | Action::DeleteTags { .. } => "",
    };
    why.to_owned()
}

/// Why a full group is not put right without a cut, and what a person could do (semantics C1 d):
/// Snapback has no right to change the groups of an interface.
fn full_group(group: &SecurityGroupId, topology: &Topology) -> String {
    let why = "the group is full, and no rule can be changed in place without a cut";
    let carriers = || {
        let interfaces = topology.interfaces.values();
        interfaces.filter(|interface| interface.groups.contains(group))
    };
    let has_slot = |interface: &NetworkInterface| {
        interface.groups.len() < GROUPS_MAX && !interface.requester_managed
    };
    let count = carriers().count();
    if count > 0 && carriers().all(has_slot) {
        format!(
            "{why}; a temporary second group with the approved rules on its {count} interfaces would avoid it (each has a free slot), which a person has to attach"
        )
    } else {
        why.to_owned()
    }
}
