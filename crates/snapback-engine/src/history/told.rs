//! What one event says of one part, and what two of them say together.

use super::Reason;
use snapback_model::*;

/// A part of the account that has one content at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// Whether a resource exists.
    Existence(ResourceId),
    /// A rule, entry, route, propagation or edge of a resource.
    Part(ResourceId, Element),
    /// All parts of a resource that no event and no state names.
    Rest(ResourceId),
    /// The ACL, or explicit route table, of a subnet.
    Holder(Kind, SubnetId),
    /// The main route table of a VPC.
    Main(VpcId),
}

/// The content of a part at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// The resource itself does not exist.
    NoResource,
    /// It is not there.
    Absent,
    /// It is there.
    There(Thing),
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
    /// It exists, or it is on. Rules have no more to them: texts are not followed.
    Set,
    /// An entry.
    Entry(NetworkAclEntry),
    /// A route.
    Route(RouteTarget),
    /// Held by this ACL or table.
    HeldBy(ResourceId),
}

/// What is said of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// All of it.
    Known(Content),
    /// Something is there, not what.
    Something(Reason),
    /// Nothing, or this very thing.
    AbsentOr(Thing),
    /// Nothing is said.
    Unknown(Reason),
}

impl Told {
    pub(super) fn there(thing: Thing) -> Self {
        Self::Known(Content::There(thing))
    }

    pub(super) const ABSENT: Self = Self::Known(Content::Absent);

    /// Whether one thing may be meant by both.
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown(_), _) | (_, Self::Unknown(_)) => true,
            (Self::Known(one), Self::Known(other)) => one == other,
            (Self::Known(content), Self::Something(_))
            | (Self::Something(_), Self::Known(content)) => matches!(content, Content::There(_)),
            (Self::Known(content), Self::AbsentOr(thing))
            | (Self::AbsentOr(thing), Self::Known(content)) => match content {
                Content::Absent => true,
                Content::There(there) => there == thing,
                Content::NoResource => false,
            },
            (Self::AbsentOr(one), Self::AbsentOr(other)) => one == other,
            (Self::Something(_), _) | (_, Self::Something(_)) => true,
        }
    }
}

/// One event's word on one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touch {
    /// When.
    pub second: i64,
    /// Which step; `None` is the live state.
    pub step: Option<usize>,
    /// What it found.
    pub before: Told,
    /// What it left.
    pub after: Told,
}

/// Everything said of one part in one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    pub second: i64,
    pub before: Told,
    pub after: Told,
}

/// More touches in one second are not put into an order.
const ORDERED_MAX: usize = 4;

/// The touches of one part, second by second.
pub(super) fn clusters(mut touches: Vec<Touch>) -> Vec<Cluster> {
    touches.sort_by_key(|touch| touch.second);
    let mut clusters = Vec::new();
    for group in touches.chunk_by(|one, other| one.second == other.second) {
        let Some(first) = group.first() else { continue };
        let mut distinct: Vec<(Told, Told)> = Vec::new();
        for touch in group {
            let said = (touch.before.clone(), touch.after.clone());
            // What only bears witness says the same however often it is said.
            if touch.before != touch.after || !distinct.contains(&said) {
                distinct.push(said);
            }
        }
        let (before, after) = match distinct.as_slice() {
            [(before, after)] => (before.clone(), after.clone()),
            several => together(several),
        };
        clusters.push(Cluster {
            second: first.second,
            before,
            after,
        });
    }
    clusters
}

/// What came first and what was left in the end, over all orders in which each finds what the one
/// before it left.
fn together(said: &[(Told, Told)]) -> (Told, Told) {
    let unknown = || Told::Unknown(Reason::SameSecond);
    if said.len() > ORDERED_MAX {
        return (unknown(), unknown());
    }
    let mut ends: Vec<(Told, Told)> = Vec::new();
    let mut order = Vec::new();
    orders(said, &mut order, &mut ends);
    match ends.as_slice() {
        [] => {
            let lost = || Told::Unknown(Reason::Contradiction);
            (lost(), lost())
        }
        [(before, after), others @ ..] => {
            let same =
                |one: &Told, all: &dyn Fn(&(Told, Told)) -> bool| match others.iter().all(all) {
                    true => one.clone(),
                    false => unknown(),
                };
            (
                same(before, &|(other, _)| other == before),
                same(after, &|(_, other)| other == after),
            )
        }
    }
}

fn orders(said: &[(Told, Told)], order: &mut Vec<usize>, ends: &mut Vec<(Told, Told)>) {
    if order.len() == said.len() {
        let end = |index: Option<&usize>| index.and_then(|index| said.get(*index));
        if let (Some((before, _)), Some((_, after))) = (end(order.first()), end(order.last())) {
            ends.push((before.clone(), after.clone()));
        }
        return;
    }
    for (index, (before, _)) in said.iter().enumerate() {
        let follows = order
            .last()
            .and_then(|last| said.get(*last))
            .is_none_or(|(_, left)| left.agrees(before));
        if !order.contains(&index) && follows {
            order.push(index);
            orders(said, order, ends);
            order.pop();
        }
    }
}

/// The content just before a second, from what the cluster before it left and what the cluster at
/// or after it found.
pub(super) fn content_before(clusters: &[Cluster], second: i64) -> Result<Content, Reason> {
    let at = clusters.partition_point(|cluster| cluster.second < second);
    let nothing = Told::Unknown(Reason::NoState);
    let left = at
        .checked_sub(1)
        .and_then(|at| clusters.get(at))
        .map_or(&nothing, |cluster| &cluster.after);
    let right = clusters.get(at).map_or(&nothing, |cluster| &cluster.before);
    if !left.agrees(right) {
        return Err(Reason::Contradiction);
    }
    match (left, right) {
        (Told::Known(content), _) | (_, Told::Known(content)) => Ok(content.clone()),
        (Told::Something(_), Told::AbsentOr(thing))
        | (Told::AbsentOr(thing), Told::Something(_)) => Ok(Content::There(thing.clone())),
        (Told::AbsentOr(_), _) | (_, Told::AbsentOr(_)) => Err(Reason::PerhapsThere),
        (_, Told::Something(reason)) | (Told::Something(reason), _) => Err(*reason),
        (Told::Unknown(left), Told::Unknown(right)) => Err(match right {
            Reason::NoState => *left,
            right => *right,
        }),
    }
}
