//! What a trusted hand deleted stays gone; of a NAT gateway that was made again there is one, and routes
//! lead to it.

use super::{Bench, Invariant};
use snapback_engine::finding::{FindingCode, Subject};
use snapback_engine::incident::{Body, Outcome};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

fn nats(live: &Snapshot) -> impl Iterator<Item = &Gateway> {
    let gateways = live.topology.gateways.values();
    gateways.filter(|gateway| gateway.kind == GatewayKind::Nat)
}

pub(super) fn is_alive(gateway: &Gateway) -> bool {
    matches!(gateway.state.as_deref(), Some("available" | "pending"))
}

/// The NAT gateways that good routes lead to.
fn good_nats(baselines: &Baselines) -> BTreeSet<&str> {
    let good = baselines.by_id.values();
    led_to(good.filter_map(|baseline| baseline.state.as_ref()))
}

/// The NAT gateways that routes of some states lead to.
fn led_to<'a>(states: impl Iterator<Item = &'a Resource>) -> BTreeSet<&'a str> {
    let routes = states.flat_map(|state| match state {
        Resource::RouteTable(table) => table.routes.values().collect(),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => Vec::new(),
    });
    let ids = routes.filter_map(|route| match &route.target {
        RouteTarget::NatGateway(id) => Some(id.as_str()),
        _ => None,
    });
    ids.collect()
}

/// Which NAT gateway stands in the place of which, as far as good routes lead to it.
pub(super) fn led(baselines: &Baselines, live: &Snapshot) -> Lineage {
    let before: BTreeMap<&str, &str> = nats(live)
        .filter_map(|gateway| {
            Some((
                gateway.id.as_str(),
                gateway.tags.get(SUCCESSOR_OF)?.as_str(),
            ))
        })
        .collect();
    let mut lineage = Lineage::default();
    for id in good_nats(baselines) {
        let mut new = id;
        while let Some(old) = before.get(new) {
            lineage.record(old, new);
            new = old;
        }
    }
    lineage
}

/// An id and all that was made in its place, one after the other.
fn line<'a>(id: &'a str, lineage: &'a Lineage) -> Vec<&'a str> {
    let next: BTreeMap<&str, &str> = lineage.iter().collect();
    let first = std::iter::once(id);
    first
        .chain(std::iter::successors(next.get(id).copied(), |id| {
            next.get(id).copied()
        }))
        .collect()
}

