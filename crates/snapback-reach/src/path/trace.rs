//! One packet followed hop by hop, and its reply back (semantics A6).

use crate::address::{AddressSet, Family};
use crate::exactness::Exactness;
use crate::flow::{ICMP, ICMPV6, Points, TCP, UDP};
use crate::network::Network;
use crate::path::filter::{echo, points_for};
use crate::path::{
    Check, ClientRange, Endpoint, Filter, Keyed, L4, Outcome, Packet, Path, Place, Step,
    Unresolved, Verdict, Way, What,
};
use crate::pieces::{Pieces, Region as _};
use std::collections::BTreeMap;
use std::net::IpAddr;

impl<'a> Network<'a> {
    /// Follows one packet from one end to another and its reply back, and tells what decides at
    /// each hop. Where an end is several places, the first pair for which it passes is told, else
    /// the first one. For the internet, an address for which it passes, where there is one.
    ///
    /// # Errors
    /// An end that is not in the snapshot.
    pub fn trace(
        &self,
        source: &Endpoint,
        destination: &Endpoint,
        l4: L4,
    ) -> Result<Path, Unresolved> {
        let mut best: Option<Path> = None;
        for (from, to) in self.pairs(source, destination)? {
            let path = self.best_of(source, destination, from, to, l4);
            let better = best
                .as_ref()
                .is_none_or(|known| path.outcome < known.outcome);
            if better {
                best = Some(path);
            }
            if best
                .as_ref()
                .is_some_and(|best| best.outcome == Outcome::Passes)
            {
                break;
            }
        }
        best.ok_or_else(|| Unresolved(format!("{source} and {destination} are nowhere")))
    }

    fn best_of(
        &self,
        source: &Endpoint,
        destination: &Endpoint,
        from: Place<'a>,
        to: Place<'a>,
        l4: L4,
    ) -> Path {
        let family = if from.address().is_ipv4() {
            Family::V4
        } else {
            Family::V6
        };
        let set = match (source, destination) {
            (Endpoint::Internet, _) => self.passes_from_internet(&to, family),
            (_, Endpoint::Internet) => self.passes_to_internet(&from, family),
            _ => return self.follow(from, to, l4),
        };
        let peers = set.value.peers_at(l4.protocol, l4.point).family(family);
        let (inside, outside) = if *source == Endpoint::Internet {
            (to, from)
        } else {
            (from, to)
        };
        let whole = peers.is_empty() || self.internet_of(inside.vpc(), family).is_subset(&peers);
        let example = if peers.is_empty() || peers.contains(outside.address()) {
            outside.address()
        } else {
            example_of(&peers).unwrap_or(outside.address())
        };
        let example = Place::Outside(example);
        let (from, to) = if *source == Endpoint::Internet {
            (example, to)
        } else {
            (from, example)
        };
        let mut path = self.follow(from, to, l4);
        path.part = (!whole).then_some(peers);
        if *source == Endpoint::Internet {
            path.source = format!("the internet ({})", path.source);
        } else {
            path.destination = format!("the internet ({})", path.destination);
        }
        path
    }

    /// Follows one packet between two places.
    pub fn follow(&self, from: Place<'a>, to: Place<'a>, l4: L4) -> Path {
        let course = self.course(&from, &to);
        let mut open: BTreeMap<u8, Points> = BTreeMap::new();
        let mut steps = Vec::new();
        for check in course.checks {
            match check {
                Check::Fact(step) => steps.push(step),
                Check::Filter(filter) => {
                    let peer = match filter.keyed {
                        Keyed::Source => from.address(),
                        Keyed::Destination => to.called(),
                        Keyed::Fixed(address) => address,
                    };
                    match &filter.reply {
                        None => steps.push(filter.decide(self, peer, l4)),
                        Some(client) => {
                            let open = open.entry(client.stretch).or_insert_with(Points::full);
                            steps.extend(self.reply_step(&filter, &client.ranges, open, peer, l4));
                        }
                    }
                }
            }
        }
        if answers_nothing(l4) {
            steps.retain(|step| step.way == Way::Request);
        }
        let outcome = Outcome::of(&steps);
        let mut exactness = Exactness::exact();
        if outcome != Outcome::Blocked {
            steps
                .iter()
                .for_each(|step| exactness.merge(&step.exactness));
        }
        Path {
            source: from.words(),
            destination: to.words(),
            packet: Packet {
                source: from.address(),
                destination: to.called(),
                l4,
            },
            steps,
            outcome,
            part: None,
            exactness,
        }
    }

