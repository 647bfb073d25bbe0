//! `Actuate`: each action is exactly one EC2 call.
//!
//! - Owns: the way from [`Action`] to the SDK's request, and from its answer to [`Receipt`].
//! - Takes: an action; fresh handles for association ids.
//! - Gives: the request id, or the failure with EC2's code. What cannot be sent is refused before sending.
//! - Must not: retry, read, or fall back to another call.

use super::Ec2;
use super::request::{destination_of, ports_and_icmp, tag_list};
use crate::call::{call_error, not_sent};
use aws_sdk_ec2::operation::RequestId as _;
use aws_sdk_ec2::types as sdk;
use snapback_app::port::{Actuate, CallError, Receipt};
use snapback_engine::plan::Action;
use snapback_model::*;
use std::collections::BTreeSet;

/// Sends one request and keeps its id.
macro_rules! send {
    ($call:expr, $action:expr, $about:expr) => {
        $call
            .send()
            .await
            .map(|answer| Receipt {
                request: answer.request_id().map(RequestId::new),
                created: None,
                association: None,
            })
            .map_err(|error| call_error($action.api(), $about.as_ref(), &error))
    };
}

/// Sends a request that makes a resource, and keeps its id too.
macro_rules! make {
    ($call:expr, $action:expr, $about:expr, $answer:ident => $made:expr) => {
        $call
            .send()
            .await
            .map(|$answer| Receipt {
                request: $answer.request_id().map(RequestId::new),
                created: $made.map(CreatedId::new),
                association: None,
            })
            .map_err(|error| call_error($action.api(), $about.as_ref(), &error))
    };
}

/// Sends a request that makes an association, and keeps its id too.
macro_rules! bind {
    ($call:expr, $action:expr, $about:expr, $answer:ident => $association:expr) => {
        $call
            .send()
            .await
            .map(|$answer| Receipt {
                request: $answer.request_id().map(RequestId::new),
                created: None,
                association: $association.map(AssociationId::new),
            })
            .map_err(|error| call_error($action.api(), $about.as_ref(), &error))
    };
}

pub(super) use make;
pub(super) use send;

impl Actuate for Ec2 {
    async fn act(&self, action: &Action, handles: &Handles) -> Result<Receipt, CallError> {
        match action {
            Action::AuthorizeSecurityGroupRules { .. }
            | Action::RevokeSecurityGroupRules { .. }
            | Action::ModifySecurityGroupRule { .. }
            | Action::UpdateSecurityGroupRuleDescriptions { .. } => self.act_on_group(action).await,
            Action::CreateNetworkAclEntry { .. }
            | Action::ReplaceNetworkAclEntry { .. }
            | Action::DeleteNetworkAclEntry { .. }
            | Action::ReplaceNetworkAclAssociation { .. } => self.act_on_acl(action, handles).await,
            Action::CreateRoute { .. }
            | Action::ReplaceRoute { .. }
            | Action::DeleteRoute { .. } => self.act_on_route(action).await,
            Action::AssociateRouteTable { .. }
            | Action::ReplaceRouteTableAssociation { .. }
            | Action::DisassociateRouteTable { .. } => {
                self.act_on_association(action, handles).await
            }
            Action::EnableVgwRoutePropagation { table, gateway } => {
                let call = self.client.enable_vgw_route_propagation();
                send!(
                    call.route_table_id(table.as_str())
                        .gateway_id(gateway.as_str()),
                    action,
                    table.as_str()
                )
            }
            Action::DisableVgwRoutePropagation { table, gateway } => {
                let call = self.client.disable_vgw_route_propagation();
                send!(
                    call.route_table_id(table.as_str())
                        .gateway_id(gateway.as_str()),
                    action,
                    table.as_str()
                )
            }
            Action::CreateSecurityGroup { .. }
            | Action::CreateNetworkAcl { .. }
            | Action::DeleteNetworkAcl { .. }
            | Action::CreateRouteTable { .. }
            | Action::DeleteRouteTable { .. } => self.act_on_existence(action).await,
            Action::CreateNatGateway { .. }
            | Action::AssociateNatGatewayAddress { .. }
            | Action::AssignPrivateNatGatewayAddress { .. } => self.act_on_nat(action).await,
            Action::ModifyVpcEndpoint {
                endpoint,
                add,
                remove,
            } => {
                let ids = |tables: &BTreeSet<RouteTableId>| {
                    let ids = tables.iter().map(ToString::to_string).collect::<Vec<_>>();
                    (!ids.is_empty()).then_some(ids)
                };
                let call = self.client.modify_vpc_endpoint().vpc_endpoint_id(endpoint);
                let call = call
                    .set_add_route_table_ids(ids(add))
                    .set_remove_route_table_ids(ids(remove));
                send!(call, action, endpoint)
            }
            Action::CreateTags { target, tags } => {
                let call = self
                    .client
                    .create_tags()
                    .resources(target)
                    .set_tags(Some(tag_list(tags)));
                send!(call, action, target)
            }
            Action::DeleteTags { target, tags } => {
                let call = self
                    .client
                    .delete_tags()
                    .resources(target)
                    .set_tags(Some(tag_list(tags)));
                send!(call, action, target)
            }
        }
    }
}

