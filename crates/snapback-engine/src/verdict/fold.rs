//! Folding a trusted change into the baselines, element by element.

mod content;
mod gone;
mod held;
mod resolve;

use super::{Fold, Overruled};
use crate::change::{Change, DeletedRef, Edit, Edits, GroupRef};
use content::{Content, plain, put, shows, told};
use ipnet::{IpNet, Ipv6Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

/// How an edit stands in time to what a baseline knows of its element.
enum Standing {
    /// It is the newest.
    Newest,
    /// Nothing tells the order: live decides.
    SameSecond,
    /// Something newer covers it.
    Superseded(String),
}

struct Folding<'a> {
    change: &'a Change,
    before: &'a Baselines,
    live: &'a Snapshot,
    /// A late event names what is gone by the id it had; rules name its successor now.
    lineage: Lineage,
    now: BTreeMap<ResourceId, Baseline>,
    fold: Fold,
}

/// What was made again in the place of what: guarded resources, and NAT gateways by their tags.
fn lineage(baselines: &Baselines) -> Lineage {
    let mut lineage = baselines.lineage();
    lineage.extend(&baselines.topology.lineage());
    lineage
}

/// Folds a trusted change.
pub(super) fn fold(change: &Change, baselines: &Baselines, live: &Snapshot) -> Fold {
    let mut folding = Folding {
        change,
        before: baselines,
        live,
        lineage: lineage(baselines),
        now: BTreeMap::new(),
        fold: Fold::default(),
    };
    match &change.edits {
        Edits::Context => folding.gateways_deleted(),
        Edits::Unknown { why } => folding.refuse(format!(
            "the event does not carry what was changed ({why}); live is not taken for it: capture again after a review"
        )),
        Edits::Known(edits) => {
            folding.rewrite_rules(edits);
            for edit in edits {
                folding.edit(edit);
            }
        }
    }
    folding.finish()
}

