//! NAT gateways and the Elastic addresses behind them (semantics A5, B1).

use super::topology::missing;
use super::{Account, ApiError, Response};
use crate::call::{NatPlace, NatRequest};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How long a NAT gateway is `pending` or `deleting` where nothing else is set.
pub(super) const SETTLES: Duration = Duration::from_secs(90);
/// How long a deleted or failed NAT gateway stays listed.
const LINGERS: Duration = Duration::from_secs(3600);

/// An Elastic address. What holds it is found at the gateways and interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `eipalloc-…`.
    pub allocation: String,
    /// What the world sees.
    pub public: IpAddr,
    /// Its tags.
    pub tags: Tags,
}

impl Account {
    /// The NAT gateway that holds an address: until it is deleted, or has failed.
    pub(crate) fn holder_of_address(&self, allocation: &str) -> Option<(&Gateway, &NatAddress)> {
        self.topology
            .gateways
            .values()
            .filter(|gateway| !matches!(gateway.state.as_deref(), Some("deleted" | "failed")))
            .find_map(|gateway| {
                let mut addresses = gateway.nat.iter().flat_map(|nat| &nat.addresses);
                addresses
                    .find(|address| address.allocation.as_deref() == Some(allocation))
                    .map(|address| (gateway, address))
            })
    }

    /// Takes the addresses that loaded NAT gateways hold as ours.
    pub(crate) fn adopt_addresses(&mut self) {
        let held: Vec<_> = self
            .topology
            .gateways
            .values()
            .filter_map(|gateway| gateway.nat.as_ref())
            .flat_map(|nat| &nat.addresses)
            .filter_map(|address| Some((address.allocation.clone()?, address.public?)))
            .collect();
        for (allocation, public) in held {
            let address = Address {
                allocation: allocation.clone(),
                public,
                tags: Tags::new(),
            };
            self.addresses.entry(allocation).or_insert(address);
        }
    }

    /// 203.0.113.0/24 and then 198.18.0.0/15: addresses that are nobody's in the world.
    pub(super) fn allocate_address(&mut self, tags: &Tags) -> Result<Response, ApiError> {
        let mut taken: BTreeSet<IpAddr> = self.addresses.values().map(|held| held.public).collect();
        for interface in self.topology.interfaces.values() {
            taken.extend(&interface.public_addresses);
        }
        let documentation = (100..=250_u8).map(|last| Ipv4Addr::new(203, 0, 113, last));
        let benchmark = (0..=255_u8)
            .flat_map(|third| (1..=254_u8).map(move |last| Ipv4Addr::new(198, 18, third, last)));
        let public = documentation
            .chain(benchmark)
            .map(IpAddr::V4)
            .find(|address| !taken.contains(address))
            .ok_or_else(|| {
                ApiError::new(
                    "AddressLimitExceeded",
                    "The maximum number of addresses has been reached.",
                )
            })?;
        let allocation = self.mint.id("eipalloc");
        let address = Address {
            allocation: allocation.clone(),
            public,
            tags: tags.clone(),
        };
        self.addresses.insert(allocation.clone(), address);
        Ok(Response::Address(allocation))
    }

    pub(super) fn release_address(&mut self, allocation: &str) -> Result<Response, ApiError> {
        if self.holder_of_address(allocation).is_some() {
            return Err(ApiError::new(
                "InvalidIPAddress.InUse",
                format!("The address {allocation} is in use and cannot be released."),
            ));
        }
        self.addresses
            .remove(allocation)
            .map(|_| Response::Done)
            .ok_or_else(|| missing("InvalidAllocationID.NotFound", "allocation", allocation))
    }

    fn nat_gateways_in(&self, zone: Option<&String>) -> usize {
        self.topology
            .gateways
            .values()
            .filter(|gateway| gateway.kind == GatewayKind::Nat)
            .filter(|gateway| !matches!(gateway.state.as_deref(), Some("deleted" | "failed")))
            .filter(|gateway| {
                gateway
                    .subnets
                    .iter()
                    .filter_map(|id| self.topology.subnets.get(id))
                    .any(|subnet| subnet.zone.as_ref() == zone)
            })
            .count()
    }

