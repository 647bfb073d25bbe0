//! A large account, made up: what `snapback explain` and `snapback plan` are measured on.
//!
//! - Owns: how many interfaces share groups, subnets, ACLs and tables, and what somebody changed.
//! - Takes: how many interfaces and groups, how many groups were opened, where to, a seed.
//! - Gives: `DIR/good/*.json` and `DIR/live/*.json` as `aws ec2 describe-*` prints them; the same for the
//!   same seed.
//! - Must not: write below the repository.

use crate::options::Options;
use fastrand::Rng;
use serde_json::{Value, json};
use std::path::Path;

const ACCOUNT: &str = "111122223333";
const VPC: &str = "vpc-0a1b2c3d4e5f60718";
const NAT: &str = "nat-0a1b2c3d4e5f60718";
const INTERNET_GATEWAY: &str = "igw-0a1b2c3d4e5f60718";
const ANYWHERE: &str = "0.0.0.0/0";
const RULES_A_GROUP: usize = 15;
/// Of ten rules, those that name a group.
const NAMING_A_GROUP: u8 = 4;
const ACLS: usize = 6;
const TABLES: usize = 20;
/// Interfaces of a /24 subnet, at most.
const INTERFACES_A_SUBNET: usize = 240;
const SUBNETS_MIN: usize = 60;

/// What makes one account.
struct Size {
    interfaces: usize,
    groups: usize,
    subnets: usize,
}

/// Makes the files.
pub fn account(arguments: &[String]) -> Result<(), String> {
    let options = Options(arguments);
    let interfaces = options.number("--interfaces", 10_000)?;
    let size = Size {
        interfaces,
        groups: options.number("--groups", 2_000)?.max(1),
        subnets: interfaces.div_ceil(INTERFACES_A_SUBNET).max(SUBNETS_MIN),
    };
    if size.subnets > 256 {
        return Err(format!("--interfaces {interfaces}: more than a VPC holds"));
    }
    let changed: usize = options.number("--changed", 50)?;
    let mut rng = Rng::with_seed(options.number("--seed", 1)?);
    let out = options.out()?;
    let mut groups = groups(&size, &mut rng);
    let others = [
        ("NetworkInterfaces", interfaces_of(&size, &mut rng)),
        ("Subnets", subnets(&size)),
        ("NetworkAcls", acls(&size)),
        ("RouteTables", tables(&size)),
        ("NatGateways", vec![nat()]),
        ("InternetGateways", vec![internet_gateway()]),
        ("Vpcs", vec![vpc()]),
    ];
    for folder in ["good", "live"] {
        if folder == "live" {
            for group in groups.iter_mut().take(changed) {
                open(group);
            }
        }
        let folder = out.join(folder);
        write(&folder, "SecurityGroups", &groups)?;
        for (key, items) in &others {
            write(&folder, key, items)?;
        }
    }
    eprintln!(
        "{interfaces} interfaces and {} groups, {changed} of them opened, below {}",
        size.groups,
        out.display()
    );
    Ok(())
}

fn write(folder: &Path, key: &str, items: &[Value]) -> Result<(), String> {
    let path = folder.join(format!("{key}.json"));
    let body = json!({ key: items }).to_string();
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, body))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn numbered(prefix: &str, number: usize) -> String {
    format!("{prefix}-0{number:016x}")
}

fn groups(size: &Size, rng: &mut Rng) -> Vec<Value> {
    let group = |number: usize| {
        let rules: Vec<Value> = (0..RULES_A_GROUP)
            .map(|rule| {
                let port = 1_024 + rule * 100 + rng.usize(..100);
                let by_group = rng.u8(..10) < NAMING_A_GROUP;
                let peer = numbered("sg", rng.usize(..size.groups));
                let network = format!("10.0.{}.0/24", rng.usize(..size.subnets));
                let (ranges, pairs) = match by_group {
                    true => (json!([]), json!([{ "GroupId": peer, "UserId": ACCOUNT }])),
                    false => (json!([{ "CidrIp": network }]), json!([])),
                };
                permission(port, &ranges, &pairs)
            })
            .collect();
        json!({
            "GroupId": numbered("sg", number), "GroupName": format!("service-{number}"),
            "Description": "made by code", "OwnerId": ACCOUNT, "VpcId": VPC, "Tags": [],
            "IpPermissions": rules,
            "IpPermissionsEgress": [{
                "IpProtocol": "-1", "IpRanges": [{ "CidrIp": ANYWHERE }], "Ipv6Ranges": [],
                "PrefixListIds": [], "UserIdGroupPairs": [],
            }],
        })
    };
    (0..size.groups).map(group).collect()
}

fn permission(port: usize, ranges: &Value, pairs: &Value) -> Value {
    json!({
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges, "Ipv6Ranges": [],
        "PrefixListIds": [], "UserIdGroupPairs": pairs,
    })
}

/// Somebody lets anyone in by ssh.
fn open(group: &mut Value) {
    if let Some(rules) = group.get_mut("IpPermissions").and_then(Value::as_array_mut) {
        rules.push(permission(22, &json!([{ "CidrIp": ANYWHERE }]), &json!([])));
    }
}

