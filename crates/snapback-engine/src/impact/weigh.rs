//! Whether moved packets pass (or passed) all the rest of the way, for each interface concerned.

use super::around::Position;
use super::blast::name_of;
use super::sets::{EVERYONE, Sets};
use super::shift::{Effect, MOST_NAMES, Reached, Why};
use snapback_model::*;
use snapback_reach::{AddressSet, Family, PacketSet, Symbol};
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

/// What the layers of a position leave of the moved packets, in their order.
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
    positions: &[Position<'a>],
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
    for position in positions {
        let left = Left::of(sets, position, question, &moved);
        for (part, tally) in parts.iter().zip(&mut tallies) {
            tally.count(sets, position, question.layer, &left, part);
        }
    }
    let told = parts.iter().zip(question.parts).zip(tallies);
    told.map(|((part, unexpanded), tally)| tally.effect(question.layer, part, unexpanded))
        .collect()
}

impl Left {
    fn of<'a>(
        sets: &mut Sets<'_, 'a>,
        position: &Position<'a>,
        question: &Question<'_>,
        moved: &PacketSet,
    ) -> Self {
        let direction = question.direction;
        let rules = match question.layer {
            Layer::Group(group) => moved.difference(&sets.rules(position.groups, group, direction)),
            Layer::Interface => moved.clone(),
            Layer::Acl | Layer::Route(_) => moved.intersection(&sets.passing(position, direction)),
        };
        let subnet = position.subnets.keys().next();
        let acl = match (question.layer, position.acl, subnet) {
            (Layer::Group(_) | Layer::Interface | Layer::Route(_), Some(_), Some(subnet)) => {
                let permitted = sets.network.permitted_by_subnet(subnet, direction);
                rules.intersection(&permitted.value)
            }
            _ => rules.clone(),
        };
        let online = Online::of(position, direction);
        let (passes, internet) = match question.layer {
            Layer::Route(target) => online.through(target),
            Layer::Group(_) | Layer::Interface | Layer::Acl => match position.table {
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
        let passes = if position.has_v6 {
            passes
        } else {
            passes.family(Family::V4)
        };
        let arrives = acl.with_peers(&passes);
        let world = internet_of(&internet);
        let offline = online.why(sets, position, question);
        Self {
            internet: arrives.with_peers(&world),
            arrives,
            rules,
            acl,
            offline,
        }
    }

    /// The layer that stops a part, named.
    fn why(&self, position: &Position<'_>, layer: Layer<'_>, part: &PacketSet) -> Why {
        if !part.intersects(&self.rules) {
            return match layer {
                Layer::Group(_) | Layer::Interface => Why::OtherGroups,
                Layer::Acl | Layer::Route(_) => Why::Groups,
            };
        }
        let is_v6 = part.addresses(Family::V4).is_empty() && !part.addresses(Family::V6).is_empty();
        if is_v6 && !position.has_v6 {
            return Why::NoIpv6;
        }
        if !part.intersects(&self.acl) {
            let acl = position.acl.map(|acl| acl.id.to_string());
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
    fn of(position: &Position<'_>, direction: Direction) -> Self {
        Self {
            v4: position.public_v4,
            v6: position.has_v6,
            is_blocked: match direction {
                Direction::Ingress => position.blocked.ingress,
                Direction::Egress => position.blocked.egress,
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
        position: &Position<'a>,
        question: &Question<'_>,
    ) -> Option<Why> {
        let has_gateway = match question.layer {
            Layer::Route(target) => matches!(
                target,
                Some(RouteTarget::InternetGateway(_) | RouteTarget::CarrierGateway(_))
            ),
            Layer::Group(_) | Layer::Interface | Layer::Acl => {
                let ways = sets.ways(position.table?);
                if ways.internet.is_empty() {
                    let only_out = !ways.outbound.is_empty() && !question.direction.is_egress();
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

impl<'a> Tally<'a> {
    fn count(
        &mut self,
        sets: &Sets<'_, 'a>,
        position: &Position<'a>,
        layer: Layer<'_>,
        left: &Left,
        part: &PacketSet,
    ) {
        let here = part.intersection(&left.arrives);
        let peers = here.peers();
        let own = |subnet: &SubnetId| {
            let networks = sets.network.subnet(subnet).map(|subnet| &subnet.cidrs);
            AddressSet::of(networks.into_iter().flatten().copied())
        };
        let facing = here.intersects(&left.internet);
        for (subnet, interfaces) in &position.subnets {
            // No ACL and no route decides between the hosts of one subnet (semantics A3, A4).
            let counts = match layer {
                Layer::Group(_) | Layer::Interface if here.is_empty() => {
                    let through = part.intersection(&left.rules).peers();
                    !through.intersection(&own(subnet)).is_empty()
                }
                Layer::Group(_) | Layer::Interface => true,
                Layer::Acl | Layer::Route(_) => !here.is_empty() && !peers.is_subset(&own(subnet)),
            };
            if counts {
                self.interfaces = self.interfaces.saturating_add(interfaces.len());
                self.subnets.insert(subnet);
                if facing {
                    self.internet_facing = self.internet_facing.saturating_add(interfaces.len());
                }
                let room = MOST_NAMES.saturating_sub(self.on.len());
                self.on
                    .extend(interfaces.iter().take(room).map(|one| name_of(one)));
            } else {
                let why = if here.is_empty() {
                    left.why(position, layer, part)
                } else {
                    Why::InsideSubnet
                };
                if self
                    .nearest
                    .as_ref()
                    .is_none_or(|known| rank(known) < rank(&why))
                {
                    self.nearest = Some(why);
                }
            }
        }
        if !facing
            && let Some(why) = &left.offline
            && self
                .offline
                .as_ref()
                .is_none_or(|known| rank(known) < rank(why))
        {
            self.offline = Some(why.clone());
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
