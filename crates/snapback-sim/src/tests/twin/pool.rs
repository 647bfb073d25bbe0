//! Random calls on what exists now.

use crate::{Call, Layout, Revoked, RuleBy, RuleChange, World};
use fastrand::Rng;
use snapback_model::*;
use std::collections::BTreeMap;

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

/// What random calls choose from: what exists now, and a little that does not.
pub(crate) struct Pool {
    groups: Vec<SecurityGroupId>,
    acls: Vec<NetworkAclId>,
    tables: Vec<RouteTableId>,
    subnets: Vec<SubnetId>,
    targets: Vec<RouteTarget>,
    handles: Handles,
    layout: Layout,
}

impl Pool {
    pub(crate) fn of(world: &World, layout: &Layout) -> Self {
        let truth = world.snapshot();
        let mut pool = Self {
            groups: vec!["sg-0gone".into()],
            acls: vec!["acl-0gone".into()],
            tables: vec!["rtb-0gone".into()],
            subnets: truth.topology.subnets.keys().cloned().collect(),
            targets: vec![
                RouteTarget::InternetGateway(layout.internet_gateway.clone()),
                RouteTarget::NatGateway(layout.nat_gateway.clone()),
                RouteTarget::VpcPeeringConnection(layout.peering.clone()),
                RouteTarget::NetworkInterface(layout.app_interface.to_string()),
                RouteTarget::NatGateway("nat-0gone".into()),
                RouteTarget::Local,
            ],
            handles: truth.handles,
            layout: layout.clone(),
        };
        for id in truth.resources.into_keys() {
            match id {
                ResourceId::SecurityGroup(id) => pool.groups.push(id),
                ResourceId::NetworkAcl(id) => pool.acls.push(id),
                ResourceId::RouteTable(id) => pool.tables.push(id),
            }
        }
        pool
    }

    fn rule(&self, rng: &mut Rng) -> RuleKey {
        let traffic = pick(
            rng,
            &[
                "tcp:22",
                "tcp:443",
                "tcp:0-65535",
                "udp:53",
                "icmp:8/0",
                "icmpv6:all",
                "protocol:50",
                "all",
            ],
        );
        let list = self.layout.office_list.to_string();
        let group = pick(rng, &self.groups).to_string();
        let peer = pick(
            rng,
            &[
                "0.0.0.0/0",
                "10.0.0.0/8",
                "198.51.100.0/24",
                "::/0",
                "2001:db8::/32",
                list.as_str(),
                group.as_str(),
            ],
        );
        let direction = pick(rng, &["ingress", "egress"]);
        format!("{direction} {traffic} {peer}").parse().unwrap()
    }

    fn group_call(&self, rng: &mut Rng) -> Call {
        let group = pick(rng, &self.groups);
        let mine: Vec<_> = self
            .handles
            .rules
            .iter()
            .filter(|(_, handle)| handle.group == group)
            .collect();
        let known = (!mine.is_empty()).then(|| pick(rng, &mine));
        let text = pick(rng, &[None, Some("a description".to_owned())]);
        match (rng.u8(..7), known) {
            (0, Some((id, handle))) => Call::RevokeSecurityGroup {
                group: (&group).into(),
                direction: handle.rule.direction,
                rules: Revoked::Ids(vec![id.clone()]),
            },
            (1, Some((_, handle))) => Call::revoke(&group, [handle.rule.clone()]),
            (2, Some((id, _))) => {
                let rule = self.rule(rng);
                let changes = vec![RuleChange {
                    id: id.clone(),
                    traffic: rule.traffic,
                    peer: rule.peer,
                    description: text,
                }];
                Call::ModifySecurityGroupRules { group, changes }
            }
            (3, Some((_, handle))) => Call::UpdateSecurityGroupRuleDescriptions {
                group: (&group).into(),
                direction: handle.rule.direction,
                descriptions: vec![(RuleBy::Key(handle.rule.clone()), text)],
            },
            (4, _) if rng.bool() => Call::DeleteSecurityGroup {
                group: (&group).into(),
            },
            (4, _) => {
                let name = format!("group-{}", rng.u8(..));
                let vpc = Some(self.layout.vpc.clone());
                Call::CreateSecurityGroup {
                    name,
                    description: "random".into(),
                    vpc,
                    tags: Tags::new(),
                }
            }
            (5, _) => Call::authorize_short(
                &group,
                RuleKey {
                    peer: "192.0.2.0/24".parse().unwrap(),
                    ..self.rule(rng)
                },
            ),
            _ => {
                let rules: BTreeMap<_, _> = (0..rng.usize(1..4))
                    .map(|_| (self.rule(rng), text.clone()))
                    .collect();
                let direction = rules.keys().next().unwrap().direction;
                Call::authorize(
                    &group,
                    rules
                        .into_iter()
                        .filter(|(rule, _)| rule.direction == direction),
                )
            }
        }
    }

