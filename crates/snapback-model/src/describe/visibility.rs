//! Flow logs, block public access, stale references, and the names of instances.

use super::Described;
use super::reading::{Reading, said};
use super::topology::{block_mode, reading};
use crate::{
    BlockExclusion, BlockPublicAccess, ExclusionMode, FlowLog, FlowLogTraffic, SecurityGroupId,
    Topology, Unknown,
};
use std::collections::{BTreeMap, BTreeSet};

/// Fills what watches the network and what keeps the internet out.
pub(super) fn visibility(
    described: &Described,
    topology: &mut Topology,
    unknown: &mut Vec<Unknown>,
) {
    for (index, log) in described.flow_logs.iter().enumerate() {
        let mut reading = reading("FlowLogs", index, &log.flow_log_id, unknown);
        topology
            .flow_logs
            .extend(flow_log(log, &mut reading).map(|log| (log.id.clone(), log)));
    }
    topology.block_public_access = block_public_access(described, unknown);
    for (index, group) in described.stale_security_groups.iter().enumerate() {
        let mut reading = reading("StaleSecurityGroupSet", index, &group.group_id, unknown);
        reading.members("", group);
        let Some(id) = said(&group.group_id) else {
            reading.tell("GroupId", "null");
            continue;
        };
        let ingress = group.stale_ip_permissions.iter();
        let pairs = ingress
            .chain(&group.stale_ip_permissions_egress)
            .flat_map(|permission| &permission.user_id_group_pairs);
        let gone = pairs
            .filter_map(|pair| said(&pair.group_id))
            .map(Into::into);
        let held: &mut BTreeSet<SecurityGroupId> =
            topology.stale_references.entry(id.into()).or_default();
        held.extend(gone);
    }
    let names = instance_names(described);
    for interface in topology.interfaces.values_mut() {
        let name = interface.instance.as_deref().and_then(|id| names.get(id));
        interface.instance_name = name.map(|name| (*name).to_owned());
    }
}

fn flow_log(described: &super::FlowLog, reading: &mut Reading<'_>) -> Option<FlowLog> {
    reading.members("", described);
    let (Some(id), Some(resource)) = (said(&described.flow_log_id), said(&described.resource_id))
    else {
        reading.tell("FlowLogId, ResourceId", "null");
        return None;
    };
    let traffic = match said(&described.traffic_type) {
        Some("ACCEPT") => FlowLogTraffic::Accept,
        Some("REJECT") => FlowLogTraffic::Reject,
        Some("ALL") | None => FlowLogTraffic::All,
        Some(other) => {
            reading.tell("TrafficType", other);
            return None;
        }
    };
    Some(FlowLog {
        id: id.to_owned(),
        resource: resource.to_owned(),
        active: said(&described.flow_log_status) == Some("ACTIVE"),
        delivery_failed: said(&described.deliver_logs_status) == Some("FAILED"),
        traffic,
        tags: reading.tags(&described.tags),
    })
}

fn block_public_access(
    described: &Described,
    unknown: &mut Vec<Unknown>,
) -> Option<BlockPublicAccess> {
    let mut reading = Reading::new("VpcBlockPublicAccessOptions", unknown);
    let mut mode = None;
    for options in &described.vpc_block_public_access_options {
        reading.members("", options);
        let path = "InternetGatewayBlockMode";
        mode = block_mode(path, &options.internet_gateway_block_mode, &mut reading);
    }
    let mut exclusions = BTreeMap::new();
    for (index, one) in described
        .vpc_block_public_access_exclusions
        .iter()
        .enumerate()
    {
        let key = "VpcBlockPublicAccessExclusions";
        let mut reading = super::topology::reading(key, index, &one.exclusion_id, unknown);
        exclusions.extend(exclusion(one, &mut reading).map(|one| (one.id.clone(), one)));
    }
    if mode.is_none() && !exclusions.is_empty() {
        Reading::new("VpcBlockPublicAccessExclusions", unknown).tell(
            "InternetGatewayBlockMode",
            "the exclusions are known, what they are excluded from is not",
        );
    }
    Some(BlockPublicAccess {
        mode: mode?,
        exclusions,
    })
}

fn exclusion(
    described: &super::VpcBlockPublicAccessExclusion,
    reading: &mut Reading<'_>,
) -> Option<BlockExclusion> {
    reading.members("", described);
    let mode = match said(&described.internet_gateway_exclusion_mode) {
        Some("allow-bidirectional") => ExclusionMode::Bidirectional,
        Some("allow-egress") => ExclusionMode::Egress,
        other => {
            reading.tell("InternetGatewayExclusionMode", other.unwrap_or("null"));
            return None;
        }
    };
    let arn = said(&described.resource_arn);
    let resource = arn.and_then(|arn| arn.rsplit('/').next());
    let (Some(id), Some(resource)) = (said(&described.exclusion_id), resource) else {
        reading.tell("ExclusionId, ResourceArn", "null");
        return None;
    };
    let over = ["create-failed", "delete-complete", "disable-complete"];
    let state = said(&described.state);
    Some(BlockExclusion {
        id: id.to_owned(),
        resource: resource.to_owned(),
        mode,
        active: !state.is_some_and(|state| over.contains(&state)),
    })
}

/// The `Name` tags of instances by instance id, from describe-instances or describe-tags.
fn instance_names(described: &Described) -> BTreeMap<&str, &str> {
    let of_tags = described
        .tags
        .iter()
        .filter(|tag| said(&tag.resource_type) == Some("instance"))
        .map(|tag| (&tag.resource_id, &tag.key, &tag.value));
    let instances = described
        .reservations
        .iter()
        .flat_map(|reservation| &reservation.instances);
    let of_instances = instances.flat_map(|instance| {
        let tags = instance.tags.iter();
        tags.map(|tag| (&instance.instance_id, &tag.key, &tag.value))
    });
    of_tags
        .chain(of_instances)
        .filter(|(_, key, _)| key.as_deref() == Some("Name"))
        .filter_map(|(id, _, name)| Some((said(id)?, said(name)?)))
        .collect()
}
