#[path = "../benches/worlds/mod.rs"]
mod worlds;
use snapback_model::*;
use snapback_reach::*;
use std::time::Instant;
use worlds::Shape;
fn best<T>(name: &str, n: u32, mut f: impl FnMut() -> T) {
    let mut m = f64::MAX;
    for _ in 0..n {
        let t = Instant::now();
        std::hint::black_box(f());
        m = m.min(t.elapsed().as_secs_f64());
    }
    println!("{name:40} {:10.1} us", m * 1e6);
}
fn main() {
    let only = std::env::args().nth(1);
    let n = if only.is_some() { 3 } else { 400 };
    let want = |s: &str| only.as_deref().is_none_or(|o| o == s);
    let topology = Topology::default();
    for rules in [60, 1000] {
        for shape in Shape::ALL {
            let name = format!("{rules} {}", shape.name());
            if !want(&name) {
                continue;
            }
            let (b, a) = {
                let b = worlds::group(rules, shape);
                let a = worlds::edited(&b);
                (b, a)
            };
            best(&name, if rules == 60 { n * 5 } else { n / 4 + 1 }, || {
                let p = |g| permitted_by_group(g, Direction::Ingress, &topology);
                let (b, a) = (p(&b), p(&a));
                (a.difference(&b), b.difference(&a))
            });
            best(
                &format!("{name} one build"),
                if rules == 60 { n * 5 } else { n / 4 + 1 },
                || permitted_by_group(&b, Direction::Ingress, &topology),
            );
            best(&format!("{name} redundant"), n / 10 + 1, || {
                redundant_rules(&b, Direction::Ingress, &topology).len()
            });
            let p = |g| permitted_by_group(g, Direction::Ingress, &topology);
            let opened = p(&a).difference(&p(&b));
            let all = p(&a);
            best(&format!("{name} items of opened"), n / 10 + 1, || {
                opened.items().len()
            });
            if shape != Shape::Adversarial {
                best(&format!("{name} items of all"), n / 40 + 1, || {
                    all.items().len()
                });
            }
        }
    }
    if want("acl") {
        let b = worlds::acl(40);
        let a = worlds::bombed(&b);
        let p = |g| permitted_by_acl(g, Direction::Ingress);
        best("acl 40 diff", n * 5, || {
            let (b, a) = (p(&b), p(&a));
            (a.difference(&b), b.difference(&a))
        });
        best("acl 40 one build", n * 5, || p(&b));
        best("acl 40 effective", n, || {
            effective_entries(&b, Direction::Ingress)
        });
        best("acl 40 shadowed", n, || {
            shadowed_entries(&b, Direction::Ingress)
        });
        let closed = p(&b).difference(&p(&a));
        best("acl 40 redecided", n, || {
            redecided_entries(&b, &a, Direction::Ingress, &closed)
        });
        best("acl 40 items of closed", n / 4 + 1, || closed.items().len());
        let all = p(&b);
        best("acl 40 items of all", n / 4 + 1, || all.items().len());
    }
    if want("table") {
        let b = worlds::table(1000);
        let a = worlds::hijacked(&b);
        best("table 1000 next hops", n, || next_hops(&b, &topology));
        best("table 1000 diff", n, || {
            next_hops(&b, &topology).difference(&next_hops(&a, &topology))
        });
        best("table 1000 shadowed", n, || {
            shadowed_routes(&b, &topology).len()
        });
    }
}
