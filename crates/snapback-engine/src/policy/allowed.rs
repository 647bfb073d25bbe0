//! Several allowed states of one route: a fail-over flips it, and nobody fights that.

use super::yaml::{Spots, Tag};
use super::{PolicyError, TagMatch, given};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use snapback_model::{Destination, Route, RouteTableId, Tags};
use std::collections::BTreeSet;
use std::fmt;

/// What a route of the tables may lead to beside what its baseline says. A route that is dead is in
/// no allowed state, and one that leads elsewhere is judged as ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedTargets {
    /// The tables by id.
    pub tables: BTreeSet<RouteTableId>,
    /// The tables whose baseline carries this tag. One that only live carries counts for nothing.
    pub tag: Option<TagMatch>,
    /// The route.
    pub destination: Destination,
    /// What it may lead to, by id (`nat-…`, `eni-…`).
    pub targets: BTreeSet<String>,
}

impl AllowedTargets {
    /// Whether it is about a route of a table with these (baseline) tags.
    pub fn covers(
        &self,
        table: &RouteTableId,
        tags: Option<&Tags>,
        destination: &Destination,
    ) -> bool {
        let tagged = self
            .tag
            .as_ref()
            .zip(tags)
            .is_some_and(|(tag, tags)| tag.matches(tags));
        self.destination == *destination && (tagged || self.tables.contains(table))
    }

    /// Whether the route is in an allowed state.
    pub fn allows(&self, route: &Route) -> bool {
        !route.blackhole && self.targets.contains(route.target.id())
    }
}

impl fmt::Display for AllowedTargets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let targets: Vec<&str> = self.targets.iter().map(String::as_str).collect();
        write!(f, "{} to {}", self.destination, targets.join(", "))
    }
}

/// As the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default)]
    tables: Vec<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    tag: Option<Tag>,
    destination: Spanned<String>,
    targets: Vec<Spanned<String>>,
}

/// What routes lead to, by the prefix of its id. An instance is told by its interface.
const TARGETS: [&str; 10] = [
    "nat-", "eni-", "igw-", "eigw-", "vgw-", "tgw-", "pcx-", "vpce-", "cagw-", "lgw-",
];

fn id_of(text: &str, prefixes: &[&str]) -> bool {
    let rest = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn table(text: &str) -> Result<RouteTableId, String> {
    match id_of(text, &["rtb-"]) {
        true => Ok(RouteTableId::new(text)),
        false => Err(format!("{text:?} is no route table; allowed: rtb-…")),
    }
}

fn target(text: &str) -> Result<String, String> {
    match id_of(text, &TARGETS) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} is nothing that a route leads to; allowed: {}…",
            TARGETS.join("…, ")
        )),
    }
}

/// Reads the items of the key.
pub(super) fn read(
    items: &[Spanned<Written>],
    spots: &Spots<'_>,
) -> Result<Vec<AllowedTargets>, PolicyError> {
    let one = |item: &Spanned<Written>| {
        let written = &item.value;
        if written.tables.is_empty() && written.tag.is_none() {
            let why = "it names no table; allowed: `tables`, a `tag`, or both";
            return Err(spots.at(&item.referenced, why.to_owned()));
        }
        if written.targets.is_empty() {
            let why = "it allows nothing; allowed: one target or more in `targets`";
            return Err(spots.at(&item.referenced, why.to_owned()));
        }
        let destination = written.destination.value.parse::<Destination>();
        let destination = destination.map_err(|_| {
            let why = format!(
                "{:?} is no destination of a route; allowed: a network as in 0.0.0.0/0, or pl-…",
                written.destination.value
            );
            spots.at(&written.destination.referenced, why)
        })?;
        Ok(AllowedTargets {
            tables: spots.each(&written.tables, table)?.into_iter().collect(),
            tag: written.tag.as_ref().map(|tag| spots.tag(tag)).transpose()?,
            destination,
            targets: spots.each(&written.targets, target)?.into_iter().collect(),
        })
    };
    items.iter().map(one).collect()
}
