//! `capture`: takes a state for good.

use crate::outcome::Outcome;
use crate::policy;
use crate::source::{self, Capture, Choice};
use crate::style;
use anyhow::{Context, Result, bail};
use snapback_engine::finding;
use snapback_engine::policy::Policy;
use snapback_model::Snapshot;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Store the present state as last-known-good, in a file.
///
/// What is already dangerous in it is told on stderr: it is captured all the same. Where a file cannot
/// be used, or pages are missing, nothing is captured, unless `--partial` is given.
#[derive(clap::Args)]
#[command(after_help = source::HELP)]
pub struct Arguments {
    /// Describe outputs, or folders of them (all of one account and Region); or the word `aws`: the
    /// account and Region of your AWS credentials (only where built with `--features aws`).
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    from: Vec<PathBuf>,
    /// The capture file to write; `-` for standard output.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Who says that this state is good [default: the user running this].
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Why it is good.
    #[arg(long, value_name = "WHY", default_value = "captured")]
    why: String,
    /// Capture what can be read though some of the input cannot: what is missing is then not guarded.
    #[arg(long)]
    partial: bool,
    /// The policy whose `required-tags` every resource should carry.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Whose state it is.
    #[command(flatten)]
    choice: Choice,
}

/// Runs the command.
///
/// # Errors
/// Sources that cannot be read, an output that cannot be written.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let policy = policy::read_or_default(arguments.policy.as_deref())?;
    let (snapshot, problems) = if is_live(&arguments.from) {
        let snapshot = live(&arguments.choice)?;
        source::tell_unknown("capture", &snapshot);
        (snapshot, Vec::new())
    } else {
        let state = source::read_all(&arguments.from, &arguments.choice)?;
        state.tell("capture");
        (state.snapshot, state.problems)
    };
    if !problems.is_empty() && !arguments.partial {
        bail!(
            "nothing was captured: {} of the input could not be used (see above); mend it, or give --partial to guard the rest only",
            plural(problems.len(), "part")
        );
    }
    if snapshot.resources.is_empty() {
        bail!("nothing to capture: no security group, network ACL or route table in the input");
    }
    tell_dangers(&snapshot, &policy);
    let by = arguments.by.clone().unwrap_or_else(user);
    let count = snapshot.resources.len();
    let capture = Capture::of(snapshot, &problems, &by, &arguments.why);
    let text = serde_json::to_string_pretty(&capture)? + "\n";
    write(&arguments.output, &text)?;
    style::warn(&format!("captured {}", plural(count, "resource")));
    Ok(if problems.is_empty() {
        Outcome::Clean
    } else {
        Outcome::BadInput
    })
}

fn plural(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// Whether the account itself is asked for: the word `aws`, unless a file is named so.
fn is_live(from: &[PathBuf]) -> bool {
    matches!(from, [only] if only == Path::new("aws") && !only.exists())
}

#[cfg(feature = "aws")]
fn live(choice: &Choice) -> Result<Snapshot> {
    let account = choice.account.clone().map(snapback_model::AccountId::new);
    let region = choice.region.clone().map(snapback_model::Region::new);
    crate::account::read(account.as_ref(), region.as_ref())
}

#[cfg(not(feature = "aws"))]
fn live(_: &Choice) -> Result<Snapshot> {
    bail!(
        "this build does not talk to AWS: give outputs of `aws ec2 describe-…`, or build with `--features aws`"
    )
}

/// Reports what is dangerous before anything has changed.
fn tell_dangers(snapshot: &Snapshot, policy: &Policy) {
    for finding in finding::audit(snapshot, &policy.house(snapshot.observed_at)) {
        style::warn(&format!(
            "already dangerous: {} {} on {} ({}): {}. {}",
            finding.severity,
            finding.code,
            finding.subject,
            finding.element,
            finding.meaning,
            finding.advice
        ));
    }
}

/// The user running this.
pub fn user() -> String {
    ["USER", "USERNAME", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| "somebody at the command line".to_owned())
}

/// Writes the whole file or leaves the old one: a half-written baseline would be a false one.
fn write(path: &Path, text: &str) -> Result<()> {
    if path == Path::new("-") {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        return Ok(stdout.flush()?);
    }
    let mut name = path
        .file_name()
        .with_context(|| format!("{}: no file name", path.display()))?
        .to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    std::fs::write(&partial, text).with_context(|| partial.display().to_string())?;
    std::fs::rename(&partial, path).with_context(|| path.display().to_string())
}
