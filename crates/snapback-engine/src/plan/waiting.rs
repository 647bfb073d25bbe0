//! A temporary table where those wait who leave one that has to be put right before they can go: with the
//! routes that they leave, so that nothing changes for them (design.md 3, the shadow of a swap).

use super::association::{Move, subject};
use super::draft::Draft;
use super::temporary::{found, has_room};
use super::{Action, apply, route};
use snapback_model::*;

/// Where some wait, and how.
pub(super) struct Waiting {
    /// The calls that make the table, where it is not there yet.
    pub(super) draft: Draft,
    /// Of each who waits: the move, the call that leads there, and what is left of the move after it.
    pub(super) detours: Vec<(usize, Action, Action)>,
}

/// The way over a temporary table for these moves away from `of`. Nothing where somebody cannot wait there: a
/// gateway, a whole VPC, or one whose traffic that table cannot lead as this one does: routes to what is dead,
/// routes that a gateway tells.
pub(super) fn waiting(
    live: &Snapshot,
    of: &RouteTable,
    leavers: &[usize],
    moves: &[Move],
) -> Option<Waiting> {
    let (table, draft) = shadow(live, of)?;
    let detours = leavers.iter().map(|index| {
        let step = &moves.get(*index)?.step;
        let (there, on) = detour(&step.action, of, &table)?;
        Some((*index, there, on))
    });
    let detours = detours.collect::<Option<Vec<_>>>()?;
    Some(Waiting { draft, detours })
}

/// A table that leads as `of` does in live: the one that an earlier run left, made whole where nobody goes by
/// it yet, else a new one.
fn shadow(live: &Snapshot, of: &RouteTable) -> Option<(RouteTableId, Draft)> {
    let leads = |route: &Route| route.origin != RouteOrigin::Propagated && !route.blackhole;
    if !of.propagating.is_empty() || !of.routes.values().all(leads) {
        return None;
    }
    let wanted = Temporary {
        of: of.id.clone().into(),
        says: StandIn::Before,
    };
    let mut draft = Draft::default();
    let mut state = live.clone();
    let table = match found(live, &wanted) {
        Some(Resource::RouteTable(left)) => {
            if left.routes == of.routes && left.propagating.is_empty() {
                return Some((left.id.clone(), draft));
            }
            if !left.subnets.is_empty() {
                return None;
            }
            left.id.clone()
        }
        _ => {
            let table = create(live, of, &wanted, &mut draft)?;
            for step in &draft.steps {
                apply(&step.action, &mut state).ok()?;
            }
            table
        }
    };
    let Some(Resource::RouteTable(born)) = state.resources.get(&table.clone().into()) else {
        return None;
    };
    let mut calls = Draft::default();
    let goal = RouteTable {
        routes: of.routes.clone(),
        propagating: of.propagating.clone(),
        ..born.clone()
    };
    route::routes(&mut calls, (born, &goal), &live.topology, false);
    for step in &calls.steps {
        apply(&step.action, &mut state).ok()?;
    }
    let made = state.resources.get(&table.clone().into());
    let is_alike = matches!(made, Some(Resource::RouteTable(made)) if *made == goal);
    if !is_alike {
        return None;
    }
    for step in calls.steps {
        let why = format!("lead those who leave {} as it does now", of.id);
        draft.step(of.id.clone(), step.action, why);
    }
    Some((table, draft))
}

fn create(
    live: &Snapshot,
    of: &RouteTable,
    wanted: &Temporary,
    draft: &mut Draft,
) -> Option<RouteTableId> {
    if !has_room(live, Kind::RouteTable, Some(&of.vpc)) {
        return None;
    }
    let ResourceId::RouteTable(table) = wanted.name()? else {
        return None;
    };
    let create = Action::CreateRouteTable {
        table: table.clone(),
        vpc: of.vpc.clone(),
        tags: wanted.tags(),
        token: None,
    };
    let why = format!(
        "make a temporary table to lead those who leave {} meanwhile",
        of.id
    );
    draft.step(of.id.clone(), create, why);
    Some(table)
}

/// A move of a subnet away from a table, by way of another.
fn detour(action: &Action, of: &RouteTable, over: &RouteTableId) -> Option<(Action, Action)> {
    let subject = subject(action)?;
    if !matches!(subject, AssociationSubject::Subnet(_)) {
        return None;
    }
    Some(match action {
        // On the main table, by none of its own.
        Action::AssociateRouteTable { table, .. } => (
            Action::AssociateRouteTable {
                table: over.clone(),
                subject: subject.clone(),
            },
            Action::ReplaceRouteTableAssociation {
                subject,
                from: Some(over.clone()),
                table: table.clone(),
            },
        ),
        Action::ReplaceRouteTableAssociation { table, .. } => (
            Action::ReplaceRouteTableAssociation {
                subject: subject.clone(),
                from: Some(of.id.clone()),
                table: over.clone(),
            },
            Action::ReplaceRouteTableAssociation {
                subject,
                from: Some(over.clone()),
                table: table.clone(),
            },
        ),
        Action::DisassociateRouteTable { .. } => (
            Action::ReplaceRouteTableAssociation {
                subject: subject.clone(),
                from: Some(of.id.clone()),
                table: over.clone(),
            },
            Action::DisassociateRouteTable {
                subject,
                from: over.clone(),
            },
        ),
        _ => return None,
    })
}
