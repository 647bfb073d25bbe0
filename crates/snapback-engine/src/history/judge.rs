//! Each second of each resource judged by the stages diff, finding and verdict.

use super::told::Atom;
use super::{Harmful, Outcome, Past, Reason, Retold, Step, View};
use crate::change::Edits;
use crate::diff::{self, Delta, Difference, ResourceDiff, Side};
use crate::finding::{self, Finding, FindingCode};
use crate::impact;
use crate::policy::{Mode, Policy};
use crate::verdict::{self, Judgement, Verdict};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// Judges every step.
pub(super) fn judge(
    past: &Past,
    steps: &[Step],
    live: Option<&Snapshot>,
    policy: &Policy,
) -> Vec<Retold> {
    let mut court = Court::new(past, steps, live, policy);
    let mut first = 0_usize;
    for group in steps.chunk_by(|one, other| one.second() == other.second()) {
        let range = first..first.saturating_add(group.len());
        first = range.end;
        let resources: BTreeSet<ResourceId> =
            range.flat_map(|step| past.edited(step).cloned()).collect();
        let Some(second) = group.first().map(Step::second) else {
            continue;
        };
        for id in resources {
            court.hear(&id, second);
        }
    }
    court.told
}

/// Context whose absence today is taken for absence then: else nothing would ever be said to be
/// out of reach. Interfaces only for groups that still exist ([`Court::show_interfaces`]).
const TODAY: [ContextKind; 4] = [
    ContextKind::Vpcs,
    ContextKind::Subnets,
    ContextKind::Interfaces,
    ContextKind::BlockPublicAccess,
];

/// What all judgements are made from.
struct Court<'a> {
    past: &'a Past,
    steps: &'a [Step],
    policy: &'a Policy,
    /// ACLs and tables by VPC: where a subnet belongs is known only from all of them.
    neighbours: BTreeMap<(Kind, VpcId), BTreeSet<ResourceId>>,
    baselines: Baselines,
    live: Snapshot,
    /// What exists today.
    today: BTreeSet<ResourceId>,
    /// The interfaces that are not shown, of the baselines' topology and of live's.
    hidden: [BTreeMap<NetworkInterfaceId, NetworkInterface>; 2],
    shows_interfaces: bool,
    reads_interfaces: bool,
    told: Vec<Retold>,
}

/// One resource in one second.
struct Case {
    id: ResourceId,
    second: i64,
    before: View,
    after: View,
    /// Why not all of both is known.
    gap: Option<Reason>,
}

impl<'a> Court<'a> {
    fn new(past: &'a Past, steps: &'a [Step], live: Option<&Snapshot>, policy: &'a Policy) -> Self {
        let mut topology = live.map(|live| live.topology.clone()).unwrap_or_default();
        // What is dead today may have been alive then, and what is not there may have been.
        topology.gateways.retain(|_, gateway| {
            let state = gateway.state.as_deref().unwrap_or("available");
            matches!(state, "available" | "active" | "attached" | "pending")
        });
        topology.read.retain(|kind| TODAY.contains(kind));
        let mut neighbours: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (id, shell) in &past.shells {
            if let (Kind::NetworkAcl | Kind::RouteTable, Some(vpc)) = (id.kind(), shell.vpc()) {
                let of_vpc = neighbours.entry((id.kind(), vpc.clone()));
                of_vpc.or_default().insert(id.clone());
            }
        }
        let told = steps
            .iter()
            .enumerate()
            .map(|(index, step)| first_word(past, index, step, policy))
            .collect();
        Self {
            past,
            steps,
            policy,
            neighbours,
            baselines: Baselines {
                by_id: BTreeMap::new(),
                topology: topology.clone(),
                seen: None,
            },
            reads_interfaces: topology.read.contains(&ContextKind::Interfaces),
            live: Snapshot {
                topology,
                ..Snapshot::empty(Timestamp::default())
            },
            today: live
                .map(|live| live.resources.keys().cloned().collect())
                .unwrap_or_default(),
            hidden: Default::default(),
            shows_interfaces: true,
            told,
        }
    }

