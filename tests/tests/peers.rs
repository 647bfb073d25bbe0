//! The inputs on which other products fail (peers.md, section 4), each as a test of its own name, through
//! the whole flow: what comes of it here. The order is the table's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use snapback_app::port::Clock;
use snapback_engine::incident::Outcome;
use snapback_engine::policy::{Mode, Policy};
use snapback_engine::verdict::Verdict;
use snapback_model::*;
use snapback_sim::{
    ACCOUNT, Call, EventFaults, GroupBy, NatPlace, NatRequest, Permission, Principal, Quotas,
    RuleChange,
};
use snapback_tests::*;
use std::collections::BTreeMap;
use std::time::Duration;

type State = BTreeMap<ResourceId, Resource>;

const SSH: &str = "ingress tcp:22 0.0.0.0/0";
const OFFICE: &str = "ingress tcp:22 10.0.0.0/8";

fn peer(text: &str) -> Peer {
    rule(&format!("ingress all {text}")).peer
}

/// One `Authorize…Ingress` with its permission items as they are, on the application group.
fn authorize_items(setting: &Setting, items: &[(&str, &[&str])]) -> Call {
    let permissions = items.iter().map(|(traffic, peers)| Permission {
        traffic: rule(&format!("ingress {traffic} 0.0.0.0/0")).traffic,
        peers: peers.iter().map(|text| (peer(text), None)).collect(),
    });
    Call::AuthorizeSecurityGroup {
        group: (&setting.layout.app).into(),
        direction: Direction::Ingress,
        permissions: permissions.collect(),
        short: false,
        tags: Tags::new(),
    }
}

/// An enforcing account, and its state before anything happens.
async fn enforced() -> (Setting, State) {
    let setting = guarded(7, Mode::Enforce).await;
    let before = setting.live();
    (setting, before)
}

/// What a stranger's calls lead to.
async fn after(mut setting: Setting, calls: Vec<Call>) -> Setting {
    for call in calls {
        does(&setting, &stranger(), call);
    }
    setting.settle().await;
    setting
}

fn acl(setting: &Setting) -> NetworkAcl {
    match setting
        .world
        .resource(&setting.layout.db_acl.clone().into())
    {
        Some(Resource::NetworkAcl(acl)) => acl,
        other => panic!("the ACL: {other:?}"),
    }
}

/// Asserts that the account is as it was; says only what is not.
fn is_as(before: &State, setting: &Setting) {
    let live = setting.live();
    let ids: std::collections::BTreeSet<_> = before.keys().chain(live.keys()).collect();
    let unlike: Vec<_> = ids
        .into_iter()
        .filter(|id| before.get(*id) != live.get(*id))
        .map(|id| (before.get(id), live.get(id)))
        .collect();
    let told: Vec<_> = setting
        .reports()
        .into_iter()
        .map(|report| (report.outcome, report.differences, report.problems))
        .collect();
    assert!(unlike.is_empty(), "{unlike:#?}\n{told:#?}");
}

fn writes(setting: &Setting) -> Vec<String> {
    let writes = setting.world.our_writes().into_iter();
    writes.map(|write| write.api).collect()
}

