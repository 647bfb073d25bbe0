//! EC2 error codes and what they mean for a step (semantics B rules 1–3).

use super::ErrorClass;

/// Rule 1: the state may be as wanted already. A stale association id belongs here too: what it
/// named was replaced, so read and compare. So does a group's name that is taken: perhaps by the group
/// that a try of ours without an answer made. And so does a client token that was used with other
/// parameters: two stories ask for one NAT gateway, each with its own mark on it.
const ALREADY_AS_WANTED: &[&str] = &[
    "InvalidPermission.Duplicate",
    "InvalidPermission.NotFound",
    "InvalidSecurityGroupRuleId.NotFound",
    "NetworkAclEntryAlreadyExists",
    "InvalidNetworkAclEntry.NotFound",
    "RouteAlreadyExists",
    "InvalidRoute.NotFound",
    "Resource.AlreadyAssociated",
    "InvalidAssociationID.NotFound",
    "InvalidGroup.Duplicate",
    "IdempotentParameterMismatch",
];

/// Rule 2: throttled or a fault of AWS (EC2 error list and botocore's retry table).
const TRANSIENT: &[&str] = &[
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "PriorRequestNotComplete",
    "Unavailable",
    "ServiceUnavailable",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
];

/// No answer that tells what happened; the first two are the ports' own words.
const LOST: &[&str] = &[
    "Timeout",
    "Dispatch",
    "RequestTimeout",
    "RequestTimeoutException",
];

/// Rule 2: not permitted, or not recognised as us.
const DENIED: &[&str] = &[
    "UnauthorizedOperation",
    "AuthFailure",
    "AccessDenied",
    "AccessDeniedException",
    "OperationNotPermitted",
    "Blocked",
    "OptInRequired",
    "PendingVerification",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "MissingAuthenticationToken",
    "IncompleteSignature",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
];

/// The class of an EC2 error code, with or without the `Client.` or `Server.` prefix that CloudTrail
/// writes. A code that is none of the known ones is `Invalid`: alert, no retry.
pub fn classify(code: &str) -> ErrorClass {
    let code = code
        .strip_prefix("Client.")
        .or_else(|| code.strip_prefix("Server."))
        .unwrap_or(code);
    let is_in = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    if is_in(ALREADY_AS_WANTED) {
        ErrorClass::AlreadyAsWanted
    } else if is_in(TRANSIENT) {
        ErrorClass::Transient
    } else if is_in(LOST) {
        ErrorClass::Lost
    } else if is_in(DENIED) {
        ErrorClass::Denied
    } else if code.ends_with("LimitExceeded") {
        ErrorClass::Quota
    } else if code.ends_with("NotFound") {
        ErrorClass::Gone
    } else {
        ErrorClass::Invalid
    }
}
