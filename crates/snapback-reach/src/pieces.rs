//! Piecewise-constant maps over a line: the one structure behind ports, addresses, slabs and next
//! hops (semantics F). One form for each map, so `==` is equality of meaning.

use smallvec::SmallVec;

/// A point of a line: a port, an IPv4 or an IPv6 address.
pub trait Coordinate: Copy + Ord {
    /// The first point.
    const MIN: Self;
    /// The point behind this one; nothing behind the last.
    fn next(self) -> Option<Self>;
    /// The point before this one; nothing before the first.
    fn previous(self) -> Option<Self>;
    /// The last point.
    const MAX: Self;
}

macro_rules! coordinates {
    ($($type:ty),+) => {$(
        impl Coordinate for $type {
            const MIN: Self = <$type>::MIN;
            const MAX: Self = <$type>::MAX;
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )+};
}
coordinates!(u16, u32, u128);

/// A map from every point of a line to a value, constant between finitely many cuts.
///
/// Canonical: points before the first cut have the default value, the first cut does not, and
/// neighbours differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pieces<A, V> {
    // Most maps have two cuts, and a set is made of very many small ones: those need no allocation.
    cuts: SmallVec<[(A, V); INLINE]>,
}

/// Cuts that are held without an allocation: one range and its neighbour.
const INLINE: usize = 4;

impl<A, V> Default for Pieces<A, V> {
    fn default() -> Self {
        Self {
            cuts: SmallVec::new(),
        }
    }
}

impl<A: Coordinate, V: Clone + Eq + Default> Pieces<A, V> {
    /// The same value everywhere.
    pub fn constant(value: V) -> Self {
        Self::from_cuts([(A::MIN, value)])
    }

    /// A value from `low` to `high`, both included; the default elsewhere.
    pub fn span(low: A, high: A, value: V) -> Self {
        let end = high.next().map(|end| (end, V::default()));
        Self::from_cuts([(low, value)].into_iter().chain(end))
    }

    /// From cuts in ascending order: each value holds until the next cut. Of equal cuts the last counts.
    pub fn from_cuts(cuts: impl IntoIterator<Item = (A, V)>) -> Self {
        let cuts = cuts.into_iter();
        let mut map = Self {
            cuts: SmallVec::with_capacity(cuts.size_hint().0),
        };
        for (at, value) in cuts {
            map.push(at, value);
        }
        map
    }

    fn push(&mut self, at: A, value: V) {
        if self.cuts.last().is_some_and(|(last, _)| *last == at) {
            self.cuts.pop();
        }
        let same = match self.cuts.last() {
            Some((_, before)) => *before == value,
            None => value == V::default(),
        };
        if !same {
            self.cuts.push((at, value));
        }
    }

    /// The value at a point; `None` is the default.
    pub fn at(&self, point: A) -> Option<&V> {
        let behind = self.cuts.partition_point(|(at, _)| *at <= point);
        behind
            .checked_sub(1)
            .and_then(|index| self.cuts.get(index))
            .map(|(_, value)| value)
    }

    /// The cuts: where each value begins.
    pub fn cuts(&self) -> &[(A, V)] {
        &self.cuts
    }

    /// The pieces that do not have the default value: first point, last point, value.
    pub fn segments(&self) -> impl Iterator<Item = (A, A, &V)> {
        let ends = self
            .cuts
            .iter()
            .skip(1)
            .map(|(at, _)| at.previous())
            .chain([Some(A::MAX)]);
        let default = V::default();
        self.cuts
            .iter()
            .zip(ends)
            .filter_map(|((low, value), high)| high.map(|high| (*low, high, value)))
            .filter(move |(_, _, value)| **value != default)
    }

    /// Each value replaced by a function of it.
    pub fn map<W: Clone + Eq + Default>(&self, of: impl Fn(&V) -> W) -> Pieces<A, W> {
        let first = [(A::MIN, of(&V::default()))];
        Pieces::from_cuts(
            first
                .into_iter()
                .chain(self.cuts.iter().map(|(at, value)| (*at, of(value)))),
        )
    }

