from __future__ import annotations

import csv
import socket
from importlib.resources import files
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from botocore import exceptions
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from skysweep import retry
from skysweep.errors import Bug, CallFailed
from skysweep.retry import Class, Policy, Renewal, Tries


def answer(code: str, message: str = "", status: int = 400, operation: str = "ListThings") -> exceptions.ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(response, operation)


def of(error: Exception, service: str = "ec2", missing: frozenset[str] = frozenset()) -> Class:
    return retry.classify(error, service=service, operation="ListThings", missing=missing)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("RequestLimitExceeded", 503, Class.THROTTLED),
        ("Throttled", 429, Class.THROTTLED),
        ("SomethingNew", 429, Class.THROTTLED),
        ("KmsThrottled", 400, Class.THROTTLED),
        ("InternalError", 500, Class.TRANSIENT),
        ("503", 503, Class.TRANSIENT),
        ("SomethingNew", 500, Class.TRANSIENT),
        ("ExpiredToken", 403, Class.EXPIRED),
        ("RequestExpired", 400, Class.EXPIRED),
        ("AuthFailure", 401, Class.UNRECOGNIZED),
        ("UnrecognizedClientException", 400, Class.UNRECOGNIZED),
        ("UnauthorizedOperation", 403, Class.DENIED),
        ("AccessDenied", 403, Class.DENIED),
        ("403", 403, Class.DENIED),
        ("SomethingNew", 403, Class.DENIED),
        ("OptInRequired", 403, Class.ABSENT),
        ("RegionDisabledException", 403, Class.ABSENT),
        ("AWSOrganizationsNotInUseException", 400, Class.ABSENT),
        ("NoSuchBucket", 404, Class.RACED),
        ("InvalidInstanceID.NotFound", 400, Class.RACED),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, Class.RACED),
        ("ValidationException", 400, Class.REFUSED),
        ("InvalidParameterValue", 400, Class.REFUSED),
        ("ExpiredNextToken", 400, Class.REFUSED),
        ("SignatureDoesNotMatch", 403, Class.REFUSED),
        ("SomethingNew", 400, Class.REFUSED),
        ("301", 301, Class.REFUSED),
        ("404", 404, Class.REFUSED),  # no word of AWS's: a proxy's, say, which knows nothing of the thing
    ],
)
def test_answers(code: str, status: int, expected: Class) -> None:
    assert of(answer(code, status=status)) is expected


@pytest.mark.parametrize(
    ("service", "code", "message", "expected"),
    [
        ("ec2", "Anything", "Rate exceeded", Class.THROTTLED),
        ("kinesis", "LimitExceededException", "", Class.THROTTLED),
        ("lambda", "LimitExceededException", "", Class.REFUSED),
        ("sts", "SignatureDoesNotMatch", "Signature expired: 20261121T is now earlier than …", Class.EXPIRED),
        ("securityhub", "InvalidAccessException", "Account 1 is not subscribed to AWS Security Hub", Class.ABSENT),
        ("securityhub", "InvalidAccessException", "Something else", Class.REFUSED),
        ("inspector2", "AccessDeniedException", "Invoking account is not enabled.", Class.ABSENT),
        (
            "inspector2",
            "AccessDeniedException",
            "User is not authorized to perform: inspector2:ListFindings",
            Class.DENIED,
        ),
        (
            "guardduty",
            "BadRequestException",
            "The request is rejected because the input detectorId is not owned by the current account.",
            Class.ABSENT,
        ),
        (
            "guardduty",
            "BadRequestException",
            "The request is rejected because the parameter detectorId has an invalid value.",
            Class.REFUSED,
        ),
        ("macie2", "AccessDeniedException", "Macie is not enabled", Class.ABSENT),
        ("macie2", "AccessDeniedException", "User is not authorized", Class.DENIED),
        ("cloudformation", "ValidationError", "Stack with id x does not exist", Class.RACED),
        ("ec2", "UnauthorizedOperation", "with an explicit deny in a service control policy", Class.DENIED),
    ],
)
def test_answers_that_depend_on_service_and_words(service: str, code: str, message: str, expected: Class) -> None:
    assert of(answer(code, message), service) is expected


