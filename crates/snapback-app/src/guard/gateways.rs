//! The NAT gateways of a place: read where a good route leads to one and live does not go there, so
//! that a gateway that is gone can be made again, and one that was made in its place is found.

use super::{Focus, GuardError, Spot, Visit};
use crate::patience::Retry;
use crate::port::Scope;
use crate::rights::GuardPorts;
use snapback_engine::incident::Story;
use snapback_engine::plan::{self, Action};
use snapback_model::*;
use std::collections::BTreeSet;

impl<P: GuardPorts> Visit<'_, P> {
    /// Live with its NAT gateways, where they matter. Where they cannot be read EC2 tells what is
    /// gone when a call is made: the rest of the place is not kept back.
    pub(super) async fn with_gateways(
        &self,
        mut live: Snapshot,
        spot: &Spot,
        focus: &Focus,
        baselines: &Baselines,
    ) -> Result<Snapshot, GuardError> {
        let named = self.in_question(&live, baselines);
        let (Spot::Tables(vpc), false) = (spot, named.is_empty()) else {
            return Ok(live);
        };
        let scope = Scope::NatGatewaysOf(vpc.clone());
        let ports = &self.guard.ports;
        let seen = match self.pace().retried(|| ports.observe(&scope)).await {
            Ok(seen) => seen,
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, resources = ?focus.resources, "NAT gateways were not read: what is gone is not made again");
                return Ok(live);
            }
        };
        live.topology.gateways.extend(seen.topology.gateways);
        live.topology.addresses = seen.topology.addresses;
        // The list of a VPC is whole, and it holds a gateway for an hour after its deletion.
        for id in named {
            let gateways = &mut live.topology.gateways;
            gateways.entry(id.clone()).or_insert_with(|| Gateway {
                state: Some("deleted".to_owned()),
                vpcs: BTreeSet::from([vpc.clone()]),
                ..Gateway::new(id, GatewayKind::Nat)
            });
        }
        self.believe_successors(&mut live).await?;
        Ok(live)
    }

    /// Anybody may put our tag on a gateway: only the journal says that we made it. A tag that it does
    /// not know is taken off what was read.
    async fn believe_successors(&self, live: &mut Snapshot) -> Result<(), GuardError> {
        let claims: Vec<(String, String, Option<IncidentId>)> = live
            .topology
            .gateways
            .values()
            .filter_map(|gateway| {
                let old = gateway.predecessor()?.to_owned();
                let incident = gateway.tags.get(INCIDENT).map(IncidentId::new);
                Some((gateway.id.clone(), old, incident))
            })
            .collect();
        for (id, old, incident) in claims {
            if self.made(&id, &old, incident.as_ref()).await? {
                continue;
            }
            tracing::warn!(
                id,
                old,
                "says that it stands in the place of another, and no story of ours made it"
            );
            if let Some(gateway) = live.topology.gateways.get_mut(&id) {
                gateway.tags.remove(SUCCESSOR_OF);
            }
        }
        Ok(())
    }

    /// Whether a story made a gateway in the place of another, or may have: its call had no answer.
    async fn made(
        &self,
        id: &str,
        old: &str,
        incident: Option<&IncidentId>,
    ) -> Result<bool, GuardError> {
        let Some(incident) = incident else {
            return Ok(false);
        };
        let ports = &self.guard.ports;
        let entries = self.pace().retried(|| ports.entries(incident)).await?;
        let Some(story) = Story::read(&entries) else {
            return Ok(false);
        };
        let name = plan::successor_name(old);
        let known = story.lineage.current(&name);
        let asked = story.unsettled.iter().any(|call| {
            matches!(&call.action, Action::CreateNatGateway { request, .. } if request.predecessor() == Some(old))
        });
        Ok(known == id || (known == name && asked))
    }

    /// The NAT gateways that good routes lead to where live does not go there, and which may be gone:
    /// a route of live says so, this visit tells of them or was told to look again, or nobody has seen them alive. The
    /// usual deviation costs no further read; a call to one that died since is refused by EC2.
    fn in_question(&self, live: &Snapshot, baselines: &Baselines) -> BTreeSet<String> {
        let known = baselines.context();
        let is_seen = |id: &str| {
            let gateway = known.gateways.get(id);
            gateway.is_some_and(|gateway| gateway.state.as_deref() == Some("available"))
        };
        missed(live, baselines)
            .into_iter()
            .filter(|(id, instead)| match instead {
                Instead::Dead => true,
                Instead::Gateway(other) if !is_seen(other) => true,
                Instead::Gateway(_) | Instead::Else => self.is_doubted(id) || !is_seen(id),
            })
            .map(|(id, _)| id)
            .collect()
    }
}

/// Where live leads instead of to a good NAT gateway.
enum Instead {
    /// To the same one, and it is dead.
    Dead,
    /// To another NAT gateway.
    Gateway(String),
    /// Elsewhere, or nowhere.
    Else,
}

/// The NAT gateways that good routes lead to where live does not go there, and where it goes instead.
fn missed(live: &Snapshot, baselines: &Baselines) -> Vec<(String, Instead)> {
    let mut named = Vec::new();
    for baseline in baselines.by_id.values() {
        let Some(Resource::RouteTable(good)) = &baseline.state else {
            continue;
        };
        let now = match live.resources.get(&baseline.id) {
            Some(Resource::RouteTable(now)) => Some(now),
            _ => None,
        };
        if now.is_none() && !live.covers(&baseline.id, Some(&good.vpc)) {
            continue;
        }
        for (to, route) in &good.routes {
            let found = now.and_then(|now| now.routes.get(to));
            let stands = found.is_some_and(|found| {
                found.target == route.target && found.blackhole == route.blackhole
            });
            if let (RouteTarget::NatGateway(id), false) = (&route.target, stands) {
                let instead = match found.map(|found| &found.target) {
                    Some(RouteTarget::NatGateway(other)) if other == id => Instead::Dead,
                    Some(RouteTarget::NatGateway(other)) => Instead::Gateway(other.clone()),
                    _ => Instead::Else,
                };
                named.push((id.clone(), instead));
            }
        }
    }
    named
}
