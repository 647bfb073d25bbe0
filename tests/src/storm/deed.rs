//! What somebody does in a storm: drawn as small numbers, so that it can be printed and dropped, and
//! worked out on the account as it is at its moment.

mod chain;

use super::stroke::Stroke;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use snapback_model::*;
use snapback_sim::Layout;
use std::net::{IpAddr, Ipv4Addr};

/// One thing that somebody does. Numbers choose among what is there, round and round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Deed {
    OpenPort {
        group: u16,
        port: u16,
        v6: bool,
    },
    AddRule {
        group: u16,
        number: u8,
    },
    RevokeRule {
        group: u16,
        rule: u16,
    },
    WidenRule {
        group: u16,
        rule: u16,
    },
    DescribeRule {
        group: u16,
        rule: u16,
    },
    /// The references of others go first.
    DeleteGroup {
        group: u16,
    },
    NewGroup {
        number: u8,
    },
    AddEntry {
        acl: u16,
        number: u16,
        deny: bool,
        egress: bool,
        net: u8,
    },
    DropEntry {
        acl: u16,
        entry: u16,
    },
    RewriteEntry {
        acl: u16,
        entry: u16,
    },
    MoveSubnet {
        subnet: u16,
        acl: u16,
    },
    /// To a new ACL without entries.
    CutSubnet {
        subnet: u16,
    },
    /// Its subnets go to the default ACL first.
    DeleteAcl {
        acl: u16,
    },
    AddRoute {
        table: u16,
        net: u8,
        target: u16,
    },
    DropRoute {
        table: u16,
        route: u16,
    },
    Redirect {
        table: u16,
        route: u16,
        target: u16,
    },
    Disassociate {
        subnet: u16,
    },
    MoveTable {
        subnet: u16,
        table: u16,
    },
    MainTable {
        table: u16,
    },
    /// Its subnets go to the main table first.
    DeleteTable {
        table: u16,
    },
    PropagationOff {
        table: u16,
    },
    EndpointOff,
    Tag {
        resource: u16,
        number: u8,
    },
    SwapGroups {
        group: u16,
    },
    DeleteNat,
}

/// Where a deed is done.
pub struct Ground<'a> {
    /// The account now.
    pub live: &'a Snapshot,
    /// The ids of its parts.
    pub layout: &'a Layout,
    /// What the deed made before: an id.
    pub made: &'a str,
    /// Only what this holds is chosen from, where it is given.
    pub known: Option<&'a super::stroke::Ideal>,
    /// Current ids to the ids that `known` goes by.
    pub names: &'a Lineage,
}

fn nth<T>(items: impl IntoIterator<Item = T>, number: u16) -> Option<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    let index = usize::from(number).checked_rem(items.len())?;
    Some(items.swap_remove(index))
}

fn net(a: u8, b: u8, c: u8) -> Option<IpNet> {
    IpNet::new(IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), 24).ok()
}

fn tcp(port: u16) -> Traffic {
    Traffic::Tcp(PortRange::single(port))
}

impl Ground<'_> {
    fn of(&self, kind: Kind, number: u16) -> Option<&Resource> {
        let all = self.live.resources.values().filter(|resource| {
            let known = |known: &super::stroke::Ideal| {
                known.contains_key(&self.names.current_resource(&resource.id()))
            };
            resource.kind() == kind && self.known.is_none_or(known)
        });
        nth(all, number)
    }

    fn group(&self, number: u16) -> Option<&SecurityGroup> {
        match self.of(Kind::SecurityGroup, number)? {
            Resource::SecurityGroup(group) => Some(group),
            _ => None,
        }
    }

    fn acl(&self, number: u16) -> Option<&NetworkAcl> {
        match self.of(Kind::NetworkAcl, number)? {
            Resource::NetworkAcl(acl) => Some(acl),
            _ => None,
        }
    }

    fn table(&self, number: u16) -> Option<&RouteTable> {
        match self.of(Kind::RouteTable, number)? {
            Resource::RouteTable(table) => Some(table),
            _ => None,
        }
    }

    fn rule(&self, group: u16, rule: u16) -> Option<(&SecurityGroup, RuleKey)> {
        let group = self.group(group)?;
        Some((group, nth(group.rules.keys(), rule)?.clone()))
    }

    fn subnet(&self, number: u16) -> Option<SubnetId> {
        nth(self.live.topology.subnets.keys(), number).cloned()
    }

    fn target(&self, number: u16) -> Option<RouteTarget> {
        let layout = self.layout;
        let all = [
            RouteTarget::InternetGateway(layout.internet_gateway.clone()),
            RouteTarget::NatGateway(self.nat().unwrap_or_else(|| layout.nat_gateway.clone())),
            RouteTarget::VpcPeeringConnection(layout.peering.clone()),
            RouteTarget::NetworkInterface(layout.app_interface.to_string()),
        ];
        nth(all, number)
    }

    /// The NAT gateway that is there.
    fn nat(&self) -> Option<String> {
        let mut gateways = self.live.topology.gateways.values();
        let found = gateways.find(|gateway| {
            gateway.kind == GatewayKind::Nat && gateway.state.as_deref() == Some("available")
        });
        found.map(|gateway| gateway.id.clone())
    }

    fn route(&self, table: u16, route: u16) -> Option<(&RouteTable, Destination)> {
        let table = self.table(table)?;
        let written = table.routes.iter().filter(|(to, route)| {
            route.origin == RouteOrigin::Created
                && route.target != RouteTarget::Local
                && to.as_cidr().is_some()
        });
        Some((table, nth(written, route)?.0.clone()))
    }
}

