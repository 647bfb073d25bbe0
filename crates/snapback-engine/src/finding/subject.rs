//! What a finding is about: a guarded resource or something around it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use snapback_model::*;
use std::fmt;
use std::str::FromStr;

/// What a finding is about. Its text form is the id as AWS writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A guarded resource.
    Resource(ResourceId),
    /// A VPC.
    Vpc(VpcId),
    /// A subnet.
    Subnet(SubnetId),
    /// A network interface.
    Interface(NetworkInterfaceId),
    /// A gateway, peering or endpoint: `igw-…`, `nat-…`, `vgw-…`, `pcx-…`, `vpce-…`.
    Gateway(String),
    /// A managed prefix list.
    PrefixList(PrefixListId),
    /// The account (and Region) as a whole; `None` where the read does not tell which.
    Account(Option<AccountId>),
}

/// The text form of an account whose id is not known.
const SOME_ACCOUNT: &str = "account";

impl Subject {
    /// The guarded resource, where it is one.
    pub fn resource(&self) -> Option<&ResourceId> {
        match self {
            Self::Resource(id) => Some(id),
            _ => None,
        }
    }

    /// The id as AWS writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Resource(id) => id.as_str(),
            Self::Vpc(id) => id.as_str(),
            Self::Subnet(id) => id.as_str(),
            Self::Interface(id) => id.as_str(),
            Self::Gateway(id) => id,
            Self::PrefixList(id) => id.as_str(),
            Self::Account(id) => id.as_ref().map_or(SOME_ACCOUNT, AccountId::as_str),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Subject {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        Ok(match text.split_once('-').map_or(text, |(kind, _)| kind) {
            "sg" | "acl" | "rtb" => Self::Resource(text.parse()?),
            "vpc" => Self::Vpc(text.into()),
            "subnet" => Self::Subnet(text.into()),
            "eni" => Self::Interface(text.into()),
            "pl" => Self::PrefixList(text.into()),
            "igw" | "eigw" | "nat" | "vgw" | "pcx" | "tgw" | "vpce" => {
                Self::Gateway(text.to_owned())
            }
            SOME_ACCOUNT => Self::Account(None),
            _ if account => Self::Account(Some(text.into())),
            _ => {
                return Err(ParseError::new(
                    "the id of a thing that a finding is about (sg-…, vpc-…, nat-…, an account)",
                    text,
                ));
            }
        })
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<ResourceId> for Subject {
    fn from(id: ResourceId) -> Self {
        Self::Resource(id)
    }
}

impl PartialEq<ResourceId> for Subject {
    fn eq(&self, other: &ResourceId) -> bool {
        self.resource() == Some(other)
    }
}
