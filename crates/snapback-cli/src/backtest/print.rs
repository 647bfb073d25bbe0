//! The report for a person with little time.
//!
//! - Owns: its words and tables.
//! - Takes: a [`Report`].
//! - Gives: text.
//! - Must not: count.

use super::tally::{Line, Outcomes, Report};
use crate::style::{BOLD, DIM, GREEN, RED, YELLOW, printable};
use snapback_engine::history::Outcome;
use snapback_engine::policy::Mode;
use std::fmt::Write as _;

/// Lines of a table that is not shown whole.
const SHOWN: usize = 10;
/// Files named.
const BAD_SHOWN: usize = 20;

/// The whole report.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    if report.outcomes.changes == 0 {
        out.push_str("\nNo network change in it.\n");
        bad(&mut out, report);
        return out;
    }
    outcomes(&mut out, report);
    acts(&mut out, report);
    table(&mut out, "Resources", &report.resources);
    table(&mut out, "Principals", &report.principals);
    months(&mut out, report);
    suggestions(&mut out, report);
    bad(&mut out, report);
    let _infallible = write!(
        out,
        "\n{DIM}Each change is judged against the state before it, as if everything earlier had stood. Interfaces,\n\
         gateways, prefix lists and tags are taken as they are in --live: no event tells what they were.{DIM:#}\n"
    );
    out
}

fn head(out: &mut String, report: &Report) {
    let input = &report.input;
    let period = match (&input.first, &input.last) {
        (Some(first), Some(last)) => format!("{} to {}", printable(first), printable(last)),
        _ => "no time".into(),
    };
    let _infallible = writeln!(out, "{BOLD}History{BOLD:#} {period}");
    let _infallible = writeln!(
        out,
        "  {} files, {} records: {} of other services, {} other calls on EC2",
        number(input.files),
        number(input.records),
        number(input.other_services),
        number(input.ec2_other)
    );
    let ignored: Vec<String> = input
        .ignored
        .iter()
        .map(|(reason, count)| format!("{} {reason}", number(*count)))
        .collect();
    if !ignored.is_empty() {
        let _infallible = writeln!(
            out,
            "  network calls that changed nothing: {}",
            ignored.join(", ")
        );
    }
    if input.duplicates > 0 {
        let _infallible = writeln!(
            out,
            "  {} delivered more than once",
            number(input.duplicates)
        );
    }
}

fn outcomes(out: &mut String, report: &Report) {
    let all = &report.outcomes;
    let _infallible = writeln!(
        out,
        "\n{BOLD}{} network changes{BOLD:#}",
        number(all.changes)
    );
    let mut line = |count: u64, what: &str| {
        if count > 0 {
            let _infallible = writeln!(out, "  {:>9}  {what}", number(count));
        }
    };
    line(
        all.reverted,
        &format!("{RED}would have been taken back{RED:#}"),
    );
    line(
        all.alerted,
        &format!("{YELLOW}would have been told{YELLOW:#}"),
    );
    line(
        all.accepted,
        &format!("{GREEN}accepted{GREEN:#}: by principals the policy trusts"),
    );
    line(all.ignored, "out of scope or exempt");
    line(all.nothing, "moved nothing (texts, what was there already)");
    line(
        all.context,
        "on context only (gateways, interfaces, endpoints)",
    );
    line(all.ours, "made with Snapback's own roles");
    line(all.unknown(), "not known:");
    for (reason, count) in &all.not_known {
        let _infallible = writeln!(out, "  {:>9}    {:>7}  {reason}", "", number(*count));
    }
    if report.mode == Mode::Observe
        && let Some(enforced) = &report.enforced
    {
        let _infallible = writeln!(
            out,
            "  The policy observes. In the mode `enforce` {} would have been taken back and {} told.",
            number(enforced.reverted),
            number(enforced.alerted)
        );
    }
    if report.proved_by_event > 0 {
        let _infallible = writeln!(
            out,
            "  {} of them are judged by what the event alone proves, without the state around it.",
            number(report.proved_by_event)
        );
    }
    if report.assumed_new > 0 {
        let _infallible = writeln!(
            out,
            "  {} rest on taking a Create call that succeeded for one that made something new.",
            number(report.assumed_new)
        );
    }
}