def test_every_throttle_code_of_the_limits_table_is_one() -> None:
    rows = list(csv.DictReader((files("skysweep") / "data/rate-limits.csv").read_text().splitlines()))
    assert rows
    for row in rows:
        for code in row["throttle_error_codes"].split("|"):
            # With its status in brackets, or a full quota elsewhere: there the status tells.
            if code and "(" not in code and code != "LimitExceededException":
                assert of(answer(code), row["service"]) is Class.THROTTLED, (row["service"], code)


def test_what_the_record_lacks_is_missing_before_all_else() -> None:
    error = answer("NoSuchBucketPolicy", status=404)
    assert of(error, "s3", frozenset({"NoSuchBucketPolicy"})) is Class.MISSING
    assert of(error, "s3") is Class.RACED


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="https://x", error="refused"), Class.UNREACHABLE),
        (exceptions.ConnectTimeoutError(endpoint_url="https://x"), Class.UNREACHABLE),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), Class.TRANSIENT),
        (exceptions.ConnectionClosedError(endpoint_url="https://x"), Class.TRANSIENT),
        (exceptions.HTTPClientError(error=ValueError("odd")), Class.TRANSIENT),
        (aiohttp.ClientPayloadError(), Class.TRANSIENT),
        (TimeoutError(), Class.TRANSIENT),
        (ResponseParserError("half a page"), Class.BROKEN),
        (exceptions.EndpointProviderError(msg="no such endpoint"), Class.REFUSED),
        (exceptions.UnknownEndpointError(service_name="x", region_name="y"), Class.ABSENT),
        (exceptions.NoCredentialsError(), Class.DEAD),
        (exceptions.UnauthorizedSSOTokenError(), Class.DEAD),
        (exceptions.ParamValidationError(report="no Bucket"), Class.BUG),
        (exceptions.HTTPClientError(error=Bug("a wrong host")), Class.BUG),
        (KeyError("ours"), Class.BUG),
    ],
)
def test_errors_that_are_no_answer(error: Exception, expected: Class) -> None:
    assert of(error) is expected


def test_a_failed_refresh_of_credentials_is_not_the_calls_own_denial() -> None:
    assert of(answer("AccessDenied", status=403, operation="AssumeRole")) is Class.DEAD
    assert of(answer("ExpiredToken", status=403, operation="AssumeRole")) is Class.DEAD
    assert of(answer("Throttling", operation="AssumeRole")) is Class.TRANSIENT
    assert of(answer("InternalFailure", status=500, operation="AssumeRole")) is Class.TRANSIENT


def test_only_a_name_without_address_is_unresolved() -> None:
    key = ConnectionKey("nowhere", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)
    lookup = aiohttp.ClientConnectorDNSError(key, socket.gaierror("no address"))
    refused = aiohttp.ClientConnectorError(key, ConnectionRefusedError())
    assert retry.unresolved(exceptions.EndpointConnectionError(endpoint_url="https://x", error=lookup))
    assert not retry.unresolved(exceptions.EndpointConnectionError(endpoint_url="https://x", error=refused))


def policy(mode: retry.RetryMode = "adaptive", max_attempts: int = 3) -> Policy:
    return Policy(mode, max_attempts, 120)


def waits(cls: Class, how: Policy, count: int, *, answering: bool = False) -> list[float | None]:
    """The longest waits after the first `count` failures of a kind."""
    tries = Tries()
    return [tries.wait(cls, how, lambda: 1.0, answering=answering) for _ in range(count)]


@pytest.mark.parametrize("cls", [each for each in Class if each not in retry.RETRIED])
def test_what_will_not_mend_is_not_tried_again(cls: Class) -> None:
    assert waits(cls, policy(max_attempts=10), 1) == [None]


def test_waits_double_and_are_capped_except_in_legacy_mode() -> None:
    capped = [1, 2, 4, 8, 16, 20, 20, None]
    assert waits(Class.TRANSIENT, policy("standard", 8), 8) == capped
    assert waits(Class.TRANSIENT, policy("adaptive", 8), 8) == capped
    assert waits(Class.TRANSIENT, policy("legacy", 8), 8) == [1, 2, 4, 8, 16, 32, 64, None]


