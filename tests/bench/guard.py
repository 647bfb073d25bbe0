"""Times the release guard: a Runtime API of our own, moto for EC2, ministack for the tables and queues.

Prints start -> first poll, cold and warm time, CPU a event, peak memory, EC2 calls before the first mutation.
Medians over `--starts` processes and `--events` events; the emulators' own time is inside the wall figures.
"""

import argparse
import http.server
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import cloudtrail  # noqa: E402
import deployment  # noqa: E402
from emulators import ACCOUNT, REGION, World, serve  # noqa: E402


class Runtime(http.server.BaseHTTPRequestHandler):
    """The Lambda Runtime API, as much as a bootstrap uses."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.polled.put(time.perf_counter())
        event = self.server.events.get()
        body = json.dumps(event).encode()
        self.send_response(200)
        for name, value in {"Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()), "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 60000),
                            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:guard",
                            "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.answers.put((time.perf_counter(), body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()


def message(body):
    return {"Records": [{"messageId": str(uuid.uuid4()), "receiptHandle": "r", "body": json.dumps(body), "eventSource": "aws:sqs",
                         "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox", "awsRegion": REGION,
                         "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))}, "messageAttributes": {}}]}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


class Guard:
    def __init__(self, binary, world, environment):
        self.runtime = serve(Runtime, events=queue.Queue(), polled=queue.Queue(), answers=queue.Queue())
        self.world = world
        began = time.perf_counter()
        self.process = subprocess.Popen([str(binary)], env=environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.runtime.server_port}"},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.first_poll = (self.runtime.polled.get(timeout=10) - began) * 1000

    def invoke(self, event):
        began = time.perf_counter()
        self.runtime.events.put(event)
        ended, body = self.runtime.answers.get(timeout=60)
        self.runtime.polled.get(timeout=10)
        return (ended - began) * 1000, json.loads(body or b"null")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.runtime.shutdown()


def opened(world, group, port):
    parameters = {"GroupId": group, "IpPermissions": [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
    response = world.ec2.authorize_security_group_ingress(**parameters)
    return cloudtrail.envelope(cloudtrail.record("AuthorizeSecurityGroupIngress", parameters, response))


def make_groups(ec2, vpc, count):
    """One group of 60 rules for each event: a second harm on one group within 30 s of our own write is read twice."""
    rules = [{"IpProtocol": "tcp", "FromPort": 1000 + n, "ToPort": 1000 + n, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]} for n in range(59)]
    groups = []
    for n in range(count):
        print(f"\rgroup {n + 1}/{count}", end="", file=sys.stderr)
        groups.append(ec2.create_security_group(GroupName=f"bench-{n}", Description="bench", VpcId=vpc)["GroupId"])
        ec2.authorize_security_group_ingress(GroupId=groups[-1], IpPermissions=rules)
    return groups


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--events", type=int, default=100)
    options = parser.parse_args()
    with World(options.work) as world:
        ids = deployment.build_account(world.ec2)
        groups = iter(make_groups(world.ec2, ids["vpc"], options.starts + options.events + 1))
        # No brake: what is timed are reverts, one after the other.
        deployed = deployment.deploy(world, options.binary.parent, {"Mode": "enforce", "ResourcesRevertedInTenMinutes": "10000"})
        # The deployed guard must not answer the events meant for the one we time.
        for mapping in deployed.functions.list_event_source_mappings(FunctionName=deployed.outputs["GuardFunctionName"])["EventSourceMappings"]:
            deployed.functions.delete_event_source_mapping(UUID=mapping["UUID"])
        deployed.sweep({"capture": {"by": "bench", "why": "bench"}})
        settings = deployed.functions.get_function_configuration(FunctionName=deployed.outputs["GuardFunctionName"])["Environment"]["Variables"]
        environment = settings | {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": world.endpoint,
                                  "AWS_ENDPOINT_URL_EC2": f"http://127.0.0.1:{world.gate.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "guard",
                                  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_LOG_STREAM_NAME": "x",
                                  "AWS_LAMBDA_LOG_GROUP_NAME": "x"}
        first, cold, before = [], [], []
        for n in range(options.starts):
            print(f"\rcold start {n + 1}/{options.starts}", end="", file=sys.stderr)
            guard = Guard(options.binary, world, environment)
            first.append(guard.first_poll)
            event = opened(world, next(groups), 22)
            began = time.time()
            cold.append(guard.invoke(message(event))[0])
            calls = [action for at, action, _ in world.gate.calls if at >= began]
            mutation = next((i for i, action in enumerate(calls) if not action.startswith("Describe")), None)
            assert mutation is not None, f"the guard did not revert: {calls}"
            before.append(mutation)
            guard.stop()
        guard = Guard(options.binary, world, environment)
        guard.invoke(message(opened(world, next(groups), 22)))
        warm, closed, quiet, cpu_began = [], [], [], cpu_seconds(guard.process.pid)
        for n in range(options.events):
            print(f"\rwarm revert {n + 1}/{options.events}   ", end="", file=sys.stderr)
            event = message(opened(world, next(groups), 22))
            began = time.time()
            warm.append(guard.invoke(event)[0])
            revoked = [at for at, action, _ in world.gate.calls if at >= began and action == "RevokeSecurityGroupIngress"]
            assert revoked, "the guard did not revert"
            closed.append((revoked[0] - began) * 1000)
        cpu_revert = (cpu_seconds(guard.process.pid) - cpu_began) * 1000 / options.events
        duplicate, cpu_began = cloudtrail.envelope(cloudtrail.record("AuthorizeSecurityGroupIngress", {"GroupId": ids["web"], "IpPermissions": []}, {})), cpu_seconds(guard.process.pid)
        for _ in range(options.events):
            quiet.append(guard.invoke(message(duplicate))[0])
        cpu_quiet = (cpu_seconds(guard.process.pid) - cpu_began) * 1000 / options.events
        memory = peak_megabytes(guard.process.pid)
        guard.stop()
    print(file=sys.stderr)
    ninth = lambda values: statistics.quantiles(values, n=10)[8]  # noqa: E731
    print(json.dumps({
        "start_to_first_poll_ms": {"median": round(statistics.median(first), 2), "p90": round(ninth(first), 2)},
        "cold_first_event_ms": {"median": round(statistics.median(cold), 1)},
        "warm_revert_ms": {"median": round(statistics.median(warm), 1), "p90": round(ninth(warm), 1)},
        "warm_to_the_revoke_ms": {"median": round(statistics.median(closed), 1), "p90": round(ninth(closed), 1)},
        "warm_nothing_to_do_ms": {"median": round(statistics.median(quiet), 1)},
        "cpu_ms_a_revert": round(cpu_revert, 2), "cpu_ms_a_quiet_event": round(cpu_quiet, 2),
        "peak_memory_mb": round(memory, 1), "ec2_calls_before_first_mutation": max(before),
        "binary_mb": round(options.binary.stat().st_size / 1e6, 2), "rules_in_group": 60}, indent=1))


if __name__ == "__main__":
    main()
