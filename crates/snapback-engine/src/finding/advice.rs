//! What to do about each risk, one sentence.

use super::{FindingCode, Harm};

/// The advice for a code.
pub(super) fn of(code: FindingCode, harm: Harm) -> &'static str {
    if harm == Harm::None && is_about_a_difference(code) {
        return "Nothing is cut or opened by it now; accept it into the baseline or take it back.";
    }
    match code {
        FindingCode::SgWorldSensitive | FindingCode::SgWorldAny | FindingCode::SgNearWorld => {
            "Take the rule back; sessions that are already established survive until their idle timeout, so look for \
             them and cut them by a network ACL deny if they are not yours."
        }
        FindingCode::SgCutLive => {
            "Authorize the rule again, or accept its removal into the baseline."
        }
        FindingCode::SgEgressNone => {
            "Authorize the approved egress rules again: nothing can leave."
        }
        FindingCode::SgSelfRef => {
            "Authorize the self reference again: members of the group cannot reach each other."
        }
        FindingCode::SgOverlap => {
            "No hurry: AWS refuses exact duplicates, so this is an overlap, and it costs only rule quota. Ask why both \
             are there (owner, description) before you drop one; dropping the wider one cuts."
        }
        FindingCode::SgRefStale => {
            "Drop the rule, or restore the peering it came from: AWS never removes such rules by itself, and a peering \
             of the same two VPCs brings them back to life."
        }
        FindingCode::SgMember => {
            "Give the interface its approved groups again (ModifyNetworkInterfaceAttribute, or the service that owns \
             it); sessions that are already established survive until their idle timeout."
        }
        FindingCode::SgDefaultUse => {
            "Move what needs these rules to a group of its own and leave the default group empty."
        }
        FindingCode::PlOpen => {
            "Restore the approved version (RestoreManagedPrefixListVersion), after asking the list's owner."
        }
        FindingCode::SgXacctRef => {
            "Ask who owns that account; nobody here sees who joins its group, so take the rule back if nobody knows."
        }
        FindingCode::NaclBomb => {
            "Restore the approved entries under their numbers and delete the new denies."
        }
        FindingCode::NaclOpen => "Restore the approved denies and take back the allow before them.",
        FindingCode::NaclEphemeralOut => {
            "Allow tcp (udp) 1024-65535 out to those clients before any deny that matches them; a security group's \
             state does not help here, an ACL keeps none."
        }
        FindingCode::NaclEphemeralIn => {
            "Allow the client ports in from where connections go, before any deny that matches them."
        }
        FindingCode::NaclMirror => {
            "Give both ACLs the same pair of entries: the request one way, the client ports the other."
        }
        FindingCode::NaclPmtud => {
            "Allow ICMP type 3 code 4 (IPv6: ICMPv6 type 2) in and out for the peers that may talk."
        }
        FindingCode::NaclDefaultV6 => {
            "Add the IPv6 allows that AWS did not (100/101 of a fresh default ACL), or say that IPv6 is not wanted."
        }
        FindingCode::NaclSwap => "Move the subnet back to its approved ACL.",
        FindingCode::NaclDeleted => {
            "Create the ACL again with its entries, then associate its subnets."
        }
        FindingCode::RtDefaultGone | FindingCode::RtRouteGone => {
            "Create the route again, after checking that its target is alive."
        }
        FindingCode::RtBlackhole => {
            "Find out why the target is gone and replace it; restoring a route to a dead target helps nobody."
        }
        FindingCode::RtIgwPrivate => {
            "Take the internet route back; hosts with public addresses there are reachable now."
        }
        FindingCode::RtHijack => {
            "Lead the network back to its approved target and look at what the new target has seen."
        }
        FindingCode::RtNewReach => "Ask who needs this path; take the route back if nobody does.",
        FindingCode::RtLocalReplaced => "Give the traffic inside the VPC back to the local route.",
        FindingCode::RtPeerOverlap => {
            "Give the smaller side longer prefixes, one for each network that really talks; AWS refuses a peering of \
             overlapping VPCs, and does not look at two peers of one VPC."
        }
        FindingCode::RtMain => "Make the approved table the main one again.",
        FindingCode::RtEdge => {
            "Restore the edge association: it decides whether what enters is inspected."
        }
        FindingCode::RtPropagationOff => "Turn propagation from the VPN gateway on again.",
        FindingCode::RtSwap => "Move the subnet back to its approved table.",
        FindingCode::VpceGatewayOff => {
            "Add the table to the gateway endpoint again (ModifyVpcEndpoint)."
        }
        FindingCode::RtPrefixListAmbiguous => {
            "Make the prefix lists disjoint or send them to one target."
        }
        FindingCode::VpceSsmLockout => {
            "Let tcp 443 pass again from the instances to the endpoints of ssm, ssmmessages and ec2messages (groups of \
             both ends, ACLs both ways), or to the internet."
        }
        FindingCode::NatDeleted => {
            "Create a NAT gateway again and lead the routes to it: the old id never comes back. Its Elastic addresses \
             were set free, not released: give them to the new one. Where the policy says `recreate: { nat: true }`, \
             Snapback does it."
        }
        FindingCode::NatReplaced => {
            "All connections through it were reset. If it was meant, tell the partners that let its address in, and \
             accept it into the baseline; if not, lead the route back."
        }
        FindingCode::NatCrossZone => {
            "Give each zone a NAT gateway and its subnets a table that leads to it, or use a regional one."
        }
        FindingCode::NatIdle => {
            "Look at its byte count in CloudWatch; delete it by hand if nobody needs it. Snapback deletes none."
        }
        FindingCode::IgwDetached => "Attach the internet gateway to the VPC again.",
        FindingCode::BpaOff => {
            "Block again what was blocked, and look at what came in meanwhile; ask who needs the exception."
        }
        FindingCode::PcxDnsOff => {
            "Turn DNS resolution on again for that side (ModifyVpcPeeringConnectionOptions)."
        }
        FindingCode::PcxGone => {
            "Peer the two VPCs again and lead the routes to the new id; references to groups over it come back to life."
        }
        FindingCode::EniSourceCheck => {
            "Set the check back as it was: off for appliances that forward, on for everything else."
        }
        FindingCode::FlowLogMissing => "Create a flow log on the VPC.",
        FindingCode::TagMissing => "Tag it, or take it away if nobody needs it any more.",
        FindingCode::DxBgp => {
            "Set BFD on the customer's router (300 ms, 3 times): failure is then seen in a second and not after the \
             hold time."
        }
        FindingCode::Deleted => {
            "Create it again from what was lost; its id will be new, so whatever names it must follow."
        }
        FindingCode::Unjudged => {
            "Look at it by hand: it has more rules, entries or networks than can be judged, so nothing is written to it."
        }
        FindingCode::Unreviewed => "Review it, then accept it into the baseline or delete it.",
    }
}

/// Whether a finding without harm of this code is about a difference that does nothing now. The
/// others have advice of their own.
fn is_about_a_difference(code: FindingCode) -> bool {
    matches!(
        code,
        FindingCode::SgWorldAny
            | FindingCode::SgCutLive
            | FindingCode::NaclBomb
            | FindingCode::NaclOpen
            | FindingCode::NaclSwap
            | FindingCode::RtDefaultGone
            | FindingCode::RtBlackhole
            | FindingCode::RtHijack
            | FindingCode::RtMain
            | FindingCode::RtEdge
            | FindingCode::RtRouteGone
            | FindingCode::RtSwap
            | FindingCode::VpceGatewayOff
    )
}