/// A refusal of an action that reached a part which does not make it: a fault of this room.
pub(super) fn astray(action: &Action) -> CallError {
    not_sent(
        action.api(),
        "action",
        "NotRouted",
        "the call was not sent: the adapter has no way for it here",
    )
}

/// The tags that a create call gives.
pub(super) fn tagged(kind: sdk::ResourceType, tags: &Tags) -> Option<Vec<sdk::TagSpecification>> {
    let specification = sdk::TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tag_list(tags)))
        .build();
    (!tags.is_empty()).then(|| vec![specification])
}

impl Ec2 {
    async fn act_on_existence(&self, action: &Action) -> Result<Receipt, CallError> {
        match action {
            Action::CreateSecurityGroup {
                group,
                name,
                description,
                vpc,
                tags,
            } => {
                let call = self.client.create_security_group().vpc_id(vpc.as_str());
                let call = call
                    .group_name(name)
                    .description(description)
                    .set_tag_specifications(tagged(sdk::ResourceType::SecurityGroup, tags));
                make!(call, action, group.as_str(), answer => answer.group_id())
            }
            Action::CreateNetworkAcl {
                acl,
                vpc,
                tags,
                token,
            } => {
                let call = self.client.create_network_acl().vpc_id(vpc.as_str());
                let call = call
                    .set_client_token(token.clone())
                    .set_tag_specifications(tagged(sdk::ResourceType::NetworkAcl, tags));
                make!(call, action, acl.as_str(), answer => answer.network_acl().and_then(|acl| acl.network_acl_id()))
            }
            Action::CreateRouteTable {
                table,
                vpc,
                tags,
                token,
            } => {
                let call = self.client.create_route_table().vpc_id(vpc.as_str());
                let call = call
                    .set_client_token(token.clone())
                    .set_tag_specifications(tagged(sdk::ResourceType::RouteTable, tags));
                make!(call, action, table.as_str(), answer => answer.route_table().and_then(|table| table.route_table_id()))
            }
            Action::DeleteNetworkAcl { acl } => {
                let call = self.client.delete_network_acl();
                send!(call.network_acl_id(acl.as_str()), action, acl.as_str())
            }
            Action::DeleteRouteTable { table } => {
                let call = self.client.delete_route_table();
                send!(call.route_table_id(table.as_str()), action, table.as_str())
            }
            _ => Err(astray(action)),
        }
    }

    async fn act_on_acl(&self, action: &Action, handles: &Handles) -> Result<Receipt, CallError> {
        /// The members that creating and replacing share.
        macro_rules! entry {
            ($call:expr, $acl:expr, $key:expr, $entry:expr) => {{
                let (ports, icmp) = ports_and_icmp(&$entry.traffic);
                let (v4, v6) = match $entry.cidr {
                    ipnet::IpNet::V4(net) => (Some(net.to_string()), None),
                    ipnet::IpNet::V6(net) => (None, Some(net.to_string())),
                };
                $call
                    .network_acl_id($acl.as_str())
                    .rule_number($key.number.get().into())
                    .egress($key.direction.is_egress())
                    .protocol($entry.traffic.protocol_number())
                    .rule_action(match $entry.action {
                        RuleAction::Allow => sdk::RuleAction::Allow,
                        RuleAction::Deny => sdk::RuleAction::Deny,
                    })
                    .set_cidr_block(v4)
                    .set_ipv6_cidr_block(v6)
                    .set_port_range(ports)
                    .set_icmp_type_code(icmp)
            }};
        }
        match action {
            Action::CreateNetworkAclEntry { acl, key, entry } => {
                send!(
                    entry!(self.client.create_network_acl_entry(), acl, key, entry),
                    action,
                    acl.as_str()
                )
            }
            Action::ReplaceNetworkAclEntry {
                acl, key, entry, ..
            } => {
                send!(
                    entry!(self.client.replace_network_acl_entry(), acl, key, entry),
                    action,
                    acl.as_str()
                )
            }
            Action::DeleteNetworkAclEntry { acl, key, .. } => {
                let call = self
                    .client
                    .delete_network_acl_entry()
                    .network_acl_id(acl.as_str());
                let call = call
                    .rule_number(key.number.get().into())
                    .egress(key.direction.is_egress());
                send!(call, action, acl.as_str())
            }
            Action::ReplaceNetworkAclAssociation { subnet, acl, .. } => {
                let subject = AssociationSubject::Subnet(subnet.clone());
                let id = association(action, Kind::NetworkAcl, &subject, handles)?;
                let call = self.client.replace_network_acl_association();
                bind!(
                    call.association_id(id.as_str())
                        .network_acl_id(acl.as_str()),
                    action,
                    subnet.as_str(),
                    answer => answer.new_association_id()
                )
            }
            _ => Err(astray(action)),
        }
    }

