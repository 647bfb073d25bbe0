//! Risks of the entries of a network ACL.

mod chain;
mod gaps;
mod mirror;
mod replies;

use super::scene::{Scene, Teller};
use super::{Finding, FindingCode, Harm, Severity, Since};
use crate::diff::{Delta, Difference, Side};
use crate::impact::{bounded, traffic_lines};
use chain::{Chain, matched};
pub(super) use gaps::{Evidence, gaps};
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{AddressSet, Family, PacketSet};

/// Lines of evidence of each kind for one finding.
const MOST_EVIDENCE: usize = 6;

/// The entries of one direction, on both sides, and what they permit.
struct Sides {
    direction: Direction,
    good: Chain,
    found: Chain,
    closed: PacketSet,
    opened: PacketSet,
}

/// What one difference does, by itself on the baseline or in live where undoing it undoes it.
struct Blame {
    key: EntryKey,
    cuts: PacketSet,
    opens: PacketSet,
}

pub(super) fn assess(scene: &mut Scene<'_>, good: &NetworkAcl, found: &NetworkAcl) {
    let mut blamed = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        let entries = scene
            .differences()
            .iter()
            .filter_map(|difference| match difference {
                Difference::Entry { key, delta } if key.direction == direction => {
                    Some((*key, delta))
                }
                _ => None,
            });
        let entries: Vec<(EntryKey, &Delta<NetworkAclEntry>)> = entries.collect();
        if entries.is_empty() {
            continue;
        }
        let (baseline, live) = (Chain::of(good, direction), Chain::of(found, direction));
        let sides = Sides {
            direction,
            closed: baseline.permitted().difference(live.permitted()),
            opened: live.permitted().difference(baseline.permitted()),
            good: baseline,
            found: live,
        };
        let forbidden = if entries.is_empty() || sides.opened.is_empty() {
            None
        } else {
            Some(sides.good.forbidden())
        };
        for (key, delta) in entries {
            let alone = sides.good.turned(key, delta.on(Side::Live));
            let undone = sides.found.turned(key, delta.on(Side::Baseline));
            let cuts = alone.cuts.union(&sides.closed.intersection(&undone.opens));
            let opens = alone.opens.union(&sides.opened.intersection(&undone.cuts));
            if !cuts.is_empty() {
                let shadows = if alone.cuts.is_empty() {
                    &sides.found
                } else {
                    &sides.good
                };
                bomb(scene, &sides, (key, delta), &cuts, (shadows, found));
            }
            if !opens.is_empty() {
                let forbidden = forbidden.clone().unwrap_or_else(|| sides.good.forbidden());
                open(scene, &sides, (key, delta), &opens, &forbidden);
            }
            if cuts.is_empty() && opens.is_empty() {
                idle(scene, key, delta);
            }
            blamed.push(Blame { key, cuts, opens });
        }
    }
    if !blamed.is_empty() {
        new_gaps(scene, good, found, &blamed);
    }
}

/// What the ACL as a whole lost or never had beside its new entries: paths of replies, of path MTU
/// discovery, between subnets.
fn new_gaps(scene: &mut Scene<'_>, good: &NetworkAcl, found: &NetworkAcl, blamed: &[Blame]) {
    let (before, after) = scene.sides();
    let now = gaps(&after, found, Evidence::Wanted);
    if now.is_empty() {
        return;
    }
    let was = gaps(&before, good, Evidence::Unwanted);
    for gap in now {
        let before = was.iter().find(|before| before.code == gap.code);
        let grown = |direction: Direction| {
            let missing = gap.missing(direction);
            before.map_or_else(
                || missing.clone(),
                |before| missing.difference(before.missing(direction)),
            )
        };
        let grown = [grown(Direction::Ingress), grown(Direction::Egress)];
        let [ingress, egress] = &grown;
        let missing = |blame: &Blame| {
            let grown = if blame.key.direction.is_egress() {
                egress
            } else {
                ingress
            };
            !blame.cuts.is_empty() && blame.cuts.intersects(grown)
        };
        if ingress.is_empty() && egress.is_empty() {
            continue;
        }
        let cutting: Vec<EntryKey> = blamed
            .iter()
            .filter(|blame| missing(blame))
            .map(|blame| blame.key)
            .collect();
        // An allow that leads nowhere harms nobody; whoever made it wants to know.
        let (culprits, harm) = if !cutting.is_empty() {
            (cutting, Harm::Cuts)
        } else if gap.is_about_replies() {
            let opening = blamed.iter().filter(|blame| !blame.opens.is_empty());
            (opening.map(|blame| blame.key).collect(), Harm::None)
        } else {
            (Vec::new(), Harm::None)
        };
        let since = if before.is_some() {
            Since::Worse
        } else {
            Since::New
        };
        for key in culprits {
            let finding = Finding::new(
                gap.code,
                (gap.severity, harm),
                scene.diff.resource.clone().into(),
                Element::Entry(key),
                gap.meaning.clone(),
                bounded(gap.evidence.clone(), MOST_EVIDENCE),
            );
            scene.teller.findings.push(Finding { since, ..finding });
        }
    }
}

