//! Whether moved packets pass (or passed) all the rest of the way, for each interface concerned.

use super::around::{Place, Position, Positions, Spot};
use super::blast::name_of;
use super::sets::{EVERYONE, Scope, Sets};
use super::shift::{Effect, MOST_NAMES, Reached, Why};
use snapback_model::*;
use snapback_reach::{AddressSet, Family, PacketSet, Symbol};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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

/// What the layers at a spot leave of the moved packets, in their order.
struct Left {
    /// After the groups.
    rules: PacketSet,
    /// After the ACL, taken to filter everything.
    acl: PacketSet,
    /// After the routes.
    arrives: PacketSet,
    /// Those of them exchanged with the internet through an internet gateway.
    internet: PacketSet,
    /// Why the internet part does not arrive.
    offline: Option<Why>,
}

/// What becomes of one part at a spot.
struct Outcome {
    /// Peers of packets that arrive.
    peers: AddressSet,
    /// Peers of packets that the groups let through: within a subnet nothing else decides.
    inside: AddressSet,
    /// Whether some of it is exchanged with the internet.
    facing: bool,
    /// Whether the part holds addresses of the internet.
    can_face: bool,
    /// Why the internet part does not arrive.
    offline: Option<Why>,
    /// What stops it where nothing arrives.
    why: Why,
}

impl Outcome {
    /// Whether another group could add nothing: it arrives in every subnet, and from the internet
    /// where that can be.
    fn settles<'a>(&self, sets: &mut Sets<'_, 'a>, position: &Position<'a>) -> bool {
        let mut subnets = position.subnets.iter();
        let faces = self.facing || self.offline.is_some() || !self.can_face;
        faces && subnets.all(|(subnet, _)| !self.peers.is_subset(&sets.own(subnet)))
    }
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
    let scope = Scope::of(&moved);
    let mut tallies: Vec<Tally<'a>> = parts.iter().map(|_| Tally::default()).collect();
    let mut scale = Scale {
        layer: question.layer,
        direction,
        moved,
        parts,
        scope,
        shares: BTreeMap::new(),
        outcomes: BTreeMap::new(),
    };
    for position in &positions.all {
        let outcomes = scale.outcomes(sets, positions, position);
        for (index, tally) in tallies.iter_mut().enumerate() {
            let of_part: Vec<&Outcome> = outcomes
                .iter()
                .filter_map(|outcomes| outcomes.get(index))
                .collect();
            tally.count(sets, position, question.layer, &of_part);
        }
    }
    let told = scale.parts.iter().zip(question.parts).zip(tallies);
    told.map(|((part, unexpanded), tally)| tally.effect(question.layer, part, unexpanded))
        .collect()
}

/// What one question has computed so far: interfaces are many, what decides for them is not.
struct Scale<'q> {
    layer: Layer<'q>,
    direction: Direction,
    moved: PacketSet,
    parts: Vec<PacketSet>,
    /// The traffic of what moved.
    scope: Scope,
    /// By group: the moved packets that it permits.
    shares: BTreeMap<usize, Rc<PacketSet>>,
    /// By the groups that matter and the spot: what becomes of each part.
    outcomes: BTreeMap<(Vec<usize>, Spot), Rc<Vec<Outcome>>>,
}

