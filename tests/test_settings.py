from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skysweep.errors import BadSettings
from skysweep.settings import default_folder, demo, from_options, store_settings

PASSWORD = {"NEO4J_PASSWORD": "secret"}


def test_the_store_is_the_option_then_the_variable_then_the_folder_then_the_default(tmp_path: Path) -> None:
    environ = {"NEO4J_URI": "bolt://variable:7687", "XDG_STATE_HOME": str(tmp_path)}
    assert store_settings(uri="bolt://option", folder=tmp_path, environ=environ).uri == "bolt://option"
    assert store_settings(folder=tmp_path, environ=environ).uri == "bolt://variable:7687"
    del environ["NEO4J_URI"]
    folder = store_settings(folder=tmp_path / "own", environ=environ)
    assert (folder.uri, folder.folder) == (None, tmp_path / "own")
    default = store_settings(environ=environ)
    assert (default.uri, default.folder) == (None, tmp_path / "skysweep")


def test_an_empty_variable_is_no_address(tmp_path: Path) -> None:
    assert store_settings(folder=tmp_path, environ={"NEO4J_URI": ""}).uri is None


def test_the_default_folder_follows_xdg_only_where_it_is_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder({"XDG_STATE_HOME": "/state"}) == Path("/state/skysweep")
    for environ in ({}, {"XDG_STATE_HOME": "relative"}):
        assert default_folder(environ) == tmp_path / ".local/state/skysweep"


def test_user_password_and_database_come_from_the_environment_unless_given() -> None:
    environ = {"NEO4J_USER": "u", "NEO4J_DATABASE": "d", "OTHER": "other", **PASSWORD}
    found = store_settings(uri="bolt://h", environ=environ)
    assert (found.user, found.password, found.database) == ("u", "secret", "d")
    options: dict[str, Any] = {"uri": "bolt://h", "user": "v", "password_variable": "OTHER", "database": "e"}
    given = store_settings(**options, environ=environ)
    assert (given.user, given.password, given.database) == ("v", "other", "e")


def test_a_password_alone_means_the_user_neo4j_and_none_means_no_login() -> None:
    assert store_settings(uri="bolt://h", environ=PASSWORD).user == "neo4j"
    bare = store_settings(uri="bolt://h", environ={})
    assert (bare.user, bare.password) == (None, None)


