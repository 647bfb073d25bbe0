//! The captured context, in parts that fit items, switched as a whole.
//!
//! A capture claims the next number, writes its parts into the slot that is not in use, then turns
//! the head to it: a reader sees one capture or the next, never half of each. A part carries its
//! capture's number: a capture that was overtaken cannot write over the later one, and a reader that
//! is overtaken by two captures notices.
//!
//! What a sweep saw since is kept beside it in the same way, with a head of its own. It belongs to one
//! capture, and a section of it that is as captured is not stored twice.

use super::atom::atoms;
use super::item::{BODY_MAX, Item, Key, string, value};
use super::{Condition, Tables, Write};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use snapback_app::port::StoreError;
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// The key word of what belongs to no single VPC.
pub(super) const SHARED: &str = "shared";
/// How often a reader that was overtaken begins again.
const READS_MAX: usize = 3;
/// The attribute with a part's capture.
const CAPTURE: &str = "capture";
/// In errors.
const WHAT: &str = "captured topology";

/// The two topologies that are kept: each has its head, slots and parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Series {
    /// Of the last capture.
    #[default]
    Captured,
    /// Of the last sweep since.
    Seen,
}

impl Series {
    /// The first word of its parts' keys.
    fn word(self) -> &'static str {
        match self {
            Self::Captured => "topology",
            Self::Seen => "seen",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Captured => WHAT,
            Self::Seen => "topology seen by the sweep",
        }
    }

    pub(super) fn head_key(self) -> Key {
        match self {
            Self::Captured => head_key(),
            Self::Seen => Key::new("topology", "seen"),
        }
    }
}

/// The heads of both, as one read brings them.
#[derive(Debug, Default)]
pub(super) struct Heads {
    pub(super) captured: Option<Head>,
    pub(super) seen: Option<Head>,
}

impl Heads {
    /// Takes an item that is one of the heads.
    pub(super) fn take(&mut self, item: &Item) -> Result<(), StoreError> {
        let is_seen = string(item, "sk") == Some(Series::Seen.head_key().sk.as_str());
        let (series, place) = match is_seen {
            true => (Series::Seen, &mut self.seen),
            false => (Series::Captured, &mut self.captured),
        };
        *place = Some(Head {
            series,
            ..value(item)?
        });
        Ok(())
    }
}

/// Which capture is current.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Of which topology it is: its key says so.
    #[serde(skip)]
    series: Series,
    /// The number of the current capture.
    capture: u64,
    /// The last number that a capture took, finished or not.
    claim: u64,
    /// Where its parts are: two slots take turns.
    slot: u8,
    /// Parts by VPC (and [`SHARED`]).
    parts: BTreeMap<String, usize>,
    /// Of what was seen: the capture that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    /// Of what was seen: the sections that are as they were captured.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    same: BTreeSet<String>,
}

impl Head {
    /// Whether a capture was ever finished.
    pub(super) fn is_captured(&self) -> bool {
        self.capture > 0
    }

    /// Whether these are all sections there are.
    fn is_all(&self, wanted: &BTreeSet<String>) -> bool {
        self.sections().all(|section| wanted.contains(section))
    }

    fn sections(&self) -> impl Iterator<Item = &String> {
        self.parts.keys().chain(&self.same)
    }

    fn key(&self, section: &str, part: usize) -> Key {
        Key::new(
            format!("{}#{}#{section}", self.series.word(), self.slot),
            format!("{part:05}"),
        )
    }

    fn keys(&self, section: &str) -> impl Iterator<Item = Key> {
        let parts = self.parts.get(section).copied().unwrap_or_default();
        (0..parts).map(move |part| self.key(section, part))
    }
}

pub(super) fn head_key() -> Key {
    Key::new("topology", "head")
}

/// What was read of the current capture; a warm Lambda reads the head only.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<(u64, BTreeMap<String, Topology>)>);

impl Cache {
    fn known(&self, head: &Head) -> BTreeMap<String, Topology> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 == head.capture {
            held.1.clone()
        } else {
            BTreeMap::new()
        }
    }

    fn remember(&self, head: &Head, sections: &BTreeMap<String, Topology>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 != head.capture {
            *held = (head.capture, BTreeMap::new());
        }
        held.1.extend(
            sections
                .iter()
                .map(|(name, topology)| (name.clone(), topology.clone())),
        );
    }
}

impl Tables {
    pub(super) async fn head(&self) -> Result<Option<Head>, StoreError> {
        self.head_of(Series::Captured).await
    }

    async fn head_of(&self, series: Series) -> Result<Option<Head>, StoreError> {
        let item = self.get(&self.state, &series.head_key()).await?;
        let head = item.as_ref().map(value::<Head>).transpose()?;
        Ok(head.map(|head| Head { series, ..head }))
    }