#[test]
fn protocol_minus_one_from_anywhere_is_taken_back() {
    run(async {
        let (setting, before) = enforced().await;
        let call = authorize_items(&setting, &[("all", &["0.0.0.0/0"])]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn one_item_with_ranges_of_both_families_loses_both() {
    run(async {
        let (setting, before) = enforced().await;
        let call = authorize_items(&setting, &[("tcp:22", &["0.0.0.0/0", "::/0"])]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
    });
}

#[test]
fn of_two_items_only_the_risky_one_is_taken_back() {
    run(async {
        let (setting, _) = enforced().await;
        let items: [(&str, &[&str]); 2] =
            [("tcp:22", &["0.0.0.0/0"]), ("tcp:8443", &["10.3.0.0/16"])];
        let call = authorize_items(&setting, &items);
        let setting = after(setting, vec![call]).await;
        let rules = app_rules(&setting);
        assert!(!rules.contains(&SSH.to_owned()), "{rules:?}");
        assert!(
            rules.contains(&"ingress tcp:8443 10.3.0.0/16".to_owned()),
            "{rules:?}"
        );
    });
}

#[test]
fn a_port_range_around_a_risky_port_is_taken_back() {
    for traffic in ["tcp:0-65535", "tcp:20-25"] {
        run(async {
            let (setting, before) = enforced().await;
            let call = authorize_items(&setting, &[(traffic, &["0.0.0.0/0"])]);
            let setting = after(setting, vec![call]).await;
            is_as(&before, &setting);
        });
    }
}

#[test]
fn a_rule_widened_in_place_is_narrowed_again_under_its_id() {
    run(async {
        let (setting, before) = enforced().await;
        let narrow = rule("ingress tcp:22 198.51.100.0/24");
        let app = setting.layout.app.clone();
        let id = setting
            .world
            .rule_id(&app, &narrow)
            .expect("the office's rule");
        let call = Call::ModifySecurityGroupRules {
            group: app.clone(),
            changes: vec![RuleChange {
                id: id.clone(),
                traffic: narrow.traffic,
                peer: peer("0.0.0.0/0"),
                description: Some("temporarily".into()),
            }],
        };
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(
            setting.world.rule_id(&app, &narrow),
            Some(id),
            "its id is kept"
        );
        assert_eq!(writes(&setting), ["ModifySecurityGroupRules"]);
    });
}

#[test]
fn two_halves_of_the_internet_are_the_internet() {
    run(async {
        let (setting, before) = enforced().await;
        let call = authorize_items(&setting, &[("tcp:22", &["0.0.0.0/1", "128.0.0.0/1"])]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
    });
}

#[test]
fn a_prefix_list_that_holds_the_internet_is_the_internet() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let list = setting.layout.office_list.clone();
        let widen = Call::ModifyManagedPrefixList {
            list: list.clone(),
            current_version: None,
            add: vec!["0.0.0.0/0".parse().expect("a net")],
            remove: Vec::new(),
        };
        does(&setting, &deployment(), widen);
        setting.capture().await.unwrap();
        let before = setting.live();
        let call = authorize_items(&setting, &[("tcp:3389", &[list.as_str()])]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn a_prefix_list_widened_since_the_capture_is_the_internet() {
    run(async {
        let (mut setting, _) = enforced().await;
        let list = setting.layout.office_list.clone();
        let widen = Call::ModifyManagedPrefixList {
            list: list.clone(),
            current_version: None,
            add: vec!["0.0.0.0/0".parse().expect("a net")],
            remove: Vec::new(),
        };
        does(&setting, &deployment(), widen);
        setting.settle().await;
        let before = setting.live();
        let call = authorize_items(&setting, &[("tcp:3389", &[list.as_str()])]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn all_traffic_from_a_group_beside_an_open_port_is_untouched() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let everything = format!("ingress all {}", setting.layout.web);
        does(&setting, &deployment(), authorize(&setting, &[&everything]));
        setting.capture().await.unwrap();
        let before = setting.live();
        let call = authorize(&setting, &[SSH]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert!(app_rules(&setting).contains(&everything));
    });
}

#[test]
fn a_private_range_in_the_same_permission_as_the_internet_stays() {
    run(async {
        let (setting, _) = enforced().await;
        let call = authorize_items(&setting, &[("tcp:22", &["0.0.0.0/0", "10.0.0.0/8"])]);
        let setting = after(setting, vec![call]).await;
        let rules = app_rules(&setting);
        assert!(
            rules.contains(&OFFICE.to_owned()) && !rules.contains(&SSH.to_owned()),
            "{rules:?}"
        );
    });
}

#[test]
fn a_group_opened_twice_within_a_week_is_taken_back_and_told_twice() {
    run(async {
        let (setting, before) = enforced().await;
        let open = authorize(&setting, &[SSH]);
        let setting = after(setting, vec![open.clone()]).await;
        setting.world.advance(Duration::from_secs(3 * 86_400));
        let setting = after(setting, vec![open]).await;
        is_as(&before, &setting);
        assert_eq!(outcomes(&setting), [Outcome::Reverted, Outcome::Reverted]);
        assert_eq!(setting.shown("sns").len(), 2);
    });
}

/// Another entry of the number's neighbour; the content of 110 must come from the baseline.
#[test]
fn an_entry_replaced_after_another_was_created_gets_its_own_old_content() {
    run(async {
        let setting = guarded(7, Mode::Strict).await;
        let before = setting.live();
        let wanted = acl(&setting);
        let key: EntryKey = "ingress 100".parse().expect("a key");
        let neighbour: EntryKey = "ingress 105".parse().expect("a key");
        let old = wanted.entries.get(&key).expect("entry 100").clone();
        let open = NetworkAclEntry {
            cidr: "0.0.0.0/0".parse().expect("a net"),
            ..old.clone()
        };
        let calls = vec![
            Call::CreateNetworkAclEntry {
                acl: wanted.id.clone(),
                key: neighbour,
                entry: open.clone(),
            },
            Call::ReplaceNetworkAclEntry {
                acl: wanted.id.clone(),
                key,
                entry: open,
            },
        ];
        let setting = after(setting, calls).await;
        assert_eq!(acl(&setting).entries.get(&key), Some(&old));
        is_as(&before, &setting);
    });
}

#[test]
fn an_entry_older_than_the_trail_comes_back() {
    run(async {
        let (setting, before) = enforced().await;
        // CloudTrail's event history ends after 90 days; the baseline does not.
        setting.world.advance(Duration::from_secs(100 * 86_400));
        let call = Call::DeleteNetworkAclEntry {
            acl: setting.layout.db_acl.clone(),
            key: "egress 110".parse().expect("a key"),
        };
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(writes(&setting), ["CreateNetworkAclEntry"]);
    });
}

#[test]
fn an_ipv6_entry_is_put_back() {
    run(async {
        let (setting, before) = enforced().await;
        // The public subnets have IPv6 networks: without it their visitors by IPv6 are cut off.
        let call = Call::DeleteNetworkAclEntry {
            acl: setting.layout.default_acl.clone(),
            key: "ingress 101".parse().expect("a key"),
        };
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(writes(&setting), ["CreateNetworkAclEntry"]);
    });
}

#[test]
fn three_subnets_moved_to_another_acl_come_back_by_fresh_association_ids() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let empty = Call::CreateNetworkAcl {
            vpc: setting.layout.vpc.clone(),
            tags: Tags::new(),
        };
        let made = setting.world.call(&deployment(), empty).unwrap();
        let empty = NetworkAclId::new(made.first());
        setting.capture().await.unwrap();
        let before = setting.live();
        let layout = setting.layout.clone();
        let moved = [&layout.public_a, &layout.private_a, &layout.private_b];
        let old = moved.map(|subnet| {
            setting
                .world
                .acl_association(subnet)
                .expect("an association")
        });
        let calls = old
            .iter()
            .map(|association| Call::ReplaceNetworkAclAssociation {
                association: association.clone(),
                acl: empty.clone(),
            });
        let setting = after(setting, calls.collect()).await;
        is_as(&before, &setting);
        assert_eq!(writes(&setting), ["ReplaceNetworkAclAssociation"; 3]);
        let now = moved.map(|subnet| {
            setting
                .world
                .acl_association(subnet)
                .expect("an association")
        });
        assert!(
            now.iter().all(|id| !old.contains(id)),
            "each move gave a new id"
        );
    });
}

#[test]
fn an_acl_at_its_quota_is_put_back_in_place() {
    run(async {
        let (setting, before) = enforced().await;
        let wanted = acl(&setting);
        let (key, old) = wanted.entries.iter().next().expect("an entry");
        let ingress = wanted
            .entries
            .keys()
            .filter(|key| key.direction == Direction::Ingress);
        let held = ingress.count();
        setting.world.set_quotas(Quotas {
            entries_per_acl: held,
            ..Quotas::default()
        });
        let entry = NetworkAclEntry {
            cidr: "0.0.0.0/0".parse().expect("a net"),
            ..old.clone()
        };
        let call = Call::ReplaceNetworkAclEntry {
            acl: wanted.id.clone(),
            key: *key,
            entry,
        };
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert_eq!(writes(&setting), ["ReplaceNetworkAclEntry"]);
    });
}

#[test]
fn a_new_description_moves_no_traffic_and_neither_does_its_revert() {
    run(async {
        let mut setting = guarded(7, Mode::Strict).await;
        let before = setting.live();
        let office = rule("ingress tcp:22 198.51.100.0/24");
        let call = Call::UpdateSecurityGroupRuleDescriptions {
            group: (&setting.layout.app).into(),
            direction: Direction::Ingress,
            descriptions: vec![(snapback_sim::RuleBy::Key(office), Some("mine now".into()))],
        };
        does(&setting, &stranger(), call);
        setting.settle().await;
        let made = writes(&setting);
        assert!(
            made.iter()
                .all(|api| api == "UpdateSecurityGroupRuleDescriptionsIngress"),
            "no rule is written: {made:?}"
        );
        is_as(&before, &setting);
    });
}

#[test]
fn a_group_that_was_open_already_and_is_opened_further_is_caught() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        does(&setting, &deployment(), authorize(&setting, &[SSH]));
        setting.capture().await.unwrap();
        let before = setting.live();
        let call = authorize(&setting, &["ingress tcp:3389 0.0.0.0/0"]);
        let setting = after(setting, vec![call]).await;
        is_as(&before, &setting);
        assert!(
            app_rules(&setting).contains(&SSH.to_owned()),
            "what was approved stays"
        );
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
    });
}

#[test]
fn a_deleted_group_comes_back_and_what_referred_to_it_follows() {
    run(async {
        let mut setting = Setting::new(7, policy(Mode::Enforce));
        let make = |name: &str| {
            let vpc = Some(setting.layout.vpc.clone());
            let (name, description, tags) = (name.to_owned(), format!("{name} jobs"), Tags::new());
            let call = Call::CreateSecurityGroup {
                name,
                description,
                vpc,
                tags,
            };
            SecurityGroupId::new(setting.world.call(&deployment(), call).unwrap().first())
        };
        let (batch, reader) = (make("batch"), make("reader"));
        let refers = rule(&format!("ingress tcp:5432 {batch}"));
        does(
            &setting,
            &deployment(),
            Call::authorize(&reader, [(refers.clone(), None)]),
        );
        setting.capture().await.unwrap();
        let calls = vec![
            Call::revoke(&reader, [refers]),
            Call::DeleteSecurityGroup {
                group: GroupBy::Id(batch.clone()),
            },
        ];
        let setting = after(setting, calls).await;
        let live = setting.live();
        let Some(Resource::SecurityGroup(successor)) = live.values().find(
            |resource| matches!(resource, Resource::SecurityGroup(group) if group.name.as_deref() == Some("batch")),
        ) else {
            panic!("batch is not there: {:?}", live.keys());
        };
        assert_ne!(successor.id, batch, "EC2 gives a new id");
        let Some(Resource::SecurityGroup(group)) = live.get(&reader.clone().into()) else {
            panic!("the reader");
        };
        let follows = rule(&format!("ingress tcp:5432 {}", successor.id));
        assert!(
            group.rules.contains_key(&follows),
            "{:?}",
            group.rules.keys()
        );
        let baselines = setting.world.stored_baselines();
        assert!(
            baselines.contains_key(&successor.id.clone().into()),
            "lineage is kept"
        );
        let told = format!("{:?}", setting.shown("sns"));
        assert!(told.contains(batch.as_str()) && told.contains(successor.id.as_str()));
    });
}

/// AWS FIS with the role of an experiment.
fn fis() -> Principal {
    Principal {
        via: Some("fis.amazonaws.com".into()),
        source_ip: "fis.amazonaws.com".into(),
        ..Principal::role(
            format!("arn:aws:iam::{ACCOUNT}:role/experiments"),
            "EXPa1b2c3",
        )
    }
}

/// An enforcing account whose policy knows experiments of an hour.
async fn with_experiments() -> (Setting, State) {
    let (mut setting, before) = enforced().await;
    let text = "experiments: { tag: managedByFIS, longest: 1h }";
    let read = Policy::from_yaml(text, "test").expect("a policy");
    setting.guard.policy.experiments = read.experiments;
    (setting, before)
}

/// Makes an empty ACL under the tag of FIS and moves both database subnets to it.
fn disrupt(setting: &Setting, who: &Principal) -> NetworkAclId {
    let make = Call::CreateNetworkAcl {
        vpc: setting.layout.vpc.clone(),
        tags: Tags::from([("managedByFIS".to_owned(), "true".to_owned())]),
    };
    let made = setting.world.call(who, make).expect("an ACL");
    let acl = NetworkAclId::new(made.first());
    for subnet in [&setting.layout.db_a, &setting.layout.db_b] {
        move_to(setting, who, subnet, &acl);
    }
    acl
}

fn move_to(setting: &Setting, who: &Principal, subnet: &SubnetId, acl: &NetworkAclId) {
    let association = setting
        .world
        .acl_association(subnet)
        .expect("an association");
    let acl = acl.clone();
    does(
        setting,
        who,
        Call::ReplaceNetworkAclAssociation { association, acl },
    );
}

async fn later(setting: &mut Setting, minutes: u64) {
    setting.world.advance(Duration::from_secs(minutes * 60));
    setting.sweep().await;
    setting.settle().await;
}

#[test]
fn a_fault_injection_in_progress_is_left_alone() {
    run(async {
        let (mut setting, before) = with_experiments().await;
        let acl = disrupt(&setting, &fis());
        let during = setting.live();
        setting.settle().await;
        for _ in 0..3 {
            later(&mut setting, 15).await;
        }
        assert_eq!(setting.live(), during);
        assert_eq!(setting.shown("sns"), [], "nobody is called for it");
        for subnet in [&setting.layout.db_a, &setting.layout.db_b] {
            move_to(&setting, &fis(), subnet, &setting.layout.db_acl);
        }
        does(&setting, &fis(), Call::DeleteNetworkAcl { acl });
        setting.settle().await;
        later(&mut setting, 60).await;
        is_as(&before, &setting);
        assert_eq!(writes(&setting), Vec::<String>::new());
    });
}

#[test]
fn a_fault_injection_that_did_not_clean_up_is_put_back() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        let wanted = acl(&setting);
        let left = disrupt(&setting, &fis());
        setting.settle().await;
        later(&mut setting, 50).await;
        assert_eq!(writes(&setting), Vec::<String>::new());
        later(&mut setting, 15).await;
        assert_eq!(acl(&setting), wanted);
        assert_eq!(writes(&setting), ["ReplaceNetworkAclAssociation"; 2]);
        // What it made stays: nobody says that it may go. It is told.
        assert!(setting.live().contains_key(&left.clone().into()));
        assert!(format!("{:?}", setting.shown("sns")).contains(left.as_str()));
    });
}

