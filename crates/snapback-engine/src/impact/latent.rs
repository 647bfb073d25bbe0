//! What a change does to connections that exist already (semantics A2).

use super::Turn;
use serde::{Deserialize, Serialize};

/// When a connection without packets is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// TCP, established: 432000 s by default, 350 s on Nitro v6 instances.
    Tcp,
    /// UDP: 30 s, streams 180 s.
    Udp,
    /// Everything else: 600 s.
    Other,
}

impl Idle {
    /// The timeouts in seconds, the longest first.
    pub fn seconds(self) -> &'static [u32] {
        match self {
            Self::Tcp => &[432_000, 350],
            Self::Udp => &[180, 30],
            Self::Other => &[600],
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Tcp => "TCP after 432000 s (5 days; 350 s on Nitro v6)",
            Self::Udp => "UDP after 30 s, streams after 180 s",
            Self::Other => "other protocols after 600 s",
        }
    }
}

/// When existing connections end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dies {
    /// As soon as the change takes effect.
    Now,
    /// They are tracked: not before they fall idle.
    AtIdleTimeout(Vec<Idle>),
    /// They go on.
    NotAtAll,
    /// It depends on what is not known.
    Unknown(String),
}

/// What becomes of the connections that some traffic was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latent {
    /// `Opened`: connections made while it is open, once it is taken back. `Closed`: connections
    /// that existed when it was closed.
    pub of: Turn,
    /// The traffic, in words.
    pub what: String,
    /// When they end.
    pub when: Dies,
    /// Why.
    pub why: String,
    /// What would end them now, where they do not end by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evicts: Option<String>,
}

impl Latent {
    /// One line for people.
    pub fn words(&self) -> String {
        let Self { what, why, .. } = self;
        let evicts = self
            .evicts
            .as_ref()
            .map(|how| format!(". To end them now: {how}"))
            .unwrap_or_default();
        let end = match (&self.when, self.of) {
            (Dies::Now, Turn::Opened) => format!("end as soon as it is taken back: {why}"),
            (Dies::Now, Turn::Closed) => format!("ended at once: {why}"),
            (Dies::AtIdleTimeout(idle), of) => {
                let idle: Vec<&str> = idle.iter().map(|idle| idle.words()).collect();
                let first = match of {
                    Turn::Opened => "are not ended by taking it back",
                    Turn::Closed => "go on",
                };
                format!("{first}: {why}; they end when idle, {}", idle.join(", "))
            }
            (Dies::NotAtAll, _) => format!("go on: {why}"),
            (Dies::Unknown(unknown), _) => {
                format!("end at once or live on until they are idle: {why}, and {unknown}")
            }
        };
        match self.of {
            Turn::Opened => format!("Connections made over {what} {end}{evicts}."),
            Turn::Closed => format!("Connections over {what} {end}{evicts}."),
        }
    }
}
