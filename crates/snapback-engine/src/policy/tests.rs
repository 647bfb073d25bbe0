#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod harm;
mod states;

use super::*;
use proptest::prelude::*;

const FULL: &str = "
mode: enforce            # observe | enforce | strict
kinds: { security-group: strict, network-acl: observe }
trusted: [\"arn:aws:iam::*:role/deploy-*\", 'arn:aws:iam::123456789012:user/ann']
vpcs: [vpc-1, vpc-2]
opt-out: { key: snapback, value: exempt }
";

fn refusal(yaml: &str) -> String {
    Policy::from_yaml(yaml, "p.yaml").unwrap_err().to_string()
}

#[test]
fn a_full_policy_is_read() {
    let policy = Policy::from_yaml(FULL, "p.yaml").unwrap();
    assert_eq!(policy.mode, Mode::Enforce);
    assert_eq!(policy.mode_of(Kind::SecurityGroup), Mode::Strict);
    assert_eq!(policy.mode_of(Kind::NetworkAcl), Mode::Observe);
    assert_eq!(policy.mode_of(Kind::RouteTable), Mode::Enforce);
    assert!(policy.trusts("arn:aws:iam::999999999999:role/deploy-blue"));
    assert!(
        policy.guards(Some(&"vpc-2".into()))
            && !policy.guards(Some(&"vpc-3".into()))
            && policy.guards(None)
    );
    let tags = |value: &str| Tags::from([("snapback".to_owned(), value.to_owned())]);
    assert!(policy.exempts(Some(&tags("exempt"))));
    assert!(
        !policy.exempts(Some(&tags("no")))
            && !policy.exempts(Some(&Tags::new()))
            && !policy.exempts(None)
    );
}

#[test]
fn the_default_observes_everything_and_trusts_nobody() {
    for empty in ["", "# nothing\n", "{}"] {
        assert_eq!(
            Policy::from_yaml(empty, "p.yaml").unwrap(),
            Policy::default()
        );
    }
    let policy = Policy::from_variables(&BTreeMap::new()).unwrap();
    assert_eq!(policy, Policy::default());
    assert_eq!(policy.mode_of(Kind::RouteTable), Mode::Observe);
    assert!(!policy.trusts("arn:aws:iam::999999999999:role/deploy-blue"));
}

#[test]
fn a_slip_in_the_file_is_told_with_its_spot_and_what_is_allowed() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "mod: enforce",
            "line 1, column 1",
            &["mod", "mode", "trusted"],
        ),
        (
            "mode: enforc",
            "line 1, column 7",
            &["enforc", "observe", "strict"],
        ),
        ("mode: Enforce", "line 1, column 7", &["observe"]),
        (
            "mode: enforce\nmode: observe",
            "line 2, column 1",
            &["`mode` stands here twice"],
        ),
        (
            "\nkinds: { security-groups: enforce }",
            "line 2, column 10",
            &["security-groups", "security-group"],
        ),
        (
            "kinds:\n  network-acl: off",
            "line 2, column 16",
            &["observe"],
        ),
        ("trusted:\n  - '*'", "line 2, column 5", &["everybody"]),
        ("trusted: ['']", "line 1, column 11", &["everybody"]),
        (
            "trusted:\n  - deploy-role",
            "line 2, column 5",
            &["no ARN", "arn:aws:iam"],
        ),
        (
            "trusted: ['arn:aws:iam::12:role/x']",
            "line 1, column 11",
            &["twelve digits"],
        ),
        (
            "trusted: ['arn:aws:iam::*:*']",
            "line 1, column 11",
            &["everybody"],
        ),
        (
            "trusted: ['arn:aws:sts::123456789012:assumed-role/x/*']",
            "line 1, column 11",
            &["role behind it"],
        ),
        (
            "trusted: ['arn:aws:iam::*:role/a', 'arn:aws:iam::*:role/a']",
            "line 1, column 36",
            &["twice"],
        ),
        (
            "trusted: 'arn:aws:iam::*:role/a'",
            "line 1, column 10",
            &["a list is expected here"],
        ),
        ("trusted:", "line 1, column", &[]),
        ("vpcs: [subnet-1]", "line 1, column 8", &["vpc-…"]),
        ("vpcs: [vpc-1, vpc-1]", "line 1, column 15", &["twice"]),
        ("opt-out: { key: '' }", "line 1, column 17", &["key"]),
        ("opt-out: { key: aws:x }", "line 1, column 17", &["AWS"]),
        ("opt-out: { kee: x }", "line 1, column 12", &["kee", "key"]),
        ("mode: [", "line 1", &[]),
        ("mode: enforce\n---\nmode: strict", "line", &[]),
    ];
    for (yaml, spot, words) in table {
        let told = refusal(yaml);
        assert!(told.starts_with("policy p.yaml: line "), "{yaml}: {told}");
        assert!(
            !told.contains(" at line"),
            "{yaml}: the spot is told twice: {told}"
        );
        for word in [spot].into_iter().chain(words.iter()) {
            assert!(told.contains(word), "{yaml}: {told} lacks {word}");
        }
    }
}

