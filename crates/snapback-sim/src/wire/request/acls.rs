//! Network ACL calls.

use super::{exactly_one, invalid, network, tags};
use crate::account::ApiError;
use crate::call::Call;
use crate::wire::form::Fields;
use snapback_model::*;

pub(super) fn call(action: &str, fields: &Fields<'_>) -> Option<Result<Call, ApiError>> {
    Some(match action {
        "CreateNetworkAclEntry" => {
            entry(fields).map(|(acl, key, entry)| Call::CreateNetworkAclEntry { acl, key, entry })
        }
        "ReplaceNetworkAclEntry" => {
            entry(fields).map(|(acl, key, entry)| Call::ReplaceNetworkAclEntry { acl, key, entry })
        }
        "DeleteNetworkAclEntry" => delete_entry(fields),
        "ReplaceNetworkAclAssociation" => replace_association(fields),
        "CreateNetworkAcl" => create(fields),
        "DeleteNetworkAcl" => fields
            .id("NetworkAclId")
            .map(|acl| Call::DeleteNetworkAcl { acl }),
        _ => return None,
    })
}

fn key(fields: &Fields<'_>) -> Result<EntryKey, ApiError> {
    let egress = match fields.flag("Egress")? {
        Some(egress) => egress,
        None => fields.required_parsed("Egress")?,
    };
    let number = fields.required_parsed::<i64>("RuleNumber")?;
    let number =
        RuleNumber::new(number).ok_or_else(|| invalid("ruleNumber", &number.to_string()))?;
    Ok(EntryKey {
        direction: Direction::from_egress(egress),
        number,
    })
}

fn entry(fields: &Fields<'_>) -> Result<(NetworkAclId, EntryKey, NetworkAclEntry), ApiError> {
    let acl = fields.id("NetworkAclId")?;
    let key = key(fields)?;
    let action = match fields.required("RuleAction")?.to_ascii_lowercase().as_str() {
        "allow" => RuleAction::Allow,
        "deny" => RuleAction::Deny,
        other => return Err(invalid("ruleAction", other)),
    };
    let v4 = network(fields, "CidrBlock", false)?.map(|net| ("CidrBlock", net));
    let v6 = network(fields, "Ipv6CidrBlock", true)?.map(|net| ("Ipv6CidrBlock", net));
    let cidr = exactly_one(
        v4.into_iter().chain(v6).collect(),
        "CidrBlock, Ipv6CidrBlock",
    )?;
    Ok((
        acl,
        key,
        NetworkAclEntry::new(action, traffic(fields)?, cidr),
    ))
}

fn pair(
    fields: &Fields<'_>,
    holder: &str,
    names: (&str, &str),
) -> Result<(Option<i64>, Option<i64>), ApiError> {
    match fields.below(holder) {
        Some(below) => Ok((below.parsed(names.0)?, below.parsed(names.1)?)),
        None => Ok((None, None)),
    }
}

/// Protocol with its ports, or its ICMP type and code, each from its own member.
fn traffic(fields: &Fields<'_>) -> Result<Traffic, ApiError> {
    let protocol = fields.required("Protocol")?;
    let named = Traffic::new(protocol, None, None).map_err(|_| invalid("protocol", protocol))?;
    let ports = pair(fields, "PortRange", ("From", "To"))?;
    let icmp = pair(fields, "Icmp", ("Type", "Code"))?;
    let (from, to) = match named {
        Traffic::Tcp(_) | Traffic::Udp(_) => match ports {
            (Some(from), Some(to)) => (Some(from), Some(to)),
            _ => {
                return Err(ApiError::new(
                    "InvalidParameterValue",
                    "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
                ));
            }
        },
        Traffic::Icmp(_) | Traffic::Icmpv6(_) => icmp,
        Traffic::All | Traffic::Protocol(_) => (None, None),
    };
    Traffic::new(protocol, from, to).map_err(|_| {
        ApiError::new(
            "InvalidParameterValue",
            format!("Invalid port range for protocol {protocol}: {from:?} to {to:?}"),
        )
    })
}

fn delete_entry(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::DeleteNetworkAclEntry {
        acl: fields.id("NetworkAclId")?,
        key: key(fields)?,
    })
}

fn replace_association(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::ReplaceNetworkAclAssociation {
        association: fields.id("AssociationId")?,
        acl: fields.id("NetworkAclId")?,
    })
}

fn create(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::CreateNetworkAcl {
        vpc: fields.id("VpcId")?,
        tags: tags(fields, "network-acl")?,
    })
}
