"""Checks of template.yaml that need no AWS: translate, lint, and what no linter sees.

cfn-lint on the SAM file finds next to nothing, on the translated one most things (local-aws.md 4). What neither
catches (schedule expressions, misspelt operators in event patterns, a wrong build method, the pattern's size,
rights wider than named) is checked here.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import translate as sam  # noqa: E402

PATTERN_LIMIT = 2048
OPERATORS = {"exists", "prefix", "suffix", "anything-but", "equals-ignore-case", "wildcard", "numeric", "cidr"}
failures = []


def check(ok, message):
    if not ok:
        failures.append(message)


def lint(template):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        result = subprocess.run(
            [str(pathlib.Path(sys.executable).parent / "cfn-lint"), "--format", "parseable", "--", file.name],
            capture_output=True, text=True)
    check(result.returncode == 0, "cfn-lint on the translated template:\n" + result.stdout + result.stderr)


def rate_or_cron(expression):
    rate = re.fullmatch(r"rate\((\d+) (minutes?|hours?|days?)\)", expression)
    if rate:
        count, unit = int(rate[1]), rate[2]
        return count >= 1 and (unit.endswith("s") == (count > 1))
    cron = re.fullmatch(r"cron\((.+)\)", expression)
    if not cron:
        return False
    fields = cron[1].split()
    return len(fields) == 6 and (fields[2] == "?") != (fields[4] == "?")


def check_schedules(source, template):
    check(rate_or_cron("rate(1 minute)") and not rate_or_cron("rate(10 minute)") and not rate_or_cron("rate(1 minutes)"),
          "the schedule check itself is wrong")
    check(rate_or_cron("cron(0 3 * * ? *)") and not rate_or_cron("cron(0 3 * * *)"), "the schedule check itself is wrong")
    check(rate_or_cron(source["Parameters"]["SweepSchedule"]["Default"]), "SweepSchedule's default is no schedule")
    scheduled = [r for r in template["Resources"].values() if r["Type"] == "AWS::Events::Rule" and "ScheduleExpression" in r["Properties"]]
    check(len(scheduled) == 1 and scheduled[0]["Properties"]["ScheduleExpression"] == {"Ref": "SweepSchedule"}
          and scheduled[0]["Properties"].get("State", "ENABLED") == "ENABLED", "the sweep is not scheduled by SweepSchedule")


def operators(pattern, path="pattern"):
    if isinstance(pattern, dict):
        for key, value in pattern.items():
            if set(pattern) == {"Ref"}:
                return
            operators(value, f"{path}.{key}")
        return
    check(isinstance(pattern, list) and pattern, f"{path} must be a list that is not empty")
    for item in pattern if isinstance(pattern, list) else []:
        if isinstance(item, dict) and set(item) != {"Ref"}:
            check(set(item) <= OPERATORS, f"{path}: unknown operator {sorted(item)}")


def check_patterns(template):
    names = []
    for name, rule in rules(template):
        pattern = rule["Properties"]["EventPattern"]
        operators(pattern, name)
        text = json.dumps(pattern, separators=(",", ":")).replace('{"Ref":"AWS::AccountId"}', '"111122223333"')
        text = text.replace('{"Ref":"EventSource"}', '"aws.ec2"')
        check(len(text) <= PATTERN_LIMIT, f"{name}: pattern is {len(text)} characters, over {PATTERN_LIMIT}")
        check(pattern["detail"]["errorCode"] == [{"exists": False}], f"{name}: failed calls must not match")
        check("account" in pattern and "source" in pattern, f"{name}: must match source and account")
        names += pattern["detail"]["eventName"]
        targets = rule["Properties"]["Targets"]
        check(all("DeadLetterConfig" in target for target in targets), f"{name}: a target without dead-letter queue")
    check(len(names) == len(set(names)), "an event name stands in two rules: it would be handled twice")


def rules(template):
    return [(n, r) for n, r in template["Resources"].items() if r["Type"] == "AWS::Events::Rule" and "EventPattern" in r["Properties"]]


def statements(template):
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement


def check_rights(template):
    writes = re.compile(r"^ec2:(?!Describe|Get)")
    for role, statement in statements(template):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        check(not any("*" in action for action in actions), f"{role}/{statement['Sid']}: wildcard action")
        if statement["Resource"] == "*":
            allowed = ("ec2:Describe", "cloudtrail:LookupEvents", "dynamodb:ListStreams")
            check(all(action.startswith(allowed) for action in actions), f"{role}/{statement['Sid']}: Resource * for {actions}")
        check(role == "GuardRole" or not any(writes.match(action) for action in actions),
              f"{role}/{statement['Sid']}: only the guard may change EC2")
    managed = [n for n, r in template["Resources"].items() if r["Type"] == "AWS::IAM::Role" and r["Properties"].get("ManagedPolicyArns")]
    check(not managed, f"roles with managed policies: {managed}")


def check_functions(source, template):
    for name, resource in source["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            metadata = resource.get("Metadata", {})
            check(metadata.get("BuildMethod") == "rust-cargolambda", f"{name}: BuildMethod must be rust-cargolambda")
            binary = metadata.get("BuildProperties", {}).get("Binary", "")
            check((ROOT / "functions" / binary / "Cargo.toml").exists(), f"{name}: no function `{binary}`")
    for name, function in template["Resources"].items():
        if function["Type"] == "AWS::Lambda::Function":
            properties = function["Properties"]
            check(properties["Runtime"] == "provided.al2023", f"{name}: runtime")
            check("LogGroup" in properties.get("LoggingConfig", {}), f"{name}: no log group of its own")
    for name, group in template["Resources"].items():
        if group["Type"] == "AWS::Logs::LogGroup":
            check("RetentionInDays" in group["Properties"], f"{name}: no retention")
    inbox, guard = template["Resources"]["Inbox"]["Properties"], template["Resources"]["GuardFunction"]["Properties"]
    check(inbox["VisibilityTimeout"] >= 6 * guard["Timeout"], "the inbox's visibility timeout must be six times the guard's")
    for name, parameter in source["Parameters"].items():
        check(len(parameter.get("Description", "")) > 20, f"parameter {name} has no description")
    check(source["Parameters"]["Mode"]["Default"] == "observe", "the default mode must be observe")


def main():
    source = sam.source()
    template = sam.translate()
    lint(template)
    check_schedules(source, template)
    check_patterns(template)
    check_rights(template)
    check_functions(source, template)
    for failure in failures:
        print(f"template: {failure}", file=sys.stderr)
    print(f"template: {len(template['Resources'])} resources, {len(failures)} findings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
