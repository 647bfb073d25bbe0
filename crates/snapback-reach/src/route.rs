//! Where a route table sends each address: longest prefix match (semantics A4).

use crate::address::{span_v4, span_v6};
use crate::pieces::{Coordinate, Pieces};
use ipnet::IpNet;
use snapback_model::{
    Destination, PrefixListId, Route, RouteOrigin, RouteTable, RouteTarget, Topology,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What happens to packets for an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hop {
    /// No route: dropped.
    #[default]
    Unrouted,
    /// The longest prefix has a dead target: dropped, no fall-through to a shorter prefix.
    Blackhole(RouteTarget),
    /// Sent to the target.
    To(RouteTarget),
}

impl Hop {
    /// Where packets arrive; `None` where they are dropped.
    pub fn delivers(&self) -> Option<&RouteTarget> {
        match self {
            Self::To(target) => Some(target),
            Self::Unrouted | Self::Blackhole(_) => None,
        }
    }

    fn of(route: &Route) -> Self {
        if route.blackhole {
            Self::Blackhole(route.target.clone())
        } else {
            Self::To(route.target.clone())
        }
    }
}

/// Rank among routes of equal prefix: static over prefix list over propagated (semantics A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Propagated,
    PrefixList,
    Static,
}

/// The next hop of every address, as a table decides it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextHops {
    prefixes: BTreeMap<IpNet, Hop>,
    v4: Pieces<u32, Hop>,
    v6: Pieces<u128, Hop>,
    unread: BTreeMap<PrefixListId, Hop>,
    ambiguous: BTreeMap<IpNet, BTreeSet<RouteTarget>>,
}

/// The longest-prefix map of a table. Prefix lists are expanded where the topology has their
/// entries; the others are kept by name.
pub fn next_hops(table: &RouteTable, topology: &Topology) -> NextHops {
    let mut ranked: BTreeMap<IpNet, (Rank, Hop)> = BTreeMap::new();
    let mut unread = BTreeMap::new();
    let mut ambiguous: BTreeMap<IpNet, BTreeSet<RouteTarget>> = BTreeMap::new();
    for (destination, route) in &table.routes {
        let hop = Hop::of(route);
        let Destination::PrefixList(id) = destination else {
            let rank = if route.origin == RouteOrigin::Propagated {
                Rank::Propagated
            } else {
                Rank::Static
            };
            if let Some(network) = destination.as_cidr() {
                keep_best(&mut ranked, network, rank, hop);
            }
            continue;
        };
        match topology
            .prefix_lists
            .get(id)
            .and_then(|list| list.entries.as_ref())
        {
            None => {
                unread.insert(id.clone(), hop);
            }
            Some(entries) => {
                for network in entries.iter().map(IpNet::trunc) {
                    if let Some((Rank::PrefixList, Hop::To(known) | Hop::Blackhole(known))) =
                        ranked.get(&network)
                        && *known != route.target
                    {
                        ambiguous
                            .entry(network)
                            .or_default()
                            .extend([known.clone(), route.target.clone()]);
                    }
                    keep_best(&mut ranked, network, Rank::PrefixList, hop.clone());
                }
            }
        }
    }
    ambiguous.retain(|network, _| {
        ranked
            .get(network)
            .is_some_and(|(rank, _)| *rank == Rank::PrefixList)
    });
    let prefixes: BTreeMap<IpNet, Hop> = ranked
        .into_iter()
        .map(|(network, (_, hop))| (network, hop))
        .collect();
    let v4 = prefixes.iter().filter_map(|(network, hop)| match network {
        IpNet::V4(net) => Some((span_v4(*net), hop)),
        IpNet::V6(_) => None,
    });
    let v6 = prefixes.iter().filter_map(|(network, hop)| match network {
        IpNet::V6(net) => Some((span_v6(*net), hop)),
        IpNet::V4(_) => None,
    });
    let (v4, v6) = (lay(v4.collect()), lay(v6.collect()));
    NextHops {
        prefixes,
        v4,
        v6,
        unread,
        ambiguous,
    }
}

fn keep_best(ranked: &mut BTreeMap<IpNet, (Rank, Hop)>, network: IpNet, rank: Rank, hop: Hop) {
    if ranked.get(&network).is_none_or(|(known, _)| *known < rank) {
        ranked.insert(network, (rank, hop));
    }
}

