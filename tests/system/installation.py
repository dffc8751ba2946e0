"""The wheel, installed as docs/operating.md says, without a repository or Node.js around it."""

import os
import re
import secrets
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT, LiveKitServer, Process, clean_environ, run_in_shell
from tests.snippets import snippet

PAGE = "docs/operating.md"
PREFIX = "/opt/token-server"
INSTALL = snippet(PAGE, "python3 -m venv")
LIGHT = snippet("docs/light.md", "--requirement deploy/requirements-web.txt")
ENV_FILE = snippet(PAGE, "# /etc/token-server.env")
UNITS = {
    name: snippet(PAGE, f"# /etc/systemd/system/{name}")
    for name in (
        "token-server-web.socket",
        "token-server-web.service",
        "token-server-worker@.service",
    )
}
# The process that becomes the service has to say which one it is.
_WITH_FILE_3 = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""
LIVEKIT_YAML = snippet("docs/webhooks.md", "# livekit.yaml")
WEB, WORKER = "token-server-web.service", "token-server-worker@.service"


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the wheel in it, and an empty folder to run it from."""

    prefix: Path
    empty_folder: Path

    @property
    def dist(self) -> Path:
        """Return where the wheel is."""
        return self.prefix.parent / "dist"

    @property
    def path(self) -> str:
        """Return PATH with its programs, and none of the checkout's."""
        return f"{self.prefix}/bin:/usr/local/bin:/usr/bin:/bin"

    def run(self, command: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command of the page in a shell, in the empty folder."""
        environ = {**clean_environ(), "PATH": self.path, **environ}
        return run_in_shell(
            command.replace(PREFIX, str(self.prefix)), environ, folder=self.empty_folder
        )


def install(folder: Path) -> Installation:
    """Do what the page says, line by line.

    `make setup` is what has brought the tests here. The locked packages that it has installed are
    put in the new environment's reach, instead of another 60 s of downloading the same ones.
    """
    installation = Installation(folder / "prefix", folder / "empty")
    installation.empty_folder.mkdir()
    setup, build, create, locked, wheel = INSTALL.text.splitlines()
    assert (setup, ROOT / locked.split()[-1]) == ("make setup", ROOT / "requirements.txt")
    assert "--hash=sha256:" in (ROOT / locked.split()[-1]).read_text()
    for line in (build, create, wheel):
        run_in_checkout(
            line.replace("--target wheel", f"--target wheel --directory {installation.dist}")
            .replace(" dist/", f" {installation.dist}/")
            .replace(PREFIX, str(installation.prefix))
        )
        if line is create:
            (packages,) = installation.prefix.glob("lib/python3.*/site-packages")
            (packages / "locked.pth").write_text(sysconfig.get_path("purelib"))
            for program in ("gunicorn",):
                _add_program(installation.prefix / "bin", program)
    return installation


def install_light(folder: Path, dist: Path) -> Installation:
    """Do what docs/light.md says, line by line, with the wheel of this folder."""
    installation = Installation(folder / "prefix", folder / "empty")
    installation.empty_folder.mkdir()
    for line in LIGHT.text.splitlines():
        run_in_checkout(with_uv(line, installation, dist))
    return installation


def with_uv(line: str, installation: Installation, dist: Path) -> str:
    """Return a line with uv in the place of pip: it takes packages from where set-up has got them.

    So nothing is downloaded, and it takes half a second.
    """
    install = f"uv pip install --quiet --python {installation.prefix}/bin/python"
    return (
        line.replace("python3 -m venv", f"uv venv --quiet --python {sys.executable}")
        .replace(f"{PREFIX}/bin/pip install", install)
        .replace(PREFIX, str(installation.prefix))
        .replace(" dist/", f" {dist}/")
    )


def run_in_checkout(line: str) -> None:
    """Run a line of a page as its reader does; it has to succeed."""
    done = run_in_shell(line, clean_environ(), seconds=300)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def _add_program(folder: Path, name: str) -> None:
    """Make a locked package's program run with the new environment's Python."""
    _, _, rest = (Path(sysconfig.get_path("scripts")) / name).read_text().partition("\n")
    (folder / name).write_text(f"#!{folder}/python\n{rest}")
    (folder / name).chmod(0o755)


class YamlLiveKit(LiveKitServer):
    """A livekit-server with the configuration file of docs/webhooks.md, on loopback."""

    def __init__(self, folder: Path, web_port: int) -> None:
        self._web_port = web_port
        super().__init__(folder)

    def start(self) -> None:
        """Start it with the page's file: another port, our address, and loopback only."""
        own = re.sub(r"https://[\w.]+", f"http://127.0.0.1:{self._web_port}", LIVEKIT_YAML.text)
        own = own.replace("port: 7880", f"port: {self.port}")
        # What the file leaves out is as in tests: JSON is YAML.
        rest = self._config.read_text()
        rtc = re.search(r'"rtc": (\{[^}]*\})', rest)
        assert rtc
        self._config = self._config.with_suffix(".yaml")
        self._config.write_text(f"{own}\nbind_addresses: [127.0.0.1]\nrtc: {rtc[1]}\n")
        super().start()


def unit_values(name: str, key: str) -> list[str]:
    """Return what a unit's file sets a key to, in order."""
    return re.findall(rf"^{key}=(.*)$", UNITS[name].text, re.MULTILINE)


class Activated:
    """What systemd does with a `.socket` and its `Type=notify` service."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._address = f"token-server-{secrets.token_hex(8)}"
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(f"\0{self._address}")
        self._notices.settimeout(20)

    def start(self, command: str, environ: Mapping[str, str], log: Path, folder: Path) -> Process:
        """Start the service with the open port as file 3, and wait until it says it is ready."""
        number = os.dup(self._listener.fileno())
        settings = {**environ, "NOTIFY_SOCKET": f"@{self._address}", "LISTEN_FDS": "1"}
        start = [sys.executable, "-c", _WITH_FILE_3, str(number), *command.split()]
        try:
            service = Process(start, settings, log, folder=folder, inherited=[number])
        finally:
            os.close(number)
        try:
            while b"READY=1" not in self._notices.recv(4096):
                pass
        except TimeoutError:
            service.stop()
            raise AssertionError(service.output()) from None
        return service

    def close(self) -> None:
        """Close what it has opened."""
        self._notices.close()


def exec_start(unit: str, installation: Installation) -> str:
    """Return what the unit runs, where the wheel is installed."""
    (command,) = unit_values(unit, "ExecStart")
    return command.replace(PREFIX, str(installation.prefix))
