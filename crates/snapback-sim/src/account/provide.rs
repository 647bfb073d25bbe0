//! Calls that an account is built from.

use super::topology::missing;
use super::{Account, Acl, ApiError, Group, Response, Rule};
use crate::call::Provide;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};

impl Account {
    pub(super) fn provide(&mut self, provide: &Provide) -> Result<Response, ApiError> {
        match provide {
            Provide::CreateVpc { cidr, tags } => self.create_vpc(*cidr, tags),
            Provide::CreateInternetGateway { tags } => {
                Ok(self.create_gateway("igw", GatewayKind::Internet, None, tags))
            }
            Provide::CreateEgressOnlyInternetGateway { vpc, tags } => {
                self.vpc(vpc)?;
                Ok(self.create_gateway("eigw", GatewayKind::EgressOnlyInternet, Some(vpc), tags))
            }
            Provide::CreateVpnGateway { tags } => {
                Ok(self.create_gateway("vgw", GatewayKind::Vpn, None, tags))
            }
            Provide::AttachVpnGateway { gateway, vpc } => self.attach_vpn_gateway(gateway, vpc),
            Provide::AllocateAddress { tags } => self.allocate_address(tags),
            Provide::CreateVpcPeeringConnection {
                vpc,
                peer,
                owner,
                region,
                tags,
            } => self.create_peering(vpc, peer, owner.as_ref(), region.as_ref(), tags),
            Provide::AcceptVpcPeeringConnection { peering } => self.accept_peering(peering),
            Provide::CreateVpcEndpoint(request) => self.create_endpoint(request),
            Provide::CreateManagedPrefixList {
                name,
                max_entries,
                is_v6,
                entries,
            } => self.create_prefix_list(name, *max_entries, *is_v6, entries),
            Provide::CreateFlowLogs {
                resources,
                traffic,
                tags,
            } => self.create_flow_logs(resources, *traffic, tags),
            Provide::ModifyVpcBlockPublicAccessOptions { mode } => {
                let access =
                    self.topology
                        .block_public_access
                        .get_or_insert_with(|| BlockPublicAccess {
                            mode: *mode,
                            exclusions: BTreeMap::new(),
                        });
                access.mode = *mode;
                Ok(Response::Done)
            }
            other => self.take_down(other),
        }
    }

    /// A new VPC comes with its default group and ACL and its main table (semantics A1, A3, A4).
    fn create_vpc(&mut self, cidr: Ipv4Net, tags: &Tags) -> Result<Response, ApiError> {
        if !(16..=28).contains(&cidr.prefix_len()) {
            return Err(ApiError::new(
                "InvalidVpc.Range",
                format!("The CIDR '{cidr}' is invalid."),
            ));
        }
        let id = VpcId::new(self.mint.id("vpc"));
        let vpc = Vpc {
            owner: Some(self.id.clone()),
            cidrs: BTreeSet::from([IpNet::V4(cidr.trunc())]),
            tags: tags.clone(),
            ..Vpc::new(id.clone())
        };
        self.topology.vpcs.insert(id.clone(), vpc);
        self.bear_group_and_acl(&id);
        if let Response::Table(table) = self.create_table(&id, &Tags::new())? {
            let association = AssociationId::new(self.mint.id("rtbassoc"));
            if let Some(held) = self.tables.get_mut(&table) {
                held.associations
                    .insert(association, AssociationSubject::Main(id.clone()));
            }
        }
        Ok(Response::Vpc(id))
    }

