//! The EC2 calls that many scenarios make, in few words. Ids of associations are read when the call is
//! written: two calls on one subnet are written one after the other.

use super::Setting;
use snapback_model::*;
use snapback_sim::Call;

/// The rule that every mode but observe takes back: SSH from the whole internet.
pub const SSH: &str = "ingress tcp:22 0.0.0.0/0";

/// A rule by its text form.
///
/// # Panics
/// Where it is none.
pub fn rule(text: &str) -> RuleKey {
    text.parse().unwrap()
}

/// The peer of a rule by its text form: a network, a group, a prefix list.
///
/// # Panics
/// Where it is none.
pub fn peer(text: &str) -> Peer {
    rule(&format!("ingress all {text}")).peer
}

/// Where a table's default route leads to.
///
/// # Panics
/// Never.
pub fn default_route() -> Destination {
    "0.0.0.0/0".parse().unwrap()
}

/// Authorizes rules of one direction on a group.
pub fn allow(group: &SecurityGroupId, rules: &[&str]) -> Call {
    Call::authorize(group, rules.iter().map(|text| (rule(text), None)))
}

/// Authorizes rules of one direction on the application group.
pub fn authorize(setting: &Setting, rules: &[&str]) -> Call {
    allow(&setting.layout.app, rules)
}

/// Makes a group in the shop's VPC.
pub fn create_group(setting: &Setting, name: &str) -> Call {
    create_tagged_group(setting, name, Tags::new())
}

/// Makes a group with tags in the shop's VPC.
pub fn create_tagged_group(setting: &Setting, name: &str, tags: Tags) -> Call {
    Call::CreateSecurityGroup {
        name: name.into(),
        description: format!("{name} jobs"),
        vpc: Some(setting.layout.vpc.clone()),
        tags,
    }
}

/// Deletes a group.
pub fn delete_group(group: &SecurityGroupId) -> Call {
    Call::DeleteSecurityGroup {
        group: group.into(),
    }
}

/// Deletes an entry of an ACL.
pub fn delete_entry(acl: &NetworkAclId, key: EntryKey) -> Call {
    Call::DeleteNetworkAclEntry {
        acl: acl.clone(),
        key,
    }
}

/// Deletes the NAT gateway of the private subnets.
pub fn delete_nat(setting: &Setting) -> Call {
    Call::DeleteNatGateway {
        gateway: setting.layout.nat_gateway.clone(),
    }
}

/// Makes the office's prefix list hold the whole internet.
///
/// # Panics
/// Never.
pub fn widen_office_list(setting: &Setting) -> Call {
    Call::ModifyManagedPrefixList {
        list: setting.layout.office_list.clone(),
        current_version: None,
        add: vec!["0.0.0.0/0".parse().unwrap()],
        remove: Vec::new(),
    }
}

/// Moves a subnet to an ACL.
///
/// # Panics
/// Where the subnet is not there.
pub fn move_to_acl(setting: &Setting, subnet: &SubnetId, acl: &NetworkAclId) -> Call {
    Call::ReplaceNetworkAclAssociation {
        association: setting.world.acl_association(subnet).unwrap(),
        acl: acl.clone(),
    }
}

fn table_association(setting: &Setting, subnet: &SubnetId) -> Option<AssociationId> {
    let subject = AssociationSubject::Subnet(subnet.clone());
    setting.world.table_association(&subject)
}

/// Moves a subnet to a route table, from another one or from the VPC's main table.
pub fn move_to_table(setting: &Setting, subnet: &SubnetId, table: &RouteTableId) -> Call {
    let table = table.clone();
    match table_association(setting, subnet) {
        Some(association) => Call::ReplaceRouteTableAssociation { association, table },
        None => Call::AssociateRouteTable {
            table,
            subject: AssociationSubject::Subnet(subnet.clone()),
        },
    }
}

/// Takes a subnet off its route table: the VPC's main table leads it then.
///
/// # Panics
/// Where the subnet has none of its own.
pub fn disassociate(setting: &Setting, subnet: &SubnetId) -> Call {
    Call::DisassociateRouteTable {
        association: table_association(setting, subnet).unwrap(),
    }
}
