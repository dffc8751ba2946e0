"""token_server/http_api/page/: the test page, built from web/."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from setup import SetupError
from setup.npm import NODE_WANTED, install_packages
from setup.progress import run, say
from setup.stamps import digest, forget, is_done, remember

_WEB = Path("web")
_BUILT = Path("token_server/http_api/page/index.html")


def build_page(*, required: bool) -> None:
    """Install the page's packages and build it, where web/ has changed since the last time.

    Raises:
        SetupError: A step failed, or there is no npm and the page is required.
    """
    sources = digest(_sources())
    if is_done("page", sources) and _BUILT.is_file():
        return
    npm = shutil.which("npm")
    if npm is None:
        _do_without(required=required)
        return
    forget("page")
    install_packages(npm, _WEB, "the page's packages", "npm")
    run("building the page", [npm, "run", "build"], folder=_WEB)
    remember("page", sources)


def _do_without(*, required: bool) -> None:
    if required:
        raise SetupError(f"the page's tests need the page, and there is no npm. {NODE_WANTED}")
    say(f"no npm, so no test page; all else works without it. {NODE_WANTED}")


def _sources() -> Iterator[Path]:
    for top in _WEB.iterdir() if _WEB.is_dir() else ():
        if top.name != "node_modules":
            yield from (path for path in (top, *top.rglob("*")) if path.is_file())
