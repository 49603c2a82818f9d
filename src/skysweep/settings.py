"""One frozen object says how a run goes; this module alone reads the environment for it.

AWS's own variables and files (AWS_PROFILE, AWS_ENDPOINT_URL, ~/.aws/config, …) stay botocore's to read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from skysweep.address import StoreSettings
from skysweep.errors import BadSettings

if TYPE_CHECKING:
    from skysweep.clients import AwsSettings

RetryMode = Literal["adaptive", "standard", "legacy"]
RETRY_MODES: tuple[RetryMode, ...] = ("adaptive", "standard", "legacy")
PASSWORD_VARIABLE = "NEO4J_PASSWORD"  # noqa: S105 - the name of a variable, not a password
PATIENCE_VARIABLE = "SKYSWEEP_STORE_PATIENCE"
NAMES_VARIABLE = "SKYSWEEP_ACCOUNT_NAMES"
PRODUCTION_VARIABLE = "SKYSWEEP_PRODUCTION_ACCOUNTS"
CONCURRENCY = 100
PROCESSES = 64  # at most
RATE_SHARE = 0.8
UNIT_DEADLINE = 3600.0
STORE_PATIENCE = 600.0
DEMO_CONCURRENCY = 16
UPDATE_TAG_LIMIT = 10**11  # epoch seconds of the year 5138

_BOLT = re.compile(r"(bolt|neo4j)(\+s|\+ssc)?://(?P<userinfo>[^@/]*@)?[^@/]+/?\Z")
_ACCOUNT = re.compile(r"\d{12}\Z")
_UNIT = re.compile(r"(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})\Z")
_KEYS = "an account id of 12 digits, or a profile"
_IN_FILE = "{} in the AWS config file"


@dataclass(frozen=True)
class Settings:
    """How a sweep goes: where it writes, whom it reads, how hard it may push.

    state: the folder of the ledger. syncs: Cartography's sync names or labels, empty for all. concurrency: HTTP
    exchanges at once. update_tag: epoch seconds, None for now. unit_deadline: seconds a unit may take.
    store_patience: seconds for which the graph may be away. resume: whether an unfinished sweep is gone on with.
    processes: how many collect; above 1 they are others than the sweep's own.
    """

    store: StoreSettings
    aws: AwsSettings
    state: Path
    syncs: tuple[str, ...] = ()
    exclude_accounts: frozenset[str] = field(default_factory=frozenset)
    concurrency: int = CONCURRENCY
    update_tag: int | None = None
    unit_deadline: float = UNIT_DEADLINE
    store_patience: float = STORE_PATIENCE
    resume: bool = False
    processes: int = 1


def from_options(
    *,
    neo4j_uri: str | None = None,
    neo4j_user: str | None = None,
    neo4j_password_env_var: str | None = None,
    neo4j_database: str | None = None,
    store: Path | None = None,
    profiles: str | None = None,
    all_profiles: bool = False,
    organization: bool = False,
    organization_accounts: str | None = None,
    accounts: str | None = None,
    exclude_accounts: str | None = None,
    exclude_units: str | None = None,
    account_names: str | None = None,
    production_accounts: str | None = None,
    role_name: str | None = None,
    external_id: str | None = None,
    regions: str | None = None,
    syncs: str | None = None,
    update_tag: int | None = None,
    concurrency: int = CONCURRENCY,
    processes: int = 1,
    rate_share: float = RATE_SHARE,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings that these options mean in this environment (`environ`: os.environ); lists are comma separated.

    Raises BadSettings naming the option or variable, its value and the mend.
    """
    environ = os.environ if environ is None else environ
    _require(concurrency >= 1, "--concurrency", concurrency, "at least 1")
    _require(1 <= processes <= PROCESSES, "--processes", processes, f"between 1 and {PROCESSES}")
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
    _require(0 <= rate_share <= 1, "--rate-share", rate_share, "between 0 (paces nothing) and 1")
    aws = _aws_settings()(
        profiles=_names("--profile", profiles),
        all_profiles=all_profiles,
        organization=organization,
        organization_accounts=_accounts("--aws-organization-account-ids", organization_accounts),
        accounts=_accounts("--accounts", accounts),
        exclude_accounts=frozenset(_accounts("--exclude-accounts", exclude_accounts)),
        exclude_units=_units("--exclude-ou", exclude_units),
        account_names=_named(*_said("--account-names", account_names, NAMES_VARIABLE, environ)),
        production_accounts=_keys(*_said("--production-accounts", production_accounts, PRODUCTION_VARIABLE, environ)),
        role_name=role_name,
        external_id=external_id,
        regions=_names("--aws-regions", regions),
        connections=concurrency,
        rate_share=rate_share,
    )
    agree(aws)
    aws = replace(aws, **_retries(environ, aws.profiles))
    return Settings(
        store=graph,
        aws=aws,
        state=graph.folder,
        syncs=_names("--aws-requested-syncs", syncs),
        exclude_accounts=aws.exclude_accounts,
        concurrency=concurrency,
        processes=processes,
        update_tag=update_tag,
        store_patience=_number(environ, STORE_PATIENCE, PATIENCE_VARIABLE),
    )


