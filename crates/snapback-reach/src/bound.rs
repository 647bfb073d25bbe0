//! What building a resource's sets will cost, told before it is built.
//!
//! The unit is an *interval*: one range of ports for one segment of addresses of one protocol class,
//! 8 bytes of a set (semantics F: n rules make at most 2n + 1 segments of n intervals each). Sets
//! have at most the predicted size, and every operation on two sets visits each interval of the two
//! laid over each other a constant number of times: what [`check_pair`] accepts is built, and its
//! two differences taken, in time and memory within a constant factor of [`LIMIT`].

use crate::address::{span_v4, span_v6};
use crate::flow::protocol_and_points;
use crate::packet_set::REST;
use crate::permit::entries_of;
use ipnet::IpNet;
use snapback_model::{
    Destination, Direction, NetworkAcl, Peer, PrefixListId, Resource, ResourceId, RouteTable,
    SecurityGroup, Topology, Traffic,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most intervals that two states of a resource may need. A million each way is what AWS's quotas
/// allow at the very most: 1000 rules, of which half cut the addresses into 1000 segments and half
/// are open in each, make half a million; two such states laid over each other 2 million. Twice that,
/// at 8 bytes, is 32 MB for a set: what the smallest Lambda function of Snapback still holds.
pub const LIMIT: u64 = 4_000_000;

/// What a network of a route table costs, in intervals: a node of a map instead of 8 bytes.
const ROUTE: u64 = 20;

/// A resource whose sets would be larger than [`LIMIT`]: its packets are unknown. That alerts, and
/// never authorises a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBound {
    /// The resource.
    pub resource: ResourceId,
    /// Intervals predicted. Counting ends soon after the limit: there may be more.
    pub predicted: u64,
    /// The limit.
    pub limit: u64,
}

impl fmt::Display for OverBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            resource,
            predicted,
            limit,
        } = self;
        write!(
            f,
            "{} {resource}: its packet sets need at least {predicted} intervals, more than the {limit} that are computed; what it permits is unknown",
            resource.kind()
        )
    }
}

impl std::error::Error for OverBound {}

/// Whether the sets of one state can be built.
///
/// # Errors
/// The resource, where they are over the bound. Nothing was built then.
pub fn check(resource: &Resource, topology: &Topology) -> Result<(), OverBound> {
    within(resource.id(), predict(&[resource], topology))
}

/// Whether the sets of two states of a resource can be built and compared.
///
/// # Errors
/// The resource, where they are over the bound. Nothing was built then.
pub fn check_pair(
    before: &Resource,
    after: &Resource,
    topology: &Topology,
) -> Result<(), OverBound> {
    within(after.id(), predict(&[before, after], topology))
}

fn within(resource: ResourceId, predicted: u64) -> Result<(), OverBound> {
    if predicted > LIMIT {
        return Err(OverBound {
            resource,
            predicted,
            limit: LIMIT,
        });
    }
    Ok(())
}

/// The intervals that the sets of some states of one resource need at most, laid over each other.
/// O(n log n) for n rules, entries and routes with their prefix lists, for each protocol number they
/// name. Counting stops once it is past [`LIMIT`].
pub fn predict(states: &[&Resource], topology: &Topology) -> u64 {
    let mut cost = Cost::default();
    for direction in [Direction::Ingress, Direction::Egress] {
        let mut lines = Lines::default();
        for state in states {
            match state {
                Resource::SecurityGroup(group) => lines.group(group, direction, topology),
                Resource::NetworkAcl(acl) => lines.acl(acl, direction),
                Resource::RouteTable(_) => {}
            }
        }
        lines.cost(&mut cost);
    }
    for state in states {
        if let Resource::RouteTable(table) = state {
            cost.add(networks_of(table, topology).saturating_mul(ROUTE));
        }
    }
    cost.intervals
}

#[derive(Default)]
struct Cost {
    intervals: u64,
}

impl Cost {
    fn add(&mut self, intervals: u64) {
        self.intervals = self.intervals.saturating_add(intervals);
    }

    fn is_over(&self) -> bool {
        self.intervals > LIMIT
    }
}

fn networks_of(table: &RouteTable, topology: &Topology) -> u64 {
    let networks = table.routes.keys().map(|destination| match destination {
        Destination::Ipv4(_) | Destination::Ipv6(_) => 1,
        Destination::PrefixList(id) => entries_of(id, topology).map_or(1, BTreeSet::len),
    });
    networks.fold(0, |sum, count| sum.saturating_add(count as u64))
}

/// A line's protocol number, and whether it leaves one interval of whatever is around it.
type Match = (Option<u8>, bool);
/// Lines of one family: first and last address, how many lines, their match.
type Spans = Vec<(u128, u128, u64, Match)>;

