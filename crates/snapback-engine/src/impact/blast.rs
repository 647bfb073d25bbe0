//! Who stands behind a resource: interfaces, services, groups that name it, peers.

use super::shift::count;
use serde::{Deserialize, Serialize};
use snapback_model::{AccountId, NetworkInterface, SecurityGroupId, SubnetId};
use std::collections::{BTreeMap, BTreeSet};

/// The other side of what was opened and closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    /// Networks.
    pub networks: usize,
    /// IPv4 addresses in them.
    pub ipv4_addresses: u64,
    /// Those of them that can be hosts on the internet.
    pub public_ipv4_addresses: u64,
    /// Whether IPv6 addresses are among them.
    pub ipv6: bool,
    /// Groups named.
    pub groups: BTreeSet<SecurityGroupId>,
    /// Other accounts whose groups are named.
    pub accounts: BTreeSet<AccountId>,
}

/// Whom a change of a resource concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlastRadius {
    /// Network interfaces that carry the group, or are in the subnets of the ACL or table; `None`
    /// where the interfaces were not read.
    pub interfaces: Option<usize>,
    /// The first of them, by name.
    pub named: Vec<String>,
    /// Subnets.
    pub subnets: BTreeSet<SubnetId>,
    /// Instances among them.
    pub instances: usize,
    /// Services among them: what, and how many interfaces of it.
    pub services: BTreeMap<String, usize>,
    /// Groups whose rules name this group.
    pub referrers: BTreeSet<SecurityGroupId>,
    /// The other side.
    pub peers: Peers,
}

/// Interfaces named in a blast radius.
const MOST_NAMED: usize = 5;

impl BlastRadius {
    /// Adds some interfaces; everything else is filled in by who knows it.
    pub(super) fn add<'a>(&mut self, interfaces: impl IntoIterator<Item = &'a NetworkInterface>) {
        let (mut count, mut instances) = (0_usize, BTreeSet::new());
        let mut last: Option<&SubnetId> = None;
        for interface in interfaces {
            count = count.saturating_add(1);
            if self.named.len() < MOST_NAMED {
                self.named.push(name_of(interface));
            }
            if last != Some(&interface.subnet) && !self.subnets.contains(&interface.subnet) {
                self.subnets.insert(interface.subnet.clone());
            }
            last = Some(&interface.subnet);
            instances.extend(interface.instance.as_deref());
            if let Some(service) = service_of(interface) {
                let counted = self.services.entry(service.kind.to_owned()).or_default();
                *counted = counted.saturating_add(1);
            }
        }
        self.interfaces = Some(self.interfaces.unwrap_or_default().saturating_add(count));
        self.instances = self.instances.saturating_add(instances.len());
    }

    /// One line for people: `3 network interfaces in 2 subnets: load balancer front (eni-1), …`.
    pub fn words(&self) -> Option<String> {
        let interfaces = match self.interfaces {
            None => "the network interfaces were not read".to_owned(),
            Some(0) => "no network interface".to_owned(),
            Some(number) => {
                let named = self.named.join(", ");
                let more = match number.saturating_sub(self.named.len()) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!(
                    "{} in {}: {named}{more}",
                    count(number, "network interface"),
                    count(self.subnets.len(), "subnet")
                )
            }
        };
        let mut parts = vec![interfaces];
        if self.interfaces.is_some_and(|number| number > MOST_NAMED) {
            let kinds = self
                .services
                .iter()
                .map(|(kind, number)| format!("{number} × {kind}"))
                .chain((self.instances > 0).then(|| count(self.instances, "instance")));
            let kinds: Vec<String> = kinds.collect();
            if !kinds.is_empty() {
                parts.push(format!("among them {}", kinds.join(", ")));
            }
        }
        if !self.referrers.is_empty() {
            let groups: Vec<&str> = self.referrers.iter().map(SecurityGroupId::as_str).collect();
            let (first, rest) = groups.split_at(groups.len().min(3));
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            let verb = if groups.len() == 1 { "names" } else { "name" };
            parts.push(format!("{}{more} {verb} this group", first.join(", ")));
        }
        (*self != Self::default()).then(|| parts.join("; "))
    }
}

/// The service behind an interface.
struct Service<'a> {
    kind: &'static str,
    name: &'a str,
}

