"""One frozen object says how a run goes; this module alone reads the environment for it.

AWS's own variables and files (AWS_PROFILE, AWS_ENDPOINT_URL, ~/.aws/config, …) stay botocore's to read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from skysweep.clients import AwsSettings
from skysweep.errors import BadSettings
from skysweep.store import StoreSettings

RetryMode = Literal["adaptive", "standard", "legacy"]
RETRY_MODES: tuple[RetryMode, ...] = ("adaptive", "standard", "legacy")
PASSWORD_VARIABLE = "NEO4J_PASSWORD"  # noqa: S105 - the name of a variable, not a password
CONCURRENCY = 100
RATE_SHARE = 0.8
UNIT_DEADLINE = 3600.0
DEMO_CONCURRENCY = 16
UPDATE_TAG_LIMIT = 10**11  # epoch seconds of the year 5138

_BOLT = re.compile(r"(bolt|neo4j)(\+s|\+ssc)?://(?P<userinfo>[^@/]*@)?[^@/]+/?\Z")
_ACCOUNT = re.compile(r"\d{12}\Z")


@dataclass(frozen=True)
class Settings:
    """How a sweep goes: where it writes, whom it reads, how hard it may push.

    state: the folder of the ledger. syncs: Cartography's sync names or labels, empty for all. concurrency: HTTP
    exchanges at once. update_tag: epoch seconds, None for now. unit_deadline: seconds a unit may take.
    """

    store: StoreSettings
    aws: AwsSettings
    state: Path
    syncs: tuple[str, ...] = ()
    exclude_accounts: frozenset[str] = field(default_factory=frozenset)
    concurrency: int = CONCURRENCY
    update_tag: int | None = None
    unit_deadline: float = UNIT_DEADLINE


def from_options(
    *,
    neo4j_uri: str | None = None,
    neo4j_user: str | None = None,
    neo4j_password_env_var: str | None = None,
    neo4j_database: str | None = None,
    store: Path | None = None,
    profiles: str | None = None,
    all_profiles: bool = False,
    accounts: str | None = None,
    exclude_accounts: str | None = None,
    role_name: str | None = None,
    external_id: str | None = None,
    regions: str | None = None,
    syncs: str | None = None,
    update_tag: int | None = None,
    concurrency: int = CONCURRENCY,
    rate_share: float = RATE_SHARE,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings that these options mean in this environment (`environ`: os.environ); lists are comma separated.

    Raises BadSettings naming the option or variable, its value and the mend.
    """
    environ = os.environ if environ is None else environ
    _require(concurrency >= 1, "--concurrency", concurrency, "at least 1")
    # A tag in milliseconds or nanoseconds would be above every later sweep's for ever.
    below = update_tag is None or 0 < update_tag < UPDATE_TAG_LIMIT
    _require(below, "--update-tag", update_tag, "epoch seconds, above 0")
    graph = store_settings(
        uri=neo4j_uri,
        user=neo4j_user,
        password_variable=neo4j_password_env_var,
        database=neo4j_database,
        folder=store,
        environ=environ,
    )
    aws = _aws_settings(
        profiles=_names("--profile", profiles),
        all_profiles=all_profiles,
        accounts=_accounts("--accounts", accounts),
        role_name=role_name,
        external_id=external_id,
        regions=_names("--aws-regions", regions),
        connections=concurrency,
        rate_share=rate_share,
        environ=environ,
    )
    return Settings(
        store=graph,
        aws=aws,
        state=graph.folder,
        syncs=_names("--aws-requested-syncs", syncs),
        exclude_accounts=frozenset(_accounts("--exclude-accounts", exclude_accounts)),
        concurrency=concurrency,
        update_tag=update_tag,
    )


def demo(
    endpoint: str, *, accounts: tuple[str, ...], role_name: str, regions: tuple[str, ...], folder: Path, key: str
) -> Settings:
    """Settings that can touch nothing real: dummy keys, one loopback endpoint, no variable, no file, own folder."""
    aws = AwsSettings(
        endpoint_url=endpoint,
        access_key=key,
        secret_key=key,
        isolated=True,
        accounts=accounts,
        role_name=role_name,
        regions=regions,
        connections=DEMO_CONCURRENCY,
        rate_share=0.0,  # nothing to spare on one's own machine
    )
    graph = StoreSettings(uri=None, user=None, password=None, database=None, folder=folder)
    return Settings(store=graph, aws=aws, state=folder, concurrency=DEMO_CONCURRENCY)


