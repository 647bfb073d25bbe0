//! Which addresses a group reference stands for (semantics A1).

use super::Network;
use crate::address::AddressSet;
use crate::exactness::{Answer, Errs, Exactness, Gap, Unknowns};
use ipnet::IpNet;
use snapback_model::{
    AccountId, ContextKind, Direction, Gateway, GatewayKind, SecurityGroupId, VpcId,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How two VPCs are joined, as far as group references go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pairing {
    /// By a transit gateway: references hold for ingress, where a feature is on that is not read.
    Transit,
    /// By a peering whose state is not told.
    MaybePeered,
    /// By an active peering in one Region.
    Peered,
}

/// Whether a peering carries traffic; `None` where its state is not told.
pub(crate) fn is_active(peering: &Gateway) -> Option<bool> {
    peering.state.as_deref().map(|state| state == "active")
}

fn pairing_of(gateway: &Gateway) -> Option<Pairing> {
    let regions = gateway
        .peering
        .as_ref()
        .map(|peering| (&peering.requester.region, &peering.accepter.region));
    if let Some((Some(one), Some(other))) = regions
        && one != other
    {
        return None;
    }
    match is_active(gateway) {
        Some(true) => Some(Pairing::Peered),
        Some(false) => None,
        None => Some(Pairing::MaybePeered),
    }
}

impl<'a> Network<'a> {
    /// How two VPCs are joined for group references.
    fn pairing(&self, one: &VpcId, other: &VpcId) -> Option<Pairing> {
        let all = self.pairings.get_or_init(|| {
            let mut all: BTreeMap<(&VpcId, &VpcId), Pairing> = BTreeMap::new();
            let peerings = self
                .gateways(GatewayKind::Peering)
                .filter_map(|gateway| Some((gateway, pairing_of(gateway)?)));
            let transits = self
                .gateways(GatewayKind::Transit)
                .map(|gateway| (gateway, Pairing::Transit));
            for (gateway, pairing) in peerings.chain(transits) {
                for one in &gateway.vpcs {
                    for other in gateway.vpcs.iter().filter(|other| *other != one) {
                        let known = all.entry((one, other)).or_insert(pairing);
                        *known = pairing.max(*known);
                    }
                }
            }
            all
        });
        all.get(&(one, other)).copied()
    }

    /// The addresses that a reference to a group stands for in a rule of a VPC's interface: the
    /// private addresses of the interfaces that carry it in the same VPC or one actively peered in
    /// the Region, never public ones. IPv6 addresses count too, which is unproved. Whether the
    /// packet keeps its source on the way (no appliance, no translation) is the path's question.
    pub fn members(
        &self,
        group: &'a SecurityGroupId,
        owner: Option<&AccountId>,
        vpc: &'a VpcId,
        direction: Direction,
    ) -> Arc<Answer<AddressSet>> {
        let key = (group, owner.is_some(), vpc, direction);
        if let Some(known) = self.members.borrow().get(&key) {
            return Arc::clone(known);
        }
        let answer = Arc::new(self.find_members(group, owner, vpc, direction));
        self.members.borrow_mut().insert(key, Arc::clone(&answer));
        answer
    }

    fn find_members(
        &self,
        group: &SecurityGroupId,
        owner: Option<&AccountId>,
        vpc: &VpcId,
        direction: Direction,
    ) -> Answer<AddressSet> {
        let what = || Unknowns::Members(group.clone());
        let mut exactness: Exactness = self
            .unread(ContextKind::Interfaces, Errs::MayPermitMore)
            .into_iter()
            .collect();
        if let Some(owner) = owner {
            exactness.add(Gap::new(
                what(),
                Errs::MayPermitMore,
                format!("who carries {group} in account {owner} is not known here"),
            ));
        }
        let mut pairings: BTreeMap<&VpcId, Option<Pairing>> = BTreeMap::new();
        let mut addresses: Vec<IpAddr> = Vec::new();
        for carrier in self.carriers(group) {
            let pairing = (carrier.vpc != *vpc).then(|| {
                let found = pairings.entry(&carrier.vpc);
                *found.or_insert_with(|| self.pairing(vpc, &carrier.vpc))
            });
            match pairing {
                None | Some(Some(Pairing::Peered)) => addresses.extend(&carrier.addresses),
                Some(Some(Pairing::MaybePeered)) => exactness.add(Gap::new(
                    what(),
                    Errs::MayPermitMore,
                    format!(
                        "whether the peering of {vpc} and {} is active was not told: {group} is carried there",
                        carrier.vpc
                    ),
                )),
                Some(Some(Pairing::Transit)) if direction == Direction::Ingress => {
                    exactness.add(Gap::new(
                        what(),
                        Errs::MayPermitMore,
                        format!(
                            "whether {group}, carried in {}, counts across the transit gateway was not read",
                            carrier.vpc
                        ),
                    ));
                }
                Some(Some(Pairing::Transit) | None) => {}
            }
        }
        if addresses.iter().any(IpAddr::is_ipv6) {
            exactness.add(Gap::new(
                what(),
                Errs::MayPermitLess,
                format!("that a reference to {group} matches IPv6 addresses is not proved"),
            ));
        }
        Answer {
            value: AddressSet::of(addresses.into_iter().map(IpNet::from)),
            exactness,
        }
    }
}
