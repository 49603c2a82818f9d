"""`python -m skysweep.cli` is `skysweep`."""

from __future__ import annotations

import sys

from skysweep.cli import main

if __name__ == "__main__":
    sys.exit(main())