/// Nested ranges laid over each other, the inner one on top.
fn lay<A: Coordinate>(mut ranges: Vec<((A, A), &Hop)>) -> Pieces<A, Hop> {
    ranges.sort_unstable_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut cuts: Vec<(A, Hop)> = Vec::with_capacity(ranges.len() * 2);
    let mut open: Vec<(A, &Hop)> = Vec::new();
    let close = |open: &mut Vec<(A, &Hop)>, cuts: &mut Vec<(A, Hop)>| {
        if let Some((high, _)) = open.pop()
            && let Some(end) = high.next()
        {
            cuts.push((
                end,
                open.last().map_or(Hop::Unrouted, |(_, hop)| (*hop).clone()),
            ));
        }
    };
    for ((low, high), hop) in ranges {
        while open.last().is_some_and(|(end, _)| *end < low) {
            close(&mut open, &mut cuts);
        }
        open.push((high, hop));
        cuts.push((low, hop.clone()));
    }
    while !open.is_empty() {
        close(&mut open, &mut cuts);
    }
    Pieces::from_cuts(cuts)
}

/// A set of addresses for which each of several tables has one answer: a network without the more
/// specific ones that any of the tables names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRegion {
    /// The network (or unread prefix list); more specific regions are told apart from it.
    pub destination: Destination,
    /// An address of the region; `None` for an unread prefix list.
    pub witness: Option<IpAddr>,
    /// What each table does with its addresses, in the order the tables were given.
    pub hops: Vec<Hop>,
}

impl NextHops {
    /// The hop of an address. Unread prefix lists are not considered.
    pub fn at(&self, address: IpAddr) -> &Hop {
        const UNROUTED: &Hop = &Hop::Unrouted;
        match address {
            IpAddr::V4(address) => self.v4.at(address.into()),
            IpAddr::V6(address) => self.v6.at(address.into()),
        }
        .unwrap_or(UNROUTED)
    }

    /// The hop of every IPv4 address.
    pub fn v4(&self) -> &Pieces<u32, Hop> {
        &self.v4
    }

    /// The hop of every IPv6 address.
    pub fn v6(&self) -> &Pieces<u128, Hop> {
        &self.v6
    }

    /// Routes of prefix lists whose entries are not known.
    pub fn unread(&self) -> &BTreeMap<PrefixListId, Hop> {
        &self.unread
    }

    /// Networks that several prefix lists send to different targets: AWS picks one at random
    /// (semantics A4). The map itself takes the list with the lowest id.
    pub fn ambiguous(&self) -> &BTreeMap<IpNet, BTreeSet<RouteTarget>> {
        &self.ambiguous
    }

    /// The address space in regions for which every table has one answer, inside `within` (`None`
    /// is everywhere). Addresses that no table routes are in no region.
    pub fn regions(tables: &[&Self], within: Option<&Destination>) -> Vec<RouteRegion> {
        let inside = |network: &IpNet| {
            within.is_none_or(|within| {
                within
                    .as_cidr()
                    .is_some_and(|within| within.contains(network))
            })
        };
        let mut networks: BTreeSet<IpNet> = tables
            .iter()
            .flat_map(|table| table.prefixes.keys())
            .filter(|network| inside(network))
            .copied()
            .collect();
        networks.extend(within.and_then(Destination::as_cidr));
        let mut regions = regions_of(tables, networks);
        let lists: BTreeSet<&PrefixListId> = tables
            .iter()
            .flat_map(|table| table.unread.keys())
            .collect();
        for list in lists {
            let destination = Destination::PrefixList(list.clone());
            if within.is_none_or(|within| *within == destination) {
                let hops = tables
                    .iter()
                    .map(|table| table.unread.get(list).cloned().unwrap_or_default())
                    .collect();
                regions.push(RouteRegion {
                    destination,
                    witness: None,
                    hops,
                });
            }
        }
        regions
    }

    /// Where packets arrive elsewhere (or no more, or newly) in `after`, as regions with the hops
    /// `[before, after]`. A region inside one with the same answers is not told again. A blackhole
    /// counts as dropped.
    pub fn difference(&self, after: &Self) -> Vec<RouteRegion> {
        let differs = |region: &RouteRegion| matches!(region.hops.as_slice(), [before, after] if before.delivers() != after.delivers());
        let regions = Self::regions(&[self, after], None);
        let mut told: Vec<RouteRegion> = Vec::new();
        for region in regions.iter().filter(|region| differs(region)) {
            let parent = region.destination.as_cidr().and_then(|network| {
                let around = regions
                    .iter()
                    .filter_map(|other| Some((other, other.destination.as_cidr()?)));
                around
                    .filter(|(_, other)| *other != network && other.contains(&network))
                    .max_by_key(|(_, other)| other.prefix_len())
                    .map(|(other, _)| other)
            });
            if parent.is_none_or(|parent| parent.hops != region.hops) {
                told.push(region.clone());
            }
        }
        told
    }

