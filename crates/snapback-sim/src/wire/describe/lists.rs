//! Prefix lists and their entries.

use super::{Ids, Listing, shown};
use crate::account::{Account, ApiError};
use crate::wire::form::{Fields, invalid};
use ipnet::IpNet;
use serde_json::{Value, json};
use snapback_model::*;

const BY_ID: &[Ids] = &[Ids {
    parameter: "PrefixListId",
    member: "PrefixListId",
    code: "InvalidPrefixListID.NotFound",
    what: "prefix list",
}];

pub(super) const MANAGED: Listing = Listing {
    action: "DescribeManagedPrefixLists",
    member: "PrefixLists",
    key: &["PrefixListId"],
    ids: BY_ID,
    sizes: Some((1, 100)),
    filters: &[
        ("owner-id", "OwnerId"),
        ("prefix-list-id", "PrefixListId"),
        ("prefix-list-name", "PrefixListName"),
    ],
    items: |account| {
        account
            .topology
            .prefix_lists
            .values()
            .map(|held| list(account, held))
            .collect()
    },
};

/// Only AWS's own lists, with their networks.
pub(super) const ALL: Listing = Listing {
    action: "DescribePrefixLists",
    member: "PrefixLists",
    key: &["PrefixListId"],
    ids: BY_ID,
    sizes: Some((5, 1000)),
    filters: &[
        ("prefix-list-id", "PrefixListId"),
        ("prefix-list-name", "PrefixListName"),
    ],
    items: services,
};

const ENTRIES: Listing = Listing {
    action: "GetManagedPrefixListEntries",
    member: "Entries",
    key: &["Cidr"],
    ids: &[],
    sizes: Some((1, 100)),
    filters: &[],
    items: |_| Vec::new(),
};

/// One list. One without a version is AWS's own; its family is that of its networks.
pub(in crate::wire) fn list(account: &Account, held: &PrefixList) -> Value {
    let entries = held.entries.iter().flatten();
    let mut families = entries.map(|net| matches!(net, IpNet::V6(_)));
    let owner = match held.version {
        Some(_) => account.id.as_str(),
        None => "AWS",
    };
    let arn_owner = if owner == "AWS" { "aws" } else { owner };
    shown(json!({
        "PrefixListId": held.id,
        "PrefixListName": held.name,
        "AddressFamily": if families.next() == Some(true) { "IPv6" } else { "IPv4" },
        "State": held.version.map(|version| if version == 1 { "create-complete" } else { "modify-complete" }),
        "PrefixListArn": format!("arn:aws:ec2:{}:{arn_owner}:prefix-list/{}", account.region, held.id),
        "MaxEntries": held.max_entries,
        "Version": held.version,
        "OwnerId": owner,
        "Tags": [],
    }))
}

fn networks(held: &PrefixList) -> Vec<String> {
    let entries = held.entries.iter().flatten();
    entries.map(ToString::to_string).collect()
}

fn services(account: &Account) -> Vec<Value> {
    let lists = account.topology.prefix_lists.values();
    lists
        .filter(|held| held.version.is_none())
        .map(|held| {
            shown(json!({
                "PrefixListId": held.id,
                "PrefixListName": held.name,
                "Cidrs": networks(held),
            }))
        })
        .collect()
}

fn entry_items(held: &PrefixList) -> Vec<Value> {
    let networks = networks(held).into_iter();
    networks.map(|net| json!({"Cidr": net})).collect()
}

/// Puts the networks into an item, as our describe files hold them beside the list.
pub(super) fn add_entries(account: &Account, item: &mut Value) {
    let id = PrefixListId::new(super::text(item, "PrefixListId"));
    if let (Value::Object(members), Some(held)) = (item, account.topology.prefix_lists.get(&id))
        && held.entries.is_some()
    {
        members.insert("Entries".into(), Value::Array(entry_items(held)));
    }
}

/// GetManagedPrefixListEntries. Only the current version is kept here.
pub(super) fn entries(account: &Account, fields: &Fields<'_>) -> Result<Value, ApiError> {
    let id: PrefixListId = fields.id("PrefixListId")?;
    let held = account.topology.prefix_lists.get(&id).ok_or_else(|| {
        ApiError::new(
            "InvalidPrefixListID.NotFound",
            format!("The prefix list ID '{id}' does not exist"),
        )
    })?;
    let version = fields.parsed::<i64>("TargetVersion")?;
    if let Some(version) = version.filter(|version| held.version != Some(*version)) {
        return Err(invalid("TargetVersion", &version.to_string()));
    }
    ENTRIES.answer(fields, entry_items(held))
}
