//! VPCE-SSM-LOCKOUT: whether instances reach Systems Manager, by an interface endpoint or the internet.
//!
//! What is not known never accuses: a group, ACL, table or endpoint interface that was not read is
//! taken to let pass. A name with private DNS leads to the endpoint, so a blocked endpoint with it is
//! no way even where the internet is one.

use super::world::{AclSets, World};
use super::{Finding, FindingCode, Harm, Severity, Subject};
use snapback_model::*;
use snapback_reach::{AddressSet, Family, Flow, Host, PacketSet, next_hops};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

const HTTPS: u16 = 443;
const TCP: u8 = 6;
/// Client ports of an instance, whichever its system (semantics A3).
const CLIENT_PORTS: [u16; 2] = [32768, 60999];
/// An address of AWS, as an example of where the services answer.
const SOME_SERVICE: IpAddr = IpAddr::V4(Ipv4Addr::new(52, 94, 5, 1));

/// Whether one service is reached, and why not.
type Blocked = Vec<String>;

/// Instances that are alike to the network: same subnet, same groups.
type Class<'w> = (&'w SubnetId, &'w BTreeSet<SecurityGroupId>);

struct Instances<'w> {
    vpc: &'w VpcId,
    example: &'w NetworkInterface,
    count: usize,
}

fn classes<'w>(world: &World<'w>) -> BTreeMap<Class<'w>, Instances<'w>> {
    let mut classes: BTreeMap<Class<'_>, Instances<'_>> = BTreeMap::new();
    let interfaces = world.topology.interfaces.values();
    for interface in interfaces.filter(|interface| interface.instance.is_some()) {
        classes
            .entry((&interface.subnet, &interface.groups))
            .or_insert(Instances {
                vpc: &interface.vpc,
                example: interface,
                count: 0,
            })
            .count += 1;
    }
    classes
}

/// The endpoints of a VPC by service: `ssm`, `ssmmessages`, `ec2messages`.
fn endpoints<'w>(world: &World<'w>, vpc: &VpcId, service: &str) -> Vec<&'w Gateway> {
    let gateways = world.topology.gateways.values();
    gateways
        .filter(|gateway| {
            let name = gateway.service.as_deref().unwrap_or_default();
            let state = gateway.state.as_deref().unwrap_or("available");
            gateway.kind == GatewayKind::Endpoint
                && gateway.vpcs.contains(vpc)
                && name.rsplit('.').next() == Some(service)
                && state.eq_ignore_ascii_case("available")
        })
        .collect()
}

fn has_endpoint(world: &World<'_>, vpc: &VpcId) -> bool {
    ["ssm", "ssmmessages", "ec2messages"]
        .into_iter()
        .any(|service| !endpoints(world, vpc, service).is_empty())
}

fn contains(set: Option<&PacketSet>, peer: IpAddr, port: u16) -> bool {
    let flow = Flow {
        peer: Host::Address(peer),
        protocol: TCP,
        point: port,
    };
    set.is_none_or(|set| set.contains(&flow))
}

fn replies(set: Option<&PacketSet>, peer: IpAddr) -> bool {
    CLIENT_PORTS
        .into_iter()
        .all(|port| contains(set, peer, port))
}

/// One instance interface with what decides about it.
struct Asking<'w> {
    interface: &'w NetworkInterface,
    egress: Option<PacketSet>,
    acl: Option<&'w AclSets>,
}

impl<'w> Asking<'w> {
    fn of(world: &'w World<'_>, interface: &'w NetworkInterface) -> Self {
        Self {
            interface,
            egress: world.permitted_by_all(&interface.groups, Direction::Egress),
            acl: world
                .acl_of(&interface.subnet)
                .and_then(|acl| world.acl_sets(&acl.id)),
        }
    }

    /// Why an endpoint is not reached; empty where it is, or where that is not known.
    fn by_endpoint(&self, world: &World<'_>, endpoint: &Gateway) -> Blocked {
        let detail = endpoint.endpoint.as_ref();
        let served: Vec<&NetworkInterface> = detail
            .into_iter()
            .flat_map(|detail| &detail.interfaces)
            .filter_map(|id| world.topology.interfaces.get(id))
            .collect();
        let mut blocked = Blocked::new();
        for serving in served {
            match self.by_interface(world, endpoint, serving) {
                None => return Blocked::new(),
                Some(why) => blocked.push(format!("{} ({}): {why}", endpoint.id, serving.id)),
            }
        }
        blocked
    }

