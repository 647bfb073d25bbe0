//! How the handling of a message ended, or why it comes again.

use crate::port::{CallError, StoreError};
use snapback_engine::change::IgnoreReason;
use snapback_engine::incident::Outcome;
use snapback_model::{IncidentId, ResourceId};

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Handled {
    /// It is no change.
    Ignored(IgnoreReason),
    /// It is no event and no command: buried with this reason.
    Malformed(String),
    /// It led to these looks.
    Judged(Vec<Ended>),
}

/// How one look ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The resource, where there is one.
    pub resource: Option<ResourceId>,
    /// The story, where there is one.
    pub incident: Option<IncidentId>,
    /// How it ended.
    pub ending: Ending,
}

/// The ways a look ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Live is as the baseline says, or what differs is out of scope.
    Nothing,
    /// People were told of all of it before.
    AlreadyTold,
    /// It waits for something that takes minutes in EC2: it is looked at again then.
    Awaited,
    /// It waits until the author of the change is quiet.
    Held,
    /// A story ended.
    Closed(Outcome),
}

impl Handled {
    /// The endings, in order.
    pub fn endings(&self) -> Vec<Ending> {
        match self {
            Self::Ignored(_) | Self::Malformed(_) => Vec::new(),
            Self::Judged(ended) => ended.iter().map(|ended| ended.ending).collect(),
        }
    }
}

/// Why a message must be delivered again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Another invocation works on the resource.
    #[error("{resource}: held by {holder}; the message comes again")]
    Busy {
        /// The resource.
        resource: ResourceId,
        /// Who holds it.
        holder: String,
    },
    /// Our lease was taken over by somebody who now goes on with the story.
    #[error("{resource}: the lease was lost to another invocation; the message comes again")]
    LeaseLost {
        /// The resource.
        resource: ResourceId,
    },
    /// The record or the baseline was written by others each time we decided.
    #[error("{what}: written by others each time; the message comes again")]
    Contended {
        /// What.
        what: String,
    },
    /// Work stopped in a state from which the next delivery or the sweep goes on.
    #[error("{incident} on {resource}: {why}; the message comes again")]
    Interrupted {
        /// The resource.
        resource: ResourceId,
        /// The story.
        incident: IncidentId,
        /// Why.
        why: String,
    },
    /// An event of our role that may be the echo of a call whose answer is not journalled yet.
    #[error("event {event}: made with our role, a story is open: looked at again later")]
    PerhapsOwn {
        /// The event.
        event: String,
    },
    /// A young trusted change that other events, still on their way, may explain.
    #[error("event {event}: {why}; the message comes again when other events had their time")]
    Early {
        /// The event.
        event: String,
        /// What is not explained.
        why: String,
    },
    /// EC2 or a queue did not do it.
    #[error("{0}; the message comes again")]
    Call(Box<CallError>),
    /// The store did not do it.
    #[error("{0}; the message comes again")]
    Store(Box<StoreError>),
}

impl From<CallError> for GuardError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

impl From<StoreError> for GuardError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl GuardError {
    /// Whether another guard was first, in whatever was written together.
    pub(crate) fn is_race(&self) -> bool {
        self.is_conflict() || matches!(self, Self::LeaseLost { .. })
    }

    /// Whether somebody else wrote the record first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if matches!(**error, StoreError::Conflict { .. }))
    }
}
