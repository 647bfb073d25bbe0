//! Which table or ACL a subnet, a gateway and the VPC itself are bound to: by subject, never by
//! association id (semantics B1).

use super::apply::{holder, holds};
use super::draft::Draft;
use super::{Action, Step};
use snapback_model::*;
use std::collections::BTreeMap;

/// What a move means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// From one explicit place to another.
    Explicit,
    /// A subnet on the main table gets a table of its own: before another table is main.
    Arrives,
    /// Another table is main, for every subnet that has none of its own.
    Main,
    /// A subnet returns to the main table: after the right one is main.
    Returns,
    /// A gateway gets, changes or loses its table.
    Edge,
}

/// One call that moves a subject.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// Who holds it before the call, the main table included.
    pub(super) from: Option<ResourceId>,
    /// Who holds it after the call.
    pub(super) to: Option<ResourceId>,
    pub(super) vpc: VpcId,
    pub(super) passage: Passage,
    pub(super) step: Step,
}

/// Moves of one kind, and what cannot be moved.
#[derive(Debug, Default)]
pub(super) struct Moves {
    pub(super) moves: Vec<Move>,
    pub(super) told: Draft,
}

impl Moves {
    /// The move that makes another table the main one of a VPC.
    fn main_of(&self, vpc: &VpcId) -> Option<&Move> {
        let mut moves = self.moves.iter();
        moves.find(|of| of.passage == Passage::Main && of.vpc == *vpc)
    }

    fn push(
        &mut self,
        (from, to): (Option<ResourceId>, Option<ResourceId>),
        (passage, vpc): (Passage, &VpcId),
        resource: impl Into<ResourceId>,
        action: Action,
        why: String,
    ) {
        let step = Step {
            resource: resource.into(),
            action,
            why,
        };
        self.moves.push(Move {
            from,
            to,
            vpc: vpc.clone(),
            passage,
            step,
        });
    }
}

/// Goal and live of a kind, by id.
pub(super) type Pairs<'a, T> = BTreeMap<ResourceId, (&'a T, &'a T)>;

/// The moves of subnets between ACLs. `pairs` holds `(live, goal)`.
pub(super) fn acl_moves(live: &Snapshot, pairs: &Pairs<'_, NetworkAcl>) -> Moves {
    let mut moves = Moves::default();
    for (_, goal) in pairs.values() {
        for subnet in &goal.subnets {
            let from = live.acl_of(subnet);
            if from == Some(&goal.id) {
                continue;
            }
            if from.is_none() && covers_all(live, Kind::NetworkAcl, &goal.vpc) {
                moves.told.cannot(
                    goal.id.clone(),
                    format!("{subnet} is in no network ACL: it does not exist any more"),
                );
                continue;
            }
            let action = Action::ReplaceNetworkAclAssociation {
                subnet: subnet.clone(),
                from: from.cloned(),
                acl: goal.id.clone(),
            };
            moves.push(
                (from.cloned().map(Into::into), Some(goal.id.clone().into())),
                (Passage::Explicit, &goal.vpc),
                goal.id.clone(),
                action,
                format!("move {subnet} back to {}", goal.id),
            );
        }
    }
    moves
}