#[test]
fn a_fault_injection_that_no_event_told_of_is_left_alone() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        setting.world.lose_next_events(3);
        disrupt(&setting, &fis());
        let during = setting.live();
        setting.settle().await;
        later(&mut setting, 20).await;
        assert_eq!(setting.live(), during);
        later(&mut setting, 60).await;
        assert_eq!(writes(&setting), ["ReplaceNetworkAclAssociation"; 2]);
    });
}

#[test]
fn the_tag_of_fault_injections_is_no_pass_for_a_stranger() {
    run(async {
        let (setting, _) = with_experiments().await;
        let wanted = acl(&setting);
        disrupt(&setting, &stranger());
        let setting = after(setting, Vec::new()).await;
        assert_eq!(acl(&setting), wanted);
        assert_eq!(writes(&setting), ["ReplaceNetworkAclAssociation"; 2]);
        let told = format!("{:?}", setting.world.journal());
        assert!(told.contains("the tag exempts nothing"));
    });
}

#[test]
fn a_stranger_in_a_fault_injection_ends_what_is_tolerated_of_it() {
    run(async {
        let (mut setting, _) = with_experiments().await;
        let wanted = acl(&setting);
        let made = disrupt(&setting, &fis());
        setting.settle().await;
        assert_eq!(writes(&setting), Vec::<String>::new());
        let open = Call::CreateNetworkAclEntry {
            acl: made,
            key: "ingress 1".parse().expect("a key"),
            entry: NetworkAclEntry {
                cidr: "0.0.0.0/0".parse().expect("a net"),
                ..wanted.entries.values().next().expect("an entry").clone()
            },
        };
        let setting = after(setting, vec![open]).await;
        assert_eq!(acl(&setting), wanted);
    });
}

