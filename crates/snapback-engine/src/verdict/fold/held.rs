//! What only one ACL or table can hold: subnets, gateways, being the main table. Moving one changes
//! the baselines of the holder that loses and of the one that gains.

use super::{Folding, Standing};
use crate::change::Edit;
use snapback_model::*;
use std::collections::BTreeSet;

/// A move of one subject to an ACL or table, or away from all explicit ones.
struct Move {
    kind: Kind,
    subject: AssociationSubject,
    /// The holder that the old association id names, where known.
    from: Option<ResourceId>,
    to: Option<ResourceId>,
    /// The associations that it ended and made.
    link: Link,
}

/// How a move stands to others of the same subject in the same second, by what each ended and made.
enum Turn {
    /// It came after all of them.
    Last,
    /// Another one ended what it made.
    Passed,
    /// A link between them is missing.
    Untold,
}

/// What a move meets.
struct Contest {
    /// The accepted moves of the same subject, by the holders that remember them.
    rivals: Vec<(ResourceId, Mark)>,
    turn: Turn,
    /// Every baseline that the move concerns: who holds the subject, who held it, who gets it.
    parties: BTreeSet<ResourceId>,
    /// Whether live shows the subject where the move put it; nothing where the read does not tell.
    agrees: Option<bool>,
}

impl Move {
    fn element(&self) -> Element {
        match &self.subject {
            AssociationSubject::Subnet(subnet) => Element::Subnet(subnet.clone()),
            AssociationSubject::Gateway(gateway) => Element::Edge(gateway.clone()),
            AssociationSubject::Main(_) => Element::Main,
        }
    }

    /// Whether it ended what nothing known tells of: the event of the move before it may be late.
    fn is_loose(&self) -> bool {
        self.link.ended.is_some() && self.from.is_none()
    }
}

