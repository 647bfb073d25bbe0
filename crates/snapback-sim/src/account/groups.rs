//! Security group calls (semantics A1, B1).

use super::{Account, ApiError, Group, Response, Rule};
use crate::call::{GroupBy, Permission, Revoked, RuleBy, RuleChange};
use snapback_model::*;
use std::collections::BTreeSet;

fn no_group(name: &str) -> ApiError {
    ApiError::new(
        "InvalidGroup.NotFound",
        format!("The security group '{name}' does not exist"),
    )
}

fn no_rule_id(id: &SecurityGroupRuleId) -> ApiError {
    ApiError::new(
        "InvalidSecurityGroupRuleId.NotFound",
        format!("The security group rule ID '{id}' does not exist"),
    )
}

fn no_rule() -> ApiError {
    ApiError::new(
        "InvalidPermission.NotFound",
        "The specified rule does not exist in this security group.",
    )
}

fn duplicate(rule: &RuleKey) -> ApiError {
    let (from, to) = rule.traffic.from_to().unwrap_or((-1, -1));
    let protocol = rule.traffic.protocol_name().to_uppercase();
    ApiError::new(
        "InvalidPermission.Duplicate",
        format!(
            "the specified rule \"peer: {}, {protocol}, from port: {from}, to port: {to}, ALLOW\" already exists",
            rule.peer
        ),
    )
}

fn keys(direction: Direction, permissions: &[Permission]) -> Vec<(RuleKey, Option<String>)> {
    permissions
        .iter()
        .flat_map(|permission| {
            permission.peers.iter().map(move |(peer, description)| {
                let key = RuleKey {
                    direction,
                    traffic: permission.traffic,
                    peer: peer.clone(),
                };
                (key, description.clone().filter(|text| !text.is_empty()))
            })
        })
        .collect()
}

fn same_peer_type(one: &Peer, other: &Peer) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

impl Group {
    fn find(&self, key: &RuleKey) -> Option<&SecurityGroupRuleId> {
        self.rules
            .iter()
            .find(|(_, rule)| rule.key == *key)
            .map(|(id, _)| id)
    }
}

impl Account {
    /// The id of the group a request names: by name only in the default VPC.
    pub(super) fn group_id(&self, by: &GroupBy) -> Result<SecurityGroupId, ApiError> {
        match by {
            GroupBy::Id(id) if self.groups.contains_key(id) => Ok(id.clone()),
            GroupBy::Id(id) => Err(no_group(id.as_str())),
            GroupBy::Name(name) => self
                .groups
                .values()
                .find(|group| group.name == *name && self.is_default_vpc(&group.vpc))
                .map(|group| group.id.clone())
                .ok_or_else(|| no_group(name)),
        }
    }

    fn group_mut(&mut self, id: &SecurityGroupId) -> Result<&mut Group, ApiError> {
        self.groups.get_mut(id).ok_or_else(|| no_group(id.as_str()))
    }

    fn group(&self, id: &SecurityGroupId) -> Result<&Group, ApiError> {
        self.groups.get(id).ok_or_else(|| no_group(id.as_str()))
    }

    /// What a group's rules of a direction cost in each family: a prefix list its `MaxEntries`, a
    /// group reference one in both (open point G10 of semantics.md, the stricter reading).
    fn rule_cost(&self, group: &Group, direction: Direction) -> (usize, usize) {
        let mut cost = (0, 0);
        for rule in group
            .rules
            .values()
            .filter(|rule| rule.key.direction == direction)
        {
            match &rule.key.peer {
                Peer::Ipv4(_) => cost.0 += 1,
                Peer::Ipv6(_) => cost.1 += 1,
                Peer::SecurityGroup { .. } => cost = (cost.0 + 1, cost.1 + 1),
                Peer::PrefixList(id) => {
                    let (entries, is_v6) = self.prefix_list_cost(id);
                    if is_v6 {
                        cost.1 += entries
                    } else {
                        cost.0 += entries
                    }
                }
            }
        }
        cost
    }

    fn check_rule_quota(&self, id: &SecurityGroupId, direction: Direction) -> Result<(), ApiError> {
        let (v4, v6) = self.rule_cost(self.group(id)?, direction);
        if v4.max(v6) > self.quotas.rules_per_group {
            return Err(ApiError::new(
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.",
            ));
        }
        Ok(())
    }

