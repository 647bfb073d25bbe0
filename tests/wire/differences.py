IGNORED = {
    "AvailabilityZoneId": "", "AvailableIpAddressCount": "", "AssignIpv6AddressOnCreation":"", "ClientToken": "", "CreateTime":"", "CreationTimestamp":"", "DefaultForAz":"", "DhcpOptionsId":"", "DnsEntries":"", "Ipv6Native":"",
    "MacAddress":"", "MapPublicIpOnLaunch":"", "Message":"", "NetworkBorderGroup":"", "PolicyDocument":"", "PrivateDnsEnabled":"","PrivateDnsName":"", "PrivateDnsNameOptionsOnLaunch":"", "PrivateIp":"", "PrivateIpAddress":"", "PublicIp":"", "PublicIpv4Pool":"", "RequesterId":"", "PeeringOptions":"", "Status":"",
}
TABLE = []
