//! Reading request parameters and response elements whatever style they came in
//! (cloudtrail-shapes.md 2 and 8): one reader for members, one for lists, one for scalars.

use ipnet::IpNet;
use serde_json::Value;
use snapback_model::{AccountId, PrefixListId, Tags};

/// A place in a parameter object that may be absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a>(Option<&'a Value>);

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// The member of this name, its first letter in either case.
    pub(super) fn get(self, name: &str) -> Self {
        let Some(Value::Object(map)) = self.0 else {
            return Self(None);
        };
        Self(map.get(name).or_else(|| {
            let mut letters = name.chars();
            let first = letters.next()?;
            map.get(&format!(
                "{}{}",
                first.to_ascii_uppercase(),
                letters.as_str()
            ))
        }))
    }

    /// The first of these members that is there and not empty.
    pub(super) fn any(self, names: &[&str]) -> Self {
        names
            .iter()
            .map(|name| self.get(name))
            .find(|node| !node.is_empty())
            .unwrap_or(Self(None))
    }

    /// Absent, `null`, `""`, `{}` or `[]`.
    pub(super) fn is_empty(self) -> bool {
        match self.0 {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Bool(_) | Value::Number(_)) => false,
        }
    }

    /// Whether the member was sent at all, empty or not.
    pub(super) fn is_present(self) -> bool {
        !matches!(self.0, None | Some(Value::Null))
    }

    /// The members of an object by name, tags of the wrapped style left out.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let map = match self.0 {
            Some(Value::Object(map)) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), Self::new(value)))
    }

    /// A scalar as text: string, number, boolean, `{"value":…}` or `{"content":…}`. Empty is absent.
    pub(super) fn text(self) -> Option<String> {
        match self.0? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Number(number) => Some(whole(number)),
            Value::Object(map) => {
                let inner = ["value", "content", "Value"]
                    .iter()
                    .find_map(|name| map.get(*name))?;
                (!inner.is_object())
                    .then(|| Self::new(inner).text())
                    .flatten()
            }
            Value::Null | Value::Array(_) => None,
        }
    }

    pub(super) fn integer(self) -> Option<i64> {
        self.text()?.trim().parse().ok()
    }

    pub(super) fn boolean(self) -> Option<bool> {
        self.text()?.to_ascii_lowercase().parse().ok()
    }

    /// An account id; one that was guessed to be a number has lost its leading zeros.
    pub(super) fn account(self) -> Option<AccountId> {
        let text = self.text()?;
        Some(match self.0 {
            Some(Value::Number(_)) => AccountId::new(format!("{text:0>12}")),
            _ => AccountId::new(text),
        })
    }

    /// The elements of a list in any of its forms: absent, `""`, `{}`, `{"items":[…]}`,
    /// `{"item":X}`, a bare object (with or without `tag`), an array, a scalar.
    pub(super) fn list(self) -> Vec<Self> {
        if self.is_empty() {
            return Vec::new();
        }
        match self.0 {
            Some(Value::Array(list)) => list.iter().map(Self::new).collect(),
            Some(Value::Object(map)) => match map.get("items").or_else(|| map.get("item")) {
                Some(inner) => Self::new(inner).list(),
                None => vec![self],
            },
            Some(_) => vec![self],
            None => Vec::new(),
        }
    }

    /// `tagSet`-like members: key to value, values as text.
    pub(super) fn tags(self) -> Tags {
        self.list()
            .into_iter()
            .filter_map(|tag| {
                Some((
                    tag.get("key").text()?,
                    tag.get("value").text().unwrap_or_default(),
                ))
            })
            .collect()
    }

    /// The tags of `tagSpecificationSet` (flat) or `TagSpecification` (wrapped) for one resource type.
    pub(super) fn tags_for(self, resource_type: &str) -> Tags {
        self.any(&["tagSpecificationSet", "tagSpecification"])
            .list()
            .into_iter()
            .filter(|specification| {
                specification.get("resourceType").text().as_deref() == Some(resource_type)
            })
            .flat_map(|specification| specification.any(&["tags", "tag"]).tags())
            .collect()
    }

    /// The text of a member that the call cannot do without.
    pub(super) fn need(self, name: &str) -> Result<String, String> {
        self.get(name)
            .text()
            .ok_or_else(|| format!("`{name}` is missing"))
    }
}

/// A number as AWS writes ids and ports: guessed floats (`12348395.0`) lose their fraction.
fn whole(number: &serde_json::Number) -> String {
    let text = number.to_string();
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A network in canonical form.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    text.trim()
        .parse::<IpNet>()
        .map(|net| net.trunc())
        .map_err(|_| format!("`{text}` is not a network"))
}

/// A prefix list id, which begins as AWS's ids of prefix lists do: only so its text reads back.
pub(super) fn prefix_list_id(text: String) -> Result<PrefixListId, String> {
    if text.starts_with("pl-") {
        Ok(PrefixListId::new(text))
    } else {
        Err(format!("`{text}` is not a prefix list id"))
    }
}
