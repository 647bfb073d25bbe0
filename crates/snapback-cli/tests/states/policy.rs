//! `policy check`, and the policies of other commands.

use crate::world::*;
use serde_json::json;
use std::path::Path;

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../infra/policy.example.yaml"
);

#[test]
fn the_example_is_a_policy_that_sets_every_key() {
    let text = snapback(&["policy", "check", EXAMPLE]);
    assert_eq!((text.code, text.err.as_str()), (0, ""), "{}", text.out);
    assert!(!text.out.contains('\u{1b}'), "no colours into a pipe");
    let json = snapback(&["policy", "check", EXAMPLE, "--format", "json"]).json();
    assert_eq!(json["expired"], json!([]));
    let example = std::fs::read_to_string(EXAMPLE).unwrap();
    for setting in json["settings"].as_array().unwrap() {
        let key = setting["key"].as_str().unwrap();
        assert!(text.out.contains(key), "{key}");
        for part in key.split('.') {
            assert!(
                example.contains(&format!("{part}:")),
                "the example lacks {part}"
            );
        }
    }
    // What it says is the default is the default.
    for key in ["mode", "enforce.openings", "enforce.closings", "vpcs"] {
        let settings = json["settings"].as_array().unwrap();
        let setting = settings.iter().find(|setting| setting["key"] == key);
        assert_eq!(setting.unwrap()["default"], json!(true), "{key}");
    }
}

#[test]
fn every_key_is_shown_with_what_counts() {
    let folder = Folder::new("policy-effective");
    let file = folder.write(
        "p.yaml",
        "mode: enforce\nenforce: { closings: high }\ntrusted: ['arn:aws:iam::*:role/a', 'arn:aws:iam::*:role/b']\n",
    );
    let run = snapback(&["policy", "check", &file]);
    let squeezed: Vec<String> = run
        .out
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "mode enforce",
        "kinds.route-table enforce (default)",
        "enforce.openings high (default)",
        "enforce.closings high",
        "enforce.kinds.network-acl.closings high (default)",
        "trusted arn:aws:iam::*:role/a",
        "arn:aws:iam::*:role/b",
        "vpcs none (default)",
    ] {
        assert!(
            squeezed.iter().any(|told| told == line),
            "{line} in\n{}",
            run.out
        );
    }
}

#[test]
fn a_slip_is_told_with_file_line_and_column() {
    let folder = Folder::new("policy-slip");
    let file = folder.write("p.yaml", "mode: enforce\nenforce:\n  opening: high\n");
    let run = snapback(&["policy", "check", &file]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    let spot = format!("{file}:3:3: ");
    assert!(
        run.err.contains(&spot) && run.err.contains("openings"),
        "{}",
        run.err
    );
    let run = snapback(&["policy", "check", &file, "--format", "json"]);
    let error = &run.json()["error"];
    assert_eq!(
        (run.code, &error["line"], &error["column"]),
        (2, &json!(3), &json!(3))
    );
    assert!(error["message"].as_str().unwrap().contains("openings"));
    let missing = snapback(&["policy", "check", "/nowhere/p.yaml"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("/nowhere/p.yaml"), "{}", missing.err);
}

#[test]
fn an_exception_that_is_over_is_noted() {
    let folder = Folder::new("policy-expired");
    let file = folder.write(
        "p.yaml",
        "exceptions: [{ code: SG-WORLD-ANY, until: 2020-01-31, why: long ago }]",
    );
    let run = snapback(&["policy", "check", &file]);
    assert_eq!(run.code, 0);
    assert!(
        run.err.contains("is over") && run.err.contains("SG-WORLD-ANY until 2020-01-31"),
        "{}",
        run.err
    );
    let json = snapback(&["policy", "check", &file, "--format", "json"]).json();
    assert_eq!(json["expired"][0]["until"], json!("2020-01-31"));
}

#[test]
fn a_capture_tells_the_tags_that_its_policy_requires() {
    let folder = Folder::new("policy-tags");
    let world = folder.world("x", &good());
    let (file, output) = (
        folder.write("p.yaml", "required-tags: [Purpose]"),
        folder.path("c.json"),
    );
    let without = snapback(&["capture", "--from", &world, "--output", &output]);
    assert!(!without.err.contains("TAG-MISSING"), "{}", without.err);
    let with = snapback(&[
        "capture", "--from", &world, "--output", &output, "--policy", &file,
    ]);
    assert_eq!(with.code, 0, "{}", with.err);
    assert!(
        with.err.contains("TAG-MISSING") && with.err.contains("Purpose"),
        "{}",
        with.err
    );
    let bad = folder.write("bad.yaml", "required-tags: Purpose");
    let never = folder.path("never.json");
    let run = snapback(&[
        "capture", "--from", &world, "--output", &never, "--policy", &bad,
    ]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(!Path::new(&never).exists());
}
