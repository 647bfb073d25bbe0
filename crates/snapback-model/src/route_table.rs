//! Route tables with their associations (semantics A4).

use crate::text::{ParseError, serde_by_text};
use crate::{AccountId, GatewayId, PrefixListId, RouteTableId, SubnetId, Tags, VpcId};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Where a route leads from: the identity of a route within its table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// An IPv4 network.
    Ipv4(Ipv4Net),
    /// An IPv6 network.
    Ipv6(Ipv6Net),
    /// The networks of a prefix list.
    PrefixList(PrefixListId),
}

impl Destination {
    /// A network destination in canonical form.
    pub fn cidr(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::Ipv4(net.trunc()),
            IpNet::V6(net) => Self::Ipv6(net.trunc()),
        }
    }

    /// The network, where the destination is one.
    pub fn as_cidr(&self) -> Option<IpNet> {
        match self {
            Self::Ipv4(net) => Some(IpNet::V4(*net)),
            Self::Ipv6(net) => Some(IpNet::V6(*net)),
            Self::PrefixList(_) => None,
        }
    }

    /// Whether this is 0.0.0.0/0 or ::/0.
    pub fn is_default(&self) -> bool {
        self.as_cidr().is_some_and(|net| net.prefix_len() == 0)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(net) => write!(f, "{net}"),
            Self::Ipv6(net) => write!(f, "{net}"),
            Self::PrefixList(id) => write!(f, "{id}"),
        }
    }
}

impl FromStr for Destination {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.starts_with("pl-") {
            return Ok(Self::PrefixList(text.into()));
        }
        text.parse::<IpNet>()
            .map(Self::cidr)
            .map_err(|_| ParseError::new("a route destination (CIDR, pl-…)", text))
    }
}
serde_by_text!(Destination);

/// The next hop of a route. `GatewayId` of EC2 holds local, igw-, vgw- and vpce-: told apart here
/// by prefix (semantics A4, describe quirk). An instance route is its ENI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "id")]
pub enum RouteTarget {
    /// The VPC's own router.
    Local,
    /// `igw-…`
    InternetGateway(String),
    /// `vgw-…`
    VpnGateway(String),
    /// `nat-…`
    NatGateway(String),
    /// `eigw-…`, IPv6 only.
    EgressOnlyInternetGateway(String),
    /// `eni-…`; also instance routes.
    NetworkInterface(String),
    /// `pcx-…`
    VpcPeeringConnection(String),
    /// `tgw-…`
    TransitGateway(String),
    /// A Gateway Load Balancer endpoint, `vpce-…`, for a CIDR destination.
    GatewayLoadBalancerEndpoint(String),
    /// A gateway endpoint, `vpce-…`, for a prefix-list destination: only VpcEndpoint calls change it.
    GatewayEndpoint(String),
    /// `cagw-…`
    CarrierGateway(String),
    /// `lgw-…`
    LocalGateway(String),
    /// ARN of a core network.
    CoreNetwork(String),
    /// A target kind this version does not know: never written, always told.
    Unrecognized(String),
}

impl RouteTarget {
    /// The id or ARN; `local` for the local route.
    pub fn id(&self) -> &str {
        match self {
            Self::Local => "local",
            Self::InternetGateway(id)
            | Self::VpnGateway(id)
            | Self::NatGateway(id)
            | Self::EgressOnlyInternetGateway(id)
            | Self::NetworkInterface(id)
            | Self::VpcPeeringConnection(id)
            | Self::TransitGateway(id)
            | Self::GatewayLoadBalancerEndpoint(id)
            | Self::GatewayEndpoint(id)
            | Self::CarrierGateway(id)
            | Self::LocalGateway(id)
            | Self::CoreNetwork(id)
            | Self::Unrecognized(id) => id,
        }
    }
}

impl RouteTarget {
    /// A target of the same kind with another id. The local target has none.
    #[must_use]
    pub fn with_id(&self, id: &str) -> Self {
        let id = id.to_owned();
        match self {
            Self::Local => Self::Local,
            Self::InternetGateway(_) => Self::InternetGateway(id),
            Self::VpnGateway(_) => Self::VpnGateway(id),
            Self::NatGateway(_) => Self::NatGateway(id),
            Self::EgressOnlyInternetGateway(_) => Self::EgressOnlyInternetGateway(id),
            Self::NetworkInterface(_) => Self::NetworkInterface(id),
            Self::VpcPeeringConnection(_) => Self::VpcPeeringConnection(id),
            Self::TransitGateway(_) => Self::TransitGateway(id),
            Self::GatewayLoadBalancerEndpoint(_) => Self::GatewayLoadBalancerEndpoint(id),
            Self::GatewayEndpoint(_) => Self::GatewayEndpoint(id),
            Self::CarrierGateway(_) => Self::CarrierGateway(id),
            Self::LocalGateway(_) => Self::LocalGateway(id),
            Self::CoreNetwork(_) => Self::CoreNetwork(id),
            Self::Unrecognized(_) => Self::Unrecognized(id),
        }
    }
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Who made the route (EC2's `Origin`). Only `Created` can be written by route calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteOrigin {
    /// `CreateRouteTable`: the local route.
    Table,
    /// `CreateRoute`.
    Created,
    /// `EnableVgwRoutePropagation` or a route server advertisement: not ours to write.
    Propagated,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// The next hop.
    pub target: RouteTarget,
    /// Who made it.
    pub origin: RouteOrigin,
    /// EC2's state `blackhole`: the target is dead.
    pub blackhole: bool,
}

impl Route {
    /// A live route made by `CreateRoute`.
    pub fn created(target: RouteTarget) -> Self {
        Self {
            target,
            origin: RouteOrigin::Created,
            blackhole: false,
        }
    }
}

/// A route table with its explicit associations. Which subnets use it implicitly (the main table)
/// is computed by [`crate::Snapshot::table_of`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Its id.
    pub id: RouteTableId,
    /// Its VPC.
    pub vpc: VpcId,
    /// The account that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Its tags.
    pub tags: Tags,
    /// Whether it is the VPC's main table.
    pub main: bool,
    /// Its routes by destination.
    pub routes: BTreeMap<Destination, Route>,
    /// Subnets associated explicitly.
    pub subnets: BTreeSet<SubnetId>,
    /// Edge associations: internet or VPN gateways whose ingress it routes.
    pub gateways: BTreeSet<GatewayId>,
    /// VPN gateways that propagate into it.
    pub propagating: BTreeSet<GatewayId>,
}
