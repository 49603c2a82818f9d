"""The command line: a module a command, imported when it is called for, so that `--help` stays quick."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from skysweep.errors import SkysweepError, Stopped, Unusable, leaves

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

COMMANDS = {
    "sync": "Sweep AWS accounts into the graph.",
    "demo": "Sweep a small emulated organization; needs no AWS account.",
    "plan": "Show the calls a sync would make; changes nothing.",
    "permissions": "Print the least IAM policies for what is selected.",
    "doctor": "Check that a sync can work, and say how to mend it.",
    "query": "Ask the graph: a saved question by its name, or Cypher.",
    "schema": "Show labels, properties and edges, with what they mean.",
    "serve": "Keep the embedded graph open on Bolt for graph browsers.",
    "report": "Show a past sweep: what was covered and what was not.",
}
UNUSABLE, INTERRUPTED = 1, 130  # of skysweep.report.ExitCode, which is slow to import
DEBUG = "SKYSWEEP_DEBUG"
AGAIN_SECONDS = 0.05  # after which an interrupt is repeated: the callback that it fell into is over


class Commands(TyperGroup):
    """The commands by name; only the one that is called is imported."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Puts the real command in the place of its line in the listing."""
        name = args[0]
        if name in COMMANDS:
            module = importlib.import_module(f"skysweep.cli.{name}")
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(name)(getattr(module, name))
            self.commands[name] = typer.main.get_command(app)
        return super().resolve_command(ctx, args)


def root() -> Commands:
    """The command that holds all others."""
    listing = {name: TyperCommand(name, help=sentence) for name, sentence in COMMANDS.items()}
    return Commands(
        name="skysweep",
        help="Sweep every account and region of an AWS organization into Neo4j as a security graph.",
        commands=dict(listing),
        rich_markup_mode=None,  # plain help is there in half the time
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and gives the exit code: its own, 1 where it could not run, 130 where it was interrupted."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(given)
    except typer.TyperException as error:  # click's usage errors, whose own exit code is 2
        return _say(f"{error.format_message()} (see --help)")
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BaseExceptionGroup as errors:
        return _failed(_culprit(errors))
    except Exception as error:  # noqa: BLE001 - the last resort of a command line: one line and exit 1
        return _failed(error)


def _run(arguments: list[str]) -> int:
    """Runs a command; SIGTERM interrupts as Ctrl-C does. No command at all shows the help, and is a usage error."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script's background job: SIGTERM must stop it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    previous = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    unraisable = sys.unraisablehook
    sys.unraisablehook = partial(_unraisable, unraisable)
    try:
        code = int(root().main(arguments or ["--help"], prog_name="skysweep", standalone_mode=False) or 0)
    finally:
        sys.unraisablehook = unraisable
        signal.signal(signal.SIGTERM, previous)
    if code == INTERRUPTED:
        return _interrupted()
    return code if arguments else UNUSABLE


def _unraisable(otherwise: Callable[[UnraisableHookArgs], object], told: UnraisableHookArgs) -> None:
    """An interrupt that fell into a finalizer or a weak reference's callback, where nothing can be raised, is repeated.

    Imports are full of those.
    """
    if issubclass(told.exc_type, KeyboardInterrupt):
        main_thread = threading.main_thread().ident or 0
        threading.Timer(AGAIN_SECONDS, signal.pthread_kill, (main_thread, signal.SIGINT)).start()
    else:
        otherwise(told)


def _failed(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return _interrupted()
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, Unusable | Stopped):
        return _say(str(error))
    name = "" if isinstance(error, SkysweepError) else f"{type(error).__name__}: "
    return _say(f"this should not happen: {name}{error} (set {DEBUG}=1 for the traceback)")


def _interrupted() -> int:
    _say("interrupted")
    return INTERRUPTED


def _say(text: str) -> int:
    sys.stderr.write("skysweep: " + " ".join(text.split()) + "\n")
    return UNUSABLE


def _culprit(error: BaseException) -> BaseException:
    """The error to tell of a group of them: one that names its mend, else the first."""
    found = leaves(error)
    return next((leaf for leaf in found if isinstance(leaf, Unusable | Stopped)), found[0])
