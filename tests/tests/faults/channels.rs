//! Channels that do not take what they are told.

use super::is_right;
use snapback_app::port::Metric;
use snapback_engine::policy::Mode;
use snapback_sim::Fault;
use snapback_tests::*;

#[test]
fn a_channel_that_is_down_for_an_hour_loses_nothing_and_holds_nobody_up() {
    for down in ["sns", "slack"] {
        run(async {
            let mut setting = guarded(19, Mode::Enforce).await;
            let before = setting.live();
            setting.world.outage(down, Fault::ServerError, 60 * MINUTE);
            setting.opens(&stranger(), SSH).await;
            is_right(&setting, &before, down);
            let other = if down == "sns" { "slack" } else { "sns" };
            assert_eq!(
                setting.shown(other).len(),
                1,
                "the other channel did not wait"
            );
            assert_eq!(setting.shown(down).len(), 0);
            setting.notify_again(120).await;
            assert_eq!(setting.shown(down).len(), 1);
            assert_eq!(setting.shown(other).len(), 1);
        });
    }
}

#[test]
fn a_channel_that_asks_for_patience_gets_it() {
    run(async {
        let mut setting = guarded(19, Mode::Enforce).await;
        setting.world.fail("slack", Fault::Throttled, 2);
        setting.opens(&stranger(), SSH).await;
        assert_eq!(setting.shown("slack").len(), 1);
        setting.world.advance(10 * MINUTE);
        setting.world.outage("slack", Fault::Denied, 10 * MINUTE);
        setting.opens(&stranger(), SSH).await;
        assert_eq!(
            setting.shown("slack").len(),
            1,
            "refused: kept for the stream"
        );
        assert!(setting.world.total(Metric::NotDelivered) > 0.0);
        setting.notify_again(20).await;
        assert_eq!(setting.shown("slack").len(), 2);
    });
}
