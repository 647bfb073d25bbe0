//! ENI-SRCDST: the source/destination check of an interface was flipped.

use crate::finding::world::World;
use crate::finding::{Finding, FindingCode, Harm, Severity, Subject};
use snapback_model::*;

pub(super) fn changed(before: &World<'_>, after: &World<'_>) -> Vec<Finding> {
    let both = before.topology.interfaces.values().filter_map(|was| {
        let is = after.topology.interfaces.get(&was.id)?;
        let (was, now) = (was.source_dest_check?, is.source_dest_check?);
        (was != now).then_some((is, now))
    });
    both.map(|(interface, checked)| {
        let routes: Vec<String> = after
            .tables()
            .flat_map(|table| table.routes.iter().map(move |route| (table, route)))
            .filter(|(_, (_, route))| {
                matches!(&route.target, RouteTarget::NetworkInterface(id) if id == interface.id.as_str())
            })
            .map(|(table, (destination, _))| format!("{}: route {destination} leads to it", table.id))
            .collect();
        let (severity, harm, meaning) = match (checked, routes.is_empty()) {
            (true, false) => (
                Severity::High,
                Harm::Cuts,
                "its source/destination check was turned on: the appliance drops all that is not its own",
            ),
            (true, true) => (
                Severity::Medium,
                Harm::None,
                "its source/destination check was turned on; no route leads to it",
            ),
            (false, false) => (
                Severity::High,
                Harm::Opens,
                "its source/destination check was turned off: it may take and send what is not its own, and routes \
                 lead to it",
            ),
            (false, true) => (
                Severity::Medium,
                Harm::Opens,
                "its source/destination check was turned off: it may send with addresses that are not its own",
            ),
        };
        Finding::new(
            FindingCode::EniSourceCheck,
            (severity, harm),
            Subject::Interface(interface.id.clone()),
            Element::Existence,
            format!("{}: {meaning}", interface.id),
            routes,
        )
    })
    .collect()
}
