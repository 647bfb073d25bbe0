//! The Slack channel: an incoming webhook.
//!
//! - Owns: the webhook's URL (a secret), the POST, what Slack's answers mean.
//! - Takes: the ARN of a Secrets Manager secret that holds the URL, as text or as `{"url": "…"}`.
//! - Gives: delivered, or why not, whether to try again, and when Slack asked to come back.
//! - Must not: write the URL anywhere; whoever has it can post.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use crate::call::call_error;
use aws_config::SdkConfig;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use secrecy::{ExposeSecret, SecretString};
use snapback_app::port::{Channel, DeliverError};
use snapback_engine::execution::ErrorClass;
use snapback_engine::notification::Notification;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for Slack.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait that is taken over from Slack: a Lambda cannot wait for longer.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// How much of Slack's answer is repeated in an error.
const ANSWER_MAX: usize = 200;

/// Posts to one webhook.
#[derive(Debug)]
pub struct Slack {
    secrets: aws_sdk_secretsmanager::Client,
    secret: String,
    http: reqwest::Client,
    url: Mutex<Option<SecretString>>,
}

impl Slack {
    /// A channel whose webhook URL is in this secret. The secret is fetched with the first message.
    ///
    /// # Errors
    /// The TLS stack does not start (no root certificates).
    pub fn new(sdk: &SdkConfig, secret: impl Into<String>) -> Result<Self, DeliverError> {
        // The SDK's provider; an earlier installation stands.
        let _earlier = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("snapback")
            .build()
            .map_err(|error| failed(format!("no HTTP client: {error}"), false))?;
        Ok(Self {
            secrets: aws_sdk_secretsmanager::Client::new(sdk),
            secret: secret.into(),
            http,
            url: Mutex::default(),
        })
    }

    fn cached(&self) -> Option<SecretString> {
        self.url
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn remember(&self, url: Option<SecretString>) {
        *self.url.lock().unwrap_or_else(PoisonError::into_inner) = url;
    }

    async fn fetch(&self) -> Result<SecretString, DeliverError> {
        let answer = self
            .secrets
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await
            .map_err(|error| {
                let error = call_error("GetSecretValue", &self.secret, &error);
                // A role or a secret that is put right later must still get the message.
                let retry = matches!(
                    error.class,
                    ErrorClass::Lost | ErrorClass::Transient | ErrorClass::Denied
                );
                failed(error.to_string(), retry)
            })?;
        let url = webhook(answer.secret_string().unwrap_or_default()).ok_or_else(|| {
            failed(
                format!("secret {} holds no webhook URL (https://…)", self.secret),
                false,
            )
        })?;
        self.remember(Some(url.clone()));
        Ok(url)
    }

    async fn post(&self, url: &SecretString, message: &Notification) -> Result<(), Refusal> {
        let posted = self
            .http
            .post(url.expose_secret())
            .json(&message.slack)
            .send()
            .await;
        let answer = posted.map_err(|error| Refusal {
            stale_url: false,
            error: failed(format!("no answer: {}", chain(&error.without_url())), true),
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let retry_after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(seconds);
        let words: String = answer
            .text()
            .await
            .unwrap_or_default()
            .chars()
            .take(ANSWER_MAX)
            .collect();
        Err(refusal(status, retry_after, &words))
    }
}

/// An answer that is not "ok".
struct Refusal {
    stale_url: bool,
    error: DeliverError,
}

fn refusal(status: StatusCode, retry_after: Option<Duration>, words: &str) -> Refusal {
    let throttled = status == StatusCode::TOO_MANY_REQUESTS;
    let retry = throttled || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
    let error = DeliverError {
        channel: "slack",
        message: format!("HTTP {}: {}", status.as_u16(), words.trim()),
        retry,
        retry_after: retry.then_some(retry_after).flatten(),
    };
    // A webhook that was revoked or renewed answers so.
    let stale_url = matches!(
        status,
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE
    );
    Refusal { stale_url, error }
}

/// Seconds, as Slack sends them.
fn seconds(text: &str) -> Option<Duration> {
    text.trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
        .map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// The URL in a secret's text. Plain HTTP only to this machine, for tests.
fn webhook(text: &str) -> Option<SecretString> {
    let text = text.trim();
    let member = serde_json::from_str::<serde_json::Value>(text)
        .ok()
        .and_then(|value| value.get("url")?.as_str().map(|url| url.trim().to_owned()));
    let url = member.unwrap_or_else(|| text.to_owned());
    let allowed = ["https://", "http://127.0.0.1:", "http://localhost:"];
    let is_url =
        allowed.iter().any(|prefix| url.starts_with(prefix)) && reqwest::Url::parse(&url).is_ok();
    is_url.then(|| SecretString::from(url))
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |words, cause| {
            format!("{words}: {cause}")
        })
}

fn failed(message: String, retry: bool) -> DeliverError {
    DeliverError {
        channel: "slack",
        message,
        retry,
        retry_after: None,
    }
}

impl Channel for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn deliver(&self, message: &Notification) -> Result<(), DeliverError> {
        if let Some(url) = self.cached() {
            match self.post(&url, message).await {
                Err(refusal) if refusal.stale_url => self.remember(None),
                answer => return answer.map_err(|refusal| refusal.error),
            }
        }
        let url = self.fetch().await?;
        self.post(&url, message).await.map_err(|refusal| {
            if refusal.stale_url {
                self.remember(None);
            }
            refusal.error
        })
    }
}

#[cfg(test)]
#[path = "slack_tests.rs"]
mod tests;
