//! VPC block public access: what it stops at internet gateways (semantics A4).

use crate::network::Network;
use snapback_model::{BlockMode, ContextKind, ExclusionMode, SubnetId, VpcId};

/// How a packet crosses an internet gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// A connection from the internet.
    In,
    /// A connection of an interface with an address of its own.
    Out,
    /// A connection by a NAT gateway or egress-only internet gateway, which let only connections
    /// from within begin.
    OutOnly,
}

/// What block public access does with a crossing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    Open,
    Stopped(String),
    Unknown(String),
}

impl Network<'_> {
    /// What block public access does with traffic of a subnet at an internet gateway.
    ///
    /// Mode `block-ingress` lets only NAT gateways and egress-only internet gateways through; an
    /// egress exclusion turns `block-bidirectional` into that, of which what an interface with a
    /// public address of its own may still do is not proved.
    pub(crate) fn public_access(
        &self,
        vpc: &VpcId,
        subnet: &SubnetId,
        crossing: Crossing,
    ) -> Access {
        let topologies = [Some(&self.snapshot.topology), self.context];
        let mut known = topologies
            .into_iter()
            .flatten()
            .filter_map(|topology| topology.block_public_access.as_ref());
        let Some(block) = known.next() else {
            return self.told_by_subnet(vpc, subnet, crossing);
        };
        let resources = [vpc.as_str(), subnet.as_str()];
        let mut excluded: Option<ExclusionMode> = None;
        for exclusion in block.exclusions.values() {
            if exclusion.active && resources.contains(&exclusion.resource.as_str()) {
                excluded = match (excluded, exclusion.mode) {
                    (Some(ExclusionMode::Bidirectional), _) | (_, ExclusionMode::Bidirectional) => {
                        Some(ExclusionMode::Bidirectional)
                    }
                    (_, ExclusionMode::Egress) => Some(ExclusionMode::Egress),
                };
            }
        }
        match (block.mode, excluded, crossing) {
            (BlockMode::Off, _, _)
            | (_, Some(ExclusionMode::Bidirectional), _)
            | (BlockMode::Ingress, _, Crossing::OutOnly)
            | (BlockMode::Bidirectional, Some(ExclusionMode::Egress), Crossing::OutOnly) => {
                Access::Open
            }
            (BlockMode::Bidirectional, Some(ExclusionMode::Egress), Crossing::Out) => {
                Access::Unknown(
                    "what an egress exclusion lets out besides NAT gateways is not proved".into(),
                )
            }
            (mode, _, _) => Access::Stopped(stopped(mode)),
        }
    }

    /// From what describe-subnets and describe-vpcs tell beside the subnet.
    fn told_by_subnet(&self, vpc: &VpcId, subnet: &SubnetId, crossing: Crossing) -> Access {
        let of_subnet = self.subnet(subnet).and_then(|subnet| subnet.block);
        let of_vpc = || self.vpc(vpc).and_then(|vpc| vpc.block);
        match (of_subnet.or_else(of_vpc), crossing) {
            (Some(BlockMode::Off), _) | (Some(BlockMode::Ingress), Crossing::OutOnly) => {
                Access::Open
            }
            (Some(mode), _) => Access::Stopped(stopped(mode)),
            (None, _) => Access::Unknown(format!(
                "{} was not read",
                ContextKind::BlockPublicAccess.words()
            )),
        }
    }
}

fn stopped(mode: BlockMode) -> String {
    let mode = match mode {
        BlockMode::Off => "off",
        BlockMode::Bidirectional => "block-bidirectional",
        BlockMode::Ingress => "block-ingress",
    };
    format!("mode {mode}, and neither the VPC nor the subnet is excluded for this")
}
