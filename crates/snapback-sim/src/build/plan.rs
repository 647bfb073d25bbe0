//! What stands where in the realistic account.

use super::Layout;
use crate::account::{Account, Acl, Group, Rule, StoredRoute, Table};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new(Ipv4Addr::new(a, b, c, d), bits).unwrap_or_default())
}

fn v6(third: u16, fourth: u16, bits: u8) -> IpNet {
    IpNet::V6(
        Ipv6Net::new(
            Ipv6Addr::new(0x2001, 0xdb8, third, fourth, 0, 0, 0, 0),
            bits,
        )
        .unwrap_or_default(),
    )
}

fn any_v4() -> IpNet {
    v4(0, 0, 0, 0, 0)
}

fn any_v6() -> IpNet {
    IpNet::V6(Ipv6Net::default())
}

fn name(name: &str) -> Tags {
    Tags::from([
        ("Name".to_owned(), name.to_owned()),
        ("Owner".to_owned(), "platform".to_owned()),
    ])
}

fn tcp(from: u16, to: u16) -> Traffic {
    PortRange::new(from, to).map_or(Traffic::All, Traffic::Tcp)
}

fn public_ip(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))
}

fn private_ip(third: u8, last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, third, last))
}

struct Site<'a> {
    account: &'a mut Account,
}

