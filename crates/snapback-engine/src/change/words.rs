//! A change in words: for logs, the command line and messages.

use super::{Actor, DeletedRef, Edit, GroupRef, IgnoreReason, RuleRef, Touched};
use snapback_model::AssociationSubject;
use std::fmt;

impl fmt::Display for IgnoreReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { code } => write!(f, "the call failed with {code}: nothing changed"),
            Self::DryRun => f.write_str("a dry run: nothing changed"),
            Self::ReadOnly => f.write_str("a read-only call"),
            Self::OtherAccount { account } => write!(f, "an event of another account: {account}"),
            Self::OtherRegion { region } => write!(f, "an event of another Region: {region}"),
            Self::OtherSource { source } => write!(f, "an event of another source: {source}"),
            Self::OtherDetailType { detail_type } => {
                write!(f, "an event of another detail type: {detail_type}")
            }
            Self::NotAnApiCall { kind } => write!(f, "not an API call: {kind}"),
            Self::NotNetwork { api } => write!(f, "{api} as called here alters no guarded traffic"),
            Self::OwnCall => f.write_str("our own call"),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(person) = &self.person {
            write!(f, "{person} as ")?;
        }
        f.write_str(&self.principal)?;
        if let Some(service) = &self.on_behalf_via {
            write!(f, ", through {service}")?;
        }
        if self.console {
            f.write_str(", in the console")?;
        }
        match &self.source_ip {
            // A service's call has its name in place of the address.
            Some(address) if self.on_behalf_via.as_ref() != Some(address) => {
                write!(f, ", from {address}")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(id) => write!(f, "{id}"),
            Self::GroupNamed { name } => write!(f, "the security group named `{name}`"),
            Self::Association(id) => write!(f, "association {id}"),
            Self::Context { what, id } => write!(f, "{} {id}", what.replace('-', " ")),
        }
    }
}

impl fmt::Display for GroupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => write!(f, "the security group named `{name}`"),
        }
    }
}

impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "{key}"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

impl fmt::Display for DeletedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::GroupNamed(name) => write!(f, "the security group named `{name}`"),
        }
    }
}

/// A description in quotes, or nothing.
struct Quoted<'a>(&'a Option<String>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |text| write!(f, " \"{text}\""))
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RuleAdded {
                group,
                rule,
                detail,
                ..
            } => write!(
                f,
                "{group}: rule added: {rule}{}",
                Quoted(&detail.description)
            ),
            Self::RuleRemoved { group, rule } => write!(f, "{group}: rule removed: {rule}"),
            Self::RuleModified {
                group,
                id,
                traffic,
                peer,
                description,
            } => {
                write!(
                    f,
                    "{group}: rule {id} became {traffic} {peer}{}",
                    Quoted(description)
                )
            }
            Self::RuleDescribed {
                group,
                rule,
                description: Some(text),
            } => write!(f, "{group}: rule {rule} is now described \"{text}\""),
            Self::RuleDescribed {
                group,
                rule,
                description: None,
            } => write!(f, "{group}: rule {rule} lost its description"),
            Self::EntrySet { acl, key, entry } => write!(f, "{acl}: entry set: {key} {entry}"),
            Self::EntryRemoved { acl, key } => write!(f, "{acl}: entry removed: {key}"),
            Self::AclReassociated {
                association, acl, ..
            } => write!(
                f,
                "{acl}: took over the subnet of association {association}"
            ),
            Self::RouteSet {
                table,
                destination,
                target,
            } => write!(f, "{table}: route set: {destination} to {target}"),
            Self::RouteRemoved { table, destination } => {
                write!(f, "{table}: route removed: {destination}")
            }
            Self::TableAssociated { table, subject, .. } => {
                write!(f, "{table}: associated with {}", subject_id(subject))
            }
            Self::TableDisassociated { association } => {
                write!(f, "association {association} removed")
            }
            Self::TableReassociated {
                association, table, ..
            } => write!(f, "{table}: took over association {association}"),
            Self::PropagationSet {
                table,
                gateway,
                enabled,
            } => {
                write!(
                    f,
                    "{table}: propagation from {gateway} {}",
                    if *enabled { "enabled" } else { "disabled" }
                )
            }
            Self::TagSet {
                resource,
                key,
                value,
            } => write!(f, "{resource}: tag {key:?} set to {value:?}"),
            Self::TagRemoved { resource, key, .. } => write!(f, "{resource}: tag {key:?} removed"),
            Self::Created { resource } => {
                write!(f, "{} created: {}", resource.kind(), resource.label())
            }
            Self::Deleted { resource } => write!(f, "{resource} deleted"),
        }
    }
}

fn subject_id(subject: &AssociationSubject) -> &str {
    match subject {
        AssociationSubject::Subnet(id) => id.as_str(),
        AssociationSubject::Gateway(id) => id.as_str(),
        AssociationSubject::Main(id) => id.as_str(),
    }
}
