//! Stories about network ACL entries.

use super::{Scene, mallory, olga, parsed, pipeline, policy};
use crate::Call;
use snapback_engine::policy::Mode;
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

/// Two entries of a full ACL change places. No single call leads back without a packet lost, and no
/// number is free for an entry in between.
pub(super) fn full_quota_acl(scene: &mut Scene<'_>) -> Result<(), String> {
    let acl = scene.station.layout.db_acl.clone();
    scene.station.guard.policy = policy(Mode::Strict)?;
    let wanted = fill(scene, &acl)?;
    scene.station.note(
        "the databases' ACL has twenty entries in: its quota; nothing can be added, and each is needed",
    );
    scene.good = scene.station.world.snapshot().resources;
    let [(first, one), (second, two), ..] = wanted.as_slice() else {
        return Err("the ACL was full already".into());
    };
    for (key, entry) in [(first, two), (second, one)] {
        let call = Call::ReplaceNetworkAclEntry {
            acl: acl.clone(),
            key: *key,
            entry: entry.clone(),
        };
        let what = format!("puts another entry at {key}: the audit list is wrong now");
        scene
            .station
            .act(&mallory(), "mallory (role developer)", &what, call)?;
    }
    scene.station.settle()?;
    let calls = scene.station.our_apis();
    let used = |api: &str| calls.iter().any(|call| call == api);
    scene.demand(
        used("CreateNetworkAcl") && used("DeleteNetworkAcl"),
        "the subnets stood behind a copy of the good ACL while the full one was rewritten; the copy is gone",
    )?;
    scene.demand(
        ingress_entries(scene)? == FULL,
        "the ACL is full again, each entry in its place",
    )
}

/// Fills the ACL before the baseline is captured: an entry that another covers goes, those that are
/// added stand for themselves.
fn fill(
    scene: &mut Scene<'_>,
    acl: &NetworkAclId,
) -> Result<Vec<(EntryKey, NetworkAclEntry)>, String> {
    let covered = Call::DeleteNetworkAclEntry {
        acl: acl.clone(),
        key: parsed("ingress 100")?,
    };
    let mut calls = vec![covered];
    let mut added = Vec::new();
    for (index, port) in (ingress_entries(scene)?.saturating_sub(1)..FULL).zip(21_u16..) {
        let key: EntryKey = parsed(&format!("ingress {}", 200 + 10 * index))?;
        let traffic = Traffic::Tcp(PortRange::new(port, port).ok_or("a port")?);
        let entry = NetworkAclEntry::new(RuleAction::Allow, traffic, parsed("10.0.0.0/16")?);
        added.push((key, entry.clone()));
        calls.push(Call::CreateNetworkAclEntry {
            acl: acl.clone(),
            key,
            entry,
        });
    }
    for call in calls {
        let made = scene.station.world.call(&pipeline(), call);
        made.map_err(|error| error.to_string())?;
    }
    scene.station.capture("the ACL is full")?;
    Ok(added)
}

/// Entries of one direction that an ACL may hold, unless the quota was raised.
const FULL: usize = 20;

fn ingress_entries(scene: &Scene<'_>) -> Result<usize, String> {
    let acl = scene.station.layout.db_acl.clone().into();
    match scene.station.world.resource(&acl) {
        Some(Resource::NetworkAcl(acl)) => Ok(acl
            .entries
            .keys()
            .filter(|key| key.direction == Direction::Ingress)
            .count()),
        _ => Err("the databases have no ACL".into()),
    }
}