/// Told from interface type and description, as AWS's services write them.
fn service_of(interface: &NetworkInterface) -> Option<Service<'_>> {
    let text = interface.description.as_deref().unwrap_or_default();
    let kind = interface.kind.as_deref().unwrap_or_default();
    if text.is_empty() && kind.is_empty() {
        return None;
    }
    let after = |prefix: &str| text.strip_prefix(prefix);
    // `ELB app/front/50dc6c495c0c9188`: type, name, id.
    if let Some(rest) = after("ELB ") {
        let mut parts = rest.split('/');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        return Some(match (first, second) {
            ("net", Some(name)) => Service {
                kind: "network load balancer",
                name,
            },
            ("gwy", Some(name)) => Service {
                kind: "gateway load balancer",
                name,
            },
            (_, Some(name)) => Service {
                kind: "load balancer",
                name,
            },
            (name, None) => Service {
                kind: "load balancer",
                name,
            },
        });
    }
    const BY_DESCRIPTION: [(&str, &str); 17] = [
        ("RDSNetworkInterface", "RDS database"),
        ("AWS Lambda VPC ENI-", "Lambda function"),
        ("AWS Lambda VPC ENI", "Lambda function"),
        ("Interface for NAT Gateway ", "NAT gateway"),
        ("EFS mount target for ", "EFS file system"),
        ("VPC Endpoint Interface ", "VPC endpoint"),
        (
            "Network Interface for Transit Gateway Attachment ",
            "transit gateway attachment",
        ),
        ("ElastiCache ", "ElastiCache cluster"),
        ("ES ", "OpenSearch domain"),
        ("RedshiftNetworkInterface", "Redshift cluster"),
        ("DMSNetworkInterface", "DMS replication instance"),
        ("Amazon EKS ", "EKS cluster"),
        ("aws-K8S-", "EKS pods on"),
        ("DAX ", "DAX cluster"),
        ("AWS created network interface for directory ", "directory"),
        ("Route 53 Resolver: ", "Route 53 Resolver endpoint"),
        ("arn:aws:ecs:", "ECS task"),
    ];
    let by_text = BY_DESCRIPTION.iter().find_map(|(prefix, kind)| {
        after(prefix).map(|name| {
            let name = name.split(' ').next().unwrap_or_default();
            let name = if *kind == "ECS task" { "" } else { name };
            Service { kind, name }
        })
    });
    by_text.or_else(|| {
        let kind = match kind {
            "nat_gateway" => "NAT gateway",
            "lambda" => "Lambda function",
            "vpc_endpoint" => "VPC endpoint",
            "network_load_balancer" => "network load balancer",
            "gateway_load_balancer" => "gateway load balancer",
            "gateway_load_balancer_endpoint" => "gateway load balancer endpoint",
            "transit_gateway" => "transit gateway attachment",
            "global_accelerator_managed" => "Global Accelerator",
            "efs" => "EFS file system",
            _ => return None,
        };
        Some(Service { kind, name: "" })
    })
}

/// An interface as people know it: `load balancer front (eni-1)`, `instance i-1 app-1 (eni-2)`.
pub(super) fn name_of(interface: &NetworkInterface) -> String {
    let id = &interface.id;
    if let Some(Service { kind, name }) = service_of(interface) {
        let name: String = name.chars().take(60).collect();
        let space = if name.is_empty() { "" } else { " " };
        return format!("{kind}{space}{name} ({id})");
    }
    let tag = interface.tags.get("Name");
    let named = interface.instance_name.as_ref().or(tag);
    let text = named.or(interface.description.as_ref());
    let text = text
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(40).collect::<String>());
    match (&interface.instance, text) {
        (Some(instance), Some(name)) => format!("instance {name} ({instance}, {id})"),
        (Some(instance), None) => format!("instance {instance} ({id})"),
        (None, Some(name)) => format!("{name} ({id})"),
        (None, None) => id.to_string(),
    }
}

impl Peers {
    /// The other side of some packets.
    pub(super) fn of(peers: &snapback_reach::AddressSet) -> Self {
        use snapback_reach::{Family, Symbol};
        let short = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
        let mut of = Self {
            networks: peers.networks().len(),
            ipv4_addresses: short(peers.address_count(Family::V4)),
            public_ipv4_addresses: short(peers.public_address_count(Family::V4)),
            ipv6: peers.address_count(Family::V6) > 0,
            ..Self::default()
        };
        for symbol in peers.symbols() {
            if let Symbol::SecurityGroup { id, owner } = symbol {
                of.groups.insert(id.clone());
                of.accounts.extend(owner.clone());
            }
        }
        of
    }
}
