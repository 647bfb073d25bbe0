//! EC2's refusals on the wire: XML form and HTTP status.

use super::xml::escape;
use crate::account::ApiError;

/// The HTTP status EC2 answers a code with.
pub(super) fn status(code: &str) -> u16 {
    match code {
        "RequestLimitExceeded" | "Unavailable" | "ServiceUnavailable" => 503,
        "InternalError" | "InternalFailure" => 500,
        "UnauthorizedOperation" => 403,
        "AuthFailure" => 401,
        "DryRunOperation" => 412,
        _ => 400,
    }
}

/// The body of a refusal. `RequestID` is written with a capital D here, and only here.
pub(super) fn body(error: &ApiError, request: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>\n",
        escape(error.code),
        escape(&error.message),
        escape(request),
    )
}
