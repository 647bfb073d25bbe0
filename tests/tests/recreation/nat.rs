//! A NAT gateway that is deleted comes back with its addresses, once, and every table leads to it.

mod gateways;
mod troubles;

use snapback_engine::incident::{Outcome, Report};
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use snapback_sim::{Call, GUARD_ROLE, NatPlace, NatRequest, Provide};
use snapback_tests::*;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The stories' policy that makes NAT gateways again.
fn recreating(mode: Mode) -> Policy {
    let mut policy = policy(mode);
    policy.recreate.nat = true;
    policy
}

/// An account with the gateway that it may lose, and the tables that lead to it.
struct Site {
    setting: Setting,
    nat: String,
    tables: Vec<RouteTableId>,
}

/// A new public address.
fn allocate(setting: &Setting) -> String {
    let tags = Tags::new();
    setting.made(
        &deployment(),
        Call::Provide(Provide::AllocateAddress { tags }),
    )
}

/// A public gateway in the second zone with this address.
fn create_public(setting: &Setting, allocation: &str, tags: Tags) -> Call {
    Call::CreateNatGateway(NatRequest {
        place: NatPlace::Subnet(setting.layout.public_b.clone()),
        connectivity: Connectivity::Public,
        allocation: Some(allocation.to_owned()),
        private: None,
        tags,
    })
}

/// Makes a table's default route lead to a gateway.
fn lead(setting: &Setting, table: &RouteTableId, nat: &str) {
    let call = Call::CreateRoute {
        table: table.clone(),
        destination: default_route(),
        target: RouteTarget::NatGateway(nat.to_owned()),
    };
    setting.does(&deployment(), call);
}

/// An account captured with this gateway, to which these tables lead.
async fn captured(mut setting: Setting, nat: String, tables: Vec<RouteTableId>) -> Site {
    setting.capture().await.unwrap();
    Site {
        setting,
        nat,
        tables,
    }
}

/// The realistic account with a second table that leads to its NAT gateway, which has two addresses.
async fn site(seed: u64, policy: Policy) -> Site {
    let setting = Setting::new(seed, policy);
    let layout = setting.layout.clone();
    let secondary = allocate(&setting);
    let call = Call::AssociateNatGatewayAddress {
        gateway: layout.nat_gateway.clone(),
        allocations: vec![secondary],
        private: Vec::new(),
    };
    setting.does(&deployment(), call);
    let vpc = layout.vpc.clone();
    let tags = Tags::new();
    let table = setting.made(&deployment(), Call::CreateRouteTable { vpc, tags });
    let table = RouteTableId::new(table);
    lead(&setting, &table, &layout.nat_gateway);
    let moved = move_to_table(&setting, &layout.private_b, &table);
    setting.does(&deployment(), moved);
    let site = captured(
        setting,
        layout.nat_gateway,
        vec![layout.private_table, table],
    )
    .await;
    assert_eq!(addresses(&old(&site)).len(), 2);
    site
}

/// A stranger deletes it.
fn delete(site: &Site) {
    let gateway = site.nat.clone();
    site.setting
        .does(&stranger(), Call::DeleteNatGateway { gateway });
}

/// Every NAT gateway that EC2 tells, also those that are gone.
fn gateways(setting: &Setting) -> Vec<Gateway> {
    let topology = setting.world.snapshot().topology;
    let nats = topology.gateways.into_values();
    nats.filter(|gateway| gateway.kind == GatewayKind::Nat)
        .collect()
}

/// Those that stand or come up.
fn alive(setting: &Setting) -> Vec<Gateway> {
    let mut all = gateways(setting);
    all.retain(|gateway| matches!(gateway.state.as_deref(), Some("available" | "pending")));
    all
}

/// A table's default route.
fn route(setting: &Setting, table: &RouteTableId) -> Route {
    setting.table(table).routes[&default_route()].clone()
}

/// How often we made a call that succeeded.
fn calls(setting: &Setting, api: &str) -> usize {
    let calls = setting.world.ec2_calls().into_iter();
    calls
        .filter(|call| call.by.contains("Snapback") || call.by == GUARD_ROLE)
        .filter(|call| call.api == api && call.error.is_none())
        .count()
}

/// The addresses of a gateway: what they are allocated as, what packets see, which is the primary one.
fn addresses(gateway: &Gateway) -> BTreeSet<(Option<String>, Option<IpAddr>, bool)> {
    let all = gateway.nat.iter().flat_map(|nat| &nat.addresses);
    all.map(|one| {
        let seen = one.public.or(one.private);
        (one.allocation.clone(), seen, one.primary)
    })
    .collect()
}

/// One gateway stands in the place of the old one, every table leads to it, the baselines name it, and
/// nothing is left open.
fn is_whole(site: &Site, before: &Gateway, what: &str) -> String {
    let setting = &site.setting;
    let all = alive(setting);
    let [new] = all.as_slice() else {
        panic!("{what}: {all:#?}\n{}", setting.told());
    };
    assert_ne!(new.id, site.nat, "{what}");
    assert_eq!(
        addresses(new),
        addresses(before),
        "{what}: {}",
        setting.told()
    );
    assert_eq!(new.subnets, before.subnets, "{what}");
    for table in &site.tables {
        let wanted = Route::created(RouteTarget::NatGateway(new.id.clone()));
        assert_eq!(route(setting, table), wanted, "{what}: {}", setting.told());
        let baseline = &setting.world.stored_baselines()[&table.clone().into()];
        let Some(Resource::RouteTable(good)) = &baseline.state else {
            panic!("{what}");
        };
        assert_eq!(good.routes[&default_route()], wanted, "{what}");
    }
    setting.nothing_open(what);
    new.id.clone()
}

/// The gateway as EC2 still tells it, deleted or not.
fn old(site: &Site) -> Gateway {
    let mut all = gateways(&site.setting);
    all.retain(|gateway| gateway.id == site.nat);
    all.pop().unwrap()
}

/// The allocation of its primary address.
fn primary(site: &Site) -> String {
    let addresses = old(site).nat.unwrap().addresses;
    let mut primary = addresses.into_iter().filter(|one| one.primary);
    primary.find_map(|one| one.allocation).unwrap()
}

/// What the stories of the tables name as problems.
fn problems(site: &Site) -> Vec<String> {
    let reports = about_tables(site).into_iter();
    reports.flat_map(|report| report.problems).collect()
}

/// The stories of the tables that led to it.
fn about_tables(site: &Site) -> Vec<Report> {
    let tables: BTreeSet<ResourceId> = site.tables.iter().cloned().map(Into::into).collect();
    let mut reports = site.setting.reports();
    reports.retain(|report| {
        report.outcome != Outcome::Context
            && report
                .resource
                .as_ref()
                .is_some_and(|id| tables.contains(id))
    });
    reports
}
