//! The draw: what is in the storm of a seed. What is added here changes what old seeds mean; storms that
//! found something are kept as files.

use super::{Crash, Hand, Limits, Mishap, Process, Storm, Trouble, Wrong, usual_pace};
use crate::storm::deed::Deed;
use fastrand::Rng;

impl Limits {
    fn drawn(rng: &mut Rng) -> Self {
        let tight = |rng: &mut Rng, from: u8, to: u8, wide: u8| match rng.u8(..3) {
            0 => rng.u8(from..to),
            _ => wide,
        };
        Self {
            calls: tight(rng, 2, 8, 100),
            reverts: tight(rng, 1, 4, 5),
            resources: tight(rng, 1, 5, 25),
            rounds: rng.u8(1..4),
            window: rng.u16(60..3_600),
            quiet: rng.u16(60..900),
            after: rng.u16(10..60),
            longest: rng.u16(60..600),
            changes: rng.u8(3..10),
        }
    }
}

impl Storm {
    /// The storm of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5707);
        let lasts = rng.u32(5_000..240_000);
        let skewed = rng.u8(..3) == 0;
        let mut storm = Self {
            seed,
            strict: rng.bool(),
            guards: 1 + u8::from(rng.u8(..5) < 3),
            ahead: [0; 3],
            default_vpc: rng.u8(..4) == 0,
            spare_groups: rng.u8(..4),
            spare_acl: rng.bool(),
            spare_table: rng.bool(),
            room: (rng.u8(..5) == 0).then(|| rng.u8(..3)),
            lasts,
            sweep_every: rng.u32(40_000..300_000),
            mishaps: Vec::new(),
            troubles: Vec::new(),
            crashes: Vec::new(),
            limits: None,
            releases: Vec::new(),
            released_at_end: false,
            recreate_nat: rng.bool(),
        };
        if skewed {
            storm.ahead = [0; 3].map(|_: i32| rng.i16(-2_000..=2_000));
        }
        let count = match rng.u8(..10) {
            0..6 => rng.u8(1..4),
            6..9 => rng.u8(3..9),
            _ => rng.u8(8..24),
        };
        for _ in 0..count {
            storm.mishaps.push(mishap(&mut rng, lasts));
        }
        storm.delete_more(&mut rng);
        storm.mishaps.sort_by_key(|mishap| mishap.at);
        let count = match rng.u8(..10) {
            0 => 0,
            1..7 => rng.u8(1..4),
            _ => rng.u8(3..7),
        };
        for _ in 0..count {
            storm.troubles.push(trouble(&mut rng, lasts));
        }
        let count = match rng.u8(..10) {
            0..4 => 0,
            4..8 => 1,
            _ => rng.u8(2..5),
        };
        for _ in 0..count {
            storm.crashes.push(crash(&mut rng));
        }
        storm.restrain(&mut rng);
        storm
    }

    /// Deletions that meet others: of what a stranger has just touched, by the trusted hand; of many
    /// at once, by one hand; of the NAT gateway.
    fn delete_more(&mut self, rng: &mut Rng) {
        if rng.u8(..4) == 0 {
            let touched = self
                .mishaps
                .iter()
                .filter(|mishap| mishap.by != Hand::Trusted);
            let ends = touched.filter_map(|mishap| {
                let deed = mishap.deed.end_of_it()?;
                Some((mishap.at, deed))
            });
            if let Some((at, deed)) = rng.choice(ends.collect::<Vec<_>>()) {
                let at = at.saturating_add(rng.u32(..30_000));
                self.push(rng, at, Hand::Trusted, deed);
            }
        }
        if rng.u8(..6) == 0 {
            let by = match rng.u8(..4) {
                0 => Hand::Trusted,
                1 => Hand::Tool,
                _ => Hand::Stranger,
            };
            let at = rng.u32(..self.lasts);
            for _ in 0..rng.u8(2..5) {
                let deed = deletion(rng);
                self.push(rng, at, by, deed);
            }
        }
        let often = if self.recreate_nat { 3 } else { 8 };
        if rng.u8(..often) == 0 {
            let at = rng.u32(..self.lasts);
            let by = match rng.u8(..5) {
                0 => Hand::Trusted,
                _ => Hand::Stranger,
            };
            self.push(rng, at, by, Deed::DeleteNat);
            // Its successor may meet the same end.
            if rng.u8(..4) == 0 {
                let at = at.saturating_add(rng.u32(100_000..400_000));
                let by = rng.choice([Hand::Trusted, Hand::Stranger]).unwrap_or(by);
                self.push(rng, at, by, Deed::DeleteNat);
            }
        }
    }

    pub(super) fn push(&mut self, rng: &mut Rng, at: u32, by: Hand, deed: Deed) {
        self.mishaps.push(Mishap {
            at,
            by,
            deed,
            again: 0,
            pace: pace(rng),
        });
    }

    /// What brakes, breakers and quiet are for.
    fn restrain(&mut self, rng: &mut Rng) {
        self.limits = rng.bool().then(|| Limits::drawn(rng));
        if rng.u8(..4) == 0 {
            let (by, at) = match rng.bool() {
                true => (Hand::Tool, rng.u32(..self.lasts)),
                false => (Hand::Stranger, rng.u32(..self.lasts)),
            };
            for _ in 0..rng.u8(3..16) {
                let at = at.saturating_add(rng.u32(..30_000));
                let deed = simple(rng);
                self.mishaps.push(Mishap {
                    at,
                    by,
                    deed,
                    again: 0,
                    pace: usual_pace(),
                });
            }
            self.mishaps.sort_by_key(|mishap| mishap.at);
        }
        let releases = rng.u8(..3);
        self.releases = (0..releases)
            .map(|_| rng.u32(..self.lasts.saturating_mul(2)))
            .collect();
        self.releases.sort_unstable();
        self.released_at_end = rng.bool();
    }
}

