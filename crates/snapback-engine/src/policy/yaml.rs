//! The policy file.

use super::{Mode, Policy, PolicyError, TagMatch, vpc_id};
use serde::Deserialize;
use serde_saphyr::{Error, Location, Spanned};
use snapback_model::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// A policy file longer than this is not read.
const MAX_BYTES: usize = 256 * 1024;

/// The file as it is written, before its values are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    kinds: BTreeMap<Kind, Mode>,
    #[serde(default)]
    trusted: Vec<Spanned<String>>,
    #[serde(default)]
    vpcs: Vec<Spanned<String>>,
    #[serde(default)]
    opt_out: Option<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    key: Spanned<String>,
    #[serde(default)]
    value: Option<String>,
}

/// Reads a policy file.
pub(super) fn read(text: &str, origin: &str) -> Result<Policy, PolicyError> {
    let error = |line: u64, column: u64, message: String| PolicyError::Yaml {
        origin: origin.to_owned(),
        line,
        column,
        message,
    };
    if text.len() > MAX_BYTES {
        return Err(error(1, 1, format!("longer than {MAX_BYTES} bytes")));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000,
            max_nodes: 10_000,
            max_depth: 16,
            max_documents: 1,
            max_anchors: 64,
            max_aliases: 256,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    let file: File = serde_saphyr::from_str_with_options(text, options).map_err(|problem| {
        let spot = problem.location();
        error(
            spot.map_or(1, |spot| spot.line().max(1)),
            spot.map_or(1, |spot| spot.column().max(1)),
            words(&problem),
        )
    })?;
    let at = |spot: &Location, message: String| error(spot.line(), spot.column(), message);
    let mut trusted = Vec::new();
    for item in &file.trusted {
        let pattern = item
            .value
            .parse()
            .map_err(|why| at(&item.referenced, why))?;
        if trusted.contains(&pattern) {
            return Err(at(
                &item.referenced,
                format!("{:?} stands here twice", item.value),
            ));
        }
        trusted.push(pattern);
    }
    let mut vpcs = BTreeSet::new();
    for item in &file.vpcs {
        if !vpcs.insert(vpc_id(&item.value).map_err(|why| at(&item.referenced, why))?) {
            return Err(at(
                &item.referenced,
                format!("{:?} stands here twice", item.value),
            ));
        }
    }
    let opt_out = file
        .opt_out
        .map(|tag| {
            TagMatch::new(&tag.key.value, tag.value.as_deref())
                .map_err(|why| at(&tag.key.referenced, why))
        })
        .transpose()?;
    Ok(Policy {
        mode: file.mode,
        kinds: file.kinds,
        trusted,
        vpcs,
        opt_out,
    })
}

/// What is wrong and what is allowed, without the spot, which is told beside it.
fn words(problem: &Error) -> String {
    match problem.without_snippet() {
        Error::NullIntoString { .. } => "a text is missing here (or quote it)".to_owned(),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("`{key}` stands here twice"),
            None => "a key stands here twice".to_owned(),
        },
        Error::Unexpected {
            expected: "sequence start",
            ..
        } => "a list is expected here: [a, b]".to_owned(),
        other => {
            let text = other.to_string();
            let spot = other
                .location()
                .map(|spot| format!(" at line {}, column {}", spot.line(), spot.column()));
            spot.and_then(|spot| text.strip_suffix(&spot).map(ToOwned::to_owned))
                .unwrap_or(text)
        }
    }
}
