//! `demo`: ways to break an account in memory, and how each is put right.
//!
//! - Owns: the telling of the stories, on a terminal and for machines.
//! - Takes: the stories of `snapback_sim`, the seed, the speed.
//! - Gives: the stories on stdout; exit 0 only if every one ended as it should.
//! - Must not: play a story otherwise than the tests do.

mod teller;

use crate::outcome::Outcome;
use anyhow::{Result, bail};
use clap::ValueEnum;
use snapback_sim::story::{Ended, STORIES, Story};
use std::io::{IsTerminal as _, Write as _};
use teller::Teller;

/// Watch an account in memory being broken and put right, story by story.
///
/// The same code as in the Lambdas, on a simulated EC2, CloudTrail, DynamoDB, SNS and Slack. Times
/// told are those of the simulated world. Exits with 0 only if every story ended as it should.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only this story (see `--list`).
    #[arg(long, value_name = "NAME")]
    story: Option<String>,
    /// Name the stories and stop.
    #[arg(long)]
    list: bool,
    /// How fast it is told: 1 is a reader's pace, 2 twice as fast, 0 without waiting. Without a
    /// terminal it is always told without waiting.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Chances of the simulated world; the same seed tells the same story.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: an array, each story with `name`, `outcome`, `verified`.
    Json,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number, 0 or more".to_owned())?;
    if speed.is_finite() && speed >= 0.0 {
        Ok(speed)
    } else {
        Err("a number, 0 or more".to_owned())
    }
}

/// Plays the stories.
///
/// # Errors
/// An unknown story; standard output is closed.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let mut out = anstream::stdout();
    if arguments.list {
        for story in STORIES {
            writeln!(out, "{:26} {}", story.name, story.title)?;
        }
        return Ok(Outcome::Clean);
    }
    let stories = chosen(arguments.story.as_deref())?;
    let ended = match arguments.format {
        Format::Json => stories
            .iter()
            .map(|story| story.play(arguments.seed, &mut |_| {}))
            .collect(),
        Format::Text => tell(&stories, arguments)?,
    };
    if arguments.format == Format::Json {
        serde_json::to_writer_pretty(&mut out, &ended)?;
        writeln!(out)?;
    }
    let right = ended.iter().all(Ended::is_right);
    Ok(if right {
        Outcome::Clean
    } else {
        Outcome::Differs
    })
}

fn chosen(name: Option<&str>) -> Result<Vec<Story>> {
    let Some(name) = name else {
        return Ok(STORIES.to_vec());
    };
    let Some(story) = STORIES.iter().find(|story| story.name == name) else {
        let names: Vec<&str> = STORIES.iter().map(|story| story.name).collect();
        bail!("no story `{name}`; there are {}", names.join(", "));
    };
    Ok(vec![*story])
}

fn tell(stories: &[Story], arguments: &Arguments) -> Result<Vec<Ended>> {
    let in_place = std::io::stdout().is_terminal();
    let speed = if in_place { arguments.speed } else { 0.0 };
    let mut teller = Teller::new(in_place, speed);
    teller.prologue(stories.len())?;
    let mut ended = Vec::with_capacity(stories.len());
    for (index, story) in stories.iter().enumerate() {
        teller.chapter(index.saturating_add(1), stories.len(), story)?;
        let end = story.play(arguments.seed, &mut |moment| teller.hear(moment));
        teller.end(&end)?;
        ended.push(end);
    }
    teller.epilogue(&ended)?;
    Ok(ended)
}