/// A script, all at once, or by hand.
pub(super) fn pace(rng: &mut Rng) -> u16 {
    match rng.u8(..4) {
        0 => rng.u16(20..200),
        1 => rng.u16(1_000..20_000),
        _ => usual_pace(),
    }
}

pub(super) fn deletion(rng: &mut Rng) -> Deed {
    let one = rng.u16(..64);
    match rng.u8(..3) {
        0 => Deed::DeleteGroup { group: one },
        1 => Deed::DeleteAcl { acl: one },
        _ => Deed::DeleteTable { table: one },
    }
}

fn mishap(rng: &mut Rng, lasts: u32) -> Mishap {
    let by = match rng.u8(..12) {
        0..8 => Hand::Stranger,
        8 => Hand::Controller,
        _ => Hand::Trusted,
    };
    let deed = match by {
        Hand::Trusted => trusted(rng),
        Hand::Stranger => stranger(rng),
        Hand::Controller | Hand::Tool => simple(rng),
    };
    Mishap {
        at: rng.u32(..lasts),
        by,
        deed,
        again: match by {
            Hand::Controller => rng.u8(1..8),
            _ => 0,
        },
        pace: pace(rng),
    }
}

fn trusted(rng: &mut Rng) -> Deed {
    let (one, other) = (rng.u16(..64), rng.u16(..64));
    match rng.u8(..12) {
        0 | 1 => Deed::AddRule {
            group: one,
            number: rng.u8(..),
        },
        2 => Deed::RevokeRule {
            group: one,
            rule: other,
        },
        3 => Deed::AddEntry {
            acl: one,
            number: rng.u16(300..400),
            deny: false,
            egress: rng.bool(),
            net: rng.u8(..),
        },
        4 => Deed::DropEntry {
            acl: one,
            entry: other,
        },
        5 => Deed::AddRoute {
            table: one,
            net: rng.u8(..),
            target: other,
        },
        6 => Deed::DropRoute {
            table: one,
            route: other,
        },
        7 => Deed::MoveSubnet {
            subnet: one,
            acl: other,
        },
        8 | 9 => deletion(rng),
        10 => Deed::Tag {
            resource: one,
            number: rng.u8(..),
        },
        _ => Deed::MoveTable {
            subnet: one,
            table: other,
        },
    }
}

