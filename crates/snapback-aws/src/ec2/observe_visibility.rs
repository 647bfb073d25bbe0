//! Context without which the guard still guards: flow logs, block public access, stale references,
//! names of instances.
//!
//! - Owns: which of these calls a whole read takes, and what a refusal means.
//! - Takes: nothing; the VPCs that are asked about.
//! - Gives: what could be read; a kind that is denied or that EC2 does not know here is a gap, not a
//!   failure (unknown is not false).
//! - Must not: hide that a call failed for the moment: who asked tries the whole read again.

use super::observe::{PAGE, filter, pages};
use super::{Ec2, convert_visibility as convert};
use crate::call::call_error;
use snapback_app::port::CallError;
use snapback_engine::execution::ErrorClass;
use snapback_model::describe::Described;

/// How many VPCs are asked for stale references: the call has a small bucket (20, then 5 a second;
/// semantics E), and a sweep must not wait for it.
const STALE_ASKED_MAX: usize = 20;
/// The page of DescribeStaleSecurityGroups (semantics E).
const STALE_PAGE: i32 = 255;

/// An answer, or nothing where EC2 will never give it: denied, or not known in this Region or
/// partition.
pub(super) fn or_gap<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if matches!(error.class, ErrorClass::Denied | ErrorClass::Invalid) => {
            tracing::warn!(
                operation = error.operation,
                code = error.code,
                "context is not read"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Ec2 {
    pub(super) async fn visibility(&self) -> Result<Described, CallError> {
        let (logs, options, exclusions, names) = tokio::try_join!(
            async { or_gap(self.flow_logs().await) },
            async { or_gap(self.block_options().await) },
            async { or_gap(self.block_exclusions().await) },
            async { or_gap(self.instance_names().await) },
        )?;
        let parts = [logs, options, exclusions, names];
        let mut described = Described::default();
        parts
            .into_iter()
            .flatten()
            .for_each(|part| described.merge(part));
        Ok(described)
    }

    async fn flow_logs(&self) -> Result<Described, CallError> {
        let call = self.client.describe_flow_logs();
        let logs = pages!(call, "DescribeFlowLogs", "account", PAGE)?;
        Ok(Described {
            flow_logs: logs.into_iter().map(convert::flow_log).collect(),
            present: ["FlowLogs".to_owned()].into(),
            ..Described::default()
        })
    }

    async fn block_options(&self) -> Result<Described, CallError> {
        let operation = "DescribeVpcBlockPublicAccessOptions";
        let call = self.client.describe_vpc_block_public_access_options();
        let answer = call.send().await;
        let answer = answer.map_err(|error| call_error(operation, "account", &error))?;
        let options = answer.vpc_block_public_access_options;
        Ok(Described {
            present: options
                .iter()
                .map(|_| "VpcBlockPublicAccessOptions".to_owned())
                .collect(),
            vpc_block_public_access_options: options
                .into_iter()
                .map(convert::block_options)
                .collect(),
            ..Described::default()
        })
    }

    /// The SDK has no paginator for this one.
    async fn block_exclusions(&self) -> Result<Described, CallError> {
        let operation = "DescribeVpcBlockPublicAccessExclusions";
        let mut exclusions = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self
                .client
                .describe_vpc_block_public_access_exclusions()
                .max_results(PAGE)
                .set_next_token(token.take());
            let answer = call.send().await;
            let answer = answer.map_err(|error| call_error(operation, "account", &error))?;
            exclusions.extend(
                answer
                    .vpc_block_public_access_exclusions
                    .unwrap_or_default(),
            );
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(Described {
            vpc_block_public_access_exclusions: exclusions
                .into_iter()
                .map(convert::block_exclusion)
                .collect(),
            present: ["VpcBlockPublicAccessExclusions".to_owned()].into(),
            ..Described::default()
        })
    }

    /// The `Name` tags of instances alone: describing the instances would bring a hundred times more.
    async fn instance_names(&self) -> Result<Described, CallError> {
        let call = self
            .client
            .describe_tags()
            .filters(filter("resource-type", ["instance"]))
            .filters(filter("key", ["Name"]));
        let tags = pages!(call, "DescribeTags", "account", PAGE)?;
        Ok(Described {
            tags: tags.into_iter().map(convert::tag_description).collect(),
            ..Described::default()
        })
    }

    /// Stale references of the first VPCs, one after the other. Any failure ends it: what is missing
    /// is a gap, and the read is not repeated for it.
    pub(super) async fn stale_references(&self, vpcs: &[String]) -> Described {
        let mut described = Described {
            present: ["StaleSecurityGroupSet".to_owned()].into(),
            ..Described::default()
        };
        for vpc in vpcs.iter().take(STALE_ASKED_MAX) {
            let call = self.client.describe_stale_security_groups().vpc_id(vpc);
            match pages!(call, "DescribeStaleSecurityGroups", vpc, STALE_PAGE) {
                Ok(groups) => {
                    let groups = groups.into_iter().map(convert::stale_security_group);
                    described.stale_security_groups.extend(groups);
                    described.stale_asked.insert(vpc.clone());
                }
                Err(error) => {
                    tracing::warn!(
                        operation = error.operation,
                        code = error.code,
                        "stale references are not read"
                    );
                    described.lose(["StaleSecurityGroupSet"]);
                    break;
                }
            }
        }
        described
    }
}
