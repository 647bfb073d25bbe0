//! CloudTrail records of calls, in the two styles and with the traps of cloudtrail-shapes.md,
//! wrapped in the EventBridge envelope.

mod acls;
mod groups;
mod identity;
mod provide;
mod tables;
mod topology;

use crate::account::{Account, ApiError, Response};
use crate::call::Call;
use crate::principal::Principal;
use serde_json::{Map, Value, json};
use snapback_model::*;

/// One finished call, as CloudTrail records it.
pub(crate) struct Recorded<'a> {
    pub principal: &'a Principal,
    pub call: &'a Call,
    pub result: Result<&'a Response, &'a ApiError>,
    pub request: &'a RequestId,
    pub event: String,
    pub at: Timestamp,
    /// The account after the call.
    pub account: &'a Account,
}

/// A token stands beside the other members, in either style.
fn with_token(mut body: Value, token: &str) -> Value {
    if let Value::Object(members) = &mut body {
        let wrapped = members
            .iter_mut()
            .find(|(key, _)| key.ends_with("Request"))
            .map(|(_, inner)| inner);
        match wrapped {
            Some(Value::Object(inner)) => inner.insert("ClientToken".into(), json!(token)),
            Some(_) | None => members.insert("clientToken".into(), json!(token)),
        };
    }
    body
}

/// `requestParameters` of a call.
fn request(call: &Call) -> Value {
    match call {
        Call::Idempotent { token, call } => with_token(request(call), token),
        Call::Provide(provide) => provide::request(provide),
        Call::AuthorizeSecurityGroup { .. }
        | Call::RevokeSecurityGroup { .. }
        | Call::ModifySecurityGroupRules { .. }
        | Call::UpdateSecurityGroupRuleDescriptions { .. }
        | Call::CreateSecurityGroup { .. }
        | Call::DeleteSecurityGroup { .. } => groups::request(call),
        Call::CreateNetworkAclEntry { .. }
        | Call::ReplaceNetworkAclEntry { .. }
        | Call::DeleteNetworkAclEntry { .. }
        | Call::ReplaceNetworkAclAssociation { .. }
        | Call::CreateNetworkAcl { .. }
        | Call::DeleteNetworkAcl { .. } => acls::request(call),
        Call::CreateRoute { .. }
        | Call::ReplaceRoute { .. }
        | Call::DeleteRoute { .. }
        | Call::AssociateRouteTable { .. }
        | Call::DisassociateRouteTable { .. }
        | Call::ReplaceRouteTableAssociation { .. }
        | Call::CreateRouteTable { .. }
        | Call::DeleteRouteTable { .. }
        | Call::EnableVgwRoutePropagation { .. }
        | Call::DisableVgwRoutePropagation { .. } => tables::request(call),
        _ => topology::request(call),
    }
}

/// `responseElements` of a successful call.
fn response(recorded: &Recorded<'_>, response: &Response) -> Value {
    let request = recorded.request;
    let account = recorded.account;
    let call = recorded.call.plain();
    match (call, response) {
        (Call::Provide(provide), _) => provide::response(provide, response, account, request),
        (
            Call::ModifySecurityGroupRules { .. }
            | Call::UpdateSecurityGroupRuleDescriptions { .. }
            | Call::ModifyVpcEndpoint { .. },
            _,
        ) => wrapped(
            call.api(),
            "Response",
            json!({"xmlns": XMLNS, "requestId": request, "return": true}),
        ),
        (_, Response::Authorized(_) | Response::Revoked { .. } | Response::Group(_)) => {
            groups::response(response, account, request)
        }
        (_, Response::Acl(id)) => acls::created(id, account, request),
        (_, Response::Table(id)) => tables::created(id, account, request),
        (Call::ReplaceNetworkAclAssociation { .. }, Response::Association(new)) => {
            json!({"requestId": request, "newAssociationId": new})
        }
        (Call::ReplaceRouteTableAssociation { .. }, Response::Association(new)) => {
            json!({"requestId": request, "newAssociationId": new, "associationState": {"state": "associated"}})
        }
        (_, Response::Association(new)) => {
            json!({"requestId": request, "associationId": new, "associationState": {"state": "associated"}})
        }
        (Call::DisassociateRouteTable { .. }, _) => {
            json!({"requestId": request, "associationState": {"state": "disassociating"}, "_return": true})
        }
        (_, Response::Done) => json!({"requestId": request, "_return": true}),
        (call, response) => topology::response(call, response, account, request),
    }
}

