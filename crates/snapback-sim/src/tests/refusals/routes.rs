//! Route tables, gateways, interfaces.

use super::super::mallory;
use super::{check, to};
use crate::{Call, Layout, World};
use snapback_model::*;

#[test]
fn route_calls() {
    check(|_, layout| {
        let table = &layout.public_table;
        let igw = RouteTarget::InternetGateway(layout.internet_gateway.clone());
        let nat = RouteTarget::NatGateway(layout.nat_gateway.clone());
        let eni = RouteTarget::NetworkInterface(layout.app_interface.to_string());
        let create = |text: &str, target: &RouteTarget| Call::CreateRoute {
            table: table.clone(),
            destination: to(text),
            target: target.clone(),
        };
        let replace = |text: &str, target: &RouteTarget| Call::ReplaceRoute {
            table: table.clone(),
            destination: to(text),
            target: target.clone(),
        };
        let delete = |table: &RouteTableId, text: &str| Call::DeleteRoute {
            table: table.clone(),
            destination: to(text),
        };
        let s3 = layout.s3_list.as_str();
        vec![
            ("a new route", create("10.20.0.0/16", &nat), ""),
            (
                "a taken destination",
                create("0.0.0.0/0", &nat),
                "RouteAlreadyExists",
            ),
            (
                "the identical route",
                create("0.0.0.0/0", &igw),
                "RouteAlreadyExists",
            ),
            (
                "inside the VPC, a subnet, to an interface",
                create("10.0.20.0/24", &eni),
                "",
            ),
            (
                "inside the VPC, not a subnet",
                create("10.0.20.0/25", &eni),
                "InvalidParameterValue",
            ),
            (
                "inside the VPC, to the internet",
                create("10.0.20.0/24", &igw),
                "InvalidParameterValue",
            ),
            (
                "no gateway",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::InternetGateway("igw-0gone".into()),
                ),
                "InvalidGatewayID.NotFound",
            ),
            (
                "no NAT gateway",
                create("10.9.0.0/16", &RouteTarget::NatGateway("nat-0gone".into())),
                "InvalidNatGatewayID.NotFound",
            ),
            (
                "no interface",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::NetworkInterface("eni-0gone".into()),
                ),
                "InvalidNetworkInterfaceID.NotFound",
            ),
            (
                "no peering",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::VpcPeeringConnection("pcx-0gone".into()),
                ),
                "InvalidVpcPeeringConnectionID.NotFound",
            ),
            (
                "no transit gateway",
                create(
                    "10.9.0.0/16",
                    &RouteTarget::TransitGateway("tgw-0gone".into()),
                ),
                "InvalidTransitGatewayID.NotFound",
            ),
            (
                "an endpoint route",
                create(s3, &RouteTarget::GatewayEndpoint(layout.endpoint.clone())),
                "InvalidParameterValue",
            ),
            ("replace", replace("0.0.0.0/0", &nat), ""),
            (
                "replace nothing",
                replace("10.9.0.0/16", &nat),
                "InvalidParameterValue",
            ),
            ("replace the local route", replace("10.0.0.0/16", &eni), ""),
            ("delete", delete(table, "0.0.0.0/0"), ""),
            (
                "delete nothing",
                delete(table, "10.9.0.0/16"),
                "InvalidRoute.NotFound",
            ),
            (
                "delete a propagated route",
                delete(&layout.private_table, "192.168.0.0/16"),
                "InvalidRoute.NotFound",
            ),
            (
                "delete the local route",
                delete(table, "10.0.0.0/16"),
                "InvalidParameterValue",
            ),
            (
                "delete an endpoint route",
                delete(&layout.private_table, s3),
                "InvalidParameterValue",
            ),
            (
                "no table",
                delete(&"rtb-0gone".into(), "0.0.0.0/0"),
                "InvalidRouteTableID.NotFound",
            ),
        ]
    });
}

