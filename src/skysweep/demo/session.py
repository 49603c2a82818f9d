"""botocore for the demo: clients that know dummy keys, one loopback endpoint and nothing of the machine around them."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider
from botocore.session import Session

from skysweep.errors import BadSettings

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

DUMMY = "demo"
"""Access key and secret of the management account: moto gives unknown keys its default account."""

ROLE_NAME = "skysweep"
"""The role to assume in every account of the estate."""

GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True)
class Keys:
    """Credentials as botocore takes them."""

    access_key: str = DUMMY
    secret_key: str = DUMMY
    token: str | None = None


def is_loopback(host: str) -> bool:
    """Tell whether the host is a loopback address or `localhost`; no other name is looked up."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_loopback(endpoint: str) -> str:
    """Return the endpoint, or raise BadSettings when its host is not a loopback one."""
    if not is_loopback(urlsplit(endpoint).hostname or ""):
        raise BadSettings(f"the demo talks to this machine only: {endpoint} is not a loopback address")
    return endpoint


def isolated_session() -> Session:
    """Give a botocore session whose every setting is botocore's default, whatever environment and AWS files say."""
    defaults = {name: default for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    defaults |= {"config_file": os.devnull, "credentials_file": os.devnull}
    session = Session()
    store = ConfigValueStore({name: ConstantProvider(value) for name, value in defaults.items()})
    session.register_component("config_store", store)
    return session


class Clients:
    """Makes botocore clients for one loopback endpoint; safe to share between threads."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = require_loopback(endpoint)
        self._session = isolated_session()
        self._session.register("before-send", self._keep_to_endpoint)
        self._lock = Lock()
        self._config = Config(
            proxies={},  # None would ask the environment
            retries={"max_attempts": 0},
            s3={"addressing_style": "path"},
            max_pool_connections=16,
        )

    def _keep_to_endpoint(self, **event: Any) -> None:
        """Send every request to the endpoint itself: s3control puts the account before the host name."""
        request: AWSPreparedRequest = event["request"]
        request.url = urlunsplit(urlsplit(request.url)._replace(netloc=urlsplit(self._endpoint).netloc))

    def make(self, service: str, region: str, keys: Keys) -> Any:
        """Make a client (botocore's creation of clients is not thread safe: one at a time)."""
        with self._lock:
            return self._session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.token,
                config=self._config,
            )


@dataclass(frozen=True)
class Account:
    """An account of the estate, and the way to act in it."""

    id: str
    name: str
    clients: Clients = field(repr=False)
    keys: Keys = field(repr=False)
    _made: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str, region: str = GLOBAL_REGION) -> Any:
        """Give this account's botocore client of a service in a region, the same one every time."""
        key = (service, region)
        if key not in self._made:
            self._made[key] = self.clients.make(service, region, self.keys)
        return self._made[key]

    def assume(self, account_id: str, name: str) -> Account:
        """Assume ROLE_NAME in another account, as the sweep will."""
        role = f"arn:aws:iam::{account_id}:role/{ROLE_NAME}"
        reply = self.client("sts").assume_role(RoleArn=role, RoleSessionName="skysweep-demo")
        given = reply["Credentials"]
        keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return Account(account_id, name, self.clients, keys)
