//! `rollback`, `history` and `undo` as somebody runs them, on captures and a simulated account.

use crate::world::*;
use serde_json::{Value, json};

/// Two captures, an hour of trust between them, and what live is now.
struct Days {
    folder: Folder,
    monday: String,
    tuesday: String,
    live: String,
}

fn days(name: &str) -> Days {
    let folder = Folder::new(name);
    let good = folder.world("good", &good());
    let mut later = crate::world::good();
    later["SecurityGroups"][0]["IpPermissions"][0]["FromPort"] = json!(8443);
    later["SecurityGroups"][0]["IpPermissions"][0]["ToPort"] = json!(8443);
    later.as_object_mut().unwrap().remove("SecurityGroupRules");
    let later = folder.world("later", &later);
    let live = folder.world("live", &broken());
    let (monday, tuesday) = (folder.path("monday.json"), folder.path("tuesday.json"));
    for (from, to, why) in [
        (&good, &monday, "first"),
        (&later, &tuesday, "the new port"),
    ] {
        let run = snapback(&[
            "capture", "--from", from, "--output", to, "--by", "ops", "--why", why,
        ]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    Days {
        folder,
        monday,
        tuesday,
        live,
    }
}

fn rollback(days: &Days, more: &[&str]) -> Run {
    let mut arguments = vec![
        "rollback",
        "--simulate",
        &days.live,
        "--capture",
        &days.monday,
        &days.tuesday,
    ];
    arguments.extend(more);
    snapback(&arguments)
}

#[test]
fn a_dry_run_shows_the_plan_and_what_becomes_baseline() {
    let days = days("rollback-dry");
    let run = rollback(&days, &["--to", "1", "--dry-run", "--", "sg-00000001"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for line in [
        "rollback of sg-00000001 to generation 1",
        "becomes the baseline: sg-00000001 generation 3",
        "RevokeSecurityGroupIngress",
        "safe",
    ] {
        assert!(run.out.contains(line), "{line} in\n{}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn nobody_there_to_say_yes_is_no() {
    let days = days("rollback-no");
    let run = rollback(&days, &["--to", "baseline", "--", "sg-00000001"]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(
        run.out.contains("RevokeSecurityGroupIngress"),
        "the plan is shown: {}",
        run.out
    );
    assert!(
        run.err.contains("no terminal") && run.err.contains("--yes"),
        "{}",
        run.err
    );
}

#[test]
fn a_whole_vpc_is_led_back_step_by_step() {
    let days = days("rollback-vpc");
    let run = rollback(&days, &["--to", "1", "--vpc", "vpc-1", "--yes"]);
    assert_eq!(run.code, 2, "a number is of one resource: {}", run.err);
    let run = rollback(
        &days,
        &[
            "--to",
            "baseline",
            "--vpc",
            "vpc-1",
            "--yes",
            "--allow-interruptions",
            "--by",
            "ada",
            "--why",
            "drill",
        ],
    );
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    assert!(
        run.err.contains("the lease is held") && run.err.contains("1/"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("live was read back as asked for"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("ada asked for it") && run.err.contains("drill"),
        "{}",
        run.err
    );
    let json = rollback(
        &days,
        &[
            "--to",
            "baseline",
            "--vpc",
            "vpc-1",
            "--yes",
            "--allow-interruptions",
            "--format",
            "json",
        ],
    );
    assert_eq!(json.code, 0, "{}", json.err);
    let json = json.json();
    assert_eq!(json["ended"][0]["outcome"], "reverted", "{json:#}");
    let steps = json["plan"]["steps"].as_array().unwrap();
    assert_eq!(
        steps.len(),
        json["ended"][0]["steps"].as_array().unwrap().len()
    );
    assert!(
        steps
            .iter()
            .all(|step| step["safety"] == "safe" || step["safety"].is_object()),
        "{json:#}"
    );
}

#[test]
fn a_time_is_taken_in_both_forms_and_a_slip_is_told() {
    let days = days("rollback-time");
    let run = rollback(&days, &["--to", "2h ago", "--dry-run", "--", "sg-00000001"]);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("no generation is kept from"),
        "{}",
        run.err
    );
    for slip in ["yesterday", "2h", "ago", "5 bananas ago"] {
        let run = rollback(&days, &["--to", slip, "--dry-run", "--", "sg-00000001"]);
        assert_eq!(run.code, 2);
        assert!(run.err.contains("is no time"), "{slip}: {}", run.err);
    }
    let run = rollback(
        &days,
        &["--to", "baseline", "--dry-run", "--", "sg-0000000f"],
    );
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("sg-0000000f: no baseline knows it"),
        "{}",
        run.err
    );
}

#[test]
fn history_lists_captures_and_compares_any_two() {
    let days = days("history");
    let captures = ["--capture", &days.monday, &days.tuesday];
    let with = |more: &[&str]| {
        let mut arguments = vec!["history", "sg-00000001"];
        arguments.extend(captures);
        arguments.extend(more);
        snapback(&arguments)
    };
    let run = with(&[]);
    assert_eq!(run.code, 0, "{}", run.err);
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(
        lines[1].contains("captured") && lines[1].contains("ops: the new port"),
        "{}",
        run.out
    );
    assert!(lines[2].contains("ops: first"), "{}", run.out);
    let diff = with(&["--diff", "1..2"]);
    assert_eq!(diff.code, 1, "{}", diff.err);
    assert!(
        diff.out.contains("tcp 8443") && diff.out.contains("tcp 443"),
        "{}",
        diff.out
    );
    let json = with(&["--diff", "2..1", "--format", "json"]).json();
    assert_eq!(
        json["resources"][0]["differences"].as_array().map(Vec::len),
        Some(2),
        "{json:#}"
    );
    assert_eq!(with(&["--diff", "1..1"]).code, 0);
    assert_eq!(with(&["--diff", "1..9"]).code, 2);
    let all: Value = with(&["--format", "json"]).json();
    assert_eq!(all["generations"][0]["generation"], 2);
    assert_eq!(all["generations"][1]["by"], "ops");
    assert!(days.folder.path("x").ends_with('x'));
}

#[test]
fn undo_needs_a_journal() {
    let run = snapback(&["undo", "inc-000000000000"]);
    assert_eq!(run.code, 2);
    let why = if cfg!(feature = "aws") {
        "give --state-table"
    } else {
        "does not talk to AWS"
    };
    assert!(run.err.contains(why), "{}", run.err);
    let run = snapback(&["undo", "inc-000000000000", "--simulate", "x"]);
    assert_eq!(run.code, 2, "a simulated account keeps none");
    let help = snapback(&["undo", "--help"]);
    assert!(!help.out.contains("--simulate"), "{}", help.out);
    assert!(help.out.contains("A simulated account"), "{}", help.out);
}

/// A table with twelve routes more than it was captured with.
fn hijacked(name: &str) -> Days {
    let days = days(name);
    let mut live = good();
    let routes = live["RouteTables"][0]["Routes"].as_array_mut().unwrap();
    for n in 0..12 {
        let cidr = format!("198.51.{n}.0/24");
        routes.push(route(&cidr, "VpcPeeringConnectionId", "pcx-00000001"));
    }
    let live = days.folder.world("hijacked", &live);
    Days { live, ..days }
}

#[test]
fn an_emergency_shows_both_plans_with_the_safety_of_each_step() {
    let days = hijacked("rollback-emergency");
    let table = good()["RouteTables"][0]["RouteTableId"]
        .as_str()
        .unwrap()
        .to_owned();
    let with = |more: &[&str]| {
        let mut arguments = vec!["--to", "baseline", "--emergency"];
        arguments.extend(more);
        arguments.extend(["--", &table]);
        rollback(&days, &arguments)
    };
    let run = with(&["--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for line in [
        "emergency: traffic works after ",
        "the ordinary plan has it working after 12",
        "first, to working traffic",
        "CreateRouteTable",
        "stands in for",
        "then the repair",
        "DeleteRouteTable",
    ] {
        assert!(run.out.contains(line), "{line} in\n{}", run.out);
    }
    let safe = run.out.matches("     safe;").count();
    let run = with(&["--yes"]);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    assert_eq!(run.err.matches("calls is in the journal").count(), 2);
    assert!(
        run.err.contains(&format!("done: {safe} calls")),
        "{}",
        run.err
    );
    let json = with(&["--dry-run", "--format", "json"]).json();
    let emergency = &json["emergency"][0];
    assert_eq!(emergency["ordinary"], 12, "{json:#}");
    for plan in ["fast", "repair"] {
        let steps = emergency[plan]["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["safety"] == "safe"));
    }
}
