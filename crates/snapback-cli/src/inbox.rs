//! The guard's inbox, as a person reaches it.
//!
//! - Owns: who writes and why, where the inbox is, sending.
//! - Takes: a command to the guard.
//! - Gives: it is sent (with your AWS credentials), or on stdout.
//! - Must not: say that something was done: the guard does it, and tells.

use crate::capture;
use crate::outcome::Outcome;
use anyhow::{Result, bail};
use snapback_app::port::Command;
use std::io::Write as _;

/// Who writes, why, and where to.
#[derive(clap::Args)]
pub struct Letter {
    /// Why: it stands in the journal, and in the alert.
    #[arg(long, value_name = "WHY", value_parser = said)]
    why: String,
    /// Who asks [default: the user running this].
    #[arg(long, value_name = "WHO", value_parser = said)]
    by: Option<String>,
    /// The URL of the guard's inbox queue [default: SNAPBACK_INBOX_URL] (only where built with
    /// `--features aws`).
    #[arg(long, value_name = "URL")]
    inbox: Option<String>,
    /// Print the message and send nothing: `aws sqs send-message --queue-url URL --message-body …`
    /// sends it.
    #[arg(long, conflicts_with = "inbox")]
    print: bool,
}

/// What the exit codes mean.
pub const AFTER: &str = "\
Exit codes: 0 sent (the guard answers with an alert), or printed; 1 the queue did not take it; 2 bad arguments, or no way to send.";

fn said(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say it in words".to_owned()),
        words => Ok(words.to_owned()),
    }
}

impl Letter {
    /// Who asks.
    pub fn by(&self) -> String {
        self.by.clone().unwrap_or_else(capture::user)
    }

    /// Why.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Sends it, or prints it.
    ///
    /// # Errors
    /// No queue is named, or this build cannot send; a closed standard output.
    pub fn send(&self, command: &Command) -> Result<Outcome> {
        if self.print {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", serde_json::to_string(command)?)?;
            return Ok(Outcome::Clean);
        }
        self.deliver(command)
    }

    #[cfg(feature = "aws")]
    fn deliver(&self, command: &Command) -> Result<Outcome> {
        use crate::style;
        use anyhow::Context as _;
        use snapback_app::port::Inbox as _;
        use snapback_aws::config::variable;
        use snapback_aws::{InboxQueue, sdk};

        let set = || std::env::var(variable::INBOX_URL).ok();
        let url = self.inbox.clone().or_else(set);
        let Some(url) = url.filter(|url| !url.is_empty()) else {
            bail!(
                "which inbox: give --inbox or set {} (the stack's outputs name it); nothing was sent",
                variable::INBOX_URL
            );
        };
        let sent = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the runtime of the AWS client")?
            .block_on(async {
                let config = sdk::load().await;
                let inbox = InboxQueue::new(&config, url);
                inbox.send(command, std::time::Duration::ZERO).await
            });
        if let Err(error) = sent {
            style::error(&anyhow::Error::new(error).context("the inbox did not take it"));
            return Ok(Outcome::NotDone);
        }
        style::warn("sent: the guard answers with an alert");
        Ok(Outcome::Clean)
    }

    #[cfg(not(feature = "aws"))]
    fn deliver(&self, _: &Command) -> Result<Outcome> {
        bail!(
            "nothing was sent: this build does not talk to AWS; --print prints the message, or build with `--features aws`"
        )
    }
}
