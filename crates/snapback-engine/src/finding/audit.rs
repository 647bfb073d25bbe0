//! What is dangerous in one state by itself.
//!
//! Two audits of two states, compared by code, subject and element, tell what is new from what was
//! there before.

mod groups;
mod surroundings;
mod tables;
mod tags;

pub(super) use groups::is_default;

use super::scene::Teller;
use super::world::World;
use super::{Finding, Harm, HouseRules, acl, existence, group, ssm};
use snapback_model::*;

/// Everything that is dangerous in a state.
pub(super) fn whole(world: &World<'_>, house: &HouseRules) -> Vec<Finding> {
    let mut findings: Vec<Finding> = world
        .resources()
        .flat_map(|resource| of_resource(world, resource, house))
        .collect();
    findings.extend(surroundings::audit(world, house));
    findings.extend(ssm::audit(world));
    findings
}

/// What is dangerous in one resource of a state. Evidence is whole: [`super::since`] compares it.
pub(super) fn of_resource(
    world: &World<'_>,
    resource: &Resource,
    house: &HouseRules,
) -> Vec<Finding> {
    let mut teller = Teller::about(resource.id().into());
    match resource {
        Resource::SecurityGroup(found) => {
            openings(&mut teller, world, found);
            groups::audit(&mut teller, world, found);
        }
        Resource::NetworkAcl(found) => {
            acl::audit(&mut teller, found);
            for gap in acl::gaps(world, found, acl::Evidence::Wanted) {
                teller.tell(
                    gap.code,
                    (gap.severity, Harm::Cuts),
                    Element::Existence,
                    gap.meaning,
                    gap.evidence,
                );
            }
        }
        Resource::RouteTable(found) => {
            existence::routes(&mut teller, world.lists, found);
            tables::audit(&mut teller, world, found);
        }
    }
    if let Some(told) = resource.tags() {
        tags::audit(&mut teller, told, house);
    }
    teller.findings
}

/// SG-WORLD-* and SG-NEAR-WORLD of a group by itself.
pub(super) fn openings(teller: &mut Teller, world: &World<'_>, found: &SecurityGroup) {
    let good = SecurityGroup {
        rules: std::collections::BTreeMap::new(),
        ..found.clone()
    };
    let rules: Vec<&RuleKey> = found.rules.keys().collect();
    let carriers = group::carriers(world.carriers(&found.id));
    group::opened(teller, (world.lists, carriers), (&good, found), &rules);
}
