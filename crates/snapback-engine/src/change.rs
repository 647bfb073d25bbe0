//! Stage `change`: what a record asked for, or the named reason why it is no change.
//!
//! - Owns: the reading of every network-changing EC2 API, the actor, the reasons to ignore.
//! - Takes: a [`crate::event::Record`] and who we are.
//! - Gives: [`Interpretation`].
//! - Must not: treat the event as truth (semantics E): edits are evidence, the diff decides.

use serde::{Deserialize, Serialize};
use snapback_model::*;
use std::collections::BTreeSet;

mod acls;
mod actor;
mod context;
mod groups;
mod params;
mod reading;
mod tables;
mod tags;
#[cfg(test)]
mod tests;
mod words;

pub use reading::{EVENT_NAMES, interpret, retagged};

/// Who we are: what tells other accounts, other Regions and our own calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// Our account; `None` accepts any (CLI).
    pub account: Option<AccountId>,
    /// Our Region; `None` accepts any (CLI).
    pub region: Option<Region>,
    /// IAM role ARNs of our functions (`sessionIssuer.arn`).
    pub roles: BTreeSet<String>,
    /// EventBridge sources taken besides `aws.ec2`: emulators cannot send that one. Empty on AWS.
    pub sources: BTreeSet<String>,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What policies match: the IAM role ARN behind a session, a user ARN, the root ARN, or a service name.
    pub principal: String,
    /// `userIdentity.type`.
    pub kind: String,
    /// The session's own ARN, where it is a session.
    pub session: Option<String>,
    /// The person behind it where known: source identity, Identity Center or session name, user name.
    pub person: Option<String>,
    /// The AWS service that acted on the principal's behalf (`cloudformation.amazonaws.com`).
    pub on_behalf_via: Option<String>,
    /// Whether it was done in the console.
    pub console: bool,
    /// `sourceIPAddress`.
    pub source_ip: Option<String>,
    /// `userAgent`, attacker-controlled.
    pub user_agent: Option<String>,
}

/// What one event asked for. A hint of where to look, never the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The event.
    pub event: EventId,
    /// EC2's request id.
    pub request: Option<RequestId>,
    /// When it happened, one-second resolution.
    pub at: Timestamp,
    /// The account.
    pub account: Option<AccountId>,
    /// The Region.
    pub region: Region,
    /// The API.
    pub api: String,
    /// Who.
    pub actor: Actor,
    /// Where to look.
    pub touched: BTreeSet<Touched>,
    /// What was asked for, as far as the event tells.
    pub edits: Edits,
}

impl Change {
    /// Whether it tells who deleted a resource. One that does not carry what was changed may.
    pub fn tells_the_end_of(&self, id: &ResourceId) -> bool {
        self.deletes(|deleted| match deleted {
            DeletedRef::Id(deleted) => deleted == id,
            DeletedRef::GroupNamed(_) => true,
        })
    }

    /// Whether it deletes a NAT gateway: the one deletion around the guarded resources that is undone, so
    /// that it matters who did it.
    pub fn deletes_nat_gateway(&self) -> bool {
        self.api == "DeleteNatGateway"
    }

    /// Whether it tells of a deletion. One that does not carry what was changed may.
    pub fn tells_of_a_deletion(&self) -> bool {
        self.deletes(|_| true)
    }

    fn deletes(&self, it: impl Fn(&DeletedRef) -> bool) -> bool {
        match &self.edits {
            Edits::Known(edits) => edits
                .iter()
                .any(|edit| matches!(edit, Edit::Deleted { resource } if it(resource))),
            Edits::Unknown { .. } => true,
            Edits::Context => false,
        }
    }

    /// The groups that its edits name in rules.
    pub fn peers(&self) -> impl Iterator<Item = &SecurityGroupId> {
        let edits = match &self.edits {
            Edits::Known(edits) => edits.as_slice(),
            Edits::Unknown { .. } | Edits::Context => &[],
        };
        let peers = edits.iter().filter_map(|edit| match edit {
            Edit::RuleAdded { rule, .. }
            | Edit::RuleRemoved {
                rule: RuleRef::Key(rule),
                ..
            }
            | Edit::RuleDescribed {
                rule: RuleRef::Key(rule),
                ..
            } => Some(&rule.peer),
            Edit::RuleModified { peer, .. } => Some(peer),
            _ => None,
        });
        peers.filter_map(|peer| match peer {
            Peer::SecurityGroup { id, .. } => Some(id),
            Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::PrefixList(_) => None,
        })
    }
}

/// A place a change points at; not every event names the resource itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Touched {
    /// A guarded resource by id.
    Resource(ResourceId),
    /// A group by name only (`groupName` requests).
    GroupNamed {
        /// The name.
        name: String,
    },
    /// An association id: the baseline's handles know what it was.
    Association(AssociationId),
    /// Anything else: `(what, id)` such as `("nat-gateway", "nat-1")`: context, changes what guarded resources mean.
    Context {
        /// What it is, an AWS noun in kebab case.
        what: String,
        /// Its id.
        id: String,
    },
}

/// The edits of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edits {
    /// Everything the call did to guarded resources.
    Known(Vec<Edit>),
    /// The event does not carry them: look at live; never foldable into a baseline as it stands.
    Unknown {
        /// Why (`requestParameters omitted above 100 KB`).
        why: String,
    },
    /// The call edits only context (a gateway, an endpoint, an ENI), no guarded resource.
    Context,
}

