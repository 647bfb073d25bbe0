//! One meaning for every SDK failure.
//!
//! - Owns: the way from `SdkError` to `CallError`: code, message, request id, class.
//! - Takes: SDK errors.
//! - Gives: `CallError`. No answer is always [`ErrorClass::Lost`]: the call may have happened.
//! - Must not: hide a code or retry.

use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use snapback_app::port::CallError;
use snapback_engine::execution::{ErrorClass, classify};
use snapback_model::RequestId;
use std::error::Error;

/// The code of a call that ran into its time limit.
pub const TIMEOUT: &str = "Timeout";
/// The code of a call whose connection failed.
pub const DISPATCH: &str = "Dispatch";

/// Translates a failure of `operation` on `resource`.
pub(crate) fn call_error<E>(
    operation: &str,
    resource: &str,
    error: &SdkError<E, HttpResponse>,
) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let request = error
        .request_id()
        .or_else(|| error.meta().request_id())
        .map(RequestId::new);
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let (code, class) = match error {
        SdkError::TimeoutError(_) => (TIMEOUT.to_owned(), ErrorClass::Lost),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            (TIMEOUT.to_owned(), ErrorClass::Lost)
        }
        SdkError::DispatchFailure(_) => (DISPATCH.to_owned(), ErrorClass::Lost),
        SdkError::ConstructionFailure(_) => ("Construction".to_owned(), ErrorClass::Invalid),
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => match (error.code(), status) {
            (Some(code), status) => (bare(code).to_owned(), class_of(bare(code), status)),
            // An answer that says yes but cannot be read: it happened, or nobody knows what.
            (None, Some(200..=299)) => ("Unreadable".to_owned(), ErrorClass::Lost),
            (None, Some(status)) => (format!("Http{status}"), class_of("", Some(status))),
            (None, None) => ("Unreadable".to_owned(), ErrorClass::Lost),
        },
        // `SdkError` is non-exhaustive: a way to fail that this version does not know proves nothing.
        _ => ("Unknown".to_owned(), ErrorClass::Lost),
    };
    let message = match error.message() {
        Some(message) => message.to_owned(),
        None => DisplayErrorContext(error).to_string(),
    };
    CallError {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        code,
        message,
        class,
        request,
    }
}

/// A call that was not sent because it cannot be made.
pub(crate) fn not_sent(
    operation: &str,
    resource: &str,
    code: &str,
    message: impl Into<String>,
) -> CallError {
    CallError {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        code: code.to_owned(),
        message: message.into(),
        class: ErrorClass::Invalid,
        request: None,
    }
}

/// The code without the sender prefix that CloudTrail writes and some emulators send.
fn bare(code: &str) -> &str {
    code.strip_prefix("Client.")
        .or_else(|| code.strip_prefix("Server."))
        .unwrap_or(code)
}

/// Codes of the services beside EC2 first, then EC2's own (semantics B rules 1–3), then the HTTP status.
fn class_of(code: &str, status: Option<u16>) -> ErrorClass {
    match code {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottled"
        | "InternalServerError"
        | "InternalFailure"
        | "InternalServiceError"
        | "TransactionInProgressException"
        | "KMSThrottling"
        | "KmsThrottled" => ErrorClass::Transient,
        "AccessDeniedException"
        | "AccessDenied"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "KMSAccessDenied"
        | "KmsAccessDenied"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId" => ErrorClass::Denied,
        _ => match (classify(code), status) {
            (ErrorClass::Invalid, Some(429 | 500..=599)) => ErrorClass::Transient,
            (class, _) => class,
        },
    }
}
