//! What a NAT gateway that is gone is made again from: what the capture tells, as far as it can still
//! be had. Nothing is guessed, and no other public address is taken silently.

use super::super::Action;
use super::super::tag::RESERVED;
use super::{NatRequest, is_alive, words};
use snapback_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What is to be asked of EC2.
pub(super) struct Order {
    pub(super) request: NatRequest,
    /// The addresses beside the first: assigned once it is available.
    secondary: BTreeSet<NatAddress>,
    /// What does not come back, in words.
    pub(super) told: Vec<String>,
}

/// Where addresses stand now.
struct Addresses<'a> {
    old: &'a Gateway,
    live: &'a Snapshot,
    /// The interfaces of the old gateway.
    interfaces: BTreeSet<&'a NetworkInterfaceId>,
    /// Whether the old gateway still lets go of what it held.
    leaving: bool,
}

impl<'a> Addresses<'a> {
    fn of(old: &'a Gateway, live: &'a Snapshot) -> Self {
        let listed = live.topology.gateways.get(&old.id);
        let both = [Some(old), listed].into_iter().flatten();
        let details = both.filter_map(|gateway| gateway.nat.as_ref());
        Self {
            old,
            live,
            interfaces: details
                .flat_map(|nat| &nat.addresses)
                .filter_map(|one| one.interface.as_ref())
                .collect(),
            leaving: listed.is_some_and(|now| now.state.as_deref() == Some("deleting")),
        }
    }

    /// Why an Elastic address cannot be had, where that is known.
    fn refused(&self, allocation: &str, public: Option<IpAddr>) -> Option<String> {
        let named = public.map_or_else(
            || allocation.to_owned(),
            |public| format!("{public} ({allocation})"),
        );
        let gateways = self.live.topology.gateways.values();
        let taken = gateways
            .filter(|other| other.id != self.old.id && is_alive(other))
            .filter(|other| other.predecessor() != Some(&self.old.id))
            .find(|other| {
                let mut held = other.nat.iter().flat_map(|nat| &nat.addresses);
                held.any(|one| one.allocation.as_deref() == Some(allocation))
            });
        if let Some(other) = taken {
            return Some(format!("its address {named} is held by {} now", other.id));
        }
        let address = match &self.live.topology.addresses {
            // EC2 will tell.
            None => return None,
            Some(addresses) => addresses.get(allocation),
        };
        match address.map(|address| address.holder.as_deref()) {
            None => Some(format!("its address {named} is not ours any more")),
            Some(None) => None,
            Some(Some(holder)) => {
                let own = self.interfaces.iter().any(|one| one.as_str() == holder)
                    || self.is_heirs(holder);
                (!own && !self.leaving)
                    .then(|| format!("its address {named} is held by {holder} now"))
            }
        }
    }

    /// Whether an interface is that of a gateway made in the place of this one.
    fn is_heirs(&self, holder: &str) -> bool {
        let gateways = self.live.topology.gateways.values();
        gateways
            .filter(|other| other.predecessor() == Some(&self.old.id))
            .flat_map(|other| other.nat.iter().flat_map(|nat| &nat.addresses))
            .filter_map(|one| one.interface.as_ref())
            .any(|interface| interface.as_str() == holder)
    }

    /// Who else has a private address of the gateway, where that is known.
    fn taken(&self, private: IpAddr) -> Option<&'a NetworkInterfaceId> {
        let interfaces = self.live.topology.interfaces.values();
        let here = |one: &&NetworkInterface| {
            self.old.vpcs.contains(&one.vpc) && one.addresses.contains(&private)
        };
        interfaces.filter(here).map(|one| &one.id).find(|id| {
            !self.interfaces.contains(id) && !self.leaving && !self.is_heirs(id.as_str())
        })
    }
}

/// What follows where a public address does not come back.
const OTHER_ADDRESS: &str = "a new gateway would show another public address, and whoever lets the old one in by address must be told first; no other address is taken without a person";

impl Order {
    /// # Errors
    /// Why it cannot be made again as it was, in words.
    pub(super) fn of(old: &Gateway, vpc: &VpcId, live: &Snapshot) -> Result<Self, String> {
        let nat = old
            .nat
            .as_ref()
            .ok_or("no capture tells its addresses and its kind")?;
        let mut tags = old.tags.clone();
        tags.retain(|key, _| !key.starts_with(RESERVED) && !is_lineage_tag(key));
        tags.insert(SUCCESSOR_OF.to_owned(), old.id.clone());
        let blank = NatRequest {
            vpc: vpc.clone(),
            subnet: None,
            connectivity: nat.connectivity,
            allocation: None,
            public: None,
            private: None,
            zones: BTreeMap::new(),
            tags,
            token: None,
        };
        let addresses = Addresses::of(old, live);
        if nat.regional {
            return Self::regional(nat, blank, &addresses);
        }
        let Some(subnet) = old.subnets.first() else {
            return Err("no capture tells its subnet".to_owned());
        };
        let all_read = live.coverage.contains(&Coverage::Subnets);
        if all_read && !live.topology.subnets.contains_key(subnet) {
            return Err(format!("its subnet {subnet} does not exist any more"));
        }
        let blank = NatRequest {
            subnet: Some(subnet.clone()),
            ..blank
        };
        Self::zonal(nat, blank, &addresses)
    }

