"""Builds, starts both processes, asks for their health, joins as the doctor does, stops them."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.image.bare_debian import missing_programs
from bench.image.build import Image, build
from bench.progress import say
from tests import plain_http
from tests.processes import ROOT, LiveKitServer, Process, free_port, wait_until
from tests.redis_server import RedisServer

_DOCKERFILE = ROOT / "deploy/Dockerfile"
_WORKER = ("python", "-m", "agent", "start")
_SITE_PACKAGES = "opt/token-server/lib"


def main() -> int:
    """Try the image; return the exit code."""
    arguments = _parse()
    if missing := missing_programs():
        sys.stderr.write(f"this needs {', '.join(missing)}\n")
        return 2
    given = {"REQUIREMENTS": arguments.requirements} if arguments.requirements else {}
    with tempfile.TemporaryDirectory(prefix="image-") as folder, ExitStack() as ends:
        image = build(Path(folder) / "root", _DOCKERFILE.read_text(), ROOT, given)
        say(f"the image: {_megabytes(image, '')} MB, Python packages {_packages(image)} MB")
        _try(image, Path(folder), ends, has_worker=not given)
    say("all is well")
    return 0


def _try(image: Image, folder: Path, ends: ExitStack, *, has_worker: bool) -> None:
    port, worker_port = free_port(), free_port()
    livekit = ends.enter_context(
        LiveKitServer(folder, webhook_urls=[f"http://127.0.0.1:{port}/webhook"])
    )
    given = {name: livekit.environ()[name] for name in livekit.environ() if "LIVEKIT_" in name}
    environ = given | {
        "TOKEN_AUTH": "none",
        "OPERATOR_KEY": "a-made-up-key-of-an-operator",
        "PORT": str(port),
        "LIVEKIT_AGENT_PORT": str(worker_port),
        "TOKEN_SERVER_URL": f"http://127.0.0.1:{port}",
    }
    if has_worker:
        environ["REDIS_URL"] = ends.enter_context(RedisServer(folder)).url
    web = _start(image, image.command, environ, folder / "web.log", ends)
    say(plain_http.get(f"http://127.0.0.1:{port}/healthz").data.decode().strip())
    plain_http.good(plain_http.get(f"http://127.0.0.1:{port}/token"))
    if has_worker:
        worker = _start(image, _WORKER, environ, folder / "worker.log", ends)
        say(image.debian.run_beside(web, ["token-server", "doctor"], environ))
        _stop("worker", worker)
    _stop("web", web)


def _start(
    image: Image, command: Sequence[str], environ: dict[str, str], log: Path, ends: ExitStack
) -> Process:
    """Start a container, and wait until its health check passes."""
    started = time.monotonic()
    process = image.debian.start([*image.entrypoint, *command], environ, log)
    ends.callback(process.kill)

    def is_well() -> bool:
        if process.popen.poll() is not None:
            raise AssertionError(process.output())
        try:
            image.debian.run_beside(process, image.health, environ)
        except RuntimeError:
            return False
        return True

    wait_until(is_well, within=60, what=f"{command} is well\n{process.output()}")
    say(f"`{' '.join(command)}` is well after {time.monotonic() - started:.1f} s")
    return process


def _stop(name: str, process: Process) -> None:
    started = time.monotonic()
    code = process.stop(within=40)
    say(f"{name} ended with {code} after {time.monotonic() - started:.1f} s")
    if code != 0:
        raise AssertionError(process.output()[-4000:])


def _packages(image: Image) -> int:
    (packages,) = (image.debian.root / _SITE_PACKAGES).glob("python3.*/site-packages")
    return _megabytes(image, str(packages.relative_to(image.debian.root)))


def _megabytes(image: Image, folder: str) -> int:
    measured = subprocess.run(
        ["du", "-smx", str(image.debian.root / folder)],  # noqa: S607 (the one on PATH)
        capture_output=True,
        text=True,
        check=True,
    )
    return int(measured.stdout.split()[0])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.image", description=__doc__)
    parser.add_argument("--requirements", help="build with other packages; no worker is started")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
