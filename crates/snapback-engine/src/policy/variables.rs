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
const CALLS_A_PLAN: &str = "SNAPBACK_BUDGET_CALLS_A_PLAN";
const REVERTS_AN_HOUR: &str = "SNAPBACK_BUDGET_REVERTS_OF_A_RESOURCE_AN_HOUR";
const RESOURCES_IN_TEN_MINUTES: &str = "SNAPBACK_BUDGET_RESOURCES_REVERTED_IN_TEN_MINUTES";
const BREAKER_ROUNDS: &str = "SNAPBACK_BREAKER_ROUNDS";
const BREAKER_WINDOW: &str = "SNAPBACK_BREAKER_WINDOW";
const BREAKER_QUIET: &str = "SNAPBACK_BREAKER_QUIET";
const QUIET_AFTER: &str = "SNAPBACK_QUIET_AFTER";
const QUIET_LONGEST: &str = "SNAPBACK_QUIET_LONGEST";
const QUIET_CHANGES: &str = "SNAPBACK_QUIET_CHANGES";
/// The variables that make a policy; no others do.
pub const VARIABLES: [&str; 21] = [
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
    CALLS_A_PLAN,
    REVERTS_AN_HOUR,
    RESOURCES_IN_TEN_MINUTES,
    BREAKER_ROUNDS,
    BREAKER_WINDOW,
    BREAKER_QUIET,
    QUIET_AFTER,
    QUIET_LONGEST,
    QUIET_CHANGES,
];
/// What begins so and is not known is a typo.
const LOOKALIKES: [&str; 12] = [
    "SNAPBACK_POLIC",
    "SNAPBACK_MODE",
    "SNAPBACK_ENFORCE",
    "SNAPBACK_TRUST",
    "SNAPBACK_VPC",
    "SNAPBACK_OPT",
    "SNAPBACK_REQUIRE",
    "SNAPBACK_INTERRUPT",
    "SNAPBACK_EXCEPT",
    "SNAPBACK_BUDGET",
    "SNAPBACK_BREAKER",
    "SNAPBACK_QUIET",
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
    limits(&mut policy, set)?;
    Ok(policy)
}

/// The variables that hold budgets and spans of time.
fn limits<'a>(
    policy: &mut Policy,
    set: impl Fn(&str) -> Option<&'a str>,
) -> Result<(), PolicyError> {
    let (budgets, breaker, quiet) = (&mut policy.budgets, &mut policy.breaker, &mut policy.quiet);
    let counts = [
        (CALLS_A_PLAN, &mut budgets.calls_a_plan),
        (REVERTS_AN_HOUR, &mut budgets.reverts_of_a_resource_an_hour),
        (
            RESOURCES_IN_TEN_MINUTES,
            &mut budgets.resources_reverted_in_ten_minutes,
        ),
        (BREAKER_ROUNDS, &mut breaker.rounds),
        (QUIET_CHANGES, &mut quiet.changes),
    ];
    for (name, place) in counts {
        if let Some(text) = set(name) {
            *place = text
                .parse()
                .map_err(|_| error(name, format!("{text:?} is no count; allowed: 1 or more")))?;
        }
    }
    let spans = [
        (BREAKER_WINDOW, &mut breaker.window),
        (BREAKER_QUIET, &mut breaker.quiet),
        (QUIET_AFTER, &mut quiet.after),
        (QUIET_LONGEST, &mut quiet.longest),
    ];
    for (name, place) in spans {
        if let Some(text) = set(name) {
            *place = text.parse().map_err(|why: String| error(name, why))?;
        }
    }
    Ok(())
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
