//! What tests and people ask of the simulator itself, beside EC2's own protocol.

use super::describe;
use super::fault::FaultSpec;
use super::identity::Callers;
use crate::account::Address;
use crate::world::World;
use serde_json::{Value, json};
use snapback_model::describe::Described;
use snapback_model::{AccountId, Region, Snapshot, Timestamp};
use std::collections::BTreeMap;

/// The answer to a request of the simulator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

fn reply(status: u16, body: &Value) -> Control {
    Control {
        status,
        body: format!("{body}\n"),
    }
}

fn bad(why: impl std::fmt::Display) -> Control {
    reply(400, &json!({"error": why.to_string()}))
}

/// Answers a request below `/snapback/`:
///
/// - `GET state`: everything as describe outputs, in one object.
/// - `POST load`: puts describe outputs (one object, its keys those of `aws ec2 describe-*`) or a
///   snapshot in the place of the account.
/// - `POST faults`: plans faults, one a line or separated by commas. `DELETE faults`: ends them all.
/// - `POST principals`: `{"ACCESS-KEY": "ARN", …}`.
/// - `GET calls`: every EC2 call so far.
pub fn control(
    world: &World,
    callers: &mut Callers,
    (method, path): (&str, &str),
    body: &str,
    at: Timestamp,
) -> Control {
    world.advance_to(at);
    match (method, path) {
        ("GET", "/snapback/state") => {
            reply(200, &world.with(|inner| describe::state(&inner.account)))
        }
        ("GET", "/snapback/calls") => reply(200, &calls(world)),
        ("POST", "/snapback/load") => match load(world, body, at) {
            Ok(told) => reply(200, &told),
            Err(why) => bad(why),
        },
        ("POST", "/snapback/faults") => match faults(body) {
            Ok(faults) => {
                faults.iter().for_each(|fault| fault.apply(world));
                reply(200, &json!({"planned": faults.len()}))
            }
            Err(why) => bad(why),
        },
        ("DELETE", "/snapback/faults") => {
            world.heal();
            world.set_token_buckets(false);
            reply(200, &json!({}))
        }
        ("POST", "/snapback/principals") => match know(callers, body) {
            Ok(()) => reply(200, &json!({})),
            Err(why) => bad(why),
        },
        _ => reply(
            404,
            &json!({"error": format!("{method} {path}: there are GET /snapback/state, GET /snapback/calls, POST /snapback/load, POST and DELETE /snapback/faults, POST /snapback/principals")}),
        ),
    }
}

/// All of them, or none where one cannot be read.
fn faults(text: &str) -> Result<Vec<FaultSpec>, String> {
    text.split(['\n', ','])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect()
}

fn know(callers: &mut Callers, body: &str) -> Result<(), String> {
    let told: BTreeMap<String, String> = serde_json::from_str(body)
        .map_err(|error| format!("an object of access keys and ARNs: {error}"))?;
    let mut known = callers.clone();
    for (key, arn) in told {
        known.know(&key, &arn)?;
    }
    *callers = known;
    Ok(())
}

fn calls(world: &World) -> Value {
    let calls = world.ec2_calls().into_iter();
    calls
        .map(|call| {
            json!({
                "at": call.at,
                "by": call.by,
                "action": call.api,
                "resource": call.resource,
                "outcome": call.error.unwrap_or_else(|| "ok".into()),
                "read": call.read,
                "request": call.request,
            })
        })
        .collect()
}

/// `Addresses` of describe-addresses: those of VPCs.
fn elastic(list: &Value) -> Result<Vec<Address>, String> {
    let bad = |item: &Value| format!("Addresses: {item}: AllocationId or PublicIp cannot be read");
    let items = list.as_array().ok_or("Addresses: not a list")?;
    let read = |item: &Value| {
        let text = |member: &str| item.get(member).and_then(Value::as_str);
        let tags = item.get("Tags").and_then(Value::as_array);
        let pair = |tag: &Value| {
            let of = |member: &str| tag.get(member)?.as_str().map(str::to_owned);
            Some((of("Key")?, of("Value")?))
        };
        Some(Address {
            allocation: text("AllocationId")?.to_owned(),
            public: text("PublicIp")?.parse().ok()?,
            tags: tags.into_iter().flatten().filter_map(pair).collect(),
        })
    };
    items
        .iter()
        .map(|item| read(item).ok_or_else(|| bad(item)))
        .collect()
}

fn load(world: &World, body: &str, at: Timestamp) -> Result<Value, String> {
    let place = "the body of the request";
    let mut members: BTreeMap<String, Value> =
        serde_json::from_str(body).map_err(|error| format!("{place}: {error}"))?;
    // The model has no Elastic addresses of their own; the simulator has.
    let addresses = members.remove("Addresses");
    let addresses = addresses.map_or(Ok(Vec::new()), |list| elastic(&list))?;
    let snapshot: Snapshot = if members.contains_key("resources") {
        serde_json::from_str(body).map_err(|error| format!("{place}: {error}"))?
    } else {
        let described = Described::from_json(body, place).map_err(|error| error.to_string())?;
        let (account, region): (AccountId, Region) =
            world.with(|inner| (inner.account.id.clone(), inner.account.region.clone()));
        let coverage = described.coverage();
        described.into_snapshot(at, coverage, Some(account), Some(region))
    };
    let not_understood: Vec<String> = snapshot
        .unknown
        .iter()
        .map(|unknown| format!("{} {}", unknown.place, unknown.member))
        .collect();
    world.load(&snapshot);
    world.with(|inner| {
        let account = std::sync::Arc::make_mut(&mut inner.account);
        for address in addresses {
            account
                .addresses
                .insert(address.allocation.clone(), address);
        }
    });
    Ok(json!({"resources": snapshot.resources.len(), "notUnderstood": not_understood}))
}
