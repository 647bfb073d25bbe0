//! What the moves of subnets, gateways and main tables say.

use super::{Reader, Wide};
use crate::change::Edit;
use crate::history::Reason;
use crate::history::told::{Atom, Thing, Told};
use snapback_model::*;

impl Reader<'_> {
    pub(super) fn associate(&mut self, edit: &Edit) {
        let (kind, old, new) = match edit {
            Edit::TableAssociated { table, subject, .. } => {
                let table = ResourceId::from(table.clone());
                self.edits(&table);
                self.witness(&table);
                return self.place(Kind::RouteTable, subject, Some(&table), Told::ABSENT, None);
            }
            Edit::AclReassociated {
                association, acl, ..
            } => (
                Kind::NetworkAcl,
                association,
                Some(ResourceId::from(acl.clone())),
            ),
            Edit::TableReassociated {
                association, table, ..
            } => (
                Kind::RouteTable,
                association,
                Some(ResourceId::from(table.clone())),
            ),
            Edit::TableDisassociated { association } => (Kind::RouteTable, association, None),
            _ => return,
        };
        if let Some(new) = &new {
            self.edits(new);
            self.witness(new);
        }
        let from = self.names.holder(old).cloned();
        if let Some(from) = &from {
            self.edits(from);
        }
        match self.names.subject(old).cloned() {
            Some(subject) => {
                let before = match &from {
                    Some(from) => Told::there(Thing::HeldBy(from.clone())),
                    None => Told::Something(Reason::OldUntold),
                };
                self.place(kind, &subject, new.as_ref(), before, from.as_ref());
            }
            None => {
                self.touches.unexplained.insert(self.index);
                self.lose(Wide::Holders(kind), Reason::IdUnexplained);
            }
        }
    }

    /// A subnet, gateway or VPC has a new ACL or table.
    fn place(
        &mut self,
        kind: Kind,
        subject: &AssociationSubject,
        new: Option<&ResourceId>,
        before: Told,
        from: Option<&ResourceId>,
    ) {
        let after = match new {
            Some(new) => Told::there(Thing::HeldBy(new.clone())),
            None => Told::ABSENT,
        };
        match subject {
            AssociationSubject::Subnet(subnet) => {
                self.say(Atom::Holder(kind, subnet.clone()), before, after);
            }
            AssociationSubject::Main(vpc) => self.say(Atom::Main(vpc.clone()), before, after),
            AssociationSubject::Gateway(gateway) => {
                let element = Element::Edge(gateway.clone());
                let on = || Told::there(Thing::Set);
                match (from, new) {
                    (Some(from), Some(new)) if from == new => {
                        self.say(Atom::Part(new.clone(), element), on(), on());
                    }
                    (from, new) => {
                        if let Some(from) = from {
                            self.say(
                                Atom::Part(from.clone(), element.clone()),
                                on(),
                                Told::ABSENT,
                            );
                        } else if before != Told::ABSENT {
                            self.lose(Wide::Holders(kind), Reason::OldUntold);
                        }
                        if let Some(new) = new {
                            self.say(Atom::Part(new.clone(), element), Told::ABSENT, on());
                        }
                    }
                }
            }
        }
    }
}
