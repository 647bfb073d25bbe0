//! The algebra alone: both sets of a change built, and what it opened and closed. Goals (issue 4):
//! 60 rules below 0.1 ms, 1 000 rules below 3 ms, an ACL of 40 below 0.1 ms, 1 000 routes below
//! 0.1 ms. The figures are in `docs/PERFORMANCE.md`.
#![allow(
    missing_docs,
    reason = "a bench; its macros make undocumented functions"
)]

mod worlds;

use criterion::{Criterion, criterion_group, criterion_main};
use snapback_model::{Direction, SecurityGroup, Topology};
use snapback_reach::*;
use std::hint::black_box;
use std::time::Duration;
use worlds::Shape;

fn diff(before: &SecurityGroup, after: &SecurityGroup) -> (PacketSet, PacketSet) {
    let topology = Topology::default();
    let before = permitted_by_group(before, Direction::Ingress, &topology);
    let after = permitted_by_group(after, Direction::Ingress, &topology);
    (after.difference(&before), before.difference(&after))
}

fn groups(criterion: &mut Criterion) {
    for rules in [60, 1000] {
        for shape in Shape::ALL {
            let before = worlds::group(rules, shape);
            let after = worlds::edited(&before);
            criterion.bench_function(&format!("group/{rules} {}/diff", shape.name()), |bencher| {
                bencher.iter(|| diff(black_box(&before), black_box(&after)));
            });
        }
    }
}

fn acls(criterion: &mut Criterion) {
    let before = worlds::acl(40);
    let after = worlds::bombed(&before);
    criterion.bench_function("acl/40/diff", |bencher| {
        bencher.iter(|| {
            let of = |acl| permitted_by_acl(black_box(acl), Direction::Ingress);
            let (before, after) = (of(&before), of(&after));
            (after.difference(&before), before.difference(&after))
        });
    });
    criterion.bench_function("acl/40/dead entries", |bencher| {
        bencher.iter(|| dead_entries(black_box(&after), Direction::Ingress));
    });
}

fn tables(criterion: &mut Criterion) {
    let topology = Topology::default();
    let before = worlds::table(1000);
    let after = worlds::hijacked(&before);
    criterion.bench_function("table/1000/next hops", |bencher| {
        bencher.iter(|| next_hops(black_box(&before), &topology));
    });
    criterion.bench_function("table/1000/diff", |bencher| {
        bencher.iter(|| {
            let of = |table| next_hops(black_box(table), &topology);
            of(&before).difference(&of(&after))
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(40)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500));
    targets = groups, acls, tables
}
criterion_main!(benches);
