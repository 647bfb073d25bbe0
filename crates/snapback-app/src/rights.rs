//! What each function may do to the world, as bounds on its ports.
//!
//! - Owns: one trait a function, which names its ports. Only [`GuardPorts`] holds [`Actuate`];
//!   [`RollbackPorts`] are those of the guard in a person's hands.
//! - Takes: nothing.
//! - Gives: bounds; anything with the ports has the right.
//! - Must not: add behaviour.

use crate::port::{
    Actuate, BaselineRead, BaselineWrite, Clock, DeadLetter, EventHistory, Generations, Inbox,
    Journal, Meter, Observe,
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

/// What a look into the past works with: it only reads.
pub trait HistoryPorts: BaselineRead + Generations + Journal + Clock + Send + Sync {}
impl<P> HistoryPorts for P where P: BaselineRead + Generations + Journal + Clock + Send + Sync {}

/// What a person's rollback works with: as the guard, with what baselines were.
pub trait RollbackPorts: GuardPorts + Generations {}
impl<P> RollbackPorts for P where P: GuardPorts + Generations {}

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
