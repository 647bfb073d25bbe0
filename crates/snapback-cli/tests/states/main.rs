//! `capture`, `diff` and `plan` as somebody runs them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "tests"
)]
#![allow(missing_docs, reason = "tests")]

mod backtest;
mod broken_files;
mod can;
mod explain;
mod inbox;
mod input;
mod policy;
mod rollback;
mod script;
mod several_states;
mod world;

use serde_json::{Value, json};
use world::*;

#[test]
fn equal_states_do_not_differ_and_need_no_plan() {
    let folder = Folder::new("equal");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &good()));
    let diff = snapback(&["diff", "--baseline", &x, "--live", &y]);
    assert_eq!(
        (diff.code, diff.out.as_str(), diff.err.as_str()),
        (0, "no differences\n", "")
    );
    let plan = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!((plan.code, plan.json()["steps"].clone()), (0, json!([])));
}

#[test]
fn every_difference_is_told() {
    let folder = Folder::new("differences");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &broken()));
    let text = snapback(&["diff", "--baseline", &x, "--live", &y]);
    assert_eq!(text.code, 1, "{}", text.err);
    assert!(!text.out.contains('\u{1b}'), "no colours into a pipe");
    for (line, mark) in [
        ("tcp 22", '+'),
        ("ingress entry 100", '-'),
        ("0.0.0.0/0 to igw-00000001", '-'),
        ("subnet-00000001", '~'),
    ] {
        let found = text
            .out
            .lines()
            .any(|found| found.trim_start().starts_with(mark) && found.contains(line));
        assert!(found, "{mark} {line} in\n{}", text.out);
    }
    let json = snapback(&["diff", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!(json.code, 1);
    let mut elements: Vec<String> = Vec::new();
    for resource in json.json()["resources"].as_array().unwrap() {
        for difference in resource["differences"].as_array().unwrap() {
            elements.push(format!(
                "{} {}",
                resource["resource"].as_str().unwrap(),
                difference["element"].as_str().unwrap()
            ));
        }
    }
    elements.sort();
    assert_eq!(
        elements,
        [
            "acl-00000001 entry ingress 100",
            "acl-00000001 subnet subnet-00000001",
            "rtb-00000001 route 0.0.0.0/0",
            "sg-00000001 rule ingress tcp:22 0.0.0.0/0",
            "sg-00000001 rule ingress tcp:443 0.0.0.0/0",
        ]
    );
}

/// The call of a plan by API name.
fn call<'a>(plan: &'a Value, action: &str) -> &'a Value {
    let steps = plan["steps"].as_array().unwrap();
    &steps
        .iter()
        .find(|step| step["action"] == action)
        .unwrap_or_else(|| panic!("{action} in {plan:#}"))["parameters"]
}

#[test]
fn the_plan_is_made_of_calls_that_anybody_can_run() {
    let folder = Folder::new("plan");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &broken()));
    let run = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let plan = run.json();
    assert_eq!(
        call(&plan, "RevokeSecurityGroupIngress"),
        &json!({ "GroupId": "sg-00000001", "SecurityGroupRuleIds": ["sgr-00000009"] })
    );
    assert_eq!(
        call(&plan, "CreateNetworkAclEntry"),
        &json!({
            "NetworkAclId": "acl-00000001", "RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "Egress": false,
            "CidrBlock": "0.0.0.0/0", "PortRange": { "From": 443, "To": 443 },
        })
    );
    assert_eq!(
        call(&plan, "ReplaceNetworkAclAssociation"),
        &json!({ "AssociationId": "aclassoc-subnet-00000001", "NetworkAclId": "acl-00000001" })
    );
    assert_eq!(
        call(&plan, "CreateRoute"),
        &json!({ "RouteTableId": "rtb-00000001", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-00000001" })
    );
    assert_eq!(
        call(&plan, "UpdateSecurityGroupRuleDescriptionsIngress")["IpPermissions"][0]["IpRanges"],
        json!([{ "CidrIp": "0.0.0.0/0", "Description": "TLS for customers" }])
    );
    for step in plan["steps"].as_array().unwrap() {
        assert!(!step["why"].as_str().unwrap().is_empty());
        assert!(step["resource"].as_str().is_some());
        assert_eq!(step["safety"], "safe");
    }
    let revoke = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["action"] == "RevokeSecurityGroupIngress")
        .unwrap();
    assert_eq!(revoke["traffic"]["of"], "sg-00000001");
    assert!(
        revoke["traffic"]["closed"][0]
            .as_str()
            .unwrap()
            .starts_with("ingress tcp 22"),
        "{revoke:#}"
    );
    let text = snapback(&["plan", "--baseline", &x, "--live", &y]).out;
    let steps = plan["steps"].as_array().unwrap().len();
    assert_eq!(text.matches("     safe; ").count(), steps, "{text}");
    assert!(
        text.contains("so far sg-00000001: closed ingress tcp 22"),
        "{text}"
    );
    assert!(
        text.contains("so far rtb-00000001: led 0.0.0.0/0 to igw-00000001"),
        "{text}"
    );
}

