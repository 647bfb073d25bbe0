//! One impact in the making.

use super::around::Positions;
use super::sets::{Sets, packets_of};
use super::shift::{Effect, Shift, Turn, Why};
use super::weigh::{Layer, Question, weigh};
use super::words::{bounded, item_line};
use super::{Impact, Moves, Peers};
use crate::diff::ResourceDiff;
use snapback_model::*;
use snapback_reach::{AddressSet, Errs, Gap, Item, OverBound, PacketSet, Unknowns};
use std::collections::BTreeSet;

/// Shifts of each list; what is beyond is counted.
pub(super) const MOST_SHIFTS: usize = 24;

/// Differences weighed one by one; beyond, each counts as much as the worst shift.
const MOST_WEIGHED: usize = 64;

/// Peers kept as text in one shift.
const MOST_PEERS: usize = 64;

/// What an impact is made from, and what there is of it.
pub(super) struct Work<'n, 'a> {
    pub(super) baselines: &'a Baselines,
    pub(super) live: &'a Snapshot,
    pub(super) diff: &'a ResourceDiff,
    pub(super) sets: Sets<'n, 'a>,
    pub(super) access: Option<&'a BlockPublicAccess>,
    /// Whether the interfaces are known.
    pub(super) is_known: bool,
    /// Whether they are those of an earlier read.
    pub(super) is_old: bool,
    /// The other side of all that moved.
    pub(super) peers: AddressSet,
    pub(super) impact: Impact,
}

/// Packets that moved at one place, before they are weighed.
pub(super) struct Moved<'q, 'a> {
    pub(super) turn: Turn,
    pub(super) layer: Layer<'q>,
    pub(super) direction: Direction,
    pub(super) packets: &'q PacketSet,
    /// What passes the layer before and after.
    pub(super) kept: &'q PacketSet,
    pub(super) positions: &'q Positions<'a>,
    /// Who it is about, where not the whole resource: `subnet-1`.
    pub(super) whom: Option<&'q str>,
    /// The differences that may have moved them, with the packets they are about.
    pub(super) elements: &'q [(Element, PacketSet)],
    /// What is said where no interface is concerned.
    pub(super) nobody: Why,
}

/// The parts of what moved that may carry connections, for who tells what becomes of those.
pub(super) struct Weighed {
    /// Packets of parts that pass or passed, or may.
    pub(super) alive: PacketSet,
    /// Packets of parts that another group allows all the same.
    pub(super) covered: PacketSet,
}

impl<'n, 'a> Work<'n, 'a> {
    /// Weighs what moved and writes it down.
    pub(super) fn tell(&mut self, moved: &Moved<'_, 'a>) -> Weighed {
        let mut weighed = Weighed {
            alive: PacketSet::empty(),
            covered: PacketSet::empty(),
        };
        if moved.packets.is_empty() {
            return weighed;
        }
        let items = moved.packets.items();
        let shown: Vec<&Item> = items.iter().take(MOST_SHIFTS).collect();
        let mut parts: Vec<PacketSet> = shown.iter().map(|item| packets_of(item)).collect();
        let moving: Vec<(&Element, PacketSet)> = moved
            .elements
            .iter()
            .map(|(element, packets)| (element, packets.intersection(moved.packets)))
            .filter(|(_, packets)| !packets.is_empty())
            .collect();
        let singly = moving.len() <= MOST_WEIGHED;
        if singly {
            parts.extend(moving.iter().map(|(_, packets)| packets.clone()));
        }
        let mut effects = self.effects(moved, &parts).into_iter();
        let of_items: Vec<Effect> = effects.by_ref().take(shown.len()).collect();
        let worst = of_items.iter().max_by_key(|effect| effect.weight());
        let worst = worst.cloned();
        for (element, _) in &moving {
            let own = if singly {
                effects.next()
            } else {
                worst.clone()
            };
            if let Some(effect) = own {
                self.moves(moved.turn, element, effect);
            }
        }
        for ((item, packets), effect) in shown.iter().zip(&parts).zip(of_items) {
            match &effect {
                Effect::Dormant {
                    why: Why::OtherGroups,
                } => weighed.covered = weighed.covered.union(packets),
                Effect::Dormant { .. } => {}
                Effect::Now(_) | Effect::Unknown { .. } => {
                    weighed.alive = weighed.alive.union(packets);
                }
            }
            let through = moving
                .iter()
                .filter(|(_, moving)| moving.intersects(packets))
                .map(|(element, _)| (*element).clone())
                .collect();
            let shift = shift(moved, item, packets, through, effect);
            self.push(moved.turn, shift);
        }
        let more = items.len().saturating_sub(shown.len());
        self.count_more(moved.turn, more);
        self.peers = self.peers.union(&moved.packets.peers());
        weighed
    }

    fn effects(&mut self, moved: &Moved<'_, 'a>, parts: &[PacketSet]) -> Vec<Effect> {
        if !self.is_known {
            let why = "the network interfaces were not read".to_owned();
            return vec![Effect::Unknown { why }; parts.len()];
        }
        if moved.positions.all.is_empty() {
            let why = moved.nobody.clone();
            return vec![Effect::Dormant { why }; parts.len()];
        }
        let question = Question {
            layer: moved.layer,
            direction: moved.direction,
            moved: moved.packets,
            kept: moved.kept,
            parts,
        };
        weigh(&mut self.sets, moved.positions, &question)
    }

