//! `cargo xtask prove`: random pairs of live and baseline, planned, folded and checked.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

use snapback_tests::prove::{Case, Draw, run, shrink};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

/// Worlds are many small pieces: a third of the time went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str =
    "cargo xtask prove [--hard] [--cases N] [--seed S] [--threads N] [--format table|json]";

struct Arguments {
    cases: u64,
    seed: u64,
    draw: Draw,
    threads: usize,
    json: bool,
}

fn arguments() -> Result<Arguments, String> {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut read = Arguments {
        cases: 100_000,
        seed: 20_261_126,
        draw: Draw::Ordinary,
        threads,
        json: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--hard" {
            read.draw = Draw::Hard;
            continue;
        }
        let value = words
            .next()
            .ok_or_else(|| format!("{word} needs a value\n{HELP}"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{word} {value}: not a number"))
        };
        match word.as_str() {
            "--cases" => read.cases = number()?,
            "--seed" => read.seed = number()?,
            "--threads" => read.threads = usize::try_from(number()?).unwrap_or(threads),
            "--format" => read.json = value == "json",
            _ => return Err(format!("unknown option {word}\n{HELP}")),
        }
    }
    Ok(read)
}

fn main() -> ExitCode {
    let Arguments {
        cases,
        seed,
        draw,
        threads,
        json,
    } = match arguments() {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    // A panic is a failure that is reported with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let begin = Instant::now();
    let last = std::sync::Mutex::new(begin);
    let (figures, failures) = run(seed, cases, draw, threads, |done| {
        if let Ok(mut last) = last.try_lock()
            && last.elapsed().as_secs() >= 5
        {
            *last = Instant::now();
            let seconds = begin.elapsed().as_secs_f64();
            let rate = done as f64 / seconds;
            let left = cases.saturating_sub(done) as f64 / rate.max(0.001);
            eprintln!("{done} of {cases} cases, {rate:.0} a second, {left:.0} s left");
        }
    });
    let seconds = begin.elapsed().as_secs_f64();
    if json {
        let document = serde_json::json!({
            "seed": seed,
            "seconds": seconds,
            "figures": figures,
            "failed": failures.iter().map(|(seed, _)| seed).collect::<Vec<_>>(),
        });
        println!("{document:#}");
    } else {
        println!("{}", figures.table());
        println!(
            "seed {seed}, {seconds:.0} s, {:.0} cases a second, {threads} threads",
            cases as f64 / seconds
        );
    }
    let option = if draw == Draw::Hard { " --hard" } else { "" };
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (seed, failure) in &failures {
        let of_its_kind = kinds.entry(failure.what).or_default();
        *of_its_kind += 1;
        if *of_its_kind > 3 {
            continue;
        }
        eprintln!("\nFAILED seed {seed}: {}: {}", failure.what, failure.words);
        eprintln!("again: cargo xtask prove{option} --seed {seed} --cases 1");
    }
    if let Some((seed, _)) = failures.first() {
        eprintln!(
            "\nthe first, made smaller:\n{}",
            told(&shrink(&Case::drawn(*seed, draw)))
        );
        eprintln!("{} of {cases} cases failed: {kinds:?}", failures.len());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A case and its plan.
fn told(case: &Case) -> String {
    let plan = snapback_engine::plan::plan(&case.live, &case.goal(), &case.baselines());
    let mut lines = vec![format!("asked: {:?}", case.asked)];
    for (name, state) in [("live", &case.live), ("good", &case.good)] {
        lines.push(format!(
            "{name}: {}",
            serde_json::to_string(&state.resources).unwrap_or_default()
        ));
    }
    lines.extend(plan.steps.iter().map(|step| step.action.describe()));
    lines.extend(plan.notes.iter().map(snapback_engine::plan::Note::words));
    lines.join("\n")
}