impl Site<'_> {
    fn id(&mut self, prefix: &str) -> String {
        self.account.mint.id(prefix)
    }

    fn vpc(&mut self, label: &str, cidrs: &[IpNet], is_default: bool) -> VpcId {
        let id = VpcId::new(self.id("vpc"));
        let owner = Some(self.account.id.clone());
        let vpc = Vpc {
            id: id.clone(),
            owner,
            cidrs: cidrs.iter().copied().collect(),
            is_default,
            tags: name(label),
        };
        self.account.topology.vpcs.insert(id.clone(), vpc);
        id
    }

    fn subnet(&mut self, vpc: &VpcId, label: &str, cidrs: &[IpNet], zone: &str) -> SubnetId {
        let id = SubnetId::new(self.id("subnet"));
        let subnet = Subnet {
            id: id.clone(),
            vpc: vpc.clone(),
            cidrs: cidrs.iter().copied().collect(),
            zone: Some(zone.into()),
            tags: name(label),
        };
        self.account.topology.subnets.insert(id.clone(), subnet);
        id
    }

    fn gateway(
        &mut self,
        prefix: &str,
        kind: GatewayKind,
        vpc: &VpcId,
        state: &str,
    ) -> &mut Gateway {
        let id = self.id(prefix);
        self.account
            .topology
            .gateways
            .entry(id.clone())
            .or_insert(Gateway {
                id,
                kind,
                vpcs: BTreeSet::from([vpc.clone()]),
                state: Some(state.into()),
                subnets: BTreeSet::new(),
                route_tables: BTreeSet::new(),
                groups: BTreeSet::new(),
                public_addresses: BTreeSet::new(),
                peer_cidrs: BTreeSet::new(),
                service: None,
                tags: Tags::new(),
            })
    }

    fn group(
        &mut self,
        vpc: &VpcId,
        label: &str,
        description: &str,
        rules: &[(Direction, Traffic, Peer, &str)],
    ) -> SecurityGroupId {
        let id = SecurityGroupId::new(self.id("sg"));
        let mut held = BTreeMap::new();
        for (direction, traffic, peer, text) in rules {
            let key = RuleKey {
                direction: *direction,
                traffic: *traffic,
                peer: peer.clone(),
            };
            let description = (!text.is_empty()).then(|| (*text).to_owned());
            held.insert(
                SecurityGroupRuleId::new(self.id("sgr")),
                Rule {
                    key,
                    description,
                    tags: Tags::new(),
                },
            );
        }
        let group = Group {
            id: id.clone(),
            name: label.into(),
            description: description.into(),
            vpc: vpc.clone(),
            tags: name(label),
            rules: held,
        };
        self.account.groups.insert(id.clone(), group);
        id
    }

    fn acl(
        &mut self,
        vpc: &VpcId,
        label: &str,
        is_default: bool,
        entries: &[(Direction, i64, NetworkAclEntry)],
        subnets: &[SubnetId],
    ) -> NetworkAclId {
        let id = NetworkAclId::new(self.id("acl"));
        let numbered = entries.iter().filter_map(|(direction, number, entry)| {
            RuleNumber::new(*number).map(|number| {
                (
                    EntryKey {
                        direction: *direction,
                        number,
                    },
                    entry.clone(),
                )
            })
        });
        let entries = numbered.collect();
        let associations = subnets
            .iter()
            .map(|subnet| {
                (
                    AssociationId::new(self.account.mint.id("aclassoc")),
                    subnet.clone(),
                )
            })
            .collect();
        let acl = Acl {
            id: id.clone(),
            vpc: vpc.clone(),
            is_default,
            tags: name(label),
            entries,
            associations,
        };
        self.account.acls.insert(id.clone(), acl);
        id
    }

    fn table(
        &mut self,
        vpc: &VpcId,
        label: &str,
        routes: &[(Destination, RouteTarget)],
        subjects: Vec<AssociationSubject>,
    ) -> RouteTableId {
        let id = RouteTableId::new(self.id("rtb"));
        let networks = self
            .account
            .topology
            .vpcs
            .get(vpc)
            .map(|vpc| vpc.cidrs.clone())
            .unwrap_or_default();
        let local = StoredRoute {
            target: RouteTarget::Local,
            origin: RouteOrigin::Table,
        };
        let mut held: BTreeMap<_, _> = networks
            .into_iter()
            .map(|net| (Destination::cidr(net), local.clone()))
            .collect();
        for (destination, target) in routes {
            held.insert(
                destination.clone(),
                StoredRoute {
                    target: target.clone(),
                    origin: RouteOrigin::Created,
                },
            );
        }
        let associations = subjects
            .into_iter()
            .map(|subject| {
                (
                    AssociationId::new(self.account.mint.id("rtbassoc")),
                    subject,
                )
            })
            .collect();
        let table = Table {
            id: id.clone(),
            vpc: vpc.clone(),
            tags: name(label),
            routes: held,
            associations,
            propagating: BTreeSet::new(),
        };
        self.account.tables.insert(id.clone(), table);
        id
    }

    fn interface(
        &mut self,
        vpc: &VpcId,
        subnet: &SubnetId,
        groups: &[&SecurityGroupId],
        description: &str,
        private: IpAddr,
    ) -> &mut NetworkInterface {
        let id = NetworkInterfaceId::new(self.id("eni"));
        self.account
            .topology
            .interfaces
            .entry(id.clone())
            .or_insert(NetworkInterface {
                id,
                vpc: vpc.clone(),
                subnet: subnet.clone(),
                groups: groups.iter().map(|id| (*id).clone()).collect(),
                addresses: BTreeSet::from([private]),
                public_addresses: BTreeSet::new(),
                requester_managed: false,
                kind: Some("interface".into()),
                description: Some(description.into()),
                instance: None,
                source_dest_check: Some(true),
            })
    }

    fn prefix_list(
        &mut self,
        label: &str,
        version: Option<i64>,
        max_entries: Option<u32>,
        entries: &[IpNet],
    ) -> PrefixListId {
        let id = PrefixListId::new(self.id("pl"));
        let list = PrefixList {
            id: id.clone(),
            name: Some(label.into()),
            version,
            max_entries,
            entries: Some(entries.iter().copied().collect()),
        };
        self.account.topology.prefix_lists.insert(id.clone(), list);
        id
    }

    /// Group, ACL and main table that every VPC is born with.
    fn born_with(&mut self, vpc: &VpcId, subnets: &[SubnetId]) -> (SecurityGroupId, NetworkAclId) {
        let group = self.group(
            vpc,
            "default",
            "default VPC security group",
            &[(Direction::Egress, Traffic::All, Peer::cidr(any_v4()), "")],
        );
        let key = RuleKey {
            direction: Direction::Ingress,
            traffic: Traffic::All,
            peer: Peer::SecurityGroup {
                id: group.clone(),
                owner: None,
            },
        };
        let rule_id = SecurityGroupRuleId::new(self.id("sgr"));
        if let Some(held) = self.account.groups.get_mut(&group) {
            held.rules.insert(
                rule_id,
                Rule {
                    key,
                    description: None,
                    tags: Tags::new(),
                },
            );
        }
        let allow = |net| NetworkAclEntry::new(RuleAction::Allow, Traffic::All, net);
        let mut entries = vec![
            (Direction::Ingress, 100, allow(any_v4())),
            (Direction::Egress, 100, allow(any_v4())),
        ];
        let has_v6 = self
            .account
            .topology
            .vpcs
            .get(vpc)
            .is_some_and(|vpc| vpc.cidrs.iter().any(|net| matches!(net, IpNet::V6(_))));
        if has_v6 {
            entries.extend([
                (Direction::Ingress, 101, allow(any_v6())),
                (Direction::Egress, 101, allow(any_v6())),
            ]);
        }
        let acl = self.acl(vpc, "default", true, &entries, subnets);
        (group, acl)
    }
}

