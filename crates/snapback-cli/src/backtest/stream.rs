//! Records out of one file, one by one, whatever form it has.
//!
//! - Owns: gzip or not; `{"Records":[…]}`, `{"Events":[…]}`, arrays, one document, one a line.
//! - Takes: an open file.
//! - Gives: the JSON text of each element, never the whole file at once.
//! - Must not: know what an element means.

use flate2::bufread::MultiGzDecoder;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// Where and why a file could not be read on.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// `line 3, column 17`, or empty where there is no such place.
    pub spot: String,
    /// What is wrong.
    pub message: String,
}

/// Takes the JSON text of one element with its place in the file.
pub type Sink<'a> = dyn FnMut(&str, &dyn Fn() -> String) + 'a;

/// A first line longer than this is no line of a file of lines.
const LINE_MAX: u64 = 1024 * 1024;
/// A line longer than this is not read.
const RECORD_MAX: u64 = 64 * 1024 * 1024;
const BUFFER: usize = 128 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a file to its end or to the first place where it is broken; in a file of lines a broken
/// line is told and the rest is read.
pub fn read(file: impl Read, is_named_gzip: bool, sink: &mut Sink<'_>) -> Vec<Broken> {
    let mut file = BufReader::with_capacity(BUFFER, file);
    let is_gzip = match file.fill_buf() {
        Ok(start) => start.starts_with(&GZIP),
        Err(error) => return vec![io(&error)],
    };
    if is_gzip {
        let plain = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file));
        return text(plain, sink);
    }
    if is_named_gzip {
        return vec![Broken {
            spot: "byte 0".into(),
            message: "is named .gz but is not gzip".into(),
        }];
    }
    text(file, sink)
}

fn text(mut text: impl BufRead, sink: &mut Sink<'_>) -> Vec<Broken> {
    let mut start = Vec::new();
    if let Err(error) = text.by_ref().take(LINE_MAX).read_until(b'\n', &mut start) {
        // What came before the break still counts; that its JSON ends early is no second defect.
        let _cut_off = documents(start.as_slice(), sink);
        return vec![io(&error)];
    }
    let first = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let is_line = first.ends_with(b"\n") && serde_json::from_slice::<&RawValue>(first).is_ok();
    if is_line {
        let first = first.to_vec();
        return lines(first, text, sink);
    }
    if start.trim_ascii().is_empty() && start.len() < 2 {
        return vec![Broken {
            spot: String::new(),
            message: "is empty".into(),
        }];
    }
    match documents(BufReader::with_capacity(BUFFER, first.chain(text)), sink) {
        Ok(()) => Vec::new(),
        Err(error) => vec![json(&error, 0)],
    }
}

/// One document a line.
fn lines(first: Vec<u8>, mut rest: impl BufRead, sink: &mut Sink<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut line = first;
    let mut number = 1_usize;
    loop {
        if !line.trim_ascii().is_empty() {
            let mut place = |raw: &str, inside: &dyn Fn() -> String| {
                sink(raw, &|| match inside() {
                    inside if inside.is_empty() => format!("line {number}"),
                    inside => format!("line {number}, {inside}"),
                });
            };
            if let Err(error) = documents(line.trim_ascii_end(), &mut place) {
                broken.push(json(&error, number.saturating_sub(1)));
            }
        }
        line.clear();
        number = number.saturating_add(1);
        match rest.by_ref().take(RECORD_MAX).read_until(b'\n', &mut line) {
            Ok(0) => return broken,
            Ok(_) => {}
            Err(error) => {
                broken.push(io(&error));
                return broken;
            }
        }
    }
}

/// Documents one after the other.
fn documents(text: impl Read, sink: &mut Sink<'_>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_reader(text);
    let mut number = 0_usize;
    loop {
        Document { sink, number }.deserialize(&mut json)?;
        number = number.saturating_add(1);
        if json.end().is_ok() {
            return Ok(());
        }
    }
}

/// A document that may be a list of elements, hold one, or be one.
struct Document<'a, 'b> {
    sink: &'a mut Sink<'b>,
    number: usize,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloudTrail events: an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        elements(list, "", self.sink)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut members = String::new();
        let mut is_list = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "Records" || key == "Events" {
                is_list = true;
                map.next_value_seed(List {
                    sink: self.sink,
                    name: &key,
                })?;
                continue;
            }
            let value: Box<RawValue> = map.next_value()?;
            if !is_list {
                let key = serde_json::to_string(&key).map_err(A::Error::custom)?;
                members.push(if members.is_empty() { '{' } else { ',' });
                members.push_str(&key);
                members.push(':');
                members.push_str(value.get());
            }
        }
        if !is_list {
            if members.is_empty() {
                members.push('{');
            }
            members.push('}');
            let number = self.number;
            (self.sink)(&members, &|| match number {
                0 => String::new(),
                number => format!("document {}", number.saturating_add(1)),
            });
        }
        Ok(())
    }
}

struct List<'a, 'b> {
    sink: &'a mut Sink<'b>,
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` to be an array", self.name)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        elements(list, self.name, self.sink)
    }
}

fn elements<'de, A: SeqAccess<'de>>(
    mut list: A,
    name: &str,
    sink: &mut Sink<'_>,
) -> Result<(), A::Error> {
    let mut index = 0_usize;
    while let Some(element) = list.next_element::<Box<RawValue>>()? {
        sink(element.get(), &|| format!("{name}[{index}]"));
        index = index.saturating_add(1);
    }
    Ok(())
}

fn io(error: &std::io::Error) -> Broken {
    let message = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the gzip stream is cut off".into(),
        _ => error.to_string(),
    };
    Broken {
        spot: String::new(),
        message,
    }
}

fn json(error: &serde_json::Error, lines_before: usize) -> Broken {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let line = error.line().saturating_add(lines_before);
    let spot = format!("line {line}, column {}", error.column());
    match error.classify() {
        serde_json::error::Category::Io => {
            let inner =
                std::io::Error::from(error.io_error_kind().unwrap_or(std::io::ErrorKind::Other));
            Broken {
                spot: format!("after {spot}"),
                message: match inner.kind() {
                    std::io::ErrorKind::UnexpectedEof => io(&inner).message,
                    _ => message,
                },
            }
        }
        serde_json::error::Category::Eof => Broken {
            spot,
            message: format!("the JSON is cut off: {message}"),
        },
        serde_json::error::Category::Syntax | serde_json::error::Category::Data => Broken {
            spot,
            message: format!("not JSON events: {message}"),
        },
    }
}
