//! Random canonical values. Small worlds on purpose: collisions are where the mistakes are.

use crate::*;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;

/// The account that owns the random resources.
pub(crate) const OWNER: &str = "111122223333";

pub(crate) fn ports() -> impl Strategy<Value = PortRange> {
    prop_oneof![
        Just(PortRange::ALL),
        any::<u16>().prop_map(PortRange::single),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| PortRange::new(a.min(b), a.max(b)).unwrap()),
    ]
}

pub(crate) fn icmp() -> impl Strategy<Value = IcmpMatch> {
    prop_oneof![
        Just(IcmpMatch::Any),
        any::<u8>().prop_map(IcmpMatch::Type),
        (any::<u8>(), any::<u8>()).prop_map(|(kind, code)| IcmpMatch::TypeCode(kind, code)),
    ]
}

pub(crate) fn traffic() -> impl Strategy<Value = Traffic> {
    let named = [1, 6, 17, 58];
    prop_oneof![
        Just(Traffic::All),
        ports().prop_map(Traffic::Tcp),
        ports().prop_map(Traffic::Udp),
        icmp().prop_map(Traffic::Icmp),
        icmp().prop_map(Traffic::Icmpv6),
        any::<u8>()
            .prop_filter("named protocols have a variant", move |number| !named
                .contains(number))
            .prop_map(Traffic::Protocol),
    ]
}

pub(crate) fn ipv4() -> impl Strategy<Value = Ipv4Net> {
    (any::<u32>(), 0..=32_u8).prop_map(|(bits, len)| Ipv4Net::new(bits.into(), len).unwrap())
}

pub(crate) fn ipv6() -> impl Strategy<Value = Ipv6Net> {
    (any::<u128>(), 0..=128_u8).prop_map(|(bits, len)| Ipv6Net::new(bits.into(), len).unwrap())
}

pub(crate) fn net() -> impl Strategy<Value = IpNet> {
    prop_oneof![ipv4().prop_map(IpNet::V4), ipv6().prop_map(IpNet::V6)]
}

fn id(prefix: &'static str) -> impl Strategy<Value = String> {
    (0..6_u32).prop_map(move |number| format!("{prefix}-{number:08x}"))
}

pub(crate) fn peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        net().prop_map(Peer::cidr),
        id("pl").prop_map(|id| Peer::PrefixList(PrefixListId::new(id))),
        (id("sg"), option::of(Just(AccountId::new("444455556666")))).prop_map(|(id, owner)| {
            Peer::SecurityGroup {
                id: SecurityGroupId::new(id),
                owner,
            }
        }),
    ]
}

pub(crate) fn direction() -> impl Strategy<Value = Direction> {
    any::<bool>().prop_map(Direction::from_egress)
}

pub(crate) fn rule_key() -> impl Strategy<Value = RuleKey> {
    (direction(), traffic(), peer()).prop_map(|(direction, traffic, peer)| RuleKey {
        direction,
        traffic,
        peer,
    })
}

/// Text as people write it: any script, line breaks, quotes, never empty.
pub(crate) fn words() -> impl Strategy<Value = String> {
    "[ -~äß\n\"]{1,12}"
}

pub(crate) fn tags() -> impl Strategy<Value = Tags> {
    btree_map("[a-z:]{1,6}", "[ -~]{0,6}", 0..3)
}

pub(crate) fn security_group() -> impl Strategy<Value = SecurityGroup> {
    let detail = (option::of(words()), tags()).prop_map(|(description, tags)| RuleDetail {
        description,
        tags: Some(tags),
    });
    (id("sg"), btree_map(rule_key(), detail, 0..8), tags()).prop_map(|(id, rules, tags)| {
        SecurityGroup {
            id: SecurityGroupId::new(id),
            name: Some("web".to_owned()),
            description: Some("the web".to_owned()),
            vpc: Some("vpc-1".into()),
            owner: Some(OWNER.into()),
            tags: Some(tags),
            rules,
        }
    })
}

pub(crate) fn entry_key() -> impl Strategy<Value = EntryKey> {
    (direction(), prop_oneof![1..=9_i64, 32760..=32766_i64]).prop_map(|(direction, number)| {
        EntryKey {
            direction,
            number: RuleNumber::new(number).unwrap(),
        }
    })
}

