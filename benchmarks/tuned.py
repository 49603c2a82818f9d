"""skysweep's command line with other constants: `SKYSWEEP_BENCH='{"rows": 8000}' python -m benchmarks.tuned sync …`.

rows: that a transaction takes at most. writers: of a Neo4j.
"""

from __future__ import annotations

import json
import os
import sys

from skysweep import store, writer
from skysweep.cli import main

VARIABLE = "SKYSWEEP_BENCH"


def changed(rows: int | None = None, writers: int | None = None) -> None:
    """Sets the constants that are told."""
    if rows:
        writer.ROWS, writer.WAITING = rows, 2 * rows
    if writers:
        store.NEO4J_WRITERS = writers


if __name__ == "__main__":
    changed(**json.loads(os.environ[VARIABLE]))
    sys.exit(main(sys.argv[1:]))
