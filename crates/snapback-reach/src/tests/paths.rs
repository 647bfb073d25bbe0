//! Whole paths: the trace and the sets against the naive evaluator, and stories told by hand.

mod site;
mod stories;
mod world;

use crate::path::{L4, Outcome, Path, Place};
use crate::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use snapback_model::Snapshot;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Dice, Edges};

/// Worlds that are made. Times packets of each world: what the issue counts.
const WORLDS: u32 = 260;
/// Pairs of ends in a world.
const PAIRS: usize = 40;
/// Packets between two ends.
const PACKETS: usize = 24;
/// Places whose traffic with the internet is asked as a set.
const EXPOSED: usize = 10;

/// What was asked, and how often it came out how.
#[derive(Default)]
struct Tally([AtomicU64; 4]);

impl Tally {
    fn count(&self, outcome: Outcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
    fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize].load(Ordering::Relaxed)
    }
}

#[test]
fn paths_of_random_worlds_are_judged_as_the_naive_evaluator_judges_them() {
    let tally = Tally::default();
    let config = Config {
        cases: WORLDS,
        failure_persistence: None,
        // A smaller seed is no smaller world.
        max_shrink_iters: 0,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&any::<u64>(), |seed| {
            let mut dice = Dice::new(seed);
            let world = world::world(&mut dice);
            let network = Network::of(&world);
            let edges = Edges::of(&world);
            for _ in 0..PAIRS {
                pair(&network, &world, &edges, &mut dice, &tally)?;
            }
            for _ in 0..EXPOSED {
                internet(&network, &world, &edges, &mut dice, &tally)?;
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure} (the input is the seed of the world)"));
    let counts = [
        Outcome::Passes,
        Outcome::Partly,
        Outcome::Unknown,
        Outcome::Blocked,
    ]
    .map(|outcome| (outcome, tally.of(outcome)));
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    println!("{all} packets over {WORLDS} worlds, 0 differences: {counts:?}");
    assert!(all >= 300_000, "{all}");
    for (outcome, count) in counts {
        assert!(count > all / 500, "{outcome} is hardly ever tried: {count}");
    }
}

fn words(path: &Path) -> String {
    let steps = path.steps.iter().map(|step| {
        format!(
            "\n  {} {} {}: {}",
            step.way, step.stage, step.verdict, step.words
        )
    });
    format!(
        "{} from {} to {}: {}{}\n{}",
        path.packet.l4,
        path.source,
        path.destination,
        path.outcome,
        steps.collect::<String>(),
        path.exactness
    )
}

fn check<'a>(
    network: &Network<'a>,
    (from, to): (Place<'a>, Place<'a>),
    l4: L4,
    want: Outcome,
    (set, peer): (&Answer<PacketSet>, IpAddr),
    tally: &Tally,
) -> Result<(), TestCaseError> {
    tally.count(want);
    let flow = Flow {
        peer: Host::Address(peer),
        protocol: l4.protocol,
        point: l4.point,
    };
    let told = || words(&network.follow(from, to, l4));
    match want {
        Outcome::Passes | Outcome::Partly => {
            prop_assert!(set.value.contains(&flow), "not in the set: {}", told());
        }
        Outcome::Blocked => {
            prop_assert!(!set.value.contains(&flow), "in the set: {}", told());
        }
        Outcome::Unknown => {
            prop_assert!(!set.exactness.is_exact(), "the set says exact: {}", told());
        }
    }
    Ok(())
}

fn pair<'a>(
    network: &Network<'a>,
    world: &'a Snapshot,
    edges: &Edges,
    dice: &mut Dice,
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let from = world::place(world, edges, dice, None);
    let to = world::place(world, edges, dice, Some(from));
    if from.address().is_ipv4() != to.called().is_ipv4() {
        return Ok(());
    }
    let set = network.passes_between(&from, &to);
    for _ in 0..PACKETS {
        let l4 = world::l4(edges, dice);
        let path = network.follow(from, to, l4);
        let want = naive::path::fate(world, &from, &to, l4);
        prop_assert_eq!(path.outcome, want, "{}", words(&path));
        check(network, (from, to), l4, want, (&set, from.address()), tally)?;
    }
    Ok(())
}

fn internet<'a>(
    network: &Network<'a>,
    world: &'a Snapshot,
    edges: &Edges,
    dice: &mut Dice,
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let here = world::inside(world, dice);
    let family = if here.address().is_ipv4() {
        Family::V4
    } else {
        Family::V6
    };
    let arriving = network.passes_from_internet(&here, family);
    let leaving = network.passes_to_internet(&here, family);
    for _ in 0..PACKETS {
        let l4 = world::l4(edges, dice);
        let there = world::public_address(edges, dice, family);
        let outside = Place::Outside(there);
        let want = naive::path::fate(world, &outside, &here, l4);
        check(
            network,
            (outside, here),
            l4,
            want,
            (&arriving, there),
            tally,
        )?;
        let want = naive::path::fate(world, &here, &outside, l4);
        check(network, (here, outside), l4, want, (&leaving, there), tally)?;
    }
    Ok(())
}
