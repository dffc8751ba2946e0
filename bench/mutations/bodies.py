"""Bodies with faults: of JSON, and of the chunks that a body comes in. Pure."""

import json
import random

from bench.mutations.good_requests import MARKER, fields

_WRONG_VALUES = (
    "1e999",
    "-0",
    "9" * 5_000,
    "NaN",
    "-Infinity",
    "0x10",
    "true",
    "null",
    "[]",
    "{}",
    '""',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    '"\x01"',
    '"\\x"',
    "'a'",
    '"' + "x" * 9_000 + '"',
    '"\u202e\ufeff\u2028"',
    "[" * 2_000 + "]" * 2_000,
    '{"a":' * 1_000 + "1" + "}" * 1_000,
    "{" + ",".join(f'"{number}": "x"' for number in range(500)) + "}",
    '{"agents": [{"agentName": "x", "metadata": "' + MARKER + '"}]}',
    '{"name": 5, "egress": {}, "agents": [1e5]}',
)
_WHOLE = (
    b"",
    b" ",
    b"\x00",
    b"[]",
    b'"x"',
    b"null",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 20_000,
    b'{"a":' * 10_000,
    b"{}{}",
    b'{"room_name": "' + b"\xc3\x28" * 5 + b'"}',
    b"{" * 30 + b"}" * 29,
    b"x" * 66_000,
)


def mutated_json(rng: random.Random, tag: str) -> bytes:
    """Return the fields of a token with one or two values that break their rules."""
    if rng.random() < 0.2:  # noqa: PLR2004
        return rng.choice(_WHOLE)
    given = fields(tag)
    names = [*given, "room_config", "ttl"]
    members = [(name, json.dumps(value)) for name, value in given.items()]
    for _ in range(rng.randint(1, 2)):
        change = (rng.choice(names), rng.choice(_WRONG_VALUES))
        if rng.random() < 0.3:  # noqa: PLR2004  # beside the good one: given twice
            members.insert(rng.randrange(len(members)), change)
        else:
            members = [*(each for each in members if each[0] != change[0]), change]
    text = ", ".join(f'"{name}": {value}' for name, value in members)
    encoding = rng.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-32"))
    return f"{{{text}}}".encode(encoding)


def chunked(rng: random.Random, body: bytes) -> bytes:
    """Return the body in chunks, in order."""
    chunks = []
    while body:
        size = rng.randint(1, len(body))
        chunks.append(f"{size:x}\r\n".encode() + body[:size] + b"\r\n")
        body = body[size:]
    return b"".join(chunks) + b"0\r\n\r\n"


def wrongly_chunked(rng: random.Random, body: bytes) -> bytes:
    """Return the body in chunks, with one fault; some faults are none."""
    size = f"{len(body):x}".encode()
    whole = b"\r\n" + body + b"\r\n0\r\n"
    marker = MARKER.encode()
    return rng.choice(
        (
            b"0x" + size + whole + b"\r\n",
            b"-" + size + whole + b"\r\n",
            b"+" + size + whole + b"\r\n",
            b" " + size + whole + b"\r\n",
            size + b" " + whole + b"\r\n",
            size + b";" + marker + b"=" + marker + whole + b"\r\n",
            size + b';a="' + marker + b'\r\n"' + whole + b"\r\n",
            size + b";a\r" + marker + whole + b"\r\n",
            size + b";a\n" + marker + whole + b"\r\n",
            size + b";" + b"x" * 9_000 + whole + b"\r\n",
            b"0" * 30 + size + whole + b"\r\n",
            b"f" * 17 + whole + b"\r\n",
            b"1_0" + whole + b"\r\n",
            b"" + whole + b"\r\n",
            size.upper() + whole + b"X-A: " + marker + b"\r\n\r\n",
            size + whole + b"Content-Length: 5\r\n\r\n",
            size + whole + marker + b"\r\n\r\n",
            size + whole + b" x: y\r\n\r\n",
            size + whole + b"a: b\nc: d\r\n\r\n",
            size + whole,
            size + whole[:-3],
            size + b"\n" + body + b"\n0\n\n",
            size + b"\r\n" + body + b"0\r\n\r\n",
            size + b"\r\n" + body + b"xx0\r\n\r\n",
            f"{len(body) + 2:x}".encode() + whole + b"\r\n",
            f"{max(0, len(body) - 1):x}".encode() + whole + b"\r\n",
            size + b"\r\n" + body + b"\r\n00\r\n\r\n",
            size + b"\r\n" + body + b"\r\n0;a=b\r\n\r\n",
            size + b"\r\n" + body + b"\r\n0\r\r\n",
        )
    )
