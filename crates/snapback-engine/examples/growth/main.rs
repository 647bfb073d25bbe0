//! Growth curves of `docs/PERFORMANCE.md`: how time grows with rules and routes, as CSV and as SVG.
//!
//! `cargo xtask growth` runs it. A curve is one [`Series`]; a figure is a list of them that share an
//! axis. To add one, write a function from a size to [`Measured`] and name it in [`figures`].
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement, run by hand"
)]

mod plot;
#[path = "../../benches/vpc/mod.rs"]
mod vpc;
#[path = "../../../snapback-reach/benches/worlds/mod.rs"]
mod worlds;

use snapback_model::{Direction, Resource, Topology};
use snapback_reach::{bound, next_hops, permitted_by_acl, permitted_by_group};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use worlds::Shape;

/// One figure: curves over a common axis.
struct Figure {
    /// The file's name, without `.svg`.
    file: &'static str,
    title: &'static str,
    /// What is counted on the horizontal axis.
    axis: &'static str,
    sizes: &'static [u32],
    series: Vec<Series>,
}

/// One curve.
struct Series {
    name: String,
    measure: Box<dyn Fn(u32) -> Measured>,
}

impl Series {
    fn new(name: impl Into<String>, measure: impl Fn(u32) -> Measured + 'static) -> Self {
        Self {
            name: name.into(),
            measure: Box::new(measure),
        }
    }
}

/// One point of a curve.
enum Measured {
    /// The best of several runs: the machine has other work.
    Best(Duration),
    /// Over the bound of `snapback-reach`: refused, not computed. The curve ends.
    OverBound,
}

/// Runs something until a quarter of a second is over, three times at least, and takes the quickest.
fn best<T>(mut run: impl FnMut() -> T) -> Measured {
    let (began, mut best, mut runs) = (Instant::now(), Duration::MAX, 0);
    while runs < 3 || began.elapsed() < Duration::from_millis(250) {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
        runs += 1;
    }
    Measured::Best(best)
}

const GROUP_SIZES: [u32; 10] = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
];

fn groups() -> Figure {
    let series = Shape::ALL.into_iter().flat_map(|shape| {
        let build = move |rules| {
            let group = worlds::group(rules, shape);
            let topology = Topology::default();
            if bound::check(&Resource::SecurityGroup(group.clone()), &topology).is_err() {
                return Measured::OverBound;
            }
            best(|| permitted_by_group(black_box(&group), Direction::Ingress, &topology))
        };
        let diff = move |rules| {
            let before = worlds::group(rules, shape);
            let after = worlds::edited(&before);
            let topology = Topology::default();
            let [one, other] =
                [&before, &after].map(|group| Resource::SecurityGroup(group.clone()));
            if bound::check_pair(&one, &other, &topology).is_err() {
                return Measured::OverBound;
            }
            best(|| {
                let of =
                    |group| permitted_by_group(black_box(group), Direction::Ingress, &topology);
                let (before, after) = (of(&before), of(&after));
                (after.difference(&before), before.difference(&after))
            })
        };
        [
            Series::new(format!("{}: union", shape.name()), build),
            Series::new(
                format!("{}: two unions, opened, closed", shape.name()),
                diff,
            ),
        ]
    });
    Figure {
        file: "growth-groups",
        title: "Security group: packet sets of a change",
        axis: "rules",
        sizes: &GROUP_SIZES,
        series: series.collect(),
    }
}

fn acls() -> Figure {
    let diff = |entries| {
        let before = worlds::acl(entries);
        let after = worlds::bombed(&before);
        best(|| {
            let of = |acl| permitted_by_acl(black_box(acl), Direction::Ingress);
            let (before, after) = (of(&before), of(&after));
            (after.difference(&before), before.difference(&after))
        })
    };
    Figure {
        file: "growth-acls",
        title: "Network ACL: packet sets of a change",
        axis: "entries",
        sizes: &[10, 20, 40, 80, 160, 320, 640, 1280, 2560],
        series: vec![Series::new("two first matches, opened, closed", diff)],
    }
}

