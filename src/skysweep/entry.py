"""The way into accounts: by the ambient credentials or a profile's, or by a role that is assumed from them.

Credentials are made where they are needed and renewed by their source. Nothing here asks whose they are: that is
`targets.py`'s, once a sweep; what it has found out is entered again elsewhere without a question.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import aioboto3
import anyio
from aiobotocore.credentials import AioCredentials, AioDeferredRefreshableCredentials
from botocore import exceptions

from skysweep import retry
from skysweep.errors import CallFailed, SkysweepError
from skysweep.paging import ask
from skysweep.plan import Account, Target

if TYPE_CHECKING:
    from skysweep.clients import AwsSettings, Clients
    from skysweep.errors import Why
    from skysweep.identity import Renew
    from skysweep.limits import Limits

SESSION_NAME = "skysweep"
SECONDS = 300.0  # for one account's credentials, its identity, or its regions
NO_CREDENTIALS = "no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run `aws configure`"


class Entry:
    """The way into the accounts that these settings lead to, with these clients."""

    def __init__(self, settings: AwsSettings, clients: Clients, limits: Limits) -> None:
        self._settings = settings
        self._clients = clients
        self._limits = limits
        self._bases: dict[str | None, str] = {}  # why it has no credentials, or ""
        self._making = anyio.Lock()

    def region(self, profile: str | None) -> str:
        """The region that the profile names, else AWS's main one."""
        region: str = self._clients.session(profile).region_name
        return region

    def role(self, partition: str, account: str) -> str:
        """The ARN of the role that the account is entered through."""
        return f"arn:{partition}:iam::{account}:role/{self._settings.role_name}"

    async def adopt_base(self, profile: str | None) -> bool:
        """Gets a profile's credentials, known by `key` from then on; False where there are none.

        Raises whatever a source of credentials may raise.
        """
        credentials = await self._credentials(profile)
        if credentials is not None:
            self._clients.adopt(key(profile), credentials, self._renewal(profile), profile)
        return credentials is not None

    def adopt(self, account: str, profile: str | None) -> None:
        """Gives the account the credentials that are known by their profile."""
        self._clients.adopt(account, self._clients.credentials(key(profile)), self._renewal(profile), profile)

    async def adopt_role(self, account: str, base: str | None, home: Target) -> None:
        """Gives the account its role's credentials, which are asked for when they are needed.

        home: where to assume it, by the credentials of `base`.
        """
        arn = self.role(home.partition, account)
        inputs = {"RoleArn": arn, "RoleSessionName": SESSION_NAME}
        if self._settings.external_id:
            inputs["ExternalId"] = self._settings.external_id

        async def refresh() -> dict[str, Any]:
            try:
                # Each account's has words of its own: a form of it would serve once.
                given = (await self.ask(home, "sts", "AssumeRole", inputs, told=True))["Credentials"]
            except CallFailed as error:
                # Whichever call this happens in: it is not that call which was denied.
                why: Why = "failed" if error.why == "failed" else "dead"
                raise CallFailed(why, error.code, f"{arn}: {error.message}") from error
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        async def fresh() -> Any:
            return AioDeferredRefreshableCredentials(refresh, "assume-role")

        self._clients.adopt(account, await fresh(), fresh, base)

    async def again(self, account: Account) -> str | None:
        """Enters an account that was found before, without asking AWS who that is; the error, if any."""
        base = account.profile or None
        async with self._making:
            if base not in self._bases:
                self._bases[base] = await self._base(base)
        if error := self._bases[base]:
            return error
        if self._settings.role_name and account.arn == self.role(account.partition, account.id):
            await self.adopt_role(account.id, base, Target(key(base), self.region(base), account.partition))
        else:
            self.adopt(account.id, base)
        return None

    async def ask(
        self, target: Target, service: str, operation: str, inputs: dict[str, Any], *, told: bool = False
    ) -> dict[str, Any]:
        """One reply of AWS within SECONDS; told: as of `paging.ask`. Raises CallFailed."""
        return await ask(
            self._clients,
            self._limits,
            target,
            service=service,
            operation=operation,
            inputs=inputs,
            deadline=time.monotonic() + SECONDS,
            tally=self._clients.tally,
            told=told,
        )

    async def _base(self, profile: str | None) -> str:
        try:
            with anyio.fail_after(SECONDS):  # a credential_process may hang
                return "" if await self.adopt_base(profile) else NO_CREDENTIALS
        except TimeoutError:
            return f"no credentials within {SECONDS:g} seconds"
        except SkysweepError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - a profile may run any program, read any file, ask any service
            return f"{retry.code(error)}: {retry.text(error)}"

    async def _credentials(self, profile: str | None) -> Any:
        """The profile's credentials by its own chain, or the static ones of the settings; None where there are none."""
        settings = self._settings
        if settings.access_key and settings.secret_key:
            return AioCredentials(settings.access_key, settings.secret_key, settings.token)
        if settings.isolated:
            return None
        return await _chain(self._clients.session(profile))

    def _renewal(self, profile: str | None) -> Renew | None:
        """How to get a profile's credentials anew: from its files and its chain as they are then."""
        if self._settings.access_key:
            return None

        def renew() -> Any:
            return _chain(aioboto3.Session(profile_name=profile, region_name=self.region(profile)))

        return renew


def key(profile: str | None) -> str:
    """What the clients know a profile's credentials by, until its account is known."""
    return f"profile {profile or ''}"


def _chain(session: Any) -> Any:
    """What awaits a session's credentials by its own chain, in which nobody is asked for an MFA code.

    The session's annotations are those of boto3's own, not asynchronous.
    """
    session._session.get_component("credential_provider").get_provider("assume-role")._prompter = _no_prompt  # noqa: SLF001 - botocore's prompter reads the terminal, blocks the loop, and is to be replaced here alone
    return session.get_credentials()


def _no_prompt(_: str) -> str:
    raise exceptions.RefreshWithMFAUnsupportedError
