//! The ends of a path: how people name them, and where they are.

use crate::network::Network;
use crate::path::{Client, ClientRange};
use snapback_model::{NetworkInterface, NetworkInterfaceId, SecurityGroupId, SubnetId, VpcId};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An end of a path as people name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// A network interface, at any of its addresses.
    Interface(NetworkInterfaceId),
    /// An instance, at any of its interfaces.
    Instance(String),
    /// Some host in a subnet; groups are not asked.
    Subnet(SubnetId),
    /// Some interface that carries a group.
    Group(SecurityGroupId),
    /// An address, of an interface, in a subnet, or outside.
    Address(IpAddr),
    /// Any public address.
    Internet,
}

impl FromStr for Endpoint {
    type Err = Unresolved;
    fn from_str(text: &str) -> Result<Self, Unresolved> {
        Ok(match text.split_once('-').map_or(text, |(kind, _)| kind) {
            "eni" => Self::Interface(text.into()),
            "i" => Self::Instance(text.to_owned()),
            "subnet" => Self::Subnet(text.into()),
            "sg" => Self::Group(text.into()),
            "internet" => Self::Internet,
            _ => Self::Address(text.parse().map_err(|_| {
                Unresolved(format!(
                    "`{text}` is no end of a path: eni-…, i-…, subnet-…, sg-…, an IP address or `internet`"
                ))
            })?),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(id) => write!(f, "{id}"),
            Self::Instance(id) => write!(f, "{id}"),
            Self::Subnet(id) => write!(f, "{id}"),
            Self::Group(id) => write!(f, "{id}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Internet => f.write_str("internet"),
        }
    }
}

/// Why an end is nowhere: for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved(pub(crate) String);

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unresolved {}

/// A place in a subnet of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot<'a> {
    /// Its VPC.
    pub vpc: &'a VpcId,
    /// Its subnet.
    pub subnet: &'a SubnetId,
    /// Its interface; `None` for some host whose groups are not asked.
    pub interface: Option<&'a NetworkInterface>,
    /// Its address in the VPC.
    pub address: IpAddr,
    /// The address by which the other end calls it: the same, or its public one.
    pub called: IpAddr,
}

/// Where an end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// In a subnet of the snapshot.
    Inside(Spot<'a>),
    /// Outside of all known subnets.
    Outside(IpAddr),
}

impl<'a> Spot<'a> {
    fn on(interface: &'a NetworkInterface, address: IpAddr, called: IpAddr) -> Self {
        Self {
            vpc: &interface.vpc,
            subnet: &interface.subnet,
            interface: Some(interface),
            address,
            called,
        }
    }

    /// It as a client, with the ports that it takes.
    pub(crate) fn client(&self) -> Client {
        Client::sender(match self.interface {
            Some(interface) if serves(interface) => vec![ClientRange::Service],
            _ => vec![ClientRange::Linux, ClientRange::Windows],
        })
    }
}

impl<'a> Place<'a> {
    /// The address it has on the spot.
    pub fn address(&self) -> IpAddr {
        match self {
            Self::Inside(spot) => spot.address,
            Self::Outside(address) => *address,
        }
    }

    /// The address by which the other end calls it.
    pub fn called(&self) -> IpAddr {
        match self {
            Self::Inside(spot) => spot.called,
            Self::Outside(address) => *address,
        }
    }

    /// The VPC it is in.
    pub fn vpc(&self) -> Option<&'a VpcId> {
        match self {
            Self::Inside(spot) => Some(spot.vpc),
            Self::Outside(_) => None,
        }
    }

    fn on(interface: &'a NetworkInterface, address: IpAddr, called: IpAddr) -> Self {
        Self::Inside(Spot::on(interface, address, called))
    }

    /// In words.
    pub(crate) fn words(&self) -> String {
        let spot = match self {
            Self::Outside(address) => return address.to_string(),
            Self::Inside(spot) => spot,
        };
        let Some(interface) = spot.interface else {
            return format!("a host at {} in {}", spot.address, spot.subnet);
        };
        let instance = interface.instance.as_ref().map(|id| format!(", {id}"));
        let public = (spot.called != spot.address).then(|| format!(", called {}", spot.called));
        format!(
            "{} ({}{}{}) in {}",
            interface.id,
            spot.address,
            public.unwrap_or_default(),
            instance.unwrap_or_default(),
            spot.subnet
        )
    }
}

/// Whether an interface belongs to a service that takes its client ports from 1024 up.
fn serves(interface: &NetworkInterface) -> bool {
    let kinds = [
        "nat_gateway",
        "lambda",
        "network_load_balancer",
        "gateway_load_balancer",
        "load_balancer",
    ];
    let kind = interface.kind.as_deref();
    let described = interface.description.as_deref();
    kind.is_some_and(|kind| kinds.contains(&kind))
        || described.is_some_and(|text| interface.requester_managed && text.starts_with("ELB "))
}

