//! The ports: coverage of reads, faults, conditional writes, crashes, time.

use super::{mallory, open_ssh, rule, shop};
use crate::{Call, Fault, NatPlace, NatRequest, Staleness, When};
use snapback_app::port::*;
use snapback_engine::execution::ErrorClass;
use snapback_engine::plan::Action;
use snapback_model::*;
use std::collections::BTreeMap;
use std::time::Duration;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn the_account_is_consistent_and_the_same_in_every_world() {
    let ((world, layout), (other, _)) = (shop(), crate::Builder::new(8).with_default_vpc().build());
    assert_eq!(world.inconsistencies(), Vec::<String>::new());
    assert_eq!(other.inconsistencies(), Vec::<String>::new());
    let id = ResourceId::from(layout.web.clone());
    assert_eq!(world.resource(&id), other.resource(&id));
    let table = world
        .resource(&layout.private_table.clone().into())
        .unwrap();
    let Resource::RouteTable(table) = table else {
        panic!("not a table")
    };
    assert!(table.routes.values().all(|route| !route.blackhole));
    assert!(
        table
            .routes
            .values()
            .any(|route| route.origin == RouteOrigin::Propagated)
    );
}

#[test]
fn a_group_read_tells_rules_only_and_a_deleted_group_is_covered_and_absent() {
    let (world, layout) = shop();
    let seen = run(world.observe(&Scope::Group(layout.app.clone()))).unwrap();
    let id = ResourceId::from(layout.app.clone());
    let Some(Resource::SecurityGroup(group)) = seen.resources.get(&id) else {
        panic!("not read")
    };
    assert_eq!(
        (group.name.as_ref(), group.tags.as_ref(), group.rules.len()),
        (None, None, 4)
    );
    assert!(seen.covers(&id, None));
    assert_eq!(seen.handles.rules.len(), 4);
    let gone = SecurityGroupId::from("sg-0gone");
    let seen = run(world.observe(&Scope::Group(gone.clone()))).unwrap();
    assert!(seen.covers(&gone.into(), None) && seen.resources.is_empty());
    let calls: Vec<_> = world.ec2_calls().into_iter().map(|call| call.api).collect();
    assert_eq!(
        calls,
        [
            "DescribeSecurityGroupRules",
            "DescribeSecurityGroupRules",
            "DescribeSecurityGroups"
        ]
    );
}

fn ssh_action(layout: &crate::Layout) -> Action {
    let rules = BTreeMap::from([(rule("ingress tcp:22 0.0.0.0/0"), RuleDetail::default())]);
    Action::AuthorizeSecurityGroupRules {
        group: layout.app.clone(),
        direction: Direction::Ingress,
        rules,
    }
}

#[test]
fn faults_strike_as_planned_and_a_lost_response_has_its_effect() {
    let (world, layout) = shop();
    let action = ssh_action(&layout);
    world.fail("Authorize*", Fault::Throttled, 1);
    world.fail("AuthorizeSecurityGroupIngress", Fault::LostResponse, 1);
    let act = || run(world.act(&action, &Handles::default()));
    let throttled = act().unwrap_err();
    assert_eq!(
        (throttled.code.as_str(), throttled.class),
        ("RequestLimitExceeded", ErrorClass::Transient)
    );
    assert_eq!(act().unwrap_err().class, ErrorClass::Lost);
    assert!(
        world
            .rule_id(&layout.app, &rule("ingress tcp:22 0.0.0.0/0"))
            .is_some()
    );
    assert_eq!(act().unwrap_err().code, "InvalidPermission.Duplicate");
    assert_eq!(
        (world.our_write_attempts(), world.our_writes().len()),
        (3, 1)
    );
    world.fail("Describe*", Fault::Denied, 1);
    let denied = run(world.observe(&Scope::Group(layout.app.clone()))).unwrap_err();
    assert_eq!(
        (denied.code.as_str(), denied.class),
        ("UnauthorizedOperation", ErrorClass::Denied)
    );
}

