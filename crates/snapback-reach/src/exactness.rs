//! What an answer does not know, and in which direction it may err.
//!
//! - Owns: [`Exactness`], [`Gap`], [`Errs`], [`Answer`] and the words for them.
//! - Takes: gaps, from whoever computes an answer.
//! - Gives: one ordered set of them; empty means exact.
//! - Must not: guess. A gap that cannot change the answer is not told.

use snapback_model::{
    ContextKind, NetworkInterfaceId, PrefixListId, SecurityGroupId, SubnetId, VpcId,
};
use std::collections::BTreeSet;
use std::fmt;

/// What was not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unknowns {
    /// The rules of a group were not read.
    Group(SecurityGroupId),
    /// Which addresses a group reference stands for (semantics A1).
    Members(SecurityGroupId),
    /// The entries of a prefix list were not read.
    PrefixList(PrefixListId),
    /// The ACL of a subnet was not read.
    Acl(SubnetId),
    /// The route table of a subnet was not read.
    Table(SubnetId),
    /// A subnet was not read.
    Subnet(SubnetId),
    /// An interface was not read.
    Interface(NetworkInterfaceId),
    /// A VPC, or what is in it, was not read.
    Vpc(VpcId),
    /// What a route target does with the packet: an appliance, a transit gateway, a network beyond
    /// AWS, a gateway of which too little was read. By its id.
    Target(String),
    /// Several prefix lists name one network with different targets: AWS picks at random
    /// (semantics A4). By the network.
    AmbiguousRoute(String),
    /// A kind of context that was not read completely.
    Context(ContextKind),
    /// The input is past a stated bound: the answer was not computed. By what was too large.
    Size(String),
}

impl fmt::Display for Unknowns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(id) => write!(f, "rules of {id}"),
            Self::Members(id) => write!(f, "members of {id}"),
            Self::PrefixList(id) => write!(f, "entries of {id}"),
            Self::Acl(id) => write!(f, "ACL of {id}"),
            Self::Table(id) => write!(f, "route table of {id}"),
            Self::Subnet(id) => write!(f, "{id}"),
            Self::Interface(id) => write!(f, "{id}"),
            Self::Vpc(id) => write!(f, "{id}"),
            Self::Target(id) => write!(f, "{id}"),
            Self::AmbiguousRoute(network) => write!(f, "route to {network}"),
            Self::Context(kind) => f.write_str(kind.words()),
            Self::Size(what) => write!(f, "size of {what}"),
        }
    }
}

/// In which direction the truth may lie from the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errs {
    /// In truth more may pass than the answer says.
    MayPermitMore,
    /// In truth less may pass than the answer says.
    MayPermitLess,
    /// In truth more or less may pass.
    Either,
}

impl Errs {
    /// Whether in truth more may pass.
    pub fn more(self) -> bool {
        matches!(self, Self::MayPermitMore | Self::Either)
    }

    /// Whether in truth less may pass.
    pub fn less(self) -> bool {
        matches!(self, Self::MayPermitLess | Self::Either)
    }

    /// The direction for what is subtracted: more on the right of a difference is less of it.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::MayPermitMore => Self::MayPermitLess,
            Self::MayPermitLess => Self::MayPermitMore,
            Self::Either => Self::Either,
        }
    }
}

impl fmt::Display for Errs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MayPermitMore => "in truth more may pass",
            Self::MayPermitLess => "in truth less may pass",
            Self::Either => "in truth more or less may pass",
        })
    }
}

/// One thing that was not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// What it is.
    pub what: Unknowns,
    /// Where the truth may lie.
    pub errs: Errs,
    /// For people: what was not known and what that means, without a full stop.
    pub words: String,
}

impl Gap {
    /// A gap in words.
    pub fn new(what: Unknowns, errs: Errs, words: impl Into<String>) -> Self {
        Self {
            what,
            errs,
            words: words.into(),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.words, self.errs)
    }
}

/// All that an answer did not know. Empty is exact.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exactness {
    gaps: BTreeSet<Gap>,
}

impl Exactness {
    /// Nothing unknown.
    pub fn exact() -> Self {
        Self::default()
    }

    /// One thing unknown.
    pub fn gap(gap: Gap) -> Self {
        Self {
            gaps: BTreeSet::from([gap]),
        }
    }

    /// Whether nothing was unknown.
    pub fn is_exact(&self) -> bool {
        self.gaps.is_empty()
    }

    /// The gaps, in a fixed order.
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter()
    }

    /// Whether in truth more may pass than the answer says.
    pub fn may_permit_more(&self) -> bool {
        self.gaps.iter().any(|gap| gap.errs.more())
    }

    /// Whether in truth less may pass than the answer says.
    pub fn may_permit_less(&self) -> bool {
        self.gaps.iter().any(|gap| gap.errs.less())
    }

    /// One gap more.
    pub fn add(&mut self, gap: Gap) {
        self.gaps.insert(gap);
    }

    /// What both did not know: for a union or an intersection of two answers.
    pub fn merge(&mut self, other: &Self) {
        self.gaps.extend(other.gaps.iter().cloned());
    }

    /// What both did not know.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.merge(other);
        self
    }

    /// With every direction turned round: for what is subtracted.
    #[must_use]
    pub fn flipped(&self) -> Self {
        let flipped = self.gaps.iter().map(|gap| Gap {
            errs: gap.errs.flipped(),
            ..gap.clone()
        });
        Self {
            gaps: flipped.collect(),
        }
    }

    /// One line for each gap; none when exact.
    pub fn words(&self) -> Vec<String> {
        self.gaps.iter().map(ToString::to_string).collect()
    }
}

impl Extend<Gap> for Exactness {
    fn extend<I: IntoIterator<Item = Gap>>(&mut self, gaps: I) {
        self.gaps.extend(gaps);
    }
}

impl FromIterator<Gap> for Exactness {
    fn from_iter<I: IntoIterator<Item = Gap>>(gaps: I) -> Self {
        Self {
            gaps: gaps.into_iter().collect(),
        }
    }
}

impl fmt::Display for Exactness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exact() {
            return f.write_str("exact");
        }
        f.write_str(&self.words().join("; "))
    }
}

/// A value with its exactness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer<T> {
    /// The value, as far as it is known.
    pub value: T,
    /// What was not known.
    pub exactness: Exactness,
}

impl<T> Answer<T> {
    /// A value with nothing unknown.
    pub fn exact(value: T) -> Self {
        Self {
            value,
            exactness: Exactness::exact(),
        }
    }

    /// A value with one thing unknown.
    pub fn with_gap(value: T, gap: Gap) -> Self {
        Self {
            value,
            exactness: Exactness::gap(gap),
        }
    }

    /// Another value from this one; what was not known stays.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: of(self.value),
            exactness: self.exactness,
        }
    }
}
