//! The query form of a request as a tree: `IpPermissions.1.IpRanges.2.CidrIp=…`.

use crate::account::ApiError;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Members that every request may carry and no call looks at: signature and version.
const COMMON: [&str; 9] = [
    "Action",
    "Version",
    "DryRun",
    "AWSAccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Expires",
];

/// EC2's word for a parameter that is not there.
fn missing(path: &str) -> ApiError {
    ApiError::new(
        "MissingParameter",
        format!("The request must contain the parameter {path}"),
    )
}

/// EC2's word for a value that cannot be read.
pub(super) fn invalid(path: &str, value: &str) -> ApiError {
    ApiError::new(
        "InvalidParameterValue",
        format!("Value ({value}) for parameter {path} is invalid."),
    )
}

#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    below: BTreeMap<String, Node>,
}

impl Node {
    fn leaves(&self, path: &str, found: &mut Vec<String>) {
        if self.text.is_some() {
            found.push(path.to_owned());
        }
        for (name, node) in &self.below {
            node.leaves(&join(path, name), found);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// A whole request. What nobody asked for is told by [`Form::left_over`].
#[derive(Debug, Default)]
pub(super) struct Form {
    root: Node,
    met: RefCell<BTreeSet<String>>,
}

impl Form {
    /// Reads a form body. A name that comes twice keeps its last value, as with EC2.
    pub fn parse(body: &str) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            let mut node = &mut form.root;
            for part in name.split('.') {
                node = node.below.entry(part.to_owned()).or_default();
            }
            node.text = Some(value.into_owned());
        }
        form
    }

    /// The request itself.
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            node: &self.root,
            path: String::new(),
            met: &self.met,
        }
    }

    /// The first parameter that nobody asked for: EC2 refuses what it does not know.
    pub fn left_over(&self) -> Option<String> {
        let mut leaves = Vec::new();
        self.root.leaves("", &mut leaves);
        let met = self.met.borrow();
        leaves.into_iter().find(|path| {
            !met.contains(path) && !COMMON.contains(&path.as_str()) && !path.starts_with("X-Amz-")
        })
    }
}

/// The members at one place of a request.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    node: &'a Node,
    path: String,
    met: &'a RefCell<BTreeSet<String>>,
}

impl<'a> Fields<'a> {
    /// Where this is, as the request writes it.
    pub fn at(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// The value of this place itself: an element of a list of texts.
    fn own(&self) -> Option<&'a str> {
        self.met.borrow_mut().insert(self.path.clone());
        self.node.text.as_deref()
    }

    /// A text; empty where it was sent empty.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.below(name)?.own()
    }

    /// A text that must be there, and not empty.
    pub fn required(&self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| missing(&self.at(name)))
    }

    /// A text where there is one that is not empty.
    pub fn some(&self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Anything that is read from its text.
    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let text = self.some(name);
        text.map(|text| text.parse().map_err(|_| invalid(&self.at(name), text)))
            .transpose()
    }

    /// Anything that is read from its text and must be there.
    pub fn required_parsed<T: std::str::FromStr>(&self, name: &str) -> Result<T, ApiError> {
        self.parsed(name)?.ok_or_else(|| missing(&self.at(name)))
    }

    /// A flag: `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.some(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(invalid(&self.at(name), other)),
        }
    }

    /// A structure, where any member of it was sent.
    pub fn below(&self, name: &str) -> Option<Fields<'a>> {
        let node = self.node.below.get(name)?;
        Some(Self {
            node,
            path: self.at(name),
            met: self.met,
        })
    }

    /// A list: its elements by ascending number, gaps allowed.
    pub fn list(&self, name: &str) -> Vec<Fields<'a>> {
        let Some(list) = self.below(name) else {
            return Vec::new();
        };
        // An empty list is sent as the bare name.
        if list.node.text.as_deref() == Some("") {
            list.own();
        }
        let mut numbered: Vec<(u32, &str)> = list
            .node
            .below
            .keys()
            .filter_map(|key| key.parse().ok().map(|number| (number, key.as_str())))
            .collect();
        numbered.sort_unstable();
        numbered
            .into_iter()
            .filter_map(|(_, key)| list.below(key))
            .collect()
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Vec<&'a str> {
        self.list(name)
            .iter()
            .filter_map(|element| element.own())
            .collect()
    }

    /// A list of ids.
    pub fn ids<T: From<&'a str>>(&self, name: &str) -> Vec<T> {
        self.texts(name).into_iter().map(T::from).collect()
    }

    /// An id that must be there.
    pub fn id<T: From<&'a str>>(&self, name: &str) -> Result<T, ApiError> {
        self.required(name).map(T::from)
    }
}