    fn by_interface(
        &self,
        world: &World<'_>,
        endpoint: &Gateway,
        serving: &NetworkInterface,
    ) -> Option<String> {
        let pair = self.interface.addresses.iter().find_map(|own| {
            let mut theirs = serving.addresses.iter();
            let there = theirs.find(|there| there.is_ipv4() == own.is_ipv4())?;
            Some((*own, *there))
        });
        let (own, there) = pair?;
        let groups = if serving.groups.is_empty() {
            &endpoint.groups
        } else {
            &serving.groups
        };
        let ingress = (!groups.is_empty())
            .then(|| world.permitted_by_all(groups, Direction::Ingress))
            .flatten();
        if !contains(self.egress.as_ref(), there, HTTPS) {
            return Some("the instance's groups do not let tcp 443 out to it".into());
        }
        if !contains(ingress.as_ref(), own, HTTPS) {
            return Some("the endpoint's groups do not let tcp 443 in".into());
        }
        if serving.subnet == self.interface.subnet {
            return None;
        }
        let far = world
            .acl_of(&serving.subnet)
            .and_then(|acl| world.acl_sets(&acl.id));
        let (near_in, near_out) = split(self.acl);
        let (far_in, far_out) = split(far);
        let passes = contains(near_out, there, HTTPS)
            && contains(far_in, own, HTTPS)
            && replies(far_out, own)
            && replies(near_in, there);
        (!passes).then(|| "a network ACL on the way stops tcp 443 or its replies".into())
    }

    /// Why the internet is no way; empty where it is, or where that is not known.
    fn by_internet(&self, world: &World<'_>) -> Blocked {
        let internet = AddressSet::internet(Family::V4);
        let open = |set: Option<&PacketSet>, port: u16| {
            set.is_none_or(|set| !set.peers_at(TCP, port).intersection(&internet).is_empty())
        };
        if !open(self.egress.as_ref(), HTTPS) {
            return vec!["the instance's groups do not let tcp 443 out to the internet".into()];
        }
        let (near_in, near_out) = split(self.acl);
        let answered = CLIENT_PORTS.into_iter().all(|port| open(near_in, port));
        if !open(near_out, HTTPS) || !answered {
            return vec![
                "the subnet's network ACL stops tcp 443 to the internet or its replies".into(),
            ];
        }
        let Some(table) = world.table_of(&self.interface.subnet) else {
            return Blocked::new();
        };
        let hops = next_hops(table, world.lists);
        let Some(target) = hops.at(SOME_SERVICE).delivers() else {
            return vec!["no route leads to the internet".into()];
        };
        if world.dead(table, target).is_some() {
            return vec![format!(
                "the route to the internet leads to {target}, which is dead"
            )];
        }
        let gateway = matches!(target, RouteTarget::InternetGateway(_));
        if gateway && self.interface.public_addresses.is_empty() {
            return vec![
                "the route leads to an internet gateway, and the instance has no public address"
                    .into(),
            ];
        }
        Blocked::new()
    }

    /// Why Systems Manager is not reached; empty where it is.
    fn blocked(&self, world: &World<'_>) -> Blocked {
        let vpc = &self.interface.vpc;
        for service in ["ssm", "ssmmessages", "ec2messages"] {
            let endpoints = endpoints(world, vpc, service);
            // Newer agents do without this one.
            if service == "ec2messages" && endpoints.is_empty() {
                continue;
            }
            let mut blocked = Blocked::new();
            let mut reached = false;
            for endpoint in &endpoints {
                let why = self.by_endpoint(world, endpoint);
                reached |= why.is_empty();
                blocked.extend(why);
            }
            if reached {
                continue;
            }
            let named = |endpoint: &&Gateway| {
                endpoint
                    .endpoint
                    .as_ref()
                    .is_some_and(|detail| detail.private_dns)
            };
            if !endpoints.iter().any(named) {
                let why = self.by_internet(world);
                if why.is_empty() {
                    continue;
                }
                blocked.extend(why);
            }
            return blocked
                .into_iter()
                .map(|why| format!("{service}: {why}"))
                .collect();
        }
        Blocked::new()
    }
}

fn split(sets: Option<&(PacketSet, PacketSet)>) -> (Option<&PacketSet>, Option<&PacketSet>) {
    (sets.map(|sets| &sets.0), sets.map(|sets| &sets.1))
}

fn tell(lost: BTreeMap<&VpcId, Vec<String>>) -> Vec<Finding> {
    lost.into_iter()
        .map(|(vpc, evidence)| {
            Finding::new(
                FindingCode::VpceSsmLockout,
                (Severity::High, Harm::Cuts),
                Subject::Vpc(vpc.clone()),
                Element::Existence,
                format!("instances of {vpc} do not reach Systems Manager: no Session Manager session can be opened to them"),
                evidence,
            )
        })
        .collect()
}

