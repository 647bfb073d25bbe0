//! What must be true of a plan.

use super::figures::Figures;
use super::packets::{Packets, groups_permit};
use super::world::{Case, VPC};
use fastrand::Rng;
use snapback_engine::execution::{Verification, verify};
use snapback_engine::plan::{self, Action, Note, Plan, Readiness, StepSafety};
use snapback_model::*;
use snapback_reach::naive;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

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
    let plan = plan::plan(&case.live, &goal, &baselines);
    let safety = plan::safety(&case.live, &plan);
    let states = folded(case, &plan)?;
    let Some(end) = states.last() else {
        return failed("fold", "no state");
    };
    let mut figures = Figures {
        cases: 1,
        ..Figures::default()
    };
    the_end(case, &plan, end, &baselines, &mut figures)?;
    nothing_else(case, &plan, end)?;
    notes_are_whole(&plan, &safety)?;
    let mut rng = Rng::with_seed(case.live.resources.len() as u64);
    let packets = Packets::of(&[&case.live, &case.good], &mut rng);
    for (index, state) in states.iter().enumerate().skip(1) {
        let Some(StepSafety::Safe) = safety.get(index - 1) else {
            continue;
        };
        let scene = Prefix {
            case,
            plan: &plan,
            state,
            end,
        };
        let was_safe = index < 2 || safety.get(index - 2) == Some(&StepSafety::Safe);
        let touched = was_safe.then(|| plan.steps[index - 1].resource.kind());
        let judged = scene.hold(touched, &packets, &mut figures.packets);
        if let Err(words) = judged {
            let step = &plan.steps[index - 1];
            return failed(
                "a step called safe is not",
                format!("after step {index}, {}: {words}", step.action.describe()),
            );
        }
    }
    count(case, &plan, &safety, &baselines, &mut figures)?;
    Ok(figures)
}

/// Live and the state after each step; every step must find what it expects and fit the quotas.
fn folded(case: &Case, plan: &Plan) -> Result<Vec<Snapshot>, Failure> {
    let mut states = vec![case.live.clone()];
    for (index, step) in plan.steps.iter().enumerate() {
        let mut state = states[index].clone();
        let words = step.action.describe();
        let readiness = plan::readiness(&step.action, &state);
        if readiness != Readiness::Ready {
            return failed(
                "a step does not find what it expects",
                format!("step {}: {words}: {readiness:?}", index + 1),
            );
        }
        if let Err(why) = plan::apply(&step.action, &mut state) {
            return failed(
                "a step would be refused",
                format!("step {}: {words}: {why}", index + 1),
            );
        }
        if plan::readiness(&step.action, &state) != Readiness::AlreadyInPlace
            && step.action.makes().is_none()
        {
            return failed(
                "a step made is not in place",
                format!("step {}: {words}", index + 1),
            );
        }
        if let Some(over) = over_quota(case, &state) {
            return failed(
                "a quota is exceeded",
                format!("after step {}: {words}: {over}", index + 1),
            );
        }
        states.push(state);
    }
    Ok(states)
}

/// More entries or rules than the quota, unless an end had as many.
fn over_quota(case: &Case, state: &Snapshot) -> Option<String> {
    let sizes = |resource: Option<&Resource>| -> [usize; 2] {
        let of = |direction: Direction| match resource {
            Some(Resource::SecurityGroup(group)) => group
                .rules
                .keys()
                .filter(|key| key.direction == direction && matches!(key.peer, Peer::Ipv4(_)))
                .count(),
            Some(Resource::NetworkAcl(acl)) => acl
                .entries
                .keys()
                .filter(|key| key.direction == direction)
                .count(),
            _ => 0,
        };
        DIRECTIONS.map(of)
    };
    state.resources.iter().find_map(|(id, resource)| {
        let quota = match id.kind() {
            Kind::SecurityGroup => 60,
            Kind::NetworkAcl => 20,
            Kind::RouteTable => return None,
        };
        let ends = [
            sizes(case.live.resources.get(id)),
            sizes(case.good.resources.get(id)),
        ];
        let now = sizes(Some(resource));
        (0..2)
            .any(|side| now[side] > quota.max(ends[0][side]).max(ends[1][side]))
            .then(|| format!("{id} holds {now:?}"))
    })
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
    let again = plan::plan(end, &plan.goal, baselines);
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
            Note::Needs { what, needs, .. } => {
                needed(case, needs)?;
                format!("{what}; needs {needs}")
            }
            Note::Interrupts { .. } => continue,
        };
        *figures.undone.entry(category(&words)).or_default() += 1;
    }
    Ok(())
}