impl Bench<'_> {
    /// Out of the baselines, and not made again once it was heard that a trusted hand deleted it.
    pub(super) fn gone(&mut self, baselines: &Baselines, live: &Snapshot, lineage: &Lineage) {
        let mut tagged = lineage.clone();
        for gateway in nats(live).filter(|gateway| gateway.tags.contains_key(INCIDENT)) {
            if let Some(old) = gateway.tags.get(SUCCESSOR_OF) {
                tagged.record(old, &gateway.id);
            }
        }
        let refused: BTreeSet<EventId> = self.refused().into_iter().cloned().collect();
        let played = self.played;
        for trusted in &played.trusted {
            let Some(old) = &trusted.deletes else {
                continue;
            };
            self.looked.at("deletions by trusted hands");
            if trusted.heard.is_none() || refused.contains(&trusted.event) {
                self.looked
                    .at("deletions by trusted hands that were refused or not heard of");
                continue;
            }
            for id in line(old, &tagged) {
                let lives = nats(live)
                    .filter(|gateway| gateway.id == id && is_alive(gateway))
                    .any(|gateway| !self.is_left_and_told(gateway));
                let resource: Option<ResourceId> = id.parse().ok();
                let resource =
                    resource.filter(|id| !self.is_told_to_be_left(live.resources.get(id)));
                let good = resource
                    .as_ref()
                    .is_some_and(|id| baselines.state(id).is_some());
                let lives = lives || resource.is_some_and(|id| live.resources.contains_key(&id));
                if good {
                    let what = format!("{}, and {id} is a good state", trusted.what);
                    self.violated(Invariant::RightBaseline, what);
                }
                if lives {
                    let what = format!("{}, and {id} is there", trusted.what);
                    self.violated(Invariant::RightEnd, what);
                }
            }
        }
    }

    /// One gateway in the place of each, and no good route leads to one that was replaced.
    pub(super) fn gateways(&mut self, baselines: &Baselines, live: &Snapshot, lineage: &Lineage) {
        let good = good_nats(baselines);
        // A route of live that is not good is told as what it is.
        let led = led_to(live.resources.values());
        let mut heirs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for gateway in nats(live).filter(|gateway| is_alive(gateway)) {
            let Some(old) = gateway.tags.get(SUCCESSOR_OF) else {
                continue;
            };
            if !gateway.tags.contains_key(INCIDENT) {
                continue;
            }
            self.looked.at("NAT gateways made again");
            heirs.entry(old).or_default().push(&gateway.id);
            if self.is_idle_and_told(gateway) {
                self.looked
                    .at("NAT gateways made again that are told as idle");
            } else if !good.contains(gateway.id.as_str())
                && !led.contains(gateway.id.as_str())
                && !self.is_left_and_told(gateway)
            {
                let what = format!("no route leads to {}", gateway.id);
                self.violated(Invariant::NoDoubleCreation, what);
            }
            if good.contains(old.as_str()) {
                for table in self.leading_to(baselines, old) {
                    if self.is_halted(&table) {
                        self.looked.at("routes that a brake or breaker leaves");
                    } else if !self.was_tried(&table, lineage) {
                        let what = format!("{table} leads to {old}, which is {} now", gateway.id);
                        self.violated(Invariant::RightEnd, what);
                    }
                }
            }
        }
        for (old, new) in heirs.into_iter().filter(|(_, new)| new.len() > 1) {
            let what = format!("{old} was made again as {new:?}");
            self.violated(Invariant::NoDoubleCreation, what);
        }
    }

    /// Whether the story that made a gateway ended by telling that something is left.
    fn is_left_and_told(&self, gateway: &Gateway) -> bool {
        let incident = gateway.tags.get(INCIDENT).map(String::as_str);
        self.journal.iter().any(|entry| {
            incident == Some(entry.incident.as_str())
                && matches!(&entry.body, Body::Closed { report } if report.outcome != Outcome::Reverted)
        })
    }

    /// Whether the sweep told that no route leads to it any more.
    fn is_idle_and_told(&self, gateway: &Gateway) -> bool {
        let subject = Subject::Gateway(gateway.id.clone());
        let mut findings = self
            .reports()
            .into_iter()
            .flat_map(|report| &report.findings);
        findings.any(|one| one.code == FindingCode::NatIdle && one.subject == subject)
    }

    /// Whether the story that made it told that a trusted hand had deleted what it stands in the place
    /// of, and that it is to be deleted by hand.
    fn is_told_to_be_left(&mut self, found: Option<&Resource>) -> bool {
        let Some((id, tags)) = found.and_then(|found| Some((found.id(), found.tags()?))) else {
            return false;
        };
        let incident = tags.get(INCIDENT).map(String::as_str);
        let words = format!("delete {id} if it is to go");
        let told = self.journal.iter().any(|entry| {
            let Body::Closed { report } = &entry.body else {
                return false;
            };
            let says = report.problems.iter().any(|line| line.contains(&words));
            incident == Some(entry.incident.as_str()) && report.outcome != Outcome::Reverted && says
        });
        if told {
            self.looked.at("remakes that were told as too late");
        }
        told
    }

    fn leading_to(&self, baselines: &Baselines, nat: &str) -> Vec<ResourceId> {
        let leads = |baseline: &&Baseline| match &baseline.state {
            Some(Resource::RouteTable(table)) => {
                let mut routes = table.routes.values();
                routes.any(|route| !route.blackhole && route.target.id() == nat)
            }
            _ => false,
        };
        let tables = baselines.by_id.values().filter(leads);
        tables.map(|baseline| baseline.id.clone()).collect()
    }
}
