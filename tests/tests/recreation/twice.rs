//! What is made twice: the first answer is lost, and somebody deletes what that call made before the
//! story finds it.

use super::{DEEDS, Deed, Loss, account, delete_group};
use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_model::*;
use snapback_sim::{Call, Fault, Principal, When, successors};
use snapback_tests::*;

const APIS: [&str; 3] = [
    "CreateSecurityGroup",
    "CreateNetworkAcl",
    "CreateRouteTable",
];

/// In what order the events of the first one's making and deletion come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    MakingFirst,
    DeletionFirst,
}

fn deletion_of(newborn: &ResourceId) -> Call {
    match newborn {
        ResourceId::SecurityGroup(group) => delete_group(group),
        ResourceId::NetworkAcl(acl) => Call::DeleteNetworkAcl { acl: acl.clone() },
        ResourceId::RouteTable(table) => Call::DeleteRouteTable {
            table: table.clone(),
        },
    }
}

/// An account that has lost something; the answer to the call that makes it again will be lost too.
async fn losing(deed: Deed, api: &str) -> (Setting, Loss) {
    let (setting, loss) = account(deed, 9, policy(Mode::Enforce)).await;
    setting.world.fail(api, Fault::LostResponse, 1);
    loss.happens(&setting);
    (setting, loss)
}

/// Messages are handled until something was made again.
async fn is_made(setting: &mut Setting) {
    while successors(&setting.live()).is_empty() {
        assert!(setting.world.pending() > 0, "{}", setting.told());
        setting.handle_next().await;
    }
}

/// The account after the first one was made and deleted by `who`, the second one was made, and the
/// events of the first one came in this order.
async fn twice(
    deed: Deed,
    api: &str,
    who: &Principal,
    order: Order,
) -> (Setting, Loss, ResourceId) {
    // The same seed makes the same ids: a first run tells which one it will be.
    let (first, act) = {
        let (mut setting, loss) = losing(deed, api).await;
        is_made(&mut setting).await;
        let calls = setting.world.ec2_calls().into_iter();
        let mut ours = calls.filter(|call| !call.read && call.by.ends_with("snapback-guard"));
        let act = ours.position(|call| call.api == api).unwrap();
        (loss.successor(&setting, api), act as u64 + 1)
    };
    let (mut setting, loss) = losing(deed, api).await;
    setting
        .world
        .interleave(When::AfterAct(act), who.clone(), deletion_of(&first));
    is_made(&mut setting).await;
    let (of_first, others): (Vec<String>, Vec<String>) = setting
        .all_arriving()
        .into_iter()
        .partition(|body| body.contains(first.as_str()));
    let (mut makings, deletions): (Vec<String>, Vec<String>) =
        of_first.into_iter().partition(|body| body.contains(api));
    assert!(
        !makings.is_empty() && deletions.iter().any(|body| body.contains("\"Delete")),
        "{api}: {makings:?} {deletions:?}"
    );
    let mut told = deletions;
    match order {
        Order::MakingFirst => std::mem::swap(&mut told, &mut makings),
        Order::DeletionFirst => {}
    }
    setting.handle_all(told).await;
    setting.handle_all(makings).await;
    setting.handle_all(others).await;
    setting.rest().await;
    (setting, loss, first)
}

#[test]
fn a_trusted_deletion_of_the_first_is_told_as_too_late_in_either_order_of_events() {
    for (deed, api) in DEEDS.into_iter().zip(APIS) {
        for order in [Order::MakingFirst, Order::DeletionFirst] {
            run(async {
                let case = format!("{api} {order:?}");
                let (setting, loss, first) = twice(deed, api, &deployment(), order).await;
                let second = loss.is_made_good(&setting, &case);
                assert_ne!(second, first, "{case}");
                let words = format!(
                    "{first} had been made again as {second} before its deletion was understood"
                );
                let told = setting
                    .reports()
                    .into_iter()
                    .flat_map(|report| report.problems)
                    .filter(|problem| problem.contains(&words))
                    .count();
                assert_eq!(told, 1, "{case}: {}", setting.told());
            });
        }
    }
}

#[test]
fn a_strangers_deletion_of_the_first_is_made_good_by_the_second() {
    for (deed, api) in DEEDS.into_iter().zip(APIS) {
        for order in [Order::MakingFirst, Order::DeletionFirst] {
            run(async {
                let case = format!("{api} {order:?}");
                let (setting, loss, first) = twice(deed, api, &stranger(), order).await;
                assert_ne!(loss.is_made_good(&setting, &case), first, "{case}");
                setting.none_ended_badly(&case);
                let reverted = setting.reports_of(Outcome::Reverted);
                assert!(!reverted.is_empty(), "{case}: {}", setting.told());
            });
        }
    }
}