def demo(
    endpoint: str, *, accounts: tuple[str, ...], role_name: str, regions: tuple[str, ...], folder: Path, key: str
) -> Settings:
    """Settings that can touch nothing real: dummy keys, one loopback endpoint, no variable, no file, own folder."""
    aws = _aws_settings()(
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


def agree(aws: AwsSettings) -> None:
    """Raises BadSettings where these settings exclude each other, or one lacks what it needs."""
    several = aws.all_profiles or len(aws.profiles) > 1
    for wrong, why in (
        (aws.profiles and aws.all_profiles, "--profile and --aws-sync-all-profiles exclude each other: leave one out"),
        (
            aws.organization and not aws.role_name,
            "--organization needs --role-name: the role to assume in each member account",
        ),
        (
            aws.accounts and not (aws.role_name or aws.profiles or aws.all_profiles),
            "--accounts needs --role-name: the role to assume in each of them",
        ),
        (
            aws.role_name and not (aws.accounts or aws.organization),
            "--role-name needs --accounts or --organization: where to assume it",
        ),
        (aws.role_name and several, "--role-name starts from one identity: give one --profile at most"),
        (aws.external_id and not aws.role_name, "--external-id needs --role-name: it goes with the role to assume"),
        (
            aws.exclude_units and not aws.organization,
            "--exclude-ou needs --organization: it leaves out a part of the organization's tree",
        ),
    ):
        if wrong:
            raise BadSettings(why)


def _aws_settings() -> type[AwsSettings]:
    """AwsSettings; its module brings AWS's client along, half a second that who reads a report need not wait."""
    from skysweep.clients import AwsSettings  # noqa: PLC0415 - as above

    return AwsSettings


def _retries(environ: Mapping[str, str], profiles: Sequence[str]) -> dict[str, Any]:
    """How calls are tried: by the environment, else by the profile's part of the AWS config file, else as ever."""
    said = {**_configured(environ, profiles), **environ}
    modes = "CARTOGRAPHY_AWS_RETRY_MODE", "AWS_RETRY_MODE", _IN_FILE.format("retry_mode")
    attempts = "CARTOGRAPHY_AWS_MAX_ATTEMPTS", "AWS_MAX_ATTEMPTS", _IN_FILE.format("max_attempts")
    return {
        "retry_mode": _retry_mode(said, *modes),
        "max_attempts": int(_number(said, _aws_settings().max_attempts, *attempts, whole=True)),
        "read_timeout": _number(said, _aws_settings().read_timeout, "CARTOGRAPHY_AWS_READ_TIMEOUT"),
    }


def _configured(environ: Mapping[str, str], profiles: Sequence[str]) -> dict[str, str]:
    """What the AWS config file says about retries; nothing where it is missing or broken, which is told elsewhere."""
    from botocore.configloader import load_config  # noqa: PLC0415 - as for AwsSettings
    from botocore.exceptions import ConfigNotFound, ConfigParseError  # noqa: PLC0415 - the same

    profile = next(iter(profiles), None) or environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE")
    file = environ.get("AWS_CONFIG_FILE") or (f"{environ['HOME']}/.aws/config" if environ.get("HOME") else os.devnull)
    try:
        options = load_config(file)["profiles"].get(profile or "default", {})
    except (ConfigNotFound, ConfigParseError):
        return {}
    return {_IN_FILE.format(key): str(options[key]) for key in ("retry_mode", "max_attempts") if key in options}


def _retry_mode(said: Mapping[str, str], *names: str) -> RetryMode:
    name, value = _first(said, *names)
    if not value:
        return _aws_settings().retry_mode
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


def _said(option: str, text: str | None, variable: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """What is given, and by what: the option, else the variable where it holds something."""
    return (option, text) if text is not None else (variable, environ.get(variable) or None)


def _keys(option: str, text: str | None) -> tuple[str, ...]:
    """Accounts by id or by profile."""
    names = _names(option, text)
    for name in names:
        _require(not name.isdecimal() or _ACCOUNT.match(name) is not None, option, name, _KEYS)
    return names


def _named(option: str, text: str | None) -> tuple[tuple[str, str], ...]:
    """What accounts are to be called, each by id or by profile, and once."""
    named: dict[str, str] = {}
    for part in _names(option, text):
        key, is_, name = (each.strip() for each in part.partition("="))
        _require(bool(key and is_ and name), option, part, "ACCOUNT=NAME, the account by id or profile")
        _keys(option, key)
        _require(named.setdefault(key, name) == name, option, part, f"one name for {key}")
    return tuple(named.items())


def _units(option: str, text: str | None) -> tuple[str, ...]:
    names = _names(option, text)
    for name in names:
        _require(_UNIT.match(name) is not None, option, name, "the id of an organizational unit (ou-…) or root (r-…)")
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
