//! What becomes of connections when a group's rules change: tracked ones live on, untracked ones end
//! (semantics A2).

use super::around::Position;
use super::latent::{Dies, Idle, Latent};
use super::sets::opposite;
use super::shift::Turn;
use super::words::{bounded, traffic_words};
use super::work::{Weighed, Work};
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{PacketSet, permitted_by_rules};
use std::collections::BTreeSet;

/// Pieces of traffic named in one sentence.
const MOST_WHAT: usize = 3;

/// Which flows are spoken of.
pub(super) struct Flows<'q, 'a> {
    pub(super) group: &'q SecurityGroupId,
    pub(super) before: Option<&'q SecurityGroup>,
    pub(super) after: Option<&'q SecurityGroup>,
    pub(super) direction: Direction,
    pub(super) turn: Turn,
    pub(super) positions: &'q [Position<'a>],
}

/// Flows by what becomes of them.
#[derive(Default)]
struct Fates {
    now: PacketSet,
    maybe: PacketSet,
    idle: PacketSet,
    stay: PacketSet,
    /// Flows of the other direction whose answers were cut.
    answered: PacketSet,
}

/// Flows that the rules leave untracked.
#[derive(Default)]
pub(super) struct Untracked {
    /// tcp and udp rules of the whole world, answered by everything.
    pub(super) surely: PacketSet,
    /// Flows of an all-traffic rule of the whole world: AWS does not say whether it counts.
    maybe: PacketSet,
}

/// Flows that are not tracked: those of a tcp or udp rule of the whole world, where the other
/// direction allows the whole world at every port (semantics A2). `back` is what that permits.
pub(super) fn untracked<'r>(
    rules: impl IntoIterator<Item = &'r RuleKey>,
    back: &PacketSet,
) -> Untracked {
    let tcp = Traffic::Tcp(PortRange::ALL);
    let udp = Traffic::Udp(PortRange::ALL);
    let mut untracked = Untracked::default();
    for rule in rules {
        let Some(world) = rule.peer.as_cidr().filter(|net| net.prefix_len() == 0) else {
            continue;
        };
        let answered = |all: &Traffic| PacketSet::of(all, world).is_subset(back);
        match rule.traffic {
            Traffic::Tcp(_) if answered(&tcp) => add(&mut untracked.surely, &rule.traffic, world),
            Traffic::Udp(_) if answered(&udp) => add(&mut untracked.surely, &rule.traffic, world),
            Traffic::All => {
                for all in [tcp, udp].iter().filter(|all| answered(all)) {
                    add(&mut untracked.maybe, all, world);
                }
            }
            _ => {}
        }
    }
    untracked.maybe = untracked.maybe.difference(&untracked.surely);
    untracked
}

fn add(to: &mut PacketSet, traffic: &Traffic, network: IpNet) {
    *to = to.union(&PacketSet::of(traffic, network));
}

/// Whether a rule's flows were untracked, judged by its group alone.
pub fn is_untracked(group: &SecurityGroup, rule: &RuleKey, lists: &Topology) -> bool {
    let back = opposite(rule.direction);
    let back = group.rules.keys().filter(|key| key.direction == back);
    let untracked = untracked([rule], &permitted_by_rules(back, lists));
    !untracked.surely.is_empty()
}

/// The rules in force at a position, group by group.
struct Rules<'r> {
    others: Vec<&'r RuleKey>,
    before: Vec<&'r RuleKey>,
    after: Vec<&'r RuleKey>,
}

impl<'r> Rules<'r> {
    fn of<'a: 'r>(
        work: &Work<'_, 'a>,
        flows: &Flows<'r, '_>,
        groups: Option<&BTreeSet<SecurityGroupId>>,
    ) -> Self {
        let rules = |group: Option<&'r SecurityGroup>| -> Vec<&'r RuleKey> {
            group
                .map(|group| group.rules.keys().collect())
                .unwrap_or_default()
        };
        let others = groups
            .into_iter()
            .flatten()
            .filter(|id| *id != flows.group)
            .filter_map(|id| work.sets.network.group(id))
            .flat_map(|group| group.rules.keys());
        Self {
            others: others.collect(),
            before: rules(flows.before),
            after: rules(flows.after),
        }
    }

    fn at(&self, turn: Turn, direction: Direction) -> impl Iterator<Item = &'r RuleKey> + '_ {
        let own = match turn {
            Turn::Closed => &self.before,
            Turn::Opened => &self.after,
        };
        let all = self.others.iter().chain(own).copied();
        all.filter(move |rule| rule.direction == direction)
    }
}

