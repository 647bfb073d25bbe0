//! Which added rules open something to the internet, and to how much of it (SG-WORLD-*, SG-NEAR-WORLD).

use snapback_reach::{AddressSet, Family, PacketSet, Pieces};
use std::collections::BTreeSet;

/// Ports whose opening to the world is critical: Security Hub EC2.19 and ours (semantics D).
const SENSITIVE: [u16; 34] = [
    20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 2375, 2379, 3000, 3306, 3389, 4333, 5000,
    5432, 5500, 5601, 5985, 5986, 6379, 6443, 8080, 8088, 8888, 9092, 9200, 9300, 10250, 11211,
    27017,
];

/// Ports that may be open to the world (semantics D, Security Hub EC2.18).
const PUBLIC: [u16; 2] = [80, 443];

/// SG-NEAR-WORLD: this many public addresses opened at one port. 2^24 in IPv4; in IPv6 as many as a /16 has.
const NEAR_V4: u128 = 1 << 24;
const NEAR_V6: u128 = 1 << 112;

/// How much of the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Width {
    /// A huge part of it.
    Near,
    /// All of it.
    World,
}

/// What one rule helps to open to the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exposure {
    pub(super) width: Width,
    pub(super) family: Family,
    /// IP protocol number; 255 stands for all that no rule names.
    pub(super) protocol: u8,
    /// First and last port (or ICMP point).
    low: u16,
    high: u16,
}

impl Exposure {
    fn has_ports(&self) -> bool {
        matches!(self.protocol, 6 | 17)
    }

    fn contains(&self, port: u16) -> bool {
        self.has_ports() && self.low <= port && port <= self.high
    }

    /// The sensitive ports in it.
    pub(super) fn sensitive(&self) -> impl Iterator<Item = u16> + '_ {
        SENSITIVE.into_iter().filter(|port| self.contains(*port))
    }

    /// Whether it is nothing but echo and other ICMP.
    pub(super) fn is_icmp(&self) -> bool {
        matches!(self.protocol, 1 | 58)
    }

    /// Whether nothing is in it but the ports that may be open to the world.
    pub(super) fn is_public(&self) -> bool {
        let public = PUBLIC
            .into_iter()
            .filter(|port| self.contains(*port))
            .count();
        self.has_ports() && usize::from(self.high - self.low) + 1 == public
    }
}

/// What each of the added rules helps to open to the internet, where `after` opens what `before` did
/// not. The exposures of the rule at index i are at index i.
pub(super) fn exposures(
    before: &PacketSet,
    after: &PacketSet,
    added: &[PacketSet],
) -> Vec<Vec<Exposure>> {
    let mut blamed: Vec<Vec<Exposure>> = vec![Vec::new(); added.len()];
    let opened = after.difference(before);
    // A protocol that one rule names and another covers with all is named in no union of both.
    let named = added.iter().flat_map(PacketSet::protocols);
    let protocols: BTreeSet<u8> = opened.protocols().into_iter().chain(named).collect();
    for protocol in protocols {
        let points = opened.points(protocol);
        let within = |packets: &PacketSet| packets.by_point_within(protocol, &points);
        let (old, new) = (within(before), within(after));
        let rules: Vec<Pieces<u16, AddressSet>> = added.iter().map(within).collect();
        let active = rules.iter().enumerate().fold(
            Pieces::default(),
            |active: Pieces<u16, BTreeSet<usize>>, (index, rule)| {
                active.zip_with(rule, |active, peers| {
                    let here = (!peers.is_empty()).then_some(index);
                    active.iter().copied().chain(here).collect()
                })
            },
        );
        for family in Family::ALL {
            let internet = AddressSet::internet(family);
            let opened = new.zip_with(&old, |new, old| newly_exposed(new, old, &internet, family));
            let parts = opened.zip_with(&active, |opened, active| (opened.clone(), active.clone()));
            for (low, high, (opened, active)) in parts.segments() {
                let Some((width, target)) = opened else {
                    continue;
                };
                let shares: Vec<(usize, AddressSet)> = active
                    .iter()
                    .filter_map(|index| {
                        Some((*index, rules.get(*index)?.at(low)?.intersection(target)))
                    })
                    .filter(|(_, share)| !share.is_empty())
                    .collect();
                let guilty = match width {
                    Width::World => in_some_minimal_cover(target, &shares),
                    Width::Near => largest_shares(target, &shares, family),
                };
                for index in guilty {
                    if let Some(list) = blamed.get_mut(index) {
                        list.push(Exposure {
                            width: *width,
                            family,
                            protocol,
                            low,
                            high,
                        });
                    }
                }
            }
        }
    }
    blamed
}