/// NACL-BOMB: approved traffic no longer passes.
fn bomb(
    scene: &mut Scene<'_>,
    sides: &Sides,
    (key, delta): (EntryKey, &Delta<NetworkAclEntry>),
    cuts: &PacketSet,
    (shadows, found): (&Chain, &NetworkAcl),
) {
    let total = sides.found.permitted().is_empty() || cuts == sides.good.permitted();
    let severity = if total {
        Severity::Critical
    } else {
        Severity::High
    };
    let what = match delta {
        Delta::Added(entry) => format!(
            "a new entry, {key} ({entry}), is evaluated before entries that allow approved traffic"
        ),
        Delta::Removed(entry) => format!(
            "the approved entry {key} ({entry}) is gone, and its traffic is or will be dropped"
        ),
        Delta::Changed { baseline, live } => {
            format!(
                "the approved entry {key} was `{baseline}` and is `{live}`: approved traffic is or will be dropped"
            )
        }
    };
    let extent = if total {
        format!(
            "; no {} traffic passes the subnets of this ACL",
            sides.direction
        )
    } else {
        String::new()
    };
    let mut evidence = bounded(traffic_lines(sides.direction, cuts), MOST_EVIDENCE);
    let victims = shadowed(key, delta, shadows, found);
    evidence.extend(bounded(victims, MOST_EVIDENCE));
    scene.tell(
        FindingCode::NaclBomb,
        (severity, Harm::Cuts),
        Element::Entry(key),
        format!("{what}{extent}"),
        evidence,
    );
}

/// The approved allow entries that decide less because of a deny before them.
fn shadowed(
    key: EntryKey,
    delta: &Delta<NetworkAclEntry>,
    chain: &Chain,
    found: &NetworkAcl,
) -> Vec<String> {
    let Some(deny) = delta
        .on(Side::Live)
        .filter(|entry| entry.action == RuleAction::Deny)
    else {
        return Vec::new();
    };
    let shadow = matched(deny);
    chain
        .shadowed(key, &shadow)
        .filter(|(link, _)| found.entries.get(&link.key) == Some(&link.entry))
        .map(|(link, whole)| {
            let what = if whole {
                "no longer decides anything"
            } else {
                "decides less than before"
            };
            format!("entry {} ({}) {what}", link.key, link.entry)
        })
        .collect()
}

/// NACL-OPEN: what an approved deny kept out, admin ports of the world, or what an approved entry did not permit.
fn open(
    scene: &mut Scene<'_>,
    sides: &Sides,
    (key, delta): (EntryKey, &Delta<NetworkAclEntry>),
    opens: &PacketSet,
    forbidden: &PacketSet,
) {
    let evidence = bounded(traffic_lines(sides.direction, opens), MOST_EVIDENCE);
    let element = Element::Entry(key);
    if opens.intersects(forbidden) {
        let meaning = match delta {
            Delta::Added(entry) => {
                format!("a new entry, {key} ({entry}), lets pass what an approved deny keeps out")
            }
            Delta::Removed(entry) => {
                format!("the approved entry {key} ({entry}) is gone: what it kept out may pass")
            }
            Delta::Changed { baseline, live } => {
                format!(
                    "the approved entry {key} was `{baseline}` and is `{live}`: what approved denies keep out may pass"
                )
            }
        };
        scene.tell(
            FindingCode::NaclOpen,
            (Severity::High, Harm::Opens),
            element,
            meaning,
            evidence,
        );
        return;
    }
    let admin = if sides.direction == Direction::Ingress {
        newly_open_to_the_world(sides.good.permitted(), sides.found.permitted(), opens)
    } else {
        Vec::new()
    };
    if !admin.is_empty() {
        let meaning = format!(
            "this ACL now lets the whole internet in on {}",
            admin.join(", ")
        );
        scene.tell(
            FindingCode::NaclOpen,
            (Severity::Medium, Harm::Opens),
            element,
            meaning,
            evidence,
        );
    } else {
        let meaning = match delta {
            // It permits what no approved deny keeps out, and the whole internet enters on no admin port.
            Delta::Added(_) => return,
            // A deny of everything keeps out no more than the list's own end, until somebody adds to the list.
            Delta::Removed(entry) => format!(
                "the approved entry {key} ({entry}) is gone: more may pass than was approved"
            ),
            Delta::Changed { baseline, live } => format!(
                "the approved entry {key} was `{baseline}` and is `{live}`: it permits more than was approved"
            ),
        };
        scene.tell(
            FindingCode::NaclOpen,
            (Severity::Medium, Harm::Opens),
            element,
            meaning,
            evidence,
        );
    }
}

