//! Files that cannot be used: named, and the rest is done.

use crate::world::*;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn wide(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

fn without(world: &Value, key: &str) -> Value {
    let mut world = world.clone();
    world.as_object_mut().unwrap().remove(key);
    world
}

fn only(world: &Value, key: &str) -> String {
    json!({ key: world[key] }).to_string()
}

/// The resources that a diff in JSON tells of.
fn told(run: &Run) -> Vec<String> {
    let json = run.json();
    let resources = json["resources"].as_array().unwrap().clone();
    let id = |resource: Value| resource["resource"].as_str().unwrap().to_owned();
    resources.into_iter().map(id).collect()
}

#[test]
fn every_bad_file_is_named_with_its_place_and_the_rest_is_compared() {
    let folder = Folder::new("bad-files");
    let (x, y) = (
        folder.world("x", &good()),
        folder.world("y", &without(&broken(), "NetworkAcls")),
    );
    let acls = only(&broken(), "NetworkAcls");
    let packed = gzip(&acls);
    let cut = acls.len() / 2;
    let cases: [(&str, Vec<u8>, &str); 13] = [
        (
            "cut.json",
            acls.as_bytes()[..cut].to_vec(),
            "line 1, column",
        ),
        (
            "type.json",
            br#"{"NetworkAcls": [{"Entries": [{"RuleNumber": "x"}]}]}"#.to_vec(),
            "member NetworkAcls[0].Entries[0].RuleNumber",
        ),
        (
            "package.json",
            br#"{"name": "x"}"#.to_vec(),
            "no output of `aws ec2 describe-…`: its members are name",
        ),
        (
            "records.json",
            br#"{"Records": [{}]}"#.to_vec(),
            "CloudTrail events",
        ),
        (
            "list.json",
            br#"[{"NetworkAclId": "acl-1"}]"#.to_vec(),
            "a bare list",
        ),
        (
            "acls.csv",
            b"NetworkAclId,VpcId\nacl-1,vpc-1\n".to_vec(),
            "it begins with `NetworkAclId,VpcId`",
        ),
        ("empty.json", Vec::new(), "an empty file"),
        (
            "plain.json.gz",
            acls.clone().into_bytes(),
            "byte 0 is not the beginning of gzip data",
        ),
        (
            "half.json.gz",
            packed[..packed.len() / 2].to_vec(),
            "break off near byte",
        ),
        (
            "bytes.json",
            b"{\"NetworkAcls\": \"\xff\"}".to_vec(),
            "byte 17 is not UTF-8 text",
        ),
        (
            "odd.json",
            wide("{}")[..5].to_vec(),
            "byte 4 is half a UTF-16 character",
        ),
        (
            "nomark.json",
            wide("{}")[2..].to_vec(),
            "UTF-16 without its mark",
        ),
        (
            "surrogate.json",
            vec![0xff, 0xfe, b'{', 0, 0, 0xd8, b'}', 0],
            "byte 4 is not UTF-16 text",
        ),
    ];
    for (name, content, problem) in cases {
        let bad = folder.write_bytes(&format!("y/{name}"), &content);
        let run = snapback(&["diff", "--baseline", &x, "--live", &y, "--format", "json"]);
        assert_eq!(run.code, 2, "{name}: {}", run.err);
        assert!(
            run.err.contains(&bad) && run.err.contains(problem),
            "{name}: {}",
            run.err
        );
        let problems = &run.json()["problems"];
        assert_eq!(problems[0]["side"], "live", "{name}");
        assert_eq!(problems[0]["file"], bad.as_str());
        assert!(problems[0]["problem"].as_str().unwrap().contains(problem));
        assert_eq!(
            problems.as_array().unwrap().len(),
            1,
            "{name}: {problems:#}"
        );
        assert_eq!(told(&run), ["sg-00000001", "rtb-00000001"], "{name}");
        std::fs::remove_file(bad).unwrap();
    }
}

#[test]
fn nothing_is_called_deleted_because_a_file_was_bad() {
    let folder = Folder::new("not-deleted");
    let mut both = good();
    let mut second = both["SecurityGroups"][0].clone();
    second["GroupId"] = json!("sg-00000002");
    both["SecurityGroups"].as_array_mut().unwrap().push(second);
    let x = folder.world("x", &both);
    let y = folder.world("y", &good());
    let run = snapback(&["diff", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!((run.code, told(&run)), (1, vec!["sg-00000002".to_owned()]));
    // Half a file of groups may have held it, and so may a file that tells nothing.
    for content in ["{\"SecurityGroups\": [{\"GroupId\":", "GroupId  VpcId"] {
        let bad = folder.write("y/more", content);
        let run = snapback(&["diff", "--baseline", &x, "--live", &y, "--format", "json"]);
        assert_eq!((run.code, told(&run)), (2, Vec::new()), "{content}");
        assert!(
            run.err.contains("of which the live state tells nothing"),
            "{}",
            run.err
        );
        std::fs::remove_file(bad).unwrap();
    }
    // Half a file of ACLs cannot have.
    folder.write("y/more", "{\"NetworkAcls\": [{");
    let run = snapback(&["diff", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!((run.code, told(&run)), (2, vec!["sg-00000002".to_owned()]));
}

#[test]
fn packed_files_wide_text_and_folders_within_folders_are_read() {
    let folder = Folder::new("packed");
    let x = folder.world("x", &good());
    let y = folder.world(
        "y",
        &without(&without(&broken(), "NetworkAcls"), "RouteTables"),
    );
    folder.write_bytes(
        "y/deep/er/acls.json.gz",
        &gzip(&only(&broken(), "NetworkAcls")),
    );
    folder.write_bytes("y/deep/tables.json", &wide(&only(&broken(), "RouteTables")));
    folder.write("y/.cache/junk", "junk");
    let run = snapback(&["diff", "--baseline", &x, "--live", &y, "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.err);
    let expected = ["sg-00000001", "acl-00000001", "rtb-00000001"];
    let mut told = told(&run);
    told.sort();
    assert!(
        expected
            .iter()
            .all(|id| told.iter().any(|found| found == id)),
        "{told:?}"
    );
    let packed = folder.write_bytes("one.json.gz", &gzip(&only(&good(), "SecurityGroups")));
    let run = snapback(&["diff", "--baseline", &packed, "--live", &packed]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_and_links_to_folders_are_named_and_not_followed() {
    let folder = Folder::new("links");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &good()));
    std::os::unix::fs::symlink(&y, folder.path("y/again")).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.path("y/gone")).unwrap();
    let run = snapback(&["diff", "--baseline", &x, "--live", &y]);
    assert_eq!(run.code, 2);
    assert!(
        run.err
            .contains("again: a link to a folder is not followed")
            && run.err.contains("gone: "),
        "{}",
        run.err
    );
}

#[test]
fn a_baseline_is_not_captured_from_a_part_unless_that_is_wanted() {
    let folder = Folder::new("partial-capture");
    let y = folder.world("y", &without(&good(), "NetworkAcls"));
    let bad = folder.write("y/acls.json", "{\"NetworkAcls\": [");
    let output = folder.path("capture.json");
    let run = snapback(&["capture", "--from", &y, "--output", &output]);
    assert_eq!(run.code, 2);
    assert!(!std::path::Path::new(&output).exists());
    assert!(
        run.err.contains(&bad) && run.err.contains("--partial"),
        "{}",
        run.err
    );
    let run = snapback(&["capture", "--from", &y, "--output", &output, "--partial"]);
    assert_eq!(run.code, 2, "{}", run.err);
    let live = folder.world("live", &good());
    let run = snapback(&["diff", "--baseline", &output, "--live", &live]);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(
        run.err.contains(&bad),
        "what was missing is told again: {}",
        run.err
    );
}

#[test]
fn a_missing_page_is_no_baseline_either() {
    let folder = Folder::new("partial-page");
    let mut page = good();
    page["NextToken"] = json!("eyJ");
    let file = folder.write("page.json", &page.to_string());
    let output = folder.path("capture.json");
    let run = snapback(&["capture", "--from", &file, "--output", &output]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("NextToken"), "{}", run.err);
    assert!(!std::path::Path::new(&output).exists());
}

#[test]
fn a_plan_of_a_part_is_shown_but_no_script_is_made_of_it() {
    let folder = Folder::new("partial-plan");
    let (x, y) = (folder.world("x", &good()), folder.world("y", &broken()));
    folder.write("y/zz.json", "{");
    let plan =
        |format: &str| snapback(&["plan", "--baseline", &x, "--live", &y, "--format", format]);
    let json = plan("json");
    assert_eq!(json.code, 2);
    assert!(!json.json()["steps"].as_array().unwrap().is_empty());
    assert_eq!(json.json()["problems"][0]["side"], "live");
    let script = plan("sh");
    assert_eq!((script.code, script.out.as_str()), (2, ""));
    assert!(script.err.contains("no script"), "{}", script.err);
}

#[test]
fn a_source_of_which_nothing_can_be_used_is_an_error() {
    let folder = Folder::new("all-bad");
    let x = folder.world("x", &good());
    folder.write("y/a.json", "{");
    folder.write("y/b.json", "3");
    let run = snapback(&["diff", "--baseline", &x, "--live", &folder.path("y")]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(
        run.err.contains("a.json") && run.err.contains("b.json"),
        "{}",
        run.err
    );
}
