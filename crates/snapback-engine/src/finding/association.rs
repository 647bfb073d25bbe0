//! Risks of a subnet, or a whole VPC, that uses another ACL or table than approved.

use super::route::Effects;
use super::scene::{Scene, as_acl};
use super::table::reach;
use super::{FindingCode, Harm, Severity};
use crate::impact::{bounded, traffic_lines};
use snapback_model::*;
use snapback_reach::{PacketSet, permitted_by_acl};

/// Lines of evidence of each kind for one finding.
const MOST_EVIDENCE: usize = 6;

/// NACL-SWAP or RT-SWAP: a subnet has another holder.
pub(super) fn moved(
    scene: &mut Scene<'_>,
    subnet: &SubnetId,
    good: Option<&ResourceId>,
    live: Option<&ResourceId>,
) {
    match scene.diff.resource.kind() {
        Kind::NetworkAcl => acl_swap(scene, subnet, good, live),
        Kind::RouteTable => table_swap(scene, subnet, good, live),
        Kind::SecurityGroup => {}
    }
}

/// Where a subnet is instead: what Snapback made for the time of a repair is nobody's theft. Who may tag
/// may write Snapback's tags too: the words say what was seen, and the severity is the same.
fn moved_words(
    scene: &Scene<'_>,
    subnet: &SubnetId,
    was: &str,
    (is, live): (&str, Option<&ResourceId>),
) -> String {
    let found = live.and_then(|id| scene.live.resources.get(id));
    match found.and_then(Temporary::of) {
        Some(made) => format!(
            "subnet {subnet} is in {is}, by its tags Snapback's stand-in for {} while that is repaired, and not in {was}",
            made.of
        ),
        None => format!("subnet {subnet} was moved from {was} to {is}"),
    }
}

fn name(id: Option<&ResourceId>) -> String {
    id.map_or_else(
        || "a holder that was not read".to_owned(),
        ToString::to_string,
    )
}

/// The effect of the new holder is not known: told, and no ground for a write by itself.
fn unknown(scene: &mut Scene<'_>, code: FindingCode, subnet: &SubnetId, meaning: String) {
    let evidence =
        vec!["one of the two was not read, so what this opens or cuts is not known".to_owned()];
    scene.tell(
        code,
        (Severity::High, Harm::None),
        Element::Subnet(subnet.clone()),
        meaning,
        evidence,
    );
}

