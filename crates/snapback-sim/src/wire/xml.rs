//! EC2's XML from values in the SDK's member names.
//!
//! Everything an answer holds is one JSON value with the names that SDKs, describe files and our
//! readers use; on the wire EC2 writes other names for some of them, listed here.

use serde_json::Value;
use std::fmt::Write as _;

/// Members whose name on the wire is not the SDK's name with a small first letter.
const NAMES: &[(&str, &str)] = &[
    ("Addresses", "addressesSet"),
    ("Associations", "associationSet"),
    ("Attachments", "attachmentSet"),
    ("Cidrs", "cidrSet"),
    ("DnsEntries", "dnsEntrySet"),
    ("EgressOnlyInternetGateways", "egressOnlyInternetGatewaySet"),
    ("Entries", "entrySet"),
    ("FlowLogs", "flowLogSet"),
    ("Groups", "groupSet"),
    ("InternetGateways", "internetGatewaySet"),
    ("Ipv6Addresses", "ipv6AddressesSet"),
    ("NatGatewayAddresses", "natGatewayAddressSet"),
    ("NatGateways", "natGatewaySet"),
    ("NetworkAcls", "networkAclSet"),
    ("NetworkInterfaceIds", "networkInterfaceIdSet"),
    ("NetworkInterfaces", "networkInterfaceSet"),
    ("PrefixLists", "prefixListSet"),
    ("PrivateIpAddresses", "privateIpAddressesSet"),
    ("PropagatingVgws", "propagatingVgwSet"),
    ("RevokedSecurityGroupRules", "revokedSecurityGroupRuleSet"),
    ("RouteTableIds", "routeTableIdSet"),
    ("RouteTables", "routeTableSet"),
    ("Routes", "routeSet"),
    ("SecurityGroupRules", "securityGroupRuleSet"),
    ("SecurityGroups", "securityGroupInfo"),
    ("StaleSecurityGroupSet", "staleSecurityGroupSet"),
    ("SubnetIds", "subnetIdSet"),
    ("Subnets", "subnetSet"),
    ("Tags", "tagSet"),
    ("TransitGateways", "transitGatewaySet"),
    ("UnknownIpPermissions", "unknownIpPermissionSet"),
    ("UserIdGroupPairs", "groups"),
    ("VpcAttachment", "attachment"),
    ("VpcAttachments", "attachments"),
    (
        "VpcBlockPublicAccessExclusions",
        "vpcBlockPublicAccessExclusionSet",
    ),
    ("VpcEndpoints", "vpcEndpointSet"),
    ("VpcPeeringConnections", "vpcPeeringConnectionSet"),
    ("Vpcs", "vpcSet"),
    ("VpnGateways", "vpnGatewaySet"),
];

/// Members whose name on the wire depends on what holds them.
const NAMES_BELOW: &[(&str, &str, &str)] = &[
    ("SecurityGroups", "Description", "groupDescription"),
    ("NetworkAcls", "IsDefault", "default"),
    ("NetworkAcl", "IsDefault", "default"),
    ("TransitGatewayVpcAttachments", "SubnetIds", "subnetIds"),
];

/// The wire's name of a member.
fn name(holder: &str, member: &str) -> String {
    let below = NAMES_BELOW
        .iter()
        .find(|(above, sdk, _)| *above == holder && *sdk == member)
        .map(|(_, _, wire)| *wire);
    let listed = || {
        NAMES
            .iter()
            .find(|(sdk, _)| *sdk == member)
            .map(|(_, wire)| *wire)
    };
    if let Some(wire) = below.or_else(listed) {
        return wire.to_owned();
    }
    let mut letters = member.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Text between tags. Characters that XML 1.0 cannot hold become U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A bare carriage return would reach the reader as a line feed.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(char),
            control if control < ' ' || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn write(out: &mut String, tag: &str, holder: &str, value: &Value) {
    let written = match value {
        Value::Null => return,
        Value::Bool(flag) => write!(out, "<{tag}>{flag}</{tag}>"),
        Value::Number(number) => write!(out, "<{tag}>{number}</{tag}>"),
        Value::String(text) => write!(out, "<{tag}>{}</{tag}>", escape(text)),
        Value::Array(elements) if elements.is_empty() => write!(out, "<{tag}/>"),
        Value::Array(elements) => {
            let opened = write!(out, "<{tag}>");
            elements
                .iter()
                .for_each(|element| write(out, "item", holder, element));
            opened.and_then(|()| write!(out, "</{tag}>"))
        }
        Value::Object(members) => {
            let opened = write!(out, "<{tag}>");
            for (member, value) in members {
                write(out, &name(holder, member), member, value);
            }
            opened.and_then(|()| write!(out, "</{tag}>"))
        }
    };
    // Writing to a String cannot fail.
    let () = written.unwrap_or_default();
}

/// The answer to an action: `<ActionResponse xmlns=…><requestId>…` and the members of `body`.
pub(super) fn response(action: &str, request: &str, body: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tag = format!("{action}Response");
    out.push_str(&format!("<{tag} xmlns=\"{}\">", crate::events::XMLNS));
    write(&mut out, "requestId", "", &Value::from(request));
    if let Value::Object(members) = body {
        for (member, value) in members {
            write(&mut out, &name("", member), member, value);
        }
    }
    out.push_str(&format!("</{tag}>\n"));
    out
}
