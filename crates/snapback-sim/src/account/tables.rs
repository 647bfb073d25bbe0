//! Route table calls (semantics A4, B1).

use super::targets::no_target;
use super::{Account, ApiError, Response, StoredRoute, Table};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

fn no_table(id: &RouteTableId) -> ApiError {
    ApiError::new(
        "InvalidRouteTableID.NotFound",
        format!("The routeTable ID '{id}' does not exist"),
    )
}

fn no_association(id: &AssociationId) -> ApiError {
    ApiError::new(
        "InvalidAssociationID.NotFound",
        format!("The association ID '{id}' does not exist"),
    )
}

impl Account {
    fn table_mut(&mut self, id: &RouteTableId) -> Result<&mut Table, ApiError> {
        self.tables.get_mut(id).ok_or_else(|| no_table(id))
    }

    pub(super) fn table(&self, id: &RouteTableId) -> Result<&Table, ApiError> {
        self.tables.get(id).ok_or_else(|| no_table(id))
    }

    /// Static routes of both families; a prefix list costs its `MaxEntries`.
    fn route_cost(&self, table: &Table) -> (usize, usize) {
        let mut cost = (0, 0);
        for (destination, _) in table
            .routes
            .iter()
            .filter(|(_, route)| route.origin == RouteOrigin::Created)
        {
            match destination {
                Destination::Ipv4(_) => cost.0 += 1,
                Destination::Ipv6(_) => cost.1 += 1,
                Destination::PrefixList(id) => {
                    let (entries, is_v6) = self.prefix_list_cost(id);
                    if is_v6 {
                        cost.1 += entries
                    } else {
                        cost.0 += entries
                    }
                }
            }
        }
        cost
    }

