//! A route table: where it sends addresses otherwise, for the subnets that it routes, and what a
//! subnet gains or loses that was moved to another one.

mod bindings;

use super::around::Positions;
use super::latent::{Dies, Latent};
use super::shift::{Effect, Shift, Turn, Why};
use super::weigh::{Layer, Question, weigh};
use super::words::bounded;
use super::work::{MOST_SHIFTS, Work};
use crate::diff::Difference;
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{
    AddressSet, Errs, Gap, Hop, NextHops, PacketSet, RouteRegion, Unknowns, next_hops,
};
use std::collections::{BTreeMap, BTreeSet};

/// Subnets that went from one table (as it was) to one table (as it is).
struct Regime<'q> {
    before: Option<&'q RouteTable>,
    after: Option<&'q RouteTable>,
    subnets: BTreeSet<SubnetId>,
    /// The differences that moved them; empty where the table itself changed.
    moved: Vec<Element>,
}

pub(super) fn table(
    work: &mut Work<'_, '_>,
    before: Option<&RouteTable>,
    after: Option<&RouteTable>,
) {
    let regimes = regimes(work, before, after);
    for regime in regimes {
        told(work, &regime);
    }
    bindings::bindings(work, before, after);
}

fn regimes<'q, 'a: 'q>(
    work: &mut Work<'_, 'a>,
    before: Option<&'q RouteTable>,
    after: Option<&'q RouteTable>,
) -> Vec<Regime<'q>> {
    let mut moved: BTreeMap<(Option<&ResourceId>, Option<&ResourceId>), Vec<&SubnetId>> =
        BTreeMap::new();
    let mut main: Option<(&VpcId, &RouteTableId, Option<&RouteTableId>)> = None;
    for difference in &work.diff.differences {
        match difference {
            Difference::Association {
                subnet,
                baseline,
                live,
            } => {
                let key = (baseline.as_ref(), live.as_ref());
                moved.entry(key).or_default().push(subnet);
            }
            Difference::Main {
                vpc,
                baseline,
                live,
            } => main = Some((vpc, baseline, live.as_ref())),
            _ => {}
        }
    }
    let vpc = before.or(after).map(|table| &table.vpc);
    let mut regimes = Vec::new();
    for ((from, to), subnets) in &moved {
        let good = match from {
            Some(id) => super::as_table(work.baselines.state(id)),
            None => vpc.and_then(|vpc| work.good_main(vpc)),
        };
        let found = match to {
            Some(id) => super::as_table(work.live.resources.get(id)),
            None => vpc.and_then(|vpc| work.found_main(vpc)),
        };
        let elements = subnets
            .iter()
            .map(|subnet| Element::Subnet((*subnet).clone()))
            .collect();
        match (good, found) {
            (Some(before), Some(after)) => regimes.push(Regime {
                before: Some(before),
                after: Some(after),
                subnets: subnets.iter().map(|subnet| (*subnet).clone()).collect(),
                moved: elements,
            }),
            (_, _) => work.unknown_holder("routed", *from, *to, elements),
        }
    }
    let gone: BTreeSet<&SubnetId> = moved.values().flatten().copied().collect();
    let implicit = |vpc: &VpcId| -> BTreeSet<SubnetId> {
        let explicit = |subnet: &SubnetId| {
            let mut tables = work.sets.network.snapshot().resources.values();
            tables.any(|resource| {
                matches!(resource, Resource::RouteTable(table) if table.subnets.contains(subnet))
            })
        };
        let subnets = work.sets.network.subnets();
        let here = subnets.filter(|subnet| subnet.vpc == *vpc && !explicit(&subnet.id));
        here.map(|subnet| subnet.id.clone())
            .filter(|subnet| !gone.contains(subnet))
            .collect()
    };
    let mut own: BTreeSet<SubnetId> = before
        .into_iter()
        .chain(after)
        .flat_map(|table| &table.subnets)
        .filter(|subnet| !gone.contains(subnet))
        .cloned()
        .collect();
    let is_main = before.or(after).is_some_and(|table| table.main);
    match main {
        Some((vpc, good, found)) => {
            let state = |id: &RouteTableId| ResourceId::from(id.clone());
            let good = super::as_table(work.baselines.state(&state(good)));
            let live = found.and_then(|id| work.live.resources.get(&state(id)));
            regimes.push(Regime {
                before: good,
                after: super::as_table(live),
                subnets: implicit(vpc),
                moved: vec![Element::Main],
            });
        }
        None if is_main => own.extend(vpc.map(implicit).unwrap_or_default()),
        None => {}
    }
    match (before, after) {
        (Some(gone), None) if !own.is_empty() => regimes.extend(orphans(work, gone, own)),
        _ => regimes.push(Regime {
            before,
            after,
            subnets: own,
            moved: Vec::new(),
        }),
    }
    regimes
}