def store_settings(
    *,
    uri: str | None = None,
    user: str | None = None,
    password_variable: str | None = None,
    database: str | None = None,
    folder: Path | None = None,
    with_password: bool = True,
    environ: Mapping[str, str] | None = None,
) -> StoreSettings:
    """Which graph: `--neo4j-uri`, else NEO4J_URI, else the embedded one in `folder`, else in the default folder.

    The folder is also that of the ledger: beside the embedded graph, or one named after the Neo4j. Raises BadSettings.
    """
    environ = os.environ if environ is None else environ
    name, address = ("--neo4j-uri", uri) if uri else ("NEO4J_URI", environ.get("NEO4J_URI"))
    if not address:
        at = embedded_folder(folder or default_folder(environ))
        return StoreSettings(uri=None, user=None, password=None, database=None, folder=at)
    match = _BOLT.match(address)
    if match is None:
        raise BadSettings(f"{name}: {_shown(address)!r} must read like bolt://HOST:7687 or neo4j+s://HOST")
    if match["userinfo"]:
        raise BadSettings(f"{name}: take the user and password out of the address: --neo4j-user, {PASSWORD_VARIABLE}")
    user = user or environ.get("NEO4J_USER")
    password = _password(password_variable, user, environ) if with_password else None
    database = database or environ.get("NEO4J_DATABASE")
    at = folder or default_folder(environ) / "neo4j" / _slug(address, database)
    return StoreSettings(
        uri=address,
        user=user or ("neo4j" if password else None),
        password=password,
        database=database or None,
        folder=at.expanduser().absolute(),
    )


def embedded_folder(folder: Path | None) -> Path:
    """The folder of the embedded graph, absolute; the default one without `folder`. Raises BadSettings."""
    at = (folder or default_folder()).expanduser().absolute()
    _require(not at.exists() or at.is_dir(), "--store", str(at), "a folder")
    return at


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`$XDG_STATE_HOME/skysweep`, else `~/.local/state/skysweep`."""
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path("~/.local/state").expanduser()) / "skysweep"


def _aws_settings(
    *,
    profiles: tuple[str, ...],
    all_profiles: bool,
    accounts: tuple[str, ...],
    role_name: str | None,
    external_id: str | None,
    regions: tuple[str, ...],
    connections: int,
    rate_share: float,
    environ: Mapping[str, str],
) -> AwsSettings:
    _require(0 <= rate_share <= 1, "--rate-share", rate_share, "between 0 (paces nothing) and 1")
    if profiles and all_profiles:
        raise BadSettings("--profile and --aws-sync-all-profiles exclude each other: leave one out")
    if accounts and not role_name:
        raise BadSettings("--accounts needs --role-name: the role to assume in each of them")
    if external_id and not role_name:
        raise BadSettings("--external-id needs --role-name: it goes with the role to assume")
    return AwsSettings(
        profiles=profiles,
        all_profiles=all_profiles,
        accounts=accounts,
        role_name=role_name,
        external_id=external_id,
        regions=regions,
        retry_mode=_retry_mode(environ),
        max_attempts=int(_number(environ, 3, "CARTOGRAPHY_AWS_MAX_ATTEMPTS", "AWS_MAX_ATTEMPTS", whole=True)),
        read_timeout=_number(environ, 120, "CARTOGRAPHY_AWS_READ_TIMEOUT"),
        rate_share=rate_share,
        connections=connections,
    )


def _retry_mode(environ: Mapping[str, str]) -> RetryMode:
    name, value = _first(environ, "CARTOGRAPHY_AWS_RETRY_MODE", "AWS_RETRY_MODE")
    if not value:
        return "adaptive"
    mode = value.strip().lower()
    _require(mode in RETRY_MODES, name, value, "one of " + ", ".join(RETRY_MODES))
    return cast("RetryMode", mode)


def _number(environ: Mapping[str, str], default: float, *names: str, whole: bool = False) -> float:
    """The value of the first of these variables that is set: a number above 0."""
    name, value = _first(environ, *names)
    if not value:
        return default
    wanted = "a whole number above 0" if whole else "seconds, above 0"
    try:
        number = int(value) if whole else float(value)
    except ValueError:
        raise BadSettings(_wrong(name, value, wanted)) from None
    _require(0 < number < float("inf"), name, value, wanted)
    return number


def _password(variable: str | None, user: str | None, environ: Mapping[str, str]) -> str | None:
    password = environ.get(variable or PASSWORD_VARIABLE)
    if password is None and (variable or user):
        asker = "--neo4j-password-env-var" if variable else f"the Neo4j user {user!r}"
        raise BadSettings(f"{asker}: the variable {variable or PASSWORD_VARIABLE} is not set; put the password in it")
    return password


def _first(environ: Mapping[str, str], *names: str) -> tuple[str, str]:
    """The first of these variables that holds something, and what it holds."""
    return next(((name, environ[name]) for name in names if environ.get(name)), (names[-1], ""))


def _names(option: str, text: str | None) -> tuple[str, ...]:
    """The distinct names of a comma separated list, in order."""
    if text is None:
        return ()
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    _require(bool(names), option, text, "names separated by commas")
    return names


def _accounts(option: str, text: str | None) -> tuple[str, ...]:
    names = _names(option, text)
    for name in names:
        _require(_ACCOUNT.match(name) is not None, option, name, "an account id of 12 digits")
    return names


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise BadSettings(_wrong(name, value, wanted))


def _wrong(name: str, value: object, wanted: str) -> str:
    return f"{name}: {value!r} will not do; give {wanted}"


def _shown(address: str) -> str:
    """The address without what may be a password in it."""
    return re.sub(r"//.*@", "//…@", address)


def _slug(address: str, database: str | None) -> str:
    host = address.split("://", 1)[1].rstrip("/")
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{host}-{database or 'default'}")
