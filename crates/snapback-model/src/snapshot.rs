//! What was read at one moment: canonical resources, the handles EC2 calls their parts by, context.

use crate::{
    AccountId, AssociationId, GatewayId, NetworkAclId, Region, Resource, ResourceId, RouteTableId,
    RuleKey, SecurityGroupId, SecurityGroupRuleId, SubnetId, Timestamp, Topology, VpcId,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// SHA-256 over canonical bytes, in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a value's canonical JSON. Values of this crate hold ordered collections only,
    /// so equal values have equal bytes.
    pub fn of(value: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(value).unwrap_or_default();
        Self::of_bytes(&bytes)
    }

    /// The digest of raw bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            let _infallible = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Sixty-four hex characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve characters, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rule that an `sgr-` id names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHandle {
    /// The group it belongs to.
    pub group: SecurityGroupId,
    /// Which rule it is.
    pub rule: RuleKey,
}

/// What an association binds to an ACL or table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssociationSubject {
    /// A subnet.
    Subnet(SubnetId),
    /// An internet or VPN gateway (edge association).
    Gateway(GatewayId),
    /// The VPC itself: the main route table.
    Main(VpcId),
}

impl fmt::Display for AssociationSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subnet(id) => write!(f, "{id}"),
            Self::Gateway(id) => write!(f, "{id}"),
            Self::Main(vpc) => write!(f, "main of {vpc}"),
        }
    }
}

/// What an association id names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociationHandle {
    /// The ACL or table.
    pub resource: ResourceId,
    /// What is bound to it.
    pub subject: AssociationSubject,
}

/// Ids by which EC2 calls name parts of a state. They change whenever a part is made anew, so they
/// are no part of the state and never compared (semantics A1, B1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handles {
    /// Rule ids.
    #[serde(default)]
    pub rules: BTreeMap<SecurityGroupRuleId, RuleHandle>,
    /// Association ids.
    #[serde(default)]
    pub associations: BTreeMap<AssociationId, AssociationHandle>,
}

impl Handles {
    /// The id of a rule, if one is known.
    pub fn rule_id(&self, group: &SecurityGroupId, rule: &RuleKey) -> Option<&SecurityGroupRuleId> {
        self.rules
            .iter()
            .find(|(_, handle)| handle.group == *group && handle.rule == *rule)
            .map(|(id, _)| id)
    }

    /// The current association id of a subject with an ACL (`acl-`) or table (`rtb-`) kind.
    pub fn association_id(
        &self,
        kind: crate::Kind,
        subject: &AssociationSubject,
    ) -> Option<&AssociationId> {
        self.associations
            .iter()
            .find(|(_, handle)| handle.subject == *subject && handle.resource.kind() == kind)
            .map(|(id, _)| id)
    }

    /// Takes over what another set knows.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.associations.extend(other.associations);
    }

    /// Only what belongs to one resource.
    pub fn of(&self, resource: &ResourceId) -> Self {
        Self {
            rules: self
                .rules
                .iter()
                .filter(|(_, handle)| resource.as_str() == handle.group.as_str())
                .map(|(id, handle)| (id.clone(), handle.clone()))
                .collect(),
            associations: self
                .associations
                .iter()
                .filter(|(_, handle)| handle.resource == *resource)
                .map(|(id, handle)| (id.clone(), handle.clone()))
                .collect(),
        }
    }
}

/// What a read asked for, hence what absence in a snapshot proves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Every resource of the kind in the account and Region.
    Kind(crate::Kind),
    /// Every ACL and its subnet associations of one VPC.
    AclsOf(VpcId),
    /// Every route table and its associations of one VPC.
    TablesOf(VpcId),
    /// One resource.
    Resource(ResourceId),
    /// Every subnet of the account and Region.
    Subnets,
}

/// Something in a source that this version does not model: kept by name, told, never acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Which resource or file it was met in.
    pub place: String,
    /// The member or construct, as a path (`Routes[3].OdbNetworkArn`).
    pub member: String,
    /// Its value as JSON text.
    pub value: String,
}

