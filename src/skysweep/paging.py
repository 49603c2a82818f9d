"""Sends a call: pace, slot, exchange, retries, and page after page until AWS says that was all."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
from botocore.exceptions import EndpointProviderError, ParamValidationError

from skysweep import retry
from skysweep.clients import where
from skysweep.errors import BadSettings, Bug, CallFailed, SkysweepError
from skysweep.regions import always_on
from skysweep.retry import Class

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from skysweep.clients import Clients
    from skysweep.errors import Why
    from skysweep.limits import Limits
    from skysweep.model import Call
    from skysweep.outcomes import Tally
    from skysweep.plan import Target

MAX_PAGES = 100_000


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
        detail=call.on is not None,
    )
    request = pager.first(inputs)
    seen: set[str] = set()
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
        if len(seen) >= MAX_PAGES:
            raise asking.failed("EndlessListing", f"more than {MAX_PAGES} pages")
        request = pager.next(request, token)


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
) -> dict[str, Any]:
    """One reply of AWS, with pace and retries as in `pages`, and its errors."""
    place = replace(target, region=where(target, service))
    asking = Asking(clients, limits, place, service=service, operation=operation, deadline=deadline, tally=tally)
    return await asking.ask(inputs)


@dataclass(slots=True)
class Asking:
    """One call's exchanges with AWS: the same operation at the same place, with the inputs of page after page.

    target: with the region that the exchanges go to, never `global`: buckets, verdicts and exchanges are some region's.
    detail: whether the inputs come of a record, which may hold what the operation does not take.
    """

    clients: Clients
    limits: Limits
    target: Target
    service: str
    operation: str
    deadline: float
    tally: Tally
    missing: frozenset[str] = frozenset()
    detail: bool = False
    credentials: Any = None
    renewed: bool = False

    async def ask(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The reply, after as many attempts as it takes and the settings allow."""
        try:
            return await self._attempts(inputs)
        except CallFailed as error:
            if error.why == "dead":
                self.clients.bury(self.target.account, error)
            raise

    async def _attempts(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        attempt = 1
        while True:
            try:
                return await self._once(inputs)
            except SkysweepError:
                raise
            except Exception as error:  # noqa: BLE001 - each is classified, an unknown one is a Bug
                attempt += 1 if await self._again(error, attempt) else 0
            self.tally.retried += 1

    def failed(self, code: str, message: str) -> CallFailed:
        """The error of a call that ends so."""
        self.tally.failed += 1
        return CallFailed("failed", code, message)

    async def _once(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """One attempt: fresh credentials, a token, a slot, an exchange; within the deadline."""
        clients, target = self.clients, self.target
        try:
            with anyio.fail_after(max(self.deadline - time.monotonic(), 0)):
                self.credentials = await self._ready()
                await self.limits.take(target, self.service, self.operation)
                async with clients.slots:
                    self.tally.calls += 1
                    return await clients.send(
                        target, self.service, self.operation, inputs, timeout=clients.settings.read_timeout
                    )
        except TimeoutError:
            if time.monotonic() < self.deadline:
                raise
            raise self._late() from None

    async def _ready(self) -> Any:
        """The credentials; a source that fails in a way unknown to us is dead, and no bug of ours."""
        try:
            return await self.clients.ready(self.target.account)
        except SkysweepError:
            raise
        except Exception as error:
            unknown = retry.classify(error, service=self.service, operation=self.operation) is Class.BUG
            if unknown and not isinstance(retry.cause(error), Bug):
                raise self._failure("dead", error) from error
            raise

    async def _again(self, error: Exception, attempt: int) -> bool:
        """Waits until the next attempt is due; whether it counts as one. Raises what the call ends as."""
        cls = retry.classify(error, service=self.service, operation=self.operation, missing=self.missing)
        if self.detail and isinstance(error, ParamValidationError):
            raise self._failure("failed", error) from error
        if cls is Class.BUG:
            raise Bug(f"{self.service}:{self.operation}: {retry.text(error)}") from error
        if cls is Class.EXPIRED and not self.renewed:
            self.renewed = True
            if await self._renew(error):
                return False
        if cls is Class.THROTTLED:
            self.tally.throttled += 1
            await self.limits.throttled(self.target, self.service, self.operation)
        settings = self.clients.settings
        wait = retry.decide(
            cls, attempt, mode=settings.retry_mode, max_attempts=settings.max_attempts, random=random.random
        )
        if wait is None:
            raise await self._end(cls, error) from error
        if time.monotonic() + wait >= self.deadline:
            raise self._late(retry.code(error)) from error
        await anyio.sleep(wait)
        return True

    async def _renew(self, error: Exception) -> bool:
        try:
            with anyio.fail_after(max(self.deadline - time.monotonic(), 0)):
                return await self.clients.renew(self.target.account, self.credentials)
        except CallFailed:
            raise
        except TimeoutError as why:
            if time.monotonic() < self.deadline:
                raise self._failure("dead", why) from error
            raise self._late(retry.code(error)) from error
        except Exception as why:  # noqa: BLE001 - whatever a credentials source may raise
            raise self._failure("dead", why) from error

    async def _end(self, cls: Class, error: Exception) -> CallFailed:
        """What the call ends as, once no further attempt is due."""
        why = retry.ending(cls)
        if cls is Class.UNRECOGNIZED:
            why = await self._unrecognized(error)
        elif self._perhaps_absent(cls, error) and not await self.clients.listed(self.target, self.service):
            why = "absent"
        return self._failure(why, error)

    def _perhaps_absent(self, cls: Class, error: Exception) -> bool:
        # AWS's Chinese regions throttle the calls of services that they do not have.
        throttled = cls is Class.THROTTLED and self.target.partition == "aws-cn"
        # botocore finds no endpoint for a service that is not there, and for settings that no endpoint fits.
        return throttled or retry.unresolved(error) or isinstance(error, EndpointProviderError)

    async def _unrecognized(self, error: Exception) -> Why:
        """Whether the region is off, or the credentials are bad: bad ones are unknown everywhere."""
        try:
            with anyio.fail_after(max(self.deadline - time.monotonic(), 0)):
                await self.clients.recognized(self.target)
        except CallFailed as ended:
            return ended.why
        except Exception as second:  # noqa: BLE001 - classified
            cls = retry.classify(second, service="sts", operation="GetCallerIdentity")
            bad = cls in {Class.UNRECOGNIZED, Class.EXPIRED, Class.DEAD, Class.REFUSED}
            if bad:
                error.add_note(f"and in the main region: {retry.text(second)}")
            return "dead" if bad else "failed"
        return "failed" if always_on(self.target.region) else "absent"

    def _failure(self, why: Why, error: Exception) -> CallFailed:
        self.tally.failed += why in {"failed", "dead"}
        return CallFailed(why, retry.code(error), retry.text(error))

    def _late(self, after: str = "") -> CallFailed:
        return self.failed("DeadlineExceeded", f"no answer in time{f', after {after}' if after else ''}")
