//! Where a route table sends each address: longest prefix match (semantics A4).

use crate::address::{span_v4, span_v6};
use crate::permit::entries_of;
use crate::pieces::Coordinate;
use ipnet::IpNet;
use smallvec::SmallVec;
use snapback_model::{
    Destination, PrefixListId, Route, RouteOrigin, RouteTable, RouteTarget, Topology,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

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

/// Rank among routes of equal prefix: static over prefix list over propagated (semantics A4). Among
/// propagated routes AWS ranks Direct Connect, static VPN and VPN BGP routes; what EC2 describes does
/// not tell them apart, and lists one route for each destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Propagated,
    PrefixList,
    Static,
}

/// A route that claims a network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    rank: Rank,
    pub(crate) destination: &'a Destination,
    pub(crate) route: &'a Route,
}

/// Which route of a table holds each network it names.
#[derive(Default)]
pub(crate) struct Claims<'a> {
    /// Each network once, in the order of [`walk`]: an outer one before those in it.
    holders: Vec<(IpNet, Claim<'a>)>,
    /// Claims that lost their network to a holder of the same prefix.
    pub(crate) beaten: Vec<(IpNet, Claim<'a>)>,
    unread: BTreeMap<&'a PrefixListId, &'a Route>,
}

impl<'a> Claims<'a> {
    /// Prefix lists are expanded where the topology has their entries; the others claim nothing that
    /// is known.
    pub(crate) fn of(table: &'a RouteTable, topology: &Topology) -> Self {
        let mut claims = Self::default();
        let mut all: Vec<(IpNet, Claim<'a>)> = Vec::with_capacity(table.routes.len());
        for (destination, route) in &table.routes {
            let claim = |rank| Claim {
                rank,
                destination,
                route,
            };
            let rank = match route.origin {
                RouteOrigin::Propagated => Rank::Propagated,
                RouteOrigin::Table | RouteOrigin::Created => Rank::Static,
            };
            match destination {
                Destination::Ipv4(net) => all.push((IpNet::V4(*net), claim(rank))),
                Destination::Ipv6(net) => all.push((IpNet::V6(*net), claim(rank))),
                Destination::PrefixList(id) => match entries_of(id, topology) {
                    None => {
                        claims.unread.insert(id, route);
                    }
                    Some(entries) => {
                        let claim = claim(Rank::PrefixList);
                        all.extend(entries.iter().map(|network| (network.trunc(), claim)));
                    }
                },
            }
        }
        // Stable, and nearly sorted already. Of equal ranks the first holds: prefix lists, by id.
        all.sort_by(|(one, claim), (other, rival)| {
            one.cmp(other).then(rival.rank.cmp(&claim.rank))
        });
        for (network, claim) in all {
            match claims.holders.last() {
                Some((held, _)) if *held == network => claims.beaten.push((network, claim)),
                _ => claims.holders.push((network, claim)),
            }
        }
        claims
    }

    /// The route that holds a network itself.
    pub(crate) fn holder(&self, network: &IpNet) -> Option<&Claim<'a>> {
        at(&self.holders, network)
    }

    /// Networks that prefix lists send to different targets, in equal or nested prefixes, where no
    /// better rank holds the network: AWS picks one at random (semantics A4).
    fn ambiguous(&self) -> BTreeMap<IpNet, BTreeSet<RouteTarget>> {
        let listed = self.holders.iter().chain(&self.beaten);
        let listed = listed.filter(|(_, claim)| claim.rank == Rank::PrefixList);
        let mut targets: BTreeMap<IpNet, BTreeSet<&RouteTarget>> = BTreeMap::new();
        for (network, claim) in listed {
            let of = targets.entry(*network).or_default();
            of.insert(&claim.route.target);
        }
        let mut ambiguous = BTreeMap::new();
        let everywhere: BTreeSet<&RouteTarget> = targets.values().flatten().copied().collect();
        if everywhere.len() < 2 {
            return ambiguous;
        }
        for network in targets.keys() {
            let held = self.holder(network).map(|holder| holder.rank);
            if held != Some(Rank::PrefixList) {
                continue;
            }
            let around = std::iter::successors(Some(*network), IpNet::supernet);
            let of = around.filter_map(|net| targets.get(&net)).flatten();
            let of: BTreeSet<RouteTarget> = of.map(|target| (*target).clone()).collect();
            if of.len() > 1 {
                ambiguous.insert(*network, of);
            }
        }
        ambiguous
    }
}

/// The value of a network in a list sorted by network.
fn at<'l, T>(sorted: &'l [(IpNet, T)], network: &IpNet) -> Option<&'l T> {
    let index = sorted.binary_search_by_key(network, |(network, _)| *network);
    index
        .ok()
        .and_then(|index| sorted.get(index))
        .map(|(_, value)| value)
}

/// A network and what happens to its packets.
type Prefix = (IpNet, Arc<Hop>);

