//! Restraint: counted again from the journal alone, not from the records that the flow goes by.

use super::{Bench, Invariant};
use snapback_engine::brake::{Controller, HOUR, TEN_MINUTES};
use snapback_engine::incident::{Body, Entry, Outcome, Report};
use snapback_engine::verdict::{Decision, Verdict};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Clocks differ by at most so much.
const SKEW_MAX: Duration = Duration::from_secs(5);
/// What a message may take where nothing goes wrong.
const DELIVERY: Duration = Duration::from_secs(180);
/// What it may take where much does: the queue's tries, and a sweep.
const TROUBLED: Duration = Duration::from_secs(5 * 360 + 600);

/// What a story set out to take back, and from whom.
#[derive(Default, Clone)]
struct Told {
    resource: Option<ResourceId>,
    by: Option<Controller>,
    reverts: BTreeMap<Element, Digest>,
    /// What it opened for. What comes again while it is in work it takes along: a story is one round.
    first: Option<BTreeMap<Element, Digest>>,
    begun: bool,
    asked: bool,
    /// Whether one process told all of it: only then its actor is surely the one that counts.
    whole: bool,
    opened: Timestamp,
    /// When its latest call began: that late it may still have taken back what came again meanwhile.
    wrote: Option<Timestamp>,
    calls: usize,
}

/// A story that took something back.
struct Undone {
    at: Timestamp,
    by: Option<Controller>,
    reverts: BTreeMap<Element, Digest>,
}

/// What is known of the past at one entry of the journal.
#[derive(Default)]
struct Past {
    stories: BTreeMap<IncidentId, Told>,
    reverts: BTreeMap<ResourceId, Vec<Timestamp>>,
    of_account: BTreeMap<ResourceId, Timestamp>,
    undone: BTreeMap<ResourceId, Vec<Undone>>,
    account: bool,
    braked: BTreeSet<ResourceId>,
    open: BTreeMap<ResourceId, Timestamp>,
    released: BTreeSet<ResourceId>,
}

