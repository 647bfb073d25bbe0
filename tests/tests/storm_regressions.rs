//! Storms that found something: each a file in `tests/storms`, so that it stays the same storm when
//! the generator changes (`cargo xtask storm --plan FILE` tells its story).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use snapback_tests::storm::{Storm, run};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("storms")
}

fn names() -> BTreeSet<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// The tests of this file by the names of their storms: each file belongs to one.
const CLASSES: [&str; 45] = [
    "tag-told-once",
    "own-call-though-clocks-differ",
    "two-guards-make-a-table-once",
    "own-disassociation-without-answer",
    "subnet-on-a-redirected-table",
    "breaker-closes-under-a-brake",
    "peer-gone-under-a-brake",
    "nat-made-without-answer",
    "trusted-deletion-on-its-way",
    "trusted-deletion-taken-back",
    "made-again-by-the-other-guard",
    "trusted-deletion-of-nat-heard-late",
    "late-event-of-a-peer",
    "gone-in-the-middle",
    "newborn-deleted",
    "late-event-of-a-nat",
    "nat-left-without-use",
    "nat-made-again-by-a-story-in-work",
    "nat-made-for-a-deleted-table",
    "breaker-counts-from-the-last-call",
    "made-again-twice",
    "breaker-closes-where-harm-is-gone",
    "trusted-change-during-a-making-again",
    "lost-link-of-a-line",
    "nat-left-under-a-brake",
    "late-move-of-a-subnet",
    "blamed-for-others",
    "group-made-by-each-try",
    "made-again-in-part",
    "moved-twice-in-a-second",
    "nat-seen-late",
    "brake-of-an-heir",
    "heir-of-heir",
    "stray-route-while-made-again",
    "table-made-by-each-try",
    "answer-noted-meanwhile",
    "names-the-deleted",
    "made-by-two-stories",
    "nat-made-by-each-try",
    "stray-route-that-stays",
    "moved-side-by-side",
    "moves-of-one-second",
    "deleted-within-the-story",
    "good-changed-before-the-call",
    "read-before-it-settled",
];