    /// Visits the pieces of two maps laid over each other until `visit` says stop (`false`).
    /// Tells whether all were visited.
    pub fn walk<W: Clone + Eq + Default>(
        &self,
        other: &Pieces<A, W>,
        mut visit: impl FnMut(A, &V, &W) -> bool,
    ) -> bool {
        let (left_default, right_default) = (V::default(), W::default());
        let (mut left, mut right) = (&left_default, &right_default);
        let (mut lefts, mut rights) = (self.cuts.as_slice(), other.cuts.as_slice());
        let first = |cut: Option<A>| cut.is_some_and(|at| at == A::MIN);
        let covered =
            first(lefts.first().map(|cut| cut.0)) || first(rights.first().map(|cut| cut.0));
        if !covered && !visit(A::MIN, left, right) {
            return false;
        }
        loop {
            let at = match (lefts.split_first(), rights.split_first()) {
                (Some(((a, value), behind)), Some(((b, other), behind_other))) => {
                    if a <= b {
                        (left, lefts) = (value, behind);
                    }
                    if b <= a {
                        (right, rights) = (other, behind_other);
                    }
                    *a.min(b)
                }
                (Some(((a, value), behind)), None) => {
                    (left, lefts) = (value, behind);
                    *a
                }
                (None, Some(((b, value), behind))) => {
                    (right, rights) = (value, behind);
                    *b
                }
                (None, None) => return true,
            };
            if !visit(at, left, right) {
                return false;
            }
        }
    }

    /// Two maps combined point by point.
    pub fn zip_with<W: Clone + Eq + Default, X: Clone + Eq + Default>(
        &self,
        other: &Pieces<A, W>,
        mut of: impl FnMut(&V, &W) -> X,
    ) -> Pieces<A, X> {
        let mut result = Pieces {
            cuts: SmallVec::with_capacity(self.cuts.len() + other.cuts.len() + 1),
        };
        self.walk(other, |at, left, right| {
            result.push(at, of(left, right));
            true
        });
        result
    }
}

/// The operations of set algebra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperation {
    /// In either.
    Union,
    /// In both.
    Intersection,
    /// In the first only.
    Difference,
}

/// A set over one or more dimensions; the default value is the empty set.
pub trait Region: Sized {
    /// Both combined.
    #[must_use]
    fn combine(&self, other: &Self, operation: SetOperation) -> Self;
    /// Whether nothing is in it.
    fn is_empty(&self) -> bool;
    /// Whether all of it is in the other.
    fn is_subset(&self, other: &Self) -> bool;
    /// Whether both have nothing in common.
    fn is_disjoint(&self, other: &Self) -> bool;

    /// In either.
    #[must_use]
    fn union(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Union)
    }
    /// In both.
    #[must_use]
    fn intersection(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Intersection)
    }
    /// In this one only.
    #[must_use]
    fn difference(&self, other: &Self) -> Self {
        self.combine(other, SetOperation::Difference)
    }
}

impl Region for bool {
    fn combine(&self, other: &Self, operation: SetOperation) -> Self {
        match operation {
            SetOperation::Union => *self || *other,
            SetOperation::Intersection => *self && *other,
            SetOperation::Difference => *self && !*other,
        }
    }
    fn is_empty(&self) -> bool {
        !*self
    }
    fn is_subset(&self, other: &Self) -> bool {
        !*self || *other
    }
    fn is_disjoint(&self, other: &Self) -> bool {
        !(*self && *other)
    }
}

impl<A: Coordinate, V: Region + Clone + Eq + Default> Region for Pieces<A, V> {
    fn combine(&self, other: &Self, operation: SetOperation) -> Self {
        if self == other {
            return match operation {
                SetOperation::Union | SetOperation::Intersection => self.clone(),
                SetOperation::Difference => Self::default(),
            };
        }
        match (self.cuts.is_empty(), other.cuts.is_empty(), operation) {
            (true, _, SetOperation::Union) => other.clone(),
            (_, true, SetOperation::Union | SetOperation::Difference) => self.clone(),
            (true, _, _) | (_, true, SetOperation::Intersection) => Self::default(),
            (false, false, _) => self.zip_with(other, |left, right| left.combine(right, operation)),
        }
    }
    fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }
    fn is_subset(&self, other: &Self) -> bool {
        self.walk(other, |_, left, right| left.is_subset(right))
    }
    fn is_disjoint(&self, other: &Self) -> bool {
        self.cuts.is_empty()
            || other.cuts.is_empty()
            || self.walk(other, |_, left, right| left.is_disjoint(right))
    }
}

