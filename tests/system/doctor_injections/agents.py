"""Causes that lie in the worker, or in what its agents do."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from livekit import api
from livekit.protocol import agent_dispatch

from tests import plain_http
from tests.processes import API_KEY, API_SECRET, LiveKitServer, Process, free_port, wait_until
from tests.system.doctor_injections.stage import Case, Injection, Stage
from tests.system.doctor_site import Site
from tests.system.leaving_worker import NAME as LEAVER

_NOBODY_IS_PUT_OUT = {"AGENT_SILENT_SECONDS": "0", "AGENT_BLOCKED_SECONDS": "0"}


def _site_that_knows_its_worker(stage: Stage, **settings: str) -> Site:
    stage.renew()
    site = stage.site(**settings).with_web()
    _wait_for_worker(site, "idle")
    return site


def _site_with_another_worker(stage: Stage, **environ: str) -> Site:
    """Start it before `web`: the one that is killed for it has told nobody."""
    stage.renew()
    site = stage.site()
    site.start("worker", **environ)
    return site.with_web()


def _wait_for_worker(site: Site, state: str) -> None:
    what = f"a worker is {state}"
    wait_until(lambda: state in site.stack.worker_states(), within=20, what=what)


def _ended(stage: Stage) -> Case:
    site = _site_that_knows_its_worker(stage)
    assert site.stack.worker
    site.stack.worker.stop()
    return Case(site=site)


def _killed(stage: Stage) -> Case:
    site = _site_that_knows_its_worker(stage)
    site.stop("worker")
    _wait_for_worker(site, "silent")
    return Case(site=site)


def _frozen(stage: Stage) -> Case:
    site = _site_that_knows_its_worker(stage)
    site.freeze_worker()
    _wait_for_worker(site, "silent")
    return Case(site=site)


def _other_name(stage: Stage) -> Case:
    return Case(site=stage.site(LIVEKIT_AGENT_NAME="parrot").with_web())


def _no_name(stage: Stage) -> Case:
    return Case(site=_site_with_another_worker(stage, AGENT_DISPATCH="automatic"))


def _full(stage: Stage) -> Case:
    stage.renew()
    site = stage.site(LIVEKIT_AGENT_MAX_JOBS="1")
    site.start("worker")
    site.with_web()
    stage.humans().join(stage.livekit.url, site.stack.token("call"))
    _wait_for_worker(site, "full")
    return Case(site=site)


def _at_another_livekit(stage: Stage) -> Case:
    other: LiveKitServer = stage.have(LiveKitServer(stage.new_folder()))
    return Case(site=_site_with_another_worker(stage, LIVEKIT_URL=other.url))


class _Troubled:
    """A worker whose jobs have a trouble; whoever wrote it mends it once the doctor has spoken."""

    def __init__(self, trouble: str, *, is_mended: bool = True) -> None:
        self._trouble, self._is_mended = trouble, is_mended

    def __call__(self, stage: Stage) -> Case:
        """Start it in the other one's place."""
        stage.renew()
        site = stage.site(**_NOBODY_IS_PUT_OUT)
        file = stage.new_folder() / "trouble"
        file.write_text(self._trouble)
        # It is somebody else's, and reads no `.env`.
        environ = site.stack.environ | {"TROUBLE": str(file)}
        site.start("worker", "python -m tests.system.troubled_worker start", **environ)
        site.with_web()
        return Case(site=site, goes_by=site.with_worker if self._is_mended else None)


def _failing(stage: Stage) -> Case:
    site = stage.site(AGENT_NAMES=LEAVER).with_web()
    environ = site.stack.environ | {"LIVEKIT_AGENT_PORT": str(free_port())}
    command = ["python", "-m", "tests.system.leaving_worker", "start"]
    worker = stage.have(Process(command, environ, stage.new_folder() / "leaver.log"))
    worker.wait_for_output("registered worker", within=60)
    metadata = json.dumps({"how": "raises", "after": 0.2})
    agents = [{"agent_name": LEAVER, "metadata": metadata}]
    wanted = {"room_name": "failing", "room_config": {"agents": agents}}
    token = plain_http.post(f"{site.stack.web_url}/token", json=wanted).json()
    humans = stage.humans()
    humans.join(stage.livekit.url, token["participant_token"])
    wait_until(
        lambda: _advice(site, "failing") == "agent-failing",
        within=30,
        what="one after the other fails",
    )
    return Case(site=site, goes_by=humans.leave)