struct Groups {
    web: SecurityGroupId,
    app: SecurityGroupId,
    db: SecurityGroupId,
}

fn groups(site: &mut Site<'_>, vpc: &VpcId, office: &PrefixListId) -> Groups {
    use Direction::{Egress, Ingress};
    let world = || Peer::cidr(any_v4());
    let of = |id: &SecurityGroupId| Peer::SecurityGroup {
        id: id.clone(),
        owner: None,
    };
    let web = site.group(
        vpc,
        "web",
        "load balancers",
        &[
            (Ingress, tcp(443, 443), world(), "TLS from the internet"),
            (
                Ingress,
                tcp(443, 443),
                Peer::cidr(any_v6()),
                "TLS from the internet, IPv6",
            ),
            (Ingress, tcp(80, 80), world(), "redirect to TLS"),
            (Egress, Traffic::All, world(), ""),
        ],
    );
    let app = site.group(
        vpc,
        "app",
        "application servers",
        &[
            (
                Ingress,
                tcp(8080, 8080),
                of(&web),
                "from the load balancers",
            ),
            (
                Ingress,
                tcp(22, 22),
                Peer::cidr(v4(198, 51, 100, 0, 24)),
                "ssh from the office",
            ),
            (
                Ingress,
                tcp(9100, 9100),
                Peer::PrefixList(office.clone()),
                "metrics",
            ),
            (Egress, Traffic::All, world(), ""),
        ],
    );
    let db = site.group(
        vpc,
        "db",
        "databases",
        &[
            (
                Ingress,
                tcp(5432, 5432),
                of(&app),
                "PostgreSQL from the application",
            ),
            (Egress, tcp(443, 443), Peer::cidr(v4(10, 0, 0, 0, 16)), ""),
        ],
    );
    Groups { web, app, db }
}

fn db_acl_entries() -> Vec<(Direction, i64, NetworkAclEntry)> {
    use Direction::{Egress, Ingress};
    use RuleAction::{Allow, Deny};
    let inside = v4(10, 0, 0, 0, 16);
    let entry = NetworkAclEntry::new;
    vec![
        (Ingress, 90, entry(Deny, Traffic::All, v4(10, 0, 66, 0, 24))),
        (
            Ingress,
            100,
            entry(Allow, tcp(5432, 5432), v4(10, 0, 10, 0, 23)),
        ),
        (Ingress, 110, entry(Allow, tcp(1024, 65535), inside)),
        (
            Ingress,
            120,
            entry(Allow, Traffic::Icmp(IcmpMatch::TypeCode(3, 4)), any_v4()),
        ),
        (
            Egress,
            100,
            entry(Allow, tcp(1024, 65535), v4(10, 0, 10, 0, 23)),
        ),
        (Egress, 110, entry(Allow, tcp(443, 443), inside)),
    ]
}

