//! `Filter.N.Name` and `Filter.N.Value.M`: which items of a listing are shown.

use super::form::Fields;
use crate::account::ApiError;
use serde_json::Value;

/// The filters of a listing: EC2's name, and the member of the item that it looks at, as a path
/// through structures and lists.
pub(super) type Filters = &'static [(&'static str, &'static str)];

/// Texts at a path; lists are walked through.
fn texts_at(value: &Value, path: &[&str], found: &mut Vec<String>) {
    match (value, path.split_first()) {
        (Value::Array(elements), _) => elements
            .iter()
            .for_each(|element| texts_at(element, path, found)),
        (Value::Object(members), Some((first, rest))) => {
            if let Some(below) = members.get(*first) {
                texts_at(below, rest, found);
            }
        }
        (Value::String(text), None) => found.push(text.clone()),
        (Value::Bool(flag), None) => found.push(flag.to_string()),
        (Value::Number(number), None) => found.push(number.to_string()),
        _ => {}
    }
}

/// Whether a text matches a pattern in which `*` stands for any characters, `?` for one and `\`
/// takes the next one as it is.
fn matches(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => {
            (0..=text.len()).any(|skip| text.get(skip..).is_some_and(|tail| matches(rest, tail)))
        }
        Some(('?', rest)) => text
            .split_first()
            .is_some_and(|(_, tail)| matches(rest, tail)),
        Some(('\\', rest)) => match rest.split_first() {
            Some((literal, rest)) => text
                .split_first()
                .is_some_and(|(char, tail)| char == literal && matches(rest, tail)),
            None => text == ['\\'],
        },
        Some((literal, rest)) => text
            .split_first()
            .is_some_and(|(char, tail)| char == literal && matches(rest, tail)),
    }
}

fn any_matches(values: &[&str], texts: &[String]) -> bool {
    values.iter().any(|value| {
        let pattern: Vec<char> = value.chars().collect();
        texts
            .iter()
            .any(|text| matches(&pattern, &text.chars().collect::<Vec<_>>()))
    })
}

/// Tags of an item, under either of the two names that EC2 has for them.
fn tags(item: &Value) -> impl Iterator<Item = (&str, &str)> {
    ["Tags", "TagSet"]
        .into_iter()
        .filter_map(|member| item.get(member)?.as_array())
        .flatten()
        .filter_map(|tag| Some((tag.get("Key")?.as_str()?, tag.get("Value")?.as_str()?)))
}

fn looked_at(name: &str, filters: Filters, item: &Value) -> Option<Vec<String>> {
    if let Some(key) = name.strip_prefix("tag:") {
        let values = tags(item).filter(|(tag, _)| *tag == key);
        return Some(values.map(|(_, value)| value.to_owned()).collect());
    }
    if name == "tag-key" {
        return Some(tags(item).map(|(key, _)| key.to_owned()).collect());
    }
    let (_, path) = filters.iter().find(|(known, _)| *known == name)?;
    let path: Vec<&str> = path.split('.').collect();
    let mut found = Vec::new();
    texts_at(item, &path, &mut found);
    Some(found)
}

/// Keeps the items that every filter of the request lets through.
pub(super) fn apply(
    fields: &Fields<'_>,
    filters: Filters,
    mut items: Vec<Value>,
) -> Result<Vec<Value>, ApiError> {
    for filter in fields.list("Filter") {
        let name = filter.required("Name")?;
        let values = filter.texts("Value");
        let is_known = name.starts_with("tag:")
            || name == "tag-key"
            || filters.iter().any(|(known, _)| *known == name);
        if !is_known {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("The filter '{name}' is invalid"),
            ));
        }
        if values.is_empty() {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("The filter '{name}' has no values"),
            ));
        }
        items.retain(|item| {
            looked_at(name, filters, item).is_some_and(|texts| any_matches(&values, &texts))
        });
    }
    Ok(items)
}
