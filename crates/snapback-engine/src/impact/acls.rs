//! A network ACL: which packets its entries opened and closed for the subnets behind it, and what a
//! subnet gains or loses that was moved to another one.

use super::DIRECTIONS;
use super::latent::{Dies, Latent};
use super::shift::{Turn, Why};
use super::weigh::Layer;
use super::words::{bounded, traffic_words};
use super::work::{Moved, Work};
use crate::diff::Difference;
use snapback_model::*;
use snapback_reach::{PacketSet, deciding_entries, permitted_by_acl};
use std::collections::{BTreeMap, BTreeSet};

/// Subnets that went from one ACL (as it was) to one ACL (as it is).
struct Regime<'q> {
    before: Option<&'q NetworkAcl>,
    after: Option<&'q NetworkAcl>,
    subnets: BTreeSet<SubnetId>,
    is_moved: bool,
}

pub(super) fn acl(
    work: &mut Work<'_, '_>,
    before: Option<&NetworkAcl>,
    after: Option<&NetworkAcl>,
) {
    let moved = moved_subnets(work);
    let gone: BTreeSet<&SubnetId> = moved.values().flatten().copied().collect();
    let own = before
        .into_iter()
        .chain(after)
        .flat_map(|acl| &acl.subnets)
        .filter(|subnet| !gone.contains(subnet));
    let mut regimes = vec![Regime {
        before,
        after,
        subnets: own.cloned().collect(),
        is_moved: false,
    }];
    for ((from, to), subnets) in &moved {
        match (work.good_acl(*from), work.found_acl(*to)) {
            (Some(before), Some(after)) => regimes.push(Regime {
                before: Some(before),
                after: Some(after),
                subnets: subnets.iter().map(|subnet| (*subnet).clone()).collect(),
                is_moved: true,
            }),
            (_, _) => {
                let elements = subnets
                    .iter()
                    .map(|subnet| Element::Subnet((*subnet).clone()));
                work.unknown_holder("guarded", *from, *to, elements.collect());
            }
        }
    }
    for regime in regimes {
        told(work, &regime);
    }
}

/// The subnets that have another ACL, by the two.
fn moved_subnets<'d>(
    work: &Work<'_, 'd>,
) -> BTreeMap<(Option<&'d ResourceId>, Option<&'d ResourceId>), Vec<&'d SubnetId>> {
    let mut moved: BTreeMap<_, Vec<&SubnetId>> = BTreeMap::new();
    for difference in &work.diff.differences {
        if let Difference::Association {
            subnet,
            baseline,
            live,
        } = difference
        {
            let key = (baseline.as_ref(), live.as_ref());
            moved.entry(key).or_default().push(subnet);
        }
    }
    moved
}

fn told(work: &mut Work<'_, '_>, regime: &Regime<'_>) {
    let permitted = DIRECTIONS.map(|direction| {
        let of = |acl: Option<&NetworkAcl>| {
            acl.map_or_else(PacketSet::empty, |acl| permitted_by_acl(acl, direction))
        };
        (direction, of(regime.before), of(regime.after))
    });
    if permitted.iter().all(|(_, was, is)| was == is) {
        return;
    }
    let found = work.survey(|interface| regime.subnets.contains(&interface.subnet));
    let whom = regime.is_moved.then(|| work.subnet_words(&regime.subnets));
    let nobody = if regime.subnets.is_empty() {
        Why::NoSubnet
    } else {
        Why::NoInterface
    };
    let mut alive = [Vec::new(), Vec::new()];
    for (direction, was, is) in permitted {
        for (turn, lines) in [Turn::Opened, Turn::Closed].into_iter().zip(&mut alive) {
            let packets = match turn {
                Turn::Opened => is.difference(&was),
                Turn::Closed => was.difference(&is),
            };
            if packets.is_empty() {
                continue;
            }
            let weighed = work.tell(&Moved {
                turn,
                layer: Layer::Acl,
                direction,
                packets: &packets,
                kept: &was.intersection(&is),
                positions: &found,
                whom: whom.as_deref(),
                elements: &elements(work, regime, direction, &packets),
                nobody: nobody.clone(),
            });
            lines.extend(traffic_words(direction, &weighed.alive));
        }
    }
    for (of, lines) in [Turn::Opened, Turn::Closed].into_iter().zip(alive) {
        if !lines.is_empty() {
            work.impact.latent.push(Latent {
                of,
                what: bounded(lines, 3).join(", "),
                when: Dies::Now,
                why: "a network ACL keeps no connections, it judges every packet by itself"
                    .to_owned(),
                evicts: None,
            });
        }
    }
}

/// The differences that may have moved packets of a direction: of an entry, what it decides or
/// decided; of a moved subnet, all.
fn elements(
    work: &Work<'_, '_>,
    regime: &Regime<'_>,
    direction: Direction,
    moved: &PacketSet,
) -> Vec<(Element, PacketSet)> {
    if regime.is_moved {
        let subnets = regime.subnets.iter();
        return subnets
            .map(|subnet| (Element::Subnet(subnet.clone()), moved.clone()))
            .collect();
    }
    let mut decided: BTreeMap<EntryKey, PacketSet> = BTreeMap::new();
    for acl in regime.before.into_iter().chain(regime.after) {
        for (key, packets) in deciding_entries(acl, direction, moved) {
            if let Some(key) = key {
                let known = decided.entry(key).or_default();
                *known = known.union(&packets);
            }
        }
    }
    let of = |difference: &Difference| match difference {
        Difference::Entry { key, .. } => Some((Element::Entry(*key), decided.get(key).cloned()?)),
        Difference::Deleted { .. } | Difference::Unreviewed { .. } => {
            Some((Element::Existence, moved.clone()))
        }
        _ => None,
    };
    work.diff.differences.iter().filter_map(of).collect()
}

impl<'a> Work<'_, 'a> {
    fn good_acl(&self, id: Option<&ResourceId>) -> Option<&'a NetworkAcl> {
        super::as_acl(self.baselines.state(id?))
    }

    fn found_acl(&self, id: Option<&ResourceId>) -> Option<&'a NetworkAcl> {
        super::as_acl(self.live.resources.get(id?))
    }
}
