//! A topology thing by thing: what fits into one item together is decided by size.

use super::topology::SHARED;
use snapback_model::*;
use std::collections::BTreeSet;

/// One thing of a topology.
pub(super) enum Atom<'a> {
    Read(&'a BTreeSet<ContextKind>),
    Vpc(&'a Vpc),
    Subnet(&'a Subnet),
    Interface(&'a NetworkInterface),
    Gateway(&'a Gateway),
    PrefixList(&'a PrefixList),
    FlowLog(&'a FlowLog),
    Block(&'a BlockPublicAccess),
    Stale(&'a SecurityGroupId, &'a BTreeSet<SecurityGroupId>),
}

pub(super) fn atoms(topology: &Topology) -> impl Iterator<Item = Atom<'_>> {
    let read = Some(&topology.read).filter(|read| !read.is_empty());
    let vpcs = topology.vpcs.values().map(Atom::Vpc);
    let subnets = topology.subnets.values().map(Atom::Subnet);
    let interfaces = topology.interfaces.values().map(Atom::Interface);
    let gateways = topology.gateways.values().map(Atom::Gateway);
    let lists = topology.prefix_lists.values().map(Atom::PrefixList);
    let logs = topology.flow_logs.values().map(Atom::FlowLog);
    let block = topology.block_public_access.iter().map(Atom::Block);
    let stale = topology.stale_references.iter();
    read.into_iter()
        .map(Atom::Read)
        .chain(vpcs)
        .chain(subnets)
        .chain(interfaces)
        .chain(gateways)
        .chain(lists)
        .chain(logs)
        .chain(block)
        .chain(stale.map(|(group, gone)| Atom::Stale(group, gone)))
}

impl Atom<'_> {
    /// The sections it belongs to: VPCs, or what is shared.
    pub(super) fn sections(&self, of: &Topology) -> Vec<String> {
        match self {
            Self::Vpc(vpc) => vec![vpc.id.to_string()],
            Self::Subnet(subnet) => vec![subnet.vpc.to_string()],
            Self::Interface(interface) => vec![interface.vpc.to_string()],
            Self::Gateway(gateway) if !gateway.vpcs.is_empty() => {
                gateway.vpcs.iter().map(ToString::to_string).collect()
            }
            Self::FlowLog(log) => vec![vpc_of(&log.resource, of).unwrap_or(SHARED).to_owned()],
            Self::Read(_)
            | Self::Gateway(_)
            | Self::PrefixList(_)
            | Self::Block(_)
            | Self::Stale(..) => vec![SHARED.to_owned()],
        }
    }

    pub(super) fn topology(&self) -> Topology {
        let mut topology = Topology::default();
        match *self {
            Self::Read(read) => topology.read.clone_from(read),
            Self::Vpc(vpc) => drop(topology.vpcs.insert(vpc.id.clone(), vpc.clone())),
            Self::Subnet(subnet) => {
                drop(topology.subnets.insert(subnet.id.clone(), subnet.clone()))
            }
            Self::Interface(interface) => drop(
                topology
                    .interfaces
                    .insert(interface.id.clone(), interface.clone()),
            ),
            Self::Gateway(gateway) => drop(
                topology
                    .gateways
                    .insert(gateway.id.clone(), gateway.clone()),
            ),
            Self::PrefixList(list) => {
                drop(topology.prefix_lists.insert(list.id.clone(), list.clone()))
            }
            Self::FlowLog(log) => drop(topology.flow_logs.insert(log.id.clone(), log.clone())),
            Self::Block(block) => topology.block_public_access = Some(block.clone()),
            Self::Stale(group, gone) => drop(
                topology
                    .stale_references
                    .insert(group.clone(), gone.clone()),
            ),
        }
        topology
    }
}

/// The VPC that a flow log's resource is or lies in, where that is known.
fn vpc_of<'a>(resource: &str, topology: &'a Topology) -> Option<&'a str> {
    let vpc = topology.vpcs.get(&resource.into()).map(|vpc| &vpc.id);
    let subnet = || Some(&topology.subnets.get(&resource.into())?.vpc);
    let interface = || Some(&topology.interfaces.get(&resource.into())?.vpc);
    vpc.or_else(subnet).or_else(interface).map(VpcId::as_str)
}
