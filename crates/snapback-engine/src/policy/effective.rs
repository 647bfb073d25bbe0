//! A policy as it counts: every key with its value.

use super::Policy;
use serde_json::{Value, json};
use snapback_model::Kind;

/// One key of a policy and what it is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key as the file nests it, `enforce.kinds.route-table.openings`.
    pub key: String,
    /// The value that counts.
    pub value: Value,
    /// Whether it is what counts without a policy; for a kind: whether it follows the account's.
    pub is_default: bool,
}

impl Policy {
    /// Every key with the value that counts, those of the kinds included.
    pub fn settings(&self) -> Vec<Setting> {
        let plain = Self::default();
        let mut settings = Vec::new();
        let mut say = |key: String, value: Value, is_default: bool| {
            settings.push(Setting {
                key,
                value,
                is_default,
            });
        };
        say("mode".into(), json!(self.mode), self.mode == plain.mode);
        for kind in Kind::ALL {
            let inherits = !self.kinds.contains_key(&kind);
            let key = format!("kinds.{}", word(kind));
            say(key, json!(self.mode_of(kind)), inherits);
        }
        let (own, of_plain) = (&self.enforce, &plain.enforce);
        let openings = own.openings == of_plain.openings;
        say("enforce.openings".into(), json!(own.openings), openings);
        let closings = own.closings == of_plain.closings;
        say("enforce.closings".into(), json!(own.closings), closings);
        for kind in Kind::ALL {
            let (counts, set) = (
                own.of(kind),
                own.kinds.get(&kind).copied().unwrap_or_default(),
            );
            let key = |name: &str| format!("enforce.kinds.{}.{name}", word(kind));
            say(
                key("openings"),
                json!(counts.openings),
                set.openings.is_none(),
            );
            say(
                key("closings"),
                json!(counts.closings),
                set.closings.is_none(),
            );
        }
        say(
            "trusted".into(),
            json!(self.trusted),
            self.trusted.is_empty(),
        );
        say("vpcs".into(), json!(self.vpcs), self.vpcs.is_empty());
        say(
            "opt-out".into(),
            json!(self.opt_out),
            self.opt_out.is_none(),
        );
        let exceptions = self.exceptions.is_empty();
        say("exceptions".into(), json!(self.exceptions), exceptions);
        let tags = self.required_tags.is_empty();
        say("required-tags".into(), json!(self.required_tags), tags);
        for kind in Kind::ALL {
            let (counts, usual) = (self.recreate.of(kind), plain.recreate.of(kind));
            let key = format!("recreate.{}", word(kind));
            say(key, json!(counts), counts == usual);
        }
        let allowed = self.allowed_targets.is_empty();
        say(
            "allowed-targets".into(),
            json!(self.allowed_targets),
            allowed,
        );
        let experiments = self.experiments.is_none();
        say("experiments".into(), json!(self.experiments), experiments);
        let nat = self.recreate.nat;
        say("recreate.nat".into(), json!(nat), nat == plain.recreate.nat);
        let usual = self.interruptions == plain.interruptions;
        say("interruptions".into(), json!(self.interruptions), usual);
        let limits = [
            ("budgets", json!(self.budgets), json!(plain.budgets)),
            ("breaker", json!(self.breaker), json!(plain.breaker)),
            ("quiet", json!(self.quiet), json!(plain.quiet)),
        ];
        for (group, counts, usual) in limits {
            for (name, value) in counts.as_object().into_iter().flatten() {
                let is_default = usual.get(name) == Some(value);
                say(format!("{group}.{name}"), value.clone(), is_default);
            }
        }
        settings
    }
}

/// The kind as a key of the file.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::SecurityGroup => "security-group",
        Kind::NetworkAcl => "network-acl",
        Kind::RouteTable => "route-table",
    }
}
