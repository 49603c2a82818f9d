"""Makes the README's picture: runs `skysweep demo` in a pseudo-terminal and draws what it printed as SVG.

`python docs/picture.py docs/demo.svg`. Nothing is made up; where long tables are cut, a line says so.
"""  # noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from skysweep.analysis.questions import QUESTIONS

COLUMNS, LINES = 112, 50
ROWS = 8  # of a table, before the rest is left out
ANSWERS = ("exposed_instances", "anonymous_buckets", "unencrypted_rds_per_account")
ERASED = re.compile(r"\r?\x1b\[2K(?:\x1b\[1A\x1b\[2K)+")  # how rich takes back a frame of its live display
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LIVE = "sweeping"


def main(target: Path) -> None:
    """Runs the demo and writes the picture. Raises SystemExit when the demo is not complete."""
    code, printed = run()
    if code:
        raise SystemExit(f"the demo ended with {code}:\n{ESCAPES.sub('', printed)[-2000:]}")
    lines = picked(printed)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="skysweep demo", theme=MONOKAI, unique_id="demo")
    # Without the font that rich's pictures load from elsewhere: a page that shows this one would not let it.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
    target.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


def run() -> tuple[int, str]:
    """The demo's exit code and all that it wrote to its terminal, in a state folder of its own."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with TemporaryDirectory() as folder:
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "XDG_STATE_HOME": folder, "TERM": "xterm-256color"}
        child = subprocess.Popen(
            [sys.executable, "-m", "skysweep.cli", "demo"], stdin=slave, stdout=slave, stderr=slave, env=environ
        )
        os.close(slave)
        written = _drained(master)
        return child.wait(), written.replace("\r\n", "\n")


def _drained(master: int) -> str:
    written = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # EIO: how Linux says that the other end is closed
            part = b""
        if not part:
            os.close(master)
            return written.decode()
        written += part


def picked(printed: str) -> list[str]:
    """The lines of the picture: the command, a moment of the sweep, its summary, some of the answers."""
    first, *frames = ERASED.split(printed)
    end = frames.pop()
    frame = [each for each in frames if _plain(each).startswith(LIVE)][-1]
    built, summary = first.split("\n")[0], end[end.index("Sweep ") :].split("\n\n")[0]
    parts = [["$ skysweep demo", built], frame.rstrip().split("\n"), ["…", *summary.split("\n")]]
    parts += [_answer(end, QUESTIONS[name].sentence) for name in ANSWERS]
    lines = [line for part in parts for line in (*part, "")]
    return lines[:-1]


def _answer(end: str, sentence: str) -> list[str]:
    """A question with its table and Cypher, the table cut after some rows."""
    lines = end.split("\n")
    start = next(number for number, line in enumerate(lines) if _plain(line).rstrip() == sentence)
    block: list[str] = []
    for line in lines[start:]:
        if not _plain(line).strip():
            break
        block.append(line)
    rows = [number for number, line in enumerate(block) if _plain(line).startswith("│")]
    cut = rows[ROWS:]
    if cut:
        block[cut[0] : cut[-1] + 1] = [f"│ … {len(cut)} more"]
    return block


def _plain(line: str) -> str:
    return ESCAPES.sub("", line).lstrip("\r")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
