//! What watches and what shields: flow logs, block public access, stale references, addresses.

use super::{Ids, Listing, PAGE, shown, tag_list};
use crate::account::{Account, ApiError, Group};
use crate::wire::form::Fields;
use serde_json::{Value, json};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const FLOW_LOGS: Listing = Listing {
    action: "DescribeFlowLogs",
    member: "FlowLogs",
    key: &["FlowLogId"],
    ids: &[Ids {
        parameter: "FlowLogId",
        member: "FlowLogId",
        code: "InvalidFlowLogId.NotFound",
        what: "flow log",
    }],
    sizes: PAGE,
    filters: &[
        ("flow-log-id", "FlowLogId"),
        ("flow-log-status", "FlowLogStatus"),
        ("deliver-log-status", "DeliverLogsStatus"),
        ("resource-id", "ResourceId"),
        ("traffic-type", "TrafficType"),
    ],
    items: |account| account.topology.flow_logs.values().map(flow_log).collect(),
};

pub(super) const EXCLUSIONS: Listing = Listing {
    action: "DescribeVpcBlockPublicAccessExclusions",
    member: "VpcBlockPublicAccessExclusions",
    key: &["ExclusionId"],
    ids: &[Ids {
        parameter: "ExclusionId",
        member: "ExclusionId",
        code: "InvalidVpcBlockPublicAccessExclusionId.NotFound",
        what: "exclusion",
    }],
    sizes: PAGE,
    filters: &[
        (
            "internet-gateway-exclusion-mode",
            "InternetGatewayExclusionMode",
        ),
        ("resource-arn", "ResourceArn"),
        ("state", "State"),
    ],
    items: exclusions,
};

pub(super) const ADDRESSES: Listing = Listing {
    action: "DescribeAddresses",
    member: "Addresses",
    key: &["AllocationId"],
    ids: &[
        Ids {
            parameter: "AllocationId",
            member: "AllocationId",
            code: "InvalidAllocationID.NotFound",
            what: "allocation",
        },
        Ids {
            parameter: "PublicIp",
            member: "PublicIp",
            code: "InvalidAddress.NotFound",
            what: "address",
        },
    ],
    sizes: None,
    filters: &[
        ("allocation-id", "AllocationId"),
        ("association-id", "AssociationId"),
        ("network-interface-id", "NetworkInterfaceId"),
        ("private-ip-address", "PrivateIpAddress"),
        ("public-ip", "PublicIp"),
    ],
    items: addresses,
};

/// One flow log.
fn flow_log(log: &FlowLog) -> Value {
    let traffic = match log.traffic {
        FlowLogTraffic::Accept => "ACCEPT",
        FlowLogTraffic::Reject => "REJECT",
        FlowLogTraffic::All => "ALL",
    };
    json!({
        "FlowLogId": log.id,
        "ResourceId": log.resource,
        "FlowLogStatus": if log.active { "ACTIVE" } else { "INACTIVE" },
        "DeliverLogsStatus": if log.delivery_failed { "FAILED" } else { "SUCCESS" },
        "TrafficType": traffic,
        "Tags": tag_list(&log.tags),
    })
}

pub(in crate::wire) fn block_public_access(account: &Account) -> Value {
    let held = account.topology.block_public_access.as_ref();
    let mode = held.map_or("off", |held| match held.mode {
        BlockMode::Off => "off",
        BlockMode::Bidirectional => "block-bidirectional",
        BlockMode::Ingress => "block-ingress",
    });
    json!({"VpcBlockPublicAccessOptions": {
        "AwsAccountId": account.id,
        "AwsRegion": account.region,
        "State": if held.is_some() { "update-complete" } else { "default-state" },
        "InternetGatewayBlockMode": mode,
        "ExclusionsAllowed": "allowed",
        "ManagedBy": "account",
    }})
}

fn exclusions(account: &Account) -> Vec<Value> {
    let held = account.topology.block_public_access.iter();
    held.flat_map(|access| access.exclusions.values())
        .map(|exclusion| {
            let kind = if exclusion.resource.starts_with("subnet-") {
                "subnet"
            } else {
                "vpc"
            };
            let mode = match exclusion.mode {
                ExclusionMode::Bidirectional => "allow-bidirectional",
                ExclusionMode::Egress => "allow-egress",
            };
            json!({
                "ExclusionId": exclusion.id,
                "InternetGatewayExclusionMode": mode,
                "ResourceArn": format!("arn:aws:ec2:{}:{}:{kind}/{}", account.region, account.id, exclusion.resource),
                "State": if exclusion.active { "create-complete" } else { "delete-complete" },
                "Tags": [],
            })
        })
        .collect()
}

