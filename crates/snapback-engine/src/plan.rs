//! Stage `plan`: an ordered list of single EC2 calls from live to the goal (design.md 3, semantics C).
//!
//! - Owns: [`Action`] (one EC2 call), [`Plan`], their JSON and shell forms, the fold over a snapshot.
//! - Takes: live and the goal states.
//! - Gives: a [`Plan`], checked for every prefix as far as this version can.
//! - Must not: run anything.

use crate::policy::Recreate;
use draft::Draft;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use snapback_reach::bound;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

mod acl;
mod acl_path;
mod across;
mod apply;
mod association;
mod describe;
mod draft;
mod emergency;
mod existence;
mod group;
mod lower_bound;
mod nat;
mod note;
mod order;
mod parameters;
mod proof;
mod quota;
mod readiness;
mod render;
mod route;
mod tag;
mod target;
mod temporary;
#[cfg(test)]
mod tests;
mod waiting;
mod weave;
mod working;

pub use apply::apply;
pub use emergency::{Emergency, emergency};
pub use existence::born;
pub use lower_bound::lower_bound;
pub use nat::{NatRequest, predecessor, recovery, recovery_goal, successions, successor_name};
pub use note::{Note, Permission, StepSafety, permission};
pub use proof::traffic::{StepTraffic, traffic};
pub use readiness::{Readiness, readiness};
pub use temporary::{stand_in_of, still_there, tidy};

