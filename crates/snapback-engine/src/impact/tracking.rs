//! What becomes of connections when a group's rules change: tracked ones live on, untracked ones end
//! (semantics A2).

use super::around::Positions;
use super::latent::{Dies, Idle, Latent};
use super::sets::{Scope, is_world, opposite};
use super::shift::Turn;
use super::words::{bounded, traffic_words};
use super::work::{Weighed, Work};
use ipnet::IpNet;
use snapback_model::*;
use snapback_reach::{PacketSet, permitted_by_rules};
use std::collections::{BTreeMap, BTreeSet};

/// Pieces of traffic named in one sentence.
const MOST_WHAT: usize = 3;

/// Which flows are spoken of.
pub(super) struct Flows<'q, 'a> {
    pub(super) group: &'q SecurityGroupId,
    pub(super) before: Option<&'q SecurityGroup>,
    pub(super) after: Option<&'q SecurityGroup>,
    pub(super) direction: Direction,
    pub(super) turn: Turn,
    pub(super) positions: &'q Positions<'a>,
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

/// What rules of the whole world permit together.
fn every<'r>(rules: impl IntoIterator<Item = &'r RuleKey>) -> PacketSet {
    permitted_by_rules(rules, &Topology::default())
}

/// Whether a rule's flows were untracked, judged by its group alone.
pub fn is_untracked(group: &SecurityGroup, rule: &RuleKey) -> bool {
    let back = opposite(rule.direction);
    let back = group
        .rules
        .keys()
        .filter(|key| key.direction == back && is_world(key));
    !untracked([rule], &every(back)).surely.is_empty()
}

pub(super) fn tell<'a>(work: &mut Work<'_, 'a>, flows: &Flows<'_, 'a>, weighed: &Weighed) {
    if weighed.alive.is_empty() && weighed.covered.is_empty() {
        return;
    }
    let mut fates = Fates {
        stay: weighed.covered.clone(),
        ..Fates::default()
    };
    if flows.positions.all.is_empty() || !work.is_known {
        fates.judge(flows, &weighed.alive, &[], false);
    }
    // Interfaces are many; the groups that permit some of it, and rules of the whole world, are few.
    let mut judged: BTreeSet<(Vec<usize>, Vec<&RuleKey>, bool)> = BTreeSet::new();
    let mut shares: BTreeMap<usize, PacketSet> = BTreeMap::new();
    let scope = Scope::of(&weighed.alive);
    for position in &flows.positions.all {
        let others: Vec<usize> = position
            .groups
            .iter()
            .copied()
            .filter(|index| !work.sets.is_group(*index, flows.group))
            .collect();
        let mut world: Vec<&RuleKey> = Vec::new();
        for index in &others {
            world.extend(work.sets.world(*index).iter().copied());
            shares.entry(*index).or_insert_with(|| {
                let permitted = work.sets.permitted(*index, flows.direction, &scope);
                weighed.alive.intersection(&permitted)
            });
        }
        world.sort_unstable();
        world.dedup();
        let share = |index: &usize| shares.get(index).filter(|share| !share.is_empty());
        let covering: Vec<usize> = others
            .into_iter()
            .filter(|index| share(index).is_some())
            .collect();
        if judged.contains(&(covering.clone(), world.clone(), position.tracked)) {
            continue;
        }
        let moved = covering
            .iter()
            .filter_map(share)
            .fold(weighed.alive.clone(), |left, share| left.difference(share));
        fates.judge(flows, &moved, &world, position.tracked);
        judged.insert((covering, world, position.tracked));
    }
    let alone = if work.is_known {
        ""
    } else {
        ", judged by this group alone"
    };
    fates.write(work, flows, alone);
}

impl Fates {
    /// Sorts the flows of some interfaces. `world` are the rules for the whole world that their other
    /// groups have.
    fn judge(
        &mut self,
        flows: &Flows<'_, '_>,
        moved: &PacketSet,
        world: &[&RuleKey],
        is_tracked: bool,
    ) {
        if is_tracked {
            self.idle = self.idle.union(moved);
            return;
        }
        let direction = flows.direction;
        let back = opposite(direction);
        let rules = |turn: Turn, direction: Direction| {
            let own = match turn {
                Turn::Closed => flows.before,
                Turn::Opened => flows.after,
            };
            let own = own.into_iter().flat_map(|group| group.rules.keys());
            let own = own.filter(|rule| is_world(rule));
            let all = world.iter().copied().chain(own);
            all.filter(move |rule| rule.direction == direction)
        };
        let answers = |turn: Turn, direction: Direction| every(rules(turn, direction));
        let loose = untracked(rules(flows.turn, direction), &answers(flows.turn, back));
        self.now = self.now.union(&moved.intersection(&loose.surely));
        self.maybe = self.maybe.union(&moved.intersection(&loose.maybe));
        let rest = moved.difference(&loose.surely).difference(&loose.maybe);
        self.idle = self.idle.union(&rest);
        if flows.turn == Turn::Closed {
            let with =
                |turn: Turn| untracked(rules(Turn::Opened, back), &answers(turn, direction)).surely;
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

fn evicts(positions: &Positions<'_>) -> String {
    let acls = positions.acls();
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
