//! What stands where in the realistic account.

use super::Layout;
use super::site::*;
use crate::account::Account;
use ipnet::IpNet;
use snapback_model::*;
use std::collections::BTreeSet;

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

fn gateways(
    site: &mut Site<'_>,
    vpc: &VpcId,
    peer: &VpcId,
    nat_subnet: &SubnetId,
    s3: &PrefixListId,
) -> Gateways {
    let internet = site
        .gateway("igw", GatewayKind::Internet, vpc, "available")
        .id
        .clone();
    let nat = site.gateway("nat", GatewayKind::Nat, vpc, "available");
    nat.subnets.insert(nat_subnet.clone());
    nat.public_addresses.insert(public_ip(9));
    nat.nat = Some(NatDetail {
        connectivity: Connectivity::Public,
        regional: false,
        zone: Some(format!("{}a", crate::REGION)),
        addresses: BTreeSet::from([NatAddress {
            allocation: Some("eipalloc-0f1e2d3c4b5a69788".into()),
            public: Some(public_ip(9)),
            private: Some(private_ip(0, 9)),
            primary: true,
            interface: None,
            zone: None,
        }]),
        failure: None,
    });
    let nat = nat.id.clone();
    let peering = site.gateway("pcx", GatewayKind::Peering, vpc, "active");
    peering.vpcs.insert(peer.clone());
    peering.peer_cidrs.insert(v4(10, 20, 0, 0, 16));
    let side = |vpc: &VpcId, net: IpNet| PeeringSide {
        vpc: Some(vpc.clone()),
        owner: Some(AccountId::from(crate::ACCOUNT)),
        region: Some(Region::from(crate::REGION)),
        cidrs: BTreeSet::from([net]),
        dns: Some(true),
    };
    peering.peering = Some(PeeringDetail {
        requester: side(vpc, v4(10, 0, 0, 0, 16)),
        accepter: side(peer, v4(10, 20, 0, 0, 16)),
    });
    let peering = peering.id.clone();
    let vpn = site.gateway("vgw", GatewayKind::Vpn, vpc, "available");
    vpn.peer_cidrs.insert(v4(192, 168, 0, 0, 16));
    let vpn = GatewayId::new(vpn.id.clone());
    let endpoint = site.gateway("vpce", GatewayKind::Endpoint, vpc, "available");
    endpoint.service = Some(format!("com.amazonaws.{}.s3", crate::REGION));
    endpoint.endpoint = Some(EndpointDetail {
        kind: EndpointKind::Gateway,
        private_dns: false,
        interfaces: BTreeSet::new(),
        prefix_list: Some(s3.clone()),
    });
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
    let [public_a, public_b, private_a, private_b, db_a, db_b] = places;
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
    app.instance_name = Some("app-1".into());
    let app = app.id.clone();
    let db = site.interface(
        vpc,
        db_a,
        &[&groups.db],
        "RDSNetworkInterface",
        private_ip(20, 44),
    );
    db.requester_managed = true;
    let db = db.id.clone();
    // The same in the other zone, and a function beside the servers.
    let front = "ELB app/front/50dc6c495c0c9188";
    let other = site.interface(vpc, public_b, &[&groups.web], front, private_ip(1, 17));
    other.requester_managed = true;
    other.public_addresses.insert(public_ip(18));
    let other = site.interface(vpc, private_b, &[&groups.app], "app-2", private_ip(11, 31));
    other.instance = Some("i-0b2c3d4e5f6071829".into());
    let standby = "RDSNetworkInterface";
    let other = site.interface(vpc, db_b, &[&groups.db], standby, private_ip(21, 44));
    other.requester_managed = true;
    let function = "AWS Lambda VPC ENI-orders-4f6d2f2e";
    let other = site.interface(vpc, private_a, &[&groups.app], function, private_ip(10, 77));
    other.requester_managed = true;
    other.kind = Some("lambda".into());
    [web, app, db]
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
    let gateways = gateways(&mut site, &vpc, &peer_vpc, &public_a, &s3_list);
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
    site.watched(&vpc);
    let spare_address = site.address(public_ip(41));
    site.account.adopt_addresses();
    Layout {
        spare_address,
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
    site.watched(&vpc);
    site.table(
        &vpc,
        "default",
        &[route],
        vec![AssociationSubject::Main(vpc.clone())],
    );
}
