//! Stories about network ACL entries.

use super::{Scene, mallory, olga, parsed};
use crate::Call;
use snapback_model::*;

pub(super) fn acl_entry_deleted(scene: &mut Scene<'_>) -> Result<(), String> {
    let acl = scene.station.layout.db_acl.clone();
    let call = Call::DeleteNetworkAclEntry {
        acl,
        key: parsed("egress 100")?,
    };
    scene.station.act(
        &olga(),
        "olga (console)",
        "deletes egress entry 100 of the databases' network ACL: their answers are dropped",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["CreateNetworkAclEntry"],
        "the entry is back under its number, in one call",
    )
}

pub(super) fn deny_before_allow(scene: &mut Scene<'_>) -> Result<(), String> {
    let acl = scene.station.layout.db_acl.clone();
    let inside = parsed("10.0.0.0/16")?;
    let entry = NetworkAclEntry::new(RuleAction::Deny, Traffic::All, inside);
    let call = Call::CreateNetworkAclEntry {
        acl,
        key: parsed("ingress 50")?,
        entry,
    };
    scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "adds a deny at 50, before the allow at 100: the databases are dark",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["DeleteNetworkAclEntry"],
        "only the deny was taken away",
    )
}