#[test]
fn a_nat_fail_over_flips_the_default_route_and_nobody_fights_it() {
    run(async {
        let (mut setting, before) = enforced().await;
        let spare = Call::CreateNatGateway(NatRequest {
            place: NatPlace::Subnet(setting.layout.public_b.clone()),
            connectivity: Connectivity::Public,
            allocation: Some(setting.layout.spare_address.clone()),
            private: None,
            tags: Tags::new(),
        });
        let made = setting.world.call(&deployment(), spare).expect("a gateway");
        let (nat, table) = (
            made.first().to_owned(),
            setting.layout.private_table.clone(),
        );
        setting.world.advance(Duration::from_secs(300));
        setting.settle().await;
        let text = format!(
            "allowed-targets: [{{ tables: [{table}], destination: 0.0.0.0/0, targets: [{}, {nat}] }}]",
            setting.layout.nat_gateway
        );
        let read = Policy::from_yaml(&text, "test").expect("a policy");
        setting.guard.policy.allowed_targets = read.allowed_targets;
        let lead_to = |target: RouteTarget| Call::ReplaceRoute {
            table: table.clone(),
            destination: "0.0.0.0/0".parse().expect("a destination"),
            target,
        };
        let told = setting.shown("sns");
        let mut setting = after(setting, vec![lead_to(RouteTarget::NatGateway(nat))]).await;
        later(&mut setting, 15).await;
        assert_ne!(setting.live(), before, "the fail-over stays");
        assert_eq!(writes(&setting), Vec::<String>::new());
        assert_eq!(setting.shown("sns"), told, "nobody is called for it");
        let foreign = setting.layout.app_interface.to_string();
        let flip = lead_to(RouteTarget::NetworkInterface(foreign));
        let setting = after(setting, vec![flip]).await;
        is_as(&before, &setting);
        assert_eq!(writes(&setting), ["ReplaceRoute"]);
    });
}

