//! The policy file.

use super::{
    Breaker, Budgets, Enforce, Exception, Interruptions, Mode, Policy, PolicyError, Quiet,
    Recreate, TagMatch, allowed, experiments, given, tag_key, vpc_id,
};
use crate::finding::FindingCode;
use jiff::civil::Date;
use serde::Deserialize;
use serde_saphyr::{Error, Location, Spanned};
use snapback_model::{Kind, ResourceId};
use std::collections::BTreeMap;

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
    #[serde(default, deserialize_with = "given")]
    opt_out: Option<Tag>,
    #[serde(default)]
    enforce: Enforce,
    #[serde(default)]
    exceptions: Vec<Spanned<Excepted>>,
    #[serde(default)]
    required_tags: Vec<Spanned<String>>,
    #[serde(default)]
    recreate: Recreate,
    #[serde(default)]
    interruptions: Interruptions,
    #[serde(default)]
    budgets: Budgets,
    #[serde(default)]
    breaker: Breaker,
    #[serde(default)]
    quiet: Quiet,
    #[serde(default)]
    allowed_targets: Vec<Spanned<allowed::Written>>,
    #[serde(default, deserialize_with = "given")]
    experiments: Option<experiments::Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    key: Spanned<String>,
    #[serde(default, deserialize_with = "given")]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Excepted {
    #[serde(default, deserialize_with = "given")]
    code: Option<FindingCode>,
    #[serde(default, deserialize_with = "given")]
    resource: Option<Spanned<String>>,
    until: Spanned<String>,
    why: Spanned<String>,
}

/// Reads a policy file.
pub(super) fn read(text: &str, origin: &str) -> Result<Policy, PolicyError> {
    let spots = Spots(origin);
    if text.len() > MAX_BYTES {
        return Err(spots.error(1, 1, format!("longer than {MAX_BYTES} bytes")));
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
        spots.error(
            spot.map_or(1, |spot| spot.line().max(1)),
            spot.map_or(1, |spot| spot.column().max(1)),
            words(&problem),
        )
    })?;
    Ok(Policy {
        mode: file.mode,
        kinds: file.kinds,
        trusted: spots.each(&file.trusted, |text| text.parse())?,
        vpcs: spots.each(&file.vpcs, vpc_id)?.into_iter().collect(),
        opt_out: file.opt_out.map(|tag| spots.tag(&tag)).transpose()?,
        enforce: file.enforce,
        exceptions: spots.exceptions(&file.exceptions)?,
        required_tags: spots
            .each(&file.required_tags, tag_key)?
            .into_iter()
            .collect(),
        recreate: file.recreate,
        interruptions: file.interruptions,
        budgets: file.budgets,
        breaker: file.breaker,
        quiet: file.quiet,
        allowed_targets: allowed::read(&file.allowed_targets, &spots)?,
        experiments: file
            .experiments
            .map(|written| experiments::read(&written, &spots))
            .transpose()?,
    })
}

/// Makes errors that name the file and the spot.
pub(super) struct Spots<'a>(&'a str);

impl Spots<'_> {
    fn error(&self, line: u64, column: u64, message: String) -> PolicyError {
        PolicyError::Yaml {
            origin: self.0.to_owned(),
            line,
            column,
            message,
        }
    }

    pub(super) fn at(&self, spot: &Location, message: String) -> PolicyError {
        self.error(spot.line(), spot.column(), message)
    }

    pub(super) fn tag(&self, tag: &Tag) -> Result<TagMatch, PolicyError> {
        TagMatch::new(&tag.key.value, tag.value.as_deref())
            .map_err(|why| self.at(&tag.key.referenced, why))
    }

    /// The items of a list, each read by itself; one that stands there twice is a slip.
    pub(super) fn each<T: PartialEq>(
        &self,
        items: &[Spanned<String>],
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, PolicyError> {
        let mut known = Vec::new();
        for item in items {
            let found = read(&item.value).map_err(|why| self.at(&item.referenced, why))?;
            if known.contains(&found) {
                let why = format!("{:?} stands here twice", item.value);
                return Err(self.at(&item.referenced, why));
            }
            known.push(found);
        }
        Ok(known)
    }

    fn exceptions(&self, items: &[Spanned<Excepted>]) -> Result<Vec<Exception>, PolicyError> {
        let mut known: Vec<Exception> = Vec::new();
        for item in items {
            let exception = self.exception(item)?;
            let twice = known.iter().any(|other| {
                (other.code, &other.resource) == (exception.code, &exception.resource)
            });
            if twice {
                let why =
                    "the same code and resource are excepted twice; allowed: once, until one day";
                return Err(self.at(&item.referenced, why.to_owned()));
            }
            known.push(exception);
        }
        Ok(known)
    }

    fn exception(&self, item: &Spanned<Excepted>) -> Result<Exception, PolicyError> {
        let Excepted {
            code,
            resource,
            until,
            why,
        } = &item.value;
        if code.is_none() && resource.is_none() {
            let why = "it excepts nothing by name; allowed: a `code`, a `resource`, or both";
            return Err(self.at(&item.referenced, why.to_owned()));
        }
        let resource = resource.as_ref().map(|text| {
            let id = text.value.parse::<ResourceId>();
            id.map_err(|_| {
                let why = format!(
                    "{:?} is no resource that is guarded; allowed: sg-…, acl-…, rtb-…",
                    text.value
                );
                self.at(&text.referenced, why)
            })
        });
        if why.value.trim().is_empty() {
            let words = "an exception needs its reason; allowed: a few words".to_owned();
            return Err(self.at(&why.referenced, words));
        }
        Ok(Exception {
            code: *code,
            resource: resource.transpose()?,
            until: day(&until.value).map_err(|why| self.at(&until.referenced, why))?,
            why: why.value.trim().to_owned(),
        })
    }
}

/// A day as people write it; no time beside it, which would be dropped silently.
fn day(text: &str) -> Result<Date, String> {
    let date = text.parse::<Date>().ok();
    date.filter(|date| date.to_string() == text)
        .ok_or_else(|| format!("{text:?} is no day; allowed: a date as in 2026-12-31"))
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