    /// Who carried a group that is gone, nothing tells: its interfaces are not read, rather than none.
    fn show_interfaces(&mut self, shown: bool) {
        if shown == self.shows_interfaces {
            return;
        }
        self.shows_interfaces = shown;
        let topologies = [&mut self.baselines.topology, &mut self.live.topology];
        for (topology, hidden) in topologies.into_iter().zip(&mut self.hidden) {
            std::mem::swap(&mut topology.interfaces, hidden);
            match shown && self.reads_interfaces {
                true => topology.read.insert(ContextKind::Interfaces),
                false => topology.read.remove(&ContextKind::Interfaces),
            };
        }
    }

    fn trusts(&self, step: usize) -> bool {
        self.steps
            .get(step)
            .is_some_and(|step| self.policy.accepts(&step.change))
    }

    fn note(&mut self, step: usize, outcome: Outcome) {
        let outcome = match self.trusts(step) {
            true => Outcome::Accepted,
            false => outcome,
        };
        if let Some(told) = self.told.get_mut(step) {
            told.outcome = told.outcome.max(outcome);
        }
    }

    /// The steps to which a difference goes back.
    fn owners(&self, case: &Case, element: &Element) -> BTreeSet<usize> {
        let atom = match element {
            Element::Subnet(subnet) => Atom::Holder(case.id.kind(), subnet.clone()),
            Element::Main => match self.past.shells.get(&case.id).and_then(Resource::vpc) {
                Some(vpc) => Atom::Main(vpc.clone()),
                None => return BTreeSet::new(),
            },
            Element::Existence => Atom::Existence(case.id.clone()),
            element => Atom::Part(case.id.clone(), element.clone()),
        };
        self.past.speakers(&atom, case.second).collect()
    }

    fn hear(&mut self, id: &ResourceId, second: i64) {
        let before = self.past.view(id, second, true);
        let after = self.past.view(id, second.saturating_add(1), true);
        let case = Case {
            gap: before.gap().or(after.gap()),
            id: id.clone(),
            second,
            before,
            after,
        };
        let lost = self.unknown_parts(&case);
        self.set_scene(&case);
        let only = BTreeSet::from([id.clone()]);
        let diffs = diff::diff(&self.baselines, &self.live, Some(&only));
        let Some(diff) = diffs.into_iter().next() else {
            return;
        };
        let found = self.findings(&diff);
        self.accept(&case, &diff);
        let judgements = self.judge_untrusted(&case, &only);
        for difference in &diff.differences {
            let element = difference.element();
            if lost.contains(&element) {
                continue;
            }
            let judgement = judgements
                .iter()
                .find(|judgement| judgement.difference.element() == element);
            self.pronounce(&case, difference, judgement, &found);
        }
    }

    fn findings(&self, diff: &ResourceDiff) -> Vec<Finding> {
        let impact = impact::impact(&self.baselines, &self.live, diff);
        finding::assess(&self.baselines, &self.live, diff, &impact)
    }

    /// The parts that the second touches and that are not known before or after it.
    fn unknown_parts(&mut self, case: &Case) -> BTreeSet<Element> {
        let mut lost = BTreeSet::new();
        let elements: BTreeSet<Element> = case
            .before
            .parts
            .keys()
            .chain(case.after.parts.keys())
            .cloned()
            .collect();
        for element in elements {
            let told = |view: &View| view.parts.get(&element).copied().unwrap_or(Ok(false));
            let Some(reason) = told(&case.before).err().or(told(&case.after).err()) else {
                continue;
            };
            for step in self.owners(case, &element) {
                // What an event says of everything by naming nothing is told by its own reason.
                if self.past.edited(step).any(|edited| *edited == case.id)
                    && !self.past.is_unexplained(step)
                {
                    self.note(step, Outcome::NotKnown(reason));
                }
            }
            lost.insert(element);
        }
        lost
    }

