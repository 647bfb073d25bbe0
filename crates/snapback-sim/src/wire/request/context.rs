//! Tags, subnets, interfaces, prefix lists.

use super::{check_keys, exactly_one, network, tag_list, tags};
use crate::account::{Account, ApiError};
use crate::call::Call;
use crate::wire::form::{Fields, invalid};
use ipnet::IpNet;
use snapback_model::*;

pub(super) fn call(
    action: &str,
    fields: &Fields<'_>,
    account: &Account,
) -> Option<Result<Call, ApiError>> {
    Some(match action {
        "CreateTags" => create_tags(fields),
        "DeleteTags" => delete_tags(fields),
        "CreateSubnet" => create_subnet(fields, account),
        "CreateNetworkInterface" => create_interface(fields),
        "DeleteNetworkInterface" => fields
            .id("NetworkInterfaceId")
            .map(|interface| Call::DeleteNetworkInterface { interface }),
        "ModifyNetworkInterfaceAttribute" => modify_interface(fields),
        "ModifyManagedPrefixList" => modify_list(fields),
        _ => return None,
    })
}

fn targets(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    let targets: Vec<String> = fields.ids("ResourceId");
    if targets.is_empty() {
        fields.required("ResourceId")?;
    }
    Ok(targets)
}

fn create_tags(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let tags = tag_list(fields)?;
    check_keys(&tags)?;
    if tags.is_empty() {
        fields.required("Tag")?;
    }
    Ok(Call::CreateTags {
        targets: targets(fields)?,
        tags,
    })
}

/// A tag without a value goes whatever its value; one with an empty value only if that is its value.
fn delete_tags(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let mut tags = std::collections::BTreeMap::new();
    for tag in fields.list("Tag") {
        let value = tag.text("Value").map(str::to_owned);
        tags.insert(tag.required("Key")?.to_owned(), value);
    }
    Ok(Call::DeleteTags {
        targets: targets(fields)?,
        tags,
    })
}

/// The zone is the Region's first where none is named.
fn create_subnet(fields: &Fields<'_>, account: &Account) -> Result<Call, ApiError> {
    let cidr = network(fields, "CidrBlock", false)?;
    let zone = fields.some("AvailabilityZone").map(str::to_owned);
    Ok(Call::CreateSubnet {
        vpc: fields.id("VpcId")?,
        cidr: match cidr {
            Some(cidr) => cidr,
            None => return Err(invalid("CidrBlock", fields.required("CidrBlock")?)),
        },
        zone: zone.unwrap_or_else(|| format!("{}a", account.region)),
        tags: tags(fields, "subnet")?,
    })
}

fn create_interface(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::CreateNetworkInterface {
        subnet: fields.id("SubnetId")?,
        groups: fields.ids("SecurityGroupId"),
        description: fields.text("Description").unwrap_or_default().to_owned(),
        tags: tags(fields, "network-interface")?,
    })
}

/// One call changes one attribute.
fn modify_interface(fields: &Fields<'_>) -> Result<Call, ApiError> {
    let interface: NetworkInterfaceId = fields.id("NetworkInterfaceId")?;
    let groups: Vec<SecurityGroupId> = fields.ids("SecurityGroupId");
    let mut changes = Vec::new();
    if !groups.is_empty() {
        let call = Call::ModifyNetworkInterfaceGroups {
            interface: interface.clone(),
            groups,
        };
        changes.push(("SecurityGroupId", call));
    }
    if let Some(check) = fields.below("SourceDestCheck") {
        let check = check
            .flag("Value")?
            .ok_or_else(|| invalid("SourceDestCheck.Value", ""))?;
        let call = Call::ModifyNetworkInterfaceSourceDestCheck { interface, check };
        changes.push(("SourceDestCheck", call));
    }
    exactly_one(changes, "SecurityGroupId, SourceDestCheck")
}

/// The networks of `AddEntry.N` or `RemoveEntry.N`; the model keeps no descriptions of them.
pub(super) fn entries(fields: &Fields<'_>, name: &str) -> Result<Vec<IpNet>, ApiError> {
    let mut nets = Vec::new();
    for entry in fields.list(name) {
        entry.text("Description");
        let text = entry.required("Cidr")?;
        let net = text.parse().map_err(|_| invalid(&entry.at("Cidr"), text))?;
        nets.push(net);
    }
    Ok(nets)
}

fn modify_list(fields: &Fields<'_>) -> Result<Call, ApiError> {
    Ok(Call::ModifyManagedPrefixList {
        list: fields.id("PrefixListId")?,
        current_version: fields.parsed("CurrentVersion")?,
        add: entries(fields, "AddEntry")?,
        remove: entries(fields, "RemoveEntry")?,
    })
}
