"""The member role, ready to roll out: a CloudFormation template for a StackSet, or a Terraform file.

Both make one role that the hub may assume, and attach to it what it needs. A document is written as YAML or HCL by a
function of some lines each: scalars are JSON strings, which both languages read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from skysweep.policies import ROLE_NAME, Managed, Policy, only_with, trust

_PLAIN = re.compile(r"[A-Za-z][\w./:-]*(?<!:)", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})  # what YAML takes for no text
_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)


@dataclass(frozen=True)
class Role:
    """What to roll out. policies: the documents to attach. base: the managed policy of AWS to attach beside them.

    hub: the ARN of who may assume the role, None where whoever rolls it out is to say. name: with its path, if any.
    """

    policies: Sequence[Policy]
    base: Managed | None = None
    hub: str | None = None
    external_id: str | None = None
    name: str = ROLE_NAME

    @property
    def path(self) -> str:
        """The path that IAM keeps apart from the name."""
        return "/" + self.name[: self.name.rfind("/") + 1]

    @property
    def bare_name(self) -> str:
        """The name without its path."""
        return self.name.rpartition("/")[2]


# CloudFormation

_STACK_SET = """\
# The role by which skysweep reads a member account. From the organization's management account:
#
#   aws cloudformation create-stack-set --stack-set-name skysweep --template-body file://skysweep.yaml \\
#     --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false \\
#     --capabilities CAPABILITY_NAMED_IAM{parameters}
#   aws cloudformation create-stack-instances --stack-set-name skysweep --regions {region} \\
#     --deployment-targets OrganizationalUnitIds=ROOT_OR_OU_ID
#
# One region is enough: IAM is global. A StackSet leaves the management account out: make a stack of this file there,
# unless the hub stands in it.
"""
_MISSING_HUB = " \\\n#     --parameters ParameterKey=Hub,ParameterValue=arn:aws:iam::HUB_ACCOUNT_ID:root"


def cloudformation(role: Role) -> dict[str, Any]:
    """The template, for a service-managed StackSet or a stack; it needs CAPABILITY_NAMED_IAM."""
    policies = {
        f"Policy{number}": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": document, "Roles": [{"Ref": "Role"}]},
        }
        for number, document in enumerate(role.policies, 1)
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role by which skysweep reads this account; it only reads.",
        "Parameters": _parameters(role),
        "Conditions": {"HasExternalId": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]}},
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": _role_properties(role)}, **policies},
        "Outputs": {"RoleArn": {"Description": "What the hub assumes.", "Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }


def cloudformation_yaml(role: Role, region: str) -> str:
    """The template as YAML, with how to roll it out on top; `region` is where its stacks are to be."""
    head = _STACK_SET.format(parameters="" if role.hub else _MISSING_HUB, region=region)
    return head + yaml(cloudformation(role))


def _parameters(role: Role) -> dict[str, Any]:
    return {
        "Hub": {
            "Type": "String",
            "Description": "ARN of the account (...:root), role or user that may assume the role.",
            "AllowedPattern": r"arn:[a-z-]+:iam::\d{12}:(root|(role|user)/.+)",
            **({"Default": role.hub} if role.hub else {}),
        },
        "ExternalId": {
            "Type": "String",
            "Description": "What the hub gives with --external-id; empty for none.",
            "AllowedPattern": r"|[\w+=,.@:/-]{2,1224}",
            "Default": role.external_id or "",
        },
        "RoleName": {
            "Type": "String",
            "Description": "What the hub gives with --role-name; the same in every account.",
            "AllowedPattern": r"[\w+=,.@-]{1,64}",
            "Default": role.bare_name,
        },
    }


def _role_properties(role: Role) -> dict[str, Any]:
    condition = {"Fn::If": ["HasExternalId", only_with({"Ref": "ExternalId"}), {"Ref": "AWS::NoValue"}]}
    attached = (
        [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy" + role.base.path + role.base.name}] if role.base else []
    )
    return {
        "RoleName": {"Ref": "RoleName"},
        **({"Path": role.path} if role.path != "/" else {}),
        "AssumeRolePolicyDocument": trust({"Ref": "Hub"}, condition),
        **({"ManagedPolicyArns": attached} if attached else {}),
    }


# Terraform

_TERRAFORM = """\
# The role by which skysweep reads an account. Once for every account: a module, with the account's provider.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 4.0"
    }
  }
}

