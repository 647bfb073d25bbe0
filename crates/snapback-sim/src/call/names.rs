//! What calls are called, and what they are about.

use super::{Call, NatRequest};
use snapback_model::Direction;

impl Call {
    /// The API name.
    pub fn api(&self) -> &'static str {
        match self {
            Self::AuthorizeSecurityGroup {
                direction: Direction::Ingress,
                ..
            } => "AuthorizeSecurityGroupIngress",
            Self::AuthorizeSecurityGroup { .. } => "AuthorizeSecurityGroupEgress",
            Self::RevokeSecurityGroup {
                direction: Direction::Ingress,
                ..
            } => "RevokeSecurityGroupIngress",
            Self::RevokeSecurityGroup { .. } => "RevokeSecurityGroupEgress",
            Self::ModifySecurityGroupRules { .. } => "ModifySecurityGroupRules",
            Self::UpdateSecurityGroupRuleDescriptions {
                direction: Direction::Ingress,
                ..
            } => "UpdateSecurityGroupRuleDescriptionsIngress",
            Self::UpdateSecurityGroupRuleDescriptions { .. } => {
                "UpdateSecurityGroupRuleDescriptionsEgress"
            }
            Self::CreateSecurityGroup { .. } => "CreateSecurityGroup",
            Self::DeleteSecurityGroup { .. } => "DeleteSecurityGroup",
            Self::CreateNetworkAclEntry { .. } => "CreateNetworkAclEntry",
            Self::ReplaceNetworkAclEntry { .. } => "ReplaceNetworkAclEntry",
            Self::DeleteNetworkAclEntry { .. } => "DeleteNetworkAclEntry",
            Self::ReplaceNetworkAclAssociation { .. } => "ReplaceNetworkAclAssociation",
            Self::CreateNetworkAcl { .. } => "CreateNetworkAcl",
            Self::DeleteNetworkAcl { .. } => "DeleteNetworkAcl",
            Self::CreateRoute { .. } => "CreateRoute",
            Self::ReplaceRoute { .. } => "ReplaceRoute",
            Self::DeleteRoute { .. } => "DeleteRoute",
            Self::AssociateRouteTable { .. } => "AssociateRouteTable",
            Self::DisassociateRouteTable { .. } => "DisassociateRouteTable",
            Self::ReplaceRouteTableAssociation { .. } => "ReplaceRouteTableAssociation",
            Self::CreateRouteTable { .. } => "CreateRouteTable",
            Self::DeleteRouteTable { .. } => "DeleteRouteTable",
            Self::EnableVgwRoutePropagation { .. } => "EnableVgwRoutePropagation",
            Self::DisableVgwRoutePropagation { .. } => "DisableVgwRoutePropagation",
            Self::CreateTags { .. } => "CreateTags",
            Self::DeleteTags { .. } => "DeleteTags",
            Self::CreateSubnet { .. } => "CreateSubnet",
            Self::CreateNetworkInterface { .. } => "CreateNetworkInterface",
            Self::DeleteNetworkInterface { .. } => "DeleteNetworkInterface",
            Self::ModifyNetworkInterfaceGroups { .. }
            | Self::ModifyNetworkInterfaceSourceDestCheck { .. } => {
                "ModifyNetworkInterfaceAttribute"
            }
            Self::AttachInternetGateway { .. } => "AttachInternetGateway",
            Self::DetachInternetGateway { .. } => "DetachInternetGateway",
            Self::DeleteInternetGateway { .. } => "DeleteInternetGateway",
            Self::CreateNatGateway(_) => "CreateNatGateway",
            Self::DeleteNatGateway { .. } => "DeleteNatGateway",
            Self::AssociateNatGatewayAddress { .. } => "AssociateNatGatewayAddress",
            Self::AssignPrivateNatGatewayAddress { .. } => "AssignPrivateNatGatewayAddress",
            Self::DeleteVpcPeeringConnection { .. } => "DeleteVpcPeeringConnection",
            Self::ModifyVpcEndpoint { .. } => "ModifyVpcEndpoint",
            Self::ModifyManagedPrefixList { .. } => "ModifyManagedPrefixList",
            Self::Provide(provide) => provide.api(),
            Self::Idempotent { call, .. } => call.api(),
        }
    }

    /// The id that the request names first.
    pub fn subject(&self) -> String {
        match self {
            Self::AuthorizeSecurityGroup { group, .. }
            | Self::RevokeSecurityGroup { group, .. }
            | Self::UpdateSecurityGroupRuleDescriptions { group, .. }
            | Self::DeleteSecurityGroup { group } => group.as_str().to_owned(),
            Self::ModifySecurityGroupRules { group, .. } => group.to_string(),
            Self::CreateSecurityGroup { name, .. } => name.clone(),
            Self::CreateNetworkAclEntry { acl, .. }
            | Self::ReplaceNetworkAclEntry { acl, .. }
            | Self::DeleteNetworkAclEntry { acl, .. }
            | Self::DeleteNetworkAcl { acl } => acl.to_string(),
            Self::ReplaceNetworkAclAssociation { association, .. }
            | Self::DisassociateRouteTable { association }
            | Self::ReplaceRouteTableAssociation { association, .. } => association.to_string(),
            Self::CreateNetworkAcl { vpc, .. }
            | Self::CreateRouteTable { vpc, .. }
            | Self::CreateSubnet { vpc, .. } => vpc.to_string(),
            Self::CreateRoute { table, .. }
            | Self::ReplaceRoute { table, .. }
            | Self::DeleteRoute { table, .. }
            | Self::AssociateRouteTable { table, .. }
            | Self::DeleteRouteTable { table }
            | Self::EnableVgwRoutePropagation { table, .. }
            | Self::DisableVgwRoutePropagation { table, .. } => table.to_string(),
            Self::CreateTags { targets, .. } | Self::DeleteTags { targets, .. } => {
                targets.join(",")
            }
            Self::CreateNetworkInterface { subnet, .. } => subnet.to_string(),
            Self::CreateNatGateway(NatRequest { place, .. }) => place.as_str().to_owned(),
            Self::DeleteNetworkInterface { interface }
            | Self::ModifyNetworkInterfaceGroups { interface, .. }
            | Self::ModifyNetworkInterfaceSourceDestCheck { interface, .. } => {
                interface.to_string()
            }
            Self::AttachInternetGateway { gateway, .. }
            | Self::DetachInternetGateway { gateway, .. }
            | Self::DeleteInternetGateway { gateway }
            | Self::AssociateNatGatewayAddress { gateway, .. }
            | Self::AssignPrivateNatGatewayAddress { gateway, .. }
            | Self::DeleteNatGateway { gateway } => gateway.clone(),
            Self::DeleteVpcPeeringConnection { peering } => peering.clone(),
            Self::ModifyVpcEndpoint { endpoint, .. } => endpoint.clone(),
            Self::ModifyManagedPrefixList { list, .. } => list.to_string(),
            Self::Provide(provide) => provide.subject(),
            Self::Idempotent { call, .. } => call.subject(),
        }
    }
}
