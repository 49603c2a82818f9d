from __future__ import annotations

import pytest

from skysweep.aws.people import addresses
from skysweep.model import Context, Record


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
    assert list(addresses(Record(user, Context("123456789012", "global")))) == found
