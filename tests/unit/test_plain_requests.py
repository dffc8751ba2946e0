"""Which requests are read without gunicorn, and that gunicorn would read the same."""

from email.utils import parsedate_to_datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from gunicorn.config import Config
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData
from gunicorn.http.wsgi import create
from hypothesis import assume, example, given
from hypothesis import strategies as st

from token_server.plain_requests import answer, read_plain

# As in gunicorn_conf.py.
GUNICORN = {"limit_request_line": 8190, "forwarded_allow_ips": "*", "secure_scheme_headers": {}}
CLIENT, SERVER = ("127.0.0.1", 50_000), ("127.0.0.1", 8080)

LIVEKIT = (
    b"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: Go-http-client/1.1\r\n"
    b"Content-Length: 2\r\nAuthorization: e30.e30.c2ln\r\nContent-Type: application/webhook+json"
    b"\r\nAccept-Encoding: gzip\r\n\r\n{}"
)
BROWSER = (
    b"POST /token HTTP/1.1\r\nHost: example.org\r\nConnection: keep-alive\r\nContent-Length: 21\r\n"
    b'sec-ch-ua: "Chromium";v="156"\r\nContent-Type: application/json\r\nAccept: */*\r\n'
    b"Origin: https://example.org\r\nAccept-Language: de,en;q=0.9\r\n\r\n"
    b'{"room_name": "k\xc3\xbc"}\n'
)
PHONE = (
    b"POST /token HTTP/1.1\r\nhost: example.org\r\ncontent-type: application/json\r\n"
    b"accept: */*\r\nauthorization: Bearer key\r\ncontent-length: 0\r\n\r\n"
)
USUAL = {"LiveKit": LIVEKIT, "a browser": BROWSER, "a phone": PHONE}


class Received:
    """A connection on which something has come, and no more will."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def recv(self, size: int) -> bytes:
        """Receive it."""
        part, self._received = self._received[:size], self._received[size:]
        return part


def read_by_gunicorn(received: bytes) -> list[dict[str, Any]]:
    """Return the environ of each request that gunicorn reads, with the body instead of a file.

    Raises:
        Exception: One of gunicorn's; it would refuse.
    """
    config = Config()
    for name, value in GUNICORN.items():
        config.set(name, value)
    connection: Any = Received(received)
    environs = []
    parser = get_parser(config, connection, CLIENT)
    try:
        for request in parser:
            request.proxy_protocol_info = None
            _, environ = create(request, connection, CLIENT, SERVER, config)
            environs.append({**environ, "wsgi.input": environ["wsgi.input"].read()})
    except NoMoreData:
        pass
    return environs


def check(received: bytes) -> bool:
    """Return whether a request is plain; if it is, gunicorn must read it, and nothing else."""
    environ = read_plain(received)
    if environ is None:
        return False
    (theirs,) = read_by_gunicorn(received)
    ours = environ | {"wsgi.input": environ["wsgi.input"].read()}
    headers = {name for name in theirs if name.startswith(("HTTP_", "CONTENT_"))}
    assert ours == {name: theirs[name] for name in ours.keys() | headers}
    return True


@pytest.mark.parametrize("received", USUAL.values(), ids=USUAL.keys())
def test_what_usually_comes_is_plain(received: bytes) -> None:
    """These are the requests that have to be quick."""
    assert check(received)


def changed(part: bytes, other: bytes) -> bytes:
    """Return the browser's request with another part."""
    assert part in BROWSER
    return BROWSER.replace(part, other)