#[test]
fn stale_reads_show_the_past_until_the_window_is_over() {
    let (world, layout) = shop();
    world.set_staleness(Staleness {
        window: Duration::from_secs(10),
        chance: 1.0,
    });
    world.call(&mallory(), open_ssh(&layout)).unwrap();
    let opened = |snapshot: Snapshot| {
        snapshot
            .handles
            .rule_id(&layout.app, &rule("ingress tcp:22 0.0.0.0/0"))
            .is_some()
    };
    let read = || opened(run(world.observe(&Scope::Group(layout.app.clone()))).unwrap());
    assert!((0..20).any(|_| !read()));
    world.advance(Duration::from_secs(11));
    assert!((0..20).all(|_| read()));
}

#[test]
fn a_killed_world_drops_the_process_between_two_port_calls() {
    let (world, layout) = shop();
    let action = ssh_action(&layout);
    for calls in 0..3 {
        let (world, _) = shop();
        world.kill_after(calls);
        let ended = run(world.run_until_crash(async {
            let seen = world
                .observe(&Scope::Group(layout.app.clone()))
                .await
                .unwrap();
            world.act(&action, &seen.handles).await.unwrap();
        }));
        assert_eq!(ended.is_some(), calls == 2);
        assert_eq!(world.our_writes().len(), usize::from(calls == 2));
        assert!(
            run(world.unfinished()).unwrap().is_empty(),
            "the next process is served"
        );
    }
    assert!(run(world.run_until_crash(async { 1 })).is_some());
}

#[test]
fn a_user_comes_between_two_of_our_calls() {
    let (world, layout) = shop();
    world.interleave(When::BeforeAct(1), mallory(), open_ssh(&layout));
    let error = run(world.act(&ssh_action(&layout), &Handles::default())).unwrap_err();
    assert_eq!(error.code, "InvalidPermission.Duplicate");
    world.interleave(
        When::AfterObserve(1),
        mallory(),
        Call::DeleteRoute {
            table: layout.public_table.clone(),
            destination: "0.0.0.0/0".parse().unwrap(),
        },
    );
    let seen = run(world.observe(&Scope::TablesOf(layout.vpc.clone()))).unwrap();
    assert_ne!(
        seen.resources,
        run(world.observe(&Scope::TablesOf(layout.vpc.clone())))
            .unwrap()
            .resources
    );
}

fn baseline(world: &crate::World, id: &ResourceId, generation: u64) -> Baseline {
    let state = world.resource(id);
    Baseline {
        schema: BASELINE_SCHEMA,
        id: id.clone(),
        vpc: state.as_ref().and_then(|state| state.vpc().cloned()),
        state,
        handles: Handles::default(),
        generation: Generation(generation),
        parent: None,
        provenance: Provenance {
            origin: Origin::Captured,
            by: "test".into(),
            why: "test".into(),
            at: world.now(),
            event: None,
        },
        marks: BTreeMap::new(),
        predecessor: None,
        successor: None,
    }
}

#[test]
fn baselines_are_written_on_the_generation_before_or_not_at_all() {
    let (world, layout) = shop();
    let (web, app) = (ResourceId::from(layout.web), ResourceId::from(layout.app));
    assert_eq!(run(world.baselines(&Wanted::default())).unwrap(), None);
    run(world.put_baselines(&[baseline(&world, &web, 1)])).unwrap();
    let both = [baseline(&world, &app, 1), baseline(&world, &web, 1)];
    let conflict = run(world.put_baselines(&both)).unwrap_err();
    assert!(matches!(conflict, StoreError::Conflict { .. }));
    assert!(!world.stored_baselines().contains_key(&app), "all or none");
    let both = [baseline(&world, &app, 1), baseline(&world, &web, 2)];
    run(world.put_baselines(&both)).unwrap();
    let wanted = Wanted {
        vpcs: [(Kind::SecurityGroup, layout.vpc)].into(),
        ..Wanted::default()
    };
    assert_eq!(
        run(world.baselines(&wanted)).unwrap().unwrap().by_id.len(),
        2
    );
}

