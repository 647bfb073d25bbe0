//! Rules of one group (semantics C1): first what can go without cutting anything, then what is
//! missing, then the rest; a rule changed in place is changed back under its id.

use super::Action;
use super::apply::same_peer_kind;
use super::association::Pairs;
use super::draft::Draft;
use super::tag;
use snapback_model::*;
use snapback_reach::{PacketSet, permitted_by_group};
use std::collections::{BTreeMap, BTreeSet};

mod pairing;
mod room;

/// Rules of one direction and family that a group takes unless its quota was raised (semantics A1).
const RULES_MAX: u32 = 60;

/// The calls on one group.
#[derive(Debug, Default)]
pub(super) struct GroupCalls {
    /// Calls that only close: they may go before anything else.
    pub(super) closing: Draft,
    /// Calls that allow what is missing.
    pub(super) opening: Draft,
    /// Calls that close what had to wait for those, here and in groups on the same interfaces.
    pub(super) late: Draft,
    /// Descriptions and tags.
    pub(super) words: Draft,
}

/// The calls on each group. What one no longer allows another on the same interfaces may have to
/// allow first.
pub(super) fn plan_groups(
    live: &Snapshot,
    pairs: &Pairs<'_, SecurityGroup>,
    baselines: &Baselines,
) -> BTreeMap<ResourceId, GroupCalls> {
    let beside = beside(live, pairs);
    let coming = |id: &SecurityGroupId| -> BTreeSet<RuleKey> {
        let others = beside.get(id).into_iter().flatten();
        others
            .filter_map(|other| pairs.get(&(*other).clone().into()))
            .flat_map(|(now, wanted)| {
                let keys = wanted.rules.keys();
                keys.filter(|key| !now.rules.contains_key(*key))
            })
            .cloned()
            .collect()
    };
    pairs
        .iter()
        .map(|(id, (now, wanted))| {
            let coming = coming(&now.id);
            (
                id.clone(),
                plan_group(live, now, wanted, baselines, &coming),
            )
        })
        .collect()
}

/// For each group the others of the plan that an interface may carry with it: one does, or the
/// interfaces were not read.
fn beside<'a>(
    live: &'a Snapshot,
    pairs: &Pairs<'a, SecurityGroup>,
) -> BTreeMap<&'a SecurityGroupId, BTreeSet<&'a SecurityGroupId>> {
    let planned: BTreeSet<&SecurityGroupId> = pairs.values().map(|(now, _)| &now.id).collect();
    let mut beside: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    if planned.len() < 2 {
        return beside;
    }
    let mut together = |groups: Vec<&'a SecurityGroupId>| {
        for one in &groups {
            let others = groups.iter().filter(|other| *other != one).copied();
            beside.entry(*one).or_default().extend(others);
        }
    };
    if live.topology.read.contains(&ContextKind::Interfaces) {
        for interface in live.topology.interfaces.values() {
            let carried = interface.groups.iter().filter(|id| planned.contains(id));
            together(carried.collect());
        }
    } else {
        together(planned.into_iter().collect());
    }
    beside
}

/// The calls that make the rules of `live` what `goal` says. `coming` are the rules that other groups
/// on the same interfaces are still to get: what they will allow is not taken away before.
fn plan_group(
    snapshot: &Snapshot,
    live: &SecurityGroup,
    goal: &SecurityGroup,
    baselines: &Baselines,
    coming: &BTreeSet<RuleKey>,
) -> GroupCalls {
    let mut calls = GroupCalls::default();
    for direction in [Direction::Ingress, Direction::Egress] {
        let mut rules = Rules::new(snapshot, live, goal, direction, coming);
        for (key, peer) in rules.unrestorable(snapshot) {
            let what = format!("rule {key}: the group it names does not exist any more");
            if baselines.state(&peer).is_some() {
                let needs = format!("{peer} made again");
                calls.opening.needs(goal.id.clone(), what, needs);
            } else {
                calls.opening.cannot(goal.id.clone(), what);
            }
            rules.missing.remove(&key);
        }
        rules.remake_tagged(&mut calls.closing);
        rules.pair_by_id(baselines);
        rules.pair_the_only_two();
        rules.pair_to_save_a_call(&mut calls.closing);
        rules.close_early(&mut calls.closing);
        rules.pair_the_only_two();
        rules.modify_safe(&mut calls.opening);
        rules.unpair();
        rules.unpair_those_that_grow();
        if rules.is_over_quota() {
            rules.pair_for_room(&mut calls.opening);
            rules.make_room(&mut calls.opening);
        }
        rules.authorize(&mut calls.opening);
        rules.modify_safe(&mut calls.opening);
        rules.revoke_rest(&mut calls.late);
        rules.describe(&mut calls.words);
        rules.tag(&mut calls.words);
    }
    calls
}

