"""Sweeps one emulated estate with Cartography and with skysweep, and tells what of Cartography's graph ours lacks.

    python -m oracle.session [--cartography FOLDER | --kept] [--write]

Prints the comparison type by type, then every unlisted difference and every stale row of explained.csv; exits with 1
when there is one. With --write it also stores Cartography's dump as the test data of tests/test_oracle.py, and writes
docs/compatibility.md. With --kept the stored dump stands for Cartography's sweep, which then is not needed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from neo4j_server import neo4j_server
from oracle import dump, report, sweeps
from skysweep.demo.server import aws

if TYPE_CHECKING:
    from oracle.dump import Graph

KEPT = Path(__file__).with_name("cartography.ndjson.gz")
PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
CACHE = Path.home() / ".cache" / "skysweep-tests" / f"cartography-{sweeps.CARTOGRAPHY}"


def swept(folder: Path, cartography: Path | None = None) -> tuple[Graph, Graph]:
    """Build the estate and sweep it: Cartography's graph, by its Python or (None) the kept one, and ours.

    Points in time are masked in both where one of them is kept: the estates are of different days.
    """
    made_by = {"cartography": sweeps.CARTOGRAPHY, "moto": version("moto")}
    with ExitStack() as stack:
        endpoint = stack.enter_context(aws(folder / "aws.log"))
        estate = sweeps.build_estate(endpoint)
        server = stack.enter_context(neo4j_server())
        variables = sweeps.environment(folder, endpoint, estate, server)
        sweeps.skysweep(variables, estate, folder / "store", folder / "skysweep.log")
        ours = dump.read(server, made_by)
        if cartography is None:
            return dump.load(KEPT), dump.timeless(ours)
        server = stack.enter_context(neo4j_server())
        variables = sweeps.environment(folder, endpoint, estate, server)
        sweeps.cartography(cartography, variables, server, estate, folder / "cartography.log")
        return dump.read(server, made_by), ours


def main() -> int:
    """The command line; the exit code is 1 when a difference is unlisted or a row stale."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--cartography", type=Path, metavar="FOLDER", default=CACHE, help="its environment; made if missing"
    )
    parser.add_argument("--kept", action="store_true", help="take the stored dump for Cartography's sweep")
    parser.add_argument("--write", action="store_true", help="store the dump and write docs/compatibility.md")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="skysweep-oracle-"))  # stays: its logs are for reading
    theirs, ours = swept(folder, None if options.kept else sweeps.cartography_python(options.cartography))
    types, verdict = report.judge(theirs, ours)
    print(*report.lines(types), *report.complaints(verdict), f"logs: {folder}", sep="\n")  # noqa: T201 - what it is for
    if options.write:
        theirs, ours = dump.timeless(theirs), dump.timeless(ours)
        dump.save(theirs, KEPT)
        PAGE.write_text(report.page(theirs, *report.judge(theirs, ours)), encoding="utf-8")
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
