//! Risks of what surrounds the guarded resources: NAT gateways, internet gateways, peerings, flow
//! logs, tags of VPCs and gateways, advice on BGP.

use super::super::scene::Teller;
use super::super::world::World;
use super::tags;
use crate::finding::{Finding, FindingCode, Harm, HouseRules, Severity, Subject};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn audit(world: &World<'_>, house: &HouseRules) -> Vec<Finding> {
    let mut findings = dead_targets(world);
    findings.extend(idle_nats(world));
    findings.extend(unwatched(world));
    findings.extend(bgp(world));
    findings.extend(untagged(world, house));
    findings
}

/// A target and the routes that lead to it.
struct Led<'w> {
    target: &'w RouteTarget,
    state: &'w str,
    routes: Vec<String>,
    subnets: BTreeSet<&'w SubnetId>,
}

/// NAT-DELETED, IGW-DETACH, PCX-GONE: routes that lead to what is gone. Where no subnet uses any of
/// the tables, nothing is cut now.
fn dead_targets(world: &World<'_>) -> Vec<Finding> {
    let mut led: BTreeMap<&str, Led<'_>> = BTreeMap::new();
    for table in world.tables() {
        for (destination, route) in &table.routes {
            let target = &route.target;
            if code_of(target).is_none() {
                continue;
            }
            let Some(state) = world.dead(table, target) else {
                continue;
            };
            let here = led.entry(target.id()).or_insert_with(|| Led {
                target,
                state,
                routes: Vec::new(),
                subnets: BTreeSet::new(),
            });
            here.routes
                .push(format!("{}: route {destination}", table.id));
            here.subnets.extend(world.subnets_of(table));
        }
    }
    let told = led.into_values().filter_map(|led| {
        let (code, severity, what) = code_of(led.target)?;
        let dormant = led.subnets.is_empty() && !world.topology.subnets.is_empty();
        let (severity, extent) = if dormant {
            (
                severity.min(Severity::High),
                "; no subnet uses these routes now".to_owned(),
            )
        } else if led.subnets.is_empty() {
            (severity, String::new())
        } else {
            (
                severity,
                format!("; {} subnets use them", led.subnets.len()),
            )
        };
        let subnets = led.subnets.iter().map(|subnet| format!("{subnet} uses it"));
        let evidence = led.routes.iter().cloned().chain(subnets).collect();
        Some(Finding::new(
            code,
            (severity, Harm::Cuts),
            Subject::Gateway(led.target.id().to_owned()),
            Element::Existence,
            format!(
                "{what} {} is {}, and routes lead to it{extent}",
                led.target, led.state
            ),
            evidence,
        ))
    });
    told.collect()
}

fn code_of(target: &RouteTarget) -> Option<(FindingCode, Severity, &'static str)> {
    match target {
        RouteTarget::NatGateway(_) => Some((
            FindingCode::NatDeleted,
            Severity::Critical,
            "the NAT gateway",
        )),
        RouteTarget::InternetGateway(_) => Some((
            FindingCode::IgwDetached,
            Severity::Critical,
            "the internet gateway",
        )),
        RouteTarget::VpcPeeringConnection(_) => {
            Some((FindingCode::PcxGone, Severity::High, "the peering"))
        }
        _ => None,
    }
}

/// NAT-IDLE: paid for by the hour, and no table leads to it. One that Snapback made is to be told: it
/// was made for a route that is not good any more, and nobody else will look for it.
fn idle_nats(world: &World<'_>) -> Vec<Finding> {
    if !world.has_all(Kind::RouteTable) {
        return Vec::new();
    }
    let used: BTreeSet<&str> = world
        .tables()
        .flat_map(|table| table.routes.values())
        .map(|route| route.target.id())
        .collect();
    let idle = world.topology.gateways.values().filter(|gateway| {
        gateway.kind == GatewayKind::Nat
            && gateway.state.as_deref() == Some("available")
            && !used.contains(gateway.id.as_str())
    });
    idle.map(|gateway| {
        let made_for = gateway.predecessor().filter(|_| gateway.is_made_again());
        let (severity, history) = match made_for {
            Some(old) => (
                Severity::Medium,
                format!(", which Snapback made in the place of {old}"),
            ),
            None => (Severity::Low, String::new()),
        };
        let addresses = gateway
            .public_addresses
            .iter()
            .map(|address| format!("public address {address}"));
        Finding::new(
            FindingCode::NatIdle,
            (severity, Harm::None),
            Subject::Gateway(gateway.id.clone()),
            Element::Existence,
            format!(
                "no route leads to the NAT gateway {}{history}: it costs by the hour for nothing",
                gateway.id
            ),
            addresses.collect(),
        )
    })
    .collect()
}