/// A rule as an event names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleRef {
    /// By content.
    Key(RuleKey),
    /// By id: the baseline's or live's handles know which rule.
    Id(SecurityGroupRuleId),
}

/// A group as an event names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupRef {
    /// By id.
    Id(SecurityGroupId),
    /// By name.
    Name(String),
}

/// One element that a call set or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// AuthorizeSecurityGroup*: a rule now exists.
    RuleAdded {
        /// The group.
        group: GroupRef,
        /// The rule.
        rule: RuleKey,
        /// Description and tags given.
        detail: RuleDetail,
        /// Its id, where the response tells.
        id: Option<SecurityGroupRuleId>,
    },
    /// RevokeSecurityGroup*: a rule is gone.
    RuleRemoved {
        /// The group.
        group: GroupRef,
        /// The rule.
        rule: RuleRef,
    },
    /// ModifySecurityGroupRules: the rule under an id was replaced. The event tells no direction.
    RuleModified {
        /// The group.
        group: GroupRef,
        /// The rule id, kept.
        id: SecurityGroupRuleId,
        /// New traffic.
        traffic: Traffic,
        /// New peer.
        peer: Peer,
        /// New description.
        description: Option<String>,
    },
    /// UpdateSecurityGroupRuleDescriptions*.
    RuleDescribed {
        /// The group.
        group: GroupRef,
        /// The rule.
        rule: RuleRef,
        /// The new description; `None` clears.
        description: Option<String>,
    },
    /// Create- or ReplaceNetworkAclEntry.
    EntrySet {
        /// The ACL.
        acl: NetworkAclId,
        /// Direction and number.
        key: EntryKey,
        /// What it says now.
        entry: NetworkAclEntry,
    },
    /// DeleteNetworkAclEntry.
    EntryRemoved {
        /// The ACL.
        acl: NetworkAclId,
        /// Direction and number.
        key: EntryKey,
    },
    /// ReplaceNetworkAclAssociation: the subnet behind an association id moved.
    AclReassociated {
        /// The old id; gone afterwards.
        association: AssociationId,
        /// The new ACL.
        acl: NetworkAclId,
        /// The new id, from the response.
        new_association: Option<AssociationId>,
    },
    /// Create- or ReplaceRoute.
    RouteSet {
        /// The table.
        table: RouteTableId,
        /// Destination.
        destination: Destination,
        /// New target.
        target: RouteTarget,
    },
    /// DeleteRoute.
    RouteRemoved {
        /// The table.
        table: RouteTableId,
        /// Destination.
        destination: Destination,
    },
    /// AssociateRouteTable.
    TableAssociated {
        /// The table.
        table: RouteTableId,
        /// Subnet or gateway.
        subject: AssociationSubject,
        /// The id, from the response.
        association: Option<AssociationId>,
    },
    /// DisassociateRouteTable.
    TableDisassociated {
        /// The id; gone afterwards.
        association: AssociationId,
    },
    /// ReplaceRouteTableAssociation, the main association included.
    TableReassociated {
        /// The old id; gone afterwards.
        association: AssociationId,
        /// The new table.
        table: RouteTableId,
        /// The new id, from the response.
        new_association: Option<AssociationId>,
    },
    /// Enable- or DisableVgwRoutePropagation.
    PropagationSet {
        /// The table.
        table: RouteTableId,
        /// The VPN gateway.
        gateway: GatewayId,
        /// On or off.
        enabled: bool,
    },
    /// CreateTags: a tag has this value now.
    TagSet {
        /// The resource.
        resource: ResourceId,
        /// The tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// DeleteTags.
    TagRemoved {
        /// The resource.
        resource: ResourceId,
        /// The tag.
        key: String,
        /// Only where it had this value.
        value: Option<String>,
    },
    /// A guarded resource was created: its state at birth as the response tells.
    Created {
        /// The new resource.
        resource: Box<Resource>,
    },
    /// A guarded resource was deleted.
    Deleted {
        /// By id, or a group by name.
        resource: DeletedRef,
    },
}

/// What a Delete* call named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeletedRef {
    /// By id.
    Id(ResourceId),
    /// A group by name.
    GroupNamed(String),
}

/// Why a record is no change. Each is told by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum IgnoreReason {
    /// The call failed.
    Failed {
        /// EC2's code.
        code: String,
    },
    /// `DryRunOperation`: nothing changed.
    DryRun,
    /// A read-only call.
    ReadOnly,
    /// Another account's event on our bus.
    OtherAccount {
        /// Whose.
        account: String,
    },
    /// Another Region's event.
    OtherRegion {
        /// Which.
        region: String,
    },
    /// Another event source (`apigateway.amazonaws.com` has a CreateRoute too).
    OtherSource {
        /// Which.
        source: String,
    },
    /// Another kind of EventBridge event.
    OtherDetailType {
        /// `detail-type`.
        detail_type: String,
    },
    /// Not an API call (`AwsServiceEvent`, …).
    NotAnApiCall {
        /// `eventType`.
        kind: String,
    },
    /// An EC2 API that cannot alter guarded traffic.
    NotNetwork {
        /// The API.
        api: String,
    },
    /// Our own call, its request id is in the journal. Decided by the flow, which can read the journal.
    OwnCall,
}

/// What a record is to us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpretation {
    /// A change by somebody else.
    Change(Box<Change>),
    /// A change made with one of our roles: ours only if the journal has its request id, else a
    /// critical alert (semantics E).
    WithOurRole(Box<Change>),
    /// No change, and why.
    Ignored(IgnoreReason),
}
