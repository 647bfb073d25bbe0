//! Input that is bad, partial, or of somebody else.

use crate::world::*;
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn sources_that_are_not_there_are_named() {
    let folder = Folder::new("missing");
    let x = folder.world("x", &good());
    let run = snapback(&["diff", "--baseline", &x, "--live", "/nowhere/live"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("/nowhere/live"), "{}", run.err);
    std::fs::create_dir_all(folder.path("empty")).unwrap();
    let run = snapback(&["diff", "--baseline", &x, "--live", &folder.path("empty")]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("no files in it"), "{}", run.err);
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_the_sdk_says_which_feature_reads_an_account() {
    let folder = Folder::new("live-account");
    let output = folder.path("never.json");
    let run = snapback(&["capture", "--from", "aws", "--output", &output]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("--features aws"), "{}", run.err);
    assert!(!std::path::Path::new(&output).exists());
}

#[test]
fn states_of_two_accounts_are_not_compared() {
    let folder = Folder::new("accounts");
    let foreign = good().to_string().replace(OWNER, "444455556666");
    let (x, y) = (
        folder.world("x", &good()),
        folder.world("y", &serde_json::from_str(&foreign).unwrap()),
    );
    let run = snapback(&["diff", "--baseline", &x, "--live", &y]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(
        run.err.contains(OWNER) && run.err.contains("444455556666"),
        "{}",
        run.err
    );
    folder.world("y/../x", &json!({ "NetworkAcls": [{ "NetworkAclId": "acl-9", "VpcId": "vpc-9", "OwnerId": "444455556666" }] }));
    let run = snapback(&["capture", "--from", &x, "--output", "-"]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("acl-9") && run.err.contains("--account"),
        "{}",
        run.err
    );
}

#[test]
fn a_kind_that_one_side_does_not_have_is_not_compared() {
    let folder = Folder::new("kinds");
    let x = folder.write(
        "groups.json",
        &json!({ "SecurityGroups": good()["SecurityGroups"] }).to_string(),
    );
    let y = folder.world("y", &good());
    let run = snapback(&["diff", "--baseline", &x, "--live", &y]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(
        run.err
            .contains("not compared: some network ACLs, of which the baseline tells nothing"),
        "{}",
        run.err
    );
    let run = snapback(&["diff", "--baseline", &y, "--live", &x]);
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn absence_from_a_page_is_no_deletion() {
    let folder = Folder::new("page");
    let mut both = good();
    let mut second = both["SecurityGroups"][0].clone();
    second["GroupId"] = json!("sg-00000002");
    both["SecurityGroups"].as_array_mut().unwrap().push(second);
    let all = json!({ "SecurityGroups": both["SecurityGroups"] });
    let page = json!({ "SecurityGroups": good()["SecurityGroups"], "NextToken": "eyJ" });
    let (x, y) = (
        folder.write("all.json", &all.to_string()),
        folder.write("page.json", &page.to_string()),
    );
    let run = snapback(&["diff", "--baseline", &x, "--live", &y]);
    assert_eq!((run.code, run.out.as_str()), (2, "no differences\n"));
    assert!(
        run.err.contains(&y) && run.err.contains("NextToken") && run.err.contains("SecurityGroups"),
        "{}",
        run.err
    );
}

#[test]
fn a_rule_the_baseline_did_not_understand_is_never_revoked() {
    let folder = Folder::new("not-understood");
    let group = |protocol: &str| {
        json!({ "SecurityGroups": [{ "GroupId": "sg-00000001", "OwnerId": OWNER, "VpcId": "vpc-1",
            "IpPermissions": [{ "IpProtocol": protocol, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] }] }] })
    };
    let x = folder.write("x.json", &group("quic").to_string());
    let y = folder.write("y.json", &group("tcp").to_string());
    let run = snapback(&["plan", "--baseline", &x, "--live", &y, "--format", "json"]);
    let plan = run.json();
    assert_eq!(plan["steps"], json!([]));
    assert!(
        plan["notes"][0]["what"]
            .as_str()
            .unwrap()
            .contains("IpPermissions[0].IpProtocol"),
        "{plan:#}"
    );
    assert!(
        run.err.contains("IpPermissions[0].IpProtocol"),
        "{}",
        run.err
    );
}

#[test]
fn live_can_come_from_a_pipe() {
    let folder = Folder::new("pipe");
    let x = folder.write(
        "x.json",
        &json!({ "SecurityGroups": good()["SecurityGroups"] }).to_string(),
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_snapback"))
        .args(["diff", "--baseline", &x, "--live", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let live = json!({ "SecurityGroups": broken()["SecurityGroups"] }).to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(format!("\u{feff}{live}").as_bytes())
        .unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
}

#[test]
fn captures_of_a_newer_version_are_refused() {
    let folder = Folder::new("newer");
    let x = folder.write("x.json", r#"{"schema": 99, "by_id": {}}"#);
    let run = snapback(&["diff", "--baseline", &x, "--live", &x]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("schema 99"), "{}", run.err);
    let x = folder.write("x.json", "{\"by_id\": {\n\"sg-1\": {\"schema\": \"one\"}}}");
    let run = snapback(&["diff", "--baseline", &x, "--live", &x]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("by_id.sg-1.schema") && run.err.contains("line 2"),
        "{}",
        run.err
    );
}
