//! Security groups from describe-security-groups and describe-security-group-rules.

use super::reading::{Reading, said};
use super::shape::{self, IpPermission};
use crate::{
    AccountId, Direction, Handles, Kind, Peer, RuleDetail, RuleHandle, RuleKey, SecurityGroup,
    SecurityGroupId, Traffic, Unknown,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// The rules that describe-security-group-rules tells of one group.
#[derive(Default)]
pub(super) struct RulesRead {
    owner: Option<AccountId>,
    rules: BTreeMap<RuleKey, RuleDetail>,
    handles: Handles,
    /// A rule of the group could not be read: the set is not whole.
    gap: bool,
}

impl RulesRead {
    /// The same rules, known not to be all.
    pub(super) fn not_whole(self) -> Self {
        Self { gap: true, ..self }
    }
}

/// Sorts described rules by group. A group's owner is needed to tell own from foreign peers.
pub(super) fn rules(
    described: &[shape::SecurityGroupRule],
    owners: &BTreeMap<SecurityGroupId, AccountId>,
    account: Option<&AccountId>,
    unknown: &mut Vec<Unknown>,
) -> BTreeMap<SecurityGroupId, RulesRead> {
    let mut by_group: BTreeMap<SecurityGroupId, RulesRead> = BTreeMap::new();
    for (index, rule) in described.iter().enumerate() {
        let path = format!("SecurityGroupRules[{index}]");
        let mut reading = Reading::new(&path, unknown);
        let Some(group) = reading.guarded("GroupId", &rule.group_id, Kind::SecurityGroup) else {
            continue;
        };
        let group = SecurityGroupId::from(group.as_str());
        let rule_id = said(&rule.security_group_rule_id);
        let mut reading = Reading::within(&group, rule_id.unwrap_or(&path), unknown);
        let owner = said(&rule.group_owner_id)
            .map(AccountId::from)
            .or_else(|| owners.get(&group).cloned());
        let entry = by_group.entry(group.clone()).or_default();
        entry.owner = entry.owner.take().or_else(|| owner.clone());
        match rule_key(rule, owner.as_ref().or(account), &mut reading) {
            Some(key) => {
                let tags = Some(reading.tags(&rule.tags));
                let detail = RuleDetail {
                    description: said_as_is(&rule.description),
                    tags,
                };
                if let Some(id) = rule_id {
                    entry.handles.rules.insert(
                        id.into(),
                        RuleHandle {
                            group,
                            rule: key.clone(),
                        },
                    );
                }
                entry.rules.insert(key, detail);
            }
            None => entry.gap = true,
        }
    }
    by_group
}

fn rule_key(
    rule: &shape::SecurityGroupRule,
    owner: Option<&AccountId>,
    reading: &mut Reading<'_>,
) -> Option<RuleKey> {
    reading.members("", rule);
    let Some(egress) = rule.is_egress else {
        reading.tell("IsEgress", "null");
        return None;
    };
    let traffic = traffic(
        "",
        rule.ip_protocol.as_deref(),
        rule.from_port,
        rule.to_port,
        reading,
    )?;
    let mut peers = Vec::new();
    for (member, cidr) in [("CidrIpv4", &rule.cidr_ipv4), ("CidrIpv6", &rule.cidr_ipv6)] {
        if let Some(cidr) = said(cidr) {
            peers.push(network(member, cidr, reading)?);
        }
    }
    if said(&rule.prefix_list_id).is_some() {
        peers.push(reading.named_peer("PrefixListId", &rule.prefix_list_id, "pl-")?);
    }
    if let Some(referenced) = &rule.referenced_group_info {
        reading.members("ReferencedGroupInfo", referenced);
        if said(&referenced.group_id).is_some() {
            let path = "ReferencedGroupInfo.GroupId";
            let peer = reading.named_peer(path, &referenced.group_id, "sg-")?;
            peers.push(owned(peer, referenced.user_id.as_ref(), owner));
        }
    }
    let mut peers = peers.into_iter();
    match (peers.next(), peers.next()) {
        (Some(peer), None) => Some(RuleKey {
            direction: Direction::from_egress(egress),
            traffic,
            peer,
        }),
        (first, _) => {
            reading.tell(
                "peer",
                if first.is_none() {
                    "none that this version knows"
                } else {
                    "more than one"
                },
            );
            None
        }
    }
}

/// One group in canonical form, with what the read of its rules adds.
pub(super) fn group(
    described: &shape::SecurityGroup,
    read: Option<RulesRead>,
    account: Option<&AccountId>,
    reading: &mut Reading<'_>,
) -> Option<(SecurityGroup, Handles)> {
    reading.members("", described);
    let id = reading.guarded("GroupId", &described.group_id, Kind::SecurityGroup)?;
    let id = SecurityGroupId::from(id.as_str());
    let owner = said(&described.owner_id).map(AccountId::from);
    let owner = owner.or_else(|| read.as_ref().and_then(|read| read.owner.clone()));
    let mut rules = BTreeMap::new();
    for (list, direction, permissions) in [
        (
            "IpPermissions",
            Direction::Ingress,
            &described.ip_permissions,
        ),
        (
            "IpPermissionsEgress",
            Direction::Egress,
            &described.ip_permissions_egress,
        ),
    ] {
        for (index, permission) in permissions.iter().enumerate() {
            let path = format!("{list}[{index}]");
            rules.extend(atomic(
                &path,
                direction,
                permission,
                owner.as_ref().or(account),
                reading,
            ));
        }
    }
    let handles = read
        .map(|read| merge(&mut rules, read, reading))
        .unwrap_or_default();
    let group = SecurityGroup {
        id,
        name: said_as_is(&described.group_name),
        description: said_as_is(&described.description),
        vpc: said(&described.vpc_id).map(Into::into),
        owner,
        tags: Some(reading.tags(&described.tags)),
        rules,
    };
    Some((group, handles))
}

/// A group of which only the rules were read: everything but its rules is untold. Nothing, where a
/// rule could not be read: half a group is no state.
pub(super) fn group_of_rules(
    id: SecurityGroupId,
    read: RulesRead,
) -> Option<(SecurityGroup, Handles)> {
    (!read.gap).then(|| {
        let RulesRead {
            owner,
            rules,
            handles,
            ..
        } = read;
        (
            SecurityGroup {
                id,
                name: None,
                description: None,
                vpc: None,
                owner,
                tags: None,
                rules,
            },
            handles,
        )
    })
}

/// Adds ids, descriptions and tags. Two reads that disagree were taken at different moments: what
/// only one of them saw is kept and told.
fn merge(
    rules: &mut BTreeMap<RuleKey, RuleDetail>,
    read: RulesRead,
    reading: &mut Reading<'_>,
) -> Handles {
    let in_group: BTreeSet<RuleKey> = rules.keys().cloned().collect();
    if !read.gap {
        for key in in_group.iter().filter(|key| !read.rules.contains_key(*key)) {
            reading.tell(
                "SecurityGroupRules",
                format!("{key}: in describe-security-groups only"),
            );
        }
    }
    for (key, detail) in read.rules {
        if !in_group.contains(&key) {
            reading.tell(
                "IpPermissions",
                format!("{key}: in describe-security-group-rules only"),
            );
        }
        rules.insert(key, detail);
    }
    read.handles
}

/// The atomic rules of one permission: one for each peer.
fn atomic(
    path: &str,
    direction: Direction,
    permission: &IpPermission,
    owner: Option<&AccountId>,
    reading: &mut Reading<'_>,
) -> Vec<(RuleKey, RuleDetail)> {
    reading.members(path, permission);
    let protocol = permission.ip_protocol.as_deref();
    let Some(traffic) = traffic(
        path,
        protocol,
        permission.from_port,
        permission.to_port,
        reading,
    ) else {
        return Vec::new();
    };
    let mut peers: Vec<(Option<Peer>, &Option<String>)> = Vec::new();
    for (index, range) in permission.ip_ranges.iter().enumerate() {
        let path = format!("{path}.IpRanges[{index}]");
        reading.members(&path, range);
        let cidr = range.cidr_ip.as_deref().unwrap_or_default();
        peers.push((
            network(&format!("{path}.CidrIp"), cidr, reading),
            &range.description,
        ));
    }
    for (index, range) in permission.ipv6_ranges.iter().enumerate() {
        let path = format!("{path}.Ipv6Ranges[{index}]");
        reading.members(&path, range);
        let cidr = range.cidr_ipv6.as_deref().unwrap_or_default();
        peers.push((
            network(&format!("{path}.CidrIpv6"), cidr, reading),
            &range.description,
        ));
    }
    for (index, list) in permission.prefix_list_ids.iter().enumerate() {
        let path = format!("{path}.PrefixListIds[{index}]");
        reading.members(&path, list);
        let path = format!("{path}.PrefixListId");
        let peer = reading.named_peer(&path, &list.prefix_list_id, "pl-");
        peers.push((peer, &list.description));
    }
    for (index, pair) in permission.user_id_group_pairs.iter().enumerate() {
        let path = format!("{path}.UserIdGroupPairs[{index}]");
        reading.members(&path, pair);
        let peer = reading.named_peer(&format!("{path}.GroupId"), &pair.group_id, "sg-");
        let peer = peer.map(|peer| owned(peer, pair.user_id.as_ref(), owner));
        peers.push((peer, &pair.description));
    }
    let rule = |(peer, description): (Option<Peer>, &Option<String>)| {
        let detail = RuleDetail {
            description: said_as_is(description),
            tags: None,
        };
        peer.map(|peer| {
            (
                RuleKey {
                    direction,
                    traffic,
                    peer,
                },
                detail,
            )
        })
    };
    peers.into_iter().filter_map(rule).collect()
}

/// Protocol and ports, or the pair told as unknown.
fn traffic(
    path: &str,
    protocol: Option<&str>,
    from: Option<i64>,
    to: Option<i64>,
    reading: &mut Reading<'_>,
) -> Option<Traffic> {
    match Traffic::new(protocol.unwrap_or_default(), from, to) {
        Ok(traffic) => Some(traffic),
        Err(error) => {
            let member = if path.is_empty() {
                "IpProtocol".to_owned()
            } else {
                format!("{path}.IpProtocol")
            };
            reading.tell(member, error);
            None
        }
    }
}

fn network(path: &str, text: &str, reading: &mut Reading<'_>) -> Option<Peer> {
    reading.parse::<IpNet>(path, text).map(Peer::cidr)
}

/// A group peer with its owner; EC2 writes `UserId` for the own account too (cloudtrail-shapes.md 9).
fn owned(peer: Peer, user: Option<&String>, owner: Option<&AccountId>) -> Peer {
    let foreign = user.filter(|user| {
        !user.is_empty() && owner.is_none_or(|owner| owner.as_str() != user.as_str())
    });
    match peer {
        Peer::SecurityGroup { id, .. } => Peer::SecurityGroup {
            id,
            owner: foreign.map(|user| user.as_str().into()),
        },
        peer => peer,
    }
}

/// A text that people wrote: kept byte for byte, empty counts as none.
fn said_as_is(member: &Option<String>) -> Option<String> {
    member.clone().filter(|text| !text.is_empty())
}
