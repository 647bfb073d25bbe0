//! EC2: reads the guarded resources with their context, makes the calls of plans.
//!
//! - Owns: which EC2 calls a scope or an action takes; retries are off, the flow owns them.
//! - Takes: scopes, actions with fresh handles.
//! - Gives: snapshots by the model's own canonicalisation; receipts.
//! - Must not: decide, compare, retry, or make a second call for one action.

mod act;
mod act_group;
mod act_nat;
mod convert;
mod convert_context;
mod convert_visibility;
mod observe;
mod observe_nat;
mod observe_visibility;
mod request;

#[cfg(test)]
#[path = "ec2/act_tests.rs"]
mod act_tests;
#[cfg(test)]
#[path = "ec2/observe_tests.rs"]
mod observe_tests;

use crate::sdk::timeouts;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_ec2::Client;
use snapback_model::{AccountId, Region};

/// EC2 of one account and Region.
#[derive(Debug, Clone)]
pub struct Ec2 {
    client: Client,
    account: AccountId,
    region: Region,
}

impl Ec2 {
    /// A client for the account and Region that the configuration's credentials belong to.
    pub fn new(sdk: &SdkConfig, account: AccountId, region: Region) -> Self {
        let config = aws_sdk_ec2::config::Builder::from(sdk)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .build();
        Self {
            client: Client::from_conf(config),
            account,
            region,
        }
    }
}
