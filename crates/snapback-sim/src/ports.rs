//! Every port of the flow on the world.

use crate::account::{ApiError, gap_of, read_apis};
use crate::call::Call;
use crate::faults::{Family, Fault, When};
use crate::principal::Principal;
use crate::process::Process;
use crate::store::Store;
use crate::trail::Written;
use crate::views::Logged;
use crate::world::{CallOutcome, Inner, World};
use snapback_app::port::*;
use snapback_engine::execution::{ErrorClass, classify};
use snapback_engine::incident::{
    AccountRecord, Activity, Commit, Entry, Lease, LeaseScope, ResourceRecord,
};
use snapback_engine::plan::Action;
use snapback_model::*;
use std::sync::Arc;
use std::time::Duration;

/// How long a caller waits for an answer that never comes.
const NO_ANSWER: Duration = Duration::from_secs(5);
/// From the inbox's acknowledgement to the message being there.
const QUEUE_DELAY: Duration = Duration::from_millis(20);
/// From a call to its record in CloudTrail's own history.
const HISTORY_DELAY: Duration = Duration::from_secs(120);

fn lost(operation: &str, resource: &str) -> CallError {
    CallError {
        operation: operation.into(),
        resource: resource.into(),
        code: "Timeout".into(),
        message: "no answer within 5 s".into(),
        class: ErrorClass::Lost,
        request: None,
    }
}

fn refused(operation: &str, resource: &str, error: &ApiError) -> CallError {
    CallError {
        operation: operation.into(),
        resource: resource.into(),
        code: error.code.into(),
        message: error.message.clone(),
        class: classify(error.code),
        request: None,
    }
}

/// EC2's answer to a fault that is an answer.
pub(crate) fn answer(fault: Fault, operation: &str, by: &str) -> Option<ApiError> {
    match fault {
        Fault::Throttled => Some(ApiError::new(
            "RequestLimitExceeded",
            "Request limit exceeded.",
        )),
        Fault::Denied => Some(ApiError::new(
            "UnauthorizedOperation",
            format!(
                "You are not authorized to perform this operation. User: {by} is not authorized to perform: ec2:{operation}"
            ),
        )),
        Fault::Refused(code) => Some(ApiError::new(code, "Injected by the simulator.")),
        Fault::ServerError => Some(ApiError::new(
            "InternalError",
            "An internal error has occurred.",
        )),
        Fault::LostResponse | Fault::LostRequest => None,
    }
}

fn receipt(outcome: CallOutcome) -> Receipt {
    // Ids of other parts (rules) are nothing that a plan makes.
    let made = |id: &&String| id.parse::<ResourceId>().is_ok() || id.starts_with("nat-");
    let created = outcome.made.iter().find(made).map(CreatedId::new);
    let bound = |id: &&String| id.starts_with("aclassoc-") || id.starts_with("rtbassoc-");
    let association = outcome.made.iter().find(bound);
    Receipt {
        association: association.map(|id| AssociationId::new(id.as_str())),
        request: Some(outcome.request),
        created,
    }
}

fn named(scope: &Scope) -> String {
    match scope {
        Scope::Everything => "everything".into(),
        Scope::Group(id) => id.to_string(),
        Scope::GroupNamed(name) => name.clone(),
        Scope::AclsOf(vpc) | Scope::TablesOf(vpc) | Scope::NatGatewaysOf(vpc) => vpc.to_string(),
        Scope::Acl(id) => id.to_string(),
        Scope::Table(id) => id.to_string(),
        Scope::Lists(ids) => {
            let ids: Vec<&str> = ids.iter().map(PrefixListId::as_str).collect();
            ids.join(", ")
        }
    }
}

impl Inner {
    /// The fault of an EC2 call now; an empty token bucket is one.
    pub(crate) fn ec2_fault(&mut self, api: &str) -> Option<Fault> {
        let now = self.now;
        if self
            .buckets
            .as_mut()
            .is_some_and(|buckets| !buckets.take(api, now))
        {
            self.faults.count(Family::Ec2, Fault::Throttled);
            return Some(Fault::Throttled);
        }
        self.faults.strike(api, Family::Ec2, now, &mut self.rng)
    }

