//! Where tables lead after a step: as in live or as at the end, for everybody who goes by them.

use super::places::Routed;
use super::{Harmed, Proof};
use snapback_model::*;
use snapback_reach::{NextHops, next_hops};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a state is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// What the plan is made for.
    Live,
    /// After its last step.
    Last,
    /// The same without routes that it cannot put right.
    Good,
}

impl Proof<'_> {
    /// Also tells who comes to be led by a route that the plan cannot put right. No order of its steps
    /// avoids that.
    pub(super) fn telling_what_stays(mut self) -> Self {
        let mut good = Snapshot::clone(&self.end);
        leave_what_stays(&mut good, self.goal);
        self.good_end = Some(Rc::new(good)).filter(|good| good.resources != self.end.resources);
        self
    }

    pub(super) fn look_at_tables(&mut self) {
        self.harms
            .retain(|(harmed, _), _| !matches!(harmed, Harmed::Routed(_)));
        let mut now: BTreeMap<Option<RouteTableId>, NextHops> = BTreeMap::new();
        for (place, who) in self.places.routed() {
            if self.is_as_at(End::Live, &place) {
                continue;
            }
            for end in [End::Last, End::Good] {
                if self.at(end).is_none() || self.is_as_at(end, &place) {
                    continue;
                }
                let (before, after) = (self.lead(End::Live, &place), self.lead(end, &place));
                let held = now
                    .entry(place.now.clone())
                    .or_insert_with(|| hops(&self.state, place.now.as_ref(), &self.live.topology));
                if let Some(strayed) = held.strays_from(&before, &after) {
                    let how = match end {
                        End::Live | End::Last => "for a moment",
                        End::Good => "by a route that stays",
                    };
                    let words = format!("{who}: {strayed} is led astray {how}");
                    self.harms.insert((Harmed::Routed(place), None), words);
                    break;
                }
            }
        }
    }

    fn at(&self, end: End) -> Option<&Snapshot> {
        match end {
            End::Live => Some(self.live),
            End::Last => Some(&self.end),
            End::Good => self.good_end.as_deref(),
        }
    }

    /// Whether the routes of a place are those of an end.
    fn is_as_at(&self, end: End, place: &Routed) -> bool {
        let then = self
            .at(end)
            .and_then(|state| routes(state, at_end(end, place)));
        routes(&self.state, place.now.as_ref()) == then
    }

    /// Where an end leads those of a place.
    fn lead(&mut self, end: End, place: &Routed) -> Rc<NextHops> {
        let id = at_end(end, place);
        let key = (id.cloned(), end);
        if let Some(known) = self.ends.get(&key) {
            return known.clone();
        }
        let state = self.at(end).unwrap_or(self.live);
        let lead = Rc::new(hops(state, id, &self.live.topology));
        self.ends.insert(key, lead.clone());
        lead
    }
}

/// The table that leads those of a place at an end.
fn at_end(end: End, place: &Routed) -> Option<&RouteTableId> {
    match end {
        End::Live => place.live.as_ref(),
        End::Last | End::Good => place.end.as_ref(),
    }
}

/// A route that the plan cannot put right is no end of anybody's: who goes by it in live may still do so,
/// who comes to the table is led astray by it.
fn leave_what_stays(end: &mut Snapshot, goal: &BTreeMap<ResourceId, Resource>) {
    for (id, wanted) in goal {
        let (Resource::RouteTable(wanted), Some(Resource::RouteTable(table))) =
            (wanted, end.resources.get_mut(id))
        else {
            continue;
        };
        table.routes.retain(|to, route| {
            let good = wanted.routes.get(to);
            route.origin != RouteOrigin::Created
                || good.is_some_and(|good| good.target == route.target)
        });
    }
}

pub(super) fn table<'a>(state: &'a Snapshot, id: &RouteTableId) -> Option<&'a RouteTable> {
    match state.resources.get(&id.clone().into())? {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    }
}

fn routes<'a>(
    state: &'a Snapshot,
    id: Option<&RouteTableId>,
) -> Option<&'a BTreeMap<Destination, Route>> {
    table(state, id?).map(|table| &table.routes)
}

/// Where a table leads; without one, nowhere but in the VPC itself, which is as no edge routing.
fn hops(state: &Snapshot, id: Option<&RouteTableId>, topology: &Topology) -> NextHops {
    id.and_then(|id| table(state, id))
        .map(|table| next_hops(table, topology))
        .unwrap_or_default()
}
