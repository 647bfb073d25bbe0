//! Whose outputs files are: which account and Region, as far as each tells it.
//!
//! - Owns: what is taken and what is left aside where files of several accounts or Regions lie
//!   together.
//! - Takes: what was read of each file, what was chosen.
//! - Gives: the files that are taken.
//! - Must not: choose by itself.

use super::{Choice, Problem, Read};
use anyhow::{Result, bail};
use snapback_model::describe::Described;
use std::collections::{BTreeMap, BTreeSet};

/// What is taken, and what not.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) files: Vec<Read>,
    /// Of another account or Region than the one chosen.
    pub(super) skipped: Vec<(String, String)>,
    /// Files that cannot be placed, and those of several Regions at once.
    pub(super) problems: Vec<(Problem, Described)>,
}

/// One of the two things that tell states apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Region,
    Account,
}

impl Dimension {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Region => ("Region", "Regions", "--region"),
            Self::Account => ("account", "accounts", "--account"),
        }
    }

    /// What one file tells, each with an example.
    fn told(self, described: &Described) -> BTreeMap<String, String> {
        match self {
            Self::Region => described.regions(),
            Self::Account => described.owners(),
        }
    }
}

/// Takes the files of the account and Region that are chosen, or that all are of.
///
/// # Errors
/// Files of several, and nothing chosen; nothing of what was chosen.
pub(super) fn take(files: Vec<Read>, choice: &Choice) -> Result<Taken> {
    let mut taken = Taken {
        files,
        ..Taken::default()
    };
    sort(&mut taken, Dimension::Region, choice.region.as_deref())?;
    sort(&mut taken, Dimension::Account, choice.account.as_deref())?;
    Ok(taken)
}

fn sort(taken: &mut Taken, dimension: Dimension, chosen: Option<&str>) -> Result<()> {
    let told: Vec<BTreeMap<String, String>> = taken
        .files
        .iter()
        .map(|file| dimension.told(&file.described))
        .collect();
    let all: BTreeSet<&String> = told.iter().flat_map(BTreeMap::keys).collect();
    let (one, many, option) = dimension.words();
    match chosen {
        Some(chosen) if !all.is_empty() && !all.iter().any(|name| *name == chosen) => {
            let found: Vec<&str> = all.iter().map(|name| name.as_str()).collect();
            bail!(
                "nothing here is of {one} {chosen} ({option}): the files are of {}",
                found.join(", ")
            )
        }
        None if all.len() > 1 => {
            bail!(
                "{}\nsay which one is meant: {option}",
                listed(&taken.files, &told, many)
            )
        }
        Some(chosen) if all.len() > 1 => {
            let places = placed(&taken.files, &told);
            let near: BTreeSet<String> = vpcs_of(&taken.files, &told, chosen);
            let files = std::mem::take(&mut taken.files);
            for ((file, told), place) in files.into_iter().zip(told).zip(places) {
                // Resources that are shared with an account are described beside its own.
                let shared = dimension == Dimension::Account
                    && (told.contains_key(chosen)
                        || file
                            .described
                            .vpcs_named()
                            .iter()
                            .any(|vpc| near.contains(*vpc)));
                match place {
                    Some(place) if place == chosen => taken.files.push(file),
                    _ if shared => taken.files.push(file),
                    Some(place) => taken
                        .skipped
                        .push((file.place, format!("of {one} {place}"))),
                    None => {
                        let problem = if told.is_empty() {
                            format!("it does not tell its {one}, and nothing beside it does")
                        } else {
                            let found: Vec<String> = told.into_keys().collect();
                            format!("it is of several {many} itself ({})", found.join(", "))
                        };
                        let file_name = file.place;
                        taken.problems.push((
                            Problem {
                                file: file_name,
                                problem,
                            },
                            file.described,
                        ));
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Which one each file is of: as it tells, else as another file does that names the same VPC, else as
/// all others of its folder do.
fn placed(files: &[Read], told: &[BTreeMap<String, String>]) -> Vec<Option<String>> {
    let lone = |told: &BTreeMap<String, String>| {
        let mut names = told.keys();
        names.next().filter(|_| told.len() == 1).cloned()
    };
    let mut by_vpc: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut by_folder = BTreeMap::new();
    for (file, told) in files.iter().zip(told) {
        if let Some(name) = lone(told) {
            for vpc in file.described.vpcs_named() {
                let names = by_vpc.entry(vpc.to_owned()).or_default();
                names.insert(name.clone());
            }
        }
        let names: &mut BTreeSet<String> = by_folder.entry(file.path.parent()).or_default();
        names.extend(told.keys().cloned());
    }
    let only = |names: &BTreeSet<String>| names.first().filter(|_| names.len() == 1).cloned();
    let one = |(file, told): (&Read, &BTreeMap<String, String>)| {
        if !told.is_empty() {
            return lone(told);
        }
        let named = file.described.vpcs_named();
        let of_vpcs: BTreeSet<String> = named
            .into_iter()
            .filter_map(|vpc| by_vpc.get(vpc))
            .flatten()
            .cloned()
            .collect();
        only(&of_vpcs).or_else(|| only(by_folder.get(&file.path.parent())?))
    };
    files.iter().zip(told).map(one).collect()
}

/// The VPCs that files of the chosen one name.
fn vpcs_of(files: &[Read], told: &[BTreeMap<String, String>], chosen: &str) -> BTreeSet<String> {
    let own = files.iter().zip(told);
    own.filter(|(_, told)| told.contains_key(chosen))
        .flat_map(|(file, _)| file.described.vpcs_named())
        .map(str::to_owned)
        .collect()
}

/// Which files are of which.
fn listed(files: &[Read], told: &[BTreeMap<String, String>], many: &str) -> String {
    /// Enough of them to recognise the rest.
    const MOST: usize = 6;
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (file, told) in files.iter().zip(told) {
        for (name, example) in told {
            let files = by_name.entry(name).or_default();
            files.push(format!("{} ({example})", file.place));
        }
        if told.is_empty() {
            let files = by_name.entry("not told").or_default();
            files.push(file.place.clone());
        }
    }
    let mut text = format!("outputs of several {many} are mixed:");
    for (name, files) in by_name {
        let shown: Vec<&str> = files.iter().take(MOST).map(String::as_str).collect();
        text.push_str(&format!("\n  {name}: {}", shown.join(", ")));
        if files.len() > MOST {
            text.push_str(&format!(" and {} more", files.len().saturating_sub(MOST)));
        }
    }
    text
}
