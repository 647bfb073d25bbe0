//! A small account as describe outputs, and the binary to try on it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub const OWNER: &str = "111122223333";

/// A folder of its own for one test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _absent = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, content: &str) -> String {
        self.write_bytes(name, content.as_bytes())
    }

    pub fn write_bytes(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes a world as a folder of outputs, under names that tell nothing.
    pub fn world(&self, name: &str, world: &Value) -> String {
        for (index, (key, items)) in world.as_object().unwrap().iter().enumerate() {
            self.write(
                &format!("{name}/output-{index}.txt"),
                &json!({ key: items }).to_string(),
            );
        }
        self.path(name)
    }
}

/// How the binary ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

pub fn snapback(arguments: &[&str]) -> Run {
    finish(
        Command::new(env!("CARGO_BIN_EXE_snapback"))
            .args(arguments)
            .stdin(Stdio::null()),
    )
}

pub fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn range(cidr: &str, description: &str) -> Value {
    json!({ "CidrIp": cidr, "Description": description })
}

fn entry(number: u16, egress: bool, action: &str, protocol: &str, port: Option<u16>) -> Value {
    let mut entry = json!({
        "RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": protocol, "CidrBlock": "0.0.0.0/0",
    });
    if let Some(port) = port {
        entry["PortRange"] = json!({ "From": port, "To": port });
    }
    entry
}

fn acl(id: &str, entries: Vec<Value>, subnets: &[&str]) -> Value {
    let fixed = [false, true].map(|egress| entry(32767, egress, "deny", "-1", None));
    let associations: Vec<Value> = subnets
        .iter()
        .map(|subnet| json!({ "NetworkAclAssociationId": format!("aclassoc-{subnet}"), "NetworkAclId": id, "SubnetId": subnet }))
        .collect();
    json!({
        "NetworkAclId": id, "VpcId": "vpc-1", "OwnerId": OWNER, "IsDefault": false, "Tags": [],
        "Entries": entries.into_iter().chain(fixed).collect::<Vec<_>>(), "Associations": associations,
    })
}

fn subnet(id: &str, cidr: &str) -> Value {
    json!({ "SubnetId": id, "VpcId": "vpc-1", "OwnerId": OWNER, "CidrBlock": cidr, "AvailabilityZone": "eu-central-1a" })
}

/// The account when all was well: a web group, an ACL, a public table and a main one.
pub fn good() -> Value {
    json!({
        "SecurityGroups": [{
            "GroupId": "sg-00000001", "GroupName": "web", "Description": "web", "OwnerId": OWNER, "VpcId": "vpc-1",
            "Tags": [{ "Key": "Name", "Value": "web" }],
            "IpPermissions": [{
                "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [range("0.0.0.0/0", "TLS for customers")],
                "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [],
            }],
            "IpPermissionsEgress": [{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }],
        }],
        "SecurityGroupRules": [
            rule("sgr-00000001", false, "tcp", 443, "0.0.0.0/0", Some("TLS for customers")),
            rule("sgr-00000002", true, "-1", -1, "0.0.0.0/0", None),
        ],
        "NetworkAcls": [
            acl("acl-00000001", vec![
                entry(100, false, "allow", "6", Some(443)),
                entry(100, true, "allow", "-1", None),
            ], &["subnet-00000001", "subnet-00000002"]),
            acl("acl-00000002", vec![], &[]),
        ],
        "RouteTables": [
            table("rtb-00000001", vec![route("0.0.0.0/0", "GatewayId", "igw-00000001")], &[association("SubnetId", "subnet-00000001")]),
            table("rtb-00000002", vec![], &[association("Main", "vpc-1")]),
        ],
        "Vpcs": [{ "VpcId": "vpc-1", "OwnerId": OWNER, "CidrBlock": "10.0.0.0/16" }],
        "Subnets": [subnet("subnet-00000001", "10.0.1.0/24"), subnet("subnet-00000002", "10.0.2.0/24")],
        "InternetGateways": [{ "InternetGatewayId": "igw-00000001", "OwnerId": OWNER,
            "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] }],
    })
}

pub fn rule(
    id: &str,
    egress: bool,
    protocol: &str,
    port: i32,
    cidr: &str,
    description: Option<&str>,
) -> Value {
    let mut rule = json!({
        "SecurityGroupRuleId": id, "GroupId": "sg-00000001", "GroupOwnerId": OWNER, "IsEgress": egress,
        "IpProtocol": protocol, "FromPort": port, "ToPort": port, "CidrIpv4": cidr, "Tags": [],
    });
    if let Some(text) = description {
        rule["Description"] = json!(text);
    }
    rule
}

pub fn route(cidr: &str, member: &str, target: &str) -> Value {
    json!({ "DestinationCidrBlock": cidr, member: target, "Origin": "CreateRoute", "State": "active" })
}

fn association(member: &str, id: &str) -> Value {
    let mut association = json!({
        "RouteTableAssociationId": format!("rtbassoc-{id}"), "Main": member == "Main",
        "AssociationState": { "State": "associated" },
    });
    if member != "Main" {
        association[member] = json!(id);
    }
    association
}

fn table(id: &str, routes: Vec<Value>, associations: &[Value]) -> Value {
    let local = json!({ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active" });
    json!({
        "RouteTableId": id, "VpcId": "vpc-1", "OwnerId": OWNER, "Tags": [], "PropagatingVgws": [],
        "Routes": std::iter::once(local).chain(routes).collect::<Vec<_>>(), "Associations": associations,
    })
}

/// The account after a bad day: ssh opened, the TLS rule's description lost, an ACL entry and the
/// default route gone, a subnet moved to the empty ACL.
pub fn broken() -> Value {
    let mut world = good();
    let ssh = json!({ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] });
    world["SecurityGroups"][0]["IpPermissions"]
        .as_array_mut()
        .unwrap()
        .push(ssh);
    world["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"][0] =
        json!({ "CidrIp": "0.0.0.0/0" });
    world["SecurityGroupRules"]
        .as_array_mut()
        .unwrap()
        .push(rule("sgr-00000009", false, "tcp", 22, "0.0.0.0/0", None));
    world["SecurityGroupRules"][0]
        .as_object_mut()
        .unwrap()
        .remove("Description");
    world["NetworkAcls"][0] = acl(
        "acl-00000001",
        vec![entry(100, true, "allow", "-1", None)],
        &["subnet-00000002"],
    );
    world["NetworkAcls"][1] = acl("acl-00000002", vec![], &["subnet-00000001"]);
    world["RouteTables"][0] = table(
        "rtb-00000001",
        vec![],
        &[association("SubnetId", "subnet-00000001")],
    );
    world
}
