//! Colours, and what goes to stderr.
#![allow(
    clippy::print_stderr,
    reason = "this room prints; stderr is for people, stdout for data"
)]

use anstyle::{AnsiColor, Style};

/// Names of things.
pub const BOLD: Style = Style::new().bold();
/// Side remarks.
pub const DIM: Style = Style::new().dimmed();
/// What live has too much, and errors.
pub const RED: Style = AnsiColor::Red.on_default();
/// What live lacks.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// What changed, and warnings.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Tells an error with its causes.
pub fn error(error: &anyhow::Error) {
    anstream::eprintln!("{RED}snapback:{RED:#} {}", printable(&format!("{error:#}")));
}

/// Tells something the reader should know before trusting the output.
pub fn warn(text: &str) {
    anstream::eprintln!("{YELLOW}snapback: note:{YELLOW:#} {}", printable(text));
}

/// Tells how it goes.
pub fn note(text: &str) {
    anstream::eprintln!("{DIM}snapback:{DIM:#} {}", printable(text));
}

/// A sign for a terminal that says it shows UTF-8, else its ASCII stand-in.
pub fn mark(sign: &'static str, ascii: &'static str) -> &'static str {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        sign
    } else {
        ascii
    }
}

/// Tells a part of the input that could not be used.
pub fn bad_input(text: &str) {
    anstream::eprintln!("{RED}snapback: bad input:{RED:#} {}", printable(text));
}

/// Text from outside (names, descriptions, tags) without characters that steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|char| {
            if char.is_control() && char != '\n' {
                '\u{fffd}'
            } else {
                char
            }
        })
        .collect()
}
