//! The whole impact of one change in a VPC of 10 000 interfaces. The figures are in
//! `docs/PERFORMANCE.md`; `cargo xtask growth` draws how they grow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a bench; its macros make undocumented functions"
)]

mod vpc;

use criterion::{Criterion, criterion_group, criterion_main};
use snapback_engine::impact::impact;
use snapback_engine::plan::plan;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

fn of_10_000(criterion: &mut Criterion) {
    for change in vpc::changes(10_000) {
        let vpc::Change {
            name,
            baselines,
            live,
            diff,
        } = &change;
        let told = impact(baselines, live, diff);
        let moved = told.opened.iter().chain(&told.closed);
        assert!(moved.count() > 0, "{name}: nothing moved");
        criterion.bench_function(&format!("impact/10 000 interfaces, {name}"), |bencher| {
            bencher.iter(|| impact(black_box(baselines), black_box(live), black_box(diff)));
        });
        let id = &diff.resource;
        let good = baselines.state(id).expect("a good state").clone();
        let goal = BTreeMap::from([(id.clone(), good)]);
        assert!(
            !plan(live, &goal, baselines).steps.is_empty(),
            "{name}: nothing to do"
        );
        criterion.bench_function(&format!("plan/10 000 interfaces, {name}"), |bencher| {
            bencher.iter(|| plan(black_box(live), black_box(&goal), baselines));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .without_plots();
    targets = of_10_000
}
criterion_main!(benches);
