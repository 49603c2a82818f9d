"""One sweep writes a graph at a time: a lease in the graph, its beat, and the fence behind it.

The graph's one SkysweepState node says which sweep holds the lease, and when, by the store's own clock, it last gave a
sign of life. Whoever takes the lease raises the fence; every transaction of a sweep checks the fence before it
commits (`Store.run`), so that a sweep that was taken for dead and comes back writes nothing. The update tag is taken
in the same transaction.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

from skysweep.errors import BadSettings, BadStore

if TYPE_CHECKING:
    from neo4j import AsyncManagedTransaction

    from skysweep.store import Store

BEAT_SECONDS = 10.0
EXPIRES_SECONDS = 90.0  # without a beat for so long a sweep is taken for dead by other hosts

# The SET comes first: it locks the node, so that two who ask at once are answered one after the other.
_ASK = """
MERGE (s:SkysweepState {id: 'sweep'})
SET s.asked = $sweep
RETURN properties(s) AS state, timestamp() AS now
""".strip()
_GRANT = "MATCH (s:SkysweepState {id: 'sweep'}) SET s += $state, s.beat = timestamp()"
_BEAT = "MATCH (s:SkysweepState {id: 'sweep'}) SET s.beat = timestamp()"
_RELEASE = "MATCH (s:SkysweepState {id: 'sweep'}) SET s.holder = NULL, s.host = NULL"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sweep asks for. sweep: its id. now: epoch seconds by its clock. tag: an update tag of the user's.

    resumed: the update tag that it goes on with. dead: whether a holder is known to have ended, by its sweep's id.
    """

    sweep: str
    now: int
    tag: int | None = None
    resumed: int | None = None
    dead: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Lease:
    """A sweep's right to write: its update tag, and the store behind its fence."""

    tag: int
    store: Store

    async def beat(self) -> None:
        """Gives signs of life until cancelled. Raises Overtaken when the lease is another's."""
        while True:
            await anyio.sleep(BEAT_SECONDS)
            await self.store.run(_BEAT)

    async def release(self) -> None:
        """Gives the lease back."""
        await self.store.run(_RELEASE)


async def take(store: Store, wish: Wish) -> Lease:
    """The lease of this graph, with the store to write to behind it.

    Raises BadStore where another sweep has it, BadSettings for an update tag that is not above the last one.
    """

    async def work(tx: AsyncManagedTransaction) -> list[dict[str, Any]]:
        asked = await (await tx.run(_ASK, sweep=wish.sweep)).single(strict=True)
        state = granted(asked["state"], asked["now"], wish)
        await (await tx.run(_GRANT, state={**state, "host": socket.gethostname()})).consume()
        return [state]

    try:
        try:
            [state] = await store.transact(work)
        except ConstraintError:  # two who were the first to ask, at once
            [state] = await store.transact(work)
    except (DriverError, Neo4jError) as error:
        raise BadStore(f"the graph cannot be written: {' '.join(str(error).split())[:300]}") from error
    return Lease(state["update_tag"], replace(store, fence=state["fence"]))


def granted(state: Mapping[str, Any], now: int, wish: Wish) -> dict[str, Any]:
    """What the state becomes when `wish` is granted at `now` (milliseconds by the store's clock)."""
    holder = state.get("holder")
    silent = (now - state.get("beat", 0)) / 1000
    if holder not in (None, wish.sweep) and silent < EXPIRES_SECONDS and not wish.dead(holder):
        raise BadStore(
            f"sweep {holder} on {state.get('host')} writes this graph (last sign of life {max(silent, 0):.0f} s ago): "
            "wait for its end and start again"
        )
    last = state.get("update_tag", 0)
    # What is its own already was granted by a commit whose answer was lost.
    tag = last if holder == wish.sweep and wish.resumed is None else _tag(last, wish)
    return {"holder": wish.sweep, "fence": state.get("fence", 0) + 1, "update_tag": tag}


def _tag(last: int, wish: Wish) -> int:
    """The sweep's update tag: above the last one in the store, whatever the clock says."""
    if wish.resumed is not None:
        if wish.resumed != last:
            raise BadSettings(f"--resume: sweep {wish.sweep} is not this graph's last one; leave --resume out")
        return wish.resumed
    if wish.tag is not None and wish.tag <= last:
        raise BadSettings(f"--update-tag: {wish.tag} is not above {last}, the last sweep's in this graph; leave it out")
    return wish.tag or max(wish.now, last + 1)
