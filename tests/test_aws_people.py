from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from skysweep.aws.iam import MFA_DEVICES, AWSUser
from skysweep.aws.people import addresses
from skysweep.catalogue import declared
from skysweep.model import Context, Record
from skysweep.records import Maker

HERE = Context("123456789012", "global")


@pytest.mark.parametrize(
    ("name", "tags", "found"),
    [
        ("alice", {"Email": "Alice@Example.com"}, ["alice@example.com"]),
        ("alice", {"e-mail": " alice@example.com "}, ["alice@example.com"]),
        ("ann@example.com", {}, ["ann@example.com"]),
        ("ann@example.com", {"email": "ann.other@example.com"}, ["ann.other@example.com"]),
        ("ann@example.com", {"email": "ask the desk"}, ["ann@example.com"]),
        ("ci", {"team": "a@example.com"}, []),
        ("ci@build", {}, []),
        ("a@b@example.com", {}, []),
    ],
)
def test_a_user_is_the_person_that_its_tag_or_its_name_tells(name: str, tags: dict[str, str], found: list[str]) -> None:
    user = {"UserName": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    assert list(addresses(Record(user, HERE))) == found


def test_who_may_not_list_a_users_mfa_devices_does_not_know_of_none() -> None:
    maker = Maker(declared(AWSUser), 7)

    def row(**told: object) -> dict[str, Any]:
        user = Record({"Arn": "arn:aws:iam::123456789012:user/a", "CreateDate": datetime(2026, 1, 1, tzinfo=UTC)}, HERE)
        if told:
            user.replies[MFA_DEVICES.call] = told
        else:
            user.failed.add(MFA_DEVICES.call)
        props: dict[str, Any] = maker.row(user)["props"]
        return props

    assert row(MFADevices=[])["mfa_devices"] == 0
    assert row(MFADevices=[{}])["mfa_devices"] == 1
    assert not {"mfa_devices", "_seen_ListMFADevices"} & row().keys()
