//! What was deleted comes back with everything on it, once, and everything that knew it follows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod nat;
mod newborn;
mod troubles;
mod twice;
mod whole;

use snapback_engine::policy::Policy;
use snapback_model::*;
use snapback_sim::{Call, successors};
use snapback_tests::*;

/// What is deleted, one resource of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Group,
    Acl,
    Table,
}

const DEEDS: [Deed; 3] = [Deed::Group, Deed::Acl, Deed::Table];

/// One deletion, and the account before it.
struct Loss {
    victim: ResourceId,
    before: State,
}

impl Loss {
    /// Captures the account; the group that may be lost is one that nothing carries.
    async fn captured(setting: &mut Setting, deed: Deed, group: &SecurityGroupId) -> Self {
        setting.capture().await.unwrap();
        let victim = match deed {
            Deed::Group => group.clone().into(),
            Deed::Acl => setting.layout.db_acl.clone().into(),
            Deed::Table => setting.layout.private_table.clone().into(),
        };
        Self {
            victim,
            before: setting.live(),
        }
    }

    /// A stranger deletes it.
    fn happens(&self, setting: &Setting) {
        setting.does_all(&stranger(), deletion(setting, &self.victim));
    }

    /// The one thing that was made again.
    fn successor(&self, setting: &Setting, case: &str) -> ResourceId {
        let made = successors(&setting.live());
        let [(old, new)] = made.as_slice() else {
            panic!("{case}: made once: {made:?}\n{}", setting.told());
        };
        assert_eq!(old, self.victim.as_str(), "{case}");
        new.clone()
    }

    /// Live is as before under new ids, once; baselines say so; no story is open; nobody is accused.
    fn is_made_good(&self, setting: &Setting, case: &str) -> ResourceId {
        let new = self.successor(setting, case);
        setting.is_as_by_old_ids(&self.before, case);
        assert_eq!(setting.baselines().state(&self.victim), None, "{case}");
        setting.baselines_fit(case);
        setting.nothing_open(case);
        setting.accused_nobody(case);
        new
    }
}

/// The calls that delete a resource: what hangs on it goes first, as EC2 asks for.
fn deletion(setting: &Setting, victim: &ResourceId) -> Vec<Call> {
    let layout = &setting.layout;
    let mut calls = Vec::new();
    match victim {
        ResourceId::SecurityGroup(group) => {
            calls.extend(revoke_references(setting, group));
            calls.push(delete_group(group));
        }
        ResourceId::NetworkAcl(acl) => {
            for subnet in [&layout.db_a, &layout.db_b] {
                calls.push(move_to_acl(setting, subnet, &layout.default_acl));
            }
            calls.push(Call::DeleteNetworkAcl { acl: acl.clone() });
        }
        ResourceId::RouteTable(table) => {
            for (index, subnet) in setting.table(table).subnets.iter().enumerate() {
                calls.push(match index {
                    0 => move_to_table(setting, subnet, &layout.public_table),
                    _ => disassociate(setting, subnet),
                });
            }
            let table = table.clone();
            calls.push(Call::DeleteRouteTable { table });
        }
    }
    calls
}

/// The rules of other groups that name a group go.
fn revoke_references(setting: &Setting, named: &SecurityGroupId) -> Vec<Call> {
    let mut calls = Vec::new();
    for resource in setting.live().into_values() {
        let Resource::SecurityGroup(group) = resource else {
            continue;
        };
        let rules = group.rules.into_keys();
        let name = |rule: &RuleKey| rule.to_string().contains(named.as_str());
        if group.id != *named {
            calls.extend(
                rules
                    .filter(name)
                    .map(|rule| Call::revoke(&group.id, [rule])),
            );
        }
    }
    calls
}

/// A group with everything that can be on one: tags, described rules, no rule that EC2 made.
fn make(setting: &Setting, name: &str, rules: &[&str]) -> SecurityGroupId {
    let tags = Tags::from([("Owner".to_owned(), name.to_owned())]);
    let call = create_tagged_group(setting, name, tags);
    let group = SecurityGroupId::new(setting.made(&deployment(), call));
    for text in rules {
        let described = (rule(text), Some(format!("for {name}")));
        setting.does(&deployment(), Call::authorize(&group, [described]));
    }
    let born = ["egress all 0.0.0.0/0", "egress all ::/0"].map(rule);
    setting.does(&deployment(), Call::revoke(&group, born));
    group
}

/// An account with a group that nothing carries, and one whose rules refer to it.
async fn account(deed: Deed, seed: u64, policy: Policy) -> (Setting, Loss) {
    let mut setting = Setting::new(seed, policy);
    let rules = ["ingress tcp:8443 10.0.0.0/16", "egress tcp:443 0.0.0.0/0"];
    let batch = make(&setting, "batch", &rules);
    make(&setting, "reader", &[&format!("ingress tcp:5432 {batch}")]);
    let loss = Loss::captured(&mut setting, deed, &batch).await;
    (setting, loss)
}
