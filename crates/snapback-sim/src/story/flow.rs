//! Stories about who acted, and about events that are lost, late, doubled.

use super::{Scene, mallory, olga, parsed, pipeline};
use crate::{Call, EventFaults};
use snapback_model::*;
use std::time::Duration;

pub(super) fn trusted_and_stranger(scene: &mut Scene<'_>) -> Result<(), String> {
    let web = scene.station.layout.web.clone();
    let approved: RuleKey = parsed("ingress tcp:8443 198.51.100.0/24")?;
    let call = Call::authorize(
        &web,
        [(approved.clone(), Some("health checks of the office".into()))],
    );
    scene.station.act(
        &pipeline(),
        "the deployment role",
        "adds a rule for the office on 8443",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis().is_empty(),
        "the deployment's change was accepted into the baseline; nothing was written",
    )?;
    scene.good = scene.station.world.snapshot().resources;
    scene.station.world.advance(Duration::from_secs(3600));
    let call = Call::authorize(&web, [(parsed("ingress tcp:3389 0.0.0.0/0")?, None)]);
    scene.station.act(
        &mallory(),
        "mallory (role developer), an hour later",
        "opens remote desktop to the internet on the same group",
        call,
    )?;
    scene.station.settle()?;
    let kept = scene.station.world.rule_id(&web, &approved).is_some();
    scene.demand(
        kept && scene.station.our_apis() == ["RevokeSecurityGroupIngress"],
        "the stranger's rule is gone, the deployment's stayed",
    )
}

pub(super) fn event_lost(scene: &mut Scene<'_>) -> Result<(), String> {
    let db = scene.station.layout.db.clone();
    scene.station.world.lose_next_events(1);
    let call = Call::authorize(&db, [(parsed("ingress tcp:5432 0.0.0.0/0")?, None)]);
    scene.station.act(
        &olga(),
        "olga (console)",
        "opens the database to the internet",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis().is_empty(),
        "CloudTrail's event never came: nothing happened yet",
    )?;
    scene
        .station
        .note("ten minutes later the sweep reads everything");
    scene.station.world.advance(Duration::from_secs(600));
    let swept = scene.station.sweep()?;
    scene.demand(
        swept.missed.len() == 1,
        "the sweep counted one missed change and asked the guard to look",
    )
}

pub(super) fn late_duplicates(scene: &mut Scene<'_>) -> Result<(), String> {
    let app = scene.station.layout.app.clone();
    scene.station.world.set_event_faults(EventFaults {
        delay_min: Duration::from_secs(1),
        delay_max: Duration::from_secs(240),
        late: 0.5,
        late_by: Duration::from_secs(600),
        duplicate: 0.0,
        lose: 0.0,
    });
    for (port, what) in [
        (22, "opens ssh to the internet"),
        (3389, "opens remote desktop as well"),
    ] {
        scene.station.world.duplicate_next_event(2);
        let call = Call::authorize(
            &app,
            [(parsed(&format!("ingress tcp:{port} 0.0.0.0/0"))?, None)],
        );
        scene
            .station
            .act(&mallory(), "mallory (role developer)", what, call)?;
    }
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["RevokeSecurityGroupIngress"],
        "six deliveries in the wrong order: one revert",
    )?;
    scene.demand(
        scene.station.shown("sns") == 1 && scene.station.shown("slack") == 1,
        "and one alert on each channel",
    )
}