fn acl_swap(
    scene: &mut Scene<'_>,
    subnet: &SubnetId,
    good: Option<&ResourceId>,
    live: Option<&ResourceId>,
) {
    let element = Element::Subnet(subnet.clone());
    let Some(good) = good else {
        let meaning = format!(
            "subnet {subnet}, which no baseline knows, is guarded by {}",
            name(live)
        );
        scene.tell(
            FindingCode::NaclSwap,
            (Severity::Low, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
        return;
    };
    let meaning = moved_words(scene, subnet, good.as_str(), (&name(live), live));
    let was = scene.baselines.state(good).and_then(as_acl);
    let is = live
        .and_then(|id| scene.live.resources.get(id))
        .and_then(as_acl);
    let (Some(was), Some(is)) = (was, is) else {
        return unknown(scene, FindingCode::NaclSwap, subnet, meaning);
    };
    let (mut closed, mut opened) = (Vec::new(), Vec::new());
    let mut total = false;
    for direction in [Direction::Ingress, Direction::Egress] {
        let (before, after) = (
            permitted_by_acl(was, direction),
            permitted_by_acl(is, direction),
        );
        closed.extend(traffic_lines(direction, &before.difference(&after)));
        opened.extend(traffic_lines(direction, &after.difference(&before)));
        // Stateless: with one direction shut no conversation completes.
        total |= after.is_empty() && before != PacketSet::empty();
    }
    if closed.is_empty() && opened.is_empty() {
        let meaning = format!("{meaning}, which permits the same now");
        scene.tell(
            FindingCode::NaclSwap,
            (Severity::Medium, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
        return;
    }
    if !closed.is_empty() {
        let severity = if total {
            Severity::Critical
        } else {
            Severity::High
        };
        let extent = if total {
            ": all traffic of the subnet is cut"
        } else {
            ": approved traffic is cut"
        };
        let evidence = bounded(closed, MOST_EVIDENCE);
        scene.tell(
            FindingCode::NaclSwap,
            (severity, Harm::Cuts),
            element.clone(),
            format!("{meaning}{extent}"),
            evidence,
        );
    }
    if !opened.is_empty() {
        let meaning = format!("{meaning}: traffic passes that its approved ACL keeps out");
        let evidence = bounded(opened, MOST_EVIDENCE);
        scene.tell(
            FindingCode::NaclSwap,
            (Severity::High, Harm::Opens),
            element,
            meaning,
            evidence,
        );
    }
}

fn table_swap(
    scene: &mut Scene<'_>,
    subnet: &SubnetId,
    good: Option<&ResourceId>,
    live: Option<&ResourceId>,
) {
    let element = Element::Subnet(subnet.clone());
    if good.is_none() && scene.is_new_subnet(subnet) {
        let meaning = format!(
            "subnet {subnet}, which was not there at capture, is routed by {}",
            name(live)
        );
        scene.tell(
            FindingCode::RtSwap,
            (Severity::Low, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
        return;
    }
    let vpc = scene.diff.vpc.clone();
    let main = |table: Option<&RouteTable>| table.map(|table| ResourceId::from(table.id.clone()));
    let was = match good {
        Some(id) => scene.good_table(id),
        None => vpc.as_ref().and_then(|vpc| scene.good_main(vpc)),
    };
    let is = match live {
        Some(id) => scene.live_table(id),
        None => vpc.as_ref().and_then(|vpc| scene.live_main(vpc)),
    };
    let word = |id: Option<&ResourceId>, table: Option<&RouteTable>| match (id, main(table)) {
        (Some(id), _) => id.to_string(),
        (None, Some(id)) => format!("the main table {id}"),
        (None, None) => "a table that was not read".to_owned(),
    };
    let (from, to) = (word(good, was), word(live, is));
    let meaning = moved_words(scene, subnet, &from, (&to, live));
    let (Some(was), Some(is)) = (was, is) else {
        return unknown(scene, FindingCode::RtSwap, subnet, meaning);
    };
    let effects = Effects::between(was, is, &scene.lists);
    if effects.is_empty() {
        let meaning = format!("{meaning}, which sends its traffic the same ways");
        scene.tell(
            FindingCode::RtSwap,
            (Severity::Medium, Harm::None),
            element,
            meaning,
            Vec::new(),
        );
        return;
    }
    if effects.cuts() {
        let meaning = format!("{meaning}: approved paths are cut or lead elsewhere");
        scene.tell(
            FindingCode::RtSwap,
            (Severity::High, Harm::Cuts),
            element.clone(),
            meaning,
            effects.lines(),
        );
    } else {
        let meaning = format!("{meaning}: it reaches networks that it did not");
        scene.tell(
            FindingCode::RtSwap,
            (Severity::High, Harm::Opens),
            element.clone(),
            meaning,
            effects.lines(),
        );
    }
    if effects.reaches_internet() {
        reach(scene, was, is, element, &effects);
    }
}

/// RT-MAIN: every subnet without an association of its own is routed by another table.
pub(super) fn main(
    scene: &mut Scene<'_>,
    vpc: &VpcId,
    good: &RouteTableId,
    live: Option<&RouteTableId>,
) {
    let element = Element::Main;
    let was = scene.good_table(&ResourceId::from(good.clone()));
    let is = live.and_then(|id| scene.live_table(&ResourceId::from(id.clone())));
    let live = live.map_or_else(
        || "a table that was not read".to_owned(),
        ToString::to_string,
    );
    let meaning = format!("the main table of {vpc} is {live} instead of {good}");
    let (Some(was), Some(is)) = (was, is) else {
        let evidence =
            vec!["one of the two was not read, so what this opens or cuts is not known".to_owned()];
        scene.tell(
            FindingCode::RtMain,
            (Severity::High, Harm::None),
            element,
            meaning,
            evidence,
        );
        return;
    };
    let subnets = scene.subnets_of(vpc);
    let explicit_then = |subnet: &SubnetId| {
        let states = scene
            .baselines
            .by_id
            .values()
            .filter_map(|baseline| baseline.state.as_ref());
        states
            .filter_map(super::scene::as_table)
            .any(|table| table.subnets.contains(subnet))
    };
    let implicit = subnets
        .iter()
        .filter(|subnet| scene.live.explicit_table_of(subnet).is_none() && !explicit_then(subnet));
    let moved: Vec<String> = implicit.map(ToString::to_string).collect();
    let effects = Effects::between(was, is, &scene.lists);
    if effects.is_empty() || (moved.is_empty() && !subnets.is_empty()) {
        let why = if effects.is_empty() {
            "both send traffic the same ways"
        } else {
            "no subnet uses it without an association of its own"
        };
        scene.tell(
            FindingCode::RtMain,
            (Severity::Medium, Harm::None),
            element,
            format!("{meaning}; {why}"),
            Vec::new(),
        );
        return;
    }
    let extent = match moved.len() {
        0 => "every subnet without an association of its own follows".to_owned(),
        _ => format!("with it move {}", bounded(moved, 5).join(", ")),
    };
    let harm = if effects.cuts() {
        Harm::Cuts
    } else {
        Harm::Opens
    };
    scene.tell(
        FindingCode::RtMain,
        (Severity::High, harm),
        element.clone(),
        format!("{meaning}: {extent}"),
        effects.lines(),
    );
    if effects.reaches_internet() {
        reach(scene, was, is, element, &effects);
    }
}