pub(super) fn tell(work: &mut Work<'_, '_>, flows: &Flows<'_, '_>, weighed: &Weighed) {
    if weighed.alive.is_empty() && weighed.covered.is_empty() {
        return;
    }
    let mut fates = Fates {
        stay: weighed.covered.clone(),
        ..Fates::default()
    };
    if flows.positions.is_empty() || !work.is_known {
        fates.judge(work, flows, None, &weighed.alive);
    }
    for position in flows.positions {
        fates.judge(work, flows, Some(position), &weighed.alive);
    }
    let alone = if work.is_known {
        ""
    } else {
        ", judged by this group alone"
    };
    fates.write(work, flows, alone);
}

impl Fates {
    fn judge(
        &mut self,
        work: &mut Work<'_, '_>,
        flows: &Flows<'_, '_>,
        position: Option<&Position<'_>>,
        alive: &PacketSet,
    ) {
        let lists = work.sets.lists;
        let rules = Rules::of(work, flows, position.map(|position| position.groups));
        let (direction, turn) = (flows.direction, flows.turn);
        let back = opposite(direction);
        let others = rules
            .others
            .iter()
            .copied()
            .filter(|rule| rule.direction == direction);
        let moved = alive.difference(&permitted_by_rules(others, lists));
        let is_tracked = position.is_some_and(|position| position.tracked);
        let loose = if is_tracked {
            Untracked::default()
        } else {
            let answers = permitted_by_rules(rules.at(turn, back), lists);
            untracked(rules.at(turn, direction), &answers)
        };
        self.now = self.now.union(&moved.intersection(&loose.surely));
        self.maybe = self.maybe.union(&moved.intersection(&loose.maybe));
        let rest = moved.difference(&loose.surely).difference(&loose.maybe);
        self.idle = self.idle.union(&rest);
        if turn == Turn::Closed && !is_tracked {
            let with = |turn: Turn| {
                let answers = permitted_by_rules(rules.at(turn, direction), lists);
                untracked(rules.at(Turn::Opened, back), &answers).surely
            };
            let cut = with(Turn::Closed).difference(&with(Turn::Opened));
            self.answered = self.answered.union(&cut);
        }
    }

    fn write(self, work: &mut Work<'_, '_>, flows: &Flows<'_, '_>, alone: &str) {
        let direction = flows.direction;
        let evicts = (flows.turn == Turn::Opened).then(|| evicts(flows.positions));
        let mut tell = |packets: &PacketSet, direction: Direction, when: Dies, why: String| {
            if packets.is_empty() {
                return;
            }
            let lines = bounded(traffic_words(direction, packets), MOST_WHAT);
            let ends = matches!(when, Dies::Now | Dies::NotAtAll);
            work.impact.latent.push(Latent {
                of: flows.turn,
                what: lines.join(", "),
                when,
                why,
                evicts: evicts.clone().filter(|_| !ends),
            });
        };
        tell(
            &self.now,
            direction,
            Dies::Now,
            format!(
                "they are not tracked, as the rules on both sides allow the whole world{alone}"
            ),
        );
        tell(
            &self.answered,
            opposite(direction),
            Dies::Now,
            format!("they are not tracked, and their answers left by what was closed{alone}"),
        );
        let unknown = "AWS does not tell whether an all-traffic rule leaves flows untracked";
        tell(
            &self.maybe,
            direction,
            Dies::Unknown(unknown.to_owned()),
            format!("the rules on both sides allow the whole world{alone}"),
        );
        tell(
            &self.idle,
            direction,
            Dies::AtIdleTimeout(idle(&self.idle)),
            format!(
                "security groups track them, and a rule change does not end a tracked connection{alone}"
            ),
        );
        tell(
            &self.stay,
            direction,
            Dies::NotAtAll,
            "another group of every interface allows the same".to_owned(),
        );
    }
}

/// The timeouts that flows of some packets have.
fn idle(packets: &PacketSet) -> Vec<Idle> {
    let of = |protocol: u8| match protocol {
        6 => Idle::Tcp,
        17 => Idle::Udp,
        _ => Idle::Other,
    };
    let kinds: BTreeSet<Idle> = packets.protocols().into_iter().map(of).collect();
    kinds.into_iter().collect()
}

fn evicts(positions: &[Position<'_>]) -> String {
    let acls: BTreeSet<&str> = positions
        .iter()
        .filter_map(|position| position.acl.map(|acl| acl.id.as_str()))
        .collect();
    let acls = match acls.len() {
        0 => "the network ACL of their subnet".to_owned(),
        1..=3 => format!(
            "network ACL {}",
            acls.into_iter().collect::<Vec<_>>().join(", ")
        ),
        more => format!("the {more} network ACLs of their subnets"),
    };
    format!("deny the other side's addresses in {acls}, or isolate the interface or its instance")
}
