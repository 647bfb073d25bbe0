//! What to do about each risk, one sentence.

use super::{FindingCode, Harm};

/// The advice for a code.
pub(super) fn of(code: FindingCode, harm: Harm) -> &'static str {
    if harm == Harm::None && !matches!(code, FindingCode::Unreviewed | FindingCode::NaclDeleted) {
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
        FindingCode::SgXacctRef => {
            "Ask who owns that account; nobody here sees who joins its group, so take the rule back if nobody knows."
        }
        FindingCode::NaclBomb => {
            "Restore the approved entries under their numbers and delete the new denies."
        }
        FindingCode::NaclOpen => "Restore the approved denies and take back the allow before them.",
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
        FindingCode::Deleted => {
            "Create it again from what was lost; its id will be new, so whatever names it must follow."
        }
        FindingCode::Unreviewed => "Review it, then accept it into the baseline or delete it.",
    }
}
