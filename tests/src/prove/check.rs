//! What must be true of a plan.

use super::figures::Figures;
use super::packets::Packets;
use super::prefix::{Ends, Held, Prefixes};
use super::world::Case;
use fastrand::Rng;
use snapback_engine::execution::{Verification, verify};
use snapback_engine::plan::{self, Action, Note, Plan, Readiness, StepSafety};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The law that is broken.
    pub what: &'static str,
    /// Where and how.
    pub words: String,
}

fn failed<T>(what: &'static str, words: impl Into<String>) -> Result<T, Failure> {
    Err(Failure {
        what,
        words: words.into(),
    })
}

/// Plans a case and checks all that must be true of the plan.
///
/// # Errors
/// The first law that is broken.
pub fn check(case: &Case) -> Result<Figures, Failure> {
    let (goal, baselines) = (case.goal(), case.baselines());
    let plan = plan::plan_within(&case.live, &goal, &baselines, case.recreate);
    let safety = plan::safety(&case.live, &plan);
    let Folded { deltas, end } = folded(case, &plan)?;
    let mut figures = Figures {
        cases: 1,
        ..Figures::default()
    };
    the_end(case, &plan, &end, &baselines, &mut figures)?;
    nothing_else(case, &plan, &end)?;
    notes_are_whole(&plan, &safety)?;
    let mut rng = Rng::with_seed(case.seed);
    let packets = Packets::of(&[&case.live, &case.good], &mut rng);
    let ends = Ends {
        live: &case.live,
        goal: &plan.goal,
        end: &end,
    };
    let mut prefixes = Prefixes::new(ends, &packets);
    let mut now: Held<'_> = case.live.resources.iter().collect();
    for (index, (delta, safety)) in deltas.iter().zip(&safety).enumerate() {
        for (id, resource) in delta {
            match resource {
                Some(resource) => now.insert(id, resource),
                None => now.remove(id),
            };
        }
        if *safety != StepSafety::Safe {
            continue;
        }
        if let Err(words) = prefixes.hold(&now) {
            let step = &plan.steps[index];
            return failed(
                "a step called safe is not",
                format!(
                    "after step {}, {}: {words}",
                    index + 1,
                    step.action.describe()
                ),
            );
        }
    }
    (figures.packets, figures.sets) = (prefixes.packets, prefixes.sets);
    count(case, &plan, &safety, &baselines, &mut figures)?;
    Ok(figures)
}

/// A plan folded over live.
struct Folded {
    /// The resources that each step changed, as they are after it.
    deltas: Vec<BTreeMap<ResourceId, Option<Resource>>>,
    end: Snapshot,
}

/// Folds a plan; every step must find what it expects and fit the quotas.
fn folded(case: &Case, plan: &Plan) -> Result<Folded, Failure> {
    let mut state = case.live.clone();
    let mut deltas = Vec::with_capacity(plan.steps.len());
    for (index, step) in plan.steps.iter().enumerate() {
        let words = || format!("step {}: {}", index + 1, step.action.describe());
        let mut readiness = plan::readiness(&step.action, &state);
        if matches!(readiness, Readiness::NotYet(_)) {
            time_passes(&mut state);
            readiness = plan::readiness(&step.action, &state);
        }
        if readiness != Readiness::Ready {
            return failed(
                "a step does not find what it expects",
                format!("{}: {readiness:?}", words()),
            );
        }
        let before = state.resources.clone();
        if let Err(why) = plan::apply(&step.action, &mut state) {
            return failed("a step would be refused", format!("{}: {why}", words()));
        }
        if plan::readiness(&step.action, &state) != Readiness::AlreadyInPlace
            && step.action.makes().is_none()
        {
            return failed("a step made is not in place", words());
        }
        let delta = changed(&before, &state.resources);
        if let Some(over) = over_quota(case, &delta) {
            return failed("a quota is exceeded", format!("{}: {over}", words()));
        }
        deltas.push(delta);
    }
    Ok(Folded { deltas, end: state })
}

type Resources = BTreeMap<ResourceId, Resource>;

fn changed(before: &Resources, after: &Resources) -> BTreeMap<ResourceId, Option<Resource>> {
    let written = after
        .iter()
        .filter(|(id, now)| before.get(*id) != Some(*now))
        .map(|(id, now)| (id.clone(), Some(now.clone())));
    let gone = before.keys().filter(|id| !after.contains_key(*id));
    written.chain(gone.map(|id| (id.clone(), None))).collect()
}

