"""Sweeps one emulated estate with Cartography and with skysweep, and tells what of Cartography's graph ours lacks.

    python -m oracle [--cartography FOLDER] [--keep]

Prints the comparison type by type, then every unlisted difference and every stale row of explained.csv; exits with 1
when there is one. With --keep it also stores Cartography's dump as the test data of tests/test_oracle.py, and writes
docs/compatibility.md.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from neo4j import AsyncGraphDatabase

from neo4j_server import Neo4jServer, neo4j_server
from oracle import dump, report, sweeps
from oracle.emulator import aws

if TYPE_CHECKING:
    from oracle.dump import Graph

KEPT = Path(__file__).with_name("cartography.ndjson.gz")
PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


async def read(server: Neo4jServer) -> Graph:
    """Read a server's graph, with the versions that made it."""
    made_by = {"cartography": sweeps.CARTOGRAPHY, "moto": version("moto")}
    async with AsyncGraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver:
        return await dump.read(driver, made_by)


def sweep_both(python: Path, folder: Path) -> tuple[Graph, Graph]:
    """Build the estate, sweep it twice, and give Cartography's graph and ours."""
    with ExitStack() as stack:
        endpoint = stack.enter_context(aws(folder / "aws.log"))
        estate = sweeps.build_estate(endpoint)
        theirs, ours = stack.enter_context(neo4j_server()), stack.enter_context(neo4j_server())
        variables = sweeps.environment(folder, endpoint, estate, theirs)
        sweeps.cartography(python, variables, theirs, estate, folder / "cartography.log")
        variables = sweeps.environment(folder, endpoint, estate, ours)
        sweeps.skysweep(variables, estate, folder / "store", folder / "skysweep.log")
        return asyncio.run(read(theirs)), asyncio.run(read(ours))


def main() -> int:
    """The command line; the exit code is 1 when a difference is unlisted or a row stale."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cartography", type=Path, metavar="FOLDER", help="its environment; made there when missing")
    parser.add_argument("--keep", action="store_true", help="store the dump and write docs/compatibility.md")
    options = parser.parse_args()
    home = options.cartography or Path.home() / ".cache" / "skysweep-tests" / f"cartography-{sweeps.CARTOGRAPHY}"
    folder = Path(tempfile.mkdtemp(prefix="skysweep-oracle-"))  # stays: its logs are for reading
    theirs, ours = sweep_both(sweeps.cartography_python(home), folder)
    types, verdict = report.judge(theirs, ours)
    print(*report.lines(types), *report.complaints(verdict), f"logs: {folder}", sep="\n")  # noqa: T201 - what it is for
    if options.keep:
        theirs, ours = dump.timeless(theirs), dump.timeless(ours)
        dump.save(theirs, KEPT)
        PAGE.write_text(report.page(theirs, *report.judge(theirs, ours)), encoding="utf-8")
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
