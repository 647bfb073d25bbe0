//! NAT gateways that are gone: what is made of them, in which order, and what is not done.

use super::*;
use std::net::IpAddr;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn address(allocation: Option<&str>, public: Option<&str>, private: &str) -> NatAddress {
    NatAddress {
        allocation: allocation.map(Into::into),
        public: public.map(ip),
        private: Some(ip(private)),
        primary: false,
        interface: Some("eni-nat".into()),
        zone: None,
    }
}

fn primary(one: NatAddress) -> NatAddress {
    NatAddress {
        primary: true,
        ..one
    }
}

/// `nat-1` in `subnet-9`, with `eipalloc-1` (203.0.113.1) and one more address.
fn gateway(connectivity: Connectivity, addresses: Vec<NatAddress>) -> Gateway {
    Gateway {
        vpcs: [vpc()].into(),
        subnets: ["subnet-9".into()].into(),
        state: Some("available".into()),
        nat: Some(NatDetail {
            connectivity,
            regional: false,
            zone: None,
            addresses: addresses.into_iter().collect(),
            failure: None,
        }),
        tags: Tags::from([
            ("Name".to_owned(), "egress".to_owned()),
            ("aws:cloudformation:stack-name".to_owned(), "net".to_owned()),
        ]),
        ..Gateway::new("nat-1", GatewayKind::Nat)
    }
}

fn public() -> Gateway {
    gateway(
        Connectivity::Public,
        vec![
            primary(address(Some("eipalloc-1"), Some("203.0.113.1"), "10.0.9.5")),
            address(Some("eipalloc-2"), Some("203.0.113.2"), "10.0.9.6"),
        ],
    )
}

fn elastic(held: &[(&str, Option<&str>)]) -> Option<BTreeMap<String, ElasticAddress>> {
    let address = |(allocation, holder): &(&str, Option<&str>)| {
        let address = ElasticAddress {
            allocation: (*allocation).to_owned(),
            public: None,
            holder: holder.map(Into::into),
        };
        ((*allocation).to_owned(), address)
    };
    Some(held.iter().map(address).collect())
}

fn tables() -> [RouteTable; 3] {
    [
        table("rtb-1", &["subnet-1"], &["0.0.0.0/0 nat-1"]),
        table(
            "rtb-2",
            &["subnet-2"],
            &["0.0.0.0/0 nat-1", "10.9.0.0/16 pcx-1"],
        ),
        table("rtb-3", &["subnet-3"], &["0.0.0.0/0 igw-1"]),
    ]
}

/// The good state with a gateway, and live where it is `state` and its routes are blackholes.
fn worlds(good: Gateway, state: &str) -> (Snapshot, Snapshot) {
    let mut before = snapshot(tables().map(IntoResource::into_resource));
    before
        .topology
        .gateways
        .insert(good.id.clone(), good.clone());
    let home = Subnet::new("subnet-9", vpc());
    before.topology.subnets.insert(home.id.clone(), home);
    let mut live = before.clone();
    let held = live.topology.gateways.get_mut("nat-1").unwrap();
    held.state = Some(state.into());
    for resource in live.resources.values_mut() {
        let Resource::RouteTable(table) = resource else {
            continue;
        };
        for route in table.routes.values_mut() {
            route.blackhole = route.target == target("nat-1");
        }
    }
    let free = [("eipalloc-1", None), ("eipalloc-2", None)];
    live.topology.addresses = elastic(&free);
    (before, live)
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| step.action.describe())
        .collect()
}

fn left(plan: &Plan) -> Vec<String> {
    plan.notes.iter().filter_map(Note::left_undone).collect()
}

/// Folds a plan in which every gateway that is made comes up at once.
fn folded_at_ease(live: &Snapshot, plan: &Plan) -> Snapshot {
    let mut state = live.clone();
    for step in &plan.steps {
        apply(&step.action, &mut state).unwrap();
        for gateway in state.topology.gateways.values_mut() {
            if gateway.state.as_deref() == Some("pending") {
                gateway.state = Some("available".into());
            }
        }
    }
    state
}

