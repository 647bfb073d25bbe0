//! SDK types to the describe shapes of `snapback_model::describe`, member for member.
//!
//! - Owns: nothing but the copying; canonical form is the model's, so that a read from AWS and a
//!   read from describe files take the same way.
//! - Takes: SDK output types.
//! - Gives: shapes. Members that bear on traffic and have no place in a shape go to its `other`,
//!   where the model makes named unknowns of them.
//! - Must not: interpret.

use aws_sdk_ec2::types as sdk;
use snapback_model::describe as shape;

/// A list converted item by item; an absent list is an empty one.
pub(super) fn each<S, T>(list: Option<Vec<S>>, convert: impl Fn(S) -> T) -> Vec<T> {
    list.unwrap_or_default().into_iter().map(convert).collect()
}

/// EC2's word for an SDK enum.
macro_rules! word {
    ($value:expr) => {
        $value.map(|value| value.as_str().to_owned())
    };
}
pub(super) use word;

pub(super) fn tags(list: Option<Vec<sdk::Tag>>) -> Vec<shape::Tag> {
    each(list, |tag| shape::Tag {
        key: tag.key,
        value: tag.value,
        ..Default::default()
    })
}

pub(super) fn security_group(group: sdk::SecurityGroup) -> shape::SecurityGroup {
    shape::SecurityGroup {
        group_id: group.group_id,
        group_name: group.group_name,
        description: group.description,
        owner_id: group.owner_id,
        vpc_id: group.vpc_id,
        security_group_arn: group.security_group_arn,
        ip_permissions: each(group.ip_permissions, permission),
        ip_permissions_egress: each(group.ip_permissions_egress, permission),
        tags: tags(group.tags),
        ..Default::default()
    }
}

fn permission(permission: sdk::IpPermission) -> shape::IpPermission {
    shape::IpPermission {
        ip_protocol: permission.ip_protocol,
        from_port: permission.from_port.map(i64::from),
        to_port: permission.to_port.map(i64::from),
        ip_ranges: each(permission.ip_ranges, |range| shape::IpRange {
            cidr_ip: range.cidr_ip,
            description: range.description,
            ..Default::default()
        }),
        ipv6_ranges: each(permission.ipv6_ranges, |range| shape::Ipv6Range {
            cidr_ipv6: range.cidr_ipv6,
            description: range.description,
            ..Default::default()
        }),
        prefix_list_ids: each(permission.prefix_list_ids, |list| {
            shape::PrefixListReference {
                prefix_list_id: list.prefix_list_id,
                description: list.description,
                ..Default::default()
            }
        }),
        user_id_group_pairs: each(permission.user_id_group_pairs, group_pair),
        ..Default::default()
    }
}

pub(super) fn group_pair(pair: sdk::UserIdGroupPair) -> shape::UserIdGroupPair {
    shape::UserIdGroupPair {
        group_id: pair.group_id,
        user_id: pair.user_id,
        description: pair.description,
        ..Default::default()
    }
}

pub(super) fn security_group_rule(rule: sdk::SecurityGroupRule) -> shape::SecurityGroupRule {
    shape::SecurityGroupRule {
        security_group_rule_id: rule.security_group_rule_id,
        security_group_rule_arn: rule.security_group_rule_arn,
        group_id: rule.group_id,
        group_owner_id: rule.group_owner_id,
        is_egress: rule.is_egress,
        ip_protocol: rule.ip_protocol,
        from_port: rule.from_port.map(i64::from),
        to_port: rule.to_port.map(i64::from),
        cidr_ipv4: rule.cidr_ipv4,
        cidr_ipv6: rule.cidr_ipv6,
        prefix_list_id: rule.prefix_list_id,
        referenced_group_info: rule.referenced_group_info.map(|group| {
            shape::ReferencedSecurityGroup {
                group_id: group.group_id,
                user_id: group.user_id,
                ..Default::default()
            }
        }),
        description: rule.description,
        tags: tags(rule.tags),
        ..Default::default()
    }
}

