//! Why a difference should be taken back, and which line of the policy says so.

use super::judge::{Bench, Case};
use crate::diff::{Delta, Difference, ResourceDiff};
use crate::finding::{Finding, Harm};
use crate::policy::{Exception, Mode, Thresholds};
use snapback_model::*;

/// What speaks for taking a difference back, and what against.
#[derive(Default)]
pub(super) struct Causes {
    /// Why it should be taken back, most important first, the lines of the policy behind it last;
    /// empty when it may stay.
    pub(super) because: Vec<String>,
    /// The lines of the policy by which it stays.
    pub(super) against: Vec<String>,
}

fn push_once(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}

impl Bench<'_> {
    /// What the mode and the thresholds make of a difference. `observe` is judged as `enforce` is.
    pub(super) fn causes(&self, case: &Case<'_>) -> Causes {
        let mut causes = Causes::default();
        if let Some(exception) = self.exception(case) {
            causes
                .against
                .push(format!("policy: left alone: {exception}"));
            return causes;
        }
        let mut lines = Vec::new();
        causes.because.extend(self.waits(case.difference));
        if self.mode == Mode::Strict {
            let harm = case.harm().map(|finding| finding.meaning.clone());
            causes.because.extend(harm);
            causes
                .because
                .extend(self.lost_approval(case.diff, case.difference));
            causes
                .because
                .push("strict mode takes back every untrusted difference".to_owned());
            lines.push("policy: mode strict".to_owned());
        } else if case.moves {
            let resource = &case.diff.resource;
            for finding in case.harm() {
                self.weigh(finding, resource, &mut causes, &mut lines);
            }
            self.weigh_loss(case, &mut causes, &mut lines);
        }
        if !causes.because.is_empty() {
            causes.because.extend(lines);
            causes.because.extend(self.expired(case));
        }
        causes
    }

    /// Who waits in what Snapback made for the time of a repair is on the way back, whether or not that
    /// moves a packet: the repair is not over before.
    fn waits(&self, difference: &Difference) -> Option<String> {
        let holder = match difference {
            Difference::Association { live, .. } => live.clone()?,
            Difference::Main { live, .. } => live.clone()?.into(),
            _ => return None,
        };
        let made = Temporary::of(self.live.resources.get(&holder)?)?;
        Some(format!(
            "{holder} is by its tags Snapback's stand-in for {} while that is repaired: it is to go again",
            made.of
        ))
    }

    /// One finding against the thresholds.
    fn weigh(
        &self,
        finding: &Finding,
        resource: &ResourceId,
        causes: &mut Causes,
        lines: &mut Vec<String>,
    ) {
        if let Some(exception) = self
            .active()
            .find(|exception| exception.covers_finding(finding.code, resource))
        {
            return push_once(
                &mut causes.against,
                format!("policy: left alone: {exception}"),
            );
        }
        let Thresholds { openings, closings } = self.policy.enforce.of(resource.kind());
        let severity = finding.severity;
        let (taken, line) = match finding.harm {
            Harm::Opens => (openings.takes(severity), openings.line()),
            Harm::Cuts => (closings.takes(severity), closings.line()),
            Harm::None => return,
        };
        if taken {
            causes.because.push(finding.meaning.clone());
            push_once(lines, format!("policy: {line}"));
        } else {
            push_once(
                &mut causes.against,
                format!("policy: {line}, and this is {severity}"),
            );
        }
    }

    /// An approved element that is gone, rewritten or moved, against the threshold of closings.
    fn weigh_loss(&self, case: &Case<'_>, causes: &mut Causes, lines: &mut Vec<String>) {
        let Some(words) = self.lost_approval(case.diff, case.difference) else {
            return;
        };
        let closings = self.policy.enforce.of(case.diff.resource.kind()).closings;
        let line = format!("policy: {}", closings.line());
        if closings.restores_approved() {
            causes.because.push(words);
            push_once(lines, line);
        } else if causes.because.is_empty() {
            if case.findings.is_empty() {
                causes.against.insert(0, words);
            }
            push_once(&mut causes.against, line);
        }
    }

    /// The exceptions that hold when live was read.
    fn active(&self) -> impl Iterator<Item = &Exception> {
        let now = self.live.observed_at;
        let exceptions = self.policy.exceptions.iter();
        exceptions.filter(move |exception| exception.holds_at(now))
    }

    /// The exception that leaves a whole difference alone: one of its resource, or those of every
    /// harm it does.
    fn exception(&self, case: &Case<'_>) -> Option<&Exception> {
        let resource = &case.diff.resource;
        let of_resource = self
            .active()
            .find(|exception| exception.covers_resource(resource));
        of_resource.or_else(|| {
            let mut found = None;
            for finding in case.weighty() {
                found = Some(
                    self.active()
                        .find(|exception| exception.covers_finding(finding.code, resource))?,
                );
            }
            found
        })
    }

    /// The exceptions that were about it and are over.
    fn expired(&self, case: &Case<'_>) -> Vec<String> {
        let (now, resource) = (self.live.observed_at, &case.diff.resource);
        let over = self
            .policy
            .exceptions
            .iter()
            .filter(|exception| !exception.holds_at(now));
        let about = over.filter(|exception| {
            let of = |finding: &Finding| exception.covers_finding(finding.code, resource);
            exception.covers_resource(resource) || case.findings.iter().any(of)
        });
        about
            .map(|exception| format!("policy: an exception is over: {exception}"))
            .collect()
    }

    /// What approved thing was taken away, rewritten or moved.
    fn lost_approval(&self, diff: &ResourceDiff, difference: &Difference) -> Option<String> {
        let words = match difference {
            Difference::Rule {
                delta: Delta::Removed(_),
                ..
            } => "an approved rule is gone",
            Difference::Rule {
                rule,
                delta: Delta::Added(_),
            } => {
                if self.came_with_its_making(diff, rule) {
                    return Some(
                        "EC2 gave it to the group when Snapback made it again; nobody approved it"
                            .to_owned(),
                    );
                }
                let (id, approved) = self.rewritten(diff, rule)?;
                return Some(format!(
                    "the approved rule {id} ({approved}) was rewritten into it"
                ));
            }
            Difference::Entry {
                delta: Delta::Removed(_),
                ..
            } => "an approved entry is gone",
            Difference::Entry {
                delta: Delta::Changed { .. },
                ..
            } => "an approved entry was rewritten",
            Difference::Route {
                delta: Delta::Removed(_),
                ..
            } => "an approved route is gone",
            Difference::Route {
                delta: Delta::Changed { baseline, live },
                ..
            } if baseline.target != live.target => "an approved route leads elsewhere",
            Difference::Association {
                baseline: Some(_), ..
            } => "the subnet was moved from where it was approved",
            Difference::Association {
                subnet,
                baseline: None,
                ..
            } if self.knew(subnet) => {
                "the subnet was approved on the main table, without an association of its own"
            }
            Difference::Edge { .. } => {
                "which traffic entering the VPC this table routes was changed"
            }
            Difference::Propagation { .. } => {
                "which gateways propagate routes into this table was changed"
            }
            Difference::Main { .. } => "the approved main table was replaced",
            Difference::Deleted { .. } => "it was approved, and it was deleted",
            Difference::Rule { .. }
            | Difference::Entry { .. }
            | Difference::Route { .. }
            | Difference::Association { .. }
            | Difference::Tag { .. }
            | Difference::Unreviewed { .. } => return None,
        };
        Some(words.to_owned())
    }

    /// Whether a rule is what every new group is born with (semantics A1), on a group that was made
    /// again and has no such rule by its baseline.
    fn came_with_its_making(&self, diff: &ResourceDiff, rule: &RuleKey) -> bool {
        let baseline = self.baselines.by_id.get(&diff.resource);
        let everywhere = match &rule.peer {
            Peer::Ipv4(net) => net.prefix_len() == 0,
            Peer::Ipv6(net) => net.prefix_len() == 0,
            Peer::SecurityGroup { .. } | Peer::PrefixList(_) => false,
        };
        everywhere
            && rule.direction == Direction::Egress
            && rule.traffic == Traffic::All
            && baseline.is_some_and(|baseline| baseline.provenance.origin == Origin::Recreated)
    }

    /// The approved rule that was changed in place into `rule`: one rule id, two contents.
    pub(super) fn rewritten(
        &self,
        diff: &ResourceDiff,
        rule: &RuleKey,
    ) -> Option<(SecurityGroupRuleId, RuleKey)> {
        let ResourceId::SecurityGroup(group) = &diff.resource else {
            return None;
        };
        let id = self.live.handles.rule_id(group, rule)?;
        let handles = &self.baselines.by_id.get(&diff.resource)?.handles;
        let approved = &handles.rules.get(id)?.rule;
        let gone = |difference: &Difference| matches!(difference, Difference::Rule { rule, delta: Delta::Removed(_) } if rule == approved);
        diff.differences
            .iter()
            .any(gone)
            .then(|| (id.clone(), approved.clone()))
    }
}
