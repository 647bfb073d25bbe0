//! Stories about what was deleted: it comes back under a new id, and all that knew it follows.

use super::{Scene, mallory, parsed, pipeline};
use crate::{Call, GroupBy, successors};
use snapback_model::*;

/// A group of the pipeline that no interface carries, so that it can be deleted.
fn group(scene: &mut Scene<'_>, name: &str, rule: &str) -> Result<SecurityGroupId, String> {
    let call = Call::CreateSecurityGroup {
        name: name.to_owned(),
        description: format!("{name} jobs"),
        vpc: Some(scene.station.layout.vpc.clone()),
        tags: Tags::from([("Owner".to_owned(), "data".to_owned())]),
    };
    let what = format!("makes the group {name}");
    let made = scene
        .station
        .act(&pipeline(), "the deployment role", &what, call)?;
    let id = SecurityGroupId::new(made.first());
    let call = Call::authorize(&id, [(parsed(rule)?, Some(format!("for {name}")))]);
    let what = format!("gives {name} its rule");
    scene
        .station
        .act(&pipeline(), "the deployment role", &what, call)?;
    Ok(id)
}

pub(super) fn deletion_chain(scene: &mut Scene<'_>) -> Result<(), String> {
    let batch = group(scene, "batch", "ingress tcp:8443 10.0.0.0/16")?;
    let reference = format!("ingress tcp:5432 {batch}");
    let reader = group(scene, "reader", &reference)?;
    scene.station.settle()?;
    scene.good = scene.station.world.snapshot().resources;
    let table = scene.station.layout.private_table.clone();
    let mut chain = vec![
        (
            "takes the reference to batch out of reader".to_owned(),
            Call::revoke(&reader, [parsed(&reference)?]),
        ),
        (
            "and deletes batch".to_owned(),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(batch.clone()),
            },
        ),
    ];
    let layout = &scene.station.layout;
    for subnet in [&layout.private_a, &layout.private_b] {
        let subject = AssociationSubject::Subnet(subnet.clone());
        let association = scene
            .station
            .world
            .table_association(&subject)
            .ok_or("the subnet has no table of its own")?;
        chain.push((
            format!("cuts {subnet} from the private route table"),
            Call::DisassociateRouteTable { association },
        ));
    }
    chain.push((
        "and deletes the table: the application has no way out".into(),
        Call::DeleteRouteTable {
            table: table.clone(),
        },
    ));
    for (what, call) in chain {
        scene
            .station
            .act(&mallory(), "mallory (role developer)", &what, call)?;
    }
    scene.station.settle()?;
    let made = successors(&scene.station.world.snapshot().resources);
    let of = |old: &str| made.iter().filter(|(known, _)| known == old).count();
    scene.demand(
        made.len() == 2 && of(batch.as_str()) == 1 && of(table.as_str()) == 1,
        "the group and the table were made again, each once, and tagged with the id they had",
    )?;
    let reference = made
        .iter()
        .find(|(old, _)| old == batch.as_str())
        .and_then(|(_, new)| parsed(&format!("ingress tcp:5432 {new}")).ok());
    let follows =
        reference.is_some_and(|rule| scene.station.world.rule_id(&reader, &rule).is_some());
    scene.demand(follows, "reader refers to the new group")
}
