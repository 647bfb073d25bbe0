//! `decode`: what an event is to us, or the named reason why it is no change.

use crate::outcome::Outcome;
use crate::style::{self, BOLD, DIM, GREEN, RED, YELLOW};
use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};
use snapback_engine::change::{Change, Edits, Interpretation, Own, interpret};
use snapback_engine::event::{self, EventError, Record};
use snapback_model::{AccountId, Region};
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

/// Show what events are to Snapback: the change, or the named reason why there is none.
///
/// A file holds an EventBridge envelope, a CloudTrail record, a CloudTrail log file
/// (`{"Records":[…]}`), an array of them, or one of them a line; `-` is standard input. Exits with 0
/// when every event was understood or named, 2 when something is no event (the rest is still shown).
#[derive(clap::Args)]
pub struct Arguments {
    /// The events.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Name events of other accounts as such.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Name events of other Regions as such.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// An IAM role ARN of Snapback's own functions; may be given more than once.
    #[arg(long, value_name = "ARN")]
    our_role: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: an array, one object for each event.
    Json,
}

/// One place in the input and what was found there.
struct Found {
    file: String,
    index: usize,
    record: Result<Box<Record>, Failure>,
}

/// Why there is no event, and where.
enum Failure {
    File(String),
    Json {
        line: usize,
        column: usize,
        message: String,
    },
    Member {
        path: String,
        problem: String,
    },
}

/// Decodes every file and prints what it found.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let own = Own {
        account: arguments.account.as_deref().map(AccountId::new),
        region: arguments.region.as_deref().map(Region::new),
        roles: arguments.our_role.iter().cloned().collect(),
        ..Own::default()
    };
    let found: Vec<Found> = arguments
        .files
        .iter()
        .flat_map(|file| decode(file))
        .collect();
    let mut out = anstream::stdout().lock();
    if matches!(arguments.format, Format::Json) {
        let list: Vec<Value> = found.iter().map(|found| as_json(found, &own)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
    }
    let mut outcome = Outcome::Clean;
    for Found {
        file,
        index,
        record,
    } in &found
    {
        match record {
            Ok(record) if matches!(arguments.format, Format::Text) => {
                out.write_all(as_text(file, *index, record, &interpret(record, &own)).as_bytes())?;
            }
            Ok(_) => {}
            Err(failure) => {
                outcome = Outcome::BadInput;
                style::error(&anyhow::anyhow!("{}", place(file, *index, failure)));
            }
        }
    }
    out.flush()?;
    Ok(outcome)
}

/// The only event of a file.
///
/// # Errors
/// A file that cannot be read, is no event or holds several, with the spot.
pub fn only(file: &Path) -> Result<Record> {
    let mut found = decode(file);
    match (found.pop(), found.len()) {
        (
            Some(Found {
                record: Ok(record), ..
            }),
            0,
        ) => Ok(*record),
        (
            Some(Found {
                file,
                index,
                record: Err(failure),
            }),
            0,
        ) => Err(anyhow::anyhow!("{}", place(&file, index, &failure))),
        (Some(Found { file, .. }), more) => Err(anyhow::anyhow!(
            "{file}: {} events: give one",
            more.saturating_add(1)
        )),
        (None, _) => Err(anyhow::anyhow!("{}: no event in it", file.display())),
    }
}

fn decode(file: &Path) -> Vec<Found> {
    let name = if file == Path::new("-") {
        "<stdin>".to_owned()
    } else {
        file.display().to_string()
    };
    let bytes = match read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            return vec![Found {
                file: name,
                index: 0,
                record: Err(Failure::File(error.to_string())),
            }];
        }
    };
    events(&bytes)
        .into_iter()
        .enumerate()
        .map(|(index, record)| Found {
            file: name.clone(),
            index,
            record: record.map(Box::new),
        })
        .collect()
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The events of one file, whatever it holds.
fn events(bytes: &[u8]) -> Vec<Result<Record, Failure>> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return vec![Err(Failure::File(
            "is compressed: pass it through `gunzip -c` first".into(),
        ))];
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(mut map)) => match map.remove("Records") {
            Some(Value::Array(records)) => elements(records, "Records"),
            Some(other) => {
                map.insert("Records".into(), other);
                vec![one(Value::Object(map), "")]
            }
            None => vec![one(Value::Object(map), "")],
        },
        Ok(Value::Array(records)) => elements(records, ""),
        Ok(other) => vec![one(other, "")],
        Err(error) => lines(bytes).unwrap_or_else(|| vec![Err(not_json(&error, 0))]),
    }
}

fn elements(records: Vec<Value>, path: &str) -> Vec<Result<Record, Failure>> {
    records
        .into_iter()
        .enumerate()
        .map(|(index, record)| one(record, &format!("{path}[{index}]")))
        .collect()
}

