"""Heads with faults: the request line, and headers. Pure."""

import random

from bench.mutations.good_requests import Parts

_METHODS = (
    *(b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE", b"PATCH", b"PRI", b"get", b"Post"),
    *(b"", b"GET GET", b"G\x00T", b"G\xc3\xa4T", b"G" * 300, b"GET\t", b"QUERY", b"POST#"),
)
_VERSIONS = (
    *(b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b"", b"HTTP/"),
    *(
        b"HTTP/1.10",
        b"HTTP/11",
        b"HTTP/1.",
        b"HTTP/1.1\t",
        b"HTCPCP/1.0",
        b"HTTP/9.9",
        b"HTTP/01.1",
    ),
)
_TARGETS = (
    *(
        b"*",
        b"",
        b"?",
        b"#",
        b"//",
        b"//token",
        b"/token/",
        b"/token;x=1",
        b"/%74oken",
        b"/token%00",
    ),
    *(b"/token%0d%0aX-A:%20b", b"/token?%ff=%", b"/token?%", b"/token?room_name=%ed%a0%80"),
    *(
        b"/token?room_name[]=x",
        b"/token?&&==&",
        b"/../token",
        b"/token/%2e%2e/healthz",
        b"/\\token",
    ),
    *(
        b"http://t/healthz",
        b"http://other:99999/token",
        b"http://[::1/token",
        b"HTTP://u:p@t/token",
    ),
    *(
        b"https://t/healthz",
        b"ftp://t/",
        b"t:80",
        b"t",
        b"http:/token",
        b"http://",
        b"http:///token",
    ),
    *(b"/" + b"x" * 9_000, b"/token?" + b"a=b&" * 2_000, b"/token\xff", b"/token x", b"/token#a?b"),
    *(
        b"/healthz\x00",
        b"/token?room_name=" + b"%41" * 500,
        b"/rooms/../openapi.json",
        b"/%",
        b"/%zz",
    ),
)
_HEADERS = (
    (b"Expect", b"100-continue", b"100-Continue", b"200-ok", b"", b"100-continue, x"),
    (b"Upgrade", b"websocket", b"h2c", b"HTTP/2.0", b"\xff"),
    (
        b"Connection",
        b"close",
        b"keep-alive",
        b"Upgrade",
        b"close, keep-alive",
        b"Content-Length",
        b"",
    ),
    (
        b"Connection",
        b"Transfer-Encoding",
        b"Authorization",
        b"Host",
        b",,",
        b"Upgrade, HTTP2-Settings",
    ),
    (b"HTTP2-Settings", b"AAMAAABkAAQAAP__", b""),
    (b"Host", b"", b"a b", b"t:99999", b"[::1", b"\xff", b"a@b", b"t/x", b"t,t", b"x" * 300),
    (b"Content-Type", b"", b"application/json; charset=utf-16", b"application/json;" + b"x" * 500),
    (
        b"Content-Type",
        b"multipart/form-data; boundary=x",
        b"APPLICATION/JSON",
        b"application/\xffjson",
    ),
    (b"Content-Type", b"application/x-www-form-urlencoded", b"application/json; charset=x;charset"),
    (b"Content-Encoding", b"gzip", b"identity", b"\x80"),
    (
        b"X-Forwarded-For",
        b"1.2.3.4:5",
        b"[2001:db8::1]:443",
        b"unknown",
        b"," * 500,
        b"fe80::1%a/b",
    ),
    (b"X-Forwarded-Proto", b"https", b"ftp", b"https, http"),
    (b"Forwarded", b"for=x;proto=https", b'for="'),
    (b"Origin", b"null", b"http://x", b"", b"\xff"),
    (
        b"Authorization",
        b"",
        b"Bearer",
        b"Bearer  ",
        b"Basic dDp0",
        b"Bearer \xc3\xa9",
        b"Bearer a.b.c",
    ),
    (
        b"Authorization",
        b"Bearer " + b"." * 500,
        b"Digest username=x",
        b"Bearer eyJhbGciOiJub25lIn0.e30.",
    ),
    (b"traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"ff-x", b"\xff", b"0" * 500),
    (b"Range", b"bytes=0-1", b"bytes=-"),
    (b"If-None-Match", b"*", b'"x"'),
    (b"Accept", b"", b"text/html", b"*/*;q=x"),
    (b"TE", b"trailers", b"chunked"),
    (b"Trailer", b"Content-Length", b"X-A"),
    (b"Cookie", b"=;=", b"a=\xff"),
    (b"Proxy", b"http://x"),
    (b"Content_Length", b"3", b"0"),
    (b"Transfer_Encoding", b"chunked"),
    (b"X-HTTP-Method-Override", b"DELETE"),
    (b"Keep-Alive", b"timeout=0, max=0"),
    (b"Accept-Encoding", b"gzip;q=x", b"br"),
)
_NAMES = (
    *(
        b"",
        b" ",
        b"X A",
        b"X-A ",
        b"\tX-A",
        b"X\x00A",
        b"\xff",
        b"X" * 9_000,
        b"(x)",
        b"@",
        b"X\rA",
    ),
)
_VALUES = (
    *(b"\x00", b"a\x00b", b"\x7f", b"a\rb", b"a\nb", b"a\r\n b", b"a\r\n\tb", b"a\r\n", b"\x0b"),
    *(b"x" * 9_000, b"x" * 70_000, b"\xf0\x9f\x98\x80", b"a\r\n\r\nb", b"a\r\nContent-Length: 3"),
)


def mutate_line(rng: random.Random, parts: Parts) -> None:
    """Change the method, the target or the version."""
    kind = rng.randrange(4)
    if kind == 0:
        parts.method = rng.choice(_METHODS)
    elif kind == 1:
        parts.version = rng.choice(_VERSIONS)
    else:
        parts.target = rng.choice(_TARGETS)


def mutate_headers(rng: random.Random, parts: Parts) -> None:
    """Add, double, drop or bend one."""
    name, *values = rng.choice(_HEADERS)
    changes = (
        lambda: parts.set(name, rng.choice(values)),
        lambda: parts.set(name, rng.choice(values)),
        lambda: parts.headers.insert(_at(rng, parts), (name, rng.choice(values))),
        lambda: parts.headers.insert(_at(rng, parts), (rng.choice(_NAMES), b"x")),
        lambda: parts.headers.insert(_at(rng, parts), (b"X-A", rng.choice(_VALUES))),
        lambda: parts.headers.insert(_at(rng, parts), rng.choice(parts.headers)),
        lambda: parts.headers.remove(rng.choice(parts.headers)),
        lambda: parts.headers.extend([(b"X-A", b"x")] * rng.choice((90, 101, 300))),
        lambda: _change_case(rng, parts),
    )
    if parts.headers:
        rng.choice(changes)()


def _at(rng: random.Random, parts: Parts) -> int:
    return rng.randint(0, len(parts.headers))


def _change_case(rng: random.Random, parts: Parts) -> None:
    index = rng.randrange(len(parts.headers))
    name, value = parts.headers[index]
    changed = rng.choice((name.lower(), name.upper(), name.swapcase()))
    parts.headers[index] = (changed, rng.choice((value, value.swapcase())))
