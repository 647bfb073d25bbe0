//! `rollback`: a person leads resources to a state that was good before, or undoes a revert.
//!
//! - Owns: which generation a wish means, what becomes baseline for it, the one plan of it all.
//! - Takes: a [`Wish`] or an incident; the ports with the person's rights.
//! - Gives: a [`Proposal`] to show, and what became of it once the person said yes.
//! - Must not: run what was not shown; write without the lease, or before the journal.
//!
//! The order is the lease, the journal, the baselines, the calls. So a guard that sees the person's
//! calls finds live on its way to the baseline and the story held; and if the person's process dies, the
//! guard goes on to the same end (in `observe` it tells what is left). Every deviation from that order
//! would make the guard fight the person or take a half-made change for the good state.

mod draft;
mod history;
mod run;
mod undo;

pub use history::{Past, Told, history};
pub use run::{Done, run};
pub use undo::undo;

use crate::guard::GuardError;
use crate::patience::{Pace, later};
use crate::port::{CallError, Clock, ITEM_MAX, Scope, StoreError, Wanted};
use crate::rights::RollbackPorts;
use draft::{Draft, Terms};
use snapback_engine::execution::Limits;
use snapback_engine::incident::Errand;
use snapback_engine::plan::{Emergency, Plan};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the reads of a proposal may take.
const READS: Duration = Duration::from_secs(300);

/// Which good state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The present baseline.
    Baseline,
    /// A generation of one resource.
    Generation(Generation),
    /// The baselines as they stood at a moment.
    At(Timestamp),
}

/// Which resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// These.
    Resources(BTreeSet<ResourceId>),
    /// All of a VPC.
    Vpc(VpcId),
    /// All of a kind.
    Kind(Kind),
}

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Where to.
    pub to: To,
    /// Of what.
    pub which: Which,
    /// Whose wish it is.
    pub by: String,
    /// Why, in their words; may be empty.
    pub why: String,
    /// Whether steps may interrupt traffic.
    pub interruptions: bool,
    /// Whether traffic is to work after as few calls as can be, and the repair to come after.
    pub emergency: bool,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The one plan for all of it.
    pub plan: Plan,
    /// The same by VPC, in the order in which it is run: each is a story of its own, under the lease of
    /// its VPC. Where the journal cannot hold the plan of a VPC in one entry, one for each kind.
    pub legs: Vec<Leg>,
    /// What is left alone and why, and whatever else should be known before saying yes.
    pub remarks: Vec<String>,
    /// As it was read.
    pub live: Snapshot,
}

/// What is done in one VPC.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    /// What is asked for.
    pub errand: Errand,
    /// Its part of the plan.
    pub plan: Plan,
    /// The plans that are run instead, where the person asked for that and traffic works after fewer calls.
    pub emergency: Option<Emergency>,
    /// The generations that the person makes; written before the first call.
    pub promoted: Vec<Baseline>,
}

impl Proposal {
    /// Whether there is nothing to do at all.
    pub fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }

    /// The generations that the person makes, of all VPCs.
    pub fn promoted(&self) -> impl Iterator<Item = &Baseline> {
        self.legs.iter().flat_map(|leg| &leg.promoted)
    }
}

impl Leg {
    /// The calls that are to be made.
    pub fn calls(&self) -> usize {
        match &self.emergency {
            Some(Emergency { fast, repair, .. }) => {
                fast.steps.len().saturating_add(repair.steps.len())
            }
            None => self.plan.steps.len(),
        }
    }
}

