//! The tools that lay out an account: one method for each kind of thing.

use crate::account::{Account, Acl, Address, Group, Rule, StoredRoute, Table};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new(Ipv4Addr::new(a, b, c, d), bits).unwrap_or_default())
}

pub(super) fn v6(third: u16, fourth: u16, bits: u8) -> IpNet {
    IpNet::V6(
        Ipv6Net::new(
            Ipv6Addr::new(0x2001, 0xdb8, third, fourth, 0, 0, 0, 0),
            bits,
        )
        .unwrap_or_default(),
    )
}

pub(super) fn any_v4() -> IpNet {
    v4(0, 0, 0, 0, 0)
}

pub(super) fn any_v6() -> IpNet {
    IpNet::V6(Ipv6Net::default())
}

pub(super) fn name(name: &str) -> Tags {
    Tags::from([
        ("Name".to_owned(), name.to_owned()),
        ("Owner".to_owned(), "platform".to_owned()),
    ])
}

pub(super) fn tcp(from: u16, to: u16) -> Traffic {
    PortRange::new(from, to).map_or(Traffic::All, Traffic::Tcp)
}

pub(super) fn public_ip(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))
}

pub(super) fn private_ip(third: u8, last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, third, last))
}

/// An account under construction.
pub(super) struct Site<'a> {
    pub account: &'a mut Account,
}

