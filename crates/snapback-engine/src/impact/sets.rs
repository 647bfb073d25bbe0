//! Packet sets of what surrounds a resource, each computed once.

use snapback_model::*;
use snapback_reach::{
    AddressSet, Errs, Exactness, Gap, Item, Network, PacketSet, Protocols, Symbol, Unknowns, bound,
    next_hops, permitted_by_rules,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Where a table leads, as sets of addresses by what can be done through the target.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// The VPC itself and every target that works both ways.
    pub(super) both: AddressSet,
    /// Internet and carrier gateways: both ways for who has a public address.
    pub(super) internet: AddressSet,
    /// NAT and egress-only gateways: outbound only.
    pub(super) outbound: AddressSet,
}

/// The caches of one impact.
pub(super) struct Sets<'n, 'a> {
    pub(super) network: &'n Network<'a>,
    /// Prefix lists of both times.
    pub(super) lists: &'n Topology,
    /// The VPC of the resource.
    pub(super) vpc: &'a VpcId,
    pub(super) gaps: Exactness,
    /// The groups met so far, by index.
    groups: Vec<&'a SecurityGroupId>,
    indexes: BTreeMap<&'a SecurityGroupId, usize>,
    world: BTreeMap<usize, Rc<Vec<&'a RuleKey>>>,
    members: BTreeMap<SecurityGroupId, AddressSet>,
    /// By the rules of the other direction: many groups have the same.
    answers: BTreeMap<Vec<&'a RuleKey>, Rc<PacketSet>>,
    own: BTreeMap<&'a SubnetId, Rc<AddressSet>>,
    tables: BTreeMap<&'a RouteTableId, Rc<Ways>>,
}

impl<'n, 'a> Sets<'n, 'a> {
    pub(super) fn new(network: &'n Network<'a>, lists: &'n Topology, vpc: &'a VpcId) -> Self {
        Self {
            network,
            lists,
            vpc,
            gaps: Exactness::exact(),
            groups: Vec::new(),
            indexes: BTreeMap::new(),
            world: BTreeMap::new(),
            members: BTreeMap::new(),
            answers: BTreeMap::new(),
            own: BTreeMap::new(),
            tables: BTreeMap::new(),
        }
    }

    /// With groups seen from here replaced by the addresses of who carries them. Groups of other
    /// accounts and prefix lists that were not read stay symbols.
    pub(super) fn expanded(&mut self, packets: &PacketSet, direction: Direction) -> PacketSet {
        let peers = packets.peers();
        let mut members: BTreeMap<Symbol, AddressSet> = BTreeMap::new();
        for symbol in peers.symbols() {
            if let Symbol::SecurityGroup { id, owner: None } = symbol {
                members.insert(symbol.clone(), self.members(id, direction));
            }
        }
        if members.is_empty() {
            return packets.clone();
        }
        packets.expand(&members).packets
    }

    fn members(&mut self, id: &SecurityGroupId, direction: Direction) -> AddressSet {
        if let Some(known) = self.members.get(id) {
            return known.clone();
        }
        let members = self.find_members(id, direction);
        self.members.insert(id.clone(), members.clone());
        members
    }

    /// A look at each interface costs less than the network's index of all, for a few groups; across
    /// VPCs the network knows what a reference stands for.
    fn find_members(&mut self, id: &SecurityGroupId, direction: Direction) -> AddressSet {
        if self.members.len() < FEW_MEMBERS {
            let carriers: Vec<&NetworkInterface> = self
                .network
                .interfaces()
                .filter(|interface| interface.groups.contains(id))
                .collect();
            let is_here = |interface: &&NetworkInterface| interface.vpc == *self.vpc;
            let is_v4 = |ip: &std::net::IpAddr| ip.is_ipv4();
            let mut addresses = carriers.iter().flat_map(|interface| &interface.addresses);
            if carriers.iter().all(is_here) && addresses.all(is_v4) {
                let addresses = carriers.iter().flat_map(|interface| &interface.addresses);
                return AddressSet::of(addresses.map(|ip| (*ip).into()));
            }
        }
        // The network keeps its answers by its own copy of the id; who carries the group has one.
        let home = self.network.carried_with(id).next();
        let Some(id) = home.and_then(|(set, _)| set.get(id)) else {
            return AddressSet::empty();
        };
        let members = self.network.members(id, None, self.vpc, direction);
        self.gaps.merge(&members.exactness);
        members.value.clone()
    }