    /// Why a public gateway will fail after the call succeeded (semantics A5).
    fn nat_failure(
        &self,
        request: &NatRequest,
        allocations: &[String],
        vpc: &VpcId,
    ) -> Option<(&'static str, String)> {
        if request.connectivity == Connectivity::Private {
            return None;
        }
        for allocation in allocations {
            if !self.addresses.contains_key(allocation) {
                let why = format!("The allocation ID '{allocation}' does not exist");
                return Some(("InvalidAllocationID.NotFound", why));
            }
            if self.holder_of_address(allocation).is_some() {
                let why = format!(
                    "Elastic IP address [{allocation}] could not be associated with this NAT gateway"
                );
                return Some(("Resource.AlreadyAssociated", why));
            }
        }
        let attached = self
            .topology
            .gateways
            .values()
            .any(|gateway| gateway.kind == GatewayKind::Internet && gateway.vpcs.contains(vpc));
        (!attached).then(|| {
            let why = format!("Network {vpc} has no Internet gateway attached");
            ("Gateway.NotAttached", why)
        })
    }

    pub(super) fn create_nat(
        &mut self,
        request: &NatRequest,
        now: Timestamp,
    ) -> Result<Response, ApiError> {
        match &request.place {
            NatPlace::Subnet(subnet) => self.create_zonal_nat(request, subnet, now),
            NatPlace::Regional { vpc, zones } => self.create_regional_nat(request, vpc, zones, now),
        }
    }

    fn create_zonal_nat(
        &mut self,
        request: &NatRequest,
        subnet: &SubnetId,
        now: Timestamp,
    ) -> Result<Response, ApiError> {
        let place = self.topology.subnets.get(subnet).cloned();
        let place =
            place.ok_or_else(|| missing("InvalidSubnetID.NotFound", "subnet", subnet.as_str()))?;
        match (request.connectivity, &request.allocation) {
            (Connectivity::Public, None) => {
                return Err(ApiError::new(
                    "MissingParameter",
                    "The request must contain the parameter AllocationId",
                ));
            }
            (Connectivity::Private, Some(_)) => {
                return Err(ApiError::new(
                    "InvalidParameter",
                    "AllocationId cannot be used with a private NAT gateway",
                ));
            }
            (Connectivity::Public, Some(_)) | (Connectivity::Private, None) => {}
        }
        if self.nat_gateways_in(place.zone.as_ref()) >= self.quotas.nat_gateways_per_zone {
            return Err(ApiError::new(
                "NatGatewayLimitExceeded",
                "The maximum number of NAT gateways has been reached.",
            ));
        }
        let private = self.free_address(&place, request.private)?;
        let allocations: Vec<String> = request.allocation.iter().cloned().collect();
        let failure = self.nat_failure(request, &allocations, &place.vpc);
        let id = self.mint.id("nat");
        // An address that another gateway holds, or that is not ours, is not on this one.
        let lands = failure.is_none();
        let allocation = request.allocation.clone();
        let public = allocation
            .as_ref()
            .and_then(|id| self.addresses.get(id))
            .filter(|_| lands)
            .map(|address| address.public);
        let interface = self.nat_interface(&id, &place, private, public);
        let address = NatAddress {
            allocation,
            public,
            private: Some(private),
            primary: true,
            interface: Some(interface),
            zone: None,
        };
        let gateway = Gateway {
            vpcs: BTreeSet::from([place.vpc.clone()]),
            subnets: BTreeSet::from([place.id.clone()]),
            nat: Some(NatDetail {
                connectivity: request.connectivity,
                regional: false,
                zone: place.zone.clone(),
                addresses: Some(address).into_iter().filter(|_| lands).collect(),
                failure: None,
            }),
            tags: request.tags.clone(),
            ..Gateway::new(id, GatewayKind::Nat)
        };
        Ok(self.start_nat(gateway, failure, now))
    }

    /// In manual mode: with the addresses of each zone.
    fn create_regional_nat(
        &mut self,
        request: &NatRequest,
        vpc: &VpcId,
        zones: &BTreeMap<String, BTreeSet<String>>,
        now: Timestamp,
    ) -> Result<Response, ApiError> {
        self.vpc(vpc)?;
        let own = request.allocation.is_some() || request.private.is_some();
        if request.connectivity == Connectivity::Private || own || zones.is_empty() {
            return Err(ApiError::new(
                "InvalidParameter",
                "A regional NAT gateway is public and takes its addresses by availability zone",
            ));
        }
        let allocations: Vec<String> = zones.values().flatten().cloned().collect();
        let failure = self.nat_failure(request, &allocations, vpc);
        let lands = failure.is_none();
        let held = zones
            .iter()
            .flat_map(|(zone, allocations)| allocations.iter().map(move |id| (zone, id)));
        let addresses = held.filter(|_| lands).map(|(zone, id)| NatAddress {
            allocation: Some(id.clone()),
            public: self.addresses.get(id).map(|address| address.public),
            private: None,
            primary: false,
            interface: None,
            zone: Some(zone.clone()),
        });
        let addresses = addresses.collect();
        let gateway = Gateway {
            vpcs: BTreeSet::from([vpc.clone()]),
            nat: Some(NatDetail {
                connectivity: request.connectivity,
                regional: true,
                zone: None,
                addresses,
                failure: None,
            }),
            tags: request.tags.clone(),
            ..Gateway::new(self.mint.id("nat"), GatewayKind::Nat)
        };
        Ok(self.start_nat(gateway, failure, now))
    }

