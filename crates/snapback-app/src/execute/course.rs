//! Whether a plan may run at all.

use super::Target;
use snapback_engine::execution::{Verification, verify};
use snapback_engine::plan::{self, Note, Permission, Plan};
use snapback_engine::policy::Policy;
use snapback_model::Snapshot;

/// What a plan is good for.
pub(super) enum Course {
    /// It leads to `target`; `partial` where that is less than the goal.
    Go { target: Target, partial: bool },
    /// It does not lead there.
    Refused(Vec<String>),
}

/// Checks a plan before its first call: it must lead to its goal by the pure twin of EC2, or as far
/// as it says it can; and it must interrupt nothing, unless policy lets it.
pub(super) fn course(plan: &Plan, live: &Snapshot, policy: &Policy) -> Course {
    let cannot: Vec<String> = plan.notes.iter().filter_map(Note::left_undone).collect();
    if plan.steps.is_empty() {
        let why = "no call of this version leads to the baseline".to_owned();
        return Course::Refused(if cannot.is_empty() { vec![why] } else { cannot });
    }
    if let Permission::Refused(why) = plan::permission(plan, policy) {
        return Course::Refused(why);
    }
    let mut folded = live.clone();
    for (index, step) in plan.steps.iter().enumerate() {
        if let Err(why) = plan::apply(&step.action, &mut folded) {
            return Course::Refused(vec![format!(
                "step {} of the plan does not fit: {why}",
                index.saturating_add(1)
            )]);
        }
    }
    match verify(&plan.goal, &folded) {
        Verification::Equal => Course::Go {
            target: plan.goal.clone(),
            partial: false,
        },
        Verification::Differs(_) if !cannot.is_empty() => Course::Go {
            target: folded
                .resources
                .into_iter()
                .filter(|(id, _)| plan.goal.contains_key(id))
                .collect(),
            partial: true,
        },
        Verification::Differs(left) => Course::Refused(
            left.into_iter()
                .map(|line| format!("the plan would leave: {line}"))
                .collect(),
        ),
    }
}
