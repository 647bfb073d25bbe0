//! Random histories of trusted changes, delivered late, doubled and out of order.

use super::*;
use crate::change::{GroupRef, RuleRef};
use crate::fixture::*;
use crate::verdict::fold;
use proptest::prelude::*;
use proptest::sample::Index;

/// What a trusted principal does next; indexes pick among what is there.
#[derive(Debug, Clone)]
enum Act {
    AddRule(RuleKey, RuleDetail),
    RemoveRule(Index),
    ModifyRule(Index, RuleKey),
    DescribeRule(Index, RuleDetail),
    SetEntry(EntryKey, NetworkAclEntry),
    RemoveEntry(EntryKey),
    SetRoute(Destination, RouteTarget),
    RemoveRoute(Destination),
    Propagate(bool),
    MoveAcl(Index),
    MoveTable(Index, Index),
    Disassociate(Index),
    MoveMain(Index),
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (rule_keys(), details()).prop_map(|(key, detail)| Act::AddRule(key, detail)),
        2 => any::<Index>().prop_map(Act::RemoveRule),
        3 => (any::<Index>(), rule_keys()).prop_map(|(index, key)| Act::ModifyRule(index, key)),
        1 => (any::<Index>(), details()).prop_map(|(index, detail)| Act::DescribeRule(index, detail)),
        2 => (entry_keys(), entries()).prop_map(|(key, entry)| Act::SetEntry(key, entry)),
        1 => entry_keys().prop_map(Act::RemoveEntry),
        2 => (destinations(), targets()).prop_map(|(to, target)| Act::SetRoute(to, target)),
        1 => destinations().prop_map(Act::RemoveRoute),
        1 => any::<bool>().prop_map(Act::Propagate),
        2 => any::<Index>().prop_map(Act::MoveAcl),
        2 => any::<(Index, Index)>().prop_map(|(subnet, table)| Act::MoveTable(subnet, table)),
        1 => any::<Index>().prop_map(Act::Disassociate),
        1 => any::<Index>().prop_map(Act::MoveMain),
    ]
}

const TABLES: [&str; 3] = [MAIN, PRIVATE, "rtb-other"];
const SUBNETS: [&str; 3] = ["subnet-1", "subnet-2", "subnet-3"];

/// The account as EC2 has it, and the number of the last id.
struct Truth {
    state: Snapshot,
    ids: usize,
    /// Contents that a rule was modified from or to: none of them comes back under another id.
    modified: BTreeSet<RuleKey>,
    /// Contents that a rule was added with.
    added: BTreeSet<RuleKey>,
    /// Targets that are gone for good: EC2 refuses routes to them.
    dead: Vec<RouteTarget>,
}

impl Truth {
    fn new(mut state: Snapshot) -> Self {
        table(&mut state, PRIVATE)
            .routes
            .retain(|_, route| route.origin != RouteOrigin::Propagated);
        let routes = table(&mut state, PRIVATE).routes.values();
        let dead = routes.filter(|route| route.blackhole);
        let mut truth = Self {
            dead: dead.map(|route| route.target.clone()).collect(),
            state,
            ids: 0,
            modified: BTreeSet::new(),
            added: BTreeSet::new(),
        };
        for rule in truth.rules() {
            truth.added.insert(rule.clone());
            truth.name_rule(&rule);
        }
        for resource in truth.state.resources.values().cloned().collect::<Vec<_>>() {
            let (subnets, main) = match &resource {
                Resource::NetworkAcl(acl) => (&acl.subnets, false),
                Resource::RouteTable(table) => (&table.subnets, table.main),
                Resource::SecurityGroup(_) => continue,
            };
            for subnet in subnets {
                truth.name_association(
                    resource.id().as_str(),
                    AssociationSubject::Subnet(subnet.clone()),
                );
            }
            if main {
                truth.name_association(
                    resource.id().as_str(),
                    AssociationSubject::Main("vpc-1".into()),
                );
            }
        }
        truth
    }

    fn rules(&mut self) -> Vec<RuleKey> {
        rules(&mut self.state, WEB).keys().cloned().collect()
    }

    fn pick(&mut self, index: Index) -> Option<RuleKey> {
        let rules = self.rules();
        (!rules.is_empty()).then(|| index.get(&rules).clone())
    }

