//! Who made a call (cloudtrail-shapes.md 1, semantics E "Identity").

use super::Actor;
use super::params::Node;
use crate::event::Record;

/// Reads the actor; what a record does not tell stays `None`, a missing identity is `unknown`.
pub(super) fn actor(record: &Record) -> Actor {
    let identity = Node::new(&record.identity);
    let issuer = identity.get("sessionContext").get("sessionIssuer");
    let invoked_by = identity.get("invokedBy").text();
    let kind = identity
        .get("type")
        .text()
        .unwrap_or_else(|| match &invoked_by {
            Some(_) => "AWSService".into(),
            None => "Unknown".into(),
        });
    let arn = identity.get("arn").text();
    let is_session = matches!(kind.as_str(), "AssumedRole" | "FederatedUser");
    // A federated user is a lesser thing than its issuer: trust in the issuer does not cover it.
    let principal = match kind.as_str() {
        "AssumedRole" => issuer.get("arn").text().or_else(|| arn.clone()),
        "AWSService" => invoked_by.clone().or_else(|| arn.clone()),
        _ => arn.clone(),
    };
    let principal = principal
        .or_else(|| identity_center_user(identity))
        .or_else(|| {
            identity
                .any(&["principalId", "userName", "accountId"])
                .text()
        });
    let console = is_console(record, invoked_by.as_deref());
    let on_behalf_via = invoked_by.filter(|service| service != "signin.amazonaws.com");
    Actor {
        person: person(identity, &kind, arn.as_deref(), issuer),
        session: if is_session { arn } else { None },
        principal: principal.unwrap_or_else(|| "unknown".into()),
        kind,
        on_behalf_via,
        console,
        source_ip: record.source_ip.clone(),
        user_agent: record.user_agent.clone(),
    }
}

/// `signin.amazonaws.com` as invoker is a person in the console, not a service.
fn is_console(record: &Record, invoked_by: Option<&str>) -> bool {
    if record.from_console || invoked_by == Some("signin.amazonaws.com") {
        return true;
    }
    let agent = record.user_agent.as_deref().unwrap_or_default();
    let by_agent = matches!(
        agent,
        "console.ec2.amazonaws.com"
            | "console.amazonaws.com"
            | "signin.amazonaws.com"
            | "AWS Internal"
    ) || agent.starts_with("Mozilla/")
        || agent.contains("[S3Console/")
        || agent.starts_with("AWS-Console");
    by_agent && invoked_by.is_none()
}

/// The person behind the credentials: the source identity is the most trustworthy, then the session
/// name (for Identity Center the user's name), then the user.
fn person(identity: Node<'_>, kind: &str, arn: Option<&str>, issuer: Node<'_>) -> Option<String> {
    let source_identity = identity.get("sessionContext").get("sourceIdentity").text();
    if source_identity.is_some() {
        return source_identity;
    }
    match kind {
        "IAMUser" => identity
            .get("userName")
            .text()
            .or_else(|| last_segment(arn)),
        "Root" => identity
            .get("invokedBy")
            .text()
            .filter(|by| by != "signin.amazonaws.com")
            .is_none()
            .then(|| "root".into()),
        "AssumedRole" => {
            let role = issuer.get("arn").text().unwrap_or_default();
            if role.contains("/aws-service-role/") {
                return None;
            }
            last_segment(arn)
                .or_else(|| {
                    identity
                        .get("principalId")
                        .text()?
                        .split_once(':')
                        .map(|(_, session)| session.to_owned())
                })
                .filter(|session| !is_instance(session))
                .or_else(|| identity.get("onBehalfOf").get("userId").text())
        }
        "FederatedUser" => last_segment(arn),
        "SAMLUser" | "WebIdentityUser" => identity.get("userName").text(),
        "IdentityCenterUser" => identity
            .get("userName")
            .text()
            .or_else(|| identity.get("onBehalfOf").get("userId").text()),
        _ => None,
    }
}

fn identity_center_user(identity: Node<'_>) -> Option<String> {
    let behalf = identity.get("onBehalfOf");
    let user = behalf.get("userId").text()?;
    Some(
        behalf
            .get("identityStoreArn")
            .text()
            .map_or_else(|| user.clone(), |store| format!("{store}/user/{user}")),
    )
}

/// What follows the last `/` of an ARN that has one.
fn last_segment(arn: Option<&str>) -> Option<String> {
    let (head, last) = arn?.rsplit_once('/')?;
    // `arn:aws:sts::…:assumed-role/Role` without a session names the role only.
    let is_bare_role = head.ends_with(":assumed-role");
    (!last.is_empty() && !is_bare_role).then(|| last.to_owned())
}

/// An instance profile's session is named after its instance: no person.
fn is_instance(session: &str) -> bool {
    session
        .strip_prefix("i-")
        .is_some_and(|rest| rest.len() >= 8 && rest.chars().all(|digit| digit.is_ascii_hexdigit()))
}