impl Folding<'_> {
    pub(super) fn reassociate(&mut self, edit: &Edit) {
        let told = match edit {
            Edit::AclReassociated {
                association,
                acl,
                new_association,
            } => self.moved(
                Kind::NetworkAcl,
                association,
                Some(acl.clone().into()),
                new_association.as_ref(),
            ),
            Edit::TableReassociated {
                association,
                table,
                new_association,
            } => self.moved(
                Kind::RouteTable,
                association,
                Some(table.clone().into()),
                new_association.as_ref(),
            ),
            Edit::TableDisassociated { association } => {
                self.moved(Kind::RouteTable, association, None, None)
            }
            Edit::TableAssociated {
                table,
                subject,
                association,
            } => Some(Move {
                kind: Kind::RouteTable,
                subject: subject.clone(),
                from: None,
                to: Some(table.clone().into()),
                link: Link {
                    ended: None,
                    made: association.clone(),
                    after: 0,
                },
            }),
            _ => None,
        };
        if let Some(told) = told {
            self.hold(told);
        }
    }

    /// The event names an association id only: the baselines know what it was, else live, else the
    /// new id does.
    fn moved(
        &mut self,
        kind: Kind,
        association: &AssociationId,
        to: Option<ResourceId>,
        new: Option<&AssociationId>,
    ) -> Option<Move> {
        let known = |id: &AssociationId| {
            let worked_on = self
                .now
                .values()
                .find_map(|baseline| baseline.handles.associations.get(id));
            worked_on
                .or_else(|| self.before.association(id))
                .or_else(|| self.live.handles.associations.get(id))
                .filter(|handle| handle.resource.kind() == kind)
                .cloned()
        };
        let old = known(association);
        let Some(handle) = old.clone().or_else(|| new.and_then(known)) else {
            self.fold.premature = true;
            self.refuse(format!(
                "no baseline knows what {association} was, so the move is not accepted"
            ));
            return None;
        };
        Some(Move {
            kind,
            subject: handle.subject,
            from: old.map(|old| old.resource),
            to,
            link: Link {
                ended: Some(association.clone()),
                made: new.cloned(),
                after: 0,
            },
        })
    }

    fn hold(&mut self, mut told: Move) {
        self.fold.moves = true;
        let rivals = self.rivals(&told);
        let links = self.beside(&rivals).filter_map(|mark| mark.link.as_ref());
        let last = links.map(|link| link.after).max();
        told.link.after = last.map_or(0, |last| last.saturating_add(1));
        let contest = Contest {
            turn: self.turn(&told, &rivals),
            rivals,
            parties: self.parties(&told),
            agrees: self.live_agrees(&told),
        };
        if !self.is_newest_move(&told, &contest) {
            self.take_back(&told, &contest.parties);
            return;
        }
        for party in &contest.parties {
            self.hold_at(party, &told, &contest);
        }
    }

    /// One party gets the subject or loses it.
    fn hold_at(&mut self, party: &ResourceId, told: &Move, contest: &Contest) {
        let element = told.element();
        let here = told.to.as_ref() == Some(party);
        let state = self.baseline(party).map(|one| one.state.is_some());
        if !here && state == Some(false) {
            self.remember_move(told, party);
        }
        if !here && state != Some(true) {
            return;
        }
        let standing = match (&contest.turn, self.standing(party, &element)) {
            (Turn::Last, Standing::SameSecond) => self.since_capture(party),
            (_, standing) => standing,
        };
        let what = format!("{party} {element}");
        let (of, agrees) = (&contest.parties, contest.agrees);
        if state.is_some() && !self.is_due(&what, of, standing, agrees) {
            return;
        }
        let mark = self.mark_of(told);
        let Some(baseline) = self.writable(party) else {
            return;
        };
        baseline.marks.insert(element, mark);
        if let Some(state) = &mut baseline.state {
            set_held(state, &told.subject, here);
        }
        if let (true, Some(id)) = (here, &told.link.made) {
            let handle = AssociationHandle {
                resource: party.clone(),
                subject: told.subject.clone(),
            };
            baseline.handles.associations.insert(id.clone(), handle);
        }
    }

    /// This event put the subject here, and a newer move of it, folded side by side, another did not see
    /// that: both hold it, and the newer one is right.
    fn take_back(&mut self, told: &Move, parties: &BTreeSet<ResourceId>) {
        let Some(to) = &told.to else {
            return;
        };
        let holds = |id: &ResourceId| {
            let state = self.baseline(id).and_then(|one| one.state.as_ref());
            state.is_some_and(|state| is_held(state, &told.subject))
        };
        let elsewhere = parties.iter().any(|party| party != to && holds(party));
        let Some(baseline) = self.baseline(to).filter(|_| elsewhere && holds(to)) else {
            return;
        };
        let mark = baseline.marks.get(&told.element());
        if mark.is_some_and(|mark| mark.event == self.change.event) {
            let mut baseline = baseline.clone();
            if let Some(state) = &mut baseline.state {
                set_held(state, &told.subject, false);
            }
            self.now.insert(to.clone(), baseline);
        }
    }

    /// That a subject left what was deleted since changes no good state, and covers older moves of it
    /// that are still on their way.
    fn remember_move(&mut self, told: &Move, gone: &ResourceId) {
        let (element, mark) = (told.element(), self.mark_of(told));
        let Some(mut baseline) = self.baseline(gone).cloned() else {
            return;
        };
        let known = baseline.marks.get(&element);
        if known.is_none_or(|known| known.at < mark.at) {
            baseline.marks.insert(element, mark);
            self.now.insert(gone.clone(), baseline);
        }
    }

    fn parties(&self, told: &Move) -> BTreeSet<ResourceId> {
        let ids: BTreeSet<&ResourceId> = self.before.by_id.keys().chain(self.now.keys()).collect();
        let holders = ids.into_iter().filter(|id| {
            let state = self
                .baseline(id)
                .and_then(|baseline| baseline.state.as_ref());
            id.kind() == told.kind && state.is_some_and(|state| is_held(state, &told.subject))
        });
        holders.chain(&told.from).chain(&told.to).cloned().collect()
    }

    fn rivals(&self, told: &Move) -> Vec<(ResourceId, Mark)> {
        let element = told.element();
        let concerned = |baseline: &&Baseline| {
            baseline.id.kind() == told.kind
                && match &told.subject {
                    AssociationSubject::Main(vpc) => baseline.vpc.as_ref() == Some(vpc),
                    AssociationSubject::Subnet(_) | AssociationSubject::Gateway(_) => true,
                }
        };
        let known = self.before.by_id.values().filter(concerned);
        let marked =
            known.filter_map(|one| Some((one.id.clone(), one.marks.get(&element)?.clone())));
        // What this event did before is each holder's own question.
        marked
            .filter(|(_, mark)| mark.event != self.change.event)
            .collect()
    }

    /// Events have a resolution of one second (semantics E); the associations of moves tell more. Of
    /// accepted moves those that came `after` most are the newest.
    fn turn(&self, told: &Move, rivals: &[(ResourceId, Mark)]) -> Turn {
        let marks: Vec<&Mark> = self.beside(rivals).collect();
        let links: Vec<&Link> = marks.iter().filter_map(|mark| mark.link.as_ref()).collect();
        let (ended, made) = (told.link.ended.as_ref(), told.link.made.as_ref());
        if made.is_some() && links.iter().any(|link| link.ended.as_ref() == made) {
            return Turn::Passed;
        }
        let follows = |link: &Link| ended.is_some() && link.made.as_ref() == ended;
        // What a person decided in that second has no link.
        if links.len() < marks.len() || !links.iter().any(|link| follows(link)) {
            return Turn::Untold;
        }
        let last = links.iter().map(|link| link.after).max();
        let newest = links.iter().filter(|link| Some(link.after) == last);
        match (
            newest.clone().all(|link| follows(link)),
            newest.clone().any(|link| follows(link)),
        ) {
            (true, _) => Turn::Last,
            (false, true) => Turn::Untold,
            // What came after the move that it follows came after it too.
            (false, false) => Turn::Passed,
        }
    }

    /// The marks in the second of this move.
    fn beside<'r>(&self, rivals: &'r [(ResourceId, Mark)]) -> impl Iterator<Item = &'r Mark> {
        let second = self.change.at.as_second();
        let marks = rivals.iter().map(|(_, mark)| mark);
        marks.filter(move |mark| mark.at.as_second() == second)
    }

    /// A newer accepted move of the same subject, on whichever holder, covers this one.
    fn is_newest_move(&mut self, told: &Move, contest: &Contest) -> bool {
        let Contest {
            rivals,
            turn,
            parties,
            agrees,
        } = contest;
        let element = told.element();
        let what = match &told.to {
            Some(to) => format!("{element} to {to}"),
            None => format!("{element} to the main table"),
        };
        let newest = rivals.iter().map(|(_, mark)| mark.at).max();
        // Live may show it elsewhere because we took it from where another move had put it.
        let last = rivals.iter().filter(|(_, mark)| Some(mark.at) == newest);
        let of = last.map(|(id, _)| id.clone()).chain(parties.clone());
        let standing = match (self.against(newest), turn) {
            (Standing::SameSecond, Turn::Last) => Standing::Newest,
            (Standing::SameSecond, Turn::Passed) => Standing::Superseded(
                "another move of the same second went on from where it had led".into(),
            ),
            (Standing::SameSecond, Turn::Untold) if *agrees != Some(true) && told.is_loose() => {
                self.fold.premature = true;
                self.refuse(format!(
                    "{what}: the baseline knows another move of the same second, and no event tells which of them was first"
                ));
                return false;
            }
            (standing, _) => standing,
        };
        self.is_due(&what, &of.collect(), standing, *agrees)
    }

    fn mark_of(&self, told: &Move) -> Mark {
        Mark {
            link: Some(told.link.clone()),
            ..self.mark()
        }
    }

    /// Whether the association that live shows is the one that the move made, as far as both are known:
    /// another one may have led back there.
    fn is_by(&self, told: &Move) -> bool {
        let now = self.live.handles.association_id(told.kind, &told.subject);
        let made = told.link.made.as_ref();
        now.is_none() || made.is_none() || now == made
    }

    fn live_agrees(&self, told: &Move) -> Option<bool> {
        match &told.to {
            Some(to) => self
                .live
                .resources
                .get(to)
                .map(|found| is_held(found, &told.subject) && self.is_by(told)),
            None => {
                let from = told.from.as_ref()?;
                let vpc = self
                    .baseline(from)
                    .and_then(|baseline| baseline.vpc.as_ref());
                self.live.covers(from, vpc).then(|| {
                    let mut tables = self
                        .live
                        .resources
                        .values()
                        .filter(|found| found.kind() == told.kind);
                    !tables.any(|found| is_held(found, &told.subject))
                })
            }
        }
    }
}

