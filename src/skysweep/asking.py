"""One call's exchanges with AWS: pace, credentials, slot, exchange, and retries until the deadline."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
from botocore.exceptions import ClientError, EndpointProviderError, ParamValidationError
from botocore.parsers import ResponseParserError

from skysweep import retry
from skysweep.clients import policy
from skysweep.errors import Bug, CallFailed, SkysweepError
from skysweep.regions import always_on
from skysweep.retry import Class, Tries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skysweep.clients import Clients
    from skysweep.errors import Why
    from skysweep.limits import Limits
    from skysweep.outcomes import Tally
    from skysweep.plan import Target

RENEWALS = 3  # of the credentials within one request: more, and they are not what ails it


@dataclass(slots=True)
class Asking:
    """One call's exchanges with AWS: the same operation at the same place, with the inputs of page after page.

    target: with the region that the exchanges go to, never `global`: buckets, verdicts and exchanges are some region's.
    told: whether AWS itself has told some of the inputs, a record or a token, which the operation may not take.
    """

    clients: Clients
    limits: Limits
    target: Target
    service: str
    operation: str
    deadline: float
    tally: Tally
    missing: frozenset[str] = frozenset()
    told: bool = False
    credentials: Any = None

    async def ask(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The reply, after as many attempts as it takes and the settings allow."""
        try:
            return await self._attempts(inputs)
        except CallFailed as error:
            if error.why == "dead":
                self.clients.bury(self.target.account, error)
            raise

    def failed(self, code: str, message: str) -> CallFailed:
        """The error of a call that ends so."""
        self.tally.failed += 1
        return CallFailed("failed", code, message)

    async def _attempts(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        tries, renewals = Tries(), 0
        while True:
            try:
                return await self._once(inputs)
            except SkysweepError:
                raise
            except Exception as error:  # noqa: BLE001 - each is classified, an unknown one is a Bug
                cls = self._class(error)
                if cls is Class.EXPIRED and renewals < RENEWALS and await self._renewed(error):
                    renewals += 1
                else:
                    await self._wait(cls, error, tries)
            self.tally.retried += 1

    async def _once(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """One attempt: a token, fresh credentials, a slot, an exchange; within the deadline."""
        clients, target = self.clients, self.target
        if clients.silence.lost(self._place):
            raise self.failed("NoAnswer", f"{self.service} in {target.region} has stopped answering")
        try:
            with anyio.fail_after(max(self.deadline - time.monotonic(), 0)):
                await self.limits.take(target, self.service, self.operation)
                while True:
                    self.credentials = await clients.ready(target.account)
                    async with clients.slots:
                        if clients.current(target.account):  # they may expire while a call waits for its slot
                            return await self._exchange(inputs)
        except TimeoutError:
            if time.monotonic() < self.deadline:
                raise
            raise self._late(clients.trouble(target.account)) from None

    async def _exchange(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Sends the request, and notes whether anything came back."""
        clients, answered = self.clients, False
        timeout = clients.silence.timeout(self._place, policy(clients.settings, self.service).read_timeout)
        self.tally.calls += 1
        try:
            reply = await clients.send(
                self.target, self.service, self.operation, inputs, timeout=timeout, planned=not self.told
            )
            answered = True
        except (ClientError, ResponseParserError, ParamValidationError, SkysweepError):
            answered = True
            raise
        finally:
            clients.silence.note(self._place, answered=answered)
        return reply

    @property
    def _place(self) -> object:
        return self.clients.place(self.target, self.service)

    def _class(self, error: Exception) -> Class:
        """What the error means. Raises what ends the call whatever was tried before."""
        if self.told and isinstance(error, ParamValidationError):
            raise self._failure("failed", error) from error
        cls = retry.classify(error, service=self.service, operation=self.operation, missing=self.missing)
        if cls is Class.BUG:
            raise Bug(f"{self.service}:{self.operation}: {retry.text(error)}") from error
        return cls

    async def _wait(self, cls: Class, error: Exception, tries: Tries) -> None:
        """Waits until the next try is due. Raises what the call ends as where there is none."""
        if cls is Class.THROTTLED:
            self.tally.throttled += 1
            await self.limits.throttled(self.target, self.service, self.operation)
        if cls is Class.UNRECOGNIZED:
            cls = await self._unrecognized(error)
        how = policy(self.clients.settings, self.service)
        wait = tries.wait(cls, how, random.random, answering=self.clients.silence.answering(self._place))
        if wait is None or (tries.patient >= how.max_attempts and await self._absent(cls, error)):
            raise await self._end(cls, error) from error
        wait = retry.told(error, wait)
        if time.monotonic() + wait >= self.deadline:
            raise self._late(retry.code(error)) from error
        await anyio.sleep(wait)

    async def _renewed(self, error: Exception) -> bool:
        """Whether other credentials are there in place of those that AWS calls expired."""
        try:
            with anyio.fail_after(max(self.deadline - time.monotonic(), 0)):
                return await self.clients.renew(self.target.account, self.credentials)
        except TimeoutError:
            raise self._late(retry.code(error)) from error

    async def _end(self, cls: Class, error: Exception) -> CallFailed:
        """What the call ends as, once no further try is due."""
        return self._failure("absent" if await self._absent(cls, error) else retry.ending(cls), error)

    async def _absent(self, cls: Class, error: Exception) -> bool:
        """Whether the error may mean that the service is not there, and botocore does not list it there either."""
        # AWS's Chinese regions throttle the calls of services that they do not have.
        throttled = cls is Class.THROTTLED and self.target.partition == "aws-cn"
        # botocore finds no endpoint for a service that is not there, and for settings that no endpoint fits.
        perhaps = throttled or retry.unresolved(error) or isinstance(error, EndpointProviderError)
        return perhaps and not await self.clients.listed(self.target, self.service)

    async def _unrecognized(self, error: Exception) -> Class:
        """Whether the region is off, or the credentials are bad: bad ones are unknown everywhere."""
        try:
            with anyio.fail_after(max(self.deadline - time.monotonic(), 0)):
                await self.clients.recognized(self.target)
        except CallFailed:
            raise
        except Exception as second:  # noqa: BLE001 - classified
            cls = retry.classify(second, service="sts", operation="GetCallerIdentity")
            bad = cls in {Class.UNRECOGNIZED, Class.EXPIRED, Class.DEAD, Class.REFUSED}
            if bad:
                error.add_note(f"and in the main region: {retry.text(second)}")
            return Class.DEAD if bad else Class.TRANSIENT
        return Class.REFUSED if always_on(self.target.region) else Class.ABSENT

    def _failure(self, why: Why, error: Exception) -> CallFailed:
        self.tally.failed += why in {"failed", "dead"}
        return CallFailed(why, retry.code(error), retry.text(error))

    def _late(self, after: str = "") -> CallFailed:
        return self.failed("DeadlineExceeded", f"no answer in time{f', after {after}' if after else ''}")