#[test]
fn the_journal_has_one_winner_for_each_number_and_version() {
    use snapback_engine::incident::{Body, Commit, Entry, ResourceRecord};
    let (world, layout) = shop();
    let mut record = ResourceRecord::new(layout.app.into());
    let entry = |sequence| Entry {
        incident: IncidentId::from("inc-1"),
        sequence,
        at: world.now(),
        body: Body::Interrupted { why: "test".into() },
    };
    record.version = 1;
    run(world.commit(&Commit::of(&record, &[entry(0), entry(1)]))).unwrap();
    assert!(matches!(
        run(world.commit(&Commit::of(&record, &[entry(2)]))),
        Err(StoreError::Conflict { .. })
    ));
    record.version = 2;
    assert!(matches!(
        run(world.commit(&Commit::of(&record, &[entry(1)]))),
        Err(StoreError::Conflict { .. })
    ));
    world.fail("commit", Fault::LostResponse, 1);
    assert!(matches!(
        run(world.commit(&Commit::of(&record, &[entry(2)]))),
        Err(StoreError::Call(_))
    ));
    assert_eq!(
        run(world.entries(&IncidentId::from("inc-1")))
            .unwrap()
            .len(),
        3,
        "written, not told"
    );
    assert_eq!(world.journal_stream().len(), 3);
    assert_eq!(world.journal_stream().len(), 0, "drained");
}

#[test]
fn time_passes_only_in_the_simulation() {
    let (world, _) = shop();
    let before = world.now();
    run(world.sleep(Duration::from_secs(3600)));
    assert_eq!(
        before.checked_add(Duration::from_secs(3600)).unwrap(),
        world.now()
    );
}

#[test]
fn a_world_from_a_snapshot_shows_that_snapshot() {
    let (world, layout) = shop();
    let shown = world.snapshot();
    let again = crate::World::from_snapshot(&shown, 99);
    assert_eq!(again.snapshot(), shown);
    assert!(again.call(&mallory(), open_ssh(&layout)).is_ok());
}

#[test]
fn token_buckets_empty_and_refill() {
    let (world, layout) = shop();
    world.set_token_buckets(true);
    world.set_latency(crate::Latency {
        write: Duration::ZERO,
        ..crate::Latency::default()
    });
    let action = Action::CreateTags {
        target: layout.app.to_string(),
        tags: Tags::from([("a".to_owned(), "b".to_owned())]),
    };
    let act = || run(world.act(&action, &Handles::default()));
    assert!((0..100).all(|_| act().is_ok()));
    assert_eq!(act().unwrap_err().code, "RequestLimitExceeded");
    world.advance(Duration::from_millis(250));
    assert_eq!(
        (act().is_ok(), act().is_ok(), act().is_ok()),
        (true, true, false)
    );
}

#[test]
fn a_channel_is_down_for_as_long_as_the_outage_lasts() {
    let (world, _) = shop();
    let (sns, slack) = (
        crate::SimChannel::new(&world, "sns"),
        crate::SimChannel::new(&world, "slack"),
    );
    let message = snapback_engine::notification::Notification {
        key: "inc-1/3".into(),
        subject: "s".into(),
        text: "t".into(),
        json: serde_json::json!({}),
        slack: serde_json::json!({}),
    };
    world.outage("slack", Fault::ServerError, Duration::from_secs(3600));
    world.fail("sns", Fault::Throttled, 1);
    let throttled = run(sns.deliver(&message)).unwrap_err();
    assert!(throttled.retry && throttled.retry_after.is_some());
    assert!(
        run(sns.deliver(&message)).is_ok(),
        "one channel does not hold up the other"
    );
    assert!(run(slack.deliver(&message)).unwrap_err().retry);
    world.advance(Duration::from_secs(3601));
    assert!(run(slack.deliver(&message)).is_ok());
    assert_eq!((sns.shown().len(), slack.shown().len()), (1, 1));
}

#[test]
fn two_processes_take_turns_and_only_one_commit_wins() {
    use snapback_engine::incident::{Commit, ResourceRecord};
    let (world, layout) = shop();
    let process = || async {
        let mut record: ResourceRecord = world.record(&layout.app.clone().into()).await.unwrap();
        record.version += 1;
        world.commit(&Commit::of(&record, &[])).await
    };
    let (first, second) = run(async { tokio::join!(process(), process()) });
    assert!(first.is_ok());
    assert!(matches!(second, Err(StoreError::Conflict { .. })));
}

