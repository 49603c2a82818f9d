"""In which order units are begun: what takes longest first, and no account holds all the workers. Pure.

A sweep takes as long as the longest chain that began last. So the account that costs most comes first, and in each
account the call that costs most. Some accounts are open at once, and none has more than its share of the workers: units
of an account that AWS throttles wait, and the others' go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from skysweep.plan import Account, Unit

OPEN = 32  # accounts whose units are in memory
DEALT = 8  # accounts that a process has at once

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

    def __init__(self, lots: Iterable[Lot] = (), *, share: int) -> None:
        self._lots = iter(lots)
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

    def add(self, lot: Lot) -> None:
        """Opens one more, also after all others have been taken."""
        if lot:
            lot = lot[::-1]  # the sort keeps the plan's order of what costs the same
            lot.sort(key=lambda each: each[0])
            self._lanes.append(_Lane(lot, sum(cost for cost, _ in lot)))

    def _open(self) -> None:
        while len(self._lanes) < OPEN and (lot := next(self._lots, None)) is not None:
            self.add(lot)

    def _rank(self, lane: _Lane) -> tuple[int, float]:
        """Below its share the dearest lane is first, beyond it the one that has the least under way."""
        return max(0, lane.running - self._share + 1), -lane.left


@dataclass(slots=True)
class _Hand:
    """What a process has to do: its accounts, each with the units that have not ended and their costs."""

    lots: dict[str, dict[Unit, float]] = field(default_factory=dict)
    left: float = 0.0


class Deal:
    """Deals accounts to processes, each to one alone: the dearest first, to the one that has least to do."""

    def __init__(self, lots: Iterable[tuple[Account, Lot]], processes: int) -> None:
        self._lots = iter(lots)
        self._hands = [_Hand() for _ in range(processes)]
        self._exhausted = False

    @property
    def done(self) -> bool:
        """Whether every unit has ended, of all accounts."""
        return self._exhausted and not any(hand.lots for hand in self._hands)

    def next(self) -> tuple[int, Account, Lot] | None:
        """The next account, and the process that gets it; None where all have enough for now, or none is left."""
        free = [number for number, hand in enumerate(self._hands) if len(hand.lots) < DEALT]
        if not free:
            return None
        for account, lot in self._lots:
            if lot:
                number = min(free, key=lambda number: self._hands[number].left)
                hand = self._hands[number]
                hand.lots[account.id] = {unit: cost for cost, unit in lot}
                hand.left += sum(cost for cost, _ in lot)
                return number, account, lot
        self._exhausted = True
        return None

    def over(self, number: int, unit: Unit) -> None:
        """A unit of that process has ended. Raises KeyError where it was not its own to do."""
        hand = self._hands[number]
        units = hand.lots[unit.target.account]
        hand.left -= units.pop(unit)
        if not units:
            del hand.lots[unit.target.account]