/// A number of calls on the rules that no plan goes below.
pub(super) fn fewest(now: &SecurityGroup, wanted: &SecurityGroup) -> usize {
    let directions = [Direction::Ingress, Direction::Egress];
    let of = |direction: Direction| {
        let only = |one: &SecurityGroup, other: &SecurityGroup| -> Vec<RuleKey> {
            let keys = one.rules.keys().filter(|key| key.direction == direction);
            keys.filter(|key| !other.rules.contains_key(*key))
                .cloned()
                .collect()
        };
        let rules = match (only(now, wanted).as_slice(), only(wanted, now).as_slice()) {
            ([], []) => 0,
            ([], _) | (_, []) => 1,
            ([from], [to]) if same_peer_kind(&from.peer, &to.peer) => 1,
            _ => 2,
        };
        let redescribed = wanted.rules.iter().any(|(key, detail)| {
            let held = now.rules.get(key);
            key.direction == direction
                && held.is_some_and(|held| held.description != detail.description)
        });
        usize::saturating_add(rules, usize::from(redescribed))
    };
    directions
        .into_iter()
        .map(of)
        .fold(0, usize::saturating_add)
}

/// The rules of one direction while they are being put right.
struct Rules<'a> {
    live: &'a SecurityGroup,
    goal: &'a SecurityGroup,
    direction: Direction,
    topology: &'a Topology,
    ids: BTreeMap<&'a RuleKey, &'a SecurityGroupRuleId>,
    /// What the group holds after the calls so far.
    now: BTreeSet<RuleKey>,
    /// Held and not wanted, not to be modified.
    extra: BTreeSet<RuleKey>,
    /// Wanted and not held, not to come by modifying.
    missing: BTreeSet<RuleKey>,
    /// Held rule to wanted rule, by the id that is kept.
    pairs: BTreeMap<SecurityGroupRuleId, (RuleKey, RuleKey)>,
    /// Modified rules: wanted rule to the rule it was.
    modified: BTreeMap<RuleKey, (SecurityGroupRuleId, RuleKey)>,
    /// What the calls so far authorise, with its description.
    made: BTreeSet<RuleKey>,
    /// Whether the plan makes the group: nothing carries it.
    is_born: bool,
    /// What both ends permit: never to be cut.
    lower: PacketSet,
    /// What other groups on the same interfaces are still to allow.
    coming: BTreeSet<&'a RuleKey>,
    awaited: PacketSet,
}

impl<'a> Rules<'a> {
    fn new(
        snapshot: &'a Snapshot,
        live: &'a SecurityGroup,
        goal: &'a SecurityGroup,
        direction: Direction,
        coming: &'a BTreeSet<RuleKey>,
    ) -> Self {
        let topology = &snapshot.topology;
        let of = |group: &SecurityGroup| -> BTreeSet<RuleKey> {
            group
                .rules
                .keys()
                .filter(|key| key.direction == direction)
                .cloned()
                .collect()
        };
        // What is only to be made has no ids that EC2 would know.
        let is_born = live.tags.as_ref().is_some_and(|tags| {
            tags.get(SUCCESSOR_OF)
                .is_some_and(|id| *id == live.id.as_str())
        });
        let (held, wanted) = (of(live), of(goal));
        let ids = snapshot
            .handles
            .rules
            .iter()
            .filter(|(_, handle)| handle.group == live.id && !is_born);
        let extra: BTreeSet<RuleKey> = held.difference(&wanted).cloned().collect();
        let missing: BTreeSet<RuleKey> = wanted.difference(&held).cloned().collect();
        let lower = if extra.is_empty() || is_born {
            PacketSet::empty()
        } else {
            permitted_by_group(live, direction, topology)
                .intersection(&permitted_by_group(goal, direction, topology))
        };
        let coming: BTreeSet<&RuleKey> = coming
            .iter()
            .filter(|key| key.direction == direction)
            .collect();
        let awaited = if extra.is_empty() {
            PacketSet::empty()
        } else {
            permitted(live, coming.iter().copied(), direction, topology)
        };
        Self {
            is_born,
            coming,
            awaited,
            live,
            goal,
            direction,
            topology,
            ids: ids.map(|(id, handle)| (&handle.rule, id)).collect(),
            extra,
            missing,
            now: held,
            made: BTreeSet::new(),
            pairs: BTreeMap::new(),
            modified: BTreeMap::new(),
            lower,
        }
    }

