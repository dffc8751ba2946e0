"""Causes that lie in the settings of who runs the doctor, or in how they are served."""

from tests.issuer import Issuer
from tests.processes import API_KEY, free_port
from tests.system.date_proxy import DateProxy
from tests.system.doctor_injections.stage import Case, Injection, Stage

ORIGIN = "https://app.example"
HASH_OF_SECRET_KEY = "sha256:85dbe15d75ef9308c7ae0f33c7a324cc6f4bf519a2ed2f3027bd33c140a4f9aa"


def wrong_in_file(stage: Stage, **settings: str) -> Case:
    """Have wrong settings in `.env`; `web` was started before."""
    site = stage.site().with_web()
    site.write(**settings)
    return Case(site=site)


def _settings_missing(stage: Stage) -> Case:
    return wrong_in_file(stage, LIVEKIT_API_KEY="", LIVEKIT_URL="wss://livekit.example//room")


def _other_port(stage: Stage) -> Case:
    return wrong_in_file(stage, LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}")


def _tls_where_none_is(stage: Stage) -> Case:
    return wrong_in_file(stage, LIVEKIT_URL=stage.livekit.url.replace("ws", "wss"))


def _token_server_s_address(stage: Stage) -> Case:
    return wrong_in_file(stage, LIVEKIT_URL=stage.site().stack.web_url)


def _unknown_key(stage: Stage) -> Case:
    return wrong_in_file(stage, LIVEKIT_API_KEY="nobody")


def _wrong_secret(stage: Stage) -> Case:
    return wrong_in_file(stage, LIVEKIT_API_SECRET="x" * 40)


def _wrong_secret_in_shell(stage: Stage) -> Case:
    site = stage.site().with_web()
    site.environ |= {
        "LIVEKIT_URL": stage.livekit.url,
        "LIVEKIT_API_KEY": API_KEY,
        "LIVEKIT_API_SECRET": "x" * 40,
    }
    return Case(site=site)


def _clock(stage: Stage) -> Case:
    proxy: DateProxy = stage.have(DateProxy(stage.livekit.url, 300))
    case = wrong_in_file(stage, LIVEKIT_URL=proxy.url)

    def set_clock(arguments: object) -> None:
        assert ["set-ntp", "true"] == arguments
        proxy.seconds = 0

    case.site.programs["timedatectl"] = set_clock
    return case


def _proxy_is_down(stage: Stage) -> Case:
    # Nothing here takes this for loopback, which needs no proxy; and that is where it leads.
    livekit = stage.livekit.url.replace("127.0.0.1", "127.1")
    site = stage.site(LIVEKIT_URL=livekit, LIVEKIT_PUBLIC_URL=stage.livekit.url).with_web()
    site.write(HTTP_PROXY=f"http://127.0.0.1:{free_port()}")
    site.values["YOUR-PROXY-URL"] = ""  # there is none that is needed
    return Case(site=site)


def _cors(stage: Stage) -> Case:
    return Case(site=stage.site().with_web(), arguments=("--origin", ORIGIN))


def _other_address(stage: Stage) -> Case:
    livekit = stage.livekit.url.replace("ws", "http")
    return wrong_in_file(stage, TOKEN_SERVER_URL=livekit)


def _other_key_of_callers(stage: Stage) -> Case:
    site = stage.site(TOKEN_AUTH="key", TOKEN_KEYS="first-key").with_web()
    site.write(TOKEN_KEYS="old-key")
    site.values["YOUR-KEY"] = "first-key"
    return Case(site=site)


def _hashed_keys(stage: Stage) -> Case:
    site = stage.site(TOKEN_AUTH="key", TOKEN_KEYS=HASH_OF_SECRET_KEY).with_web()
    site.values["YOUR-KEY"] = "secret-key"
    return Case(site=site)


def _logins(stage: Stage) -> Case:
    issuer: Issuer = stage.have(Issuer())
    site = stage.site(
        TOKEN_AUTH="jwt", TOKEN_JWT_ISSUER=issuer.url, TOKEN_JWT_AUDIENCE="my-app"
    ).with_web()
    site.values["YOUR-LOGIN-TOKEN"] = issuer.sign()
    return Case(site=site)


def _nobody_tells_of_webhooks(stage: Stage) -> Case:
    site = stage.site(OPERATOR_KEY="").with_web()
    site.environ["TMPDIR"] = str(stage.new_folder())  # as on another machine
    return Case(site=site)


INJECTIONS = (
    # Those that leave `web` as it is come first, one after the other.
    Injection("settings", "one missing, one malformed", _settings_missing, is_frequent=True),
    Injection("livekit-unreachable", "a closed port", _other_port, is_frequent=True),
    Injection("livekit-unreachable", "TLS where none is", _tls_where_none_is, is_frequent=True),
    Injection(
        "not-livekit", "the token server's address", _token_server_s_address, is_frequent=True
    ),
    Injection("key-unknown", "another key", _unknown_key, is_frequent=True),
    Injection("secret-wrong", "another secret", _wrong_secret, is_frequent=True),
    Injection("secret-wrong", "another secret in the shell", _wrong_secret_in_shell),
    Injection("clock", "5 minutes behind", _clock, is_frequent=True),
    Injection("not-token-server", "LiveKit's address", _other_address, is_frequent=True),
    Injection("cors", "an origin that is not named", _cors, is_frequent=True),
    Injection("proxy", "a proxy that is down", _proxy_is_down, is_frequent=True),
    Injection("server-refuses", "an old key", _other_key_of_callers, is_frequent=True),
    Injection("login-needed", "hashed keys", _hashed_keys, is_frequent=True),
    Injection("login-needed", "logins", _logins, is_frequent=True),
    Injection("webhooks-unseen", "no operator's key", _nobody_tells_of_webhooks, is_frequent=True),
)
