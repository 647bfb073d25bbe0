//! The one SDK configuration all clients share.
//!
//! - Owns: behaviour version, time limits, retry settings, who we are.
//! - Takes: the environment as the SDK reads it (`AWS_REGION`, credentials, `AWS_ENDPOINT_URL[_EC2]`).
//! - Gives: [`SdkConfig`].
//! - Must not: set an endpoint, so that emulators stay reachable by the SDK's own variables.

use crate::call::{call_error, not_sent};
use aws_config::BehaviorVersion;
pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use snapback_app::port::CallError;
use snapback_model::AccountId;
use std::time::Duration;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest wait for one attempt.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Longest wait for a call with its retries. A Lambda with more than the flow's reserve left can end it.
const OPERATION: Duration = Duration::from_secs(12);
/// Attempts of calls that are safe to repeat (everything but EC2, whose retries are the flow's).
const ATTEMPTS: u32 = 3;

/// Reads the environment once. Clients made from the result share one connection pool.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts())
        .load()
        .await
}

/// The time limits of every call.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// The account of the credentials in use (`sts:GetCallerIdentity`, which needs no permission).
///
/// # Errors
/// The call's failure, or an answer without an account.
pub async fn account(sdk: &SdkConfig) -> Result<AccountId, CallError> {
    const OPERATION: &str = "GetCallerIdentity";
    let answer = aws_sdk_sts::Client::new(sdk)
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| call_error(OPERATION, "credentials", &error))?;
    answer.account().map(AccountId::from).ok_or_else(|| {
        not_sent(
            OPERATION,
            "credentials",
            "Unreadable",
            "the answer names no account",
        )
    })
}