/// FLOWLOG-MISSING: no active log on the VPC, and not on each of its subnets or interfaces either.
fn unwatched(world: &World<'_>) -> Vec<Finding> {
    if !world.has_read(ContextKind::FlowLogs) {
        return Vec::new();
    }
    let topology = world.topology;
    let logs = || topology.flow_logs.values();
    let watched: BTreeSet<&str> = logs()
        .filter(|log| log.active)
        .map(|log| log.resource.as_str())
        .collect();
    let by_interfaces = |subnet: &SubnetId| {
        let mut inside = topology
            .interfaces
            .values()
            .filter(|interface| interface.subnet == *subnet)
            .peekable();
        inside.peek().is_some() && inside.all(|interface| watched.contains(interface.id.as_str()))
    };
    let covered = |vpc: &VpcId| {
        let mut subnets = topology
            .subnets
            .values()
            .filter(|subnet| subnet.vpc == *vpc)
            .peekable();
        watched.contains(vpc.as_str())
            || (subnets.peek().is_some()
                && subnets.all(|subnet| {
                    watched.contains(subnet.id.as_str()) || by_interfaces(&subnet.id)
                }))
    };
    let blind = topology
        .vpcs
        .keys()
        .filter(|vpc| world.is_ours(vpc) && !covered(vpc));
    blind
        .map(|vpc| {
            let inactive = logs()
                .filter(|log| log.resource == vpc.as_str() && !log.active)
                .map(|log| format!("{} is not active", log.id));
            Finding::new(
                FindingCode::FlowLogMissing,
                (Severity::Medium, Harm::None),
                Subject::Vpc(vpc.clone()),
                Element::Existence,
                format!("no active flow log watches all of {vpc}: what passed there cannot be told afterwards"),
                inactive.collect(),
            )
        })
        .collect()
}

/// DX-BGP: advice where a VPN gateway serves a VPC (VPN, Direct Connect).
fn bgp(world: &World<'_>) -> Vec<Finding> {
    let gateways = world
        .topology
        .gateways
        .values()
        .filter(|gateway| gateway.kind == GatewayKind::Vpn && !gateway.vpcs.is_empty())
        .filter(|gateway| {
            gateway
                .state
                .as_deref()
                .is_none_or(|state| state == "available")
        });
    gateways
        .map(|gateway| {
            Finding::new(
                FindingCode::DxBgp,
                (Severity::Info, Harm::None),
                Subject::Gateway(gateway.id.clone()),
                Element::Existence,
                format!(
                    "{} serves a VPN or Direct Connect; the BGP timers are set on the customer's router, no AWS API \
                     tells them (AWS proposes keepalive 30 s, hold 90 s, the lower value of both peers counts)",
                    gateway.id
                ),
                Vec::new(),
            )
        })
        .collect()
}

/// TAG-MISSING of VPCs and NAT gateways. Guarded resources are told with the rest of theirs.
fn untagged(world: &World<'_>, house: &HouseRules) -> Vec<Finding> {
    let topology = world.topology;
    let vpcs = topology
        .vpcs
        .values()
        .filter(|vpc| world.is_ours(&vpc.id))
        .map(|vpc| (Subject::Vpc(vpc.id.clone()), &vpc.tags));
    let nats = topology
        .gateways
        .values()
        .filter(|gateway| gateway.kind == GatewayKind::Nat)
        .map(|gateway| (Subject::Gateway(gateway.id.clone()), &gateway.tags));
    vpcs.chain(nats)
        .flat_map(|(subject, told)| {
            let mut teller = Teller::about(subject);
            tags::audit(&mut teller, told, house);
            teller.findings
        })
        .collect()
}
