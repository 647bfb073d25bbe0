//! Writes to the journal that survive a lost answer, and alerts of one commit.
//!
//! - Owns: the repeat of a conditional write whose answer was lost; alert-only stories; notices.
//! - Takes: records, entries, stories.
//! - Gives: whether it was written, was told before, or somebody else wrote first.
//! - Must not: touch EC2.

use crate::assessment::Assessment;
use crate::patience::{Pace, Retry};
use crate::port::{Clock, Journal, Meter, Metric, StoreError};
use snapback_engine::change::Own;
use snapback_engine::finding::Severity;
use snapback_engine::incident::{
    AccountRecord, Body, Cause, Commit, Entry, Notice, Outcome, Place, ResourceRecord, Story, once,
};
use snapback_engine::plan::Plan;
use snapback_engine::policy::Mode;
use snapback_model::{Digest, Element, IncidentId, Kind, Timestamp};
use std::collections::BTreeMap;

/// Commits; where an answer was lost and the repeat conflicts, looks whether the first try did it.
pub(crate) async fn commit<C, J>(
    pace: &Pace<'_, C>,
    journal: &J,
    commit: &Commit<'_>,
) -> Result<(), StoreError>
where
    C: Clock + Sync,
    J: Journal + Sync,
{
    let mut attempt = 0;
    loop {
        match journal.commit(commit).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(attempt, %error, "journal did not answer");
                if !pace.wait(attempt).await {
                    return Err(error);
                }
                attempt = attempt.saturating_add(1);
            }
            Err(StoreError::Conflict { what }) if attempt > 0 => {
                return if is_written(pace, journal, commit).await? {
                    Ok(())
                } else {
                    Err(StoreError::Conflict { what })
                };
            }
            result => return result,
        }
    }
}

/// Whether the whole of it stands there: one part tells for all, best the record, which names us.
async fn is_written<C, J>(
    pace: &Pace<'_, C>,
    journal: &J,
    commit: &Commit<'_>,
) -> Result<bool, StoreError>
where
    C: Clock + Sync,
    J: Journal + Sync,
{
    if let Some(record) = commit.record {
        let stored = pace.retried(|| journal.record(&record.resource)).await?;
        return Ok(stored == *record);
    }
    if let Some(last) = commit.entries.last() {
        let stored = pace.retried(|| journal.entries(&last.incident)).await?;
        return Ok(commit.entries.iter().all(|entry| stored.contains(entry)));
    }
    if let Some(activity) = commit.activity {
        let stored = pace
            .retried(|| journal.activity(&activity.principal))
            .await?;
        return Ok(stored == *activity);
    }
    if let Some(account) = commit.account {
        return Ok(pace.retried(|| journal.account()).await? == *account);
    }
    Ok(true)
}

/// Tells once: a second notice on the same matter stays silent. Gives the incident and whether this
/// call told it.
pub(crate) async fn notice<P>(
    pace: &Pace<'_, P>,
    ports: &P,
    matter: &(impl serde::Serialize + Sync),
    notice: Notice,
) -> Result<(IncidentId, bool), StoreError>
where
    P: Journal + Clock + Meter + Sync,
{
    let outcome = notice.outcome;
    let incident = once(outcome, matter);
    tracing::warn!(%incident, ?outcome, resource = notice.resource.as_ref().map(|id| id.as_str()), "notice");
    let entry = notice.entry(incident.clone(), ports.now());
    match commit(pace, ports, &Commit::entries(std::slice::from_ref(&entry))).await {
        Ok(()) => {
            count(ports, outcome);
            Ok((incident, true))
        }
        Err(StoreError::Conflict { .. }) => Ok((incident, false)),
        Err(error) => Err(error),
    }
}

/// What an alert-only story is made of.
pub(crate) struct Alert<'a> {
    pub record: &'a ResourceRecord,
    pub holder: &'a str,
    /// A story that has nothing but its cause yet; its incident is the record's next.
    pub story: Story,
    pub place: &'a Place,
    pub assessment: &'a Assessment,
    /// The calls that would put it back (mode `observe`).
    pub plan: Option<Plan>,
    pub outcome: Outcome,
    /// What is known as told from now on.
    pub told: BTreeMap<Element, Digest>,
    /// What is counted for the account, where that changes with it.
    pub account: Option<AccountRecord>,
}

