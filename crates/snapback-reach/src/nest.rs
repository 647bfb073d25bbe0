//! What nested networks say together at each address, in one pass.

use crate::flow::Symbol;
use crate::pieces::{Coordinate, Pieces};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Items by peer: networks of both families as inclusive ranges, and symbols.
pub(crate) struct ByPeer<'a, T> {
    pub(crate) v4: Vec<(u32, u32, T)>,
    pub(crate) v6: Vec<(u128, u128, T)>,
    pub(crate) symbols: BTreeMap<&'a Symbol, Vec<T>>,
}

impl<T> Default for ByPeer<'_, T> {
    fn default() -> Self {
        Self {
            v4: Vec::new(),
            v6: Vec::new(),
            symbols: BTreeMap::new(),
        }
    }
}

/// Lays the items of networks over each other. Any two networks are nested or disjoint, so what
/// holds at an address is what the innermost network there says (`own`, all its items in their
/// order), joined to what holds around it (`join`, outer first). A stack is enough, and no address
/// is looked at twice: O(n log n) and the size of the values.
pub(crate) fn nest<A: Coordinate, T, V: Clone + Eq + Default>(
    mut items: Vec<(A, A, T)>,
    own: impl Fn(&[(A, A, T)]) -> V,
    join: impl Fn(&V, V) -> V,
) -> Pieces<A, V> {
    items.sort_by_key(|(low, high, _)| (*low, Reverse(*high)));
    let mut cuts = Vec::with_capacity(items.len() * 2);
    let mut open: Vec<(A, V)> = Vec::new();
    for same in items.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        let Some((low, high)) = same.first().map(|(low, high, _)| (*low, *high)) else {
            continue;
        };
        close(&mut open, &mut cuts, Some(low));
        let own = own(same);
        let value = match open.last() {
            Some((_, outer)) => join(outer, own),
            None => own,
        };
        cuts.push((low, value.clone()));
        open.push((high, value));
    }
    close(&mut open, &mut cuts, None);
    Pieces::from_cuts(cuts)
}

/// Ends the networks that lie before `next` (all, without it): behind each, what is around it holds
/// again, unless that ends there too or the next network begins.
fn close<A: Coordinate, V: Clone + Default>(
    open: &mut Vec<(A, V)>,
    cuts: &mut Vec<(A, V)>,
    next: Option<A>,
) {
    while let Some((end, _)) = open.pop_if(|(end, _)| next.is_none_or(|next| *end < next)) {
        let outer = open.last();
        if outer.is_some_and(|(outer, _)| *outer == end) {
            continue;
        }
        if let Some(behind) = end.next().filter(|behind| Some(*behind) != next) {
            cuts.push((
                behind,
                outer.map_or_else(V::default, |(_, value)| value.clone()),
            ));
        }
    }
}