    fn name_rule(&mut self, rule: &RuleKey) -> SecurityGroupRuleId {
        self.ids += 1;
        let id = SecurityGroupRuleId::new(format!("sgr-{}", self.ids));
        let handle = RuleHandle {
            group: WEB.into(),
            rule: rule.clone(),
        };
        self.state.handles.rules.insert(id.clone(), handle);
        id
    }

    fn name_association(&mut self, holder: &str, subject: AssociationSubject) -> AssociationId {
        self.ids += 1;
        let id = AssociationId::new(format!("assoc-{}", self.ids));
        let handle = AssociationHandle {
            resource: holder.parse().unwrap(),
            subject,
        };
        self.state.handles.associations.insert(id.clone(), handle);
        id
    }

    /// The association that a call ends.
    fn end(&mut self, kind: Kind, subject: &AssociationSubject) -> Option<AssociationId> {
        let id = self.state.handles.association_id(kind, subject).cloned()?;
        self.state.handles.associations.remove(&id);
        Some(id)
    }

    /// What EC2 does, and the edit its event tells; nothing where the call would fail.
    fn act(&mut self, act: Act) -> Option<Edit> {
        match act {
            Act::AddRule(..) | Act::RemoveRule(_) | Act::ModifyRule(..) | Act::DescribeRule(..) => {
                self.rule_act(act)
            }
            Act::MoveAcl(_) | Act::MoveTable(..) | Act::Disassociate(_) | Act::MoveMain(_) => {
                self.move_act(act)
            }
            _ => self.plain_act(act),
        }
    }

    fn rule_act(&mut self, act: Act) -> Option<Edit> {
        let group = GroupRef::Id(WEB.into());
        let present = self.rules();
        Some(match act {
            Act::AddRule(rule, mut detail) => {
                detail.tags = None;
                if present.contains(&rule) || self.modified.contains(&rule) {
                    return None;
                }
                self.added.insert(rule.clone());
                rules(&mut self.state, WEB).insert(rule.clone(), detail.clone());
                let id = Some(self.name_rule(&rule));
                Edit::RuleAdded {
                    group,
                    rule,
                    detail,
                    id,
                }
            }
            Act::RemoveRule(index) => {
                let rule = self.pick(index)?;
                rules(&mut self.state, WEB).remove(&rule);
                self.state
                    .handles
                    .rules
                    .retain(|_, handle| handle.rule != rule);
                Edit::RuleRemoved {
                    group,
                    rule: RuleRef::Key(rule),
                }
            }
            Act::ModifyRule(index, mut new) => {
                let old = self.pick(index)?;
                new.direction = old.direction;
                if self.added.contains(&new) || !self.modified.insert(new.clone()) {
                    return None;
                }
                self.modified.insert(old.clone());
                let id = self.state.handles.rule_id(&WEB.into(), &old)?.clone();
                let mut detail = rules(&mut self.state, WEB).remove(&old)?;
                detail.description = None;
                rules(&mut self.state, WEB).insert(new.clone(), detail);
                let handle = RuleHandle {
                    group: WEB.into(),
                    rule: new.clone(),
                };
                self.state.handles.rules.insert(id.clone(), handle);
                Edit::RuleModified {
                    group,
                    id,
                    traffic: new.traffic,
                    peer: new.peer,
                    description: None,
                }
            }
            Act::DescribeRule(index, RuleDetail { description, .. }) => {
                let rule = self.pick(index)?;
                rules(&mut self.state, WEB).get_mut(&rule)?.description = description.clone();
                Edit::RuleDescribed {
                    group,
                    rule: RuleRef::Key(rule),
                    description,
                }
            }
            _ => return None,
        })
    }

