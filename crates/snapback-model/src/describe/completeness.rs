//! What outputs prove: what was read completely, so that absence means something.

use super::document::ENTRIES;
use super::reading::said;
use super::{Described, Problem};
use crate::{ContextKind, Coverage, Kind, ResourceId};
use std::collections::BTreeSet;

impl Described {
    /// What the outputs prove of the guarded kinds, each taken as everything of its kind. A cut-off
    /// or lost output proves only what it lists; rules alone prove only the groups that have rules.
    pub fn coverage(&self) -> BTreeSet<Coverage> {
        let mut coverage = BTreeSet::new();
        for (key, kind) in [
            ("SecurityGroups", Kind::SecurityGroup),
            ("NetworkAcls", Kind::NetworkAcl),
            ("RouteTables", Kind::RouteTable),
        ] {
            if self.is_whole(key) {
                coverage.insert(Coverage::Kind(kind));
            }
        }
        if self.is_whole("Subnets") {
            coverage.insert(Coverage::Subnets);
        }
        let groups = self.security_groups.iter().map(|group| &group.group_id);
        let acls = self.network_acls.iter().map(|acl| &acl.network_acl_id);
        let tables = self.route_tables.iter().map(|table| &table.route_table_id);
        let of_rules = self.security_group_rules.iter().map(|rule| &rule.group_id);
        let whole_rules = self.is_whole("SecurityGroupRules");
        let listed = groups
            .chain(acls)
            .chain(tables)
            .chain(of_rules.filter(|_| whole_rules));
        let listed = listed.filter_map(said).filter_map(|id| id.parse().ok());
        let implied = |id: &ResourceId| coverage.contains(&Coverage::Kind(id.kind()));
        let listed: Vec<Coverage> = listed
            .filter(|id| !implied(id))
            .map(Coverage::Resource)
            .collect();
        coverage.extend(listed);
        coverage
    }

    /// The kinds of context that the outputs list completely, each output taken as everything of its
    /// kind.
    pub fn context_read(&self) -> BTreeSet<ContextKind> {
        ContextKind::ALL
            .into_iter()
            .filter(|kind| self.has_context(*kind))
            .collect()
    }

    fn has_context(&self, kind: ContextKind) -> bool {
        match kind {
            ContextKind::Vpcs => self.is_whole("Vpcs"),
            ContextKind::Subnets => self.is_whole("Subnets"),
            ContextKind::Interfaces => self.is_whole("NetworkInterfaces"),
            ContextKind::InternetGateways => self.is_whole("InternetGateways"),
            ContextKind::EgressOnlyGateways => self.is_whole("EgressOnlyInternetGateways"),
            ContextKind::NatGateways => self.is_whole("NatGateways"),
            ContextKind::VpnGateways => self.is_whole("VpnGateways"),
            ContextKind::Peerings => self.is_whole("VpcPeeringConnections"),
            // Either call lists what joins a VPC; the gateways behind follow from it.
            ContextKind::Transit => {
                self.is_whole("TransitGatewayAttachments")
                    || self.is_whole("TransitGatewayVpcAttachments")
            }
            ContextKind::Endpoints => self.is_whole("VpcEndpoints"),
            ContextKind::PrefixLists => self.is_whole("PrefixLists"),
            ContextKind::FlowLogs => self.is_whole("FlowLogs"),
            ContextKind::BlockPublicAccess => {
                self.is_whole("VpcBlockPublicAccessOptions")
                    && (self.is_whole("VpcBlockPublicAccessExclusions") || self.block_is_off())
            }
            ContextKind::StaleReferences => {
                self.is_whole("StaleSecurityGroupSet") && self.asked_every_vpc()
            }
        }
    }

    /// Exclusions from nothing change nothing.
    fn block_is_off(&self) -> bool {
        self.vpc_block_public_access_options
            .iter()
            .all(|options| said(&options.internet_gateway_block_mode) == Some("off"))
    }

    /// describe-stale-security-groups answers for one VPC, and names it only where it found something.
    fn asked_every_vpc(&self) -> bool {
        let told = self.stale_security_groups.iter();
        let told: BTreeSet<&str> = told
            .filter_map(|group| said(&group.vpc_id))
            .chain(self.stale_asked.iter().map(String::as_str))
            .collect();
        let all: BTreeSet<&str> = self
            .vpcs
            .iter()
            .filter_map(|vpc| said(&vpc.vpc_id))
            .collect();
        self.is_whole("Vpcs") && (all.len() == 1 || all.is_subset(&told))
    }

    pub(super) fn is_whole(&self, key: &str) -> bool {
        self.present.contains(key) && !self.truncated.contains(key) && !self.lost.contains(key)
    }

    /// Takes note that an output of these top-level keys could not be read.
    pub fn lose(&mut self, keys: impl IntoIterator<Item = impl Into<String>>) {
        self.lost.extend(keys.into_iter().map(Into::into));
    }

    /// The top-level keys of which something is lost with a text that could not be read: those of ours
    /// that it names; where it names none it may have been any. JSON of something else loses nothing.
    pub fn keys_lost_with(problem: &Problem, text: &str) -> BTreeSet<&'static str> {
        let of_something_else = text.trim_start().starts_with('{');
        if matches!(problem, Problem::NotDescribe { .. }) && of_something_else {
            return BTreeSet::new();
        }
        Self::keys_named_in(text)
    }

    /// The top-level keys that a broken text names, else all of them.
    pub fn keys_named_in(text: &str) -> BTreeSet<&'static str> {
        // These two are members of other outputs too.
        let telling = |key: &&&str| **key != ENTRIES && **key != "Tags";
        let named = |key: &&&str| text.contains(&format!("\"{key}\""));
        let named: BTreeSet<&'static str> = Self::KEYS.iter().filter(named).copied().collect();
        if !named.iter().any(|key| telling(&key)) {
            return Self::KEYS.iter().copied().collect();
        }
        named
    }
}
