"""The parameters of every EC2 call that a plan makes, against botocore's model of EC2.

The engine's tests hold the code against parameters.json; here that file is held against what boto3 (and with it the
AWS CLI) accepts: unknown names, missing required ones and wrong types are findings.
"""

import json
import pathlib
import sys

import botocore.session
from botocore.validate import ParamValidator

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = ROOT / "crates/snapback-engine/src/plan/tests/parameters.json"

model = botocore.session.get_session().get_service_model("ec2")
failures = []
calls = json.loads(CALLS.read_text())
for call in calls:
    shape = model.operation_model(call["action"]).input_shape
    report = ParamValidator().validate(call["parameters"], shape)
    if report.has_errors():
        failures.append(f"{call['action']}: {report.generate_report()}")
if not calls:
    failures.append(f"{CALLS} names no call")

for failure in failures:
    print(failure, file=sys.stderr)
print(f"parameters: {len(calls)} calls checked, {len(failures)} findings")
sys.exit(bool(failures))
