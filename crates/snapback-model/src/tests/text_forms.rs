//! Every text form reads back as the value it was written from.

use super::arbitrary::*;
use crate::*;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{Debug, Display};
use std::str::FromStr;

fn round_trips<T>(value: &T) -> Result<(), TestCaseError>
where
    T: Display + FromStr<Err = ParseError> + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let text = value.to_string();
    prop_assert_eq!(&text.parse::<T>().unwrap(), value, "{}", text);
    let json = serde_json::to_string(value).unwrap();
    prop_assert_eq!(&json, &serde_json::to_string(&text).unwrap());
    prop_assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
    Ok(())
}

fn element() -> impl Strategy<Value = Element> {
    prop_oneof![
        Just(Element::Existence),
        Just(Element::Main),
        rule_key().prop_map(Element::Rule),
        entry_key().prop_map(Element::Entry),
        destination().prop_map(Element::Route),
        Just(Element::Propagation("vgw-1".into())),
        Just(Element::Subnet("subnet-1".into())),
        Just(Element::Edge("igw-1".into())),
        "[ -~]{0,12}".prop_map(Element::Tag),
    ]
}

proptest! {
    #[test]
    fn traffic_reads_back(value in traffic()) { round_trips(&value)?; }

    #[test]
    fn peers_read_back(value in peer()) { round_trips(&value)?; }

    #[test]
    fn rules_read_back(value in rule_key()) { round_trips(&value)?; }

    #[test]
    fn entry_keys_read_back(value in entry_key()) { round_trips(&value)?; }

    #[test]
    fn destinations_read_back(value in destination()) { round_trips(&value)?; }

    #[test]
    fn elements_read_back(value in element()) { round_trips(&value)?; }

    /// The text form decides equality, so it can stand for the value as a map key.
    #[test]
    fn rules_with_one_text_are_one_rule(a in rule_key(), b in rule_key()) {
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,24}") {
        let _any = (text.parse::<Traffic>(), text.parse::<RuleKey>(), text.parse::<Element>());
        let _any = (text.parse::<EntryKey>(), text.parse::<Destination>(), text.parse::<ResourceId>());
    }

    /// EC2's protocol, from and to of a value lead back to the value.
    #[test]
    fn traffic_survives_ec2s_three_members(value in traffic()) {
        let (from, to) = value.from_to().map_or((None, None), |(from, to)| (Some(from.into()), Some(to.into())));
        prop_assert_eq!(Traffic::new(&value.protocol_name(), from, to).unwrap(), value);
        prop_assert_eq!(Traffic::new(&value.protocol_number(), from, to).unwrap(), value);
    }

    #[test]
    fn host_bits_do_not_make_another_peer(cidr in net()) {
        prop_assert_eq!(Peer::cidr(cidr), Peer::cidr(cidr.trunc()));
        prop_assert_eq!(cidr.to_string().parse::<Peer>().unwrap(), Peer::cidr(cidr));
        prop_assert_eq!(Destination::cidr(cidr), Destination::cidr(cidr.trunc()));
    }
}

#[test]
fn traffic_has_one_value_for_every_spelling_of_ec2() {
    let tcp = |range| Traffic::Tcp(range);
    for (protocol, from, to, expected) in [
        ("-1", None, None, Traffic::All),
        ("-1", Some(-1), Some(-1), Traffic::All),
        ("-1", Some(0), Some(0), Traffic::All),
        ("-1", Some(22), Some(22), Traffic::All),
        ("all", None, None, Traffic::All),
        ("tcp", Some(0), Some(65535), tcp(PortRange::ALL)),
        ("tcp", Some(-1), Some(-1), tcp(PortRange::ALL)),
        ("TCP", Some(22), Some(22), tcp(PortRange::single(22))),
        ("6", Some(22), Some(22), tcp(PortRange::single(22))),
        (
            "17",
            Some(53),
            Some(53),
            Traffic::Udp(PortRange::single(53)),
        ),
        ("1", Some(-1), Some(-1), Traffic::Icmp(IcmpMatch::Any)),
        ("icmp", Some(8), Some(-1), Traffic::Icmp(IcmpMatch::Type(8))),
        (
            "icmp",
            Some(3),
            Some(4),
            Traffic::Icmp(IcmpMatch::TypeCode(3, 4)),
        ),
        ("icmp", Some(-1), Some(4), Traffic::Icmp(IcmpMatch::Any)),
        ("58", None, None, Traffic::Icmpv6(IcmpMatch::Any)),
        (
            "icmpv6",
            Some(128),
            Some(0),
            Traffic::Icmpv6(IcmpMatch::TypeCode(128, 0)),
        ),
        ("50", Some(1), Some(2), Traffic::Protocol(50)),
        ("06", Some(22), Some(22), tcp(PortRange::single(22))),
    ] {
        assert_eq!(
            Traffic::new(protocol, from, to).unwrap(),
            expected,
            "{protocol} {from:?} {to:?}"
        );
    }
}

#[test]
fn traffic_that_ec2_cannot_mean_is_refused() {
    for (protocol, from, to) in [
        ("", None, None),
        ("sctp", None, None),
        ("256", None, None),
        ("-2", None, None),
        ("tcp", Some(23), Some(22)),
        ("tcp", Some(0), Some(65536)),
        ("tcp", Some(-2), Some(22)),
        ("icmp", Some(256), None),
        ("icmp", Some(3), Some(256)),
    ] {
        assert!(
            Traffic::new(protocol, from, to).is_err(),
            "{protocol} {from:?} {to:?}"
        );
    }
}

#[test]
fn only_editable_numbers_are_rule_numbers() {
    for (number, editable) in [
        (0, false),
        (1, true),
        (32766, true),
        (32767, false),
        (32768, false),
        (-1, false),
    ] {
        assert_eq!(RuleNumber::new(number).is_some(), editable, "{number}");
    }
}

#[test]
fn ids_of_other_kinds_are_no_guarded_resources() {
    for text in ["sgr-1", "vpc-1", "rtbassoc-1", "aclassoc-1", "", "SG-1"] {
        assert!(text.parse::<ResourceId>().is_err(), "{text}");
    }
}
