//! The check of a finished plan: each prefix of its steps is folded over live, and what the state
//! after a step cuts, opens or leads astray is told (design.md principle 4).
//!
//! The invariant is held for whoever sends packets, not for each resource by itself: a group, an
//! interface by all its groups, alone and behind the ACL of its subnet, a subnet by the ACL and the
//! table that hold it at that moment, a gateway by the table of its edge association.

use super::note::no_better_way;
use super::{Action, Note, Step, StepSafety, apply};
use crate::impact::item_words;
use behind::{Danger, Guarded};
use places::{Filtered, Places, Routed, Traveller};
use reduced::reduced;
use routing::End;
use snapback_model::*;
use snapback_reach::{NextHops, PacketSet, bound, permitted_by_acl, permitted_by_rules};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(super) mod behind;
mod places;
pub(super) mod reduced;
mod routing;
pub(super) mod search;
pub(super) mod traffic;

/// Lines of packets that a note names.
const LINES_MAX: usize = 5;

/// Why groups and ACLs open something together.
const NO_WEAVE: &str = "no order of the calls on the groups and on the ACL avoids it";

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// Who is harmed, and in which direction; routes have none.
type Victim = (Harmed, Option<Direction>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Harmed {
    Group(SecurityGroupId),
    /// The interfaces that carry these groups, all together.
    Carriers(BTreeSet<SecurityGroupId>),
    /// Interfaces, by their groups and the ACL before them.
    Behind(Guarded),
    Filtered(Filtered),
    Routed(Routed),
}

/// What is wrong with the state after a step.
type Harms = BTreeMap<Victim, String>;

/// What each step does, one value a step.
pub(super) fn safety(
    live: &Snapshot,
    goal: &BTreeMap<ResourceId, Resource>,
    steps: &[Step],
) -> Vec<StepSafety> {
    let mut proof = Proof::new(live, goal, steps).telling_what_stays();
    let mut told = Vec::with_capacity(steps.len());
    let mut why = String::new();
    for Step { action, .. } in steps {
        if let Err(refused) = proof.step(action) {
            told.push(StepSafety::Unproved { why: refused });
            continue;
        }
        if proof.harms.is_empty() {
            told.push(StepSafety::Safe);
            continue;
        }
        if told.last().is_none_or(|last| *last == StepSafety::Safe) {
            why = if proof
                .harms
                .keys()
                .all(|(who, _)| matches!(who, Harmed::Behind(_)))
            {
                NO_WEAVE.to_owned()
            } else {
                no_better_way(action, &live.topology)
            };
        }
        let lines: BTreeSet<&String> = proof.harms.values().collect();
        let lines: Vec<&str> = lines.into_iter().map(String::as_str).collect();
        told.push(StepSafety::Interrupts {
            what: lines.join("; "),
            why: why.clone(),
        });
    }
    told
}

/// The notes that say what [`safety`] found: one for each run of steps that are not safe.
pub(super) fn notes(safety: &[StepSafety], steps: &[Step]) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let mut open = false;
    for (index, (safety, step)) in safety.iter().zip(steps).enumerate() {
        let (what, why) = match safety {
            StepSafety::Safe => {
                if let (true, Some(Note::Interrupts { until, .. })) = (open, notes.last_mut()) {
                    *until = Some(index);
                }
                open = false;
                continue;
            }
            StepSafety::Interrupts { what, why } => (what.clone(), why.clone()),
            StepSafety::Unproved { why } => (
                format!("{}: not proved to be safe", step.action.describe()),
                why.clone(),
            ),
        };
        match notes.last_mut() {
            Some(Note::Interrupts { what: known, .. }) if open => {
                if !known.contains(&what) {
                    known.push_str("; then ");
                    known.push_str(&what);
                }
            }
            _ => notes.push(Note::Interrupts {
                step: index,
                until: None,
                what,
                why,
            }),
        }
        open = true;
    }
    notes
}

#[derive(Clone)]
struct Proof<'a> {
    live: &'a Snapshot,
    goal: &'a BTreeMap<ResourceId, Resource>,
    state: Snapshot,
    end: Rc<Snapshot>,
    /// The same without routes that the plan cannot put right, where who is led by them is to be told.
    good_end: Option<Rc<Snapshot>>,
    places: Places,
    /// The sets of groups that interfaces carry, two or more of them touched.
    carried: Rc<BTreeSet<BTreeSet<SecurityGroupId>>>,
    /// What groups and ACLs could open together.
    dangers: Rc<[Danger]>,
    /// Where each table leads at either end.
    ends: BTreeMap<(Option<RouteTableId>, End), Rc<NextHops>>,
    /// What both ends permit and what either does.
    bounds: BTreeMap<Victim, Option<Rc<(PacketSet, PacketSet)>>>,
    harms: Harms,
}

