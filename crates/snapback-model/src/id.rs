//! Newtype ids: an id of one kind cannot be passed for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the id as AWS writes it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }
    )+};
}

ids! {
    /// A twelve-digit AWS account id.
    AccountId,
    /// An AWS Region, `eu-central-1`.
    Region,
    /// A VPC, `vpc-…`.
    VpcId,
    /// A subnet, `subnet-…`.
    SubnetId,
    /// A security group, `sg-…`.
    SecurityGroupId,
    /// A security group rule, `sgr-…`: new on every authorize (semantics A1), so only a handle.
    SecurityGroupRuleId,
    /// A network ACL, `acl-…`.
    NetworkAclId,
    /// A route table, `rtb-…`.
    RouteTableId,
    /// An association of a subnet or gateway with an ACL or table: new on every replace, only a handle.
    AssociationId,
    /// A network interface, `eni-…`.
    NetworkInterfaceId,
    /// What a create call made, by the id that EC2 gave it: a guarded resource or what surrounds one.
    CreatedId,
    /// A managed prefix list, `pl-…`.
    PrefixListId,
    /// A gateway that routes or edge associations name: `igw-`, `vgw-`, `nat-`, `eigw-`, `cagw-`, `lgw-`.
    GatewayId,
    /// A CloudTrail event id.
    EventId,
    /// The id EC2 gives each request; the link between our call and its event.
    RequestId,
    /// An incident of the journal.
    IncidentId,
}
