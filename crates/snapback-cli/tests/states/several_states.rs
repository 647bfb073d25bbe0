//! Outputs of several accounts, Regions or moments in one folder.

use crate::world::*;
use serde_json::{Value, json};

/// The good account with its id or zone told otherwise, ids and VPC included.
fn elsewhere(from: &str, to: &str) -> Value {
    let text = good().to_string();
    let text = text.replace(from, to).replace("vpc-1", "vpc-2");
    serde_json::from_str(&text.replace("-0000000", "-2000000")).unwrap()
}

fn compare(folder: &Folder, live: &str, more: &[&str]) -> Run {
    let x = folder.world("x", &good());
    let mut arguments = vec!["diff", "--baseline", &x, "--live", live];
    arguments.extend(more);
    snapback(&arguments)
}

#[test]
fn two_regions_in_one_folder_are_told_by_file_and_one_can_be_chosen() {
    let folder = Folder::new("two-regions");
    let other = elsewhere("eu-central-1a", "us-west-2b");
    // A file of ACLs names no Region: what lies beside it, or the VPC in it, tells.
    folder.world("live/eu", &good());
    folder.world("live/us", &other);
    let live = folder.path("live");
    let run = compare(&folder, &live, &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    for part in ["eu-central-1:", "us-west-2:", "subnet-20000001", "--region"] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    let run = compare(&folder, &live, &["--region", "eu-central-1"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "no differences\n"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("is left aside: of Region us-west-2"),
        "{}",
        run.err
    );
    assert_eq!(
        run.err.matches("is left aside").count(),
        other.as_object().unwrap().len()
    );
    let run = compare(&folder, &live, &["--region", "ap-east-1"]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("nothing here is of Region ap-east-1"),
        "{}",
        run.err
    );
}

#[test]
fn a_file_that_cannot_be_placed_is_not_used() {
    let folder = Folder::new("unplaced");
    let both = |key: &str, there: &Value| json!({ key: there[key] }).to_string();
    let other = elsewhere("eu-central-1a", "us-west-2b");
    let live = folder.world("live", &good());
    folder.write("live/us.json", &both("Subnets", &other));
    let stray = folder.write(
        "live/stray.json",
        r#"{"NetworkAcls": [{"NetworkAclId": "acl-9", "VpcId": "vpc-9", "Entries": []}]}"#,
    );
    let run = compare(&folder, &live, &["--region", "eu-central-1"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (2, "no differences\n"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains(&stray) && run.err.contains("does not tell its Region"),
        "{}",
        run.err
    );
}

#[test]
fn two_accounts_in_one_folder_are_told_by_file_and_one_can_be_chosen() {
    let folder = Folder::new("two-accounts");
    let live = folder.world("live", &good());
    folder.world("live/other", &elsewhere(OWNER, "444455556666"));
    let run = compare(&folder, &live, &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    for part in [
        "111122223333:",
        "444455556666:",
        "acl-20000001",
        "--account",
    ] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
    let run = compare(&folder, &live, &["--account", OWNER]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "no differences\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("of account 444455556666"), "{}", run.err);
}

#[test]
fn what_is_described_twice_and_otherwise_is_not_compared() {
    let folder = Folder::new("twice");
    let live = folder.world("live", &good());
    let older = folder.write(
        "live/older.json",
        &json!({ "NetworkAcls": broken()["NetworkAcls"] }).to_string(),
    );
    let run = compare(&folder, &live, &["--format", "json"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert_eq!(run.json()["resources"], json!([]));
    let problem = run.json()["problems"][0]["problem"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        problem.contains("acl-00000001 is described twice"),
        "{problem}"
    );
    assert!(run.err.contains(&older), "{}", run.err);
}