#[test]
fn a_plan_can_be_for_one_resource() {
    let folder = Folder::new("one-resource");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &broken()));
    let run = snapback(&[
        "plan",
        "--baseline",
        &x,
        "--live",
        &y,
        "--format",
        "json",
        "--resource",
        "rtb-00000001",
    ]);
    let plan = run.json();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan:#}");
    let nowhere = snapback(&[
        "plan",
        "--baseline",
        &x,
        "--live",
        &y,
        "--resource",
        "rtb-0000ffff",
    ]);
    assert_eq!(nowhere.code, 2);
    assert!(
        nowhere.err.contains("rtb-0000ffff is in neither state"),
        "{}",
        nowhere.err
    );
    let other = snapback(&[
        "plan",
        "--baseline",
        &x,
        "--live",
        &y,
        "--resource",
        "vpc-1",
    ]);
    assert_eq!(other.code, 2);
}

#[test]
fn a_capture_is_the_state_it_was_taken_from() {
    let folder = Folder::new("capture");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &broken()));
    let file = folder.path("good.json");
    let taken = snapback(&[
        "capture",
        "--from",
        &x,
        "--output",
        &file,
        "--by",
        "ops",
        "--why",
        "release 7",
    ]);
    assert_eq!((taken.code, taken.out.as_str()), (0, ""), "{}", taken.err);
    let capture: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let baseline = &capture["by_id"]["sg-00000001"];
    assert_eq!(baseline["generation"], 1);
    assert_eq!(baseline["provenance"]["origin"], "captured");
    assert_eq!(
        (
            &baseline["provenance"]["by"],
            &baseline["provenance"]["why"]
        ),
        (&json!("ops"), &json!("release 7"))
    );
    assert_eq!(
        (&capture["account"], &capture["region"]),
        (&json!(OWNER), &json!("eu-central-1"))
    );
    assert_eq!(
        snapback(&["diff", "--baseline", &file, "--live", &x]).code,
        0
    );
    assert_eq!(
        snapback(&["diff", "--baseline", &x, "--live", &file]).code,
        0
    );
    let of_capture = snapback(&[
        "plan",
        "--baseline",
        &file,
        "--live",
        &y,
        "--format",
        "json",
    ]);
    let of_folder = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!(of_capture.json(), of_folder.json());
}

#[test]
fn what_is_already_dangerous_is_told_at_capture() {
    let folder = Folder::new("dangerous");
    let y = folder.world("y", &broken());
    let taken = snapback(&["capture", "--from", &y, "--output", "-"]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    assert!(taken.json()["by_id"]["sg-00000001"].is_object());
    assert!(
        taken.err.contains("SG-WORLD-SENSITIVE") && taken.err.contains("sg-00000001"),
        "{}",
        taken.err
    );
    let calm = snapback(&[
        "capture",
        "--from",
        &folder.world("x", &good()),
        "--output",
        "-",
    ]);
    assert!(!calm.err.contains("SG-WORLD-SENSITIVE"), "{}", calm.err);
}

#[test]
fn what_only_live_has_is_left_alone_and_noted() {
    let folder = Folder::new("extra");
    let mut extra = good();
    let mut group = extra["SecurityGroups"][0].clone();
    group["GroupId"] = json!("sg-0000000e");
    extra["SecurityGroups"].as_array_mut().unwrap().push(group);
    extra.as_object_mut().unwrap().remove("SecurityGroupRules");
    let mut without_rules = good();
    without_rules
        .as_object_mut()
        .unwrap()
        .remove("SecurityGroupRules");
    let (x, y) = (folder.world("x", &without_rules), folder.world("y", &extra));
    assert_eq!(snapback(&["diff", "--baseline", &x, "--live", &y]).code, 1);
    let plan = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", "json"]).json();
    assert_eq!(plan["steps"], json!([]));
    assert_eq!(
        (&plan["notes"][0]["kind"], &plan["notes"][0]["resource"]),
        (&json!("cannot"), &json!("sg-0000000e"))
    );
    let gone = snapback(&["plan", "--baseline", &y, "--live", &x, "--format", "json"]).json();
    assert_eq!(
        (&gone["steps"], &gone["notes"][0]["resource"]),
        (&json!([]), &json!("sg-0000000e"))
    );
}
