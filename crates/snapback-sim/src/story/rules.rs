//! Stories about security group rules.

use super::{Scene, mallory, olga, parsed};
use crate::{Call, RuleChange};
use snapback_model::*;

pub(super) fn ssh_opened(scene: &mut Scene<'_>) -> Result<(), String> {
    let web = scene.station.layout.web.clone();
    let rule: RuleKey = parsed("ingress tcp:22 0.0.0.0/0")?;
    let call = Call::authorize(&web, [(rule, Some("just for a minute".into()))]);
    scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "opens ssh to the whole internet on the load balancers' group",
        call,
    )?;
    scene.station.settle()?;
    scene.demand(
        scene.station.our_apis() == ["RevokeSecurityGroupIngress"],
        "one call; the approved public rules on 80 and 443 were not touched",
    )
}

pub(super) fn approved_rule_revoked(scene: &mut Scene<'_>) -> Result<(), String> {
    let web = scene.station.layout.web.clone();
    let rule: RuleKey = parsed("ingress tcp:443 0.0.0.0/0")?;
    scene.station.act(
        &olga(),
        "olga (console)",
        "removes the TLS rule of the load balancers: the shop is closed",
        Call::revoke(&web, [rule.clone()]),
    )?;
    scene.station.settle()?;
    let back = scene.station.world.snapshot();
    let description = match back.resources.get(&web.into()) {
        Some(Resource::SecurityGroup(group)) => group
            .rules
            .get(&rule)
            .and_then(|detail| detail.description.clone()),
        _ => None,
    };
    scene.demand(
        description.as_deref() == Some("TLS from the internet"),
        "the rule is back with its description",
    )
}

pub(super) fn rule_widened(scene: &mut Scene<'_>) -> Result<(), String> {
    let app = scene.station.layout.app.clone();
    let narrow: RuleKey = parsed("ingress tcp:22 198.51.100.0/24")?;
    let wide: RuleKey = parsed("ingress tcp:22 0.0.0.0/0")?;
    let id = scene
        .station
        .world
        .rule_id(&app, &narrow)
        .ok_or("the office rule is not there")?;
    let change = RuleChange {
        id: id.clone(),
        traffic: wide.traffic,
        peer: wide.peer,
        description: Some("ssh from the office".into()),
    };
    let call = Call::ModifySecurityGroupRules {
        group: app.clone(),
        changes: vec![change],
    };
    scene.station.act(
        &mallory(),
        "mallory (role developer)",
        "widens the office's ssh rule to the whole internet, in place",
        call,
    )?;
    scene.station.settle()?;
    let kept = scene.station.world.rule_id(&app, &narrow) == Some(id);
    scene.demand(kept, "the rule is narrow again under the same rule id")?;
    scene.demand(
        scene.station.our_apis() == ["ModifySecurityGroupRules"],
        "one call, no moment without the office's access",
    )
}
