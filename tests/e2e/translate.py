"""template.yaml (SAM) to plain CloudFormation, as the deployment does it, without AWS.

Owns: reading the template and running aws-sam-translator over it.
Gives: `translate(code_uri_of)` -> dict; run as a program it writes the JSON to standard output.
"""

import json
import os
import pathlib
import sys

from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"


class NoManagedPolicies(ManagedPolicyLoader):
    """The template names no managed policies, so none need to be fetched from IAM."""

    def load(self):
        return {}


def source():
    """The SAM template as Python values."""
    return yaml_parse(TEMPLATE.read_text())


def translate(code_uri_of=lambda binary: f"s3://artifacts/{binary}.zip", template=None):
    """The translated template. `code_uri_of(binary)` says where a function's zip lies."""
    template = template or source()
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code_uri_of(resource["Metadata"]["BuildProperties"]["Binary"])
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks boto3 for a Region
    return transform(template, {}, NoManagedPolicies(None))


if __name__ == "__main__":
    json.dump(translate(), sys.stdout, indent=1, sort_keys=True)
