"""A program run to its end in a process of its own: wall clock, CPU and memory, its children's among them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 4 * 3600.0  # after which a program is killed
TAIL = 15  # lines of what a program said that an error repeats


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: its words, its whole environment, and what it reads from standard input."""

    words: Sequence[str]
    environ: Mapping[str, str]
    given: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """How a program went. seconds: wall clock. cpu: seconds of it and its children. rss_mb: MiB, of the largest one."""

    code: int
    seconds: float
    cpu: float
    rss_mb: float
    out: str = field(repr=False, default="")
    err: str = field(repr=False, default="")

    @property
    def tail(self) -> str:
        """The end of what it said."""
        return "\n".join([*self.out.splitlines()[-TAIL:], *self.err.splitlines()[-TAIL:]])


class Failed(Exception):
    """Raised when a program did not end as it should: its name, its code, and the end of what it said."""


def measured(program: Program, *, codes: Sequence[int] = (0,), seconds: float = SECONDS) -> Measured:
    """Runs the program. Raises Failed when it ends with another code than these, or is not done in so many seconds."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(program.given.encode())
        given.seek(0)
        began = time.perf_counter()
        child = subprocess.Popen(  # noqa: S603 - our own words
            program.words, env=dict(program.environ), stdin=given, stdout=out, stderr=err, cwd=ROOT
        )
        late = threading.Timer(seconds, child.kill)
        late.start()
        try:
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        finally:
            late.cancel()
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        for file in (out, err):
            file.seek(0)
        peak = used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
        done = Measured(
            child.returncode, took, used.ru_utime + used.ru_stime, peak, *(_text(file.read()) for file in (out, err))
        )
    if done.code not in codes:
        why = "was killed, too late" if done.code == -signal.SIGKILL else f"ended with {done.code}"
        raise Failed(f"{' '.join(program.words[:4])} … {why}; it said:\n{done.tail}")
    return done


def cpu_of(pid: int) -> float:
    """The CPU seconds that a running process has had so far; 0 where the system does not tell (all but Linux)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    user, system = told.rpartition(")")[2].split()[11:13]  # utime and stime, the 14th and 15th
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
