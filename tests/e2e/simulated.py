"""Stories on our own simulator: the real Lambdas over HTTP, an EC2 that refuses, throttles and loses answers as EC2 does.

Owns: the tail of the simulator's events into EventBridge, the picture of an account whose ids may change.
Gives: `build(ec2)`, `Scene`, `STORIES`.
Must not: make up an event: each is the simulator's own record of a call.
"""

import json
import subprocess
import threading
import time

import deployment
from cloudtrail import entry
from deployment import SOURCE, acl_association
from emulators import ACCOUNT, REGION

GUARD_KEY, THIEF, PERSON, DEPLOYER = ACCOUNT, "mallory", "olga", "deployer"  # ministack's Lambdas sign with the number of their account
LINEAGE = ("snapback:successor-of", "snapback:incident")


class Courier(threading.Thread):
    """Takes each event of the simulator to EventBridge, once, in the order in which they were written."""

    def __init__(self, world, deployed):
        super().__init__(daemon=True)
        self.world, self.deployed, self.taken, self.failure, self.stop = world, deployed, 0, None, False

    def run(self):
        try:
            with open(self.world.events, encoding="utf-8") as events:
                rest = ""
                while not self.stop:
                    rest += events.read()
                    *lines, rest = rest.split("\n")
                    for line in lines:
                        detail = json.loads(line)["detail"]
                        if "errorCode" not in detail:  # as the deployed rules have it
                            self.deployed.send(entry(detail, SOURCE))
                            self.taken += 1
                    time.sleep(0.05)
        except Exception as failure:  # noqa: BLE001 - the story must hear of it
            self.failure = failure


def named(pairs):
    return {tag["Key"]: tag["Value"] for tag in pairs or [] if tag["Key"] not in LINEAGE}