fn tables() -> Figure {
    let build = |routes| {
        let (table, topology) = (worlds::table(routes), Topology::default());
        if bound::check(&Resource::RouteTable(table.clone()), &topology).is_err() {
            return Measured::OverBound;
        }
        best(|| next_hops(black_box(&table), &topology))
    };
    let diff = |routes| {
        let (before, topology) = (worlds::table(routes), Topology::default());
        let after = worlds::hijacked(&before);
        let [one, other] = [&before, &after].map(|table| Resource::RouteTable(table.clone()));
        if bound::check_pair(&one, &other, &topology).is_err() {
            return Measured::OverBound;
        }
        best(|| {
            let of = |table| next_hops(black_box(table), &topology);
            of(&before).difference(&of(&after))
        })
    };
    Figure {
        file: "growth-tables",
        title: "Route table: next hops of a change",
        axis: "routes",
        sizes: &GROUP_SIZES,
        series: vec![
            Series::new("next hops", build),
            Series::new("two tables and their difference", diff),
        ],
    }
}

/// The whole impact of one change, by the network interfaces of the VPC.
fn interfaces() -> Figure {
    let names: Vec<&'static str> = vpc::changes(100).iter().map(|change| change.name).collect();
    let series = names.into_iter().enumerate().map(|(index, name)| {
        let measure = move |interfaces: u32| {
            let change = vpc::changes(usize::try_from(interfaces).unwrap())
                .into_iter()
                .nth(index)
                .unwrap();
            best(|| {
                snapback_engine::impact::impact(
                    black_box(&change.baselines),
                    black_box(&change.live),
                    black_box(&change.diff),
                )
            })
        };
        Series::new(name, measure)
    });
    Figure {
        file: "growth-interfaces",
        title: "The whole impact of one change",
        axis: "network interfaces",
        sizes: &[100, 300, 1000, 3000, 10_000, 30_000, 100_000],
        series: series.collect(),
    }
}

/// All figures.
fn figures() -> Vec<Figure> {
    vec![groups(), acls(), tables(), interfaces()]
}

/// A measured curve.
struct Curve {
    name: String,
    /// Size and microseconds.
    points: Vec<(f64, f64)>,
    /// The size that the bound refused.
    refused: Option<f64>,
}

fn measure(figure: &Figure, csv: &mut String) -> Vec<Curve> {
    let curves = figure.series.iter().map(|series| {
        let mut curve = Curve {
            name: series.name.clone(),
            points: Vec::new(),
            refused: None,
        };
        for size in figure.sizes {
            let (file, name, axis) = (figure.file, &series.name, figure.axis);
            let told = match (series.measure)(*size) {
                Measured::Best(time) => {
                    let micros = time.as_secs_f64() * 1e6;
                    curve.points.push((f64::from(*size), micros));
                    format!("{micros:.1}")
                }
                Measured::OverBound => "over the bound".to_owned(),
            };
            println!("{file},\"{name}\",{size} {axis},{told}");
            writeln!(csv, "{file},\"{name}\",{size},{told}").unwrap();
            if told == "over the bound" {
                curve.refused = Some(f64::from(*size));
                break;
            }
        }
        curve
    });
    curves.collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| "docs/figures".into(), PathBuf::from);
    let only = std::env::args().nth(2);
    std::fs::create_dir_all(&folder)?;
    let wanted = |figure: &Figure| {
        only.as_deref()
            .is_none_or(|only| figure.file.contains(only))
    };
    for figure in figures().into_iter().filter(wanted) {
        let mut csv = "figure,series,size,best microseconds\n".to_owned();
        let curves = measure(&figure, &mut csv);
        std::fs::write(folder.join(figure.file).with_extension("csv"), csv)?;
        plot::draw(
            &folder.join(figure.file).with_extension("svg"),
            figure.title,
            figure.axis,
            &curves,
        )?;
    }
    Ok(())
}
