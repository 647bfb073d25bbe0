//! Faults as a person writes them: `throttle:RevokeSecurityGroupIngress:2`.

use crate::delivery::EventFaults;
use crate::faults::{Fault, PlannedFault, Staleness};
use crate::world::World;
use std::time::Duration;

/// EC2's codes that a fault may name.
const CODES: [&str; 30] = [
    "AuthFailure",
    "DependencyViolation",
    "InternalError",
    "InvalidAssociationID.NotFound",
    "InvalidGroup.NotFound",
    "InvalidNetworkAclEntry.NotFound",
    "InvalidNetworkAclID.NotFound",
    "InvalidParameterValue",
    "InvalidPermission.Duplicate",
    "InvalidPermission.NotFound",
    "InvalidPrefixListID.NotFound",
    "InvalidRoute.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidVpcID.NotFound",
    "NatGatewayLimitExceeded",
    "NatGatewayNotFound",
    "NetworkAclEntryAlreadyExists",
    "NetworkAclEntryLimitExceeded",
    "NetworkAclLimitExceeded",
    "RequestLimitExceeded",
    "Resource.AlreadyAssociated",
    "RouteAlreadyExists",
    "RouteLimitExceeded",
    "RulesPerSecurityGroupLimitExceeded",
    "SecurityGroupLimitExceeded",
    "ServiceUnavailable",
    "Unavailable",
    "UnauthorizedOperation",
];

/// One fault, read.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec(Spec);

#[derive(Debug, Clone, PartialEq)]
enum Spec {
    Planned {
        fault: Fault,
        pattern: String,
        times: Option<u32>,
        skip: u32,
    },
    Chance {
        fault: Fault,
        chance: f64,
    },
    Stale(Staleness),
    Buckets,
}

/// `700ms`, `2s`, `5m`, `1h`.
///
/// # Errors
/// Anything else.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{text}: a duration is written 700ms, 2s, 5m or 1h")),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("{text}: a duration is written 700ms, 2s, 5m or 1h"))?;
    Ok(Duration::from_millis(number.saturating_mul(milliseconds)))
}

/// `5%`.
fn chance(text: &str) -> Result<f64, String> {
    let bad = || format!("{text}: a chance is written 5%, from 0% to 100%");
    let number: f64 = text
        .strip_suffix('%')
        .and_then(|number| number.parse().ok())
        .ok_or_else(bad)?;
    if (0.0..=100.0).contains(&number) {
        Ok(number / 100.0)
    } else {
        Err(bad())
    }
}

fn fault(name: &str) -> Option<Fault> {
    Some(match name {
        "throttle" => Fault::Throttled,
        "denied" => Fault::Denied,
        "server-error" => Fault::ServerError,
        "lost-response" => Fault::LostResponse,
        "lost-request" => Fault::LostRequest,
        code => Fault::Refused(CODES.iter().find(|known| **known == code).copied()?),
    })
}

impl std::str::FromStr for FaultSpec {
    type Err = String;

    /// `FAULT:OPERATION[:TIMES[:SKIP]]`, `FAULT:5%`, `stale:3s:50%`, `buckets`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        let spec = match parts.as_slice() {
            ["buckets"] => Spec::Buckets,
            ["stale", window, chance] => Spec::Stale(Staleness {
                window: duration(window)?,
                chance: self::chance(chance)?,
            }),
            [name, chance] if chance.ends_with('%') => match fault(name) {
                Some(fault) if !matches!(fault, Fault::Denied | Fault::Refused(_)) => {
                    Spec::Chance {
                        fault,
                        chance: self::chance(chance)?,
                    }
                }
                _ => {
                    return Err(format!(
                        "{text}: only throttle, server-error, lost-response and lost-request strike by chance"
                    ));
                }
            },
            [name, pattern, rest @ ..] if rest.len() <= 2 && !pattern.is_empty() => {
                let fault = fault(name).ok_or_else(|| {
                    format!(
                        "{name}: no fault; there are throttle, denied, server-error, lost-response, lost-request, stale, buckets, and EC2's codes {}",
                        CODES.join(", ")
                    )
                })?;
                let number = |text: &&str| {
                    text.parse::<u32>()
                        .map_err(|_| format!("{text}: not a count"))
                };
                let times = match rest.first() {
                    None => Some(1),
                    Some(&"always") => None,
                    Some(times) => Some(number(times)?),
                };
                Spec::Planned {
                    fault,
                    pattern: (*pattern).to_owned(),
                    times,
                    skip: rest.get(1).map(number).transpose()?.unwrap_or(0),
                }
            }
            _ => {
                return Err(format!(
                    "{text}: a fault is written FAULT:OPERATION[:TIMES[:SKIP]], FAULT:5%, stale:3s:50% or buckets"
                ));
            }
        };
        Ok(Self(spec))
    }
}

impl FaultSpec {
    /// Plans the fault in a world.
    pub fn apply(&self, world: &World) {
        match &self.0 {
            Spec::Planned {
                fault,
                pattern,
                times,
                skip,
            } => {
                let planned = PlannedFault {
                    pattern: pattern.clone(),
                    fault: *fault,
                    skip: *skip,
                    left: *times,
                    until: None,
                };
                world.with(|inner| inner.faults.planned.push(planned));
            }
            Spec::Chance { fault, chance } => world.with(|inner| {
                let chaos = &mut inner.faults.chaos;
                match fault {
                    Fault::Throttled => chaos.throttled = *chance,
                    Fault::ServerError => chaos.server_error = *chance,
                    Fault::LostResponse => chaos.lost_response = *chance,
                    Fault::LostRequest => chaos.lost_request = *chance,
                    Fault::Denied | Fault::Refused(_) => {}
                }
            }),
            Spec::Stale(staleness) => world.set_staleness(*staleness),
            Spec::Buckets => world.set_token_buckets(true),
        }
    }
}

/// How events travel: `700ms` or `700ms-1500ms` for the way, then `duplicate=10%`, `lose=5%`,
/// `late=20%/60s`, in any order, separated by commas.
///
/// # Errors
/// What cannot be read.
pub fn event_faults(text: &str) -> Result<EventFaults, String> {
    let mut faults = EventFaults::default();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        match part.split_once('=') {
            Some(("duplicate", value)) => faults.duplicate = chance(value)?,
            Some(("lose", value)) => faults.lose = chance(value)?,
            Some(("late", value)) => {
                let (often, by) = value
                    .split_once('/')
                    .ok_or_else(|| format!("{part}: written late=20%/60s"))?;
                (faults.late, faults.late_by) = (chance(often)?, duration(by)?);
            }
            Some(_) => {
                return Err(format!("{part}: one of duplicate=, lose=, late="));
            }
            None => {
                let (least, most) = part.split_once('-').unwrap_or((part, part));
                (faults.delay_min, faults.delay_max) = (duration(least)?, duration(most)?);
                if faults.delay_min > faults.delay_max {
                    return Err(format!("{part}: the wrong way round"));
                }
            }
        }
    }
    Ok(faults)
}
