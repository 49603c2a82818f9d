"""AWS's clients: one a service for the whole process, aimed anew at an account and a region by each call.

A client costs 2-9 ms and up to 1.4 MB; an organization of 1,000 accounts and 17 regions would need 680,000 of them. So
botocore's own hooks put the credentials and the region of each call into a shared client, whose own keys are dummies:
a call without an aim fails instead of reading a wrong account. Retries, pace and adaptation are `paging.py`'s.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

import aioboto3
import anyio
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider
from botocore.exceptions import BotoCoreError, UnknownServiceError
from botocore.handlers import json_decode_policies
from botocore.loaders import Loader
from botocore.model import OperationNotFoundError

from skysweep import pagers, regions, retry
from skysweep.errors import BadSettings, Bug, CallFailed
from skysweep.exchange import Exchanges, take
from skysweep.identity import Identity, Renew
from skysweep.plan import GLOBAL, Target
from skysweep.replies import ParserFactory
from skysweep.retry import Policy
from skysweep.silence import Silence
from skysweep.transport import AIM, Aim, Pool, aim, http_session, loopback

if TYPE_CHECKING:
    from skysweep.outcomes import Tally
    from skysweep.pagers import Pager

USER_AGENT = f"skysweep/{version('skysweep')}"
DUMMY = "skysweep-aims-each-call"
RECOGNIZED_SECONDS = 60.0
SPARE_CONNECTIONS = 16  # for the refreshing of credentials, which must not wait for the calls that wait for it
CLIENT_OPTIONS = (
    *("endpoint_url", "services", "ca_bundle", "use_fips_endpoint", "use_dualstack_endpoint", "sts_regional_endpoints"),
)
"""What a profile may say about its endpoints; profiles that say the same share their clients."""

# Without a handler Python prints their warnings, with tracebacks and unscrubbed, over the user's terminal.
for _name in ("botocore", "aiobotocore", "aioboto3", "boto3", "aiohttp", "asyncio"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True)
class AwsSettings:
    """Whom to sweep and how to reach AWS.

    endpoint_url: another AWS (None: what the standard variables and files say, else AWS). access_key, secret_key,
    token: base credentials instead of the standard chain. isolated: read no AWS_* variable and no AWS file, and call
    nothing but loopback. accounts, role_name, external_id: sweep these accounts by this role, from the base
    credentials. organization: sweep the active accounts of the base credentials' organization by that role; `accounts`
    then narrows. exclude_accounts: leave these out; exclude_units: and those anywhere under these roots and
    organizational units. organization_accounts: through which accounts the tree of their organization is read; empty
    for those that manage one, and the one that `organization` starts from. account_names: what accounts, by id or by
    profile, are called in the graph. production_accounts: which are in production, the same way; empty where nobody
    says. regions: only these. Timeouts are seconds. rate_share: which share of AWS's rate limits to use, 0 for no
    pacing. connections: HTTP exchanges at once.
    """

    endpoint_url: str | None = None
    profiles: tuple[str, ...] = ()
    all_profiles: bool = False
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    isolated: bool = False
    accounts: tuple[str, ...] = ()
    role_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    organization: bool = False
    exclude_accounts: frozenset[str] = frozenset()
    exclude_units: tuple[str, ...] = ()
    organization_accounts: tuple[str, ...] = ()
    account_names: tuple[tuple[str, str], ...] = ()
    production_accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    retry_mode: Literal["adaptive", "standard", "legacy"] = "adaptive"
    max_attempts: int = 3
    read_timeout: float = 120
    connect_timeout: float = 10
    rate_share: float = 0.8
    connections: int = 100


OWN_DEFAULTS: Mapping[str, Mapping[str, float]] = {"lambda": {"max_attempts": 2, "read_timeout": 30}}
"""Services whose calls end sooner by default, as in Cartography."""


def policy(settings: AwsSettings, service: str) -> Policy:
    """How a service's calls are tried: by the settings, or by its own default where they say nothing else."""
    said = {"max_attempts": settings.max_attempts, "read_timeout": settings.read_timeout}
    own = {name: value for name, value in OWN_DEFAULTS.get(service, {}).items() if said[name] == _DEFAULTS[name]}
    chosen = said | own
    return Policy(settings.retry_mode, int(chosen["max_attempts"]), chosen["read_timeout"])


_DEFAULTS = {"max_attempts": AwsSettings.max_attempts, "read_timeout": AwsSettings.read_timeout}