    fn observe(&mut self, scope: &Scope, began: Timestamp) -> Result<Snapshot, CallError> {
        let resource = named(scope);
        let mut gaps = Vec::new();
        for api in read_apis(&self.account, scope) {
            self.lapse(self.latency.read);
            let fault = self.ec2_fault(api);
            let refusal = fault.and_then(|fault| answer(fault, api, crate::GUARD_ROLE));
            let error = match (&refusal, fault) {
                (Some(refusal), _) => Some(refused(api, &resource, refusal)),
                (None, Some(_)) => {
                    self.no_answer(NO_ANSWER);
                    Some(lost(api, &resource))
                }
                (None, None) => None,
            };
            self.log.push(Logged {
                at: self.now,
                by: crate::GUARD_ROLE.into(),
                api: (*api).into(),
                resource: resource.clone(),
                error: error.as_ref().map(|error| error.code.clone()),
                read: true,
                request: None,
            });
            match (error, gap_of(api)) {
                (None, _) => {}
                (Some(error), Some(gap)) if gap.takes(error.class) => gaps.push(gap),
                (Some(error), _) => return Err(error),
            }
        }
        let mut seen = self.visible().read(scope, began);
        gaps.into_iter()
            .for_each(|gap| gap.withhold(&mut seen.topology));
        Ok(seen)
    }

    fn act(
        &mut self,
        caller: &Principal,
        action: &Action,
        handles: &Handles,
        by: &Process,
    ) -> Result<Receipt, CallError> {
        let Some(call) = Call::from_action(action, handles) else {
            let missing = ApiError::new(
                "InvalidAssociationID.NotFound",
                "no association id is known for the subject of this call",
            );
            return Err(refused("(none)", &format!("{action:?}"), &missing));
        };
        let (api, resource) = (call.api(), call.subject());
        let fault = self.ec2_fault(api);
        let mut written = Written {
            at: self.now,
            by: Arc::clone(&by.name),
            api: api.to_owned(),
            action: action.clone(),
            journalled: self.store.stream.len(),
            called: self.log.len(),
            held: self.store.held(),
            before: Arc::clone(&self.account),
            after: Arc::clone(&self.account),
        };
        let outcome = match fault {
            None => self.perform(caller, &call, None).map(receipt),
            Some(Fault::LostRequest) => {
                self.no_answer(NO_ANSWER);
                Err(lost(api, &resource))
            }
            Some(Fault::LostResponse) => {
                let _unheard = self.perform(caller, &call, None);
                self.no_answer(NO_ANSWER);
                Err(lost(api, &resource))
            }
            Some(fault) => self
                .perform(caller, &call, answer(fault, api, &caller.arn()))
                .map(receipt),
        };
        written.after = Arc::clone(&self.account);
        self.trail.push(written);
        outcome
    }

    fn store_fault(&mut self, operation: &str) -> Option<Fault> {
        let now = self.now;
        self.faults
            .strike(operation, Family::Store, now, &mut self.rng)
    }
}

impl Observe for World {
    async fn observe(&self, scope: &Scope) -> Result<Snapshot, CallError> {
        let began = self.now();
        let latency = self.with(|inner| {
            let calls = u32::try_from(read_apis(&inner.account, scope).len()).unwrap_or(1);
            // The calls of one read go out side by side, some at a time.
            inner.latency.read.saturating_mul(calls.min(4))
        });
        self.enter(latency).await;
        let seen = self.with(|inner| {
            inner.faults.observes = inner.faults.observes.saturating_add(1);
            let number = inner.faults.observes;
            let seen = inner.observe(scope, began);
            inner.run_interleaved(When::AfterObserve(number));
            seen
        });
        self.wait_in_vain().await;
        seen
    }
}

