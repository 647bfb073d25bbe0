//! One difference: whether it should be taken back, whether it can be, and why.

use super::experiment::{Experiment, Trial};
use super::traffic::Traffic;
use super::{Judgement, Verdict};
use crate::change::Change;
use crate::diff::{Delta, Difference, ResourceDiff};
use crate::finding::{Finding, Harm, Since};
use crate::policy::{Mode, Policy};
use snapback_model::*;
use snapback_reach::OverBound;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a judgement is made from.
pub(super) struct Bench<'a> {
    pub(super) baselines: &'a Baselines,
    pub(super) live: &'a Snapshot,
    pub(super) change: Option<&'a Change>,
    pub(super) policy: &'a Policy,
    pub(super) mode: Mode,
    /// Experiments that were known to run, by the element they are about.
    pub(super) running: &'a BTreeMap<Element, Experiment>,
}

/// A judgement before the mode `observe` turns acting into telling.
pub(super) struct Opinion {
    pub(super) difference: Difference,
    pub(super) findings: Vec<Finding>,
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<String>,
    /// Whether a call of this version can put it back.
    pub(super) restorable: bool,
}

/// One difference with what is known of it.
pub(super) struct Case<'a> {
    pub(super) diff: &'a ResourceDiff,
    pub(super) difference: &'a Difference,
    /// The findings it causes, worst first.
    pub(super) findings: Vec<Finding>,
    /// Whether it moves a packet; what is not known may.
    pub(super) moves: bool,
    /// Why that is not known, where it is not.
    pub(super) unknown: Option<OverBound>,
}

impl Case<'_> {
    /// The findings of harm that it brought, worst first. What was there before is no reason to take
    /// a difference back.
    pub(super) fn harm(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.harm != Harm::None && finding.since != Since::Before)
    }

    /// The findings that matter to whether it is excepted: those of harm, or all where none is.
    pub(super) fn weighty(&self) -> impl Iterator<Item = &Finding> {
        let harmless = self.harm().next().is_none();
        self.findings.iter().filter(move |finding| {
            harmless || (finding.harm != Harm::None && finding.since != Since::Before)
        })
    }
}

