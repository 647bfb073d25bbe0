//! VPC endpoints: gateway endpoints own their routes, interface endpoints carry groups (semantics A4, B1).

use super::topology::missing;
use super::{Account, ApiError, Response, StoredRoute};
use crate::call::{Call, EndpointRequest};
use snapback_model::*;
use std::collections::BTreeSet;

const GONE: &str = "InvalidVpcEndpointId.NotFound";

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameter", message)
}

impl Account {
    /// Puts the routes of a gateway endpoint into tables, and takes them out of others. Only this
    /// changes them; a service whose prefix list is not known has no routes here.
    fn route_endpoint(
        &mut self,
        id: &str,
        add: &[RouteTableId],
        remove: &[RouteTableId],
    ) -> Result<(), ApiError> {
        let endpoint = self.gateway_mut(id, GatewayKind::Endpoint, GONE, "vpcEndpoint")?;
        let (service, vpcs) = (endpoint.service.clone(), endpoint.vpcs.clone());
        let list = self
            .topology
            .prefix_lists
            .values()
            .find(|list| list.name.is_some() && list.name == service);
        let destination = list.map(|list| Destination::PrefixList(list.id.clone()));
        for table in add.iter().chain(remove) {
            let held = self.tables.get_mut(table).ok_or_else(|| {
                missing("InvalidRouteTableID.NotFound", "routeTable", table.as_str())
            })?;
            if !vpcs.contains(&held.vpc) {
                return Err(refused(format!(
                    "route table {table} does not belong to the VPC of {id}"
                )));
            }
            let Some(destination) = destination.clone() else {
                continue;
            };
            if remove.contains(table) {
                held.routes.remove(&destination);
            } else {
                let route = StoredRoute {
                    target: RouteTarget::GatewayEndpoint(id.to_owned()),
                    origin: RouteOrigin::Created,
                };
                if held
                    .routes
                    .get(&destination)
                    .is_some_and(|there| there.target != route.target)
                {
                    return Err(ApiError::new(
                        "RouteAlreadyExists",
                        format!(
                            "route table {table} already has a route with destination-prefix-list-id {destination}"
                        ),
                    ));
                }
                held.routes.insert(destination, route);
            }
        }
        let endpoint = self.gateway_mut(id, GatewayKind::Endpoint, GONE, "vpcEndpoint")?;
        endpoint.route_tables.extend(add.iter().cloned());
        endpoint
            .route_tables
            .retain(|table| !remove.contains(table));
        Ok(())
    }

    fn check_endpoint_groups(
        &self,
        vpcs: &BTreeSet<VpcId>,
        groups: &[SecurityGroupId],
    ) -> Result<(), ApiError> {
        for id in groups {
            let held = self.groups.get(id);
            if held.is_none_or(|group| !vpcs.contains(&group.vpc)) {
                return Err(ApiError::new(
                    "InvalidGroup.NotFound",
                    format!("The security group '{id}' does not exist"),
                ));
            }
        }
        Ok(())
    }

