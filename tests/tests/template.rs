//! `template.yaml` and the code say the same: events listened to, rights granted, settings passed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]

use snapback_engine::change::EVENT_NAMES;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn template() -> String {
    std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap()
            .join("template.yaml"),
    )
    .unwrap()
}

/// The text of one resource, by its logical id.
fn resource(template: &str, id: &str) -> String {
    let start = template
        .find(&format!("\n  {id}:\n"))
        .unwrap_or_else(|| panic!("{id} is not in the template"));
    let rest = &template[start + 1..];
    let end = rest
        .match_indices("\n  ")
        .find(|(at, _)| rest[at + 3..].starts_with(|c: char| c.is_ascii_uppercase()));
    rest[..end.map_or(rest.len(), |(at, _)| at)].to_owned()
}

fn listed(template: &str) -> BTreeSet<String> {
    template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("eventName: ["))
        .flat_map(|names| {
            names
                .trim_end_matches(']')
                .split(", ")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_rules_listen_to_exactly_the_events_the_code_reads() {
    let code: BTreeSet<String> = EVENT_NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(listed(&template()), code);
}

#[test]
fn the_guard_may_make_every_call_a_plan_can_hold_and_no_other_write() {
    let role = resource(&template(), "GuardRole");
    let granted: BTreeSet<&str> = role
        .split(|c: char| !(c.is_alphanumeric() || c == ':'))
        .filter(|word| {
            // The last two are condition keys.
            word.starts_with("ec2:")
                && !word.starts_with("ec2:Describe")
                && !word.starts_with("ec2:Get")
                && !["ec2:Region", "ec2:CreateAction"].contains(word)
        })
        .collect();
    let needed = apis_of_plans();
    assert!(
        needed.len() > 20,
        "the list of calls was not read: {needed:?}"
    );
    assert_eq!(granted, needed.iter().map(String::as_str).collect());
}

/// Every name that `Action::api` can give, read from its source: an exhaustive match, so none is missing.
fn apis_of_plans() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("crates/snapback-engine/src/plan/describe.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let body = source
        .split("pub fn api(")
        .nth(1)
        .unwrap()
        .split("pub fn ")
        .next()
        .unwrap();
    body.split('"')
        .skip(1)
        .step_by(2)
        .map(|api| format!("ec2:{api}"))
        .collect()
}

#[test]
fn the_template_passes_only_policy_variables_the_code_knows() {
    let template = template();
    let variables: BTreeMap<String, String> = template
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(name, _)| name.starts_with("SNAPBACK_"))
        .map(|(name, _)| (name.to_owned(), String::new()))
        .collect();
    assert!(variables.len() > 8, "no variables found: {variables:?}");
    for name in snapback_engine::policy::VARIABLES {
        assert!(variables.contains_key(name), "no parameter sets {name}");
    }
    let defaults = variables.into_keys().map(|name| {
        let value = match name.as_str() {
            "SNAPBACK_MODE" => default_of(&template, "Mode"),
            "SNAPBACK_ENFORCE_OPENINGS" => default_of(&template, "EnforceOpenings"),
            "SNAPBACK_ENFORCE_CLOSINGS" => default_of(&template, "EnforceClosings"),
            _ => String::new(),
        };
        (name, value)
    });
    let policy = snapback_engine::policy::Policy::from_variables(&defaults.collect()).unwrap();
    assert_eq!(policy, snapback_engine::policy::Policy::default());
}

/// The text behind a key of a parameter.
fn member(template: &str, parameter: &str, key: &str) -> String {
    let text = resource(template, parameter);
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{key}: ")))
        .unwrap_or_else(|| panic!("{parameter} has no {key}"));
    line.to_owned()
}

fn default_of(template: &str, parameter: &str) -> String {
    member(template, parameter, "Default")
}

#[test]
fn the_thresholds_that_the_template_offers_are_those_that_the_code_knows() {
    use snapback_engine::policy::{Closings, Openings};
    let offered = |parameter: &str| -> BTreeSet<String> {
        let list = member(&template(), parameter, "AllowedValues");
        let items = list.trim_matches(['[', ']']).split(", ");
        items.map(str::to_owned).collect()
    };
    let openings = Openings::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(offered("EnforceOpenings"), openings);
    let closings = Closings::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(offered("EnforceClosings"), closings);
}

#[test]
fn a_policy_as_yaml_replaces_every_parameter_that_says_the_same() {
    let template = template();
    for name in snapback_engine::policy::VARIABLES {
        let set = template
            .lines()
            .find_map(|line| line.trim().strip_prefix(&format!("{name}: ")))
            .unwrap();
        let parameter = set
            .trim_start_matches("!If [HasPolicy, \"\", ")
            .trim_start_matches("!Ref ")
            .trim_end_matches(']');
        let must_stay = template.contains(&format!("          - !Equals [!Ref {parameter}, "));
        assert_eq!(must_stay, name != "SNAPBACK_POLICY", "{parameter}");
        if !default_of(&template, parameter)
            .trim_matches('"')
            .is_empty()
        {
            assert!(
                set.starts_with("!If [HasPolicy, "),
                "{name} would be set beside SNAPBACK_POLICY"
            );
        }
    }
}

/// Every EC2 call that a read of the adapter makes, but for what only a lost NAT gateway asks for.
fn reads_of_the_adapter() -> BTreeSet<String> {
    reads_in(&["observe.rs", "observe_visibility.rs"])
}

/// Every EC2 call that these files of the adapter make, from their source.
fn reads_in(files: &[&str]) -> BTreeSet<String> {
    let sources: Vec<String> = files
        .iter()
        .map(|file| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
            std::fs::read_to_string(folder.join("crates/snapback-aws/src/ec2").join(file)).unwrap()
        })
        .collect();
    let words = sources
        .iter()
        .flat_map(|source| source.split('"').skip(1).step_by(2));
    words
        .filter(|word| word.starts_with("Describe") || word.starts_with("GetManaged"))
        .map(|api| format!("ec2:{api}"))
        .collect()
}

