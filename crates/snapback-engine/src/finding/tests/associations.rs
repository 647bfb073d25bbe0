use super::*;

#[test]
fn a_subnet_in_an_empty_acl_is_cut_off() {
    let findings = found(nothing, |live| {
        move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL))
    });
    assert_eq!(
        short(&findings),
        ["NACL-SWAP critical cuts subnet subnet-1"]
    );
    assert!(
        findings[0]
            .meaning
            .contains("all traffic of the subnet is cut")
    );
}

/// What Snapback itself made for the time of a repair is no theft, and what it cuts is still told.
#[test]
fn a_subnet_that_waits_in_a_stand_in_is_told_so() {
    let made = Tags::from([
        (SUCCESSOR_OF.to_owned(), "acl-stand-in-for-1".to_owned()),
        (INCIDENT.to_owned(), "inc-1".to_owned()),
    ]);
    let findings = found(nothing, |live| {
        move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL));
        acl(live, OTHER_ACL).tags = made.clone();
    });
    let swap = findings
        .iter()
        .find(|one| one.code == FindingCode::NaclSwap);
    let swap = swap.unwrap();
    assert_eq!((swap.severity, swap.harm), (Severity::Critical, Harm::Cuts));
    assert!(
        swap.meaning.contains("by its tags Snapback's stand-in for"),
        "{}",
        swap.meaning
    );
}

#[test]
fn a_subnet_in_another_acl_is_judged_by_what_both_permit() {
    let with = |entries: &'static [(&'static str, &'static str)]| {
        short(&found(
            |good| {
                acl(good, ACL).entries.remove(&key("ingress 100"));
                acl(good, ACL)
                    .entries
                    .insert(key("ingress 100"), entry("allow tcp:443 0.0.0.0/0"));
                acl(good, OTHER_ACL).entries = entries
                    .iter()
                    .map(|(number, text)| (key(number), entry(text)))
                    .collect();
            },
            |live| move_subnet(live, "subnet-1", Some(ACL), Some(OTHER_ACL)),
        ))
    };
    assert_eq!(
        with(&[
            ("ingress 7", "allow tcp:443 0.0.0.0/0"),
            ("egress 1", "allow all 0.0.0.0/0")
        ]),
        ["NACL-SWAP medium none subnet subnet-1"]
    );
    assert_eq!(
        with(&[
            ("ingress 7", "allow all 0.0.0.0/0"),
            ("egress 1", "allow all 0.0.0.0/0")
        ]),
        ["NACL-SWAP high opens subnet subnet-1"]
    );
    assert_eq!(
        with(&[
            ("ingress 7", "allow tcp:443 10.0.0.0/8"),
            ("egress 1", "allow all 0.0.0.0/0")
        ]),
        ["NACL-SWAP high cuts subnet subnet-1"]
    );
    assert_eq!(
        with(&[("ingress 7", "allow all 0.0.0.0/0")]),
        [
            "NACL-SWAP critical cuts subnet subnet-1",
            "NACL-SWAP high opens subnet subnet-1"
        ]
    );
}

#[test]
fn a_holder_that_was_not_read_proves_nothing() {
    let good = account();
    let mut live = good.clone();
    acl(&mut live, ACL).subnets.remove(&"subnet-1".into());
    assert_eq!(
        short(&all(&captured(&good), &live)),
        ["NACL-SWAP high none subnet subnet-1"]
    );
}

#[test]
fn a_new_subnet_is_only_told() {
    let mut good = account();
    good.topology.subnets.remove(&"subnet-3".into());
    let mut live = account();
    acl(&mut live, ACL).subnets.insert("subnet-3".into());
    table(&mut live, PRIVATE).subnets.insert("subnet-3".into());
    let findings = all(&captured(&good), &live);
    assert_eq!(
        short(&findings),
        [
            "NACL-SWAP low none subnet subnet-3",
            "RT-SWAP low none subnet subnet-3"
        ]
    );
}

#[test]
fn a_subnet_in_another_table_is_judged_by_where_both_lead() {
    let cut = found(nothing, |live| {
        move_subnet(live, "subnet-1", Some(PRIVATE), None)
    });
    assert_eq!(short(&cut), ["RT-SWAP high cuts subnet subnet-1"]);
    assert!(cut[0].meaning.contains("the main table rtb-main"));
    let gained = found(nothing, |live| {
        move_subnet(live, "subnet-2", None, Some(PRIVATE))
    });
    assert_eq!(short(&gained), ["RT-SWAP high opens subnet subnet-2"]);
    let public = found(
        |good| {
            let igw = Route::created(RouteTarget::InternetGateway("igw-1".into()));
            table(good, MAIN).routes.insert(to("0.0.0.0/0"), igw);
        },
        |live| move_subnet(live, "subnet-1", Some(PRIVATE), None),
    );
    assert_eq!(
        short(&public),
        [
            "RT-SWAP high cuts subnet subnet-1",
            "RT-IGW-PRIVATE high opens subnet subnet-1"
        ]
    );
    let same = found(
        |good| {
            let routes = table(good, PRIVATE).routes.clone();
            table(good, MAIN).routes = routes;
        },
        |live| move_subnet(live, "subnet-1", Some(PRIVATE), None),
    );
    assert_eq!(short(&same), ["RT-SWAP medium none subnet subnet-1"]);
}

fn main_moves(live: &mut Snapshot) {
    table(live, MAIN).main = false;
    table(live, PRIVATE).main = true;
}

#[test]
fn another_main_table_takes_the_implicit_subnets_along() {
    let findings = found(nothing, main_moves);
    assert_eq!(short(&findings), ["RT-MAIN high opens main"]);
    assert!(
        findings[0]
            .meaning
            .contains("with it move subnet-2, subnet-3"),
        "{}",
        findings[0].meaning
    );
    let cut = found(
        |good| {
            let pcx = Route::created(RouteTarget::VpcPeeringConnection("pcx-7".into()));
            table(good, MAIN).routes.insert(to("10.77.0.0/16"), pcx);
        },
        main_moves,
    );
    assert_eq!(short(&cut), ["RT-MAIN high cuts main"]);
}

#[test]
fn another_main_table_that_moves_nobody_harms_nobody() {
    let explicit = found(
        |good| {
            table(good, PRIVATE).subnets =
                ["subnet-1", "subnet-2", "subnet-3"].map(Into::into).into();
        },
        main_moves,
    );
    assert_eq!(short(&explicit), ["RT-MAIN medium none main"]);
    let unread = found(|good| good.topology.subnets.clear(), main_moves);
    assert_eq!(
        short(&unread),
        ["RT-MAIN high opens main"],
        "subnets that were not read may be among them"
    );
}
