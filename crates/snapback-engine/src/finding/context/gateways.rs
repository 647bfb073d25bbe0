//! NAT-REPLACED by other public addresses, PCX-DNS-OFF.

use crate::finding::world::World;
use crate::finding::{Finding, FindingCode, Harm, Severity, Subject};
use snapback_model::*;
use std::net::IpAddr;

pub(super) fn changed(before: &World<'_>, after: &World<'_>) -> Vec<Finding> {
    let both = before.topology.gateways.values().filter_map(|was| {
        let is = after.topology.gateways.get(&was.id)?;
        Some((was, is))
    });
    both.flat_map(|(was, is)| match was.kind {
        GatewayKind::Nat if after.has_read(ContextKind::NatGateways) => {
            addresses(after, was, is).into_iter().collect()
        }
        GatewayKind::Peering if after.has_read(ContextKind::Peerings) => names(was, is),
        _ => Vec::new(),
    })
    .collect()
}

/// Partners let an address in, not a gateway. A regional gateway takes addresses as it grows.
fn addresses(after: &World<'_>, was: &Gateway, is: &Gateway) -> Option<Finding> {
    let gone: Vec<&IpAddr> = was
        .public_addresses
        .difference(&is.public_addresses)
        .collect();
    let new: Vec<&IpAddr> = is
        .public_addresses
        .difference(&was.public_addresses)
        .collect();
    let regional = is.nat.as_ref().is_some_and(|nat| nat.regional);
    let used = after
        .tables()
        .flat_map(|table| table.routes.values())
        .any(|route| route.target.id() == is.id);
    let alive = is.state.as_deref().is_none_or(|state| state == "available");
    if !used || !alive || (gone.is_empty() && (new.is_empty() || regional)) {
        return None;
    }
    let lines = gone
        .iter()
        .map(|address| format!("{address} is gone"))
        .chain(new.iter().map(|address| format!("{address} is new")));
    let (severity, harm) = if gone.is_empty() {
        (Severity::Medium, Harm::None)
    } else {
        (Severity::High, Harm::Cuts)
    };
    Some(Finding::new(
        FindingCode::NatReplaced,
        (severity, harm),
        Subject::Gateway(is.id.clone()),
        Element::Existence,
        format!(
            "the public addresses of {} are others: whoever lets them in by address must know",
            is.id
        ),
        lines.collect(),
    ))
}

/// DNS resolution over the peering went from on to off.
fn names(was: &Gateway, is: &Gateway) -> Vec<Finding> {
    let (Some(before), Some(after)) = (&was.peering, &is.peering) else {
        return Vec::new();
    };
    let active = is.state.as_deref().is_none_or(|state| state == "active");
    let sides = [
        (&before.requester, &after.requester, "the requester"),
        (&before.accepter, &after.accepter, "the accepter"),
    ];
    let off: Vec<String> = sides
        .into_iter()
        .filter(|(before, after, _)| before.dns == Some(true) && after.dns == Some(false))
        .map(|(_, after, side)| match &after.vpc {
            Some(vpc) => format!("{side}'s side, {vpc}"),
            None => format!("{side}'s side"),
        })
        .collect();
    if off.is_empty() || !active {
        return Vec::new();
    }
    vec![Finding::new(
        FindingCode::PcxDnsOff,
        (Severity::Medium, Harm::Cuts),
        Subject::Gateway(is.id.clone()),
        Element::Existence,
        format!(
            "DNS resolution over {} was turned off: public names resolve to public addresses, and traffic leaves the \
             peering",
            is.id
        ),
        off,
    )]
}