#[test]
fn route_table_association_calls() {
    check(|world, layout| {
        let subnet = |id: &SubnetId| AssociationSubject::Subnet(id.clone());
        let gateway = || AssociationSubject::Gateway(GatewayId::new(&*layout.internet_gateway));
        let main = world
            .table_association(&AssociationSubject::Main(layout.vpc.clone()))
            .unwrap();
        let public = world.table_association(&subnet(&layout.public_a)).unwrap();
        let associate = |table: &RouteTableId, subject| Call::AssociateRouteTable {
            table: table.clone(),
            subject,
        };
        let disassociate = |id: &AssociationId| Call::DisassociateRouteTable {
            association: id.clone(),
        };
        let replace =
            |id: &AssociationId, table: &RouteTableId| Call::ReplaceRouteTableAssociation {
                association: id.clone(),
                table: table.clone(),
            };
        let delete = |table: &RouteTableId| Call::DeleteRouteTable {
            table: table.clone(),
        };
        let vgw = |enabled, gateway: &str| match enabled {
            true => Call::EnableVgwRoutePropagation {
                table: layout.public_table.clone(),
                gateway: gateway.into(),
            },
            false => Call::DisableVgwRoutePropagation {
                table: layout.private_table.clone(),
                gateway: gateway.into(),
            },
        };
        vec![
            (
                "an implicit subnet",
                associate(&layout.private_table, subnet(&layout.db_a)),
                "",
            ),
            (
                "a gateway with a table that leads inward",
                associate(&edge_table(world, layout), gateway()),
                "",
            ),
            (
                "a gateway with a table that leads outward",
                associate(&layout.public_table, gateway()),
                "InvalidParameterValue",
            ),
            (
                "a gateway with the main table",
                associate(&layout.main_table, gateway()),
                "InvalidParameterValue",
            ),
            (
                "an explicit subnet",
                associate(&layout.private_table, subnet(&layout.public_a)),
                "Resource.AlreadyAssociated",
            ),
            (
                "no subnet",
                associate(&layout.private_table, subnet(&"subnet-0gone".into())),
                "InvalidSubnetID.NotFound",
            ),
            ("disassociate", disassociate(&public), ""),
            (
                "disassociate main",
                disassociate(&main),
                "InvalidParameterValue",
            ),
            (
                "disassociate nothing",
                disassociate(&"rtbassoc-0gone".into()),
                "InvalidAssociationID.NotFound",
            ),
            ("replace", replace(&public, &layout.private_table), ""),
            ("replace main", replace(&main, &layout.public_table), ""),
            (
                "replace nothing",
                replace(&"rtbassoc-0gone".into(), &layout.public_table),
                "InvalidAssociationID.NotFound",
            ),
            (
                "replace by no table",
                replace(&main, &"rtb-0gone".into()),
                "InvalidRouteTableID.NotFound",
            ),
            (
                "delete the main table",
                delete(&layout.main_table),
                "DependencyViolation",
            ),
            (
                "delete a table with subnets",
                delete(&layout.public_table),
                "DependencyViolation",
            ),
            ("propagate", vgw(true, layout.vpn_gateway.as_str()), ""),
            (
                "propagate from nowhere",
                vgw(true, "vgw-0gone"),
                "InvalidGatewayID.NotFound",
            ),
            (
                "propagate no more",
                vgw(false, layout.vpn_gateway.as_str()),
                "",
            ),
        ]
    });
}

#[test]
fn gateways_and_interfaces() {
    check(|_, layout| {
        let groups = |ids: &[&str]| Call::ModifyNetworkInterfaceGroups {
            interface: layout.app_interface.clone(),
            groups: ids.iter().map(|id| SecurityGroupId::from(*id)).collect(),
        };
        let (igw, vpc) = (layout.internet_gateway.clone(), layout.vpc.clone());
        vec![
            (
                "other groups",
                groups(&[layout.app.as_str(), layout.web.as_str()]),
                "",
            ),
            ("no groups", groups(&[]), "MissingParameter"),
            (
                "no such group",
                groups(&["sg-0gone"]),
                "InvalidGroup.NotFound",
            ),
            (
                "six groups",
                groups(&["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"]),
                "SecurityGroupsPerInterfaceLimitExceeded",
            ),
            (
                "a requester-managed interface",
                Call::ModifyNetworkInterfaceGroups {
                    interface: layout.db_interface.clone(),
                    groups: vec![layout.web.clone()],
                },
                "AuthFailure",
            ),
            (
                "detach with public addresses",
                Call::DetachInternetGateway {
                    gateway: igw.clone(),
                    vpc: vpc.clone(),
                },
                "DependencyViolation",
            ),
            (
                "attach twice",
                Call::AttachInternetGateway {
                    gateway: igw.clone(),
                    vpc,
                },
                "Resource.AlreadyAssociated",
            ),
            (
                "delete attached",
                Call::DeleteInternetGateway { gateway: igw },
                "DependencyViolation",
            ),
            (
                "no NAT gateway",
                Call::DeleteNatGateway {
                    gateway: "nat-0gone".into(),
                },
                "NatGatewayNotFound",
            ),
            (
                "a stale prefix list version",
                Call::ModifyManagedPrefixList {
                    list: layout.office_list.clone(),
                    current_version: Some(2),
                    add: vec![],
                    remove: vec![],
                },
                "PrefixListVersionMismatch",
            ),
            (
                "tags of nothing",
                Call::CreateTags {
                    targets: vec!["sg-0gone".into()],
                    tags: [("a".to_owned(), "b".to_owned())].into(),
                },
                "InvalidGroup.NotFound",
            ),
        ]
    });
}

/// A table with its local routes only.
fn edge_table(world: &World, layout: &Layout) -> RouteTableId {
    let call = Call::CreateRouteTable {
        vpc: layout.vpc.clone(),
        tags: Tags::new(),
    };
    RouteTableId::from(world.call(&mallory(), call).unwrap().first())
}