    /// Adds a shift; what is beyond the most is counted.
    pub(super) fn push(&mut self, turn: Turn, shift: Shift) {
        let shifts = match turn {
            Turn::Opened => &mut self.impact.opened,
            Turn::Closed => &mut self.impact.closed,
        };
        if shifts.len() < MOST_SHIFTS {
            shifts.push(shift);
        } else {
            self.count_more(turn, 1);
        }
    }

    pub(super) fn count_more(&mut self, turn: Turn, more: usize) {
        let counted = match turn {
            Turn::Opened => &mut self.impact.more_opened,
            Turn::Closed => &mut self.impact.more_closed,
        };
        *counted = counted.saturating_add(more);
    }

    /// Notes what a difference does; the worst counts.
    pub(super) fn moves(&mut self, turn: Turn, element: &Element, effect: Effect) {
        let moves: &mut Moves = self.impact.moves.entry(element.clone()).or_default();
        let known = match turn {
            Turn::Opened => &mut moves.opens,
            Turn::Closed => &mut moves.closes,
        };
        if known
            .as_ref()
            .is_none_or(|known| known.weight() < effect.weight())
        {
            *known = Some(effect);
        }
    }

    /// The interfaces concerned, grouped and counted.
    pub(super) fn survey(&mut self, keep: impl Fn(&NetworkInterface) -> bool) -> Positions<'a> {
        let interfaces = self.sets.network.interfaces();
        let interfaces = interfaces.filter(|interface| keep(interface));
        let blast = &mut self.impact.blast;
        if self.is_known {
            blast.interfaces.get_or_insert(0);
        }
        Positions::of(&mut self.sets, self.access, interfaces, Some(blast))
    }

    /// Some subnets by name: `db-a (subnet-1)`.
    pub(super) fn subnet_words(&self, subnets: &BTreeSet<SubnetId>) -> String {
        let name = |id: &SubnetId| {
            let subnet = self.sets.network.subnet(id);
            match subnet.and_then(|subnet| subnet.tags.get("Name")) {
                Some(name) => format!("{} ({id})", name.chars().take(40).collect::<String>()),
                None => id.to_string(),
            }
        };
        bounded(subnets.iter().map(name).collect(), 3).join(", ")
    }

    /// A resource whose sets are too large to compute: all that differs may open and close anything.
    pub(super) fn over_bound(&mut self, over: &OverBound) {
        let why = over.to_string();
        let effect = Effect::Unknown { why: why.clone() };
        for turn in [Turn::Opened, Turn::Closed] {
            for difference in &self.diff.differences {
                self.moves(turn, &difference.element(), effect.clone());
            }
        }
        let through = self.diff.differences.iter().take(MOST_SHIFTS);
        let shift = Shift {
            text: "anything".to_owned(),
            direction: None,
            traffic: "all traffic".to_owned(),
            peers: Vec::new(),
            more_peers: 0,
            witness: None,
            through: through.map(|difference| difference.element()).collect(),
            effect,
        };
        self.push(Turn::Opened, shift.clone());
        self.push(Turn::Closed, shift);
        let what = Unknowns::Size(over.resource.to_string());
        self.sets.gaps.add(Gap::new(what, Errs::Either, why));
    }

    /// The impact, with what was not known of it.
    pub(super) fn finish(mut self) -> Impact {
        self.impact.blast.peers = Peers::of(&self.peers);
        let moved = !self.impact.opened.is_empty() || !self.impact.closed.is_empty();
        if moved && self.is_known && self.is_old {
            let words = "network interfaces and their groups are as an earlier read told them: what was launched, \
                         ended or moved since is not counted";
            let what = Unknowns::Context(ContextKind::Interfaces);
            self.sets.gaps.add(Gap::new(what, Errs::Either, words));
        }
        let words = self.sets.gaps.words();
        let new = words
            .into_iter()
            .filter(|line| !self.impact.inexact.contains(line));
        let new: BTreeSet<String> = new.collect();
        self.impact.inexact.extend(new);
        self.impact.exactness = self.sets.gaps;
        self.impact
    }
}

fn shift(
    moved: &Moved<'_, '_>,
    item: &Item,
    packets: &PacketSet,
    through: Vec<Element>,
    effect: Effect,
) -> Shift {
    let line = item_line(moved.direction, item);
    let text = match moved.whom {
        Some(whom) => format!("{whom}: {line}"),
        None => line,
    };
    let text = short(&text);
    let mut peers = item.peer_words();
    let more_peers = peers.len().saturating_sub(MOST_PEERS);
    peers.truncate(MOST_PEERS);
    Shift {
        text,
        direction: Some(moved.direction),
        traffic: short(&item.traffic()),
        peers,
        more_peers,
        witness: packets.witness().map(|flow| flow.to_string()),
        through,
        effect,
    }
}

/// Longest text of one shift: a rectangle may have thousands of port ranges.
const MOST_TEXT: usize = 1000;

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_TEXT).collect();
    if text.chars().nth(MOST_TEXT).is_some() {
        short.push('…');
    }
    short
}
