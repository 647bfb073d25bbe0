//! SG-OVERLAP, SG-REF-STALE, SG-XACCT-REF, SG-DEFAULT-USE of a group by itself.

use super::super::scene::Teller;
use super::super::world::World;
use crate::finding::{FindingCode, Harm, Severity};
use snapback_model::*;
use snapback_reach::permitted_by_rules;

pub(super) fn audit(teller: &mut Teller, world: &World<'_>, group: &SecurityGroup) {
    for rule in group.rules.keys() {
        overlap(teller, world, group, rule);
        stale(teller, world, group, rule);
        foreign(teller, rule);
    }
    default_use(teller, group);
}

/// SG-OVERLAP: `Allow(without the rule) = Allow`. Only rules whose traffic and peer have something
/// in common with the rule's can stand in for it: networks are nested or disjoint.
fn overlap(teller: &mut Teller, world: &World<'_>, group: &SecurityGroup, rule: &RuleKey) {
    let others: Vec<&RuleKey> = group
        .rules
        .keys()
        .filter(|other| *other != rule && other.direction == rule.direction)
        .filter(|other| may_share(&other.peer, &rule.peer) && share(other.traffic, rule.traffic))
        .collect();
    if others.is_empty() {
        return;
    }
    let own = permitted_by_rules([rule], world.lists);
    if own.is_empty() || !own.is_subset(&permitted_by_rules(others.iter().copied(), world.lists)) {
        return;
    }
    let evidence = others
        .iter()
        .filter(|other| permitted_by_rules([**other], world.lists).intersects(&own))
        .map(|other| format!("`{other}` allows all or part of it"))
        .collect();
    teller.tell(
        FindingCode::SgOverlap,
        (Severity::Info, Harm::None),
        Element::Rule(rule.clone()),
        format!(
            "the rule `{rule}` alone changes nothing: other rules of the group allow all of it"
        ),
        evidence,
    );
}

fn may_share(one: &Peer, other: &Peer) -> bool {
    match (one, other) {
        (Peer::Ipv4(one), Peer::Ipv4(other)) => one.contains(other) || other.contains(one),
        (Peer::Ipv6(one), Peer::Ipv6(other)) => one.contains(other) || other.contains(one),
        (Peer::Ipv4(_), Peer::Ipv6(_)) | (Peer::Ipv6(_), Peer::Ipv4(_)) => false,
        // A list with entries is networks; one without is a name.
        (Peer::PrefixList(_), Peer::SecurityGroup { .. })
        | (Peer::SecurityGroup { .. }, Peer::PrefixList(_)) => false,
        (Peer::PrefixList(_), _) | (_, Peer::PrefixList(_)) => true,
        (Peer::SecurityGroup { .. }, _) | (_, Peer::SecurityGroup { .. }) => one == other,
    }
}

fn share(one: Traffic, other: Traffic) -> bool {
    match (one, other) {
        (Traffic::Tcp(one), Traffic::Tcp(other)) | (Traffic::Udp(one), Traffic::Udp(other)) => {
            one.from() <= other.to() && other.from() <= one.to()
        }
        (Traffic::All, _)
        | (_, Traffic::All)
        | (Traffic::Icmp(_), Traffic::Icmp(_))
        | (Traffic::Icmpv6(_), Traffic::Icmpv6(_)) => true,
        (one, other) => one == other,
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