def picture(ec2, vpc):
    """All that is guarded in a VPC, by names instead of ids: what was made again must look as it did."""
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = ec2.describe_security_groups(Filters=here)["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}

    def peer(rule):
        referenced = rule.get("ReferencedGroupInfo", {}).get("GroupId")
        return rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or names.get(referenced, referenced)

    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": list(names)}])["SecurityGroupRules"]
    seen = {"rules": sorted((names[r["GroupId"]], r["IsEgress"], r["IpProtocol"], r.get("FromPort"), r.get("ToPort"), str(peer(r)),
                             r.get("Description") or "") for r in rules),
            "groups": sorted((g["GroupName"], g["Description"], json.dumps(named(g.get("Tags")), sort_keys=True)) for g in groups)}
    acls = ec2.describe_network_acls(Filters=here)["NetworkAcls"]
    seen["acls"] = sorted(json.dumps({
        "tags": named(acl.get("Tags")), "default": acl["IsDefault"], "subnets": sorted(a["SubnetId"] for a in acl["Associations"]),
        "entries": sorted(json.dumps(e, sort_keys=True) for e in acl["Entries"])}, sort_keys=True) for acl in acls)
    tables = ec2.describe_route_tables(Filters=here)["RouteTables"]
    seen["tables"] = sorted(json.dumps({
        "tags": named(table.get("Tags")), "main": any(a.get("Main") for a in table["Associations"]),
        "subnets": sorted(a["SubnetId"] for a in table["Associations"] if a.get("SubnetId")),
        "routes": sorted(json.dumps(r, sort_keys=True) for r in table["Routes"])}, sort_keys=True) for table in tables)
    return seen


class Scene:
    """What a story works with: the account by names, Mallory's hands, the simulator's faults."""

    def __init__(self, world, deployed, ids, guard, until):
        self.world, self.deployed, self.ids, self.wait = world, deployed, ids, until
        self.courier = Courier(world, deployed)
        self.courier.start()
        self.ec2, self.mallory = world.ec2, world.client_of(THIEF)
        self.good = picture(self.ec2, ids["vpc"])
        self.guard = guard

    def until(self, what, condition, seconds=90):
        def watched():
            if self.courier.failure:
                raise self.courier.failure
            return condition()
        return self.wait(what, watched, seconds)

    def restored(self):
        try:
            self.until("the account looks as it did", lambda: picture(self.ec2, self.ids["vpc"]) == self.good)
        except AssertionError as failure:
            now = picture(self.ec2, self.ids["vpc"])
            wrong = {key: {"good": self.good[key], "live": now[key]} for key in now if now[key] != self.good[key]}
            raise AssertionError(f"{failure}: {json.dumps(wrong)}") from None

    def successors(self, old):
        """What carries the mark of a deleted id: exactly one may."""
        found = self.ec2.describe_tags(Filters=[{"Name": "key", "Values": [LINEAGE[0]]}, {"Name": "value", "Values": [old]}])["Tags"]
        return [tag["ResourceId"] for tag in found]

    def made_again(self, old):
        found = self.until(f"a successor of {old}", lambda: self.successors(old))
        if len(found) != 1:
            raise AssertionError(f"{old} has {len(found)} successors: {found}")
        return found[0]

    def told(self, outcome, *words):
        """The alert with this outcome whose text holds all these words; Slack has it too."""
        def found():
            texts = [json.dumps(alert) for alert in self.deployed.collect_alerts()]
            return [text for text in texts if all(word in text for word in (outcome, *words))]
        hits = self.until(f"an alert `{outcome}` with {words}", found)
        self.until(f"Slack tells of {words}", lambda: any(all(word in json.dumps(post) for word in words) for post in self.world.slack.posts))
        return hits

    def writes(self, since):
        """The guard's writes by the simulator's own book: (action, outcome)."""
        calls = self.world.ask("GET", "calls")
        return [(c["action"], c["outcome"]) for c in calls[since:] if not c["read"] and self.guard in c["by"]]

    def snapback(self, *arguments, code=0):
        """The command line in Olga's hands, against the deployed tables. Returns what it printed."""
        environment = dict(self.world.environment, AWS_ACCESS_KEY_ID=PERSON, AWS_REGION=REGION,
                           SNAPBACK_STATE_TABLE=self.deployed.outputs["StateTableName"],
                           SNAPBACK_JOURNAL_TABLE=self.deployed.outputs["JournalTableName"],
                           SNAPBACK_INBOX_URL=self.deployed.outputs["InboxUrl"])
        ran = subprocess.run([self.world.simulator[0], *arguments], env=environment, capture_output=True, text=True, timeout=120)
        if ran.returncode != code:
            raise AssertionError(f"snapback {' '.join(arguments)}: exit {ran.returncode}: {ran.stderr[-2000:]}{ran.stdout[-500:]}")
        return ran.stdout

    def stays(self, what, condition, seconds=6):
        """For a while nothing changes it: the guard has heard of all events by then."""
        deadline = time.time() + seconds
        while time.time() < deadline:
            if not condition():
                raise AssertionError(f"it did not stay so: {what}")
            time.sleep(0.5)

    def mark(self):
        return len(self.world.ask("GET", "calls"))


def deleted_group(scene):
    """A reference is revoked, then the group goes: both come back, the reference to the new id."""
    web = scene.ids["web"]
    permission = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": web}]}]
    scene.mallory.revoke_security_group_ingress(GroupId=scene.ids["db"], IpPermissions=permission)
    scene.mallory.delete_security_group(GroupId=web)
    scene.restored()
    scene.ids["web"] = scene.made_again(web)
    scene.told("reverted", web, scene.ids["web"])


def deleted_acl(scene):
    """The subnet is moved away, then the ACL goes: made again with its entries, the subnet back under it."""
    acl = scene.ids["acl"]
    association, _ = acl_association(scene.ec2, scene.ids["private"])
    scene.mallory.replace_network_acl_association(AssociationId=association, NetworkAclId=scene.ids["empty_acl"])
    scene.mallory.delete_network_acl(NetworkAclId=acl)
    scene.restored()
    scene.ids["acl"] = scene.made_again(acl)
    if acl_association(scene.ec2, scene.ids["private"])[1] != scene.ids["acl"]:
        raise AssertionError("the subnet is not under the new ACL")
    scene.told("reverted", acl, scene.ids["acl"])


def deleted_table(scene):
    """The subnet is taken off its table, then the table goes: made again with its routes, the subnet back on it."""
    table = scene.ids["table"]
    found = scene.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
    for association in found["Associations"]:
        scene.mallory.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    scene.mallory.delete_route_table(RouteTableId=table)
    scene.restored()
    scene.ids["table"] = scene.made_again(table)
    scene.told("reverted", table, scene.ids["table"])


def vandalise(scene):
    """Three entries of the ACL in one go: a plan of several calls."""
    acl = scene.ids["acl"]
    for number in (100, 110, 120):
        scene.mallory.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=False)


def throttled_plan(scene):
    """EC2 throttles the plan's calls and loses an answer: waited out, nothing twice, the end as it was."""
    mark = scene.mark()
    scene.world.faults("throttle:CreateNetworkAclEntry:3", "lost-response:CreateNetworkAclEntry")
    vandalise(scene)
    scene.restored()
    scene.told("reverted", scene.ids["acl"])
    writes = scene.writes(mark)
    if [outcome for _, outcome in writes].count("RequestLimitExceeded") != 3:
        raise AssertionError(f"three calls were to be throttled: {writes}")
    if any(outcome == "NetworkAclEntryAlreadyExists" for _, outcome in writes):
        raise AssertionError(f"a call whose answer was lost was made again without a look: {writes}")


