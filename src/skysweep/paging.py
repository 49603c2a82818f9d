"""Sends a call and follows its pages until AWS says that was all; what one page takes is `asking.py`'s."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from skysweep.asking import Asking
from skysweep.clients import where
from skysweep.errors import BadSettings, CallFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from skysweep.clients import Clients
    from skysweep.limits import Limits
    from skysweep.model import Call
    from skysweep.outcomes import Tally
    from skysweep.plan import Target

MAX_PAGES = 100_000
MAX_EMPTY = 1_000  # pages without anything on them in a row; some are normal where AWS filters after it has paged


async def pages(
    clients: Clients,
    limits: Limits,
    target: Target,
    call: Call,
    inputs: Mapping[str, Any],
    *,
    deadline: float,
    tally: Tally,
    region: str | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """The pages of a call, each as it comes and as botocore parses it.

    deadline: time.monotonic() by which the last page must be there. region: another region of the account to ask.
    Raises CallFailed when it ends without an answer, Bug when the request is none.
    """
    with _failing(tally):
        pager = await clients.pager(target.account, call.service, call.operation)
    place = replace(target, region=region or where(target, call.service))
    asking = Asking(
        clients,
        limits,
        place,
        service=call.service,
        operation=call.operation,
        deadline=deadline,
        tally=tally,
        missing=call.missing,
        told=call.on is not None,
    )
    request = pager.first(inputs)
    seen: set[str] = set()
    empty = 0
    while True:
        with _failing(tally):
            page = await asking.ask(request)
        yield page
        try:
            token = pager.token(page)
        except ValueError as error:
            raise asking.failed("MissingToken", str(error)) from error
        if token is None:
            return
        if repr(token) in seen:
            raise asking.failed("RepeatedToken", "AWS gave the same pagination token twice")
        seen.add(repr(token))
        empty = empty + 1 if pager.empty(page) else 0
        if len(seen) >= MAX_PAGES:
            raise asking.failed("EndlessListing", f"more than {MAX_PAGES} pages")
        if empty >= MAX_EMPTY:
            raise asking.failed("EndlessListing", f"{MAX_EMPTY} empty pages in a row")
        request, asking.told = pager.next(request, token), True


@contextmanager
def _failing(tally: Tally) -> Iterator[None]:
    """One service's or one profile's wrong endpoint fails its calls: no reason to stop the others."""
    try:
        yield
    except BadSettings as error:
        tally.failed += 1
        raise CallFailed("failed", "BadSettings", str(error)) from error


async def ask(
    clients: Clients,
    limits: Limits,
    target: Target,
    *,
    service: str,
    operation: str,
    inputs: Mapping[str, Any],
    deadline: float,
    tally: Tally,
    told: bool = False,
) -> dict[str, Any]:
    """One reply of AWS, with pace and retries as in `pages`, and its errors; told: as in `Asking`."""
    place = replace(target, region=where(target, service))
    asking = Asking(
        clients, limits, place, service=service, operation=operation, deadline=deadline, tally=tally, told=told
    )
    return await asking.ask(inputs)