/// One EC2 call that writes. Variant names are the API names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", tag = "api")]
pub enum Action {
    /// Adds rules of one direction and one tag set in one call.
    AuthorizeSecurityGroupRules {
        /// The group.
        group: SecurityGroupId,
        /// Direction: decides between `AuthorizeSecurityGroupIngress` and `…Egress`.
        direction: Direction,
        /// The rules.
        rules: BTreeMap<RuleKey, RuleDetail>,
    },
    /// Removes rules of one direction by id in one call.
    RevokeSecurityGroupRules {
        /// The group.
        group: SecurityGroupId,
        /// Direction.
        direction: Direction,
        /// The rules with the ids that live knows them by; `None` where the read told no ids
        /// (describe-security-groups): the call then names the rule by content.
        rules: BTreeMap<RuleKey, Option<SecurityGroupRuleId>>,
    },
    /// Changes a rule in place, keeping its id.
    ModifySecurityGroupRule {
        /// The group.
        group: SecurityGroupId,
        /// The rule id, kept.
        id: SecurityGroupRuleId,
        /// What it is now.
        from: RuleKey,
        /// What it becomes.
        to: RuleKey,
        /// Its description afterwards.
        description: Option<String>,
    },
    /// Sets descriptions of rules of one direction.
    UpdateSecurityGroupRuleDescriptions {
        /// The group.
        group: SecurityGroupId,
        /// Direction.
        direction: Direction,
        /// Description by rule; `None` clears.
        rules: BTreeMap<RuleKey, Option<String>>,
    },
    /// Creates one entry.
    CreateNetworkAclEntry {
        /// The ACL.
        acl: NetworkAclId,
        /// Direction and number.
        key: EntryKey,
        /// The entry.
        entry: NetworkAclEntry,
    },
    /// Replaces one entry in place.
    ReplaceNetworkAclEntry {
        /// The ACL.
        acl: NetworkAclId,
        /// Direction and number.
        key: EntryKey,
        /// What it says now.
        from: NetworkAclEntry,
        /// What it will say.
        entry: NetworkAclEntry,
    },
    /// Deletes one entry.
    DeleteNetworkAclEntry {
        /// The ACL.
        acl: NetworkAclId,
        /// Direction and number.
        key: EntryKey,
        /// What it says now.
        entry: NetworkAclEntry,
    },
    /// Moves a subnet to an ACL. The association id is read fresh when the step runs.
    ReplaceNetworkAclAssociation {
        /// The subnet.
        subnet: SubnetId,
        /// The ACL it is in now, where known.
        from: Option<NetworkAclId>,
        /// The ACL it goes to.
        acl: NetworkAclId,
    },
    /// Creates one route.
    CreateRoute {
        /// The table.
        table: RouteTableId,
        /// Destination.
        destination: Destination,
        /// Target.
        target: RouteTarget,
    },
    /// Replaces one route in place.
    ReplaceRoute {
        /// The table.
        table: RouteTableId,
        /// Destination.
        destination: Destination,
        /// The target now.
        from: RouteTarget,
        /// The target afterwards; `Local` is `LocalTarget=true`.
        target: RouteTarget,
    },
    /// Deletes one route.
    DeleteRoute {
        /// The table.
        table: RouteTableId,
        /// Destination.
        destination: Destination,
        /// The target now.
        from: RouteTarget,
    },
    /// Gives a subnet or gateway an explicit table where it has none.
    AssociateRouteTable {
        /// The table.
        table: RouteTableId,
        /// Subnet or gateway (never `Main`).
        subject: AssociationSubject,
    },
    /// Moves a subnet, a gateway or the main association to a table. The id is read fresh.
    ReplaceRouteTableAssociation {
        /// What moves.
        subject: AssociationSubject,
        /// The table it is on now, where known.
        from: Option<RouteTableId>,
        /// The table it goes to.
        table: RouteTableId,
    },
    /// Takes away an explicit association. The id is read fresh.
    DisassociateRouteTable {
        /// What is taken away (never `Main`).
        subject: AssociationSubject,
        /// The table it is on now.
        from: RouteTableId,
    },
    /// Turns propagation on.
    EnableVgwRoutePropagation {
        /// The table.
        table: RouteTableId,
        /// The VPN gateway.
        gateway: GatewayId,
    },
    /// Turns propagation off.
    DisableVgwRoutePropagation {
        /// The table.
        table: RouteTableId,
        /// The VPN gateway.
        gateway: GatewayId,
    },
    /// Makes a group that is gone again. EC2 gives it a new id and, unasked, an
    /// egress rule for everything (semantics A1).
    CreateSecurityGroup {
        /// The id that the plan knows it by: the one it had.
        group: SecurityGroupId,
        /// Its name: unique in its VPC, fixed for life.
        name: String,
        /// Its description, fixed for life.
        description: String,
        /// Its VPC.
        vpc: VpcId,
        /// Its tags, [`SUCCESSOR_OF`] among them.
        tags: Tags,
    },
    /// Makes an ACL that is gone again, or a temporary one: without entries it denies everything,
    /// without subnets it guards nothing.
    CreateNetworkAcl {
        /// The id that the plan knows it by: the one it had, or a made-up one.
        acl: NetworkAclId,
        /// Its VPC.
        vpc: VpcId,
        /// Its tags, [`SUCCESSOR_OF`] among them.
        tags: Tags,
        /// Makes the call idempotent; given when it is made ([`Action::for_incident`]).
        token: Option<String>,
    },
    /// Deletes an ACL that Snapback made to stand in for another, and that guards no subnet.
    DeleteNetworkAcl {
        /// The ACL.
        acl: NetworkAclId,
    },
    /// Makes a table that is gone again: it has the local routes and no subnets.
    CreateRouteTable {
        /// The id that the plan knows it by: the one it had.
        table: RouteTableId,
        /// Its VPC.
        vpc: VpcId,
        /// Its tags, [`SUCCESSOR_OF`] among them.
        tags: Tags,
        /// Makes the call idempotent; given when it is made ([`Action::for_incident`]).
        token: Option<String>,
    },
    /// Deletes a table that Snapback made to stand in for another, and that nothing is bound to.
    DeleteRouteTable {
        /// The table.
        table: RouteTableId,
    },
    /// Makes a NAT gateway that is gone again. It is `pending` for minutes, and may fail (semantics A5).
    CreateNatGateway {
        /// The id that the plan knows it by: the one it had, marked ([`predecessor`]).
        gateway: GatewayId,
        /// What is asked for.
        request: Box<NatRequest>,
    },
    /// Gives a public NAT gateway secondary Elastic addresses.
    AssociateNatGatewayAddress {
        /// The gateway.
        gateway: GatewayId,
        /// Allocations, each with its address in the subnet where one is asked for.
        addresses: BTreeMap<String, Option<IpAddr>>,
    },
    /// Gives a private NAT gateway secondary addresses of its subnet.
    AssignPrivateNatGatewayAddress {
        /// The gateway.
        gateway: GatewayId,
        /// The addresses.
        addresses: BTreeSet<IpAddr>,
    },
    /// Changes which tables a gateway endpoint serves: the only way to its routes (semantics A4).
    ModifyVpcEndpoint {
        /// The endpoint.
        endpoint: String,
        /// Tables that gain its route.
        add: BTreeSet<RouteTableId>,
        /// Tables that lose it.
        remove: BTreeSet<RouteTableId>,
    },
    /// Sets tags of a resource or a rule (`sgr-`).
    CreateTags {
        /// The AWS id that is tagged.
        target: String,
        /// Keys and values.
        tags: Tags,
    },
    /// Removes tags of a resource or a rule.
    DeleteTags {
        /// The AWS id.
        target: String,
        /// Keys with the values they have now.
        tags: Tags,
    },
}

