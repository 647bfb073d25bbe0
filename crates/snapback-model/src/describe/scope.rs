//! Whose outputs these are, and whether they fit together.

use super::reading::said;
use super::{DescribeError, Described, Problem};
use crate::{AccountId, Region};
use std::collections::{BTreeMap, BTreeSet};

/// Account and Region as far as the outputs tell them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The one account that owns the guarded resources.
    pub account: Option<AccountId>,
    /// The one Region.
    pub region: Option<Region>,
}

impl Described {
    /// Finds account and Region. With `account` given, other owners are allowed (resources shared
    /// with it).
    ///
    /// # Errors
    /// Several owners or Regions.
    pub fn scope(&self, account: Option<&AccountId>, place: &str) -> Result<Scope, DescribeError> {
        let fail = |problem| DescribeError {
            place: place.to_owned(),
            problem,
        };
        let owners = self.owners();
        let account = match account {
            Some(account) => Some(account.clone()),
            None => one_of("accounts", owners)
                .map_err(fail)?
                .map(AccountId::new),
        };
        let region = one_of("Regions", self.regions())
            .map_err(fail)?
            .map(Region::new);
        Ok(Scope { account, region })
    }

    /// Owners, with one example each. They are taken from the guarded kinds and block public access
    /// only: peers, shared VPCs, transit gateways and prefix lists may belong to others.
    pub fn owners(&self) -> BTreeMap<String, String> {
        let groups = self
            .security_groups
            .iter()
            .map(|one| (&one.owner_id, &one.group_id));
        let rules = self
            .security_group_rules
            .iter()
            .map(|one| (&one.group_owner_id, &one.group_id));
        let acls = self
            .network_acls
            .iter()
            .map(|one| (&one.owner_id, &one.network_acl_id));
        let tables = self
            .route_tables
            .iter()
            .map(|one| (&one.owner_id, &one.route_table_id));
        let block = self
            .vpc_block_public_access_options
            .iter()
            .map(|one| (&one.aws_account_id, &None));
        let mut owners = BTreeMap::new();
        for (owner, id) in groups.chain(rules).chain(acls).chain(tables).chain(block) {
            if let Some(owner) = said(owner) {
                owners.entry(owner.to_owned()).or_insert_with(|| {
                    let block = || "VpcBlockPublicAccessOptions".to_owned();
                    id.clone().unwrap_or_else(block)
                });
            }
        }
        owners
    }

    /// Regions named in ARNs and zones, with one example each.
    pub fn regions(&self) -> BTreeMap<String, String> {
        let groups = self
            .security_groups
            .iter()
            .map(|one| &one.security_group_arn);
        let rules = self
            .security_group_rules
            .iter()
            .map(|one| &one.security_group_rule_arn);
        let subnets = self.subnets.iter().map(|one| &one.subnet_arn);
        let lists = self.prefix_lists.iter().map(|one| &one.prefix_list_arn);
        let transit = self
            .transit_gateways
            .iter()
            .map(|one| &one.transit_gateway_arn);
        let exclusions = self
            .vpc_block_public_access_exclusions
            .iter()
            .map(|one| &one.resource_arn);
        let arns = groups
            .chain(rules)
            .chain(subnets)
            .chain(lists)
            .chain(transit)
            .chain(exclusions)
            .filter_map(said);
        let of_arns = arns.filter_map(|arn| Some((arn.split(':').nth(3)?.to_owned(), arn)));
        let subnets = self
            .subnets
            .iter()
            .map(|one| (&one.availability_zone, &one.subnet_id));
        let interfaces = self
            .network_interfaces
            .iter()
            .map(|one| (&one.availability_zone, &one.network_interface_id));
        let of_zones = subnets
            .chain(interfaces)
            .filter_map(|(zone, id)| Some((region_of_zone(said(zone)?)?, said(id)?)));
        let of_block = self.vpc_block_public_access_options.iter();
        let of_block = of_block.filter_map(|one| {
            let region = said(&one.aws_region)?.to_owned();
            Some((region, "VpcBlockPublicAccessOptions"))
        });
        let mut regions = BTreeMap::new();
        for (region, example) in of_arns
            .chain(of_zones)
            .chain(of_block)
            .filter(|(region, _)| !region.is_empty())
        {
            regions.entry(region).or_insert_with(|| example.to_owned());
        }
        regions
    }