fn line(instances: &Instances<'_>, why: &[String]) -> String {
    let example = instances.example;
    let more = match instances.count {
        0 | 1 => String::new(),
        count => format!(" and {} more like it", count - 1),
    };
    let instance = example.instance.as_deref().unwrap_or(example.id.as_str());
    format!("{instance}{more}: {}", why.join("; "))
}

/// Instances of VPCs that have endpoints for it and do not reach it. Without endpoints nobody says
/// that they should.
pub(super) fn audit(world: &World<'_>) -> Vec<Finding> {
    let mut lost: BTreeMap<&VpcId, Vec<String>> = BTreeMap::new();
    for instances in classes(world).into_values() {
        if !has_endpoint(world, instances.vpc) {
            continue;
        }
        let blocked = Asking::of(world, instances.example).blocked(world);
        if !blocked.is_empty() {
            lost.entry(instances.vpc)
                .or_default()
                .push(line(&instances, &blocked));
        }
    }
    tell(lost)
}

/// Whom a resource that is not the same on two sides has a say about.
pub(super) struct Concerned<'s, 'w> {
    sides: [&'s World<'w>; 2],
    /// The resource; none where it is the same.
    by: Option<&'w ResourceId>,
    /// VPCs of endpoints that it filters or routes.
    vpcs: BTreeSet<&'w VpcId>,
}

impl<'s, 'w> Concerned<'s, 'w> {
    /// `None` where the surroundings differ too: it concerns everybody.
    pub(super) fn by(
        before: &'s World<'w>,
        after: &'s World<'w>,
        resource: &ResourceId,
    ) -> Option<Self> {
        let differing = before.differing(after)?;
        let mut concerned = Self {
            sides: [before, after],
            by: differing.into_iter().find(|id| *id == resource),
            vpcs: BTreeSet::new(),
        };
        let gateways = after.topology.gateways.values();
        for endpoint in gateways.filter(|gateway| gateway.kind == GatewayKind::Endpoint) {
            let detail = endpoint.endpoint.iter();
            let mut served = detail
                .flat_map(|detail| &detail.interfaces)
                .filter_map(|id| after.topology.interfaces.get(id));
            let touched = concerned.is_any_of(&endpoint.groups)
                || served
                    .any(|one| concerned.is_any_of(&one.groups) || concerned.holds(&one.subnet));
            if touched {
                concerned.vpcs.extend(&endpoint.vpcs);
            }
        }
        Some(concerned)
    }

    fn has(&self, one: &NetworkInterface) -> bool {
        self.vpcs.contains(&one.vpc) || self.is_any_of(&one.groups) || self.holds(&one.subnet)
    }

    fn is_any_of(&self, groups: &BTreeSet<SecurityGroupId>) -> bool {
        matches!(self.by, Some(ResourceId::SecurityGroup(id)) if groups.contains(id))
    }

    /// Whether it is the ACL or the table of a subnet on either side.
    fn holds(&self, subnet: &SubnetId) -> bool {
        self.sides.iter().any(|side| match self.by {
            Some(ResourceId::NetworkAcl(id)) => {
                side.acl_of(subnet).is_some_and(|acl| acl.id == *id)
            }
            Some(ResourceId::RouteTable(id)) => {
                side.table_of(subnet).is_some_and(|table| table.id == *id)
            }
            Some(ResourceId::SecurityGroup(_)) | None => false,
        })
    }
}

/// Instances that reached it and no longer do: all, or those that a resource has a say about.
pub(super) fn lost(
    before: &World<'_>,
    after: &World<'_>,
    concerned: Option<&Concerned<'_, '_>>,
) -> Vec<Finding> {
    let concerns = |one: &NetworkInterface| concerned.is_none_or(|concerned| concerned.has(one));
    let mut lost: BTreeMap<&VpcId, Vec<String>> = BTreeMap::new();
    let classes = classes(after).into_values();
    for instances in classes.filter(|instances| concerns(instances.example)) {
        let Some(was) = before.topology.interfaces.get(&instances.example.id) else {
            continue;
        };
        let blocked = Asking::of(after, instances.example).blocked(after);
        if !blocked.is_empty() && Asking::of(before, was).blocked(before).is_empty() {
            lost.entry(instances.vpc)
                .or_default()
                .push(line(&instances, &blocked));
        }
    }
    tell(lost)
}
