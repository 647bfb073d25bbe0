//! All files, on every core: what is a change, and what the rest was.
//!
//! - Owns: the cheap look at each record, the counts, the order-free merge of what the threads found.
//! - Takes: files.
//! - Gives: [`Gathered`], the same on every run.
//! - Must not: keep a record that is no change.

use super::files::Found;
use super::stream::{self, Broken};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use snapback_engine::change::{EVENT_NAMES, IgnoreReason, Interpretation, Own, interpret};
use snapback_engine::event;
use snapback_engine::history::{self, Step};
use snapback_model::{EventId, Timestamp};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Something in the input that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bad {
    /// The file.
    pub file: String,
    /// Where in it.
    pub spot: String,
    /// What is wrong.
    pub message: String,
}

/// What the records were.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files read.
    pub files: u64,
    /// Files whose name tells that they hold no events.
    pub skipped_files: u64,
    /// Their bytes as they lie there.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// Of services other than EC2.
    pub other_services: u64,
    /// Calls on EC2 that alter no network.
    pub ec2_other: u64,
    /// Delivered more than once.
    pub duplicates: u64,
    /// Network calls that changed nothing, by reason.
    pub ignored: BTreeMap<String, u64>,
    /// The first and last event time of all records, as written.
    pub first: Option<String>,
    /// The last one.
    pub last: Option<String>,
}

impl Counts {
    fn saw(&mut self, time: &str) {
        let is_first = self.first.as_deref().is_none_or(|first| time < first);
        let is_last = self.last.as_deref().is_none_or(|last| time > last);
        // Blanked records have no time; few are new extremes, so only those are looked at.
        if (is_first || is_last) && time.parse::<Timestamp>().is_ok() {
            if is_first {
                self.first = Some(time.to_owned());
            }
            if is_last {
                self.last = Some(time.to_owned());
            }
        }
    }

    fn add(&mut self, other: Self) {
        let sum = |one: &mut u64, other: u64| *one = one.saturating_add(other);
        sum(&mut self.files, other.files);
        sum(&mut self.skipped_files, other.skipped_files);
        sum(&mut self.bytes, other.bytes);
        sum(&mut self.records, other.records);
        sum(&mut self.other_services, other.other_services);
        sum(&mut self.ec2_other, other.ec2_other);
        sum(&mut self.duplicates, other.duplicates);
        for (reason, count) in other.ignored {
            sum(self.ignored.entry(reason).or_default(), count);
        }
        for time in other.first.iter().chain(&other.last) {
            self.saw(time);
        }
    }
}

/// What all files hold.
#[derive(Default)]
pub struct Gathered {
    /// What the records were.
    pub counts: Counts,
    /// The changes, in order, each once.
    pub steps: Vec<Step>,
    /// Events that were made with one of our roles.
    pub ours: BTreeSet<EventId>,
    /// What could not be read.
    pub bad: Vec<Bad>,
}

impl Gathered {
    fn add(&mut self, other: Self) {
        self.counts.add(other.counts);
        self.steps.extend(other.steps);
        self.ours.extend(other.ours);
        self.bad.extend(other.bad);
    }
}

/// Reads every file.
pub fn gather(found: &Found, own: &Own, bar: &ProgressBar) -> Gathered {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut gathered = Gathered::default();
        while let Some((file, size)) = found.files.get(next.fetch_add(1, Ordering::Relaxed)) {
            gathered.counts.files = gathered.counts.files.saturating_add(1);
            gathered.counts.bytes = gathered.counts.bytes.saturating_add(*size);
            read(file, own, bar, &mut gathered);
        }
        gathered
    };
    let mut all = Gathered::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(gathered) => all.add(gathered),
                Err(_) => all.bad.push(Bad {
                    file: String::new(),
                    spot: String::new(),
                    message: "a reader stopped by a defect of snapback: the counts are not whole"
                        .into(),
                }),
            }
        }
    });
    all.counts.skipped_files = found.skipped;
    all.bad.extend(found.bad.iter().map(|(path, message)| Bad {
        file: path.display().to_string(),
        spot: String::new(),
        message: message.clone(),
    }));
    all.bad.sort();
    let read = all.steps.len();
    all.steps = history::in_order(all.steps);
    let twice = read.saturating_sub(all.steps.len());
    all.counts.duplicates = u64::try_from(twice).unwrap_or(u64::MAX);
    all
}

