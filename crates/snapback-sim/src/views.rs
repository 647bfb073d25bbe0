//! What tests and the demo see of a world.

use crate::account::Account;
use crate::faults::{Family, Fault};
use crate::trail::Hold;
use crate::trail::Written;
use crate::world::World;
use snapback_app::port::{Metric, Scope};
use snapback_engine::incident::{
    AccountRecord, Activity, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// One EC2 call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// When.
    pub at: Timestamp,
    /// The role, user or root ARN.
    pub by: String,
    /// The API.
    pub api: String,
    /// What it was about.
    pub resource: String,
    /// EC2's code, where it failed.
    pub error: Option<String>,
    /// Whether it is a read; those of our flow and those over the wire are logged.
    pub read: bool,
    /// EC2's request id, of writes and of calls over the wire.
    pub request: Option<RequestId>,
}

/// A successful write of ours, with the account before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurWrite {
    /// The API.
    pub api: String,
    /// Before it.
    pub before: Snapshot,
    /// After it.
    pub after: Snapshot,
}

impl World {
    /// The truth, whatever reads may show. Takes no simulated time.
    pub fn snapshot(&self) -> Snapshot {
        self.with(|inner| inner.account.read(&Scope::Everything, inner.now))
    }

    /// One resource, as it truly is.
    pub fn resource(&self, id: &ResourceId) -> Option<Resource> {
        self.snapshot().resources.remove(id)
    }

    /// The current association id of a subnet with its ACL.
    pub fn acl_association(&self, subnet: &SubnetId) -> Option<AssociationId> {
        let subject = AssociationSubject::Subnet(subnet.clone());
        self.snapshot()
            .handles
            .association_id(Kind::NetworkAcl, &subject)
            .cloned()
    }

    /// The current association id of a subnet, gateway or VPC (main) with its route table.
    pub fn table_association(&self, subject: &AssociationSubject) -> Option<AssociationId> {
        self.snapshot()
            .handles
            .association_id(Kind::RouteTable, subject)
            .cloned()
    }

    /// The current id of a rule.
    pub fn rule_id(&self, group: &SecurityGroupId, rule: &RuleKey) -> Option<SecurityGroupRuleId> {
        self.snapshot().handles.rule_id(group, rule).cloned()
    }

    /// Every EC2 call so far: users' writes, our reads and writes.
    pub fn ec2_calls(&self) -> Vec<Logged> {
        self.with(|inner| inner.log.clone())
    }

    /// Our successful writes, in order.
    pub fn our_writes(&self) -> Vec<OurWrite> {
        self.tried()
            .into_iter()
            .filter(Written::took_effect)
            .map(|written| OurWrite {
                before: written.before(),
                after: written.after(),
                api: written.api,
            })
            .collect()
    }

    /// The APIs of our successful writes, in order.
    pub fn our_apis(&self) -> Vec<String> {
        self.with(|inner| {
            let done = inner.trail.iter().filter(|write| write.took_effect());
            done.map(|write| write.api.clone()).collect()
        })
    }

    /// What our successful writes were about.
    pub fn our_subjects(&self) -> BTreeSet<String> {
        self.with(|inner| {
            let ours = inner
                .log
                .iter()
                .filter(|call| !call.read && call.error.is_none() && call.by == crate::GUARD_ROLE);
            ours.map(|call| call.resource.clone()).collect()
        })
    }

    /// How many writes we tried, failed ones included.
    pub fn our_write_attempts(&self) -> usize {
        self.with(|inner| {
            inner
                .log
                .iter()
                .filter(|call| !call.read && call.by == crate::GUARD_ROLE)
                .count()
        })
    }

    /// Takes the journal entries that were committed since the last time, in commit order.
    pub fn journal_stream(&self) -> Vec<Entry> {
        self.with(|inner| inner.store.drain())
    }

    /// The whole journal in commit order.
    pub fn journal(&self) -> Vec<Entry> {
        self.with(|inner| inner.store.stream.clone())
    }

    /// The stored baselines.
    pub fn stored_baselines(&self) -> BTreeMap<ResourceId, Baseline> {
        self.with(|inner| inner.store.baselines.clone())
    }

    /// The topology of the capture.
    pub fn stored_topology(&self) -> Option<Topology> {
        self.with(|inner| inner.store.topology.clone())
    }

