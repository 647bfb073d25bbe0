//! A live account as a state source (feature `aws`).
//!
//! - Owns: whose account and Region is read, with whose credentials.
//! - Takes: the environment and profile as the AWS CLI reads them.
//! - Gives: a snapshot of everything.
//! - Must not: write; take an incomplete read for the state.

use crate::style;
use anyhow::{Context, Result, bail};
use snapback_app::port::{CallError, Observe, Scope};
use snapback_aws::{Ec2, sdk};
use snapback_engine::execution::ErrorClass;
use snapback_model::{AccountId, ContextKind, Coverage, Kind, Region, Snapshot};
use std::time::Duration;

/// Reads of the whole account, where EC2 throttles or fails for the moment.
const ATTEMPTS: u32 = 4;
/// The first wait before another read; doubles.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads everything of the caller's account and Region.
///
/// # Errors
/// No credentials or Region, another account or Region than `expected`, a describe call that is refused, a
/// read that does not cover every guarded kind. Nothing is captured then.
pub fn read(expected: Option<&AccountId>, within: Option<&Region>) -> Result<Snapshot> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime of the AWS client")?
        .block_on(observe(expected, within))
}

async fn observe(expected: Option<&AccountId>, within: Option<&Region>) -> Result<Snapshot> {
    let config = sdk::load().await;
    let region = config.region().map(|region| Region::from(region.as_ref()));
    let region = region.context(
        "no Region: set AWS_REGION, or `region` in the profile that AWS_PROFILE names; nothing was captured",
    )?;
    if let Some(within) = within.filter(|within| **within != region) {
        bail!(
            "the Region of the environment is {region}, not {within} (--region); nothing was captured"
        );
    }
    let account = sdk::account(&config)
        .await
        .context("the credentials' account could not be read; nothing was captured")?;
    if let Some(expected) = expected.filter(|expected| **expected != account) {
        bail!(
            "the credentials are of account {account}, not of {expected} (--account); nothing was captured"
        );
    }
    let ec2 = Ec2::new(&config, account, region);
    let snapshot = patiently(&ec2).await.context("nothing was captured")?;
    let missing: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|kind| !snapshot.coverage.contains(&Coverage::Kind(*kind)))
        .map(|kind| format!("{kind}s"))
        .collect();
    if !missing.is_empty() {
        bail!(
            "the read is incomplete, nothing was captured: missing {}",
            missing.join(", ")
        );
    }
    tell_gaps(&snapshot);
    Ok(snapshot)
}

/// Context that could not be read: nothing that rests on it will be told for certain.
fn tell_gaps(snapshot: &Snapshot) {
    let gaps = ContextKind::ALL
        .into_iter()
        .filter(|kind| !snapshot.topology.has_read(*kind));
    for kind in gaps {
        style::warn(&format!(
            "the account's {} could not be read whole",
            kind.words()
        ));
    }
}

/// The adapter does not try again: who asks does.
async fn patiently(ec2: &Ec2) -> Result<Snapshot, CallError> {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        match ec2.observe(&Scope::Everything).await {
            Err(error) if matches!(error.class, ErrorClass::Transient | ErrorClass::Lost) => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            result => return result,
        }
    }
    ec2.observe(&Scope::Everything).await
}
