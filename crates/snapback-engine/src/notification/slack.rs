//! Slack's Block Kit payload. Texts are `verbatim`: Slack makes no links or mentions out of them.

use super::plain::line;
use super::story::{Section, Story};
use crate::policy::Mode;
use serde_json::{Value, json};

/// Limits of Block Kit: <https://docs.slack.dev/reference/block-kit/blocks>.
const HEADER: usize = 150;
const SECTION: usize = 3000;
const BLOCKS: usize = 50;
/// Characters of one line before escaping, which makes at most five of one.
const LINE: usize = 500;
/// Lines of one section; the rest is counted.
const LINES: usize = 12;

pub(super) fn payload(story: &Story<'_>) -> Value {
    let report = story.report;
    let head = format!("{} {}: {}", story.word(), report.severity, story.subject());
    let headline = escaped(&story.headline());
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": fitted(&head, HEADER), "emoji": false}}),
        section(&headline),
    ];
    blocks.extend(story.sections().iter().map(|part| section(&told(part))));
    let mode = match report.mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
        Mode::Strict => "strict",
    };
    let foot = format!(
        "incident {}, entry {}, mode {mode}",
        story.entry.incident, story.entry.sequence
    );
    blocks.truncate(BLOCKS - 1);
    blocks.push(json!({"type": "context", "elements": [mrkdwn(&escaped(&foot))]}));
    json!({
        "text": format!("{}: {headline}", fitted(&head, HEADER)),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// A titled list; what does not fit is counted, never cut inside an escape.
fn told(part: &Section) -> String {
    let mut text = format!("*{}*", part.title);
    let mut shown = 0_usize;
    for line in part.lines.iter().take(LINES) {
        let line = format!("\n• {}", escaped(line));
        // Room for the closing count.
        if length(&text).saturating_add(length(&line)) > SECTION - 40 {
            break;
        }
        text.push_str(&line);
        shown = shown.saturating_add(1);
    }
    let more = part.lines.len().saturating_sub(shown);
    if more > 0 {
        text.push_str(&format!("\n• and {more} more in the journal"));
    }
    text
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// One line with Slack's three entities escaped and its format characters made inert by a
/// zero-width space. An underscore inside a word formats nothing and stays as it is.
fn escaped(text: &str) -> String {
    let text = line(text, LINE);
    let mut escaped = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let is_inside_word =
            before.is_alphanumeric() && letters.peek().is_some_and(|next| next.is_alphanumeric());
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '_' if is_inside_word => escaped.push('_'),
            '*' | '_' | '~' | '`' => escaped.extend(['\u{200b}', letter, '\u{200b}']),
            other => escaped.push(other),
        }
        before = letter;
    }
    escaped
}

/// Plain text with entities escaped, at most `max` characters, cut before escaping.
fn fitted(text: &str, max: usize) -> String {
    let mut keep = max;
    loop {
        let fitted = line(text, keep)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        if length(&fitted) <= max || keep == 0 {
            return fitted;
        }
        keep = keep.saturating_sub(1);
    }
}

/// As Slack counts: UTF-16 units at worst.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
