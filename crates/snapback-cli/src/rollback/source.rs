//! Where generations and the account come from: captures and a simulated account, or the deployed
//! tables and a live one.

use crate::source::{self, Choice};
use anyhow::{Result, bail};
use snapback_app::guard::Guard;
use snapback_app::port::BaselineWrite;
use snapback_engine::change::Own;
use snapback_engine::policy::Policy;
use snapback_model::*;
use snapback_sim::{Principal, World};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Where the past is.
#[derive(clap::Args)]
pub struct Source {
    /// Run on a simulated account that begins as this state: describe outputs, a folder of them, a
    /// snapshot or a capture. Nothing of AWS is touched. Needs --capture.
    #[arg(long, value_name = "STATE", num_args = 1.., requires = "capture")]
    simulate: Vec<PathBuf>,
    #[command(flatten)]
    past: Past,
    /// Whose state it is.
    #[command(flatten)]
    choice: Choice,
}

/// Where the generations are.
#[derive(clap::Args)]
pub struct Past {
    /// Captures written by `snapback capture`, each a generation of what it holds, in the order of
    /// their times.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["state_table", "journal_table"])]
    pub capture: Vec<PathBuf>,
    #[command(flatten)]
    pub tables: Tables,
}

/// The deployed tables.
#[derive(clap::Args)]
pub struct Tables {
    /// The deployed state table [default: SNAPBACK_STATE_TABLE] (only where built with `--features aws`).
    #[arg(long, value_name = "NAME")]
    pub state_table: Option<String>,
    /// The deployed journal table [default: SNAPBACK_JOURNAL_TABLE].
    #[arg(long, value_name = "NAME")]
    pub journal_table: Option<String>,
}

/// What a build without AWS says.
#[cfg(not(feature = "aws"))]
pub fn not_built() -> anyhow::Error {
    anyhow::anyhow!(
        "this build does not talk to AWS: run on a simulated account with --simulate STATE --capture FILE, or build with `--features aws`"
    )
}

impl Source {
    /// Whether the account is simulated.
    pub fn is_simulated(&self) -> bool {
        !self.simulate.is_empty()
    }

    /// A simulated account as it was given, with the captures as its generations.
    ///
    /// # Errors
    /// Sources that cannot be read, or do not belong together.
    pub async fn simulated(&self, by: &str) -> Result<Guard<World>> {
        let state = source::read_all(&self.simulate, &self.choice)?;
        if let Some(problem) = state.problems.first() {
            bail!("{problem}");
        }
        let mut live = state.snapshot;
        source::tell_unknown("--simulate", &live);
        let captures = read(&self.past.capture, &self.choice)?;
        for capture in &captures {
            crate::diff::belong_together(&capture.snapshot, &live)?;
        }
        let account = live.account.clone();
        let own = Own {
            account: account.or_else(|| Some(AccountId::from(snapback_sim::ACCOUNT))),
            region: live.region.clone(),
            ..Own::default()
        };
        live.account.clone_from(&own.account);
        let region = || Region::from(snapback_sim::REGION);
        live.region.get_or_insert_with(region);
        let world = World::from_snapshot(&live, 1);
        world.begin_at(Timestamp::now());
        for generation in generations(&captures) {
            world.put_baselines(&generation).await?;
        }
        if let Some(last) = captures.last() {
            world.put_topology(&last.baselines.topology).await?;
        }
        let person = world.in_hands_of(Principal::user(by));
        Ok(Guard::new(
            person,
            Policy::default(),
            own,
            format!("{by}@simulated"),
        ))
    }
}

/// Captures in the order of their times.
///
/// # Errors
/// One cannot be read.
pub fn read(captures: &[PathBuf], choice: &Choice) -> Result<Vec<source::State>> {
    let mut states = Vec::new();
    for path in captures {
        let state = source::read(path, choice)?;
        if let Some(problem) = state.problems.first() {
            bail!("{problem}");
        }
        states.push(state);
    }
    states.sort_by_key(|state| state.snapshot.observed_at);
    Ok(states)
}

