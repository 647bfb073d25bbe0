//! One difference: whether it should be taken back, whether it can be, and why.

use super::{Judgement, Verdict};
use crate::change::{Change, Edit, Edits, GroupRef, RuleRef};
use crate::diff::{Delta, Difference, ResourceDiff};
use crate::finding::{Finding, Harm, Severity};
use crate::policy::{Mode, Policy};
use snapback_model::*;
use std::cmp::Reverse;

/// What a judgement is made from.
pub(super) struct Bench<'a> {
    pub(super) baselines: &'a Baselines,
    pub(super) live: &'a Snapshot,
    pub(super) change: Option<&'a Change>,
    pub(super) policy: &'a Policy,
    pub(super) mode: Mode,
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

impl Bench<'_> {
    /// Judges each difference by itself, then what hangs on the others.
    pub(super) fn hear(&self, diff: &ResourceDiff, findings: &[Finding]) -> Vec<Opinion> {
        let mut opinions: Vec<Opinion> = diff
            .differences
            .iter()
            .map(|difference| self.judge(diff, difference, findings))
            .collect();
        if opinions
            .iter()
            .any(|opinion| opinion.verdict == Verdict::Revert)
        {
            for opinion in &mut opinions {
                if is_rule_text(&opinion.difference) && opinion.may_come_back() {
                    opinion.verdict = Verdict::Revert;
                    opinion.reasons.insert(
                        0,
                        "the group is being put back, its approved descriptions and rule tags with it".into(),
                    );
                }
            }
        }
        opinions
    }

    fn judge(&self, diff: &ResourceDiff, difference: &Difference, findings: &[Finding]) -> Opinion {
        let element = difference.element();
        let mut findings: Vec<Finding> = findings
            .iter()
            .filter(|finding| finding.subject == diff.resource && finding.element == element)
            .cloned()
            .collect();
        findings.sort_by_key(|finding| Reverse(finding.severity));
        let opinion = |verdict, reasons, restorable| Opinion {
            difference: difference.clone(),
            findings: findings.clone(),
            verdict,
            reasons,
            restorable,
        };
        if let Some(why) = self.out_of_scope(diff) {
            return opinion(Verdict::Ignore, vec![why], false);
        }
        let because = self.why_back(diff, difference, &findings);
        let obstacle = self.obstacle(diff, difference);
        let restorable = obstacle.is_none();
        let mut reasons = Vec::new();
        if let Some(obstacle) = obstacle {
            reasons.push(format!("it is not put back: {obstacle}"));
        }
        let verdict = if because.is_empty() {
            reasons.extend(findings.iter().map(|finding| finding.meaning.clone()));
            if restorable {
                reasons.push(why_stays(difference).into());
            }
            Verdict::Alert
        } else if restorable {
            Verdict::Revert
        } else {
            Verdict::Alert
        };
        reasons.extend(because);
        reasons.extend(self.only_live_opts_out(diff));
        reasons.extend(self.made_by(diff, difference));
        opinion(verdict, reasons, restorable)
    }

    fn out_of_scope(&self, diff: &ResourceDiff) -> Option<String> {
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

    /// Why it should be taken back, most important first; empty when it may stay.
    fn why_back(
        &self,
        diff: &ResourceDiff,
        difference: &Difference,
        findings: &[Finding],
    ) -> Vec<String> {
        let harm = findings
            .iter()
            .filter(|finding| finding.harm != Harm::None && finding.severity >= Severity::High)
            .map(|finding| finding.meaning.clone());
        let strict = (self.mode == Mode::Strict)
            .then(|| "strict mode takes back every untrusted difference".to_owned());
        harm.chain(self.lost_approval(diff, difference))
            .chain(strict)
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
            Difference::Rule { .. }
            | Difference::Entry { .. }
            | Difference::Route { .. }
            | Difference::Association { .. }
            | Difference::Tag { .. }
            | Difference::Deleted { .. }
            | Difference::Unreviewed { .. } => return None,
        };
        Some(words.to_owned())
    }

    /// The approved rule that was changed in place into `rule`: one rule id, two contents.
    fn rewritten(
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

    /// Whether the subnet existed when the baselines were captured.
    pub(super) fn knew(&self, subnet: &SubnetId) -> bool {
        self.baselines.topology.subnets.contains_key(subnet)
    }

    /// Who made it, where the event that led here names this element.
    fn made_by(&self, diff: &ResourceDiff, difference: &Difference) -> Option<String> {
        let change = self.change?;
        let Edits::Known(edits) = &change.edits else {
            return None;
        };
        let element = difference.element();
        let named = edits
            .iter()
            .any(|edit| self.names(edit, &diff.resource, &element));
        named.then(|| {
            format!(
                "{} by {:?} at {} made it, who is not trusted to",
                change.api, change.actor.principal, change.at
            )
        })
    }

    fn names(&self, edit: &Edit, resource: &ResourceId, element: &Element) -> bool {
        let group = |named: &GroupRef| match named {
            GroupRef::Id(id) => resource.as_str() == id.as_str(),
            GroupRef::Name(name) => matches!(
                self.baselines.state(resource),
                Some(Resource::SecurityGroup(group)) if group.name.as_ref() == Some(name)
            ),
        };
        let rule = |named: &RuleRef| match (named, element) {
            (RuleRef::Key(key), Element::Rule(rule)) => key == rule,
            (RuleRef::Id(id), Element::Rule(rule)) => self.is_rule(id, rule),
            _ => false,
        };
        let table = |id: &RouteTableId| resource.as_str() == id.as_str();
        let acl = |id: &NetworkAclId| resource.as_str() == id.as_str();
        let subject = |id: &AssociationId| {
            let handle = self
                .baselines
                .association(id)
                .or_else(|| self.live.handles.associations.get(id));
            handle.is_some_and(|handle| match (&handle.subject, element) {
                (AssociationSubject::Subnet(subnet), Element::Subnet(moved)) => subnet == moved,
                (AssociationSubject::Gateway(gateway), Element::Edge(moved)) => gateway == moved,
                (AssociationSubject::Main(_), Element::Main) => true,
                _ => false,
            } && handle.resource.kind() == resource.kind())
        };
        match edit {
            Edit::RuleAdded {
                group: named, rule, ..
            } => group(named) && *element == Element::Rule(rule.clone()),
            Edit::RuleRemoved {
                group: named,
                rule: gone,
            } => group(named) && rule(gone),
            Edit::RuleDescribed {
                group: named,
                rule: told,
                ..
            } => group(named) && rule(told),
            Edit::RuleModified {
                group: named, id, ..
            } => group(named) && rule(&RuleRef::Id(id.clone())),
            Edit::EntrySet { acl: id, key, .. } | Edit::EntryRemoved { acl: id, key } => {
                acl(id) && *element == Element::Entry(*key)
            }
            Edit::RouteSet {
                table: id,
                destination,
                ..
            }
            | Edit::RouteRemoved {
                table: id,
                destination,
            } => table(id) && *element == Element::Route(destination.clone()),
            Edit::PropagationSet {
                table: id, gateway, ..
            } => table(id) && *element == Element::Propagation(gateway.clone()),
            Edit::AclReassociated { association, .. }
            | Edit::TableReassociated { association, .. }
            | Edit::TableDisassociated { association } => subject(association),
            Edit::TableAssociated {
                table: id, subject, ..
            } => match subject {
                AssociationSubject::Subnet(subnet) => {
                    resource.kind() == Kind::RouteTable
                        && *element == Element::Subnet(subnet.clone())
                }
                AssociationSubject::Gateway(gateway) => {
                    table(id) && *element == Element::Edge(gateway.clone())
                }
                AssociationSubject::Main(_) => false,
            },
            Edit::Created { .. } | Edit::Deleted { .. } => *element == Element::Existence,
        }
    }

    fn is_rule(&self, id: &SecurityGroupRuleId, rule: &RuleKey) -> bool {
        let known = self
            .baselines
            .by_id
            .values()
            .map(|baseline| &baseline.handles);
        known
            .chain([&self.live.handles])
            .filter_map(|handles| handles.rules.get(id))
            .any(|handle| handle.rule == *rule)
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

/// Whether a difference can matter to a packet.
pub(super) fn moves_packets(difference: &Difference) -> bool {
    !is_rule_text(difference) && !matches!(difference, Difference::Tag { .. })
}

fn why_stays(difference: &Difference) -> &'static str {
    if moves_packets(difference) {
        "an addition that nothing finds dangerous: it stays until it is accepted or taken back"
    } else {
        "text only, it moves no packet: it stays until it is accepted or taken back"
    }
}
