//! Events on their way out: to a file, a command, or a queue.

use super::listen::Serving;
use crate::style;
use anyhow::{Context as _, Result, anyhow, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::json;
use snapback_model::Timestamp;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How often a queue that does not take an event is tried.
const TRIES: u32 = 5;
/// The longest sleep: the clock of the machine may be set.
const NAP: Duration = Duration::from_secs(1);

/// Where events go.
pub(super) enum Sink {
    /// Nobody asked for them.
    Nowhere,
    /// One JSON object a line.
    File(File),
    /// A shell command for each.
    Command(String),
    /// An SQS-compatible queue on loopback.
    Queue {
        /// Its URL.
        url: String,
        /// Host and port of it.
        authority: String,
    },
}

impl Sink {
    pub fn file(path: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        Ok(Self::File(
            file.with_context(|| path.display().to_string())?,
        ))
    }

    pub fn queue(url: &str) -> Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("--events-sqs {url}"))?;
        let authority = uri
            .authority()
            .filter(|_| uri.scheme_str() == Some("http"))
            .ok_or_else(|| anyhow!("--events-sqs {url}: written http://127.0.0.1:PORT/…"))?;
        if !matches!(authority.host(), "127.0.0.1" | "localhost") {
            bail!("--events-sqs {url}: only a queue on this machine (127.0.0.1)");
        }
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self::Queue {
            url: url.to_owned(),
            authority: format!("{}:{port}", authority.host()),
        })
    }

    async fn send(&mut self, event: String) -> Result<()> {
        match self {
            Self::Nowhere => Ok(()),
            Self::File(file) => {
                writeln!(file, "{event}")?;
                Ok(file.flush()?)
            }
            Self::Command(command) => {
                let command = command.clone();
                tokio::task::spawn_blocking(move || run_command(&command, &event)).await?
            }
            Self::Queue { url, authority } => {
                let mut tried = 1;
                loop {
                    match send_message(authority, url, &event).await {
                        Err(_) if tried < TRIES => {
                            tokio::time::sleep(Duration::from_millis(100) * tried).await;
                            tried += 1;
                        }
                        ended => return ended,
                    }
                }
            }
        }
    }
}

fn run_command(command: &str, event: &str) -> Result<()> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        // Our own stdout is for the calls.
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| command.to_owned())?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command need not read all of it.
        let _unread = stdin
            .write_all(event.as_bytes())
            .and_then(|()| stdin.write_all(b"\n"));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{command}: {status}");
    }
    Ok(())
}

/// `SendMessage` in the JSON protocol, with a signature that only emulators take.
async fn send_message(authority: &str, url: &str, event: &str) -> Result<()> {
    let stream = TcpStream::connect(authority)
        .await
        .with_context(|| authority.to_owned())?;
    let _slower_without = stream.set_nodelay(true);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let body = json!({"QueueUrl": url, "MessageBody": event}).to_string();
    let request = Request::post("/")
        .header("host", authority)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "AmazonSQS.SendMessage")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=snapback-sim/20260302/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("{url}: {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}

/// Brings each event out when it is due.
pub(super) async fn run(serving: Arc<Serving>, mut sink: Sink) {
    loop {
        let now = Timestamp::now();
        serving.world.advance_to(now);
        for event in serving.world.deliver() {
            if let Err(error) = sink.send(event).await {
                style::warn(&format!("an event was not delivered: {error:#}"));
            }
        }
        let wait = serving.world.next_message().map_or(NAP, |due| {
            let wait = Duration::try_from(due.duration_since(Timestamp::now()));
            wait.unwrap_or_default()
                .clamp(Duration::from_millis(1), NAP)
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = serving.called.notified() => {}
        }
    }
}
