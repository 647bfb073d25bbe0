//! Where a route table sends each address: longest prefix match (semantics A4).

use crate::address::{span_v4, span_v6};
use crate::pieces::Coordinate;
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
    NextHops {
        prefixes,
        unread,
        ambiguous,
    }
}

fn keep_best(ranked: &mut BTreeMap<IpNet, (Rank, Hop)>, network: IpNet, rank: Rank, hop: Hop) {
    if ranked.get(&network).is_none_or(|(known, _)| *known < rank) {
        ranked.insert(network, (rank, hop));
    }
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
        self.covering(IpNet::from(address))
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

    /// The address space in regions for which every table has one answer. Addresses that no table
    /// routes are in no region.
    pub fn regions(tables: &[&Self]) -> Vec<RouteRegion> {
        Self::regions_where(tables, |_| true)
    }

    /// Only the regions whose hops satisfy a test.
    pub fn regions_where(tables: &[&Self], keep: impl Fn(&[&Hop]) -> bool) -> Vec<RouteRegion> {
        let walked = walk(tables);
        let kept = walked.iter().filter(|walked| keep(&walked.hops));
        let mut regions: Vec<RouteRegion> = kept.filter_map(Walked::region).collect();
        regions.extend(
            unread_regions(tables).filter(|region| keep(&region.hops.iter().collect::<Vec<_>>())),
        );
        regions
    }

    /// Where packets arrive elsewhere (or no more, or newly) in `after`, as regions with the hops
    /// `[before, after]`. A region inside one with the same answers is not told again. A blackhole
    /// counts as dropped.
    pub fn difference(&self, after: &Self) -> Vec<RouteRegion> {
        let differs = |before: &Hop, after: &Hop| before.delivers() != after.delivers();
        let tables = [self, after];
        let walked = walk(&tables);
        let around = |inner: &Walked<'_>| {
            let mut parent = inner.parent.and_then(|parent| walked.get(parent));
            while let Some(outer) = parent.filter(|outer| outer.witness.is_none()) {
                parent = outer.parent.and_then(|parent| walked.get(parent));
            }
            parent
        };
        let told = walked.iter().filter(|walked| {
            matches!(walked.hops.as_slice(), [before, after] if differs(before, after))
                && around(walked).is_none_or(|outer| outer.hops != walked.hops)
        });
        let mut regions: Vec<RouteRegion> = told.filter_map(Walked::region).collect();
        regions.extend(unread_regions(&tables).filter(
            |region| matches!(region.hops.as_slice(), [before, after] if differs(before, after)),
        ));
        regions
    }

    /// A network that this table sends neither where `one` nor where `other` does (design.md 3: the
    /// invariant of every step of a route plan).
    pub fn strays_from(&self, one: &Self, other: &Self) -> Option<Destination> {
        let strays = |hops: &[&Hop]| match hops {
            [mine, one, other] => {
                mine.delivers() != one.delivers() && mine.delivers() != other.delivers()
            }
            _ => false,
        };
        let regions = Self::regions_where(&[self, one, other], strays);
        regions.into_iter().next().map(|region| region.destination)
    }

    /// The hop of the longest prefix that holds a whole network.
    fn covering(&self, network: IpNet) -> &Hop {
        let mut around = Some(network);
        while let Some(net) = around {
            if let Some(hop) = self.prefixes.get(&net) {
                return hop;
            }
            around = net.supernet();
        }
        UNROUTED
    }
}

const UNROUTED: &Hop = &Hop::Unrouted;

/// A network of some table, with what each table says about the part of it that no more specific
/// network of any table takes away.
struct Walked<'a> {
    network: IpNet,
    high: u128,
    /// The first address not yet known to be in a more specific network; `None` past the end.
    free: Option<u128>,
    /// An address of its own part; `None` where it has none.
    witness: Option<u128>,
    hops: Vec<&'a Hop>,
    /// The network around it, by index.
    parent: Option<usize>,
}

impl Walked<'_> {
    fn region(&self) -> Option<RouteRegion> {
        let witness = self.witness?;
        let address = match self.network {
            IpNet::V4(_) => u32::try_from(witness)
                .ok()
                .map(|address| IpAddr::V4(address.into())),
            IpNet::V6(_) => Some(IpAddr::V6(witness.into())),
        };
        Some(RouteRegion {
            destination: Destination::cidr(self.network),
            witness: address,
            hops: self.hops.iter().map(|hop| (*hop).clone()).collect(),
        })
    }
}

/// The unread prefix lists of some tables: each is a region of its own.
fn unread_regions<'a>(tables: &'a [&NextHops]) -> impl Iterator<Item = RouteRegion> + 'a {
    let lists: BTreeSet<&PrefixListId> = tables
        .iter()
        .flat_map(|table| table.unread.keys())
        .collect();
    lists.into_iter().map(|list| RouteRegion {
        destination: Destination::PrefixList(list.clone()),
        witness: None,
        hops: tables
            .iter()
            .map(|table| table.unread.get(list).cloned().unwrap_or_default())
            .collect(),
    })
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

/// All networks of some tables, an outer one before those in it.
fn walk<'a>(tables: &[&'a NextHops]) -> Vec<Walked<'a>> {
    let mut networks: Vec<(bool, u128, u8, IpNet)> = tables
        .iter()
        .flat_map(|table| table.prefixes.keys())
        .map(|net| {
            (
                matches!(net, IpNet::V6(_)),
                bounds(*net).0,
                net.prefix_len(),
                *net,
            )
        })
        .collect();
    networks.sort_unstable();
    networks.dedup();
    let mut walked: Vec<Walked<'a>> = Vec::with_capacity(networks.len());
    let mut open: Vec<usize> = Vec::new();
    for (_, low, _, network) in networks {
        let holds = |walked: &[Walked<'_>], index: usize| {
            walked
                .get(index)
                .is_some_and(|outer| outer.network.contains(&network))
        };
        while open.last().is_some_and(|index| !holds(&walked, *index)) {
            close(&mut open, &mut walked);
        }
        let parent = open.last().copied();
        if let Some(outer) = parent.and_then(|parent| walked.get_mut(parent))
            && outer.witness.is_none()
        {
            outer.witness = outer.free.filter(|free| *free < low);
        }
        let outer = parent.and_then(|parent| walked.get(parent));
        let hops = tables.iter().enumerate().map(|(index, table)| {
            let inherited = outer.and_then(|outer| outer.hops.get(index).copied());
            table
                .prefixes
                .get(&network)
                .or(inherited)
                .unwrap_or(UNROUTED)
        });
        let hops = hops.collect();
        open.push(walked.len());
        walked.push(Walked {
            network,
            high: bounds(network).1,
            free: Some(low),
            witness: None,
            hops,
            parent,
        });
    }
    while !open.is_empty() {
        close(&mut open, &mut walked);
    }
    walked
}

/// Ends the innermost open network: what follows it in the one around it is free again.
fn close(open: &mut Vec<usize>, walked: &mut [Walked<'_>]) {
    let Some(inner) = open.pop().and_then(|index| walked.get_mut(index)) else {
        return;
    };
    inner.witness = inner
        .witness
        .or(inner.free.filter(|free| *free <= inner.high));
    let behind = inner.high.next();
    if let Some(outer) = open.last().and_then(|index| walked.get_mut(*index)) {
        outer.free = behind;
    }
}
