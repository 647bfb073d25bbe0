//! Differences in words for a person at 3 a.m.

use super::{Delta, Difference};
use snapback_model::*;
use std::fmt::Display;

/// One line for a difference.
pub(super) fn describe(difference: &Difference) -> String {
    match difference {
        Difference::Rule { rule, delta } => rule_line(rule, delta),
        Difference::Entry { key, delta } => {
            let place = format!("{} entry {}", key.direction, key.number);
            match delta {
                Delta::Added(entry) => format!("added: {place}: {}", entry_words(key, entry)),
                Delta::Removed(entry) => format!("removed: {place}: {}", entry_words(key, entry)),
                Delta::Changed { baseline, live } => format!(
                    "changed: {place}: was {}, is {}",
                    entry_words(key, baseline),
                    entry_words(key, live)
                ),
            }
        }
        Difference::Route { destination, delta } => route_line(destination, delta),
        Difference::Propagation { gateway, delta } => match delta {
            Delta::Added(()) => format!("added: route propagation from {gateway} was turned on"),
            Delta::Removed(()) | Delta::Changed { .. } => {
                format!("removed: route propagation from {gateway} was turned off")
            }
        },
        Difference::Association {
            subnet,
            baseline,
            live,
        } => association_line(subnet, baseline.as_ref(), live.as_ref()),
        Difference::Edge { gateway, delta } => match delta {
            Delta::Added(()) => {
                format!("added: edge association: this table routes what enters by {gateway}")
            }
            Delta::Removed(()) | Delta::Changed { .. } => {
                format!(
                    "removed: edge association: this table no longer routes what enters by {gateway}"
                )
            }
        },
        Difference::Main {
            vpc,
            baseline,
            live: Some(live),
        } => format!("changed: the main table of {vpc} was {baseline}, is {live}"),
        Difference::Main {
            vpc,
            baseline,
            live: None,
        } => format!("changed: {baseline} is no longer the main table of {vpc}"),
        Difference::Tag { key, delta } => match delta {
            Delta::Added(value) => format!("added: tag {key:?} = {value:?}"),
            Delta::Removed(value) => format!("removed: tag {key:?} = {value:?}"),
            Delta::Changed { baseline, live } => {
                format!("changed: tag {key:?}: was {baseline:?}, is {live:?}")
            }
        },
        Difference::Deleted { lost } => format!(
            "deleted: the {} {} is gone, with {}",
            lost.kind(),
            lost.id(),
            contents(lost)
        ),
        Difference::Unreviewed { found } => format!(
            "unreviewed: the {} {} has no approved state; it holds {}",
            found.kind(),
            found.id(),
            contents(found)
        ),
    }
}

fn rule_line(rule: &RuleKey, delta: &Delta<RuleDetail>) -> String {
    let words = format!(
        "{} {} {}",
        rule.direction,
        traffic_words(&rule.traffic),
        peer_words(rule.direction, &rule.peer)
    );
    match delta {
        Delta::Added(detail) => format!("added: {words}{}", described(detail)),
        Delta::Removed(detail) => format!("removed: {words}{}", described(detail)),
        Delta::Changed { baseline, live } => {
            let mut parts = Vec::new();
            if baseline.description != live.description {
                parts.push(format!(
                    "description was {}, is {}",
                    text_or_none(baseline.description.as_ref()),
                    text_or_none(live.description.as_ref())
                ));
            }
            if let (Some(good), Some(found)) = (&baseline.tags, &live.tags)
                && good != found
            {
                parts.push(format!("tags were {good:?}, are {found:?}"));
            }
            format!("changed: text of {words}: {}", parts.join("; "))
        }
    }
}

fn described(detail: &RuleDetail) -> String {
    detail
        .description
        .as_ref()
        .map_or_else(String::new, |text| format!(", described {text:?}"))
}

fn text_or_none(text: Option<&String>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"))
}

fn entry_words(key: &EntryKey, entry: &NetworkAclEntry) -> String {
    format!(
        "{} {} {}",
        entry.action,
        traffic_words(&entry.traffic),
        peer_words(key.direction, &Peer::cidr(entry.cidr))
    )
}

fn route_line(destination: &Destination, delta: &Delta<Route>) -> String {
    let place = match destination {
        _ if destination.is_default() => format!("default route {destination}"),
        _ => format!("route {destination}"),
    };
    match delta {
        Delta::Added(route) => format!("added: {place} to {}", route_words(route)),
        Delta::Removed(route) => format!("removed: {place} to {}", route_words(route)),
        Delta::Changed { baseline, live } if baseline.target == live.target => {
            if live.blackhole {
                format!(
                    "changed: {place} is dead: its target {} is gone (blackhole)",
                    target_words(&live.target)
                )
            } else {
                format!(
                    "changed: {place} is alive again: its target {} was dead when it was approved",
                    target_words(&live.target)
                )
            }
        }
        Delta::Changed { baseline, live } => format!(
            "changed: {place}: was to {}, is to {}",
            route_words(baseline),
            route_words(live)
        ),
    }
}

