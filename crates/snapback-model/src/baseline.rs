//! The last-known-good state of a resource, and where it came from.

use crate::text::{ParseError, serde_by_text};
use crate::{
    AssociationId, Destination, Digest, EntryKey, EventId, GatewayId, Handles, Lineage, Resource,
    ResourceId, RuleKey, Snapshot, SubnetId, Timestamp, Topology, VpcId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Counts the states of one baseline. A write names the generation it was computed from.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    /// The following generation.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How a baseline came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `capture` by a person or a first deployment.
    Captured,
    /// A trusted principal's change, folded in as its own delta.
    Accepted,
    /// Found by the sweep with no baseline: recorded, alerted, not trusted.
    Unreviewed,
    /// Follows what Snapback made again: the state under the new id, the end of the old id, or the
    /// new id in the place of the old one.
    Recreated,
    /// A person made it the good state by a rollback or by undoing a revert.
    Promoted,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Captured => "captured",
            Self::Accepted => "accepted",
            Self::Unreviewed => "unreviewed",
            Self::Recreated => "recreated",
            Self::Promoted => "promoted",
        })
    }
}

/// Who made this generation, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// How it came to be.
    pub origin: Origin,
    /// The principal, as people know it.
    pub by: String,
    /// The reason given.
    pub why: String,
    /// When the state was read (captured) or the change was made (accepted, its event time).
    pub at: Timestamp,
    /// The event that was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
}

/// One atomic element of a resource: what a difference is about, what an accepted edit marks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// The resource's existence.
    Existence,
    /// A security group rule.
    Rule(RuleKey),
    /// A network ACL entry.
    Entry(EntryKey),
    /// A route.
    Route(Destination),
    /// Propagation from a VPN gateway.
    Propagation(GatewayId),
    /// The association of a subnet.
    Subnet(SubnetId),
    /// An edge association.
    Edge(GatewayId),
    /// Being the main table of the VPC.
    Main,
    /// A tag.
    Tag(String),
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existence => f.write_str("existence"),
            Self::Rule(key) => write!(f, "rule {key}"),
            Self::Entry(key) => write!(f, "entry {key}"),
            Self::Route(destination) => write!(f, "route {destination}"),
            Self::Propagation(gateway) => write!(f, "propagation {gateway}"),
            Self::Subnet(subnet) => write!(f, "subnet {subnet}"),
            Self::Edge(gateway) => write!(f, "edge {gateway}"),
            Self::Main => f.write_str("main"),
            Self::Tag(key) => write!(f, "tag {key}"),
        }
    }
}

impl FromStr for Element {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok(match word {
            "existence" => Self::Existence,
            "rule" => Self::Rule(rest.parse()?),
            "entry" => Self::Entry(rest.parse()?),
            "route" => Self::Route(rest.parse()?),
            "propagation" => Self::Propagation(rest.into()),
            "subnet" => Self::Subnet(rest.into()),
            "edge" => Self::Edge(rest.into()),
            "main" => Self::Main,
            "tag" => Self::Tag(rest.to_owned()),
            _ => {
                return Err(ParseError::new(
                    "an element of a resource (`rule …`, `entry …`, `route …`)",
                    text,
                ));
            }
        })
    }
}
serde_by_text!(Element);

/// The last accepted edit of one element. Events arrive late and out of order: an older edit never
/// overrides a newer one (semantics E).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Event time of the edit, one-second resolution.
    pub at: Timestamp,
    /// The event.
    pub event: EventId,
    /// What a move of a subject ended and made: the order of moves within one second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Edits of the same second that were folded in before it: they are over when they come again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub over: BTreeSet<EventId>,
}

impl Mark {
    /// The mark of an edit.
    pub fn new(at: Timestamp, event: EventId) -> Self {
        Self {
            at,
            event,
            link: None,
            over: BTreeSet::new(),
        }
    }

    /// Whether the edits of an event are folded in already.
    pub fn knows(&self, event: &EventId) -> bool {
        self.event == *event || self.over.contains(event)
    }
}

/// One move in the chain of a subject's associations: EC2 gives a new id with every move, and the next
/// one ends it (semantics C1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The association that it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<AssociationId>,
    /// The association that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<AssociationId>,
    /// How many moves of the same second were accepted before it, one after the other.
    #[serde(default)]
    pub after: u32,
}

/// The last-known-good state of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Version of this stored form.
    pub schema: u32,
    /// The resource.
    pub id: ResourceId,
    /// Its VPC, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcId>,
    /// The good state; `None` when its deletion was accepted.
    pub state: Option<Resource>,
    /// Ids its parts were last known by, old ones kept: an event may name an id that live forgot.
    #[serde(default)]
    pub handles: Handles,
    /// Counts up with each write.
    pub generation: Generation,
    /// Digest of the generation before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Digest>,
    /// Who, when, why.
    pub provenance: Provenance,
    /// The last accepted edit of each element, tombstones included.
    #[serde(default)]
    pub marks: BTreeMap<Element, Mark>,
    /// The id that it had before it was deleted and made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<ResourceId>,
    /// The id that it was made again under; this one ended then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<ResourceId>,
}

/// The current version of [`Baseline`]'s stored form.
pub const BASELINE_SCHEMA: u32 = 1;

impl Baseline {
    /// The digest of this generation.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }

    /// Whether the deletion of its resource was accepted: it stays gone.
    pub fn is_tombstone(&self) -> bool {
        self.state.is_none()
            && self.successor.is_none()
            && self.marks.contains_key(&Element::Existence)
    }

