"""In which order units are begun: what takes longest first, and no account holds all the workers. Pure.

A sweep takes as long as the longest chain that began last. So the account that costs most comes first, and in each
account the call that costs most. Some accounts are open at once, and none has more than its share of the workers: units
of an account that AWS throttles wait, and the others' go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from skysweep.plan import Account, Unit

OPEN = 32  # accounts whose units are in memory

Lot = list[tuple[float, Unit]]
"""Units of one account, each with what it is expected to cost."""


def dearest(accounts: Iterable[Account], cost: Mapping[str, float]) -> list[Account]:
    """The accounts, those first that cost most; one of which nothing is known counts as the middle of the others."""
    accounts = list(accounts)
    known = sorted(cost[each.id] for each in accounts if each.id in cost)
    middle = known[len(known) // 2] if known else 0.0
    return sorted(accounts, key=lambda account: -cost.get(account.id, middle))


@dataclass(slots=True)
class _Lane:
    """An open account: its units, the cheapest first, what they cost together, and how many are under way."""

    lot: Lot
    left: float
    running: int = 0


class Order(Iterator[Unit]):
    """Every unit of the lots once. Of the open lots the dearest comes first, by what is left of it.

    lots: an account each; they are opened in this order, OPEN at once. share: how many units of one may be under way
    before others come first. Whoever took a unit says when it is over.
    """

    def __init__(self, lots: Iterator[Lot], share: int) -> None:
        self._lots = lots
        self._share = share
        self._lanes: list[_Lane] = []
        self._running: dict[str, _Lane] = {}

    def __next__(self) -> Unit:
        """The next unit. Raises StopIteration where all have been taken."""
        self._open()
        if not self._lanes:
            raise StopIteration
        lane = min(self._lanes, key=self._rank)
        cost, unit = lane.lot.pop()
        lane.left -= cost
        lane.running += 1
        self._running[unit.target.account] = lane
        if not lane.lot:
            self._lanes.remove(lane)
        return unit

    def over(self, unit: Unit) -> None:
        """A unit that was taken has ended."""
        lane = self._running[unit.target.account]
        lane.running -= 1
        if not lane.running and not lane.lot:
            del self._running[unit.target.account]

    def _open(self) -> None:
        while len(self._lanes) < OPEN and (lot := next(self._lots, None)) is not None:
            if lot:
                lot.reverse()  # the sort keeps the plan's order of what costs the same
                lot.sort(key=lambda each: each[0])
                self._lanes.append(_Lane(lot, sum(cost for cost, _ in lot)))

    def _rank(self, lane: _Lane) -> tuple[int, float]:
        """Below its share the dearest lane is first, beyond it the one that has the least under way."""
        return max(0, lane.running - self._share + 1), -lane.left