    /// The indexes of some groups.
    pub(super) fn indexes(&mut self, groups: &'a BTreeSet<SecurityGroupId>) -> Vec<usize> {
        groups.iter().map(|id| self.index(id)).collect()
    }

    fn index(&mut self, id: &'a SecurityGroupId) -> usize {
        let next = self.groups.len();
        let index = *self.indexes.entry(id).or_insert(next);
        if index == next {
            self.groups.push(id);
        }
        index
    }

    /// Whether an index is this group's.
    pub(super) fn is_group(&self, index: usize, id: &SecurityGroupId) -> bool {
        self.groups.get(index).is_some_and(|known| *known == id)
    }

    /// What a group permits of some traffic by its rules as they are now, references expanded. One
    /// that was not read permits nothing, with a gap.
    pub(super) fn permitted(
        &mut self,
        index: usize,
        direction: Direction,
        scope: &Scope,
    ) -> PacketSet {
        let rules = self.rules(index);
        let mut rules = rules
            .filter(|rule| rule.direction == direction && scope.overlaps(&rule.traffic))
            .peekable();
        if rules.peek().is_none() {
            return PacketSet::empty();
        }
        let permitted = permitted_by_rules(rules, self.lists);
        self.expanded(&permitted, direction)
    }

    /// The rules of a group for the whole world, either direction: what tracking depends on.
    pub(super) fn world(&mut self, index: usize) -> Rc<Vec<&'a RuleKey>> {
        if let Some(known) = self.world.get(&index) {
            return Rc::clone(known);
        }
        let world = Rc::new(self.rules(index).filter(|rule| is_world(rule)).collect());
        self.world.insert(index, Rc::clone(&world));
        world
    }

    fn rules(&mut self, index: usize) -> impl Iterator<Item = &'a RuleKey> + use<'a> {
        let id = self.groups.get(index).copied();
        let group = id.and_then(|id| self.network.group(id));
        if let (Some(id), None) = (id, group) {
            let words = format!("the rules of {id}, which interfaces here carry, were not read");
            let gap = Gap::new(Unknowns::Group(id.clone()), Errs::MayPermitMore, words);
            self.gaps.add(gap);
        }
        let group = group.filter(|group| self.is_bounded(group));
        group.into_iter().flat_map(|group| group.rules.keys())
    }

    /// The addresses of a subnet.
    pub(super) fn own(&mut self, subnet: &'a SubnetId) -> Rc<AddressSet> {
        let network = self.network;
        let of = || {
            let networks = network.subnet(subnet).map(|subnet| &subnet.cidrs);
            Rc::new(AddressSet::of(networks.into_iter().flatten().copied()))
        };
        Rc::clone(self.own.entry(subnet).or_insert_with(of))
    }

    /// Whether the sets of another group can be built.
    fn is_bounded(&mut self, group: &SecurityGroup) -> bool {
        // A quota's worth of rules is always within the bound.
        let is_small = group.rules.len() <= 1000
            && !group
                .rules
                .keys()
                .any(|rule| matches!(rule.peer, Peer::PrefixList(_)));
        let over = if is_small {
            None
        } else {
            bound::check(&Resource::SecurityGroup(group.clone()), self.lists).err()
        };
        if let Some(over) = &over {
            let what = Unknowns::Size(group.id.to_string());
            let gap = Gap::new(what, Errs::MayPermitMore, over.to_string());
            self.gaps.add(gap);
        }
        over.is_none()
    }

    /// Whether a group has a rule that may let some traffic through, or answers of it.
    pub(super) fn may_pass(&mut self, index: usize, direction: Direction, scope: &Scope) -> bool {
        self.rules(index).any(|rule| {
            if rule.direction == direction {
                scope.overlaps(&rule.traffic)
            } else {
                scope.holds_answers()
            }
        })
    }

    /// What a group lets through of some traffic in a direction, answers to the other direction
    /// included: for layers that judge each packet by itself.
    pub(super) fn passing(
        &mut self,
        index: usize,
        direction: Direction,
        scope: &Scope,
    ) -> PacketSet {
        let permitted = self.permitted(index, direction, scope);
        if !scope.holds_answers() {
            return permitted;
        }
        let back = opposite(direction);
        let rules = self.rules(index);
        let key: Vec<&RuleKey> = rules.filter(|rule| rule.direction == back).collect();
        let answers = match self.answers.get(&key) {
            Some(known) => Rc::clone(known),
            None => {
                let of = Rc::new(answers(&self.permitted(index, back, &Scope::all())));
                self.answers.insert(key, Rc::clone(&of));
                of
            }
        };
        permitted.union(&answers)
    }

    /// Where a table leads.
    pub(super) fn ways(&mut self, table: &'a RouteTable) -> Rc<Ways> {
        let lists = self.lists;
        let of = || Rc::new(Ways::of(table, lists));
        Rc::clone(self.tables.entry(&table.id).or_insert_with(of))
    }
}

