"""Writes src/skysweep/data/managed-policies.json: what AWS's own audit policies allow.

The documents are AWS's, as moto carries them (its `make aws_managed_policies` reads them from IAM). After a new moto:
`cd tests && python -m managed_policies`; tests/test_policies.py fails where the file is stale.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

FILE = Path(__file__).resolve().parents[1] / "src" / "skysweep" / "data" / "managed-policies.json"
NAMES = ("SecurityAudit", "ViewOnlyAccess")


def text() -> str:
    """The file's text; an action that only some resources allow, or a condition, stands under `limited`."""
    every = json.loads(aws_managed_policies_data)
    source = f"IAM's GetPolicyVersion, as moto {version('moto')} carries it (moto/iam/aws_managed_policies.py)"
    document = {"source": source, "policies": {name: _policy(every[name]) for name in NAMES}}
    return json.dumps(document, indent=1) + "\n"


def _policy(found: dict[str, Any]) -> dict[str, Any]:
    statements = found["Document"]["Statement"]
    odd = [each for each in statements if each["Effect"] != "Allow" or "Action" not in each]
    if odd:
        raise ValueError(f"statements of a kind that skysweep.policies does not know: {odd}")
    whole = [each for each in statements if each["Resource"] == "*" and "Condition" not in each]
    return {
        "path": found["Path"],
        "version": found["DefaultVersionId"],
        "updated": found["UpdateDate"][:10],
        "actions": sorted(action for each in whole for action in each["Action"]),
        "limited": sorted(action for each in statements if each not in whole for action in each["Action"]),
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