    /// It is `pending` for a while, then `available` or `failed`.
    fn start_nat(
        &mut self,
        mut gateway: Gateway,
        failure: Option<(&'static str, String)>,
        now: Timestamp,
    ) -> Response {
        let id = gateway.id.clone();
        gateway.state = Some("pending".into());
        let addresses = gateway.nat.iter().flat_map(|nat| &nat.addresses);
        gateway.public_addresses = addresses.filter_map(|one| one.public).collect();
        self.topology.gateways.insert(id.clone(), gateway);
        let settles = self.nat_settles;
        match failure {
            Some(why) => {
                self.nat_failures.insert(id.clone(), why);
                self.plan_transition(now, settles, &id, "failed");
                self.plan_transition(now, LINGERS, &id, "");
            }
            None => self.plan_transition(now, settles, &id, "available"),
        }
        Response::Nat(id)
    }

    /// The requester-managed interface of a NAT gateway: it carries no group.
    fn nat_interface(
        &mut self,
        nat: &str,
        place: &Subnet,
        private: IpAddr,
        public: Option<IpAddr>,
    ) -> NetworkInterfaceId {
        let id = NetworkInterfaceId::new(self.mint.id("eni"));
        let interface = NetworkInterface {
            addresses: BTreeSet::from([private]),
            public_addresses: public.into_iter().collect(),
            requester_managed: true,
            kind: Some("nat_gateway".into()),
            description: Some(format!("Interface for NAT Gateway {nat}")),
            source_dest_check: Some(false),
            zone: place.zone.clone(),
            attached: Some(true),
            ..NetworkInterface::new(id.clone(), place.vpc.clone(), place.id.clone())
        };
        self.topology.interfaces.insert(id.clone(), interface);
        id
    }

    /// Routes to it stay, as blackholes; the id stays listed for an hour; its Elastic addresses are
    /// free again once it is `deleted`.
    pub(super) fn delete_nat(&mut self, id: &str, now: Timestamp) -> Result<Response, ApiError> {
        let gateway = self.gateway_mut(id, GatewayKind::Nat, "NatGatewayNotFound", "natGateway")?;
        if matches!(gateway.state.as_deref(), Some("deleting" | "deleted")) {
            return Err(missing("NatGatewayNotFound", "natGateway", id));
        }
        gateway.state = Some("deleting".into());
        self.transitions.retain(|(_, waiting, _)| waiting != id);
        self.plan_transition(now, self.nat_settles, id, "deleted");
        self.plan_transition(now, LINGERS, id, "");
        Ok(Response::Nat(id.to_owned()))
    }

    fn plan_transition(&mut self, now: Timestamp, after: Duration, id: &str, state: &'static str) {
        if let Ok(at) = now.checked_add(after) {
            self.transitions.push((at, id.to_owned(), state));
        }
    }

    /// Lets gateways reach the states that are due; an empty state removes the gateway from the list.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let (mut due, later): (Vec<_>, Vec<_>) = self
            .transitions
            .drain(..)
            .partition(|(at, _, _)| *at <= now);
        self.transitions = later;
        due.sort();
        for (_, id, state) in due {
            if matches!(state, "deleted" | "failed") {
                self.drop_nat_interfaces(&id);
            }
            if state.is_empty() {
                self.topology.gateways.remove(&id);
                self.nat_failures.remove(&id);
            } else if let Some(gateway) = self.topology.gateways.get_mut(&id) {
                gateway.state = Some(state.to_owned());
                let failure = self.nat_failures.get(&id).filter(|_| state == "failed");
                if let (Some((code, message)), Some(nat)) = (failure, &mut gateway.nat) {
                    nat.failure = Some(format!("{code}: {message}"));
                }
            }
        }
    }

    fn drop_nat_interfaces(&mut self, nat: &str) {
        let description = format!("Interface for NAT Gateway {nat}");
        self.topology
            .interfaces
            .retain(|_, interface| interface.description.as_deref() != Some(&description));
    }
}
