//! Whose eyes a clone of the world is: a process with its clock, a person with their credentials.

use crate::principal::Principal;
use crate::world::World;
use jiff::SignedDuration;
use std::sync::Arc;

/// Who looks at the world through this clone of it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub name: Arc<str>,
    /// How far its clock goes before the true one, or after it.
    pub skew: SignedDuration,
}

impl World {
    /// The same world in the hands of a person: the flow's calls are made with their credentials, and
    /// CloudTrail tells of them as theirs.
    #[must_use]
    pub fn in_hands_of(&self, person: Principal) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            process: self.process.clone(),
            caller: Arc::new(person),
        }
    }

    /// The same world as a process of its own sees it: by a clock that is so many milliseconds ahead
    /// of the true one, its writes told apart by its name.
    #[must_use]
    pub fn seen_by(&self, name: &str, ahead_ms: i64) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            process: Process {
                name: name.into(),
                skew: SignedDuration::from_millis(ahead_ms),
            },
            caller: Arc::clone(&self.caller),
        }
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }
}