    pub(super) fn modify_endpoint(&mut self, call: &Call) -> Result<Response, ApiError> {
        let Call::ModifyVpcEndpoint {
            endpoint: id,
            add_tables,
            remove_tables,
            add_subnets,
            remove_subnets,
            add_groups,
            remove_groups,
        } = call
        else {
            return Err(refused("no change of an endpoint"));
        };
        let endpoint = self.gateway_mut(id, GatewayKind::Endpoint, GONE, "vpcEndpoint")?;
        let vpcs = endpoint.vpcs.clone();
        let is_gateway = endpoint
            .endpoint
            .as_ref()
            .is_none_or(|detail| detail.kind == EndpointKind::Gateway);
        let placed = !(add_subnets.is_empty()
            && remove_subnets.is_empty()
            && add_groups.is_empty()
            && remove_groups.is_empty());
        let routed = !(add_tables.is_empty() && remove_tables.is_empty());
        if (is_gateway && placed) || (!is_gateway && routed) {
            return Err(refused(format!(
                "{id}: tables are for gateway endpoints, subnets and groups for interface endpoints"
            )));
        }
        self.check_endpoint_groups(&vpcs, add_groups)?;
        for subnet in add_subnets {
            let held = self.topology.subnets.get(subnet);
            if held.is_none_or(|held| !vpcs.contains(&held.vpc)) {
                return Err(missing(
                    "InvalidSubnetID.NotFound",
                    "subnet",
                    subnet.as_str(),
                ));
            }
        }
        self.route_endpoint(id, add_tables, remove_tables)?;
        let endpoint = self.gateway_mut(id, GatewayKind::Endpoint, GONE, "vpcEndpoint")?;
        endpoint.subnets.extend(add_subnets.iter().cloned());
        endpoint
            .subnets
            .retain(|subnet| !remove_subnets.contains(subnet));
        endpoint.groups.extend(add_groups.iter().cloned());
        endpoint
            .groups
            .retain(|group| !remove_groups.contains(group));
        if !is_gateway && endpoint.groups.is_empty() {
            return Err(refused(format!("{id} must keep at least one group")));
        }
        Ok(Response::Done)
    }

    pub(super) fn create_endpoint(
        &mut self,
        request: &EndpointRequest,
    ) -> Result<Response, ApiError> {
        self.vpc(&request.vpc)?;
        let is_gateway = request.kind == EndpointKind::Gateway;
        let vpcs = BTreeSet::from([request.vpc.clone()]);
        let default = self.default_group(&request.vpc);
        let groups: Vec<_> = if is_gateway {
            Vec::new()
        } else if request.groups.is_empty() {
            default.into_iter().collect()
        } else {
            request.groups.clone()
        };
        self.check_endpoint_groups(&vpcs, &groups)?;
        let id = self.mint.id("vpce");
        let list = self
            .topology
            .prefix_lists
            .values()
            .find(|list| list.name.as_ref() == Some(&request.service))
            .map(|list| list.id.clone());
        let endpoint = Gateway {
            vpcs,
            state: Some("available".into()),
            groups: groups.into_iter().collect(),
            service: Some(request.service.clone()),
            endpoint: Some(EndpointDetail {
                kind: request.kind,
                private_dns: request.private_dns,
                interfaces: BTreeSet::new(),
                prefix_list: list.filter(|_| is_gateway),
            }),
            tags: request.tags.clone(),
            ..Gateway::new(id.clone(), GatewayKind::Endpoint)
        };
        self.topology.gateways.insert(id.clone(), endpoint);
        let call = Call::ModifyVpcEndpoint {
            endpoint: id.clone(),
            add_tables: request.tables.clone(),
            remove_tables: Vec::new(),
            add_subnets: request.subnets.clone(),
            remove_subnets: Vec::new(),
            add_groups: Vec::new(),
            remove_groups: Vec::new(),
        };
        self.modify_endpoint(&call)?;
        Ok(Response::Gateway(id))
    }

    /// Its routes go with a gateway endpoint; one for appliances stays while routes lead to it.
    pub(super) fn delete_endpoints(&mut self, ids: &[String]) -> Result<Response, ApiError> {
        for id in ids {
            let endpoint = self.gateway_mut(id, GatewayKind::Endpoint, GONE, "vpcEndpoint")?;
            let tables: Vec<_> = endpoint.route_tables.iter().cloned().collect();
            let target = RouteTarget::GatewayLoadBalancerEndpoint(id.clone());
            let routed = self
                .tables
                .values()
                .any(|table| table.routes.values().any(|route| route.target == target));
            if routed {
                return Err(ApiError::new(
                    "DependencyViolation",
                    format!("{id} is the target of a route"),
                ));
            }
            self.route_endpoint(id, &[], &tables)?;
            self.topology.gateways.remove(id);
        }
        Ok(Response::Done)
    }
}
