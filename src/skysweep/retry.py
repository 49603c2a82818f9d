"""What an error of an AWS call means, and what follows: wait, or give up as what. Pure."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Literal

import aiohttp
from botocore import exceptions
from botocore.parsers import ResponseParserError

from skysweep.errors import Bug, CallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from skysweep.errors import Why

RetryMode = Literal["adaptive", "standard", "legacy"]
BACKOFF_CAP = 20.0  # seconds; botocore's
AMZ_RETRY_AFTER_SECONDS = 5.0  # how much x-amz-retry-after may add to a wait, by AWS's retry specification
DOUBTS = 3  # renewals of credentials that may fail for a reason unknown to us, in a row


class Class(Enum):
    """What an error means for the call."""

    THROTTLED = auto()  # too fast: slow down, try again
    TRANSIENT = auto()  # AWS stumbled: try again
    UNREACHABLE = auto()  # no connection: try again; perhaps the service is not there at all
    BROKEN = auto()  # an unreadable reply: try again
    EXPIRED = auto()  # credentials past their time: renew them once, try again
    UNRECOGNIZED = auto()  # these credentials are unknown in this region: the region is off, or they are bad
    DENIED = auto()  # no permission
    ABSENT = auto()  # AWS says the service or region is not there for this account
    MISSING = auto()  # one of the call's `missing` codes
    RACED = auto()  # the thing was deleted after it was listed
    DEAD = auto()  # there are no credentials any more
    REFUSED = auto()  # AWS does not take the request as it is
    BUG = auto()  # ours


RETRIED = frozenset((Class.THROTTLED, Class.TRANSIENT, Class.UNREACHABLE, Class.BROKEN))

_ENDS: dict[Class, Why] = {
    Class.DENIED: "denied",
    Class.ABSENT: "absent",
    Class.MISSING: "missing",
    Class.RACED: "raced",
    Class.DEAD: "dead",
    Class.EXPIRED: "dead",
}

_CODES: dict[Class, str] = {
    Class.THROTTLED: """
        Throttling ThrottlingException ThrottledException Throttled RequestThrottledException RequestThrottled
        TooManyRequestsException TooManyRequests ProvisionedThroughputExceededException TransactionInProgressException
        RequestLimitExceeded BandwidthLimitExceeded SlowDown EC2ThrottledException DependencyThrottle
        PriorRequestNotComplete DependentServiceRequestThrottlingFault""",
    Class.TRANSIENT: """
        RequestTimeout RequestTimeoutException InternalError InternalErrorException InternalFailure InternalServerError
        InternalServerException InternalServiceError InternalServiceException ServerException ServiceException
        ServiceUnavailable ServiceUnavailableException Unavailable IDPCommunicationError""",
    Class.EXPIRED: """
        ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired""",
    Class.UNRECOGNIZED: """
        AuthFailure UnrecognizedClientException InvalidClientTokenId InvalidToken InvalidAccessKeyId""",
    Class.ABSENT: """
        RegionDisabledException OptInRequired SubscriptionRequiredException NotSignedUp UnknownOperationException
        InvalidAction UnsupportedOperation UnsupportedOperationException UnsupportedCommandException
        AWSOrganizationsNotInUseException UninitializedAccountException NoSuchConfigurationRecorderException""",
    Class.DENIED: """
        AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError AuthorizationErrorException
        NotAuthorized NotAuthorizedException UnauthorizedException Unauthorized Forbidden AllAccessDisabled 403""",
    Class.RACED: """
        ResourceNotFoundException ResourceNotFoundFault ResourceNotFound NotFoundException NotFound
        EntityNotFoundException WAFNonexistentItemException ServerSideEncryptionConfigurationNotFoundError
        TrailNotFoundException AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist""",
    Class.REFUSED: """
        ValidationException ValidationError MissingParameter SerializationException InvalidNextToken ExpiredNextToken
        InvalidRequestException InvalidRequest InvalidArgument MalformedQueryString BadRequestException
        SignatureDoesNotMatch InvalidSignatureException LimitExceededException""",
}
_BY_CODE = {code: cls for cls, codes in _CODES.items() for code in codes.split()}
_BY_SHAPE = (
    (re.compile(r"NoSuch|.*NotFound|.*DoesNotExist"), Class.RACED),
    (re.compile(r"Kms.*Throttl"), Class.THROTTLED),
    (re.compile(r"K[Mm][Ss]AccessDenied"), Class.DENIED),
    (re.compile(r"InvalidParameter"), Class.REFUSED),
)
_QUOTA_IS_THROTTLE = frozenset(
    ("kinesis", "firehose", "apigateway")
)  # LimitExceededException is a full quota elsewhere
_BY_WORDS = (
    ("cloudformation", "ValidationError", "does not exist", Class.RACED),
    ("guardduty", "BadRequestException", "detectorId is not owned by the current account", Class.ABSENT),
    ("inspector2", "AccessDeniedException", "Invoking account is not enabled", Class.ABSENT),
    ("macie2", "AccessDeniedException", "not enabled", Class.ABSENT),
    ("securityhub", "InvalidAccessException", "not subscribed", Class.ABSENT),
)
"""Codes that mean something else in one service: (service, code, words of the message, what it means)."""
_FORGOTTEN = re.compile(
    r"(?:Invalid|Expired)(?:Next|Pagination|Continuation|Page|Result)Token(?:Exception|Fault)?"
    r"|PaginationTokenExpired(?:Exception)?|InvalidMarker(?:Exception)?|InvalidPagination(?:Exception)?"
)
_FORGOTTEN_CODES = frozenset(
    {
        *("ValidationException", "ValidationError", "BadRequestException", "InvalidArgument"),
        *("InvalidInput", "InvalidInputException", "InvalidRequest", "InvalidRequestException"),
        *("InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "InvalidParameterValueException"),
    }
)
_TOKEN = re.compile(r"(?i)(?:next|pagination|page|continuation)[ _-]?token|\bmarker\b")
_SCP = "explicit deny in a service control policy"
_STALE = re.compile(r"signature (?:has )?expired|signature not yet current", re.IGNORECASE)
_SECRET = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{12,}|(?i:X-Amz-(?:Security-Token|Signature|Credential)|Signature|Credential|AccessKeyId|token)"
    r"\s*[=:]\s*[^\s,&'\"]+|\b[A-Za-z0-9/+]{60,}={0,2}|(?<=://)[^/\s@]+@"
)
_SECRET_KEY = re.compile(
    r"(?P<arn>arn:[\w-]+:[^\s,;&='\"]+)|(?<![A-Za-z0-9/+])(?=\S{,39}[A-Z])(?=\S{,39}[a-z])(?=\S{,39}[0-9])"
    r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
)
"""What reads like a secret access key: 40 characters of base64, of every kind; digests have but one case. An ARN is
matched whole, so that a path within it is not taken for one."""

_BY_KIND: tuple[tuple[tuple[type[Exception], ...], Class], ...] = (
    ((exceptions.EndpointProviderError,), Class.REFUSED),
    ((exceptions.UnknownEndpointError,), Class.ABSENT),
    ((ResponseParserError,), Class.BROKEN),
    (
        (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.TokenRetrievalError,
            exceptions.SSOError,
            exceptions.RefreshWithMFAUnsupportedError,
            exceptions.InvalidConfigError,
            exceptions.UnknownCredentialError,
            exceptions.MetadataRetrievalError,
        ),
        Class.DEAD,
    ),
    ((exceptions.ConnectionError, aiohttp.ClientConnectionError, ConnectionError), Class.UNREACHABLE),
    ((exceptions.HTTPClientError, exceptions.IncompleteReadError, aiohttp.ClientError, OSError), Class.TRANSIENT),
)
"""What an error that is no answer of AWS's means, the first kind that fits; all else is a Bug."""