/// Tells of differences that stay: opened, decided and closed in one commit, without a lease.
///
/// # Errors
/// `Conflict` where somebody else wrote the record first: look again.
pub(crate) async fn alert<P>(
    pace: &Pace<'_, P>,
    ports: &P,
    alert: Alert<'_>,
) -> Result<IncidentId, StoreError>
where
    P: Journal + Clock + Meter + Sync,
{
    let now = ports.now();
    let mut story = alert.story;
    let mut record = alert.record.claimed(alert.holder, now);
    let mut bodies = vec![
        Body::Opened {
            resource: story.resource.clone(),
            cause: story.cause.clone(),
            change: story.change.clone(),
            part_of: story.part_of.clone(),
        },
        Body::Decided {
            decision: Box::new(alert.assessment.decision.clone()),
            impact: Box::new(alert.assessment.impact.clone()),
        },
    ];
    bodies.extend(alert.plan.map(|plan| Body::Planned {
        plan: Box::new(plan),
    }));
    let mut entries: Vec<Entry> = Vec::new();
    for body in bodies {
        push(&mut entries, &mut story, body, now);
    }
    let report = story.report(alert.outcome, alert.place, &alert.record.told, now);
    push(
        &mut entries,
        &mut story,
        Body::Closed {
            report: Box::new(report),
        },
        now,
    );
    record.last_sequence = entries.last().map_or(0, |entry| entry.sequence);
    let mut record = record.closed(alert.told, false);
    // Claimed and closed at once: one write, so one version.
    record.version = alert.record.version.saturating_add(1);
    let written = Commit {
        account: alert.account.as_ref(),
        ..Commit::of(&record, &entries)
    };
    commit(pace, ports, &written).await?;
    count(ports, alert.outcome);
    tracing::info!(incident = %story.incident, resource = %story.resource, outcome = ?alert.outcome, "told");
    Ok(story.incident)
}

fn push(entries: &mut Vec<Entry>, story: &mut Story, body: Body, at: Timestamp) {
    let entry = Entry {
        incident: story.incident.clone(),
        sequence: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        at,
        body,
    };
    story.absorb(&entry);
    entries.push(entry);
}

/// The open story that may be making a resource of this kind again, if there is one.
pub(crate) async fn maker_of<C, J>(
    pace: &Pace<'_, C>,
    journal: &J,
    kind: Kind,
) -> Result<Option<IncidentId>, StoreError>
where
    C: Clock + Sync,
    J: Journal + Sync,
{
    let open = open_stories(pace, journal).await?;
    let maker = open
        .into_iter()
        .find(|(_, story)| story.makes.contains(&kind));
    Ok(maker.map(|(_, story)| story.incident))
}

/// Every open story with the record that it is opened on.
pub(crate) async fn open_stories<C, J>(
    pace: &Pace<'_, C>,
    journal: &J,
) -> Result<Vec<(ResourceRecord, Story)>, StoreError>
where
    C: Clock + Sync,
    J: Journal + Sync,
{
    let mut stories = Vec::new();
    for record in pace.retried(|| journal.unfinished()).await? {
        let Some(incident) = record.open.clone() else {
            continue;
        };
        let entries = pace.retried(|| journal.entries(&incident)).await?;
        stories.extend(Story::read(&entries).map(|story| (record, story)));
    }
    Ok(stories)
}

/// Counts an ended story.
pub(crate) fn count(meter: &impl Meter, outcome: Outcome) {
    let metric = match outcome {
        Outcome::Reverted => Metric::Reverted,
        Outcome::Alerted | Outcome::Context => Metric::Alerted,
        Outcome::Refused | Outcome::Failed | Outcome::Blind => Metric::Failed,
        Outcome::Impostor => Metric::Impostor,
        Outcome::Malformed => Metric::Malformed,
        Outcome::Braked => Metric::Braked,
        Outcome::Accepted | Outcome::Released => return,
    };
    meter.measure(metric, 1.0);
}

/// What makes "nothing was captured" one matter.
pub(crate) fn uncaptured_matter(own: &Own) -> impl serde::Serialize + Sync + use<'_> {
    ("nothing captured", &own.account, &own.region)
}

/// Says that there is no baseline at all.
pub(crate) fn uncaptured(own: &Own, mode: Mode, arrived_at: Timestamp) -> Notice {
    Notice {
        outcome: Outcome::Alerted,
        severity: Severity::High,
        mode,
        cause: Cause::Asked("a change or a sweep with no baseline at all".into()),
        change: None,
        resource: None,
        label: "no baselines".into(),
        findings: Vec::new(),
        problems: vec![
            "Nothing was ever captured in this account and Region: no change can be judged or put back.".into(),
        ],
        steps: Vec::new(),
        next: vec!["Look the network over, then run `snapback capture`.".into()],
        account: own.account.clone(),
        region: own.region.clone(),
        arrived_at,
    }
}

/// The day of a moment, UTC: some notices are told once a day.
pub(crate) fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}