impl Actuate for World {
    async fn act(&self, action: &Action, handles: &Handles) -> Result<Receipt, CallError> {
        self.enter(self.with(|inner| inner.latency.write)).await;
        let receipt = self.with(|inner| {
            inner.lapse(inner.latency.write);
            inner.faults.acts = inner.faults.acts.saturating_add(1);
            let number = inner.faults.acts;
            inner.run_interleaved(When::BeforeAct(number));
            let receipt = inner.act(&self.caller, action, handles, self.process());
            inner.run_interleaved(When::AfterAct(number));
            receipt
        });
        self.wait_in_vain().await;
        receipt
    }
}

fn store_error(fault: Fault, operation: &str) -> CallError {
    let (code, class) = match fault {
        Fault::Throttled => (
            "ProvisionedThroughputExceededException",
            ErrorClass::Transient,
        ),
        Fault::Denied => ("AccessDeniedException", ErrorClass::Denied),
        Fault::ServerError | Fault::Refused(_) => ("InternalServerError", ErrorClass::Transient),
        Fault::LostResponse | Fault::LostRequest => ("Timeout", ErrorClass::Lost),
    };
    CallError {
        operation: operation.into(),
        resource: "the store".into(),
        code: code.into(),
        message: "injected by the simulator".into(),
        class,
        request: None,
    }
}

impl World {
    /// One operation on the store or a queue, with its time and faults.
    async fn stored<T, E: From<CallError>>(
        &self,
        operation: &str,
        effect: impl FnOnce(&mut Inner) -> Result<T, E>,
    ) -> Result<T, E> {
        self.enter(self.with(|inner| inner.latency.store)).await;
        let stored = self.with(|inner| {
            inner.lapse(inner.latency.store);
            match inner.store_fault(operation) {
                None => effect(inner),
                Some(fault) => {
                    if fault == Fault::LostResponse {
                        let _unheard = effect(inner);
                    }
                    if matches!(fault, Fault::LostResponse | Fault::LostRequest) {
                        inner.no_answer(NO_ANSWER);
                    }
                    Err(store_error(fault, operation).into())
                }
            }
        });
        self.wait_in_vain().await;
        stored
    }

    async fn in_store<T>(
        &self,
        operation: &str,
        effect: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.stored(operation, |inner| effect(&mut inner.store))
            .await
    }
}

impl BaselineRead for World {
    async fn baselines(&self, wanted: &Wanted) -> Result<Option<Baselines>, StoreError> {
        self.in_store("baselines", |store| Ok(store.wanted(wanted)))
            .await
    }
}

impl BaselineWrite for World {
    async fn put_baselines(&self, baselines: &[Baseline]) -> Result<(), StoreError> {
        self.in_store("put_baselines", |store| store.put_baselines(baselines))
            .await
    }

    async fn put_topology(&self, topology: &Topology) -> Result<(), StoreError> {
        self.in_store("put_topology", |store| {
            store.topology = Some(topology.clone());
            store.seen = None;
            Ok(())
        })
        .await
    }

    async fn put_seen(&self, topology: &Topology) -> Result<(), StoreError> {
        self.in_store("put_seen", |store| {
            store.seen = Some(topology.clone());
            Ok(())
        })
        .await
    }
}

impl Generations for World {
    async fn generations(
        &self,
        resource: &ResourceId,
        before: Option<Generation>,
    ) -> Result<Vec<Baseline>, StoreError> {
        self.in_store("generations", |store| {
            Ok(store.generations(resource, before))
        })
        .await
    }

    async fn generation_at(
        &self,
        resource: &ResourceId,
        at: Timestamp,
    ) -> Result<Option<Baseline>, StoreError> {
        self.in_store("generation_at", |store| {
            Ok(store.generation_at(resource, at))
        })
        .await
    }
}

impl Journal for World {
    async fn record(&self, resource: &ResourceId) -> Result<ResourceRecord, StoreError> {
        self.in_store("record", |store| Ok(store.record(resource)))
            .await
    }

    async fn lease(&self, scope: &LeaseScope) -> Result<Lease, StoreError> {
        self.in_store("lease", |store| Ok(store.lease(scope))).await
    }

