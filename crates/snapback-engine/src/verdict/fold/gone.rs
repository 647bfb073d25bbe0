//! What a trusted hand deleted: resources, NAT gateways that good routes lead to, tags.

use super::Folding;
use super::content::{Content, put};
use crate::change::Touched;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

impl Folding<'_> {
    pub(super) fn deleted(&mut self, id: &ResourceId) {
        if let Some(new) = self.made_again(id) {
            self.too_late(id.as_str(), &new);
            return;
        }
        let gone = self
            .live
            .covers(id, None)
            .then(|| !self.live.resources.contains_key(id));
        let standing = self.standing(id, &Element::Existence);
        if !self.is_due(
            &id.to_string(),
            &BTreeSet::from([id.clone()]),
            standing,
            gone,
        ) {
            return;
        }
        let mut baseline = match self.baseline(id) {
            Some(baseline) => baseline.clone(),
            // A tombstone: the event of its creation may still come.
            None => self.new_baseline(id),
        };
        baseline.state = None;
        baseline.marks.insert(Element::Existence, self.mark());
        self.now.insert(id.clone(), baseline);
    }

    /// What was made in the place of a resource before the event of its deletion came, while that is
    /// good.
    fn made_again(&self, id: &ResourceId) -> Option<String> {
        let new = self.lineage.current_resource(id);
        let good = self.baseline(&new).is_none_or(|new| new.state.is_some());
        (new != *id && good).then(|| new.to_string())
    }

    /// What is made again is never unmade by us.
    fn too_late(&mut self, id: &str, new: &str) {
        self.refuse(format!(
            "{id} had been made again as {new} before this event came: delete {new} if it is to go"
        ));
    }

    /// A good route to a NAT gateway that a trusted hand deleted is a route to nowhere: it stays, and
    /// the gateway is not made again.
    pub(super) fn gateways_deleted(&mut self) {
        if !self.change.deletes_nat_gateway() {
            return;
        }
        for touched in &self.change.touched {
            let Touched::Context { id, .. } = touched else {
                continue;
            };
            if let Some(heir) = self.heir_of(id) {
                self.too_late(id, &heir);
                continue;
            }
            for (table, to) in self.leading_to(id) {
                self.lead_nowhere(&table, to);
            }
            // It stood in the place of others, and went before the baselines followed.
            let old = self.before(id);
            let led: Vec<_> = old.iter().flat_map(|old| self.leading_to(old)).collect();
            for (table, to) in led {
                self.lead_to(&table, &to, id);
                self.lead_nowhere(&table, to);
            }
        }
    }

    /// Of a gateway that is gone every route leads nowhere, whenever it was set: it tells nothing of
    /// the route itself, so that late events of that still count.
    fn lead_nowhere(&mut self, table: &ResourceId, to: Destination) {
        if let Some(baseline) = self.writable(table) {
            put(
                baseline.state.as_mut(),
                &Element::Route(to),
                Content::Nowhere,
            );
        }
    }

    /// The NAT gateways in whose place this one was made, one after the other, as far as they are gone.
    fn before(&self, id: &str) -> Vec<String> {
        let (now, seen) = (&self.live.topology.gateways, &self.before.topology.gateways);
        let old = |id: &str| now.get(id).or_else(|| seen.get(id))?.predecessor();
        let is_gone = |id: &&str| now.get(*id).is_none_or(|one| one.dead_state().is_some());
        // No longer than there are gateways, should two name each other.
        let most = now.len().saturating_add(seen.len());
        let line = std::iter::successors(old(id), |id| old(id)).take(most);
        line.take_while(is_gone).map(str::to_owned).collect()
    }

    /// A good route leads to a gateway where live does.
    fn lead_to(&mut self, table: &ResourceId, to: &Destination, id: &str) {
        let live = match self.live.resources.get(table) {
            Some(Resource::RouteTable(live)) => live.routes.get(to),
            _ => None,
        };
        let target = RouteTarget::NatGateway(id.to_owned());
        if live.is_some_and(|live| live.target == target)
            && let Some(baseline) = self.writable(table)
        {
            let route = Content::Route(Some(target));
            put(baseline.state.as_mut(), &Element::Route(to.clone()), route);
        }
    }

    /// A route that a late event set to a gateway of which another good route tells that it is gone.
    pub(super) fn leads_to_what_is_gone(&mut self, table: &ResourceId, to: &Destination) {
        let Some(route) = self.good_routes(table).and_then(|routes| routes.get(to)) else {
            return;
        };
        let RouteTarget::NatGateway(_) = &route.target else {
            return;
        };
        let others = self.before.by_id.keys();
        let mut others = others.filter_map(|id| self.good_routes(id)).flatten();
        let gone = others.any(|(_, other)| other.blackhole && other.target == route.target);
        if gone {
            self.lead_nowhere(table, to.clone());
        }
    }

    fn good_routes(&self, table: &ResourceId) -> Option<&BTreeMap<Destination, Route>> {
        match self.baseline(table)?.state.as_ref()? {
            Resource::RouteTable(table) => Some(&table.routes),
            Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        }
    }

    /// The NAT gateway that stands in the place of another now, or that good routes lead to instead: by
    /// what live was read to show, which a story in work may have made just now, else by what was seen
    /// last. What was made again may be gone in its turn, and made again.
    fn heir_of(&self, id: &str) -> Option<String> {
        let (now, seen) = (&self.live.topology.gateways, &self.before.topology.gateways);
        let is_gone = |one: &Gateway| {
            let newest = now.get(&one.id).unwrap_or(one);
            newest.dead_state().is_some()
        };
        let next = |old: &str| {
            let heirs = || now.values().chain(seen.values());
            let mut heirs = heirs().filter(|one| one.predecessor() == Some(old));
            let first = heirs.next()?;
            let alive = std::iter::once(first)
                .chain(heirs)
                .find(|one| !is_gone(one));
            Some(alive.unwrap_or(first))
        };
        let line = std::iter::successors(next(id), |heir| next(&heir.id));
        // No longer than there are gateways, should two name each other.
        let mut line = line.take(now.len().saturating_add(seen.len()));
        let stands = |one: &&Gateway| !is_gone(one) || !self.leading_to(&one.id).is_empty();
        line.find(stands).map(|one| one.id.clone())
    }

    /// DeleteTags: a value in the call is a condition.
    pub(super) fn untag(&mut self, id: &ResourceId, key: &str, value: Option<&String>) {
        let good = self.baseline(id).and_then(|known| known.state.as_ref());
        let is = good.and_then(|state| state.tags()?.get(key));
        if value.is_none() || value == is {
            self.set(id, Element::Tag(key.to_owned()), Content::Tag(None));
        }
    }

    /// The good routes that lead to a NAT gateway.
    fn leading_to(&self, id: &str) -> Vec<(ResourceId, Destination)> {
        let good = self.before.by_id.values();
        let tables = good.filter_map(|baseline| match &baseline.state {
            Some(Resource::RouteTable(table)) => Some((&baseline.id, table)),
            Some(Resource::SecurityGroup(_) | Resource::NetworkAcl(_)) | None => None,
        });
        let routes = tables.flat_map(|(id, table)| table.routes.iter().map(move |one| (id, one)));
        let leads =
            |route: &Route| matches!(&route.target, RouteTarget::NatGateway(to) if to == id);
        let routes = routes.filter(|(_, (_, route))| leads(route));
        routes
            .map(|(table, (to, _))| (table.clone(), to.clone()))
            .collect()
    }
}