    fn plain_act(&mut self, act: Act) -> Option<Edit> {
        Some(match act {
            Act::SetEntry(key, entry) => {
                acl(&mut self.state, ACL).entries.insert(key, entry.clone());
                Edit::EntrySet {
                    acl: ACL.into(),
                    key,
                    entry,
                }
            }
            Act::RemoveEntry(key) => {
                acl(&mut self.state, ACL).entries.remove(&key)?;
                Edit::EntryRemoved {
                    acl: ACL.into(),
                    key,
                }
            }
            Act::SetRoute(_, target) if self.dead.contains(&target) => return None,
            Act::SetRoute(destination, target) => {
                let route = Route::created(target.clone());
                table(&mut self.state, PRIVATE)
                    .routes
                    .insert(destination.clone(), route);
                Edit::RouteSet {
                    table: PRIVATE.into(),
                    destination,
                    target,
                }
            }
            Act::RemoveRoute(destination) => {
                table(&mut self.state, PRIVATE)
                    .routes
                    .remove(&destination)?;
                Edit::RouteRemoved {
                    table: PRIVATE.into(),
                    destination,
                }
            }
            Act::Propagate(enabled) => {
                let propagating = &mut table(&mut self.state, PRIVATE).propagating;
                if enabled {
                    propagating.insert("vgw-1".into());
                } else {
                    propagating.remove(&"vgw-1".into());
                }
                Edit::PropagationSet {
                    table: PRIVATE.into(),
                    gateway: "vgw-1".into(),
                    enabled,
                }
            }
            _ => return None,
        })
    }

    fn move_act(&mut self, act: Act) -> Option<Edit> {
        Some(match act {
            Act::MoveAcl(index) => {
                let subnet = *index.get(&SUBNETS);
                let subject = AssociationSubject::Subnet(subnet.into());
                let from = self.state.acl_of(&subnet.into())?.to_string();
                let to = if from == ACL { OTHER_ACL } else { ACL };
                move_subnet(&mut self.state, subnet, Some(&from), Some(to));
                let association = self.end(Kind::NetworkAcl, &subject)?;
                let new_association = Some(self.name_association(to, subject));
                Edit::AclReassociated {
                    association,
                    acl: to.into(),
                    new_association,
                }
            }
            Act::MoveTable(index, table) => {
                let (subnet, to) = (*index.get(&SUBNETS), *table.get(&TABLES));
                let subject = AssociationSubject::Subnet(subnet.into());
                let from = self
                    .state
                    .explicit_table_of(&subnet.into())
                    .map(ToString::to_string);
                if from.as_deref() == Some(to) {
                    return None;
                }
                move_subnet(&mut self.state, subnet, from.as_deref(), Some(to));
                let old = self.end(Kind::RouteTable, &subject);
                let new = Some(self.name_association(to, subject.clone()));
                match old {
                    Some(association) => Edit::TableReassociated {
                        association,
                        table: to.into(),
                        new_association: new,
                    },
                    None => Edit::TableAssociated {
                        table: to.into(),
                        subject,
                        association: new,
                    },
                }
            }
            Act::Disassociate(index) => {
                let subnet = *index.get(&SUBNETS);
                let from = self.state.explicit_table_of(&subnet.into())?.to_string();
                move_subnet(&mut self.state, subnet, Some(&from), None);
                let association =
                    self.end(Kind::RouteTable, &AssociationSubject::Subnet(subnet.into()))?;
                Edit::TableDisassociated { association }
            }
            Act::MoveMain(index) => {
                let to = *index.get(&TABLES);
                let from = self.state.main_table_of(&"vpc-1".into())?.to_string();
                if from == to {
                    return None;
                }
                table(&mut self.state, &from).main = false;
                table(&mut self.state, to).main = true;
                let subject = AssociationSubject::Main("vpc-1".into());
                let association = self.end(Kind::RouteTable, &subject)?;
                let new_association = Some(self.name_association(to, subject));
                Edit::TableReassociated {
                    association,
                    table: to.into(),
                    new_association,
                }
            }
            _ => return None,
        })
    }
}

/// Folds events as they come; the premature ones come again later, as a queue delivers them.
fn deliver(baselines: &mut Baselines, live: &Snapshot, mut events: Vec<Change>) {
    while !events.is_empty() {
        let mut later = Vec::new();
        let count = events.len();
        for event in events {
            let folded = fold(&event, baselines, live);
            for baseline in folded.updated {
                let before = &baselines.by_id[&baseline.id];
                assert_eq!(baseline.generation, before.generation.next());
                assert_eq!(baseline.parent, Some(before.digest()));
                baselines.by_id.insert(baseline.id.clone(), baseline);
            }
            if folded.premature {
                later.push(event);
            } else {
                assert_eq!(folded.refused, Vec::<String>::new());
            }
        }
        if later.len() == count {
            break;
        }
        events = later;
    }
}

