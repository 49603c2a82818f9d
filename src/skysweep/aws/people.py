"""The people behind IAM's users, as far as an e-mail address tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skysweep.aws._iam import USERS
from skysweep.aws.iam import AWSUser
from skysweep.model import Record, Resource, at, to

_ADDRESS = re.compile(r"[^@\s/]+@[^@\s/]+\.[^@\s/.]+")


def addresses(user: Record) -> Iterator[str]:
    """The address in a user's Email tag, else its name where that is one; in lower case, at most one."""
    tags = {tag["Key"].lower().replace("-", ""): tag.get("Value", "") for tag in user["Tags"] or ()}
    for text in (tags.get("email", "").strip(), user["UserName"]):
        if _ADDRESS.fullmatch(text):
            yield text.lower()
            return


class User(Resource):
    """A person: whoever signs in as a user here, and maybe elsewhere too, is one and the same by the e-mail address."""

    source = USERS.each(addresses)
    shared = True
    owned = False

    id: str = at("@")
    email: str = at("@", index=True)

    accounts: AWSUser = to("HAS_ACCOUNT", "^Arn")
