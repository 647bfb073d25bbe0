//! Making again what was deleted: under which id it is looked at, what completes it, what is left
//! (design.md 3, semantics B1).
//!
//! The lineage of the story is the one truth: from the moment that it holds a successor, everything
//! is read, judged, planned and proved under the new id.

use super::{Execution, GuardError, Target};
use crate::assessment::Assessment;
use crate::guard::{Focus, Spot};
use crate::patience::{STALE_PAUSE, STALE_WINDOW, WAIT_PAUSE, WAITS_MAX, between};
use crate::port::CallError;
use crate::rights::GuardPorts;
use snapback_engine::diff::Difference;
use snapback_engine::incident::Outcome;
use snapback_engine::plan::{self, Action, Plan};
use snapback_engine::policy::Mode;
use snapback_model::*;
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
    pub(super) fn successors(&self) -> Vec<ResourceId> {
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

    /// Where to look now.
    pub(super) fn here(&self) -> (Spot, Focus) {
        (
            self.spot.succeeded(&self.lineage),
            self.focus.succeeded(&self.lineage),
        )
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

    /// The other story that is at what this one made, where that went: both would make it again.
    pub(super) async fn in_other_hands(&self) -> Result<Option<String>, GuardError> {
        let live = &self.scene.live.resources;
        let Some(new) = self.successor().filter(|new| !live.contains_key(new)) else {
            return Ok(None);
        };
        let other = self.visit.record(&new).await?.open;
        let other = other.filter(|other| *other != self.story.incident);
        Ok(other.map(|other| format!("{new} went meanwhile, and {other} is at it")))
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
}

/// Whether a route of a table that was read leads there.
pub(super) fn is_led_to(live: &Snapshot, target: &str) -> bool {
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
