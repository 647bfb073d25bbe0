//! The scene of every scenario: an account under guard, the people around it, what they do and what is
//! told of it.
//!
//! - Owns: [`Setting`] with its verbs, the principals, the calls that tests make, the words of assertions.
//! - Takes: a policy, a seed.
//! - Gives: a world in which a test says who does what, and what must be true then.
//! - Must not: know what the flow does inside; hold what only one test needs.
//!
//! A setting [`plays`](Setting::play) what somebody does with all that follows from it, or
//! [`does`](Setting::does) it and leaves its messages to be [handled](Setting::handle_next) by hand; time
//! passes with [`later`](Setting::later) and [`rest`](Setting::rest).

#![allow(clippy::panic, reason = "a scene of tests")]

mod calls;
mod inbox;
mod people;
mod person;
mod setting;
mod state;
mod told;

pub use calls::{
    SSH, allow, authorize, create_group, create_tagged_group, default_route, delete_entry,
    delete_group, delete_nat, disassociate, move_to_acl, move_to_table, peer, rule,
    widen_office_list,
};
pub use inbox::recheck;
pub use people::{deployment, stranger, terraform, user};
pub use person::{
    alice, dies_rolling_back, goes_back, goes_through, proposed, rolls_back, says_yes, wish,
};
pub use setting::{Delivered, MINUTE, Setting, guarded, guarded_by, policy, strict};
pub use state::{State, unlike};
