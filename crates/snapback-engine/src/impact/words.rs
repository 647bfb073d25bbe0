//! Packet sets in words for a person at 3 a.m.

use snapback_model::Direction;
use snapback_reach::{AddressSet, Family, Item, PacketSet, Symbol};

/// Networks named in one line; what is beyond is counted.
const MOST_PEERS: usize = 4;

/// One line for each rectangle of a packet set: `ingress tcp 22 from 0.0.0.0/0 (anyone on the
/// internet, IPv4)`.
pub fn traffic_lines(direction: Direction, packets: &PacketSet) -> Vec<String> {
    let items = packets.items();
    items
        .iter()
        .map(|item| item_line(direction, item))
        .collect()
}

/// The traffic of a packet set without its peers: `ingress tcp 22`. Each once.
pub(super) fn traffic_words(direction: Direction, packets: &PacketSet) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for item in packets.items() {
        let line = format!("{direction} {}", item.traffic());
        if !words.contains(&line) {
            words.push(line);
        }
    }
    words
}

/// One rectangle: `ingress tcp 22 from 10.0.0.0/8`.
pub(super) fn item_line(direction: Direction, item: &Item) -> String {
    format!("{direction} {}", item_words(direction, item))
}

/// One rectangle whose direction was said: `tcp 22 from 10.0.0.0/8`.
pub(crate) fn item_words(direction: Direction, item: &Item) -> String {
    let preposition = if direction.is_egress() { "to" } else { "from" };
    let peers = peer_words(&item.peers);
    format!("{} {preposition} {peers}", item.traffic())
}

/// At most `most` lines; the last tells how many more there are.
pub fn bounded(mut lines: Vec<String>, most: usize) -> Vec<String> {
    let Some(more) = lines.len().checked_sub(most).filter(|more| *more > 0) else {
        return lines;
    };
    lines.truncate(most);
    lines.push(format!("and {more} more"));
    lines
}

/// Peers in words: networks by family, then groups and prefix lists by name.
pub(crate) fn peer_words(peers: &AddressSet) -> String {
    let mut words: Vec<String> = Family::ALL
        .into_iter()
        .filter_map(|family| family_words(peers, family))
        .collect();
    words.extend(peers.symbols().into_iter().map(symbol_words));
    if peers.has_other_symbols() {
        words.push("members of every other group".to_owned());
    }
    words.join(", ")
}

fn symbol_words(symbol: &Symbol) -> String {
    match symbol {
        Symbol::SecurityGroup { .. } => format!("members of {symbol}"),
        Symbol::PrefixList(id) => format!("prefix list {id} (entries not read)"),
    }
}

fn family_words(peers: &AddressSet, family: Family) -> Option<String> {
    let peers = peers.family(family);
    let networks = peers.networks();
    if networks.is_empty() {
        return None;
    }
    if !peers.covers_internet(family) {
        return Some(listed(&networks));
    }
    let everything = match family {
        Family::V4 => "0.0.0.0/0",
        Family::V6 => "::/0",
    };
    let all = AddressSet::of(everything.parse());
    let except = all.difference(&peers).networks();
    let name = format!("anyone on the internet, {family}");
    Some(if except.is_empty() {
        format!("{everything} ({name})")
    } else if except.len() <= networks.len() {
        format!("{everything} except {} ({name})", listed(&except))
    } else {
        format!("{} ({name})", listed(&networks))
    })
}

fn listed(networks: &[impl ToString]) -> String {
    let mut words: Vec<String> = networks
        .iter()
        .take(MOST_PEERS)
        .map(ToString::to_string)
        .collect();
    match networks.len().saturating_sub(MOST_PEERS) {
        0 => {}
        1 => words.push("1 more network".to_owned()),
        more => words.push(format!("{more} more networks")),
    }
    words.join(", ")
}
