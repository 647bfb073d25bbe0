//! The captured context, in parts that fit items, switched as a whole.
//!
//! A capture claims the next number, writes its parts into the slot that is not in use, then turns
//! the head to it: a reader sees one capture or the next, never half of each. A part carries its
//! capture's number: a capture that was overtaken cannot write over the later one, and a reader that
//! is overtaken by two captures notices.

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

/// Which capture is current.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The number of the current capture.
    capture: u64,
    /// The last number that a capture took, finished or not.
    claim: u64,
    /// Where its parts are: two slots take turns.
    slot: u8,
    /// Parts by VPC (and [`SHARED`]).
    parts: BTreeMap<String, usize>,
}

impl Head {
    /// Whether a capture was ever finished.
    pub(super) fn is_captured(&self) -> bool {
        self.capture > 0
    }

    /// Whether these are all sections there are.
    fn is_all(&self, wanted: &BTreeSet<String>) -> bool {
        self.parts.keys().all(|section| wanted.contains(section))
    }

    fn key(&self, section: &str, part: usize) -> Key {
        Key::new(
            format!("topology#{}#{section}", self.slot),
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
        self.get(&self.state, &head_key())
            .await?
            .as_ref()
            .map(value)
            .transpose()
    }

    /// The context of some VPCs with what is shared, or all of it.
    pub(super) async fn captured_topology(
        &self,
        head: &Head,
        vpcs: Option<BTreeSet<VpcId>>,
    ) -> Result<Topology, StoreError> {
        let mut head = head.clone();
        for _ in 0..READS_MAX {
            let wanted: BTreeSet<String> = match &vpcs {
                Some(vpcs) => vpcs
                    .iter()
                    .map(ToString::to_string)
                    .chain([SHARED.to_owned()])
                    .collect(),
                None => head.parts.keys().cloned().collect(),
            };
            if let Some(sections) = self.sections(&head, &wanted).await? {
                let mut topology = Topology::default();
                sections
                    .into_values()
                    .for_each(|section| topology.join(section));
                topology.part = vpcs.filter(|_| !head.is_all(&wanted));
                return Ok(topology);
            }
            head = self.head().await?.unwrap_or(head);
        }
        let message = "captures follow each other faster than they can be read".to_owned();
        Err(StoreError::Corrupt {
            what: head_key().to_string(),
            message,
        })
    }

    /// The sections of one capture; nothing where a later capture is already writing over it.
    async fn sections(
        &self,
        head: &Head,
        wanted: &BTreeSet<String>,
    ) -> Result<Option<BTreeMap<String, Topology>>, StoreError> {
        let mut sections = self.topology.known(head);
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
        self.topology.remember(head, &sections);
        Ok(Some(sections))
    }

    pub(super) async fn store_topology(&self, topology: &Topology) -> Result<(), StoreError> {
        let before = self.head().await?.unwrap_or_default();
        let claimed = Head {
            claim: before.claim.saturating_add(1),
            ..before.clone()
        };
        self.turn(&claimed, before.claim).await?;
        let mut after = Head {
            capture: claimed.claim,
            claim: claimed.claim,
            slot: 1 - before.slot.min(1),
            parts: BTreeMap::new(),
        };
        for (name, section) in &split(topology) {
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
                    WHAT,
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
        let mut item = head_key().with(head)?;
        item.insert(
            "claim".to_owned(),
            AttributeValue::N(head.claim.to_string()),
        );
        let condition = Some(Condition::follows("claim", claim));
        self.write(
            WHAT,
            vec![Write {
                table: self.state.clone(),
                item,
                condition,
            }],
        )
        .await
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