#[test]
fn an_event_twice_late_or_never_is_one_deviation() {
    run(async {
        let (mut setting, before) = enforced().await;
        setting.world.set_event_faults(EventFaults {
            duplicate: 1.0,
            ..EventFaults::default()
        });
        let open = authorize(&setting, &[SSH]);
        does(&setting, &stranger(), open.clone());
        let stale = setting.world.deliver_next();
        for body in stale.iter().cloned() {
            setting.handle(body).await;
        }
        setting.settle().await;
        assert_eq!(
            (setting.live(), outcomes(&setting)),
            (before.clone(), vec![Outcome::Reverted])
        );
        let calls = setting.world.our_write_attempts();
        // Hours later the queue brings it again: live is as it should be, so it means nothing.
        setting.world.advance(Duration::from_secs(6 * 3_600));
        for body in stale {
            setting.handle(body).await;
        }
        assert_eq!(setting.world.our_write_attempts(), calls);
        assert_eq!(outcomes(&setting), [Outcome::Reverted]);
        setting.world.lose_next_events(1);
        does(&setting, &stranger(), open);
        setting.settle().await;
        assert_ne!(setting.live(), before, "nobody told of it");
        setting.world.advance(Duration::from_secs(900));
        setting.sweep().await;
        setting.settle().await;
        is_as(&before, &setting);
    });
}

