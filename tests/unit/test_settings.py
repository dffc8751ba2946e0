"""What an operator sets, where it is right."""

from datetime import timedelta

import pytest
from redis import Redis

from shared_settings.settings import AgentDispatch, LogFormat, TokenAuth
from tests.environ import environ, settings
from tests.processes import API_KEY, API_SECRET
from token_server.settings import Settings


def test_the_smallest_environment_gives_the_documented_defaults() -> None:
    """The table of settings (docs/settings.md) promises these."""
    found = settings()

    assert (
        AgentDispatch.JOIN,
        (timedelta(minutes=10), timedelta(minutes=10), timedelta(seconds=20)),
        (LogFormat.CONSOLE, "0.0.0.0", 8080, 2, False),  # noqa: S104 (the documented default)
    ) == (
        found.agent_dispatch,
        (found.token_ttl, found.room_empty_timeout, found.room_departure_timeout),
        (found.log_format, found.host, found.port, found.web_concurrency, found.demo),
    )


def test_every_variable_is_read() -> None:
    """A variable that is documented and ignored costs an operator an afternoon."""
    found = settings(
        TOKEN_AUTH="key",
        TOKEN_KEYS="one, two",
        TOKEN_TTL_SECONDS="60",
        ROOM_EMPTY_TIMEOUT_SECONDS="30",
        ROOM_DEPARTURE_TIMEOUT_SECONDS="10",
        DEMO="1",
        AGENTLESS_TOKENS="1",
        DISPATCH_OPTIONS="1",
        LOG_FORMAT="json",
    )

    assert (TokenAuth.KEY, ("one", "two"), 60, 30, 10, True, True, True, LogFormat.JSON) == (
        found.token_auth,
        found.token_keys,
        found.token_ttl.total_seconds(),
        found.room_empty_timeout.total_seconds(),
        found.room_departure_timeout.total_seconds(),
        found.demo,
        found.agentless_tokens,
        found.dispatch_options,
        found.log_format,
    )


@pytest.mark.parametrize("empty", ["", " "], ids=["empty", "blank"])
def test_an_empty_variable_is_not_set(empty: str) -> None:
    """Platforms and .env.example pass unused variables on as empty text."""
    found = settings(PORT=empty, TOKEN_TTL_SECONDS=empty, CORS_ORIGINS=empty, DEMO=empty)

    assert settings() == found


def test_variables_of_other_programs_are_none_of_ours() -> None:
    """The environment is full of them, PATH to begin with."""
    assert settings() == settings(PATH="/bin", LIVEKIT_SOMETHING="x")


@pytest.mark.parametrize(
    ("livekit_url", "server_url"),
    [
        pytest.param("wss://x.livekit.cloud", "wss://x.livekit.cloud", id="cloud"),
        pytest.param("ws://127.0.0.1:7880/", "ws://127.0.0.1:7880", id="trailing slash"),
        pytest.param("http://127.0.0.1:7880", "ws://127.0.0.1:7880", id="http"),
        pytest.param("https://http.example", "wss://http.example", id="https"),
        pytest.param("ws://[::1]:7880", "ws://[::1]:7880", id="IPv6"),
        pytest.param("WSS://x.livekit.cloud", "wss://x.livekit.cloud", id="upper case scheme"),
        pytest.param("https://http.example/ws/a/", "wss://http.example/ws/a", id="path"),
    ],
)
def test_clients_are_sent_to_a_websocket(livekit_url: str, server_url: str) -> None:
    """LIVEKIT_URL is written both ways in the field; clients want ws:// or wss://."""
    assert server_url == settings(LIVEKIT_URL=livekit_url).server_url


def test_clients_are_sent_to_the_public_address_where_there_is_one() -> None:
    """The token server calls LiveKit inside the house, and browsers come from outside."""
    found = settings(LIVEKIT_URL="ws://livekit:7880", LIVEKIT_PUBLIC_URL="https://a.example/rtc/")

    assert ("ws://livekit:7880", "wss://a.example/rtc") == (found.livekit_url, found.server_url)


@pytest.mark.parametrize(
    ("livekit_url", "given", "expected"),
    [
        pytest.param("wss://x.livekit.cloud", "", 900, id="cloud"),
        pytest.param("wss://X.LiveKit.Cloud:443/", "", 900, id="cloud in capitals"),
        pytest.param("wss://x.livekit.cloud", "0", 0, id="cloud of a large plan"),
        pytest.param("wss://livekit.cloud.example", "", 0, id="of one's own"),
        pytest.param("ws://127.0.0.1:7880", "300", 300, id="given"),
    ],
)
def test_clouds_quota_is_known(livekit_url: str, given: str, expected: int) -> None:
    """Whoever pastes a project's URL has not read about its quota."""
    found = settings(LIVEKIT_URL=livekit_url, LIVEKIT_REQUESTS_PER_MINUTE=given)

    assert expected == found.requests_per_minute


def test_automatic_dispatch_needs_no_agent_name() -> None:
    """An unnamed worker is sent to every room by LiveKit itself."""
    found = settings(LIVEKIT_AGENT_NAME="", AGENT_DISPATCH="automatic")

    assert (AgentDispatch.AUTOMATIC, ("",)) == (found.agent_dispatch, found.allowed_agent_names)


def test_the_configured_agent_comes_first_and_once() -> None:
    """The first is who comes when a caller does not say."""
    found = settings(LIVEKIT_AGENT_NAME="b", AGENT_NAMES="a, b ,, c")

    assert ("b", "a", "c") == found.allowed_agent_names


