"""End to end: the real Lambda binaries, deployed from template.yaml, driven over HTTP, judged from outside.

usage: run.py --binaries DIR [--work DIR] [--story NAME] [--no-auth] [--only-auth] [--only-simulated]
Exit 0 only if every story ended as it should. Progress on standard error, a JSON summary on standard output.
"""

import argparse
import json
import pathlib
import sys
import time

import cloudtrail
import deployment
import simulated
from deployment import SOURCE, acl_association, state
from emulators import ACCOUNT, World

WAIT_SECONDS = 60
BUDGET = {"RevertsOfAResourceAnHour": "100"}  # one group is broken more often in these stories than the default allows


class Failed(AssertionError):
    pass


def until(what, condition, seconds=WAIT_SECONDS):
    """The first true value of a condition."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed(f"not within {seconds} s: {what}")


class Scene:
    """What a story works with."""

    def __init__(self, world, deployed, ids):
        self.world, self.deployed, self.ids, self.ec2 = world, deployed, ids, world.ec2
        self.good = state(world.ec2, ids)

    def do(self, api, who=None, tell=True, **parameters):
        """Somebody makes an EC2 call; its event is sent unless `tell` is false. Returns the record."""
        method = "".join("_" + c.lower() if c.isupper() else c for c in api).lstrip("_")
        response = getattr(self.ec2, method)(**parameters)
        record = cloudtrail.record(api, parameters, response, who)
        if tell:
            self.deployed.send(cloudtrail.entry(record, SOURCE))
        return record

    def until(self, what, condition, seconds=WAIT_SECONDS):
        return until(what, condition, seconds)

    def restored(self):
        def equal():
            return state(self.ec2, self.ids) == self.good
        try:
            self.until("state equals the good state", equal)
        except Failed as failure:
            now = state(self.ec2, self.ids)
            wrong = {key: {"good": self.good[key], "live": now[key]} for key in now if now[key] != self.good[key]}
            raise Failed(f"{failure}: {json.dumps(wrong, default=str)}") from None

    def alerted(self, outcome, resource, count=1):
        """The alerts about a resource with an outcome, once there are `count` of them on SNS and on Slack."""
        def found():
            hits = [a for a in self.deployed.collect_alerts() if (j := machine(a)) and j["outcome"] == outcome and j.get("resource") == resource]
            return hits if len(hits) >= count else None
        hits = self.until(f"an alert `{outcome}` about {resource}; seen: {[machine(a) and (machine(a)['outcome'], machine(a).get('resource')) for a in self.deployed.seen]}", found)
        self.until(f"Slack tells of {resource}", lambda: any(resource in json.dumps(post) for post in self.world.slack.posts))
        for alert in hits:
            subject = alert.get("Subject", "")
            if not (0 < len(subject) <= 100 and subject.isascii()):
                raise Failed(f"subject {subject!r}")
        return hits

    def calls(self, since):
        return [action for at, action, _ in self.world.gate.calls if at >= since and not action.startswith("Describe")]


def machine(alert):
    """The JSON beside a message."""
    attribute = (alert.get("MessageAttributes") or {}).get("json", {}).get("Value")
    try:
        return json.loads(attribute) if attribute else None
    except ValueError:
        return None


def permission(port, cidr, **more):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr, **more}]}]


def ssh_opened(scene):
    web = scene.ids["web"]
    scene.do("AuthorizeSecurityGroupIngress", GroupId=web, IpPermissions=permission(22, "0.0.0.0/0"))
    scene.restored()
    scene.alerted("reverted", web)


def approved_rule_revoked(scene):
    web = scene.ids["web"]
    scene.do("RevokeSecurityGroupIngress", GroupId=web, IpPermissions=permission(443, "0.0.0.0/0"))
    scene.restored()  # the description is part of the compared state
    scene.alerted("reverted", web, 2)


def acl_entry_deleted(scene):
    acl = scene.ids["acl"]
    scene.do("DeleteNetworkAclEntry", NetworkAclId=acl, RuleNumber=110, Egress=False)
    scene.restored()
    scene.alerted("reverted", acl)


def subnet_moved(scene):
    association, _ = acl_association(scene.ec2, scene.ids["private"])
    scene.do("ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=scene.ids["empty_acl"])
    scene.restored()
    scene.alerted("reverted", scene.ids["acl"], 2)


def default_route_deleted(scene):
    scene.do("DeleteRoute", RouteTableId=scene.ids["table"], DestinationCidrBlock="0.0.0.0/0")
    scene.restored()
    scene.alerted("reverted", scene.ids["table"])


def default_route_redirected(scene):
    began = time.time()
    scene.do("ReplaceRoute", RouteTableId=scene.ids["table"], DestinationCidrBlock="0.0.0.0/0", NetworkInterfaceId=scene.ids["eni"])
    scene.restored()
    scene.alerted("reverted", scene.ids["table"], 2)
    if scene.calls(began) != ["ReplaceRoute"]:
        raise Failed(f"a moment without route: {scene.calls(began)}")


def event_lost(scene):
    web = scene.ids["web"]
    scene.do("AuthorizeSecurityGroupIngress", tell=False, GroupId=web, IpPermissions=permission(3389, "0.0.0.0/0"))
    report = scene.deployed.sweep()
    if not report or report.get("missed") != 1:
        raise Failed(f"the sweep must count one missed change: {report}")
    scene.restored()
    scene.alerted("reverted", web, 3)


def late_duplicates(scene):
    web, began = scene.ids["web"], time.time()
    first = scene.do("AuthorizeSecurityGroupIngress", tell=False, GroupId=web, IpPermissions=permission(22, "0.0.0.0/0"))
    second = scene.do("AuthorizeSecurityGroupIngress", tell=False, GroupId=web, IpPermissions=permission(5432, "0.0.0.0/0"))
    before = len([a for a in scene.deployed.collect_alerts() if (machine(a) or {}).get("resource") == web])
    scene.deployed.send(*[cloudtrail.entry(r, SOURCE) for r in (second, second, first)])
    scene.restored()
    scene.deployed.send(cloudtrail.entry(second, SOURCE), cloudtrail.entry(first, SOURCE))
    scene.alerted("reverted", web, 4)
    time.sleep(3)
    after = len([a for a in scene.deployed.collect_alerts() if (machine(a) or {}).get("resource") == web])
    revokes = [c for c in scene.calls(began) if c == "RevokeSecurityGroupIngress"]
    if after != before + 1 or len(revokes) != 1:
        raise Failed(f"{after - before} alerts and {len(revokes)} reverts for one deviation")


def malformed_among_good(scene):
    scene.deployed.raw('{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","detail":{"eventName":')
    scene.do("RevokeSecurityGroupIngress", GroupId=scene.ids["web"], IpPermissions=permission(80, "0.0.0.0/0"))
    scene.restored()
    buried = scene.until("the malformed message is buried with a reason", scene.deployed.buried)
    if "reason" not in (buried[0].get("MessageAttributes") or {}):
        raise Failed(f"buried without reason: {buried[0]}")
    scene.until("an alert about the malformed message",
                lambda: any((machine(a) or {}).get("outcome") == "malformed" for a in scene.deployed.collect_alerts()))


def slack_down_then_back(scene):
    scene.world.slack.answers[:] = [500, 429, 503]
    posts = len(scene.world.slack.posts)
    scene.do("AuthorizeSecurityGroupIngress", GroupId=scene.ids["web"], IpPermissions=permission(9200, "0.0.0.0/0"))
    scene.restored()
    scene.until("Slack tells after its outage", lambda: len(scene.world.slack.posts) > posts)
    if scene.world.slack.answers:
        raise Failed("the outage was not met")


def waiting(scene):
    """The messages in the inbox, those in work among them."""
    inbox = scene.deployed.sqs.get_queue_attributes(QueueUrl=scene.deployed.outputs["InboxUrl"], AttributeNames=["All"])["Attributes"]
    return int(inbox["ApproximateNumberOfMessages"]) + int(inbox["ApproximateNumberOfMessagesNotVisible"])


def setting_with_a_typo(scene):
    """The guard does not start: nothing is processed, the message waits, the log names the variable. Last: it leaves the guard broken."""
    scene.until("the messages of the stories before are done", lambda: waiting(scene) == 0)
    name = scene.deployed.outputs["GuardFunctionName"]
    variables = scene.deployed.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    scene.deployed.functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables | {"SNAPBACK_MODE": "enforcee"}})
    scene.do("AuthorizeSecurityGroupIngress", GroupId=scene.ids["web"], IpPermissions=permission(23, "0.0.0.0/0"))
    log = scene.world.work / "ministack.log"
    scene.until("the log names the variable, its value and what is allowed", lambda: all(
        words in log.read_text() for words in ("guard does not start", "SNAPBACK_MODE", "enforcee", "observe, enforce, strict")))
    if waiting(scene) != 1:
        raise Failed(f"{waiting(scene)} messages wait, not one")
    if state(scene.ec2, scene.ids) == scene.good:
        raise Failed("the change was taken back by a guard with a bad setting")


STORIES = [ssh_opened, approved_rule_revoked, acl_entry_deleted, subnet_moved, default_route_deleted, default_route_redirected,
           event_lost, late_duplicates, malformed_among_good, slack_down_then_back]


def begin(world, binaries, parameters, edit=None):
    ids = deployment.build_account(world.ec2)
    return Scene(world, guarded(world, binaries, parameters, edit), ids)


def guarded(world, binaries, parameters, edit=None):
    """The stack, with the account as it is now for its baseline."""
    secret = world.client("secretsmanager").create_secret(
        Name="slack", SecretString=f"http://127.0.0.1:{world.slack.server_port}/services/T/B/x")["ARN"]
    deployed = deployment.deploy(world, binaries, {"Mode": "enforce", "SlackWebhookSecretArn": secret, **BUDGET} | parameters, edit=edit)
    report = deployed.sweep({"capture": {"by": "operator", "why": "first deployment"}})
    if not report or report.get("captured", 0) < 5:
        raise Failed(f"capture: {report}")
    return deployed


def begin_simulated(world, binaries):
    """On the simulator: its own events, by the roles that the stack really has."""
    ids = simulated.build(world.ec2)
    deployed = guarded(world, binaries, {"TrustedPrincipals": f"arn:aws:iam::{ACCOUNT}:user/{simulated.DEPLOYER}"})
    role = next(r["PhysicalResourceId"] for r in world.client("cloudformation").list_stack_resources(StackName=deployed.name)["StackResourceSummaries"]
                if r["ResourceType"] == "AWS::IAM::Role" and r["LogicalResourceId"].startswith("Guard"))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/snapback-guard"
    world.principals(**{simulated.GUARD_KEY: session, simulated.THIEF: f"arn:aws:iam::{ACCOUNT}:user/mallory"})
    return simulated.Scene(world, deployed, ids, role, until)


def play(scene, stories, results, prefix=""):
    for story in stories:
        name = prefix + story.__name__.replace("_", "-")
        began = time.time()
        try:
            story(scene)
            results.append({"name": name, "outcome": "passed", "seconds": round(time.time() - began, 2)})
        except Exception as failure:  # noqa: BLE001 - every failure is a result, the next story still runs
            results.append({"name": name, "outcome": "failed", "why": f"{type(failure).__name__}: {failure}"})
        last = results[-1]
        print(f"  {last['outcome']:7} {name} {last.get('seconds', '')} {last.get('why', '')}", file=sys.stderr, flush=True)


def pattern_stories(scene):
    """EventBridge's own matcher on the deployed patterns: what must reach the inbox, and what must not."""
    rules = scene.deployed.events.list_rules()["Rules"]
    patterns = [rule["EventPattern"] for rule in rules if rule.get("EventPattern")]
    good = cloudtrail.record("AuthorizeSecurityGroupIngress", {"GroupId": scene.ids["web"]}, {})
    cases = {"a change": (good, 1), "a failed call": (good | {"errorCode": "Client.DryRunOperation"}, 0),
             "a read": (good | {"eventName": "DescribeSecurityGroups"}, 0),
             "another service's CreateRoute": (good | {"eventName": "CreateRoute", "eventSource": "apigateway.amazonaws.com"}, 0)}
    for name, (detail, expected) in cases.items():
        event = json.dumps(cloudtrail.envelope(detail) | {"source": SOURCE})
        matched = sum(scene.deployed.events.test_event_pattern(EventPattern=p, Event=event)["Result"] for p in patterns)
        if matched != expected:
            raise Failed(f"{name} matches {matched} rules")
    foreign = cloudtrail.envelope(good) | {"source": SOURCE, "account": "999999999999"}
    if any(scene.deployed.events.test_event_pattern(EventPattern=p, Event=json.dumps(foreign))["Result"] for p in patterns):
        raise Failed("another account's event matches")


