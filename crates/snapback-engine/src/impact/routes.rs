//! What a route table does to addresses, in words.

use super::{Impact, RouteTable, Topology};
use snapback_model::{Destination, RouteTarget};
use snapback_reach::{Hop, NextHops, RouteRegion, next_hops};
use std::collections::BTreeSet;

impl Impact {
    pub(super) fn table(
        &mut self,
        baseline: Option<&RouteTable>,
        live: Option<&RouteTable>,
        topology: &Topology,
    ) {
        let hops = |table: Option<&RouteTable>| {
            table.map_or_else(NextHops::default, |table| next_hops(table, topology))
        };
        let (before, after) = (hops(baseline), hops(live));
        for region in before.difference(&after) {
            let [was, is] = region.hops.as_slice() else {
                continue;
            };
            let line = route_line(&region);
            let opens = was.delivers().is_none()
                || matches!(is.delivers(), Some(RouteTarget::InternetGateway(_)));
            let lines = if opens {
                &mut self.opened
            } else {
                &mut self.closed
            };
            lines.push(line);
        }
        self.bindings(baseline, live);
        let lists: BTreeSet<_> = before
            .unread()
            .keys()
            .chain(after.unread().keys())
            .collect();
        self.inexact.extend(lists.into_iter().map(|list| {
            format!(
                "the entries of prefix list {list} were not read: its route is told by name, and routes of other \
                 networks may lead elsewhere inside it"
            )
        }));
        self.inexact.extend(after.ambiguous().iter().map(|(network, targets)| {
            let targets: Vec<&str> = targets.iter().map(RouteTarget::id).collect();
            format!(
                "several prefix lists send {network} to different targets ({}): AWS picks one of them at random",
                targets.join(", ")
            )
        }));
    }

    fn bindings(&mut self, baseline: Option<&RouteTable>, live: Option<&RouteTable>) {
        let none = BTreeSet::new();
        self.subnets(
            "associated with this table",
            baseline.map_or(&none, |table| &table.subnets),
            live.map_or(&none, |table| &table.subnets),
        );
        let gateways = |table: Option<&RouteTable>| {
            table
                .map(|table| table.gateways.clone())
                .unwrap_or_default()
        };
        let (was, is) = (gateways(baseline), gateways(live));
        self.closed.extend(
            was.difference(&is).map(|gateway| {
                format!("what enters by {gateway} is no longer routed by this table")
            }),
        );
        self.opened.extend(
            is.difference(&was)
                .map(|gateway| format!("what enters by {gateway} is now routed by this table")),
        );
        let sources = |table: Option<&RouteTable>| {
            table
                .map(|table| table.propagating.clone())
                .unwrap_or_default()
        };
        let (was, is) = (sources(baseline), sources(live));
        self.closed.extend(
            was.difference(&is).map(|gateway| {
                format!("routes that {gateway} learns no longer come into this table")
            }),
        );
        self.opened.extend(
            is.difference(&was)
                .map(|gateway| format!("routes that {gateway} learns now come into this table")),
        );
        let main = |table: Option<&RouteTable>| table.is_some_and(|table| table.main);
        match (main(baseline), main(live)) {
            (true, false) => self.closed.push(
                "subnets without an association of their own no longer use this table".into(),
            ),
            (false, true) => self
                .opened
                .push("subnets without an association of their own now use this table".into()),
            (true, true) | (false, false) => {}
        }
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
