//! The people of a storm: each mishap at its time, step by step, and controllers that do theirs again.

use super::super::deed::Ground;
use super::super::plan::{Hand, Mishap, Storm};
use super::super::stroke::Stroke;
use super::{Stage, after};
use snapback_app::port::{Braked, Clock, Command};
use snapback_engine::incident::{Body, Entry};
use snapback_model::*;
use snapback_sim::{Call, Principal, Quotas, story};
use std::collections::BTreeSet;
use std::time::Duration;

/// A person's command is on its way so long.
const STEP: Duration = Duration::from_millis(400);
/// How often a controller looks whether its edit stands.
const WATCH: Duration = Duration::from_secs(7);
/// How long it looks.
const WATCHES_MAX: u32 = 60;

/// What a trusted hand did.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The event of it.
    pub event: EventId,
    /// The resources whose baselines it edits.
    pub edits: BTreeSet<ResourceId>,
    /// What it deletes, by the id of before.
    pub deletes: Option<String>,
    /// When a guard had handled the event to its end.
    pub heard: Option<Timestamp>,
    /// In words.
    pub what: String,
}

struct Doing<'s> {
    mishap: &'s Mishap,
    due: Timestamp,
    step: usize,
    made: String,
    /// Of a controller: what it does again, how often yet, for how many looks more.
    again: Option<(Stroke, u8, u32)>,
}

/// Who is at it.
#[derive(Default)]
pub(super) struct People<'s> {
    doing: Vec<Doing<'s>>,
    /// When somebody releases what is braked, the latest first.
    releases: Vec<Timestamp>,
}

impl<'s> People<'s> {
    pub fn start(&mut self, storm: &'s Storm, began: Timestamp) {
        let doing = storm.mishaps.iter().map(|mishap| Doing {
            mishap,
            due: after(began, Duration::from_millis(mishap.at.into())),
            step: 0,
            made: String::new(),
            again: None,
        });
        self.doing = doing.collect();
        let times = storm.releases.iter().rev();
        self.releases = times
            .map(|at| after(began, Duration::from_millis((*at).into())))
            .collect();
    }

    pub fn is_done(&self) -> bool {
        self.doing.is_empty() && self.releases.is_empty()
    }

    pub fn next(&self) -> Option<Timestamp> {
        let doing = self.doing.iter().map(|doing| doing.due);
        doing.chain(self.releases.last().copied()).min()
    }
}

fn principal(hand: Hand) -> Principal {
    match hand {
        Hand::Stranger => story::mallory(),
        Hand::Controller => Principal::role(
            "arn:aws:iam::111122223333:role/reconciler",
            "reconciler-loop",
        ),
        Hand::Trusted => story::pipeline(),
        Hand::Tool => Principal {
            user_agent: "HashiCorp Terraform/1.9.0 terraform-provider-aws/6.1".into(),
            ..Principal::role("arn:aws:iam::111122223333:role/platform", "run-17")
        },
    }
}

/// Current ids of what was made again to the ids of before.
fn origins(live: &Snapshot) -> Lineage {
    let mut names = Lineage::default();
    let resources = live.resources.iter();
    let resources = resources.map(|(id, resource)| (id.as_str(), resource.tags()));
    let gateways = live.topology.gateways.values();
    let gateways = gateways.map(|gateway| (gateway.id.as_str(), Some(&gateway.tags)));
    for (id, tags) in resources.chain(gateways) {
        if let Some(before) = tags.and_then(|tags| tags.get(SUCCESSOR_OF)) {
            names.record(id, before);
        }
    }
    names
}

