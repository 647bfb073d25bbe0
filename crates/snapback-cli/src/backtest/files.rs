//! Where the history lies: files below folders, as CloudTrail leaves them in S3 or otherwise.
//!
//! - Owns: which files are taken, in which order.
//! - Takes: files and folders.
//! - Gives: [`Found`].
//! - Must not: open a file.

use std::path::{Path, PathBuf};

/// The files of a history.
#[derive(Default)]
pub struct Found {
    /// In the order of their paths, with their sizes.
    pub files: Vec<(PathBuf, u64)>,
    /// Files whose name tells that they hold no events.
    pub skipped: u64,
    /// What could not be looked at, and why.
    pub bad: Vec<(PathBuf, String)>,
}

impl Found {
    /// The bytes of all files as they lie there.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, size)| size).sum()
    }
}

/// Endings of files that may hold events.
const ENDINGS: [&str; 5] = [".json", ".gz", ".jsonl", ".ndjson", ".log"];
/// CloudTrail's own signatures lie beside its logs.
const DIGESTS: &str = "CloudTrail-Digest";

/// Finds every file below the given places. A file that is named itself is taken whatever its name.
pub fn find(places: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for place in places {
        match std::fs::metadata(place) {
            Ok(metadata) if metadata.is_dir() => walk(place, &mut found),
            Ok(metadata) => found.files.push((place.clone(), metadata.len())),
            Err(error) => found.bad.push((place.clone(), error.to_string())),
        }
    }
    found.files.sort();
    found.files.dedup();
    found
}

fn walk(folder: &Path, found: &mut Found) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return found.bad.push((folder.to_owned(), error.to_string())),
    };
    for entry in entries {
        let (path, kind) = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(entry) => entry,
            Err(error) => {
                found.bad.push((folder.to_owned(), error.to_string()));
                continue;
            }
        };
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_lowercase();
        if name.starts_with('.') || name == DIGESTS.to_ascii_lowercase() {
            continue;
        }
        // A link to a folder may lead back here.
        if kind.is_dir() {
            walk(&path, found);
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => found.files.push((path, metadata.len())),
                Ok(_) => found.skipped = found.skipped.saturating_add(1),
                Err(error) => found.bad.push((path, error.to_string())),
            }
        } else {
            found.skipped = found.skipped.saturating_add(1);
        }
    }
}