/// The moves of subnets, gateways and the main association between tables: explicit associations,
/// then the main swap, then what returns to the main table, so that no subnet passes through a
/// table that is neither its old nor its new one (semantics C3).
pub(super) fn table_moves(live: &Snapshot, pairs: &Pairs<'_, RouteTable>) -> Moves {
    let mut moves = Moves::default();
    for (_, goal) in pairs.values() {
        for subnet in &goal.subnets {
            let gone = covers_subnets(live) && !live.topology.subnets.contains_key(subnet);
            if gone && live.explicit_table_of(subnet).is_none() {
                moves
                    .told
                    .cannot(goal.id.clone(), format!("{subnet} does not exist any more"));
            } else {
                let subject = AssociationSubject::Subnet(subnet.clone());
                bind(&mut moves, live, goal, subject);
            }
        }
    }
    for (now, goal) in pairs.values().filter(|(now, goal)| goal.main && !now.main) {
        if let Some(gateway) = goal.gateways.first() {
            let what = format!(
                "{} is not made the main table: it has the edge association of {gateway}, which is not this plan's to move",
                goal.id
            );
            let needs = format!("{gateway} led by another table");
            moves.told.needs(goal.id.clone(), what, needs);
            continue;
        }
        let subject = AssociationSubject::Main(now.vpc.clone());
        let from = live.main_table_of(&now.vpc).cloned();
        let ends = (from.clone().map(Into::into), Some(goal.id.clone().into()));
        let action = Action::ReplaceRouteTableAssociation {
            subject,
            from,
            table: goal.id.clone(),
        };
        let why = format!("make {} the main table of {} again", goal.id, now.vpc);
        moves.push(
            ends,
            (Passage::Main, &goal.vpc),
            goal.id.clone(),
            action,
            why,
        );
    }
    for (now, goal) in pairs.values() {
        let subnets = now
            .subnets
            .difference(&goal.subnets)
            .cloned()
            .map(AssociationSubject::Subnet);
        let gateways = now
            .gateways
            .difference(&goal.gateways)
            .cloned()
            .map(AssociationSubject::Gateway);
        for subject in subnets
            .chain(gateways)
            .filter(|subject| !is_claimed(subject, pairs))
        {
            release(&mut moves, live, now, subject, pairs);
        }
    }
    for (now, goal) in pairs.values() {
        let stays_main = now.main && moves.main_of(&now.vpc).is_none();
        for gateway in &goal.gateways {
            if stays_main {
                let what = format!(
                    "{gateway} is not bound to {}: it is the main table, which takes no edge association",
                    goal.id
                );
                let needs = format!("another main table of {}", goal.vpc);
                moves.told.needs(goal.id.clone(), what, needs);
                continue;
            }
            let subject = AssociationSubject::Gateway(gateway.clone());
            let swap = moves.main_of(&goal.vpc);
            let holder = holder(live, &subject).map(ResourceId::from);
            let crossed = swap.is_some_and(|swap| {
                swap.to == holder && swap.from.as_ref() == Some(&goal.id.clone().into())
            });
            if crossed {
                step_aside(&mut moves, &subject, holder, goal);
                continue;
            }
            bind(&mut moves, live, goal, subject);
        }
    }
    moves
}

/// Whether somebody who goes by a table in live still does after the moves.
pub(super) fn carries(live: &Snapshot, table: &RouteTable, moves: &[Move]) -> bool {
    let id = ResourceId::from(table.id.clone());
    let leave = moves.iter().filter(|of| of.from.as_ref() == Some(&id));
    let leaving: Vec<AssociationSubject> =
        leave.filter_map(|of| subject(&of.step.action)).collect();
    let stays = |subject: AssociationSubject| !leaving.contains(&subject);
    let mut subnets = table.subnets.iter().cloned();
    let mut gateways = table.gateways.iter().cloned();
    let explicit = subnets.any(|subnet| stays(AssociationSubject::Subnet(subnet)))
        || gateways.any(|gateway| stays(AssociationSubject::Gateway(gateway)));
    let falls_back = |subnet: &Subnet| {
        subnet.vpc == table.vpc
            && live.explicit_table_of(&subnet.id).is_none()
            && stays(AssociationSubject::Subnet(subnet.id.clone()))
    };
    let main = table.main && stays(AssociationSubject::Main(table.vpc.clone()));
    let carried = || !covers_subnets(live) || live.topology.subnets.values().any(falls_back);
    explicit || (main && carried())
}

/// Whom a call binds to a table or frees of one.
pub(super) fn subject(action: &Action) -> Option<AssociationSubject> {
    match action {
        Action::AssociateRouteTable { subject, .. }
        | Action::ReplaceRouteTableAssociation { subject, .. }
        | Action::DisassociateRouteTable { subject, .. } => Some(subject.clone()),
        _ => None,
    }
}

/// A gateway goes from the table that is to be main to the one that is: it has none while they change,
/// since the main table takes no edge association.
fn step_aside(
    moves: &mut Moves,
    subject: &AssociationSubject,
    holder: Option<ResourceId>,
    goal: &RouteTable,
) {
    let Some(ResourceId::RouteTable(from)) = holder else {
        return;
    };
    let action = Action::DisassociateRouteTable {
        subject: subject.clone(),
        from: from.clone(),
    };
    let why = format!("free {from} of {subject}: it is to be the main table");
    moves.push(
        (Some(from.clone().into()), None),
        (Passage::Edge, &goal.vpc),
        from,
        action,
        why,
    );
    let action = Action::AssociateRouteTable {
        table: goal.id.clone(),
        subject: subject.clone(),
    };
    let why = format!("bind {subject} to {} again", goal.id);
    let ends = (None, Some(goal.id.clone().into()));
    moves.push(
        ends,
        (Passage::Edge, &goal.vpc),
        goal.id.clone(),
        action,
        why,
    );
}