impl Scale<'_> {
    /// What becomes of each part at a position. Several answers are one after the other: a packet
    /// arrives if it does by any of them.
    fn outcomes<'a>(
        &mut self,
        sets: &mut Sets<'_, 'a>,
        positions: &Positions<'a>,
        position: &Position<'a>,
    ) -> Vec<Rc<Vec<Outcome>>> {
        let Some(place) = positions.places.get(position.spot.place) else {
            return Vec::new();
        };
        match self.layer {
            // Other groups take away what they permit too: only those that permit some of it count.
            Layer::Group(group) => {
                let mut others: Vec<usize> = Vec::new();
                for index in &position.groups {
                    if !sets.is_group(*index, group) && !self.share(sets, *index).is_empty() {
                        others.push(*index);
                    }
                }
                let covered = |scale: &mut Self, sets: &mut Sets<'_, 'a>| {
                    others.iter().fold(scale.moved.clone(), |left, index| {
                        left.difference(&scale.share(sets, *index))
                    })
                };
                vec![self.outcome(sets, place, position.spot, others.clone(), covered)]
            }
            Layer::Interface => {
                let all = |scale: &mut Self, _: &mut Sets<'_, 'a>| scale.moved.clone();
                vec![self.outcome(sets, place, position.spot, Vec::new(), all)]
            }
            // Groups only add: what arrives by one of them arrives.
            Layer::Acl | Layer::Route(_) if position.groups.is_empty() => {
                let all = |scale: &mut Self, _: &mut Sets<'_, 'a>| scale.moved.clone();
                vec![self.outcome(sets, place, position.spot, Vec::new(), all)]
            }
            Layer::Acl | Layer::Route(_) => {
                let mut each = Vec::new();
                for index in &position.groups {
                    let share = |scale: &mut Self, sets: &mut Sets<'_, 'a>| {
                        scale.share(sets, *index).as_ref().clone()
                    };
                    let outcome = self.outcome(sets, place, position.spot, vec![*index], share);
                    let is_settled = outcome.iter().all(|part| part.settles(sets, position));
                    each.push(outcome);
                    if is_settled {
                        break;
                    }
                }
                each
            }
        }
    }

    /// The moved packets that a group permits, or lets through as answers.
    fn share(&mut self, sets: &mut Sets<'_, '_>, index: usize) -> Rc<PacketSet> {
        if let Some(known) = self.shares.get(&index) {
            return Rc::clone(known);
        }
        let share = match self.layer {
            Layer::Group(_) | Layer::Interface => {
                self.moved
                    .intersection(&sets.permitted(index, self.direction, &self.scope))
            }
            Layer::Acl | Layer::Route(_) => {
                self.moved
                    .intersection(&sets.passing(index, self.direction, &self.scope))
            }
        };
        let share = Rc::new(share);
        self.shares.insert(index, Rc::clone(&share));
        share
    }

    fn outcome<'s, 'a>(
        &mut self,
        sets: &mut Sets<'s, 'a>,
        place: &Place<'a>,
        spot: Spot,
        groups: Vec<usize>,
        rules: impl Fn(&mut Self, &mut Sets<'s, 'a>) -> PacketSet,
    ) -> Rc<Vec<Outcome>> {
        let key = (groups, spot);
        if let Some(known) = self.outcomes.get(&key) {
            return Rc::clone(known);
        }
        let rules = rules(self, sets);
        let left = Left::of(sets, self.layer, self.direction, place, spot, rules);
        let outcomes = self
            .parts
            .iter()
            .map(|part| left.outcome(self.layer, place, spot, part));
        let outcomes = Rc::new(outcomes.collect());
        self.outcomes.insert(key, Rc::clone(&outcomes));
        outcomes
    }
}

impl Left {
    fn of<'a>(
        sets: &mut Sets<'_, 'a>,
        layer: Layer<'_>,
        direction: Direction,
        place: &Place<'a>,
        spot: Spot,
        rules: PacketSet,
    ) -> Self {
        let acl = match (layer, place.acl) {
            (Layer::Acl, _) | (_, None) => rules.clone(),
            (Layer::Group(_) | Layer::Interface | Layer::Route(_), Some(_)) => {
                let permitted = sets.network.permitted_by_subnet(place.subnet, direction);
                rules.intersection(&permitted.value)
            }
        };
        let online = Online::of(place, spot, direction);
        let (passes, internet) = match layer {
            Layer::Route(target) => online.through(target),
            Layer::Group(_) | Layer::Interface | Layer::Acl => match place.table {
                Some(table) => {
                    let ways = sets.ways(table);
                    let internet = online.of_internet(&ways.internet);
                    let mut passes = ways.both.union(&internet);
                    if direction.is_egress() {
                        passes = passes.union(&ways.outbound);
                    }
                    (passes, internet)
                }
                None => (AddressSet::of(EVERYONE), AddressSet::empty()),
            },
        };
        let passes = if spot.has_v6 {
            passes
        } else {
            passes.family(Family::V4)
        };
        let arrives = acl.with_peers(&passes);
        let internet = arrives.with_peers(&internet_of(&internet));
        let offline = online.why(sets, place, layer, direction);
        Self {
            rules,
            acl,
            arrives,
            internet,
            offline,
        }
    }

    fn outcome(
        &self,
        layer: Layer<'_>,
        place: &Place<'_>,
        spot: Spot,
        part: &PacketSet,
    ) -> Outcome {
        Outcome {
            peers: part.intersection(&self.arrives).peers(),
            inside: part.intersection(&self.rules).peers(),
            facing: part.intersects(&self.internet),
            can_face: Family::ALL
                .into_iter()
                .any(|family| part.peers().public_address_count(family) > 0),
            offline: self.offline.clone(),
            why: self.why(layer, place, spot, part),
        }
    }

    /// The layer that stops a part, named.
    fn why(&self, layer: Layer<'_>, place: &Place<'_>, spot: Spot, part: &PacketSet) -> Why {
        if !part.intersects(&self.rules) {
            return match layer {
                Layer::Group(_) | Layer::Interface => Why::OtherGroups,
                Layer::Acl | Layer::Route(_) => Why::Groups,
            };
        }
        let is_v6 = part.addresses(Family::V4).is_empty() && !part.addresses(Family::V6).is_empty();
        if is_v6 && !spot.has_v6 {
            return Why::NoIpv6;
        }
        if !part.intersects(&self.acl) {
            let acl = place.acl.map(|acl| acl.id.to_string());
            return Why::Acl(acl.unwrap_or_default());
        }
        self.offline.clone().unwrap_or(Why::NoRoute)
    }
}