impl Deed {
    /// The `step`th edit of the deed on the account as it is; `None` when it is over.
    pub fn stroke(&self, step: usize, ground: &Ground<'_>) -> Option<Stroke> {
        match *self {
            Self::DeleteGroup { group } => {
                let group = ground.group(group)?.id.clone();
                return self.delete_group(step, group, ground);
            }
            Self::CutSubnet { subnet } => {
                let subnet = ground.subnet(subnet)?;
                let vpc = ground.live.topology.subnets.get(&subnet)?.vpc.clone();
                return match step {
                    0 => Some(Stroke::MakeAcl(vpc)),
                    1 => Some(Stroke::MoveToAcl(subnet, NetworkAclId::new(ground.made))),
                    _ => None,
                };
            }
            Self::DeleteAcl { acl } => return Self::delete_acl(step, acl, ground),
            Self::DeleteTable { table } => return Self::delete_table(step, table, ground),
            _ => {}
        }
        if step > 0 {
            return None;
        }
        self.on_groups(ground)
            .or_else(|| self.on_acls(ground))
            .or_else(|| self.on_tables(ground))
    }

    fn on_groups(&self, ground: &Ground<'_>) -> Option<Stroke> {
        let ingress = |traffic, peer| RuleKey {
            direction: Direction::Ingress,
            traffic,
            peer,
        };
        Some(match *self {
            Self::OpenPort { group, port, v6 } => {
                let peer = if v6 { "::/0" } else { "0.0.0.0/0" }.parse().ok()?;
                Stroke::Authorize(ground.group(group)?.id.clone(), ingress(tcp(port), peer))
            }
            Self::AddRule { group, number } => {
                let peer = Peer::cidr(net(10, 9, number)?);
                let port = 20_000_u16.saturating_add(number.into());
                Stroke::Authorize(ground.group(group)?.id.clone(), ingress(tcp(port), peer))
            }
            Self::RevokeRule { group, rule } => {
                let (group, rule) = ground.rule(group, rule)?;
                Stroke::Revoke(group.id.clone(), rule)
            }
            Self::WidenRule { group, rule } => {
                let (group, rule) = ground.rule(group, rule)?;
                let peer = match rule.peer {
                    Peer::Ipv4(_) => "0.0.0.0/0".parse().ok()?,
                    Peer::Ipv6(_) => "::/0".parse().ok()?,
                    _ => return None,
                };
                let to = RuleKey {
                    peer,
                    ..rule.clone()
                };
                Stroke::Rewrite(group.id.clone(), rule, to)
            }
            Self::DescribeRule { group, rule } => {
                let (group, rule) = ground.rule(group, rule)?;
                Stroke::Describe(group.id.clone(), rule, "for now".into())
            }
            Self::NewGroup { number } => {
                Stroke::MakeGroup(ground.layout.vpc.clone(), format!("stray-{number}"))
            }
            Self::SwapGroups { group } => {
                let group = ground.group(group)?;
                if group.vpc.as_ref() != Some(&ground.layout.vpc) {
                    return None;
                }
                let interface = ground.layout.app_interface.clone();
                Stroke::Carry(interface, vec![group.id.clone()])
            }
            Self::Tag { resource, number } => {
                let known = |resource: &&Resource| {
                    let id = ground.names.current_resource(&resource.id());
                    ground.known.is_none_or(|known| known.contains_key(&id))
                };
                let all = ground.live.resources.values().filter(known);
                let value = format!("storm-{number}");
                Stroke::Tag(nth(all, resource)?.id(), "owner".into(), value)
            }
            Self::DeleteNat => Stroke::DeleteNat(ground.nat()?),
            _ => return None,
        })
    }

