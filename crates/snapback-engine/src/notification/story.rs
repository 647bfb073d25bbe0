//! What every channel tells, in the same words and order: sections of lines.

use super::plain::{duration, line};
use crate::impact::Turn;
use crate::incident::{Cause, Entry, Outcome, Report};
use crate::policy::Mode;
use crate::verdict::Verdict;
use snapback_model::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest line of a list.
const LINE: usize = 400;

/// Longest line about connections.
const LATENT: usize = 700;
/// Opened or cut traffic told line by line.
const SHIFTS: usize = 10;

/// A closed story and what is said of it.
pub(super) struct Story<'a> {
    pub(super) entry: &'a Entry,
    pub(super) report: &'a Report,
}

/// A titled list.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

impl<'a> Story<'a> {
    pub(super) fn new(entry: &'a Entry, report: &'a Report) -> Self {
        Self { entry, report }
    }

    /// The outcome in one loud word; in observe mode what would have been done.
    pub(super) fn word(&self) -> &'static str {
        match self.report.outcome {
            Outcome::Reverted => "REVERTED",
            Outcome::Alerted if self.is_rehearsal() => "WOULD REVERT",
            Outcome::Alerted => "ALERT",
            Outcome::Accepted => "ACCEPTED",
            Outcome::Refused => "REFUSED",
            Outcome::Failed => "FAILED",
            Outcome::Blind => "BLIND",
            Outcome::Impostor => "IMPOSTOR",
            Outcome::Malformed => "MALFORMED",
            Outcome::Context => "CONTEXT",
            Outcome::Braked => "BRAKED",
            Outcome::Released => "RELEASED",
        }
    }

    /// Observe mode, and a plan that enforce would have run.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.report.mode == Mode::Observe && !self.report.executed && !self.report.steps.is_empty()
    }

    /// What it is about: the label, else the id, else the account.
    pub(super) fn subject(&self) -> String {
        let label = line(&self.report.label, 120);
        if !label.is_empty() {
            return label;
        }
        let account = || {
            self.report.account.as_ref().map_or_else(
                || "this account".to_owned(),
                |account| format!("account {account}"),
            )
        };
        self.report
            .resource
            .as_ref()
            .map_or_else(account, ToString::to_string)
    }

    /// The most important fact in one sentence.
    pub(super) fn headline(&self) -> String {
        let report = self.report;
        let worst = report
            .findings
            .iter()
            .rev()
            .max_by_key(|finding| finding.severity)
            .map(|finding| &finding.meaning);
        let strongest = report
            .differences
            .iter()
            .rev()
            .max_by_key(|told| told.verdict)
            .map(|told| &told.text);
        let told = [
            worst,
            strongest,
            report.problems.first(),
            report.api.as_ref(),
        ];
        let mut lines = told.into_iter().flatten().map(|text| line(text, LINE));
        lines
            .find(|line| !line.is_empty())
            .unwrap_or_else(|| "see the details".into())
    }

    /// Every section that has something to say, in reading order.
    pub(super) fn sections(&self) -> Vec<Section> {
        let report = self.report;
        let lines = |texts: &[String]| {
            texts
                .iter()
                .map(|text| line(text, LINE))
                .collect::<Vec<_>>()
        };
        let mut sections = vec![
            section("What happened", self.happened()),
            section("Who", self.who()),
            section(
                "What it opened",
                lines(&report.impact.lines(Turn::Opened, SHIFTS)),
            ),
            section(
                "What it cut",
                lines(&report.impact.lines(Turn::Closed, SHIFTS)),
            ),
            section("Whom it concerns", self.concerned()),
            section("Why it matters", self.findings()),
            section(self.done_title(), self.done()),
            section("How long it took", self.took()),
            section("What stays outstanding", self.outstanding()),
            section("What becomes of connections", self.latent()),
            section("What is not certain", lines(&report.impact.inexact)),
            section("What to do next", self.next()),
        ];
        for section in &mut sections {
            section.lines.retain(|line| !line.is_empty());
        }
        sections.retain(|section| !section.lines.is_empty());
        sections
    }

    fn happened(&self) -> Vec<String> {
        let report = self.report;
        let how = match &report.cause {
            Cause::Event(id) => format!(
                "{} (CloudTrail event {id})",
                report.api.as_deref().unwrap_or("a change")
            ),
            Cause::Missed => "found by the sweep; no event told of it".into(),
            Cause::Unfinished(incident) => format!("the unfinished incident {incident} went on"),
            Cause::Asked(by) => format!("somebody asked: {by}"),
        };
        let at = report
            .event_at
            .map(|at| format!(" at {at}"))
            .unwrap_or_default();
        let place: Vec<&str> = [
            report.account.as_ref().map(|id| id.as_str()),
            report.region.as_ref().map(|id| id.as_str()),
            report.vpc.as_ref().map(|id| id.as_str()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(", in {}", place.join(" / "))
        };
        let mut lines = vec![line(&format!("{how}{at}{place}"), LINE)];
        lines.extend(report.differences.iter().map(|told| {
            let reason = if told.reason.is_empty() {
                String::new()
            } else {
                format!(": {}", line(&told.reason, LINE))
            };
            format!(
                "{} [{}{reason}]",
                line(&told.text, LINE),
                self.verdict(told.verdict)
            )
        }));
        lines
    }

    /// A verdict as far as it was carried out.
    pub(super) fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Accept => "accepted",
            Verdict::Ignore => "left alone",
            Verdict::Alert => "stays",
            Verdict::Revert if self.report.outcome == Outcome::Reverted => "taken back",
            Verdict::Revert => "to be taken back, not proved done",
        }
    }

    fn who(&self) -> Vec<String> {
        let Some(actor) = &self.report.actor else {
            return match self.report.cause {
                Cause::Missed => vec!["not known: no event told of it; look in CloudTrail".into()],
                _ => Vec::new(),
            };
        };
        let mut lines = vec![line(&actor.to_string(), LINE)];
        if let Some(session) = &actor.session {
            lines.push(format!("session {}", line(session, LINE)));
        }
        if let Some(agent) = &actor.user_agent {
            lines.push(format!("user agent, by its own word: {}", line(agent, 160)));
        }
        lines
    }

    fn findings(&self) -> Vec<String> {
        let mut findings: Vec<_> = self.report.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        // Two elements of a resource may be told in the same words.
        let mut told = BTreeSet::new();
        findings
            .into_iter()
            .map(|finding| {
                let evidence = finding
                    .evidence
                    .iter()
                    .take(3)
                    .map(|text| line(text, 160))
                    .collect::<Vec<_>>()
                    .join("; ");
                let evidence = if evidence.is_empty() {
                    String::new()
                } else {
                    format!(" Seen: {evidence}.")
                };
                format!(
                    "{} ({}): {}.{evidence} {}",
                    finding.code,
                    finding.severity,
                    line(&finding.meaning, LINE).trim_end_matches('.'),
                    line(&finding.advice, LINE)
                )
                .trim_end()
                .to_owned()
            })
            .filter(|words| told.insert(words.clone()))
            .collect()
    }

    fn done_title(&self) -> &'static str {
        if self.is_rehearsal() {
            "What would be done (nothing was changed: mode observe)"
        } else {
            "What was done"
        }
    }

    fn done(&self) -> Vec<String> {
        let report = self.report;
        let steps = report
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| format!("{}. {}", index.saturating_add(1), line(step, LINE)));
        if self.is_rehearsal() {
            return steps.collect();
        }
        let mut lines: Vec<String> = match report.executed {
            true => steps.collect(),
            false if report.steps.is_empty() => vec!["nothing was changed by Snapback".into()],
            false => std::iter::once("nothing was changed by Snapback; the plan was:".to_owned())
                .chain(steps)
                .collect(),
        };
        match report.outcome {
            Outcome::Reverted => lines.push("verified: read back and equal to the goal".into()),
            _ if report.executed => {
                lines.push("not verified: the end state is not proved to be the goal".into())
            }
            _ => {}
        }
        lines
    }

    /// Event → arrival → end, each as a duration.
    fn took(&self) -> Vec<String> {
        let report = self.report;
        let (to_arrival, to_end) = (self.event_to_arrival(), self.arrival_to_end());
        let end = if report.outcome == Outcome::Reverted {
            "verified"
        } else {
            "closed"
        };
        let arrival = match to_arrival {
            Some(took) => format!("event to arrival {}, ", duration(took)),
            None => String::new(),
        };
        vec![format!("{arrival}arrival to {end} {}", duration(to_end))]
    }

    pub(super) fn event_to_arrival(&self) -> Option<Duration> {
        self.report
            .event_at
            .map(|at| between(at, self.report.arrived_at))
    }

    pub(super) fn arrival_to_end(&self) -> Duration {
        between(self.report.arrived_at, self.report.ended_at)
    }

    fn outstanding(&self) -> Vec<String> {
        let stays = |verdict: Verdict| match self.report.outcome {
            Outcome::Reverted => verdict == Verdict::Alert,
            _ => matches!(verdict, Verdict::Alert | Verdict::Revert),
        };
        let differences = self
            .report
            .differences
            .iter()
            .filter(|told| stays(told.verdict))
            .map(|told| line(&told.text, LINE));
        differences
            .chain(
                self.report
                    .problems
                    .iter()
                    .map(|problem| line(problem, LINE)),
            )
            .collect()
    }

    /// Interfaces, services and groups behind the resource, where packets moved.
    fn concerned(&self) -> Vec<String> {
        let impact = &self.report.impact;
        let has_moved = !impact.opened.is_empty() || !impact.closed.is_empty();
        let words = impact.blast.words().filter(|_| has_moved);
        words.map(|words| line(&words, LINE)).into_iter().collect()
    }

    /// What becomes of connections that the change let in or cut, or that its revert meets (semantics A2).
    fn latent(&self) -> Vec<String> {
        let latent = self.report.impact.latent.iter();
        latent.map(|latent| line(&latent.words(), LATENT)).collect()
    }

    fn next(&self) -> Vec<String> {
        if !self.report.next.is_empty() {
            return self
                .report
                .next
                .iter()
                .map(|text| line(text, LINE))
                .collect();
        }
        let usual = match self.report.outcome {
            Outcome::Reverted => {
                "Ask the person named above whether the change was meant; if it was, let a trusted principal make it."
            }
            Outcome::Alerted if self.is_rehearsal() => {
                "Take it back yourself with the calls above, or set the mode to enforce."
            }
            Outcome::Alerted => {
                "Decide whether what stays is wanted; if not, take it back, if it is, let a trusted principal make it."
            }
            Outcome::Refused | Outcome::Failed => {
                "Look at the resource now and put it right by hand; the sweep looks again on its schedule."
            }
            Outcome::Blind => {
                "Restore Snapback's right to read; until then nothing is guarded here."
            }
            Outcome::Impostor => {
                "Somebody uses Snapback's own role: revoke its sessions and find out who may assume it."
            }
            Outcome::Malformed => {
                "Look at the message in the dead-letter queue; it was neither an event nor a command."
            }
            Outcome::Context => {
                "Check that routes and rules that rely on it still lead where they should."
            }
            Outcome::Braked => {
                "Find out what goes on, put back by hand what cannot wait, then release the brake."
            }
            Outcome::Released => {
                "Watch what Snapback takes back now; the brake is put on again where it must."
            }
            Outcome::Accepted => return Vec::new(),
        };
        vec![usual.into()]
    }
}

fn section(title: &str, lines: Vec<String>) -> Section {
    Section {
        title: title.to_owned(),
        lines,
    }
}

/// Never negative: event times are whole seconds and clocks differ.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