    /// Both heads in one read.
    pub(super) async fn heads(&self) -> Result<Heads, StoreError> {
        let keys = [Series::Captured, Series::Seen].map(Series::head_key);
        let mut heads = Heads::default();
        for item in self.batch_get(&keys.into()).await? {
            heads.take(&item)?;
        }
        Ok(heads)
    }

    fn cache(&self, series: Series) -> &Cache {
        match series {
            Series::Captured => &self.topology,
            Series::Seen => &self.seen,
        }
    }

    /// The context of some VPCs with what is shared, or all of it.
    pub(super) async fn captured_topology(
        &self,
        head: &Head,
        vpcs: Option<BTreeSet<VpcId>>,
    ) -> Result<Topology, StoreError> {
        let mut head = head.clone();
        for _ in 0..READS_MAX {
            let wanted = wanted(vpcs.as_ref(), head.sections());
            if let Some(sections) = self.sections(&head, &wanted).await? {
                return Ok(joined(sections, vpcs.filter(|_| !head.is_all(&wanted))));
            }
            head = self.head().await?.unwrap_or(head);
        }
        Err(overtaken(Series::Captured))
    }

    /// What the last sweep since the capture saw of some VPCs with what is shared, or all of it.
    /// Nothing where no sweep was, or where all that is wanted is as it was captured.
    pub(super) async fn seen_topology(
        &self,
        captured: &Head,
        seen: Option<Head>,
        vpcs: Option<BTreeSet<VpcId>>,
    ) -> Result<Option<Topology>, StoreError> {
        let mut seen = seen;
        for _ in 0..READS_MAX {
            let Some(head) = seen.filter(|head| head.of == Some(captured.capture)) else {
                return Ok(None);
            };
            let wanted = wanted(vpcs.as_ref(), head.sections().chain(captured.sections()));
            let (same, own): (BTreeSet<String>, BTreeSet<String>) = wanted
                .iter()
                .cloned()
                .partition(|section| head.same.contains(section));
            if own
                .iter()
                .all(|section| is_nowhere(section, captured, &head))
            {
                return Ok(None);
            }
            let read = tokio::try_join!(self.sections(captured, &same), self.sections(&head, &own));
            if let (Some(mut sections), Some(own)) = read? {
                sections.extend(own);
                let is_all = head.is_all(&wanted) && captured.is_all(&wanted);
                return Ok(Some(joined(sections, vpcs.filter(|_| !is_all))));
            }
            seen = self.head_of(Series::Seen).await?;
        }
        Err(overtaken(Series::Seen))
    }

    /// The sections of one capture; nothing where a later capture is already writing over it.
    async fn sections(
        &self,
        head: &Head,
        wanted: &BTreeSet<String>,
    ) -> Result<Option<BTreeMap<String, Topology>>, StoreError> {
        let mut sections = self.cache(head.series).known(head);
        sections.retain(|name, _| wanted.contains(name));
        let missing: Vec<&String> = wanted
            .iter()
            .filter(|name| !sections.contains_key(*name))
            .collect();
        let mut keys: BTreeMap<Key, &String> = BTreeMap::new();
        for name in missing {
            sections.insert(name.clone(), Topology::default());
            keys.extend(head.keys(name).map(|key| (key, name)));
        }
        if !keys.is_empty() {
            let items = self.batch_get(&keys.keys().cloned().collect()).await?;
            if items.len() < keys.len() || !items.iter().all(|item| of_capture(item, head.capture))
            {
                return Ok(None);
            }
            for item in &items {
                let key = Key::new(
                    string(item, "pk").unwrap_or_default(),
                    string(item, "sk").unwrap_or_default(),
                );
                let section = keys.get(&key).and_then(|name| sections.get_mut(*name));
                if let Some(section) = section {
                    section.join(value(item)?);
                }
            }
        }
        self.cache(head.series).remember(head, &sections);
        Ok(Some(sections))
    }

    pub(super) async fn store_topology(&self, topology: &Topology) -> Result<(), StoreError> {
        self.store(Head::default(), &split(topology)).await
    }

    /// Stores what a sweep saw, as far as it is not as it was captured. Where nothing was captured
    /// there is nothing that it could stand beside.
    pub(super) async fn store_seen(&self, topology: &Topology) -> Result<(), StoreError> {
        let captured = self.head().await?.filter(Head::is_captured);
        let Some(captured) = captured else {
            return Ok(());
        };
        let all = captured.parts.keys().cloned().collect();
        // A capture goes on beside us: it is newer than what we saw.
        let Some(good) = self.sections(&captured, &all).await? else {
            return Err(StoreError::Conflict {
                what: Series::Seen.what().to_owned(),
            });
        };
        let (same, own): (BTreeMap<_, _>, BTreeMap<_, _>) = split(topology)
            .into_iter()
            .partition(|(name, section)| good.get(name) == Some(section));
        let head = Head {
            series: Series::Seen,
            of: Some(captured.capture),
            same: same.into_keys().collect(),
            ..Head::default()
        };
        self.store(head, &own).await
    }

