//! What a table serves beside its subnets' addresses, and holders that were not read: told, not computed.

use crate::impact::sets::EVERYONE;
use crate::impact::shift::{Effect, Shift, Turn};
use crate::impact::work::Work;
use snapback_model::*;
use snapback_reach::AddressSet;

/// What the table serves beside subnets: gateways, and the routes it learns.
pub(super) fn bindings(
    work: &mut Work<'_, '_>,
    before: Option<&RouteTable>,
    after: Option<&RouteTable>,
) {
    let gateways = |table: Option<&RouteTable>| {
        table
            .map(|table| table.gateways.clone())
            .unwrap_or_default()
    };
    let (was, is) = (gateways(before), gateways(after));
    let edge = "what enters by a gateway meets is not computed";
    for gateway in was.difference(&is) {
        let text = format!("what enters by {gateway} is no longer routed by this table");
        work.bind(Turn::Closed, text, Element::Edge(gateway.clone()), edge);
    }
    for gateway in is.difference(&was) {
        let text = format!("what enters by {gateway} is now routed by this table");
        work.bind(Turn::Opened, text, Element::Edge(gateway.clone()), edge);
    }
    let sources = |table: Option<&RouteTable>| {
        table
            .map(|table| table.propagating.clone())
            .unwrap_or_default()
    };
    let (was, is) = (sources(before), sources(after));
    let learned = "which routes a gateway learns is not read";
    for gateway in was.difference(&is) {
        let text = format!("routes that {gateway} learns no longer come into this table");
        let element = Element::Propagation(gateway.clone());
        work.bind(Turn::Closed, text, element, learned);
    }
    for gateway in is.difference(&was) {
        let text = format!("routes that {gateway} learns now come into this table");
        let element = Element::Propagation(gateway.clone());
        work.bind(Turn::Opened, text, element, learned);
    }
}

impl Work<'_, '_> {
    fn bind(&mut self, turn: Turn, text: String, element: Element, why: &str) {
        let effect = Effect::Unknown {
            why: why.to_owned(),
        };
        self.moves(turn, &element, effect.clone());
        let peers = AddressSet::of(EVERYONE).networks();
        self.push(
            turn,
            Shift {
                text,
                direction: None,
                traffic: "all traffic".to_owned(),
                peers: peers.iter().map(ToString::to_string).collect(),
                more_peers: 0,
                witness: None,
                through: vec![element],
                effect,
            },
        );
    }

    /// A subnet has another holder, and one of the two was not read.
    pub(in crate::impact) fn unknown_holder(
        &mut self,
        verb: &str,
        from: Option<&ResourceId>,
        to: Option<&ResourceId>,
        elements: Vec<Element>,
    ) {
        let name = |id: Option<&ResourceId>| {
            id.map_or_else(
                || "a holder that was not read".to_owned(),
                ToString::to_string,
            )
        };
        for element in elements {
            let whom = match &element {
                Element::Subnet(subnet) => subnet.to_string(),
                other => other.to_string(),
            };
            let text = format!("{whom} is {verb} by {} instead of {}", name(to), name(from));
            let why = "one of the two was not read";
            self.bind(Turn::Closed, text, element, why);
        }
    }
}
