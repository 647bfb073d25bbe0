//! CreateTags and DeleteTags on anything that has tags.

use super::{Account, ApiError, Response};
use snapback_model::*;
use std::collections::BTreeMap;

impl Account {
    fn tags_mut(&mut self, id: &str) -> Result<&mut Tags, ApiError> {
        let (code, what, tags) = if id.starts_with("sgr-") {
            let rule = SecurityGroupRuleId::from(id);
            let tags = self
                .groups
                .values_mut()
                .find_map(|group| group.rules.get_mut(&rule))
                .map(|rule| &mut rule.tags);
            (
                "InvalidSecurityGroupRuleId.NotFound",
                "securityGroupRule",
                tags,
            )
        } else if id.starts_with("sg-") {
            (
                "InvalidGroup.NotFound",
                "securityGroup",
                self.groups.get_mut(&id.into()).map(|group| &mut group.tags),
            )
        } else if id.starts_with("acl-") {
            (
                "InvalidNetworkAclID.NotFound",
                "networkAcl",
                self.acls.get_mut(&id.into()).map(|acl| &mut acl.tags),
            )
        } else if id.starts_with("rtb-") {
            (
                "InvalidRouteTableID.NotFound",
                "routeTable",
                self.tables.get_mut(&id.into()).map(|table| &mut table.tags),
            )
        } else if id.starts_with("subnet-") {
            (
                "InvalidSubnetID.NotFound",
                "subnet",
                self.topology
                    .subnets
                    .get_mut(&id.into())
                    .map(|subnet| &mut subnet.tags),
            )
        } else if id.starts_with("vpc-") {
            (
                "InvalidVpcID.NotFound",
                "vpc",
                self.topology
                    .vpcs
                    .get_mut(&id.into())
                    .map(|vpc| &mut vpc.tags),
            )
        } else if id.starts_with("eni-") {
            (
                "InvalidNetworkInterfaceID.NotFound",
                "networkInterface",
                self.topology
                    .interfaces
                    .get_mut(&id.into())
                    .map(|interface| &mut interface.tags),
            )
        } else if id.starts_with("eipalloc-") {
            (
                "InvalidAllocationID.NotFound",
                "allocation",
                self.addresses.get_mut(id).map(|address| &mut address.tags),
            )
        } else if id.starts_with("fl-") {
            (
                "InvalidFlowLogId.NotFound",
                "flowLog",
                self.topology.flow_logs.get_mut(id).map(|log| &mut log.tags),
            )
        } else {
            (
                "InvalidID",
                "",
                self.topology
                    .gateways
                    .get_mut(id)
                    .map(|gateway| &mut gateway.tags),
            )
        };
        tags.ok_or_else(|| ApiError::new(code, format!("The {what} ID '{id}' does not exist")))
    }

    pub(super) fn create_tags(
        &mut self,
        targets: &[String],
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        if let Some(key) = tags
            .keys()
            .find(|key| key.to_ascii_lowercase().starts_with("aws:"))
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Tag keys starting with 'aws:' are reserved: {key}"),
            ));
        }
        for target in targets {
            self.tags_mut(target)?.extend(tags.clone());
        }
        Ok(Response::Done)
    }

    /// Removes only tags whose value is the one named; others are left without an error. Without
    /// tags, all but AWS's own go.
    pub(super) fn delete_tags(
        &mut self,
        targets: &[String],
        tags: &BTreeMap<String, Option<String>>,
    ) -> Result<Response, ApiError> {
        for target in targets {
            self.tags_mut(target)?.retain(|key, value| {
                let goes = match tags.get(key) {
                    Some(Some(named)) => named == value,
                    Some(None) => true,
                    None => tags.is_empty(),
                };
                !goes || key.starts_with("aws:")
            });
        }
        Ok(Response::Done)
    }
}
