//! The hard draw: the storm of a seed, and upon it more of what found failures when 10^5 ordinary storms
//! found few. What is made again meets trusted hands, lost answers and late events within minutes.

use super::draw::deletion;
use super::{Crash, Hand, Process, Storm, Trouble, Wrong};
use crate::storm::deed::Deed;
use fastrand::Rng;

/// While events and answers are in trouble, milliseconds from the beginning.
const TROUBLED: u32 = 150_000;

impl Storm {
    /// The hard storm of a seed.
    pub fn hard(seed: u64) -> Self {
        let mut storm = Self::of(seed);
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x4a2d);
        storm.lasts = storm.lasts.min(TROUBLED);
        storm.mishaps.truncate(8);
        storm.recreate_nat = rng.u8(..4) > 0;
        if rng.bool() {
            storm.limits = None;
        }
        for _ in 0..rng.u8(1..4) {
            storm.delete_twice(&mut rng);
        }
        if storm.recreate_nat && rng.u8(..3) == 0 {
            storm.delete_nats(&mut rng);
        }
        for _ in 0..rng.u8(..3) {
            storm.do_at_once(&mut rng);
        }
        if rng.u8(..3) > 0 {
            storm.guards = 2;
        }
        storm.mishaps.sort_by_key(|mishap| mishap.at);
        for _ in 0..rng.u8(1..4) {
            storm.troubles.push(trouble(&mut rng));
        }
        for _ in 0..rng.u8(..3) {
            storm.crashes.push(Crash {
                process: Process::Guard,
                turn: rng.u16(1..200),
            });
        }
        storm
    }

    /// A deletion, and what people do to the same thing while it is made again.
    fn delete_twice(&mut self, rng: &mut Rng) {
        let at = rng.u32(..TROUBLED / 2);
        let first = deletion(rng);
        let by = hand(rng, 1);
        self.push(rng, at, by, first);
        for _ in 0..rng.u8(..4) {
            let at = at.saturating_add(rng.u32(..90_000));
            let by = hand(rng, 3);
            let deed = follow_up(rng, first);
            self.push(rng, at, by, deed);
        }
    }

    /// Several deeds on one thing in a second or two: events cannot tell which was first, and two guards
    /// hear of them at the same time.
    fn do_at_once(&mut self, rng: &mut Rng) {
        let from = rng.u32(..TROUBLED / 2);
        let (thing, kind) = (rng.u16(..64), rng.u8(..6));
        for _ in 0..rng.u8(2..5) {
            let at = from.saturating_add(rng.u32(..1_800));
            let (by, deed) = one_of(rng, kind, thing);
            self.push(rng, at, by, deed);
        }
    }

    /// The NAT gateway goes, and its successors after it.
    fn delete_nats(&mut self, rng: &mut Rng) {
        let mut at = rng.u32(..TROUBLED / 2);
        for _ in 0..rng.u8(1..4) {
            let by = hand(rng, 2);
            self.push(rng, at, by, Deed::DeleteNat);
            at = at.saturating_add(rng.u32(5_000..300_000));
        }
    }
}

/// The trusted hand in so many of five.
fn hand(rng: &mut Rng, trusted: u8) -> Hand {
    match rng.u8(..5) {
        drawn if drawn < trusted => Hand::Trusted,
        _ => Hand::Stranger,
    }
}

/// Something done to what was deleted or stands near it: the same number chooses it, or what took its
/// place.
fn follow_up(rng: &mut Rng, first: Deed) -> Deed {
    let other = rng.u16(..64);
    let kind = rng.u8(..6);
    match (first, kind) {
        (_, 0) => first,
        (Deed::DeleteGroup { group }, 1 | 2) => Deed::AddRule {
            group,
            number: rng.u8(..),
        },
        (Deed::DeleteGroup { group }, 3) => Deed::RevokeRule { group, rule: other },
        (Deed::DeleteAcl { acl }, 1 | 2) => Deed::MoveSubnet { subnet: other, acl },
        (Deed::DeleteAcl { acl }, 3) => Deed::DropEntry { acl, entry: other },
        (Deed::DeleteTable { table }, 1) => Deed::MoveTable {
            subnet: other,
            table,
        },
        (Deed::DeleteTable { table }, 2) => Deed::DropRoute {
            table,
            route: other,
        },
        (Deed::DeleteTable { table }, 3) => Deed::AddRoute {
            table,
            net: rng.u8(..),
            target: other,
        },
        (_, 4) => Deed::Tag {
            resource: other,
            number: rng.u8(..),
        },
        _ => deletion(rng),
    }
}

/// Something of a kind done to one thing, by whom such things are known to be done.
fn one_of(rng: &mut Rng, kind: u8, thing: u16) -> (Hand, Deed) {
    let other = rng.u16(..64);
    let any = hand(rng, 4);
    match (kind, rng.u8(..4)) {
        (0, 0) => (Hand::Stranger, Deed::Disassociate { subnet: thing }),
        (0, _) => {
            let (subnet, table) = (thing, other);
            (any, Deed::MoveTable { subnet, table })
        }
        (1, _) => {
            let (subnet, acl) = (thing, other);
            (any, Deed::MoveSubnet { subnet, acl })
        }
        (2, 0) => {
            let (group, rule) = (thing, other % 4);
            (Hand::Stranger, Deed::DescribeRule { group, rule })
        }
        (2, 1) => {
            let (group, rule) = (thing, other % 4);
            (any, Deed::RevokeRule { group, rule })
        }
        (2, _) => {
            let (group, number) = (thing, rng.u8(..3));
            (any, Deed::AddRule { group, number })
        }
        (3, 0) => {
            let (table, route, target) = (thing, other % 3, rng.u16(..64));
            let deed = Deed::Redirect {
                table,
                route,
                target,
            };
            (Hand::Stranger, deed)
        }
        (3, 1) => {
            let (table, route) = (thing, other % 3);
            (any, Deed::DropRoute { table, route })
        }
        (3, _) => {
            let (table, net, target) = (thing, rng.u8(..2), other);
            (any, Deed::AddRoute { table, net, target })
        }
        (4, 0) => {
            let (acl, entry) = (thing, other % 3);
            (Hand::Stranger, Deed::RewriteEntry { acl, entry })
        }
        (4, 1) => {
            let (acl, entry) = (thing, other % 3);
            (any, Deed::DropEntry { acl, entry })
        }
        (4, _) => {
            let deed = Deed::AddEntry {
                acl: thing,
                number: 300 + other % 2,
                deny: false,
                egress: false,
                net: rng.u8(..2),
            };
            (any, deed)
        }
        _ => {
            let (resource, number) = (thing, rng.u8(..3));
            (any, Deed::Tag { resource, number })
        }
    }
}

fn trouble(rng: &mut Rng) -> Trouble {
    let chance = rng.u16(100..500);
    let what = match rng.u8(..9) {
        0..3 => Wrong::AnswersLost(chance),
        3 => Wrong::StoreAnswersLost(chance),
        4 | 5 => Wrong::EventsLate {
            chance,
            by: rng.u32(20_000..900_000),
        },
        6 => Wrong::EventsSlow(rng.u32(10_000..90_000)),
        7 => Wrong::EventsLost(chance),
        _ => Wrong::Stale {
            window: rng.u16(500..3_000),
            chance: rng.u16(300..900),
        },
    };
    Trouble {
        from: rng.u32(..TROUBLED / 2),
        lasts: rng.u32(20_000..TROUBLED),
        what,
    }
}