    async fn act_on_route(&self, action: &Action) -> Result<Receipt, CallError> {
        /// Destination and target: the members that creating and replacing share.
        macro_rules! route {
            ($call:expr, $table:expr, $destination:expr, $target:expr) => {{
                let (v4, v6, list) = destination_of($destination);
                let call = $call
                    .route_table_id($table.as_str())
                    .set_destination_cidr_block(v4)
                    .set_destination_ipv6_cidr_block(v6)
                    .set_destination_prefix_list_id(list);
                match $target {
                    RouteTarget::InternetGateway(id) | RouteTarget::VpnGateway(id) => {
                        call.gateway_id(id)
                    }
                    RouteTarget::NatGateway(id) => call.nat_gateway_id(id),
                    RouteTarget::EgressOnlyInternetGateway(id) => {
                        call.egress_only_internet_gateway_id(id)
                    }
                    RouteTarget::NetworkInterface(id) => call.network_interface_id(id),
                    RouteTarget::VpcPeeringConnection(id) => call.vpc_peering_connection_id(id),
                    RouteTarget::TransitGateway(id) => call.transit_gateway_id(id),
                    RouteTarget::GatewayLoadBalancerEndpoint(id) => call.vpc_endpoint_id(id),
                    RouteTarget::CarrierGateway(id) => call.carrier_gateway_id(id),
                    RouteTarget::LocalGateway(id) => call.local_gateway_id(id),
                    RouteTarget::CoreNetwork(arn) => call.core_network_arn(arn),
                    RouteTarget::Local
                    | RouteTarget::GatewayEndpoint(_)
                    | RouteTarget::Unrecognized(_) => {
                        return Err(unwritable(action, $table, $target));
                    }
                }
            }};
        }
        match action {
            Action::CreateRoute {
                table,
                destination,
                target,
            } => {
                send!(
                    route!(self.client.create_route(), table, destination, target),
                    action,
                    table.as_str()
                )
            }
            Action::ReplaceRoute {
                table,
                destination,
                target: RouteTarget::Local,
                ..
            } => {
                let (v4, v6, list) = destination_of(destination);
                let call = self
                    .client
                    .replace_route()
                    .route_table_id(table.as_str())
                    .local_target(true);
                let call = call
                    .set_destination_cidr_block(v4)
                    .set_destination_ipv6_cidr_block(v6);
                send!(
                    call.set_destination_prefix_list_id(list),
                    action,
                    table.as_str()
                )
            }
            Action::ReplaceRoute {
                table,
                destination,
                target,
                ..
            } => {
                send!(
                    route!(self.client.replace_route(), table, destination, target),
                    action,
                    table.as_str()
                )
            }
            Action::DeleteRoute {
                table, destination, ..
            } => {
                let (v4, v6, list) = destination_of(destination);
                let call = self.client.delete_route().route_table_id(table.as_str());
                let call = call
                    .set_destination_cidr_block(v4)
                    .set_destination_ipv6_cidr_block(v6);
                send!(
                    call.set_destination_prefix_list_id(list),
                    action,
                    table.as_str()
                )
            }
            _ => Err(astray(action)),
        }
    }

    async fn act_on_association(
        &self,
        action: &Action,
        handles: &Handles,
    ) -> Result<Receipt, CallError> {
        match action {
            Action::AssociateRouteTable { table, subject } => {
                let call = self
                    .client
                    .associate_route_table()
                    .route_table_id(table.as_str());
                let call = match subject {
                    AssociationSubject::Subnet(subnet) => call.subnet_id(subnet.as_str()),
                    AssociationSubject::Gateway(gateway) => call.gateway_id(gateway.as_str()),
                    AssociationSubject::Main(vpc) => {
                        let why = format!(
                            "the call was not sent: the main table of {vpc} can only be replaced"
                        );
                        return Err(not_sent(
                            action.api(),
                            table.as_str(),
                            "MainAssociation",
                            why,
                        ));
                    }
                };
                bind!(call, action, table.as_str(), answer => answer.association_id())
            }
            Action::ReplaceRouteTableAssociation { subject, table, .. } => {
                let id = association(action, Kind::RouteTable, subject, handles)?;
                let call = self.client.replace_route_table_association();
                bind!(
                    call.association_id(id.as_str())
                        .route_table_id(table.as_str()),
                    action,
                    table.as_str(),
                    answer => answer.new_association_id()
                )
            }
            Action::DisassociateRouteTable { subject, from } => {
                let id = association(action, Kind::RouteTable, subject, handles)?;
                send!(
                    self.client
                        .disassociate_route_table()
                        .association_id(id.as_str()),
                    action,
                    from.as_str()
                )
            }
            _ => Err(astray(action)),
        }
    }
}

fn association<'a>(
    action: &Action,
    kind: Kind,
    subject: &AssociationSubject,
    handles: &'a Handles,
) -> Result<&'a AssociationId, CallError> {
    handles.association_id(kind, subject).ok_or_else(|| {
        let why = "the call was not sent: the fresh read shows no association to name";
        not_sent(
            action.api(),
            &subject.to_string(),
            "AssociationUnknown",
            why,
        )
    })
}

fn unwritable(action: &Action, table: &RouteTableId, target: &RouteTarget) -> CallError {
    let why = format!("the call was not sent: route calls cannot write the target {target}");
    not_sent(action.api(), table.as_str(), "TargetNotWritable", why)
}
