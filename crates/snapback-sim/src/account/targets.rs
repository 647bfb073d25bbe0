//! Route targets: which are refused, which are dead (semantics A4, B1).

use super::{Account, ApiError};
use snapback_model::*;

pub(super) fn no_target(code: &'static str, what: &str, id: &str) -> ApiError {
    ApiError::new(code, format!("The {what} ID '{id}' does not exist"))
}

fn leads_inward(destination: &Destination, target: &RouteTarget) -> bool {
    let inward = matches!(
        target,
        RouteTarget::Local
            | RouteTarget::NetworkInterface(_)
            | RouteTarget::GatewayLoadBalancerEndpoint(_)
    );
    inward && destination.as_cidr().is_some()
}

impl Account {
    /// Refuses targets that do not exist or do not serve the VPC.
    pub(super) fn check_target(
        &self,
        table: &RouteTableId,
        target: &RouteTarget,
    ) -> Result<(), ApiError> {
        let vpc = &self.table(table)?.vpc;
        let id = target.id();
        let gateway = self.topology.gateways.get(id);
        let gone = gateway.is_none_or(|gateway| {
            matches!(
                gateway.state.as_deref(),
                Some("deleted" | "deleting" | "failed")
            )
        });
        let missing = match target {
            RouteTarget::Local
            | RouteTarget::CarrierGateway(_)
            | RouteTarget::LocalGateway(_)
            | RouteTarget::CoreNetwork(_) => return Ok(()),
            RouteTarget::NetworkInterface(_) => {
                match self.topology.interfaces.get(&NetworkInterfaceId::from(id)) {
                    Some(_) => return Ok(()),
                    None => {
                        return Err(no_target(
                            "InvalidNetworkInterfaceID.NotFound",
                            "networkInterface",
                            id,
                        ));
                    }
                }
            }
            RouteTarget::InternetGateway(_) | RouteTarget::VpnGateway(_) => {
                ("InvalidGatewayID.NotFound", "gateway")
            }
            RouteTarget::NatGateway(_) => ("InvalidNatGatewayID.NotFound", "natGateway"),
            RouteTarget::EgressOnlyInternetGateway(_) => {
                ("InvalidGatewayID.NotFound", "egressOnlyInternetGateway")
            }
            RouteTarget::VpcPeeringConnection(_) => (
                "InvalidVpcPeeringConnectionID.NotFound",
                "vpcPeeringConnection",
            ),
            RouteTarget::TransitGateway(_) => {
                ("InvalidTransitGatewayID.NotFound", "transitGateway")
            }
            RouteTarget::GatewayLoadBalancerEndpoint(_) => {
                ("InvalidVpcEndpointId.NotFound", "vpcEndpoint")
            }
            RouteTarget::GatewayEndpoint(_) => {
                return Err(ApiError::new(
                    "InvalidParameterValue",
                    format!("route table {table} and gateway endpoint {id}: use ModifyVpcEndpoint"),
                ));
            }
            RouteTarget::Unrecognized(_) => {
                return Err(ApiError::new(
                    "InvalidParameterValue",
                    format!("Invalid target: {id}"),
                ));
            }
        };
        if gone {
            return Err(no_target(missing.0, missing.1, id));
        }
        if gateway.is_some_and(|gateway| !gateway.vpcs.contains(vpc)) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!(
                    "route table {table} and network gateway {id} belong to different networks"
                ),
            ));
        }
        Ok(())
    }

    /// Within the VPC's own networks only interfaces, endpoints and NAT gateways are targets, and only
    /// for a whole subnet (semantics A4).
    pub(super) fn check_inside_vpc(
        &self,
        table: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<(), ApiError> {
        let vpc = self.table(table)?.vpc.clone();
        let Some(net) = destination.as_cidr() else {
            return Ok(());
        };
        let inside = self.vpc(&vpc)?.cidrs.iter().any(|cidr| cidr.contains(&net));
        let appliance = matches!(
            target,
            RouteTarget::NetworkInterface(_)
                | RouteTarget::GatewayLoadBalancerEndpoint(_)
                | RouteTarget::NatGateway(_)
                | RouteTarget::Local
        );
        let whole = self.vpc(&vpc)?.cidrs.contains(&net)
            || self
                .topology
                .subnets
                .values()
                .any(|subnet| subnet.vpc == vpc && subnet.cidrs.contains(&net));
        if inside && !(appliance && whole) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!(
                    "The destination CIDR block {net} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
                ),
            ));
        }
        Ok(())
    }

    /// A table that routes what comes in through a gateway leads to the VPC itself, interfaces and
    /// endpoints only, takes no propagation and is not the main one (semantics A4).
    pub(super) fn check_edge_table(&self, table: &RouteTableId) -> Result<(), ApiError> {
        let held = self.table(table)?;
        let inward = held
            .routes
            .iter()
            .all(|(to, route)| leads_inward(to, &route.target));
        if inward && held.propagating.is_empty() && !held.is_main() {
            return Ok(());
        }
        Err(ApiError::new(
            "InvalidParameterValue",
            format!(
                "route table {table} cannot be associated with a gateway: it is the main table, takes propagation or has routes out of the VPC"
            ),
        ))
    }

    pub(super) fn check_edge(
        &self,
        table: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<(), ApiError> {
        let edge = self.table(table)?.has_edge();
        if edge && !leads_inward(destination, target) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!(
                    "invalid value for a route of a table with a gateway association: {target}"
                ),
            ));
        }
        Ok(())
    }

    /// Whether a route to this target is `active` for a VPC (semantics A4).
    pub(super) fn is_alive(&self, target: &RouteTarget, vpc: &VpcId) -> bool {
        let gateway = self.topology.gateways.get(target.id());
        match target {
            RouteTarget::InternetGateway(_)
            | RouteTarget::VpnGateway(_)
            | RouteTarget::EgressOnlyInternetGateway(_)
            | RouteTarget::TransitGateway(_) => {
                gateway.is_some_and(|gateway| gateway.vpcs.contains(vpc))
            }
            RouteTarget::NatGateway(_)
            | RouteTarget::VpcPeeringConnection(_)
            | RouteTarget::GatewayLoadBalancerEndpoint(_)
            | RouteTarget::GatewayEndpoint(_) => gateway.is_some_and(|gateway| {
                gateway.vpcs.contains(vpc)
                    && matches!(
                        gateway.state.as_deref(),
                        None | Some("available" | "active" | "pending")
                    )
            }),
            RouteTarget::NetworkInterface(id) => self
                .topology
                .interfaces
                .contains_key(&NetworkInterfaceId::new(id.clone())),
            RouteTarget::Local
            | RouteTarget::CarrierGateway(_)
            | RouteTarget::LocalGateway(_)
            | RouteTarget::CoreNetwork(_)
            | RouteTarget::Unrecognized(_) => true,
        }
    }
}
