//! A person takes a brake off: written down first, then what waited is looked at.

use super::{Ended, Ending, GuardError, Handled, Matter, Visit};
use crate::ledger;
use crate::patience::CONFLICTS_MAX;
use crate::port::{Braked, StoreError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::change::Touched;
use snapback_engine::finding::Severity;
use snapback_engine::incident::{Cause, Commit, Entry, Notice, Outcome, once};
use snapback_model::ResourceId;
use std::collections::BTreeSet;

impl<P: GuardPorts> Visit<'_, P> {
    pub(super) async fn release(
        &self,
        what: &Braked,
        by: &str,
        why: &str,
    ) -> Result<Handled, GuardError> {
        let (mut ended, waiting) = match what {
            Braked::Account => self.release_account(by, why).await?,
            Braked::Resource(resource) => self.release_resource(resource, by, why).await?,
        };
        let matter = Matter {
            cause: Cause::Asked(format!("{by} released the brake: {why}")),
            change: None,
            trusted: false,
            settled: true,
        };
        let touched: BTreeSet<Touched> = waiting.into_iter().map(Touched::Resource).collect();
        if !touched.is_empty() {
            match self.follow(&touched, &matter).await? {
                Handled::Judged(more) => ended.extend(more),
                other @ (Handled::Ignored(_) | Handled::Malformed(_)) => return Ok(other),
            }
        }
        if *what == Braked::Account {
            self.forget_waiting(&touched).await?;
        }
        Ok(Handled::Judged(ended))
    }

    async fn release_account(
        &self,
        by: &str,
        why: &str,
    ) -> Result<(Vec<Ended>, BTreeSet<ResourceId>), GuardError> {
        for _ in 0..CONFLICTS_MAX {
            let account = self.account().await?;
            let Some(brake) = &account.brake else {
                return Ok((Vec::new(), account.waiting));
            };
            let released = account.released();
            let entry = self.released(
                &(brake, account.version),
                "the account's brake".into(),
                None,
                format!("{by} released the brake of {}: {why}", brake.incident),
            );
            let entries = [entry];
            let commit = Commit {
                account: Some(&released),
                ..Commit::entries(&entries)
            };
            match ledger::commit(&self.pace(), &self.guard.ports, &commit).await {
                Ok(()) => return Ok((vec![ended(&entries, None)], released.waiting)),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GuardError::Contended {
            what: "the account's brake".into(),
        })
    }

    async fn release_resource(
        &self,
        resource: &ResourceId,
        by: &str,
        why: &str,
    ) -> Result<(Vec<Ended>, BTreeSet<ResourceId>), GuardError> {
        let heir = self.heir(resource).await?;
        let waiting = BTreeSet::from([resource.clone(), heir.clone()]);
        let mut all = Vec::new();
        for one in &waiting {
            all.extend(self.release_one(one, by, why).await?);
        }
        Ok((all, BTreeSet::from([heir])))
    }

    /// What stands in the place of a resource now: people may name it by the id that they were told.
    async fn heir(&self, resource: &ResourceId) -> Result<ResourceId, GuardError> {
        let wanted = Wanted {
            everything: true,
            only_states: true,
            ..Wanted::default()
        };
        let known = self.baselines(&wanted).await?.unwrap_or_default();
        Ok(known.lineage().current_resource(resource))
    }

    async fn release_one(
        &self,
        resource: &ResourceId,
        by: &str,
        why: &str,
    ) -> Result<Vec<Ended>, GuardError> {
        for _ in 0..CONFLICTS_MAX {
            let record = self.record(resource).await?;
            if record.brake.is_none() && record.fight.is_none() {
                return Ok(Vec::new());
            }
            let entry = self.released(
                &(resource, record.version),
                format!("the brake of {resource}"),
                Some(resource),
                format!("{by} released {resource}: {why}"),
            );
            let (released, entries) = (record.unbraked(), [entry]);
            let commit = Commit::of(&released, &entries);
            match ledger::commit(&self.pace(), &self.guard.ports, &commit).await {
                Ok(()) => return Ok(vec![ended(&entries, Some(resource))]),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GuardError::Contended {
            what: format!("the record of {resource}"),
        })
    }

    fn released(
        &self,
        matter: &impl serde::Serialize,
        label: String,
        resource: Option<&ResourceId>,
        words: String,
    ) -> Entry {
        let notice = Notice {
            severity: Severity::Info,
            resource: resource.cloned(),
            problems: vec![words],
            ..self.notice(Outcome::Released, label)
        };
        notice.entry(once(Outcome::Released, matter), self.now())
    }

    /// What waited for the account's brake was looked at; a brake put on meanwhile keeps its own.
    async fn forget_waiting(&self, seen: &BTreeSet<Touched>) -> Result<(), GuardError> {
        for _ in 0..CONFLICTS_MAX {
            let account = self.account().await?;
            let mut next = account.clone();
            next.version = account.version.saturating_add(1);
            next.waiting
                .retain(|resource| !seen.contains(&Touched::Resource(resource.clone())));
            if account.brake.is_some() || next.waiting == account.waiting {
                return Ok(());
            }
            let commit = Commit {
                account: Some(&next),
                ..Commit::default()
            };
            match ledger::commit(&self.pace(), &self.guard.ports, &commit).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn ended(entries: &[Entry], resource: Option<&ResourceId>) -> Ended {
    Ended {
        resource: resource.cloned(),
        incident: entries.first().map(|entry| entry.incident.clone()),
        ending: Ending::Closed(Outcome::Released),
    }
}
