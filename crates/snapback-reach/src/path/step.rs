//! One hop of a path, and what comes of all of them.

use crate::exactness::Exactness;
use crate::pieces::Pieces;
use snapback_model::ResourceId;
use std::fmt;

/// The packet's way or that of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From the source to the destination.
    Request,
    /// Back.
    Reply,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Reply => "reply",
        })
    }
}

/// What decides at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Whether an end has the address it needs.
    Address,
    /// The groups of an interface (semantics A1).
    Groups,
    /// The ACL of a subnet (semantics A3).
    Acl,
    /// A route table (semantics A4).
    Route,
    /// What a route leads to: a gateway, a peering, an endpoint, an appliance (semantics A4, A5).
    Gateway,
    /// VPC block public access (semantics A4).
    PublicAccess,
    /// A service of AWS that nothing filters (semantics A1).
    Service,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address",
            Self::Groups => "groups",
            Self::Acl => "ACL",
            Self::Route => "route",
            Self::Gateway => "gateway",
            Self::PublicAccess => "block public access",
            Self::Service => "service",
        })
    }
}

/// What a step does with the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Lets it pass.
    Passes,
    /// Lets it pass for some ports of the client only.
    Partly,
    /// What it does is not known.
    Unknown,
    /// Stops it.
    Blocked,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passes => "passes",
            Self::Partly => "passes partly",
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
        })
    }
}

/// The ports that clients take for themselves, hence where replies go (semantics A3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientRange {
    /// 32768–60999.
    Linux,
    /// 49152–65535.
    Windows,
    /// NAT gateways, load balancers, Lambda: 1024–65535.
    Service,
}

impl ClientRange {
    /// Every range: what a host on the internet may take.
    pub const ALL: [Self; 3] = [Self::Linux, Self::Windows, Self::Service];

    /// First and last port.
    pub fn ports(self) -> (u16, u16) {
        match self {
            Self::Linux => (32768, 60999),
            Self::Windows => (49152, u16::MAX),
            Self::Service => (1024, u16::MAX),
        }
    }

    /// The ports of several together.
    pub(crate) fn all_ports(ranges: &[Self]) -> Pieces<u16, bool> {
        Pieces::from_ranges(ranges.iter().map(|range| range.ports()))
    }
}

impl fmt::Display for ClientRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.ports();
        let name = match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::Service => "NAT, load balancer, Lambda",
        };
        write!(f, "{name} {low}-{high}")
    }
}

/// One hop of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whose hop it is.
    pub way: Way,
    /// What decides.
    pub stage: Stage,
    /// The element that decides, by its AWS id: an interface, an ACL, a table, a gateway.
    pub at: String,
    /// The guarded resources that decide: the groups of the interface, the ACL, the table.
    pub resources: Vec<ResourceId>,
    /// What it does.
    pub verdict: Verdict,
    /// The rule, entry or route that decides; `None` where none matches or there is none to name.
    pub rule: Option<String>,
    /// All of it in words, for people.
    pub words: String,
    /// At an ACL on the way of a reply: for each client range, the ports to which it lets replies
    /// pass.
    pub replies: Vec<(ClientRange, Vec<(u16, u16)>)>,
    /// What was not known; empty unless the verdict is `Unknown`.
    pub exactness: Exactness,
}

impl Step {
    /// A step in words, with nothing more to tell. A guarded resource that it is at decides it.
    pub(crate) fn new(
        way: Way,
        stage: Stage,
        at: impl Into<String>,
        verdict: Verdict,
        words: impl Into<String>,
    ) -> Self {
        let at = at.into();
        Self {
            way,
            stage,
            resources: at.parse().into_iter().collect(),
            at,
            verdict,
            rule: None,
            words: words.into(),
            replies: Vec::new(),
            exactness: Exactness::exact(),
        }
    }
}

/// What comes of a path: the worst of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The packet arrives and its replies come back.
    Passes,
    /// The packet arrives; replies come back to some ports of the client only.
    Partly,
    /// Something on the way is not known, and nothing known stops it.
    Unknown,
    /// Something stops the packet, or every reply.
    Blocked,
}

impl Outcome {
    /// The worst of some steps.
    pub(crate) fn of(steps: &[Step]) -> Self {
        match steps.iter().map(|step| step.verdict).max() {
            Some(Verdict::Blocked) => Self::Blocked,
            Some(Verdict::Unknown) => Self::Unknown,
            Some(Verdict::Partly) => Self::Partly,
            Some(Verdict::Passes) | None => Self::Passes,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passes => "passes",
            Self::Partly => "passes partly",
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
        })
    }
}
