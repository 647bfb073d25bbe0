//! A call as a client would send it.

use crate::call::{Call, GroupBy, Permission, Revoked, RuleBy};
use snapback_model::*;

type Pairs = Vec<(String, String)>;

fn group(pairs: &mut Pairs, by: &GroupBy) {
    let name = match by {
        GroupBy::Id(_) => "GroupId",
        GroupBy::Name(_) => "GroupName",
    };
    pairs.push((name.into(), by.as_str().into()));
}

fn ports(pairs: &mut Pairs, at: &str, traffic: Traffic) {
    pairs.push((format!("{at}IpProtocol"), traffic.protocol_name()));
    if let Some((from, to)) = traffic.from_to() {
        pairs.push((format!("{at}FromPort"), from.to_string()));
        pairs.push((format!("{at}ToPort"), to.to_string()));
    }
}

fn permissions(pairs: &mut Pairs, list: &[Permission]) {
    for (index, permission) in list.iter().enumerate() {
        let at = format!("IpPermissions.{}.", index + 1);
        ports(pairs, &at, permission.traffic);
        for (index, (peer, text)) in permission.peers.iter().enumerate() {
            let (list, member, value) = match peer {
                Peer::Ipv4(net) => ("IpRanges", "CidrIp", net.to_string()),
                Peer::Ipv6(net) => ("Ipv6Ranges", "CidrIpv6", net.to_string()),
                Peer::PrefixList(id) => ("PrefixListIds", "PrefixListId", id.to_string()),
                Peer::SecurityGroup { id, .. } => ("Groups", "GroupId", id.to_string()),
            };
            let at = format!("{at}{list}.{}.", index + 1);
            pairs.push((format!("{at}{member}"), value));
            if let Some(text) = text {
                pairs.push((format!("{at}Description"), text.clone()));
            }
        }
    }
}

fn content(pairs: &mut Pairs, list: &[Permission], short: bool) {
    if !short {
        return permissions(pairs, list);
    }
    ports(pairs, "", list[0].traffic);
    pairs.push(("CidrIp".into(), list[0].peers[0].0.to_string()));
}

fn entry(pairs: &mut Pairs, acl: &NetworkAclId, key: EntryKey, entry: Option<&NetworkAclEntry>) {
    pairs.push(("NetworkAclId".into(), acl.to_string()));
    pairs.push(("RuleNumber".into(), key.number.get().to_string()));
    pairs.push(("Egress".into(), key.direction.is_egress().to_string()));
    let Some(entry) = entry else { return };
    pairs.push(("RuleAction".into(), entry.action.to_string()));
    pairs.push(("Protocol".into(), entry.traffic.protocol_number()));
    let v4 = entry.cidr.addr().is_ipv4();
    let block = if v4 { "CidrBlock" } else { "Ipv6CidrBlock" };
    pairs.push((block.into(), entry.cidr.to_string()));
    let names = match entry.traffic {
        Traffic::Icmp(_) | Traffic::Icmpv6(_) => ["Icmp.Type", "Icmp.Code"],
        _ => ["PortRange.From", "PortRange.To"],
    };
    if let Some((from, to)) = entry.traffic.from_to() {
        pairs.push((names[0].into(), from.to_string()));
        pairs.push((names[1].into(), to.to_string()));
    }
}

fn route(pairs: &mut Pairs, table: &RouteTableId, to: &Destination) {
    pairs.push(("RouteTableId".into(), table.to_string()));
    let name = match to {
        Destination::Ipv4(_) => "DestinationCidrBlock",
        Destination::Ipv6(_) => "DestinationIpv6CidrBlock",
        Destination::PrefixList(_) => "DestinationPrefixListId",
    };
    pairs.push((name.into(), to.to_string()));
}

fn target(pairs: &mut Pairs, target: &RouteTarget, replaces: bool) {
    let name = match target {
        RouteTarget::Local if replaces => {
            return pairs.push(("LocalTarget".into(), "true".into()));
        }
        RouteTarget::Local | RouteTarget::InternetGateway(_) => "GatewayId",
        RouteTarget::NatGateway(_) => "NatGatewayId",
        RouteTarget::VpcPeeringConnection(_) => "VpcPeeringConnectionId",
        RouteTarget::NetworkInterface(_) => "NetworkInterfaceId",
        other => panic!("{other:?}"),
    };
    pairs.push((name.into(), target.id().into()));
}

