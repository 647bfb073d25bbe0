//! What holds for every pair of accounts.

use super::*;
use crate::diff::{Delta, Side};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_is_found_where_nothing_differs(account in snapshots()) {
        prop_assert_eq!(all(&captured(&account), &account), vec![]);
    }

    /// Taking back every difference with a harmful finding leaves no harm of the elements' own: what
    /// is tolerated is harmless together.
    #[test]
    fn what_is_left_after_taking_back_harm_opens_nothing(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        let mut tolerated = live.clone();
        for diff in diff(&baselines, &live, None) {
            let harmful: BTreeSet<Element> = assess(&baselines, &live, &diff, &Impact::default())
                .into_iter()
                .filter(|finding| finding.harm != Harm::None)
                .map(|finding| finding.element)
                .collect();
            for difference in diff.differences.iter().filter(|difference| harmful.contains(&difference.element())) {
                take(&mut tolerated, &diff.resource, difference, Side::Baseline);
            }
        }
        let web = all(&baselines, &tolerated).into_iter().filter(|finding| finding.subject.resource().is_some_and(|id| id.kind() == Kind::SecurityGroup));
        let harm: Vec<Finding> = web.filter(|finding| finding.harm != Harm::None).collect();
        prop_assert_eq!(short(&harm), Vec::<String>::new());
    }

    /// An approved rule, entry or route that is gone and carried something is always a cut or an opening.
    #[test]
    fn what_is_gone_is_harm_or_proved_idle(good in snapshots(), live in snapshots()) {
        let baselines = captured(&good);
        for diff in diff(&baselines, &live, None) {
            let findings = assess(&baselines, &live, &diff, &Impact::default());
            for difference in &diff.differences {
                let gone = matches!(
                    difference,
                    Difference::Rule { delta: Delta::Removed(_), .. } | Difference::Entry { delta: Delta::Removed(_), .. }
                );
                let told = findings.iter().any(|finding| finding.element == difference.element());
                prop_assert!(!gone || told, "{:?}", difference);
            }
        }
    }
}
