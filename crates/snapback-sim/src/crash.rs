//! Crashes: a killed world answers no port call any more, and whatever waits for it is dropped.

use crate::world::World;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

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

    /// The door of every port call: lets other tasks run first, and holds forever when killed.
    pub(crate) async fn enter(&self) {
        let mut yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
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
}