UNUSUAL = {
    "nothing": b"",
    "half a head": BROWSER[:40],
    "half a body": BROWSER[:-1],
    "an empty line too many": BROWSER + b"\n",
    "more than one": BROWSER + BROWSER,
    "one and a half": BROWSER + BROWSER[:30],
    "another method": changed(b"POST /", b"GET /"),
    "another path": changed(b"/token", b"/tokens"),
    "a query": changed(b"/token", b"/token?a=b"),
    "an encoded path": changed(b"/token", b"/%74oken"),
    "a whole URL": changed(b"/token", b"http://example.org/token"),
    "HTTP/1.0": changed(b"HTTP/1.1", b"HTTP/1.0"),
    "no host": changed(b"Host: example.org\r\n", b""),
    "two hosts": changed(b"Host: example.org\r\n", b"Host: example.org\r\n" * 2),
    "no length": changed(b"Content-Length: 21\r\n", b""),
    "a strange length": changed(b"Length: 21", b"Length: +21"),
    "chunks": changed(b"Content-Length: 21", b"Transfer-Encoding: chunked"),
    "chunks and a length": changed(b"Accept: */*", b"Transfer-Encoding: chunked"),
    "an expectation": changed(b"Accept: */*", b"Expect: 100-continue"),
    "an upgrade": changed(b"keep-alive", b"Upgrade, HTTP2-Settings\r\nUpgrade: h2c"),
    "a last request": changed(b"keep-alive", b"close"),
    "an underscore": changed(b"Accept: */*", b"X_Forwarded_For: 1.2.3.4"),
    "a header twice": changed(b"Accept: */*", b"Origin: https://example.com"),
    "a long head": changed(b"*/*", b"*" * 8190),
    "a folded header": changed(b"*/*", b"*/*\r\n and more"),
    "a control character": changed(b"*/*", b"*\x01*"),
    "another alphabet": changed(b"*/*", b"\xc3\xbc"),
    "lines without a return": BROWSER.replace(b"\r\n", b"\n"),
    "a greeting of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("received", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_whatever_is_unusual_is_left_to_gunicorn(received: bytes) -> None:
    """It knows what to refuse, and how."""
    assert read_plain(received) is None


NAMES = st.sampled_from(
    [
        *("Host", "Content-Length", "content-length", "Content-Type", "Transfer-Encoding", "Te"),
        *("Connection", "Expect", "Upgrade", "Authorization", "X-Forwarded-For", "X_Forwarded_For"),
        *("Script_Name", "SCRIPT-NAME", "Forwarded", "A b", "", "\xfc", "A", "a"),
    ]
)
VALUES = st.one_of(
    st.sampled_from(["0", "2", "02", "+2", "2, 2", "0x2", "chunked", "close", "keep-alive", "a b"]),
    st.text(st.characters(max_codepoint=255), max_size=6),
)
USUAL_FIELDS = st.dictionaries(
    st.sampled_from(["Authorization", "Content-Type", "Accept", "X-Request-Id", "traceparent"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)
# A part of a request, what it usually is, and what else it may be.
PARTS = {
    "method": ("POST", st.sampled_from(["GET", "Post", " POST"])),
    "target": ("/token", st.sampled_from(["/webhook", "/token/", "//token", "*", "/token#a"])),
    "version": ("HTTP/1.1", st.sampled_from(["HTTP/1.0", "HTTP/2", "http/1.1", "HTTP/1.1 "])),
    "fields": ((), st.lists(st.tuples(NAMES, VALUES), max_size=3)),
    "before": ("", st.sampled_from([" ", "\t", "\x0b", "\x00"])),
    "after": (" ", st.sampled_from(["", "  ", "\t", "\x0c"])),
    "tail": ("", st.sampled_from([" ", "\t", "\xa0", "\r"])),
    "end": ("\r\n", st.sampled_from(["\n", "\r", "\r\r\n"])),
    "length": (None, st.sampled_from(["0", "1", "", "-1", "1,1", "0x1", "99999999999999999999"])),
    "more": ("", st.sampled_from(["\r\n", "\n", "POST /token HTTP/1.1\r\n\r\n", "\x00"])),
}


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Draw a request of which at most three parts are out of the ordinary."""
    odd = draw(st.sets(st.sampled_from(list(PARTS)), max_size=3))
    part: dict[str, Any] = {
        name: draw(others) if name in odd else usual for name, (usual, others) in PARTS.items()
    }
    body = draw(st.binary(max_size=8))
    length = str(len(body)) if part["length"] is None else part["length"]
    ordinary = draw(USUAL_FIELDS).items()
    fields = [("Host", "t"), ("Content-Length", length), *ordinary, *part["fields"]]
    space = f"{part['before']}:{part['after']}"
    lines = [
        f"{part['method']} {part['target']} {part['version']}",
        *(f"{name}{space}{value}{part['tail']}" for name, value in fields),
    ]
    head: str = part["end"].join((*lines, "", ""))
    more: str = part["more"]
    return head.encode("latin-1") + body + more.encode()


@given(requests())
def test_gunicorn_reads_the_same_from_what_is_plain(received: bytes) -> None:
    """No two opinions of where a request ends, or what it says."""
    try:
        check(received)
    except ValueError:
        pytest.fail("gunicorn reads no request, or several")


@given(st.sampled_from(list(USUAL.values())), st.data())
@example(LIVEKIT, None)
def test_gunicorn_reads_the_same_from_usual_requests_with_a_few_bytes_changed(
    usual: bytes, data: st.DataObject | None
) -> None:
    """Whatever the change is."""
    received = bytearray(usual)
    if data is None:
        assert check(bytes(received))
        return
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(received)))
        received[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    assume(received != usual)
    check(bytes(received))


def test_an_answer_goes_out_in_one_piece_with_its_length() -> None:
    """The head is gunicorn's, a length is added where there is none, and the body is closed."""
    closed = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response("201 CREATED", [("Content-Type", environ["CONTENT_TYPE"])])
        return Body([b"to", b"ken"])

    head, body = answer(application, {"CONTENT_TYPE": "text/plain"}).split(b"\r\n\r\n")

    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    assert parsedate_to_datetime(headers.pop("Date")).tzinfo
    assert ("HTTP/1.1 201 CREATED", b"token", [True]) == (status, body, closed)
    assert {
        "Server": "gunicorn",
        "Connection": "keep-alive",
        "Content-Type": "text/plain",
        "Content-Length": "5",
    } == headers
