"""The calls that moto and `snapback sim serve` both get, in order.

Gives: `play(run)`, which calls `run(name, api, **parameters)` for each step and uses what came back.
Must not: know who answers, or what the answer should be.
"""


def permission(protocol, first=None, last=None, **peers):
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, **peers}


def cidr(text, **more):
    return {"IpRanges": [{"CidrIp": text, **more}]}


def tags(kind, **values):
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in values.items()]}]


def play(run):
    network(run)
    groups(run)
    rules(run)
    acls(run)
    tables(run)
    gateways(run)
    interfaces(run)
    context(run)
    reads(run)
    ruin(run)


def network(run):
    vpc = run.id("vpc", "create_vpc", "Vpc.VpcId", CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", Name="shop"))
    run("vpc too big", "create_vpc", CidrBlock="10.0.0.0/8")
    run.id("other vpc", "create_vpc", "Vpc.VpcId", CidrBlock="10.9.0.0/16")
    run.learn("default group", "describe_security_groups", "SecurityGroups.0.GroupId", Filters=run.filter("vpc-id", vpc))
    run.learn("other default group", "describe_security_groups", "SecurityGroups.0.GroupId", Filters=run.filter("vpc-id", run["other vpc"]))
    run.learn("default acl", "describe_network_acls", "NetworkAcls.0.NetworkAclId", Filters=run.filter("vpc-id", vpc))
    run.learn("main table", "describe_route_tables", "RouteTables.0.RouteTableId", Filters=run.filter("vpc-id", vpc))
    run.id("public", "create_subnet", "Subnet.SubnetId", VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=run.zone)
    run.id("private", "create_subnet", "Subnet.SubnetId", VpcId=vpc, CidrBlock="10.0.2.0/24", AvailabilityZone=run.zone,
           TagSpecifications=tags("subnet", Name="private"))
    run.id("far", "create_subnet", "Subnet.SubnetId", VpcId=run["other vpc"], CidrBlock="10.9.1.0/24", AvailabilityZone=run.zone)
    run("subnet overlaps", "create_subnet", VpcId=vpc, CidrBlock="10.0.1.128/25")
    run("subnet outside", "create_subnet", VpcId=vpc, CidrBlock="10.7.1.0/24")
    run("subnet without vpc", "create_subnet", VpcId="vpc-0123456789abcdef0", CidrBlock="10.0.1.0/24")
    igw = run.id("igw", "create_internet_gateway", "InternetGateway.InternetGatewayId")
    run("igw attach", "attach_internet_gateway", InternetGatewayId=igw, VpcId=vpc)
    run("igw attach again", "attach_internet_gateway", InternetGatewayId=igw, VpcId=vpc)
    run.id("loose igw", "create_internet_gateway", "InternetGateway.InternetGatewayId")
    run("igw of nobody", "attach_internet_gateway", InternetGatewayId="igw-0123456789abcdef0", VpcId=vpc)
    run("new default group", "describe_security_groups", GroupIds=[run["default group"]])
    run("new default acl", "describe_network_acls", NetworkAclIds=[run["default acl"]])
    run("new main table", "describe_route_tables", RouteTableIds=[run["main table"]])


def groups(run):
    vpc = run["vpc"]
    run.id("web", "create_security_group", "GroupId", GroupName="web", Description="web servers", VpcId=vpc,
           TagSpecifications=tags("security-group", Owner="shop"))
    run.id("app", "create_security_group", "GroupId", GroupName="app", Description="a & b < c", VpcId=vpc)
    run.id("spare", "create_security_group", "GroupId", GroupName="spare", Description="unused", VpcId=vpc)
    run.id("mess", "create_security_group", "GroupId", GroupName="mess", Description="what moto takes and EC2 does not", VpcId=vpc)
    run("group name taken", "create_security_group", GroupName="web", Description="twice", VpcId=vpc)
    run("group name elsewhere", "create_security_group", GroupName="web", Description="twice", VpcId=run["other vpc"])
    run("group name like an id", "create_security_group", GroupName="sg-web", Description="x", VpcId=run["other vpc"])
    run("group without vpc", "create_security_group", GroupName="web", Description="x", VpcId="vpc-0123456789abcdef0")
    run("new group", "describe_security_groups", GroupIds=[run["web"]])
    run("unknown group", "describe_security_groups", GroupIds=["sg-0123456789abcdef0"])
    run("unknown group deleted", "delete_security_group", GroupId="sg-0123456789abcdef0")


def rules(run):
    web, app, mess = run["web"], run["app"], run["mess"]
    run("authorize", "authorize_security_group_ingress", GroupId=web, IpPermissions=[
        permission("tcp", 443, 443, **cidr("0.0.0.0/0", Description="TLS from everybody")),
        permission("tcp", 80, 80, **cidr("0.0.0.0/0")), permission("tcp", 22, 22, **cidr("10.0.0.0/8", Description="office"))])
    run("authorize again", "authorize_security_group_ingress", GroupId=web, IpPermissions=[permission("tcp", 443, 443, **cidr("0.0.0.0/0"))])
    run("authorize for a mess", "authorize_security_group_ingress", GroupId=mess, IpPermissions=[permission("tcp", 443, 443, **cidr("0.0.0.0/0", Description="old"))])
    run("authorize one old one new", "authorize_security_group_ingress", GroupId=mess, IpPermissions=[
        permission("tcp", 8443, 8443, **cidr("0.0.0.0/0")), permission("tcp", 443, 443, **cidr("0.0.0.0/0"))])
    run("after one old one new", "describe_security_groups", GroupIds=[mess])
    run("authorize the same twice", "authorize_security_group_ingress", GroupId=mess, IpPermissions=[
        permission("tcp", 9000, 9000, **cidr("10.1.0.0/16")), permission("tcp", 9000, 9000, **cidr("10.1.0.0/16"))])
    run("authorize host bits", "authorize_security_group_ingress", GroupId=mess, IpPermissions=[permission("tcp", 25, 25, **cidr("100.68.0.18/18"))])
    run("authorize IPv6", "authorize_security_group_ingress", GroupId=app, IpPermissions=[
        permission("tcp", 443, 443, Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32", "Description": "six"}])])
    run("authorize a group", "authorize_security_group_ingress", GroupId=app, IpPermissions=[
        permission("tcp", 8080, 8080, UserIdGroupPairs=[{"GroupId": web, "Description": "from web"}])])
    run("authorize ICMP", "authorize_security_group_ingress", GroupId=app, IpPermissions=[permission("icmp", 8, -1, **cidr("10.0.0.0/16"))])
    run("authorize everything", "authorize_security_group_ingress", GroupId=app, IpPermissions=[permission("-1", **cidr("10.0.2.0/24"))])
    run("authorize protocol 58", "authorize_security_group_ingress", GroupId=mess, IpPermissions=[
        permission("58", -1, -1, Ipv6Ranges=[{"CidrIpv6": "::/0"}])])
    run("authorize protocol 6", "authorize_security_group_ingress", GroupId=app, IpPermissions=[permission("6", 53, 53, **cidr("10.0.0.0/16"))])
    run("authorize short form", "authorize_security_group_ingress", GroupId=app, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="192.0.2.0/24")
    run("authorize egress", "authorize_security_group_egress", GroupId=app, IpPermissions=[permission("udp", 53, 53, **cidr("10.0.0.2/32"))],
        TagSpecifications=tags("security-group-rule", Why="dns"))
    run("authorize unknown group", "authorize_security_group_ingress", GroupId="sg-0123456789abcdef0", IpPermissions=[
        permission("tcp", 1, 1, **cidr("10.0.0.0/16"))])
    run("authorize from unknown group", "authorize_security_group_ingress", GroupId=app, IpPermissions=[
        permission("tcp", 1, 1, UserIdGroupPairs=[{"GroupId": "sg-0123456789abcdef0"}])])
    run("authorize from unknown list", "authorize_security_group_ingress", GroupId=mess, IpPermissions=[
        permission("tcp", 1, 1, PrefixListIds=[{"PrefixListId": "pl-0123456789abcdef0"}])])
    run("authorize bad network", "authorize_security_group_ingress", GroupId=app, IpPermissions=[permission("tcp", 1, 1, **cidr("10.0.0.0/40"))])
    run("authorize nothing", "authorize_security_group_ingress", GroupId=app, IpPermissions=[])
    run("authorize TCP without ports", "authorize_security_group_ingress", GroupId=app, IpPermissions=[permission("tcp", **cidr("10.0.0.0/16"))])
    run("authorized groups", "describe_security_groups", GroupIds=[web, app])
    run("authorized rules", "describe_security_group_rules", Filters=run.filter("group-id", app))
    ssh = run.rule(web, 22)
    run("modify a rule", "modify_security_group_rules", GroupId=web, SecurityGroupRules=[
        {"SecurityGroupRuleId": ssh, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 2222, "ToPort": 2222, "CidrIpv4": "10.0.0.0/8", "Description": "moved"}}])
    run("modified rule keeps its id", "describe_security_group_rules", SecurityGroupRuleIds=[ssh])
    run("modify the kind of peer", "modify_security_group_rules", GroupId=mess, SecurityGroupRules=[
        {"SecurityGroupRuleId": run.rule(mess, 443), "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv6": "::/0"}}])
    run("modify an unknown rule", "modify_security_group_rules", GroupId=web, SecurityGroupRules=[
        {"SecurityGroupRuleId": "sgr-0123456789abcdef0", "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIpv4": "10.0.0.0/8"}}])
    run("describe by content", "update_security_group_rule_descriptions_ingress", GroupId=web, IpPermissions=[
        permission("tcp", 443, 443, **cidr("0.0.0.0/0", Description="new words"))])
    run("described by content", "describe_security_groups", GroupIds=[web])
    run("describe by id", "update_security_group_rule_descriptions_ingress", GroupId=mess, SecurityGroupRuleDescriptions=[
        {"SecurityGroupRuleId": run.rule(mess, 443), "Description": "by id"}])
    run("described by id", "describe_security_group_rules", SecurityGroupRuleIds=[run.rule(mess, 443)])
    run("revoke by content", "revoke_security_group_ingress", GroupId=web, IpPermissions=[permission("tcp", 80, 80, **cidr("0.0.0.0/0"))])
    run("revoke what is not there", "revoke_security_group_ingress", GroupId=web, IpPermissions=[permission("tcp", 81, 81, **cidr("0.0.0.0/0"))])
    run("revoke by id", "revoke_security_group_ingress", GroupId=web, SecurityGroupRuleIds=[ssh])
    run("revoke an id again", "revoke_security_group_ingress", GroupId=web, SecurityGroupRuleIds=[ssh])
    run("revoke egress with ports for all", "revoke_security_group_egress", GroupId=app, IpPermissions=[permission("-1", 0, 0, **cidr("0.0.0.0/0"))])
    run("revoked groups", "describe_security_groups", GroupIds=[web, app])
    run("delete an unused group", "delete_security_group", GroupId=run["spare"])


def acls(run):
    vpc = run["vpc"]
    acl = run.id("acl", "create_network_acl", "NetworkAcl.NetworkAclId", VpcId=vpc, TagSpecifications=tags("network-acl", Name="custom"))
    mess = run.id("mess acl", "create_network_acl", "NetworkAcl.NetworkAclId", VpcId=run["other vpc"], ClientToken="once")
    run("acl made once", "create_network_acl", VpcId=run["other vpc"], ClientToken="once")
    run("acl token for another", "create_network_acl", VpcId=run["other vpc"], ClientToken="once", TagSpecifications=tags("network-acl", Name="another"))
    run("acl without vpc", "create_network_acl", VpcId="vpc-0123456789abcdef0")
    web = dict(NetworkAclId=acl, RuleNumber=100, Egress=False)
    entry = dict(web, Protocol="6", RuleAction="allow", CidrBlock="0.0.0.0/0", PortRange={"From": 443, "To": 443})
    run("entry", "create_network_acl_entry", **entry)
    run("entry again, the same", "create_network_acl_entry", **entry)
    run("entry again, another", "create_network_acl_entry", **dict(entry, RuleAction="deny"))
    run("entry the other way", "create_network_acl_entry", **dict(entry, Egress=True))
    run("entry ICMP", "create_network_acl_entry", NetworkAclId=mess, RuleNumber=110, Egress=False, Protocol="1", RuleAction="allow",
        CidrBlock="0.0.0.0/0", IcmpTypeCode={"Type": 3, "Code": 4})
    run("entry for all", "create_network_acl_entry", NetworkAclId=acl, RuleNumber=120, Egress=False, Protocol="-1", RuleAction="deny", CidrBlock="10.66.0.0/16")
    run("entry IPv6", "create_network_acl_entry", NetworkAclId=acl, RuleNumber=130, Egress=False, Protocol="17", RuleAction="allow",
        Ipv6CidrBlock="2001:db8::/32", PortRange={"From": 53, "To": 53})
    run("entry host bits", "create_network_acl_entry", NetworkAclId=mess, RuleNumber=140, Egress=False, Protocol="6", RuleAction="allow",
        CidrBlock="10.0.1.7/24", PortRange={"From": 1, "To": 2})
    run("entry of an unknown acl", "create_network_acl_entry", **dict(entry, NetworkAclId="acl-0123456789abcdef0"))
    run("entry number too big", "create_network_acl_entry", **dict(entry, NetworkAclId=mess, RuleNumber=32767))
    run("entry replaced", "replace_network_acl_entry", **dict(entry, PortRange={"From": 443, "To": 444}))
    run("entry replaced that is not there", "replace_network_acl_entry", **dict(entry, RuleNumber=999))
    run("entry deleted", "delete_network_acl_entry", **dict(web, Egress=True))
    run("entry deleted again", "delete_network_acl_entry", **dict(web, Egress=True))
    run("entries", "describe_network_acls", NetworkAclIds=[acl])
    run("messy entries", "describe_network_acls", NetworkAclIds=[mess])
    association = run.acl_association("private")
    run("associate", "replace_network_acl_association", AssociationId=association, NetworkAclId=acl)
    run("associate by an old id", "replace_network_acl_association", AssociationId=association, NetworkAclId=acl)
    run("associated", "describe_network_acls", Filters=run.filter("association.subnet-id", run["private"]))
    run("delete an acl in use", "delete_network_acl", NetworkAclId=acl)
    run("unknown acl", "describe_network_acls", NetworkAclIds=["acl-0123456789abcdef0"])
    run.id("empty acl", "create_network_acl", "NetworkAcl.NetworkAclId", VpcId=vpc)
    run("delete an acl", "delete_network_acl", NetworkAclId=run["empty acl"])
    run("acls by tag", "describe_network_acls", Filters=run.filter("tag:Name", "cust*"))


def tables(run):
    vpc = run["vpc"]
    table = run.id("table", "create_route_table", "RouteTable.RouteTableId", VpcId=vpc, TagSpecifications=tags("route-table", Name="public"))
    mess = run.id("mess table", "create_route_table", "RouteTable.RouteTableId", VpcId=run["other vpc"])
    run("table made", "describe_route_tables", RouteTableIds=[table])
    default = dict(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    run("route", "create_route", GatewayId=run["igw"], **default)
    run("route again", "create_route", GatewayId=run["igw"], **default)
    run("route to an unattached gateway", "create_route", RouteTableId=mess, DestinationCidrBlock="10.50.0.0/16", GatewayId=run["loose igw"])
    run("route to an unknown gateway", "create_route", RouteTableId=table, DestinationCidrBlock="10.51.0.0/16", GatewayId="igw-0123456789abcdef0")
    run("route to an unknown NAT gateway", "create_route", RouteTableId=mess, DestinationCidrBlock="10.52.0.0/16", NatGatewayId="nat-0123456789abcdef0")
    run("route of an unknown table", "create_route", RouteTableId="rtb-0123456789abcdef0", DestinationCidrBlock="0.0.0.0/0", GatewayId=run["igw"])
    run("route without target", "create_route", RouteTableId=mess, DestinationCidrBlock="10.53.0.0/16")
    run("route IPv6", "create_route", RouteTableId=table, DestinationIpv6CidrBlock="::/0", GatewayId=run["igw"])
    run("routes", "describe_route_tables", RouteTableIds=[table])
    run("route replaced that is not there", "replace_route", RouteTableId=table, DestinationCidrBlock="10.99.0.0/16", GatewayId=run["igw"])
    run("route deleted that is not there", "delete_route", RouteTableId=table, DestinationCidrBlock="10.99.0.0/16")
    run("local route deleted", "delete_route", RouteTableId=mess, DestinationCidrBlock="10.9.0.0/16")
    run("route IPv6 deleted", "delete_route", RouteTableId=table, DestinationIpv6CidrBlock="::/0")
    run("associate table", "associate_route_table", RouteTableId=table, SubnetId=run["public"])
    run("associate table again elsewhere", "associate_route_table", RouteTableId=run["main table"], SubnetId=run["public"])
    run("associate unknown subnet", "associate_route_table", RouteTableId=table, SubnetId="subnet-0123456789abcdef0")
    run("table of a subnet", "describe_route_tables", Filters=run.filter("association.subnet-id", run["public"]))
    run.id("other table", "create_route_table", "RouteTable.RouteTableId", VpcId=vpc)
    run("association moved", "replace_route_table_association", AssociationId=run.table_association(table, run["public"]), RouteTableId=run["other table"])
    run("delete a table in use", "delete_route_table", RouteTableId=run["other table"])
    run("disassociate", "disassociate_route_table", AssociationId=run.table_association(run["other table"], run["public"]))
    run("disassociate the main table", "disassociate_route_table", AssociationId=run.table_association(run["main table"]))
    run("main table swapped", "replace_route_table_association", AssociationId=run.table_association(run["main table"]), RouteTableId=run["other table"])
    run("tables after the swap", "describe_route_tables", Filters=run.filter("vpc-id", vpc))
    run("main table swapped back", "replace_route_table_association", AssociationId=run.table_association(run["other table"]), RouteTableId=run["main table"])
    run("delete a table", "delete_route_table", RouteTableId=run["other table"])
    run("delete an unknown table", "delete_route_table", RouteTableId=run["other table"])


def gateways(run):
    vpc, table = run["vpc"], run["table"]
    eip = run.id("eip", "allocate_address", "AllocationId", Domain="vpc")
    run.id("nat", "create_nat_gateway", "NatGateway.NatGatewayId", SubnetId=run["public"], AllocationId=eip, TagSpecifications=tags("natgateway", Name="out"))
    run.until_state("nat", "available")
    run("nat described", "describe_nat_gateways", NatGatewayIds=[run["nat"]])
    run("address of the nat", "describe_addresses", AllocationIds=[eip])
    run.id("held eip", "allocate_address", "AllocationId", Domain="vpc")
    run.id("held nat", "create_nat_gateway", "NatGateway.NatGatewayId", SubnetId=run["public"], AllocationId=run["held eip"])
    run("route to nat", "create_route", RouteTableId=table, DestinationCidrBlock="10.60.0.0/16", NatGatewayId=run["nat"])
    run("route replaced to nat", "replace_route", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=run["nat"])
    run.id("pcx", "create_vpc_peering_connection", "VpcPeeringConnection.VpcPeeringConnectionId", VpcId=vpc, PeerVpcId=run["other vpc"])
    run("peering accepted", "accept_vpc_peering_connection", VpcPeeringConnectionId=run["pcx"])
    run("peering described", "describe_vpc_peering_connections", VpcPeeringConnectionIds=[run["pcx"]])
    run("route to peering", "create_route", RouteTableId=table, DestinationCidrBlock="10.9.0.0/16", VpcPeeringConnectionId=run["pcx"])
    run("authorize a peer's group", "authorize_security_group_ingress", GroupId=run["app"], IpPermissions=[
        permission("tcp", 5432, 5432, UserIdGroupPairs=[{"GroupId": run["other default group"]}])])
    run.id("vgw", "create_vpn_gateway", "VpnGateway.VpnGatewayId", Type="ipsec.1")
    run("vgw attached", "attach_vpn_gateway", VpnGatewayId=run["vgw"], VpcId=vpc)
    run("vgw described", "describe_vpn_gateways", VpnGatewayIds=[run["vgw"]])
    run("route to vgw", "create_route", RouteTableId=table, DestinationCidrBlock="192.168.0.0/16", GatewayId=run["vgw"])
    run("propagation", "enable_vgw_route_propagation", RouteTableId=table, GatewayId=run["vgw"])
    run.id("eigw", "create_egress_only_internet_gateway", "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId", VpcId=vpc)
    run("route to eigw", "create_route", RouteTableId=table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=run["eigw"])
    run.id("endpoint", "create_vpc_endpoint", "VpcEndpoint.VpcEndpointId", VpcId=vpc, ServiceName=f"com.amazonaws.{run.region}.s3", RouteTableIds=[table])
    run("endpoint described", "describe_vpc_endpoints", VpcEndpointIds=[run["endpoint"]])
    run("all routes", "describe_route_tables", RouteTableIds=[table])
    run("endpoint modified", "modify_vpc_endpoint", VpcEndpointId=run["endpoint"], RemoveRouteTableIds=[table])
    run("peering deleted", "delete_vpc_peering_connection", VpcPeeringConnectionId=run["pcx"])
    run("nat deleted", "delete_nat_gateway", NatGatewayId=run["nat"])
    run.until_state("nat", "deleted")
    run("nat deleted again", "delete_nat_gateway", NatGatewayId=run["nat"])
    run("routes to the dead", "describe_route_tables", RouteTableIds=[table])
    run("address released", "release_address", AllocationId=eip)
    run("detach", "detach_internet_gateway", InternetGatewayId=run["loose igw"], VpcId=vpc)
    run("delete an attached igw", "delete_internet_gateway", InternetGatewayId=run["igw"])
    run("delete a loose igw", "delete_internet_gateway", InternetGatewayId=run["loose igw"])


def interfaces(run):
    eni = run.id("eni", "create_network_interface", "NetworkInterface.NetworkInterfaceId", SubnetId=run["private"], Groups=[run["web"]], Description="app 1")
    run.id("bare eni", "create_network_interface", "NetworkInterface.NetworkInterfaceId", SubnetId=run["private"])
    run("eni described", "describe_network_interfaces", NetworkInterfaceIds=[eni])
    run("bare eni described", "describe_network_interfaces", NetworkInterfaceIds=[run["bare eni"]])
    run("eni of an unknown group", "create_network_interface", SubnetId=run["private"], Groups=["sg-0123456789abcdef0"])
    run("eni of an unknown subnet", "create_network_interface", SubnetId="subnet-0123456789abcdef0")
    run("groups set", "modify_network_interface_attribute", NetworkInterfaceId=eni, Groups=[run["app"], run["web"]])
    run("unknown group set", "modify_network_interface_attribute", NetworkInterfaceId=run["bare eni"], Groups=["sg-0123456789abcdef0"])
    run("check off", "modify_network_interface_attribute", NetworkInterfaceId=eni, SourceDestCheck={"Value": False})
    run("eni changed", "describe_network_interfaces", Filters=run.filter("group-id", run["app"]))
    run("route to eni", "create_route", RouteTableId=run["table"], DestinationCidrBlock="10.70.0.0/16", NetworkInterfaceId=eni)
    run("eni deleted", "delete_network_interface", NetworkInterfaceId=eni)
    run("eni deleted again", "delete_network_interface", NetworkInterfaceId=eni)


def context(run):
    office = run.id("list", "create_managed_prefix_list", "PrefixList.PrefixListId", PrefixListName="office", MaxEntries=5, AddressFamily="IPv4",
                    Entries=[{"Cidr": "198.51.100.0/24"}])
    run("list described", "describe_managed_prefix_lists", PrefixListIds=[office])
    run("list modified", "modify_managed_prefix_list", PrefixListId=office, CurrentVersion=1, AddEntries=[{"Cidr": "192.0.2.0/24"}])
    run.id("mess list", "create_managed_prefix_list", "PrefixList.PrefixListId", PrefixListName="mess", MaxEntries=5, AddressFamily="IPv4")
    run("list modified once", "modify_managed_prefix_list", PrefixListId=run["mess list"], CurrentVersion=1, AddEntries=[{"Cidr": "192.0.2.0/24"}])
    run("list modified from an old version", "modify_managed_prefix_list", PrefixListId=run["mess list"], CurrentVersion=1, AddEntries=[{"Cidr": "203.0.113.0/24"}])
    run("entries of the list", "get_managed_prefix_list_entries", PrefixListId=office)
    run("authorize a list", "authorize_security_group_ingress", GroupId=run["app"], IpPermissions=[
        permission("tcp", 9100, 9100, PrefixListIds=[{"PrefixListId": office, "Description": "metrics"}])])
    run("group with a list", "describe_security_groups", GroupIds=[run["app"]])
    run("route to a list", "create_route", RouteTableId=run["table"], DestinationPrefixListId=office, GatewayId=run["igw"])
    run("tags", "create_tags", Resources=[run["app"], run["table"], run["private"]], Tags=[{"Key": "Team", "Value": "x"}, {"Key": "Old", "Value": "y"}])
    run("tag deleted, another value", "delete_tags", Resources=[run["app"]], Tags=[{"Key": "Old", "Value": "z"}])
    run("tag deleted, any value", "delete_tags", Resources=[run["app"]], Tags=[{"Key": "Old"}])
    run("tags described", "describe_tags", Filters=run.filter("resource-id", run["app"], run["table"], run["private"]))
    run("groups by tag", "describe_security_groups", Filters=run.filter("tag:Team", "x"))


def reads(run):
    vpc = run["vpc"]
    for kind, api in (("vpcs", "describe_vpcs"), ("subnets", "describe_subnets"), ("acls", "describe_network_acls"), ("interfaces", "describe_network_interfaces")):
        run(f"all {kind}", api, Filters=run.filter("vpc-id", vpc))
    run("all groups", "describe_security_groups", Filters=run.filter("vpc-id", vpc) + run.filter("group-name", "web", "app"))
    run("all internet gateways", "describe_internet_gateways", Filters=run.filter("attachment.vpc-id", vpc))
    run("unknown filter", "describe_security_groups", Filters=run.filter("colour", "blue"))
    run("unknown vpc", "describe_vpcs", VpcIds=["vpc-0123456789abcdef0"])
    run("dry run of a group call", "revoke_security_group_ingress", GroupId=run["web"], DryRun=True, IpPermissions=[
        permission("tcp", 443, 443, **cidr("0.0.0.0/0"))])
    run("dry run of an acl call", "delete_network_acl_entry", NetworkAclId=run["acl"], RuleNumber=100, Egress=False, DryRun=True)
    run("dry run of a route call", "delete_route", RouteTableId=run["table"], DestinationCidrBlock="10.70.0.0/16", DryRun=True)
    run("after dry runs", "describe_network_acls", NetworkAclIds=[run["acl"]])
    for number in range(6):
        run(f"filler {number}", "create_security_group", GroupName=f"filler-{number}", Description="filler", VpcId=vpc)
    run.pages("pages of groups", "describe_security_groups", "SecurityGroups", Filters=run.filter("vpc-id", vpc), MaxResults=5)
    run.raw("unknown action", {"Action": "DescribeNothing", "Version": "2016-11-15"})
    run.raw("no action", {"Version": "2016-11-15"})
    run.raw("page too small", {"Action": "DescribeSecurityGroups", "Version": "2016-11-15", "MaxResults": "2"})
    run.raw("unknown parameter", {"Action": "DescribeSecurityGroups", "Version": "2016-11-15", "Colour": "blue"})


def ruin(run):
    """What EC2 refuses and moto does: last, because of what is left then."""
    run("tag of an unknown group", "create_tags", Resources=["sg-0123456789abcdef0"], Tags=[{"Key": "Team", "Value": "x"}])
    run("reserved tag", "create_tags", Resources=[run["app"]], Tags=[{"Key": "aws:x", "Value": "x"}])
    run("delete a list in use", "delete_managed_prefix_list", PrefixListId=run["list"])
    run("address in use released", "release_address", AllocationId=run["held eip"])
    run("associate with another vpc's", "replace_network_acl_association", AssociationId=run.acl_association("far"), NetworkAclId=run["acl"])
    run("delete the default acl", "delete_network_acl", NetworkAclId=run["default acl"])
    run("delete the main table", "delete_route_table", RouteTableId=run["main table"])
    run("delete the default group", "delete_security_group", GroupId=run["other default group"])
    run("delete a referenced group", "delete_security_group", GroupId=run["web"])
    run("delete a subnet in use", "delete_subnet", SubnetId=run["private"])
    run("group of an interface", "modify_network_interface_attribute", NetworkInterfaceId=run["bare eni"], Groups=[run["mess"]])
    run("delete a group in use", "delete_security_group", GroupId=run["mess"])
    run("delete a vpc in use", "delete_vpc", VpcId=run["vpc"])
