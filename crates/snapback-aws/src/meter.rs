//! Metrics as CloudWatch Embedded Metric Format lines on standard output.
//!
//! - Owns: the EMF line. Namespace [`NAMESPACE`], no dimensions, metric names as [`Metric`] spells them.
//! - Takes: a metric and its value.
//! - Gives: one JSON line each; Lambda's log pipeline makes the metric of it, without an API call.
//! - Must not: fail the work it measures.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use serde_json::{Value, json};
use snapback_app::port::{Meter, Metric};
use snapback_model::Timestamp;
use std::io::Write as _;

/// The CloudWatch namespace that the template's alarms and dashboards name.
pub const NAMESPACE: &str = "Snapback";

/// Writes EMF lines to standard output.
#[derive(Debug, Clone)]
pub struct Emf {
    function: &'static str,
}

impl Emf {
    /// A meter for one function; its name is a property of each line, not a dimension.
    pub fn new(function: &'static str) -> Self {
        Self { function }
    }

    fn line(&self, metric: Metric, value: f64, at: Timestamp) -> Value {
        let name = format!("{metric:?}");
        let unit = if name.ends_with("Millis") {
            "Milliseconds"
        } else {
            "Count"
        };
        let mut line = json!({
            "_aws": {
                "Timestamp": at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [[]],
                    "Metrics": [{"Name": name.as_str(), "Unit": unit}],
                }],
            },
            "timestamp": at.to_string(),
            "level": "INFO",
            "message": "metric",
            "function": self.function,
        });
        if let Some(members) = line.as_object_mut() {
            members.insert(name, json!(value));
        }
        line
    }
}

impl Meter for Emf {
    fn measure(&self, metric: Metric, value: f64) {
        let line = self.line(metric, value, Timestamp::now());
        // A closed standard output must not end a revert.
        let _lost = writeln!(std::io::stdout().lock(), "{line}");
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    #[test]
    fn a_line_carries_its_metric_under_the_name_it_declares() {
        let line = Emf::new("guard").line(
            Metric::GuardMillis,
            84.5,
            "2026-01-02T03:04:05Z".parse().unwrap(),
        );
        let declared = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0];
        assert_eq!(
            declared,
            &json!({"Name": "GuardMillis", "Unit": "Milliseconds"})
        );
        assert_eq!(line["GuardMillis"], json!(84.5));
        assert_eq!(line["_aws"]["Timestamp"], json!(1_767_323_045_000_i64));
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([[]])
        );
    }

    #[test]
    fn what_is_no_time_is_a_count() {
        let line = Emf::new("sweep").line(Metric::Heartbeat, 1.0, Timestamp::UNIX_EPOCH);
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"],
            "Count"
        );
    }
}
