//! Risks of security groups.

use super::exposure::{Exposure, Width, exposures, is_near_world};
use super::scene::{Scene, Teller};
use super::{Finding, FindingCode, Harm, Severity, Since, audit, since};
use crate::diff::{Delta, Difference};
use crate::impact::{bounded, is_untracked, traffic_lines};
use snapback_model::*;
use snapback_reach::{Family, PacketSet, permitted_by_group, permitted_by_rules};
use std::collections::BTreeSet;

/// Lines of evidence for one finding.
const MOST_EVIDENCE: usize = 6;

pub(super) fn assess(scene: &mut Scene<'_>, good: &SecurityGroup, found: &SecurityGroup) {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for difference in scene.differences() {
        match difference {
            Difference::Rule {
                rule,
                delta: Delta::Added(_),
            } => added.push(rule),
            Difference::Rule {
                rule,
                delta: Delta::Removed(_),
            } => removed.push(rule),
            _ => {}
        }
    }
    newly_opened(scene, good, found, &added);
    for rule in &added {
        foreign_reference(scene, good, rule);
    }
    for rule in &removed {
        cut(scene, good, found, rule);
    }
}

/// What added rules open, and whether the group was open to the world before.
fn newly_opened(
    scene: &mut Scene<'_>,
    good: &SecurityGroup,
    found: &SecurityGroup,
    added: &[&RuleKey],
) {
    let mut teller = Teller::about(ResourceId::from(good.id.clone()).into());
    let carrying: Vec<&NetworkInterface> = scene
        .live
        .topology
        .interfaces
        .values()
        .filter(|interface| interface.groups.contains(&found.id))
        .collect();
    let carriers = carriers(&carrying);
    opened(&mut teller, (&scene.lists, carriers), (good, found), added);
    if !teller.findings.is_empty() && could_be_open(good, &scene.lists) {
        let mut known = Teller::about(ResourceId::from(good.id.clone()).into());
        let (before, _) = scene.sides();
        audit::openings(&mut known, &before, good);
        teller.findings = since::mark(&known.findings, teller.findings);
    }
    for rule in added {
        default_use(&mut teller, good, found, rule);
    }
    scene.teller.findings.extend(teller.findings);
}

/// Whether a group lets so many public addresses in that some port may be open to the world or near it.
fn could_be_open(good: &SecurityGroup, lists: &Topology) -> bool {
    let peers = permitted_by_group(good, Direction::Ingress, lists).peers();
    is_near_world(&peers)
}

/// SG-DEFAULT-USE of a rule that came to the default group.
fn default_use(teller: &mut Teller, good: &SecurityGroup, found: &SecurityGroup, rule: &RuleKey) {
    if !audit::is_default(found) {
        return;
    }
    let since = if good.rules.is_empty() {
        Since::New
    } else {
        Since::Worse
    };
    let finding = Finding::new(
        FindingCode::SgDefaultUse,
        (Severity::Medium, Harm::None),
        ResourceId::from(found.id.clone()).into(),
        Element::Rule(rule.clone()),
        format!(
            "the default group of the VPC got the rule `{rule}`: whatever is launched without a group has it"
        ),
        Vec::new(),
    );
    teller.findings.push(Finding { since, ..finding });
}

