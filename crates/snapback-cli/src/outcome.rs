//! How a command ended.

use std::process::ExitCode;

/// How a command ended, when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done; for `diff`: nothing differs; for `can`: it passes.
    Clean,
    /// `diff` found differences; for `can`: it does not pass, or not for all.
    Differs,
    /// `rollback`, `undo`: refused, or not at the end that was asked for; `release`, `recheck`: not sent.
    NotDone,
    /// Part of the input was bad; the rest was done.
    BadInput,
    /// `can`: too little was read to tell.
    Unknown,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Clean => Self::SUCCESS,
            Outcome::Differs | Outcome::NotDone => Self::from(1),
            Outcome::BadInput => Self::from(2),
            Outcome::Unknown => Self::from(3),
        }
    }
}

/// Whether the reader of our output went away (`snapback plan … | head`): no error of ours.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
