//! What becomes of moved packets at each spot: groups, ACL and routes asked in their order, once for
//! all interfaces that share the answer.

use super::around::{Place, Position, Positions, Spot};
use super::sets::{EVERYONE, Scope, Sets};
use super::shift::Why;
use super::weigh::Layer;
use snapback_model::*;
use snapback_reach::{AddressSet, Family, PacketSet};
use std::collections::BTreeMap;
use std::rc::Rc;

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
pub(super) struct Outcome {
    /// Peers of packets that arrive.
    pub(super) peers: AddressSet,
    /// Peers of packets that the groups let through: within a subnet nothing else decides.
    pub(super) inside: AddressSet,
    /// Whether some of it is exchanged with the internet.
    pub(super) facing: bool,
    /// Whether the part holds addresses of the internet.
    can_face: bool,
    /// Why the internet part does not arrive.
    pub(super) offline: Option<Why>,
    /// What stops it where nothing arrives.
    pub(super) why: Why,
    /// Whether more peers arrive than one subnet holds.
    is_wide: bool,
}

/// What becomes of each part at a position.
pub(super) struct Outcomes {
    /// With all groups that count, or as if groups let everything through.
    pub(super) ceiling: Rc<Vec<Outcome>>,
    /// Where groups add: by each that was asked.
    pub(super) by_group: Option<Vec<Rc<Vec<Outcome>>>>,
}

impl Outcome {
    /// Whether something arrives from beyond a subnet: within it no ACL and no route decides.
    pub(super) fn arrives_beyond<'a>(&self, sets: &mut Sets<'_, 'a>, subnet: &'a SubnetId) -> bool {
        self.is_wide || !self.peers.is_subset(&sets.own(subnet))
    }

    /// Whether another group could add nothing: it arrives in every subnet, and from the internet
    /// where that can be.
    fn settles<'a>(&self, sets: &mut Sets<'_, 'a>, position: &Position<'a>) -> bool {
        let mut subnets = position.subnets.iter();
        let faces = self.facing || self.offline.is_some() || !self.can_face;
        faces && subnets.all(|(subnet, _)| self.arrives_beyond(sets, subnet))
    }
}

/// What one question has computed so far: interfaces are many, what decides for them is not.
pub(super) struct Scale<'q> {
    layer: Layer<'q>,
    direction: Direction,
    moved: PacketSet,
    pub(super) parts: Vec<PacketSet>,
    /// The traffic of what moved.
    scope: Scope,
    /// The traffic of each part.
    scopes: Vec<Scope>,
    /// By group: whether it may let some of each part through.
    matters: BTreeMap<usize, Rc<Vec<bool>>>,
    /// By group: the moved packets that it permits.
    shares: BTreeMap<usize, Rc<PacketSet>>,
    /// By the groups that matter and the spot: what becomes of each part.
    outcomes: BTreeMap<(Vec<usize>, Spot), Rc<Vec<Outcome>>>,
}

impl<'q> Scale<'q> {
    /// `moved` and `parts` with references expanded.
    pub(super) fn new(
        layer: Layer<'q>,
        direction: Direction,
        moved: PacketSet,
        parts: Vec<PacketSet>,
    ) -> Self {
        Self {
            layer,
            direction,
            scope: Scope::of(&moved),
            scopes: parts.iter().map(Scope::of).collect(),
            moved,
            parts,
            matters: BTreeMap::new(),
            shares: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// What becomes of each part at a position.
    pub(super) fn outcomes<'a>(
        &mut self,
        sets: &mut Sets<'_, 'a>,
        positions: &Positions<'a>,
        position: &Position<'a>,
    ) -> Option<Outcomes> {
        let place = positions.places.get(position.spot.place)?;
        let spot = position.spot;
        let all = |scale: &mut Self, _: &mut Sets<'_, 'a>| scale.moved.clone();
        let ceiling = match self.layer {
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
                self.outcome(sets, place, spot, others.clone(), covered)
            }
            Layer::Interface | Layer::Acl | Layer::Route(_) => {
                self.outcome(sets, place, spot, Vec::new(), all)
            }
        };
        let by_group = match self.layer {
            Layer::Acl | Layer::Route(_) if !position.groups.is_empty() => {
                Some(self.by_group(sets, place, position, &ceiling))
            }
            _ => None,
        };
        Some(Outcomes { ceiling, by_group })
    }

    /// By group, until another could add nothing: groups only add, what arrives by one arrives.
    fn by_group<'a>(
        &mut self,
        sets: &mut Sets<'_, 'a>,
        place: &Place<'a>,
        position: &Position<'a>,
        ceiling: &[Outcome],
    ) -> Vec<Rc<Vec<Outcome>>> {
        let mut open: Vec<bool> = ceiling
            .iter()
            .map(|outcome| !outcome.peers.is_empty())
            .collect();
        let mut each = Vec::new();
        for index in &position.groups {
            if !open.contains(&true) {
                break;
            }
            let matters = self.matters(sets, *index);
            if !open
                .iter()
                .zip(matters.iter())
                .any(|(open, matters)| *open && *matters)
            {
                continue;
            }
            let share = |scale: &mut Self, sets: &mut Sets<'_, 'a>| {
                scale.share(sets, *index).as_ref().clone()
            };
            // A key of its own: the empty list is everything.
            let outcome = self.outcome(sets, place, position.spot, vec![*index], share);
            for (open, part) in open.iter_mut().zip(outcome.iter()) {
                *open = *open && !part.settles(sets, position);
            }
            each.push(outcome);
        }
        each
    }

    /// For each part, whether a group has a rule that may let some of it through.
    fn matters(&mut self, sets: &mut Sets<'_, '_>, index: usize) -> Rc<Vec<bool>> {
        if let Some(known) = self.matters.get(&index) {
            return Rc::clone(known);
        }
        let scopes = self.scopes.iter();
        let matters = scopes.map(|scope| sets.may_pass(index, self.direction, scope));
        let matters = Rc::new(matters.collect());
        self.matters.insert(index, Rc::clone(&matters));
        matters
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
        let peers = part.intersection(&self.arrives).peers();
        // A subnet is a /16 at most, a /44 of IPv6.
        let is_wide =
            peers.address_count(Family::V4) > 1 << 16 || peers.address_count(Family::V6) > 1 << 84;
        Outcome {
            peers,
            is_wide,
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