impl Ways {
    /// Longest prefix match as sets: painted from the shortest prefix to the longest.
    fn of(table: &RouteTable, lists: &Topology) -> Self {
        let hops = next_hops(table, lists);
        let mut levels: BTreeMap<u8, [Vec<ipnet::IpNet>; 4]> = BTreeMap::new();
        for region in snapback_reach::NextHops::regions(&[&hops]) {
            let Some(network) = region.destination.as_cidr() else {
                continue;
            };
            let class = match region.hops.first().and_then(|hop| hop.delivers()) {
                None => 3,
                Some(RouteTarget::InternetGateway(_) | RouteTarget::CarrierGateway(_)) => 1,
                Some(RouteTarget::NatGateway(_) | RouteTarget::EgressOnlyInternetGateway(_)) => 2,
                Some(_) => 0,
            };
            // IPv4 and IPv6 are disjoint: one level for both.
            let level = levels.entry(network.prefix_len()).or_default();
            if let Some(networks) = level.get_mut(class) {
                networks.push(network);
            }
        }
        let mut ways: [AddressSet; 4] = Default::default();
        for level in levels.into_values() {
            let level = level.map(AddressSet::of);
            let all = level
                .iter()
                .fold(AddressSet::empty(), |all, one| all.union(one));
            for (way, own) in ways.iter_mut().zip(&level) {
                *way = way.difference(&all).union(own);
            }
        }
        let [both, internet, outbound, _] = ways;
        Self {
            both,
            internet,
            outbound,
        }
    }
}

/// Which protocols and ports some packets have: tells at little cost that a rule has none of them.
pub(super) struct Scope {
    tcp: Vec<(u16, u16)>,
    udp: Vec<(u16, u16)>,
    others: bool,
}

impl Scope {
    pub(super) fn of(packets: &PacketSet) -> Self {
        Self {
            tcp: packets.points(6).ranges().collect(),
            udp: packets.points(17).ranges().collect(),
            others: packets
                .protocols()
                .iter()
                .any(|number| !matches!(number, 6 | 17)),
        }
    }

    fn all() -> Self {
        let everything = vec![(0, u16::MAX)];
        Self {
            tcp: everything.clone(),
            udp: everything,
            others: true,
        }
    }

    fn overlaps(&self, traffic: &Traffic) -> bool {
        let within = |ranges: &[(u16, u16)], ports: PortRange| {
            ranges
                .iter()
                .any(|(low, high)| *low <= ports.to() && ports.from() <= *high)
        };
        match traffic {
            Traffic::All => true,
            Traffic::Tcp(ports) => within(&self.tcp, *ports),
            Traffic::Udp(ports) => within(&self.udp, *ports),
            Traffic::Icmp(_) | Traffic::Icmpv6(_) | Traffic::Protocol(_) => self.others,
        }
    }

    /// Whether answers may be among them: to client ports, or without ports.
    fn holds_answers(&self) -> bool {
        let clients = |ranges: &[(u16, u16)]| ranges.iter().any(|(_, high)| *high >= CLIENTS);
        self.others || clients(&self.tcp) || clients(&self.udp)
    }
}

/// Groups whose members are looked for one by one.
const FEW_MEMBERS: usize = 4;

/// The lowest port that clients use (semantics A3).
const CLIENTS: u16 = 1024;

/// Whether a rule is for every address of a family.
pub(super) fn is_world(rule: &RuleKey) -> bool {
    rule.peer.as_cidr().is_some_and(|net| net.prefix_len() == 0)
}

pub(crate) fn opposite(direction: Direction) -> Direction {
    Direction::from_egress(!direction.is_egress())
}