impl<'a> Proof<'a> {
    fn new(live: &'a Snapshot, goal: &'a BTreeMap<ResourceId, Resource>, steps: &[Step]) -> Self {
        let state = reduced(live, goal, steps);
        let mut end = state.clone();
        for step in steps {
            // A refusal is told at its step.
            let _told = apply(&step.action, &mut end);
        }
        let groups: BTreeSet<SecurityGroupId> = steps
            .iter()
            .filter_map(|step| match &step.action {
                Action::AuthorizeSecurityGroupRules { group, .. }
                | Action::RevokeSecurityGroupRules { group, .. }
                | Action::ModifySecurityGroupRule { group, .. } => Some(group.clone()),
                _ => None,
            })
            .collect();
        let carried = if groups.len() < 2 {
            BTreeSet::new()
        } else {
            let interfaces = live.topology.interfaces.values();
            interfaces
                .map(|interface| &interface.groups)
                .filter(|carried| carried.intersection(&groups).count() > 1)
                .cloned()
                .collect()
        };
        let places = Places::new(live, goal, &state, &end, steps);
        Self {
            live,
            goal,
            state,
            end: Rc::new(end),
            good_end: None,
            places,
            carried: Rc::new(carried),
            dangers: behind::dangers(live, goal, steps).into(),
            ends: BTreeMap::new(),
            bounds: BTreeMap::new(),
            harms: Harms::new(),
        }
    }

    /// Makes a step and looks at who is harmed then.
    fn step(&mut self, action: &Action) -> Result<(), String> {
        apply(action, &mut self.state).map_err(|why| format!("it would be refused: {why}"))?;
        let changed: Option<ResourceId> = match action {
            Action::AuthorizeSecurityGroupRules { group, .. }
            | Action::RevokeSecurityGroupRules { group, .. }
            | Action::ModifySecurityGroupRule { group, .. } => Some(group.clone().into()),
            Action::CreateNetworkAclEntry { acl, .. }
            | Action::ReplaceNetworkAclEntry { acl, .. }
            | Action::DeleteNetworkAclEntry { acl, .. } => Some(acl.clone().into()),
            _ => None,
        };
        if let Some(held) = changed.and_then(|id| self.state.resources.get(&id)) {
            bound::check(held, &self.live.topology).map_err(|over| over.to_string())?;
        }
        match action {
            Action::AuthorizeSecurityGroupRules {
                group, direction, ..
            }
            | Action::RevokeSecurityGroupRules {
                group, direction, ..
            } => self.look_at_groups(group, *direction),
            Action::ModifySecurityGroupRule { group, to, .. } => {
                self.look_at_groups(group, to.direction);
            }
            Action::CreateNetworkAclEntry { key, .. }
            | Action::ReplaceNetworkAclEntry { key, .. }
            | Action::DeleteNetworkAclEntry { key, .. } => self.look_at_acls(key.direction),
            Action::ReplaceNetworkAclAssociation { .. } => {
                self.places.filter(&self.state);
                DIRECTIONS
                    .into_iter()
                    .for_each(|direction| self.look_at_acls(direction));
            }
            Action::CreateRoute { .. }
            | Action::ReplaceRoute { .. }
            | Action::DeleteRoute { .. }
            | Action::ModifyVpcEndpoint { .. }
            | Action::DisableVgwRoutePropagation { .. } => self.look_at_tables(),
            Action::AssociateRouteTable { .. }
            | Action::ReplaceRouteTableAssociation { .. }
            | Action::DisassociateRouteTable { .. } => {
                self.places.route(&self.state);
                self.look_at_tables();
            }
            _ => {}
        }
        self.look_behind(action);
        Ok(())
    }

    /// What a call on a group or an ACL opens for interfaces that both of them guard.
    fn look_behind(&mut self, action: &Action) {
        let filters = behind::filters(action);
        for danger in self.dangers.clone().iter() {
            if !filters && !danger.hears_groups(action) {
                continue;
            }
            let Danger { who, direction, .. } = danger;
            let by_groups = danger.by_groups(&self.state, self.live);
            let open = by_groups.intersection(&danger.by_acl(&self.state, self.live));
            let victim = (Harmed::Behind(who.clone()), Some(*direction));
            if open.is_empty() {
                self.harms.remove(&victim);
            } else {
                let words = format!(
                    "interfaces with {} in {}: opens {direction} for a moment, the group and the ACL together: {}",
                    and(&who.groups),
                    who.subnet,
                    lines(*direction, &open)
                );
                self.harms.insert(victim, words);
            }
        }
    }