/// The last things it would have acted on.
fn acts(out: &mut String, report: &Report) {
    let reverted: Vec<_> = report
        .acts
        .iter()
        .filter(|act| act.outcome == Outcome::Reverted)
        .collect();
    if reverted.is_empty() {
        return;
    }
    let _infallible = writeln!(
        out,
        "\n{BOLD}Would have been taken back{BOLD:#}, the last of {}",
        number(u64::try_from(reverted.len()).unwrap_or(u64::MAX))
    );
    for act in reverted.iter().rev().take(SHOWN) {
        let who = match &act.person {
            Some(person) => format!("{person} as {}", act.principal),
            None => act.principal.clone(),
        };
        let _infallible = writeln!(
            out,
            "  {} {} {DIM}{}{DIM:#} {}",
            act.at,
            printable(&act.api),
            printable(&who),
            act.findings.join(" ")
        );
        for difference in &act.differences {
            let _infallible = writeln!(out, "      {}", printable(difference).replace('\n', " "));
        }
    }
}

fn table(out: &mut String, title: &str, lines: &[Line]) {
    let _infallible = writeln!(
        out,
        "\n{BOLD}{title}{BOLD:#}, {} of {}\n  {DIM}{:>8} {:>8} {:>8} {:>8} {:>9} {:>8}{DIM:#}",
        lines.len().min(SHOWN),
        lines.len(),
        "changes",
        "revert",
        "alert",
        "accept",
        "not known",
        "harmful"
    );
    for line in lines.iter().take(SHOWN) {
        let all = &line.outcomes;
        let _infallible = writeln!(
            out,
            "  {:>8} {:>8} {:>8} {:>8} {:>9} {:>8}  {}",
            number(all.changes),
            number(all.reverted),
            number(all.alerted),
            number(all.accepted),
            number(all.unknown()),
            number(line.harmful),
            printable(&line.name).replace('\n', " ")
        );
    }
}

fn months(out: &mut String, report: &Report) {
    let most = report.months.values().map(|month| month.changes).max();
    let _infallible = writeln!(
        out,
        "\n{BOLD}Months{BOLD:#}\n  {DIM}{:7} {:>8} {:>8} {:>8} {:>8} {:>9}{DIM:#}",
        "", "changes", "revert", "alert", "accept", "not known"
    );
    for (month, all) in &report.months {
        let _infallible = writeln!(
            out,
            "  {month:7} {:>8} {:>8} {:>8} {:>8} {:>9}  {DIM}{}{DIM:#}",
            number(all.changes),
            number(all.reverted),
            number(all.alerted),
            number(all.accepted),
            number(all.unknown()),
            bar(all, most.unwrap_or(1))
        );
    }
}

fn bar(month: &Outcomes, most: u64) -> String {
    let length = month.changes.saturating_mul(24).div_ceil(most.max(1));
    "▪".repeat(usize::try_from(length).unwrap_or(24))
}

fn suggestions(out: &mut String, report: &Report) {
    if report.suggestions.is_empty() {
        return;
    }
    let _infallible = writeln!(
        out,
        "\n{BOLD}Whom one would want to trust{BOLD:#} (for the policy; read them first)\ntrusted:"
    );
    for suggestion in &report.suggestions {
        let _infallible = writeln!(
            out,
            "  - \"{}\" {DIM}# {} changes, {} judged, {} harmful: {}{DIM:#}",
            printable(&suggestion.pattern),
            number(suggestion.changes),
            number(suggestion.judged),
            number(suggestion.harmful),
            suggestion.because
        );
    }
}

fn bad(out: &mut String, report: &Report) {
    if report.bad.is_empty() {
        return;
    }
    let _infallible = writeln!(
        out,
        "\n{RED}{} places could not be read{RED:#}; everything else is counted above",
        number(u64::try_from(report.bad.len()).unwrap_or(u64::MAX))
    );
    for bad in report.bad.iter().take(BAD_SHOWN) {
        let spot = match bad.spot.as_str() {
            "" => String::new(),
            spot => format!(" {spot}"),
        };
        let line = format!("{}:{spot} {}", bad.file, bad.message);
        let _infallible = writeln!(out, "  {}", printable(&line).replace('\n', " "));
    }
    if report.bad.len() > BAD_SHOWN {
        let rest = report.bad.len().saturating_sub(BAD_SHOWN);
        let _infallible = writeln!(out, "  and {rest} more (--format json names all)");
    }
}

/// With a blank between thousands.
fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len().saturating_add(4));
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(index);
        if index > 0 && left.is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
