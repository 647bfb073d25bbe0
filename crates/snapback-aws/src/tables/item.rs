//! Keys and bodies of items.

use crate::call::not_sent;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use snapback_app::port::StoreError;
use std::collections::HashMap;
use std::fmt;

/// An item as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The attribute with the value's canonical JSON.
pub const BODY: &str = "body";
/// `true` on entries that close a story: what the stream's filter in `template.yaml` looks at.
pub const CLOSED: &str = "closed";
/// Epoch seconds after which DynamoDB may drop the item.
pub const EXPIRES: &str = "expires";

/// Bytes of a value.
pub(super) const BODY_MAX: usize = snapback_app::port::ITEM_MAX;

/// A primary key of either table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    /// The key alone, as an item.
    pub(super) fn item(&self) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// The key with a value.
    ///
    /// # Errors
    /// The value's JSON is larger than an item can be.
    pub(super) fn with(&self, value: &impl Serialize) -> Result<Item, StoreError> {
        let mut item = self.item();
        item.insert(BODY.to_owned(), AttributeValue::S(self.body(value)?));
        Ok(item)
    }

    fn body(&self, value: &impl Serialize) -> Result<String, StoreError> {
        let what = self.to_string();
        let body = serde_json::to_string(value).map_err(|error| StoreError::Corrupt {
            what: what.clone(),
            message: error.to_string(),
        })?;
        if body.len() > BODY_MAX {
            let message = format!(
                "nothing was written: {} bytes, an item may hold {BODY_MAX}",
                body.len()
            );
            return Err(not_sent("PutItem", &what, "ItemTooLarge", message).into());
        }
        Ok(body)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

/// A text attribute.
pub(super) fn string<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

/// Names an item in errors.
fn name(item: &Item) -> String {
    format!(
        "{}/{}",
        string(item, "pk").unwrap_or("?"),
        string(item, "sk").unwrap_or("?")
    )
}

/// The value in an item.
///
/// # Errors
/// The item has no body, or it is no such value.
pub(super) fn value<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let corrupt = |message: String| StoreError::Corrupt {
        what: name(item),
        message,
    };
    let body = string(item, BODY).ok_or_else(|| corrupt("it has no body".to_owned()))?;
    serde_json::from_str(body).map_err(|error| corrupt(error.to_string()))
}