pub(super) fn network_acl(acl: sdk::NetworkAcl) -> shape::NetworkAcl {
    shape::NetworkAcl {
        network_acl_id: acl.network_acl_id,
        vpc_id: acl.vpc_id,
        owner_id: acl.owner_id,
        is_default: acl.is_default,
        entries: each(acl.entries, acl_entry),
        associations: each(acl.associations, |association| {
            shape::NetworkAclAssociation {
                network_acl_association_id: association.network_acl_association_id,
                network_acl_id: association.network_acl_id,
                subnet_id: association.subnet_id,
                ..Default::default()
            }
        }),
        tags: tags(acl.tags),
        ..Default::default()
    }
}

fn acl_entry(entry: sdk::NetworkAclEntry) -> shape::NetworkAclEntry {
    shape::NetworkAclEntry {
        rule_number: entry.rule_number.map(i64::from),
        egress: entry.egress,
        rule_action: word!(entry.rule_action),
        protocol: entry.protocol,
        cidr_block: entry.cidr_block,
        ipv6_cidr_block: entry.ipv6_cidr_block,
        port_range: entry.port_range.map(|range| shape::PortRange {
            from: range.from.map(i64::from),
            to: range.to.map(i64::from),
            ..Default::default()
        }),
        icmp_type_code: entry.icmp_type_code.map(|icmp| shape::IcmpTypeCode {
            r#type: icmp.r#type.map(i64::from),
            code: icmp.code.map(i64::from),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(super) fn route_table(table: sdk::RouteTable) -> shape::RouteTable {
    shape::RouteTable {
        route_table_id: table.route_table_id,
        vpc_id: table.vpc_id,
        owner_id: table.owner_id,
        routes: each(table.routes, route),
        associations: each(table.associations, |association| {
            shape::RouteTableAssociation {
                route_table_association_id: association.route_table_association_id,
                route_table_id: association.route_table_id,
                main: association.main,
                subnet_id: association.subnet_id,
                gateway_id: association.gateway_id,
                association_state: association.association_state.map(|state| {
                    shape::AssociationState {
                        state: word!(state.state),
                        ..Default::default()
                    }
                }),
                other: other([(
                    "PublicIpv4Pool",
                    association.public_ipv4_pool.map(Into::into),
                )]),
            }
        }),
        propagating_vgws: each(table.propagating_vgws, |gateway| shape::PropagatingVgw {
            gateway_id: gateway.gateway_id,
            ..Default::default()
        }),
        tags: tags(table.tags),
        ..Default::default()
    }
}

fn route(route: sdk::Route) -> shape::Route {
    shape::Route {
        destination_cidr_block: route.destination_cidr_block,
        destination_ipv6_cidr_block: route.destination_ipv6_cidr_block,
        destination_prefix_list_id: route.destination_prefix_list_id,
        gateway_id: route.gateway_id,
        nat_gateway_id: route.nat_gateway_id,
        egress_only_internet_gateway_id: route.egress_only_internet_gateway_id,
        network_interface_id: route.network_interface_id,
        instance_id: route.instance_id,
        vpc_peering_connection_id: route.vpc_peering_connection_id,
        transit_gateway_id: route.transit_gateway_id,
        vpc_endpoint_id: None,
        carrier_gateway_id: route.carrier_gateway_id,
        local_gateway_id: route.local_gateway_id,
        core_network_arn: route.core_network_arn,
        origin: word!(route.origin),
        state: word!(route.state),
        other: other([
            ("OdbNetworkArn", route.odb_network_arn.map(Into::into)),
            ("IpAddress", route.ip_address.map(Into::into)),
        ]),
    }
}

/// Members without a place in the shape, where they are set.
pub(super) fn other<const N: usize>(
    members: [(&str, Option<serde_json::Value>); N],
) -> std::collections::BTreeMap<String, serde_json::Value> {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