/// The packets that answer what is permitted the other way, at a filter that keeps no connections:
/// from the same peers, to any client port (semantics A3).
fn answers(permitted: &PacketSet) -> PacketSet {
    let clients = PortRange::new(CLIENTS, u16::MAX).unwrap_or(PortRange::ALL);
    let everyone = AddressSet::of(EVERYONE);
    let peers = |traffic: Traffic| {
        permitted
            .intersection(&PacketSet::of_peers(&traffic, &everyone))
            .peers()
    };
    let anything = permitted.peers();
    PacketSet::of_peers(&Traffic::Tcp(clients), &peers(Traffic::Tcp(PortRange::ALL)))
        .union(&PacketSet::of_peers(
            &Traffic::Udp(clients),
            &peers(Traffic::Udp(PortRange::ALL)),
        ))
        .union(&PacketSet::of_peers(
            &Traffic::Icmp(IcmpMatch::Any),
            &anything,
        ))
        .union(&PacketSet::of_peers(
            &Traffic::Icmpv6(IcmpMatch::Any),
            &anything,
        ))
        .union(&other_protocols(permitted))
}

/// 0.0.0.0/0 and ::/0.
pub(super) const EVERYONE: [ipnet::IpNet; 2] = [
    ipnet::IpNet::V4(ipnet::Ipv4Net::new_assert(
        std::net::Ipv4Addr::UNSPECIFIED,
        0,
    )),
    ipnet::IpNet::V6(ipnet::Ipv6Net::new_assert(
        std::net::Ipv6Addr::UNSPECIFIED,
        0,
    )),
];

/// Without tcp, udp and ICMP.
fn other_protocols(packets: &PacketSet) -> PacketSet {
    let everyone = AddressSet::of(EVERYONE);
    let known = [
        Traffic::Tcp(PortRange::ALL),
        Traffic::Udp(PortRange::ALL),
        Traffic::Icmp(IcmpMatch::Any),
        Traffic::Icmpv6(IcmpMatch::Any),
    ];
    known.iter().fold(packets.clone(), |rest, traffic| {
        rest.difference(&PacketSet::of_peers(traffic, &everyone))
    })
}

/// The packets of one rectangle.
pub(super) fn packets_of(item: &Item) -> PacketSet {
    let of = |traffic: Traffic| PacketSet::of_peers(&traffic, &item.peers);
    match &item.protocols {
        Protocols::All => of(Traffic::All),
        Protocols::AllBut(numbers) => numbers.iter().fold(of(Traffic::All), |all, number| {
            all.difference(&of(whole(*number)))
        }),
        Protocols::Only(numbers) => {
            let mut all = PacketSet::empty();
            for number in numbers {
                if item.points.is_empty() {
                    all = all.union(&of(whole(*number)));
                }
                for (low, high) in &item.points {
                    for traffic in between(*number, *low, *high) {
                        all = all.union(&of(traffic));
                    }
                }
            }
            all
        }
    }
}

fn whole(protocol: u8) -> Traffic {
    match protocol {
        6 => Traffic::Tcp(PortRange::ALL),
        17 => Traffic::Udp(PortRange::ALL),
        1 => Traffic::Icmp(IcmpMatch::Any),
        58 => Traffic::Icmpv6(IcmpMatch::Any),
        number => Traffic::Protocol(number),
    }
}

/// The traffic of a range of points of one protocol.
fn between(protocol: u8, low: u16, high: u16) -> Vec<Traffic> {
    let icmp = |kind: IcmpMatch| match protocol {
        1 => Traffic::Icmp(kind),
        _ => Traffic::Icmpv6(kind),
    };
    let ports = PortRange::new(low, high);
    match (protocol, ports) {
        (6, Some(ports)) => vec![Traffic::Tcp(ports)],
        (17, Some(ports)) => vec![Traffic::Udp(ports)],
        (1 | 58, _) => {
            let ([first, from], [last, to]) = (low.to_be_bytes(), high.to_be_bytes());
            (first..=last)
                .flat_map(|kind| {
                    let from = if kind == first { from } else { 0 };
                    let to = if kind == last { to } else { u8::MAX };
                    match (from, to) {
                        (0, u8::MAX) => vec![icmp(IcmpMatch::Type(kind))],
                        _ => (from..=to)
                            .map(|code| icmp(IcmpMatch::TypeCode(kind, code)))
                            .collect(),
                    }
                })
                .collect()
        }
        _ => vec![whole(protocol)],
    }
}
