//! Folding a trusted change into the baselines, element by element.

mod held;
mod resolve;

use super::Fold;
use crate::change::{Change, DeletedRef, Edit, Edits, GroupRef};
use ipnet::{IpNet, Ipv6Net};
use snapback_model::*;
use std::collections::BTreeMap;

/// The content that an edit gave one element.
#[derive(Clone)]
enum Content {
    /// A rule, or its absence.
    Rule(Option<RuleDetail>),
    /// The description of a rule that is there.
    RuleText(Option<String>),
    /// An entry, or its absence.
    Entry(Option<NetworkAclEntry>),
    /// A route's target, or no route.
    Route(Option<RouteTarget>),
    /// Propagation on or off.
    Propagation(bool),
}

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
    now: BTreeMap<ResourceId, Baseline>,
    fold: Fold,
}

/// Folds a trusted change.
pub(super) fn fold(change: &Change, baselines: &Baselines, live: &Snapshot) -> Fold {
    let mut folding = Folding {
        change,
        before: baselines,
        live,
        now: BTreeMap::new(),
        fold: Fold::default(),
    };
    match &change.edits {
        Edits::Context => {}
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
                    self.rule_set(group, rule.clone(), detail, id.as_ref());
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
            | Edit::PropagationSet { .. } => {
                if let Some((id, element, content)) = plain(edit) {
                    self.set(&id, element, content);
                }
            }
            Edit::AclReassociated { .. }
            | Edit::TableAssociated { .. }
            | Edit::TableDisassociated { .. }
            | Edit::TableReassociated { .. } => self.reassociate(edit),
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
        if mark.is_some_and(|mark| mark.event == self.change.event) {
            return Standing::Superseded("this event is folded in already".into());
        }
        let newest = mark.map(|mark| mark.at).max(baseline.known_since());
        self.against(newest)
    }

    /// Whether the baseline's last full read was before this event.
    fn is_since_capture(&self, id: &ResourceId) -> bool {
        let read = self.before.by_id.get(id).and_then(Baseline::known_since);
        matches!(self.against(read), Standing::Newest)
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
    fn is_due(&mut self, what: &str, standing: Standing, live_agrees: Option<bool>) -> bool {
        match (standing, live_agrees) {
            (Standing::Newest, _) | (Standing::SameSecond, Some(true)) => true,
            (Standing::SameSecond, Some(false)) => {
                self.supersede(what, "another state of the same second stands in live");
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
        if self.before.by_id.contains_key(id) && !self.is_due(&what, standing, agrees) {
            return false;
        }
        let mark = self.mark();
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
        Mark {
            at: self.change.at,
            event: self.change.event.clone(),
        }
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

    fn deleted(&mut self, id: &ResourceId) {
        let gone = self
            .live
            .covers(id, None)
            .then(|| !self.live.resources.contains_key(id));
        let standing = self.standing(id, &Element::Existence);
        if !self.is_due(&id.to_string(), standing, gone) {
            return;
        }
        let mut baseline = match self.baseline(id) {
            Some(baseline) => baseline.clone(),
            // A tombstone: the event of its creation may still come.
            None => self.new_baseline(id),
        };
        baseline.state = None;
        baseline.marks.insert(Element::Existence, self.mark());
        self.now.insert(id.clone(), baseline);
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

/// An empty description is none.
fn told(description: Option<&String>) -> Option<String> {
    description.filter(|text| !text.is_empty()).cloned()
}

/// The element and content of an edit that names its resource and element itself.
fn plain(edit: &Edit) -> Option<(ResourceId, Element, Content)> {
    Some(match edit {
        Edit::EntrySet { acl, key, entry } => {
            let content = Content::Entry(Some(entry.clone()));
            (acl.clone().into(), Element::Entry(*key), content)
        }
        Edit::EntryRemoved { acl, key } => (
            acl.clone().into(),
            Element::Entry(*key),
            Content::Entry(None),
        ),
        Edit::RouteSet {
            table,
            destination,
            target,
        } => {
            let content = Content::Route(Some(target.clone()));
            (
                table.clone().into(),
                Element::Route(destination.clone()),
                content,
            )
        }
        Edit::RouteRemoved { table, destination } => (
            table.clone().into(),
            Element::Route(destination.clone()),
            Content::Route(None),
        ),
        Edit::PropagationSet {
            table,
            gateway,
            enabled,
        } => {
            let content = Content::Propagation(*enabled);
            (
                table.clone().into(),
                Element::Propagation(gateway.clone()),
                content,
            )
        }
        _ => return None,
    })
}

/// Whether a state shows an element as an edit made it.
fn shows(found: &Resource, element: &Element, content: &Content) -> bool {
    match (found, element, content) {
        (Resource::SecurityGroup(group), Element::Rule(rule), Content::Rule(made)) => {
            let description = |detail: &RuleDetail| detail.description.clone();
            group.rules.get(rule).map(description) == made.as_ref().map(description)
        }
        (Resource::SecurityGroup(group), Element::Rule(rule), Content::RuleText(text)) => group
            .rules
            .get(rule)
            .is_some_and(|detail| detail.description == *text),
        (Resource::NetworkAcl(acl), Element::Entry(key), Content::Entry(made)) => {
            acl.entries.get(key) == made.as_ref()
        }
        (Resource::RouteTable(table), Element::Route(destination), Content::Route(made)) => {
            let route = table
                .routes
                .get(destination)
                .filter(|route| route.origin != RouteOrigin::Propagated);
            route.map(|route| &route.target) == made.as_ref()
        }
        (Resource::RouteTable(table), Element::Propagation(gateway), Content::Propagation(on)) => {
            table.propagating.contains(gateway) == *on
        }
        (_, _, _) => false,
    }
}

/// Puts the content of an element into a state. False where a description has no rule to stand on.
fn put(state: Option<&mut Resource>, element: &Element, content: Content) -> bool {
    match (state, element, content) {
        (Some(Resource::SecurityGroup(group)), Element::Rule(rule), Content::Rule(made)) => {
            match made {
                Some(detail) => group.rules.insert(rule.clone(), detail),
                None => group.rules.remove(rule),
            };
        }
        (Some(Resource::SecurityGroup(group)), Element::Rule(rule), Content::RuleText(text)) => {
            match group.rules.get_mut(rule) {
                Some(detail) => detail.description = text,
                None => return false,
            }
        }
        (Some(Resource::NetworkAcl(acl)), Element::Entry(key), Content::Entry(made)) => {
            match made {
                Some(entry) => acl.entries.insert(*key, entry),
                None => acl.entries.remove(key),
            };
        }
        (Some(Resource::RouteTable(table)), Element::Route(destination), Content::Route(made)) => {
            let was = table.routes.get(destination).map(|route| route.origin);
            match made {
                Some(target) => {
                    let mut route = Route::created(target);
                    // The local route stays the table's own wherever it leads (semantics A4).
                    if was == Some(RouteOrigin::Table) || route.target == RouteTarget::Local {
                        route.origin = RouteOrigin::Table;
                    }
                    table.routes.insert(destination.clone(), route);
                }
                None if was != Some(RouteOrigin::Propagated) => {
                    table.routes.remove(destination);
                }
                None => {}
            }
        }
        (
            Some(Resource::RouteTable(table)),
            Element::Propagation(gateway),
            Content::Propagation(on),
        ) => {
            if on {
                table.propagating.insert(gateway.clone());
            } else {
                table.propagating.remove(gateway);
            }
        }
        (_, _, _) => {}
    }
    true
}