    /// An address that this table sends neither where `one` nor where `other` does (design.md 3:
    /// the invariant of every step of a route plan).
    pub fn strays_from(&self, one: &Self, other: &Self) -> Option<Destination> {
        let regions = Self::regions(&[self, one, other], None);
        regions
            .into_iter()
            .find_map(|region| match region.hops.as_slice() {
                [mine, one, other]
                    if mine.delivers() != one.delivers() && mine.delivers() != other.delivers() =>
                {
                    Some(region.destination)
                }
                _ => None,
            })
    }
}

/// A network being walked, with what each table says about its own part.
struct Frame {
    network: IpNet,
    high: u128,
    /// The first address not yet known to be in a more specific network; `None` past the end.
    free: Option<u128>,
    witness: Option<u128>,
    hops: Vec<Hop>,
    order: usize,
}

fn bounds(network: IpNet) -> (u128, u128) {
    match network {
        IpNet::V4(net) => {
            let (low, high) = span_v4(net);
            (low.into(), high.into())
        }
        IpNet::V6(net) => span_v6(net),
    }
}

fn regions_of(tables: &[&NextHops], networks: BTreeSet<IpNet>) -> Vec<RouteRegion> {
    let mut sorted: Vec<(bool, u128, u8, IpNet)> = networks
        .into_iter()
        .map(|net| {
            (
                matches!(net, IpNet::V6(_)),
                bounds(net).0,
                net.prefix_len(),
                net,
            )
        })
        .collect();
    sorted.sort_unstable();
    let mut open: Vec<Frame> = Vec::new();
    let mut done: Vec<(usize, RouteRegion)> = Vec::new();
    for (order, (_, low, _, network)) in sorted.into_iter().enumerate() {
        while open
            .last()
            .is_some_and(|frame| !frame.network.contains(&network))
        {
            close(&mut open, &mut done);
        }
        if let Some(around) = open.last_mut()
            && around.witness.is_none()
        {
            around.witness = around.free.filter(|free| *free < low);
        }
        let hops = tables
            .iter()
            .enumerate()
            .map(
                |(index, table)| match (table.prefixes.get(&network), open.last()) {
                    (Some(hop), _) => hop.clone(),
                    (None, Some(around)) => around.hops.get(index).cloned().unwrap_or_default(),
                    (None, None) => table.covering(network),
                },
            )
            .collect();
        open.push(Frame {
            network,
            high: bounds(network).1,
            free: Some(low),
            witness: None,
            hops,
            order,
        });
    }
    while !open.is_empty() {
        close(&mut open, &mut done);
    }
    done.sort_unstable_by_key(|(order, _)| *order);
    done.into_iter().map(|(_, region)| region).collect()
}

impl NextHops {
    /// The hop of the longest prefix that holds a whole network.
    fn covering(&self, network: IpNet) -> Hop {
        let mut around = Some(network);
        while let Some(net) = around {
            if let Some(hop) = self.prefixes.get(&net) {
                return hop.clone();
            }
            around = net.supernet();
        }
        Hop::Unrouted
    }
}

fn close(open: &mut Vec<Frame>, done: &mut Vec<(usize, RouteRegion)>) {
    let Some(frame) = open.pop() else { return };
    if let Some(around) = open.last_mut() {
        around.free = frame.high.next();
    }
    let witness = frame
        .witness
        .or(frame.free.filter(|free| *free <= frame.high));
    if let Some(witness) = witness {
        let address = match frame.network {
            IpNet::V4(_) => u32::try_from(witness)
                .ok()
                .map(|address| IpAddr::V4(address.into())),
            IpNet::V6(_) => Some(IpAddr::V6(witness.into())),
        };
        let destination = Destination::cidr(frame.network);
        done.push((
            frame.order,
            RouteRegion {
                destination,
                witness: address,
                hops: frame.hops,
            },
        ));
    }
}
