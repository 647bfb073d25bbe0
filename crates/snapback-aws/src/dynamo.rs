//! A DynamoDB in memory for tests: transactions, batch reads, queries, and of the expression language
//! exactly the forms that `tables` writes. Anything else fails the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use crate::wire::sdk_with;
use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Items = BTreeMap<(String, String, String), Map<String, Value>>;

/// The tables and the calls made on them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dynamo(Arc<Mutex<(Items, Vec<String>)>>);

impl Dynamo {
    pub(crate) fn sdk(&self) -> SdkConfig {
        sdk_with(self.clone())
    }

    /// The operations called, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().1.clone()
    }

    pub(crate) fn put(&self, table: &str, pk: &str, sk: &str, attributes: Value) {
        let mut item = attributes.as_object().unwrap().clone();
        item.insert("pk".into(), json!({"S": pk}));
        item.insert("sk".into(), json!({"S": sk}));
        self.0
            .lock()
            .unwrap()
            .0
            .insert((table.into(), pk.into(), sk.into()), item);
    }

    /// One attribute, `null` where it is absent. The item must be there.
    pub(crate) fn attribute(&self, table: &str, pk: &str, sk: &str, name: &str) -> Value {
        let held = self.0.lock().unwrap();
        held.0[&(table.into(), pk.into(), sk.into())]
            .get(name)
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn largest_body(&self) -> usize {
        let held = self.0.lock().unwrap();
        held.0
            .values()
            .filter_map(|item| item.get("body")?["S"].as_str().map(str::len))
            .max()
            .unwrap_or_default()
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Value) {
        let operation = request
            .headers()
            .get("x-amz-target")
            .unwrap()
            .split('.')
            .nth(1)
            .unwrap()
            .to_owned();
        let input: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let mut held = self.0.lock().unwrap();
        held.1.push(operation.clone());
        let items = &mut held.0;
        match operation.as_str() {
            "GetItem" => {
                consistent(&input);
                let found = items.get(&key(input["TableName"].as_str().unwrap(), &input["Key"]));
                (200, found.map_or(json!({}), |item| json!({"Item": item})))
            }
            "BatchGetItem" => (200, batch_get(items, &input["RequestItems"])),
            "Query" => (200, query(items, &input)),
            "TransactWriteItems" => transact(items, &input),
            other => panic!("{other} is not expected"),
        }
    }
}