    /// Missing rules whose peer group is known to be gone: one of them would fail its whole batch.
    fn unrestorable(&self, snapshot: &Snapshot) -> Vec<(RuleKey, ResourceId)> {
        let gone = |key: &RuleKey| match &key.peer {
            Peer::SecurityGroup { id, owner: None } => {
                let peer = ResourceId::SecurityGroup(id.clone());
                (!snapshot.resources.contains_key(&peer) && snapshot.covers(&peer, None))
                    .then(|| (key.clone(), peer))
            }
            Peer::SecurityGroup { .. } | Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::PrefixList(_) => {
                None
            }
        };
        self.missing.iter().filter_map(gone).collect()
    }

    fn permitted<'k>(&self, rules: impl Iterator<Item = &'k RuleKey>) -> PacketSet {
        permitted(self.live, rules, self.direction, self.topology)
    }

    /// Whether the rule allows what another group on the same interface is still to allow: if both
    /// ends allow it there, this rule must wait.
    fn is_awaited(&self, key: &RuleKey) -> bool {
        !self.awaited.is_empty()
            && self
                .awaited
                .intersects(&self.permitted(std::iter::once(key)))
    }

    /// Whether nothing that both ends permit is cut when `gone` leaves and `came` is there.
    fn keeps(&self, gone: &BTreeSet<&RuleKey>, came: Option<&RuleKey>) -> bool {
        self.keeps_of(&self.now, gone, came)
    }

    fn keeps_of(
        &self,
        held: &BTreeSet<RuleKey>,
        gone: &BTreeSet<&RuleKey>,
        came: Option<&RuleKey>,
    ) -> bool {
        let left = held.iter().filter(|key| !gone.contains(key)).chain(came);
        self.lower.is_subset(&self.permitted(left))
    }

    /// Which extra rules can go now without cutting anything, alone and together.
    fn removable(&self) -> BTreeSet<RuleKey> {
        let candidates: Vec<&RuleKey> = self
            .extra
            .iter()
            .filter(|key| !self.is_awaited(key) && !self.may_stand_for_missing(key))
            .collect();
        let mut gone: BTreeSet<&RuleKey> = candidates.iter().copied().collect();
        if !self.keeps(&gone, None) {
            gone.clear();
            for key in candidates {
                gone.insert(key);
                if !self.keeps(&gone, None) {
                    gone.remove(key);
                }
            }
        }
        gone.into_iter().cloned().collect()
    }

    /// A reference (group, unread prefix list) may stand for the same addresses as another peer:
    /// such a rule waits until what is missing is back.
    fn may_stand_for_missing(&self, key: &RuleKey) -> bool {
        let symbolic = |peer: &Peer| peer.as_cidr().is_none();
        let everyone = |key: &RuleKey| {
            PacketSet::of_peer(&key.traffic, &Peer::cidr(ipnet::Ipv4Net::default().into()))
        };
        let coming = self
            .missing
            .iter()
            .chain(self.pairs.values().map(|(_, to)| to))
            .chain(self.coming.iter().copied());
        coming
            .filter(|other| symbolic(&key.peer) || symbolic(&other.peer))
            .any(|other| other.peer != key.peer && everyone(key).intersects(&everyone(other)))
    }

    /// A rule that a group is born with has no id yet that tags could be set on: where it is to have
    /// some, it is made again with them. The group is carried by nothing meanwhile.
    fn remake_tagged(&mut self, draft: &mut Draft) {
        if !self.is_born {
            return;
        }
        let tagged = |key: &&RuleKey| {
            let tags = self
                .goal
                .rules
                .get(*key)
                .and_then(|detail| detail.tags.as_ref());
            tags.is_some_and(|tags| tags.keys().any(|key| !key.starts_with(tag::RESERVED)))
        };
        let rules: BTreeSet<RuleKey> = self.now.iter().filter(tagged).cloned().collect();
        self.missing.extend(rules.iter().cloned());
        self.revoke(draft, rules);
    }

    fn close_early(&mut self, draft: &mut Draft) {
        if !self.extra.is_empty() {
            let rules = self.early();
            self.revoke(draft, rules);
        }
    }

    /// The extra rules that go before anything else.
    fn early(&self) -> BTreeSet<RuleKey> {
        let mut rules = self.removable();
        if rules.len() < self.extra.len() && !self.rest_is_one_change(&rules) {
            // Some must wait: what opens nothing waits with them, for one call.
            let approved = permitted_by_group(self.goal, self.direction, self.topology);
            rules.retain(|key| !self.permitted(std::iter::once(key)).is_subset(&approved));
        }
        rules
    }

    fn revoke(&mut self, draft: &mut Draft, rules: BTreeSet<RuleKey>) {
        if rules.is_empty() {
            return;
        }
        self.now.retain(|key| !rules.contains(key));
        self.extra.retain(|key| !rules.contains(key));
        let why = format!("take back what was not approved: {}", words(rules.iter()));
        let rules = rules.into_iter().map(|key| {
            let id = self.ids.get(&key).map(|id| (*id).clone());
            (key, id)
        });
        let action = Action::RevokeSecurityGroupRules {
            group: self.live.id.clone(),
            direction: self.direction,
            rules: rules.collect(),
        };
        draft.step(self.live.id.clone(), action, why);
    }

    fn authorize(&mut self, draft: &mut Draft) {
        let mut by_tags: BTreeMap<Tags, BTreeMap<RuleKey, RuleDetail>> = BTreeMap::new();
        for key in std::mem::take(&mut self.missing) {
            let mut detail = self.goal.rules.get(&key).cloned().unwrap_or_default();
            if let Some(tags) = &mut detail.tags {
                tags.retain(|key, _| !key.starts_with(tag::RESERVED));
            }
            let tags = detail.tags.clone().unwrap_or_default();
            self.now.insert(key.clone());
            self.made.insert(key.clone());
            by_tags.entry(tags).or_default().insert(key, detail);
        }
        for rules in by_tags.into_values() {
            let why = format!("put back what was approved: {}", words(rules.keys()));
            let action = Action::AuthorizeSecurityGroupRules {
                group: self.live.id.clone(),
                direction: self.direction,
                rules,
            };
            draft.step(self.live.id.clone(), action, why);
        }
    }

    fn revoke_rest(&mut self, draft: &mut Draft) {
        let rules = std::mem::take(&mut self.extra);
        self.revoke(draft, rules);
    }

    fn describe(&self, draft: &mut Draft) {
        let differing = self.goal.rules.iter().filter(|(key, detail)| {
            let held = self.live.rules.get(*key);
            key.direction == self.direction
                && !self.made.contains(*key)
                && held.is_some_and(|held| held.description != detail.description)
        });
        let rules: BTreeMap<RuleKey, Option<String>> = differing
            .map(|(key, detail)| (key.clone(), detail.description.clone()))
            .collect();
        if !rules.is_empty() {
            let why = format!(
                "put back the approved descriptions of {}",
                words(rules.keys())
            );
            let action = Action::UpdateSecurityGroupRuleDescriptions {
                group: self.live.id.clone(),
                direction: self.direction,
                rules,
            };
            draft.step(self.live.id.clone(), action, why);
        }
    }

    /// Tags of rules that keep their id; a new rule gets its tags as it is made.
    fn tag(&self, draft: &mut Draft) {
        let resource = ResourceId::SecurityGroup(self.live.id.clone());
        for (key, detail) in self
            .goal
            .rules
            .iter()
            .filter(|(key, _)| key.direction == self.direction)
        {
            let (id, was) = match self.modified.get(key) {
                Some((id, was)) => (Some(id), was),
                None => (self.ids.get(key).copied(), key),
            };
            let held = self.live.rules.get(was).and_then(|held| held.tags.as_ref());
            if let Some(id) = id {
                tag::tags(draft, &resource, id.as_str(), held, detail.tags.as_ref());
            }
        }
    }
}

fn permitted<'k>(
    group: &SecurityGroup,
    rules: impl Iterator<Item = &'k RuleKey>,
    direction: Direction,
    topology: &Topology,
) -> PacketSet {
    let rules = rules
        .map(|key| (key.clone(), RuleDetail::default()))
        .collect();
    let group = SecurityGroup {
        id: group.id.clone(),
        name: None,
        description: None,
        vpc: None,
        owner: None,
        tags: None,
        rules,
    };
    permitted_by_group(&group, direction, topology)
}

fn words<'k>(rules: impl Iterator<Item = &'k RuleKey>) -> String {
    rules.map(rule_words).collect::<Vec<_>>().join(", ")
}

fn rule_words(key: &RuleKey) -> String {
    let side = if key.direction.is_egress() {
        "to"
    } else {
        "from"
    };
    format!("{} {side} {}", key.traffic, key.peer)
}
