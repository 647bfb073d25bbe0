//! PL-OPEN: an edit of a prefix list, followed to every group and table that names it.

use crate::finding::exposure::{Width, exposures};
use crate::finding::route::Effects;
use crate::finding::world::World;
use crate::finding::{Finding, FindingCode, Harm, Severity, Subject};
use crate::impact::traffic_lines;
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::permitted_by_group;
use std::collections::BTreeSet;

pub(super) fn changed(before: &World<'_>, after: &World<'_>) -> Vec<Finding> {
    before
        .topology
        .prefix_lists
        .values()
        .filter_map(|was| {
            let is = after.topology.prefix_lists.get(&was.id)?;
            let (old, new) = (was.entries.as_ref()?, is.entries.as_ref()?);
            (old != new).then(|| edited(after, is, (old, new)))?
        })
        .collect()
}

/// What an edit did by all references to it.
#[derive(Default)]
struct Effect {
    opened: Vec<String>,
    closed: Vec<String>,
    sensitive: bool,
}

fn edited(
    after: &World<'_>,
    list: &PrefixList,
    (old, new): (&BTreeSet<IpNet>, &BTreeSet<IpNet>),
) -> Option<Finding> {
    let mut effect = Effect::default();
    // Everything else is as it is now on both sides.
    let mut lists = Topology {
        prefix_lists: after.lists.prefix_lists.clone(),
        ..Topology::default()
    };
    if let Some(list) = lists.prefix_lists.get_mut(&list.id) {
        list.entries = Some(old.clone());
    }
    let sides = (&lists, after.lists);
    for group in after.groups() {
        effect.of_group(sides, group, &list.id);
    }
    for table in after.tables() {
        let names = table
            .routes
            .keys()
            .any(|to| matches!(to, Destination::PrefixList(id) if *id == list.id));
        if names {
            let effects = Effects::by_lists(table, sides);
            let lines = effects
                .lines()
                .into_iter()
                .map(|line| format!("{}: {line}", table.id));
            if effects.cuts() {
                effect.closed.extend(lines);
            } else {
                effect.opened.extend(lines);
            }
        }
    }
    let by_aws = list
        .name
        .as_deref()
        .is_some_and(|name| name.starts_with("com.amazonaws."));
    let (severity, harm) = match (effect.opened.is_empty(), effect.closed.is_empty()) {
        (true, true) => return None,
        // AWS edits its own lists as its services move (semantics E).
        _ if by_aws => (Severity::Info, Harm::None),
        (false, _) if effect.sensitive => (Severity::Critical, Harm::Opens),
        (false, _) => (Severity::High, Harm::Opens),
        (true, false) => (Severity::High, Harm::Cuts),
    };
    let networks = |sign: &str, networks: Vec<&IpNet>| -> Vec<String> {
        networks
            .into_iter()
            .map(|network| format!("{sign} {network}"))
            .collect()
    };
    let mut evidence = networks("added", new.difference(old).collect());
    evidence.extend(networks("removed", old.difference(new).collect()));
    evidence.extend(effect.opened.iter().map(|line| format!("opened: {line}")));
    evidence.extend(effect.closed.iter().map(|line| format!("closed: {line}")));
    let version = list
        .version
        .map_or_else(String::new, |version| format!(" (now version {version})"));
    let what = if harm == Harm::Cuts {
        "narrows"
    } else {
        "widens"
    };
    Some(Finding::new(
        FindingCode::PlOpen,
        (severity, harm),
        Subject::PrefixList(list.id.clone()),
        Element::Existence,
        format!(
            "an edit of {}{version} {what} every group and table that names it, no rule changed",
            list.id
        ),
        evidence,
    ))
}

impl Effect {
    fn of_group(
        &mut self,
        (old, new): (&Topology, &Topology),
        group: &SecurityGroup,
        list: &PrefixListId,
    ) {
        for direction in [Direction::Ingress, Direction::Egress] {
            let names = group.rules.keys().any(|rule| {
                rule.direction == direction
                    && matches!(&rule.peer, Peer::PrefixList(id) if id == list)
            });
            if !names {
                continue;
            }
            let (old, new) = (
                permitted_by_group(group, direction, old),
                permitted_by_group(group, direction, new),
            );
            let line = |line: String| format!("{}: {line}", group.id);
            let opened = traffic_lines(direction, &new.difference(&old));
            self.opened.extend(opened.into_iter().map(line));
            let closed = traffic_lines(direction, &old.difference(&new));
            self.closed.extend(closed.into_iter().map(line));
            if direction == Direction::Ingress {
                self.sensitive |= exposures(&old, &new, std::slice::from_ref(&new))
                    .iter()
                    .flatten()
                    .any(|exposure| {
                        exposure.width == Width::World && exposure.sensitive().next().is_some()
                    });
            }
        }
    }
}
