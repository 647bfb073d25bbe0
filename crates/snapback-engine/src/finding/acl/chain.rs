//! The entries of one direction in evaluation order, with what each decides: from it, what one entry
//! more, less or otherwise does is a few operations on small sets, not a whole evaluation.

use snapback_model::*;
use snapback_reach::PacketSet;

/// One entry of a list.
pub(super) struct Link {
    pub(super) key: EntryKey,
    pub(super) entry: NetworkAclEntry,
    /// What it matches.
    matched: PacketSet,
    /// What earlier entries match.
    seen: PacketSet,
    /// What it and the later ones permit of what reaches it.
    onward: PacketSet,
}

/// The entries of one direction.
pub(super) struct Chain {
    pub(super) links: Vec<Link>,
    nothing: PacketSet,
    seen: PacketSet,
}

/// What an entry at some place does to what is permitted.
#[derive(Default)]
pub(super) struct Turned {
    pub(super) cuts: PacketSet,
    pub(super) opens: PacketSet,
}

/// The packets an entry matches.
pub(super) fn matched(entry: &NetworkAclEntry) -> PacketSet {
    let entry = NetworkAclEntry::new(entry.action, entry.traffic, entry.cidr);
    PacketSet::of(&entry.traffic, entry.cidr)
}

fn onward(entry: &NetworkAclEntry, matched: &PacketSet, after: &PacketSet) -> PacketSet {
    match entry.action {
        RuleAction::Allow => after.union(matched),
        RuleAction::Deny => after.difference(matched),
    }
}

impl Chain {
    pub(super) fn of(acl: &NetworkAcl, direction: Direction) -> Self {
        let mut seen = PacketSet::empty();
        let mut links: Vec<Link> = Vec::new();
        for (key, entry) in &acl.entries {
            if key.direction != direction {
                continue;
            }
            let matched = matched(entry);
            let so_far = seen.union(&matched);
            links.push(Link {
                key: *key,
                entry: entry.clone(),
                matched,
                seen: std::mem::replace(&mut seen, so_far),
                onward: PacketSet::empty(),
            });
        }
        let mut after = PacketSet::empty();
        for link in links.iter_mut().rev() {
            link.onward = onward(&link.entry, &link.matched, &after);
            after.clone_from(&link.onward);
        }
        Self {
            links,
            nothing: PacketSet::empty(),
            seen,
        }
    }

    /// What the list permits.
    pub(super) fn permitted(&self) -> &PacketSet {
        self.links
            .first()
            .map_or(&self.nothing, |link| &link.onward)
    }

    /// The packets an entry decides.
    pub(super) fn decides(link: &Link) -> PacketSet {
        link.matched.difference(&link.seen)
    }

    /// What becomes of the list's packets when the entry at a place is another one, or none.
    pub(super) fn turned(&self, key: EntryKey, now: Option<&NetworkAclEntry>) -> Turned {
        let at = self.links.partition_point(|link| link.key < key);
        let here = self.links.get(at);
        let old = here.filter(|link| link.key == key);
        let next = if old.is_some() {
            at.saturating_add(1)
        } else {
            at
        };
        let after = self
            .links
            .get(next)
            .map_or(&self.nothing, |link| &link.onward);
        let seen = here.map_or(&self.seen, |link| &link.seen);
        // One entry more or less moves only what it matches: small sets, and no whole list.
        let one = |action: RuleAction, matched: &PacketSet| {
            let allowed = matched.difference(after).difference(seen);
            let denied = || matched.intersection(after).difference(seen);
            match action {
                RuleAction::Allow => (allowed, PacketSet::empty()),
                RuleAction::Deny => (PacketSet::empty(), denied()),
            }
        };
        match (old, now) {
            (None, None) => Turned::default(),
            (None, Some(entry)) => {
                let (opens, cuts) = one(entry.action, &matched(entry));
                Turned { cuts, opens }
            }
            (Some(link), None) => {
                let (cuts, opens) = one(link.entry.action, &link.matched);
                Turned { cuts, opens }
            }
            (Some(link), Some(entry)) => {
                let (before, turned) = (&link.onward, onward(entry, &matched(entry), after));
                Turned {
                    cuts: before.difference(&turned).difference(seen),
                    opens: turned.difference(before).difference(seen),
                }
            }
        }
    }

    /// What the denies of the list keep out on purpose: what a later allow would let pass, and
    /// whatever a deny narrower than deny-all decides. A deny-all at the end says no more than the
    /// list's own end does.
    pub(super) fn forbidden(&self) -> PacketSet {
        let allows = self
            .links
            .iter()
            .filter(|link| link.entry.action == RuleAction::Allow)
            .fold(PacketSet::empty(), |sum, link| sum.union(&link.matched));
        let withheld = allows.difference(self.permitted());
        self.links
            .iter()
            .filter(|link| {
                let everything =
                    link.entry.traffic == Traffic::All && link.entry.cidr.prefix_len() == 0;
                link.entry.action == RuleAction::Deny && !everything
            })
            .fold(withheld, |sum, link| sum.union(&Self::decides(link)))
    }

    /// The allow entries behind a place that decide less when an entry there matches `shadow`: each
    /// with whether nothing is left to it.
    pub(super) fn shadowed<'c>(
        &'c self,
        key: EntryKey,
        shadow: &'c PacketSet,
    ) -> impl Iterator<Item = (&'c Link, bool)> {
        self.links
            .iter()
            .filter(move |link| link.key > key && link.entry.action == RuleAction::Allow)
            .filter_map(move |link| {
                let decided = Self::decides(link);
                let lost = decided.intersects(shadow);
                lost.then(|| (link, decided.is_subset(shadow)))
            })
    }

    /// The entries that decide no packet at all, each with those before it that match what it does.
    pub(super) fn dead(&self) -> impl Iterator<Item = (&Link, Vec<&Link>)> {
        self.links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.matched.is_subset(&link.seen))
            .map(|(index, link)| {
                let before = self.links.iter().take(index);
                let by = before.filter(|before| before.matched.intersects(&link.matched));
                (link, by.collect())
            })
    }
}
