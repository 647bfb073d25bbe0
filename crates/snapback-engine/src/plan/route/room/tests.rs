#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::super::writes;
use super::*;
use crate::plan::draft::Draft;
use crate::plan::tests::{IntoResource, snapshot, table};
use crate::plan::{apply, plan};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

const DESTINATIONS: [&str; 8] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "172.16.0.0/12",
    "172.16.0.0/16",
    "172.16.1.0/24",
    "172.16.2.0/24",
    "::/0",
    "2001:db8::/32",
];
const TARGETS: [&str; 3] = ["igw-1", "nat-1", "pcx-1"];

fn tables() -> impl Strategy<Value = RouteTable> {
    let routes = prop::collection::btree_map(
        select(DESTINATIONS.to_vec()),
        select(TARGETS.to_vec()),
        0..6,
    );
    routes.prop_map(|routes| {
        let lines: Vec<String> = routes
            .iter()
            .map(|(destination, target)| format!("{destination} {target}"))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        table("rtb-1", &["subnet-1"], &lines)
    })
}

fn after(now: &RouteTable, action: &Action) -> RouteTable {
    let mut state = snapshot([now.clone().into_resource()]);
    apply(action, &mut state).unwrap();
    match state.resources.pop_first() {
        Some((_, Resource::RouteTable(table))) => table,
        other => panic!("no table: {other:?}"),
    }
}

/// The calls in the order that makes room.
fn ordered(live: &RouteTable, goal: &RouteTable, quota: usize) -> Vec<Action> {
    let topology = Topology::default();
    let found = writes(&mut Draft::default(), (live, goal), &topology, true);
    let delete = |index: usize| {
        let delete: &Delete = &found.deletes[index];
        Action::DeleteRoute {
            table: live.id.clone(),
            destination: delete.destination.clone(),
            from: delete.from.clone(),
        }
    };
    let order = order((live, goal), &found.sets, &found.deletes, &topology, quota);
    let late = (0..found.deletes.len()).map(Turn::Delete);
    let late: Vec<Turn> = late.filter(|turn| !order.contains(turn)).collect();
    let call = |turn| match turn {
        Turn::Set(index) => found.sets[index].action.clone(),
        Turn::Delete(index) => delete(index),
    };
    order.into_iter().chain(late).map(call).collect()
}

/// What a state on the way must be.
struct Judge {
    live: NextHops,
    goal: NextHops,
    most: [usize; 2],
}

impl Judge {
    fn new(live: &RouteTable, goal: &RouteTable, quota: usize) -> Self {
        let topology = Topology::default();
        let [one, other] = [live, goal].map(|end| routes(end, &topology));
        Self {
            live: next_hops(live, &topology),
            goal: next_hops(goal, &topology),
            most: [0, 1].map(|family| one[family].max(other[family]).max(quota)),
        }
    }

    fn fits(&self, state: &RouteTable) -> bool {
        let holds = routes(state, &Topology::default());
        (0..2).all(|family| holds[family] <= self.most[family])
    }

    fn is_safe(&self, state: &RouteTable) -> bool {
        let hops = next_hops(state, &Topology::default());
        hops.strays_from(&self.live, &self.goal).is_none()
    }

    /// Whether some order of the calls keeps both, by trying all of them.
    fn has_order(
        &self,
        state: &RouteTable,
        calls: &[Action],
        made: usize,
        known: &mut BTreeMap<usize, bool>,
    ) -> bool {
        if let Some(known) = known.get(&made) {
            return *known;
        }
        let mut left = (0..calls.len()).filter(|index| made & (1 << index) == 0);
        let found = made.count_ones() as usize == calls.len()
            || left.any(|index| {
                let next = after(state, &calls[index]);
                self.fits(&next)
                    && self.is_safe(&next)
                    && self.has_order(&next, calls, made | 1 << index, known)
            });
        known.insert(made, found);
        found
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn a_full_table_never_holds_more_than_its_quota_and_leads_astray_only_where_every_order_does(
        live in tables(), goal in tables(), quota in 0..4usize,
    ) {
        let calls = ordered(&live, &goal, quota);
        let judge = Judge::new(&live, &goal, quota);
        let mut state = live.clone();
        let mut safe = true;
        for call in &calls {
            state = after(&state, call);
            prop_assert!(judge.fits(&state), "{} is refused", call.describe());
            safe &= judge.is_safe(&state);
        }
        prop_assert_eq!(&state.routes, &goal.routes);
        if !safe {
            let any = judge.has_order(&live, &calls, 0, &mut BTreeMap::new());
            let lines: Vec<String> = calls.iter().map(Action::describe).collect();
            prop_assert!(!any, "{:#?}", lines);
        }
    }
}

#[test]
fn a_table_of_five_hundred_routes_loses_a_foreign_one_before_the_lost_default_comes_back() {
    let foreign = |index: usize| format!("172.{}.{}.0/24 pcx-1", 16 + index / 256, index % 256);
    let lines: Vec<String> = (0..499).map(foreign).collect();
    let kept: Vec<&str> = lines.iter().take(400).map(String::as_str).collect();
    let goal = table(
        "rtb-1",
        &["subnet-1"],
        &[&kept[..], &["0.0.0.0/0 igw-1"]].concat(),
    );
    let mut full: Vec<&str> = lines.iter().map(String::as_str).collect();
    full.push("192.168.0.0/16 pcx-1");
    let live = snapshot([table("rtb-1", &["subnet-1"], &full).into_resource()]);
    let good = snapshot([goal.into_resource()]);
    let plan = plan(&live, &good.resources, &crate::fixture::captured(&good));
    let first: Vec<String> = plan
        .steps
        .iter()
        .take(3)
        .map(|step| step.action.describe())
        .collect();
    assert_eq!(
        first,
        [
            "DeleteRoute rtb-1: 192.168.0.0/16 → pcx-1",
            "CreateRoute rtb-1: 0.0.0.0/0 → igw-1",
            "DeleteRoute rtb-1: 172.17.144.0/24 → pcx-1",
        ]
    );
    assert_eq!(plan.steps.len(), 101);
}