fn route_words(route: &Route) -> String {
    let dead = if route.blackhole {
        " (dead, blackhole)"
    } else {
        ""
    };
    format!("{}{dead}", target_words(&route.target))
}

fn target_words(target: &RouteTarget) -> String {
    match target {
        RouteTarget::Local => "local (inside the VPC)".to_owned(),
        RouteTarget::Unrecognized(text) => format!("a target this version does not know, {text:?}"),
        known => known.to_string(),
    }
}

fn association_line(
    subnet: &SubnetId,
    baseline: Option<&ResourceId>,
    live: Option<&ResourceId>,
) -> String {
    let implicit = |other: Option<&ResourceId>, unknown: &str| match other.map(ResourceId::kind) {
        Some(Kind::RouteTable) => "no explicit table (the main table applies)".to_owned(),
        Some(Kind::NetworkAcl | Kind::SecurityGroup) | None => unknown.to_owned(),
    };
    let name = |side: Option<&ResourceId>, other, unknown: &str| {
        side.map_or_else(|| implicit(other, unknown), ToString::to_string)
    };
    let (was, is) = (
        name(baseline, live, "no approved ACL"),
        name(live, baseline, "an ACL that was not read, or gone"),
    );
    format!("moved: {subnet}: was on {was}, is on {is}")
}

/// What the resource holds, in one breath.
fn contents(resource: &Resource) -> String {
    match resource {
        Resource::SecurityGroup(group) => list(
            group.rules.len(),
            "rule",
            group.rules.keys().map(|rule| {
                format!(
                    "{} {} {}",
                    rule.direction,
                    traffic_words(&rule.traffic),
                    peer_words(rule.direction, &rule.peer)
                )
            }),
        ),
        Resource::NetworkAcl(acl) => format!(
            "{}; {}",
            list(
                acl.entries.len(),
                "entry",
                acl.entries
                    .iter()
                    .map(|(key, entry)| format!("{key}: {}", entry_words(key, entry)))
            ),
            list(acl.subnets.len(), "subnet", acl.subnets.iter()),
        ),
        Resource::RouteTable(table) => format!(
            "{}; {}",
            list(
                table.routes.len(),
                "route",
                table
                    .routes
                    .iter()
                    .map(|(destination, route)| format!("{destination} to {}", route_words(route)))
            ),
            list(table.subnets.len(), "subnet", table.subnets.iter()),
        ),
    }
}

/// How many things one line names before it only counts.
const NAMED: usize = 5;

fn list(count: usize, noun: &str, items: impl Iterator<Item = impl Display>) -> String {
    let plural = match (count, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    };
    if count == 0 {
        return format!("no {plural}");
    }
    let mut names: Vec<String> = items.take(NAMED).map(|item| item.to_string()).collect();
    if let Some(more) = count.checked_sub(NAMED).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    format!("{count} {plural} ({})", names.join("; "))
}

fn traffic_words(traffic: &Traffic) -> String {
    let ports = |name: &str, range: &PortRange| match (range.from(), range.to()) {
        _ if *range == PortRange::ALL => format!("{name} all ports"),
        (from, to) if from == to => format!("{name} {from}"),
        (from, to) => format!("{name} {from}-{to}"),
    };
    let icmp = |name: &str, icmp: &IcmpMatch| match icmp {
        IcmpMatch::Any => format!("{name} all types"),
        IcmpMatch::Type(kind) => format!("{name} type {kind}"),
        IcmpMatch::TypeCode(kind, code) => format!("{name} type {kind} code {code}"),
    };
    match traffic {
        Traffic::All => "all traffic".to_owned(),
        Traffic::Tcp(range) => ports("tcp", range),
        Traffic::Udp(range) => ports("udp", range),
        Traffic::Icmp(kind) => icmp("icmp", kind),
        Traffic::Icmpv6(kind) => icmp("icmpv6", kind),
        Traffic::Protocol(number) => format!("IP protocol {number}"),
    }
}

fn peer_words(direction: Direction, peer: &Peer) -> String {
    let preposition = match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    let who = match peer {
        Peer::Ipv4(net) if net.prefix_len() == 0 => format!("{net} (anyone, IPv4)"),
        Peer::Ipv6(net) if net.prefix_len() == 0 => format!("{net} (anyone, IPv6)"),
        Peer::Ipv4(_) | Peer::Ipv6(_) => peer.to_string(),
        Peer::PrefixList(id) => format!("prefix list {id}"),
        Peer::SecurityGroup { id, owner: None } => format!("members of {id}"),
        Peer::SecurityGroup {
            id,
            owner: Some(owner),
        } => format!("members of {id} in account {owner}"),
    };
    format!("{preposition} {who}")
}