impl Site<'_> {
    pub fn id(&mut self, prefix: &str) -> String {
        self.account.mint.id(prefix)
    }

    pub fn vpc(&mut self, label: &str, cidrs: &[IpNet], is_default: bool) -> VpcId {
        let id = VpcId::new(self.id("vpc"));
        let owner = Some(self.account.id.clone());
        let vpc = Vpc {
            owner,
            cidrs: cidrs.iter().copied().collect(),
            is_default,
            tags: name(label),
            ..Vpc::new(id.clone())
        };
        self.account.topology.vpcs.insert(id.clone(), vpc);
        id
    }

    pub fn subnet(&mut self, vpc: &VpcId, label: &str, cidrs: &[IpNet], zone: &str) -> SubnetId {
        let id = SubnetId::new(self.id("subnet"));
        let subnet = Subnet {
            cidrs: cidrs.iter().copied().collect(),
            zone: Some(zone.into()),
            tags: name(label),
            ..Subnet::new(id.clone(), vpc.clone())
        };
        self.account.topology.subnets.insert(id.clone(), subnet);
        id
    }

    pub fn gateway(
        &mut self,
        prefix: &str,
        kind: GatewayKind,
        vpc: &VpcId,
        state: &str,
    ) -> &mut Gateway {
        let id = self.id(prefix);
        self.account
            .topology
            .gateways
            .entry(id.clone())
            .or_insert(Gateway {
                vpcs: BTreeSet::from([vpc.clone()]),
                state: Some(state.into()),
                ..Gateway::new(id, kind)
            })
    }

    pub fn group(
        &mut self,
        vpc: &VpcId,
        label: &str,
        description: &str,
        rules: &[(Direction, Traffic, Peer, &str)],
    ) -> SecurityGroupId {
        let id = SecurityGroupId::new(self.id("sg"));
        let mut held = BTreeMap::new();
        for (direction, traffic, peer, text) in rules {
            let key = RuleKey {
                direction: *direction,
                traffic: *traffic,
                peer: peer.clone(),
            };
            let description = (!text.is_empty()).then(|| (*text).to_owned());
            held.insert(
                SecurityGroupRuleId::new(self.id("sgr")),
                Rule {
                    key,
                    description,
                    tags: Tags::new(),
                },
            );
        }
        let group = Group {
            id: id.clone(),
            name: label.into(),
            description: description.into(),
            vpc: vpc.clone(),
            tags: name(label),
            rules: held,
        };
        self.account.groups.insert(id.clone(), group);
        id
    }

    pub fn acl(
        &mut self,
        vpc: &VpcId,
        label: &str,
        is_default: bool,
        entries: &[(Direction, i64, NetworkAclEntry)],
        subnets: &[SubnetId],
    ) -> NetworkAclId {
        let id = NetworkAclId::new(self.id("acl"));
        let numbered = entries.iter().filter_map(|(direction, number, entry)| {
            RuleNumber::new(*number).map(|number| {
                (
                    EntryKey {
                        direction: *direction,
                        number,
                    },
                    entry.clone(),
                )
            })
        });
        let entries = numbered.collect();
        let associations = subnets
            .iter()
            .map(|subnet| {
                (
                    AssociationId::new(self.account.mint.id("aclassoc")),
                    subnet.clone(),
                )
            })
            .collect();
        let acl = Acl {
            id: id.clone(),
            vpc: vpc.clone(),
            is_default,
            tags: name(label),
            entries,
            associations,
        };
        self.account.acls.insert(id.clone(), acl);
        id
    }

    pub fn table(
        &mut self,
        vpc: &VpcId,
        label: &str,
        routes: &[(Destination, RouteTarget)],
        subjects: Vec<AssociationSubject>,
    ) -> RouteTableId {
        let id = RouteTableId::new(self.id("rtb"));
        let networks = self
            .account
            .topology
            .vpcs
            .get(vpc)
            .map(|vpc| vpc.cidrs.clone())
            .unwrap_or_default();
        let local = StoredRoute {
            target: RouteTarget::Local,
            origin: RouteOrigin::Table,
        };
        let mut held: BTreeMap<_, _> = networks
            .into_iter()
            .map(|net| (Destination::cidr(net), local.clone()))
            .collect();
        for (destination, target) in routes {
            held.insert(
                destination.clone(),
                StoredRoute {
                    target: target.clone(),
                    origin: RouteOrigin::Created,
                },
            );
        }
        let associations = subjects
            .into_iter()
            .map(|subject| {
                (
                    AssociationId::new(self.account.mint.id("rtbassoc")),
                    subject,
                )
            })
            .collect();
        let table = Table {
            id: id.clone(),
            vpc: vpc.clone(),
            tags: name(label),
            routes: held,
            associations,
            propagating: BTreeSet::new(),
        };
        self.account.tables.insert(id.clone(), table);
        id
    }

    pub fn interface(
        &mut self,
        vpc: &VpcId,
        subnet: &SubnetId,
        groups: &[&SecurityGroupId],
        description: &str,
        private: IpAddr,
    ) -> &mut NetworkInterface {
        let id = NetworkInterfaceId::new(self.id("eni"));
        let place = self.account.topology.subnets.get(subnet);
        let zone = place.and_then(|place| place.zone.clone());
        self.account
            .topology
            .interfaces
            .entry(id.clone())
            .or_insert(NetworkInterface {
                groups: groups.iter().map(|id| (*id).clone()).collect(),
                addresses: BTreeSet::from([private]),
                kind: Some("interface".into()),
                description: Some(description.into()),
                source_dest_check: Some(true),
                zone,
                attached: Some(true),
                ..NetworkInterface::new(id, vpc.clone(), subnet.clone())
            })
    }

    /// A flow log over a VPC, and no block on public access: nothing that a finding would tell.
    pub fn watched(&mut self, vpc: &VpcId) {
        let id = format!("fl-{}", vpc.as_str().trim_start_matches("vpc-"));
        let log = FlowLog {
            id: id.clone(),
            resource: vpc.to_string(),
            active: true,
            delivery_failed: false,
            traffic: FlowLogTraffic::All,
            tags: name("flows"),
        };
        let topology = &mut self.account.topology;
        topology.flow_logs.insert(id, log);
        topology.block_public_access = Some(BlockPublicAccess {
            mode: BlockMode::Off,
            exclusions: BTreeMap::new(),
        });
    }

    pub fn prefix_list(
        &mut self,
        label: &str,
        version: Option<i64>,
        max_entries: Option<u32>,
        entries: &[IpNet],
    ) -> PrefixListId {
        let id = PrefixListId::new(self.id("pl"));
        let list = PrefixList {
            id: id.clone(),
            name: Some(label.into()),
            version,
            max_entries,
            entries: Some(entries.iter().copied().collect()),
        };
        self.account.topology.prefix_lists.insert(id.clone(), list);
        id
    }

    /// An Elastic address that nothing holds.
    pub fn address(&mut self, public: IpAddr) -> String {
        let allocation = self.id("eipalloc");
        let address = Address {
            allocation: allocation.clone(),
            public,
            tags: name("spare"),
        };
        self.account.addresses.insert(allocation.clone(), address);
        allocation
    }

    /// Group and ACL that every VPC is born with, the subnets under that ACL.
    pub fn born_with(
        &mut self,
        vpc: &VpcId,
        subnets: &[SubnetId],
    ) -> (SecurityGroupId, NetworkAclId) {
        let (group, acl) = self.account.bear_group_and_acl(vpc);
        if let Some(held) = self.account.groups.get_mut(&group) {
            held.tags = name("default");
        }
        if let Some(held) = self.account.acls.get_mut(&acl) {
            held.tags = name("default");
        }
        for subnet in subnets {
            self.account.place_subnet(vpc, subnet);
        }
        (group, acl)
    }
}