/// The groups a group names that are gone: those of our own account that do not exist, and those
/// that were loaded as stale.
fn gone(account: &Account, group: &Group) -> BTreeSet<SecurityGroupId> {
    let told = account.topology.stale_references.get(&group.id);
    let mut gone = told.cloned().unwrap_or_default();
    gone.extend(
        group
            .rules
            .values()
            .filter_map(|rule| match &rule.key.peer {
                Peer::SecurityGroup { id, owner: None } if !account.groups.contains_key(id) => {
                    Some(id.clone())
                }
                _ => None,
            }),
    );
    gone
}

/// A permission that names groups which are gone.
fn stale_permissions(
    group: &Group,
    gone: &BTreeSet<SecurityGroupId>,
    direction: Direction,
) -> Value {
    let mut by_traffic: BTreeMap<Traffic, Vec<Value>> = BTreeMap::new();
    for rule in group
        .rules
        .values()
        .filter(|rule| rule.key.direction == direction)
    {
        if let Peer::SecurityGroup { id, .. } = &rule.key.peer
            && gone.contains(id)
        {
            let pair = json!({"GroupId": id, "Description": rule.description});
            by_traffic.entry(rule.key.traffic).or_default().push(pair);
        }
    }
    by_traffic
        .into_iter()
        .map(|(traffic, pairs)| {
            let ports = traffic.from_to();
            json!({
                "IpProtocol": traffic.protocol_name(),
                "FromPort": ports.map(|(from, _)| from),
                "ToPort": ports.map(|(_, to)| to),
                "UserIdGroupPairs": pairs,
            })
        })
        .collect()
}

/// Groups with stale rules, of every VPC.
pub(super) fn stale_of_all(account: &Account) -> Vec<Value> {
    let mut found = Vec::new();
    for group in account.groups.values() {
        let gone = gone(account, group);
        if gone.is_empty() {
            continue;
        }
        found.push(shown(json!({
            "GroupId": group.id,
            "GroupName": group.name,
            "Description": group.description,
            "VpcId": group.vpc,
            "StaleIpPermissions": stale_permissions(group, &gone, Direction::Ingress),
            "StaleIpPermissionsEgress": stale_permissions(group, &gone, Direction::Egress),
        })));
    }
    found
}

const STALE: Listing = Listing {
    action: "DescribeStaleSecurityGroups",
    member: "StaleSecurityGroupSet",
    key: &["GroupId"],
    ids: &[],
    sizes: Some((5, 255)),
    filters: &[],
    items: stale_of_all,
};

/// DescribeStaleSecurityGroups of one VPC.
pub(super) fn stale(account: &Account, fields: &Fields<'_>) -> Result<Value, ApiError> {
    let vpc: VpcId = fields.id("VpcId")?;
    if !account.topology.vpcs.contains_key(&vpc) {
        return Err(ApiError::new(
            "InvalidVpcID.NotFound",
            format!("The vpc ID '{vpc}' does not exist"),
        ));
    }
    let mut items = stale_of_all(account);
    items.retain(|item| super::text(item, "VpcId") == vpc.as_str());
    STALE.answer(fields, items)
}

fn addresses(account: &Account) -> Vec<Value> {
    account
        .addresses
        .values()
        .map(|address| {
            let holder = account.holder_of_address(&address.allocation);
            let held = holder.map(|(_, held)| held);
            let association =
                holder.map(|(gateway, _)| gateway.id.replacen("nat-", "eipassoc-", 1));
            shown(json!({
                "AllocationId": address.allocation,
                "PublicIp": address.public,
                "Domain": "vpc",
                "NetworkBorderGroup": account.region,
                "PublicIpv4Pool": "amazon",
                "AssociationId": association,
                "NetworkInterfaceId": held.and_then(|held| held.interface.as_ref()),
                "NetworkInterfaceOwnerId": held.map(|_| &account.id),
                "PrivateIpAddress": held.and_then(|held| held.private),
                "Tags": tag_list(&address.tags),
            }))
        })
        .collect()
}
