//! The environment, read strictly, once, at start.
//!
//! - Owns: the names of the variables that `template.yaml` sets, and what each may hold.
//! - Takes: the variables as a map.
//! - Gives: [`GuardConfig`], [`SweepConfig`], [`NotifyConfig`], or [`ConfigError`] naming the variable: a Lambda with a bad setting processes nothing.
//! - Must not: guess a default for anything that decides what may be changed.

use snapback_engine::change::Own;
use snapback_engine::policy::{Policy, PolicyError};
use snapback_model::{AccountId, Region};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the variables.
pub mod variable {
    /// State table's name.
    pub const STATE_TABLE: &str = "SNAPBACK_STATE_TABLE";
    /// Journal table's name.
    pub const JOURNAL_TABLE: &str = "SNAPBACK_JOURNAL_TABLE";
    /// URL of the guard's inbox.
    pub const INBOX_URL: &str = "SNAPBACK_INBOX_URL";
    /// URL of the dead-letter queue.
    pub const DEAD_LETTER_URL: &str = "SNAPBACK_DEAD_LETTER_URL";
    /// ARN of the alert topic.
    pub const TOPIC_ARN: &str = "SNAPBACK_TOPIC_ARN";
    /// ARN of the secret with Slack's webhook URL.
    pub const SLACK_SECRET_ARN: &str = "SNAPBACK_SLACK_SECRET_ARN";
    /// `sns` or `slack`.
    pub const CHANNEL: &str = "SNAPBACK_CHANNEL";
    /// ARNs of the roles our functions run with, comma-separated.
    pub const ROLE_ARNS: &str = "SNAPBACK_ROLE_ARNS";
    /// The account guarded.
    pub const ACCOUNT: &str = "SNAPBACK_ACCOUNT";
    /// An EventBridge source taken besides `aws.ec2`: emulators cannot send that one.
    pub const EVENT_SOURCE: &str = "SNAPBACK_EVENT_SOURCE";
    /// Lowest level of the log.
    pub const LOG_LEVEL: &str = "SNAPBACK_LOG_LEVEL";
    /// The Region guarded; set by Lambda.
    pub const REGION: &str = "AWS_REGION";
    /// Names this instance; set by Lambda.
    pub const INSTANCE: &str = "AWS_LAMBDA_LOG_STREAM_NAME";

    /// All of ours that are not the policy's. Others with the prefix `SNAPBACK_` must be the policy's.
    pub const ALL: [&str; 11] = [
        STATE_TABLE,
        JOURNAL_TABLE,
        INBOX_URL,
        DEAD_LETTER_URL,
        TOPIC_ARN,
        SLACK_SECRET_ARN,
        CHANNEL,
        ROLE_ARNS,
        ACCOUNT,
        EVENT_SOURCE,
        LOG_LEVEL,
    ];
    /// The policy's ([`snapback_engine::policy::Policy::from_variables`]).
    pub use snapback_engine::policy::VARIABLES as POLICY;
}

/// Why the environment was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable is not set, or empty.
    #[error("{variable} is not set: {meaning}")]
    Missing {
        /// Which.
        variable: &'static str,
        /// What it should hold.
        meaning: &'static str,
    },
    /// A variable holds something else.
    #[error("{variable} is `{value}`, but should be {expected}")]
    Invalid {
        /// Which.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A variable with our prefix that nobody reads: a typing error would switch something off silently.
    #[error("{variable} is not a setting of Snapback; the nearest is {nearest}")]
    Unknown {
        /// Which.
        variable: String,
        /// The most similar name.
        nearest: &'static str,
    },
    /// The policy's variables.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// The channel a notify function serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelConfig {
    /// The topic's ARN.
    Sns(String),
    /// The secret's ARN.
    Slack(String),
}

