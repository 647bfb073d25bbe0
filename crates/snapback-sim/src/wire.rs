//! The wire face of the account: EC2's query protocol, from a form body to XML.
//!
//! - Owns: which parameters make which call, what an answer looks like, pages, filters, dry runs,
//!   EC2's errors on the wire, who an access key is.
//! - Takes: the body and head of a request, the instant it came, a [`World`].
//! - Gives: an [`Answer`] with its HTTP status, or one that is lost on its way.
//! - Must not: open a socket, read a clock, know anything of the state that the account does not.

mod answer;
mod control;
mod describe;
mod error;
mod fault;
mod filter;
mod form;
mod identity;
mod page;
mod request;
#[cfg(test)]
mod tests;
mod xml;

pub use control::{Control, control};
pub use fault::{FaultSpec, duration, event_faults};
pub use identity::{Callers, Credentials};

use crate::account::ApiError;
use crate::call::Call;
use crate::faults::Fault;
use crate::principal::Principal;
use crate::world::{Inner, World};
use form::Form;
use serde_json::Value;
use snapback_model::{RequestId, Timestamp};

/// The version of EC2's API that is spoken, since 2016 the only one.
const VERSION: &str = "2016-11-15";

/// What a caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// EC2's request id: `x-amzn-requestid`, and `requestID` of the event.
    pub request: RequestId,
    /// XML.
    pub body: String,
    /// Whether the connection breaks instead: after the effect, or without one.
    pub lost: bool,
    /// What to tell of it.
    pub told: Told,
}

/// One call as a line of a log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Who: the ARN that policies match.
    pub by: String,
    /// The action.
    pub action: String,
    /// What it was about; empty for reads.
    pub resource: String,
    /// `ok`, EC2's code, `lost-response` or `lost-request`.
    pub outcome: String,
    /// EC2's request id.
    pub request: RequestId,
}

fn unknown_action(action: &str) -> ApiError {
    ApiError::new(
        "InvalidAction",
        format!("The action {action} is not valid for this web service."),
    )
}

fn dry_run() -> ApiError {
    ApiError::new(
        "DryRunOperation",
        "Request would have succeeded, but DryRun flag is set.",
    )
}

/// Answers one request of EC2's query protocol. The world's clock goes to `at` first; an earlier
/// instant leaves it where it is.
pub fn answer(
    world: &World,
    callers: &Callers,
    credentials: &Credentials<'_>,
    body: &str,
    at: Timestamp,
) -> Answer {
    world.with(|inner| {
        inner.pass_to(at);
        let caller = callers.principal(credentials, &inner.account);
        let mut exchange = Exchange {
            by: caller
                .as_ref()
                .map_or_else(|| "anonymous".to_owned(), Principal::arn),
            caller,
            form: Form::parse(body),
            inner,
        };
        exchange.answer()
    })
}

/// What a request asks for.
enum Operation {
    Read,
    Write { call: Box<Call>, by: Principal },
}

/// How an operation ended, before it is written out.
struct Ended {
    request: RequestId,
    resource: String,
    result: Result<Value, ApiError>,
}

struct Exchange<'a> {
    inner: &'a mut Inner,
    caller: Option<Principal>,
    /// The caller as logs tell of it.
    by: String,
    form: Form,
}

