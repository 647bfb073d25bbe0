//! Many storms on all cores, or the story of one: `cargo xtask storm`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

use snapback_tests::storm::{Storm, Tally, Verdict, run, shrink};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Worlds are many small pieces: a third of the time went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "storm --seed S | --plan FILE | --seeds N [--from S] [--threads N] [--format json] [--keep-going] [--hard]";
/// Failing seeds that are shrunk and shown.
const SHOWN_MAX: usize = 5;

struct Options {
    seed: Option<u64>,
    plan: Option<String>,
    seeds: u64,
    from: u64,
    threads: u64,
    json: bool,
    keep_going: bool,
    /// More of what found failures.
    hard: bool,
}

impl Options {
    fn storm(&self, seed: u64) -> Storm {
        match self.hard {
            true => Storm::hard(seed),
            false => Storm::of(seed),
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        seed: None,
        plan: None,
        seeds: 1_000,
        from: 0,
        threads: std::thread::available_parallelism()
            .map_or(1, |cores| u64::try_from(cores.get()).unwrap_or(1)),
        json: false,
        keep_going: false,
        hard: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        let number = |text: String| -> Result<u64, String> {
            text.parse().map_err(|_| format!("{text}: not a number"))
        };
        match argument.as_str() {
            "--seed" => options.seed = Some(number(value()?)?),
            "--plan" => options.plan = Some(value()?),
            "--seeds" => options.seeds = number(value()?)?,
            "--from" => options.from = number(value()?)?,
            "--threads" => options.threads = number(value()?)?.max(1),
            "--format" => options.json = value()? == "json",
            "--keep-going" => options.keep_going = true,
            "--hard" => options.hard = true,
            _ => return Err(format!("`{argument}`: {HELP}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let result = options().and_then(|options| match (options.seed, &options.plan) {
        (Some(seed), _) => one(&options.storm(seed), options.json),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            let storm = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
            one(&storm, options.json)
        }
        (None, None) => many(&options),
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("storm: {why}");
            ExitCode::from(2)
        }
    }
}

fn printed<T: serde::Serialize>(value: &T) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}

/// The whole story of one world; where it fails, of the smallest that fails likewise.
fn one(storm: &Storm, json: bool) -> Result<bool, String> {
    let mut storm = storm.clone();
    let mut verdict = run(&storm, true);
    if let Some(first) = verdict.violations.first() {
        eprintln!("seed {}: {first}; making it smaller", storm.seed);
        storm = shrink(&storm, first.invariant);
        verdict = run(&storm, true);
    }
    println!("{}", printed(&storm)?);
    if json {
        println!("{}", printed(&verdict.tally)?);
    } else {
        for line in &verdict.story {
            println!("{line}");
        }
    }
    for violation in &verdict.violations {
        println!("VIOLATED {violation}");
    }
    if verdict.violations.is_empty() {
        println!("every invariant holds");
    }
    Ok(verdict.violations.is_empty())
}

struct Progress {
    next: AtomicU64,
    stop: AtomicBool,
    done: Mutex<(Tally, BTreeMap<u64, Verdict>)>,
}

fn work(progress: &Progress, options: &Options) {
    loop {
        let number = progress.next.fetch_add(1, Ordering::Relaxed);
        if number >= options.seeds || progress.stop.load(Ordering::Relaxed) {
            return;
        }
        let seed = options.from.wrapping_add(number);
        let verdict = run(&options.storm(seed), false);
        let Ok(mut done) = progress.done.lock() else {
            return;
        };
        done.0.add(&verdict.tally);
        if !verdict.violations.is_empty() {
            eprintln!(
                "\nseed {seed}: {}",
                verdict
                    .violations
                    .first()
                    .map_or_else(String::new, ToString::to_string)
            );
            done.1.insert(seed, verdict);
            if done.1.len() >= SHOWN_MAX && !options.keep_going {
                progress.stop.store(true, Ordering::Relaxed);
            }
        }
    }
}

fn watch(progress: &Progress, options: &Options, began: Instant) {
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let (worlds, failed) = match progress.done.lock() {
            Ok(done) => (done.0.worlds, done.0.failed),
            Err(_) => return,
        };
        let seconds = began.elapsed().as_secs_f64();
        // Shown to people: rounding does not matter.
        let rate = u32::try_from(worlds).map_or(0.0, f64::from) / seconds;
        let left = u32::try_from(options.seeds.saturating_sub(worlds)).map_or(0.0, f64::from);
        eprint!(
            "\r{worlds}/{} worlds, {failed} failed, {rate:.0}/s, {:.0} s left   ",
            options.seeds,
            left / rate.max(0.001)
        );
        if worlds >= options.seeds || progress.stop.load(Ordering::Relaxed) {
            eprintln!();
            return;
        }
    }
}

fn many(options: &Options) -> Result<bool, String> {
    let progress = Progress {
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        done: Mutex::default(),
    };
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| work(&progress, options));
        }
        scope.spawn(|| watch(&progress, options, began));
    });
    let (tally, failures) = progress
        .done
        .into_inner()
        .map_err(|_| "a world panicked".to_owned())?;
    if options.json {
        println!("{}", printed(&tally)?);
    } else {
        summary(&tally, began.elapsed());
    }
    for (seed, verdict) in failures.iter().take(SHOWN_MAX) {
        for violation in &verdict.violations {
            println!("seed {seed} VIOLATED {violation}");
        }
        let hard = if options.hard { " --hard" } else { "" };
        println!("  again: cargo xtask storm --seed {seed}{hard}");
    }
    Ok(tally.failed == 0)
}

fn summary(tally: &Tally, took: Duration) {
    println!(
        "{} worlds in {:.0} s: {} failed",
        tally.worlds,
        took.as_secs_f64(),
        tally.failed
    );
    println!(
        "  {} changes, {} done again by controllers; {} EC2 calls, {} of them our writes",
        tally.changes, tally.fought, tally.calls, tally.writes
    );
    println!(
        "  {} invocations of the guard, {} sweeps, {} crashes, {} messages given up; {} alerts shown",
        tally.invocations, tally.sweeps, tally.crashes, tally.dead, tally.alerts
    );
    for (title, counts) in [
        ("stories", &tally.stories),
        ("faults", &tally.faults),
        ("looked at", &tally.looked.0),
        ("violated", &tally.violations),
    ] {
        println!("  {title}:");
        for (name, count) in counts {
            println!("    {count:>9} {name}");
        }
    }
}
