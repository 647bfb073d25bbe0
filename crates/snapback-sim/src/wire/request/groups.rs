//! Security group calls.

use super::{exactly_one, invalid, network, tags, traffic};
use crate::account::{Account, ApiError};
use crate::call::{Call, GroupBy, Permission, Revoked, RuleBy, RuleChange};
use crate::wire::form::Fields;
use snapback_model::*;

pub(super) fn call(
    action: &str,
    fields: &Fields<'_>,
    account: &Account,
) -> Option<Result<Call, ApiError>> {
    use Direction::{Egress, Ingress};
    Some(match action {
        "AuthorizeSecurityGroupIngress" => authorize(fields, account, Ingress),
        "AuthorizeSecurityGroupEgress" => authorize(fields, account, Egress),
        "RevokeSecurityGroupIngress" => revoke(fields, account, Ingress),
        "RevokeSecurityGroupEgress" => revoke(fields, account, Egress),
        "ModifySecurityGroupRules" => modify(fields),
        "UpdateSecurityGroupRuleDescriptionsIngress" => describe(fields, account, Ingress),
        "UpdateSecurityGroupRuleDescriptionsEgress" => describe(fields, account, Egress),
        "CreateSecurityGroup" => create(fields),
        "DeleteSecurityGroup" => group(fields).map(|group| Call::DeleteSecurityGroup { group }),
        _ => return None,
    })
}

fn group(fields: &Fields<'_>) -> Result<GroupBy, ApiError> {
    let by_id = fields
        .some("GroupId")
        .map(|id| ("GroupId", GroupBy::Id(id.into())));
    let by_name = fields
        .some("GroupName")
        .map(|name| ("GroupName", GroupBy::Name(name.to_owned())));
    let named = by_id.into_iter().chain(by_name).collect();
    exactly_one(named, "GroupId, GroupName")
}

/// A group that a rule names. Our own account is not told apart (the model has no owner then).
fn referenced(
    fields: &Fields<'_>,
    id: &str,
    owner: Option<&str>,
    account: &Account,
) -> Result<Peer, ApiError> {
    // Where a group lives EC2 finds out by itself.
    for told in ["VpcId", "VpcPeeringConnectionId", "PeeringStatus"] {
        fields.some(told);
    }
    if !id.starts_with("sg-") {
        return Err(ApiError::new(
            "InvalidGroupId.Malformed",
            format!("Invalid id: \"{id}\" (expecting \"sg-...\")"),
        ));
    }
    Ok(Peer::SecurityGroup {
        id: id.into(),
        owner: owner
            .filter(|owner| *owner != account.id.as_str())
            .map(AccountId::from),
    })
}

fn text(fields: &Fields<'_>) -> Option<String> {
    fields.some("Description").map(str::to_owned)
}

/// The peers of one permission, in the order of EC2's four lists.
fn peers(fields: &Fields<'_>, account: &Account) -> Result<Vec<(Peer, Option<String>)>, ApiError> {
    let mut peers = Vec::new();
    for (list, member, is_v6) in [
        ("IpRanges", "CidrIp", false),
        ("Ipv6Ranges", "CidrIpv6", true),
    ] {
        for range in fields.list(list) {
            let net =
                network(&range, member, is_v6)?.ok_or_else(|| invalid(&range.at(member), ""))?;
            peers.push((Peer::cidr(net), text(&range)));
        }
    }
    for reference in fields.list("PrefixListIds") {
        let list = Peer::PrefixList(reference.id("PrefixListId")?);
        peers.push((list, text(&reference)));
    }
    for pair in fields.list("Groups") {
        let id = match (pair.some("GroupId"), pair.some("GroupName")) {
            (Some(id), _) => id,
            (None, Some(name)) => named_group(account, name)?,
            (None, None) => pair.required("GroupId")?,
        };
        let peer = referenced(&pair, id, pair.some("UserId"), account)?;
        peers.push((peer, text(&pair)));
    }
    Ok(peers)
}

/// A group named by name: found in the default VPC only.
fn named_group<'a>(account: &'a Account, name: &str) -> Result<&'a str, ApiError> {
    let in_default = |vpc: &VpcId| {
        let vpc = account.topology.vpcs.get(vpc);
        vpc.is_some_and(|vpc| vpc.is_default)
    };
    account
        .groups
        .values()
        .find(|group| group.name == name && in_default(&group.vpc))
        .map(|group| group.id.as_str())
        .ok_or_else(|| {
            ApiError::new(
                "InvalidGroup.NotFound",
                format!("The security group '{name}' does not exist"),
            )
        })
}

fn ported(fields: &Fields<'_>) -> Result<Traffic, ApiError> {
    let protocol = fields.required("IpProtocol")?;
    let (from, to) = (fields.parsed("FromPort")?, fields.parsed("ToPort")?);
    traffic(fields, protocol, from, to)
}

