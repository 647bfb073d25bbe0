//! Secondary addresses of NAT gateways, and whose the Elastic addresses are (semantics A5, B1).

use super::topology::missing;
use super::{Account, ApiError, Response};
use snapback_model::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

impl Account {
    /// What DescribeAddresses shows.
    pub(super) fn elastic_addresses(&self) -> BTreeMap<String, ElasticAddress> {
        let shown = |allocation: &String| {
            let address = self.addresses.get(allocation)?;
            let held = self.holder_of_address(allocation);
            let holder = held.map(|(gateway, one)| {
                let interface = one.interface.as_ref();
                interface.map_or_else(|| gateway.id.clone(), ToString::to_string)
            });
            let shown = ElasticAddress {
                allocation: allocation.clone(),
                public: Some(address.public),
                holder,
            };
            Some((allocation.clone(), shown))
        };
        self.addresses.keys().filter_map(shown).collect()
    }

    /// A zonal NAT gateway that takes addresses: it must be available, and of the kind that takes them.
    fn open_nat(&self, id: &str, connectivity: Connectivity) -> Result<(Subnet, usize), ApiError> {
        let gateway = self.topology.gateways.get(id);
        let gateway = gateway.filter(|gateway| gateway.kind == GatewayKind::Nat);
        let gateway = gateway.ok_or_else(|| missing("NatGatewayNotFound", "natGateway", id))?;
        if matches!(gateway.state.as_deref(), Some("deleted" | "deleting")) {
            return Err(missing("NatGatewayNotFound", "natGateway", id));
        }
        let detail = gateway.nat.as_ref();
        let fits = detail.is_some_and(|nat| nat.connectivity == connectivity && !nat.regional);
        let subnet = gateway.subnets.first();
        let subnet = subnet.and_then(|subnet| self.topology.subnets.get(subnet));
        match (gateway.state.as_deref(), subnet) {
            (Some("available") | None, Some(subnet)) if fits => {
                let held = detail.map_or(0, |nat| nat.addresses.len());
                Ok((subnet.clone(), held))
            }
            (Some("available") | None, _) => Err(ApiError::new(
                "InvalidParameter",
                format!("NatGateway {id} does not take addresses of this kind"),
            )),
            (state, _) => Err(ApiError::new(
                "IncorrectState",
                format!("NatGateway {id} is {}", state.unwrap_or_default()),
            )),
        }
    }

    pub(super) fn associate_nat_addresses(
        &mut self,
        id: &str,
        allocations: &[String],
        private: &[IpAddr],
    ) -> Result<Response, ApiError> {
        let (subnet, held) = self.open_nat(id, Connectivity::Public)?;
        if !private.is_empty() && private.len() != allocations.len() {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "PrivateIpAddresses must be as many as AllocationIds",
            ));
        }
        if held.saturating_add(allocations.len()) > self.quotas.addresses_per_nat {
            return Err(ApiError::new(
                "AddressLimitExceeded",
                "The maximum number of addresses of a NAT gateway has been reached.",
            ));
        }
        for (index, allocation) in allocations.iter().enumerate() {
            let public = self.addresses.get(allocation).map(|address| address.public);
            let public = public
                .ok_or_else(|| missing("InvalidAllocationID.NotFound", "allocation", allocation))?;
            if self.holder_of_address(allocation).is_some() {
                return Err(ApiError::new(
                    "Resource.AlreadyAssociated",
                    format!("Elastic IP address [{allocation}] is already associated"),
                ));
            }
            let wanted = private.get(index).copied();
            self.add_nat_address(id, &subnet, Some((allocation, public)), wanted)?;
        }
        Ok(Response::Nat(id.to_owned()))
    }

    pub(super) fn assign_nat_addresses(
        &mut self,
        id: &str,
        private: &[IpAddr],
    ) -> Result<Response, ApiError> {
        let (subnet, _) = self.open_nat(id, Connectivity::Private)?;
        for wanted in private {
            self.add_nat_address(id, &subnet, None, Some(*wanted))?;
        }
        Ok(Response::Nat(id.to_owned()))
    }

    fn add_nat_address(
        &mut self,
        id: &str,
        subnet: &Subnet,
        elastic: Option<(&String, IpAddr)>,
        wanted: Option<IpAddr>,
    ) -> Result<(), ApiError> {
        let private = self.free_address(subnet, wanted)?;
        let interface = self.topology.gateways.get(id).and_then(|gateway| {
            let mut addresses = gateway.nat.iter().flat_map(|nat| &nat.addresses);
            addresses.find_map(|one| one.interface.clone())
        });
        if let Some(held) = interface
            .as_ref()
            .and_then(|interface| self.topology.interfaces.get_mut(interface))
        {
            held.addresses.insert(private);
            held.public_addresses
                .extend(elastic.map(|(_, public)| public));
        }
        let Some(gateway) = self.topology.gateways.get_mut(id) else {
            return Err(missing("NatGatewayNotFound", "natGateway", id));
        };
        let public = elastic.map(|(_, public)| public);
        gateway.public_addresses.extend(public);
        if let Some(nat) = &mut gateway.nat {
            nat.addresses.insert(NatAddress {
                allocation: elastic.map(|(allocation, _)| allocation.clone()),
                public,
                private: Some(private),
                primary: false,
                interface,
                zone: None,
            });
        }
        Ok(())
    }
}
