"""The child process that is the demo's AWS: moto behind loopback HTTP until stdin closes.

Run as `python -m skysweep.demo.emulator`; prints its port on one line when it listens.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

from moto.iam import models as iam_models
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.server import ThreadedMotoServer

from skysweep.demo.corrections import correct_moto
from skysweep.demo.identifiers import go_by_request
from skysweep.demo.lacking import answer_what_is_lacking
from skysweep.demo.session import is_loopback

AWS_MANAGED_POLICIES = frozenset(
    {"AdministratorAccess", "AmazonS3ReadOnlyAccess", "AWSLambdaBasicExecutionRole", "ReadOnlyAccess", "SecurityAudit"}
)
"""The AWS-managed policies that exist here; all 1,500 of them in each account would be most of every IAM reply."""


def refuse_the_world(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise PermissionError when this process is about to look up or talk to any host but loopback (an audit hook)."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else address  # else the path of a Unix socket: Docker's, say
    else:
        return
    if not is_loopback(str(host)):
        raise PermissionError(f"the demo's emulator does not talk to {host!r}")


def keep_few_managed_policies() -> None:
    """Cut moto's copy of the AWS-managed policies to AWS_MANAGED_POLICIES, as if no other had been published."""
    catalogue = json.loads(aws_managed_policies_data)
    kept = {name: policy for name, policy in catalogue.items() if name in AWS_MANAGED_POLICIES}
    iam_models.aws_managed_policies_data = json.dumps(kept)  # type: ignore[attr-defined]  # imported there, read there


def main() -> None:
    """Serve until stdin closes, which it does when the parent ends, however it ends."""
    sys.addaudithook(refuse_the_world)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    keep_few_managed_policies()
    correct_moto()
    go_by_request()
    answer_what_is_lacking()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # everything is in memory: taking it down object by object takes a second and saves nothing


if __name__ == "__main__":
    main()
