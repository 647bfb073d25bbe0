//! Reads what EC2's describe calls say, from JSON or from the AWS adapter, into canonical values.
//!
//! - Owns: the describe shapes, the top-level keys, canonicalisation (semantics.md A,
//!   cloudtrail-shapes.md 9).
//! - Takes: the text of describe outputs, or [`Described`] filled field by field.
//! - Gives: a [`Snapshot`] in which equal states are equal values, and a named [`Unknown`] for all else.
//! - Must not: read files, trust a file's name for its kind, drop what it does not understand.

mod completeness;
mod document;
mod gateway;
mod joining;
mod network_acl;
mod reading;
mod route_table;
mod scope;
mod security_group;
mod shape;
mod snapshot;
mod topology;
mod visibility;

#[cfg(test)]
mod tests;

pub use document::{DescribeError, Problem};
pub use scope::Scope;
pub use shape::*;

use crate::Unknown;
use std::collections::BTreeSet;

macro_rules! sections {
    ($($(#[$doc:meta])* $field:ident: $shape:ident = $key:literal),+ $(,)?) => {
        /// A bag of describe outputs. Fill the vectors, or read them with [`Described::from_json`].
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Described {
            $($(#[$doc])* pub $field: Vec<$shape>,)+
            /// Top-level keys that were there, empty lists included: [`Described::coverage`] and
            /// [`Described::context_read`] look at it.
            pub present: BTreeSet<String>,
            /// Top-level keys whose output was cut off by pagination (`NextToken`).
            pub truncated: BTreeSet<String>,
            /// Top-level keys of which an output could not be read: what is there is not all.
            pub lost: BTreeSet<String>,
            /// VPCs that describe-stale-security-groups was asked about: its output does not tell.
            pub stale_asked: BTreeSet<String>,
            /// What was met while reading and is not modelled.
            pub unknown: Vec<Unknown>,
        }

        impl Described {
            /// The top-level keys this version reads.
            pub const KEYS: &'static [&'static str] = &[$($key),+, document::ENTRIES];

            /// Reads the items of one top-level key. Gives back whether the key is one of ours.
            fn section(&mut self, key: &str, items: serde_json::Value, place: &str) -> Result<bool, DescribeError> {
                match key {
                    $($key => self.$field.extend(document::items::<$shape>(key, items, place)?),)+
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// Takes over what another bag holds.
            pub fn merge(&mut self, other: Self) {
                $(self.$field.extend(other.$field);)+
                self.present.extend(other.present);
                self.truncated.extend(other.truncated);
                self.lost.extend(other.lost);
                self.stale_asked.extend(other.stale_asked);
                self.unknown.extend(other.unknown);
            }
        }
    };
}

sections! {
    /// describe-security-groups.
    security_groups: SecurityGroup = "SecurityGroups",
    /// describe-security-group-rules.
    security_group_rules: SecurityGroupRule = "SecurityGroupRules",
    /// describe-network-acls.
    network_acls: NetworkAcl = "NetworkAcls",
    /// describe-route-tables.
    route_tables: RouteTable = "RouteTables",
    /// describe-vpcs.
    vpcs: Vpc = "Vpcs",
    /// describe-subnets.
    subnets: Subnet = "Subnets",
    /// describe-network-interfaces.
    network_interfaces: NetworkInterface = "NetworkInterfaces",
    /// describe-internet-gateways.
    internet_gateways: InternetGateway = "InternetGateways",
    /// describe-egress-only-internet-gateways.
    egress_only_internet_gateways: EgressOnlyInternetGateway = "EgressOnlyInternetGateways",
    /// describe-nat-gateways.
    nat_gateways: NatGateway = "NatGateways",
    /// describe-vpn-gateways.
    vpn_gateways: VpnGateway = "VpnGateways",
    /// describe-vpc-peering-connections.
    vpc_peering_connections: VpcPeeringConnection = "VpcPeeringConnections",
    /// describe-transit-gateways.
    transit_gateways: TransitGateway = "TransitGateways",
    /// describe-transit-gateway-attachments.
    transit_gateway_attachments: TransitGatewayAttachment = "TransitGatewayAttachments",
    /// describe-transit-gateway-vpc-attachments.
    transit_gateway_vpc_attachments: TransitGatewayVpcAttachment = "TransitGatewayVpcAttachments",
    /// describe-vpc-endpoints.
    vpc_endpoints: VpcEndpoint = "VpcEndpoints",
    /// describe-prefix-lists and describe-managed-prefix-lists; entries of
    /// get-managed-prefix-list-entries beside them as an item with id and `entries` only.
    prefix_lists: PrefixList = "PrefixLists",
    /// describe-flow-logs.
    flow_logs: FlowLog = "FlowLogs",
    /// describe-vpc-block-public-access-options: at most one.
    vpc_block_public_access_options: VpcBlockPublicAccessOptions = "VpcBlockPublicAccessOptions",
    /// describe-vpc-block-public-access-exclusions.
    vpc_block_public_access_exclusions: VpcBlockPublicAccessExclusion = "VpcBlockPublicAccessExclusions",
    /// describe-stale-security-groups.
    stale_security_groups: StaleSecurityGroup = "StaleSecurityGroupSet",
    /// describe-instances.
    reservations: Reservation = "Reservations",
    /// describe-addresses.
    addresses: Address = "Addresses",
    /// describe-tags.
    tags: TagDescription = "Tags",
}
