//! Untrusted text made harmless, and cut to length on character boundaries.

use std::time::Duration;

/// One line without control, zero-width and direction-changing characters, at most `max` characters;
/// a cut is marked with `…`.
pub(super) fn line(text: &str, max: usize) -> String {
    let mut harmless = text
        .chars()
        .filter(|letter| !is_hidden(*letter))
        .map(|letter| {
            if letter.is_whitespace() || letter.is_control() {
                ' '
            } else {
                letter
            }
        });
    let mut line: String = harmless.by_ref().take(max).collect();
    if harmless.next().is_some() {
        line.pop();
        line.push('…');
    }
    line.trim().to_owned()
}

/// Characters that hide, or that reorder what stands around them.
fn is_hidden(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Printable ASCII of one line, at most `max` characters; a cut is marked with `...`.
pub(super) fn ascii(text: &str, max: usize) -> String {
    let mut ascii = String::new();
    for letter in line(text, usize::MAX).chars() {
        match letter {
            ' '..='~' => ascii.push(letter),
            '→' => ascii.push_str("->"),
            '…' => ascii.push_str("..."),
            '–' | '—' | '−' => ascii.push('-'),
            '‘' | '’' => ascii.push('\''),
            '“' | '”' => ascii.push('"'),
            _ => ascii.push('?'),
        }
    }
    if ascii.chars().count() <= max {
        return ascii;
    }
    let kept: String = ascii.chars().take(max.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// A duration as people say it.
pub(super) fn duration(duration: Duration) -> String {
    let (millis, seconds) = (duration.as_millis(), duration.as_secs());
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds}.{} s", (millis / 100) % 10),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}
