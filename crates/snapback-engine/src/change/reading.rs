//! Which API does what: one table of every EC2 call that changes guarded resources or their
//! context, and the order in which the reasons to ignore a record are asked.

use super::actor::actor;
use super::params::Node;
use super::{
    Change, Edit, Edits, IgnoreReason, Interpretation, Own, Touched, acls, context, groups, tables,
    tags,
};
use crate::event::{API_CALL_DETAIL_TYPE, Record};
use snapback_model::Direction::{Egress, Ingress};
use std::collections::BTreeSet;

/// What one call touched and edited.
pub(super) struct Reading {
    pub(super) touched: BTreeSet<Touched>,
    pub(super) edits: Edits,
}

impl Reading {
    pub(super) fn known(touched: impl IntoIterator<Item = Touched>, edits: Vec<Edit>) -> Self {
        Self {
            touched: touched.into_iter().collect(),
            edits: Edits::Known(edits),
        }
    }

    pub(super) fn unknown(
        touched: impl IntoIterator<Item = Touched>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            touched: touched.into_iter().collect(),
            edits: Edits::Unknown { why: why.into() },
        }
    }
}

/// The reason to give where the request is absent: nothing may be concluded from it.
pub(super) fn omitted(record: &Record) -> Option<String> {
    record
        .request_parameters
        .is_null()
        .then(|| "requestParameters is absent (CloudTrail omits it above 100 KB)".to_owned())
}

/// Reads one call; `None` where this call cannot alter guarded traffic.
type Reader = fn(&Record) -> Option<Reading>;

macro_rules! apis {
    ($($name:literal => $reader:expr,)+) => {
        /// Every EC2 API that changes guarded resources or their context: what `template.yaml`'s
        /// EventBridge rules must match.
        pub const EVENT_NAMES: &[&str] = &[$($name),+];

        fn reader(name: &str) -> Option<Reader> {
            let reader: Reader = match name {
                $($name => $reader,)+
                _ => return None,
            };
            Some(reader)
        }
    };
}

