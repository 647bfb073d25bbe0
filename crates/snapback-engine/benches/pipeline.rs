//! The pure stages, one by one: decode of one event; diff, findings and plan of a resource as large
//! as the default quotas let it be (60 rules, 40 entries, 500 routes) after one edit, or after a wipe.
//! The figures are in `docs/PERFORMANCE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a bench; its macros make undocumented functions"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use snapback_engine::change::{Own, interpret};
use snapback_engine::diff::diff;
use snapback_engine::event;
use snapback_engine::finding::assess;
use snapback_engine::impact::Impact;
use snapback_engine::plan::{Note, plan};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

fn envelope(rules: u8) -> Vec<u8> {
    let numbers = || 0..rules;
    let ranges: Vec<Value> = numbers()
        .map(|n| json!({"cidrIp": format!("10.{n}.0.0/16"), "description": "office"}))
        .collect();
    let answered: Vec<Value> = numbers()
        .map(|n| {
            json!({"groupOwnerId": "111122223333", "groupId": "sg-1", "securityGroupRuleId": format!("sgr-{n}"), "isEgress": false,
                "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": format!("10.{n}.0.0/16"), "description": "office"})
        })
        .collect();
    let record = json!({
        "eventVersion": "1.11", "eventTime": "2026-02-03T04:05:06Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-central-1", "eventID": "e-1", "requestID": "r-1",
        "eventType": "AwsApiCall", "readOnly": false, "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "userName": "ann"},
        "requestParameters": {"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
            "groups": {}, "ipRanges": {"items": ranges}, "ipv6Ranges": {}, "prefixListIds": {}}]}},
        "responseElements": {"_return": true, "securityGroupRuleSet": {"items": answered}}
    });
    let envelope = json!({"id": "x", "detail-type": event::API_CALL_DETAIL_TYPE, "source": "aws.ec2", "account": "111122223333",
        "region": "eu-central-1", "time": "2026-02-03T04:05:06Z", "detail": record});
    envelope.to_string().into_bytes()
}

fn decode(criterion: &mut Criterion) {
    for rules in [1, 60] {
        let bytes = envelope(rules);
        criterion.bench_function(&format!("decode/{rules} rules"), |bencher| {
            bencher.iter(|| {
                let record = event::parse(black_box(&bytes)).unwrap();
                interpret(&record, &Own::default())
            });
        });
    }
}

/// 55 ingress rules, some of them overlapping, and 5 egress rules, all described.
fn group() -> SecurityGroup {
    let from_office = (0..40).map(|n| format!("ingress tcp:{} 10.{n}.0.0/16", 8000 + n % 4));
    let from_peers = (0..15).map(|n| format!("ingress tcp:{n}000-{n}999 sg-{n}"));
    let out = (0..5).map(|n| format!("egress tcp:{} 0.0.0.0/0", 440 + n));
    let detail = |text: &str| RuleDetail {
        description: Some(format!("why there is {text}")),
        tags: Some(Tags::new()),
    };
    let rules = from_office.chain(from_peers).chain(out);
    SecurityGroup {
        id: "sg-web".into(),
        name: Some("web".into()),
        description: Some("web servers".into()),
        vpc: Some("vpc-1".into()),
        owner: Some("111122223333".into()),
        tags: Some(Tags::new()),
        rules: rules
            .map(|text| (text.parse().unwrap(), detail(&text)))
            .collect(),
    }
}

fn entry(text: &str) -> NetworkAclEntry {
    let parts: Vec<&str> = text.split(' ').collect();
    let [action, traffic, cidr] = parts.as_slice() else {
        panic!("{text}")
    };
    let action = match *action {
        "allow" => RuleAction::Allow,
        _ => RuleAction::Deny,
    };
    NetworkAclEntry::new(action, traffic.parse().unwrap(), cidr.parse().unwrap())
}

/// Twenty entries of each direction, every fourth of them a deny within what later ones allow.
fn acl() -> NetworkAcl {
    let lines = ["ingress", "egress"].into_iter().flat_map(|direction| {
        (0..20).map(move |n| {
            let key = format!("{direction} {}", 100 + 10 * n);
            let says = match n {
                19 => "allow tcp:1024-65535 0.0.0.0/0".to_owned(),
                n if n % 4 == 0 => format!("deny tcp:{} 10.{n}.4.0/24", 440 + n),
                n => format!("allow tcp:{}-{} 10.{n}.0.0/16", 400 + n, 500 + n),
            };
            (key.parse().unwrap(), entry(&says))
        })
    });
    NetworkAcl {
        id: "acl-db".into(),
        vpc: "vpc-1".into(),
        owner: Some("111122223333".into()),
        is_default: false,
        tags: Tags::new(),
        entries: lines.collect(),
        subnets: subnets().into_keys().collect(),
    }
}

/// A local route, a default route and 498 networks behind eight targets.
fn table() -> RouteTable {
    let local = Route {
        target: RouteTarget::Local,
        origin: RouteOrigin::Table,
        blackhole: false,
    };
    let far = (0..498).map(|n| {
        let target = match n % 8 {
            0 => RouteTarget::TransitGateway("tgw-1".into()),
            n => RouteTarget::VpcPeeringConnection(format!("pcx-{n}")),
        };
        let network = format!("10.{}.{}.0/24", 100 + n / 200, n % 200);
        (network.parse().unwrap(), Route::created(target))
    });
    let nat = Route::created(RouteTarget::NatGateway("nat-1".into()));
    RouteTable {
        id: "rtb-private".into(),
        vpc: "vpc-1".into(),
        owner: Some("111122223333".into()),
        tags: Tags::new(),
        main: false,
        routes: far
            .chain([
                ("10.0.0.0/16".parse().unwrap(), local),
                ("0.0.0.0/0".parse().unwrap(), nat),
            ])
            .collect(),
        subnets: subnets().into_keys().collect(),
        gateways: BTreeSet::new(),
        propagating: BTreeSet::new(),
    }
}

