"""What an operator is told when the settings are wrong."""

import pytest

from shared_settings.settings import SettingsError
from tests.environ import environ, settings
from token_server.settings import Settings

SECRET = "a-secret-that-must-not-be-shown"


def problems(found: dict[str, str]) -> list[str]:
    """Return the lines that the operator reads."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(found)
    return str(caught.value).splitlines()


def names(lines: list[str]) -> set[str]:
    """Return the variables that the lines begin with."""
    return {line.split(" ")[0] for line in lines}


BAD = {
    "no scheme": ("LIVEKIT_URL", "livekit.example"),
    "another scheme": ("LIVEKIT_URL", "ftp://livekit.example"),
    "no host": ("LIVEKIT_URL", "wss://"),
    "a path with an empty part": ("LIVEKIT_URL", "wss://livekit.example//path"),
    "a path of two slashes": ("LIVEKIT_URL", "wss://livekit.example//"),
    "a path that clients take away": ("LIVEKIT_URL", "wss://livekit.example/a/../b"),
    "a path with a space": ("LIVEKIT_URL", "wss://livekit.example/a b"),
    "a path with a letter that is none in a URL": ("LIVEKIT_URL", "wss://livekit.example/\u00fc"),
    "a fragment": ("LIVEKIT_URL", "wss://livekit.example/a#b"),
    "a public URL without scheme": ("LIVEKIT_PUBLIC_URL", "livekit.example"),
    "a public URL with a user": ("LIVEKIT_PUBLIC_URL", f"wss://user:{SECRET}@livekit.example"),
    "a public URL with a query": ("LIVEKIT_PUBLIC_URL", f"wss://livekit.example/?key={SECRET}"),
    "a query": ("LIVEKIT_URL", f"wss://livekit.example?key={SECRET}"),
    "a user": ("LIVEKIT_URL", f"wss://user:{SECRET}@livekit.example"),
    "a password only": ("LIVEKIT_URL", f"wss://:{SECRET}@livekit.example"),
    "half an IPv6 address": ("LIVEKIT_URL", "ws://[::1"),
    "a port over 65535": ("LIVEKIT_URL", "ws://livekit.example:99999"),
    "a port of letters": ("LIVEKIT_URL", "ws://livekit.example:http"),
    "a space in the host": ("LIVEKIT_URL", "ws://livekit example"),
    "an empty label in the host": ("LIVEKIT_URL", "ws://a..b"),
    "too long a label in the host": ("LIVEKIT_URL", f"wss://{'a' * 64}.example"),
    "a SOCKS proxy": ("HTTP_PROXY", f"socks5://user:{SECRET}@proxy.example:1080"),
    "a proxy over TLS": ("HTTP_PROXY", f"https://user:{SECRET}@proxy.example"),
    "a proxy without a host": ("HTTP_PROXY", f"http://user:{SECRET}@"),
    "a proxy that cannot be": ("HTTP_PROXY", "http://a..b:3128"),
    "a redis without scheme": ("REDIS_URL", "redis.example:6379"),
    "a redis of another scheme": ("REDIS_URL", "http://redis.example"),
    "a redis scheme in capitals": ("REDIS_URL", f"REDISS://:{SECRET}@redis.example"),
    "a redis without host": ("REDIS_URL", "redis://:6379"),
    "a redis host that cannot be": ("REDIS_URL", f"redis://{'a' * 70}"),
    "a redis port over 65535": ("REDIS_URL", f"redis://:{SECRET}@redis.example:99999"),
    "a redis database of letters": ("REDIS_URL", f"redis://:{SECRET}@redis.example/rooms"),
    "a redis password with a slash": ("REDIS_URL", f"redis://:{SECRET}/x@redis.example"),
    "a redis password with a hash": ("REDIS_URL", f"redis://:{SECRET}#x@redis.example"),
    "a redis with timeouts": ("REDIS_URL", "redis://redis.example?socket_timeout=9"),
    "a redis with half an option": ("REDIS_URL", "redis://redis.example?db"),
    "tls options without tls": ("REDIS_URL", "redis://redis.example?ssl_cert_reqs=none"),
    "a tls option of another kind": ("REDIS_URL", "rediss://redis.example?ssl_cert_reqs=maybe"),
    "sentinels": ("REDIS_URL", f"redis+sentinel://:{SECRET}@a.example:26379,b.example/mymaster"),
    "a tls verification of another kind": ("REDIS_TLS_VERIFY", "self-signed"),
    "a socket file of a host": ("REDIS_URL", "unix://redis.example/redis.sock"),
    "a socket file without name": ("REDIS_URL", "unix://"),
    "unknown dispatch": ("AGENT_DISPATCH", "never"),
    "unknown auth": ("TOKEN_AUTH", "basic"),
    "upper case auth": ("TOKEN_AUTH", "KEY"),
    "unknown log format": ("LOG_FORMAT", "xml"),
    "demo": ("DEMO", "perhaps"),
    "agentless tokens": ("AGENTLESS_TOKENS", "token"),
    "a host of other bytes than an address has": ("HOST", "300.1.1.1"),
    "a host with a port": ("HOST", "localhost:8080"),
    "a host with a scheme": ("HOST", "http://localhost"),
    "a host with a space": ("HOST", "local host"),
    "a host with an empty label": ("HOST", "a..b"),
    "a host of half an IPv6 address": ("HOST", "[::1"),
    "a host of too many colons": ("HOST", ":::"),
    "a host of one interface": ("HOST", "fe80::1%eth0"),
    "an IPv4 address in brackets": ("HOST", "[127.0.0.1]"),
    "a file": ("HOST", "unix:/run/web.sock"),
    "every host": ("HOST", "*"),
    "dispatch options": ("DISPATCH_OPTIONS", "deployment"),
    "port zero": ("PORT", "0"),
    "port too high": ("PORT", "65536"),
    "port of letters": ("PORT", "http"),
    "no process": ("WEB_CONCURRENCY", "0"),
    "a rate without a unit": ("RATE_LIMIT", "10"),
    "a rate of zero": ("RATE_LIMIT", "0/minute"),
    "one good rate and a bad one": ("RATE_LIMIT", "10/minute, often"),
    "a key's rate without a unit": ("RATE_LIMIT_KEY", "600"),
    "a header with a colon": ("END_USER_HEADER", "X-End-User:"),
    "a header that gunicorn drops": ("END_USER_HEADER", "X_End_User"),
    "fewer than no sessions": ("SESSIONS_PER_CALLER", "-1"),
    "more sessions than are asked about": ("SESSIONS_PER_CALLER", "101"),
    "fewer than no requests": ("LIVEKIT_REQUESTS_PER_MINUTE", "-1"),
    "requests by the second": ("LIVEKIT_REQUESTS_PER_MINUTE", "15/second"),
    "a key without its secret": ("LIVEKIT_WEBHOOK_KEYS", "newkey"),
    "half a hash": ("TOKEN_KEYS", "sha256:abc"),
    "fewer than no proxies": ("TRUSTED_PROXIES", "-1"),
    "an issuer anybody can play": ("TOKEN_JWT_ISSUER", "http://login.example"),
    "an issuer without scheme": ("TOKEN_JWT_ISSUER", "login.example"),
    "keys anybody can play": ("TOKEN_JWT_JWKS_URL", "http://login.example/keys"),
    "keys from a file": ("TOKEN_JWT_JWKS_URL", "file:///keys"),
    "a trust of another kind": ("TOKEN_JWT_TRUST_PLAIN_HTTP", "http://login.example"),
    "a wildcard origin": ("CORS_ORIGINS", "https://*.com"),
    "an origin with a path": ("CORS_ORIGINS", "https://example.com/app"),
    "a token server without scheme": ("TOKEN_SERVER_URL", "tokens.example"),
    "an origin without scheme": ("CORS_ORIGINS", "example.com"),
}


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD.keys())
def test_a_bad_value_is_refused_by_its_name(name: str, value: str) -> None:
    """A server that starts with half of what was meant is worse than one that does not start."""
    lines = problems(environ(**{name: value}))

    assert ({name}, False) == (names(lines), SECRET in "".join(lines))


PROXIED_ISSUER = {
    "TOKEN_AUTH": "jwt",
    "TOKEN_JWT_ISSUER": "https://login.example",
    "TOKEN_JWT_AUDIENCE": "app",
    "HTTPS_PROXY": f"socks5://user:{SECRET}@proxy.example:1080",
}


def test_a_proxy_that_only_the_issuer_needs_is_refused_too() -> None:
    """Every login would end in a 503."""
    (line,) = problems(environ(LIVEKIT_URL="ws://livekit.example", **PROXIED_ISSUER))

    assert (True, False) == (line.startswith("HTTPS_PROXY must look like"), SECRET in line)


def test_a_proxy_that_nobody_needs_is_nobodys_trouble() -> None:
    """Other programs of the machine may know what to do with it."""
    direct = environ(LIVEKIT_URL="ws://livekit.example", NO_PROXY="login.example", **PROXIED_ISSUER)

    assert "login.example" == Settings.from_environ(direct).no_proxy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("TOKEN_TTL_SECONDS", "soon", id="a word"),
        pytest.param("TOKEN_TTL_SECONDS", "1.5", id="a fraction"),
        pytest.param("TOKEN_TTL_SECONDS", "0", id="a token that is never valid"),
        pytest.param("TOKEN_TTL_SECONDS", "-60", id="a token that has expired"),
        pytest.param("TOKEN_TTL_SECONDS", "9" * 30, id="more than a timedelta holds"),
        pytest.param("ROOM_EMPTY_TIMEOUT_SECONDS", "-1", id="less than LiveKit's uint32"),
        pytest.param("ROOM_DEPARTURE_TIMEOUT_SECONDS", "99999999999", id="more than a uint32"),
    ],
)
def test_a_bad_duration_is_refused_with_its_unit(name: str, value: str) -> None:
    """Found at the start, not as a 500 of each /token, and without Python's own words."""
    (line,) = problems(environ(**{name: value}))

    assert (name, True, False) == (line.split(" ")[0], "seconds" in line, "int()" in line)


