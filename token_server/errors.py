"""Everything that can go wrong, as one tree; rendered once, in error_responses.py.

TokenServerError                 code                 HTTP
├── InvalidRequestError          invalid_argument     400   the caller's field breaks a rule
├── UnauthenticatedError         unauthenticated      401   no key, a wrong key, a bad signature
├── PermissionDeniedError        permission_denied    403   the caller may not have that
├── UnknownRoomError             not_found            404   nothing is known of the room
├── RequestTooLargeError         invalid_argument     413   the body is over the limit
├── UnsupportedMediaTypeError    invalid_argument     415   the body is not declared as JSON
├── TooManyRequestsError         resource_exhausted   429   over a limit
├── IssuerUnavailableError       unavailable          503   login tokens cannot be checked
│   └── IssuerUntrustedError     unavailable          503   its keys would come over plain http
├── LiveKitUnavailableError      unavailable          503   LiveKit is slow, gone or failing
│   └── LiveKitBusyError         unavailable          503   it has had too many requests of ours
├── KeeperStuckError             unavailable          503   the process is to be restarted
├── LiveKitRefusedKeyError       internal             500   our key or secret is wrong
├── LiveKitRefusedRequestError   internal             500   LiveKit rejects what we send
└── RedisUnavailableError        (no answer: everything goes on without Redis)
    └── RedisUntrustedError      (no answer either: /readyz tells what to set)

Codes are Twirp's, as LiveKit answers them: https://twitchtv.github.io/twirp/docs/spec_v7.html
"""

import json
from http import HTTPStatus
from typing import ClassVar

# Twirp's code for each status that has one of its own.
_CODES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "permission_denied",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "bad_route",
    HTTPStatus.TOO_MANY_REQUESTS: "resource_exhausted",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}


class TokenServerError(Exception):
    """Anything this package raises on purpose; its text is safe to show to the caller."""

    http_status: ClassVar[int] = 500


class InvalidRequestError(TokenServerError):
    """A field of the request breaks a rule; the text names both and never the value."""

    http_status = 400


class UnauthenticatedError(TokenServerError):
    """The caller has not shown a key or signature that we know."""

    http_status = 401


class PermissionDeniedError(TokenServerError):
    """We know who asks, and they may not have what they ask for."""

    http_status = 403


class UnknownRoomError(TokenServerError):
    """The room is not live, and nothing is kept of it."""

    http_status = 404


class TooManyRequestsError(TokenServerError):
    """The caller has asked more often, or has more live rooms, than a limit allows."""

    http_status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds


class RequestTooLargeError(TokenServerError):
    """The request's body is over the limit."""

    http_status = 413


class UnsupportedMediaTypeError(TokenServerError):
    """The request's body is there, but not declared as JSON."""

    http_status = 415


class IssuerUnavailableError(TokenServerError):
    """The issuer of login tokens does not show its keys; the caller may try again."""

    http_status = 503


class IssuerUntrustedError(IssuerUnavailableError):
    """The issuer's keys would come over a way on which others can answer in its place."""


class LiveKitUnavailableError(TokenServerError):
    """LiveKit did not answer in time, or answered with a 5xx; the caller may try again."""

    http_status = 503


class LiveKitBusyError(LiveKitUnavailableError):
    """LiveKit has had too many requests of ours (HTTP 429), and has not done what was asked."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, as LiveKit says it; 0: it does not


class KeeperStuckError(TokenServerError):
    """A loop of this process does not turn, so nobody looks after its rooms; /healthz tells."""

    http_status = 503


class RedisUnavailableError(TokenServerError):
    """Redis did not answer in time, or refused; no request fails for it."""


class RedisUntrustedError(RedisUnavailableError):
    """We refuse Redis' TLS certificate; the text names the setting that decides about it."""


class LiveKitRefusedKeyError(TokenServerError):
    """LiveKit does not accept LIVEKIT_API_KEY and LIVEKIT_API_SECRET: the operator's to mend."""


class LiveKitRefusedRequestError(TokenServerError):
    """LiveKit rejects a request that we built: a limit of its own, or a bug of ours."""


def code_of(status: int) -> str:
    """Return Twirp's code for an HTTP status, of an error of this tree or of HTTP's own."""
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _CODES.get(status, "internal" if is_ours else "invalid_argument")


def error_body(code: str, msg: str) -> bytes:
    """Write the body of every answer that is an error: JSON."""
    return json.dumps({"code": code, "msg": msg}).encode()
