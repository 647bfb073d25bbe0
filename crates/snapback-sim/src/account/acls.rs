//! Network ACL calls (semantics A3, B1). The fixed denies 32767 and 32768 are no editable entries.

use super::{Account, Acl, ApiError, Response};
use snapback_model::*;
use std::collections::BTreeMap;

fn no_acl(id: &NetworkAclId) -> ApiError {
    ApiError::new(
        "InvalidNetworkAclID.NotFound",
        format!("The networkAcl ID '{id}' does not exist"),
    )
}

fn no_entry(key: EntryKey) -> ApiError {
    ApiError::new(
        "InvalidNetworkAclEntry.NotFound",
        format!(
            "The network acl entry identified by {} does not exist.",
            key.number
        ),
    )
}

impl Account {
    fn acl_mut(&mut self, id: &NetworkAclId) -> Result<&mut Acl, ApiError> {
        self.acls.get_mut(id).ok_or_else(|| no_acl(id))
    }

    pub(super) fn create_entry(
        &mut self,
        id: &NetworkAclId,
        key: EntryKey,
        entry: &NetworkAclEntry,
    ) -> Result<Response, ApiError> {
        let quota = self.quotas.entries_per_acl;
        let entry = NetworkAclEntry::new(entry.action, entry.traffic, entry.cidr);
        let acl = self.acl_mut(id)?;
        match acl.entries.get(&key) {
            // Creating what is there already succeeds (semantics B1).
            Some(there) if *there == entry => return Ok(Response::Done),
            Some(_) => {
                return Err(ApiError::new(
                    "NetworkAclEntryAlreadyExists",
                    format!(
                        "The network acl entry identified by {} already exists.",
                        key.number
                    ),
                ));
            }
            None => {}
        }
        if acl
            .entries
            .keys()
            .filter(|other| other.direction == key.direction)
            .count()
            >= quota
        {
            return Err(ApiError::new(
                "NetworkAclEntryLimitExceeded",
                format!("The maximum number of network acl entries for {id} has been reached."),
            ));
        }
        acl.entries.insert(key, entry);
        Ok(Response::Done)
    }

    pub(super) fn replace_entry(
        &mut self,
        id: &NetworkAclId,
        key: EntryKey,
        entry: &NetworkAclEntry,
    ) -> Result<Response, ApiError> {
        *self
            .acl_mut(id)?
            .entries
            .get_mut(&key)
            .ok_or_else(|| no_entry(key))? =
            NetworkAclEntry::new(entry.action, entry.traffic, entry.cidr);
        Ok(Response::Done)
    }

    pub(super) fn delete_entry(
        &mut self,
        id: &NetworkAclId,
        key: EntryKey,
    ) -> Result<Response, ApiError> {
        self.acl_mut(id)?
            .entries
            .remove(&key)
            .ok_or_else(|| no_entry(key))?;
        Ok(Response::Done)
    }

    pub(super) fn replace_acl_association(
        &mut self,
        old: &AssociationId,
        to: &NetworkAclId,
    ) -> Result<Response, ApiError> {
        let holder = self
            .acls
            .values()
            .find(|acl| acl.associations.contains_key(old));
        let (from, vpc) = holder
            .map(|acl| (acl.id.clone(), acl.vpc.clone()))
            .ok_or_else(|| {
                ApiError::new(
                    "InvalidAssociationID.NotFound",
                    format!("The association ID '{old}' does not exist"),
                )
            })?;
        if self.acl_mut(to)?.vpc != vpc {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Network ACL {to} belongs to a different network"),
            ));
        }
        let subnet = self.acl_mut(&from)?.associations.remove(old);
        let new = AssociationId::new(self.mint.id("aclassoc"));
        if let Some(subnet) = subnet {
            self.acl_mut(to)?.associations.insert(new.clone(), subnet);
        }
        Ok(Response::Association(new))
    }

    pub(crate) fn create_acl(&mut self, vpc: &VpcId, tags: &Tags) -> Result<Response, ApiError> {
        self.vpc(vpc)?;
        if self.acls.values().filter(|acl| acl.vpc == *vpc).count() >= self.quotas.acls_per_vpc {
            return Err(ApiError::new(
                "NetworkAclLimitExceeded",
                "The maximum number of network ACLs has been reached.",
            ));
        }
        let id = NetworkAclId::new(self.mint.id("acl"));
        let acl = Acl {
            id: id.clone(),
            vpc: vpc.clone(),
            is_default: false,
            tags: tags.clone(),
            entries: BTreeMap::new(),
            associations: BTreeMap::new(),
        };
        self.acls.insert(id.clone(), acl);
        Ok(Response::Acl(id))
    }

    pub(super) fn delete_acl(&mut self, id: &NetworkAclId) -> Result<Response, ApiError> {
        let acl = self.acl_mut(id)?;
        if acl.is_default {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("cannot delete default network ACL {id}"),
            ));
        }
        if !acl.associations.is_empty() {
            return Err(ApiError::new(
                "DependencyViolation",
                format!("The networkAcl '{id}' has dependencies and cannot be deleted."),
            ));
        }
        self.acls.remove(id);
        Ok(Response::Done)
    }
}
