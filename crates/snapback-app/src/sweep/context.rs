//! What the difference of no guarded resource tells (gateways, prefix lists, memberships, flow logs,
//! block public access): told without a plan, once until it changes.

use super::{Everything, Run, Sweep, SweepError};
use crate::ledger;
use crate::port::StoreError;
use crate::rights::SweepPorts;
use snapback_engine::finding::{self, Finding, FindingCode, Severity, Subject};
use snapback_engine::incident::{Cause, Notice, Outcome};
use snapback_model::{INCIDENT, IncidentId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What stands is told again after this many days: the same change may have been undone and made anew.
const AGAIN_AFTER_DAYS: i64 = 7;

impl<P: SweepPorts> Run<'_, P> {
    /// Stores the context just read as the newest seen, where it is not as known already. The
    /// captured one stays what the next sweep compares with.
    pub(super) async fn seen(&self, all: &Everything) -> Result<(), SweepError> {
        let known = all.baselines.context();
        let mut seen = known.clone();
        seen.merge(all.live.topology.clone());
        if seen == *known {
            return Ok(());
        }
        let pace = self.pace();
        match pace.retried(|| self.ports.put_seen(&seen)).await {
            // Another sweep or a capture was quicker, and is as new.
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells what is new around the guarded resources, one notice a subject. A sweep that finds the
    /// same findings again stays silent, for a week.
    pub(super) async fn context(
        &self,
        all: &Everything,
        sweep: &mut Sweep,
    ) -> Result<(), SweepError> {
        let pace = self.pace();
        let open = pace.retried(|| self.ports.unfinished()).await?;
        let open: BTreeSet<IncidentId> = open.into_iter().filter_map(|one| one.open).collect();
        let mut by_subject: BTreeMap<Subject, Vec<Finding>> = BTreeMap::new();
        for finding in finding::context(&all.baselines, &all.live) {
            let guarded = self.terms.policy.guards(vpc_of(&finding.subject, all));
            // What costs or is untidy is for an audit, not for an alert.
            if guarded && finding.severity > Severity::Low && !is_in_work(&finding, all, &open) {
                let told = by_subject.entry(finding.subject.clone()).or_default();
                told.push(finding);
            }
        }
        for (subject, findings) in by_subject {
            let matter = ("context", &findings, week(self.began));
            let notice = self.context_notice(&subject, &findings);
            ledger::notice(&self.pace(), self.ports, &matter, notice).await?;
            sweep.context.insert(subject);
        }
        Ok(())
    }

    fn context_notice(&self, subject: &Subject, findings: &[Finding]) -> Notice {
        let own = &self.terms.own;
        let worst = findings.iter().map(|finding| finding.severity).max();
        let line = |finding: &Finding| format!("{}: {}", finding.code, finding.meaning);
        let mut next: Vec<String> = findings
            .iter()
            .map(|finding| finding.advice.clone())
            .collect();
        next.dedup();
        next.push("If it was meant, run `snapback capture`: what surrounds the resources is then the good state.".into());
        Notice {
            outcome: Outcome::Context,
            severity: worst.unwrap_or(Severity::Low),
            mode: self.terms.policy.mode,
            cause: Cause::Missed,
            change: None,
            resource: subject.resource().cloned(),
            label: subject.to_string(),
            findings: findings.to_vec(),
            problems: findings.iter().map(line).collect(),
            steps: Vec::new(),
            next,
            account: own.account.clone(),
            region: own.region.clone(),
            arrived_at: self.began,
        }
    }
}

/// Whether a finding is about a gateway whose routes the story that made it is about to set.
fn is_in_work(finding: &Finding, all: &Everything, open: &BTreeSet<IncidentId>) -> bool {
    let Subject::Gateway(id) = &finding.subject else {
        return false;
    };
    let gateway = all.live.topology.gateways.get(id);
    let maker = gateway.and_then(|gateway| gateway.tags.get(INCIDENT));
    finding.code == FindingCode::NatIdle
        && maker.is_some_and(|id| open.contains(&IncidentId::new(id)))
}

/// The VPC of a subject, where it has one; what has none concerns every VPC.
fn vpc_of<'a>(subject: &Subject, all: &'a Everything) -> Option<&'a snapback_model::VpcId> {
    let topologies = [&all.live.topology, &all.baselines.topology];
    match subject {
        Subject::Resource(id) => all
            .live
            .resources
            .get(id)
            .and_then(snapback_model::Resource::vpc),
        Subject::Vpc(id) => topologies
            .into_iter()
            .find_map(|topology| Some(&topology.vpcs.get(id)?.id)),
        Subject::Subnet(id) => topologies
            .into_iter()
            .find_map(|topology| Some(&topology.subnets.get(id)?.vpc)),
        Subject::Interface(id) => topologies
            .into_iter()
            .find_map(|topology| Some(&topology.interfaces.get(id)?.vpc)),
        Subject::Gateway(id) => topologies
            .into_iter()
            .find_map(|topology| topology.gateways.get(id)?.vpcs.first()),
        Subject::PrefixList(_) | Subject::Account(_) => None,
    }
}

/// Which week since 1970 a moment is in.
fn week(at: Timestamp) -> i64 {
    ledger::day(at).div_euclid(AGAIN_AFTER_DAYS)
}