impl Bench<'_> {
    /// Judges each difference by itself.
    pub(super) fn hear(&self, diff: &ResourceDiff, findings: &[Finding]) -> Vec<Opinion> {
        let moves = self.movers(diff);
        let cases = diff
            .differences
            .iter()
            .zip(moves)
            .map(|(difference, moves)| {
                let element = difference.element();
                let mut findings: Vec<Finding> = findings
                    .iter()
                    .filter(|finding| {
                        finding.subject == diff.resource && finding.element == element
                    })
                    .cloned()
                    .collect();
                findings.sort_by_key(|finding| Reverse(finding.severity));
                Case {
                    diff,
                    difference,
                    findings,
                    moves: *moves.as_ref().unwrap_or(&true),
                    unknown: moves.err(),
                }
            });
        cases.map(|case| self.judge(case)).collect()
    }

    /// Which differences move a packet. An approved rule and what it was rewritten into are one
    /// change: both do if one does.
    fn movers(&self, diff: &ResourceDiff) -> Vec<Result<bool, OverBound>> {
        let differences = &diff.differences;
        let traffic = match Traffic::of(self.baselines, self.live, diff) {
            Ok(traffic) => traffic,
            Err(over) => return differences.iter().map(|_| Err(over.clone())).collect(),
        };
        let mut moves: Vec<Result<bool, OverBound>> = differences
            .iter()
            .map(|difference| traffic.moves(difference))
            .collect();
        for (new, difference) in differences.iter().enumerate() {
            let Difference::Rule {
                rule,
                delta: Delta::Added(_),
            } = difference
            else {
                continue;
            };
            let Some((_, approved)) = self.rewritten(diff, rule) else {
                continue;
            };
            let is_old = |other: &Difference| matches!(other, Difference::Rule { rule, .. } if *rule == approved);
            let pair = differences.iter().position(is_old).map(|old| [new, old]);
            let moved = |index: &usize| moves.get(*index) == Some(&Ok(true));
            if pair.is_some_and(|pair| pair.iter().any(moved)) {
                for index in pair.into_iter().flatten() {
                    if let Some(moves) = moves.get_mut(index) {
                        *moves = Ok(true);
                    }
                }
            }
        }
        moves
    }

    fn judge(&self, case: Case<'_>) -> Opinion {
        let Case {
            diff, difference, ..
        } = case;
        let opinion = |verdict, reasons, restorable| Opinion {
            difference: difference.clone(),
            findings: case.findings.clone(),
            verdict,
            reasons,
            restorable,
        };
        if let Some(why) = self.out_of_scope(diff) {
            return opinion(Verdict::Ignore, vec![why], false);
        }
        if let Some(why) = self.allowed_state(diff, difference) {
            return opinion(Verdict::Ignore, vec![why], false);
        }
        let no_trial = match self.trial(diff, difference) {
            Some(Trial::Running(running)) => {
                return opinion(Verdict::Ignore, vec![running.to_string()], false);
            }
            Some(Trial::Refused(why)) => Some(why),
            None => None,
        };
        let causes = self.causes(&case);
        let unknown = case.unknown.as_ref();
        let obstacle = unknown
            .map(|over| format!("{over}, and what is not known is not written to"))
            .or_else(|| self.obstacle(diff, difference));
        let restorable = obstacle.is_none();
        let mut reasons = Vec::new();
        if let Some(obstacle) = obstacle {
            reasons.push(format!("it is not put back: {obstacle}"));
        }
        let verdict = if causes.because.is_empty() {
            reasons.extend(case.findings.iter().map(|finding| finding.meaning.clone()));
            if restorable {
                reasons.extend(why_stays(&case, causes.against));
            }
            Verdict::Alert
        } else if restorable {
            Verdict::Revert
        } else {
            Verdict::Alert
        };
        reasons.extend(causes.because);
        reasons.extend(no_trial);
        reasons.extend(self.only_live_opts_out(diff));
        reasons.extend(self.made_by(diff, difference));
        opinion(verdict, reasons, restorable)
    }

    pub(super) fn out_of_scope(&self, diff: &ResourceDiff) -> Option<String> {
        if !self.policy.guards(diff.vpc.as_ref()) {
            let vpc = diff
                .vpc
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            return Some(format!(
                "{vpc} is not among the VPCs that the policy guards"
            ));
        }
        let tag = self.policy.opt_out.as_ref()?;
        let approved = self.baselines.state(&diff.resource)?.tags()?;
        tag.matches(approved)
            .then(|| format!("its baseline carries the opt-out tag {:?}", tag.to_string()))
    }

    /// A tag that only live carries exempts nothing: whoever may tag could switch the guard off.
    fn only_live_opts_out(&self, diff: &ResourceDiff) -> Option<String> {
        let tag = self.policy.opt_out.as_ref()?;
        let found = self.live.resources.get(&diff.resource)?.tags()?;
        tag.matches(found).then(|| {
            format!(
                "the opt-out tag {:?} stands on it but not in its baseline, so it exempts nothing",
                tag.to_string()
            )
        })
    }

    /// Whether the subnet existed when the baselines were captured.
    pub(super) fn knew(&self, subnet: &SubnetId) -> bool {
        self.baselines.topology.subnets.contains_key(subnet)
    }

    /// The judgement that people see: `observe` tells what `enforce` would do.
    pub(super) fn pronounce(&self, opinion: Opinion) -> Judgement {
        let Opinion {
            difference,
            findings,
            mut verdict,
            mut reasons,
            ..
        } = opinion;
        if verdict == Verdict::Revert && self.mode == Mode::Observe {
            verdict = Verdict::Alert;
            if let Some(first) = reasons.first_mut() {
                *first = format!("observe mode: would revert because {first}");
            }
        }
        let text = difference.describe();
        Judgement {
            difference,
            text,
            findings,
            verdict,
            reasons,
        }
    }
}

impl Opinion {
    /// Whether it stays although it could be taken back.
    pub(super) fn may_come_back(&self) -> bool {
        self.verdict == Verdict::Alert && self.restorable
    }
}

/// A change of a rule's description or tags alone.
fn is_rule_text(difference: &Difference) -> bool {
    matches!(
        difference,
        Difference::Rule {
            delta: Delta::Changed { .. },
            ..
        }
    )
}

/// Whether a difference is of a kind that can matter to a packet, in this state or another.
pub(super) fn is_of_traffic(difference: &Difference) -> bool {
    !is_rule_text(difference) && !matches!(difference, Difference::Tag { .. })
}

/// Ends the reason of a difference that could be put back and is not.
pub(super) const STAYS: &str = "it stays until it is accepted or taken back";

/// Why a difference that could be put back stays, the lines of the policy that say so first.
fn why_stays(case: &Case<'_>, against: Vec<String>) -> Vec<String> {
    let why = if !is_of_traffic(case.difference) {
        "text only, it moves no packet"
    } else if !case.moves {
        "it moves no packet: what it permits, forbids or routes, others that are approved do alike"
    } else if against.is_empty() {
        "an addition that nothing finds dangerous"
    } else {
        return against.into_iter().chain([STAYS.to_owned()]).collect();
    };
    against
        .into_iter()
        .chain([format!("{why}: {STAYS}")])
        .collect()
}
