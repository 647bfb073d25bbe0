//! A realistic account to begin with.

mod fresh;
mod plan;
mod site;

use crate::account::Account;
use crate::world::World;
use snapback_model::*;

/// The ids of what [`Builder`] makes. The same in every world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The VPC, 10.0.0.0/16 and 2001:db8:1200::/56.
    pub vpc: VpcId,
    /// The VPC on the other side of the peering, 10.20.0.0/16, another account's.
    pub peer_vpc: VpcId,
    /// Internet gateway.
    pub internet_gateway: String,
    /// NAT gateway in `public_a`.
    pub nat_gateway: String,
    /// Peering with `peer_vpc`.
    pub peering: String,
    /// VPN gateway, announcing 192.168.0.0/16.
    pub vpn_gateway: GatewayId,
    /// S3 gateway endpoint, in the private table.
    pub endpoint: String,
    /// Customer-managed prefix list `office-networks`.
    pub office_list: PrefixListId,
    /// AWS-managed prefix list of S3.
    pub s3_list: PrefixListId,
    /// 10.0.0.0/24.
    pub public_a: SubnetId,
    /// 10.0.1.0/24.
    pub public_b: SubnetId,
    /// 10.0.10.0/24.
    pub private_a: SubnetId,
    /// 10.0.11.0/24.
    pub private_b: SubnetId,
    /// 10.0.20.0/24.
    pub db_a: SubnetId,
    /// 10.0.21.0/24.
    pub db_b: SubnetId,
    /// Load balancers: 443 and 80 from anywhere.
    pub web: SecurityGroupId,
    /// Application: 8080 from `web`, 22 from the office.
    pub app: SecurityGroupId,
    /// Database: 5432 from `app`.
    pub db: SecurityGroupId,
    /// The VPC's default group.
    pub default_group: SecurityGroupId,
    /// The VPC's default ACL: everything allowed; public and private subnets.
    pub default_acl: NetworkAclId,
    /// Custom ACL of the database subnets.
    pub db_acl: NetworkAclId,
    /// Main table: local only; database subnets use it implicitly.
    pub main_table: RouteTableId,
    /// Default route to the internet gateway; public subnets.
    pub public_table: RouteTableId,
    /// Default route to the NAT gateway, peering and S3; private subnets.
    pub private_table: RouteTableId,
    /// Elastic address that nothing uses.
    pub spare_address: String,
    /// ENI of the load balancer, public, requester-managed.
    pub web_interface: NetworkInterfaceId,
    /// ENI of an application instance.
    pub app_interface: NetworkInterfaceId,
    /// ENI of the database, requester-managed.
    pub db_interface: NetworkInterfaceId,
}

/// Makes worlds.
#[derive(Debug, Clone)]
pub struct Builder {
    seed: u64,
    default_vpc: bool,
}

/// Ids of the layout come from this seed, so that they are the same in every world.
const LAYOUT_SEED: u64 = 20_260_302;

impl Builder {
    /// A realistic account whose chances go by `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            default_vpc: false,
        }
    }

    /// Adds a default VPC (172.31.0.0/16) with the group `launch-wizard-1`: groups by name are found there.
    #[must_use]
    pub fn with_default_vpc(self) -> Self {
        Self {
            default_vpc: true,
            ..self
        }
    }

    /// Makes the world.
    pub fn build(self) -> (World, Layout) {
        let mut account = Account::new(
            AccountId::from(crate::ACCOUNT),
            Region::from(crate::REGION),
            LAYOUT_SEED,
        );
        let layout = plan::lay_out(&mut account);
        if self.default_vpc {
            plan::add_default_vpc(&mut account);
        }
        account.mint = crate::account::Mint::new(self.seed ^ LAYOUT_SEED.rotate_left(32));
        (World::from_account(account, self.seed), layout)
    }
}

impl World {
    /// An account as AWS hands it out: a default VPC and AWS's own prefix lists.
    pub fn fresh(account: AccountId, region: Region, seed: u64) -> Self {
        let mut fresh = Account::new(account, region, seed);
        fresh::lay_out(&mut fresh, Timestamp::UNIX_EPOCH);
        Self::from_account(fresh, seed)
    }
}