def test_everything_missing_is_listed_at_once() -> None:
    """A deployment that fails five times to name five variables costs five deployments."""
    assert {
        "LIVEKIT_URL",
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
        "LIVEKIT_AGENT_NAME",
        "TOKEN_AUTH",
    } == names(problems({}))


def test_what_is_wrong_and_what_is_missing_are_listed_together() -> None:
    """Also where one rule concerns two variables."""
    wrong = environ(TOKEN_AUTH="key", LIVEKIT_AGENT_NAME="", RATE_LIMIT="1", PORT="x")

    assert {"TOKEN_KEYS", "LIVEKIT_AGENT_NAME", "RATE_LIMIT", "PORT"} == names(problems(wrong))


def test_without_token_auth_the_choices_are_named() -> None:
    """There is no default: nobody is to open a server to the internet by accident."""
    (line,) = problems(environ(TOKEN_AUTH=""))

    assert (True, True, True) == (line.startswith("TOKEN_AUTH"), "key" in line, "none" in line)


@pytest.mark.parametrize("keys", ["", " , "], ids=["none", "only commas"])
def test_key_auth_without_keys_is_refused(keys: str) -> None:
    """It would lock everybody out."""
    assert {"TOKEN_KEYS"} == names(problems(environ(TOKEN_AUTH="key", TOKEN_KEYS=keys)))