impl Stage<'_> {
    /// What stands beside the realistic account, before the capture.
    pub(super) fn furnish(&mut self) -> Result<(), String> {
        let who = story::pipeline();
        let vpc = self.layout.vpc.clone();
        let make = |call: Call| {
            self.world
                .call(&who, call)
                .map_err(|error| error.to_string())
        };
        let mut last = self.layout.app.clone();
        for number in 0..self.storm.spare_groups {
            let made = make(Call::CreateSecurityGroup {
                name: format!("spare-{number}"),
                description: "nothing carries it yet".into(),
                vpc: Some(vpc.clone()),
                tags: Tags::from([("team".to_owned(), "net".to_owned())]),
            })?;
            let group = SecurityGroupId::new(made.first());
            let from: RuleKey = format!("ingress tcp:{} {last}", 6_000 + u16::from(number))
                .parse()
                .map_err(|error| format!("{error}"))?;
            let office: RuleKey = "ingress tcp:22 198.51.100.0/24"
                .parse()
                .map_err(|error| format!("{error}"))?;
            make(Call::authorize(&group, [(from, None), (office, None)]))?;
            last = group;
        }
        if self.storm.spare_acl {
            let tags = Tags::new();
            let made = make(Call::CreateNetworkAcl {
                vpc: vpc.clone(),
                tags,
            })?;
            let key: EntryKey = "ingress 100".parse().map_err(|error| format!("{error}"))?;
            let any = "0.0.0.0/0".parse().map_err(|error| format!("{error}"))?;
            make(Call::CreateNetworkAclEntry {
                acl: NetworkAclId::new(made.first()),
                key,
                entry: NetworkAclEntry::new(RuleAction::Allow, Traffic::All, any),
            })?;
        }
        if self.storm.spare_table {
            let tags = Tags::new();
            make(Call::CreateRouteTable { vpc, tags })?;
        }
        if let Some(room) = self.storm.room {
            // The fullest of each kind in the layout, and a little room.
            let room = usize::from(room);
            self.world.set_quotas(Quotas {
                rules_per_group: 4 + room,
                entries_per_acl: 5 + room,
                acls_per_vpc: 3 + room,
                routes_per_table: 4 + room,
                ..Quotas::default()
            });
        }
        Ok(())
    }

    /// A person releases every brake and breaker that is on; whether there was one.
    pub(super) fn release(&mut self) -> bool {
        let account = self.world.stored_account().brake;
        let mut what: Vec<Braked> = account.map(|_| Braked::Account).into_iter().collect();
        let records = self.world.stored_records().into_values();
        let on = records.filter(|record| record.brake.is_some() || record.fight.is_some());
        what.extend(on.map(|record| Braked::Resource(record.resource)));
        for what in &what {
            self.say(|| format!("a person releases {what:?}"));
            let command = Command::Release {
                what: what.clone(),
                by: "ann".into(),
                why: "looked at it".into(),
            };
            if let Ok(body) = serde_json::to_string(&command) {
                self.world.post(body, STEP);
            }
        }
        !what.is_empty()
    }

    pub(super) fn let_people_act(&mut self) {
        let now = self.world.now();
        while self.people.releases.pop_if(|at| *at <= now).is_some() {
            self.release();
        }
        let mut index = 0;
        while let Some(doing) = self.people.doing.get(index) {
            if doing.due > now {
                index += 1;
                continue;
            }
            let mut doing = self.people.doing.swap_remove(index);
            if self.act(&mut doing) {
                self.people.doing.push(doing);
            }
        }
    }

    /// One step of a mishap; whether there is more of it.
    fn act(&mut self, doing: &mut Doing<'_>) -> bool {
        let live = self.world.snapshot();
        let now = self.world.now();
        if let Some((stroke, left, looks)) = doing.again.take() {
            return self.look_again(doing, stroke, left, looks, &live);
        }
        let by = doing.mishap.by;
        // What was made again and is gone since shows no tag any more; what stands in its place does.
        self.origins.extend(&origins(&live));
        let names = self.origins.clone();
        let ground = Ground {
            live: &live,
            layout: &self.layout,
            made: &doing.made,
            known: (by == Hand::Trusted).then_some(&self.played.ideal),
            names: &names,
        };
        let deed = doing.mishap.deed;
        let Some(stroke) = deed.stroke(doing.step, &ground) else {
            return false;
        };
        let about = (doing.step == 0).then(|| deed.about(&ground)).flatten();
        let made = self.make(by, &stroke, &live, &names);
        if let Some(about) = about {
            doing.made = about;
        } else if let Some(made) = made.as_ref().filter(|made| !made.is_empty()) {
            doing.made.clone_from(made);
        }
        doing.step = doing.step.saturating_add(1);
        doing.due = after(now, Duration::from_millis(doing.mishap.pace.into()));
        if doing.mishap.again > 0 && made.is_some() {
            doing.again = Some((stroke, doing.mishap.again, WATCHES_MAX));
            doing.due = after(now, WATCH);
        }
        true
    }

    fn look_again(
        &mut self,
        doing: &mut Doing<'_>,
        stroke: Stroke,
        mut left: u8,
        looks: u32,
        live: &Snapshot,
    ) -> bool {
        if !stroke.stands(live) {
            self.make(doing.mishap.by, &stroke, live, &Lineage::default());
            self.played.fought = self.played.fought.saturating_add(1);
            left = left.saturating_sub(1);
        }
        doing.due = after(self.world.now(), WATCH);
        let more = left > 0 && looks > 0;
        doing.again = more.then(|| (stroke, left, looks.saturating_sub(1)));
        more
    }

    /// Makes the call of an edit; what it made, where EC2 took it.
    fn make(
        &mut self,
        by: Hand,
        stroke: &Stroke,
        live: &Snapshot,
        names: &Lineage,
    ) -> Option<String> {
        let call = stroke.call(live)?;
        match self.world.call(&principal(by), call) {
            Ok(outcome) => {
                self.say(|| format!("{by:?} does {stroke:?}"));
                self.played.changes = self.played.changes.saturating_add(1);
                if by == Hand::Trusted {
                    self.approve(stroke, outcome.event.clone(), live, names);
                }
                Some(outcome.first().to_owned())
            }
            Err(error) => {
                self.say(|| format!("{by:?} is refused: {error}"));
                None
            }
        }
    }

    /// What a trusted hand did is good from now on.
    fn approve(&mut self, stroke: &Stroke, event: EventId, live: &Snapshot, names: &Lineage) {
        let known = stroke.renamed(names);
        let ideal = &mut self.played.ideal;
        let before = ideal.clone();
        known.fold(ideal);
        // Whoever holds a subnet in the ideal loses it, whoever holds it in the account.
        let ids = before.keys().chain(ideal.keys());
        let folded = ids.filter(|id| before.get(id) != ideal.get(id)).cloned();
        let edits = stroke.edits(live);
        let edits = edits.iter().map(|id| names.current_resource(id));
        self.played.trusted.push(Trusted {
            event,
            edits: edits.chain(folded).collect(),
            deletes: known.deletes(),
            heard: None,
            what: format!("{stroke:?}"),
        });
    }

    /// A journal entry, for the story.
    pub(super) fn tell_entry(&mut self, entry: &Entry) {
        self.say(|| {
            let (id, number) = (&entry.incident, entry.sequence);
            let body = match &entry.body {
                Body::Opened { resource, .. } => format!("opened on {resource}"),
                Body::Decided { decision, .. } => {
                    let judged = decision
                        .judgements
                        .iter()
                        .map(|judgement| format!("{:?} {}", judgement.verdict, judgement.text));
                    judged.collect::<Vec<_>>().join("; ")
                }
                Body::Planned { plan } => {
                    let steps = plan.steps.iter().map(|step| step.action.describe());
                    format!(
                        "plan: {}; {:?}",
                        steps.collect::<Vec<_>>().join(", "),
                        plan.notes
                    )
                }
                Body::StepStarted { step, .. } => format!("step {step} starts"),
                Body::StepEnded { step, outcome } => format!("step {step}: {outcome:?}"),
                Body::Interrupted { why } => format!("interrupted: {why}"),
                Body::Waits { what } => format!("waits: {what}"),
                Body::Asked { errand } => format!("asked for: {errand:?}"),
                Body::Closed { report } => format!(
                    "closed {:?} {}: {}",
                    report.outcome,
                    report.label,
                    report.problems.join("; ")
                ),
            };
            format!("  {id}#{number} {body}")
        });
    }
}
