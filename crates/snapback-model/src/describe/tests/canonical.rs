//! The reader is the inverse of EC2's printing, whatever the order.

use super::{print, snapshot};
use crate::tests::arbitrary::*;
use crate::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn only(read: &Snapshot) -> &Resource {
    read.resources.values().next().unwrap()
}

/// Puts the items of every list of a JSON value in another order.
fn shuffle(value: &mut Value, seed: u64) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(|item| shuffle(item, seed));
            items.sort_by_key(|item| Digest::of(&(seed, item.to_string())));
        }
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| shuffle(member, seed)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn groups_read_back_from_both_calls_together(group in security_group()) {
        let outputs = [
            json!({ "SecurityGroups": [print::group(&group, group.rules.keys())] }),
            json!({ "SecurityGroupRules": print::rules(&group) }),
        ];
        let read = snapshot(&outputs);
        prop_assert!(read.unknown.is_empty(), "{:?}", read.unknown);
        prop_assert_eq!(read.handles.rules.len(), group.rules.len());
        prop_assert!(group.rules.keys().all(|key| read.handles.rule_id(&group.id, key).is_some()));
        prop_assert_eq!(only(&read), &Resource::SecurityGroup(group));
    }

    #[test]
    fn rules_alone_give_the_same_rules(group in security_group()) {
        let read = snapshot(&[json!({ "SecurityGroupRules": print::rules(&group) })]);
        prop_assert!(read.unknown.is_empty(), "{:?}", read.unknown);
        match read.resources.values().next() {
            Some(Resource::SecurityGroup(found)) => prop_assert_eq!(&found.rules, &group.rules),
            None => prop_assert!(group.rules.is_empty()),
            Some(other) => prop_assert!(false, "{:?}", other),
        }
        prop_assert!(!read.coverage.contains(&Coverage::Kind(Kind::SecurityGroup)));
    }

    #[test]
    fn the_order_of_permissions_does_not_matter(group in security_group()) {
        let forth = snapshot(&[json!({ "SecurityGroups": [print::group(&group, group.rules.keys())] })]);
        let back = snapshot(&[json!({ "SecurityGroups": [print::group(&group, group.rules.keys().rev())] })]);
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn acls_read_back_in_any_order(acl in network_acl(), seed in any::<u64>()) {
        let mut output = json!({ "NetworkAcls": [print::acl(&acl)] });
        shuffle(&mut output, seed);
        let read = snapshot(&[output]);
        prop_assert!(read.unknown.is_empty(), "{:?}", read.unknown);
        for subnet in &acl.subnets {
            let id = read.handles.association_id(Kind::NetworkAcl, &AssociationSubject::Subnet(subnet.clone()));
            prop_assert_eq!(id.unwrap().as_str(), format!("aclassoc-{subnet}"));
        }
        prop_assert_eq!(only(&read), &Resource::NetworkAcl(acl));
    }

    #[test]
    fn tables_read_back_in_any_order(table in route_table(), seed in any::<u64>()) {
        let mut output = json!({ "RouteTables": [print::table(&table)] });
        shuffle(&mut output, seed);
        let read = snapshot(&[output]);
        prop_assert!(read.unknown.is_empty(), "{:?}", read.unknown);
        let main = read.handles.association_id(Kind::RouteTable, &AssociationSubject::Main(table.vpc.clone()));
        prop_assert_eq!(main.is_some(), table.main);
        prop_assert_eq!(only(&read), &Resource::RouteTable(table));
    }

    /// No JSON makes the reader panic, however strange its members.
    #[test]
    fn strange_members_are_told_and_never_panic(protocol in "\\PC{0,6}", cidr in "\\PC{0,20}", from in any::<i64>()) {
        let read = snapshot(&[
            json!({ "SecurityGroups": [{ "GroupId": "sg-1", "IpPermissions": [
                { "IpProtocol": protocol, "FromPort": from, "IpRanges": [{ "CidrIp": cidr }] }] }] }),
            json!({ "NetworkAcls": [{ "NetworkAclId": "acl-1", "VpcId": "vpc-1", "Entries": [
                { "Protocol": protocol, "RuleNumber": from, "Egress": false, "RuleAction": "allow", "CidrBlock": cidr }] }] }),
            json!({ "RouteTables": [{ "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": [
                { "DestinationCidrBlock": cidr, "GatewayId": protocol }] }] }),
        ]);
        for id in ["sg-1", "acl-1", "rtb-1"] {
            let parts = match &read.resources[&id.parse::<ResourceId>().unwrap()] {
                Resource::SecurityGroup(group) => group.rules.len(),
                Resource::NetworkAcl(acl) => acl.entries.len(),
                Resource::RouteTable(table) => table.routes.len(),
            };
            let told = read.unknown.iter().any(|unknown| unknown.place == id);
            prop_assert!(parts == 1 || told || (id == "acl-1" && (from == 32767 || from == 32768)));
        }
    }
}
