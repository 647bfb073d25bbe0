//! Events that never came, fetched from CloudTrail's own history: the guard then knows who acted, and
//! a trusted change whose event was lost becomes baseline instead of being taken back.

use super::{Everything, Run, SweepError};
use crate::patience::between;
use crate::rights::SweepPorts;
use snapback_engine::change::{Change, Edits, Interpretation, Own, Touched, interpret, retagged};
use snapback_engine::diff::{Difference, ResourceDiff};
use snapback_engine::event;
use snapback_model::{Resource, ResourceId, Timestamp};
use std::time::Duration;

/// Nothing older is looked for: the history holds 90 days, but drift is found within one sweep or few.
const LOOKBACK: Duration = Duration::from_secs(24 * 3600);
/// Events sent for one resource: the newest.
const EVENTS_MAX: usize = 10;
/// Resources looked up in one sweep: the account may ask twice a second in all (semantics E).
const LOOKUPS_MAX: usize = 10;

impl<P: SweepPorts> Run<'_, P> {
    /// The ACL or table under the tag of experiments that a subnet was moved to, if one was.
    pub(super) fn maybe_experiment(
        &self,
        all: &Everything,
        diff: &ResourceDiff,
    ) -> Option<ResourceId> {
        let terms = self.terms.policy.experiments.as_ref()?;
        let tagged = |id: &ResourceId| {
            let tags = all.live.resources.get(id).and_then(Resource::tags);
            tags.is_some_and(|tags| terms.tag.matches(tags))
        };
        let mut holders = diff
            .differences
            .iter()
            .filter_map(|difference| match difference {
                Difference::Association { live, .. } => live.as_ref(),
                _ => None,
            });
        holders.find(|id| tagged(id)).cloned()
    }

    /// Sends the guard the events that tell of a drift, oldest first, and says whether one of them
    /// points at the resource itself. Best effort: a history that does not answer is no failure.
    pub(super) async fn bring(
        &self,
        resource: &ResourceId,
        good_since: Option<Timestamp>,
        lookups: usize,
    ) -> Result<bool, SweepError> {
        let now = self.ports.now();
        let left = between(now, self.terms.deadline);
        if lookups >= LOOKUPS_MAX || left < self.terms.limits.reserve.saturating_mul(4) {
            return Ok(false);
        }
        let day_ago = now.checked_sub(LOOKBACK).unwrap_or(now);
        let since = good_since.map_or(day_ago, |since| since.max(day_ago));
        let records = match self.ports.events_about(resource, since).await {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!(%resource, %error, "who did it stays unknown");
                return Ok(false);
            }
        };
        let mut told: Vec<(&String, Box<Change>)> = records
            .iter()
            .filter_map(|record| Some((record, change(record, &self.terms.own)?)))
            .take(EVENTS_MAX)
            .collect();
        told.reverse();
        let pace = self.pace();
        for (record, change) in &told {
            tracing::info!(%resource, event = %change.event, api = change.api, "an event that never came");
            pace.retried(|| self.ports.forward(record)).await?;
        }
        let itself = Touched::Resource(resource.clone());
        Ok(told
            .iter()
            .any(|(_, change)| change.touched.contains(&itself)))
    }
}

/// The change of a record that edits guarded resources, or their tags, and is not ours.
fn change(record: &str, own: &Own) -> Option<Box<Change>> {
    let record = event::parse(record.as_bytes()).ok()?;
    match interpret(&record, own) {
        Interpretation::Change(change) if change.edits != Edits::Context => Some(change),
        Interpretation::Ignored(_) => retagged(&record, own),
        Interpretation::Change(_) | Interpretation::WithOurRole(_) => None,
    }
}