/// The permissions of a request, and whether they came in the short form
/// (`--protocol --port --cidr`).
fn permissions(
    fields: &Fields<'_>,
    account: &Account,
) -> Result<(Vec<Permission>, bool), ApiError> {
    let mut list = Vec::new();
    for item in fields.list("IpPermissions") {
        list.push(Permission {
            traffic: ported(&item)?,
            peers: peers(&item, account)?,
        });
    }
    if fields.some("IpProtocol").is_none() {
        return Ok((list, false));
    }
    if !list.is_empty() {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            "The parameters ipPermissions and ipProtocol cannot be used together",
        ));
    }
    let by_group = fields.some("SourceSecurityGroupName");
    let owner = fields.some("SourceSecurityGroupOwnerId");
    let peer = match (network(fields, "CidrIp", false)?, by_group) {
        (Some(net), _) => Peer::cidr(net),
        (None, Some(name)) if name.starts_with("sg-") => referenced(fields, name, owner, account)?,
        (None, Some(name)) => {
            let id = named_group(account, name)?;
            referenced(fields, id, owner, account)?
        }
        (None, None) => return Err(invalid("CidrIp", "")),
    };
    let permission = Permission {
        traffic: ported(fields)?,
        peers: vec![(peer, None)],
    };
    Ok((vec![permission], true))
}

fn authorize(
    fields: &Fields<'_>,
    account: &Account,
    direction: Direction,
) -> Result<Call, ApiError> {
    let (permissions, short) = permissions(fields, account)?;
    Ok(Call::AuthorizeSecurityGroup {
        group: group(fields)?,
        direction,
        permissions,
        short,
        tags: tags(fields, "security-group-rule")?,
    })
}

fn revoke(fields: &Fields<'_>, account: &Account, direction: Direction) -> Result<Call, ApiError> {
    let ids: Vec<SecurityGroupRuleId> = fields.ids("SecurityGroupRuleId");
    let (permissions, short) = permissions(fields, account)?;
    let rules = match (ids.is_empty(), permissions.is_empty()) {
        (false, true) => Revoked::Ids(ids),
        (true, false) => Revoked::Content { permissions, short },
        (true, true) => {
            return Err(ApiError::new(
                "MissingParameter",
                "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
            ));
        }
        (false, false) => {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "The parameters ipPermissions and securityGroupRuleIds cannot be used together",
            ));
        }
    };
    Ok(Call::RevokeSecurityGroup {
        group: group(fields)?,
        direction,
        rules,
    })
}

fn modify(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let mut changes = Vec::new();
    for update in fields.list("SecurityGroupRule") {
        let id = update.id("SecurityGroupRuleId")?;
        let rule = update
            .below("SecurityGroupRule")
            .ok_or_else(|| invalid(&update.at("SecurityGroupRule"), ""))?;
        changes.push(RuleChange {
            id,
            traffic: ported(&rule)?,
            peer: request_peer(&rule)?,
            description: text(&rule),
        });
    }
    if changes.is_empty() {
        fields.required("SecurityGroupRule")?;
    }
    Ok(Call::ModifySecurityGroupRules {
        group: fields.id("GroupId")?,
        changes,
    })
}

/// The one peer of a `SecurityGroupRuleRequest`.
fn request_peer(rule: &Fields<'_>) -> Result<Peer, ApiError> {
    let v4 = network(rule, "CidrIpv4", false)?.map(|net| ("CidrIpv4", Peer::cidr(net)));
    let v6 = network(rule, "CidrIpv6", true)?.map(|net| ("CidrIpv6", Peer::cidr(net)));
    let list = rule
        .some("PrefixListId")
        .map(|id| ("PrefixListId", Peer::PrefixList(id.into())));
    let group = rule.some("ReferencedGroupId").map(|id| {
        let peer = Peer::SecurityGroup {
            id: id.into(),
            owner: None,
        };
        ("ReferencedGroupId", peer)
    });
    let named = [v4, v6, list, group].into_iter().flatten().collect();
    exactly_one(named, "CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupId")
}

fn describe(
    fields: &Fields<'_>,
    account: &Account,
    direction: Direction,
) -> Result<Call, ApiError> {
    let mut descriptions = Vec::new();
    for permission in permissions(fields, account)?.0 {
        for (peer, text) in permission.peers {
            let key = RuleKey {
                direction,
                traffic: permission.traffic,
                peer,
            };
            descriptions.push((RuleBy::Key(key), text));
        }
    }
    for item in fields.list("SecurityGroupRuleDescription") {
        let id = item.id("SecurityGroupRuleId")?;
        descriptions.push((RuleBy::Id(id), text(&item)));
    }
    if descriptions.is_empty() {
        return Err(ApiError::new(
            "MissingParameter",
            "Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided.",
        ));
    }
    Ok(Call::UpdateSecurityGroupRuleDescriptions {
        group: group(fields)?,
        direction,
        descriptions,
    })
}

fn create(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let tags = tags(fields, "security-group")?;
    Ok(Call::CreateSecurityGroup {
        name: fields.required("GroupName")?.to_owned(),
        description: fields.required("GroupDescription")?.to_owned(),
        vpc: fields.some("VpcId").map(VpcId::from),
        tags,
    })
}