pub(crate) fn network_acl() -> impl Strategy<Value = NetworkAcl> {
    let action = any::<bool>().prop_map(|allow| {
        if allow {
            RuleAction::Allow
        } else {
            RuleAction::Deny
        }
    });
    let entry = (action, traffic(), net()).prop_map(|(action, traffic, cidr)| {
        // ICMPv6 with an IPv4 network has one meaning only (semantics A3).
        let traffic = match (traffic, cidr) {
            (Traffic::Icmpv6(_), IpNet::V4(_)) => Traffic::Icmpv6(IcmpMatch::Any),
            (traffic, _) => traffic,
        };
        NetworkAclEntry::new(action, traffic, cidr)
    });
    let subnets = btree_set(id("subnet").prop_map(SubnetId::new), 0..3);
    (
        id("acl"),
        any::<bool>(),
        tags(),
        btree_map(entry_key(), entry, 0..8),
        subnets,
    )
        .prop_map(|(id, is_default, tags, entries, subnets)| NetworkAcl {
            id: NetworkAclId::new(id),
            vpc: "vpc-1".into(),
            owner: Some(OWNER.into()),
            is_default,
            tags,
            entries,
            subnets,
        })
}

pub(crate) fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![
        net().prop_map(Destination::cidr),
        id("pl").prop_map(|id| Destination::PrefixList(PrefixListId::new(id))),
    ]
}

pub(crate) fn target() -> impl Strategy<Value = RouteTarget> {
    prop_oneof![
        Just(RouteTarget::Local),
        id("igw").prop_map(RouteTarget::InternetGateway),
        id("vgw").prop_map(RouteTarget::VpnGateway),
        id("nat").prop_map(RouteTarget::NatGateway),
        id("eigw").prop_map(RouteTarget::EgressOnlyInternetGateway),
        id("eni").prop_map(RouteTarget::NetworkInterface),
        id("pcx").prop_map(RouteTarget::VpcPeeringConnection),
        id("tgw").prop_map(RouteTarget::TransitGateway),
        id("vpce").prop_map(RouteTarget::GatewayEndpoint),
        id("cagw").prop_map(RouteTarget::CarrierGateway),
        id("lgw").prop_map(RouteTarget::LocalGateway),
        Just(RouteTarget::CoreNetwork(
            "arn:aws:networkmanager::111122223333:core-network/c-1".to_owned()
        )),
    ]
}

pub(crate) fn route_table() -> impl Strategy<Value = RouteTable> {
    let origin = prop_oneof![
        Just(RouteOrigin::Table),
        Just(RouteOrigin::Created),
        Just(RouteOrigin::Propagated)
    ];
    let route = (target(), origin, any::<bool>()).prop_map(|(target, origin, blackhole)| Route {
        target,
        origin,
        blackhole,
    });
    let routes = btree_map(destination(), route, 0..6).prop_map(|routes| {
        let endpoint_by_destination = |(destination, mut route): (Destination, Route)| {
            // An endpoint behind a network is a Gateway Load Balancer's (semantics A4).
            if let (Destination::Ipv4(_) | Destination::Ipv6(_), RouteTarget::GatewayEndpoint(id)) =
                (&destination, &route.target)
            {
                route.target = RouteTarget::GatewayLoadBalancerEndpoint(id.clone());
            }
            (destination, route)
        };
        routes.into_iter().map(endpoint_by_destination).collect()
    });
    let subnets = btree_set(id("subnet").prop_map(SubnetId::new), 0..3);
    let gateways = btree_set(id("igw").prop_map(GatewayId::new), 0..2);
    let propagating = btree_set(id("vgw").prop_map(GatewayId::new), 0..2);
    (
        id("rtb"),
        tags(),
        any::<bool>(),
        routes,
        subnets,
        gateways,
        propagating,
    )
        .prop_map(
            |(id, tags, main, routes, subnets, gateways, propagating)| RouteTable {
                id: RouteTableId::new(id),
                vpc: "vpc-1".into(),
                owner: Some(OWNER.into()),
                tags,
                main,
                routes,
                subnets,
                gateways,
                propagating,
            },
        )
}