def test_in_adaptive_mode_alone_a_throttle_is_no_attempt() -> None:
    assert waits(Class.THROTTLED, policy("standard"), 3) == [1, 2, None]
    assert waits(Class.THROTTLED, policy("legacy"), 3) == [1, 2, None]
    many = waits(Class.THROTTLED, policy("adaptive"), 5000)
    assert many[:6] == [1, 2, 4, 8, 16, 20]
    assert set(many[6:]) == {20}


def test_an_endpoint_that_answered_a_moment_ago_is_waited_for() -> None:
    assert waits(Class.UNREACHABLE, policy(), 3) == [1, 2, None]
    assert None not in waits(Class.UNREACHABLE, policy(), 50, answering=True)
    assert waits(Class.UNREACHABLE, policy("standard"), 3, answering=True) == [1, 2, None]


def test_throttles_leave_the_attempts_for_other_failures() -> None:
    tries = Tries()
    for _ in range(10):
        assert tries.wait(Class.THROTTLED, policy(), lambda: 0.0) is not None
    assert tries.wait(Class.TRANSIENT, policy(), lambda: 0.0) is not None
    assert tries.wait(Class.THROTTLED, policy(), lambda: 0.0) is not None
    assert tries.wait(Class.TRANSIENT, policy(), lambda: 0.0) is not None
    assert tries.wait(Class.TRANSIENT, policy(), lambda: 0.0) is None


@given(
    classes=st.lists(st.sampled_from(Class), max_size=50),
    most=st.integers(1, 10),
    roll=st.floats(0, 0.999),
    mode=st.sampled_from(["adaptive", "standard"]),
)
def test_a_wait_is_never_negative_and_attempts_end(
    classes: list[Class], most: int, roll: float, mode: retry.RetryMode
) -> None:
    tries = Tries()
    for cls in classes:
        wait = tries.wait(cls, policy(mode, most), lambda: roll)
        if wait is None:  # the call has ended
            break
        assert 0 <= wait <= retry.BACKOFF_CAP
        assert tries.attempts < most


def headed(**headers: str) -> exceptions.ClientError:
    error = answer("SlowDown", status=503)
    metadata: Any = error.response["ResponseMetadata"]
    metadata["HTTPHeaders"] = {name.replace("_", "-"): value for name, value in headers.items()}
    return error


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 2),
        ({"retry_after": "30"}, 30),
        ({"retry_after": "1"}, 2),
        ({"retry_after": "Sat, 21 Nov 2026 12:00:30 GMT", "date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 30),
        ({"retry_after": "Sat, 21 Nov 2026 11:00:00 GMT", "date": "Sat, 21 Nov 2026 12:00:00 GMT"}, 2),
        ({"retry_after": "Sat, 21 Nov 2020 11:00:00 GMT"}, 2),
        ({"retry_after": "soon"}, 2),
        ({"retry_after": "-5"}, 2),
        ({"x_amz_retry_after": "4500"}, 4.5),
        ({"x_amz_retry_after": "100"}, 2),
        ({"x_amz_retry_after": "3600000"}, 7),
        ({"x_amz_retry_after": "soon", "retry_after": "3"}, 3),
    ],
)
def test_aws_may_ask_for_a_longer_wait(headers: dict[str, str], expected: float) -> None:
    assert retry.told(headed(**headers), 2) == pytest.approx(expected)


