//! From the parameters of a request to the call of the account.

mod acls;
mod context;
mod gateways;
mod groups;
mod provide;
mod tables;

use super::form::{Fields, invalid};
use crate::account::{Account, ApiError};
use crate::call::Call;
use ipnet::IpNet;
use snapback_model::*;
use std::net::IpAddr;

/// The call that a request asks for.
///
/// # Errors
/// EC2's words for an unknown action, a parameter that is missing or one that cannot be read.
pub(super) fn call(action: &str, fields: &Fields<'_>, account: &Account) -> Result<Call, ApiError> {
    let found = match groups::call(action, fields, account) {
        None => acls::call(action, fields),
        found => found,
    };
    let found = found
        .or_else(|| tables::call(action, fields, account))
        .or_else(|| context::call(action, fields, account))
        .or_else(|| gateways::call(action, fields))
        .or_else(|| provide::call(action, fields));
    let call = found.unwrap_or_else(|| Err(super::unknown_action(action)))?;
    let token = fields.some("ClientToken").map(str::to_owned);
    Ok(call.once(token.filter(|_| takes_token(action))))
}

/// Actions with a `ClientToken` (semantics E).
fn takes_token(action: &str) -> bool {
    matches!(
        action,
        "CreateNetworkAcl"
            | "CreateRouteTable"
            | "CreateNatGateway"
            | "CreateEgressOnlyInternetGateway"
            | "CreateManagedPrefixList"
            | "CreateVpcEndpoint"
            | "CreateNetworkInterface"
            | "CreateFlowLogs"
    )
}

/// The tags of `TagSpecification.N` for the kind that the call makes.
fn tags(fields: &Fields<'_>, kind: &str) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for specification in fields.list("TagSpecification") {
        let named = specification.required("ResourceType")?;
        if named != kind {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("'{named}' is not a valid taggable resource type for this operation."),
            ));
        }
        tags.extend(tag_list(&specification)?);
    }
    check_keys(&tags)?;
    Ok(tags)
}

/// `Tag.N.Key` and `Tag.N.Value`; a value that is not sent is empty.
fn tag_list(fields: &Fields<'_>) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in fields.list("Tag") {
        let value = tag.text("Value").unwrap_or_default();
        tags.insert(tag.required("Key")?.to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn check_keys(tags: &Tags) -> Result<(), ApiError> {
    let reserved = tags
        .keys()
        .find(|key| key.to_ascii_lowercase().starts_with("aws:"));
    reserved.map_or(Ok(()), |key| {
        Err(ApiError::new(
            "InvalidParameterValue",
            format!("Tag keys starting with 'aws:' are reserved for internal use: {key}"),
        ))
    })
}

/// A network of one family.
fn network(fields: &Fields<'_>, name: &str, is_v6: bool) -> Result<Option<IpNet>, ApiError> {
    let Some(text) = fields.some(name) else {
        return Ok(None);
    };
    let net = text.parse::<IpNet>().ok();
    net.filter(|net| matches!(net, IpNet::V6(_)) == is_v6)
        .map(Some)
        .ok_or_else(|| {
            ApiError::new(
                "InvalidParameterValue",
                format!("CIDR block {text} is malformed"),
            )
        })
}

fn address(fields: &Fields<'_>, name: &str) -> Result<Option<IpAddr>, ApiError> {
    fields.parsed(name)
}

/// Exactly one of several members is to be sent.
fn exactly_one<T>(found: Vec<(&str, T)>, names: &str) -> Result<T, ApiError> {
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some((_, one)), None) => Ok(one),
        (None, _) => Err(ApiError::new(
            "MissingParameter",
            format!("The request must contain exactly one of {names}"),
        )),
        (Some((first, _)), Some((second, _))) => Err(ApiError::new(
            "InvalidParameterCombination",
            format!("The parameters {first} and {second} cannot be used together"),
        )),
    }
}

/// Ports, or ICMP type and code, with the protocol that they belong to.
fn traffic(
    fields: &Fields<'_>,
    protocol: &str,
    from: Option<i64>,
    to: Option<i64>,
) -> Result<Traffic, ApiError> {
    let named = Traffic::new(protocol, None, None)
        .map_err(|_| invalid(&fields.at("IpProtocol"), protocol))?;
    if matches!(named, Traffic::Tcp(_) | Traffic::Udp(_)) && (from.is_none() || to.is_none()) {
        return Err(ApiError::new(
            "InvalidParameterValue",
            "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
        ));
    }
    Traffic::new(protocol, from, to).map_err(|_| {
        ApiError::new(
            "InvalidParameterValue",
            format!("Invalid port range for {protocol}: {from:?} to {to:?}"),
        )
    })
}