/// The namespace of EC2's XML, which wrapped records carry too.
pub(crate) const XMLNS: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// The whole EventBridge message.
pub(crate) fn envelope(recorded: &Recorded<'_>, envelope_id: &str) -> Value {
    let at = recorded.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (account, region) = (&recorded.account.id, &recorded.account.region);
    json!({
        "version": "0",
        "id": envelope_id,
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": account,
        "time": at,
        "region": region,
        "resources": [],
        "detail": record(recorded, &at),
    })
}

fn record(recorded: &Recorded<'_>, at: &str) -> Value {
    let principal = recorded.principal;
    let agent = principal.agent();
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": identity::identity(principal, recorded.at),
        "eventTime": at,
        "eventSource": "ec2.amazonaws.com",
        "eventName": recorded.call.api(),
        "awsRegion": recorded.account.region,
        "sourceIPAddress": principal.via.as_deref().unwrap_or(&principal.source_ip),
        "userAgent": agent,
        "requestParameters": request(recorded.call),
        "responseElements": Value::Null,
        "requestID": recorded.request,
        "eventID": recorded.event,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": recorded.account.id,
        "eventCategory": "Management",
    });
    let more = match recorded.result {
        Ok(answer) => vec![("responseElements", response(recorded, answer))],
        Err(error) => vec![
            (
                "errorCode",
                Value::String(format!("{}.{}", error.fault(), error.code)),
            ),
            ("errorMessage", Value::String(error.message.clone())),
        ],
    };
    if let Value::Object(members) = &mut record {
        members.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        if principal.console {
            members.insert(
                "sessionCredentialFromConsole".into(),
                Value::String("true".into()),
            );
        }
        if principal.via.is_none() && !principal.console {
            let host = format!("ec2.{}.amazonaws.com", recorded.account.region);
            let tls = json!({"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host});
            members.insert("tlsDetails".into(), tls);
        }
    }
    record
}

/// `{"items": […]}`, or `{}` when empty (flat style).
fn items(list: Vec<Value>) -> Value {
    if list.is_empty() {
        json!({})
    } else {
        json!({"items": list})
    }
}

/// `{"<Name><suffix>": body}` (wrapped style).
fn wrapped(name: &str, suffix: &str, body: Value) -> Value {
    Value::Object(Map::from_iter([(format!("{name}{suffix}"), body)]))
}

/// A wrapped list: one element is an object with `tag` 1, several an array with `tag` 1, 2, ….
fn tagged(list: Vec<Value>) -> Value {
    let mut numbered = Vec::new();
    for (element, tag) in list.into_iter().zip(1_u32..) {
        let mut members = match element {
            Value::Object(members) => members,
            scalar => Map::from_iter([("content".to_owned(), scalar)]),
        };
        members.insert("tag".into(), tag.into());
        numbered.push(Value::Object(members));
    }
    if numbered.len() == 1 {
        numbered.pop().unwrap_or(Value::Null)
    } else {
        Value::Array(numbered)
    }
}

/// A wrapped scalar: its type is guessed from its text.
fn guessed(text: &str) -> Value {
    if let Ok(flag) = text.parse::<bool>() {
        return Value::Bool(flag);
    }
    text.parse::<i64>()
        .map_or_else(|_| Value::String(text.to_owned()), Value::from)
}

/// `tagSet` / `tagSpecificationSet` members (flat style).
fn tag_items(tags: &Tags) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

/// Adds `tagSpecificationSet` where tags are given; below `tags` there is no `items`.
fn with_tag_specification(mut body: Value, kind: &str, tags: &Tags) -> Value {
    if let (Value::Object(members), false) = (&mut body, tags.is_empty()) {
        let specification = json!({"items": [{"resourceType": kind, "tags": tag_items(tags)}]});
        members.insert("tagSpecificationSet".into(), specification);
    }
    body
}
