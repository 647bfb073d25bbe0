//! Whose outputs these are, and whether they fit together.

use super::reading::said;
use super::{DescribeError, Described, Problem};
use crate::{AccountId, Region};
use std::collections::BTreeMap;

/// Account and Region as far as the outputs tell them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The one account that owns the guarded resources.
    pub account: Option<AccountId>,
    /// The one Region.
    pub region: Option<Region>,
}

impl Described {
    /// Finds account and Region. Owners are taken from the guarded kinds only: peers, shared VPCs,
    /// transit gateways and prefix lists may belong to others. With `account` given, other owners
    /// are allowed (resources shared with it).
    ///
    /// # Errors
    /// Several owners or Regions, or one id described twice with different content.
    pub fn scope(&self, account: Option<&AccountId>, place: &str) -> Result<Scope, DescribeError> {
        let fail = |problem| DescribeError {
            place: place.to_owned(),
            problem,
        };
        self.contradiction()
            .map_or(Ok(()), |problem| Err(fail(problem)))?;
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

    /// Owner of guarded resources, with one example each.
    fn owners(&self) -> BTreeMap<String, String> {
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
        let mut owners = BTreeMap::new();
        for (owner, id) in groups.chain(rules).chain(acls).chain(tables) {
            if let Some(owner) = said(owner) {
                owners
                    .entry(owner.to_owned())
                    .or_insert_with(|| id.clone().unwrap_or_default());
            }
        }
        owners
    }

    /// Regions named in ARNs and zones, with one example each.
    fn regions(&self) -> BTreeMap<String, String> {
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
        let arns = groups
            .chain(rules)
            .chain(subnets)
            .chain(lists)
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
        let mut regions = BTreeMap::new();
        for (region, example) in of_arns
            .chain(of_zones)
            .filter(|(region, _)| !region.is_empty())
        {
            regions.entry(region).or_insert_with(|| example.to_owned());
        }
        regions
    }

    /// One id, two contents: which one is true cannot be known.
    fn contradiction(&self) -> Option<Problem> {
        twice("SecurityGroups", &self.security_groups, |one| &one.group_id)
            .or_else(|| {
                twice("SecurityGroupRules", &self.security_group_rules, |one| {
                    &one.security_group_rule_id
                })
            })
            .or_else(|| twice("NetworkAcls", &self.network_acls, |one| &one.network_acl_id))
            .or_else(|| twice("RouteTables", &self.route_tables, |one| &one.route_table_id))
    }
}

fn twice<T: PartialEq>(
    key: &str,
    items: &[T],
    id: impl Fn(&T) -> &Option<String>,
) -> Option<Problem> {
    let mut seen: BTreeMap<&str, &T> = BTreeMap::new();
    for item in items {
        let Some(id) = said(id(item)) else { continue };
        if let Some(before) = seen.insert(id, item)
            && before != item
        {
            return Some(Problem::Contradiction {
                key: key.to_owned(),
                id: id.to_owned(),
            });
        }
    }
    None
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
