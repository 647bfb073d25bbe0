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
