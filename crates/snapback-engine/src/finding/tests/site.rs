//! The small account with what surrounds it: a VPC of three subnets in two zones, a NAT gateway, an
//! internet gateway, a peering, a flow log, two interfaces.

use super::*;

pub fn interface(id: &str, subnet: &str, address: &str, groups: &[&str]) -> NetworkInterface {
    NetworkInterface {
        addresses: [address.parse().unwrap()].into(),
        groups: groups.iter().map(|id| (*id).into()).collect(),
        kind: Some("interface".into()),
        source_dest_check: Some(true),
        ..NetworkInterface::new(id, "vpc-1", subnet)
    }
}

pub fn add(snapshot: &mut Snapshot, interface: NetworkInterface) {
    snapshot
        .topology
        .interfaces
        .insert(interface.id.clone(), interface);
}

pub fn eni<'a>(snapshot: &'a mut Snapshot, id: &str) -> &'a mut NetworkInterface {
    snapshot.topology.interfaces.get_mut(&id.into()).unwrap()
}

pub fn gateway<'a>(snapshot: &'a mut Snapshot, id: &str) -> &'a mut Gateway {
    snapshot.topology.gateways.get_mut(id).unwrap()
}

pub fn put(snapshot: &mut Snapshot, gateway: Gateway) {
    snapshot
        .topology
        .gateways
        .insert(gateway.id.clone(), gateway);
}

pub fn nat(id: &str, subnet: &str, zone: &str, address: &str) -> Gateway {
    Gateway {
        vpcs: ["vpc-1".into()].into(),
        subnets: [subnet.into()].into(),
        state: Some("available".into()),
        public_addresses: [address.parse().unwrap()].into(),
        nat: Some(NatDetail {
            connectivity: Connectivity::Public,
            regional: false,
            zone: Some(zone.into()),
            addresses: BTreeSet::new(),
            failure: None,
        }),
        ..Gateway::new(id, GatewayKind::Nat)
    }
}

pub fn peering(id: &str, far: &str, cidr: &str) -> Gateway {
    let side = |vpc: &str, cidr: &str| PeeringSide {
        vpc: Some(vpc.into()),
        cidrs: [cidr.parse().unwrap()].into(),
        dns: Some(true),
        ..PeeringSide::default()
    };
    Gateway {
        vpcs: ["vpc-1".into(), far.into()].into(),
        state: Some("active".into()),
        peering: Some(PeeringDetail {
            requester: side("vpc-1", "10.0.0.0/16"),
            accepter: side(far, cidr),
        }),
        ..Gateway::new(id, GatewayKind::Peering)
    }
}

/// Everything was read; nothing is dangerous in it that a test is about.
pub fn site() -> Snapshot {
    let mut site = account();
    site.account = Some("123456789012".into());
    let topology = &mut site.topology;
    topology.read = ContextKind::ALL.into_iter().collect();
    let vpc = Vpc {
        cidrs: ["10.0.0.0/16".parse().unwrap()].into(),
        owner: Some("123456789012".into()),
        ..Vpc::new("vpc-1")
    };
    topology.vpcs.insert("vpc-1".into(), vpc);
    for (id, cidr, zone) in [
        ("subnet-1", "10.0.1.0/24", "eu-1a"),
        ("subnet-2", "10.0.2.0/24", "eu-1a"),
        ("subnet-3", "10.0.3.0/24", "eu-1b"),
    ] {
        let subnet = Subnet {
            cidrs: [cidr.parse().unwrap()].into(),
            zone: Some(zone.into()),
            ..Subnet::new(id, "vpc-1")
        };
        topology.subnets.insert(id.into(), subnet);
    }
    let log = FlowLog {
        id: "fl-1".into(),
        resource: "vpc-1".into(),
        active: true,
        delivery_failed: false,
        traffic: FlowLogTraffic::All,
        tags: Tags::new(),
    };
    topology.flow_logs.insert("fl-1".into(), log);
    topology.block_public_access = Some(BlockPublicAccess {
        mode: BlockMode::Ingress,
        exclusions: Default::default(),
    });
    put(&mut site, nat("nat-1", "subnet-2", "eu-1a", "198.51.100.7"));
    put(&mut site, peering("pcx-1", "vpc-9", "10.50.0.0/16"));
    put(
        &mut site,
        Gateway {
            vpcs: ["vpc-1".into()].into(),
            ..Gateway::new("igw-1", GatewayKind::Internet)
        },
    );
    put(
        &mut site,
        Gateway {
            vpcs: ["vpc-1".into()].into(),
            state: Some("available".into()),
            ..Gateway::new("vgw-1", GatewayKind::Vpn)
        },
    );
    add(
        &mut site,
        interface("eni-web", "subnet-2", "10.0.2.10", &[WEB]),
    );
    add(
        &mut site,
        interface("eni-app", "subnet-1", "10.0.1.10", &[WEB]),
    );
    site
}

/// What an audit finds, by code and subject, without what every site of this kind has.
pub fn audited(site: &Snapshot) -> Vec<String> {
    brief(&audit(site, &HouseRules::default()))
}

/// `NAT-IDLE low none nat-1`, and the element where it is not the existence.
pub fn brief(findings: &[Finding]) -> Vec<String> {
    let told = findings
        .iter()
        .filter(|finding| finding.code != FindingCode::DxBgp);
    told.map(|finding| {
        let harm = match finding.harm {
            Harm::Opens => "opens",
            Harm::Cuts => "cuts",
            Harm::None => "none",
        };
        let element = match &finding.element {
            Element::Existence => String::new(),
            other => format!(" {other}"),
        };
        format!(
            "{} {} {harm} {}{element}",
            finding.code, finding.severity, finding.subject
        )
    })
    .collect()
}

/// What context tells when `change` happens to the site that `prepare` made.
pub fn told(prepare: impl Fn(&mut Snapshot), change: impl Fn(&mut Snapshot)) -> Vec<Finding> {
    let mut good = site();
    prepare(&mut good);
    let mut live = good.clone();
    change(&mut live);
    context(&captured(&good), &live)
}

#[test]
fn the_site_itself_has_no_danger_and_no_change() {
    assert_eq!(audited(&site()), [""; 0]);
    assert_eq!(brief(&told(nothing, nothing)), [""; 0]);
}
