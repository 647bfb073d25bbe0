//! The codes of the catalogue: the ids of `semantics.md` D.

use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// A rule that other rules make redundant.
    SgOverlap = "SG-OVERLAP",
    /// A reference to a group that is gone: it matches nothing.
    SgRefStale = "SG-REF-STALE",
    /// Trust given to another account's group.
    SgXacctRef = "SG-XACCT-REF",
    /// Access opened or cut by the groups an interface carries.
    SgMember = "SG-MEMBER",
    /// The default group of a VPC carries rules.
    SgDefaultUse = "SG-DEFAULT-USE",
    /// An edit of a prefix list changed what groups and tables that name it do.
    PlOpen = "PL-OPEN",
    /// A deny (new, changed or moved) shadows an allow; or an approved allow is gone.
    NaclBomb = "NACL-BOMB",
    /// An allow placed before an approved deny, or an approved deny gone; admin ports world-open.
    NaclOpen = "NACL-OPEN",
    /// Replies to clients that may come in cannot go out.
    NaclEphemeralOut = "NACL-EPH-OUT",
    /// Replies to what may go out cannot come in.
    NaclEphemeralIn = "NACL-EPH-IN",
    /// The ACL of one end of a path stops what the ACL of the other end lets pass.
    NaclMirror = "NACL-MIRROR",
    /// The messages by which path MTU discovery works are stopped.
    NaclPmtud = "NACL-PMTUD",
    /// A subnet was moved to another ACL.
    NaclSwap = "NACL-SWAP",
    /// A custom ACL was deleted.
    NaclDeleted = "NACL-DELETED",
    /// IPv6 came to the VPC, and its default ACL lets none of it pass.
    NaclDefaultV6 = "NACL-DEFAULT-V6",
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
    /// Two peers have the same networks, and a route covers both.
    RtPeerOverlap = "RT-PEER-OVERLAP",
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
    /// Prefix lists send one network to different targets; AWS picks at random.
    RtPrefixListAmbiguous = "RT-PL-AMBIG",
    /// The route of a gateway endpoint (S3, DynamoDB) is gone.
    VpceGatewayOff = "VPCE-GW-OFF",
    /// Instances lost their way to Session Manager.
    VpceSsmLockout = "VPCE-SSM-LOCKOUT",
    /// A NAT gateway is gone and routes lead to it.
    NatDeleted = "NAT-DELETED",
    /// Another NAT gateway, or other public addresses behind one.
    NatReplaced = "NAT-REPLACED",
    /// Subnets use a NAT gateway of another zone.
    NatCrossZone = "NAT-CROSS-AZ",
    /// A NAT gateway that no route leads to.
    NatIdle = "NAT-IDLE",
    /// An internet gateway is detached and routes lead to it.
    IgwDetached = "IGW-DETACH",
    /// VPC block public access was lowered.
    BpaOff = "BPA-OFF",
    /// Names of the other side of a peering resolve to public addresses.
    PcxDnsOff = "PCX-DNS-OFF",
    /// A peering is gone and routes lead to it.
    PcxGone = "PCX-GONE",
    /// The source/destination check of an interface was flipped.
    EniSourceCheck = "ENI-SRCDST",
    /// No flow log watches a VPC.
    FlowLogMissing = "FLOWLOG-MISSING",
    /// Tags that house policy asks for are not there, or the expiry is over.
    TagMissing = "TAG-MISSING",
    /// BGP timers of a VPN or Direct Connect are out of our sight: advice.
    DxBgp = "DX-BGP",
    /// A guarded resource was deleted.
    Deleted = "DELETED",
    /// A guarded resource that no baseline knows.
    Unreviewed = "UNREVIEWED",
    /// Its sets are larger than the bound of `snapback-reach`: nothing is known of its traffic.
    Unjudged = "UNJUDGED",
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
