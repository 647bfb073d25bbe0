//! What surrounds the guarded resources, from one or two topologies, and what was read of it.

use super::Network;
use crate::exactness::{Errs, Gap, Unknowns};
use snapback_model::{
    ContextKind, Gateway, GatewayKind, NetworkInterface, NetworkInterfaceId, Subnet, SubnetId,
    Topology, Vpc, VpcId,
};
use std::collections::BTreeMap;

impl<'a> Network<'a> {
    /// Whether absence of something of this kind proves that it does not exist.
    pub(crate) fn reads(&self, kind: ContextKind) -> bool {
        self.snapshot.topology.has_read(kind)
            || self.context.is_some_and(|context| context.has_read(kind))
    }

    /// The second topology, where it counts for a kind: not where the first read it completely.
    fn second(&self, kind: ContextKind) -> Option<&'a Topology> {
        self.context
            .filter(|_| !self.snapshot.topology.has_read(kind))
    }

    pub(super) fn known<T: 'a>(
        &self,
        of: impl Fn(&'a Topology) -> Option<&'a T>,
        kind: ContextKind,
    ) -> Option<&'a T> {
        of(&self.snapshot.topology).or_else(|| of(self.second(kind)?))
    }

    fn all<K: Ord + 'a, T: 'a>(
        &self,
        of: impl Fn(&'a Topology) -> &'a BTreeMap<K, T>,
        kind: ContextKind,
    ) -> impl Iterator<Item = &'a T> + 'a {
        let first = of(&self.snapshot.topology);
        let second = self.second(kind).map(of);
        let more = second.into_iter().flatten();
        first.values().chain(
            more.filter(|(id, _)| !first.contains_key(id))
                .map(|(_, one)| one),
        )
    }

    /// Every interface that is known.
    pub fn interfaces(&self) -> impl Iterator<Item = &'a NetworkInterface> {
        self.all::<NetworkInterfaceId, _>(|topology| &topology.interfaces, ContextKind::Interfaces)
    }

    /// Every subnet that is known.
    pub fn subnets(&self) -> impl Iterator<Item = &'a Subnet> {
        self.all(|topology| &topology.subnets, ContextKind::Subnets)
    }

    /// Every VPC that is known.
    pub fn vpcs(&self) -> impl Iterator<Item = &'a Vpc> {
        self.all(|topology| &topology.vpcs, ContextKind::Vpcs)
    }

    /// Every gateway, peering and endpoint of a kind that is known.
    pub fn gateways(&self, kind: GatewayKind) -> impl Iterator<Item = &'a Gateway> {
        let known = kind.context();
        self.all(|topology| &topology.gateways, known)
            .filter(move |gateway| gateway.kind == kind)
    }

    /// A subnet by its id.
    pub fn subnet(&self, id: &SubnetId) -> Option<&'a Subnet> {
        self.known(|topology| topology.subnets.get(id), ContextKind::Subnets)
    }

    /// A VPC by its id.
    pub fn vpc(&self, id: &VpcId) -> Option<&'a Vpc> {
        self.known(|topology| topology.vpcs.get(id), ContextKind::Vpcs)
    }

    /// A gateway, peering or endpoint by its id.
    pub fn gateway(&self, id: &str) -> Option<&'a Gateway> {
        let first = self.snapshot.topology.gateways.get(id);
        first.or_else(|| {
            let found = self.context?.gateways.get(id)?;
            self.second(found.kind.context()).map(|_| found)
        })
    }

    /// That a kind of context was not read, with the direction in which the answer errs.
    pub(crate) fn unread(&self, kind: ContextKind, errs: Errs) -> Option<Gap> {
        (!self.reads(kind)).then(|| {
            Gap::new(
                Unknowns::Context(kind),
                errs,
                format!("{} were not read completely", kind.words()),
            )
        })
    }
}
