//! Stories about routes.

use super::{Scene, mallory, olga, parsed};
use crate::Call;
use snapback_model::*;

pub(super) fn default_route_deleted(scene: &mut Scene<'_>) -> Result<(), String> {
    let table = scene.station.layout.public_table.clone();
    let call = Call::DeleteRoute {
        table,
        destination: parsed("0.0.0.0/0")?,
    };
    scene.station.act(
        &olga(),
        "olga (console)",
        "deletes the default route of the public subnets: the shop is off the internet",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["CreateRoute"],
        "the route is back, in one call",
    )
}

pub(super) fn default_route_redirected(scene: &mut Scene<'_>) -> Result<(), String> {
    let table = scene.station.layout.private_table.clone();
    let target = RouteTarget::NetworkInterface(scene.station.layout.app_interface.to_string());
    let call = Call::ReplaceRoute {
        table,
        destination: parsed("0.0.0.0/0")?,
        target,
    };
    scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "sends all outbound traffic of the private subnets through an instance",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["ReplaceRoute"],
        "replaced in place: no moment without a default route",
    )
}
