//! The network of the made-up account: every change is one that EC2 would have taken, so the events
//! and the state at the end agree.

use super::{ACCOUNT, Call, Caller};
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const TERRAFORM: Caller = Caller {
    role: Some("ci/terraform-network"),
    name: "github-actions",
    agent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.80.0",
    console: false,
};
const CLUSTER: Caller = Caller {
    role: Some("eks-prod-cluster"),
    name: "eks",
    agent: "eks.amazonaws.com",
    console: false,
};
const PERSON: Caller = Caller {
    role: Some("aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0a1b2c3d4e5f6071"),
    name: "dana@example.com",
    agent: "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
    console: true,
};
const USER: Caller = Caller {
    role: None,
    name: "legacy-script",
    agent: "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.12.6",
    console: false,
};

/// A rule of the account: ports and network, with its id.
type Rules = BTreeMap<(u16, String), String>;

/// What exists.
pub(super) struct Network {
    groups: BTreeMap<String, Rules>,
    entries: BTreeMap<(String, u16), u16>,
    routes: BTreeMap<String, BTreeSet<String>>,
    made: u64,
}

fn hex(prefix: &str, rng: &mut Rng) -> String {
    format!("{prefix}-0{:016x}", rng.u64(..))
}

impl Network {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut network = Self {
            groups: BTreeMap::new(),
            entries: BTreeMap::new(),
            routes: BTreeMap::new(),
            made: 0,
        };
        for _ in 0..120 {
            let mut rules = Rules::new();
            for port in [443, 8080] {
                rules.insert((port, "10.0.0.0/8".into()), hex("sgr", rng));
            }
            network.groups.insert(hex("sg", rng), rules);
        }
        for _ in 0..6 {
            let acl = hex("acl", rng);
            network.entries.insert((acl, 100), 0);
            network.routes.insert(hex("rtb", rng), BTreeSet::new());
        }
        network
    }

    fn pick(keys: Vec<String>, rng: &mut Rng) -> String {
        let at = rng.usize(..keys.len().max(1));
        keys.into_iter().nth(at).unwrap_or_default()
    }

    fn group(&self, rng: &mut Rng) -> String {
        Self::pick(self.groups.keys().cloned().collect(), rng)
    }

    /// One change, by whom it may be.
    pub(super) fn call(&mut self, rng: &mut Rng) -> Call<'static> {
        self.made += 1;
        let caller = match rng.u8(..100) {
            0..60 => TERRAFORM,
            60..75 => CLUSTER,
            75..92 => PERSON,
            _ => USER,
        };
        match rng.u8(..100) {
            0..40 => self.authorize(caller, rng),
            40..68 => self.revoke(caller, rng),
            68..72 => self.create_group(caller, rng),
            72..82 => self.entry(caller, rng),
            82..92 => self.route(caller, rng),
            92..96 => call(
                "ModifyNetworkInterfaceAttribute",
                caller,
                r#"{"networkInterfaceId":"eni-0a1b2c3d4e5f60718","sourceDestCheck":{"value":false}}"#.into(),
                DONE.into(),
            ),
            _ => Call {
                error: Some("Client.UnauthorizedOperation"),
                ..self.authorize_with(caller, rng, false)
            },
        }
    }

    fn authorize(&mut self, caller: Caller, rng: &mut Rng) -> Call<'static> {
        self.authorize_with(caller, rng, true)
    }

    fn authorize_with(&mut self, caller: Caller, rng: &mut Rng, works: bool) -> Call<'static> {
        let group = self.group(rng);
        let careless = caller.console && rng.u8(..) < 40;
        let (port, cidr) = match careless {
            true => (22, "0.0.0.0/0".to_owned()),
            false => (
                rng.u16(1024..9000),
                format!("10.{}.{}.0/24", rng.u8(..), rng.u8(..)),
            ),
        };
        let rule = hex("sgr", rng);
        let rules = self.groups.entry(group.clone()).or_default();
        if works && rules.contains_key(&(port, cidr.clone())) {
            return self.revoke(caller, rng);
        }
        if works {
            rules.insert((port, cidr.clone()), rule.clone());
        }
        call(
            "AuthorizeSecurityGroupIngress",
            caller,
            format!(
                r#"{{"groupId":"{group}","ipPermissions":{{"items":[{{"ipProtocol":"tcp","fromPort":{port},"toPort":{port},"groups":{{}},"ipRanges":{{"items":[{{"cidrIp":"{cidr}"}}]}},"ipv6Ranges":{{}},"prefixListIds":{{}}}}]}}}}"#
            ),
            format!(
                r#"{{"requestId":"r","_return":true,"securityGroupRuleSet":{{"items":[{}]}}}}"#,
                listed(&group, &rule, port, &cidr)
            ),
        )
    }

    fn revoke(&mut self, caller: Caller, rng: &mut Rng) -> Call<'static> {
        let group = self.group(rng);
        let rules = self.groups.entry(group.clone()).or_default();
        let keys: Vec<_> = rules.keys().cloned().collect();
        let chosen = (!keys.is_empty()).then(|| rng.usize(..keys.len()));
        let Some((port, cidr)) = chosen.and_then(|index| keys.get(index)).cloned() else {
            return self.create_group(caller, rng);
        };
        let rule = rules.remove(&(port, cidr.clone())).unwrap_or_default();
        call(
            "RevokeSecurityGroupIngress",
            caller,
            format!(
                r#"{{"groupId":"{group}","ipPermissions":{{}},"securityGroupRuleIds":{{"items":[{{"securityGroupRuleId":"{rule}"}}]}}}}"#
            ),
            format!(
                r#"{{"requestId":"r","_return":true,"revokedSecurityGroupRuleSet":{{"items":[{}]}}}}"#,
                listed(&group, &rule, port, &cidr)
            ),
        )
    }

    fn create_group(&mut self, caller: Caller, rng: &mut Rng) -> Call<'static> {
        let group = hex("sg", rng);
        self.groups.insert(group.clone(), Rules::new());
        let name = format!("service-{}", self.made);
        call(
            "CreateSecurityGroup",
            caller,
            format!(
                r#"{{"groupName":"{name}","groupDescription":"made by code","vpcId":"vpc-0a1b2c3d4e5f60718"}}"#
            ),
            format!(r#"{{"requestId":"r","_return":true,"groupId":"{group}"}}"#),
        )
    }

    fn entry(&mut self, caller: Caller, rng: &mut Rng) -> Call<'static> {
        let acls: BTreeSet<String> = self.entries.keys().map(|(acl, _)| acl.clone()).collect();
        let acl = Self::pick(acls.into_iter().collect(), rng);
        let number = rng.u16(1..9) * 10;
        let port = rng.u16(20..9000);
        let key = (acl.clone(), number);
        let body = |acl: &str| {
            format!(
                r#"{{"networkAclId":"{acl}","ruleNumber":{number},"egress":false,"ruleAction":"deny","aclProtocol":"6","cidrBlock":"203.0.113.0/24","icmpTypeCode":{{}},"portRange":{{"from":{port},"to":{port}}}}}"#
            )
        };
        match (self.entries.contains_key(&key), rng.bool()) {
            (true, true) => {
                self.entries.remove(&key);
                let request =
                    format!(r#"{{"networkAclId":"{acl}","ruleNumber":{number},"egress":false}}"#);
                call("DeleteNetworkAclEntry", caller, request, DONE.into())
            }
            (known, _) => {
                self.entries.insert(key, port);
                let name = if known {
                    "ReplaceNetworkAclEntry"
                } else {
                    "CreateNetworkAclEntry"
                };
                call(name, caller, body(&acl), DONE.into())
            }
        }
    }

    fn route(&mut self, caller: Caller, rng: &mut Rng) -> Call<'static> {
        let table = Self::pick(self.routes.keys().cloned().collect(), rng);
        let to = format!("172.{}.0.0/16", rng.u8(16..32));
        let routes = self.routes.entry(table.clone()).or_default();
        if routes.remove(&to) {
            let request = format!(r#"{{"routeTableId":"{table}","destinationCidrBlock":"{to}"}}"#);
            return call("DeleteRoute", caller, request, DONE.into());
        }
        routes.insert(to.clone());
        let request = format!(
            r#"{{"routeTableId":"{table}","destinationCidrBlock":"{to}","transitGatewayId":"tgw-0a1b2c3d4e5f60718"}}"#
        );
        call("CreateRoute", caller, request, DONE.into())
    }

    /// The state at the end, as describe output.
    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        let groups = self.groups.iter().map(|(group, rules)| {
            let rules = rules.keys().map(|(port, cidr)| {
                format!(
                    r#"{{"IpProtocol":"tcp","FromPort":{port},"ToPort":{port},"IpRanges":[{{"CidrIp":"{cidr}"}}],"Ipv6Ranges":[],"PrefixListIds":[],"UserIdGroupPairs":[]}}"#
                )
            });
            format!(
                r#"{{"GroupId":"{group}","GroupName":"{group}-name","Description":"d","OwnerId":"{ACCOUNT}","VpcId":"vpc-0a1b2c3d4e5f60718","Tags":[],"IpPermissions":[{}],"IpPermissionsEgress":[{{"IpProtocol":"-1","IpRanges":[{{"CidrIp":"0.0.0.0/0"}}],"Ipv6Ranges":[],"PrefixListIds":[],"UserIdGroupPairs":[]}}]}}"#,
                join(rules)
            )
        });
        let tables = self.routes.iter().map(|(table, routes)| {
            let routes = routes.iter().map(|to| {
                format!(
                    r#",{{"DestinationCidrBlock":"{to}","TransitGatewayId":"tgw-0a1b2c3d4e5f60718","Origin":"CreateRoute","State":"active"}}"#
                )
            });
            format!(
                r#"{{"RouteTableId":"{table}","VpcId":"vpc-0a1b2c3d4e5f60718","OwnerId":"{ACCOUNT}","Associations":[],"PropagatingVgws":[],"Tags":[],"Routes":[{{"DestinationCidrBlock":"10.0.0.0/16","GatewayId":"local","Origin":"CreateRouteTable","State":"active"}}{}]}}"#,
                routes.collect::<String>()
            )
        });
        let acls: BTreeSet<&String> = self.entries.keys().map(|(acl, _)| acl).collect();
        let acls = acls.into_iter().map(|acl| {
            let entries = self.entries.iter().filter(|((of, _), _)| of == acl).map(|((_, number), port)| {
                let what = match port {
                    0 => r#""Protocol":"-1","CidrBlock":"0.0.0.0/0","RuleAction":"allow""#.to_owned(),
                    port => format!(
                        r#""Protocol":"6","CidrBlock":"203.0.113.0/24","RuleAction":"deny","PortRange":{{"From":{port},"To":{port}}}"#
                    ),
                };
                format!(r#"{{"RuleNumber":{number},"Egress":false,{what}}}"#)
            });
            format!(
                r#"{{"NetworkAclId":"{acl}","VpcId":"vpc-0a1b2c3d4e5f60718","OwnerId":"{ACCOUNT}","IsDefault":false,"Associations":[],"Tags":[],"Entries":[{}]}}"#,
                join(entries)
            )
        });
        let vpc = format!(
            r#"{{"VpcId":"vpc-0a1b2c3d4e5f60718","OwnerId":"{ACCOUNT}","IsDefault":false,"CidrBlock":"10.0.0.0/16","CidrBlockAssociationSet":[{{"CidrBlock":"10.0.0.0/16","CidrBlockState":{{"State":"associated"}}}}],"Tags":[]}}"#
        );
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        for (key, items) in [
            ("SecurityGroups", join(groups)),
            ("RouteTables", join(tables)),
            ("NetworkAcls", join(acls)),
            ("Vpcs", vpc),
        ] {
            let path = folder.join(format!("{key}.json"));
            std::fs::write(&path, format!(r#"{{"{key}":[{items}]}}"#))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

const DONE: &str = r#"{"requestId":"r","_return":true}"#;

fn listed(group: &str, rule: &str, port: u16, cidr: &str) -> String {
    format!(
        r#"{{"groupOwnerId":"{ACCOUNT}","groupId":"{group}","securityGroupRuleId":"{rule}","isEgress":false,"ipProtocol":"tcp","fromPort":{port},"toPort":{port},"cidrIpv4":"{cidr}"}}"#
    )
}

fn call(name: &'static str, caller: Caller, request: String, response: String) -> Call<'static> {
    Call {
        source: "ec2.amazonaws.com",
        name,
        caller,
        request,
        response,
        error: None,
        reads: false,
    }
}