#[test]
fn one_gateway_is_made_for_all_its_tables_with_its_addresses_before_any_route() {
    let (good, live) = worlds(public(), "deleted");
    let plan = plan_between(&live, &good);
    assert_eq!(
        lines(&plan),
        [
            "CreateNatGateway in subnet-9 with 203.0.113.1 (eipalloc-1), in the place of nat-1",
            "AssociateNatGatewayAddress nat-1-again: +eipalloc-2",
            "ReplaceRoute rtb-1: 0.0.0.0/0 → nat-1-again (was nat-1)",
            "ReplaceRoute rtb-2: 0.0.0.0/0 → nat-1-again (was nat-1)",
        ]
    );
    assert_eq!(plan.notes, []);
    let end = folded_at_ease(&live, &plan);
    for (id, wanted) in &plan.goal {
        assert_eq!(&end.resources[id], wanted);
    }
    let Action::CreateNatGateway { request, .. } = &plan.steps[0].action else {
        panic!();
    };
    assert_eq!(request.private, Some(ip("10.0.9.5")));
    let tags: Vec<(&str, &str)> = request
        .tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(tags, [("Name", "egress"), (SUCCESSOR_OF, "nat-1")]);
}

#[test]
fn every_step_waits_for_what_it_needs() {
    let (good, live) = worlds(public(), "deleting");
    let plan = plan_between(&live, &good);
    assert_eq!(plan.steps.len(), 4);
    let (make, give, lead) = (
        &plan.steps[0].action,
        &plan.steps[1].action,
        &plan.steps[2].action,
    );
    let waits = |action: &Action, live: &Snapshot| match readiness(action, live) {
        Readiness::NotYet(what) => what,
        other => panic!("{other:?}"),
    };
    assert!(waits(make, &live).contains("still being deleted"));
    let (_, mut live) = worlds(public(), "deleted");
    // Its interface may hold the address a moment longer.
    live.topology.addresses = elastic(&[("eipalloc-1", Some("eni-nat")), ("eipalloc-2", None)]);
    assert!(waits(make, &live).contains("eipalloc-1 is still held by eni-nat"));
    live.topology.addresses = elastic(&[("eipalloc-1", None), ("eipalloc-2", None)]);
    assert_eq!(readiness(make, &live), Readiness::Ready);
    apply(make, &mut live).unwrap();
    assert_eq!(readiness(make, &live), Readiness::AlreadyInPlace);
    assert!(waits(give, &live).contains("not available yet"));
    assert!(waits(lead, &live).contains("not available yet"));
    let made = live.topology.gateways.get_mut("nat-1-again").unwrap();
    made.state = Some("failed".into());
    made.nat.as_mut().unwrap().failure = Some("Gateway.NotAttached: no gateway".into());
    for action in [make, give, lead] {
        let Readiness::Changed(why) = readiness(action, &live) else {
            panic!("{}", action.describe());
        };
        assert!(why.contains("Gateway.NotAttached"), "{why}");
    }
    let made = live.topology.gateways.get_mut("nat-1-again").unwrap();
    made.state = Some("available".into());
    assert_eq!(readiness(give, &live), Readiness::Ready);
    assert_eq!(readiness(lead, &live), Readiness::Ready);
    apply(give, &mut live).unwrap();
    assert_eq!(readiness(give, &live), Readiness::AlreadyInPlace);
}

