//! Where nothing is written although policy would take back: a brake is on, or a controller fights.
//! What differs there is told once; nobody is left to believe that it was taken back.

use super::{Ended, Ending, GuardError, Matter, Scene, Visit};
use crate::assessment::Assessment;
use crate::ledger;
use crate::rights::GuardPorts;
use snapback_engine::brake::{self, Brake, Controller, Fight};
use snapback_engine::incident::{AccountRecord, Commit, Outcome, ResourceRecord};
use snapback_engine::verdict::Verdict;
use snapback_model::{Digest, Element, ResourceId};
use std::collections::BTreeMap;

/// Why nothing is written.
pub(super) enum Halt {
    /// A person is to release a brake.
    Braked(Brake),
    /// The breaker is open.
    Open(Fight),
    /// The breaker opens now.
    Opens(Fight),
}

/// What is said of a brake.
pub(crate) fn words(brake: &Brake) -> String {
    let scope = if brake.stop.budget.is_of_account() {
        "this account and Region"
    } else {
        "this resource"
    };
    format!(
        "the brake is on for {scope} since {} ({}): {}; nothing is written there until a person releases it, changes are still told",
        brake.since, brake.incident, brake.stop
    )
}

/// What a person does about a brake.
pub(crate) fn advice(brake: &Brake, resource: &ResourceId) -> Vec<String> {
    let what = (!brake.stop.budget.is_of_account()).then_some(resource);
    vec![
        format!("Find out what used up {}.", brake.stop.budget.key()),
        release(what),
    ]
}

/// How a resource, or the account, is released.
fn release(resource: Option<&ResourceId>) -> String {
    let (word, what) = match resource {
        Some(resource) => (
            resource.to_string(),
            format!(r#"{{"resource":"{resource}"}}"#),
        ),
        None => ("account".to_owned(), r#""account""#.to_owned()),
    };
    format!(
        r#"To let Snapback write again: snapback release {word} --why "the reason"; or send its inbox {{"snapback":"release","what":{what},"by":"your name","why":"the reason"}}."#
    )
}

fn told_of(fight: &Fight) -> String {
    let times: Vec<String> = fight.times.iter().map(ToString::to_string).collect();
    let often = match fight.rounds {
        1 => "once".to_owned(),
        rounds => format!("{rounds} times"),
    };
    format!(
        "{} put the same change back {often} after Snapback took it back (at {}): the breaker is open, Snapback takes nothing back on this resource while that goes on",
        fight.by,
        times.join(", ")
    )
}

fn advice_on(fight: &Fight, resource: &ResourceId, quiet: &str) -> Vec<String> {
    vec![
        format!(
            "Make the two agree: change what {} applies, or, if it is right, trust it in the policy or run `snapback capture`.",
            fight.by
        ),
        format!("The breaker closes by itself once nothing came from it for {quiet}."),
        release(Some(resource)),
    ]
}

/// The differences that a revert would take back, with a digest each.
fn at_stake(assessment: &Assessment) -> BTreeMap<Element, Digest> {
    let judgements = &assessment.decision.judgements;
    judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::Revert)
        .map(|judgement| (judgement.difference.element(), judgement.told()))
        .collect()
}

impl<P: GuardPorts> Visit<'_, P> {
    /// Whether nothing may be written here, before a plan is made.
    pub(super) fn halted(
        &self,
        record: &ResourceRecord,
        account: &AccountRecord,
        assessment: &Assessment,
        matter: &Matter,
    ) -> Option<Halt> {
        let terms = &self.guard.policy.breaker;
        if let Some(brake) = &record.brake {
            return Some(Halt::Braked(brake.clone()));
        }
        if let Some(fight) = &record.fight
            && !fight.is_over(terms, self.now())
        {
            return Some(Halt::Open(fight.clone()));
        }
        if let Some(brake) = &account.brake {
            return Some(Halt::Braked(brake.clone()));
        }
        let by = Controller::of(&matter.stranger()?.actor);
        let at_stake = at_stake(assessment);
        brake::fight(terms, &record.undone, &by, &at_stake, self.now()).map(Halt::Opens)
    }

    /// Tells what stays where nothing is written: a breaker that opens, and what is news.
    pub(super) async fn halt(
        &self,
        record: &ResourceRecord,
        account: &AccountRecord,
        scene: &Scene,
        matter: &Matter,
        assessment: &Assessment,
        halt: Halt,
    ) -> Result<Ended, GuardError> {
        let resource = &record.resource;
        let told = assessment.tellable();
        let mut base = record.clone();
        base.waits_until = None;
        let mut counted = None;
        let mut story = self.story(record, matter);
        let mut known = record.told.clone();
        let mut outcome = Outcome::Alerted;
        match halt {
            Halt::Braked(brake) => {
                // A breaker that has closed by itself would be asked about by every sweep.
                let (terms, now) = (&self.guard.policy.breaker, self.now());
                base.fight = base.fight.filter(|fight| !fight.is_over(terms, now));
                if brake.stop.budget.is_of_account() && !account.waiting.contains(resource) {
                    counted = Some(account.braked(brake.clone(), resource));
                }
                story.problems.push(words(&brake));
                story.advice.extend(advice(&brake, resource));
            }
            Halt::Open(mut fight) => {
                if let Some(change) = matter.stranger()
                    && Controller::of(&change.actor) == fight.by
                {
                    fight.seen = fight.seen.max(change.at);
                }
                known.extend(fight.differences.clone());
                story.problems.push(told_of(&fight));
                base.fight = Some(fight);
            }
            Halt::Opens(fight) => {
                outcome = Outcome::Braked;
                known.clear();
                let quiet = self.guard.policy.breaker.quiet.to_string();
                story.problems.push(told_of(&fight));
                story.advice.extend(advice_on(&fight, resource, &quiet));
                base.fight = Some(fight);
            }
        }
        if !assessment.has_news(&known) {
            base.told = told;
            if base != *record || counted.is_some() {
                base.version = record.version.saturating_add(1);
                let commit = Commit {
                    account: counted.as_ref(),
                    ..Commit::of(&base, &[])
                };
                ledger::commit(&self.pace(), &self.guard.ports, &commit).await?;
            }
            return Ok(Ended {
                resource: Some(resource.clone()),
                incident: None,
                ending: Ending::AlreadyTold,
            });
        }
        tracing::warn!(%resource, ?outcome, why = ?story.problems, "nothing is written");
        let place = self.place(scene, resource);
        let alert = ledger::Alert {
            record: &base,
            holder: &self.holder,
            story,
            place: &place,
            assessment,
            plan: super::attend::proposal(scene, assessment),
            outcome,
            told,
            account: counted,
        };
        let incident = ledger::alert(&self.pace(), &self.guard.ports, alert).await?;
        Ok(Ended {
            resource: Some(resource.clone()),
            incident: Some(incident),
            ending: Ending::Closed(outcome),
        })
    }
}
