//! What came of the changes, counted for people and machines.
//!
//! - Owns: the counts by outcome, resource, principal and month; who one would want to trust.
//! - Takes: the steps and what is told of each.
//! - Gives: [`Report`].
//! - Must not: judge.

use super::gather::{Bad, Counts, Gathered};
use serde::Serialize;
use snapback_engine::change::{Actor, Change};
use snapback_engine::history::{Outcome, Reason, Retold};
use snapback_engine::policy::{Mode, Policy, PrincipalPattern};
use snapback_model::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many changes came to what.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// All of them.
    pub changes: u64,
    /// At least one difference would have been taken back.
    pub reverted: u64,
    /// A person would have been told.
    pub alerted: u64,
    /// By a trusted principal.
    pub accepted: u64,
    /// Out of scope or exempt.
    pub ignored: u64,
    /// Moved nothing that is guarded.
    pub nothing: u64,
    /// Edited context only.
    pub context: u64,
    /// Made with one of our own roles.
    pub ours: u64,
    /// It cannot be told, by reason.
    pub not_known: BTreeMap<Reason, u64>,
}

impl Outcomes {
    fn count(&mut self, outcome: Outcome, is_ours: bool) {
        self.changes = self.changes.saturating_add(1);
        let count = match outcome {
            _ if is_ours => &mut self.ours,
            Outcome::Reverted => &mut self.reverted,
            Outcome::Alerted => &mut self.alerted,
            Outcome::Accepted => &mut self.accepted,
            Outcome::Ignored => &mut self.ignored,
            Outcome::Nothing => &mut self.nothing,
            Outcome::Context => &mut self.context,
            Outcome::NotKnown(reason) => self.not_known.entry(reason).or_default(),
        };
        *count = count.saturating_add(1);
    }

    /// How many cannot be told.
    pub fn unknown(&self) -> u64 {
        self.not_known.values().sum()
    }

    /// How many were judged: neither unknown nor without anything to judge.
    pub fn judged(&self) -> u64 {
        [self.reverted, self.alerted, self.accepted, self.ignored]
            .iter()
            .sum()
    }
}

/// One resource or principal with what came of its changes.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The resource's id, or the principal's ARN.
    pub name: String,
    /// Its changes.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Changes that were found harmful (a finding that opens or cuts, high or worse), trusted or not.
    pub harmful: u64,
    /// Of a principal: what it is and how it worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
}

/// What a principal is and how it worked.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    /// `userIdentity.type`.
    pub kind: String,
    /// People behind it, a few.
    pub people: BTreeSet<String>,
    /// Changes made in the console.
    pub console: u64,
    /// Changes made by a tool that works from code (Terraform, CloudFormation, CDK, Pulumi).
    pub from_code: u64,
}

/// A principal that one would want to trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What to put under `trusted:` of the policy.
    pub pattern: String,
    /// Its changes.
    pub changes: u64,
    /// Those that were judged.
    pub judged: u64,
    /// Harmful ones among them.
    pub harmful: u64,
    /// Why it is suggested.
    pub because: String,
}

/// A change that Snapback would have acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// The event.
    pub event: String,
    /// The API.
    pub api: String,
    /// Who.
    pub principal: String,
    /// The person behind, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// What would have been done.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// On what.
    pub resources: Vec<String>,
    /// What it was found to be.
    pub findings: Vec<String>,
    /// Each difference.
    pub differences: Vec<String>,
}

/// Everything the command has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was read.
    pub input: Counts,
    /// What could not be.
    pub bad: Vec<Bad>,
    /// The mode of the policy.
    pub mode: Mode,
    /// What came of all changes.
    pub outcomes: Outcomes,
    /// What would have come of them in the mode `enforce`, where the policy only observes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforced: Option<Outcomes>,
    /// Judgements that rest on what the event alone proves.
    pub proved_by_event: u64,
    /// Judgements that take a Create call that succeeded for one that made something new.
    pub assumed_new: u64,
    /// How often each finding was made.
    pub findings: BTreeMap<String, u64>,
    /// By month.
    pub months: BTreeMap<String, Outcomes>,
    /// By resource, the most often touched first.
    pub resources: Vec<Line>,
    /// By principal, the busiest first.
    pub principals: Vec<Line>,
    /// Whom one would want to trust.
    pub suggestions: Vec<Suggestion>,
    /// What would have been taken back or told, in order.
    pub acts: Vec<Act>,
}

/// Which part of the history is reported.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// From here on.
    pub since: Option<Timestamp>,
    /// Before here.
    pub until: Option<Timestamp>,
}