    fn acl_call(&self, rng: &mut Rng) -> Call {
        let acl = pick(rng, &self.acls);
        let number = pick(rng, &[50, 90, 100, 110]);
        let key: EntryKey = format!("{} {number}", pick(rng, &["ingress", "egress"]))
            .parse()
            .unwrap();
        let traffic = pick(
            rng,
            &[
                "tcp:22",
                "udp:1024-65535",
                "icmp:3/4",
                "icmpv6:2",
                "protocol:47",
                "all",
            ],
        )
        .parse()
        .unwrap();
        let cidr = pick(rng, &["0.0.0.0/0", "10.0.0.0/8", "::/0"])
            .parse()
            .unwrap();
        let entry = NetworkAclEntry::new(
            pick(rng, &[RuleAction::Allow, RuleAction::Deny]),
            traffic,
            cidr,
        );
        match rng.u8(..8) {
            0 | 1 => Call::CreateNetworkAclEntry { acl, key, entry },
            2 | 3 => Call::ReplaceNetworkAclEntry { acl, key, entry },
            4 => Call::DeleteNetworkAclEntry { acl, key },
            5 => Call::CreateNetworkAcl {
                vpc: self.layout.vpc.clone(),
                tags: Tags::new(),
            },
            6 if rng.bool() => Call::DeleteNetworkAcl { acl },
            _ => {
                let subject = AssociationSubject::Subnet(pick(rng, &self.subnets));
                let association = self
                    .handles
                    .association_id(Kind::NetworkAcl, &subject)
                    .cloned();
                Call::ReplaceNetworkAclAssociation {
                    association: association.unwrap(),
                    acl,
                }
            }
        }
    }

    fn table_call(&self, rng: &mut Rng) -> Call {
        let table = pick(rng, &self.tables);
        let destination: Destination = pick(
            rng,
            &[
                "0.0.0.0/0",
                "::/0",
                "10.20.0.0/16",
                "10.0.0.0/16",
                "10.0.20.0/24",
                "10.9.0.0/16",
            ],
        )
        .parse()
        .unwrap();
        let target = pick(rng, &self.targets);
        let mut subjects: Vec<_> = self
            .subnets
            .iter()
            .cloned()
            .map(AssociationSubject::Subnet)
            .collect();
        subjects.push(AssociationSubject::Main(self.layout.vpc.clone()));
        let subject = pick(rng, &subjects);
        let association = self
            .handles
            .association_id(Kind::RouteTable, &subject)
            .cloned()
            .unwrap_or_else(|| "rtbassoc-0gone".into());
        let gateway = self.layout.vpn_gateway.clone();
        match rng.u8(..10) {
            0 | 1 => Call::CreateRoute {
                table,
                destination,
                target,
            },
            2 | 3 => Call::ReplaceRoute {
                table,
                destination,
                target,
            },
            4 => Call::DeleteRoute { table, destination },
            5 => Call::AssociateRouteTable { table, subject },
            6 => Call::DisassociateRouteTable { association },
            7 => Call::ReplaceRouteTableAssociation { association, table },
            8 if rng.bool() => Call::EnableVgwRoutePropagation { table, gateway },
            8 => Call::DisableVgwRoutePropagation { table, gateway },
            _ if rng.bool() => Call::CreateRouteTable {
                vpc: self.layout.vpc.clone(),
                tags: Tags::new(),
            },
            _ => Call::DeleteRouteTable { table },
        }
    }

    pub(crate) fn call(&self, rng: &mut Rng) -> Call {
        match rng.u8(..3) {
            0 => self.group_call(rng),
            1 => self.acl_call(rng),
            _ => self.table_call(rng),
        }
    }
}
