//! The shapes of `aws ec2 describe-*`, member for member, in EC2's own names.
//!
//! - Owns: one struct for each described thing; which members are known to have no say in traffic.
//! - Takes: JSON, or fields filled by the AWS adapter from the SDK.
//! - Gives: values in which an absent, `null` or empty member look alike, and every member that is
//!   not listed here stays in `other`.
//! - Must not: interpret anything.
#![allow(
    missing_docs,
    reason = "members carry EC2's own names and meanings (EC2 API reference, Data Types)"
)]

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What every shape can tell about members that this version does not model.
pub(super) trait Shape {
    /// Members that exist in EC2 and have no say in traffic, identity or membership.
    const HARMLESS: &'static [&'static str];
    /// Members that are not fields of the struct.
    fn other(&self) -> &BTreeMap<String, Value>;
}

/// `null` is absence: tools that print unset members write it (cloudtrail-shapes.md 9).
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? } harmless [$($harmless:literal),* $(,)?])+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $(#[serde(deserialize_with = "nullable")] pub $field: $type,)*
            /// Members this version does not know; always empty when filled from the SDK.
            #[serde(flatten)]
            pub other: BTreeMap<String, Value>,
        }

        impl Shape for $name {
            const HARMLESS: &'static [&'static str] = &[$($harmless),*];
            fn other(&self) -> &BTreeMap<String, Value> {
                &self.other
            }
        }
    )+};
}

/// A member that may be absent.
type Text = Option<String>;

mod context;

pub use context::*;

shapes! {
    /// One tag.
    Tag { key: Text, value: Text } harmless ["ResourceId", "ResourceType"]

    /// `SecurityGroups[]` of describe-security-groups.
    SecurityGroup {
        group_id: Text,
        group_name: Text,
        description: Text,
        owner_id: Text,
        vpc_id: Text,
        security_group_arn: Text,
        ip_permissions: Vec<IpPermission>,
        ip_permissions_egress: Vec<IpPermission>,
        tags: Vec<Tag>,
    } harmless []

    /// Rules of one protocol and port range, of any number of peers.
    IpPermission {
        ip_protocol: Text,
        from_port: Option<i64>,
        to_port: Option<i64>,
        ip_ranges: Vec<IpRange>,
        ipv6_ranges: Vec<Ipv6Range>,
        prefix_list_ids: Vec<PrefixListReference>,
        user_id_group_pairs: Vec<UserIdGroupPair>,
    } harmless []

    /// An IPv4 peer.
    IpRange { cidr_ip: Text, description: Text } harmless []

    /// An IPv6 peer.
    Ipv6Range { cidr_ipv6: Text, description: Text } harmless []

    /// A prefix-list peer (`PrefixListId` of the API).
    PrefixListReference { prefix_list_id: Text, description: Text } harmless []

    /// A group peer. The peering members tell where the group lives and are not taken back by Authorize.
    UserIdGroupPair {
        group_id: Text,
        user_id: Text,
        description: Text,
    } harmless ["GroupName", "VpcId", "VpcPeeringConnectionId", "PeeringStatus"]

    /// `SecurityGroupRules[]` of describe-security-group-rules: the only source of rule ids and tags.
    SecurityGroupRule {
        security_group_rule_id: Text,
        security_group_rule_arn: Text,
        group_id: Text,
        group_owner_id: Text,
        is_egress: Option<bool>,
        ip_protocol: Text,
        from_port: Option<i64>,
        to_port: Option<i64>,
        cidr_ipv4: Text,
        cidr_ipv6: Text,
        prefix_list_id: Text,
        referenced_group_info: Option<ReferencedSecurityGroup>,
        description: Text,
        tags: Vec<Tag>,
    } harmless []

    /// A group peer of a [`SecurityGroupRule`].
    ReferencedSecurityGroup { group_id: Text, user_id: Text } harmless ["VpcId", "VpcPeeringConnectionId", "PeeringStatus"]

    /// `NetworkAcls[]` of describe-network-acls.
    NetworkAcl {
        network_acl_id: Text,
        vpc_id: Text,
        owner_id: Text,
        is_default: Option<bool>,
        entries: Vec<NetworkAclEntry>,
        associations: Vec<NetworkAclAssociation>,
        tags: Vec<Tag>,
    } harmless []

    /// One entry, the fixed denies included.
    NetworkAclEntry {
        rule_number: Option<i64>,
        egress: Option<bool>,
        rule_action: Text,
        protocol: Text,
        cidr_block: Text,
        ipv6_cidr_block: Text,
        port_range: Option<PortRange>,
        icmp_type_code: Option<IcmpTypeCode>,
    } harmless []

    /// Destination ports of an ACL entry.
    PortRange { from: Option<i64>, to: Option<i64> } harmless []

    /// ICMP type and code of an ACL entry.
    IcmpTypeCode { r#type: Option<i64>, code: Option<i64> } harmless []

    /// Which subnet an ACL holds.
    NetworkAclAssociation { network_acl_association_id: Text, network_acl_id: Text, subnet_id: Text } harmless []

    /// `RouteTables[]` of describe-route-tables.
    RouteTable {
        route_table_id: Text,
        vpc_id: Text,
        owner_id: Text,
        routes: Vec<Route>,
        associations: Vec<RouteTableAssociation>,
        propagating_vgws: Vec<PropagatingVgw>,
        tags: Vec<Tag>,
    } harmless []

    /// One route: one destination member and one target member are set.
    Route {
        destination_cidr_block: Text,
        destination_ipv6_cidr_block: Text,
        destination_prefix_list_id: Text,
        gateway_id: Text,
        nat_gateway_id: Text,
        egress_only_internet_gateway_id: Text,
        network_interface_id: Text,
        instance_id: Text,
        vpc_peering_connection_id: Text,
        transit_gateway_id: Text,
        vpc_endpoint_id: Text,
        carrier_gateway_id: Text,
        local_gateway_id: Text,
        core_network_arn: Text,
        origin: Text,
        state: Text,
    } harmless ["InstanceOwnerId"]

    /// An association of a table with a subnet, a gateway or (main) its VPC.
    RouteTableAssociation {
        route_table_association_id: Text,
        route_table_id: Text,
        main: Option<bool>,
        subnet_id: Text,
        gateway_id: Text,
        association_state: Option<AssociationState>,
    } harmless []

    /// State of an association: `associated`, `disassociating`, …
    AssociationState { state: Text } harmless ["StatusMessage"]

    /// A VPN gateway that propagates into a table.
    PropagatingVgw { gateway_id: Text } harmless []
}