def classify(error: Exception, *, service: str, operation: str, missing: frozenset[str] = frozenset()) -> Class:
    """What an error of `service:operation` means; `missing`: the codes that say "this record has no such thing"."""
    if isinstance(cause(error), Bug):
        return Class.BUG
    if not isinstance(error, exceptions.ClientError):
        return next((cls for kinds, cls in _BY_KIND if isinstance(error, kinds)), Class.BUG)
    if error.operation_name != operation:  # the refreshing of the credentials, within this call
        return Class.TRANSIENT if _answer(error, "sts") in RETRIED else Class.DEAD
    return Class.MISSING if code(error) in missing else _answer(error, service)


def _answer(error: exceptions.ClientError, service: str) -> Class:
    """What AWS's answer means, by its status, its words and its code."""
    name, http = code(error), status(error)
    words = str(error.response.get("Error", {}).get("Message") or "")
    if http == 429 or "Rate exceeded" in words or (name == "LimitExceededException" and service in _QUOTA_IS_THROTTLE):  # noqa: PLR2004 - HTTP's Too Many Requests
        return Class.THROTTLED
    if _SCP in words:  # whatever the code
        return Class.DENIED
    if _STALE.search(words):
        return Class.EXPIRED
    for where, which, said, cls in _BY_WORDS:
        if service == where and name == which and said in words:
            return cls
    by_shape = next((cls for shape, cls in _BY_SHAPE if shape.match(name)), None)
    return _BY_CODE.get(name) or by_shape or _by_status(http)


