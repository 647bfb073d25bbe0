//! The stories: what breaks an account, and what must come of it.
//!
//! - Owns: [`STORIES`], their cast and their proofs.
//! - Takes: a listener for what happens.
//! - Gives: [`Ended`]: the outcome, whether the end state is proved, figures.
//! - Must not: look into Snapback: a story sees EC2 and what people were told.

mod associations;
mod brake;
mod deletions;
mod entries;
mod flow;
mod routes;
mod rules;

use crate::station::{Listener, Moment, Station};
use crate::{ACCOUNT, Principal, under_old_ids};
use serde::Serialize;
use snapback_engine::incident::{Outcome, Report};
use snapback_engine::policy::{Mode, Policy};
use snapback_model::*;
use std::collections::BTreeMap;

/// One story.
#[derive(Clone, Copy)]
pub struct Story {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, one line.
    pub title: &'static str,
    play: fn(&mut Scene<'_>) -> Result<(), String>,
}

/// All stories, in their order.
pub const STORIES: [Story; 17] = [
    Story {
        name: "ssh-opened",
        title: "ssh is opened to the world on a group with approved public rules",
        play: rules::ssh_opened,
    },
    Story {
        name: "approved-rule-revoked",
        title: "an approved rule is revoked",
        play: rules::approved_rule_revoked,
    },
    Story {
        name: "rule-widened",
        title: "an approved rule is widened in place",
        play: rules::rule_widened,
    },
    Story {
        name: "acl-entry-deleted",
        title: "a network ACL entry is deleted",
        play: entries::acl_entry_deleted,
    },
    Story {
        name: "deny-before-allow",
        title: "a deny is placed before the allow",
        play: entries::deny_before_allow,
    },
    Story {
        name: "subnet-to-empty-acl",
        title: "a subnet is moved to an empty network ACL",
        play: associations::subnet_to_empty_acl,
    },
    Story {
        name: "default-route-deleted",
        title: "the default route is deleted",
        play: routes::default_route_deleted,
    },
    Story {
        name: "default-route-redirected",
        title: "the default route is redirected",
        play: routes::default_route_redirected,
    },
    Story {
        name: "subnet-cut-from-table",
        title: "a subnet is cut from its route table",
        play: associations::subnet_cut_from_table,
    },
    Story {
        name: "main-table-changed",
        title: "the main route table is changed",
        play: associations::main_table_changed,
    },
    Story {
        name: "trusted-and-stranger",
        title: "a deployment's change stays, a stranger's goes",
        play: flow::trusted_and_stranger,
    },
    Story {
        name: "event-lost",
        title: "the event never comes; the sweep finds it",
        play: flow::event_lost,
    },
    Story {
        name: "late-duplicates",
        title: "events come three times, late and out of order",
        play: flow::late_duplicates,
    },
    Story {
        name: "deletion-chain",
        title: "a group and a table are deleted, link by link",
        play: deletions::deletion_chain,
    },
    Story {
        name: "full-quota-acl",
        title: "two entries of a full network ACL change places",
        play: entries::full_quota_acl,
    },
    Story {
        name: "a-fight",
        title: "Terraform puts its change back after each revert",
        play: brake::a_fight,
    },
    Story {
        name: "a-thousand-changes",
        title: "a script takes everything apart in a thousand calls",
        play: brake::a_thousand_changes,
    },
];

/// How a story ended.
#[derive(Debug, Clone, Serialize)]
pub struct Ended {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// `reverted`, as people were told, or what else came of it.
    pub outcome: String,
    /// Whether the end state and everything the story asks for was seen from outside.
    pub verified: bool,
    /// What was wrong, where it is not verified.
    pub why: Option<String>,
    /// From the event to its arrival, simulated milliseconds.
    pub event_to_arrival_ms: Option<i64>,
    /// From arrival to the verified end, simulated milliseconds.
    pub arrival_to_verified_ms: Option<i64>,
    /// EC2 calls with our role that changed something.
    pub calls: Vec<String>,
    /// Alerts on SNS.
    pub alerts: usize,
    /// What was proved, line by line.
    pub proof: Vec<String>,
}

impl Ended {
    /// Whether it ended as it should: put back, and proved.
    pub fn is_right(&self) -> bool {
        self.verified && self.outcome == "reverted"
    }
}

/// What a story plays on.
pub struct Scene<'a> {
    /// The deployment.
    pub station: Station<'a>,
    /// The good state: what must be there in the end.
    pub good: BTreeMap<ResourceId, Resource>,
    proof: Vec<String>,
}

