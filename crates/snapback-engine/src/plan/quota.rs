//! How much a resource holds (semantics A3, A4; of groups see `group/room.rs`).
//!
//! - Owns: what the quotas count, and when a state is over one.
//! - Takes: a resource on the way, with its ends.
//! - Gives: whether EC2 would refuse it.
//! - Must not: know how room is made.

use snapback_model::*;

/// Entries of one direction that an ACL takes unless its quota was raised (semantics A3).
pub(super) const ENTRIES_MAX: usize = 20;
/// Routes of one family that a table takes, propagated ones apart (semantics A4).
pub(super) const ROUTES_MAX: usize = 500;

/// What the quotas count: of ACLs the entries by direction, of tables the routes by family.
type Load = [usize; 2];

/// Whether a state on the way holds more than the quota, and more than either end: an end that is
/// over the default shows that the quota was raised.
pub(super) fn is_over(now: &Resource, ends: [Option<&Resource>; 2], topology: &Topology) -> bool {
    let quota = match now {
        Resource::SecurityGroup(_) => return false,
        Resource::NetworkAcl(_) => ENTRIES_MAX,
        Resource::RouteTable(_) => ROUTES_MAX,
    };
    let ends = ends.map(|end| end.map_or([0, 0], |end| load(end, topology)));
    let [one, other] = ends;
    let most = one.into_iter().zip(other).map(|(a, b)| a.max(b).max(quota));
    load(now, topology)
        .into_iter()
        .zip(most)
        .any(|(holds, most)| holds > most)
}

fn load(resource: &Resource, topology: &Topology) -> Load {
    match resource {
        Resource::SecurityGroup(_) => [0, 0],
        Resource::NetworkAcl(acl) => [Direction::Ingress, Direction::Egress].map(|direction| {
            let keys = acl.entries.keys();
            keys.filter(|key| key.direction == direction).count()
        }),
        Resource::RouteTable(table) => routes(table, topology),
    }
}

/// The routes of a table by family.
pub(super) fn routes(table: &RouteTable, topology: &Topology) -> Load {
    let counted = table
        .routes
        .iter()
        .filter(|(_, route)| route.origin == RouteOrigin::Created);
    let costs = counted.map(|(destination, _)| cost(destination, topology));
    costs.fold([0, 0], |[v4, v6], [more4, more6]| {
        [v4.saturating_add(more4), v6.saturating_add(more6)]
    })
}

/// What a route counts. A prefix list counts its maximum; in both families where its own is not
/// known: too much is the safe side.
pub(super) fn cost(destination: &Destination, topology: &Topology) -> Load {
    match destination {
        Destination::Ipv4(_) => [1, 0],
        Destination::Ipv6(_) => [0, 1],
        Destination::PrefixList(id) => {
            let list = topology.prefix_lists.get(id);
            let most = list.and_then(|list| list.max_entries).unwrap_or(1);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let nets = list.and_then(|list| list.entries.as_ref());
            match nets.and_then(|nets| nets.first()) {
                Some(ipnet::IpNet::V4(_)) => [most, 0],
                Some(ipnet::IpNet::V6(_)) => [0, most],
                None => [most, most],
            }
        }
    }
}
