//! Baselines by id, by VPC, by association.

use super::item::{Item, Key, string, value};
use super::topology::{Head, Heads, Series};
use super::{Condition, Query, Tables, Write};
use aws_sdk_dynamodb::types::AttributeValue;
use snapback_app::port::{BaselineRead, BaselineWrite, StoreError, Wanted};
use snapback_model::*;
use std::collections::BTreeSet;

/// Baselines of one transaction: each is two items, itself and the generation that is kept of it.
const TOGETHER: usize = super::TRANSACTION_MAX / 2;
/// Baselines whose index items fit into the transaction as well.
const INDEXED_TOGETHER: usize = super::TRANSACTION_MAX / 3;

/// The kind in a key.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::SecurityGroup => "security-group",
        Kind::NetworkAcl => "network-acl",
        Kind::RouteTable => "route-table",
    }
}

fn key(id: &ResourceId) -> Key {
    Key::new(format!("baseline#{}", word(id.kind())), id.as_str())
}

/// The item by which a baseline is found. A VPC never changes, so it is written over, never moved.
fn index(baseline: &Baseline) -> Item {
    let vpc = baseline.vpc.as_ref().map_or("-", VpcId::as_str);
    let key = Key::new(
        format!("index#{}", word(baseline.id.kind())),
        format!("{vpc}#{}", baseline.id),
    );
    let mut item = key.item();
    item.insert(
        "resource".to_owned(),
        AttributeValue::S(baseline.id.to_string()),
    );
    let associations: Vec<String> = baseline
        .handles
        .associations
        .keys()
        .map(ToString::to_string)
        .collect();
    if !associations.is_empty() {
        item.insert("associations".to_owned(), AttributeValue::Ss(associations));
    }
    item
}

pub(super) fn read(item: &Item) -> Result<Baseline, StoreError> {
    let baseline: Baseline = value(item)?;
    if baseline.schema != BASELINE_SCHEMA {
        let message = format!(
            "it has the form {}, this version reads {BASELINE_SCHEMA}",
            baseline.schema
        );
        return Err(StoreError::Corrupt {
            what: format!("baseline of {}", baseline.id),
            message,
        });
    }
    Ok(baseline)
}

impl BaselineRead for Tables {
    async fn baselines(&self, wanted: &Wanted) -> Result<Option<Baselines>, StoreError> {
        let mut baselines = Baselines::default();
        let heads = if wanted.everything {
            let (heads, groups, acls, tables) = tokio::try_join!(
                self.heads(),
                self.of_kind(Kind::SecurityGroup),
                self.of_kind(Kind::NetworkAcl),
                self.of_kind(Kind::RouteTable),
            )?;
            take(&mut baselines, groups.into_iter().chain(acls).chain(tables));
            heads
        } else {
            // The known ids and the heads of the topologies in one read; the index beside it.
            let (known, found) =
                tokio::try_join!(self.by_id(&wanted.resources), self.find(wanted))?;
            let (known, heads) = known;
            take(&mut baselines, known);
            let more: BTreeSet<ResourceId> = found.difference(&wanted.resources).cloned().collect();
            if !more.is_empty() {
                let (more, _heads) = self.by_id(&more).await?;
                take(&mut baselines, more);
            }
            heads
        };
        if wanted.only_states {
            return Ok((!baselines.by_id.is_empty()).then_some(baselines));
        }
        let Some(head) = heads.captured.filter(Head::is_captured) else {
            // Baselines without a topology: a capture that is not over.
            return Ok((!baselines.by_id.is_empty()).then_some(baselines));
        };
        let vpcs: Option<BTreeSet<VpcId>> = (!wanted.everything).then(|| {
            let known = baselines
                .by_id
                .values()
                .filter_map(|baseline| baseline.vpc.clone());
            known
                .chain(wanted.vpcs.iter().map(|(_, vpc)| vpc.clone()))
                .collect()
        });
        baselines.topology = self.captured_topology(&head, vpcs.clone()).await?;
        baselines.seen = self.seen_topology(&head, heads.seen, vpcs).await?;
        Ok(Some(baselines))
    }
}

fn take(baselines: &mut Baselines, read: impl IntoIterator<Item = Baseline>) {
    baselines.by_id.extend(
        read.into_iter()
            .map(|baseline| (baseline.id.clone(), baseline)),
    );
}

impl Tables {
    /// The baseline itself, on the generation it was computed from.
    fn standing(&self, baseline: &Baseline) -> Result<Write, StoreError> {
        let mut item = key(&baseline.id).with(baseline)?;
        let generation = baseline.generation.0;
        item.insert(
            "generation".to_owned(),
            AttributeValue::N(generation.to_string()),
        );
        let condition = Condition::follows("generation", generation.saturating_sub(1));
        Ok(Write {
            table: self.state.clone(),
            item,
            condition: Some(condition),
        })
    }