def test_login_tokens_need_an_issuer_and_an_audience() -> None:
    """Without an audience any login at the same issuer, for whatever application, would do."""
    missing = problems(environ(TOKEN_AUTH="jwt"))

    assert {"TOKEN_JWT_ISSUER", "TOKEN_JWT_AUDIENCE"} == names(missing)


@pytest.mark.parametrize(
    ("changes", "name", "setting"),
    [
        pytest.param(
            {"TOKEN_JWT_AUDIENCE": ","},
            "TOKEN_JWT_AUDIENCE",
            "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1",
            id="no audience",
        ),
        pytest.param(
            {"TOKEN_JWT_AUDIENCE": "us", "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE": "1"},
            "TOKEN_JWT_AUDIENCE",
            "TOKEN_JWT_TRUST_WITHOUT_AUDIENCE=1",
            id="an audience, and none",
        ),
        pytest.param(
            {"TOKEN_JWT_AUDIENCE": "us", "TOKEN_JWT_JWKS_URL": "http://keycloak:8080/certs"},
            "TOKEN_JWT_JWKS_URL",
            "TOKEN_JWT_TRUST_PLAIN_HTTP=1",
            id="keys over http",
        ),
    ],
)
def test_logins_that_prove_less_are_refused_with_the_setting_that_decides(
    changes: dict[str, str], name: str, setting: str
) -> None:
    """Whoever has such an issuer is to think, and not to search."""
    jwt = {"TOKEN_AUTH": "jwt", "TOKEN_JWT_ISSUER": "https://login.example"}
    (line,) = problems(environ(**jwt | changes))

    assert (True, True) == (line.startswith(f"{name} must be "), setting in line)


def test_sentinels_are_refused_in_words_of_their_own() -> None:
    """What such a URL must look like is no help: there is none."""
    (line,) = problems(environ(REDIS_URL="redis+sentinel://a.example:26379/mymaster"))

    assert line.startswith("REDIS_URL must name one Redis server, not sentinels")


def test_an_agent_without_a_name_is_refused() -> None:
    """Explicit dispatch without a name sends nobody."""
    assert {"LIVEKIT_AGENT_NAME"} == names(problems(environ(LIVEKIT_AGENT_NAME="")))


def test_an_agent_that_livekit_sends_by_itself_cannot_be_left_out() -> None:
    """Whoever takes over a call would have it in each new room all the same."""
    (line,) = problems(environ(AGENT_DISPATCH="automatic", AGENTLESS_TOKENS="1"))

    assert line.startswith("AGENTLESS_TOKENS must be 0 when AGENT_DISPATCH=automatic: LiveKit ")


def test_an_agent_that_livekit_sends_by_itself_has_no_options() -> None:
    """It would come without them, and nobody would say so."""
    (line,) = problems(environ(AGENT_DISPATCH="automatic", DISPATCH_OPTIONS="1"))

    assert line.startswith("DISPATCH_OPTIONS must be 0 when AGENT_DISPATCH=automatic: LiveKit ")


def test_secrets_stay_out_of_the_text() -> None:
    """It is printed to a platform's log."""
    wrong = environ(LIVEKIT_API_SECRET=SECRET, TOKEN_KEYS=SECRET, PORT="x")

    assert SECRET not in "".join(problems(wrong))


def test_settings_cannot_be_changed() -> None:
    """They are shared by threads."""
    found = settings()

    with pytest.raises(ValueError, match="frozen"):
        found.port = 1