    /// Before and after, with everything that may hold the same subnets.
    fn set_scene(&mut self, case: &Case) {
        self.show_interfaces(self.today.contains(&case.id));
        let mut ids = BTreeSet::from([case.id.clone()]);
        let shell = self.past.shells.get(&case.id);
        if let Some(vpc) = shell.and_then(Resource::vpc) {
            let key = (case.id.kind(), vpc.clone());
            ids.extend(self.neighbours.get(&key).into_iter().flatten().cloned());
        }
        self.baselines.by_id.clear();
        self.live.resources.clear();
        self.live.coverage.clear();
        // An exception of the policy holds or not at the time of the change.
        self.live.observed_at = Timestamp::from_second(case.second).unwrap_or_default();
        for id in ids {
            let (before, after) = match id == case.id {
                true => (case.before.state.clone(), case.after.state.clone()),
                false => {
                    let next = case.second.saturating_add(1);
                    let state = |second| self.past.view(&id, second, true).state;
                    (state(case.second), state(next))
                }
            };
            if let Some(state) = before {
                let baseline = baseline(state, self.live.observed_at);
                self.baselines.by_id.insert(id.clone(), baseline);
            }
            if let Some(state) = after {
                self.live.resources.insert(id.clone(), state);
            }
            self.live.coverage.insert(Coverage::Resource(id));
        }
    }

    /// Folds what trusted principals did into the baselines, as the guard does before it diffs.
    fn accept(&mut self, case: &Case, diff: &ResourceDiff) {
        for difference in &diff.differences {
            let owners = self.owners(case, &difference.element());
            if owners.is_empty() || !owners.iter().all(|step| self.trusts(*step)) {
                continue;
            }
            match difference {
                Difference::Deleted { .. } => {
                    self.baselines.by_id.remove(&case.id);
                }
                Difference::Unreviewed { found } => {
                    let baseline = baseline(Resource::clone(found), self.live.observed_at);
                    self.baselines.by_id.insert(case.id.clone(), baseline);
                }
                Difference::Association { .. } | Difference::Main { .. } => {
                    for baseline in self.baselines.by_id.values_mut() {
                        if let Some(state) = &mut baseline.state {
                            difference.apply(state, Side::Live);
                        }
                    }
                }
                difference => {
                    let baseline = self.baselines.by_id.get_mut(&case.id);
                    if let Some(state) = baseline.and_then(|baseline| baseline.state.as_mut()) {
                        difference.apply(state, Side::Live);
                    }
                }
            }
        }
    }

    fn judge_untrusted(&self, case: &Case, only: &BTreeSet<ResourceId>) -> Vec<Judgement> {
        let diffs = diff::diff(&self.baselines, &self.live, Some(only));
        let Some(diff) = diffs.into_iter().next() else {
            return Vec::new();
        };
        let strangers = self
            .past
            .speakers(&Atom::Existence(case.id.clone()), case.second)
            .find(|step| !self.trusts(*step));
        let change = strangers
            .and_then(|step| self.steps.get(step))
            .map(|step| &step.change);
        let findings = self.findings(&diff);
        let decision = verdict::decide(
            &diff,
            &findings,
            &self.baselines,
            &self.live,
            change,
            self.policy,
        );
        decision.judgements
    }

    /// One difference goes to the steps that made it.
    fn pronounce(
        &mut self,
        case: &Case,
        difference: &Difference,
        judgement: Option<&Judgement>,
        found: &[Finding],
    ) {
        let element = difference.element();
        let owners = self.owners(case, &element);
        let outcome = match judgement {
            None => Outcome::Accepted,
            Some(judgement) => self.outcome(case, judgement),
        };
        let known = !matches!(outcome, Outcome::NotKnown(_));
        let own = found
            .iter()
            .filter(|finding| {
                known && finding.subject.resource() == Some(&case.id) && finding.element == element
            })
            .map(|finding| Harmful {
                code: finding.code,
                severity: finding.severity,
                harm: finding.harm,
            });
        let findings: Vec<Harmful> = own.collect();
        for step in owners {
            self.note(step, outcome);
            let trusted = self.trusts(step);
            let Some(told) = self.told.get_mut(step) else {
                continue;
            };
            told.findings.extend(findings.iter().cloned());
            told.whole &= case.gap.is_none();
            told.assumed |= case.before.assumed || case.after.assumed;
            if matches!(outcome, Outcome::Reverted | Outcome::Alerted) && !trusted {
                told.lines
                    .push(format!("{}: {}", case.id, difference.describe()));
            }
        }
    }

