"""One emulated estate, and the two programs that sweep it, each in a process and an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skysweep.demo.estate import build
from skysweep.demo.session import DUMMY, Account, Clients, Keys
from wide import build_wide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neo4j_server import Neo4jServer
    from skysweep.demo.estate import Estate

CARTOGRAPHY = "0.143.0"
RUNNER = Path(__file__).with_name("cartography_run.py")


def build_estate(endpoint: str) -> Estate:
    """Build the demo's estate and the wide one on it, and bring the default network of every region into being.

    moto makes a region's default VPC at the first EC2 call there: its ids would depend on which collector called first.
    """
    estate = build(endpoint)
    build_wide(endpoint, estate)
    management = Account(estate.management_account_id, "", Clients(endpoint), Keys())
    for account_id, name in estate.accounts.items():
        account = management.assume(account_id, name)
        for region in estate.regions:
            account.client("ec2", region).describe_vpcs()
    return estate


def environment(folder: Path, endpoint: str, estate: Estate, server: Neo4jServer) -> dict[str, str]:
    """Write an AWS configuration with a profile for each account; give the variables that either collector needs.

    Nothing of AWS, Neo4j or Cartography is taken over from this process' own environment.
    """
    config = folder / "config"
    profiles = [
        f"[profile {name}]\nrole_arn = arn:aws:iam::{account}:role/{estate.role_name}\n"
        f"credential_source = Environment\nregion = {estate.regions[0]}\n"
        for account, name in estate.accounts.items()
    ]
    config.write_text("\n".join(profiles))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "NEO4J_", "CARTOGRAPHY_"))
    }
    return kept | {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": DUMMY,
        "AWS_SECRET_ACCESS_KEY": DUMMY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://localhost:{urlsplit(endpoint).port}",  # S3 Control: ACCOUNT.localhost
        "NEO4J_URI": server.uri,
        "NEO4J_USER": server.user,
        "NEO4J_PASSWORD": server.password,
    }


def cartography(python: Path, variables: Mapping[str, str], server: Neo4jServer, estate: Estate, log: Path) -> None:
    """Sweep with Cartography, run by the Python of its own environment; raises RuntimeError with the log's path."""
    command = [str(python), str(RUNNER), server.uri]
    for region in estate.regions:
        command += ["--region", region]
    _run(command, variables, log)


def skysweep(variables: Mapping[str, str], estate: Estate, folder: Path, log: Path) -> None:
    """Sweep with skysweep's own command line into `NEO4J_URI`; raises RuntimeError when the sweep is not complete."""
    command = [str(Path(sys.executable).with_name("skysweep")), "sync", "--aws-sync-all-profiles", "--rate-share", "0"]
    command += [
        "--aws-regions",
        ",".join(estate.regions),
        "--store",
        str(folder),
        "--report",
        str(folder.with_name("units.ndjson")),
    ]
    _run(command, variables, log)


def _run(command: list[str], variables: Mapping[str, str], log: Path) -> None:
    with log.open("wb") as output:
        done = subprocess.run(command, env=dict(variables), stdout=output, stderr=subprocess.STDOUT, check=False)  # noqa: S603 - our own words
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise RuntimeError(f"{' '.join(command[:3])} … ended with {done.returncode}; the end of {log}:\n{tail}")


def cartography_python(folder: Path) -> Path:
    """The Python of Cartography's own environment, made in the folder when it is not there (184 packages, a minute)."""
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)  # noqa: S603 - fixed words
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", f"cartography=={CARTOGRAPHY}"], check=True)  # noqa: S603 - the same
        (folder / "complete").touch()
    return python