fn bind(moves: &mut Moves, live: &Snapshot, goal: &RouteTable, subject: AssociationSubject) {
    let table = &goal.id;
    let why = format!("bind {subject} to {table} again");
    let is_edge = matches!(subject, AssociationSubject::Gateway(_));
    let holder = holder(live, &subject);
    if holder.as_ref() == Some(table) {
        return;
    }
    let main = || live.main_table_of(&goal.vpc).cloned();
    let from = holder.clone().or_else(|| (!is_edge).then(main).flatten());
    let passage = match (&holder, is_edge) {
        (_, true) => Passage::Edge,
        (Some(_), false) => Passage::Explicit,
        (None, false) => Passage::Arrives,
    };
    let action = match holder {
        Some(now) => Action::ReplaceRouteTableAssociation {
            subject,
            from: Some(now),
            table: table.clone(),
        },
        None => Action::AssociateRouteTable {
            table: table.clone(),
            subject,
        },
    };
    let ends = (from.map(Into::into), Some(table.clone().into()));
    moves.push(ends, (passage, &goal.vpc), table.clone(), action, why);
}

fn release(
    moves: &mut Moves,
    live: &Snapshot,
    table: &RouteTable,
    subject: AssociationSubject,
    pairs: &Pairs<'_, RouteTable>,
) {
    let main = pairs
        .values()
        .find(|(_, goal)| goal.main && goal.vpc == table.vpc)
        .map(|(_, goal)| &goal.id)
        .or_else(|| live.main_table_of(&table.vpc));
    let (to, passage, why) = match &subject {
        AssociationSubject::Gateway(gateway) => (
            None,
            Passage::Edge,
            format!(
                "take back: {} must not route what enters by {gateway}",
                table.id
            ),
        ),
        AssociationSubject::Subnet(_) | AssociationSubject::Main(_) => (
            main.cloned(),
            Passage::Returns,
            format!("return {subject} to the main table"),
        ),
    };
    let action = Action::DisassociateRouteTable {
        subject,
        from: table.id.clone(),
    };
    let ends = (Some(table.id.clone().into()), to.map(Into::into));
    moves.push(ends, (passage, &table.vpc), table.id.clone(), action, why);
}

fn is_claimed(subject: &AssociationSubject, pairs: &Pairs<'_, RouteTable>) -> bool {
    pairs.values().any(|(_, goal)| holds(goal, subject))
}

/// Takes into the goal what its resources hold now, no goal claims, and is not theirs to give back:
/// every subnet of an ACL (each subnet has exactly one ACL, semantics A3), and a subnet or gateway
/// that another table has in its baseline, or has in its goal but is gone itself.
pub(super) fn settle(
    goal: &mut BTreeMap<ResourceId, Resource>,
    live: &Snapshot,
    baselines: &Baselines,
) {
    let plain = goal.clone();
    let present = || {
        plain
            .iter()
            .filter(|(id, _)| live.resources.contains_key(*id))
            .map(|(_, resource)| resource)
    };
    let remembered = || {
        baselines
            .by_id
            .values()
            .filter_map(|baseline| baseline.state.as_ref())
            .chain(plain.values())
    };
    for (id, wanted) in goal.iter_mut() {
        match (wanted, live.resources.get(id)) {
            (Resource::NetworkAcl(acl), Some(Resource::NetworkAcl(now))) => {
                let claims = |subnet: &SubnetId| {
                    present().any(|other| matches!(other, Resource::NetworkAcl(other) if other.subnets.contains(subnet)))
                };
                acl.subnets
                    .extend(now.subnets.iter().filter(|subnet| !claims(subnet)).cloned());
            }
            (Resource::RouteTable(table), Some(Resource::RouteTable(now))) => {
                let stays = |subject: AssociationSubject| {
                    let elsewhere = |other: &Resource| matches!(other, Resource::RouteTable(other) if other.id != now.id && holds(other, &subject));
                    !present().any(elsewhere) && remembered().any(elsewhere)
                };
                let subnets = now
                    .subnets
                    .iter()
                    .filter(|subnet| stays(AssociationSubject::Subnet((*subnet).clone())));
                table.subnets.extend(subnets.cloned());
                let gateways = now
                    .gateways
                    .iter()
                    .filter(|gateway| stays(AssociationSubject::Gateway((*gateway).clone())));
                table.gateways.extend(gateways.cloned());
            }
            _ => {}
        }
    }
}

fn covers_subnets(live: &Snapshot) -> bool {
    live.coverage.contains(&Coverage::Subnets)
}

fn covers_all(live: &Snapshot, kind: Kind, vpc: &VpcId) -> bool {
    live.coverage.contains(&Coverage::Kind(kind))
        || live.coverage.contains(&Coverage::AclsOf(vpc.clone()))
}