apis! {
    "AuthorizeSecurityGroupEgress" => |record| Some(groups::authorized(record, Egress)),
    "AuthorizeSecurityGroupIngress" => |record| Some(groups::authorized(record, Ingress)),
    "CreateSecurityGroup" => |record| Some(groups::created(record)),
    "DeleteSecurityGroup" => |record| Some(groups::deleted(record)),
    "ModifySecurityGroupRules" => |record| Some(groups::modified(record)),
    "RevokeSecurityGroupEgress" => |record| Some(groups::revoked(record, Egress)),
    "RevokeSecurityGroupIngress" => |record| Some(groups::revoked(record, Ingress)),
    "UpdateSecurityGroupRuleDescriptionsEgress" => |record| Some(groups::described(record, Egress)),
    "UpdateSecurityGroupRuleDescriptionsIngress" => |record| Some(groups::described(record, Ingress)),
    "CreateNetworkAcl" => |record| Some(acls::created(record)),
    "CreateNetworkAclEntry" => |record| Some(acls::entry_set(record)),
    "DeleteNetworkAcl" => |record| Some(acls::deleted(record)),
    "DeleteNetworkAclEntry" => |record| Some(acls::entry_removed(record)),
    "ReplaceNetworkAclAssociation" => |record| Some(acls::reassociated(record)),
    "ReplaceNetworkAclEntry" => |record| Some(acls::entry_set(record)),
    "AssociateRouteTable" => |record| Some(tables::associated(record)),
    "CreateRoute" => |record| Some(tables::route_set(record)),
    "CreateRouteTable" => |record| Some(tables::created(record)),
    "DeleteRoute" => |record| Some(tables::route_removed(record)),
    "DeleteRouteTable" => |record| Some(tables::deleted(record)),
    "DisableVgwRoutePropagation" => |record| Some(tables::propagation(record, false)),
    "DisassociateRouteTable" => |record| Some(tables::disassociated(record)),
    "EnableVgwRoutePropagation" => |record| Some(tables::propagation(record, true)),
    "ReplaceRoute" => |record| Some(tables::route_set(record)),
    "ReplaceRouteTableAssociation" => |record| Some(tables::reassociated(record)),
    "AcceptTransitGatewayVpcAttachment" => |record| context::about(record, "transit-gateway-attachment"),
    "AcceptVpcPeeringConnection" => |record| context::about(record, "vpc-peering-connection"),
    "AssociateAddress" => |record| context::about(record, "elastic-ip"),
    "AssociateNatGatewayAddress" => |record| context::about(record, "nat-gateway"),
    "AssociateSecurityGroupVpc" => context::group_vpc,
    "AssociateSubnetCidrBlock" => |record| context::about(record, "subnet"),
    "AssociateTransitGatewayRouteTable" => |record| context::about(record, "transit-gateway-route-table"),
    "AssociateVpcCidrBlock" => |record| context::about(record, "vpc"),
    "AttachInternetGateway" => |record| context::about(record, "internet-gateway"),
    "AttachVpnGateway" => |record| context::about(record, "vpn-gateway"),
    "CreateCarrierGateway" => |record| context::about(record, "carrier-gateway"),
    "CreateEgressOnlyInternetGateway" => |record| context::about(record, "egress-only-internet-gateway"),
    "CreateFlowLogs" => |record| context::about(record, "flow-log"),
    "CreateManagedPrefixList" => |record| context::about(record, "prefix-list"),
    "CreateNatGateway" => |record| context::about(record, "nat-gateway"),
    "CreateSubnet" => |record| context::about(record, "subnet"),
    "CreateTransitGatewayRoute" => |record| context::about(record, "transit-gateway-route-table"),
    "CreateTransitGatewayVpcAttachment" => |record| context::about(record, "transit-gateway-attachment"),
    "CreateVpc" => |record| context::about(record, "vpc"),
    "CreateVpcBlockPublicAccessExclusion" => |record| context::about(record, "vpc-block-public-access-exclusion"),
    "CreateVpcEndpoint" => |record| context::about(record, "vpc-endpoint"),
    "CreateVpcPeeringConnection" => |record| context::about(record, "vpc-peering-connection"),
    "CreateVpnConnectionRoute" => |record| context::about(record, "vpn-connection"),
    "DeleteCarrierGateway" => |record| context::about(record, "carrier-gateway"),
    "DeleteEgressOnlyInternetGateway" => |record| context::about(record, "egress-only-internet-gateway"),
    "DeleteFlowLogs" => |record| context::about(record, "flow-log"),
    "DeleteInternetGateway" => |record| context::about(record, "internet-gateway"),
    "DeleteManagedPrefixList" => |record| context::about(record, "prefix-list"),
    "DeleteNatGateway" => |record| context::about(record, "nat-gateway"),
    "DeleteSubnet" => |record| context::about(record, "subnet"),
    "DeleteTransitGatewayRoute" => |record| context::about(record, "transit-gateway-route-table"),
    "DeleteTransitGatewayVpcAttachment" => |record| context::about(record, "transit-gateway-attachment"),
    "DeleteVpc" => |record| context::about(record, "vpc"),
    "DeleteVpcBlockPublicAccessExclusion" => |record| context::about(record, "vpc-block-public-access-exclusion"),
    "DeleteVpcEndpoints" => |record| context::about(record, "vpc-endpoint"),
    "DeleteVpcPeeringConnection" => |record| context::about(record, "vpc-peering-connection"),
    "DeleteVpnConnectionRoute" => |record| context::about(record, "vpn-connection"),
    "DeleteVpnGateway" => |record| context::about(record, "vpn-gateway"),
    "DetachInternetGateway" => |record| context::about(record, "internet-gateway"),
    "DetachVpnGateway" => |record| context::about(record, "vpn-gateway"),
    "DisableRouteServerPropagation" => |record| context::about(record, "route-server"),
    "DisableTransitGatewayRouteTablePropagation" => |record| context::about(record, "transit-gateway-route-table"),
    "DisassociateAddress" => |record| context::about(record, "elastic-ip"),
    "DisassociateNatGatewayAddress" => |record| context::about(record, "nat-gateway"),
    "DisassociateSecurityGroupVpc" => context::group_vpc,
    "DisassociateSubnetCidrBlock" => |record| context::about(record, "subnet"),
    "DisassociateTransitGatewayRouteTable" => |record| context::about(record, "transit-gateway-route-table"),
    "DisassociateVpcCidrBlock" => |record| context::about(record, "vpc"),
    "EnableRouteServerPropagation" => |record| context::about(record, "route-server"),
    "EnableTransitGatewayRouteTablePropagation" => |record| context::about(record, "transit-gateway-route-table"),
    "ModifyInstanceAttribute" => |record| context::attribute(record, "instance", &["groupSet", "groupId", "sourceDestCheck"]),
    "ModifyManagedPrefixList" => |record| context::about(record, "prefix-list"),
    "ModifyNetworkInterfaceAttribute" => |record| context::attribute(record, "network-interface", &["groupSet", "groupId", "sourceDestCheck"]),
    "ModifySubnetAttribute" => |record| context::attribute(record, "subnet", &["mapPublicIpOnLaunch", "assignIpv6AddressOnCreation"]),
    "ModifyTransitGatewayVpcAttachment" => |record| context::about(record, "transit-gateway-attachment"),
    "ModifyVpcBlockPublicAccessExclusion" => |record| context::about(record, "vpc-block-public-access-exclusion"),
    "ModifyVpcBlockPublicAccessOptions" => |record| context::about(record, "vpc-block-public-access"),
    "ModifyVpcEndpoint" => |record| context::about(record, "vpc-endpoint"),
    "ModifyVpcPeeringConnectionOptions" => |record| context::about(record, "vpc-peering-connection"),
    "ReleaseAddress" => |record| context::about(record, "elastic-ip"),
    "ReplaceTransitGatewayRoute" => |record| context::about(record, "transit-gateway-route-table"),
    "ResetNetworkInterfaceAttribute" => |record| context::attribute(record, "network-interface", &["sourceDestCheck"]),
    "RestoreManagedPrefixListVersion" => |record| context::about(record, "prefix-list"),
}

