"""The processes that are measured: livekit-server, and ours, the tutorial's or none beside it."""

import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.progress import say
from tests.processes import LiveKitServer, Process, free_port, start_from_procfile

LOOPBACK = "127.0.0.1"
_GUNICORN = ("gunicorn", "--config", "bench/tutorial_gunicorn_conf.py")
_NODE = ("node", "bench/node/server.mjs")
_PLAIN_WORKER = ("python", "-m", "bench.plain_worker", "start")
_AGENTS_JS = ("node", "bench/node_agent/agent.mjs", "start")
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.005
_TRIES = 3

# Starts a web process, or a worker, with these settings; its output goes into the file.
StartWeb = Callable[[dict[str, str], Path], Process]
StartWorker = Callable[[dict[str, str], Path], Process]


def start_ours(environ: dict[str, str], log: Path) -> Process:
    """Start the Procfile's web process."""
    return start_from_procfile("web", environ, log)


def start_tutorial(environ: dict[str, str], log: Path) -> Process:
    """Start the tutorial's server under a gunicorn of the same shape."""
    return Process((*_GUNICORN, "bench.tutorial:app"), environ, log)


def start_naive(environ: dict[str, str], log: Path) -> Process:
    """Start the server that sends the agent with a webhook, likewise."""
    return Process((*_GUNICORN, "bench.naive:app"), environ, log)


def start_node(environ: dict[str, str], log: Path) -> Process:
    """Start the Node.js server that does the tutorial's two calls."""
    return Process(_NODE, environ, log)


def start_our_worker(environ: dict[str, str], log: Path) -> Process:
    """Start the Procfile's worker."""
    return start_from_procfile("worker", environ, log)


def start_plain_worker(environ: dict[str, str], log: Path) -> Process:
    """Start a worker as livekit-agents has it by itself; its agents publish a silent track."""
    return Process(_PLAIN_WORKER, environ, log)


def start_sounding_worker(environ: dict[str, str], log: Path) -> Process:
    """Start a worker likewise, whose agents are heard all the time."""
    return Process(_PLAIN_WORKER, environ | {"PLAIN_AGENT_TONE": "1"}, log)


def start_agents_js(environ: dict[str, str], log: Path) -> Process:
    """Start a worker of agents-js, whose agents are heard all the time."""
    return Process(_AGENTS_JS, environ, log)


def start_livekit(
    folder: Path,
    *,
    webhook_urls: Sequence[str] = (),
    webhook_events: Sequence[str] = (),
    start: Callable[..., LiveKitServer] = LiveKitServer,
) -> LiveKitServer:
    """Start a livekit-server; on other ports when somebody took one that was free a moment ago."""
    for _ in range(_TRIES - 1):
        try:
            return start(folder, webhook_urls=webhook_urls, webhook_events=webhook_events)
        except AssertionError as error:
            say(f"    livekit-server did not start, trying again ({str(error).splitlines()[-1]})")
    return start(folder, webhook_urls=webhook_urls, webhook_events=webhook_events)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where a livekit-server and the web process beside it listen, on 127.0.0.1."""

    livekit: int
    web: int


def wait_until_ready(web: Process, port: int, host: str = LOOPBACK) -> None:
    """Ask /readyz every few milliseconds until it answers 200.

    Raises:
        RuntimeError: The process has ended, or is not ready in time; the text has its output.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_ready(host, port):
        if web.popen.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the web process is not ready:\n{web.output()[-4000:]}")
        time.sleep(_POLL_SECONDS)


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def livekit_with(
    start_web: StartWeb, folder: Path, *, has_webhooks: bool = True
) -> Iterator[Ports]:
    """Run a fresh livekit-server and a fresh web process, to which its webhooks go if it has any.

    Starts both once more when somebody took a port that was free a moment ago.
    """
    with ExitStack() as running:
        for _ in range(_TRIES - 1):
            try:
                ports = _start_both(start_web, folder, running, has_webhooks=has_webhooks)
                break
            except (AssertionError, RuntimeError) as error:
                running.close()
                say(f"    a server did not start, trying again ({str(error).splitlines()[0]})")
        else:
            ports = _start_both(start_web, folder, running, has_webhooks=has_webhooks)
        yield ports


def _start_both(
    start_web: StartWeb, folder: Path, running: ExitStack, *, has_webhooks: bool
) -> Ports:
    port = free_port()
    urls = [f"http://127.0.0.1:{port}/webhook"] if has_webhooks else []
    livekit = running.enter_context(start_livekit(folder, webhook_urls=urls))
    environ = livekit.environ() | {"PORT": str(port), "HOST": "127.0.0.1"}
    web = running.enter_context(start_web(environ, folder / f"web-{port}.log"))
    wait_until_ready(web, port)
    return Ports(livekit=livekit.port, web=port)
