//! The NAT gateways of a VPC and whose the Elastic addresses are, read when a gateway is gone.

use super::observe::{PAGE, filter, pages};
use super::observe_visibility::or_gap;
use super::{Ec2, convert, convert_context as context};
use crate::call::call_error;
use snapback_app::port::CallError;
use snapback_model::describe::Described;

impl Ec2 {
    /// Whether the addresses are ours may stay unknown where the call is denied: EC2 then tells.
    pub(super) async fn nat_gateways_of(&self, vpc: &str) -> Result<Described, CallError> {
        let gateways = async {
            let call = self
                .client
                .describe_nat_gateways()
                .filter(filter("vpc-id", [vpc]));
            pages!(call, "DescribeNatGateways", vpc, PAGE)
        };
        let addresses = async { or_gap(self.elastic_addresses().await) };
        let (gateways, addresses) = tokio::try_join!(gateways, addresses)?;
        let mut described = Described {
            nat_gateways: gateways.into_iter().map(context::nat_gateway).collect(),
            ..Described::default()
        };
        if let Some(addresses) = addresses {
            described.merge(addresses);
        }
        Ok(described)
    }

    async fn elastic_addresses(&self) -> Result<Described, CallError> {
        // EC2 does not page this call.
        let answer = self.client.describe_addresses().send().await;
        let answer = answer.map_err(|error| call_error("DescribeAddresses", "account", &error))?;
        Ok(Described {
            addresses: convert::each(answer.addresses, context::address),
            present: ["Addresses".to_owned()].into(),
            ..Described::default()
        })
    }
}
