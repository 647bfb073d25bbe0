//! Describe calls: each kind of thing as one listing, with its ids, filters and page sizes.
//!
//! Items are JSON in the SDK's member names: the same that `aws ec2 describe-*` prints.

mod acls;
mod gateways;
mod groups;
mod lists;
mod network;
mod tables;
mod watch;

pub(super) use acls::acl;
pub(super) use gateways::gateway;
pub(super) use groups::rule;
pub(super) use lists::list;
pub(super) use network::{interface, subnet, vpc};
pub(super) use tables::table;
pub(super) use watch::block_public_access;

use super::filter::{self, Filters};
use super::form::Fields;
use super::page::{Sizes, page};
use crate::account::{Account, ApiError};
use serde_json::{Map, Value, json};
use snapback_model::Tags;

/// A parameter that names items.
struct Ids {
    /// Its name in the request.
    parameter: &'static str,
    /// The member it is compared with.
    member: &'static str,
    /// EC2's code for one that does not exist.
    code: &'static str,
    /// EC2's word for the kind.
    what: &'static str,
}

/// One describe action.
pub(super) struct Listing {
    pub action: &'static str,
    /// The list in the answer.
    pub member: &'static str,
    /// What an item is known by, and ordered by.
    pub key: &'static [&'static str],
    ids: &'static [Ids],
    /// Page sizes; none where EC2 has no pages.
    sizes: Option<Sizes>,
    filters: Filters,
    pub items: fn(&Account) -> Vec<Value>,
}

const PAGE: Option<Sizes> = Some((5, 1000));

/// Every listing.
pub(super) const LISTINGS: &[&Listing] = &[
    &groups::GROUPS,
    &groups::RULES,
    &acls::ACLS,
    &tables::TABLES,
    &network::VPCS,
    &network::SUBNETS,
    &network::INTERFACES,
    &gateways::INTERNET,
    &gateways::EGRESS_ONLY,
    &gateways::NAT,
    &gateways::VPN,
    &gateways::PEERINGS,
    &gateways::TRANSIT,
    &gateways::ATTACHMENTS,
    &gateways::VPC_ATTACHMENTS,
    &gateways::ENDPOINTS,
    &lists::MANAGED,
    &lists::ALL,
    &watch::FLOW_LOGS,
    &watch::EXCLUSIONS,
    &watch::ADDRESSES,
    &TAGS,
];

const TAGS: Listing = Listing {
    action: "DescribeTags",
    member: "Tags",
    key: &["ResourceId", "Key"],
    ids: &[],
    sizes: PAGE,
    filters: &[
        ("key", "Key"),
        ("resource-id", "ResourceId"),
        ("resource-type", "ResourceType"),
        ("value", "Value"),
    ],
    items: tags_of_everything,
};

/// The reads that are no listing.
const OTHERS: [&str; 3] = [
    "GetManagedPrefixListEntries",
    "DescribeStaleSecurityGroups",
    "DescribeVpcBlockPublicAccessOptions",
];

/// Whether an action is a read that is known here.
pub(super) fn is_read(action: &str) -> bool {
    OTHERS.contains(&action) || LISTINGS.iter().any(|listing| listing.action == action)
}

/// The answer to a read.
pub(super) fn read(
    account: &Account,
    action: &str,
    fields: &Fields<'_>,
) -> Result<Value, ApiError> {
    match action {
        "GetManagedPrefixListEntries" => lists::entries(account, fields),
        "DescribeStaleSecurityGroups" => watch::stale(account, fields),
        "DescribeVpcBlockPublicAccessOptions" => Ok(watch::block_public_access(account)),
        _ => match LISTINGS.iter().find(|listing| listing.action == action) {
            Some(listing) => listing.read(account, fields),
            None => Err(super::unknown_action(action)),
        },
    }
}

/// Everything, as a folder of describe files would say it in one.
pub(super) fn state(account: &Account) -> Value {
    let mut state = Map::new();
    for listing in LISTINGS {
        let held = matches!(
            listing.action,
            "DescribeTags" | "DescribePrefixLists" | "DescribeTransitGatewayAttachments"
        );
        if !held {
            let mut items = (listing.items)(account);
            if listing.action == "DescribeManagedPrefixLists" {
                items
                    .iter_mut()
                    .for_each(|item| lists::add_entries(account, item));
            }
            state.insert(listing.member.to_owned(), Value::Array(items));
        }
    }
    if let Value::Object(options) = watch::block_public_access(account) {
        state.extend(options);
    }
    state.insert(
        "StaleSecurityGroupSet".into(),
        Value::Array(watch::stale_of_all(account)),
    );
    Value::Object(state)
}

