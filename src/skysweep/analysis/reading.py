"""How the analysis reads the graph: bounded pages of one account's nodes, then what hangs on them by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

Row: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[..., Awaitable[list[Row]]]

Unseen: TypeAlias = Callable[[str, str, str], bool]
"""Whether a label's nodes were not all told of in an account and region (`global` for account-wide ones)."""

PAGE = 1000


def nothing(label: str, account: str, region: str) -> bool:
    """Tell that everything was seen."""
    del label, account, region
    return False


def slices(ids: Iterable[str], length: int = PAGE) -> Iterator[list[str]]:
    """Cut ids into sorted lists of bounded length, without repetitions."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), length):
        yield ordered[start : start + length]


async def pages(run: Run, label: str, account: str, *properties: str) -> AsyncIterator[list[Row]]:
    """Yield an account's nodes of a label in pages ordered by id: rows of `id` and the named properties."""
    wanted = ", ".join(f"n.{name} AS {name}" for name in properties)
    query = (
        f"MATCH (:AWSAccount {{id: $account}})-[:RESOURCE]->(n:{label}) WHERE n.id > $after "
        f"RETURN n.id AS id, {wanted} ORDER BY id LIMIT $page"
    )
    after = ""
    while rows := await run(query, account=account, after=after, page=PAGE):
        yield rows
        if len(rows) < PAGE:
            return
        after = rows[-1]["id"]


async def around(run: Run, ids: Iterable[str], query: str) -> dict[str, list[Row]]:
    """Run a query that begins from `$ids` and returns `id`, slice by slice; give its rows by that id."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for part in slices(ids):
        for row in await run(f"UNWIND $ids AS id {query}", ids=part):
            found[row["id"]].append(row)
    return found
