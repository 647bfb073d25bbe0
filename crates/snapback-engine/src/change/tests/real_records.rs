//! Records of real accounts, where the folder is there; it is never part of the project.

use super::*;

#[test]
fn every_real_record_is_a_change_or_has_a_named_reason() {
    let Ok(folder) = std::fs::read_dir("/work/shared/realdata/events") else {
        return;
    };
    let mut seen = 0;
    for file in folder {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let record = match event::parse(&bytes) {
            Ok(record) => record,
            // Its times were blanked to `...`.
            Err(error) if name == "CreateNetworkAclEntry__streamalert__01.json" => {
                assert!(error.to_string().contains("time"), "{error}");
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let (api, failed) = (name.split("__").next().unwrap(), name.contains("-err__"));
        let expected = match (api, failed) {
            _ if name == "AuthorizeSecurityGroupIngress__streamalert__01.json" => {
                "other detail type"
            }
            (_, true) => "failed",
            ("DescribeRouteTables", _) => "read-only",
            ("RunInstances" | "ModifyInstanceAttribute", _) => "not network",
            (
                "AttachInternetGateway"
                | "DetachInternetGateway"
                | "DeleteInternetGateway"
                | "CreateNatGateway"
                | "DeleteNatGateway"
                | "CreateFlowLogs"
                | "DeleteFlowLogs"
                | "CreateVpcEndpoint"
                | "DeleteTransitGatewayVpcAttachment",
                _,
            ) => "context",
            _ => "known",
        };
        let found = match interpret(&record, &Own::default()) {
            Interpretation::Change(change) => {
                assert!(!change.touched.is_empty(), "{name}");
                match change.edits {
                    Edits::Known(edits) => {
                        assert!(!edits.is_empty(), "{name}");
                        "known"
                    }
                    Edits::Context => "context",
                    Edits::Unknown { why } => panic!("{name}: {why}"),
                }
            }
            Interpretation::Ignored(IgnoreReason::Failed { .. }) => "failed",
            Interpretation::Ignored(IgnoreReason::ReadOnly) => "read-only",
            Interpretation::Ignored(IgnoreReason::NotNetwork { .. }) => "not network",
            Interpretation::Ignored(IgnoreReason::OtherDetailType { .. }) => "other detail type",
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(found, expected, "{name}");
        seen += 1;
    }
    assert!(seen >= 35, "only {seen} records read");
}
