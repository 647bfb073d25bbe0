//! What each step has done to traffic so far, compared with how it was before the plan.

use super::super::{Action, Plan, Step, apply};
use super::reduced::reduced;
use super::routing::table;
use crate::impact::traffic_lines;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use snapback_reach::{Hop, NextHops, PacketSet, next_hops, permitted_by_acl, permitted_by_group};

/// What the resource or subnet of a step lets pass after it, compared with how it was before the
/// plan: the lines of packets, and where addresses are led.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTraffic {
    /// Whose traffic: a group, an ACL, a subnet or a table. Empty where the step touches none.
    pub of: String,
    /// Packets that passed before and do not now, each line with its direction.
    pub closed: Vec<String>,
    /// Packets that did not pass before and do now.
    pub restored: Vec<String>,
    /// Addresses that are led elsewhere, `0.0.0.0/0: igw-1, was eni-1`.
    pub led: Vec<String>,
}

impl StepTraffic {
    /// The change in one line of at most `max` parts of each kind; `None` where there is none.
    pub fn words(&self, max: usize) -> Option<String> {
        let part = |verb: &str, lines: &[String]| {
            let more = lines.len().saturating_sub(max);
            let shown: Vec<&str> = lines.iter().take(max).map(String::as_str).collect();
            let tail = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            (!lines.is_empty()).then(|| format!("{verb} {}{tail}", shown.join(", ")))
        };
        let parts = [
            part("closed", &self.closed),
            part("restored", &self.restored),
            part("led", &self.led),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{}: {}", self.of, parts.join("; ")))
    }
}

/// What each step of a plan has done to traffic so far, one value a step. `live` is the snapshot that
/// the plan was made for.
pub fn traffic(live: &Snapshot, plan: &Plan) -> Vec<StepTraffic> {
    let mut state = reduced(live, &plan.goal, &plan.steps);
    let told = plan.steps.iter().map(|Step { action, .. }| {
        if apply(action, &mut state).is_err() {
            return StepTraffic::default();
        }
        of_step(live, &state, action)
    });
    told.collect()
}

fn of_step(live: &Snapshot, state: &Snapshot, action: &Action) -> StepTraffic {
    match action {
        Action::AuthorizeSecurityGroupRules {
            group, direction, ..
        }
        | Action::RevokeSecurityGroupRules {
            group, direction, ..
        } => filtered(live, state, &group.clone().into(), &[*direction]),
        Action::ModifySecurityGroupRule { group, to, .. } => {
            filtered(live, state, &group.clone().into(), &[to.direction])
        }
        Action::CreateNetworkAclEntry { acl, key, .. }
        | Action::ReplaceNetworkAclEntry { acl, key, .. }
        | Action::DeleteNetworkAclEntry { acl, key, .. } => {
            filtered(live, state, &acl.clone().into(), &[key.direction])
        }
        Action::ReplaceNetworkAclAssociation { subnet, .. } => {
            let acl =
                |snapshot: &Snapshot| Some(ResourceId::from(snapshot.acl_of(subnet)?.clone()));
            let ends = [(live, acl(live)), (state, acl(state))];
            let mut told = StepTraffic {
                of: subnet.to_string(),
                ..StepTraffic::default()
            };
            for direction in super::DIRECTIONS {
                let [before, now] = ends.clone().map(|(snapshot, id)| {
                    id.and_then(|id| permitted(snapshot, &id, direction, live))
                });
                packets(&mut told, direction, before, now);
            }
            told
        }
        Action::CreateRoute { table, .. }
        | Action::ReplaceRoute { table, .. }
        | Action::DeleteRoute { table, .. }
        | Action::DisableVgwRoutePropagation { table, .. } => routed(
            table.to_string(),
            live,
            (live, Some(table)),
            (state, Some(table)),
        ),
        Action::ModifyVpcEndpoint { add, remove, .. } => match add.iter().chain(remove).next() {
            Some(table) => routed(
                table.to_string(),
                live,
                (live, Some(table)),
                (state, Some(table)),
            ),
            None => StepTraffic::default(),
        },
        Action::AssociateRouteTable { subject, .. }
        | Action::ReplaceRouteTableAssociation { subject, .. }
        | Action::DisassociateRouteTable { subject, .. } => {
            let [before, now] = [live, state].map(|snapshot| place(live, snapshot, subject));
            routed(
                subject.to_string(),
                live,
                (live, before.as_ref()),
                (state, now.as_ref()),
            )
        }
        _ => StepTraffic::default(),
    }
}

/// The table that leads a subject.
fn place(live: &Snapshot, state: &Snapshot, subject: &AssociationSubject) -> Option<RouteTableId> {
    if let Some(holder) = super::super::apply::holder(state, subject) {
        return Some(holder);
    }
    match subject {
        AssociationSubject::Subnet(subnet) => {
            let vpc = &live.topology.subnets.get(subnet)?.vpc;
            state.main_table_of(vpc).cloned()
        }
        AssociationSubject::Gateway(_) | AssociationSubject::Main(_) => None,
    }
}

fn filtered(
    live: &Snapshot,
    state: &Snapshot,
    id: &ResourceId,
    directions: &[Direction],
) -> StepTraffic {
    let mut told = StepTraffic {
        of: id.to_string(),
        ..StepTraffic::default()
    };
    for direction in directions {
        let [before, now] = [live, state].map(|snapshot| permitted(snapshot, id, *direction, live));
        packets(&mut told, *direction, before, now);
    }
    told
}

fn permitted(
    state: &Snapshot,
    id: &ResourceId,
    direction: Direction,
    live: &Snapshot,
) -> Option<PacketSet> {
    match state.resources.get(id)? {
        Resource::SecurityGroup(group) => {
            Some(permitted_by_group(group, direction, &live.topology))
        }
        // An ACL that guards nothing lets nothing through and holds nothing up.
        Resource::NetworkAcl(acl) if acl.subnets.is_empty() => None,
        Resource::NetworkAcl(acl) => Some(permitted_by_acl(acl, direction)),
        Resource::RouteTable(_) => None,
    }
}

fn packets(
    told: &mut StepTraffic,
    direction: Direction,
    before: Option<PacketSet>,
    now: Option<PacketSet>,
) {
    let (Some(before), Some(now)) = (before, now) else {
        return;
    };
    told.closed
        .extend(traffic_lines(direction, &before.difference(&now)));
    told.restored
        .extend(traffic_lines(direction, &now.difference(&before)));
}

fn routed(
    of: String,
    live: &Snapshot,
    before: (&Snapshot, Option<&RouteTableId>),
    now: (&Snapshot, Option<&RouteTableId>),
) -> StepTraffic {
    let hops = |(state, id): (&Snapshot, Option<&RouteTableId>)| -> NextHops {
        id.and_then(|id| table(state, id))
            .map(|table| next_hops(table, &live.topology))
            .unwrap_or_default()
    };
    let word = |hop: &Hop| match hop.delivers() {
        Some(target) => target.to_string(),
        None => "nowhere".to_owned(),
    };
    let regions = hops(before).difference(&hops(now));
    let led = regions
        .iter()
        .filter_map(|region| match region.hops.as_slice() {
            [before, now] => Some(format!(
                "{} to {}, was {}",
                region.destination,
                word(now),
                word(before)
            )),
            _ => None,
        });
    StepTraffic {
        led: led.collect(),
        of,
        ..StepTraffic::default()
    }
}