/// SG-WORLD-* and SG-NEAR-WORLD of rules that `found` has and `good` has not.
pub(super) fn opened(
    teller: &mut Teller,
    (lists, carriers): (&Topology, Option<String>),
    (good, found): (&SecurityGroup, &SecurityGroup),
    added: &[&RuleKey],
) {
    let ingress: Vec<&RuleKey> = added
        .iter()
        .copied()
        .filter(|rule| rule.direction == Direction::Ingress)
        .collect();
    if ingress.is_empty() {
        return;
    }
    let before = permitted_by_group(good, Direction::Ingress, lists);
    let after = permitted_by_group(found, Direction::Ingress, lists);
    let sets: Vec<PacketSet> = ingress
        .iter()
        .map(|rule| permitted_by_rules([*rule], lists))
        .collect();
    for ((rule, set), exposures) in ingress
        .iter()
        .zip(&sets)
        .zip(exposures(&before, &after, &sets))
    {
        let evidence = || {
            let lines = traffic_lines(Direction::Ingress, &set.difference(&before));
            bounded(lines, MOST_EVIDENCE)
                .into_iter()
                .chain(carriers.clone())
                .collect::<Vec<_>>()
        };
        let element = || Element::Rule((*rule).clone());
        let (world, near): (Vec<Exposure>, Vec<Exposure>) = exposures
            .into_iter()
            .partition(|exposure| exposure.width == Width::World);
        let sensitive: BTreeSet<u16> = world.iter().flat_map(Exposure::sensitive).collect();
        let risky = |exposure: &&Exposure| !exposure.is_public() && !exposure.is_icmp();
        if !sensitive.is_empty() {
            let meaning = format!(
                "{} may now connect to {}",
                who(&world),
                ports_words(&sensitive)
            );
            teller.tell(
                FindingCode::SgWorldSensitive,
                (Severity::Critical, Harm::Opens),
                element(),
                meaning,
                evidence(),
            );
        } else if world.iter().any(|exposure| risky(&exposure)) {
            let meaning = format!(
                "{} may now send {}, which is not web traffic",
                who(&world),
                rule_words(rule)
            );
            teller.tell(
                FindingCode::SgWorldAny,
                (Severity::High, Harm::Opens),
                element(),
                meaning,
                evidence(),
            );
        } else if world.iter().any(Exposure::is_icmp) {
            let meaning = format!("{} may now send {}", who(&world), rule_words(rule));
            teller.tell(
                FindingCode::SgWorldAny,
                (Severity::Low, Harm::None),
                element(),
                meaning,
                evidence(),
            );
        }
        if near.iter().any(|exposure| risky(&exposure)) {
            let meaning = format!(
                "a huge part of the internet ({}) may now send {}: as good as open to the world",
                families(&near),
                rule_words(rule)
            );
            teller.tell(
                FindingCode::SgNearWorld,
                (Severity::High, Harm::Opens),
                element(),
                meaning,
                evidence(),
            );
        }
    }
}

fn families(exposures: &[Exposure]) -> String {
    let families: BTreeSet<Family> = exposures.iter().map(|exposure| exposure.family).collect();
    families
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" and ")
}

fn who(exposures: &[Exposure]) -> String {
    format!("anyone on the internet ({})", families(exposures))
}

fn rule_words(rule: &RuleKey) -> String {
    match rule.traffic {
        Traffic::All => "any traffic".to_owned(),
        traffic => traffic.to_string().replace(':', " "),
    }
}

/// Sensitive ports by name, the best known first.
fn ports_words(ports: &BTreeSet<u16>) -> String {
    const NAMES: [(u16, &str); 12] = [
        (22, "SSH"),
        (3389, "RDP"),
        (3306, "MySQL"),
        (5432, "PostgreSQL"),
        (6379, "Redis"),
        (27017, "MongoDB"),
        (1433, "SQL Server"),
        (9200, "Elasticsearch"),
        (445, "SMB"),
        (23, "Telnet"),
        (2375, "Docker"),
        (6443, "Kubernetes"),
    ];
    let named = NAMES
        .iter()
        .filter(|(port, _)| ports.contains(port))
        .map(|(port, name)| format!("{port} ({name})"));
    let others = ports
        .iter()
        .filter(|port| NAMES.iter().all(|(known, _)| known != *port))
        .map(ToString::to_string);
    let words: Vec<String> = named.chain(others).collect();
    let plural = if words.len() == 1 { "port" } else { "ports" };
    format!("{plural} {}", bounded(words, 5).join(", "))
}

/// Who carries a group, where the read tells.
pub(super) fn carriers(carriers: &[&NetworkInterface]) -> Option<String> {
    let public = carriers
        .iter()
        .filter(|interface| !interface.public_addresses.is_empty())
        .count();
    match carriers.len() {
        0 => None,
        1 => Some(format!(
            "1 network interface carries this group, {public} with a public address"
        )),
        count => Some(format!(
            "{count} network interfaces carry this group, {public} with a public address"
        )),
    }
}