/// The settings of guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardConfig {
    /// Who we are. A change by one of our roles is ours only with a journalled request id.
    pub own: Own,
    /// State table's name.
    pub state_table: String,
    /// Journal table's name.
    pub journal_table: String,
    /// The guard's inbox: what could not be handled is given back there for a while.
    pub inbox_url: String,
    /// Where malformed messages go.
    pub dead_letter_url: String,
    /// The account's rules.
    pub policy: Policy,
    /// This instance, as leases name it.
    pub holder: String,
}

/// The settings of sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepConfig {
    /// Who we are.
    pub own: Own,
    /// State table's name.
    pub state_table: String,
    /// Journal table's name.
    pub journal_table: String,
    /// The guard's inbox.
    pub inbox_url: String,
    /// The account's rules.
    pub policy: Policy,
    /// This instance, as records name it.
    pub holder: String,
}

/// The settings of notify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyConfig {
    /// State table's name.
    pub state_table: String,
    /// Journal table's name: what was shown is noted there.
    pub journal_table: String,
    /// Where entries go that the channel refuses for good.
    pub dead_letter_url: String,
    /// Where messages go.
    pub channel: ChannelConfig,
}

/// The process's environment. Variables that are no Unicode are left out, hence missing.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl GuardConfig {
    /// Reads the settings of guard.
    ///
    /// # Errors
    /// The first variable that is missing, unknown or not what it should be.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        refuse_unknown(variables)?;
        Ok(Self {
            own: own(variables)?,
            state_table: required(variables, variable::STATE_TABLE, STATE_TABLE)?,
            journal_table: required(variables, variable::JOURNAL_TABLE, JOURNAL_TABLE)?,
            inbox_url: url(variables, variable::INBOX_URL)?,
            dead_letter_url: url(variables, variable::DEAD_LETTER_URL)?,
            policy: Policy::from_variables(variables)?,
            holder: holder(variables, "guard"),
        })
    }
}

impl SweepConfig {
    /// Reads the settings of sweep.
    ///
    /// # Errors
    /// The first variable that is missing, unknown or not what it should be.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        refuse_unknown(variables)?;
        Ok(Self {
            own: own(variables)?,
            state_table: required(variables, variable::STATE_TABLE, STATE_TABLE)?,
            journal_table: required(variables, variable::JOURNAL_TABLE, JOURNAL_TABLE)?,
            inbox_url: url(variables, variable::INBOX_URL)?,
            policy: Policy::from_variables(variables)?,
            holder: holder(variables, "sweep"),
        })
    }
}

impl NotifyConfig {
    /// Reads the settings of notify.
    ///
    /// # Errors
    /// The first variable that is missing, unknown or not what it should be.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        refuse_unknown(variables)?;
        let channel = match required(variables, variable::CHANNEL, "`sns` or `slack`")?.as_str() {
            "sns" => ChannelConfig::Sns(arn(
                variables,
                variable::TOPIC_ARN,
                ":sns:",
                "the ARN of an SNS topic",
            )?),
            "slack" => ChannelConfig::Slack(arn(
                variables,
                variable::SLACK_SECRET_ARN,
                ":secretsmanager:",
                "the ARN of a Secrets Manager secret",
            )?),
            other => return Err(invalid(variable::CHANNEL, other, "`sns` or `slack`")),
        };
        Ok(Self {
            state_table: required(variables, variable::STATE_TABLE, STATE_TABLE)?,
            journal_table: required(variables, variable::JOURNAL_TABLE, JOURNAL_TABLE)?,
            dead_letter_url: url(variables, variable::DEAD_LETTER_URL)?,
            channel,
        })
    }
}

const STATE_TABLE: &str = "the name of the state table";
const JOURNAL_TABLE: &str = "the name of the journal table";

/// The account, the Region, the source of events, and the roles by which our own calls are known:
/// the sweep too must not take a call of the guard in CloudTrail's history for somebody's change.
fn own(variables: &BTreeMap<String, String>) -> Result<Own, ConfigError> {
    let source = variables
        .get(variable::EVENT_SOURCE)
        .map(|source| source.trim().to_owned());
    Ok(Own {
        account: Some(account(variables)?),
        region: Some(region(variables)?),
        roles: own_roles(variables)?,
        sources: source
            .filter(|source| !source.is_empty())
            .into_iter()
            .collect(),
    })
}

