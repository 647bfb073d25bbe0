//! Pages of a listing: `MaxResults` and `NextToken` within EC2's page sizes.

use super::form::Fields;
use crate::account::ApiError;
use serde_json::Value;

/// The smallest and the largest page of an action; the largest is given where none is asked for.
pub(super) type Sizes = (usize, usize);

/// One page.
pub(super) struct Page {
    /// What it shows.
    pub items: Vec<Value>,
    /// Where the next one begins.
    pub next: Option<String>,
}

/// A token names the listing and the key after which it goes on: what is deleted or made between
/// two pages shifts nothing.
fn token(action: &str, last: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in format!("{action} {last}").bytes() {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

fn after(action: &str, token: &str) -> Result<String, ApiError> {
    let bad = || {
        ApiError::new(
            "InvalidPaginationToken",
            "The specified pagination token is not valid or is expired.",
        )
    };
    let digits: Vec<char> = token.chars().collect();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok())
        .collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(bad)?;
    let (named, last) = text.split_once(' ').ok_or_else(bad)?;
    if named == action {
        Ok(last.to_owned())
    } else {
        Err(bad())
    }
}

/// Cuts a page out of a listing that is ordered by `key`.
pub(super) fn page(
    action: &str,
    sizes: Sizes,
    fields: &Fields<'_>,
    items: Vec<Value>,
    key: impl Fn(&Value) -> String,
) -> Result<Page, ApiError> {
    let (smallest, largest) = sizes;
    let asked = fields.parsed::<i64>("MaxResults")?;
    let size = match asked {
        None => largest,
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|size| (smallest..=largest).contains(size))
            .ok_or_else(|| {
                ApiError::new(
                    "InvalidParameterValue",
                    format!(
                        "Value ( {asked} ) for parameter maxResults is invalid. Expecting a value between {smallest} and {largest}."
                    ),
                )
            })?,
    };
    let begin = match fields.some("NextToken") {
        None => None,
        Some(token) => Some(after(action, token)?),
    };
    let mut rest: Vec<Value> = items
        .into_iter()
        .filter(|item| begin.as_ref().is_none_or(|last| key(item) > *last))
        .collect();
    let next = (rest.len() > size)
        .then(|| rest.get(size.saturating_sub(1)).map(&key))
        .flatten()
        .map(|last| token(action, &last));
    rest.truncate(size);
    Ok(Page { items: rest, next })
}