/// What EC2 is busy with is done.
fn time_passes(state: &mut Snapshot) {
    let mut left = BTreeSet::new();
    for gateway in state.topology.gateways.values_mut() {
        let next = match gateway.state.as_deref() {
            Some("pending") => "available",
            Some("deleting") => {
                left.insert(gateway.id.clone());
                "deleted"
            }
            _ => continue,
        };
        gateway.state = Some(next.to_owned());
    }
    if !left.is_empty() {
        for address in state
            .topology
            .addresses
            .iter_mut()
            .flat_map(BTreeMap::values_mut)
        {
            address.holder = None;
        }
    }
}

/// More entries or rules than the quota, unless an end had as many.
fn over_quota(case: &Case, delta: &BTreeMap<ResourceId, Option<Resource>>) -> Option<String> {
    let sizes = |resource: Option<&Resource>| -> [[usize; 2]; 2] {
        DIRECTIONS.map(|direction| match resource {
            Some(Resource::SecurityGroup(group)) => {
                let costs = |other: fn(&Peer) -> bool| {
                    let keys = group.rules.keys();
                    keys.filter(|key| key.direction == direction && !other(&key.peer))
                        .map(|key| cost_of(&key.peer, &case.live.topology))
                        .sum()
                };
                [
                    costs(|peer| matches!(peer, Peer::Ipv6(_))),
                    costs(|peer| matches!(peer, Peer::Ipv4(_))),
                ]
            }
            Some(Resource::NetworkAcl(acl)) => {
                let keys = acl.entries.keys();
                [keys.filter(|key| key.direction == direction).count(), 0]
            }
            _ => [0, 0],
        })
    };
    delta.iter().find_map(|(id, resource)| {
        let quota = match id.kind() {
            Kind::SecurityGroup => 60,
            Kind::NetworkAcl => 20,
            Kind::RouteTable => return None,
        };
        let ends = [&case.live, &case.good].map(|state| sizes(state.resources.get(id)));
        let now = sizes(resource.as_ref());
        let over = |side: usize, family: usize| {
            let most = ends.iter().map(|end| end[side][family]).max().unwrap_or(0);
            now[side][family] > most.max(quota)
        };
        (0..4)
            .any(|at| over(at / 2, at % 2))
            .then(|| format!("{id} holds {now:?}"))
    })
}

/// What a peer costs in a family that it is in (semantics A1): a prefix list its maximum.
fn cost_of(peer: &Peer, topology: &Topology) -> usize {
    match peer {
        Peer::PrefixList(id) => {
            let list = topology.prefix_lists.get(id);
            list.and_then(|list| list.max_entries).unwrap_or(1) as usize
        }
        Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::SecurityGroup { .. } => 1,
    }
}

/// The end equals the goal; or notes say why not, each is true, and nothing possible is left.
fn the_end(
    case: &Case,
    plan: &Plan,
    end: &Snapshot,
    baselines: &Baselines,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let undone: Vec<String> = plan.notes.iter().filter_map(Note::left_undone).collect();
    let again = plan::plan_within(&as_read(end), &plan.goal, baselines, case.recreate);
    if !again.steps.is_empty() {
        let words: Vec<String> = again
            .steps
            .iter()
            .map(|step| step.action.describe())
            .collect();
        return failed("something possible is left", words.join("; "));
    }
    match verify(&plan.goal, end) {
        Verification::Equal if undone.is_empty() => figures.equal = 1,
        Verification::Differs(_) if !undone.is_empty() => figures.partial = 1,
        // A blackhole of live that the goal had too is told and is no difference.
        Verification::Equal => figures.equal = 1,
        Verification::Differs(left) => {
            return failed(
                "the end is not the goal, and no note says why",
                left.join("; "),
            );
        }
    }
    for note in &plan.notes {
        let words = match note {
            Note::Cannot { what, .. } => what.clone(),
            Note::Needs {
                resource,
                what,
                needs,
            } => {
                needed(case, resource, needs)?;
                format!("{what}; needs {needs}")
            }
            Note::Interrupts { .. } => continue,
        };
        *figures.undone.entry(category(&words)).or_default() += 1;
    }
    Ok(())
}

/// A state as the next read shows it: what was made again has an id of its own by now, which its tag
/// does not name.
fn as_read(state: &Snapshot) -> Snapshot {
    let mut state = state.clone();
    for resource in state.resources.values_mut() {
        if let Resource::SecurityGroup(group) = resource
            && let Some(tags) = &mut group.tags
        {
            tags.remove(SUCCESSOR_OF);
        }
    }
    state
}

