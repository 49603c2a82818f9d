"""The demo's emulated AWS, with corrected replies, and identifiers that are the same in every run.

Run as `python -m oracle.emulator`, like `skysweep.demo.emulator`, which it is but for that.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from skysweep.demo.server import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def aws(log: Path) -> Iterator[str]:
    """Run the emulator in a child process and give its endpoint; its stderr goes to the log."""
    with log.open("wb") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-m", "oracle.emulator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.communicate()  # which closes its stdin, and so ends it


if __name__ == "__main__":
    from skysweep.demo.corrections import correct_moto
    from skysweep.demo.emulator import main
    from skysweep.demo.identifiers import go_by_request

    correct_moto()
    go_by_request()
    main()
