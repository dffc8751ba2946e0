"""Good requests with one to three faults, each made of its own number. Pure."""

import random
from collections.abc import Callable

from bench.mutations.bodies import chunked, mutated_json, wrongly_chunked
from bench.mutations.good_requests import Parts, good_request, with_body
from bench.mutations.heads import mutate_headers, mutate_line

_ONE_FAULT = (1, 1, 1, 2, 2, 3)
_LENGTHS = (
    *("-1", "+{}", "0x{:x}", "{}, {}", "", "0{}", " {}", "{} ", "{}.0", "1e1", "9" * 30, "\u0663"),
    *("{}\t", "{}_0", "{};", "'{}'", "\x0b{}"),
)
_CODINGS = (
    *(b"chunked", b"Chunked", b"CHUNKED ", b"gzip, chunked", b"chunked, chunked", b"identity"),
    *(b"xchunked", b"\tchunked", b"\x0bchunked", b"chunked;q=1", b"chunked,", b", chunked", b""),
    *(b"chunked, identity", b'"chunked"', b"chunked\x00", b"chunked\r\n , gzip", b"deflate"),
)
_ENDS = (b"\n", b"\r", b"\n\r", b"\r\r\n", b"\x0b", b"\r\n\r\n", b"\r\n ", b"\r\n\t", b"")
_BYTES = b'\x00\r\n\t :;,/?%#&=+"\\{}[]\x7f\x80\xff0123456789aZ'


def mutant(seed: int, number: int, tag: str) -> bytes:
    """Return one; the same seed, number and tag, the same request."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311 (repeatable is the point)
    parts = good_request(rng, tag)
    faults = [rng.choice(_FAULTS) for _ in range(rng.choice(_ONE_FAULT))]
    for fault in faults:
        if isinstance(fault, _OfParts):
            fault.make(rng, parts, tag)
    request = parts.to_bytes()
    for fault in faults:
        if isinstance(fault, _OfBytes):
            request = fault.make(rng, request, tag)
    return request


class _OfParts:
    def __init__(self, make: Callable[[random.Random, Parts, str], None]) -> None:
        self.make = make


class _OfBytes:
    def __init__(self, make: Callable[[random.Random, bytes, str], bytes]) -> None:
        self.make = make


@_OfParts
def _line(rng: random.Random, parts: Parts, tag: str) -> None:
    del tag
    mutate_line(rng, parts)


@_OfParts
def _headers(rng: random.Random, parts: Parts, tag: str) -> None:
    del tag
    mutate_headers(rng, parts)


@_OfParts
def _json(rng: random.Random, parts: Parts, tag: str) -> None:
    with_body(parts, mutated_json(rng, tag))


@_OfParts
def _length(rng: random.Random, parts: Parts, tag: str) -> None:
    """Say another length; or say it twice, or say it beside chunks."""
    del tag
    right = len(parts.body)
    off = max(0, right + rng.choice((-20, -3, -1, 1, 2, 20, 100_000)))
    odd = rng.choice(_LENGTHS).format(right, right)
    name, value = b"Content-Length", rng.choice((str(off), odd)).encode()
    if rng.random() < 0.5:  # noqa: PLR2004
        parts.set(name, value)
    else:
        parts.headers.insert(rng.randint(0, len(parts.headers)), (name, value))


@_OfParts
def _coding(rng: random.Random, parts: Parts, tag: str) -> None:
    """Send the body in chunks, or say so."""
    del tag
    if rng.random() < 0.8:  # noqa: PLR2004
        parts.drop(b"Content-Length")
    is_plain = rng.random() < 0.7  # noqa: PLR2004
    parts.headers.append((b"Transfer-Encoding", b"chunked" if is_plain else rng.choice(_CODINGS)))
    write = rng.choice((chunked, wrongly_chunked, wrongly_chunked, wrongly_chunked))
    parts.body = write(rng, parts.body)


@_OfBytes
def _flip(rng: random.Random, request: bytes, tag: str) -> bytes:
    """Change, insert or remove a few bytes."""
    del tag
    changed = bytearray(request)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(max(1, len(changed)))
        kind = rng.randrange(4)
        if kind == 0:
            changed[place : place + 1] = rng.randbytes(1)
        elif kind == 1:
            changed.insert(place, rng.choice(_BYTES))
        elif kind == 2:  # noqa: PLR2004
            del changed[place : place + rng.randint(1, 5)]
        else:
            changed[place : place + 1] = bytes([rng.choice(_BYTES)])
    return bytes(changed)


@_OfBytes
def _line_ends(rng: random.Random, request: bytes, tag: str) -> bytes:
    """End one line, or all, in another way."""
    del tag
    lines = request.split(b"\r\n")
    place, end = rng.randrange(len(lines)), rng.choice(_ENDS)
    if rng.random() < 0.1:  # noqa: PLR2004
        return end.join(lines)
    return b"\r\n".join(lines[: place + 1]) + end + b"\r\n".join(lines[place + 1 :])


@_OfBytes
def _cut(rng: random.Random, request: bytes, tag: str) -> bytes:
    del tag
    return request[: rng.randint(0, len(request))]


@_OfBytes
def _pair(rng: random.Random, request: bytes, tag: str) -> bytes:
    """Send another right behind, or before."""
    other = good_request(rng, tag).to_bytes()
    return request + other if rng.random() < 0.6 else other + request  # noqa: PLR2004


@_OfBytes
def _frame(rng: random.Random, request: bytes, tag: str) -> bytes:
    """Put something around it."""
    del tag
    before = rng.choice((b"", b"", b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\x00", b"0\r\n\r\n"))
    behind = rng.choice((b"", b"\r\n", b"\n", b"x", b"\x00" * 9, b"0\r\n\r\n", b"\x16\x03\x01"))
    return before + request + behind


_FAULTS = (
    *(_line, _line, _headers, _headers, _headers, _json, _json, _length, _coding, _coding),
    *(_flip, _flip, _flip, _line_ends, _cut, _pair, _pair, _frame),
)
