//! What is written down: the record and the lease with each entry, the count of reverts with the first call.

use super::{Execution, GuardError};
use crate::ledger;
use crate::patience::{backoff, later};
use crate::port::StoreError;
use crate::rights::GuardPorts;
use snapback_engine::brake::{self, Permit, Recent, Stop};
use snapback_engine::incident::{AccountRecord, Body, Commit, Entry, Lease, ResourceRecord};

/// How often the account's count is read again because other guards counted meanwhile.
const COUNTS_MAX: u32 = 32;
/// Waits for other guards' counts grow up to this doubling.
const COUNTS_BACKOFF_MAX: u32 = 3;

/// What is written together.
pub(super) struct Draft {
    pub record: ResourceRecord,
    pub lease: Lease,
    /// Where the first call of the story begins with it, or the account's brake is put on.
    pub account: Option<AccountRecord>,
    pub entries: Vec<Entry>,
}

impl Draft {
    /// The lease is given back, and the story's record with it.
    pub fn released(mut self, record: ResourceRecord) -> Self {
        let (of_record, of_lease) = (self.record.version, self.lease.version);
        self.record = record;
        self.lease = self.lease.released();
        // Taken, written and given back at once: one write, so one version.
        self.record.version = of_record;
        self.lease.version = of_lease;
        self
    }
}

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// Drafts the next entries with the record and the lease that go with them.
    pub(super) fn draft(&self, bodies: Vec<Body>) -> Draft {
        let now = self.visit.now();
        let until = later(now, self.limits().lease);
        let (mut record, lease) = if self.claimed {
            let mut record = self.record.clone();
            record.version = self.record.version.saturating_add(1);
            record.lease_until = Some(until);
            (record, self.lease.renewed(until))
        } else {
            let holder = &self.visit.holder;
            (
                self.record.claimed(holder, until),
                self.lease.claimed(holder, until),
            )
        };
        let mut sequence = self.next_sequence;
        let mut entries = Vec::with_capacity(bodies.len());
        let mut begun = self.story.begun;
        let mut account = None;
        for mut body in bodies {
            if let Body::StepStarted { fencing, .. } = &mut body {
                *fencing = lease.fencing;
                record.last_write = Some(now);
                // What a person asked for is no revert of ours: it uses up no budget.
                if !std::mem::replace(&mut begun, true) && self.story.errand.is_none() {
                    record.count_revert(now);
                    account = Some(self.account.counted(&self.story.resource, now));
                }
            }
            record.last_sequence = sequence;
            entries.push(Entry {
                incident: self.story.incident.clone(),
                sequence,
                at: now,
                body,
            });
            sequence = sequence.saturating_add(1);
        }
        Draft {
            record,
            lease,
            account,
            entries,
        }
    }

    /// Writes entries and renews the lease with them.
    pub(super) async fn write(&mut self, bodies: Vec<Body>) -> Result<(), GuardError> {
        let draft = self.draft(bodies);
        self.put(draft).await
    }

    /// Writes a draft.
    pub(super) async fn put(&mut self, draft: Draft) -> Result<(), GuardError> {
        let pace = self.visit.pace();
        let written = ledger::commit(&pace, &self.visit.guard.ports, &draft.commit()).await;
        self.written(written, draft)
    }

    /// Takes over what was written.
    pub(super) fn written(
        &mut self,
        result: Result<(), StoreError>,
        draft: Draft,
    ) -> Result<(), GuardError> {
        match result {
            Ok(()) => {
                self.claimed = true;
                self.record = draft.record;
                self.lease = draft.lease;
                self.account = draft.account.unwrap_or_else(|| self.account.clone());
                for entry in &draft.entries {
                    self.visit.tell_listener(entry);
                    self.story.absorb(entry);
                    self.next_sequence = entry.sequence.saturating_add(1);
                }
                Ok(())
            }
            Err(StoreError::Conflict { .. }) if self.claimed => Err(GuardError::LeaseLost {
                resource: self.story.resource.clone(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what begins a call. Where other guards counted a revert meanwhile, the count is read
    /// and asked again: `Some` where the budget is used up now, and nothing was written.
    pub(super) async fn begin(&mut self, bodies: &[Body]) -> Result<Option<Stop>, GuardError> {
        for attempt in 0..COUNTS_MAX {
            let draft = self.draft(bodies.to_vec());
            let counts = draft.account.is_some();
            let lost = match self.put(draft).await {
                Ok(()) => return Ok(None),
                Err(error) if counts && error.is_race() => error,
                Err(error) => return Err(error),
            };
            let now = self.visit.rights(&self.lease.scope).await?;
            let is_ours = now.lease.version == self.lease.version;
            let counted = now.account.version != self.account.version;
            // A store that carries two of them out at once may refuse both: then nothing has moved.
            if !is_ours || !(counted || self.claimed) {
                return Err(lost);
            }
            self.account = now.account;
            if let Permit::Stop(stop) = self.permit() {
                return Ok(Some(stop));
            }
            let pause = backoff(
                self.limits(),
                attempt.min(COUNTS_BACKOFF_MAX),
                &self.visit.holder,
            );
            self.visit.guard.ports.sleep(pause).await;
            if self.visit.time_left() < self.limits().reserve {
                break;
            }
        }
        Err(GuardError::Contended {
            what: "the account's count of reverts".into(),
        })
    }

    /// Whether this revert may begin; one that began goes on to its end.
    pub(super) fn permit(&self) -> Permit {
        if self.story.begun || self.story.errand.is_some() {
            return Permit::Go;
        }
        if let Some(brake) = &self.account.brake {
            return Permit::Stop(brake.stop);
        }
        let recent = Recent {
            of_resource: &self.record.reverts,
            of_account: &self.account.reverts,
        };
        let budgets = &self.visit.guard.policy.budgets;
        brake::permit(budgets, recent, &self.story.resource, self.visit.now())
    }

    /// Renews the lease when half of it is used up, or a call would outlast it.
    pub(super) async fn renew(&mut self) -> Result<(), GuardError> {
        let (lease, call) = (self.limits().lease, self.limits().call);
        if self.claimed && !self.lease.covers(self.visit.now(), call.max(lease / 2)) {
            self.write(Vec::new()).await?;
        }
        Ok(())
    }

    /// Whether a call that begins now ends while the lease is ours.
    pub(super) fn is_covered(&self) -> bool {
        self.lease.covers(self.visit.now(), self.limits().call)
    }
}

impl Draft {
    pub(super) fn commit(&self) -> Commit<'_> {
        Commit {
            lease: Some(&self.lease),
            account: self.account.as_ref(),
            ..Commit::of(&self.record, &self.entries)
        }
    }
}