    /// Since when it knows its whole resource: nothing from before is ever folded in.
    pub fn known_since(&self) -> Option<Timestamp> {
        let marked = self.marks.get(&Element::Existence).map(|mark| mark.at);
        match self.provenance.origin {
            Origin::Captured => marked.max(Some(self.provenance.at)),
            // Once folded, `at` is the time of that event; the mark holds the time of the read.
            Origin::Unreviewed => marked.or(Some(self.provenance.at)),
            Origin::Accepted | Origin::Recreated | Origin::Promoted => marked,
        }
    }

    /// Takes over live's association ids of what the good state holds: EC2 gives a new one with every
    /// move, ours too, and events name nothing else. Those known before stay as they were known.
    pub fn adopt_associations(&mut self, live: &Handles) {
        let Some(state) = &self.state else { return };
        for (id, handle) in live.of(&self.id).associations {
            if state.holds(&handle.subject) {
                self.handles.associations.entry(id).or_insert(handle);
            }
        }
    }

    /// Once something else gives the provenance, the mark of existence keeps the time of the read
    /// that the generation before knew its whole resource by.
    pub fn keep_capture(&mut self, before: &Self) {
        let Some(at) = before.known_since() else {
            return;
        };
        let event = before.provenance.event.clone();
        let event = event.unwrap_or_else(|| EventId::new("capture"));
        let mark = self
            .marks
            .entry(Element::Existence)
            .or_insert(Mark::new(at, event.clone()));
        if mark.at < at {
            *mark = Mark::new(at, event);
        }
    }
}

/// What a person makes the good state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The state.
    pub state: Resource,
    /// Only these elements are new in it: late events about the others still count. `None`: all is.
    pub elements: Option<BTreeSet<Element>>,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// Marks what a person decided, where an accepted change is marked with its event.
const BY_A_PERSON: &str = "promoted";

impl Baseline {
    /// The next generation: what a person makes the good state. No event from before it overrides it.
    #[must_use]
    pub fn promoted(&self, promotion: Promotion) -> Self {
        let mark = Mark::new(promotion.at, EventId::new(BY_A_PERSON));
        let mut next = self.clone();
        next.schema = BASELINE_SCHEMA;
        next.vpc = promotion.state.vpc().cloned().or(next.vpc);
        next.state = Some(promotion.state);
        next.generation = self.generation.next();
        next.parent = Some(self.digest());
        next.provenance = Provenance {
            origin: Origin::Promoted,
            by: promotion.by,
            why: promotion.why,
            at: promotion.at,
            event: None,
        };
        match promotion.elements {
            None => next.marks = BTreeMap::from([(Element::Existence, mark)]),
            Some(elements) => {
                next.keep_capture(self);
                let marks = elements.into_iter().map(|element| (element, mark.clone()));
                next.marks.extend(marks);
            }
        }
        next
    }
}

/// Baselines needed for a decision, with the topology as it was when they were captured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baselines {
    /// By resource.
    #[serde(default)]
    pub by_id: BTreeMap<ResourceId, Baseline>,
    /// Context at capture time: tells a subnet known then from one made since, and is what the sweep
    /// compares with.
    #[serde(default)]
    pub topology: Topology,
    /// Context as the last sweep saw it, where that differs from the captured one or a later sweep
    /// may: what decisions go by (docs/decisions/0007). `None`: nothing newer than the capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Topology>,
}

impl Baselines {
    /// Takes every resource of a snapshot for good: generation 1, origin captured.
    pub fn captured(snapshot: &Snapshot, by: &str, why: &str) -> Self {
        let baseline = |(id, resource): (&ResourceId, &Resource)| {
            let baseline = Baseline {
                schema: BASELINE_SCHEMA,
                id: id.clone(),
                vpc: resource.vpc().cloned(),
                state: Some(resource.clone()),
                handles: snapshot.handles.of(id),
                generation: Generation::default().next(),
                parent: None,
                provenance: Provenance {
                    origin: Origin::Captured,
                    by: by.to_owned(),
                    why: why.to_owned(),
                    at: snapshot.observed_at,
                    event: None,
                },
                marks: BTreeMap::new(),
                predecessor: None,
                successor: None,
            };
            (id.clone(), baseline)
        };
        Self {
            by_id: snapshot.resources.iter().map(baseline).collect(),
            topology: snapshot.topology.clone(),
            seen: None,
        }
    }

    /// The newest context known beside a read: as the last sweep saw it, else as it was captured.
    pub fn context(&self) -> &Topology {
        self.seen.as_ref().unwrap_or(&self.topology)
    }

    /// The good state of a resource.
    pub fn state(&self, id: &ResourceId) -> Option<&Resource> {
        self.by_id.get(id)?.state.as_ref()
    }

    /// Which id took the place of which, as far as these baselines know.
    pub fn lineage(&self) -> Lineage {
        let mut lineage = Lineage::default();
        for (old, baseline) in &self.by_id {
            if let Some(new) = &baseline.successor {
                lineage.record(old.as_str(), new.as_str());
            }
        }
        lineage
    }

    /// The ids of parts known to any of these baselines.
    pub fn association(&self, id: &crate::AssociationId) -> Option<&crate::AssociationHandle> {
        self.by_id
            .values()
            .find_map(|baseline| baseline.handles.associations.get(id))
    }
}
