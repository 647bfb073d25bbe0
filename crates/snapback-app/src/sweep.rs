//! `sweep`: on a schedule, everything is read and compared; what no event told of goes to the guard.
//!
//! - Owns: the full comparison, what surrounds the resources included, recording of unreviewed
//!   resources, rechecks, the heartbeat.
//! - Takes: ports without [`crate::port::Actuate`], the policy.
//! - Gives: [`Sweep`]: what was found; commands in the guard's inbox.
//! - Must not: change EC2, decide what is taken back.

mod bring;
mod context;

use crate::assessment::{Assessment, assess_diff};
use crate::ledger::{self, Alert};
use crate::patience::{MISSED_GRACE, Pace, Retry, between};
use crate::port::{CallError, Command, Metric, RecheckReason, Scope, StoreError, Wanted};
use crate::rights::SweepPorts;
use snapback_engine::change::Own;
use snapback_engine::diff::{self, Difference, ResourceDiff};
use snapback_engine::execution::Limits;
use snapback_engine::finding::{Severity, Subject};
use snapback_engine::incident::{Cause, Notice, Outcome, Place, ResourceRecord, Story};
use snapback_engine::policy::Policy;
use snapback_engine::verdict::Experiment;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a sweep goes by.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The account's rules.
    pub policy: Policy,
    /// Who we are.
    pub own: Own,
    /// Limits of calls.
    pub limits: Limits,
    /// Names this run in records.
    pub holder: String,
    /// When the time of this invocation is over.
    pub deadline: Timestamp,
}

/// What a sweep found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Whether there was anything to compare with.
    pub captured: bool,
    /// Resources compared.
    pub compared: usize,
    /// Resources with differences that no event told of: the guard was asked to look.
    pub missed: BTreeSet<ResourceId>,
    /// Resources that no baseline knew: recorded and told.
    pub unreviewed: BTreeSet<ResourceId>,
    /// Subjects whose surroundings changed, told now or before.
    pub context: BTreeSet<Subject>,
    /// Resources whose breaker may close: the guard was asked to judge them afresh.
    pub calm: BTreeSet<ResourceId>,
    /// Open stories that nobody holds: the guard was asked to go on.
    pub unfinished: BTreeSet<ResourceId>,
}

/// Why a sweep did not end. No heartbeat was sent; the next one starts afresh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// EC2 or the inbox did not do it.
    #[error("{0}; the next sweep tries again")]
    Call(#[from] CallError),
    /// The store did not do it.
    #[error("{0}; the next sweep tries again")]
    Store(#[from] StoreError),
}

struct Run<'a, P> {
    ports: &'a P,
    terms: &'a Terms,
    began: Timestamp,
}

struct Everything {
    baselines: Baselines,
    live: Snapshot,
}

/// One difference that may need somebody.
struct Candidate {
    diff: ResourceDiff,
    assessment: Assessment,
    record: ResourceRecord,
    /// Its breaker is open, and the other side was quiet for long enough.
    calm: bool,
}

/// Sweeps the account and Region once.
///
/// # Errors
/// [`SweepError`]: nothing is lost, the next sweep starts afresh; a denied read was told.
pub async fn run<P: SweepPorts>(ports: &P, terms: &Terms) -> Result<Sweep, SweepError> {
    let run = Run {
        ports,
        terms,
        began: ports.now(),
    };
    let mut sweep = Sweep::default();
    let Some(mut all) = run.read().await? else {
        run.uncaptured().await?;
        return Ok(sweep);
    };
    sweep.captured = true;
    sweep.compared = all.live.resources.len();
    let mut candidates = run.candidates(&all).await?;
    if !candidates.is_empty() && run.time_fits() {
        // Events of what was just done are still on their way: only what stays is missed, and two
        // reads agree on it.
        ports.sleep(MISSED_GRACE).await;
        if let Some(again) = run.read().await? {
            all = again;
            let before: BTreeSet<ResourceId> = ids(&candidates);
            candidates = run.candidates(&all).await?;
            candidates.retain(|candidate| before.contains(&candidate.diff.resource));
        }
    }
    // Before the guard is asked: it judges by what was seen.
    let seen = run.seen(&all).await;
    for candidate in candidates {
        run.handle(&all, candidate, &mut sweep).await?;
    }
    run.context(&all, &mut sweep).await?;
    run.unfinished(&mut sweep).await?;
    // Decisions would go by an old context and nobody would know: without it the sweep did not end.
    seen?;
    ports.measure(Metric::Heartbeat, 1.0);
    tracing::info!(
        compared = sweep.compared,
        missed = sweep.missed.len(),
        unreviewed = sweep.unreviewed.len(),
        context = sweep.context.len(),
        unfinished = sweep.unfinished.len(),
        "swept"
    );
    Ok(sweep)
}

