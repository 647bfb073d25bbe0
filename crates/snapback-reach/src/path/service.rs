//! What neither groups nor ACLs filter (semantics A1), and what is never forwarded (semantics A4).

use crate::network::Network;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::VpcId;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A service of the VPC itself that no group and no ACL filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Route 53 Resolver, at VPC base + 2 and a link-local address.
    Resolver,
    /// Instance metadata.
    Metadata,
    /// Amazon Time Sync.
    TimeSync,
    /// ECS task metadata and credentials.
    TaskMetadata,
    /// Windows activation.
    Activation,
    /// The reserved address of the VPC router: the first of each subnet.
    Router,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolver => "the Route 53 Resolver",
            Self::Metadata => "the instance metadata service",
            Self::TimeSync => "the Time Sync service",
            Self::TaskMetadata => "the ECS task metadata service",
            Self::Activation => "Windows activation",
            Self::Router => "the router of the VPC",
        })
    }
}

/// `base + offset` of a network's IPv4 addresses.
fn offset(network: &IpNet, offset: u32) -> Option<IpAddr> {
    match network {
        IpNet::V4(net) => u32::from(net.network())
            .checked_add(offset)
            .map(|at| IpAddr::V4(at.into())),
        IpNet::V6(_) => None,
    }
}

impl Service {
    /// The service behind an address, as an interface of a VPC sees it.
    pub(crate) fn at(network: &Network<'_>, vpc: &VpcId, address: IpAddr) -> Option<Self> {
        let link_local = |last: u8| IpAddr::V4(Ipv4Addr::new(169, 254, 169, last));
        let unique_local = |last| IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, last));
        let fixed = [
            (link_local(253), Self::Resolver),
            (unique_local(0x253), Self::Resolver),
            (link_local(254), Self::Metadata),
            (unique_local(0x254), Self::Metadata),
            (link_local(123), Self::TimeSync),
            (unique_local(0x123), Self::TimeSync),
            (
                IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
                Self::TaskMetadata,
            ),
            (link_local(250), Self::Activation),
            (link_local(251), Self::Activation),
        ];
        if let Some((_, service)) = fixed.iter().find(|(at, _)| *at == address) {
            return Some(*service);
        }
        let mut cidrs = network.vpc(vpc).into_iter().flat_map(|vpc| &vpc.cidrs);
        if cidrs.any(|cidr| offset(cidr, 2) == Some(address)) {
            return Some(Self::Resolver);
        }
        let subnet = network.subnet_at(vpc, address)?;
        let router = subnet
            .cidrs
            .iter()
            .any(|cidr| offset(cidr, 1) == Some(address));
        router.then_some(Self::Router)
    }
}

/// Whether no route table ever forwards an address: 169.254.168.0/22 and fd00:ec2::/32.
pub(crate) fn is_never_forwarded(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(at) => {
            Ipv4Net::new(Ipv4Addr::new(169, 254, 168, 0), 22).is_ok_and(|net| net.contains(&at))
        }
        IpAddr::V6(at) => Ipv6Net::new(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32)
            .is_ok_and(|net| net.contains(&at)),
    }
}
