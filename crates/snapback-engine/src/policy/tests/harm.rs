//! Thresholds, exceptions and required tags: how they are read, and what they mean.

use super::*;
use crate::finding::{FindingCode, Severity};
use snapback_model::{ResourceId, Timestamp};

const HARM: &str = "
enforce:
  openings: medium
  closings: high
  kinds: { route-table: { openings: critical }, network-acl: { closings: any } }
exceptions:
  - { code: SG-WORLD-ANY, resource: sg-1, until: 2026-12-31, why: the partner moves }
  - { code: NACL-OPEN, until: 2026-02-28, why: \"audit 7\" }
  - { resource: rtb-9, until: 2027-01-01, why: lab }
required-tags: [Purpose, Owner]
";

const SEVERITIES: [Severity; 5] = [
    Severity::Info,
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];

fn harm() -> Policy {
    Policy::from_yaml(HARM, "p.yaml").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn thresholds_of_a_kind_inherit_what_they_do_not_set() {
    let of = |kind| {
        let thresholds = harm().enforce.of(kind);
        (
            thresholds.openings.to_string(),
            thresholds.closings.to_string(),
        )
    };
    let pair = |openings: &str, closings: &str| (openings.to_owned(), closings.to_owned());
    assert_eq!(of(Kind::SecurityGroup), pair("medium", "high"));
    assert_eq!(of(Kind::RouteTable), pair("critical", "high"));
    assert_eq!(of(Kind::NetworkAcl), pair("medium", "any"));
}

#[test]
fn without_a_word_openings_from_high_and_whatever_was_approved() {
    let enforce = Policy::default().enforce;
    assert_eq!(
        (enforce.openings, enforce.closings),
        (Openings::High, Closings::Approved)
    );
}

#[test]
fn each_threshold_takes_all_that_the_one_before_it_takes() {
    let counts = |takes: &dyn Fn(Severity) -> bool| {
        SEVERITIES
            .into_iter()
            .filter(|severity| takes(*severity))
            .count()
    };
    let openings: Vec<usize> = Openings::ALL
        .iter()
        .map(|from| counts(&|severity| from.takes(severity)))
        .collect();
    assert_eq!(openings, [0, 1, 2, 3, 5]);
    let closings: Vec<usize> = Closings::ALL
        .iter()
        .map(|from| counts(&|severity| from.takes(severity)))
        .collect();
    assert_eq!(closings, [0, 1, 2, 2, 5]);
    let restore: Vec<bool> = Closings::ALL
        .iter()
        .map(|from| from.restores_approved())
        .collect();
    assert_eq!(restore, [false, false, false, true, true]);
    assert!(Openings::ALL.is_sorted() && Closings::ALL.is_sorted());
}

#[test]
fn every_word_reads_back() {
    for from in Openings::ALL {
        assert_eq!(from.as_str().parse(), Ok(*from));
        let yaml = format!("enforce: {{ openings: {from} }}");
        assert_eq!(
            Policy::from_yaml(&yaml, "p").unwrap().enforce.openings,
            *from
        );
    }
    for from in Closings::ALL {
        assert_eq!(from.as_str().parse(), Ok(*from));
        let yaml = format!("enforce: {{ closings: {from} }}");
        assert_eq!(
            Policy::from_yaml(&yaml, "p").unwrap().enforce.closings,
            *from
        );
    }
}

#[test]
fn an_exception_holds_through_its_last_day_and_not_a_second_longer() {
    let exception = &harm().exceptions[0];
    for (now, holds) in [
        ("2026-03-01T00:00:00Z", true),
        ("2026-12-31T23:59:59Z", true),
        ("2027-01-01T00:00:00Z", false),
    ] {
        assert_eq!(exception.holds_at(at(now)), holds, "{now}");
    }
}

#[test]
fn an_exception_is_about_what_it_names() {
    let exceptions = harm().exceptions;
    let (one, another): (ResourceId, ResourceId) =
        ("sg-1".parse().unwrap(), "rtb-9".parse().unwrap());
    let [both, code, resource] = exceptions.as_slice() else {
        panic!("{exceptions:?}")
    };
    assert!(both.covers_finding(FindingCode::SgWorldAny, &one));
    assert!(!both.covers_finding(FindingCode::SgWorldAny, &another));
    assert!(!both.covers_finding(FindingCode::SgNearWorld, &one));
    assert!(!both.covers_resource(&one));
    assert!(
        code.covers_finding(FindingCode::NaclOpen, &another) && !code.covers_resource(&another)
    );
    assert!(resource.covers_resource(&another) && !resource.covers_resource(&one));
    assert!(!resource.covers_finding(FindingCode::NaclOpen, &another));
    assert_eq!(
        both.to_string(),
        "SG-WORLD-ANY on sg-1 until 2026-12-31 (\"the partner moves\")"
    );
}

#[test]
fn a_slip_is_told_with_its_spot_and_what_is_allowed() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "enforce: { opening: high }",
            "line 1, column 12",
            &["opening", "openings", "closings", "kinds"],
        ),
        (
            "enforce:\n  openings: hi",
            "line 2, column 13",
            &["hi", "critical", "none"],
        ),
        ("enforce:\n  openings: High", "line 2, column 13", &["high"]),
        ("enforce:\n  openings:", "line 2", &[]),
        (
            "enforce:\n  closings: medium",
            "line 2, column 13",
            &["medium", "approved", "any"],
        ),
        ("enforce: high", "line 1, column 10", &[]),
        (
            "enforce: { kinds: { nat: {} } }",
            "line 1, column 21",
            &["nat", "security-group"],
        ),
        (
            "enforce: { kinds: { route-table: { mode: strict } } }",
            "line 1, column 36",
            &["mode", "openings"],
        ),
        (
            "enforce: { kinds: { route-table: { openings: } } }",
            "line 1",
            &[],
        ),
        (
            "exceptions: [{ until: 2026-12-31, why: x }]",
            "line 1, column 14",
            &["`code`", "`resource`"],
        ),
        (
            "exceptions:\n  - { code: SG-WORLD, until: 2026-12-31, why: x }",
            "line 2, column 13",
            &["SG-WORLD", "SG-WORLD-ANY"],
        ),
        (
            "exceptions:\n  - { code: , resource: sg-1, until: 2026-12-31, why: x }",
            "line 2",
            &[],
        ),
        (
            "exceptions:\n  - { code: NACL-OPEN, resource: , until: 2026-12-31, why: x }",
            "line 2",
            &[],
        ),
        (
            "exceptions:\n  - { resource: vpc-1, until: 2026-12-31, why: x }",
            "line 2, column 17",
            &["vpc-1", "rtb-…"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, until: 2026-02-30, why: x }",
            "line 2, column 30",
            &["2026-02-30", "2026-12-31"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, until: 2026-12-31T10:00, why: x }",
            "line 2, column 30",
            &["no day"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, until: never, why: x }",
            "line 2, column 30",
            &["never"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, why: x }",
            "line 2",
            &["until"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, until: 2026-12-31 }",
            "line 2",
            &["why"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, until: 2026-12-31, why: ' ' }",
            "line 2, column 47",
            &["reason"],
        ),
        (
            "exceptions:\n  - { principal: x, until: 2026-12-31, why: x }",
            "line 2, column 7",
            &["principal", "resource"],
        ),
        (
            "exceptions:\n  - { resource: sg-1, until: 2026-12-31, why: x }\n  - { resource: sg-1, until: 2027-12-31, why: y }",
            "line 3, column 5",
            &["twice"],
        ),
        (
            "required-tags: [Owner, Owner]",
            "line 1, column 24",
            &["twice"],
        ),
        ("required-tags: ['aws:x']", "line 1, column 17", &["AWS"]),
        ("required-tags: ['']", "line 1, column 17", &["tag key"]),
        (
            "required-tags: Owner",
            "line 1, column 16",
            &["a list is expected here"],
        ),
        ("opt-out: { key: x, value: }", "line 1", &[]),
        ("opt-out:", "line 1", &[]),
    ];
    for (yaml, spot, words) in table {
        let told = Policy::from_yaml(yaml, "p.yaml")
            .expect_err(yaml)
            .to_string();
        assert!(
            told.starts_with("policy p.yaml: ") && told.contains(spot),
            "{yaml}: {told}"
        );
        for word in *words {
            assert!(told.contains(word), "{yaml}: {told} lacks {word}");
        }
    }
}

