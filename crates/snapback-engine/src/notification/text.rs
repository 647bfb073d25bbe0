//! The subject and the plain text, as SNS carries them.

use super::plain::ascii;
use super::story::Story;
use std::fmt::Write as _;

/// SNS takes at most 100 characters of printable ASCII.
const SUBJECT: usize = 100;
/// Lines of one section; the rest is counted.
const LINES: usize = 12;
/// Longest text in bytes: with the JSON beside it, it fits SNS's 256 KB.
const TEXT: usize = 64_000;

pub(super) fn subject(story: &Story<'_>) -> String {
    let head = format!(
        "[Snapback] {} {}: {}: {}",
        story.word(),
        story.report.severity,
        story.subject(),
        story.headline()
    );
    ascii(&head, SUBJECT)
}

pub(super) fn text(story: &Story<'_>) -> String {
    let mut text = format!(
        "{}, {}: {}\n{}\n",
        story.word(),
        story.report.severity,
        story.subject(),
        story.headline()
    );
    for section in story.sections() {
        let _infallible = write!(text, "\n{}\n", section.title);
        for line in section.lines.iter().take(LINES) {
            let _infallible = writeln!(text, "  {line}");
        }
        let more = section.lines.len().saturating_sub(LINES);
        if more > 0 {
            let _infallible = writeln!(
                text,
                "  and {more} more: see incident {} in the journal",
                story.entry.incident
            );
        }
    }
    let _infallible = write!(
        text,
        "\nIncident {}, entry {}, {}\n",
        story.entry.incident, story.entry.sequence, story.entry.at
    );
    cut(text, TEXT)
}

/// At most `max` bytes, cut between characters, and said.
fn cut(mut text: String, max: usize) -> String {
    const SAID: &str = "\n[cut here: the whole story is in the journal]\n";
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max.saturating_sub(SAID.len())));
        text.push_str(SAID);
    }
    text
}
