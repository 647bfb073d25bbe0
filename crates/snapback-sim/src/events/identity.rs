//! `userIdentity` of a principal.

use crate::principal::{Identity, Principal};
use serde_json::{Value, json};
use snapback_model::{Digest, Timestamp};

fn unique(prefix: &str, of: &str) -> String {
    let digest = Digest::of_bytes(of.as_bytes()).as_str().to_uppercase();
    format!("{prefix}{}", digest.get(..17).unwrap_or_default())
}

pub(super) fn identity(principal: &Principal, at: Timestamp) -> Value {
    let account = principal.account();
    let created = at.strftime("%Y-%m-%dT%H:00:00Z").to_string();
    let mfa = if principal.console { "true" } else { "false" };
    let mut identity = match &principal.identity {
        Identity::Role { arn, session } => {
            let name = arn.rsplit('/').next().unwrap_or(arn);
            let id = unique("AROA", arn);
            let mut context = json!({
                "sessionIssuer": {"type": "Role", "principalId": id, "arn": arn, "accountId": account, "userName": name},
                "attributes": {"creationDate": created, "mfaAuthenticated": mfa},
            });
            if let (Value::Object(members), Some(source)) =
                (&mut context, &principal.source_identity)
            {
                members.insert("sourceIdentity".into(), Value::String(source.clone()));
            }
            json!({
                "type": "AssumedRole",
                "principalId": format!("{id}:{session}"),
                "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
                "accountId": account,
                "accessKeyId": unique("ASIA", session),
                "sessionContext": context,
            })
        }
        Identity::User { arn } => json!({
            "type": "IAMUser",
            "principalId": unique("AIDA", arn),
            "arn": arn,
            "accountId": account,
            "accessKeyId": unique("AKIA", arn),
            "userName": arn.rsplit('/').next().unwrap_or(arn),
        }),
        Identity::Root { account } => json!({
            "type": "Root",
            "principalId": account,
            "arn": format!("arn:aws:iam::{account}:root"),
            "accountId": account,
            "accessKeyId": unique("ASIA", account.as_str()),
            "sessionContext": {"sessionIssuer": {}, "attributes": {"creationDate": created, "mfaAuthenticated": mfa}},
        }),
    };
    if let Value::Object(members) = &mut identity
        && let Some(via) = &principal.via
    {
        members.insert("invokedBy".into(), Value::String(via.clone()));
        members.remove("accessKeyId");
    }
    identity
}
