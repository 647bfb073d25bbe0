//! Calls on what surrounds the guarded resources (cloudtrail-shapes.md 6, 7): gateways, endpoints,
//! prefix lists, peerings, interfaces, subnets, VPCs, flow logs.

use super::params::Node;
use super::reading::Reading;
use super::{Edits, Touched};
use crate::event::Record;
use serde_json::Value;
use snapback_model::ResourceId;
use std::collections::BTreeSet;

/// A call on context of this kind (an AWS noun in kebab case). What it points at is every id in the
/// request and response; where there is none, the account stands.
pub(super) fn about(record: &Record, what: &str) -> Option<Reading> {
    let mut touched = BTreeSet::new();
    for parameters in [&record.request_parameters, &record.response_elements] {
        scan(parameters, GroupIs::Context, &mut touched);
    }
    let has_own = touched
        .iter()
        .any(|touched| matches!(touched, Touched::Context { what: found, .. } if found == what));
    if !has_own {
        let account = record
            .account
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        touched.insert(Touched::Context {
            what: what.to_owned(),
            id: account,
        });
    }
    let edits = match touched
        .iter()
        .any(|touched| matches!(touched, Touched::Resource(_)))
    {
        // A gateway endpoint's routes, a route server's propagation: EC2 edits the tables by itself.
        true => Edits::Unknown {
            why: format!(
                "{} makes EC2 edit route tables by itself; the event does not carry the edits",
                record.name
            ),
        },
        false => Edits::Context,
    };
    Some(Reading { touched, edits })
}

/// A Modify*Attribute call: context only where one of these attributes was set (or the request was
/// omitted), else no network change at all.
pub(super) fn attribute(record: &Record, what: &str, attributes: &[&str]) -> Option<Reading> {
    let request = Node::new(&record.request_parameters);
    let matters = record.request_parameters.is_null()
        || attributes.iter().any(|name| !request.get(name).is_empty())
        || request
            .get("attribute")
            .text()
            .is_some_and(|name| attributes.contains(&name.as_str()));
    if matters { about(record, what) } else { None }
}

/// AssociateSecurityGroupVpc, DisassociateSecurityGroupVpc: the group applies in another VPC; its rules stay.
pub(super) fn group_vpc(record: &Record) -> Option<Reading> {
    let mut touched = BTreeSet::new();
    scan(&record.request_parameters, GroupIs::Resource, &mut touched);
    if touched.is_empty() {
        return about(record, "security-group-vpc-association");
    }
    Some(Reading {
        touched,
        edits: Edits::Context,
    })
}

/// Every guarded resource and context id anywhere in a record: for calls whose shape was not understood.
pub(super) fn anything(record: &Record) -> BTreeSet<Touched> {
    let mut touched = BTreeSet::new();
    for parameters in [&record.request_parameters, &record.response_elements] {
        scan(parameters, GroupIs::Resource, &mut touched);
    }
    touched
}

/// What a security group id found by a scan is: the edited thing, or one that an interface carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GroupIs {
    Resource,
    Context,
}

/// Collects ids by their prefix, wherever they stand; texts that people write are left out.
fn scan(value: &Value, group_is: GroupIs, touched: &mut BTreeSet<Touched>) {
    match value {
        Value::String(text) => touched.extend(by_prefix(text, group_is)),
        Value::Array(list) => list.iter().for_each(|value| scan(value, group_is, touched)),
        Value::Object(map) => {
            for (name, value) in map {
                if !is_prose(name) {
                    scan(value, group_is, touched);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_prose(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    member.starts_with("tag")
        || member.ends_with("name")
        || matches!(
            member.as_str(),
            "description" | "policydocument" | "clienttoken" | "userdata"
        )
}

const NOUNS: [(&str, &str); 27] = [
    ("cagw", "carrier-gateway"),
    ("cvpn-endpoint", "client-vpn-endpoint"),
    ("eigw", "egress-only-internet-gateway"),
    ("eipalloc", "elastic-ip"),
    ("eipassoc", "elastic-ip-association"),
    ("eni", "network-interface"),
    ("fl", "flow-log"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("lgw", "local-gateway"),
    ("nat", "nat-gateway"),
    ("pcx", "vpc-peering-connection"),
    ("pl", "prefix-list"),
    ("rs", "route-server"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("subnet", "subnet"),
    ("subnet-cidr-assoc", "subnet-cidr-association"),
    ("tgw", "transit-gateway"),
    ("tgw-attach", "transit-gateway-attachment"),
    ("tgw-rtb", "transit-gateway-route-table"),
    ("vgw", "vpn-gateway"),
    ("vpc", "vpc"),
    ("vpc-cidr-assoc", "vpc-cidr-association"),
    ("vpcbpa-exclude", "vpc-block-public-access-exclusion"),
    ("vpce", "vpc-endpoint"),
    ("vpn", "vpn-connection"),
];

fn by_prefix(text: &str, group_is: GroupIs) -> Option<Touched> {
    let (prefix, suffix) = text.rsplit_once('-')?;
    if suffix.is_empty()
        || suffix.len() > 32
        || !suffix.chars().all(|letter| letter.is_ascii_alphanumeric())
    {
        return None;
    }
    let is_resource =
        matches!(prefix, "acl" | "rtb") || (prefix == "sg" && group_is == GroupIs::Resource);
    if is_resource {
        return text.parse::<ResourceId>().ok().map(Touched::Resource);
    }
    let (_, what) = NOUNS.iter().find(|(known, _)| *known == prefix)?;
    Some(Touched::Context {
        what: (*what).to_owned(),
        id: text.to_owned(),
    })
}
