//! What people are told that is about no difference: unreadable messages and services, nothing captured.

use super::{Ended, Ending, GuardError, Handled, Matter, Visit};
use crate::ledger;
use crate::port::CallError;
use crate::rights::GuardPorts;
use snapback_engine::change::Change;
use snapback_engine::finding::Severity;
use snapback_engine::incident::{Cause, Notice, Outcome};
use snapback_model::{Digest, ResourceId};

impl<P: GuardPorts> Visit<'_, P> {
    pub(super) fn notice(&self, outcome: Outcome, label: impl Into<String>) -> Notice {
        Notice {
            outcome,
            severity: Severity::High,
            mode: self.guard.policy.mode,
            cause: Cause::Asked("a message in the inbox".into()),
            change: None,
            resource: None,
            label: label.into(),
            findings: Vec::new(),
            problems: Vec::new(),
            steps: Vec::new(),
            next: Vec::new(),
            account: self.guard.own.account.clone(),
            region: self.guard.own.region.clone(),
            arrived_at: self.arrived,
        }
    }

    pub(super) fn about(
        &self,
        outcome: Outcome,
        label: impl Into<String>,
        matter: &Matter,
    ) -> Notice {
        Notice {
            cause: matter.cause.clone(),
            change: matter.change.as_deref().cloned(),
            ..self.notice(outcome, label)
        }
    }

    /// Tells once for each matter.
    pub(super) async fn tell(
        &self,
        matter: &(impl serde::Serialize + Sync),
        notice: Notice,
    ) -> Result<Ended, GuardError> {
        let resource = notice.resource.clone();
        let outcome = notice.outcome;
        let (incident, told) =
            ledger::notice(&self.pace(), &self.guard.ports, matter, notice).await?;
        Ok(Ended {
            resource,
            incident: Some(incident),
            ending: if told {
                Ending::Closed(outcome)
            } else {
                Ending::AlreadyTold
            },
        })
    }

    /// Tells of a message that is no event and no command, and puts it away.
    pub(super) async fn bury(&self, body: &str, reason: String) -> Result<Handled, GuardError> {
        let digest = Digest::of_bytes(body.as_bytes());
        let notice = Notice {
            severity: Severity::Medium,
            problems: vec![reason.clone()],
            ..self.notice(
                Outcome::Malformed,
                format!("message {} in the inbox", digest.short()),
            )
        };
        self.tell(&digest, notice).await?;
        let ports = &self.guard.ports;
        self.pace().retried(|| ports.bury(body, &reason)).await?;
        Ok(Handled::Malformed(reason))
    }

    /// Tells that something cannot be read: once a day for each resource and cause.
    pub(super) async fn blind(
        &self,
        resource: Option<&ResourceId>,
        error: &CallError,
    ) -> Result<(), GuardError> {
        let notice = Notice {
            resource: resource.cloned(),
            problems: vec![error.to_string()],
            next: vec![format!(
                "Give the guard's role the right to call {} on {}, or see to what refuses it ({}).",
                error.operation, error.resource, error.code
            )],
            ..self.notice(
                Outcome::Blind,
                resource.map_or_else(|| error.resource.clone(), ToString::to_string),
            )
        };
        let matter = (
            resource,
            &error.operation,
            &error.code,
            ledger::day(self.now()),
        );
        self.tell(&matter, notice).await?;
        Ok(())
    }

    /// Tells once that there is nothing to compare with.
    pub(super) async fn uncaptured(&self) -> Result<Ended, GuardError> {
        let own = &self.guard.own;
        let notice = ledger::uncaptured(own, self.guard.policy.mode, self.arrived);
        self.tell(&ledger::uncaptured_matter(own), notice).await
    }

    /// Tells of an event whose ids lead nowhere.
    pub(super) async fn unresolved(
        &self,
        ids: &[String],
        matter: &Matter,
    ) -> Result<Ended, GuardError> {
        let notice = Notice {
            problems: ids
                .iter()
                .map(|id| format!("{id}: neither the baselines nor live know what it is or was"))
                .collect(),
            next: vec![
                "The sweep compares everything at its next run; look at the event's resource until then."
                    .into(),
            ],
            ..self.about(Outcome::Alerted, ids.join(", "), matter)
        };
        self.tell(&("unresolved", &matter.cause, ids), notice).await
    }

    /// Tells that a call was made with our role that we did not make.
    pub(super) async fn accuse(&self, change: &Change) -> Result<Ended, GuardError> {
        let matter = Matter {
            cause: Cause::Event(change.event.clone()),
            change: Some(Box::new(change.clone())),
            trusted: false,
            settled: false,
        };
        let notice = Notice {
            severity: Severity::Critical,
            problems: vec![format!(
                "{} was called as {}, Snapback's own role; request {} is not in the journal",
                change.api,
                change
                    .actor
                    .session
                    .as_ref()
                    .unwrap_or(&change.actor.principal),
                change
                    .request
                    .as_ref()
                    .map_or("without an id", |request| request.as_str()),
            )],
            ..self.about(
                Outcome::Impostor,
                format!("the guard's role {}", change.actor.principal),
                &matter,
            )
        };
        self.tell(&change.event, notice).await
    }
}
