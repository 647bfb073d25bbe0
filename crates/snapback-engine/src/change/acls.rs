//! Calls on network ACLs (cloudtrail-shapes.md 4), all of the flat style.

use super::params::{Node, network};
use super::reading::{Reading, omitted};
use super::{DeletedRef, Edit, Touched};
use crate::event::Record;
use snapback_model::*;

/// CreateNetworkAclEntry, ReplaceNetworkAclEntry: the entry's key is (ACL, direction, number).
pub(super) fn entry_set(record: &Record) -> Reading {
    on_acl(record, |acl, request| {
        Ok(vec![Edit::EntrySet {
            acl: acl.clone(),
            key: key(request)?,
            entry: entry(request)?,
        }])
    })
}

/// DeleteNetworkAclEntry: tells no old entry.
pub(super) fn entry_removed(record: &Record) -> Reading {
    on_acl(record, |acl, request| {
        Ok(vec![Edit::EntryRemoved {
            acl: acl.clone(),
            key: key(request)?,
        }])
    })
}

/// DeleteNetworkAcl.
pub(super) fn deleted(record: &Record) -> Reading {
    on_acl(record, |acl, _| {
        Ok(vec![Edit::Deleted {
            resource: DeletedRef::Id(acl.clone().into()),
        }])
    })
}

/// CreateNetworkAcl: born with the fixed denies only.
pub(super) fn created(record: &Record) -> Reading {
    let request = Node::new(&record.request_parameters);
    let acl = Node::new(&record.response_elements).get("networkAcl");
    let Some(id) = acl.get("networkAclId").text().and_then(acl_id) else {
        return Reading::unknown(
            [],
            "the response does not tell the id of the new network ACL",
        );
    };
    let touched = [Touched::Resource(id.clone().into())];
    match born(id, acl, request) {
        Ok(acl) => Reading::known(
            touched,
            vec![Edit::Created {
                resource: Box::new(Resource::NetworkAcl(acl)),
            }],
        ),
        Err(why) => Reading::unknown(touched, why),
    }
}

/// ReplaceNetworkAclAssociation: names no subnet and no old ACL.
pub(super) fn reassociated(record: &Record) -> Reading {
    let request = Node::new(&record.request_parameters);
    let acl = request.get("networkAclId").text().and_then(acl_id);
    let association = request.get("associationId").text().map(AssociationId::new);
    let mut touched: Vec<Touched> = acl
        .iter()
        .map(|acl| Touched::Resource(acl.clone().into()))
        .collect();
    touched.extend(association.clone().map(Touched::Association));
    let (Some(acl), Some(association)) = (acl, association) else {
        let why = omitted(record)
            .unwrap_or_else(|| "`associationId` or `networkAclId` is missing".into());
        return Reading::unknown(touched, why);
    };
    let new_association = Node::new(&record.response_elements)
        .get("newAssociationId")
        .text()
        .map(AssociationId::new);
    Reading::known(
        touched,
        vec![Edit::AclReassociated {
            association,
            acl,
            new_association,
        }],
    )
}

fn on_acl(
    record: &Record,
    edits: impl FnOnce(&NetworkAclId, Node<'_>) -> Result<Vec<Edit>, String>,
) -> Reading {
    let request = Node::new(&record.request_parameters);
    let Some(acl) = request.get("networkAclId").text().and_then(acl_id) else {
        return Reading::unknown(
            [],
            omitted(record).unwrap_or_else(|| "the event names no network ACL".into()),
        );
    };
    let touched = [Touched::Resource(acl.clone().into())];
    match edits(&acl, request) {
        Ok(edits) => Reading::known(touched, edits),
        Err(why) => Reading::unknown(touched, why),
    }
}

fn born(id: NetworkAclId, acl: Node<'_>, request: Node<'_>) -> Result<NetworkAcl, String> {
    let vpc = acl
        .get("vpcId")
        .text()
        .or_else(|| request.get("vpcId").text())
        .ok_or("`vpcId` is missing")?;
    let tags = acl.get("tagSet").tags();
    let mut entries = std::collections::BTreeMap::new();
    for node in acl.get("entrySet").list() {
        // The fixed denies (32767, 32768) are no editable entries.
        if node
            .get("ruleNumber")
            .integer()
            .is_some_and(|number| number > i64::from(RuleNumber::MAX))
        {
            continue;
        }
        entries.insert(key(node)?, entry(node)?);
    }
    let subnets = acl
        .get("associationSet")
        .list()
        .into_iter()
        .filter_map(|node| node.get("subnetId").text());
    Ok(NetworkAcl {
        id,
        vpc: VpcId::new(vpc),
        owner: acl.get("ownerId").account(),
        is_default: acl
            .any(&["isDefault", "default"])
            .boolean()
            .unwrap_or(false),
        tags: if tags.is_empty() {
            request.tags_for("network-acl")
        } else {
            tags
        },
        entries,
        subnets: subnets.map(SubnetId::new).collect(),
    })
}

fn key(node: Node<'_>) -> Result<EntryKey, String> {
    let number = node.need("ruleNumber")?;
    let egress = node.get("egress").boolean().ok_or("`egress` is missing")?;
    let number = number
        .parse()
        .ok()
        .and_then(RuleNumber::new)
        .ok_or_else(|| format!("`ruleNumber` is `{number}`, not a number from 1 to 32766"))?;
    Ok(EntryKey {
        direction: Direction::from_egress(egress),
        number,
    })
}

fn entry(node: Node<'_>) -> Result<NetworkAclEntry, String> {
    let action = match node.need("ruleAction")?.to_ascii_lowercase().as_str() {
        "allow" => RuleAction::Allow,
        "deny" => RuleAction::Deny,
        other => return Err(format!("`ruleAction` is `{other}`, neither allow nor deny")),
    };
    let cidr = node
        .any(&["cidrBlock", "ipv6CidrBlock"])
        .text()
        .ok_or("`cidrBlock` is missing")?;
    let cidr = network(&cidr)?;
    let protocol = node
        .any(&["aclProtocol", "protocol"])
        .text()
        .ok_or("`aclProtocol` is missing")?;
    let (icmp, ports) = (node.any(&["icmpTypeCode", "icmp"]), node.get("portRange"));
    let traffic = match protocol.as_str() {
        "1" | "icmp" => Traffic::new(
            &protocol,
            icmp.get("type").integer(),
            icmp.get("code").integer(),
        ),
        // ICMPv6 with an IPv4 network matches every type (semantics A3).
        "58" | "icmpv6" if cidr.addr().is_ipv4() => Traffic::new(&protocol, None, None),
        "58" | "icmpv6" => Traffic::new(
            &protocol,
            icmp.get("type").integer(),
            icmp.get("code").integer(),
        ),
        _ => Traffic::new(
            &protocol,
            ports.get("from").integer(),
            ports.get("to").integer(),
        ),
    };
    Ok(NetworkAclEntry::new(
        action,
        traffic.map_err(|error| error.to_string())?,
        cidr,
    ))
}

fn acl_id(text: String) -> Option<NetworkAclId> {
    text.starts_with("acl-").then(|| NetworkAclId::new(text))
}
