"""Deploys our own template.yaml with the real binaries into the emulators, and an account worth guarding.

Gives: `deploy(world, binaries, parameters)` -> `Deployment`; `build_account(ec2)` -> ids.
"""

import io
import json
import time
import zipfile

import translate

SOURCE = "snapback.e2e"  # ministack refuses aws.* sources from PutEvents, as AWS does


def bootstrap_zip(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        member = zipfile.ZipInfo("bootstrap")
        member.external_attr = 0o755 << 16
        archive.writestr(member, path.read_bytes())
    return buffer.getvalue()


class Deployment:
    """A deployed stack and the ways to talk to it."""

    def __init__(self, world, outputs, name):
        self.world, self.outputs, self.name = world, outputs, name
        self.events, self.sqs, self.functions = world.client("events"), world.client("sqs"), world.client("lambda")
        self.alerts = self.sqs.create_queue(QueueName=f"{name}-alerts")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.alerts, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                                                         "Action": "sqs:SendMessage", "Resource": arn}]}
        self.sqs.set_queue_attributes(QueueUrl=self.alerts, Attributes={"Policy": json.dumps(allow)})
        world.client("sns").subscribe(TopicArn=outputs["AlertTopicArn"], Protocol="sqs", Endpoint=arn)
        self.seen = []

    def send(self, *entries):
        answer = self.events.put_events(Entries=list(entries))
        assert answer["FailedEntryCount"] == 0, answer

    def raw(self, body):
        """A message put into the inbox as it is."""
        self.sqs.send_message(QueueUrl=self.outputs["InboxUrl"], MessageBody=body)

    def sweep(self, payload=None):
        answer = self.functions.invoke(FunctionName=self.outputs["SweepFunctionName"], Payload=json.dumps(payload or {}))
        body = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, body
        return json.loads(body or "null")

    def collect_alerts(self):
        """All alerts so far, as people's text and machine JSON."""
        while messages := self.sqs.receive_message(QueueUrl=self.alerts, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            for message in messages:
                self.seen.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.alerts, ReceiptHandle=message["ReceiptHandle"])
        return self.seen

    def buried(self):
        found = self.sqs.receive_message(QueueUrl=self.outputs["DeadLettersUrl"], MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return found.get("Messages", [])


def deploy(world, binaries, parameters, name="snapback", edit=None):
    """`binaries`: folder of the built functions. `edit(template)` may change the SAM source first (rights tests)."""
    s3, formation = world.client("s3"), world.client("cloudformation")
    bucket = f"artifacts-{name}"
    s3.create_bucket(Bucket=bucket)
    for binary in ("guard", "sweep", "notify"):
        s3.put_object(Bucket=bucket, Key=f"{binary}.zip", Body=bootstrap_zip(binaries / binary))
    source = translate.source()
    if edit:
        edit(source)
    template = translate.translate(lambda binary: f"s3://{bucket}/{binary}.zip", source)
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
                           Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in ({"EventSource": SOURCE} | parameters).items()])
    deadline = time.time() + 120
    while True:
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            break
        if "FAILED" in stack["StackStatus"] or "ROLLBACK" in stack["StackStatus"] or time.time() > deadline:
            events = formation.describe_stack_events(StackName=name)["StackEvents"]
            raise RuntimeError(f"stack {stack['StackStatus']}: " + "; ".join(
                f"{e['LogicalResourceId']} {e.get('ResourceStatusReason', '')}" for e in events if "FAILED" in e["ResourceStatus"]))
        time.sleep(0.2)
    return Deployment(world, {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}, name)


def build_account(ec2):
    """A VPC with a public and a private subnet, gateway, groups, ACLs, tables; the ids by name."""
    ids = {}
    ids["vpc"] = vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ids["igw"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=ids["igw"], VpcId=vpc)
    for name, cidr in (("public", "10.0.1.0/24"), ("private", "10.0.2.0/24")):
        ids[name] = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
    ids["web"] = ec2.create_security_group(GroupName="web", Description="web servers", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=ids["web"], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "TLS from everybody"}]},
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "redirect"}]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "office"}]}])
    ids["acl"] = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for number, cidr, first, last in ((100, "0.0.0.0/0", 443, 443), (110, "10.0.0.0/8", 22, 22), (120, "0.0.0.0/0", 1024, 65535)):
        for egress in (False, True):
            ec2.create_network_acl_entry(NetworkAclId=ids["acl"], RuleNumber=number, Protocol="6", RuleAction="allow", Egress=egress,
                                         CidrBlock=cidr, PortRange={"From": first, "To": last})
    ids["empty_acl"] = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.replace_network_acl_association(AssociationId=acl_association(ec2, ids["private"])[0], NetworkAclId=ids["acl"])
    ids["table"] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=ids["table"], DestinationCidrBlock="0.0.0.0/0", GatewayId=ids["igw"])
    ec2.associate_route_table(RouteTableId=ids["table"], SubnetId=ids["public"])
    ids["eni"] = ec2.create_network_interface(SubnetId=ids["private"], Groups=[ids["web"]])["NetworkInterface"]["NetworkInterfaceId"]
    return ids


def acl_association(ec2, subnet):
    """The association id and the ACL of a subnet, now."""
    for acl in ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]:
        for association in acl["Associations"]:
            if association["SubnetId"] == subnet:
                return association["NetworkAclAssociationId"], acl["NetworkAclId"]
    raise AssertionError(f"{subnet} has no ACL")


def state(ec2, ids):
    """What must be equal before and after, read by an independent client: no ids that change by nature."""
    group = ec2.describe_security_groups(GroupIds=[ids["web"]])["SecurityGroups"][0]
    rules = sorted((direction, p["IpProtocol"], p.get("FromPort"), p.get("ToPort"), r["CidrIp"], r.get("Description"))
                   for direction in ("IpPermissions", "IpPermissionsEgress") for p in group[direction] for r in p["IpRanges"])
    acl = ec2.describe_network_acls(NetworkAclIds=[ids["acl"]])["NetworkAcls"][0]
    entries = sorted((e["Egress"], e["RuleNumber"], e["Protocol"], e["RuleAction"], e.get("CidrBlock"),
                      e.get("PortRange", {}).get("From"), e.get("PortRange", {}).get("To")) for e in acl["Entries"])
    table = ec2.describe_route_tables(RouteTableIds=[ids["table"]])["RouteTables"][0]
    routes = sorted((r.get("DestinationCidrBlock"), r.get("GatewayId") or r.get("NetworkInterfaceId")) for r in table["Routes"])
    return {"rules": rules, "entries": entries, "routes": routes, "private subnet's ACL": acl_association(ec2, ids["private"])[1],
            "table's subnets": sorted(a["SubnetId"] for a in table["Associations"] if not a.get("Main"))}
