//! A scripted wire for tests: what would be sent to AWS, and what AWS would answer.
//!
//! The service crates' own `test-util` features would make `aws-sdk-ec2` compile a second time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One scripted answer.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status, content type, body.
    Http(u16, &'static str, String),
    /// The connection breaks.
    Broken,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Http(status, "application/x-amz-json-1.0", body.to_owned())
    }

    pub(crate) fn xml(status: u16, body: &str) -> Self {
        Self::Http(status, "text/xml;charset=UTF-8", body.to_owned())
    }

    /// EC2's error envelope.
    pub(crate) fn ec2_error(status: u16, code: &str) -> Self {
        Self::xml(
            status,
            &format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>said so</Message></Error></Errors><RequestID>req-err</RequestID></Response>"
            ),
        )
    }
}

/// One request as it would have gone out.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) body: String,
}

impl Sent {
    /// The form body's pairs without `Action` and `Version`, decoded, sorted.
    pub(crate) fn form(&self) -> Vec<String> {
        let mut pairs: Vec<String> = self.body.split('&').map(decode).collect();
        pairs.retain(|pair| !pair.starts_with("Version="));
        pairs.sort();
        pairs
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<(Option<&'static str>, Answer)>,
    sent: Vec<Sent>,
}

/// The scripted wire. Clone-cheap; one script for all clients made from [`Wire::sdk`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Script>>);

impl Wire {
    /// Answers in the order given.
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let wire = Self::default();
        wire.0
            .lock()
            .unwrap()
            .answers
            .extend(answers.into_iter().map(|answer| (None, answer)));
        wire
    }

    /// Answers by what the request holds, each once: for calls made side by side.
    pub(crate) fn matching(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let wire = Self::default();
        wire.0.lock().unwrap().answers.extend(
            answers
                .into_iter()
                .map(|(part, answer)| (Some(part), answer)),
        );
        wire
    }

    /// What was sent so far.
    pub(crate) fn requests(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    /// A configuration whose clients use this wire.
    pub(crate) fn sdk(&self) -> SdkConfig {
        sdk_with(self.clone())
    }

    /// Runs a future to its end.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut script = self.0.lock().unwrap();
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let text = body.clone();
        script.sent.push(Sent { body });
        let next = script
            .answers
            .iter()
            .position(|(part, _)| part.is_none_or(|part| text.contains(part)));
        let answer = next.and_then(|index| script.answers.remove(index));
        match answer {
            Some((_, Answer::Http(status, kind, body))) => {
                let mut response =
                    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                response.headers_mut().insert("content-type", kind);
                response
                    .headers_mut()
                    .insert("x-amzn-requestid", "req-head");
                Ok(response)
            }
            Some((_, Answer::Broken)) => Err(ConnectorError::io("connection reset".into())),
            None => panic!("no answer was scripted for {text}"),
        }
    }
}

/// A configuration whose clients send to `connector`.
pub(crate) fn sdk_with(connector: impl HttpConnector + 'static) -> SdkConfig {
    let connector = SharedHttpConnector::new(connector);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKID", "secret", None, None, "test",
        )))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(RetryConfig::disabled())
        .build()
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}

/// A local HTTP server that gives each answer to one connection; the thread returns what it was sent.
pub(crate) fn serve(answers: &[&str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let thread = std::thread::spawn(move || {
        answers
            .iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                stream.write_all(answer.as_bytes()).unwrap();
                request
            })
            .collect()
    });
    (address, thread)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse::<usize>().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        assert!(read > 0, "the request ended early: {text}");
    }
}
