//! `can`: would this packet pass, hop by hop, with the rule that decides at each.

use crate::diff::belong_together;
use crate::outcome::Outcome;
use crate::source::{self, Choice, State};
use crate::style::{self, BOLD, DIM, GREEN, RED, YELLOW};
use anstyle::Style;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::ValueEnum;
use serde_json::{Value, json};
use snapback_engine::diff::{ResourceDiff, diff};
use snapback_model::*;
use snapback_reach::path::{Endpoint, L4, Outcome as Fate, Path, Step, Verdict, Way};
use snapback_reach::{Exactness, Network};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// Tell whether a packet would pass from one place to another, and its reply back: hop by hop, with
/// the rule, entry or route that decides at each.
///
/// A place is an interface (`eni-…`), an instance (`i-…`), some host of a subnet (`subnet-…`), some
/// interface that carries a group (`sg-…`), an IP address, or `internet`.
///
/// Exits with 0 when it passes, 1 when it does not or only for some ports of the client, 3 when too
/// little was read to tell, 2 when the input is bad.
#[derive(clap::Args)]
#[command(after_help = source::HELP)]
pub struct Arguments {
    /// Where the packet comes from.
    source: String,
    /// Where it goes to.
    destination: String,
    /// The destination port of tcp and udp.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// tcp, udp, icmp or icmpv6 (an echo request, or `icmp:TYPE/CODE`), or a protocol number.
    #[arg(long, value_name = "NAME", default_value = "tcp")]
    protocol: String,
    /// The state found.
    #[arg(long, value_name = "X", required_unless_present = "baseline")]
    live: Option<PathBuf>,
    /// The last-known-good state: asked where there is no live state, compared with `--changed`.
    #[arg(long, value_name = "Y")]
    baseline: Option<PathBuf>,
    /// Tell whether it was otherwise in the baseline, and through which difference.
    #[arg(long, requires = "live", requires = "baseline")]
    changed: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Whose states they are.
    #[command(flatten)]
    choice: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: an object with `outcome`, `steps[]`, `unknown[]`.
    Json,
}

/// The same question asked of the baseline, and what differs on the way.
struct Before {
    /// Its answer there; an end that was not there yet has none.
    path: Result<Path, String>,
    /// Differences of the resources that decide where the two paths are not alike.
    diffs: Vec<ResourceDiff>,
}

/// Runs the command.
///
/// # Errors
/// Sources that cannot be read, ends that are not in the state, a protocol without its port.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let read = |path: &Option<PathBuf>| {
        let state = path
            .as_ref()
            .map(|path| source::read(path, &arguments.choice));
        state.transpose()
    };
    let l4 = l4(&arguments.protocol, arguments.port)?;
    let end = |text: &str| text.parse::<Endpoint>().map_err(|error| anyhow!("{error}"));
    let (from, to) = (end(&arguments.source)?, end(&arguments.destination)?);
    let (live, baseline) = (read(&arguments.live)?, read(&arguments.baseline)?);
    let (side, asked) = match (&live, &baseline) {
        (Some(live), _) => ("live", live),
        (None, Some(baseline)) => ("baseline", baseline),
        (None, None) => bail!("no state: give --live or --baseline"),
    };
    asked.tell(side);
    let path = Network::of(&asked.snapshot)
        .trace(&from, &to, l4)
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| format!("the {side} state"))?;
    let before = match (&live, &baseline) {
        (Some(live), Some(baseline)) if arguments.changed => {
            belong_together(&baseline.snapshot, &live.snapshot)?;
            baseline.tell("baseline");
            Some(before(live, baseline, &path, |network| {
                network.trace(&from, &to, l4)
            }))
        }
        _ => None,
    };
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Text => text(&mut out, &path, before.as_ref())?,
        Format::Json => writeln!(out, "{:#}", to_json(&path, before.as_ref()))?,
    }
    if !asked.problems.is_empty() {
        return Ok(Outcome::BadInput);
    }
    Ok(match path.outcome {
        Fate::Passes => Outcome::Clean,
        Fate::Partly | Fate::Blocked => Outcome::Differs,
        Fate::Unknown => Outcome::Unknown,
    })
}

/// The protocol and point that the arguments name.
fn l4(protocol: &str, port: Option<u16>) -> Result<L4> {
    let (name, rest) = protocol.split_once(':').unwrap_or((protocol, ""));
    let number = match name.to_ascii_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        "icmpv6" => 58,
        other => other.parse().map_err(|_| {
            anyhow!("--protocol {protocol}: not tcp, udp, icmp, icmpv6 or a number from 0 to 255")
        })?,
    };
    let bad =
        || anyhow!("--protocol {protocol}: {name} takes TYPE or TYPE/CODE, each from 0 to 255");
    let point = match number {
        6 | 17 => port.ok_or_else(|| anyhow!("--port is needed for {name}"))?,
        _ if port.is_some() => bail!("--port means nothing for protocol {protocol}"),
        1 | 58 if rest.is_empty() => {
            if number == 1 {
                0x0800
            } else {
                0x8000
            }
        }
        1 | 58 => {
            let (kind, code) = rest.split_once('/').unwrap_or((rest, "0"));
            let byte = |text: &str| text.parse::<u8>().map_err(|_| bad());
            u16::from_be_bytes([byte(kind)?, byte(code)?])
        }
        _ => 0,
    };
    Ok(L4 {
        protocol: number,
        point,
    })
}

