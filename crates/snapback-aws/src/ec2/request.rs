//! Parts of EC2 requests: permissions, peers, destinations, tags.

use aws_sdk_ec2::types as sdk;
use aws_sdk_ec2::types::builders::{IpPermissionBuilder, SecurityGroupRuleRequestBuilder};
use snapback_model::{Destination, Peer, RuleDetail, RuleKey, Tags, Traffic};
use std::collections::BTreeMap;

/// One `IpPermission` for each traffic with its peers, as EC2 itself prints them.
pub(super) fn permissions<'a>(
    rules: impl Iterator<Item = (&'a RuleKey, Option<&'a str>)>,
) -> Vec<sdk::IpPermission> {
    let mut by_traffic: BTreeMap<Traffic, Vec<(&Peer, Option<&str>)>> = BTreeMap::new();
    for (key, description) in rules {
        by_traffic
            .entry(key.traffic)
            .or_default()
            .push((&key.peer, description));
    }
    by_traffic
        .into_iter()
        .map(|(traffic, peers)| {
            let ports = traffic.from_to();
            let permission = sdk::IpPermission::builder()
                .ip_protocol(traffic.protocol_name())
                .set_from_port(ports.map(|(from, _)| from))
                .set_to_port(ports.map(|(_, to)| to));
            peers
                .into_iter()
                .fold(permission, |permission, (peer, text)| {
                    with_peer(permission, peer, text)
                })
                .build()
        })
        .collect()
}

fn with_peer(
    permission: IpPermissionBuilder,
    peer: &Peer,
    description: Option<&str>,
) -> IpPermissionBuilder {
    let text = description.map(str::to_owned);
    match peer {
        Peer::Ipv4(net) => permission.ip_ranges(
            sdk::IpRange::builder()
                .cidr_ip(net.to_string())
                .set_description(text)
                .build(),
        ),
        Peer::Ipv6(net) => permission.ipv6_ranges(
            sdk::Ipv6Range::builder()
                .cidr_ipv6(net.to_string())
                .set_description(text)
                .build(),
        ),
        Peer::PrefixList(id) => permission.prefix_list_ids(
            sdk::PrefixListId::builder()
                .prefix_list_id(id.as_str())
                .set_description(text)
                .build(),
        ),
        Peer::SecurityGroup { id, owner } => permission.user_id_group_pairs(
            sdk::UserIdGroupPair::builder()
                .group_id(id.as_str())
                .set_user_id(owner.as_ref().map(ToString::to_string))
                .set_description(text)
                .build(),
        ),
    }
}

/// The one peer of a rule that is changed in place.
fn peer_of(
    request: SecurityGroupRuleRequestBuilder,
    peer: &Peer,
) -> SecurityGroupRuleRequestBuilder {
    match peer {
        Peer::Ipv4(net) => request.cidr_ipv4(net.to_string()),
        Peer::Ipv6(net) => request.cidr_ipv6(net.to_string()),
        Peer::PrefixList(id) => request.prefix_list_id(id.as_str()),
        Peer::SecurityGroup { id, .. } => request.referenced_group_id(id.as_str()),
    }
}

/// IPv4 network, IPv6 network, prefix list: one of them is set.
pub(super) fn destination_of(
    destination: &Destination,
) -> (Option<String>, Option<String>, Option<String>) {
    match destination {
        Destination::Ipv4(net) => (Some(net.to_string()), None, None),
        Destination::Ipv6(net) => (None, Some(net.to_string()), None),
        Destination::PrefixList(id) => (None, None, Some(id.to_string())),
    }
}

pub(super) fn tag_list(tags: &Tags) -> Vec<sdk::Tag> {
    tags.iter()
        .map(|(key, value)| sdk::Tag::builder().key(key).value(value).build())
        .collect()
}

/// The tags that all rules of a call share (`None` inside: untold); nothing where they differ.
pub(super) fn common_tags(rules: &BTreeMap<RuleKey, RuleDetail>) -> Option<Option<&Tags>> {
    let mut sets = rules
        .values()
        .map(|detail| detail.tags.as_ref().filter(|tags| !tags.is_empty()));
    let first = sets.next().flatten();
    sets.all(|tags| tags == first).then_some(first)
}

pub(super) fn rule_request(
    rule: &RuleKey,
    description: Option<&str>,
) -> sdk::SecurityGroupRuleRequest {
    let ports = rule.traffic.from_to();
    let request = sdk::SecurityGroupRuleRequest::builder()
        .ip_protocol(rule.traffic.protocol_name())
        .set_from_port(ports.map(|(from, _)| from))
        .set_to_port(ports.map(|(_, to)| to))
        .set_description(description.map(str::to_owned));
    peer_of(request, &rule.peer).build()
}

pub(super) fn ports_and_icmp(
    traffic: &Traffic,
) -> (Option<sdk::PortRange>, Option<sdk::IcmpTypeCode>) {
    let Some((from, to)) = traffic.from_to() else {
        return (None, None);
    };
    match traffic {
        Traffic::Icmp(_) | Traffic::Icmpv6(_) => (
            None,
            Some(sdk::IcmpTypeCode::builder().r#type(from).code(to).build()),
        ),
        Traffic::All | Traffic::Tcp(_) | Traffic::Udp(_) | Traffic::Protocol(_) => (
            Some(sdk::PortRange::builder().from(from).to(to).build()),
            None,
        ),
    }
}
