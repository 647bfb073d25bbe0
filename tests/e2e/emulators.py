"""The world of an end-to-end run: moto or our own simulator for EC2, ministack for everything else, a gate between, a Slack stand-in.

Owns: processes and servers, their ports, their end.
Gives: `World`, a context manager with boto3 clients.
Must not: know Snapback's stories.
"""

import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid

import boto3
from botocore.config import Config

ACCOUNT, REGION = "123456789012", "us-east-1"
BIN = pathlib.Path(sys.executable).parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# What the sweep reads and moto does not know. Answered as EC2 does where it has no such call: context that is a gap.
UNKNOWN_TO_MOTO = {"DescribeStaleSecurityGroups", "DescribeVpcBlockPublicAccessExclusions", "DescribeVpcBlockPublicAccessOptions"}


class Gate(http.server.BaseHTTPRequestHandler):
    """Stands in front of EC2: writes down every EC2 call, asks ministack's IAM first where rights are tested, injects faults."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = urllib.parse.parse_qs(body.decode()).get("Action", ["?"])[0]
        server = self.server
        with server.lock:
            fault = server.faults.get(action)
            if fault:
                server.faults[action] = fault[1:]
                fault = fault[0]
        if fault:
            self.answer(fault[0], error_xml(fault[1], fault[2]))
            server.calls.append((time.time(), action, fault[1]))
            return
        if server.authorizer and (denied := self.authorize(body)):
            server.calls.append((time.time(), action, "UnauthorizedOperation"))
            self.answer(403, denied)
            return
        if server.is_moto and action in UNKNOWN_TO_MOTO:
            server.calls.append((time.time(), action, "UnsupportedOperation"))
            self.answer(400, error_xml("UnsupportedOperation", "The functionality you requested is not available in this region."))
            return
        try:
            status, answer, request = forward(server.ec2, self.path, self.headers, body)
        except (http.client.HTTPException, ConnectionError):  # the simulator breaks a connection when it is asked to lose an answer
            server.calls.append((time.time(), action, "lost"))
            self.close_connection = True
            return
        server.calls.append((time.time(), action, status))
        self.answer(status, answer, request)

    def authorize(self, body):
        """The same signed request at ministack, which with AUTH=true checks the caller's policies first."""
        status, answer, _ = forward(self.server.authorizer, self.path, self.headers, body)
        denied = status in (401, 403) and (b"UnauthorizedOperation" in answer or b"AccessDenied" in answer or b"not authorized" in answer)
        return answer if denied and not self.allowed_on_acl(body, answer) else None

    def allowed_on_acl(self, body, denial):
        """ministack knows no ARN for a network ACL and judges its calls on `*`: asked again for the resources EC2 would name."""
        request = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()}
        role = re.search(rb"assumed-role/([^/ ]+)/", denial)
        if not role or "NetworkAclId" not in request:
            return False
        prefix = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
        arns = [f"{prefix}:network-acl/{request['NetworkAclId']}"]
        if request["Action"] == "ReplaceNetworkAclAssociation":
            arns.append(f"{prefix}:subnet/subnet-of-the-association")
        principal = f"arn:aws:iam::{ACCOUNT}:role/{role[1].decode()}"
        return all(self.server.iam.simulate_principal_policy(
            PolicySourceArn=principal, ActionNames=[f"ec2:{request['Action']}"], ResourceArns=[arn])["EvaluationResults"][0]["EvalDecision"] == "allowed"
            for arn in arns)

    def answer(self, status, body, request=None):
        self.send_response(status)
        if request:
            self.send_header("x-amzn-requestid", request)
        self.send_header("Content-Type", "text/xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def forward(port, path, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    kept = {k: v for k, v in headers.items() if k.lower() not in ("connection", "content-length", "transfer-encoding")}
    connection.request("POST", path, body, kept)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    return response.status, answer, response.headers.get("x-amzn-requestid")


def error_xml(code, message):
    return (f"<?xml version='1.0'?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{uuid.uuid4()}</RequestID></Response>").encode()


class Slack(http.server.BaseHTTPRequestHandler):
    """An incoming webhook: keeps what was posted; answers with the statuses it was told, then 200."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            status = self.server.answers.pop(0) if self.server.answers else 200
            self.server.attempts.append(status)
            if status == 200:
                self.server.posts.append(json.loads(body))
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


def serve(handler, **attributes):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.lock = threading.Lock()
    for name, value in attributes.items():
        setattr(server, name, value)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class World:
    """Starts everything on free loopback ports; stops it all at the end, logs kept in `work`.

    With `simulator` (the binary `snapback` and what else `sim serve` shall be told) our own EC2 stands behind the gate instead
    of moto; `faults`, `principals` and `simulated` reach its control endpoints. Its events go to `events` in `work`.
    """

    def __init__(self, work, auth=False, simulator=None):
        self.work, self.auth, self.simulator = pathlib.Path(work), auth, simulator
        self.temporary = self.work / "tmp"  # ministack unpacks every function there, hundreds of megabytes, and leaves them
        self.processes = []

    def __enter__(self):
        shutil.rmtree(self.temporary, ignore_errors=True)  # what a run left that was killed
        self.temporary.mkdir(parents=True)
        ec2, ministack = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{ministack}"
        self.gate = serve(Gate, ec2=ec2, is_moto=not self.simulator, authorizer=ministack if self.auth else None, calls=[], faults={})
        self.slack = serve(Slack, posts=[], attempts=[], answers=[])
        self.environment = environment = dict(os.environ, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION,
                           AWS_ENDPOINT_URL=self.endpoint, AWS_ENDPOINT_URL_EC2=f"http://127.0.0.1:{self.gate.server_port}",
                           AWS_EC2_METADATA_DISABLED="true")
        self.events = self.work / "events.jsonl"
        if self.simulator:
            self.events.unlink(missing_ok=True)
            self.start("sim", [self.simulator[0], "sim", "serve", "--port", ec2, "--account", ACCOUNT, "--region", REGION, "--nat-settles", "1s",
                               "--events-to", self.events, *self.simulator[1:]], environment)
        else:
            self.start("moto", [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(ec2)], environment)
        self.start("ministack", [BIN / "ministack"], dict(
            environment, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(ministack), MINISTACK_HOST="127.0.0.1",
            MINISTACK_ACCOUNT_ID=ACCOUNT, MINISTACK_REGION=REGION, AUTH="true" if self.auth else "false",
            LAMBDA_STRICT="0", TMPDIR=str(self.temporary), PATH=f"{BIN}:{os.environ['PATH']}"))
        self.control = f"http://127.0.0.1:{ec2}/snapback"
        self.wait(ec2, "sim" if self.simulator else "moto")
        self.wait(ministack, "ministack")
        self.ec2_endpoint = f"http://127.0.0.1:{ec2}"
        self.ec2 = self.client("ec2", self.ec2_endpoint)
        self.gate.iam = self.client("iam")
        return self

    def start(self, name, command, environment):
        log = open(self.work / f"{name}.log", "w")
        self.processes.append(subprocess.Popen([str(c) for c in command], env=environment, stdout=log, stderr=log, start_new_session=True))

    def wait(self, port, name, seconds=60):
        deadline = time.time() + seconds
        while time.time() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{name} did not start; see {self.work}/{name}.log")

    def client(self, service, endpoint=None, key="test"):
        return boto3.client(service, endpoint_url=endpoint or self.endpoint, region_name=REGION, aws_access_key_id=key,
                            aws_secret_access_key="test", config=Config(retries={"max_attempts": 2}))

    def client_of(self, key):
        """EC2 with somebody else's access key: the simulator tells callers by it."""
        return self.client("ec2", self.ec2_endpoint, key)

    def ask(self, method, path, body=""):
        """One of the simulator's own endpoints (docs/SIMULATOR.md)."""
        request = urllib.request.Request(f"{self.control}/{path}", body.encode() or None, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def faults(self, *faults):
        """Plans faults of the simulator: `throttle:RevokeSecurityGroupIngress:2`; none given ends them all."""
        return self.ask("POST", "faults", "\n".join(faults)) if faults else self.ask("DELETE", "faults")

    def principals(self, **arns):
        """Whose an access key is."""
        return self.ask("POST", "principals", json.dumps(arns))

    def simulated(self):
        """The simulator's state, as describe outputs."""
        return self.ask("GET", "state")

    def __exit__(self, *_):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.gate.shutdown()
        self.slack.shutdown()