/// A developer with more rights than sense.
pub fn mallory() -> Principal {
    Principal::role(format!("arn:aws:iam::{ACCOUNT}:role/developer"), "mallory")
        .from_ip("203.0.113.99")
}

/// An operator in the console.
pub fn olga() -> Principal {
    Principal::identity_center("NetworkAdmin", "olga@example.com").in_console()
}

/// The deployment pipeline.
pub fn pipeline() -> Principal {
    Principal::role(PIPELINE, "deploy-4711")
}

/// The role that the stories' policy trusts.
pub const PIPELINE: &str = "arn:aws:iam::111122223333:role/deploy-network";

/// The policy of the stories: enforce, trust the pipeline.
///
/// # Errors
/// The pattern is not accepted.
pub fn policy(mode: Mode) -> Result<Policy, String> {
    let word = match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
        Mode::Strict => "strict",
    };
    let text = format!("mode: {word}\ntrusted: [\"{PIPELINE}\"]\n");
    Policy::from_yaml(&text, "stories").map_err(|error| error.to_string())
}

impl Story {
    /// Plays it and proves its end.
    pub fn play(&self, seed: u64, listener: Listener<'_>) -> Ended {
        let mut ended = Ended {
            name: self.name,
            title: self.title,
            outcome: "nothing".into(),
            verified: false,
            why: None,
            event_to_arrival_ms: None,
            arrival_to_verified_ms: None,
            calls: Vec::new(),
            alerts: 0,
            proof: Vec::new(),
        };
        let mut closed: Option<Box<Report>> = None;
        let mut hear = |moment: &Moment| {
            // The story's end is its revert; an alert about a by-product is not.
            if let Moment::Closed(report) = moment
                && report.outcome != Outcome::Accepted
                && closed
                    .as_ref()
                    .is_none_or(|before| before.outcome != Outcome::Reverted)
            {
                closed = Some(report.clone());
            }
            listener(moment);
        };
        let played = policy(Mode::Enforce)
            .and_then(|policy| Station::start(seed, policy, &mut hear))
            .and_then(|station| {
                let good = station.world.snapshot().resources;
                let mut scene = Scene {
                    station,
                    good,
                    proof: Vec::new(),
                };
                let played = (self.play)(&mut scene).and_then(|()| scene.prove());
                ended.calls = scene.station.our_apis();
                ended.alerts = scene.station.shown("sns");
                ended.proof = std::mem::take(&mut scene.proof);
                played
            });
        ended.verified = played.is_ok();
        ended.why = played.err();
        if let Some(report) = closed {
            ended.outcome = format!("{:?}", report.outcome).to_lowercase();
            let milliseconds = |from: Timestamp, to: Timestamp| {
                to.as_millisecond().saturating_sub(from.as_millisecond())
            };
            ended.event_to_arrival_ms = report
                .event_at
                .map(|at| milliseconds(at, report.arrived_at));
            ended.arrival_to_verified_ms = Some(milliseconds(report.arrived_at, report.ended_at));
        }
        ended
    }
}

impl Scene<'_> {
    /// The end: every guarded resource of the account is as it should be, and people were told.
    fn prove(&mut self) -> Result<(), String> {
        let live = under_old_ids(&self.station.world.snapshot().resources);
        let wrong: Vec<String> = self
            .good
            .iter()
            .filter(|(id, good)| live.get(id) != Some(good))
            .map(|(id, _)| id.to_string())
            .collect();
        if !wrong.is_empty() {
            return Err(format!("not as it was: {}", wrong.join(", ")));
        }
        let lies = self.station.world.inconsistencies();
        if !lies.is_empty() {
            return Err(lies.join("; "));
        }
        self.proved(format!(
            "all {} security groups, network ACLs and route tables are as they should be",
            self.good.len()
        ));
        let (sns, slack) = (self.station.shown("sns"), self.station.shown("slack"));
        if sns == 0 || sns != slack {
            return Err(format!(
                "people were told {sns} times on SNS, {slack} times on Slack"
            ));
        }
        Ok(())
    }

    /// Notes something that was seen.
    pub fn proved(&mut self, line: impl Into<String>) {
        self.proof.push(line.into());
    }

    /// Demands something.
    ///
    /// # Errors
    /// It is not so.
    pub fn demand(&mut self, so: bool, line: &str) -> Result<(), String> {
        if so {
            self.proved(line);
            Ok(())
        } else {
            Err(format!(
                "not so: {line}; our calls: {:?}",
                self.station.our_apis()
            ))
        }
    }
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}