def _waiting_for_another(stage: Stage) -> Case:
    stage.renew()
    site = stage.site(AGENT_NAMES="concierge").with_web()
    site.values["YOUR-WORKER-COMMAND"] = "python -m agent start"
    agents = [{"agent_name": "concierge"}]
    wanted = {"room_name": "lobby", "room_config": {"agents": agents}}
    token = plain_http.post(f"{site.stack.web_url}/token", json=wanted).json()
    stage.humans().join(stage.livekit.url, token["participant_token"])
    wait_until(
        lambda: _advice(site, "lobby") == "no-worker", within=30, what="a human waits for long"
    )
    return Case(site=site)


def _advice(site: Site, room_name: str) -> str:
    return str((site.stack.view(room_name).get("advice") or {}).get("cause"))


def _somebody_else_dispatches(stage: Stage) -> Case:
    site = stage.site().with_web()
    environ = site.stack.environ | {
        "LIVEKIT_AGENT_NAME": "stranger",
        "LIVEKIT_AGENT_PORT": str(free_port()),
        "PORT": str(free_port()),
    }
    worker = stage.have(
        Process(["python", "-m", "agent", "start"], environ, stage.new_folder() / "stranger.log")
    )
    worker.wait_for_output("registered worker", within=60)
    over = threading.Event()
    stage.have(_dispatching(site, "stranger", over))
    return Case(site=site, goes_by=over.set)


@contextmanager
def _dispatching(site: Site, agent_name: str, over: threading.Event) -> Iterator[None]:
    """Send an agent to each doctor's room, until it is over: as a webhook handler may do."""
    sent: set[str] = set()

    def send() -> None:
        while not over.wait(0.1):
            for name in set(site.stack.room_names()) - sent:
                if name.startswith("doctor-"):
                    _dispatch(site, name, agent_name)
                    sent.add(name)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _dispatch(site: Site, room_name: str, agent_name: str) -> None:
    grants = api.VideoGrants(room_admin=True, room=room_name)
    token = api.AccessToken(API_KEY, API_SECRET).with_grants(grants).to_jwt()
    order = agent_dispatch.CreateAgentDispatchRequest(room=room_name, agent_name=agent_name)
    url = site.stack.livekit.url.replace("ws", "http")
    plain_http.post(
        f"{url}/twirp/livekit.AgentDispatchService/CreateDispatch",
        body=order.SerializeToString(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/protobuf"},
    )


INJECTIONS = (
    Injection("worker-silent", "frozen", _frozen),
    Injection("no-worker", "it has ended", _ended, is_frequent=True),
    Injection("worker-dead", "killed", _killed),
    Injection("worker-other-name", "another name in `.env`", _other_name),
    Injection("worker-without-name", "AGENT_DISPATCH=automatic for it", _no_name),
    Injection("worker-full", "as many calls as it takes", _full),
    Injection("worker-elsewhere", "another LiveKit for it", _at_another_livekit),
    Injection("job-died", "its process ends", _Troubled("dies")),
    Injection("job-died", "it raises", _Troubled("raises")),
    Injection("job-slow", "it hangs", _Troubled("hangs")),
    Injection("agent-silent", "it publishes nothing", _Troubled("silent")),
    Injection("worker-full", "its load is 0.9", _Troubled("busy", is_mended=False)),
    Injection("agent-hung", "frozen", _Troubled("freezes")),
    Injection("agent-hung", "its event loop stands still", _Troubled("blocks")),
    Injection("agent-failing", "each raises", _failing),
    Injection("agent-failing", "it raises once it has joined", _Troubled("crashes")),
    Injection("human-waits", "nobody is its agent's worker", _waiting_for_another),
    Injection("second-agent", "another dispatches too", _somebody_else_dispatches),
)