    pub(super) fn create_route(
        &mut self,
        id: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<Response, ApiError> {
        if let Destination::PrefixList(list) = destination
            && !self.topology.prefix_lists.contains_key(list)
        {
            return Err(no_target(
                "InvalidPrefixListID.NotFound",
                "prefix list",
                list.as_str(),
            ));
        }
        if *target == RouteTarget::Local {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("a local route is made with its table only: {destination}"),
            ));
        }
        self.check_target(id, target)?;
        self.check_inside_vpc(id, destination, target)?;
        self.check_edge(id, destination, target)?;
        let identical_succeeds = self.identical_route_succeeds;
        let quota = self.quotas.routes_per_table;
        let table = self.table_mut(id)?;
        if let Some(there) = table
            .routes
            .get(destination)
            .filter(|route| route.origin == RouteOrigin::Created)
        {
            if identical_succeeds && there.target == *target {
                return Ok(Response::Done);
            }
            return Err(ApiError::new(
                "RouteAlreadyExists",
                format!("The route identified by {destination} already exists."),
            ));
        }
        let route = StoredRoute {
            target: target.clone(),
            origin: RouteOrigin::Created,
        };
        table.routes.insert(destination.clone(), route);
        let (v4, v6) = self.route_cost(self.table(id)?);
        if v4.max(v6) > quota {
            return Err(ApiError::new(
                "RouteLimitExceeded",
                "The maximum number of routes has been reached.",
            ));
        }
        Ok(Response::Done)
    }

    pub(super) fn replace_route(
        &mut self,
        id: &RouteTableId,
        destination: &Destination,
        target: &RouteTarget,
    ) -> Result<Response, ApiError> {
        self.check_target(id, target)?;
        let there = self.table(id)?.routes.get(destination).cloned().ok_or_else(|| {
            ApiError::new(
                "InvalidParameterValue",
                format!("There is no route defined for '{destination}' in the route table. Use CreateRoute instead."),
            )
        })?;
        if matches!(there.target, RouteTarget::GatewayEndpoint(_)) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("cannot replace the endpoint route {destination}"),
            ));
        }
        self.check_inside_vpc(id, destination, target)?;
        self.check_edge(id, destination, target)?;
        let is_local = *target == RouteTarget::Local;
        if is_local && !self.is_vpc_network(id, destination)? {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("LocalTarget cannot be set for the route {destination}"),
            ));
        }
        let origin = if is_local {
            RouteOrigin::Table
        } else {
            there.origin
        };
        let route = StoredRoute {
            target: target.clone(),
            origin,
        };
        self.table_mut(id)?
            .routes
            .insert(destination.clone(), route);
        Ok(Response::Done)
    }

    pub(super) fn delete_route(
        &mut self,
        id: &RouteTableId,
        destination: &Destination,
    ) -> Result<Response, ApiError> {
        let under_local = self.is_vpc_network(id, destination)?;
        let table = self.table_mut(id)?;
        match table.routes.get(destination) {
            Some(route) if route.origin == RouteOrigin::Table => Err(ApiError::new(
                "InvalidParameterValue",
                format!("cannot remove local route {destination} in route table {id}"),
            )),
            Some(route) if matches!(route.target, RouteTarget::GatewayEndpoint(_)) => {
                Err(ApiError::new(
                    "InvalidParameterValue",
                    format!("cannot remove VPC endpoint route {destination} in route table {id}"),
                ))
            }
            Some(_) => {
                table.routes.remove(destination);
                if under_local {
                    // A static route stands before the local one, which cannot go away.
                    let route = StoredRoute {
                        target: RouteTarget::Local,
                        origin: RouteOrigin::Table,
                    };
                    table.routes.insert(destination.clone(), route);
                }
                Ok(Response::Done)
            }
            None => Err(ApiError::new(
                "InvalidRoute.NotFound",
                format!("no route with destination-cidr-block {destination} in route table {id}"),
            )),
        }
    }

    /// Whether a destination is one of the VPC's own networks: every table has its local route.
    fn is_vpc_network(
        &self,
        id: &RouteTableId,
        destination: &Destination,
    ) -> Result<bool, ApiError> {
        let networks = &self.vpc(&self.table(id)?.vpc)?.cidrs;
        Ok(destination
            .as_cidr()
            .is_some_and(|net| networks.contains(&net)))
    }

    fn holder_of(&self, subject: &AssociationSubject) -> Option<&Table> {
        self.tables
            .values()
            .find(|table| table.associations.values().any(|other| other == subject))
    }

    pub(super) fn associate_table(
        &mut self,
        id: &RouteTableId,
        subject: &AssociationSubject,
    ) -> Result<Response, ApiError> {
        let vpc = self.table(id)?.vpc.clone();
        let belongs = match subject {
            AssociationSubject::Subnet(subnet) => {
                let subnet = self.topology.subnets.get(subnet).ok_or_else(|| {
                    no_target("InvalidSubnetID.NotFound", "subnet", subnet.as_str())
                })?;
                subnet.vpc == vpc
            }
            AssociationSubject::Gateway(gateway) => {
                let known = self.topology.gateways.get(gateway.as_str());
                known
                    .ok_or_else(|| {
                        no_target("InvalidGatewayID.NotFound", "gateway", gateway.as_str())
                    })?
                    .vpcs
                    .contains(&vpc)
            }
            AssociationSubject::Main(_) => {
                return Err(ApiError::new(
                    "MissingParameter",
                    "The request must contain the parameter subnetId or gatewayId",
                ));
            }
        };
        if !belongs {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("route table {id} belongs to a different network"),
            ));
        }
        if matches!(subject, AssociationSubject::Gateway(_)) {
            self.check_edge_table(id)?;
        }
        if self.holder_of(subject).is_some() {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!(
                    "the specified association for route table {id} conflicts with an existing association"
                ),
            ));
        }
        let association = AssociationId::new(self.mint.id("rtbassoc"));
        self.table_mut(id)?
            .associations
            .insert(association.clone(), subject.clone());
        Ok(Response::Association(association))
    }

    pub(super) fn disassociate_table(
        &mut self,
        association: &AssociationId,
    ) -> Result<Response, ApiError> {
        let table = self
            .tables
            .values_mut()
            .find(|table| table.associations.contains_key(association));
        let table = table.ok_or_else(|| no_association(association))?;
        if matches!(
            table.associations.get(association),
            Some(AssociationSubject::Main(_))
        ) {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("cannot disassociate the main route table association {association}"),
            ));
        }
        table.associations.remove(association);
        Ok(Response::Done)
    }

    pub(super) fn replace_table_association(
        &mut self,
        association: &AssociationId,
        to: &RouteTableId,
    ) -> Result<Response, ApiError> {
        let vpc = self.table(to)?.vpc.clone();
        let from = self
            .tables
            .values_mut()
            .find(|table| table.associations.contains_key(association));
        let from = from.ok_or_else(|| no_association(association))?;
        if from.vpc != vpc {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("route table {to} belongs to a different network"),
            ));
        }
        let subject = from
            .associations
            .remove(association)
            .ok_or_else(|| no_association(association))?;
        if matches!(subject, AssociationSubject::Gateway(_)) {
            self.check_edge_table(to)?;
        }
        let new = AssociationId::new(self.mint.id("rtbassoc"));
        self.table_mut(to)?
            .associations
            .insert(new.clone(), subject);
        Ok(Response::Association(new))
    }

    pub(crate) fn create_table(&mut self, vpc: &VpcId, tags: &Tags) -> Result<Response, ApiError> {
        let networks = self.vpc(vpc)?.cidrs.clone();
        let id = RouteTableId::new(self.mint.id("rtb"));
        let local = StoredRoute {
            target: RouteTarget::Local,
            origin: RouteOrigin::Table,
        };
        let table = Table {
            id: id.clone(),
            vpc: vpc.clone(),
            tags: tags.clone(),
            routes: networks
                .into_iter()
                .map(|net| (Destination::cidr(net), local.clone()))
                .collect(),
            associations: BTreeMap::new(),
            propagating: BTreeSet::new(),
        };
        self.tables.insert(id.clone(), table);
        Ok(Response::Table(id))
    }

    pub(super) fn delete_table(&mut self, id: &RouteTableId) -> Result<Response, ApiError> {
        if !self.table(id)?.associations.is_empty() {
            return Err(ApiError::new(
                "DependencyViolation",
                format!("The routeTable '{id}' has dependencies and cannot be deleted."),
            ));
        }
        self.tables.remove(id);
        Ok(Response::Done)
    }

    pub(super) fn propagate(
        &mut self,
        id: &RouteTableId,
        gateway: &GatewayId,
        enabled: bool,
    ) -> Result<Response, ApiError> {
        let vpc = self.table(id)?.vpc.clone();
        let known = self.topology.gateways.get(gateway.as_str());
        let attached = known
            .ok_or_else(|| no_target("InvalidGatewayID.NotFound", "gateway", gateway.as_str()))?
            .vpcs
            .contains(&vpc);
        if enabled && !attached {
            return Err(ApiError::new(
                "Gateway.NotAttached",
                format!("resource {gateway} is not attached to network {vpc}"),
            ));
        }
        if enabled && self.table(id)?.has_edge() {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("route table {id} has a gateway association: no propagation"),
            ));
        }
        let propagating = &mut self.table_mut(id)?.propagating;
        if enabled {
            propagating.insert(gateway.clone())
        } else {
            propagating.remove(gateway)
        };
        Ok(Response::Done)
    }
}