/// What a note says to be needed first is really not there.
fn needed(case: &Case, resource: &ResourceId, needs: &str) -> Result<(), Failure> {
    let id = needs.split(' ').next().unwrap_or_default();
    if !needs.ends_with(" again") {
        // About the main table: a plan for all tables shows whether it is true.
        return Ok(());
    }
    let topology = &case.live.topology;
    let missing = match topology.gateways.get(id) {
        Some(gateway) => {
            let vpc = case.good.resources.get(resource).and_then(Resource::vpc);
            gateway.state.as_deref() != Some("available")
                || vpc.is_some_and(|vpc| !gateway.vpcs.contains(vpc))
        }
        None => {
            !topology
                .interfaces
                .contains_key(&NetworkInterfaceId::new(id))
                && !id
                    .parse::<ResourceId>()
                    .is_ok_and(|id| case.live.resources.contains_key(&id))
        }
    };
    if missing {
        Ok(())
    } else {
        failed("a note needs what is there", needs)
    }
}

/// A note without what differs from case to case.
fn category(words: &str) -> String {
    let is_name = |word: &str| word.chars().any(|c| c.is_ascii_digit() || c == '"');
    let kept: Vec<&str> = words
        .split(' ')
        .map(|word| if is_name(word) { "…" } else { word })
        .collect();
    let mut text = kept.join(" ");
    while text.contains("… …") {
        text = text.replace("… …", "…");
    }
    text
}

/// What the goal does not name is as it was, but for subnets and gateways that a goal claims.
fn nothing_else(case: &Case, plan: &Plan, end: &Snapshot) -> Result<(), Failure> {
    for (id, before) in &case.live.resources {
        let Some(after) = end.resources.get(id) else {
            return failed("a resource is gone", id.to_string());
        };
        if plan.goal.contains_key(id) {
            continue;
        }
        let mut before = before.clone();
        match (&mut before, after) {
            (Resource::NetworkAcl(before), Resource::NetworkAcl(after)) => {
                before.subnets.clone_from(&after.subnets)
            }
            (Resource::RouteTable(before), Resource::RouteTable(after)) => {
                before.subnets.clone_from(&after.subnets);
                before.gateways.clone_from(&after.gateways);
                before.main = after.main;
            }
            _ => {}
        }
        if before != *after {
            return failed(
                "a resource that the goal does not name was written",
                id.to_string(),
            );
        }
    }
    let temporary = end
        .resources
        .keys()
        .find(|id| !case.live.resources.contains_key(*id) && !plan.goal.contains_key(*id));
    match temporary {
        Some(id) => failed("something temporary is left", id.to_string()),
        None => Ok(()),
    }
}

/// Every step that is not safe is in a note, and every note is about such steps.
fn notes_are_whole(plan: &Plan, safety: &[StepSafety]) -> Result<(), Failure> {
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for note in &plan.notes {
        if let Note::Interrupts { step, until, .. } = note {
            told.extend(*step..until.unwrap_or(plan.steps.len()));
        }
    }
    let unsafe_steps: BTreeSet<usize> = safety
        .iter()
        .enumerate()
        .filter(|(_, safety)| **safety != StepSafety::Safe)
        .map(|(index, _)| index)
        .collect();
    if told == unsafe_steps {
        Ok(())
    } else {
        failed(
            "notes and safety disagree",
            format!("{told:?} {unsafe_steps:?}"),
        )
    }
}

/// The figures of a plan, and that it does not go below the bound.
fn count(
    case: &Case,
    plan: &Plan,
    safety: &[StepSafety],
    baselines: &Baselines,
    figures: &mut Figures,
) -> Result<(), Failure> {
    figures.steps = plan.steps.len() as u64;
    let mut calls: BTreeMap<String, u64> = BTreeMap::new();
    for step in &plan.steps {
        *calls.entry(step.action.api().to_owned()).or_default() += 1;
        figures.recreating |= u64::from(
            step.action
                .makes()
                .is_some_and(|made| plan.goal.keys().any(|id| id.as_str() == made.as_str())),
        );
        figures.temporary |= u64::from(matches!(step.action, Action::DeleteNetworkAcl { .. }));
    }
    figures.calls = calls;
    for safety in safety {
        let why = match safety {
            StepSafety::Safe => continue,
            StepSafety::Interrupts { why, .. } => why.clone(),
            StepSafety::Unproved { why } => format!("unproved: {why}"),
        };
        figures.interrupting = 1;
        figures.interrupted.insert(category(&why), 1);
    }
    if figures.equal == 1 {
        let bound = plan::lower_bound(&case.live, &case.goal(), baselines);
        if plan.steps.len() < bound {
            return failed(
                "fewer calls than the lower bound",
                format!("{} < {bound}", plan.steps.len()),
            );
        }
        if plan.steps.len() == bound {
            figures.at_lower_bound = 1;
        } else {
            figures.above_lower_bound = 1;
        }
    }
    Ok(())
}