    /// Claims the next number, writes the parts into the slot that is not in use and turns the head.
    async fn store(
        &self,
        like: Head,
        sections: &BTreeMap<String, Topology>,
    ) -> Result<(), StoreError> {
        let series = like.series;
        let nothing = Head {
            series,
            ..Head::default()
        };
        let before = self.head_of(series).await?.unwrap_or(nothing);
        let claimed = Head {
            claim: before.claim.saturating_add(1),
            ..before.clone()
        };
        self.turn(&claimed, before.claim).await?;
        let mut after = Head {
            capture: claimed.claim,
            claim: claimed.claim,
            slot: 1 - before.slot.min(1),
            ..like
        };
        for (name, section) in sections {
            let parts = parts_of(section);
            after.parts.insert(name.clone(), parts.len());
            for (number, part) in parts.iter().enumerate() {
                let mut item = after.key(name, number).with(part)?;
                item.insert(
                    CAPTURE.to_owned(),
                    AttributeValue::N(after.capture.to_string()),
                );
                let condition = Some(Condition::NotAfter(CAPTURE, after.capture));
                self.write(
                    series.what(),
                    vec![Write {
                        table: self.state.clone(),
                        item,
                        condition,
                    }],
                )
                .await?;
            }
        }
        self.turn(&after, claimed.claim).await
    }

    /// Writes the head where nobody has claimed a number after `claim`.
    async fn turn(&self, head: &Head, claim: u64) -> Result<(), StoreError> {
        let mut item = head.series.head_key().with(head)?;
        item.insert(
            "claim".to_owned(),
            AttributeValue::N(head.claim.to_string()),
        );
        let condition = Some(Condition::follows("claim", claim));
        self.write(
            head.series.what(),
            vec![Write {
                table: self.state.clone(),
                item,
                condition,
            }],
        )
        .await
    }
}

/// The sections of some VPCs and what is shared, or all that there are.
fn wanted<'a>(
    vpcs: Option<&BTreeSet<VpcId>>,
    all: impl Iterator<Item = &'a String>,
) -> BTreeSet<String> {
    match vpcs {
        Some(vpcs) => vpcs
            .iter()
            .map(ToString::to_string)
            .chain([SHARED.to_owned()])
            .collect(),
        None => all.cloned().collect(),
    }
}

/// Whether a section is neither captured nor seen.
fn is_nowhere(section: &str, captured: &Head, seen: &Head) -> bool {
    !captured.parts.contains_key(section) && !seen.parts.contains_key(section)
}

fn joined(sections: BTreeMap<String, Topology>, part: Option<BTreeSet<VpcId>>) -> Topology {
    let mut topology = Topology::default();
    sections
        .into_values()
        .for_each(|section| topology.join(section));
    topology.part = part;
    topology
}

fn overtaken(series: Series) -> StoreError {
    StoreError::Corrupt {
        what: series.head_key().to_string(),
        message: format!(
            "{}: they follow each other faster than they can be read",
            series.what()
        ),
    }
}

fn of_capture(item: &Item, capture: u64) -> bool {
    item.get(CAPTURE)
        .and_then(|value| value.as_n().ok())
        .is_some_and(|number| *number == capture.to_string())
}

/// By VPC. A gateway of several VPCs is in each; what is of none is shared, and so is what was read.
fn split(topology: &Topology) -> BTreeMap<String, Topology> {
    let mut sections: BTreeMap<String, Topology> =
        BTreeMap::from([(SHARED.to_owned(), Topology::default())]);
    for atom in atoms(topology) {
        for section in atom.sections(topology) {
            sections.entry(section).or_default().join(atom.topology());
        }
    }
    sections
}

/// Parts of a section, each small enough for an item.
fn parts_of(section: &Topology) -> Vec<Topology> {
    let mut parts = Vec::new();
    let mut part = Topology::default();
    let mut used = 0;
    for atom in atoms(section) {
        let atom = atom.topology();
        let size = serde_json::to_string(&atom).map_or(0, |text| text.len());
        if used + size > BODY_MAX && used > 0 {
            parts.push(std::mem::take(&mut part));
            used = 0;
        }
        used += size;
        part.join(atom);
    }
    if used > 0 {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;
