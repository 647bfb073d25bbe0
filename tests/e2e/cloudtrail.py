"""CloudTrail events of EC2 calls, as EventBridge delivers them: nothing offline makes them.

Written by hand from the shapes of real records (flat style), independently of Snapback's own code.
"""

import datetime
import json
import uuid

from emulators import ACCOUNT, REGION

MALLORY = "arn:aws:iam::%s:role/developer" % ACCOUNT


def items(values):
    return {"items": values} if values else {}


def permission(p):
    flat = {"ipProtocol": p["IpProtocol"], "groups": items([{"groupId": g["GroupId"]} for g in p.get("UserIdGroupPairs", [])]),
            "ipRanges": items([camel(r) for r in p.get("IpRanges", [])]), "ipv6Ranges": items([camel(r) for r in p.get("Ipv6Ranges", [])]),
            "prefixListIds": items([camel(r) for r in p.get("PrefixListIds", [])])}
    if p["IpProtocol"] != "-1":
        flat |= {"fromPort": p["FromPort"], "toPort": p["ToPort"]}
    return flat


def camel(value):
    return {key[0].lower() + key[1:]: item for key, item in value.items()}


def group_request(parameters):
    request = {"groupId": parameters["GroupId"], "ipPermissions": items([permission(p) for p in parameters.get("IpPermissions", [])])}
    if "SecurityGroupRuleIds" in parameters:
        request["securityGroupRuleIds"] = items([{"securityGroupRuleId": r} for r in parameters["SecurityGroupRuleIds"]])
    return request


def request_of(api, parameters):
    return group_request(parameters) if "SecurityGroup" in api else camel(parameters)


def response_of(response):
    flat = {"requestId": str(uuid.uuid4()), "_return": True}
    if "NewAssociationId" in response:
        flat["newAssociationId"] = response["NewAssociationId"]
    if response.get("SecurityGroupRules"):
        flat["securityGroupRuleSet"] = items([camel(r) for r in response["SecurityGroupRules"]])
    return flat


def identity(role=MALLORY, session="mallory"):
    name = role.rsplit("/", 1)[1]
    return {"type": "AssumedRole", "principalId": f"AROAEXAMPLE:{session}", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
            "accountId": ACCOUNT, "accessKeyId": "ASIAEXAMPLE", "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": role, "accountId": ACCOUNT, "userName": name},
                "attributes": {"creationDate": "2026-11-23T08:00:00Z", "mfaAuthenticated": "false"}}}


def record(api, parameters, response, who=None, at=None):
    """The record of a call that succeeded."""
    at = at or datetime.datetime.now(datetime.timezone.utc)
    flat = response_of(response)
    return {"eventVersion": "1.11", "userIdentity": who or identity(), "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "ec2.amazonaws.com", "eventName": api, "awsRegion": REGION, "sourceIPAddress": "198.51.100.7",
            "userAgent": "aws-cli/2.31.0", "requestParameters": request_of(api, parameters), "responseElements": flat,
            "requestID": flat["requestId"], "eventID": str(uuid.uuid4()), "readOnly": False, "eventType": "AwsApiCall",
            "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management"}


def entry(detail, source):
    """A PutEvents entry."""
    return {"Source": source, "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail), "Resources": []}


def envelope(detail):
    """The message as EventBridge writes it to a queue."""
    return {"version": "0", "id": str(uuid.uuid4()), "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "account": ACCOUNT,
            "time": detail["eventTime"], "region": REGION, "resources": [], "detail": detail}