fn subnets(site: &mut Site<'_>, vpc: &VpcId) -> [SubnetId; 6] {
    let plan: [(&str, u8, &str); 6] = [
        ("public-a", 0, "a"),
        ("public-b", 1, "b"),
        ("private-a", 10, "a"),
        ("private-b", 11, "b"),
        ("db-a", 20, "a"),
        ("db-b", 21, "b"),
    ];
    plan.map(|(label, third, zone)| {
        let mut cidrs = vec![v4(10, 0, third, 0, 24)];
        if third < 10 {
            cidrs.push(v6(0x1200, third.into(), 64));
        }
        site.subnet(vpc, label, &cidrs, &format!("{}{zone}", crate::REGION))
    })
}

struct Gateways {
    internet: String,
    nat: String,
    peering: String,
    vpn: GatewayId,
    endpoint: String,
}

fn gateways(site: &mut Site<'_>, vpc: &VpcId, peer: &VpcId, nat_subnet: &SubnetId) -> Gateways {
    let internet = site
        .gateway("igw", GatewayKind::Internet, vpc, "available")
        .id
        .clone();
    let nat = site.gateway("nat", GatewayKind::Nat, vpc, "available");
    nat.subnets.insert(nat_subnet.clone());
    nat.public_addresses.insert(public_ip(9));
    let nat = nat.id.clone();
    let peering = site.gateway("pcx", GatewayKind::Peering, vpc, "active");
    peering.vpcs.insert(peer.clone());
    peering.peer_cidrs.insert(v4(10, 20, 0, 0, 16));
    let peering = peering.id.clone();
    let vpn = site.gateway("vgw", GatewayKind::Vpn, vpc, "available");
    vpn.peer_cidrs.insert(v4(192, 168, 0, 0, 16));
    let vpn = GatewayId::new(vpn.id.clone());
    let endpoint = site.gateway("vpce", GatewayKind::Endpoint, vpc, "available");
    endpoint.service = Some(format!("com.amazonaws.{}.s3", crate::REGION));
    let endpoint = endpoint.id.clone();
    Gateways {
        internet,
        nat,
        peering,
        vpn,
        endpoint,
    }
}

fn interfaces(
    site: &mut Site<'_>,
    vpc: &VpcId,
    places: &[SubnetId; 6],
    groups: &Groups,
) -> [NetworkInterfaceId; 3] {
    let [public_a, _, private_a, _, db_a, _] = places;
    let web = site.interface(
        vpc,
        public_a,
        &[&groups.web],
        "ELB app/front/50dc6c495c0c9188",
        private_ip(0, 17),
    );
    web.requester_managed = true;
    web.public_addresses.insert(public_ip(17));
    let web = web.id.clone();
    let app = site.interface(vpc, private_a, &[&groups.app], "app-1", private_ip(10, 31));
    app.instance = Some("i-0a1b2c3d4e5f60718".into());
    let app = app.id.clone();
    let db = site.interface(
        vpc,
        db_a,
        &[&groups.db],
        "RDSNetworkInterface",
        private_ip(20, 44),
    );
    db.requester_managed = true;
    [web, app, db.id.clone()]
}

struct Tables {
    main: RouteTableId,
    public: RouteTableId,
    private: RouteTableId,
}

fn tables(
    site: &mut Site<'_>,
    vpc: &VpcId,
    gateways: &Gateways,
    s3: &PrefixListId,
    places: &[SubnetId; 6],
) -> Tables {
    let [public_a, public_b, private_a, private_b, ..] = places;
    let on = |subnets: [&SubnetId; 2]| {
        subnets
            .map(|subnet| AssociationSubject::Subnet(subnet.clone()))
            .to_vec()
    };
    let main = site.table(
        vpc,
        "main",
        &[],
        vec![AssociationSubject::Main(vpc.clone())],
    );
    let internet = RouteTarget::InternetGateway(gateways.internet.clone());
    let public_routes = [
        (Destination::cidr(any_v4()), internet.clone()),
        (Destination::cidr(any_v6()), internet),
    ];
    let public = site.table(vpc, "public", &public_routes, on([public_a, public_b]));
    let private_routes = [
        (
            Destination::cidr(any_v4()),
            RouteTarget::NatGateway(gateways.nat.clone()),
        ),
        (
            Destination::cidr(v4(10, 20, 0, 0, 16)),
            RouteTarget::VpcPeeringConnection(gateways.peering.clone()),
        ),
        (
            Destination::PrefixList(s3.clone()),
            RouteTarget::GatewayEndpoint(gateways.endpoint.clone()),
        ),
    ];
    let private = site.table(vpc, "private", &private_routes, on([private_a, private_b]));
    if let Some(table) = site.account.tables.get_mut(&private) {
        table.propagating.insert(gateways.vpn.clone());
    }
    if let Some(endpoint) = site.account.topology.gateways.get_mut(&gateways.endpoint) {
        endpoint.route_tables.insert(private.clone());
    }
    Tables {
        main,
        public,
        private,
    }
}

