//! Keeps what a canonicaliser meets and does not understand, by resource and member path.

use super::document::{excerpt, is_empty};
use super::shape::{Shape, Tag};
use crate::{Kind, Peer, ResourceId, Tags, Unknown};
use serde_json::Value;
use std::fmt::Display;

/// Reads one described thing; everything it cannot place goes to the list.
pub(super) struct Reading<'a> {
    place: String,
    part: Option<String>,
    unknown: &'a mut Vec<Unknown>,
}

impl<'a> Reading<'a> {
    /// Reads the thing that `place` names.
    pub(super) fn new(place: impl Display, unknown: &'a mut Vec<Unknown>) -> Self {
        Self {
            place: place.to_string(),
            part: None,
            unknown,
        }
    }

    /// Reads a part of the thing that `place` names.
    pub(super) fn within(place: impl Display, part: &str, unknown: &'a mut Vec<Unknown>) -> Self {
        Self {
            part: Some(part.to_owned()),
            ..Self::new(place, unknown)
        }
    }

    /// Tells something that is not understood.
    pub(super) fn tell(&mut self, member: impl Into<String>, value: impl Display) {
        let member = member.into();
        self.unknown.push(Unknown {
            place: self.place.clone(),
            member: match &self.part {
                Some(part) => format!("{part}.{member}"),
                None => member,
            },
            value: value.to_string(),
        });
    }

    /// Tells members of a shape that are not modelled and not known to be harmless.
    pub(super) fn members<S: Shape>(&mut self, path: &str, shape: &S) {
        for (member, value) in shape.other() {
            if is_empty(value) || S::HARMLESS.contains(&member.as_str()) {
                continue;
            }
            let path = if path.is_empty() {
                member.clone()
            } else {
                format!("{path}.{member}")
            };
            self.tell(path, excerpt(value));
        }
    }

    /// Parses a text member, or tells it.
    pub(super) fn parse<T: std::str::FromStr>(&mut self, path: &str, text: &str) -> Option<T> {
        let parsed = text.trim().parse().ok();
        if parsed.is_none() {
            self.tell(path, Value::from(text));
        }
        parsed
    }

    /// The id of a guarded resource of this kind (`acl-…`); what is no such id is told.
    pub(super) fn guarded(
        &mut self,
        path: &str,
        id: &Option<String>,
        kind: Kind,
    ) -> Option<ResourceId> {
        let Some(text) = said(id) else {
            self.tell(path, "null");
            return None;
        };
        let id = self.parse::<ResourceId>(path, text)?;
        if id.kind() != kind {
            self.tell(path, Value::from(text));
            return None;
        }
        Some(id)
    }

    /// The prefix list or group that a rule names by this id; what is no such id is told.
    pub(super) fn named_peer(
        &mut self,
        path: &str,
        id: &Option<String>,
        prefix: &str,
    ) -> Option<Peer> {
        let text = said(id).filter(|text| text.starts_with(prefix));
        let peer = text.and_then(|text| text.parse().ok());
        // An id of another form would not be read back as what it is.
        let told =
            peer.filter(|peer: &Peer| !matches!(peer, Peer::SecurityGroup { owner: Some(_), .. }));
        if told.is_none() {
            self.tell(path, said(id).map_or(Value::Null, Value::from));
        }
        told
    }

    /// Tags as a map. A tag without key has no meaning in EC2.
    pub(super) fn tags(&mut self, tags: &[Tag]) -> Tags {
        let mut map = Tags::new();
        for (index, tag) in tags.iter().enumerate() {
            self.members(&format!("Tags[{index}]"), tag);
            match &tag.key {
                Some(key) => {
                    map.insert(key.clone(), tag.value.clone().unwrap_or_default());
                }
                None => self.tell(format!("Tags[{index}].Key"), "null"),
            }
        }
        map
    }
}

/// The text of a member, where it says something.
pub(super) fn said(member: &Option<String>) -> Option<&str> {
    member
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}
