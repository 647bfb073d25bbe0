//! Risks of the entries of a network ACL.

use super::scene::Scene;
use super::{Delta, Difference, FindingCode, Harm, Severity, Side};
use crate::impact::{bounded, traffic_lines};
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{AddressSet, Family, PacketSet, effective_entries, permitted_by_acl};
use std::collections::BTreeMap;

use super::scene::as_acl;

/// Lines of evidence of each kind for one finding.
const MOST_EVIDENCE: usize = 6;

/// What the entries of one direction permit, on both sides.
struct Sides<'a> {
    direction: Direction,
    good: &'a NetworkAcl,
    baseline: PacketSet,
    live: PacketSet,
    closed: PacketSet,
    opened: PacketSet,
    /// What approved denies keep out on purpose.
    forbidden: PacketSet,
}

pub(super) fn assess(scene: &mut Scene<'_>, good: &NetworkAcl, found: &NetworkAcl) {
    for direction in [Direction::Ingress, Direction::Egress] {
        let entries = scene
            .differences()
            .iter()
            .filter_map(|difference| match difference {
                Difference::Entry { key, delta } if key.direction == direction => {
                    Some((difference, *key, delta))
                }
                _ => None,
            });
        let entries: Vec<(&Difference, EntryKey, &Delta<NetworkAclEntry>)> = entries.collect();
        if entries.is_empty() {
            continue;
        }
        let (baseline, live) = (
            permitted_by_acl(good, direction),
            permitted_by_acl(found, direction),
        );
        let sides = Sides {
            direction,
            good,
            closed: baseline.difference(&live),
            opened: live.difference(&baseline),
            forbidden: forbidden(good, direction, &baseline),
            baseline,
            live,
        };
        for (difference, key, delta) in entries {
            let alone = with(good, difference, Side::Live);
            let undone = with(found, difference, Side::Baseline);
            let (by_itself, without) = (
                permitted_by_acl(&alone, direction),
                permitted_by_acl(&undone, direction),
            );
            let cuts = sides
                .baseline
                .difference(&by_itself)
                .union(&sides.closed.intersection(&without));
            let opens = by_itself
                .difference(&sides.baseline)
                .union(&sides.opened.difference(&without));
            if !cuts.is_empty() {
                let shadowing = if sides.baseline.difference(&by_itself).is_empty() {
                    found
                } else {
                    &alone
                };
                bomb(scene, &sides, key, delta, &cuts, shadowing);
            }
            if !opens.is_empty() {
                open(scene, &sides, key, delta, &opens);
            }
            if cuts.is_empty() && opens.is_empty() {
                idle(scene, key, delta);
            }
        }
    }
}

/// The ACL with one side of a difference.
fn with(acl: &NetworkAcl, difference: &Difference, side: Side) -> NetworkAcl {
    let mut state = Resource::NetworkAcl(acl.clone());
    difference.apply(&mut state, side);
    as_acl(&state).unwrap_or(acl).clone()
}

/// What approved denies keep out on purpose: what a later allow would let pass, and whatever a deny
/// narrower than deny-all decides. A deny-all at the end says no more than the list's own end does.
fn forbidden(acl: &NetworkAcl, direction: Direction, permitted: &PacketSet) -> PacketSet {
    let mut allows = acl.clone();
    allows
        .entries
        .retain(|_, entry| entry.action == RuleAction::Allow);
    let withheld = permitted_by_acl(&allows, direction).difference(permitted);
    effective_entries(acl, direction)
        .into_iter()
        .filter(|(key, _)| {
            acl.entries.get(key).is_some_and(|entry| {
                let everything = entry.traffic == Traffic::All && entry.cidr.prefix_len() == 0;
                entry.action == RuleAction::Deny && !everything
            })
        })
        .fold(withheld, |sum, (_, packets)| sum.union(&packets))
}