    fn zonal(
        nat: &NatDetail,
        blank: NatRequest,
        addresses: &Addresses<'_>,
    ) -> Result<Self, String> {
        let lone = nat.addresses.len() == 1;
        let (primary, others): (Vec<&NatAddress>, Vec<&NatAddress>) =
            nat.addresses.iter().partition(|one| one.primary || lone);
        let [primary] = primary.as_slice() else {
            return Err("no capture tells which of its addresses is the first".to_owned());
        };
        let mut told = Vec::new();
        let public = nat.connectivity == Connectivity::Public;
        if public {
            let allocation = primary
                .allocation
                .as_deref()
                .ok_or("no capture tells its Elastic address")?;
            if let Some(why) = addresses.refused(allocation, primary.public) {
                return Err(format!("{why}: {OTHER_ADDRESS}"));
            }
        }
        let mut private_of = |one: &NatAddress| {
            let private = one.private?;
            let Some(holder) = addresses.taken(private) else {
                return Some(private);
            };
            told.push(format!(
                "its private address {private} is held by {holder} now: EC2 chooses another"
            ));
            None
        };
        let private = private_of(primary);
        let mut secondary = BTreeSet::new();
        let mut lost = Vec::new();
        for one in others {
            let refused = one
                .allocation
                .as_deref()
                .and_then(|allocation| addresses.refused(allocation, one.public));
            match (public, &one.allocation, refused) {
                (true, None, _) => lost.push("the Elastic address of one of its secondary addresses was never read: it does not come back".to_owned()),
                (true, Some(_), Some(why)) => {
                    lost.push(format!("{why}: it comes back without it, and whoever lets it in by address must be told"));
                }
                _ => {
                    let private = private_of(one);
                    if public || private.is_some() {
                        secondary.insert(NatAddress { private, ..one.clone() });
                    }
                }
            }
        }
        told.extend(lost);
        Ok(Self {
            request: NatRequest {
                allocation: primary.allocation.clone().filter(|_| public),
                public: primary.public,
                private,
                ..blank
            },
            secondary,
            told,
        })
    }

    /// With the Elastic addresses of each zone, where they are ours: those of a gateway that AWS gave
    /// addresses by itself went with it.
    fn regional(
        nat: &NatDetail,
        blank: NatRequest,
        addresses: &Addresses<'_>,
    ) -> Result<Self, String> {
        if addresses.live.topology.addresses.is_none() {
            return Err(
                "it was regional, and whether its public addresses are ours was not read"
                    .to_owned(),
            );
        }
        let mut zones: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in &nat.addresses {
            let (Some(allocation), Some(zone)) = (&one.allocation, &one.zone) else {
                return Err(format!(
                    "it was regional, and no capture tells the addresses of its zones: {OTHER_ADDRESS}"
                ));
            };
            if let Some(why) = addresses.refused(allocation, one.public) {
                return Err(format!("it was regional, and {why}: {OTHER_ADDRESS}"));
            }
            zones
                .entry(zone.clone())
                .or_default()
                .insert(allocation.clone());
        }
        if zones.is_empty() {
            return Err(format!(
                "it was regional with addresses that AWS chose: {OTHER_ADDRESS}"
            ));
        }
        Ok(Self {
            request: NatRequest { zones, ..blank },
            secondary: BTreeSet::new(),
            told: Vec::new(),
        })
    }

    /// Why the call is made.
    pub(super) fn why(&self, id: &str) -> String {
        let public = self.request.public.map(|public| public.to_string());
        let with = match (&self.request.allocation, public) {
            (Some(allocation), Some(public)) => {
                format!(" with its address {public} ({allocation})")
            }
            (Some(allocation), None) => format!(" with its address {allocation}"),
            (None, _) if self.request.subnet.is_none() => {
                let all = self.request.zones.values().flatten();
                format!(" with its addresses {}", words(all))
            }
            (None, _) => String::new(),
        };
        format!(
            "make {id} again{with} once it is deleted: EC2 gives it a new id, and routes lead to it when it is available; its connections were lost with it"
        )
    }

    /// The calls that give a gateway the secondary addresses that it lacks, with why.
    pub(super) fn secondary(&self, gateway: &Gateway) -> Vec<(Action, String)> {
        let Some(nat) = &gateway.nat else {
            return Vec::new();
        };
        let id = GatewayId::new(gateway.id.clone());
        let lacks = |one: &&NatAddress| {
            !nat.addresses
                .iter()
                .any(|held| match (&one.allocation, one.private) {
                    (Some(allocation), _) => held.allocation.as_ref() == Some(allocation),
                    (None, private) => held.private == private,
                })
        };
        let missing: Vec<&NatAddress> = self.secondary.iter().filter(lacks).collect();
        if missing.is_empty() {
            return Vec::new();
        }
        let named = words(missing.iter().filter_map(|one| one.public.or(one.private)));
        let action = match self.request.connectivity {
            Connectivity::Public => Action::AssociateNatGatewayAddress {
                gateway: id,
                addresses: missing
                    .iter()
                    .filter_map(|one| Some((one.allocation.clone()?, one.private)))
                    .collect(),
            },
            Connectivity::Private => Action::AssignPrivateNatGatewayAddress {
                gateway: id,
                addresses: missing.iter().filter_map(|one| one.private).collect(),
            },
        };
        vec![(
            action,
            format!("give it its secondary addresses again: {named}"),
        )]
    }
}
