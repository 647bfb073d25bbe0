//! Fault injections that AWS FIS runs, and how long one may last.

use super::yaml::Spots;
use super::{PolicyError, Span, TagMatch, given};
use crate::change::Change;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

/// The service that AWS says a call of FIS was made by (`userIdentity.invokedBy`): the role is the
/// experiment's, and nobody who uses the role otherwise gets the name.
const SERVICE: &str = "fis.amazonaws.com";
/// The tag that FIS sets on what it makes: its own policy lets it make no ACL without
/// (`AWSFaultInjectionSimulatorNetworkAccess`).
const TAG: (&str, &str) = ("managedByFIS", "true");

/// Experiments that are left alone (docs/decisions/0008).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiments {
    /// The tag of what an experiment makes. It alone exempts nothing.
    pub tag: TagMatch,
    /// What is still there after this long was not cleaned up, and is taken back.
    pub longest: Span,
}

impl Experiments {
    /// Whether FIS made the call.
    pub fn made(&self, change: &Change) -> bool {
        change.actor.on_behalf_via.as_deref() == Some(SERVICE)
    }
}

/// As the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default, deserialize_with = "given")]
    tag: Option<Spanned<String>>,
    longest: Spanned<String>,
}

/// Reads the key.
pub(super) fn read(written: &Written, spots: &Spots<'_>) -> Result<Experiments, PolicyError> {
    let tag = match &written.tag {
        None => TagMatch::new(TAG.0, Some(TAG.1)),
        Some(text) => match text.value.split_once('=') {
            Some((key, value)) => TagMatch::new(key, Some(value)),
            None => TagMatch::new(&text.value, None),
        },
    };
    let at = |spot: &Spanned<String>, why| spots.at(&spot.referenced, why);
    Ok(Experiments {
        tag: tag.map_err(|why| at(written.tag.as_ref().unwrap_or(&written.longest), why))?,
        longest: written
            .longest
            .value
            .parse()
            .map_err(|why| at(&written.longest, why))?,
    })
}
