//! The policy as environment variables.

use super::{Mode, Policy, PolicyError, TagMatch, tag_key, vpc_id};
use snapback_model::Kind;
use std::collections::{BTreeMap, BTreeSet};

const POLICY: &str = "SNAPBACK_POLICY";
const MODE: &str = "SNAPBACK_MODE";
const KINDS: [(&str, Kind); 3] = [
    ("SNAPBACK_MODE_SECURITY_GROUP", Kind::SecurityGroup),
    ("SNAPBACK_MODE_NETWORK_ACL", Kind::NetworkAcl),
    ("SNAPBACK_MODE_ROUTE_TABLE", Kind::RouteTable),
];
const TRUSTED: &str = "SNAPBACK_TRUSTED_PRINCIPALS";
const VPCS: &str = "SNAPBACK_VPCS";
const OPT_OUT: &str = "SNAPBACK_OPT_OUT_TAG";
const OPENINGS: &str = "SNAPBACK_ENFORCE_OPENINGS";
const CLOSINGS: &str = "SNAPBACK_ENFORCE_CLOSINGS";
const REQUIRED_TAGS: &str = "SNAPBACK_REQUIRED_TAGS";
const INTERRUPTIONS: &str = "SNAPBACK_INTERRUPTIONS";
/// The variables that make a policy; no others do.
pub const VARIABLES: [&str; 12] = [
    POLICY,
    MODE,
    "SNAPBACK_MODE_SECURITY_GROUP",
    "SNAPBACK_MODE_NETWORK_ACL",
    "SNAPBACK_MODE_ROUTE_TABLE",
    OPENINGS,
    CLOSINGS,
    TRUSTED,
    VPCS,
    OPT_OUT,
    REQUIRED_TAGS,
    INTERRUPTIONS,
];
/// What begins so and is not known is a typo.
const LOOKALIKES: [&str; 9] = [
    "SNAPBACK_POLIC",
    "SNAPBACK_MODE",
    "SNAPBACK_ENFORCE",
    "SNAPBACK_TRUST",
    "SNAPBACK_VPC",
    "SNAPBACK_OPT",
    "SNAPBACK_REQUIRE",
    "SNAPBACK_INTERRUPT",
    "SNAPBACK_EXCEPT",
];

/// Reads the variables that make a policy.
pub(super) fn read(variables: &BTreeMap<String, String>) -> Result<Policy, PolicyError> {
    for name in variables.keys() {
        let upper = name.to_ascii_uppercase();
        let lookalike = LOOKALIKES.iter().any(|begin| upper.starts_with(begin));
        if lookalike && !VARIABLES.contains(&name.as_str()) {
            let message = format!("unknown variable; allowed: {}", VARIABLES.join(", "));
            return Err(error(name, message));
        }
    }
    let set = |name: &str| {
        variables
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    };
    if let Some(yaml) = variables
        .get(POLICY)
        .filter(|value| !value.trim().is_empty())
    {
        if let Some(other) = VARIABLES
            .iter()
            .find(|name| **name != POLICY && set(name).is_some())
        {
            let message = format!("set beside {POLICY}; allowed: {POLICY} alone, or none of it");
            return Err(error(other, message));
        }
        return Policy::from_yaml(yaml, POLICY);
    }
    let mut policy = Policy::default();
    if let Some(text) = set(MODE) {
        policy.mode = mode(MODE, text)?;
    }
    for (name, kind) in KINDS {
        if let Some(text) = set(name) {
            policy.kinds.insert(kind, mode(name, text)?);
        }
    }
    if let Some(text) = set(OPENINGS) {
        policy.enforce.openings = text.parse().map_err(|why: String| error(OPENINGS, why))?;
    }
    if let Some(text) = set(CLOSINGS) {
        policy.enforce.closings = text.parse().map_err(|why: String| error(CLOSINGS, why))?;
    }
    if let Some(text) = set(INTERRUPTIONS) {
        let read = text
            .parse()
            .map_err(|why: String| error(INTERRUPTIONS, why))?;
        policy.interruptions = read;
    }
    lists(&mut policy, set)?;
    Ok(policy)
}

/// The variables that hold lists and tags.
fn lists<'a>(
    policy: &mut Policy,
    set: impl Fn(&str) -> Option<&'a str>,
) -> Result<(), PolicyError> {
    for item in list(TRUSTED, set(TRUSTED))? {
        let pattern = item.parse().map_err(|why| error(TRUSTED, why))?;
        policy.trusted.push(pattern);
    }
    for item in list(VPCS, set(VPCS))? {
        let vpc = vpc_id(item).map_err(|why| error(VPCS, why))?;
        policy.vpcs.insert(vpc);
    }
    if let Some(text) = set(OPT_OUT) {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (text, None),
        };
        let tag = TagMatch::new(key, value).map_err(|why| error(OPT_OUT, why))?;
        policy.opt_out = Some(tag);
    }
    for item in list(REQUIRED_TAGS, set(REQUIRED_TAGS))? {
        let key = tag_key(item).map_err(|why| error(REQUIRED_TAGS, why))?;
        policy.required_tags.insert(key);
    }
    Ok(())
}

fn error(variable: &str, message: impl Into<String>) -> PolicyError {
    PolicyError::Variable {
        variable: variable.to_owned(),
        message: message.into(),
    }
}

fn mode(variable: &str, text: &str) -> Result<Mode, PolicyError> {
    match text {
        "observe" => Ok(Mode::Observe),
        "enforce" => Ok(Mode::Enforce),
        "strict" => Ok(Mode::Strict),
        _ => Err(error(
            variable,
            format!("{text:?} is no mode; allowed: observe, enforce, strict"),
        )),
    }
}

/// The items of a comma list; blanks around them do not count, an empty or repeated one is a slip.
fn list<'a>(variable: &str, text: Option<&'a str>) -> Result<Vec<&'a str>, PolicyError> {
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    for item in text
        .into_iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
    {
        if item.is_empty() {
            return Err(error(
                variable,
                "an empty item; allowed: items with one comma between",
            ));
        }
        if !seen.insert(item) {
            return Err(error(variable, format!("{item:?} stands there twice")));
        }
        items.push(item);
    }
    Ok(items)
}
