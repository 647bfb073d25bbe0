//! An explanation for a person: the verdict first, then what, how bad, to whom, by which calls.

use super::{Event, Explained, Explanation};
use crate::plan;
use crate::source::State;
use crate::style::{BOLD, DIM, GREEN, RED, YELLOW, printable};
use anstyle::Style;
use anyhow::Result;
use snapback_engine::change::Change;
use snapback_engine::finding::{Finding, Severity, Since};
use snapback_engine::impact::{Impact, Turn};
use snapback_engine::verdict::Verdict;
use snapback_model::Snapshot;
use std::collections::BTreeSet;
use std::io::Write;

/// Lines of one list.
const MOST: usize = 8;
/// Evidence of one finding.
const MOST_EVIDENCE: usize = 4;

/// Everything about two states.
pub(super) fn explanation(
    out: &mut impl Write,
    explanation: &Explanation,
    live: &Snapshot,
    has_policy: bool,
) -> Result<()> {
    match &explanation.event {
        Some(Event::Change { change, trusted }) => change_line(out, change, *trusted)?,
        Some(Event::Ignored(why)) => writeln!(out, "{DIM}{}{DIM:#}", printable(why))?,
        None => {}
    }
    for line in &explanation.accepted {
        writeln!(out, "  {}", printable(line))?;
    }
    if explanation.resources.is_empty() && explanation.context.is_empty() {
        writeln!(out, "no differences")?;
    }
    for one in &explanation.resources {
        resource(out, one)?;
    }
    if !explanation.context.is_empty() {
        writeln!(out, "\n{BOLD}around the resources{BOLD:#}")?;
        for finding in &explanation.context {
            tell(out, finding, true)?;
        }
    }
    if let Some(made) = &explanation.plan {
        let when = if has_policy {
            "what the policy would have done"
        } else {
            "what enforce would do (no policy was given)"
        };
        writeln!(out, "\n{BOLD}plan{BOLD:#} {DIM}{when}{DIM:#}")?;
        plan::text(out, live, made)?;
    }
    Ok(())
}

/// Everything found in one state.
pub(super) fn audit(out: &mut impl Write, findings: &[&Finding], state: &State) -> Result<()> {
    let resources = state.snapshot.resources.len();
    let count = |severity: Severity| {
        let of = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        (of.count(), severity)
    };
    let levels = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Info,
    ];
    let counts: Vec<String> = levels
        .into_iter()
        .map(count)
        .filter(|(number, _)| *number > 0)
        .map(|(number, severity)| format!("{number} {severity}"))
        .collect();
    let summary = if counts.is_empty() {
        "nothing found".to_owned()
    } else {
        counts.join(", ")
    };
    writeln!(
        out,
        "{BOLD}{resources} resources audited{BOLD:#}: {summary}"
    )?;
    let mut last = None;
    for finding in findings {
        if last != Some(finding.severity) {
            writeln!(out)?;
            last = Some(finding.severity);
        }
        tell(out, finding, true)?;
    }
    Ok(())
}

fn change_line(out: &mut impl Write, change: &Change, trusted: bool) -> Result<()> {
    let trust = if trusted { "trusted" } else { "not trusted" };
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} by {} at {} {DIM}({trust}; event {}){DIM:#}",
        printable(&change.api),
        printable(&change.actor.to_string()),
        change.at,
        printable(change.event.as_str())
    )?;
    Ok(())
}

fn resource(out: &mut impl Write, one: &Explained) -> Result<()> {
    let decision = &one.assessment.decision;
    let vpc = one
        .vpc
        .as_ref()
        .map(|vpc| format!(" in {vpc}"))
        .unwrap_or_default();
    let worst = decision
        .judgements
        .iter()
        .flat_map(|judgement| &judgement.findings)
        .map(|finding| finding.severity)
        .max();
    let worst = worst.map_or_else(String::new, |severity| {
        format!("  {0}{severity}{0:#}", colour(severity))
    });
    writeln!(
        out,
        "\n{BOLD}{} {}{BOLD:#}{DIM}{vpc}{DIM:#}{worst}",
        decision.resource.kind(),
        printable(&decision.label)
    )?;
    for judgement in &decision.judgements {
        let (word, style) = word(judgement.verdict);
        writeln!(
            out,
            "  {style}{word:<7}{style:#} {}",
            printable(&judgement.text)
        )?;
        if let Some(reason) = judgement.reasons.first() {
            writeln!(out, "          {DIM}{}{DIM:#}", printable(reason))?;
        }
    }
    if let Some(fallback) = &decision.fallback {
        writeln!(out, "  {YELLOW}{}{YELLOW:#}", printable(fallback))?;
    }
    impact(out, &one.assessment.impact)?;
    let findings = decision
        .judgements
        .iter()
        .flat_map(|judgement| &judgement.findings);
    let mut told = BTreeSet::new();
    for finding in super::worst_first(findings) {
        tell_once(out, finding, &mut told)?;
    }
    standing(out, &one.standing, &mut told)
}