    /// The group and the ACL that a VPC is born with: the group open to itself and outwards, the ACL
    /// open, in IPv6 too where the VPC has it.
    pub(crate) fn bear_group_and_acl(&mut self, vpc: &VpcId) -> (SecurityGroupId, NetworkAclId) {
        let group = SecurityGroupId::new(self.mint.id("sg"));
        let myself = Peer::SecurityGroup {
            id: group.clone(),
            owner: None,
        };
        let rules = [
            (Direction::Egress, Peer::Ipv4(Ipv4Net::default())),
            (Direction::Ingress, myself),
        ]
        .map(|(direction, peer)| {
            let key = RuleKey {
                direction,
                traffic: Traffic::All,
                peer,
            };
            let rule = Rule {
                key,
                description: None,
                tags: Tags::new(),
            };
            (SecurityGroupRuleId::new(self.mint.id("sgr")), rule)
        });
        let held = Group {
            id: group.clone(),
            name: "default".into(),
            description: "default VPC security group".into(),
            vpc: vpc.clone(),
            tags: Tags::new(),
            rules: BTreeMap::from(rules),
        };
        self.groups.insert(group.clone(), held);
        let networks = self.topology.vpcs.get(vpc).map(|vpc| vpc.cidrs.clone());
        let has_v6 = networks
            .unwrap_or_default()
            .iter()
            .any(|net| matches!(net, IpNet::V6(_)));
        let mut open = vec![(100, IpNet::V4(Ipv4Net::default()))];
        open.extend(has_v6.then(|| (101, IpNet::V6(Ipv6Net::default()))));
        let mut entries = BTreeMap::new();
        for (number, net) in open {
            for direction in [Direction::Ingress, Direction::Egress] {
                let entry = NetworkAclEntry::new(RuleAction::Allow, Traffic::All, net);
                let key = RuleNumber::new(number).map(|number| EntryKey { direction, number });
                entries.extend(key.map(|key| (key, entry)));
            }
        }
        let acl = NetworkAclId::new(self.mint.id("acl"));
        let held = Acl {
            id: acl.clone(),
            vpc: vpc.clone(),
            is_default: true,
            tags: Tags::new(),
            entries,
            associations: BTreeMap::new(),
        };
        self.acls.insert(acl.clone(), held);
        (group, acl)
    }

    fn create_gateway(
        &mut self,
        prefix: &str,
        kind: GatewayKind,
        vpc: Option<&VpcId>,
        tags: &Tags,
    ) -> Response {
        let id = self.mint.id(prefix);
        let gateway = Gateway {
            vpcs: vpc.into_iter().cloned().collect(),
            state: Some("available".into()),
            tags: tags.clone(),
            ..Gateway::new(id.clone(), kind)
        };
        self.topology.gateways.insert(id.clone(), gateway);
        Response::Gateway(id)
    }

    fn attach_vpn_gateway(&mut self, id: &str, vpc: &VpcId) -> Result<Response, ApiError> {
        self.vpc(vpc)?;
        let taken = self
            .topology
            .gateways
            .values()
            .any(|other| other.kind == GatewayKind::Vpn && other.vpcs.contains(vpc));
        let gateway = self.gateway_mut(
            id,
            GatewayKind::Vpn,
            "InvalidVpnGatewayID.NotFound",
            "vpnGateway",
        )?;
        if taken || !gateway.vpcs.is_empty() {
            return Err(ApiError::new(
                "VpnGatewayAttachmentLimitExceeded",
                format!("{id} or {vpc} is already attached"),
            ));
        }
        gateway.vpcs.insert(vpc.clone());
        Ok(Response::Gateway(id.to_owned()))
    }

    fn side_of(&self, vpc: &VpcId) -> Option<PeeringSide> {
        let held = self.topology.vpcs.get(vpc)?;
        Some(PeeringSide {
            vpc: Some(vpc.clone()),
            owner: Some(self.id.clone()),
            region: Some(self.region.clone()),
            cidrs: held.cidrs.clone(),
            dns: Some(false),
        })
    }

