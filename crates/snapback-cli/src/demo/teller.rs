//! The words, colours and pace of the demo.

use crate::style::{BOLD, DIM, GREEN, RED, YELLOW, printable};
use snapback_engine::impact::{BlastRadius, Turn};
use snapback_engine::incident::{Outcome, Report};
use snapback_engine::verdict::Verdict;
use snapback_model::Timestamp;
use snapback_sim::station::Moment;
use snapback_sim::story::{Ended, Story};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

/// Tells one story after the other.
pub struct Teller {
    out: anstream::Stdout,
    in_place: bool,
    speed: f64,
    /// Something went wrong while writing; told at the end of the chapter.
    failed: Option<std::io::Error>,
    quiet: Vec<String>,
    /// Which channels showed which subject.
    told: BTreeMap<String, Vec<String>>,
    /// Messages of this chapter that reached the guard.
    arrived: usize,
    /// Ends of this chapter that were told whole.
    whole: usize,
    /// Ends that are only counted, by what is said of them.
    more: BTreeMap<&'static str, usize>,
}

/// So many ends of one chapter are told whole, messages shown as work, subjects named; more are counted.
const WHOLE_MAX: usize = 8;

/// What a reader needs for a line.
const LINE: Duration = Duration::from_millis(450);
/// Frames of the line that shows work in place.
const FRAMES: [&str; 4] = ["⠋", "⠹", "⠼", "⠧"];

type Told = std::io::Result<()>;

impl Teller {
    /// A teller; `in_place` shows work on one line, `speed` 0 never waits.
    pub fn new(in_place: bool, speed: f64) -> Self {
        Self {
            out: anstream::stdout(),
            in_place,
            speed,
            failed: None,
            quiet: Vec::new(),
            told: BTreeMap::new(),
            arrived: 0,
            whole: 0,
            more: BTreeMap::new(),
        }
    }

    fn line(&mut self, text: &str) -> Told {
        writeln!(self.out, "{text}")?;
        self.pause(LINE);
        Ok(())
    }

    fn pause(&self, duration: Duration) {
        if self.speed > 0.0 {
            std::thread::sleep(duration.div_f64(self.speed));
        }
    }

    /// Work goes on: shown in place, gone when it is over.
    fn work(&mut self, what: &str) -> Told {
        self.arrived = self.arrived.saturating_add(1);
        if !self.in_place || self.speed <= 0.0 || self.arrived > WHOLE_MAX {
            return Ok(());
        }
        for frame in FRAMES {
            write!(self.out, "\r  {YELLOW}{frame}{YELLOW:#} {DIM}{what}{DIM:#}")?;
            self.out.flush()?;
            self.pause(LINE / 4);
        }
        write!(self.out, "\r\x1b[2K")?;
        self.out.flush()
    }

    /// What is about to be seen.
    pub fn prologue(&mut self, stories: usize) -> Told {
        let ways = if stories == 1 { "way" } else { "ways" };
        self.line(&format!("{BOLD}Snapback{BOLD:#}: an AWS account in memory, a stored baseline, mode enforce. {stories} {ways} to break it."))?;
        self.line(&format!("{DIM}VPC shop 10.0.0.0/16; groups web, app, db; network ACLs default, db; route tables main, public, private{DIM:#}"))
    }

    /// A story begins.
    pub fn chapter(&mut self, number: usize, of: usize, story: &Story) -> Told {
        self.quiet.clear();
        (self.arrived, self.whole) = (0, 0);
        writeln!(self.out)?;
        self.line(&format!(
            "{BOLD}{number}/{of}  {}{BOLD:#}  {DIM}{}{DIM:#}",
            story.title, story.name
        ))
    }

    /// Tells a moment.
    pub fn hear(&mut self, moment: &Moment) {
        if self.failed.is_none() {
            self.failed = self.tell(moment).err();
        }
    }

    fn tell(&mut self, moment: &Moment) -> Told {
        match moment {
            Moment::Did { who, what, api, at } => {
                let time = clock(*at);
                self.line(&format!(
                    "  {RED}✗{RED:#} {time} {} {} {DIM}{api}{DIM:#}",
                    printable(who),
                    printable(what)
                ))
            }
            Moment::Noted(words) => {
                self.count()?;
                self.line(&format!("  {DIM}· {words}{DIM:#}"))
            }
            Moment::Arrived { what, .. } => self.work(&format!(
                "{what} reaches the guard: read, compare, judge, plan, act, verify"
            )),
            Moment::Quiet(why) => {
                if !self.quiet.contains(why) {
                    self.quiet.push(why.clone());
                }
                Ok(())
            }
            Moment::Closed(report) => self.report(report),
            Moment::Told { channel, subject } => {
                self.told
                    .entry(subject.clone())
                    .or_default()
                    .push(channel.to_uppercase());
                Ok(())
            }
        }
    }