/// The addresses of both families that can be hosts on the internet, of some.
fn internet_of(addresses: &AddressSet) -> AddressSet {
    Family::ALL
        .into_iter()
        .fold(AddressSet::empty(), |all, family| {
            all.union(&addresses.intersection(&AddressSet::internet(family)))
        })
}

/// What an internet gateway does for the interfaces of a position.
struct Online {
    v4: bool,
    v6: bool,
    is_blocked: bool,
}

impl Online {
    fn of(place: &Place<'_>, spot: Spot, direction: Direction) -> Self {
        Self {
            v4: spot.public_v4,
            v6: spot.has_v6,
            is_blocked: match direction {
                Direction::Ingress => place.blocked.ingress,
                Direction::Egress => place.blocked.egress,
            },
        }
    }

    /// The part of what lies behind an internet gateway that it carries for them.
    fn of_internet(&self, behind: &AddressSet) -> AddressSet {
        let family = |has: bool, family: Family| {
            if has && !self.is_blocked {
                behind.family(family)
            } else {
                AddressSet::empty()
            }
        };
        family(self.v4, Family::V4).union(&family(self.v6, Family::V6))
    }

    /// What passes through a target, and what of it is the internet's.
    fn through(&self, target: Option<&RouteTarget>) -> (AddressSet, AddressSet) {
        let everyone = AddressSet::of(EVERYONE);
        match target {
            Some(RouteTarget::InternetGateway(_) | RouteTarget::CarrierGateway(_)) => {
                let internet = self.of_internet(&everyone);
                (internet.clone(), internet)
            }
            Some(_) | None => (everyone, AddressSet::empty()),
        }
    }

    /// Why packets of the internet do not arrive, were all else in order.
    fn why<'a>(
        &self,
        sets: &mut Sets<'_, 'a>,
        place: &Place<'a>,
        layer: Layer<'_>,
        direction: Direction,
    ) -> Option<Why> {
        let has_gateway = match layer {
            Layer::Route(target) => matches!(
                target,
                Some(RouteTarget::InternetGateway(_) | RouteTarget::CarrierGateway(_))
            ),
            Layer::Group(_) | Layer::Interface | Layer::Acl => {
                let ways = sets.ways(place.table?);
                if ways.internet.is_empty() {
                    let only_out = !ways.outbound.is_empty() && !direction.is_egress();
                    return Some(if only_out {
                        Why::OutboundOnly
                    } else {
                        Why::NoRoute
                    });
                }
                true
            }
        };
        if has_gateway && !self.v4 && !self.v6 {
            return Some(Why::NoPublicAddress);
        }
        (has_gateway && self.is_blocked).then_some(Why::BlockPublicAccess)
    }
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
        outcomes: &[&Outcome],
    ) {
        let facing = outcomes.iter().any(|outcome| outcome.facing);
        let arrives = outcomes.iter().any(|outcome| !outcome.peers.is_empty());
        for (subnet, interfaces) in &position.subnets {
            // No ACL and no route decides between the hosts of one subnet (semantics A3, A4).
            let counts = match layer {
                Layer::Group(_) | Layer::Interface if arrives => true,
                Layer::Group(_) | Layer::Interface => {
                    let own = sets.own(subnet);
                    outcomes
                        .iter()
                        .any(|outcome| !outcome.inside.intersection(&own).is_empty())
                }
                Layer::Acl | Layer::Route(_) if !arrives => false,
                Layer::Acl | Layer::Route(_) => {
                    let own = sets.own(subnet);
                    outcomes
                        .iter()
                        .any(|outcome| !outcome.peers.is_subset(&own))
                }
            };
            if !counts {
                if arrives {
                    nearer(&mut self.nearest, &Why::InsideSubnet);
                }
                for outcome in outcomes.iter().filter(|_| !arrives) {
                    nearer(&mut self.nearest, &outcome.why);
                }
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
        let offline = outcomes.iter().filter_map(|one| one.offline.as_ref());
        for why in offline.filter(|_| !facing) {
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
