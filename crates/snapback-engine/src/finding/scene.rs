//! What one assessment sees, and the findings it has told so far.

use super::world::World;
use super::{Finding, FindingCode, Harm, Severity, Subject};
use crate::diff::{Difference, ResourceDiff};
use snapback_model::*;
use std::collections::BTreeSet;

/// Findings about one thing.
pub(super) struct Teller {
    subject: Subject,
    pub(super) findings: Vec<Finding>,
}

impl Teller {
    pub(super) fn about(subject: Subject) -> Self {
        Self {
            subject,
            findings: Vec::new(),
        }
    }

    pub(super) fn tell(
        &mut self,
        code: FindingCode,
        weight: (Severity, Harm),
        element: Element,
        meaning: String,
        evidence: Vec<String>,
    ) {
        let subject = self.subject.clone();
        let finding = Finding::new(code, weight, subject, element, meaning, evidence);
        self.findings.push(finding);
    }
}

/// One assessment: its inputs and its findings.
pub(super) struct Scene<'a> {
    pub(super) baselines: &'a Baselines,
    pub(super) live: &'a Snapshot,
    pub(super) diff: &'a ResourceDiff,
    /// Prefix lists as far as they are known, one version for both sides: an edit of a list is no
    /// difference of the resources that name it.
    pub(super) lists: Topology,
    pub(super) teller: Teller,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        baselines: &'a Baselines,
        live: &'a Snapshot,
        diff: &'a ResourceDiff,
    ) -> Self {
        let lists = Topology {
            prefix_lists: baselines.context().prefix_lists.clone(),
            ..Topology::default()
        };
        let lists = lists.with_lists_of(&live.topology);
        Self {
            baselines,
            live,
            diff,
            lists,
            teller: Teller::about(diff.resource.clone().into()),
        }
    }

    pub(super) fn tell(
        &mut self,
        code: FindingCode,
        weight: (Severity, Harm),
        element: Element,
        meaning: String,
        evidence: Vec<String>,
    ) {
        self.teller.tell(code, weight, element, meaning, evidence);
    }

    /// What should be and what is, in the same surroundings.
    pub(super) fn sides(&self) -> (World<'_>, World<'_>) {
        World::sides(self.baselines, self.live, &self.lists)
    }

    /// [`Self::sides`], and what is but for the resource of the difference.
    pub(super) fn sides_and_rest(&self) -> (World<'_>, World<'_>, World<'_>) {
        let one = Some(&self.diff.resource);
        World::sides_and_rest(self.baselines, self.live, &self.lists, one)
    }

    /// The good state of a table.
    pub(super) fn good_table(&self, id: &ResourceId) -> Option<&'a RouteTable> {
        as_table(self.baselines.state(id)?)
    }

    /// The table as it is now.
    pub(super) fn live_table(&self, id: &ResourceId) -> Option<&'a RouteTable> {
        as_table(self.live.resources.get(id)?)
    }

    /// The main table of a VPC as the baselines have it.
    pub(super) fn good_main(&self, vpc: &VpcId) -> Option<&'a RouteTable> {
        let states = self
            .baselines
            .by_id
            .values()
            .filter_map(|baseline| baseline.state.as_ref());
        states
            .filter_map(as_table)
            .find(|table| table.main && table.vpc == *vpc)
    }

    /// The main table of a VPC now.
    pub(super) fn live_main(&self, vpc: &VpcId) -> Option<&'a RouteTable> {
        self.live_table(&ResourceId::from(self.live.main_table_of(vpc)?.clone()))
    }

    /// The subnets of a VPC that are known, then or now.
    pub(super) fn subnets_of(&self, vpc: &VpcId) -> BTreeSet<&'a SubnetId> {
        let (then, now) = (
            &self.baselines.topology.subnets,
            &self.live.topology.subnets,
        );
        then.values()
            .chain(self.baselines.context().subnets.values())
            .chain(now.values())
            .filter(|subnet| subnet.vpc == *vpc)
            .map(|subnet| &subnet.id)
            .collect()
    }

    /// Whether the subnet is new: subnets were known at capture, and it was not among them.
    pub(super) fn is_new_subnet(&self, subnet: &SubnetId) -> bool {
        let then = &self.baselines.topology.subnets;
        !then.is_empty() && !then.contains_key(subnet)
    }

    /// The differences that are about the elements of the resource itself.
    pub(super) fn differences(&self) -> &'a [Difference] {
        &self.diff.differences
    }
}

pub(super) fn as_table(resource: &Resource) -> Option<&RouteTable> {
    match resource {
        Resource::RouteTable(table) => Some(table),
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
    }
}

pub(super) fn as_acl(resource: &Resource) -> Option<&NetworkAcl> {
    match resource {
        Resource::NetworkAcl(acl) => Some(acl),
        Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
    }
}
