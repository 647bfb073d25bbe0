//! `Observe`: describe calls to snapshots.
//!
//! - Owns: which calls a scope takes, pages, what was thereby read completely.
//! - Takes: [`Scope`].
//! - Gives: [`Snapshot`]. Resources are asked for by filter, so a resource that is gone is an empty
//!   answer, not an error.
//! - Must not: try again (the flow does), give half a read as a whole one.

use super::convert::{network_acl, route_table, security_group, security_group_rule};
use super::{Ec2, convert_context as context};
use crate::call::call_error;
use aws_sdk_ec2::types::{Filter, ManagedPrefixList};
use snapback_app::port::{CallError, Observe, Scope};
use snapback_model::describe::{Described, PrefixList};
use snapback_model::{Coverage, Kind, PrefixListId, ResourceId, Snapshot, Timestamp};
use std::collections::BTreeSet;

/// The most that most describe calls give in one page (semantics E).
pub(super) const PAGE: i32 = 1000;
/// Route tables and prefix lists give less.
const SMALL_PAGE: i32 = 100;

/// The top-level keys of the context calls that a whole read cannot do without.
const CONTEXT: [&str; 11] = [
    "Vpcs",
    "Subnets",
    "NetworkInterfaces",
    "VpcEndpoints",
    "InternetGateways",
    "EgressOnlyInternetGateways",
    "NatGateways",
    "VpnGateways",
    "VpcPeeringConnections",
    "TransitGatewayAttachments",
    "PrefixLists",
];

/// All items of one paginated call.
macro_rules! pages {
    ($call:expr, $operation:literal, $about:expr, $size:expr) => {
        $call
            .into_paginator()
            .page_size($size)
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(|error| call_error($operation, $about, &error))
    };
}

pub(super) use pages;

/// All items of one paginated call without filter, converted.
macro_rules! everything {
    ($self:ident, $call:ident, $operation:literal, $size:expr, $convert:expr) => {
        async {
            let items = pages!($self.client.$call(), $operation, "account", $size)?;
            Ok::<_, CallError>(items.into_iter().map($convert).collect::<Vec<_>>())
        }
    };
}

pub(super) fn filter(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.into_iter().map(Into::into).collect()))
        .build()
}

impl Observe for Ec2 {
    async fn observe(&self, scope: &Scope) -> Result<Snapshot, CallError> {
        let observed_at = Timestamp::now();
        let (described, coverage) = match scope {
            // Boxed: twenty paginated calls side by side make a future of many kilobytes and layers.
            Scope::Everything => Box::pin(self.account_wide()).await?,
            Scope::Group(id) => {
                let described = self.group(id.as_str()).await?;
                (described, one(id.clone()))
            }
            Scope::GroupNamed(name) => self.groups_named(name).await?,
            Scope::AclsOf(vpc) => {
                let described = self.acls("vpc-id", vpc.as_str()).await?;
                (described, BTreeSet::from([Coverage::AclsOf(vpc.clone())]))
            }
            Scope::Acl(id) => {
                let described = self.acls("network-acl-id", id.as_str()).await?;
                (described, one(id.clone()))
            }
            Scope::TablesOf(vpc) => {
                let described = self.tables("vpc-id", vpc.as_str()).await?;
                (described, BTreeSet::from([Coverage::TablesOf(vpc.clone())]))
            }
            Scope::Table(id) => {
                let described = self.tables("route-table-id", id.as_str()).await?;
                (described, one(id.clone()))
            }
            Scope::Lists(ids) => (self.lists(ids).await?, BTreeSet::new()),
            Scope::NatGatewaysOf(vpc) => {
                let described = self.nat_gateways_of(vpc.as_str()).await?;
                (described, BTreeSet::new())
            }
        };
        Ok(described.into_snapshot(
            observed_at,
            coverage,
            Some(self.account.clone()),
            Some(self.region.clone()),
        ))
    }
}

fn one(id: impl Into<ResourceId>) -> BTreeSet<Coverage> {
    BTreeSet::from([Coverage::Resource(id.into())])
}