    /// A peering waits for its other side; both sides are told their networks once it is active.
    fn create_peering(
        &mut self,
        vpc: &VpcId,
        peer: &VpcId,
        owner: Option<&AccountId>,
        region: Option<&Region>,
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        self.vpc(vpc)?;
        let requester = self.side_of(vpc).unwrap_or_default();
        let is_ours = owner.is_none_or(|owner| *owner == self.id)
            && region.is_none_or(|region| *region == self.region);
        let accepter = if is_ours {
            self.vpc(peer)?;
            self.side_of(peer).unwrap_or_default()
        } else {
            PeeringSide {
                vpc: Some(peer.clone()),
                owner: owner.or(Some(&self.id)).cloned(),
                region: region.or(Some(&self.region)).cloned(),
                ..PeeringSide::default()
            }
        };
        let overlap = requester.cidrs.iter().any(|ours| {
            accepter
                .cidrs
                .iter()
                .any(|theirs| ours.contains(theirs) || theirs.contains(ours))
        });
        let both = BTreeSet::from([vpc.clone(), peer.clone()]);
        let living = |state: Option<&str>| matches!(state, Some("active" | "pending-acceptance"));
        if let Some(there) = self.topology.gateways.values().find(|other| {
            other.kind == GatewayKind::Peering
                && other.vpcs == both
                && living(other.state.as_deref())
        }) {
            return Err(ApiError::new(
                "VpcPeeringConnectionAlreadyExists",
                format!("{} already joins {vpc} and {peer}", there.id),
            ));
        }
        let id = self.mint.id("pcx");
        let state = if overlap {
            "failed"
        } else {
            "pending-acceptance"
        };
        let gateway = Gateway {
            vpcs: both,
            state: Some(state.into()),
            peering: Some(PeeringDetail {
                requester,
                accepter,
            }),
            tags: tags.clone(),
            ..Gateway::new(id.clone(), GatewayKind::Peering)
        };
        self.topology.gateways.insert(id.clone(), gateway);
        Ok(Response::Gateway(id))
    }

    fn accept_peering(&mut self, id: &str) -> Result<Response, ApiError> {
        let code = "InvalidVpcPeeringConnectionID.NotFound";
        let ours = self.id.clone();
        let peering = self.gateway_mut(id, GatewayKind::Peering, code, "vpcPeeringConnection")?;
        let is_ours = peering
            .peering
            .as_ref()
            .is_none_or(|detail| detail.accepter.owner.as_ref() == Some(&ours));
        if !is_ours {
            return Err(ApiError::new(
                "OperationNotPermitted",
                format!("User {ours} cannot accept peering {id}"),
            ));
        }
        match peering.state.as_deref() {
            Some("pending-acceptance" | "active") => peering.state = Some("active".into()),
            _ => {
                return Err(ApiError::new(
                    "InvalidStateTransition",
                    format!("Invalid state transition for {id}"),
                ));
            }
        }
        Ok(Response::Gateway(id.to_owned()))
    }

    fn create_prefix_list(
        &mut self,
        name: &str,
        max_entries: u32,
        is_v6: bool,
        entries: &[IpNet],
    ) -> Result<Response, ApiError> {
        if let Some(wrong) = entries
            .iter()
            .find(|net| matches!(net, IpNet::V6(_)) != is_v6)
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("{wrong} is not of the list's address family"),
            ));
        }
        let entries: BTreeSet<_> = entries.iter().map(IpNet::trunc).collect();
        if usize::try_from(max_entries).is_ok_and(|most| entries.len() > most) {
            return Err(ApiError::new(
                "PrefixListMaxEntriesExceeded",
                "You've reached the maximum number of entries for the prefix list.",
            ));
        }
        let id = PrefixListId::new(self.mint.id("pl"));
        let list = PrefixList {
            id: id.clone(),
            name: Some(name.to_owned()),
            version: Some(1),
            max_entries: Some(max_entries),
            entries: Some(entries),
        };
        self.topology.prefix_lists.insert(id.clone(), list);
        Ok(Response::PrefixList { id, version: 1 })
    }

    fn create_flow_logs(
        &mut self,
        resources: &[String],
        traffic: FlowLogTraffic,
        tags: &Tags,
    ) -> Result<Response, ApiError> {
        let mut made = Vec::new();
        for resource in resources {
            let is_known = self
                .topology
                .vpcs
                .contains_key(&VpcId::new(resource.as_str()))
                || self
                    .topology
                    .subnets
                    .contains_key(&SubnetId::new(resource.as_str()))
                || self
                    .topology
                    .interfaces
                    .contains_key(&NetworkInterfaceId::new(resource.as_str()))
                || self.topology.gateways.contains_key(resource);
            if !is_known {
                return Err(missing("InvalidResourceId.NotFound", "resource", resource));
            }
            let id = self.mint.id("fl");
            let log = FlowLog {
                id: id.clone(),
                resource: resource.clone(),
                active: true,
                delivery_failed: false,
                traffic,
                tags: tags.clone(),
            };
            self.topology.flow_logs.insert(id.clone(), log);
            made.push(id);
        }
        Ok(Response::FlowLogs(made))
    }
}