/// One finding of a resource, unless another of its elements was told in the same words.
fn tell_once(out: &mut impl Write, finding: &Finding, told: &mut BTreeSet<Vec<u8>>) -> Result<()> {
    let mut words = Vec::new();
    tell(&mut words, finding, false)?;
    if !told.contains(&words) {
        out.write_all(&words)?;
        told.insert(words);
    }
    Ok(())
}

/// What was there before in one line; what is new or worse like any other finding.
fn standing(
    out: &mut impl Write,
    findings: &[Finding],
    told: &mut BTreeSet<Vec<u8>>,
) -> Result<()> {
    let (old, new): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|finding| finding.since == Since::Before);
    for finding in super::worst_first(new.into_iter()) {
        tell_once(out, finding, told)?;
    }
    if !old.is_empty() {
        let codes: BTreeSet<&str> = old.iter().map(|finding| finding.code.as_str()).collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        writeln!(
            out,
            "  {DIM}there before: {} ({}); `explain --live` alone tells them{DIM:#}",
            old.len(),
            codes.join(", ")
        )?;
    }
    Ok(())
}

/// What is done about it.
fn word(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Accept => ("accept", GREEN),
        Verdict::Ignore => ("ignore", DIM),
        Verdict::Alert => ("alert", YELLOW),
        Verdict::Revert => ("revert", RED),
    }
}

fn colour(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => RED.bold(),
        Severity::Medium => YELLOW,
        Severity::Low | Severity::Info => DIM,
    }
}

fn impact(out: &mut impl Write, impact: &Impact) -> Result<()> {
    let mut list = |title: &str, lines: Vec<String>| -> Result<()> {
        let mut title = title;
        for line in lines {
            writeln!(out, "  {DIM}{title:<7}{DIM:#} {}", printable(&line))?;
            title = "";
        }
        Ok(())
    };
    list("opened", impact.lines(Turn::Opened, MOST))?;
    list("closed", impact.lines(Turn::Closed, MOST))?;
    list("to whom", impact.blast.words().into_iter().collect())?;
    let latent = impact.latent.iter().map(|latent| latent.words());
    list("know", latent.take(MOST).collect())?;
    list(
        "unsure",
        impact.inexact.iter().take(MOST).cloned().collect(),
    )?;
    if impact.opened.is_empty() && impact.closed.is_empty() && impact.inexact.is_empty() {
        list("moves", vec!["no packet".to_owned()])?;
    }
    Ok(())
}

/// One finding: how bad and what, then what shows it and what to do.
fn tell(out: &mut impl Write, finding: &Finding, names_subject: bool) -> Result<()> {
    let style = colour(finding.severity);
    let since = match finding.since {
        Since::New => "",
        Since::Worse => " (worse than before)",
        Since::Before => " (there before)",
    };
    let subject = if names_subject {
        format!("{} ", finding.subject)
    } else {
        String::new()
    };
    writeln!(
        out,
        "  {style}{:<8}{style:#} {BOLD}{}{BOLD:#} {}{}{DIM}{since}{DIM:#}",
        finding.severity,
        finding.code,
        printable(&subject),
        printable(&finding.meaning)
    )?;
    for line in finding.evidence.iter().take(MOST_EVIDENCE) {
        writeln!(out, "           {DIM}{}{DIM:#}", printable(line))?;
    }
    let more = finding.evidence.len().saturating_sub(MOST_EVIDENCE);
    if more > 0 {
        writeln!(out, "           {DIM}and {more} more{DIM:#}")?;
    }
    writeln!(out, "           → {}", printable(&finding.advice))?;
    Ok(())
}