#[test]
fn a_bomb_is_refused() {
    let mut bomb = String::from("trusted:\n - &a [x,x,x,x,x,x,x,x,x]\n");
    for (name, of) in ('b'..='z').zip('a'..) {
        bomb.push_str(&format!(
            " - &{name} [*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of}]\n"
        ));
    }
    assert!(Policy::from_yaml(&bomb, "p").is_err());
    assert!(Policy::from_yaml(&"[".repeat(100_000), "p").is_err());
    assert!(refusal(&" ".repeat(300 * 1024)).contains("longer than"));
}

#[test]
fn a_pattern_stands_for_the_whole_arn_and_nothing_else() {
    let table = [
        ("arn:aws:iam::1*2:role/a", "arn:aws:iam::1x2:role/a", true),
        (
            "arn:aws:iam::*:role/deploy-*",
            "arn:aws:iam::1:role/deploy-",
            true,
        ),
        (
            "arn:aws:iam::*:role/deploy-*",
            "arn:aws:iam::1:role/path/deploy-x",
            false,
        ),
        (
            "arn:aws:iam::*:role/*/deploy-*",
            "arn:aws:iam::1:role/path/deploy-x",
            true,
        ),
        (
            "arn:aws:iam::*:role/deploy",
            "arn:aws:iam::1:role/deploy-x",
            false,
        ),
        (
            "arn:aws:iam::*:role/deploy",
            "arn:aws:iam::1:role/Deploy",
            false,
        ),
        (
            "arn:aws:iam::*:role/a*b*c",
            "arn:aws:iam::1:role/a1b2c3c",
            true,
        ),
        (
            "arn:aws:iam::*:role/a*b*c",
            "arn:aws:iam::1:role/a1c2b",
            false,
        ),
        ("arn:aws:iam::*:role/a*a", "arn:aws:iam::1:role/a", false),
        (
            "arn:aws:iam::*:role/a.c?",
            "arn:aws:iam::1:role/abc?",
            false,
        ),
        ("arn:aws:iam::*:role/d**", "arn:aws:iam::1:role/d", true),
    ];
    for (pattern, principal, expected) in table {
        let policy = Policy {
            trusted: vec![pattern.parse().unwrap()],
            ..Policy::default()
        };
        assert_eq!(policy.trusts(principal), expected, "{pattern} {principal}");
    }
}