/// Hosts behind one end that are tried at most.
const MOST_PLACES: usize = 64;

impl<'a> Network<'a> {
    /// Where an end may be, each place once. `near` is the VPC of the other end, which decides
    /// between VPCs that use the same addresses.
    ///
    /// # Errors
    /// An id that the snapshot does not know, or one behind which nothing is.
    pub fn places(
        &self,
        endpoint: &Endpoint,
        near: Option<&VpcId>,
    ) -> Result<Vec<Place<'a>>, Unresolved> {
        let places = match endpoint {
            Endpoint::Interface(id) => {
                let interface = self
                    .interface(id)
                    .ok_or_else(|| Unresolved(format!("{id} is not in the state")))?;
                places_of(interface)
            }
            Endpoint::Instance(id) => {
                let of = |interface: &&NetworkInterface| interface.instance.as_ref() == Some(id);
                self.interfaces().filter(of).flat_map(places_of).collect()
            }
            Endpoint::Group(id) => {
                let mut seen = BTreeSet::new();
                let carriers = self.carriers(id).into_iter();
                // One of each subnet and set of groups: the others are alike but for their address.
                carriers
                    .filter(|one| seen.insert((&one.subnet, &one.groups)))
                    .flat_map(places_of)
                    .collect()
            }
            Endpoint::Subnet(id) => self.some_host_in(id)?,
            Endpoint::Address(address) => self.places_at(*address, near),
            Endpoint::Internet => vec![
                Place::Outside(IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))),
                Place::Outside(IpAddr::V6(Ipv6Addr::new(
                    0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888,
                ))),
            ],
        };
        if places.is_empty() {
            return Err(Unresolved(match endpoint {
                Endpoint::Group(id) => format!("no interface in the state carries {id}"),
                Endpoint::Instance(id) => format!("no interface in the state belongs to {id}"),
                other => format!("{other} has no address in the state"),
            }));
        }
        Ok(places.into_iter().take(MOST_PLACES).collect())
    }

    fn places_at(&self, address: IpAddr, near: Option<&VpcId>) -> Vec<Place<'a>> {
        let found = self.interfaces_at(address);
        let (close, far): (Vec<_>, Vec<_>) = found.iter().partition(|one| near == Some(&one.vpc));
        let at = |interface: &'a NetworkInterface| {
            if interface.addresses.contains(&address) {
                vec![Place::on(interface, address, address)]
            } else {
                let own = interface.addresses.iter().filter(|own| own.is_ipv4());
                own.take(1)
                    .map(|own| Place::on(interface, *own, address))
                    .collect()
            }
        };
        let known = if close.is_empty() { far } else { close };
        let places: Vec<Place<'a>> = known.into_iter().flat_map(at).collect();
        if !places.is_empty() {
            return places;
        }
        let of_near = near.and_then(|vpc| self.subnet_at(vpc, address));
        let holds = |subnet: &&snapback_model::Subnet| {
            subnet.cidrs.iter().any(|net| net.contains(&address))
        };
        match of_near.or_else(|| self.subnets().find(holds)) {
            Some(subnet) => vec![Place::Inside(Spot {
                vpc: &subnet.vpc,
                subnet: &subnet.id,
                interface: None,
                address,
                called: address,
            })],
            None => vec![Place::Outside(address)],
        }
    }

    /// The first host of each network of a subnet that nobody has: behind the reserved addresses.
    fn some_host_in(&self, id: &SubnetId) -> Result<Vec<Place<'a>>, Unresolved> {
        let subnet = self
            .subnet(id)
            .ok_or_else(|| Unresolved(format!("{id} is not in the state")))?;
        let taken: BTreeSet<IpAddr> = self
            .interfaces_in(id)
            .iter()
            .flat_map(|one| one.addresses.iter().copied())
            .collect();
        let hosts = subnet.cidrs.iter().filter_map(|net| {
            net.hosts()
                .skip(3)
                .take(taken.len().saturating_add(1))
                .find(|host| !taken.contains(host))
        });
        Ok(hosts
            .map(|address| {
                Place::Inside(Spot {
                    vpc: &subnet.vpc,
                    subnet: &subnet.id,
                    interface: None,
                    address,
                    called: address,
                })
            })
            .collect())
    }
}

/// An interface at each of its addresses, and at its public ones where one private address of the
/// family can be behind them.
fn places_of(interface: &NetworkInterface) -> Vec<Place<'_>> {
    let own = interface.addresses.iter();
    let own = own.map(|address| Place::on(interface, *address, *address));
    let behind = interface.addresses.iter().find(|own| own.is_ipv4());
    let public = interface.public_addresses.iter();
    let public = public.filter_map(|called| Some(Place::on(interface, *behind?, *called)));
    own.chain(public).collect()
}