#[test]
fn a_gateway_that_was_made_is_found_again_and_finished() {
    let (good, live) = worlds(public(), "deleted");
    let plan = plan_between(&live, &good);
    let create = plan.steps[0].action.for_incident(&IncidentId::new("inc-1"));
    let mut later = live.clone();
    apply(&create.made_as(&CreatedId::new("nat-9")), &mut later).unwrap();
    // Another table's story finds the same one.
    let other = plan.steps[0].action.for_incident(&IncidentId::new("inc-2"));
    for action in [&create, &other] {
        assert_eq!(born(action, &later), Some(CreatedId::new("nat-9")));
    }
    let again = plan_between(&later, &good);
    assert_eq!(
        lines(&again),
        [
            "AssociateNatGatewayAddress nat-9: +eipalloc-2",
            "ReplaceRoute rtb-1: 0.0.0.0/0 → nat-9 (was nat-1)",
            "ReplaceRoute rtb-2: 0.0.0.0/0 → nat-9 (was nat-1)",
        ]
    );
    let end = folded_at_ease(&later, &again);
    assert_eq!(plan_between(&end, &good).steps, []);
    assert_eq!(
        successions(&end).iter().collect::<Vec<_>>(),
        [("nat-1", "nat-9")]
    );
    assert!(successions(&later).is_empty(), "no route leads to it yet");
    // The same request for both stories, so that EC2 makes one.
    let token = |action: &Action| match action {
        Action::CreateNatGateway { request, .. } => request.token.clone(),
        _ => None,
    };
    assert!(token(&create).is_some());
    assert_eq!(token(&create), token(&other));
}

#[test]
fn of_two_that_claim_the_place_none_is_taken_and_a_failed_one_is_not_tried_again() {
    let (good, live) = worlds(public(), "deleted");
    let create = plan_between(&live, &good).steps[0].action.clone();
    let mut two = live.clone();
    for id in ["nat-8", "nat-9"] {
        apply(&create.made_as(&CreatedId::new(id)), &mut two).unwrap();
    }
    let plan = plan_between(&two, &good);
    assert_eq!(plan.steps, []);
    assert!(
        left(&plan)[0].contains("which one does is not known"),
        "{plan:#?}"
    );
    let mut failed = live.clone();
    apply(&create.made_as(&CreatedId::new("nat-9")), &mut failed).unwrap();
    failed.topology.gateways.get_mut("nat-9").unwrap().state = Some("failed".into());
    let plan = plan_between(&failed, &good);
    assert_eq!(plan.steps, []);
    assert!(left(&plan)[0].contains("nat-9 is failed"), "{plan:#?}");
}

#[test]
fn an_address_that_cannot_be_had_is_told_and_no_other_is_taken() {
    let others = |mut live: Snapshot| {
        let mut other = gateway(
            Connectivity::Public,
            vec![primary(address(Some("eipalloc-1"), None, "10.0.9.7"))],
        );
        other.id = "nat-7".into();
        live.topology.gateways.insert("nat-7".into(), other);
        live.topology.addresses = None;
        live
    };
    let (good, gone) = worlds(public(), "deleted");
    let held = |held: &[(&str, Option<&str>)]| {
        let mut live = gone.clone();
        live.topology.addresses = elastic(held);
        live
    };
    let cases = [
        (
            held(&[("eipalloc-2", None)]),
            "203.0.113.1 (eipalloc-1) is not ours any more",
        ),
        (
            held(&[("eipalloc-1", Some("eni-7")), ("eipalloc-2", None)]),
            "203.0.113.1 (eipalloc-1) is held by eni-7 now",
        ),
        (others(gone.clone()), "held by nat-7 now"),
    ];
    for (live, why) in cases {
        let plan = plan_between(&live, &good);
        assert_eq!(plan.steps, [], "{why}");
        let told = left(&plan);
        for table in ["rtb-1", "rtb-2"] {
            let line = told
                .iter()
                .find(|line| line.starts_with(table) && line.contains(why));
            let line = line.unwrap_or_else(|| panic!("{why} of {table} in {told:?}"));
            assert!(line.contains("must be told first"), "{line}");
        }
    }
    // A secondary one that is gone does not keep the first back.
    let live = held(&[("eipalloc-1", None)]);
    let plan = plan_between(&live, &good);
    assert_eq!(
        apis(&plan),
        ["CreateNatGateway", "ReplaceRoute", "ReplaceRoute"]
    );
    assert!(left(&plan)[0].contains("203.0.113.2 (eipalloc-2) is not ours any more"));
}