    fn on_acls(&self, ground: &Ground<'_>) -> Option<Stroke> {
        Some(match *self {
            Self::AddEntry {
                acl,
                number,
                deny,
                egress,
                net: third,
            } => {
                let key = EntryKey {
                    direction: Direction::from_egress(egress),
                    number: RuleNumber::new(i64::from(number.clamp(1, 32_000)))?,
                };
                let action = match deny {
                    true => RuleAction::Deny,
                    false => RuleAction::Allow,
                };
                let port = 30_000_u16.saturating_add(third.into());
                let traffic = if deny { Traffic::All } else { tcp(port) };
                let entry = NetworkAclEntry::new(action, traffic, net(10, 0, third % 32)?);
                Stroke::PutEntry(ground.acl(acl)?.id.clone(), key, entry)
            }
            Self::DropEntry { acl, entry } => {
                let acl = ground.acl(acl)?;
                Stroke::DropEntry(acl.id.clone(), *nth(acl.entries.keys(), entry)?)
            }
            Self::RewriteEntry { acl, entry } => {
                let acl = ground.acl(acl)?;
                let (key, old) = nth(acl.entries.iter(), entry)?;
                let action = match old.action {
                    RuleAction::Allow => RuleAction::Deny,
                    RuleAction::Deny => RuleAction::Allow,
                };
                let entry = NetworkAclEntry {
                    action,
                    ..old.clone()
                };
                Stroke::PutEntry(acl.id.clone(), *key, entry)
            }
            Self::MoveSubnet { subnet, acl } => {
                let subnet = ground.subnet(subnet)?;
                let vpc = &ground.live.topology.subnets.get(&subnet)?.vpc;
                let acl = ground.acl(acl)?;
                if acl.vpc != *vpc || acl.subnets.contains(&subnet) {
                    return None;
                }
                Stroke::MoveToAcl(subnet, acl.id.clone())
            }
            _ => return None,
        })
    }

    fn on_tables(&self, ground: &Ground<'_>) -> Option<Stroke> {
        Some(match *self {
            Self::AddRoute {
                table,
                net: third,
                target,
            } => {
                let destination = Destination::cidr(net(172, 20, third)?);
                let table = ground.table(table)?;
                if table.routes.contains_key(&destination) {
                    return None;
                }
                Stroke::PutRoute(table.id.clone(), destination, ground.target(target)?)
            }
            Self::DropRoute { table, route } => {
                let (table, destination) = ground.route(table, route)?;
                Stroke::DropRoute(table.id.clone(), destination)
            }
            Self::Redirect {
                table,
                route,
                target,
            } => {
                let (table, destination) = ground.route(table, route)?;
                Stroke::PutRoute(table.id.clone(), destination, ground.target(target)?)
            }
            Self::Disassociate { subnet } => {
                Stroke::MoveToTable(AssociationSubject::Subnet(ground.subnet(subnet)?), None)
            }
            Self::MoveTable { subnet, table } => {
                let subnet = ground.subnet(subnet)?;
                let vpc = &ground.live.topology.subnets.get(&subnet)?.vpc;
                let table = ground.table(table)?;
                if table.vpc != *vpc || table.subnets.contains(&subnet) {
                    return None;
                }
                let subject = AssociationSubject::Subnet(subnet);
                Stroke::MoveToTable(subject, Some(table.id.clone()))
            }
            Self::MainTable { table } => {
                let table = ground.table(table)?;
                if table.main || !table.gateways.is_empty() {
                    return None;
                }
                let subject = AssociationSubject::Main(table.vpc.clone());
                Stroke::MoveToTable(subject, Some(table.id.clone()))
            }
            Self::PropagationOff { table } => {
                let table = ground.table(table)?;
                let gateway = table.propagating.first()?.clone();
                Stroke::Propagate(table.id.clone(), gateway, false)
            }
            Self::EndpointOff => {
                let endpoint = ground.layout.endpoint.clone();
                let serves = &ground.live.topology.gateways.get(&endpoint)?.route_tables;
                Stroke::Serve(endpoint, serves.first()?.clone(), false)
            }
            _ => return None,
        })
    }
}