/// SSH and RDP: the ports EC2.21 of Security Hub looks at.
const ADMIN: [(u16, &str); 2] = [(22, "tcp 22 (SSH)"), (3389, "tcp 3389 (RDP)")];

/// Admin ports that the whole internet may enter now and could not before, by help of `opens`.
fn newly_open_to_the_world(was: &PacketSet, is: &PacketSet, opens: &PacketSet) -> Vec<String> {
    let mut words = Vec::new();
    for (port, name) in ADMIN {
        let new = |family: &Family| {
            let internet = AddressSet::internet(*family);
            let helps = !opens.peers_at(6, port).intersection(&internet).is_empty();
            helps
                && internet.is_subset(&is.peers_at(6, port))
                && !internet.is_subset(&was.peers_at(6, port))
        };
        words.extend(
            Family::ALL
                .iter()
                .filter(|family| new(family))
                .map(|family| format!("{name} by {family}")),
        );
    }
    words
}

/// NACL-OPEN and dead entries of a state by itself. An ACL that allows all of a family is no filter,
/// as AWS makes it: only one that filters and yet lets the internet in on admin ports is worth a word.
pub(super) fn audit(teller: &mut Teller, acl: &NetworkAcl) {
    for direction in [Direction::Ingress, Direction::Egress] {
        let chain = Chain::of(acl, direction);
        dead(teller, &chain);
        if direction == Direction::Ingress {
            admin_ports(teller, &chain);
        }
    }
}

fn admin_ports(teller: &mut Teller, chain: &Chain) {
    let live = chain.permitted();
    let no_filter = |net: &str| {
        net.parse::<IpNet>()
            .is_ok_and(|net| PacketSet::of(&Traffic::All, net).is_subset(live))
    };
    let words = newly_open_to_the_world(&PacketSet::empty(), live, live);
    if words.is_empty() || no_filter("0.0.0.0/0") || no_filter("::/0") {
        return;
    }
    let meaning = format!(
        "this ACL lets the whole internet in on {}",
        words.join(", ")
    );
    for link in &chain.links {
        let packets = Chain::decides(link);
        let admin = ADMIN
            .iter()
            .any(|(port, _)| !packets.peers_at(6, *port).is_empty());
        if link.entry.action == RuleAction::Allow && admin {
            let evidence = bounded(traffic_lines(Direction::Ingress, &packets), MOST_EVIDENCE);
            teller.tell(
                FindingCode::NaclOpen,
                (Severity::Medium, Harm::Opens),
                Element::Entry(link.key),
                meaning.clone(),
                evidence,
            );
        }
    }
}

/// NACL-BOMB of a state by itself: an allow that decides nothing, because denies before it do.
fn dead(teller: &mut Teller, chain: &Chain) {
    let told: Vec<(EntryKey, String, Vec<String>)> = chain
        .dead()
        .filter(|(link, by)| {
            let deny = |before: &&chain::Link| before.entry.action == RuleAction::Deny;
            link.entry.action == RuleAction::Allow && by.iter().any(deny)
        })
        .map(|(link, by)| {
            let meaning = format!(
                "the entry {} ({}) never decides anything: entries before it match all that it does, denies among them",
                link.key, link.entry
            );
            let by = by
                .iter()
                .map(|before| format!("entry {} ({}) comes first", before.key, before.entry));
            (link.key, meaning, by.collect())
        })
        .collect();
    for (key, meaning, evidence) in told {
        teller.tell(
            FindingCode::NaclBomb,
            (Severity::Low, Harm::None),
            Element::Entry(key),
            meaning,
            bounded(evidence, MOST_EVIDENCE),
        );
    }
}

/// An approved entry that is gone or changed without effect.
fn idle(scene: &mut Scene<'_>, key: EntryKey, delta: &Delta<NetworkAclEntry>) {
    let (Delta::Removed(entry)
    | Delta::Changed {
        baseline: entry, ..
    }) = delta
    else {
        return;
    };
    let code = match entry.action {
        RuleAction::Allow => FindingCode::NaclBomb,
        RuleAction::Deny => FindingCode::NaclOpen,
    };
    let meaning = format!(
        "the approved entry {key} ({entry}) is gone or changed; the other approved entries do what it did"
    );
    scene.tell(
        code,
        (Severity::Low, Harm::None),
        Element::Entry(key),
        meaning,
        Vec::new(),
    );
}