/// What a sweep will see: per family, the networks of lines.
#[derive(Default)]
struct Lines {
    v4: Spans,
    v6: Spans,
    symbols: u64,
    /// Protocol numbers that lines name, those for symbols too: each has a cell with all networks.
    named: BTreeSet<u8>,
    /// Networks counted so far: past the limit no more are looked at.
    networks: u64,
}

impl Lines {
    fn group(&mut self, group: &SecurityGroup, direction: Direction, topology: &Topology) {
        // As the sets are built: rules of one list and protocol are expanded together.
        let mut lists: BTreeMap<(&PrefixListId, Match), u64> = BTreeMap::new();
        for rule in group.rules.keys() {
            if rule.direction != direction {
                continue;
            }
            let matched = matched(&rule.traffic);
            self.named.extend(matched.0);
            match &rule.peer {
                Peer::Ipv4(net) => self.network(IpNet::V4(*net), 1, matched),
                Peer::Ipv6(net) => self.network(IpNet::V6(*net), 1, matched),
                Peer::PrefixList(id) => *lists.entry((id, matched)).or_default() += 1,
                Peer::SecurityGroup { .. } => self.symbols += 1,
            }
        }
        for ((id, matched), rules) in lists {
            match entries_of(id, topology) {
                // Unknown, not empty: a symbol, one interval for each rule.
                None => self.symbols += rules,
                Some(entries) => {
                    for network in entries {
                        if self.networks > LIMIT {
                            return;
                        }
                        self.network(*network, rules, matched);
                    }
                }
            }
        }
    }

    fn acl(&mut self, acl: &NetworkAcl, direction: Direction) {
        for (key, entry) in &acl.entries {
            if key.direction == direction {
                // An earlier entry stays visible below one that matches everything: no line is whole.
                let (protocol, _) = matched(&entry.traffic);
                self.named.extend(protocol);
                self.network(entry.cidr, 1, (protocol, false));
            }
        }
    }

    fn network(&mut self, network: IpNet, lines: u64, matched: Match) {
        self.networks += 1;
        match network {
            IpNet::V4(net) => {
                let (low, high) = span_v4(net);
                self.v4.push((low.into(), high.into(), lines, matched));
            }
            IpNet::V6(net) => {
                let (low, high) = span_v6(net);
                self.v6.push((low, high, lines, matched));
            }
        }
    }

    fn cost(mut self, cost: &mut Cost) {
        let named = std::mem::take(&mut self.named);
        let classes = if named.contains(&REST) {
            256
        } else {
            named.len() as u64 + 1
        };
        cost.add(self.symbols.saturating_mul(classes));
        cost.add(self.networks);
        if cost.is_over() {
            return;
        }
        for spans in [&mut self.v4, &mut self.v6] {
            spans.sort_unstable_by_key(|(low, high, _, _)| (*low, Reverse(*high)));
        }
        // A set that names 255 holds the cell of all other numbers once for each of them.
        let copies = if named.contains(&REST) {
            REST.into()
        } else {
            1
        };
        for class in named.into_iter().map(Some).chain([None]) {
            let copies = if class.is_none() { copies } else { 1 };
            for spans in [&self.v4, &self.v6] {
                cost.add(nested(spans, class).saturating_mul(copies));
                if cost.is_over() {
                    return;
                }
            }
        }
    }
}

fn matched(traffic: &Traffic) -> Match {
    let (protocol, points) = protocol_and_points(traffic);
    (protocol, points.is_full())
}

/// The intervals of one protocol class over one line: at each network those of the lines around it
/// and its own, and behind it those around it again. A line with all points leaves one.
fn nested(spans: &Spans, class: Option<u8>) -> u64 {
    let mut cost = Cost::default();
    let mut open: Vec<(u128, u64)> = Vec::new();
    let mut here: Option<(u128, u128)> = None;
    let of_class = spans
        .iter()
        .filter(|(_, _, _, (protocol, _))| protocol.is_none() || *protocol == class);
    for (low, high, lines, (_, whole)) in of_class {
        while open.pop_if(|(end, _)| *end < *low).is_some() {}
        let around = open.last().map_or(0, |(_, active)| *active);
        let active = if *whole {
            1
        } else {
            around.saturating_add(*lines)
        };
        if here == Some((*low, *high)) {
            // One more line of the same network: what is around it was counted.
            cost.add(active.saturating_sub(around));
            if let Some((_, own)) = open.last_mut() {
                *own = active.max(*own);
            }
        } else {
            cost.add(active.saturating_add(around).saturating_add(1));
            open.push((*high, active));
            here = Some((*low, *high));
        }
        if cost.is_over() {
            break;
        }
    }
    cost.intervals
}