/// Terraform with a role that nobody trusts.
fn terraform() -> Principal {
    Principal {
        user_agent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.0 terraform-provider-aws/6.1".into(),
        ..Principal::role(format!("arn:aws:iam::{ACCOUNT}:role/platform"), "run-17")
    }
}

#[test]
fn terraform_that_applies_the_reverted_change_three_times_opens_the_breaker_with_one_alert() {
    run(async {
        let (mut setting, before) = enforced().await;
        for _ in 0..4 {
            let call = authorize_items(&setting, &[("tcp:22", &["0.0.0.0/0"])]);
            does(&setting, &terraform(), call);
            setting.settle().await;
            later(&mut setting, 2).await;
        }
        assert_ne!(setting.live(), before, "the fourth time it stays");
        assert_eq!(writes(&setting), ["RevokeSecurityGroupIngress"; 3]);
        let braked = || {
            let shown = setting.shown("sns").into_iter();
            let subjects = shown.map(|shown| (shown.message.subject, shown.message.text));
            subjects
                .filter(|(subject, _)| subject.contains("BRAKED"))
                .map(|(_, text)| text)
                .collect::<Vec<_>>()
        };
        let alerts = braked();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(alerts[0].contains("role/platform"), "{}", alerts[0]);
        assert_eq!(setting.shown("sns").len(), 4, "three reverts and one alert");
        // Once it was quiet for long enough the breaker closes, and the account is as it was.
        later(&mut setting, 45).await;
        is_as(&before, &setting);
    });
}

#[test]
fn what_is_left_alone_is_told_as_left_alone() {
    run(async {
        let (setting, _) = enforced().await;
        let call = authorize_items(&setting, &[("tcp:22", &["0.0.0.0/0", "10.0.0.0/8"])]);
        let setting = after(setting, vec![call]).await;
        let report = setting.reports().remove(0);
        let verdict_of = |text: &str| {
            let found = report
                .differences
                .iter()
                .find(|difference| difference.text.contains(text));
            found.map(|difference| difference.verdict)
        };
        assert_eq!(
            verdict_of("0.0.0.0/0"),
            Some(Verdict::Revert),
            "{:?}",
            report.differences
        );
        assert_eq!(
            verdict_of("10.0.0.0/8"),
            Some(Verdict::Alert),
            "{:?}",
            report.differences
        );
        assert!(report.ended_at <= setting.world.now());
    });
}