/// Without the tags of rules, which the events of this test do not tell.
fn without_tags(mut resource: Resource) -> Resource {
    if let Resource::SecurityGroup(group) = &mut resource {
        group
            .rules
            .values_mut()
            .for_each(|detail| detail.tags = None);
    }
    resource
}

fn states(baselines: &Baselines) -> Vec<Resource> {
    let states = baselines
        .by_id
        .values()
        .map(|baseline| baseline.state.clone().unwrap());
    states.map(without_tags).collect()
}

proptest! {
    #[test]
    fn late_doubled_and_shuffled_events_give_the_baseline_of_the_events_in_order(
        start in snapshots(),
        acts in proptest::collection::vec(acts(), 1..14),
        order in proptest::collection::vec(any::<u32>(), 28),
    ) {
        let mut truth = Truth::new(start);
        let mut baselines = captured(&truth.state);
        let events: Vec<Change> = acts
            .into_iter()
            .filter_map(|act| truth.act(act))
            .enumerate()
            .map(|(second, edit)| change(i64::try_from(second).unwrap() + 1, vec![edit]))
            .collect();
        // A stranger was there too: nothing of it may come into a baseline.
        let mut live = truth.state.clone();
        rules(&mut live, WEB).insert(rule("ingress protocol:47 192.0.2.0/24"), detail(None));
        acl(&mut live, ACL).entries.insert(key("ingress 9999"), entry("allow all 192.0.2.0/24"));
        let mut doubled: Vec<(u32, Change)> =
            order.into_iter().zip(events.iter().chain(&events).cloned()).collect();
        doubled.sort_by_key(|(place, _)| *place);
        deliver(&mut baselines, &live, doubled.into_iter().map(|(_, event)| event).collect());
        let expected: Vec<Resource> = truth.state.resources.into_values().map(without_tags).collect();
        prop_assert_eq!(states(&baselines), expected);
        let settled = baselines.clone();
        deliver(&mut baselines, &live, events);
        prop_assert_eq!(baselines, settled, "folding again changes nothing, not even a generation");
    }
}

fn moves() -> impl Strategy<Value = Act> {
    prop_oneof![
        any::<Index>().prop_map(Act::MoveAcl),
        any::<(Index, Index)>().prop_map(|(subnet, table)| Act::MoveTable(subnet, table)),
        any::<Index>().prop_map(Act::MoveMain),
    ]
}

proptest! {
    /// Whatever a stranger, or we, moved since: live does not decide where events tell the order.
    #[test]
    fn moves_of_one_second_stand_in_the_order_of_their_associations(
        start in snapshots(),
        acts in proptest::collection::vec(moves(), 1..10),
        since in proptest::collection::vec(moves(), 0..3),
        order in proptest::collection::vec(any::<u32>(), 20),
    ) {
        let mut truth = Truth::new(start);
        let mut baselines = captured(&truth.state);
        let edits: Vec<Edit> = acts.into_iter().filter_map(|act| truth.act(act)).collect();
        let events = edits.into_iter().enumerate().map(|(number, edit)| {
            let mut event = change(1, vec![edit]);
            event.event = EventId::new(format!("move-{number}"));
            event
        });
        let events: Vec<Change> = events.collect();
        let expected = truth.state.resources.clone();
        for act in since {
            truth.act(act);
        }
        let live = truth.state;
        let mut doubled: Vec<(u32, Change)> =
            order.into_iter().zip(events.iter().chain(&events).cloned()).collect();
        doubled.sort_by_key(|(place, _)| *place);
        deliver(&mut baselines, &live, doubled.into_iter().map(|(_, event)| event).collect());
        let expected: Vec<Resource> = expected.into_values().map(without_tags).collect();
        prop_assert_eq!(states(&baselines), expected);
        let settled = states(&baselines);
        deliver(&mut baselines, &live, events);
        prop_assert_eq!(states(&baselines), settled);
    }
}