fn holds(class: &str) {
    let mut played = 0;
    for name in names().iter().filter(|name| name.starts_with(class)) {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let storm: Storm =
            serde_json::from_str(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        let verdict = run(&storm, false);
        assert!(
            verdict.violations.is_empty(),
            "{name}: {:#?}",
            verdict.violations
        );
        played += 1;
    }
    assert!(played > 0, "no storm is named {class}");
}

#[test]
fn each_storm_belongs_to_a_test() {
    for name in names() {
        let belongs = CLASSES.iter().any(|class| name.starts_with(class));
        assert!(belongs, "{name}");
    }
}

/// A quick read of a group tells no tags: the sweep asked for it again for ever, nobody was told.
#[test]
fn a_tag_of_a_group_is_told_once_though_events_are_read_quickly() {
    holds("tag-told-once");
}

/// The event of our own call came, by EC2's clock, before we had begun it by ours.
#[test]
fn a_call_without_an_answer_is_ours_though_clocks_differ() {
    holds("own-call-though-clocks-differ");
}

/// The second guard had read the baselines before the first one's story ended, and EC2 after it.
#[test]
fn two_guards_make_a_deleted_table_again_once() {
    holds("two-guards-make-a-table-once");
}

/// A stranger's association is taken away and the answer is lost; the event names its id alone, which
/// no baseline knows.
#[test]
fn a_disassociation_without_an_answer_is_ours_though_its_event_names_an_unknown_id() {
    holds("own-disassociation-without-answer");
}

/// The route of a table was redirected, then a subnet moved onto it: the table is put right first.
#[test]
fn a_subnet_on_a_redirected_table_is_led_by_the_goal_or_by_live_at_every_step() {
    holds("subnet-on-a-redirected-table");
}

/// A breaker closed by itself while the account's brake was on: each sweep asked for it again.
#[test]
fn a_breaker_that_closes_under_a_brake_is_asked_about_once() {
    holds("breaker-closes-under-a-brake");
}

/// A rule names a group that is gone and that a brake leaves gone: the sweep sees that it cannot be put
/// back, the guard's read of one group does not; each sweep asked for it again.
#[test]
fn a_rule_whose_peer_stays_gone_is_told_once() {
    holds("peer-gone-under-a-brake");
}

/// The work stopped between the call and the note of its answer; whoever went on found the gateway and
/// did not note that a call had had no answer: its event was told as somebody's with our role. Or the
/// event came before anybody had found the gateway.
#[test]
fn a_nat_gateway_made_without_an_answer_is_ours() {
    holds("nat-made-without-answer");
}

/// The events of what was taken away from a table came first: it was made again before the event of
/// its deletion told that a trusted hand was at it.
#[test]
fn what_is_gone_waits_for_the_event_that_tells_by_whom() {
    holds("trusted-deletion-on-its-way");
}

/// EC2 was down when the events came, the sweep was first: the deletion was accepted, and what had been
/// made in its place stayed a good state.
#[test]
fn a_trusted_deletion_that_was_taken_back_already_is_told() {
    holds("trusted-deletion-taken-back");
}

/// The second guard had read that a group was gone before the first one's story of it ended, and told
/// so after it.
#[test]
fn what_the_other_guard_made_again_is_not_told_as_gone() {
    holds("made-again-by-the-other-guard");
}

/// The new gateway was there when the event of the deletion came: the story ended as if nothing were
/// left of it.
#[test]
fn a_nat_gateway_made_before_the_trusted_deletion_was_heard_of_is_told_as_left() {
    holds("trusted-deletion-of-nat-heard-late");
}

/// A trusted revoke came late and named a group by the id it had before it was made again: no rule was
/// found to fold it into, and nobody was told.
#[test]
fn a_late_event_names_a_peer_by_the_id_that_it_had() {
    holds("late-event-of-a-peer");
}

/// A trusted hand deleted the ACL while its story was at work, and the same story made it again.
#[test]
fn what_goes_in_the_middle_of_a_story_waits_for_the_event_that_tells_by_whom() {
    holds("gone-in-the-middle");
}

/// A trusted hand deleted the new table before it was whole, or the old one just before a crash of the
/// story that made the new: what is there then is told with what to do.
#[test]
fn a_newborn_that_a_trusted_hand_deleted_stays_gone() {
    holds("newborn-deleted");
}

/// A trusted route to a NAT gateway was heard of when that had been made again: it was folded with the
/// id that is gone.
#[test]
fn a_late_event_names_a_nat_gateway_by_the_id_that_it_had() {
    holds("late-event-of-a-nat");
}

/// A trusted route left late, after its NAT gateway had been made again: nobody was told that the new
/// one serves nothing.
#[test]
fn a_gateway_that_was_made_again_for_a_route_that_left_is_told() {
    holds("nat-left-without-use");
}

/// The story that made the gateway again was not at its end when the event of the trusted deletion came:
/// its route became one to nowhere, and the gateway stood there in silence.
#[test]
fn a_gateway_that_a_story_in_work_made_again_is_told_as_too_late() {
    holds("nat-made-again-by-a-story-in-work");
}

/// A gateway was made without an answer for a table that a trusted hand deleted meanwhile: no good
/// route led to it any more, and its event was told as somebody's with our role.
#[test]
fn a_nat_gateway_made_for_a_table_that_is_deleted_meanwhile_is_ours() {
    holds("nat-made-for-a-deleted-table");
}

/// A story took the same change back twice, minutes apart: the breaker counts it from its last call,
/// and the oracle counted it from its beginning.
#[test]
fn the_breaker_counts_a_resumed_revert_from_its_last_call() {
    holds("breaker-counts-from-the-last-call");
}

/// A group was deleted and made again twice, then edited by a trusted hand: the driver knew the third
/// group by the id of the second, which the ideal does not know.
#[test]
fn a_trusted_edit_of_what_was_made_again_twice_is_good() {
    holds("made-again-twice");
}

/// The breaker was open, the harm became an alert that people knew: the sweep asked for a fresh look
/// for ever, since nobody closed the breaker.
#[test]
fn a_breaker_whose_fight_is_over_closes_where_nothing_is_to_be_taken_back() {
    holds("breaker-closes-where-harm-is-gone");
}

/// A trusted hand took a subnet off the table while the other guard made that again: the subnet was put
/// back by what had been good before, and the story ended on that.
#[test]
fn a_trusted_change_of_what_is_being_made_again_counts() {
    holds("trusted-change-during-a-making-again");
}

/// The guard died before the baselines followed, and what it had made was deleted by a trusted hand: the
/// event came when it had been made again, and its id was known to nobody.
#[test]
fn a_late_deletion_of_what_no_baseline_ever_knew_is_told_as_too_late() {
    holds("lost-link-of-a-line");
}

/// A brake came on between the making of the gateway and the route to it: people were told, and what is
/// good follows once they release it.
#[test]
fn a_brake_may_leave_a_new_nat_gateway_without_a_route() {
    holds("nat-left-under-a-brake");
}

/// A subnet left a table that was deleted since; an older move of it came later, and was taken for the
/// newest.
#[test]
fn a_late_move_of_a_subnet_is_older_than_its_leaving_a_deleted_table() {
    holds("late-move-of-a-subnet");
}

/// A braked ACL locked instances out of Systems Manager, and the sweep blamed a route that had nothing to
/// do with it: the guard, who reads less, did not, and was asked again for ever.
#[test]
fn a_difference_is_not_blamed_for_what_another_resource_did() {
    holds("blamed-for-others");
}

/// `CreateSecurityGroup` takes no client token: what its first try made was deleted before the second
/// try made another, and the event of the first was told as an impostor's.
#[test]
fn a_group_that_a_lost_answer_made_is_ours_though_another_try_made_the_one_that_stayed() {
    holds("group-made-by-each-try");
}

/// A story that could not do all ended without saying that what it had made was meant to be gone.
#[test]
fn what_was_made_again_in_part_is_told_where_its_trusted_deletion_was_heard_late() {
    holds("made-again-in-part");
}

/// On equal seconds live decides, and live was our own revert: the trusted move was dropped unheard.
#[test]
fn a_second_move_of_one_second_is_refused_and_told_where_we_wrote_since() {
    holds("moved-twice-in-a-second");
}

/// The read that proved the route showed the new gateway as `pending`: the baselines kept the old one.
#[test]
fn baselines_follow_to_a_nat_gateway_that_a_stale_read_shows_as_not_at_work_yet() {
    holds("nat-seen-late");
}

/// The brake lay on the id that the table had before it was made again, where nobody looks any more.
#[test]
fn a_brake_put_on_while_a_resource_is_made_again_lies_on_its_new_id() {
    holds("brake-of-an-heir");
}

/// The deletion of a NAT gateway was heard when two had been made in its place, one after the other, and
/// the one between was forgotten.
#[test]
fn the_late_deletion_of_a_nat_gateway_made_again_twice_names_the_last() {
    holds("heir-of-heir");
}

/// A route was set on a table that nobody went by yet, over a default route that could not be put back:
/// it stayed, and the subnets that came to the table were led by it.
#[test]
fn a_stray_route_goes_from_a_table_before_anybody_goes_by_it() {
    holds("stray-route-while-made-again");
}

/// What the first try of a call made was deleted before the second one, and EC2 made another: the event
/// of the first was told as an impostor's.
#[test]
fn a_table_that_the_first_of_two_tries_made_is_ours() {
    holds("table-made-by-each-try");
}

/// A call was still without an answer when the journal was asked for its request, and had one when the
/// stories were read.
#[test]
fn a_call_whose_answer_is_noted_while_its_event_is_looked_at_is_ours() {
    holds("answer-noted-meanwhile");
}

/// A good rule names a group that a trusted hand deleted; what was made in its place before that was
/// heard is not good.
#[test]
fn a_rule_that_names_what_a_trusted_hand_deleted_stays_as_it_was() {
    holds("names-the-deleted");
}

/// A story was taken up again, found what it had made gone, and made it again while another story was at
/// that.
#[test]
fn what_two_stories_are_about_is_made_again_once() {
    holds("made-by-two-stories");
}

/// The NAT gateway that the first try of a call made was deleted before the second one made another.
#[test]
fn a_nat_gateway_that_the_first_of_two_tries_made_is_ours() {
    holds("nat-made-by-each-try");
}

/// A subnet came back to a table with a stray route that stays for others: that it is led by it was not
/// told.
#[test]
fn who_comes_to_a_table_with_a_stray_route_that_stays_is_not_led_by_it_untold() {
    holds("stray-route-that-stays");
}

/// Two guards accepted two moves of one subnet at the same time, and neither saw the other's: both tables
/// had it in their baselines, and it was moved back.
#[test]
fn two_moves_of_a_subnet_accepted_side_by_side_leave_it_on_one_table() {
    holds("moved-side-by-side");
}

/// The events of four trusted moves of one subnet in a second came out of order: what only a later one
/// could explain was told as unknown, and an older place stayed good.
#[test]
fn moves_of_one_second_stand_in_the_order_of_their_associations() {
    holds("moves-of-one-second");
}

/// What a story made was deleted by a trusted hand, and the story made it again before that was heard:
/// its end did not know of the one between.
#[test]
fn what_was_made_and_deleted_within_a_story_is_told_at_its_end() {
    holds("deleted-within-the-story");
}

/// The sweep brought two events of one second: one guard accepted the trusted removal of a rule while the
/// other, who had read before that, put the rule back.
#[test]
fn a_plan_is_made_again_where_what_is_good_changed_before_its_first_call() {
    holds("good-changed-before-the-call");
}

/// Live decided between two edits of one second by a read that did not show the second yet.
#[test]
fn live_decides_between_edits_of_one_second_once_it_shows_both() {
    holds("read-before-it-settled");
}