/// One step: a call, why it is made, what it does to traffic in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The resource whose state the call changes (for associations: the one that gains).
    pub resource: ResourceId,
    /// The call.
    pub action: Action,
    /// Why, for a person: `take back: anyone on the internet may reach tcp 22`.
    pub why: String,
}

/// The way from live to the goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The goal states, with the subnets and gateways of others that the plan leaves where they are:
    /// what verification compares with.
    pub goal: BTreeMap<ResourceId, Resource>,
    /// Digest of the live states it was made for.
    pub based_on: Digest,
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// What it cannot do, and its price.
    pub notes: Vec<Note>,
}

/// Plans the way from `live` to `goal`. Resources of the goal that live lacks, though it covers them,
/// are made again first: the plan names them by the id they had. Resources not in the goal are left
/// alone.
///
/// `baselines` is asked two things only: which rule a rule id used to name (so that a rule changed in
/// place is changed back under its id), and whether a subnet or gateway that the goal of its table
/// does not claim belongs to another guarded table (then it is left alone; else it goes back to the
/// main table). Their topology tells what a NAT gateway that is gone is made again from: a goal whose
/// routes lead to one has it made first, and the plan's goal names its successor.
///
/// The plan ends with the removal of whatever stood in for others in the VPCs of the goal and has
/// nothing bound to it any more, an earlier run's too.
pub fn plan(live: &Snapshot, goal: &BTreeMap<ResourceId, Resource>, baselines: &Baselines) -> Plan {
    let everything = Recreate {
        nat: true,
        ..Recreate::default()
    };
    plan_within(live, goal, baselines, everything)
}