/// Each with one to three groups; one in ten with a public address.
fn interfaces_of(size: &Size, rng: &mut Rng) -> Vec<Value> {
    let interface = |number: usize| {
        let subnet = number % size.subnets;
        let address = format!("10.0.{subnet}.{}", 10 + number / size.subnets);
        let groups: Vec<Value> = (0..rng.usize(1..4))
            .map(|_| json!({ "GroupId": numbered("sg", rng.usize(..size.groups)) }))
            .collect();
        let of = match number.is_multiple_of(10) {
            true => json!({
                "PrivateIpAddress": address, "Primary": true,
                "Association": {
                    "PublicIp": format!("198.18.{}.{}", number / 2_560, number / 10 % 256),
                    "IpOwnerId": "amazon",
                },
            }),
            false => json!({ "PrivateIpAddress": address, "Primary": true }),
        };
        json!({
            "NetworkInterfaceId": numbered("eni", number), "VpcId": VPC, "OwnerId": ACCOUNT,
            "SubnetId": numbered("subnet", subnet), "Status": "in-use", "InterfaceType": "interface",
            "RequesterManaged": false, "SourceDestCheck": true, "PrivateIpAddress": address,
            "PrivateIpAddresses": [of], "Ipv6Addresses": [], "Groups": groups, "TagSet": [],
            "Attachment": { "InstanceId": numbered("i", number), "InstanceOwnerId": ACCOUNT, "Status": "attached" },
        })
    };
    (0..size.interfaces).map(interface).collect()
}

fn subnets(size: &Size) -> Vec<Value> {
    let subnet = |number: usize| {
        json!({
            "SubnetId": numbered("subnet", number), "VpcId": VPC, "OwnerId": ACCOUNT,
            "CidrBlock": format!("10.0.{number}.0/24"), "Ipv6CidrBlockAssociationSet": [], "Tags": [],
            "AvailabilityZone": format!("eu-central-1{}", zone(number)),
            "AvailabilityZoneId": format!("euc1-az{}", number % 3 + 1), "State": "available",
        })
    };
    (0..size.subnets).map(subnet).collect()
}

fn zone(number: usize) -> char {
    match number % 3 {
        0 => 'a',
        1 => 'b',
        _ => 'c',
    }
}

/// The subnets that the holder of a number has, of so many holders.
fn held(size: &Size, number: usize, of: usize) -> impl Iterator<Item = usize> {
    (number..size.subnets).step_by(of)
}

fn acls(size: &Size) -> Vec<Value> {
    let entry = |number: u16, egress: bool, action: &str, network: &str| {
        json!({
            "RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1",
            "CidrBlock": network,
        })
    };
    let acl = |number: usize| {
        let id = numbered("acl", number);
        let associations: Vec<Value> = held(size, number, ACLS)
            .map(|subnet| {
                json!({
                    "NetworkAclAssociationId": numbered("aclassoc", subnet), "NetworkAclId": id,
                    "SubnetId": numbered("subnet", subnet),
                })
            })
            .collect();
        let mut entries: Vec<Value> = (1..=10)
            .map(|deny| entry(deny * 10, false, "deny", &format!("203.0.{deny}.0/24")))
            .collect();
        for egress in [false, true] {
            entries.push(entry(500, egress, "allow", ANYWHERE));
            entries.push(entry(32_767, egress, "deny", ANYWHERE));
        }
        json!({
            "NetworkAclId": id, "VpcId": VPC, "OwnerId": ACCOUNT, "IsDefault": number == 0, "Tags": [],
            "Associations": associations, "Entries": entries,
        })
    };
    (0..ACLS).map(acl).collect()
}

/// The first one is the main table; every other one leads to the internet gateway, the rest to a NAT
/// gateway.
fn tables(size: &Size) -> Vec<Value> {
    let table = |number: usize| {
        let id = numbered("rtb", number);
        let mut associations: Vec<Value> = held(size, number, TABLES)
            .map(|subnet| {
                json!({
                    "RouteTableAssociationId": numbered("rtbassoc", subnet), "RouteTableId": id,
                    "SubnetId": numbered("subnet", subnet), "Main": false,
                    "AssociationState": { "State": "associated" },
                })
            })
            .collect();
        if number == 0 {
            associations.push(json!({
                "RouteTableAssociationId": "rtbassoc-0ffffffffffffffff", "RouteTableId": id, "Main": true,
                "AssociationState": { "State": "associated" },
            }));
        }
        let (kind, gateway) = match number.is_multiple_of(2) {
            true => ("GatewayId", INTERNET_GATEWAY),
            false => ("NatGatewayId", NAT),
        };
        json!({
            "RouteTableId": id, "VpcId": VPC, "OwnerId": ACCOUNT, "PropagatingVgws": [], "Tags": [],
            "Associations": associations,
            "Routes": [{
                "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local",
                "Origin": "CreateRouteTable", "State": "active",
            }, {
                "DestinationCidrBlock": ANYWHERE, kind: gateway, "Origin": "CreateRoute",
                "State": "active",
            }],
        })
    };
    (0..TABLES).map(table).collect()
}

fn nat() -> Value {
    json!({
        "NatGatewayId": NAT, "VpcId": VPC, "SubnetId": numbered("subnet", 0), "State": "available",
        "ConnectivityType": "public", "Tags": [],
        "NatGatewayAddresses": [{
            "AllocationId": "eipalloc-0a1b2c3d4e5f60718", "PublicIp": "198.51.100.7",
            "PrivateIp": "10.0.0.5", "IsPrimary": true, "Status": "succeeded",
        }],
    })
}

fn internet_gateway() -> Value {
    json!({
        "InternetGatewayId": INTERNET_GATEWAY, "OwnerId": ACCOUNT, "Tags": [],
        "Attachments": [{ "State": "available", "VpcId": VPC }],
    })
}

fn vpc() -> Value {
    json!({
        "VpcId": VPC, "OwnerId": ACCOUNT, "IsDefault": false, "CidrBlock": "10.0.0.0/16", "Tags": [],
        "CidrBlockAssociationSet": [{
            "CidrBlock": "10.0.0.0/16", "CidrBlockState": { "State": "associated" },
        }],
    })
}