/// What a note says to be needed first is really not there.
fn needed(case: &Case, needs: &str) -> Result<(), Failure> {
    let id = needs.split(' ').next().unwrap_or_default();
    if !needs.ends_with(" again") {
        // About the main table: a plan for all tables shows whether it is true.
        return Ok(());
    }
    let topology = &case.live.topology;
    let missing = match topology.gateways.get(id) {
        Some(gateway) => {
            gateway.state.as_deref() == Some("deleted") || !gateway.vpcs.contains(&VpcId::from(VPC))
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

/// The state after a step, to be held against both ends.
struct Prefix<'a> {
    case: &'a Case,
    plan: &'a Plan,
    state: &'a Snapshot,
    end: &'a Snapshot,
}

impl<'s> Prefix<'s> {
    /// What the step touched; everything where the state before it was not safe.
    fn hold(
        &self,
        touched: Option<Kind>,
        packets: &Packets,
        judged: &mut u64,
    ) -> Result<(), String> {
        let looks = |kind: Kind| touched.is_none_or(|touched| touched == kind);
        if looks(Kind::SecurityGroup) {
            self.groups(packets, judged)?;
        }
        if looks(Kind::NetworkAcl) {
            self.acls(packets, judged)?;
        }
        if looks(Kind::RouteTable) {
            self.routes(packets, judged)?;
        }
        Ok(())
    }

    fn wanted(&self, id: &ResourceId) -> Option<&'s Resource> {
        self.plan
            .goal
            .get(id)
            .or_else(|| self.case.live.resources.get(id))
    }

    /// Each group, and the groups of each interface together.
    fn groups(&self, packets: &Packets, judged: &mut u64) -> Result<(), String> {
        let live = &self.case.live;
        let ids = live
            .resources
            .keys()
            .filter(|id| id.kind() == Kind::SecurityGroup);
        let alone = ids.map(|id| (id.to_string(), vec![id.clone()]));
        let carried = live.topology.interfaces.values().map(|interface| {
            let groups = interface
                .groups
                .iter()
                .map(|id| ResourceId::from(id.clone()));
            (interface.id.to_string(), groups.collect())
        });
        for (who, groups) in alone.chain(carried) {
            let of = |state: &dyn Fn(&ResourceId) -> Option<&'s Resource>| -> Vec<&'s Resource> {
                groups.iter().filter_map(state).collect()
            };
            let held = [
                of(&|id| self.state.resources.get(id)),
                of(&|id| live.resources.get(id)),
                of(&|id| self.wanted(id)),
            ];
            for (direction, flow) in DIRECTIONS
                .iter()
                .flat_map(|direction| packets.flows.iter().map(move |flow| (*direction, flow)))
            {
                let [now, before, after] = held.each_ref().map(|held| {
                    groups_permit(held.iter().copied(), direction, &live.topology, flow)
                });
                let ends = [before, after];
                *judged += 1;
                judge(now, ends, || format!("{who} {direction} {flow:?}"))?;
            }
        }
        Ok(())
    }

    /// Each subnet by the ACL that holds it.
    fn acls(&self, packets: &Packets, judged: &mut u64) -> Result<(), String> {
        let live = &self.case.live;
        for subnet in live.topology.subnets.keys() {
            let holds = |resource: &&Resource| matches!(resource, Resource::NetworkAcl(acl) if acl.subnets.contains(subnet));
            let now = self.state.resources.values().find(holds);
            let before = live.resources.values().find(holds);
            let after = self
                .plan
                .goal
                .values()
                .find(holds)
                .or_else(|| before.and_then(|acl| self.wanted(&acl.id())));
            let (
                Some(Resource::NetworkAcl(now)),
                Some(Resource::NetworkAcl(before)),
                Some(Resource::NetworkAcl(after)),
            ) = (now, before, after)
            else {
                return Err(format!("{subnet} is in no ACL"));
            };
            for (direction, flow) in DIRECTIONS
                .iter()
                .flat_map(|direction| packets.flows.iter().map(move |flow| (*direction, flow)))
            {
                let [now, before, after] =
                    [now, before, after].map(|acl| naive::permits_acl(acl, direction, flow));
                *judged += 1;
                judge(now, [before, after], || {
                    format!("{subnet} {direction} {flow:?}")
                })?;
            }
        }
        Ok(())
    }

    /// Each subnet, each gateway, and who is on the main table, by the table that leads them.
    fn routes(&self, packets: &Packets, judged: &mut u64) -> Result<(), String> {
        let live = &self.case.live;
        let main = |state: &Snapshot| state.main_table_of(&VpcId::from(VPC)).cloned();
        let edge = |state: &Snapshot, gateway: &GatewayId| {
            state
                .resources
                .values()
                .find_map(|resource| match resource {
                    Resource::RouteTable(table) if table.gateways.contains(gateway) => {
                        Some(table.id.clone())
                    }
                    _ => None,
                })
        };
        type Place<'p> = (String, Box<dyn Fn(&Snapshot) -> Option<RouteTableId> + 'p>);
        let subnets = live.topology.subnets.keys().map(|subnet| -> Place<'_> {
            (
                subnet.to_string(),
                Box::new(move |state: &Snapshot| {
                    state
                        .explicit_table_of(subnet)
                        .cloned()
                        .or_else(|| main(state))
                }),
            )
        });
        let gateways: Vec<GatewayId> = vec!["igw-1".into(), "vgw-1".into()];
        let edges = gateways.iter().map(|gateway| -> Place<'_> {
            (
                gateway.to_string(),
                Box::new(move |state: &Snapshot| edge(state, gateway)),
            )
        });
        let implicit: Place<'_> = ("the main table".to_owned(), Box::new(main));
        for (who, place) in subnets.chain(edges).chain([implicit]) {
            let tables = [self.state, live, self.end].map(|state| (state, place(state)));
            for address in &packets.addresses {
                let [now, before, after] = tables
                    .each_ref()
                    .map(|(state, table)| hop(state, table.as_ref(), *address, &live.topology));
                *judged += 1;
                if now != before && now != after {
                    return Err(format!(
                        "{who}: {address} is led to {now:?}, neither {before:?} nor {after:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn judge(now: bool, [before, after]: [bool; 2], who: impl Fn() -> String) -> Result<(), String> {
    match (before, after, now) {
        (true, true, false) => Err(format!("cut: {}", who())),
        (false, false, true) => Err(format!("opened: {}", who())),
        _ => Ok(()),
    }
}

fn hop(
    state: &Snapshot,
    table: Option<&RouteTableId>,
    address: IpAddr,
    topology: &Topology,
) -> Option<RouteTarget> {
    match state
        .resources
        .get(&ResourceId::RouteTable(table?.clone()))?
    {
        Resource::RouteTable(table) => naive::next_hop(table, topology, address),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
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
        *figures.interrupted_steps.entry(category(&why)).or_default() += 1;
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
