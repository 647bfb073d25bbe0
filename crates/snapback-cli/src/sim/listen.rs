//! The listener: HTTP/1.1 on 127.0.0.1, connections kept, each request one call.

use super::serve::Format;
use crate::style;
use anyhow::{Context as _, Result, anyhow};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use snapback_model::Timestamp;
use snapback_sim::World;
use snapback_sim::wire::{self, Answer, Callers, Credentials, Told};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

/// A describe file of a big account is some megabytes; a request of EC2 is far less.
const BODY_MAX: usize = 64 << 20;

/// What connections share.
pub(super) struct Serving {
    pub world: World,
    pub callers: Mutex<Callers>,
    pub format: Format,
    /// Told after every call: an event may be on its way.
    pub called: Notify,
}

/// A bound port.
pub(super) struct Listener {
    socket: TcpListener,
    port: u16,
}

/// The answer is lost: the connection ends without one.
#[derive(Debug, thiserror::Error)]
#[error("the answer is lost, as asked for")]
struct Lost;

impl Listener {
    /// Binds 127.0.0.1, and nothing else.
    pub async fn bind(port: u16) -> Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("127.0.0.1:{port}"))?;
        let port = socket.local_addr()?.port();
        Ok(Self { socket, port })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until standard output is closed.
    pub async fn serve(self, serving: Arc<Serving>) -> Result<()> {
        let (broken, mut closed) = mpsc::channel(1);
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                error = closed.recv() => {
                    return Err(error.unwrap_or_else(|| anyhow!("standard output is closed")));
                }
            };
            match accepted {
                Ok((stream, peer)) if peer.ip().is_loopback() => {
                    let (serving, broken) = (Arc::clone(&serving), broken.clone());
                    tokio::spawn(connection(stream, peer, serving, broken));
                }
                Ok((_, peer)) => style::warn(&format!("{peer} is not this machine: refused")),
                Err(error) => style::warn(&format!("a connection failed: {error}")),
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    serving: Arc<Serving>,
    broken: mpsc::Sender<anyhow::Error>,
) {
    // Small answers are not to wait for the acknowledgement of others.
    let _slower_without = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let (serving, broken) = (Arc::clone(&serving), broken.clone());
        async move { respond(request, peer, &serving, &broken).await }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served
        && !error.is_user()
        && !error.is_incomplete_message()
    {
        style::warn(&format!("{peer}: {error}"));
    }
}

fn text(headers: &HeaderMap, name: impl hyper::header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether the client means this machine: a page in a browser may send anything to a loopback
/// address, but not under a loopback name.
fn is_local(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, HOST) else {
        return true;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]") || name.ends_with(".localhost")
}

fn reply(status: u16, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn respond(
    request: Request<Incoming>,
    peer: SocketAddr,
    serving: &Serving,
    broken: &mpsc::Sender<anyhow::Error>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    if !is_local(&head.headers) {
        return Ok(reply(
            403,
            "text/plain",
            "not a name of this machine\n".into(),
        ));
    }
    let body = match Limited::new(body, BODY_MAX).collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(error) => return Ok(reply(400, "text/plain", format!("{error}\n"))),
    };
    let now = Timestamp::now();
    let path = head.uri.path();
    if path.starts_with("/snapback/") {
        let mut callers = serving
            .callers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = (head.method.as_str(), path);
        let told = wire::control(&serving.world, &mut callers, at, &body, now);
        return Ok(reply(told.status, "application/json", told.body));
    }
    let form = match head.method {
        Method::POST => body,
        _ => head.uri.query().unwrap_or_default().to_owned(),
    };
    let source = peer.ip().to_string();
    let credentials = Credentials {
        authorization: text(&head.headers, AUTHORIZATION),
        has_token: head.headers.contains_key("x-amz-security-token"),
        user_agent: text(&head.headers, USER_AGENT),
        source_ip: Some(&source),
    };
    let callers = serving
        .callers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let answer = wire::answer(&serving.world, &callers, &credentials, &form, now);
    serving.called.notify_one();
    if let Err(error) = tell(&answer.told, serving.format) {
        let _already_ending = broken.try_send(error.into());
    }
    if answer.lost {
        Err(Lost)
    } else {
        Ok(written(answer))
    }
}

fn written(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = reply(answer.status, "text/xml;charset=UTF-8", answer.body);
    if let Ok(id) = HeaderValue::from_str(answer.request.as_str()) {
        let name = HeaderName::from_static("x-amzn-requestid");
        response.headers_mut().insert(name, id);
    }
    response
}

/// One call on stdout.
fn tell(told: &Told, format: Format) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => {
            serde_json::to_writer(&mut out, told)?;
            writeln!(out)?;
        }
        Format::Text => {
            let about = match told.resource.as_str() {
                "" => "-",
                resource => resource,
            };
            let who = told.by.splitn(6, ':').last().unwrap_or(&told.by);
            let line = format!(
                "{:.3}  {}  {} {} {}",
                told.at, who, told.action, about, told.outcome
            );
            writeln!(out, "{}", style::printable(&line.replace('\n', " ")))?;
        }
    }
    out.flush()
}
