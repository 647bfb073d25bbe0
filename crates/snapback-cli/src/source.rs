//! State sources: captures, snapshots, describe outputs, folders of them.

use crate::style;
use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapback_model::describe::Described;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What the help of every command says about a state source.
pub const HELP: &str = "\
A state (X, Y) is one of: a capture written by `snapback capture`; a snapshot; one output of `aws ec2 describe-…`; \
a folder of such outputs, whatever their names; `-` for standard input. The kind is taken from the top-level key \
(`SecurityGroups`, `NetworkAcls`, `RouteTables`, …). Each output is taken as everything of its kind in one account \
and Region. If one file of a folder is bad, nothing is done with the others.";

/// The version of [`Capture`]'s stored form.
const CAPTURE_SCHEMA: u32 = 1;

/// A capture file: baselines with what they were read from.
#[derive(Serialize, Deserialize)]
pub struct Capture {
    /// Version of this form; absent in a bare set of baselines.
    #[serde(default)]
    schema: u32,
    /// The account, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    /// The Region, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
    /// When the state was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed_at: Option<Timestamp>,
    /// What was read completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coverage: Option<BTreeSet<Coverage>>,
    /// The baselines.
    by_id: BTreeMap<ResourceId, Baseline>,
    /// Their context.
    #[serde(default)]
    topology: Topology,
    /// What was not understood when it was captured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Unknown>,
}

impl Capture {
    /// Everything of a snapshot, taken for good.
    pub fn of(snapshot: Snapshot, by: &str, why: &str) -> Self {
        let Baselines { by_id, topology } = Baselines::captured(&snapshot, by, why);
        Self {
            schema: CAPTURE_SCHEMA,
            account: snapshot.account,
            region: snapshot.region,
            observed_at: Some(snapshot.observed_at),
            coverage: Some(snapshot.coverage),
            by_id,
            topology,
            unknown: snapshot.unknown,
        }
    }

    /// The state that is captured. A bare set of baselines is taken as everything of its kinds.
    fn snapshot(&self, now: Timestamp) -> Snapshot {
        let states = self
            .by_id
            .values()
            .filter_map(|baseline| baseline.state.as_ref());
        let mut handles = Handles::default();
        for baseline in self.by_id.values() {
            handles.extend(baseline.handles.clone());
        }
        let kinds = || {
            self.by_id
                .keys()
                .map(|id| Coverage::Kind(id.kind()))
                .collect()
        };
        Snapshot {
            account: self.account.clone(),
            region: self.region.clone(),
            coverage: self.coverage.clone().unwrap_or_else(kinds),
            resources: states.map(|state| (state.id(), state.clone())).collect(),
            handles,
            topology: self.topology.clone(),
            unknown: self.unknown.clone(),
            ..Snapshot::empty(self.observed_at.unwrap_or(now))
        }
    }
}

/// A state as it was given: both as something read and as something good.
pub struct State {
    /// As a read.
    pub snapshot: Snapshot,
    /// As baselines.
    pub baselines: Baselines,
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
}

/// Reads one state source.
///
/// # Errors
/// What cannot be read, with file and spot.
pub fn read(path: &Path, account: Option<&AccountId>) -> Result<State> {
    read_all(std::slice::from_ref(&path.to_owned()), account)
}

/// Reads several sources as one state: outputs of the same account and Region.
///
/// # Errors
/// What cannot be read, with file and spot; nothing is used then.
pub fn read_all(paths: &[PathBuf], account: Option<&AccountId>) -> Result<State> {
    let now = Timestamp::now();
    let place = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let mut described = Described::default();
    let mut described_any = false;
    let mut whole: Option<State> = None;
    for file in files(paths)? {
        match parse(&file, now)? {
            Part::Described(part) => {
                described_any = true;
                described.merge(*part);
            }
            Part::Whole(_) if whole.is_some() => {
                bail!(
                    "{place}: two captures are not one state: {} is another",
                    file.display()
                )
            }
            Part::Whole(state) => whole = Some(*state),
        }
    }
    match whole {
        Some(_) if described_any => {
            bail!("{place}: a capture or snapshot and describe outputs are mixed; give one kind")
        }
        Some(state) => Ok(state),
        None if !described_any => bail!("{place}: no files in it"),
        None => {
            let scope = described.scope(account, &place).with_context(shared)?;
            let coverage = described.coverage();
            let snapshot = described.into_snapshot(now, coverage, scope.account, scope.region);
            let baselines = Baselines::captured(&snapshot, "describe output", &place);
            Ok(State {
                snapshot,
                baselines,
            })
        }
    }
}

/// What to do when outputs belong to several accounts.
fn shared() -> &'static str {
    "cannot tell whose state this is (if some of it is only shared with you, name your account: --account)"
}

/// The files of the sources, in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
            let entry = entry.with_context(|| path.display().to_string())?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.path().is_dir() {
                bail!(
                    "{}: a folder inside a folder of describe outputs; give it by itself",
                    entry.path().display()
                );
            }
            inside.push(entry.path());
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

enum Part {
    Described(Box<Described>),
    Whole(Box<State>),
}

fn parse(path: &Path, now: Timestamp) -> Result<Part> {
    let (text, place) = text(path)?;
    let members: Option<BTreeMap<String, Value>> = serde_json::from_str(&text).ok();
    let has = |member: &str| {
        members
            .as_ref()
            .is_some_and(|members| members.contains_key(member))
    };
    if has("by_id") {
        let capture: Capture = stored(&text, &place)?;
        known_schema(&place, "capture", capture.schema, CAPTURE_SCHEMA)?;
        for baseline in capture.by_id.values() {
            known_schema(&place, "baseline", baseline.schema, BASELINE_SCHEMA)?;
        }
        let snapshot = capture.snapshot(now);
        let baselines = Baselines {
            by_id: capture.by_id,
            topology: capture.topology,
        };
        return Ok(Part::Whole(Box::new(State {
            snapshot,
            baselines,
        })));
    }
    if has("resources") && has("observed_at") {
        let snapshot: Snapshot = stored(&text, &place)?;
        known_schema(&place, "snapshot", snapshot.schema, SNAPSHOT_SCHEMA)?;
        let baselines = Baselines::captured(&snapshot, "snapshot", &place);
        return Ok(Part::Whole(Box::new(State {
            snapshot,
            baselines,
        })));
    }
    Ok(Part::Described(Box::new(Described::from_json(
        &text, &place,
    )?)))
}

fn text(path: &Path) -> Result<(String, String)> {
    let (bytes, place) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("standard input")?;
        (bytes, "standard input".to_owned())
    } else {
        let place = path.display().to_string();
        (std::fs::read(path).with_context(|| place.clone())?, place)
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        anyhow!(
            "{place}: byte {} is not UTF-8 text",
            error.utf8_error().valid_up_to()
        )
    })?;
    // Windows shells write a byte order mark.
    Ok((
        text.strip_prefix('\u{feff}')
            .map(str::to_owned)
            .unwrap_or(text),
        place,
    ))
}

/// Reads one of our own stored forms; errors tell the member and the spot.
fn stored<T: DeserializeOwned>(text: &str, place: &str) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        anyhow!("{place}: member {path}: {}", error.into_inner())
    })
}

fn known_schema(place: &str, what: &str, found: u32, known: u32) -> Result<()> {
    if found > known {
        bail!(
            "{place}: {what} of schema {found}; this version reads up to {known}: use a newer snapback"
        );
    }
    Ok(())
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
