//! `release`: a person takes a brake off.

use crate::inbox::{self, Letter};
use crate::outcome::Outcome;
use anyhow::Result;
use snapback_app::port::{Braked, Command};
use snapback_model::ResourceId;
use std::str::FromStr;

/// Let Snapback write again where its brake is on or its breaker is open: on the whole account and
/// Region, or on one resource.
///
/// Find out first what used up the budget, or who puts the change back: the alert names it. Counting
/// begins anew, and what waited is judged and taken back as the policy says.
#[derive(clap::Args)]
#[command(after_help = inbox::AFTER)]
pub struct Arguments {
    /// The word `account`, or the resource (`sg-…`, `acl-…`, `rtb-…`).
    #[arg(value_name = "account|RESOURCE")]
    what: What,
    #[command(flatten)]
    letter: Letter,
}

/// What is released, as it is written.
#[derive(Debug, Clone)]
struct What(Braked);

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "account" {
            return Ok(Self(Braked::Account));
        }
        let resource: Result<ResourceId, _> = text.parse();
        let resource =
            resource.map_err(|error| format!("neither `account` nor a resource: {error}"));
        resource.map(Braked::Resource).map(Self)
    }
}

/// Runs the command.
///
/// # Errors
/// No way to send it.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let Arguments { what, letter } = arguments;
    letter.send(&Command::Release {
        what: what.0.clone(),
        by: letter.by(),
        why: letter.why().to_owned(),
    })
}
