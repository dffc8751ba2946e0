"""Causes that lie in LiveKit itself, or between it and the token server."""

from http import HTTPStatus

from tests.certificates import write_certificate
from tests.system.doctor_injections.stage import Case, Injection, Stage
from tests.system.doctor_stage import ChangedLiveKit, merged
from tests.system.faulty_livekit import Fault, FaultyLiveKit

_REGIONS = [
    {"name": "frankfurt", "lat": 50.1, "lon": 8.7},
    {"name": "mumbai", "lat": 19.1, "lon": 72.9},
]
_QUOTA = Fault(status=HTTPStatus.TOO_MANY_REQUESTS, body=b"too many requests")
_INTERNAL = Fault(status=HTTPStatus.INTERNAL_SERVER_ERROR, body=b'{"code":"internal","msg":"x"}')
_NOT_SAYING_WHICH = Fault(
    status=HTTPStatus.UNAUTHORIZED,
    body=b'{"code":"unauthenticated","msg":"unauthenticated"}',
    of=HTTPStatus.UNAUTHORIZED,
)


def _behind(stage: Stage, *faults: Fault) -> FaultyLiveKit:
    proxy: FaultyLiveKit = stage.have(FaultyLiveKit(stage.livekit.url, faults))
    return proxy


def _errors(stage: Stage) -> Case:
    proxy = _behind(stage, _INTERNAL)
    site = stage.site().with_web()
    site.write(LIVEKIT_URL=proxy.url)
    return Case(site=site, goes_by=proxy.mend)


def _too_many_requests(stage: Stage) -> Case:
    proxy = _behind(stage, _QUOTA)
    site = stage.site().with_web()
    site.write(LIVEKIT_URL=proxy.url)
    site.values["YOUR-QUOTA"] = "900"
    return Case(site=site, goes_by=proxy.mend)


def _refused_without_a_word(stage: Stage) -> Case:
    proxy = _behind(stage, _NOT_SAYING_WHICH)
    site = stage.site(LIVEKIT_URL=proxy.url).with_web()
    site.write(LIVEKIT_API_SECRET="x" * 40)
    return Case(site=site)


def _certificate_of_ones_own(stage: Stage) -> Case:
    certificate = write_certificate(stage.new_folder() / "certificate.pem")
    proxy: FaultyLiveKit = stage.have(FaultyLiveKit(stage.livekit.url, certificate=certificate))
    site = stage.site().with_web()
    site.write(LIVEKIT_URL=proxy.url)
    site.values["YOUR-CA-FILE"] = str(certificate)
    return Case(site=site)


def _no_dispatch(stage: Stage) -> Case:
    proxy = _behind(stage, Fault(status=500, body=_INTERNAL.body, method="CreateDispatch"))
    site = stage.site()
    site.with_web(LIVEKIT_URL=proxy.url, LIVEKIT_PUBLIC_URL=stage.livekit.url)
    return Case(site=site)


def _old_version(stage: Stage) -> Case:
    proxy: FaultyLiveKit = stage.have(FaultyLiveKit(stage.livekit.url, rewrite=_older))
    site = stage.site(LIVEKIT_URL=proxy.url).with_web()
    return Case(site=site, goes_by=proxy.mend)


def _older(received: bytes) -> bytes:
    """Tell a version that nobody has tried, in as many bytes."""
    return received.replace(b"1.13.", b"1.08.")


def _rooms_end_first(stage: Stage) -> Case:
    site = stage.site(ROOM_EMPTY_TIMEOUT_SECONDS="5").with_web()
    configuration = site.stack.livekit.configuration
    site.restart_livekit({**configuration, "room": {"auto_create": False}})
    return Case(site=site)


def _no_media(stage: Stage) -> Case:
    closed = {"rtc": {"interfaces": {"includes": ["none0"]}}}
    site = stage.own_site(livekit=closed).with_web().with_worker()
    site.values["YOUR-LIVEKIT-IP"] = "127.0.0.1"

    def open_ports() -> None:
        found = site.stack.livekit.configuration
        site.restart_livekit(merged(found, {"rtc": {"interfaces": {"includes": []}}}))

    return Case(site=site, goes_by=open_ports)


def _another_region(stage: Stage) -> Case:
    redis = f"127.0.0.1:{stage.redis().port}"
    site = stage.own_site(livekit=_node_in("frankfurt"), redis_address=redis)
    far = stage.have(ChangedLiveKit(stage.new_folder(), _node_in("mumbai"), redis_address=redis))
    site.with_web().start("worker", LIVEKIT_URL=far.url)
    return Case(site=site, goes_by=site.with_worker)  # somebody near Frankfurt starts one


def _node_in(region: str) -> dict[str, object]:
    """Configure a node that keeps rooms in its own region."""
    selector = {"kind": "regionaware", "sort_by": "random", "regions": _REGIONS}
    return {"region": region, "node_selector": selector}


def _no_deletion(stage: Stage) -> Case:
    proxy = _behind(stage, Fault(status=500, body=_INTERNAL.body, method="DeleteRoom"))
    site = stage.site().with_web()
    site.may_leave_rooms = True
    site.write(LIVEKIT_URL=proxy.url)
    return Case(site=site, goes_by=proxy.mend)


INJECTIONS = (
    Injection("livekit-unreachable", "a certificate of one's own", _certificate_of_ones_own),
    Injection("livekit-failing", "LiveKit answers 500", _errors, is_frequent=True),
    Injection("livekit-quota", "LiveKit answers 429", _too_many_requests),
    Injection(
        "key-or-secret",
        "a LiveKit that does not say which",
        _refused_without_a_word,
        is_frequent=True,
    ),
    Injection("not-dispatched", "CreateDispatch fails there", _no_dispatch),
    Injection("server-too-old", "it tells version 1.8", _old_version, is_frequent=True),
    Injection("room-ends-first", "`room.auto_create: false`, 5 s", _rooms_end_first),
    Injection("media-blocked", "no media port is open", _no_media),
    Injection("region", "a worker in Mumbai", _another_region),
    Injection("not-cleared", "DeleteRoom fails", _no_deletion),
)
