"""The good requests that are mutated, as parts that can be changed one by one. Pure."""

import json
import random
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from tests.webhook_signing import joined, sign

CALLER_KEY = "a-made-up-caller-key"
OPERATOR_KEY = "a-made-up-operator-key"
# Stands where nothing that is sent may be quoted, neither in an answer nor in the log.
MARKER = "MaRkEr"
_WEBHOOK = joined(participant={"identity": "alice", "sid": "PA_1", "metadata": MARKER})
_SIGNATURE = sign(_WEBHOOK, ttl=timedelta(hours=6)).encode()  # longer than any run


@dataclass
class Parts:
    """A request before it is bytes."""

    method: bytes
    target: bytes
    version: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""

    def set(self, name: bytes, value: bytes) -> None:
        """Replace a header, or add it."""
        kept = [each for each in self.headers if each[0].lower() != name.lower()]
        self.headers = [*kept, (name, value)]

    def drop(self, name: bytes) -> None:
        """Leave a header out."""
        self.headers = [each for each in self.headers if each[0].lower() != name.lower()]

    def to_bytes(self) -> bytes:
        """Write it, right or wrong."""
        line = b" ".join((self.method, self.target, self.version))
        lines = [line, *(name + b": " + value for name, value in self.headers)]
        return b"\r\n".join((*lines, b"", self.body))


def good_request(rng: random.Random, tag: str) -> Parts:
    """Return one of those that the server answers with success; its room's name has the tag."""
    kinds = (_posted_token, _posted_token, _queried_token, _webhook, _other)
    return rng.choice(kinds)(rng, tag)


def fields(tag: str) -> dict[str, object]:
    """Return the body of a request for a token."""
    return {
        "room_name": tag,
        "participant_identity": "alice",
        "participant_name": "Alice",
        "participant_metadata": MARKER,
        "participant_attributes": {"language": MARKER},
    }


def with_body(parts: Parts, body: bytes) -> Parts:
    """Set the body, and the length that belongs to it."""
    parts.body = body
    parts.set(b"Content-Length", str(len(body)).encode())
    return parts


def _posted_token(rng: random.Random, tag: str) -> Parts:
    del rng
    parts = Parts(b"POST", b"/token", b"HTTP/1.1", _headers(CALLER_KEY))
    parts.headers.append((b"Content-Type", b"application/json"))
    return with_body(parts, json.dumps(fields(tag)).encode())


def _queried_token(rng: random.Random, tag: str) -> Parts:
    del rng
    given = fields(tag)
    del given["participant_attributes"]
    target = f"/token?{urlencode(given)}".encode()
    return Parts(b"GET", target, b"HTTP/1.1", _headers(CALLER_KEY))


def _webhook(rng: random.Random, tag: str) -> Parts:
    del rng, tag
    headers = [(b"Host", b"t"), (b"Authorization", _SIGNATURE)]
    headers.append((b"Content-Type", b"application/webhook+json"))
    return with_body(Parts(b"POST", b"/webhook", b"HTTP/1.1", headers), _WEBHOOK)


def _other(rng: random.Random, tag: str) -> Parts:
    target = rng.choice((b"/openapi.json", b"/healthz", b"/readyz", b"/rooms", b"/metrics"))
    del tag
    return Parts(b"GET", target, b"HTTP/1.1", _headers(OPERATOR_KEY))


def _headers(key: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", b"t"),
        (b"User-Agent", b"mutations"),
        (b"X-Secret", MARKER.encode()),
        (b"Authorization", f"Bearer {key}".encode()),
    ]