    /// The generation that is kept of it.
    fn kept(&self, baseline: &Baseline) -> Result<Write, StoreError> {
        let key = super::generations::key(&baseline.id, baseline.generation);
        Ok(Write {
            table: self.state.clone(),
            item: key.with(baseline)?,
            condition: Some(Condition::Absent),
        })
    }

    fn found_by(&self, baseline: &Baseline) -> Write {
        Write {
            table: self.state.clone(),
            item: index(baseline),
            condition: None,
        }
    }

    async fn of_kind(&self, kind: Kind) -> Result<Vec<Baseline>, StoreError> {
        let pk = format!("baseline#{}", word(kind));
        let items = self
            .query(
                &self.state,
                Query {
                    pk: &pk,
                    ..Query::default()
                },
            )
            .await?;
        items.iter().map(read).collect()
    }

    /// Baselines by id, and the heads of the topologies with them.
    async fn by_id(
        &self,
        ids: &BTreeSet<ResourceId>,
    ) -> Result<(Vec<Baseline>, Heads), StoreError> {
        let heads = [Series::Captured, Series::Seen].map(Series::head_key);
        let keys = ids.iter().map(key).chain(heads.clone()).collect();
        let mut baselines = Vec::new();
        let mut found = Heads::default();
        for item in self.batch_get(&keys).await? {
            if heads
                .iter()
                .any(|head| string(&item, "pk") == Some(head.pk.as_str()))
            {
                found.take(&item)?;
            } else {
                baselines.push(read(&item)?);
            }
        }
        Ok((baselines, found))
    }

    /// The ids of baselines in VPCs and of those that know associations.
    async fn find(&self, wanted: &Wanted) -> Result<BTreeSet<ResourceId>, StoreError> {
        let mut items = Vec::new();
        for (kind, vpc) in &wanted.vpcs {
            let (pk, prefix) = (format!("index#{}", word(*kind)), format!("{vpc}#"));
            let query = Query {
                pk: &pk,
                prefix: Some(&prefix),
                filter: None,
            };
            items.extend(self.query(&self.state, query).await?);
        }
        for association in &wanted.associations {
            for kind in kinds_of(association) {
                let pk = format!("index#{}", word(*kind));
                let filter = ("contains(associations, :value)", Some(association.as_str()));
                let query = Query {
                    pk: &pk,
                    prefix: None,
                    filter: Some(filter),
                };
                items.extend(self.query(&self.state, query).await?);
            }
        }
        let resource = |item: &Item| {
            let id = string(item, "resource").unwrap_or_default();
            id.parse::<ResourceId>()
                .map_err(|error| StoreError::Corrupt {
                    what: "baseline index".to_owned(),
                    message: error.to_string(),
                })
        };
        items.iter().map(resource).collect()
    }
}

/// Whose association an id is, by its prefix.
fn kinds_of(association: &AssociationId) -> &'static [Kind] {
    if association.as_str().starts_with("aclassoc-") {
        &[Kind::NetworkAcl]
    } else if association.as_str().starts_with("rtbassoc-") {
        &[Kind::RouteTable]
    } else {
        &[Kind::NetworkAcl, Kind::RouteTable]
    }
}

impl BaselineWrite for Tables {
    async fn put_baselines(&self, baselines: &[Baseline]) -> Result<(), StoreError> {
        for chunk in baselines.chunks(TOGETHER) {
            let names: Vec<&str> = chunk.iter().map(|baseline| baseline.id.as_str()).collect();
            let what = format!("baseline of {}", names.join(", "));
            let mut writes = Vec::with_capacity(super::TRANSACTION_MAX);
            for baseline in chunk {
                writes.push(self.standing(baseline)?);
                writes.push(self.kept(baseline)?);
            }
            let indexes = chunk.iter().map(|baseline| self.found_by(baseline));
            if chunk.len() <= INDEXED_TOGETHER {
                writes.extend(indexes);
            } else {
                // First, and harmless where the rest then fails: it leads to a baseline that is not there.
                self.write(&what, indexes.collect()).await?;
            }
            self.write(&what, writes).await?;
        }
        Ok(())
    }

    async fn put_topology(&self, topology: &Topology) -> Result<(), StoreError> {
        self.store_topology(topology).await
    }

    async fn put_seen(&self, topology: &Topology) -> Result<(), StoreError> {
        self.store_seen(topology).await
    }
}