/// What a controller does again and again: one edit of one element.
fn simple(rng: &mut Rng) -> Deed {
    let (one, other) = (rng.u16(..64), rng.u16(..64));
    match rng.u8(..9) {
        0 | 1 => Deed::OpenPort {
            group: one,
            port: rng.choice([22, 3389, 5432, 8443]).unwrap_or(22),
            v6: rng.u8(..4) == 0,
        },
        2 => Deed::RevokeRule {
            group: one,
            rule: other,
        },
        3 => Deed::DropEntry {
            acl: one,
            entry: other,
        },
        4 => Deed::RewriteEntry {
            acl: one,
            entry: other,
        },
        5 => Deed::DropRoute {
            table: one,
            route: other,
        },
        6 => Deed::Redirect {
            table: one,
            route: other,
            target: rng.u16(..64),
        },
        7 => Deed::MoveSubnet {
            subnet: one,
            acl: other,
        },
        _ => Deed::MoveTable {
            subnet: one,
            table: other,
        },
    }
}

fn stranger(rng: &mut Rng) -> Deed {
    let (one, other) = (rng.u16(..64), rng.u16(..64));
    match rng.u8(..32) {
        0..12 => simple(rng),
        12 | 13 => Deed::AddRule {
            group: one,
            number: rng.u8(..),
        },
        14 | 15 => Deed::WidenRule {
            group: one,
            rule: other,
        },
        16 => Deed::DescribeRule {
            group: one,
            rule: other,
        },
        17 | 18 => Deed::DeleteGroup { group: one },
        19 => Deed::NewGroup {
            number: rng.u8(..4),
        },
        20 | 21 => Deed::AddEntry {
            acl: one,
            number: rng.u16(1..400),
            deny: rng.u8(..3) > 0,
            egress: rng.bool(),
            net: rng.u8(..),
        },
        22 => Deed::CutSubnet { subnet: one },
        23 | 24 => Deed::DeleteAcl { acl: one },
        25 => Deed::AddRoute {
            table: one,
            net: rng.u8(..),
            target: other,
        },
        26 => Deed::Disassociate { subnet: one },
        27 => Deed::MainTable { table: one },
        28 => Deed::DeleteTable { table: one },
        29 => match rng.u8(..2) {
            0 => Deed::PropagationOff { table: one },
            _ => Deed::EndpointOff,
        },
        30 => Deed::Tag {
            resource: one,
            number: rng.u8(..),
        },
        _ => match rng.u8(..4) {
            0 => Deed::DeleteNat,
            _ => Deed::SwapGroups { group: one },
        },
    }
}

fn trouble(rng: &mut Rng, lasts: u32) -> Trouble {
    let chance = rng.u16(20..350);
    let what = match rng.u8(..21) {
        0 | 1 => Wrong::Throttled(chance),
        2 => Wrong::ServerErrors(chance),
        3 | 4 => Wrong::AnswersLost(chance),
        5 => Wrong::RequestsLost(chance),
        6 => Wrong::StoreErrors(chance),
        7 | 8 => Wrong::StoreAnswersLost(chance),
        9 => Wrong::ChannelErrors(chance),
        10 | 11 => Wrong::Stale {
            window: rng.u16(200..3_000),
            chance: rng.u16(100..900),
        },
        12 => Wrong::EventsLost(rng.u16(100..1_000)),
        13 => Wrong::EventsDoubled(rng.u16(100..900)),
        14 => Wrong::EventsLate {
            chance,
            by: rng.u32(5_000..900_000),
        },
        15 => Wrong::EventsSlow(rng.u32(2_000..90_000)),
        16 => Wrong::Denied(rng.u8(..)),
        17 => match rng.u8(..3) {
            0 => Wrong::Ec2Down,
            1 => Wrong::StoreDown,
            _ => Wrong::InboxDown,
        },
        18 => Wrong::SnsDown,
        19 => Wrong::SlackDown,
        _ => Wrong::Buckets,
    };
    Trouble {
        from: rng.u32(..lasts),
        lasts: rng.u32(1_000..120_000),
        what,
    }
}

fn crash(rng: &mut Rng) -> Crash {
    let (process, turns) = match rng.u8(..8) {
        0 => (Process::Sweep, 40),
        1 => (Process::Notify, 12),
        _ => (Process::Guard, 150),
    };
    Crash {
        process,
        turn: rng.u16(1..turns),
    }
}
