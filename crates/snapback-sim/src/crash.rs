//! Time and crashes as a process meets them: every port call goes through one door. A killed world
//! answers no call any more, and whatever waits for it is dropped.

use crate::world::World;
use snapback_model::Timestamp;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

impl World {
    /// Lets `calls` more port calls happen; the next one never returns, as in a process that was
    /// killed between the two.
    pub fn kill_after(&self, calls: u64) {
        self.with(|inner| inner.faults.kill_after = Some(calls));
    }

    /// Runs a future until it ends or the world is killed; then it is dropped and the world lives
    /// on for the next process. `None` after a crash.
    pub async fn run_until_crash<F: Future>(&self, process: F) -> Option<F::Output> {
        let mut process = pin!(process);
        let ended = poll_fn(|context| match process.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.is_killed() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        self.with(|inner| (inner.faults.killed, inner.faults.kill_after) = (false, None));
        ended
    }

    fn is_killed(&self) -> bool {
        self.with(|inner| inner.faults.killed)
    }

    /// Says that several processes share the world from now on: a port call then takes its time by
    /// waiting for it, and whoever polls the processes lets time pass between ([`World::take_wake`]).
    pub fn share(&self) {
        self.with(|inner| inner.shared = true);
    }

    /// When the process that was just polled may go on; nothing where it waits for nothing.
    pub fn take_wake(&self) -> Option<Timestamp> {
        self.with(|inner| inner.wake.take())
    }

    /// The door of every port call: lets other tasks run first, and holds forever when killed. In a
    /// shared world the call takes its time, more or less, on the way in.
    pub(crate) async fn enter(&self, latency: Duration) {
        if self.with(|inner| inner.shared) {
            let spread = self.with(|inner| inner.rng.u32(50..200));
            self.pause(latency.saturating_mul(spread) / 100).await;
        } else {
            pass_by().await;
        }
        let killed = self.with(|inner| {
            match &mut inner.faults.kill_after {
                Some(0) => inner.faults.killed = true,
                Some(left) => *left -= 1,
                None => {}
            }
            inner.faults.killed
        });
        if killed {
            std::future::pending::<()>().await;
        }
    }

    /// Waits: for others in a shared world, else by letting time pass.
    pub(crate) async fn pause(&self, duration: Duration) {
        if !self.with(|inner| inner.shared) {
            pass_by().await;
            self.advance(duration);
            return;
        }
        let due = self.with(|inner| inner.now.checked_add(duration).unwrap_or(inner.now));
        let mut polled = false;
        poll_fn(|_| {
            let first = !std::mem::replace(&mut polled, true);
            self.with(|inner| {
                if !first && inner.now >= due {
                    return Poll::Ready(());
                }
                let wake = inner.wake.map_or(due, |wake| wake.min(due));
                inner.wake = Some(wake);
                Poll::Pending
            })
        })
        .await;
    }

    /// Waits for an answer that does not come, where the last call left its caller to wait.
    pub(crate) async fn wait_in_vain(&self) {
        let owed = self.with(|inner| std::mem::take(&mut inner.owed));
        if !owed.is_zero() {
            self.pause(owed).await;
        }
    }
}

/// Lets other tasks run once.
async fn pass_by() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