/// SG-XACCT-REF.
fn foreign_reference(scene: &mut Scene<'_>, good: &SecurityGroup, rule: &RuleKey) {
    let Peer::SecurityGroup {
        id,
        owner: Some(owner),
    } = &rule.peer
    else {
        return;
    };
    if good.owner.as_ref() == Some(owner) {
        return;
    }
    let kept = good
        .rules
        .keys()
        .filter(|known| known.direction == rule.direction);
    if permitted_by_rules([rule], &scene.lists).is_subset(&permitted_by_rules(kept, &scene.lists)) {
        return;
    }
    let verb = if rule.direction.is_egress() {
        "this group may now send"
    } else {
        "its members may now send"
    };
    let meaning = format!(
        "group {id} of another account ({owner}) is trusted: {verb} {}",
        rule_words(rule)
    );
    let evidence = traffic_lines(rule.direction, &permitted_by_rules([rule], &scene.lists));
    scene.tell(
        FindingCode::SgXacctRef,
        (Severity::Medium, Harm::Opens),
        Element::Rule(rule.clone()),
        meaning,
        evidence,
    );
}

/// SG-CUT-LIVE, SG-EGRESS-NONE and SG-SELF-REF of a removed rule.
fn cut(scene: &mut Scene<'_>, good: &SecurityGroup, found: &SecurityGroup, rule: &RuleKey) {
    let direction = rule.direction;
    let element = || Element::Rule(rule.clone());
    let of_rule = permitted_by_rules([rule], &scene.lists);
    let approved = good
        .rules
        .keys()
        .filter(|key| key.direction == direction && found.rules.contains_key(*key));
    let lost = of_rule.difference(&permitted_by_rules(approved, &scene.lists));
    if lost.is_empty() {
        let meaning = format!(
            "the approved rule `{rule}` is gone; other approved rules carry all of its traffic"
        );
        scene.tell(
            FindingCode::SgCutLive,
            (Severity::Low, Harm::None),
            element(),
            meaning,
            Vec::new(),
        );
        return;
    }
    let now = permitted_by_group(found, direction, &scene.lists);
    let cut = lost.difference(&now);
    let mut evidence = bounded(traffic_lines(direction, &cut), MOST_EVIDENCE);
    let meaning = if cut.is_empty() {
        evidence.extend(bounded(traffic_lines(direction, &lost), MOST_EVIDENCE));
        format!(
            "the approved rule `{rule}` is gone; its traffic passes only by rules that nobody approved"
        )
    } else {
        let when = if is_untracked(good, rule) {
            "connections without tracking are cut at once"
        } else {
            "established connections end at their idle timeout, new ones are refused"
        };
        format!("the approved rule `{rule}` is gone: {when}")
    };
    scene.tell(
        FindingCode::SgCutLive,
        (Severity::High, Harm::Cuts),
        element(),
        meaning,
        evidence.clone(),
    );
    if direction == Direction::Egress && now.is_empty() {
        let meaning =
            "no egress rule is left: nothing behind this group can reach anything, and replies of \
                       connections without tracking stop at once"
                .to_owned();
        scene.tell(
            FindingCode::SgEgressNone,
            (Severity::High, Harm::Cuts),
            element(),
            meaning,
            evidence.clone(),
        );
    }
    let is_self = |key: &RuleKey| matches!(&key.peer, Peer::SecurityGroup { id, owner } if *id == good.id && (owner.is_none() || *owner == good.owner));
    let another = found
        .rules
        .keys()
        .any(|key| key.direction == direction && is_self(key));
    if is_self(rule) && !another {
        let meaning = format!(
            "the self reference `{rule}` is gone: members of this group no longer reach each other by it"
        );
        scene.tell(
            FindingCode::SgSelfRef,
            (Severity::High, Harm::Cuts),
            element(),
            meaning,
            evidence,
        );
    }
}
