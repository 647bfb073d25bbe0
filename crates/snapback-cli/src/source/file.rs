//! Files and folders: what is in them, and their text.
//!
//! - Owns: folders, compression, encodings.
//! - Takes: paths.
//! - Gives: texts, or what is wrong with a file and at which byte.
//! - Must not: know what a text means.

use super::Problem;
use flate2::read::MultiGzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most text that one file may hold, unpacked: a small archive must not fill the memory.
const TEXT_MAX: u64 = 1 << 30;
/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The files of the sources in the order of their names, folders within folders included. Hidden ones
/// are left aside.
pub fn list(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files, problems);
        } else {
            files.push(path.clone());
        }
    }
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    let mut entries = Vec::new();
    match fs::read_dir(folder) {
        Ok(found) => {
            for entry in found {
                match entry {
                    Ok(entry) => entries.push(entry.path()),
                    Err(error) => problems.push(Problem::of(folder, error)),
                }
            }
        }
        Err(error) => problems.push(Problem::of(folder, error)),
    }
    entries.sort();
    for path in entries {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match fs::metadata(&path) {
            _ if hidden => {}
            Ok(what) if what.is_file() => files.push(path),
            // A link to a folder may lead back to where we are.
            Ok(what) if what.is_dir() && path.is_symlink() => {
                problems.push(Problem::of(&path, "a link to a folder is not followed"));
            }
            Ok(what) if what.is_dir() => walk(&path, files, problems),
            Ok(_) => problems.push(Problem::of(&path, "neither a file nor a folder")),
            Err(error) => problems.push(Problem::of(&path, error)),
        }
    }
}

/// What a person calls a source.
pub fn place(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// The text of a file (`-`: standard input): gzip is unpacked, UTF-16 with its mark is read.
///
/// # Errors
/// What cannot be read, and the byte where it breaks off.
pub fn text(path: &Path) -> Result<String, Problem> {
    let fail = |problem: String| Problem {
        file: place(path),
        problem,
    };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| fail(error.to_string()))?;
    let named_gz = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if bytes.starts_with(&GZIP) {
        bytes = unpacked(&bytes).map_err(fail)?;
    } else if named_gz {
        let begin: Vec<String> = bytes
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        return Err(fail(format!(
            "named .gz, but byte 0 is not the beginning of gzip data (1f 8b): it begins with {}",
            if begin.is_empty() {
                "nothing".to_owned()
            } else {
                begin.join(" ")
            }
        )));
    }
    if bytes.is_empty() {
        return Err(fail("an empty file".to_owned()));
    }
    decoded(bytes).map_err(fail)
}

/// Unpacks gzip data of any number of members.
fn unpacked(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut rest = packed;
    let mut bytes = Vec::new();
    let result = MultiGzDecoder::new(&mut rest)
        .take(TEXT_MAX)
        .read_to_end(&mut bytes);
    let at = packed.len().saturating_sub(rest.len());
    match result {
        Ok(length) if length as u64 >= TEXT_MAX => Err(format!(
            "its gzip data hold more than {TEXT_MAX} bytes: too much for one file"
        )),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!(
            "its gzip data break off near byte {at} of {} (after {} bytes of text): {error}",
            packed.len(),
            bytes.len()
        )),
    }
}

/// UTF-8, or UTF-16 that says so: shells of Windows write both, with a mark.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let mut units = Vec::with_capacity(rest.len() / 2);
        let (pairs, odd) = rest.as_chunks::<2>();
        units.extend(pairs.iter().map(|pair| unit(*pair)));
        if !odd.is_empty() {
            return Err(format!(
                "byte {} is half a UTF-16 character",
                rest.len().saturating_add(1)
            ));
        }
        let mut text = String::with_capacity(units.len());
        let mut at: usize = 2;
        for read in char::decode_utf16(units) {
            let char = read.map_err(|_| format!("byte {at} is not UTF-16 text"))?;
            at = at.saturating_add(char.len_utf16().saturating_mul(2));
            text.push(char);
        }
        Ok(text)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        [0, _, ..] | [_, 0, ..] => {
            return Err(
                "byte 0 or 1 is zero: UTF-16 without its mark? Save it as UTF-8".to_owned(),
            );
        }
        _ => {}
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("byte {at} is not UTF-8 text")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