proptest! {
    #[test]
    fn matching_agrees_with_the_plain_definition(pattern in "[ab*]{0,7}", text in "[ab]{0,7}") {
        fn plain(pattern: &[u8], text: &[u8]) -> bool {
            match pattern {
                [] => text.is_empty(),
                [b'*', rest @ ..] => (0..=text.len()).any(|from| plain(rest, &text[from..])),
                [byte, rest @ ..] => text.first() == Some(byte) && plain(rest, &text[1..]),
            }
        }
        let whole: PrincipalPattern = format!("arn:aws:iam::123456789012:role/{pattern}").parse().unwrap();
        let principal = format!("arn:aws:iam::123456789012:role/{text}");
        prop_assert_eq!(whole.matches(&principal), plain(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in "\\PC{0,60}") {
        let _either = Policy::from_yaml(&text, "p");
    }
}

fn variables(pairs: &[(&str, &str)]) -> Result<Policy, PolicyError> {
    Policy::from_variables(
        &pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    )
}

#[test]
fn variables_say_the_same_as_the_file() {
    let policy = variables(&[
        ("SNAPBACK_MODE", " enforce "),
        ("SNAPBACK_MODE_SECURITY_GROUP", "strict"),
        ("SNAPBACK_MODE_NETWORK_ACL", "observe"),
        ("SNAPBACK_MODE_ROUTE_TABLE", ""),
        (
            "SNAPBACK_TRUSTED_PRINCIPALS",
            "arn:aws:iam::*:role/deploy-* , arn:aws:iam::123456789012:user/ann",
        ),
        ("SNAPBACK_VPCS", "vpc-1,vpc-2"),
        ("SNAPBACK_OPT_OUT_TAG", "snapback=exempt"),
        ("SNAPBACK_TABLE", "anything"),
        ("PATH", "/bin"),
    ]);
    assert_eq!(policy, Ok(Policy::from_yaml(FULL, "p").unwrap()));
    assert_eq!(
        variables(&[("SNAPBACK_POLICY", FULL), ("SNAPBACK_MODE", "")]),
        policy
    );
    let any_value = variables(&[("SNAPBACK_OPT_OUT_TAG", "snapback:exempt")])
        .unwrap()
        .opt_out
        .unwrap();
    assert_eq!(
        (any_value.key.as_str(), any_value.value),
        ("snapback:exempt", None)
    );
}

#[test]
fn a_slip_in_a_variable_is_told_with_its_name() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let table: &[(Pairs<'_>, &str, &str)] = &[
        (
            &[("SNAPBACK_MODE", "enforced")],
            "SNAPBACK_MODE: ",
            "allowed: observe, enforce, strict",
        ),
        (
            &[("SNAPBACK_MODE_SG", "enforce")],
            "SNAPBACK_MODE_SG: ",
            "SNAPBACK_MODE_SECURITY_GROUP",
        ),
        (
            &[("SNAPBACK_MODES", "")],
            "SNAPBACK_MODES: ",
            "unknown variable",
        ),
        (
            &[("snapback_mode", "enforce")],
            "snapback_mode: ",
            "unknown variable",
        ),
        (
            &[("SNAPBACK_TRUSTED", "x")],
            "SNAPBACK_TRUSTED: ",
            "SNAPBACK_TRUSTED_PRINCIPALS",
        ),
        (
            &[("SNAPBACK_TRUSTED_PRINCIPALS", "*")],
            "SNAPBACK_TRUSTED_PRINCIPALS: ",
            "everybody",
        ),
        (
            &[("SNAPBACK_TRUSTED_PRINCIPALS", "arn:aws:iam::*:role/a,")],
            "SNAPBACK_TRUSTED_PRINCIPALS: ",
            "empty item",
        ),
        (
            &[("SNAPBACK_VPCS", "vpc-1, vpc-1")],
            "SNAPBACK_VPCS: ",
            "twice",
        ),
        (
            &[("SNAPBACK_VPC", "vpc-1")],
            "SNAPBACK_VPC: ",
            "SNAPBACK_VPCS",
        ),
        (&[("SNAPBACK_VPCS", "vpc-")], "SNAPBACK_VPCS: ", "vpc-…"),
        (
            &[("SNAPBACK_OPT_OUT_TAG", "=x")],
            "SNAPBACK_OPT_OUT_TAG: ",
            "tag key",
        ),
        (
            &[
                ("SNAPBACK_POLICY", "mode: enforce"),
                ("SNAPBACK_MODE", "strict"),
            ],
            "SNAPBACK_MODE: ",
            "SNAPBACK_POLICY alone",
        ),
        (
            &[("SNAPBACK_POLICY", "mode: enforc")],
            "policy SNAPBACK_POLICY: line 1, column 7: ",
            "observe",
        ),
    ];
    for (pairs, start, word) in table {
        let told = variables(pairs).unwrap_err().to_string();
        assert!(
            told.starts_with(start) && told.contains(word),
            "{pairs:?}: {told}"
        );
    }
}

#[test]
fn a_stored_policy_reads_back_and_is_checked_again() {
    let policy = Policy::from_yaml(FULL, "p").unwrap();
    let stored = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
    assert!(serde_json::from_str::<PrincipalPattern>("\"*\"").is_err());
}

#[test]
fn deleted_things_are_made_again_unless_the_policy_says_no() {
    let usual = Policy::from_yaml("mode: enforce", "p").unwrap();
    assert!(Kind::ALL.into_iter().all(|kind| usual.recreate.of(kind)));
    let some = Policy::from_yaml("recreate: { network-acl: false }", "p").unwrap();
    let kinds: Vec<bool> = Kind::ALL
        .into_iter()
        .map(|kind| some.recreate.of(kind))
        .collect();
    assert_eq!(kinds, [true, false, true]);
    let key = |key: &str| {
        some.settings()
            .into_iter()
            .find(|setting| setting.key == key)
    };
    assert!(!key("recreate.network-acl").unwrap().is_default);
    assert!(key("recreate.route-table").unwrap().is_default);
    assert!(!usual.recreate.nat && !some.recreate.nat);
    let nat = Policy::from_yaml("recreate: { nat: true }", "p").unwrap();
    assert!(nat.recreate.nat && nat.recreate.route_table);
    assert!(key("recreate.nat").unwrap().is_default);
    for slip in [
        "recreate: { nat: maybe }",
        "recreate: { nat-gateway: true }",
        "recreate: { network-acl: maybe }",
        "recreate: true",
    ] {
        assert!(Policy::from_yaml(slip, "p").is_err(), "{slip}");
    }
    let stored: Policy = serde_json::from_str(
        r#"{"mode":"observe","kinds":{},"trusted":[],"vpcs":[],"opt_out":null}"#,
    )
    .unwrap();
    assert_eq!(stored, Policy::default());
}

const LIMITS: &str = "
budgets: { calls-a-plan: 7, reverts-of-a-resource-an-hour: 2, resources-reverted-in-ten-minutes: 3 }
breaker: { rounds: 4, window: 2h, quiet: 90s }
quiet: { after: 45s, longest: 5m, changes: 6 }
";

#[test]
fn budgets_breaker_and_quiet_are_read_from_both_forms_alike() {
    let file = Policy::from_yaml(LIMITS, "p.yaml").unwrap();
    assert_eq!(file.budgets.calls_a_plan.get(), 7);
    assert_eq!(file.breaker.window.duration().as_secs(), 7200);
    assert_eq!(file.quiet.after.to_string(), "45s");
    let variables = [
        ("SNAPBACK_BUDGET_CALLS_A_PLAN", "7"),
        ("SNAPBACK_BUDGET_REVERTS_OF_A_RESOURCE_AN_HOUR", "2"),
        ("SNAPBACK_BUDGET_RESOURCES_REVERTED_IN_TEN_MINUTES", "3"),
        ("SNAPBACK_BREAKER_ROUNDS", "4"),
        ("SNAPBACK_BREAKER_WINDOW", "120m"),
        ("SNAPBACK_BREAKER_QUIET", "90s"),
        ("SNAPBACK_QUIET_AFTER", "45s"),
        ("SNAPBACK_QUIET_LONGEST", "300s"),
        ("SNAPBACK_QUIET_CHANGES", " 6 "),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(
        Policy::from_variables(&BTreeMap::from(variables)).unwrap(),
        file
    );
    let partly = Policy::from_yaml("quiet: { changes: 6 }", "p.yaml").unwrap();
    assert_eq!(partly.quiet.after, Quiet::default().after);
    let text = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), file);
}

#[test]
fn limits_that_mean_nothing_are_refused_with_their_spot() {
    for yaml in [
        "budgets: { calls-a-plan: 0 }",
        "budgets: { calls: 5 }",
        "budgets: { calls-a-plan: many }",
        "breaker: { window: 0s }",
        "breaker: { window: 10 }",
        "breaker: { quiet: -5m }",
        "quiet: { after: 25h }",
        "quiet: { longest: 1d }",
        "quiet: { after: '+5s' }",
        "budgets: { accounts: 2 }",
    ] {
        let words = refusal(yaml);
        assert!(
            words.starts_with("policy p.yaml: line 1, column "),
            "{yaml}: {words}"
        );
    }
    assert!(refusal("quiet: { after: soon }").contains("as in 45s, 10m, 1h"));
    for (name, value) in [
        ("SNAPBACK_BUDGET_CALLS_A_PLAN", "0"),
        ("SNAPBACK_QUIET_AFTER", "soon"),
        ("SNAPBACK_BUDGETS", "5"),
        ("SNAPBACK_BREAKER", "3"),
    ] {
        let variables = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let words = Policy::from_variables(&variables).unwrap_err().to_string();
        assert!(words.starts_with(name), "{words}");
    }
}

#[test]
fn every_limit_is_shown_with_its_value_and_whether_it_is_the_usual_one() {
    let policy = Policy::from_yaml("breaker: { quiet: 1h }", "p.yaml").unwrap();
    let settings = policy.settings();
    let shown = |key: &str| settings.iter().find(|setting| setting.key == key).unwrap();
    assert_eq!(shown("breaker.quiet").value, "1h");
    assert!(!shown("breaker.quiet").is_default);
    assert_eq!(shown("budgets.calls-a-plan").value, 100);
    assert!(shown("quiet.longest").is_default);
}
