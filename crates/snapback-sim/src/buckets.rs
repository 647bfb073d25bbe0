//! EC2's throttling: one token bucket an API, account and Region (semantics E).

use snapback_model::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Tokens left of each API, and since when.
#[derive(Debug, Default)]
pub(crate) struct Buckets(BTreeMap<String, (f64, Timestamp)>);

/// Burst and refill a second.
fn rate(api: &str) -> (f64, f64) {
    match api {
        "ModifyNetworkInterfaceAttribute" => (100.0, 5.0),
        "CreateTags" | "DeleteTags" => (100.0, 10.0),
        "CreateNatGateway" | "DeleteNatGateway" | "AssociateNatGatewayAddress" => (10.0, 1.0),
        "ModifyVpcEndpoint" => (4.0, 0.3),
        _ if api.starts_with("Describe") => (100.0, 20.0),
        _ => (50.0, 5.0),
    }
}

impl Buckets {
    /// Takes a token; `false` when none is left.
    pub fn take(&mut self, api: &str, now: Timestamp) -> bool {
        let (burst, refill) = rate(api);
        let (tokens, since) = self.0.entry(api.to_owned()).or_insert((burst, now));
        let passed = Duration::try_from(now.duration_since(*since)).unwrap_or_default();
        *tokens = (*tokens + passed.as_secs_f64() * refill).min(burst);
        *since = now;
        let has_one = *tokens >= 1.0;
        if has_one {
            *tokens -= 1.0;
        }
        has_one
    }
}