fn holder(variables: &BTreeMap<String, String>, function: &str) -> String {
    variables.get(variable::INSTANCE).map_or_else(
        || function.to_owned(),
        |instance| format!("{function} {instance}"),
    )
}

fn required(
    variables: &BTreeMap<String, String>,
    variable: &'static str,
    meaning: &'static str,
) -> Result<String, ConfigError> {
    let value = variables
        .get(variable)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty());
    value
        .map(str::to_owned)
        .ok_or(ConfigError::Missing { variable, meaning })
}

fn invalid(variable: &'static str, value: &str, expected: &'static str) -> ConfigError {
    ConfigError::Invalid {
        variable,
        value: value.to_owned(),
        expected,
    }
}

fn account(variables: &BTreeMap<String, String>) -> Result<AccountId, ConfigError> {
    const EXPECTED: &str = "a twelve-digit account id";
    let value = required(variables, variable::ACCOUNT, EXPECTED)?;
    let is_account = value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_account {
        Ok(AccountId::new(value))
    } else {
        Err(invalid(variable::ACCOUNT, &value, EXPECTED))
    }
}

fn region(variables: &BTreeMap<String, String>) -> Result<Region, ConfigError> {
    const EXPECTED: &str = "a Region (eu-central-1)";
    let value = required(variables, variable::REGION, EXPECTED)?;
    let is_region = value.contains('-')
        && value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_region {
        Ok(Region::new(value))
    } else {
        Err(invalid(variable::REGION, &value, EXPECTED))
    }
}

fn url(
    variables: &BTreeMap<String, String>,
    variable: &'static str,
) -> Result<String, ConfigError> {
    const EXPECTED: &str = "the URL of an SQS queue (https://sqs.…)";
    let value = required(variables, variable, EXPECTED)?;
    let is_url = value.starts_with("https://") || value.starts_with("http://");
    if is_url {
        Ok(value)
    } else {
        Err(invalid(variable, &value, EXPECTED))
    }
}

fn arn(
    variables: &BTreeMap<String, String>,
    variable: &'static str,
    service: &str,
    expected: &'static str,
) -> Result<String, ConfigError> {
    let value = required(variables, variable, expected)?;
    let is_arn =
        value.starts_with("arn:") && value.contains(service) && value.split(':').count() >= 6;
    if is_arn {
        Ok(value)
    } else {
        Err(invalid(variable, &value, expected))
    }
}

fn own_roles(variables: &BTreeMap<String, String>) -> Result<BTreeSet<String>, ConfigError> {
    const EXPECTED: &str = "IAM role ARNs, comma-separated (arn:aws:iam::123456789012:role/…)";
    let value = required(variables, variable::ROLE_ARNS, EXPECTED)?;
    let roles: BTreeSet<String> = value
        .split(',')
        .map(str::trim)
        .filter(|role| !role.is_empty())
        .map(str::to_owned)
        .collect();
    let are_roles = !roles.is_empty()
        && roles
            .iter()
            .all(|role| role.starts_with("arn:") && role.contains(":role/"));
    if are_roles {
        Ok(roles)
    } else {
        Err(invalid(variable::ROLE_ARNS, &value, EXPECTED))
    }
}

fn refuse_unknown(variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let known = || variable::ALL.into_iter().chain(variable::POLICY);
    let Some(stranger) = variables
        .keys()
        .find(|name| name.starts_with("SNAPBACK_") && known().all(|known| known != name.as_str()))
    else {
        return Ok(());
    };
    let nearest = known()
        .min_by_key(|known| distance(known, stranger))
        .unwrap_or(variable::STATE_TABLE);
    Err(ConfigError::Unknown {
        variable: stranger.clone(),
        nearest,
    })
}

/// Levenshtein distance: how many letters were mistyped.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above_left), above) in b.bytes().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push(
                (above_left + usize::from(x != y))
                    .min(above + 1)
                    .min(left + 1),
            );
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