def without(action):
    """An edit of the template that takes one right away from every role."""
    def edit(template):
        for resource in template["Resources"].values():
            for policy in resource.get("Properties", {}).get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else []:
                for statement in policy["PolicyDocument"]["Statement"]:
                    actions = statement["Action"]
                    if isinstance(actions, list) and action in actions and len(actions) > 1:
                        actions.remove(action)
    return edit


def missing_right_is_noticed(scene):
    scene.do("AuthorizeSecurityGroupIngress", GroupId=scene.ids["web"], IpPermissions=permission(22, "0.0.0.0/0"))
    hits = scene.alerted("failed", scene.ids["web"])
    if "UnauthorizedOperation" not in json.dumps(hits):
        raise Failed("the alert does not name the denial")
    if state(scene.ec2, scene.ids) == scene.good:
        raise Failed("the rule is gone although the right was missing: the rights are not tested")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/e2e"))
    parser.add_argument("--story")
    parser.add_argument("--only-simulated", action="store_true", help="only the run on our own simulator")
    parser.add_argument("--only-auth", action="store_true", help="only the runs with IAM enforced")
    parser.add_argument("--no-auth", action="store_true", help="leave out the runs with IAM enforced")
    options = parser.parse_args()
    results, began = [], time.time()
    chosen = [s for s in STORIES + [pattern_stories, setting_with_a_typo] if not options.story or s.__name__.replace("_", "-") == options.story]
    runs = [("plain", False, [] if options.only_simulated else chosen, None, "")]
    if not options.only_simulated and not options.no_auth and not options.story:
        runs += [("auth", True, STORIES[:7], None, "auth/"),
                 ("auth-missing-right", True, [missing_right_is_noticed], without("ec2:RevokeSecurityGroupIngress"), "auth/")]
    for name, auth, stories, edit, prefix in runs[1 if options.only_auth else 0:]:
        if not stories:
            continue
        print(f"{name}: emulators and stack", file=sys.stderr, flush=True)
        try:
            with World(options.work / name, auth) as world:
                play(begin(world, options.binaries, {}, edit), stories, results, prefix)
        except Exception as failure:  # noqa: BLE001
            results.append({"name": f"{name}: set-up", "outcome": "failed", "why": f"{type(failure).__name__}: {failure}"})
            print(f"  failed  {results[-1]}", file=sys.stderr)
    chosen = [s for s in simulated.STORIES if not options.story or s.__name__.replace("_", "-") == options.story]
    if chosen and not options.only_auth:
        print("simulated: simulator, emulators and stack", file=sys.stderr, flush=True)
        try:
            with World(options.work / "simulated", simulator=[options.binaries / "snapback"]) as world:
                play(begin_simulated(world, options.binaries), chosen, results, "simulated/")
        except Exception as failure:  # noqa: BLE001
            results.append({"name": "simulated: set-up", "outcome": "failed", "why": f"{type(failure).__name__}: {failure}"})
            print(f"  failed  {results[-1]}", file=sys.stderr)
    json.dump({"stories": results, "seconds": round(time.time() - began, 1)}, sys.stdout, indent=1)
    print()
    return 0 if results and all(r["outcome"] == "passed" for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