variable "hub" {
  type        = string
  description = "ARN of the account (...:root), role or user that may assume the role."
%(hub)s}

variable "external_id" {
  type        = string
  description = "What the hub gives with --external-id; null for none."
  default     = %(external_id)s
}

variable "role_name" {
  type        = string
  description = "What the hub gives with --role-name; the same in every account."
  default     = %(name)s
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "LetTheHubIn"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [var.hub]
    }

    dynamic "condition" {
      for_each = var.external_id == null ? [] : [var.external_id]

      content {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_iam_role" "skysweep" {
  name               = var.role_name
  path               = %(path)s
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"""
_TERRAFORM_BASE = """
resource "aws_iam_role_policy_attachment" "base" {
  role       = aws_iam_role.skysweep.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy%s"
}
"""
_TERRAFORM_POLICIES = """
locals {
  policies = %s
}

resource "aws_iam_policy" "skysweep" {
  count  = length(local.policies)
  name   = "${var.role_name}-${count.index + 1}"
  policy = jsonencode(local.policies[count.index])
}

resource "aws_iam_role_policy_attachment" "skysweep" {
  count      = length(local.policies)
  role       = aws_iam_role.skysweep.name
  policy_arn = aws_iam_policy.skysweep[count.index].arn
}
"""
_TERRAFORM_OUTPUT = """
output "role_arn" {
  description = "What the hub assumes."
  value       = aws_iam_role.skysweep.arn
}
"""


def terraform(role: Role) -> str:
    """A Terraform file: variables, the role with its trust, its policies."""
    values = {
        "hub": f"  default     = {hcl(role.hub)}\n" if role.hub else "",
        "external_id": hcl(role.external_id),
        "name": hcl(role.bare_name),
        "path": hcl(role.path),
    }
    return "".join(
        (
            _TERRAFORM % values,
            _TERRAFORM_BASE % (role.base.path + role.base.name) if role.base else "",
            _TERRAFORM_POLICIES % "\n  ".join(hcl(role.policies).splitlines()) if role.policies else "",
            _TERRAFORM_OUTPUT,
        )
    )


# Writing


def yaml(document: Mapping[str, Any]) -> str:
    """A document of mappings, sequences and texts as YAML in block style."""
    return "\n".join(_yaml(document)) + "\n"


def _yaml(value: Mapping[str, Any] | Sequence[Any]) -> Iterator[str]:
    pairs: Iterable[tuple[str, Any]]
    if isinstance(value, Mapping):
        pairs = ((f"{_yaml_text(key)}:", each) for key, each in value.items())
    else:
        pairs = (("-", each) for each in value)
    for mark, each in pairs:
        if isinstance(each, str) or not each:
            yield f"{mark} {_yaml_text(each)}"
        elif mark == "-":
            first, *rest = _yaml(each)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield mark
            yield from (f"  {line}" for line in _yaml(each))


def _yaml_text(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return orjson.dumps(value).decode()


def hcl(value: Any) -> str:
    """A value as a Terraform expression, laid out as `terraform fmt` does."""
    if isinstance(value, Mapping):
        return "\n".join(["{", *(f"  {line}" for line in _attributes(value)), "}"])
    if isinstance(value, list | tuple):
        lines = (f"  {line}" for each in value for line in f"{hcl(each)},".splitlines())
        return "\n".join(["[", *lines, "]"])
    return orjson.dumps(value).decode().replace("${", "$${").replace("%{", "%%{")


def _attributes(value: Mapping[str, Any]) -> Iterator[str]:
    """The lines of an object; neighbours of one line each have their signs of equality below each other."""
    written = [(key if _IDENTIFIER.fullmatch(key) else hcl(key), hcl(each)) for key, each in value.items()]
    for one_line, group in groupby(written, key=lambda pair: "\n" not in pair[1]):
        pairs = list(group)
        width = max(len(key) for key, _ in pairs) if one_line else 0
        for key, text in pairs:
            yield from f"{key:{width}} = {text}".splitlines()
