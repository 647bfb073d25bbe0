//! Which route decides, and which never does (semantics A4).

use crate::route::{Claims, next_hops, walk};
use ipnet::IpNet;
use snapback_model::{Destination, Route, RouteTable, Topology};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The route of a table that decides an address: longest prefix, then rank. `None` where no route is
/// known to match. A route for a prefix list whose entries are not known may decide instead
/// ([`crate::NextHops::unread`]).
pub fn deciding_route<'a>(
    table: &'a RouteTable,
    topology: &Topology,
    address: IpAddr,
) -> Option<(&'a Destination, &'a Route)> {
    let claims = Claims::of(table, topology);
    let mut around = std::iter::successors(Some(IpNet::from(address)), IpNet::supernet);
    let held = around.find_map(|network| claims.holder(&network).copied());
    held.map(|claim| (claim.destination, claim.route))
}

/// A route that decides no address, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowedRoute<'a> {
    /// The route's destination.
    pub destination: &'a Destination,
    /// The destinations that decide its addresses instead: more specific, or of the same prefix and
    /// better rank. Empty where it has none: a prefix list without entries.
    pub by: BTreeSet<&'a Destination>,
}

/// Routes that decide no address: others hold every network of theirs or all of what is in it.
/// A prefix list whose entries are not known is never among them, and shadows nothing that is known.
pub fn shadowed_routes<'a>(table: &'a RouteTable, topology: &Topology) -> Vec<ShadowedRoute<'a>> {
    let claims = Claims::of(table, topology);
    let hops = next_hops(table, topology);
    let tables = [&hops];
    let walked = walk(&tables);
    let mut by: BTreeMap<&Destination, BTreeSet<&Destination>> = table
        .routes
        .keys()
        .filter(|destination| match destination {
            Destination::PrefixList(id) => !hops.unread().contains_key(id),
            Destination::Ipv4(_) | Destination::Ipv6(_) => true,
        })
        .map(|destination| (destination, BTreeSet::new()))
        .collect();
    let holder = |network: &IpNet| Some(claims.holder(network)?.destination);
    for region in &walked {
        if region.witness.is_some()
            && let Some(alive) = holder(&region.network)
        {
            by.remove(alive);
        }
    }
    let inner = walked.iter().filter_map(|region| {
        let outer = walked.get(region.parent?)?;
        Some((holder(&outer.network)?, holder(&region.network)?))
    });
    let beaten = claims.beaten.iter();
    let beaten = beaten.filter_map(|(network, claim)| Some((claim.destination, holder(network)?)));
    for (loser, winner) in inner.chain(beaten) {
        if loser != winner
            && let Some(by) = by.get_mut(loser)
        {
            by.insert(winner);
        }
    }
    by.into_iter()
        .map(|(destination, by)| ShadowedRoute { destination, by })
        .collect()
}
