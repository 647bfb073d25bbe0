//! What many cases came to.

use serde::Serialize;
use std::collections::BTreeMap;

/// Counts over cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Cases.
    pub cases: u64,
    /// Calls of all plans.
    pub steps: u64,
    /// Cases whose end equals the goal.
    pub equal: u64,
    /// Cases that leave something undone, all of it told and none of it possible.
    pub partial: u64,
    /// Notes of what cannot be done or needs something first, by their words without ids.
    pub undone: BTreeMap<String, u64>,
    /// Cases with a step that is not safe, all of them told.
    pub interrupting: u64,
    /// Cases with a step that is not safe, by why there is no better way.
    pub interrupted: BTreeMap<String, u64>,
    /// Cases in which something is made again.
    pub recreating: u64,
    /// Cases with a temporary ACL.
    pub temporary: u64,
    /// Complete plans with as few calls as the lower bound, and those with more.
    pub at_lower_bound: u64,
    /// Complete plans with more calls than the lower bound.
    pub above_lower_bound: u64,
    /// Packets and addresses judged by the naive evaluator, over all prefixes.
    pub packets: u64,
    /// Packet sets and next hops compared by the algebra, over all prefixes.
    pub sets: u64,
    /// Steps by API.
    pub calls: BTreeMap<String, u64>,
}

impl Figures {
    /// Adds the counts of others.
    pub fn add(&mut self, other: &Self) {
        let maps = [
            (&mut self.undone, &other.undone),
            (&mut self.interrupted, &other.interrupted),
            (&mut self.calls, &other.calls),
        ];
        for (mine, theirs) in maps {
            for (key, count) in theirs {
                *mine.entry(key.clone()).or_default() += count;
            }
        }
        let counts = [
            (&mut self.cases, other.cases),
            (&mut self.steps, other.steps),
            (&mut self.equal, other.equal),
            (&mut self.partial, other.partial),
            (&mut self.interrupting, other.interrupting),
            (&mut self.recreating, other.recreating),
            (&mut self.temporary, other.temporary),
            (&mut self.at_lower_bound, other.at_lower_bound),
            (&mut self.above_lower_bound, other.above_lower_bound),
            (&mut self.packets, other.packets),
            (&mut self.sets, other.sets),
        ];
        for (mine, theirs) in counts {
            *mine += theirs;
        }
    }

    /// The counts as a table for people.
    pub fn table(&self) -> String {
        let mut lines = vec![
            format!("cases                        {}", self.cases),
            format!("  end equals the goal        {}", self.equal),
            format!("  something left, told       {}", self.partial),
            format!("  with a step not safe, told {}", self.interrupting),
            format!("  with something made again  {}", self.recreating),
            format!("  with a temporary ACL       {}", self.temporary),
            format!("calls                        {}", self.steps),
            format!("plans at the lower bound     {}", self.at_lower_bound),
            format!("plans above it               {}", self.above_lower_bound),
            format!("packets judged               {}", self.packets),
            format!("packet sets compared         {}", self.sets),
        ];
        let lists = [
            ("left undone, by why", &self.undone),
            ("cases with a step not safe, by why", &self.interrupted),
            ("calls by API", &self.calls),
        ];
        for (title, list) in lists {
            if !list.is_empty() {
                lines.push(format!("{title}:"));
                lines.extend(
                    list.iter()
                        .map(|(key, count)| format!("  {count:>9}  {key}")),
                );
            }
        }
        lines.join("\n")
    }
}
