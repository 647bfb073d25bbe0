//! Stories about associations: their events carry association ids that no longer exist.

use super::{Scene, mallory, olga};
use crate::Call;
use snapback_model::*;

pub(super) fn subnet_to_empty_acl(scene: &mut Scene<'_>) -> Result<(), String> {
    let (vpc, subnet) = (
        scene.station.layout.vpc.clone(),
        scene.station.layout.db_a.clone(),
    );
    let created = scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "creates a network ACL without entries",
        Call::CreateNetworkAcl {
            vpc,
            tags: Tags::new(),
        },
    )?;
    let acl = NetworkAclId::new(created.first());
    let association = scene
        .station
        .world
        .acl_association(&subnet)
        .ok_or("the subnet has no ACL")?;
    let call = Call::ReplaceNetworkAclAssociation {
        association,
        acl: acl.clone(),
    };
    scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "moves a database subnet onto it: every packet is dropped",
        call,
    )?;
    scene.station.settle()?;
    let empty = scene.station.world.resource(&acl.into());
    scene.demand(
        matches!(&empty, Some(Resource::NetworkAcl(acl)) if acl.subnets.is_empty()),
        "the subnet is back on its ACL; the empty ACL holds nothing",
    )
}

pub(super) fn subnet_cut_from_table(scene: &mut Scene<'_>) -> Result<(), String> {
    let subject = AssociationSubject::Subnet(scene.station.layout.private_b.clone());
    let association = scene
        .station
        .world
        .table_association(&subject)
        .ok_or("the subnet has no table of its own")?;
    let call = Call::DisassociateRouteTable { association };
    scene.station.act(
        &olga(),
        "olga (console)",
        "cuts a private subnet from its route table: no way out any more",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["AssociateRouteTable"],
        "the subnet has its table again; the event named only an association id that was gone",
    )
}

pub(super) fn main_table_changed(scene: &mut Scene<'_>) -> Result<(), String> {
    let subject = AssociationSubject::Main(scene.station.layout.vpc.clone());
    let table = scene.station.layout.public_table.clone();
    let association = scene
        .station
        .world
        .table_association(&subject)
        .ok_or("the VPC has no main table")?;
    let call = Call::ReplaceRouteTableAssociation { association, table };
    scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "makes the public table the main one: the databases' subnets get an internet route",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["ReplaceRouteTableAssociation"],
        "the main table is the old one again, in one call",
    )
}