/// The subnets of a table that is gone, by the table that routes them now: one of their own, or the
/// main table.
fn orphans<'q, 'a: 'q>(
    work: &Work<'_, 'a>,
    gone: &'q RouteTable,
    subnets: BTreeSet<SubnetId>,
) -> Vec<Regime<'q>> {
    let mut by_table: BTreeMap<Option<&RouteTableId>, BTreeSet<SubnetId>> = BTreeMap::new();
    for subnet in subnets {
        let now = work.live.explicit_table_of(&subnet);
        let now = now.or_else(|| work.live.main_table_of(&gone.vpc));
        by_table.entry(now).or_default().insert(subnet);
    }
    let found =
        |id: &RouteTableId| super::as_table(work.live.resources.get(&ResourceId::from(id.clone())));
    by_table
        .into_iter()
        .map(|(now, subnets)| Regime {
            before: Some(gone),
            after: now.and_then(found),
            subnets,
            moved: Vec::new(),
        })
        .collect()
}

fn told(work: &mut Work<'_, '_>, regime: &Regime<'_>) {
    let lists = work.sets.lists;
    let hops = |table: Option<&RouteTable>| {
        table.map_or_else(NextHops::default, |table| next_hops(table, lists))
    };
    let (before, after) = (hops(regime.before), hops(regime.after));
    gaps(work, &before, &after);
    let regions = before.difference(&after);
    if regions.is_empty() {
        return;
    }
    let found = work.survey(|interface| regime.subnets.contains(&interface.subnet));
    let whom = (!regime.moved.is_empty()).then(|| work.subnet_words(&regime.subnets));
    let mut lines = [Vec::new(), Vec::new()];
    let mut worst: [Option<Effect>; 2] = [None, None];
    for region in regions {
        let [was, is] = region.hops.as_slice() else {
            continue;
        };
        let turn = turn_of(was, is);
        let side = usize::from(turn == Turn::Closed);
        let through = if regime.moved.is_empty() {
            through(work, &region)
        } else {
            regime.moved.clone()
        };
        let listed = match turn {
            Turn::Opened => work.impact.opened.len(),
            Turn::Closed => work.impact.closed.len(),
        };
        let beyond = worst.get(side).cloned().flatten();
        let effect = match beyond.filter(|_| listed >= MOST_SHIFTS) {
            Some(worst) => worst,
            None => weighed(work, regime, &found, &region, turn),
        };
        for element in &through {
            work.moves(turn, element, effect.clone());
        }
        if let Some(known) = worst.get_mut(side)
            && known
                .as_ref()
                .is_none_or(|known| known.weight() < effect.weight())
        {
            *known = Some(effect.clone());
        }
        let line = route_line(&region);
        if !effect.is_dormant()
            && let Some(lines) = lines.get_mut(side)
        {
            lines.push(region.destination.to_string());
        }
        work.push(turn, shift(whom.as_deref(), line, &region, through, effect));
    }
    latent(work, lines);
}