/// What the guard reads: a place, the prefix lists that a difference names, and NAT gateways where one may
/// be gone (never everything).
const READS_OF_THE_GUARD: [&str; 8] = [
    "ec2:DescribeAddresses",
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:GetManagedPrefixListEntries",
];

#[test]
fn the_guard_may_make_the_reads_of_its_scopes_and_no_other() {
    let role = resource(&template(), "GuardRole");
    let granted: BTreeSet<&str> = role
        .split(|c: char| !(c.is_alphanumeric() || c == ':'))
        .filter(|word| word.starts_with("ec2:Describe") || word.starts_with("ec2:Get"))
        .collect();
    assert_eq!(granted, READS_OF_THE_GUARD.into());
    let adapter = reads_in(&["observe.rs", "observe_nat.rs"]);
    assert!(READS_OF_THE_GUARD.iter().all(|api| adapter.contains(*api)));
}

#[test]
fn the_sweep_may_make_every_read_of_the_adapter_and_no_other() {
    let role = resource(&template(), "SweepRole");
    let granted: BTreeSet<&str> = role
        .split(|c: char| !(c.is_alphanumeric() || c == ':'))
        .filter(|word| word.starts_with("ec2:Describe") || word.starts_with("ec2:Get"))
        .collect();
    let needed = reads_of_the_adapter();
    assert!(needed.len() > 15, "the calls were not read: {needed:?}");
    assert_eq!(granted, needed.iter().map(String::as_str).collect());
}

#[test]
fn the_alarms_on_our_metrics_name_metrics_that_the_code_measures_and_say_what_to_do() {
    use snapback_app::port::Metric;
    let template = template();
    for (alarm, metric, comparison) in [
        ("NoHeartbeat", Metric::Heartbeat, "LessThanThreshold"),
        ("BrakeOn", Metric::Braked, "GreaterThanThreshold"),
    ] {
        let text = resource(&template, alarm);
        for line in [
            "Namespace: Snapback".to_owned(),
            format!("MetricName: {metric:?}"),
            "Statistic: Sum".to_owned(),
            format!("ComparisonOperator: {comparison}"),
            "AlarmActions: [!Ref AlertTopic]".to_owned(),
        ] {
            let found = text.lines().any(|found| found.trim() == line);
            assert!(found, "{alarm}: {line} in\n{text}");
        }
    }
    let brake = resource(&template, "BrakeOn");
    for words in ["snapback release account", "--why", "BRAKED"] {
        assert!(brake.contains(words), "{words} in\n{brake}");
    }
}

