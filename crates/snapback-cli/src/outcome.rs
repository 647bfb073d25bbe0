//! How a command ended.

use std::process::ExitCode;

/// How a command ended, when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done; for `diff`: nothing differs.
    Clean,
    /// `diff` found differences.
    Differs,
    /// Part of the input was bad; the rest was done.
    BadInput,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Clean => Self::SUCCESS,
            Outcome::Differs => Self::from(1),
            Outcome::BadInput => Self::from(2),
        }
    }
}

/// Whether the reader of our output went away (`snapback plan … | head`): no error of ours.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
