//! The shell form, run with a stand-in for the AWS CLI.

use crate::world::*;
use serde_json::{Value, json};
use std::process::Command;

/// Writes an `aws` that notes its arguments, answers lookups, and fails on request.
fn aws(folder: &Folder, fails_at: &str) -> String {
    let log = folder.path("calls.txt");
    let script = format!(
        "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\" >>'{log}'; done\nprintf '%s\\n' '--' >>'{log}'\n\
         case \"$2\" in\n {fails_at}) exit 254 ;;\n describe-*) echo \"${{LOOKUP:-assoc-of-now}}\" ;;\nesac\n"
    );
    let path = folder.write("bin/aws", &script);
    let made = Command::new("chmod").args(["+x", &path]).status().unwrap();
    assert!(made.success());
    folder.path("bin")
}

fn run(folder: &Folder, script: &str, bin: &str, lookup: &str) -> (Run, Vec<Vec<String>>) {
    let script = folder.write("plan.sh", script);
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let run = finish(
        Command::new("sh")
            .arg(&script)
            .env("PATH", path)
            .env("LOOKUP", lookup),
    );
    let log = std::fs::read_to_string(folder.path("calls.txt")).unwrap_or_default();
    let calls = log
        .split_terminator("--\n")
        .map(|call| call.lines().map(str::to_owned).collect())
        .collect();
    (run, calls)
}

fn plan(folder: &Folder, live: &Value, format: &str) -> Run {
    let (x, y) = (folder.world("x", &good()), folder.world("y", live));
    let plan = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", format]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    plan
}

#[test]
fn the_script_makes_the_calls_of_the_plan() {
    let folder = Folder::new("script");
    let script = plan(&folder, &broken(), "sh").out;
    let expected = plan(&folder, &broken(), "json").json();
    let (run, calls) = run(&folder, &script, &aws(&folder, "never"), "");
    assert_eq!(run.code, 0, "{}", run.err);
    let writes: Vec<&Vec<String>> = calls
        .iter()
        .filter(|call| !call[1].starts_with("describe-"))
        .collect();
    let steps = expected["steps"].as_array().unwrap();
    assert_eq!(writes.len(), steps.len());
    for (call, step) in writes.iter().zip(steps) {
        let action = step["action"].as_str().unwrap();
        assert_eq!(call[1].replace('-', ""), action.to_lowercase());
        let mut parameters = step["parameters"].clone();
        if let Some(at) = call.iter().position(|word| word == "--association-id") {
            assert_eq!(
                call[at + 1],
                "assoc-of-now",
                "looked up, not the id of the read"
            );
            parameters.as_object_mut().unwrap().remove("AssociationId");
        }
        let at = call
            .iter()
            .position(|word| word == "--cli-input-json")
            .unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&call[at + 1]).unwrap(),
            parameters
        );
    }
    let lookup = calls
        .iter()
        .find(|call| call[1] == "describe-network-acls")
        .unwrap();
    assert!(
        lookup.contains(&"Name=association.subnet-id,Values=subnet-00000001".to_owned()),
        "{lookup:?}"
    );
}

#[test]
fn the_script_stops_at_the_first_call_that_fails() {
    let folder = Folder::new("script-fails");
    let script = plan(&folder, &broken(), "sh").out;
    let (run, calls) = run(&folder, &script, &aws(&folder, "create-route"), "");
    assert_ne!(run.code, 0);
    assert_eq!(calls.last().unwrap()[1], "create-route");
}

#[test]
fn the_script_stops_when_an_association_is_gone() {
    let folder = Folder::new("script-gone");
    let script = plan(&folder, &broken(), "sh").out;
    let (run, calls) = run(&folder, &script, &aws(&folder, "never"), "None");
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("subnet-00000001") && run.err.contains("make a new plan"),
        "{}",
        run.err
    );
    assert!(calls.last().unwrap()[1].starts_with("describe-"));
}

/// Descriptions and tags are written by whoever may write them: they must stay text.
#[test]
fn text_of_strangers_stays_text() {
    let folder = Folder::new("script-strangers");
    let evil =
        "'; touch pwned; echo '$(touch pwned)`touch pwned`\ntouch pwned\r\n#\u{2028}touch pwned\\";
    let mut baseline = good();
    baseline["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"][0]["Description"] = json!(evil);
    baseline["SecurityGroupRules"][0]["Description"] = json!(evil);
    baseline["RouteTables"][0]["Tags"] = json!([{ "Key": evil, "Value": evil }]);
    let (x, y) = (folder.world("x", &baseline), folder.world("y", &broken()));
    let script = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", "sh"]);
    assert_eq!(script.code, 0, "{}", script.err);
    let script = format!("cd '{}'\n{}", folder.path(""), script.out);
    let (run, calls) = run(&folder, &script, &aws(&folder, "never"), "");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(!std::path::Path::new(&folder.path("pwned")).exists());
    let described = calls
        .iter()
        .find(|call| call[1] == "update-security-group-rule-descriptions-ingress")
        .unwrap();
    let at = described
        .iter()
        .position(|word| word == "--cli-input-json")
        .unwrap();
    let parameters: Value = serde_json::from_str(&described[at + 1]).unwrap();
    assert_eq!(
        parameters["IpPermissions"][0]["IpRanges"][0]["Description"],
        evil
    );
    let text = snapback(&["plan", "--baseline", &x, "--live", &y]);
    assert!(
        !text.out.contains('\r'),
        "no control characters to a terminal"
    );
}
