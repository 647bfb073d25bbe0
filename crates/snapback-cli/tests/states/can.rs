//! `can`: would a packet pass.

use crate::world::*;
use serde_json::{Value, json};

/// The account with a web server that has a public address, and one behind it.
pub fn hosts(mut world: Value) -> Value {
    let interface = |id: &str, subnet: &str, address: &str, public: Option<&str>| {
        let mut interface = json!({
            "NetworkInterfaceId": id, "SubnetId": subnet, "VpcId": "vpc-1", "OwnerId": OWNER, "PrivateIpAddress": address,
            "InterfaceType": "interface", "Groups": [{ "GroupId": "sg-00000001", "GroupName": "web" }], "Status": "in-use",
            "SourceDestCheck": true, "Attachment": { "InstanceId": format!("i-{}", id.trim_start_matches("eni-")) },
        });
        if let Some(public) = public {
            interface["Association"] = json!({ "PublicIp": public, "IpOwnerId": OWNER });
        }
        interface
    };
    world["NetworkInterfaces"] = json!([
        interface(
            "eni-00000001",
            "subnet-00000001",
            "10.0.1.10",
            Some("52.0.0.1")
        ),
        interface("eni-00000002", "subnet-00000002", "10.0.2.10", None),
    ]);
    for subnet in world["Subnets"].as_array_mut().unwrap() {
        subnet["BlockPublicAccessStates"] = json!({ "InternetGatewayBlockMode": "off" });
    }
    world
}

#[test]
fn a_packet_that_passes_is_told_with_the_rule_that_decides_at_each_hop() {
    let folder = Folder::new("can-passes");
    let x = folder.world("x", &hosts(good()));
    let run = snapback(&[
        "can",
        "internet",
        "eni-00000001",
        "--port",
        "443",
        "--live",
        &x,
    ]);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    let first = run.out.lines().next().unwrap();
    assert!(
        first.contains("tcp 443 passes, and its reply comes back"),
        "{first}"
    );
    for words in [
        "its public address is 52.0.0.1",
        "igw-00000001 is attached to vpc-1",
        "acl-00000001 allows it: ingress 100 allow tcp:443 0.0.0.0/0",
        "sg-00000001 allows it: ingress tcp:443 0.0.0.0/0",
        "acl-00000001 allows it: egress 100 allow all 0.0.0.0/0",
        "rtb-00000001 routes it: 0.0.0.0/0 -> igw-00000001",
    ] {
        assert!(run.out.contains(words), "{words} in\n{}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn a_packet_that_does_not_pass_is_told_with_what_stops_it() {
    let folder = Folder::new("can-blocked");
    let x = folder.world("x", &hosts(good()));
    let run = snapback(&[
        "can",
        "internet",
        "i-00000001",
        "--port",
        "22",
        "--live",
        &x,
        "--format",
        "json",
    ]);
    assert_eq!(run.code, 1, "{}\n{}", run.out, run.err);
    let json = run.json();
    assert_eq!(json["outcome"], "blocked");
    let blocked: Vec<&str> = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["verdict"] == "blocked")
        .map(|step| step["at"].as_str().unwrap())
        .collect();
    assert_eq!(blocked, ["acl-00000001", "eni-00000001"]);
    assert_eq!(json["unknown"], json!([]));
    // The ACL lets 443 in only: the reply to a client in subnet 1 has nowhere to go.
    let lateral = snapback(&[
        "can",
        "eni-00000001",
        "10.0.2.10",
        "--port",
        "443",
        "--live",
        &x,
        "--format",
        "json",
    ]);
    assert_eq!(lateral.code, 1);
    let text = lateral.json()["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("its reply is stopped by ACL acl-00000001"),
        "{text}"
    );
}

#[test]
fn what_was_not_read_is_told_and_is_an_exit_code_of_its_own() {
    let folder = Folder::new("can-unknown");
    let mut world = hosts(good());
    world["Subnets"][0]
        .as_object_mut()
        .unwrap()
        .remove("BlockPublicAccessStates");
    let x = folder.world("x", &world);
    let run = snapback(&[
        "can",
        "internet",
        "eni-00000001",
        "--port",
        "443",
        "--live",
        &x,
    ]);
    assert_eq!(run.code, 3, "{}\n{}", run.out, run.err);
    assert!(run.out.contains("not known"), "{}", run.out);
    assert!(
        run.out.contains("block public access was not read"),
        "{}",
        run.out
    );
}

#[test]
fn a_change_is_told_with_the_differences_that_made_it() {
    let folder = Folder::new("can-changed");
    let (x, y) = (
        folder.world("x", &hosts(good())),
        folder.world("y", &hosts(broken())),
    );
    let ask = |format: &str| {
        snapback(&[
            "can",
            "internet",
            "eni-00000001",
            "--port",
            "443",
            "--baseline",
            &x,
            "--live",
            &y,
            "--changed",
            "--format",
            format,
        ])
    };
    let text = ask("text");
    assert_eq!(text.code, 1, "{}\n{}", text.out, text.err);
    assert!(
        text.out.contains("in the baseline: tcp 443 passes"),
        "{}",
        text.out
    );
    let json = ask("json").json();
    let changed = &json["changed"];
    assert_eq!(
        (&changed["differs"], &changed["outcome"]),
        (&json!(true), &json!("passes"))
    );
    let elements: Vec<String> = changed["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {}",
                one["resource"].as_str().unwrap(),
                one["element"].as_str().unwrap()
            )
        })
        .collect();
    for element in [
        "rtb-00000001 route 0.0.0.0/0",
        "acl-00000001 subnet subnet-00000001",
    ] {
        assert!(
            elements.iter().any(|one| one == element),
            "{element} in {elements:?}"
        );
    }
    let groups = elements.iter().filter(|one| one.starts_with("sg-"));
    assert_eq!(groups.count(), 0, "they decide as before: {elements:?}");
}

#[test]
fn bad_questions_are_refused_with_the_spot() {
    let folder = Folder::new("can-bad");
    let x = folder.world("x", &hosts(good()));
    for (arguments, words) in [
        (
            vec![
                "can",
                "nowhere",
                "eni-00000001",
                "--port",
                "1",
                "--live",
                &x,
            ],
            "`nowhere` is no end of a path",
        ),
        (
            vec![
                "can",
                "eni-0000ffff",
                "internet",
                "--port",
                "1",
                "--live",
                &x,
            ],
            "eni-0000ffff is not in the state",
        ),
        (
            vec![
                "can",
                "sg-0000ffff",
                "internet",
                "--port",
                "1",
                "--live",
                &x,
            ],
            "no interface in the state carries sg-0000ffff",
        ),
        (
            vec!["can", "internet", "eni-00000001", "--live", &x],
            "--port is needed for tcp",
        ),
        (
            vec![
                "can",
                "internet",
                "eni-00000001",
                "--protocol",
                "icmp:9999",
                "--live",
                &x,
            ],
            "each from 0 to 255",
        ),
        (
            vec![
                "can",
                "internet",
                "eni-00000001",
                "--protocol",
                "50",
                "--port",
                "1",
                "--live",
                &x,
            ],
            "--port means nothing",
        ),
    ] {
        let run = snapback(&arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.out);
        assert!(run.err.contains(words), "{words} in {}", run.err);
    }
}
