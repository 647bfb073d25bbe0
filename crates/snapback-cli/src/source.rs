//! State sources: captures, snapshots, describe outputs, folders of them.

mod belonging;
pub mod file;
mod stored;

pub use stored::Capture;

use crate::style;
use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use snapback_model::describe::{Described, Problem as Wrong};
use snapback_model::*;
use std::path::{Path, PathBuf};

/// What the help of every command says about a state source.
pub const HELP: &str = "\
A state (X, Y) is one of: a capture written by `snapback capture`; a snapshot; one output of `aws ec2 describe-…`; \
a folder of such outputs, whatever their names, with the folders in it; `-` for standard input. Each may be gzip data. \
The kind is taken from the top-level key (`SecurityGroups`, `NetworkAcls`, `RouteTables`, …). Each output is taken as \
everything of its kind in one account and Region. A file of a folder that cannot be used is named and the rest is done: \
what it would have held is then not known, nothing is called deleted for it, and the exit code is 2.";

/// Who says that a state of describe outputs is good: nobody said, and not when it was read.
pub const DESCRIBED: &str = "describe output";

/// Which account and Region are meant, where describe outputs are of several.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Choice {
    /// The account, where describe outputs show resources of others too.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// The Region, where outputs of several lie together.
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
}

/// A file that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// What is wrong with it, and where in it.
    pub problem: String,
}