def test_what_is_no_answer_asks_for_nothing() -> None:
    assert retry.told(TimeoutError(), 2) == 2


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("InvalidNextToken", "", True),
        ("InvalidNextTokenException", "", True),
        ("ExpiredNextTokenException", "", True),
        ("PaginationTokenExpiredException", "", True),
        ("InvalidPaginationTokenException", "", True),
        ("InvalidMarkerException", "", True),
        ("ValidationException", "The NextToken is not valid", True),
        ("InvalidParameterValue", "Invalid Marker", True),
        ("InvalidArgument", "The continuation token provided is incorrect", True),
        ("ValidationException", "1 validation error", False),
        ("InvalidClientTokenId", "The security token included is invalid", False),
        ("ExpiredTokenException", "The security token included is expired", False),
        ("AccessDenied", "next token", False),
    ],
)
def test_a_pagination_token_that_aws_has_forgotten(code: str, message: str, expected: bool) -> None:
    assert retry.forgotten(code, message) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answer("AccessDenied", status=403, operation="AssumeRole"), Renewal.FINAL),
        (answer("ExpiredToken", status=403, operation="AssumeRole"), Renewal.FINAL),
        (answer("InvalidClientTokenId", status=403, operation="AssumeRole"), Renewal.FINAL),
        (answer("Throttling", operation="AssumeRole"), Renewal.PASSING),
        (answer("InternalFailure", status=500, operation="AssumeRole"), Renewal.PASSING),
        (CallFailed("failed", "InternalFailure", ""), Renewal.PASSING),
        (CallFailed("failed", "ReadTimeoutError", ""), Renewal.PASSING),
        (CallFailed("failed", "DeadlineExceeded", ""), Renewal.PASSING),
        (CallFailed("failed", "ValidationError", ""), Renewal.FINAL),
        (CallFailed("dead", "AccessDenied", ""), Renewal.FINAL),
        (TimeoutError(), Renewal.PASSING),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), Renewal.PASSING),
        (exceptions.EndpointConnectionError(endpoint_url="https://x", error="refused"), Renewal.PASSING),
        (ResponseParserError("half a page"), Renewal.PASSING),
        (exceptions.UnauthorizedSSOTokenError(), Renewal.FINAL),
        (exceptions.NoCredentialsError(), Renewal.FINAL),
        (exceptions.CredentialRetrievalError(provider="process", error_msg="exit 1"), Renewal.DOUBTFUL),
        (FileNotFoundError("the token file"), Renewal.DOUBTFUL),
        (KeyError("Token"), Renewal.DOUBTFUL),
    ],
    ids=str,
)
def test_what_a_failed_renewal_of_credentials_means(error: Exception, expected: Renewal) -> None:
    assert retry.renewal(error) is expected


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationException", "AuthFailure", "SomethingNew"])
def test_a_service_control_policys_deny_is_denied_whatever_the_code(code: str) -> None:
    error = answer(code, "User: x is not authorized, with an explicit deny in a service control policy", status=400)
    assert of(error) is Class.DENIED


@pytest.mark.parametrize("cls", Class)
def test_every_class_has_an_end(cls: Class) -> None:
    expected = {
        Class.DENIED: "denied",
        Class.ABSENT: "absent",
        Class.MISSING: "missing",
        Class.RACED: "raced",
        Class.DEAD: "dead",
        Class.EXPIRED: "dead",
    }
    assert retry.ending(cls) == expected.get(cls, "failed")


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAQWERTYUIOPASDFGH",
        "X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE",
        "Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024",
        "Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/ec2/aws4_request",
        "FwoGZXIvYXdzE" + "a1B2" * 30,
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "/JalrXUtnFEMI+K7MDENG/bPxRfiCYEXAMPLEKEY",
    ],
)
def test_no_credentials_in_messages(secret: str) -> None:
    said = retry.text(answer("SignatureDoesNotMatch", f"The request  signed\nwith {secret}, was refused"))
    assert said.startswith("The request signed with ")
    assert said.endswith(", was refused")
    assert secret not in said
    assert secret.rpartition("=")[2] not in said


def test_a_quoted_reply_is_left_out() -> None:
    assert "secret" not in retry.text(ResponseParserError("Unable to parse response, invalid XML:\nb'<a>secret'"))


def test_arns_and_ids_stay_in_messages() -> None:
    said = "User: arn:aws:sts::111111111111:assumed-role/Audit/skysweep is not authorized to perform: ec2:DescribeVpcs"
    assert retry.text(answer("AccessDenied", said)) == said


def test_the_user_and_password_of_a_url_are_left_out() -> None:
    assert retry.scrub("Failed to connect to proxy http://me:hunter2@proxy:3128/x") == (
        "Failed to connect to proxy http://…proxy:3128/x"
    )


@pytest.mark.parametrize(
    "said",
    [
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 and DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
        "on arn:aws:iam::111111111111:role/TeamA/ProductionDeploymentRoleNumber1234",
        "on arn:aws:iam::111111111111:role/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "id wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEYlonger",
        "https://sts.eu-west-1.amazonaws.com/me@home",
    ],
)
def test_what_only_looks_like_a_secret_stays(said: str) -> None:
    assert retry.scrub(said) == said


def test_an_error_text_can_always_be_stored() -> None:
    assert retry.text(answer("AccessDenied", "half \ud83d of it")) == "half ? of it"
