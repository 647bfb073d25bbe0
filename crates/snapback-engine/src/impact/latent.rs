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
        let end = match &self.when {
            Dies::Now => "end at once".to_owned(),
            Dies::AtIdleTimeout(idle) => {
                let idle: Vec<&str> = idle.iter().map(|idle| idle.words()).collect();
                format!("go on until they fall idle, {}", idle.join(", "))
            }
            Dies::NotAtAll => "go on".to_owned(),
            Dies::Unknown(_) => "may end at once or go on until they fall idle".to_owned(),
        };
        let why = match &self.when {
            Dies::Unknown(unknown) => format!("{}; {unknown}", self.why),
            Dies::Now | Dies::AtIdleTimeout(_) | Dies::NotAtAll => self.why.clone(),
        };
        let evicts = self
            .evicts
            .as_ref()
            .map(|how| format!(". To end them now: {how}"))
            .unwrap_or_default();
        match self.of {
            Turn::Opened => format!(
                "Connections made while {} was open {end} when it is taken back: {why}{evicts}.",
                self.what
            ),
            Turn::Closed => format!(
                "Connections that {} had carried {end}: {why}{evicts}.",
                self.what
            ),
        }
    }
}