impl Problem {
    fn of(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self {
            file: file::place(path),
            problem: problem.to_string(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

/// A state as it was given: both as something read and as something good.
pub struct State {
    /// As a read.
    pub snapshot: Snapshot,
    /// As baselines.
    pub baselines: Baselines,
    /// Parts of the source that could not be used.
    pub problems: Vec<Problem>,
}

impl State {
    /// Whether the source says anything about resources like this one.
    pub fn knows_of(&self, id: &ResourceId) -> bool {
        self.baselines.by_id.contains_key(id)
            || self.snapshot.resources.contains_key(id)
            || self
                .snapshot
                .coverage
                .iter()
                .any(|coverage| match coverage {
                    Coverage::Kind(kind) => *kind == id.kind(),
                    Coverage::Resource(covered) => covered == id,
                    Coverage::AclsOf(_) | Coverage::TablesOf(_) | Coverage::Subnets => false,
                })
    }

    /// Tells on stderr what of the source could not be used, and what was not understood.
    pub fn tell(&self, side: &str) {
        for problem in &self.problems {
            style::bad_input(&format!("{side}: {problem}"));
        }
        tell_unknown(side, &self.snapshot);
    }
}

/// One describe output that was read.
struct Read {
    path: PathBuf,
    place: String,
    described: Described,
}

/// Reads one state source.
///
/// # Errors
/// A source of which nothing can be used, with file and spot; sources that do not belong together.
pub fn read(path: &Path, choice: &Choice) -> Result<State> {
    read_all(std::slice::from_ref(&path.to_owned()), choice)
}

/// Reads several sources as one state: outputs of the same account and Region. What cannot be used is
/// in the state's `problems`; kinds that are thereby not whole are not covered.
///
/// # Errors
/// Sources of which nothing can be used, with file and spot; sources that do not belong together.
pub fn read_all(paths: &[PathBuf], choice: &Choice) -> Result<State> {
    let now = Timestamp::now();
    let place = paths
        .iter()
        .map(|path| file::place(path))
        .collect::<Vec<_>>()
        .join(", ");
    let mut gathered = Gathered::default();
    for path in file::list(paths, &mut gathered.problems) {
        gathered.add(path, now)?;
    }
    if !gathered.problems.is_empty() {
        // A folder that cannot be read may have held anything.
        gathered.lost.lose(Described::KEYS.iter().copied());
    }
    gathered.problems.append(&mut gathered.broken);
    match gathered.whole {
        Some((_, _)) if !gathered.files.is_empty() => {
            bail!("{place}: a capture or snapshot and describe outputs are mixed; give one kind")
        }
        Some((_, state)) => Ok(State {
            problems: gathered.problems,
            ..*state
        }),
        None if gathered.files.is_empty() => Err(nothing(&place, &gathered.problems)),
        None => together(gathered, &place, choice, now),
    }
}

/// What was found in the files, each by itself.
#[derive(Default)]
struct Gathered {
    files: Vec<Read>,
    whole: Option<(PathBuf, Box<State>)>,
    /// Folders that could not be walked.
    problems: Vec<Problem>,
    /// Files that could not be read.
    broken: Vec<Problem>,
    /// The top-level keys that they may have held.
    lost: Described,
}

impl Gathered {
    fn add(&mut self, path: PathBuf, now: Timestamp) -> Result<()> {
        let place = file::place(&path);
        let text = match file::text(&path) {
            Ok(text) => text,
            Err(problem) => {
                self.broken.push(problem);
                self.lost.lose(Described::KEYS.iter().copied());
                return Ok(());
            }
        };
        match stored::read(&text, &place, now) {
            Ok(Some(state)) => {
                if let Some((other, _)) = &self.whole {
                    let other = other.display();
                    bail!("two captures are not one state: {place} is another than {other}")
                }
                self.whole = Some((path, Box::new(state)));
                return Ok(());
            }
            Ok(None) => {}
            Err(error) => {
                let problem = format!("{error:#}");
                self.broken.push(Problem {
                    file: place,
                    problem,
                });
                return Ok(());
            }
        }
        match Described::from_json(&text, &place) {
            Ok(mut described) => {
                for key in std::mem::take(&mut described.truncated) {
                    let problem = format!(
                        "it ends with a NextToken: pages of {key} are missing, absence proves nothing"
                    );
                    let file = place.clone();
                    self.broken.push(Problem { file, problem });
                    described.lose([key]);
                }
                self.files.push(Read {
                    path,
                    place,
                    described,
                });
            }
            Err(error) => {
                self.lost
                    .lose(Described::keys_lost_with(&error.problem, &text));
                self.broken.push(Problem {
                    problem: explained(&error.problem, &text),
                    file: place,
                });
            }
        }
        Ok(())
    }
}

/// What is wrong with a describe output; what is no JSON at all is shown.
fn explained(problem: &Wrong, text: &str) -> String {
    let begin = text.trim_start();
    match problem {
        Wrong::Syntax { .. } if !begin.starts_with(['{', '[']) => {
            let line: String = begin
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(60)
                .collect();
            format!("{problem}: this is no JSON, it begins with `{line}` (use `--output json`)")
        }
        _ => problem.to_string(),
    }
}

/// The error where nothing is left to be done.
fn nothing(place: &str, problems: &[Problem]) -> anyhow::Error {
    match problems {
        [] => anyhow!("{place}: no files in it"),
        problems => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow!("{}", all.join("\n"))
        }
    }
}

/// One state of all outputs that belong together.
fn together(gathered: Gathered, place: &str, choice: &Choice, now: Timestamp) -> Result<State> {
    let Gathered {
        files,
        mut problems,
        mut lost,
        ..
    } = gathered;
    let taken = belonging::take(files, choice)?;
    for (file, why) in &taken.skipped {
        style::warn(&format!("{file} is left aside: {why}"));
    }
    for (problem, described) in taken.problems {
        problems.push(problem);
        lost.lose(described.present);
    }
    let mut described = Described::default();
    let mut held: Vec<(String, Described)> = Vec::new();
    for file in taken.files {
        described.merge(file.described.clone());
        held.push((file.place, file.described));
    }
    for wrong in described.settle() {
        problems.push(contradiction(&wrong, &held, place));
    }
    described.merge(lost);
    let account = choice.account.clone().map(AccountId::new);
    let scope = described.scope(account.as_ref(), place)?;
    let region = choice.region.clone().map(Region::new).or(scope.region);
    if described.present.is_empty() {
        return Err(nothing(place, &problems));
    }
    let coverage = described.coverage();
    let snapshot = described.into_snapshot(now, coverage, scope.account, region);
    let baselines = Baselines::captured(&snapshot, DESCRIBED, place);
    Ok(State {
        snapshot,
        baselines,
        problems,
    })
}

/// Names the files that contradict each other.
fn contradiction(wrong: &Wrong, files: &[(String, Described)], place: &str) -> Problem {
    let names: Vec<&str> = match wrong {
        Wrong::Contradiction { id, .. } => {
            let both = files
                .iter()
                .filter(|(_, described)| described.describes(id));
            both.map(|(place, _)| place.as_str()).collect()
        }
        _ => Vec::new(),
    };
    Problem {
        file: if names.is_empty() {
            place.to_owned()
        } else {
            names.join(", ")
        },
        problem: wrong.to_string(),
    }
}

/// Tells on stderr what of a state was not understood or not read whole.
pub fn tell_unknown(side: &str, snapshot: &Snapshot) {
    for unknown in &snapshot.unknown {
        style::warn(&format!(
            "{side}: {} {} is not understood and not compared: {}",
            unknown.place, unknown.member, unknown.value
        ));
    }
}