fn is_held(state: &Resource, subject: &AssociationSubject) -> bool {
    match (state, subject) {
        (Resource::NetworkAcl(acl), AssociationSubject::Subnet(subnet)) => {
            acl.subnets.contains(subnet)
        }
        (Resource::RouteTable(table), AssociationSubject::Subnet(subnet)) => {
            table.subnets.contains(subnet)
        }
        (Resource::RouteTable(table), AssociationSubject::Gateway(gateway)) => {
            table.gateways.contains(gateway)
        }
        (Resource::RouteTable(table), AssociationSubject::Main(vpc)) => {
            table.main && table.vpc == *vpc
        }
        (_, _) => false,
    }
}

fn set_held(state: &mut Resource, subject: &AssociationSubject, here: bool) {
    fn keep<T: Ord + Clone>(set: &mut BTreeSet<T>, item: &T, here: bool) {
        if here {
            set.insert(item.clone());
        } else {
            set.remove(item);
        }
    }
    match (state, subject) {
        (Resource::NetworkAcl(acl), AssociationSubject::Subnet(subnet)) => {
            keep(&mut acl.subnets, subnet, here)
        }
        (Resource::RouteTable(table), AssociationSubject::Subnet(subnet)) => {
            keep(&mut table.subnets, subnet, here)
        }
        (Resource::RouteTable(table), AssociationSubject::Gateway(gateway)) => {
            keep(&mut table.gateways, gateway, here)
        }
        (Resource::RouteTable(table), AssociationSubject::Main(_)) => table.main = here,
        (_, _) => {}
    }
}