fn read(path: &Path, own: &Own, bar: &ProgressBar, gathered: &mut Gathered) {
    let name = path.display().to_string();
    let bad = |broken: Broken| Bad {
        file: name.clone(),
        spot: broken.spot,
        message: broken.message,
    };
    let file = match File::open(path) {
        Ok(file) => bar.wrap_read(file),
        Err(error) => {
            gathered.bad.push(bad(Broken {
                spot: String::new(),
                message: error.to_string(),
            }));
            return;
        }
    };
    let is_gzip = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let broken = stream::read(file, is_gzip, &mut |raw, place| {
        if let Err(message) = look(raw, own, gathered) {
            gathered.bad.push(Bad {
                file: name.clone(),
                spot: place(),
                message,
            });
        }
    });
    gathered.bad.extend(broken.into_iter().map(bad));
}

/// The little of a record that tells whether it matters.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "eventSource")]
    source: Option<Text<'a>>,
    #[serde(borrow, rename = "eventName")]
    name: Option<Text<'a>>,
    #[serde(borrow, rename = "eventTime")]
    time: Option<Text<'a>>,
    /// Of an EventBridge envelope.
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    /// Of LookupEvents: the record as text.
    #[serde(borrow, rename = "CloudTrailEvent")]
    record: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

static NETWORK: LazyLock<BTreeSet<&str>> = LazyLock::new(|| EVENT_NAMES.iter().copied().collect());

/// Whether a record matters, before it is read whole: most do not.
fn is_candidate(head: &Head<'_>, counts: &mut Counts) -> bool {
    let (Some(source), Some(name)) = (&head.source, &head.name) else {
        return true;
    };
    if let Some(time) = &head.time {
        counts.saw(&time.0);
    }
    if source.0 != "ec2.amazonaws.com" {
        counts.other_services = counts.other_services.saturating_add(1);
        return false;
    }
    if !NETWORK.contains(&*name.0) {
        counts.ec2_other = counts.ec2_other.saturating_add(1);
        return false;
    }
    true
}

/// One element: counted, and kept where it is a change.
fn look(raw: &str, own: &Own, gathered: &mut Gathered) -> Result<(), String> {
    gathered.counts.records = gathered.counts.records.saturating_add(1);
    let Ok(head) = serde_json::from_str::<Head<'_>>(raw) else {
        return keep(raw, own, gathered);
    };
    if let Some(record) = &head.record {
        let inner = serde_json::from_str::<Head<'_>>(&record.0)
            .map_err(|error| format!("`CloudTrailEvent` is no JSON record: {error}"))?;
        return match is_candidate(&inner, &mut gathered.counts) {
            true => keep(&record.0, own, gathered),
            false => Ok(()),
        };
    }
    let inner = head
        .detail
        .and_then(|detail| serde_json::from_str::<Head<'_>>(detail.get()).ok());
    match is_candidate(inner.as_ref().unwrap_or(&head), &mut gathered.counts) {
        true => keep(raw, own, gathered),
        false => Ok(()),
    }
}

fn keep(raw: &str, own: &Own, gathered: &mut Gathered) -> Result<(), String> {
    let record = event::parse(raw.as_bytes()).map_err(|error| error.to_string())?;
    let change = match interpret(&record, own) {
        Interpretation::Ignored(reason) => {
            let count = gathered.counts.ignored.entry(word(&reason));
            let count = count.or_default();
            *count = count.saturating_add(1);
            return Ok(());
        }
        Interpretation::WithOurRole(change) => {
            gathered.ours.insert(change.event.clone());
            change
        }
        Interpretation::Change(change) => change,
    };
    gathered.steps.push(Step::of(&record, *change));
    Ok(())
}

/// A reason to ignore without its particulars.
fn word(reason: &IgnoreReason) -> String {
    match reason {
        IgnoreReason::Failed { .. } => "the call failed",
        IgnoreReason::DryRun => "a dry run",
        IgnoreReason::ReadOnly => "read-only",
        IgnoreReason::OtherAccount { .. } => "another account",
        IgnoreReason::OtherRegion { .. } => "another Region",
        IgnoreReason::OtherSource { .. } => "another source",
        IgnoreReason::OtherDetailType { .. } => "another kind of event",
        IgnoreReason::NotAnApiCall { .. } => "not an API call",
        IgnoreReason::NotNetwork { .. } => "alters no guarded traffic",
        IgnoreReason::OwnCall => "our own call",
    }
    .into()
}

/// The places to look, for messages.
pub fn named(places: &[PathBuf]) -> String {
    places
        .iter()
        .map(|place| place.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