#[test]
fn variables_say_the_same_as_the_file_as_far_as_they_go() {
    let policy = variables(&[
        ("SNAPBACK_ENFORCE_OPENINGS", " medium "),
        ("SNAPBACK_ENFORCE_CLOSINGS", "high"),
        ("SNAPBACK_REQUIRED_TAGS", "Purpose, Owner"),
        ("SNAPBACK_INTERRUPTIONS", "allow"),
    ]);
    let yaml = "enforce: { openings: medium, closings: high }\nrequired-tags: [Owner, Purpose]\ninterruptions: allow";
    assert_eq!(policy, Ok(Policy::from_yaml(yaml, "p").unwrap()));
    assert_eq!(variables(&[("SNAPBACK_POLICY", HARM)]), Ok(harm()));
}

#[test]
fn a_slip_in_a_variable_names_it() {
    let table: &[(&str, &str, &str)] = &[
        (
            "SNAPBACK_ENFORCE_OPENINGS",
            "approved",
            "allowed: none, critical",
        ),
        ("SNAPBACK_ENFORCE_CLOSINGS", "medium", "approved"),
        ("SNAPBACK_ENFORCE", "high", "SNAPBACK_ENFORCE_OPENINGS"),
        ("SNAPBACK_EXCEPTIONS", "", "SNAPBACK_POLICY"),
        ("SNAPBACK_REQUIRED_TAG", "x", "SNAPBACK_REQUIRED_TAGS"),
        ("SNAPBACK_REQUIRED_TAGS", "aws:x", "AWS"),
        ("SNAPBACK_REQUIRED_TAGS", "Owner,,", "empty item"),
        ("SNAPBACK_INTERRUPTIONS", "yes", "allowed: forbid, allow"),
        ("SNAPBACK_INTERRUPTION", "allow", "SNAPBACK_INTERRUPTIONS"),
    ];
    for (name, value, word) in table {
        let told = variables(&[(name, value)]).unwrap_err().to_string();
        assert!(
            told.starts_with(&format!("{name}: ")) && told.contains(word),
            "{told}"
        );
    }
}

