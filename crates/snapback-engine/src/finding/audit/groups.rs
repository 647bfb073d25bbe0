//! SG-OVERLAP, SG-REF-STALE, SG-XACCT-REF, SG-DEFAULT-USE of a group by itself.

use super::super::scene::Teller;
use super::super::world::World;
use crate::finding::{FindingCode, Harm, Severity};
use snapback_model::*;
use snapback_reach::redundant_rules;

pub(super) fn audit(teller: &mut Teller, world: &World<'_>, group: &SecurityGroup) {
    for rule in group.rules.keys() {
        stale(teller, world, group, rule);
        foreign(teller, rule);
    }
    default_use(teller, group);
    overlaps(teller, world, group);
}

/// SG-OVERLAP: `Allow(without the rule) = Allow`. An exact duplicate cannot be: AWS refuses it.
fn overlaps(teller: &mut Teller, world: &World<'_>, group: &SecurityGroup) {
    for direction in [Direction::Ingress, Direction::Egress] {
        for redundant in redundant_rules(group, direction, world.lists) {
            let rule = redundant.rule;
            let by = redundant.covered_by.iter();
            let evidence: Vec<String> = by
                .map(|other| format!("`{other}` allows all or part of it"))
                .collect();
            let why = if evidence.is_empty() {
                "its prefix list has no entries"
            } else {
                "other rules of the group allow all of it"
            };
            teller.tell(
                FindingCode::SgOverlap,
                (Severity::Info, Harm::None),
                Element::Rule(rule.clone()),
                format!("the rule `{rule}` alone changes nothing: {why}"),
                evidence,
            );
        }
    }
}

/// SG-REF-STALE: EC2 calls it stale, or the group is gone.
fn stale(teller: &mut Teller, world: &World<'_>, group: &SecurityGroup, rule: &RuleKey) {
    let Peer::SecurityGroup { id, owner } = &rule.peer else {
        return;
    };
    let named = world.topology.stale_references.get(&group.id);
    let told = world.has_read(ContextKind::StaleReferences)
        && named.is_some_and(|stale| stale.contains(id));
    let own = owner.is_none() || owner.as_ref() == world.account;
    let gone = own && world.has_all(Kind::SecurityGroup) && world.group(id).is_none();
    let why = if told {
        "EC2 lists the reference as stale (the group, its peering or its VPC association is gone)"
    } else if gone {
        "no group of this account and Region has that id"
    } else {
        return;
    };
    teller.tell(
        FindingCode::SgRefStale,
        (Severity::Medium, Harm::None),
        Element::Rule(rule.clone()),
        format!("the rule `{rule}` matches nothing: group {id} is out of reach"),
        vec![why.to_owned()],
    );
}

/// SG-XACCT-REF of a state: who is trusted already.
fn foreign(teller: &mut Teller, rule: &RuleKey) {
    let Peer::SecurityGroup {
        id,
        owner: Some(owner),
    } = &rule.peer
    else {
        return;
    };
    teller.tell(
        FindingCode::SgXacctRef,
        (Severity::Medium, Harm::Opens),
        Element::Rule(rule.clone()),
        format!("group {id} of another account ({owner}) is trusted by `{rule}`"),
        Vec::new(),
    );
}

/// Whether a group is the default one of its VPC: the name is reserved for it.
pub(in super::super) fn is_default(group: &SecurityGroup) -> bool {
    group.name.as_deref() == Some("default")
}

/// SG-DEFAULT-USE: whatever is launched without a group gets these rules.
fn default_use(teller: &mut Teller, group: &SecurityGroup) {
    if !is_default(group) || group.rules.is_empty() {
        return;
    }
    let rules = group.rules.keys().map(|rule| format!("rule {rule}"));
    teller.tell(
        FindingCode::SgDefaultUse,
        (Severity::Medium, Harm::None),
        Element::Existence,
        "the default group of the VPC carries rules: whatever is launched without a group gets them".to_owned(),
        rules.collect(),
    );
}
