//! AWS behind the ports of `snapback-app`: the only room that names `aws-sdk-*`.
//!
//! - Owns: the calls to EC2, DynamoDB, SNS, SQS, Secrets Manager, CloudTrail, STS and Slack; time-outs;
//!   the layout of both tables; the environment variables; the log and metric lines.
//! - Takes: the environment and the ports' arguments.
//! - Gives: implementations of the ports; every failure as a `CallError` or `StoreError` with the
//!   service's code and what it means.
//! - Must not: decide, plan, or try a write to EC2 again (that is the flow's).

pub mod call;
pub mod clock;
pub mod cloudtrail;
pub mod config;
pub mod ec2;
pub mod log;
pub mod meter;
pub mod sdk;
pub mod slack;
pub mod sns;
pub mod sqs;
pub mod stream;
pub mod tables;
pub mod world;

#[cfg(test)]
mod dynamo;
#[cfg(test)]
mod wire;

pub use clock::SystemClock;
pub use cloudtrail::CloudTrail;
pub use config::{ConfigError, GuardConfig, NotifyConfig, SweepConfig};
pub use ec2::Ec2;
pub use meter::Emf;
pub use slack::Slack;
pub use sns::Sns;
pub use sqs::{DeadLetterQueue, InboxQueue};
pub use tables::Tables;
pub use world::{GuardWorld, PersonWorld, SweepWorld};
