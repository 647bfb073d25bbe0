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

    /// Several deeds on one thing in a second or two: only what they name tells which was first, and two
    /// guards hear of them at the same time.
    fn do_at_once(&mut self, rng: &mut Rng) {
        let from = rng.u32(..TROUBLED / 2);
        let (thing, kind) = (rng.u16(..64), rng.u8(..6));
        let moves = kind < 2;
        let one = hand(rng, 4);
        for _ in 0..rng.u8(2..5) {
            // What is no move has no chain: of two hands nothing tells then which was the last.
            let by = if moves { hand(rng, 4) } else { one };
            let at = from.saturating_add(rng.u32(..1_800));
            let deed = one_of(rng, kind, thing);
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

/// Something of a kind that is done to one thing.
fn one_of(rng: &mut Rng, kind: u8, thing: u16) -> Deed {
    let (other, takes) = (rng.u16(..64), rng.u8(..3) == 0);
    match (kind, takes) {
        (0, _) => Deed::MoveTable {
            subnet: thing,
            table: other,
        },
        (1, _) => Deed::MoveSubnet {
            subnet: thing,
            acl: other,
        },
        (2, true) => Deed::RevokeRule {
            group: thing,
            rule: other % 4,
        },
        (2, false) => Deed::AddRule {
            group: thing,
            number: rng.u8(..3),
        },
        (3, true) => Deed::DropRoute {
            table: thing,
            route: other % 3,
        },
        (3, false) => Deed::AddRoute {
            table: thing,
            net: rng.u8(..2),
            target: other,
        },
        (4, true) => Deed::DropEntry {
            acl: thing,
            entry: other % 3,
        },
        (4, false) => Deed::AddEntry {
            acl: thing,
            number: 300 + other % 2,
            deny: false,
            egress: false,
            net: rng.u8(..2),
        },
        _ => Deed::Tag {
            resource: thing,
            number: rng.u8(..3),
        },
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
