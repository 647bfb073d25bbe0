//! SG-MEMBER: an interface carries other groups. No rule changed, and yet what it may receive, what
//! it may send, and what groups that name its groups let in are others (semantics A1).

use crate::finding::exposure::{Exposure, Width, exposures};
use crate::finding::world::{World, is_global};
use crate::finding::{Finding, FindingCode, Harm, Severity, Subject};
use crate::impact::traffic_lines;
use snapback_model::*;
use snapback_reach::{AddressSet, PacketSet};
use std::collections::BTreeSet;

pub(super) fn changed(before: &World<'_>, after: &World<'_>) -> Vec<Finding> {
    if !after.has_read(ContextKind::Interfaces) {
        return Vec::new();
    }
    before
        .topology
        .interfaces
        .values()
        .filter_map(|was| {
            let is = after.topology.interfaces.get(&was.id)?;
            (was.groups != is.groups).then(|| member(before, after, was, is))?
        })
        .collect()
}

fn ids<'a>(groups: impl Iterator<Item = &'a SecurityGroupId>) -> String {
    groups
        .map(SecurityGroupId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[derive(Default)]
struct Moved {
    opened: Vec<String>,
    closed: Vec<String>,
    /// Whether the whole internet may now enter on a sensitive port.
    sensitive: bool,
}

fn member(
    before: &World<'_>,
    after: &World<'_>,
    was: &NetworkInterface,
    is: &NetworkInterface,
) -> Option<Finding> {
    let gained = ids(is.groups.difference(&was.groups));
    let lost = ids(was.groups.difference(&is.groups));
    let what = match (gained.is_empty(), lost.is_empty()) {
        (false, true) => format!("{} now carries {gained}", is.id),
        (true, _) => format!("{} no longer carries {lost}", is.id),
        (false, false) => format!("{} now carries {gained} and no longer {lost}", is.id),
    };
    let subject = Subject::Interface(is.id.clone());
    let Some(moved) = moved(before, after, was, is) else {
        let evidence = vec![
            "one of the groups was not read, so what this opens or cuts is not known".to_owned(),
        ];
        return Some(Finding::new(
            FindingCode::SgMember,
            (Severity::High, Harm::None),
            subject,
            Element::Existence,
            what,
            evidence,
        ));
    };
    let (harm, extent) = match (moved.opened.is_empty(), moved.closed.is_empty()) {
        (true, true) => return None,
        (false, true) => (Harm::Opens, "access opens by membership"),
        (true, false) => (Harm::Cuts, "access is cut by membership"),
        (false, false) => (Harm::Opens, "access opens and is cut by membership"),
    };
    let public = !is.public_addresses.is_empty() || is.addresses.iter().any(is_global);
    let severity = if moved.sensitive && public {
        Severity::Critical
    } else {
        Severity::High
    };
    let lines = moved
        .opened
        .iter()
        .map(|line| format!("opened: {line}"))
        .chain(moved.closed.iter().map(|line| format!("closed: {line}")));
    Some(Finding::new(
        FindingCode::SgMember,
        (severity, harm),
        subject,
        Element::Existence,
        format!("{what}: {extent}, no rule changed"),
        lines.collect(),
    ))
}

/// What the new groups open and close; rules as they are now on both sides.
fn moved(
    before: &World<'_>,
    after: &World<'_>,
    was: &NetworkInterface,
    is: &NetworkInterface,
) -> Option<Moved> {
    let mut moved = Moved::default();
    for direction in [Direction::Ingress, Direction::Egress] {
        let old = after.permitted_by_all(&was.groups, direction)?;
        let new = after.permitted_by_all(&is.groups, direction)?;
        moved
            .opened
            .extend(traffic_lines(direction, &new.difference(&old)));
        moved
            .closed
            .extend(traffic_lines(direction, &old.difference(&new)));
        if direction == Direction::Ingress {
            let opened = exposures(&old, &new, std::slice::from_ref(&new));
            let sensitive = |exposure: &Exposure| {
                exposure.width == Width::World && exposure.sensitive().next().is_some()
            };
            moved.sensitive = opened.iter().flatten().any(sensitive);
        }
    }
    let own = AddressSet::of(is.addresses.iter().copied().map(ipnet::IpNet::from));
    let moving: BTreeSet<&SecurityGroupId> = was.groups.symmetric_difference(&is.groups).collect();
    for referrer in after.groups() {
        for direction in [Direction::Ingress, Direction::Egress] {
            let names = referrer.rules.keys().any(|rule| {
                rule.direction == direction
                    && matches!(&rule.peer, Peer::SecurityGroup { id, .. } if moving.contains(id))
            });
            if names {
                let (old, new) = (
                    before.permitted(referrer, direction).with_peers(&own),
                    after.permitted(referrer, direction).with_peers(&own),
                );
                moved.by_reference(referrer, direction, (&old, &new));
            }
        }
    }
    Some(moved)
}

impl Moved {
    fn by_reference(
        &mut self,
        referrer: &SecurityGroup,
        direction: Direction,
        (old, new): (&PacketSet, &PacketSet),
    ) {
        let line = |line: String| format!("at members of {}: {line}", referrer.id);
        let opened = traffic_lines(direction, &new.difference(old));
        self.opened.extend(opened.into_iter().map(line));
        let closed = traffic_lines(direction, &old.difference(new));
        self.closed.extend(closed.into_iter().map(line));
    }
}