/// What a record is to us. Never fails: what cannot be understood is a change with unknown edits.
pub fn interpret(record: &Record, own: &Own) -> Interpretation {
    if let Some(reason) = ignored(record, own) {
        return Interpretation::Ignored(reason);
    }
    let not_network = || {
        Interpretation::Ignored(IgnoreReason::NotNetwork {
            api: record.name.clone(),
        })
    };
    let Some(reader) = reader(&record.name) else {
        return not_network();
    };
    let Some(Reading {
        mut touched,
        mut edits,
    }) = reader(record)
    else {
        return not_network();
    };
    let response = Node::new(&record.response_elements);
    if response.any(&["_return", "return"]).boolean() == Some(false)
        && matches!(edits, Edits::Known(_))
    {
        edits = Edits::Unknown {
            why: "EC2 answered `return: false`".into(),
        };
    }
    if touched.is_empty() {
        touched = context::anything(record);
    }
    let change = change(record, touched, edits);
    if own.roles.contains(&change.actor.principal) {
        Interpretation::WithOurRole(change)
    } else {
        Interpretation::Change(change)
    }
}

fn change(record: &Record, touched: BTreeSet<Touched>, edits: Edits) -> Box<Change> {
    Box::new(Change {
        event: record.id.clone(),
        request: record.request.clone(),
        at: record.at,
        account: record.account.clone(),
        region: record.region.clone(),
        api: record.name.clone(),
        actor: actor(record),
        touched,
        edits,
    })
}

/// What a record did to the tags of guarded resources: no change of the network, so [`interpret`]
/// passes over it. `None` for our own calls.
pub fn retagged(record: &Record, own: &Own) -> Option<Box<Change>> {
    if ignored(record, own).is_some() {
        return None;
    }
    let Reading { touched, edits } = tags::retagged(record)?;
    let change = change(record, touched, edits);
    (!own.roles.contains(&change.actor.principal)).then_some(change)
}

fn ignored(record: &Record, own: &Own) -> Option<IgnoreReason> {
    if let Some(envelope) = &record.envelope {
        if envelope.detail_type != API_CALL_DETAIL_TYPE {
            return Some(IgnoreReason::OtherDetailType {
                detail_type: envelope.detail_type.clone(),
            });
        }
        if envelope.source != "aws.ec2" && !own.sources.contains(&envelope.source) {
            return Some(IgnoreReason::OtherSource {
                source: envelope.source.clone(),
            });
        }
    }
    if record.source != "ec2.amazonaws.com" {
        return Some(IgnoreReason::OtherSource {
            source: record.source.clone(),
        });
    }
    if let Some(kind) = record.kind.as_ref().filter(|kind| *kind != "AwsApiCall") {
        return Some(IgnoreReason::NotAnApiCall { kind: kind.clone() });
    }
    if let Some(account) = other_account(record, own) {
        return Some(IgnoreReason::OtherAccount { account });
    }
    if own
        .region
        .as_ref()
        .is_some_and(|region| *region != record.region)
    {
        return Some(IgnoreReason::OtherRegion {
            region: record.region.to_string(),
        });
    }
    if let Some(code) = &record.error {
        return Some(match code.as_str() {
            "DryRunOperation" => IgnoreReason::DryRun,
            _ => IgnoreReason::Failed { code: code.clone() },
        });
    }
    let reads = ["Describe", "Get", "List", "Search", "Export"]
        .iter()
        .any(|verb| record.name.starts_with(verb));
    if record.read_only.unwrap_or(reads) {
        return Some(IgnoreReason::ReadOnly);
    }
    None
}

/// Another account's event: by its own word, or by EventBridge's, which the sender cannot forge.
fn other_account(record: &Record, own: &Own) -> Option<String> {
    let ours = own.account.as_ref()?;
    let bus = record
        .envelope
        .as_ref()
        .and_then(|envelope| envelope.account.as_ref());
    match (&record.account, bus) {
        (None, None) => Some("not told".into()),
        (account, bus) => account
            .iter()
            .chain(bus)
            .find(|account| *account != ours)
            .map(ToString::to_string),
    }
}