    /// VPCs that are named as the place of something: outputs that name the same VPC are of one
    /// account (or shared with it) and Region.
    pub fn vpcs_named(&self) -> BTreeSet<&str> {
        let vpcs = self.vpcs.iter().map(|one| &one.vpc_id);
        let subnets = self.subnets.iter().map(|one| &one.vpc_id);
        let groups = self.security_groups.iter().map(|one| &one.vpc_id);
        let acls = self.network_acls.iter().map(|one| &one.vpc_id);
        let tables = self.route_tables.iter().map(|one| &one.vpc_id);
        let interfaces = self.network_interfaces.iter().map(|one| &one.vpc_id);
        let nats = self.nat_gateways.iter().map(|one| &one.vpc_id);
        let endpoints = self.vpc_endpoints.iter().map(|one| &one.vpc_id);
        let attachments = self.internet_gateways.iter();
        let attached = attachments.flat_map(|one| one.attachments.iter().map(|at| &at.vpc_id));
        vpcs.chain(subnets)
            .chain(groups)
            .chain(acls)
            .chain(tables)
            .chain(interfaces)
            .chain(nats)
            .chain(endpoints)
            .chain(attached)
            .filter_map(said)
            .collect()
    }

    /// Whether a guarded resource or rule of this id is described here.
    pub fn describes(&self, id: &str) -> bool {
        let groups = self.security_groups.iter().map(|one| &one.group_id);
        let rules = self.security_group_rules.iter();
        let rules = rules.map(|one| &one.security_group_rule_id);
        let acls = self.network_acls.iter().map(|one| &one.network_acl_id);
        let tables = self.route_tables.iter().map(|one| &one.route_table_id);
        let mut all = groups.chain(rules).chain(acls).chain(tables);
        all.any(|one| said(one) == Some(id))
    }

    /// Takes out what is described twice with different content: which one is true cannot be known.
    /// What is left is then not all of its kind.
    pub fn settle(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let groups = twice(&mut self.security_groups, |one| &one.group_id);
        let rules = twice(&mut self.security_group_rules, |one| {
            &one.security_group_rule_id
        });
        let acls = twice(&mut self.network_acls, |one| &one.network_acl_id);
        let tables = twice(&mut self.route_tables, |one| &one.route_table_id);
        for (key, ids) in [
            ("SecurityGroups", groups),
            ("SecurityGroupRules", rules),
            ("NetworkAcls", acls),
            ("RouteTables", tables),
        ] {
            if !ids.is_empty() {
                self.lost.insert(key.to_owned());
            }
            let key = || key.to_owned();
            problems.extend(
                ids.into_iter()
                    .map(|id| Problem::Contradiction { key: key(), id }),
            );
        }
        problems
    }
}

/// Removes every item of an id that stands for several contents, and tells those ids.
fn twice<T: PartialEq>(items: &mut Vec<T>, id: impl Fn(&T) -> &Option<String>) -> BTreeSet<String> {
    let mut seen: BTreeMap<&str, &T> = BTreeMap::new();
    let mut different = BTreeSet::new();
    for item in items.iter() {
        let Some(id) = said(id(item)) else { continue };
        if let Some(before) = seen.insert(id, item)
            && before != item
        {
            different.insert(id.to_owned());
        }
    }
    items.retain(|item| said(id(item)).is_none_or(|id| !different.contains(id)));
    different
}

fn one_of(what: &'static str, found: BTreeMap<String, String>) -> Result<Option<String>, Problem> {
    if found.len() > 1 {
        let found = found
            .into_iter()
            .map(|(name, example)| format!("{name} ({example})"))
            .collect();
        return Err(Problem::Mixed { what, found });
    }
    Ok(found.into_keys().next())
}

/// `us-east-1a`, `us-west-2-lax-1a`, `us-east-1-wl1-bos-wlz-1` → the Region: the words up to the
/// first that begins with a digit, and its digits.
fn region_of_zone(zone: &str) -> Option<String> {
    let mut region = String::new();
    for word in zone.split('-') {
        if !region.is_empty() {
            region.push('-');
        }
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            region.push_str(&digits);
            return Some(region);
        }
        region.push_str(word);
    }
    None
}