#[test]
fn a_private_address_that_others_have_is_not_asked_for() {
    let (good, mut live) = worlds(public(), "deleted");
    let other = NetworkInterface {
        addresses: [ip("10.0.9.5")].into(),
        ..NetworkInterface::new("eni-5", vpc(), "subnet-9")
    };
    live.topology.interfaces.insert(other.id.clone(), other);
    let plan = plan_between(&live, &good);
    let Action::CreateNatGateway { request, .. } = &plan.steps[0].action else {
        panic!();
    };
    assert_eq!(request.private, None);
    assert!(left(&plan)[0].contains("10.0.9.5 is held by eni-5 now"));
}

#[test]
fn a_private_gateway_comes_back_with_its_private_addresses() {
    let good = gateway(
        Connectivity::Private,
        vec![
            primary(address(None, None, "10.0.9.5")),
            address(None, None, "10.0.9.6"),
        ],
    );
    let (good, mut live) = worlds(good, "deleted");
    live.topology.addresses = None;
    let plan = plan_between(&live, &good);
    assert_eq!(
        lines(&plan)[..2],
        [
            "CreateNatGateway in subnet-9, in the place of nat-1".to_owned(),
            "AssignPrivateNatGatewayAddress nat-1-again: +10.0.9.6".to_owned(),
        ]
    );
    assert_eq!(plan.notes, []);
    let parameters = |index: usize| plan.steps[index].action.parameters(&Handles::default());
    assert_eq!(
        parameters(0),
        serde_json::json!({
            "SubnetId": "subnet-9", "ConnectivityType": "private", "PrivateIpAddress": "10.0.9.5",
            "TagSpecifications": [{ "ResourceType": "natgateway", "Tags": [
                { "Key": "Name", "Value": "egress" },
                { "Key": "snapback:successor-of", "Value": "nat-1" },
            ] }],
        })
    );
    assert_eq!(
        parameters(1),
        serde_json::json!({ "NatGatewayId": "nat-1-again", "PrivateIpAddresses": ["10.0.9.6"] })
    );
}

#[test]
fn a_regional_gateway_comes_back_where_its_addresses_are_ours() {
    let of_zone = |allocation: &str, zone: &str| NatAddress {
        zone: Some(zone.into()),
        private: None,
        interface: None,
        ..address(Some(allocation), None, "10.0.9.5")
    };
    let mut regional = gateway(
        Connectivity::Public,
        vec![of_zone("eipalloc-1", "a"), of_zone("eipalloc-2", "b")],
    );
    regional.subnets.clear();
    regional.nat.as_mut().unwrap().regional = true;
    let (good, mut live) = worlds(regional, "deleted");
    let plan = plan_between(&live, &good);
    assert_eq!(
        lines(&plan)[0],
        "CreateNatGateway for all zones of vpc-1 with eipalloc-1, eipalloc-2, in the place of nat-1"
    );
    let parameters = plan.steps[0].action.parameters(&Handles::default());
    assert_eq!(parameters["AvailabilityMode"], "regional");
    assert_eq!(parameters["VpcId"], "vpc-1");
    assert_eq!(
        parameters["AvailabilityZoneAddresses"],
        serde_json::json!([
            { "AvailabilityZone": "a", "AllocationIds": ["eipalloc-1"] },
            { "AvailabilityZone": "b", "AllocationIds": ["eipalloc-2"] },
        ])
    );
    // Addresses that AWS gave by itself are not ours once it is gone, and unread is unknown.
    for addresses in [elastic(&[]), None] {
        live.topology.addresses = addresses;
        let plan = plan_between(&live, &good);
        assert_eq!(plan.steps, []);
        assert!(left(&plan)[0].contains("regional"), "{plan:#?}");
    }
}

