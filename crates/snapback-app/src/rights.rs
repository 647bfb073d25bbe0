//! What each function may do to the world, as bounds on its ports.
//!
//! - Owns: one trait a function, which names its ports. Only [`GuardPorts`] holds [`Actuate`].
//! - Takes: nothing.
//! - Gives: bounds; anything with the ports has the right.
//! - Must not: add behaviour.

use crate::port::{
    Actuate, BaselineRead, BaselineWrite, Clock, DeadLetter, EventHistory, Inbox, Journal, Meter,
    Observe,
};

/// What the guard works with: it alone changes EC2.
pub trait GuardPorts:
    Observe
    + Actuate
    + BaselineRead
    + BaselineWrite
    + Journal
    + Inbox
    + DeadLetter
    + Clock
    + Meter
    + Send
    + Sync
{
}
impl<P> GuardPorts for P where
    P: Observe
        + Actuate
        + BaselineRead
        + BaselineWrite
        + Journal
        + Inbox
        + DeadLetter
        + Clock
        + Meter
        + Send
        + Sync
{
}

/// What the sweep works with: it reads, records and asks the guard.
pub trait SweepPorts:
    Observe
    + BaselineRead
    + BaselineWrite
    + Journal
    + Inbox
    + EventHistory
    + Clock
    + Meter
    + Send
    + Sync
{
}
impl<P> SweepPorts for P where
    P: Observe
        + BaselineRead
        + BaselineWrite
        + Journal
        + Inbox
        + EventHistory
        + Clock
        + Meter
        + Send
        + Sync
{
}

/// What a capture works with.
pub trait CapturePorts: Observe + BaselineRead + BaselineWrite + Clock + Send + Sync {}
impl<P> CapturePorts for P where P: Observe + BaselineRead + BaselineWrite + Clock + Send + Sync {}