/// The same, where only some of what surrounds the resources may be made again: what may not is told.
pub fn plan_within(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    baselines: &Baselines,
    recreate: Recreate,
) -> Plan {
    let mut goal = goal.clone();
    let mut draft = Draft::default();
    let found = live;
    let (births, mut made) = make_again(&mut draft, found, &goal);
    let (gateways, names) = nat::recover(found, &goal, baselines, recreate.nat);
    if !names.is_empty() {
        goal = std::mem::take(&mut goal)
            .into_iter()
            .map(|(id, wanted)| (id, wanted.renamed(&names)))
            .collect();
    }
    if !gateways.steps.is_empty() {
        let state = made.get_or_insert_with(|| found.clone());
        for step in &gateways.steps {
            // A refusal is told with the finished plan.
            let _told = apply(&step.action, state);
        }
    }
    let live = made.as_ref().unwrap_or(found);
    association::settle(&mut goal, live, baselines);
    let mut groups = BTreeMap::new();
    let mut acls = BTreeMap::new();
    let mut tables = BTreeMap::new();
    for (id, wanted) in &goal {
        // What cannot be proved is not planned: unknown authorises no write (design.md principle 8).
        if let Some(now) = live.resources.get(id)
            && let Err(over) = bound::check_pair(now, wanted, &live.topology)
        {
            draft.cannot(id.clone(), over.to_string());
            continue;
        }
        match (live.resources.get(id), wanted) {
            (Some(Resource::SecurityGroup(now)), Resource::SecurityGroup(wanted)) => {
                groups.insert(id.clone(), (now, wanted));
            }
            (Some(Resource::NetworkAcl(now)), Resource::NetworkAcl(wanted)) => {
                acls.insert(id.clone(), (now, wanted));
            }
            (Some(Resource::RouteTable(now)), Resource::RouteTable(wanted)) => {
                tables.insert(id.clone(), (now, wanted));
            }
            // What could not be made again was told.
            _ if live.covers(id, wanted.vpc()) => {}
            _ => draft.cannot(id.clone(), format!("{id} was not read")),
        }
    }
    let mut groups = group::plan_groups(live, &groups, baselines);
    let (old, new): (Vec<_>, Vec<_>) = groups
        .iter_mut()
        .partition(|(id, _)| found.resources.contains_key(*id));
    for (_, calls) in old {
        draft.append(std::mem::take(&mut calls.closing));
    }
    draft.append(births);
    draft.append(gateways);
    for (_, calls) in new {
        draft.append(std::mem::take(&mut calls.closing));
    }
    let scene = across::Scene {
        found,
        live,
        goal: &goal,
    };
    across::tables(&mut draft, &scene, &tables);
    let before = draft.steps.len();
    across::acls(&mut draft, &scene, &acls);
    let on_acls = draft.steps.split_off(before);
    // What one group no longer allows another may have to allow first: they share interfaces.
    let mut on_groups = Draft::default();
    for calls in groups.values_mut() {
        on_groups.append(std::mem::take(&mut calls.opening));
    }
    for calls in groups.values_mut() {
        on_groups.append(std::mem::take(&mut calls.late));
    }
    draft.notes.append(&mut on_groups.notes);
    let woven = weave::woven(found, &goal, &draft.steps, on_acls, on_groups.steps);
    draft.steps.extend(woven);
    for calls in groups.into_values() {
        draft.append(calls.words);
    }
    for (id, wanted) in &goal {
        let now = live.resources.get(id).and_then(Resource::tags);
        tag::tags(&mut draft, id, id.as_str(), now, wanted.tags());
    }
    let based_on = goal
        .keys()
        .map(|id| (id, found.resources.get(id)))
        .collect::<BTreeMap<_, _>>();
    let mut plan = Plan {
        based_on: Digest::of(&based_on),
        steps: draft.steps,
        notes: draft.notes,
        goal,
    };
    let last = temporary::last_steps(found, &plan.goal, &plan.steps);
    plan.steps.extend(last);
    let safety = safety(found, &plan);
    plan.notes.extend(proof::notes(&safety, &plan.steps));
    plan
}

/// What the state after each step of a plan does to traffic, as far as it is proved: one value a
/// step. `live` is the snapshot that the plan was made for.
pub fn safety(live: &Snapshot, plan: &Plan) -> Vec<StepSafety> {
    proof::safety(live, &plan.goal, &plan.steps)
}

/// The calls that make again what the goal has and live has lost, and live as it is after them:
/// everything else is planned as if they had been there all the time. What is new guards, routes and
/// is carried by nothing, so it can be prepared in any order.
fn make_again(
    draft: &mut Draft,
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
) -> (Draft, Option<Snapshot>) {
    let mut births = Draft::default();
    let mut made: Option<Snapshot> = None;
    for (id, wanted) in goal {
        if live.resources.contains_key(id) || !live.covers(id, wanted.vpc()) {
            continue;
        }
        let state = made.get_or_insert_with(|| live.clone());
        let done = existence::create(wanted, state)
            .and_then(|action| apply(&action, state).map(|()| action));
        match done {
            Ok(action) => {
                let why = format!(
                    "make {} again: it was deleted, EC2 gives it a new id",
                    wanted.label()
                );
                births.step(id.clone(), action, why);
            }
            Err(why) => draft.cannot(id.clone(), format!("{} was deleted: {why}", wanted.label())),
        }
    }
    (births, made)
}