pub(super) fn lay_out(account: &mut Account) -> Layout {
    let mut site = Site { account };
    let vpc = site.vpc("shop", &[v4(10, 0, 0, 0, 16), v6(0x1200, 0, 56)], false);
    let peer_vpc = VpcId::new(site.id("vpc"));
    let places = subnets(&mut site, &vpc);
    let office_list = site.prefix_list(
        "office-networks",
        Some(3),
        Some(10),
        &[v4(198, 51, 100, 0, 24), v4(192, 0, 2, 0, 25)],
    );
    let s3_name = format!("com.amazonaws.{}.s3", crate::REGION);
    let s3_list = site.prefix_list(
        &s3_name,
        None,
        None,
        &[v4(52, 219, 44, 0, 22), v4(3, 5, 136, 0, 22)],
    );
    let [public_a, public_b, private_a, private_b, db_a, db_b] = places.clone();
    let gateways = gateways(&mut site, &vpc, &peer_vpc, &public_a);
    let (default_group, default_acl) = site.born_with(
        &vpc,
        &[
            public_a.clone(),
            public_b.clone(),
            private_a.clone(),
            private_b.clone(),
        ],
    );
    let groups = groups(&mut site, &vpc, &office_list);
    let db_acl = site.acl(
        &vpc,
        "db",
        false,
        &db_acl_entries(),
        &[db_a.clone(), db_b.clone()],
    );
    let tables = tables(&mut site, &vpc, &gateways, &s3_list, &places);
    let [web_interface, app_interface, db_interface] =
        interfaces(&mut site, &vpc, &places, &groups);
    Layout {
        vpc,
        peer_vpc,
        internet_gateway: gateways.internet,
        nat_gateway: gateways.nat,
        peering: gateways.peering,
        vpn_gateway: gateways.vpn,
        endpoint: gateways.endpoint,
        office_list,
        s3_list,
        public_a,
        public_b,
        private_a,
        private_b,
        db_a,
        db_b,
        web: groups.web,
        app: groups.app,
        db: groups.db,
        default_group,
        default_acl,
        db_acl,
        main_table: tables.main,
        public_table: tables.public,
        private_table: tables.private,
        web_interface,
        app_interface,
        db_interface,
    }
}

pub(super) fn add_default_vpc(account: &mut Account) {
    let mut site = Site { account };
    let vpc = site.vpc("default", &[v4(172, 31, 0, 0, 16)], true);
    let subnet = site.subnet(
        &vpc,
        "default-a",
        &[v4(172, 31, 0, 0, 20)],
        &format!("{}a", crate::REGION),
    );
    let internet = site
        .gateway("igw", GatewayKind::Internet, &vpc, "available")
        .id
        .clone();
    site.born_with(&vpc, &[subnet]);
    let ssh = (
        Direction::Ingress,
        tcp(22, 22),
        Peer::cidr(v4(198, 51, 100, 0, 24)),
        "ssh from the office",
    );
    let egress = (Direction::Egress, Traffic::All, Peer::cidr(any_v4()), "");
    site.group(
        &vpc,
        "launch-wizard-1",
        "launch-wizard-1 created 2021-04-12",
        &[ssh, egress],
    );
    let route = (
        Destination::cidr(any_v4()),
        RouteTarget::InternetGateway(internet),
    );
    site.table(
        &vpc,
        "default",
        &[route],
        vec![AssociationSubject::Main(vpc.clone())],
    );
}