@pytest.mark.parametrize(
    "redis_url",
    [
        pytest.param("redis://redis.example", id="host"),
        pytest.param("redis://:p%40ss@redis.example:6379/2", id="password, port, database"),
        pytest.param("redis://[::1]:6379/0", id="IPv6"),
        pytest.param("rediss://user:pass@redis.example?ssl_cert_reqs=none", id="TLS, unchecked"),
        pytest.param("rediss://redis.example?ssl_ca_certs=/etc/ca.pem&db=1", id="TLS, own CA"),
        pytest.param("unix:///run/redis.sock?db=1", id="socket file"),
        pytest.param("unix://:pass@/run/redis.sock", id="socket file, password"),
    ],
)
def test_redis_is_where_redis_py_finds_it(redis_url: str) -> None:
    """What passes here must not fail at the first lock."""
    with Redis.from_url(settings(REDIS_URL=redis_url).redis_url) as client:
        assert client.connection_pool.make_connection()


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ("rediss://redis.example", "rediss://redis.example?ssl_cert_reqs=none"),
        (
            "rediss://u:p@r.example:1/2?ssl_cert_reqs=required&db=3",
            "rediss://u:p@r.example:1/2?ssl_cert_reqs=none&ssl_cert_reqs=required&db=3",
        ),
        ("redis://redis.example", "redis://redis.example"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
        ("", ""),
    ],
    ids=["TLS", "TLS, options", "no TLS", "socket file", "none"],
)
def test_a_certificate_need_not_be_verified(given: str, opened: str) -> None:
    """A URL that an add-on owns cannot say it itself."""
    found = settings(REDIS_URL=given, REDIS_TLS_VERIFY="0").redis_url

    with Redis.from_url(found or "redis://x") as client:
        options = client.get_connection_kwargs()
    reqs = "none" if given.startswith("rediss") else None
    assert (opened, reqs) == (found, options.get("ssl_cert_reqs"))
    assert given == settings(REDIS_URL=given).redis_url


def test_logins_may_prove_less_where_the_operator_says_so() -> None:
    """An issuer in the same compose network, whose tokens are for nobody."""
    found = settings(
        TOKEN_AUTH="jwt",
        TOKEN_JWT_ISSUER="http://keycloak:8080/realms/ours",
        TOKEN_JWT_TRUST_PLAIN_HTTP="1",
        TOKEN_JWT_TRUST_WITHOUT_AUDIENCE="1",
    )

    assert ("http://keycloak:8080/realms/ours", ()) == (
        found.token_jwt_issuer,
        found.token_jwt_audience,
    )


def test_secrets_do_not_show() -> None:
    """Settings end up in logs and tracebacks."""
    secrets = API_KEY, API_SECRET, "a-caller-key", "redis-password"
    redis_url = "redis://:redis-password@redis.example"

    shown = repr(settings(TOKEN_AUTH="key", TOKEN_KEYS="a-caller-key", REDIS_URL=redis_url))

    assert [] == [secret for secret in secrets if secret in shown]


def test_settings_come_from_any_mapping() -> None:
    """Nothing is read from os.environ, so that tests and `--check-config` see what they pass."""
    assert settings() == Settings.from_environ(environ())


PROXY = "http://user:password@proxy.example:3128"
TLS_PROXY = {"HTTPS_PROXY": PROXY}
PROXIES = {
    "none": ("wss://livekit.example", {}, ""),
    "TLS": ("wss://livekit.example", TLS_PROXY, PROXY),
    "TLS, by https": ("https://livekit.example", TLS_PROXY, PROXY),
    "no TLS": ("ws://livekit.example", {"HTTP_PROXY": PROXY}, PROXY),
    "for TLS only": ("ws://livekit.example", TLS_PROXY, ""),
    "in lower case": ("wss://livekit.example", {"https_proxy": PROXY, "HTTPS_PROXY": "x"}, PROXY),
    "without a scheme": (
        "wss://livekit.example",
        {"HTTPS_PROXY": "proxy:3128"},
        "http://proxy:3128",
    ),
    "this machine": ("ws://127.0.0.1:7880", {"HTTP_PROXY": PROXY}, ""),
    "this machine, IPv6": ("ws://[::1]:7880", {"HTTP_PROXY": PROXY}, ""),
    "NO_PROXY": (
        "wss://a.livekit.example:7881",
        TLS_PROXY | {"NO_PROXY": "x, livekit.example"},
        "",
    ),
    "no_proxy with a dot": (
        "wss://a.livekit.example",
        TLS_PROXY | {"no_proxy": ".livekit.example"},
        "",
    ),
    "NO_PROXY of another": (
        "wss://mylivekit.example",
        TLS_PROXY | {"NO_PROXY": "livekit.example"},
        PROXY,
    ),
    "NO_PROXY for all": ("wss://livekit.example", TLS_PROXY | {"NO_PROXY": "*"}, ""),
    "NO_PROXY for a network": ("wss://10.1.2.3", TLS_PROXY | {"NO_PROXY": "10.0.0.0/8"}, ""),
    "NO_PROXY for a useless proxy": (
        "wss://livekit.example",
        {"HTTPS_PROXY": "socks5://x", "NO_PROXY": "livekit.example"},
        "",
    ),
}


@pytest.mark.parametrize(("url", "variables", "proxy"), PROXIES.values(), ids=PROXIES.keys())
def test_livekit_is_reached_through_the_proxy_of_the_environment(
    url: str, variables: dict[str, str], proxy: str
) -> None:
    """As other programs read it: some networks have no other way out."""
    assert proxy == settings(LIVEKIT_URL=url, **variables).livekit_proxy