impl<A: Coordinate> Pieces<A, bool> {
    /// Every point.
    pub fn full() -> Self {
        Self::constant(true)
    }

    /// Whether every point is in it.
    pub fn is_full(&self) -> bool {
        matches!(self.cuts.as_slice(), [(at, true)] if *at == A::MIN)
    }

    /// Whether a point is in it.
    pub fn contains(&self, point: A) -> bool {
        self.at(point).copied().unwrap_or(false)
    }

    /// The union of inclusive ranges in any order.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (A, A)>) -> Self {
        let mut ranges: Vec<(A, A)> = ranges.into_iter().collect();
        ranges.sort_unstable();
        let mut set = Self::default();
        let mut open: Option<(A, A)> = None;
        let mut close = |(low, high): (A, A)| {
            set.push(low, true);
            if let Some(end) = high.next() {
                set.push(end, false);
            }
        };
        for (low, high) in ranges {
            open = match open {
                Some((first, last)) if last.next().is_none_or(|end| low <= end) => {
                    Some((first, last.max(high)))
                }
                Some(done) => {
                    close(done);
                    Some((low, high))
                }
                None => Some((low, high)),
            };
        }
        if let Some(done) = open {
            close(done);
        }
        set
    }

    /// The maximal inclusive ranges of points in it.
    pub fn ranges(&self) -> impl Iterator<Item = (A, A)> {
        self.segments().map(|(low, high, _)| (low, high))
    }
}

/// A total map in which all but finitely many keys have one value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Total<K: Ord, V> {
    named: std::collections::BTreeMap<K, V>,
    rest: V,
}

impl<K: Ord, V: Default> Default for Total<K, V> {
    fn default() -> Self {
        Self {
            named: std::collections::BTreeMap::new(),
            rest: V::default(),
        }
    }
}

impl<K: Ord + Clone, V: Eq + Clone> Total<K, V> {
    pub(crate) fn new(named: impl IntoIterator<Item = (K, V)>, rest: V) -> Self {
        let named = named
            .into_iter()
            .filter(|(_, value)| *value != rest)
            .collect();
        Self { named, rest }
    }

    pub(crate) fn at(&self, key: &K) -> &V {
        self.named.get(key).unwrap_or(&self.rest)
    }

    pub(crate) fn named(&self) -> &std::collections::BTreeMap<K, V> {
        &self.named
    }

    pub(crate) fn rest(&self) -> &V {
        &self.rest
    }

    pub(crate) fn map<W: Eq + Clone>(&self, of: impl Fn(&V) -> W) -> Total<K, W> {
        Total::new(
            self.named
                .iter()
                .map(|(key, value)| (key.clone(), of(value))),
            of(&self.rest),
        )
    }

    fn keys<'a>(&'a self, other: &'a Self) -> std::collections::BTreeSet<&'a K> {
        self.named.keys().chain(other.named.keys()).collect()
    }
}

impl<K: Ord + Clone, V: Region + Clone + Eq> Region for Total<K, V> {
    fn combine(&self, other: &Self, operation: SetOperation) -> Self {
        let rest = self.rest.combine(&other.rest, operation);
        let keys = self.keys(other);
        Self::new(
            keys.into_iter()
                .map(|key| (key.clone(), self.at(key).combine(other.at(key), operation))),
            rest,
        )
    }
    fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.named.is_empty()
    }
    fn is_subset(&self, other: &Self) -> bool {
        self.rest.is_subset(&other.rest)
            && self
                .keys(other)
                .into_iter()
                .all(|key| self.at(key).is_subset(other.at(key)))
    }
    fn is_disjoint(&self, other: &Self) -> bool {
        self.rest.is_disjoint(&other.rest)
            && self
                .keys(other)
                .into_iter()
                .all(|key| self.at(key).is_disjoint(other.at(key)))
    }
}
