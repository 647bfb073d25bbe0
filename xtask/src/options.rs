//! Options of the commands that make files: `--name VALUE`.

use crate::run::root;
use std::path::PathBuf;
use std::str::FromStr;

/// What stands behind the command.
pub struct Options<'a>(pub &'a [String]);

impl Options<'_> {
    /// The value of an option, where it is given.
    pub fn text(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|argument| argument == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// The number of an option, or what it is where it is not given.
    ///
    /// # Errors
    /// What is no number.
    pub fn number<N: FromStr>(&self, name: &str, default: N) -> Result<N, String> {
        match self.text(name) {
            Some(text) => text
                .parse()
                .map_err(|_| format!("{name} {text}: not a number")),
            None => Ok(default),
        }
    }

    /// Where files go (`--out`): outside the repository.
    ///
    /// # Errors
    /// Where it is not given, or lies in the repository.
    pub fn out(&self) -> Result<PathBuf, String> {
        let out = self
            .text("--out")
            .ok_or("--out DIR is missing: where the files go")?;
        let out = std::path::absolute(out).map_err(|error| format!("{out}: {error}"))?;
        if out.starts_with(root()) {
            return Err(format!("{}: is in the repository", out.display()));
        }
        Ok(out)
    }
}
