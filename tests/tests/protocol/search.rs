//! Every state that can be reached, breadth first; from each some way must lead to a good end.

use super::moves::successors;
use super::real::Real;
use super::state::State;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// One tick is one second.
pub const LEASE: i64 = 2;

pub const CALL: i64 = 1;

pub const SKEW: i64 = 1;

/// How far the search goes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The last tick.
    pub horizon: i64,
    pub crashes: u8,
    /// Answers and requests that are lost.
    pub losses: u8,
}

/// What the test command has time for.
pub const USUAL: Bounds = Bounds {
    horizon: 5,
    crashes: 1,
    losses: 1,
};

impl Bounds {
    /// `SNAPBACK_PROTOCOL=horizon,crashes,losses` searches further.
    pub fn asked() -> Self {
        let Ok(text) = std::env::var("SNAPBACK_PROTOCOL") else {
            return USUAL;
        };
        let numbers: Vec<u8> = text
            .split(',')
            .map(|number| number.parse().unwrap())
            .collect();
        Self {
            horizon: numbers[0].into(),
            crashes: numbers[1],
            losses: numbers[2],
        }
    }

    /// From any state until then somebody must be able to bring it to a good end: a lease of a dead
    /// guard runs out in time.
    pub fn enough(self) -> i64 {
        self.horizon - LEASE - 2 * SKEW - 1
    }
}

/// What is taken away from the protocol, to see that the search finds what that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    Nothing,
    /// A call begins however little is left of the lease.
    Cover,
    /// Others take a lease over the moment it ends by their own clock.
    Skew,
    /// A step is written without the lease's condition.
    Condition,
    /// Nobody looks for what a call without an answer made.
    HalfMade,
    /// An unfinished story is not asked for by the sweep.
    Sweep,
}

/// Every state that can be reached, each with those that lead to it.
struct Reached {
    states: Vec<Rc<State>>,
    before: Vec<Vec<usize>>,
}

/// How many states there are, or the first that must not be.
///
/// # Errors
/// What is wrong with it, and the state.
pub fn search(without: Without, ahead: i64, bounds: Bounds) -> Result<usize, String> {
    let reached = reach(&Real::new(without, bounds), ahead)?;
    match stuck(&reached, bounds) {
        Some(state) => Err(format!("no good end from here: {state:#?}")),
        None => Ok(reached.states.len()),
    }
}

fn reach(real: &Real, ahead: i64) -> Result<Reached, String> {
    let first = Rc::new(State::new(ahead));
    let mut known = HashMap::from([(first.clone(), 0_usize)]);
    let mut states = vec![first];
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut waiting = VecDeque::from([0_usize]);
    while let Some(index) = waiting.pop_front() {
        let state = states[index].clone();
        let wrong = |why: String| format!("{why}: {state:#?}");
        state.check(real).map_err(wrong)?;
        let next = successors(real, &state).map_err(wrong)?;
        for state in next.into_iter().map(Rc::new) {
            let number = *known.entry(state.clone()).or_insert_with(|| {
                states.push(state);
                before.push(Vec::new());
                waiting.push_back(states.len() - 1);
                states.len() - 1
            });
            before[number].push(index);
        }
    }
    Ok(Reached { states, before })
}

/// The first state from where no good end can be reached any more.
fn stuck(reached: &Reached, bounds: Bounds) -> Option<&State> {
    let states = &reached.states;
    let mut good: Vec<bool> = states.iter().map(|state| state.is_good()).collect();
    let mut waiting: VecDeque<usize> = (0..good.len()).filter(|index| good[*index]).collect();
    while let Some(index) = waiting.pop_front() {
        for earlier in &reached.before[index] {
            if !std::mem::replace(&mut good[*earlier], true) {
                waiting.push_back(*earlier);
            }
        }
    }
    let mut numbered = states.iter().zip(good);
    let found = numbered.find(|(state, good)| !good && state.now <= bounds.enough());
    found.map(|(state, _)| &**state)
}
