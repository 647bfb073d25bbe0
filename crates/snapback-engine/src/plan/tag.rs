//! Tags of resources and rules.

use super::Action;
use super::draft::Draft;
use snapback_model::*;

/// Tags that only AWS writes.
pub(super) const RESERVED: &str = "aws:";

/// The calls that make the tags of `target` what the goal says; nothing where either side was not read.
pub(super) fn tags(
    draft: &mut Draft,
    resource: &ResourceId,
    target: &str,
    live: Option<&Tags>,
    goal: Option<&Tags>,
) {
    let (Some(live), Some(goal)) = (live, goal) else {
        return;
    };
    let differing = |from: &Tags, other: &Tags| -> (Tags, Tags) {
        let different = from
            .iter()
            .filter(|(key, value)| other.get(*key) != Some(value));
        different
            .map(|(key, value)| (key.clone(), value.clone()))
            .partition(|(key, _)| !key.starts_with(RESERVED))
    };
    let (set, reserved) = differing(goal, live);
    for key in reserved.keys() {
        draft.cannot(
            resource.clone(),
            format!("tag {key} of {target}: only AWS writes tags named {RESERVED}*"),
        );
    }
    if !set.is_empty() {
        let why = format!("put back the approved tags of {target}");
        draft.step(
            resource.clone(),
            Action::CreateTags {
                target: target.to_owned(),
                tags: set,
            },
            why,
        );
    }
    let (mut foreign, _) = differing(live, goal);
    foreign.retain(|key, _| !goal.contains_key(key) && !is_lineage_tag(key));
    if !foreign.is_empty() {
        let why = format!("take back foreign tags of {target}");
        draft.step(
            resource.clone(),
            Action::DeleteTags {
                target: target.to_owned(),
                tags: foreign,
            },
            why,
        );
    }
}
