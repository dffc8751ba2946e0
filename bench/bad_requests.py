"""Requests that must be refused: to /token and /webhook, each made of its own number. Pure."""

import base64
import json
import random
import string
from dataclasses import dataclass

from tests.processes import API_SECRET
from tests.webhook_signing import joined, sign

_NAMES = ("room_name", "participant_identity", "participant_name")
_FIELDS = (*_NAMES, "participant_metadata", "participant_attributes", "room_config")
_KNOWN_BODY = joined()
_GOOD_SIGNATURE = sign(_KNOWN_BODY)


@dataclass(frozen=True)
class BadRequests:
    """Bad requests to one server.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        caller_key: One that it accepts: with that, all that is bad is the rest.
    """

    port: int
    caller_key: str

    def request(self, number: int) -> bytes:
        """Return the bytes of one request; the same number, the same request."""
        rng = random.Random(number)  # noqa: S311 (repeatable is the point)
        kinds = (_wrong_field, _wrong_json, _wrong_type, _wrong_key, _wrong_query, _wrong_webhook)
        return rng.choice(kinds)(rng, self.caller_key)


def _post(path: str, body: bytes, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", *headers, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode("latin-1") + body


def _bearer(key: str) -> str:
    return f"Authorization: Bearer {key}"


def _wrong_field(rng: random.Random, key: str) -> bytes:
    """Set one field to what breaks its rule, or one that callers may not set."""
    field = rng.choice((*_FIELDS, "roomName", "grants", "video", "ttl", _text(rng)))
    name = rng.choice(_NAMES)
    wrong = rng.choice(
        (
            {field: rng.randrange(1, 2**63)},
            {field: [_text(rng)]},
            {field: {_text(rng): rng.random() + 1}},
            {field: "x" * rng.randrange(8_193, 20_000)},
            {field: True},
            {name: "\x00" + _text(rng)},
            {name: " " + _text(rng)},
        )
    )
    body = json.dumps(wrong).encode()
    return _post("/token", body, "Content-Type: application/json", _bearer(key))


def _wrong_json(rng: random.Random, key: str) -> bytes:
    """Send what is no JSON object."""
    body = rng.choice(
        (
            rng.randbytes(rng.randrange(1, 300)),
            b"[" * rng.randrange(1, 5_000),
            b'{"room_name": "' + rng.randbytes(20),
            json.dumps([_text(rng)]).encode(),
            json.dumps(_text(rng)).encode(),
            b'{"room_name": 1e999}',
            b'{"room_name": "\\ud800"}',
        )
    )
    return _post("/token", body, "Content-Type: application/json", _bearer(key))


def _wrong_type(rng: random.Random, key: str) -> bytes:
    """Declare the body as something else."""
    kind = rng.choice(("text/plain", "application/xml", "multipart/form-data", _text(rng)))
    return _post("/token", b'{"room_name": "kitchen"}', f"Content-Type: {kind}", _bearer(key))


def _wrong_key(rng: random.Random, key: str) -> bytes:
    """Ask for something good with a key that is none."""
    wrong = rng.choice(
        (
            f"Bearer {_text(rng)}",
            f"Bearer {key}{_text(rng)}",
            f"Bearer {key[:-1]}",
            f"Basic {base64.b64encode(key.encode()).decode()}",
            f"Bearer {API_SECRET}",
            _text(rng),
        )
    )
    return _post("/token", b"{}", "Content-Type: application/json", f"Authorization: {wrong}")


def _wrong_query(rng: random.Random, key: str) -> bytes:
    """Ask with GET for what it has not."""
    query = rng.choice(
        (
            f"{_text(rng)}={_text(rng)}",
            f"room_name={_text(rng)}&room_name={_text(rng)}",
            "room_name=%00",
            "participant_identity=agent-x",
            f"room_config={_text(rng)}",
            f"participant_attributes[{_text(rng)}]=x",
        )
    )
    return f"GET /token?{query} HTTP/1.1\r\nHost: x\r\n{_bearer(key)}\r\n\r\n".encode("latin-1")


def _wrong_webhook(rng: random.Random, key: str) -> bytes:
    """Send a webhook that LiveKit has not signed like that."""
    del key
    body = rng.choice((joined(id=_text(rng)), rng.randbytes(200), b""))
    head, claims, signature = _GOOD_SIGNATURE.split(".")
    authorization = rng.choice(
        (
            "",
            _text(rng),
            _GOOD_SIGNATURE,  # of another body
            sign(body, secret=_text(rng).ljust(32, "x")),
            f"{head}.{claims}.{_text(rng)}",
            f"{head}.{_text(rng)}.{signature}",
            f"eyJhbGciOiJub25lIn0.{claims}.",
            f"Bearer {'.' * rng.randrange(1, 50)}",
        )
    )
    if body == _KNOWN_BODY:
        body += b" "
    kind = "Content-Type: application/webhook+json"
    return _post("/webhook", body, kind, f"Authorization: {authorization}")


def _text(rng: random.Random) -> str:
    return "".join(rng.choices(string.ascii_letters + string.digits, k=rng.randrange(1, 40)))