fn subnets() -> BTreeMap<SubnetId, Subnet> {
    let subnet = |n: u8| Subnet {
        cidrs: BTreeSet::from([format!("10.0.{n}.0/24").parse().unwrap()]),
        ..Subnet::new(SubnetId::new(format!("subnet-{n}")), "vpc-1")
    };
    (0..6)
        .map(subnet)
        .map(|subnet| (subnet.id.clone(), subnet))
        .collect()
}

/// An account with one resource, in a VPC of six subnets.
fn account(resource: Resource) -> Snapshot {
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    snapshot.coverage = Kind::ALL.into_iter().map(Coverage::Kind).collect();
    snapshot.coverage.insert(Coverage::Subnets);
    if let Resource::SecurityGroup(group) = &resource {
        let handle = |(n, rule): (usize, &RuleKey)| {
            let handle = RuleHandle {
                group: group.id.clone(),
                rule: rule.clone(),
            };
            (SecurityGroupRuleId::new(format!("sgr-{n}")), handle)
        };
        snapshot.handles.rules = group.rules.keys().enumerate().map(handle).collect();
        let peers = group.rules.keys().filter_map(|rule| match &rule.peer {
            Peer::SecurityGroup { id, .. } => Some(id.clone()),
            _ => None,
        });
        let empty = |id: SecurityGroupId| SecurityGroup {
            id,
            rules: BTreeMap::new(),
            ..group.clone()
        };
        let peers = peers.map(|id| Resource::SecurityGroup(empty(id)));
        snapshot.resources = peers.map(|peer| (peer.id(), peer)).collect();
    }
    let vpc = Vpc {
        owner: Some("111122223333".into()),
        cidrs: BTreeSet::from(["10.0.0.0/16".parse().unwrap()]),
        ..Vpc::new("vpc-1")
    };
    snapshot.topology.vpcs.insert(vpc.id.clone(), vpc);
    snapshot.topology.subnets = subnets();
    snapshot.resources.insert(resource.id(), resource);
    snapshot
}

/// Diff, findings and plan of a resource that should be `good` and is `found`.
fn stages(criterion: &mut Criterion, what: &str, good: Resource, found: Resource) {
    let id = good.id();
    let mut live = account(good.clone());
    let baselines = Baselines::captured(&live, "bench", "bench");
    live.resources.insert(id.clone(), found);
    let goal = BTreeMap::from([(id.clone(), good)]);
    let only = BTreeSet::from([id]);
    let diffs = diff(&baselines, &live, Some(&only));
    let different = diffs.first().expect("they differ");
    let steps = plan(&live, &goal, &baselines);
    assert!(!steps.steps.is_empty(), "{what}: nothing to do");
    let refused = |note: &Note| matches!(note, Note::Cannot { .. } | Note::Needs { .. });
    assert!(
        !steps.notes.iter().any(refused),
        "{what}: {:?}",
        steps.notes
    );
    criterion.bench_function(&format!("diff/{what}"), |bencher| {
        bencher.iter(|| diff(black_box(&baselines), black_box(&live), Some(&only)));
    });
    let unweighed = Impact::default();
    criterion.bench_function(&format!("assess/{what}"), |bencher| {
        bencher.iter(|| {
            assess(
                &baselines,
                black_box(&live),
                black_box(different),
                &unweighed,
            )
        });
    });
    criterion.bench_function(&format!("plan/{what}"), |bencher| {
        bencher.iter(|| plan(black_box(&live), black_box(&goal), &baselines));
    });
}

fn of_group(criterion: &mut Criterion) {
    let good = group();
    let mut opened = good.clone();
    let stranger = RuleDetail {
        description: None,
        tags: Some(Tags::new()),
    };
    opened
        .rules
        .insert("ingress tcp:22 0.0.0.0/0".parse().unwrap(), stranger);
    let mut wiped = good.clone();
    wiped.rules.clear();
    for (what, found) in [("ssh opened", opened), ("wiped", wiped)] {
        let what = format!("group of 60 rules, {what}");
        stages(
            criterion,
            &what,
            Resource::SecurityGroup(good.clone()),
            Resource::SecurityGroup(found),
        );
    }
}

fn of_acl(criterion: &mut Criterion) {
    let good = acl();
    let mut widened = good.clone();
    widened.entries.insert(
        "ingress 150".parse().unwrap(),
        entry("allow tcp:0-65535 0.0.0.0/0"),
    );
    let mut wiped = good.clone();
    wiped.entries.clear();
    for (what, found) in [("one widened", widened), ("wiped", wiped)] {
        let what = format!("ACL of 40 entries, {what}");
        stages(
            criterion,
            &what,
            Resource::NetworkAcl(good.clone()),
            Resource::NetworkAcl(found),
        );
    }
}

fn of_table(criterion: &mut Criterion) {
    let good = table();
    let mut led_away = good.clone();
    led_away.routes.insert(
        "0.0.0.0/0".parse().unwrap(),
        Route::created(RouteTarget::NetworkInterface("eni-1".into())),
    );
    stages(
        criterion,
        "table of 500 routes, default route led away",
        Resource::RouteTable(good),
        Resource::RouteTable(led_away),
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .without_plots();
    targets = decode, of_group, of_acl, of_table
}
criterion_main!(benches);