/// Whether a region was opened: it had no way, or has now one to the internet.
fn turn_of(was: &Hop, is: &Hop) -> Turn {
    let internet = matches!(is.delivers(), Some(RouteTarget::InternetGateway(_)));
    if was.delivers().is_none() || internet {
        Turn::Opened
    } else {
        Turn::Closed
    }
}

fn latent(work: &mut Work<'_, '_>, lines: [Vec<String>; 2]) {
    for (of, lines) in [Turn::Opened, Turn::Closed].into_iter().zip(lines) {
        if lines.is_empty() {
            continue;
        }
        let what = bounded(lines, 3).join(", ");
        work.impact.latent.push(Latent {
            of,
            what: match of {
                Turn::Opened => format!("the new way to {what}"),
                Turn::Closed => format!("the former way to {what}"),
            },
            when: Dies::Now,
            why: "each packet takes the way that the table says at that moment".to_owned(),
            evicts: None,
        });
    }
}

fn shift(
    whom: Option<&str>,
    line: String,
    region: &RouteRegion,
    through: Vec<Element>,
    effect: Effect,
) -> Shift {
    Shift {
        text: whom.map_or_else(|| line.clone(), |whom| format!("{whom}: {line}")),
        direction: None,
        traffic: "all traffic".to_owned(),
        peers: vec![region.destination.to_string()],
        more_peers: 0,
        witness: region.witness.map(|address| address.to_string()),
        through,
        effect,
    }
}

/// Whether the interfaces send or answer to a region, and the way there (or the former way) carries it.
fn weighed<'a>(
    work: &mut Work<'_, 'a>,
    regime: &Regime<'_>,
    found: &Positions<'a>,
    region: &RouteRegion,
    turn: Turn,
) -> Effect {
    if !work.is_known {
        let why = "the network interfaces were not read".to_owned();
        return Effect::Unknown { why };
    }
    let gateways = regime.before.into_iter().chain(regime.after);
    let is_edge = gateways.into_iter().any(|table| !table.gateways.is_empty());
    if found.all.is_empty() {
        return if is_edge {
            let why = "what enters by a gateway that the table routes is not computed".to_owned();
            Effect::Unknown { why }
        } else {
            let why = if regime.subnets.is_empty() {
                Why::NoSubnet
            } else {
                Why::NoInterface
            };
            Effect::Dormant { why }
        };
    }
    let Some(addresses) = addresses(work, &region.destination) else {
        let why = format!("the entries of {} were not read", region.destination);
        return Effect::Unknown { why };
    };
    let hop = match turn {
        Turn::Opened => region.hops.last(),
        Turn::Closed => region.hops.first(),
    };
    let packets = PacketSet::of_peers(&Traffic::All, &addresses);
    let question = Question {
        layer: Layer::Route(hop.and_then(Hop::delivers)),
        direction: Direction::Egress,
        moved: &packets,
        kept: &PacketSet::empty(),
        parts: std::slice::from_ref(&packets),
    };
    let effects = weigh(&mut work.sets, found, &question);
    effects.into_iter().next().unwrap_or(Effect::Dormant {
        why: Why::NoInterface,
    })
}

fn addresses(work: &Work<'_, '_>, destination: &Destination) -> Option<AddressSet> {
    match destination {
        Destination::PrefixList(id) => {
            let list = work.sets.lists.prefix_lists.get(id)?;
            Some(AddressSet::of(list.entries.as_ref()?.iter().copied()))
        }
        Destination::Ipv4(_) | Destination::Ipv6(_) => Some(AddressSet::of(destination.as_cidr())),
    }
}

