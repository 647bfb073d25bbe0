//! Making again what was deleted: under which id it is looked at, what a crash left half made, and
//! the baselines that follow (design.md 3, semantics B1).
//!
//! The lineage of the story is the one truth: from the moment that it holds a successor, everything
//! is read, judged, planned and proved under the new id.

use super::{Execution, GuardError, Target};
use crate::assessment::Assessment;
use crate::guard::{Focus, Spot};
use crate::patience::{CONFLICTS_MAX, STALE_PAUSE, STALE_WINDOW, WAIT_PAUSE, WAITS_MAX, between};
use crate::port::{CallError, StoreError, Wanted};
use crate::rights::GuardPorts;
use snapback_engine::diff::Difference;
use snapback_engine::incident::Outcome;
use snapback_engine::plan::{self, Action, Plan};
use snapback_engine::policy::Mode;
use snapback_model::*;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Codes by which EC2 says that it does not know a resource (yet).
const UNKNOWN_TO_EC2: [&str; 5] = [
    "InvalidGroup.NotFound",
    "InvalidGroupId.NotFound",
    "InvalidNetworkAclID.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidID.NotFound",
];
/// A story waits for what its rules refer to this often.
const WAITS_FOR_PEERS_MAX: u32 = 2;

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// What stands in the place of the story's resource now, where it was made again.
    pub(super) fn successor(&self) -> Option<ResourceId> {
        let old = &self.story.resource;
        Some(self.lineage.current_resource(old)).filter(|new| new != old)
    }

    /// What stands in the place of the story's resources now, as far as they were made again.
    fn successors(&self) -> Vec<ResourceId> {
        let subjects = self.story.subjects().into_iter();
        subjects
            .map(|old| (old, self.lineage.current_resource(old)))
            .filter(|(old, new)| *old != new)
            .map(|(_, new)| new)
            .collect()
    }

    /// Whether anything of the story was made again.
    pub(super) fn has_successor(&self) -> bool {
        !self.successors().is_empty()
    }

    /// The incident that this story is a link of: another one, or itself.
    fn whole(&self) -> &IncidentId {
        self.story.part_of.as_ref().unwrap_or(&self.story.incident)
    }

    /// Where to look now.
    pub(super) fn here(&self) -> (Spot, Focus) {
        (
            self.spot.succeeded(&self.lineage),
            self.focus.succeeded(&self.lineage),
        )
    }

    fn succession<'l>(&'l self, lineage: &'l Lineage) -> Succession<'l> {
        Succession {
            lineage,
            incident: &self.story.incident,
            at: self.visit.now(),
        }
    }

    /// What took the place of what: all that this story made, and the NAT gateways that routes lead to
    /// in the place of others.
    fn followed(&self) -> Lineage {
        let mut lineage = self.lineage.clone();
        lineage.extend(&self.gateways_followed());
        lineage
    }

    /// The NAT gateways that routes lead to in the place of others: by their tags, and where the read
    /// does not show the gateway at work yet (semantics B rule 2), by this story, which made it.
    fn gateways_followed(&self) -> Lineage {
        let live = &self.scene.live;
        let mut lineage = plan::successions(live);
        let listed = &live.topology.gateways;
        let made = self.lineage.iter();
        let made = made.filter_map(|(name, new)| Some((plan::predecessor(name)?, new)));
        let is_dead = |new: &str| {
            listed
                .get(new)
                .is_some_and(|one| one.dead_state().is_some())
        };
        for (old, new) in made.filter(|(_, new)| is_led_to(live, new) && !is_dead(new)) {
            lineage.record(old, new);
        }
        lineage
    }

    /// The baselines as they are once they follow.
    pub(super) fn baselines(&self) -> Cow<'_, Baselines> {
        let stored = &self.scene.baselines;
        let lineage = self.followed();
        if lineage.is_empty() {
            return Cow::Borrowed(stored);
        }
        let newer = stored.succeeded(&self.succession(&lineage));
        Cow::Owned(stored.clone().with(newer))
    }

    /// Reads where the resource is now. A read that lacks what was just made proves nothing
    /// (semantics B rule 2): it is repeated.
    ///
    /// # Errors
    /// Also where time ends before it is seen.
    pub(super) async fn read(&self) -> Result<Snapshot, GuardError> {
        let (spot, focus) = self.here();
        loop {
            let live = self
                .visit
                .read(&spot, &focus, &self.scene.baselines)
                .await?;
            let Some(newborn) = self.unseen(&live) else {
                return Ok(live);
            };
            if self.visit.time_left() < self.limits().reserve {
                return Err(GuardError::Interrupted {
                    resource: self.story.resource.clone(),
                    incident: self.story.incident.clone(),
                    why: format!("{newborn} was just made and is not seen yet"),
                });
            }
            self.visit.guard.ports.sleep(STALE_PAUSE).await;
        }
    }

    /// Reads again where the scene lacks what was just made.
    pub(super) async fn await_newborn(&mut self) -> Result<(), GuardError> {
        if self.unseen(&self.scene.live).is_some() {
            self.scene.live = self.read().await?;
        }
        Ok(())
    }

    fn unseen(&self, live: &Snapshot) -> Option<ResourceId> {
        let mut made = self.successors().into_iter();
        made.find(|new| self.is_young() && !live.resources.contains_key(new))
    }

    /// Whether we wrote so recently that EC2 may not show it everywhere yet.
    fn is_young(&self) -> bool {
        let last = self.record.last_write;
        last.is_some_and(|at| between(at, self.visit.now()) < STALE_WINDOW)
    }

    /// Whether EC2 does not know yet what was just made.
    pub(super) fn is_of_newborn(&self, action: &Action, error: &CallError) -> bool {
        let names_peer = |peer: &&SecurityGroupId| error.message.contains(peer.as_str());
        self.has_successor()
            && self.is_young()
            && UNKNOWN_TO_EC2.contains(&error.code.as_str())
            && !peers(action).iter().any(names_peer)
    }

    /// What to wait for a while, where somebody deleted what this story is about in its middle: the event
    /// of that tells whether a trusted hand did, and what is made again is never unmade by us.
    pub(super) fn vanished(&self) -> Option<String> {
        let id = self.lineage.current_resource(&self.story.resource);
        let gone =
            !self.scene.live.resources.contains_key(&id) && self.baselines().state(&id).is_some();
        let began_so =
            self.successor().is_none() && self.story.judgements.contains_key(&Element::Existence);
        let is_told = self
            .change
            .as_ref()
            .is_some_and(|change| change.tells_the_end_of(&id));
        let long = between(self.story.arrived_at, self.visit.now()) > WAITS_MAX;
        let what = format!("{id} went meanwhile: the event of that tells by whom");
        let since = self.story.waited_since(&what);
        let waited = since.is_some_and(|since| between(since, self.visit.now()) >= WAIT_PAUSE);
        let waits = gone && !began_so && !is_told && !long && !waited;
        (waits && self.story.errand.is_none()).then_some(what)
    }

    /// The plan that completes what this story made again: to all that the lost resource was. The
    /// decision to make it is in the journal; `observe`, set meanwhile, ends it.
    pub(super) fn completion(&self) -> Option<Plan> {
        let new = self.successor().filter(|_| self.story.errand.is_none())?;
        if self.visit.guard.policy.mode_of(new.kind()) == Mode::Observe {
            return None;
        }
        let baselines = self.baselines();
        let goal = self.within_reach(baselines.state(&new)?.clone());
        let goal = BTreeMap::from([(new.clone(), goal)]);
        let recreate = self.visit.guard.policy.recreate;
        Some(plan::plan_within(
            &self.scene.live,
            &goal,
            &baselines,
            recreate,
        ))
    }

    /// Whether nothing is left to do for what was made again.
    pub(super) fn is_completed(&self, plan: &Plan) -> bool {
        self.story.errand.is_none() && self.successor().is_some() && plan.steps.is_empty()
    }

    /// How a story ends that has nothing left to do, and what is left: what is still gone, or was made
    /// again and cannot be made whole, is no revert; nor is what policy now leaves as it is.
    pub(super) fn completed(&self) -> (Outcome, Vec<String>) {
        if self.story.errand.is_some() {
            return (Outcome::Reverted, Vec::new());
        }
        let last = self.assess();
        let judgements = last.iter().flat_map(|last| &last.decision.judgements);
        let remade = self.successor().is_some();
        let mut lacks = self.not_led_to();
        let mut stays = false;
        for judgement in judgements {
            let gone = matches!(judgement.difference, Difference::Deleted { .. });
            if remade || gone {
                lacks.push(match judgement.reasons.first() {
                    Some(reason) => format!("left: {}: {reason}", judgement.text),
                    None => format!("left: {}", judgement.text),
                });
            }
            stays |= self.story.aims.contains(&judgement.difference.element());
        }
        let outcome = match (lacks.is_empty(), stays) {
            (false, _) => Outcome::Refused,
            (true, true) => Outcome::Alerted,
            (true, false) => Outcome::Reverted,
        };
        (outcome, lacks)
    }

    /// What this story made again, where a trusted hand deleted that, or what it stands in the place of.
    pub(super) fn taken_for_good(&self) -> Option<String> {
        let (first, new) = (&self.story.resource, self.successor()?);
        let known = &self.scene.baselines.by_id;
        let is_accepted = |id: &ResourceId| known.get(id).is_some_and(Baseline::is_tombstone);
        if is_accepted(&new) {
            return Some(format!(
                "left: {new}, made in the place of {first}, was deleted by a trusted hand before it was whole: it stays gone"
            ));
        }
        let heirs = self.lineage.heirs(first.as_str());
        let mut line = std::iter::once(first.clone()).chain(heirs.filter_map(|id| id.parse().ok()));
        let old = line.find(|id| is_accepted(id))?;
        self.scene.live.resources.contains_key(&new).then(|| {
            format!(
                "left: {new} was made in the place of {old} before it was heard that a trusted hand deleted that: delete {new} if it is to go"
            )
        })
    }

    /// What was made again is proved by the baselines that the plan was made on. Once they follow, they
    /// may know of a trusted change that was folded in since: what is to be taken back by them.
    pub(super) async fn outrun(&mut self) -> Result<Vec<String>, GuardError> {
        if self.story.errand.is_some() || !self.has_successor() {
            return Ok(Vec::new());
        }
        if let Err(error) = self.follow_with_baselines().await {
            return Err(self.interrupt(Vec::new(), error.to_string()).await);
        }
        Ok(self.assess().iter().flat_map(Assessment::reverts).collect())
    }

    /// The NAT gateways that this story made and that no route leads to: a trusted hand meant them to be
    /// gone, and that was heard of too late.
    fn not_led_to(&self) -> Vec<String> {
        let live = &self.scene.live;
        let made = self.lineage.iter();
        let made = made.filter_map(|(name, new)| Some((plan::predecessor(name)?, new)));
        made.filter(|(_, new)| !is_led_to(live, new))
            .map(|(old, new)| {
                format!("left: {new}, made in the place of {old}: no good route leads there any more; delete it if it is not wanted")
            })
            .collect()
    }

    /// A target under the ids of now.
    pub(super) fn named_now(&self, target: Target) -> Target {
        let renamed = |resource: Resource| {
            let resource = resource.renamed(&self.lineage);
            (resource.id(), resource)
        };
        target.into_values().map(renamed).collect()
    }

    /// Groups that rules of the call refer to may be gone themselves: they are looked at in this
    /// visit, and the story goes on after them. Whether there is something to wait for.
    pub(super) fn awaits_peers(&self, action: &Action) -> bool {
        let peers = peers(action);
        if self.story.errand.is_some()
            || peers.is_empty()
            || self.story.interruptions >= WAITS_FOR_PEERS_MAX
        {
            return false;
        }
        for peer in peers {
            self.visit.look_at(&peer.clone().into(), None, self.whole());
        }
        self.visit.come_back(self.spot, self.focus);
        true
    }

    /// The NAT gateway of a refused route died since it was seen last: it is read in this visit, and
    /// the plan is made again by what it is. Once: whether it was not doubted before.
    pub(super) fn doubts_target(&self, action: &Action) -> bool {
        let (Action::CreateRoute { target, .. } | Action::ReplaceRoute { target, .. }) = action
        else {
            return false;
        };
        let RouteTarget::NatGateway(id) = target else {
            return false;
        };
        let first = !self.visit.is_doubted(id);
        self.visit.doubt([id.clone()]);
        first
    }

    /// Whether rules of a refused call name groups that EC2 knows no more: the rest is planned again
    /// without them.
    pub(super) fn gives_up_peers(&mut self, action: &Action, error: &CallError) -> bool {
        if self.story.errand.is_some() {
            return false;
        }
        let named = peers(action).into_iter();
        let gone = named.filter(|peer| error.message.contains(peer.as_str()));
        let known = self.gone.len();
        self.gone.extend(gone.cloned());
        self.gone.len() > known
    }

    /// A goal without rules that cannot be: those that name a group which is gone for good.
    pub(super) fn within_reach(&self, goal: Resource) -> Resource {
        let live = self.scene.live.resources.get(&goal.id());
        match goal {
            Resource::SecurityGroup(mut group) if !self.gone.is_empty() => {
                group.rules.retain(|rule, _| {
                    let lost = matches!(&rule.peer, Peer::SecurityGroup { id, .. } if self.gone.contains(id));
                    !lost || matches!(live, Some(Resource::SecurityGroup(live)) if live.rules.contains_key(rule))
                });
                Resource::SecurityGroup(group)
            }
            goal => goal,
        }
    }

    /// What is left because it names what is gone for good.
    pub(super) fn out_of_reach(&self) -> Vec<String> {
        let words = |gone: &SecurityGroupId| {
            format!(
                "left: the rules that name {gone}: EC2 knows no such group any more. If it is not to come back, run `snapback capture` once the rest is right"
            )
        };
        self.gone.iter().map(words).collect()
    }

    /// The baselines follow what was made again, the journal's record of the new id begins, and what
    /// refers to it is looked at in this visit. Asking again changes nothing.
    ///
    /// # Errors
    /// What the store did not do.
    pub(super) async fn follow_with_baselines(&mut self) -> Result<(), GuardError> {
        let made = self.successors();
        let gateways = self.gateways_followed();
        if made.is_empty() && gateways.is_empty() {
            return Ok(());
        }
        let wanted = Wanted {
            everything: true,
            only_states: gateways.is_empty(),
            ..Wanted::default()
        };
        let lineage = self.followed();
        let (visit, ports) = (self.visit, &self.visit.guard.ports);
        for _ in 0..CONFLICTS_MAX {
            let Some(stored) = visit.baselines(&wanted).await? else {
                return Ok(());
            };
            self.follow_with_context(&stored.topology, &gateways)
                .await?;
            let updated = stored.succeeded(&self.succession(&lineage));
            let written = if updated.is_empty() {
                Ok(())
            } else {
                visit.pace().retried(|| ports.put_baselines(&updated)).await
            };
            match written {
                Ok(()) => {}
                Err(StoreError::Conflict { what }) => {
                    tracing::info!(what, "baseline written meanwhile: follow again");
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let others = updated.iter().filter(|one| one.id != self.story.resource);
            for table in others.filter(|one| one.state.is_some() && !made.contains(&one.id)) {
                visit.look_at(&table.id, table.vpc.as_ref(), self.whole());
            }
            let stored = stored.with(updated);
            for referrer in made.iter().flat_map(|new| referrers(&stored, new)) {
                visit.look_at(&referrer.id, referrer.vpc.as_ref(), self.whole());
            }
            let here = &mut self.scene.baselines.by_id;
            let known = |id: &ResourceId| here.contains_key(id) || made.contains(id);
            let newer: Vec<Baseline> = stored
                .by_id
                .into_values()
                .filter(|baseline| known(&baseline.id))
                .collect();
            here.extend(newer.into_iter().map(|newer| (newer.id.clone(), newer)));
            for new in &made {
                self.begin_record(new).await?;
            }
            return Ok(());
        }
        Err(GuardError::Contended {
            what: "the baselines that follow what was made again".to_owned(),
        })
    }

    /// The captured context knows a NAT gateway that stands in the place of another: should it be
    /// deleted in its turn, it can be made again.
    async fn follow_with_context(
        &self,
        captured: &Topology,
        gateways: &Lineage,
    ) -> Result<(), GuardError> {
        let mut topology = captured.clone();
        for (old, new) in gateways.iter() {
            if let Some(gateway) = self.scene.live.topology.gateways.get(new)
                && !captured.gateways.contains_key(new)
            {
                topology.gateways.remove(old);
                topology.gateways.insert(new.to_owned(), gateway.clone());
            }
        }
        if topology == *captured {
            return Ok(());
        }
        let (pace, ports) = (self.visit.pace(), &self.visit.guard.ports);
        pace.retried(|| ports.put_topology(&topology)).await?;
        Ok(())
    }

    /// The record of the new id knows when we wrote, in which story, and what was told.
    async fn begin_record(&self, new: &ResourceId) -> Result<(), GuardError> {
        let mut record = self.visit.record(new).await?;
        let incident = &self.story.incident;
        let begun =
            record.last_write >= self.record.last_write && record.unsettled.contains(incident);
        if record.open.is_some() || begun {
            return Ok(());
        }
        record.last_write = self.record.last_write;
        record.told = self
            .assess()
            .map(|last| last.tellable())
            .unwrap_or_default();
        self.visit.note_story(record, incident).await
    }
}

/// Whether a route of a table that was read leads there.
fn is_led_to(live: &Snapshot, target: &str) -> bool {
    live.resources.values().any(|resource| match resource {
        Resource::RouteTable(table) => {
            let mut routes = table.routes.values();
            routes.any(|route| route.target.id() == target)
        }
        Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => false,
    })
}

/// The other groups that the rules of a call refer to.
fn peers(action: &Action) -> Vec<&SecurityGroupId> {
    let Action::AuthorizeSecurityGroupRules { group, rules, .. } = action else {
        return Vec::new();
    };
    let named = rules.keys().filter_map(|rule| match &rule.peer {
        Peer::SecurityGroup { id, owner: None } if id != group => Some(id),
        _ => None,
    });
    named.collect()
}

/// The other baselines that name an id.
fn referrers<'a>(
    baselines: &'a Baselines,
    named: &'a ResourceId,
) -> impl Iterator<Item = &'a Baseline> {
    let mut probe = Lineage::default();
    probe.record(named.as_str(), "the id looked for");
    let names = move |state: &Resource| state.renamed(&probe) != *state;
    let others = baselines
        .by_id
        .values()
        .filter(move |baseline| baseline.id != *named);
    others.filter(move |baseline| baseline.state.as_ref().is_some_and(&names))
}
