//! What can happen next in a state: to a guard, to a call in EC2, to time, to the queue.

use super::real::{Real, at, seconds};
use super::search::{Bounds, CALL, LEASE, Without};
use super::state::{Draft, Message, Pc, Pending, Said, Slip, State, Work};
use snapback_engine::incident::{Lease, ResourceRecord};
use std::collections::BTreeMap;

/// Its message waits again.
fn give_back(state: &mut State, guard: usize) {
    if let Some(work) = state.guards[guard].take() {
        state.messages[work.message] = Message::Waiting;
    }
}

/// Tries a commit in every way that it can end.
fn commit(real: &Real, state: &State, guard: usize, draft: Draft, next: &mut Vec<State>) {
    let number = draft
        .record
        .open
        .or(state.guards[guard].as_ref().unwrap().record.open);
    let number = number.unwrap_or(draft.record.fencing);
    let mut told = state.clone();
    let done = told.commit(number, &draft, real.without);
    if done && state.losses < real.bounds.losses {
        let mut unheard = told.clone();
        unheard.losses += 1;
        unheard.guards[guard].as_mut().unwrap().doubt = Some(draft.clone());
        next.push(unheard);
    }
    settle(&mut told, guard, draft, done);
    next.push(told);
}

/// What a guard makes of a commit's answer.
fn settle(state: &mut State, guard: usize, draft: Draft, done: bool) {
    let work = state.guards[guard].as_mut().unwrap();
    work.doubt = None;
    if done {
        work.claimed = true;
        work.record = draft.record;
        work.lease = draft.lease;
        work.carried.clear();
        work.pc = draft.then;
        if draft.then == Pc::Done {
            state.messages[work.message] = Message::Handled;
            state.guards[guard] = None;
        }
    } else if work.claimed {
        give_back(state, guard);
    } else {
        work.pc = Pc::Load;
        work.carried.clear();
    }
}

/// The record and the lease as the next write has them.
fn written(real: &Real, state: &State, guard: usize) -> (ResourceRecord, Lease) {
    let work = state.guards[guard].as_ref().unwrap();
    let until = at(state.clock(guard) + LEASE);
    let (record, lease) = (real.record(work.record), real.lease(work.lease));
    if work.claimed {
        let mut kept = record;
        kept.version += 1;
        kept.lease_until = Some(until);
        return (kept, lease.renewed(until));
    }
    let holder = work.holder.to_string();
    (
        record.claimed(&holder, until),
        lease.claimed(&holder, until),
    )
}

/// What a guard can do next.
fn guard_steps(real: &Real, state: &State, guard: usize, next: &mut Vec<State>) {
    let Some(work) = &state.guards[guard] else {
        next.extend(takes_a_message(state, guard));
        return;
    };
    if state.crashes < real.bounds.crashes {
        dies(state, guard, work, next);
    }
    if let Some(draft) = &work.doubt {
        // The repeat meets the first try: the stored record tells whether it was that.
        let mut resolved = state.clone();
        let done = state.record == draft.record;
        settle(&mut resolved, guard, draft.clone(), done);
        next.push(resolved);
        return;
    }
    match work.pc {
        Pc::Load => next.push(loads(real, state, guard, work)),
        Pc::Look => look(real, state, guard, work, next),
        Pc::Ready(step) => calls(real, state, guard, step, next),
        Pc::Await(_) | Pc::Done => {}
        Pc::Resolve(step) => next.push(resolves(state, guard, step)),
    }
}

fn takes_a_message(state: &State, guard: usize) -> Option<State> {
    // The two are alike: which of them is taken makes no difference.
    let waiting = |message: &Message| *message == Message::Waiting;
    let index = state.messages.iter().position(waiting)?;
    let mut taken = state.clone();
    taken.messages[index] = Message::With(guard);
    taken.guards[guard] = Some(Work {
        message: index,
        holder: state.fresh_holder(),
        pc: Pc::Load,
        record: Slip::default(),
        lease: Slip::default(),
        claimed: false,
        carried: Vec::new(),
        doubt: None,
    });
    Some(taken)
}

fn dies(state: &State, guard: usize, work: &Work, next: &mut Vec<State>) {
    let mut dead = state.clone();
    dead.crashes += 1;
    give_back(&mut dead, guard);
    if dead.record.open.is_some() {
        // The queue gives the message up: only the open story tells of it.
        let mut forgotten = dead.clone();
        forgotten.messages[work.message] = Message::Handled;
        next.push(forgotten);
    }
    next.push(dead);
}

/// Reads the record and the lease, and goes on where nobody else holds them.
fn loads(real: &Real, state: &State, guard: usize, work: &Work) -> State {
    let mut loaded = state.clone();
    if real.is_free(state.record, state.lease, work.holder, state.clock(guard)) {
        let of = loaded.guards[guard].as_mut().unwrap();
        (of.record, of.lease, of.pc) = (state.record, state.lease, Pc::Look);
    } else {
        give_back(&mut loaded, guard);
    }
    loaded
}

