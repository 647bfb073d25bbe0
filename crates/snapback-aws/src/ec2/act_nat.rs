//! Calls on NAT gateways.

use super::Ec2;
use super::act::{astray, make, send, tagged};
use crate::call::call_error;
use aws_sdk_ec2::operation::RequestId as _;
use aws_sdk_ec2::types as sdk;
use snapback_app::port::{CallError, Receipt};
use snapback_engine::plan::{Action, NatRequest};
use snapback_model::{Connectivity, CreatedId, GatewayId, RequestId};

impl Ec2 {
    pub(super) async fn act_on_nat(&self, action: &Action) -> Result<Receipt, CallError> {
        match action {
            Action::CreateNatGateway { gateway, request } => {
                self.create_nat(action, gateway, request).await
            }
            Action::AssociateNatGatewayAddress { gateway, addresses } => {
                // EC2 takes one for each allocation, or none.
                let private: Option<Vec<String>> = addresses
                    .values()
                    .map(|private| private.map(|private| private.to_string()))
                    .collect();
                let call = self.client.associate_nat_gateway_address();
                let call = call
                    .nat_gateway_id(gateway.as_str())
                    .set_allocation_ids(Some(addresses.keys().cloned().collect()))
                    .set_private_ip_addresses(private);
                send!(call, action, gateway.as_str())
            }
            Action::AssignPrivateNatGatewayAddress { gateway, addresses } => {
                let private = addresses.iter().map(ToString::to_string).collect();
                let call = self.client.assign_private_nat_gateway_address();
                let call = call
                    .nat_gateway_id(gateway.as_str())
                    .set_private_ip_addresses(Some(private));
                send!(call, action, gateway.as_str())
            }
            _ => Err(astray(action)),
        }
    }

    async fn create_nat(
        &self,
        action: &Action,
        gateway: &GatewayId,
        request: &NatRequest,
    ) -> Result<Receipt, CallError> {
        let connectivity = match request.connectivity {
            Connectivity::Public => sdk::ConnectivityType::Public,
            Connectivity::Private => sdk::ConnectivityType::Private,
        };
        let call = self
            .client
            .create_nat_gateway()
            .connectivity_type(connectivity)
            .set_allocation_id(request.allocation.clone())
            .set_private_ip_address(request.private.map(|private| private.to_string()))
            .set_client_token(request.token.clone())
            .set_tag_specifications(tagged(sdk::ResourceType::Natgateway, &request.tags));
        let call = match &request.subnet {
            // A zonal gateway is placed by its subnet alone.
            Some(subnet) => call.subnet_id(subnet.as_str()),
            None => {
                let zones = request.zones.iter().map(|(zone, allocations)| {
                    sdk::AvailabilityZoneAddress::builder()
                        .availability_zone(zone)
                        .set_allocation_ids(Some(allocations.iter().cloned().collect()))
                        .build()
                });
                call.vpc_id(request.vpc.as_str())
                    .availability_mode(sdk::AvailabilityMode::Regional)
                    .set_availability_zone_addresses(Some(zones.collect()))
            }
        };
        make!(call, action, gateway.as_str(), answer => answer.nat_gateway().and_then(|made| made.nat_gateway_id()))
    }
}