/// The differing routes that decide a region: of those that hold it, the most specific.
fn through(work: &Work<'_, '_>, region: &RouteRegion) -> Vec<Element> {
    let length = |destination: &Destination| -> Option<u8> {
        if *destination == region.destination {
            return Some(u8::MAX);
        }
        let inside: IpNet = region.destination.as_cidr()?;
        match destination {
            Destination::PrefixList(id) => {
                let entries = work.sets.lists.prefix_lists.get(id)?.entries.as_ref()?;
                let around = entries.iter().filter(|net| net.contains(&inside));
                around.map(IpNet::prefix_len).max()
            }
            Destination::Ipv4(_) | Destination::Ipv6(_) => {
                let net = destination.as_cidr().filter(|net| net.contains(&inside))?;
                Some(net.prefix_len())
            }
        }
    };
    let mut holding: Vec<(u8, Element)> = Vec::new();
    for difference in &work.diff.differences {
        match difference {
            Difference::Route { destination, .. } => {
                if let Some(length) = length(destination) {
                    holding.push((length, difference.element()));
                }
            }
            Difference::Deleted { .. } | Difference::Unreviewed { .. } => {
                holding.push((0, Element::Existence));
            }
            _ => {}
        }
    }
    let most = holding.iter().map(|(length, _)| *length).max();
    holding
        .into_iter()
        .filter(|(length, _)| Some(*length) == most)
        .map(|(_, element)| element)
        .collect()
}

fn gaps(work: &mut Work<'_, '_>, before: &NextHops, after: &NextHops) {
    let lists: BTreeSet<_> = before
        .unread()
        .keys()
        .chain(after.unread().keys())
        .collect();
    for list in lists {
        let words = format!(
            "the entries of prefix list {list} were not read: its route is told by name, and routes of other \
             networks may lead elsewhere inside it"
        );
        let what = Unknowns::PrefixList(list.clone());
        work.sets.gaps.add(Gap::new(what, Errs::Either, words));
    }
    for (network, targets) in after.ambiguous() {
        let targets: Vec<&str> = targets.iter().map(RouteTarget::id).collect();
        let words = format!(
            "several prefix lists send {network} to different targets ({}): AWS picks one of them at random",
            targets.join(", ")
        );
        let what = Unknowns::AmbiguousRoute(network.to_string());
        work.sets.gaps.add(Gap::new(what, Errs::Either, words));
    }
}

impl<'a> Work<'_, 'a> {
    fn good_main(&self, vpc: &VpcId) -> Option<&'a RouteTable> {
        let states = self.baselines.by_id.values();
        states
            .filter_map(|baseline| super::as_table(baseline.state.as_ref()))
            .find(|table| table.main && table.vpc == *vpc)
    }

    fn found_main(&self, vpc: &VpcId) -> Option<&'a RouteTable> {
        let id = self.live.main_table_of(vpc)?;
        super::as_table(self.live.resources.get(&ResourceId::from(id.clone())))
    }
}

/// A region with the hops `[before, after]` in words: `0.0.0.0/0 now goes to eni-1 instead of igw-1`.
pub fn route_line(region: &RouteRegion) -> String {
    let network = match &region.destination {
        Destination::PrefixList(id) => format!("prefix list {id}"),
        network @ (Destination::Ipv4(_) | Destination::Ipv6(_)) => network.to_string(),
    };
    match region.hops.as_slice() {
        [Hop::To(was), Hop::To(is)] => format!("{network} now goes to {is} instead of {was}"),
        [Hop::To(was), Hop::Unrouted] => {
            format!("{network} has no route any more (it went to {was})")
        }
        [Hop::To(was), Hop::Blackhole(is)] if was == is => {
            format!("{network} is dropped: its target {is} is dead")
        }
        [Hop::To(was), Hop::Blackhole(is)] => {
            format!("{network} is dropped: its new target {is} is dead (it went to {was})")
        }
        [Hop::Unrouted, Hop::To(is)] => format!("{network} now goes to {is} (it had no route)"),
        [Hop::Blackhole(was), Hop::To(is)] => {
            format!("{network} now goes to {is} (it was dropped: its target {was} was dead)")
        }
        _ => format!("{network} is dropped as before"),
    }
}
