//! Calls that take down what surrounds the guarded kinds, refused while something depends on it.

use super::topology::missing;
use super::{Account, ApiError, Response};
use crate::call::Provide;
use snapback_model::*;

fn dependent(what: &str, id: &str) -> ApiError {
    ApiError::new(
        "DependencyViolation",
        format!("The {what} '{id}' has dependencies and cannot be deleted."),
    )
}

impl Account {
    pub(super) fn take_down(&mut self, provide: &Provide) -> Result<Response, ApiError> {
        match provide {
            Provide::DeleteVpc { vpc } => self.delete_vpc(vpc),
            Provide::DeleteSubnet { subnet } => self.delete_subnet(subnet),
            Provide::DetachVpnGateway { gateway, vpc } => self.detach_vpn_gateway(gateway, vpc),
            Provide::ReleaseAddress { allocation } => self.release_address(allocation),
            Provide::DeleteVpcEndpoints { endpoints } => self.delete_endpoints(endpoints),
            Provide::DeleteManagedPrefixList { list } => self.delete_prefix_list(list),
            Provide::DeleteFlowLogs { logs } => self.delete_flow_logs(logs),
            other => Err(ApiError::new(
                "InvalidAction",
                format!(
                    "The action {} is not valid for this web service.",
                    other.api()
                ),
            )),
        }
    }

    /// Only an empty VPC goes; its default group and ACL and its main table go with it.
    fn delete_vpc(&mut self, id: &VpcId) -> Result<Response, ApiError> {
        self.vpc(id)?;
        let topology = &self.topology;
        let held = topology.subnets.values().any(|subnet| subnet.vpc == *id)
            || topology.interfaces.values().any(|eni| eni.vpc == *id)
            || topology.gateways.values().any(|gateway| {
                gateway.vpcs.contains(id)
                    && gateway.kind != GatewayKind::Peering
                    && gateway.state.as_deref() != Some("deleted")
            })
            || self
                .groups
                .values()
                .any(|group| group.vpc == *id && group.name != "default")
            || self
                .acls
                .values()
                .any(|acl| acl.vpc == *id && !acl.is_default)
            || self
                .tables
                .values()
                .any(|table| table.vpc == *id && !table.is_main());
        if held {
            return Err(dependent("vpc", id.as_str()));
        }
        self.groups.retain(|_, group| group.vpc != *id);
        self.acls.retain(|_, acl| acl.vpc != *id);
        self.tables.retain(|_, table| table.vpc != *id);
        for gateway in self.topology.gateways.values_mut() {
            if gateway.kind == GatewayKind::Peering && gateway.vpcs.contains(id) {
                gateway.state = Some("deleted".into());
            }
        }
        self.topology.vpcs.remove(id);
        Ok(Response::Done)
    }

    /// Its associations with ACL and table go with a subnet.
    fn delete_subnet(&mut self, id: &SubnetId) -> Result<Response, ApiError> {
        if !self.topology.subnets.contains_key(id) {
            return Err(missing("InvalidSubnetID.NotFound", "subnet", id.as_str()));
        }
        let held = self
            .topology
            .interfaces
            .values()
            .any(|interface| interface.subnet == *id)
            || self.topology.gateways.values().any(|gateway| {
                gateway.subnets.contains(id) && gateway.state.as_deref() != Some("deleted")
            });
        if held {
            return Err(dependent("subnet", id.as_str()));
        }
        self.topology.subnets.remove(id);
        for acl in self.acls.values_mut() {
            acl.associations.retain(|_, subnet| subnet != id);
        }
        let subject = AssociationSubject::Subnet(id.clone());
        for table in self.tables.values_mut() {
            table.associations.retain(|_, other| *other != subject);
        }
        Ok(Response::Done)
    }

    fn detach_vpn_gateway(&mut self, id: &str, vpc: &VpcId) -> Result<Response, ApiError> {
        let gateway = self.gateway_mut(
            id,
            GatewayKind::Vpn,
            "InvalidVpnGatewayID.NotFound",
            "vpnGateway",
        )?;
        if !gateway.vpcs.remove(vpc) {
            return Err(ApiError::new(
                "InvalidVpnGatewayAttachment.NotFound",
                format!("{id} is not attached to {vpc}"),
            ));
        }
        Ok(Response::Done)
    }

    /// A list that a rule or a route names stays.
    fn delete_prefix_list(&mut self, id: &PrefixListId) -> Result<Response, ApiError> {
        let list = self.topology.prefix_lists.get(id);
        let list = list
            .ok_or_else(|| missing("InvalidPrefixListID.NotFound", "prefix list", id.as_str()))?;
        let version = list.version.ok_or_else(|| {
            ApiError::new(
                "UnauthorizedOperation",
                "AWS-managed prefix lists cannot be deleted.",
            )
        })?;
        let peer = Peer::PrefixList(id.clone());
        let destination = Destination::PrefixList(id.clone());
        let named = self
            .groups
            .values()
            .any(|group| group.rules.values().any(|rule| rule.key.peer == peer))
            || self
                .tables
                .values()
                .any(|table| table.routes.contains_key(&destination));
        if named {
            return Err(dependent("prefix list", id.as_str()));
        }
        self.topology.prefix_lists.remove(id);
        Ok(Response::PrefixList {
            id: id.clone(),
            version,
        })
    }

    fn delete_flow_logs(&mut self, ids: &[String]) -> Result<Response, ApiError> {
        for id in ids {
            self.topology
                .flow_logs
                .remove(id)
                .ok_or_else(|| missing("InvalidFlowLogId.NotFound", "flow log", id))?;
        }
        Ok(Response::Done)
    }
}
