//! The rooms stay apart: who may depend on whom, and who may touch the world (design.md section 4).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Whether a file of `src` is a test module: those may import and read what they like.
fn is_test_module(file: &Path) -> bool {
    let source = Path::new("src").as_os_str();
    let inside = file.components().rev();
    file.ends_with("tests.rs")
        || inside
            .skip(1)
            .take_while(|part| part.as_os_str() != source)
            .any(|part| part.as_os_str() == "tests")
}

/// Normal dependencies of each workspace package, by package name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let normal = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            let names = normal
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
                .collect();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

#[test]
fn a_room_depends_only_on_rooms_before_it() {
    let allowed: [(&str, &[&str]); 7] = [
        ("snapback-model", &[]),
        ("snapback-reach", &["snapback-model"]),
        ("snapback-engine", &["snapback-model", "snapback-reach"]),
        (
            "snapback-app",
            &["snapback-model", "snapback-reach", "snapback-engine"],
        ),
        (
            "snapback-aws",
            &[
                "snapback-model",
                "snapback-reach",
                "snapback-engine",
                "snapback-app",
            ],
        ),
        (
            "snapback-sim",
            &[
                "snapback-model",
                "snapback-reach",
                "snapback-engine",
                "snapback-app",
            ],
        ),
        (
            "snapback-cli",
            &[
                "snapback-model",
                "snapback-reach",
                "snapback-engine",
                "snapback-app",
                "snapback-sim",
                "snapback-aws",
            ],
        ),
    ];
    let dependencies = dependencies();
    for (room, rooms) in allowed {
        let ours: Vec<&String> = dependencies[room]
            .iter()
            .filter(|name| name.starts_with("snapback-"))
            .collect();
        for name in &ours {
            assert!(
                rooms.contains(&name.as_str()),
                "{room} must not depend on {name}"
            );
        }
    }
}

#[test]
fn only_the_aws_room_names_the_sdk_and_no_lambda_the_simulator() {
    for (package, names) in dependencies() {
        for name in names {
            let sdk = name.starts_with("aws-sdk-")
                || name.starts_with("aws-config")
                || name.starts_with("aws-smithy");
            assert!(
                !sdk || package == "snapback-aws",
                "{package} must not name {name}"
            );
            let in_lambda =
                ["guard", "sweep", "notify", "snapback-aws"].contains(&package.as_str());
            assert!(
                !(in_lambda && name == "snapback-sim"),
                "{package} must not depend on the simulator"
            );
        }
    }
}

#[test]
fn pure_rooms_touch_no_world() {
    let banned = [
        "std::fs",
        "std::env",
        "std::net::Tcp",
        "std::net::Udp",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "HashMap",
        "HashSet",
        "tokio",
        "println!",
        "eprintln!",
        "async fn",
    ];
    for room in ["snapback-model", "snapback-reach", "snapback-engine"] {
        for file in rust_files(&root().join("crates").join(room).join("src")) {
            if is_test_module(&file) {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let production = text.split("#[cfg(test)]").next().unwrap();
            for word in banned {
                let hit = production
                    .lines()
                    .find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
                assert!(
                    hit.is_none(),
                    "{}: `{word}` in a pure room: {}",
                    file.display(),
                    hit.unwrap()
                );
            }
        }
    }
}

#[test]
fn the_flow_reads_clock_and_environment_only_through_ports() {
    let banned = [
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "std::env",
        "std::fs",
        "tokio::time::sleep",
    ];
    for file in rust_files(&root().join("crates/snapback-app/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let production = text.split("#[cfg(test)]").next().unwrap();
        for word in banned {
            let hit = production
                .lines()
                .find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(hit.is_none(), "{}: `{word}` beside a port", file.display());
        }
    }
}

#[test]
fn a_stage_imports_only_stages_to_its_left() {
    let stages = [
        "event",
        "change",
        "diff",
        "impact",
        "finding",
        "policy",
        "verdict",
        "plan",
        "brake",
        "execution",
        "incident",
        "notification",
        "history",
    ];
    let source = root().join("crates/snapback-engine/src");
    for (position, stage) in stages.iter().enumerate() {
        let mut files = vec![source.join(format!("{stage}.rs"))];
        if source.join(stage).is_dir() {
            files.extend(rust_files(&source.join(stage)));
        }
        for file in files.iter().filter(|file| !is_test_module(file)) {
            let text = std::fs::read_to_string(file).unwrap();
            let production = text.split("#[cfg(test)]").next().unwrap();
            for later in stages.iter().skip(position + 1) {
                let import = format!("crate::{later}");
                let hit = production.lines().find(|line| {
                    let code = line.split("//").next().unwrap();
                    code.match_indices(&import).any(|(at, _)| {
                        !code[at + import.len()..]
                            .starts_with(|c: char| c.is_alphanumeric() || c == '_')
                    })
                });
                assert!(
                    hit.is_none(),
                    "{}: stage `{stage}` imports the later stage `{later}`",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn a_function_is_wiring_and_only_the_guard_can_write_ec2() {
    for function in ["sweep", "notify"] {
        for file in rust_files(&root().join("functions").join(function).join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(
                !text.contains("Actuate") && !text.contains("guard::"),
                "{}: only the guard may change EC2",
                file.display()
            );
        }
    }
    for file in rust_files(&root().join("crates/snapback-app/src")) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = file
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if ["sweep", "capture", "notify"]
            .iter()
            .any(|module| name == *module || folder == *module)
        {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| line.contains("Actuate"));
            assert!(
                !code,
                "{}: must not be able to name Actuate",
                file.display()
            );
        }
    }
}

#[test]
fn files_stay_small_and_open_with_a_card() {
    let mut long = Vec::new();
    for folder in ["crates", "functions", "xtask", "tests"] {
        for file in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            if text.lines().count() > 700 {
                long.push(format!(
                    "{} has {} lines",
                    file.display(),
                    text.lines().count()
                ));
            }
            let in_source = file.components().any(|part| part.as_os_str() == "src");
            assert!(
                !in_source || is_test_module(&file) || text.starts_with("//!"),
                "{}: no module card",
                file.display()
            );
        }
    }
    assert!(long.is_empty(), "asking to be two files each: {long:#?}");
}