    async fn account(&self) -> Result<AccountRecord, StoreError> {
        self.in_store("account", |store| Ok(store.account.clone()))
            .await
    }

    async fn activity(&self, principal: &str) -> Result<Activity, StoreError> {
        self.in_store("activity", |store| Ok(store.activity(principal)))
            .await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), StoreError> {
        self.stored("commit", |inner| {
            inner.store.commit(commit)?;
            inner.keep_plans(commit.entries);
            inner.keep_holds(commit.activity);
            Ok(())
        })
        .await
    }

    async fn entries(&self, incident: &IncidentId) -> Result<Vec<Entry>, StoreError> {
        self.in_store("entries", |store| Ok(store.entries_of(incident)))
            .await
    }

    async fn is_ours(&self, request: &RequestId) -> Result<bool, StoreError> {
        self.in_store("is_ours", |store| Ok(store.requests.contains(request)))
            .await
    }

    async fn unfinished(&self) -> Result<Vec<ResourceRecord>, StoreError> {
        self.in_store("unfinished", |store| Ok(store.unfinished()))
            .await
    }
}

impl Inbox for World {
    async fn send(&self, command: &Command, delay: Duration) -> Result<(), CallError> {
        self.stored("send", |inner| {
            let body = serde_json::to_string(command).map_err(|error| CallError {
                operation: "SendMessage".into(),
                resource: "inbox".into(),
                code: "InvalidMessageContents".into(),
                message: error.to_string(),
                class: ErrorClass::Invalid,
                request: None,
            })?;
            let delay = QUEUE_DELAY.max(delay.min(DELAY_MAX));
            let due = inner.now.checked_add(delay).unwrap_or(inner.now);
            inner.delivery.send(body, due);
            Ok(())
        })
        .await
    }

    async fn forward(&self, record: &str) -> Result<(), CallError> {
        self.stored("forward", |inner| {
            let due = inner.now.checked_add(QUEUE_DELAY).unwrap_or(inner.now);
            inner.delivery.send(record.to_owned(), due);
            Ok(())
        })
        .await
    }
}

/// CloudTrail's own history has a record some minutes after the call, also where the event was lost.
impl EventHistory for World {
    async fn events_about(
        &self,
        resource: &ResourceId,
        since: Timestamp,
    ) -> Result<Vec<String>, CallError> {
        self.stored("events_about", |inner| {
            let known = inner.now.checked_sub(HISTORY_DELAY).unwrap_or(inner.now);
            let about = inner.delivery.history.iter().rev().filter(|(at, record)| {
                *at >= since && *at <= known && record.contains(resource.as_str())
            });
            Ok(about.map(|(_, record)| record.clone()).collect())
        })
        .await
    }
}

impl DeadLetter for World {
    async fn bury(&self, body: &str, reason: &str) -> Result<(), CallError> {
        self.stored("bury", |inner| {
            inner.buried.push((body.to_owned(), reason.to_owned()));
            Ok(())
        })
        .await
    }
}

impl Deliveries for World {
    async fn was_delivered(&self, channel: &str, key: &str) -> Result<bool, StoreError> {
        let shown = (channel.to_owned(), key.to_owned());
        self.in_store("was_delivered", |store| {
            Ok(store.delivered.contains(&shown))
        })
        .await
    }

    async fn mark_delivered(&self, channel: &str, key: &str) -> Result<(), StoreError> {
        let shown = (channel.to_owned(), key.to_owned());
        self.in_store("mark_delivered", |store| {
            store.delivered.insert(shown);
            Ok(())
        })
        .await
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let skew = self.process().skew;
        self.with(|inner| inner.now.checked_add(skew).unwrap_or(inner.now))
    }

    /// Lets other tasks run, then lets simulated time pass.
    async fn sleep(&self, duration: Duration) {
        self.pause(duration).await;
    }
}

impl Meter for World {
    fn measure(&self, metric: Metric, value: f64) {
        self.with(|inner| inner.measured.push((metric, value)));
    }
}