    fn outcome(&self, case: &Case, judgement: &Judgement) -> Outcome {
        let by_tag = |kind| {
            kind == Kind::RouteTable
                && self
                    .policy
                    .allowed_targets
                    .iter()
                    .any(|allowed| allowed.tag.is_some())
        };
        let untold = |view: &View| {
            (by_tag(case.id.kind()) && !view.has_tags)
                || (!self.policy.vpcs.is_empty() && !view.has_vpc)
                || (self.policy.opt_out.is_some() && !view.has_tags)
        };
        if untold(&case.before) {
            return Outcome::NotKnown(Reason::ScopeUntold);
        }
        if let Some(reason) = case.gap
            && !self.is_proved(case, judgement)
        {
            return Outcome::NotKnown(reason);
        }
        match judgement.verdict {
            Verdict::Accept => Outcome::Accepted,
            Verdict::Ignore => Outcome::Ignored,
            Verdict::Alert => Outcome::Alerted,
            Verdict::Revert => Outcome::Reverted,
        }
    }

    /// Whether the event alone proves the verdict, whatever else was there. A rule that is added
    /// opens what it says; a resource that came or went is told in any case; in `strict` every
    /// difference is taken back; a new default route to an internet gateway is one wherever it stands.
    fn is_proved(&self, case: &Case, judgement: &Judgement) -> bool {
        let mode = self.policy.mode_of(case.id.kind());
        match &judgement.difference {
            Difference::Rule {
                delta: Delta::Added(_),
                ..
            }
            | Difference::Deleted { .. }
            | Difference::Unreviewed { .. } => true,
            Difference::Route {
                destination,
                delta: Delta::Added(_),
            } if destination.is_default() => {
                mode == Mode::Strict
                    || judgement
                        .findings
                        .iter()
                        .any(|finding| finding.code == FindingCode::RtIgwPrivate)
            }
            _ => mode == Mode::Strict && judgement.verdict == Verdict::Revert,
        }
    }
}

fn baseline(state: Resource, at: Timestamp) -> Baseline {
    Baseline {
        schema: BASELINE_SCHEMA,
        id: state.id(),
        vpc: state.vpc().cloned(),
        handles: Handles::default(),
        generation: Generation::default().next(),
        parent: None,
        provenance: Provenance {
            origin: Origin::Captured,
            by: "history".into(),
            why: "the state before the change".into(),
            at,
            event: None,
        },
        marks: BTreeMap::new(),
        predecessor: None,
        successor: None,
        state: Some(state),
    }
}

/// What the step's own word gives before any state is looked at.
fn first_word(past: &Past, index: usize, step: &Step, policy: &Policy) -> Retold {
    let trusted = policy.accepts(&step.change);
    let outcome = match &step.change.edits {
        Edits::Context => Outcome::Context,
        // What is not told is never folded in: it is alerted.
        Edits::Unknown { .. } if trusted => Outcome::Alerted,
        Edits::Unknown { .. } => Outcome::NotKnown(Reason::EditsUntold),
        Edits::Known(_) if trusted => Outcome::Accepted,
        Edits::Known(_) if past.is_unexplained(index) => Outcome::NotKnown(Reason::IdUnexplained),
        Edits::Known(_) => Outcome::Nothing,
    };
    Retold {
        step: index,
        outcome,
        resources: past.edited(index).cloned().collect(),
        findings: BTreeSet::new(),
        lines: Vec::new(),
        whole: true,
        assumed: false,
    }
}
