//! Stage `finding`: named risks in a diff, with evidence (semantics D).
//!
//! - Owns: the catalogue as far as it needs no topology analysis.
//! - Takes: baselines, live, a resource diff and its impact.
//! - Gives: [`Finding`]s, each tied to the difference that caused it.
//! - Must not: decide what is done about it (that is `verdict`).

mod acl;
mod advice;
mod association;
mod existence;
mod exposure;
mod group;
mod route;
mod scene;
mod table;
#[cfg(test)]
mod tests;

use crate::diff::{Delta, Difference, ResourceDiff, Side};
use scene::Scene;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::fmt;

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Untidy.
    Low,
    /// Should be looked at.
    Medium,
    /// Dangerous.
    High,
    /// Dangerous now.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// Which way a finding harms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// Something dangerous became possible.
    Opens,
    /// Approved traffic became impossible or goes elsewhere.
    Cuts,
    /// Neither: a notice.
    None,
}

/// One named risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The id of `semantics.md` D, `SG-WORLD-SENSITIVE`.
    pub code: FindingCode,
    /// How bad.
    pub severity: Severity,
    /// Which way it harms.
    pub harm: Harm,
    /// The resource.
    pub resource: ResourceId,
    /// The element that caused it; the difference with this element is the one to take back.
    pub element: Element,
    /// One sentence for a person.
    pub meaning: String,
    /// Rules, entries, routes, ports or packets that show it.
    pub evidence: Vec<String>,
    /// What to do.
    pub advice: String,
}

macro_rules! finding_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// The risks this version names; text forms are the ids of `semantics.md` D.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FindingCode { $($(#[$doc])* #[serde(rename = $text)] $name),+ }
        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The id as `semantics.md` D writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}
finding_codes! {
    /// World-open admin or database port.
    SgWorldSensitive = "SG-WORLD-SENSITIVE",
    /// World-open to any port but 80 and 443.
    SgWorldAny = "SG-WORLD-ANY",
    /// Opened to at least 2^24 public IPv4 addresses or an IPv6 prefix of /16 or shorter.
    SgNearWorld = "SG-NEAR-WORLD",
    /// An approved rule is gone: traffic it carried is or will be cut.
    SgCutLive = "SG-CUT-LIVE",
    /// No egress at all.
    SgEgressNone = "SG-EGRESS-NONE",
    /// The self reference of a group is gone.
    SgSelfRef = "SG-SELF-REF",
    /// Trust given to another account's group.
    SgXacctRef = "SG-XACCT-REF",
    /// A deny (new, changed or moved) shadows an allow; or an approved allow is gone.
    NaclBomb = "NACL-BOMB",
    /// An allow placed before an approved deny, or an approved deny gone; admin ports world-open.
    NaclOpen = "NACL-OPEN",
    /// A subnet was moved to another ACL.
    NaclSwap = "NACL-SWAP",
    /// A custom ACL was deleted.
    NaclDeleted = "NACL-DELETED",
    /// The default route is gone.
    RtDefaultGone = "RT-DEFAULT-GONE",
    /// A route's target is dead.
    RtBlackhole = "RT-BLACKHOLE",
    /// An internet route in a table that had none.
    RtIgwPrivate = "RT-IGW-PRIVATE",
    /// An approved route leads elsewhere, or a more specific one captures its traffic.
    RtHijack = "RT-HIJACK",
    /// A network became reachable that was not.
    RtNewReach = "RT-NEW-REACH",
    /// The local route leads elsewhere.
    RtLocalReplaced = "RT-LOCAL-REPLACED",
    /// The main table is another one.
    RtMain = "RT-MAIN",
    /// Ingress routing of a gateway was added or removed.
    RtEdge = "RT-EDGE",
    /// VPN or Direct Connect routes vanish.
    RtPropagationOff = "RT-PROPAGATION-OFF",
    /// An approved route that is no default route is gone.
    RtRouteGone = "RT-ROUTE-GONE",
    /// A subnet was moved to another route table.
    RtSwap = "RT-SWAP",
    /// The route of a gateway endpoint (S3, DynamoDB) is gone.
    VpceGatewayOff = "VPCE-GW-OFF",
    /// Prefix lists send one network to different targets; AWS picks at random.
    RtPrefixListAmbiguous = "RT-PL-AMBIG",
    /// A guarded resource was deleted.
    Deleted = "DELETED",
    /// A guarded resource that no baseline knows.
    Unreviewed = "UNREVIEWED",
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Finds what is dangerous in the differences of one resource.
///
/// Each finding's element is the element of a difference of `diff`. Where several differences make
/// one effect together, each of them gets a finding, so that each can be taken back. A difference
/// counts as harmful if it would be by itself, on the baseline, or if taking back only it would undo
/// a part of the harm: an approved element that is gone is not excused by a stranger's element that
/// happens to do the same for now.
pub fn assess(baselines: &Baselines, live: &Snapshot, diff: &ResourceDiff) -> Vec<Finding> {
    let mut scene = Scene::new(baselines, live, diff);
    for difference in &diff.differences {
        match difference {
            Difference::Deleted { lost } => existence::deleted(&mut scene, lost),
            Difference::Unreviewed { found } => existence::unreviewed(&mut scene, found),
            Difference::Association {
                subnet,
                baseline,
                live,
            } => association::moved(&mut scene, subnet, baseline.as_ref(), live.as_ref()),
            Difference::Main {
                vpc,
                baseline,
                live,
            } => association::main(&mut scene, vpc, baseline, live.as_ref()),
            Difference::Edge { gateway, delta } => table::edge(&mut scene, gateway, delta),
            Difference::Propagation { gateway, delta } => {
                table::propagation(&mut scene, gateway, delta);
            }
            Difference::Rule { .. }
            | Difference::Entry { .. }
            | Difference::Route { .. }
            | Difference::Tag { .. } => {}
        }
    }
    match (
        baselines.state(&diff.resource),
        live.resources.get(&diff.resource),
    ) {
        (Some(Resource::SecurityGroup(good)), Some(Resource::SecurityGroup(found))) => {
            group::assess(&mut scene, good, found);
        }
        (Some(Resource::NetworkAcl(good)), Some(Resource::NetworkAcl(found))) => {
            acl::assess(&mut scene, good, found);
        }
        (Some(Resource::RouteTable(good)), Some(Resource::RouteTable(found))) => {
            table::assess(&mut scene, good, found);
        }
        (_, _) => {}
    }
    scene.findings
}

/// Finds what is dangerous in a state by itself: used at first capture ("already dangerous"). The
/// elements are elements of the resources, of no difference.
pub fn audit(live: &Snapshot) -> Vec<Finding> {
    live.resources
        .values()
        .flat_map(|resource| existence::audit(live, resource))
        .collect()
}
