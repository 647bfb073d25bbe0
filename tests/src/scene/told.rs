//! What was told: the reports of closed stories, the journal, and all of it in short for a failed
//! assertion.

use super::Setting;
use snapback_engine::incident::{Body, Outcome, Report};
use snapback_model::*;

impl Setting {
    /// The reports of closed stories, in the order of the journal.
    pub fn reports(&self) -> Vec<Report> {
        self.world
            .journal()
            .into_iter()
            .filter_map(|entry| match entry.body {
                Body::Closed { report } => Some(*report),
                _ => None,
            })
            .collect()
    }

    /// How each story ended, in the order of the journal.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let reports = self.reports().into_iter();
        reports.map(|report| report.outcome).collect()
    }

    /// The stories ended so, in this order.
    ///
    /// # Panics
    /// Where they did not.
    #[track_caller]
    pub fn ended_as<const N: usize>(&self, ends: [Outcome; N]) {
        assert_eq!(self.outcomes(), ends, "{}", self.told());
    }

    /// Every story ended so.
    ///
    /// # Panics
    /// Where one did not.
    #[track_caller]
    pub fn all_ended_as(&self, end: Outcome, case: &str) {
        let all = self.outcomes().iter().all(|ended| *ended == end);
        assert!(all, "{case}: {}", self.told());
    }

    /// No story failed, was refused, or took our own call for somebody else's.
    ///
    /// # Panics
    /// Where one did.
    #[track_caller]
    pub fn none_ended_badly(&self, case: &str) {
        let bad = [Outcome::Failed, Outcome::Impostor, Outcome::Refused];
        let none = self.outcomes().iter().all(|ended| !bad.contains(ended));
        assert!(none, "{case}: {}", self.told());
    }

    /// The reports with one end.
    pub fn reports_of(&self, outcome: Outcome) -> Vec<Report> {
        let mut reports = self.reports();
        reports.retain(|report| report.outcome == outcome);
        reports
    }

    /// The reports on one resource.
    pub fn reports_about(&self, id: &ResourceId) -> Vec<Report> {
        let mut reports = self.reports();
        reports.retain(|report| report.resource.as_ref() == Some(id));
        reports
    }

    /// The calls that began: each by its story and the number of the lease that it began under.
    pub fn steps_begun(&self) -> Vec<(IncidentId, u64)> {
        let entries = self.world.journal().into_iter();
        entries
            .filter_map(|entry| match entry.body {
                Body::StepStarted { fencing, .. } => Some((entry.incident, fencing)),
                _ => None,
            })
            .collect()
    }

    /// How many of the guard's calls changed EC2.
    pub fn writes(&self) -> usize {
        self.world.our_writes().len()
    }

    /// What was told, and what became of each message, in short: the words of a failed assertion.
    pub fn told(&self) -> String {
        let mut lines = Vec::new();
        for report in self.reports() {
            let differences: Vec<_> = report.differences.iter().map(|line| &line.text).collect();
            lines.push(format!(
                "{:?} {} {:?} {:?} {differences:?} {:?} {:?}",
                report.outcome,
                report.label,
                report.cause,
                report.mode,
                report.steps,
                report.problems
            ));
        }
        for delivered in &self.delivered {
            let words = match &delivered.result {
                Ok(handled) => format!("{handled:?}"),
                Err(error) => format!("{error}"),
            };
            lines.push(format!("{}: {words}", delivered.at));
        }
        lines.join("\n")
    }
}