/// How much of the internet was opened at one port, and which addresses those are.
fn newly_exposed(
    new: &AddressSet,
    old: &AddressSet,
    internet: &AddressSet,
    family: Family,
) -> Option<(Width, AddressSet)> {
    let target = new.difference(old).intersection(internet);
    if target.is_empty() {
        return None;
    }
    if internet.is_subset(new) {
        return Some((Width::World, target));
    }
    (target.address_count(family) >= near(family)).then_some((Width::Near, target))
}

fn near(family: Family) -> u128 {
    match family {
        Family::V4 => NEAR_V4,
        Family::V6 => NEAR_V6,
    }
}

/// Whether some peers are a huge part of the internet, or all of it.
pub(super) fn is_near_world(peers: &AddressSet) -> bool {
    Family::ALL
        .into_iter()
        .any(|family| peers.public_address_count(family) >= near(family))
}

/// The rules that a smallest choice covering the target can contain: each is one of those that make
/// the opening, and a small rule beside a world-wide one is not.
///
/// A rule is in some minimal cover exactly when the target has an address such that the rule,
/// together with all rules that do not hold that address, covers it.
fn in_some_minimal_cover(target: &AddressSet, shares: &[(usize, AddressSet)]) -> BTreeSet<usize> {
    let mut classes: Vec<(AddressSet, BTreeSet<usize>)> = vec![(target.clone(), BTreeSet::new())];
    for (index, share) in shares {
        classes = classes
            .into_iter()
            .flat_map(|(addresses, holders)| {
                let held = holders.iter().copied().chain([*index]).collect();
                [
                    (addresses.intersection(share), held),
                    (addresses.difference(share), holders),
                ]
            })
            .filter(|(addresses, _)| !addresses.is_empty())
            .collect();
    }
    let mut guilty = BTreeSet::new();
    for (_, holders) in classes {
        let others = shares.iter().filter(|(index, _)| !holders.contains(index));
        let missing = others.fold(target.clone(), |missing, (_, share)| {
            missing.difference(share)
        });
        let completing = shares
            .iter()
            .filter(|(index, share)| holders.contains(index) && missing.is_subset(share));
        guilty.extend(completing.map(|(index, _)| *index));
    }
    guilty
}

/// The largest rules, as many as must go for the rest to be no huge part of the internet; equal ones alike.
fn largest_shares(
    target: &AddressSet,
    shares: &[(usize, AddressSet)],
    family: Family,
) -> BTreeSet<usize> {
    let mut sizes: Vec<u128> = shares
        .iter()
        .map(|(_, share)| share.address_count(family))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let nobody = AddressSet::empty();
    let mut guilty = BTreeSet::new();
    for size in sizes.into_iter().rev() {
        let larger = |share: &AddressSet| share.address_count(family) >= size;
        guilty.extend(
            shares
                .iter()
                .filter(|(_, share)| larger(share))
                .map(|(index, _)| *index),
        );
        let rest = shares
            .iter()
            .filter(|(index, _)| !guilty.contains(index))
            .fold(nobody.clone(), |sum, (_, share)| sum.union(share));
        if newly_exposed(&rest, &nobody, target, family).is_none() {
            break;
        }
    }
    guilty
}