/// Makes a step's call where enough is left of the lease, else renews it first.
fn calls(real: &Real, state: &State, guard: usize, step: u8, next: &mut Vec<State>) {
    let held = state.guards[guard].as_ref().unwrap().lease;
    let fencing = held.fencing;
    let lease = real.lease(held);
    let covers = lease.covers(at(state.clock(guard)), seconds(CALL));
    if covers || real.without == Without::Cover {
        let mut called = state.clone();
        called.newest = called.newest.max(fencing);
        called.pending.push(Pending {
            guard,
            fencing,
            step,
            ends: state.now + CALL,
        });
        called.guards[guard].as_mut().unwrap().pc = Pc::Await(step);
        next.push(called);
    } else {
        let (record, lease) = written(real, state, guard);
        let draft = Draft {
            record: real.slip_of_record(&record),
            lease: Real::slip_of_lease(&lease),
            said: Vec::new(),
            then: Pc::Ready(step),
        };
        commit(real, state, guard, draft, next);
    }
}

/// Reads whether a call that had no answer did its work.
fn resolves(state: &State, guard: usize, step: u8) -> State {
    let mut resolved = state.clone();
    let of = resolved.guards[guard].as_mut().unwrap();
    let in_place = if step == 0 {
        state.made > 0
    } else {
        state.filled
    };
    if in_place {
        of.carried
            .extend([Said::Unknown(step), Said::InPlace(step)]);
        of.pc = Pc::Look;
    } else {
        of.pc = Pc::Ready(step);
    }
    resolved
}

/// Reads EC2 and writes what comes next.
fn look(real: &Real, state: &State, guard: usize, work: &Work, next: &mut Vec<State>) {
    let open = work.record.open;
    if open.is_none() && state.is_whole() {
        let mut done = state.clone();
        done.messages[work.message] = Message::Handled;
        done.guards[guard] = None;
        next.push(done);
        return;
    }
    let (record, lease) = written(real, state, guard);
    let number = real.slip_of_record(&record).open.unwrap();
    let mut said = state.said(number);
    said.extend(&work.carried);
    let mut bodies = work.carried.clone();
    let facts = real.facts(number, &said);
    let mut created = facts.created;
    if open.is_none() {
        bodies.extend([Said::Opened, Said::Planned]);
    } else if !created && facts.unanswered && state.made > 0 && real.finds(number, &said) {
        bodies.push(Said::InPlace(0));
        created = true;
    }
    let draft = if created && state.is_whole() {
        bodies.push(Said::Closed);
        let versions = (record.version, lease.version);
        let (mut record, mut lease) = (record.closed(BTreeMap::new(), false), lease.released());
        (record.version, lease.version) = versions;
        Draft {
            record: real.slip_of_record(&record),
            lease: Real::slip_of_lease(&lease),
            said: bodies,
            then: Pc::Done,
        }
    } else {
        let step = u8::from(created);
        bodies.push(Said::Started(step, lease.fencing));
        Draft {
            record: real.slip_of_record(&record),
            lease: Real::slip_of_lease(&lease),
            said: bodies,
            then: Pc::Ready(step),
        }
    };
    commit(real, state, guard, draft, next);
}

/// Two holders never write at the same time, and none writes after a newer one has begun.
fn check_write(state: &State, call: Pending) -> Result<(), String> {
    if call.fencing < state.newest {
        let (number, newest) = (call.fencing, state.newest);
        return Err(format!("written under {number} after {newest} began"));
    }
    let mut pending = state.pending.iter();
    if pending.any(|other| other.fencing != call.fencing) {
        return Err("two holders write at the same time".into());
    }
    Ok(())
}

/// EC2 carries a call out before its time is over, or never got it.
fn call_ends(
    bounds: Bounds,
    state: &State,
    index: usize,
    next: &mut Vec<State>,
) -> Result<(), String> {
    let call = state.pending[index];
    check_write(state, call)?;
    let waits = |state: &State| {
        let work = state.guards[call.guard].as_ref();
        work.is_some_and(|work| {
            work.pc == Pc::Await(call.step) && work.lease.fencing == call.fencing
        })
    };
    let answered = |mut state: State, pc: Pc, said: Option<Said>| {
        if waits(&state) {
            let work = state.guards[call.guard].as_mut().unwrap();
            work.pc = pc;
            work.carried.extend(said);
        }
        state
    };
    let mut done = state.clone();
    done.pending.remove(index);
    let mut lost = done.clone();
    if call.step == 0 {
        done.made += 1;
    } else {
        done.filled = true;
    }
    if state.losses < bounds.losses && waits(state) {
        for mut unheard in [done.clone(), lost.clone()] {
            unheard.losses += 1;
            next.push(answered(unheard, Pc::Resolve(call.step), None));
        }
    } else if !waits(state) {
        // Its guard died: the request may never have left.
        lost.losses = state.losses;
        next.push(lost);
    }
    next.push(answered(done, Pc::Look, Some(Said::Applied(call.step))));
    Ok(())
}

/// Every state that can come next.
///
/// # Errors
/// What must never be and is.
pub fn successors(real: &Real, state: &State) -> Result<Vec<State>, String> {
    let mut next = Vec::new();
    for guard in 0..2 {
        guard_steps(real, state, guard, &mut next);
    }
    for index in 0..state.pending.len() {
        call_ends(real.bounds, state, index, &mut next)?;
    }
    if state.now < real.bounds.horizon && state.pending.iter().all(|call| call.ends > state.now) {
        let mut later = state.clone();
        later.now += 1;
        next.push(later);
    }
    let handled = state.messages.iter().all(|of| *of == Message::Handled);
    let held = real
        .record(state.record)
        .is_held_against("sweep", at(state.now), real.skew());
    if handled && state.record.open.is_some() && !held && real.without != Without::Sweep {
        let mut asked = state.clone();
        asked.messages[0] = Message::Waiting;
        next.push(asked);
    }
    Ok(next)
}
