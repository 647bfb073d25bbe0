//! The simulator's own endpoints.

use super::{act, code};
use crate::wire::{Callers, control};
use crate::{Builder, World};
use serde_json::Value;

fn ask(world: &World, callers: &mut Callers, method: &str, path: &str, body: &str) -> (u16, Value) {
    let at = world.with(|inner| inner.now);
    let told = control(world, callers, (method, path), body, at);
    (told.status, serde_json::from_str(&told.body).unwrap())
}

#[test]
fn a_state_that_is_saved_can_be_loaded_elsewhere() {
    let (world, layout) = Builder::new(5).build();
    let mut callers = Callers::default();
    let (status, state) = ask(&world, &mut callers, "GET", "/snapback/state", "");
    assert_eq!(status, 200);
    let other = World::fresh("111122223333".into(), "eu-central-1".into(), 9);
    let (status, told) = ask(
        &other,
        &mut callers,
        "POST",
        "/snapback/load",
        &state.to_string(),
    );
    assert_eq!(
        (status, told["notUnderstood"].as_array().map(Vec::len)),
        (200, Some(0)),
        "{told}"
    );
    assert_eq!(other.snapshot().resources, world.snapshot().resources);
    assert_eq!(other.snapshot().handles, world.snapshot().handles);
    let release = act(
        &other,
        "ReleaseAddress",
        &[("AllocationId", &layout.spare_address)],
    );
    assert_eq!(code(&release), "ok");
    let snapshot = serde_json::to_string(&world.snapshot()).unwrap();
    assert_eq!(
        ask(&other, &mut callers, "POST", "/snapback/load", &snapshot).0,
        200
    );
    assert_eq!(other.snapshot().resources, world.snapshot().resources);
}

#[test]
fn bad_input_is_told_and_changes_nothing() {
    let (world, _) = Builder::new(5).build();
    let before = world.snapshot();
    let mut callers = Callers::default();
    for (path, body) in [
        ("/snapback/load", "{"),
        ("/snapback/load", "{\"SecurityGroups\": 5}"),
        (
            "/snapback/faults",
            "throttle:DeleteRoute:1\nslow:DeleteRoute",
        ),
        (
            "/snapback/principals",
            "{\"a\": \"arn:aws:iam::1:user/x\", \"b\": \"nobody\"}",
        ),
    ] {
        let (status, told) = ask(&world, &mut callers, "POST", path, body);
        assert_eq!(status, 400, "{path}: {told}");
        assert!(told["error"].is_string(), "{told}");
    }
    assert_eq!(
        ask(&world, &mut callers, "GET", "/snapback/nothing", "").0,
        404
    );
    assert_eq!(world.snapshot(), before);
    assert_eq!(callers, Callers::default());
    assert!(world.with(|inner| inner.faults.planned.is_empty()));
}
