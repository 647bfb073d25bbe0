//! Associations whose ids no baseline knows.

use snapback_engine::incident::Outcome;
use snapback_engine::policy::Mode;
use snapback_sim::Fault;
use snapback_tests::*;

/// The event names the association alone, and no baseline knows one that a stranger made.
#[test]
fn the_event_of_a_disassociation_without_an_answer_is_ours() {
    run(async {
        let mut setting = guarded(9, Mode::Strict).await;
        let before = setting.live();
        let layout = setting.layout.clone();
        let moved = move_to_table(&setting, &layout.db_a, &layout.public_table);
        setting.does(&stranger(), moved);
        let fault = Fault::LostResponse;
        setting.world.fail("DisassociateRouteTable", fault, 1);
        setting.settle().await;
        setting.rest().await;
        setting.is_back(&before);
        assert_eq!(setting.world.our_apis(), ["DisassociateRouteTable"]);
        setting.ended_as([Outcome::Reverted]);
    });
}

/// Our own move gave the subnet's association an id that its event alone tells otherwise.
#[test]
fn a_trusted_move_of_a_subnet_that_was_put_back_becomes_baseline() {
    run(async {
        let mut setting = guarded(9, Mode::Strict).await;
        let layout = setting.layout.clone();
        let moved = move_to_table(&setting, &layout.private_a, &layout.public_table);
        setting.play(&stranger(), moved).await;
        setting.ended_as([Outcome::Reverted]);
        // Two moves before the guard hears of the first: live knows neither of its ids any more.
        for table in [&layout.public_table, &layout.main_table] {
            let moved = move_to_table(&setting, &layout.private_a, table);
            setting.does(&deployment(), moved);
        }
        let wanted = setting.live();
        setting.settle().await;
        assert_eq!(setting.live(), wanted);
        assert!(!setting.outcomes().contains(&Outcome::Refused));
    });
}