fn before(
    live: &State,
    baseline: &State,
    path: &Path,
    trace: impl Fn(&Network<'_>) -> Result<Path, snapback_reach::path::Unresolved>,
) -> Before {
    let was = trace(&Network::of(&baseline.snapshot)).map_err(|error| error.to_string());
    let mut only: BTreeSet<ResourceId> = BTreeSet::new();
    if let Ok(was) = &was {
        only.extend(unlike(path, was).into_iter().flat_map(deciding));
        only.extend(unlike(was, path).into_iter().flat_map(deciding));
    }
    only.retain(|id| live.knows_of(id) && baseline.knows_of(id));
    Before {
        path: was,
        diffs: diff(&baseline.baselines, &live.snapshot, Some(&only)),
    }
}

fn deciding(step: &Step) -> Vec<ResourceId> {
    step.resources.clone()
}

/// Mark and colour of a verdict.
fn mark(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Passes => (style::mark("✓", "+"), GREEN),
        Verdict::Partly => (style::mark("◐", "~"), YELLOW),
        Verdict::Unknown => ("?", YELLOW),
        Verdict::Blocked => (style::mark("✗", "x"), RED),
    }
}

fn verdict_of(fate: Fate) -> Verdict {
    match fate {
        Fate::Passes => Verdict::Passes,
        Fate::Partly => Verdict::Partly,
        Fate::Unknown => Verdict::Unknown,
        Fate::Blocked => Verdict::Blocked,
    }
}

/// What comes of it, in one sentence.
fn headline(path: &Path) -> String {
    let l4 = path.packet.l4;
    match path.outcome {
        Fate::Passes => match &path.part {
            Some(_) => format!("{l4} passes, for part of the internet"),
            None => format!("{l4} passes, and its reply comes back"),
        },
        Fate::Partly => format!("{l4} passes, but replies come back to some client ports only"),
        Fate::Unknown => {
            let gaps = path.exactness.gaps().map(|gap| gap.words.as_str());
            let first = gaps.take(1).collect::<String>();
            format!("{l4}: nothing that was read stops it, but {first}")
        }
        Fate::Blocked => {
            let step = path.blocked_at();
            let by = step.map_or(String::new(), |step| {
                let whose = match step.way {
                    Way::Request => "stopped",
                    Way::Reply => "its reply is stopped",
                };
                format!(": {whose} by {} {}", step.stage, step.at)
            });
            format!("{l4} does not pass{by}")
        }
    }
}

fn text(out: &mut impl Write, path: &Path, before: Option<&Before>) -> Result<()> {
    let (sign, colour) = mark(verdict_of(path.outcome));
    writeln!(
        out,
        "{colour}{sign} {BOLD}{}{BOLD:#}{colour:#}",
        style::printable(&headline(path))
    )?;
    writeln!(out, "  {DIM}from{DIM:#} {}", style::printable(&path.source))?;
    writeln!(
        out,
        "  {DIM}to{DIM:#}   {}",
        style::printable(&path.destination)
    )?;
    if let Some(part) = &path.part {
        let networks: Vec<String> = part.networks().iter().map(ToString::to_string).collect();
        writeln!(out, "  {DIM}part{DIM:#} {}", few(&networks, 6))?;
    }
    let stages = path.steps.iter().map(|step| step.stage.to_string().len());
    let width = stages.max().unwrap_or(0);
    for (way, title) in [(Way::Request, "there"), (Way::Reply, "back")] {
        let steps: Vec<&Step> = path.steps.iter().filter(|step| step.way == way).collect();
        if !steps.is_empty() {
            writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        }
        for step in steps {
            line(out, step, width)?;
        }
    }
    let gaps = path.exactness.words();
    if !gaps.is_empty() {
        writeln!(out, "\n{BOLD}not known{BOLD:#}")?;
    }
    for gap in gaps {
        writeln!(out, "  {YELLOW}?{YELLOW:#} {}", style::printable(&gap))?;
    }
    match before {
        Some(before) => compared(out, path, before),
        None => Ok(()),
    }
}

fn line(out: &mut impl Write, step: &Step, width: usize) -> Result<()> {
    let (sign, colour) = mark(step.verdict);
    let stage = step.stage.to_string();
    writeln!(
        out,
        "  {colour}{sign}{colour:#} {stage:<width$} {}",
        style::printable(&step.words)
    )?;
    Ok(())
}

