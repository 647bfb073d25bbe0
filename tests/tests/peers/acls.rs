//! Entries of ACLs and the subnets behind them.

use super::enforced;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Quotas};
use snapback_tests::*;
use std::time::Duration;

/// Another entry of the number's neighbour; the content of 110 must come from the baseline.
#[test]
fn an_entry_replaced_after_another_was_created_gets_its_own_old_content() {
    run(async {
        let mut setting = guarded(7, Mode::Strict).await;
        let before = setting.live();
        let wanted = setting.acl(&setting.layout.db_acl);
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
        setting.play_all(&stranger(), calls).await;
        assert_eq!(
            setting.acl(&setting.layout.db_acl).entries.get(&key),
            Some(&old)
        );
        setting.is_back(&before);
    });
}

#[test]
fn an_entry_older_than_the_trail_comes_back() {
    run(async {
        let (mut setting, before) = enforced().await;
        // CloudTrail's event history ends after 90 days; the baseline does not.
        setting.world.advance(Duration::from_secs(100 * 86_400));
        let call = delete_entry(&setting.layout.db_acl, "egress 110".parse().expect("a key"));
        setting.play(&stranger(), call).await;
        setting.is_back(&before);
        assert_eq!(setting.world.our_apis(), ["CreateNetworkAclEntry"]);
    });
}

#[test]
fn an_ipv6_entry_is_put_back() {
    run(async {
        let (mut setting, before) = enforced().await;
        // The public subnets have IPv6 networks: without it their visitors by IPv6 are cut off.
        let call = delete_entry(
            &setting.layout.default_acl,
            "ingress 101".parse().expect("a key"),
        );
        setting.play(&stranger(), call).await;
        setting.is_back(&before);
        assert_eq!(setting.world.our_apis(), ["CreateNetworkAclEntry"]);
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
        let empty = NetworkAclId::new(setting.made(&deployment(), empty));
        setting.capture().await.unwrap();
        let before = setting.live();
        let layout = setting.layout.clone();
        let moved = [&layout.public_a, &layout.private_a, &layout.private_b];
        let associations = |setting: &Setting| {
            moved.map(|subnet| setting.world.acl_association(subnet).expect("one"))
        };
        let old = associations(&setting);
        let calls = moved.map(|subnet| move_to_acl(&setting, subnet, &empty));
        setting.play_all(&stranger(), calls).await;
        setting.is_back(&before);
        assert_eq!(
            setting.world.our_apis(),
            ["ReplaceNetworkAclAssociation"; 3]
        );
        let now = associations(&setting);
        assert!(
            now.iter().all(|id| !old.contains(id)),
            "each move gave a new id"
        );
    });
}

#[test]
fn an_acl_at_its_quota_is_put_back_in_place() {
    run(async {
        let (mut setting, before) = enforced().await;
        let wanted = setting.acl(&setting.layout.db_acl);
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
        setting.play(&stranger(), call).await;
        setting.is_back(&before);
        assert_eq!(setting.world.our_apis(), ["ReplaceNetworkAclEntry"]);
    });
}