impl Listing {
    fn key_of(&self, item: &Value) -> String {
        let parts = self.key.iter().map(|member| text(item, member));
        parts.collect::<Vec<_>>().join("\u{1f}")
    }

    fn read(&self, account: &Account, fields: &Fields<'_>) -> Result<Value, ApiError> {
        if self.action == "DescribeNetworkInterfaces" {
            // All interfaces are shown in any case, those that AWS manages too.
            fields.flag("IncludeManagedResources")?;
        }
        let items = (self.items)(account);
        let items = self.named(fields, items)?;
        let items = filter::apply(fields, self.filters, items)?;
        self.answer(fields, items)
    }

    /// Only the items whose ids the request names; each of them must exist.
    fn named(&self, fields: &Fields<'_>, mut items: Vec<Value>) -> Result<Vec<Value>, ApiError> {
        for ids in self.ids {
            let asked = fields.texts(ids.parameter);
            if asked.is_empty() {
                continue;
            }
            for id in &asked {
                if !items.iter().any(|item| text(item, ids.member) == *id) {
                    return Err(ApiError::new(
                        ids.code,
                        format!("The {} ID '{id}' does not exist", ids.what),
                    ));
                }
            }
            items.retain(|item| asked.contains(&text(item, ids.member).as_str()));
        }
        Ok(items)
    }

    fn answer(&self, fields: &Fields<'_>, mut items: Vec<Value>) -> Result<Value, ApiError> {
        items.sort_by_cached_key(|item| self.key_of(item));
        let Some(sizes) = self.sizes else {
            return Ok(json!({ self.member: items }));
        };
        let page = page(self.action, sizes, fields, items, |item| self.key_of(item))?;
        let mut answer = Map::from_iter([(self.member.to_owned(), Value::Array(page.items))]);
        answer.extend(page.next.map(|next| ("NextToken".to_owned(), json!(next))));
        Ok(Value::Object(answer))
    }
}

/// A text member of an item; empty where there is none.
fn text(item: &Value, member: &str) -> String {
    item.get(member)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Without the members that have no value.
pub(super) fn shown(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, shown(value)))
                .collect(),
        ),
        Value::Array(elements) => Value::Array(elements.into_iter().map(shown).collect()),
        other => other,
    }
}

pub(super) fn tag_list(tags: &Tags) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// The listings whose items carry tags, with EC2's word for the kind.
const TAGGED: [(&Listing, &str); 15] = [
    (&groups::GROUPS, "security-group"),
    (&groups::RULES, "security-group-rule"),
    (&acls::ACLS, "network-acl"),
    (&tables::TABLES, "route-table"),
    (&network::VPCS, "vpc"),
    (&network::SUBNETS, "subnet"),
    (&network::INTERFACES, "network-interface"),
    (&gateways::INTERNET, "internet-gateway"),
    (&gateways::EGRESS_ONLY, "egress-only-internet-gateway"),
    (&gateways::NAT, "natgateway"),
    (&gateways::VPN, "vpn-gateway"),
    (&gateways::PEERINGS, "vpc-peering-connection"),
    (&gateways::ENDPOINTS, "vpc-endpoint"),
    (&watch::FLOW_LOGS, "vpc-flow-log"),
    (&watch::ADDRESSES, "elastic-ip"),
];

fn tags_of_everything(account: &Account) -> Vec<Value> {
    let mut found = names_of_instances(account);
    for (listing, kind) in TAGGED {
        let id_member = listing.key.first().copied().unwrap_or_default();
        for item in (listing.items)(account) {
            let tags = item.get("Tags").or_else(|| item.get("TagSet"));
            for tag in tags.and_then(Value::as_array).into_iter().flatten() {
                found.push(json!({
                    "ResourceId": text(&item, id_member),
                    "ResourceType": kind,
                    "Key": text(tag, "Key"),
                    "Value": text(tag, "Value"),
                }));
            }
        }
    }
    found
}

/// Of instances the model holds nothing but their names, at their interfaces.
fn names_of_instances(account: &Account) -> Vec<Value> {
    let interfaces = account.topology.interfaces.values();
    let named: std::collections::BTreeMap<_, _> = interfaces
        .filter_map(|interface| {
            Some((
                interface.instance.as_ref()?,
                interface.instance_name.as_ref()?,
            ))
        })
        .collect();
    named
        .into_iter()
        .map(|(id, name)| {
            json!({"ResourceId": id, "ResourceType": "instance", "Key": "Name", "Value": name})
        })
        .collect()
}
