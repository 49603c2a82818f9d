from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from typer import Option

from skysweep import catalogue, policies, rollout
from skysweep.cli.options import Json, Syncs, names
from skysweep.cli.screen import print_json, say
from skysweep.errors import BadSettings
from skysweep.policies import ALWAYS, Managed, Policy, policy
from skysweep.regions import home

__all__ = ["ALWAYS", "permissions", "policy"]

_ROLLOUT = {"--aws-requested-syncs", "--beyond", "--trust", "--external-id", "--role-name", "--partition"}
_GOES_WITH = {
    "--cloudformation": {*_ROLLOUT, "--json"},
    "--terraform": _ROLLOUT,
    "--hub": {"--role-name", "--partition", "--json"},
    "--trust": {"--external-id", "--partition", "--json"},
    "": {"--aws-requested-syncs", "--beyond", "--json"},
}
"""What can be printed, by the option that asks for it, and the options that have a meaning there."""


def permissions(
    *,
    aws_requested_syncs: Syncs = None,
    beyond: Annotated[
        str | None,
        Option("--beyond", help="Only what AWS's managed policy of this name lacks: SecurityAudit or ViewOnlyAccess."),
    ] = None,
    trust: Annotated[
        str | None,
        Option("--trust", help="The hub, by account id or role ARN; alone, prints the member role's trust policy."),
    ] = None,
    hub: Annotated[
        bool, Option("--hub", help="Print what the hub needs to find the accounts and to enter them.")
    ] = False,
    terraform: Annotated[bool, Option("--terraform", help="Print the member's role as a Terraform file.")] = False,
    cloudformation: Annotated[
        bool, Option("--cloudformation", help="Print the member's role as a CloudFormation template, for a StackSet.")
    ] = False,
    external_id: Annotated[
        str | None, Option("--external-id", help="External id that the trust policy asks for.")
    ] = None,
    role_name: Annotated[
        str | None, Option("--role-name", help="Name of the members' role, with its path. [else skysweep]")
    ] = None,
    partition: Annotated[
        str | None, Option("--partition", help="Partition of the hub and its members, such as aws-cn. [else aws]")
    ] = None,
    json: Json = False,
) -> None:
    """Print the least IAM policies for what is selected."""
    given = {
        "--cloudformation": cloudformation or None,
        "--terraform": terraform or None,
        "--hub": hub or None,
        "--trust": trust,
        "--aws-requested-syncs": aws_requested_syncs,
        "--beyond": beyond,
        "--external-id": external_id,
        "--role-name": role_name,
        "--partition": partition,
        "--json": json or None,
    }
    form = _form({option for option, value in given.items() if value is not None})
    if form == "--trust":
        return print_json(_trust(given))
    if form == "--hub":
        return print_json(policies.hub(_role_name(given), _partition(given)))
    base = policies.managed(beyond) if beyond is not None else None
    role = _role(given, _documents(aws_requested_syncs, base), base)
    if base:
        _tell(base, _partition(given))
    return _roll_out(form, role, given) if form else _print(role.policies)


def _form(given: set[str]) -> str:
    """The option that says what to print, none for the policies; BadSettings for options that do not go together."""
    form = next((option for option in _GOES_WITH if option in given), "")
    for option in sorted(given - {form} - _GOES_WITH[form]):
        if form:
            raise BadSettings(f"{option} has no meaning with {form}: leave one of them out")
        needed = [each for each, options in _GOES_WITH.items() if option in options]
        raise BadSettings(f"{option} needs one of {', '.join(needed)}")
    if "--partition" in given and form in ("--cloudformation", "--terraform") and "--trust" not in given:
        raise BadSettings(f"--partition needs --trust here: with {form} it is the partition of the hub's ARN")
    return form


# The documents


def _documents(syncs: str | None, base: Managed | None) -> list[Policy]:
    """The policies for the selection, or for what the managed policy lacks of it: as few as IAM's size allows."""
    actions = {*ALWAYS, *catalogue.load(names(syncs)).permissions()}
    return policies.parts(base.lacks(actions) if base else actions)


def _print(documents: Sequence[Policy]) -> None:
    """One policy as it is; several, where IAM takes no longer one, as a list."""
    if len(documents) > 1:
        say(f"{len(documents)} policies, as a list: IAM takes {policies.LIMIT:,} characters in one; attach all of them")
    print_json(documents if len(documents) > 1 else (documents or [policy([])])[0])


def _tell(base: Managed, partition: str) -> None:
    """What the answer rests on: the copy of AWS's policy, which AWS may have changed since."""
    say(f"beside {base.name} as of {base.updated} ({base.version}), which is to be attached too")
    if partition != policies.PARTITIONS[0]:
        say(f"{base.name} of partition {partition} may differ from this copy, which is of partition aws")


# The hub and the role


def _trust(given: Mapping[str, Any]) -> Policy:
    external_id = _external_id(given)
    return policies.trust(_hub(given), policies.only_with(external_id) if external_id else None)


def _role(given: Mapping[str, Any], documents: list[Policy], base: Managed | None) -> rollout.Role:
    arn = _hub(given) if given["--trust"] is not None else None
    return rollout.Role(documents, base, arn, _external_id(given), _role_name(given))


def _roll_out(form: str, role: rollout.Role, given: Mapping[str, Any]) -> None:
    if given["--json"]:
        return print_json(rollout.cloudformation(role))
    region = home("iam", _partition(given))
    sys.stdout.write(rollout.terraform(role) if form == "--terraform" else rollout.cloudformation_yaml(role, region))
    return None


def _hub(given: Mapping[str, Any]) -> str:
    if given["--partition"] is not None:
        policies.check_partition(given["--partition"])
    return policies.principal(given["--trust"], given["--partition"])


def _partition(given: Mapping[str, Any]) -> str:
    """The partition of all this: the hub's, where the hub is given."""
    if given["--trust"] is not None:
        return _hub(given).split(":")[1]
    return policies.PARTITIONS[0] if given["--partition"] is None else policies.check_partition(given["--partition"])


def _role_name(given: Mapping[str, Any]) -> str:
    return policies.ROLE_NAME if given["--role-name"] is None else policies.check_role_name(given["--role-name"])


def _external_id(given: Mapping[str, Any]) -> str | None:
    return None if given["--external-id"] is None else policies.check_external_id(given["--external-id"])
