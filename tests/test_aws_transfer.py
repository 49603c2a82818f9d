"""Where the users of a file server are led to, and the name that the internet knows a server by."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws import transfer
from skysweep.model import Context, Record

HERE = Context("123456789012", "eu-west-1")


def user(told: dict[str, Any], domain: str = "S3") -> Record:
    """A user as DescribeUser tells of it, on a server for buckets or for file systems."""
    record = Record({}, HERE, Record({"Domain": domain}, HERE))
    record.replies[transfer.USER.call] = {"User": told}
    return record


@pytest.mark.parametrize("home", ["/uploads", "/uploads/", "/uploads/acme/in"])
def test_a_home_directory_begins_with_its_bucket(home: str) -> None:
    assert transfer.buckets(user({"HomeDirectory": home, "HomeDirectoryType": "PATH"})) == ["uploads"]


def test_logical_folders_tell_the_buckets_each_once_and_the_home_directory_does_not() -> None:
    targets = ["/one/a", "/two", "/one/b"]
    told = {
        "HomeDirectory": "/three",
        "HomeDirectoryType": "LOGICAL",
        "HomeDirectoryMappings": [{"Entry": f"/{each}", "Target": each} for each in targets],
    }
    assert transfer.folders(user(told)) == targets
    assert transfer.buckets(user(told)) == ["one", "two"]


@pytest.mark.parametrize("home", ["/", None])
def test_who_has_no_folder_is_in_no_bucket(home: str | None) -> None:
    assert transfer.buckets(user({"HomeDirectory": home, "HomeDirectoryType": "PATH"})) == []


def test_a_file_system_is_no_bucket() -> None:
    assert transfer.buckets(user({"HomeDirectory": "/fs-0123456789abcdef0/ops"}, domain="EFS")) == []


def server(kind: str, addresses: list[str]) -> Record:
    record = Record({"ServerId": "s-1", "EndpointType": kind}, HERE)
    record.replies[transfer.SERVER.call] = {"Server": {"EndpointDetails": {"AddressAllocationIds": addresses}}}
    return record


@pytest.mark.parametrize(("kind", "addresses"), [("PUBLIC", []), ("VPC", ["eipalloc-1"])])
def test_a_server_on_the_internet_has_a_name_there(kind: str, addresses: list[str]) -> None:
    assert transfer.host(server(kind, addresses)) == "s-1.server.transfer.eu-west-1.amazonaws.com"


def test_a_server_within_a_vpc_has_none() -> None:
    assert transfer.host(server("VPC", [])) is None
