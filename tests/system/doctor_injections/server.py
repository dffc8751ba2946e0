"""Causes that lie in the token server: it does not run, or with other settings than are here."""

from tests import plain_http
from tests.certificates import write_certificate
from tests.processes import ROOT, LiveKitServer, free_port, wait_until
from tests.system.date_proxy import DateProxy
from tests.system.doctor_injections.stage import Case, Injection, Stage


def started_with(stage: Stage, **environ: str) -> Case:
    """Have a `web` that was started with other settings than are in `.env` now."""
    return Case(site=stage.site().with_web(**environ))


def _stopped(stage: Stage) -> Case:
    site = stage.site().with_web()
    site.stop("web")
    return Case(site=site)


def _unreachable_from_there(stage: Stage) -> Case:
    return started_with(stage, LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}")


def _old_secret(stage: Stage) -> Case:
    return started_with(stage, LIVEKIT_API_SECRET="x" * 40)


def _old_agent_name(stage: Stage) -> Case:
    return started_with(stage, LIVEKIT_AGENT_NAME="parrot")


def _at_another_livekit(stage: Stage) -> Case:
    other: LiveKitServer = stage.have(LiveKitServer(stage.new_folder()))
    return started_with(stage, LIVEKIT_URL=other.url)


def _stuck(stage: Stage) -> Case:
    fault = stage.new_folder() / "fault"
    path = f"{ROOT / 'tests/system/dying_keeper'}:{ROOT}"
    case = started_with(stage, PYTHONPATH=path, FAULT=str(fault), STUCK_AFTER="7")
    fault.write_text("hang")
    health = f"{case.site.stack.web_url}/healthz"
    wait_until(lambda: not plain_http.is_ok(health), within=20, what="it is stuck")
    return case


def _tokens_of_30_seconds(stage: Stage) -> Case:
    return Case(site=stage.site(TOKEN_TTL_SECONDS="30").with_web())


def _public_address_of_something_else(stage: Stage) -> Case:
    web_url = stage.site().stack.web_url
    return Case(site=stage.site(LIVEKIT_PUBLIC_URL=web_url).with_web())


def _address_for_calls_only(stage: Stage) -> Case:
    for_calls_only: DateProxy = stage.have(DateProxy(stage.livekit.url, 0))
    return Case(site=stage.site(LIVEKIT_URL=for_calls_only.url).with_web())


def _no_redis(stage: Stage) -> Case:
    redis = stage.redis()
    site = stage.site(REDIS_URL=f"redis://127.0.0.1:{free_port()}").with_web()
    site.values["YOUR-REDIS-URL"] = redis.url
    return Case(site=site)


def _redis_with_a_certificate(stage: Stage) -> Case:
    certificate = write_certificate(stage.new_folder() / "certificate.pem")
    redis = stage.redis(certificate=certificate)
    return Case(site=stage.site(REDIS_URL=redis.url).with_web())


def _limit(stage: Stage) -> Case:
    site = stage.site(RATE_LIMIT="6/minute").with_web()
    for number in range(6):
        site.stack.token(f"spent-{number}")
    return Case(site=site)


def _room_of_two_callers(stage: Stage) -> Case:
    site, humans = stage.site().with_web(), stage.humans()
    humans.join(stage.livekit.url, site.stack.token("lobby"))
    humans.leave()
    wait_until(lambda: site.stack.seconds_empty("lobby") > 3, within=10, what="no mere reload")
    humans.join(stage.livekit.url, site.stack.token("lobby"))
    return Case(site=site)


def _seen_as_a_caller(stage: Stage) -> Case:
    site = stage.site().with_web(LIVEKIT_AGENT_NAME="parrot")
    web = site.stack.web_url
    good = {"LIVEKIT_AGENT_NAME": "voice-agent"}
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "PORT", "OPERATOR_KEY"):
        site.environ[name] = ""  # nobody has them on a customer's machine
    site.may_leave_rooms = True  # nor can anybody delete a room there
    own = site.stack.environ
    return Case(
        site=site,
        arguments=("--url", web),
        goes_by=lambda: site.start("web", **{**own, **good}),
    )


INJECTIONS = (
    Injection("server-unreachable", "it does not run", _stopped, is_frequent=True),
    Injection(
        "server-not-ready",
        "a LiveKit that it cannot reach",
        _unreachable_from_there,
        is_frequent=True,
    ),
    Injection("other-credentials", "an old secret there", _old_secret, is_frequent=True),
    Injection("other-livekit", "another LiveKit there", _at_another_livekit, is_frequent=True),
    Injection("other-agent-name", "another name there", _old_agent_name, is_frequent=True),
    Injection("server-stuck", "a loop that hangs", _stuck),
    Injection("token-lifetime", "30 s", _tokens_of_30_seconds, is_frequent=True),
    Injection(
        "public-url",
        "the token server's address",
        _public_address_of_something_else,
        is_frequent=True,
    ),
    Injection("join-failed", "no WebSocket gets there", _address_for_calls_only, is_frequent=True),
    Injection("redis", "a closed port", _no_redis, is_frequent=True),
    Injection("redis-certificate", "a certificate of one's own", _redis_with_a_certificate),
    Injection("rate-limited", "6 tokens in the last minute", _limit),
    Injection("room-names-reused", "two callers in `lobby`", _room_of_two_callers),
    Injection("agent-absent", "no worker, seen by a caller", _seen_as_a_caller),
)