class Clients:
    """The process's AWS clients and its accounts' credentials; an async context manager.

    slots: how many exchanges may be under way at once; whoever sends takes one. silence: which endpoints do not answer.
    """

    def __init__(self, settings: AwsSettings, tally: Tally) -> None:
        if settings.isolated and not loopback(urlsplit(settings.endpoint_url or "").hostname):
            raise BadSettings(f"an isolated run needs an endpoint on this machine, not {settings.endpoint_url!r}")
        self.settings = settings
        self.tally = tally
        self.slots = anyio.CapacityLimiter(settings.connections)
        self.silence = Silence()
        self._pool = Pool(
            settings.connections + SPARE_CONNECTIONS, settings.connect_timeout, only_loopback=settings.isolated
        )
        self._identities: dict[str, Identity] = {}
        self._sessions: dict[str | None, aioboto3.Session] = {}
        self._beneath: dict[str | None, AioSession] = {}
        self._alike: dict[str, AioSession] = {}
        self._clients: dict[tuple[AioSession, str], Any] = {}
        self._pagers: dict[tuple[str, str], Pager] = {}
        self._exchanges = Exchanges()
        self._making = anyio.Lock()
        self._config = _config(settings, http_session(self._pool))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._pool.close()

    def listen(self, hear: Callable[[Mapping[str, str]], None]) -> None:
        """Has `hear` told the headers of every reply."""
        self._pool.hear = hear

    def profiles(self) -> list[str]:
        """The profiles of the AWS files; none in an isolated run. Raises botocore's error for a file that is broken."""
        return list(self._botocore(None).available_profiles)

    def session(self, profile: str | None = None) -> aioboto3.Session:
        """The session of a profile (None: the ambient one), for its credentials and its region.

        Where it names no region it has AWS's main one: to assume a profile's role some region must be asked. Raises
        botocore's errors for a profile that is not there or a file that is broken.
        """
        if profile not in self._sessions:
            beneath = self._botocore(profile)
            region = beneath.get_config_variable("region") or regions.MAIN["aws"]
            self._sessions[profile] = aioboto3.Session(botocore_session=beneath, region_name=region)
        return self._sessions[profile]

    def own_endpoints(self, profile: str | None) -> bool:
        """Whether the profile itself says where its calls go."""
        options = self._botocore(profile).get_scoped_config()
        return profile is not None and any(name in options for name in CLIENT_OPTIONS)

    def _botocore(self, profile: str | None) -> AioSession:
        """What lies under a profile's session: hooks, parsers and model loader are to be had here alone."""
        if profile not in self._beneath:
            session = _isolated_session() if self.settings.isolated else AioSession(profile=profile)
            session.register_component("response_parser_factory", ParserFactory())
            session.unregister("after-call.iam", json_decode_policies)  # the parser does it, and outlives odd records
            # Requests for credentials are named after us as well; a session named Botocore would be renamed Boto3.
            session.user_agent_name, session.user_agent_version = USER_AGENT.split("/")
            session.user_agent_extra = ""
            self._beneath[profile] = session
        return self._beneath[profile]

    def adopt(self, account: str, credentials: Any, renew: Renew | None = None, profile: str | None = None) -> None:
        """Gives an account its credentials: AioCredentials or a kin that refreshes itself.

        renew: makes new ones when AWS calls these expired. profile: whose endpoint settings its calls follow.
        """
        session = self._botocore(profile)
        options = session.get_scoped_config()
        alike = repr([options.get(name) for name in CLIENT_OPTIONS])
        self._identities[account] = Identity(credentials, renew, self._alike.setdefault(alike, session))

    def credentials(self, account: str) -> Any:
        """The credentials of an account. Raises Bug where it was never adopted."""
        return self._identity(account).credentials

    async def ready(self, account: str) -> AioCredentials:
        """What the account's next calls are signed with, refreshed where it is about to expire.

        Raises CallFailed where its source has none to give, `dead` where that is for good.
        """
        return await self._identity(account).ready()

    def current(self, account: str) -> AioCredentials | None:
        """What the account's calls are signed with, or None where that is not there or has expired."""
        return self._identity(account).current

    def trouble(self, account: str) -> str:
        """Why the account's credentials cannot be had at present; empty where they can."""
        return self._identity(account).trouble

    async def renew(self, account: str, refused: AioCredentials) -> bool:
        """Replaces the credentials that AWS refused, once for all calls that met it; False when there is no way to."""
        return await self._identity(account).replace(refused)

    def place(self, target: Target, service: str) -> object:
        """What answers the target's calls to a service: accounts of the same endpoints share it."""
        return id(self._identity(target.account).session), where(target, service), service

    def bury(self, account: str, error: CallFailed) -> None:
        """Notes that the account's credentials are gone for good: later calls of it end so at once, unsent."""
        self._identity(account).dead = error

    async def recognized(self, target: Target) -> None:
        """Returns when AWS knows the account's credentials in its partition's main region, else raises its error.

        Asked at most once a minute: it tells a region that is off from credentials that are bad.
        """
        identity = self._identity(target.account)
        async with identity.recognizing:
            if anyio.current_time() - identity.recognized >= RECOGNIZED_SECONDS:
                main = Target(target.account, regions.home("sts", target.partition), target.partition)
                await self.send(main, "sts", "GetCallerIdentity", {}, timeout=self.settings.read_timeout)
                identity.recognized = anyio.current_time()

    async def send(
        self,
        target: Target,
        service: str,
        operation: str,
        inputs: Mapping[str, Any],
        *,
        timeout: float,  # noqa: ASYNC109 - the exchange's, kept by aiohttp
        region: str | None = None,
        planned: bool = False,
    ) -> dict[str, Any]:
        """One signed HTTP exchange with `target`, or with another region of its account: the reply, parsed.

        timeout: seconds for the reply. planned: whether others are asked in the same words. Raises botocore's errors as
        they are, and CallFailed once the account's credentials are dead. (S3 alone may take three exchanges more, when
        a bucket turns out to live in another region.)
        """
        identity = self._identity(target.account)
        identity.check()  # it may have ended while this call waited for its turn
        client = await self.client(service, target.account)
        credentials = identity.current or await identity.ready()
        token = AIM.set(Aim(credentials, region or where(target, service), timeout))
        try:
            reply = await self._exchanges.ask(client, operation, inputs, planned=planned)
        finally:
            AIM.reset(token)
        reply.pop("ResponseMetadata", None)
        return reply

    async def client(self, service: str, account: str) -> Any:
        """The client that the account's calls share with all others of the same endpoints.

        Raises BadSettings where it cannot be made of what the settings, variables and files say.
        """
        session = self._identity(account).session
        key = (session, service)
        if key not in self._clients:
            async with self._making:
                if key not in self._clients:
                    self._clients[key] = await self._make(session, service)
        return self._clients[key]

    async def pager(self, account: str, service: str, operation: str) -> Pager:
        """How the pages of an operation follow each other. Raises Bug for an operation that there is not."""
        key = (service, operation)
        if key not in self._pagers:
            session = self._identity(account).session
            loader = session.get_component("data_loader")
            try:
                model = (await self.client(service, account)).meta.service_model.operation_model(operation)
            except (UnknownServiceError, OperationNotFoundError) as error:
                raise Bug(f"{service}:{operation}: {error}") from error
            try:
                definitions = loader.load_service_model(service, "paginators-1")["pagination"]
            except UnknownServiceError:  # the service lists nothing, says botocore
                definitions = {}
            self._pagers[key] = pagers.pager(service, model, definitions.get(operation))
        return self._pagers[key]

    async def listed(self, target: Target, service: str, region: str | None = None) -> bool:
        """Whether botocore's endpoint data lists the service there; True where it does not know the service at all."""
        known = await self._identity(target.account).session.get_available_regions(service, target.partition)
        return not known or (region or where(target, service)) in known

    async def _make(self, session: AioSession, service: str) -> Any:
        config = self._config
        if service.startswith("bedrock"):  # AWS_BEARER_TOKEN_BEDROCK would answer for every account
            config = config.merge(AioConfig(signature_version="v4"))
        made = session.create_client(
            service,
            region_name=regions.MAIN["aws"],
            endpoint_url=self.settings.endpoint_url,
            config=config,
            aws_access_key_id=DUMMY,
            aws_secret_access_key=DUMMY,
        )
        try:
            client = await made.__aenter__()  # its exit would close the pool's session, which is ours to close
        except UnknownServiceError:
            raise
        except (ValueError, BotoCoreError) as error:
            mend = "an endpoint (AWS_ENDPOINT_URL, endpoint_url in the AWS files) must read like http://HOST:PORT"
            raise BadSettings(f"no client for {service}: {retry.text(error)}; {mend}") from error
        name = client.meta.service_model.service_id.hyphenize()
        # First of all: S3's redirector, which comes later, may put a bucket's true region in place of ours.
        client.meta.events.register_first(f"before-parameter-build.{name}", _aim_signature)
        client.meta.events.register_first(f"before-endpoint-resolution.{name}", _aim_endpoint)
        client.meta.events.register_first(f"before-send.{name}", take)
        return client

    def _identity(self, account: str) -> Identity:
        try:
            return self._identities[account]
        except KeyError:
            raise Bug(f"account {account} has no credentials") from None