/// The state read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of this stored form.
    pub schema: u32,
    /// The account, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The Region, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// When the read began.
    pub observed_at: Timestamp,
    /// What was read completely.
    pub coverage: BTreeSet<Coverage>,
    /// The guarded resources.
    pub resources: BTreeMap<ResourceId, Resource>,
    /// Ids of their parts.
    #[serde(default)]
    pub handles: Handles,
    /// Context.
    #[serde(default)]
    pub topology: Topology,
    /// What was not understood.
    #[serde(default)]
    pub unknown: Vec<Unknown>,
}

/// The current version of [`Snapshot`]'s stored form.
pub const SNAPSHOT_SCHEMA: u32 = 1;

impl Snapshot {
    /// An empty snapshot.
    pub fn empty(observed_at: Timestamp) -> Self {
        Self {
            schema: SNAPSHOT_SCHEMA,
            account: None,
            region: None,
            observed_at,
            coverage: BTreeSet::new(),
            resources: BTreeMap::new(),
            handles: Handles::default(),
            topology: Topology::default(),
            unknown: Vec::new(),
        }
    }

    /// Whether absence of this resource means that it does not exist.
    pub fn covers(&self, id: &ResourceId, vpc: Option<&VpcId>) -> bool {
        self.coverage.contains(&Coverage::Resource(id.clone()))
            || self.coverage.contains(&Coverage::Kind(id.kind()))
            || vpc.is_some_and(|vpc| match id {
                ResourceId::NetworkAcl(_) => self.coverage.contains(&Coverage::AclsOf(vpc.clone())),
                ResourceId::RouteTable(_) => {
                    self.coverage.contains(&Coverage::TablesOf(vpc.clone()))
                }
                ResourceId::SecurityGroup(_) => false,
            })
    }

    /// The ACL that holds a subnet.
    pub fn acl_of(&self, subnet: &SubnetId) -> Option<&NetworkAclId> {
        self.resources.values().find_map(|resource| match resource {
            Resource::NetworkAcl(acl) if acl.subnets.contains(subnet) => Some(&acl.id),
            Resource::NetworkAcl(_) | Resource::SecurityGroup(_) | Resource::RouteTable(_) => None,
        })
    }

    /// The table that a subnet is explicitly associated with.
    pub fn explicit_table_of(&self, subnet: &SubnetId) -> Option<&RouteTableId> {
        self.resources.values().find_map(|resource| match resource {
            Resource::RouteTable(table) if table.subnets.contains(subnet) => Some(&table.id),
            Resource::RouteTable(_) | Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        })
    }

    /// The main table of a VPC.
    pub fn main_table_of(&self, vpc: &VpcId) -> Option<&RouteTableId> {
        self.resources.values().find_map(|resource| match resource {
            Resource::RouteTable(table) if table.main && table.vpc == *vpc => Some(&table.id),
            Resource::RouteTable(_) | Resource::SecurityGroup(_) | Resource::NetworkAcl(_) => None,
        })
    }

    /// The table that routes a subnet: explicit, else the main one of its VPC (semantics A4). The
    /// flag tells whether the association is explicit.
    pub fn table_of(&self, subnet: &SubnetId) -> Option<(&RouteTableId, bool)> {
        if let Some(table) = self.explicit_table_of(subnet) {
            return Some((table, true));
        }
        let vpc = &self.topology.subnets.get(subnet)?.vpc;
        self.main_table_of(vpc).map(|table| (table, false))
    }

    /// Adds what a later read of the same account saw. The later one wins where both speak of a
    /// thing, absence included.
    pub fn merge(&mut self, later: Self) {
        self.resources
            .retain(|id, resource| !later.covers(id, resource.vpc()));
        let spoken =
            |id: &ResourceId| later.resources.contains_key(id) || !self.resources.contains_key(id);
        self.handles
            .rules
            .retain(|_, handle| !spoken(&handle.group.clone().into()));
        self.handles
            .associations
            .retain(|_, handle| !spoken(&handle.resource));
        self.account = later.account.or(self.account.take());
        self.region = later.region.or(self.region.take());
        self.coverage.extend(later.coverage);
        self.handles.extend(later.handles);
        self.resources.extend(later.resources);
        self.topology.merge(later.topology);
        for unknown in later.unknown {
            if !self.unknown.contains(&unknown) {
                self.unknown.push(unknown);
            }
        }
    }
}
