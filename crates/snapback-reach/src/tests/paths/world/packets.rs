//! Ends and packets at the edges of what a random world names.

use super::{Dice, net};
use crate::path::{L4, Place, Spot};
use crate::{AddressSet, Family};
use ipnet::IpNet;
use snapback_model::*;
use std::net::{IpAddr, Ipv4Addr};

/// An interface at one of its addresses, or some host of a subnet.
pub fn inside<'a>(world: &'a Snapshot, dice: &mut Dice) -> Place<'a> {
    let topology = &world.topology;
    if dice.one_in(10) {
        let all: Vec<&Subnet> = topology.subnets.values().collect();
        let subnet = dice.of(&all);
        let nets: Vec<IpNet> = subnet.cidrs.iter().copied().collect();
        let host = dice.of(&[0usize, 1, 4, 9, 60]);
        let address = dice.of(&nets).hosts().nth(host).unwrap();
        return Place::Inside(Spot {
            vpc: &subnet.vpc,
            subnet: &subnet.id,
            interface: None,
            address,
            called: address,
        });
    }
    let all: Vec<&NetworkInterface> = topology.interfaces.values().collect();
    let one = dice.of(&all);
    let own: Vec<IpAddr> = one.addresses.iter().copied().collect();
    let address = dice.of(&own);
    let public = one
        .public_addresses
        .first()
        .filter(|_| address.is_ipv4() && dice.percent(30));
    Place::Inside(Spot {
        vpc: &one.vpc,
        subnet: &one.subnet,
        interface: Some(one),
        address,
        called: public.copied().unwrap_or(address),
    })
}

/// Where a world's states change their minds.
pub struct Edges {
    addresses: Vec<IpAddr>,
    ports: Vec<u16>,
}

impl Edges {
    pub fn of(world: &Snapshot) -> Self {
        let mut networks = vec![
            net("3.5.0.0/16"),
            net("8.8.8.8/32"),
            net("2001:4860:4860::8888/128"),
        ];
        let mut traffics = Vec::new();
        for resource in world.resources.values() {
            match resource {
                Resource::RouteTable(table) => {
                    networks.extend(table.routes.keys().filter_map(Destination::as_cidr))
                }
                Resource::NetworkAcl(acl) => {
                    networks.extend(acl.entries.values().map(|entry| entry.cidr));
                    traffics.extend(acl.entries.values().map(|entry| entry.traffic));
                }
                Resource::SecurityGroup(group) => {
                    networks.extend(group.rules.keys().filter_map(|rule| rule.peer.as_cidr()));
                    traffics.extend(group.rules.keys().map(|rule| rule.traffic));
                }
            }
        }
        let ports = traffics.into_iter().flat_map(|traffic| match traffic {
            Traffic::Tcp(ports) | Traffic::Udp(ports) => vec![ports.from(), ports.to()],
            _ => Vec::new(),
        });
        Self {
            addresses: networks
                .iter()
                .flat_map(|net| [net.network(), net.broadcast()])
                .collect(),
            ports: ports.chain([22, 443, 443]).collect(),
        }
    }
}

pub fn public_address(edges: &Edges, dice: &mut Dice, family: Family) -> IpAddr {
    for _ in 0..64 {
        let at = match dice.of(&edges.addresses) {
            IpAddr::V4(at) => IpAddr::V4(
                u32::from(at)
                    .wrapping_add(u32::try_from(dice.below(3)).unwrap())
                    .wrapping_sub(1)
                    .into(),
            ),
            IpAddr::V6(at) => IpAddr::V6(
                u128::from(at)
                    .wrapping_add(dice.below(3) as u128)
                    .wrapping_sub(1)
                    .into(),
            ),
        };
        if AddressSet::internet(family).contains(at) {
            return at;
        }
    }
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)),
        Family::V6 => "2620:fe::9".parse().unwrap(),
    }
}

/// An end of a path; for a destination with the source it should be able to talk to.
pub fn place<'a>(
    world: &'a Snapshot,
    edges: &Edges,
    dice: &mut Dice,
    source: Option<Place<'a>>,
) -> Place<'a> {
    let v4 = source.is_none_or(|source| source.address().is_ipv4());
    let family = if v4 { Family::V4 } else { Family::V6 };
    match dice.below(20) {
        0 | 1 => Place::Outside(public_address(edges, dice, family)),
        2 if v4 => Place::Outside(
            dice.of(&[
                "172.16.0.5",
                "192.168.3.1",
                "10.1.200.1",
                "10.9.0.1",
                "172.17.0.1",
            ])
            .parse()
            .unwrap(),
        ),
        3 if source.is_some() && dice.one_in(3) => Place::Outside(
            dice.of(&[
                "169.254.169.254",
                "169.254.169.7",
                "10.1.0.2",
                "10.2.0.2",
                "fd00:ec2::253",
                "fd00:ec2::9",
                "169.254.172.1",
            ])
            .parse()
            .unwrap(),
        ),
        _ => {
            let mut found = inside(world, dice);
            for _ in 0..6 {
                if source
                    .is_none_or(|source| source.address().is_ipv4() == found.called().is_ipv4())
                {
                    break;
                }
                found = inside(world, dice);
            }
            found
        }
    }
}

pub fn l4(edges: &Edges, dice: &mut Dice) -> L4 {
    let protocol = dice.of(&[6u8, 6, 6, 6, 6, 17, 17, 1, 58, 50, 47, 2]);
    let point = match protocol {
        6 | 17 => dice
            .of(&edges.ports)
            .wrapping_add(u16::try_from(dice.below(3)).unwrap())
            .wrapping_sub(1),
        1 | 58 => dice.of(&[0x0800u16, 0x0800, 0x0000, 0x0304, 0x8000, 0x8100, 0x0801]),
        _ => 0,
    };
    L4 { protocol, point }
}
