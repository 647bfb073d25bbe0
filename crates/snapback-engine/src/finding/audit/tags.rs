//! TAG-MISSING: house policy. Off unless keys are asked for; a tag moves no packet.

use super::super::scene::Teller;
use crate::finding::{FindingCode, Harm, HouseRules, Severity};
use snapback_model::*;

/// The key whose value is a day or a moment.
const EXPIRY: &str = "Expiry";

pub(in super::super) fn audit(teller: &mut Teller, tags: &Tags, house: &HouseRules) {
    let missing = house.required_tags.iter().filter(|key| {
        let value = tags.get(*key).map(String::as_str);
        value.is_none_or(|value| value.trim().is_empty())
    });
    for key in missing {
        teller.tell(
            FindingCode::TagMissing,
            (Severity::Low, Harm::None),
            Element::Tag(key.clone()),
            format!("the tag {key}, which house policy asks for, is not there"),
            Vec::new(),
        );
    }
    let expiry = tags
        .get(EXPIRY)
        .filter(|value| house.required_tags.contains(EXPIRY) && !value.trim().is_empty());
    let Some((value, now)) = expiry.zip(house.now) else {
        return;
    };
    let meaning = match expiry_of(value) {
        Expiry::Never => return,
        Expiry::At(at) if at >= now => return,
        Expiry::At(_) => format!("it has expired: its tag {EXPIRY} is {value:?}"),
        Expiry::Unreadable => format!(
            "its tag {EXPIRY} is {value:?}, which is no day (2026-03-01), no moment (2026-03-01T12:00:00Z) and not \
             `never`"
        ),
    };
    teller.tell(
        FindingCode::TagMissing,
        (Severity::Low, Harm::None),
        Element::Tag(EXPIRY.to_owned()),
        meaning,
        Vec::new(),
    );
}

enum Expiry {
    Never,
    At(Timestamp),
    Unreadable,
}

/// A day counts to its end, UTC.
fn expiry_of(value: &str) -> Expiry {
    let value = value.trim();
    if ["never", "none", "no"].contains(&value.to_ascii_lowercase().as_str()) {
        return Expiry::Never;
    }
    let day = value.replace('/', "-");
    let moment = value
        .parse()
        .or_else(|_| format!("{day}T23:59:59Z").parse());
    moment.map_or(Expiry::Unreadable, Expiry::At)
}