/// Why a person's wish was not, or not wholly, fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// There are no baselines.
    #[error(
        "nothing was ever captured in this account and Region: there is no good state to go to"
    )]
    Uncaptured,
    /// No baseline knows the resource.
    #[error("{0}: no baseline knows it; nothing was changed")]
    Unknown(ResourceId),
    /// No baseline is of the VPC or kind.
    #[error("no baseline is of {0}; nothing was changed")]
    NothingThere(String),
    /// The generation is not kept.
    #[error("{resource}: {what}; nothing was changed")]
    NoGeneration {
        /// Of which resource.
        resource: ResourceId,
        /// What is there instead.
        what: String,
    },
    /// A generation number is one resource's.
    #[error("generation {0} is of one resource: name it, or give a time for several")]
    OneResource(Generation),
    /// The read does not cover everything.
    #[error("the read is incomplete: missing {}; nothing was changed", .0.join(", "))]
    Incomplete(Vec<String>),
    /// The incident is not in the journal, or holds nothing to undo.
    #[error("{incident}: {why}; nothing was changed")]
    NotUndone {
        /// Which.
        incident: IncidentId,
        /// Why.
        why: String,
    },
    /// The story ended, and its end does not read back.
    #[error("{0}: it ended, but the journal does not tell how: look at `snapback history`")]
    Untold(IncidentId),
    /// What was shown is not what would be done now.
    #[error("{0} since the plan was shown; nothing was changed: look again")]
    Moved(String),
    /// One entry of the journal cannot hold its plan.
    #[error(
        "the plan for {count} resources has {calls} calls and {bytes} bytes, and an entry of the journal holds {ITEM_MAX}; nothing was changed: ask for fewer resources at a time, by name"
    )]
    TooLarge {
        /// Resources asked for.
        count: usize,
        /// Calls of the plan.
        calls: usize,
        /// Bytes of its entry.
        bytes: usize,
    },
    /// Another process works on it.
    #[error("{resource} is held by {holder}; nothing was changed there: try again in a minute")]
    Busy {
        /// The resource.
        resource: ResourceId,
        /// Who.
        holder: String,
    },
    /// EC2 did not do it.
    #[error("{0}; nothing was changed")]
    Call(#[from] CallError),
    /// The store did not do it.
    #[error("{0}; nothing was changed")]
    Store(#[from] StoreError),
    /// Work stopped midway.
    #[error(transparent)]
    Stopped(#[from] GuardError),
}

/// What is known before a proposal is made.
struct Known {
    baselines: Baselines,
    live: Snapshot,
    lineage: Lineage,
}

/// Reads state and EC2, everything.
async fn known<P: RollbackPorts>(ports: &P, seed: &str) -> Result<Known, RollbackError> {
    let limits = Limits::default();
    let pace = pace(ports, &limits, seed);
    let wanted = Wanted {
        everything: true,
        ..Wanted::default()
    };
    let (baselines, live) = tokio::join!(
        pace.retried(|| ports.baselines(&wanted)),
        pace.retried(|| ports.observe(&Scope::Everything))
    );
    let live = live?;
    let baselines = baselines?.ok_or(RollbackError::Uncaptured)?;
    let missing: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|kind| !live.coverage.contains(&Coverage::Kind(*kind)))
        .map(|kind| format!("{kind}s"))
        .collect();
    if !missing.is_empty() {
        return Err(RollbackError::Incomplete(missing));
    }
    let lineage = baselines.lineage();
    Ok(Known {
        baselines,
        live,
        lineage,
    })
}

fn pace<'a, P: Clock>(ports: &'a P, limits: &'a Limits, seed: &'a str) -> Pace<'a, P> {
    Pace {
        clock: ports,
        limits,
        deadline: later(ports.now(), READS),
        seed,
    }
}

/// What a rollback would do. Nothing is written.
///
/// # Errors
/// [`RollbackError`]; nothing was changed.
pub async fn propose<P: RollbackPorts>(ports: &P, wish: &Wish) -> Result<Proposal, RollbackError> {
    let known = known(ports, &wish.by).await?;
    let named = matches!(wish.which, Which::Resources(_));
    let chosen = chosen(&known, &wish.which)?;
    if let To::Generation(number) = wish.to
        && chosen.len() != 1
    {
        return Err(RollbackError::OneResource(number));
    }
    let mut states = BTreeMap::new();
    let mut remarks = Vec::new();
    for id in chosen {
        match stood(ports, &known, &id, wish.to).await? {
            Stood::As(state) => {
                let state = state.renamed(&known.lineage);
                states.insert(state.id(), state);
            }
            Stood::Gone(what) | Stood::NotKept(what) if !named => {
                remarks.push(format!("{id} is left alone: {what}"));
            }
            Stood::Gone(what) | Stood::NotKept(what) => {
                return Err(RollbackError::NoGeneration { resource: id, what });
            }
        }
    }
    let mut draft = Draft::new(&known, words(wish, states.len()), wish.by.clone());
    for (id, state) in states {
        draft.whole(&id, state, ports.now());
    }
    let terms = Terms {
        interruptions: wish.interruptions,
        emergency: wish.emergency,
    };
    draft.proposal(terms, remarks)
}

