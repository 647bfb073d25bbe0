//! A security group: which packets its rules opened and closed, and for which carriers.

use super::DIRECTIONS;
use super::around::Positions;
use super::shift::{Turn, Why};
use super::tracking;
use super::weigh::Layer;
use super::work::{Moved, Work};
use crate::diff::{Delta, Difference};
use snapback_model::*;
use snapback_reach::{
    Errs, Gap, PacketSet, Unknowns, permitted_by_group, permitted_by_rules, unread_prefix_lists,
};
use std::collections::BTreeSet;

pub(super) fn group(
    work: &mut Work<'_, '_>,
    before: Option<&SecurityGroup>,
    after: Option<&SecurityGroup>,
) {
    let Some(id) = before.or(after).map(|group| &group.id) else {
        return;
    };
    let carriers = work.carriers(id);
    work.concern(&carriers);
    let referrers = work.sets.network.referrers(id);
    work.impact.blast.referrers = referrers
        .into_iter()
        .filter(|referrer| *referrer != id)
        .cloned()
        .collect();
    let found = Positions::of(&mut work.sets, work.access, carriers);
    unread(work, before, after);
    for direction in DIRECTIONS {
        let lists = work.sets.lists;
        let permitted = |group: Option<&SecurityGroup>| {
            group.map_or_else(PacketSet::empty, |group| {
                permitted_by_group(group, direction, lists)
            })
        };
        let (was, is) = (permitted(before), permitted(after));
        for turn in [Turn::Opened, Turn::Closed] {
            let packets = match turn {
                Turn::Opened => is.difference(&was),
                Turn::Closed => was.difference(&is),
            };
            let moved = Moved {
                turn,
                layer: Layer::Group(id),
                direction,
                packets: &packets,
                kept: &was.intersection(&is),
                positions: &found,
                whom: None,
                elements: &elements(work, direction, turn, &packets),
                nobody: Why::NoCarrier,
            };
            let weighed = work.tell(&moved);
            let flows = tracking::Flows {
                group: id,
                before,
                after,
                direction,
                turn,
                positions: &found,
            };
            tracking::tell(work, &flows, &weighed);
        }
    }
}

/// The differences that may open (close) packets of a direction, with what they are about.
fn elements(
    work: &Work<'_, '_>,
    direction: Direction,
    turn: Turn,
    moved: &PacketSet,
) -> Vec<(Element, PacketSet)> {
    if moved.is_empty() {
        return Vec::new();
    }
    let of = |difference: &Difference| match (difference, turn) {
        (
            Difference::Rule {
                rule,
                delta: Delta::Added(_),
            },
            Turn::Opened,
        )
        | (
            Difference::Rule {
                rule,
                delta: Delta::Removed(_),
            },
            Turn::Closed,
        ) if rule.direction == direction => Some((
            Element::Rule(rule.clone()),
            permitted_by_rules([rule], work.sets.lists),
        )),
        (Difference::Unreviewed { .. }, Turn::Opened)
        | (Difference::Deleted { .. }, Turn::Closed) => Some((Element::Existence, moved.clone())),
        _ => None,
    };
    work.diff.differences.iter().filter_map(of).collect()
}

/// The prefix lists whose entries nobody read.
fn unread(work: &mut Work<'_, '_>, before: Option<&SecurityGroup>, after: Option<&SecurityGroup>) {
    let lists: BTreeSet<PrefixListId> = before
        .into_iter()
        .chain(after)
        .flat_map(|group| unread_prefix_lists(group, work.sets.lists))
        .cloned()
        .collect();
    for list in lists {
        let words = format!(
            "the entries of prefix list {list} were not read: rules that name it are told by name, and may overlap \
             other rules, so what is listed as opened or closed for it may be less in truth"
        );
        let what = Unknowns::PrefixList(list);
        work.sets
            .gaps
            .add(Gap::new(what, Errs::MayPermitLess, words));
    }
}