/// The IAM policy for a person who runs `rollback`, `undo`, `history` or `capture`, or releases a brake.
fn operator_policy() -> serde_json::Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(folder.join("infra/operator-policy.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a policy's statement names under `key`, which holds one or several.
fn several(statement: &serde_json::Value, key: &str) -> Vec<String> {
    match &statement[key] {
        serde_json::Value::Array(all) => all
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

/// The actions of the operator's policy with the resources and conditions that each is allowed for.
fn operator_rights() -> BTreeMap<String, BTreeSet<String>> {
    let policy = operator_policy();
    let mut rights: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        for action in several(statement, "Action") {
            for resource in several(statement, "Resource") {
                let words = format!("{resource} if {}", statement["Condition"]);
                rights.entry(action.clone()).or_default().insert(words);
            }
        }
    }
    rights
}

#[test]
fn a_person_may_make_every_call_a_plan_can_hold_every_read_and_no_other() {
    let rights = operator_rights();
    let granted = |prefix: &str| -> BTreeSet<String> {
        let named = rights.keys().filter(|action| action.starts_with(prefix));
        named.cloned().collect()
    };
    let reads = |action: &String| {
        action.starts_with("ec2:Describe") || action.starts_with("ec2:GetManagedPrefixList")
    };
    let (read, write): (BTreeSet<String>, BTreeSet<String>) =
        granted("ec2:").into_iter().partition(reads);
    assert_eq!(write, apis_of_plans());
    let mut needed = reads_of_the_adapter();
    needed.extend(READS_OF_THE_GUARD.map(str::to_owned));
    assert_eq!(read, needed);
    let store = ["BatchGetItem", "GetItem", "PutItem", "Query"];
    let store: BTreeSet<String> = store.iter().map(|api| format!("dynamodb:{api}")).collect();
    assert_eq!(granted("dynamodb:"), store);
    // A release, and another look.
    let inbox = BTreeSet::from(["arn:aws:sqs:REGION:ACCOUNT_ID:INBOX_QUEUE if null".to_owned()]);
    assert_eq!(rights["sqs:SendMessage"], inbox);
    assert_eq!(rights.len(), write.len() + read.len() + store.len() + 1);
    for tables in store.iter().map(|action| &rights[action]) {
        let tables: Vec<&str> = tables
            .iter()
            .map(|arn| arn.rsplit('/').next().unwrap())
            .collect();
        assert_eq!(tables, ["JOURNAL_TABLE if null", "STATE_TABLE if null"]);
    }
}

/// One policy is the other in other words: what the guard may do to EC2, a person may, and no more.
#[test]
fn a_person_may_write_to_ec2_exactly_what_the_guard_may() {
    let role = resource(&template(), "GuardRole");
    let statements: BTreeMap<String, BTreeSet<String>> = role
        .split("- Sid: ")
        .skip(1)
        .map(|text| {
            let sid = text.lines().next().unwrap().to_owned();
            let words = text.split(|c: char| !(c.is_alphanumeric() || "-:/*".contains(c)));
            let kinds = words.filter_map(|word| word.strip_suffix("/*")?.rsplit(':').next());
            (sid, kinds.map(str::to_owned).collect())
        })
        .collect();
    let policy = operator_policy();
    for statement in policy["Statement"].as_array().unwrap() {
        let sid = statement["Sid"].as_str().unwrap();
        if !several(statement, "Action")[0].starts_with("ec2:") {
            continue;
        }
        let resources = several(statement, "Resource");
        let kinds: BTreeSet<String> = resources
            .iter()
            .filter_map(|arn| Some(arn.strip_suffix("/*")?.rsplit(':').next()?.to_owned()))
            .collect();
        assert_eq!(statements.get(sid), Some(&kinds), "{sid}");
        if let Some(condition) = statement["Condition"].as_object() {
            let words = condition.values().flat_map(|of| of.as_object().unwrap());
            for (key, value) in words.filter(|(key, _)| *key != "aws:RequestedRegion") {
                let both = role.contains(key.as_str()) && role.contains(value.as_str().unwrap());
                assert!(both, "{sid}: {key}");
            }
        }
    }
}

#[test]
fn the_operators_policy_fits_into_one_managed_policy() {
    let text = operator_policy().to_string();
    let text = text
        .replace("REGION", "ap-southeast-2")
        .replace("ACCOUNT_ID", "123456789012")
        .replace("_TABLE", "-ABCDEFGHIJKLMNOP-snapback-table")
        .replace("_QUEUE", "-ABCDEFGHIJKLMNOP-snapback-inbox");
    assert!(text.len() <= 6144, "{} characters", text.len());
}

/// Only what stands in for another is ever deleted.
#[test]
fn a_route_table_may_be_deleted_only_where_it_was_made_to_stand_in() {
    let pattern = format!("{}*", snapback_model::TEMPORARY_TABLE);
    let role = resource(&template(), "GuardRole");
    let statement = role
        .split("- Sid: ")
        .find(|text| text.contains("ec2:DeleteRouteTable"));
    assert!(statement.unwrap().contains(&pattern));
    let allowed = &operator_rights()["ec2:DeleteRouteTable"];
    assert!(
        allowed.iter().all(|words| words.contains(&pattern)),
        "{allowed:?}"
    );
}