/// What each capture adds: the next generation of every resource that it holds, or that it would hold if
/// it were not gone. What did not change is no new generation, as long as nobody said why.
pub fn generations(captures: &[source::State]) -> Vec<Vec<Baseline>> {
    let mut standing: BTreeMap<ResourceId, Baseline> = BTreeMap::new();
    let mut all = Vec::new();
    for capture in captures {
        let mut next = Vec::new();
        let held = &capture.baselines.by_id;
        let gone = standing.keys().filter(|id| !held.contains_key(*id));
        let ids: BTreeSet<ResourceId> = held.keys().chain(gone).cloned().collect();
        for id in ids {
            let before = standing.get(&id);
            let mut baseline = match (held.get(&id), before) {
                (Some(held), _) => held.clone(),
                (None, Some(before)) => {
                    let covers = capture.snapshot.covers(&id, before.vpc.as_ref());
                    if before.state.is_none() || !covers {
                        continue;
                    }
                    let by = held.values().next();
                    let mut end = before.clone();
                    end.state = None;
                    if let Some(by) = by {
                        end.provenance = by.provenance.clone();
                    }
                    end
                }
                (None, None) => continue,
            };
            baseline.generation = before
                .map_or(Generation(0), |before| before.generation)
                .next();
            baseline.parent = before.map(Baseline::digest);
            next.push(baseline);
        }
        for baseline in &next {
            standing.insert(baseline.id.clone(), baseline.clone());
        }
        all.push(next);
    }
    all
}

#[cfg(feature = "aws")]
mod deployed {
    use super::{Source, Tables};
    use crate::source::Choice;
    use anyhow::{Context, Result, bail};
    use snapback_app::guard::Guard;
    use snapback_aws::config::variable;
    use snapback_aws::{PersonWorld, sdk};
    use snapback_engine::change::Own;
    use snapback_engine::policy::Policy;
    use snapback_model::Region;

    impl Tables {
        /// Their names.
        fn names(&self) -> Result<(String, String)> {
            let named = |given: &Option<String>, variable: &str, option: &str| {
                let set = || std::env::var(variable).ok().filter(|name| !name.is_empty());
                given.clone().or_else(set).with_context(|| {
                    format!("which table: give {option} or set {variable} (the stack's outputs name them)")
                })
            };
            Ok((
                named(&self.state_table, variable::STATE_TABLE, "--state-table")?,
                named(
                    &self.journal_table,
                    variable::JOURNAL_TABLE,
                    "--journal-table",
                )?,
            ))
        }

        /// The deployed tables and the account of the caller's credentials.
        ///
        /// # Errors
        /// No table names, credentials or Region.
        pub async fn person(&self) -> Result<(PersonWorld, Own)> {
            let (state, journal) = self.names()?;
            let config = sdk::load().await;
            let region = config.region().map(|region| Region::from(region.as_ref()));
            let region = region.context(
                "no Region: set AWS_REGION, or `region` in the profile that AWS_PROFILE names",
            )?;
            let account = sdk::account(&config)
                .await
                .context("the credentials' account could not be read")?;
            let own = Own {
                account: Some(account),
                region: Some(region),
                ..Own::default()
            };
            Ok((PersonWorld::new(&config, &own, &state, &journal), own))
        }

        /// The caller's account, with the caller's credentials.
        ///
        /// # Errors
        /// No table names, credentials or Region; another account or Region than was named.
        pub async fn guard(&self, choice: &Choice, by: &str) -> Result<Guard<PersonWorld>> {
            let (world, own) = self.person().await?;
            let is_other = |named: &Option<String>, found: Option<&str>| {
                named.as_deref().is_some_and(|named| found != Some(named))
            };
            if is_other(&choice.account, own.account.as_ref().map(|id| id.as_str()))
                || is_other(&choice.region, own.region.as_ref().map(|id| id.as_str()))
            {
                bail!(
                    "the credentials and Region are not those of --account and --region; nothing was changed"
                );
            }
            let holder = format!("{by}@cli-{}", std::process::id());
            Ok(Guard::new(world, Policy::default(), own, holder))
        }
    }

    impl Source {
        /// The caller's account, with the caller's credentials.
        ///
        /// # Errors
        /// Captures without a simulated account; as [`Tables::guard`].
        pub async fn deployed(&self, by: &str) -> Result<Guard<PersonWorld>> {
            if !self.past.capture.is_empty() {
                bail!(
                    "captures are the generations of a simulated account: give --simulate STATE with them"
                );
            }
            self.past.tables.guard(&self.choice, by).await
        }
    }
}
