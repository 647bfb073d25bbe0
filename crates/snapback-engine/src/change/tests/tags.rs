//! Tags: no change of the network, read only where it is asked who set them.

use super::*;
use crate::change::retagged;

fn request(tags: Value) -> Value {
    json!({
        "resourcesSet": {"items": [{"resourceId": "sg-1"}, {"resourceId": "i-1"}, {"resourceId": "rtb-1"}]},
        "tagSet": {"items": [tags]},
    })
}

fn edits(name: &str, request: Value) -> Vec<String> {
    let change = retagged(&record(name, request, Value::Null), &Own::default());
    let Some(Edits::Known(edits)) = change.map(|change| change.edits) else {
        return Vec::new();
    };
    edits.iter().map(ToString::to_string).collect()
}

#[test]
fn tags_of_guarded_resources_are_read_and_of_others_passed_over() {
    let set = request(json!({"key": "team", "value": "net"}));
    assert_eq!(
        edits("CreateTags", set),
        [
            "sg-1: tag \"team\" set to \"net\"",
            "rtb-1: tag \"team\" set to \"net\""
        ]
    );
    let without_value = request(json!({"key": "team"}));
    assert_eq!(
        edits("DeleteTags", without_value),
        ["sg-1: tag \"team\" removed", "rtb-1: tag \"team\" removed"]
    );
    let of_others = json!({
        "resourcesSet": {"items": [{"resourceId": "i-1"}]},
        "tagSet": {"items": [{"key": "team", "value": "net"}]},
    });
    assert_eq!(edits("CreateTags", of_others), Vec::<String>::new());
    assert_eq!(edits("CreateTags", Value::Null), Vec::<String>::new());
    let other = json!({"groupId": "sg-1"});
    assert_eq!(edits("DeleteSecurityGroup", other), Vec::<String>::new());
}

#[test]
fn our_own_tags_are_nobodys_change() {
    let record = record(
        "CreateTags",
        request(json!({"key": "team", "value": "net"})),
        Value::Null,
    );
    let change = retagged(&record, &Own::default()).unwrap();
    let own = Own {
        roles: BTreeSet::from([change.actor.principal]),
        ..Own::default()
    };
    assert_eq!(retagged(&record, &own), None);
}