fn ids(candidates: &[Candidate]) -> BTreeSet<ResourceId> {
    candidates
        .iter()
        .map(|candidate| candidate.diff.resource.clone())
        .collect()
}

impl<P: SweepPorts> Run<'_, P> {
    fn pace(&self) -> Pace<'_, P> {
        Pace {
            clock: self.ports,
            limits: &self.terms.limits,
            deadline: self.terms.deadline,
            seed: &self.terms.holder,
        }
    }

    fn time_fits(&self) -> bool {
        let left = between(self.ports.now(), self.terms.deadline);
        left > MISSED_GRACE.saturating_add(self.terms.limits.reserve.saturating_mul(4))
    }

    async fn read(&self) -> Result<Option<Everything>, SweepError> {
        let wanted = Wanted {
            everything: true,
            ..Wanted::default()
        };
        let pace = self.pace();
        let (baselines, live) = tokio::join!(
            pace.retried(|| self.ports.baselines(&wanted)),
            pace.retried(|| self.ports.observe(&Scope::Everything))
        );
        let live = match live {
            Ok(live) => live,
            Err(error) => {
                if !error.is_transient() {
                    self.blind(&error).await?;
                }
                return Err(error.into());
            }
        };
        Ok(baselines?.map(|baselines| Everything { baselines, live }))
    }

    /// Resources with differences that nobody works on and that people were not told of.
    async fn candidates(&self, all: &Everything) -> Result<Vec<Candidate>, SweepError> {
        let mut candidates = Vec::new();
        for diff in diff::diff(&all.baselines, &all.live, None) {
            let assess = |running: &BTreeMap<Element, Experiment>| {
                let Everything { baselines, live } = all;
                assess_diff(baselines, live, &diff, None, &self.terms.policy, running)
            };
            let mut assessment = assess(&BTreeMap::new());
            if assessment.tellable().is_empty() {
                continue;
            }
            let pace = self.pace();
            let record = pace.retried(|| self.ports.record(&diff.resource)).await?;
            if !record.experiments.is_empty() {
                assessment = assess(&record.experiments);
                if assessment.tellable().is_empty() {
                    continue;
                }
            }
            let told = assessment.is_known_by(&record.told);
            let now = self.ports.now();
            let calm = record
                .fight
                .as_ref()
                .is_some_and(|fight| fight.is_over(&self.terms.policy.breaker, now));
            let waits = record.waits_until.is_some_and(|until| until > now);
            // A story in work tells by itself; one that nobody holds is picked up as unfinished. What
            // waits for quiet has its message on its way.
            if record.open.is_some() || waits || (told && !calm && !is_unreviewed(&diff)) {
                continue;
            }
            // Perhaps made again by a story in work, whose baselines follow at its end.
            if is_unreviewed(&diff)
                && ledger::maker_of(&pace, self.ports, diff.resource.kind())
                    .await?
                    .is_some()
            {
                continue;
            }
            candidates.push(Candidate {
                diff,
                assessment,
                record,
                calm,
            });
        }
        Ok(candidates)
    }

    async fn handle(
        &self,
        all: &Everything,
        candidate: Candidate,
        sweep: &mut Sweep,
    ) -> Result<(), SweepError> {
        let resource = candidate.diff.resource.clone();
        if is_unreviewed(&candidate.diff) {
            self.record_unreviewed(all, &candidate).await?;
            sweep.unreviewed.insert(resource);
            return Ok(());
        }
        if candidate.calm {
            self.ask(resource.clone(), RecheckReason::Calm).await?;
            sweep.calm.insert(resource);
            return Ok(());
        }
        tracing::warn!(%resource, "drift that no event told of");
        // What was before the good state, or before our own last write, is settled.
        let baseline = all.baselines.by_id.get(&resource);
        let good_since = baseline
            .map(|baseline| baseline.provenance.at)
            .max(candidate.record.last_write);
        // A later accepted change does not settle a tag, nor does a write of ours: no event told of it.
        let tags = |difference: &Difference| matches!(difference, Difference::Tag { .. });
        let good_since = match candidate.diff.differences.iter().any(tags) {
            true => baseline.and_then(Baseline::known_since),
            false => good_since,
        };
        let lookups = sweep.missed.len();
        // Whether it is an experiment, only the calls of AWS FIS tell.
        if let Some(holder) = self.maybe_experiment(all, &candidate.diff) {
            self.bring(&holder, good_since, lookups).await?;
        }
        if !self.bring(&resource, good_since, lookups).await? {
            self.ask(resource.clone(), RecheckReason::Missed).await?;
        }
        self.ports.measure(Metric::MissedEvents, 1.0);
        sweep.missed.insert(resource);
        Ok(())
    }

    async fn ask(&self, resource: ResourceId, why: RecheckReason) -> Result<(), SweepError> {
        let command = Command::Recheck {
            resource,
            why,
            asked_at: self.ports.now(),
        };
        let pace = self.pace();
        pace.retried(|| self.ports.send(&command, Duration::ZERO))
            .await?;
        Ok(())
    }

    /// Tells of a resource without baseline, then records it, so that a crash between tells again.
    async fn record_unreviewed(
        &self,
        all: &Everything,
        candidate: &Candidate,
    ) -> Result<(), SweepError> {
        let resource = &candidate.diff.resource;
        if candidate.assessment.has_news(&candidate.record.told) {
            let told = candidate.assessment.tellable();
            let record = &candidate.record;
            let story = Story::new(
                record.next_incident(),
                resource.clone(),
                Cause::Missed,
                None,
                self.began,
            );
            let place = Place {
                vpc: candidate.diff.vpc.clone(),
                account: self.terms.own.account.clone(),
                region: self.terms.own.region.clone(),
            };
            let alert = Alert {
                record,
                holder: &self.terms.holder,
                story,
                place: &place,
                assessment: &candidate.assessment,
                plan: None,
                outcome: Outcome::Alerted,
                told,
                account: None,
            };
            match ledger::alert(&self.pace(), self.ports, alert).await {
                Ok(_) => {}
                // The guard is at it: the next sweep looks again.
                Err(StoreError::Conflict { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        let Some(state) = all.live.resources.get(resource) else {
            return Ok(());
        };
        // What stands in for another is to go again: it becomes nobody's good state.
        if Temporary::of(state).is_some() {
            return Ok(());
        }
        let before = all.baselines.by_id.get(resource);
        let baseline = Baseline {
            schema: BASELINE_SCHEMA,
            id: resource.clone(),
            vpc: state.vpc().cloned(),
            state: Some(state.clone()),
            handles: all.live.handles.of(resource),
            generation: before.map_or(Generation(1), |before| before.generation.next()),
            parent: before.map(Baseline::digest),
            provenance: Provenance {
                origin: Origin::Unreviewed,
                by: "sweep".into(),
                why: "found without a baseline".into(),
                at: all.live.observed_at,
                event: None,
            },
            marks: before.map_or_else(BTreeMap::new, |before| before.marks.clone()),
            predecessor: before.and_then(|before| before.predecessor.clone()),
            successor: None,
        };
        let pace = self.pace();
        match pace
            .retried(|| self.ports.put_baselines(std::slice::from_ref(&baseline)))
            .await
        {
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks the guard to go on with stories whose holder is gone.
    async fn unfinished(&self, sweep: &mut Sweep) -> Result<(), SweepError> {
        let pace = self.pace();
        let open = pace.retried(|| self.ports.unfinished()).await?;
        let now = self.ports.now();
        for record in open {
            let skew = self.terms.limits.skew;
            if !record.is_held_against(&self.terms.holder, now, skew) {
                self.ask(record.resource.clone(), RecheckReason::Unfinished)
                    .await?;
                sweep.unfinished.insert(record.resource);
            }
        }
        Ok(())
    }

    /// Tells, once a day, that the account cannot be read.
    async fn blind(&self, error: &CallError) -> Result<(), SweepError> {
        let own = &self.terms.own;
        let notice = Notice {
            outcome: Outcome::Blind,
            severity: Severity::High,
            mode: self.terms.policy.mode,
            cause: Cause::Asked("the scheduled sweep".into()),
            change: None,
            resource: None,
            label: "the sweep".into(),
            findings: Vec::new(),
            problems: vec![error.to_string()],
            steps: Vec::new(),
            next: vec![format!(
                "Give the sweep's role the right to call {} ({}).",
                error.operation, error.code
            )],
            account: own.account.clone(),
            region: own.region.clone(),
            arrived_at: self.began,
        };
        let matter = (
            "sweep",
            &error.operation,
            &error.code,
            ledger::day(self.ports.now()),
        );
        ledger::notice(&self.pace(), self.ports, &matter, notice).await?;
        Ok(())
    }

    async fn uncaptured(&self) -> Result<(), SweepError> {
        let own = &self.terms.own;
        let notice = ledger::uncaptured(own, self.terms.policy.mode, self.began);
        let matter = ledger::uncaptured_matter(own);
        ledger::notice(&self.pace(), self.ports, &matter, notice).await?;
        Ok(())
    }
}

fn is_unreviewed(diff: &ResourceDiff) -> bool {
    diff.differences
        .iter()
        .any(|difference| matches!(difference, Difference::Unreviewed { .. }))
}