impl Ec2 {
    /// The rules in one call; the group itself only where it has none: then it is either empty or gone.
    async fn group(&self, id: &str) -> Result<Described, CallError> {
        let rules = self
            .client
            .describe_security_group_rules()
            .filters(filter("group-id", [id]));
        let rules = pages!(rules, "DescribeSecurityGroupRules", id, PAGE)?;
        let security_groups = if rules.is_empty() {
            let groups = self
                .client
                .describe_security_groups()
                .filters(filter("group-id", [id]));
            pages!(groups, "DescribeSecurityGroups", id, PAGE)?
        } else {
            Vec::new()
        };
        Ok(Described {
            security_groups: security_groups.into_iter().map(security_group).collect(),
            security_group_rules: rules.into_iter().map(security_group_rule).collect(),
            ..Described::default()
        })
    }

    async fn groups_named(&self, name: &str) -> Result<(Described, BTreeSet<Coverage>), CallError> {
        let groups = self
            .client
            .describe_security_groups()
            .filters(filter("group-name", [name]));
        let groups = pages!(groups, "DescribeSecurityGroups", name, PAGE)?;
        let ids: Vec<String> = groups
            .iter()
            .filter_map(|group| group.group_id.clone())
            .collect();
        let coverage = ids
            .iter()
            .filter_map(|id| id.parse().ok())
            .map(Coverage::Resource)
            .collect();
        let mut rules = Vec::new();
        // A filter takes at most 200 values.
        for ids in ids.chunks(200) {
            let call = self
                .client
                .describe_security_group_rules()
                .filters(filter("group-id", ids));
            rules.extend(pages!(call, "DescribeSecurityGroupRules", name, PAGE)?);
        }
        let described = Described {
            security_groups: groups.into_iter().map(security_group).collect(),
            security_group_rules: rules.into_iter().map(security_group_rule).collect(),
            ..Described::default()
        };
        Ok((described, coverage))
    }

    async fn acls(&self, name: &str, value: &str) -> Result<Described, CallError> {
        let call = self
            .client
            .describe_network_acls()
            .filters(filter(name, [value]));
        let acls = pages!(call, "DescribeNetworkAcls", value, PAGE)?;
        Ok(Described {
            network_acls: acls.into_iter().map(network_acl).collect(),
            ..Described::default()
        })
    }

    async fn tables(&self, name: &str, value: &str) -> Result<Described, CallError> {
        let call = self
            .client
            .describe_route_tables()
            .filters(filter(name, [value]));
        let tables = pages!(call, "DescribeRouteTables", value, SMALL_PAGE)?;
        Ok(Described {
            route_tables: tables.into_iter().map(route_table).collect(),
            ..Described::default()
        })
    }

    async fn account_wide(&self) -> Result<(Described, BTreeSet<Coverage>), CallError> {
        let (guarded, context, visibility) =
            tokio::try_join!(self.guarded(), self.context(), self.visibility())?;
        let mut described = guarded;
        described.merge(context);
        described.merge(visibility);
        let vpcs = described.vpcs.iter().filter_map(|vpc| vpc.vpc_id.clone());
        let vpcs: Vec<String> = vpcs.collect();
        described.merge(self.stale_references(&vpcs).await);
        let mut coverage: BTreeSet<Coverage> = Kind::ALL.into_iter().map(Coverage::Kind).collect();
        coverage.insert(Coverage::Subnets);
        Ok((described, coverage))
    }

    async fn guarded(&self) -> Result<Described, CallError> {
        let (security_groups, security_group_rules, network_acls, route_tables) = tokio::try_join!(
            everything!(
                self,
                describe_security_groups,
                "DescribeSecurityGroups",
                PAGE,
                security_group
            ),
            everything!(
                self,
                describe_security_group_rules,
                "DescribeSecurityGroupRules",
                PAGE,
                security_group_rule
            ),
            everything!(
                self,
                describe_network_acls,
                "DescribeNetworkAcls",
                PAGE,
                network_acl
            ),
            everything!(
                self,
                describe_route_tables,
                "DescribeRouteTables",
                SMALL_PAGE,
                route_table
            ),
        )?;
        Ok(Described {
            security_groups,
            security_group_rules,
            network_acls,
            route_tables,
            ..Described::default()
        })
    }

    async fn context(&self) -> Result<Described, CallError> {
        let (networks, gateways, prefix_lists) =
            tokio::try_join!(self.networks(), self.gateways(), self.prefix_lists())?;
        let mut described = networks;
        described.merge(gateways);
        described.prefix_lists = prefix_lists;
        // Every call was answered to the last page, else there is no answer at all.
        described.present = CONTEXT.into_iter().map(str::to_owned).collect();
        Ok(described)
    }