/// NACL-BOMB: approved traffic no longer passes.
fn bomb(
    scene: &mut Scene<'_>,
    sides: &Sides<'_>,
    key: EntryKey,
    delta: &Delta<NetworkAclEntry>,
    cuts: &PacketSet,
    shadowing: &NetworkAcl,
) {
    let total = sides.live.is_empty() || *cuts == sides.baseline;
    let severity = if total {
        Severity::Critical
    } else {
        Severity::High
    };
    let what = match delta {
        Delta::Added(entry) => format!(
            "a new entry, {key} ({entry}), is evaluated before entries that allow approved traffic"
        ),
        Delta::Removed(entry) => format!(
            "the approved entry {key} ({entry}) is gone, and its traffic is or will be dropped"
        ),
        Delta::Changed { baseline, live } => {
            format!(
                "the approved entry {key} was `{baseline}` and is `{live}`: approved traffic is or will be dropped"
            )
        }
    };
    let extent = if total {
        format!(
            "; no {} traffic passes the subnets of this ACL",
            sides.direction
        )
    } else {
        String::new()
    };
    let mut evidence = bounded(traffic_lines(sides.direction, cuts), MOST_EVIDENCE);
    evidence.extend(bounded(
        shadowed(sides.good, shadowing, sides.direction),
        MOST_EVIDENCE,
    ));
    scene.tell(
        FindingCode::NaclBomb,
        (severity, Harm::Cuts),
        Element::Entry(key),
        format!("{what}{extent}"),
        evidence,
    );
}

/// The approved allow entries that decide less in another list than they did.
fn shadowed(good: &NetworkAcl, other: &NetworkAcl, direction: Direction) -> Vec<String> {
    let now: BTreeMap<EntryKey, PacketSet> =
        effective_entries(other, direction).into_iter().collect();
    effective_entries(good, direction)
        .into_iter()
        .filter_map(|(key, was)| {
            let entry = good.entries.get(&key)?;
            if entry.action != RuleAction::Allow || other.entries.get(&key) != Some(entry) {
                return None;
            }
            let is = now.get(&key)?;
            if is.is_empty() && !was.is_empty() {
                Some(format!("entry {key} ({entry}) no longer decides anything"))
            } else if !was.is_subset(is) {
                Some(format!("entry {key} ({entry}) decides less than before"))
            } else {
                None
            }
        })
        .collect()
}

/// NACL-OPEN: what an approved deny kept out, admin ports of the world, or what an approved entry did not permit.
fn open(
    scene: &mut Scene<'_>,
    sides: &Sides<'_>,
    key: EntryKey,
    delta: &Delta<NetworkAclEntry>,
    opens: &PacketSet,
) {
    let evidence = bounded(traffic_lines(sides.direction, opens), MOST_EVIDENCE);
    let element = Element::Entry(key);
    if opens.intersects(&sides.forbidden) {
        let meaning = match delta {
            Delta::Added(entry) => {
                format!("a new entry, {key} ({entry}), lets pass what an approved deny keeps out")
            }
            Delta::Removed(entry) => {
                format!("the approved entry {key} ({entry}) is gone: what it kept out may pass")
            }
            Delta::Changed { baseline, live } => {
                format!(
                    "the approved entry {key} was `{baseline}` and is `{live}`: what approved denies keep out may pass"
                )
            }
        };
        scene.tell(
            FindingCode::NaclOpen,
            (Severity::High, Harm::Opens),
            element,
            meaning,
            evidence,
        );
        return;
    }
    let admin = if sides.direction == Direction::Ingress {
        newly_open_to_the_world(&sides.baseline, &sides.live, opens)
    } else {
        Vec::new()
    };
    if !admin.is_empty() {
        let meaning = format!(
            "this ACL now lets the whole internet in on {}",
            admin.join(", ")
        );
        scene.tell(
            FindingCode::NaclOpen,
            (Severity::Medium, Harm::Opens),
            element,
            meaning,
            evidence,
        );
    } else {
        let meaning = match delta {
            // It permits what no approved deny keeps out, and the whole internet enters on no admin port.
            Delta::Added(_) => return,
            // A deny of everything keeps out no more than the list's own end, until somebody adds to the list.
            Delta::Removed(entry) => format!(
                "the approved entry {key} ({entry}) is gone: more may pass than was approved"
            ),
            Delta::Changed { baseline, live } => format!(
                "the approved entry {key} was `{baseline}` and is `{live}`: it permits more than was approved"
            ),
        };
        scene.tell(
            FindingCode::NaclOpen,
            (Severity::Medium, Harm::Opens),
            element,
            meaning,
            evidence,
        );
    }
}

