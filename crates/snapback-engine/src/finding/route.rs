//! What a change of routes does to addresses.

use crate::impact::{bounded, route_line};
use snapback_model::{RouteTable, RouteTarget, Topology};
use snapback_reach::{Hop, NextHops, RouteRegion, next_hops};

/// Lines of evidence for one finding.
const MOST_EVIDENCE: usize = 6;

/// Networks that are treated otherwise, each with the hops `[before, after]`.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// They arrived somewhere and are dropped.
    pub(super) cut: Vec<RouteRegion>,
    /// They arrive elsewhere.
    pub(super) moved: Vec<RouteRegion>,
    /// They were dropped and arrive somewhere.
    pub(super) gained: Vec<RouteRegion>,
}

impl Effects {
    fn of(regions: impl IntoIterator<Item = RouteRegion>) -> Self {
        let mut effects = Self::default();
        for region in regions {
            let [before, after] = region.hops.as_slice() else {
                continue;
            };
            match (before.delivers(), after.delivers()) {
                (Some(before), Some(after)) if before != after => effects.moved.push(region),
                (Some(_), None) => effects.cut.push(region),
                (None, Some(_)) => effects.gained.push(region),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        effects
    }

    /// The effect of one table in the place of another.
    pub(super) fn between(before: &RouteTable, after: &RouteTable, lists: &Topology) -> Self {
        Self::of(next_hops(before, lists).difference(&next_hops(after, lists)))
    }

    /// The effect of other entries of prefix lists on one table.
    pub(super) fn by_lists(table: &RouteTable, (old, new): (&Topology, &Topology)) -> Self {
        Self::of(next_hops(table, old).difference(&next_hops(table, new)))
    }

    /// The effect of one route among others: what it does to the baseline by itself, and what live
    /// would have as the baseline has it without it.
    pub(super) fn of_one(sides: &RouteSides, alone: &NextHops, undone: &NextHops) -> Self {
        let differ = |one: &Hop, other: &Hop| one.delivers() != other.delivers();
        // By itself on the baseline, or in live where undoing it would restore the baseline's way.
        let counts = |hops: &[&Hop]| match hops {
            [good, found, alone, undone] => {
                differ(good, alone) || (differ(good, found) && differ(found, undone))
            }
            _ => false,
        };
        let tables = [&sides.good, &sides.found, alone, undone];
        let regions = NextHops::regions_where(&tables, counts);
        Self::of(regions.into_iter().filter_map(|mut region| {
            let [good, found, alone, _] = region.hops.as_slice() else {
                return None;
            };
            let after = if differ(good, alone) { alone } else { found };
            region.hops = vec![good.clone(), after.clone()];
            Some(region)
        }))
    }

    /// Whether nothing is treated otherwise.
    pub(super) fn is_empty(&self) -> bool {
        self.cut.is_empty() && self.moved.is_empty() && self.gained.is_empty()
    }

    /// Whether approved traffic is dropped or arrives elsewhere.
    pub(super) fn cuts(&self) -> bool {
        !self.cut.is_empty() || !self.moved.is_empty()
    }

    /// Whether traffic inside the VPC is among what is cut.
    pub(super) fn cuts_local(&self) -> bool {
        let local =
            |region: &RouteRegion| matches!(region.hops.first(), Some(Hop::To(RouteTarget::Local)));
        self.cut.iter().chain(&self.moved).any(local)
    }

    /// Where traffic goes that did not go there before.
    pub(super) fn new_targets(&self) -> impl Iterator<Item = &RouteTarget> {
        self.moved
            .iter()
            .chain(&self.gained)
            .filter_map(|region| region.hops.last()?.delivers())
    }

    /// Whether something goes to an internet gateway that did not.
    pub(super) fn reaches_internet(&self) -> bool {
        self.new_targets()
            .any(|target| matches!(target, RouteTarget::InternetGateway(_)))
    }

    /// A few lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self
            .cut
            .iter()
            .chain(&self.moved)
            .chain(&self.gained)
            .map(route_line);
        bounded(lines.collect(), MOST_EVIDENCE)
    }
}

/// The next hops of a table as it should be and as it is.
pub(super) struct RouteSides {
    pub(super) good: NextHops,
    pub(super) found: NextHops,
}