def where(target: Target, service: str) -> str:
    """The region that a call to the target goes to: its own, or the service's home for account-wide calls."""
    return regions.home(service, target.partition) if target.region == GLOBAL else target.region


def _aim_signature(context: dict[str, Any], **_: Any) -> None:
    to = aim()
    context["signing"] = {"request_credentials": to.credentials, "region": to.region}


def _aim_endpoint(builtins: dict[str, Any], **_: Any) -> None:
    builtins["AWS::Region"] = aim().region


def _config(settings: AwsSettings, http: type) -> AioConfig:
    options: dict[str, Any] = {"ignore_configured_endpoint_urls": True, "proxies": {}} if settings.isolated else {}
    return AioConfig(
        http_session_cls=http,
        user_agent=USER_AGENT,
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.connections,
        account_id_endpoint_mode="disabled",  # a host name for each account would never reuse a connection
        **options,
    )


def _isolated_session() -> AioSession:
    """A session that reads neither environment nor files: each variable has its default, each file is empty."""
    session = AioSession()
    values = {name: default for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    values |= {"config_file": os.devnull, "credentials_file": os.devnull, "region": regions.MAIN["aws"]}
    providers = {name: ConstantProvider(value=value) for name, value in values.items()}
    session.register_component("config_store", ConfigValueStore(mapping=providers))
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Loader:
    """The models that botocore has, each read once in the process: megabytes of JSON."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
