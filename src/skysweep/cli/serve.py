from __future__ import annotations

import json as json_format
import sys
from pathlib import Path

import anyio

from skysweep import arcadedb
from skysweep.cli import options
from skysweep.cli.screen import say, show
from skysweep.report import ExitCode
from skysweep.settings import embedded_folder


def serve(store: options.Store = None, json: options.Json = False) -> int:
    """Keep the embedded graph open on Bolt for graph browsers."""
    try:
        anyio.run(_serve, embedded_folder(store), json)
    except KeyboardInterrupt:
        say("closed")  # Ctrl-C is how one leaves it
    return ExitCode.COMPLETE


async def _serve(folder: Path, json: bool) -> None:
    async with arcadedb.running(folder, start=True, create=False) as server:
        user, _ = server.auth
        where = {
            "uri": server.uri,
            "user": user,
            "database": arcadedb.DATABASE,
            "password_file": str(folder / "server.json"),  # the password itself stays off the screen
        }
        if json:
            sys.stdout.write(json_format.dumps(where) + "\n")
        else:
            show(*(f"{name.replace('_', ' '):14}{value}" for name, value in where.items()))
        sys.stdout.flush()
        say("serving until Ctrl-C")
        await anyio.sleep_forever()
