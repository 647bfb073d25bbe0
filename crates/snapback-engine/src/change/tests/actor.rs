use super::*;

fn actor(identity: Value, extra: &[(&str, &str)]) -> Actor {
    let mut record = json_record(
        "DeleteRoute",
        json!({"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}),
        Value::Null,
    );
    record["userIdentity"] = identity;
    for (name, value) in extra {
        record[*name] = json!(value);
    }
    change_of(&event::from_value(record).unwrap()).actor
}

fn session(role: &str, name: &str) -> Value {
    json!({"type": "AssumedRole", "principalId": format!("AROA1:{name}"), "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/r/{name}"),
        "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "userName": "r"}, "attributes": {}}})
}

#[test]
fn the_principal_is_what_policies_match_and_the_person_is_who_people_know() {
    let sso = "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0123456789abcdef";
    let mut with_source = session("deploy", "ci-1");
    with_source["sessionContext"]["sourceIdentity"] = json!("carol");
    let mut on_behalf = session("apps/q", "i-0123456789abcdef0");
    on_behalf["onBehalfOf"] =
        json!({"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"});
    let issuer = |role: &str| format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let cases: Vec<(&str, Value, String, Option<&str>)> = vec![
        (
            "IAM user",
            json!({"type": "IAMUser", "arn": "arn:aws:iam::1:user/ops/ann", "userName": "ann"}),
            "arn:aws:iam::1:user/ops/ann".into(),
            Some("ann"),
        ),
        (
            "root",
            json!({"type": "Root", "arn": "arn:aws:iam::1:root", "sessionContext": {"sessionIssuer": {}}}),
            "arn:aws:iam::1:root".into(),
            Some("root"),
        ),
        (
            "role session",
            session("team/deploy", "bob@example.com"),
            issuer("team/deploy"),
            Some("bob@example.com"),
        ),
        (
            "Identity Center",
            session(sso, "dana"),
            issuer(sso),
            Some("dana"),
        ),
        (
            "source identity",
            with_source,
            issuer("deploy"),
            Some("carol"),
        ),
        (
            "instance profile on behalf of a user",
            on_behalf,
            issuer("apps/q"),
            Some("u-1"),
        ),
        (
            "instance profile",
            session("ec2", "i-0123456789abcdef0"),
            issuer("ec2"),
            None,
        ),
        (
            "service-linked role",
            session(
                "aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS",
                "RDS",
            ),
            issuer("aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"),
            None,
        ),
        (
            "session without issuer",
            json!({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/r/eve", "principalId": "A:eve"}),
            "arn:aws:sts::1:assumed-role/r/eve".into(),
            Some("eve"),
        ),
        (
            "sanitised session",
            json!({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/r", "principalId": "A:eve"}),
            "arn:aws:sts::1:assumed-role/r".into(),
            Some("eve"),
        ),
        (
            "federated user",
            json!({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/fay", "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/broker"}}}),
            "arn:aws:sts::1:federated-user/fay".into(),
            Some("fay"),
        ),
        (
            "web identity",
            json!({"type": "WebIdentityUser", "principalId": "accounts.google.com:x:y", "userName": "y"}),
            "accounts.google.com:x:y".into(),
            Some("y"),
        ),
        (
            "service",
            json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}),
            "autoscaling.amazonaws.com".into(),
            None,
        ),
        (
            "Identity Center user",
            json!({"type": "IdentityCenterUser", "accountId": "1", "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"}}),
            "arn:aws:identitystore::1:identitystore/d-1/user/u-1".into(),
            Some("u-1"),
        ),
        (
            "other account",
            json!({"type": "AWSAccount", "principalId": "AIDA1", "accountId": "222"}),
            "AIDA1".into(),
            None,
        ),
        ("nothing", Value::Null, "unknown".into(), None),
        ("not an object", json!(["x"]), "unknown".into(), None),
    ];
    for (name, identity, principal, person) in cases {
        let actor = actor(identity, &[]);
        assert_eq!(
            (actor.principal.as_str(), actor.person.as_deref()),
            (principal.as_str(), person),
            "{name}"
        );
    }
}

#[test]
fn a_service_on_behalf_and_the_console_are_told_apart() {
    let mut by_service = session("deploy", "bob");
    by_service["invokedBy"] = json!("cloudformation.amazonaws.com");
    let service = actor(
        by_service,
        &[
            ("sourceIPAddress", "cloudformation.amazonaws.com"),
            ("userAgent", "cloudformation.amazonaws.com"),
        ],
    );
    assert_eq!(
        (service.on_behalf_via.as_deref(), service.console),
        (Some("cloudformation.amazonaws.com"), false)
    );
    let mut signin =
        json!({"type": "IAMUser", "arn": "arn:aws:iam::1:user/ann", "userName": "ann"});
    let user = signin.clone();
    signin["invokedBy"] = json!("signin.amazonaws.com");
    let person = actor(signin, &[("userAgent", "signin.amazonaws.com")]);
    assert_eq!(
        (
            person.on_behalf_via,
            person.console,
            person.person.as_deref()
        ),
        (None, true, Some("ann"))
    );
    let consoles = [
        "console.ec2.amazonaws.com",
        "signin.amazonaws.com",
        "AWS Internal",
        "Mozilla/5.0 (X11)",
    ];
    for agent in consoles {
        assert!(
            actor(user.clone(), &[("userAgent", agent)]).console,
            "{agent}"
        );
    }
    for agent in [
        "aws-cli/2.15",
        "Boto3/1.34 exec-env/AWS_Lambda_python3.12",
        "APN/1.0 HashiCorp/1.0 Terraform/1.1.2",
    ] {
        assert!(
            !actor(user.clone(), &[("userAgent", agent)]).console,
            "{agent}"
        );
        assert!(
            actor(
                user.clone(),
                &[
                    ("userAgent", agent),
                    ("sessionCredentialFromConsole", "true")
                ]
            )
            .console
        );
    }
    let from = actor(user, &[]);
    assert_eq!(
        (from.source_ip.as_deref(), from.user_agent.as_deref()),
        (Some("198.51.100.7"), Some("aws-cli/2.15"))
    );
}
