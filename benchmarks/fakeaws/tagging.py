"""The tagging API: what it says of the resources that it is asked about by their ARNs."""

from __future__ import annotations

from typing import Any

from benchmarks.fakeaws.content import number_in
from benchmarks.fakeaws.faults import Error
from benchmarks.fakeaws.identity import Identity, Refused
from benchmarks.fakeaws.models import Inputs

MOST = 100
PAGING = {"PaginationToken", "ResourcesPerPage", "TagsPerPage"}


def tags(identity: Identity, inputs: Inputs, account: str) -> dict[str, Any]:
    """The tag that listings tell of a resource of that number, for each ARN. Raises Refused as AWS does."""
    del identity, account
    arns = inputs.get("ResourceARNList") or ()
    if len(arns) > MOST or PAGING.intersection(inputs):
        raise Refused(Error(400, "InvalidParameterException", "at most 100 ARNs, and no pagination beside them"))
    return {
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": "Name", "Value": f"thing-{number_in(arn)}"}]} for arn in arns
        ]
    }
