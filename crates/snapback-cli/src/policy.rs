//! `policy check`: what a policy file says, before it is deployed; and its reading for other commands.

use crate::outcome::Outcome;
use crate::style::{self, BOLD, DIM};
use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use snapback_engine::policy::{Exception, Policy, PolicyError, Setting};
use snapback_model::Timestamp;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Work on policy files.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a policy strictly and show what counts: every key with its value.
    ///
    /// Exits with 0 when the file is a policy, with 2 and the line and column of the first slip when
    /// it is none. Exceptions that are over are noted.
    Check(Check),
}

#[derive(clap::Args)]
struct Check {
    /// The policy.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: an object with `settings[]` and `expired[]`, or with `error`.
    Json,
}

/// Reads a policy file.
///
/// # Errors
/// A file that cannot be read; the first slip, as `FILE:LINE:COLUMN: what is wrong`.
pub fn read(file: &Path) -> Result<Policy> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("{shown}: not read"))?;
    Policy::from_yaml(&text, &shown.to_string()).map_err(|error| match &error {
        PolicyError::Yaml {
            line,
            column,
            message,
            ..
        } => {
            let words = format!("{shown}:{line}:{column}: {message}");
            anyhow::Error::new(error).context(words)
        }
        PolicyError::Variable { .. } => anyhow::Error::new(error),
    })
}

/// Reads the policy where a file is given; else what counts without one, which observes.
///
/// # Errors
/// See [`read`].
pub fn read_or_default(file: Option<&Path>) -> Result<Policy> {
    file.map_or_else(|| Ok(Policy::default()), read)
}

/// Runs the command.
///
/// # Errors
/// The file is not read or no policy, or the output cannot be written.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let Command::Check(check) = &arguments.command;
    let file = &check.file;
    let policy = match (read(file), check.format) {
        (Ok(policy), _) => policy,
        (Err(error), Format::Text) => return Err(error),
        (Err(error), Format::Json) => {
            print(&json!({ "file": file, "error": slip(&error) }))?;
            return Ok(Outcome::BadInput);
        }
    };
    let expired = expired(&policy, Timestamp::now());
    match check.format {
        Format::Json => print(&json!({
            "file": file,
            "settings": policy.settings().iter().map(setting).collect::<Vec<_>>(),
            "expired": expired,
        }))?,
        Format::Text => {
            text(&policy)?;
            for exception in expired {
                style::warn(&format!(
                    "this exception is over and counts no longer: {exception}"
                ));
            }
        }
    }
    Ok(Outcome::Clean)
}

fn expired(policy: &Policy, now: Timestamp) -> Vec<&Exception> {
    let exceptions = policy.exceptions.iter();
    exceptions
        .filter(|exception| !exception.holds_at(now))
        .collect()
}

fn print(value: &Value) -> Result<()> {
    Ok(writeln!(anstream::stdout().lock(), "{value:#}")?)
}

fn setting(setting: &Setting) -> Value {
    json!({ "key": setting.key, "value": setting.value, "default": setting.is_default })
}

/// Where and what a slip is.
fn slip(error: &anyhow::Error) -> Value {
    match error.downcast_ref::<PolicyError>() {
        Some(PolicyError::Yaml {
            line,
            column,
            message,
            ..
        }) => json!({ "line": line, "column": column, "message": message }),
        Some(PolicyError::Variable { .. }) | None => json!({ "message": format!("{error:#}") }),
    }
}

fn text(policy: &Policy) -> Result<()> {
    let settings = policy.settings();
    let width = settings.iter().map(|setting| setting.key.len()).max();
    let width = width.unwrap_or_default();
    let mut out = anstream::stdout().lock();
    for Setting {
        key,
        value,
        is_default,
    } in &settings
    {
        let items = items(value);
        let mark = if *is_default { " (default)" } else { "" };
        let first = items.first().map_or("none", String::as_str);
        let first = style::printable(first);
        writeln!(out, "{BOLD}{key:width$}{BOLD:#}  {first}{DIM}{mark}{DIM:#}")?;
        for item in items.iter().skip(1) {
            writeln!(out, "{:width$}  {}", "", style::printable(item))?;
        }
    }
    Ok(())
}

/// A value as people read it, one line for each item of a list.
fn items(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(word) => vec![word.clone()],
        Value::Array(list) => list.iter().flat_map(items).collect(),
        Value::Object(members) => {
            let told = members.iter().filter(|(_, value)| !value.is_null());
            let words = told.map(|(name, value)| format!("{name}: {}", items(value).join(", ")));
            vec![words.collect::<Vec<_>>().join(", ")]
        }
        other => vec![other.to_string()],
    }
}
