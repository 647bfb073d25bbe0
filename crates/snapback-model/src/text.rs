//! Text forms of canonical values: one spelling each, parsed back exactly.

use std::fmt;

/// A text that is not the canonical form of the value it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseError {
    /// What was expected, with its article ("a security group rule").
    pub expected: &'static str,
    /// The offending text.
    pub text: String,
}

impl ParseError {
    /// A parse error for `text`, which should have been `expected`.
    pub fn new(expected: &'static str, text: impl fmt::Display) -> Self {
        Self {
            expected,
            text: text.to_string(),
        }
    }
}

/// Serialises a type by its `Display` and `FromStr`, so that it can be a JSON map key.
macro_rules! serde_by_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text =
                    <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_by_text;