fn few(all: &[String], most: usize) -> String {
    let shown: Vec<&str> = all.iter().take(most).map(String::as_str).collect();
    let more = all.len().saturating_sub(most);
    let rest = if more > 0 {
        format!(" and {more} networks more")
    } else {
        String::new()
    };
    format!("{}{rest}", shown.join(", "))
}

/// The steps of one path that the other does not have alike.
fn unlike<'a>(one: &'a Path, other: &Path) -> Vec<&'a Step> {
    let alike = |step: &Step, known: &Step| {
        (
            step.way,
            step.stage,
            &step.at,
            step.verdict,
            &step.rule,
            &step.replies,
        ) == (
            known.way,
            known.stage,
            &known.at,
            known.verdict,
            &known.rule,
            &known.replies,
        )
    };
    let steps = one.steps.iter();
    steps
        .filter(|step| !other.steps.iter().any(|known| alike(step, known)))
        .collect()
}

fn compared(out: &mut impl Write, path: &Path, before: &Before) -> Result<()> {
    writeln!(out, "\n{BOLD}changed{BOLD:#}")?;
    let was = match &before.path {
        Ok(was) => was,
        Err(error) => {
            writeln!(
                out,
                "  {YELLOW}~{YELLOW:#} in the baseline: {}",
                style::printable(error)
            )?;
            return Ok(());
        }
    };
    let (sign, colour) = mark(verdict_of(was.outcome));
    let same = if was.outcome == path.outcome {
        "also "
    } else {
        ""
    };
    writeln!(
        out,
        "  {colour}{sign}{colour:#} {same}in the baseline: {}",
        style::printable(&headline(was))
    )?;
    for (sign, style, steps) in [
        ("-", GREEN, unlike(was, path)),
        ("+", RED, unlike(path, was)),
    ] {
        for step in steps {
            let words = style::printable(&step.words);
            writeln!(out, "  {style}{sign}{style:#} {} {words}", step.stage)?;
        }
    }
    for diff in &before.diffs {
        for difference in &diff.differences {
            writeln!(
                out,
                "  {YELLOW}~{YELLOW:#} {}: {}",
                style::printable(&diff.label),
                style::printable(&difference.describe())
            )?;
        }
    }
    Ok(())
}

fn to_json(path: &Path, before: Option<&Before>) -> Value {
    let mut json = path_json(path);
    let Some(before) = before else { return json };
    let differences = before.diffs.iter().flat_map(|diff| {
        let of = diff.differences.iter();
        of.map(|one| json!({ "resource": diff.resource, "element": one.element(), "text": one.describe() }))
    });
    let changed = json!({
        "outcome": before.path.as_ref().map(|was| was.outcome.to_string()).ok(),
        "error": before.path.as_ref().err(),
        "baseline": before.path.as_ref().map(path_json).ok(),
        "differs": before.path.as_ref().map_or(true, |was| was.outcome != path.outcome),
        "steps": before.path.as_ref().map(|was| json!({
            "only_baseline": unlike(was, path).into_iter().map(step_json).collect::<Vec<_>>(),
            "only_live": unlike(path, was).into_iter().map(step_json).collect::<Vec<_>>(),
        })).ok(),
        "differences": differences.collect::<Vec<_>>(),
    });
    if let Some(members) = json.as_object_mut() {
        members.insert("changed".into(), changed);
    }
    json
}

fn path_json(path: &Path) -> Value {
    let part = path.part.as_ref().map(|part| part.networks());
    json!({
        "outcome": path.outcome.to_string(),
        "text": headline(path),
        "source": path.source,
        "destination": path.destination,
        "packet": {
            "source": path.packet.source,
            "destination": path.packet.destination,
            "protocol": path.packet.l4.protocol,
            "point": path.packet.l4.point,
            "text": path.packet.l4.to_string(),
        },
        "part": part.map(|networks| networks.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "steps": path.steps.iter().map(step_json).collect::<Vec<_>>(),
        "unknown": unknown_json(&path.exactness),
    })
}

fn step_json(step: &Step) -> Value {
    let replies = step.replies.iter().map(|(range, open)| {
        let (from, to) = range.ports();
        json!({ "client": range.to_string(), "from": from, "to": to, "open": open })
    });
    json!({
        "way": step.way.to_string(),
        "stage": step.stage.to_string(),
        "at": step.at,
        "resources": step.resources,
        "verdict": step.verdict.to_string(),
        "rule": step.rule,
        "text": step.words,
        "replies": replies.collect::<Vec<_>>(),
        "unknown": unknown_json(&step.exactness),
    })
}

fn unknown_json(exactness: &Exactness) -> Value {
    let gaps = exactness.gaps();
    let gaps = gaps.map(|gap| {
        json!({ "what": gap.what.to_string(), "errs": gap.errs.to_string(), "text": gap.words })
    });
    Value::Array(gaps.collect())
}