impl HttpConnector for Dynamo {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.answer(&request);
        let mut response =
            HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
        response
            .headers_mut()
            .insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn consistent(input: &Value) {
    assert_eq!(
        input["ConsistentRead"],
        json!(true),
        "reads are consistent: {input}"
    );
}

fn key(table: &str, item: &Value) -> (String, String, String) {
    let part = |name: &str| {
        item[name]["S"]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {item}"))
            .to_owned()
    };
    (table.to_owned(), part("pk"), part("sk"))
}

fn batch_get(items: &Items, wanted: &Value) -> Value {
    let mut responses = Map::new();
    let mut unprocessed = Map::new();
    for (table, request) in wanted.as_object().unwrap() {
        consistent(request);
        let keys = request["Keys"].as_array().unwrap();
        assert!(keys.len() <= 100);
        // As DynamoDB may: a larger batch is answered in part.
        let (now, later) = keys.split_at(keys.len().min(60));
        let found: Vec<_> = now
            .iter()
            .filter_map(|wanted| items.get(&key(table, wanted)))
            .collect();
        responses.insert(table.clone(), json!(found));
        if !later.is_empty() {
            unprocessed.insert(
                table.clone(),
                json!({"Keys": later, "ConsistentRead": true}),
            );
        }
    }
    json!({"Responses": responses, "UnprocessedKeys": unprocessed})
}

fn query(items: &Items, input: &Value) -> Value {
    consistent(input);
    let values = &input["ExpressionAttributeValues"];
    let sk = values[":sk"]["S"].as_str();
    let (prefix, below) = match input["KeyConditionExpression"].as_str().unwrap() {
        "pk = :pk" => ("", None),
        "pk = :pk AND begins_with(sk, :sk)" => (sk.unwrap(), None),
        "pk = :pk AND sk < :sk" => ("", Some(sk.unwrap())),
        other => panic!("key condition {other}"),
    };
    let passes = |item: &Map<String, Value>| match input["FilterExpression"].as_str() {
        None => true,
        Some("attribute_exists(incident)") => item.contains_key("incident"),
        Some("contains(associations, :value)") => {
            let set = item
                .get("associations")
                .and_then(|set| set["SS"].as_array());
            set.is_some_and(|set| set.contains(&values[":value"]["S"]))
        }
        Some(other) => panic!("filter {other}"),
    };
    let after = input["ExclusiveStartKey"]["sk"]["S"]
        .as_str()
        .unwrap_or_default();
    let table = input["TableName"].as_str().unwrap();
    let pk = values[":pk"]["S"].as_str().unwrap();
    let mut matching: Vec<_> = items
        .iter()
        .filter(|((t, p, s), _)| {
            t == table && p == pk && s.starts_with(prefix) && s.as_str() > after
        })
        .filter(|((_, _, s), _)| below.is_none_or(|below| s.as_str() < below))
        .collect();
    if input["ScanIndexForward"] == json!(false) {
        assert_eq!(after, "", "pages backwards are turned by their key");
        matching.reverse();
    }
    let mut rest = matching.into_iter();
    // Short pages, so that every reader must turn them.
    let page: Vec<_> = rest.by_ref().take(7).collect();
    let found: Vec<_> = page
        .iter()
        .map(|(_, item)| *item)
        .filter(|item| passes(item))
        .collect();
    let mut answer = json!({"Items": found, "Count": found.len()});
    if rest.next().is_some() {
        let ((_, pk, sk), _) = page.last().unwrap();
        answer["LastEvaluatedKey"] = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    }
    answer
}

fn transact(items: &mut Items, input: &Value) -> (u16, Value) {
    assert!(
        input["ClientRequestToken"].is_string(),
        "a retry must be recognisable"
    );
    let puts: Vec<&Value> = input["TransactItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["Put"])
        .collect();
    assert!(puts.len() <= 100);
    let address = |put: &Value| key(put["TableName"].as_str().unwrap(), &put["Item"]);
    let mut addresses: Vec<_> = puts.iter().map(|put| address(put)).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), puts.len(), "DynamoDB takes each item once");
    let reasons: Vec<Value> = puts
        .iter()
        .map(|put| json!({"Code": if holds(items.get(&address(put)), put) { "None" } else { "ConditionalCheckFailed" }}))
        .collect();
    if reasons.iter().any(|reason| reason["Code"] != "None") {
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        return (
            400,
            json!({"__type": kind, "message": "cancelled", "CancellationReasons": reasons}),
        );
    }
    for put in puts {
        items.insert(address(put), put["Item"].as_object().unwrap().clone());
    }
    (200, json!({}))
}

fn holds(stored: Option<&Map<String, Value>>, put: &Value) -> bool {
    let number = |value: &Value| {
        value["N"]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let counter = put["ExpressionAttributeNames"]["#counter"].as_str();
    let is = stored.and_then(|item| number(item.get(counter?)?));
    let wanted = number(&put["ExpressionAttributeValues"][":counter"]);
    match put["ConditionExpression"].as_str() {
        None => true,
        Some("attribute_not_exists(pk)") => stored.is_none(),
        Some("#counter = :counter") => is.is_some() && is == wanted,
        Some("attribute_not_exists(pk) OR #counter <= :counter") => {
            stored.is_none() || (is.is_some() && is <= wanted)
        }
        Some(other) => panic!("condition {other}"),
    }
}