fn group_call(pairs: &mut Pairs, call: &Call) -> bool {
    match call {
        Call::AuthorizeSecurityGroup {
            group: by,
            permissions,
            short,
            ..
        } => {
            group(pairs, by);
            content(pairs, permissions, *short);
        }
        Call::RevokeSecurityGroup {
            group: by, rules, ..
        } => {
            group(pairs, by);
            match rules {
                Revoked::Ids(ids) => pairs.extend(
                    ids.iter()
                        .zip(1..)
                        .map(|(id, n)| (format!("SecurityGroupRuleId.{n}"), id.to_string())),
                ),
                Revoked::Content { permissions, short } => content(pairs, permissions, *short),
            }
        }
        Call::ModifySecurityGroupRules { group, changes } => {
            pairs.push(("GroupId".into(), group.to_string()));
            for (change, n) in changes.iter().zip(1..) {
                let at = format!("SecurityGroupRule.{n}.");
                pairs.push((format!("{at}SecurityGroupRuleId"), change.id.to_string()));
                let at = format!("{at}SecurityGroupRule.");
                ports(pairs, &at, change.traffic);
                let member = match change.peer {
                    Peer::Ipv4(_) => "CidrIpv4",
                    Peer::Ipv6(_) => "CidrIpv6",
                    Peer::PrefixList(_) => "PrefixListId",
                    Peer::SecurityGroup { .. } => "ReferencedGroupId",
                };
                pairs.push((format!("{at}{member}"), change.peer.to_string()));
                let text = change.description.clone();
                pairs.extend(text.map(|text| (format!("{at}Description"), text)));
            }
        }
        Call::UpdateSecurityGroupRuleDescriptions {
            group: by,
            descriptions,
            ..
        } => {
            group(pairs, by);
            let list: Vec<_> = descriptions
                .iter()
                .map(|(rule, text)| match rule {
                    RuleBy::Key(key) => Permission {
                        traffic: key.traffic,
                        peers: vec![(key.peer.clone(), text.clone())],
                    },
                    RuleBy::Id(id) => panic!("{id}"),
                })
                .collect();
            permissions(pairs, &list);
        }
        Call::CreateSecurityGroup {
            name,
            description,
            vpc,
            ..
        } => {
            pairs.push(("GroupName".into(), name.clone()));
            pairs.push(("GroupDescription".into(), description.clone()));
            pairs.extend(vpc.iter().map(|vpc| ("VpcId".to_owned(), vpc.to_string())));
        }
        Call::DeleteSecurityGroup { group: by } => group(pairs, by),
        _ => return false,
    }
    true
}

fn other_call(pairs: &mut Pairs, call: &Call) {
    let mut id = |name: &str, value: &dyn ToString| pairs.push((name.into(), value.to_string()));
    match call {
        Call::CreateNetworkAclEntry {
            acl,
            key,
            entry: held,
        }
        | Call::ReplaceNetworkAclEntry {
            acl,
            key,
            entry: held,
        } => {
            entry(pairs, acl, *key, Some(held));
        }
        Call::DeleteNetworkAclEntry { acl, key } => entry(pairs, acl, *key, None),
        Call::ReplaceNetworkAclAssociation { association, acl } => {
            id("AssociationId", association);
            id("NetworkAclId", acl);
        }
        Call::CreateNetworkAcl { vpc, .. } | Call::CreateRouteTable { vpc, .. } => id("VpcId", vpc),
        Call::DeleteNetworkAcl { acl } => id("NetworkAclId", acl),
        Call::CreateRoute {
            table,
            destination,
            target: via,
        } => {
            route(pairs, table, destination);
            target(pairs, via, false);
        }
        Call::ReplaceRoute {
            table,
            destination,
            target: via,
        } => {
            route(pairs, table, destination);
            target(pairs, via, true);
        }
        Call::DeleteRoute { table, destination } => route(pairs, table, destination),
        Call::AssociateRouteTable { table, subject } => {
            id("RouteTableId", table);
            match subject {
                AssociationSubject::Subnet(subnet) => id("SubnetId", subnet),
                AssociationSubject::Gateway(gateway) => id("GatewayId", gateway),
                AssociationSubject::Main(_) => {}
            }
        }
        Call::DisassociateRouteTable { association } => id("AssociationId", association),
        Call::ReplaceRouteTableAssociation { association, table } => {
            id("AssociationId", association);
            id("RouteTableId", table);
        }
        Call::DeleteRouteTable { table } => id("RouteTableId", table),
        Call::EnableVgwRoutePropagation { table, gateway }
        | Call::DisableVgwRoutePropagation { table, gateway } => {
            id("RouteTableId", table);
            id("GatewayId", gateway);
        }
        other => panic!("{other:?}"),
    }
}

/// The body that a client sends for a call.
pub(super) fn encode(call: &Call) -> String {
    let mut pairs = vec![
        ("Action".to_owned(), call.api().to_owned()),
        ("Version".to_owned(), "2016-11-15".to_owned()),
    ];
    if !group_call(&mut pairs, call) {
        other_call(&mut pairs, call);
    }
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}