/// One event a line; `None` when no line is JSON by itself, so that it was one broken document.
fn lines(bytes: &[u8]) -> Option<Vec<Result<Record, Failure>>> {
    let mut is_lines = false;
    let mut events = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        events.push(match serde_json::from_slice::<Value>(line) {
            Ok(value) => {
                is_lines |= value.is_object();
                one(value, &format!("line {}: ", number.saturating_add(1)))
            }
            Err(error) => Err(not_json(&error, number)),
        });
    }
    is_lines.then_some(events)
}

fn one(value: Value, at: &str) -> Result<Record, Failure> {
    event::from_value(value).map_err(|error| match error {
        EventError::NotJson {
            line,
            column,
            message,
        } => Failure::Json {
            line,
            column,
            message,
        },
        EventError::Malformed { path, problem } => {
            let path = match (at, path.as_str()) {
                ("", _) => path,
                (at, "$") => at.trim_end_matches(": ").to_owned(),
                (at, _) if at.ends_with(']') => format!("{at}.{path}"),
                (at, _) => format!("{at}{path}"),
            };
            Failure::Member { path, problem }
        }
    })
}

fn not_json(error: &serde_json::Error, lines_before: usize) -> Failure {
    match EventError::not_json(error) {
        EventError::NotJson {
            line,
            column,
            message,
        } => Failure::Json {
            line: line.saturating_add(lines_before),
            column,
            message,
        },
        EventError::Malformed { path, problem } => Failure::Member { path, problem },
    }
}

fn place(file: &str, index: usize, failure: &Failure) -> String {
    match failure {
        Failure::File(message) => format!("{file}: {message}"),
        Failure::Json {
            line,
            column,
            message,
        } => format!("{file}:{line}:{column}: not JSON: {message}"),
        Failure::Member { path, problem } => {
            format!("{file}: event {index} is no CloudTrail event: `{path}` {problem}")
        }
    }
}

fn as_json(found: &Found, own: &Own) -> Value {
    let Found {
        file,
        index,
        record,
    } = found;
    match record {
        Ok(record) => json!({
            "file": file,
            "index": index,
            "event": {
                "id": record.id, "name": record.name, "source": record.source, "at": record.at,
                "account": record.account, "region": record.region, "request": record.request,
                "error": record.error, "arrived": record.arrived, "addendum": record.addendum,
            },
            "interpretation": interpret(record, own),
        }),
        Err(failure) => json!({
            "file": file,
            "index": index,
            "error": match failure {
                Failure::File(message) => json!({"message": message}),
                Failure::Json { line, column, message } => json!({"line": line, "column": column, "message": message}),
                Failure::Member { path, problem } => json!({"path": path, "message": problem}),
            },
        }),
    }
}

/// One event for a person: a head line, who, what.
fn as_text(file: &str, index: usize, record: &Record, interpretation: &Interpretation) -> String {
    let told =
        |text: &dyn std::fmt::Display| style::printable(&text.to_string()).replace('\n', " ");
    let place = if index == 0 {
        file.to_owned()
    } else {
        format!("{file}[{index}]")
    };
    let mut lines = vec![format!(
        "{BOLD}{}{BOLD:#} {} in {} {DIM}{}{DIM:#}",
        told(&record.name),
        record.at,
        told(&record.region),
        told(&place)
    )];
    match interpretation {
        Interpretation::Ignored(reason) => {
            lines.push(format!("  {GREEN}no change{GREEN:#}: {}", told(reason)))
        }
        Interpretation::Change(change) => lines.extend(change_text(change, &told)),
        Interpretation::WithOurRole(change) => {
            lines.push(format!(
                "  {RED}made with our role{RED:#}: ours only if the journal knows request {}",
                {
                    told(
                        &change
                            .request
                            .as_ref()
                            .map_or("(none)", |request| request.as_str()),
                    )
                }
            ));
            lines.extend(change_text(change, &told));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn change_text(change: &Change, told: &dyn Fn(&dyn std::fmt::Display) -> String) -> Vec<String> {
    let mut lines = vec![format!("  by {}", told(&change.actor))];
    let touched: Vec<String> = change.touched.iter().map(|touched| told(touched)).collect();
    match &change.edits {
        Edits::Known(edits) => lines.extend(
            edits
                .iter()
                .map(|edit| format!("  {RED}change{RED:#}: {}", told(edit))),
        ),
        Edits::Unknown { why } => lines.push(format!(
            "  {YELLOW}change, not told{YELLOW:#}: {}; the live state decides",
            told(why)
        )),
        Edits::Context => lines.push(format!(
            "  {YELLOW}context{YELLOW:#}: no guarded resource itself is edited"
        )),
    }
    if !touched.is_empty() {
        lines.push(format!("  {DIM}look at{DIM:#} {}", touched.join(", ")));
    }
    lines
}

#[cfg(test)]
#[path = "decode/tests.rs"]
mod tests;