/// The next hop of every address, as a table decides it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextHops {
    /// Each network once, an outer one before those in it. Routes with one target share its hop.
    prefixes: Vec<Prefix>,
    unread: BTreeMap<PrefixListId, Hop>,
    ambiguous: BTreeMap<IpNet, BTreeSet<RouteTarget>>,
}

/// Among so many hops one is looked for before it is made once more: tables have few targets, and a
/// hop that is held twice costs memory, nothing else.
const MOST_RECENT: usize = 8;

/// The longest-prefix map of a table. Prefix lists are expanded where the topology has their
/// entries; the others are kept by name.
pub fn next_hops(table: &RouteTable, topology: &Topology) -> NextHops {
    let claims = Claims::of(table, topology);
    let unread = claims.unread.iter();
    let mut known: Vec<(&Route, Arc<Hop>)> = Vec::new();
    let prefixes = claims.holders.iter().map(|(network, claim)| {
        let route = claim.route;
        let mut recent = known.iter().rev().take(MOST_RECENT);
        let same = recent
            .find(|(other, _)| other.blackhole == route.blackhole && other.target == route.target);
        let hop = match same {
            Some((_, hop)) => Arc::clone(hop),
            None => {
                let hop = Arc::new(Hop::of(route));
                known.push((route, Arc::clone(&hop)));
                hop
            }
        };
        (*network, hop)
    });
    NextHops {
        prefixes: prefixes.collect(),
        unread: unread
            .map(|(list, route)| ((*list).clone(), Hop::of(route)))
            .collect(),
        ambiguous: claims.ambiguous(),
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
    /// The hop of an address. Unread prefix lists are not considered: where there are any
    /// ([`Self::unread`]), one of them may decide instead, unless the route has the full length.
    pub fn at(&self, address: IpAddr) -> &Hop {
        self.covering(IpNet::from(address))
    }

    /// Routes of prefix lists whose entries are not known.
    pub fn unread(&self) -> &BTreeMap<PrefixListId, Hop> {
        &self.unread
    }

    /// Networks that several prefix lists send to different targets, be it that one list has the same
    /// network as the other or one around it: AWS picks one at random (semantics A4). The map itself
    /// takes the longest prefix, then the list with the lowest id.
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
            if let Some(hop) = at(&self.prefixes, &net) {
                return hop;
            }
            around = net.supernet();
        }
        UNROUTED
    }
}

const UNROUTED: &Hop = &Hop::Unrouted;

/// What each of some tables says.
type Hops<'a> = SmallVec<[&'a Hop; 4]>;

/// A network of some table, with what each table says about the part of it that no more specific
/// network of any table takes away.
pub(crate) struct Walked<'a> {
    pub(crate) network: IpNet,
    high: u128,
    /// The first address not yet known to be in a more specific network; `None` past the end.
    free: Option<u128>,
    /// An address of its own part; `None` where it has none.
    pub(crate) witness: Option<u128>,
    hops: Hops<'a>,
    /// The network around it, by index.
    pub(crate) parent: Option<usize>,
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
pub(crate) fn walk<'a>(tables: &[&'a NextHops]) -> Vec<Walked<'a>> {
    let mut ahead: SmallVec<[&'a [Prefix]; 4]> = tables
        .iter()
        .map(|table| table.prefixes.as_slice())
        .collect();
    let longest = ahead.iter().map(|table| table.len()).max();
    let mut walked: Vec<Walked<'a>> = Vec::with_capacity(longest.unwrap_or(0));
    let mut open: Vec<usize> = Vec::new();
    let next = |ahead: &[&'a [Prefix]]| {
        let firsts = ahead.iter().filter_map(|table| table.first());
        firsts.map(|(network, _)| *network).min()
    };
    while let Some(network) = next(&ahead) {
        let (low, high) = bounds(network);
        let ended = |outer: &Walked<'_>| {
            outer.high < low
                || matches!(outer.network, IpNet::V4(_)) != matches!(network, IpNet::V4(_))
        };
        while open
            .last()
            .is_some_and(|index| walked.get(*index).is_none_or(ended))
        {
            close(&mut open, &mut walked);
        }
        let parent = open.last().copied();
        if let Some(outer) = parent.and_then(|parent| walked.get_mut(parent))
            && outer.witness.is_none()
        {
            outer.witness = outer.free.filter(|free| *free < low);
        }
        let outer = parent.and_then(|parent| walked.get(parent));
        let mut hops = Hops::new();
        for (index, table) in ahead.iter_mut().enumerate() {
            let inherited = outer.and_then(|outer| outer.hops.get(index).copied());
            let own = table.split_first().filter(|((own, _), _)| *own == network);
            hops.push(match own {
                Some(((_, hop), behind)) => {
                    *table = behind;
                    hop
                }
                None => inherited.unwrap_or(UNROUTED),
            });
        }
        open.push(walked.len());
        walked.push(Walked {
            network,
            high,
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