    async fn networks(&self) -> Result<Described, CallError> {
        let (vpcs, subnets, network_interfaces, vpc_endpoints) = tokio::try_join!(
            everything!(self, describe_vpcs, "DescribeVpcs", PAGE, context::vpc),
            everything!(
                self,
                describe_subnets,
                "DescribeSubnets",
                PAGE,
                context::subnet
            ),
            everything!(
                self,
                describe_network_interfaces,
                "DescribeNetworkInterfaces",
                PAGE,
                context::network_interface
            ),
            everything!(
                self,
                describe_vpc_endpoints,
                "DescribeVpcEndpoints",
                PAGE,
                context::vpc_endpoint
            ),
        )?;
        Ok(Described {
            vpcs,
            subnets,
            network_interfaces,
            vpc_endpoints,
            ..Described::default()
        })
    }

    async fn gateways(&self) -> Result<Described, CallError> {
        let vpn_gateways = async {
            // The one call here that EC2 does not page.
            let answer = self.client.describe_vpn_gateways().send().await;
            let answer =
                answer.map_err(|error| call_error("DescribeVpnGateways", "account", &error))?;
            Ok(super::convert::each(
                answer.vpn_gateways,
                context::vpn_gateway,
            ))
        };
        let (
            internet_gateways,
            egress_only_internet_gateways,
            nat_gateways,
            vpn_gateways,
            vpc_peering_connections,
            transit_gateway_attachments,
        ) = tokio::try_join!(
            everything!(
                self,
                describe_internet_gateways,
                "DescribeInternetGateways",
                PAGE,
                context::internet_gateway
            ),
            everything!(
                self,
                describe_egress_only_internet_gateways,
                "DescribeEgressOnlyInternetGateways",
                255,
                context::egress_only_internet_gateway
            ),
            everything!(
                self,
                describe_nat_gateways,
                "DescribeNatGateways",
                PAGE,
                context::nat_gateway
            ),
            vpn_gateways,
            everything!(
                self,
                describe_vpc_peering_connections,
                "DescribeVpcPeeringConnections",
                PAGE,
                context::vpc_peering_connection
            ),
            everything!(
                self,
                describe_transit_gateway_attachments,
                "DescribeTransitGatewayAttachments",
                PAGE,
                context::transit_gateway_attachment
            ),
        )?;
        Ok(Described {
            internet_gateways,
            egress_only_internet_gateways,
            nat_gateways,
            vpn_gateways,
            vpc_peering_connections,
            transit_gateway_attachments,
            ..Described::default()
        })
    }

    /// Some prefix lists, by filter: one that is gone is absent.
    async fn lists(&self, ids: &BTreeSet<PrefixListId>) -> Result<Described, CallError> {
        let ids: Vec<&str> = ids.iter().map(PrefixListId::as_str).collect();
        let call = self
            .client
            .describe_managed_prefix_lists()
            .filters(filter("prefix-list-id", ids.iter().copied()));
        let about = ids.join(", ");
        let lists = pages!(call, "DescribeManagedPrefixLists", &about, SMALL_PAGE)?;
        Ok(Described {
            prefix_lists: self.with_entries(lists).await?,
            ..Described::default()
        })
    }

    async fn prefix_lists(&self) -> Result<Vec<PrefixList>, CallError> {
        let lists = pages!(
            self.client.describe_managed_prefix_lists(),
            "DescribeManagedPrefixLists",
            "account",
            SMALL_PAGE
        )?;
        self.with_entries(lists).await
    }

    /// Managed prefix lists; entries of those that people keep. AWS's own change without a word and
    /// are named, not listed.
    async fn with_entries(
        &self,
        lists: Vec<ManagedPrefixList>,
    ) -> Result<Vec<PrefixList>, CallError> {
        let mut shapes = Vec::with_capacity(lists.len());
        for list in lists {
            let is_aws = list
                .owner_id
                .as_deref()
                .is_none_or(|owner| owner.eq_ignore_ascii_case("aws"));
            let id = list.prefix_list_id.clone();
            let mut shape = context::prefix_list(list);
            if let Some(id) = id.filter(|_| !is_aws) {
                let call = self
                    .client
                    .get_managed_prefix_list_entries()
                    .prefix_list_id(&id);
                let entries = pages!(call, "GetManagedPrefixListEntries", &id, SMALL_PAGE)?;
                shape.entries = Some(
                    entries
                        .into_iter()
                        .map(context::prefix_list_entry)
                        .collect(),
                );
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }
}