impl Exchange<'_> {
    fn answer(&mut self) -> Answer {
        let action = self.form.fields().some("Action").unwrap_or("").to_owned();
        let operation = self.operation(&action);
        let fault = match &operation {
            Ok(_) => self.inner.ec2_fault(&action),
            Err(_) => None,
        };
        let lost = match fault {
            Some(Fault::LostRequest) => Some("lost-request"),
            Some(Fault::LostResponse) => Some("lost-response"),
            _ => None,
        };
        let refusal = fault.and_then(|fault| crate::ports::answer(fault, &action, &self.by));
        let ended = match operation {
            Err(error) => self.refused(String::new(), error),
            Ok(Operation::Write { call, .. }) if fault == Some(Fault::LostRequest) => {
                // Nobody will read this: the connection breaks.
                self.refused(
                    call.subject(),
                    ApiError::new("RequestLost", "lost on its way"),
                )
            }
            Ok(Operation::Read) => self.read(&action, refusal),
            Ok(Operation::Write { call, by }) => self.write(&by, &call, refusal),
        };
        let (status, body) = match &ended.result {
            Ok(body) => (200, xml::response(&action, ended.request.as_str(), body)),
            Err(error) => (
                error::status(error.code),
                error::body(error, ended.request.as_str()),
            ),
        };
        let outcome = match (&ended.result, lost) {
            (_, Some(lost)) => lost,
            (Ok(_), None) => "ok",
            (Err(error), None) => error.code,
        };
        let told = Told {
            at: self.inner.now,
            by: self.by.clone(),
            action,
            resource: ended.resource,
            outcome: outcome.to_owned(),
            request: ended.request.clone(),
        };
        Answer {
            status,
            request: ended.request,
            body,
            lost: lost.is_some(),
            told,
        }
    }

    /// Reads the request; nothing is changed yet.
    fn operation(&self, action: &str) -> Result<Operation, ApiError> {
        if action.is_empty() {
            return Err(ApiError::new(
                "MissingAction",
                "The request must contain the parameter Action",
            ));
        }
        let Some(caller) = self.caller.clone() else {
            return Err(ApiError::new(
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            ));
        };
        let fields = self.form.fields();
        if let Some(version) = fields.some("Version").filter(|version| *version != VERSION) {
            return Err(ApiError::new(
                "NoSuchVersion",
                format!("The requested version ({version}) of service AmazonEC2 does not exist"),
            ));
        }
        if describe::is_read(action) {
            return Ok(Operation::Read);
        }
        let call = request::call(action, &fields, &self.inner.account)?;
        match self.form.left_over() {
            Some(unknown) => Err(unknown_parameter(&unknown)),
            None => Ok(Operation::Write {
                call: Box::new(call),
                by: caller,
            }),
        }
    }

    fn is_dry(&self) -> Result<bool, ApiError> {
        Ok(self.form.fields().flag("DryRun")?.unwrap_or(false))
    }

    fn read(&mut self, action: &str, refusal: Option<ApiError>) -> Ended {
        let request = RequestId::new(self.inner.uuid());
        let result = match refusal {
            Some(refusal) => Err(refusal),
            None => self.shown(action),
        };
        self.inner.log.push(crate::views::Logged {
            at: self.inner.now,
            by: self.by.clone(),
            api: action.to_owned(),
            resource: String::new(),
            error: result.as_ref().err().map(|error| error.code.to_owned()),
            read: true,
            request: Some(request.clone()),
        });
        Ended {
            request,
            resource: String::new(),
            result,
        }
    }

    fn shown(&mut self, action: &str) -> Result<Value, ApiError> {
        let account = self.inner.visible();
        let shown = describe::read(&account, action, &self.form.fields());
        // An error about a parameter that is known stands before one about a stray one.
        let shown = shown?;
        if let Some(unknown) = self.form.left_over() {
            return Err(unknown_parameter(&unknown));
        }
        if self.is_dry()? {
            Err(dry_run())
        } else {
            Ok(shown)
        }
    }

    fn write(&mut self, by: &Principal, call: &Call, refusal: Option<ApiError>) -> Ended {
        let refusal = match (refusal, self.is_dry()) {
            (Some(refusal), _) => Some(refusal),
            (None, Err(error)) => Some(error),
            (None, Ok(dry)) => dry.then(dry_run),
        };
        let performed = self.inner.perform_whole(by, call, refusal);
        let account = &self.inner.account;
        Ended {
            request: performed.request,
            resource: call.subject(),
            result: performed
                .result
                .map(|response| answer::body(call, &response, account)),
        }
    }

    /// A request that never became a call: EC2 tells the caller, and nobody else.
    fn refused(&mut self, resource: String, error: ApiError) -> Ended {
        Ended {
            request: RequestId::new(self.inner.uuid()),
            resource,
            result: Err(error),
        }
    }
}

fn unknown_parameter(name: &str) -> ApiError {
    ApiError::new(
        "UnknownParameter",
        format!("The parameter {name} is not recognized"),
    )
}