#[test]
fn what_no_capture_tells_is_not_guessed() {
    let mut bare = public();
    bare.nat = None;
    let (good, live) = worlds(bare, "deleted");
    let plan = plan_between(&live, &good);
    assert_eq!(plan.steps, []);
    assert!(left(&plan)[0].contains("no capture tells"), "{plan:#?}");
}

#[test]
fn where_the_policy_leaves_it_to_a_person_the_routes_need_it_first() {
    let (good, live) = worlds(public(), "deleted");
    let only = crate::policy::Recreate::default();
    let plan = plan_within(&live, &good.resources, &baselines(&good), only);
    assert_eq!(plan.steps, []);
    for table in ["rtb-1", "rtb-2"] {
        let told = plan.notes.iter().any(|note| {
            matches!(note, Note::Needs { resource, needs, .. } if resource.as_str() == table && needs == "nat-1 made again")
        });
        assert!(told, "{:#?}", plan.notes);
    }
    // A person is shown all of it, table by table.
    let shown = recovery(&live, &"rtb-2".parse().unwrap(), &baselines(&good)).unwrap();
    assert_eq!(
        apis(&shown),
        [
            "CreateNatGateway",
            "AssociateNatGatewayAddress",
            "ReplaceRoute"
        ]
    );
    assert_eq!(
        recovery(&live, &"rtb-3".parse().unwrap(), &baselines(&good)),
        None
    );
    assert_eq!(
        recovery(&good, &"rtb-1".parse().unwrap(), &baselines(&good)),
        None
    );
}

#[test]
fn a_table_and_its_gateway_that_are_both_gone_come_back_together() {
    let (good, mut live) = worlds(public(), "deleted");
    live.resources.remove(&"rtb-2".parse().unwrap());
    let plan = plan_between(&live, &good);
    assert_eq!(
        apis(&plan),
        [
            "CreateRouteTable",
            "CreateNatGateway",
            "AssociateNatGatewayAddress",
            "ReplaceRoute",
            "CreateRoute",
            "CreateRoute",
            "AssociateRouteTable",
        ]
    );
    let end = folded_at_ease(&live, &plan);
    for (id, wanted) in &plan.goal {
        let (Resource::RouteTable(now), Resource::RouteTable(wanted)) =
            (&end.resources[id], wanted)
        else {
            panic!();
        };
        assert_eq!(now.routes, wanted.routes, "{id}");
    }
}

#[test]
fn a_shell_waits_for_the_gateway_and_uses_the_id_that_ec2_gives() {
    let (good, live) = worlds(public(), "deleting");
    let script = plan_between(&live, &good).to_shell(None);
    let mut rest = script.as_str();
    for part in [
        "aws ec2 wait nat-gateway-deleted --nat-gateway-ids 'nat-1'",
        "made_1=$(aws ec2 create-nat-gateway --cli-input-json",
        "--query 'NatGateway.NatGatewayId' --output text)",
        "aws ec2 wait nat-gateway-available --nat-gateway-ids \"$made_1\"",
        r#"aws ec2 associate-nat-gateway-address --cli-input-json '{"AllocationIds":["eipalloc-2"],"NatGatewayId":"'"$made_1"'","PrivateIpAddresses":["10.0.9.6"]}'"#,
        r#"aws ec2 replace-route --cli-input-json '{"DestinationCidrBlock":"0.0.0.0/0","NatGatewayId":"'"$made_1"'","RouteTableId":"rtb-1"}'"#,
    ] {
        let found = rest.split_once(part);
        (_, rest) = found.unwrap_or_else(|| panic!("{part} in {rest}, of {script}"));
    }
    assert!(!script.contains("\"nat-1-again\""), "{script}");
}