def _by_status(http: int) -> Class:
    if http in {401, 403}:
        return Class.DENIED
    return Class.TRANSIENT if http >= 500 else Class.REFUSED  # noqa: PLR2004 - HTTP's server errors


@dataclass(frozen=True, slots=True)
class Policy:
    """How a service's calls are tried: the mode, how many attempts in all, and how many seconds each has."""

    mode: RetryMode
    max_attempts: int
    read_timeout: float


@dataclass(slots=True)
class Tries:
    """How often a request has failed: attempts, and what is none of them in adaptive mode.

    There a throttle is no attempt, for it slows its bucket down; nor is a connection that could not be made to an
    endpoint that answered a moment ago. Both are bounded by the call's deadline alone.
    """

    attempts: int = 0
    patient: int = 0

    def wait(self, cls: Class, policy: Policy, random: Callable[[], float], *, answering: bool = False) -> float | None:
        """Counts a failure: seconds to wait before the next try, or None to give up.

        answering: the endpoint answered a moment ago. random() is in [0, 1).
        """
        if cls not in RETRIED:
            return None
        if policy.mode == "adaptive" and (cls is Class.THROTTLED or (cls is Class.UNREACHABLE and answering)):
            self.patient += 1
            return backoff(self.patient, policy.mode, random)
        self.attempts += 1
        return None if self.attempts >= policy.max_attempts else backoff(self.attempts, policy.mode, random)


def backoff(failures: int, mode: RetryMode, random: Callable[[], float]) -> float:
    """Seconds to wait after so many failures: a random part of a span that doubles, and is capped but in legacy."""
    span = 2.0 ** min(failures - 1, 30)
    return random() * (span if mode == "legacy" else min(span, BACKOFF_CAP))


def told(error: Exception, wait: float) -> float:
    """Seconds to wait after an answer of AWS's: `wait`, or as much longer as its headers ask for."""
    if not isinstance(error, exceptions.ClientError):
        return wait
    metadata: Any = error.response.get("ResponseMetadata", {})
    headers: Mapping[str, str] = metadata.get("HTTPHeaders", {})
    asked = headers.get("x-amz-retry-after", "")
    if asked.isdecimal():
        return min(max(wait, int(asked[:12]) / 1000), wait + AMZ_RETRY_AFTER_SECONDS)
    return max(wait, _retry_after(headers))


