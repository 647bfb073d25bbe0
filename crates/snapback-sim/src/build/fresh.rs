//! An account as AWS hands it out: a default VPC and AWS's own prefix lists.

use super::site::{Site, v4};
use crate::account::{Account, Response};
use crate::call::{Call, Provide};
use ipnet::{IpNet, Ipv4Net};
use snapback_model::*;
use std::net::Ipv4Addr;

/// Lays out a new account. Its calls cannot be refused; one that is leaves the account as it is.
pub(super) fn lay_out(account: &mut Account, now: Timestamp) {
    let mut site = Site { account };
    for (service, net) in [
        ("s3", v4(52, 219, 44, 0, 22)),
        ("dynamodb", v4(52, 94, 17, 0, 24)),
    ] {
        let name = format!("com.amazonaws.{}.{service}", site.account.region);
        site.prefix_list(&name, None, None, &[net]);
    }
    let cidr = Ipv4Net::new(Ipv4Addr::new(172, 31, 0, 0), 16).unwrap_or_default();
    let tags = Tags::new();
    let made = account.execute(
        &Call::Provide(Provide::CreateVpc {
            cidr,
            tags: tags.clone(),
        }),
        now,
    );
    let Ok(Response::Vpc(vpc)) = made else { return };
    if let Some(held) = account.topology.vpcs.get_mut(&vpc) {
        held.is_default = true;
    }
    for (third, zone) in [(0, 'a'), (16, 'b'), (32, 'c')] {
        let call = Call::CreateSubnet {
            vpc: vpc.clone(),
            cidr: v4(172, 31, third, 0, 20),
            zone: format!("{}{zone}", account.region),
            tags: tags.clone(),
        };
        let _cannot_fail = account.execute(&call, now);
    }
    let gateway = account.execute(&Call::Provide(Provide::CreateInternetGateway { tags }), now);
    let (Ok(Response::Gateway(gateway)), Some(table)) = (gateway, main_table(account, &vpc)) else {
        return;
    };
    let attach = Call::AttachInternetGateway {
        gateway: gateway.clone(),
        vpc,
    };
    let route = Call::CreateRoute {
        table,
        destination: Destination::cidr(IpNet::V4(Ipv4Net::default())),
        target: RouteTarget::InternetGateway(gateway),
    };
    for call in [attach, route] {
        let _cannot_fail = account.execute(&call, now);
    }
}

fn main_table(account: &Account, vpc: &VpcId) -> Option<RouteTableId> {
    account
        .tables
        .values()
        .find(|table| table.vpc == *vpc && table.is_main())
        .map(|table| table.id.clone())
}
