//! The troubles of a storm: when each begins and ends, and what the world is set to meanwhile.

use super::super::plan::{Storm, Trouble, Wrong};
use super::{Stage, after};
use snapback_app::port::Clock;
use snapback_model::Timestamp;
use snapback_sim::{Chaos, EventFaults, Fault, Staleness};
use std::time::Duration;

/// What is withdrawn by [`Wrong::Denied`].
const RIGHTS: [&str; 12] = [
    "RevokeSecurityGroup*",
    "AuthorizeSecurityGroup*",
    "ModifySecurityGroupRules",
    "CreateNetworkAclEntry",
    "DeleteNetworkAclEntry",
    "ReplaceNetworkAcl*",
    "CreateRoute",
    "ReplaceRoute*",
    "DescribeSecurityGroupRules",
    "DescribeNetworkAcls",
    "DescribeRouteTables",
    "Create*",
];

#[derive(Default)]
pub(super) struct Weather {
    turns: Vec<Timestamp>,
    over: bool,
}

impl Weather {
    pub fn start(&mut self, storm: &Storm, began: Timestamp) {
        let at = |ms: u32| after(began, Duration::from_millis(ms.into()));
        let troubles = storm.troubles.iter();
        let turns =
            troubles.flat_map(|trouble| [trouble.from, trouble.from.saturating_add(trouble.lasts)]);
        self.turns = turns.map(at).collect();
        self.turns.sort();
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.turns.first().copied()
    }

    pub fn clear(&mut self) {
        self.turns.clear();
        self.over = true;
    }

    pub fn is_over(&self) -> bool {
        self.over
    }
}

fn chance(thousandths: u16) -> f64 {
    f64::from(thousandths) / 1000.0
}

impl Stage<'_> {
    pub(super) fn change_weather(&mut self) {
        let now = self.world.now();
        if self.weather.next().is_none_or(|next| next > now) {
            return;
        }
        let passed = self.weather.turns.iter().filter(|at| **at <= now).count();
        self.weather.turns.drain(..passed);
        let storm = self.storm;
        let mut chaos = Chaos::default();
        let mut events = EventFaults::default();
        let mut stale = None;
        self.world.heal();
        for trouble in &storm.troubles {
            let ends = self.at(trouble.from.saturating_add(trouble.lasts));
            if self.at(trouble.from) <= now && now < ends {
                let left = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
                self.set(trouble, left, &mut chaos, &mut events, &mut stale);
                self.say(|| format!("trouble: {:?}", trouble.what));
            }
        }
        self.world.set_chaos(chaos);
        self.world.set_event_faults(events);
        match stale {
            Some(stale) => self.world.set_staleness(stale),
            None => self.world.clear_staleness(),
        }
    }

    fn set(
        &self,
        trouble: &Trouble,
        left: Duration,
        chaos: &mut Chaos,
        events: &mut EventFaults,
        stale: &mut Option<Staleness>,
    ) {
        let down = |pattern: &str| self.world.outage(pattern, Fault::ServerError, left);
        match trouble.what {
            Wrong::Throttled(often) => chaos.throttled = chance(often),
            Wrong::ServerErrors(often) => chaos.server_error = chance(often),
            Wrong::AnswersLost(often) => chaos.lost_response = chance(often),
            Wrong::RequestsLost(often) => chaos.lost_request = chance(often),
            Wrong::StoreErrors(often) => chaos.store_error = chance(often),
            Wrong::StoreAnswersLost(often) => chaos.store_lost = chance(often),
            Wrong::ChannelErrors(often) => chaos.channel_error = chance(often),
            Wrong::Stale {
                window,
                chance: often,
            } => {
                *stale = Some(Staleness {
                    window: Duration::from_millis(window.into()),
                    chance: chance(often),
                });
            }
            Wrong::EventsLost(often) => events.lose = chance(often),
            Wrong::EventsDoubled(often) => events.duplicate = chance(often),
            Wrong::EventsLate { chance: often, by } => {
                events.late = chance(often);
                events.late_by = Duration::from_millis(by.into());
            }
            Wrong::EventsSlow(by) => events.delay_max = Duration::from_millis(by.into()),
            Wrong::Denied(which) => {
                let right = RIGHTS.get(usize::from(which) % RIGHTS.len());
                self.world
                    .outage(right.unwrap_or(&"Create*"), Fault::Denied, left);
            }
            Wrong::Ec2Down => {
                for right in [
                    "Describe*",
                    "Authorize*",
                    "Revoke*",
                    "Create*",
                    "Replace*",
                    "Delete*",
                ] {
                    self.world.outage(right, Fault::Throttled, left);
                }
            }
            Wrong::StoreDown => {
                for operation in [
                    "baselines",
                    "put_baselines",
                    "record",
                    "lease",
                    "account",
                    "activity",
                    "commit",
                    "entries",
                    "is_ours",
                    "unfinished",
                    "was_delivered",
                    "mark_delivered",
                ] {
                    down(operation);
                }
            }
            Wrong::InboxDown => ["send", "forward", "events_about"]
                .into_iter()
                .for_each(down),
            Wrong::SnsDown => down("sns"),
            Wrong::SlackDown => down("slack"),
            Wrong::Buckets => self.world.set_token_buckets(true),
        }
    }
}
