//! What watches a network and what keeps the internet out of it: flow logs, block public access.

use crate::Tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A flow log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLog {
    /// Its id (`fl-…`).
    pub id: String,
    /// What it watches: a VPC, a subnet, an interface, a transit gateway or its attachment.
    pub resource: String,
    /// Whether EC2 calls it `ACTIVE`.
    pub active: bool,
    /// Whether the last delivery of its records failed: it is on, and tells nothing.
    #[serde(default)]
    pub delivery_failed: bool,
    /// Which traffic it records.
    pub traffic: FlowLogTraffic,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// Which traffic a flow log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowLogTraffic {
    /// What groups and ACLs let through.
    Accept,
    /// What they stopped.
    Reject,
    /// Both. Flow logs of transit gateways know no other.
    All,
}

/// VPC block public access: one setting an account and Region (semantics A4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockPublicAccess {
    /// What is blocked.
    pub mode: BlockMode,
    /// What is excepted, by exclusion id.
    #[serde(default)]
    pub exclusions: BTreeMap<String, BlockExclusion>,
}

/// What VPC block public access stops at internet gateways and egress-only internet gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockMode {
    /// Nothing.
    Off,
    /// Traffic both ways.
    Bidirectional,
    /// What comes from the internet, replies to our own connections excepted.
    Ingress,
}

/// An exception from VPC block public access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockExclusion {
    /// Its id (`vpcbpa-exclude-…`).
    pub id: String,
    /// The VPC or subnet that is excepted.
    pub resource: String,
    /// Which traffic is let through.
    pub mode: ExclusionMode,
    /// Whether it holds now. One that is being deleted counts until it is gone.
    pub active: bool,
}

/// Which traffic an exclusion lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExclusionMode {
    /// Both ways.
    Bidirectional,
    /// Outbound connections and their replies only.
    Egress,
}