def half_failed_plan(scene):
    """The second call is denied: told with what is left and the code; nothing else is written. Once the right is back, another look ends it."""
    acl, mark = scene.ids["acl"], scene.mark()
    scene.world.faults("denied:CreateNetworkAclEntry:always:1")
    before = len(scene.deployed.collect_alerts())
    vandalise(scene)
    scene.until("a failed revert is told", lambda: any(
        "UnauthorizedOperation" in json.dumps(a) and acl in json.dumps(a) for a in scene.deployed.collect_alerts()[before:]))
    if picture(scene.ec2, scene.ids["vpc"]) == scene.good:
        raise AssertionError("all of it is back although EC2 denied it")
    outcomes = [outcome for action, outcome in scene.writes(mark) if action == "CreateNetworkAclEntry"]
    if outcomes.count("ok") != 1:
        raise AssertionError(f"one call was to pass: {outcomes}")
    scene.world.faults()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    scene.deployed.raw(json.dumps({"snapback": "recheck", "resource": acl, "why": {"asked": "the right is back"}, "asked_at": now}))
    scene.restored()
    # Asked for, or by one of Mallory's events that came again meanwhile.
    scene.until("the end is told", lambda: any(
        '"reverted' in json.dumps(a).replace("\\", "") and acl in json.dumps(a) for a in scene.deployed.collect_alerts()[before:]))


def has_rule(scene, port):
    rules = picture(scene.ec2, scene.ids["vpc"])["rules"]
    return any(rule[0] == "web" and not rule[1] and rule[3] == port for rule in rules)


def person_rolls_back(scene):
    """A deployment's change becomes a generation; Olga leads the group back to the one before, and the guard lets her."""
    web = scene.ids["web"]
    opened = [{"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "a release"}]}]
    before = json.loads(scene.snapback("history", web, "--format", "json"))["generations"]
    scene.world.client_of(DEPLOYER).authorize_security_group_ingress(GroupId=web, IpPermissions=opened)
    generations = scene.until("a generation for the deployment's change", lambda: [
        g for g in [json.loads(scene.snapback("history", web, "--format", "json"))["generations"]] if len(g) > len(before)])[0]
    if "deployer" not in json.dumps(generations[0]):
        raise AssertionError(f"who made it? {generations[0]}")
    target = str(before[0]["generation"])
    shown = scene.snapback("rollback", "--to", target, web, "--dry-run")
    if "safe" not in shown or not has_rule(scene, 8443):
        raise AssertionError(f"a dry run shows the plan and makes nothing: {shown}")
    scene.snapback("rollback", "--to", target, web, "--yes", "--why", "the release was bad")
    scene.restored()
    scene.stays("the release's rule is gone", lambda: not has_rule(scene, 8443))
    newest = json.loads(scene.snapback("history", web, "--format", "json"))["generations"][0]
    if "the release was bad" not in json.dumps(newest):
        raise AssertionError(f"the reason is part of the history: {newest}")


def person_undoes_a_revert(scene):
    """Mallory's change was meant: Olga undoes the revert, and the guard leaves it alone from now on."""
    web, mark = scene.ids["web"], scene.mark()
    opened = [{"IpProtocol": "tcp", "FromPort": 9443, "ToPort": 9443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    scene.mallory.authorize_security_group_ingress(GroupId=web, IpPermissions=opened)
    scene.until("the guard takes it back", lambda: scene.writes(mark))
    scene.restored()
    scene.told("reverted", web, "9443")
    machine = [json.loads(alert["MessageAttributes"]["json"]["Value"]) for alert in scene.deployed.collect_alerts() if "9443" in json.dumps(alert)]
    incident = next(told["incident"] for told in machine if told["outcome"] == "reverted" and told["resource"] == web)
    scene.snapback("undo", incident, "--yes", "--why", "it was meant")
    if not has_rule(scene, 9443):
        raise AssertionError("the rule did not come back")
    scene.stays("the rule", lambda: has_rule(scene, 9443))
    scene.good = picture(scene.ec2, scene.ids["vpc"])


def nobody_is_accused(scene):
    """The guard knew every event of its own calls by its request id, in all stories before."""
    accused = [json.dumps(a) for a in scene.deployed.collect_alerts() if "impostor" in json.dumps(a)]
    if accused:
        raise AssertionError(f"{len(accused)} of our own calls were taken for somebody else's: {accused[0][:600]}")


STORIES = [deleted_group, deleted_acl, deleted_table, throttled_plan, half_failed_plan, person_rolls_back, person_undoes_a_revert,
           nobody_is_accused]


def build(ec2):
    """The account of the other runs, with names on what may be made again and a group that refers to another."""
    ids = deployment.build_account(ec2)
    # Carried by an interface a group cannot be deleted.
    ec2.delete_network_interface(NetworkInterfaceId=ids["eni"])
    ids["db"] = ec2.create_security_group(GroupName="db", Description="databases", VpcId=ids["vpc"])["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=ids["db"], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": ids["web"], "Description": "the web servers"}]}])
    for name in ("web", "acl", "table"):
        ec2.create_tags(Resources=[ids[name]], Tags=[{"Key": "Name", "Value": name}, {"Key": "team", "Value": "network"}])
    return ids
