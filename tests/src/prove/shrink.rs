//! A smaller case that fails in the same way.

use super::judged;
use super::world::Case;
use snapback_model::*;

/// Cases that are tried at most.
const TRIES_MAX: u32 = 4_000;

/// Takes away what is not needed for the failure: resources, rules, entries, routes, subnets, tags.
pub fn shrink(case: &Case) -> Case {
    let Err(failure) = judged(case) else {
        return case.clone();
    };
    let mut best = case.clone();
    let mut tries = 0;
    loop {
        let smaller = candidates(&best).into_iter().find(|candidate| {
            tries += 1;
            tries <= TRIES_MAX && judged(candidate).is_err_and(|other| other.what == failure.what)
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

fn candidates(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut push = |change: &dyn Fn(&mut Case)| {
        let mut candidate = case.clone();
        change(&mut candidate);
        all.push(candidate);
    };
    for id in &case.asked {
        push(&|case| {
            case.asked.remove(id);
        });
    }
    for id in case.live.topology.interfaces.keys() {
        push(&|case| {
            case.live.topology.interfaces.remove(id);
        });
    }
    let ids = case.live.resources.keys().chain(case.good.resources.keys());
    for id in ids {
        let removable = |state: &Snapshot| match state.resources.get(id) {
            Some(Resource::SecurityGroup(_)) => true,
            Some(Resource::NetworkAcl(acl)) => acl.subnets.is_empty(),
            Some(Resource::RouteTable(table)) => {
                table.subnets.is_empty() && table.gateways.is_empty() && !table.main
            }
            None => true,
        };
        if removable(&case.live) && removable(&case.good) {
            push(&|case| {
                case.live.resources.remove(id);
                case.good.resources.remove(id);
                case.asked.remove(id);
            });
        }
        for is_live in [true, false] {
            let state = if is_live { &case.live } else { &case.good };
            let Some(resource) = state.resources.get(id) else {
                continue;
            };
            for part in parts(resource) {
                push(&|case| {
                    let state = if is_live {
                        &mut case.live
                    } else {
                        &mut case.good
                    };
                    if let Some(resource) = state.resources.get_mut(id) {
                        *resource = part.clone();
                    }
                });
            }
        }
    }
    all
}

/// The resource without one of its parts.
fn parts(resource: &Resource) -> Vec<Resource> {
    match resource {
        Resource::SecurityGroup(group) => {
            let without = group.rules.keys().map(|key| {
                let mut smaller = group.clone();
                smaller.rules.remove(key);
                Resource::SecurityGroup(smaller)
            });
            without.collect()
        }
        Resource::NetworkAcl(acl) => {
            let without = acl.entries.keys().map(|key| {
                let mut smaller = acl.clone();
                smaller.entries.remove(key);
                Resource::NetworkAcl(smaller)
            });
            without.collect()
        }
        Resource::RouteTable(table) => {
            let created = table
                .routes
                .iter()
                .filter(|(_, route)| route.origin == RouteOrigin::Created);
            let without = created.map(|(destination, _)| {
                let mut smaller = table.clone();
                smaller.routes.remove(destination);
                Resource::RouteTable(smaller)
            });
            let unbound = table.subnets.iter().map(|subnet| {
                let mut smaller = table.clone();
                smaller.subnets.remove(subnet);
                Resource::RouteTable(smaller)
            });
            without.chain(unbound).collect()
        }
    }
}