#[test]
fn a_whole_read_tells_what_watches_the_network_and_a_loaded_account_keeps_it() {
    let (world, layout) = shop();
    let seen = run(world.observe(&Scope::Everything)).unwrap();
    let topology = &seen.topology;
    assert_eq!(topology.read, ContextKind::ALL.into());
    let watched = topology.flow_logs.values().map(|log| log.resource.as_str());
    assert!(watched.collect::<Vec<_>>().contains(&layout.vpc.as_str()));
    let block = topology
        .block_public_access
        .as_ref()
        .map(|block| block.mode);
    assert_eq!(block, Some(BlockMode::Off));
    let nat = topology.gateways[&layout.nat_gateway].nat.as_ref().unwrap();
    assert_eq!(nat.zone, topology.subnets[&layout.public_a].zone);
    assert_eq!(
        topology.gateways[&layout.nat_gateway].public_addresses,
        nat.addresses.iter().filter_map(|one| one.public).collect()
    );
    assert!(topology.gateways[&layout.peering].peering.is_some());
    let endpoint = topology.gateways[&layout.endpoint]
        .endpoint
        .as_ref()
        .unwrap();
    assert_eq!(endpoint.prefix_list.as_ref(), Some(&layout.s3_list));
    let loaded = crate::World::from_snapshot(&seen, 3);
    assert_eq!(
        run(loaded.observe(&Scope::Everything)).unwrap().topology,
        *topology
    );
}

#[test]
fn context_that_is_refused_for_good_is_a_gap_and_what_is_needed_is_a_failure() {
    for (api, fault, gap) in [
        (
            "DescribeFlowLogs",
            Fault::Denied,
            Some(ContextKind::FlowLogs),
        ),
        (
            "DescribeVpcBlockPublicAccessOptions",
            Fault::Denied,
            Some(ContextKind::BlockPublicAccess),
        ),
        (
            "DescribeStaleSecurityGroups",
            Fault::Throttled,
            Some(ContextKind::StaleReferences),
        ),
        ("DescribeTags", Fault::Denied, None),
    ] {
        let (world, layout) = shop();
        world.fail(api, fault, 1);
        let seen = run(world.observe(&Scope::Everything)).unwrap();
        let missing = ContextKind::ALL
            .into_iter()
            .filter(|kind| !seen.topology.has_read(*kind));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::from_iter(gap), "{api}");
        assert!(seen.resources.contains_key(&layout.web.into()));
    }
    for (api, fault) in [
        ("DescribeFlowLogs", Fault::Throttled),
        ("DescribeNetworkInterfaces", Fault::Denied),
    ] {
        let (world, _) = shop();
        world.fail(api, fault, 1);
        assert!(run(world.observe(&Scope::Everything)).is_err(), "{api}");
    }
}

#[test]
fn a_new_nat_gateway_has_an_address_that_nothing_else_has() {
    let (world, layout) = shop();
    let before = world.snapshot().topology;
    let call = Call::CreateNatGateway(NatRequest {
        place: NatPlace::Subnet(layout.public_b.clone()),
        connectivity: Connectivity::Public,
        allocation: Some(layout.spare_address.clone()),
        private: None,
        tags: Tags::new(),
    });
    world.call(&mallory(), call).unwrap();
    let after = world.snapshot().topology;
    let new = after
        .gateways
        .values()
        .find(|one| !before.gateways.contains_key(&one.id));
    let new = new.unwrap();
    let nat = new.nat.as_ref().unwrap();
    assert_eq!(nat.zone, after.subnets[&layout.public_b].zone);
    let address = nat.addresses.first().unwrap();
    assert_eq!(address.allocation, Some(layout.spare_address));
    assert_eq!(new.public_addresses, address.public.into_iter().collect());
    let old = &before.gateways[&layout.nat_gateway];
    assert!(old.public_addresses.is_disjoint(&new.public_addresses));
}