impl Folding<'_> {
    fn refuse(&mut self, why: String) {
        self.fold
            .refused
            .push(format!("{}: {why}", self.change.api));
    }

    fn supersede(&mut self, what: &str, why: &str) {
        self.fold
            .superseded
            .push(format!("{}: {what}: {why}", self.change.api));
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::RuleAdded {
                group,
                rule,
                detail,
                id,
            } => {
                if let Some(group) = self.group(group) {
                    let detail = RuleDetail {
                        description: told(detail.description.as_ref()),
                        tags: detail.tags.clone(),
                    };
                    let rule = rule.renamed(&self.lineage);
                    self.rule_set(group, rule, detail, id.as_ref());
                }
            }
            Edit::RuleRemoved { group, rule } => {
                if let Some((group, rule)) = self.rule(group, rule) {
                    self.set(&group.into(), Element::Rule(rule), Content::Rule(None));
                }
            }
            Edit::RuleDescribed {
                group,
                rule,
                description,
            } => {
                if let Some((group, rule)) = self.rule(group, rule) {
                    let text = Content::RuleText(told(description.as_ref()));
                    self.set(&group.into(), Element::Rule(rule), text);
                }
            }
            // All of a call at once: `rewrite_rules`.
            Edit::RuleModified { .. } => {}
            Edit::EntrySet { .. }
            | Edit::EntryRemoved { .. }
            | Edit::RouteSet { .. }
            | Edit::RouteRemoved { .. }
            | Edit::PropagationSet { .. }
            | Edit::TagSet { .. } => {
                if let Some((id, element, mut content)) = plain(edit) {
                    if let Content::Route(Some(target)) = &mut content {
                        *target = target.renamed(&self.lineage);
                    }
                    let to = match &element {
                        Element::Route(to) => Some(to.clone()),
                        _ => None,
                    };
                    self.set(&id, element, content);
                    if let Some(to) = to {
                        self.leads_to_what_is_gone(&id, &to);
                    }
                }
            }
            Edit::AclReassociated { .. }
            | Edit::TableAssociated { .. }
            | Edit::TableDisassociated { .. }
            | Edit::TableReassociated { .. } => self.reassociate(edit),
            Edit::TagRemoved {
                resource,
                key,
                value,
            } => self.untag(resource, key, value.as_ref()),
            Edit::Created { resource } => self.created(resource),
            Edit::Deleted { resource } => match resource {
                DeletedRef::Id(id) => self.deleted(id),
                DeletedRef::GroupNamed(name) => {
                    if let Some(group) = self.group(&GroupRef::Name(name.clone())) {
                        self.deleted(&group.into());
                    }
                }
            },
        }
    }

    /// The baseline as folded so far.
    fn baseline(&self, id: &ResourceId) -> Option<&Baseline> {
        self.now.get(id).or_else(|| self.before.by_id.get(id))
    }

    /// The baseline to fold into; refused where there is none, or its deletion was accepted.
    fn writable(&mut self, id: &ResourceId) -> Option<&mut Baseline> {
        match self.baseline(id) {
            None => {
                self.fold.premature = true;
                self.refuse(format!(
                    "no baseline knows {id}: the change is not accepted (capture it, or wait for the event of its creation)"
                ));
                None
            }
            Some(Baseline { state: None, .. }) => {
                self.refuse(format!(
                    "the deletion of {id} was accepted, yet a newer change edits it: capture it after a review"
                ));
                None
            }
            Some(baseline) => {
                let baseline = baseline.clone();
                Some(self.now.entry(id.clone()).or_insert(baseline))
            }
        }
    }

    /// How this event stands to what the baseline knew of an element before it.
    fn standing(&self, id: &ResourceId, element: &Element) -> Standing {
        let Some(baseline) = self.before.by_id.get(id) else {
            return Standing::Newest;
        };
        let mark = baseline.marks.get(element);
        if mark.is_some_and(|mark| mark.knows(&self.change.event)) {
            return Standing::Superseded("this event is folded in already".into());
        }
        let newest = mark.map(|mark| mark.at).max(baseline.known_since());
        self.against(newest)
    }

    /// How this event stands to the baseline's last full read.
    fn since_capture(&self, id: &ResourceId) -> Standing {
        let read = self.before.by_id.get(id).and_then(Baseline::known_since);
        self.against(read)
    }

    /// Events have a resolution of one second (semantics E), so times compare by seconds.
    fn against(&self, newest: Option<Timestamp>) -> Standing {
        let Some(newest) = newest else {
            return Standing::Newest;
        };
        match newest.as_second().cmp(&self.change.at.as_second()) {
            std::cmp::Ordering::Less => Standing::Newest,
            std::cmp::Ordering::Equal => Standing::SameSecond,
            std::cmp::Ordering::Greater => Standing::Superseded(format!(
                "the baseline knows its state at {newest}, after this event"
            )),
        }
    }

    /// Whether an edit is to be folded, given how it stands and what live shows of it.
    fn is_due(
        &mut self,
        what: &str,
        of: &BTreeSet<ResourceId>,
        standing: Standing,
        live_agrees: Option<bool>,
    ) -> bool {
        self.fold.by_live |= matches!((&standing, live_agrees), (Standing::SameSecond, Some(_)));
        match (standing, live_agrees) {
            (Standing::Newest, _) | (Standing::SameSecond, Some(true)) => true,
            (Standing::SameSecond, Some(false)) => {
                let why = "another state of the same second stands in live";
                self.fold.overruled.push(Overruled {
                    resources: of.clone(),
                    what: format!("{}: {what}: {why}", self.change.api),
                });
                false
            }
            (Standing::SameSecond, None) => {
                self.refuse(format!(
                    "{what}: the baseline knows another state of the same second, and live was not read to decide"
                ));
                false
            }
            (Standing::Superseded(why), _) => {
                self.supersede(what, &why);
                false
            }
        }
    }

    /// Gives one element of a resource its new content, if this event is the newest about it, and
    /// tells whether it did.
    fn set(&mut self, id: &ResourceId, element: Element, content: Content) -> bool {
        let what = format!("{id} {element}");
        let agrees = self
            .live
            .resources
            .get(id)
            .map(|found| shows(found, &element, &content));
        let standing = self.standing(id, &element);
        if self.before.by_id.contains_key(id)
            && !self.is_due(&what, &BTreeSet::from([id.clone()]), standing, agrees)
        {
            return false;
        }
        let mark = self.mark_upon(id, &element);
        let Some(baseline) = self.writable(id) else {
            return false;
        };
        let put = put(baseline.state.as_mut(), &element, content);
        if put {
            baseline.marks.insert(element, mark);
        } else {
            self.fold.premature = true;
            self.refuse(format!(
                "{what}: the baseline has no such rule, so its description is not folded in"
            ));
        }
        put
    }

    fn mark(&self) -> Mark {
        Mark::new(self.change.at, self.change.event.clone())
    }

    /// The mark that takes the place of another one.
    fn mark_upon(&self, id: &ResourceId, element: &Element) -> Mark {
        let mut mark = self.mark();
        let known = self.before.by_id.get(id);
        let known = known.and_then(|baseline| baseline.marks.get(element));
        if let Some(known) = known.filter(|known| known.at.as_second() == mark.at.as_second()) {
            mark.over = known.over.clone();
            mark.over.insert(known.event.clone());
        }
        mark
    }

    fn created(&mut self, resource: &Resource) {
        let id = resource.id();
        if self.before.by_id.contains_key(&id) {
            self.supersede(&id.to_string(), "a baseline knows it already");
            return;
        }
        let mut baseline = self.new_baseline(&id);
        baseline.vpc = resource.vpc().cloned();
        baseline.state = Some(self.as_born(resource));
        self.now.insert(id, baseline);
    }

    /// A group in a VPC with IPv6 is born with all egress of both families, and the event tells of
    /// neither (semantics A1): the IPv6 rule belongs to the birth where live shows it, unless the VPC
    /// is known to be without IPv6 (one group's read does not tell of its VPC).
    fn as_born(&self, resource: &Resource) -> Resource {
        let mut born = resource.clone();
        let known = resource.vpc().and_then(|vpc| {
            let live = self.live.topology.vpcs.get(vpc);
            live.or_else(|| self.before.context().vpcs.get(vpc))
        });
        let may_have_ipv6 = known.is_none_or(|vpc| {
            let mut networks = vpc.cidrs.iter();
            networks.any(|network| matches!(network, IpNet::V6(_)))
        });
        let twin = RuleKey {
            direction: Direction::Egress,
            traffic: Traffic::All,
            peer: Peer::cidr(Ipv6Net::default().into()),
        };
        if let (Resource::SecurityGroup(group), Some(Resource::SecurityGroup(found))) =
            (&mut born, self.live.resources.get(&resource.id()))
            && may_have_ipv6
            && found.rules.contains_key(&twin)
        {
            group.rules.entry(twin).or_default();
        }
        born
    }

    fn new_baseline(&self, id: &ResourceId) -> Baseline {
        Baseline {
            schema: BASELINE_SCHEMA,
            id: id.clone(),
            vpc: None,
            state: None,
            handles: Handles::default(),
            generation: Generation::default(),
            parent: None,
            provenance: self.provenance(Origin::Accepted),
            marks: BTreeMap::from([(Element::Existence, self.mark())]),
            predecessor: None,
            successor: None,
        }
    }

    fn provenance(&self, origin: Origin) -> Provenance {
        let actor = &self.change.actor;
        Provenance {
            origin,
            by: match &actor.person {
                Some(person) => format!("{} ({person})", actor.principal),
                None => actor.principal.clone(),
            },
            why: format!("{} by a trusted principal", self.change.api),
            at: self.change.at,
            event: Some(self.change.event.clone()),
        }
    }

    fn finish(mut self) -> Fold {
        for (id, mut baseline) in std::mem::take(&mut self.now) {
            let before = self.before.by_id.get(&id);
            if before == Some(&baseline) {
                continue;
            }
            baseline.generation = baseline.generation.next();
            let mut accepts = true;
            let mut origin = Origin::Accepted;
            if let Some(before) = before {
                baseline.parent = Some(before.digest());
                accepts = before.marks != baseline.marks || before.state != baseline.state;
                // A trusted edit does not review what else the sweep found there.
                if before.provenance.origin == Origin::Unreviewed {
                    origin = Origin::Unreviewed;
                }
            }
            if accepts {
                if let Some(before) = before {
                    baseline.keep_capture(before);
                }
                baseline.provenance = self.provenance(origin);
            }
            self.adopt_handles(&mut baseline);
            self.fold.updated.push(baseline);
        }
        self.fold
    }
}
