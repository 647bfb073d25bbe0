//! Whatever a record holds, interpretation ends: with a change, unknown edits or a named reason.

use super::*;
use proptest::prelude::*;

fn json_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~\\u{e9}\\u{202e}]{0,12}".prop_map(Value::from),
        prop_oneof![
            "sg-1",
            "rtb-",
            "acl-1",
            "::/0",
            "0.0.0.0/0",
            "-1",
            "tcp",
            "igw-1",
            "local"
        ]
        .prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(
                "(items|item|value|content|tag|[a-zA-Z]{1,6})",
                inner,
                0..4
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The pointers of every node of a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, value)| pointers(value, &format!("{at}/{name}"), found)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), found)),
        _ => {}
    }
}

fn check(value: Value) {
    let Ok(record) = event::from_value(value) else {
        return;
    };
    for own in [
        Own::default(),
        Own {
            account: Some(ACCOUNT.into()),
            ..Own::default()
        },
    ] {
        let interpretation = interpret(&record, &own);
        let stored = serde_json::to_value(&interpretation).unwrap();
        assert_eq!(
            serde_json::from_value::<Interpretation>(stored).unwrap(),
            interpretation,
            "stored form reads back"
        );
    }
}

/// Found by `fixtures_with_one_member_replaced_never_panic`: such a peer would not read back.
#[test]
fn a_prefix_list_id_that_is_none_makes_the_edits_unknown() {
    let permission = serde_json::json!({"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "prefixListIds": {"items": [{"prefixListId": false}]}});
    let request = serde_json::json!({"groupId": "sg-1", "ipPermissions": {"items": [permission]}});
    let record = event::from_value(json_record(
        "AuthorizeSecurityGroupIngress",
        request,
        serde_json::json!({"_return": true}),
    ));
    match interpret(&record.unwrap(), &Own::default()) {
        Interpretation::Change(change) => assert!(
            matches!(&change.edits, Edits::Unknown { why } if why.contains("prefix list id")),
            "{:?}",
            change.edits
        ),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn fixtures_with_one_member_replaced_never_panic(
        which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), by in json_value(),
    ) {
        let fixtures = fixtures();
        let mut value = which.get(&fixtures).clone();
        let mut places = Vec::new();
        pointers(&value, "", &mut places);
        let place: &String = place.get(&places);
        *value.pointer_mut(place).unwrap() = by;
        check(value);
    }

    #[test]
    fn any_parameters_of_any_api_never_panic(
        name in prop::sample::select(EVENT_NAMES), request in json_value(), response in json_value(),
    ) {
        check(json_record(name, request, response));
    }
}