    /// The topology as the last sweep saw it.
    pub fn stored_seen(&self) -> Option<Topology> {
        self.with(|inner| inner.store.seen.clone())
    }

    /// The stored records.
    pub fn stored_records(&self) -> BTreeMap<ResourceId, ResourceRecord> {
        self.with(|inner| inner.store.records.clone())
    }

    /// The lease of a VPC.
    pub fn stored_lease(&self, vpc: &VpcId) -> Lease {
        self.with(|inner| inner.store.lease(&LeaseScope::Vpc(vpc.clone())))
    }

    /// What is kept of each author.
    pub fn stored_activities(&self) -> BTreeMap<String, Activity> {
        self.with(|inner| inner.store.activities.clone())
    }

    /// What waited for its author to be quiet, and how long.
    pub fn holds(&self) -> Vec<Hold> {
        self.with(|inner| inner.holds.clone())
    }

    /// What is counted for the account.
    pub fn stored_account(&self) -> AccountRecord {
        self.with(|inner| inner.store.account.clone())
    }

    /// Messages in the dead-letter queue, with their reasons.
    pub fn buried(&self) -> Vec<(String, String)> {
        self.with(|inner| inner.buried.clone())
    }

    /// What was measured, in order.
    pub fn measured(&self) -> Vec<(Metric, f64)> {
        self.with(|inner| inner.measured.clone())
    }

    /// How often each fault struck, by name.
    pub fn struck(&self) -> BTreeMap<String, u64> {
        self.with(|inner| {
            let struck = inner.faults.struck.iter();
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for ((family, fault), count) in struck {
                let family = match family {
                    Family::Ec2 => "ec2",
                    Family::Store => "store and queues",
                    Family::Channel => "channels",
                };
                let fault = match fault {
                    Fault::Throttled => "throttled",
                    Fault::Denied => "denied",
                    Fault::ServerError => "server error",
                    Fault::Refused(_) => "refused",
                    Fault::LostResponse => "answer lost",
                    Fault::LostRequest => "request lost",
                };
                let counted = counts.entry(format!("{family}: {fault}")).or_default();
                *counted = counted.saturating_add(*count);
            }
            let troubled = inner.delivery.troubled;
            counts.insert("events: lost".into(), troubled.lost);
            counts.insert("events: doubled".into(), troubled.doubled);
            counts.insert("events: late".into(), troubled.late);
            counts.insert("ec2: stale read".into(), inner.stale_reads);
            counts.retain(|_, count| *count > 0);
            counts
        })
    }

    /// The sum of a metric.
    pub fn total(&self, metric: Metric) -> f64 {
        self.with(|inner| {
            inner
                .measured
                .iter()
                .filter(|(name, _)| *name == metric)
                .map(|(_, value)| value)
                .sum()
        })
    }

    /// What EC2 always keeps true, checked: each subnet in one ACL, each VPC with one main table and
    /// one default ACL, no subnet in two tables. Empty unless the simulator itself is wrong.
    pub fn inconsistencies(&self) -> Vec<String> {
        self.with(|inner| inconsistencies(&inner.account))
    }
}

fn inconsistencies(account: &Account) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |what: String, count: usize, at_least: usize| {
        if count > 1 || count < at_least {
            found.push(format!("{what}: {count}"));
        }
    };
    for subnet in account.topology.subnets.keys() {
        let acls = account
            .acls
            .values()
            .flat_map(|acl| acl.associations.values())
            .filter(|id| *id == subnet)
            .count();
        expect(format!("ACLs of {subnet}"), acls, 1);
        let subject = AssociationSubject::Subnet(subnet.clone());
        let tables = account
            .tables
            .values()
            .flat_map(|table| table.associations.values())
            .filter(|id| **id == subject)
            .count();
        expect(format!("explicit tables of {subnet}"), tables, 0);
    }
    for vpc in account.topology.vpcs.keys() {
        let mains = account
            .tables
            .values()
            .filter(|table| table.vpc == *vpc && table.is_main())
            .count();
        expect(format!("main tables of {vpc}"), mains, 1);
        let defaults = account
            .acls
            .values()
            .filter(|acl| acl.vpc == *vpc && acl.is_default)
            .count();
        expect(format!("default ACLs of {vpc}"), defaults, 1);
    }
    found
}