#[test]
fn a_stored_policy_reads_back_whole_and_one_of_before_has_the_defaults() {
    let stored = serde_json::to_string(&harm()).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), harm());
    let before = r#"{"mode":"enforce","kinds":{},"trusted":[],"vpcs":[],"opt_out":null}"#;
    let policy: Policy = serde_json::from_str(before).unwrap();
    assert_eq!(
        policy,
        Policy {
            mode: Mode::Enforce,
            ..Policy::default()
        }
    );
}

#[test]
fn every_key_is_told_with_what_counts() {
    let settings = harm().settings();
    let told = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key).unwrap();
        (setting.value.clone(), setting.is_default)
    };
    assert_eq!(told("mode"), ("observe".into(), true));
    assert_eq!(told("kinds.network-acl"), ("observe".into(), true));
    assert_eq!(told("enforce.openings"), ("medium".into(), false));
    let of_tables = told("enforce.kinds.route-table.openings");
    assert_eq!(of_tables, ("critical".into(), false));
    let inherited = told("enforce.kinds.security-group.openings");
    assert_eq!(inherited, ("medium".into(), true));
    assert_eq!(told("exceptions").0.as_array().unwrap().len(), 3);
    assert!(
        Policy::default()
            .settings()
            .iter()
            .all(|setting| setting.is_default)
    );
}

#[test]
fn interruptions_are_forbidden_until_the_policy_allows_them_and_a_slip_names_its_spot() {
    use crate::policy::Interruptions;
    assert_eq!(Policy::default().interruptions, Interruptions::Forbid);
    for value in Interruptions::ALL {
        let read = Policy::from_yaml(&format!("interruptions: {value}"), "p").unwrap();
        assert_eq!(read.interruptions, value);
    }
    for slip in [
        "interruptions: maybe",
        "interruptions:",
        "interruptions: true",
    ] {
        let told = Policy::from_yaml(slip, "p").unwrap_err().to_string();
        assert!(told.starts_with("policy p: line 1"), "{slip}: {told}");
    }
}
