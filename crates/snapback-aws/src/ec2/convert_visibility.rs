//! SDK types of what watches a network and keeps the internet out of it to the describe shapes.

use super::convert::{each, group_pair, tags, word};
use aws_sdk_ec2::types as sdk;
use snapback_model::describe as shape;

pub(super) fn flow_log(log: sdk::FlowLog) -> shape::FlowLog {
    shape::FlowLog {
        flow_log_id: log.flow_log_id,
        flow_log_status: log.flow_log_status,
        resource_id: log.resource_id,
        traffic_type: word!(log.traffic_type),
        deliver_logs_status: log.deliver_logs_status,
        tags: tags(log.tags),
        ..Default::default()
    }
}

pub(super) fn block_options(
    options: sdk::VpcBlockPublicAccessOptions,
) -> shape::VpcBlockPublicAccessOptions {
    shape::VpcBlockPublicAccessOptions {
        aws_account_id: options.aws_account_id,
        aws_region: options.aws_region,
        internet_gateway_block_mode: word!(options.internet_gateway_block_mode),
        ..Default::default()
    }
}

pub(super) fn block_exclusion(
    exclusion: sdk::VpcBlockPublicAccessExclusion,
) -> shape::VpcBlockPublicAccessExclusion {
    shape::VpcBlockPublicAccessExclusion {
        exclusion_id: exclusion.exclusion_id,
        internet_gateway_exclusion_mode: word!(exclusion.internet_gateway_exclusion_mode),
        resource_arn: exclusion.resource_arn,
        state: word!(exclusion.state),
        ..Default::default()
    }
}

pub(super) fn stale_security_group(group: sdk::StaleSecurityGroup) -> shape::StaleSecurityGroup {
    let permission = |permission: sdk::StaleIpPermission| shape::StaleIpPermission {
        user_id_group_pairs: each(permission.user_id_group_pairs, group_pair),
        ..Default::default()
    };
    shape::StaleSecurityGroup {
        group_id: group.group_id,
        vpc_id: group.vpc_id,
        stale_ip_permissions: each(group.stale_ip_permissions, permission),
        stale_ip_permissions_egress: each(group.stale_ip_permissions_egress, permission),
        ..Default::default()
    }
}

pub(super) fn tag_description(tag: sdk::TagDescription) -> shape::TagDescription {
    shape::TagDescription {
        key: tag.key,
        value: tag.value,
        resource_id: tag.resource_id,
        resource_type: word!(tag.resource_type),
        ..Default::default()
    }
}