fn age(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn surely(from: Timestamp, to: Timestamp, span: Duration) -> bool {
    age(from, to).saturating_add(SKEW_MAX) < span
}

fn perhaps(from: Timestamp, to: Timestamp, span: Duration) -> bool {
    age(from, to) < span.saturating_add(SKEW_MAX)
}

fn reverts(decision: &Decision) -> BTreeMap<Element, Digest> {
    let judgements = decision.judgements.iter();
    judgements
        .filter(|judgement| judgement.verdict == Verdict::Revert)
        .map(|judgement| (judgement.difference.element(), judgement.told()))
        .collect()
}

fn same(one: &BTreeMap<Element, Digest>, other: &BTreeMap<Element, Digest>) -> bool {
    one.iter()
        .any(|(element, digest)| other.get(element) == Some(digest))
}

fn is_breaker(report: &Report) -> bool {
    let says = |problem: &String| problem.contains("the breaker is open");
    report.problems.iter().any(says)
}

fn long(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Bench<'_> {
    pub(super) fn restraint(&mut self) {
        let journal = std::mem::take(&mut self.journal);
        let mut past = Past::default();
        for entry in &journal {
            match &entry.body {
                Body::Opened {
                    resource, change, ..
                } => {
                    let by = change.as_ref().map(|change| Controller::of(&change.actor));
                    let told = Told {
                        resource: Some(resource.clone()),
                        by,
                        whole: true,
                        opened: entry.at,
                        ..Told::default()
                    };
                    past.stories.insert(entry.incident.clone(), told);
                }
                Body::Closed { report } => self.ended(&mut past, entry, report),
                body => {
                    let told = past.stories.entry(entry.incident.clone()).or_default();
                    match body {
                        Body::Asked { .. } => told.asked = true,
                        Body::Decided { decision, .. } => {
                            let reverts = reverts(decision);
                            told.first.get_or_insert_with(|| reverts.clone());
                            // What a closer look leaves to a person was not taken back.
                            let left = decision.judgements.iter();
                            for left in left.map(|one| one.difference.element()) {
                                if !reverts.contains_key(&left) {
                                    told.reverts.remove(&left);
                                }
                            }
                            told.reverts.extend(reverts);
                        }
                        Body::Planned { plan } => told.calls = plan.steps.len(),
                        Body::Interrupted { .. } | Body::Waits { .. } => told.whole = false,
                        _ => {}
                    }
                    let starts = matches!(body, Body::StepStarted { .. });
                    if starts {
                        told.wrote = Some(entry.at);
                    }
                    if starts && !told.asked && !std::mem::replace(&mut told.begun, true) {
                        let told = told.clone();
                        self.begins(&mut past, entry, &told);
                    }
                }
            }
        }
        self.journal = journal;
        self.quiet();
    }

    /// A story begins to write.
    fn begins(&mut self, past: &mut Past, entry: &Entry, told: &Told) {
        let Some(resource) = &told.resource else {
            return;
        };
        self.looked.at("reverts within budgets");
        let (now, incident) = (entry.at, &entry.incident);
        let policy = &self.played.policy;
        let (budgets, breaker) = (policy.budgets, policy.breaker);
        let mut wrong = Vec::new();
        let earlier = past.reverts.entry(resource.clone()).or_default();
        let within = earlier.iter().filter(|at| surely(**at, now, HOUR)).count();
        if long(within) >= budgets.reverts_of_a_resource_an_hour.get() {
            wrong.push(format!("revert {within} + 1 of {resource} within an hour"));
        }
        earlier.push(now);
        let others = past.of_account.iter().filter(|(id, _)| *id != resource);
        let within = others.filter(|(_, at)| surely(**at, now, TEN_MINUTES));
        if long(within.count()) >= budgets.resources_reverted_in_ten_minutes.get() {
            wrong.push("one resource too many within ten minutes".to_owned());
        }
        past.of_account.insert(resource.clone(), now);
        if told.calls > budgets.calls_a_plan.get().try_into().unwrap_or(usize::MAX)
            && !past.released.contains(resource)
        {
            wrong.push(format!("a plan of {} calls", told.calls));
        }
        if past.account || past.braked.contains(resource) {
            wrong.push("a brake is on".to_owned());
        }
        let open = past.open.get(resource);
        if open.is_some_and(|at| surely(*at, now, breaker.quiet.duration())) {
            wrong.push("the breaker is open".to_owned());
        }
        past.open.remove(resource);
        let window = breaker.window.duration();
        let undone = past.undone.get(resource).into_iter().flatten();
        let fought = undone.filter(|before| {
            before.by.is_some()
                && before.by == told.by
                && surely(before.at, now, window)
                && told
                    .first
                    .as_ref()
                    .is_some_and(|first| same(&before.reverts, first))
        });
        let rounds = long(fought.count());
        let trusted = told.by.as_ref();
        let trusted = trusted.is_some_and(|by| by.principal == snapback_sim::story::PIPELINE);
        if rounds >= breaker.rounds.get() && !trusted {
            wrong.push(format!("fights on after {rounds} rounds"));
        }
        for what in wrong {
            self.violated(Invariant::Restraint, format!("{incident} writes: {what}"));
        }
    }

    fn ended(&mut self, past: &mut Past, entry: &Entry, report: &Report) {
        let told = past.stories.get(&entry.incident).cloned();
        let told = told.unwrap_or_default();
        match report.outcome {
            Outcome::Released => match &report.resource {
                None => {
                    past.account = false;
                    past.of_account.clear();
                }
                Some(resource) => {
                    past.braked.remove(resource);
                    past.open.remove(resource);
                    past.reverts.remove(resource);
                    past.undone.remove(resource);
                    past.released.insert(resource.clone());
                }
            },
            Outcome::Reverted if !told.asked => {
                let Some(resource) = &told.resource else {
                    return;
                };
                let quick = told.whole && age(told.opened, entry.at) < Duration::from_secs(45);
                past.undone
                    .entry(resource.clone())
                    .or_default()
                    .push(Undone {
                        at: told.wrote.unwrap_or(told.opened),
                        by: told.by.filter(|_| quick),
                        reverts: told.reverts,
                    });
            }
            Outcome::Braked => self.braked(past, entry, report, &told),
            _ => {}
        }
    }

    fn braked(&mut self, past: &mut Past, entry: &Entry, report: &Report, told: &Told) {
        let Some(resource) = report.resource.clone() else {
            return;
        };
        let now = entry.at;
        let policy = &self.played.policy;
        let (budgets, breaker) = (policy.budgets, policy.breaker);
        let says = |key: &str| report.problems.iter().any(|problem| problem.contains(key));
        let mut wrong = Vec::new();
        if is_breaker(report) {
            self.looked.at("breakers opened");
            let window = breaker.window.duration();
            let undone = past.undone.get(&resource).into_iter().flatten();
            let fought = undone.filter(|before| {
                perhaps(
                    before.at,
                    now,
                    window.saturating_add(Duration::from_secs(120)),
                ) && same(&before.reverts, &told.reverts)
            });
            let rounds = long(fought.count());
            if rounds < breaker.rounds.get() {
                wrong.push(format!("the breaker opens after {rounds} rounds"));
            }
            past.open.insert(resource.clone(), now);
        } else if says("budgets.resources-reverted-in-ten-minutes") {
            self.looked.at("brakes put on");
            let others = past.of_account.iter().filter(|(id, _)| **id != resource);
            let within = others.filter(|(_, at)| perhaps(**at, now, TEN_MINUTES));
            if long(within.count()) < budgets.resources_reverted_in_ten_minutes.get() {
                wrong.push("the account's brake below its budget".to_owned());
            }
            if std::mem::replace(&mut past.account, true) {
                wrong.push("the account's brake is told again".to_owned());
            }
        } else {
            self.looked.at("brakes put on");
            let times = past.reverts.get(&resource).into_iter().flatten();
            let within = times.filter(|at| perhaps(**at, now, HOUR)).count();
            let reverts = says("budgets.reverts-of-a-resource-an-hour");
            if reverts && long(within) < budgets.reverts_of_a_resource_an_hour.get() {
                wrong.push(format!("the brake of {resource} below its budget"));
            }
            if !past.braked.insert(resource.clone()) {
                wrong.push(format!("the brake of {resource} is told again"));
            }
        }
        for what in wrong {
            let incident = &entry.incident;
            self.violated(Invariant::Restraint, format!("{incident}: {what}"));
        }
    }

    /// Nothing waits longer than the policy says; messages take their time.
    fn quiet(&mut self) {
        let world = &self.played.world;
        let is_clean = world.struck().is_empty() && self.played.crashed == 0;
        let slack = if is_clean { DELIVERY } else { TROUBLED };
        let longest = self.played.policy.quiet.longest.duration();
        for hold in world.holds() {
            self.looked.at("changes that waited for quiet");
            let held = hold.until.map(|until| age(hold.from, until));
            if held.is_none_or(|held| held > longest.saturating_add(slack)) {
                let what = format!("{} waits {held:?} for {}", hold.resource, hold.principal);
                self.violated(Invariant::Restraint, what);
            }
        }
    }
}