fn words(wish: &Wish, count: usize) -> String {
    let to = match wish.to {
        To::Baseline => "the baseline".to_owned(),
        To::Generation(number) => format!("generation {number}"),
        To::At(at) => at.to_string(),
    };
    let what = match &wish.which {
        Which::Resources(ids) => {
            let ids: Vec<&str> = ids.iter().map(ResourceId::as_str).collect();
            ids.join(", ")
        }
        Which::Vpc(vpc) => format!("{vpc} ({count} resources)"),
        Which::Kind(kind) => format!("every {kind} ({count})"),
    };
    let why = if wish.why.is_empty() {
        String::new()
    } else {
        format!(": {}", wish.why)
    };
    format!("rollback of {what} to {to}{why}")
}

/// The resources that are meant. Those of a VPC or kind are named by the ids of now.
fn chosen(known: &Known, which: &Which) -> Result<BTreeSet<ResourceId>, RollbackError> {
    let all = known.baselines.by_id.values();
    let standing = all.filter(|baseline| baseline.successor.is_none());
    let (chosen, what): (BTreeSet<ResourceId>, String) = match which {
        Which::Resources(ids) => {
            for id in ids {
                if !known.baselines.by_id.contains_key(id) {
                    return Err(RollbackError::Unknown(id.clone()));
                }
            }
            (ids.clone(), "no name".to_owned())
        }
        Which::Vpc(vpc) => {
            let of = standing.filter(|baseline| baseline.vpc.as_ref() == Some(vpc));
            (
                of.map(|baseline| baseline.id.clone()).collect(),
                vpc.to_string(),
            )
        }
        Which::Kind(kind) => {
            let of = standing.filter(|baseline| baseline.id.kind() == *kind);
            (
                of.map(|baseline| baseline.id.clone()).collect(),
                format!("a {kind}"),
            )
        }
    };
    if chosen.is_empty() {
        return Err(RollbackError::NothingThere(what));
    }
    Ok(chosen)
}

/// What a resource was.
enum Stood {
    As(Resource),
    Gone(String),
    NotKept(String),
}

async fn stood<P: RollbackPorts>(
    ports: &P,
    known: &Known,
    id: &ResourceId,
    to: To,
) -> Result<Stood, RollbackError> {
    let limits = Limits::default();
    let pace = pace(ports, &limits, id.as_str());
    let current = known.lineage.current_resource(id);
    match to {
        To::Baseline => Ok(match known.baselines.state(&current) {
            Some(state) => Stood::As(state.clone()),
            None => Stood::Gone("its deletion is part of the baseline".to_owned()),
        }),
        To::Generation(number) => {
            let after = Some(number.next());
            let page = pace.retried(|| ports.generations(id, after)).await?;
            let kept = page.into_iter().find(|kept| kept.generation == number);
            let standing = known.baselines.by_id.get(id);
            let found = kept.or_else(|| {
                standing
                    .filter(|standing| standing.generation == number)
                    .cloned()
            });
            Ok(match found {
                Some(baseline) => as_state(baseline.state, &format!("in generation {number}")),
                None => Stood::NotKept(format!(
                    "generation {number} is not kept; `snapback history {id}` lists what is"
                )),
            })
        }
        To::At(at) => {
            let mut found = None;
            for id in line(&known.baselines, &current) {
                let kept = pace.retried(|| ports.generation_at(&id, at)).await?;
                let standing = known.baselines.by_id.get(&id);
                let early = standing.filter(|standing| standing.provenance.at <= at);
                let Some(baseline) = kept.or_else(|| early.cloned()) else {
                    continue;
                };
                if baseline.state.is_some() {
                    found = Some(baseline.state);
                    break;
                }
                found = found.or(Some(None));
            }
            Ok(match found {
                Some(state) => as_state(state, &format!("at {at}")),
                None => Stood::NotKept(format!("no generation is kept from {at} or before")),
            })
        }
    }
}

fn as_state(state: Option<Resource>, when: &str) -> Stood {
    match state {
        Some(state) => Stood::As(state),
        None => Stood::Gone(format!("its deletion was the good state {when}")),
    }
}

/// A resource and what it was before it was made again, the latest first.
fn line(baselines: &Baselines, current: &ResourceId) -> Vec<ResourceId> {
    let mut line = vec![current.clone()];
    let mut at = current;
    while let Some(before) = baselines
        .by_id
        .get(at)
        .and_then(|baseline| baseline.predecessor.as_ref())
        .filter(|before| !line.contains(before))
    {
        line.push(before.clone());
        at = before;
    }
    line
}
