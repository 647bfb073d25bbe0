//! Whether moved packets pass (or passed) all the rest of the way, for each interface concerned.

use super::around::{Position, Positions};
use super::blast::name_of;
use super::scale::{Outcome, Scale};
use super::sets::Sets;
use super::shift::{Effect, MOST_NAMES, Reached, Why};
use snapback_model::*;
use snapback_reach::{Family, PacketSet, Symbol};
use std::collections::BTreeSet;

/// Which layer changed: it is not asked again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layer<'q> {
    /// The rules of this group.
    Group(&'q SecurityGroupId),
    /// The groups that an interface carries.
    Interface,
    /// The ACL of the subnets.
    Acl,
    /// The route to a target.
    Route(Option<&'q RouteTarget>),
}

/// Packets that one layer newly lets through, or no longer.
pub(super) struct Question<'q> {
    pub(super) layer: Layer<'q>,
    pub(super) direction: Direction,
    /// All that moved.
    pub(super) moved: &'q PacketSet,
    /// What the layer lets through at both times: a reference that moved may stand for addresses
    /// that another rule names.
    pub(super) kept: &'q PacketSet,
    /// The parts to be told one by one.
    pub(super) parts: &'q [PacketSet],
}

/// Adds up over positions what becomes of one part.
#[derive(Default)]
struct Tally<'a> {
    interfaces: usize,
    subnets: BTreeSet<&'a SubnetId>,
    internet_facing: usize,
    on: Vec<String>,
    offline: Option<Why>,
    nearest: Option<Why>,
}

/// The effect of each part.
pub(super) fn weigh<'a>(
    sets: &mut Sets<'_, 'a>,
    positions: &Positions<'a>,
    question: &Question<'_>,
) -> Vec<Effect> {
    let direction = question.direction;
    let has_symbols = !question.moved.peers().symbols().is_empty();
    let kept = if has_symbols {
        sets.expanded(question.kept, direction)
    } else {
        PacketSet::empty()
    };
    let moved = sets.expanded(question.moved, direction).difference(&kept);
    let parts: Vec<PacketSet> = question
        .parts
        .iter()
        .map(|part| sets.expanded(part, direction))
        .collect();
    let mut tallies: Vec<Tally<'a>> = parts.iter().map(|_| Tally::default()).collect();
    let mut scale = Scale::new(question.layer, direction, moved, parts);
    for position in &positions.all {
        let Some(outcomes) = scale.outcomes(sets, positions, position) else {
            continue;
        };
        for (index, tally) in tallies.iter_mut().enumerate() {
            if let Some(ceiling) = outcomes.ceiling.get(index) {
                let by_group = outcomes.by_group.as_ref().map(|all| {
                    let all = all.iter().filter_map(|outcomes| outcomes.get(index));
                    all.collect::<Vec<&Outcome>>()
                });
                tally.count(sets, position, question.layer, ceiling, by_group.as_deref());
            }
        }
    }
    let told = scale.parts.iter().zip(question.parts).zip(tallies);
    told.map(|((part, unexpanded), tally)| tally.effect(question.layer, part, unexpanded))
        .collect()
}

/// How near a part came to passing.
fn rank(why: &Why) -> u8 {
    match why {
        Why::NoCarrier | Why::NoSubnet | Why::NoInterface | Why::NoMember => 0,
        Why::OtherGroups | Why::Groups => 1,
        Why::Acl(_) | Why::InsideSubnet => 2,
        Why::NoRoute => 3,
        Why::OutboundOnly => 4,
        Why::NoPublicAddress | Why::NoIpv6 => 5,
        Why::BlockPublicAccess => 6,
    }
}

/// Keeps the reason that came nearest to passing.
fn nearer(known: &mut Option<Why>, why: &Why) {
    if known.as_ref().is_none_or(|known| rank(known) < rank(why)) {
        *known = Some(why.clone());
    }
}

impl<'a> Tally<'a> {
    /// Counts the interfaces of a position for a part, by what becomes of it there.
    fn count(
        &mut self,
        sets: &mut Sets<'_, 'a>,
        position: &Position<'a>,
        layer: Layer<'_>,
        ceiling: &Outcome,
        by_group: Option<&[&Outcome]>,
    ) {
        let outcomes = by_group.unwrap_or(std::slice::from_ref(&ceiling));
        let facing = outcomes.iter().any(|outcome| outcome.facing);
        let arrives = outcomes.iter().any(|outcome| !outcome.peers.is_empty());
        for (subnet, interfaces) in &position.subnets {
            // No ACL and no route decides between the hosts of one subnet (semantics A3, A4).
            let counts = match layer {
                Layer::Group(_) | Layer::Interface => {
                    arrives || {
                        let inside = &ceiling.inside;
                        !inside.is_empty() && !inside.intersection(&sets.own(subnet)).is_empty()
                    }
                }
                Layer::Acl | Layer::Route(_) => {
                    arrives
                        && outcomes
                            .iter()
                            .any(|outcome| outcome.arrives_beyond(sets, subnet))
                }
            };
            if !counts {
                let why = if arrives {
                    &Why::InsideSubnet
                } else if ceiling.peers.is_empty() {
                    &ceiling.why
                } else {
                    &Why::Groups
                };
                nearer(&mut self.nearest, why);
                continue;
            }
            self.interfaces = self.interfaces.saturating_add(interfaces.len());
            self.subnets.insert(subnet);
            if facing {
                self.internet_facing = self.internet_facing.saturating_add(interfaces.len());
            }
            let room = MOST_NAMES.saturating_sub(self.on.len());
            let named = interfaces.iter().take(room).map(|one| name_of(one));
            self.on.extend(named);
        }
        if let Some(why) = ceiling.offline.as_ref().filter(|_| !facing) {
            nearer(&mut self.offline, why);
        }
    }

    fn effect(self, layer: Layer<'_>, part: &PacketSet, unexpanded: &PacketSet) -> Effect {
        if self.interfaces == 0 {
            let none = match layer {
                Layer::Group(_) | Layer::Interface => Why::NoCarrier,
                Layer::Acl | Layer::Route(_) => Why::NoInterface,
            };
            if let (Some(why), Some(_)) = (unseen(part), &self.nearest) {
                return Effect::Unknown { why };
            }
            let only_symbols = !unexpanded.is_empty() && part.is_empty() && self.nearest.is_some();
            return Effect::Dormant {
                why: match self.nearest {
                    Some(_) if only_symbols => Why::NoMember,
                    Some(why) => why,
                    None => none,
                },
            };
        }
        let is_public = Family::ALL
            .into_iter()
            .any(|family| part.peers().public_address_count(family) > 0);
        Effect::Now(Reached {
            interfaces: self.interfaces,
            subnets: self.subnets.len(),
            internet_facing: self.internet_facing,
            on: self.on,
            internet: self
                .offline
                .filter(|_| self.internet_facing == 0 && is_public),
        })
    }
}

/// Peers that cannot be seen from here, in words.
fn unseen(part: &PacketSet) -> Option<String> {
    let peers = part.peers();
    peers.symbols().into_iter().find_map(|symbol| match symbol {
        Symbol::SecurityGroup {
            id,
            owner: Some(owner),
        } => Some(format!(
            "who carries {id} of account {owner} cannot be seen from here"
        )),
        Symbol::PrefixList(id) => Some(format!("the entries of prefix list {id} were not read")),
        Symbol::SecurityGroup { owner: None, .. } => None,
    })
}
