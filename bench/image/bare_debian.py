"""A Debian of a folder: made by debootstrap, and processes in it as a container has them.

Each has its own process numbers, so that it is the first and its children end with it; its own
/proc and a /dev/shm of 64 MB, as Docker gives it; the machine's network.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.progress import say
from tests.processes import Process, wait_until

# What a process that is to be the first one does before it is: the arguments are the rest.
_MOUNT = """
root=$1; shift
mount -t proc proc "$root/proc"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/dev/shm"
exec "$@"
"""
_ENTER = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-ec", _MOUNT, "sh")
_JOIN = ("nsenter", "--mount", "--pid", "--target")
# What this machine needs to reach packages, and every container engine sets by itself.
_FROM_HERE = ("/etc/resolv.conf", "/usr/local/share/ca-certificates")


class BareDebian:
    """The folder.

    Attributes:
        root: Where it is.
        environ: What every process in it gets.
        user: Who its processes run as.
        folder: Where they run, seen from inside.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.user, self.folder = root, "root", "/"
        self.environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def create(self, suite: str) -> None:
        """Install the smallest Debian of this suite."""
        say(f"a bare Debian {suite}")
        command = ["debootstrap", "--variant=minbase", suite, str(self.root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for path in map(Path, _FROM_HERE):
            target = self.root / path.relative_to("/")
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            elif path.is_file():
                target.write_bytes(path.read_bytes())

    def copy(self, source: Path, name: str) -> None:
        """Copy a file or folder of this machine to a name in the working directory."""
        target = self.inside(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)

    def inside(self, name: str) -> Path:
        """Return where a path of the working directory is on this machine."""
        return self.root / self.folder.lstrip("/") / name

    def run(self, command: str) -> None:
        """Run a shell command to its end.

        Raises:
            RuntimeError: It failed; the text has its last lines.
        """
        _check([*_ENTER, str(self.root), *self._inside(["/bin/sh", "-c", command], {})])

    def start(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> Process:
        """Start a container's process."""
        enter = [*_ENTER, str(self.root), *self._inside(command, environ)]
        return Process(enter, os.environ, log)

    def run_beside(
        self, process: Process, command: Sequence[str], environ: Mapping[str, str]
    ) -> str:
        """Run a command in a container that runs, as `docker exec` does; return what it says.

        Raises:
            RuntimeError: It failed.
        """
        first = wait_until(lambda: _child_of(process.popen.pid), within=10, what="a first process")
        return _check([*_JOIN, first, *self._inside(command, environ)])

    def _inside(self, command: Sequence[str], environ: Mapping[str, str]) -> list[str]:
        variables = [f"{name}={value}" for name, value in {**self.environ, **environ}.items()]
        user = f"--userspec={self.user}:{self.user}"
        env = ["/usr/bin/env", "--ignore-environment", f"--chdir={self.folder}", *variables]
        return ["chroot", user, str(self.root), *env, *command]


def _check(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[-1]} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def _child_of(pid: int) -> str:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return children[0] if children else ""


def missing_programs() -> list[str]:
    """Return what this machine lacks; root is one of it."""
    programs = ("debootstrap", "unshare", "nsenter", "chroot", "redis-server")
    missing = [program for program in programs if not shutil.which(program)]
    return missing if os.geteuid() == 0 else ["root", *missing]
