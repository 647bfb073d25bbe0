//! Changes of what surrounds the guarded resources: told once for each event, and the tables that
//! lead to it are looked at.

use super::{Ended, Focus, GuardError, Matter, Spot, Visit};
use crate::port::Wanted;
use crate::rights::GuardPorts;
use snapback_engine::change::Change;
use snapback_engine::finding::{self, Severity};
use snapback_engine::incident::{Notice, Outcome};
use snapback_model::*;

impl<P: GuardPorts> Visit<'_, P> {
    pub(super) async fn context(
        &self,
        context: &[(String, String)],
        matter: &Matter,
    ) -> Result<(Vec<Ended>, Vec<(Spot, Focus)>), GuardError> {
        self.doubt(context.iter().map(|(_, id)| id.clone()));
        let wanted = Wanted {
            everything: true,
            ..Wanted::default()
        };
        let Some(baselines) = self.baselines(&wanted).await? else {
            return Ok((vec![self.uncaptured().await?], Vec::new()));
        };
        // Who leans on what stands in the place of one that is gone leant on that. Where the baselines have
        // not followed yet, they lean on what it stands in the place of.
        let mut lineage = baselines.topology.lineage();
        lineage.extend(&baselines.context().lineage());
        let told: Vec<&str> = context.iter().map(|(_, id)| id.as_str()).collect();
        let is_told = |id: &&str| told.contains(id);
        let before = lineage.iter().map(|(old, _)| old);
        let before = before.filter(|old| lineage.heirs(old).any(|heir| is_told(&heir)));
        let after = told.iter().flat_map(|id| lineage.heirs(id));
        let ids: Vec<&str> = told.iter().copied().chain(before).chain(after).collect();
        let affected: Vec<&Baseline> = baselines
            .by_id
            .values()
            .filter(|baseline| {
                let mut ids = ids.iter();
                ids.any(|id| leans_on(baseline, id, baselines.context()))
            })
            .collect();
        // One that no read showed yet may be what a story made for a table that still leads to another.
        let change = matter.change.as_deref();
        let deletes = change.is_some_and(Change::deletes_nat_gateway);
        let known = &baselines.context().gateways;
        let is_new = deletes && told.iter().any(|id| !known.contains_key(*id));
        let tables = baselines.by_id.values();
        let perhaps = tables.filter(|one| is_new && leads_to_nat(one));
        let spots = affected
            .iter()
            .copied()
            .chain(perhaps)
            .filter(|baseline| baseline.id.kind() == Kind::RouteTable)
            .map(|baseline| {
                (
                    Spot::of(&baseline.id, baseline.vpc.as_ref()),
                    Focus::on(baseline.id.clone()),
                )
            })
            .collect();
        if matter.trusted {
            return Ok((Vec::new(), spots));
        }
        let evidence: Vec<String> = context
            .iter()
            .flat_map(|(_, id)| finding::dependents(&baselines, id))
            .collect();
        let ended = self
            .tell_of_context(context, (&affected, evidence), matter)
            .await?;
        Ok((vec![ended], spots))
    }

    async fn tell_of_context(
        &self,
        context: &[(String, String)],
        (affected, evidence): (&[&Baseline], Vec<String>),
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        let what: Vec<String> = context
            .iter()
            .map(|(what, id)| format!("{} {id}", what.replace('-', " ")))
            .collect();
        let api = matter
            .change
            .as_ref()
            .map_or("a call", |change| change.api.as_str());
        let mut problems = vec![format!("{api} changed {}", what.join(", "))];
        problems.extend(affected.iter().map(|baseline| {
            let label = baseline
                .state
                .as_ref()
                .map_or_else(|| baseline.id.to_string(), Resource::label);
            format!("{} {label} depends on it", baseline.id.kind())
        }));
        problems.extend(evidence);
        let notice = Notice {
            severity: if affected.is_empty() {
                Severity::Low
            } else {
                Severity::High
            },
            resource: affected.first().map(|baseline| baseline.id.clone()),
            problems,
            ..self.about(Outcome::Context, what.join(", "), matter)
        };
        self.tell(&matter.cause, notice).await
    }
}

/// Whether a good route of a table leads to a NAT gateway.
fn leads_to_nat(baseline: &Baseline) -> bool {
    match &baseline.state {
        Some(Resource::RouteTable(table)) => {
            let mut routes = table.routes.values();
            routes.any(|route| matches!(route.target, RouteTarget::NatGateway(_)))
        }
        Some(Resource::SecurityGroup(_) | Resource::NetworkAcl(_)) | None => false,
    }
}

/// Whether the good state of a resource depends on a gateway, interface, endpoint or prefix list.
fn leans_on(baseline: &Baseline, id: &str, topology: &Topology) -> bool {
    match &baseline.state {
        Some(Resource::RouteTable(table)) => {
            table.routes.iter().any(|(destination, route)| {
                route.target.id() == id
                    || matches!(destination, Destination::PrefixList(list) if list.as_str() == id)
            }) || table
                .gateways
                .iter()
                .chain(&table.propagating)
                .any(|gateway| gateway.as_str() == id)
        }
        Some(Resource::SecurityGroup(group)) => {
            let listed = group
                .rules
                .keys()
                .any(|rule| matches!(&rule.peer, Peer::PrefixList(list) if list.as_str() == id));
            let carried = topology
                .interfaces
                .get(&NetworkInterfaceId::new(id))
                .is_some_and(|interface| interface.groups.contains(&group.id));
            listed || carried
        }
        Some(Resource::NetworkAcl(_)) | None => false,
    }
}
