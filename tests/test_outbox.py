"""What a unit hands over, and what it need not because this sweep has written it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from skysweep import catalogue
from skysweep.model import Context, Record
from skysweep.outbox import Outbox, Written
from skysweep.outcomes import Outcome, Quarantined, UnitResult
from skysweep.plan import Target, Unit
from skysweep.records import Maker
from skysweep.writer import Batch

TYPES = {type_.name: type_ for type_ in catalogue.load(["EBSVolume", "EC2Instance"]).types}
MAKERS = {type_: Maker(type_, 1) for type_ in TYPES.values()}
TELLERS = sorted(name for name, type_ in TYPES.items() if type_.label == "AWSTag")
TARGET = Target("123456789012", "us-east-1")


class Held:
    """A sink that commits what it was sent when it is told to."""

    def __init__(self) -> None:
        self.aside: list[Quarantined] = []
        self.batches: list[Batch] = []

    async def send(self, batch: Batch) -> None:
        self.batches.append(batch)

    def commit(self) -> list[str]:
        """The ids of what is committed."""
        batches, self.batches = self.batches, []
        for batch in batches:
            batch.done()
        return [row["id"] for batch in batches for row in batch.rows]


async def unit(sink: Held, written: Written, ended: list[Unit], told: Sequence[tuple[str, str]]) -> None:
    """A unit that makes these tags, each of a type of that name."""
    listing = Unit(TARGET, TYPES["EBSVolume"].source.call)
    outbox = Outbox(listing, MAKERS, sink, lambda unit, _: ended.append(unit), written)
    for name, value in told:
        item = {"id": f"team:{value}", "key": "team", "value": value}
        await outbox.emit(TYPES[name], Record(item, Context(TARGET.account, TARGET.region)))
    await outbox.close(
        UnitResult(TARGET.account, TARGET.region, "ec2", "DescribeVolumes", Outcome.COMPLETE, 0, 1, 0, None)
    )


async def test_a_tag_is_handed_over_once_whoever_tells_of_it() -> None:
    sink, written, ended = Held(), Written(), list[Unit]()
    one, other = TELLERS[:2]
    await unit(sink, written, ended, [(one, "shop"), (other, "shop"), (one, "mail"), (one, "mail")])
    assert sink.commit() == ["team:shop", "team:mail"]
    await unit(sink, written, ended, [(other, "shop"), (one, "post")])
    assert sink.commit() == ["team:post"]
    await unit(sink, written, ended, [(other, "shop")])
    assert sink.commit() == []
    assert len(ended) == 3


async def test_what_is_not_committed_yet_is_handed_over_by_every_unit_that_tells_of_it() -> None:
    sink, written, ended = Held(), Written(), list[Unit]()
    for _ in range(2):
        await unit(sink, written, ended, [(TELLERS[0], "shop")])
    assert ended == []
    assert sink.commit() == ["team:shop", "team:shop"]
    assert len(ended) == 2


@pytest.mark.parametrize(("most", "again"), [(1, ["team:shop"]), (3, [])])
async def test_what_is_forgotten_is_handed_over_again(most: int, again: list[str]) -> None:
    sink, written, ended = Held(), Written(most), list[Unit]()
    for value in ("shop", "mail"):
        await unit(sink, written, ended, [(TELLERS[0], value)])
        sink.commit()
    await unit(sink, written, ended, [(TELLERS[0], "shop")])
    assert sink.commit() == again