    fn check_peer(&self, group: &SecurityGroupId, peer: &Peer) -> Result<(), ApiError> {
        match peer {
            Peer::SecurityGroup { id, owner: None } => {
                let (own, other) = (self.group(group)?, self.group(id)?);
                let joined = own.vpc == other.vpc || self.are_joined(&own.vpc, &other.vpc);
                if joined {
                    Ok(())
                } else {
                    Err(no_group(id.as_str()))
                }
            }
            Peer::PrefixList(id) if !self.topology.prefix_lists.contains_key(id) => {
                Err(ApiError::new(
                    "InvalidPrefixListID.NotFound",
                    format!("The prefix list ID '{id}' does not exist"),
                ))
            }
            Peer::PrefixList(_) | Peer::SecurityGroup { .. } | Peer::Ipv4(_) | Peer::Ipv6(_) => {
                Ok(())
            }
        }
    }

    pub(super) fn authorize(
        &mut self,
        by: &GroupBy,
        direction: Direction,
        permissions: &[Permission],
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        let id = self.group_id(by)?;
        let asked = keys(direction, permissions);
        if asked.is_empty() {
            return Err(ApiError::new(
                "MissingParameter",
                "The request must contain the parameter ipPermissions",
            ));
        }
        let distinct: BTreeSet<&RuleKey> = asked.iter().map(|(key, _)| key).collect();
        if distinct.len() != asked.len() {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "The same permission must not appear multiple times",
            ));
        }
        let mut added = Vec::new();
        for (key, description) in asked {
            self.check_peer(&id, &key.peer)?;
            if self.group(&id)?.find(&key).is_some() {
                return Err(duplicate(&key));
            }
            let rule_id = SecurityGroupRuleId::new(self.mint.id("sgr"));
            let rule = Rule {
                key,
                description,
                tags: tags.clone(),
            };
            self.group_mut(&id)?
                .rules
                .insert(rule_id.clone(), rule.clone());
            added.push((rule_id, rule));
        }
        self.check_rule_quota(&id, direction)?;
        Ok(Response::Authorized(added))
    }

    pub(super) fn revoke(
        &mut self,
        by: &GroupBy,
        direction: Direction,
        rules: &Revoked,
    ) -> Result<Response, ApiError> {
        let id = self.group_id(by)?;
        let lenient = self.is_default_vpc(&self.group(&id)?.vpc.clone());
        let group = self.group_mut(&id)?;
        let mut ids = Vec::new();
        let mut unknown = Vec::new();
        match rules {
            Revoked::Ids(named) => {
                for rule_id in named {
                    match group.rules.get(rule_id) {
                        Some(rule) if rule.key.direction == direction => ids.push(rule_id.clone()),
                        Some(_) | None => return Err(no_rule_id(rule_id)),
                    }
                }
            }
            Revoked::Content { permissions, .. } => {
                for (key, _) in keys(direction, permissions) {
                    match group.find(&key) {
                        Some(rule_id) => ids.push(rule_id.clone()),
                        None if lenient => unknown.push(key),
                        None => return Err(no_rule()),
                    }
                }
            }
        }
        let removed = ids
            .into_iter()
            .filter_map(|rule_id| group.rules.remove(&rule_id).map(|rule| (rule_id, rule)))
            .collect();
        Ok(Response::Revoked {
            group: id,
            removed,
            unknown,
        })
    }

    pub(super) fn modify_rules(
        &mut self,
        id: &SecurityGroupId,
        changes: &[RuleChange],
    ) -> Result<Response, ApiError> {
        for change in changes {
            self.check_peer(id, &change.peer)?;
            let group = self.group_mut(id)?;
            let old = group
                .rules
                .get(&change.id)
                .ok_or_else(|| no_rule_id(&change.id))?;
            if !same_peer_type(&old.key.peer, &change.peer) {
                return Err(ApiError::new(
                    "InvalidParameterValue",
                    format!(
                        "The source or destination type of the security group rule '{}' cannot be modified.",
                        change.id
                    ),
                ));
            }
            let key = RuleKey {
                direction: old.key.direction,
                traffic: change.traffic,
                peer: change.peer.clone(),
            };
            if group.find(&key).is_some_and(|other| *other != change.id) {
                return Err(duplicate(&key));
            }
            if let Some(rule) = group.rules.get_mut(&change.id) {
                rule.key = key;
                rule.description = change.description.clone().filter(|text| !text.is_empty());
            }
        }
        self.check_rule_quota(id, Direction::Ingress)?;
        self.check_rule_quota(id, Direction::Egress)?;
        Ok(Response::Done)
    }

    pub(super) fn describe_rules(
        &mut self,
        by: &GroupBy,
        direction: Direction,
        descriptions: &[(RuleBy, Option<String>)],
    ) -> Result<Response, ApiError> {
        let id = self.group_id(by)?;
        let group = self.group_mut(&id)?;
        for (rule, description) in descriptions {
            let rule_id = match rule {
                RuleBy::Key(key) => group.find(key).cloned().ok_or_else(no_rule)?,
                RuleBy::Id(rule_id) => rule_id.clone(),
            };
            match group.rules.get_mut(&rule_id) {
                Some(rule) if rule.key.direction == direction => {
                    rule.description = description.clone().filter(|text| !text.is_empty());
                }
                Some(_) | None => return Err(no_rule_id(&rule_id)),
            }
        }
        Ok(Response::Done)
    }

    /// A new group starts without ingress and with all egress, IPv6 where the VPC has it.
    pub(crate) fn create_group(
        &mut self,
        name: &str,
        description: &str,
        vpc: Option<&VpcId>,
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        let vpc = match vpc {
            Some(vpc) => vpc.clone(),
            None => self
                .topology
                .vpcs
                .values()
                .find(|vpc| vpc.is_default)
                .map(|vpc| vpc.id.clone())
                .ok_or_else(|| {
                    ApiError::new("VPCIdNotSpecified", "No default VPC for this user")
                })?,
        };
        let networks = self.vpc(&vpc)?.cidrs.clone();
        if self
            .groups
            .values()
            .any(|group| group.vpc == vpc && group.name == name)
        {
            return Err(ApiError::new(
                "InvalidGroup.Duplicate",
                format!("The security group '{name}' already exists for VPC '{vpc}'"),
            ));
        }
        if name.starts_with("sg-") {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "Value for parameter GroupName is invalid: it may not begin with sg-.",
            ));
        }
        let id = SecurityGroupId::new(self.mint.id("sg"));
        let mut group = Group {
            id: id.clone(),
            name: name.to_owned(),
            description: description.to_owned(),
            vpc,
            tags: tags.clone(),
            rules: Default::default(),
        };
        let mut peers = vec![Peer::Ipv4(ipnet::Ipv4Net::default())];
        if networks
            .iter()
            .any(|net| matches!(net, ipnet::IpNet::V6(_)))
        {
            peers.push(Peer::Ipv6(ipnet::Ipv6Net::default()));
        }
        for peer in peers {
            let key = RuleKey {
                direction: Direction::Egress,
                traffic: Traffic::All,
                peer,
            };
            group.rules.insert(
                SecurityGroupRuleId::new(self.mint.id("sgr")),
                Rule {
                    key,
                    description: None,
                    tags: Tags::new(),
                },
            );
        }
        self.groups.insert(id.clone(), group);
        Ok(Response::Group(id))
    }

    pub(super) fn delete_group(&mut self, by: &GroupBy) -> Result<Response, ApiError> {
        let id = self.group_id(by)?;
        let group = self.group(&id)?;
        if group.name == "default" {
            return Err(ApiError::new(
                "CannotDelete",
                format!(
                    "the specified group: \"{id}\" name: \"default\" cannot be deleted by a user"
                ),
            ));
        }
        let carried = self
            .topology
            .interfaces
            .values()
            .any(|interface| interface.groups.contains(&id))
            || self
                .topology
                .gateways
                .values()
                .any(|gateway| gateway.groups.contains(&id));
        let referenced = self.groups.values().any(|other| {
            other.id != id
                && other.vpc == group.vpc
                && other.rules.values().any(|rule| matches!(&rule.key.peer, Peer::SecurityGroup { id: peer, .. } if *peer == id))
        });
        if carried || referenced {
            return Err(ApiError::new(
                "DependencyViolation",
                format!("resource {id} has a dependent object"),
            ));
        }
        self.groups.remove(&id);
        Ok(Response::Done)
    }
}