    fn look_at_groups(&mut self, id: &SecurityGroupId, direction: Direction) {
        let carried = self.carried.iter().filter(|groups| groups.contains(id));
        let who: Vec<Harmed> = carried
            .cloned()
            .map(Harmed::Carriers)
            .chain([Harmed::Group(id.clone())])
            .collect();
        for harmed in who {
            let groups = match &harmed {
                Harmed::Carriers(groups) => groups.clone(),
                _ => BTreeSet::from([id.clone()]),
            };
            let topology = &self.live.topology;
            let held = |id: &ResourceId| self.live.resources.get(id);
            let now = union_of(&groups, direction, topology, |id| {
                self.state.resources.get(id).or_else(|| held(id))
            });
            let words = match &harmed {
                Harmed::Carriers(groups) => format!("interfaces with {}", and(groups)),
                _ => id.to_string(),
            };
            let victim = (harmed, Some(direction));
            if !self.bounds.contains_key(&victim) {
                let before = union_of(&groups, direction, topology, held);
                let after = union_of(&groups, direction, topology, |id| {
                    self.goal.get(id).or_else(|| held(id))
                });
                // What is made again is carried by nothing yet.
                let known = groups
                    .iter()
                    .all(|id| self.live.resources.contains_key(&id.clone().into()));
                let bounds =
                    known.then(|| Rc::new((before.intersection(&after), before.union(&after))));
                self.bounds.insert(victim.clone(), bounds);
            }
            self.judge(victim, &words, &now);
        }
    }

    fn look_at_acls(&mut self, direction: Direction) {
        self.harms.retain(|(harmed, of), _| {
            !matches!(harmed, Harmed::Filtered(_)) || *of != Some(direction)
        });
        for (place, subnets) in self.places.filtered() {
            let Some(Resource::NetworkAcl(held)) =
                self.state.resources.get(&place.now.clone().into())
            else {
                continue;
            };
            let ends = [
                self.live.resources.get(&place.live.clone().into()),
                self.goal
                    .get(&place.goal.clone().into())
                    .or_else(|| self.live.resources.get(&place.goal.clone().into())),
            ];
            let [
                Some(Resource::NetworkAcl(before)),
                Some(Resource::NetworkAcl(after)),
            ] = ends
            else {
                continue;
            };
            if held.entries == before.entries || held.entries == after.entries {
                continue;
            }
            // The bounds do not ask which ACL holds the subnets now.
            let ends = Filtered {
                now: place.goal.clone(),
                ..place.clone()
            };
            let bounds = self
                .bounds
                .entry((Harmed::Filtered(ends), Some(direction)))
                .or_insert_with(|| {
                    let before = permitted_by_acl(before, direction);
                    let after = permitted_by_acl(after, direction);
                    Some(Rc::new((before.intersection(&after), before.union(&after))))
                });
            if let Some(words) = bounds.as_deref().and_then(|bounds| {
                harm(
                    &subnets,
                    direction,
                    &permitted_by_acl(held, direction),
                    bounds,
                )
            }) {
                self.harms
                    .insert((Harmed::Filtered(place), Some(direction)), words);
            }
        }
    }

    fn judge(&mut self, victim: Victim, words: &str, now: &PacketSet) {
        let (_, direction) = &victim;
        let bounds = self.bounds.get(&victim).and_then(Option::as_deref);
        let found = direction
            .zip(bounds)
            .and_then(|(direction, bounds)| harm(words, direction, now, bounds));
        match found {
            Some(words) => self.harms.insert(victim, words),
            None => self.harms.remove(&victim),
        };
    }
}

/// What groups let pass together, each as `of` gives it.
fn union_of<'s>(
    groups: &BTreeSet<SecurityGroupId>,
    direction: Direction,
    topology: &Topology,
    of: impl Fn(&ResourceId) -> Option<&'s Resource>,
) -> PacketSet {
    let held = groups.iter().filter_map(|id| match of(&id.clone().into()) {
        Some(Resource::SecurityGroup(group)) => Some(group),
        _ => None,
    });
    let rules = held.flat_map(|group| group.rules.keys());
    permitted_by_rules(rules.filter(|key| key.direction == direction), topology)
}

fn and(groups: &BTreeSet<SecurityGroupId>) -> String {
    let names: Vec<&str> = groups.iter().map(SecurityGroupId::as_str).collect();
    names.join(" and ")
}

fn harm(
    who: &str,
    direction: Direction,
    now: &PacketSet,
    (lower, upper): &(PacketSet, PacketSet),
) -> Option<String> {
    let (cut, opened) = (lower.difference(now), now.difference(upper));
    match (cut.is_empty(), opened.is_empty()) {
        (true, true) => None,
        (false, _) => Some(format!(
            "{who}: cuts {direction} for a moment: {}",
            lines(direction, &cut)
        )),
        (true, false) => Some(format!(
            "{who}: opens {direction} for a moment: {}",
            lines(direction, &opened)
        )),
    }
}

fn lines(direction: Direction, packets: &PacketSet) -> String {
    let items = packets.items();
    let more = items.len().saturating_sub(LINES_MAX);
    let mut text = items
        .iter()
        .take(LINES_MAX)
        .map(|item| item_words(direction, item))
        .collect::<Vec<_>>()
        .join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// The name of some travellers of one kind.
fn names(who: &[&Traveller]) -> String {
    match who {
        [] => String::new(),
        [one] => one.to_string(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}
