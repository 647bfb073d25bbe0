"""One script of EC2 calls against moto and against `snapback sim serve`: what differs must be known and explained.

usage: compare.py --snapback BINARY [--work DIR] [--table]
Exit 0 only if every difference is in `differences.py`, and everything there differs. `--table` prints the
table of docs/SIMULATOR.md. Beside that it checks the simulator alone: what boto3 reads of each listing is what
`GET /snapback/state` says (the names on the wire), requestID of each event is the id that the caller got, faults strike,
lost answers are lost after their effect, events reach a queue, and a saved state can be loaded.
"""

import argparse
import fnmatch
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

import script
from differences import IGNORED, TABLE

ACCOUNT, REGION = "123456789012", "us-east-1"
DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/SIMULATOR.md"
BIN = pathlib.Path(sys.executable).parent
ID = re.compile(r"\b(?:vpc-cidr-assoc|vpc|subnet|sg|sgr|acl|aclassoc|rtb|rtbassoc|igw|nat|eni|pcx|vgw|eigw|vpce|pl|eipalloc|eipassoc|fl)-[0-9a-f]{8,17}\b")


class Run:
    """Plays the script on one endpoint and keeps what came of each step, ids replaced by names."""

    region, zone = REGION, f"{REGION}a"

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.client = boto3.client("ec2", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test",
                                   config=Config(retries={"total_max_attempts": 1}, parameter_validation=True))
        self.ids, self.names, self.outcomes = {}, {}, {}

    def __getitem__(self, name):
        return self.ids.get(name, "missing-" + name.replace(" ", "-"))

    def __call__(self, step, api, **parameters):
        answer, outcome = self.call(api, parameters)
        self.outcomes[step] = self.plain(outcome)
        return answer

    def call(self, api, parameters):
        try:
            answer = getattr(self.client, api)(**parameters)
        except ClientError as error:
            return {}, {"error": error.response["Error"]["Code"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
        except ResponseParserError:
            return {}, {"error": "no XML", "status": 500}
        answer.pop("ResponseMetadata")
        return answer, answer

    def keep(self, name, value):
        if value:
            self.ids[name], self.names[value] = value, name

    def id(self, step, api, path, **parameters):
        """A step that makes something: its id goes by the step's name from now on."""
        answer, outcome = self.call(api, parameters)
        self.keep(step, pick(answer, path))
        self.outcomes[step] = self.plain(outcome)
        return self[step]

    def learn(self, name, api, path, **parameters):
        """Finds the id of something that came with something else."""
        self.keep(name, pick(self.call(api, parameters)[0], path))

    def filter(self, name, *values):
        return [{"Name": name, "Values": list(values)}]

    def rule(self, group, port):
        for rule in self.call("describe_security_group_rules", {"Filters": self.filter("group-id", group)})[0].get("SecurityGroupRules", []):
            if rule.get("FromPort") == port and not rule["IsEgress"]:
                return rule["SecurityGroupRuleId"]
        return "sgr-0ffffffffffffffff"

    def acl_association(self, subnet):
        for acl in self.call("describe_network_acls", {"Filters": self.filter("association.subnet-id", self[subnet])})[0].get("NetworkAcls", []):
            for association in acl["Associations"]:
                if association["SubnetId"] == self[subnet]:
                    return association["NetworkAclAssociationId"]
        return "aclassoc-0ffffffffffffffff"

    def table_association(self, table, subnet=None):
        for held in self.call("describe_route_tables", {"RouteTableIds": [table]})[0].get("RouteTables", []):
            for association in held["Associations"]:
                if association.get("SubnetId") == subnet and (subnet or association.get("Main")):
                    return association["RouteTableAssociationId"]
        return "rtbassoc-0ffffffffffffffff"

    def until_state(self, name, state):
        deadline = time.time() + 10
        while time.time() < deadline:
            found = self.call("describe_nat_gateways", {"NatGatewayIds": [self[name]]})[0].get("NatGateways", [])
            if not found or found[0]["State"] == state:
                return
            time.sleep(0.05)

    def pages(self, step, api, member, **parameters):
        sizes, names = [], []
        while True:
            answer, outcome = self.call(api, parameters)
            if "error" in outcome:
                break
            sizes.append(len(answer[member]))
            names += [item["GroupName"] for item in answer[member]]
            if not answer.get("NextToken"):
                break
            parameters["NextToken"] = answer["NextToken"]
        self.outcomes[step] = {"sizes": sizes, "names": sorted(names)}

    def raw(self, step, form):
        request = urllib.request.Request(self.endpoint, urllib.parse.urlencode(form).encode(), {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260302/{REGION}/ec2/aws4_request, SignedHeaders=host, Signature=0"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.outcomes[step] = {"status": answer.status}
        except urllib.error.HTTPError as error:
            code = re.search(r"<Code>(.*?)</Code>", error.read().decode())
            self.outcomes[step] = {"status": error.code, "error": code and code[1]}

    def plain(self, value, key=""):
        """Without what nobody compares; ids by name; lists in an order of their own."""
        if isinstance(value, dict):
            kept = {k: self.plain(v, k) for k, v in value.items() if k not in IGNORED and v is not None}
            return {k: v for k, v in kept.items() if v not in ([], {}, "")}  # EC2 sends empty sets, moto mostly none: the same to every reader
        if isinstance(value, list):
            return sorted((self.plain(v, key) for v in value), key=lambda v: json.dumps(v, sort_keys=True, default=str))
        if isinstance(value, str):
            return ID.sub(lambda found: "<" + self.names.get(found[0], found[0].split("-")[0] + "?") + ">", value)
        return value if isinstance(value, (int, float, bool)) else str(value)


def pick(value, path):
    for part in path.split("."):
        try:
            value = value[int(part)] if part.isdigit() else value[part]
        except (KeyError, IndexError):
            return None
    return value


def differences(moto, ours, path=""):
    """Leaves that differ, as (path, moto's value, ours); an element of a list that has no twin stands alone."""
    if isinstance(moto, dict) and isinstance(ours, dict):
        if ("error" in moto) != ("error" in ours):
            yield path or ".", short(moto), short(ours)
            return
        for key in sorted(moto.keys() | ours.keys()):
            yield from differences(moto.get(key, "absent"), ours.get(key, "absent"), f"{path}.{key}" if path else key)
    elif isinstance(moto, list) and isinstance(ours, list):
        left, right = [v for v in moto if v not in ours], [v for v in ours if v not in moto]
        if len(left) == len(right):
            for one, other in zip(left, right):
                yield from differences(one, other, f"{path}[]")
        else:
            yield f"{path}[]", short(left), short(right)
    elif moto != ours:
        yield path, short(moto), short(ours)


def short(value):
    if isinstance(value, dict) and "error" in value:
        return f"{value['error']} (HTTP {value['status']})"
    if isinstance(value, dict) and not value:
        return "success"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def judge(moto, ours):
    """Every difference against the table."""
    unexplained, met = [], set()
    for step in moto:
        for path, theirs, own in differences(moto[step], ours[step]):
            row = next((row for row in TABLE if any(fnmatch.fnmatchcase(step, s) for s in row["steps"]) and any(
                fnmatch.fnmatchcase(path, p) for p in row["paths"])), None)
            if row is None:
                unexplained.append((step, path, theirs, own))
            else:
                met.add(row["what"])
    return unexplained, [row["what"] for row in TABLE if row["what"] not in met]


LISTINGS = [("describe_security_groups", "SecurityGroups", "GroupId"), ("describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"),
            ("describe_network_acls", "NetworkAcls", "NetworkAclId"), ("describe_route_tables", "RouteTables", "RouteTableId"),
            ("describe_vpcs", "Vpcs", "VpcId"), ("describe_subnets", "Subnets", "SubnetId"),
            ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"), ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
            ("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"),
            ("describe_nat_gateways", "NatGateways", "NatGatewayId"), ("describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
            ("describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId"),
            ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"), ("describe_flow_logs", "FlowLogs", "FlowLogId"),
            ("describe_addresses", "Addresses", "AllocationId"), ("describe_transit_gateways", "TransitGateways", "TransitGatewayId"),
            ("describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments", "TransitGatewayAttachmentId"),
            ("describe_vpc_block_public_access_exclusions", "VpcBlockPublicAccessExclusions", "ExclusionId"),
            ("describe_managed_prefix_lists", "PrefixLists", "PrefixListId")]


def wire_names(endpoint, state):
    """What boto3 reads is what the state says, member for member: a name that is wrong on the wire is lost on the way."""
    client, wrong = Run(endpoint).client, []
    for api, member, key in LISTINGS:
        read = {item[key]: item for item in getattr(client, api)()[member]}
        for told in state[member]:
            told.pop("Entries", None) if member == "PrefixLists" else None
            if read.get(told[key]) != told:
                wrong.append(f"{api}: {told[key]}: read {json.dumps(read.get(told[key]), default=str)}, told {json.dumps(told)}")
    options = client.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    if options != state["VpcBlockPublicAccessOptions"]:
        wrong.append(f"block public access: {options}")
    return wrong


def event_ids(endpoint, events):
    """The id in the head, in the body and in the event of one call are one id."""
    client = Run(endpoint).client
    made = client.create_security_group(GroupName="event-ids", Description="x")
    head, body = made["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"], made["ResponseMetadata"]["RequestId"]
    deadline = time.time() + 10
    while time.time() < deadline:
        told = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
        mine = [event["detail"] for event in told if event["detail"]["requestID"] == head]
        if mine:
            detail = mine[0]
            right = head == body and detail["responseElements"]["groupId"] == made["GroupId"] and detail["userIdentity"]["arn"].endswith(":user/test")
            return [] if right else [f"event: {detail}"]
        time.sleep(0.05)
    return [f"no event tells of request {head}"]


class Queue(http.server.BaseHTTPRequestHandler):
    """As much of SQS as SendMessage needs; the first message is turned away."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["X-Amz-Target"], self.headers["Content-Type"], body))
        self.send_response(500 if len(self.server.asked) == 1 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def faults_and_queue(snapback):
    """A throttled call, an answer that is lost after its effect, and events on their way to a queue."""
    queue = http.server.HTTPServer(("127.0.0.1", 0), Queue)
    queue.asked = []
    threading.Thread(target=queue.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{queue.server_port}/{ACCOUNT}/inbox"
    process, endpoint = serve(snapback, "--demo", "--events-sqs", url, "--event-delay", "10ms", "--format", "json",
                              "--faults", "throttle:DescribeVpcs:1,lost-response:CreateSecurityGroup:1")
    wrong, client = [], Run(endpoint).client
    try:
        try:
            client.describe_vpcs()
            wrong.append("a throttled call succeeded")
        except ClientError as error:
            if error.response["Error"]["Code"] != "RequestLimitExceeded" or error.response["ResponseMetadata"]["HTTPStatusCode"] != 503:
                wrong.append(f"throttled: {error.response}")
        vpc = client.describe_vpcs()["Vpcs"][0]["VpcId"]
        try:
            client.create_security_group(GroupName="lost", Description="x", VpcId=vpc)
            wrong.append("an answer that is to be lost came")
        except (ConnectionClosedError, ReadTimeoutError):
            pass
        if len(client.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["lost"]}])["SecurityGroups"]) != 1:
            wrong.append("the call whose answer was lost had no effect")
        deadline = time.time() + 10
        while len(queue.asked) < 2 and time.time() < deadline:
            time.sleep(0.05)
        target, kind, body = queue.asked[1] if len(queue.asked) > 1 else ("", "", {})
        name = json.loads(body.get("MessageBody", "{}")).get("detail", {}).get("eventName")
        if (target, kind, body.get("QueueUrl"), name) != ("AmazonSQS.SendMessage", "application/x-amz-json-1.0", url, "CreateSecurityGroup"):
            wrong.append(f"queue: {queue.asked}")
    finally:
        process.send_signal(signal.SIGINT)
        told = [json.loads(line) for line in process.stdout]
        code = process.wait(10)
        queue.shutdown()
    outcomes = [(line["action"], line["outcome"]) for line in told]
    if code or outcomes[:3] != [("DescribeVpcs", "RequestLimitExceeded"), ("DescribeVpcs", "ok"), ("CreateSecurityGroup", "lost-response")]:
        wrong.append(f"told {outcomes}, exit {code}")
    return wrong


def serve(snapback, *arguments):
    """A simulator and where it listens."""
    process = subprocess.Popen([str(snapback), "sim", "serve", *arguments], stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())["listening"]


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def load(endpoint, state):
    request = urllib.request.Request(f"{endpoint}/snapback/load", json.dumps(state).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(port):
    deadline = time.time() + 60
    while time.time() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("moto did not start")


def markdown():
    rows = ["| call | moto | simulator | right | why |", "|---|---|---|---|---|"]
    rows += [f"| {row['what']} | {row['moto']} | {row['ours']} | {row['right']} | {row['why']} |" for row in TABLE]
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--snapback", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/wire"))
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        print(markdown())
        return 0
    options.work.mkdir(parents=True, exist_ok=True)
    events, began = options.work / "events.jsonl", time.time()
    events.unlink(missing_ok=True)
    environment = dict(os.environ, AWS_EC2_METADATA_DISABLED="true", AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    port = free_port()
    processes = [subprocess.Popen([str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(port)], env=environment,
                                  stdout=(log := open(options.work / "moto.log", "w")), stderr=log)]
    try:
        process, ours = serve(options.snapback, "--account", ACCOUNT, "--region", REGION, "--nat-settles", "200ms", "--events-to", str(events),
                              "--event-delay", "10ms")
        processes.append(process)
        threading.Thread(target=lambda: [None for _ in process.stdout], daemon=True).start()  # a full pipe would stop it
        alone = faults_and_queue(options.snapback)
        wait(port)
        left, right = Run(f"http://127.0.0.1:{port}"), Run(ours)
        for run in (left, right):
            script.play(run)
        unexplained, stale = judge(left.outcomes, right.outcomes)
        state = get(f"{ours}/snapback/state")
        alone += wire_names(ours, state) + event_ids(ours, events)
        told = load(ours, get(f"{ours}/snapback/state"))
        again = get(f"{ours}/snapback/state")
        alone += [f"loading its own state: not understood: {told['notUnderstood']}"] if told["notUnderstood"] else []
        alone += wire_names(ours, again)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(10) for process in processes]
    alone += [f"the simulator ended with {codes[1]}"] if codes[1] else []
    alone += [] if markdown() in DOCUMENT.read_text() else ["docs/SIMULATOR.md: its table is not that of differences.py; see --table"]
    for step, path, theirs, own in unexplained:
        print(f"  differs: {step}: {path}: moto {theirs}; simulator {own}", file=sys.stderr)
    for what in stale:
        print(f"  no longer differs: {what}", file=sys.stderr)
    for what in alone:
        print(f"  wrong: {what}", file=sys.stderr)
    summary = {"steps": len(left.outcomes), "known": len(TABLE), "unexplained": len(unexplained), "stale": len(stale), "wrong": len(alone),
               "seconds": round(time.time() - began, 1)}
    print(json.dumps(summary))
    return 1 if unexplained or stale or alone else 0


if __name__ == "__main__":
    sys.exit(main())
