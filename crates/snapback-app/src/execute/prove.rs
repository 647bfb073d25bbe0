//! Verification: reads until live is as wanted, as often as eventual consistency asks for.

use super::{Execution, GuardError, Proof, Target};
use crate::ledger;
use crate::patience::{VERIFY_PAUSE, VERIFY_SETTLED, backoff, between};
use crate::rights::GuardPorts;
use snapback_engine::execution::{Verification, verify};
use snapback_engine::incident::Body;
use snapback_engine::verdict::Verdict;

impl<P: GuardPorts> Execution<'_, '_, P> {
    /// Reads until `target` stands (or, without one, nothing is left to take back) in enough
    /// agreeing reads. The first read goes beside the write of `carried`.
    pub(super) async fn prove(
        &mut self,
        target: Option<&Target>,
        carried: Vec<Body>,
    ) -> Result<Proof, GuardError> {
        if self.claimed {
            self.write_and_observe(carried).await?;
        } else {
            self.write(carried).await?;
            self.look_again().await?;
        }
        let begun = self.visit.now();
        let mut agreeing = 0_u32;
        let mut attempt = 0_u32;
        let mut differing = None;
        loop {
            let left = self.left(target);
            let pause = if left.is_empty() {
                agreeing = agreeing.saturating_add(1);
                differing = None;
                if agreeing >= self.limits().verify_reads {
                    return Ok(Proof::Proven);
                }
                VERIFY_PAUSE
            } else {
                agreeing = 0;
                let now = self.visit.now();
                let since = match differing.take() {
                    Some((same, since)) if same == left => since,
                    _ => now,
                };
                if between(since, now) >= VERIFY_SETTLED {
                    return Ok(Proof::Differs(left));
                }
                differing = Some((left.clone(), since));
                attempt = attempt.saturating_add(1);
                backoff(self.limits(), attempt.saturating_sub(1), &self.visit.holder)
            };
            if between(begun, self.visit.now()) + pause > self.limits().verify_deadline {
                return Ok(Proof::Differs(if left.is_empty() {
                    vec!["reads do not agree".to_owned()]
                } else {
                    left
                }));
            }
            if self.visit.time_left() < self.limits().reserve {
                let why = "no time left to verify".to_owned();
                return Err(self.interrupt(Vec::new(), why).await);
            }
            self.visit.guard.ports.sleep(pause).await;
            self.renew().await?;
            self.look_again().await?;
        }
    }

    /// What live still lacks. Differences that others made meanwhile and that policy tolerates do
    /// not stand against the end; those of this story do.
    fn left(&self, target: Option<&Target>) -> Vec<String> {
        let unlike = match target.map(|target| verify(target, &self.scene.live)) {
            Some(Verification::Equal) => return Vec::new(),
            Some(Verification::Differs(lines)) => lines,
            None => Vec::new(),
        };
        if let Some(left) = self.errand_left() {
            return if unlike.is_empty() { left } else { unlike };
        }
        // What is made again is to be whole: nobody else had a say in it yet.
        if self.has_successor() && !unlike.is_empty() {
            return unlike;
        }
        let Some(assessment) = self.assess() else {
            // Equal to the baseline, though not to a goal that keeps what others have since removed.
            return Vec::new();
        };
        let ours = self.story.reverting();
        let open: Vec<String> = assessment
            .decision
            .judgements
            .iter()
            .filter(|judgement| {
                judgement.verdict == Verdict::Revert
                    || ours.contains(&judgement.difference.element())
            })
            .map(|judgement| judgement.text.clone())
            .collect();
        if open.is_empty() || unlike.is_empty() {
            open
        } else {
            unlike
        }
    }

    async fn look_again(&mut self) -> Result<(), GuardError> {
        match self.observe().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.interrupt(Vec::new(), error.to_string()).await),
        }
    }

    /// The last step's end is written while the first proof is read.
    async fn write_and_observe(&mut self, carried: Vec<Body>) -> Result<(), GuardError> {
        if carried.is_empty() {
            return self.look_again().await;
        }
        let draft = self.draft(carried);
        let (pace, commit) = (self.visit.pace(), draft.commit());
        let (written, live) = tokio::join!(
            ledger::commit(&pace, &self.visit.guard.ports, &commit),
            self.read()
        );
        self.written(written, draft)?;
        match live {
            Ok(live) => {
                self.scene.live = live;
                Ok(())
            }
            Err(error) => Err(self.interrupt(Vec::new(), error.to_string()).await),
        }
    }
}