    /// What an ACL does with replies; `None` where the packet asks for none.
    fn reply_step(
        &self,
        filter: &Filter<'a>,
        ranges: &[ClientRange],
        open: &mut Points,
        peer: IpAddr,
        l4: L4,
    ) -> Option<Step> {
        let What::Acl(subnet, _) = filter.what else {
            return None;
        };
        let asked = |point| L4 { point, ..l4 };
        let back = |step| Step {
            way: Way::Reply,
            ..step
        };
        match l4.protocol {
            TCP | UDP => {
                let (first, _) = ranges.first()?.ports();
                let step = back(filter.decide(self, peer, asked(first)));
                if step.verdict == Verdict::Unknown {
                    return Some(step);
                }
                let answer = self.permitted_by_subnet(subnet, filter.direction());
                if !answer.exactness.is_exact() {
                    return Some(Step {
                        verdict: Verdict::Unknown,
                        exactness: answer.exactness.clone(),
                        ..step
                    });
                }
                *open = open.intersection(&points_for(&answer.value, peer, l4.protocol));
                Some(by_range(step, ranges, open))
            }
            ICMP | ICMPV6 => {
                let (_, reply) = echo(l4.protocol);
                Some(back(filter.decide(self, peer, asked(reply))))
            }
            _ => Some(back(filter.decide(self, peer, l4))),
        }
    }
}

/// Whether nobody answers the packet: ICMP that is no echo request.
fn answers_nothing(l4: L4) -> bool {
    match l4.protocol {
        ICMP | ICMPV6 => l4.point & 0xff00 != echo(l4.protocol).0,
        _ => false,
    }
}

/// The verdict on replies, range by range.
fn by_range(step: Step, ranges: &[ClientRange], open: &Points) -> Step {
    let of = |range: &ClientRange| {
        let (low, high) = range.ports();
        let within = open.intersection(&Pieces::span(low, high, true));
        (*range, within.ranges().collect::<Vec<_>>())
    };
    let replies: Vec<(ClientRange, Vec<(u16, u16)>)> = ranges.iter().map(of).collect();
    let full = |(range, open): &(ClientRange, Vec<(u16, u16)>)| *open == [range.ports()];
    let verdict = if replies.iter().all(full) {
        Verdict::Passes
    } else if replies.iter().all(|(_, open)| open.is_empty()) {
        Verdict::Blocked
    } else {
        Verdict::Partly
    };
    let words = match verdict {
        Verdict::Passes => step.words.clone(),
        Verdict::Blocked => format!("{} lets no reply through to a client's port", step.at),
        Verdict::Partly | Verdict::Unknown => {
            let told: Vec<String> = replies.iter().map(range_words).collect();
            format!("{} lets replies through to: {}", step.at, told.join("; "))
        }
    };
    let rule = step.rule.filter(|_| verdict != Verdict::Partly);
    Step {
        verdict,
        words,
        rule,
        replies,
        ..step
    }
}

fn range_words((range, open): &(ClientRange, Vec<(u16, u16)>)) -> String {
    if *open == [range.ports()] {
        return format!("{range}: all");
    }
    if open.is_empty() {
        return format!("{range}: none");
    }
    let ports: Vec<String> = open
        .iter()
        .map(|(low, high)| match low == high {
            true => low.to_string(),
            false => format!("{low}-{high}"),
        })
        .collect();
    format!("{range}: {} only", ports.join(", "))
}

/// Some address of a set, not the reserved ones of its first network where it can be helped.
fn example_of(peers: &AddressSet) -> Option<IpAddr> {
    let networks = peers.networks();
    let widest = networks.iter().min_by_key(|net| net.prefix_len())?;
    widest.hosts().next()
}