    fn report(&mut self, report: &Report) -> Told {
        let (colour, sign, word) = match report.outcome {
            Outcome::Reverted => (GREEN, "✓", "put back"),
            Outcome::Accepted => (GREEN, "✓", "accepted into the baseline"),
            Outcome::Released => (GREEN, "✓", "released by a person"),
            Outcome::Alerted | Outcome::Context => (YELLOW, "!", "told, nothing changed"),
            Outcome::Refused
            | Outcome::Failed
            | Outcome::Blind
            | Outcome::Impostor
            | Outcome::Malformed
            | Outcome::Braked => (RED, "!", "a person is needed"),
        };
        let usual = matches!(
            report.outcome,
            Outcome::Reverted | Outcome::Alerted | Outcome::Context
        );
        if usual && self.whole >= WHOLE_MAX {
            let more = self.more.entry(word).or_default();
            *more = more.saturating_add(1);
            return Ok(());
        }
        self.count()?;
        self.whole = self.whole.saturating_add(1);
        for (what, turn) in [("opened", Turn::Opened), ("cut", Turn::Closed)] {
            for line in report.impact.lines(turn, 3) {
                self.line(&format!("    {what:6} {}", printable(&line)))?;
            }
        }
        // The lines above name the interfaces where they are few.
        let is_wide = |blast: &BlastRadius| blast.interfaces.is_some_and(|number| number > 3);
        let blast = Some(&report.impact.blast).filter(|blast| is_wide(blast));
        if let Some(whom) = blast.and_then(BlastRadius::words) {
            self.line(&format!("    whom   {}", printable(&whom)))?;
        }
        for finding in report
            .findings
            .iter()
            .filter(|finding| finding.harm != snapback_engine::finding::Harm::None)
            .take(2)
        {
            self.line(&format!(
                "    {RED}{:6}{RED:#} {} {DIM}{}{DIM:#}",
                finding.severity,
                printable(&finding.meaning),
                finding.code
            ))?;
        }
        self.line(&format!(
            "  {colour}{sign}{colour:#} {} {BOLD}{}{BOLD:#}: {word}",
            clock(report.ended_at),
            printable(&report.label)
        ))?;
        for step in report.steps.iter().filter(|_| report.executed) {
            self.line(&format!("    {GREEN}call{GREEN:#}   {}", printable(step)))?;
        }
        for kept in report
            .differences
            .iter()
            .filter(|difference| difference.verdict == Verdict::Alert)
        {
            self.line(&format!(
                "    {YELLOW}stays{YELLOW:#}  {}: {}",
                printable(&kept.text),
                printable(&kept.reason)
            ))?;
        }
        for latent in &report.impact.latent {
            self.line(&format!(
                "    {DIM}known  {}{DIM:#}",
                printable(&latent.words())
            ))?;
        }
        for problem in &report.problems {
            self.line(&format!("    {RED}problem{RED:#} {}", printable(problem)))?;
        }
        Ok(())
    }

    /// Says how many ends were not told one by one.
    fn count(&mut self) -> Told {
        for (word, number) in std::mem::take(&mut self.more) {
            self.line(&format!("  {BOLD}… and {number} more{BOLD:#}: {word}"))?;
        }
        Ok(())
    }

    /// Which messages people got; where they are many, how many of each sort.
    fn subjects(&mut self) -> Told {
        let told = std::mem::take(&mut self.told);
        let many = told.len() > WHOLE_MAX;
        let mut sorts: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (subject, mut channels) in told {
            channels.sort();
            channels.dedup();
            // `[Snapback] REVERTED high: …`
            let sort = subject.split_whitespace().nth(1).filter(|_| many);
            let sort = sort.unwrap_or(&subject).to_owned();
            let same = sorts.entry((sort, channels.join(", "))).or_default();
            same.push(subject);
        }
        for ((sort, channels), subjects) in sorts {
            let what = match subjects.as_slice() {
                [only] => printable(only).to_string(),
                several => format!("{} different messages {}", several.len(), printable(&sort)),
            };
            self.line(&format!("    {DIM}told   {channels}: {what}{DIM:#}"))?;
        }
        Ok(())
    }

    /// A story is over.
    pub fn end(&mut self, ended: &Ended) -> Told {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.count()?;
        self.subjects()?;
        if let (Some(way), Some(took)) = (ended.event_to_arrival_ms, ended.arrival_to_verified_ms) {
            self.line(&format!(
                "    time   event → arrival {}, arrival → verified {}",
                seconds(way),
                seconds(took)
            ))?;
        }
        for line in &ended.proof {
            self.line(&format!("    {GREEN}proof{GREEN:#}  {}", printable(line)))?;
        }
        for line in std::mem::take(&mut self.quiet) {
            self.line(&format!("    {DIM}· {}{DIM:#}", printable(&line)))?;
        }
        if let Some(why) = &ended.why {
            self.line(&format!(
                "  {RED}✗ this story did not end as it should: {}{RED:#}",
                printable(why)
            ))?;
        }
        Ok(())
    }

    /// All stories are over.
    pub fn epilogue(&mut self, ended: &[Ended]) -> Told {
        let right = ended.iter().filter(|ended| ended.is_right()).count();
        let colour = if right == ended.len() { GREEN } else { RED };
        writeln!(self.out)?;
        self.line(&format!(
            "{colour}{right} of {} stories ended as they should{colour:#}",
            ended.len()
        ))
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn seconds(milliseconds: i64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds} ms");
    }
    let tenths = milliseconds / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
