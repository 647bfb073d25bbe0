//! VPCE-SSM-LOCKOUT: the way of instances to Systems Manager.

use super::site::*;
use super::*;

fn endpoint(id: &str, service: &str, private_dns: bool) -> Gateway {
    Gateway {
        vpcs: ["vpc-1".into()].into(),
        state: Some("available".into()),
        subnets: ["subnet-2".into()].into(),
        groups: ["sg-vpce".into()].into(),
        service: Some(format!("com.amazonaws.eu-central-1.{service}")),
        endpoint: Some(EndpointDetail {
            kind: EndpointKind::Interface,
            private_dns,
            interfaces: [format!("eni-{id}").as_str().into()].into(),
            prefix_list: None,
        }),
        ..Gateway::new(id, GatewayKind::Endpoint)
    }
}

/// An instance in subnet-1 (NAT), endpoints in subnet-2.
fn with_endpoints(site: &mut Snapshot) {
    with_endpoints_named(site, true);
}

fn with_endpoints_named(site: &mut Snapshot, private_dns: bool) {
    let vpce = group("sg-vpce", &["ingress tcp:443 10.0.0.0/16"]);
    site.resources.insert(vpce.id(), vpce);
    for (n, service) in ["ssm", "ssmmessages", "ec2messages"]
        .into_iter()
        .enumerate()
    {
        let id = format!("vpce-{n}");
        put(site, endpoint(&id, service, private_dns));
        add(
            site,
            interface(
                &format!("eni-{id}"),
                "subnet-2",
                &format!("10.0.2.{}", 100 + n),
                &["sg-vpce"],
            ),
        );
    }
    eni(site, "eni-app").instance = Some("i-app".into());
}

fn no_internet(site: &mut Snapshot) {
    table(site, PRIVATE).routes.remove(&to("0.0.0.0/0"));
}

#[test]
fn an_audit_tells_instances_that_do_not_reach_their_endpoints() {
    let of = |prepare: fn(&mut Snapshot)| {
        let mut site = site();
        with_endpoints(&mut site);
        prepare(&mut site);
        let all = audit(&site, &HouseRules::default()).into_iter();
        all.filter(|finding| finding.code == FindingCode::VpceSsmLockout)
            .map(|finding| (finding.subject.to_string(), finding.evidence))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(nothing), []);
    assert_eq!(of(no_internet), [], "endpoints are enough");
    let closed = of(|site| rules(site, "sg-vpce").clear());
    assert_eq!(closed.len(), 1);
    assert!(
        closed[0].1[0].contains(
            "i-app: ssm: vpce-0 (eni-vpce-0): the endpoint's groups do not let tcp 443 in"
        ),
        "{closed:?}"
    );
    let silent = of(|site| {
        rules(site, WEB).retain(|rule, _| !rule.direction.is_egress());
    });
    assert!(
        silent[0].1[0].contains("the instance's groups do not let tcp 443 out"),
        "{silent:?}"
    );
    let stopped = of(|site| {
        move_subnet(site, "subnet-1", Some(ACL), Some(OTHER_ACL));
        acl(site, OTHER_ACL).entries = [(key("egress 1"), entry("allow all 0.0.0.0/0"))].into();
    });
    assert!(
        stopped[0].1[0].contains("a network ACL on the way"),
        "{stopped:?}"
    );
    assert_eq!(
        of(|site| eni(site, "eni-app").instance = None),
        [],
        "no instance"
    );
    assert_eq!(
        of(|site| {
            rules(site, "sg-vpce").clear();
            for id in ["vpce-0", "vpce-1", "vpce-2"] {
                gateway(site, id).endpoint.as_mut().unwrap().private_dns = false;
            }
        }),
        [],
        "names lead to the internet, and NAT goes there"
    );
}

#[test]
fn an_endpoint_that_goes_is_missed_where_the_internet_is_no_way() {
    let gone: fn(&mut Snapshot) = |live| {
        live.topology.gateways.remove("vpce-1");
    };
    let of = |prepare: fn(&mut Snapshot), change: fn(&mut Snapshot)| {
        let all = told(prepare, change).into_iter();
        brief(
            &all.filter(|finding| finding.code == FindingCode::VpceSsmLockout)
                .collect::<Vec<_>>(),
        )
    };
    let isolated: fn(&mut Snapshot) = |good| {
        with_endpoints(good);
        no_internet(good);
    };
    assert_eq!(of(isolated, gone), ["VPCE-SSM-LOCKOUT high cuts vpc-1"]);
    assert_eq!(
        of(with_endpoints, gone),
        [""; 0],
        "443 goes out by the NAT gateway"
    );
    // Without endpoints: the internet was the way.
    let instance: fn(&mut Snapshot) = |good| eni(good, "eni-app").instance = Some("i-app".into());
    let dead: fn(&mut Snapshot) = |live| gateway(live, "nat-1").state = Some("deleted".into());
    assert_eq!(of(instance, dead), ["VPCE-SSM-LOCKOUT high cuts vpc-1"]);
    assert_eq!(of(nothing, dead), [""; 0], "no instance");
}

#[test]
fn the_difference_that_locks_out_is_blamed_for_it() {
    let lockouts = |change: fn(&mut Snapshot)| {
        let mut good = site();
        with_endpoints(&mut good);
        let mut live = good.clone();
        change(&mut live);
        let all = all(&captured(&good), &live).into_iter();
        let lockouts = all.filter(|finding| finding.code == FindingCode::VpceSsmLockout);
        short(&lockouts.collect::<Vec<_>>())
    };
    assert_eq!(
        lockouts(|live| {
            rules(live, "sg-vpce").clear();
        }),
        ["VPCE-SSM-LOCKOUT high cuts rule ingress tcp:443 10.0.0.0/16"]
    );
    assert_eq!(
        lockouts(|live| {
            acl(live, ACL)
                .entries
                .insert(key("ingress 50"), entry("deny tcp:443 10.0.0.0/16"));
        }),
        ["VPCE-SSM-LOCKOUT high cuts entry ingress 50"]
    );
    // Another resource cuts something as well, and did not lock anybody out.
    assert_eq!(
        lockouts(|live| {
            rules(live, "sg-vpce").clear();
            acl(live, ACL)
                .entries
                .insert(key("ingress 50"), entry("deny tcp:443 192.0.2.0/24"));
        }),
        ["VPCE-SSM-LOCKOUT high cuts rule ingress tcp:443 10.0.0.0/16"]
    );
    // The web port is not the way of this instance.
    assert_eq!(
        lockouts(|live| {
            rules(live, WEB).remove(&rule("ingress tcp:443 0.0.0.0/0"));
        }),
        [""; 0]
    );
}