def test_each_neo4j_has_a_ledger_of_its_own(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    folders = {
        store_settings(uri=uri, database=database, environ=environ).folder
        for uri, database in [("bolt://a", None), ("bolt://b", None), ("bolt://a", "x"), ("bolt://a:7688", None)]
    }
    assert len(folders) == 4
    assert all(folder.is_relative_to(tmp_path / "skysweep" / "neo4j") for folder in folders)
    assert store_settings(uri="bolt://a", folder=tmp_path / "own", environ=environ).folder == tmp_path / "own"


def test_the_ledger_lies_in_the_stores_folder(tmp_path: Path) -> None:
    assert from_options(store=tmp_path, environ={}).state == tmp_path


def test_cartographys_variables_win_over_awss() -> None:
    both = {
        "AWS_RETRY_MODE": "legacy",
        "AWS_MAX_ATTEMPTS": "7",
        "CARTOGRAPHY_AWS_RETRY_MODE": "Standard",
        "CARTOGRAPHY_AWS_MAX_ATTEMPTS": "5",
        "CARTOGRAPHY_AWS_READ_TIMEOUT": "30.5",
    }
    aws = from_options(environ=both).aws
    assert (aws.retry_mode, aws.max_attempts, aws.read_timeout) == ("standard", 5, 30.5)
    aws = from_options(environ={name: value for name, value in both.items() if name.startswith("AWS_")}).aws
    assert (aws.retry_mode, aws.max_attempts, aws.read_timeout) == ("legacy", 7, 120)
    assert from_options(environ={}).aws.retry_mode == "adaptive"


def test_how_long_the_graph_may_be_away_is_a_variable() -> None:
    assert from_options(environ={}).store_patience == 600
    assert from_options(environ={"SKYSWEEP_STORE_PATIENCE": "2.5"}).store_patience == 2.5
    with pytest.raises(BadSettings, match="SKYSWEEP_STORE_PATIENCE: '0' will not do"):
        from_options(environ={"SKYSWEEP_STORE_PATIENCE": "0"})


def test_the_aws_files_retry_settings_come_after_the_environments(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        "[default]\nretry_mode = legacy\nmax_attempts = 8\n[profile shop]\nretry_mode = standard\n"
        "[profile odd]\nmax_attempts = many\n"
    )
    environ = {"AWS_CONFIG_FILE": str(file)}

    def retries(*, profiles: str | None = None, **variables: str) -> tuple[str, int]:
        aws = from_options(profiles=profiles, environ={**environ, **variables}).aws
        return aws.retry_mode, aws.max_attempts

    assert retries() == ("legacy", 8)
    assert retries(profiles="shop") == retries(AWS_PROFILE="shop") == ("standard", 3)
    assert retries(AWS_RETRY_MODE="adaptive", AWS_MAX_ATTEMPTS="5") == ("adaptive", 5)
    assert retries(CARTOGRAPHY_AWS_MAX_ATTEMPTS="6", AWS_MAX_ATTEMPTS="5") == ("legacy", 6)
    assert retries(profiles="nobody") == ("adaptive", 3)
    with pytest.raises(BadSettings, match="max_attempts in the AWS config file: 'many'"):
        retries(profiles="odd")
    file.write_text("[profile broken\n")
    assert retries() == ("adaptive", 3), "a broken file is told of when the profiles are looked for"


def test_the_file_is_that_of_the_home_unless_it_is_named(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nmax_attempts = 9\n")
    assert from_options(environ={"HOME": str(tmp_path)}).aws.max_attempts == 9


def test_an_organization_and_what_is_left_out_of_it() -> None:
    aws = from_options(
        organization=True,
        role_name="audit",
        exclude_units="ou-ab12-cdefgh34,r-ab12",
        exclude_accounts="333333333333",
        organization_accounts="111111111111",
        environ={},
    ).aws
    assert aws.organization
    assert aws.exclude_units == ("ou-ab12-cdefgh34", "r-ab12")
    assert aws.exclude_accounts == {"333333333333"}
    assert aws.organization_accounts == ("111111111111",)


def test_lists_are_comma_separated_and_keep_their_order() -> None:
    settings = from_options(
        regions=" eu-west-1, us-east-1,eu-west-1,",
        syncs="s3,ec2:instance",
        accounts="111111111111,222222222222",
        exclude_accounts="333333333333",
        role_name="audit",
        environ={},
    )
    assert settings.aws.regions == ("eu-west-1", "us-east-1")
    assert settings.syncs == ("s3", "ec2:instance")
    assert settings.aws.accounts == ("111111111111", "222222222222")
    assert settings.exclude_accounts == {"333333333333"}


def test_accounts_are_named_and_in_production_by_option_or_by_variable() -> None:
    said = {"SKYSWEEP_ACCOUNT_NAMES": "data=Data = all of it", "SKYSWEEP_PRODUCTION_ACCOUNTS": "data,222222222222"}
    aws = from_options(environ=said).aws
    assert aws.account_names == (("data", "Data = all of it"),)
    assert aws.production_accounts == ("data", "222222222222")
    named = "111111111111=Shop, data=Data,data=Data"
    aws = from_options(account_names=named, production_accounts="shop", environ=said).aws
    assert aws.account_names == (("111111111111", "Shop"), ("data", "Data"))
    assert aws.production_accounts == ("shop",)
    silent = from_options(environ={"SKYSWEEP_ACCOUNT_NAMES": ""}).aws
    assert (silent.account_names, silent.production_accounts) == ((), ())


WRONG: list[tuple[dict[str, Any], dict[str, str], list[str]]] = [
    ({"neo4j_uri": "http://h:7474"}, {}, ["--neo4j-uri", "http://h:7474", "bolt://"]),
    ({}, {"NEO4J_URI": "localhost"}, ["NEO4J_URI", "localhost", "bolt://"]),
    ({"neo4j_uri": "bolt://h", "neo4j_user": "u"}, {}, ["'u'", "NEO4J_PASSWORD"]),
    ({"neo4j_uri": "bolt://h", "neo4j_password_env_var": "PW"}, PASSWORD, ["--neo4j-password-env-var", "PW"]),
    ({}, {"CARTOGRAPHY_AWS_RETRY_MODE": "fast"}, ["CARTOGRAPHY_AWS_RETRY_MODE", "fast", "adaptive, standard, legacy"]),
    ({}, {"AWS_RETRY_MODE": "fast"}, ["AWS_RETRY_MODE", "fast"]),
    ({}, {"AWS_MAX_ATTEMPTS": "0"}, ["AWS_MAX_ATTEMPTS", "'0'", "above 0"]),
    ({}, {"CARTOGRAPHY_AWS_MAX_ATTEMPTS": "2.5"}, ["CARTOGRAPHY_AWS_MAX_ATTEMPTS", "2.5", "whole"]),
    ({}, {"CARTOGRAPHY_AWS_READ_TIMEOUT": "nan"}, ["CARTOGRAPHY_AWS_READ_TIMEOUT", "nan", "seconds"]),
    ({}, {"CARTOGRAPHY_AWS_READ_TIMEOUT": "inf"}, ["CARTOGRAPHY_AWS_READ_TIMEOUT", "inf"]),
    ({"rate_share": 1.5}, {}, ["--rate-share", "1.5"]),
    ({"rate_share": float("nan")}, {}, ["--rate-share", "nan"]),
    ({"concurrency": 0}, {}, ["--concurrency", "0"]),
    ({"update_tag": -1}, {}, ["--update-tag", "-1"]),
    ({"update_tag": 10**11}, {}, ["--update-tag", "epoch seconds"]),
    ({"accounts": "12", "role_name": "r"}, {}, ["--accounts", "'12'", "12 digits"]),
    ({"accounts": "111111111111"}, {}, ["--accounts", "--role-name"]),
    ({"external_id": "x"}, {}, ["--external-id", "--role-name"]),
    ({"role_name": "r"}, {}, ["--role-name", "--accounts", "--organization"]),
    ({"organization": True}, {}, ["--organization", "--role-name"]),
    ({"organization": True, "role_name": "r", "all_profiles": True}, {}, ["--role-name", "one --profile"]),
    ({"organization": True, "role_name": "r", "exclude_units": "Workloads"}, {}, ["--exclude-ou", "ou-…"]),
    ({"exclude_units": "ou-ab12-cdefgh34"}, {}, ["--exclude-ou", "--organization"]),
    ({"organization_accounts": "hub"}, {}, ["--aws-organization-account-ids", "12 digits"]),
    ({"exclude_accounts": "x"}, {}, ["--exclude-accounts", "'x'"]),
    ({"profiles": "a", "all_profiles": True}, {}, ["--profile", "--aws-sync-all-profiles"]),
    ({"regions": " , "}, {}, ["--aws-regions"]),
    ({"account_names": "shop"}, {}, ["--account-names", "'shop'", "ACCOUNT=NAME"]),
    ({"account_names": "shop=Shop,data="}, {}, ["--account-names", "'data='", "ACCOUNT=NAME"]),
    ({"account_names": "1234=Shop"}, {}, ["--account-names", "'1234'", "12 digits"]),
    ({"account_names": "shop=Shop,shop=Web"}, {}, ["--account-names", "'shop=Web'", "one name for shop"]),
    ({"production_accounts": "1234"}, {}, ["--production-accounts", "'1234'", "12 digits"]),
    ({"production_accounts": ","}, {}, ["--production-accounts"]),
    ({}, {"SKYSWEEP_ACCOUNT_NAMES": "=Shop"}, ["SKYSWEEP_ACCOUNT_NAMES", "'=Shop'"]),
    ({}, {"SKYSWEEP_PRODUCTION_ACCOUNTS": "12"}, ["SKYSWEEP_PRODUCTION_ACCOUNTS", "'12'"]),
]


@pytest.mark.parametrize(("options", "environ", "told"), WRONG)
def test_what_is_wrong_is_named_with_its_value_and_the_mend(
    options: dict[str, Any], environ: dict[str, str], told: list[str]
) -> None:
    with pytest.raises(BadSettings) as error:
        from_options(environ=environ, **options)
    assert "\n" not in str(error.value)
    for part in told:
        assert part in str(error.value)


@pytest.mark.parametrize("uri", ["bolt://neo4j:hunter2@h", "http://neo4j:hunter2@h", "bolt://u:a/hunter2@h"])
def test_a_password_in_the_address_is_refused_and_never_repeated(uri: str) -> None:
    with pytest.raises(BadSettings) as error:
        store_settings(uri=uri, environ={})
    assert "hunter2" not in str(error.value)


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(BadSettings, match="--store"):
        store_settings(folder=file, environ={})


def test_the_demo_heeds_no_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hostile = {
        "NEO4J_URI": "bolt://production",
        "CARTOGRAPHY_AWS_RETRY_MODE": "nonsense",
        "AWS_MAX_ATTEMPTS": "nonsense",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_ENDPOINT_URL": "https://example.com",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    settings = demo("http://localhost:1", accounts=("1" * 12,), role_name="r", regions=(), folder=tmp_path, key="demo")
    assert settings.store.uri is None
    assert settings.aws.isolated
    assert (settings.aws.access_key, settings.aws.endpoint_url) == ("demo", "http://localhost:1")
    assert settings.state == settings.store.folder == tmp_path