/// SSH and RDP: the ports EC2.21 of Security Hub looks at.
const ADMIN: [(u16, &str); 2] = [(22, "tcp 22 (SSH)"), (3389, "tcp 3389 (RDP)")];

/// Admin ports that the whole internet may enter now and could not before, by help of `opens`.
fn newly_open_to_the_world(was: &PacketSet, is: &PacketSet, opens: &PacketSet) -> Vec<String> {
    let mut words = Vec::new();
    for (port, name) in ADMIN {
        let new = |family: &Family| {
            let internet = AddressSet::internet(*family);
            let helps = !opens.peers_at(6, port).intersection(&internet).is_empty();
            helps
                && internet.is_subset(&is.peers_at(6, port))
                && !internet.is_subset(&was.peers_at(6, port))
        };
        words.extend(
            Family::ALL
                .iter()
                .filter(|family| new(family))
                .map(|family| format!("{name} by {family}")),
        );
    }
    words
}

/// NACL-OPEN of a state by itself. An ACL that allows all of a family is no filter, as AWS makes
/// it: only one that filters and yet lets the internet in on admin ports is worth a word.
pub(super) fn audit(scene: &mut Scene<'_>, acl: &NetworkAcl) {
    let live = permitted_by_acl(acl, Direction::Ingress);
    let no_filter = |net: &str| {
        net.parse::<IpNet>()
            .is_ok_and(|net| PacketSet::of(&Traffic::All, net).is_subset(&live))
    };
    let words = newly_open_to_the_world(&PacketSet::empty(), &live, &live);
    if words.is_empty() || no_filter("0.0.0.0/0") || no_filter("::/0") {
        return;
    }
    let meaning = format!(
        "this ACL lets the whole internet in on {}",
        words.join(", ")
    );
    for (key, packets) in effective_entries(acl, Direction::Ingress) {
        let allows = acl
            .entries
            .get(&key)
            .is_some_and(|entry| entry.action == RuleAction::Allow);
        let admin = ADMIN
            .iter()
            .any(|(port, _)| !packets.peers_at(6, *port).is_empty());
        if allows && admin {
            let evidence = bounded(traffic_lines(Direction::Ingress, &packets), MOST_EVIDENCE);
            scene.tell(
                FindingCode::NaclOpen,
                (Severity::Medium, Harm::Opens),
                Element::Entry(key),
                meaning.clone(),
                evidence,
            );
        }
    }
}

/// An approved entry that is gone or changed without effect.
fn idle(scene: &mut Scene<'_>, key: EntryKey, delta: &Delta<NetworkAclEntry>) {
    let (Delta::Removed(entry)
    | Delta::Changed {
        baseline: entry, ..
    }) = delta
    else {
        return;
    };
    let code = match entry.action {
        RuleAction::Allow => FindingCode::NaclBomb,
        RuleAction::Deny => FindingCode::NaclOpen,
    };
    let meaning = format!(
        "the approved entry {key} ({entry}) is gone or changed; the other approved entries do what it did"
    );
    scene.tell(
        code,
        (Severity::Low, Harm::None),
        Element::Entry(key),
        meaning,
        Vec::new(),
    );
}
