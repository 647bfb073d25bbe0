//! `explain`: a change or a state, told with traffic, findings, verdict and plan.

use crate::can::hosts;
use crate::world::*;
use serde_json::{Value, json};
use std::path::Path;

/// Runs `explain` on two states as JSON.
fn explained(folder: &Folder, baseline: &Value, live: &Value, more: &[&str]) -> (i32, Value) {
    let (x, y) = (folder.world("x", baseline), folder.world("y", live));
    let mut arguments = vec![
        "explain",
        "--baseline",
        &x,
        "--live",
        &y,
        "--format",
        "json",
    ];
    arguments.extend(more);
    let run = snapback(&arguments);
    (run.code, run.json())
}

/// `code resource severity` of each finding.
fn told(explanation: &Value) -> Vec<String> {
    let line = |finding: &Value| {
        let member = |name: &str| finding[name].as_str().unwrap().to_owned();
        format!(
            "{} {} {}",
            member("code"),
            member("resource"),
            member("severity")
        )
    };
    explanation["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

fn policy(folder: &Folder, text: &str) -> String {
    folder.write("policy.yaml", text)
}

#[test]
fn a_change_is_explained_from_packet_to_plan() {
    let folder = Folder::new("explain-change");
    let enforce = policy(&folder, "mode: enforce\n");
    let (code, json) = explained(
        &folder,
        &hosts(good()),
        &hosts(broken()),
        &["--policy", &enforce],
    );
    assert_eq!(code, 1);
    let told = told(&json);
    for wanted in [
        "SG-WORLD-SENSITIVE sg-00000001",
        "NACL-SWAP acl-00000001",
        "NACL-BOMB acl-00000001",
        "RT-DEFAULT-GONE rtb-00000001",
    ] {
        assert!(
            told.iter().any(|line| line.starts_with(wanted)),
            "{wanted} in {told:#?}"
        );
    }
    // The worst comes first, each with evidence and what to do.
    let severities: Vec<&str> = told
        .iter()
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    let rank = |severity: &str| {
        ["critical", "high", "medium", "low", "info"]
            .iter()
            .position(|one| *one == severity)
    };
    assert!(
        severities.is_sorted_by_key(|severity| rank(severity)),
        "{told:#?}"
    );
    for finding in json["findings"].as_array().unwrap() {
        assert!(
            finding["evidence"].is_array()
                && finding["advice"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
        );
    }
    let ssh = &json["opened"][0];
    assert_eq!(ssh["resource"], "sg-00000001");
    assert!(
        ssh["line"].as_str().unwrap().contains("ingress tcp 22"),
        "{ssh:#}"
    );
    assert!(!ssh["witness"].is_null(), "an example packet: {ssh:#}");
    let closed = json["closed"].to_string();
    assert!(
        closed.contains("0.0.0.0/0 has no route any more"),
        "{closed}"
    );
    let verdicts: Vec<&str> = json["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["revert", "revert", "revert"]);
    let calls: Vec<&str> = json["plan"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["action"].as_str().unwrap())
        .collect();
    assert!(
        calls.contains(&"RevokeSecurityGroupIngress") && calls.contains(&"CreateRoute"),
        "{calls:?}"
    );
}

#[test]
fn the_text_begins_with_what_and_ends_with_the_plan() {
    let folder = Folder::new("explain-text");
    let (x, y) = (
        folder.world("x", &hosts(good())),
        folder.world("y", &hosts(broken())),
    );
    let run = snapback(&["explain", "--baseline", &x, "--live", &y]);
    assert_eq!(run.code, 1, "{}", run.err);
    let at = |words: &str| {
        run.out
            .find(words)
            .unwrap_or_else(|| panic!("{words} in\n{}", run.out))
    };
    let order = [
        "security group web (sg-00000001) in vpc-1",
        "added: ingress tcp 22",
        "opened  ingress tcp 22",
        "to whom 2 network interfaces",
        "know    ",
        "SG-WORLD-SENSITIVE",
        "plan what enforce would do (no policy was given)",
    ];
    assert!(
        order.iter().map(|words| at(words)).is_sorted(),
        "{}",
        run.out
    );
    assert!(!run.out.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn the_same_opening_is_worse_where_the_internet_reaches_it() {
    let severity = |name: &str, world: fn(Value) -> Value| {
        let folder = Folder::new(&format!("explain-weight-{name}"));
        let mut live = good();
        live["SecurityGroups"] = broken()["SecurityGroups"].clone();
        live["SecurityGroupRules"] = broken()["SecurityGroupRules"].clone();
        // The ACL lets ssh pass: the group alone decides.
        let all = json!({ "RuleNumber": 90, "Egress": false, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0" });
        let mut baseline = good();
        for state in [&mut live, &mut baseline] {
            state["NetworkAcls"][0]["Entries"]
                .as_array_mut()
                .unwrap()
                .push(all.clone());
        }
        let (_, json) = explained(&folder, &world(baseline), &world(live), &[]);
        told(&json)
            .into_iter()
            .find(|line| line.starts_with("SG-WORLD-SENSITIVE sg-00000001"))
            .and_then(|line| line.rsplit(' ').next().map(str::to_owned))
    };
    let nobody = |mut world: Value| {
        world["NetworkInterfaces"] = json!([]);
        world
    };
    assert_eq!(severity("facing", hosts).as_deref(), Some("critical"));
    assert_eq!(severity("nobody", nobody).as_deref(), Some("high"));
}

#[test]
fn a_change_that_moves_no_packet_is_told_and_not_fought() {
    let folder = Folder::new("explain-quiet");
    let mut live = good();
    live["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"][0] = json!({ "CidrIp": "0.0.0.0/0" });
    live["SecurityGroupRules"][0]
        .as_object_mut()
        .unwrap()
        .remove("Description");
    let enforce = policy(&folder, "mode: enforce\n");
    let (code, json) = explained(&folder, &good(), &live, &["--policy", &enforce]);
    assert_eq!(code, 1);
    assert_eq!(json["resources"][0]["verdict"], "alert");
    assert_eq!(
        (json["opened"].clone(), json["closed"].clone()),
        (json!([]), json!([]))
    );
    assert_eq!(json["plan"], Value::Null);
}

/// A console user opens ssh.
fn opening(arn: &str) -> String {
    json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": arn, "accountId": OWNER, "userName": "mallory" },
        "eventTime": "2026-11-25T12:00:00Z", "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2", "requestID": "req-1", "eventID": "ev-1",
        "requestParameters": { "groupId": "sg-00000001", "ipPermissions": { "items": [{
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipv6Ranges": {}, "prefixListIds": {},
            "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] } }] } },
        "responseElements": { "requestId": "req-1", "_return": true, "securityGroupRuleSet": { "items": [{
            "groupOwnerId": OWNER, "groupId": "sg-00000001", "securityGroupRuleId": "sgr-00000009", "isEgress": false,
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0" }] } },
        "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": OWNER,
    })
    .to_string()
}

#[test]
fn the_event_tells_who_and_a_trusted_one_becomes_baseline_first() {
    let folder = Folder::new("explain-event");
    let mut live = good();
    live["SecurityGroups"][0]["IpPermissions"] =
        broken()["SecurityGroups"][0]["IpPermissions"].clone();
    live["SecurityGroups"][0]["IpPermissions"][0] =
        good()["SecurityGroups"][0]["IpPermissions"][0].clone();
    let added = rule("sgr-00000009", false, "tcp", 22, "0.0.0.0/0", None);
    live["SecurityGroupRules"]
        .as_array_mut()
        .unwrap()
        .push(added);
    let arn = format!("arn:aws:iam::{OWNER}:user/mallory");
    let event = folder.write("event.json", &opening(&arn));
    let enforce = policy(&folder, "mode: enforce\n");
    let with = ["--event", &event, "--policy", &enforce];
    let (code, json) = explained(&folder, &good(), &live, &with);
    assert_eq!((code, &json["event"]["trusted"]), (1, &json!(false)));
    let reasons = json["resources"][0]["differences"][0]["reasons"].to_string();
    assert!(reasons.contains("mallory"), "{reasons}");
    let trusting = folder.write(
        "trusting.yaml",
        &format!("mode: enforce\ntrusted: [\"{arn}\"]\n"),
    );
    let with = ["--event", &event, "--policy", &trusting];
    let (code, json) = explained(&folder, &good(), &live, &with);
    assert_eq!((code, &json["event"]["trusted"]), (0, &json!(true)));
    assert_eq!(json["resources"], json!([]));
    assert!(
        json["accepted"][0]
            .as_str()
            .unwrap()
            .contains("sg-00000001"),
        "{json:#}"
    );
}

#[test]
fn one_state_is_audited() {
    let folder = Folder::new("explain-audit");
    let y = folder.world("y", &hosts(broken()));
    let run = snapback(&["explain", "--live", &y, "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(
        told(&run.json())
            .iter()
            .any(|line| line.starts_with("SG-WORLD-SENSITIVE sg-00000001"))
    );
    let only = snapback(&[
        "explain",
        "--live",
        &y,
        "--resource",
        "rtb-00000001",
        "--format",
        "json",
    ]);
    assert!(
        told(&only.json())
            .iter()
            .all(|line| line.contains("rtb-00000001"))
    );
    let none = snapback(&["explain", "--live", &y, "--resource", "sg-0000000f"]);
    assert_eq!(none.code, 2);
    assert!(
        none.err.contains("sg-0000000f is not in the state"),
        "{}",
        none.err
    );
}

#[test]
fn a_bad_file_or_policy_is_named_and_the_rest_explained() {
    let folder = Folder::new("explain-bad");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &broken()));
    folder.write("y/cut.json", "{\"NetworkInterfaces\": [{\"Net");
    let run = snapback(&[
        "explain",
        "--baseline",
        &x,
        "--live",
        &y,
        "--format",
        "json",
    ]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("cut.json") && run.err.contains("line 1"),
        "{}",
        run.err
    );
    assert!(
        run.json()["findings"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    let typo = policy(&folder, "mode: enforce\nenforce:\n  opening: high\n");
    let run = snapback(&["explain", "--baseline", &x, "--live", &y, "--policy", &typo]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("policy.yaml:3:"), "{}", run.err);
}

/// The real describe sets, where they lie beside the project.
fn real(set: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/realdata/describes");
    let here = [
        root,
        Path::new("/work/shared/realdata/describes").to_path_buf(),
    ];
    let path = here
        .iter()
        .map(|root| root.join(set))
        .find(|path| path.is_dir())?;
    Some(path.to_str()?.to_owned())
}

const SETS: [&str; 4] = [
    "batfish-transit-gateway",
    "batfish-vpc-endpoint-gateway",
    "cloud-custodian-recorded",
    "aws-cli-examples",
];

#[test]
fn the_real_sets_are_audited_without_an_unknown_that_has_no_name() {
    for set in SETS {
        let Some(path) = real(set) else { return };
        // The examples of the documentation are of several accounts and Regions: each by itself.
        let run = snapback(&["explain", "--live", &path, "--format", "json"]);
        if run.code == 2 {
            assert_eq!(set, "aws-cli-examples", "{}", run.err);
            assert!(
                run.err.contains("--account") || run.err.contains("--region"),
                "{}",
                run.err
            );
            continue;
        }
        for unknown in run.json()["unknown"].as_array().unwrap() {
            for part in ["place", "member", "value"] {
                assert!(
                    unknown[part].as_str().is_some_and(|text| !text.is_empty()),
                    "{unknown:#}"
                );
            }
        }
        let same = snapback(&["explain", "--baseline", &path, "--live", &path]);
        assert_eq!(
            (same.code, same.out.as_str()),
            (0, "no differences\n"),
            "{set}: {}",
            same.err
        );
    }
}

/// A copy of a real set in which one output was edited.
fn edited(folder: &Folder, from: &str, file: &str, edit: impl Fn(&mut Value)) -> String {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let mut text = std::fs::read_to_string(entry.path()).unwrap();
        let name = entry.file_name().to_str().unwrap().to_owned();
        if name == file {
            let mut value: Value = serde_json::from_str(&text).unwrap();
            edit(&mut value);
            text = value.to_string();
        }
        folder.write(&format!("live/{name}"), &text);
    }
    folder.path("live")
}

#[test]
fn small_edits_of_a_real_set_give_their_findings() {
    let Some(from) = real("batfish-transit-gateway") else {
        return;
    };
    type Edit = fn(&mut Value);
    let without_default: Edit = |tables| {
        for table in tables["RouteTables"].as_array_mut().unwrap() {
            table["Routes"]
                .as_array_mut()
                .unwrap()
                .retain(|route| route["DestinationCidrBlock"] != "0.0.0.0/0");
        }
    };
    let open: Edit = |groups| {
        for group in groups["SecurityGroups"].as_array_mut().unwrap() {
            group["IpPermissions"].as_array_mut().unwrap().push(json!({
                "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306,
                "IpRanges": [{ "CidrIp": "0.0.0.0/1" }, { "CidrIp": "128.0.0.0/1" }],
            }));
        }
    };
    let no_egress: Edit = |groups| {
        for group in groups["SecurityGroups"].as_array_mut().unwrap() {
            group["IpPermissionsEgress"] = json!([]);
        }
    };
    let bomb: Edit = |acls| {
        for acl in acls["NetworkAcls"].as_array_mut().unwrap() {
            acl["Entries"].as_array_mut().unwrap().push(json!({
                "RuleNumber": 50, "Egress": false, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0",
            }));
        }
    };
    let replies: Edit = |acls| {
        for acl in acls["NetworkAcls"].as_array_mut().unwrap() {
            acl["Entries"].as_array_mut().unwrap().push(json!({
                "RuleNumber": 50, "Egress": true, "Protocol": "6", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0",
                "PortRange": { "From": 32768, "To": 65535 },
            }));
        }
    };
    let detach: Edit = |gateways| {
        for gateway in gateways["InternetGateways"].as_array_mut().unwrap() {
            gateway["Attachments"] = json!([]);
        }
    };
    let cases = [
        ("RouteTables.json", without_default, "RT-DEFAULT-GONE"),
        ("SecurityGroups.json", open, "SG-WORLD-SENSITIVE"),
        ("SecurityGroups.json", no_egress, "SG-EGRESS-NONE"),
        ("NetworkAcls.json", bomb, "NACL-BOMB"),
        ("NetworkAcls.json", replies, "NACL-EPH-OUT"),
        ("InternetGateways.json", detach, "IGW-DETACH"),
    ];
    for (file, edit, code) in cases {
        let folder = Folder::new(&format!("explain-real-{}", code.to_ascii_lowercase()));
        let live = edited(&folder, &from, file, edit);
        let run = snapback(&[
            "explain",
            "--baseline",
            &from,
            "--live",
            &live,
            "--format",
            "json",
        ]);
        assert_eq!(run.code, 1, "{code}: {}", run.err);
        let told = told(&run.json());
        assert!(
            told.iter().any(|line| line.starts_with(code)),
            "{code} in {told:#?}"
        );
    }
}
