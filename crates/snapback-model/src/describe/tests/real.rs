//! Real describe outputs, where the machine has them.

use crate::describe::Described;
use crate::{ContextKind, GatewayKind, Timestamp};
use std::path::Path;

#[test]
fn every_real_set_loads_and_names_what_it_does_not_know() {
    let Ok(sets) = std::fs::read_dir("/work/shared/realdata/describes") else {
        return;
    };
    for set in sets {
        let set = set.unwrap().path();
        let mut described = Described::default();
        for file in std::fs::read_dir(&set).unwrap() {
            let file = file.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            described.merge(Described::from_json(&text, &name(&file)).unwrap());
        }
        let scope = described.scope(None, &name(&set)).unwrap();
        let coverage = described.coverage();
        let snapshot =
            described.into_snapshot(Timestamp::UNIX_EPOCH, coverage, scope.account, scope.region);
        assert!(!snapshot.resources.is_empty(), "{}", name(&set));
        let foreign = [
            "TransitGatewayPropagations",
            "TransitGatewayRouteTables",
            "TransitGatewayStaticRoutes",
        ];
        for unknown in &snapshot.unknown {
            assert!(
                foreign.contains(&unknown.member.as_str())
                    && unknown.value.contains("not modelled"),
                "{}: {unknown:?}",
                name(&set)
            );
        }
        for gateway in snapshot.topology.gateways.values() {
            let detailed = match gateway.kind {
                GatewayKind::Nat => gateway.nat.is_some(),
                GatewayKind::Endpoint => gateway.endpoint.is_some(),
                GatewayKind::Peering => gateway.peering.is_some(),
                _ => true,
            };
            assert!(detailed, "{}: {gateway:?}", name(&set));
        }
        let whole = snapshot.topology.has_read(ContextKind::Interfaces);
        assert_eq!(whole, set.join("NetworkInterfaces.json").exists());
        for interface in snapshot.topology.interfaces.values() {
            assert!(
                interface.zone.is_some() && interface.attached.is_some(),
                "{interface:?}"
            );
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
