//! What one content of a resource lets pass or where it leads: by samples and as sets, made once.

use super::packets::Packets;
use snapback_model::*;
use snapback_reach::{
    Flow, NextHops, PacketSet, naive, next_hops, permitted_by_acl, permitted_by_group,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

const DIRECTIONS: [Direction; 2] = [Direction::Ingress, Direction::Egress];

/// What passes in one direction: a bit for each sampled packet, and the set.
#[derive(Debug, Clone)]
pub(super) struct Passing {
    sampled: u64,
    set: Rc<PacketSet>,
}

/// Where a table leads.
#[derive(Debug, Clone)]
pub(super) struct Led {
    /// By sampled address.
    pub(super) sampled: Rc<Vec<Option<RouteTarget>>>,
    pub(super) hops: Rc<NextHops>,
}

/// Everything that was made so far, by the place of the content in memory: contents outlive it.
pub(super) struct Seen<'a> {
    topology: &'a Topology,
    packets: &'a Packets,
    passing: BTreeMap<*const Resource, [Passing; 2]>,
    led: BTreeMap<*const Resource, Led>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(topology: &'a Topology, packets: &'a Packets) -> Self {
        Self {
            topology,
            packets,
            passing: BTreeMap::new(),
            led: BTreeMap::new(),
        }
    }

    pub(super) fn flows(&self) -> &'a [Flow] {
        &self.packets.flows
    }

    pub(super) fn addresses(&self) -> &'a [IpAddr] {
        &self.packets.addresses
    }

    /// What passes by any of these; `behind`: by any but the last, which must let it pass too.
    pub(super) fn passing(&mut self, deciders: &[&'a Resource], behind: bool) -> [Passing; 2] {
        let all: Vec<[Passing; 2]> = deciders.iter().map(|one| self.of(one)).collect();
        [0, 1].map(|side| {
            let parts: Vec<&Passing> = all.iter().map(|both| &both[side]).collect();
            let (last, first) = match parts.split_last() {
                Some((last, first)) if behind => (Some(*last), first),
                _ => (None, parts.as_slice()),
            };
            let groups = any(first);
            match last {
                Some(acl) => Passing {
                    sampled: groups.sampled & acl.sampled,
                    set: Rc::new(groups.set.intersection(&acl.set)),
                },
                None => groups,
            }
        })
    }

    fn of(&mut self, resource: &'a Resource) -> [Passing; 2] {
        let (topology, packets) = (self.topology, self.packets);
        let make = || {
            DIRECTIONS.map(|direction| {
                let passes = |flow: &Flow| match resource {
                    Resource::SecurityGroup(group) => {
                        naive::permits_group(group, direction, topology, flow)
                    }
                    Resource::NetworkAcl(acl) => naive::permits_acl(acl, direction, flow),
                    Resource::RouteTable(_) => false,
                };
                let flows = packets.flows.iter().enumerate();
                let bits = flows.map(|(bit, flow)| u64::from(passes(flow)) << bit);
                let set = match resource {
                    Resource::SecurityGroup(group) => {
                        permitted_by_group(group, direction, topology)
                    }
                    Resource::NetworkAcl(acl) => permitted_by_acl(acl, direction),
                    Resource::RouteTable(_) => PacketSet::empty(),
                };
                Passing {
                    sampled: bits.fold(0, |sum, bit| sum | bit),
                    set: Rc::new(set),
                }
            })
        };
        self.passing
            .entry(std::ptr::from_ref(resource))
            .or_insert_with(make)
            .clone()
    }

    pub(super) fn led(&mut self, table: Option<&'a Resource>) -> Led {
        let (topology, packets) = (self.topology, self.packets);
        let make = |table: Option<&RouteTable>| Led {
            sampled: Rc::new(
                packets
                    .addresses
                    .iter()
                    .map(|address| naive::next_hop(table?, topology, *address))
                    .collect(),
            ),
            hops: Rc::new(
                table
                    .map(|table| next_hops(table, topology))
                    .unwrap_or_default(),
            ),
        };
        match table {
            Some(held @ Resource::RouteTable(table)) => self
                .led
                .entry(std::ptr::from_ref(held))
                .or_insert_with(|| make(Some(table)))
                .clone(),
            _ => make(None),
        }
    }
}

fn any(parts: &[&Passing]) -> Passing {
    match parts {
        [] => Passing {
            sampled: 0,
            set: Rc::new(PacketSet::empty()),
        },
        [one] => (*one).clone(),
        [first, rest @ ..] => rest.iter().fold((*first).clone(), |sum, one| Passing {
            sampled: sum.sampled | one.sampled,
            set: Rc::new(sum.set.union(&one.set)),
        }),
    }
}

/// What must pass and what may, in both directions.
pub(super) struct Bounds([[Passing; 2]; 2]);

impl Bounds {
    /// From what passes in live and at the goal.
    pub(super) fn of([before, after]: &[[Passing; 2]; 2]) -> Self {
        Self([0, 1].map(|side| {
            let (before, after) = (&before[side], &after[side]);
            let lower = Passing {
                sampled: before.sampled & after.sampled,
                set: Rc::new(before.set.intersection(&after.set)),
            };
            let upper = Passing {
                sampled: before.sampled | after.sampled,
                set: Rc::new(before.set.union(&after.set)),
            };
            [lower, upper]
        }))
    }

    /// What is wrong with what passes now: first by the samples, then by the sets.
    pub(super) fn hold(&self, now: &[Passing; 2], flows: &[Flow]) -> Result<(), String> {
        for ((direction, [lower, upper]), now) in DIRECTIONS.iter().zip(&self.0).zip(now) {
            let cut = lower.sampled & !now.sampled;
            let opened = now.sampled & !upper.sampled;
            for (word, wrong) in [("cut", cut), ("opened", opened)] {
                if let Some(flow) = flows.get(wrong.trailing_zeros() as usize) {
                    return Err(format!("{word} {direction}: {flow:?}"));
                }
            }
            let sets = [
                ("cut", &lower.set, &now.set),
                ("opened", &now.set, &upper.set),
            ];
            for (word, inner, outer) in sets {
                if !inner.is_subset(outer) {
                    let wrong = inner.difference(outer).render().join(", ");
                    return Err(format!("algebra: {word} {direction}: {wrong}"));
                }
            }
        }
        Ok(())
    }
}
