//! The state of the account: what stands in it, how it differs from what was good, whether it rests.

use super::Setting;
use snapback_engine::diff::{ResourceDiff, diff};
use snapback_engine::incident::Outcome;
use snapback_model::*;
use snapback_sim::under_old_ids;
use std::collections::{BTreeMap, BTreeSet};

/// Every guarded resource of an account.
pub type State = BTreeMap<ResourceId, Resource>;

/// What two states do not have in common.
pub fn unlike(found: &State, wanted: &State) -> Vec<String> {
    let ids: BTreeSet<_> = found.keys().chain(wanted.keys()).collect();
    let differ = ids
        .into_iter()
        .filter(|id| found.get(*id) != wanted.get(*id));
    differ
        .map(|id| format!("{:?}\n  wanted {:?}", found.get(id), wanted.get(id)))
        .collect()
}

impl Setting {
    /// The state of the truth.
    pub fn live(&self) -> State {
        self.world.snapshot().resources
    }

    /// A group as it is.
    ///
    /// # Panics
    /// Where there is none of this id.
    pub fn group(&self, id: &SecurityGroupId) -> SecurityGroup {
        match self.world.resource(&id.clone().into()) {
            Some(Resource::SecurityGroup(group)) => group,
            other => panic!("{id}: {other:?} {}", self.told()),
        }
    }

    /// An ACL as it is.
    ///
    /// # Panics
    /// Where there is none of this id.
    pub fn acl(&self, id: &NetworkAclId) -> NetworkAcl {
        match self.world.resource(&id.clone().into()) {
            Some(Resource::NetworkAcl(acl)) => acl,
            other => panic!("{id}: {other:?} {}", self.told()),
        }
    }

    /// A route table as it is.
    ///
    /// # Panics
    /// Where there is none of this id.
    pub fn table(&self, id: &RouteTableId) -> RouteTable {
        match self.world.resource(&id.clone().into()) {
            Some(Resource::RouteTable(table)) => table,
            other => panic!("{id}: {other:?} {}", self.told()),
        }
    }

    /// The inbound rules of the application group, as text.
    pub fn app_rules(&self) -> Vec<String> {
        let rules = self.group(&self.layout.app).rules;
        let inbound = rules
            .keys()
            .filter(|rule| rule.direction == Direction::Ingress);
        inbound.map(ToString::to_string).collect()
    }

    /// Whether the application group has an inbound rule.
    pub fn has(&self, text: &str) -> bool {
        self.app_rules().iter().any(|rule| rule == text)
    }

    /// The baselines that are stored, without the captured context.
    pub fn baselines(&self) -> Baselines {
        Baselines {
            by_id: self.world.stored_baselines(),
            ..Baselines::default()
        }
    }

    /// In what live differs from its baselines: everywhere, or on one resource.
    pub fn left(&self, only: Option<&ResourceId>) -> Vec<ResourceDiff> {
        let only = only.map(|id| BTreeSet::from([id.clone()]));
        diff(&self.baselines(), &self.world.snapshot(), only.as_ref())
    }

    /// The account is as it was; says only what is not.
    ///
    /// # Panics
    /// Where it is not.
    #[track_caller]
    pub fn is_as(&self, wanted: &State, case: &str) {
        let unlike = unlike(&self.live(), wanted);
        assert!(unlike.is_empty(), "{case}: {unlike:#?}\n{}", self.told());
    }

    /// All is back as it was; says only what is not.
    ///
    /// # Panics
    /// Where it is not.
    #[track_caller]
    pub fn is_back(&self, before: &State) {
        self.is_as(before, "not back");
    }

    /// The account is as it was but for the new ids of what was made again; says only what is not.
    ///
    /// # Panics
    /// Where it is not.
    #[track_caller]
    pub fn is_as_by_old_ids(&self, wanted: &State, case: &str) {
        let unlike = unlike(&under_old_ids(&self.live()), wanted);
        assert!(unlike.is_empty(), "{case}: {unlike:#?}\n{}", self.told());
    }

    /// Live fits its baselines everywhere.
    ///
    /// # Panics
    /// Where it does not.
    #[track_caller]
    pub fn baselines_fit(&self, case: &str) {
        assert_eq!(self.left(None), [], "{case}: {}", self.told());
    }

    /// No story is open.
    ///
    /// # Panics
    /// Where one is.
    #[track_caller]
    pub fn nothing_open(&self, case: &str) {
        let records = self.world.stored_records().into_values();
        let open: Vec<_> = records.filter(|record| record.open.is_some()).collect();
        assert!(open.is_empty(), "{case}: {open:?} {}", self.told());
    }

    /// The guard never took its own call for somebody else's.
    ///
    /// # Panics
    /// Where it did.
    #[track_caller]
    pub fn accused_nobody(&self, case: &str) {
        let accused = self.outcomes().contains(&Outcome::Impostor);
        assert!(!accused, "{case} accused itself: {}", self.told());
    }

    /// Nobody has anything to say or do any more: no story is open, no call is made, nothing differs.
    ///
    /// # Panics
    /// Where somebody has.
    pub async fn is_quiet(&mut self, case: &str) {
        let (writes, tellings) = (self.writes(), self.outcomes().len());
        self.rest().await;
        assert_eq!(self.writes(), writes, "{case}: {}", self.told());
        assert_eq!(self.outcomes().len(), tellings, "{case}: {}", self.told());
        self.accused_nobody(case);
        self.baselines_fit(case);
        self.nothing_open(case);
    }
}
