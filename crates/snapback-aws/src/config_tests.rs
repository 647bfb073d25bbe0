//! What each variable may hold.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;

fn good() -> BTreeMap<String, String> {
    [
        ("SNAPBACK_ACCOUNT", "123456789012"),
        ("AWS_REGION", "eu-central-1"),
        ("SNAPBACK_STATE_TABLE", "state"),
        ("SNAPBACK_JOURNAL_TABLE", "journal"),
        (
            "SNAPBACK_INBOX_URL",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/inbox",
        ),
        (
            "SNAPBACK_DEAD_LETTER_URL",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/dead",
        ),
        (
            "SNAPBACK_ROLE_ARNS",
            "arn:aws:iam::123456789012:role/guard, arn:aws:iam::123456789012:role/sweep",
        ),
        (
            "SNAPBACK_TOPIC_ARN",
            "arn:aws:sns:eu-central-1:123456789012:alerts",
        ),
        ("SNAPBACK_CHANNEL", "sns"),
        ("PATH", "/usr/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[test]
fn the_template_s_variables_are_read() {
    let config = GuardConfig::from_variables(&good()).unwrap();
    assert_eq!(config.own.account.unwrap().as_str(), "123456789012");
    assert_eq!(config.own.roles.len(), 2);
    assert_eq!(config.policy, Policy::default());
    let notify = NotifyConfig::from_variables(&good()).unwrap();
    assert_eq!(
        notify.channel,
        ChannelConfig::Sns("arn:aws:sns:eu-central-1:123456789012:alerts".into())
    );
}

#[test]
fn each_missing_or_wrong_variable_is_named() {
    let names = [
        "SNAPBACK_ACCOUNT",
        "AWS_REGION",
        "SNAPBACK_STATE_TABLE",
        "SNAPBACK_JOURNAL_TABLE",
        "SNAPBACK_INBOX_URL",
        "SNAPBACK_DEAD_LETTER_URL",
        "SNAPBACK_ROLE_ARNS",
    ];
    for name in names {
        for bad in ["", "  ", "§ nonsense"] {
            let mut variables = good();
            variables.insert(name.to_owned(), bad.to_owned());
            if name.ends_with("_TABLE") && !bad.trim().is_empty() {
                continue;
            }
            let error = GuardConfig::from_variables(&variables)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(name), "{error}");
        }
        let mut variables = good();
        variables.remove(name);
        assert!(
            matches!(GuardConfig::from_variables(&variables), Err(ConfigError::Missing { variable, .. }) if variable == name)
        );
    }
}

#[test]
fn a_typing_error_in_a_name_stops_the_start() {
    let mut variables = good();
    variables.insert("SNAPBACK_MODE_SECURITY_GRUOP".into(), "enforce".into());
    let error = GuardConfig::from_variables(&variables).unwrap_err();
    assert_eq!(
        error,
        ConfigError::Unknown {
            variable: "SNAPBACK_MODE_SECURITY_GRUOP".into(),
            nearest: "SNAPBACK_MODE_SECURITY_GROUP"
        }
    );
}

#[test]
fn a_channel_needs_its_own_address_only() {
    let mut variables = good();
    variables.insert("SNAPBACK_CHANNEL".into(), "slack".into());
    let error = NotifyConfig::from_variables(&variables)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("SNAPBACK_SLACK_SECRET_ARN"), "{error}");
    variables.insert("SNAPBACK_CHANNEL".into(), "pager".into());
    let error = NotifyConfig::from_variables(&variables)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("SNAPBACK_CHANNEL") && error.contains("pager"),
        "{error}"
    );
}

#[test]
fn the_sweep_knows_the_guard_s_role_and_needs_nothing_else_of_it() {
    let mut variables = good();
    variables.remove("SNAPBACK_DEAD_LETTER_URL");
    variables.insert("SNAPBACK_EVENT_SOURCE".into(), "snapback.e2e".into());
    variables.insert(
        "AWS_LAMBDA_LOG_STREAM_NAME".into(),
        "2026/11/23/[1]abc".into(),
    );
    let config = SweepConfig::from_variables(&variables).unwrap();
    assert_eq!(config.own.roles.len(), 2);
    assert_eq!(
        config.own.sources,
        BTreeSet::from(["snapback.e2e".to_owned()])
    );
    assert_eq!(config.holder, "sweep 2026/11/23/[1]abc");
}