impl Period {
    fn holds(self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

/// A principal with fewer judged changes is not suggested.
const SUGGESTED_MIN: u64 = 5;
/// People named for one principal.
const PEOPLE_MAX: usize = 5;

/// Counts everything.
pub fn report(
    gathered: &Gathered,
    told: &[Retold],
    enforced: Option<&[Retold]>,
    policy: &Policy,
    period: Period,
) -> Report {
    let mut report = Report {
        input: gathered.counts.clone(),
        bad: gathered.bad.clone(),
        mode: policy.mode,
        outcomes: Outcomes::default(),
        enforced: enforced.map(|_| Outcomes::default()),
        proved_by_event: 0,
        assumed_new: 0,
        findings: BTreeMap::new(),
        months: BTreeMap::new(),
        resources: Vec::new(),
        principals: Vec::new(),
        suggestions: Vec::new(),
        acts: Vec::new(),
    };
    let mut resources: BTreeMap<String, Line> = BTreeMap::new();
    let mut principals: BTreeMap<String, Line> = BTreeMap::new();
    for told in told {
        let Some(step) = gathered.steps.get(told.step) else {
            continue;
        };
        let change = &step.change;
        if !period.holds(change.at) {
            continue;
        }
        let is_ours = gathered.ours.contains(&change.event);
        report.count(change, told, is_ours);
        if let (Some(all), Some(enforced)) = (
            &mut report.enforced,
            enforced.and_then(|told_again| told_again.get(told.step)),
        ) {
            all.count(enforced.outcome, is_ours);
        }
        let harmful = u64::from(told.is_harm());
        for id in &told.resources {
            line(&mut resources, id.as_str(), told, is_ours, harmful);
        }
        let principal = &change.actor.principal;
        let line = line(&mut principals, principal, told, is_ours, harmful);
        line.who.get_or_insert_default().saw(&change.actor);
    }
    report.resources = busiest(resources);
    report.principals = busiest(principals);
    report.suggestions = report
        .principals
        .iter()
        .filter_map(|line| suggestion(line, policy))
        .collect();
    report
}

fn line<'a>(
    lines: &'a mut BTreeMap<String, Line>,
    name: &str,
    told: &Retold,
    is_ours: bool,
    harmful: u64,
) -> &'a mut Line {
    let line = lines.entry(name.to_owned()).or_default();
    name.clone_into(&mut line.name);
    line.outcomes.count(told.outcome, is_ours);
    line.harmful = line.harmful.saturating_add(harmful);
    line
}

fn busiest(lines: BTreeMap<String, Line>) -> Vec<Line> {
    let mut lines: Vec<Line> = lines.into_values().collect();
    lines.sort_by_cached_key(|line| {
        (
            Reverse(line.outcomes.reverted),
            Reverse(line.outcomes.changes),
            line.name.clone(),
        )
    });
    lines
}

impl Report {
    fn count(&mut self, change: &Change, told: &Retold, is_ours: bool) {
        self.outcomes.count(told.outcome, is_ours);
        let month: String = change.at.to_string().chars().take(7).collect();
        let month = self.months.entry(month).or_default();
        month.count(told.outcome, is_ours);
        if is_ours {
            return;
        }
        for finding in &told.findings {
            let count = self.findings.entry(finding.code.to_string()).or_default();
            *count = count.saturating_add(1);
        }
        if !matches!(told.outcome, Outcome::Reverted | Outcome::Alerted) {
            return;
        }
        self.proved_by_event = self.proved_by_event.saturating_add(u64::from(!told.whole));
        self.assumed_new = self.assumed_new.saturating_add(u64::from(told.assumed));
        self.acts.push(Act {
            at: change.at,
            event: change.event.to_string(),
            api: change.api.clone(),
            principal: change.actor.principal.clone(),
            person: change.actor.person.clone(),
            outcome: told.outcome,
            resources: told.resources.iter().map(ToString::to_string).collect(),
            findings: told
                .findings
                .iter()
                .map(|finding| finding.code.to_string())
                .collect(),
            differences: told.lines.clone(),
        });
    }
}

impl Who {
    fn saw(&mut self, actor: &Actor) {
        self.kind.clone_from(&actor.kind);
        if let Some(person) = &actor.person
            && self.people.len() < PEOPLE_MAX
        {
            self.people.insert(person.clone());
        }
        self.console = self.console.saturating_add(u64::from(actor.console));
        let is_code = is_from_code(actor);
        self.from_code = self.from_code.saturating_add(u64::from(is_code));
    }
}

/// Whether a tool made the call that carries out what stands in code. The user agent is the
/// caller's own word: good enough for a suggestion that a person reads, for nothing else.
fn is_from_code(actor: &Actor) -> bool {
    const TOOLS: [&str; 6] = [
        "terraform",
        "opentofu",
        "pulumi",
        "cloudformation",
        "aws-cdk",
        "crossplane",
    ];
    let agent = actor
        .user_agent
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    TOOLS.iter().any(|tool| agent.contains(tool))
        || actor.on_behalf_via.as_deref() == Some("cloudformation.amazonaws.com")
}

/// Who should be trusted: what works from code, or never did harm. Never root, never a user who
/// did harm, never who works in the console: people come and go behind such a role.
fn suggestion(line: &Line, policy: &Policy) -> Option<Suggestion> {
    let who = line.who.as_ref()?;
    let Outcomes { changes, .. } = line.outcomes;
    let judged = line.outcomes.judged();
    let is_role = who.kind == "AssumedRole";
    let is_user = who.kind == "IAMUser";
    if policy.trusts(&line.name) || judged < SUGGESTED_MIN || who.console > 0 {
        return None;
    }
    if line.outcomes.ours > 0 || !(is_role || is_user && line.harmful == 0) {
        return None;
    }
    let mostly_code = who.from_code.saturating_mul(2) > changes;
    let because = match (mostly_code, line.harmful) {
        (true, 0) => "works from code, no harm found",
        (true, _) => "works from code; look at its harmful changes before you trust it",
        (false, 0) => "steady, no harm found",
        (false, _) => return None,
    };
    let pattern = line.name.parse::<PrincipalPattern>().ok()?;
    Some(Suggestion {
        pattern: pattern.to_string(),
        changes,
        judged,
        harmful: line.harmful,
        because: because.into(),
    })
}
