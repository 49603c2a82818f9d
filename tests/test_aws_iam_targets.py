from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws.iam_targets import allowed

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders"
OBJECTS = "arn:aws:s3:::pictures/cats/*"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"Effect": "Allow", "Action": "sqs:*", "Resource": QUEUE}, [QUEUE]),
        ({"Effect": "Allow", "Action": "*", "Resource": [OBJECTS, QUEUE, QUEUE]}, [OBJECTS, QUEUE]),
        ({"Effect": "Deny", "Action": "sqs:*", "Resource": QUEUE}, []),
        ({"Effect": "Allow", "Action": "sqs:*", "NotResource": QUEUE}, []),
        ({"Effect": "Allow", "Action": "*", "Resource": ["*", f"{QUEUE}-*", "arn:aws:s3:::${aws:username}/*"]}, []),
        ({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:nothing:::x"}, []),
    ],
)
def test_a_policy_names_what_an_allowing_statement_has_the_own_arn_of(
    statement: dict[str, Any], found: list[str]
) -> None:
    assert allowed({"Version": "2012-10-17", "Statement": statement}) == found