def _retry_after(headers: Mapping[str, str]) -> float:
    """HTTP's Retry-After in seconds, a date in it counted from the reply's own; 0 where it says nothing."""
    asked = headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked[:12])
    try:
        sent = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return (parsedate_to_datetime(asked) - sent).total_seconds()
    except (TypeError, ValueError):  # no date, or one without its time zone
        return 0.0


def forgotten(code: str, message: str) -> bool:
    """Whether AWS no longer knows the pagination token that it gave: the listing can only begin again."""
    return _FORGOTTEN.fullmatch(code) is not None or (code in _FORGOTTEN_CODES and _TOKEN.search(message) is not None)


class Renewal(Enum):
    """What a failed renewal of credentials means."""

    PASSING = auto()  # their source stumbled, or asks for patience: try again
    DOUBTFUL = auto()  # nobody can tell: try again, DOUBTS times at most
    FINAL = auto()  # a definite answer: there are none any more


def renewal(error: Exception) -> Renewal:
    """What a failed renewal of credentials means, whichever source they come from."""
    if isinstance(error, CallFailed):
        refused = error.code in _BY_CODE and _BY_CODE[error.code] not in RETRIED
        return Renewal.FINAL if error.why != "failed" or refused else Renewal.PASSING
    if isinstance(error, exceptions.ClientError):
        return Renewal.PASSING if _answer(error, "sts") in RETRIED else Renewal.FINAL
    if isinstance(error, exceptions.CredentialRetrievalError | exceptions.MetadataRetrievalError):
        return Renewal.DOUBTFUL  # a program's failure, or no answer of the instance's metadata
    cls = next((cls for kinds, cls in _BY_KIND if isinstance(error, kinds)), Class.BUG)
    if cls is Class.DEAD:
        return Renewal.FINAL
    odd = cls not in RETRIED or (type(error) is OSError or isinstance(error, FileNotFoundError | PermissionError))
    return Renewal.DOUBTFUL if odd else Renewal.PASSING


def ending(cls: Class) -> Why:
    """What a call becomes that ends with such an error."""
    return _ENDS.get(cls, "failed")


def code(error: Exception) -> str:
    """AWS's error code, or the exception's name."""
    if isinstance(error, CallFailed):
        return error.code
    if isinstance(error, exceptions.ClientError):
        return str(error.response.get("Error", {}).get("Code") or status(error) or "Unknown")
    return type(error).__name__


def text(error: Exception) -> str:
    """The error's own words in one line, free of credentials."""
    if isinstance(error, exceptions.ClientError):
        words = error.response.get("Error", {}).get("Message") or ""
    elif isinstance(error, ResponseParserError):
        words = str(error).partition("\n")[0]  # botocore quotes the reply below, which may hold secrets
    else:
        words = str(error) or repr(error)
    whole = str(words).encode(errors="replace").decode()  # JSON may hold half a character; nothing can store it
    return scrub(" ".join(whole.split()))[:500]


def scrub(words: str) -> str:
    """The text without access keys, secret keys, tokens, signatures, and the users and passwords of URLs."""
    return _SECRET_KEY.sub(lambda found: found["arn"] or "…", _SECRET.sub("…", words))


def status(error: exceptions.ClientError) -> int:
    """The HTTP status of AWS's answer, 0 where there is none."""
    metadata: Any = error.response.get("ResponseMetadata", {})
    return int(metadata.get("HTTPStatusCode", 0))


def unresolved(error: Exception) -> bool:
    """Whether the endpoint's host has no address."""
    return isinstance(cause(error), aiohttp.ClientConnectorDNSError | socket.gaierror)


def cause(error: Exception) -> object:
    """The error that botocore has wrapped, if it has."""
    return getattr(error, "kwargs", {}).get("error", error)
