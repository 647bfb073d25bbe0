use super::*;

fn script(action: Action) -> String {
    let mut script = String::new();
    call(&mut script, &action, &mut Vec::new());
    script
}

#[test]
fn every_association_is_looked_up_by_what_it_binds() {
    let replace = |subject| Action::ReplaceRouteTableAssociation {
        subject,
        from: None,
        table: "rtb-1".into(),
    };
    let subnet = || AssociationSubject::Subnet("subnet-1".into());
    let main = AssociationSubject::Main("vpc-1".into());
    let gateway = AssociationSubject::Gateway("igw-1".into());
    let disassociate = Action::DisassociateRouteTable {
        subject: subnet(),
        from: "rtb-1".into(),
    };
    for (action, filters, chosen, call) in [
        (
            replace(subnet()),
            "'Name=association.subnet-id,Values=subnet-1'",
            r"[?SubnetId=='\''subnet-1'\''].RouteTableAssociationId",
            r#"replace-route-table-association --association-id "$association" --cli-input-json '{"RouteTableId":"rtb-1"}'"#,
        ),
        (
            replace(main),
            "'Name=vpc-id,Values=vpc-1' 'Name=association.main,Values=true'",
            "[?Main].RouteTableAssociationId",
            r#"replace-route-table-association --association-id "$association""#,
        ),
        (
            replace(gateway),
            "'Name=association.gateway-id,Values=igw-1'",
            r"[?GatewayId=='\''igw-1'\'']",
            r#"replace-route-table-association --association-id "$association""#,
        ),
        (
            disassociate,
            "'Name=association.subnet-id,Values=subnet-1'",
            r"[?SubnetId=='\''subnet-1'\'']",
            "disassociate-route-table --association-id \"$association\"\n",
        ),
    ] {
        let script = script(action);
        for part in ["describe-route-tables", filters, chosen, call] {
            assert!(script.contains(part), "{part} in {script}");
        }
        assert!(!script.contains("<association"), "{script}");
    }
}

#[test]
fn quoted_words_and_comments_cannot_be_left() {
    assert_eq!(quoted("it's"), r"'it'\''s'");
    let mut script = String::new();
    comment(&mut script, "a\nrm -rf /\r\u{2028}\u{85}b");
    assert_eq!(script, "# a rm -rf /   b\n");
}
